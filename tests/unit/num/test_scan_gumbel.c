/* When a Gumbel curve stands for the maxima of the replicas, and what is told when it does not. */
#include "../base/testing.h"

#include <math.h>

#include "num/scan/gumbel.h"

enum { MOST = 999 };

static enum scan_gumbel fit(const double *values, uint32_t n, double *mu, double *beta) {
    double copy[MOST];
    for (uint32_t i = 0; i < n; i++) copy[i] = values[i];
    return scan_gumbel_fit(copy, n, mu, beta);
}

/* Quantiles of a curve give the curve back. */
static void a_curve_is_found_again(void **state) {
    (void)state;
    double x[MOST], mu, beta;
    for (uint32_t i = 0; i < MOST; i++) x[i] = 4.0 - 1.5 * log(-log((MOST - i - 0.5) / MOST));
    assert_int_equal(fit(x, MOST, &mu, &beta), SCAN_GUMBEL_FITTED);
    assert_true(fabs(mu - 4.0) < 0.02 && fabs(beta - 1.5) < 0.02);
    assert_true(fabs(scan_gumbel_p(mu, mu, beta) - (1 - exp(-1))) < 1e-12);
    assert_true(scan_gumbel_p(100, mu, beta) > 0 && scan_gumbel_p(100, mu, beta) < 1e-20);
}

static void refused(const double *x, uint32_t n, enum scan_gumbel wanted) {
    double mu = 0, beta = 0;
    assert_int_equal(fit(x, n, &mu, &beta), wanted);
    assert_true(isnan(mu) && isnan(beta) && isnan(scan_gumbel_p(3, mu, beta)));
}

static void the_rule_at_its_borders(void **state) {
    (void)state;
    double x[MOST] = {0}, mu, beta;
    refused(x, 0, SCAN_GUMBEL_FEW_REPLICAS);
    for (uint32_t i = 0; i < MOST; i++) x[i] = i;
    refused(x, 19, SCAN_GUMBEL_FEW_REPLICAS);
    assert_int_equal(fit(x, 20, &mu, &beta), SCAN_GUMBEL_FITTED);
    /* n replicas need this many values: 20 up to 83, a quarter, 50 from 200 on. */
    const uint32_t need[][2] = {{20, 20}, {83, 20}, {84, 21}, {99, 24}, {199, 49}, {999, 50}};
    for (size_t k = 0; k < sizeof need / sizeof *need; k++) {
        uint32_t n = need[k][0], values = need[k][1];
        for (uint32_t i = 0; i < n; i++) x[i] = i % values;
        assert_int_equal(fit(x, n, &mu, &beta), SCAN_GUMBEL_FITTED);
        for (uint32_t i = 0; i < n; i++) x[i] = i % (values - 1);
        refused(x, n, SCAN_GUMBEL_FEW_VALUES);
    }
    /* One value: a third is the most. */
    for (uint32_t i = 0; i < 300; i++) x[i] = i < 100 ? 7.0 : 7.0 + i;
    assert_int_equal(fit(x, 300, &mu, &beta), SCAN_GUMBEL_FITTED);
    x[100] = 7.0;
    refused(x, 300, SCAN_GUMBEL_COMMON_VALUE);
    /* The same but for the last digits is the same; so is nothing at all. */
    for (uint32_t i = 0; i < MOST; i++) x[i] = 5.0 + i * 1e-14;
    refused(x, MOST, SCAN_GUMBEL_NO_SPREAD);
    for (uint32_t i = 0; i < MOST; i++) x[i] = 0.0;
    refused(x, MOST, SCAN_GUMBEL_NO_SPREAD);
}

static struct scan_result run(const struct scan_data *d, struct scan_options o, struct arena *a) {
    struct scan_result result;
    struct err err = {0};
    if (scan_run(d, &o, NULL, a, &result, &err) != ERR_OK) fail_msg("%s", err.detail);
    return result;
}

/* Twelve cases, half of them at one place in two days. */
static void twelve_cases_have_their_rank(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const double x[3] = {0, 5, 9}, y[3] = {0, 1, 7};
    struct scan_count cases[12];
    for (uint32_t i = 0; i < 12; i++)
        cases[i] = (struct scan_count){i < 6 ? 0 : i % 3, i < 6 ? 3 + i % 2 : i * 7 % 30, 1};
    struct scan_data d = {.model = SCAN_PERMUTATION,
                          .n_places = 3,
                          .n_slots = 30,
                          .slot_days = 1,
                          .points = {3, x, y},
                          .cases = cases,
                          .n_cases = 12};
    for (uint32_t replicas = 99; replicas <= 999; replicas += 900) {
        struct scan_options o = {.analysis = SCAN_SPACE_TIME,
                                 .rates = SCAN_HIGH,
                                 .replicas = replicas,
                                 .seed = 1,
                                 .p_mode = SCAN_P_GUMBEL};
        struct scan_result r = run(&d, o, a);
        assert_true(r.n_clusters > 0);
        assert_int_equal(r.gumbel, SCAN_GUMBEL_FEW_VALUES);
        assert_int_equal(r.p_mode, SCAN_P_STANDARD);
        assert_true(isnan(r.gumbel_mu) && isnan(r.gumbel_beta));
        for (size_t i = 0; i < r.n_clusters; i++) {
            const struct scan_cluster *c = &r.clusters[i];
            assert_true(isnan(c->p_gumbel));
            assert_int_equal(c->p_mode, SCAN_P_STANDARD);
            assert_true(c->p_value == c->rank_in / (replicas + 1.0));
        }
        /* The other modes stay what they are, and lose the curve as well. */
        o.p_mode = SCAN_P_SEQUENTIAL;
        r = run(&d, o, a);
        assert_int_equal(r.p_mode, SCAN_P_SEQUENTIAL);
        assert_true(isnan(r.clusters[0].p_gumbel) && !isnan(r.clusters[0].p_value));
    }
    arena_free(a);
}

/* No replicas: no p at all, and no claim of a curve. */
static void no_replicas_no_curve(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const double x[2] = {0, 1}, y[2] = {0, 0}, expected[2] = {1, 3};
    const struct scan_count cases[2] = {{.place = 0, .n = 9}, {.place = 1, .n = 3}};
    struct scan_data d = {.model = SCAN_POISSON,
                          .n_places = 2,
                          .n_slots = 1,
                          .points = {2, x, y},
                          .cases = cases,
                          .n_cases = 2,
                          .expected = expected};
    struct scan_result r =
        run(&d, (struct scan_options){.rates = SCAN_HIGH, .p_mode = SCAN_P_GUMBEL}, a);
    assert_int_equal(r.gumbel, SCAN_GUMBEL_FEW_REPLICAS);
    assert_int_equal(r.p_mode, SCAN_P_STANDARD);
    assert_true(isnan(r.clusters[0].p_value) && isnan(r.clusters[0].p_gumbel));
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_curve_is_found_again),
        cmocka_unit_test(the_rule_at_its_borders),
        cmocka_unit_test(twelve_cases_have_their_rank),
        cmocka_unit_test(no_replicas_no_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
