/* When a briefing is due: after the end of its period, at its time, and not long after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/json.h"
#include "domain/briefing/schedule.h"

static int64_t at(int month, int day, int hour, int minute) {
    struct civil c = {2026, month, day, hour, minute, 0, 0};
    return civil_to_us(&c);
}

static void assert_due(const struct schedule_kind *k, int64_t local_us, const char *period) {
    struct period p;
    char text[PERIOD_TEXT] = "";
    if (schedule_due(k, local_us, &p)) period_format(&p, text);
    assert_string_equal(text, period);
}

static void test_day(void **state) {
    struct schedule_kind day = {PERIOD_DAY, 7 * 60 + 30, 0};
    (void)state;
    assert_due(&day, at(11, 3, 7, 30), "2026-11-02");
    assert_due(&day, at(11, 3, 23, 59), "2026-11-02");
    /* Before its time yesterday's briefing still waits: the one before is the newest due. */
    assert_due(&day, at(11, 3, 7, 29), "2026-11-01");
    assert_due(&day, at(11, 1, 8, 0), "2026-10-31");
}

static void test_ten_days(void **state) {
    struct schedule_kind ten = {PERIOD_TEN_DAY, 7 * 60 + 40, 0};
    (void)state;
    assert_due(&ten, at(11, 11, 7, 40), "2026-11-T1");
    assert_due(&ten, at(11, 12, 12, 0), "2026-11-T1");
    assert_due(&ten, at(11, 13, 0, 0), ""); /* missed for more than a day: a person may form it */
    assert_due(&ten, at(11, 1, 8, 0), "2026-10-T3");
}

static void test_month_waits_for_what_is_late(void **state) {
    struct schedule_kind month = {PERIOD_MONTH, 7 * 60 + 50, 2};
    (void)state;
    assert_due(&month, at(11, 1, 9, 0), "");
    assert_due(&month, at(11, 3, 7, 49), "");
    assert_due(&month, at(11, 3, 7, 50), "2026-10");
    assert_due(&month, at(11, 4, 20, 0), "2026-10");
    assert_due(&month, at(11, 5, 0, 0), "");
}

/* Each slip is named with its file. */
static void assert_fault(const struct val *v, const char *why) {
    struct arena *a = arena_new(1 << 20);
    struct pack_document doc = {"p", "briefings", "p/briefings/x.yaml", v};
    struct pack_set packs = {.documents = &doc, .n_documents = 1};
    const struct schedule *s = NULL;
    struct err err = {0};
    if (why == NULL) {
        assert_int_equal(schedule_load(a, &packs, &s, &err), ERR_OK);
        assert_int_equal(s->n, 1);
    } else {
        assert_int_equal(schedule_load(a, &packs, &s, &err), ERR_INVALID);
        assert_non_null(strstr(err.detail, why));
        assert_non_null(strstr(err.detail, "p/briefings/x.yaml:"));
    }
    arena_free(a);
}

static void test_slips(void **state) {
    static const struct {
        const char *json, *why;
    } rows[] = {
        {"{\"briefing\":\"b\",\"index\":\"safety\",\"levels\":[\"city\"],\"kinds\":[{\"kind\":"
         "\"day\",\"at\":\"07:30\"}]}",
         NULL},
        {"{\"briefing\":\"b\",\"index\":\"safety\",\"levels\":[\"street\"],\"kinds\":[{\"kind\":"
         "\"day\",\"at\":\"07:30\"}]}",
         "expected levels"},
        {"{\"briefing\":\"b\",\"index\":\"safety\",\"levels\":[\"city\"],\"kinds\":[{\"kind\":"
         "\"year\",\"at\":\"07:30\"}]}",
         "expected day, ten_day or month"},
        {"{\"briefing\":\"b\",\"index\":\"safety\",\"levels\":[\"city\"],\"kinds\":[{\"kind\":"
         "\"day\",\"at\":\"24:00\"}]}",
         "expected a time"},
        {"{\"briefing\":\"b\",\"index\":\"safety\",\"levels\":[\"city\"],\"kinds\":[]}",
         "one to three kinds"},
        {"{\"briefing\":\"b\",\"levels\":[\"city\"],\"kinds\":[]}", "index"},
        {"{\"briefing\":\"b\",\"index\":\"safety\",\"levels\":[],\"kinds\":[]}", "levels"},
        {"{\"breifing\":\"b\"}", "briefing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *a = arena_new(1 << 20);
        const struct val *v = NULL;
        assert_int_equal(json_parse(a, rows[i].json, strlen(rows[i].json), &v, NULL), ERR_OK);
        assert_fault(v, rows[i].why);
        arena_free(a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_day),
        cmocka_unit_test(test_ten_days),
        cmocka_unit_test(test_month_waits_for_what_is_late),
        cmocka_unit_test(test_slips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
