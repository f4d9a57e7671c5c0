/* What goes wrong is named: separation, rank, convergence, no overdispersion; and what must not
 * matter: order of rows, units, threads. */
#include "model_frame.h"

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "num/model/negbin.h"

static const char *const names[] = {"(Intercept)", "x1", "x2", "x3"};

static struct model_fit fitted(const struct model_data *d, enum model_family family,
                               struct arena *a) {
    struct model_fit fit;
    struct err err;
    if (model_glm_fit(d, family, 1, NULL, a, &fit, &err) != ERR_OK) fail_msg("%s", err.detail);
    return fit;
}

static void separated(const struct model_fit *fit, const bool *infinite) {
    assert_true((fit->flags & MODEL_SEPARATED) != 0);
    assert_false((fit->flags & MODEL_SEPARATION_UNCHECKED) != 0);
    for (size_t j = 0; j < fit->n_col; j++)
        if (fit->coef[j].infinite != infinite[j])
            fail_msg("%s is %sinfinite", fit->coef[j].name, infinite[j] ? "not " : "");
}

static void complete_separation(void **state) {
    (void)state;
    struct arena *a = test_arena();
    double x[24], y[8];
    for (size_t i = 0; i < 8; i++) {
        x[3 * i] = 1;
        x[3 * i + 1] = (double)i;
        x[3 * i + 2] = (double)(i * i % 5);
        y[i] = i >= 4;
    }
    struct model_data d = {8, 3, x, names, y, NULL, NULL};
    struct model_fit fit = fitted(&d, MODEL_LOGISTIC, a);
    assert_true((fit.flags & MODEL_SEPARATED) != 0);
    assert_true(fit.coef[1].infinite);
    assert_true(fit.deviance < 1e-6);
    assert_string_equal(model_flag_name(MODEL_SEPARATED), "separated");
    assert_null(model_flag_name(3));
    /* One crossing outcome, and all is finite. */
    y[6] = 0;
    y[1] = 1;
    fit = fitted(&d, MODEL_LOGISTIC, a);
    assert_int_equal(fit.flags, 0);
    /* All outcomes alike: the intercept itself. */
    for (size_t i = 0; i < 8; i++) y[i] = 1;
    fit = fitted(&d, MODEL_LOGISTIC, a);
    assert_true((fit.flags & MODEL_SEPARATED) != 0);
    assert_true(fit.coef[0].infinite || fit.coef[1].infinite || fit.coef[2].infinite);
    arena_free(a);
}

/* A level of a factor that only has one outcome: that column alone is infinite, the others keep
 * the estimates of the rows without it (Albert and Anderson 1984). */
static void quasi_separation(void **state) {
    (void)state;
    struct arena *a = test_arena();
    enum { N = 400 };
    double x[N * 3], y[N];
    struct rng r = rng_new(31, 0);
    for (size_t i = 0; i < N; i++) {
        x[3 * i] = 1;
        x[3 * i + 1] = rng_normal(&r);
        x[3 * i + 2] = i % 20 == 0;
        y[i] = rng_unit(&r) < 1 / (1 + exp(1 - 0.8 * x[3 * i + 1]));
        if (i % 20 == 0) y[i] = 1;
    }
    struct model_data d = {N, 3, x, names, y, NULL, NULL};
    struct model_fit fit = fitted(&d, MODEL_LOGISTIC, a);
    separated(&fit, (const bool[]){false, false, true});
    double weight[N];
    for (size_t i = 0; i < N; i++) weight[i] = i % 20 != 0;
    d.weight = weight;
    struct model_fit rest = fitted(&d, MODEL_LOGISTIC, a);
    assert_true((rest.flags & MODEL_RANK_DEFICIENT) != 0 && rest.coef[2].dropped);
    for (size_t j = 0; j < 2; j++) {
        check_digits("separated rest", fit.coef[j].value, rest.coef[j].value, 1e-6, 0);
        check_digits("separated rest se", fit.coef[j].se, rest.coef[j].se, 1e-4, 0);
    }
    /* Counts: the level never had one. */
    d.weight = NULL;
    for (size_t i = 0; i < N; i++)
        y[i] = i % 20 == 0 ? 0 : rng_poisson(&r, exp(0.3 * x[3 * i + 1]));
    fit = fitted(&d, MODEL_POISSON, a);
    separated(&fit, (const bool[]){false, false, true});
    struct err err;
    assert_int_equal(model_negbin_fit(&d, NULL, a, &fit, &err), ERR_OK);
    if ((fit.flags & MODEL_NO_OVERDISPERSION) == 0)
        separated(&fit, (const bool[]){false, false, true});
    /* Shares strictly between 0 and 1 hold everything. */
    for (size_t i = 0; i < N; i++) y[i] = i % 20 == 0 ? 0.999 : 0.5 - 0.4 * (double)(i % 2);
    fit = fitted(&d, MODEL_LOGISTIC, a);
    assert_int_equal(fit.flags, 0);
    arena_free(a);
}

