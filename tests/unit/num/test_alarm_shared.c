/* Alarm methods against the reference tables of the shared data (R surveillance 1.20.3). Skipped,
 * saying so, where the tables are not there. */
#include "alarm_reference.h"

#include <math.h>

#define ALARMS "../shared/data/reference/alarms/"
#define PUBLISHED "../shared/data/03-reference/surveillance/"

struct series {
    const struct table *table;
    struct alarm_series x;
};

static bool load_series(struct arena *a, const char *path, const char *count, const char *date,
                        struct series *s) {
    s->table = reference_table(a, path);
    if (s->table == NULL) return false;
    s->x = (struct alarm_series){.n = s->table->n_row,
                                 .count = reference_counts(a, s->table, count),
                                 .day = date == NULL ? NULL : reference_days(a, s->table, date),
                                 .year_steps = 52};
    return true;
}

/* What a reference table calls its columns; NULL: it has none. */
struct names {
    const char *t, *upper, *alarm, *expected, *phi, *trend, *p, *score, *used;
};

enum { QUANTITIES = 6 };

/* One point: theirs[k] is NULL where the table has no such column. The classic writes a bound of 0
 * where the limit of cases forbids an alarm; without a bound there is no score. */
static void compare(struct agreement *g, const struct alarm_point *q, double *const *theirs,
                    size_t row) {
    const double ours[QUANTITIES] = {q->upper, q->expected, q->dispersion,
                                     q->trend, q->p_value,  q->score};
    bool few = q->state == ALARM_FEW;
    for (size_t k = 0; k < QUANTITIES; k++) {
        if (theirs[k] == NULL || isnan(theirs[k][row])) continue;
        if (few && (k == 5 || (k == 0 && theirs[k][row] == 0))) continue;
        agree(&g[k], ours[k], theirs[k][row]);
    }
}

/* Rows lo .. hi-1 of the expected table against the points of the spec. */
static void check(struct arena *a, const char *where, const struct alarm_spec *s,
                  struct alarm_series x, const struct table *t, const struct names *n, size_t lo,
                  size_t hi) {
    const char *name[QUANTITIES] = {n->upper, n->expected, n->phi, n->trend, n->p, n->score};
    static const char *const what[QUANTITIES] = {"upper", "expected", "dispersion",
                                                 "trend", "p",        "score"};
    struct agreement g[QUANTITIES];
    double *theirs[QUANTITIES] = {0}, *at = reference_column(a, t, n->t);
    size_t alarms = 0;
    for (size_t k = 0; k < QUANTITIES; k++) {
        g[k] = (struct agreement){what[k], 1e-6, 0, 0, 0};
        if (name[k] != NULL) theirs[k] = reference_column(a, t, name[k]);
    }
    x.from = (size_t)at[lo] - 1;
    struct alarm_point *out = run_one(a, s, &x);
    for (size_t i = lo; i < hi; i++) {
        const struct alarm_point *q = &out[(size_t)at[i] - 1 - x.from];
        compare(g, q, theirs, i);
        if (s->limit_cases > 0)
            assert_int_equal(q->state == ALARM_FEW, isnan(theirs[0][i]) || theirs[0][i] == 0);
        if (n->used != NULL) assert_int_equal(!isnan(q->trend), reference_flag(t, i, n->used));
        assert_int_equal(q->alarm, reference_flag(t, i, n->alarm));
        alarms += q->alarm ? 1 : 0;
    }
    print_message("%s: %zu points, %zu alarms identical\n", where, hi - lo, alarms);
    for (size_t k = 0; k < QUANTITIES; k++)
        if (theirs[k] != NULL) agree_end(&g[k], where);
    assert_true(alarm_verified(s));
}

