/* Properties of the alarm methods: bounds fall as alpha rises, later counts change nothing, order
 * of groups and number of threads change no bit, states are named, evaluation equals counting by
 * hand, malformed settings are refused. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "base/civil.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "num/alarm/adjust.h"
#include "num/alarm/evaluate.h"
#include "num/alarm/inside.h"

enum { WEEKS = 420 };

struct made {
    int64_t count[WEEKS];
    int32_t day[WEEKS];
    double population[WEEKS];
    uint8_t class_of[WEEKS];
};

static struct alarm_series make(struct made *m, uint64_t seed, double level) {
    struct rng r = rng_new(seed, 1);
    for (size_t i = 0; i < WEEKS; i++) {
        double mu = level * exp(0.4 * cos((double)i * 0.1204)) * (0.6 + 0.8 * rng_unit(&r));
        m->count[i] = rng_poisson(&r, mu);
        m->day[i] = (int32_t)civil_days(2015, 1, 5) + 7 * (int32_t)i;
        m->population[i] = 1000 + (double)i;
        m->class_of[i] = (uint8_t)(i % 7);
    }
    return (struct alarm_series){.n = WEEKS,
                                 .count = m->count,
                                 .day = m->day,
                                 .population = m->population,
                                 .class_of = m->class_of,
                                 .year_steps = 52};
}

static void run(const struct alarm_spec *s, const struct alarm_series *x, struct alarm_point *out) {
    struct err err = {0};
    struct alarm_point *const one[] = {out};
    if (alarm_run_many(NULL, s, 1, x, one, &err) != ERR_OK) fail_msg("%s", err.detail);
}

static bool same(const struct alarm_point *a, const struct alarm_point *b) {
    const double x[] = {a->expected, a->upper, a->score, a->p_value, a->dispersion, a->trend};
    const double y[] = {b->expected, b->upper, b->score, b->p_value, b->dispersion, b->trend};
    for (size_t i = 0; i < 6; i++)
        if (isnan(x[i]) ? !isnan(y[i]) : x[i] != y[i]) return false;
    return a->state == b->state && a->alarm == b->alarm;
}

/* Every method with its usual settings; then with weekday factors where they are allowed. */
static size_t variants(struct alarm_spec *s) {
    size_t n = 0;
    for (size_t m = 0; m < ALARM_N_METHODS; m++) {
        alarm_spec_default((enum alarm_method)m, &s[n++]);
        if (m == ALARM_CLASSIC || m == ALARM_FLEXIBLE) {
            s[n - 1].years = 3;
            s[n] = s[n - 1];
            s[n++].power = ALARM_POWER_HALF;
            continue;
        }
        s[n] = s[n - 1];
        s[n++].weekday_weeks = 6;
    }
    return n;
}

static void test_future_is_unknown(void **state) {
    (void)state;
    struct made m;
    struct alarm_spec s[2 * ALARM_N_METHODS];
    struct alarm_point whole[WEEKS], part[WEEKS];
    size_t n = variants(s), judged = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct alarm_series x = make(&m, seed, seed % 2 == 0 ? 3 : 25), cut;
        x.from = 104;
        cut = x;
        cut.n = 300 + seed;
        for (size_t k = 0; k < n; k++) {
            run(&s[k], &x, whole);
            run(&s[k], &cut, part);
            for (size_t i = 0; i < cut.n - cut.from; i++) {
                assert_true(same(&whole[i], &part[i]));
                if (part[i].state == ALARM_OK) judged++;
            }
        }
    }
    assert_true(judged > 10000);
}

static void test_bounds_fall_with_alpha(void **state) {
    (void)state;
    static const double alpha[] = {0.001, 0.005, 0.02, 0.1, 0.3};
    struct made m;
    struct alarm_spec s[2 * ALARM_N_METHODS];
    struct alarm_point low[WEEKS], high[WEEKS];
    size_t n = variants(s), compared = 0, strict = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct alarm_series x = make(&m, seed, 12);
        x.from = 60;
        for (size_t k = 0; k < n; k++) {
            bool sums = s[k].method >= ALARM_CUSUM && s[k].method != ALARM_BAYES;
            for (size_t j = 0; j < 4 && !sums; j++) {
                struct alarm_spec tight = s[k], loose = s[k];
                tight.alpha = alpha[j];
                loose.alpha = alpha[j + 1];
                run(&tight, &x, high);
                run(&loose, &x, low);
                for (size_t i = 0; i < x.n - x.from; i++) {
                    if (high[i].state != ALARM_OK) continue;
                    assert_true(high[i].upper >= low[i].upper);
                    assert_true(low[i].alarm || !high[i].alarm);
                    compared++;
                    if (high[i].upper > low[i].upper) strict++;
                }
            }
        }
    }
    assert_true(compared > 10000 && strict > compared / 2);
}