/* Too large for the linear programme: a level that tells its outcomes is found by itself, and what
 * could not be looked for is told. */
static void separation_of_many_rows(void **state) {
    (void)state;
    enum { ROWS = 600000, COLS = 4 };
    struct arena *a = arena_new((size_t)1 << 30);
    assert_non_null(a);
    double *x = ARENA_NEW(a, double, (size_t)ROWS *COLS), *y = ARENA_NEW(a, double, ROWS);
    assert_true(x != NULL && y != NULL);
    struct rng r = rng_new(35, 0);
    for (size_t i = 0; i < ROWS; i++) {
        double *row = x + i * COLS;
        row[0] = 1;
        row[1] = rng_unit(&r);
        row[2] = i % 1000 == 0;
        row[3] = i % 7 == 0;
        y[i] = row[2] != 0 ? 0 : rng_below(&r, 3);
    }
    struct model_data d = {ROWS, COLS, x, names, y, NULL, NULL};
    struct model_fit fit = fitted(&d, MODEL_POISSON, a);
    assert_int_equal(fit.flags, MODEL_SEPARATED | MODEL_SEPARATION_UNCHECKED);
    assert_true(fit.coef[2].infinite && !fit.coef[1].infinite && !fit.coef[3].infinite);
    arena_free(a);
}

/* Large effects that are not separation are not called so. */
static void strong_but_finite(void **state) {
    (void)state;
    struct arena *a = test_arena();
    for (uint64_t seed = 0; seed < 40; seed++) {
        enum { N = 60 };
        struct rng r = rng_new(32, seed);
        double x[N * 2], y[N], top0 = -INFINITY, low1 = INFINITY, low0 = INFINITY, top1 = -INFINITY;
        for (size_t i = 0; i < N; i++) {
            x[2 * i] = 1;
            x[2 * i + 1] = rng_normal(&r);
            y[i] = rng_unit(&r) < 1 / (1 + exp(-12 * x[2 * i + 1]));
            if (y[i] == 0) {
                top0 = fmax(top0, x[2 * i + 1]);
                low0 = fmin(low0, x[2 * i + 1]);
            } else {
                low1 = fmin(low1, x[2 * i + 1]);
                top1 = fmax(top1, x[2 * i + 1]);
            }
        }
        /* With one column the truth is plain: the outcomes overlap on the line or they do not. */
        bool apart = top0 <= low1 || top1 <= low0;
        struct model_data d = {N, 2, x, names, y, NULL, NULL};
        struct model_fit fit = fitted(&d, MODEL_LOGISTIC, a);
        if (((fit.flags & MODEL_SEPARATED) != 0) != apart)
            fail_msg("seed %u: flags %u, apart %d", (unsigned)seed, fit.flags, apart);
    }
    arena_free(a);
}

static void rank_deficiency(void **state) {
    (void)state;
    struct arena *a = test_arena();
    enum { N = 100 };
    double x[N * 4], y[N];
    struct rng r = rng_new(33, 0);
    for (size_t i = 0; i < N; i++) {
        x[4 * i] = 1;
        x[4 * i + 1] = rng_normal(&r);
        x[4 * i + 2] = 2 - 3 * x[4 * i + 1];
        x[4 * i + 3] = rng_normal(&r);
        y[i] = rng_poisson(&r, exp(0.2 + 0.5 * x[4 * i + 1]));
    }
    struct model_data d = {N, 4, x, names, y, NULL, NULL};
    struct model_fit fit = fitted(&d, MODEL_POISSON, a);
    assert_int_equal(fit.flags, MODEL_RANK_DEFICIENT);
    assert_int_equal(fit.rank, 3);
    assert_int_equal(fit.df_residual, N - 3);
    assert_true(fit.coef[2].dropped && isnan(fit.coef[2].value) && !fit.coef[3].dropped);
    assert_true(isnan(fit.covariance[2 * 4 + 2]) && isfinite(fit.covariance[3 * 4 + 3]));
    double mu[N];
    model_glm_predict(&fit, x, N, NULL, NULL, mu);
    check_all("dropped predicted", mu, fit.fitted, N, 1e-12, 0);
    /* As many coefficients as rows: told, not divided by 0. */
    d.n_row = 3;
    fit = fitted(&d, MODEL_POISSON, a);
    assert_true((fit.flags & MODEL_SATURATED) != 0 && isnan(fit.dispersion));
    arena_free(a);
}

