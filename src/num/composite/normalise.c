#include "num/composite/normalise.h"

#include <math.h>

/* ---- plan ---- */

static void row_moments(struct composite_plan *p, const double *x, size_t i, double *min,
                        double *max, double *mean, double *sd, uint32_t *n) {
    double lo = INFINITY, hi = -INFINITY, sum = 0, square = 0, rest = 0;
    uint32_t there = 0;
    for (size_t j = 0; j < p->n_area; j++) {
        if (isnan(x[j])) continue;
        lo = fmin(lo, x[j]);
        hi = fmax(hi, x[j]);
        sum += x[j];
        there++;
    }
    double m = there > 0 ? sum / there : NAN;
    for (size_t j = 0; j < p->n_area; j++) {
        if (isnan(x[j])) continue;
        square += (x[j] - m) * (x[j] - m);
        rest += x[j] - m;
    }
    /* The corrected two-pass form of the variance. */
    min[i] = there > 0 ? lo : NAN;
    max[i] = there > 0 ? hi : NAN;
    mean[i] = there > 0 ? m + rest / there : NAN;
    sd[i] = there > 1 ? sqrt((square - rest * rest / there) / (there - 1)) : NAN;
    n[i] = there;
}

struct plan_rows {
    double *directed, *unit, *z, *rank, *min, *max, *mean, *sd, *scratch;
    uint32_t *n_there, *order;
};

static void plan_row(struct composite_plan *p, const struct plan_rows *r, const double *treated,
                     size_t i) {
    size_t n = p->n_area;
    double *x = r->directed + i * n, *unit = r->unit + i * n, *z = r->z + i * n;
    double sign = p->tree->direction[i];
    for (size_t j = 0; j < n; j++) x[j] = sign * treated[i * n + j];
    row_moments(p, x, i, r->min, r->max, r->mean, r->sd, r->n_there);
    double lo = r->min[i], range = r->max[i] - lo;
    for (size_t j = 0; j < n; j++) {
        unit[j] = range > 0 ? (x[j] - lo) / range : NAN;
        z[j] = range > 0 ? (x[j] - r->mean[i]) / r->sd[i] : NAN;
    }
    /* Ascending rank, 1 the worst: the descending rank of the negative. */
    double *negative = r->scratch + 6 * n;
    for (size_t j = 0; j < n; j++) negative[j] = -x[j];
    composite_ranks(negative, n, NULL, 1, r->scratch, r->order);
    for (size_t j = 0; j < n; j++)
        r->rank[i * n + j] = r->order[j] == 0 ? (double)NAN : r->order[j];
}

static void plan_widths(struct composite_plan *p) {
    const struct composite_tree *t = p->tree;
    size_t width[COMPOSITE_MAX_LEVELS + 1] = {0};
    for (size_t i = t->n_ind; i < t->n_node; i++) {
        size_t children = t->first[i + 1] - t->first[i];
        size_t w = ++width[t->level[i]];
        if (children > p->max_children) p->max_children = children;
        if (w > p->max_width) p->max_width = w;
    }
}

