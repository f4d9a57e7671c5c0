#include "testing.h"

#include <math.h>

#include "base/rng.h"

/* Known answers of Philox4x32-10 from Random123's kat_vectors. */
static void known_answers(void **state) {
    (void)state;
    static const struct {
        uint64_t counter, stream, seed;
        uint32_t out[4];
    } kat[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {UINT64_C(0x85a308d3243f6a88),
         UINT64_C(0x0370734413198a2e),
         UINT64_C(0x299f31d0a4093822),
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof kat / sizeof kat[0]; i++) {
        struct rng r = rng_new(kat[i].seed, kat[i].stream);
        r.counter = kat[i].counter;
        for (size_t k = 0; k < 4; k++) assert_int_equal(rng_u32(&r), kat[i].out[k]);
    }
}

static void streams_differ_and_repeat(void **state) {
    (void)state;
    struct rng a = rng_new(1, 0), b = rng_new(1, 0), c = rng_new(1, 1), d = rng_new(2, 0);
    int same_c = 0, same_d = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = rng_u64(&a);
        assert_true(x == rng_u64(&b));
        same_c += x == rng_u64(&c);
        same_d += x == rng_u64(&d);
    }
    assert_int_equal(same_c + same_d, 0);
}

static void filling_is_the_same_as_one_by_one(void **state) {
    (void)state;
    for (unsigned before = 0; before < 5; before++)
        for (size_t n = 0; n < 40; n++) {
            struct rng a = rng_new(3, 9), b = a;
            uint64_t filled[40] = {0};
            a.counter = b.counter = UINT64_C(0xfffffffe); /* the carry into the upper half */
            for (unsigned i = 0; i < before; i++) assert_int_equal(rng_u32(&a), rng_u32(&b));
            rng_fill_u64(&a, filled, n);
            for (size_t i = 0; i < n; i++) assert_true(filled[i] == rng_u64(&b));
            assert_int_equal(rng_u32(&a), rng_u32(&b));
        }
}

static void below_is_even(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 2, 3, 7, 10, 100};
    struct rng r = rng_new(4, 0);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint32_t n = sizes[s], count[100] = {0};
        const uint32_t draws = 200000;
        for (uint32_t i = 0; i < draws; i++) {
            uint32_t x = rng_below(&r, n);
            assert_true(x < n);
            count[x]++;
        }
        double chi2 = 0, expected = (double)draws / n;
        for (uint32_t i = 0; i < n; i++)
            chi2 += (count[i] - expected) * (count[i] - expected) / expected;
        /* Mean n - 1, variance 2 (n - 1): six standard deviations. */
        assert_true(chi2 <= (n - 1) + 6 * sqrt(2.0 * (n - 1)) + 1e-9);
    }
    for (int i = 0; i < 1000; i++) assert_true(rng_below(&r, UINT32_MAX) < UINT32_MAX);
}

static void moments(double mean, double var, double m, double v, uint32_t n) {
    /* Six standard errors of a mean; the variance's tolerance allows for the fourth moment of each
     * family. */
    if (fabs(m - mean) > 6 * sqrt(var / n)) fail_msg("mean %g, expected %g", m, mean);
    if (fabs(v - var) > 0.06 * var + 6 * sqrt(var) / sqrt(n))
        fail_msg("variance %g, expected %g", v, var);
}

enum law { UNIT, NORMAL, EXP, POISSON };

static void law_has(enum law law, double mean, double var, double rate) {
    struct rng r = rng_new(6, (uint64_t)law);
    const uint32_t n = 200000;
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < n; i++) {
        double x = law == UNIT     ? rng_unit(&r)
                   : law == NORMAL ? rng_normal(&r)
                   : law == EXP    ? rng_exp(&r)
                                   : rng_poisson(&r, rate);
        if (law == UNIT) assert_true(x >= 0 && x < 1);
        assert_true(isfinite(x));
        sum += x - mean;
        squares += (x - mean) * (x - mean);
    }
    double shift = sum / n;
    moments(mean, var, mean + shift, squares / n - shift * shift, n);
}

static void laws(void **state) {
    (void)state;
    law_has(UNIT, 0.5, 1.0 / 12, 0);
    law_has(NORMAL, 0, 1, 0);
    law_has(EXP, 1, 1, 0);
    static const double rates[] = {0.01, 0.5, 3, 9.99, 10, 10.5, 30, 200, 5000, 999999};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        law_has(POISSON, rates[i], rates[i], rates[i]);
    struct rng r = rng_new(1, 1);
    assert_int_equal(rng_poisson(&r, 0), 0);
    assert_int_equal(rng_poisson(&r, -1), 0);
}

/* The whole distribution and not only its moments, on both sides of the change of method at 10. */
static void poisson_probabilities(void **state) {
    (void)state;
    static const double rates[] = {4, 12, 40};
    for (size_t k = 0; k < 3; k++) {
        enum { N = 400000, TOP = 100 };
        struct rng r = rng_new(8, k);
        static uint32_t count[TOP];
        memset(count, 0, sizeof count);
        for (int i = 0; i < N; i++) {
            uint32_t x = rng_poisson(&r, rates[k]);
            count[x < TOP ? x : TOP - 1]++;
        }
        double p = exp(-rates[k]), chi2 = 0;
        int cells = 0;
        for (uint32_t i = 0; i < TOP; i++) {
            double expected = p * N;
            p *= rates[k] / (i + 1);
            if (expected < 10) continue;
            chi2 += (count[i] - expected) * (count[i] - expected) / expected;
            cells++;
        }
        assert_true(cells > 8);
        if (chi2 > cells + 6 * sqrt(2.0 * cells))
            fail_msg("rate %g: chi2 %g on %d cells", rates[k], chi2, cells);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(streams_differ_and_repeat),
        cmocka_unit_test(filling_is_the_same_as_one_by_one),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(laws),
        cmocka_unit_test(poisson_probabilities),
    };
    return cmocka_run_group_tests_name("base/rng", tests, NULL, NULL);
}
