#include "model_frame.h"

#include "base/pool.h"
#include "base/rng.h"
#include "num/model/negbin.h"

#define FAILURE SHARED("reference/failure/")

static struct model_fit fitted(const struct model_data *d, enum model_family family,
                               struct arena *a) {
    struct model_fit fit;
    struct err err;
    enum err_code rc = family == MODEL_NEGATIVE_BINOMIAL
                           ? model_negbin_fit(d, NULL, a, &fit, &err)
                           : model_glm_fit(d, family, 0, NULL, a, &fit, &err);
    if (rc != ERR_OK) fail_msg("%s", err.detail);
    return fit;
}

static struct frame ships(struct arena *a) {
    const struct table *t = shared_table(a, FAILURE "ships.csv");
    const double *service = shared_column(a, t, "service"), *y = shared_column(a, t, "incidents");
    static const char *const types[] = {"B", "C", "D", "E"}, *const years[] = {"65", "70", "75"};
    static const char *const names[] = {"typeB",  "typeC",  "typeD",  "typeE",
                                        "year65", "year70", "year75", "period75"};
    const double *col[8];
    for (size_t k = 0; k < 4; k++) col[k] = level_of(a, t, "type", types[k]);
    for (size_t k = 0; k < 3; k++) col[4 + k] = level_of(a, t, "year", years[k]);
    col[7] = level_of(a, t, "period", "75");
    struct frame f = frame_new(a, t->n_row);
    f.offset = ARENA_NEW(a, double, t->n_row);
    f.n = 0;
    f.p = 9;
    f.name[0] = "(Intercept)";
    for (size_t k = 0; k < 8; k++) f.name[k + 1] = names[k];
    for (size_t i = 0; i < t->n_row; i++) {
        if (service[i] == 0) continue;
        f.y[f.n] = y[i];
        f.offset[f.n] = log(service[i]);
        f.x[f.n * 16] = 1;
        for (size_t k = 0; k < 8; k++) f.x[f.n * 16 + k + 1] = col[k][i];
        f.n++;
    }
    return f;
}

static void ships_poisson(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct val *all = expected_json(a, FAILURE "expected_r.json");
    const struct val *want = val_get(all, "ships_poisson");
    struct frame f = ships(a);
    struct model_data d = frame_data(&f);
    struct model_fit fit = fitted(&d, MODEL_POISSON, a);
    assert_int_equal(fit.flags, 0);
    assert_int_equal(fit.n_used, 34);
    check_coefficients("ships poisson", &fit, val_get(want, "coef"));
    check_digits("ships deviance", fit.deviance, expected_number(want, "deviance"), 1e-6, 0);
    check_digits("ships null_deviance", fit.null_deviance, expected_number(want, "null_deviance"),
                 1e-6, 0);
    check_digits("ships aic", fit.aic, expected_number(want, "aic"), 1e-6, 0);
    check_digits("ships loglik", fit.log_likelihood, expected_number(want, "loglik"), 1e-6, 0);
    check_digits("ships dispersion", fit.dispersion, expected_number(want, "pearson_dispersion"),
                 1e-5, 0);
    assert_int_equal(fit.df_residual, 25);
    assert_int_equal(fit.df_null, 33);
    struct model_fit quasi = fitted(&d, MODEL_QUASI_POISSON, a);
    check_coefficients("ships quasi-poisson", &quasi,
                       val_get(val_get(all, "ships_quasipoisson"), "coef"));
    assert_true(isnan(quasi.log_likelihood) && isnan(quasi.aic));
    /* R 4.2.2: summary(glm(..., family = quasipoisson))$coef[1:4, 4], vcov(glm(...poisson))[1, 1:4]
     */
    const double p_r[] = {3.5094874510819e-18, 0.0268079340864917, 0.120723933843757,
                          0.842303383320233};
    const double cov_r[] = {0.047281939341897, -0.0313338521637102, -0.0270722515872163,
                            -0.0234150867682645};
    double p[4];
    for (size_t j = 0; j < 4; j++) p[j] = quasi.coef[j].p;
    check_all("ships quasi p", p, p_r, 4, 1e-5, 0);
    check_all("ships covariance", fit.covariance, cov_r, 4, 1e-5, 0);
    arena_free(a);
}

