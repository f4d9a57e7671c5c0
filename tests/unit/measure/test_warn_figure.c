/* Rules over figures: indicators, colours of an index and overdue shares on a small real city;
 * states that never flap, what is judged when, and a past that stays as it was told. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/yaml.h"
#include "domain/measure/warn_day.h"
#include "measured.h"

#define A "990101000000"
#define B "990102000000"
#define TITLE "    title: {en: T, zh: 题}\n    color: red\n"
static const int64_t day_us = 86400000000;

static int setup(void **state) {
    struct measured *x = test_calloc(1, sizeof *x);
    measured_open(x);
    *state = x;
    return 0;
}

static int teardown(void **state) {
    measured_close(*state);
    test_free(*state);
    return 0;
}

/* Rules, and an index of one indicator when there is a text of it. */
struct rules {
    const struct warn_set *set;
    const struct index_set *indices;
};

/* later: another edition of the index, or NULL. */
static struct rules rules_with(const struct measured *x, const char *rules, const char *index,
                               const char *later) {
    struct arena *a = x->city->a;
    struct pack_document doc[3] = {{.pack = "p", .folder = "warnings", .file = "w.yaml"},
                                   {.pack = "p", .folder = "indices", .file = "i.yaml"},
                                   {.pack = "p", .folder = "indices", .file = "j.yaml"}};
    struct pack_set p = *x->city->folder.packs;
    struct rules out = {NULL, NULL};
    struct err err = {0};
    must(yaml_parse(a, "w.yaml", rules, strlen(rules), &doc[0].v, &err), &err);
    if (index != NULL) must(yaml_parse(a, "i.yaml", index, strlen(index), &doc[1].v, &err), &err);
    if (later != NULL) must(yaml_parse(a, "j.yaml", later, strlen(later), &doc[2].v, &err), &err);
    p.documents = doc;
    p.n_documents = index == NULL ? 1 : later == NULL ? 2 : 3;
    must(warn_load(a, &p, &out.set, &err), &err);
    if (index != NULL) must(index_load(a, &p, &out.indices, &err), &err);
    if (index != NULL) must(warn_check_indices(out.set, out.indices, &err), &err);
    return out;
}

static struct rules rules_of(const struct measured *x, const char *rules, const char *index) {
    return rules_with(x, rules, index, NULL);
}

static struct warn_figures look(const struct measured *x, const struct rules *r, int32_t day,
                                int64_t as_of) {
    struct test_city *c = x->city;
    struct warn_figures out;
    struct reader *rd = NULL;
    struct cube *then = NULL;
    struct err err = {0};
    ledger_catch_up(c->folder.ledger, ledger_last_seq(c->folder.ledger));
    must(ledger_read_begin(c->folder.ledger, &rd, &err), &err);
    struct warn_source src = {.db = reader_db(rd),
                              .ledger = 1,
                              .as_of_seq = as_of,
                              .atoms = measure_atoms(x->m),
                              .measure = x->m,
                              .grid = x->grid,
                              .indices = r->indices,
                              .packs = c->folder.packs,
                              .tz = c->folder.tz};
    if (as_of > 0) must(measure_as_of(src.db, 1, src.atoms, as_of, &then, &err), &err);
    src.cube = then;
    must(warn_figures_form(&src, r->set, NULL, day, c->a, &out, &err), &err);
    cube_free(then);
    ledger_read_end(rd);
    return out;
}

static bool holds_at(const struct warn_figures *f, const char *place) {
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->figure[i].place, place) == 0) return true;
    return false;
}

static int32_t last_day(int month) { return (int32_t)civil_days(2024, month + 1, 1) - 1; }

/* A walk of the indicator inside the width in county A, one step beyond in month 4; county B stays
 * inside for good. */
