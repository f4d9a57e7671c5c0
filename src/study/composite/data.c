#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/composite/index.h"

struct reading {
    const struct table *t, *by; /* data; table of denominators or NULL */
    const struct index_frame *f;
    struct arena *a;
    size_t code, name, time; /* columns */
    size_t n;
    struct index_data *out;
};

static enum err_code no_memory(const struct reading *r, struct err *err) {
    return err_fail(err, ERR_NOMEM, "%s: no memory for %zu areas", r->t->path, r->n);
}

/* ---- indices of texts: equal ones get one number, in the order of the texts ---- */

struct text_at {
    const char *s;
    size_t at, period;
};
static int by_text(const void *a, const void *b) {
    const struct text_at *x = a, *y = b;
    int c = strcmp(x->s, y->s);
    if (c != 0) return c;
    if (x->period != y->period) return x->period < y->period ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

static enum err_code number_texts(const struct reading *r, size_t col, uint32_t *to,
                                  struct err *err) {
    struct text_at *all = ARENA_NEW(r->a, struct text_at, r->n);
    if (all == NULL) return no_memory(r, err);
    for (size_t j = 0; j < r->n; j++) all[j] = (struct text_at){table_text(r->t, j, col), j, 0};
    qsort(all, r->n, sizeof *all, by_text);
    uint32_t next = 0;
    for (size_t j = 0; j < r->n; j++) {
        if (j > 0 && strcmp(all[j].s, all[j - 1].s) != 0) next++;
        to[all[j].at] = next;
    }
    return ERR_OK;
}

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

/* ---- parts ---- */

static enum err_code take_areas(struct reading *r, struct err *err) {
    const char **code = ARENA_NEW(r->a, const char *, r->n),
               **name = ARENA_NEW(r->a, const char *, r->n);
    size_t *row = ARENA_NEW(r->a, size_t, r->n);
    if (code == NULL || name == NULL || row == NULL) return no_memory(r, err);
    for (size_t j = 0; j < r->n; j++) {
        row[j] = j;
        code[j] = table_text(r->t, j, r->code);
        if (code[j][0] == '\0') return table_fail(r->t, j, r->code, "the code of an area", err);
        name[j] = r->name == SIZE_MAX ? "" : table_text(r->t, j, r->name);
        if (name[j][0] == '\0') name[j] = code[j];
    }
    r->out->row = row;
    r->out->name = name;
    r->out->data.area = code;
    return ERR_OK;
}

/* Panel: unit, time and period of each column. */
static enum err_code take_times(struct reading *r, struct err *err) {
    struct composite_data *d = &r->out->data;
    r->out->n_period = 1;
    if (r->time == SIZE_MAX) return ERR_OK;
    uint32_t *unit = ARENA_NEW(r->a, uint32_t, r->n), *period = ARENA_NEW(r->a, uint32_t, r->n);
    double *time = ARENA_NEW(r->a, double, r->n), *sorted = ARENA_NEW(r->a, double, r->n);
    if (unit == NULL || period == NULL || time == NULL || sorted == NULL) return no_memory(r, err);
    TRY(number_texts(r, r->code, unit, err));
    for (size_t j = 0; j < r->n; j++) {
        TRY(table_number(r->t, j, r->time, false, &time[j], err));
        sorted[j] = time[j];
    }
    qsort(sorted, r->n, sizeof *sorted, by_number);
    size_t n_period = 0;
    for (size_t j = 0; j < r->n; j++) {
        if (j == 0 || sorted[j] != sorted[n_period - 1]) sorted[n_period++] = sorted[j];
    }
    for (size_t j = 0; j < r->n; j++) {
        const double *at = bsearch(&time[j], sorted, n_period, sizeof *sorted, by_number);
        period[j] = at == NULL ? 0 : (uint32_t)(at - sorted);
    }
    d->unit = unit;
    d->time = time;
    d->period = period;
    r->out->n_period = n_period;
    r->out->period_time = sorted;
    return ERR_OK;
}

static enum err_code refuse_twins(struct reading *r, struct err *err) {
    struct text_at *all = ARENA_NEW(r->a, struct text_at, r->n);
    const uint32_t *period = r->out->data.period;
    if (all == NULL) return no_memory(r, err);
    for (size_t j = 0; j < r->n; j++)
        all[j] = (struct text_at){table_text(r->t, j, r->code), j, period == NULL ? 0 : period[j]};
    qsort(all, r->n, sizeof *all, by_text);
    for (size_t j = 1; j < r->n; j++) {
        if (strcmp(all[j].s, all[j - 1].s) == 0 && all[j].period == all[j - 1].period)
            return table_fail(r->t, all[j].at, r->code, "an area that no row above has", err);
    }
    return ERR_OK;
}

static enum err_code take_values(struct reading *r, struct err *err) {
    const struct composite_tree *t = &r->f->tree;
    double *v = ARENA_NEW(r->a, double, t->n_ind * r->n);
    if (v == NULL) return no_memory(r, err);
    for (size_t i = 0; i < t->n_ind; i++) {
        size_t col;
        TRY(table_column(r->t, t->code[i], true, &col, err));
        for (size_t j = 0; j < r->n; j++) {
            struct err inner = {0};
            if (table_number(r->t, j, col, true, &v[i * r->n + j], &inner) != ERR_OK)
                return err_fail(err, inner.code, "%s (area %s)", inner.detail,
                                r->out->data.area[j]);
        }
    }
    r->out->data.value = v;
    return ERR_OK;
}

/* Row of the table of denominators for each column of the data. */
static enum err_code match_areas(struct reading *r, size_t *row, struct err *err) {
    size_t code, n = r->by->n_row;
    TRY(table_column(r->by, "uCode", true, &code, err));
    struct text_at *all = ARENA_NEW(r->a, struct text_at, n);
    if (all == NULL) return no_memory(r, err);
    for (size_t k = 0; k < n; k++) all[k] = (struct text_at){table_text(r->by, k, code), k, 0};
    qsort(all, n, sizeof *all, by_text);
    for (size_t j = 0; j < r->n; j++) {
        const char *want = table_text(r->t, j, r->code);
        size_t low = 0, high = n;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (strcmp(all[mid].s, want) < 0)
                low = mid + 1;
            else
                high = mid;
        }
        if (low == n || strcmp(all[low].s, want) != 0)
            return err_fail(err, ERR_INVALID, "%s: no row for area %s (%s:%ld)", r->by->path, want,
                            r->t->path, r->t->line[j]);
        row[j] = all[low].at;
    }
    return ERR_OK;
}

