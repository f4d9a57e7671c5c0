/* Treatments: how values become scores between the goalposts, and weights that the values give. */
#include <math.h>
#include <string.h>

#include "domain/measure/index_inside.h"
#include "num/composite/stages.h"
#include "num/composite/weigh.h"
#include "num/core/optim.h"

/* The least score where a mean takes no 0: one of a hundred, so that a place at the worst goalpost
 * pulls its group down without taking every other difference away. */
static const double least_positive = 1;

bool index_needs_positive(const struct index_def *d) {
    for (size_t k = 0; k + 1 < d->tree.n_level; k++) {
        const struct composite_agg *g = &d->spec.aggregate.level[k];
        if (g->kind == COMPOSITE_GEOMETRIC || g->kind == COMPOSITE_HARMONIC ||
            (g->kind == COMPOSITE_POWER && g->power != 1))
            return true;
    }
    return false;
}

/* ---- one indicator */

static bool is_treated(const struct index_node *n) {
    return n->treat.curve != INDEX_CURVE_LINEAR || n->treat.winsorise > 0;
}

static double curve(const struct index_node *n, double lambda, double x) {
    double at = x + n->treat.shift;
    if (n->treat.curve == INDEX_CURVE_LOG || fabs(lambda) < 1e-12) return log(at);
    return (pow(at, lambda) - 1) / lambda;
}

/* The value that lies on a straight line where x lies on the curve. */
static double straightened(const struct index_node *n, const struct index_bend *b, double x) {
    if (b != NULL && !isnan(b->low)) x = x < b->low ? b->low : x > b->high ? b->high : x;
    if (n->treat.curve == INDEX_CURVE_LINEAR) return x;
    double lambda = b == NULL ? NAN : b->lambda;
    double at = x < n->low ? n->low : x > n->high ? n->high : x;
    double low = curve(n, lambda, n->low), high = curve(n, lambda, n->high);
    return n->low + (n->high - n->low) * ((curve(n, lambda, at) - low) / (high - low));
}

static double lifted(const struct index_node *n, double x) {
    double step = (n->high - n->low) * least_positive / 100;
    if (n->indicator->direction > 0) return x < n->low + step ? n->low + step : x;
    return x > n->high - step ? n->high - step : x;
}

double index_leaf_score(const struct index_view *v, size_t leaf, double x) {
    const struct index_node *n = &v->def->node[leaf];
    if (isnan(x)) return NAN;
    double at = straightened(n, v->bend == NULL ? NULL : &v->bend[leaf], x);
    if (index_needs_positive(v->def)) at = lifted(n, at);
    double share = (at - n->low) / (n->high - n->low);
    double score = 100 * (n->indicator->direction > 0 ? share : 1 - share);
    return score < 0 ? 0 : score > 100 ? 100 : score;
}

/* ---- all of a view */

static enum err_code treat_row(const struct index_node *n, struct composite_treat how,
                               const double *row, size_t n_area, double *work,
                               struct composite_treated *told, struct err *err) {
    const char *code[] = {n->name};
    struct composite_tree one = {.n_ind = 1, .code = code};
    memcpy(work, row, n_area * sizeof *work);
    return composite_treat_all(&how, &one, NULL, n_area, work + n_area, work, told, err);
}

static enum err_code find_bend(const struct index_node *n, const double *row, size_t n_area,
                               double *work, struct index_bend *out, struct err *err) {
    struct composite_treated told;
    *out = (struct index_bend){NAN, NAN, n->treat.lambda};
    if (n->treat.winsorise > 0) {
        struct composite_treat how = {.first = COMPOSITE_TREAT_WINSORISE,
                                      .max_winsorised = n->treat.winsorise};
        TRY(treat_row(n, how, row, n_area, work, &told, err));
        for (size_t j = 0; j < n_area; j++) {
            if (isnan(work[j])) continue;
            out->low = isnan(out->low) || work[j] < out->low ? work[j] : out->low;
            out->high = isnan(out->high) || work[j] > out->high ? work[j] : out->high;
        }
    }
    if (n->treat.curve != INDEX_CURVE_BOX_COX || !isnan(n->treat.lambda)) return ERR_OK;
    double *moved = work + 2 * n_area;
    size_t there = 0;
    for (size_t j = 0; j < n_area; j++) {
        double x = row[j] < n->low ? n->low : row[j] > n->high ? n->high : row[j];
        moved[j] = x + n->treat.shift;
        there += isnan(x) ? 0 : 1;
    }
    struct composite_treat how = {
        .first = COMPOSITE_TREAT_BOX_COX, .always = true, .box_cox_lambda = NAN};
    out->lambda = 1;
    if (there < 3) return ERR_OK;
    TRY(treat_row(n, how, moved, n_area, work, &told, err));
    if (!isnan(told.lambda)) out->lambda = told.lambda;
    return ERR_OK;
}

