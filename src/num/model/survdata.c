#include "num/model/survdata.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum err_code model_survival_check(const struct model_survival *d, unsigned most_events,
                                   struct err *err) {
    if (d->n == 0) return err_fail(err, ERR_INVALID, "there are no rows of survival data");
    if (d->n >= UINT32_MAX) return err_fail(err, ERR_LIMIT, "more than 4294967294 rows");
    for (size_t i = 0; i < d->n; i++) {
        if (!isfinite(d->stop[i]))
            return err_fail(err, ERR_INVALID, "row %zu: the end of watching is not a number",
                            i + 1);
        if (d->start != NULL && !(d->start[i] < d->stop[i]))
            return err_fail(err, ERR_INVALID,
                            "row %zu: start %g is not before stop %g; a row needs some time", i + 1,
                            d->start[i], d->stop[i]);
        if (d->event[i] > most_events)
            return err_fail(err, ERR_INVALID, "row %zu: %u events at its end; at most %u can be",
                            i + 1, d->event[i], most_events);
        if (d->weight != NULL && !(d->weight[i] >= 0 && isfinite(d->weight[i])))
            return err_fail(err, ERR_INVALID, "row %zu: weight %g is negative or not a number",
                            i + 1, d->weight[i]);
    }
    return ERR_OK;
}

struct keyed {
    double key;
    uint32_t i;
};

static int by_key(const void *x, const void *y) {
    const struct keyed *p = x, *q = y;
    if (p->key != q->key) return p->key < q->key ? -1 : 1;
    return p->i < q->i ? -1 : p->i > q->i;
}

enum err_code model_order(struct arena *a, const double *key, size_t n, uint32_t **order,
                          struct err *err) {
    struct keyed *k = mem_new(n, sizeof *k);
    *order = ARENA_NEW(a, uint32_t, n + 1);
    if (k == NULL || *order == NULL) {
        mem_free(k);
        return err_fail(err, ERR_NOMEM, "sorting %zu rows", n);
    }
    for (size_t i = 0; i < n; i++) k[i] = (struct keyed){key[i], (uint32_t)i};
    qsort(k, n, sizeof *k, by_key);
    for (size_t i = 0; i < n; i++) (*order)[i] = k[i].i;
    mem_free(k);
    return ERR_OK;
}

enum err_code model_dense_groups(struct arena *a, const uint32_t *labels, size_t n,
                                 uint32_t **group, size_t *n_groups, struct err *err) {
    *group = ARENA_NEW(a, uint32_t, n + 1);
    if (*group == NULL) return err_fail(err, ERR_NOMEM, "groups of %zu rows", n);
    *n_groups = n == 0 ? 0 : 1;
    if (labels == NULL || n == 0) return ERR_OK;
    struct keyed *k = mem_new(n, sizeof *k);
    if (k == NULL) return err_fail(err, ERR_NOMEM, "groups of %zu rows", n);
    for (size_t i = 0; i < n; i++) k[i] = (struct keyed){labels[i], (uint32_t)i};
    qsort(k, n, sizeof *k, by_key);
    uint32_t g = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && k[i].key != k[i - 1].key) g++;
        (*group)[k[i].i] = g;
    }
    *n_groups = (size_t)g + 1;
    mem_free(k);
    return ERR_OK;
}
