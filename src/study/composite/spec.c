#include <math.h>
#include <string.h>

#include "base/yaml.h"
#include "study/composite/spec_inside.h"

/* ---- weights ---- */

/* The last word is no method of weights but of scores: it makes the level benefit of the doubt. */
static const char *const weight_words[] = {"given",
                                           "equal",
                                           "ahp",
                                           "entropy",
                                           "pca_loadings",
                                           "pca_variance",
                                           "importance",
                                           "benefit_of_doubt",
                                           NULL};
enum { WEIGHT_DOUBT = 7 };

static enum err_code read_comparisons(const struct index_reader *r, const struct val *v,
                                      struct composite_weighting *out, struct err *err) {
    if (v == NULL) return ERR_OK;
    if (v->type != VAL_MAP)
        return index_spec_fail(r->name, v, err, "comparisons: expected a map of codes");
    if (r->n_level != r->frame->tree.n_level)
        return index_spec_fail(r->name, v, err, "comparisons: not together with flat");
    const struct composite_tree *t = &r->frame->tree;
    struct composite_ahp *ahp = ARENA_NEW(r->a, struct composite_ahp, v->n);
    if (ahp == NULL) return spec_no_memory(r, err);
    for (size_t k = 0; k < v->n; k++) {
        const struct val *rows = &v->u.map[k].v;
        size_t node, n;
        TRY(spec_node(r, &v->u.map[k], false, &node, err));
        n = t->first[node + 1] - t->first[node];
        if (n == 0)
            return index_spec_fail(r->name, rows, err, "%s: nothing stands below an indicator",
                                   t->code[node]);
        if (rows->type != VAL_LIST || rows->n != n)
            return index_spec_fail(r->name, rows, err,
                                   "%s: expected %zu rows of pairwise comparison, in the order of "
                                   "the framework",
                                   t->code[node], n);
        double *matrix = ARENA_NEW(r->a, double, n *n);
        if (matrix == NULL) return spec_no_memory(r, err);
        for (size_t i = 0; i < n; i++)
            TRY(spec_numbers(r, &rows->u.list[i], n, matrix + i * n, err));
        ahp[k] = (struct composite_ahp){.parent = (uint32_t)node, .matrix = matrix};
    }
    out->n_ahp = v->n;
    out->ahp = ahp;
    return ERR_OK;
}

static enum err_code read_importance(const struct index_reader *r, const struct val *v,
                                     struct composite_weighting *out, struct err *err) {
    if (v == NULL) return ERR_OK;
    const struct composite_tree *t = &r->frame->tree;
    double *importance = ARENA_NEW(r->a, double, t->n_node);
    if (importance == NULL) return spec_no_memory(r, err);
    if (v->type != VAL_MAP)
        return index_spec_fail(r->name, v, err, "importance: expected a map of codes");
    memcpy(importance, t->weight, t->n_node * sizeof *importance);
    for (size_t k = 0; k < v->n; k++) {
        size_t node;
        TRY(spec_node(r, &v->u.map[k], false, &node, err));
        TRY(spec_value(r, &v->u.map[k].v, &importance[node], err));
        if (!(importance[node] > 0))
            return index_spec_fail(r->name, &v->u.map[k].v, err, "%s: expected above 0",
                                   t->code[node]);
    }
    out->importance = importance;
    return ERR_OK;
}

/* One word for all levels, or a list from the indicators upwards. */
static enum err_code read_levels(const struct index_reader *r, const struct val *v,
                                 const char *const *words, int *kind, struct err *err) {
    const struct val *levels = spec_member(v, "levels");
    TRY(spec_member_word(r, v, "method", words, &kind[0], err));
    for (size_t k = 1; k < COMPOSITE_MAX_LEVELS; k++) kind[k] = kind[0];
    if (levels == NULL) return ERR_OK;
    size_t n = r->n_level - 1;
    if (levels->type != VAL_LIST || levels->n != n)
        return index_spec_fail(r->name, levels, err,
                               "levels: expected a list of %zu, from the indicators upwards", n);
    for (size_t k = 0; k < n; k++) TRY(spec_word(r, &levels->u.list[k], words, &kind[k], err));
    return ERR_OK;
}

