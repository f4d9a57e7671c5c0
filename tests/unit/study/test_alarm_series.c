/* Reading series: columns, steps, groups in any order, gaps and doubles, holidays, every malformed
 * input with its line; the reports and the picture. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "base/civil.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "study/alarm/answer.h"
#include "study/alarm/plot.h"
#include "study/alarm/report.h"
#include "study/alarm/settings.h"

static enum err_code read_text(struct arena *a, const char *text, const struct series_options *o,
                               const struct series_set **out, struct err *err) {
    const struct table *t = NULL;
    TRY(table_parse(a, "in.csv", text, strlen(text), 0, 10000, &t, err));
    return series_read(a, t, o, out, err);
}

static const struct series_set *must_read(struct arena *a, const char *text,
                                          const struct series_options *o) {
    const struct series_set *s = NULL;
    struct err err = {0};
    if (read_text(a, text, o, &s, &err) != ERR_OK) fail_msg("%s", err.detail);
    return s;
}

static void test_days_and_groups(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct series_options o = {0};
    const struct series_set *s = must_read(
        a,
        "count,group,date,population\n3,b,2024-02-28,10\n1,a,2024-01-01,7\n4,b,2024-02-29,"
        "11\n5,b,2024-03-01,12.5\n2,a,2024-01-02,8\n",
        &o);
    assert_int_equal(s->n_group, 2);
    assert_false(s->weekly || s->numbered);
    assert_true(s->grouped);
    assert_string_equal(s->group[0].name, "a");
    assert_int_equal(s->group[0].n, 2);
    assert_int_equal(s->group[1].count[2], 5);
    assert_true(s->group[1].population[2] == 12.5);
    assert_int_equal(s->group[1].class_of[0], 2); /* 2024-02-28 is a Wednesday */
    assert_null(s->group[0].label);
    arena_free(a);
}

static void test_steps(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct series_options o = {0};
    assert_true(must_read(a, "date,count\n2024-W01,1\n2024-W02,2\n", &o)->weekly);
    assert_false(must_read(a, "date,count\n2024-01-01,1\n", &o)->weekly);
    const struct series_set *s = must_read(a, "date,count\n7,1\n8,2\n", &o);
    assert_true(s->numbered && s->weekly && s->group[0].class_of == NULL);
    char day[16];
    series_date(s, s->group[0].day[1], day);
    assert_string_equal(day, "8");
    o.step = SERIES_WEEK;
    o.fill_zero = true;
    s = must_read(a, "date,count\n2024-01-01,1\n2024-01-22,2\n", &o);
    assert_int_equal(s->group[0].n, 4);
    assert_int_equal(s->filled, 2);
    o.step = SERIES_DAY;
    assert_int_equal(must_read(a, "date,count\n2024-01-01,1\n2024-01-22,2\n", &o)->group[0].n, 22);
    arena_free(a);
}

static void test_gaps_and_doubles(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct series_options o = {.fill_zero = true, .sum_duplicates = true, .expected = "mu"};
    const struct series_set *s = must_read(
        a,
        "date,count,population,mu,outbreak\n2024-01-01,1,5,2,0\n2024-01-01,2,6,3,1\n2024-01-04,7,9,"
        "4,0\n",
        &o);
    const struct series_group *g = &s->group[0];
    assert_int_equal(g->n, 4);
    assert_int_equal(s->filled, 2);
    assert_int_equal(s->summed, 1);
    assert_int_equal(g->count[0], 3);
    assert_int_equal(g->count[1] + g->count[2], 0);
    assert_int_equal(g->label[0], 1);
    assert_true(g->population[0] == 5 && g->population[2] == 5 && g->population[3] == 9);
    assert_true(g->mean[2] == 2 && g->mean[3] == 4);
    arena_free(a);
}