static void import_walk(const struct measured *x, uint64_t seed, int low, int high) {
    struct rng r = rng_new(seed, 7);
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    int at[2] = {(low + high) / 2, (low + high) / 2};
    (void)fputs("indicator,area,period,value\n", f);
    for (int month = 1; month <= 24; month++)
        for (int k = 0; k < 2; k++) {
            at[k] += (int)rng_below(&r, 7) - 3;
            if (at[k] <= low) at[k] = low + 1;
            if (at[k] >= high) at[k] = high - 1;
            int value = month == 4 && k == 0 ? high : at[k];
            (void)fprintf(f, "fires,%s,%d-%02d,%d\n", k == 0 ? A : B, 2024 + (month - 1) / 12,
                          (month - 1) % 12 + 1, value);
        }
    (void)fclose(f);
    measured_import(x, text);
    free(text);
}

static int changes_of(const struct measured *x, const struct rules *r, const char *place,
                      int *raised_in) {
    int changes = 0;
    bool was = false;
    for (int month = 1; month <= 24; month++) {
        /* Complete three days after the month: the indicator's lag. */
        struct warn_figures f = look(x, r, last_day(month) + 3, 0);
        bool now = holds_at(&f, place);
        if (now != was && changes++ == 0) *raised_in = month;
        was = now;
    }
    return changes;
}

static void indicators_never_flap(void **state) {
    const struct measured *x = *state;
    struct rules above =
        rules_of(x,
                 "rules:\n  - rule: a\n" TITLE "    method: indicator\n    level: county\n"
                 "    indicator: fires\n    period: month\n    raise: 20\n"
                 "    clear: 5\n    look: 36\n",
                 NULL);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        int raised = 0;
        import_walk(x, seed, 5, 20);
        assert_int_equal(changes_of(x, &above, A, &raised), 1);
        assert_int_equal(raised, 4);
        assert_int_equal(changes_of(x, &above, B, &raised), 0);
    }
    /* The lag: on the last day of the month it is not told yet. */
    struct warn_figures f = look(x, &above, last_day(4), 0);
    assert_false(holds_at(&f, A));
    f = look(x, &above, last_day(4) + 2, 0);
    assert_false(holds_at(&f, A));
    f = look(x, &above, last_day(4) + 3, 0);
    assert_true(holds_at(&f, A) && f.n == 1 && f.figure[0].value == 20);
    assert_int_equal(f.figure[0].from, civil_days(2024, 4, 1));
    assert_int_equal(f.figure[0].to, last_day(4));
    assert_int_equal(f.figure[0].n_places, 2);
}

static void a_color_never_flaps(void **state) {
    const struct measured *x = *state;
    /* 100 - fires: 80 is the border, left only when the value is 5 beyond it. */
    struct rules r = rules_of(
        x,
        "rules:\n  - rule: c\n" TITLE "    method: index_color\n    level: county\n"
        "    index: trial\n    band: red\n    period: month\n    look: 36\n",
        "index: trial\ntitle: {en: T, zh: 题}\nstands_for: {en: T, zh: 题}\nversion: 1\n"
        "levels: [county]\nperiods: [month]\nmissing: 0.5\nmean: arithmetic\nhysteresis: 5\n"
        "doubt: {weights: 0.25, means: [arithmetic]}\nbands:\n"
        "  - {band: red, title: {en: R, zh: 红}, color: \"#b3261e\", severity: 1, from: 0}\n"
        "  - {band: green, title: {en: G, zh: 绿}, color: \"#1b6e3c\", severity: 0, from: 80}\n"
        "groups:\n  - group: g\n    title: {en: T, zh: 题}\n    weight: 1\n    indicators:\n"
        "      - {indicator: fires, weight: 1, low: 0, high: 100}\n");
    for (uint64_t seed = 11; seed <= 13; seed++) {
        int raised = 0;
        import_walk(x, seed, 15, 26); /* 16 to 25 fires; 26 in April is beyond */
        measured_import(x, "indicator,area,period,value\nfires," A ",2024-01,3\nfires," B
                           ",2024-01,3\n");
        assert_int_equal(changes_of(x, &r, A, &raised), 1);
        assert_int_equal(raised, 4);
        assert_int_equal(changes_of(x, &r, B, &raised), 0);
    }
    struct warn_figures f = look(x, &r, last_day(4) + 3, 0);
    assert_true(f.n == 1 && strcmp(f.figure[0].band, "red") == 0);
    assert_true(fabs(f.figure[0].value - 74) < 1e-9 && fabs(f.figure[0].limit - 80) < 1e-9);
    assert_int_equal(f.figure[0].periods, 1);
    f = look(x, &r, last_day(7) + 3, 0);
    assert_int_equal(f.figure[0].periods, 4); /* in a row */
}

