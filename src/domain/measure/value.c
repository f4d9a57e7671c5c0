#include "domain/measure/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/measure/figure.h"

const char *value_state_name(enum value_state s) {
    static const char *const names[] = {"ok", "no_cases", "no_data", "too_small"};
    return names[s - 1];
}

/* ---- areas of a level */

static const char *code_at(const struct cube_place *p, int level) {
    const char *const by_level[GRID_LEVELS] = {"", p->city, p->county, p->town, p->community};
    return by_level[level];
}

static int by_code(const void *key, const void *item) {
    return strcmp(key, (*(const struct grid_area *const *)item)->code);
}

size_t area_view_find(const struct area_view *v, const char *code) {
    if (v->n == 0) return SIZE_MAX;
    const struct grid_area *const *at = bsearch(code, v->area, v->n, sizeof *v->area, by_code);
    return at == NULL ? SIZE_MAX : (size_t)(at - v->area);
}

static int32_t place_area(const struct area_view *v, const struct cube_place *p) {
    const char *code = code_at(p, v->level);
    size_t at = code[0] == '\0' ? SIZE_MAX : area_view_find(v, code);
    if (at != SIZE_MAX) return (int32_t)at;
    return v->level == LEVEL_CITY && v->n == 1 ? 0 : -1;
}

enum err_code area_view_new(struct arena *a, const struct grid *g, int level,
                            const struct cube *cube, const struct area_view **out,
                            struct err *err) {
    size_t n_places = 0;
    const struct cube_place *places = cube_places(cube, &n_places);
    struct area_view *v = ARENA_NEW(a, struct area_view, 1);
    const struct grid_area **area = ARENA_NEW(a, const struct grid_area *, g->n_areas + 1);
    int32_t *of_place = ARENA_NEW(a, int32_t, n_places + 1);
    if (v == NULL || area == NULL || of_place == NULL) return err_fail(err, ERR_NOMEM, "areas");
    *v = (struct area_view){.grid = g, .level = level, .area = area, .of_place = of_place};
    for (size_t i = 0; i < g->n_areas; i++) /* sorted by code already */
        if (g->areas[i].level == level) area[v->n++] = &g->areas[i];
    v->n_places = n_places;
    for (size_t i = 0; i < n_places; i++) of_place[i] = place_area(v, &places[i]);
    *out = v;
    return ERR_OK;
}

/* ---- counted values */

struct forming {
    const struct value_query *q;
    struct arena *a;
    struct err *err;
    int depth;
};

/* Sum of an atom by area: by place first, then up the tree. */
static enum err_code sum_by_area(const struct forming *f, size_t atom, enum indicator_basis basis,
                                 double *out) {
    const struct area_view *v = f->q->areas;
    size_t n_places = 0;
    (void)cube_places(f->q->cube, &n_places);
    int64_t *by_place = ARENA_NEW(f->a, int64_t, n_places + 1);
    int64_t *by_area = ARENA_NEW(f->a, int64_t, v->n + 1);
    if (by_place == NULL || by_area == NULL) return err_fail(f->err, ERR_NOMEM, "indicators");
    int32_t to = f->q->period.to;
    if (basis == BASIS_DUE && to > f->q->today) to = f->q->today;
    cube_sum(f->q->cube, atom, f->q->period.from, to, by_place);
    size_t n = n_places < v->n_places ? n_places : v->n_places;
    for (size_t i = 0; i < n; i++)
        if (v->of_place[i] >= 0) by_area[v->of_place[i]] += by_place[i];
    for (size_t i = 0; i < v->n; i++) out[i] = (double)by_area[i];
    return ERR_OK;
}

static void set_ratio(struct indicator_value *out, double numerator, double denominator,
                      double per) {
    *out = (struct indicator_value){VALUE_OK, NAN, numerator, denominator};
    if (denominator == 0)
        out->state = VALUE_NO_CASES;
    else
        out->value = numerator / denominator * per;
}

/* What one unit of a sum atom is worth: hours of seconds, millionths of a decimal field. */
static double sum_unit(const struct indicator_def *d) {
    if (d->measure == MEASURE_BETWEEN) return 1.0 / 3600.0;
    return d->type->fields[d->value_col].kind == FIELD_NUMBER ? 1e-6 : 1.0;
}

static enum err_code form_counted(const struct forming *f, const struct indicator_def *d,
                                  struct indicator_value *out) {
    const struct area_view *v = f->q->areas;
    size_t rows = atoms_find(f->q->atoms, d, ATOM_ROWS), sum = atoms_find(f->q->atoms, d, ATOM_SUM);
    size_t part = atoms_find(f->q->atoms, d, ATOM_PART);
    size_t top = part != SIZE_MAX ? part : sum != SIZE_MAX ? sum : rows;
    double *num = ARENA_NEW(f->a, double, v->n + 1), *den = ARENA_NEW(f->a, double, v->n + 1);
    if (num == NULL || den == NULL) return err_fail(f->err, ERR_NOMEM, "indicators");
    TRY(sum_by_area(f, top, d->basis, num));
    double unit = top == sum ? sum_unit(d) : 1.0;
    if (top != rows && rows != SIZE_MAX) {
        TRY(sum_by_area(f, rows, d->basis, den));
        for (size_t i = 0; i < v->n; i++) set_ratio(&out[i], num[i] * unit, den[i], d->per);
        return ERR_OK;
    }
    for (size_t i = 0; i < v->n; i++)
        out[i] = (struct indicator_value){VALUE_OK, num[i] * unit, num[i] * unit, NAN};
    return ERR_OK;
}

/* ---- formulas */

