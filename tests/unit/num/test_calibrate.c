#include "model_frame.h"

#include "base/rng.h"
#include "num/model/calibrate.h"
#include "num/model/evaluate.h"

static const double x[25] = {-0.6, 0.2, -0.8, 1.6, 0.3, -0.8, 0.5, 0.7, 0.6, -0.3, 1.5, 0.4, -0.6,
                             -2.2, 1.1, 0,    0,   0.9, 0.8,  0.6, 0.9, 0.8, 0.1,  -2,  0.6};
static const uint8_t y[25] = {0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0,
                              0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1};

/* R 4.2.2: glm of Platt's targets; isoreg on the means of equal scores, repeated by their count. */
static void values_of_r(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_platt p;
    struct err err;
    assert_int_equal(model_platt_fit(x, y, 25, &p, &err), ERR_OK);
    assert_int_equal(p.flags, 0);
    check_digits("platt intercept", p.intercept, 0.401995007117813, 1e-8, 0);
    check_digits("platt slope", p.slope, 1.40073280399353, 1e-8, 0);
    check_digits("platt chance", model_platt_chance(&p, 0.5),
                 1 / (1 + exp(-0.401995007117813 - 0.5 * 1.40073280399353)), 1e-8, 0);
    const double u[18] = {-2.2, -2,  -0.8, -0.6, -0.3, 0,   0.1, 0.2, 0.3,
                          0.4,  0.5, 0.6,  0.7,  0.8,  0.9, 1.1, 1.5, 1.6};
    const double s = 7.0 / 9,
                 want[18] = {0, 0, 0.2, 0.2, 0.2, 0.75, 0.75, 0.75, s, s, s, s, s, s, 1, 1, 1, 1};
    double values[25], got[18];
    for (size_t i = 0; i < 25; i++) values[i] = y[i];
    struct model_isotonic m;
    assert_int_equal(model_isotonic_fit(x, values, NULL, 25, a, &m, &err), ERR_OK);
    for (size_t i = 0; i < 18; i++) got[i] = model_isotonic_chance(&m, u[i]);
    check_all("isotonic", got, want, 18, 1e-12, 1e-15);
    assert_int_equal(m.n_blocks, 5);
    /* Between blocks a straight line, beyond the ends the end. */
    assert_true(fabs(model_isotonic_chance(&m, -1.4) - 0.1) < 1e-12);
    assert_true(model_isotonic_chance(&m, -9) == 0 && model_isotonic_chance(&m, 9) == 1);
    assert_true(isnan(model_isotonic_chance(&m, NAN)));
    arena_free(a);
}

/* What makes it the least squares: rises, blocks are means, and no function of the same kind is
 * nearer (Karush-Kuhn-Tucker by cumulative sums: Ayer et al.). Weights count as copies. */
static void isotonic_is_best(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct arena *a = test_arena();
        struct rng r = rng_new(61, seed);
        enum { N = 80 };
        double score[N], value[N], weight[N], copy_score[5 * N], copy_value[5 * N];
        size_t n = 0;
        for (size_t i = 0; i < N; i++) {
            score[i] = rng_below(&r, 30);
            value[i] = rng_normal(&r) + 0.05 * score[i];
            weight[i] = 1 + rng_below(&r, 5);
            for (int k = 0; k < (int)weight[i]; k++) {
                copy_score[n] = score[i];
                copy_value[n++] = value[i];
            }
        }
        struct model_isotonic m, copies;
        struct err err;
        assert_int_equal(model_isotonic_fit(score, value, weight, N, a, &m, &err), ERR_OK);
        assert_int_equal(model_isotonic_fit(copy_score, copy_value, NULL, n, a, &copies, &err),
                         ERR_OK);
        /* Residuals summed from the left are never below 0, and 0 in all. */
        double total = 0, weights = 0;
        for (int step = 0; step < 30; step++) {
            double s = step;
            double fit = model_isotonic_chance(&m, s);
            assert_true(fabs(fit - model_isotonic_chance(&copies, s)) < 1e-9);
            assert_true(s == 0 || fit >= model_isotonic_chance(&m, s - 1) - 1e-15);
            for (size_t i = 0; i < N; i++) {
                if (score[i] != s) continue;
                total += weight[i] * (value[i] - fit);
                weights += weight[i];
            }
            assert_true(total >= -1e-9 * weights);
        }
        assert_true(fabs(total) <= 1e-9 * weights);
        arena_free(a);
    }
}

