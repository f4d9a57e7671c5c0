#include "num/composite/order.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* ---- heap sort: in place and never quadratic ---- */

static void sift(double *x, size_t at, size_t n) {
    double v = x[at];
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && x[child + 1] > x[child]) child++;
        if (x[child] <= v) break;
        x[at] = x[child];
        at = child;
    }
    x[at] = v;
}

void order_sort(double *x, size_t n) {
    for (size_t k = n / 2; k > 0; k--) sift(x, k - 1, n);
    for (size_t k = n; k > 1; k--) {
        double top = x[0];
        x[0] = x[k - 1];
        x[k - 1] = top;
        sift(x, 0, k - 1);
    }
}

double order_quantile(const double *sorted, size_t n, double p) {
    double at = p * (double)(n - 1), low = floor(at);
    size_t i = (size_t)low;
    if (i + 1 >= n) return sorted[n - 1];
    return sorted[i] + (at - low) * (sorted[i + 1] - sorted[i]);
}

/* ---- stable merge sorts ---- */

void order_index(const double *x, size_t n, uint32_t *index, uint32_t *work) {
    uint32_t *from = index, *to = work;
    for (size_t i = 0; i < n; i++) index[i] = (uint32_t)i;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += 2 * width) {
            size_t mid = at + width < n ? at + width : n, end = mid + width < n ? mid + width : n;
            size_t i = at, j = mid;
            for (size_t k = at; k < end; k++)
                to[k] = j >= end || (i < mid && x[from[i]] <= x[from[j]]) ? from[i++] : from[j++];
        }
        uint32_t *t = from;
        from = to;
        to = t;
    }
    if (from != index) memcpy(index, from, n * sizeof *index);
}

void order_rank_mean(const double *x, size_t n, double *rank, uint32_t *index) {
    /* The ranks themselves are not written before the order is known: their memory serves. */
    order_index(x, n, index, (uint32_t *)(void *)rank);
    for (size_t i = 0; i < n;) {
        size_t j = i + 1;
        while (j < n && x[index[j]] == x[index[i]]) j++;
        double mean = 0.5 * (double)(i + 1 + j);
        for (size_t k = i; k < j; k++) rank[index[k]] = mean;
        i = j;
    }
}

/* ---- ranks of one draw ---- */

/* Values with the places they stand at; twice, for the merge. */
struct ranker {
    double *key, *key2;
    uint16_t *at, *at2, *bucket, *count;
    size_t n_buckets;
};
enum { LARGEST_BUCKET = 48 };

static size_t buckets_for(size_t n) {
    size_t b = 256;
    while (b < 2 * n && b < 65536) b *= 2;
    return b;
}

static size_t rounded(size_t n) { return (n + 15) & ~(size_t)15; }

size_t order_rank_bytes(size_t n) {
    size_t m = rounded(n);
    return m * (2 * sizeof(double) + 3 * sizeof(uint16_t)) + buckets_for(n) * sizeof(uint16_t);
}

static struct ranker ranker_of(void *work, size_t n) {
    size_t m = rounded(n);
    struct ranker r = {.key = work, .n_buckets = buckets_for(n)};
    r.key2 = r.key + m;
    r.at = (uint16_t *)(void *)(r.key2 + m);
    r.at2 = r.at + m;
    r.bucket = r.at2 + m;
    r.count = r.bucket + m;
    return r;
}

/* Descending, stable. */
static void merge_down(struct ranker *r, size_t n) {
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t from = 0; from < n; from += 2 * width) {
            size_t mid = from + width < n ? from + width : n;
            size_t end = mid + width < n ? mid + width : n, i = from, j = mid;
            for (size_t k = from; k < end; k++) {
                size_t take = j >= end || (i < mid && r->key[i] >= r->key[j]) ? i++ : j++;
                r->key2[k] = r->key[take];
                r->at2[k] = r->at[take];
            }
        }
        double *key = r->key;
        uint16_t *at = r->at;
        r->key = r->key2;
        r->at = r->at2;
        r->key2 = key;
        r->at2 = at;
    }
}

/* Spread the keys over buckets of equal width, from the largest value down. False when one bucket
 * would hold so many that putting them in order by insertion costs more than merging. */
static bool spread_down(struct ranker *r, size_t n, double low, double high) {
    double scale = (double)(r->n_buckets - 1) / (high - low);
    if (!isfinite(scale) || !(scale > 0.0)) return false;
    size_t last = r->n_buckets - 1;
    memset(r->count, 0, r->n_buckets * sizeof *r->count);
    uint16_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        /* Subtracting and multiplying by a positive number keep the order, also rounded. */
        size_t b = (size_t)(uint32_t)(int32_t)((r->key[i] - low) * scale);
        b = b > last ? 0 : last - b;
        r->bucket[i] = (uint16_t)b;
        uint16_t c = ++r->count[b];
        largest = c > largest ? c : largest;
    }
    if (largest > LARGEST_BUCKET) return false;
    uint16_t before = 0;
    for (size_t b = 0; b < r->n_buckets; b++) {
        uint16_t c = r->count[b];
        r->count[b] = before;
        before = (uint16_t)(before + c);
    }
    for (size_t i = 0; i < n; i++) {
        size_t to = r->count[r->bucket[i]]++;
        r->key2[to] = r->key[i];
        r->at2[to] = r->at[i];
    }
    for (size_t i = 1; i < n; i++) {
        double v = r->key2[i];
        if (r->key2[i - 1] >= v) continue;
        uint16_t at = r->at2[i];
        size_t k = i;
        for (; k > 0 && r->key2[k - 1] < v; k--) {
            r->key2[k] = r->key2[k - 1];
            r->at2[k] = r->at2[k - 1];
        }
        r->key2[k] = v;
        r->at2[k] = at;
    }
    r->key = r->key2;
    r->at = r->at2;
    return true;
}

void order_rank(const double *x, size_t n, uint16_t *rank, void *work) {
    struct ranker r = ranker_of(work, n);
    size_t m = 0;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double v = x[i];
        r.key[m] = v;
        r.at[m] = (uint16_t)i;
        if (isnan(v)) {
            rank[i] = 0;
            continue;
        }
        low = v < low ? v : low;
        high = v > high ? v : high;
        m++;
    }
    if (!spread_down(&r, m, low, high)) merge_down(&r, m);
    uint16_t now = 0;
    for (size_t i = 0; i < m; i++) {
        if (i == 0 || r.key[i] != r.key[i - 1]) now = (uint16_t)(i + 1);
        rank[r.at[i]] = now;
    }
}
