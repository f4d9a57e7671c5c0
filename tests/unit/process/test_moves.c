/* The way of a street case and of a dispute through the shipped packs: who may do what, limits,
 * counters, lights. */
#include "city.h"

#include <string.h>

#define CELL_A "990101001001001"
/* Wednesday 2026-03-04, 09:00 in Shanghai. */
static const int64_t nine = 1772586000000000;
static const int64_t hour = 3600000000;

static void test_report_finds_cell_and_post(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    struct reported out;
    const char *code = city_report(c, "event-0102", false, nine, &out);
    assert_string_equal(case_text(e, &out.row, CASE_cell), CELL_A);
    assert_string_equal(case_text(e, &out.row, CASE_county), "990101000000");
    assert_false(out.place.is_desk);
    assert_int_equal(strlen(out.word), 8);
    assert_string_equal(code, "990101-260304-00001");
    /* The limit of the first state: two working hours; 09:00 + 2 = 11:00. */
    assert_int_equal(case_int(e, &out.row, CASE_due_at), nine + 2 * hour);
    /* Next serial of the day; a cell without a worker goes to the desk above: county B has none, so
     * the city's. */
    code = city_report(c, "event-0102", true, nine, &out);
    assert_true(out.place.is_desk);
    const struct grid *g = grid_ref(c->grid);
    assert_string_equal(g->posts[out.place.post].account, "city-desk");
    grid_unref(g);
    assert_string_equal(code, "990102-260304-00001");
}

static void test_whole_way(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    struct case_row row;
    const char *code = city_dispatched(c, nine);
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    city_must(c, code, "handle", dep, "{\"note\":\"已清理\"}", nine + 3 * hour, &row);
    assert_string_equal(case_text(e, &row, CASE_state), "handled");
    assert_string_equal(case_text(e, &row, CASE_handler), "dep");
    assert_int_equal(case_int(e, &row, CASE_handled_at), nine + 3 * hour);
    city_must(c, code, "verify", op, "{}", nine + 4 * hour + hour / 2 + hour, &row);
    city_must(c, code, "close", op, "{}", nine + 6 * hour, &row);
    assert_int_equal(case_int(e, &row, CASE_closed_at), nine + 6 * hour);
    assert_int_equal(case_light(e, &row, nine + 900 * hour), LIGHT_NONE);
    struct city_move m = {.city = c,
                          .code = code,
                          .move = "rate",
                          .inputs = "{\"score\":5}",
                          .actor = {ACTOR_REPORTER, NULL, 0},
                          .at_us = nine + 7 * hour};
    city_move(&m);
    assert_int_equal(m.rc, ERR_OK);
    assert_int_equal(case_int(e, &m.row, CASE_score), 5);
    assert_int_equal(case_int(e, &m.row, CASE_closed_at), nine + 6 * hour);
    m.move = "reopen";
    m.inputs = "{\"reason\":\"又堆起来了\"}";
    city_move(&m);
    assert_int_equal(m.rc, ERR_OK);
    assert_false(case_has(e, &m.row, CASE_closed_at));
}

/* What the evaluation counts by stays on the row: when each stage was reached and due, and whether
 * a second unit had it. */
static void test_stages_are_kept(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    struct case_row row;
    const char *code = city_dispatched(c, nine);
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    city_must(c, code, "return", dep, "{\"reason\":\"不属于\"}", nine + 2 * hour, &row);
    assert_int_equal(case_int(e, &row, CASE_accept_due_at), nine + 2 * hour);
    assert_int_equal(case_int(e, &row, CASE_accepted_at), nine + hour / 2);
    assert_int_equal(case_int(e, &row, CASE_file_due_at), nine + 2 * hour + hour / 2);
    assert_int_equal(case_int(e, &row, CASE_dispatch_due_at), case_int(e, &row, CASE_due_at));
    assert_string_equal(case_text(e, &row, CASE_first_unit), "U1");
    assert_int_equal(case_int(e, &row, CASE_misdispatched), 0);
    assert_true(case_int(e, &row, CASE_promised_at) > case_int(e, &row, CASE_dispatched_at));
    city_must(c, code, "dispatch", op, "{\"unit\":\"U2\"}", nine + 3 * hour, &row);
    assert_string_equal(case_text(e, &row, CASE_first_unit), "U1");
    assert_int_equal(case_int(e, &row, CASE_misdispatched), 1);
    assert_int_equal(case_int(e, &row, CASE_promised_at), case_int(e, &row, CASE_due_at));
    assert_false(case_has(e, &row, CASE_verified_at));
}

