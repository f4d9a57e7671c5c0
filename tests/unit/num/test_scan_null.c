/* The null hypothesis: what is drawn, and that p-values keep what they promise. */
#include "scan_oracle.h"

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "base/sanitizer.h"
#include "num/scan/draw.h"

/* 99.9 % points of chi-square, by degrees of freedom (tables). */
static const double chisq_9 = 27.877, chisq_19 = 43.820;

static void multinomial_draws_follow_the_expectation(void **state) {
    (void)state;
    const double expected[10] = {1, 2, 3, 4, 0.5, 10, 7, 2.5, 0, 20};
    struct arena *a = test_arena();
    struct scan_draw d;
    struct err err;
    double seen[10] = {0}, square = 0;
    enum { DRAWS = 4000, CASES = 50 };
    assert_int_equal(scan_draw_multinomial(expected, 10, CASES, a, &d, &err), ERR_OK);
    for (uint64_t r = 0; r < DRAWS; r++) {
        struct rng rng = rng_new(1, r);
        uint32_t count[10], total = 0;
        scan_draw_counts(&d, &rng, NULL, NULL, count);
        for (int p = 0; p < 10; p++) {
            seen[p] += count[p];
            total += count[p];
        }
        square += (count[9] - 20.0) * (count[9] - 20.0);
        assert_int_equal(total, CASES); /* conditional on the total */
    }
    double chisq = 0;
    for (int p = 0; p < 10; p++) {
        double e = expected[p] * DRAWS;
        if (e > 0) chisq += (seen[p] - e) * (seen[p] - e) / e;
    }
    printf("chi-square %.2f of 8 degrees\n", chisq);
    assert_true(seen[8] == 0);
    assert_true(chisq < chisq_9);
    /* Variance of one entry: n p (1 - p) = 12; its estimate has a spread of about 0.27. */
    assert_true(fabs(square / DRAWS - 12) < 1.1);
    arena_free(a);
}

static void persons_are_drawn_without_replacement(void **state) {
    (void)state;
    const uint32_t persons[4] = {1, 3, 0, 6};
    const uint32_t cases[2] = {3, 8}; /* the fewer of cases and controls are drawn */
    struct arena *a = test_arena();
    for (int k = 0; k < 2; k++) {
        struct scan_draw d;
        struct err err;
        double seen[7] = {0};
        uint64_t taken[1] = {0};
        uint32_t picked[8], count[4];
        assert_int_equal(scan_draw_hypergeometric(persons, 4, cases[k], a, &d, &err), ERR_OK);
        enum { DRAWS = 20000 };
        for (uint64_t r = 0; r < DRAWS; r++) {
            struct rng rng = rng_new(2, r);
            scan_draw_counts(&d, &rng, taken, picked, count);
            assert_int_equal(count[0] + count[1] + count[2] + count[3], cases[k]);
            assert_true(count[0] <= 1 && count[1] <= 3 && count[2] == 0 && count[3] <= 6);
            assert_true(taken[0] == 0);
            seen[count[3]]++;
        }
        double chisq = 0;
        for (uint32_t c = 0; c <= 6; c++) {
            /* Hypergeometric: C(6, c) C(4, n - c) / C(10, n). */
            if (c > cases[k] || cases[k] - c > 4) continue;
            double p = exp(lgamma(7) - lgamma(c + 1.0) - lgamma(7.0 - c) + lgamma(5) -
                           lgamma(cases[k] - c + 1.0) - lgamma(5.0 - (cases[k] - c)) - lgamma(11) +
                           lgamma(cases[k] + 1.0) + lgamma(11.0 - cases[k]));
            chisq += (seen[c] - p * DRAWS) * (seen[c] - p * DRAWS) / (p * DRAWS);
        }
        printf("chi-square %.2f\n", chisq);
        assert_true(chisq < 16.27); /* at most 3 degrees */
    }
    arena_free(a);
}

/* Cases of a data set under the null, by another way than the product's. */
static void simulate(struct city *c, struct rng *r, size_t n_cases) {
    double sum = 0;
    for (size_t p = 0; p < c->n; p++) {
        sum += c->expected[p];
        c->cases[p].n = 0;
    }
    for (size_t k = 0; k < n_cases; k++) {
        double at = rng_unit(r) * sum;
        size_t p = 0;
        while (p + 1 < c->n && (at -= c->expected[p]) >= 0) p++;
        c->cases[p].n++;
    }
}

/* The same persons, some of them cases: shuffled. */
static void simulate_persons(struct city *c, const uint32_t *persons, struct rng *r,
                             size_t n_cases) {
    uint32_t of[1000];
    size_t n = 0;
    for (size_t p = 0; p < c->n; p++) {
        for (uint32_t k = 0; k < persons[p]; k++) of[n++] = (uint32_t)p;
        c->cases[p].n = 0;
        c->controls[p].n = persons[p];
    }
    for (size_t k = 0; k < n_cases; k++) {
        size_t j = k + rng_below(r, (uint32_t)(n - k));
        uint32_t p = of[j];
        of[j] = of[k];
        c->cases[p].n++;
        c->controls[p].n--;
    }
}

static void check_uniform(unsigned kind) {
    enum { SETS = UNDER_SANITIZER ? 400 : 2000, REPLICAS = 99, BINS = 20 };
    struct city c;
    double bin[BINS] = {0};
    uint32_t persons[ORACLE_MOST];
    city_make(&c, 25, kind, 100, 31);
    struct rng r = rng_new(8, 15);
    for (size_t p = 0; p < c.n; p++) {
        c.expected[p] += rng_unit(&r); /* no two windows alike: ties would keep p up */
        persons[p] = 5 + rng_below(&r, 30);
    }
    for (uint32_t set = 0; set < SETS; set++) {
        struct arena *a = test_arena();
        if (kind & CITY_BERNOULLI)
            simulate_persons(&c, persons, &r, 150);
        else
            simulate(&c, &r, 100);
        struct scan_options options = {
            .rates = SCAN_BOTH, .replicas = REPLICAS, .seed = set, .max_clusters = 1};
        struct scan_result result;
        struct err err = {0};
        assert_int_equal(scan_run(&c.data, &options, NULL, a, &result, &err), ERR_OK);
        assert_int_equal(result.n_clusters, 1);
        bin[(result.clusters[0].rank_in - 1) * BINS / (REPLICAS + 1)]++;
        arena_free(a);
    }
    double chisq = 0, e = (double)SETS / BINS;
    for (int b = 0; b < BINS; b++) chisq += (bin[b] - e) * (bin[b] - e) / e;
    printf("p-values of %d sets: chi-square %.1f of %d degrees\n", SETS, chisq, BINS - 1);
    assert_true(chisq < chisq_19);
}

static void p_values_are_uniform_under_the_null_poisson(void **state) {
    (void)state;
    check_uniform(CITY_RANDOM);
}
static void p_values_are_uniform_under_the_null_bernoulli(void **state) {
    (void)state;
    check_uniform(CITY_BERNOULLI);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multinomial_draws_follow_the_expectation),
        cmocka_unit_test(persons_are_drawn_without_replacement),
        cmocka_unit_test(p_values_are_uniform_under_the_null_poisson),
        cmocka_unit_test(p_values_are_uniform_under_the_null_bernoulli),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
