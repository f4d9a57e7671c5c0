/* num/scan/space_time_walk.h - the walk of one list, made for one width of counts and of vectors:
 * each source that includes it names ST_LANE, ST_BYTES and the walk it defines. Counts of a window
 * are compared with the thresholds of st_rows, many windows at a time; what passes is considered
 * exactly. */
#ifndef NUM_SCAN_SPACE_TIME_WALK_H
#define NUM_SCAN_SPACE_TIME_WALK_H
#include <string.h>

#include "num/scan/space_time.h"

#ifndef ST_LANE
#define ST_LANE int16_t
#define ST_ULANE uint16_t
#define ST_BYTES 16
#endif

/* Sums are unsigned: those of the whole list may wrap, the difference of two is a count. */
typedef ST_LANE st_vec __attribute__((vector_size(ST_BYTES)));
typedef ST_ULANE st_sum __attribute__((vector_size(ST_BYTES)));
typedef ST_LANE st_vec_at __attribute__((vector_size(ST_BYTES), may_alias, aligned(2)));
typedef ST_ULANE st_sum_at __attribute__((vector_size(ST_BYTES), may_alias, aligned(2)));
enum { ST_WIDTH = ST_BYTES / sizeof(ST_LANE) };

/* As many bits a lane as it has bytes: set where the lane is. */
static inline uint32_t st_mask(st_vec v) {
#if defined(__AVX2__) && ST_BYTES == 32
    typedef char bytes __attribute__((vector_size(32)));
    return (uint32_t)__builtin_ia32_pmovmskb256((bytes)v);
#elif defined(__SSE2__) && ST_BYTES == 16
    typedef char bytes __attribute__((vector_size(16)));
    return (uint32_t)__builtin_ia32_pmovmskb128((bytes)v);
#else
    uint32_t m = 0;
    for (uint32_t i = 0; i < ST_WIDTH; i++)
        if (v[i] != 0) m |= ((1U << sizeof(ST_LANE)) - 1) << i * sizeof(ST_LANE);
    return m;
#endif
}

static inline bool st_any(st_vec v) { return st_mask(v) != 0; }

static inline st_sum st_load(const ST_ULANE *p) { return *(const st_sum_at *)p; }

/* Members of the list that bear cases, and member first_len - 1 in any case: the first zone has to
 * be looked at. Without branches: which members bear cases cannot be guessed. */
static inline size_t st_bearing(const struct st_seek *s) {
    const uint32_t *place = s->place;
    const uint8_t *mark = s->set->mark;
    uint32_t *event = s->event;
    size_t n = 0, first = s->first_len - 1;
    for (size_t i = 0; i < first; i++) {
        event[n] = (uint32_t)i;
        n += mark[place[i]];
    }
    event[n++] = (uint32_t)first;
    for (size_t i = first + 1; i < s->len; i++) {
        event[n] = (uint32_t)i;
        n += mark[place[i]];
    }
    return n;
}

/* ---- windows that end with the last slot ---- */

static inline void st_tail_hit(struct st_seek *s, size_t k, const ST_LANE *count,
                               const ST_LANE *limit, bool low) {
    const struct st_kernel *kernel = s->k;
    for (size_t l = 0; l < kernel->n_lane; l++) {
        if (low ? count[l] >= limit[l] : count[l] <= limit[l]) continue;
        size_t n = kernel->min_len + l;
        st_consider(s, k, kernel->n_slots - n, n, count[l]);
    }
}

static inline void st_tail_high(struct st_seek *s, size_t k, const st_vec_at *run, size_t n_vec) {
    const st_vec_at *limit = (const st_vec_at *)s->high + s->bucket[k] * n_vec;
    st_vec any = run[0] > limit[0];
    for (size_t v = 1; v < n_vec; v++) any |= run[v] > limit[v];
    if (st_any(any)) st_tail_hit(s, k, (const ST_LANE *)run, (const ST_LANE *)limit, false);
}

static inline void st_tail_low(struct st_seek *s, size_t k, const st_vec_at *run, size_t n_vec) {
    const st_vec_at *limit = (const st_vec_at *)s->low + s->bucket[k] * n_vec;
    st_vec any = run[0] < limit[0];
    for (size_t v = 1; v < n_vec; v++) any |= run[v] < limit[v];
    if (st_any(any)) st_tail_hit(s, k, (const ST_LANE *)run, (const ST_LANE *)limit, true);
}

