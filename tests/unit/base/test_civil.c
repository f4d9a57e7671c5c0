#include "testing.h"

#include "base/civil.h"
#include "base/rng.h"

static bool leap(int y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); }

/* Each day of 1900..2200 by walking, independent of the arithmetic. */
static void every_day_of_three_centuries(void **state) {
    (void)state;
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day =
        -25567; /* 1900-01-01, a Monday: 70 years of 365 days and 17 leap days before 1970 */
    int weekday = 0;
    for (int y = 1900; y <= 2200; y++) {
        for (int m = 1; m <= 12; m++) {
            int n = length[m - 1] + (m == 2 && leap(y) ? 1 : 0);
            assert_int_equal(civil_month_days(y, m), n);
            for (int d = 1; d <= n; d++, day++, weekday = (weekday + 1) % 7) {
                int yy, mm, dd;
                assert_int_equal(civil_days(y, m, d), day);
                assert_int_equal(civil_weekday(day), weekday);
                civil_from_days(day, &yy, &mm, &dd);
                assert_int_equal(yy * 10000 + mm * 100 + dd, y * 10000 + m * 100 + d);
            }
        }
    }
    assert_int_equal(civil_month_days(2024, 0), 0);
    assert_int_equal(civil_month_days(2024, 13), 0);
}

static void far_years_round_trip(void **state) {
    (void)state;
    int64_t last = civil_days(-9999, 1, 1) - 1;
    for (int y = -9999; y <= 9999; y++) {
        assert_int_equal(civil_days(y, 1, 1), last + 1);
        last = civil_days(y, 12, 31);
        assert_int_equal(last - civil_days(y, 1, 1), leap(y) ? 365 : 364);
    }
    struct rng r = rng_new(1, 0);
    for (int i = 0; i < 100000; i++) {
        int64_t day = (int64_t)rng_below(&r, 7300000) - 4370000;
        int y, m, d;
        civil_from_days(day, &y, &m, &d);
        assert_int_equal(civil_days(y, m, d), day);
        struct civil c;
        int64_t us =
            (int64_t)(rng_u64(&r) % UINT64_C(500000000000000000)) - INT64_C(250000000000000000);
        civil_from_us(us, &c);
        assert_int_equal(civil_to_us(&c), us);
        assert_in_range(c.hour, 0, 23);
        assert_in_range(c.usec, 0, 999999);
    }
}

