/* SaTScan's text files as rows of fields, dates and slots of time, and the rows of each file: what
 * is read, and for each way to be malformed the place that is named. */
#include "../base/testing.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/civil.h"
#include "study/scan/records.h"

/* ---- rows of fields ---- */

static void source_of(struct arena *a, const char *text, char sep, struct source *s) {
    struct err err = {0};
    enum err_code rc = source_text(a, "f.cas", text, strlen(text), sep, 0, s, &err);
    if (rc != ERR_OK) fail_msg("%s", err.detail);
}

static void splits(const char *text, char sep, const char *expected) {
    struct arena *a = test_arena();
    struct source s;
    struct buf b;
    source_of(a, text, sep, &s);
    buf_init(&b, 4096);
    for (size_t i = 0; i < s.n_rows; i++) {
        buf_printf(&b, "%ld:", s.line[i]);
        for (size_t k = 0; k < source_width(&s, i); k++)
            buf_printf(&b, "[%s@%ld]", source_get(&s, i, k), s.column[s.first[i] + k]);
        buf_char(&b, ';');
    }
    assert_string_equal(buf_text(&b), expected);
    buf_deinit(&b);
    arena_free(a);
}

static void fields(void **state) {
    (void)state;
    splits("", 0, "");
    splits("\n \t\r\n\n", 0, "");
    splits("a 1\n", 0, "1:[a@1][1@3];");
    splits("  a\t \t1  \r\n\r\n b", 0, "1:[a@3][1@7];3:[b@2];");
    splits("\xef\xbb\xbf"
           "a 1",
           0, "1:[a@1][1@3];");
    splits("\"a b\" \"say \"\"x\"\"\" \"\"", 0, "1:[a b@2][say \"x\"@8][@20];");
    splits("#1 2\n;x 3\n", 0, "1:[#1@1][2@4];2:[;x@1][3@4];"); /* no comments in these files */
    splits("a, b ,,c\n", ',', "1:[a@1][b@4][@7][c@8];");
    splits("a,\n", ',', "1:[a@1][@3];");
    splits("\"a,b\" ,c", ',', "1:[a,b@2][c@8];");
    splits("\xe4\xb8\xad\xe5\xb1\xb1 7", 0, "1:[\xe4\xb8\xad\xe5\xb1\xb1@1][7@8];");
}

static void refuses(const char *text, size_t n, const char *expected) {
    struct arena *a = test_arena();
    struct source s;
    struct err err = {0};
    assert_int_equal(source_text(a, "f.cas", text, n, 0, 0, &s, &err), ERR_SYNTAX);
    assert_string_equal(err.detail, expected);
    arena_free(a);
}

static void malformed_bytes(void **state) {
    (void)state;
    refuses("a 1\nb \xff 2", 9, "f.cas:2:3: the bytes are not UTF-8");
    refuses("a 1\nb\0", 6, "f.cas:2:2: a NUL byte");
    refuses("a \"b\nc", 6, "f.cas:1:3: a quoted field does not end");
    refuses("a b\"c\"", 6, "f.cas:1:4: a quote inside a field");
    refuses("\"a\"b", 4, "f.cas:1:4: expected a blank behind the quoted field");
}