/* R 4.2.2: residuals(), hatvalues() of the same fit; Anscombe from its formula; the tests of
 * overdispersion by lm of ((y - mu)^2 - y) / mu on 1 and on mu. */
static void ships_checks(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct frame f = ships(a);
    struct model_data d = frame_data(&f);
    struct model_fit fit = fitted(&d, MODEL_POISSON, a);
    double r[40];
    struct err err;
    const double deviance[] = {-0.64772850316963,  -0.552900982888772, -0.341948521894518,
                               -0.604853545842932, 0.140820510932091,  -0.103220121697639};
    const double pearson[] = {-0.458013216959058, -0.390960034325358, -0.331561812512683,
                              -0.577833292574231, 0.142202789371827,  -0.10280578424918};
    const double anscombe[] = {-0.687019825438586, -0.586440051488037, -0.342004874865557,
                               -0.605076696160723, 0.140822724522877,  -0.103220401367399};
    const double hat[] = {0.00991862116225951, 0.0076660343244002, 0.138595176251904,
                          0.196224111413846,   0.200915573510116,  0.512191754624526};
    assert_int_equal(model_glm_residuals(&d, &fit, MODEL_DEVIANCE, r, &err), ERR_OK);
    check_all("ships deviance residuals", r, deviance, 6, 1e-6, 0);
    assert_int_equal(model_glm_residuals(&d, &fit, MODEL_PEARSON, r, &err), ERR_OK);
    check_all("ships pearson residuals", r, pearson, 6, 1e-6, 0);
    assert_int_equal(model_glm_residuals(&d, &fit, MODEL_ANSCOMBE, r, &err), ERR_OK);
    check_all("ships anscombe residuals", r, anscombe, 6, 1e-6, 0);
    assert_int_equal(model_glm_residuals(&d, &fit, MODEL_RESPONSE, r, &err), ERR_OK);
    assert_true(fabs(r[0] - (0 - 0.209776106909185)) < 1e-8);
    check_all("ships leverage", fit.leverage, hat, 6, 1e-6, 0);
    struct model_overdispersion o;
    assert_int_equal(model_overdispersion_test(&d, &fit, &o, &err), ERR_OK);
    const double got[] = {o.alpha_linear, o.z_linear, o.alpha_quadratic, o.z_quadratic};
    const double want[] = {0.31393083583025, 0.921603955306265, -0.0112001427181248,
                           -0.613135689647483};
    check_all("ships overdispersion", got, want, 4, 1e-6, 0);
    assert_true(o.p_linear > 0.17 && o.p_linear < 0.19);
    /* R: glm(incidents ~ 0 + type + offset(log(service))) */
    struct frame g = f;
    g.p = 5;
    g.name[0] = "typeA";
    for (size_t i = 0; i < g.n; i++)
        for (size_t j = 1; j < 5; j++) g.x[i * 16] -= g.x[i * 16 + j];
    d = frame_data(&g);
    fit = fitted(&d, MODEL_POISSON, a);
    double coef[5];
    for (size_t j = 0; j < 5; j++) coef[j] = fit.coef[j].value;
    const double no_intercept[] = {-5.42021889369039, -6.30391394255697, -6.24626825115006,
                                   -5.5660968067033, -5.07731994814224};
    check_all("ships no intercept", coef, no_intercept, 5, 1e-8, 0);
    check_digits("ships no intercept null deviance", fit.null_deviance, 322217.704231282, 1e-8, 0);
    assert_int_equal(fit.df_null, 34);
    arena_free(a);
}

