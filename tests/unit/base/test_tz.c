#include "testing.h"

#include <stdio.h>
#include <time.h>

#include "base/civil.h"
#include "base/file.h"
#include "base/rng.h"

static const int64_t second = 1000000;

static const struct tz *load(struct arena *a, const char *name) {
    const struct tz *tz;
    struct err err;
    if (tz_load(a, name, &tz, &err) != ERR_OK) fail_msg("%s", err.detail);
    return tz;
}

static int64_t at(const char *text) {
    int64_t us;
    assert_int_equal(rfc3339_parse(text, &us, NULL), ERR_OK);
    return us;
}

/* A local reading written with Z. */
static void maps(const struct tz *tz, const char *local, const char *utc) {
    char text[32];
    rfc3339_format(tz_to_utc(tz, at(local)), text);
    assert_string_equal(text, utc);
}

static void shanghai(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct tz *tz = load(a, "Asia/Shanghai");
    assert_int_equal(tz_offset_s(tz, at("2026-01-02T03:04:05Z")), 8 * 3600);
    assert_int_equal(tz_offset_s(tz, at("2200-07-02T03:04:05Z")), 8 * 3600);
    assert_int_equal(tz_offset_s(tz, at("1988-07-01T00:00:00Z")), 9 * 3600);
    assert_int_equal(tz_offset_s(tz, at("1890-01-01T00:00:00Z")),
                     8 * 3600 + 5 * 60 + 43); /* local mean time */
    /* 1986-05-04 02:00 to 03:00, 1991-09-15 02:00 back to 01:00. */
    assert_int_equal(tz_offset_s(tz, at("1986-05-03T17:59:59.999999Z")), 8 * 3600);
    assert_int_equal(tz_offset_s(tz, at("1986-05-03T18:00:00Z")), 9 * 3600);
    maps(tz, "1986-05-04T01:59:59Z", "1986-05-03T17:59:59Z");
    maps(tz, "1986-05-04T02:30:00Z", "1986-05-03T17:30:00Z"); /* in the gap: the later offset, +9 */
    maps(tz, "1986-05-04T03:00:00Z", "1986-05-03T18:00:00Z");
    maps(tz, "1991-09-15T01:30:00Z", "1991-09-14T16:30:00Z"); /* twice: the earlier */
    maps(tz, "1991-09-15T02:00:00Z", "1991-09-14T18:00:00Z");
    int64_t change = at("1991-09-14T17:00:00Z"), got;
    assert_true(tz_next_change(tz, change - 1, &got));
    assert_int_equal(got, change);
    assert_false(tz_next_change(tz, change, &got));
    arena_free(a);
}

static void new_york(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct tz *tz = load(a, "America/New_York");
    assert_int_equal(tz_offset_s(tz, at("2026-03-08T06:59:59Z")), -5 * 3600);
    assert_int_equal(tz_offset_s(tz, at("2026-03-08T07:00:00Z")), -4 * 3600);
    assert_int_equal(tz_offset_s(tz, at("2026-11-01T05:59:59Z")), -4 * 3600);
    assert_int_equal(tz_offset_s(tz, at("2026-11-01T06:00:00Z")), -5 * 3600);
    maps(tz, "2026-03-08T02:30:00Z", "2026-03-08T06:30:00Z");
    maps(tz, "2026-11-01T01:30:00Z", "2026-11-01T05:30:00Z");
    maps(tz, "2026-11-01T00:59:59Z", "2026-11-01T04:59:59Z");
    maps(tz, "2026-11-01T02:00:00Z", "2026-11-01T07:00:00Z");
    /* By the rule of the footer: the second Sunday of March, the first of November. */
    assert_int_equal(tz_offset_s(tz, at("2150-03-08T06:59:59Z")), -5 * 3600);
    assert_int_equal(tz_offset_s(tz, at("2150-03-08T07:00:00Z")), -4 * 3600);
    int64_t got;
    assert_true(tz_next_change(tz, at("2150-06-01T00:00:00Z"), &got));
    assert_int_equal(got, at("2150-11-01T06:00:00Z"));
    arena_free(a);
}

static const char *const zones[] = {
    "Africa/Casablanca",    "Africa/Monrovia",   "America/Argentina/San_Luis",
    "America/Havana",       "America/New_York",  "America/Nuuk",
    "America/Santiago",     "America/Sao_Paulo", "America/St_Johns",
    "America/Scoresbysund", "Antarctica/Troll",  "Asia/Gaza",
    "Asia/Kathmandu",       "Asia/Shanghai",     "Asia/Singapore",
    "Asia/Tehran",          "Asia/Urumqi",       "Australia/Lord_Howe",
    "Australia/Sydney",     "Europe/Dublin",     "Europe/London",
    "Europe/Moscow",        "Etc/GMT+5",         "Pacific/Apia",
    "Pacific/Chatham",      "Pacific/Kwajalein", "Asia/Hong_Kong",
    "Asia/Taipei",          "Asia/Macau",        "EST5EDT"};
