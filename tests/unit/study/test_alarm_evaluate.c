/* The 14 labelled rki_* series of the shared data: alarms of C1 and CUSUM and the counting of the
 * evaluation are computed a second time here, by definition and by hand; the figures of all
 * methods are fixed. Skipped, saying so, where the series are not there. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "study/alarm/answer.h"
#include "study/alarm/settings.h"

static const char *const files[] = {"h1_nrwrp", "k1", "m1",      "m2", "m3", "m4", "m5",
                                    "n1",       "n2", "q1_nrwh", "q2", "s1", "s2", "s3"};
enum { N_FILES = sizeof files / sizeof files[0] };

static const struct series_set *load(struct arena *a, size_t k) {
    struct err err = {0};
    const struct table *t = NULL;
    const struct series_set *s = NULL;
    const char *path = arena_printf(a, "%s/../shared/data/03-reference/surveillance/rki_%s.csv",
                                    SOURCE_DIR, files[k]);
    if (access(path, R_OK) != 0) {
        print_message("skipped: there is no %s\n", path);
        return NULL;
    }
    const struct series_options o = {.date = "t", .count = "observed", .need_label = true};
    if (table_load(a, path, 0, 10000, &t, &err) != ERR_OK ||
        series_read(a, t, &o, &s, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return s;
}

static void add(struct alarm_score *sum, const struct alarm_score *s) {
    sum->judged += s->judged;
    sum->unjudged += s->unjudged;
    sum->quiet += s->quiet;
    sum->false_alarms += s->false_alarms;
    sum->outbreak_points += s->outbreak_points;
    sum->true_alarms += s->true_alarms;
    sum->outbreaks += s->outbreaks;
    sum->found += s->found;
    sum->days_sum += s->days_sum;
}

/* C1 by definition: mean and sd of the seven weeks before, quantile of 0.001. */
static bool c1_alarm(const int64_t *x, size_t t) {
    double mean = 0, square = 0;
    for (size_t i = t - 7; i < t; i++) mean += (double)x[i] / 7;
    for (size_t i = t - 7; i < t; i++) square += ((double)x[i] - mean) * ((double)x[i] - mean);
    return (double)x[t] > mean + 3.090232306167813 * sqrt(square / 6) + 1e-12;
}

static void cusum_alarms(const int64_t *x, size_t from, size_t n, bool *alarm) {
    double m = 0, sum = 0;
    for (size_t i = 0; i < from; i++) m += (double)x[i];
    m /= (double)from;
    for (size_t i = from; i < n; i++) {
        double z = ((double)x[i] - 3 * m + 2 * sqrt((double)x[i] * m)) / (2 * sqrt(m));
        sum = sum + z - 1.04 > 0 ? sum + z - 1.04 : 0;
        alarm[i] = sum >= 2.26;
    }
}

/* Weeks from `from` on with their alarms: the score by plain counting. */
static struct alarm_score by_hand(const bool *alarm, const uint8_t *label, size_t from, size_t n) {
    struct alarm_score s = {.judged = n - from};
    for (size_t i = from; i < n; i++) {
        s.quiet += label[i] == 0;
        s.false_alarms += label[i] == 0 && alarm[i];
        s.outbreak_points += label[i] == 1;
        s.true_alarms += label[i] == 1 && alarm[i];
    }
    for (size_t lo = 0; lo < n; lo++) {
        size_t hi = lo, first = 0;
        if (label[lo] == 0 || (lo > 0 && label[lo - 1] == 1)) continue;
        while (hi < n && label[hi] == 1) hi++;
        if (hi <= from) continue;
        s.outbreaks++;
        for (first = lo < from ? from : lo; first < hi && !alarm[first];) first++;
        if (first == hi) continue;
        s.found++;
        s.days_sum += 7 * (first - lo);
    }
    return s;
}

