#include <math.h>
#include <string.h>

#include "num/composite/stages.h"
#include "num/composite/weigh.h"

struct weighing {
    const struct composite_plan *p;
    const struct composite_layer *l;
    const struct composite_weighting *w;
    const struct composite_aggregate *agg;
    double *weight; /* n_node */
    struct composite_ahp_told *told;
    double *scratch, *node; /* of composite_evaluate */
    const double **rows;    /* n_node: of the siblings at hand */
    const char **name;
    double *found, *work; /* n_node each */
    uint32_t *id;         /* n_node */
};

static const double *row_of(const struct weighing *w, uint32_t id) {
    size_t n_ind = w->p->tree->n_ind, n = w->p->n_area;
    return id < n_ind ? w->l->value + id * n : w->node + (id - n_ind) * n;
}

static enum err_code evaluate(const struct weighing *w, struct err *err) {
    struct composite_draw d = {.layer = w->l, .weight = w->weight, .aggregate = w->agg};
    return composite_evaluate(w->p, &d, w->scratch, w->node, NULL, err);
}

/* ---- optimised to importances ---- */

void composite_importances(const struct composite_plan *p, const struct composite_layer *l,
                           const double *node, size_t level, double *out) {
    const struct composite_tree *t = p->tree;
    const double *index = node + (t->n_node - t->n_ind - 1) * p->n_area;
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < t->n_node; i++) {
        if (t->level[i] != level) continue;
        const double *row =
            i < t->n_ind ? l->value + i * p->n_area : node + (i - t->n_ind) * p->n_area;
        out[n] = composite_correlation(row, index, p->n_area);
        if (!isnan(out[n])) sum += out[n];
        n++;
    }
    for (size_t k = 0; k < n; k++) out[k] /= sum;
}

/* Targets over the kept nodes of a level, in node order; they sum to 1. */
static size_t targets(const struct composite_tree *t, const struct composite_weighting *w,
                      const double *weight, size_t level, double *out) {
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < t->n_node; i++) {
        if (t->level[i] != level) continue;
        out[n] = weight != NULL && weight[i] == 0 ? NAN
                 : w->importance != NULL          ? w->importance[i]
                                                  : t->weight[i];
        if (!isnan(out[n])) sum += out[n];
        n++;
    }
    for (size_t k = 0; k < n; k++) out[k] /= sum;
    return n;
}

static double miss(const double *asked, const double *got, size_t n) {
    double worst = 0;
    for (size_t k = 0; k < n; k++) {
        if (isnan(asked[k])) continue;
        worst = fmax(worst, isnan(got[k]) ? 1 : fabs(asked[k] - got[k]));
    }
    return worst;
}

double composite_importance_miss(const struct composite_plan *p, const struct composite_layer *l,
                                 const struct composite_weighting *w, const double *node,
                                 double *work) {
    double worst = 0;
    for (size_t level = 1; level < p->tree->n_level; level++) {
        if (w->level[level - 1] != COMPOSITE_WEIGHT_OPTIMISED) continue;
        double *asked = work, *got = work + p->tree->n_node;
        size_t n = targets(p->tree, w, NULL, level, asked);
        composite_importances(p, l, node, level, got);
        for (size_t k = 0; k < n; k++) { /* a node that was dropped has no correlation */
            if (isnan(got[k])) asked[k] = NAN;
        }
        worst = fmax(worst, miss(asked, got, n));
    }
    return worst;
}

static void scale_siblings(const struct composite_tree *t, size_t level, double *weight) {
    for (size_t up = t->n_ind; up < t->n_node; up++) {
        double sum = 0;
        for (uint32_t c = t->first[up]; c < t->first[up + 1]; c++) sum += weight[t->child[c]];
        for (uint32_t c = t->first[up]; c < t->first[up + 1]; c++) {
            if (t->level[t->child[c]] == level && sum > 0) weight[t->child[c]] /= sum;
        }
    }
}

/* A step multiplies each weight by (asked / got)^power; a step that does not bring the importances
 * nearer is taken back and tried at half the power. */
static enum err_code optimise_level(struct weighing *w, size_t level, struct err *err) {
    const struct composite_tree *t = w->p->tree;
    double *asked = w->found, *got = w->work, *best = w->work + t->n_node;
    double power = 1, best_miss = INFINITY;
    size_t n = targets(t, w->w, w->weight, level, asked);
    memcpy(best, w->weight, t->n_node * sizeof *best);
    for (unsigned step = 0; step < 400 && power > 1e-4 && best_miss > 1e-12; step++) {
        scale_siblings(t, level, w->weight);
        TRY(evaluate(w, err));
        composite_importances(w->p, w->l, w->node, level, w->work + 2 * t->n_node);
        double now = miss(asked, w->work + 2 * t->n_node, n);
        if (now < best_miss) {
            best_miss = now;
            memcpy(best, w->weight, t->n_node * sizeof *best);
            memcpy(got, w->work + 2 * t->n_node, n * sizeof *got);
            power = fmin(power * 1.25, 8);
        } else {
            power /= 2;
        }
        for (size_t i = 0, k = 0; i < t->n_node; i++) {
            if (t->level[i] != level) continue;
            double ratio = asked[k] / fmax(got[k], 1e-3);
            w->weight[i] = isnan(asked[k]) ? 0 : best[i] * fmin(fmax(pow(ratio, power), 0.1), 10);
            k++;
        }
    }
    memcpy(w->weight, best, t->n_node * sizeof *best);
    return ERR_OK;
}

/* ---- one family ---- */

