/* Mean cumulative function and power law against shared/reference and R survival 3.5-3; LEYP by
 * simulation (no peer). */
#include "digits.h"
#include "shared_data.h"

#include "base/rng.h"
#include "num/model/recurrent.h"
#include "survival_fixture.h"

/* valveseat.csv has a line an event and one for the end of each engine. */
struct valves {
    struct model_survival d;
    double *start, *stop, *x;
    unsigned char *event;
    uint32_t *id;
};

static void load(struct arena *a, struct valves *v) {
    const struct table *t = shared_table(a, SHARED("reference/failure/valveseat.csv"));
    double *id = shared_column(a, t, "id"), *time = shared_column(a, t, "time");
    double *status = shared_column(a, t, "status");
    v->start = ARENA_NEW(a, double, t->n_row);
    v->stop = ARENA_NEW(a, double, t->n_row);
    v->x = ARENA_NEW(a, double, t->n_row);
    v->event = ARENA_NEW(a, unsigned char, t->n_row);
    v->id = ARENA_NEW(a, uint32_t, t->n_row);
    size_t n = 0;
    for (size_t i = 0; i < t->n_row; i++) {
        double from = i > 0 && id[i - 1] == id[i] ? time[i - 1] : 0;
        if (!(time[i] > from)) {
            if (status[i] > 0) v->event[n - 1]++; /* two repairs at once; else an end at a repair */
            continue;
        }
        v->start[n] = from;
        v->stop[n] = time[i];
        v->event[n] = status[i] > 0;
        v->x[n] = 1;
        v->id[n++] = (uint32_t)id[i];
    }
    v->d = (struct model_survival){
        .n = n, .start = v->start, .stop = v->stop, .event = v->event, .cluster = v->id};
}

static void valve_seats(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct valves v;
    struct model_mcf m;
    load(a, &v);
    const struct table *t = shared_table(a, SHARED("reference/failure/valveseat_mcf.expected.csv"));
    double *time = shared_column(a, t, "time"), *mcf = shared_column(a, t, "mcf");
    assert_int_equal(model_mcf(a, &v.d, &m, NULL), ERR_OK);
    assert_int_equal(m.n_assets, 41);
    assert_int_equal(m.n_rows, t->n_row);
    double *ft = ARENA_NEW(a, double, m.n_rows), *fm = ARENA_NEW(a, double, m.n_rows);
    for (size_t i = 0; i < m.n_rows; i++) ft[i] = m.row[i].time, fm[i] = m.row[i].mcf;
    check_all("valveseat time", ft, time, m.n_rows, 0, 0);
    check_all("valveseat mcf", fm, mcf, m.n_rows, 1e-10, 0);
    v.d.cluster = NULL;
    struct model_power_spec s = {.data = &v.d, .x = v.x, .p = 1};
    struct model_power p;
    assert_int_equal(model_power_fit(a, &s, NULL, &p, NULL), ERR_OK);
    assert_true(p.converged && p.verified);
    check_digits("power law beta", p.beta, 1.39957922325394, 1e-5, 0);
    check_digits("power law lambda", exp(p.coef[0].coef), 0.000144754651363336, 1e-5, 0);
    check_digits("power law loglik", p.loglik, -346.490298877177, 1e-6, 0);
    assert_true(p.n_events == 48);
    double sum = 0;
    for (size_t i = 0; i < p.n; i++) sum += p.expected[i];
    check_digits("power law expected", sum, 48, 1e-8, 0);
    arena_free(a);
}

static void mcf_errors(void **state) {
    (void)state;
    struct arena *a = test_arena();
    unsigned char event[FIXTURE_N];
    uint32_t id[FIXTURE_N];
    enum { ROWS = sizeof mcf_value / sizeof mcf_value[0] };
    double value[ROWS], se[ROWS];
    for (size_t i = 0; i < FIXTURE_N; i++) {
        event[i] = fixture_event[i] > 0;
        id[i] = (uint32_t)fixture_id[i];
    }
    struct model_survival d = {.n = FIXTURE_N,
                               .start = fixture_start,
                               .stop = fixture_stop,
                               .event = event,
                               .cluster = id};
    struct model_mcf m;
    assert_int_equal(model_mcf(a, &d, &m, NULL), ERR_OK);
    assert_int_equal(m.n_rows, ROWS);
    for (size_t i = 0; i < ROWS; i++) value[i] = m.row[i].mcf, se[i] = m.row[i].se;
    check_all("mcf", value, mcf_value, ROWS, 1e-12, 0);
    check_all("mcf robust se", se, mcf_se, ROWS, 1e-10, 0);
    d.cluster = NULL;
    assert_int_equal(model_mcf(a, &d, &m, NULL), ERR_INVALID);
    arena_free(a);
}