enum { MANY = 12 };

static void test_threads_and_order(void **state) {
    (void)state;
    static struct made m[MANY];
    static struct alarm_point first[MANY][WEEKS], other[MANY][WEEKS];
    struct alarm_series x[MANY], turned[MANY];
    struct alarm_point *out[MANY], *back[MANY];
    struct alarm_spec s[2 * ALARM_N_METHODS];
    struct err err = {0};
    size_t n = variants(s);
    for (size_t i = 0; i < MANY; i++) {
        x[i] = make(&m[i], 100 + i, 2 + (double)i);
        x[i].from = 110;
        turned[MANY - 1 - i] = x[i];
        out[i] = first[i];
        back[MANY - 1 - i] = other[i];
    }
    for (size_t threads = 1; threads <= 4; threads *= 2) {
        struct pool *pool = NULL;
        assert_int_equal(pool_new(threads, &pool, &err), ERR_OK);
        struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = threads};
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(alarm_run_many(NULL, &s[k], MANY, x, out, &err), ERR_OK);
            assert_int_equal(alarm_run_many(&run, &s[k], MANY, turned, back, &err), ERR_OK);
            for (size_t i = 0; i < MANY; i++)
                for (size_t t = 0; t < WEEKS - 110; t++)
                    assert_true(same(&first[i][t], &other[i][t]));
        }
        pool_free(pool);
    }
}

static bool stop_now(void *arg) {
    (void)arg;
    return true;
}

static void test_stop_and_memory(void **state) {
    (void)state;
    struct made m;
    struct alarm_point p[WEEKS];
    struct alarm_point *const out[] = {p};
    struct alarm_series x = make(&m, 5, 9);
    struct alarm_spec s;
    struct err err = {0};
    struct num_run run = {.stop = stop_now};
    alarm_spec_default(ALARM_FLEXIBLE, &s);
    assert_int_equal(alarm_run_many(&run, &s, 1, &x, out, &err), ERR_TIMEOUT);
    run = (struct num_run){.max_bytes = 100};
    assert_int_equal(alarm_run_many(&run, &s, 1, &x, out, &err), ERR_LIMIT);
    mem_fault_arm(0);
    assert_int_equal(alarm_run_many(NULL, &s, 1, &x, out, &err), ERR_NOMEM);
    assert_true(mem_fault_disarm());
}

static void test_states_are_named(void **state) {
    (void)state;
    struct made m;
    struct alarm_point p[WEEKS];
    struct alarm_series x = make(&m, 8, 9);
    struct alarm_spec s[2 * ALARM_N_METHODS];
    size_t n = variants(s), seen[ALARM_N_STATES] = {0};
    for (size_t quiet = 0; quiet < 2; quiet++) {
        for (size_t i = 0; i < WEEKS && quiet > 0; i++) m.count[i] = i < 380 ? 0 : 3;
        for (size_t k = 0; k < n; k++) {
            x.from = alarm_needs_before(&s[k]) && quiet == 0 ? 0 : 20;
            run(&s[k], &x, p);
            for (size_t i = 0; i < x.n - x.from; i++) {
                seen[p[i].state]++;
                assert_int_equal(isnan(p[i].upper), p[i].state != ALARM_OK);
                if (p[i].state == ALARM_OK) assert_true(isfinite(p[i].expected));
                if (p[i].state != ALARM_OK) assert_false(p[i].alarm);
                assert_true(p[i].upper >= 0 || isnan(p[i].upper));
                assert_true(isnan(p[i].p_value) || (p[i].p_value >= 0 && p[i].p_value <= 1));
            }
        }
    }
    print_message("states: ok %zu, short %zu, few %zu, flat %zu, no fit %zu\n", seen[0], seen[1],
                  seen[2], seen[3], seen[4]);
    assert_true(seen[ALARM_OK] > 0 && seen[ALARM_SHORT] > 0 && seen[ALARM_FEW] > 0);
    assert_true(seen[ALARM_FLAT] > 0);
    for (size_t k = 0; k < ALARM_N_STATES; k++)
        assert_true(strlen(alarm_state_name((enum alarm_state)k)) > 0);
}

