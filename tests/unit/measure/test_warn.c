/* Warnings on made rows: rules are read, each guard works alone, thresholds do not flap, one cause
 * is one warning, and nothing that comes later changes what was told. */
#include "warn_made.h"

static const int64_t minute = 60000000, day_us = 86400000000;
enum { BEGIN = 20000 }; /* 2024-10-04 */
#define TITLE "    title: {en: T, zh: 题}\n"

static int64_t at(int32_t day, int64_t minutes) {
    return (BEGIN + day) * day_us + minutes * minute;
}

static struct warn_row row_of(const struct made *m, const char *cls, int64_t us, double lon,
                              double lat) {
    return (struct warn_row){
        .cls = made_class(m, cls), .opened_us = us, .lon = lon, .lat = lat, .channel = "page"};
}

/* Some reports a day, spread over the city, each at a place and minute of its own. */
static void background(struct made *m, uint64_t seed, int32_t days, double a_day) {
    static const char *const ids[] = {"event-0102", "event-0110", "component-0118"};
    struct rng r = rng_new(seed, 1);
    for (int32_t d = 0; d < days; d++) {
        uint32_t n = rng_poisson(&r, a_day);
        for (uint32_t i = 0; i < n; i++) {
            struct warn_row x =
                row_of(m, ids[rng_below(&r, 3)], at(d, (int64_t)rng_below(&r, 1440)),
                       118 + 0.2 * rng_unit(&r), 32 + 0.2 * rng_unit(&r));
            x.place[WARN_COMMUNITY] = rng_below(&r, 2) == 0 ? "K1" : "K2";
            made_add(m, x);
        }
    }
}

static size_t held_on(struct made *m, const struct warn_set *s, int32_t day, enum warn_held why) {
    struct warn_view v;
    struct err err = {0};
    size_t n = 0;
    warn_rows_sort(&m->rows);
    made_must(warn_view_new(m->a, &m->rows, s, BEGIN + day, 90, &v, &err), &err);
    for (size_t i = v.low; i < v.high; i++) n += (size_t)(v.why[i - v.low] == (uint8_t)why);
    for (int k = 1; k < WARN_N_HELD; k++) {
        size_t other = 0;
        for (size_t i = v.low; i < v.high; i++) other += (size_t)(v.why[i - v.low] == k);
        if (k != (int)why && other > 0)
            fail_msg("%s held %zu too", warn_held_name((enum warn_held)k), other);
    }
    return n;
}

/* ---- rules */