static void numbers(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct source s;
    struct err err = {0};
    double d;
    int64_t n;
    source_of(a, "x 1.5 -2e1 0x10 inf nan 1, 12 -3 1.0 99999999999999999999 +4", 0, &s);
    assert_int_equal(source_number(&s, 0, 1, "v", 0, 2, &d, &err), ERR_OK);
    assert_true(d == 1.5);
    assert_int_equal(source_number(&s, 0, 2, "v", -20, 2, &d, &err), ERR_OK);
    assert_true(d == -20);
    for (size_t i = 3; i < 7; i++)
        assert_int_equal(source_number(&s, 0, i, "v", -1e9, 1e9, &d, &err), ERR_INVALID);
    assert_string_equal(err.detail, "f.cas:1:25: v: expected a number, found \"1,\"");
    assert_int_equal(source_number(&s, 0, 2, "v", 0, 2, &d, &err), ERR_INVALID);
    assert_string_equal(err.detail, "f.cas:1:7: v: expected a number from 0 to 2, found \"-2e1\"");
    assert_int_equal(source_count(&s, 0, 7, "n", 100, &n, &err), ERR_OK);
    assert_int_equal(n, 12);
    for (size_t i = 8; i < 12; i++)
        assert_int_equal(source_count(&s, 0, i, "n", 100, &n, &err), ERR_INVALID);
    assert_int_equal(source_count(&s, 0, 7, "n", 11, &n, &err), ERR_INVALID);
    assert_string_equal(err.detail, "f.cas:1:28: n: expected a smaller number, found \"12\"");
    assert_int_equal(source_count(&s, 0, 20, "n", 11, &n, &err), ERR_INVALID);
    assert_string_equal(err.detail,
                        "f.cas:1:61: n is missing: expected a whole number of 0 or more");
    arena_free(a);
}

/* ---- dates ---- */

static void date(const char *text, enum time_role role, const char *iso, enum time_unit precision) {
    struct time_point t;
    const char *expected;
    char out[24];
    if (!time_parse(text, false, role, 1973, 1991, &t, &expected))
        fail_msg("%s: %s", text, expected);
    time_format(t.day, false, out);
    assert_string_equal(out, iso);
    assert_int_equal(t.precision, precision);
}

static void no_date(const char *text, int first, int last) {
    struct time_point t;
    const char *expected = NULL;
    if (time_parse(text, false, TIME_OF_COUNT, first, last, &t, &expected)) fail_msg("%s", text);
    assert_non_null(expected);
}

static void dates(void **state) {
    (void)state;
    date("1977", TIME_OF_COUNT, "1977-01-01", TIME_YEAR);
    date("1977", TIME_OF_POPULATION, "1977-07-01", TIME_YEAR);
    date("1977", TIME_OF_END, "1977-12-31", TIME_YEAR);
    date("1977/2", TIME_OF_COUNT, "1977-02-01", TIME_MONTH);
    date("1976/2", TIME_OF_END, "1976-02-29", TIME_MONTH);
    date("2/1977", TIME_OF_POPULATION, "1977-02-15", TIME_MONTH);
    date("2001/11/3", TIME_OF_COUNT, "2001-11-03", TIME_DAY);
    date("2001-11-03", TIME_OF_COUNT, "2001-11-03", TIME_DAY);
    date("11/3/2001", TIME_OF_COUNT, "2001-11-03", TIME_DAY);
    date("2001.11*3", TIME_OF_COUNT, "2001-11-03", TIME_DAY);
    date("2000/2/29", TIME_OF_COUNT, "2000-02-29", TIME_DAY);
    date("73", TIME_OF_POPULATION, "1973-07-01", TIME_YEAR); /* the century of the period */
    date("82/5/9", TIME_OF_COUNT, "1982-05-09", TIME_DAY);
    struct time_point t;
    const char *expected;
    assert_true(time_parse("98", false, TIME_OF_COUNT, 1995, 2005, &t, &expected));
    assert_int_equal(t.day, civil_days(1998, 1, 1));
    assert_true(time_parse("3", false, TIME_OF_COUNT, 1995, 2005, &t, &expected));
    assert_int_equal(t.day, civil_days(2003, 1, 1));
    no_date("50", 1995, 2005); /* in neither century of the period */
    no_date("73", 1850, 1991); /* more than a hundred years */
    no_date("73", 0, 0);       /* no period at all */
    no_date("", 1973, 1991);
    no_date("2001/13/1", 1973, 1991);
    no_date("2001/2/29", 1973, 1991);
    no_date("2001/0/1", 1973, 1991);
    no_date("2001/1/0", 1973, 1991);
    no_date("2001/1/2/3", 1973, 1991);
    no_date("2001/", 1973, 1991);
    no_date("2001 /1", 1973, 1991);
    no_date("20011103", 1973, 1991);
    no_date("2001-11-03T00:00", 1973, 1991);
    no_date("today", 1973, 1991);
    assert_true(time_parse("-12", true, TIME_OF_COUNT, 0, 0, &t, &expected) && t.day == -12);
    assert_false(time_parse("1.5", true, TIME_OF_COUNT, 0, 0, &t, &expected));
    assert_false(time_parse("-", true, TIME_OF_COUNT, 0, 0, &t, &expected));
    assert_false(time_parse("12345678901", true, TIME_OF_COUNT, 0, 0, &t, &expected));
}

