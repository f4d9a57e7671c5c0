/* Parametric survival against R survival 3.5-3 (shared reference and survival_fixture.h). */
#include "digits.h"
#include "shared_data.h"

#include "base/rng.h"
#include "num/model/parametric.h"
#include "survival_fixture.h"

enum { N = sizeof life_low / sizeof life_low[0] };

struct lives {
    double high[N], x[2 * N];
    uint32_t cluster[N];
    struct model_lifetimes d;
    struct model_aft_spec spec;
};

static void load(struct lives *f) {
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < N; i++) {
        f->high[i] = life_high[i] < 0 ? INFINITY : life_high[i];
        f->x[2 * i] = 1;
        f->x[2 * i + 1] = life_x[i];
        f->cluster[i] = (uint32_t)(i % 13);
    }
    f->d = (struct model_lifetimes){.n = N, .low = life_low, .high = f->high};
    f->spec = (struct model_aft_spec){.data = &f->d, .x = f->x, .p = 2};
}

static struct model_aft fit(struct arena *a, const struct model_aft_spec *s) {
    struct model_aft out;
    struct err err = {0};
    if (model_aft_fit(a, s, NULL, &out, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_true(out.converged);
    return out;
}

static void every_censoring(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct lives f;
    load(&f);
    const struct {
        const char *name;
        enum model_life life;
        const double *expected;
    } row[] = {{"weibull", MODEL_LIFE_WEIBULL, life_weibull},
               {"exponential", MODEL_LIFE_EXPONENTIAL, life_exponential},
               {"lognormal", MODEL_LIFE_LOGNORMAL, life_lognormal},
               {"loglogistic", MODEL_LIFE_LOGLOGISTIC, life_loglogistic}};
    for (size_t k = 0; k < 4; k++) {
        f.spec.life = row[k].life;
        struct model_aft m = fit(a, &f.spec);
        bool held = row[k].life == MODEL_LIFE_EXPONENTIAL;
        double v[8] = {m.coef[0].coef, m.coef[1].coef, log(m.scale), m.coef[0].se, m.coef[1].se};
        size_t n = 5;
        if (!held) v[n++] = m.log_scale_se;
        v[n++] = m.loglik_null;
        v[n++] = m.loglik;
        char name[64];
        (void)snprintf(name, sizeof name, "%s with every censoring", row[k].name);
        check_all(name, v, row[k].expected, n, 1e-5, 1e-12);
    }
    assert_int_equal(f.d.n, 26);
    f.spec.life = MODEL_LIFE_WEIBULL;
    f.d.cluster = f.cluster;
    struct model_aft m = fit(a, &f.spec);
    check_digits("weibull sandwich", m.coef[1].robust_se, life_sandwich[1], 1e-6, 0);
    check_digits("weibull sandwich 0", m.coef[0].robust_se, life_sandwich[0], 1e-6, 0);
    assert_int_equal(m.n_exact + m.n_right + m.n_left + m.n_interval, N);
    assert_int_equal(m.n_left, 2);
    double low[N], high[N], x[2 * N];
    uint32_t cluster[N];
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        if (life_low[i] != f.high[i] && !isinf(f.high[i])) continue;
        low[n] = life_low[i];
        high[n] = f.high[i];
        x[2 * n] = 1;
        x[2 * n + 1] = life_x[i];
        cluster[n++] = f.cluster[i];
    }
    f.d = (struct model_lifetimes){.n = n, .low = low, .high = high, .cluster = cluster};
    f.spec.x = x;
    m = fit(a, &f.spec);
    check_digits("weibull robust se 0", m.coef[0].robust_se, life_robust[0], 1e-5, 0);
    check_digits("weibull robust se 1", m.coef[1].robust_se, life_robust[1], 1e-5, 0);
    arena_free(a);
}

static void late_entry(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct lives f;
    load(&f);
    f.d.entry = life_entry;
    struct model_aft m = fit(a, &f.spec);
    double v[7] = {m.coef[0].coef, m.coef[1].coef, log(m.scale), m.coef[0].se,
                   m.coef[1].se,   m.log_scale_se, m.loglik};
    check_all("late entry coef", v, life_late, 3, 1e-5, 0);
    check_all("late entry se", v + 3, life_late + 3, 3, 1e-3, 0); /* R's are by differences */
    check_digits("late entry loglik", m.loglik, life_late[6], 1e-9, 0);
    /* An exponential life with late entry is events over time watched, exactly. */
    double low[6] = {4, 9, 3, 8, 6, 10}, high[6] = {4, 9, 3, INFINITY, 6, INFINITY};
    double entry[6] = {1, 5, 0, 2, 4, 7}, one[6] = {1, 1, 1, 1, 1, 1};
    struct model_lifetimes d = {.n = 6, .low = low, .high = high, .entry = entry};
    struct model_aft_spec s = {.data = &d, .x = one, .p = 1, .life = MODEL_LIFE_EXPONENTIAL};
    m = fit(a, &s);
    check_digits("exponential rate", exp(-m.coef[0].coef), 4.0 / 21, 1e-12, 0);
    check_digits("exponential se", m.coef[0].se, 0.5, 1e-9, 0);
    arena_free(a);
}

static void genfan_and_lung(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct table *t = shared_table(a, SHARED("reference/failure/genfan.csv"));
    double *low = shared_column(a, t, "hours"), *status = shared_column(a, t, "status");
    double *high = ARENA_NEW(a, double, 1000), *x = ARENA_NEW(a, double, 4000);
    for (size_t i = 0; i < t->n_row; i++) {
        high[i] = status[i] > 0 ? low[i] : INFINITY;
        x[i] = 1;
    }
    struct model_lifetimes d = {.n = t->n_row, .low = low, .high = high};
    struct model_aft_spec s = {.data = &d, .x = x, .p = 1};
    struct model_aft m = fit(a, &s);
    check_digits("genfan weibull coef", m.coef[0].coef, 10.1772042556182, 1e-5, 0);
    check_digits("genfan weibull se", m.coef[0].se, 0.465889661028611, 1e-5, 0);
    check_digits("genfan weibull scale", m.scale, 0.944781445403632, 1e-5, 0);
    check_digits("genfan weibull log scale se", m.log_scale_se, 0.253438535076645, 1e-5, 0);
    check_digits("genfan weibull loglik", m.loglik, -135.152719943356, 1e-6, 0);
    s.life = MODEL_LIFE_EXPONENTIAL;
    m = fit(a, &s);
    check_digits("genfan exponential coef", m.coef[0].coef, 10.2647685389872, 1e-5, 0);
    check_digits("genfan exponential se", m.coef[0].se, 0.288675134589775, 1e-5, 0);
    check_digits("genfan exponential loglik", m.loglik, -135.177222468265, 1e-6, 0);
    t = shared_table(a, SHARED("reference/failure/lung.csv"));
    const double *col[3] = {shared_column(a, t, "age"), shared_column(a, t, "sex"),
                            shared_column(a, t, "ph.ecog")};
    low = shared_column(a, t, "time");
    status = shared_column(a, t, "event");
    for (size_t i = 0; i < t->n_row; i++) {
        high[i] = status[i] > 0 ? low[i] : INFINITY;
        x[4 * i] = 1;
        for (size_t j = 0; j < 3; j++) x[4 * i + j + 1] = col[j][i];
    }
    d = (struct model_lifetimes){.n = t->n_row, .low = low, .high = high};
    s = (struct model_aft_spec){.data = &d, .x = x, .p = 4};
    m = fit(a, &s);
    static const double coef[4] = {6.38803900489141, -0.00901844234138041, 0.406163237920071,
                                   -0.328048284326913};
    static const double se[4] = {0.466468847820234, 0.00697770885804722, 0.126840770454852,
                                 0.0858918758898224};
    double b[4], e[4];
    for (size_t j = 0; j < 4; j++) b[j] = m.coef[j].coef, e[j] = m.coef[j].se;
    check_all("lung weibull coef", b, coef, 4, 1e-5, 0);
    check_all("lung weibull se", e, se, 4, 1e-5, 0);
    check_digits("lung weibull scale", m.scale, 0.718263199603414, 1e-5, 0);
    check_digits("lung weibull log scale se", m.log_scale_se, 0.0639356737705339, 1e-5, 0);
    check_digits("lung weibull loglik", m.loglik, -1048.35988586801, 1e-6, 0);
    arena_free(a);
}

/* Survivors only (late entry) with the truth known: leaving the entry out makes lives too long,
 * with it they come back. */
static void late_entry_matters(void **state) {
    (void)state;
    struct arena *a = test_arena();
    enum { M = 3000 };
    double *low = ARENA_NEW(a, double, M), *high = ARENA_NEW(a, double, M);
    double *entry = ARENA_NEW(a, double, M), *one = ARENA_NEW(a, double, M);
    struct rng r = rng_new(3, 0);
    for (size_t i = 0; i < M;) {
        double t = 50 * pow(rng_exp(&r), 0.5), e = 60 * rng_unit(&r);
        if (t <= e) continue;
        double end = e + 15;
        entry[i] = e;
        low[i] = t < end ? t : end;
        high[i] = t < end ? t : INFINITY;
        one[i++] = 1;
    }
    struct model_lifetimes d = {.n = M, .low = low, .high = high, .entry = entry};
    struct model_aft_spec s = {.data = &d, .x = one, .p = 1};
    struct model_aft with = fit(a, &s);
    d.entry = NULL;
    struct model_aft without = fit(a, &s);
    printf("life 50, scale 0.5: found %.1f, %.3f; without entry %.1f, %.3f\n",
           exp(with.coef[0].coef), with.scale, exp(without.coef[0].coef), without.scale);
    assert_true(fabs(with.coef[0].coef - log(50)) < 4 * with.coef[0].se);
    assert_true(fabs(log(with.scale / 0.5)) < 4 * with.log_scale_se);
    assert_true(without.coef[0].coef - log(50) > 4 * without.coef[0].se);
    arena_free(a);
}

static void functions(void **state) {
    (void)state;
    for (int k = MODEL_LIFE_WEIBULL; k <= MODEL_LIFE_LOGLOGISTIC; k++) {
        double t = model_life_quantile((enum model_life)k, k == 1 ? 1 : 0.6, 1.3, 0.2);
        double s = model_life_log_survival((enum model_life)k, k == 1 ? 1 : 0.6, 1.3, t);
        check_digits("quantile", exp(s), 0.8, 1e-10, 0);
        assert_true(model_life_chance((enum model_life)k, 1, 1, 2, 2) == 0);
    }
    check_digits("chance", model_life_chance(MODEL_LIFE_EXPONENTIAL, 1, 0, 1, 2), 1 - exp(-1),
                 1e-14, 0);
    check_digits("far tail", model_life_log_survival(MODEL_LIFE_LOGNORMAL, 1, 0, exp(40.0)),
                 -804.608442013754, 1e-9, 0);
}

static void refuses_and_names(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct lives f;
    struct model_aft m;
    struct err err = {0};
    load(&f);
    f.high[3] = 1;
    assert_int_equal(model_aft_fit(a, &f.spec, NULL, &m, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "row 4"));
    load(&f);
    for (size_t i = 0; i < N; i++) f.high[i] = INFINITY;
    assert_int_equal(model_aft_fit(a, &f.spec, NULL, &m, &err), ERR_NUMERIC);
    load(&f);
    double x[3 * N];
    for (size_t i = 0; i < N; i++) {
        x[3 * i] = 1;
        x[3 * i + 1] = life_x[i];
        x[3 * i + 2] = 2 - 5 * life_x[i];
    }
    f.spec.x = x;
    f.spec.p = 3;
    m = fit(a, &f.spec);
    assert_int_equal(m.rank, 2);
    assert_true(m.coef[2].aliased);
    check_digits("aliased coef", m.coef[1].coef, life_weibull[1], 1e-5, 0);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_censoring), cmocka_unit_test(late_entry),
        cmocka_unit_test(genfan_and_lung), cmocka_unit_test(late_entry_matters),
        cmocka_unit_test(functions),       cmocka_unit_test(refuses_and_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