static void rules_are_read(void **state) {
    (void)state;
    struct made m;
    struct err err = {0};
    const struct warn_set *s = NULL;
    made_new(&m, "UTC");
    made_must(warn_load(m.a, m.packs, &s, &err), &err); /* the shipped ones */
    const struct warn_rule *r = warn_find(s, "cluster");
    assert_true(s->n_rules >= 4 && r != NULL && r->method == WARN_SCAN && r->by_class);
    assert_true(s->calendar != NULL && s->guards.batch_min == 10);
    for (size_t i = 0; i < m.packs->n_classes; i++) /* private matters are never watched unnamed */
        assert_true(!m.packs->classes[i].is_private || !r->watched[i]);
    static const struct {
        const char *text, *told;
    } bad[] = {
        {"rules:\n  - rule: a\n" TITLE "    method: guess\n    level: city\n    color: red\n",
         "w.yaml:2: this word is not known here: \"guess\""},
        {"rules:\n  - rule: a\n" TITLE "    method: cusum\n    level: point\n    color: red\n",
         "only a scan goes over points"},
        {"rules:\n  - rule: a\n" TITLE "    method: scan\n    level: city\n    color: red\n",
         "a scan goes over communities, cells or points"},
        {"rules:\n  - rule: a\n" TITLE
         "    method: threshold\n    level: city\n    color: red\n    raise: 5\n    clear: 5\n",
         "needs \"raise\" above \"clear\""},
        {"rules:\n  - rule: a\n" TITLE "    method: scan\n    level: cell\n    color: red\n"
         "    watch: {classes: [event-9999]}\n",
         "there is no such class: \"event-9999\""},
        {"rules:\n  - rule: a\n" TITLE "    method: cusum\n    level: city\n    color: red\n"
         "    alpah: 0.1\n",
         "alpha"},
        {"guards:\n  batch: {min: 1}\n", "w.yaml:2"},
        {"events:\n  - event: e\n" TITLE "    from: \"2026-02-02\"\n    to: \"2026-02-01\"\n",
         "it ends before it begins"},
        {"events:\n  - event: e\n" TITLE
         "    from: \"2026-02-02\"\n    to: \"2026-02-03\"\n    lon: 118\n",
         "lon, lat and radius_m together"},
        {"calendar: nowhere\n", "no such calendar"},
        {"rules:\n  - {rule: a, title: {en: T, zh: T}, method: cusum, level: city, color: red}\n"
         "  - {rule: a, title: {en: T, zh: T}, method: cusum, level: city, color: red}\n",
         "is declared in w.yaml:2 already"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err = (struct err){0};
        if (made_load(&m, bad[i].text, &s, &err) == ERR_OK) fail_msg("%s", bad[i].told);
        if (strstr(err.detail, bad[i].told) == NULL || strstr(err.detail, "w.yaml") == NULL)
            fail_msg("%s\nexpected %s", err.detail, bad[i].told);
    }
    made_free(&m);
}

/* ---- guards, each alone */

static void default_point_is_held(void **state) {
    (void)state;
    static const char *const ids[] = {"event-0102", "event-0103",     "event-0104",
                                      "event-0110", "component-0118", "component-0402"};
    struct made m;
    made_new(&m, "UTC");
    background(&m, 1, 90, 20);
    for (int i = 0; i < 60; i++) /* everything without a place, five hours apart */
        made_add(&m, row_of(&m, ids[i % 6], at(60 + i / 3, i % 3 * 300), 118.05, 32.05));
    for (int i = 0; i < 60; i++) /* one thing, told by many: no default point */
        made_add(&m, row_of(&m, "event-0110", at(60 + i / 3, i % 3 * 300), 118.06, 32.06));
    assert_int_equal(held_on(&m, made_set(&m, "{}"), 89, WARN_DEFAULT_POINT), 60);
    made_free(&m);
}

static void batches_are_held(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    background(&m, 2, 60, 20);
    for (int i = 0; i < 25; i++) {
        struct warn_row r = row_of(&m, "event-0110", at(50, 601), 118.01 + i * 0.001, 32.03);
        r.source = "system"; /* of a system that is read in at one instant */
        made_add(&m, r);
    }
    for (int i = 0; i < 60; i++) { /* a source that tells days only is not a batch */
        struct warn_row r = row_of(&m, "event-0102", at(20 + i / 30, 0), 118.02 + i * 0.001, 32.04);
        r.source = "dates";
        made_add(&m, r);
    }
    const struct warn_set *s = made_set(&m, "guards: {new_channel: {days: 0}}\n");
    assert_int_equal(held_on(&m, s, 59, WARN_BATCH), 25);
    made_free(&m);
}

static void repeats_are_held(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    background(&m, 3, 60, 20);
    for (int i = 0; i < 8; i++) { /* one account about one thing, every hour */
        struct warn_row r = row_of(&m, "event-0102", at(50, i * 60), 118.0101 + i * 1e-6, 32.0201);
        r.reporter = "anna";
        made_add(&m, r);
    }
    for (int i = 0; i < 8; i++) { /* the same account on a round: other places */
        struct warn_row r = row_of(&m, "event-0102", at(54, i * 60), 118.01 + i * 0.01, 32.02);
        r.reporter = "anna";
        made_add(&m, r);
    }
    for (int i = 0; i < 4; i++) /* strangers at one exact point, ten minutes apart */
        made_add(&m, row_of(&m, "event-0110", at(52, i * 10), 118.03, 32.03));
    for (int i = 0; i < 4; i++) /* and hours apart: that is news */
        made_add(&m, row_of(&m, "event-0110", at(53, i * 120), 118.04, 32.03));
    assert_int_equal(held_on(&m, made_set(&m, "{}"), 59, WARN_REPEAT), 7 + 3);
    made_free(&m);
}

static void new_channels_are_held(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    background(&m, 4, 90, 20);
    for (int i = 0; i < 40; i++) {
        struct warn_row r = row_of(&m, "event-0102", at(50 + i, 611), 118.1, 32.02 + i * 0.001);
        r.channel = "app";
        made_add(&m, r);
    }
    const struct warn_set *s = made_set(&m, "{}");
    assert_int_equal(held_on(&m, s, 20, WARN_NEW_CHANNEL), 0); /* all of a young city is new */
    assert_int_equal(held_on(&m, s, 59, WARN_NEW_CHANNEL), 10);
    assert_int_equal(held_on(&m, s, 77, WARN_NEW_CHANNEL), 28);
    assert_int_equal(held_on(&m, s, 78, WARN_NEW_CHANNEL), 0); /* four weeks old: it has a past */
    made_free(&m);
}

static void events_are_expected(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    background(&m, 5, 60, 20);
    for (int i = 0; i < 50; i++)
        made_add(&m, row_of(&m, "event-0103", at(50, i * 20), 118.3 + i * 1e-4, 32.3));
    made_add(&m, row_of(&m, "event-0103", at(50, 3), 118.5, 32.3)); /* elsewhere */
    made_add(&m, row_of(&m, "event-0103", at(52, 3), 118.3, 32.3)); /* later */
    static const char fair[] =
        "events:\n  - event: fair\n" TITLE "    from: \"2024-11-23\"\n    to: \"2024-11-24\"\n"
        "    watch: {classes: [event-0103]}\n"
        "    lon: 118.3\n    lat: 32.3\n    radius_m: 2000\n    most: %d\n";
    char text[600];
    (void)snprintf(text, sizeof text, fair, 100);
    assert_int_equal(held_on(&m, made_set(&m, text), 59, WARN_EXPECTED), 50);
    (void)snprintf(text, sizeof text, fair, 30); /* far more than was expected: nothing is held */
    assert_int_equal(held_on(&m, made_set(&m, text), 59, WARN_EXPECTED), 0);
    made_free(&m);
}

/* ---- rules over time */

static struct warn_day day_of(struct made *m, const struct warn_set *s, int32_t day) {
    struct warn_day d;
    struct err err = {0};
    struct warn_ask ask = {.rows = &m->rows, .set = s, .day = BEGIN + day, .seed = 7};
    made_must(warn_day_form(&ask, m->a, &d, &err), &err);
    return d;
}

static void thresholds_do_not_flap(void **state) {
    (void)state;
    static const int counts[] = {3, 6, 9, 10, 8, 7, 9, 6, 5, 9, 8, 10, 6, 5};
    static const int raised[] = {0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0};
    struct made m;
    made_new(&m, "UTC");
    for (int d = 0; d < 14; d++)
        for (int i = 0; i < counts[d]; i++)
            made_add(&m, row_of(&m, "event-0110", at(d, i * 60), 118 + d * 0.01, 32 + i * 0.01));
    warn_rows_sort(&m.rows);
    const struct warn_set *s =
        made_set(&m, "rules:\n  - rule: t\n" TITLE "    method: threshold\n    level: city\n"
                     "    color: red\n    raise: 10\n    clear: 5\n    min: 1\n");
    for (int d = 0; d < 14; d++) assert_int_equal(day_of(&m, s, d).n, raised[d]);
    made_free(&m);
}

static void silence_is_told(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    struct rng r = rng_new(11, 1);
    for (int d = 0; d < 100; d++)
        for (int k = 0; k < 3; k++) {
            static const char *const places[] = {"K1", "K2", "K3"};
            if (k == 2 && d >= 80) continue;                /* K3 falls silent */
            if (k == 1 && rng_below(&r, 10) != 0) continue; /* K2 was always rare */
            struct warn_row x = row_of(&m, "event-0110", at(d, k), 118 + k * 0.1, 32 + d * 0.001);
            x.place[WARN_COMMUNITY] = places[k];
            made_add(&m, x);
        }
    warn_rows_sort(&m.rows);
    const struct warn_set *s =
        made_set(&m, "rules:\n  - rule: t\n" TITLE "    method: silence\n    level: community\n"
                     "    color: blue\n    alpha: 0.00001\n    min: 5\n");
    assert_int_equal(day_of(&m, s, 79).n, 0);
    struct warn_day d = day_of(&m, s, 95);
    assert_int_equal(d.n, 1);
    assert_string_equal(d.signal[0].place[0], "K3");
    assert_int_equal(d.signal[0].from, BEGIN + 80);
    assert_true(d.signal[0].expected > 15 && !isnan(d.signal[0].lon));
    made_free(&m);
}

static void change_is_told(void **state) {
    (void)state;
    struct made m;
    made_new(&m, "UTC");
    background(&m, 12, 70, 9);
    for (int i = 0; i < 60; i++)
        made_add(&m, row_of(&m, "event-0110", at(63 + i % 7, i * 20), 118.01, 32 + i * 0.001));
    warn_rows_sort(&m.rows);
    const struct warn_set *s =
        made_set(&m, "rules:\n  - rule: t\n" TITLE "    method: change\n    level: city\n"
                     "    by: class\n    color: blue\n    ratio: 2\n");
    assert_int_equal(day_of(&m, s, 62).n, 0);
    struct warn_day d = day_of(&m, s, 69);
    assert_int_equal(d.n, 1);
    assert_int_equal(d.signal[0].cls, made_class(&m, "event-0110"));
    assert_int_equal(d.signal[0].n_rows, (size_t)d.signal[0].observed);
    made_free(&m);
}

#define TWO_RULES                                                                                  \
    "rules:\n  - rule: scan\n" TITLE "    method: scan\n    level: point\n    by: class\n"         \
    "    color: yellow\n    recurrence: 1000\n"                                                    \
    "  - rule: ears\n" TITLE "    method: ears_c2\n    level: city\n    by: class\n"               \
    "    color: orange\n    baseline: 28\n    alpha: 0.0001\n"

/* A burst of one class at one corner over two days, and of another one far away. */
static void bursts(struct made *m) {
    background(m, 21, 70, 24);
    for (int i = 0; i < 40; i++)
        made_add(m,
                 row_of(m, "event-0110", at(66 + i / 20, i % 20 * 50), 118.05 + i * 1e-4, 32.05));
    for (int i = 0; i < 8; i++)
        made_add(m, row_of(m, "event-0102", at(66, i * 50), 118.15 + i * 1e-4, 32.15));
    warn_rows_sort(&m->rows);
}

static void one_cause_is_one_warning(void **state) {
    (void)state;
    struct made m;
    struct warn_board b;
    struct err err = {0};
    size_t n_new = 0;
    made_new(&m, "UTC");
    bursts(&m);
    const struct warn_set *s = made_set(&m, TWO_RULES);
    warn_board_init(&b, m.a, &m.rows, s->merge_days);
    for (int d = 66; d <= 67; d++) {
        struct warn_day *day = ARENA_NEW(m.a, struct warn_day, 1);
        *day = day_of(&m, s, d);
        made_must(warn_board_add(&b, day, &n_new, &err), &err);
        assert_true(d == 66 ? n_new == 2 : n_new == 0);
    }
    size_t standing = 0, both = 0;
    for (size_t i = 0; i < b.n; i++) {
        const struct warning *x = b.warning[i];
        if (x->into != NULL) continue;
        standing++;
        if (x->signal[0]->cls != made_class(&m, "event-0110")) continue;
        both += x->n >= 4 && x->color == WARN_ORANGE && x->last == BEGIN + 67;
    }
    assert_int_equal(standing, 2); /* one a cause, though each rule spoke on both days */
    assert_int_equal(both, 1);
    made_free(&m);
}

static void told(struct made *m, const struct warn_set *s, int32_t day, struct buf *b) {
    struct jw w;
    struct warn_day d = day_of(m, s, day);
    buf_init(b, 16 << 20);
    jw_init(&w, b);
    jw_arr(&w);
    for (size_t i = 0; i < d.n; i++) warn_signal_json(&w, &m->rows, &d.signal[i], 1000);
    warn_held_json(&w, d.held);
    jw_end(&w, ']');
    made_must(buf_check(b, NULL), &(struct err){0});
}

/* What was told of a day stands, whatever is reported later: here a flood of everything, a default
 * point, a batch, a new channel and an account that repeats itself. */
static void later_rows_change_nothing(void **state) {
    (void)state;
    struct made m;
    struct buf before[12], after;
    size_t spoken = 0;
    made_new(&m, "UTC");
    bursts(&m);
    const struct warn_set *s = made_set(&m, TWO_RULES);
    for (int d = 58; d < 70; d++) {
        told(&m, s, d, &before[d - 58]);
        spoken += before[d - 58].n > 200;
    }
    assert_true(spoken >= 2);
    for (int i = 0; i < 600; i++) {
        struct warn_row r =
            row_of(&m, i % 2 == 0 ? "event-0110" : "event-0103", at(70, 7 + i / 30), 118.05, 32.05);
        r.channel = i % 3 == 0 ? "page" : "app";
        r.reporter = i % 5 == 0 ? "anna" : "";
        made_add(&m, r);
    }
    warn_rows_sort(&m.rows);
    for (int d = 58; d < 70; d++) {
        told(&m, s, d, &after);
        assert_string_equal(buf_text(&after), buf_text(&before[d - 58]));
        buf_deinit(&after);
        buf_deinit(&before[d - 58]);
    }
    made_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_read),           cmocka_unit_test(default_point_is_held),
        cmocka_unit_test(batches_are_held),         cmocka_unit_test(repeats_are_held),
        cmocka_unit_test(new_channels_are_held),    cmocka_unit_test(events_are_expected),
        cmocka_unit_test(thresholds_do_not_flap),   cmocka_unit_test(silence_is_told),
        cmocka_unit_test(change_is_told),           cmocka_unit_test(one_cause_is_one_warning),
        cmocka_unit_test(later_rows_change_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
