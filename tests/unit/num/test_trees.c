#include "model_frame.h"

#include "base/pool.h"
#include "base/rng.h"
#include "num/model/evaluate.h"
#include "num/model/trees.h"

static struct model_trees grown(const struct model_data *d, enum model_family family,
                                const struct model_trees_options *o, struct arena *a) {
    struct model_trees m;
    struct err err;
    if (model_trees_fit(d, family, o, NULL, a, &m, &err) != ERR_OK) fail_msg("%s", err.detail);
    return m;
}

static const char *const pipe_columns[] = {
    "age", "diameter_mm", "length_m", "soil_class", "prior_breaks", "pressure", "CI", "PVC", "AC"};

static void pipes(struct arena *a, struct model_data *train, struct model_data *test,
                  const double **length) {
    const struct table *t = shared_table(a, SHARED("reference/failure/pipes_linear.csv"));
    const double *is_test = shared_column(a, t, "is_test"), *y = shared_column(a, t, "failed");
    const double *col[9];
    for (size_t j = 0; j < 9; j++)
        col[j] = j < 6 ? shared_column(a, t, pipe_columns[j])
                       : level_of(a, t, "material", pipe_columns[j]);
    double *x[2], *out[2], *len = ARENA_NEW(a, double, t->n_row);
    size_t n[2] = {0, 0};
    for (size_t k = 0; k < 2; k++) {
        x[k] = ARENA_NEW(a, double, t->n_row * 9);
        out[k] = ARENA_NEW(a, double, t->n_row);
        assert_true(x[k] != NULL && out[k] != NULL);
    }
    for (size_t i = 0; i < t->n_row; i++) {
        size_t k = is_test[i] != 0;
        for (size_t j = 0; j < 9; j++) x[k][n[k] * 9 + j] = col[j][i];
        if (k == 1) len[n[k]] = col[2][i];
        out[k][n[k]++] = y[i];
    }
    *train = (struct model_data){n[0], 9, x[0], pipe_columns, out[0], NULL, NULL};
    *test = (struct model_data){n[1], 9, x[1], pipe_columns, out[1], NULL, NULL};
    *length = len;
}

/* scikit-learn 1.2.1, HistGradientBoostingClassifier, 100 trees of 8 leaves, rate 0.1: the same
 * method, so that its scores are met closely (it keeps gradients in single precision). */
static void pipes_histogram(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)256 << 20);
    assert_non_null(a);
    const struct val *all =
        expected_json(a, SHARED("reference/failure/pipes_linear.expected.json"));
    const struct val *want = val_get(val_get(all, "hist_gbm_100x8leaves_lr0.1"), "test");
    const struct val *exact = val_get(val_get(all, "gbm_100x3_lr0.1"), "test");
    struct model_data train, test;
    const double *length;
    pipes(a, &train, &test, &length);
    struct model_trees_options o = {.n_trees = 100};
    struct model_trees m = grown(&train, MODEL_LOGISTIC, &o, a);
    assert_int_equal(m.flags, 0);
    assert_int_equal(m.n_trees, 100);
    double *mu = ARENA_NEW(a, double, test.n_row);
    uint8_t *y = ARENA_NEW(a, uint8_t, test.n_row);
    assert_true(mu != NULL && y != NULL);
    model_trees_predict(&m, SIZE_MAX, test.x, test.n_row, NULL, NULL, mu);
    for (size_t i = 0; i < test.n_row; i++) y[i] = test.y[i] != 0;
    struct model_scores s;
    struct err err;
    assert_int_equal(model_evaluate(mu, y, test.n_row, &s, &err), ERR_OK);
    check_digits("trees auc", s.auc, expected_number(want, "auc"), 1e-6, 0);
    check_digits("trees brier", s.brier, expected_number(want, "brier"), 1e-6, 0);
    check_digits("trees log_loss", s.log_loss, expected_number(want, "log_loss"), 1e-6, 0);
    check_digits("trees mean_pred", s.mean_predicted, expected_number(want, "mean_pred"), 1e-6, 0);
    check_digits("trees calibration_slope", s.slope, expected_number(want, "calibration_slope"),
                 1e-6, 0);
    /* The bar: no worse than the exact boosting of the reference beyond its own noise. */
    assert_true(s.log_loss < expected_number(exact, "log_loss") + 5e-4);
    assert_true(s.auc > expected_number(exact, "auc") - 2e-3);
    double sum = 0;
    for (size_t j = 0; j < 9; j++) {
        printf("importance %s %.3f\n", pipe_columns[j], m.importance[j]);
        sum += m.importance[j];
    }
    assert_true(fabs(sum - 1) < 1e-12);
    assert_true(m.importance[0] > 0.15 && m.importance[4] > 0.15 && m.importance[2] > 0.15);
    for (size_t t = 1; t <= 100; t++) assert_true(m.deviance[t] < m.deviance[t - 1]);
    arena_free(a);
}

