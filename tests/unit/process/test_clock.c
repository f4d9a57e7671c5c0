/* Clocks that stand and are moved: 挂账, 延期, an emergency's hold; what was left is what runs on.
 */
#include "city.h"

#include <string.h>

#include "base/rng.h"
#include "domain/process/clock.h"
#include "domain/process/limit.h"

/* Wednesday 2026-03-04, 09:00 in Shanghai. */
static const int64_t nine = 1772586000000000;
static const int64_t minute = 60000000, hour = 3600000000, day = 86400000000;

static const struct time_limit *limit_now(const struct engine *e, const struct case_row *r) {
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    return limit_of(pack_class(e->packs, case_text(e, r, CASE_class)),
                    process_state(p, case_text(e, r, CASE_state)));
}

/* Working minutes, one by one. */
static int64_t open_minutes(const struct engine *e, int64_t from, int64_t to) {
    int64_t n = 0;
    for (int64_t t = from; t < to; t += minute) n += work_is_open(e->calendar, t) ? 1 : 0;
    return n;
}

struct ticking {
    struct test_city *c;
    int64_t n;
};
static enum err_code tick_apply(struct tx *tx, void *arg, struct err *err) {
    struct ticking *t = arg;
    return clock_tick(t->c->engine, tx, 500, NULL, &t->n, err);
}

static int64_t n_steps(struct test_city *c, int64_t case_id, const char *move, const char *actor,
                       int64_t *days) {
    struct reader *r = NULL;
    struct cursor *cur = NULL;
    struct cell p[3] = {cell_int(case_id), cell_text(move), cell_text(actor)};
    int64_t n = 0;
    assert_int_equal(ledger_read_begin(c->folder.ledger, &r, NULL), ERR_OK);
    assert_int_equal(db_query(reader_db(r),
                              "SELECT days FROM step WHERE ledger = 1 AND case_id = ?1 AND move = "
                              "?2 AND actor = ?3 AND reason IS NOT NULL",
                              p, 3, &cur, NULL),
                     ERR_OK);
    for (bool has = true; has;) {
        assert_int_equal(cursor_next(cur, &has, NULL), ERR_OK);
        if (!has) break;
        n++;
        if (days != NULL) *days = cursor_int(cur, 0);
    }
    cursor_close(cur);
    ledger_read_end(r);
    return n;
}

static int64_t next_of(struct test_city *c) {
    struct reader *r = NULL;
    int64_t at = 0;
    assert_int_equal(ledger_read_begin(c->folder.ledger, &r, NULL), ERR_OK);
    assert_int_equal(clock_next(c->engine, reader_db(r), &at, NULL), ERR_OK);
    ledger_read_end(r);
    return at;
}