static void what_came_later_changes_no_past(void **state) {
    const struct measured *x = *state;
    struct rules r = rules_of(x,
                              "rules:\n  - rule: a\n" TITLE
                              "    method: indicator\n    level: county\n    indicator: fires\n"
                              "    period: month\n    raise: 20\n    clear: 5\n    look: 3\n",
                              NULL);
    import_walk(x, 1, 5, 20);
    int64_t seq = ledger_last_seq(x->city->folder.ledger);
    measured_import(x, "indicator,area,period,value\nfires," A ",2024-04,4\n"); /* corrected */
    struct warn_figures now = look(x, &r, last_day(4) + 3, 0);
    struct warn_figures then = look(x, &r, last_day(4) + 3, seq);
    assert_false(holds_at(&now, A));
    assert_true(holds_at(&then, A) && then.figure[0].value == 20);
}

static void held_against_periods_before(void **state) {
    const struct measured *x = *state;
    struct rules r = rules_of(x,
                              "rules:\n  - rule: a\n" TITLE
                              "    method: indicator\n    level: county\n    indicator: fires\n"
                              "    period: month\n    against: before\n    periods: 3\n"
                              "    raise: 2\n    clear: 1.2\n    look: 4\n"
                              "  - rule: b\n" TITLE
                              "    method: indicator\n    level: county\n    indicator: fires\n"
                              "    period: month\n    raise: 3\n    clear: 5\n    look: 4\n",
                              NULL);
    char text[900] = "indicator,area,period,value\n";
    static const int fires[] = {10, 11, 9, 10, 22, 12, 2, 4, 6, 9};
    for (int k = 0; k < 10; k++) {
        size_t n = strlen(text);
        (void)snprintf(text + n, sizeof text - n, "fires," A ",2024-%02d,%d\n", k + 1, fires[k]);
    }
    measured_import(x, text);
    struct warn_figures f = look(x, &r, last_day(4) + 3, 0);
    assert_false(holds_at(&f, A));
    f = look(x, &r, last_day(5) + 3, 0); /* 22 against a mean of 10 */
    assert_true(holds_at(&f, A) && fabs(f.figure[0].value - 2.2) < 1e-9);
    f = look(x, &r, last_day(6) + 3, 0); /* 12 against 13.7: over */
    assert_false(holds_at(&f, A));
    /* Bad below: 2 raises, 4 holds, 6 clears. */
    static const bool low[] = {true, true, false};
    for (int k = 0; k < 3; k++) {
        f = look(x, &r, last_day(7 + k) + 3, 0);
        assert_int_equal(holds_at(&f, A), low[k]);
    }
}

#define COLORED                                                                                    \
    "rules:\n  - rule: c\n" TITLE "    method: index_color\n    level: county\n"                   \
    "    index: trial\n    band: red\n    period: month\n    look: 6\n"
#define TRIAL(version, from, indicator)                                                            \
    "index: trial\ntitle: {en: T, zh: 题}\nstands_for: {en: T, zh: 题}\nversion: " version         \
    "\nvalid_from: \"" from "\"\nlevels: [county]\nperiods: [month]\nmissing: 0.5\n"               \
    "mean: arithmetic\nhysteresis: 5\ndoubt: {weights: 0.25, means: [arithmetic]}\nbands:\n"       \
    "  - {band: red, title: {en: R, zh: 红}, color: \"#b3261e\", severity: 1, from: 0}\n"         \
    "  - {band: green, title: {en: G, zh: 绿}, color: \"#1b6e3c\", severity: 0, from: 80}\n"      \
    "groups:\n  - group: g\n    title: {en: T, zh: 题}\n    weight: 1\n    indicators:\n"         \
    "      - {indicator: " indicator ", weight: 1, low: 0, high: 100}\n"

