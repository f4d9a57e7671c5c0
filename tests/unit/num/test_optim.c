#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "num/core/optim.h"

static void near(double got, double want, double tol) {
    if (!(fabs(got - want) <= tol * fmax(1, fabs(want))))
        fail_msg("%.17g, expected %.17g", got, want);
}

/* Rosenbrock 1960; its minimum is 0 at (1, 1). arg counts the values. */
static double rosenbrock(void *arg, const double *x, double *g, double *h) {
    ++*(unsigned *)arg;
    double a = 1 - x[0], b = x[1] - x[0] * x[0];
    if (g != NULL) {
        g[0] = -2 * a - 400 * x[0] * b;
        g[1] = 200 * b;
    }
    if (h != NULL) {
        h[0] = 2 - 400 * (b - 2 * x[0] * x[0]);
        h[1] = h[2] = -400 * x[0];
        h[3] = 200;
    }
    return a * a + 100 * b * b;
}

/* ln-likelihood of Poisson counts with mean e^x, negative; undefined beyond 20. */
static double poisson_mean(void *arg, const double *x, double *g, double *h) {
    const double *count = arg;
    if (x[0] > 20) return NAN;
    double m = exp(x[0]), value = 0;
    for (size_t i = 0; i < 3; i++) value += m - count[i] * x[0];
    if (g != NULL) g[0] = 3 * m - count[0] - count[1] - count[2];
    if (h != NULL) h[0] = 3 * m;
    return value;
}

static double no_minimum(void *arg, const double *x, double *g, double *h) {
    (void)arg;
    if (g != NULL) g[0] = -1;
    if (h != NULL) h[0] = 1e-3;
    return -x[0];
}

static void newton(void **state) {
    (void)state;
    struct err err;
    struct num_found found;
    unsigned values = 0;
    double x[2] = {-1.2, 1};
    assert_int_equal(num_minimize_newton(rosenbrock, &values, 2, NULL, x, &found, &err), ERR_OK);
    assert_true(found.converged && found.steps < 40);
    near(x[0], 1, 1e-9);
    near(x[1], 1, 1e-9);
    double counts[3] = {4, 7, 1}, mean[1] = {19.5};
    assert_int_equal(num_minimize_newton(poisson_mean, counts, 1, NULL, mean, &found, &err),
                     ERR_OK);
    near(mean[0], log(4), 1e-12);
    mean[0] = -30; /* a full step from here is far beyond where the function ends */
    assert_int_equal(num_minimize_newton(poisson_mean, counts, 1, NULL, mean, &found, &err),
                     ERR_OK);
    near(mean[0], log(4), 1e-12);
    mean[0] = 21;
    assert_int_equal(num_minimize_newton(poisson_mean, counts, 1, NULL, mean, &found, &err),
                     ERR_NUMERIC);
    double away[1] = {0};
    assert_int_equal(num_minimize_newton(no_minimum, NULL, 1, NULL, away, &found, &err),
                     ERR_NUMERIC);
    assert_non_null(strstr(err.detail, "100 steps, gradient norm"));
    assert_false(found.converged);
}

static void bfgs(void **state) {
    (void)state;
    struct err err;
    struct num_found found;
    for (int numeric = 0; numeric < 2; numeric++) {
        unsigned values = 0;
        double x[2] = {-1.2, 1};
        assert_int_equal(
            num_minimize_bfgs(rosenbrock, &values, 2, numeric != 0, NULL, x, &found, &err), ERR_OK);
        near(x[0], 1, numeric ? 1e-4 : 1e-8);
        near(x[1], 1, numeric ? 1e-4 : 1e-8);
        assert_true(found.steps < 80 && found.converged);
        double counts[3] = {4, 7, 1}, mean[1] = {-3};
        assert_int_equal(
            num_minimize_bfgs(poisson_mean, counts, 1, numeric != 0, NULL, mean, &found, &err),
            ERR_OK);
        near(mean[0], log(4), 1e-6);
    }
    struct num_search few = {.max_steps = 3};
    unsigned values = 0;
    double x[2] = {-1.2, 1};
    assert_int_equal(num_minimize_bfgs(rosenbrock, &values, 2, false, &few, x, &found, &err),
                     ERR_NUMERIC);
    assert_non_null(strstr(err.detail, "3 steps, gradient norm"));
    assert_int_equal(found.steps, 3);
    double away[1] = {0};
    assert_int_equal(num_minimize_bfgs(no_minimum, NULL, 1, false, NULL, away, &found, &err),
                     ERR_NUMERIC);
}

/* Two valleys, the deeper at 2. */
static double two_valleys(void *arg, const double *x, double *g, double *h) {
    (void)arg;
    (void)h;
    double a = x[0] * x[0] - 4;
    if (g != NULL) g[0] = 4 * x[0] * a - 1;
    return a * a - x[0];
}