enum err_code index_bend_values(struct index_view *v, double *matrix, struct arena *a,
                                struct err *err) {
    const struct index_def *d = v->def;
    bool treated = false, positive = index_needs_positive(d);
    for (size_t i = 0; i < d->n_leaves; i++) treated = treated || is_treated(&d->node[i]);
    v->bend = NULL;
    if (treated) {
        struct index_bend *bend = ARENA_NEW(a, struct index_bend, d->n_leaves);
        double *work = ARENA_NEW(a, double, 3 * v->n);
        if (bend == NULL || work == NULL) return err_fail(err, ERR_NOMEM, "index");
        for (size_t i = 0; i < d->n_leaves; i++)
            TRY(find_bend(&d->node[i], matrix + i * v->n, v->n, work, &bend[i], err));
        v->bend = bend;
    }
    for (size_t i = 0; (treated || positive) && i < d->n_leaves; i++) {
        const struct index_node *n = &d->node[i];
        for (size_t j = 0; j < v->n; j++) {
            double *x = &matrix[i * v->n + j];
            if (isnan(*x)) continue;
            if (treated) *x = straightened(n, &v->bend[i], *x);
            if (positive) *x = lifted(n, *x);
        }
    }
    return ERR_OK;
}

/* ---- means up the tree */

struct transform {
    enum composite_agg_kind kind;
    double power;
};

static double into(const struct transform *t, double x) {
    switch (t->kind) {
    case COMPOSITE_GEOMETRIC:
        return log(x);
    case COMPOSITE_HARMONIC:
        return 1 / x;
    case COMPOSITE_POWER:
        return pow(x, t->power);
    default:
        return x;
    }
}

static double back(const struct transform *t, double x) {
    switch (t->kind) {
    case COMPOSITE_GEOMETRIC:
        return exp(x);
    case COMPOSITE_HARMONIC:
        return 1 / x;
    case COMPOSITE_POWER:
        return pow(x, 1 / t->power);
    default:
        return x;
    }
}

void index_means(const struct composite_tree *t, const double *weight,
                 const struct composite_aggregate *g, const double *like, size_t n, double *value) {
    for (size_t p = t->n_ind; p < t->n_node; p++) {
        const struct composite_agg *how = &g->level[t->level[p] - 2];
        const struct transform f = {how->kind, how->power};
        for (size_t j = 0; j < n; j++) {
            double sum = 0, all = 0;
            for (uint32_t c = t->first[p]; c < t->first[p + 1]; c++) {
                double w = weight[t->child[c]], x = value[t->child[c] * n + j];
                if (isnan(x) || w == 0) continue;
                sum += w * into(&f, x);
                all += w;
            }
            bool gone = all == 0 || (like != NULL && isnan(like[p * n + j]));
            value[p * n + j] = gone ? NAN : back(&f, sum / all);
        }
    }
}

/* ---- weights that the values give */

struct family {
    const struct index_view *v;
    const double *value; /* n_nodes x n */
    const double *rows[INDEX_MAX_NODES];
    const char *name[INDEX_MAX_NODES];
    uint32_t child[INDEX_MAX_NODES];
    size_t n;
};

/* Children that have a value in two areas or more. */
static void gather_family(struct family *f, const struct index_view *v, const double *value,
                          size_t parent) {
    const struct composite_tree *t = &v->tree;
    f->v = v;
    f->value = value;
    f->n = 0;
    for (uint32_t c = t->first[parent]; c < t->first[parent + 1]; c++) {
        const double *row = value + t->child[c] * v->n;
        size_t there = 0;
        for (size_t j = 0; j < v->n; j++) there += isnan(row[j]) ? 0 : 1;
        if (there < 2) continue;
        f->rows[f->n] = row;
        f->name[f->n] = t->code[t->child[c]];
        f->child[f->n++] = t->child[c];
    }
}

/* Shares of the children in the score that is best for area j (Cherchye et al. 2007), from the
 * prices of the dual programme of num/composite/bod.c. */
static enum err_code best_shares(const struct family *f, const struct index_node *group, size_t j,
                                 double *work, double *share, struct err *err) {
    size_t n = f->v->n, m = f->n, n_col = n + 2 * m;
    double *a = work, *b = a + m * n_col, *c = b + m, *x = c + n_col, *price = x + n_col;
    enum num_relation relation[INDEX_MAX_NODES];
    struct num_linear_found found;
    for (size_t k = 0; k < m; k++) {
        double own = isnan(f->rows[k][j]) ? 0 : f->rows[k][j] / 100;
        for (size_t i = 0; i < n; i++)
            a[k * n_col + i] = isnan(f->rows[k][i]) ? 0 : f->rows[k][i] / 100;
        for (size_t l = 0; l < m; l++) {
            a[k * n_col + n + l] = own * (group->least - (l == k));
            a[k * n_col + n + m + l] = own * ((l == k) - group->most);
        }
        b[k] = own;
        relation[k] = NUM_AT_LEAST;
    }
    for (size_t i = 0; i < n_col; i++) c[i] = i < n ? -1 : 0;
    struct num_linear lp = {m, n_col, a, b, relation, c};
    TRY(num_linear_solve(&lp, x, price, &found, err));
    if (found.end != NUM_OPTIMAL) return err_fail(err, ERR_NUMERIC, "no shares are best");
    double all = 0;
    for (size_t k = 0; k < m; k++) all += share[k] = fabs(price[k]) * b[k];
    if (!(all > 0)) return err_fail(err, ERR_NUMERIC, "no shares are best");
    for (size_t k = 0; k < m; k++) share[k] /= all;
    return ERR_OK;
}