/* 78 is red by itself, and green for who was green before; green of another edition is not. */
static void colors_of_another_edition_are_forgotten(void **state) {
    const struct measured *x = *state;
    struct rules one = rules_of(x, COLORED, TRIAL("1", "2024-01-01", "fires"));
    struct rules two = rules_with(x, COLORED, TRIAL("1", "2024-01-01", "fires"),
                                  TRIAL("2", "2024-05-01", "fires"));
    measured_import(x, "indicator,area,period,value\nfires," A ",2024-04,10\n"
                       "fires," A ",2024-05,22\nfires," B ",2024-04,10\nfires," B ",2024-05,10\n");
    struct warn_figures f = look(x, &one, last_day(5) + 3, 0);
    assert_int_equal(f.n, 0);
    f = look(x, &two, last_day(5) + 3, 0);
    assert_true(holds_at(&f, A) && !holds_at(&f, B));
}

/* A share from too few answers neither raises nor colours. */
static void few_answers_say_nothing(void **state) {
    const struct measured *x = *state;
    struct rules value =
        rules_of(x,
                 "rules:\n  - rule: a\n" TITLE "    method: indicator\n    level: county\n"
                 "    indicator: survey_safe\n    period: month\n"
                 "    raise: 40\n    clear: 60\n    look: 3\n",
                 NULL);
    struct rules color = rules_of(x, COLORED, TRIAL("1", "2024-01-01", "survey_safe"));
    measured_import(x, "indicator,area,period,value,denominator\nsurvey_safe," A
                       ",2024-04,30,20\nsurvey_safe," B ",2024-04,30,80\n");
    struct warn_figures f = look(x, &value, last_day(4) + 30, 0);
    assert_true(holds_at(&f, B) && !holds_at(&f, A));
    f = look(x, &color, last_day(4) + 1, 0);
    assert_true(holds_at(&f, B) && !holds_at(&f, A));
}

/* After months of nothing there is no mean to be held against. */
static void nothing_before_says_nothing(void **state) {
    const struct measured *x = *state;
    struct rules r = rules_of(x,
                              "rules:\n  - rule: a\n" TITLE
                              "    method: indicator\n    level: county\n    indicator: fires\n"
                              "    period: month\n    against: before\n    periods: 3\n"
                              "    raise: 2\n    clear: 1.2\n    look: 2\n",
                              NULL);
    measured_import(x, "indicator,area,period,value\nfires," A ",2024-01,0\nfires," A
                       ",2024-02,0\nfires," A ",2024-03,0\nfires," A ",2024-04,5\n");
    struct warn_figures f = look(x, &r, last_day(4) + 3, 0);
    assert_int_equal(f.n, 0);
}

/* Saturdays are held against Saturdays. */
static void days_of_one_kind(void **state) {
    const struct measured *x = *state;
    struct rules r = rules_of(x,
                              "rules:\n  - rule: a\n" TITLE
                              "    method: indicator\n    level: county\n    indicator: fires\n"
                              "    period: day\n    against: before\n    periods: 3\n"
                              "    weekday: true\n    raise: 1.8\n    clear: 1.2\n    look: 1\n",
                              NULL);
    char text[2400] = "indicator,area,period,value\n";
    for (int day = 1; day <= 31; day++) {
        size_t n = strlen(text);
        bool saturday = day % 7 == 2; /* 2026-05-02 is one */
        (void)snprintf(text + n, sizeof text - n, "fires," A ",2026-05-%02d,%d\n", day,
                       day == 31  ? 11
                       : saturday ? 20
                                  : 10);
    }
    measured_import(x, text);
    int32_t may = (int32_t)civil_days(2026, 5, 1) - 1;
    for (int day = 29; day <= 31; day++) {
        struct warn_figures f = look(x, &r, may + day + 3, 0);
        assert_int_equal(f.n, 0);
    }
}