/* scikit-learn 1.2.1, HistGradientBoostingRegressor(loss = "poisson", learning_rate = 0.2, max_iter
 * = 40, max_leaf_nodes = 6, max_depth = 3, min_samples_leaf = 50, l2_regularization = 1, max_bins =
 * 64), weights 1 + row % 3, age missing in every 7th row and pressure in every 11th. */
static void counts_with_gaps(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)256 << 20);
    assert_non_null(a);
    const struct table *t = shared_table(a, SHARED("reference/failure/pipes_linear.csv"));
    static const char *const name[] = {"age", "diameter_mm", "length_m", "soil_class", "pressure"};
    const double *is_test = shared_column(a, t, "is_test"),
                 *y = shared_column(a, t, "prior_breaks"), *col[5];
    for (size_t j = 0; j < 5; j++) col[j] = shared_column(a, t, name[j]);
    double *x = ARENA_NEW(a, double, t->n_row * 5), *weight = ARENA_NEW(a, double, t->n_row),
           *mu = ARENA_NEW(a, double, t->n_row);
    assert_true(x != NULL && weight != NULL && mu != NULL);
    for (size_t i = 0; i < t->n_row; i++) {
        for (size_t j = 0; j < 5; j++) x[i * 5 + j] = col[j][i];
        if (i % 7 == 0) x[i * 5] = NAN;
        if (i % 11 == 0) x[i * 5 + 4] = NAN;
        weight[i] = is_test[i] != 0 ? 0 : 1 + (double)(i % 3);
    }
    struct model_data d = {t->n_row, 5, x, name, y, NULL, weight};
    struct model_trees_options o = {.n_trees = 40,
                                    .rate = 0.2,
                                    .max_leaves = 6,
                                    .max_depth = 3,
                                    .min_rows = 50,
                                    .ridge = 1,
                                    .max_bins = 64};
    struct model_trees m = grown(&d, MODEL_POISSON, &o, a);
    model_trees_predict(&m, SIZE_MAX, x, d.n_row, NULL, NULL, mu);
    double mean = 0, deviance = 0, n = 0, first[6];
    for (size_t i = 0; i < d.n_row; i++) {
        if (is_test[i] == 0) continue;
        if (n < 6) first[(size_t)n] = mu[i];
        mean += mu[i];
        deviance += 2 * ((y[i] > 0 ? y[i] * log(y[i] / mu[i]) : 0) - (y[i] - mu[i]));
        n++;
    }
    const double want[] = {0.331135336497, 0.253475432679, 0.342033282097,
                           0.386340398196, 0.324139323612, 0.412890145341};
    check_digits("trees counts mean", mean / n, 0.32668267693, 1e-5, 0);
    check_digits("trees counts deviance", deviance / n, 1.11058133758, 1e-5, 0);
    check_all("trees counts first", first, want, 6, 1e-6, 0);
    arena_free(a);
}

enum { N = 3000, P = 4 };
static const char *const names[P] = {"x1", "x2", "x3", "x4"};

