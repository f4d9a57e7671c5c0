/* 核实: before it is filed a case goes to the worker of its cell and comes back; whose clock runs
 * meanwhile, what is late, what is counted. */
#include "city.h"

#include <string.h>

#include "base/rng.h"
#include "domain/process/clock.h"
#include "domain/process/confirm.h"
#include "domain/process/limit.h"
#include "domain/process/stage.h"
#include "store/sql.h"

#define CELL_A "990101001001001"
#define CELL_B "990102001001001"
/* Wednesday 2026-03-04, 09:00 in Shanghai; work is from 08:30 to 12:00 and from 13:30 to 17:30. */
static const int64_t nine = 1772586000000000;
static const int64_t minute = 60000000, hour = 3600000000, day = 86400000000;

static struct principal worker(const struct test_city *c) {
    return city_who(c, "worker", "wa", NULL, CELL_A);
}

static struct principal op_of(const struct test_city *c) {
    return city_who(c, "operator", "op", NULL, NULL);
}

/* Reported at `at`, accepted half an hour later: to be filed two working hours after that. */
static const char *accepted(struct test_city *c, int64_t at) {
    const char *code = city_report(c, "event-0102", false, at, NULL);
    city_must(c, code, "accept", op_of(c), "{}", at + hour / 2, NULL);
    return code;
}

static int64_t open_minutes(const struct engine *e, int64_t from, int64_t to) {
    int64_t n = 0;
    for (int64_t t = from; t < to; t += minute) n += work_is_open(e->calendar, t) ? 1 : 0;
    return n;
}

static void an_order_is_answered_and_the_desk_goes_on_with_what_it_had(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = accepted(c, nine);
    struct principal op = op_of(c), wa = worker(c);
    struct principal other = city_who(c, "worker", "wb", NULL, CELL_B);
    struct case_row r;
    city_must(c, code, "order_confirm", op, "{\"note\":\"看后门\"}", nine + hour, &r);
    assert_string_equal(case_text(e, &r, CASE_state), "confirming");
    assert_string_equal(case_text(e, &r, CASE_stage), "confirm");
    assert_false(case_has(e, &r, CASE_holder)); /* whoever holds the cell */
    assert_int_equal(case_int(e, &r, CASE_due_at), nine + 6 * hour + hour / 2); /* 15:30 */
    assert_int_equal(case_int(e, &r, CASE_confirm_due_at), case_int(e, &r, CASE_due_at));
    assert_false(case_has(e, &r, CASE_file_due_at));
    assert_int_equal(case_int(e, &r, CASE_accepted_at), nine + hour / 2);
    const struct process_def *p = pack_process(e->packs, "street");
    assert_true(state_waits_for(p, process_state(p, "confirming"), "worker"));
    assert_false(state_waits_for(p, process_state(p, "confirming"), "operator"));
    /* Not the desk, not the worker of another cell, and no filing meanwhile. */
    assert_int_equal(city_try(c, code, "confirm", &op, "{}", nine + 2 * hour).rc, ERR_FORBIDDEN);
    assert_int_equal(city_try(c, code, "confirm", &other, "{}", nine + 2 * hour).rc, ERR_FORBIDDEN);
    assert_int_equal(city_try(c, code, "file", &op, "{}", nine + 2 * hour).rc, ERR_CONFLICT);
    city_must(c, code, "confirm", wa, "{\"note\":\"确有垃圾\"}", nine + 2 * hour, &r);
    assert_string_equal(case_text(e, &r, CASE_state), "accepted");
    /* An hour and a half was left at ten: it is eleven, so an hour before noon and a half after. */
    assert_int_equal(case_int(e, &r, CASE_due_at), nine + 5 * hour);
    assert_int_equal(case_int(e, &r, CASE_file_due_at), nine + 5 * hour);
    assert_int_equal(case_int(e, &r, CASE_yellow_at), nine + 4 * hour + hour / 2 + 6 * minute);
    assert_int_equal(case_int(e, &r, CASE_accepted_at), nine + hour / 2);
    assert_int_equal(case_int(e, &r, CASE_confirmed_at), nine + 2 * hour);
    assert_true(case_has(e, &r, CASE_confirm_due_at));
    assert_false(case_has(e, &r, CASE_confirm_left_us));
    assert_int_equal(r.cells[type_field(e->case_type, "confirmed")].i, 1);
    /* Asked once; now it is decided. */
    assert_int_equal(city_try(c, code, "order_confirm", &op, "{}", nine + 2 * hour).rc,
                     ERR_FORBIDDEN);
    city_must(c, code, "file", op, "{}", nine + 5 * hour, &r);
    assert_true(case_int(e, &r, CASE_filed_at) <= case_int(e, &r, CASE_file_due_at));
    /* Half an hour to accept, half at the desk, one with the worker, one and a half at the desk. */
    assert_int_equal(case_int(e, &r, CASE_clock_used_milli), 3500);
}

