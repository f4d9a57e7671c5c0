/* What the most endangered part of a network catches. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "num/model/evaluate.h"

struct row {
    double key, size, events;
    size_t index;
};

static int highest_first(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    if (x->key != y->key) return x->key > y->key ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static enum err_code read_rows(const double *score, const double *events, const double *size,
                               size_t n, struct row *row, double *all_size, double *all_events,
                               struct err *err) {
    *all_size = *all_events = 0;
    for (size_t i = 0; i < n; i++) {
        row[i] = (struct row){score[i], size == NULL ? 1 : size[i], events[i], i};
        if (!isfinite(row[i].key))
            return err_fail(err, ERR_INVALID, "row %zu: the score is not a finite number", i + 1);
        if (!(row[i].events >= 0) || isinf(row[i].events))
            return err_fail(err, ERR_INVALID, "row %zu: %g events", i + 1, row[i].events);
        if (!(row[i].size > 0) || isinf(row[i].size))
            return err_fail(err, ERR_INVALID, "row %zu: size %g", i + 1, row[i].size);
        *all_size += row[i].size;
        *all_events += row[i].events;
    }
    qsort(row, n, sizeof *row, highest_first);
    return ERR_OK;
}

/* Rows of the longest prefix within a size; a part in 1e12 allows for the rounding of sums. */
static size_t prefix_within(const struct row *row, size_t n, double limit) {
    double sum = 0;
    size_t k = 0;
    for (; k < n; k++) {
        sum += row[k].size;
        if (sum > limit * (1 + 1e-12)) break;
    }
    return k;
}

static void fill(struct row *row, size_t n, size_t taken, double all_size, double all_events,
                 struct model_top *out) {
    double size = 0, hit = 0;
    out->n_taken = taken;
    out->events = 0;
    for (size_t i = 0; i < taken; i++) {
        size += row[i].size;
        out->events += row[i].events;
        hit += row[i].events > 0;
    }
    out->size_share = size / all_size;
    out->event_share = all_events > 0 ? out->events / all_events : NAN;
    out->precision = taken > 0 ? hit / (double)taken : NAN;
    out->pai = taken > 0 ? out->event_share / out->size_share : NAN;
    for (size_t i = 0; i < n; i++) row[i].key = row[i].events / row[i].size;
    qsort(row, n, sizeof *row, highest_first);
    size_t best_taken = prefix_within(row, n, size);
    double best = 0;
    for (size_t i = 0; i < best_taken; i++) best += row[i].events;
    best = fmax(best, out->events);
    out->pei = best > 0 ? out->events / best : NAN;
}

static enum err_code take(const double *score, const double *events, const double *size, size_t n,
                          double share, bool by_count, struct model_top *out, struct err *err) {
    *out = (struct model_top){0};
    if (n == 0 || !(share > 0 && share <= 1))
        return err_fail(err, ERR_INVALID, "the top %g of %zu rows", share, n);
    struct row *row = mem_new(n, sizeof *row);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    double all_size, all_events;
    enum err_code rc = read_rows(score, events, size, n, row, &all_size, &all_events, err);
    if (rc == ERR_OK) {
        /* The same small allowance keeps 0.07 * 100 from becoming 8 rows. */
        size_t taken = by_count ? (size_t)ceil(share * (double)n * (1 - 1e-12))
                                : prefix_within(row, n, share * all_size);
        fill(row, n, taken, all_size, all_events, out);
    }
    mem_free(row);
    return rc;
}

enum err_code model_top_by_count(const double *score, const double *events, const double *size,
                                 size_t n, double share, struct model_top *out, struct err *err) {
    return take(score, events, size, n, share, true, out, err);
}

enum err_code model_top_by_size(const double *score, const double *events, const double *size,
                                size_t n, double share, struct model_top *out, struct err *err) {
    return take(score, events, size, n, share, false, out, err);
}