static struct frame epil(struct arena *a, bool interaction) {
    const struct table *t = shared_table(a, FAILURE "epil.csv");
    struct frame f = frame_new(a, t->n_row);
    const double *lbase = shared_column(a, t, "lbase"), *age = shared_column(a, t, "age");
    const double *treated = level_of(a, t, "trt", "progabide"), *v4 = shared_column(a, t, "V4");
    double *both = ARENA_NEW(a, double, t->n_row), *log_age = ARENA_NEW(a, double, t->n_row);
    f.y = shared_column(a, t, "y");
    for (size_t i = 0; i < t->n_row; i++) {
        both[i] = lbase[i] * treated[i];
        log_age[i] = log(age[i]);
    }
    frame_add(&f, "(Intercept)", NULL);
    frame_add(&f, "lbase", lbase);
    if (interaction) {
        frame_add(&f, "trtprogabide", treated);
        frame_add(&f, "log(age)", log_age);
    }
    frame_add(&f, "V4", v4);
    if (interaction) frame_add(&f, "lbase:trtprogabide", both);
    return f;
}

static void epil_negbin(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct val *want = val_get(expected_json(a, FAILURE "expected_r.json"), "epil_nb");
    struct frame f = epil(a, true);
    struct model_data d = frame_data(&f);
    struct model_fit fit = fitted(&d, MODEL_NEGATIVE_BINOMIAL, a);
    assert_int_equal(fit.flags, 0);
    check_coefficients("epil nb", &fit, val_get(want, "coef"));
    check_digits("epil theta", fit.theta, expected_number(want, "theta"), 1e-5, 0);
    check_digits("epil theta_se", fit.theta_se, expected_number(want, "theta_se"), 1e-5, 0);
    check_digits("epil twologlik", 2 * fit.log_likelihood, expected_number(want, "twologlik"), 1e-6,
                 0);
    /* R 4.2.2, MASS 7.3-58.2 with epsilon 1e-14; Anscombe by integrate(). */
    check_digits("epil deviance", fit.deviance, 267.02963397762, 1e-6, 0);
    check_digits("epil null_deviance", fit.null_deviance, 607.607290627676, 1e-6, 0);
    check_digits("epil aic", fit.aic, 1308.35777287975, 1e-6, 0);
    const double anscombe[] = {0.409159112933833, -0.249242086582529, -0.249242086582529,
                               -0.06995377453926, -0.227456814854014, 0.434094591367006};
    const double deviance[] = {0.409344930901354,   -0.24928617384893,  -0.24928617384893,
                               -0.0699546884047559, -0.227490069377259, 0.434315024649421};
    double r[300];
    struct err err;
    assert_int_equal(model_glm_residuals(&d, &fit, MODEL_ANSCOMBE, r, &err), ERR_OK);
    check_all("epil anscombe residuals", r, anscombe, 6, 1e-5, 0);
    assert_int_equal(model_glm_residuals(&d, &fit, MODEL_DEVIANCE, r, &err), ERR_OK);
    check_all("epil deviance residuals", r, deviance, 6, 1e-5, 0);
    /* R: glm(y ~ lbase + V4, family = negative.binomial(2), weights = 1 + seq_along(y) %% 2) */
    f = epil(a, false);
    f.weight = ARENA_NEW(a, double, f.n);
    for (size_t i = 0; i < f.n; i++) f.weight[i] = 1 + (double)((i + 1) % 2);
    d = frame_data(&f);
    assert_int_equal(model_glm_fit(&d, MODEL_NEGATIVE_BINOMIAL, 2, NULL, a, &fit, &err), ERR_OK);
    const double fixed[] = {-0.0680441695754818, 1.05057798968195,   -0.138090680153006,
                            0.124952274779711,   0.0603674194319531, 0.120314153843758,
                            367.867251141414,    763.550189494905};
    const double got[] = {fit.coef[0].value, fit.coef[1].value, fit.coef[2].value,
                          fit.coef[0].se,    fit.coef[1].se,    fit.coef[2].se,
                          fit.deviance,      fit.null_deviance};
    check_all("epil fixed theta", got, fixed, 8, 1e-6, 0);
    arena_free(a);
}

static struct frame birthwt(struct arena *a) {
    const struct table *t = shared_table(a, FAILURE "birthwt.csv");
    struct frame f = frame_new(a, t->n_row);
    f.y = shared_column(a, t, "low");
    frame_add(&f, "(Intercept)", NULL);
    frame_add(&f, "age", shared_column(a, t, "age"));
    frame_add(&f, "lwt", shared_column(a, t, "lwt"));
    frame_add(&f, "raceblack", level_of(a, t, "race", "black"));
    frame_add(&f, "raceother", level_of(a, t, "race", "other"));
    static const char *const rest[] = {"smoke", "ptd", "ht", "ui"};
    for (size_t k = 0; k < 4; k++) frame_add(&f, rest[k], shared_column(a, t, rest[k]));
    return f;
}