enum err_code composite_plan_init(struct composite_plan *p, const struct composite_tree *tree,
                                  const double *treated, size_t n_area, const char *const *area,
                                  const uint32_t *period, const uint8_t *dropped, struct arena *a,
                                  struct err *err) {
    size_t m = tree->n_ind, cells = m * n_area;
    if (n_area == 0 || n_area >= COMPOSITE_NONE)
        return err_fail(err, ERR_INVALID, "%zu areas; expected at least one", n_area);
    struct plan_rows r = {.directed = ARENA_NEW(a, double, cells),
                          .unit = ARENA_NEW(a, double, cells),
                          .z = ARENA_NEW(a, double, cells),
                          .rank = ARENA_NEW(a, double, cells),
                          .min = ARENA_NEW(a, double, 4 * m),
                          .scratch = ARENA_NEW(a, double, 7 * n_area),
                          .n_there = ARENA_NEW(a, uint32_t, m),
                          .order = ARENA_NEW(a, uint32_t, n_area)};
    uint8_t *drop = ARENA_NEW(a, uint8_t, m);
    if (r.directed == NULL || r.unit == NULL || r.z == NULL || r.rank == NULL || r.min == NULL ||
        r.scratch == NULL || r.n_there == NULL || r.order == NULL || drop == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for %zu indicators of %zu areas", m, n_area);
    r.max = r.min + m;
    r.mean = r.max + m;
    r.sd = r.mean + m;
    *p = (struct composite_plan){.tree = tree,
                                 .n_area = n_area,
                                 .area = area,
                                 .directed = r.directed,
                                 .unit = r.unit,
                                 .z = r.z,
                                 .rank = r.rank,
                                 .min = r.min,
                                 .max = r.max,
                                 .mean = r.mean,
                                 .sd = r.sd,
                                 .n_there = r.n_there,
                                 .period = period,
                                 .n_period = 1,
                                 .dropped = drop};
    for (size_t j = 0; period != NULL && j < n_area; j++) {
        if (period[j] >= n_area)
            return err_fail(err, ERR_INVALID, "period %u of column %zu is out of range", period[j],
                            j);
        if (period[j] >= p->n_period) p->n_period = period[j] + 1;
    }
    for (size_t i = 0; i < m; i++) {
        plan_row(p, &r, treated, i);
        drop[i] = dropped == NULL ? COMPOSITE_KEPT : dropped[i];
        if (drop[i] == COMPOSITE_KEPT && r.n_there[i] == 0) drop[i] = COMPOSITE_DROPPED_EMPTY;
    }
    plan_widths(p);
    return ERR_OK;
}

/* ---- choices ---- */

static enum err_code check_bands(const struct composite_norm *n, struct err *err) {
    if (n->n_band < 2 || n->n_band > COMPOSITE_MAX_BANDS || n->score == NULL ||
        (n->cut == NULL && n->quantile == NULL))
        return err_fail(err, ERR_INVALID, "bands: expected 2 to %d classes with cuts or quantiles",
                        COMPOSITE_MAX_BANDS);
    for (size_t k = 0; n->cut == NULL && k + 1 < n->n_band; k++) {
        if (!(n->quantile[k] > 0 && n->quantile[k] < 1) ||
            (k > 0 && !(n->quantile[k] > n->quantile[k - 1])))
            return err_fail(err, ERR_INVALID, "bands: quantiles must rise between 0 and 1");
    }
    return ERR_OK;
}

static enum err_code check_norm(const struct composite_plan *p, const struct composite_norm *n,
                                struct err *err) {
    switch (n->kind) {
    case COMPOSITE_NORM_MIN_MAX:
    case COMPOSITE_NORM_PERCENTILE:
        if (!(n->low < n->high) || !isfinite(n->high - n->low))
            return err_fail(err, ERR_INVALID, "range %g to %g: expected a rising one", n->low,
                            n->high);
        return ERR_OK;
    case COMPOSITE_NORM_Z:
        if (!(n->sd > 0) || !isfinite(n->sd) || !isfinite(n->mean))
            return err_fail(err, ERR_INVALID, "z-scores: sd %g, expected above 0", n->sd);
        return ERR_OK;
    case COMPOSITE_NORM_DIST_REF:
        if (n->reference >= p->n_area)
            return err_fail(err, ERR_INVALID, "the reference area is not among those kept");
        return ERR_OK;
    case COMPOSITE_NORM_DIST_TARGET:
        if (n->target == NULL) return err_fail(err, ERR_INVALID, "there are no targets");
        return ERR_OK;
    case COMPOSITE_NORM_GOALPOSTS:
        if (n->goal_low == NULL || n->goal_high == NULL)
            return err_fail(err, ERR_INVALID, "there are no goalposts");
        return ERR_OK;
    case COMPOSITE_NORM_EXPONENTIAL:
        if (!(n->rate >= 0)) return err_fail(err, ERR_INVALID, "rate %g: above 0", n->rate);
        return ERR_OK;
    case COMPOSITE_NORM_BANDS:
        return check_bands(n, err);
    case COMPOSITE_NORM_RANK:
    case COMPOSITE_NORM_BORDA:
    case COMPOSITE_NORM_DIST_MAX:
    case COMPOSITE_NORM_FRACTION_MAX:
    case COMPOSITE_NORM_NONE:
        return ERR_OK;
    }
    return err_fail(err, ERR_INVALID, "there is no such normalisation (%d)", (int)n->kind);
}

enum err_code composite_normalise_check(const struct composite_plan *p,
                                        const struct composite_normalise *n, struct err *err) {
    if (n->n_norm == 0) return err_fail(err, ERR_INVALID, "no normalisation is chosen");
    for (size_t k = 0; k < n->n_norm; k++) TRY(check_norm(p, &n->norm[k], err));
    for (size_t i = 0; n->of != NULL && i < p->tree->n_ind; i++) {
        if (n->of[i] >= n->n_norm)
            return err_fail(err, ERR_INVALID, "%s: there is no normalisation %d", p->tree->code[i],
                            (int)n->of[i]);
    }
    return ERR_OK;
}

/* ---- one indicator ---- */

static void affine(const double *x, size_t n, double offset, double slope, double *out) {
    size_t j = 0;
    for (; j + 8 <= n; j += 8) {
        for (size_t k = 0; k < 8; k++) out[j + k] = offset + slope * x[j + k];
    }
    for (; j < n; j++) out[j] = offset + slope * x[j];
}

static void cap_row(double *out, size_t n, double low, double high) {
    for (size_t j = 0; j < n; j++) {
        if (out[j] < low) out[j] = low;
        if (out[j] > high) out[j] = high;
    }
}

static enum err_code towards(const struct composite_plan *p, const struct composite_norm *n,
                             size_t i, double goal, const char *what, double *out,
                             struct err *err) {
    const double *x = p->directed + i * p->n_area;
    double span = goal - p->min[i];
    if (isnan(goal))
        return err_fail(err, ERR_NUMERIC, "%s: there is no %s", p->tree->code[i], what);
    if (!(span > 0))
        return err_fail(err, ERR_NUMERIC, "%s: the %s is not better than the worst value",
                        p->tree->code[i], what);
    for (size_t j = 0; j < p->n_area; j++) out[j] = (x[j] - p->min[i]) / span;
    if (n->cap) cap_row(out, p->n_area, -INFINITY, 1);
    return ERR_OK;
}

static enum err_code fraction_of_max(const struct composite_plan *p, size_t i, double *out,
                                     struct err *err) {
    const double *x = p->directed + i * p->n_area;
    bool more = p->tree->direction[i] > 0;
    for (size_t j = 0; j < p->n_area; j++) {
        if (x[j] * p->tree->direction[i] <= 0)
            return err_fail(err, ERR_NUMERIC, "%s, %s: share of the best needs values above 0",
                            p->tree->code[i], p->area == NULL ? "an area" : p->area[j]);
        out[j] = more ? x[j] / p->max[i] : p->max[i] / x[j];
    }
    return ERR_OK;
}

static enum err_code goalposts(const struct composite_plan *p, const struct composite_norm *n,
                               size_t i, double *out, struct err *err) {
    const double *x = p->directed + i * p->n_area;
    double low = n->goal_low[i], high = n->goal_high[i];
    double scale = n->goal_scale == NULL ? 1 : n->goal_scale[i];
    if (isnan(low) || isnan(high))
        return err_fail(err, ERR_NUMERIC, "%s: there are no goalposts", p->tree->code[i]);
    if (!(low < high) || !(scale > 0))
        return err_fail(err, ERR_NUMERIC, "%s: goalposts %g and %g with scale %g do not rise",
                        p->tree->code[i], low, high, scale);
    /* The directed worst end: high of an indicator where less is better. */
    double worst = p->tree->direction[i] > 0 ? low : -high;
    for (size_t j = 0; j < p->n_area; j++) out[j] = (x[j] - worst) / (high - low) * scale;
    if (n->cap) cap_row(out, p->n_area, 0, scale);
    return ERR_OK;
}

/* The k-th smallest (1-based) by ranks with ties at their least: no sort is needed. */
static double order_statistic(const struct composite_plan *p, size_t i, double k) {
    const double *x = p->directed + i * p->n_area, *rank = p->rank + i * p->n_area;
    double best = -INFINITY;
    for (size_t j = 0; j < p->n_area; j++) {
        if (rank[j] <= k && x[j] > best) best = x[j];
    }
    return best;
}

static enum err_code bands(const struct composite_plan *p, const struct composite_norm *n, size_t i,
                           double *out, struct err *err) {
    const double *x = p->directed + i * p->n_area;
    double cut[COMPOSITE_MAX_BANDS];
    size_t n_cut = n->n_band - 1;
    for (size_t k = 0; k < n_cut; k++) {
        if (n->cut != NULL) {
            cut[k] = p->tree->direction[i] > 0 ? n->cut[i * n_cut + k]
                                               : -n->cut[i * n_cut + (n_cut - 1 - k)];
        } else {
            double h = (p->n_there[i] - 1) * n->quantile[k], low = floor(h);
            double a = order_statistic(p, i, low + 1);
            double b = h > low ? order_statistic(p, i, low + 2) : a;
            cut[k] = a + (h - low) * (b - a);
        }
        if (isnan(cut[k]) || (k > 0 && cut[k] < cut[k - 1]))
            return err_fail(err, ERR_NUMERIC, "%s: the cuts of its bands do not rise",
                            p->tree->code[i]);
    }
    for (size_t j = 0; j < p->n_area; j++) {
        size_t k = 0;
        while (k < n_cut && x[j] >= cut[k]) k++;
        out[j] = isnan(x[j]) ? NAN : n->score[k];
    }
    return ERR_OK;
}

static void exponential(const struct composite_plan *p, double rate, size_t i, double *out) {
    const double *rank = p->rank + i * p->n_area;
    double r = rate > 0 ? rate : 23, share = -expm1(-100 / r);
    for (size_t j = 0; j < p->n_area; j++) out[j] = -r * log1p(-rank[j] / p->n_there[i] * share);
}

static bool needs_spread(enum composite_norm_kind k) {
    return k != COMPOSITE_NORM_GOALPOSTS && k != COMPOSITE_NORM_BANDS &&
           k != COMPOSITE_NORM_FRACTION_MAX && k != COMPOSITE_NORM_NONE;
}

enum err_code composite_normalise_row(const struct composite_plan *p,
                                      const struct composite_norm *n, size_t i, double *out,
                                      uint8_t *drop, struct err *err) {
    size_t area = p->n_area, at = i * area;
    *drop = p->dropped[i];
    if (*drop == COMPOSITE_KEPT && needs_spread(n->kind) && !(p->max[i] > p->min[i]))
        *drop = COMPOSITE_DROPPED_CONSTANT;
    if (*drop != COMPOSITE_KEPT) {
        for (size_t j = 0; j < area; j++) out[j] = NAN;
        return ERR_OK;
    }
    switch (n->kind) {
    case COMPOSITE_NORM_MIN_MAX:
        affine(p->unit + at, area, n->low, n->high - n->low, out);
        break;
    case COMPOSITE_NORM_Z:
        affine(p->z + at, area, n->mean, n->sd, out);
        break;
    case COMPOSITE_NORM_RANK:
        affine(p->rank + at, area, 0, 1, out);
        break;
    case COMPOSITE_NORM_BORDA:
        affine(p->rank + at, area, -1, 1, out);
        break;
    case COMPOSITE_NORM_PERCENTILE: {
        double step = (n->high - n->low) / (p->n_there[i] - 1);
        affine(p->rank + at, area, n->low - step, step, out);
        break;
    }
    case COMPOSITE_NORM_DIST_MAX:
        affine(p->unit + at, area, 0, 1, out);
        break;
    case COMPOSITE_NORM_DIST_REF:
        return towards(p, n, i, p->directed[at + n->reference], "reference value", out, err);
    case COMPOSITE_NORM_DIST_TARGET:
        return towards(p, n, i, p->tree->direction[i] * n->target[i], "target", out, err);
    case COMPOSITE_NORM_FRACTION_MAX:
        return fraction_of_max(p, i, out, err);
    case COMPOSITE_NORM_GOALPOSTS:
        return goalposts(p, n, i, out, err);
    case COMPOSITE_NORM_BANDS:
        return bands(p, n, i, out, err);
    case COMPOSITE_NORM_EXPONENTIAL:
        exponential(p, n->rate, i, out);
        break;
    case COMPOSITE_NORM_NONE:
        affine(p->directed + at, area, 0, 1, out);
        break;
    }
    return ERR_OK;
}

/* ---- layer ---- */

static void layer_means(double *log_to, double *inverse_to, const double *v, size_t n) {
    for (size_t j = 0; j < n; j++) {
        log_to[j] = isnan(v[j]) ? NAN : v[j] > 0 ? log(v[j]) : -INFINITY;
        inverse_to[j] = isnan(v[j]) ? NAN : v[j] > 0 ? 1 / v[j] : INFINITY;
    }
}

enum err_code composite_layer_init(struct composite_layer *l, const struct composite_plan *p,
                                   const struct composite_normalise *n, bool means, struct arena *a,
                                   struct err *err) {
    size_t m = p->tree->n_ind, cells = m * p->n_area;
    TRY(composite_normalise_check(p, n, err));
    double *value = ARENA_NEW(a, double, cells);
    double *log_rows = means ? ARENA_NEW(a, double, cells) : NULL;
    double *inverse = means ? ARENA_NEW(a, double, cells) : NULL;
    uint8_t *gaps = ARENA_NEW(a, uint8_t, m), *dropped = ARENA_NEW(a, uint8_t, m);
    if (value == NULL || gaps == NULL || dropped == NULL ||
        (means && (log_rows == NULL || inverse == NULL)))
        return err_fail(err, ERR_NOMEM, "no memory for %zu normalised values", cells);
    for (size_t i = 0; i < m; i++) {
        const struct composite_norm *norm = &n->norm[n->of == NULL ? 0 : n->of[i]];
        double *row = value + i * p->n_area;
        TRY(composite_normalise_row(p, norm, i, row, &dropped[i], err));
        gaps[i] = p->n_there[i] < p->n_area || dropped[i] != COMPOSITE_KEPT;
        if (means) layer_means(log_rows + i * p->n_area, inverse + i * p->n_area, row, p->n_area);
    }
    *l = (struct composite_layer){
        .value = value, .log = log_rows, .inverse = inverse, .gaps = gaps, .dropped = dropped};
    return ERR_OK;
}
