#include "testing.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sanitizer.h"
#include "base/workcal.h"

static const int64_t minute = INT64_C(60000000);
enum { WEEKDAYS = 0x1F, MAX_EX = 12 };

static const struct work_span office[] = {{510, 720}, {810, 1050}}; /* 08:30-12:00, 13:30-17:30 */

/* State Council General Office notice of 2024-11-12 for 2025: National Day and Mid-Autumn 1 to 8
 * October, working Sunday 28 September and Saturday 11 October. */
static size_t october_2025(struct work_exception *out) {
    size_t n = 0;
    for (int day = 1; day <= 8; day++)
        out[n++] = (struct work_exception){(int32_t)civil_days(2025, 10, day), false};
    out[n++] = (struct work_exception){(int32_t)civil_days(2025, 9, 28), true};
    out[n++] = (struct work_exception){(int32_t)civil_days(2025, 10, 11), true};
    return n;
}

static const struct work_calendar *shanghai(struct arena *a) {
    const struct tz *tz;
    const struct work_calendar *cal;
    struct work_exception ex[MAX_EX];
    size_t n = october_2025(ex);
    assert_int_equal(tz_load(a, "Asia/Shanghai", &tz, NULL), ERR_OK);
    assert_int_equal(work_calendar_new(a, tz, WEEKDAYS, office, 2, ex, n, 2024, 2026, &cal, NULL),
                     ERR_OK);
    return cal;
}

static int64_t at(const char *text) {
    int64_t us;
    assert_int_equal(rfc3339_parse(text, &us, NULL), ERR_OK);
    return us;
}

static void due(const struct work_calendar *cal, const char *start, int64_t n_milli,
                enum work_unit unit, const char *expected) {
    char text[32];
    int64_t got = work_deadline(cal, at(start), n_milli, unit, NULL);
    rfc3339_format(got + 8 * 3600 * INT64_C(1000000), text);
    text[19] = '\0';
    assert_string_equal(text, expected);
    assert_int_equal(work_elapsed(cal, at(start), got, unit, NULL, 0), n_milli);
}

static void a_week_in_shanghai(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct work_calendar *cal = shanghai(a);
    due(cal, "2025-09-24T10:00:00+08:00", 2000, WORK_URGENT_HOUR, "2025-09-24T12:00:00");
    due(cal, "2025-09-24T10:00:00+08:00", 2000, WORK_HOUR, "2025-09-24T12:00:00"); /* not 13:30 */
    due(cal, "2025-09-24T10:00:00+08:00", 2500, WORK_HOUR, "2025-09-24T14:00:00");
    due(cal, "2025-09-24T06:00:00+08:00", 1000, WORK_HOUR, "2025-09-24T09:30:00");
    due(cal, "2025-09-24T12:30:00+08:00", 1000, WORK_HOUR, "2025-09-24T14:30:00");
    due(cal, "2025-09-24T20:00:00+08:00", 7500, WORK_HOUR, "2025-09-25T17:30:00");
    due(cal, "2025-09-24T10:00:00+08:00", 1000, WORK_DAY, "2025-09-25T10:00:00");
    due(cal, "2025-09-24T08:30:00+08:00", 1000, WORK_DAY, "2025-09-24T17:30:00");
    due(cal, "2025-09-24T17:30:00+08:00", 1000, WORK_DAY, "2025-09-25T17:30:00");
    /* Friday to the working Sunday; then over the festival. */
    due(cal, "2025-09-26T16:30:00+08:00", 2000, WORK_HOUR, "2025-09-28T09:30:00");
    due(cal, "2025-09-30T16:30:00+08:00", 4000, WORK_HOUR, "2025-10-09T11:30:00");
    due(cal, "2025-09-30T10:00:00+08:00", 4000, WORK_DAY,
        "2025-10-13T10:00:00"); /* 9, 10, 11 (Saturday), 13 */
    due(cal, "2025-10-03T12:00:00+08:00", 1, WORK_HOUR, "2025-10-09T08:30:03");
    arena_free(a);
}