static void not_so_and_refused_and_asked_again_when_it_comes_back(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = accepted(c, nine);
    struct principal op = op_of(c), wa = worker(c);
    struct case_row r;
    city_must(c, code, "order_confirm", op, "{}", nine + hour, NULL);
    assert_int_equal(city_try(c, code, "deny", &wa, "{}", nine + 2 * hour).rc, ERR_INVALID);
    city_must(c, code, "deny", wa, "{\"note\":\"现场没有\"}", nine + 2 * hour, &r);
    assert_int_equal(r.cells[type_field(e->case_type, "confirmed")].i, 0);
    city_must(c, code, "refuse", op, "{\"reason\":\"核实不属实\",\"goto\":\"如再次发现请再报\"}",
              nine + 3 * hour, NULL);
    struct city_move m = {.city = c,
                          .code = code,
                          .move = "reopen",
                          .inputs = "{\"reason\":\"又有了\"}",
                          .actor = {ACTOR_REPORTER, NULL, 0},
                          .at_us = nine + 2 * day};
    city_move(&m);
    assert_int_equal(m.rc, ERR_OK);
    city_must(c, code, "accept", op, "{}", nine + 2 * day + hour, &r);
    assert_int_equal(case_int(e, &r, CASE_accepted_at), nine + 2 * day + hour);
    city_must(c, code, "order_confirm", op, "{}", nine + 2 * day + 2 * hour, &r);
    assert_false(case_has(e, &r, CASE_confirmed_at));
    city_must(c, code, "confirm", wa, "{}", nine + 2 * day + 3 * hour, NULL);
}

static void taken_back_in_time_it_was_no_order(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    struct principal op = op_of(c), wa = worker(c);
    struct case_row r;
    const char *code = accepted(c, nine);
    city_must(c, code, "order_confirm", op, "{}", nine + hour, NULL);
    assert_int_equal(city_try(c, code, "take_back", &wa, "{}", nine + 2 * hour).rc, ERR_FORBIDDEN);
    city_must(c, code, "take_back", op, "{}", nine + 2 * hour, &r);
    assert_false(case_has(e, &r, CASE_confirm_due_at));
    assert_int_equal(case_int(e, &r, CASE_file_due_at), nine + 5 * hour);
    /* Nobody went: it can be ordered again. Taken back too late, the worker did not answer. */
    city_must(c, code, "order_confirm", op, "{}", nine + 2 * hour, &r);
    int64_t due = case_int(e, &r, CASE_confirm_due_at);
    city_must(c, code, "take_back", op, "{}", due + hour, &r);
    assert_int_equal(case_int(e, &r, CASE_confirm_due_at), due);
    assert_false(case_has(e, &r, CASE_confirmed_at));
    assert_int_equal(city_try(c, code, "order_confirm", &op, "{}", due + hour).rc, ERR_FORBIDDEN);
}

static enum err_code tick_apply(struct tx *tx, void *arg, struct err *err) {
    const struct test_city *c = arg;
    int64_t n = 0;
    return clock_tick(c->engine, tx, 500, NULL, &n, err);
}

