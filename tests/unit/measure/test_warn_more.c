/* Warnings on made rows, the rest: states never flap inside their hysteresis, major classes as
 * groups, what an emergency changes, and one thing told by many. */
#include "warn_made.h"

static const int64_t minute = 60000000, day_us = 86400000000;
enum { BEGIN = 20000 };
#define TITLE "    title: {en: T, zh: 题}\n"

static int64_t at(int32_t day, int64_t minutes) {
    return (BEGIN + day) * day_us + minutes * minute;
}

static struct warn_row row_of(const struct made *m, const char *cls, int64_t us, double lon,
                              double lat) {
    return (struct warn_row){
        .cls = made_class(m, cls), .opened_us = us, .lon = lon, .lat = lat, .channel = "page"};
}

static struct warn_day day_with(struct made *m, const struct warn_set *s, int32_t day,
                                const struct warn_emergency *e, size_t n_e,
                                const struct warn_figures *f) {
    struct warn_day d;
    struct err err = {0};
    struct warn_ask ask = {.rows = &m->rows,
                           .set = s,
                           .day = BEGIN + day,
                           .seed = 7,
                           .figures = f,
                           .emergency = e,
                           .n_emergencies = n_e};
    made_must(warn_day_form(&ask, m->a, &d, &err), &err);
    return d;
}

/* ---- hysteresis */

/* Inside the width a state changes at most once, whichever way the walk goes and whichever side is
 * the bad one; a value that is not there changes nothing. */
static void states_never_flap(void **state) {
    (void)state;
    struct rng r = rng_new(3, 1);
    for (int walk = 0; walk < 2000; walk++) {
        double low = rng_normal(&r), high = low + 0.01 + rng_unit(&r);
        bool above = rng_below(&r, 2) == 0;
        double raise = above ? high : low, clear = above ? low : high;
        double x = low + (high - low) * rng_unit(&r);
        /* It may start beyond either border, and comes in. */
        double first = rng_below(&r, 3) == 0 ? raise + (above ? 1 : -1) : x;
        bool on = warn_state_next(false, first, raise, clear);
        assert_int_equal(on, first != x);
        int changes = 0;
        for (int k = 0; k < 200; k++) {
            x += 0.2 * (high - low) * rng_normal(&r);
            x = fmin(fmax(x, low + 1e-9), high - 1e-9);
            bool now = warn_state_next(on, rng_below(&r, 9) == 0 ? NAN : x, raise, clear);
            changes += now != on;
            on = now;
        }
        assert_true(changes == 0);
        assert_int_equal(warn_state_next(on, clear, raise, clear), false);
        assert_int_equal(warn_state_next(false, raise, raise, clear), true);
    }
}

/* The same through a rule, on counts that are walked day by day. */
static void counts_never_flap(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct made m;
        struct rng r = rng_new(seed, 2);
        made_new(&m, "UTC");
        int count = 8, changes = 0, raised_on = 0;
        bool was = false;
        for (int d = 0; d < 40; d++) {
            count += (int)rng_below(&r, 5) - 2;
            count = count < 6 ? 6 : count > 11 ? 11 : count; /* within 5 and 12 */
            int n = d == 10 ? 13 : count;                    /* once beyond */
            for (int i = 0; i < n; i++)
                made_add(&m, row_of(&m, "event-0110", at(d, i * 60), 118 + d * .01, 32 + i * .01));
        }
        warn_rows_sort(&m.rows);
        const struct warn_set *s =
            made_set(&m, "rules:\n  - rule: t\n" TITLE "    method: threshold\n    level: city\n"
                         "    color: red\n    raise: 12\n    clear: 5\n    min: 1\n");
        for (int d = 0; d < 40; d++) {
            bool now = day_with(&m, s, d, NULL, 0, NULL).n > 0;
            changes += now != was;
            if (now && !was) raised_on = d;
            was = now;
        }
        assert_int_equal(changes, 1);
        assert_int_equal(raised_on, 10);
        made_free(&m);
    }
}

/* ---- groups */

