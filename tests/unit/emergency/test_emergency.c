/* An emergency from its declaration to its end: who may, which clocks stand, what a crash between
 * two batches leaves, and that every clock goes on with what it had. */
#include "city.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "domain/emergency/emergency.h"
#include "domain/process/clock.h"
#include "store/tables.h"

#define AREA_A "990101000000"
#define AREA_B "990102000000"
#define CITY "990100000000"
/* Wednesday 2026-03-04, 09:00 in Shanghai. */
static const int64_t nine = 1772586000000000;
static const int64_t minute = 60000000, hour = 3600000000, day = 86400000000;

static struct principal in_area(struct test_city *c, const char *role, const char *name,
                                const char *area) {
    struct principal p = city_who(c, role, name, NULL, NULL);
    (void)snprintf(p.area, sizeof p.area, "%s", area);
    return p;
}

struct doing {
    struct test_city *c;
    struct emergency_in in;
    struct principal who;
    int64_t id, at_us;
    enum err_code (*act)(const struct engine *e, struct tx *tx, int64_t id,
                         const struct principal *who, struct err *err);
    enum err_code rc;
};

static enum err_code declare_apply(struct tx *tx, void *arg, struct err *err) {
    struct doing *d = arg;
    d->rc = emergency_declare(d->c->engine, tx, &d->in, &d->who, &d->id, err);
    return ERR_OK;
}

static enum err_code act_apply(struct tx *tx, void *arg, struct err *err) {
    struct doing *d = arg;
    d->rc = d->act(d->c->engine, tx, d->id, &d->who, err);
    if (d->rc != ERR_OK || d->at_us == 0) return ERR_OK;
    /* As if it had been done then. */
    struct cell cells[col_emergency_count];
    int64_t version = 0;
    TRY(tx_get(tx, &table_emergency, d->id, cells, &version, err));
    int col = d->act == emergency_end ? col_emergency_ended_at : col_emergency_approved_at;
    cells[col] = cell_int(d->at_us);
    return tx_update(tx, &table_emergency, d->id, version, cells, err);
}

static struct doing declare(struct test_city *c, struct principal who, const char *area,
                            const char *const *classes, size_t n) {
    struct doing d = {
        .c = c,
        .who = who,
        .in = {
            .title = "暴雨", .area = area, .reason = "积水", .classes = classes, .n_classes = n}};
    city_run(c, declare_apply, &d);
    return d;
}

static enum err_code act(struct test_city *c, int64_t id, struct principal who, int64_t at_us,
                         enum err_code (*what)(const struct engine *e, struct tx *tx, int64_t id,
                                               const struct principal *who, struct err *err)) {
    struct doing d = {.c = c, .who = who, .id = id, .at_us = at_us, .act = what};
    city_run(c, act_apply, &d);
    return d.rc;
}