/* Raised at its number, cleared at its number, either way round. */
static void at_the_borders(void **state) {
    (void)state;
    assert_true(warn_state_next(false, 20, 20, 5) && !warn_state_next(false, 19.9, 20, 5));
    assert_true(warn_state_next(true, 5.1, 20, 5) && !warn_state_next(true, 5, 20, 5));
    assert_true(warn_state_next(false, 3, 3, 5) && !warn_state_next(false, 3.1, 3, 5));
    assert_true(warn_state_next(true, 4.9, 3, 5) && !warn_state_next(true, 5, 3, 5));
    assert_true(warn_state_next(true, (double)NAN, 20, 5));
    assert_false(warn_state_next(false, (double)NAN, 20, 5));
}

static void an_expected_period_says_nothing(void **state) {
    const struct measured *x = *state;
    static const char event[] =
        "events:\n  - event: e\n    title: {en: T, zh: 题}\n"
        "    from: \"2024-04-01\"\n    to: \"2024-04-30\"\n    area: \"" A "\"\n";
    static const char rule[] = "rules:\n  - rule: a\n" TITLE "    method: indicator\n"
                               "    level: county\n    indicator: fires\n    period: month\n"
                               "    raise: 20\n    clear: 5\n    look: 3\n";
    char text[1000];
    (void)snprintf(text, sizeof text, "%s%s", event, rule);
    struct rules with = rules_of(x, text, NULL), without = rules_of(x, rule, NULL);
    /* An event that was over before the month began expects nothing in it. */
    static const char before[] =
        "events:\n  - event: e\n    title: {en: T, zh: 题}\n"
        "    from: \"2024-03-01\"\n    to: \"2024-03-31\"\n    area: \"" A "\"\n";
    (void)snprintf(text, sizeof text, "%s%s", before, rule);
    struct rules over = rules_of(x, text, NULL);
    static const char elsewhere[] =
        "events:\n  - event: e\n    title: {en: T, zh: 题}\n"
        "    from: \"2024-04-01\"\n    to: \"2024-04-30\"\n    area: \"" B "\"\n";
    (void)snprintf(text, sizeof text, "%s%s", elsewhere, rule);
    struct rules other = rules_of(x, text, NULL);
    import_walk(x, 2, 5, 20);
    struct warn_figures f = look(x, &without, last_day(4) + 3, 0);
    assert_true(holds_at(&f, A));
    f = look(x, &with, last_day(4) + 3, 0);
    assert_false(holds_at(&f, A));
    f = look(x, &over, last_day(4) + 3, 0);
    assert_true(holds_at(&f, A));
    f = look(x, &other, last_day(4) + 3, 0);
    assert_true(holds_at(&f, A));
}

/* ---- overdue shares */

static const int64_t nine = 1772586000000000; /* Wednesday 2026-03-04, 09:00 in Shanghai */
static const int64_t hour = 3600000000;

static const char *with_unit(const struct measured *x, int64_t at) {
    struct principal op = city_who(x->city, "operator", "op", NULL, NULL);
    const char *code = city_report(x->city, "event-0102", false, at, NULL);
    city_must(x->city, code, "accept", op, "{}", at + hour / 4, NULL);
    city_must(x->city, code, "file", op, "{}", at + hour / 2, NULL);
    city_must(x->city, code, "dispatch", op, "{\"unit\":\"U1\"}", at + hour, NULL);
    return code;
}

static struct warn_figures overdue_on(const struct measured *x, const struct rules *r, int day) {
    return look(x, r, (int32_t)((nine + 8 * hour) / day_us) + day, 0);
}

/* Places and shares of a day in one number. */
static double told_on(const struct measured *x, const struct rules *r, int day) {
    struct warn_figures f = overdue_on(x, r, day);
    double sum = 0;
    for (size_t i = 0; i < f.n; i++) sum += 10 * (double)(i + 1) + f.figure[i].value;
    return sum;
}

