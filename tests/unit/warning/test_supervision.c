/* Supervision: opened by red warnings, a level higher when red comes back or nobody answers. */
#include "days.h"
#include "domain/identity/account.h"

static struct case_row first_supervision(struct days *d, size_t at, size_t of) {
    const char *codes[8];
    assert_int_equal(codes_of(d, true, codes), of);
    return row_of_case(d, codes[at]);
}

static const char *level_of(struct days *d, const struct case_row *row) {
    return task_text(d->city->engine, row, "supervision_level");
}

static void test_red_is_supervised(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "grave", "event-0102", BASE, 119.15, 30.05);
    assert_int_equal(record_day(d, BASE).n_supervised, 1);
    assert_int_equal(codes_of(d, false, codes), 1);
    struct case_row row = first_supervision(d, 0, 1), about = row_of_case(d, codes[0]);
    int col = type_field(d->city->engine->case_type, "about");
    assert_int_equal(row.cells[col].i, about.id);
    assert_string_equal(level_of(d, &row), "notice");
    assert_string_equal(case_text(d->city->engine, &row, CASE_state), "notice");
    assert_string_equal(case_text(d->city->engine, &row, CASE_county), "990102000000");
    (void)add_signal(d, "grave", "event-0102", BASE + 1, 119.15, 30.05);
    assert_int_equal(record_day(d, BASE + 1).n_supervised, 0); /* its clock does the rest */
}

/* The same place and class red again within repeat_red_days: a letter, then the check; elsewhere,
 * of another class or much later it begins anew. */
static void test_red_again_goes_up(void **state) {
    static const struct {
        int32_t day;
        double lon;
        const char *cls, *level;
    } rows[] = {{0, 119.05, "event-0102", "notice"},  {20, 119.0501, "event-0102", "letter"},
                {40, 119.05, "event-0102", "check"},  {50, 119.05, "event-0102", "check"},
                {60, 119.15, "event-0102", "notice"}, {61, 119.05, "event-0201", "notice"},
                {140, 119.05, "event-0102", "notice"}};
    struct days *d = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)add_signal(d, "grave", rows[i].cls, BASE + rows[i].day, rows[i].lon, 30.05);
        assert_int_equal(record_day(d, BASE + rows[i].day).n_supervised, 1);
        struct case_row row = first_supervision(d, i, i + 1);
        assert_string_equal(level_of(d, &row), rows[i].level);
        assert_string_equal(case_text(d->city->engine, &row, CASE_state), rows[i].level);
    }
}

struct by_hand {
    struct days *d;
    struct supervise in;
    struct case_row row;
};

static enum err_code supervise_apply(struct tx *tx, void *arg, struct err *err) {
    struct by_hand *b = arg;
    return warn_supervise(tx, &b->in, &b->row, err);
}

static enum err_code by_hand_about(struct days *d, struct by_hand *b, const char *code,
                                   const char *role, const char *name, int level, const char *unit,
                                   struct err *err) {
    static struct principal who;
    static struct case_row about;
    who = city_who(d->city, role, name, NULL, NULL);
    about = row_of_case(d, code);
    *b = (struct by_hand){.d = d,
                          .in = {.engine = d->city->engine,
                                 .about = &about,
                                 .unit = unit,
                                 .text = "Tell us when.",
                                 .level = level,
                                 .due_days = 2,
                                 .who = &who}};
    struct command c = {.name = "t", .actor = name, .apply = supervise_apply, .arg = b};
    return ledger_run(d->city->folder.ledger, &c, NULL, NULL, err);
}

static enum err_code by_hand_of(struct days *d, struct by_hand *b, const char *role,
                                const char *name, int level, const char *unit, struct err *err) {
    const char *code = city_report(d->city, "event-0102", false, 0, NULL);
    return by_hand_about(d, b, code, role, name, level, unit, err);
}

static enum err_code by_hand(struct days *d, struct by_hand *b, const char *role, int level,
                             const char *unit, struct err *err) {
    return by_hand_of(d, b, role, "person", level, unit, err);
}

static enum err_code late(struct tx *tx, const struct case_row *r, const char *move, void *ctx,
                          struct err *err) {
    return warn_tell_late(tx, ((const struct days *)ctx)->city->engine, r, move, err);
}

static enum err_code tick(struct tx *tx, void *arg, struct err *err) {
    struct days *d = arg;
    const struct clock_watch watch = {late, d};
    int64_t n = 0;
    return clock_tick(d->city->engine, tx, 100, &watch, &n, err);
}

/* Staff of the city, of a unit where there is one. */
static enum err_code add_staff(struct tx *tx, void *arg, struct err *err) {
    static const struct account_in staff[] = {{.name = "sup", .role = "supervisor"},
                                              {.name = "lead", .role = "leader"},
                                              {.name = "ana", .role = "analyst"},
                                              {.name = "dep1", .role = "department", .unit = "U1"},
                                              {.name = "dep2", .role = "department", .unit = "U2"}};
    const struct days *d = arg;
    for (size_t i = 0; i < sizeof staff / sizeof staff[0]; i++) {
        struct account out;
        TRY(account_add(tx, d->city->folder.packs, NULL, &staff[i], &out, err));
    }
    return ERR_OK;
}

