/* Cox's model against R survival 3.5-3 (shared reference and survival_fixture.h), and what has to
 * be named: ties, aliased columns, monotone likelihood. */
#include "digits.h"
#include "shared_data.h"

#include "base/rng.h"
#include "num/model/cox.h"
#include "survival_fixture.h"

struct fixture {
    struct model_survival d;
    unsigned char event[FIXTURE_N];
    uint32_t id[FIXTURE_N], stratum[FIXTURE_N];
    double x[2 * FIXTURE_N], gap[FIXTURE_N];
    struct model_cox_spec spec;
};

static void load(struct fixture *f) {
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < FIXTURE_N; i++) {
        f->event[i] = fixture_event[i] > 0;
        f->id[i] = (uint32_t)fixture_id[i];
        f->stratum[i] = (uint32_t)fixture_st[i];
        f->x[2 * i] = fixture_x1[i];
        f->x[2 * i + 1] = fixture_x2[i];
        f->gap[i] = fixture_stop[i] - fixture_start[i];
    }
    f->d = (struct model_survival){
        .n = FIXTURE_N, .start = fixture_start, .stop = fixture_stop, .event = f->event};
    f->spec = (struct model_cox_spec){.data = &f->d, .x = f->x, .p = 2};
}

static struct model_cox fit(struct arena *a, const struct model_cox_spec *s) {
    struct model_cox out;
    struct err err = {0};
    if (model_cox_fit(a, s, NULL, &out, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_true(out.converged);
    assert_false(out.any_monotone);
    return out;
}

static void check_fit(const char *what, const struct model_cox *m, const double *coef,
                      const double *se, const double *robust, const double *loglik,
                      double concordance) {
    double b[2], s[2], r[2], ll[2] = {m->loglik_null, m->loglik};
    char name[64];
    for (size_t j = 0; j < 2; j++) {
        b[j] = m->coef[j].coef;
        s[j] = m->coef[j].se;
        r[j] = m->coef[j].robust_se;
    }
    (void)snprintf(name, sizeof name, "%s coef", what);
    check_all(name, b, coef, 2, 1e-6, 0);
    (void)snprintf(name, sizeof name, "%s se", what);
    check_all(name, s, se, 2, 1e-6, 0);
    (void)snprintf(name, sizeof name, "%s loglik", what);
    check_all(name, ll, loglik, 2, 1e-9, 0);
    (void)snprintf(name, sizeof name, "%s concordance", what);
    check_digits(name, m->concordance, concordance, 1e-12, 0);
    if (robust == NULL) return;
    assert_true(m->robust);
    (void)snprintf(name, sizeof name, "%s robust_se", what);
    check_all(name, r, robust, 2, 1e-6, 0);
}

static void andersen_gill(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct fixture f;
    load(&f);
    f.d.cluster = f.id;
    struct model_cox m = fit(a, &f.spec);
    check_fit("ag", &m, ag_coef, ag_se, ag_robust, ag_loglik, ag_concordance[0]);
    check_all("ag martingale", m.martingale, ag_martingale, 6, 1e-6, 0);
    assert_int_equal(m.n_clusters, 20);
    assert_true(m.n_tied > 0);
    double sum = 0;
    for (size_t i = 0; i < m.n; i++) sum += m.martingale[i];
    assert_true(fabs(sum) < 1e-10);
    struct model_ph_test ph;
    assert_int_equal(model_cox_ph_test(a, &f.spec, &m, NULL, 0, &ph, NULL), ERR_OK);
    check_all("ag zph", ph.chisq, ag_zph, 3, 1e-6, 0);
    f.d.weight = fixture_w;
    m = fit(a, &f.spec);
    check_fit("ag weighted", &m, agw_coef, agw_se, agw_robust, agw_loglik, agw_concordance[0]);
    arena_free(a);
}

static void strata_and_gaps(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct fixture f;
    load(&f);
    f.d.stratum = f.stratum;
    f.d.cluster = f.id;
    f.spec.ties = MODEL_TIES_BRESLOW;
    struct model_cox m = fit(a, &f.spec);
    check_fit("strata breslow", &m, strat_coef, strat_se, strat_robust, strat_loglik,
              strat_concordance[0]);
    f.d.cluster = NULL;
    f.d.weight = fixture_w;
    f.spec.ties = MODEL_TIES_EFRON;
    m = fit(a, &f.spec);
    check_fit("strata efron weighted", &m, weighted_coef, weighted_se, NULL, weighted_loglik,
              weighted_concordance[0]);
    load(&f);
    for (size_t i = 0; i < FIXTURE_N; i++) f.stratum[i] = (uint32_t)fixture_num[i];
    f.d.start = NULL;
    f.d.stop = f.gap;
    f.d.stratum = f.stratum;
    f.d.cluster = f.id;
    m = fit(a, &f.spec);
    check_fit("pwp", &m, pwp_coef, pwp_se, pwp_robust, pwp_loglik, pwp_concordance[0]);
    double last[3] = {0};
    for (size_t k = 0; k < m.n_base; k++) last[m.base[k].stratum - 1] = m.base[k].cumulative;
    check_all("pwp baseline", last, pwp_base, 3, 1e-6, 0);
    struct model_ph_test ph;
    assert_int_equal(model_cox_ph_test(a, &f.spec, &m, NULL, 0, &ph, NULL), ERR_OK);
    check_all("pwp zph", ph.chisq, pwp_zph, 3, 1e-6, 0);
    check_digits("pwp expected", model_cox_expected(m.base, m.n_base, 2, 0, 1000, 0), pwp_base[1],
                 1e-6, 0);
    arena_free(a);
}

/* reference/failure/expected_r.json, lung_cox_efron and lung_cox_breslow. */
static void lung(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct table *t = shared_table(a, SHARED("reference/failure/lung.csv"));
    static const char *const names[] = {"age", "sex", "ph.ecog", "wt.loss"};
    static const double coef[2][4] = {
        {0.0133690944875607, -0.590774529232202, 0.515111089182085, -0.00900605171180032},
        {0.0133397427320387, -0.590049010915721, 0.514033479430935, -0.00897394863316468}};
    static const double se[2][4] = {
        {0.00962767157428824, 0.175339385975818, 0.125988275419561, 0.00665758506726337},
        {0.00962732154645346, 0.175347639543355, 0.125977848078841, 0.00665687778463374}};
    static const double ll[2][2] = {{-675.024373318332, -659.514098530463},
                                    {-675.212679467984, -659.754225162479}};
    static const double tests[2][2] = {{31.0205495757375, 30.6456158115626},
                                       {30.9169086110096, 30.5426890479096}};
    static const double wald[2] = {29.94, 29.84}, conc[2] = {0.646705882352941, 0.646588235294118};
    static const double ph_chisq[5] = {0.435286120404046, 2.6731255591119, 1.63550787411773,
                                       0.0457076276989461, 4.75157843327877};
    double *x = ARENA_NEW(a, double, t->n_row * 4), *event = shared_column(a, t, "event");
    unsigned char *dead = ARENA_NEW(a, unsigned char, t->n_row);
    for (size_t j = 0; j < 4; j++) {
        double *c = shared_column(a, t, names[j]);
        for (size_t i = 0; i < t->n_row; i++) x[4 * i + j] = c[i];
    }
    for (size_t i = 0; i < t->n_row; i++) dead[i] = event[i] > 0;
    struct model_survival d = {.n = t->n_row, .stop = shared_column(a, t, "time"), .event = dead};
    for (size_t k = 0; k < 2; k++) {
        struct model_cox_spec s = {.data = &d, .x = x, .p = 4};
        s.ties = k == 0 ? MODEL_TIES_EFRON : MODEL_TIES_BRESLOW;
        struct model_cox m = fit(a, &s);
        double b[4], e[4], l[2] = {m.loglik_null, m.loglik}, c[2] = {m.lr_test, m.score_test};
        for (size_t j = 0; j < 4; j++) b[j] = m.coef[j].coef, e[j] = m.coef[j].se;
        assert_int_equal(m.n_events, 151);
        check_all(k == 0 ? "lung efron coef" : "lung breslow coef", b, coef[k], 4, 1e-5, 0);
        check_all(k == 0 ? "lung efron se" : "lung breslow se", e, se[k], 4, 1e-5, 0);
        check_all(k == 0 ? "lung efron loglik" : "lung breslow loglik", l, ll[k], 2, 1e-6, 0);
        check_all(k == 0 ? "lung efron lr, score" : "lung breslow lr, score", c, tests[k], 2, 1e-6,
                  0);
        check_digits("lung wald", m.wald_test, wald[k], 0, 0.005);
        check_digits("lung concordance", m.concordance, conc[k], 1e-12, 0);
        if (k == 1) continue;
        struct model_ph_test ph;
        assert_int_equal(model_cox_ph_test(a, &s, &m, NULL, 0, &ph, NULL), ERR_OK);
        check_all("lung ph test", ph.chisq, ph_chisq, 5, 1e-5, 0);
        const struct table *h =
            shared_table(a, SHARED("reference/failure/lung_basehaz_x0.expected.csv"));
        double *ht = shared_column(a, h, "time"), *hh = shared_column(a, h, "hazard");
        check_digits("lung baseline", model_cox_expected(m.base, m.n_base, 0, 0, ht[0], 0), hh[0],
                     1e-5, 0);
    }
    arena_free(a);
}

/* Group 1 never fails while group 0 is at risk: the likelihood rises without end. */
static void monotone_is_named(void **state) {
    (void)state;
    struct arena *a = test_arena();
    enum { N = 40 };
    double stop[N], x[2 * N];
    unsigned char event[N];
    for (size_t i = 0; i < N; i++) {
        stop[i] = (double)(i + 1);
        x[2 * i] = (double)(i % 2);
        x[2 * i + 1] = (double)(i * 7 % 11);
        event[i] = i % 2 == 0;
    }
    struct model_survival d = {.n = N, .stop = stop, .event = event};
    struct model_cox_spec s = {.data = &d, .x = x, .p = 2};
    struct model_cox m;
    assert_int_equal(model_cox_fit(a, &s, NULL, &m, NULL), ERR_OK);
    assert_true(m.any_monotone);
    assert_true(m.coef[0].monotone);
    assert_false(m.coef[1].monotone);
    arena_free(a);
}

static void aliased_is_named(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct fixture f;
    load(&f);
    double x[4 * FIXTURE_N];
    for (size_t i = 0; i < FIXTURE_N; i++) {
        x[4 * i] = fixture_x1[i];
        x[4 * i + 1] = fixture_x2[i];
        x[4 * i + 2] = 3 * fixture_x1[i] - 2 * fixture_x2[i] + 7;
        x[4 * i + 3] = fixture_st[i]; /* constant within strata */
    }
    f.d.stratum = f.stratum;
    f.d.cluster = f.id;
    f.spec = (struct model_cox_spec){.data = &f.d, .x = x, .p = 4, .ties = MODEL_TIES_BRESLOW};
    struct model_cox m = fit(a, &f.spec);
    assert_int_equal(m.rank, 2);
    assert_true(m.coef[2].aliased && m.coef[3].aliased);
    check_digits("aliased coef", m.coef[0].coef, strat_coef[0], 1e-6, 0);
    check_digits("aliased robust", m.coef[1].robust_se, strat_robust[1], 1e-6, 0);
    struct model_ph_test ph;
    assert_int_equal(model_cox_ph_test(a, &f.spec, &m, NULL, 0, &ph, NULL), ERR_OK);
    assert_true(ph.df[2] == 0 && ph.df[4] == 2);
    arena_free(a);
}

/* Order of rows, units and a shift of columns leave the fit alone; cutting rows in two does too. */
static void does_not_depend_on_form(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct fixture f;
    load(&f);
    f.d.cluster = f.id;
    struct model_cox m = fit(a, &f.spec);
    enum { N = 2 * FIXTURE_N };
    double start[N], stop[N], x[2 * N];
    unsigned char event[N];
    uint32_t id[N];
    size_t n = 0;
    for (size_t k = 0; k < FIXTURE_N; k++) {
        size_t i = k * 7 % FIXTURE_N;
        double cut = fixture_start[i] + 1.5;
        bool two = cut < fixture_stop[i];
        for (size_t half = 0; half < (two ? 2u : 1u); half++, n++) {
            start[n] = half == 0 ? fixture_start[i] : cut;
            stop[n] = two && half == 0 ? cut : fixture_stop[i];
            event[n] = two && half == 0 ? 0 : f.event[i];
            x[2 * n] = fixture_x1[i] * 1000 + 1e6;
            x[2 * n + 1] = fixture_x2[i];
            id[n] = f.id[i];
        }
    }
    struct model_survival d = {.n = n, .start = start, .stop = stop, .event = event, .cluster = id};
    struct model_cox_spec s = {.data = &d, .x = x, .p = 2};
    struct model_cox c = fit(a, &s);
    check_digits("cut rows coef", c.coef[0].coef * 1000, m.coef[0].coef, 1e-8, 0);
    check_digits("cut rows robust", c.coef[1].robust_se, m.coef[1].robust_se, 1e-8, 0);
    check_digits("cut rows loglik", c.loglik, m.loglik, 1e-10, 0);
    arena_free(a);
}

/* Planted coefficients come back within their standard errors; the test of proportional hazards
 * is quiet where it should be and loud where the effect turns. */
static void recovers_planted(void **state) {
    (void)state;
    struct arena *a = test_arena();
    enum { N = 4000 };
    double *stop = ARENA_NEW(a, double, N), *x = ARENA_NEW(a, double, (size_t)2 * N);
    unsigned char *event = ARENA_NEW(a, unsigned char, N);
    for (int turn = 0; turn < 2; turn++) {
        struct rng r = rng_new(7, (uint64_t)turn);
        for (size_t i = 0; i < N; i++) {
            x[2 * i] = rng_normal(&r);
            x[2 * i + 1] = rng_unit(&r) < 0.5;
            double e = rng_exp(&r), risk = exp(0.5 * x[2 * i]);
            double first = e / (risk * exp(-1.0 * x[2 * i + 1]));
            /* With turn, the second effect changes sign at time 0.7. */
            if (turn && first > 0.7) {
                double left = e - 0.7 * risk * exp(-1.0 * x[2 * i + 1]);
                first = 0.7 + left / (risk * exp(1.0 * x[2 * i + 1]));
            }
            double censor = 3 * rng_unit(&r);
            event[i] = first <= censor;
            stop[i] = first <= censor ? first : censor;
        }
        struct model_survival d = {.n = N, .stop = stop, .event = event};
        struct model_cox_spec s = {.data = &d, .x = x, .p = 2};
        struct model_cox m = fit(a, &s);
        struct model_ph_test ph;
        assert_int_equal(model_cox_ph_test(a, &s, &m, NULL, 0, &ph, NULL), ERR_OK);
        if (turn) {
            assert_true(ph.p[1] < 1e-6);
            continue;
        }
        assert_true(fabs(m.coef[0].coef - 0.5) < 4 * m.coef[0].se);
        assert_true(fabs(m.coef[1].coef + 1.0) < 4 * m.coef[1].se);
        assert_true(ph.p[2] > 1e-4);
        printf("planted 0.5, -1: found %.3f, %.3f; PH test p %.3f\n", m.coef[0].coef,
               m.coef[1].coef, ph.p[2]);
    }
    arena_free(a);
}

static void refuses(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct fixture f;
    struct model_cox m;
    struct err err = {0};
    load(&f);
    memset(f.event, 0, sizeof f.event);
    assert_int_equal(model_cox_fit(a, &f.spec, NULL, &m, &err), ERR_NUMERIC);
    load(&f);
    f.x[5] = NAN;
    assert_int_equal(model_cox_fit(a, &f.spec, NULL, &m, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "row 3, column 2"));
    load(&f);
    double start[FIXTURE_N];
    memcpy(start, fixture_start, sizeof start);
    start[4] = fixture_stop[4];
    f.d.start = start;
    assert_int_equal(model_cox_fit(a, &f.spec, NULL, &m, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "row 5"));
    f.d.n = 0;
    assert_int_equal(model_cox_fit(a, &f.spec, NULL, &m, &err), ERR_INVALID);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(andersen_gill),
                                       cmocka_unit_test(strata_and_gaps),
                                       cmocka_unit_test(lung),
                                       cmocka_unit_test(monotone_is_named),
                                       cmocka_unit_test(aliased_is_named),
                                       cmocka_unit_test(does_not_depend_on_form),
                                       cmocka_unit_test(recovers_planted),
                                       cmocka_unit_test(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