static void major_classes_are_groups(void **state) {
    (void)state;
    struct made m;
    struct rng r = rng_new(5, 1);
    made_new(&m, "UTC");
    /* 0102 and 0103 are of one major class, 0504 of another. */
    for (int d = 0; d < 70; d++)
        for (int k = 0; k < 9; k++)
            made_add(&m, row_of(&m, k % 3 == 0 ? "event-0504" : "event-0102",
                                at(d, (int64_t)rng_below(&r, 1440)), 118 + 0.2 * rng_unit(&r),
                                32 + 0.2 * rng_unit(&r)));
    for (int i = 0; i < 12; i++)
        made_add(&m, row_of(&m, i % 2 == 0 ? "event-0102" : "event-0103",
                            at(68 + i / 6, 60 + i % 6 * 120), 118.05 + i * 1e-4, 32.05));
    warn_rows_sort(&m.rows);
    const struct warn_set *s = made_set(
        &m, "rules:\n  - rule: g\n" TITLE "    method: scan\n    level: point\n    by: group\n"
            "    color: yellow\n    recurrence: 900\n  - rule: c\n" TITLE
            "    method: change\n    level: city\n    by: group\n    color: blue\n    min: 3\n");
    struct warn_day d = day_with(&m, s, 69, NULL, 0, NULL);
    const struct warn_signal *g = NULL;
    for (size_t i = 0; i < d.n; i++)
        if (strcmp(d.signal[i].rule->name, "g") == 0) g = &d.signal[i];
    assert_non_null(g);
    assert_int_equal(g->cls, WARN_ANY_CLASS);
    size_t other = 0;
    for (size_t i = 0; i < g->n_rows; i++) {
        uint32_t cls = m.rows.row[g->row[i]].cls;
        assert_int_equal(d.view.group[cls], g->group);
        other += cls == made_class(&m, "event-0103");
    }
    assert_true(g->n_rows >= 10 && other >= 5);
    assert_int_not_equal(d.view.group[made_class(&m, "event-0504")], g->group);
    struct buf b;
    struct jw w;
    buf_init(&b, 1 << 20);
    jw_init(&w, &b);
    warn_signal_json(&w, &m.rows, g, 1);
    assert_non_null(strstr(buf_text(&b), "\"group\":\"event-01\""));
    buf_deinit(&b);
    made_free(&m);
}

/* ---- emergencies */

static size_t held(const struct warn_day *d, enum warn_held why) {
    size_t n = 0;
    for (size_t i = d->view.low; i < d->view.high; i++)
        n += (size_t)(d->view.why[i - d->view.low] == (uint8_t)why);
    return n;
}

/* A past of its own; then on day 60 a batch, one sender's repeats, a new channel, an expected
 * event, and rows on the default point. */
static void every_guard(struct made *m) {
    static const char *const ids[] = {"event-0102", "event-0103",     "event-0104",
                                      "event-0110", "component-0118", "component-0402"};
    for (int d = 0; d < 60; d++)
        for (int k = 0; k < 8; k++)
            made_add(m, row_of(m, ids[k % 6], at(d, 97 * k + d), 118 + d * .002, 32 + k * .01));
    for (int i = 0; i < 30; i++)
        made_add(m, row_of(m, ids[i % 6], at(50 + i / 3, 13 + i % 3 * 300), 118.5, 32.5));
    for (int i = 0; i < 12; i++) {
        struct warn_row r = row_of(m, "event-0110", at(60, 601), 118.01 + i * 0.001, 32.3);
        r.source = "system";
        made_add(m, r);
        r = row_of(m, "event-0102", at(60, 20 + i), 118.2, 32.2);
        made_add(m, r);
        r = row_of(m, "event-0102", at(60, 700 + 50 * i), 118.3 + i * .01, 32.2);
        r.channel = "app";
        made_add(m, r);
        made_add(m, row_of(m, "event-0103", at(60, 33 + 50 * i), 118.4 + i * 1e-4, 32.4));
    }
    warn_rows_sort(&m->rows);
}