static void check(const struct alarm_score *a, const struct alarm_score *b) {
    assert_int_equal(a->judged, b->judged);
    assert_int_equal(a->quiet, b->quiet);
    assert_int_equal(a->false_alarms, b->false_alarms);
    assert_int_equal(a->outbreak_points, b->outbreak_points);
    assert_int_equal(a->true_alarms, b->true_alarms);
    assert_int_equal(a->outbreaks, b->outbreaks);
    assert_int_equal(a->found, b->found);
    assert_int_equal(a->days_sum, b->days_sum);
}

static void score_of(struct arena *a, const struct series_set *set, const char *method,
                     struct alarm_score *out) {
    struct settings s;
    struct alarm_spec spec;
    struct alarm_answer answer;
    struct err err = {0};
    const struct alarm_when when = {NULL, -1, -1};
    settings_init(&s);
    if (settings_spec(&s, method, false, &spec, &err) != ERR_OK) fail_msg("%s", err.detail);
    if (spec.method == ALARM_CLASSIC || spec.method == ALARM_FLEXIBLE) spec.years = 3;
    if (alarm_answer(a, NULL, set, &spec, &when, &answer, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    alarm_answer_score(&answer, SIZE_MAX, out);
}

static void test_against_brute_force(void **state) {
    (void)state;
    struct arena *a = test_arena();
    for (size_t k = 0; k < N_FILES; k++) {
        const struct series_set *set = load(a, k);
        bool alarm[1000] = {false};
        struct alarm_score ours, hand;
        if (set == NULL) break;
        const struct series_group *g = &set->group[0];
        assert_true(g->n == 209);
        for (size_t t = 7; t < g->n; t++) alarm[t] = c1_alarm(g->count, t);
        hand = by_hand(alarm, g->label, 7, g->n);
        score_of(a, set, "c1", &ours);
        check(&ours, &hand);
        memset(alarm, 0, sizeof alarm);
        cusum_alarms(g->count, 52, g->n, alarm);
        hand = by_hand(alarm, g->label, 52, g->n);
        score_of(a, set, "cusum", &ours);
        check(&ours, &hand);
    }
    arena_free(a);
}

static void test_fixed_figures(void **state) {
    (void)state;
    static const struct {
        const char *method;
        size_t judged, quiet, false_alarms, outbreaks, found, days;
    } row[] = {{"c1", 2828, 2624, 106, 14, 11, 182},
               {"c2", 2800, 2601, 116, 13, 10, 154},
               {"c3", 2772, 2577, 91, 13, 11, 294},
               {"farrington", 700, 682, 7, 1, 1, 49},
               {"farrington-flexible", 700, 682, 9, 1, 1, 49},
               {"cusum", 2198, 2054, 674, 9, 7, 217},
               {"lr", 2198, 2054, 57, 9, 6, 343},
               {"glr", 2198, 2054, 78, 9, 6, 238},
               {"bayes1", 2842, 2636, 98, 14, 11, 217},
               {"ewma", 2198, 2054, 254, 9, 8, 294}};
    struct arena *a = test_arena();
    for (size_t m = 0; m < sizeof row / sizeof row[0]; m++) {
        struct alarm_score sum = {0}, one;
        size_t k = 0;
        for (; k < N_FILES; k++) {
            const struct series_set *set = load(a, k);
            if (set == NULL) break;
            score_of(a, set, row[m].method, &one);
            add(&sum, &one);
        }
        if (k < N_FILES) break;
        print_message("%s: judged %zu, quiet %zu, false %zu (%.4f), outbreaks %zu, found %zu "
                      "(%.3f), mean days %.2f (%zu)\n",
                      row[m].method, sum.judged, sum.quiet, sum.false_alarms,
                      alarm_false_rate(&sum), sum.outbreaks, sum.found, alarm_sensitivity(&sum),
                      alarm_days_to_detection(&sum), sum.days_sum);
        assert_int_equal(sum.judged, row[m].judged);
        assert_int_equal(sum.quiet, row[m].quiet);
        assert_int_equal(sum.false_alarms, row[m].false_alarms);
        assert_int_equal(sum.outbreaks, row[m].outbreaks);
        assert_int_equal(sum.found, row[m].found);
        assert_int_equal(sum.days_sum, row[m].days);
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_brute_force),
                                       cmocka_unit_test(test_fixed_figures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