static enum err_code weigh_bod(const struct family *f, const struct index_node *group,
                               struct arena *a, double *weight, struct err *err) {
    size_t m = f->n, n_col = f->v->n + 2 * m, n_used = 0;
    double *work = ARENA_NEW(a, double, m *n_col + m + 2 * n_col + m + 1);
    double share[INDEX_MAX_NODES];
    if (work == NULL) return err_fail(err, ERR_NOMEM, "index");
    for (size_t k = 0; k < m; k++) weight[k] = 0;
    for (size_t j = 0; j < f->v->n; j++) {
        bool whole = true; /* an area without all of them would speak for those it has */
        for (size_t k = 0; k < m; k++) whole = whole && !isnan(f->rows[k][j]);
        enum err_code rc = whole ? best_shares(f, group, j, work, share, err) : ERR_NUMERIC;
        if (rc == ERR_NUMERIC) continue;
        TRY(rc);
        n_used++;
        for (size_t k = 0; k < m; k++) weight[k] += share[k];
    }
    if (n_used == 0) return err_fail(err, ERR_NUMERIC, "no area has all of them");
    for (size_t k = 0; k < m; k++) weight[k] /= (double)n_used;
    return ERR_OK;
}

static enum err_code weigh_family(const struct family *f, const struct index_node *group,
                                  struct arena *a, double *weight, struct err *err) {
    if (f->n < 2) return err_fail(err, ERR_NUMERIC, "fewer than two can be compared");
    if (group->weigh == INDEX_WEIGH_ENTROPY)
        return composite_weigh_entropy(f->rows, f->name, f->n, f->v->n, weight, NULL, err);
    if (group->weigh == INDEX_WEIGH_PCA)
        return composite_weigh_pca(f->rows, f->name, f->n, f->v->n, true, 0, weight, NULL, err);
    return weigh_bod(f, group, a, weight, err);
}

/* Brings them to a sum of 1; a child that has too few values to be weighed weighs nothing. False
 * when they are no weights. */
static bool take_weights(const struct family *f, double *found, size_t parent, double *weight) {
    const struct composite_tree *t = &f->v->tree;
    double all = 0;
    for (size_t k = 0; k < f->n; k++) {
        /* A row without any spread comes out a rounding below 0. */
        if (found[k] < 0 && found[k] > -1e-9) found[k] = 0;
        if (!(found[k] >= 0)) return false;
        all += found[k];
    }
    if (!(all > 0)) return false;
    for (uint32_t c = t->first[parent]; c < t->first[parent + 1]; c++) weight[t->child[c]] = 0;
    for (size_t k = 0; k < f->n; k++) weight[f->child[k]] = found[k] / all;
    return true;
}

enum err_code index_weigh_groups(struct index_view *v, const struct composite_data *data,
                                 const struct num_run *run, struct arena *a, struct err *err) {
    const struct index_def *d = v->def;
    struct family f;
    double found[INDEX_MAX_NODES], *weight = NULL;
    unsigned char *fallback = NULL;
    v->fallback = NULL;
    for (size_t p = d->n_leaves; p < d->n_nodes; p++) {
        const struct index_node *group = &d->node[p];
        struct composite_result r;
        struct err why = {0};
        if (group->weigh <= INDEX_WEIGH_AHP) continue;
        if (weight == NULL) {
            weight = ARENA_NEW(a, double, d->n_nodes);
            fallback = ARENA_NEW(a, unsigned char, d->n_nodes);
            if (weight == NULL || fallback == NULL) return err_fail(err, ERR_NOMEM, "index");
            memcpy(weight, v->tree.weight, d->n_nodes * sizeof *weight);
            v->tree.weight = weight;
            v->fallback = fallback;
        }
        /* Groups stand after their children: what is below is weighed already. */
        TRY(composite_run(data, &v->tree, &d->spec, COMPOSITE_RAW, run, a, &r, err));
        gather_family(&f, v, r.stage[COMPOSITE_AGGREGATED], p);
        enum err_code rc = weigh_family(&f, group, a, found, &why);
        if (rc == ERR_NOMEM) return err_fail(err, rc, "index");
        fallback[p] = rc != ERR_OK || !take_weights(&f, found, p, weight);
    }
    return ERR_OK;
}
