#include "pipes.h"

#include "base/rng.h"
#include "num/model/evaluate.h"

static struct model_scores scores_of(const double *chance, const double *y, size_t n) {
    static uint8_t outcome[20000];
    struct model_scores s;
    struct err err;
    assert_true(n <= sizeof outcome);
    for (size_t i = 0; i < n; i++) outcome[i] = y[i] != 0;
    if (model_evaluate(chance, outcome, n, &s, &err) != ERR_OK) fail_msg("%s", err.detail);
    return s;
}

/* Shares of failures in the top 1, 5 and 10 % by count and by length. */
static void check_tops(const double *mu, const struct model_data *held, const double *length,
                       const struct val *test) {
    struct err err;
    for (int q = 1; q <= 10; q += q == 1 ? 4 : 5) {
        struct model_top top;
        char key[60];
        assert_int_equal(
            model_top_by_count(mu, held->y, length, held->n_row, q / 100.0, &top, &err), ERR_OK);
        (void)snprintf(key, sizeof key, "top%d_share_of_failures", q);
        check_digits(key, top.event_share, expected_number(test, key), 1e-12, 0);
        (void)snprintf(key, sizeof key, "top%d_precision", q);
        check_digits(key, top.precision, expected_number(test, key), 1e-12, 0);
        assert_int_equal(model_top_by_size(mu, held->y, length, held->n_row, q / 100.0, &top, &err),
                         ERR_OK);
        (void)snprintf(key, sizeof key, "top%d_by_length_share_of_failures", q);
        check_digits(key, top.event_share, expected_number(test, key), 1e-12, 0);
        assert_true(top.size_share <= q / 100.0 && top.pei > 0 && top.pei < 1);
        assert_true(fabs(top.pai - top.event_share / top.size_share) < 1e-12);
    }
}

/* statsmodels 0.13.5 fits, scikit-learn 1.2.1 and the reference's own rules score. */
static void pipes_logit(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct val *all =
        expected_json(a, SHARED("reference/failure/pipes_linear.expected.json"));
    const struct val *want = val_get(all, "logit_mle"), *test = val_get(want, "test");
    struct pipes p = pipes_load(a);
    struct model_data d = frame_data(&p.train), held = frame_data(&p.test);
    struct model_fit fit;
    struct err err;
    assert_int_equal(model_glm_fit(&d, MODEL_LOGISTIC, 0, NULL, a, &fit, &err), ERR_OK);
    double got[10], expected[10], got_se[10], expected_se[10];
    for (size_t j = 0; j < 10; j++) {
        got[j] = fit.coef[j].value;
        got_se[j] = fit.coef[j].se;
        expected[j] = expected_number(val_get(want, "coef"), p.train.name[j]);
        expected_se[j] = expected_number(val_get(want, "se"), p.train.name[j]);
    }
    check_all("pipes logit coef", got, expected, 10, 1e-5, 0);
    check_all("pipes logit se", got_se, expected_se, 10, 1e-5, 0);
    check_digits("pipes logit deviance", fit.deviance, expected_number(want, "deviance"), 1e-6, 0);
    double *mu = ARENA_NEW(a, double, held.n_row);
    model_glm_predict(&fit, held.x, held.n_row, NULL, NULL, mu);
    struct model_scores s = scores_of(mu, held.y, held.n_row);
    assert_int_equal(s.flags, 0);
    const struct {
        const char *name;
        double got, rtol;
    } row[] = {{"auc", s.auc, 1e-10},
               {"average_precision", s.average_precision, 1e-6},
               {"brier", s.brier, 1e-7},
               {"log_loss", s.log_loss, 1e-7},
               {"mean_pred", s.mean_predicted, 1e-7},
               {"mean_obs", s.mean_observed, 1e-12},
               {"calibration_slope", s.slope, 1e-5},
               {"calibration_in_the_large", s.in_the_large, 1e-5},
               {"ece_deciles", s.ece, 1e-5},
               {"hosmer_lemeshow_10", s.hosmer_lemeshow, 1e-5}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char label[60];
        (void)snprintf(label, sizeof label, "pipes %s", row[i].name);
        check_digits(label, row[i].got, expected_number(test, row[i].name), row[i].rtol, 0);
    }
    check_tops(mu, &held, p.length, test);
    arena_free(a);
}

