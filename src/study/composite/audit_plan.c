/* What the spec of an index says under "audit". */
#include <math.h>
#include <string.h>

#include "study/composite/audit_inside.h"

struct reader {
    const struct index_study *s;
    struct index_reader stage;
    const char *name;
    struct arena *a;
    struct audit_plan *out;
};

static enum err_code no_memory(struct err *err) {
    return err_fail(err, ERR_NOMEM, "no memory for the audit");
}

/* The list under a key; n 0 when it is absent. An empty list is an error. */
static enum err_code list_of(const struct reader *r, const struct val *map, const char *key,
                             const struct val **list, size_t *n, struct err *err) {
    const struct val *v = val_get(map, key);
    *n = 0;
    if (v == NULL || v->type == VAL_NULL) return ERR_OK;
    if (v->type != VAL_LIST || v->n == 0 || v->n > AUDIT_MAX_ALTERNATIVES)
        return index_spec_fail(r->name, v, err, "%s: expected a list of 1 to %d alternatives", key,
                               AUDIT_MAX_ALTERNATIVES);
    *list = v->u.list;
    *n = v->n;
    return ERR_OK;
}

static enum err_code read_impute(const struct reader *r, const struct val *v, struct err *err) {
    const struct val *list = NULL;
    struct choices *c = &r->out->choices;
    TRY(list_of(r, v, "impute", &list, &c->n_impute, err));
    struct composite_impute *x = ARENA_NEW(r->a, struct composite_impute, c->n_impute);
    if (x == NULL) return no_memory(err);
    for (size_t k = 0; k < c->n_impute; k++)
        TRY(index_read_impute(&r->stage, &list[k], &x[k], err));
    c->impute = x;
    return ERR_OK;
}

static enum err_code read_treat(const struct reader *r, const struct val *v, struct err *err) {
    const struct val *list = NULL;
    struct choices *c = &r->out->choices;
    TRY(list_of(r, v, "treat", &list, &c->n_treat, err));
    struct composite_treat *x = ARENA_NEW(r->a, struct composite_treat, c->n_treat);
    if (x == NULL) return no_memory(err);
    for (size_t k = 0; k < c->n_treat; k++) TRY(index_read_treat(&r->stage, &list[k], &x[k], err));
    c->treat = x;
    return ERR_OK;
}

enum err_code audit_move_reference(const struct index_study *s, struct composite_normalise *n,
                                   struct arena *a, struct err *err) {
    struct composite_norm *norm = ARENA_NEW(a, struct composite_norm, n->n_norm);
    if (norm == NULL) return no_memory(err);
    for (size_t k = 0; k < n->n_norm; k++) {
        norm[k] = n->norm[k];
        if (norm[k].kind != COMPOSITE_NORM_DIST_REF || s->column_of == NULL) continue;
        const char *code = s->data.data.area[norm[k].reference];
        uint32_t j = 0;
        while (j < s->columns.n_area && strcmp(s->columns.area[j], code) != 0) j++;
        if (j == s->columns.n_area)
            return err_fail(err, ERR_INVALID, "reference area %s is not in this period", code);
        norm[k].reference = j;
    }
    n->norm = norm;
    return ERR_OK;
}

static enum err_code read_normalise(const struct reader *r, const struct val *v, struct err *err) {
    const struct val *list = NULL;
    struct choices *c = &r->out->choices;
    TRY(list_of(r, v, "normalise", &list, &c->n_normalise, err));
    struct composite_normalise *x = ARENA_NEW(r->a, struct composite_normalise, c->n_normalise);
    if (x == NULL) return no_memory(err);
    for (size_t k = 0; k < c->n_normalise; k++) {
        TRY(index_read_normalise(&r->stage, &list[k], &x[k], err));
        TRY(audit_move_reference(r->s, &x[k], r->a, err));
    }
    c->normalise = x;
    return ERR_OK;
}

/* Benefit of the doubt is a mean as much as a weighting: as an alternative it stands under
 * "aggregate". */
static enum err_code read_means(const struct reader *r, const struct val *v, struct err *err) {
    const struct val *list = NULL;
    struct choices *c = &r->out->choices;
    TRY(list_of(r, v, "aggregate", &list, &c->n_aggregate, err));
    struct composite_aggregate *g = ARENA_NEW(r->a, struct composite_aggregate, c->n_aggregate);
    if (g == NULL) return no_memory(err);
    for (size_t k = 0; k < c->n_aggregate; k++)
        TRY(index_read_aggregate(&r->stage, &list[k], &g[k], err));
    c->aggregate = g;
    TRY(list_of(r, v, "weights", &list, &c->n_weights, err));
    struct composite_weighting *w = ARENA_NEW(r->a, struct composite_weighting, c->n_weights);
    if (w == NULL) return no_memory(err);
    for (size_t k = 0; k < c->n_weights; k++) {
        struct composite_aggregate means = {.level = {{.kind = COMPOSITE_ARITHMETIC}}};
        TRY(index_read_weights(&r->stage, &list[k], &w[k], &means, err));
        for (size_t l = 0; l < COMPOSITE_MAX_LEVELS; l++) {
            if (means.level[l].kind == COMPOSITE_BOD_SCORE)
                return index_spec_fail(r->name, &list[k], err,
                                       "weights: benefit of the doubt is no alternative here; put "
                                       "it under aggregate");
        }
    }
    c->weights = w;
    return ERR_OK;
}

