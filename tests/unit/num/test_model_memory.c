/* Every allocation of every function of regression may fail: ERR_NOMEM, nothing left behind, and
 * the same answer as before once memory is there again. */
#include "model_frame.h"

#include "base/mem.h"
#include "base/rng.h"
#include "num/model/calibrate.h"
#include "num/model/elastic.h"
#include "num/model/evaluate.h"
#include "num/model/negbin.h"
#include "num/model/trees.h"

enum { N = 120, P = 3 };
static double x[N * P], y[N], chance[N];
static uint8_t outcome[N];
static const char *const names[P] = {"(Intercept)", "x1", "x2"};
static const struct model_data data = {N, P, x, names, y, NULL, NULL};

static int make_data(void **state) {
    (void)state;
    struct rng r = rng_new(81, 0);
    for (size_t i = 0; i < N; i++) {
        x[i * P] = 1;
        for (size_t j = 1; j < P; j++) x[i * P + j] = rng_normal(&r);
        y[i] = rng_poisson(&r, rng_exp(&r) * exp(0.3 + 0.5 * x[i * P + 1]));
        chance[i] = 0.01 + 0.98 * rng_unit(&r);
        outcome[i] = rng_unit(&r) < chance[i];
    }
    return 0;
}

typedef enum err_code scenario(struct arena *a, double *answer, struct err *err);

static enum err_code glm(struct arena *a, double *answer, struct err *err) {
    struct model_fit fit;
    TRY(model_glm_fit(&data, MODEL_POISSON, 0, NULL, a, &fit, err));
    *answer = fit.coef[1].value;
    return ERR_OK;
}
static enum err_code negbin(struct arena *a, double *answer, struct err *err) {
    struct model_fit fit;
    TRY(model_negbin_fit(&data, NULL, a, &fit, err));
    *answer = fit.theta;
    return ERR_OK;
}
/* Separated, so that the linear programme runs. */
static enum err_code separated(struct arena *a, double *answer, struct err *err) {
    double apart[N];
    for (size_t i = 0; i < N; i++) apart[i] = x[i * P + 1] > 0;
    struct model_data d = data;
    d.y = apart;
    struct model_fit fit;
    TRY(model_glm_fit(&d, MODEL_LOGISTIC, 0, NULL, a, &fit, err));
    *answer = fit.flags;
    return ERR_OK;
}
static enum err_code elastic(struct arena *a, double *answer, struct err *err) {
    struct model_path path;
    struct model_cv cv;
    struct model_elastic_options o = {.alpha = 0.5, .n_lambda = 5};
    uint32_t fold[N], n_fold = 3;
    TRY(model_elastic_path(&data, MODEL_POISSON, &o, NULL, a, &path, err));
    TRY(model_folds_time(chance, N, &n_fold, fold, err));
    TRY(model_elastic_cv(&data, &path, &o, fold, n_fold, true, NULL, a, &cv, err));
    *answer = cv.mean[cv.best];
    return ERR_OK;
}
static enum err_code scores(struct arena *a, double *answer, struct err *err) {
    (void)a;
    struct model_scores s;
    struct model_auc_difference d;
    struct model_top top;
    TRY(model_evaluate(chance, outcome, N, &s, err));
    TRY(model_auc_compare(chance, x, outcome, N, &d, err));
    TRY(model_top_by_size(chance, y, NULL, N, 0.1, &top, err));
    *answer = s.slope + d.z + top.event_share;
    return ERR_OK;
}
static enum err_code calibration(struct arena *a, double *answer, struct err *err) {
    struct model_platt platt;
    struct model_isotonic isotonic;
    TRY(model_platt_fit(chance, outcome, N, &platt, err));
    TRY(model_isotonic_fit(chance, y, NULL, N, a, &isotonic, err));
    *answer = platt.slope + model_isotonic_chance(&isotonic, 0.5);
    return ERR_OK;
}
static enum err_code trees(struct arena *a, double *answer, struct err *err) {
    struct model_trees m;
    struct model_trees_options o = {.n_trees = 5};
    TRY(model_trees_fit(&data, MODEL_POISSON, &o, NULL, a, &m, err));
    *answer = m.deviance[m.n_trees];
    return ERR_OK;
}

static void each_allocation(scenario *run) {
    double want = NAN, got = NAN;
    struct err err;
    struct arena *a = test_arena();
    assert_int_equal(run(a, &want, &err), ERR_OK);
    arena_free(a);
    long n = 0;
    for (bool fired = true; fired; n++) {
        long live = mem_live();
        a = test_arena();
        mem_fault_arm(n);
        enum err_code rc = run(a, &got, &err);
        fired = mem_fault_disarm() != 0;
        arena_free(a);
        assert_int_equal(mem_live(), live);
        if (rc != (fired ? ERR_NOMEM : ERR_OK)) fail_msg("allocation %ld: %s", n, err.detail);
    }
    assert_true(n > 3 && got == want);
}

static void in_glm(void **state) {
    (void)state;
    each_allocation(glm);
}
static void in_negbin(void **state) {
    (void)state;
    each_allocation(negbin);
}
static void in_separation(void **state) {
    (void)state;
    each_allocation(separated);
}
static void in_elastic(void **state) {
    (void)state;
    each_allocation(elastic);
}
static void in_scores(void **state) {
    (void)state;
    each_allocation(scores);
}
static void in_calibration(void **state) {
    (void)state;
    each_allocation(calibration);
}
static void in_trees(void **state) {
    (void)state;
    each_allocation(trees);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_glm),     cmocka_unit_test(in_negbin), cmocka_unit_test(in_separation),
        cmocka_unit_test(in_elastic), cmocka_unit_test(in_scores), cmocka_unit_test(in_calibration),
        cmocka_unit_test(in_trees),
    };
    return cmocka_run_group_tests_name("num/model/memory", tests, make_data, NULL);
}
