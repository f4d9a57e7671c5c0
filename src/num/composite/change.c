#include "num/composite/change.h"

#include <math.h>
#include <string.h>

#include "num/composite/contribution.h"

static const char *const names[CHANGE_FACTORS] = {"indicators", "denominators", "normalisation",
                                                  "weights"};
const char *change_name(enum change_factor f) { return names[f]; }

enum { MIXTURES = 1 << CHANGE_FACTORS };

/* y = slope x + shift, cut to [low, high]. */
struct yardstick {
    double slope, shift, low, high;
};
struct period {
    const struct change_side *side;
    struct composite_result r;
    struct yardstick *stick; /* n_ind */
    const double *weight;    /* n_node */
};
struct work {
    struct period of[2];
    const struct num_run *run;
    struct arena *a;
    size_t n_area, n_ind, n_node;
    const double *treated[4]; /* [values + 2 denominators]: n_ind x n_area */
    struct composite_plan plan[4];
    double *value[MIXTURES]; /* n_node x n_area */
    double *scratch;
};

static enum err_code no_memory(struct err *err) {
    return err_fail(err, ERR_NOMEM, "no memory for taking a change apart");
}

/* ---- the yardsticks ---- */

static double measured(const struct yardstick *y, double x) {
    double v = y->slope * x + y->shift;
    return v < y->low ? y->low : v > y->high ? y->high : v;
}

static struct yardstick goalposts(const struct composite_norm *n, size_t i, int direction) {
    double width = n->goal_high[i] - n->goal_low[i];
    double scale = n->goal_scale == NULL ? 1.0 : n->goal_scale[i];
    struct yardstick y = {.low = n->cap ? 0.0 : -INFINITY, .high = n->cap ? scale : INFINITY};
    y.slope = direction * scale / width;
    y.shift = direction > 0 ? -scale * n->goal_low[i] / width : scale * n->goal_high[i] / width;
    return y;
}

/* The straight line through the extremes of what came out. */
static struct yardstick line(const double *x, const double *y, size_t n) {
    size_t low = n, high = n;
    for (size_t j = 0; j < n; j++) {
        if (isnan(x[j]) || isnan(y[j])) continue;
        low = low == n || x[j] < x[low] ? j : low;
        high = high == n || x[j] > x[high] ? j : high;
    }
    struct yardstick s = {.low = -INFINITY, .high = INFINITY};
    if (low == n || !(x[high] > x[low])) return s;
    s.slope = (y[high] - y[low]) / (x[high] - x[low]);
    s.shift = y[low] - s.slope * x[low];
    return s;
}

static bool reproduces(const struct yardstick *s, const double *x, const double *y, size_t n) {
    double most = 0;
    for (size_t j = 0; j < n; j++) most = !isnan(y[j]) && fabs(y[j]) > most ? fabs(y[j]) : most;
    for (size_t j = 0; j < n; j++) {
        if (isnan(x[j]) != isnan(y[j])) return false;
        if (!isnan(y[j]) && fabs(measured(s, x[j]) - y[j]) > 1e-9 * most) return false;
    }
    return true;
}

static enum err_code find_yardsticks(struct work *w, struct period *p, struct err *err) {
    const struct composite_tree *t = p->side->tree;
    const struct composite_normalise *norm = &p->side->spec->normalise;
    size_t n = p->r.n_area[COMPOSITE_NORMALISED];
    p->stick = ARENA_NEW(w->a, struct yardstick, w->n_ind);
    if (p->stick == NULL) return no_memory(err);
    for (size_t i = 0; i < w->n_ind; i++) {
        const double *x = p->r.stage[COMPOSITE_TREATED] + i * n;
        const double *y = p->r.stage[COMPOSITE_NORMALISED] + i * n;
        const struct composite_norm *m = &norm->norm[norm->of == NULL ? 0 : norm->of[i]];
        if (p->r.dropped[i] != COMPOSITE_KEPT) continue;
        p->stick[i] =
            m->kind == COMPOSITE_NORM_GOALPOSTS ? goalposts(m, i, t->direction[i]) : line(x, y, n);
        if (!reproduces(&p->stick[i], x, y, n))
            return err_fail(err, ERR_INVALID,
                            "%s: its normalisation has no yardstick that could be kept while the "
                            "values change; a change has parts under min-max, z-scores, distances "
                            "and goalposts",
                            t->code[i]);
    }
    return ERR_OK;
}

/* ---- the mixtures ---- */

