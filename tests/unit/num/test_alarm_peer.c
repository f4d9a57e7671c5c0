/* Alarm methods against the R package surveillance 1.20.3 on a made-up series:
 * alarm/make_peer.R makes the tables and holds every call and setting. */
#include "alarm_reference.h"

#include <math.h>
#include <stdio.h>

struct made {
    const struct table *expected;
    double *upper, *mean, *score, *p, *phi, *trend, *t;
    const int64_t *sparse; /* counts of the second, sparse series */
    struct alarm_series series;
};

static struct made load(struct arena *a) {
    struct made m = {0};
    const struct table *in = reference_table(a, "tests/unit/num/alarm/peer_input.csv");
    m.expected = reference_table(a, "tests/unit/num/alarm/peer_expected.csv");
    assert_non_null(in);
    assert_non_null(m.expected);
    m.t = reference_column(a, m.expected, "t");
    m.upper = reference_column(a, m.expected, "upper");
    m.mean = reference_column(a, m.expected, "expected");
    m.score = reference_column(a, m.expected, "score");
    m.p = reference_column(a, m.expected, "p");
    m.phi = reference_column(a, m.expected, "phi");
    m.trend = reference_column(a, m.expected, "trend");
    m.sparse = reference_counts(a, in, "sparse");
    m.series = (struct alarm_series){.n = in->n_row,
                                     .count = reference_counts(a, in, "count"),
                                     .population = reference_column(a, in, "population"),
                                     .day = reference_days(a, in, "date"),
                                     .year_steps = 52};
    return m;
}

/* Whether the reference row holds a number that means the same as ours. */
static void compare(struct agreement *g, double ours, double theirs) {
    if (!isnan(theirs)) agree(g, ours, theirs);
}

/* Run the spec over the points of the case and compare all the reference has. */
static void check(struct arena *a, const struct made *m, const char *name,
                  const struct alarm_spec *s, struct alarm_series x) {
    const struct table *t = m->expected;
    struct agreement upper = {"upper", 1e-6, 0, 0, 0}, mean = {"expected", 1e-6, 0, 0, 0};
    struct agreement score = {"score", 1e-6, 0, 0, 0}, p = {"p", 1e-6, 0, 0, 0};
    struct agreement phi = {"dispersion", 1e-6, 0, 0, 0}, trend = {"trend", 1e-6, 0, 0, 0};
    size_t rows = 0, alarms = 0, first = 0;
    while (first < t->n_row && strcmp(table_text(t, first, 0), name) != 0) first++;
    assert_true(first < t->n_row);
    x.from = (size_t)m->t[first] - 1;
    struct alarm_point *out = run_one(a, s, &x);
    bool regression = s->method == ALARM_CLASSIC || s->method == ALARM_FLEXIBLE;
    for (size_t i = first; i < t->n_row && strcmp(table_text(t, i, 0), name) == 0; i++, rows++) {
        size_t at = (size_t)m->t[i] - 1;
        const struct alarm_point *q = &out[at - x.from];
        /* The classic of the package gives 0 where the limit of cases forbids an alarm. */
        bool few = q->state == ALARM_FEW;
        if (few) {
            assert_true(regression && (isnan(m->upper[i]) || m->upper[i] == 0));
        } else {
            assert_int_equal(q->state, ALARM_OK);
            /* Rossi's transform has a false root when any count would do; the package gives it. */
            bool any = s->transform == ALARM_ROSSI && q->upper == 0 && m->upper[i] < 1;
            if (!any) compare(&upper, q->upper, m->upper[i]);
        }
        compare(&mean, q->expected, m->mean[i]);
        compare(&score, q->score, m->score[i]);
        compare(&p, q->p_value, m->p[i]);
        compare(&phi, q->dispersion, m->phi[i]);
        if (s->method == ALARM_FLEXIBLE) assert_int_equal(isnan(q->trend), isnan(m->trend[i]));
        compare(&trend, q->trend, m->trend[i]);
        if (q->alarm != reference_flag(t, i, "alarm")) fail_msg("%s: alarm at %zu", name, at + 1);
        if (q->alarm) alarms++;
    }
    const struct agreement *all[] = {&upper, &mean, &score, &p, &phi, &trend};
    print_message("%s: %zu points, %zu alarms identical\n", name, rows, alarms);
    for (size_t k = 0; k < 6; k++)
        if (all[k]->n > 0) agree_end(all[k], name);
    assert_true(rows >= 40);
    assert_true(upper.n + score.n > 0);
    assert_true(alarm_verified(s));
}

