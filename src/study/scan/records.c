#include "study/scan/records.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"

static enum err_code no_memory(const struct source *s, struct err *err) {
    return err_fail(err, ERR_NOMEM, "%s: no memory for %zu rows", s->path, s->n_rows);
}
static enum err_code need_rows(const struct source *s, const char *of, struct err *err) {
    if (s->n_rows > 0) return ERR_OK;
    return err_fail(err, ERR_INVALID, "%s:1:1: there are no %s in it", s->path, of);
}

/* ---- fields that several files have ---- */

/* *known is false when the row is to be left out. */
static enum err_code read_id(struct reading *r, const struct source *s, size_t row, size_t index,
                             uint32_t *id, bool *known, struct err *err) {
    const char *text;
    TRY(source_word(s, row, index, "id", &text, err));
    *known = true;
    if (r->ids_open) return names_add(&r->ids, text, id, err);
    int64_t found = names_find(&r->ids, text);
    if (found != NAMES_NONE) {
        *id = (uint32_t)found;
        return ERR_OK;
    }
    if (!r->relaxed_places)
        return source_fail(s, row, index, "id", "a place of the coordinates file", err);
    *known = false;
    return ERR_OK;
}

static enum err_code read_pair(const struct source *s, const struct layout *l, size_t row,
                               bool sphere, double *x, double *y, struct err *err) {
    if (sphere) {
        TRY(source_number(s, row, l->y, "latitude", -90, 90, y, err));
        TRY(source_number(s, row, l->x, "longitude", -180, 180, x, err));
    } else {
        TRY(source_number(s, row, l->x, "x", -1e15, 1e15, x, err));
        TRY(source_number(s, row, l->y, "y", -1e15, 1e15, y, err));
    }
    *x += 0.0; /* -0 becomes 0: one position has one bit pattern */
    *y += 0.0;
    return ERR_OK;
}

/* Field number k of a row's covariates, SOURCE_ABSENT behind the last. */
static size_t covariate_at(const struct source *s, const struct layout *l, size_t row, size_t k) {
    if (l->first_covariate == SOURCE_ABSENT)
        return k < l->n_covariates ? l->covariate[k] : SOURCE_ABSENT;
    size_t index = l->first_covariate + k;
    return index < source_width(s, row) ? index : SOURCE_ABSENT;
}

static enum err_code join_covariates(const struct source *s, const struct layout *l, size_t row,
                                     struct buf *key, size_t *n, struct err *err) {
    for (*n = 0;; ++*n) {
        size_t index = covariate_at(s, l, row, *n);
        const char *text;
        if (index == SOURCE_ABSENT) return buf_check(key, err);
        if (*n == RECORDS_MAX_COVARIATES)
            return source_fail(s, row, index, "covariate", "at most 32 covariates", err);
        TRY(source_word(s, row, index, "covariate", &text, err));
        buf_str(key, text);
        buf_char(key, '\x1f');
    }
}

static enum err_code read_covariates(struct reading *r, const struct source *s,
                                     const struct layout *l, size_t row, uint32_t *category,
                                     struct err *err) {
    struct buf key;
    size_t n = 0;
    buf_init(&key, 1 << 16);
    enum err_code rc = join_covariates(s, l, row, &key, &n, err);
    if (rc == ERR_OK && r->n_covariates == SIZE_MAX) r->n_covariates = n;
    if (rc == ERR_OK && n != r->n_covariates) {
        size_t at = covariate_at(s, l, row, n < r->n_covariates ? n : r->n_covariates);
        size_t behind = at == SOURCE_ABSENT ? source_width(s, row) : at;
        char expected[96];
        if (r->n_covariates == 0)
            (void)snprintf(expected, sizeof expected,
                           "nothing here: there is no population with covariates");
        else
            (void)snprintf(expected, sizeof expected,
                           "%zu covariates, as many as in the rows before and the population",
                           r->n_covariates);
        rc = source_fail(s, row, behind, "covariate", expected, err);
    }
    if (rc == ERR_OK && r->strata_open) {
        rc = names_add(&r->strata, buf_text(&key), category, err);
    } else if (rc == ERR_OK) {
        int64_t found = names_find(&r->strata, buf_text(&key));
        if (found == NAMES_NONE)
            rc = source_fail(s, row, covariate_at(s, l, row, 0), "covariates",
                             "a category that the population has", err);
        *category = (uint32_t)found;
    }
    buf_deinit(&key);
    return rc;
}

static int year_of(int64_t day) {
    int year, month, d;
    civil_from_days(day, &year, &month, &d);
    return year;
}

static enum err_code read_date(const struct reading *r, const struct source *s, size_t row,
                               size_t index, enum time_role role, struct time_point *at,
                               struct err *err) {
    const char *text, *expected;
    int first = r->has_period ? year_of(r->start) : 0, last = r->has_period ? year_of(r->end) : 0;
    TRY(source_word(s, row, index, "date", &text, err));
    if (!time_parse(text, r->generic, role, first, last, at, &expected))
        return source_fail(s, row, index, "date", expected, err);
    return ERR_OK;
}

/* ---- places ---- */

