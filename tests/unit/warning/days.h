/* Days with made signals, recorded in a small real city. */
#ifndef TESTS_WARNING_DAYS_H
#define TESTS_WARNING_DAYS_H
#include "city.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/yaml.h"
#include "domain/warning/run.h"
#include "store/ledger.h"

#define AREA_A "990101001000" /* a town with cell A; area B: county 990102000000 with cell B */
enum { MAX_SIGNALS = 16, BASE = 20000 };

struct days {
    struct test_city *city;
    struct arena *a;
    struct warn_rows rows;
    const struct warn_set *set;
    struct warn_signal signal[MAX_SIGNALS];
    size_t n;
    const char *place[1];
};

static const char made_rules[] =
    "rules:\n"
    "  - {rule: spot, title: {en: Spot, zh: 点}, by: class, level: point, method: scan, color: "
    "yellow}\n"
    "  - {rule: town, title: {en: Town, zh: 镇}, by: class, level: town, method: ears_c1, color: "
    "orange}\n"
    "  - {rule: level, title: {en: Level, zh: 限}, by: class, level: town, method: threshold, "
    "raise: 10, clear: 4, color: blue}\n"
    "  - {rule: grave, title: {en: Grave, zh: 重}, by: class, level: point, method: scan, color: "
    "red}\n"
    "merge_days: 2\n"
    "repeat_red_days: 60\n"
    "nightly: \"01:15\"\n";

static inline void ok(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s", err_name(rc), err->detail);
}

static inline int days_setup(void **state) {
    struct days *d = test_calloc(1, sizeof *d);
    void *city = NULL;
    struct err err = {0};
    if (city_setup(&city) != 0) return -1;
    d->city = city;
    d->a = arena_new((size_t)256 << 20);
    struct pack_document doc = {.pack = "p", .folder = "warnings", .file = "w.yaml"};
    struct pack_set p = *d->city->folder.packs;
    ok(yaml_parse(d->a, "w.yaml", made_rules, strlen(made_rules), &doc.v, &err), &err);
    p.documents = &doc;
    p.n_documents = 1;
    ok(warn_load(d->a, &p, &d->set, &err), &err);
    warn_rows_init(&d->rows, d->a, d->city->folder.packs, d->city->folder.tz);
    *state = d;
    return 0;
}

static inline int days_teardown(void **state) {
    struct days *d = *state;
    void *city = d->city;
    warn_rows_free(&d->rows);
    arena_free(d->a);
    (void)city_teardown(&city);
    test_free(d);
    return 0;
}

static inline uint32_t class_at(const struct days *d, const char *id) {
    const struct case_class *c = pack_class(d->city->folder.packs, id);
    assert_non_null(c);
    return (uint32_t)(c - d->city->folder.packs->classes);
}

/* A signal around a point, or of the town A (lon NaN). */
static inline struct warn_signal *add_signal(struct days *d, const char *rule, const char *cls,
                                             int32_t day, double lon, double lat) {
    struct warn_signal *s = &d->signal[d->n++];
    static const char *const town[] = {AREA_A};
    *s = (struct warn_signal){.rule = warn_find(d->set, rule),
                              .day = day,
                              .from = day - 1,
                              .cls = class_at(d, cls),
                              .lon = lon,
                              .lat = lat,
                              .radius_m = isnan(lon) ? 0 : 200,
                              .observed = 12,
                              .expected = 2.5,
                              .p = 0.001,
                              .recurrence = 1000,
                              .n_series = 7};
    assert_non_null(s->rule);
    if (s->rule->level == WARN_TOWN) {
        s->place = town;
        s->n_places = 1;
    }
    s->held[WARN_REPEAT] = 3;
    return s;
}

struct recorded {
    struct days *d;
    struct warn_record r;
};
static inline enum err_code record_made(struct tx *tx, void *arg, struct err *err) {
    struct recorded *x = arg;
    return warn_record_apply(tx, &x->r, err);
}

/* Record what was added for a day, and forget it. */
static inline enum err_code try_record(struct days *d, int32_t day, struct warn_record *out,
                                       struct err *err) {
    struct warn_day w = {
        .view = {.rows = &d->rows, .set = d->set, .day = day}, .signal = d->signal, .n = d->n};
    struct recorded x = {
        d, {.engine = d->city->engine, .set = d->set, .day = &w, .data_seq = 1, .seed = 1}};
    x.r.at_us = ((int64_t)day + 1) * 86400000000;
    struct command c = {
        .name = "warning.record", .actor = "system", .apply = record_made, .arg = &x};
    enum err_code rc = ledger_run(d->city->folder.ledger, &c, NULL, NULL, err);
    *out = x.r;
    return rc;
}

static inline struct warn_record record_day(struct days *d, int32_t day) {
    struct warn_record r;
    struct err err = {0};
    ok(try_record(d, day, &r, &err), &err);
    d->n = 0;
    return r;
}

/* The codes of all warnings, oldest first; supervision: of supervisions. */
static inline size_t codes_of(struct days *d, bool supervision, const char *out[8]) {
    struct reader *r = NULL;
    struct cursor *c = NULL;
    struct err err = {0};
    size_t n = 0;
    bool has = true;
    ok(ledger_read_begin(d->city->folder.ledger, &r, &err), &err);
    ok(db_query(reader_db(r),
                supervision ? "SELECT code FROM case_ WHERE process = 'supervision' ORDER BY id"
                            : "SELECT code FROM warning ORDER BY id",
                NULL, 0, &c, &err),
       &err);
    while (n < 8) {
        ok(cursor_next(c, &has, &err), &err);
        if (!has) break;
        out[n++] = arena_strdup(d->a, cursor_text(c, 0));
    }
    cursor_close(c);
    ledger_read_end(r);
    return n;
}

static inline struct case_row row_of_case(struct days *d, const char *code) {
    struct reader *r = NULL;
    struct case_row row;
    struct err err = {0};
    ok(ledger_read_begin(d->city->folder.ledger, &r, &err), &err);
    ok(case_load(d->city->engine, reader_db(r), code, d->a, &row, &err), &err);
    ledger_read_end(r);
    return row;
}

static inline struct warn_kept kept_of(struct days *d, const char *code) {
    struct reader *r = NULL;
    struct warn_kept k;
    struct err err = {0};
    ok(ledger_read_begin(d->city->folder.ledger, &r, &err), &err);
    ok(warn_kept_load(reader_db(r), code, d->a, &k, &err), &err);
    ledger_read_end(r);
    return k;
}

static inline const char *state_of_case(struct days *d, const char *code) {
    struct case_row *row = ARENA_NEW(d->a, struct case_row, 1);
    *row = row_of_case(d, code);
    return case_text(d->city->engine, row, CASE_state);
}

static inline bool holds(struct days *d, const char *code) {
    struct case_row row = row_of_case(d, code);
    int col = type_field(d->city->engine->case_type, "condition_holds");
    return row.cells[col].i != 0;
}

static inline enum err_code try_move(struct days *d, const char *code, const char *move,
                                     const char *role, const char *name, const char *unit,
                                     const char *inputs) {
    struct principal who = city_who(d->city, role, name, unit, NULL);
    struct city_move m = {.city = d->city,
                          .code = code,
                          .move = move,
                          .inputs = inputs,
                          .actor = {ACTOR_STAFF, &who, 0}};
    city_move(&m);
    return m.rc;
}

static inline void must_move(struct days *d, const char *code, const char *move, const char *role,
                             const char *name, const char *unit, const char *inputs) {
    city_must(d->city, code, move, city_who(d->city, role, name, unit, NULL), inputs, 0, NULL);
}
#endif
