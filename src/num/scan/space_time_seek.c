#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/space_time.h"

enum err_code st_seek_new(const struct st_kernel *k, struct st_seek **out, struct err *err) {
    struct st_seek *s = mem_new(1, sizeof *s);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "no memory to search for clusters");
    s->k = k;
    size_t lanes = k->n_slots + 2 * k->max_len + k->n_pad + 8 * (size_t)ST_PAD;
    s->lanes = mem_new(lanes, sizeof(int32_t));
    s->sum = mem_new(k->table_width + 1, sizeof *s->sum);
    s->event = mem_new(k->temporal_only ? 1 : k->zones->max_len + 2, sizeof *s->event);
    if (s->lanes == NULL || s->sum == NULL || s->event == NULL) {
        st_seek_free(s);
        return err_fail(err, ERR_NOMEM, "no memory to search for clusters");
    }
    *out = s;
    return ERR_OK;
}

void st_seek_free(struct st_seek *s) {
    if (s == NULL) return;
    mem_free(s->lanes);
    mem_free(s->sum);
    mem_free(s->event);
    mem_free(s);
}

/* The rows of the highest level that the best statistic reaches. */
static void set_level(struct st_seek *s) {
    const struct st_kernel *k = s->k;
    if (k->temporal_only) return;
    double least = s->best / s->weight;
    const double *level = k->levels.level + s->level;
    /* Mostly it is the one of the list before. */
    if (least < level[0] || (s->level + 1 < ST_LEVELS && least >= level[1]))
        s->level = st_levels_at(&k->levels, least);
    size_t at = s->level * k->rows.stride;
    if (s->set->wide) {
        s->high = k->rows.high32 + at;
        s->low = k->rows.low32 + at;
    } else {
        s->high = k->rows.high16 + at;
        s->low = k->rows.low16 + at;
    }
}

/* The whole statistic decides; equal ones by fewer places, a shorter, an earlier window. */
static bool is_better(const struct scan_best *told, double llr, size_t len, size_t slot, size_t n) {
    if (llr != told->llr) return llr > told->llr;
    size_t n_told = told->slot_last - told->slot_first + 1;
    if (len != told->len) return len < told->len;
    if (n != n_told) return n < n_told;
    return slot < told->slot_first;
}

/* len 0: all places. */
static void consider(struct st_seek *s, double measure, size_t len, size_t slot, size_t n,
                     double c) {
    const struct st_model *m = &s->k->model;
    double e = st_expected(m, measure), weight = len == 0 ? 1.0 : s->weight;
    if (!(e > 0.0) || c == e) return;
    if (c > e ? !m->high || c < m->min_cases : !m->low) return;
    if (weight * st_llr_bound(m, c, measure) < s->best) return;
    double llr = weight * st_llr(m, c, measure);
    if (s->told == NULL) {
        if (!(llr > s->best)) return;
    } else {
        if (!(llr > 0.0) || !is_better(s->told, llr, len, slot, n)) return;
        *s->told = (struct scan_best){.llr = llr,
                                      .expected = e,
                                      .observed = (int64_t)c,
                                      .len = (uint32_t)len,
                                      .slot_first = (uint32_t)slot,
                                      .slot_last = (uint32_t)(slot + n - 1),
                                      .low = c < e};
    }
    s->best = llr;
    set_level(s);
}

static void add_row(double *sum, const double *row, size_t n) {
    for (size_t i = 0; i < n; i++) sum[i] += row[i];
}

void st_take_keys(struct st_seek *s, size_t n) {
    for (; s->key_taken < n; s->key_taken++) s->key_sum += s->k->key[s->place[s->key_taken]];
}

/* Expectations are such that any sum of them is exact: the order does not matter. */
static double window_measure(struct st_seek *s, size_t len, size_t slot, size_t n) {
    const struct st_kernel *k = s->k;
    if (k->table == NULL)
        return s->key_sum * (k->time_cum[slot + n] - k->time_cum[slot]) / k->model.cases;
    for (; s->taken < len; s->taken++)
        add_row(s->sum, k->table + s->place[s->taken] * k->table_width, k->table_width);
    return k->tail ? s->sum[n - k->min_len] : s->sum[slot + n] - s->sum[slot];
}

/* Whether the least and greatest measures that the key allows already tell that the window is no
 * better: to sum up keys costs far less than whole rows. */
