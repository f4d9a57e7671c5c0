/* Files of the folder "indicators": declared measures over rows, imported figures, and formulas. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "domain/pack/load.h"

enum { MAX_TERMS = 64, MAX_PAST = 32 };

static const char *const measures[] = {"count", "sum",     "mean",     "median",
                                       "share", "between", "distinct", "figure",
                                       "ratio", "total",   "against",  NULL};
static const char *const bases[] = {"reported", "filed", "due",    "handled",
                                    "closed",   "event", "stated", NULL};
static const char *const pasts[] = {"last_period", "last_year", "three_years", NULL};
static const char *const directions[] = {"more_is_worse", "neither", "more_is_better", NULL};

const char *indicator_measure_name(enum indicator_measure m) { return measures[m - 1]; }
const char *indicator_basis_name(enum indicator_basis b) { return bases[b - 1]; }

struct reading {
    struct load *l;
    const char *file;
    const struct val *v;
    struct indicator_def *d;
    const struct expr_env *env; /* of d->type */
};

static double read_number(struct reading *r, const struct val *map, const char *key, double def) {
    double x = def;
    struct err why;
    if (val_double(map, key, false, -1e15, 1e15, &x, &why) != ERR_OK)
        load_problem(r->l, ERR_INVALID, r->file, map->line, "\"%s\": expected a number", key);
    return x;
}

/* Index of a field that may be measured: declared, of the kinds wanted, neither personal nor
 * sensitive. */
static int read_field(struct reading *r, const char *key, bool time, bool any) {
    const char *name = rd_name(r->l, r->file, r->v, key, true);
    if (name[0] == '\0' || r->d->type == NULL) return -1;
    int col = type_field(r->d->type, name);
    const struct field_def *f = col < 0 ? NULL : &r->d->type->fields[col];
    bool number = f != NULL && (f->kind == FIELD_INT || f->kind == FIELD_NUMBER);
    if (f == NULL)
        load_problem(r->l, ERR_INVALID, r->file, val_get(r->v, key)->line,
                     "\"%s\": type \"%s\" has no field \"%s\"", key, r->d->type->name, name);
    else if (f->sensitivity >= SENS_PERSONAL)
        load_problem(r->l, ERR_REFUSED, r->file, val_get(r->v, key)->line,
                     "\"%s\": field \"%s\" is personal; an indicator never reads it", key, name);
    else if (time ? f->kind != FIELD_TIME : !any && !number)
        load_problem(r->l, ERR_INVALID, r->file, val_get(r->v, key)->line,
                     "\"%s\": field \"%s\" is of kind %s, expected %s", key, name,
                     field_kind_name(f->kind), time ? "time" : "int or number");
    else
        return col;
    return -1;
}

static enum err_code read_condition(struct reading *r, const char *key, bool required,
                                    const struct expr **out, const char **text) {
    *text = rd_text(r->l, r->file, r->v, key, required, EXPR_MAX_TEXT);
    if ((*text)[0] == '\0' || r->env == NULL) return ERR_OK;
    return load_condition(r->l, r->file, val_get(r->v, key)->line, *text, r->env, out);
}

static enum err_code read_rows(struct reading *r) {
    struct indicator_def *d = r->d;
    const char *type = rd_name(r->l, r->file, r->v, "type", true);
    d->type = pack_type(&r->l->set, type);
    if (d->type == NULL) {
        if (type[0] != '\0')
            load_problem(r->l, ERR_INVALID, r->file, r->v->line, "there is no type \"%s\"", type);
        return ERR_OK;
    }
    struct expr_env *env = ARENA_NEW(r->l->a, struct expr_env, 1);
    if (env == NULL) return load_nomem(r->l);
    TRY(load_env(r->l, d->type, NULL, 0, false, env));
    r->env = env;
    TRY(read_condition(r, "filter", false, &d->filter, &d->filter_text));
    d->time_col = read_field(r, "time", true, false);
    if (d->measure == MEASURE_SHARE) TRY(read_condition(r, "part", true, &d->part, &d->part_text));
    if (d->measure == MEASURE_SUM || d->measure == MEASURE_MEAN || d->measure == MEASURE_MEDIAN)
        d->value_col = read_field(r, "value", false, false);
    if (d->measure == MEASURE_DISTINCT) d->value_col = read_field(r, "value", false, true);
    if (d->measure == MEASURE_BETWEEN) {
        d->from_col = read_field(r, "from", true, false);
        d->to_col = read_field(r, "until", true, false);
    }
    return ERR_OK;
}

static enum err_code read_terms(struct reading *r) {
    static const char *const known[] = {"indicator", "weight", NULL};
    const struct val *list = rd_list(r->l, r->file, r->v, "terms", true);
    size_t n = list == NULL ? 0 : list->n;
    if (n > MAX_TERMS) {
        load_problem(r->l, ERR_LIMIT, r->file, list->line, "more than %d terms", MAX_TERMS);
        n = 0;
    }
    struct indicator_term *t = ARENA_NEW(r->l->a, struct indicator_term, n + 1);
    if (t == NULL) return load_nomem(r->l);
    for (size_t i = 0; i < n; i++) {
        const struct val *x = &list->u.list[i];
        t[i] = (struct indicator_term){"", 1};
        if (!rd_known(r->l, r->file, x, "a term", known)) continue;
        t[i].indicator = rd_name(r->l, r->file, x, "indicator", true);
        t[i].weight = read_number(r, x, "weight", 1);
    }
    r->d->terms = t;
    r->d->n_terms = n;
    r->d->constant = read_number(r, r->v, "constant", 0);
    return ERR_OK;
}