static void a_late_worker_is_late_and_still_answers(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    struct principal wa = worker(c);
    const char *code = accepted(c, nine);
    struct case_row r;
    city_must(c, code, "order_confirm", op_of(c), "{}", nine + hour, NULL);
    city_run(c, tick_apply, c); /* today is long after */
    r = city_row(c, code);
    assert_string_equal(case_text(e, &r, CASE_state), "confirming");
    assert_int_equal(case_int(e, &r, CASE_overdue), 1);
    assert_int_equal(case_int(e, &r, CASE_escalated), 1);
    city_must(c, code, "confirm", wa, "{}", nine + 2 * day, &r);
    assert_true(case_int(e, &r, CASE_confirmed_at) > case_int(e, &r, CASE_confirm_due_at));
    /* The desk is not late by that: its hour and a half begins. */
    assert_int_equal(case_int(e, &r, CASE_overdue), 0);
    assert_int_equal(case_int(e, &r, CASE_due_at), nine + 2 * day + hour + hour / 2);
}

static void a_late_desk_stays_late(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = accepted(c, nine);
    struct case_row r = city_row(c, code);
    int64_t due = case_int(e, &r, CASE_file_due_at);
    city_must(c, code, "order_confirm", op_of(c), "{}", due + hour, &r);
    assert_int_equal(case_int(e, &r, CASE_file_due_at), due);
    city_must(c, code, "confirm", worker(c), "{}", due + 5 * hour, &r);
    assert_int_equal(case_int(e, &r, CASE_due_at), due);
    assert_int_equal(case_int(e, &r, CASE_overdue), 1);
    assert_int_equal(case_light(e, &r, due + 5 * hour), LIGHT_RED);
    city_must(c, code, "file", op_of(c), "{}", due + 6 * hour, &r);
    assert_true(case_int(e, &r, CASE_filed_at) > case_int(e, &r, CASE_file_due_at));
}

static void nobody_to_send(void **state) {
    struct test_city *c = *state;
    struct principal op = op_of(c);
    struct offered_move offered[32];
    const char *code = city_report(c, "event-0102", true, nine, NULL); /* a cell without a worker */
    city_must(c, code, "accept", op, "{}", nine + hour / 2, NULL);
    assert_int_equal(city_try(c, code, "order_confirm", &op, "{}", nine + hour).rc, ERR_CONFLICT);
    struct case_row r = city_row(c, code);
    struct actor actor = {ACTOR_STAFF, &op, 0};
    size_t n = moves_offered(c->engine, &r, &actor, offered, 32), told = 0;
    for (size_t i = 0; i < n; i++)
        told += strcmp(offered[i].move->name, "order_confirm") == 0 && offered[i].why.en != NULL;
    assert_int_equal(told, 1);
    city_must(c, code, "file", op, "{}", nine + hour, NULL);
}

/* The post gets another holder while the order is out. */
static enum err_code hand_over(struct tx *tx, void *arg, struct err *err) {
    const struct test_city *c = arg;
    const struct type_def *t = pack_type(c->folder.packs, "post");
    struct cell cells[64] = {0}, p[1] = {cell_text("worker of A")};
    struct cursor *cur = NULL;
    bool has = false;
    cells[type_field(t, "title")] = p[0];
    cells[type_field(t, "layer")] = cell_text("social");
    cells[type_field(t, "cell")] = cell_text(CELL_A);
    cells[type_field(t, "account")] = cell_text("new");
    TRY(db_query(tx_db(tx), "SELECT id FROM post WHERE title = ?1", p, 1, &cur, err));
    enum err_code rc = cursor_next(cur, &has, err);
    int64_t id = rc == ERR_OK && has ? cursor_int(cur, 0) : 0;
    cursor_close(cur);
    TRY(rc);
    return tx_update(tx, &t->table, id, -1, cells, err);
}

static void whoever_holds_the_cell_answers(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = accepted(c, nine);
    struct principal heir = city_who(c, "worker", "new", NULL, CELL_A);
    struct case_row r;
    city_must(c, code, "order_confirm", op_of(c), "{}", nine + hour, &r);
    const struct grid *g = grid_ref(c->grid);
    assert_string_equal(confirm_worker(e, g, &r, nine), "wa");
    grid_unref(g);
    city_run(c, hand_over, c);
    ledger_catch_up(c->folder.ledger, ledger_last_seq(c->folder.ledger));
    g = grid_ref(c->grid);
    assert_string_equal(confirm_worker(e, g, &r, nine), "new");
    grid_unref(g);
    city_must(c, code, "confirm", heir, "{}", nine + 2 * hour, NULL);
}

