#include "num/composite/product.h"

#include <stdbool.h>
#include <string.h>

size_t product_width(size_t n_area) {
    return (n_area + PRODUCT_TILE - 1) / PRODUCT_TILE * PRODUCT_TILE;
}

void product_pack(const double *value, size_t stride, const size_t *at, const unsigned char *skip,
                  size_t n_ind, size_t n_area, double *packed) {
    memset(packed, 0, n_ind * product_width(n_area) * sizeof *packed);
    for (size_t c = 0; c < n_area; c++) {
        size_t from = at == NULL ? c : at[c];
        if (from >= stride) continue;
        double *to = packed + c / PRODUCT_TILE * n_ind * PRODUCT_TILE + c % PRODUCT_TILE;
        for (size_t i = 0; i < n_ind; i++) {
            if (skip == NULL || skip[i] == 0) to[i * PRODUCT_TILE] = value[i * stride + from];
        }
    }
}

/* Four doubles as the compiler's own vector: one AVX register or two of SSE2. */
typedef double four __attribute__((vector_size(32), aligned(8)));

static inline __attribute__((always_inline)) void
four_draws(const double *tile, size_t n_ind, const double *w, size_t width, double *out) {
    four s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    for (size_t i = 0; i < n_ind; i++) {
        four x = *(const four *)(const void *)(tile + i * PRODUCT_TILE);
        s0 += x * w[i];
        s1 += x * w[n_ind + i];
        s2 += x * w[2 * n_ind + i];
        s3 += x * w[3 * n_ind + i];
    }
    *(four *)(void *)out = s0;
    *(four *)(void *)(out + width) = s1;
    *(four *)(void *)(out + 2 * width) = s2;
    *(four *)(void *)(out + 3 * width) = s3;
}

static inline __attribute__((always_inline)) void
four_draws_wide(const double *tile, size_t n_ind, const double *w, size_t width, double *out) {
    four s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0};
    for (size_t i = 0; i < n_ind; i++) {
        four x = *(const four *)(const void *)(tile + i * PRODUCT_TILE);
        four y = *(const four *)(const void *)(tile + i * PRODUCT_TILE + 4);
        s0 += x * w[i];
        t0 += y * w[i];
        s1 += x * w[n_ind + i];
        t1 += y * w[n_ind + i];
        s2 += x * w[2 * n_ind + i];
        t2 += y * w[2 * n_ind + i];
        s3 += x * w[3 * n_ind + i];
        t3 += y * w[3 * n_ind + i];
    }
    *(four *)(void *)out = s0;
    *(four *)(void *)(out + 4) = t0;
    *(four *)(void *)(out + width) = s1;
    *(four *)(void *)(out + width + 4) = t1;
    *(four *)(void *)(out + 2 * width) = s2;
    *(four *)(void *)(out + 2 * width + 4) = t2;
    *(four *)(void *)(out + 3 * width) = s3;
    *(four *)(void *)(out + 3 * width + 4) = t3;
}

static void run_plain(const double *packed, size_t n_ind, size_t width, const double *weight,
                      size_t n_draw, double *out) {
    for (size_t c = 0; c < width; c += PRODUCT_TILE) {
        const double *tile = packed + c * n_ind;
        for (size_t r = 0; r < n_draw; r += PRODUCT_DRAWS) {
            four_draws(tile, n_ind, weight + r * n_ind, width, out + r * width + c);
            four_draws(tile + 4, n_ind, weight + r * n_ind, width, out + r * width + c + 4);
        }
    }
}

#if defined __x86_64__
__attribute__((target("avx2"))) static void run_avx2(const double *packed, size_t n_ind,
                                                     size_t width, const double *weight,
                                                     size_t n_draw, double *out) {
    for (size_t c = 0; c < width; c += PRODUCT_TILE) {
        const double *tile = packed + c * n_ind;
        for (size_t r = 0; r < n_draw; r += PRODUCT_DRAWS)
            four_draws_wide(tile, n_ind, weight + r * n_ind, width, out + r * width + c);
    }
}
static bool has_avx2(void) { return __builtin_cpu_supports("avx2") != 0; }
#else
static bool has_avx2(void) { return false; }
static void run_avx2(const double *packed, size_t n_ind, size_t width, const double *weight,
                     size_t n_draw, double *out) {
    run_plain(packed, n_ind, width, weight, n_draw, out);
}
#endif

void product_run(const double *packed, size_t n_ind, size_t n_area, const double *weight,
                 size_t n_draw, double *out) {
    size_t width = product_width(n_area);
    if (has_avx2())
        run_avx2(packed, n_ind, width, weight, n_draw, out);
    else
        run_plain(packed, n_ind, width, weight, n_draw, out);
}
