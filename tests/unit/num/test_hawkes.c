/* Hawkes against shared/reference (coal disasters); ETAS recovers planted parameters (no peer). */
#include "digits.h"
#include "shared_data.h"

#include "base/rng.h"
#include "num/model/hawkes.h"

static void coal(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct table *t = shared_table(a, SHARED("reference/failure/coal.csv"));
    double *date = shared_column(a, t, "date");
    struct model_hawkes h;
    check_digits("hawkes loglik at (0.8, 0.6, 0.3)",
                 model_hawkes_loglik(date, t->n_row, 1851, 1963, 0.8, 0.6, 0.3), -67.1828750793581,
                 1e-9, 0);
    assert_int_equal(model_hawkes_fit(a, date, t->n_row, 1851, 1963, NULL, &h, NULL), ERR_OK);
    static const double log_se[3] = {0.372771584851727, 0.145064452173487, 0.309545877929554};
    check_digits("hawkes mu", h.mu, 0.435219392428014, 1e-3, 0);
    check_digits("hawkes alpha", h.alpha, 0.74993593944941, 1e-3, 0);
    check_digits("hawkes beta", h.beta, 0.37635965863444, 1e-3, 0);
    check_digits("hawkes loglik", h.loglik, -64.5633898455688, 1e-7, 0);
    check_digits("hawkes loglik poisson", h.loglik_poisson, -89.0490596604568, 1e-7, 0);
    check_all("hawkes log se", h.log_se, log_se, 3, 2e-3, 0);
    assert_true(h.converged && !h.explosive && !h.at_boundary);
    assert_true(h.n_starts == 6 && h.n_agree >= 2);
    /* At the maximum the rescaled time of the window is the number of events; the last event is
     * before its end. */
    double sum = 0;
    for (size_t i = 0; i < h.n; i++) sum += h.rescaled[i];
    assert_true(sum < 191 && sum > 185);
    assert_true(h.ks_p > 0.05);
    printf("coal: %zu of %zu starts agree, KS %.4f p %.3f\n", h.n_agree, h.n_starts, h.ks, h.ks_p);
    arena_free(a);
}

static void poisson_is_told_apart(void **state) {
    (void)state;
    struct arena *a = test_arena();
    enum { N = 400 };
    double *t = ARENA_NEW(a, double, N);
    struct rng r = rng_new(5, 0);
    double at = 0;
    for (size_t i = 0; i < N; i++) t[i] = at += rng_exp(&r);
    struct model_hawkes h;
    assert_int_equal(model_hawkes_fit(a, t, N, 0, at + 1, NULL, &h, NULL), ERR_OK);
    assert_true(2 * (h.loglik - h.loglik_poisson) < 12);
    assert_true(h.ks_p > 0.001);
    /* Regular events are nothing like either; the residual check has to say so. */
    for (size_t i = 0; i < N; i++) t[i] = (double)i + 0.5;
    assert_int_equal(model_hawkes_fit(a, t, N, 0, N, NULL, &h, NULL), ERR_OK);
    assert_true(h.at_boundary || h.alpha < 0.05);
    assert_true(h.ks_p < 1e-6);
    struct err err = {0};
    t[3] = -1;
    assert_int_equal(model_hawkes_fit(a, t, N, 0, N, NULL, &h, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "event 4"));
    assert_int_equal(model_hawkes_fit(a, t, 2, 0, N, NULL, &h, NULL), ERR_INVALID);
    arena_free(a);
}

static void ks_law(void **state) {
    (void)state;
    double u[100], d, p;
    for (size_t i = 0; i < 100; i++) u[i] = ((double)((i * 37) % 100) + 0.5) / 100;
    model_ks_uniform(u, 100, &d, &p);
    check_digits("ks distance", d, 0.005, 1e-12, 0);
    assert_true(p == 1);
    for (size_t i = 0; i < 100; i++) u[i] = ((double)i + 0.5) / 100 * 0.8;
    model_ks_uniform(u, 100, &d, &p);
    check_digits("ks distance of a squeezed sample", d, 0.204, 1e-12, 0);
    check_digits("ks p", p, 3.986329e-4, 0.03, 0); /* R 4.2.2 ks.test(exact = TRUE) */
}