/* Steps, a product of two columns, exposure; counts or their presence. */
static struct model_data made_up(struct arena *a, uint64_t seed, bool counts) {
    struct rng r = rng_new(71, seed);
    double *x = ARENA_NEW(a, double, N *P), *y = ARENA_NEW(a, double, N),
           *offset = ARENA_NEW(a, double, N);
    assert_true(x != NULL && y != NULL && offset != NULL);
    for (size_t i = 0; i < N; i++) {
        double *row = x + i * P;
        for (size_t j = 0; j < P; j++) row[j] = floor(40 * rng_unit(&r));
        double eta = -1.2 + ((row[0] < 20) == (row[1] < 20) ? 1.2 : -1.2);
        offset[i] = counts ? log(0.5 + 2 * rng_unit(&r)) : 0;
        y[i] = counts ? rng_poisson(&r, exp(eta + offset[i])) : rng_unit(&r) < 1 / (1 + exp(-eta));
    }
    return (struct model_data){N, P, x, names, y, counts ? offset : NULL, NULL};
}

static void finds_what_lines_cannot(void **state) {
    (void)state;
    struct arena *a = test_arena();
    for (int counts = 0; counts < 2; counts++) {
        enum model_family family = counts ? MODEL_POISSON : MODEL_LOGISTIC;
        struct model_data d = made_up(a, 1, counts != 0), fresh = made_up(a, 2, counts != 0);
        struct model_trees_options o = {.n_trees = 60};
        struct model_trees m = grown(&d, family, &o, a);
        assert_true(m.importance[0] + m.importance[1] > 0.85);
        double *eta = ARENA_NEW(a, double, N), error = 0;
        model_trees_predict(&m, SIZE_MAX, fresh.x, N, fresh.offset, eta, NULL);
        for (size_t i = 0; i < N; i++) {
            const double *row = fresh.x + i * P;
            double truth = -1.2 + ((row[0] < 20) == (row[1] < 20) ? 1.2 : -1.2);
            if (counts) truth += fresh.offset[i];
            error += fabs(eta[i] - truth) / N;
        }
        printf("trees mean error of the linear predictor %.3f\n", error);
        assert_true(error < 0.6); /* of 1.2 without a model */
        /* No straight line in x1 and x2 sees it. */
        double *line = ARENA_NEW(a, double, N *(P + 1));
        assert_non_null(line);
        for (size_t i = 0; i < N; i++) {
            line[i * (P + 1)] = 1;
            memcpy(line + i * (P + 1) + 1, d.x + i * P, P * sizeof *line);
        }
        static const char *const with[] = {"(Intercept)", "x1", "x2", "x3", "x4"};
        struct model_data flat = {N, P + 1, line, with, d.y, d.offset, NULL};
        struct model_fit fit;
        struct err err;
        assert_int_equal(model_glm_fit(&flat, family, 0, NULL, a, &fit, &err), ERR_OK);
        assert_true(m.deviance[m.n_trees] * N < 0.95 * fit.deviance);
    }
    arena_free(a);
}

/* The best single cut found by trying all of them. */
static void first_cut_by_hand(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct arena *a = test_arena();
        struct model_data d = made_up(a, seed, false);
        d.n_row = 300;
        struct model_trees_options o = {.n_trees = 1, .max_leaves = 2, .min_rows = 7, .ridge = 0.5};
        struct model_trees m = grown(&d, MODEL_LOGISTIC, &o, a);
        double mean = 0, best = -1, best_cut = 0;
        size_t best_column = 0;
        for (size_t i = 0; i < 300; i++) mean += d.y[i] / 300;
        double curve = mean * (1 - mean);
        for (size_t j = 0; j < P; j++)
            for (int whole = 0; whole < 39; whole++) {
                double cut = whole + 0.5;
                double g[2] = {0, 0}, n[2] = {0, 0};
                for (size_t i = 0; i < 300; i++) {
                    size_t side = d.x[i * P + j] > cut;
                    g[side] += mean - d.y[i];
                    n[side]++;
                }
                if (n[0] < 7 || n[1] < 7) continue;
                double gain =
                    g[0] * g[0] / (n[0] * curve + 0.5) + g[1] * g[1] / (n[1] * curve + 0.5);
                if (gain > best + 1e-12) {
                    best = gain;
                    best_column = j;
                    best_cut = cut;
                }
            }
        assert_int_equal(m.n_trees, 1);
        assert_int_equal(m.node[0].column, best_column);
        /* Cuts are half-way between values that occur: the same rows on each side. */
        for (size_t i = 0; i < 300; i++) {
            double v = d.x[i * P + best_column];
            assert_int_equal(v <= best_cut, v <= m.node[0].threshold);
        }
        arena_free(a);
    }
}