static enum err_code read_noise(const struct reader *r, const struct val *v, struct err *err) {
    static const char *const known[] = {"kind", "amount", "levels", NULL};
    const struct val *noise = val_get(v, "noise");
    struct choices *c = &r->out->choices;
    const char *kind = "uniform";
    if (noise == NULL || noise->type == VAL_NULL) return ERR_OK;
    if (noise->type != VAL_MAP)
        return index_spec_fail(r->name, noise, err, "noise: expected kind, amount and levels");
    struct err inner = {0};
    if (val_only(noise, known, &inner) != ERR_OK ||
        val_str(noise, "kind", false, 20, &kind, &inner) != ERR_OK)
        return index_spec_fail(r->name, noise, err, "noise: %s", inner.detail);
    bool uniform = strcmp(kind, "uniform") == 0;
    if (!uniform && strcmp(kind, "dirichlet") != 0)
        return index_spec_fail(r->name, noise, err, "noise: kind %s; expected uniform or dirichlet",
                               kind);
    c->noise = uniform ? CHOICE_UNIFORM : CHOICE_DIRICHLET;
    c->noise_amount = uniform ? 0.25 : 100.0;
    double most = uniform ? 1.0 : 1e6;
    if (val_double(noise, "amount", false, 1e-6, most, &c->noise_amount, &inner) != ERR_OK)
        return index_spec_fail(r->name, noise, err, "noise: %s", inner.detail);
    const struct val *levels = val_get(noise, "levels");
    for (size_t k = 0; levels != NULL && levels->type == VAL_LIST && k < levels->n; k++) {
        const struct val *l = &levels->u.list[k];
        if (l->type != VAL_INT || l->u.i < 1 || l->u.i >= (int64_t)r->s->tree.n_level)
            return index_spec_fail(r->name, l, err, "noise: a level from 1 to %zu is expected",
                                   r->s->tree.n_level - 1);
        c->noise_levels |= UINT32_C(1) << (l->u.i - 1);
    }
    if (levels != NULL && levels->type != VAL_LIST)
        return index_spec_fail(r->name, levels, err, "noise: levels is a list of numbers");
    return ERR_OK;
}

static uint32_t node_of(const struct composite_tree *t, const char *code) {
    for (uint32_t i = 0; i < t->n_node; i++)
        if (strcmp(t->code[i], code) == 0) return i;
    return COMPOSITE_NONE;
}

/* Nobody, and each node of a level, or those listed. */
static enum err_code leave_level(const struct reader *r, unsigned level, struct err *err) {
    const struct composite_tree *t = &r->s->tree;
    uint32_t *drop = ARENA_NEW(r->a, uint32_t, t->n_node + 1);
    size_t n = 1;
    if (drop == NULL) return no_memory(err);
    drop[0] = COMPOSITE_NONE;
    for (uint32_t i = 0; i + 1 < t->n_node; i++)
        if (t->level[i] == level) drop[n++] = i;
    r->out->choices.drop = drop;
    r->out->choices.n_drop = n;
    return ERR_OK;
}

static enum err_code read_leave_out(const struct reader *r, const struct val *v, struct err *err) {
    const struct val *out = val_get(v, "leave_out");
    const struct composite_tree *t = &r->s->tree;
    if (out == NULL || out->type == VAL_NULL) return ERR_OK;
    if (out->type == VAL_STR && strcmp(out->u.s, "indicators") == 0) return leave_level(r, 1, err);
    if (out->type == VAL_STR && strcmp(out->u.s, "pillars") == 0 && t->n_level > 2)
        return leave_level(r, 2, err);
    if (out->type != VAL_LIST || out->n == 0)
        return index_spec_fail(r->name, out, err,
                               "leave_out: expected indicators, pillars or a list of codes");
    uint32_t *drop = ARENA_NEW(r->a, uint32_t, out->n + 1);
    if (drop == NULL) return no_memory(err);
    drop[0] = COMPOSITE_NONE;
    for (size_t k = 0; k < out->n; k++) {
        const struct val *code = &out->u.list[k];
        drop[k + 1] = code->type == VAL_STR ? node_of(t, code->u.s) : COMPOSITE_NONE;
        if (drop[k + 1] == COMPOSITE_NONE || drop[k + 1] + 1 == t->n_node)
            return index_spec_fail(r->name, code, err,
                                   "leave_out: there is no node %s below the index",
                                   code->type == VAL_STR ? code->u.s : "of that kind");
    }
    r->out->choices.drop = drop;
    r->out->choices.n_drop = out->n + 1;
    return ERR_OK;
}