static bool is_hopeless(const struct st_seek *s, size_t slot, size_t n, double c) {
    const struct st_kernel *k = s->k;
    size_t from = k->tail ? 0 : slot, to = k->tail ? n - k->min_len : slot + n;
    double least = k->share_low[to] - (k->tail ? 0.0 : k->share_low[from]);
    double most = k->share_high[to] - (k->tail ? 0.0 : k->share_high[from]);
    double low = s->key_sum * least * (1.0 - 1e-9), high = s->key_sum * most * (1.0 + 1e-9);
    if (k->model.high && c > st_expected(&k->model, low)) {
        if (!(low > 0.0) || s->weight * st_llr_bound(&k->model, c, low) >= s->best) return false;
    }
    if (k->model.low && c < st_expected(&k->model, high)) {
        if (st_expected(&k->model, high) >= k->model.cases ||
            s->weight * st_llr_bound(&k->model, c, high) >= s->best)
            return false;
    }
    return true;
}

void st_consider(struct st_seek *s, size_t k, size_t slot, size_t n, int64_t c) {
    st_take_keys(s, k + 1);
    if (s->k->table != NULL && s->taken <= k && is_hopeless(s, slot, n, (double)c)) return;
    consider(s, window_measure(s, k + 1, slot, n), k + 1, slot, n, (double)c);
}

/* Windows of the whole study period. */
static void seek_whole(struct st_seek *s) {
    const struct st_kernel *k = s->k;
    int64_t c = 0;
    s->whole_sum = 0.0;
    s->whole_taken = 0;
    for (size_t i = 0; i < s->len; i++) {
        c += s->set->whole[s->place[i]];
        if (i + 1 < s->first_len) continue;
        size_t at = s->level * ST_BUCKETS + s->bucket[i];
        if (c <= k->high_whole[at] && c >= k->low_whole[at]) continue;
        for (; s->whole_taken <= i; s->whole_taken++)
            s->whole_sum += k->whole[s->place[s->whole_taken]];
        consider(s, s->whole_sum, i + 1, 0, k->n_slots, (double)c);
    }
}

const struct st_walk *st_walk_choose(bool wide) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx2")) return wide ? &st_walk32_avx2 : &st_walk16_avx2;
#endif
    return wide ? &st_walk32 : &st_walk16;
}

/* A low window whose last members have neither cases nor measure is told without them. */
static void trim_low(struct st_seek *s) {
    struct scan_best *b = s->told;
    if (!b->low || b->len == 0) return;
    size_t n = b->slot_last - b->slot_first + 1;
    bool whole = s->k->spatial_too && n == s->k->n_slots;
    while (b->len > s->first_len) {
        uint32_t p = s->place[b->len - 1];
        const double *row = s->k->table + p * s->k->table_width;
        double measure = whole                 ? s->k->whole[p]
                         : s->k->table == NULL ? s->k->key[p]
                         : s->k->tail          ? row[n - s->k->min_len]
                                               : row[b->slot_last + 1] - row[b->slot_first];
        /* The best prefix ends before the next case: a member of no measure has none. */
        if (measure > 0.0) return;
        b->len--;
    }
}

bool st_seek_open(struct st_seek *s, size_t list) {
    const struct st_kernel *k = s->k;
    const struct scan_zones *z = k->zones;
    s->place = z->place + z->first[list];
    s->bucket = k->bucket + z->first[list];
    s->len = z->first[list + 1] - z->first[list];
    s->first_len = z->first_len != NULL ? z->first_len[list] : 1;
    s->weight = z->weight != NULL ? z->weight[list] : 1.0;
    if (s->len == 0 || s->first_len > s->len) return false;
    s->taken = s->key_taken = 0;
    s->key_sum = 0.0;
    memset(s->sum, 0, k->table_width * sizeof *s->sum);
    return true;
}

void st_seek_list(struct st_seek *s, size_t list) {
    if (!st_seek_open(s, list)) return;
    set_level(s);
    const struct st_walk *walk = st_walk_choose(s->set->wide);
    if (s->k->tail)
        walk->tail(s);
    else
        walk->any(s);
    if (s->k->spatial_too) seek_whole(s);
    if (s->told != NULL) trim_low(s);
}

void st_seek_temporal(struct st_seek *s) {
    const struct st_kernel *k = s->k;
    const uint32_t *by = s->set->by_slot;
    s->weight = 1.0;
    for (size_t n = k->min_len; n <= k->max_len; n++)
        for (size_t t = k->tail ? k->n_slots - n : 0; t + n <= k->n_slots; t++)
            consider(s, k->time_cum[t + n] - k->time_cum[t], 0, t, n, (double)(by[t + n] - by[t]));
}
