/* num/scan/lanes.h - the scan of one list for a batch of replicas, for one width of vectors:
 * included once by each lanes_*.c, which sets LANES_BYTES and names the table. Integers only: the
 * same result with any width. */
#ifndef NUM_SCAN_LANES_H
#define NUM_SCAN_LANES_H
#include <math.h>

#include "num/scan/spatial.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#ifndef LANES_BYTES
#define LANES_BYTES 16
#endif

enum {
    PER16 = LANES_BYTES / 2, /* lanes of a vector of 16 bits */
    PER32 = LANES_BYTES / 4,
    N16 = LANES / PER16, /* vectors of all lanes */
    N32 = LANES / PER32,
    N8 = LANES / LANES_BYTES,
};
typedef int16_t v16 __attribute__((vector_size(LANES_BYTES)));
typedef uint16_t vu16 __attribute__((vector_size(LANES_BYTES)));
typedef int32_t v32 __attribute__((vector_size(LANES_BYTES)));
typedef float vf32 __attribute__((vector_size(LANES_BYTES)));
typedef uint8_t vu8 __attribute__((vector_size(LANES_BYTES)));
typedef uint8_t half8 __attribute__((vector_size(LANES_BYTES / 2)));
/* The same where they lie: a copy into a variable by memcpy goes through memory in pieces. */
typedef vu8 vu8_there __attribute__((aligned(1), may_alias));
typedef half8 half8_there __attribute__((aligned(1), may_alias));
typedef vu16 vu16_there __attribute__((aligned(1), may_alias));
typedef v32 v32_there __attribute__((aligned(1), may_alias));
typedef vf32 vf32_there __attribute__((aligned(1), may_alias));

/* Upper half of the products of unsigned 16-bit numbers. */
static inline v16 high_product(vu16 a, vu16 b) {
#if defined(__AVX512BW__) && LANES_BYTES == 64
    return (v16)_mm512_mulhi_epu16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__) && LANES_BYTES == 32
    return (v16)_mm256_mulhi_epu16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__) && LANES_BYTES == 16
    return (v16)__builtin_ia32_pmulhuw128((v16)a, (v16)b);
#else
    vu16 out;
    for (int i = 0; i < PER16; i++) out[i] = (uint16_t)((uint32_t)a[i] * b[i] >> 16);
    return (v16)out;
#endif
}

/* Is any lane of a comparison's result set? */
static inline bool any16(v16 m) {
#if defined(__AVX512BW__) && LANES_BYTES == 64
    return _mm512_movepi16_mask((__m512i)m) != 0;
#elif defined(__AVX2__) && LANES_BYTES == 32
    return _mm256_movemask_epi8((__m256i)m) != 0;
#else
    typedef uint64_t words __attribute__((vector_size(LANES_BYTES)));
    uint64_t any = 0;
    for (int i = 0; i < LANES_BYTES / 8; i++) any |= ((words)m)[i];
    return any != 0;
#endif
}

/* One list on its way. */
struct walk {
    struct spatial_batch *b;
    size_t member, n; /* the block: place in the lists, members (at most BLOCK) */
    size_t skip;      /* of its first prefixes that are no zones */
    double measure, weight;
    int32_t base; /* deviations count from here */
};

static inline int32_t whole(const struct spatial_model *m, double measure) {
    return (int32_t)(measure * m->rate);
}
static inline int16_t narrow16(double x) {
    if (x >= 32767.0) return INT16_MAX;
    if (x <= -32768.0) return INT16_MIN;
    return (int16_t)x;
}

/* The lanes that a closer look left over, exactly. */
static inline void judge(struct walk *w, const int16_t *hit16, const int32_t *hit32,
                         const int32_t *deviation, double measure) {
    const struct spatial_model *m = &w->b->k->model;
    for (size_t l = 0; l < w->b->n_lanes; l++) {
        if (hit16 != NULL ? hit16[l] == 0 : hit32[l] == 0) continue;
        double c = (double)(deviation[l] + w->base);
        if (spatial_bound(m, c, measure) * w->weight <= w->b->best[l]) continue;
        double llr = spatial_llr(m, c, measure) * w->weight;
        if (llr > w->b->best[l]) spatial_raise(w->b, l, llr);
    }
}