static const char *read_date(struct reading *r, const struct val *map, const char *key) {
    int64_t days = 0;
    const char *text = rd_text(r->l, r->file, map, key, false, 10);
    if (text[0] != '\0' && !civil_date_parse(text, &days))
        load_problem(r->l, ERR_INVALID, r->file, val_get(map, key)->line,
                     "\"%s\": \"%s\" is no date such as 2026-01-31", key, text);
    return text;
}

static enum err_code read_past(struct reading *r) {
    static const char *const known[] = {"version", "from", "note", NULL};
    const struct val *list = rd_list(r->l, r->file, r->v, "history", false);
    size_t n = list == NULL ? 0 : list->n;
    if (n > MAX_PAST) n = MAX_PAST;
    struct indicator_past *p = ARENA_NEW(r->l->a, struct indicator_past, n + 1);
    if (p == NULL) return load_nomem(r->l);
    for (size_t i = 0; i < n; i++) {
        const struct val *x = &list->u.list[i];
        if (!rd_known(r->l, r->file, x, "an earlier form", known)) continue;
        p[i].version = rd_int(r->l, r->file, x, "version", 1, 1000, 1);
        p[i].from = read_date(r, x, "from");
        p[i].note = rd_text(r->l, r->file, x, "note", true, 500);
    }
    r->d->past = p;
    r->d->n_past = n;
    return ERR_OK;
}

/* What every indicator says of itself. */
static enum err_code read_head(struct reading *r) {
    struct load *l = r->l;
    struct indicator_def *d = r->d;
    d->name = rd_name(l, r->file, r->v, "indicator", true);
    d->title = rd_title(l, r->file, r->v, "title", true);
    d->explain = rd_title(l, r->file, r->v, "explain", true);
    d->unit = rd_title(l, r->file, r->v, "unit", true);
    int measure = rd_enum(l, r->file, r->v, "measure", measures, true, 0);
    d->measure = (enum indicator_measure)((measure < 0 ? 0 : measure) + 1);
    bool rows = d->measure < MEASURE_FIGURE;
    int basis = rd_enum(l, r->file, r->v, "basis", bases, rows, BASIS_STATED - 1);
    d->basis = (enum indicator_basis)((basis < 0 ? 0 : basis) + 1);
    d->direction = rd_enum(l, r->file, r->v, "direction", directions, true, 1) - 1;
    d->effort = rd_bool(l, r->file, r->v, "effort", false);
    d->guarded = rd_bool(l, r->file, r->v, "guarded", false);
    d->tasks = rd_bool(l, r->file, r->v, "tasks", false);
    d->enough = rd_int(l, r->file, r->v, "enough", 0, 1000000, 0);
    d->owner = rd_text(l, r->file, r->v, "owner", false, 80);
    d->lag_days = rd_int(l, r->file, r->v, "lag_days", 0, 400, 0);
    d->version = rd_int(l, r->file, r->v, "version", 1, 1000, 1);
    d->valid_from = read_date(r, r->v, "valid_from");
    d->per = read_number(r, r->v, "per", 1);
    d->min = read_number(r, r->v, "min", NAN);
    d->max = read_number(r, r->v, "max", NAN);
    d->stock = rd_bool(l, r->file, r->v, "stock", false);
    d->sum_up = rd_bool(l, r->file, r->v, "sum_up", d->measure == MEASURE_FIGURE);
    (void)load_not_refused(l, r->file, r->v->line, "indicator", d->name, &d->title);
    if (!(d->per > 0))
        load_problem(l, ERR_INVALID, r->file, r->v->line, "\"per\": expected a number above 0");
    return read_past(r);
}

static enum err_code read_indicator(struct load *l, const char *file, const struct val *v,
                                    struct indicator_def *d) {
    static const char *const known[] = {
        "indicator", "title", "explain", "unit",    "measure",  "basis",     "type",
        "filter",    "part",  "time",    "value",   "from",     "until",     "of",
        "to",        "per",   "terms",   "against", "constant", "direction", "effort",
        "guarded",   "tasks", "enough",  "owner",   "lag_days", "version",   "valid_from",
        "history",   "min",   "max",     "sum_up",  "stock",    NULL};
    struct reading r = {.l = l, .file = file, .v = v, .d = d};
    *d = (struct indicator_def){.name = "",
                                .pack = l->pack,
                                .file = file,
                                .line = v->line,
                                .filter_text = "",
                                .part_text = "",
                                .of = "",
                                .to = "",
                                .time_col = -1,
                                .value_col = -1,
                                .from_col = -1,
                                .to_col = -1,
                                .measure = MEASURE_COUNT,
                                .basis = BASIS_STATED};
    if (!rd_known(l, file, v, "an indicator", known)) return ERR_OK;
    TRY(read_head(&r));
    if (d->measure < MEASURE_FIGURE) return read_rows(&r);
    if (d->measure == MEASURE_TOTAL) return read_terms(&r);
    d->of = rd_name(l, file, v, "of", d->measure != MEASURE_FIGURE);
    if (d->measure == MEASURE_RATIO) d->to = rd_name(l, file, v, "to", true);
    if (d->measure == MEASURE_AGAINST) {
        int past = rd_enum(l, file, v, "against", pasts, true, 0);
        d->against = (enum indicator_against)((past < 0 ? 0 : past) + 1);
    }
    return ERR_OK;
}