static void open_moments(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct work_calendar *cal = shanghai(a);
    assert_true(work_is_open(cal, at("2025-09-28T08:30:00+08:00")));
    assert_false(work_is_open(cal, at("2025-09-28T08:29:59.999999+08:00")));
    assert_true(work_is_open(cal, at("2025-09-28T11:59:59.999999+08:00")));
    assert_false(work_is_open(cal, at("2025-09-28T12:00:00+08:00")));
    assert_false(work_is_open(cal, at("2025-09-27T10:00:00+08:00")));
    assert_int_equal(work_next_open(cal, at("2025-09-28T12:00:00+08:00")),
                     at("2025-09-28T13:30:00+08:00"));
    assert_int_equal(work_next_open(cal, at("2025-09-28T14:00:00.5+08:00")),
                     at("2025-09-28T14:00:00.5+08:00"));
    assert_int_equal(work_next_open(cal, at("2025-09-30T17:30:00+08:00")),
                     at("2025-10-09T08:30:00+08:00"));
    arena_free(a);
}

static void years_not_announced_are_marked(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct work_calendar *cal = shanghai(a);
    bool mark = true;
    (void)work_deadline(cal, at("2026-12-31T09:00:00+08:00"), 1000, WORK_HOUR, &mark);
    assert_false(mark);
    (void)work_deadline(cal, at("2026-12-31T17:00:00+08:00"), 1000, WORK_HOUR, &mark);
    assert_true(mark);
    (void)work_deadline(cal, at("2026-12-31T17:00:00+08:00"), 24000, WORK_URGENT_HOUR, &mark);
    assert_false(mark); /* holidays do not matter */
    (void)work_deadline(cal, at("2023-12-29T09:00:00+08:00"), 1000, WORK_HOUR, &mark);
    assert_true(mark);
    (void)work_deadline(cal, at("2024-01-01T09:00:00+08:00"), 1, WORK_HOUR, &mark);
    assert_false(mark);
    arena_free(a);
}