static void a_suspension_is_asked_approved_and_gives_back_what_was_left(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = city_dispatched(c, nine);
    struct case_row before = city_row(c, code), r;
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    int64_t asked = nine + 3 * hour / 2 + 20 * minute, granted = asked + 17 * minute;
    assert_int_equal(city_try(c, code, "ask_suspend", &dep, "{\"until\":\"2026-03-12\"}", asked).rc,
                     ERR_INVALID); /* no reason */
    assert_int_equal(
        city_try(c, code, "ask_suspend", &dep, "{\"reason\":\"x\",\"until\":\"2026-03-04\"}", asked)
            .rc,
        ERR_INVALID); /* not after today */
    assert_int_equal(
        city_try(c, code, "ask_suspend", &dep, "{\"reason\":\"x\",\"until\":\"2028-03-04\"}", asked)
            .rc,
        ERR_INVALID); /* too far */
    city_must(c, code, "ask_suspend", dep, "{\"reason\":\"等配件\",\"until\":\"2026-03-12\"}",
              asked, &r);
    assert_int_equal(case_int(e, &r, CASE_due_at), case_int(e, &before, CASE_due_at));
    assert_int_equal(case_light(e, &r, asked), LIGHT_GREEN); /* asked is not granted */
    assert_int_equal(
        city_try(c, code, "ask_suspend", &dep, "{\"reason\":\"x\",\"until\":\"2026-03-13\"}", asked)
            .rc,
        ERR_CONFLICT);
    assert_int_equal(city_try(c, code, "suspend", &dep, "{}", granted).rc, ERR_FORBIDDEN);
    struct principal same = city_who(c, "operator", "dep", NULL, NULL);
    assert_int_equal(city_try(c, code, "suspend", &same, "{}", granted).rc, ERR_FORBIDDEN);
    city_must(c, code, "suspend", op, "{}", granted, &r);
    assert_int_equal(case_light(e, &r, granted), LIGHT_PAUSED);
    assert_int_equal(case_light(e, &r, granted + 900 * day), LIGHT_PAUSED);
    assert_false(case_has(e, &r, CASE_due_at));
    assert_false(case_has(e, &r, CASE_promised_at));
    assert_int_equal(case_int(e, &r, CASE_suspensions), 1);
    assert_int_equal(case_int(e, &r, CASE_suspended_at), granted);
    int64_t back = case_int(e, &r, CASE_paused_until);
    assert_int_equal(back, nine + 8 * day - 9 * hour); /* 2026-03-12, 00:00 in Shanghai */
    assert_int_equal(next_of(c), back);                /* the only case: no limit runs */
    assert_false(case_has(e, &r, CASE_asked));
    assert_int_equal(city_try(c, code, "suspend", &op, "{}", granted).rc, ERR_CONFLICT);
    int64_t left = open_minutes(e, granted, case_int(e, &before, CASE_due_at));
    /* However late the tick comes, the clock runs since the date. */
    struct ticking t = {c, 0};
    city_run(c, tick_apply, &t);
    r = city_row(c, code);
    assert_false(clock_stands(e, &r));
    assert_int_equal(open_minutes(e, back, case_int(e, &r, CASE_due_at)), left);
    assert_int_equal(case_int(e, &r, CASE_due_at), case_int(e, &r, CASE_promised_at));
    assert_true(left > 0 && left < limit_now(e, &r)->n_milli * 450 / 1000);
    assert_int_equal(n_steps(c, r.id, "ask_suspend", "dep", NULL), 1);
}

static void a_date_that_has_come_is_not_granted(void **state) {
    struct test_city *c = *state;
    const char *code = city_dispatched(c, nine);
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    struct case_row before = city_row(c, code), r;
    city_must(c, code, "ask_suspend", dep, "{\"reason\":\"x\",\"until\":\"2026-03-05\"}",
              nine + 2 * hour, NULL);
    assert_int_equal(city_try(c, code, "suspend", &op, "{}", nine + day).rc, ERR_CONFLICT);
    city_must(c, code, "refuse_request", op, "{\"reason\":\"too late\"}", nine + day, &r);
    assert_false(clock_stands(c->engine, &r));
    assert_int_equal(case_int(c->engine, &r, CASE_due_at),
                     case_int(c->engine, &before, CASE_due_at));
}

static void what_stood_is_no_time_used(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = city_dispatched(c, nine);
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal sup = city_who(c, "supervisor", "sup", NULL, NULL);
    struct case_row r = city_row(c, code);
    int64_t used = case_int(e, &r, CASE_clock_used_milli), at = nine + 2 * hour;
    struct time_limit l = *limit_now(e, &r);
    city_must(c, code, "ask_suspend", dep, "{\"reason\":\"雨\",\"until\":\"2026-04-01\"}", at,
              NULL);
    assert_int_equal(city_try(c, code, "resume", &dep, "{}", at).rc, ERR_CONFLICT);
    city_must(c, code, "suspend", sup, "{}", at, &r);
    assert_int_equal(clock_used(e, &r, &l, at + 4 * day),
                     hour / 2 / (work_unit_us(e->calendar, l.unit) / 1000));
    city_must(c, code, "resume", dep, "{}", at + 5 * day, &r);
    assert_int_equal(case_light(e, &r, at + 5 * day), LIGHT_GREEN);
    assert_int_equal(clock_used(e, &r, &l, at + 5 * day + hour / 2),
                     hour / (work_unit_us(e->calendar, l.unit) / 1000));
    city_must(c, code, "handle", dep, "{\"note\":\"done\"}", at + 5 * day + hour / 2, &r);
    assert_int_equal(case_int(e, &r, CASE_clock_used_milli) - used,
                     hour / (work_unit_us(e->calendar, l.unit) / 1000));
    assert_true(case_int(e, &r, CASE_handled_at) <= case_int(e, &r, CASE_promised_at));
    assert_int_equal(case_int(e, &r, CASE_clock_stood_us), 0);
}