/* Treated values in the columns of the data; areas that were screened out are missing. */
static const double *spread(struct work *w, const struct composite_result *r) {
    const uint32_t *area = r->area[COMPOSITE_TREATED];
    size_t n = r->n_area[COMPOSITE_TREATED];
    if (area == NULL && n == w->n_area) return r->stage[COMPOSITE_TREATED];
    double *out = ARENA_NEW(w->a, double, w->n_ind * w->n_area);
    if (out == NULL) return NULL;
    for (size_t i = 0; i < w->n_ind * w->n_area; i++) out[i] = NAN;
    for (size_t i = 0; i < w->n_ind; i++)
        for (size_t j = 0; j < n; j++)
            out[i * w->n_area + (area == NULL ? j : area[j])] =
                r->stage[COMPOSITE_TREATED][i * n + j];
    return out;
}

/* One period's values over the other's denominators; kept below its own full run. */
static enum err_code treat_mixture(struct work *w, size_t values, size_t denominators,
                                   struct err *err) {
    const struct change_side *side = w->of[values].side;
    struct composite_data data = *side->data;
    const struct composite_data *other = w->of[denominators].side->data;
    struct composite_result r = w->of[values].r;
    size_t k = values + 2 * denominators;
    if (values != denominators) {
        static const struct composite_norm plain = {
            .kind = COMPOSITE_NORM_MIN_MAX, .low = 0, .high = 1};
        struct composite_spec spec = *side->spec;
        data.denominator = other->denominator;
        data.n_denominator = other->n_denominator;
        data.denominator_of = other->denominator_of;
        data.denominator_scale = other->denominator_scale;
        /* What comes after treatment is not used. */
        spec.normalise = (struct composite_normalise){.n_norm = 1, .norm = &plain};
        memset(&spec.weights, 0, sizeof spec.weights);
        memset(&spec.aggregate, 0, sizeof spec.aggregate);
        memset(&r, 0, sizeof r);
        TRY(composite_run(&data, side->tree, &spec, COMPOSITE_RAW, w->run, w->a, &r, err));
    }
    w->treated[k] = spread(w, &r);
    if (w->treated[k] == NULL) return no_memory(err);
    return composite_plan_init(&w->plan[k], side->tree, w->treated[k], w->n_area, data.area, NULL,
                               NULL, w->a, err);
}

static enum err_code evaluate_mixture(struct work *w, size_t m, struct err *err) {
    size_t data = m & 3, n = w->n_area;
    const struct period *norm = &w->of[m >> CHANGE_NORMALISATION & 1];
    const struct period *weights = &w->of[m >> CHANGE_WEIGHTS & 1];
    uint8_t *gaps = ARENA_NEW(w->a, uint8_t, w->n_ind);
    if (gaps == NULL) return no_memory(err);
    double *value = w->value[m];
    for (size_t i = 0; i < w->n_ind; i++) {
        bool kept = norm->r.dropped[i] == COMPOSITE_KEPT;
        for (size_t j = 0; j < n; j++) {
            double x = w->treated[data][i * n + j];
            value[i * n + j] = kept && !isnan(x) ? measured(&norm->stick[i], x) : NAN;
            gaps[i] = gaps[i] || isnan(value[i * n + j]);
        }
    }
    struct composite_layer layer = {.value = value, .gaps = gaps, .dropped = norm->r.dropped};
    struct composite_draw draw = {
        .layer = &layer, .weight = weights->weight, .aggregate = &weights->side->spec->aggregate};
    return composite_evaluate(&w->plan[data], &draw, w->scratch, value + w->n_ind * n, NULL, err);
}

/* ---- the parts ---- */

/* Orders in which exactly `before` of the other three factors change earlier, as a share. */
static double order_share(size_t before) { return before == 0 || before == 3 ? 0.25 : 1.0 / 12.0; }

static size_t ones(size_t m) { return (m & 1) + (m >> 1 & 1) + (m >> 2 & 1) + (m >> 3 & 1); }

static enum err_code part_of(struct work *w, size_t f, struct change_result *out, struct err *err) {
    size_t n = w->n_area, top = (w->n_node - 1) * n, bit = (size_t)1 << f;
    double *part = ARENA_NEW(w->a, double, n), *nodes = NULL, *one = NULL;
    bool by_node = f < CHANGE_WEIGHTS;
    for (size_t k = 0; k < 2; k++)
        by_node = by_node && contribution_difference_possible(&w->of[k].side->spec->aggregate,
                                                              w->of[k].side->tree->n_level);
    if (by_node) {
        nodes = ARENA_NEW(w->a, double, w->n_node *n);
        one = ARENA_NEW(w->a, double, w->n_node *n);
    }
    if (part == NULL || (by_node && (nodes == NULL || one == NULL))) return no_memory(err);
    for (size_t m = 0; m < MIXTURES; m++) {
        if ((m & bit) != 0) continue;
        double share = order_share(ones(m));
        const double *v0 = w->value[m], *v1 = w->value[m | bit];
        for (size_t j = 0; j < n; j++) part[j] += share * (v1[top + j] - v0[top + j]);
        if (!by_node) continue;
        const struct period *weights = &w->of[m >> CHANGE_WEIGHTS & 1];
        TRY(contribution_difference(weights->side->tree, weights->weight,
                                    &weights->side->spec->aggregate, v0, v1, n, one, NULL, err));
        for (size_t i = 0; i < w->n_node * n; i++) nodes[i] += share * one[i];
    }
    out->part[f] = part;
    if (by_node) out->by_node[f] = nodes;
    return ERR_OK;
}