static int64_t go_through(struct test_city *c) {
    int64_t n = 0;
    struct err err = {0};
    if (emergency_continue(c->folder.ledger, c->engine, NULL, NULL, &n, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return n;
}

static struct emergency load(struct test_city *c, int64_t id) {
    struct reader *r = NULL;
    struct emergency e = {0};
    assert_int_equal(ledger_read_begin(c->folder.ledger, &r, NULL), ERR_OK);
    assert_int_equal(emergency_load(reader_db(r), id, c->a, &e, NULL), ERR_OK);
    ledger_read_end(r);
    return e;
}

static int64_t n_steps(struct test_city *c, int64_t case_id, const char *move) {
    struct reader *r = NULL;
    struct cell p[2] = {cell_int(case_id), cell_text(move)};
    int64_t n = 0;
    assert_int_equal(ledger_read_begin(c->folder.ledger, &r, NULL), ERR_OK);
    assert_int_equal(db_int(reader_db(r),
                            "SELECT COUNT(*) FROM step WHERE ledger = 1 AND case_id = ?1 AND move "
                            "= ?2",
                            p, 2, 0, &n, NULL),
                     ERR_OK);
    ledger_read_end(r);
    return n;
}

static int64_t open_minutes(const struct engine *e, int64_t from, int64_t to) {
    int64_t n = 0;
    for (int64_t t = from; t < to; t += minute) n += work_is_open(e->calendar, t) ? 1 : 0;
    return n;
}

static const char *const litter[] = {"event-0102"};

static void who_may(void **state) {
    struct test_city *c = *state;
    emergency_attach(c->engine);
    struct principal op = in_area(c, "operator", "op", AREA_A);
    struct principal lead = in_area(c, "leader", "lead", AREA_A);
    struct principal other = in_area(c, "leader", "other", AREA_B);
    static const char *const none[] = {"event-9999"}, *const urgent[] = {"event-0401"};
    assert_int_equal(declare(c, op, AREA_B, litter, 1).rc, ERR_INVALID);
    assert_int_equal(declare(c, op, CITY, litter, 1).rc, ERR_INVALID);
    assert_int_equal(declare(c, op, "nowhere", litter, 1).rc, ERR_INVALID);
    assert_int_equal(declare(c, op, AREA_A, none, 1).rc, ERR_INVALID);
    assert_int_equal(declare(c, op, AREA_A, urgent, 1).rc, ERR_INVALID);
    assert_int_equal(declare(c, op, AREA_A, litter, 0).rc, ERR_INVALID);
    /* Work of the program itself, such as a supervision, never waits. */
    static const char *const task[] = {"task-supervision"}, *const tasks[] = {"task"};
    assert_int_equal(declare(c, op, AREA_A, task, 1).rc, ERR_INVALID);
    assert_int_equal(declare(c, op, AREA_A, tasks, 1).rc, ERR_INVALID);
    struct doing d = declare(c, op, AREA_A, litter, 1);
    assert_int_equal(d.rc, ERR_OK);
    assert_int_equal(go_through(c), 0); /* declared is not approved */
    assert_int_equal(act(c, d.id, other, 0, emergency_approve), ERR_NOT_FOUND);
    assert_int_equal(act(c, d.id, op, 0, emergency_approve), ERR_FORBIDDEN);
    assert_int_equal(act(c, d.id + 9, lead, 0, emergency_approve), ERR_NOT_FOUND);
    assert_int_equal(act(c, d.id, other, 0, emergency_end), ERR_NOT_FOUND);
    assert_int_equal(act(c, d.id, lead, 0, emergency_approve), ERR_OK);
    assert_int_equal(act(c, d.id, lead, 0, emergency_approve), ERR_CONFLICT);
    assert_int_equal(act(c, d.id, op, 0, emergency_end), ERR_OK);
    assert_int_equal(act(c, d.id, op, 0, emergency_end), ERR_CONFLICT);
    (void)go_through(c);
    struct emergency e = load(c, d.id);
    assert_int_equal(e.state, EMERGENCY_ENDED);
    assert_false(e.sweeping);
    assert_string_equal(e.approved_by, "lead");
    assert_string_equal(e.ended_by, "op");
    /* Withdrawn before it was approved. */
    d = declare(c, op, AREA_A, litter, 1);
    assert_int_equal(act(c, d.id, op, 0, emergency_end), ERR_OK);
    assert_int_equal(act(c, d.id, lead, 0, emergency_approve), ERR_CONFLICT);
    assert_false(load(c, d.id).sweeping);
}

static void what_stood_at_a_moment(void **state) {
    struct test_city *c = *state;
    struct principal op = in_area(c, "operator", "op", CITY);
    struct doing d = declare(c, op, AREA_A, litter, 1);
    struct emergency e = load(c, d.id);
    assert_int_equal(act(c, d.id, op, e.declared_us + 100 * minute, emergency_end), ERR_OK);
    const int64_t at[] = {-1, 0, 100 * minute - 1, 100 * minute};
    const bool stands[] = {false, true, true, false};
    struct reader *r = NULL;
    assert_int_equal(ledger_read_begin(c->folder.ledger, &r, NULL), ERR_OK);
    const struct grid *g = grid_ref(c->grid);
    for (size_t i = 0; i < 4; i++) {
        const struct emergency *list = NULL;
        size_t n = 0;
        bool found = false;
        assert_int_equal(
            emergency_active(reader_db(r), e.declared_us + at[i], c->a, &list, &n, NULL), ERR_OK);
        for (size_t k = 0; k < n; k++) found = found || list[k].id == d.id;
        assert_int_equal(found, stands[i]);
    }
    assert_true(emergency_covers_area(g, &e, AREA_A));
    assert_true(emergency_covers_area(g, &e, "990101001000"));
    assert_false(emergency_covers_area(g, &e, AREA_B));
    assert_false(emergency_covers_area(g, &e, CITY));
    grid_unref(g);
    ledger_read_end(r);
    assert_true(emergency_covers_class(&e, pack_class(c->folder.packs, "event-0102")));
    assert_false(emergency_covers_class(&e, pack_class(c->folder.packs, "event-0103")));
}

/* ---- the whole of it, with a crash in the middle ---- */

enum { N_CASES = 400 };
struct sample {
    const char *code;
    bool covered;
    int64_t due, left_min;
};

static bool twice(void *ctx) { return --*(int *)ctx >= 0; }

static void reopen(struct test_city *c) {
    char dir[80];
    struct err err = {0};
    (void)snprintf(dir, sizeof dir, "%s/city", c->dir);
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    grid_close(c->grid);
    folder_close(&c->folder);
    assert_int_equal(folder_open(dir, 4, NULL, &c->folder, &err), ERR_OK);
    assert_int_equal(grid_open(c->folder.ledger, c->folder.packs, &c->grid, &err), ERR_OK);
    assert_int_equal(engine_new(c->a, c->folder.packs, c->folder.tz,
                                ledger_secret(c->folder.ledger), c->grid, &c->engine, &err),
                     ERR_OK);
    emergency_attach(c->engine);
}

static int64_t n_standing(struct test_city *c, const struct sample *s, size_t n) {
    int64_t standing = 0;
    for (size_t i = 0; i < n; i++) {
        struct case_row r = city_row(c, s[i].code);
        standing += clock_stands(c->engine, &r) ? 1 : 0;
    }
    return standing;
}

static void make_cases(struct test_city *c, int64_t stop, struct sample *s, int64_t *n_covered) {
    /* 0102 and 0103 of A are covered by "event-01"; B, another major class and what is urgent are
     * not. */
    static const char *const classes[] = {"event-0102", "event-0103", "event-0501", "event-0401"};
    struct rng g = rng_new(5, 41);
    *n_covered = 0;
    for (size_t i = 0; i < N_CASES; i++) {
        size_t k = rng_below(&g, 4);
        bool in_b = rng_below(&g, 4) == 0;
        struct reported out;
        s[i].code =
            city_report(c, classes[k], in_b, stop - 1 - (int64_t)rng_below(&g, 90) * minute, &out);
        s[i].covered = k < 2 && !in_b;
        s[i].due = case_int(c->engine, &out.row, CASE_due_at);
        s[i].left_min = s[i].due > stop ? open_minutes(c->engine, stop, s[i].due) : 0;
        *n_covered += s[i].covered ? 1 : 0;
    }
}

/* Every covered clock goes on with the working minutes that it had, every other one as it was. */
static void check_after(struct test_city *c, const struct sample *s, int64_t back) {
    for (size_t i = 0; i < N_CASES; i++) {
        struct case_row r = city_row(c, s[i].code);
        int64_t due = case_int(c->engine, &r, CASE_due_at);
        assert_int_equal(n_steps(c, r.id, CLOCK_STEP_RESUME), s[i].covered ? 1 : 0);
        if (!s[i].covered || s[i].left_min == 0)
            assert_int_equal(due, s[i].due);
        else
            assert_int_equal(open_minutes(c->engine, back, due), s[i].left_min);
        if (s[i].covered) assert_int_equal(due, case_int(c->engine, &r, CASE_accept_due_at));
    }
}

static void clocks_stand_in_bulk_and_go_on_with_what_they_had(void **state) {
    struct test_city *c = *state;
    struct principal op = in_area(c, "operator", "op", AREA_A);
    struct principal lead = in_area(c, "leader", "lead", AREA_A);
    static struct sample s[N_CASES];
    static const char *const kinds[] = {"event-01"};
    int64_t stop = nine + hour, back = nine + 6 * day + 77 * minute, n_covered = 0;
    make_cases(c, stop, s, &n_covered);
    struct doing d = declare(c, op, AREA_A, kinds, 1);
    assert_int_equal(act(c, d.id, lead, stop, emergency_approve), ERR_OK);
    /* The power goes after the first batch. */
    int batches = 1;
    int64_t n = 0;
    assert_int_equal(emergency_continue(c->folder.ledger, c->engine, twice, &batches, &n, NULL),
                     ERR_OK);
    assert_int_equal(n, EMERGENCY_BATCH);
    reopen(c);
    assert_int_equal(n_standing(c, s, N_CASES), EMERGENCY_BATCH);
    assert_true(load(c, d.id).sweeping);
    int64_t others = go_through(c) + EMERGENCY_BATCH - n_covered; /* of earlier tests */
    struct emergency e = load(c, d.id);
    assert_false(e.sweeping);
    assert_int_equal(e.n_paused, n_covered + others);
    for (size_t i = 0; i < N_CASES; i++) {
        struct case_row r = city_row(c, s[i].code);
        assert_int_equal(clock_stands(c->engine, &r), s[i].covered);
        assert_int_equal(case_light(c->engine, &r, stop) == LIGHT_PAUSED, s[i].covered);
        assert_int_equal(n_steps(c, r.id, CLOCK_STEP_PAUSE), s[i].covered ? 1 : 0);
        assert_int_equal(case_has(c->engine, &r, CASE_due_at), !s[i].covered);
    }
    /* What comes in now, and what moves on, stands from its first moment. */
    struct reported out;
    const char *fresh = city_report(c, "event-0102", false, stop + hour, &out);
    assert_true(clock_stands(c->engine, &out.row));
    int64_t limit_min = case_int(c->engine, &out.row, CASE_clock_left_us) / minute;
    struct case_row moved;
    city_must(c, fresh, "accept", city_who(c, "operator", "op", NULL, NULL), "{}", stop + 2 * hour,
              &moved);
    assert_true(clock_stands(c->engine, &moved));
    (void)city_report(c, "event-0102", true, stop + hour, &out); /* in another county */
    assert_false(clock_stands(c->engine, &out.row));
    const char *urgent = city_report(c, "event-0401", false, stop + hour, &out);
    assert_false(clock_stands(c->engine, &out.row));
    assert_int_equal(act(c, d.id, op, back, emergency_end), ERR_OK);
    batches = 1;
    assert_int_equal(emergency_continue(c->folder.ledger, c->engine, twice, &batches, &n, NULL),
                     ERR_OK);
    reopen(c);
    (void)go_through(c);
    assert_int_equal(n_standing(c, s, N_CASES), 0);
    e = load(c, d.id);
    assert_int_equal(e.n_resumed, e.n_paused + 1); /* and the one that began in it */
    check_after(c, s, back);
    struct case_row r = city_row(c, fresh);
    assert_int_equal(open_minutes(c->engine, back, case_int(c->engine, &r, CASE_due_at)),
                     limit_min);
    r = city_row(c, urgent);
    assert_int_equal(n_steps(c, r.id, CLOCK_STEP_PAUSE), 0);
}

static void two_emergencies_and_a_suspension(void **state) {
    struct test_city *c = *state;
    struct principal op = in_area(c, "operator", "op", CITY);
    struct principal lead = in_area(c, "leader", "lead", CITY);
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal desk = city_who(c, "operator", "desk", NULL, NULL);
    const char *one = city_report(c, "event-0102", false, nine, NULL);
    const char *two = city_report(c, "event-0102", false, nine, NULL);
    city_must(c, two, "accept", desk, "{}", nine + minute, NULL);
    city_must(c, two, "file", desk, "{}", nine + minute, NULL);
    city_must(c, two, "dispatch", desk, "{\"unit\":\"U1\"}", nine + minute, NULL);
    city_must(c, two, "ask_suspend", dep, "{\"reason\":\"x\",\"until\":\"2026-03-20\"}",
              nine + 30 * minute, NULL);
    city_must(c, two, "suspend", desk, "{}", nine + 31 * minute, NULL);
    struct doing a = declare(c, op, AREA_A, litter, 1), b = declare(c, op, CITY, litter, 1);
    assert_int_equal(act(c, a.id, lead, nine + hour, emergency_approve), ERR_OK);
    (void)go_through(c);
    assert_int_equal(act(c, b.id, lead, nine + 2 * hour, emergency_approve), ERR_OK);
    (void)go_through(c);
    struct case_row r = city_row(c, one);
    assert_int_equal(clock_emergency(c->engine, &r), a.id);
    /* The first ends: the second holds on; the suspension knows nothing of either. */
    assert_int_equal(act(c, a.id, op, nine + day, emergency_end), ERR_OK);
    (void)go_through(c);
    r = city_row(c, one);
    assert_int_equal(clock_emergency(c->engine, &r), b.id);
    assert_int_equal(n_steps(c, r.id, CLOCK_STEP_RESUME), 0);
    assert_int_equal(act(c, b.id, op, nine + 2 * day, emergency_end), ERR_OK);
    (void)go_through(c);
    r = city_row(c, one);
    assert_false(clock_stands(c->engine, &r));
    assert_int_equal(open_minutes(c->engine, nine + 2 * day, case_int(c->engine, &r, CASE_due_at)),
                     60);
    r = city_row(c, two);
    assert_true(clock_suspended(c->engine, &r));
    assert_int_equal(clock_emergency(c->engine, &r), 0);
    assert_int_equal(case_light(c->engine, &r, nine), LIGHT_PAUSED);
}

/* What somebody does between the look for cases and the first batch. */
struct meanwhile {
    struct test_city *c;
    struct principal who;
    int64_t id;
    const char *closed, *moved;
    int asked;
};

static bool ends_it(void *ctx) {
    struct meanwhile *m = ctx;
    if (m->asked++ == 0) assert_int_equal(act(m->c, m->id, m->who, 0, emergency_end), ERR_OK);
    return true;
}

static void ended_while_its_cases_were_looked_for(void **state) {
    struct test_city *c = *state;
    struct principal op = in_area(c, "operator", "op", AREA_A);
    struct principal lead = in_area(c, "leader", "lead", AREA_A);
    const char *code = city_report(c, "event-0102", false, nine, NULL);
    struct case_row r = city_row(c, code);
    int64_t due = case_int(c->engine, &r, CASE_due_at);
    struct doing d = declare(c, op, AREA_A, litter, 1);
    assert_int_equal(act(c, d.id, lead, nine + hour, emergency_approve), ERR_OK);
    struct meanwhile m = {.c = c, .who = op, .id = d.id};
    assert_int_equal(emergency_continue(c->folder.ledger, c->engine, ends_it, &m, NULL, NULL),
                     ERR_OK);
    assert_int_equal(load(c, d.id).n_paused, 0);
    assert_false(load(c, d.id).sweeping);
    r = city_row(c, code);
    assert_int_equal(n_steps(c, r.id, CLOCK_STEP_PAUSE), 0);
    assert_int_equal(case_int(c->engine, &r, CASE_due_at), due);
}

/* One is closed, another moves on and stands from then on. */
static bool moves_them(void *ctx) {
    struct meanwhile *m = ctx;
    if (m->asked++ > 0) return true;
    city_must(m->c, m->closed, "refuse", m->who, "{\"reason\":\"no\",\"goto\":\"elsewhere\"}",
              nine + 2 * hour, NULL);
    if (m->moved != NULL) city_must(m->c, m->moved, "accept", m->who, "{}", nine + 2 * hour, NULL);
    return true;
}

static void moved_while_it_was_looked_for(void **state) {
    struct test_city *c = *state;
    struct principal op = in_area(c, "operator", "op", AREA_A);
    struct principal lead = in_area(c, "leader", "lead", AREA_A);
    struct principal desk = city_who(c, "operator", "desk", NULL, NULL);
    const char *one = city_report(c, "event-0102", false, nine, NULL);
    const char *two = city_report(c, "event-0102", false, nine, NULL);
    const char *three = city_report(c, "event-0102", false, nine, NULL);
    struct doing d = declare(c, op, AREA_A, litter, 1);
    assert_int_equal(act(c, d.id, lead, nine + hour, emergency_approve), ERR_OK);
    struct meanwhile m = {.c = c, .who = desk, .closed = one, .moved = two};
    assert_int_equal(emergency_continue(c->folder.ledger, c->engine, moves_them, &m, NULL, NULL),
                     ERR_OK);
    struct case_row r = city_row(c, one);
    assert_int_equal(n_steps(c, r.id, CLOCK_STEP_PAUSE), 0);
    assert_false(clock_stands(c->engine, &r));
    r = city_row(c, two);
    assert_int_equal(n_steps(c, r.id, CLOCK_STEP_PAUSE), 0); /* it stood already */
    assert_true(clock_stands(c->engine, &r));
    assert_int_equal(act(c, d.id, op, nine + 3 * hour, emergency_end), ERR_OK);
    m = (struct meanwhile){.c = c, .who = desk, .closed = three};
    assert_int_equal(emergency_continue(c->folder.ledger, c->engine, moves_them, &m, NULL, NULL),
                     ERR_OK);
    r = city_row(c, three);
    assert_int_equal(n_steps(c, r.id, CLOCK_STEP_PAUSE), 1);
    assert_int_equal(n_steps(c, r.id, CLOCK_STEP_RESUME), 0); /* closed: nothing goes on */
    r = city_row(c, two);
    assert_false(clock_stands(c->engine, &r));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may),
        cmocka_unit_test(what_stood_at_a_moment),
        cmocka_unit_test(clocks_stand_in_bulk_and_go_on_with_what_they_had),
        cmocka_unit_test(two_emergencies_and_a_suspension),
        cmocka_unit_test(ended_while_its_cases_were_looked_for),
        cmocka_unit_test(moved_while_it_was_looked_for),
    };
    return cmocka_run_group_tests_name("emergencies", tests, city_setup, city_teardown);
}
