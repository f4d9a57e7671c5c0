/* The working calendar that the city pack ships, read here by itself: the years must add up to what
 * the law says. */
#include "testing.h"

#include "base/workcal.h"
#include "base/yaml.h"

static const int64_t day_us = INT64_C(86400000000), minute_us = INT64_C(60000000);
enum { MAX_EX = 256 };

struct shipped {
    struct work_exception ex[MAX_EX];
    size_t n_ex;
    struct work_span span[8];
    size_t n_span;
    int first, last;
    const struct tz *tz;
    const struct work_calendar *cal;
};

static int64_t date_of(const char *s, size_t n) {
    char text[16] = "";
    int64_t day;
    assert_true(n < sizeof text);
    memcpy(text, s, n);
    if (!civil_date_parse(text, &day)) fail_msg("%s", text);
    return day;
}

/* "2026-01-01" or "2026-01-01..2026-01-03" */
static void add_days(struct shipped *s, const struct val *list, bool working) {
    assert_non_null(list);
    for (size_t i = 0; i < list->n; i++) {
        const struct val *v = &list->u.list[i];
        const char *to = strstr(v->u.s, "..");
        int64_t first = date_of(v->u.s, to == NULL ? v->n : (size_t)(to - v->u.s));
        int64_t last = to == NULL ? first : date_of(to + 2, strlen(to + 2));
        for (int64_t day = first; day <= last; day++) {
            assert_true(s->n_ex < MAX_EX);
            s->ex[s->n_ex++] = (struct work_exception){(int32_t)day, working};
        }
    }
}

/* "08:30" */
static int minutes_of(const char *s) {
    assert_int_equal(s[2], ':');
    return ((s[0] - '0') * 10 + (s[1] - '0')) * 60 + (s[3] - '0') * 10 + (s[4] - '0');
}

static void load(struct arena *a, struct shipped *s) {
    const struct val *v, *years, *spans;
    struct err err;
    if (yaml_load(a, SOURCE_DIR "/packs/city/calendars/cn.yaml", &v, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    *s = (struct shipped){.first = 9999};
    spans = val_get(v, "spans");
    for (size_t i = 0; i < spans->n; i++) {
        const char *text = spans->u.list[i].u.s;
        assert_int_equal(strlen(text), strlen("08:30-12:00"));
        s->span[s->n_span++] = (struct work_span){minutes_of(text), minutes_of(text + 6)};
    }
    years = val_get(v, "years");
    for (size_t i = 0; i < years->n; i++) {
        int year = (int)val_get(&years->u.list[i], "year")->u.i;
        if (year < s->first) s->first = year;
        if (year > s->last) s->last = year;
        add_days(s, val_get(&years->u.list[i], "holidays"), false);
        add_days(s, val_get(&years->u.list[i], "workdays"), true);
    }
    assert_int_equal(tz_load(a, "Asia/Shanghai", &s->tz, &err), ERR_OK);
    if (work_calendar_new(a, s->tz, 0x1F, s->span, s->n_span, s->ex, s->n_ex, s->first, s->last,
                          &s->cal, &err) != ERR_OK)
        fail_msg("%s", err.detail);
}

static bool is_working(const struct shipped *s, int64_t day) {
    return work_is_open(s->cal, tz_to_utc(s->tz, day * day_us + s->span[0].from_min * minute_us));
}

/* Days of the year less Saturdays and Sundays less statutory holidays: 11 a year until 2024, 13
 * from 2025 (国务院令第795号, 2024-11-10). The shifted days only move rest about, so they may not
 * change the sum. */
static void each_year_has_its_lawful_number_of_working_days(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct shipped s;
    load(a, &s);
    assert_true(s.first <= 2024 && s.last >= 2026);
    for (int year = s.first; year <= s.last; year++) {
        int expected = year < 2025 ? -11 : -13, found = 0;
        for (int64_t day = civil_days(year, 1, 1); day < civil_days(year + 1, 1, 1); day++) {
            expected += civil_weekday(day) < 5;
            found += is_working(&s, day);
        }
        if (found != expected)
            fail_msg("%d: %d working days, the law makes %d", year, found, expected);
    }
    arena_free(a);
}

/* A holiday named on a weekend or a working day named on a weekday changes nothing or is a slip of
 * the pen. */
static void shifted_days_are_weekends(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct shipped s;
    load(a, &s);
    for (size_t i = 0; i < s.n_ex; i++) {
        char date[16];
        civil_date_format(s.ex[i].day, date);
        if (s.ex[i].working && civil_weekday(s.ex[i].day) < 5)
            fail_msg("%s is a weekday already", date);
        assert_int_equal(is_working(&s, s.ex[i].day), s.ex[i].working);
    }
    arena_free(a);
}

static void due(const struct shipped *s, const char *start, int64_t n_milli, enum work_unit unit,
                const char *expected, bool marked) {
    int64_t from;
    bool mark;
    char text[40];
    assert_int_equal(rfc3339_parse(start, &from, NULL), ERR_OK);
    rfc3339_format_tz(work_deadline(s->cal, from, n_milli, unit, &mark), s->tz, text);
    assert_string_equal(text, expected);
    assert_int_equal(mark, marked);
}

static void deadlines_over_the_festivals(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct shipped s;
    load(a, &s);
    /* Friday to the working Saturday before the Spring Festival of 2026, and from there over it. */
    due(&s, "2026-02-13T16:30:00+08:00", 4000, WORK_HOUR, "2026-02-14T11:30:00+08:00", false);
    due(&s, "2026-02-14T17:00:00+08:00", 1000, WORK_HOUR, "2026-02-24T09:00:00+08:00", false);
    due(&s, "2025-01-27T10:00:00+08:00", 2000, WORK_DAY, "2025-02-06T10:00:00+08:00", false);
    due(&s, "2024-09-13T15:00:00+08:00", 2000, WORK_DAY, "2024-09-18T15:00:00+08:00", false);
    due(&s, "2026-02-16T10:00:00+08:00", 2000, WORK_URGENT_HOUR, "2026-02-16T12:00:00+08:00",
        false);
    /* New Year's Day of the year that is not announced yet counts as a working Friday, and says so.
     */
    due(&s, "2026-12-31T10:00:00+08:00", 1000, WORK_DAY, "2027-01-01T10:00:00+08:00", true);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_year_has_its_lawful_number_of_working_days),
        cmocka_unit_test(shifted_days_are_weekends),
        cmocka_unit_test(deadlines_over_the_festivals),
    };
    return cmocka_run_group_tests_name("packs/city calendar", tests, NULL, NULL);
}
