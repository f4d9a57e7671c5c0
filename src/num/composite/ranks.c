#include <math.h>
#include <string.h>

#include "num/composite/composite.h"

/* Least-significant-digit radix sort on the bits of a double, mapped so that unsigned order is
 * descending order of value. */
struct sorting {
    uint64_t *key, *key_to;
    uint32_t *index, *index_to;
};

static uint64_t descending_key(double v) {
    uint64_t bits;
    v += 0.0; /* -0 ties with 0 */
    memcpy(&bits, &v, sizeof bits);
    uint64_t ascending = bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
    return ~ascending;
}

static void sort_keys(struct sorting *s, size_t n) {
    uint32_t count[8][256];
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < n; i++) {
        uint64_t k = s->key[i];
        for (unsigned d = 0; d < 8; d++) count[d][k >> (8 * d) & 255]++;
    }
    for (unsigned d = 0; d < 8; d++) {
        uint32_t *c = count[d], at = 0;
        unsigned shift = 8 * d;
        if (n > 0 && c[s->key[0] >> shift & 255] == n) continue; /* one digit for all */
        for (size_t b = 0; b < 256; b++) {
            uint32_t here = c[b];
            c[b] = at;
            at += here;
        }
        for (size_t i = 0; i < n; i++) {
            uint32_t to = c[s->key[i] >> shift & 255]++;
            s->key_to[to] = s->key[i];
            s->index_to[to] = s->index[i];
        }
        uint64_t *k = s->key;
        uint32_t *x = s->index;
        s->key = s->key_to;
        s->index = s->index_to;
        s->key_to = k;
        s->index_to = x;
    }
}

static void rank_periods(const struct sorting *s, size_t n, const uint32_t *period,
                         uint32_t n_period, double *scratch, uint32_t *rank) {
    uint64_t *last = (uint64_t *)(void *)scratch;
    uint32_t *seen = (uint32_t *)(void *)(scratch + n_period), *at = seen + n_period;
    memset(seen, 0, n_period * sizeof *seen);
    for (size_t i = 0; i < n; i++) {
        uint32_t p = period[s->index[i]];
        if (seen[p] == 0 || last[p] != s->key[i]) at[p] = seen[p] + 1;
        last[p] = s->key[i];
        seen[p]++;
        rank[s->index[i]] = at[p];
    }
}

void composite_ranks(const double *value, size_t n, const uint32_t *period, uint32_t n_period,
                     double *scratch, uint32_t *rank) {
    struct sorting s = {.key = (uint64_t *)(void *)scratch,
                        .key_to = (uint64_t *)(void *)(scratch + n),
                        .index = (uint32_t *)(void *)(scratch + 2 * n)};
    s.index_to = s.index + n;
    size_t there = 0;
    for (size_t i = 0; i < n; i++) {
        rank[i] = 0;
        if (isnan(value[i])) continue;
        s.key[there] = descending_key(value[i]);
        s.index[there++] = (uint32_t)i;
    }
    sort_keys(&s, there);
    if (period != NULL && n_period > 1) {
        rank_periods(&s, there, period, n_period, scratch + 3 * n, rank);
        return;
    }
    uint32_t at = 1;
    for (size_t i = 0; i < there; i++) {
        if (i > 0 && s.key[i] != s.key[i - 1]) at = (uint32_t)i + 1;
        rank[s.index[i]] = at;
    }
}