/* Who was told of a case by a kind of notice: "name name ", in the order of accounts. */
static const char *told_of(struct days *d, const char *code, const char *kind) {
    struct reader *r = NULL;
    struct cursor *c = NULL;
    struct err err = {0};
    const struct cell p[2] = {cell_text(code), cell_text(kind)};
    char *out = ARENA_NEW(d->a, char, 400);
    bool has = true;
    ok(ledger_read_begin(d->city->folder.ledger, &r, &err), &err);
    ok(db_query(reader_db(r),
                "SELECT a.name FROM inbox i JOIN account a ON a.id = i.account WHERE "
                "i.case_code = ?1 AND i.kind = ?2 ORDER BY i.account, i.id",
                p, 2, &c, &err),
       &err);
    for (size_t n = 0;;) {
        ok(cursor_next(c, &has, &err), &err);
        if (!has) break;
        n += (size_t)snprintf(out + n, 400 - n, "%s ", cursor_text(c, 0));
    }
    cursor_close(c);
    ledger_read_end(r);
    return out;
}

/* The days of these tests lie years back, so every limit is long over. */
static void test_overdue_goes_up_by_itself(void **state) {
    struct days *d = *state;
    (void)add_signal(d, "grave", "event-0102", BASE, 119.05, 30.05);
    (void)record_day(d, BASE);
    city_run(d->city, tick, d);
    struct case_row row = first_supervision(d, 0, 1);
    assert_string_equal(level_of(d, &row), "letter");
    assert_string_equal(case_text(d->city->engine, &row, CASE_state), "letter");
    assert_false(case_int(d->city->engine, &row, CASE_overdue)); /* a limit of its own */
    const char *codes[8];
    assert_int_equal(codes_of(d, false, codes), 1);
    row = row_of_case(d, codes[0]);
    assert_int_equal(case_int(d->city->engine, &row, CASE_escalated), 1);
}

static enum err_code run_out(struct tx *tx, void *arg, struct err *err) {
    struct days *d = arg;
    const struct engine *e = d->city->engine;
    const char *codes[8];
    assert_int_equal(codes_of(d, true, codes), 1);
    struct case_row row = row_of_case(d, codes[0]);
    case_set(e, &row, CASE_due_at, cell_int(1));
    return tx_update(tx, &e->case_type->table, row.id, row.version, row.cells, err);
}

/* The unit, who opened it and the next ones above are told each time the clock sends it up. */
static void test_what_goes_up_by_its_clock_is_told(void **state) {
    struct days *d = *state;
    struct by_hand b;
    struct err err = {0};
    const char *codes[8];
    city_run(d->city, add_staff, d);
    ok(by_hand_of(d, &b, "analyst", "ana", 1, "U1", &err), &err);
    assert_int_equal(codes_of(d, true, codes), 1);
    static const struct {
        const char *kind, *told;
    } ups[] = {{"letter", "sup ana dep1 "},
               {"check", "sup lead ana dep1 "},
               {"escalate", "sup lead ana dep1 "}};
    for (size_t i = 0; i < sizeof ups / sizeof ups[0]; i++) {
        city_run(d->city, run_out, d);
        city_run(d->city, tick, d);
        struct case_row row = row_of_case(d, codes[0]);
        assert_string_equal(case_text(d->city->engine, &row, CASE_state),
                            i == 0 ? "letter" : "check");
        assert_string_equal(told_of(d, codes[0], ups[i].kind), ups[i].told);
        city_run(d->city, tick, d); /* once each */
        assert_string_equal(told_of(d, codes[0], ups[i].kind), ups[i].told);
    }
}

static enum err_code add_more_staff(struct tx *tx, void *arg, struct err *err) {
    static const struct account_in staff[] = {
        {.name = "sup2", .role = "supervisor"},
        {.name = "near", .role = "analyst", .area = AREA_A},
        {.name = "far", .role = "analyst", .area = "990102000000"},
        {.name = "gone", .role = "analyst"}};
    static const struct account_change off = {.state = "disabled"};
    const struct days *d = arg;
    struct account out;
    for (size_t i = 0; i < sizeof staff / sizeof staff[0]; i++)
        TRY(account_add(tx, d->city->folder.packs, NULL, &staff[i], &out, err));
    return account_change(tx, d->city->folder.packs, NULL, "gone", -1, &off, &out, err);
}

/* Who acts, and no neighbour, nobody who left, and not the one who did it. */
static void test_who_is_told(void **state) {
    struct days *d = *state;
    struct by_hand b;
    struct err err = {0};
    const char *codes[8];
    city_run(d->city, add_staff, d);
    city_run(d->city, add_more_staff, d);
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    (void)record_day(d, BASE);
    assert_int_equal(codes_of(d, false, codes), 1);
    assert_string_equal(told_of(d, codes[0], "report"), "ana near ");
    ok(by_hand_of(d, &b, "supervisor", "sup", 1, "", &err), &err);
    assert_int_equal(codes_of(d, true, codes), 1);
    assert_string_equal(told_of(d, codes[0], "supervision"), "sup2 ");
}