static void slots_are(int64_t start, int64_t end, enum time_unit unit, int64_t length,
                      const char *expected) {
    struct arena *a = test_arena();
    struct time_slots s;
    struct err err = {0};
    struct buf b;
    buf_init(&b, 4096);
    assert_int_equal(time_slots(a, start, end, unit, length, &s, &err), ERR_OK);
    for (size_t i = 0; i <= s.n; i++) {
        char text[24];
        time_format((int64_t)s.border[i], false, text);
        buf_printf(&b, "%s ", text);
    }
    buf_printf(&b, "%.4f", s.units);
    assert_string_equal(buf_text(&b), expected);
    for (int64_t d = start - 2; d <= end + 2; d++) {
        uint32_t slot = 0;
        bool inside = time_slot_of(&s, d, &slot);
        assert_int_equal(inside, d >= start && d <= end);
        if (!inside) continue;
        assert_true((double)d >= s.border[slot] && (double)d < s.border[slot + 1]);
    }
    buf_deinit(&b);
    arena_free(a);
}

static void slots(void **state) {
    (void)state;
    int64_t d = civil_days(2001, 11, 1);
    slots_are(d, d, TIME_NONE, 1, "2001-11-01 2001-11-02 1.0000");
    slots_are(d, d + 2, TIME_DAY, 1, "2001-11-01 2001-11-02 2001-11-03 2001-11-04 3.0000");
    slots_are(d, d + 2, TIME_DAY, 2, "2001-11-01 2001-11-02 2001-11-04 3.0000");
    slots_are(civil_days(1999, 1, 1), civil_days(2000, 12, 31), TIME_YEAR, 1,
              "1999-01-01 2000-01-01 2001-01-01 2.0000");
    slots_are(civil_days(1999, 7, 1), civil_days(2000, 12, 31), TIME_YEAR, 1,
              "1999-07-01 2000-01-01 2001-01-01 1.5041"); /* 184 of 365 days */
    slots_are(civil_days(2000, 1, 15), civil_days(2000, 3, 31), TIME_MONTH, 1,
              "2000-01-15 2000-02-01 2000-03-01 2000-04-01 2.5484"); /* 17 of 31 days */
    /* Borders on the 30th: February has none, so the first of March. */
    slots_are(civil_days(2000, 1, 30), civil_days(2000, 4, 28), TIME_MONTH, 1,
              "2000-01-30 2000-02-29 2000-03-29 2000-04-29 2.9677");
    slots_are(civil_days(2001, 1, 1), civil_days(2001, 4, 29), TIME_MONTH, 1,
              "2001-01-01 2001-01-31 2001-03-01 2001-03-31 2001-04-30 3.9677");
    struct arena *a = test_arena();
    struct time_slots s;
    struct err err = {0};
    assert_int_equal(time_slots(a, d, d - 1, TIME_DAY, 1, &s, &err), ERR_INVALID);
    assert_int_equal(time_slots(a, 0, 5000000, TIME_DAY, 1, &s, &err), ERR_LIMIT);
    assert_int_equal(time_slots(a, 1, 20000, TIME_GENERIC, 1, &s, &err), ERR_OK);
    assert_int_equal(s.n, 20000);
    assert_int_equal(time_slots(a, 1, 20001, TIME_GENERIC, 1, &s, &err), ERR_LIMIT);
    assert_non_null(strstr(err.detail, "the study period 1 to 20001 has more than 20000 slots"));
    assert_int_equal(
        time_slots(a, civil_days(1973, 1, 1), civil_days(1991, 12, 31), TIME_YEAR, 1, &s, &err),
        ERR_OK);
    assert_int_equal(time_slots_of(&s, 1, 50, true), 9); /* 9.5 years, rounded down */
    assert_int_equal(time_slots_of(&s, 2, 50, true), 4);
    assert_int_equal(time_slots_of(&s, 1, 7, false), 7);
    assert_int_equal(time_slots_of(&s, 2, 7, false), 3);
    assert_int_equal(time_slots_of(&s, 1, 100, false), 19);
    assert_int_equal(time_slots_of(&s, 2, 1, false), 0);
    arena_free(a);
}