static void dates_as_text(void **state) {
    (void)state;
    int64_t day;
    char text[16];
    assert_true(civil_date_parse("2024-02-29", &day));
    assert_int_equal(day, civil_days(2024, 2, 29));
    civil_date_format(day, text);
    assert_string_equal(text, "2024-02-29");
    static const char *const bad[] = {
        "",           "2023-02-29", "2024-13-01",  "2024-00-10", "2024-01-00", "2024-1-01",
        "2024-01-32", "2024/01/01", "2024-01-011", "20240101",   "2024-01-0x", "-024-01-01"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(civil_date_parse(bad[i], &day));
}

static void parses(const char *text, int64_t expected) {
    int64_t us = 0;
    struct err err;
    if (rfc3339_parse(text, &us, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_int_equal(us, expected);
}

static void rfc3339_texts(void **state) {
    (void)state;
    const int64_t t = INT64_C(1767323045000000); /* 2026-01-02T03:04:05Z */
    parses("2026-01-02T03:04:05Z", t);
    parses("2026-01-02t03:04:05z", t);
    parses("2026-01-02 03:04:05Z", t);
    parses("2026-01-02T11:04:05+08:00", t);
    parses("2026-01-01T22:04:05-05:00", t);
    parses("2026-01-02T08:49:05+05:45", t);
    parses("2026-01-02T03:04:05.5Z", t + 500000);
    parses("2026-01-02T03:04:05.000001Z", t + 1);
    parses("2026-01-02T03:04:05.1234569Z", t + 123456);
    parses("1969-12-31T23:59:59.999999Z", -1);
    parses("2016-12-31T23:59:60Z", INT64_C(1483228800000000));
    parses("0000-01-01T00:00:00Z", INT64_C(-62167219200000000));
    static const char *const bad[] = {"",
                                      "2026-01-02",
                                      "2026-01-02T03:04:05",
                                      "2026-01-02T03:04Z",
                                      "2026-01-02T03:04:05+0800",
                                      "2026-01-02T03:04:05+08",
                                      "2026-01-02T03:04:05.Z",
                                      "2026-01-02T24:00:00Z",
                                      "2026-01-02T03:60:00Z",
                                      "2026-01-02T03:04:61Z",
                                      "2026-02-29T03:04:05Z",
                                      "2026-01-02T03:04:05Zx",
                                      "2026-01-02T03:04:05+24:00",
                                      "2026-01-02T03:04:05+08:60",
                                      "2026-01-02T03:04:05.12",
                                      " 2026-01-02T03:04:05Z",
                                      "2026-01-02_03:04:05Z",
                                      "26-01-02T03:04:05Z",
                                      "2026-01-02T03:04:05 Z",
                                      "now",
                                      "2026-01-02T03:04:05+08:00 ",
                                      "x026-01-02T03:04:05Z",
                                      "2026x01-02T03:04:05Z",
                                      "2026-x1-02T03:04:05Z",
                                      "2026-01x02T03:04:05Z",
                                      "2026-01-x2T03:04:05Z",
                                      "2026-01-02Tx3:04:05Z",
                                      "2026-01-02T03x04:05Z",
                                      "2026-01-02T03:x4:05Z",
                                      "2026-01-02T03:04x05Z",
                                      "2026-01-02T03:04:x5Z",
                                      "2026-01-00T03:04:05Z",
                                      "2026-01-02T03:04:05+x8:00",
                                      "2026-01-02T03:04:05+08:x0",
                                      "2026-01-02T03:04:05+08x00",
                                      "2026-01-02T03:04:05x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us;
        struct err err;
        if (rfc3339_parse(bad[i], &us, &err) != ERR_INVALID) fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(err.detail, "2026-01-02T03:04:05+08:00"));
    }
}

static void rfc3339_round_trips(void **state) {
    (void)state;
    struct rng r = rng_new(2, 0);
    char text[40];
    int64_t back;
    struct arena *a = test_arena();
    const struct tz *tz;
    assert_int_equal(tz_load(a, "America/St_Johns", &tz, NULL), ERR_OK);
    for (int i = 0; i < 100000; i++) {
        int64_t us =
            (int64_t)(rng_u64(&r) % UINT64_C(315000000000000000)) - INT64_C(62000000000000000);
        if (i % 2 == 0) us -= us % 1000000;
        rfc3339_format(us, text);
        assert_true((strchr(text, '.') != NULL) == (us % 1000000 != 0));
        assert_int_equal(rfc3339_parse(text, &back, NULL), ERR_OK);
        assert_int_equal(back, us);
        rfc3339_format_tz(us, tz, text);
        assert_int_equal(rfc3339_parse(text, &back, NULL), ERR_OK);
        assert_int_equal(back, us);
    }
    rfc3339_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00Z");
    rfc3339_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
    rfc3339_format_tz(INT64_MAX, tz, text);
    rfc3339_format_tz(INT64_MIN, tz, text);
    assert_string_equal(text, "0000-01-01T00:00:00+00:00"); /* local mean time has seconds */
    assert_int_equal(tz_load(a, "Asia/Shanghai", &tz, NULL), ERR_OK);
    rfc3339_format_tz(INT64_C(1767323045000000), tz, text);
    assert_string_equal(text, "2026-01-02T11:04:05+08:00");
    rfc3339_format_tz(INT64_MAX, tz, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999+08:00");
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_three_centuries),
        cmocka_unit_test(far_years_round_trip),
        cmocka_unit_test(dates_as_text),
        cmocka_unit_test(rfc3339_texts),
        cmocka_unit_test(rfc3339_round_trips),
    };
    return cmocka_run_group_tests_name("base/civil", tests, NULL, NULL);
}