static void bad_calendars_are_refused(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct tz *tz;
    const struct work_calendar *cal;
    struct err err;
    assert_int_equal(tz_load(a, "UTC", &tz, NULL), ERR_OK);
    const struct {
        unsigned mask;
        struct work_span span[2];
        size_t n_span;
        struct work_exception ex[2];
        size_t n_ex;
        int first, last;
        const char *why;
    } cases[] = {
        {0, {{0, 60}}, 1, {{0}}, 0, 2024, 2026, "at least one working day"},
        {128, {{0, 60}}, 1, {{0}}, 0, 2024, 2026, "seven days"},
        {1, {{0, 60}}, 0, {{0}}, 0, 2024, 2026, "1 to 48 spans"},
        {1, {{-1, 60}}, 1, {{0}}, 0, 2024, 2026, "span 1"},
        {1, {{60, 60}}, 1, {{0}}, 0, 2024, 2026, "span 1"},
        {1, {{60, 1441}}, 1, {{0}}, 0, 2024, 2026, "span 1"},
        {1, {{60, 120}, {119, 180}}, 2, {{0}}, 0, 2024, 2026, "span 2 begins"},
        {1, {{60, 120}, {0, 30}}, 2, {{0}}, 0, 2024, 2026, "span 2 begins"},
        {1,
         {{0, 60}},
         1,
         {{20000, true}, {20000, false}},
         2,
         2024,
         2026,
         "2024-10-04 is named twice"},
        {1, {{0, 60}}, 1, {{-40000, true}}, 1, 2024, 2026, "lies outside"},
        {1, {{0, 60}}, 1, {{0}}, 0, 2027, 2026, "confirmed years"},
        {1, {{0, 60}}, 1, {{0}}, 0, 1899, 2026, "confirmed years"},
        {1, {{0, 60}}, 1, {{0}}, 0, 2024, 2201, "confirmed years"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(work_calendar_new(a, tz, cases[i].mask, cases[i].span, cases[i].n_span,
                                           cases[i].ex, cases[i].n_ex, cases[i].first,
                                           cases[i].last, &cal, &err),
                         ERR_INVALID);
        assert_null(cal);
        if (strstr(err.detail, cases[i].why) == NULL) fail_msg("%s", err.detail);
    }
    arena_free(a);
}

/* ---- a random calendar, and the oracle that knows it minute by minute ---- */

static const char *const zones[] = {"Asia/Shanghai",       "America/New_York",
                                    "America/St_Johns",    "Europe/Dublin",
                                    "Australia/Lord_Howe", "Africa/Casablanca",
                                    "America/Havana",      "Asia/Kathmandu",
                                    "Pacific/Apia",        "UTC",
                                    "America/Sao_Paulo",   "Antarctica/Troll"};
enum { N_ZONES = sizeof zones / sizeof zones[0], SEEDS = UNDER_SANITIZER ? 500 : 2500 };

struct sample {
    const struct tz *tz;
    const struct work_calendar *cal;
    unsigned mask;
    struct work_span span[4];
    size_t n_span;
    struct work_exception ex[MAX_EX];
    size_t n_ex;
    int64_t day_min; /* minutes of a working day */
    int64_t start_us;
    int64_t quarter; /* the quarter of an hour that was looked up last, and its offset */
    int32_t offset_s, last_offset_s;
};

/* Looked up at the two ends of a quarter of an hour, and at every minute where they differ. */
static int64_t oracle_offset_s(struct sample *s, int64_t utc_us) {
    int64_t quarter = utc_us / (15 * minute);
    if (quarter != s->quarter) {
        s->quarter = quarter;
        s->offset_s = tz_offset_s(s->tz, quarter * 15 * minute);
        s->last_offset_s = tz_offset_s(s->tz, (quarter * 15 + 15) * minute - 1);
    }
    return s->offset_s == s->last_offset_s ? s->offset_s : tz_offset_s(s->tz, utc_us);
}

static bool oracle_is_open(struct sample *s, int64_t utc_us) {
    int64_t local = (utc_us + oracle_offset_s(s, utc_us) * INT64_C(1000000)) /
                    minute; /* after 1970: not negative */
    int64_t day = local / 1440, tod = local % 1440;
    bool working = (s->mask >> (day + 3) % 7 & 1U) != 0;
    for (size_t i = 0; i < s->n_ex; i++)
        if (s->ex[i].day == day) working = s->ex[i].working;
    if (!working) return false;
    for (size_t i = 0; i < s->n_span; i++)
        if (tod >= s->span[i].from_min && tod < s->span[i].to_min) return true;
    return false;
}

static void random_spans(struct rng *r, struct sample *s) {
    s->n_span = 1 + rng_below(r, 4);
    int at_min = (int)rng_below(r, 400);
    if (rng_below(r, 8) == 0) at_min = 0;
    for (size_t i = 0; i < s->n_span; i++) {
        int length = 1 + (int)rng_below(r, 200);
        s->span[i] = (struct work_span){at_min, at_min + length};
        at_min += length + (int)rng_below(r, 100);
    }
    if (rng_below(r, 4) == 0) s->span[s->n_span - 1].to_min = 1440;
    s->day_min = 0;
    for (size_t i = 0; i < s->n_span; i++) s->day_min += s->span[i].to_min - s->span[i].from_min;
}

static void random_sample(struct arena *a, struct rng *r, struct sample *s) {
    struct err err;
    *s = (struct sample){.mask = rng_below(r, 3) == 0 ? 1 + rng_below(r, 127) : WEEKDAYS};
    assert_int_equal(tz_load(a, zones[rng_below(r, N_ZONES)], &s->tz, &err), ERR_OK);
    random_spans(r, s);
    s->start_us = (INT64_C(30000000) + rng_below(r, 4000000) * 10) * minute; /* 2027 .. 2103 */
    if (rng_below(r, 3) == 0)
        s->start_us = (INT64_C(1000000) + rng_below(r, 2900000) * 10) * minute;
    int64_t change;
    if (rng_below(r, 2) == 0 && tz_next_change(s->tz, s->start_us, &change))
        s->start_us = change - (int64_t)rng_below(r, 4000) * minute;
    int64_t day = s->start_us / (1440 * minute);
    for (size_t i = 0; i < MAX_EX && rng_below(r, 6) != 0; i++) {
        struct work_exception e = {(int32_t)(day + (int64_t)rng_below(r, 20) - 3),
                                   rng_below(r, 2) == 0};
        bool known = false;
        for (size_t k = 0; k < s->n_ex; k++) known = known || s->ex[k].day == e.day;
        if (!known) s->ex[s->n_ex++] = e;
    }
    if (work_calendar_new(a, s->tz, s->mask, s->span, s->n_span, s->ex, s->n_ex, 1970, 2100,
                          &s->cal, &err) != ERR_OK)
        fail_msg("%s", err.detail);
}

static void deadlines_agree_with_the_oracle(void **state) {
    (void)state;
    long n_walked = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rng r = rng_new(seed, 21);
        struct arena *a = test_arena();
        struct sample s;
        random_sample(a, &r, &s);
        enum work_unit unit = rng_below(&r, 2) == 0 ? WORK_HOUR : WORK_DAY;
        int64_t unit_min = unit == WORK_HOUR ? 60 : s.day_min;
        /* Thousandths that make whole minutes. */
        int64_t n_milli = 1000 * (1 + (int64_t)rng_below(&r, unit == WORK_HOUR ? 30 : 4));
        if (unit_min % 2 == 0 && rng_below(&r, 2) == 0) n_milli -= 500;
        int64_t left = n_milli * unit_min / 1000, t = s.start_us;
        for (; left > 0; t += minute, n_walked++)
            if (oracle_is_open(&s, t)) left--;
        int64_t got = work_deadline(s.cal, s.start_us, n_milli, unit, NULL);
        if (got != t)
            fail_msg("seed %llu: %lld instead of %lld", (unsigned long long)seed, (long long)got,
                     (long long)t);
        assert_int_equal(work_elapsed(s.cal, s.start_us, got, unit, NULL, 0), n_milli);
        arena_free(a);
    }
    print_message("walked %ld minutes\n", n_walked);
}

