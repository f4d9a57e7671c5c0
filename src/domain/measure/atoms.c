#include "domain/measure/atoms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/hash.h"
#include "base/json.h"
#include "store/image.h"

static const int64_t day_us = 86400000000, second_us = 1000000;
static const int64_t max_value = 1000000000000000; /* of one row */
enum { FORMAT = 3, MAX_CELL_TEXT = 400 };

/* Roles by measure; the first 0 ends a row. */
static const enum atom_role roles[][2] = {[MEASURE_COUNT] = {ATOM_ROWS, 0},
                                          [MEASURE_SUM] = {ATOM_SUM, 0},
                                          [MEASURE_MEAN] = {ATOM_ROWS, ATOM_SUM},
                                          [MEASURE_MEDIAN] = {0, 0},
                                          [MEASURE_SHARE] = {ATOM_ROWS, ATOM_PART},
                                          [MEASURE_BETWEEN] = {ATOM_ROWS, ATOM_SUM},
                                          [MEASURE_DISTINCT] = {0, 0},
                                          [MEASURE_FIGURE] = {0, 0},
                                          [MEASURE_RATIO] = {0, 0},
                                          [MEASURE_TOTAL] = {0, 0},
                                          [MEASURE_AGAINST] = {0, 0}};

/* Where a row lies, from the cell up. */
static const char *const place_fields[CUBE_CODES] = {"cell", "community", "town", "county", "city"};

static void need_var(void *ctx, const struct expr_var *var) {
    if (var->slot >= 0) ((bool *)ctx)[var->slot] = true;
}

static void need_columns(const struct indicator_def *d, bool *needed) {
    const int cols[] = {d->time_col, d->value_col, d->from_col, d->to_col};
    for (size_t i = 0; i < sizeof cols / sizeof cols[0]; i++)
        if (cols[i] >= 0) needed[cols[i]] = true;
    if (d->filter != NULL) expr_each_var(d->filter, need_var, needed);
    if (d->part != NULL) expr_each_var(d->part, need_var, needed);
    for (int i = 0; i < CUBE_CODES; i++) {
        int col = type_field(d->type, place_fields[i]);
        if (col >= 0) needed[col] = true;
    }
    int cls = type_field(d->type, "class");
    if (cls >= 0) needed[cls] = true;
}

static size_t type_index(const struct atoms *t, const struct type_def *type) {
    size_t i = 0;
    while (i < t->n_types && t->types[i] != type) i++;
    return i;
}

static enum err_code add_type(struct arena *a, struct atoms *t, const struct indicator_def *d,
                              const struct type_def **types, bool **needed, struct err *err) {
    size_t i = type_index(t, d->type);
    if (i == t->n_types) {
        types[i] = d->type;
        needed[i] = ARENA_NEW(a, bool, d->type->n_fields + 1);
        if (needed[i] == NULL) return err_fail(err, ERR_NOMEM, "indicators");
        t->n_types++;
    }
    need_columns(d, needed[i]);
    return ERR_OK;
}

/* Another zone moves rows to other days: its offsets over the years are part of the tag. */
static void make_tag(struct atoms *t) {
    uint64_t format = FORMAT;
    int32_t offset[4 * 100];
    for (int i = 0; i < 400; i++) offset[i] = tz_offset_s(t->tz, (int64_t)i * 91 * day_us);
    struct hash_piece pieces[] = {
        {&format, sizeof format}, {t->packs->hash, 32}, {offset, sizeof offset}};
    hash_sha256(pieces, 3, t->tag);
}

