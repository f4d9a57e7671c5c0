#include <math.h>
#include <string.h>

#include "study/composite/spec_inside.h"

/* ---- impute ---- */

static const char *const impute_words[] = {"none",       "mean",         "median",
                                           "group_mean", "group_median", "em",
                                           "panel_last", "panel_linear", NULL};

enum err_code index_read_impute(const struct index_reader *r, const struct val *v,
                                struct composite_impute *out, struct err *err) {
    static const char *const keys[] = {"method",   "then", "max_iterations", "tolerance", "max_gap",
                                       "together", NULL};
    int kind = COMPOSITE_IMPUTE_NONE, then = COMPOSITE_IMPUTE_NONE;
    double iterations = 0;
    *out = (struct composite_impute){0};
    TRY(spec_map(r, v, keys, err));
    TRY(spec_member_word(r, v, "method", impute_words, &kind, err));
    TRY(spec_member_word(r, v, "then", impute_words, &then, err));
    TRY(spec_number(r, v, "max_iterations", 1, 1e6, &iterations, err));
    TRY(spec_number(r, v, "tolerance", 1e-15, 1, &out->tolerance, err));
    TRY(spec_number(r, v, "max_gap", 0, 1e9, &out->max_gap, err));
    TRY(spec_bool(r, v, "together", &out->em_whole, err));
    out->kind = (enum composite_impute_kind)kind;
    out->then = (enum composite_impute_kind)then;
    out->max_iterations = (unsigned)iterations;
    return ERR_OK;
}

/* ---- treat ---- */

static const char *const treat_words[] = {"none",   "winsorise",   "log",     "log_shift",
                                          "log_ct", "log_ct_plus", "box_cox", NULL};

enum err_code index_read_treat(const struct index_reader *r, const struct val *v,
                               struct composite_treat *out, struct err *err) {
    static const char *const keys[] = {"method",   "otherwise",    "always",
                                       "max_skew", "max_kurtosis", "max_winsorised",
                                       "lambda",   "indicators",   NULL};
    int first = COMPOSITE_TREAT_NONE, second = COMPOSITE_TREAT_NONE;
    double most = 5;
    *out = (struct composite_treat){.max_skew = 2, .max_kurtosis = 3.5, .box_cox_lambda = NAN};
    TRY(spec_map(r, v, keys, err));
    TRY(spec_member_word(r, v, "method", treat_words, &first, err));
    TRY(spec_member_word(r, v, "otherwise", treat_words, &second, err));
    TRY(spec_bool(r, v, "always", &out->always, err));
    TRY(spec_number(r, v, "max_skew", 1e-6, 1e6, &out->max_skew, err));
    TRY(spec_number(r, v, "max_kurtosis", 1e-6, 1e6, &out->max_kurtosis, err));
    TRY(spec_number(r, v, "max_winsorised", 1, 1e6, &most, err));
    TRY(spec_number(r, v, "lambda", -10, 10, &out->box_cox_lambda, err));
    out->first = (enum composite_treat_kind)first;
    out->second = (enum composite_treat_kind)second;
    out->max_winsorised = (unsigned)most;
    const struct val *own = spec_member(v, "indicators");
    if (own == NULL) return ERR_OK;
    if (own->type != VAL_MAP)
        return index_spec_fail(r->name, own, err, "indicators: expected a map of codes");
    uint8_t *by = ARENA_NEW(r->a, uint8_t, r->frame->tree.n_ind);
    if (by == NULL) return spec_no_memory(r, err);
    for (size_t i = 0; i < r->frame->tree.n_ind; i++) by[i] = (uint8_t)first;
    for (size_t k = 0; k < own->n; k++) {
        size_t node;
        int kind = 0;
        TRY(spec_node(r, &own->u.map[k], true, &node, err));
        TRY(spec_word(r, &own->u.map[k].v, treat_words, &kind, err));
        by[node] = (uint8_t)kind;
    }
    out->by_indicator = by;
    return ERR_OK;
}

/* ---- normalise ---- */

static const char *const norm_words[] = {"min_max",
                                         "z",
                                         "rank",
                                         "percentile",
                                         "borda",
                                         "distance_to_max",
                                         "distance_to_reference",
                                         "distance_to_target",
                                         "fraction_of_max",
                                         "goalposts",
                                         "bands",
                                         "exponential",
                                         "none",
                                         NULL};