/* EARS by definition, with plain sums, against the sliding sums; large counts keep them exact. */
static void test_ears_by_definition(void **state) {
    (void)state;
    struct made m;
    struct alarm_point p[WEEKS];
    struct alarm_series x = make(&m, 3, 30);
    struct alarm_spec s;
    for (size_t i = 0; i < WEEKS; i++) m.count[i] = 9000000 + 997 * (m.count[i] % 900);
    alarm_spec_default(ALARM_C2, &s);
    s.baseline = 31;
    s.guard = 4;
    run(&s, &x, p);
    for (size_t t = 0; t < WEEKS; t++) {
        if (t < 35) {
            assert_int_equal(p[t].state, ALARM_SHORT);
            continue;
        }
        double mean = 0, square = 0;
        for (size_t i = t - 35; i < t - 4; i++) mean += (double)m.count[i] / 31;
        for (size_t i = t - 35; i < t - 4; i++)
            square += ((double)m.count[i] - mean) * ((double)m.count[i] - mean) / 30;
        double upper = mean + 3.090232306167813 * sqrt(square);
        assert_true(fabs(p[t].upper / upper - 1) < 1e-12);
        assert_true(fabs(p[t].expected / mean - 1) < 1e-13);
    }
}

/* A population that only changes its unit changes no bound; Farrington's bound scales with none
 * other than the unit of population. */
static void test_population_unit(void **state) {
    (void)state;
    struct made m;
    struct alarm_point a[WEEKS], b[WEEKS];
    struct alarm_series x = make(&m, 4, 15);
    struct alarm_spec s;
    size_t ok = 0;
    alarm_spec_default(ALARM_FLEXIBLE, &s);
    s.years = 3;
    s.population_offset = true;
    s.threshold = ALARM_DELTA;
    run(&s, &x, a);
    for (size_t i = 0; i < WEEKS; i++) m.population[i] /= 1000;
    run(&s, &x, b);
    for (size_t t = 0; t < WEEKS; t++) {
        assert_int_equal(a[t].state, b[t].state);
        if (a[t].state != ALARM_OK) continue;
        assert_true(fabs(a[t].upper / b[t].upper - 1) < 1e-6);
        ok++;
    }
    assert_true(ok > 200);
}

static void test_published_c3(void **state) {
    (void)state;
    struct made m;
    struct alarm_point p[WEEKS], c2[WEEKS];
    struct alarm_series x = make(&m, 6, 20);
    struct alarm_spec s, two;
    size_t alarms = 0;
    alarm_spec_default(ALARM_C3, &s);
    alarm_spec_default(ALARM_C2, &two);
    s.published = true;
    assert_false(alarm_verified(&s));
    run(&s, &x, p);
    run(&two, &x, c2);
    for (size_t t = 20; t < WEEKS; t++) {
        double sum = 0;
        for (size_t i = 0; i < 3; i++) sum += fmax(0, c2[t - i].score - 1);
        assert_true(fabs(sum - p[t].score) < 1e-9);
        assert_int_equal(p[t].alarm, sum > 1.959963984540054);
        if (p[t].alarm) alarms++;
    }
    assert_true(alarms > 0);
}

/* One outbreak, labelled points [lo, hi), counted by hand. */
static void hand_outbreak(const struct alarm_point *p, size_t lo, size_t hi, size_t from,
                          struct alarm_score *hand) {
    size_t any = 0, hits = 0;
    for (size_t i = lo > from ? lo : from; i < hi; i++) {
        any += p[i - from].state == ALARM_OK;
        if (p[i - from].alarm && hits++ == 0) hand->days_sum += 7 * (i - lo);
    }
    hand->outbreaks += any > 0;
    hand->found += hits > 0;
}