static void test_holidays(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct err err = {0};
    const char days[] = "date,name\n2024-01-03,x\n2023-05-01,y\n",
               text[] = "date,count\n2024-01-01,1\n"
                        "2024-01-02,1\n2024-01-03,1\n";
    const struct table *t = NULL;
    assert_int_equal(table_parse(a, "h.csv", days, strlen(days), 0, 100, &t, &err), ERR_OK);
    struct series_options o = {.holidays = t};
    const struct series_set *s = must_read(a, text, &o);
    assert_int_equal(s->group[0].class_of[1], 1);
    assert_int_equal(s->group[0].class_of[2], 7);
    assert_int_equal(read_text(a, "date,count\n1,1\n", &o, &s, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "h.csv"));
    arena_free(a);
}

static void test_malformed(void **state) {
    (void)state;
    static const struct {
        const char *text, *says[3];
    } row[] = {{"day,count\n", {"in.csv", "date", "day"}},
               {"date,n\n", {"in.csv", "count", "n"}},
               {"date,count\n", {"in.csv", "no rows", ""}},
               {"date,count\n2024-01-01,x\n", {"in.csv:2", "count", "\"x\""}},
               {"date,count\n2024-01-01,-1\n", {"in.csv:2", "count", "whole number"}},
               {"date,count\n2024-01-01,1.5\n", {"in.csv:2", "count", "whole number"}},
               {"date,count\n2024-01-01,\n", {"in.csv:2", "count", "nothing"}},
               {"date,count\n2024-01-01,10000001\n", {"in.csv:2", "count", "10000000"}},
               {"date,count\n2024-13-01,1\n", {"in.csv:2", "date", "2024-13-01"}},
               {"date,count\n1,1\n2024-01-01,1\n", {"in.csv:3", "date", "whole number"}},
               {"date,count\n2024-01-01,1\n2024-01-01,1\n", {"in.csv:3", "line 2", "--duplicates"}},
               {"date,count\n2024-01-01,1\n2024-01-02,1\n2024-01-04,1\n",
                {"in.csv:4", "1 missing", "--gaps"}},
               {"date,count,population\n2024-01-01,1,0\n", {"in.csv:2", "population", "above 0"}},
               {"date,count,population\n2024-01-01,1,\n", {"in.csv:2", "population", "nothing"}},
               {"date,count,outbreak\n2024-01-01,1,2\n", {"in.csv:2", "outbreak", "whole number"}},
               {"date,count,outbreak\n2024-01-01,1\n", {"in.csv:2", "", ""}}};
    struct arena *a = test_arena();
    const struct series_options o = {0};
    for (size_t k = 0; k < sizeof row / sizeof row[0]; k++) {
        struct err err = {0};
        const struct series_set *s = NULL;
        enum err_code rc = read_text(a, row[k].text, &o, &s, &err);
        if (rc == ERR_OK) fail_msg("row %zu was read", k);
        for (size_t i = 0; i < 3; i++)
            if (strstr(err.detail, row[k].says[i]) == NULL)
                fail_msg("row %zu: \"%s\" does not say \"%s\"", k, err.detail, row[k].says[i]);
    }
    struct series_options w = {.step = SERIES_WEEK, .fill_zero = true};
    struct err err = {0};
    const struct series_set *s = NULL;
    assert_int_equal(read_text(a, "date,count\n2024-01-01,1\n2024-01-09,1\n", &w, &s, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.detail, "whole weeks"));
    assert_int_equal(read_text(a, "date,count\n0,1\n2000000,1\n", &w, &s, &err), ERR_LIMIT);
    w = (struct series_options){.need_label = true};
    assert_int_equal(read_text(a, "date,count\n2024-01-01,1\n", &w, &s, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "state"));
    w = (struct series_options){.sum_duplicates = true};
    assert_int_equal(read_text(a, "date,count\n1,9999999\n1,2\n", &w, &s, &err), ERR_INVALID);
    arena_free(a);
}

/* ---- reports ---- */

