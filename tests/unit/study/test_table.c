/* Tables: columns by name, numbers, dates, and errors that name file, line and column. */
#include "study/table/table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/civil.h"

static struct arena *a;

static int set_up(void **state) {
    (void)state;
    a = arena_new((size_t)64 << 20);
    return a == NULL;
}

static int tear_down(void **state) {
    (void)state;
    arena_free(a);
    return 0;
}

static const struct table *parse(const char *text) {
    const struct table *t = NULL;
    struct err err = {0};
    if (table_parse(a, "t.csv", text, strlen(text), 0, 100, &t, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return t;
}

static void refused(const char *text, enum err_code code, const char *detail) {
    const struct table *t = NULL;
    struct err err = {0};
    assert_int_equal(table_parse(a, "t.csv", text, strlen(text), 0, 3, &t, &err), code);
    assert_null(t);
    assert_string_equal(err.detail, detail);
}

static void test_columns_by_name(void **state) {
    (void)state;
    const struct table *t = parse("id,count,\"two words\"\nx,3,\"a,b\"\ny,,\n");
    size_t col = 0;
    struct err err = {0};
    assert_int_equal(t->n_row, 2);
    assert_int_equal(t->n_col, 3);
    assert_int_equal(table_column(t, "two words", true, &col, &err), ERR_OK);
    assert_string_equal(table_text(t, 0, col), "a,b");
    assert_string_equal(table_text(t, 1, col), "");
    assert_int_equal(table_column(t, "absent", false, &col, &err), ERR_OK);
    assert_true(col == SIZE_MAX);
    assert_int_equal(table_column(t, "cuont", true, &col, &err), ERR_INVALID);
    assert_string_equal(err.detail, "t.csv:1: there is no column \"cuont\" (did you mean "
                                    "\"count\"?); it has: id, count, two words");
}

static void test_separator_is_seen(void **state) {
    (void)state;
    assert_int_equal(parse("a;b;c\n1,5;2;3\n")->n_col, 3);
    assert_int_equal(parse("a\tb\n1\t2\n")->n_col, 2);
    assert_int_equal(parse("alone\n1\n")->n_col, 1);
}

static void test_numbers(void **state) {
    (void)state;
    const struct table *t = parse("v\n-1.5e3\nNA\n0x10\n\"\"\n12a\n1e999\n7\n");
    struct err err = {0};
    double v = 0;
    int64_t i = 0;
    assert_int_equal(table_number(t, 0, 0, false, &v, &err), ERR_OK);
    assert_true(v == -1500);
    assert_int_equal(table_number(t, 1, 0, true, &v, &err), ERR_OK);
    assert_true(isnan(v));
    assert_int_equal(table_number(t, 1, 0, false, &v, &err), ERR_INVALID);
    assert_string_equal(err.detail, "t.csv:3: column v: expected a number, found \"NA\"");
    for (size_t row = 2; row < 6; row++)
        assert_int_equal(table_number(t, row, 0, false, &v, &err), ERR_INVALID);
    assert_int_equal(table_int(t, 6, 0, 0, 9, &i, &err), ERR_OK);
    assert_int_equal(i, 7);
    assert_int_equal(table_int(t, 6, 0, 0, 6, &i, &err), ERR_INVALID);
    assert_string_equal(err.detail,
                        "t.csv:8: column v: expected a whole number from 0 to 6, found \"7\"");
    assert_int_equal(table_int(t, 0, 0, -9999, 9999, &i, &err), ERR_INVALID);
}

static void test_dates(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int year, month, day;
    } good[] = {{"2026-01-31", 2026, 1, 31}, {"2026/1/3", 2026, 1, 3},
                {"2024-02-29", 2024, 2, 29}, {"2026-05", 2026, 5, 1},
                {"2026-W01", 2025, 12, 29},  {"2020-W53", 2020, 12, 28}};
    static const char *const bad[] = {"2026-02-29", "2026-13-01", "26-01-01",  "2026-W54",
                                      "2025-W53",   "2026-W00",   "2026-1-1x", "2026/01-01"};
    struct err err = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char text[64];
        int32_t days = 0;
        (void)snprintf(text, sizeof text, "d\n%s\n", good[i].text);
        assert_int_equal(table_date(parse(text), 0, 0, &days, &err), ERR_OK);
        assert_int_equal(days, civil_days(good[i].year, good[i].month, good[i].day));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64];
        int32_t days = 0;
        (void)snprintf(text, sizeof text, "d\n%s\n", bad[i]);
        assert_int_equal(table_date(parse(text), 0, 0, &days, &err), ERR_INVALID);
    }
}

static void test_malformed(void **state) {
    (void)state;
    refused("", ERR_INVALID, "t.csv: the file is empty; expected a header row");
    refused("a,b\n1,2\n3\n", ERR_INVALID,
            "t.csv:3: column 2: 1 fields, but the header has 2 columns");
    refused("a,b,a\n", ERR_INVALID, "t.csv:1: two columns are named \"a\"");
    refused("a\n1\n2\n3\n4\n", ERR_LIMIT, "t.csv:5: more than 3 rows");
    const struct table *t = NULL;
    struct err err = {0};
    assert_int_equal(table_parse(a, "t.csv", "a\n\"x\n", 5, 0, 3, &t, &err), ERR_SYNTAX);
    assert_non_null(strstr(err.detail, "t.csv:2:1: a quote opens here"));
    refused("a,b\n\"x\n\",\"y\"\"z\n", ERR_SYNTAX,
            "t.csv:3:3: a quote opens here and is never closed");
    refused("a,b\n\xe5\xb7\xb7,x\"y\n", ERR_SYNTAX,
            "t.csv:2:4: a quote inside a field that does not begin with one");
    refused("a,b\n1,\"x\"y\n", ERR_SYNTAX, "t.csv:2:6: text after a closing quote");
    refused("a,b\n1,\"x\n\xff\"\n", ERR_SYNTAX,
            "t.csv:3:1: not valid UTF-8 (a file in GBK or GB 18030 must be converted first)");
    refused("a,b\n1,2,3\n", ERR_INVALID,
            "t.csv:2: column 3: 3 fields, but the header has 2 columns");
}

static void test_files(void **state) {
    (void)state;
    char path[] = "/tmp/gezhi-table-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    gzFile out = gzdopen(fd, "wb");
    assert_int_equal(gzputs(out, "a,b\n1,2\n"), 8);
    assert_int_equal(gzclose(out), Z_OK);
    const struct table *t = NULL;
    struct err err = {0};
    assert_int_equal(table_load(a, path, 0, 10, &t, &err), ERR_OK);
    assert_string_equal(table_text(t, 0, 1), "2");
    assert_int_equal(remove(path), 0);
    assert_int_equal(table_load(a, path, 0, 10, &t, &err), ERR_NOT_FOUND);
    assert_null(t);
    assert_int_equal(table_load(a, "/tmp", 0, 10, &t, &err), ERR_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_columns_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_separator_is_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_malformed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