static enum err_code read_choices(const struct reader *r, const struct val *v, struct err *err) {
    static const char *const known[] = {"impute", "treat",     "normalise", "weights",
                                        "noise",  "aggregate", "leave_out", NULL};
    if (v == NULL || v->type == VAL_NULL) {
        /* What a reader asks first: how much the weights decide, and any one indicator. */
        r->out->assumed = true;
        r->out->choices.noise = CHOICE_UNIFORM;
        r->out->choices.noise_amount = 0.25;
        return leave_level(r, 1, err);
    }
    if (v->type != VAL_MAP)
        return index_spec_fail(r->name, v, err, "choices: expected a list under each stage");
    struct err inner = {0};
    if (val_only(v, known, &inner) != ERR_OK)
        return index_spec_fail(r->name, v, err, "choices: %s", inner.detail);
    TRY(read_impute(r, v, err));
    TRY(read_treat(r, v, err));
    TRY(read_normalise(r, v, err));
    TRY(read_means(r, v, err));
    TRY(read_noise(r, v, err));
    return read_leave_out(r, v, err);
}

static enum err_code read_sobol(const struct reader *r, const struct val *v, struct err *err) {
    static const char *const known[] = {"rows", "sample", "bootstrap", "level", "area", NULL};
    struct sobol_options *o = &r->out->sobol;
    const struct val *sobol = val_get(v, "sobol");
    int64_t rows = 512, bootstrap = 200;
    const char *sample = "random";
    if (sobol == NULL || sobol->type == VAL_NULL) return ERR_OK;
    if (sobol->type == VAL_BOOL && !sobol->u.b) {
        o->n = 0;
        return ERR_OK;
    }
    struct err inner = {.detail = "expected a map or false"};
    enum err_code rc = sobol->type != VAL_MAP ? ERR_INVALID : val_only(sobol, known, &inner);
    if (rc == ERR_OK) rc = val_int(sobol, "rows", false, 2, 1 << 20, &rows, &inner);
    if (rc == ERR_OK) rc = val_int(sobol, "bootstrap", false, 0, 100000, &bootstrap, &inner);
    if (rc == ERR_OK) rc = val_double(sobol, "level", false, 0.01, 0.999, &o->level, &inner);
    if (rc == ERR_OK) rc = val_str(sobol, "sample", false, 20, &sample, &inner);
    if (rc == ERR_OK) rc = val_str(sobol, "area", false, 200, &r->out->sobol_area, &inner);
    if (rc != ERR_OK) return index_spec_fail(r->name, sobol, err, "sobol: %s", inner.detail);
    if (strcmp(sample, "random") != 0 && strcmp(sample, "latin") != 0)
        return index_spec_fail(r->name, sobol, err, "sobol: sample %s; expected random or latin",
                               sample);
    o->n = (size_t)rows;
    o->bootstrap = (size_t)bootstrap;
    o->sample = strcmp(sample, "latin") == 0 ? SOBOL_LATIN : SOBOL_RANDOM;
    return ERR_OK;
}

static enum err_code read_numbers(const struct reader *r, const struct val *v, struct err *err) {
    static const char *const known[] = {"draws",     "seed",    "band",  "distinguish",
                                        "dominance", "choices", "sobol", NULL};
    struct audit_plan *out = r->out;
    struct err inner = {.detail = "expected draws, seed, band, choices, sobol"};
    int64_t draws = (int64_t)out->draws, seed = (int64_t)out->seed;
    enum err_code rc = v->type != VAL_MAP ? ERR_INVALID : val_only(v, known, &inner);
    if (rc == ERR_OK) rc = val_int(v, "draws", false, 1, AUDIT_MAX_DRAWS, &draws, &inner);
    if (rc == ERR_OK) rc = val_int(v, "seed", false, 0, INT64_MAX, &seed, &inner);
    if (rc == ERR_OK) rc = val_double(v, "band", false, 0.01, 0.999, &out->band, &inner);
    if (rc == ERR_OK) rc = val_double(v, "distinguish", false, 0.5, 1, &out->distinguish, &inner);
    if (rc == ERR_OK) rc = val_double(v, "dominance", false, 0.5, 1, &out->dominance, &inner);
    if (rc != ERR_OK) return index_spec_fail(r->name, v, err, "audit: %s", inner.detail);
    out->draws = (size_t)draws;
    out->seed = (uint64_t)seed;
    return ERR_OK;
}

enum err_code audit_plan_read(const struct index_study *s, const struct val *v, struct arena *a,
                              struct audit_plan *out, struct err *err) {
    *out = (struct audit_plan){.draws = 10000,
                               .seed = 1,
                               .band = 0.9,
                               .distinguish = 0.9,
                               .dominance = 0.97,
                               .sobol = {.n = 512, .bootstrap = 200, .level = 0.9}};
    const char *name = s->spec.name == NULL ? "spec" : s->spec.name;
    struct reader r = {.s = s, .name = name, .a = a, .out = out};
    r.stage = (struct index_reader){
        .name = name, .frame = &s->frame, .data = &s->data, .a = a, .n_level = s->tree.n_level};
    if (v != NULL && v->type == VAL_NULL) v = NULL;
    if (v != NULL) TRY(read_numbers(&r, v, err));
    TRY(read_choices(&r, val_get(v, "choices"), err));
    return v == NULL ? ERR_OK : read_sobol(&r, v, err);
}