static void birthwt_logistic(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct val *want = val_get(expected_json(a, FAILURE "expected_r.json"), "birthwt_logit");
    struct frame f = birthwt(a);
    struct model_data d = frame_data(&f);
    struct model_fit fit = fitted(&d, MODEL_LOGISTIC, a);
    check_coefficients("birthwt logit", &fit, val_get(want, "coef"));
    check_digits("birthwt deviance", fit.deviance, expected_number(want, "deviance"), 1e-6, 0);
    check_digits("birthwt aic", fit.aic, expected_number(want, "aic"), 1e-6, 0);
    double brier = 0;
    for (size_t i = 0; i < f.n; i++)
        brier += (f.y[i] - fit.fitted[i]) * (f.y[i] - fit.fitted[i]) / (double)f.n;
    check_digits("birthwt brier", brier, expected_number(want, "brier"), 1e-6, 0);
    double eta[200], mu[200];
    model_glm_predict(&fit, d.x, d.n_row, NULL, eta, mu);
    check_all("birthwt predicted", mu, fit.fitted, d.n_row, 1e-12, 0);
    check_all("birthwt linear", eta, fit.linear, d.n_row, 1e-10, 1e-12);
    arena_free(a);
}

/* R 4.2.2: glm(low ~ lwt + race + smoke + offset((age - 20) / 50), weights = 1 + 1:n %% 3) */
static void birthwt_weighted(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct frame all = birthwt(a), f = frame_new(a, all.n);
    f.y = all.y;
    f.offset = ARENA_NEW(a, double, f.n);
    f.weight = ARENA_NEW(a, double, f.n);
    static const size_t columns[] = {0, 2, 3, 4, 5};
    f.p = 5;
    for (size_t j = 0; j < 5; j++) f.name[j] = all.name[columns[j]];
    for (size_t i = 0; i < f.n; i++) {
        for (size_t j = 0; j < 5; j++) f.x[i * 16 + j] = all.x[i * 16 + columns[j]];
        f.offset[i] = (all.x[i * 16 + 1] - 20) / 50;
        f.weight[i] = 1 + (double)((i + 1) % 3);
    }
    struct model_data d = frame_data(&f);
    struct model_fit fit = fitted(&d, MODEL_LOGISTIC, a);
    const double want[3][5] = {{0.251243583073994, -0.0156265725381398, 0.886072699149838,
                                0.818811580464675, 1.03018233570867},
                               {0.629652740901181, 0.00457870503438498, 0.364614418195147,
                                0.283250171993388, 0.261208807621478},
                               {0.689878998441713, 0.000642801525654923, 0.0150920074262521,
                                0.003842971842078, 8.01659208749423e-05}};
    double got[3][5], r[200];
    for (size_t j = 0; j < 5; j++) {
        got[0][j] = fit.coef[j].value;
        got[1][j] = fit.coef[j].se;
        got[2][j] = fit.coef[j].p;
    }
    check_all("weighted coef", got[0], want[0], 5, 1e-8, 0);
    check_all("weighted se", got[1], want[1], 5, 1e-8, 0);
    check_all("weighted p", got[2], want[2], 5, 1e-7, 0);
    check_digits("weighted deviance", fit.deviance, 436.3862870883, 1e-10, 0);
    check_digits("weighted null_deviance", fit.null_deviance, 474.964762475749, 1e-10, 0);
    check_digits("weighted loglik", fit.log_likelihood, -218.19314354415, 1e-10, 0);
    const double pearson[] = {-0.596434190512191, -1.00327972095165, -0.835535786973998,
                              -1.16585139657126, -1.39653961442354};
    const double deviance[] = {-0.809209655883535, -1.31755062421312, -1.02909842773995,
                               -1.44022011039027, -1.73350601446024};
    const double anscombe[] = {-0.865371383463845, -1.41794818505741, -1.12113401391495,
                               -1.56814333360433, -1.88576973602656};
    struct err err;
    assert_int_equal(model_glm_residuals(&d, &fit, MODEL_PEARSON, r, &err), ERR_OK);
    check_all("weighted pearson residuals", r, pearson, 5, 1e-7, 0);
    assert_int_equal(model_glm_residuals(&d, &fit, MODEL_DEVIANCE, r, &err), ERR_OK);
    check_all("weighted deviance residuals", r, deviance, 5, 1e-7, 0);
    assert_int_equal(model_glm_residuals(&d, &fit, MODEL_ANSCOMBE, r, &err), ERR_OK);
    check_all("weighted anscombe residuals", r, anscombe, 5, 1e-7, 0);
    arena_free(a);
}

