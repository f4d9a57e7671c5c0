#include "domain/warning/kept.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "store/tables.h"

_Static_assert(col_warning_cases + 3 == KEPT_COLUMNS, "id, version and every column");

void warn_kept_select(struct sql *s, const char *alias) {
    const struct table *t = &table_warning;
    sql_column(s, t, -1, alias);
    sql_add(s, ", ");
    sql_column(s, t, -2, alias);
    for (size_t i = 0; i < t->n_cols; i++) {
        sql_add(s, ", ");
        sql_column(s, t, (int)i, alias);
    }
}

static const char *text_at(const struct cursor *c, int col, struct arena *a) {
    const char *s = arena_strdup(a, cursor_text(c, col));
    return s == NULL ? "" : s;
}

static double real_at(const struct cursor *c, int col) {
    return cursor_is_null(c, col) ? (double)NAN : cursor_real(c, col);
}

void warn_kept_read(const struct cursor *c, int first_col, struct arena *a, struct warn_kept *out) {
    int at = first_col + 2;
    *out = (struct warn_kept){.id = cursor_int(c, first_col),
                              .version = cursor_int(c, first_col + 1),
                              .case_id = cursor_int(c, at + col_warning_case_id),
                              .code = text_at(c, at + col_warning_code, a),
                              .title_en = text_at(c, at + col_warning_title_en, a),
                              .title_zh = text_at(c, at + col_warning_title_zh, a),
                              .cls = text_at(c, at + col_warning_class, a),
                              .area = text_at(c, at + col_warning_area, a),
                              .raised = (int32_t)cursor_int(c, at + col_warning_raised),
                              .last = (int32_t)cursor_int(c, at + col_warning_last),
                              .color = (int)cursor_int(c, at + col_warning_color),
                              .holds = cursor_int(c, at + col_warning_holds) != 0,
                              .joined = cursor_int(c, at + col_warning_joined),
                              .lon = real_at(c, at + col_warning_lon),
                              .lat = real_at(c, at + col_warning_lat),
                              .radius_m = cursor_real(c, at + col_warning_radius_m),
                              .observed = cursor_real(c, at + col_warning_observed),
                              .expected = real_at(c, at + col_warning_expected),
                              .n_cases = cursor_int(c, at + col_warning_n_cases),
                              .rules = text_at(c, at + col_warning_rules, a),
                              .signals = text_at(c, at + col_warning_signals, a),
                              .held = text_at(c, at + col_warning_held, a),
                              .cases = text_at(c, at + col_warning_cases, a)};
}