static void test_ears(void **state) {
    (void)state;
    static const struct names n = {.t = "t", .upper = "upperbound", .alarm = "alarm"};
    static const char *const method[] = {"C1", "C2", "C3"};
    struct arena *a = test_arena();
    struct series agona;
    for (size_t file = 0; file < 2; file++) {
        const struct table *t =
            reference_table(a, file == 0 ? ALARMS "ears_agona.expected.csv"
                                         : ALARMS "ears_agona_minsigma05.expected.csv");
        if (t == NULL || !load_series(a, ALARMS "agona.input.csv", "agona", NULL, &agona)) break;
        for (size_t k = 0, lo = 0; k < 3; k++) {
            struct alarm_spec s;
            size_t hi = lo;
            alarm_spec_default((enum alarm_method)k, &s);
            if (file == 1) {
                s.alpha = 0.01;
                s.min_sigma = 0.5;
            }
            while (hi < t->n_row && strcmp(table_text(t, hi, 0), method[k]) == 0) hi++;
            assert_true(hi > lo);
            check(a, method[k], &s, agona.x, t, &n, lo, hi);
            lo = hi;
        }
    }
    arena_free(a);
}

static void test_farrington_agona(void **state) {
    (void)state;
    static const struct names flexible = {"t",          "upperbound", "alarm", "expected",  "phi",
                                          "trend_coef", "pvalue",     NULL,    "trend_used"};
    static const struct names delta = {"t",          "upperbound", "alarm", "expected",  "phi",
                                       "trend_coef", "pvalue",     "score", "trend_used"};
    static const struct names classic = {.t = "t", .upper = "upperbound", .alarm = "alarm"};
    struct arena *a = test_arena();
    struct series agona;
    struct alarm_spec s;
    const struct table *t = reference_table(a, ALARMS "ff_agona_delta.expected.csv");
    if (t == NULL || !load_series(a, ALARMS "agona.input.csv", "agona", NULL, &agona)) {
        arena_free(a);
        return;
    }
    alarm_spec_default(ALARM_FLEXIBLE, &s);
    s.by_date = false;
    s.years = 4;
    s.alpha = s.trend_p = 0.05;
    s.periods = 1;
    s.weeks_left_out = 3;
    s.threshold = ALARM_DELTA;
    check(a, "ff_agona_delta", &s, agona.x, t, &delta, 0, t->n_row);
    s.threshold = ALARM_NB_PLUGIN;
    s.periods = 10;
    s.weeks_left_out = 26;
    s.alpha = 0.01;
    s.trend_p = 1;
    t = reference_table(a, ALARMS "ff_agona_noufaily.expected.csv");
    if (t != NULL) check(a, "ff_agona_noufaily", &s, agona.x, t, &flexible, 0, t->n_row);
    alarm_spec_default(ALARM_CLASSIC, &s);
    s.years = 4;
    s.alpha = 0.01;
    t = reference_table(a, ALARMS "farrington1996_agona.expected.csv");
    if (t != NULL) check(a, "farrington1996_agona", &s, agona.x, t, &classic, 0, t->n_row);
    static const struct names named = {.t = "week", .upper = "upperbound", .alarm = "alarm"};
    t = reference_table(a, PUBLISHED "salmonella_agona_farrington_b4w3.csv");
    s.alpha = 0.05;
    if (t != NULL) check(a, "salmonella_agona_b4w3", &s, agona.x, t, &named, 0, t->n_row);
    arena_free(a);
}

static void test_cusum_agona(void **state) {
    (void)state;
    static const struct names n = {
        .t = "t", .upper = "upperbound", .alarm = "alarm", .score = "cusum"};
    static const struct {
        const char *name;
        enum alarm_transform transform;
    } row[] = {{"standard", ALARM_STANDARD}, {"rossi", ALARM_ROSSI}, {"anscombe", ALARM_ANSCOMBE}};
    struct arena *a = test_arena();
    struct series agona;
    const struct table *t = reference_table(a, ALARMS "cusum_agona.expected.csv");
    if (t != NULL && load_series(a, ALARMS "agona.input.csv", "agona", NULL, &agona)) {
        for (size_t k = 0, lo = 0; k < 3; k++) {
            struct alarm_spec s;
            size_t hi = lo;
            alarm_spec_default(ALARM_CUSUM, &s);
            s.transform = row[k].transform;
            while (hi < t->n_row && strcmp(table_text(t, hi, 0), row[k].name) == 0) hi++;
            assert_true(hi > lo);
            check(a, row[k].name, &s, agona.x, t, &n, lo, hi);
            lo = hi;
        }
    }
    arena_free(a);
}

