#include "base/rng.h"

#include <math.h>

#include "base/err.h"

/* Salmon et al. 2011, table 2 and section 3.3: multipliers and Weyl key increments of Philox 4x32,
 * ten rounds. */
static const uint32_t mul0 = 0xD2511F53U, mul1 = 0xCD9E8D57U, weyl0 = 0x9E3779B9U,
                      weyl1 = 0xBB67AE85U;

static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3], k0 = key[0],
             k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)mul0 * x0, p1 = (uint64_t)mul1 * x2;
        x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)p1;
        x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)p0;
        k0 += weyl0;
        k1 += weyl1;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

struct rng rng_new(uint64_t seed, uint64_t stream) {
    return (struct rng){.seed = seed, .stream = stream};
}

uint32_t rng_u32(struct rng *r) {
    if (r->left == 0) {
        uint32_t counter[4] = {(uint32_t)r->counter, (uint32_t)(r->counter >> 32),
                               (uint32_t)r->stream, (uint32_t)(r->stream >> 32)};
        uint32_t key[2] = {(uint32_t)r->seed, (uint32_t)(r->seed >> 32)};
        philox(counter, key, r->block);
        r->counter++;
        r->left = 4;
    }
    return r->block[4 - r->left--];
}

uint64_t rng_u64(struct rng *r) {
    uint64_t low = rng_u32(r);
    return low | (uint64_t)rng_u32(r) << 32;
}

enum { BESIDE = 4 };
static const size_t beside = 2 * (size_t)BESIDE; /* numbers of so many blocks */

/* BESIDE blocks at once: their chains of multiplications do not wait for one another. */
static void philox_beside(const struct rng *r, uint64_t out[2 * BESIDE]) {
    uint32_t x0[BESIDE], x1[BESIDE], x2[BESIDE], x3[BESIDE];
    uint32_t k0 = (uint32_t)r->seed, k1 = (uint32_t)(r->seed >> 32);
    for (unsigned i = 0; i < BESIDE; i++) {
        x0[i] = (uint32_t)(r->counter + i);
        x1[i] = (uint32_t)((r->counter + i) >> 32);
        x2[i] = (uint32_t)r->stream;
        x3[i] = (uint32_t)(r->stream >> 32);
    }
    for (int round = 0; round < 10; round++) {
        for (unsigned i = 0; i < BESIDE; i++) {
            uint64_t p0 = (uint64_t)mul0 * x0[i], p1 = (uint64_t)mul1 * x2[i];
            x0[i] = (uint32_t)(p1 >> 32) ^ x1[i] ^ k0;
            x1[i] = (uint32_t)p1;
            x2[i] = (uint32_t)(p0 >> 32) ^ x3[i] ^ k1;
            x3[i] = (uint32_t)p0;
        }
        k0 += weyl0;
        k1 += weyl1;
    }
    for (size_t i = 0; i < BESIDE; i++) {
        out[2 * i] = x0[i] | (uint64_t)x1[i] << 32;
        out[2 * i + 1] = x2[i] | (uint64_t)x3[i] << 32;
    }
}

void rng_fill_u64(struct rng *r, uint64_t *out, size_t n) {
    size_t i = 0;
    for (; i < n && r->left != 0; i++) out[i] = rng_u64(r);
    for (; r->left == 0 && i + beside <= n; i += beside) {
        philox_beside(r, out + i);
        r->counter += BESIDE;
    }
    for (; i < n; i++) out[i] = rng_u64(r);
}

uint32_t rng_below(struct rng *r, uint32_t n) {
    app_assert(n >= 1);
    /* Lemire 2019, "Fast random integer generation in an interval", algorithm 5: multiply, refuse
     * the uneven rest. */
    uint64_t m = (uint64_t)rng_u32(r) * n;
    if ((uint32_t)m < n) {
        uint32_t uneven = (0U - n) % n;
        while ((uint32_t)m < uneven) m = (uint64_t)rng_u32(r) * n;
    }
    return (uint32_t)(m >> 32);
}

double rng_unit(struct rng *r) { return (double)(rng_u64(r) >> 11) * 0x1p-53; }

/* (0, 1]: fit for a logarithm. */
static double unit_open(struct rng *r) { return 1.0 - rng_unit(r); }

double rng_normal(struct rng *r) {
    /* Box and Muller 1958. The second value is not kept, so that each call uses the same number of
     * bits. */
    double radius = sqrt(-2.0 * log(unit_open(r)));
    return radius * cos(2.0 * 3.14159265358979323846 * rng_unit(r));
}

double rng_exp(struct rng *r) { return -log(unit_open(r)); }

static double log_factorial(double k) {
    int sign;
    return lgamma_r(k + 1.0, &sign);
}

/* Hoermann 1993, "The transformed rejection method for generating Poisson random variables",
 * algorithm PTRS. */
static uint32_t poisson_large(struct rng *r, double mean) {
    double b = 0.931 + 2.53 * sqrt(mean);
    double a = -0.059 + 0.02483 * b;
    double inv_alpha = 1.1239 + 1.1328 / (b - 3.4);
    double v_r = 0.9277 - 3.6224 / (b - 2.0);
    double log_mean = log(mean);
    for (;;) {
        double u = rng_unit(r) - 0.5;
        double v = unit_open(r);
        double us = 0.5 - fabs(u);
        double k = floor((2.0 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= v_r) return (uint32_t)k;
        if (k < 0.0 || (us < 0.013 && v > us)) continue;
        if (log(v * inv_alpha / (a / (us * us) + b)) <= k * log_mean - mean - log_factorial(k))
            return (uint32_t)k;
    }
}

uint32_t rng_poisson(struct rng *r, double mean) {
    app_assert(mean < 1e6);
    if (!(mean > 0.0)) return 0;
    if (mean >= 10.0) return poisson_large(r, mean);
    /* Knuth 1969, 3.4.1 F: arrivals of a Poisson process within the unit of time. */
    double limit = exp(-mean), product = unit_open(r);
    uint32_t k = 0;
    for (; product > limit; k++) product *= unit_open(r);
    return k;
}
