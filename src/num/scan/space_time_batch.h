/* num/scan/space_time_batch.h - the walk of one list for several replicas at once, a replica a
 * lane: for few slots, or many cases a place, where nearly all windows are to be looked at anyway.
 * Each window then has a threshold of its own. Made for a width of vectors as space_time_walk.h. */
#ifndef NUM_SCAN_SPACE_TIME_BATCH_H
#define NUM_SCAN_SPACE_TIME_BATCH_H
#include <string.h>

#include "num/scan/space_time_walk.h"

struct st_batch_state {
    struct st_seek *s;
    struct st_batch *b;
    st_sum *by; /* n_slots + 1 sums of the prefix */
    size_t k;
};

/* Window number i: n slots from t on; lanes of `mask` pass. */
static inline void st_batch_hit(struct st_batch_state *w, st_vec c, uint32_t mask, size_t t,
                                size_t n, size_t i) {
    struct st_seek *s = w->s;
    const struct st_levels *levels = &s->k->levels;
    mask &= w->b->lanes;
    if (mask == 0) return;
    st_take_keys(s, w->k + 1);
    double measure = s->key_sum * s->k->logs.share[i] * (1.0 - 1e-9);
    while (mask != 0) {
        uint32_t lane = (uint32_t)__builtin_ctz(mask) / sizeof(ST_LANE);
        mask &= ~(((1U << sizeof(ST_LANE)) - 1) << lane * sizeof(ST_LANE));
        ST_LANE count = c[lane];
        if (!s->k->model.low && count < 512 && (size_t)count < levels->n_count &&
            measure > levels->most[w->b->level[lane] * levels->n_count + (size_t)count])
            continue;
        s->best = w->b->best[lane];
        st_consider(s, w->k, t, n, count);
        if (s->best > w->b->best[lane]) {
            w->b->best[lane] = s->best;
            w->b->level[lane] = st_levels_at(levels, s->best / s->weight);
        }
    }
}

static inline void st_batch_high(struct st_batch_state *w) {
    const struct st_kernel *k = w->s->k;
    const struct st_logs *logs = &k->logs;
    const int32_t *log = logs->window;
    const ST_LANE *high = (const ST_LANE *)k->rows.high16 + w->b->lowest * k->rows.stride;
    high -= ST_LOG_FROM;
    if (logs->item != NULL)
        log = logs->item + (size_t)(w->s->bucket + w->k - k->bucket) * logs->n_window;
    else
        high += logs->key_low[w->s->bucket[w->k]];
    for (size_t n = k->min_len, i = 0; n <= k->max_len; n++) {
        size_t n_from = k->n_slots - n + 1;
        st_vec any = (st_vec){0};
        for (size_t t = 0; t < n_from; t++)
            any |= (st_vec)(w->by[t + n] - w->by[t]) > high[log[i + t]];
        for (size_t t = 0; st_any(any) && t < n_from; t++) {
            st_vec c = (st_vec)(w->by[t + n] - w->by[t]);
            uint32_t mask = st_mask(c > high[log[i + t]]);
            if (mask != 0) st_batch_hit(w, c, mask, t, n, i + t);
        }
        i += n_from;
    }
}

static inline void st_batch_low(struct st_batch_state *w) {
    const struct st_kernel *k = w->s->k;
    const struct st_logs *logs = &k->logs;
    const int32_t *log = logs->window_up;
    const ST_LANE *low = (const ST_LANE *)k->rows.low16 + w->b->lowest * k->rows.stride;
    low -= ST_LOG_FROM;
    if (logs->item != NULL) { /* rounded down: the next one is up */
        log = logs->item + (size_t)(w->s->bucket + w->k - k->bucket) * logs->n_window;
        low++;
    } else {
        low += logs->key_high[w->s->bucket[w->k]];
    }
    for (size_t n = k->min_len, i = 0; n <= k->max_len; n++) {
        size_t n_from = k->n_slots - n + 1;
        for (size_t t = 0; t < n_from; t++) {
            st_vec c = (st_vec)(w->by[t + n] - w->by[t]);
            uint32_t mask = st_mask(c < low[log[i + t]]);
            if (mask != 0) st_batch_hit(w, c, mask, t, n, i + t);
        }
        i += n_from;
    }
}

static inline void st_batch_walk(struct st_seek *s, struct st_batch *b) {
    const struct st_kernel *k = s->k;
    size_t n_row = k->n_slots + 1;
    struct st_batch_state w = {.s = s, .b = b, .by = b->by};
    memset(b->by, 0, n_row * sizeof *w.by);
    b->lowest = ST_LEVELS - 1;
    for (size_t i = 0; i < b->n; i++) {
        b->level[i] = st_levels_at(&k->levels, b->best[i] / s->weight);
        if (b->level[i] < b->lowest) b->lowest = b->level[i];
    }
    for (size_t i = 0; i < s->len; i++) {
        uint32_t p = s->place[i];
        if (b->mark[p] == 0 && i + 1 != s->first_len) continue;
        if (k->model.low && i >= s->first_len) {
            w.k = i - 1;
            st_batch_low(&w);
        }
        const st_sum *row = (const st_sum *)b->cum + p * n_row;
        for (size_t t = 0; t < n_row; t++) w.by[t] += row[t];
        w.k = i;
        if (k->model.high && i + 1 >= s->first_len) st_batch_high(&w);
    }
    w.k = s->len - 1;
    if (k->model.low) st_batch_low(&w);
}

/* Adds the case of an event to a lane; st_batch_close makes sums over the slots of all. */
static inline void st_batch_add(const struct st_kernel *k, struct st_batch *b, size_t lane,
                                const struct st_set *s) {
    ST_ULANE *cum = b->cum;
    for (size_t i = 0; i < s->n_event; i++) {
        const struct st_event *e = &s->event[i];
        b->mark[e->place] = 1;
        cum[(e->place * (k->n_slots + 1) + e->column + 1) * ST_WIDTH + lane]++;
    }
}

static inline void st_batch_close(const struct st_kernel *k, struct st_batch *b) {
    for (size_t p = 0; p < k->n_places; p++) {
        st_sum *row = (st_sum *)b->cum + p * (k->n_slots + 1);
        for (size_t t = 1; b->mark[p] != 0 && t <= k->n_slots; t++) row[t] += row[t - 1];
    }
}
#endif