static void same(const struct model_trees *a, const struct model_trees *b) {
    assert_int_equal(a->n_trees, b->n_trees);
    for (size_t k = 0; k < a->first[a->n_trees]; k++) {
        assert_true(a->node[k].column == b->node[k].column);
        assert_true(a->node[k].threshold == b->node[k].threshold);
        assert_true(a->node[k].value == b->node[k].value);
    }
    assert_memory_equal(a->deviance, b->deviance, (a->n_trees + 1) * sizeof *a->deviance);
}

static void same_bits_on_any_threads(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct err err;
    struct model_data d = made_up(a, 3, true);
    struct model_trees_options o = {.n_trees = 30, .row_share = 0.7, .seed = 5};
    struct model_trees one = grown(&d, MODEL_POISSON, &o, a), many;
    for (size_t threads = 2; threads <= 4; threads += 2) {
        struct pool *pool;
        assert_int_equal(pool_new(threads, &pool, &err), ERR_OK);
        struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = threads};
        assert_int_equal(model_trees_fit(&d, MODEL_POISSON, &o, &run, a, &many, &err), ERR_OK);
        pool_free(pool);
        same(&one, &many);
    }
    many = grown(&d, MODEL_POISSON, &o, a);
    same(&one, &many);
    o.seed = 6;
    many = grown(&d, MODEL_POISSON, &o, a);
    assert_true(one.deviance[30] != many.deviance[30]);
    arena_free(a);
}

/* Only the order of values counts: a rising function of a column changes no forecast. */
static void order_is_all(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_data d = made_up(a, 4, false), bent = d;
    double *x = ARENA_NEW(a, double, N *P), mu[2];
    assert_non_null(x);
    for (size_t i = 0; i < N * P; i++) x[i] = i % P == 1 ? exp(d.x[i] / 4) : d.x[i];
    bent.x = x;
    struct model_trees_options o = {.n_trees = 25};
    struct model_trees m = grown(&d, MODEL_LOGISTIC, &o, a),
                       b = grown(&bent, MODEL_LOGISTIC, &o, a);
    for (size_t i = 0; i < N; i++) {
        model_trees_predict(&m, SIZE_MAX, d.x + i * P, 1, NULL, NULL, &mu[0]);
        model_trees_predict(&b, SIZE_MAX, x + i * P, 1, NULL, NULL, &mu[1]);
        assert_true(mu[0] == mu[1]);
    }
    arena_free(a);
}

static void stops_early(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_data d = made_up(a, 5, false);
    uint8_t *held = ARENA_NEW(a, uint8_t, N);
    assert_non_null(held);
    for (size_t i = 0; i < N; i++) held[i] = i % 3 == 0;
    struct model_trees_options o = {
        .n_trees = 2000, .rate = 0.3, .held = held, .patience = 10, .min_rows = 2};
    struct model_trees m = grown(&d, MODEL_LOGISTIC, &o, a);
    assert_int_equal(m.flags, MODEL_TREES_STOPPED_EARLY);
    assert_true(m.n_trees > 2 && m.n_trees < 500);
    /* The trees kept are the best of those tried; what it reports is what it predicts. */
    double sum = 0, n = 0;
    for (size_t k = 0; k < m.n_trees; k++)
        assert_true(m.held_deviance[k] > m.held_deviance[m.n_trees]);
    for (size_t i = 0; i < N; i += 3) {
        double mu;
        model_trees_predict(&m, SIZE_MAX, d.x + i * P, 1, NULL, NULL, &mu);
        sum -= 2 * log(d.y[i] == 1 ? mu : 1 - mu);
        n++;
    }
    assert_true(fabs(sum / n - m.held_deviance[m.n_trees]) < 1e-12);
    arena_free(a);
}