/* ---- rows of each file ---- */

static const struct layout cas = {.id = 0,
                                  .count = 1,
                                  .date = 2,
                                  .x = SOURCE_ABSENT,
                                  .y = SOURCE_ABSENT,
                                  .other = SOURCE_ABSENT,
                                  .length = SOURCE_ABSENT,
                                  .first_covariate = 3};

static void begin(struct arena *a, struct reading *r) {
    static const char *const known[] = {"A", "B", "C"};
    uint32_t number;
    *r = (struct reading){.a = a,
                          .n_covariates = SIZE_MAX,
                          .strata_open = true,
                          .precision = TIME_DAY,
                          .has_period = true,
                          .start = civil_days(2001, 11, 1),
                          .end = civil_days(2001, 11, 24)};
    names_init(&r->ids, a);
    names_init(&r->strata, a);
    for (size_t i = 0; i < 3; i++) assert_int_equal(names_add(&r->ids, known[i], &number, NULL), 0);
}

static void counts_fail(const char *text, const char *expected) {
    struct arena *a = test_arena();
    struct reading r;
    struct source s;
    struct count_rows rows;
    struct err err = {0};
    begin(a, &r);
    source_of(a, text, 0, &s);
    assert_int_equal(records_counts(&r, &s, &cas, "cases", &rows, &err), ERR_INVALID);
    assert_string_equal(err.detail, expected);
    arena_free(a);
}

static void cases_malformed(void **state) {
    (void)state;
    counts_fail("", "f.cas:1:1: there are no cases in it");
    counts_fail("A 1 2001/11/3\nD 1 2001/11/3",
                "f.cas:2:1: id: expected a place of the coordinates file, found \"D\"");
    counts_fail("A", "f.cas:1:2: cases is missing: expected a whole number of 0 or more");
    counts_fail("A -1 2001/11/3",
                "f.cas:1:3: cases: expected a whole number of 0 or more, found \"-1\"");
    counts_fail("A 1.5 2001/11/3",
                "f.cas:1:3: cases: expected a whole number of 0 or more, found \"1.5\"");
    counts_fail("A 3000000000 2001/11/3",
                "f.cas:1:3: cases: expected a smaller number, found \"3000000000\"");
    counts_fail("A 1", "f.cas:1:4: date is missing: expected a text");
    counts_fail("A 1 2001/11",
                "f.cas:1:5: date: expected a date exact to the day, found \"2001/11\"");
    counts_fail("A 1 2001/11/31", "f.cas:1:5: date: expected a date that exists, found "
                                  "\"2001/11/31\"");
    counts_fail("A 1 2001/12/1", "f.cas:1:5: date: expected a date of the study period 2001-11-01 "
                                 "to 2001-11-24, found \"2001/12/1\"");
    counts_fail("A 1 2001/11/3 m\nB 1 2001/11/3",
                "f.cas:2:14: covariate is missing: expected 1 covariates, as many as in the rows "
                "before and the population");
    counts_fail("A 1 2001/11/3 m\nB 1 2001/11/3 m x",
                "f.cas:2:17: covariate: expected 1 covariates, as many as in the rows before and "
                "the population, found \"x\"");
    counts_fail("A 1 2001/11/3 \"\"", "f.cas:1:16: covariate: expected a text, found \"\"");
}