static void birthwt_scores(void **state) {
    (void)state;
    struct arena *a = test_arena();
    /* A table by hand: AUC with ties 1/2, of 2 x 3 pairs 4 right and 1 tied. */
    const double chance[] = {0.9, 0.4, 0.4, 0.3, 0.8}, y[] = {1, 1, 0, 0, 0};
    struct model_scores s = scores_of(chance, y, 5);
    assert_true(s.auc == (3 + 1 + 0.5) / 6);
    assert_int_equal(s.flags, MODEL_LESS_THAN_TEN_ROWS);
    /* Precision 1 at recall 1/2, 2/4 at recall 1 (the two at 0.4 together). */
    assert_true(fabs(s.average_precision - 0.75) < 1e-15);
    assert_true(fabs(s.brier - (0.01 + 0.36 + 0.16 + 0.09 + 0.64) / 5) < 1e-15);
    assert_true(fabs(s.brier_reference - 0.24) < 1e-15);
    arena_free(a);
}

static double pair(double positive, double negative) {
    return positive > negative ? 1 : positive == negative ? 0.5 : 0;
}

static double auc_by_definition(const double *score, const uint8_t *y, size_t n) {
    double pairs = 0, right = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            if (y[i] == 0 || y[j] != 0) continue;
            pairs++;
            right += pair(score[i], score[j]);
        }
    return right / pairs;
}

/* Every pair looked at, against the ranks. */
static void auc_by_pairs(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct rng r = rng_new(41, seed);
        enum { N = 60 };
        double score[N];
        uint8_t y[N];
        for (size_t i = 0; i < N; i++) {
            score[i] = rng_below(&r, 12);
            y[i] = i < 2 ? (uint8_t)i : (uint8_t)rng_below(&r, 2);
        }
        double auc;
        struct err err;
        assert_int_equal(model_auc(score, y, N, &auc, &err), ERR_OK);
        assert_true(fabs(auc - auc_by_definition(score, y, N)) < 1e-15);
        for (size_t i = 0; i < N; i++) score[i] = exp(score[i]); /* only the order counts */
        double again;
        assert_int_equal(model_auc(score, y, N, &again, &err), ERR_OK);
        assert_true(again == auc);
    }
}

/* The standard error of a difference of AUCs as DeLong et al. define it, all pairs looked at. */
static double delong_by_definition(const double *a, const double *b, const uint8_t *y, size_t n,
                                   double difference) {
    double part[100] = {0}, m[2] = {0, 0}, s[2] = {0, 0};
    assert_true(n <= 100);
    for (size_t i = 0; i < n; i++) m[y[i] != 0]++;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            if (y[i] == 0 || y[j] != 0) continue;
            double psi = pair(a[i], a[j]) - pair(b[i], b[j]);
            part[i] += psi / m[0];
            part[j] += psi / m[1];
        }
    for (size_t i = 0; i < n; i++) s[y[i] != 0] += (part[i] - difference) * (part[i] - difference);
    return sqrt(s[1] / (m[1] - 1) / m[1] + s[0] / (m[0] - 1) / m[0]);
}

/* DeLong's variance from its definition, and the level of the test on equally good forecasts. */
static void auc_compared(void **state) {
    (void)state;
    enum { N = 80, SETS = 1000 };
    size_t refused = 0;
    struct err err;
    for (uint64_t seed = 0; seed < SETS; seed++) {
        struct rng r = rng_new(42, seed);
        double a[N], b[N];
        uint8_t y[N];
        for (size_t i = 0; i < N; i++) {
            double shared = rng_normal(&r);
            y[i] = i % 4 == 0;
            a[i] = floor(2 * (shared + rng_normal(&r) + y[i]));
            b[i] = shared + rng_normal(&r) + y[i];
            b[i] = floor(2 * b[i]);
        }
        struct model_auc_difference d;
        assert_int_equal(model_auc_compare(a, b, y, N, &d, &err), ERR_OK);
        refused += d.p < 0.05;
        if (seed >= 20) continue;
        assert_true(fabs(d.se - delong_by_definition(a, b, y, N, d.difference)) < 1e-12);
    }
    /* 5 % of 1,000 with four standard errors. */
    printf("auc_compare refuses %zu of %d equal pairs at 5 %%\n", refused, SETS);
    assert_true(refused > 22 && refused < 78);
    const double same[4] = {1, 2, 3, 4};
    const uint8_t few[4] = {1, 0, 1, 0};
    struct model_auc_difference d;
    assert_int_equal(model_auc_compare(same, same, few, 4, &d, &err), ERR_OK);
    assert_true(d.z == 0 && d.p == 1);
    assert_int_equal(model_auc_compare(same, same, few, 2, &d, &err), ERR_NUMERIC);
}

