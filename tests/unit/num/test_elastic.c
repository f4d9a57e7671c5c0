#include "pipes.h"

#include "base/pool.h"
#include "base/rng.h"
#include "num/model/elastic.h"

static struct model_path path_of(const struct model_data *d, enum model_family family,
                                 const struct model_elastic_options *o, struct arena *a) {
    struct model_path path;
    struct err err;
    if (model_elastic_path(d, family, o, NULL, a, &path, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return path;
}

static struct model_data birthwt(struct arena *a) {
    const struct table *t = shared_table(a, SHARED("reference/failure/birthwt.csv"));
    struct frame f = frame_new(a, t->n_row);
    f.y = shared_column(a, t, "low");
    frame_add(&f, "(Intercept)", NULL);
    frame_add(&f, "age", shared_column(a, t, "age"));
    frame_add(&f, "lwt", shared_column(a, t, "lwt"));
    frame_add(&f, "raceblack", level_of(a, t, "race", "black"));
    frame_add(&f, "raceother", level_of(a, t, "race", "other"));
    static const char *const rest[] = {"smoke", "ptd", "ht", "ui"};
    for (size_t k = 0; k < 4; k++) frame_add(&f, rest[k], shared_column(a, t, rest[k]));
    return frame_data(&f);
}

/* glmnet 4.1-6 under R 4.2.2, thresh 1e-20: the same objective, standardised. */
static void birthwt_glmnet(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_data d = birthwt(a);
    const double lambda[] = {0.1, 0.03, 0.01, 0.002};
    static const double want[3][3][9] = {
        {{0.047297338018, -0.0164020252387, -0.00774799899618, 0.366402772834, 0.159444602517,
          0.305370471192, 0.947705925126, 0.988879189657, 0.378448177525},
         {0.401835019085, -0.0288443107754, -0.0121413239897, 0.895003423431, 0.554856930731,
          0.636097543973, 1.11083736029, 1.51637289677, 0.589403720549},
         {0.585754449794, -0.0357626943505, -0.0143137545806, 1.14486670849, 0.75010699125,
          0.800701933766, 1.19734985439, 1.76959839078, 0.685450196586}},
        {{0.221526642949, -0.024388019177, -0.0097710125823, 0.657879389475, 0.387833273653,
          0.492192442177, 1.01001605047, 1.24900062134, 0.508249492544},
         {0.479508648062, -0.032532655411, -0.0128731194795, 0.992563145011, 0.634409495472,
          0.702464990018, 1.14098146949, 1.60924830941, 0.635357995156},
         {0.603438676515, -0.0366174712861, -0.0144662470677, 1.1646053355, 0.766493693729,
          0.814525680452, 1.20442517847, 1.78901815262, 0.695043241428}},
        {{0.435347710957, -0.0338957637251, -0.0116858116778, 0.906495738013, 0.583509652934,
          0.655694089147, 1.09000180499, 1.49299159949, 0.631978706942},
         {0.562130518221, -0.0364100531567, -0.0135896715134, 1.0848901217, 0.709706553279,
          0.765821690633, 1.17322365966, 1.70023488163, 0.680825438814},
         {0.621326984663, -0.0374799202471, -0.0146179798454, 1.18411373594, 0.782686831627,
          0.828211137028, 1.21158469934, 1.80834996285, 0.704617910436}}};
    static const double ratio[3][4] = {
        {0.0204203415814, 0.124961320236, 0.156364712037, 0.161023003377},
        {0.0700476209593, 0.145829532608, 0.158980876526, 0.161134985411},
        {0.139769950767, 0.156852245921, 0.160533052792, 0.161205020944}};
    static const double alpha[] = {1, 0.5, 0};
    for (size_t k = 0; k < 3; k++) {
        struct model_elastic_options o = {.alpha = alpha[k], .n_lambda = 4, .lambda = lambda};
        struct model_path path = path_of(&d, MODEL_LOGISTIC, &o, a);
        assert_int_equal(path.flags, 0);
        for (size_t l = 0; l < 3; l++)
            check_all("birthwt elastic coef", path.coef + (l + 1) * 9, want[k][l], 9, 1e-6, 0);
        check_all("birthwt elastic deviance ratio", path.deviance_ratio, ratio[k], 4, 1e-7, 0);
    }
    arena_free(a);
}

/* The penalty at which the first coefficient moves, as glmnet's; no penalty: maximum likelihood. */
static void ends_of_the_path(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_data d = birthwt(a);
    struct model_elastic_options o = {.alpha = 1, .n_lambda = 5};
    struct model_path path = path_of(&d, MODEL_LOGISTIC, &o, a);
    const double glmnet[] = {0.125025661409, 0.0125025661409, 0.00125025661409, 0.000125025661409,
                             1.25025661409e-05};
    check_all("birthwt elastic lambda", path.lambda, glmnet, 5, 1e-10, 0);
    assert_int_equal(path.n_nonzero[0], 0);
    assert_int_equal(path.n_nonzero[4], 8);
    /* No penalty: maximum likelihood. */
    const double zero = 0;
    o = (struct model_elastic_options){.alpha = 1, .n_lambda = 1, .lambda = &zero};
    path = path_of(&d, MODEL_LOGISTIC, &o, a);
    struct model_fit fit;
    struct err err;
    assert_int_equal(model_glm_fit(&d, MODEL_LOGISTIC, 0, NULL, a, &fit, &err), ERR_OK);
    double ml[9];
    for (size_t j = 0; j < 9; j++) ml[j] = fit.coef[j].value;
    check_all("birthwt elastic no penalty", path.coef, ml, 9, 1e-7, 0);
    arena_free(a);
}

/* glmnet 4.1-6: poisson, alpha 0.7, offset log(base), weights, a column that depends on others. */
static void epil_glmnet(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct table *t = shared_table(a, SHARED("reference/failure/epil.csv"));
    struct frame f = frame_new(a, t->n_row);
    const double *lbase = shared_column(a, t, "lbase"), *age = shared_column(a, t, "age"),
                 *base = shared_column(a, t, "base"), *v4 = shared_column(a, t, "V4");
    double *log_age = ARENA_NEW(a, double, f.n), *both = ARENA_NEW(a, double, f.n);
    f.y = shared_column(a, t, "y");
    f.offset = ARENA_NEW(a, double, f.n);
    f.weight = ARENA_NEW(a, double, f.n);
    for (size_t i = 0; i < f.n; i++) {
        f.offset[i] = log(base[i]);
        f.weight[i] = 1 + (double)((i + 1) % 2);
        log_age[i] = log(age[i]);
        both[i] = 2 * lbase[i] + v4[i];
    }
    frame_add(&f, "(Intercept)", NULL);
    frame_add(&f, "lbase", lbase);
    frame_add(&f, "trt", level_of(a, t, "trt", "progabide"));
    frame_add(&f, "age", log_age);
    frame_add(&f, "V4", v4);
    frame_add(&f, "dup", both);
    struct model_data d = frame_data(&f);
    const double lambda[] = {1, 0.3, 0.05};
    const double want[3][6] = {
        {-2.11552022579, 0.0998376214368, 0, 0.172298596486, 0, 0},
        {-3.51250668013, 0.210325232644, 0, 0.519986568257, -0.0904733155322, 0},
        {-4.03827706314, 0.252669003038, 0, 0.650695034507, -0.151990226739, 0}};
    const double ratio[] = {0.0438640612533, 0.0803382245809, 0.0848473388604};
    struct model_elastic_options o = {.alpha = 0.7, .n_lambda = 3, .lambda = lambda};
    struct model_path path = path_of(&d, MODEL_POISSON, &o, a);
    assert_int_equal(path.flags, 0);
    for (size_t k = 0; k < 3; k++) {
        /* The column that others make up can share their work: compare what is predicted. */
        double eta[300], eta_r[300];
        model_elastic_predict(&path, k, d.x, d.n_row, d.offset, eta, NULL);
        struct model_path r = path;
        r.coef = want[k];
        model_elastic_predict(&r, 0, d.x, d.n_row, d.offset, eta_r, NULL);
        check_all("epil elastic linear", eta, eta_r, d.n_row, 1e-8, 1e-12);
        check_all("epil elastic coef", path.coef + k * 6, want[k], 6, 1e-7, 1e-12);
    }
    check_all("epil elastic deviance ratio", path.deviance_ratio, ratio, 3, 1e-8, 0);
    arena_free(a);
}

/* scikit-learn 1.2.1: LogisticRegression(C = 0.1) on standardised columns: lambda = 1 / (C n). */
static void pipes_ridge(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct val *want =
        val_get(expected_json(a, SHARED("reference/failure/pipes_linear.expected.json")),
                "logit_l2_C0.1_standardised");
    struct pipes p = pipes_load(a);
    struct model_data d = frame_data(&p.train);
    double lambda = 1 / (0.1 * (double)d.n_row);
    struct model_elastic_options o = {.alpha = 0, .n_lambda = 1, .lambda = &lambda};
    struct model_path path = path_of(&d, MODEL_LOGISTIC, &o, a);
    double got[10], expected[10], at_mean = path.coef[0];
    for (size_t j = 1; j < 10; j++) {
        double mean = 0, var = 0, n = (double)d.n_row;
        for (size_t i = 0; i < d.n_row; i++) mean += d.x[i * 10 + j] / n;
        for (size_t i = 0; i < d.n_row; i++) {
            double off = d.x[i * 10 + j] - mean;
            var += off * off / n;
        }
        at_mean += mean * path.coef[j];
        got[j] = path.coef[j] * sqrt(var);
        expected[j] = expected_number(val_get(want, "coef"), p.train.name[j]);
    }
    got[0] = at_mean;
    expected[0] = expected_number(want, "intercept");
    /* scikit-learn stops its search at a gradient of 1e-4; glmnet 4.1-6 with thresh 1e-22 does not.
     */
    check_all("pipes ridge coef (scikit-learn)", got, expected, 10, 1e-3, 0);
    const double glmnet[] = {-3.64863740486,  0.360116936804, -0.165996648216,  0.362177128725,
                             0.208537147357,  0.43660600508,  -0.0499874642221, 0.338808140777,
                             -0.279487065588, 0.147600234557};
    check_all("pipes ridge coef (glmnet)", got, glmnet, 10, 1e-7, 0);
    arena_free(a);
}

enum { N = 600, P = 12 };

static struct model_data made_up(struct arena *a, uint64_t seed) {
    struct rng r = rng_new(51, seed);
    double *x = ARENA_NEW(a, double, N *P), *y = ARENA_NEW(a, double, N);
    const char **name = ARENA_NEW(a, const char *, P);
    assert_true(x != NULL && y != NULL && name != NULL);
    for (size_t i = 0; i < N; i++) {
        double *row = x + i * P;
        for (size_t j = 0; j < P; j++) row[j] = j == 0 ? 1 : rng_normal(&r);
        y[i] = rng_unit(&r) < 1 / (1 + exp(1 - row[1] + 0.7 * row[2]));
    }
    for (size_t j = 0; j < P; j++) name[j] = "x";
    return (struct model_data){N, P, x, name, y, NULL, NULL};
}

static void cross_validation(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_data d = made_up(a, 1);
    struct model_elastic_options o = {.alpha = 1, .n_lambda = 30};
    struct model_path path = path_of(&d, MODEL_LOGISTIC, &o, a);
    uint32_t fold[N], count[7] = {0};
    model_folds_random(N, 7, 3, fold);
    for (size_t i = 0; i < N; i++) count[fold[i]]++;
    for (size_t k = 0; k < 7; k++) assert_true(count[k] == N / 7 || count[k] == N / 7 + 1);
    struct model_cv one, many;
    struct err err;
    assert_int_equal(model_elastic_cv(&d, &path, &o, fold, 7, false, NULL, a, &one, &err), ERR_OK);
    assert_int_equal(one.n_tested, 7);
    /* The two that matter stay, most of the others go; nothing at all is worse. */
    assert_true(one.one_se <= one.best && one.best > 0);
    assert_true(path.n_nonzero[one.one_se] >= 2 && path.n_nonzero[one.one_se] <= 5);
    assert_true(one.mean[0] > one.mean[one.best] + one.se[one.best]);
    const double *coef = path.coef + one.best * P;
    assert_true(fabs(coef[1] - 1) < 0.4 && fabs(coef[2] + 0.7) < 0.4);
    for (size_t threads = 2; threads <= 4; threads += 2) {
        struct pool *pool;
        assert_int_equal(pool_new(threads, &pool, &err), ERR_OK);
        struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = threads};
        assert_int_equal(model_elastic_cv(&d, &path, &o, fold, 7, false, &run, a, &many, &err),
                         ERR_OK);
        assert_memory_equal(one.mean, many.mean, 30 * sizeof(double));
        pool_free(pool);
    }
    /* Forward: the first block is only learnt from. By hand for one fold and penalty. */
    for (size_t i = 0; i < N; i++) fold[i] = (uint32_t)(i * 4 / N);
    assert_int_equal(model_elastic_cv(&d, &path, &o, fold, 4, true, NULL, a, &one, &err), ERR_OK);
    assert_int_equal(one.n_tested, 3);
    fold[5] = 9;
    assert_int_equal(model_elastic_cv(&d, &path, &o, fold, 4, true, NULL, a, &one, &err),
                     ERR_INVALID);
    for (size_t i = 0; i < N; i++) fold[i] = 0;
    assert_int_equal(model_elastic_cv(&d, &path, &o, fold, 1, true, NULL, a, &one, &err),
                     ERR_NUMERIC);
    arena_free(a);
}

/* Held-out deviance as said, computed the long way for two folds. */
static void cv_by_hand(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_data d = made_up(a, 2);
    const double lambda = 0.02;
    struct model_elastic_options o = {.alpha = 0.5, .n_lambda = 1, .lambda = &lambda};
    struct model_path path = path_of(&d, MODEL_LOGISTIC, &o, a), part;
    uint32_t fold[N];
    for (size_t i = 0; i < N; i++) fold[i] = i >= 400;
    struct model_cv cv;
    struct err err;
    assert_int_equal(model_elastic_cv(&d, &path, &o, fold, 2, true, NULL, a, &cv, &err), ERR_OK);
    struct model_data first = d;
    first.n_row = 400;
    part = path_of(&first, MODEL_LOGISTIC, &o, a);
    double mu[N], sum = 0;
    model_elastic_predict(&part, 0, d.x, N, NULL, NULL, mu);
    for (size_t i = 400; i < N; i++) sum -= 2 * log(d.y[i] == 1 ? mu[i] : 1 - mu[i]) / 200;
    check_digits("elastic cv", cv.mean[0], sum, 1e-9, 0);
    assert_true(isnan(cv.se[0])); /* one fold has no spread */
    arena_free(a);
}

static void time_folds(void **state) {
    (void)state;
    double year[1000];
    uint32_t fold[1000], n = 4, count[4] = {0};
    struct err err;
    for (size_t i = 0; i < 1000; i++) year[i] = 2000 + (double)(i * 7 % 10);
    assert_int_equal(model_folds_time(year, 1000, &n, fold, &err), ERR_OK);
    assert_int_equal(n, 4);
    for (size_t i = 0; i < 1000; i++) {
        count[fold[i]]++;
        for (size_t j = 0; j < i; j++) {
            if (year[i] < year[j]) assert_true(fold[i] <= fold[j]);
            if (year[i] == year[j]) assert_int_equal(fold[i], fold[j]);
        }
    }
    for (size_t k = 0; k < 4; k++) assert_true(count[k] >= 200 && count[k] <= 300);
    for (size_t i = 0; i < 1000; i++) year[i] = i < 990 ? 1 : 2;
    n = 5;
    assert_int_equal(model_folds_time(year, 1000, &n, fold, &err), ERR_OK);
    assert_true(n <= 2);
    n = 0;
    assert_int_equal(model_folds_time(year, 1000, &n, fold, &err), ERR_INVALID);
}

static void faults(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_data d = made_up(a, 3);
    struct model_path path;
    struct err err;
    struct model_elastic_options o = {.alpha = 2};
    assert_int_equal(model_elastic_path(&d, MODEL_LOGISTIC, &o, NULL, a, &path, &err), ERR_INVALID);
    const double rising[] = {0.1, 0.2};
    o = (struct model_elastic_options){.alpha = 1, .n_lambda = 2, .lambda = rising};
    assert_int_equal(model_elastic_path(&d, MODEL_LOGISTIC, &o, NULL, a, &path, &err), ERR_INVALID);
    /* A constant column beside the intercept is dropped and named; none at all is refused. */
    double *x = ARENA_NEW(a, double, N *P);
    assert_non_null(x);
    memcpy(x, d.x, N * P * sizeof *x);
    for (size_t i = 0; i < N; i++) x[i * P + 4] = 3;
    struct model_data constant = d;
    constant.x = x;
    o = (struct model_elastic_options){.alpha = 1, .n_lambda = 3};
    path = path_of(&constant, MODEL_LOGISTIC, &o, a);
    assert_int_equal(path.flags, MODEL_RANK_DEFICIENT);
    assert_true(isnan(path.coef[2 * P + 4]));
    for (size_t i = 0; i < N; i++) x[i * P] = x[i * P + 4] = (double)i;
    assert_int_equal(model_elastic_path(&constant, MODEL_LOGISTIC, &o, NULL, a, &path, &err),
                     ERR_INVALID);
    /* Separated outcomes have finite estimates under a penalty. */
    double *y = ARENA_NEW(a, double, N);
    assert_non_null(y);
    for (size_t i = 0; i < N; i++) y[i] = d.x[i * P + 1] > 0;
    struct model_data apart = d;
    apart.y = y;
    o = (struct model_elastic_options){.alpha = 0.5, .n_lambda = 20, .ratio = 1e-2};
    path = path_of(&apart, MODEL_LOGISTIC, &o, a);
    assert_int_equal(path.flags, 0);
    assert_true(path.coef[19 * P + 1] > 1 && path.coef[19 * P + 1] < 1000);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(birthwt_glmnet),   cmocka_unit_test(ends_of_the_path),
        cmocka_unit_test(epil_glmnet),      cmocka_unit_test(pipes_ridge),
        cmocka_unit_test(cross_validation), cmocka_unit_test(cv_by_hand),
        cmocka_unit_test(time_folds),       cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests_name("num/model/elastic", tests, NULL, NULL);
}