enum err_code index_read_weights(const struct index_reader *r, const struct val *v,
                                 struct composite_weighting *out,
                                 struct composite_aggregate *aggregate, struct err *err) {
    static const char *const keys[] = {"method",     "levels",     "comparisons",
                                       "priorities", "importance", "min_eigenvalue",
                                       "min_share",  "max_share",  NULL};
    static const char *const priorities[] = {"eigenvector", "geometric_mean", NULL};
    int kind[COMPOSITE_MAX_LEVELS] = {0}, geometric = 0;
    double low = 0, high = 0;
    *out = (struct composite_weighting){0};
    TRY(spec_map(r, v, keys, err));
    TRY(read_levels(r, v, weight_words, kind, err));
    TRY(spec_member_word(r, v, "priorities", priorities, &geometric, err));
    TRY(spec_number(r, v, "min_eigenvalue", 1e-9, 1e6, &out->pca_min_eigenvalue, err));
    TRY(spec_number(r, v, "min_share", 0, 1, &low, err));
    TRY(spec_number(r, v, "max_share", 0, 1, &high, err));
    TRY(read_comparisons(r, spec_member(v, "comparisons"), out, err));
    TRY(read_importance(r, spec_member(v, "importance"), out, err));
    out->ahp_geometric = geometric == 1;
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) {
        out->level[k] =
            kind[k] == WEIGHT_DOUBT ? COMPOSITE_WEIGHT_EQUAL : (enum composite_weight_kind)kind[k];
        if (kind[k] != WEIGHT_DOUBT) continue;
        aggregate->level[k].kind = COMPOSITE_BOD_SCORE;
        aggregate->level[k].bod_min = low;
        aggregate->level[k].bod_max = high == 0 && low > 0 ? 1 : high;
    }
    return ERR_OK;
}

/* ---- aggregate ---- */

static const char *const agg_words[] = {"arithmetic",
                                        "geometric",
                                        "harmonic",
                                        "power",
                                        "mazziotta_pareto_plus",
                                        "mazziotta_pareto_minus",
                                        "copeland",
                                        "majority",
                                        "benefit_of_doubt",
                                        NULL};

/* A number for all levels, or a list from the indicators upwards. */
static enum err_code per_level(const struct index_reader *r, const struct val *map, const char *key,
                               double min, double max, double *out, struct err *err) {
    const struct val *v = spec_member(map, key);
    size_t n = r->n_level - 1;
    if (v == NULL) return ERR_OK;
    if (v->type == VAL_LIST) {
        TRY(spec_numbers(r, v, n, out, err));
    } else {
        TRY(spec_value(r, v, &out[0], err));
        for (size_t k = 1; k < COMPOSITE_MAX_LEVELS; k++) out[k] = out[0];
    }
    for (size_t k = 0; k < n; k++) {
        if (!(out[k] >= min && out[k] <= max))
            return index_spec_fail(r->name, v, err, "%s: expected %g to %g, found %g", key, min,
                                   max, out[k]);
    }
    return ERR_OK;
}

enum err_code index_read_aggregate(const struct index_reader *r, const struct val *v,
                                   struct composite_aggregate *out, struct err *err) {
    static const char *const keys[] = {"method",      "levels", "power", "min_share", "share_of",
                                       "exponential", "flat",   "ties",  NULL};
    static const char *const shares[] = {"number", "weight", NULL};
    static const char *const ties[] = {"exact", "rounded", NULL};
    int kind[COMPOSITE_MAX_LEVELS] = {0}, by_weight = 0, rounded = 0;
    double power[COMPOSITE_MAX_LEVELS], least[COMPOSITE_MAX_LEVELS] = {0},
                                        rate[COMPOSITE_MAX_LEVELS] = {0};
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) power[k] = 1;
    TRY(spec_map(r, v, keys, err));
    TRY(read_levels(r, v, agg_words, kind, err));
    TRY(per_level(r, v, "power", -100, 100, power, err));
    TRY(per_level(r, v, "min_share", 0, 1, least, err));
    TRY(per_level(r, v, "exponential", 0, 1e6, rate, err));
    TRY(spec_member_word(r, v, "share_of", shares, &by_weight, err));
    TRY(spec_member_word(r, v, "ties", ties, &rounded, err));
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) {
        out->level[k] = (struct composite_agg){.kind = (enum composite_agg_kind)kind[k],
                                               .power = power[k],
                                               .min_share = least[k],
                                               .by_weight = by_weight == 1,
                                               .exponential = rate[k],
                                               .rounded_ties = rounded == 1};
    }
    return ERR_OK;
}