static char *made_text(struct arena *a, bool turned) {
    struct rng r = rng_new(4, 4);
    struct buf b;
    char rows[2][120][40], day[16];
    buf_init(&b, 1 << 20);
    for (size_t g = 0; g < 2; g++)
        for (size_t i = 0; i < 120; i++) {
            uint32_t n = rng_poisson(&r, 6) + (i == 100 ? 30 : 0);
            civil_date_format(civil_days(2024, 1, 1) + (int64_t)i, day);
            (void)snprintf(rows[g][i], sizeof rows[g][i], "%s,%u,%s\n", day, n,
                           g == 0 ? "<A> & b" : "Z");
        }
    buf_str(&b, "date,count,group\n");
    for (size_t k = 0; k < 240; k++) {
        size_t at = turned ? 239 - k : k;
        buf_str(&b, rows[at / 120][at % 120]);
    }
    char *text = arena_dup(a, b.p, b.n);
    buf_deinit(&b);
    return text;
}

static void answer_of(struct arena *a, const char *method, bool turned, struct alarm_answer *out) {
    struct settings s;
    struct alarm_spec spec;
    struct err err = {0};
    const struct series_options o = {0};
    const struct alarm_when when = {NULL, -1, -1};
    settings_init(&s);
    if (settings_spec(&s, method, true, &spec, &err) != ERR_OK) fail_msg("%s", err.detail);
    const struct series_set *set = must_read(a, made_text(a, turned), &o);
    if (alarm_answer(a, NULL, set, &spec, &when, out, &err) != ERR_OK) fail_msg("%s", err.detail);
}

typedef enum err_code report_fn(const struct alarm_answer *, FILE *, struct err *);

static char *told(struct arena *a, report_fn *report, const struct alarm_answer *answer) {
    char *p = NULL;
    size_t n = 0;
    struct err err = {0};
    FILE *out = open_memstream(&p, &n);
    assert_non_null(out);
    assert_int_equal(report(answer, out, &err), ERR_OK);
    (void)fclose(out);
    char *copy = arena_dup(a, p, n);
    free(p);
    return copy;
}

static void test_order_of_rows(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct alarm_answer one, other;
    answer_of(a, "c2", false, &one);
    answer_of(a, "c2", true, &other);
    assert_string_equal(told(a, report_json, &one), told(a, report_json, &other));
    assert_string_equal(told(a, report_csv, &one), told(a, report_csv, &other));
    arena_free(a);
}