static struct alarm_score hand_score(const struct alarm_point *p, const uint8_t *label, size_t from,
                                     size_t n) {
    struct alarm_score hand = {0};
    for (size_t i = from; i < n; i++) {
        const struct alarm_point *q = &p[i - from];
        hand.judged += q->state == ALARM_OK;
        hand.quiet += q->state == ALARM_OK && label[i] == 0;
        hand.false_alarms += q->alarm && label[i] == 0;
        hand.outbreak_points += q->state == ALARM_OK && label[i] == 1;
        hand.true_alarms += q->alarm && label[i] == 1;
    }
    for (size_t lo = 0; lo < n; lo++) {
        size_t hi = lo;
        if (label[lo] == 0 || (lo > 0 && label[lo - 1] == 1)) continue;
        while (hi < n && label[hi] == 1) hi++;
        hand_outbreak(p, lo, hi, from, &hand);
    }
    return hand;
}

/* alarm_evaluate against counting by hand, on random labels and alarms. */
static void test_evaluate_by_hand(void **state) {
    (void)state;
    struct rng r = rng_new(77, 2);
    for (size_t round = 0; round < 200; round++) {
        struct alarm_point p[60];
        uint8_t label[60];
        int32_t day[60];
        size_t from = rng_below(&r, 20), n = 60;
        struct alarm_score s = {0};
        for (size_t i = 0; i < n; i++) {
            label[i] = rng_below(&r, 3) == 0 ? 1 : 0;
            day[i] = (int32_t)(100 + 7 * i);
            if (i < from) continue;
            p[i - from] = alarm_blank(rng_below(&r, 5) == 0 ? ALARM_SHORT : ALARM_OK);
            p[i - from].alarm = p[i - from].state == ALARM_OK && rng_below(&r, 3) == 0;
        }
        alarm_evaluate(p, label, from, n, round % 2 == 0 ? day : NULL, 7, &s);
        struct alarm_score hand = hand_score(p, label, from, n);
        assert_int_equal(s.judged, hand.judged);
        assert_int_equal(s.unjudged, n - from - hand.judged);
        assert_int_equal(s.quiet, hand.quiet);
        assert_int_equal(s.false_alarms, hand.false_alarms);
        assert_int_equal(s.outbreak_points, hand.outbreak_points);
        assert_int_equal(s.true_alarms, hand.true_alarms);
        assert_int_equal(s.outbreaks, hand.outbreaks);
        assert_int_equal(s.found, hand.found);
        assert_int_equal(s.days_sum, hand.days_sum);
    }
    struct alarm_score none = {0};
    assert_true(isnan(alarm_false_rate(&none)) && isnan(alarm_days_to_detection(&none)));
}

static void test_years_back(void **state) {
    (void)state;
    struct made m;
    struct alarm_series x = make(&m, 1, 5);
    struct alarm_spec s = {.by_date = true};
    /* 2021-01-04 is index 313; one year before is Saturday 2020-01-04, nearest Monday the 6th. */
    assert_int_equal(m.day[313], civil_days(2021, 1, 4));
    assert_int_equal(alarm_years_back(&s, &x, 313, 1), 261);
    assert_int_equal(alarm_years_back(&s, &x, 313, 6), 0);
    assert_int_equal(alarm_years_back(&s, &x, 313, 7), SIZE_MAX);
    s.by_date = false;
    assert_int_equal(alarm_years_back(&s, &x, 313, 1), 261);
    assert_int_equal(alarm_years_back(&s, &x, 313, 6), 1);
    assert_int_equal(alarm_years_back(&s, &x, 51, 1), SIZE_MAX);
}

static void refuse(struct alarm_spec s, const char *word) {
    struct err err = {0};
    assert_int_equal(alarm_spec_check(&s, &err), ERR_INVALID);
    if (strstr(err.detail, word) == NULL) fail_msg("\"%s\" does not name %s", err.detail, word);
}