static bool now(void *arg) {
    (void)arg;
    return true;
}

static void faults(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_data d = made_up(a, 6, false);
    struct model_trees m;
    struct err err;
    struct model_trees_options o = {.rate = 2};
    assert_int_equal(model_trees_fit(&d, MODEL_LOGISTIC, &o, NULL, a, &m, &err), ERR_INVALID);
    o = (struct model_trees_options){.patience = 3};
    assert_int_equal(model_trees_fit(&d, MODEL_LOGISTIC, &o, NULL, a, &m, &err), ERR_INVALID);
    o = (struct model_trees_options){0};
    assert_int_equal(model_trees_fit(&d, MODEL_QUASI_POISSON, &o, NULL, a, &m, &err), ERR_INVALID);
    struct num_run stopped = {.stop = now}, small = {.max_bytes = 1000};
    assert_int_equal(model_trees_fit(&d, MODEL_LOGISTIC, &o, &stopped, a, &m, &err), ERR_TIMEOUT);
    assert_int_equal(model_trees_fit(&d, MODEL_LOGISTIC, &o, &small, a, &m, &err), ERR_LIMIT);
    /* Nothing to cut: told, and the constant is the mean. */
    double *x = ARENA_NEW(a, double, N *P), *y = ARENA_NEW(a, double, N), mu;
    assert_true(x != NULL && y != NULL);
    struct model_data flat = d;
    flat.x = x;
    m = grown(&flat, MODEL_LOGISTIC, &o, a);
    assert_int_equal(m.flags, MODEL_TREES_NO_SPLIT);
    double mean = 0;
    for (size_t i = 0; i < N; i++) mean += d.y[i] / N;
    model_trees_predict(&m, SIZE_MAX, x, 1, NULL, NULL, &mu);
    assert_true(fabs(mu - mean) < 1e-12);
    flat = d;
    flat.y = y;
    m = grown(&flat, MODEL_LOGISTIC, &o, a);
    assert_int_equal(m.flags, MODEL_TREES_NO_SPLIT | MODEL_TREES_ONE_OUTCOME);
    model_trees_predict(&m, SIZE_MAX, x, 1, NULL, NULL, &mu);
    assert_true(mu > 0 && mu < 0.001);
    /* Gaps alone can be what tells. */
    for (size_t i = 0; i < N; i++) {
        x[i * P + 2] = i % 2 == 0 ? NAN : 1;
        y[i] = i % 2 == 0 ? i % 10 != 0 : i % 10 == 1;
    }
    flat.x = x;
    m = grown(&flat, MODEL_LOGISTIC, &o, a);
    assert_true(m.node[0].column == 2 && m.n_trees == 100);
    double hole[P] = {0, 0, NAN, 0}, whole[P] = {0, 0, 1, 0}, at_hole, at_whole;
    model_trees_predict(&m, SIZE_MAX, hole, 1, NULL, NULL, &at_hole);
    model_trees_predict(&m, SIZE_MAX, whole, 1, NULL, NULL, &at_whole);
    assert_true(fabs(at_hole - 0.8) < 0.01 && fabs(at_whole - 0.2) < 0.01);
    x[0] = INFINITY;
    assert_int_equal(model_trees_fit(&flat, MODEL_LOGISTIC, &o, NULL, a, &m, &err), ERR_INVALID);
    y[1] = 2;
    assert_int_equal(model_trees_fit(&flat, MODEL_LOGISTIC, &o, NULL, a, &m, &err), ERR_INVALID);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipes_histogram),
        cmocka_unit_test(counts_with_gaps),
        cmocka_unit_test(finds_what_lines_cannot),
        cmocka_unit_test(first_cut_by_hand),
        cmocka_unit_test(same_bits_on_any_threads),
        cmocka_unit_test(order_is_all),
        cmocka_unit_test(stops_early),
        cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests_name("num/model/trees", tests, NULL, NULL);
}