static inline __attribute__((always_inline)) void st_tail_walk(struct st_seek *s, st_vec_at *run,
                                                               size_t n_vec) {
    const uint32_t *row_of = s->set->row;
    const st_vec_at *rows = s->set->rows;
    size_t n = st_bearing(s);
    for (size_t v = 0; v < n_vec; v++) run[v] = (st_vec_at){0};
    for (size_t i = 0; i < n; i++) {
        size_t k = s->event[i];
        const st_vec_at *row = rows + row_of[s->place[k]] * n_vec;
        for (size_t v = 0; v < n_vec; v++) run[v] += row[v];
        if (k + 1 < s->first_len) continue;
        if (s->k->model.high) st_tail_high(s, k, run, n_vec);
        if (s->k->model.low)
            st_tail_low(s, i + 1 < n ? s->event[i + 1] - 1 : s->len - 1, run, n_vec);
    }
}

static inline void st_tail(struct st_seek *s) {
    size_t n_vec = s->k->n_pad / ST_WIDTH;
    st_vec_at run[4];
    /* The usual numbers of vectors stay in registers. */
    if (n_vec == 1)
        st_tail_walk(s, run, 1);
    else if (n_vec == 2)
        st_tail_walk(s, run, 2);
    else if (n_vec == 4)
        st_tail_walk(s, run, 4);
    else
        st_tail_walk(s, s->lanes, n_vec);
}

/* ---- windows anywhere in time ----
 * by[t], t = 0 .. n_slots, are the cases of the prefix before slot t; on both sides lies room for
 * the longest window and a vector, where the sums stay what they are at the ends: a window that
 * reaches out counts what it has inside. */

struct st_any_state {
    struct st_seek *s;
    ST_ULANE *by; /* aligned as a vector is */
    size_t k;     /* last member taken in */
    int32_t key_low, key_high;
    ST_ULANE ones[2 * ST_WIDTH]; /* in the upper half */
};

static inline ST_LANE st_any_limit(const void *table, int32_t log) {
    return ((const ST_LANE *)table)[log - ST_LOG_FROM];
}

static inline void st_any_at(struct st_any_state *w, size_t k) {
    const struct st_logs *logs = &w->s->k->logs;
    size_t q = w->s->bucket[k];
    w->k = k;
    w->key_low = logs->key_low[q];
    w->key_high = logs->key_high[q];
}

/* The window of n slots from t on: before it is considered, its own measure is looked at. */
static inline void st_any_window(struct st_any_state *w, size_t t, size_t n) {
    const struct st_kernel *k = w->s->k;
    const struct st_levels *levels = &k->levels;
    ST_LANE c = (ST_LANE)(w->by[t + n] - w->by[t]);
    if (c < 512 && (size_t)c < levels->n_count) {
        double measure = w->s->key_sum * (k->share_low[t + n] - k->share_low[t]) * (1.0 - 1e-9);
        if (measure > levels->most[w->s->level * levels->n_count + (size_t)c]) return;
    }
    st_consider(w->s, w->k, t, n, c);
}

/* Windows of a group's lengths that start in [from, to]. */
static inline void st_any_hit(struct st_any_state *w, size_t g, ST_LANE limit, int64_t from,
                              int64_t to) {
    const struct st_kernel *k = w->s->k;
    size_t first = from > 0 ? (size_t)from : 0;
    st_take_keys(w->s, w->k + 1);
    for (size_t n = k->group_from[g]; n <= k->group_to[g]; n++) {
        size_t end = (size_t)to < k->n_slots - n ? (size_t)to : k->n_slots - n;
        for (size_t t = first; t <= end; t += ST_WIDTH) {
            st_vec c = (st_vec)(st_load(w->by + t + n) - st_load(w->by + t));
            for (uint32_t m = st_mask(c > limit); m != 0;) {
                uint32_t lane = (uint32_t)__builtin_ctz(m) / sizeof(ST_LANE);
                m &= ~(((1U << sizeof(ST_LANE)) - 1) << lane * sizeof(ST_LANE));
                if (t + lane <= end) st_any_window(w, t + lane, n);
            }
        }
    }
}

/* High windows that contain slot d. */
static inline void st_any_day(struct st_any_state *w, size_t d) {
    const struct st_kernel *k = w->s->k;
    const ST_ULANE *end = w->by + d + 1;
    const int32_t *day = k->logs.day + d * k->n_group;
    const void *high = w->s->high;
    for (size_t g = 0; g < k->n_group; g++) {
        size_t n = k->group_to[g];
        ST_LANE limit = st_any_limit(high, w->key_low + day[g]);
        st_vec any = (st_vec){0};
        for (size_t i = 0; i < n; i += ST_WIDTH)
            any |= (st_vec)(st_load(end + i) - st_load(end + i - n)) > limit;
        if (st_any(any)) st_any_hit(w, g, limit, (int64_t)d - (int64_t)n + 1, (int64_t)d);
    }
}