static void starts(void **state) {
    (void)state;
    struct err err;
    struct num_found found;
    const double from[] = {-3, -1, 1, 3, -2.5};
    double x[1];
    size_t same;
    assert_int_equal(
        num_minimize_starts(two_valleys, NULL, 1, false, NULL, from, 5, x, &found, &same, &err),
        ERR_OK);
    near(x[0], 2.03055, 1e-4);
    assert_true(same >= 1 && same < 5);
    assert_int_equal(
        num_minimize_starts(no_minimum, NULL, 1, false, NULL, from, 2, x, &found, &same, &err),
        ERR_NUMERIC);
    assert_int_equal(
        num_minimize_starts(no_minimum, NULL, 1, false, NULL, from, 0, x, &found, &same, &err),
        ERR_INVALID);
}

/* Not smooth, and its free minimum is outside the bounds. */
static double corners(void *arg, const double *x, double *g, double *h) {
    (void)arg;
    (void)g;
    (void)h;
    return fabs(x[0] - 0.3) + 2 * fabs(x[1] + 5) + fabs(x[0] + x[2]);
}

static void direct(void **state) {
    (void)state;
    struct err err;
    struct num_found found;
    const double low[3] = {0, -1, -INFINITY}, high[3] = {1, 1, INFINITY}, scale[3] = {.2, .2, .2};
    double x[3] = {0.9, 0.5, 0};
    assert_int_equal(num_minimize_direct(corners, NULL, 3, low, high, scale, NULL, x, &found, &err),
                     ERR_OK);
    near(x[0], 0.3, 1e-4);
    near(x[1], -1, 1e-6);
    near(x[2], -0.3, 1e-4);
    struct num_search few = {.max_steps = 5};
    x[0] = 0.9;
    assert_int_equal(num_minimize_direct(corners, NULL, 3, low, high, scale, &few, x, &found, &err),
                     ERR_NUMERIC);
    assert_int_equal(found.steps, 5);
    x[0] = 2; /* out of bounds */
    assert_int_equal(num_minimize_direct(corners, NULL, 3, low, high, scale, NULL, x, &found, &err),
                     ERR_NUMERIC);
}

static double quartic(void *arg, double x) { return pow(x - *(double *)arg, 4) + 1; }
static double bent(void *arg, double x) { return fabs(x - *(double *)arg); }
static double cubic(void *arg, double x) { return x * x * x - *(double *)arg; }
static double steep(void *arg, double x) { return exp(50 * x) - *(double *)arg; }

static void lines(void **state) {
    (void)state;
    struct err err;
    double at = 1.7, x, value;
    assert_int_equal(num_minimize_line(quartic, &at, -20, 30, 1e-6, &x, &value, &err), ERR_OK);
    near(x, 1.7, 1e-3); /* a quartic is flat: its value is what is found */
    near(value, 1, 1e-12);
    assert_int_equal(num_minimize_line(bent, &at, -20, 30, 1e-9, &x, &value, &err), ERR_OK);
    near(x, 1.7, 1e-7);
    at = 100; /* at the edge */
    assert_int_equal(num_minimize_line(bent, &at, -20, 30, 1e-9, &x, &value, &err), ERR_OK);
    near(x, 30, 1e-7);
    assert_int_equal(num_minimize_line(bent, &at, 3, 3, 1e-9, &x, &value, &err), ERR_INVALID);
    double target = 1e-6;
    while (target < 1e7) {
        assert_int_equal(num_root(cubic, &target, -1, 1e4, 0, &x, &err), ERR_OK);
        near(x, cbrt(target), 1e-14);
        assert_int_equal(num_root(steep, &target, -10, 10, 1e-13, &x, &err), ERR_OK);
        near(x, log(target) / 50, 1e-12);
        target *= 13;
    }
    at = 5;
    assert_int_equal(num_root(cubic, &at, 3, 4, 0, &x, &err), ERR_INVALID);
    at = 0;
    assert_int_equal(num_root(cubic, &at, 0, 4, 0, &x, &err), ERR_OK);
    assert_true(x == 0);
}