/* A value an indicator: a map of codes to numbers, or to lists of n numbers. Missing ones are NaN
 * (or `otherwise`). */
static enum err_code per_indicator(const struct index_reader *r, const struct val *v, size_t n,
                                   const double *otherwise, double *out, struct err *err) {
    size_t m = r->frame->tree.n_ind;
    for (size_t i = 0; i < m * n; i++) out[i] = otherwise == NULL ? (double)NAN : otherwise[i];
    if (v == NULL) return ERR_OK;
    if (v->type != VAL_MAP)
        return index_spec_fail(r->name, v, err, "expected a map of indicator codes");
    for (size_t k = 0; k < v->n; k++) {
        size_t node;
        const struct val *x = &v->u.map[k].v;
        TRY(spec_node(r, &v->u.map[k], true, &node, err));
        if (n == 1)
            TRY(spec_value(r, x, &out[node], err));
        else
            TRY(spec_numbers(r, x, n, &out[node * n], err));
    }
    return ERR_OK;
}

static enum err_code read_posts(const struct index_reader *r, const struct val *v,
                                struct composite_norm *n, struct err *err) {
    size_t m = r->frame->tree.n_ind;
    double *pair = ARENA_NEW(r->a, double, 2 * m), *post = ARENA_NEW(r->a, double, 3 * m);
    double scale = 100;
    const struct val *goals = spec_member(v, "goalposts");
    if (pair == NULL || post == NULL) return spec_no_memory(r, err);
    if (goals == NULL)
        return index_spec_fail(r->name, v, err, "goalposts: expected {CODE: [low, high], ...}");
    TRY(spec_number(r, v, "scale", 1e-9, 1e9, &scale, err));
    TRY(per_indicator(r, goals, 2, NULL, pair, err));
    for (size_t i = 0; i < m; i++) {
        post[i] = pair[2 * i];
        post[m + i] = pair[2 * i + 1];
        post[2 * m + i] = scale;
    }
    n->cap = true;
    n->goal_low = post;
    n->goal_high = post + m;
    n->goal_scale = post + 2 * m;
    return ERR_OK;
}

static enum err_code read_bands(const struct index_reader *r, const struct val *v,
                                struct composite_norm *n, struct err *err) {
    const struct val *scores = spec_member(v, "scores"), *cuts = spec_member(v, "cuts"),
                     *quantiles = spec_member(v, "quantiles");
    if (scores == NULL || scores->type != VAL_LIST || scores->n < 2 ||
        scores->n > COMPOSITE_MAX_BANDS)
        return index_spec_fail(r->name, scores == NULL ? v : scores, err,
                               "scores: expected a list of 2 to %d numbers, of the worst class "
                               "first",
                               COMPOSITE_MAX_BANDS);
    size_t n_cut = scores->n - 1, m = r->frame->tree.n_ind;
    double *score = ARENA_NEW(r->a, double, scores->n), *quantile = ARENA_NEW(r->a, double, n_cut);
    double *cut = ARENA_NEW(r->a, double, m *n_cut);
    if (score == NULL || quantile == NULL || cut == NULL) return spec_no_memory(r, err);
    TRY(spec_numbers(r, scores, scores->n, score, err));
    for (size_t k = 0; k < n_cut; k++) quantile[k] = (double)(k + 1) / (double)scores->n;
    if (quantiles != NULL) TRY(spec_numbers(r, quantiles, n_cut, quantile, err));
    if (cuts != NULL) TRY(per_indicator(r, cuts, n_cut, NULL, cut, err));
    n->n_band = scores->n;
    n->score = score;
    n->quantile = quantile;
    n->cut = cuts == NULL ? NULL : cut;
    return ERR_OK;
}

static enum err_code read_reference(const struct index_reader *r, const struct val *v,
                                    struct composite_norm *n, struct err *err) {
    const struct val *area = spec_member(v, "reference");
    if (area == NULL || area->type != VAL_STR)
        return index_spec_fail(r->name, area == NULL ? v : area, err,
                               "reference: expected the code of an area");
    for (size_t j = 0; r->data != NULL && j < r->data->data.n_area; j++) {
        if (strcmp(r->data->data.area[j], area->u.s) != 0) continue;
        n->reference = (uint32_t)j;
        return ERR_OK;
    }
    return index_spec_fail(r->name, area, err, "reference: there is no area \"%.60s\"", area->u.s);
}