static enum err_code none_behind(const struct source *s, const struct layout *l, size_t row,
                                 struct err *err) {
    size_t last = l->x > l->y ? l->x : l->y;
    if (s->table != NULL || l->mapped || source_get(s, row, last + 1) == NULL) return ERR_OK;
    return source_fail(s, row, last + 1, "field", "nothing behind two coordinates", err);
}

enum err_code records_places(struct reading *r, const struct source *s, const struct layout *l,
                             bool sphere, struct place_rows *out, struct err *err) {
    TRY(need_rows(s, "places", err));
    *out = (struct place_rows){.row = ARENA_NEW(r->a, struct place_row, s->n_rows)};
    if (out->row == NULL) return no_memory(s, err);
    for (size_t i = 0; i < s->n_rows; i++) {
        struct place_row *p = &out->row[out->n++];
        const char *text;
        TRY(source_word(s, i, l->id, "id", &text, err));
        TRY(names_add(&r->ids, text, &p->id, err));
        TRY(read_pair(s, l, i, sphere, &p->x, &p->y, err));
        TRY(none_behind(s, l, i, err));
        p->row = i;
    }
    return ERR_OK;
}

enum err_code records_grid(struct reading *r, const struct source *s, const struct layout *l,
                           bool sphere, struct place_rows *out, struct err *err) {
    TRY(need_rows(s, "grid points", err));
    *out = (struct place_rows){.row = ARENA_NEW(r->a, struct place_row, s->n_rows)};
    if (out->row == NULL) return no_memory(s, err);
    for (size_t i = 0; i < s->n_rows; i++) {
        struct place_row *p = &out->row[out->n++];
        TRY(read_pair(s, l, i, sphere, &p->x, &p->y, err));
        TRY(none_behind(s, l, i, err));
        p->row = i;
    }
    return ERR_OK;
}

/* ---- population, cases and controls ---- */

enum err_code records_population(struct reading *r, const struct source *s, const struct layout *l,
                                 struct population_rows *out, struct err *err) {
    TRY(need_rows(s, "populations", err));
    *out = (struct population_rows){.row = ARENA_NEW(r->a, struct population_row, s->n_rows)};
    if (out->row == NULL) return no_memory(s, err);
    bool first = true, dated = false;
    for (size_t i = 0; i < s->n_rows; i++) {
        struct population_row row = {.seq = i};
        bool known;
        TRY(read_id(r, s, i, l->id, &row.id, &known, err));
        const char *date = source_get(s, i, l->date);
        row.dated = date != NULL && strcmp(date, "unspecified") != 0;
        if (l->date != SOURCE_ABSENT && date == NULL)
            return source_fail(s, i, l->date, "date", "a date or unspecified", err);
        if (row.dated) TRY(read_date(r, s, i, l->date, TIME_OF_POPULATION, &row.at, err));
        if (!first && row.dated != dated)
            return source_fail(s, i, l->date, "date",
                               dated ? "a date, as in the rows before"
                                     : "unspecified, as in the rows before",
                               err);
        first = false;
        dated = row.dated;
        TRY(source_number(s, i, l->count, "population", 0, INFINITY, &row.population, err));
        TRY(read_covariates(r, s, l, i, &row.category, err));
        if (known)
            out->row[out->n++] = row;
        else
            r->left_out_places++;
    }
    return ERR_OK;
}

static enum err_code read_count_date(struct reading *r, const struct source *s,
                                     const struct layout *l, size_t i, struct count_row *row,
                                     bool *inside, struct err *err) {
    static const char *const names[] = {"", "year", "month", "day", ""};
    struct time_point at;
    *inside = true;
    if (r->precision == TIME_NONE) {
        row->day = r->has_period ? r->start : 0;
        return ERR_OK;
    }
    TRY(read_date(r, s, i, l->date, TIME_OF_COUNT, &at, err));
    if (!r->generic && at.precision < r->precision) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "a date exact to the %s", names[r->precision]);
        return source_fail(s, i, l->date, "date", expected, err);
    }
    row->day = at.day;
    if (!r->has_period || (at.day >= r->start && at.day <= r->end)) return ERR_OK;
    if (!r->relaxed_times) {
        char expected[96], from[24], to[24];
        time_format(r->start, r->generic, from);
        time_format(r->end, r->generic, to);
        (void)snprintf(expected, sizeof expected, "a date of the study period %s to %s", from, to);
        return source_fail(s, i, l->date, "date", expected, err);
    }
    *inside = false;
    return ERR_OK;
}

/* First and last day so far, and the rows in which they stand. */
static void keep_ends(struct count_rows *c, int64_t day, size_t row, size_t *first, size_t *last) {
    if (c->n == 0 || day < c->first_day) {
        c->first_day = day;
        *first = row;
    }
    if (c->n == 0 || day > c->last_day) {
        c->last_day = day;
        *last = row;
    }
}