/* Number of a denominator in the list of those met so far, added when new. */
static uint32_t denominator_number(const char **met, uint32_t *n, const char *name) {
    for (uint32_t k = 0; k < *n; k++) {
        if (strcmp(met[k], name) == 0) return k;
    }
    met[*n] = name;
    return (*n)++;
}

static enum err_code take_denominator(struct reading *r, const char *name, const size_t *row,
                                      double *to, struct err *err) {
    size_t col = SIZE_MAX;
    const struct table *t = r->by;
    if (t != NULL) TRY(table_column(t, name, false, &col, err));
    if (col == SIZE_MAX) {
        t = r->t;
        TRY(table_column(t, name, false, &col, err));
    }
    if (col == SIZE_MAX)
        return err_fail(err, ERR_INVALID,
                        "%s: denominator \"%s\" is a column neither of %s nor of a file of "
                        "denominators",
                        r->f->table->path, name, r->t->path);
    for (size_t j = 0; j < r->n; j++)
        TRY(table_number(t, t == r->t ? j : row[j], col, true, &to[j], err));
    return ERR_OK;
}

static enum err_code take_denominators(struct reading *r, struct err *err) {
    size_t m = r->f->tree.n_ind;
    uint32_t *of = ARENA_NEW(r->a, uint32_t, m), n = 0;
    const char **met = ARENA_NEW(r->a, const char *, m);
    size_t *row = ARENA_NEW(r->a, size_t, r->n);
    if (of == NULL || met == NULL || row == NULL) return no_memory(r, err);
    for (size_t i = 0; i < m; i++)
        of[i] = r->f->denominator[i][0] == '\0' ? COMPOSITE_NONE
                                                : denominator_number(met, &n, r->f->denominator[i]);
    double *v = ARENA_NEW(r->a, double, n * r->n + 1);
    if (v == NULL) return no_memory(r, err);
    if (n > 0 && r->by != NULL) TRY(match_areas(r, row, err));
    for (uint32_t k = 0; k < n; k++) TRY(take_denominator(r, met[k], row, v + k * r->n, err));
    r->out->data.n_denominator = n;
    r->out->data.denominator = v;
    r->out->data.denominator_of = of;
    return ERR_OK;
}

enum err_code index_data_read(const struct table *data, const struct table *denominators,
                              const struct index_frame *f, struct arena *a, struct index_data *out,
                              struct err *err) {
    struct reading r = {
        .t = data, .by = denominators, .f = f, .a = a, .n = data->n_row, .out = out};
    *out = (struct index_data){.table = data};
    if (r.n == 0) return err_fail(err, ERR_INVALID, "%s: there are no areas", data->path);
    TRY(table_column(data, "uCode", true, &r.code, err));
    TRY(table_column(data, "uName", false, &r.name, err));
    TRY(table_column(data, "Time", false, &r.time, err));
    out->data.n_area = r.n;
    TRY(take_areas(&r, err));
    TRY(take_times(&r, err));
    TRY(refuse_twins(&r, err));
    TRY(take_values(&r, err));
    return take_denominators(&r, err);
}

enum err_code index_data_group(struct index_data *d, const char *column, struct arena *a,
                               struct err *err) {
    struct reading r = {.t = d->table, .a = a, .n = d->data.n_area, .out = d};
    size_t col;
    TRY(table_column(d->table, column, true, &col, err));
    uint32_t *group = ARENA_NEW(a, uint32_t, r.n);
    if (group == NULL) return no_memory(&r, err);
    TRY(number_texts(&r, col, group, err));
    for (size_t j = 0; j < r.n; j++) { /* no group: filled from no group */
        const char *s = table_text(d->table, j, col);
        if (s[0] == '\0' || strcmp(s, "NA") == 0) group[j] = COMPOSITE_NONE;
    }
    d->data.group = group;
    return ERR_OK;
}
