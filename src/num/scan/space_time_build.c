#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/space_time_build.h"

/* ---- options ---- */

static double count_rows(const struct scan_count *rows, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += rows[i].n;
    return sum;
}

static enum err_code take_options(const struct scan_data *d, const struct scan_options *o,
                                  struct st_kernel *k, struct err *err) {
    k->n_places = d->n_places;
    k->n_slots = d->n_slots;
    k->tail = o->prospective;
    k->temporal_only = o->analysis == SCAN_TEMPORAL;
    /* The permutation model expects just what there is over all places, or all of the time. */
    bool permutation = d->model == SCAN_PERMUTATION;
    k->spatial_too = !k->temporal_only && o->also_spatial && !permutation;
    k->temporal_too = !k->temporal_only && o->also_temporal && !permutation;
    k->min_len = o->min_slots > 0 ? o->min_slots : 1;
    k->max_len = o->max_slots > 0 ? o->max_slots : d->n_slots / 2;
    if (k->max_len == 0) k->max_len = 1;
    if (k->max_len > k->n_slots) k->max_len = k->n_slots;
    if (k->min_len > k->max_len)
        return err_fail(err, ERR_INVALID, "windows of %zu to %zu slots of %zu", k->min_len,
                        k->max_len, k->n_slots);
    k->model = (struct st_model){.kind = d->model,
                                 .cases = count_rows(d->cases, d->n_cases),
                                 .min_cases = o->min_cases > 0 ? o->min_cases : 2,
                                 .high = (o->rates & SCAN_HIGH) != 0,
                                 .low = (o->rates & SCAN_LOW) != 0};
    k->model.persons = k->model.cases + count_rows(d->controls, d->n_controls);
    if (k->model.cases < 1.0) return err_fail(err, ERR_INVALID, "there are no cases");
    if (k->model.cases > (double)INT32_MAX) return err_fail(err, ERR_LIMIT, "more than 2^31 cases");
    if (d->model == SCAN_BERNOULLI && k->model.persons <= k->model.cases)
        return err_fail(err, ERR_INVALID, "there are no controls");
    return ERR_OK;
}

