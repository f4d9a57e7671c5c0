#include "domain/measure/index_change.h"

#include <math.h>
#include <string.h>

#include "num/composite/contribution.h"

enum { BEFORE, NOW, SIDES };
enum { NUMERATORS = 1, DENOMINATORS = 2, FORMULA = 4, MIXTURES = 8 };

struct side {
    const struct index_view *v;
    size_t n_nodes;
    const bool *there; /* n_leaves: it counts in the value */
    const int *other;  /* n_leaves: the same indicator in the other side, or -1 */
};
struct work {
    struct side of[SIDES];
    size_t area;
    struct arena *a;
    struct err *err;
    double *entered[SIDES]; /* by leaf */
    /* By leaf of either side, from mixtures with that side's formula. */
    double *part[SIDES][3];
    double total[3];
};

static enum err_code nomem(struct err *err) { return err_fail(err, ERR_NOMEM, "index"); }

static double at(const struct index_view *v, const double *matrix, size_t node, size_t area) {
    return matrix[node * v->n + area];
}

/* ---- which leaves count */

static bool counts(const struct index_view *v, size_t leaf, size_t area) {
    if (v->weight[leaf] == 0) return false;
    for (size_t k = leaf;; k = (size_t)v->def->node[k].parent) {
        if (isnan(at(v, v->value, k, area))) return false;
        if (v->def->node[k].parent < 0) return true;
        if (v->weight[k] == 0) return false;
    }
}

static int find_leaf(const struct index_def *d, const char *name) {
    for (size_t i = 0; i < d->n_leaves; i++)
        if (strcmp(d->node[i].name, name) == 0) return (int)i;
    return -1;
}

static enum err_code look_at(struct work *w, int which, const struct index_view *v) {
    struct side *s = &w->of[which];
    size_t n = v->def->n_leaves;
    bool *there = ARENA_NEW(w->a, bool, n + 1);
    if (there == NULL) return nomem(w->err);
    for (size_t i = 0; i < n; i++) there[i] = counts(v, i, w->area);
    *s = (struct side){.v = v, .n_nodes = v->def->n_nodes, .there = there};
    w->entered[which] = ARENA_NEW(w->a, double, n + 1);
    for (int f = 0; f < 3; f++) w->part[which][f] = ARENA_NEW(w->a, double, n + 1);
    return w->entered[which] == NULL || w->part[which][0] == NULL || w->part[which][1] == NULL ||
                   w->part[which][2] == NULL
               ? nomem(w->err)
               : ERR_OK;
}

static enum err_code pair_up(struct work *w) {
    for (int which = 0; which < SIDES; which++) {
        struct side *s = &w->of[which];
        const struct side *t = &w->of[1 - which];
        int *other = ARENA_NEW(w->a, int, s->v->def->n_leaves + 1);
        if (other == NULL) return nomem(w->err);
        for (size_t i = 0; i < s->v->def->n_leaves; i++) {
            int k = find_leaf(t->v->def, s->v->def->node[i].name);
            other[i] = s->there[i] && k >= 0 && t->there[k] ? k : -1;
        }
        s->other = other;
    }
    return ERR_OK;
}

/* ---- one mixture */

static bool is_split(const struct indicator_def *d) {
    return d->measure == MEASURE_RATIO || d->measure == MEASURE_AGAINST;
}

/* The value of a leaf of a side with numerators and denominators of either. */
static double mixed_value(const struct work *w, int which, size_t leaf, unsigned mix) {
    const struct side *s = &w->of[which];
    size_t other = (size_t)s->other[leaf];
    const struct indicator_value *x[SIDES];
    for (int k = 0; k < SIDES; k++) {
        const struct index_view *v = w->of[k].v;
        x[k] = &v->raw[(k == which ? leaf : other) * v->n + w->area];
    }
    const struct indicator_value *num = x[(mix & NUMERATORS) != 0],
                                 *den = x[(mix & DENOMINATORS) != 0];
    bool split = is_split(s->v->def->node[leaf].indicator);
    for (int k = 0; k < SIDES; k++)
        split = split && x[k]->denominator > 0 && !isnan(x[k]->numerator);
    if (!split || num == den) return num->value;
    return num->numerator / den->denominator * s->v->def->node[leaf].indicator->per;
}

/* Values of all nodes by the formula of a side; common: only leaves that count in both. */
static double *mixture(const struct work *w, unsigned mix, bool common, bool own) {
    int which = (mix & FORMULA) != 0;
    const struct side *s = &w->of[which];
    const struct index_view *v = s->v;
    double *value = ARENA_NEW(w->a, double, s->n_nodes);
    if (value == NULL) return NULL;
    for (size_t i = 0; i < v->def->n_leaves; i++) {
        bool in = common ? s->other[i] >= 0 : s->there[i];
        value[i] = !in   ? NAN
                   : own ? at(v, v->value, i, w->area)
                         : index_leaf_score(v, i, mixed_value(w, which, i, mix));
    }
    index_means(&v->tree, v->weight, &v->def->spec.aggregate, NULL, 1, value);
    return value;
}

static double top(const struct work *w, unsigned mix, const double *value) {
    return value[w->of[(mix & FORMULA) != 0].n_nodes - 1];
}

/* What each leaf gives to a value of the side's formula, into out with a factor. */
static enum err_code add_parts(const struct work *w, unsigned mix, const double *value,
                               double factor, double *out) {
    const struct index_view *v = w->of[(mix & FORMULA) != 0].v;
    double *part = ARENA_NEW(w->a, double, v->def->n_nodes);
    if (part == NULL) return nomem(w->err);
    TRY(contribution_parts(&v->tree, v->weight, &v->def->spec.aggregate, value, 1, part, w->err));
    for (size_t i = 0; i < v->def->n_leaves; i++)
        if (!isnan(part[i])) out[i] += factor * part[i];
    return ERR_OK;
}