static void test_an_answer_is_judged_by_somebody_else(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "grave", "event-0102", BASE, 119.05, 30.05);
    (void)record_day(d, BASE);
    assert_int_equal(codes_of(d, true, codes), 1);
    const char *code = codes[0];
    must_move(d, code, "assign", "supervisor", "sup", NULL, "{\"unit\":\"U1\"}");
    must_move(d, code, "answer", "department", "dep", "U1", "{\"note\":\"we went there\"}");
    must_move(d, code, "rework", "supervisor", "sup", NULL, "{\"reason\":\"and then?\"}");
    struct case_row row = row_of_case(d, code);
    assert_string_equal(level_of(d, &row), "letter");
    must_move(d, code, "check", "leader", "lead", NULL, "{}");
    must_move(d, code, "answer", "supervisor", "sup", NULL, "{\"note\":\"done\"}");
    assert_int_equal(try_move(d, code, "close", "supervisor", "sup", NULL, "{}"), ERR_FORBIDDEN);
    assert_int_equal(try_move(d, code, "rework", "leader", "lead", NULL, "{\"reason\":\"x\"}"),
                     ERR_FORBIDDEN); /* it is at the highest level */
    must_move(d, code, "close", "leader", "lead", NULL, "{}");
    assert_string_equal(state_of_case(d, code), "closed");
}

/* Supervised while it was yellow, or yellow once and long over: red adds nothing to the one and
 * begins with a notice after the other. */
static void test_what_was_not_red_before(void **state) {
    struct days *d = *state;
    struct by_hand b;
    struct err err = {0};
    const char *codes[8];
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    assert_int_equal(record_day(d, BASE).n_supervised, 0);
    assert_int_equal(codes_of(d, false, codes), 1);
    ok(by_hand_about(d, &b, codes[0], "supervisor", "person", 1, "", &err), &err);
    (void)add_signal(d, "grave", "event-0102", BASE + 1, 119.05, 30.05);
    assert_int_equal(record_day(d, BASE + 1).n_supervised, 0);
    (void)add_signal(d, "spot", "event-0102", BASE + 2, 119.15, 30.05);
    (void)record_day(d, BASE + 2);
    (void)add_signal(d, "grave", "event-0102", BASE + 20, 119.15, 30.05);
    assert_int_equal(record_day(d, BASE + 20).n_supervised, 1);
    struct case_row row = first_supervision(d, 1, 2);
    assert_string_equal(level_of(d, &row), "notice");
}

static void test_any_case_by_hand(void **state) {
    struct days *d = *state;
    struct by_hand b;
    struct err err = {0};
    assert_int_equal(by_hand(d, &b, "analyst", 2, "U1", &err), ERR_FORBIDDEN); /* a letter */
    assert_int_equal(by_hand(d, &b, "operator", 1, "U1", &err), ERR_FORBIDDEN);
    assert_int_equal(by_hand(d, &b, "supervisor", 1, "nowhere", &err), ERR_INVALID);
    assert_string_equal(err.field, "/unit");
    assert_int_equal(by_hand(d, &b, "supervisor", 4, "", &err), ERR_INVALID);
    ok(by_hand(d, &b, "leader", 3, "U1", &err), &err);
    struct case_row row = first_supervision(d, 0, 1);
    assert_string_equal(case_text(d->city->engine, &row, CASE_state), "check");
    assert_string_equal(case_text(d->city->engine, &row, CASE_unit), "U1");
    ok(by_hand(d, &b, "analyst", 1, "", &err), &err);
    row = first_supervision(d, 1, 2);
    /* Its own level is raised instead. */
    const char *code = case_text(d->city->engine, &row, CASE_code);
    assert_int_equal(by_hand_about(d, &b, code, "supervisor", "person", 1, "", &err), ERR_INVALID);
    assert_string_equal(err.field, "/about");
    int64_t opened = case_int(d->city->engine, &row, CASE_opened_at);
    bool unconfirmed = false;
    assert_int_equal(
        case_int(d->city->engine, &row, CASE_due_at),
        work_deadline(d->city->engine->calendar, opened, 2000, WORK_DAY, &unconfirmed));
}

#define DAYS_TEST(f) cmocka_unit_test_setup_teardown(f, days_setup, days_teardown)
int main(void) {
    const struct CMUnitTest tests[] = {DAYS_TEST(test_red_is_supervised),
                                       DAYS_TEST(test_red_again_goes_up),
                                       DAYS_TEST(test_overdue_goes_up_by_itself),
                                       DAYS_TEST(test_what_goes_up_by_its_clock_is_told),
                                       DAYS_TEST(test_an_answer_is_judged_by_somebody_else),
                                       DAYS_TEST(test_who_is_told),
                                       DAYS_TEST(test_what_was_not_red_before),
                                       DAYS_TEST(test_any_case_by_hand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