enum { N_ZONES = sizeof zones / sizeof zones[0] };

/* glibc's own reader of the same files is the oracle. */
static void offsets_agree_with_the_c_library(void **state) {
    (void)state;
    for (size_t z = 0; z < N_ZONES; z++) {
        struct arena *a = test_arena();
        const struct tz *tz = load(a, zones[z]);
        struct rng r = rng_new(z, 0);
        assert_int_equal(setenv("TZ", zones[z], 1), 0);
        tzset();
        int64_t change = at("1900-01-01T00:00:00Z");
        for (int i = 0; i < 4000; i++) {
            /* Random instants of 1850..2350, then both sides of each change of 1900..2120. */
            int64_t us =
                (INT64_C(-3786825600) + (int64_t)(rng_u64(&r) % UINT64_C(15778800000))) * second;
            if (i >= 2000) {
                if (i % 2 == 0 &&
                    (!tz_next_change(tz, change, &change) || change > at("2120-01-01T00:00:00Z")))
                    break;
                us = change - i % 2 * second;
            }
            time_t t = (time_t)(us / second);
            struct tm tm;
            assert_non_null(localtime_r(&t, &tm));
            if (tz_offset_s(tz, us) != tm.tm_gmtoff) {
                char text[32];
                rfc3339_format(us, text);
                fail_msg("%s at %s: %d, C library %ld", zones[z], text, tz_offset_s(tz, us),
                         tm.tm_gmtoff);
            }
        }
        arena_free(a);
    }
    assert_int_equal(unsetenv("TZ"), 0);
}

/* Around changes: every minute of four days, against all instants that show this local reading. */
static void local_readings_agree_with_a_search(void **state) {
    (void)state;
    for (size_t z = 0; z < N_ZONES; z++) {
        struct arena *a = test_arena();
        const struct tz *tz = load(a, zones[z]);
        int64_t change = at("1975-01-01T00:00:00Z");
        for (int k = 0; k < 6 && tz_next_change(tz, change, &change); k++) {
            int32_t before = tz_offset_s(tz, change - 1), after = tz_offset_s(tz, change);
            for (int m = -180; m <= 180; m++) {
                int64_t local =
                    change + (int64_t)(before < after ? before : after) * second + m * 60 * second;
                int64_t early = local - before * second, late = local - after * second;
                bool shows_early = early < change, shows_late = late >= change;
                int64_t expected = shows_early ? early : late;
                assert_true(shows_early || shows_late || after > before);
                assert_int_equal(tz_to_utc(tz, local), expected);
                if (shows_early || shows_late) assert_int_equal(tz_to_local(tz, expected), local);
            }
        }
        arena_free(a);
    }
}

static void unknown_names_are_refused(void **state) {
    (void)state;
    struct arena *a = test_arena();
    static const char *const bad[] = {
        "",
        "/etc/passwd",
        "../passwd",
        "Asia/../../x",
        "Asia/Nowhere",
        "Asia",
        "zone.tab",
        "Asia/Shang hai",
        "Asia/\xE4",
        "tzdata.zi",
        "right/UTC",
        "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct tz *tz;
        struct err err;
        assert_int_equal(tz_load(a, bad[i], &tz, &err), ERR_INVALID);
        assert_null(tz);
        assert_true(strlen(err.detail) > 0);
    }
    const struct tz *utc = load(a, "UTC");
    int64_t change;
    assert_int_equal(tz_offset_s(utc, 0), 0);
    assert_false(tz_next_change(utc, 0, &change));
    arena_free(a);
}

/* A file of version 2 with no change at all and the footer given. */
static enum err_code parse_footer(struct arena *a, const char *footer, const struct tz **out) {
    unsigned char p[256] = {0};
    size_t n = 0;
    for (int block = 0; block < 2; block++) {
        memcpy(p + n, "TZif2", 5);
        p[n + 39] = 1; /* one type */
        p[n + 43] = 4; /* four characters */
        memcpy(p + n + 44 + 6, "LMT", 4);
        n += 44 + 6 + 4;
    }
    n += (size_t)snprintf((char *)p + n, sizeof p - n, "\n%s\n", footer);
    return tz_parse(a, p, n, out, NULL);
}

