/* Hours of a post: what is understood, and that everything else means always. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/grid/hours.h"

static bool on(const char *text, int hour, int minute) {
    struct hours h = hours_parse(text);
    return hours_on(&h, hour * 60 + minute);
}

static void test_spans(void **state) {
    (void)state;
    static const char *const day[] = {"08:30-17:30", "8:30-17:30", " 08:30-17:30 ,"};
    for (size_t i = 0; i < 3; i++) {
        assert_false(on(day[i], 8, 29));
        assert_true(on(day[i], 8, 30));
        assert_true(on(day[i], 17, 29));
        assert_false(on(day[i], 17, 30));
        assert_false(on(day[i], 3, 0));
    }
    assert_true(on("08:30-12:00, 13:30-17:30", 11, 59));
    assert_false(on("08:30-12:00, 13:30-17:30", 12, 30));
    assert_true(on("08:30-12:00 13:30-17:30", 13, 30));
    assert_true(on("22:00-06:00", 23, 59));
    assert_true(on("22:00-06:00", 0, 0));
    assert_false(on("22:00-06:00", 6, 0));
    assert_true(on("17:30-24:00", 23, 59));
    assert_false(on("17:30-24:00", 0, 0));
}

static void test_always(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "00:00-24:00",
        "工作日 8:30-17:30",
        "08:30-17:30 workdays",
        "08:30",
        "24:00-08:00",
        "08:30-25:00",
        "08:60-17:30",
        "08:30-17:30x",
        "08:30 - 17:30",
        "09:00-09:00",
        "-",
        "08:30-17:30;19-20",
        "008:30-17:30",
        " , ",
        "1:00-2:00 1:00-2:00 1:00-2:00 1:00-2:00 1:00-2:00 1:00-2:00 1:00-2:00"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int hour = 0; hour < 24; hour++) assert_true(on(texts[i], hour, 0));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_spans), cmocka_unit_test(test_always)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