static void test_newport_flexible(void **state) {
    (void)state;
    static const struct names n = {"i",  "upperbound", "alarm", "expected", NULL,
                                   NULL, "pvalue",     NULL,    "trend"};
    static const struct names delta = {"i",  "upperbound", "alarm", "expected", NULL,
                                       NULL, "pvalue",     "score", "trend"};
    struct arena *a = test_arena();
    struct series newport;
    struct alarm_spec s;
    const struct table *t =
        reference_table(a, PUBLISHED "salmNewport_farringtonFlexible_improved_delta.csv");
    if (t == NULL || !load_series(a, PUBLISHED "salmNewport_germany_weekly.csv", "observed",
                                  "week_start", &newport)) {
        arena_free(a);
        return;
    }
    alarm_spec_default(ALARM_FLEXIBLE, &s);
    s.years = 4;
    s.threshold = ALARM_DELTA;
    check(a, "newport_delta", &s, newport.x, t, &delta, 0, t->n_row);
    t = reference_table(a, PUBLISHED "salmNewport_farringtonFlexible_improved_muan.csv");
    s.threshold = ALARM_MUAN;
    if (t != NULL) check(a, "newport_muan", &s, newport.x, t, &n, 0, t->n_row);
    t = reference_table(a, PUBLISHED "salmNewport_farringtonFlexible_improved_nbPlugin.csv");
    s.threshold = ALARM_NB_PLUGIN;
    if (t != NULL) check(a, "newport_nbPlugin", &s, newport.x, t, &n, 0, t->n_row);
    t = reference_table(a, PUBLISHED "salmNewport_farringtonFlexible_original.csv");
    s.threshold = ALARM_DELTA;
    s.periods = 1;
    s.weeks_left_out = 3;
    s.weights_threshold = 1;
    s.trend_p = 0.05;
    if (t != NULL) check(a, "newport_original", &s, newport.x, t, &delta, 0, t->n_row);
    arena_free(a);
}

static void test_newport_others(void **state) {
    (void)state;
    static const struct names ears[] = {{.t = "i", .upper = "C1_ub", .alarm = "C1"},
                                        {.t = "i", .upper = "C2_ub", .alarm = "C2"},
                                        {.t = "i", .upper = "C3_ub", .alarm = "C3"}};
    static const struct names cusum = {.t = "i", .upper = "upperbound", .alarm = "alarm"};
    static const char *const name[] = {"newport_c1", "newport_c2", "newport_c3"};
    struct arena *a = test_arena();
    struct series newport;
    struct alarm_spec s;
    const struct table *t = reference_table(a, PUBLISHED "salmNewport_ears.csv");
    if (t != NULL && load_series(a, PUBLISHED "salmNewport_germany_weekly.csv", "observed",
                                 "week_start", &newport)) {
        for (size_t k = 0; k < 3; k++) {
            alarm_spec_default((enum alarm_method)k, &s);
            check(a, name[k], &s, newport.x, t, &ears[k], 0, t->n_row);
        }
        t = reference_table(a, PUBLISHED "salmNewport_cusum_rossi.csv");
        alarm_spec_default(ALARM_CUSUM, &s);
        if (t != NULL) check(a, "newport_cusum", &s, newport.x, t, &cusum, 0, t->n_row);
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ears), cmocka_unit_test(test_farrington_agona),
        cmocka_unit_test(test_cusum_agona), cmocka_unit_test(test_newport_flexible),
        cmocka_unit_test(test_newport_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
