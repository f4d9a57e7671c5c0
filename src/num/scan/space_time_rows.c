#include <math.h>
#include <string.h>

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
    size_t at = j * k->rows.stride + q * k->n_pad;
    for (size_t l = 0; l < k->n_pad; l++) {
        struct limit limit = {INT32_MAX, 0};
        if (l < k->n_lane)
            limit = limit_of(&k->levels, j, x->low[q * k->n_pad + l], x->high[q * k->n_pad + l]);
        set_lane(k, at + l, limit);
    }
}

/* Only sums of logarithms that can come up are worked out; below them lies nothing, or for low
 * windows something smaller. */
static void fill_logs(struct st_kernel *k, size_t j) {
    const struct st_logs *l = &k->logs;
    struct limit nothing = limit_of(&k->levels, j, 0.0, exp2(l->least / 64.0));
    for (int32_t i = 0; i < ST_LOG_N; i++) {
        int32_t log = i + ST_LOG_FROM;
        struct limit x = nothing;
        if (log >= l->least && log <= l->most) {
            double measure = exp2(log / 64.0);
            x = limit_of(&k->levels, j, measure, measure);
        }
        set_lane(k, j * k->rows.stride + (size_t)i, x);
    }
}

/* ---- logarithms ---- */

static int32_t log_down(double x) {
    if (!(x > 0.0)) return ST_LOG_NOTHING;
    double log = floor(64.0 * log2(x) - 1e-6);
    return log < ST_LOG_PART ? ST_LOG_NOTHING : (int32_t)log;
}

static int32_t log_up(double x) {
    if (!(x > 0.0)) return ST_LOG_NOTHING;
    return (int32_t)fmax(ceil(64.0 * log2(x) + 1e-6), ST_LOG_PART);
}

/* Least share of windows of n slots that contain each slot d: those that start in d - n + 1 .. d.
 * Minima of a sliding window. */
static void day_logs(struct st_kernel *k, size_t g) {
    size_t n = k->group_from[g], last = k->n_slots - n;
    const double *share = k->share_low;
    for (size_t d = 0; d < k->n_slots; d++) {
        double least = INFINITY;
        for (size_t t = d + 1 > n ? d + 1 - n : 0; t <= (d < last ? d : last); t++)
            least = fmin(least, share[t + n] - share[t]);
        k->logs.day[d * k->n_group + g] = log_down(least * below);
    }
}

static void log_range(struct st_kernel *k) {
    struct st_logs *l = &k->logs;
    int32_t share_least = ST_LOG_MOST, share_most = ST_LOG_NOTHING, key_least = ST_LOG_MOST,
            key_most = ST_LOG_NOTHING;
    for (size_t q = 0; q < ST_BUCKETS; q++) {
        if (l->key_low[q] > ST_LOG_NOTHING && l->key_low[q] < key_least) key_least = l->key_low[q];
        if (l->key_high[q] > key_most) key_most = l->key_high[q];
    }
    for (size_t i = 0; i < k->n_slots * k->n_group; i++)
        if (l->day[i] > ST_LOG_NOTHING && l->day[i] < share_least) share_least = l->day[i];
    for (size_t g = 0; g < k->n_group; g++)
        share_most = l->high[g] > share_most ? l->high[g] : share_most;
    l->least = key_least + share_least;
    l->most = key_most + share_most + 1;
}

static size_t count_windows(const struct st_kernel *k) {
    size_t n = k->max_len - k->min_len + 1;
    return n * (k->n_slots + 1) - n * (k->min_len + k->max_len) / 2;
}

/* A look at a window takes about 7 instructions for a whole batch, one at the windows of a case 9 a
 * vector and 30 besides, counted on x86-64; a batch is to stay in the second cache. */
static bool batch_pays(const struct st_kernel *k) {
    if (k->wide || k->tail || k->spatial_too || k->temporal_too) return false;
    double lanes = (double)st_batch_width(), row = (double)(k->n_slots + 1) * lanes * 2.0;
    double bearing = fmin((double)k->n_places, k->model.cases), each = k->model.cases / bearing;
    double batch = (double)count_windows(k) * 7.0 / lanes;
    return batch < each * ((double)k->case_cost * 9.0 + 30.0) && (double)k->n_places * row < 4e6;
}

static void list_logs(struct st_kernel *k, size_t list, double *sum) {
    const struct scan_zones *z = k->zones;
    memset(sum, 0, k->table_width * sizeof *sum);
    for (size_t m = z->first[list]; m < z->first[list + 1]; m++) {
        const double *row = k->table + z->place[m] * k->table_width;
        for (size_t t = 0; t < k->table_width; t++) sum[t] += row[t];
        int32_t *log = k->logs.item + m * k->logs.n_window;
        for (size_t n = k->min_len; n <= k->max_len; n++)
            for (size_t t = 0; t + n <= k->n_slots; t++) *log++ = log_down(sum[t + n] - sum[t]);
    }
}