/* ---- screen and the whole ---- */

static enum err_code read_screen(const struct index_reader *r, const struct val *v,
                                 struct composite_screen *out, struct err *err) {
    static const char *const keys[] = {
        "rule", "when", "min_share", "min_nonzero", "min_indicator_share", NULL};
    static const char *const rules[] = {"none", "missing", "zeros", "missing_or_zeros", NULL};
    static const char *const whens[] = {"before_imputation", "after_imputation", NULL};
    int rule = v == NULL ? COMPOSITE_SCREEN_NONE : COMPOSITE_SCREEN_MISSING, when = 0;
    TRY(spec_map(r, v, keys, err));
    TRY(spec_member_word(r, v, "rule", rules, &rule, err));
    TRY(spec_member_word(r, v, "when", whens, &when, err));
    *out = (struct composite_screen){.kind = (enum composite_screen_kind)rule,
                                     .before_impute = when == 0};
    TRY(spec_number(r, v, "min_share", 0, 1, &out->min_share, err));
    TRY(spec_number(r, v, "min_nonzero", 0, 1, &out->min_nonzero, err));
    return spec_number(r, v, "min_indicator_share", 0, 1, &out->min_indicator_share, err);
}

static enum err_code read_stages(const struct index_reader *r, const struct val *v,
                                 struct composite_spec *s, struct err *err) {
    TRY(spec_bool(r, v, "denominate", &s->denominate, err));
    TRY(index_read_impute(r, spec_member(v, "impute"), &s->impute, err));
    TRY(read_screen(r, spec_member(v, "screen"), &s->screen, err));
    TRY(index_read_treat(r, spec_member(v, "treat"), &s->treat, err));
    TRY(index_read_normalise(r, spec_member(v, "normalise"), &s->normalise, err));
    TRY(index_read_aggregate(r, spec_member(v, "aggregate"), &s->aggregate, err));
    return index_read_weights(r, spec_member(v, "weights"), &s->weights, &s->aggregate, err);
}

enum err_code index_spec_read(const struct val *v, const char *name, const struct index_frame *f,
                              const struct index_data *d, struct arena *a, struct index_spec *out,
                              struct err *err) {
    static const char *const keys[] = {"index",   "group",     "time",  "denominate",
                                       "impute",  "screen",    "treat", "normalise",
                                       "weights", "aggregate", "audit", NULL};
    struct index_reader r = {
        .name = name, .frame = f, .data = d, .a = a, .n_level = f->tree.n_level};
    double version = 1;
    *out = (struct index_spec){.name = name, .tree = v, .time = NAN};
    out->spec.denominate = true;
    TRY(spec_map(&r, v, keys, err));
    TRY(spec_number(&r, v, "index", 1, 1, &version, err));
    TRY(spec_number(&r, v, "time", -1e12, 1e12, &out->time, err));
    const struct val *group = spec_member(v, "group"), *agg = spec_member(v, "aggregate");
    if (group != NULL && group->type != VAL_STR)
        return index_spec_fail(name, group, err, "group: expected the name of a column");
    out->group = group == NULL ? NULL : group->u.s;
    out->audit = spec_member(v, "audit");
    if (agg != NULL && agg->type == VAL_MAP) TRY(spec_bool(&r, agg, "flat", &out->flat, err));
    if (out->flat) r.n_level = 2;
    return read_stages(&r, v, &out->spec, err);
}

enum err_code index_spec_parse(const char *name, const char *p, size_t n,
                               const struct index_frame *f, const struct index_data *d,
                               struct arena *a, struct index_spec *out, struct err *err) {
    const struct val *v;
    TRY(yaml_parse(a, name, p, n, &v, err));
    return index_spec_read(v, name, f, d, a, out, err);
}