static enum err_code check(const struct change_side *s, const struct change_side *t,
                           struct err *err) {
    if (s->data->n_area != t->data->n_area || s->tree->n_ind != t->tree->n_ind ||
        s->tree->n_node != t->tree->n_node)
        return err_fail(err, ERR_INVALID,
                        "the two periods have %zu and %zu areas, %zu and %zu nodes; expected the "
                        "same",
                        s->data->n_area, t->data->n_area, s->tree->n_node, t->tree->n_node);
    for (size_t i = 0; i + 1 < s->tree->n_node; i++) {
        if (s->tree->parent[i] != t->tree->parent[i])
            return err_fail(err, ERR_INVALID, "%s stands below another node in the other period",
                            s->tree->code[i]);
    }
    return ERR_OK;
}

static enum err_code run_period(struct work *w, size_t k, struct err *err) {
    struct period *p = &w->of[k];
    struct composite_data data = *p->side->data;
    data.period = NULL;
    TRY(composite_run(&data, p->side->tree, p->side->spec, COMPOSITE_RAW, w->run, w->a, &p->r,
                      err));
    p->weight = p->r.weight;
    return find_yardsticks(w, p, err);
}

static enum err_code run_all(struct work *w, struct err *err) {
    size_t scratch = 0;
    TRY(run_period(w, 0, err));
    TRY(run_period(w, 1, err));
    for (size_t i = 0; i < w->n_ind; i++) {
        bool kept0 = w->of[0].r.dropped[i] == COMPOSITE_KEPT;
        if (kept0 != (w->of[1].r.dropped[i] == COMPOSITE_KEPT))
            return err_fail(err, ERR_INVALID,
                            "%s is left out in one of the two periods (it is empty or never "
                            "varies); leave it out of both",
                            w->of[0].side->tree->code[i]);
    }
    for (size_t k = 0; k < 4; k++) {
        TRY(treat_mixture(w, k & 1, k >> 1, err));
        size_t need = composite_scratch(&w->plan[k]);
        scratch = need > scratch ? need : scratch;
    }
    w->scratch = ARENA_NEW(w->a, double, scratch);
    if (w->scratch == NULL) return no_memory(err);
    for (size_t m = 0; m < MIXTURES; m++) {
        w->value[m] = ARENA_NEW(w->a, double, w->n_node * w->n_area);
        if (w->value[m] == NULL) return no_memory(err);
        TRY(evaluate_mixture(w, m, err));
        if (num_run_stopped(w->run)) return err_fail(err, ERR_TIMEOUT, "stopped");
    }
    return ERR_OK;
}

enum err_code change_decompose(const struct change_side *before, const struct change_side *after,
                               const double *published, const struct num_run *run, struct arena *a,
                               struct change_result *out, struct err *err) {
    TRY(check(before, after, err));
    struct work w = {.of = {{.side = before}, {.side = after}},
                     .run = run,
                     .a = a,
                     .n_area = before->data->n_area,
                     .n_ind = before->tree->n_ind,
                     .n_node = before->tree->n_node};
    TRY(num_run_afford(run, 40.0 * sizeof(double) * (double)w.n_node * (double)w.n_area,
                       "taking a change apart", err));
    TRY(run_all(&w, err));
    size_t n = w.n_area, top = (w.n_node - 1) * n;
    *out = (struct change_result){.n_area = n, .n_node = w.n_node};
    double *restated = ARENA_NEW(a, double, n);
    if (restated == NULL) return no_memory(err);
    out->before = w.value[0] + top;
    out->after = w.value[MIXTURES - 1] + top;
    for (size_t j = 0; j < n; j++)
        restated[j] = published == NULL ? 0.0 : out->before[j] - published[j];
    out->restated = restated;
    for (size_t f = 0; f < CHANGE_FACTORS; f++) TRY(part_of(&w, f, out, err));
    return ERR_OK;
}