/* Chances that are too bold come back to what happened. */
static void mends_calibration(void **state) {
    (void)state;
    struct arena *a = test_arena();
    enum { N = 8000 };
    struct rng r = rng_new(62, 0);
    double *score = ARENA_NEW(a, double, N), *value = ARENA_NEW(a, double, N),
           *bold = ARENA_NEW(a, double, N), *mended = ARENA_NEW(a, double, N);
    uint8_t *happened = ARENA_NEW(a, uint8_t, N);
    assert_true(score && value && bold && mended && happened);
    for (size_t i = 0; i < N; i++) {
        score[i] = 2 * rng_normal(&r);
        happened[i] = rng_unit(&r) < 1 / (1 + exp(1 - 0.5 * score[i]));
        value[i] = happened[i];
        bold[i] = 1 / (1 + exp(-score[i]));
    }
    struct model_scores s;
    struct err err;
    assert_int_equal(model_evaluate(bold, happened, N, &s, &err), ERR_OK);
    assert_true(s.slope < 0.6 && s.hosmer_p < 1e-6);
    struct model_platt p;
    assert_int_equal(model_platt_fit(score, happened, N, &p, &err), ERR_OK);
    for (size_t i = 0; i < N; i++) mended[i] = model_platt_chance(&p, score[i]);
    assert_int_equal(model_evaluate(mended, happened, N, &s, &err), ERR_OK);
    assert_true(fabs(s.slope - 1) < 0.02 && s.hosmer_p > 0.001);
    struct model_isotonic m;
    assert_int_equal(model_isotonic_fit(score, value, NULL, N, a, &m, &err), ERR_OK);
    for (size_t i = 0; i < N; i++) mended[i] = model_isotonic_chance(&m, score[i]);
    assert_int_equal(model_evaluate(mended, happened, N, &s, &err), ERR_OK);
    assert_true(fabs(s.mean_predicted - s.mean_observed) < 1e-9 && s.ece < 0.01);
    arena_free(a);
}

static void faults(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct err err;
    struct model_platt p;
    struct model_isotonic m;
    const double alike[4] = {2, 2, 2, 2}, hole[2] = {1, NAN}, weight[2] = {1, 0};
    const uint8_t outcome[4] = {1, 0, 0, 0}, all[4] = {1, 1, 1, 1};
    assert_int_equal(model_platt_fit(alike, outcome, 4, &p, &err), ERR_OK);
    assert_true(p.flags == MODEL_RANK_DEFICIENT && p.slope == 0);
    assert_int_equal(model_platt_fit(x, all, 4, &p, &err), ERR_OK); /* drawn in: finite */
    assert_true(p.flags == 0 && model_platt_chance(&p, 0) < 1);
    assert_int_equal(model_platt_fit(alike, outcome, 0, &p, &err), ERR_INVALID);
    assert_int_equal(model_platt_fit(hole, outcome, 2, &p, &err), ERR_INVALID);
    assert_int_equal(model_isotonic_fit(hole, alike, NULL, 2, a, &m, &err), ERR_INVALID);
    assert_int_equal(model_isotonic_fit(alike, alike, weight, 2, a, &m, &err), ERR_INVALID);
    assert_int_equal(model_isotonic_fit(alike, alike, NULL, 0, a, &m, &err), ERR_INVALID);
    assert_int_equal(model_isotonic_fit(alike, alike, NULL, 4, a, &m, &err), ERR_OK);
    assert_true(m.n_knots == 1 && model_isotonic_chance(&m, 7) == 2);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_r),
        cmocka_unit_test(isotonic_is_best),
        cmocka_unit_test(mends_calibration),
        cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests_name("num/model/calibrate", tests, NULL, NULL);
}
