/* Simulation checks of what has no peer value: EWMA's false alarms against a Markov chain's, the
 * weekday and holiday factors, the negative binomial Anscombe residual. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "num/alarm/adjust.h"
#include "num/alarm/alarm.h"

enum { DAYS = 600, SETS = 400 };

struct days {
    int64_t count[DAYS];
    uint8_t class_of[DAYS];
};

static struct alarm_series series(const struct days *d) {
    return (struct alarm_series){
        .n = DAYS, .from = 140, .count = d->count, .class_of = d->class_of, .year_steps = 365};
}

static const double true_factor[8] = {1.2, 1.1, 1.0, 1.0, 1.2, 0.9, 0.6, 0.4};

static void draw(struct days *d, uint64_t seed, bool weekly, double mean) {
    struct rng r = rng_new(seed, 3);
    for (size_t i = 0; i < DAYS; i++) {
        d->class_of[i] = (uint8_t)(i % 7);
        if (weekly && i % 23 == 11) d->class_of[i] = 7;
        d->count[i] = rng_poisson(&r, mean * (weekly ? true_factor[d->class_of[i]] : 1));
    }
}

static double rate(const struct alarm_spec *s, const struct days *d, size_t class_of) {
    struct alarm_point p[DAYS];
    struct alarm_series x = series(d);
    size_t alarms = 0, judged = 0;
    alarm_run(s, &x, NULL, p);
    for (size_t i = 0; i < DAYS - x.from; i++) {
        if (class_of < 8 && d->class_of[i + x.from] != class_of) continue;
        if (p[i].state == ALARM_OK) judged++;
        if (p[i].alarm) alarms++;
    }
    return judged == 0 ? NAN : (double)alarms / (double)judged;
}

/* Share of points above the limit once settled, for independent Poisson counts of known mean: the
 * stationary law of z = lambda x + (1 - lambda) z on a fine grid, found by iterating it. */
static double ewma_share(double mean, double lambda, double width) {
    enum { GRID = 4000 };
    static double law[GRID], next[GRID];
    double top = mean * 3, step = top / GRID, p[200];
    double limit = mean + width * sqrt(mean * lambda / (2 - lambda)), share = 0;
    for (size_t k = 0; k < 200; k++)
        p[k] = exp((double)k * log(mean) - mean - lgamma((double)k + 1));
    memset(law, 0, sizeof law);
    law[(size_t)(mean / step)] = 1;
    for (int round = 0; round < 60; round++) {
        memset(next, 0, sizeof next);
        for (size_t i = 0; i < GRID; i++) {
            if (law[i] < 1e-12) continue;
            double keep = (1 - lambda) * ((double)i + 0.5) * step;
            for (size_t k = 0; k < 80; k++) {
                double z = keep + lambda * (double)k;
                if (z < top) next[(size_t)(z / step)] += law[i] * p[k];
            }
        }
        memcpy(law, next, sizeof law);
    }
    for (size_t i = 0; i < GRID; i++)
        if (((double)i + 0.5) * step > limit) share += law[i];
    return share;
}

static void test_ewma_false_alarms(void **state) {
    (void)state;
    static struct days d;
    struct alarm_spec s;
    double sum = 0, square = 0;
    alarm_spec_default(ALARM_EWMA, &s);
    s.mean = 10;
    s.width = 2;
    assert_false(alarm_verified(&s));
    for (uint64_t k = 0; k < SETS; k++) {
        draw(&d, 1000 + k, false, 10);
        double r = rate(&s, &d, 8);
        sum += r;
        square += r * r;
    }
    double mean = sum / SETS, se = sqrt((square / SETS - mean * mean) / (SETS - 1));
    double expected = ewma_share(10, s.lambda, s.width);
    print_message("ewma: share above the limit %.5f (standard error %.5f), by its law %.5f\n", mean,
                  se, expected);
    assert_true(se < 0.002);
    /* 0.0005: the first steps, whose narrower limits the stationary law does not know. */
    assert_true(fabs(mean - expected) < 4 * se + 0.0005);
}

static void test_ewma_finds_a_rise(void **state) {
    (void)state;
    static struct days d;
    struct alarm_point p[DAYS];
    size_t found = 0;
    for (size_t normal = 0; normal < 2; normal++) {
        struct alarm_spec s;
        alarm_spec_default(ALARM_EWMA, &s);
        s.normal = normal == 1;
        for (uint64_t k = 0; k < 50; k++) {
            draw(&d, 5000 + k, false, 10);
            for (size_t i = 400; i < 420; i++) d.count[i] += 6;
            struct alarm_series x = series(&d);
            alarm_run(&s, &x, NULL, p);
            for (size_t i = 400; i < 420; i++) {
                if (!p[i - x.from].alarm) continue;
                found++;
                break;
            }
        }
    }
    assert_true(found >= 98);
}

