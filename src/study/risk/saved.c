/* A risk model as a JSON file. */
#include <math.h>
#include <string.h>

#include "study/risk/fit_int.h"
#include "study/risk/study.h"

enum { MAX_BASE = 5000000 };

/* Each tree is a list of nodes [column, left, missing_left, threshold, value]. */
static void write_trees(struct jw *w, const struct model_trees *t) {
    jw_kdouble(w, "tree_base", t->base);
    jw_key(w, "trees");
    jw_arr(w);
    for (size_t k = 0; k < t->n_trees; k++) {
        jw_arr(w);
        for (size_t i = t->first[k]; i < t->first[k + 1]; i++) {
            const struct model_tree_node *n = &t->node[i];
            jw_arr(w);
            jw_int(w, n->column);
            jw_int(w, (int64_t)n->left);
            jw_bool(w, n->missing_left);
            jw_double(w, n->threshold);
            jw_double(w, n->value);
            jw_end(w, ']');
        }
        jw_end(w, ']');
    }
    jw_end(w, ']');
}

static void write_sources(struct jw *w, const struct risk_design *d) {
    jw_key(w, "sources");
    jw_arr(w);
    for (size_t k = 0; k < d->n_sources; k++) {
        const struct risk_source *s = &d->source[k];
        jw_obj(w);
        jw_kstr(w, "column", s->column);
        if (s->factor) {
            jw_key(w, "levels");
            jw_arr(w);
            for (size_t l = 0; l < s->n_levels; l++) jw_str(w, s->level[l]);
            jw_end(w, ']');
        }
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* Platt: {"intercept", "slope"}; isotonic: [[logit, chance], ...]. */
static void write_calibration(struct jw *w, const struct risk_fitted *f) {
    jw_key(w, "calibration");
    if (f->isotonic.n_knots == 0) {
        jw_obj(w);
        jw_kdouble(w, "intercept", f->platt.intercept);
        jw_kdouble(w, "slope", f->platt.slope);
        jw_end(w, '}');
        return;
    }
    jw_arr(w);
    for (size_t k = 0; k < f->isotonic.n_knots; k++) {
        jw_arr(w);
        jw_double(w, f->isotonic.score[k]);
        jw_double(w, f->isotonic.chance[k]);
        jw_end(w, ']');
    }
    jw_end(w, ']');
}

void risk_model_write(const struct risk_result *r, struct buf *b) {
    const struct risk_fitted *f = &r->fit;
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    jw_kstr(&w, "format", "gezhi-risk-model");
    jw_kint(&w, "version", 1);
    jw_key(&w, "spec");
    risk_spec_write(&f->spec, &w);
    jw_kbool(&w, "verified", f->verified);
    write_sources(&w, &f->design);
    jw_key(&w, "coefficients");
    jw_arr(&w);
    for (size_t j = 0; j < f->n_coef; j++) {
        jw_obj(&w);
        jw_kstr(&w, "name", f->coef[j].name);
        jw_kdouble(&w, "value", f->coef[j].value);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_kdouble(&w, "scale", f->scale);
    jw_kdouble(&w, "beta", f->beta);
    jw_kdouble(&w, "alpha", f->alpha);
    jw_key(&w, "strata");
    jw_arr(&w);
    for (size_t k = 0; f->model == RISK_COX && k < f->strata.n; k++) jw_str(&w, f->strata.label[k]);
    jw_end(&w, ']');
    jw_key(&w, "baseline_hazard");
    jw_arr(&w);
    for (size_t k = 0; k < f->n_base; k++) {
        jw_arr(&w);
        jw_int(&w, f->base[k].stratum);
        jw_double(&w, f->base[k].time);
        jw_double(&w, f->base[k].cumulative);
        jw_end(&w, ']');
    }
    jw_end(&w, ']');
    if (f->calibrated) write_calibration(&w, f);
    if (f->model == RISK_TREES) write_trees(&w, &f->trees);
    jw_key(&w, "baselines");
    jw_arr(&w);
    for (size_t k = 0; k < RISK_N_BASELINES; k++) {
        jw_obj(&w);
        jw_kbool(&w, "usable", r->baseline[k].usable);
        jw_kdouble(&w, "intercept", r->baseline[k].intercept);
        jw_kdouble(&w, "slope", r->baseline[k].slope);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    buf_char(b, '\n');
}

static enum err_code bad(const char *name, const char *what, struct err *err) {
    return err_fail(err, ERR_INVALID, "%s: not a risk model: %s", name, what);
}

static bool as_number(const struct val *v, double *out) {
    if (v == NULL || (v->type != VAL_INT && v->type != VAL_DOUBLE)) return false;
    *out = v->type == VAL_INT ? (double)v->u.i : v->u.d;
    return true;
}

static const struct val *list_of(const struct val *map, const char *key) {
    const struct val *v = val_get(map, key);
    return v != NULL && v->type == VAL_LIST ? v : NULL;
}

static enum err_code read_strings(struct arena *a, const char *name, const struct val *list,
                                  struct risk_labels *out, struct err *err) {
    const char **s = ARENA_NEW(a, const char *, list->n + 1);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "%s", name);
    for (size_t i = 0; i < list->n; i++) {
        if (list->u.list[i].type != VAL_STR) return bad(name, "a label is not a text", err);
        s[i] = list->u.list[i].u.s;
    }
    out->n = list->n;
    out->label = s;
    return ERR_OK;
}

static enum err_code read_sources(struct arena *a, const char *name, const struct val *top,
                                  struct risk_fitted *f, bool intercept, struct err *err) {
    struct risk_source source[RISK_MAX_SOURCES];
    const struct val *list = list_of(top, "sources");
    if (list == NULL || list->n > RISK_MAX_SOURCES) return bad(name, "sources", err);
    for (size_t i = 0; i < list->n; i++) {
        const struct val *levels = list_of(&list->u.list[i], "levels");
        source[i] = (struct risk_source){.factor = levels != NULL};
        TRY(val_str(&list->u.list[i], "column", true, RISK_MAX_NAME, &source[i].column, err));
        if (levels == NULL) continue;
        struct risk_labels l;
        if (levels->n == 0 || levels->n > RISK_MAX_LEVELS) return bad(name, "levels", err);
        TRY(read_strings(a, name, levels, &l, err));
        source[i].level = l.label;
        source[i].n_levels = l.n;
    }
    return risk_design_make(a, f->spec.terms, intercept, source, list->n, &f->design, err);
}

static enum err_code read_coefficients(struct arena *a, const char *name, const struct val *top,
                                       struct risk_fitted *f, struct err *err) {
    const struct val *list = list_of(top, "coefficients");
    if (list == NULL || list->n != f->design.n_columns)
        return bad(name, "the coefficients do not fit the terms", err);
    f->coef = ARENA_NEW(a, struct risk_coef, list->n + 1);
    if (f->coef == NULL) return err_fail(err, ERR_NOMEM, "%s", name);
    f->n_coef = list->n;
    for (size_t j = 0; j < list->n; j++) {
        const struct val *c = &list->u.list[j];
        TRY(val_str(c, "name", true, RISK_MAX_TEXT, &f->coef[j].name, err));
        if (strcmp(f->coef[j].name, f->design.column[j].name) != 0)
            return bad(name, "the coefficients do not fit the terms", err);
        if (!as_number(val_get(c, "value"), &f->coef[j].value))
            return bad(name, "a coefficient is not a number", err);
    }
    return ERR_OK;
}

/* Strata in order and, in each, times and hazards that do not fall: scoring searches by them. */
static enum err_code read_base(struct arena *a, const char *name, const struct val *top,
                               struct risk_fitted *f, struct err *err) {
    const struct val *list = list_of(top, "baseline_hazard"), *strata = list_of(top, "strata");
    if (list == NULL || strata == NULL || list->n > MAX_BASE)
        return bad(name, "strata and baseline_hazard", err);
    TRY(read_strings(a, name, strata, &f->strata, err));
    for (size_t i = 1; i < f->strata.n; i++)
        if (strcmp(f->strata.label[i - 1], f->strata.label[i]) >= 0)
            return bad(name, "strata are not in order", err);
    f->base = ARENA_NEW(a, struct model_cox_base, list->n + 1);
    if (f->base == NULL) return err_fail(err, ERR_NOMEM, "%s", name);
    for (size_t i = 0; i < list->n; i++) {
        const struct val *v = &list->u.list[i];
        struct model_cox_base *b = &f->base[i];
        double s = 0;
        bool ok = v->type == VAL_LIST && v->n == 3 && as_number(&v->u.list[0], &s) &&
                  as_number(&v->u.list[1], &b->time) && as_number(&v->u.list[2], &b->cumulative);
        if (!ok || !(s >= 0 && s < 1e9) || !(b->cumulative >= 0))
            return bad(name, "a row of baseline_hazard", err);
        b->stratum = (uint32_t)s;
        if (i > 0 && (b->stratum < b[-1].stratum ||
                      (b->stratum == b[-1].stratum &&
                       (b->time <= b[-1].time || b->cumulative < b[-1].cumulative))))
            return bad(name, "baseline_hazard is not in order", err);
    }
    f->n_base = list->n;
    return ERR_OK;
}

static bool read_node(const struct val *v, size_t at, size_t n, size_t n_columns,
                      struct model_tree_node *out) {
    if (v->type != VAL_LIST || v->n != 5) return false;
    const struct val *f = v->u.list;
    if (f[0].type != VAL_INT || f[1].type != VAL_INT || f[2].type != VAL_BOOL ||
        !as_number(&f[3], &out->threshold) || !as_number(&f[4], &out->value))
        return false;
    int64_t column = f[0].u.i, left = f[1].u.i;
    if (column < -1 || column >= (int64_t)n_columns) return false;
    /* Children lie behind their parent, so that every walk down ends. */
    if (column >= 0 && !(left > (int64_t)at && left + 1 < (int64_t)n)) return false;
    out->column = (int32_t)column;
    out->left = column >= 0 ? (uint32_t)left : 0;
    out->missing_left = f[2].u.b;
    return true;
}

static enum err_code read_trees(struct arena *a, const char *name, const struct val *top,
                                struct risk_fitted *f, struct err *err) {
    struct model_trees *t = &f->trees;
    if (f->model != RISK_TREES) return ERR_OK;
    const struct val *list = list_of(top, "trees");
    size_t n = 0;
    if (list == NULL || !as_number(val_get(top, "tree_base"), &t->base))
        return bad(name, "trees", err);
    for (size_t k = 0; k < list->n; k++) {
        if (list->u.list[k].type != VAL_LIST || list->u.list[k].n == 0)
            return bad(name, "a tree without nodes", err);
        n += list->u.list[k].n;
    }
    size_t *first = ARENA_NEW(a, size_t, list->n + 1);
    struct model_tree_node *node = ARENA_NEW(a, struct model_tree_node, n + 1);
    if (first == NULL || node == NULL) return err_fail(err, ERR_NOMEM, "%s", name);
    n = 0;
    for (size_t k = 0; k < list->n; k++) {
        const struct val *tree = &list->u.list[k];
        first[k] = n;
        for (size_t i = 0; i < tree->n; i++)
            if (!read_node(&tree->u.list[i], i, tree->n, f->design.n_columns, &node[n + i]))
                return bad(name, "a node of a tree", err);
        n += tree->n;
    }
    first[list->n] = n;
    t->family = risk_is_logistic(f) ? MODEL_LOGISTIC : MODEL_POISSON;
    t->n_col = f->design.n_columns;
    t->n_trees = list->n;
    t->first = first;
    t->node = node;
    return ERR_OK;
}

static enum err_code read_calibration(struct arena *a, const char *name, const struct val *top,
                                      struct risk_fitted *f, struct err *err) {
    const struct val *v = val_get(top, "calibration");
    if (v == NULL) return ERR_OK;
    f->calibrated = true;
    if (v->type == VAL_MAP)
        return as_number(val_get(v, "intercept"), &f->platt.intercept) &&
                       as_number(val_get(v, "slope"), &f->platt.slope)
                   ? ERR_OK
                   : bad(name, "calibration", err);
    if (v->type != VAL_LIST || v->n == 0) return bad(name, "calibration", err);
    double *score = ARENA_NEW(a, double, v->n), *chance = ARENA_NEW(a, double, v->n);
    if (score == NULL || chance == NULL) return err_fail(err, ERR_NOMEM, "%s", name);
    for (size_t k = 0; k < v->n; k++) {
        const struct val *p = &v->u.list[k];
        bool ok = p->type == VAL_LIST && p->n == 2 && as_number(&p->u.list[0], &score[k]) &&
                  as_number(&p->u.list[1], &chance[k]);
        if (!ok || !(chance[k] >= 0 && chance[k] <= 1) ||
            (k > 0 && (score[k] <= score[k - 1] || chance[k] < chance[k - 1])))
            return bad(name, "calibration is not rising", err);
    }
    f->isotonic = (struct model_isotonic){.n_knots = v->n, .score = score, .chance = chance};
    return ERR_OK;
}

static enum err_code read_baselines(const char *name, const struct val *top,
                                    struct risk_result *out, struct err *err) {
    const struct val *list = list_of(top, "baselines");
    static const char *const names[] = {"age only", "last year's count"};
    if (list == NULL || list->n != RISK_N_BASELINES) return bad(name, "baselines", err);
    for (size_t k = 0; k < RISK_N_BASELINES; k++) {
        struct risk_baseline *b = &out->baseline[k];
        const struct val *v = &list->u.list[k];
        b->name = names[k];
        b->column = k == 0 ? out->fit.spec.age : out->fit.spec.last;
        TRY(val_bool(v, "usable", true, &b->usable, err));
        if (!as_number(val_get(v, "intercept"), &b->intercept) ||
            !as_number(val_get(v, "slope"), &b->slope))
            return bad(name, "a baseline is not a number", err);
    }
    return ERR_OK;
}

static enum err_code parse_model(struct arena *a, const char *name, const char *p, size_t n,
                                 struct risk_result *out, struct err *err) {
    const struct val *top = NULL;
    struct risk_fitted *f = &out->fit;
    const char *format = NULL;
    int64_t version = 0;
    memset(out, 0, sizeof *out);
    risk_spec_init(&f->spec);
    TRY(json_parse(a, p, n, &top, err));
    if (top->type != VAL_MAP) return bad(name, "it is no object", err);
    TRY(val_str(top, "format", true, 64, &format, err));
    if (strcmp(format, "gezhi-risk-model") != 0) return bad(name, "its format is another", err);
    TRY(val_int(top, "version", true, 1, 1, &version, err));
    TRY(risk_spec_from_val(a, name, val_get(top, "spec"), &f->spec, NULL, err));
    TRY(risk_spec_check(&f->spec, &f->model, err));
    TRY(val_bool(top, "verified", true, &f->verified, err));
    bool intercept = f->model != RISK_COX && f->model != RISK_TREES;
    TRY(read_sources(a, name, top, f, intercept, err));
    TRY(read_coefficients(a, name, top, f, err));
    if (!as_number(val_get(top, "scale"), &f->scale) ||
        !as_number(val_get(top, "beta"), &f->beta) || !as_number(val_get(top, "alpha"), &f->alpha))
        return bad(name, "scale, beta, alpha", err);
    if (f->scale < 0 || (risk_model_is_life(f->model) && !(f->scale > 0)))
        return bad(name, "scale", err);
    TRY(read_base(a, name, top, f, err));
    TRY(read_trees(a, name, top, f, err));
    TRY(read_calibration(a, name, top, f, err));
    f->converged = true;
    return read_baselines(name, top, out, err);
}

/* Every error begins with the file's name, also those of readers that do not know it. */
enum err_code risk_model_parse(struct arena *a, const char *name, const char *p, size_t n,
                               struct risk_result *out, struct err *err) {
    struct err found = {0};
    enum err_code rc = parse_model(a, name, p, n, out, &found);
    if (rc == ERR_OK || rc == ERR_NOMEM || strncmp(found.detail, name, strlen(name)) == 0) {
        if (rc != ERR_OK && err != NULL) *err = found;
        return rc;
    }
    return err_fail(err, rc, "%s: not a risk model: %s", name, found.detail);
}
