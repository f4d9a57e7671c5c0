/* gezhi risk curve through the reader of tables, against R survival 3.5-3 and the shared
 * reference: made-up rows, lung, valveseat; and what it refuses. */
#include "../num/digits.h"
#include "../num/shared_data.h"

#include "../num/survival_fixture.h"
#include "base/buf.h"
#include "study/risk/curve.h"

static struct risk_curve *study(struct arena *a, const struct table *t,
                                const struct risk_curve_spec *s) {
    struct risk_curve *r = ARENA_NEW(a, struct risk_curve, 1);
    struct err err = {0};
    assert_non_null(r);
    if (risk_curve_study(a, t, s, r, &err) != ERR_OK) fail_msg("%s", err.detail);
    return r;
}

static const struct table *table_of(struct arena *a, const char *text, size_t n) {
    const struct table *t = NULL;
    struct err err = {0};
    if (table_parse(a, "t.csv", text, n, 0, 1000, &t, &err) != ERR_OK) fail_msg("%s", err.detail);
    return t;
}

static const struct table *fixture_table(struct arena *a) {
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_str(&b, "id,from,to,hit\n");
    for (size_t i = FIXTURE_N; i-- > 0;) /* the order of the rows must not matter */
        buf_printf(&b, "P%g,%g,%g,%d\n", fixture_id[i], fixture_start[i], fixture_stop[i],
                   fixture_event[i] > 0);
    assert_int_equal(buf_check(&b, NULL), ERR_OK);
    const struct table *t = table_of(a, buf_text(&b), b.n);
    buf_deinit(&b);
    return t;
}

static void made_up_rows(void **state) {
    (void)state;
    struct arena *a = test_arena();
    enum { KM = sizeof km_time / sizeof km_time[0], MCF = sizeof mcf_value / sizeof mcf_value[0] };
    double v[6][KM], m[2][MCF];
    const struct table *t = fixture_table(a);
    struct risk_curve_spec s = {.start = "from", .time = "to", .event = "hit"};
    const struct risk_curve *r = study(a, t, &s);
    assert_true(r->verified && r->late_entry && !r->recurrent && !r->has_logrank);
    assert_int_equal(r->n_groups, 1);
    assert_int_equal(r->group[0].km.n_rows, KM);
    for (size_t i = 0; i < KM; i++) {
        const struct model_km_row *k = &r->group[0].km.row[i];
        const double row[6] = {k->survival, k->se, k->lower, k->upper, k->hazard, k->hazard_se};
        for (size_t j = 0; j < 6; j++) v[j][i] = row[j];
    }
    check_all("curve survival", v[0], km_surv, KM, 1e-12, 0);
    check_all("curve se", v[1], km_se, KM - 1, 1e-12, 0);
    check_all("curve lower", v[2], km_lower, KM - 1, 1e-10, 0);
    check_all("curve upper", v[3], km_upper, KM - 1, 1e-10, 0);
    check_all("curve hazard", v[4], km_cumhaz, KM, 1e-12, 0);
    check_all("curve hazard se", v[5], km_cumhaz_se, KM, 1e-12, 0);
    s.unit = "id";
    r = study(a, t, &s);
    assert_true(r->recurrent && r->verified);
    assert_int_equal(r->n_units, 20);
    assert_int_equal(r->group[0].mcf.n_rows, MCF);
    for (size_t i = 0; i < MCF; i++)
        m[0][i] = r->group[0].mcf.row[i].mcf, m[1][i] = r->group[0].mcf.row[i].se;
    check_all("curve mcf", m[0], mcf_value, MCF, 1e-12, 0);
    check_all("curve mcf robust se", m[1], mcf_se, MCF, 1e-10, 0);
    arena_free(a);
}

/* survdiff(Surv(time, event) ~ sex); survfit(..., conf.type = "log-log") at 365 days. */
static void lung(void **state) {
    (void)state;
    struct arena *a = test_arena();
    static const double expected[2] = {83.152453790040354, 67.847546209959617};
    static const double at_a_year[2][4] = {
        {0.35317761592644092, 0.045738844882047471, 0.26494261702121319, 0.44240128896973618},
        {0.55596456639169467, 0.060957481585596579, 0.42889132310720718, 0.66557972136399357}};
    const struct table *t = shared_table(a, SHARED("reference/failure/lung.csv"));
    const struct risk_curve_spec s = {.time = "time", .event = "event", .group = "sex"};
    const struct risk_curve *r = study(a, t, &s);
    assert_int_equal(r->n_groups, 2);
    assert_true(r->has_logrank && r->verified && r->logrank.df == 1);
    check_digits("lung log-rank", r->logrank.chisq, 9.5975608336130964, 1e-12, 0);
    check_all("lung log-rank expected", r->logrank.expected, expected, 2, 1e-12, 0);
    assert_true(r->logrank.observed[0] == 102 && r->logrank.observed[1] == 49);
    assert_true(r->group[0].km.median == 284 && r->group[1].km.median == 433);
    for (size_t g = 0; g < 2; g++) {
        const struct model_km *km = &r->group[g].km;
        size_t i = 0;
        while (i + 1 < km->n_rows && km->row[i + 1].time <= 365) i++;
        const struct model_km_row *k = &km->row[i];
        const double row[4] = {k->survival, k->se, k->lower, k->upper};
        check_all("lung at a year", row, at_a_year[g], 4, 1e-10, 0);
    }
    arena_free(a);
}