static void cases_read(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct reading r;
    struct source s;
    struct count_rows rows;
    struct err err = {0};
    begin(a, &r);
    r.relaxed_places = r.relaxed_times = true;
    source_of(a, "B 2 1/11/03 m\nA 0 nonsense\nD 4 2001/11/3 m\nA 1 2002/1/1 f\nC 7 2001/11/24 f\n",
              0, &s);
    assert_int_equal(records_counts(&r, &s, &cas, "cases", &rows, &err), ERR_OK);
    assert_int_equal(rows.n, 2); /* rows of 0 are not looked at further */
    assert_int_equal(rows.total, 9);
    assert_int_equal(r.left_out_places, 4);
    assert_int_equal(r.left_out_times, 1);
    assert_int_equal(rows.row[0].id, 1);
    assert_int_equal(rows.row[0].day, civil_days(2001, 11, 3)); /* year 1: 2001, of the period */
    assert_int_equal(rows.row[1].category, 1);
    assert_int_equal(rows.first_day, civil_days(2001, 11, 3));
    assert_int_equal(rows.last_day, civil_days(2001, 11, 24));
    /* A category that the population does not have. */
    r.strata_open = false;
    source_of(a, "A 1 2001/11/3 z", 0, &s);
    assert_int_equal(records_counts(&r, &s, &cas, "cases", &rows, &err), ERR_INVALID);
    assert_string_equal(
        err.detail,
        "f.cas:1:15: covariates: expected a category that the population has, found \"z\"");
    arena_free(a);
}

static void places_fail(const char *text, bool sphere, const char *expected) {
    struct arena *a = test_arena();
    struct reading r;
    struct source s;
    struct place_rows rows;
    struct err err = {0};
    struct layout l = cas;
    l.x = sphere ? 2 : 1;
    l.y = sphere ? 1 : 2;
    begin(a, &r);
    source_of(a, text, 0, &s);
    assert_int_equal(records_places(&r, &s, &l, sphere, &rows, &err), ERR_INVALID);
    assert_string_equal(err.detail, expected);
    arena_free(a);
}

static void places(void **state) {
    (void)state;
    places_fail("", true, "f.cas:1:1: there are no places in it");
    places_fail("A 95 10", true,
                "f.cas:1:3: latitude: expected a number from -90 to 90, found \"95\"");
    places_fail("A 35 190", true,
                "f.cas:1:6: longitude: expected a number from -180 to 180, found \"190\"");
    places_fail("A 35", true, "f.cas:1:5: longitude is missing: expected a number");
    places_fail("A 35 10 3", true,
                "f.cas:1:9: field: expected nothing behind two coordinates, found \"3\"");
    places_fail("A x 3", false, "f.cas:1:3: x: expected a number, found \"x\"");
    struct arena *a = test_arena();
    struct reading r;
    struct source s;
    struct place_rows rows;
    struct err err = {0};
    struct layout l = cas;
    l.x = 2;
    l.y = 1;
    begin(a, &r);
    source_of(a, "Z 35.5 -106.25\nA -0 0\n", 0, &s);
    assert_int_equal(records_places(&r, &s, &l, true, &rows, &err), ERR_OK);
    assert_int_equal(rows.n, 2);
    assert_true(rows.row[0].x == -106.25 && rows.row[0].y == 35.5);
    assert_true(rows.row[1].y == 0 && !__builtin_signbit(rows.row[1].y));
    assert_int_equal(rows.row[0].id, 3); /* new, behind those that were known */
    arena_free(a);
}

static void population(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } bad[] = {
        {"", "f.cas:1:1: there are no populations in it"},
        {"A 2000", "f.cas:1:7: population is missing: expected a number"},
        {"A", "f.cas:1:2: date is missing: expected a date or unspecified"},
        {"A 2000 -1", "f.cas:1:8: population: expected a number of at least 0, found \"-1\""},
        {"A 2000/2/30 1", "f.cas:1:3: date: expected a date that exists, found \"2000/2/30\""},
        {"A 2000 1\nB unspecified 2",
         "f.cas:2:3: date: expected a date, as in the rows before, found \"unspecified\""},
        {"A unspecified 1\nB 2000 2",
         "f.cas:2:3: date: expected unspecified, as in the rows before, found \"2000\""},
        {"D 2000 1", "f.cas:1:1: id: expected a place of the coordinates file, found \"D\""},
    };
    struct layout l = cas;
    l.date = 1;
    l.count = 2;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena *a = test_arena();
        struct reading r;
        struct source s;
        struct population_rows rows;
        struct err err = {0};
        begin(a, &r);
        source_of(a, bad[i].text, 0, &s);
        assert_int_equal(records_population(&r, &s, &l, &rows, &err), ERR_INVALID);
        assert_string_equal(err.detail, bad[i].expected);
        arena_free(a);
    }
}