static enum err_code read_targets(const struct index_reader *r, const struct val *v,
                                  struct composite_norm *n, struct err *err) {
    double *target = ARENA_NEW(r->a, double, r->frame->tree.n_ind);
    if (target == NULL) return spec_no_memory(r, err);
    n->target = target;
    return per_indicator(r, spec_member(v, "targets"), 1, r->frame->target, target, err);
}

static enum err_code read_range(const struct index_reader *r, const struct val *v,
                                struct composite_norm *n, struct err *err) {
    const struct val *range = spec_member(v, "range");
    double ends[2] = {0, 100};
    if (range != NULL) TRY(spec_numbers(r, range, 2, ends, err));
    if (!(ends[0] < ends[1]))
        return index_spec_fail(r->name, range, err, "range: expected [low, high], low first");
    n->low = ends[0];
    n->high = ends[1];
    return ERR_OK;
}

static enum err_code read_norm(const struct index_reader *r, const struct val *v, bool top,
                               struct composite_norm *n, struct err *err) {
    static const char *const keys[] = {
        "method", "range",  "mean",      "sd",   "reference", "cap",        "targets", "goalposts",
        "scale",  "scores", "quantiles", "cuts", "rate",      "indicators", NULL};
    static const char *const inner_keys[] = {
        "method",    "range", "mean",   "sd",        "reference", "cap",  "targets",
        "goalposts", "scale", "scores", "quantiles", "cuts",      "rate", NULL};
    int kind = COMPOSITE_NORM_MIN_MAX;
    *n = (struct composite_norm){.mean = 0, .sd = 1, .rate = 23};
    TRY(spec_map(r, v, top ? keys : inner_keys, err));
    TRY(spec_member_word(r, v, "method", norm_words, &kind, err));
    n->kind = (enum composite_norm_kind)kind;
    TRY(read_range(r, v, n, err));
    TRY(spec_number(r, v, "mean", -1e12, 1e12, &n->mean, err));
    TRY(spec_number(r, v, "sd", 1e-12, 1e12, &n->sd, err));
    TRY(spec_number(r, v, "rate", 1e-3, 1e6, &n->rate, err));
    TRY(spec_bool(r, v, "cap", &n->cap, err));
    switch (n->kind) {
    case COMPOSITE_NORM_GOALPOSTS:
        return read_posts(r, v, n, err);
    case COMPOSITE_NORM_BANDS:
        return read_bands(r, v, n, err);
    case COMPOSITE_NORM_DIST_REF:
        return read_reference(r, v, n, err);
    case COMPOSITE_NORM_DIST_TARGET:
        return read_targets(r, v, n, err);
    default:
        return ERR_OK;
    }
}

enum err_code index_read_normalise(const struct index_reader *r, const struct val *v,
                                   struct composite_normalise *out, struct err *err) {
    size_t m = r->frame->tree.n_ind;
    const struct val *own = v == NULL || v->type != VAL_MAP ? NULL : spec_member(v, "indicators");
    size_t n_own = own != NULL && own->type == VAL_MAP ? own->n : 0;
    if (n_own > 200)
        return index_spec_fail(r->name, own, err, "indicators: more than 200 own normalisations");
    struct composite_norm *norm = ARENA_NEW(r->a, struct composite_norm, n_own + 1);
    uint8_t *of = ARENA_NEW(r->a, uint8_t, m);
    if (norm == NULL || of == NULL) return spec_no_memory(r, err);
    TRY(read_norm(r, v, true, &norm[0], err));
    if (own != NULL && own->type != VAL_MAP)
        return index_spec_fail(r->name, own, err, "indicators: expected a map of codes");
    for (size_t k = 0; k < n_own; k++) {
        size_t node;
        TRY(spec_node(r, &own->u.map[k], true, &node, err));
        TRY(read_norm(r, &own->u.map[k].v, false, &norm[k + 1], err));
        of[node] = (uint8_t)(k + 1);
    }
    *out = (struct composite_normalise){.n_norm = n_own + 1, .norm = norm, .of = of};
    return ERR_OK;
}