static void footers(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct tz *tz;
    assert_int_equal(parse_footer(a, "<+0330>-3:30", &tz), ERR_OK);
    assert_int_equal(tz_offset_s(tz, 0), 12600);
    assert_int_equal(parse_footer(a, "", &tz), ERR_OK);
    assert_int_equal(tz_offset_s(tz, 0), 0);
    /* Days by number: J60 is 1 March in every year, 59 (from 0) is 29 February or 1 March. */
    assert_int_equal(parse_footer(a, "AAA0BBB-1,J60/0,J61/0", &tz), ERR_OK);
    assert_int_equal(tz_offset_s(tz, at("2024-02-29T23:59:59Z")), 0);
    assert_int_equal(tz_offset_s(tz, at("2024-03-01T00:00:00Z")), 3600);
    assert_int_equal(tz_offset_s(tz, at("2023-03-01T00:00:00Z")), 3600);
    assert_int_equal(tz_offset_s(tz, at("2023-03-01T22:59:59Z")), 3600);
    assert_int_equal(tz_offset_s(tz, at("2023-03-01T23:00:00Z")), 0);
    assert_int_equal(parse_footer(a, "AAA0BBB,59/0,60/0", &tz), ERR_OK);
    assert_int_equal(tz_offset_s(tz, at("2024-02-29T00:00:00Z")), 3600);
    assert_int_equal(tz_offset_s(tz, at("2023-02-28T23:59:59Z")), 0);
    assert_int_equal(tz_offset_s(tz, at("2023-03-01T00:00:00Z")), 3600);
    /* Daylight saving all year (RFC 8536 3.3.1). */
    assert_int_equal(parse_footer(a, "EST5EDT,0/0,J365/25", &tz), ERR_OK);
    for (int64_t t = at("2020-01-01T00:00:00Z"); t < at("2025-01-01T00:00:00Z"); t += 3600 * second)
        assert_int_equal(tz_offset_s(tz, t), -4 * 3600);
    int64_t change;
    assert_false(tz_next_change(tz, at("2020-01-01T00:00:00Z"), &change));
    static const char *const bad[] = {"A0",
                                      "AAA",
                                      "AAA25",
                                      "AAA0BBB,M13.1.0,M1.1.0",
                                      "AAA0BBB",
                                      "AAA0BBB,J0,J1",
                                      "AAA0BBB,J1",
                                      "AAA0BBB,M1.0.0,M1.1.0",
                                      "<AAA0",
                                      "AAA0BBB,J1,J2x",
                                      "AAA0BBB,J366,J1",
                                      "AAA0BBB,M1.1.7,M1.1.0",
                                      "AAA0:60",
                                      "AAA0BBB,J1/168,J2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (parse_footer(a, bad[i], &tz) != ERR_INVALID) fail_msg("accepted: %s", bad[i]);
    arena_free(a);
}

static void a_small_arena_is_met_cleanly(void **state) {
    (void)state;
    static const char *const names[] = {"Asia/Shanghai", "UTC"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t limit = 0;; limit += 16) {
            const struct tz *tz;
            struct arena *a = arena_new(limit);
            enum err_code rc = tz_load(a, names[i], &tz, NULL);
            assert_true((tz != NULL) == (rc == ERR_OK));
            arena_free(a);
            if (rc == ERR_OK) break;
            assert_int_equal(rc, ERR_NOMEM);
        }
    }
}

/* Every truncation and many mutations of a real file give a zone or a clean error. */
static void damaged_files_are_refused(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 16);
    assert_int_equal(file_read("/usr/share/zoneinfo/America/New_York", &b, NULL), ERR_OK);
    struct rng r = rng_new(9, 0);
    for (size_t n = 1; n < b.n; n++) {
        const struct tz *tz;
        struct arena *a = test_arena();
        char *exact = malloc(n);
        memcpy(exact, b.p, n);
        assert_int_equal(tz_parse(a, exact, n, &tz, NULL), ERR_INVALID);
        free(exact);
        arena_free(a);
    }
    for (int i = 0; i < 20000; i++) {
        const struct tz *tz;
        struct arena *a = test_arena();
        char *copy = malloc(b.n);
        memcpy(copy, b.p, b.n);
        for (uint32_t k = 1 + rng_below(&r, 4); k > 0; k--)
            copy[rng_below(&r, i % 2 == 0 ? 60 : (uint32_t)b.n)] = (char)rng_u32(&r);
        if (tz_parse(a, copy, b.n, &tz, NULL) == ERR_OK) {
            int64_t t = 0;
            for (int k = 0; k < 5 && tz_next_change(tz, t, &t); k++) (void)tz_to_utc(tz, t);
        }
        free(copy);
        arena_free(a);
    }
    buf_deinit(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shanghai),
        cmocka_unit_test(new_york),
        cmocka_unit_test(offsets_agree_with_the_c_library),
        cmocka_unit_test(local_readings_agree_with_a_search),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(footers),
        cmocka_unit_test(a_small_arena_is_met_cleanly),
        cmocka_unit_test(damaged_files_are_refused),
    };
    return cmocka_run_group_tests_name("base/tz", tests, NULL, NULL);
}