static void elapsed_agrees_with_the_oracle(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rng r = rng_new(seed, 22);
        struct arena *a = test_arena();
        struct sample s;
        random_sample(a, &r, &s);
        struct work_pause pause[5];
        size_t n_pause = rng_below(&r, 6);
        int64_t end = s.start_us + (int64_t)rng_below(&r, 12000) * minute;
        for (size_t i = 0; i < n_pause; i++) {
            pause[i].from_us = s.start_us + ((int64_t)rng_below(&r, 14000) - 1000) * minute;
            pause[i].to_us = pause[i].from_us + ((int64_t)rng_below(&r, 3000) - 100) * minute;
            if (rng_below(&r, 8) == 0) pause[i].to_us = INT64_MAX;
        }
        int64_t n_open = 0, n_all = 0;
        for (int64_t t = s.start_us; t < end; t += minute) {
            bool paused = false;
            for (size_t i = 0; i < n_pause; i++)
                paused = paused || (t >= pause[i].from_us && t < pause[i].to_us);
            if (paused) continue;
            n_all++;
            if (oracle_is_open(&s, t)) n_open++;
        }
        int64_t hours = work_elapsed(s.cal, s.start_us, end, WORK_HOUR, pause, n_pause);
        if (hours != n_open * 1000 / 60)
            fail_msg("seed %llu: %lld of %lld min", (unsigned long long)seed, (long long)hours,
                     (long long)n_open);
        assert_int_equal(work_elapsed(s.cal, s.start_us, end, WORK_DAY, pause, n_pause),
                         n_open * 1000 / s.day_min);
        assert_int_equal(work_elapsed(s.cal, s.start_us, end, WORK_URGENT_HOUR, pause, n_pause),
                         n_all * 1000 / 60);
        arena_free(a);
    }
}

/* When a clock of `length` minutes runs out that stands between each stop and start: minute by
 * minute. */