static void named_cases(void **state) {
    (void)state;
    struct err err;
    struct model_scores s;
    double chance[20];
    uint8_t y[20];
    for (size_t i = 0; i < 20; i++) {
        chance[i] = 0.05 * (double)i;
        y[i] = 0;
    }
    assert_int_equal(model_evaluate(chance, y, 20, &s, &err), ERR_OK);
    assert_int_equal(s.flags, MODEL_ONE_OUTCOME);
    assert_true(isnan(s.auc) && isfinite(s.brier));
    y[0] = 1; /* the forecast was 0 */
    assert_int_equal(model_evaluate(chance, y, 20, &s, &err), ERR_OK);
    assert_int_equal(s.flags, MODEL_CERTAIN_AND_WRONG);
    assert_true(isinf(s.log_loss) && isnan(s.slope));
    assert_string_equal(model_score_flag_name(MODEL_CERTAIN_AND_WRONG), "certain_and_wrong");
    y[0] = 0;
    y[19] = y[18] = 1; /* told apart without error */
    assert_int_equal(model_evaluate(chance, y, 20, &s, &err), ERR_OK);
    assert_int_equal(s.flags, MODEL_SLOPE_NOT_FOUND);
    assert_true(s.auc == 1 && isnan(s.slope) && isfinite(s.in_the_large));
    for (size_t i = 0; i < 20; i++) chance[i] = 0.1;
    assert_int_equal(model_evaluate(chance, y, 20, &s, &err), ERR_OK);
    assert_true((s.flags & MODEL_CONSTANT_FORECAST) != 0 && s.auc == 0.5);
    assert_true(fabs(s.in_the_large) < 1e-9);
    chance[3] = 1.5;
    assert_int_equal(model_evaluate(chance, y, 20, &s, &err), ERR_INVALID);
    assert_int_equal(model_evaluate(chance, y, 0, &s, &err), ERR_INVALID);
}

static void tops(void **state) {
    (void)state;
    struct err err;
    struct model_top t;
    const double score[] = {5, 5, 4, 3, 2}, events[] = {0, 2, 1, 0, 1}, size[] = {1, 2, 3, 2, 2};
    /* ceil(0.4 * 5) = 2: the two fives, in the order of rows. */
    assert_int_equal(model_top_by_count(score, events, size, 5, 0.4, &t, &err), ERR_OK);
    assert_int_equal(t.n_taken, 2);
    assert_true(t.events == 2 && t.event_share == 0.5 && t.precision == 0.5);
    assert_true(fabs(t.size_share - 0.3) < 1e-15 && fabs(t.pai - 0.5 / 0.3) < 1e-12);
    /* The best 3 of size: events a size 1, 1/2, 1/3, 0, 0: row 2 (size 2) alone fits, 2 events. */
    assert_true(t.pei == 1);
    assert_int_equal(model_top_by_count(score, events, NULL, 5, 0.2, &t, &err), ERR_OK);
    assert_int_equal(t.n_taken, 1);
    assert_true(t.events == 0 && t.pei == 0 && t.size_share == 0.2);
    /* 0.2 of 10 is 2: the first row has 1, the second would make 3. */
    assert_int_equal(model_top_by_size(score, events, size, 5, 0.2, &t, &err), ERR_OK);
    assert_int_equal(t.n_taken, 1);
    assert_int_equal(model_top_by_size(score, events, size, 5, 0.3, &t, &err), ERR_OK);
    assert_int_equal(t.n_taken, 2);
    assert_int_equal(model_top_by_size(score, events, size, 5, 0.05, &t, &err), ERR_OK);
    assert_true(t.n_taken == 0 && isnan(t.precision) && isnan(t.pai));
    assert_int_equal(model_top_by_count(score, events, size, 5, 0, &t, &err), ERR_INVALID);
    const double none[] = {0, 0, 0, 0, 0}, flat[] = {1, 0, 1, 1, 1};
    assert_int_equal(model_top_by_count(score, none, size, 5, 0.4, &t, &err), ERR_OK);
    assert_true(isnan(t.event_share) && isnan(t.pei));
    assert_int_equal(model_top_by_count(score, events, flat, 5, 0.4, &t, &err), ERR_INVALID);
    double grid[100], hit[100];
    for (size_t i = 0; i < 100; i++) {
        grid[i] = (double)i;
        hit[i] = 1;
    }
    assert_int_equal(model_top_by_count(grid, hit, NULL, 100, 0.07, &t, &err), ERR_OK);
    assert_int_equal(t.n_taken, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipes_logit),  cmocka_unit_test(birthwt_scores),
        cmocka_unit_test(auc_by_pairs), cmocka_unit_test(auc_compared),
        cmocka_unit_test(named_cases),  cmocka_unit_test(tops),
    };
    return cmocka_run_group_tests_name("num/model/evaluate", tests, NULL, NULL);
}