static void a_case_that_moves_on_is_no_longer_suspended(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = city_dispatched(c, nine);
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal sup = city_who(c, "supervisor", "sup", NULL, NULL);
    struct case_row r;
    int64_t at = nine + 2 * hour;
    city_must(c, code, "ask_suspend", dep, "{\"reason\":\"雨\",\"until\":\"2026-04-01\"}", at,
              NULL);
    city_must(c, code, "suspend", sup, "{}", at, NULL);
    city_must(c, code, "handle", dep, "{\"note\":\"done\"}", at + hour, &r);
    assert_false(clock_stands(e, &r));
    assert_true(case_has(e, &r, CASE_due_at));
    assert_false(case_has(e, &r, CASE_paused_until));
}

static void more_time_twice_and_no_more(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = city_dispatched(c, nine);
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    struct case_row r = city_row(c, code);
    int64_t due = case_int(e, &r, CASE_due_at), at = nine + 2 * hour, days = 0;
    for (int i = 0; i < 2; i++) {
        city_must(c, code, "ask_extension", dep, "{\"reason\":\"管线复杂\",\"days\":3}", at, &r);
        assert_string_equal(case_text(e, &r, CASE_asked_by), "dep");
        city_must(c, code, "extend", op, "{}", at + minute, &r);
        due = work_deadline(e->calendar, due, 3000, WORK_DAY, NULL);
        assert_int_equal(case_int(e, &r, CASE_due_at), due);
        assert_int_equal(case_int(e, &r, CASE_promised_at), due);
        assert_true(case_int(e, &r, CASE_yellow_at) < due);
        assert_false(case_has(e, &r, CASE_asked));
    }
    assert_int_equal(case_int(e, &r, CASE_extensions), 2);
    assert_int_equal(
        city_try(c, code, "ask_extension", &dep, "{\"reason\":\"x\",\"days\":1}", at).rc,
        ERR_FORBIDDEN);
    assert_int_equal(n_steps(c, r.id, "ask_extension", "dep", &days), 2);
    assert_int_equal(days, 3);
    assert_int_equal(city_try(c, code, "extend", &op, "{}", at).rc, ERR_CONFLICT);
}

static void a_refusal_changes_nothing_and_late_is_late(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = city_dispatched(c, nine);
    struct principal dep = city_who(c, "department", "dep", "U1", NULL);
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    struct case_row before = city_row(c, code), r;
    int64_t due = case_int(e, &before, CASE_due_at), at = nine + 2 * hour;
    assert_int_equal(
        city_try(c, code, "ask_extension", &dep, "{\"reason\":\"x\",\"days\":31}", at).rc,
        ERR_INVALID);
    city_must(c, code, "ask_extension", dep, "{\"reason\":\"x\",\"days\":5}", at, NULL);
    city_must(c, code, "refuse_request", op, "{\"reason\":\"不复杂\"}", at + minute, &r);
    assert_int_equal(case_int(e, &r, CASE_due_at), due);
    assert_int_equal(case_int(e, &r, CASE_extensions), 0);
    assert_int_equal(
        city_try(c, code, "ask_extension", &dep, "{\"reason\":\"x\",\"days\":5}", due + minute).rc,
        ERR_CONFLICT);
    /* Asked in time, granted late: the deadline moves from where it stood. */
    city_must(c, code, "ask_extension", dep, "{\"reason\":\"x\",\"days\":5}", due - minute, NULL);
    city_must(c, code, "extend", op, "{}", due + hour, &r);
    assert_int_equal(case_int(e, &r, CASE_due_at),
                     work_deadline(e->calendar, due, 5000, WORK_DAY, NULL));
    /* Marked late meanwhile: more time takes the mark away where the new deadline is to come. */
    due = case_int(e, &r, CASE_due_at);
    case_set(e, &r, CASE_overdue, cell_int(1));
    clock_extend(e, &r, 1, due + 30 * day);
    assert_int_equal(case_int(e, &r, CASE_overdue), 1);
    clock_extend(e, &r, 5, due + day);
    assert_int_equal(case_int(e, &r, CASE_overdue), 0);
}