static struct alarm_spec flexible(void) {
    struct alarm_spec s;
    alarm_spec_default(ALARM_FLEXIBLE, &s);
    s.years = 4;
    s.alpha = 0.05;
    s.trend_p = 0.05;
    s.periods = 1;
    s.weeks_left_out = 3;
    s.threshold = ALARM_DELTA;
    s.by_date = false;
    return s;
}

static void test_flexible_one_period(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct made m = load(a);
    struct alarm_spec s = flexible();
    check(a, &m, "flex_plain", &s, m.series);
    s.by_date = true;
    check(a, &m, "flex_dates", &s, m.series);
    s = flexible();
    s.reweight = false;
    check(a, &m, "flex_no_reweight", &s, m.series);
    s = flexible();
    s.trend = false;
    check(a, &m, "flex_no_trend", &s, m.series);
    s = flexible();
    s.power = ALARM_POWER_1;
    s.alpha = 0.01;
    check(a, &m, "flex_none", &s, m.series);
    s = flexible();
    s.power = ALARM_POWER_HALF;
    s.trend_p = 1;
    check(a, &m, "flex_half", &s, m.series);
    s = flexible();
    s.population_offset = true;
    check(a, &m, "flex_population", &s, m.series);
    arena_free(a);
}

static void test_flexible_periods(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct made m = load(a);
    struct alarm_spec s = flexible();
    s.population_offset = s.by_date = true;
    s.periods = 10;
    s.weeks_left_out = 26;
    s.trend_p = 1;
    s.threshold = ALARM_NB_PLUGIN;
    check(a, &m, "flex_population_ten", &s, m.series);
    s = flexible();
    s.by_date = true;
    s.periods = 7;
    s.half_window = 2;
    s.years = 5;
    s.weeks_left_out = 20;
    s.threshold = ALARM_MUAN;
    check(a, &m, "flex_seven_dates", &s, m.series);
    s = flexible();
    s.periods = 11;
    s.years = 3;
    s.weeks_left_out = 26;
    s.trend_p = 1;
    s.weights_threshold = 1;
    check(a, &m, "flex_eleven", &s, m.series);
    s = flexible();
    s.limit_cases = 40;
    s.limit_weeks = 3;
    s.periods = 10;
    s.weeks_left_out = 26;
    s.threshold = ALARM_NB_PLUGIN;
    s.alpha = 0.005;
    check(a, &m, "flex_limit", &s, m.series);
    arena_free(a);
}

static void test_classic(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct made m = load(a);
    struct alarm_spec s, base;
    alarm_spec_default(ALARM_CLASSIC, &base);
    base.years = 4;
    base.alpha = 0.05;
    check(a, &m, "classic_plain", &base, m.series);
    s = base;
    s.reweight = false;
    s.alpha = 0.01;
    check(a, &m, "classic_no_reweight", &s, m.series);
    s = base;
    s.trend = false;
    s.power = ALARM_POWER_1;
    check(a, &m, "classic_no_trend", &s, m.series);
    s = base;
    s.power = ALARM_POWER_HALF;
    s.years = 3;
    s.half_window = 2;
    check(a, &m, "classic_half", &s, m.series);
    arena_free(a);
}