static void test_handler_never_verifies(void **state) {
    struct test_city *c = *state;
    struct principal w = city_who(c, "worker", "wa", NULL, CELL_A);
    const char *code = city_report(c, "event-0102", false, nine, NULL);
    struct case_row row;
    city_must(c, code, "settle", w, "{\"note\":\"当场清理\"}", nine + hour, &row);
    assert_int_equal(case_int(c->engine, &row, CASE_settled_in_cell), 1);
    struct principal same = city_who(c, "operator", "wa", NULL, NULL);
    struct city_move m = city_try(c, code, "verify", &same, "{}", nine + 2 * hour);
    assert_int_equal(m.rc, ERR_FORBIDDEN);
    struct principal other = city_who(c, "operator", "op", NULL, NULL);
    m = city_try(c, code, "verify", &other, "{}", nine + 2 * hour);
    assert_int_equal(m.rc, ERR_OK);
}

static void test_strangers_and_neighbours_may_not(void **state) {
    struct test_city *c = *state;
    const char *code = city_dispatched(c, nine);
    struct principal neighbour = city_who(c, "worker", "wb", NULL, "990102001001001");
    struct principal other_unit = city_who(c, "department", "x", "U2", NULL);
    struct principal auditor = city_who(c, "audit_admin", "aud", NULL, NULL);
    assert_int_equal(city_try(c, code, "settle", &neighbour, "{\"note\":\"x\"}", 0).rc,
                     ERR_FORBIDDEN);
    assert_int_equal(city_try(c, code, "handle", &other_unit, "{\"note\":\"x\"}", 0).rc,
                     ERR_FORBIDDEN);
    assert_int_equal(city_try(c, code, "close", &auditor, "{}", 0).rc, ERR_FORBIDDEN);
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    assert_int_equal(city_try(c, code, "close", &op, "{}", 0).rc, ERR_CONFLICT);
    assert_int_equal(city_try(c, code, "vanish", &op, "{}", 0).rc, ERR_NOT_FOUND);
}

static void test_inputs_are_checked(void **state) {
    struct test_city *c = *state;
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    const char *code = city_report(c, "event-0102", false, nine, NULL);
    struct city_move m = city_try(c, code, "refuse", &op, "{\"reason\":\"不属于\"}", nine);
    assert_int_equal(m.rc, ERR_INVALID);
    assert_string_equal(m.err.field, "/goto");
    m = city_try(c, code, "accept", &op, "{\"colour\":\"red\"}", nine);
    assert_int_equal(m.rc, ERR_INVALID);
    assert_string_equal(m.err.field, "/colour");
    city_must(c, code, "accept", op, "{}", nine, NULL);
    city_must(c, code, "file", op, "{}", nine, NULL);
    m = city_try(c, code, "dispatch", &op, "{\"unit\":\"nowhere\"}", nine);
    assert_int_equal(m.rc, ERR_INVALID);
    assert_string_equal(m.err.field, "/unit");
}

static void test_bounce_limit(void **state) {
    struct test_city *c = *state;
    const char *code = city_dispatched(c, nine);
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    struct principal sup = city_who(c, "supervisor", "sup", NULL, NULL);
    struct case_row row;
    city_must(c, code, "return", dep, "{\"reason\":\"非本单位职责\"}", 0, NULL);
    city_must(c, code, "dispatch", op, "{\"unit\":\"U1\"}", 0, NULL);
    city_must(c, code, "return", dep, "{\"reason\":\"仍非本单位职责\"}", 0, &row);
    assert_int_equal(case_int(c->engine, &row, CASE_returns), 2);
    /* Returned twice: the desk no longer decides, the supervisor does, and then the unit may not
     * return it. */
    assert_int_equal(city_try(c, code, "dispatch", &op, "{\"unit\":\"U1\"}", 0).rc, ERR_FORBIDDEN);
    city_must(c, code, "dispatch", sup, "{\"unit\":\"U1\"}", 0, NULL);
    assert_int_equal(city_try(c, code, "return", &dep, "{\"reason\":\"x\"}", 0).rc, ERR_CONFLICT);
}