static void overdue_shares_by_unit(void **state) {
    const struct measured *x = *state;
    struct rules r = rules_of(
        x,
        "rules:\n  - rule: o\n" TITLE "    method: overdue_share\n    level: unit\n    of: open\n"
        "    raise: 0.5\n    clear: 0.2\n    min: 4\n    look: 30\n"
        "  - rule: d\n" TITLE "    method: overdue_share\n    level: county\n    of: due\n"
        "    window: 14\n    raise: 0.5\n    clear: 0.2\n    min: 4\n",
        NULL);
    struct principal dep = city_who(x->city, "department", "dep", "U1", NULL);
    const char *code[8];
    for (int i = 0; i < 8; i++) code[i] = with_unit(x, nine + i * hour / 8);
    /* Two of eight are handled in time, the others not for weeks. */
    for (int i = 0; i < 2; i++)
        city_must(x->city, code[i], "handle", dep, "{\"note\":\"ok\"}", nine + 3 * hour / 2, NULL);
    struct warn_figures f = overdue_on(x, &r, -1);
    assert_int_equal(f.n, 0); /* there was nothing yet */
    f = overdue_on(x, &r, 20);
    assert_int_equal(f.n, 2);
    for (size_t i = 0; i < 2; i++) {
        bool unit = strcmp(f.figure[i].place, "U1") == 0;
        assert_true(unit || strcmp(f.figure[i].place, A) == 0);
        assert_true(f.figure[i].value >= 0.5);
    }
    struct rules few = rules_of(x,
                                "rules:\n  - rule: o\n" TITLE "    method: overdue_share\n"
                                "    level: unit\n    of: open\n    raise: 0.5\n    clear: 0.2\n"
                                "    min: 9\n    look: 30\n"
                                "  - rule: w\n" TITLE "    method: overdue_share\n"
                                "    watch: {classes: [event-0103]}\n"
                                "    level: unit\n    of: open\n    raise: 0.5\n    clear: 0.2\n"
                                "    min: 4\n    look: 30\n",
                                NULL);
    assert_int_equal(overdue_on(x, &few, 20).n, 0); /* too few, and of another class */
    double told[21];
    for (int day = 0; day < 21; day++) told[day] = told_on(x, &r, day);
    /* What is handled later does not change what the earlier day was told. */
    for (int i = 2; i < 8; i++)
        city_must(x->city, code[i], "handle", dep, "{\"note\":\"ok\"}", nine + 21 * 24 * hour,
                  NULL);
    struct warn_figures then = overdue_on(x, &r, 20);
    assert_int_equal(then.n, 2);
    for (size_t i = 0; i < 2; i++) assert_true(then.figure[i].value == f.figure[i].value);
    for (int day = 0; day < 21; day++) assert_true(told_on(x, &r, day) == told[day]);
    struct principal ver = city_who(x->city, "verifier", "ver", NULL, NULL);
    struct principal op = city_who(x->city, "operator", "op", NULL, NULL);
    for (int i = 2; i < 8; i++) {
        city_must(x->city, code[i], "verify", ver, "{}", nine + 22 * 24 * hour, NULL);
        city_must(x->city, code[i], "close", op, "{}", nine + 22 * 24 * hour, NULL);
    }
    for (int day = 0; day < 21; day++) assert_true(told_on(x, &r, day) == told[day]);
    assert_true(told_on(x, &r, 24) < told[20]); /* closed: no longer open and late */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(indicators_never_flap, setup, teardown),
        cmocka_unit_test_setup_teardown(a_color_never_flaps, setup, teardown),
        cmocka_unit_test_setup_teardown(what_came_later_changes_no_past, setup, teardown),
        cmocka_unit_test_setup_teardown(held_against_periods_before, setup, teardown),
        cmocka_unit_test_setup_teardown(colors_of_another_edition_are_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(few_answers_say_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_before_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(days_of_one_kind, setup, teardown),
        cmocka_unit_test(at_the_borders),
        cmocka_unit_test_setup_teardown(an_expected_period_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(overdue_shares_by_unit, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