static enum err_code add_difference(const struct work *w, unsigned mix, const double *from,
                                    const double *to, double factor, double *out) {
    const struct index_view *v = w->of[(mix & FORMULA) != 0].v;
    double *part = ARENA_NEW(w->a, double, v->def->n_nodes);
    if (part == NULL) return nomem(w->err);
    TRY(contribution_difference(&v->tree, v->weight, &v->def->spec.aggregate, from, to, 1, part,
                                NULL, w->err));
    for (size_t i = 0; i < v->def->n_leaves; i++)
        if (!isnan(part[i])) out[i] += factor * part[i];
    return ERR_OK;
}

/* ---- the parts */

/* Orders in which exactly `earlier` of the other two factors change before. */
static double order_share(unsigned earlier) { return earlier == 1 ? 1.0 / 6 : 1.0 / 3; }

static unsigned ones(unsigned m) { return (m & 1) + (m >> 1 & 1) + (m >> 2 & 1); }

static enum err_code share_out(struct work *w) {
    double *value[MIXTURES];
    for (unsigned m = 0; m < MIXTURES; m++) {
        value[m] = mixture(w, m, true, false);
        if (value[m] == NULL) return nomem(w->err);
    }
    for (unsigned f = 0; f < 3; f++) {
        unsigned bit = 1u << f;
        for (unsigned m = 0; m < MIXTURES; m++) {
            if ((m & bit) != 0) continue;
            double share = order_share(ones(m));
            unsigned to = m | bit;
            int side = (m & FORMULA) != 0;
            w->total[f] += share * (top(w, to, value[to]) - top(w, m, value[m]));
            if (bit != FORMULA) {
                TRY(add_difference(w, m, value[m], value[to], share, w->part[side][f]));
                continue;
            }
            TRY(add_parts(w, m, value[m], -share, w->part[BEFORE][f]));
            TRY(add_parts(w, to, value[to], share, w->part[NOW][f]));
        }
    }
    return ERR_OK;
}

/* What leaving out the leaves that are in one side only does to that side's value. */
static enum err_code entering(struct work *w, int which, double sign, double *total) {
    unsigned mix = which == NOW ? MIXTURES - 1 : 0;
    const double *all = mixture(w, mix, false, true), *common = mixture(w, mix, true, true);
    if (all == NULL || common == NULL) return nomem(w->err);
    double without = top(w, mix, common);
    *total = sign * (top(w, mix, all) - (isnan(without) ? 0 : without));
    TRY(add_parts(w, mix, all, sign, w->entered[which]));
    if (isnan(without)) return ERR_OK;
    return add_parts(w, mix, common, -sign, w->entered[which]);
}

static enum err_code list_leaves(struct work *w, struct index_change *out) {
    const struct index_def *b = w->of[BEFORE].v->def, *n = w->of[NOW].v->def;
    struct index_change_leaf *leaf =
        ARENA_NEW(w->a, struct index_change_leaf, b->n_leaves + n->n_leaves);
    if (leaf == NULL) return nomem(w->err);
    for (size_t i = 0; i < n->n_leaves; i++)
        leaf[out->n++] =
            (struct index_change_leaf){&n->node[i], w->part[NOW][0][i], w->part[NOW][1][i],
                                       w->part[NOW][2][i], w->entered[NOW][i]};
    for (size_t i = 0; i < b->n_leaves; i++) {
        int k = find_leaf(n, b->node[i].name);
        struct index_change_leaf *x = &leaf[k >= 0 ? (size_t)k : out->n++];
        if (k < 0) *x = (struct index_change_leaf){.node = &b->node[i]};
        x->indicator += w->part[BEFORE][0][i];
        x->denominator += w->part[BEFORE][1][i];
        x->formula += w->part[BEFORE][2][i];
        x->entered += w->entered[BEFORE][i];
    }
    out->leaf = leaf;
    return ERR_OK;
}

enum err_code index_change_of(const struct index_view *before, const struct index_view *now,
                              size_t area, double published, struct arena *a,
                              struct index_change *out, struct err *err) {
    struct work w = {.area = area, .a = a, .err = err};
    double from = at(before, before->value, before->def->n_nodes - 1, area);
    double to = at(now, now->value, now->def->n_nodes - 1, area);
    *out = (struct index_change){.from = isnan(published) ? from : published,
                                 .to = to,
                                 .restatement = NAN,
                                 .fell_out = NAN,
                                 .came_in = NAN,
                                 .indicator = NAN,
                                 .denominator = NAN,
                                 .formula = NAN};
    if (isnan(from) || isnan(to)) return ERR_OK;
    TRY(look_at(&w, BEFORE, before));
    TRY(look_at(&w, NOW, now));
    TRY(pair_up(&w));
    bool common = false;
    for (size_t i = 0; i < now->def->n_leaves; i++) common = common || w.of[NOW].other[i] >= 0;
    TRY(entering(&w, BEFORE, -1, &out->fell_out));
    TRY(entering(&w, NOW, 1, &out->came_in));
    if (common) TRY(share_out(&w));
    out->told = true;
    out->restatement = from - out->from;
    out->indicator = w.total[0];
    out->denominator = w.total[1];
    out->formula = w.total[2];
    return list_leaves(&w, out);
}