enum err_code atoms_new(struct arena *a, const struct pack_set *packs, const struct tz *tz,
                        const struct atoms **out, struct err *err) {
    struct atoms *t = ARENA_NEW(a, struct atoms, 1);
    struct atom *atom = ARENA_NEW(a, struct atom, 2 * packs->n_indicators + 1);
    bool *wide = ARENA_NEW(a, bool, 2 * packs->n_indicators + 1);
    size_t *first = ARENA_NEW(a, size_t, packs->n_indicators + 1);
    const struct type_def **types = ARENA_NEW(a, const struct type_def *, packs->n_types + 1);
    bool **needed = ARENA_NEW(a, bool *, packs->n_types + 1);
    if (t == NULL || atom == NULL || wide == NULL || first == NULL || types == NULL ||
        needed == NULL)
        return err_fail(err, ERR_NOMEM, "indicators");
    *t = (struct atoms){.packs = packs, .tz = tz, .atom = atom, .wide = wide, .first = first};
    t->types = types;
    t->needed = (const bool *const *)needed;
    for (size_t i = 0; i < packs->n_indicators; i++) {
        const struct indicator_def *d = &packs->indicators[i];
        first[i] = SIZE_MAX;
        for (int k = 0; k < 2 && roles[d->measure][k] != 0; k++) {
            if (k == 0) first[i] = t->n;
            wide[t->n] = roles[d->measure][k] == ATOM_SUM;
            atom[t->n++] = (struct atom){d, roles[d->measure][k]};
        }
        if (d->type != NULL) TRY(add_type(a, t, d, types, needed, err));
    }
    make_tag(t);
    *out = t;
    return ERR_OK;
}

size_t atoms_find(const struct atoms *t, const struct indicator_def *d, enum atom_role role) {
    size_t at = t->first[d - t->packs->indicators];
    for (; at != SIZE_MAX && at < t->n && t->atom[at].def == d; at++)
        if (t->atom[at].role == role) return at;
    return SIZE_MAX;
}

/* ---- rows from images */

static enum err_code read_cell(const struct column *c, struct arena *a,
                               const struct image_member *m, struct cell *out, struct err *err) {
    const struct val *v = NULL;
    *out = cell_null();
    if (c->personal || c->type == COL_JSON || c->type == COL_BLOB) return ERR_OK;
    TRY(json_parse(a, m->value, m->value_n, &v, err));
    if (v->type == VAL_INT)
        *out = c->type == COL_REAL ? cell_real((double)v->u.i) : cell_int(v->u.i);
    else if (v->type == VAL_DOUBLE)
        *out = cell_real(v->u.d);
    else if (v->type == VAL_BOOL)
        *out = cell_int(v->u.b ? 1 : 0);
    else if (v->type == VAL_STR)
        *out = cell_textn(v->u.s, v->n);
    return ERR_OK;
}

enum err_code row_of_image(const struct atoms *t, const struct type_def *type, struct arena *a,
                           const char *image, size_t n, struct cell *cells, struct err *err) {
    const struct table *table = &type->table;
    struct image_iter it = image_walk(image, n);
    struct image_member m;
    int state = 0;
    size_t col = 0; /* members stand in the order of columns: the walk only goes on */
    const bool *needed = t->needed[type_index(t, type)];
    memset(cells, 0, table->n_cols * sizeof *cells);
    while ((state = image_next(&it, &m)) == 1) {
        size_t tried = 0;
        for (; tried < table->n_cols; tried++, col = (col + 1) % table->n_cols)
            if (strlen(table->cols[col].name) == m.key_n &&
                memcmp(table->cols[col].name, m.key, m.key_n) == 0)
                break;
        if (tried == table->n_cols) continue; /* a column of an older pack */
        if (needed[col]) TRY(read_cell(&table->cols[col], a, &m, &cells[col], err));
    }
    return state == 0 ? ERR_OK : err_fail(err, ERR_CORRUPT, "a row image of %s", table->name);
}

/* ---- what a row gives */

static void look_up(void *ctx, const struct expr_var *var, struct expr_value *out) {
    const struct measured_row *r = ctx;
    if (var->slot < 0) return;
    const struct cell *c = &r->cells[var->slot];
    switch (c->type) {
    case CELL_INT:
        out->type = var->type;
        out->i = c->i;
        out->b = c->i != 0;
        if (var->type == EXPR_DOUBLE) out->d = (double)c->i;
        break;
    case CELL_REAL:
        out->type = EXPR_DOUBLE;
        out->d = c->d;
        break;
    case CELL_TEXT:
        out->type = EXPR_STRING;
        out->s = c->p;
        break;
    default:
        break;
    }
}

static bool passes(const struct measured_row *r, const struct expr *e) {
    return e == NULL || expr_eval(e, look_up, (void *)(uintptr_t)r);
}