/* Where places differ much in time, key and share are far apart from the measure; for small data
 * each window of each prefix can have its own. */
static enum err_code item_logs(struct arena *a, struct st_kernel *k, struct err *err) {
    size_t n_item = k->zones->first[k->zones->n_lists];
    bool differ = false;
    for (size_t t = 1; t <= k->n_slots; t++)
        if (k->share_high[t] - k->share_high[t - 1] >
            (k->share_low[t] - k->share_low[t - 1]) * 1.01)
            differ = true;
    if (!differ || k->table == NULL || (double)n_item * (double)k->logs.n_window > 1e6)
        return ERR_OK;
    k->logs.item = ARENA_NEW(a, int32_t, n_item * k->logs.n_window);
    double *sum = ARENA_NEW(a, double, k->table_width);
    if (k->logs.item == NULL || sum == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for %zu windows", k->logs.n_window);
    for (size_t i = 0; i < k->zones->n_lists; i++) list_logs(k, i, sum);
    return ERR_OK;
}

static enum err_code window_logs(struct arena *a, struct st_kernel *k, struct err *err) {
    struct st_logs *l = &k->logs;
    size_t n_window = count_windows(k);
    l->window = ARENA_NEW(a, int32_t, n_window);
    l->window_up = ARENA_NEW(a, int32_t, n_window);
    l->share = ARENA_NEW(a, double, n_window);
    if (l->window == NULL || l->window_up == NULL || l->share == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for %zu windows", n_window);
    size_t i = 0;
    for (size_t n = k->min_len; n <= k->max_len; n++) {
        for (size_t t = 0; t + n <= k->n_slots; t++, i++) {
            l->share[i] = (k->share_low[t + n] - k->share_low[t]) * below;
            l->window[i] = log_down(l->share[i]);
            l->window_up[i] = log_up((k->share_high[t + n] - k->share_high[t]) * above);
        }
    }
    l->n_window = n_window;
    k->batched = true;
    return item_logs(a, k, err);
}

enum err_code st_build_logs(struct arena *a, struct st_kernel *k, struct err *err) {
    struct st_logs *l = &k->logs;
    l->day = ARENA_NEW(a, int32_t, k->n_slots * k->n_group);
    l->low = ARENA_NEW(a, int32_t, k->n_group);
    l->high = ARENA_NEW(a, int32_t, k->n_group);
    if (l->day == NULL || l->low == NULL || l->high == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for %zu slots", k->n_slots);
    for (size_t q = 0; q < ST_BUCKETS; q++) {
        bool is_empty = !(k->key_low[q] < INFINITY);
        l->key_low[q] = log_down(is_empty ? 0.0 : k->key_low[q]);
        l->key_high[q] = log_up(is_empty ? 0.0 : k->key_high[q]);
    }
    for (size_t g = 0; g < k->n_group; g++) {
        double low = INFINITY, high = 0.0;
        for (size_t n = k->group_from[g], t = 0; t + n <= k->n_slots; t++)
            low = fmin(low, k->share_low[t + n] - k->share_low[t]);
        for (size_t n = k->group_to[g], t = 0; t + n <= k->n_slots; t++)
            high = fmax(high, k->share_high[t + n] - k->share_high[t]);
        l->low[g] = log_down(low * below);
        l->high[g] = log_up(high * above);
        day_logs(k, g);
    }
    log_range(k);
    return batch_pays(k) ? window_logs(a, k, err) : ERR_OK;
}

enum err_code st_build_rows(const struct st_extremes *x, struct arena *a, struct st_kernel *k,
                            struct err *err) {
    k->rows.stride = k->tail ? ST_BUCKETS * k->n_pad : ST_LOG_N;
    size_t n = ST_LEVELS * k->rows.stride;
    if (k->narrow) {
        k->rows.high16 = ARENA_NEW(a, int16_t, n);
        k->rows.low16 = ARENA_NEW(a, int16_t, n);
    }
    if (k->wide) {
        k->rows.high32 = ARENA_NEW(a, int32_t, n);
        k->rows.low32 = ARENA_NEW(a, int32_t, n);
    }
    const size_t n_whole = (size_t)ST_LEVELS * ST_BUCKETS;
    int32_t *high = ARENA_NEW(a, int32_t, n_whole), *low = ARENA_NEW(a, int32_t, n_whole);
    if ((k->narrow && (k->rows.high16 == NULL || k->rows.low16 == NULL)) ||
        (k->wide && (k->rows.high32 == NULL || k->rows.low32 == NULL)) || high == NULL ||
        low == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for thresholds");
    for (size_t j = 0; j < ST_LEVELS; j++) {
        if (!k->tail) fill_logs(k, j);
        for (size_t q = 0; q < ST_BUCKETS; q++) {
            if (k->tail) fill_row(x, k, j, q);
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