static void only_the_default_point_is_held(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    every_guard(&m);
    const struct warn_set *s = made_set(
        &m, "events:\n  - event: fair\n" TITLE "    from: \"2024-12-03\"\n    to: \"2024-12-03\"\n"
            "    watch: {classes: [event-0103]}\n    lon: 118.4\n    lat: 32.4\n"
            "    radius_m: 2000\nguards: {default_point: {min: 30}}\n");
    struct warn_day calm = day_with(&m, s, 60, NULL, 0, NULL);
    static const enum warn_held others[] = {WARN_BATCH, WARN_REPEAT, WARN_NEW_CHANNEL,
                                            WARN_EXPECTED};
    for (size_t i = 0; i < 4; i++) assert_true(held(&calm, others[i]) >= 11);
    assert_int_equal(held(&calm, WARN_DEFAULT_POINT), 30);
    struct warn_emergency all = {.from_us = at(60, 0), .to_us = INT64_MAX, .area = ""};
    struct warn_day d = day_with(&m, s, 60, &all, 1, NULL);
    for (size_t i = 0; i < 4; i++) assert_int_equal(held(&d, others[i]), 0);
    assert_int_equal(held(&d, WARN_DEFAULT_POINT), 30);
    /* What it does not cover stays guarded: other classes, other areas, other times. */
    bool *cls = ARENA_NEW(m.a, bool, m.packs->n_classes);
    cls[made_class(&m, "event-0110")] = true;
    struct warn_emergency one = {
        .from_us = at(60, 0), .to_us = INT64_MAX, .area = "", .classes = cls};
    d = day_with(&m, s, 60, &one, 1, NULL);
    assert_int_equal(held(&d, WARN_BATCH), 0);
    for (size_t i = 1; i < 4; i++) assert_int_equal(held(&d, others[i]), held(&calm, others[i]));
    struct warn_emergency far = {.from_us = at(60, 0), .to_us = INT64_MAX, .area = "elsewhere"};
    struct warn_emergency late = {.from_us = at(61, 0), .to_us = INT64_MAX, .area = ""};
    for (size_t i = 0; i < 4; i++) {
        d = day_with(&m, s, 60, &far, 1, NULL);
        assert_int_equal(held(&d, others[i]), held(&calm, others[i]));
        d = day_with(&m, s, 60, &late, 1, NULL);
        assert_int_equal(held(&d, others[i]), held(&calm, others[i]));
    }
    made_free(&m);
}

static void figures_wait_for_the_morning(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    every_guard(&m);
    const struct warn_set *s =
        made_set(&m, "rules:\n  - rule: f\n" TITLE "    method: indicator\n    level: county\n"
                     "    color: red\n    indicator: fires\n    period: month\n    raise: 9\n"
                     "    clear: 5\n");
    const struct warn_figure one = {.rule = &s->rule[0],
                                    .place = "990101000000",
                                    .lon = 118,
                                    .lat = 32,
                                    .from = BEGIN + 1,
                                    .to = BEGIN + 31,
                                    .value = 12,
                                    .limit = 9,
                                    .n_places = 4};
    const struct warn_figures f = {&one, 1};
    struct warn_day d = day_with(&m, s, 60, NULL, 0, &f);
    assert_int_equal(d.n, 1);
    assert_true(d.signal[0].observed == 12 && d.signal[0].expected == 9);
    assert_int_equal(d.signal[0].n_rows + d.signal[0].held[WARN_BATCH], 0);
    assert_true(d.signal[0].lon == 118 && isnan(d.signal[0].p));
    struct warn_emergency e = {.from_us = at(60, 0), .to_us = at(61, 300), .area = ""};
    assert_int_equal(day_with(&m, s, 60, &e, 1, &f).n, 0); /* it lasts */
    assert_int_equal(day_with(&m, s, 61, &e, 1, &f).n, 1); /* and was over by the next evening */
    assert_int_equal(day_with(&m, s, 60, NULL, 0, NULL).n, 0);
    made_free(&m);
}

/* Signals over figures are one cause when their place is one; never one with a cluster there. */
static void figures_of_one_place_are_one_warning(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    every_guard(&m);
    const struct warn_set *s = made_set(
        &m, "rules:\n  - rule: f\n" TITLE "    method: indicator\n    level: city\n"
            "    color: red\n    indicator: fires\n    period: month\n    raise: 9\n    clear: 5\n"
            "  - rule: i\n" TITLE "    method: index_color\n    level: city\n    color: orange\n"
            "    index: safety\n    band: red\n    period: month\n  - rule: t\n" TITLE
            "    method: threshold\n    level: city\n    color: red\n    raise: 4\n    clear: 1\n");
    struct warn_figure f[3];
    for (int i = 0; i < 3; i++)
        f[i] = (struct warn_figure){.rule = &s->rule[i == 1],
                                    .place = i < 2 ? "990101000000" : "990102000000",
                                    .lon = NAN,
                                    .lat = NAN,
                                    .from = BEGIN - 60,
                                    .to = BEGIN - 30,
                                    .n_places = 2};
    struct warn_day *d = ARENA_NEW(m.a, struct warn_day, 3);
    struct warn_board b;
    struct err err = {0};
    size_t n_new[3];
    warn_board_init(&b, m.a, &m.rows, s->merge_days);
    for (int k = 0; k < 3; k++) {
        const struct warn_figures told = {f, 3};
        d[k] = day_with(&m, s, 57 + k, NULL, 0, &told);
        assert_int_equal(d[k].n, 4);
        made_must(warn_board_add(&b, &d[k], &n_new[k], &err), &err);
    }
    assert_int_equal(n_new[0], 3); /* two places, and the counts of the city */
    assert_int_equal(n_new[1] + n_new[2], 0);
    made_free(&m);
}

