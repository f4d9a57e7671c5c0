/* Rates of small areas drawn to the common one: against values reckoned by hand, and what must hold
 * for any counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "domain/measure/shrink.h"

enum { N = 40 };

static void close_to(double got, double want) {
    if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want)))) fail_msg("%.17g, not %.17g", got, want);
}

/* m = 33/1000; the mean base is 1000/3; the spread is weighed by the bases. */
static void test_rates_by_hand(void **state) {
    const double count[] = {3, 10, 20}, base[] = {2, 598, 400};
    double out[3];
    (void)state;
    struct shrink_told t = shrink_global(count, base, 3, out);
    double m = 33.0 / 1000, spread = 0;
    spread = (2 * (1.5 - m) * (1.5 - m) + 598 * (10.0 / 598 - m) * (10.0 / 598 - m) +
              400 * (0.05 - m) * (0.05 - m)) /
             1000;
    double s2 = spread - m / (1000.0 / 3);
    assert_int_equal(t.n, 3);
    assert_true(s2 > 0);
    close_to(t.mean, m);
    close_to(t.between, s2);
    for (int i = 0; i < 3; i++) {
        double b = s2 / (s2 + m / base[i]);
        close_to(out[i], b * count[i] / base[i] + (1 - b) * m);
    }
    assert_true(out[0] < 0.5); /* two residents and three crimes say little */
    assert_true(fabs(out[1] - 10.0 / 598) < 0.01);
}

/* Shares: the variance of a yes or no. */
static void test_shares_by_hand(void **state) {
    const double count[] = {9, 40, 0}, base[] = {10, 100, 10};
    double out[3];
    (void)state;
    double m = 49.0 / 120;
    double spread = (10 * (0.9 - m) * (0.9 - m) + 100 * (0.4 - m) * (0.4 - m) + 10 * m * m) / 120;
    double s2 = spread - m * (1 - m) / 40;
    assert_true(s2 > 0);
    struct shrink_told t = shrink_global(count, base, 3, out);
    close_to(t.between, s2);
    double b = s2 / (s2 + m * (1 - m) / 10);
    close_to(out[0], m + b * (0.9 - m));
    close_to(out[2], m + b * (0 - m));
}

static void test_nothing_to_go_by(void **state) {
    const double count[] = {5, NAN, 1, 2}, base[] = {10, 10, 0, NAN};
    const double alike[] = {10, 20, 30}, bases[] = {100, 200, 300}, none[] = {0, 0, 0};
    double out[4];
    (void)state;
    assert_int_equal(shrink_global(count, base, 4, out).n, 1);
    for (int i = 0; i < 4; i++) assert_true(isnan(out[i]));
    /* No more spread than chance: everyone has the common rate. */
    assert_true(shrink_global(alike, bases, 3, out).between == 0);
    for (int i = 0; i < 3; i++) close_to(out[i], 0.1);
    (void)shrink_global(none, bases, 3, out);
    for (int i = 0; i < 3; i++) assert_true(out[i] == 0);
}

/* Between the raw rate and the common one, nearer to the raw rate the larger the base. */
static void test_between_raw_and_common(void **state) {
    struct rng r = rng_new(5, 0);
    (void)state;
    for (int k = 0; k < 2000; k++) {
        double count[N], base[N], out[N], trust[N];
        for (int i = 0; i < N; i++) {
            base[i] = 1 + rng_below(&r, 5000);
            count[i] = rng_below(&r, k % 2 == 0 ? (uint32_t)base[i] + 1 : 40);
        }
        struct shrink_told t = shrink_global(count, base, N, out);
        assert_int_equal(t.n, N);
        for (int i = 0; i < N; i++) {
            double raw = count[i] / base[i], lo = fmin(raw, t.mean), hi = fmax(raw, t.mean);
            assert_true(out[i] >= lo - 1e-12 && out[i] <= hi + 1e-12);
            trust[i] = raw == t.mean ? NAN : (out[i] - t.mean) / (raw - t.mean);
        }
        for (int i = 1; i < N; i++)
            if (!isnan(trust[i]) && !isnan(trust[0]) && base[i] > base[0])
                assert_true(trust[i] >= trust[0] - 1e-9);
    }
}

/* Over cities whose areas differ truly, the drawn rates are nearer to the truth than the raw ones.
 */
static void test_nearer_to_the_truth(void **state) {
    struct rng r = rng_new(6, 0);
    double raw_loss = 0, loss = 0;
    (void)state;
    for (int k = 0; k < 300; k++) {
        double count[N] = {0}, base[N], truth[N], out[N];
        for (int i = 0; i < N; i++) {
            base[i] = 50 + rng_below(&r, 400);
            truth[i] = 0.02 + 0.06 * rng_unit(&r);
            for (int j = 0; j < (int)base[i]; j++) count[i] += rng_unit(&r) < truth[i];
        }
        (void)shrink_global(count, base, N, out);
        for (int i = 0; i < N; i++) {
            double raw = count[i] / base[i];
            raw_loss += (raw - truth[i]) * (raw - truth[i]);
            loss += (out[i] - truth[i]) * (out[i] - truth[i]);
        }
    }
    print_message("squared error of raw rates %.4f, of drawn ones %.4f\n", raw_loss, loss);
    assert_true(loss < 0.8 * raw_loss);
}

static void test_what_it_applies_to(void **state) {
    struct indicator_def d[3] = {
        {.name = "a", .measure = MEASURE_COUNT, .of = "", .to = "", .per = 1},
        {.name = "b", .measure = MEASURE_FIGURE, .of = "", .to = "", .per = 1},
        {.name = "r", .measure = MEASURE_RATIO, .of = "a", .to = "b", .per = 10000}};
    const struct indicator_value v[2] = {{VALUE_OK, 30, 3, 1000}, {VALUE_OK, 20, 2, 1000}};
    struct pack_set packs = {.indicators = d, .n_indicators = 3};
    double out[2];
    struct err err = {0};
    (void)state;
    struct arena *a = arena_new(1 << 16);
    assert_false(shrink_applies(&packs, &d[0]));
    assert_false(shrink_applies(&packs, &d[2])); /* b does not add up */
    assert_int_equal(shrink_values(&packs, &d[2], v, 2, a, out, &err), ERR_OK);
    assert_true(isnan(out[0]) && isnan(out[1]));
    d[1].sum_up = true;
    assert_true(shrink_applies(&packs, &d[2]));
    assert_int_equal(shrink_values(&packs, &d[2], v, 2, a, out, &err), ERR_OK);
    close_to(out[0], 25); /* in the indicator's own unit */
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates_by_hand),       cmocka_unit_test(test_shares_by_hand),
        cmocka_unit_test(test_nothing_to_go_by),    cmocka_unit_test(test_between_raw_and_common),
        cmocka_unit_test(test_nearer_to_the_truth), cmocka_unit_test(test_what_it_applies_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