/* Few counts: dispersions below 1, periods and years without a case. */
static void test_sparse(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct made m = load(a);
    struct alarm_spec s = flexible();
    m.series.count = m.sparse;
    s.reweight = false;
    check(a, &m, "sparse_no_reweight", &s, m.series);
    s = flexible();
    s.periods = 10;
    s.weeks_left_out = 26;
    s.trend_p = 1;
    check(a, &m, "sparse_ten", &s, m.series);
    alarm_spec_default(ALARM_CLASSIC, &s);
    s.years = 4;
    s.alpha = 0.05;
    check(a, &m, "sparse_classic", &s, m.series);
    s.limit_cases = 0;
    check(a, &m, "sparse_classic_no_limit", &s, m.series);
    arena_free(a);
}

static void test_cusum(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum alarm_transform transform;
    } row[] = {{"cusum_standard", ALARM_STANDARD},        {"cusum_rossi", ALARM_ROSSI},
               {"cusum_anscombe", ALARM_ANSCOMBE},        {"cusum_anscombe2nd", ALARM_ANSCOMBE_2ND},
               {"cusum_pearsonNegBin", ALARM_PEARSON_NB}, {"cusum_none", ALARM_NONE}};
    struct arena *a = test_arena();
    struct made m = load(a);
    for (size_t k = 0; k < sizeof row / sizeof row[0]; k++) {
        struct alarm_spec s;
        alarm_spec_default(ALARM_CUSUM, &s);
        s.transform = row[k].transform;
        s.dispersion = 0.2;
        if (s.transform == ALARM_NONE) s.k = 9;
        check(a, &m, row[k].name, &s, m.series);
    }
    arena_free(a);
}

static void test_likelihood_ratio(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct made m = load(a);
    struct alarm_spec lr, glr;
    struct alarm_series x = m.series;
    x.n = 200;
    alarm_spec_default(ALARM_LR, &lr);
    alarm_spec_default(ALARM_GLR, &glr);
    lr.h = glr.h = 4;
    check(a, &m, "lr_poisson", &lr, x);
    check(a, &m, "glr_poisson", &glr, x);
    lr.dispersion = glr.dispersion = 0.15;
    check(a, &m, "lr_nb", &lr, x);
    check(a, &m, "glr_nb", &glr, x);
    double mean[200];
    for (size_t i = 0; i < 200; i++)
        mean[i] = exp(1.6 + 0.5 * cos(2 * M_PI * (double)(i + 1) / 52.18));
    x.mean = mean;
    check(a, &m, "lr_seasonal", &lr, x);
    check(a, &m, "glr_seasonal", &glr, x);
    arena_free(a);
}

static void test_bayes(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t years, half_window;
        bool current;
        double alpha;
    } row[] = {{"bayes1", 0, 6, true, 0.05},
               {"bayes2", 1, 6, true, 0.05},
               {"bayes3", 2, 4, false, 0.05},
               {"bayes_own", 3, 2, true, 0.005}};
    struct arena *a = test_arena();
    struct made m = load(a);
    for (size_t k = 0; k < 4; k++) {
        struct alarm_spec s;
        alarm_spec_default(ALARM_BAYES, &s);
        s.years = row[k].years;
        s.half_window = row[k].half_window;
        s.current_year = row[k].current;
        s.alpha = row[k].alpha;
        check(a, &m, row[k].name, &s, m.series);
    }
    arena_free(a);
}

static void test_ears(void **state) {
    (void)state;
    static const char *const name[] = {"ears_C1", "ears_C2", "ears_C3"};
    struct arena *a = test_arena();
    struct made m = load(a);
    for (size_t k = 0; k < 3; k++) {
        struct alarm_spec s;
        alarm_spec_default((enum alarm_method)k, &s);
        s.baseline = 14;
        s.min_sigma = 0.3;
        s.alpha = 0.02;
        check(a, &m, name[k], &s, m.series);
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flexible_one_period),
                                       cmocka_unit_test(test_flexible_periods),
                                       cmocka_unit_test(test_classic),
                                       cmocka_unit_test(test_sparse),
                                       cmocka_unit_test(test_cusum),
                                       cmocka_unit_test(test_likelihood_ratio),
                                       cmocka_unit_test(test_bayes),
                                       cmocka_unit_test(test_ears)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