/* ---- one thing, told by many */

static void joined_reports_are_one_case(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    for (int d = 0; d < 40; d++)
        made_add(&m, row_of(&m, "event-0102", at(d, 5), 118 + d * 0.01, 32));
    for (int i = 0; i < 9; i++) {
        struct warn_row r = row_of(&m, "event-0110", at(39, 60 * i), 118.2 + i * 1e-5, 32.2);
        r.joined_us = i == 0 ? 0 : at(39 + i / 5, 900); /* five on the day, four on the next */
        made_add(&m, r);
    }
    warn_rows_sort(&m.rows);
    const struct warn_set *s = made_set(&m, "{}");
    struct warn_day today = day_with(&m, s, 39, NULL, 0, NULL);
    assert_int_equal(held(&today, WARN_JOINED), 4);
    struct warn_day next = day_with(&m, s, 40, NULL, 0, NULL);
    assert_int_equal(held(&next, WARN_JOINED), 8);
    struct warn_emergency all = {.from_us = 0, .to_us = INT64_MAX, .area = ""};
    next = day_with(&m, s, 40, &all, 1, NULL);
    assert_int_equal(held(&next, WARN_JOINED), 8);
    made_free(&m);
}

/* ---- reading */

static void rules_over_figures_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text, *told;
    } bad[] = {
        {"    method: indicator\n    level: city\n    indicator: nothing\n    period: month\n"
         "    raise: 2\n    clear: 1\n",
         "there is no such indicator: \"nothing\""},
        {"    method: indicator\n    level: city\n    indicator: fires\n    period: week\n"
         "    raise: 2\n    clear: 1\n",
         "\"period\" is day, ten_day, month or year"},
        {"    method: indicator\n    level: city\n    indicator: fires\n    period: month\n"
         "    raise: 2\n    clear: 2\n",
         "needs \"raise\" and \"clear\", not equal"},
        {"    method: indicator\n    level: cell\n    indicator: fires\n    period: month\n"
         "    raise: 2\n    clear: 1\n",
         "figures are formed for areas"},
        {"    method: indicator\n    level: city\n    by: class\n    indicator: fires\n"
         "    period: month\n    raise: 2\n    clear: 1\n",
         "figures are not split by class"},
        {"    method: indicator\n    level: city\n    indicator: fires\n    period: month\n"
         "    weekday: true\n    raise: 2\n    clear: 1\n",
         "\"weekday\" is for days"},
        {"    method: cusum\n    level: unit\n", "only overdue shares go by unit"},
        {"    method: overdue_share\n    level: unit\n    raise: 20\n    clear: 10\n",
         "\"raise\" of at most 1 above \"clear\""},
        {"    method: overdue_share\n    level: unit\n    of: late\n    raise: 0.2\n"
         "    clear: 0.1\n",
         "\"of\" is open or due"},
        {"    method: index_color\n    level: town\n    period: month\n    band: red\n", "index"},
        {"    method: scan\n    level: unit\n", "only overdue shares go by unit"},
        {"    method: cusum\n    level: city\n    by: major\n", "\"by\" is class, group or all"},
    };
    struct made m;
    made_new(&m, "UTC");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[500];
        const struct warn_set *s = NULL;
        struct err err = {0};
        (void)snprintf(text, sizeof text, "rules:\n  - rule: a\n" TITLE "    color: red\n%s",
                       bad[i].text);
        if (made_load(&m, text, &s, &err) == ERR_OK) fail_msg("%s", bad[i].told);
        if (strstr(err.detail, bad[i].told) == NULL || strstr(err.detail, "w.yaml:") == NULL)
            fail_msg("%s\nexpected %s", err.detail, bad[i].told);
    }
    made_free(&m);
}