static enum err_code judge(struct weighing *w, uint32_t parent, struct err *err) {
    const struct composite_tree *t = w->p->tree;
    uint32_t first = t->first[parent], n = t->first[parent + 1] - first;
    for (size_t k = 0; k < w->w->n_ahp; k++) {
        struct composite_ahp_told told = {.parent = parent};
        if (w->w->ahp[k].parent != parent) continue;
        if (composite_weigh_ahp(w->w->ahp[k].matrix, n, w->w->ahp_geometric, w->found, &told,
                                err) != ERR_OK)
            return err == NULL ? ERR_INVALID : err->code;
        for (uint32_t c = 0; c < n; c++) {
            uint32_t id = t->child[first + c];
            if (w->weight[id] != 0) w->weight[id] = w->found[c];
        }
        if (w->told != NULL) w->told[k] = told;
        return ERR_OK;
    }
    return err_fail(err, ERR_INVALID, "%s: there is no pairwise comparison of what stands below it",
                    t->code[parent]);
}

static enum err_code weigh_family(struct weighing *w, uint32_t parent, size_t level,
                                  struct err *err) {
    const struct composite_tree *t = w->p->tree;
    enum composite_weight_kind kind = w->w->level[level - 1];
    size_t n = 0;
    for (uint32_t c = t->first[parent]; c < t->first[parent + 1]; c++) {
        uint32_t id = t->child[c];
        if (t->level[id] != level || w->weight[id] == 0) continue;
        w->id[n] = id;
        w->name[n] = t->code[id];
        w->rows[n++] = row_of(w, id);
    }
    if (n == 0) return ERR_OK;
    switch (kind) {
    case COMPOSITE_WEIGHT_EQUAL:
        for (size_t k = 0; k < n; k++) w->found[k] = 1;
        break;
    case COMPOSITE_WEIGHT_AHP:
        return judge(w, parent, err);
    case COMPOSITE_WEIGHT_ENTROPY:
        TRY(composite_weigh_entropy(w->rows, w->name, n, w->p->n_area, w->found, NULL, err));
        break;
    case COMPOSITE_WEIGHT_PCA_LOADINGS:
    case COMPOSITE_WEIGHT_PCA_VARIANCE:
        TRY(composite_weigh_pca(w->rows, w->name, n, w->p->n_area,
                                kind == COMPOSITE_WEIGHT_PCA_VARIANCE, w->w->pca_min_eigenvalue,
                                w->found, NULL, err));
        break;
    case COMPOSITE_WEIGHT_GIVEN:
    case COMPOSITE_WEIGHT_OPTIMISED:
        return ERR_OK;
    }
    for (size_t k = 0; k < n; k++) w->weight[w->id[k]] = w->found[k];
    return ERR_OK;
}

/* A node of which nothing was kept is left out like a dropped indicator. */
static void drop_empty(const struct composite_tree *t, double *weight) {
    for (size_t i = t->n_ind; i + 1 < t->n_node; i++) {
        bool any = false;
        for (uint32_t c = t->first[i]; c < t->first[i + 1]; c++)
            any = any || weight[t->child[c]] != 0;
        if (!any) weight[i] = 0;
    }
}

static enum err_code start(struct weighing *w, struct arena *a, struct err *err) {
    const struct composite_tree *t = w->p->tree;
    w->scratch = ARENA_NEW(a, double, composite_scratch(w->p));
    w->node = ARENA_NEW(a, double, (t->n_node - t->n_ind) * w->p->n_area);
    w->rows = ARENA_NEW(a, const double *, t->n_node);
    w->name = ARENA_NEW(a, const char *, t->n_node);
    w->found = ARENA_NEW(a, double, t->n_node);
    w->work = ARENA_NEW(a, double, 3 * t->n_node);
    w->id = ARENA_NEW(a, uint32_t, t->n_node);
    if (w->scratch == NULL || w->node == NULL || w->rows == NULL || w->name == NULL ||
        w->found == NULL || w->work == NULL || w->id == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for weights of %zu nodes", t->n_node);
    bool any = false;
    for (size_t i = 0; i < t->n_node; i++) {
        bool out = i < t->n_ind && w->l->dropped[i] != COMPOSITE_KEPT;
        /* A given weight of 0 leaves a node out under every method. */
        w->weight[i] = out ? 0 : t->weight[i];
        any = any || (i < t->n_ind && w->weight[i] != 0);
    }
    w->weight[t->n_node - 1] = 1;
    drop_empty(t, w->weight);
    if (!any) return err_fail(err, ERR_NUMERIC, "no indicator tells the areas apart: none is left");
    return ERR_OK;
}

enum err_code composite_weigh(const struct composite_plan *p, const struct composite_layer *l,
                              const struct composite_weighting *weights,
                              const struct composite_aggregate *aggregate, struct arena *a,
                              double *weight, struct composite_ahp_told *told, struct err *err) {
    const struct composite_tree *t = p->tree;
    struct weighing w = {
        .p = p, .l = l, .w = weights, .agg = aggregate, .weight = weight, .told = told};
    TRY(start(&w, a, err));
    for (size_t level = 1; level < t->n_level; level++) {
        enum composite_weight_kind kind = weights->level[level - 1];
        if (level > 1 &&
            (kind == COMPOSITE_WEIGHT_ENTROPY || kind == COMPOSITE_WEIGHT_PCA_LOADINGS ||
             kind == COMPOSITE_WEIGHT_PCA_VARIANCE))
            TRY(evaluate(&w, err));
        for (uint32_t up = (uint32_t)t->n_ind; up < t->n_node; up++)
            TRY(weigh_family(&w, up, level, err));
        if (kind == COMPOSITE_WEIGHT_OPTIMISED) TRY(optimise_level(&w, level, err));
        if (kind != COMPOSITE_WEIGHT_PCA_LOADINGS) scale_siblings(t, level, weight);
    }
    return ERR_OK;
}