/* Events of an ETAS process by generations; offspring outside the window are lost. */
struct quake {
    double t, x, y;
};
static int by_time(const void *p, const void *q) {
    double a = ((const struct quake *)p)->t, b = ((const struct quake *)q)->t;
    return a < b ? -1 : a > b;
}

static size_t simulate(struct quake *e, size_t most, double mu, double kappa, double omega,
                       double sigma, double end, double side, uint64_t seed) {
    struct rng r = rng_new(seed, 0);
    size_t n = rng_poisson(&r, mu * end), next = 0;
    for (size_t i = 0; i < n; i++)
        e[i] = (struct quake){end * rng_unit(&r), side * rng_unit(&r), side * rng_unit(&r)};
    for (; next < n; next++) {
        uint32_t children = rng_poisson(&r, kappa);
        for (uint32_t k = 0; k < children && n < most; k++) {
            struct quake c = {e[next].t + rng_exp(&r) / omega, e[next].x + sigma * rng_normal(&r),
                              e[next].y + sigma * rng_normal(&r)};
            if (c.t < end) e[n++] = c;
        }
    }
    qsort(e, n, sizeof *e, by_time);
    return n;
}

static void etas_recovers_planted(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)512 << 20);
    enum { MOST = 6000 };
    struct quake *e = ARENA_NEW(a, struct quake, MOST);
    double *t = ARENA_NEW(a, double, MOST), *x = ARENA_NEW(a, double, MOST);
    double *y = ARENA_NEW(a, double, MOST);
    size_t n = simulate(e, MOST, 2, 0.5, 0.2, 0.1, 1000, 20, 21);
    for (size_t i = 0; i < n; i++) t[i] = e[i].t, x[i] = e[i].x, y[i] = e[i].y;
    struct model_etas_spec s = {
        .t = t, .x = x, .y = y, .n = n, .to = 1000, .area = 400, .max_lag = 100, .max_reach = 2};
    struct model_etas m;
    struct err err = {0};
    if (model_etas_fit(a, &s, NULL, &m, &err) != ERR_OK) fail_msg("%s", err.detail);
    printf("ETAS planted mu 2 kappa 0.5 omega 0.2 sigma 0.1: found %.3f %.3f %.3f %.4f (%zu "
           "events, %zu steps)\n",
           m.mu, m.kappa, m.omega, m.sigma, n, m.iterations);
    assert_true(m.converged);
    assert_false(m.verified);
    assert_false(m.explosive);
    assert_true(fabs(m.mu / 2 - 1) < 0.08);
    assert_true(fabs(m.kappa / 0.5 - 1) < 0.08);
    assert_true(fabs(m.omega / 0.2 - 1) < 0.1);
    assert_true(fabs(m.sigma / 0.1 - 1) < 0.05);
    double back = 0;
    for (size_t i = 0; i < n; i++) back += m.background[i];
    check_digits("etas background", back, m.mu * 1000, 1e-5, 0);
    /* The kernel background of the same uniform scatter tells nearly the same. */
    s.n = n < 1200 ? n : 1200;
    s.to = t[s.n - 1] + 1e-6;
    s.bandwidth = 3;
    assert_int_equal(model_etas_fit(a, &s, NULL, &m, NULL), ERR_OK);
    assert_true(fabs(m.kappa / 0.5 - 1) < 0.25);
    s.area = 0;
    assert_int_equal(model_etas_fit(a, &s, NULL, &m, NULL), ERR_INVALID);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coal), cmocka_unit_test(poisson_is_told_apart), cmocka_unit_test(ks_law),
        cmocka_unit_test(etas_recovers_planted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