static inline const uint8_t *row8(const struct walk *w, size_t i) {
    return w->b->row8 + (size_t)scan_zones_member(w->b->k->zones, w->member + i) * LANES;
}

/* Zone by zone: d is the deviation before the block, already from the base of its end. */
static inline void look16(struct walk *w, v16 *d, float spread, float fall) {
    const struct spatial *k = w->b->k;
    uint16_t upper = (uint16_t)(spread * 16.0F), down = (uint16_t)(fall * 16.0F);
    double measure = w->measure;
    for (size_t i = 0; i < w->n; i++) {
        const half8_there *row = (const half8_there *)row8(w, i);
        for (int v = 0; v < N16; v++) d[v] += __builtin_convertvector(row[v], v16);
        measure += k->measure[scan_zones_member(k->zones, w->member + i)];
        if (i < w->skip) continue;
        double from_base = measure * k->model.rate - w->base;
        int16_t least = narrow16(floor(from_base)), most = narrow16(ceil(from_base));
        v16 hit[N16], any = {0};
        for (int v = 0; v < N16; v++) {
            vu16 root = ((const vu16_there *)w->b->root16)[v];
            v16 h = {0};
            if (k->model.high) h |= d[v] >= least + high_product(root, (vu16){0} + upper);
            if (k->model.low) h |= d[v] <= most - high_product(root, (vu16){0} + down);
            hit[v] = h;
            any |= h;
        }
        if (!any16(any)) continue;
        int32_t deviation[LANES];
        for (int l = 0; l < LANES; l++) deviation[l] = d[l / PER16][l % PER16];
        judge(w, (const int16_t *)hit, NULL, deviation, measure);
    }
}

static inline bool worth16(const struct spatial_batch *b, const v16 *end, const v16 *begin,
                           const struct spatial_block *block, const struct spatial_fall *fall) {
    v16 any = {0};
    int16_t low = (int16_t)block->low;
    uint16_t spread = (uint16_t)(block->spread * 16.0F);
    for (int v = 0; v < N16; v++) {
        vu16 root = ((const vu16_there *)b->root16)[v];
        any |= end[v] >= low + high_product(root, (vu16){0} + spread);
        if (fall == NULL) continue;
        int16_t high = (int16_t)fall->high;
        any |= begin[v] <= high - high_product(root, (vu16){0} + (uint16_t)(fall->spread * 16.0F));
    }
    return any16(any);
}

static inline void add_rows(const struct walk *w, bool heavy, v16 *d) {
    vu8 sum[N8] = {{0}};
    for (size_t i = 0; i < w->n; i++) {
        const uint8_t *row = row8(w, i);
        if (heavy) {
            const half8_there *part = (const half8_there *)row;
            for (int v = 0; v < N16; v++) d[v] += __builtin_convertvector(part[v], v16);
        } else {
            const vu8_there *part = (const vu8_there *)row;
            for (int v = 0; v < N8; v++) sum[v] += part[v];
        }
    }
    if (heavy) return;
    const half8_there *part = (const half8_there *)sum;
    for (int v = 0; v < N16; v++) d[v] += __builtin_convertvector(part[v], v16);
}

static inline __attribute__((always_inline)) void scan16(struct spatial_batch *b, size_t list,
                                                         bool heavy) {
    const struct spatial *k = b->k;
    const struct scan_zones *z = k->zones;
    size_t end = z->first[list + 1], first_len = z->first_len != NULL ? z->first_len[list] : 1;
    struct walk w = {
        .b = b, .member = z->first[list], .weight = z->weight != NULL ? z->weight[list] : 1.0};
    v16 d[N16] = {{0}};
    for (size_t j = k->first_block[list]; w.member < end; j++, w.member += BLOCK) {
        const struct spatial_block *block = &k->block[j];
        const struct spatial_fall *fall = k->fall != NULL ? &k->fall[j] : NULL;
        w.n = end - w.member < BLOCK ? end - w.member : BLOCK;
        int32_t base = whole(&k->model, block[1].measure);
        v16 before[N16];
        int16_t step = (int16_t)(base - w.base);
        for (int v = 0; v < N16; v++) {
            before[v] = d[v];
            d[v] -= step;
        }
        add_rows(&w, heavy, d);
        w.base = base;
        if (!worth16(b, d, before, block, fall)) continue;
        size_t done = w.member - z->first[list];
        w.skip = first_len > done + 1 ? first_len - done - 1 : 0;
        w.measure = block->measure;
        for (int v = 0; v < N16; v++) before[v] -= step;
        look16(&w, before, block->spread, fall != NULL ? fall->spread : 0.0F);
    }
}