/* Both programmes feasible and of one value: that proves the optimum (Chvatal 1983, ch. 5). */
static void proven(const struct num_linear *lp, double want) {
    double x[64], dual[64], by_rows = 0;
    struct num_linear_found found;
    struct err err;
    if (num_linear_solve(lp, x, dual, &found, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_int_equal(found.end, NUM_OPTIMAL);
    for (size_t i = 0; i < lp->n_row; i++) {
        enum num_relation r = lp->relation == NULL ? NUM_AT_MOST : lp->relation[i];
        double sum = 0;
        for (size_t j = 0; j < lp->n_col; j++) sum += lp->a[i * lp->n_col + j] * x[j];
        double slack = lp->b[i] - sum, tol = 1e-7 * fmax(1, fabs(lp->b[i]));
        assert_true(r == NUM_AT_LEAST || slack >= -tol);
        assert_true(r == NUM_AT_MOST || slack <= tol);
        assert_true(r == NUM_EQUAL || (r == NUM_AT_MOST ? dual[i] >= -1e-7 : dual[i] <= 1e-7));
        by_rows += dual[i] * lp->b[i];
    }
    for (size_t j = 0; j < lp->n_col; j++) {
        double sum = 0;
        for (size_t i = 0; i < lp->n_row; i++) sum += lp->a[i * lp->n_col + j] * dual[i];
        if (!(x[j] >= 0 && sum >= lp->c[j] - 1e-6))
            fail_msg("unknown %zu: %g, reduced cost %g", j, x[j], lp->c[j] - sum);
    }
    near(by_rows, found.value, 1e-7);
    if (!isnan(want)) near(found.value, want, 1e-9);
}

static void programmes(void **state) {
    (void)state;
    /* Chvatal 1983, p. 13: the optimum is 13. */
    const double a1[] = {2, 3, 1, 4, 1, 2, 3, 4, 2}, b1[] = {5, 11, 8}, c1[] = {5, 4, 3};
    proven(&(struct num_linear){3, 3, a1, b1, NULL, c1}, 13);
    /* Beale 1955: the largest coefficient alone cycles; the optimum is 1/20. */
    const double a2[] = {0.25, -60, -1.0 / 25, 9, 0.5, -90, -1.0 / 50, 3, 0, 0, 1, 0};
    const double b2[] = {0, 0, 1}, c2[] = {0.75, -150, 0.02, -6};
    proven(&(struct num_linear){3, 4, a2, b2, NULL, c2}, 0.05);
    /* Equalities, lower limits, negative right sides, a row said twice. */
    const double a3[] = {1, 1, 1, 2, 2, 2, -1, 0, 1, 0, 1, -1}, b3[] = {10, 20, -4, 1};
    const enum num_relation r3[] = {NUM_EQUAL, NUM_EQUAL, NUM_AT_LEAST, NUM_AT_MOST};
    const double c3[] = {1, 2, 3};
    proven(&(struct num_linear){4, 3, a3, b3, r3, c3}, 30);
    double x[4];
    struct num_linear_found found;
    struct err err;
    const double a4[] = {1, 1, -1, -1}, b4[] = {1, -2}, c4[] = {1, 1};
    assert_int_equal(
        num_linear_solve(&(struct num_linear){2, 2, a4, b4, NULL, c4}, x, NULL, &found, &err),
        ERR_OK);
    assert_int_equal(found.end, NUM_INFEASIBLE);
    const double a5[] = {1, -1}, b5[] = {1};
    assert_int_equal(
        num_linear_solve(&(struct num_linear){1, 2, a5, b5, NULL, c4}, x, NULL, &found, &err),
        ERR_OK);
    assert_int_equal(found.end, NUM_UNBOUNDED);
    const double bad[] = {1, NAN};
    assert_int_equal(
        num_linear_solve(&(struct num_linear){1, 2, bad, b5, NULL, c4}, x, NULL, &found, &err),
        ERR_NUMERIC);
    assert_int_equal(
        num_linear_solve(&(struct num_linear){70000, 2, a5, b5, NULL, c4}, x, NULL, &found, &err),
        ERR_LIMIT);
}

static void random_programmes(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct rng r = rng_new(21, seed);
        size_t m = 1 + rng_below(&r, 30), n = 1 + rng_below(&r, 30);
        double a[900], b[30], c[30], inside[30];
        enum num_relation relation[30];
        /* Small whole numbers: many ties and degenerate corners. A point inside keeps it feasible,
         * positive rows keep it bounded. */
        for (size_t j = 0; j < n; j++) {
            c[j] = (double)rng_below(&r, 7) - 2;
            inside[j] = rng_below(&r, 3);
        }
        for (size_t i = 0; i < m; i++) {
            double sum = 0;
            for (size_t j = 0; j < n; j++) {
                a[i * n + j] = i == 0 ? 1 + rng_below(&r, 3) : (double)rng_below(&r, 5) - 1;
                sum += a[i * n + j] * inside[j];
            }
            relation[i] = i == 0 ? NUM_AT_MOST : (enum num_relation)rng_below(&r, 3);
            double room = relation[i] == NUM_EQUAL ? 0 : rng_below(&r, 3);
            b[i] = relation[i] == NUM_AT_LEAST ? sum - room : sum + room;
        }
        proven(&(struct num_linear){m, n, a, b, relation, c}, NAN);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newton),
        cmocka_unit_test(bfgs),
        cmocka_unit_test(starts),
        cmocka_unit_test(direct),
        cmocka_unit_test(lines),
        cmocka_unit_test(programmes),
        cmocka_unit_test(random_programmes),
    };
    return cmocka_run_group_tests_name("num/optim", tests, NULL, NULL);
}