/* Lengths grow by at most a fifth within a group. */
static enum err_code make_groups(struct arena *a, struct st_kernel *k, struct err *err) {
    k->group_from = ARENA_NEW(a, uint32_t, k->max_len);
    k->group_to = ARENA_NEW(a, uint32_t, k->max_len);
    if (k->group_from == NULL || k->group_to == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for %zu lengths", k->max_len);
    for (size_t from = k->min_len; from <= k->max_len;) {
        size_t to = from + from / 5;
        if (to > k->max_len) to = k->max_len;
        k->group_from[k->n_group] = (uint32_t)from;
        k->group_to[k->n_group++] = (uint32_t)to;
        k->case_cost += to / 16 + 1;
        k->dense_cost += (k->n_slots - to) / 16 + 1;
        from = to + 1;
    }
    k->n_lane = k->max_len - k->min_len + 1;
    k->n_pad = (k->n_lane + ST_PAD - 1) / ST_PAD * ST_PAD;
    return ERR_OK;
}

/* ---- buckets ---- */

/* The upper bits of a positive double count its octaves and, evenly, the parts of an octave. Rows
 * of tail windows are read often: fewer of them. */
static int64_t octave_part(const struct st_kernel *k, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (int64_t)(bits >> (k->tail ? 47 : 46));
}

/* Largest key of a prefix: its bucket is the last. */
static double largest_key(const struct st_kernel *k, const double *key) {
    double most = 0.0;
    for (size_t i = 0; i < k->zones->n_lists; i++) {
        double sum = 0.0;
        for (size_t m = k->zones->first[i]; m < k->zones->first[i + 1]; m++)
            sum += key[k->zones->place[m]];
        if (sum > most) most = sum;
    }
    return most;
}

static size_t bucket_of(const struct st_kernel *k, double key, int64_t top) {
    if (!(key > 0.0)) return 0;
    int64_t q = octave_part(k, key) - top + ST_BUCKETS - 1;
    return q > 0 ? (size_t)q : 0;
}

static void widen(double *low, double *high, double x) {
    if (x < *low) *low = x;
    if (x > *high) *high = x;
}

static void place_shares(const struct st_kernel *k, double *low, double *high) {
    size_t n = k->table_width, from = k->tail ? 0 : 1;
    for (size_t p = 0; p < k->n_places; p++) {
        const double *row = k->table + p * n;
        for (size_t t = from; k->key[p] > 0.0 && t < n; t++)
            widen(&low[t], &high[t], (k->tail ? row[t] : row[t] - row[t - 1]) / k->key[p]);
    }
}

/* Permutation: all places have the same share. */
static void time_shares(const struct st_kernel *k, double *low, double *high) {
    const double *cum = k->time_cum;
    for (size_t t = 0; t < k->n_slots; t++) {
        size_t from = k->tail ? k->n_slots - k->min_len - t : t;
        size_t to = k->tail ? k->n_slots : t + 1;
        if (k->tail && t >= k->n_lane) break;
        widen(&low[k->tail ? t : t + 1], &high[k->tail ? t : t + 1],
              (cum[to] - cum[from]) / k->model.cases);
    }
}

static enum err_code make_shares(struct arena *a, struct st_kernel *k, struct err *err) {
    size_t n = k->tail ? k->n_lane : k->n_slots + 1, from = k->tail ? 0 : 1;
    double *low = ARENA_NEW(a, double, n), *high = ARENA_NEW(a, double, n);
    if (low == NULL || high == NULL) return err_fail(err, ERR_NOMEM, "no memory for %zu slots", n);
    for (size_t t = from; t < n; t++) low[t] = INFINITY;
    if (k->table != NULL)
        place_shares(k, low, high);
    else
        time_shares(k, low, high);
    for (size_t t = from; t < n; t++) {
        if (!(low[t] < INFINITY)) low[t] = 0.0;
        if (k->tail) continue;
        low[t] += low[t - 1];
        high[t] += high[t - 1];
    }
    k->share_low = low;
    k->share_high = high;
    return ERR_OK;
}

/* Whether key and share tell measures as closely as buckets do: the common case, all places alike
 * in time. */
static bool shares_are_tight(const struct st_kernel *k) {
    for (size_t l = 0; l < k->n_lane; l++)
        if (k->share_high[l] > k->share_low[l] * 1.005) return false;
    return true;
}

/* Tail windows of a table: the extremes of each length within each bucket, from every prefix. */
static void widen_row(const struct st_kernel *k, struct st_extremes *x, size_t q,
                      const double *sum) {
    double *low = x->low + q * k->n_pad, *high = x->high + q * k->n_pad;
    for (size_t l = 0; l < k->n_lane; l++) widen(&low[l], &high[l], sum[l]);
}

static void fill_list(struct st_kernel *k, struct st_extremes *x, const double *key, size_t list,
                      int64_t top, double *sum) {
    const struct scan_zones *z = k->zones;
    bool by_row = k->tail && k->table != NULL && !shares_are_tight(k);
    double taken = 0.0, whole = 0.0;
    memset(sum, 0, (k->n_lane + 1) * sizeof *sum);
    for (size_t m = z->first[list]; m < z->first[list + 1]; m++) {
        uint32_t p = z->place[m];
        taken += key[p];
        size_t q = bucket_of(k, taken, top);
        k->bucket[m] = (uint16_t)q;
        widen(&k->key_low[q], &k->key_high[q], taken);
        if (k->spatial_too) {
            whole += k->whole[p];
            widen(&x->whole_low[q], &x->whole_high[q], whole);
        }
        if (!by_row) continue;
        const double *row = k->table + p * k->table_width;
        for (size_t l = 0; l < k->n_lane; l++) sum[l] += row[l];
        widen_row(k, x, q, sum);
    }
}

static enum err_code fill_buckets(const double *key, struct arena *a, struct st_kernel *k,
                                  struct st_extremes *x, struct err *err) {
    size_t n_row = k->tail ? ST_BUCKETS * k->n_pad : 1;
    k->bucket = ARENA_NEW(a, uint16_t, k->zones->first[k->zones->n_lists] + 1);
    x->low = ARENA_NEW(a, double, n_row);
    x->high = ARENA_NEW(a, double, n_row);
    x->whole_low = ARENA_NEW(a, double, ST_BUCKETS);
    x->whole_high = ARENA_NEW(a, double, ST_BUCKETS);
    double *sum = ARENA_NEW(a, double, k->n_lane + 1);
    if (k->bucket == NULL || x->low == NULL || x->high == NULL || x->whole_low == NULL ||
        x->whole_high == NULL || sum == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for the windows of a space-time scan");
    for (size_t q = 0; q < ST_BUCKETS; q++) {
        k->key_low[q] = x->whole_low[q] = INFINITY;
        k->key_high[q] = x->whole_high[q] = 0.0;
    }
    for (size_t i = 0; i < n_row; i++) x->low[i] = INFINITY;
    int64_t top = octave_part(k, largest_key(k, key));
    for (size_t i = 0; i < k->zones->n_lists; i++) fill_list(k, x, key, i, top, sum);
    return ERR_OK;
}

/* ---- extremes from parts: key of the bucket x share of the time ---- */

static void fill_product(const struct st_kernel *k, struct st_extremes *x) {
    for (size_t q = 0; q < ST_BUCKETS; q++) {
        if (!(k->key_low[q] < INFINITY)) continue;
        for (size_t l = 0; l < k->n_lane; l++) {
            x->low[q * k->n_pad + l] = k->key_low[q] * k->share_low[l];
            x->high[q * k->n_pad + l] = k->key_high[q] * k->share_high[l];
        }
    }
}

static double largest_measure(const struct st_kernel *k, const struct st_extremes *x) {
    double most = 0.0, share = 0.0;
    for (size_t n = k->max_len, t = 0; !k->tail && t + n <= k->n_slots; t++)
        share = fmax(share, k->share_high[t + n] - k->share_high[t]);
    for (size_t q = 0; q < ST_BUCKETS; q++) {
        most = fmax(most, fmax(x->whole_high[q], k->key_high[q] * share));
        for (size_t l = 0; k->tail && l < k->n_lane; l++)
            most = fmax(most, x->high[q * k->n_pad + l]);
    }
    return most;
}

/* Whether 16 bits hold the counts of any window: always, or nearly always (st_set_lay looks). */
static void choose_width(struct st_kernel *k) {
    double most = 0.0;
    for (size_t t = k->tail ? k->n_slots - k->max_len : 0; t + k->max_len <= k->n_slots; t++)
        most = fmax(most, k->time_cum[t + k->max_len] - k->time_cum[t]);
    k->wide = k->model.cases >= (double)INT16_MAX;
    k->narrow = !k->wide || st_expected(&k->model, most) < 30000.0;
}

static double bytes_needed(const struct st_kernel *k) {
    double width = k->tail ? (double)k->max_len : (double)k->n_slots;
    double tables = (double)k->n_places * width * 40.0;
    double items = k->temporal_only ? 0.0 : (double)k->zones->first[k->zones->n_lists] * 2.0;
    double row = k->tail ? (double)ST_BUCKETS * (double)k->n_pad : (double)ST_LOG_N;
    double rows = (double)ST_LEVELS * row * (k->wide ? 12.0 : 4.0);
    return tables + items + rows + k->model.persons * 4.0 + k->model.cases * 40.0;
}

enum err_code st_build(const struct scan_data *data, const struct scan_options *options,
                       const struct scan_zones *zones, const double *expected,
                       const struct num_run *run, struct arena *a, struct st_kernel *k,
                       struct err *err) {
    *k = (struct st_kernel){.zones = zones};
    TRY(take_options(data, options, k, err));
    TRY(make_groups(a, k, err));
    TRY(num_run_afford(run, bytes_needed(k), "space-time windows", err));
    double *key;
    TRY(st_build_measure(data, expected, a, k, &key, err));
    TRY(st_build_draw(data, expected, a, k, err));
    choose_width(k);
    if (k->temporal_only) return ERR_OK;
    struct st_extremes x = {0};
    TRY(make_shares(a, k, err));
    TRY(fill_buckets(key, a, k, &x, err));
    if (!k->tail)
        TRY(st_build_logs(a, k, err));
    else if (k->table == NULL || shares_are_tight(k))
        fill_product(k, &x);
    TRY(st_levels_build(&k->model, largest_measure(k, &x), a, &k->levels, err));
    return st_build_rows(&x, a, k, err);
}
