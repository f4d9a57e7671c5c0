#include <math.h>

#include "num/scan/space_time_build.h"

/* Beyond the rounding of the measures, on the safe side. */
static const double below = 1.0 - 1e-9, above = 1.0 + 1e-9;

struct limit {
    int32_t high, low; /* a window may matter when its cases are above high or below low */
};

static struct limit limit_of(const struct st_levels *l, size_t j, double low, double high) {
    struct limit out = {INT32_MAX, 0};
    if (!(low < INFINITY)) return out; /* an empty bucket */
    int32_t fewest = st_levels_fewest(l, j, low * below);
    if (fewest < INT32_MAX) out.high = fewest - 1;
    int32_t most = st_levels_most(l, j, high * above);
    out.low = most < INT32_MAX ? most + 1 : INT32_MAX;
    return out;
}

static void set_lane(struct st_kernel *k, size_t at, struct limit x) {
    if (k->narrow) {
        k->rows.high16[at] = (int16_t)(x.high < INT16_MAX ? x.high : INT16_MAX);
        k->rows.low16[at] = (int16_t)(x.low < INT16_MAX ? x.low : INT16_MAX);
    }
    if (k->wide) {
        k->rows.high32[at] = x.high;
        k->rows.low32[at] = x.low;
    }
}

/* Lanes of no window never matter. */
static void fill_row(const struct st_extremes *x, struct st_kernel *k, size_t j, size_t q) {
    size_t at = (j * ST_BUCKETS + q) * k->n_pad;
    for (size_t l = 0; l < k->n_pad; l++) {
        struct limit limit = {INT32_MAX, 0};
        if (l < k->n_lane)
            limit = limit_of(&k->levels, j, x->low[q * k->n_pad + l], x->high[q * k->n_pad + l]);
        set_lane(k, at + l, limit);
    }
}

enum err_code st_build_rows(const struct st_extremes *x, struct arena *a, struct st_kernel *k,
                            struct err *err) {
    size_t n = ST_LEVELS * ST_BUCKETS * k->n_pad;
    if (k->narrow) {
        k->rows.high16 = ARENA_NEW(a, int16_t, n);
        k->rows.low16 = ARENA_NEW(a, int16_t, n);
    }
    if (k->wide) {
        k->rows.high32 = ARENA_NEW(a, int32_t, n);
        k->rows.low32 = ARENA_NEW(a, int32_t, n);
    }
    int32_t *high = ARENA_NEW(a, int32_t, ST_LEVELS * ST_BUCKETS);
    int32_t *low = ARENA_NEW(a, int32_t, ST_LEVELS * ST_BUCKETS);
    if ((k->narrow && (k->rows.high16 == NULL || k->rows.low16 == NULL)) ||
        (k->wide && (k->rows.high32 == NULL || k->rows.low32 == NULL)) || high == NULL ||
        low == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for thresholds");
    for (size_t j = 0; j < ST_LEVELS; j++) {
        for (size_t q = 0; q < ST_BUCKETS; q++) {
            fill_row(x, k, j, q);
            if (!k->spatial_too) continue;
            struct limit limit = limit_of(&k->levels, j, x->whole_low[q], x->whole_high[q]);
            high[j * ST_BUCKETS + q] = limit.high;
            low[j * ST_BUCKETS + q] = limit.low;
        }
    }
    k->high_whole = high;
    k->low_whole = low;
    return ERR_OK;
}