static int64_t walked_due(struct sample *s, enum work_unit unit, int64_t length,
                          const int64_t stop[4], const int64_t start[4]) {
    int64_t left = length, t = s->start_us;
    for (; left > 0; t += minute) {
        bool stands = false;
        for (int i = 0; i < 4; i++) stands = stands || (t >= stop[i] && t < start[i]);
        if (!stands && (unit == WORK_URGENT_HOUR || oracle_is_open(s, t))) left--;
    }
    return t;
}

/* A clock of so many minutes that stops and goes on some times runs out when the oracle has seen
 * that many open minutes at which it did not stand: never earlier, never with a fresh limit. */
static void clocks_that_stop_agree_with_the_oracle(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS * 3 / 5; seed++) {
        struct rng r = rng_new(seed, 25);
        struct arena *a = test_arena();
        struct sample s;
        random_sample(a, &r, &s);
        enum work_unit unit = 1 + rng_below(&r, 3);
        int64_t length = 1 + (int64_t)rng_below(&r, 1500), stop[4], start[4];
        int64_t at_min = 0;
        for (int i = 0; i < 4; i++) {
            stop[i] = s.start_us + (at_min += rng_below(&r, 2000)) * minute;
            start[i] = s.start_us + (at_min += rng_below(&r, 3000)) * minute;
        }
        int64_t t = walked_due(&s, unit, length, stop, start);
        int64_t due = work_after_us(s.cal, s.start_us, length * minute, unit, NULL);
        for (int i = 0; i < 4 && stop[i] < due; i++) {
            int64_t rest = work_time_us(s.cal, stop[i], due, unit);
            assert_true(rest >= 0 && rest <= length * minute);
            /* Stopped after its last open minute, it has run out at that minute's end. */
            if (rest > 0) due = work_after_us(s.cal, start[i], rest, unit, NULL);
            if (rest > 0) assert_int_equal(work_time_us(s.cal, start[i], due, unit), rest);
        }
        if (due != t)
            fail_msg("seed %llu: %lld instead of %lld", (unsigned long long)seed, (long long)due,
                     (long long)t);
        arena_free(a);
    }
}

static void open_moments_agree_with_the_oracle(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS * 3 / 5; seed++) {
        struct rng r = rng_new(seed, 23);
        struct arena *a = test_arena();
        struct sample s;
        random_sample(a, &r, &s);
        int64_t next = s.start_us;
        while (!oracle_is_open(&s, next)) next += minute;
        assert_int_equal(work_next_open(s.cal, s.start_us), next);
        for (int64_t t = s.start_us; t < s.start_us + 3000 * minute; t += 7 * minute)
            assert_int_equal(work_is_open(s.cal, t), oracle_is_open(&s, t));
        arena_free(a);
    }
}

/* domain facts 1.5, at any microsecond and far away. */
static void properties(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct rng r = rng_new(seed, 24);
        struct arena *a = test_arena();
        struct sample s;
        random_sample(a, &r, &s);
        for (int k = 0; k < 20; k++) {
            enum work_unit unit = 1 + rng_below(&r, 3);
            int64_t start = s.start_us + (int64_t)rng_below(&r, 2000000000) * 300;
            int64_t n = 1 + rng_below(&r, k % 4 == 0 ? 10000000 : 20000);
            int64_t end = work_deadline(s.cal, start, n, unit, NULL);
            assert_true(end > start);
            assert_int_equal(work_elapsed(s.cal, start, end, unit, NULL, 0), n);
            assert_int_equal(work_elapsed(s.cal, start, end - 1, unit, NULL, 0), n - 1);
            if (unit != WORK_URGENT_HOUR) {
                assert_true(work_is_open(s.cal, end - 1));
                assert_int_equal(work_deadline(s.cal, work_next_open(s.cal, start), n, unit, NULL),
                                 end);
            }
            /* Monotone in n and in the start; cutting the way in two makes no difference. */
            int64_t more = 1 + rng_below(&r, 5000);
            assert_true(work_deadline(s.cal, start, n + more, unit, NULL) > end);
            assert_true(work_deadline(s.cal, start + 1, n, unit, NULL) >= end);
            assert_int_equal(work_deadline(s.cal, end, more, unit, NULL),
                             work_deadline(s.cal, start, n + more, unit, NULL));
            struct work_pause p[2] = {{start + rng_below(&r, 1000000), 0}, {start, 0}};
            p[0].to_us = p[0].from_us + (int64_t)rng_below(&r, 4000000) * 1000000;
            p[1].to_us = rng_below(&r, 2) == 0 ? end : INT64_MAX;
            int64_t paused = work_elapsed(s.cal, start, end, unit, p, 1);
            assert_true(paused >= 0 && paused <= n);
            assert_int_equal(work_elapsed(s.cal, start, end, unit, p, 2), 0);
            assert_int_equal(work_elapsed(s.cal, end, start, unit, NULL, 0), 0);
        }
        arena_free(a);
    }
}