enum err_code warn_kept_load(struct db *db, const char *code, struct arena *a,
                             struct warn_kept *out, struct err *err) {
    struct sql s;
    struct cursor *c = NULL;
    bool has = false;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    warn_kept_select(&s, "w.");
    sql_add(&s, " FROM warning w WHERE w.ledger = 1 AND w.code = ");
    (void)sql_value(&s, cell_text(code));
    TRY(sql_query(&s, db, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && !has) rc = err_fail(err, ERR_NOT_FOUND, "there is no warning %.48s", code);
    if (rc == ERR_OK) warn_kept_read(c, 0, a, out);
    cursor_close(c);
    return rc;
}

static struct cell some_text(const char *s) {
    return s == NULL || s[0] == '\0' ? cell_null() : cell_text(s);
}

static struct cell some_real(double d) { return isnan(d) ? cell_null() : cell_real(d); }

static void cells_of(const struct warn_kept *k, struct cell *c) {
    c[col_warning_case_id] = cell_int(k->case_id);
    c[col_warning_code] = cell_text(k->code);
    c[col_warning_title_en] = cell_text(k->title_en);
    c[col_warning_title_zh] = cell_text(k->title_zh);
    c[col_warning_class] = some_text(k->cls);
    c[col_warning_area] = some_text(k->area);
    c[col_warning_raised] = cell_int(k->raised);
    c[col_warning_last] = cell_int(k->last);
    c[col_warning_color] = cell_int(k->color);
    c[col_warning_holds] = cell_int(k->holds ? 1 : 0);
    c[col_warning_joined] = k->joined == 0 ? cell_null() : cell_int(k->joined);
    c[col_warning_lon] = some_real(k->lon);
    c[col_warning_lat] = some_real(k->lat);
    c[col_warning_radius_m] = cell_real(k->radius_m);
    c[col_warning_observed] = cell_real(k->observed);
    c[col_warning_expected] = some_real(k->expected);
    c[col_warning_n_cases] = cell_int(k->n_cases);
    c[col_warning_rules] = cell_text(k->rules);
    c[col_warning_signals] = cell_text(k->signals);
    c[col_warning_held] = cell_text(k->held);
    c[col_warning_cases] = cell_text(k->cases);
}

static bool same_cell(const struct cell *x, const struct cell *y) {
    if (x->type != y->type) return false;
    if (x->type == CELL_TEXT) return strcmp(x->p, y->p) == 0;
    return x->type == CELL_REAL ? x->d == y->d : x->i == y->i;
}

enum err_code warn_kept_write(struct tx *tx, struct warn_kept *k, const struct warn_kept *before,
                              bool *changed, struct err *err) {
    struct cell now[KEPT_COLUMNS] = {{0}}, old[KEPT_COLUMNS] = {{0}};
    cells_of(k, now);
    *changed = before == NULL;
    if (before == NULL) {
        k->id = 0;
        k->version = 1;
        return tx_insert(tx, &table_warning, now, &k->id, err);
    }
    cells_of(before, old);
    for (size_t i = 0; i < table_warning.n_cols; i++) *changed |= !same_cell(&now[i], &old[i]);
    if (!*changed) return ERR_OK;
    TRY(tx_update(tx, &table_warning, k->id, k->version, now, err));
    k->version++;
    return ERR_OK;
}

/* ---- signals as they were kept */

static int by_code(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted by code through an array of the codes themselves, whose positions are then replaced. */
struct coded {
    const char *code; /* first: by_code reads it */
    uint32_t row;
};

enum err_code warn_codes_new(struct arena *a, const struct warn_rows *rows, int32_t from,
                             struct warn_codes *out, struct err *err) {
    size_t low = warn_rows_from(rows, from), n = rows->n - low;
    struct coded *sorted = ARENA_NEW(a, struct coded, n + 1);
    *out = (struct warn_codes){.rows = rows, .at = ARENA_NEW(a, uint32_t, n + 1), .n = n};
    if (sorted == NULL || out->at == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct coded){rows->row[low + i].code, (uint32_t)(low + i)};
    if (n > 1) qsort(sorted, n, sizeof *sorted, by_code);
    for (size_t i = 0; i < n; i++) out->at[i] = sorted[i].row;
    return ERR_OK;
}

static bool row_of(const struct warn_codes *codes, const char *code, uint32_t *row) {
    size_t low = 0, high = codes->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(codes->rows->row[codes->at[mid]].code, code);
        if (c == 0) {
            *row = codes->at[mid];
            return true;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

static double number(const struct val *v, const char *key) {
    const struct val *m = val_get(v, key);
    if (m != NULL && m->type == VAL_INT) return (double)m->u.i;
    return m != NULL && m->type == VAL_DOUBLE ? m->u.d : (double)NAN;
}

static const char *word(const struct val *v, const char *key) {
    const struct val *m = val_get(v, key);
    return m != NULL && m->type == VAL_STR ? m->u.s : "";
}

static bool read_day(const struct val *v, const char *key, int32_t *out) {
    int64_t day = 0;
    if (!civil_date_parse(word(v, key), &day)) return false;
    *out = (int32_t)day;
    return true;
}

static enum err_code read_lists(struct arena *a, const struct val *v,
                                const struct warn_codes *codes, struct warn_signal *s,
                                struct err *err) {
    const struct val *places = val_get(v, "places"), *cases = val_get(v, "cases");
    size_t n_places = places != NULL && places->type == VAL_LIST ? places->n : 0;
    size_t n_cases = cases != NULL && cases->type == VAL_LIST ? cases->n : 0, n = 0;
    const char **place = ARENA_NEW(a, const char *, n_places + 1);
    uint32_t *row = ARENA_NEW(a, uint32_t, n_cases + 1);
    if (place == NULL || row == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < n_places; i++)
        place[i] = places->u.list[i].type == VAL_STR ? places->u.list[i].u.s : "";
    for (size_t i = 0; i < n_cases; i++)
        if (cases->u.list[i].type == VAL_STR && row_of(codes, cases->u.list[i].u.s, &row[n])) n++;
    s->place = place;
    s->n_places = n_places;
    s->row = row;
    s->n_rows = n;
    return ERR_OK;
}

/* "event-01": kind and major class, told as the first class of it. */
static uint32_t group_of(const struct pack_set *packs, const char *name) {
    for (size_t i = 0; i < packs->n_classes; i++) {
        const struct case_class *c = &packs->classes[i];
        size_t n = strlen(c->kind);
        if (strncmp(name, c->kind, n) == 0 && name[n] == '-' &&
            strcmp(name + n + 1, c->major_code) == 0)
            return (uint32_t)i;
    }
    return WARN_ANY_CLASS;
}

static void read_held(const struct val *v, struct warn_signal *s) {
    const struct val *held = val_get(v, "held");
    for (int k = 1; k < WARN_N_HELD; k++) {
        double n = number(held, warn_held_name((enum warn_held)k));
        s->held[k] = n > 0 ? (size_t)n : 0;
    }
}

/* *known is false when the rule or the class is no more. */
static enum err_code read_signal(struct arena *a, const struct val *v, const struct warn_set *set,
                                 const struct warn_codes *codes, struct warn_signal *s, bool *known,
                                 struct err *err) {
    const struct pack_set *packs = codes->rows->packs;
    const char *id = word(v, "class");
    const struct case_class *cls = id[0] == '\0' ? NULL : pack_class(packs, id);
    *s =
        (struct warn_signal){.rule = warn_find(set, word(v, "rule")),
                             .cls = cls == NULL ? WARN_ANY_CLASS : (uint32_t)(cls - packs->classes),
                             .lon = number(v, "lon"),
                             .lat = number(v, "lat"),
                             .radius_m = number(v, "radius_m"),
                             .observed = number(v, "observed"),
                             .expected = number(v, "expected"),
                             .p = number(v, "p"),
                             .recurrence = number(v, "recurrence_days")};
    double series = number(v, "series"), periods = number(v, "periods");
    s->n_series = series > 0 ? (size_t)series : 0;
    s->periods = periods > 0 ? (size_t)periods : 0;
    *known = s->rule != NULL && (id[0] == '\0' || cls != NULL);
    const char *group = word(v, "group"), *band = word(v, "band");
    if (*known && s->rule->by_group) {
        s->group = group_of(packs, group);
        *known = s->group != WARN_ANY_CLASS;
    }
    s->band = band[0] == '\0' ? NULL : band;
    if (!read_day(v, "day", &s->day) || !read_day(v, "from", &s->from))
        return err_fail(err, ERR_CORRUPT, "a kept signal without its days");
    read_held(v, s);
    return read_lists(a, v, codes, s, err);
}

enum err_code warn_signals_read(struct arena *a, const char *json, const struct warn_set *set,
                                const struct warn_codes *codes, const struct warn_signal **out,
                                size_t *n, struct err *err) {
    const struct val *v = NULL;
    *n = 0;
    TRY(json_parse(a, json, strlen(json), &v, err));
    if (v->type != VAL_LIST) return err_fail(err, ERR_CORRUPT, "kept signals are no list");
    struct warn_signal *s = ARENA_NEW(a, struct warn_signal, v->n + 1);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < v->n; i++) {
        bool known = false;
        TRY(read_signal(a, &v->u.list[i], set, codes, &s[*n], &known, err));
        if (known) ++*n;
    }
    *out = s;
    return ERR_OK;
}