/* A line an event, no column of starts: the rows of an engine follow one another. */
static void valve_seats(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct table *t = shared_table(a, SHARED("reference/failure/valveseat.csv"));
    const struct table *e = shared_table(a, SHARED("reference/failure/valveseat_mcf.expected.csv"));
    double *time = shared_column(a, e, "time"), *mcf = shared_column(a, e, "mcf");
    const struct risk_curve_spec s = {.time = "time", .event = "status", .unit = "id"};
    const struct risk_curve *r = study(a, t, &s);
    assert_int_equal(r->n_units, 41);
    assert_int_equal(r->n_events, 48);
    const struct model_mcf *m = &r->group[0].mcf;
    assert_int_equal(m->n_rows, e->n_row);
    for (size_t i = 0; i < m->n_rows; i++) {
        assert_true(m->row[i].time == time[i]);
        time[i] = m->row[i].mcf;
    }
    check_all("valveseat mcf", time, mcf, m->n_rows, 1e-10, 0);
    arena_free(a);
}

static void refuses(void **state) {
    (void)state;
    struct arena *a = test_arena();
    static const struct {
        const char *text;
        bool start, group, unit;
        const char *said;
    } cases[] = {
        {"t,e\n1,1\nx,0\n", false, false, false, "t.csv:3: column t: expected a number"},
        {"t,e\n1,1\n,0\n", false, false, false, "t.csv:3: column t: expected a number"},
        {"t,e\n1,2\n", false, false, false, "t.csv:2: column e: expected 1"},
        {"t,e\n-1,1\n", false, false, false, "t.csv:2: column t: expected a time of 0"},
        {"t,e\n", false, false, false, "t.csv: there are no rows"},
        {"t,f\n1,1\n", false, false, false, "column"},
        {"s,t,e\n0,1,1\n3,3,0\n", true, false, false, "t.csv:3: column t: expected a time after 3"},
        {"t,e,g\n1,1,a\n2,1,\n", false, true, false, "t.csv:3: column g: expected the name"},
        {"t,e,u\n1,1,a\n2,256,a\n", false, false, true, "t.csv:3: column e: expected how many"},
        {"t,e,u\n1,200,a\n1,200,a\n", false, false, true, "t.csv:3: column e: expected at most"},
        {"t,e,u\n0,1,a\n", false, false, true, "t.csv:2: column t: expected a time after 0"},
        {"s,t,e,u\n0,4,1,a\n3,6,0,a\n", true, false, true, "t.csv:3: column s: expected 4 or more"},
        {"t,e,g,u\n1,1,x,a\n2,0,y,a\n", false, true, true, "t.csv:3: column g: expected \"x\""},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const struct risk_curve_spec s = {.start = cases[k].start ? "s" : NULL,
                                          .time = "t",
                                          .event = "e",
                                          .group = cases[k].group ? "g" : NULL,
                                          .unit = cases[k].unit ? "u" : NULL};
        struct risk_curve *r = ARENA_NEW(a, struct risk_curve, 1);
        struct err err = {0};
        const struct table *t = table_of(a, cases[k].text, strlen(cases[k].text));
        assert_int_equal(risk_curve_study(a, t, &s, r, &err), ERR_INVALID);
        if (strstr(err.detail, cases[k].said) == NULL)
            fail_msg("%s: said %s", cases[k].text, err.detail);
    }
    arena_free(a);
}

/* What the flags stand for, and that they reach the reports. */
static void flags(void **state) {
    (void)state;
    struct arena *a = test_arena();
    static const char late[] = "s,t,e,g\n0,2,1,a\n5,7,1,a\n5,8,0,a\n1,9,0,b\n1,3,1,b\n";
    static const char apart[] = "t,e,g\n1,0,a\n2,0,a\n5,1,b\n6,1,b\n";
    struct risk_curve_spec s = {.start = "s", .time = "t", .event = "e", .group = "g"};
    const struct risk_curve *r = study(a, table_of(a, late, sizeof late - 1), &s);
    struct buf b;
    buf_init(&b, 1 << 16);
    assert_true(r->has_logrank && !r->verified && r->group[0].km.risk_set_emptied);
    risk_curve_json(r, &b);
    assert_non_null(strstr(buf_text(&b), "\"verified\":false"));
    assert_non_null(strstr(buf_text(&b), "\"risk_set_emptied\""));
    assert_non_null(strstr(buf_text(&b), "\"few_at_risk\""));
    buf_clear(&b);
    s.start = NULL;
    r = study(a, table_of(a, apart, sizeof apart - 1), &s);
    assert_true(r->no_logrank && !r->has_logrank && r->verified);
    risk_curve_text(r, &b);
    assert_non_null(strstr(buf_text(&b), "note no_events: a: "));
    assert_non_null(strstr(buf_text(&b), "note no_log_rank: "));
    buf_deinit(&b);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(made_up_rows), cmocka_unit_test(lung),
                                       cmocka_unit_test(valve_seats), cmocka_unit_test(refuses),
                                       cmocka_unit_test(flags)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