static void test_json_and_csv(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct alarm_answer answer;
    const struct val *v = NULL;
    struct err err = {0};
    answer_of(a, "c1", false, &answer);
    const char *json = told(a, report_json, &answer);
    if (json_parse(a, json, strlen(json), &v, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_non_null(strstr(json, "\"verified\":true"));
    assert_non_null(strstr(json, "\"settings\":{\"alpha\":0.001,\"baseline\":7,"));
    assert_non_null(strstr(json, "\"state\":\"not-enough-history\""));
    assert_non_null(strstr(json, "\"date\":\"2024-04-10\",\"observed\":"));
    const char *csv = told(a, report_csv, &answer);
    size_t lines = 0;
    for (const char *p = csv; *p != '\0'; p++) lines += *p == '\n';
    assert_int_equal(lines, 241);
    assert_non_null(strstr(csv, "<A> & b,2024-01-01,"));
    assert_non_null(strstr(csv, ",,,0,,,not-enough-history\n"));
    answer_of(a, "ewma", false, &answer);
    assert_non_null(strstr(told(a, report_json, &answer), "\"verified\":false"));
    arena_free(a);
}

/* Every element opened is closed in order, no raw < or & in text, and it names its alarm. */
static void test_picture(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct alarm_answer answer;
    struct buf b;
    answer_of(a, "c1", false, &answer);
    buf_init(&b, 1 << 20);
    plot_svg(&answer, 0, &b);
    const char *svg = buf_text(&b), *open[16];
    size_t depth = 0, n_open[16] = {0};
    assert_false(b.failed);
    for (const char *p = strchr(svg, '<'); p != NULL; p = strchr(p, '<')) {
        const char *end = strchr(p, '>');
        assert_non_null(end);
        size_t n = strcspn(p + 1, " >/");
        if (p[1] == '/') {
            n = strcspn(p + 2, ">");
            assert_true(depth > 0 && n_open[depth - 1] == n &&
                        strncmp(open[depth - 1], p + 2, n) == 0);
            depth--;
        } else if (end[-1] != '/') {
            assert_true(depth < 16);
            open[depth] = p + 1;
            n_open[depth++] = n;
        }
        p = end;
    }
    assert_int_equal(depth, 0);
    assert_non_null(strstr(svg, "<title id=\"t\">&lt;A&gt; &amp; b: alarms</title>"));
    assert_non_null(strstr(svg, "role=\"img\""));
    assert_non_null(strstr(svg, "2024-04-10"));
    assert_null(strstr(svg, "nan"));
    assert_null(strstr(svg, "inf"));
    buf_deinit(&b);
    arena_free(a);
}

static void test_settings(void **state) {
    (void)state;
    struct settings s;
    struct alarm_spec spec;
    struct opt opts[SETTINGS_MAX];
    struct err err = {0};
    settings_init(&s);
    size_t n = settings_options(&s, opts);
    assert_true(n > 25 && n <= SETTINGS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(opts[i].name, "power") == 0) *(const char **)opts[i].out = "1/2";
        if (strcmp(opts[i].name, "trend") == 0) *(const char **)opts[i].out = "no";
        if (strcmp(opts[i].name, "years") == 0) *(int64_t *)opts[i].out = 3;
        if (strcmp(opts[i].name, "alpha") == 0) *(double *)opts[i].out = 0.2;
    }
    assert_int_equal(settings_spec(&s, "farrington", true, &spec, &err), ERR_OK);
    assert_true(spec.power == ALARM_POWER_HALF && !spec.trend && spec.years == 3 &&
                spec.alpha == 0.2);
    assert_int_equal(settings_all_used(&s, &spec, 1, &err), ERR_OK);
    assert_int_equal(settings_spec(&s, "c1", true, &spec, &err), ERR_OK);
    assert_int_equal(settings_all_used(&s, &spec, 1, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "means nothing to c1"));
    assert_int_equal(settings_spec(&s, "c9", true, &spec, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "farrington-flexible"));
    settings_init(&s);
    for (size_t i = 0; i < n; i++)
        if (strcmp(opts[i].name, "threshold") == 0) *(const char **)opts[i].out = "best";
    assert_int_equal(settings_spec(&s, "farrington-flexible", true, &spec, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "muan"));
    assert_int_equal(settings_spec(&s, "bayes3", true, &spec, &err), ERR_OK);
    assert_true(spec.years == 2 && spec.half_window == 4 && !spec.current_year);
    arena_free(test_arena());
}

static void test_out_of_memory(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct arena *a = test_arena();
        const struct series_set *s = NULL;
        const struct series_options o = {0};
        struct err err = {0};
        char *text = made_text(a, true);
        mem_fault_arm(n);
        enum err_code rc = read_text(a, text, &o, &s, &err);
        bool fired = mem_fault_disarm() != 0;
        arena_free(a);
        if (!fired) {
            assert_int_equal(rc, ERR_OK);
            assert_true(n > 3);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_and_groups),  cmocka_unit_test(test_steps),
        cmocka_unit_test(test_gaps_and_doubles), cmocka_unit_test(test_holidays),
        cmocka_unit_test(test_malformed),        cmocka_unit_test(test_order_of_rows),
        cmocka_unit_test(test_json_and_csv),     cmocka_unit_test(test_picture),
        cmocka_unit_test(test_settings),         cmocka_unit_test(test_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