/* A state as a move enters it, on the row alone. */
static void enter(const struct engine *e, struct case_row *r, const struct state_def *from,
                  const struct state_def *to, int64_t at) {
    struct confirm_turn turn = confirm_before(e, r, from, to, at);
    case_set(e, r, CASE_state, cell_text(to->name));
    case_set(e, r, CASE_stage, cell_text(to->stage));
    limit_start(e, r, pack_class(e->packs, case_text(e, r, CASE_class)), to, at);
    stage_enter(e, r, to, turn.back, at);
    confirm_after(e, r, &turn, at);
}

/* Times to the minute, clocks held by an emergency on either side: the desk and the worker each
 * have exactly their own limit. */
static void every_history_gives_each_its_own_limit(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const struct process_def *p = pack_process(e->packs, "street");
    const struct state_def *desk = process_state(p, "accepted");
    const struct state_def *out = process_state(p, "confirming");
    struct case_row first = city_row(c, accepted(c, nine));
    int n_left = 0, n_late = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct rng g = rng_new(seed, 77);
        struct case_row r = first;
        bool goes_on = false;
        int64_t at = nine + hour / 2 + (int64_t)rng_below(&g, 150) * minute, held_min = 0;
        int64_t used = open_minutes(e, nine + hour / 2, at);
        if (used < 120 && rng_below(&g, 3) == 0) {
            clock_hold(e, &r, 7, at);
            at += (int64_t)rng_below(&g, 3000) * minute;
        }
        int64_t file_due = case_int(e, &r, CASE_file_due_at);
        enter(e, &r, desk, out, at);
        assert_int_equal(case_int(e, &r, CASE_confirm_due_at), case_int(e, &r, CASE_due_at));
        assert_int_equal(open_minutes(e, at, case_int(e, &r, CASE_due_at)), 240);
        if (rng_below(&g, 3) == 0) {
            int64_t from = at + (int64_t)rng_below(&g, 100) * minute;
            at = from + (int64_t)rng_below(&g, 3000) * minute;
            clock_hold(e, &r, 7, from);
            assert_false(case_has(e, &r, CASE_confirm_due_at));
            clock_let_go(e, &r, at, &goes_on);
            held_min = open_minutes(e, from, at);
            assert_true(goes_on &&
                        case_int(e, &r, CASE_confirm_due_at) == case_int(e, &r, CASE_due_at));
        }
        at += (int64_t)rng_below(&g, 2000) * minute;
        case_set(e, &r, CASE_confirmed_at, cell_int(at));
        int64_t order_due = case_int(e, &r, CASE_confirm_due_at);
        int64_t took = open_minutes(e, case_int(e, &r, CASE_state_since), at) - held_min;
        assert_true(at <= order_due ? took <= 240 : took >= 240);
        enter(e, &r, out, desk, at);
        assert_int_equal(case_int(e, &r, CASE_confirm_due_at), order_due);
        assert_int_equal(case_int(e, &r, CASE_file_due_at), case_int(e, &r, CASE_due_at));
        assert_true(case_int(e, &r, CASE_yellow_at) <= case_int(e, &r, CASE_due_at) || used >= 120);
        if (used >= 120) {
            n_late++;
            assert_int_equal(case_int(e, &r, CASE_due_at), file_due);
        } else {
            n_left++;
            assert_int_equal(open_minutes(e, at, case_int(e, &r, CASE_due_at)), 120 - used);
        }
    }
    print_message("%d histories gave the desk what it had left, %d found it late\n", n_left,
                  n_late);
    assert_true(n_left > 100 && n_late > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_answered_and_the_desk_goes_on_with_what_it_had),
        cmocka_unit_test(not_so_and_refused_and_asked_again_when_it_comes_back),
        cmocka_unit_test(taken_back_in_time_it_was_no_order),
        cmocka_unit_test(a_late_worker_is_late_and_still_answers),
        cmocka_unit_test(a_late_desk_stays_late),
        cmocka_unit_test(nobody_to_send),
        cmocka_unit_test(every_history_gives_each_its_own_limit),
        cmocka_unit_test(whoever_holds_the_cell_answers),
    };
    return cmocka_run_group_tests_name("confirmations", tests, city_setup, city_teardown);
}
