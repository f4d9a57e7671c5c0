/* Medians and distinct counts: no sums of parts, so the rows of the period are read. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/hash.h"
#include "domain/measure/as_of.h"
#include "domain/measure/row_scan.h"
#include "domain/measure/value.h"

static const int64_t day_us = 86400000000;
enum { IMAGE_ARENA = 4 << 20 };

struct row_value {
    int32_t area;
    double number;
    uint64_t text; /* hash of a text value */
};
struct gathering {
    const struct value_query *q;
    const struct indicator_def *d;
    struct arena *a;
    struct row_value *v;
    size_t n, cap;
};

static enum err_code keep(struct gathering *g, int32_t area, const struct cell *c,
                          struct err *err) {
    if (g->n == g->cap) {
        size_t cap = g->cap == 0 ? 1024 : g->cap * 2;
        struct row_value *more = ARENA_NEW(g->a, struct row_value, cap);
        if (more == NULL) return err_fail(err, ERR_NOMEM, "indicators");
        if (g->n > 0) memcpy(more, g->v, g->n * sizeof *more);
        g->v = more;
        g->cap = cap;
    }
    struct row_value v = {area, 0, 0};
    if (c->type == CELL_TEXT)
        v.text = hash_xxh64(c->p, c->n, 1);
    else
        v.number = c->type == CELL_REAL ? c->d : (double)c->i;
    g->v[g->n++] = v;
    return ERR_OK;
}

static enum err_code take_row(void *ctx, const struct measured_row *row, struct err *err) {
    struct gathering *g = ctx;
    const struct cell *value = &row->cells[g->d->value_col];
    int32_t day = 0;
    if (value->type == CELL_NULL || !row_counts(g->q->atoms, row, g->d, &day)) return ERR_OK;
    if (day < g->q->period.from || day >= g->q->period.to) return ERR_OK;
    const struct cube_place where = row_place(row);
    uint32_t place = 0;
    if (!cube_find(g->q->cube, &where, &place) || place >= g->q->areas->n_places) return ERR_OK;
    int32_t area = g->q->areas->of_place[place];
    return area < 0 ? ERR_OK : keep(g, area, value, err);
}

static enum err_code take_image(void *ctx, const char *image, size_t n, struct err *err) {
    struct gathering *g = ctx;
    struct cell cells[TABLE_MAX_COLS];
    const struct measured_row row = {g->d->type, cells};
    struct arena *a = arena_new(IMAGE_ARENA);
    enum err_code rc = a == NULL ? err_fail(err, ERR_NOMEM, "indicators")
                                 : row_of_image(g->q->atoms, g->d->type, a, image, n, cells, err);
    if (rc == ERR_OK) rc = take_row(g, &row, err);
    arena_free(a);
    return rc;
}

static int by_area_and_value(const void *a, const void *b) {
    const struct row_value *x = a, *y = b;
    if (x->area != y->area) return x->area < y->area ? -1 : 1;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return (x->text > y->text) - (x->text < y->text);
}

static double middle(const struct row_value *v, size_t n) {
    return n % 2 == 1 ? v[n / 2].number : (v[n / 2 - 1].number + v[n / 2].number) / 2;
}

static double different(const struct row_value *v, size_t n) {
    size_t k = n > 0;
    for (size_t i = 1; i < n; i++)
        k += v[i].number != v[i - 1].number || v[i].text != v[i - 1].text;
    return (double)k;
}

static void set_value(const struct indicator_def *d, const struct row_value *v, size_t n,
                      struct indicator_value *out) {
    *out = (struct indicator_value){VALUE_OK, NAN, (double)n, NAN};
    if (d->measure == MEASURE_DISTINCT)
        out->value = out->numerator = different(v, n);
    else if (n == 0)
        *out = (struct indicator_value){VALUE_NO_CASES, NAN, 0, 0};
    else
        *out = (struct indicator_value){VALUE_OK, middle(v, n), middle(v, n), (double)n};
}

enum err_code value_from_rows(const struct value_query *q, const struct indicator_def *d,
                              struct arena *a, struct indicator_value *out, struct err *err) {
    struct gathering g = {.q = q, .d = d, .a = a};
    /* A day more on both sides: local days are not UTC days. */
    struct row_window w = {d->type, d->time_col, (q->period.from - 1) * day_us,
                           (q->period.to + 1) * day_us};
    if (q->as_of_seq > 0)
        TRY(images_as_of(q->db, q->ledger, d->type->table.name, q->as_of_seq, take_image, &g, err));
    else
        TRY(row_scan(q->db, q->ledger, q->atoms, &w, take_row, &g, err));
    if (g.n > 0) qsort(g.v, g.n, sizeof *g.v, by_area_and_value);
    size_t at = 0;
    for (size_t i = 0; i < q->areas->n; i++) {
        size_t from = at;
        while (at < g.n && g.v[at].area == (int32_t)i) at++;
        set_value(d, g.v == NULL ? NULL : g.v + from, at - from, &out[i]);
    }
    return ERR_OK;
}