static enum err_code covers_all(const void *ctx, struct tx *tx, const struct engine *e,
                                const struct case_row *r, int64_t *emergency, struct err *err) {
    (void)ctx, (void)tx, (void)e, (void)r, (void)err;
    *emergency = 7;
    return ERR_OK;
}

static void an_emergency_holds_what_runs(void **state) {
    struct test_city *c = *state;
    struct engine e = *c->engine;
    e.holder.covering = covers_all;
    struct case_row r = city_row(c, city_dispatched(c, nine)), idle = r;
    case_set(&e, &idle, CASE_due_at, cell_null());
    assert_int_equal(clock_cover(&e, NULL, &idle, nine + hour, NULL), ERR_OK);
    assert_int_equal(clock_emergency(&e, &idle), 0);
    assert_false(clock_stands(&e, &idle));
    assert_int_equal(clock_cover(&e, NULL, &r, nine + hour, NULL), ERR_OK);
    assert_int_equal(clock_emergency(&e, &r), 7);
    assert_true(clock_stands(&e, &r));
}

/* ---- random histories against a count of minutes ---- */

struct history {
    const struct engine *e;
    struct case_row *r;
    int64_t left_min; /* the oracle's */
    int64_t at;
    bool suspended, held;
};

/* Let minutes pass: the oracle counts those that are worked while nothing holds the clock. */
static void pass(struct history *h, int64_t minutes, bool all_hours) {
    for (int64_t i = 0; i < minutes; i++, h->at += minute)
        if (!h->suspended && !h->held && (all_hours || work_is_open(h->e->calendar, h->at)))
            h->left_min--;
}

static void act(struct history *h, struct rng *g) {
    bool goes_on = false;
    switch (rng_below(g, 4)) {
    case 0:
        clock_suspend(h->e, h->r, h->at + day, h->at);
        h->suspended = true;
        break;
    case 1:
        clock_hold(h->e, h->r, 7, h->at);
        h->held = true;
        break;
    case 2:
        if (h->suspended) {
            clock_unsuspend(h->e, h->r, h->at, &goes_on);
            assert_int_equal(goes_on, !h->held);
        }
        h->suspended = false;
        break;
    default:
        if (h->held) {
            clock_let_go(h->e, h->r, h->at, &goes_on);
            assert_int_equal(goes_on, !h->suspended);
        }
        h->held = false;
        break;
    }
    assert_int_equal(clock_stands(h->e, h->r), h->suspended || h->held);
    assert_int_equal(clock_suspended(h->e, h->r), h->suspended);
    assert_int_equal(clock_emergency(h->e, h->r), h->held ? 7 : 0);
}

/* Of the whole limit, whatever stood between. */
static void reminds_at_a_fifth(const struct history *h, int64_t limit_min, bool all_hours) {
    int64_t yellow = case_int(h->e, h->r, CASE_yellow_at), until = h->left_min - limit_min / 5;
    if (until <= 0)
        assert_true(yellow <= h->at);
    else
        assert_int_equal(all_hours ? (yellow - h->at) / minute : open_minutes(h->e, h->at, yellow),
                         until);
}