/* All high windows. */
static inline void st_any_all(struct st_any_state *w) {
    const struct st_kernel *k = w->s->k;
    for (size_t g = 0; g < k->n_group; g++) {
        size_t n = k->group_to[g], shorter = n - k->group_from[g];
        ST_LANE limit = st_any_limit(w->s->high, w->key_low + k->logs.low[g]);
        for (size_t t = 0; t + n <= k->n_slots; t += ST_WIDTH) {
            st_vec c = (st_vec)(st_load(w->by + t + n) - st_load(w->by + t));
            if (st_any(c > limit))
                st_any_hit(w, g, limit, (int64_t)t, (int64_t)(t + ST_WIDTH - 1 + shorter));
        }
    }
}

/* Low windows that contain a slot of [from, to]. */
static inline void st_any_low(struct st_any_state *w, size_t from, size_t to) {
    const struct st_kernel *k = w->s->k;
    size_t g = 0;
    for (size_t n = k->min_len; n <= k->max_len; n++) {
        if (n > k->group_to[g]) g++;
        ST_LANE limit = st_any_limit(w->s->low, w->key_high + k->logs.high[g]);
        size_t last = to < k->n_slots - n ? to : k->n_slots - n;
        for (size_t t = from + 1 > n ? from + 1 - n : 0; t <= last; t++) {
            ST_LANE c = (ST_LANE)(w->by[t + n] - w->by[t]);
            if (c < limit) st_consider(w->s, w->k, t, n, c);
        }
    }
}

/* Sums from the slot after each case on grow by one: whole vectors, so that what was written is
 * read again as it was written. */
static inline void st_any_add(struct st_any_state *w, const uint32_t *slot, size_t n) {
    size_t end = w->s->k->n_slots + w->s->k->max_len + ST_WIDTH;
    st_sum one = (st_sum){0} + 1;
    for (size_t i = 0; i < n; i++) {
        size_t part = (slot[i] + 1) % ST_WIDTH, t = slot[i] + 1 - part;
        *(st_sum_at *)(w->by + t) += st_load(w->ones + ST_WIDTH - part);
        for (t += ST_WIDTH; t <= end; t += ST_WIDTH) *(st_sum_at *)(w->by + t) += one;
    }
}

static inline void st_any_member(struct st_any_state *w, size_t k, const uint32_t *slot, size_t n) {
    const struct st_kernel *kernel = w->s->k;
    size_t first_len = w->s->first_len;
    bool dense = n * kernel->case_cost > kernel->dense_cost;
    if (kernel->model.low && k >= first_len && n > 0) {
        st_any_at(w, k - 1);
        if (dense)
            st_any_low(w, 0, kernel->n_slots - 1);
        else
            for (size_t i = 0; i < n; i++) st_any_low(w, slot[i], slot[i]);
    }
    st_any_add(w, slot, n);
    if (!kernel->model.high || k + 1 < first_len) return;
    st_any_at(w, k);
    if (dense || (k + 1 == first_len && k > 0))
        st_any_all(w);
    else
        for (size_t i = 0; i < n; i++) st_any_day(w, slot[i]);
}

static inline void st_any_walk(struct st_seek *s) {
    const struct st_kernel *k = s->k;
    size_t side = (k->max_len / ST_WIDTH + 2) * ST_WIDTH;
    struct st_any_state w = {.s = s, .by = (ST_ULANE *)s->lanes + side};
    memset(s->lanes, 0, (k->n_slots + 1 + 2 * side + ST_WIDTH) * sizeof(ST_LANE));
    for (size_t i = 0; i < ST_WIDTH; i++) w.ones[ST_WIDTH + i] = 1;
    const uint32_t *first = s->set->first;
    size_t n = st_bearing(s);
    for (size_t i = 0; i < n; i++) {
        uint32_t p = s->place[s->event[i]];
        st_any_member(&w, s->event[i], s->set->slot + first[p], first[p + 1] - first[p]);
    }
    if (!k->model.low) return;
    st_any_at(&w, s->len - 1);
    st_any_low(&w, 0, k->n_slots - 1);
}
#endif