/* A warning is work about the figures, not one of them. */
static bool is_task(const struct measured_row *r) {
    int col = type_field(r->type, "class");
    return col >= 0 && r->type->fields[col].kind == FIELD_CLASS &&
           r->cells[col].type == CELL_TEXT && class_is_task(r->cells[col].p);
}

bool row_counts(const struct atoms *t, const struct measured_row *r, const struct indicator_def *d,
                int32_t *day) {
    if (d->type != r->type || d->time_col < 0) return false;
    const struct cell *at = &r->cells[d->time_col];
    if (at->type != CELL_INT || at->i <= (CUBE_DAY_MIN + 1) * day_us ||
        at->i >= (CUBE_DAY_MAX - 1) * day_us || is_task(r) != d->tasks || !passes(r, d->filter))
        return false;
    int64_t local = tz_to_local(t->tz, at->i);
    *day = (int32_t)(local >= 0 ? local / day_us : -((-local + day_us - 1) / day_us));
    return true;
}

struct cube_place row_place(const struct measured_row *r) {
    const char *to[CUBE_CODES];
    for (int i = 0; i < CUBE_CODES; i++) {
        int col = type_field(r->type, place_fields[i]);
        const struct cell *c = col < 0 ? NULL : &r->cells[col];
        to[i] = c == NULL || c->type != CELL_TEXT || c->n > MAX_CELL_TEXT / 2 ? "" : c->p;
    }
    return (struct cube_place){to[0], to[1], to[2], to[3], to[4]};
}

/* The measured value as a whole number; false when the row has none, or one so far out that sums
 * of some thousand such would not fit. */
static bool value_of(const struct measured_row *r, const struct indicator_def *d, int64_t *out) {
    *out = 0;
    if (d->measure == MEASURE_COUNT || d->measure == MEASURE_SHARE) return true;
    if (d->measure == MEASURE_BETWEEN) {
        const struct cell *from = &r->cells[d->from_col], *to = &r->cells[d->to_col];
        if (from->type != CELL_INT || to->type != CELL_INT || to->i < from->i) return false;
        int64_t us = 0;
        if (__builtin_sub_overflow(to->i, from->i, &us)) return false;
        *out = us / second_us;
        return *out <= max_value;
    }
    if (d->value_col < 0) return false;
    const struct cell *c = &r->cells[d->value_col];
    if (c->type == CELL_INT) *out = c->i;
    if (c->type == CELL_REAL && fabs(c->d) < 1e9) *out = llround(c->d * 1e6);
    return c->type == CELL_INT ? c->i >= -max_value && c->i <= max_value
                               : c->type == CELL_REAL && fabs(c->d) < 1e9;
}

bool row_filtered(const struct atoms *t, const struct measured_row *r,
                  const struct indicator_def *d) {
    (void)t;
    return d->type == r->type && is_task(r) == d->tasks && passes(r, d->filter);
}

bool row_gives(const struct atoms *t, const struct measured_row *r, const struct indicator_def *d,
               bool *part) {
    int32_t day = 0;
    int64_t value = 0;
    bool by_rows = d->measure == MEASURE_MEDIAN || d->measure == MEASURE_DISTINCT;
    if (!row_counts(t, r, d, &day)) return false;
    if (by_rows ? r->cells[d->value_col].type == CELL_NULL : !value_of(r, d, &value)) return false;
    *part = passes(r, d->part);
    return true;
}

enum err_code row_add(const struct atoms *t, const struct measured_row *r, int sign,
                      struct cube *cube, struct err *err) {
    const struct cube_place where = row_place(r);
    uint32_t place = UINT32_MAX;
    for (size_t i = 0; i < t->n;) {
        const struct indicator_def *d = t->atom[i].def;
        int32_t day = 0;
        int64_t value = 0;
        bool counts = row_counts(t, r, d, &day) && value_of(r, d, &value);
        for (; i < t->n && t->atom[i].def == d; i++) {
            if (!counts || (t->atom[i].role == ATOM_PART && !passes(r, d->part))) continue;
            int64_t add = t->atom[i].role == ATOM_SUM ? value : 1;
            if (place == UINT32_MAX) TRY(cube_place_of(cube, &where, &place, err));
            TRY(cube_add(cube, i, day, place, sign * add, err));
        }
    }
    return ERR_OK;
}