static void every_history_keeps_what_was_left(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    static const char *const classes[] = {"event-0102", "event-0401"};
    struct reported out;
    int n_ran = 0, n_out = 0, n_all_hours = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct rng g = rng_new(seed, 31);
        /* Both units: office hours, and day and night for what is urgent. */
        if (seed % 200 == 0) (void)city_report(c, classes[seed / 200], false, nine, &out);
        const struct case_class *k = pack_class(e->packs, classes[seed / 200]);
        const struct state_def *s = process_state(pack_process(e->packs, k->process), "dispatched");
        struct case_row r = out.row;
        struct history h = {.e = e, .r = &r, .at = nine + (int64_t)rng_below(&g, 20000) * minute};
        case_set(e, &r, CASE_state, cell_text(s->name));
        case_set(e, &r, CASE_stage, cell_text(s->stage));
        limit_start(e, &r, k, s, h.at);
        const struct time_limit *l = limit_of(k, s);
        bool all_hours = l->unit == WORK_URGENT_HOUR;
        int64_t limit_min = l->n_milli * (work_unit_us(e->calendar, l->unit) / minute) / 1000;
        h.left_min = limit_min;
        for (int i = 0; i < 8 && h.left_min > 0; i++) {
            pass(&h, rng_below(&g, all_hours ? 60 : 600), all_hours);
            if (h.left_min > 0) act(&h, &g);
        }
        if (h.left_min <= 0) { /* ran out on the way */
            n_out++;
            assert_true(case_int(e, &r, CASE_due_at) <= h.at);
            continue;
        }
        bool goes_on = false;
        if (h.suspended || h.held) pass(&h, 3000, all_hours);
        if (h.suspended) clock_unsuspend(e, &r, h.at, &goes_on);
        if (h.held) clock_let_go(e, &r, h.at, &goes_on);
        h.suspended = h.held = false;
        assert_int_equal(clock_used(e, &r, l, h.at),
                         (limit_min - h.left_min) * minute /
                             (work_unit_us(e->calendar, l->unit) / 1000));
        reminds_at_a_fifth(&h, limit_min, all_hours);
        int64_t due = case_int(e, &r, CASE_due_at);
        while (h.at < due) pass(&h, 1, all_hours);
        assert_int_equal(h.left_min, 0);
        assert_int_equal(h.at, due);
        n_ran++;
        n_all_hours += all_hours ? 1 : 0;
    }
    print_message("%d histories ran on (%d day and night), %d ran out on the way\n", n_ran,
                  n_all_hours, n_out);
    assert_true(n_ran > 100 && n_all_hours > 20 && n_out > 20);
}

/* A deadline that has passed is not unmade by a pause. */
static void late_stays_late(void **state) {
    struct test_city *c = *state;
    const struct engine *e = c->engine;
    const char *code = city_dispatched(c, nine);
    struct case_row r = city_row(c, code);
    int64_t due = case_int(e, &r, CASE_due_at);
    bool goes_on = false;
    clock_hold(e, &r, 3, due + 2 * hour);
    assert_int_equal(case_light(e, &r, due + 3 * hour), LIGHT_PAUSED);
    assert_int_equal(case_int(e, &r, CASE_promised_at), due);
    clock_let_go(e, &r, due + 9 * day, &goes_on);
    assert_true(goes_on);
    assert_int_equal(case_int(e, &r, CASE_due_at), due);
    assert_int_equal(case_light(e, &r, due + 9 * day), LIGHT_RED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_suspension_is_asked_approved_and_gives_back_what_was_left),
        cmocka_unit_test(a_date_that_has_come_is_not_granted),
        cmocka_unit_test(what_stood_is_no_time_used),
        cmocka_unit_test(a_case_that_moves_on_is_no_longer_suspended),
        cmocka_unit_test(more_time_twice_and_no_more),
        cmocka_unit_test(a_refusal_changes_nothing_and_late_is_late),
        cmocka_unit_test(an_emergency_holds_what_runs),
        cmocka_unit_test(every_history_keeps_what_was_left),
        cmocka_unit_test(late_stays_late),
    };
    return cmocka_run_group_tests_name("clocks", tests, city_setup, city_teardown);
}