static void test_refusals(void **state) {
    (void)state;
    struct alarm_spec s;
    for (size_t m = 0; m < ALARM_N_METHODS; m++) {
        struct err err = {0};
        alarm_spec_default((enum alarm_method)m, &s);
        assert_int_equal(alarm_spec_check(&s, &err), ERR_OK);
        assert_int_equal(alarm_method_find(alarm_method_name((enum alarm_method)m)), m);
        s.alpha = 0;
        refuse(s, "alpha");
    }
    assert_int_equal(alarm_method_find("c4"), ALARM_N_METHODS);
#define BAD(method, member, value, word)                                                           \
    alarm_spec_default(method, &s);                                                                \
    s.member = value;                                                                              \
    refuse(s, word)
    BAD(ALARM_C1, baseline, 2, "baseline");
    BAD(ALARM_C1, guard, 400, "guard");
    BAD(ALARM_C1, min_sigma, NAN, "min-sigma");
    BAD(ALARM_C1, weekday_weeks, 999, "weekday-weeks");
    BAD(ALARM_FLEXIBLE, years, 0, "years");
    BAD(ALARM_FLEXIBLE, half_window, 26, "half-window");
    BAD(ALARM_FLEXIBLE, weights_threshold, 0, "weights-threshold");
    BAD(ALARM_FLEXIBLE, trend_p, 1.5, "trend-p");
    BAD(ALARM_FLEXIBLE, limit_weeks, 1000, "limit-weeks");
    BAD(ALARM_FLEXIBLE, periods, 0, "periods");
    BAD(ALARM_FLEXIBLE, half_window, 25, "periods");
    BAD(ALARM_FLEXIBLE, weeks_left_out, 600, "left-out");
    BAD(ALARM_FLEXIBLE, weekday_weeks, 4, "weekday-weeks");
    BAD(ALARM_CUSUM, h, 0, "h");
    BAD(ALARM_CUSUM, k, -1, "k");
    BAD(ALARM_CUSUM, mean, NAN, "mean");
    BAD(ALARM_CUSUM, dispersion, -1, "dispersion");
    BAD(ALARM_CUSUM, transform, ALARM_PEARSON_NB, "dispersion");
    BAD(ALARM_LR, shift, 0, "shift");
    BAD(ALARM_BAYES, years, 31, "years");
    BAD(ALARM_BAYES, half_window, 200, "half-window");
    BAD(ALARM_BAYES, half_window, 0, "years");
    BAD(ALARM_EWMA, lambda, 0, "lambda");
    BAD(ALARM_EWMA, width, 0, "width");
    BAD(ALARM_EWMA, mean, -1, "mean");
    BAD(ALARM_C1, method, ALARM_N_METHODS, "method");
}

static void refuse_series(const struct alarm_spec *s, struct alarm_series x, const char *word) {
    struct err err = {0};
    assert_int_equal(alarm_series_check(s, &x, &err), ERR_INVALID);
    if (strstr(err.detail, word) == NULL) fail_msg("\"%s\" does not name %s", err.detail, word);
}

static void test_series_refusals(void **state) {
    (void)state;
    struct made m;
    struct alarm_series good = make(&m, 1, 5), x;
    struct alarm_spec s;
    int64_t count[] = {1, -1};
    int32_t day[] = {5, 5};
    double none[WEEKS] = {0};
    alarm_spec_default(ALARM_FLEXIBLE, &s);
    s.population_offset = true;
    x = good;
    x.from = WEEKS + 1;
    refuse_series(&s, x, "from");
    x = (struct alarm_series){.n = 2, .count = count, .year_steps = 52};
    refuse_series(&s, x, "count");
    count[1] = 2;
    x.day = day;
    refuse_series(&s, x, "dates");
    x.day = NULL;
    refuse_series(&s, x, "dates");
    x = good;
    x.year_steps = 365;
    refuse_series(&s, x, "weeks");
    x.year_steps = 0;
    refuse_series(&s, x, "year");
    x = good;
    x.population = NULL;
    refuse_series(&s, x, "population");
    x.population = none;
    refuse_series(&s, x, "population");
    x = good;
    x.mean = none;
    refuse_series(&s, x, "expected");
    alarm_spec_default(ALARM_C1, &s);
    s.weekday_weeks = 4;
    x = good;
    x.class_of = NULL;
    refuse_series(&s, x, "weekday");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_future_is_unknown), cmocka_unit_test(test_bounds_fall_with_alpha),
        cmocka_unit_test(test_threads_and_order), cmocka_unit_test(test_stop_and_memory),
        cmocka_unit_test(test_states_are_named),  cmocka_unit_test(test_ears_by_definition),
        cmocka_unit_test(test_population_unit),   cmocka_unit_test(test_published_c3),
        cmocka_unit_test(test_evaluate_by_hand),  cmocka_unit_test(test_years_back),
        cmocka_unit_test(test_refusals),          cmocka_unit_test(test_series_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