static void the_far_ends(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct work_calendar *cal = shanghai(a);
    static const int64_t ends[] = {
        INT64_MIN, INT64_MIN + 1, -INT64_C(9000000000000000), 0, INT64_C(9000000000000000),
        INT64_MAX};
    for (size_t i = 0; i < 6; i++) {
        for (enum work_unit unit = WORK_URGENT_HOUR; unit <= WORK_DAY; unit++) {
            bool mark;
            assert_true(work_deadline(cal, ends[i], INT64_MAX, unit, &mark) == INT64_MAX);
            (void)work_deadline(cal, ends[i], 1000, unit, &mark);
            for (size_t k = 0; k < 6; k++)
                assert_true(work_elapsed(cal, ends[i], ends[k], unit, NULL, 0) >= 0);
        }
        (void)work_is_open(cal, ends[i]);
        (void)work_next_open(cal, ends[i]);
    }
    /* Outside the bitmap the weekly pattern goes on: 100 working days are 20 weeks. */
    int64_t start = at("2300-01-01T10:00:00+08:00");
    assert_int_equal(work_deadline(cal, start, 100000, WORK_DAY, NULL) - start,
                     140 * 1440 * minute);
    start = at("1800-01-01T10:00:00+08:00");
    assert_int_equal(work_deadline(cal, start, 100000, WORK_DAY, NULL) - start,
                     140 * 1440 * minute);
    start = at("2199-12-20T10:00:00+08:00");
    assert_int_equal(work_deadline(cal, start, 100000, WORK_DAY, NULL) - start,
                     140 * 1440 * minute);
    start = at("1899-12-20T10:00:00+08:00");
    int64_t end = work_deadline(cal, start, 20000, WORK_DAY, NULL);
    assert_int_equal(work_elapsed(cal, start, end, WORK_DAY, NULL, 0), 20000);
    arena_free(a);
}

static void allocation_faults_are_clean(void **state) {
    (void)state;
    struct arena *keep = test_arena();
    const struct tz *tz;
    const struct work_calendar *cal;
    assert_int_equal(tz_load(keep, "America/New_York", &tz, NULL), ERR_OK);
    for (size_t limit = 0;; limit += 256) {
        struct arena *a = arena_new(limit);
        enum err_code rc =
            work_calendar_new(a, tz, WEEKDAYS, office, 2, NULL, 0, 2024, 2026, &cal, NULL);
        arena_free(a);
        if (rc == ERR_OK) {
            assert_true(limit < 80000);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
    }
    arena_free(keep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_week_in_shanghai),
        cmocka_unit_test(open_moments),
        cmocka_unit_test(years_not_announced_are_marked),
        cmocka_unit_test(bad_calendars_are_refused),
        cmocka_unit_test(deadlines_agree_with_the_oracle),
        cmocka_unit_test(elapsed_agrees_with_the_oracle),
        cmocka_unit_test(clocks_that_stop_agree_with_the_oracle),
        cmocka_unit_test(open_moments_agree_with_the_oracle),
        cmocka_unit_test(properties),
        cmocka_unit_test(the_far_ends),
        cmocka_unit_test(allocation_faults_are_clean),
    };
    return cmocka_run_group_tests_name("base/workcal", tests, NULL, NULL);
}