static void no_overdispersion(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const double x[] = {1, 1, 1, 1, 1, 1}, y[] = {3, 4, 3, 4, 3, 4};
    struct model_data d = {6, 1, x, names, y, NULL, NULL};
    struct model_fit fit;
    struct err err;
    assert_int_equal(model_negbin_fit(&d, NULL, a, &fit, &err), ERR_OK);
    assert_int_equal(fit.flags, MODEL_NO_OVERDISPERSION);
    assert_true(isinf(fit.theta) && isnan(fit.theta_se));
    assert_int_equal(fit.family, MODEL_NEGATIVE_BINOMIAL);
    assert_true(fabs(fit.coef[0].value - log(3.5)) < 1e-12);
    arena_free(a);
}

static void wrong_input(void **state) {
    (void)state;
    struct arena *a = test_arena();
    double x[] = {1, 0, 1, 1, 1, 2}, y[] = {0, 1, 2}, weight[] = {1, 1, 1};
    struct model_data d = {3, 2, x, names, y, NULL, weight};
    struct model_fit fit;
    struct err err;
    assert_int_equal(model_glm_fit(&d, MODEL_LOGISTIC, 0, NULL, a, &fit, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "row 3: outcome 2"));
    y[2] = -1;
    assert_int_equal(model_glm_fit(&d, MODEL_POISSON, 0, NULL, a, &fit, &err), ERR_INVALID);
    y[2] = 1.5;
    assert_int_equal(model_glm_fit(&d, MODEL_POISSON, 0, NULL, a, &fit, &err), ERR_INVALID);
    assert_int_equal(model_glm_fit(&d, MODEL_QUASI_POISSON, 0, NULL, a, &fit, &err), ERR_OK);
    y[2] = 1;
    x[3] = NAN;
    assert_int_equal(model_glm_fit(&d, MODEL_POISSON, 0, NULL, a, &fit, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "row 2: x1"));
    x[3] = 1;
    weight[1] = -1;
    assert_int_equal(model_glm_fit(&d, MODEL_POISSON, 0, NULL, a, &fit, &err), ERR_INVALID);
    weight[0] = weight[1] = weight[2] = 0;
    assert_int_equal(model_glm_fit(&d, MODEL_POISSON, 0, NULL, a, &fit, &err), ERR_INVALID);
    d.weight = NULL;
    assert_int_equal(model_glm_fit(&d, MODEL_NEGATIVE_BINOMIAL, 0, NULL, a, &fit, &err),
                     ERR_INVALID);
    d.n_row = 0;
    assert_int_equal(model_glm_fit(&d, MODEL_POISSON, 0, NULL, a, &fit, &err), ERR_INVALID);
    arena_free(a);
}

enum { BIG = 6000 };

static void make_counts(double *x, double *y, uint64_t seed) {
    struct rng r = rng_new(34, seed);
    for (size_t i = 0; i < BIG; i++) {
        x[3 * i] = 1;
        x[3 * i + 1] = rng_normal(&r);
        x[3 * i + 2] = 2000 + rng_below(&r, 20); /* a year: far from 0 */
        double shape = 0;
        for (int k = 0; k < 2; k++) shape += rng_exp(&r) / 2; /* gamma with shape 2 */
        y[i] = rng_poisson(&r, shape * exp(0.5 * x[3 * i + 1] + 0.05 * (x[3 * i + 2] - 2010)));
    }
}

static void same_bits_on_any_threads(void **state) {
    (void)state;
    struct arena *a = test_arena();
    double *x = ARENA_NEW(a, double, BIG * 3), *y = ARENA_NEW(a, double, BIG);
    assert_true(x != NULL && y != NULL);
    make_counts(x, y, 0);
    struct model_data d = {BIG, 3, x, names, y, NULL, NULL};
    struct model_fit one, many;
    struct err err;
    assert_int_equal(model_negbin_fit(&d, NULL, a, &one, &err), ERR_OK);
    for (size_t threads = 2; threads <= 4; threads += 2) {
        struct pool *pool;
        assert_int_equal(pool_new(threads, &pool, &err), ERR_OK);
        struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = threads};
        assert_int_equal(model_negbin_fit(&d, &run, a, &many, &err), ERR_OK);
        pool_free(pool);
        assert_memory_equal(one.covariance, many.covariance, 9 * sizeof(double));
        assert_memory_equal(one.fitted, many.fitted, BIG * sizeof(double));
        assert_true(one.theta == many.theta && one.log_likelihood == many.log_likelihood);
    }
    arena_free(a);
}