/* R 4.2.2: glm(cbind(c(3,5,9,1), c(7,5,1,19)) ~ c(1,2,3,0), binomial): shares with trials; the row
 * of weight 0 changes nothing and is predicted. */
static void shares_of_trials(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const double x[] = {1, 1, 1, 2, 1, 3, 1, 0, 1, 10}, y[] = {0.3, 0.5, 0.9, 0.05, -7};
    const double weight[] = {10, 10, 10, 20, 0};
    static const char *const name[] = {"(Intercept)", "dose"};
    struct model_data d = {5, 2, x, name, y, NULL, weight};
    struct model_fit fit = fitted(&d, MODEL_LOGISTIC, a);
    const double want[] = {-2.75827861688104, 1.54720786528621,  0.741672848975029,
                           0.403900940744464, 0.676154821255545, 24.8193206254095};
    const double got[] = {fit.coef[0].value, fit.coef[1].value, fit.coef[0].se,
                          fit.coef[1].se,    fit.deviance,      fit.null_deviance};
    check_all("shares", got, want, 6, 1e-7, 0);
    assert_int_equal(fit.df_residual, 2);
    assert_true(fabs(fit.linear[4] - (want[0] + 10 * want[1])) < 1e-6);
    arena_free(a);
}

/* A column that does nothing: its p is uniform (chi-square over ten bins, 2,000 tables). */
static void uniform_under_the_null(void **state) {
    (void)state;
    enum { SETS = 2000, N = 300 };
    static const enum model_family family[] = {MODEL_LOGISTIC, MODEL_POISSON};
    static const char *const name[] = {"(Intercept)", "x1", "x2"};
    for (size_t k = 0; k < 2; k++) {
        double count[10] = {0}, chi = 0;
        for (uint64_t seed = 0; seed < SETS; seed++) {
            struct arena *a = test_arena();
            struct rng r = rng_new(91 + k, seed);
            double x[N * 3], y[N];
            for (size_t i = 0; i < N; i++) {
                x[3 * i] = 1;
                x[3 * i + 1] = rng_normal(&r);
                x[3 * i + 2] = rng_normal(&r) + 0.5 * x[3 * i + 1];
                double eta = 0.4 * x[3 * i + 1];
                y[i] = k == 0 ? rng_unit(&r) < 1 / (1 + exp(-eta)) : rng_poisson(&r, exp(eta));
            }
            struct model_data d = {N, 3, x, name, y, NULL, NULL};
            struct model_fit fit = fitted(&d, family[k], a);
            count[(size_t)fmin(9, floor(10 * fit.coef[2].p))]++;
            arena_free(a);
        }
        for (size_t b = 0; b < 10; b++)
            chi += (count[b] - SETS / 10.0) * (count[b] - SETS / 10.0) / (SETS / 10.0);
        printf("%s: chi-square %.1f on 9 of p under the null\n", k == 0 ? "logistic" : "poisson",
               chi);
        assert_true(chi < 27.9); /* 1 in 1,000 */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ships_poisson),
        cmocka_unit_test(ships_checks),
        cmocka_unit_test(epil_negbin),
        cmocka_unit_test(birthwt_logistic),
        cmocka_unit_test(birthwt_weighted),
        cmocka_unit_test(shares_of_trials),
        cmocka_unit_test(uniform_under_the_null),
    };
    return cmocka_run_group_tests_name("num/model/glm", tests, NULL, NULL);
}