static inline void scan_light(struct spatial_batch *b, size_t list) { scan16(b, list, false); }
static inline void scan_heavy(struct spatial_batch *b, size_t list) { scan16(b, list, true); }

/* The same in 32 bits. */
static inline bool worth32(const v32 *d, const float *root, double from_base, float spread,
                           bool low, v32 *hit) {
    v32 any = {0};
    for (int v = 0; v < N32; v++) {
        vf32 r = ((const vf32_there *)root)[v];
        /* A count less than the product in single precision is surely less than the exact one. */
        v32 way = __builtin_convertvector(r * spread, v32) - 1;
        if (low)
            hit[v] |= d[v] <= (int32_t)ceil(from_base) - way;
        else
            hit[v] |= d[v] >= (int32_t)floor(from_base) + way;
        any |= hit[v];
    }
    return any16((v16)any);
}

static inline void look32(struct walk *w, v32 *d, float spread, float fall) {
    const struct spatial *k = w->b->k;
    double measure = w->measure;
    for (size_t i = 0; i < w->n; i++) {
        uint32_t place = scan_zones_member(k->zones, w->member + i);
        const v32_there *row = (const v32_there *)(w->b->row32 + (size_t)place * LANES);
        v32 hit[N32] = {{0}};
        for (int v = 0; v < N32; v++) d[v] += row[v];
        measure += k->measure[place];
        if (i < w->skip) continue;
        double from_base = measure * k->model.rate - w->base;
        bool any = k->model.high && worth32(d, w->b->root, from_base, spread, false, hit);
        any |= k->model.low && worth32(d, w->b->root, from_base, fall, true, hit);
        if (any) judge(w, NULL, (const int32_t *)hit, (const int32_t *)d, measure);
    }
}

static inline void scan_wide(struct spatial_batch *b, size_t list) {
    const struct spatial *k = b->k;
    const struct scan_zones *z = k->zones;
    size_t end = z->first[list + 1], first_len = z->first_len != NULL ? z->first_len[list] : 1;
    struct walk w = {
        .b = b, .member = z->first[list], .weight = z->weight != NULL ? z->weight[list] : 1.0};
    v32 d[N32] = {{0}};
    for (size_t j = k->first_block[list]; w.member < end; j++, w.member += BLOCK) {
        const struct spatial_block *block = &k->block[j];
        const struct spatial_fall *fall = k->fall != NULL ? &k->fall[j] : NULL;
        w.n = end - w.member < BLOCK ? end - w.member : BLOCK;
        v32 before[N32], hit[N32] = {{0}};
        int32_t base = whole(&k->model, block[1].measure), step = base - w.base;
        for (int v = 0; v < N32; v++) {
            before[v] = d[v];
            d[v] -= step;
        }
        for (size_t i = 0; i < w.n; i++) {
            size_t place = scan_zones_member(z, w.member + i);
            const v32_there *row = (const v32_there *)(b->row32 + place * LANES);
            for (int v = 0; v < N32; v++) d[v] += row[v];
        }
        w.base = base;
        bool any = worth32(d, b->root, (double)block->low, block->spread, false, hit);
        if (fall != NULL)
            any |= worth32(before, b->root, (double)fall->high, fall->spread, true, hit);
        if (!any) continue;
        size_t done = w.member - z->first[list];
        w.skip = first_len > done + 1 ? first_len - done - 1 : 0;
        w.measure = block->measure;
        for (int v = 0; v < N32; v++) before[v] -= step;
        look32(&w, before, block->spread, fall != NULL ? fall->spread : 0.0F);
    }
}

#endif