static void test_offered_moves_are_those_that_work(void **state) {
    struct test_city *c = *state;
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    struct reported out;
    const char *code = city_report(c, "event-0102", false, nine, &out);
    struct actor actor = {ACTOR_STAFF, &op, 0};
    struct offered_move offered[32];
    size_t n = moves_offered(c->engine, &out.row, &actor, offered, 32);
    bool accept = false;
    for (size_t i = 0; i < n; i++) {
        accept = accept || strcmp(offered[i].move->name, "accept") == 0;
        assert_string_not_equal(offered[i].move->name, "close");
        assert_string_not_equal(offered[i].move->name, "rate");
    }
    assert_true(accept);
    struct actor reporter = {ACTOR_REPORTER, NULL, 0};
    assert_int_equal(moves_offered(c->engine, &out.row, &reporter, offered, 32), 0);
    assert_non_null(code);
}

static enum err_code tick(struct tx *tx, void *arg, struct err *err) {
    struct test_city *c = arg;
    int64_t n = 0;
    TRY(clock_tick(c->engine, tx, 100, NULL, &n, err));
    return n > 0 ? ERR_OK : err_fail(err, ERR_INTERNAL, "nothing was due");
}

static void test_overdue_escalates(void **state) {
    struct test_city *c = *state;
    const char *code = city_report(c, "event-0102", false, nine - 2400 * hour, NULL);
    city_run(c, tick, c);
    struct reader *r = NULL;
    struct err err = {0};
    struct case_row row;
    assert_int_equal(ledger_read_begin(c->folder.ledger, &r, &err), ERR_OK);
    assert_int_equal(case_load(c->engine, reader_db(r), code, c->a, &row, &err), ERR_OK);
    int64_t at = 0;
    assert_int_equal(clock_next(c->engine, reader_db(r), &at, &err), ERR_OK);
    ledger_read_end(r);
    assert_int_equal(case_int(c->engine, &row, CASE_overdue), 1);
    assert_int_equal(case_int(c->engine, &row, CASE_escalated), 1);
    assert_int_equal(case_light(c->engine, &row, nine), LIGHT_RED);
    const struct grid *g = grid_ref(c->grid);
    int post = grid_post_index(g, case_int(c->engine, &row, CASE_post));
    assert_true(post >= 0 &&
                g->posts[post].cell == GRID_NONE); /* from the worker to the desk of his town */
    grid_unref(g);
}

static void test_dispute_is_private_and_ends_by_agreement(void **state) {
    struct test_city *c = *state;
    struct reported out;
    const char *code = city_report(c, "dispute-02", false, nine, &out);
    assert_int_equal(case_int(c->engine, &out.row, CASE_private), 1);
    assert_false(case_has(c->engine, &out.row, CASE_cell));
    struct principal verifier = city_who(c, "verifier", "v", NULL, NULL);
    assert_false(case_may(c->engine, &out.row, &verifier));
    struct principal med = city_who(c, "mediator", "m", NULL, NULL);
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    assert_true(case_may(c->engine, &out.row, &med));
    struct case_row row;
    city_must(c, code, "triage", op, "{\"reason\":\"适合调解\"}", 0, NULL);
    city_must(c, code, "accept", med, "{}", 0, NULL);
    city_must(c, code, "agree", med, "{\"note\":\"双方达成一致\"}", 0, &row);
    assert_string_equal(case_text(c->engine, &row, CASE_state), "agreed");
    city_must(c, code, "follow_up", med, "{\"note\":\"已履行\"}", 0, NULL);
    city_must(c, code, "close", op, "{}", 0, &row);
    assert_true(case_has(c->engine, &row, CASE_closed_at));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_finds_cell_and_post),
        cmocka_unit_test(test_whole_way),
        cmocka_unit_test(test_stages_are_kept),
        cmocka_unit_test(test_handler_never_verifies),
        cmocka_unit_test(test_strangers_and_neighbours_may_not),
        cmocka_unit_test(test_inputs_are_checked),
        cmocka_unit_test(test_bounce_limit),
        cmocka_unit_test(test_offered_moves_are_those_that_work),
        cmocka_unit_test(test_overdue_escalates),
        cmocka_unit_test(test_dispute_is_private_and_ends_by_agreement)};
    return cmocka_run_group_tests(tests, city_setup, city_teardown);
}
