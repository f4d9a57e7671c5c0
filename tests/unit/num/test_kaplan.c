/* Kaplan-Meier, Nelson-Aalen and log-rank against R survival 3.5-3 (survival_fixture.h). */
#include "digits.h"

#include "num/model/kaplan.h"
#include "survival_fixture.h"

enum { ROWS = sizeof km_time / sizeof km_time[0] };

static void curve(void **state) {
    (void)state;
    struct arena *a = test_arena();
    unsigned char event[FIXTURE_N];
    for (size_t i = 0; i < FIXTURE_N; i++) event[i] = fixture_event[i] > 0;
    struct model_survival d = {
        .n = FIXTURE_N, .start = fixture_start, .stop = fixture_stop, .event = event};
    struct model_km km;
    assert_int_equal(model_kaplan_meier(a, &d, 0.95, &km, NULL), ERR_OK);
    assert_int_equal(km.n_rows, ROWS);
    double v[8][ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        const struct model_km_row *r = &km.row[i];
        const double row[8] = {r->time,  r->at_risk, r->survival, r->se,
                               r->lower, r->upper,   r->hazard,   r->hazard_se};
        for (size_t k = 0; k < 8; k++) v[k][i] = row[k];
    }
    check_all("km time", v[0], km_time, ROWS, 0, 0);
    check_all("km at risk", v[1], km_risk, ROWS, 0, 0);
    check_all("km survival", v[2], km_surv, ROWS, 1e-12, 0);
    check_all("km se", v[3], km_se, ROWS - 1, 1e-12, 0);
    check_all("km lower", v[4], km_lower, ROWS - 1, 1e-10, 0);
    check_all("km upper", v[5], km_upper, ROWS - 1, 1e-10, 0);
    check_all("nelson-aalen", v[6], km_cumhaz, ROWS, 1e-12, 0);
    check_all("nelson-aalen se", v[7], km_cumhaz_se, ROWS, 1e-12, 0);
    assert_true(km.median == 9);
    assert_false(km.risk_set_emptied);
    assert_true(km.row[ROWS - 1].lower == 0 && km.row[ROWS - 1].upper == 0);
    arena_free(a);
}

static void logrank_test(void **state) {
    (void)state;
    struct arena *a = test_arena();
    double stop[20];
    unsigned char event[20];
    uint32_t group[20], stratum[20];
    for (size_t i = 0; i < 20; i++) {
        stop[i] = fixture_stop[3 * i];
        event[i] = fixture_event[3 * i] > 0;
        group[i] = fixture_x2[3 * i] > 0;
        stratum[i] = (uint32_t)fixture_st[3 * i];
    }
    struct model_survival d = {.n = 20, .stop = stop, .event = event, .stratum = stratum};
    struct model_logrank t;
    assert_int_equal(model_logrank_test(a, &d, group, 2, &t, NULL), ERR_OK);
    check_digits("log-rank", t.chisq, logrank[0], 1e-12, 0);
    check_all("log-rank observed", t.observed, logrank + 1, 2, 0, 0);
    check_all("log-rank expected", t.expected, logrank + 3, 2, 1e-12, 0);
    assert_true(t.df == 1 && t.p > 0 && t.p < 1);
    struct err err = {0};
    memset(group, 0, sizeof group);
    assert_int_equal(model_logrank_test(a, &d, group, 2, &t, &err), ERR_NUMERIC);
    group[3] = 2;
    assert_int_equal(model_logrank_test(a, &d, group, 2, &t, &err), ERR_INVALID);
    arena_free(a);
}

/* The curve falls to 0 while others enter only later: it must say so. */
static void emptied_risk_set(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const double start[] = {0, 5, 5}, stop[] = {2, 7, 8};
    const unsigned char event[] = {1, 1, 0};
    struct model_survival d = {.n = 3, .start = start, .stop = stop, .event = event};
    struct model_km km;
    assert_int_equal(model_kaplan_meier(a, &d, 0.95, &km, NULL), ERR_OK);
    assert_true(km.risk_set_emptied);
    assert_true(km.row[0].survival == 0 && km.row[1].survival == 0);
    assert_int_equal(model_kaplan_meier(a, &d, 1, &km, NULL), ERR_INVALID);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(curve), cmocka_unit_test(logrank_test),
                                       cmocka_unit_test(emptied_risk_set)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