enum err_code load_indicators_file(struct load *l, const char *file, const struct val *v) {
    static const char *const known[] = {"indicators", NULL};
    if (!rd_known(l, file, v, "a file of indicators", known)) return ERR_OK;
    const struct val *list = rd_list(l, file, v, "indicators", true);
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        if (l->set.n_indicators == LOAD_MAX_INDICATORS) {
            load_problem(l, ERR_LIMIT, file, list->line, "more than %d indicators",
                         LOAD_MAX_INDICATORS);
            return ERR_OK;
        }
        TRY(read_indicator(l, file, &list->u.list[i], &l->indicators[l->set.n_indicators]));
        l->set.n_indicators++;
    }
    return ERR_OK;
}

/* ---- references between indicators */

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct indicator_def *)a)->name, ((const struct indicator_def *)b)->name);
}

static int name_is(const void *key, const void *d) {
    return strcmp(key, ((const struct indicator_def *)d)->name);
}

const struct indicator_def *pack_indicator(const struct pack_set *p, const char *name) {
    if (p->n_indicators == 0) return NULL;
    return bsearch(name, p->indicators, p->n_indicators, sizeof *p->indicators, name_is);
}

static void check_name(struct load *l, const struct indicator_def *d, const char *what,
                       const char *name, const char *const *names) {
    if (name[0] != '\0' && pack_indicator(&l->set, name) == NULL)
        load_unknown(l, d->file, d->line, what, name, names);
}

/* A formula may stand on formulas, but not on itself; depth bounds the walk. */
static bool stands_on(const struct pack_set *p, const struct indicator_def *d, const char *name,
                      int depth) {
    if (d == NULL || depth > 16) return d != NULL;
    if (d->measure == MEASURE_AGAINST)
        return strcmp(d->of, name) == 0 || stands_on(p, pack_indicator(p, d->of), name, depth + 1);
    if (d->measure == MEASURE_RATIO)
        return strcmp(d->of, name) == 0 || strcmp(d->to, name) == 0 ||
               stands_on(p, pack_indicator(p, d->of), name, depth + 1) ||
               stands_on(p, pack_indicator(p, d->to), name, depth + 1);
    for (size_t i = 0; d->measure == MEASURE_TOTAL && i < d->n_terms; i++)
        if (strcmp(d->terms[i].indicator, name) == 0 ||
            stands_on(p, pack_indicator(p, d->terms[i].indicator), name, depth + 1))
            return true;
    return false;
}

enum err_code load_check_indicators(struct load *l) {
    size_t n = l->set.n_indicators;
    const char **names = ARENA_NEW(l->a, const char *, n + 1);
    if (names == NULL) return load_nomem(l);
    qsort(l->indicators, n, sizeof *l->indicators, by_name);
    for (size_t i = 0; i < n; i++) names[i] = l->indicators[i].name;
    for (size_t i = 0; i < n; i++) {
        const struct indicator_def *d = &l->indicators[i];
        if (i > 0 && d->name[0] != '\0' && strcmp(d->name, names[i - 1]) == 0)
            load_problem(l, ERR_INVALID, d->file, d->line,
                         "indicator \"%s\" is declared in %s:%d already", d->name,
                         l->indicators[i - 1].file, l->indicators[i - 1].line);
        check_name(l, d, "of: indicator", d->of, names);
        check_name(l, d, "to: indicator", d->to, names);
        for (size_t k = 0; k < d->n_terms; k++)
            check_name(l, d, "terms: indicator", d->terms[k].indicator, names);
        if (stands_on(&l->set, d, d->name, 0))
            load_problem(l, ERR_INVALID, d->file, d->line, "indicator \"%s\" stands on itself",
                         d->name);
    }
    return ERR_OK;
}

/* ---- documents of higher floors */

enum err_code load_document(struct load *l, const char *file, const struct val *v,
                            const char *folder) {
    if (l->set.n_documents == LOAD_MAX_DOCUMENTS) {
        load_problem(l, ERR_LIMIT, file, 0, "more than %d files of \"%s\"", LOAD_MAX_DOCUMENTS,
                     folder);
        return ERR_OK;
    }
    l->documents[l->set.n_documents++] = (struct pack_document){l->pack, folder, file, v};
    return ERR_OK;
}