static enum err_code form(struct forming *f, const struct indicator_def *d,
                          struct indicator_value *out);

static enum err_code form_part(struct forming *f, const char *name, struct indicator_value **out) {
    const struct indicator_def *d = pack_indicator(f->q->atoms->packs, name);
    *out = ARENA_NEW(f->a, struct indicator_value, f->q->areas->n + 1);
    if (*out == NULL) return err_fail(f->err, ERR_NOMEM, "indicators");
    if (d == NULL) return err_fail(f->err, ERR_INTERNAL, "indicator %s is gone", name);
    if (++f->depth > INDICATOR_MAX_DEPTH)
        return err_fail(f->err, ERR_LIMIT, "formulas are nested more than %d deep",
                        INDICATOR_MAX_DEPTH);
    TRY(form(f, d, *out));
    f->depth--;
    return ERR_OK;
}

static bool usable(const struct indicator_value *v) {
    return v->state == VALUE_OK || v->state == VALUE_TOO_SMALL;
}

static enum err_code form_ratio(struct forming *f, const struct indicator_def *d,
                                struct indicator_value *out) {
    struct indicator_value *of = NULL, *to = NULL;
    TRY(form_part(f, d->of, &of));
    TRY(form_part(f, d->to, &to));
    for (size_t i = 0; i < f->q->areas->n; i++) {
        if (usable(&of[i]) && usable(&to[i]))
            set_ratio(&out[i], of[i].value, to[i].value, d->per);
        else
            out[i] =
                (struct indicator_value){usable(&to[i]) ? of[i].state : to[i].state, NAN, NAN, NAN};
    }
    return ERR_OK;
}

/* A total lacks a value as soon as one of its terms does. */
static enum err_code form_total(struct forming *f, const struct indicator_def *d,
                                struct indicator_value *out) {
    for (size_t i = 0; i < f->q->areas->n; i++)
        out[i] = (struct indicator_value){VALUE_OK, d->constant, d->constant, NAN};
    for (size_t k = 0; k < d->n_terms; k++) {
        struct indicator_value *term = NULL;
        TRY(form_part(f, d->terms[k].indicator, &term));
        for (size_t i = 0; i < f->q->areas->n; i++) {
            if (!usable(&term[i])) {
                out[i] = (struct indicator_value){term[i].state, NAN, NAN, NAN};
            } else if (usable(&out[i])) {
                out[i].value += d->terms[k].weight * term[i].value;
                out[i].numerator = out[i].value;
            }
        }
    }
    return ERR_OK;
}

/* The mean of the same period in the years before; an area that lacks one of them has no past. */
static enum err_code form_past(struct forming *f, const struct indicator_def *d, double *past) {
    const struct value_query *now = f->q;
    int years = d->against == AGAINST_THREE_YEARS ? 3 : 1;
    struct value_query then = *now;
    enum err_code rc = ERR_OK;
    for (int k = 0; k < years && rc == ERR_OK; k++) {
        struct indicator_value *v = NULL;
        then.period = d->against == AGAINST_LAST_PERIOD ? period_step(&now->period, -1)
                                                        : period_last_year(&then.period);
        f->q = &then;
        rc = form_part(f, d->of, &v);
        for (size_t i = 0; rc == ERR_OK && i < now->areas->n; i++)
            past[i] += usable(&v[i]) ? v[i].value / years : NAN;
    }
    f->q = now;
    return rc;
}

static enum err_code form_against(struct forming *f, const struct indicator_def *d,
                                  struct indicator_value *out) {
    struct indicator_value *of = NULL;
    double *past = ARENA_NEW(f->a, double, f->q->areas->n + 1);
    if (past == NULL) return err_fail(f->err, ERR_NOMEM, "indicators");
    TRY(form_part(f, d->of, &of));
    TRY(form_past(f, d, past));
    for (size_t i = 0; i < f->q->areas->n; i++) {
        if (usable(&of[i]) && !isnan(past[i]))
            set_ratio(&out[i], of[i].value, past[i], d->per);
        else
            out[i] = (struct indicator_value){usable(&of[i]) ? VALUE_NO_DATA : of[i].state, NAN,
                                              NAN, NAN};
    }
    return ERR_OK;
}

static void mark_small(const struct indicator_def *d, struct indicator_value *out, size_t n) {
    for (size_t i = 0; d->enough > 0 && i < n; i++) {
        double size = isnan(out[i].denominator) ? out[i].numerator : out[i].denominator;
        if (out[i].state == VALUE_OK && size < (double)d->enough) out[i].state = VALUE_TOO_SMALL;
    }
}

static enum err_code form(struct forming *f, const struct indicator_def *d,
                          struct indicator_value *out) {
    enum err_code rc = ERR_OK;
    if (d->measure == MEASURE_FIGURE)
        rc = figure_values(f->q, d, f->a, out, f->err);
    else if (d->measure == MEASURE_RATIO)
        rc = form_ratio(f, d, out);
    else if (d->measure == MEASURE_TOTAL)
        rc = form_total(f, d, out);
    else if (d->measure == MEASURE_AGAINST)
        rc = form_against(f, d, out);
    else if (d->measure == MEASURE_MEDIAN || d->measure == MEASURE_DISTINCT)
        rc = value_from_rows(f->q, d, f->a, out, f->err);
    else
        rc = form_counted(f, d, out);
    if (rc == ERR_OK) mark_small(d, out, f->q->areas->n);
    return rc;
}

enum err_code value_form(const struct value_query *q, const struct indicator_def *d,
                         struct arena *a, struct indicator_value *out, struct err *err) {
    struct forming f = {.q = q, .a = a, .err = err};
    return form(&f, d, out);
}