static void test_factors_are_found(void **state) {
    (void)state;
    static struct days d;
    double mean[8] = {0}, level = 0, f[8];
    size_t n[8] = {0};
    for (uint64_t k = 0; k < 200; k++) {
        struct alarm_days w = {0};
        draw(&d, 9000 + k, true, 40);
        struct alarm_series x = series(&d);
        w.lo = w.hi = 100;
        alarm_days_move(&w, &x, 100, 380);
        alarm_days_factors(&w, f);
        for (size_t c = 0; c < 8; c++) mean[c] += f[c] / 200;
    }
    for (size_t i = 100; i < 380; i++) n[d.class_of[i]]++;
    for (size_t c = 0; c < 8; c++) level += true_factor[c] * (double)n[c] / 280;
    for (size_t c = 0; c < 8; c++) {
        print_message("factor %zu: mean estimate %.4f, truth %.4f\n", c, mean[c],
                      true_factor[c] / level);
        assert_true(fabs(mean[c] - true_factor[c] / level) < 0.01);
    }
    /* Holidays seen once have Sunday's factor; a class never seen has 1. */
    struct alarm_days few = {.sum = {10, 10, 10, 10, 10, 5, 2, 40}, .n = {1, 1, 1, 1, 1, 1, 1, 1}};
    alarm_days_factors(&few, f);
    assert_true(f[7] == f[6]);
    few = (struct alarm_days){.sum = {5}, .n = {5, 0, 2}};
    alarm_days_factors(&few, f);
    assert_true(f[1] == 1 && f[2] == ALARM_LEAST_FACTOR);
}

/* With a strong week, a plain method is blind on Sundays and cries on Mondays; with factors the
 * false alarms are alike on all days. */
static void test_weekdays_are_evened_out(void **state) {
    (void)state;
    static struct days d;
    static const enum alarm_method methods[] = {ALARM_C2, ALARM_CUSUM, ALARM_BAYES, ALARM_EWMA};
    for (size_t k = 0; k < 4; k++) {
        struct alarm_spec plain, even;
        double before[2] = {0}, after[2] = {0};
        alarm_spec_default(methods[k], &plain);
        if (methods[k] == ALARM_C2) plain.baseline = 28;
        if (methods[k] == ALARM_C2 || methods[k] == ALARM_BAYES) plain.alpha = 0.02;
        if (methods[k] == ALARM_BAYES) plain.half_window = 56;
        if (methods[k] == ALARM_EWMA) plain.lambda = 1;
        if (methods[k] == ALARM_EWMA) plain.width = 2;
        if (methods[k] == ALARM_CUSUM) plain.h = 1.5;
        even = plain;
        even.weekday_weeks = 12;
        assert_false(alarm_verified(&even));
        for (uint64_t i = 0; i < 60; i++) {
            draw(&d, 700 + i, true, 40);
            before[0] += rate(&plain, &d, 0) / 60;
            before[1] += rate(&plain, &d, 6) / 60;
            after[0] += rate(&even, &d, 0) / 60;
            after[1] += rate(&even, &d, 6) / 60;
        }
        print_message("%s: share of alarms on Mondays %.4f and Sundays %.4f; with factors %.4f and "
                      "%.4f\n",
                      alarm_method_name(methods[k]), before[0], before[1], after[0], after[1]);
        assert_true(fabs(after[0] - after[1]) < fabs(before[0] - before[1]));
        assert_true(after[0] < 0.1 && after[1] < 0.1);
    }
}

/* The residual has slope V(x)^(-1/3) V(m)^(-1/6) and meets the Poisson one as a -> 0. */
static void test_anscombe_negative_binomial(void **state) {
    (void)state;
    struct alarm_spec s;
    alarm_spec_default(ALARM_CUSUM, &s);
    s.k = 0;
    s.h = 1e6;
    s.mean = 7;
    int64_t count[3] = {12, 13, 40};
    struct alarm_series x = {.n = 3, .count = count, .year_steps = 52};
    struct alarm_point p[3], q[3];
    s.transform = ALARM_ANSCOMBE_NB;
    s.dispersion = 1e-10;
    assert_false(alarm_verified(&s));
    alarm_run(&s, &x, NULL, p);
    s.transform = ALARM_ANSCOMBE;
    alarm_run(&s, &x, NULL, q);
    for (size_t i = 0; i < 3; i++) assert_true(fabs(p[i].score / q[i].score - 1) < 1e-8);
    s.transform = ALARM_ANSCOMBE_NB;
    s.dispersion = 0.3;
    alarm_run(&s, &x, NULL, p);
    /* The trapezium rule over V^(-1/3) from m to 12 in steps of 1e-4. */
    double sum = 0, v = 7 + 0.3 * 49;
    for (size_t i = 0; i < 50000; i++) {
        double t = 7 + ((double)i + 0.5) * 1e-4;
        sum += 1e-4 / cbrt(t + 0.3 * t * t);
    }
    assert_true(fabs(p[0].score - sum / sqrt(cbrt(v))) < 1e-8);
    /* The bound is the count that brings the sum to h. */
    s.h = p[0].score;
    alarm_run(&s, &x, NULL, p);
    assert_true(fabs(p[0].upper - 12) < 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ewma_false_alarms), cmocka_unit_test(test_ewma_finds_a_rise),
        cmocka_unit_test(test_factors_are_found), cmocka_unit_test(test_weekdays_are_evened_out),
        cmocka_unit_test(test_anscombe_negative_binomial)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
