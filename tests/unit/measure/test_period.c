/* Periods: parts of the local calendar without gaps, read as written. */
#include "domain/measure/period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"

static void test_parts_without_gaps(void **state) {
    (void)state;
    int32_t from = (int32_t)civil_days(2023, 12, 1), to = (int32_t)civil_days(2025, 2, 1);
    for (enum period_kind k = PERIOD_DAY; k <= PERIOD_YEAR; k++) {
        for (int32_t day = from; day < to; day++) {
            struct period p = period_of(k, day), next = period_step(&p, 1);
            assert_true(p.from <= day && day < p.to);
            assert_int_equal(next.from, p.to);
            struct period back = period_step(&next, -1);
            assert_int_equal(back.from, p.from);
            char text[PERIOD_TEXT];
            struct period again;
            struct err err = {0};
            period_format(&p, text);
            assert_int_equal(period_parse(text, &again, &err), ERR_OK);
            assert_memory_equal(&again, &p, sizeof p);
        }
    }
}

static void test_known_periods(void **state) {
    (void)state;
    struct err err = {0};
    struct period p;
    assert_int_equal(period_parse("2024-02-T3", &p, &err), ERR_OK);
    assert_int_equal(p.from, civil_days(2024, 2, 21));
    assert_int_equal(p.to, civil_days(2024, 3, 1));
    struct period before = period_last_year(&p);
    assert_int_equal(before.from, civil_days(2023, 2, 21));
    assert_int_equal(before.to, civil_days(2023, 3, 1));
    assert_int_equal(period_parse("2024-02-29", &p, &err), ERR_OK);
    before = period_last_year(&p);
    assert_int_equal(before.from, civil_days(2023, 2, 28));
}

static void test_malformed(void **state) {
    (void)state;
    static const char *const bad[] = {"",           "202",         "2024-2",       "2024-13",
                                      "2024-02-30", "2024-02-T0",  "2024-02-T4",   "2024-00",
                                      "2024/02",    "20240201",    "2024-02-1",    "abcd",
                                      "2024-W05",   "2024-02-01 ", "9999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct period p;
        struct err err = {0};
        assert_int_equal(period_parse(bad[i], &p, &err), ERR_INVALID);
        assert_non_null(strstr(err.detail, "is no period"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts_without_gaps),
                                       cmocka_unit_test(test_known_periods),
                                       cmocka_unit_test(test_malformed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