/* What a rule says of red: all of it together, and only what its method knows. */
static void red_beyond_the_colour(void **state) {
    (void)state;
    static const char scan[] = "method: scan, level: cell", index[] = "method: index_color, level: "
                                                                      "town, index: safety, band: "
                                                                      "red, period: month";
    static const struct {
        const char *rule, *red;
        double observed, expected, recurrence;
        size_t periods;
        int color;
        const char *told;
    } rows[] = {{scan, "min: 15, ratio: 5", 15, 3, 1000, 0, WARN_RED, NULL},
                {scan, "min: 15, ratio: 5", 14, 1, 1000, 0, WARN_BLUE, NULL},
                {scan, "min: 15, ratio: 5", 40, 9, 1e9, 0, WARN_BLUE, NULL},
                {scan, "min: 15, ratio: 5", 15, 0, 1000, 0, WARN_RED, NULL},
                {scan, "recurrence: 50000", 4, 1, 50000, 0, WARN_RED, NULL},
                {scan, "recurrence: 50000", 4, 1, NAN, 0, WARN_BLUE, NULL},
                {index, "periods: 2", 30, 40, NAN, 1, WARN_BLUE, NULL},
                {index, "periods: 2", 30, 40, NAN, 2, WARN_RED, NULL},
                {scan, "periods: 2", 0, 0, 0, 0, 0, "is for rules over figures"},
                {index, "min: 2", 0, 0, 0, 0, 0, "over figures \"red\" goes by \"periods\""},
                {index, "periods: 7", 0, 0, 0, 0, 0, "\"periods\" is at most \"look\""},
                {scan, "", 0, 0, 0, 0, 0, "\"red\" says when a signal is red"},
                {scan, "colour: 1", 0, 0, 0, 0, 0, "colour"},
                {"method: silence, level: town", "min: 3", 0, 0, 0, 0, 0, "silence is never red"}};
    struct made m;
    made_new(&m, "UTC");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[300];
        const struct warn_set *s = NULL;
        struct err err = {0};
        (void)snprintf(
            text, sizeof text,
            "rules:\n  - {rule: a, title: {en: T, zh: 题}, color: blue, %s, red: {%s}}\n",
            rows[i].rule, rows[i].red);
        enum err_code rc = made_load(&m, text, &s, &err);
        if (rows[i].told != NULL) {
            assert_int_equal(rc, ERR_INVALID);
            if (strstr(err.detail, rows[i].told) == NULL) fail_msg("%s", err.detail);
            continue;
        }
        made_must(rc, &err);
        const struct warn_signal x = {.rule = s->rule,
                                      .observed = rows[i].observed,
                                      .expected = rows[i].expected,
                                      .recurrence = rows[i].recurrence,
                                      .periods = rows[i].periods};
        if (warn_signal_color(&x) != rows[i].color) fail_msg("row %zu", i);
    }
    made_free(&m);
}

static void colors_are_held_against_the_indices(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    static const struct {
        const char *index, *band, *level, *told;
    } color[] = {{"safety", "red", "town", NULL},
                 {"nothing", "red", "town", "there is no index \"nothing\""},
                 {"safety", "black", "town", "index safety has no band \"black\""},
                 {"dujiangyan", "red", "community", "is not formed for community and month"}};
    const struct index_set *indices = NULL;
    struct err err = {0};
    made_must(index_load(m.a, m.packs, &indices, &err), &err);
    for (size_t i = 0; i < sizeof color / sizeof color[0]; i++) {
        char text[300];
        (void)snprintf(text, sizeof text,
                       "rules:\n  - rule: a\n" TITLE "    method: index_color\n    color: red\n"
                       "    period: month\n    index: %s\n    band: %s\n    level: %s\n",
                       color[i].index, color[i].band, color[i].level);
        err = (struct err){0};
        enum err_code rc = warn_check_indices(made_set(&m, text), indices, &err);
        assert_int_equal(rc, color[i].told == NULL ? ERR_OK : ERR_INVALID);
        if (color[i].told != NULL) assert_non_null(strstr(err.detail, color[i].told));
    }
    made_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_never_flap),
        cmocka_unit_test(counts_never_flap),
        cmocka_unit_test(major_classes_are_groups),
        cmocka_unit_test(only_the_default_point_is_held),
        cmocka_unit_test(figures_wait_for_the_morning),
        cmocka_unit_test(figures_of_one_place_are_one_warning),
        cmocka_unit_test(joined_reports_are_one_case),
        cmocka_unit_test(rules_over_figures_are_read),
        cmocka_unit_test(red_beyond_the_colour),
        cmocka_unit_test(colors_are_held_against_the_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