/* Units of a column and the order of rows change nothing but rounding; the truth is covered. */
static void units_and_order(void **state) {
    (void)state;
    struct arena *a = test_arena();
    double *x = ARENA_NEW(a, double, BIG * 3), *y = ARENA_NEW(a, double, BIG);
    double *x2 = ARENA_NEW(a, double, BIG * 3), *y2 = ARENA_NEW(a, double, BIG);
    assert_true(x != NULL && y != NULL && x2 != NULL && y2 != NULL);
    make_counts(x, y, 1);
    for (size_t i = 0; i < BIG; i++) {
        size_t k = BIG - 1 - i;
        y2[k] = y[i];
        x2[3 * k] = 1;
        x2[3 * k + 1] = 1e6 * x[3 * i + 1];
        x2[3 * k + 2] = (x[3 * i + 2] - 1990) / 10;
    }
    struct model_data d = {BIG, 3, x, names, y, NULL, NULL},
                      d2 = {BIG, 3, x2, names, y2, NULL, NULL};
    struct model_fit fit, fit2;
    struct err err;
    assert_int_equal(model_negbin_fit(&d, NULL, a, &fit, &err), ERR_OK);
    assert_int_equal(model_negbin_fit(&d2, NULL, a, &fit2, &err), ERR_OK);
    assert_int_equal(fit.flags | fit2.flags, 0);
    const double got[] = {fit.coef[1].value,
                          fit.coef[1].se,
                          fit.coef[2].value,
                          fit.coef[2].se,
                          fit.theta,
                          fit.log_likelihood,
                          fit.coef[0].value + 1990 * fit.coef[2].value};
    const double want[] = {fit2.coef[1].value * 1e6,
                           fit2.coef[1].se * 1e6,
                           fit2.coef[2].value / 10,
                           fit2.coef[2].se / 10,
                           fit2.theta,
                           fit2.log_likelihood,
                           fit2.coef[0].value};
    check_all("units and order", got, want, 7, 1e-8, 1e-9);
    assert_true(fabs(fit.coef[1].value - 0.5) < 5 * fit.coef[1].se);
    assert_true(fabs(fit.coef[2].value - 0.05) < 5 * fit.coef[2].se);
    assert_true(fabs(fit.theta - 2) < 5 * fit.theta_se);
    arena_free(a);
}

static bool now(void *arg) {
    (void)arg;
    return true;
}

static void stops_and_limits(void **state) {
    (void)state;
    struct arena *a = test_arena();
    double *x = ARENA_NEW(a, double, BIG * 3), *y = ARENA_NEW(a, double, BIG);
    assert_true(x != NULL && y != NULL);
    make_counts(x, y, 2);
    struct model_data d = {BIG, 3, x, names, y, NULL, NULL};
    struct model_fit fit;
    struct err err;
    struct num_run stopped = {.stop = now}, small = {.max_bytes = 1000};
    assert_int_equal(model_glm_fit(&d, MODEL_POISSON, 0, &stopped, a, &fit, &err), ERR_TIMEOUT);
    assert_int_equal(model_negbin_fit(&d, &stopped, a, &fit, &err), ERR_TIMEOUT);
    assert_int_equal(model_glm_fit(&d, MODEL_POISSON, 0, &small, a, &fit, &err), ERR_LIMIT);
    /* Every allocation may fail: an error, nothing left behind. */
    d.n_row = 30;
    for (long n = 0;; n++) {
        long live = mem_live();
        struct arena *b = arena_new((size_t)1 << 20);
        assert_non_null(b);
        mem_fault_arm(n);
        enum err_code rc = model_glm_fit(&d, MODEL_POISSON, 0, NULL, b, &fit, &err);
        bool fired = mem_fault_disarm();
        arena_free(b);
        assert_int_equal(mem_live(), live);
        assert_int_equal(rc, fired ? ERR_NOMEM : ERR_OK);
        if (!fired) break;
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_separation),
        cmocka_unit_test(quasi_separation),
        cmocka_unit_test(separation_of_many_rows),
        cmocka_unit_test(strong_but_finite),
        cmocka_unit_test(rank_deficiency),
        cmocka_unit_test(no_overdispersion),
        cmocka_unit_test(wrong_input),
        cmocka_unit_test(same_bits_on_any_threads),
        cmocka_unit_test(units_and_order),
        cmocka_unit_test(stops_and_limits),
    };
    return cmocka_run_group_tests_name("num/model/glm_faults", tests, NULL, NULL);
}