enum err_code records_counts(struct reading *r, const struct source *s, const struct layout *l,
                             const char *what, struct count_rows *out, struct err *err) {
    TRY(need_rows(s, what, err));
    size_t first = 0, last = 0;
    *out = (struct count_rows){.row = ARENA_NEW(r->a, struct count_row, s->n_rows)};
    if (out->row == NULL) return no_memory(s, err);
    for (size_t i = 0; i < s->n_rows; i++) {
        struct count_row row = {.n = 1};
        bool known, inside;
        TRY(read_id(r, s, i, l->id, &row.id, &known, err));
        if (l->count != SOURCE_ABSENT)
            TRY(source_count(s, i, l->count, what, INT32_MAX, &row.n, err));
        if (row.n == 0) continue;
        TRY(read_count_date(r, s, l, i, &row, &inside, err));
        TRY(read_covariates(r, s, l, i, &row.category, err));
        if (!known) r->left_out_places += row.n;
        if (known && !inside) r->left_out_times += row.n;
        if (!known || !inside) continue;
        keep_ends(out, row.day, i, &first, &last);
        out->total += row.n;
        if (out->total > INT32_MAX)
            return source_fail(s, i, l->count, what, "fewer than 2^31 in all", err);
        out->row[out->n++] = row;
    }
    out->first_at = source_at(r->a, s, first, l->date);
    out->last_at = source_at(r->a, s, last, l->date);
    return out->first_at != NULL && out->last_at != NULL ? ERR_OK : no_memory(s, err);
}

/* ---- edges and neighbours ---- */

enum err_code records_edges(struct reading *r, const struct source *s, const struct layout *l,
                            struct edge_rows *out, struct err *err) {
    TRY(need_rows(s, "edges", err));
    *out = (struct edge_rows){.row = ARENA_NEW(r->a, struct edge_row, s->n_rows)};
    if (out->row == NULL) return no_memory(s, err);
    for (size_t i = 0; i < s->n_rows; i++) {
        struct edge_row row = {.length = NAN};
        bool known, other_known;
        TRY(read_id(r, s, i, l->id, &row.from, &known, err));
        const char *other = source_get(s, i, l->other);
        if (s->table == NULL && other == NULL) continue; /* a place without any edge */
        TRY(read_id(r, s, i, l->other, &row.to, &other_known, err));
        const char *length = source_get(s, i, l->length);
        if (length != NULL && *length != '\0')
            TRY(source_number(s, i, l->length, "length", 0, INFINITY, &row.length, err));
        if (s->table == NULL && source_width(s, i) > 3)
            return source_fail(s, i, 3, "field", "nothing behind the length", err);
        if (!known || !other_known) {
            r->left_out_places++;
            continue;
        }
        if (row.from == row.to)
            return source_fail(s, i, l->other, "id", "another place than the first", err);
        out->row[out->n++] = row;
    }
    return ERR_OK;
}

/* One row: the owner, then its neighbours; stamp[id] == row + 1 says that id stood in this row. */
static enum err_code read_neighbors(struct reading *r, const struct source *s, size_t i,
                                    size_t *stamp, struct neighbor_rows *out, size_t *n,
                                    struct err *err) {
    size_t width = source_width(s, i);
    for (size_t k = 0; k < width; k++) {
        uint32_t id = 0;
        bool known = false;
        TRY(read_id(r, s, i, k, &id, &known, err));
        if (!known) {
            r->left_out_places++;
            if (k == 0) return ERR_OK;
            continue;
        }
        if (k == 0) {
            out->owner[out->n] = id;
            out->first[out->n++] = *n;
        } else if (stamp[id] == i + 1) {
            /* The owner may be told again as its own nearest neighbour. */
            if (k == 1 && id == out->owner[out->n - 1]) continue;
            return source_fail(s, i, k, "id", "each neighbour once", err);
        }
        stamp[id] = i + 1;
        out->neighbor[(*n)++] = id;
    }
    return ERR_OK;
}

enum err_code records_neighbors(struct reading *r, const struct source *s,
                                struct neighbor_rows *out, struct err *err) {
    size_t fields = 0, n = 0;
    TRY(need_rows(s, "neighbours", err));
    if (s->table != NULL)
        return err_fail(err, ERR_INVALID, "%s: neighbours are read from plain text only", s->path);
    for (size_t i = 0; i < s->n_rows; i++) fields += source_width(s, i);
    *out = (struct neighbor_rows){.owner = ARENA_NEW(r->a, uint32_t, s->n_rows),
                                  .first = ARENA_NEW(r->a, size_t, s->n_rows + 1),
                                  .neighbor = ARENA_NEW(r->a, uint32_t, fields)};
    size_t *stamp = ARENA_NEW(r->a, size_t, r->ids.n + fields);
    uint8_t *owned = ARENA_NEW(r->a, uint8_t, r->ids.n + fields);
    if (out->owner == NULL || out->first == NULL || out->neighbor == NULL || stamp == NULL ||
        owned == NULL)
        return no_memory(s, err);
    for (size_t i = 0; i < s->n_rows; i++) {
        size_t before = out->n;
        TRY(read_neighbors(r, s, i, stamp, out, &n, err));
        if (out->n == before) continue;
        if (owned[out->owner[before]])
            return source_fail(s, i, 0, "id", "one row of neighbours a place", err);
        owned[out->owner[before]] = 1;
    }
    out->first[out->n] = n;
    return ERR_OK;
}