static void edges_and_neighbors(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
        bool edges;
    } bad[] = {
        {"", "f.cas:1:1: there are no edges in it", true},
        {"A D 1", "f.cas:1:3: id: expected a place of the coordinates file, found \"D\"", true},
        {"A A 1", "f.cas:1:3: id: expected another place than the first, found \"A\"", true},
        {"A B -1", "f.cas:1:5: length: expected a number of at least 0, found \"-1\"", true},
        {"A B 1 2", "f.cas:1:7: field: expected nothing behind the length, found \"2\"", true},
        {"", "f.cas:1:1: there are no neighbours in it", false},
        {"A B B", "f.cas:1:5: id: expected each neighbour once, found \"B\"", false},
        {"A B\nA C", "f.cas:2:1: id: expected one row of neighbours a place, found \"A\"", false},
        {"A X", "f.cas:1:3: id: expected a place of the coordinates file, found \"X\"", false},
    };
    struct arena *a = test_arena();
    struct layout l = cas;
    struct reading r;
    struct source s;
    struct edge_rows edges;
    struct neighbor_rows neighbors;
    l.other = 1;
    l.length = 2;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        begin(a, &r);
        source_of(a, bad[i].text, 0, &s);
        enum err_code rc = bad[i].edges ? records_edges(&r, &s, &l, &edges, &err)
                                        : records_neighbors(&r, &s, &neighbors, &err);
        assert_int_equal(rc, ERR_INVALID);
        assert_string_equal(err.detail, bad[i].expected);
    }
    begin(a, &r);
    source_of(a, "A B 2.5\nC\nB C\n", 0, &s);
    assert_int_equal(records_edges(&r, &s, &l, &edges, NULL), ERR_OK);
    assert_int_equal(edges.n, 2);
    assert_true(edges.row[0].length == 2.5 && edges.row[1].length != edges.row[1].length);
    source_of(a, "B B A\nA C B", 0, &s);
    assert_int_equal(records_neighbors(&r, &s, &neighbors, NULL), ERR_OK);
    assert_int_equal(neighbors.n, 2);
    assert_int_equal(neighbors.first[1], 2); /* B told twice in the first row is itself */
    assert_int_equal(neighbors.first[2], 5);
    assert_int_equal(neighbors.neighbor[1], 0);
    assert_int_equal(neighbors.neighbor[3], 2);
    arena_free(a);
}

static void many_names(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct names names;
    char text[32];
    names_init(&names, a);
    assert_int_equal(names_find(&names, "x"), NAMES_NONE);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            uint32_t number = 0;
            (void)snprintf(text, sizeof text, "place %u", (unsigned)i);
            assert_int_equal(names_add(&names, text, &number, NULL), ERR_OK);
            assert_int_equal(number, i);
        }
    }
    assert_int_equal(names.n, 5000);
    assert_int_equal(names_find(&names, "place 4321"), 4321);
    assert_int_equal(names_find(&names, "place 5000"), NAMES_NONE);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),     cmocka_unit_test(malformed_bytes),
        cmocka_unit_test(numbers),    cmocka_unit_test(dates),
        cmocka_unit_test(slots),      cmocka_unit_test(cases_malformed),
        cmocka_unit_test(cases_read), cmocka_unit_test(places),
        cmocka_unit_test(population), cmocka_unit_test(edges_and_neighbors),
        cmocka_unit_test(many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