/* Assets watched from age a to a + 20, their events by thinning of the LEYP intensity. */
struct planted {
    double *start, *stop, *x, *earlier;
    unsigned char *event;
    uint32_t *id;
    size_t n;
};

static void simulate(struct arena *a, struct planted *p, double alpha, double beta, size_t assets,
                     uint64_t seed) {
    size_t most = assets * 60;
    p->start = ARENA_NEW(a, double, most);
    p->stop = ARENA_NEW(a, double, most);
    p->earlier = ARENA_NEW(a, double, most);
    p->x = ARENA_NEW(a, double, 2 * most);
    p->event = ARENA_NEW(a, unsigned char, most);
    p->id = ARENA_NEW(a, uint32_t, most);
    p->n = 0;
    for (size_t k = 0; k < assets; k++) {
        struct rng r = rng_new(seed, k);
        double x = rng_normal(&r), age = 10 * rng_unit(&r), end = age + 20, earlier = 0;
        for (; age < end && p->n < most; p->n++) {
            /* Inverse of the cumulative intensity from this age on. */
            double lambda = (1 + alpha * earlier) * exp(-4 + 0.5 * x);
            double next = pow(pow(age, beta) + rng_exp(&r) / lambda, 1 / beta);
            bool hit = next < end;
            p->start[p->n] = age;
            p->stop[p->n] = hit ? next : end;
            p->event[p->n] = hit;
            p->earlier[p->n] = earlier;
            p->x[2 * p->n] = 1;
            p->x[2 * p->n + 1] = x;
            p->id[p->n] = (uint32_t)k;
            age = hit ? next : end;
            earlier += hit;
        }
    }
}

static void leyp_recovers_planted(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct planted p;
    struct model_power m;
    simulate(a, &p, 0.6, 1.4, 3000, 11);
    struct model_survival d = {
        .n = p.n, .start = p.start, .stop = p.stop, .event = p.event, .cluster = p.id};
    struct model_power_spec s = {.data = &d, .x = p.x, .p = 2, .earlier = p.earlier};
    struct err err = {0};
    if (model_power_fit(a, &s, NULL, &m, &err) != ERR_OK) fail_msg("%s", err.detail);
    printf("LEYP planted alpha 0.6 beta 1.4 b 0.5: found %.3f (%.3f) %.3f (%.3f) %.3f\n", m.alpha,
           m.alpha_se, m.beta, m.beta_se, m.coef[1].coef);
    assert_true(m.converged);
    assert_false(m.verified);
    assert_true(fabs(m.alpha - 0.6) < 4 * m.alpha_se);
    assert_true(fabs(m.beta - 1.4) < 4 * m.beta_se);
    assert_true(fabs(m.coef[1].coef - 0.5) < 4 * m.coef[1].robust_se);
    /* Without a memory in the data, alpha is near 0 or held there; the power law is enough. */
    simulate(a, &p, 0, 1.4, 500, 12);
    d = (struct model_survival){
        .n = p.n, .start = p.start, .stop = p.stop, .event = p.event, .cluster = p.id};
    s = (struct model_power_spec){.data = &d, .x = p.x, .p = 2, .earlier = p.earlier};
    assert_int_equal(model_power_fit(a, &s, NULL, &m, NULL), ERR_OK);
    assert_true(m.alpha_at_zero ? m.alpha == 0 : m.alpha < 4 * m.alpha_se);
    arena_free(a);
}

static void refuses(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const double stop[] = {2, 3}, start[] = {0, -1}, x[] = {1, 1};
    const unsigned char event[] = {1, 0};
    struct model_survival d = {.n = 2, .stop = stop, .event = event};
    struct model_power_spec s = {.data = &d, .x = x, .p = 1};
    struct model_power m;
    struct err err = {0};
    assert_int_equal(model_power_fit(a, &s, NULL, &m, &err), ERR_INVALID);
    d.start = start;
    assert_int_equal(model_power_fit(a, &s, NULL, &m, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "row 2"));
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(valve_seats), cmocka_unit_test(mcf_errors),
                                       cmocka_unit_test(leyp_recovers_planted),
                                       cmocka_unit_test(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
