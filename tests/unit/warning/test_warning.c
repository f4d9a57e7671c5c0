/* Warnings as cases: raised, gone on with, cleared, joined, and worked to their end by the rules of
 * the process. */
#include "days.h"

#include "domain/emergency/emergency.h"
#include "domain/measure/atoms.h"

static void test_a_signal_opens_a_case(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    struct warn_record r = record_day(d, BASE);
    assert_int_equal(r.n_raised, 1);
    assert_int_equal(codes_of(d, false, codes), 1);
    struct warn_kept k = kept_of(d, codes[0]);
    assert_int_equal(k.raised, BASE);
    assert_int_equal(k.color, WARN_YELLOW);
    assert_true(k.holds);
    assert_string_equal(k.cls, "event-0102");
    assert_string_equal(k.area, AREA_A);
    assert_non_null(strstr(k.title_en, "Spot"));
    assert_non_null(strstr(k.held, "\"repeat\":3"));
    struct case_row row = row_of_case(d, codes[0]);
    const struct engine *e = d->city->engine;
    assert_string_equal(case_text(e, &row, CASE_process), "warning");
    assert_string_equal(case_text(e, &row, CASE_cell), "990101001001001");
    assert_int_equal(case_int(e, &row, CASE_private), 1);
    assert_true(case_has(e, &row, CASE_due_at));
    assert_int_equal(case_int(e, &row, CASE_opened_at), ((int64_t)BASE + 1) * 86400000000);
    assert_true(holds(d, codes[0]));
}

static void test_an_area_instead_of_a_point(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "town", "event-0102", BASE, NAN, NAN);
    (void)record_day(d, BASE);
    assert_int_equal(codes_of(d, false, codes), 1);
    struct case_row row = row_of_case(d, codes[0]);
    assert_false(case_has(d->city->engine, &row, CASE_lon));
    assert_string_equal(case_text(d->city->engine, &row, CASE_town), AREA_A);
    assert_string_equal(kept_of(d, codes[0]).area, AREA_A);
}

/* Yesterday's warning is gone on with by what fires today; the colour goes up by a step of the
 * route and never down. */
static void test_it_goes_on_and_its_colour_rises(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    (void)record_day(d, BASE);
    (void)add_signal(d, "spot", "event-0102", BASE + 1, 119.0502, 30.05);
    struct warn_signal *s = add_signal(d, "grave", "event-0102", BASE + 1, 119.0501, 30.05);
    s->observed = 40;
    struct warn_record r = record_day(d, BASE + 1);
    assert_int_equal(r.n_raised, 0);
    assert_int_equal(r.n_went_on, 1);
    assert_int_equal(r.n_supervised, 1);
    assert_int_equal(codes_of(d, false, codes), 1);
    struct warn_kept k = kept_of(d, codes[0]);
    assert_int_equal(k.last, BASE + 1);
    assert_int_equal(k.color, WARN_RED);
    assert_true(k.observed == 40);
    assert_non_null(strstr(k.rules, "spot"));
    assert_non_null(strstr(k.rules, "grave"));
    struct case_row row = row_of_case(d, codes[0]);
    assert_string_equal(task_text(d->city->engine, &row, "color"), "red");
    int64_t version = row.version;
    (void)add_signal(d, "spot", "event-0102", BASE + 2, 119.0502, 30.05);
    (void)record_day(d, BASE + 2);
    assert_int_equal(kept_of(d, codes[0]).color, WARN_RED);
    row = row_of_case(d, codes[0]);
    assert_int_equal(row.version, version);
}

static void test_the_same_day_again_changes_nothing(void **state) {
    struct days *d = *state;
    struct warn_record r;
    struct err err = {0};
    for (int32_t day = BASE; day < BASE + 2; day++) {
        (void)add_signal(d, "spot", "event-0102", day, 119.05, 30.05);
        (void)add_signal(d, "town", "event-0101", day, NAN, NAN);
        ok(try_record(d, day, &r, &err), &err);
        assert_true(r.changed);
        int64_t seq = ledger_last_seq(d->city->folder.ledger);
        ok(try_record(d, day, &r, &err), &err);
        assert_false(r.changed);
        assert_int_equal(ledger_last_seq(d->city->folder.ledger), seq);
        d->n = 0;
    }
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    assert_int_equal(try_record(d, BASE, &r, &err), ERR_CONFLICT);
}

/* A day that was recorded before it was over is recorded again with what came since. */
static void test_a_day_that_was_not_over(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    (void)record_day(d, BASE);
    add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05)->observed = 20;
    (void)add_signal(d, "town", "event-0101", BASE, NAN, NAN);
    struct warn_record r = record_day(d, BASE);
    assert_int_equal(r.n_raised, 1);
    assert_int_equal(r.n_went_on, 1);
    assert_int_equal(codes_of(d, false, codes), 2);
    struct warn_kept k = kept_of(d, codes[0]);
    assert_true(k.observed == 20);
    const char *second = strstr(k.signals, "\"rule\":\"spot\"");
    assert_non_null(second);
    assert_null(strstr(second + 1, "\"rule\":\"spot\""));
}

static void test_it_clears_when_the_rules_are_silent(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    (void)add_signal(d, "level", "event-0201", BASE, NAN, NAN);
    (void)record_day(d, BASE);
    assert_int_equal(codes_of(d, false, codes), 2);
    assert_int_equal(record_day(d, BASE + 1).n_cleared, 1); /* the threshold fell to its level */
    assert_true(holds(d, codes[0]));
    assert_false(holds(d, codes[1]));
    assert_int_equal(record_day(d, BASE + 2).n_cleared, 0); /* merge_days is 2 */
    assert_int_equal(record_day(d, BASE + 3).n_cleared, 1);
    assert_false(holds(d, codes[0]));
    assert_false(kept_of(d, codes[0]).holds);
    assert_int_equal(record_day(d, BASE + 4).n_cleared, 0);
    (void)add_signal(d, "spot", "event-0102", BASE + 9, 119.05, 30.05);
    assert_int_equal(record_day(d, BASE + 9).n_raised, 1); /* too late to be the same */
}

/* What cleared and fires again within merge_days of its last day is the same warning. */
static void test_the_condition_is_back(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "level", "event-0201", BASE, NAN, NAN);
    (void)record_day(d, BASE);
    (void)record_day(d, BASE + 1);
    (void)add_signal(d, "level", "event-0201", BASE + 2, NAN, NAN);
    assert_int_equal(record_day(d, BASE + 2).n_went_on, 1);
    assert_int_equal(codes_of(d, false, codes), 1);
    assert_true(holds(d, codes[0]));
}

/* Two spots of one class; then something between them: they were one. */
static void test_two_that_were_one(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    (void)add_signal(d, "spot", "event-0102", BASE, 119.055, 30.05); /* 480 m */
    assert_int_equal(record_day(d, BASE).n_raised, 2);
    add_signal(d, "spot", "event-0102", BASE + 1, 119.0525, 30.05)->radius_m = 300;
    struct warn_record r = record_day(d, BASE + 1);
    assert_int_equal(r.n_joined, 1);
    assert_int_equal(r.n_raised, 0);
    assert_int_equal(codes_of(d, false, codes), 2);
    assert_string_equal(state_of_case(d, codes[0]), "raised");
    assert_string_equal(state_of_case(d, codes[1]), "joined");
    struct case_row row = row_of_case(d, codes[1]), home = row_of_case(d, codes[0]);
    assert_int_equal(case_int(d->city->engine, &row, CASE_duplicate_of), home.id);
    assert_int_equal(kept_of(d, codes[1]).joined, home.id);
    (void)add_signal(d, "spot", "event-0102", BASE + 2, 119.055, 30.05);
    assert_int_equal(record_day(d, BASE + 2).n_raised, 0); /* it lies in the joined one */
}

/* Called false: the same signals go on without raising it again, and without noise. */
static void test_false_stays_false(void **state) {
    struct days *d = *state;
    const char *codes[8];
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    (void)record_day(d, BASE);
    assert_int_equal(codes_of(d, false, codes), 1);
    assert_int_equal(try_move(d, codes[0], "call_false", "analyst", "an", NULL, "{}"), ERR_INVALID);
    must_move(d, codes[0], "call_false", "analyst", "an", NULL, "{\"reason\":\"a test\"}");
    for (int32_t day = BASE + 1; day < BASE + 4; day++) {
        (void)add_signal(d, "spot", "event-0102", day, 119.05, 30.05);
        assert_int_equal(record_day(d, day).n_raised, 0);
    }
    assert_int_equal(codes_of(d, false, codes), 1);
    assert_string_equal(state_of_case(d, codes[0]), "false");
}

static const char *worked_until(struct days *d, bool evidence) {
    const char *codes[8];
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    (void)record_day(d, BASE);
    assert_int_equal(codes_of(d, false, codes), 1);
    must_move(d, codes[0], "acknowledge", "analyst", "an", NULL, "{}");
    assert_int_equal(try_move(d, codes[0], "study", "analyst", "an", NULL, "{}"), ERR_INVALID);
    must_move(d, codes[0], "study", "analyst", "an", NULL, "{\"finding\":\"road works\"}");
    must_move(d, codes[0], "measure", "analyst", "an", NULL,
              "{\"unit\":\"U1\",\"measures\":\"close the lane\"}");
    if (!evidence) return codes[0];
    must_move(d, codes[0], "evidence", "department", "dep", "U1", "{\"note\":\"lane closed\"}");
    return codes[0];
}

static void test_it_does_not_close_while_it_holds(void **state) {
    struct days *d = *state;
    const char *code = worked_until(d, true);
    must_move(d, code, "verify", "verifier", "ver", NULL, "{}");
    assert_int_equal(try_move(d, code, "close", "supervisor", "sup", NULL, "{}"), ERR_FORBIDDEN);
    for (int32_t day = BASE + 1; day < BASE + 4; day++) (void)record_day(d, day);
    assert_false(holds(d, code));
    assert_int_equal(try_move(d, code, "close", "analyst", "an", NULL, "{}"), ERR_FORBIDDEN);
    must_move(d, code, "close", "supervisor", "sup", NULL, "{}");
    assert_string_equal(state_of_case(d, code), "closed");
    struct case_row row = row_of_case(d, code);
    assert_string_equal(task_text(d->city->engine, &row, "finding"), "road works");
    assert_string_equal(task_text(d->city->engine, &row, "measures"), "close the lane");
}

/* Evidence is told by the unit, judged by somebody else, and gone when it was not good enough. */
static void test_evidence_is_judged_by_somebody_else(void **state) {
    struct days *d = *state;
    const char *code = worked_until(d, false);
    assert_int_equal(try_move(d, code, "evidence", "department", "dep", "U2", "{\"note\":\"x\"}"),
                     ERR_FORBIDDEN); /* another unit */
    assert_int_equal(try_move(d, code, "evidence", "department", "dep", "U1", "{}"), ERR_INVALID);
    must_move(d, code, "evidence", "supervisor", "sup", NULL, "{\"note\":\"I saw it\"}");
    assert_int_equal(try_move(d, code, "verify", "supervisor", "sup", NULL, "{}"), ERR_FORBIDDEN);
    must_move(d, code, "rework", "verifier", "ver", NULL, "{\"reason\":\"nothing is done\"}");
    assert_string_equal(state_of_case(d, code), "measured");
    struct case_row row = row_of_case(d, code);
    assert_false(case_has(d->city->engine, &row, CASE_result_note));
    must_move(d, code, "evidence", "department", "dep", "U1", "{\"note\":\"now it is\"}");
    must_move(d, code, "verify", "supervisor", "sup", NULL, "{}");
    for (int32_t day = BASE + 1; day < BASE + 4; day++) (void)record_day(d, day);
    must_move(d, code, "close", "supervisor", "sup", NULL, "{}");
    must_move(d, code, "reopen", "supervisor", "sup", NULL, "{\"reason\":\"it is back\"}");
    row = row_of_case(d, code);
    assert_false(case_has(d->city->engine, &row, CASE_result_note)); /* evidence anew */
}

/* From the unit to another one, and back with a reason; each hop is in the route with its time. */
static void test_hand_over(void **state) {
    struct days *d = *state;
    const char *code = worked_until(d, false);
    must_move(d, code, "tell_measures", "department", "dep", "U1", "{\"measures\":\"two lanes\"}");
    must_move(d, code, "return", "department", "dep", "U1", "{\"reason\":\"not our road\"}");
    struct case_row row = row_of_case(d, code);
    assert_false(case_has(d->city->engine, &row, CASE_unit));
    must_move(d, code, "measure", "supervisor", "sup", NULL,
              "{\"unit\":\"U1\",\"measures\":\"it is yours\"}");
    row = row_of_case(d, code);
    assert_string_equal(case_text(d->city->engine, &row, CASE_unit), "U1");
    assert_int_equal(case_int(d->city->engine, &row, CASE_returns), 1);
}

/* Neither an indicator of the case flow nor the next day's rules see it; one that asks for tasks
 * sees nothing else. */
static void test_it_is_counted_by_nobody(void **state) {
    struct days *d = *state;
    const struct engine *e = d->city->engine;
    const struct indicator_def *reported = pack_indicator(e->packs, "reported");
    const struct atoms *atoms = NULL;
    const char *codes[8];
    struct err err = {0};
    assert_non_null(reported);
    struct indicator_def tasks = *reported;
    tasks.tasks = true;
    (void)add_signal(d, "spot", "event-0102", BASE, 119.05, 30.05);
    (void)record_day(d, BASE);
    assert_int_equal(codes_of(d, false, codes), 1);
    ok(atoms_new(d->a, e->packs, e->tz, &atoms, &err), &err);
    struct case_row task = row_of_case(d, codes[0]);
    struct case_row other = row_of_case(d, city_report(d->city, "event-0102", false, 0, NULL));
    const struct measured_row rows[] = {{e->case_type, task.cells}, {e->case_type, other.cells}};
    int32_t day = 0;
    assert_false(row_counts(atoms, &rows[0], reported, &day));
    assert_true(row_counts(atoms, &rows[1], reported, &day));
    assert_true(row_counts(atoms, &rows[0], &tasks, &day));
    assert_false(row_counts(atoms, &rows[1], &tasks, &day));
    struct reader *r = NULL;
    ok(ledger_read_begin(d->city->folder.ledger, &r, &err), &err);
    ok(warn_rows_load_days(&d->rows, reader_db(r), 1, INT32_MIN, INT32_MAX, &err), &err);
    ledger_read_end(r);
    assert_int_equal(d->rows.n, 1);
    assert_string_equal(d->rows.row[0].code, case_text(e, &other, CASE_code));
}

struct declaring {
    struct days *d;
    int64_t id;
};

static enum err_code declare(struct tx *tx, void *arg, struct err *err) {
    static const char *const roads[] = {"event-04"}; /* with classes that are urgent */
    struct declaring *x = arg;
    struct principal who = city_who(x->d->city, "leader", "lead", NULL, NULL);
    const struct emergency_in in = {"rain", "990100000000", "water", roads, 1};
    return emergency_declare(x->d->city->engine, tx, &in, &who, &x->id, err);
}

static enum err_code end(struct tx *tx, void *arg, struct err *err) {
    struct declaring *x = arg;
    struct principal who = city_who(x->d->city, "leader", "lead", NULL, NULL);
    return emergency_end(x->d->city->engine, tx, x->id, &who, err);
}

static struct warn_emergency only_emergency(struct days *d) {
    const struct warn_emergency *e = NULL;
    struct reader *r = NULL;
    struct err err = {0};
    size_t n = 0;
    ok(ledger_read_begin(d->city->folder.ledger, &r, &err), &err);
    ok(warn_emergencies(reader_db(r), d->city->folder.packs, d->a, &e, &n, &err), &err);
    ledger_read_end(r);
    assert_int_equal(n, 1);
    return e[0];
}

/* From its declaration on, for as long as nobody ends it, and for urgent classes too, whose clocks
 * never stand: what is told of them counts as the rest. */
static void test_an_emergency_lasts(void **state) {
    struct days *d = *state;
    const struct tz *tz = d->city->folder.tz;
    struct declaring x = {d, 0};
    city_run(d->city, declare, &x);
    struct warn_emergency e = only_emergency(d);
    int32_t today = warn_local_day(tz, e.from_us);
    assert_true(e.to_us == INT64_MAX);
    assert_string_equal(e.area, "990100000000");
    assert_true(e.classes[class_at(d, "event-0401")]);
    assert_true(d->city->folder.packs->classes[class_at(d, "event-0401")].urgent);
    assert_false(e.classes[class_at(d, "event-0102")]);
    assert_false(warn_emergency_lasts(&e, 1, tz, today - 1));
    assert_true(warn_emergency_lasts(&e, 1, tz, today));
    assert_true(warn_emergency_lasts(&e, 1, tz, today + 400));
    city_run(d->city, end, &x);
    e = only_emergency(d);
    assert_true(e.to_us >= e.from_us && e.to_us < INT64_MAX);
    assert_false(warn_emergency_lasts(&e, 1, tz, today + 1));
}

/* Reports older than any rule looks back are not held, and yet their channel is not new. */
static void test_old_rows_are_not_held(void **state) {
    struct days *d = *state;
    struct warn_view v;
    struct reader *r = NULL;
    struct err err = {0};
    const int64_t day = 86400000000;
    int64_t noon = tz_to_utc(d->city->folder.tz, (int64_t)BASE * day + day / 2);
    (void)city_report(d->city, "event-0102", false, noon - 300 * day, NULL);
    (void)city_report(d->city, "event-0102", true, noon, NULL);
    assert_true(warn_longest(d->set) < 300);
    ok(ledger_read_begin(d->city->folder.ledger, &r, &err), &err);
    ok(warn_rows_load_for(&d->rows, reader_db(r), 1, d->set, BASE, BASE, &err), &err);
    ledger_read_end(r);
    assert_int_equal(d->rows.n, 1);
    assert_int_equal(d->rows.begin, BASE - 300);
    assert_int_equal(d->rows.n_past, 1);
    assert_int_equal(d->rows.past[0].day, BASE - 300);
    ok(warn_view_new(d->a, &d->rows, d->set, BASE, warn_longest(d->set), &v, &err), &err);
    assert_int_equal(v.why[0], WARN_KEPT);
    d->rows.n_past = 0; /* without it the channel would be one */
    ok(warn_view_new(d->a, &d->rows, d->set, BASE, warn_longest(d->set), &v, &err), &err);
    assert_int_equal(v.why[0], WARN_NEW_CHANNEL);
}

static void test_the_night(void **state) {
    struct days *d = *state;
    const struct tz *tz = d->city->folder.tz;
    int32_t from = 0, to = 0;
    int64_t noon = tz_to_utc(tz, (int64_t)BASE * 86400000000 + 43200000000);
    int64_t night = tz_to_utc(tz, ((int64_t)BASE + 1) * 86400000000 + (int64_t)75 * 60000000);
    assert_int_equal(warn_local_day(tz, noon), BASE);
    assert_int_equal(d->set->nightly_minute, 75);
    assert_int_equal(warn_next_night(tz, d->set, noon), night);
    assert_int_equal(warn_next_night(tz, d->set, night - 1), night);
    assert_true(warn_next_night(tz, d->set, night) > night + 86000000000);
    assert_true(warn_days_due(tz, night, false, 0, &from, &to)); /* the first night: yesterday */
    assert_int_equal(from, BASE);
    assert_int_equal(to, BASE);
    assert_true(warn_days_due(tz, night, true, BASE - 4, &from, &to)); /* nights that were missed */
    assert_int_equal(from, BASE - 3);
    assert_int_equal(to, BASE);
    assert_false(warn_days_due(tz, night, true, BASE, &from, &to));
    assert_false(warn_days_due(tz, night, true, BASE + 1, &from, &to)); /* today, when asked for */
}

#define DAYS_TEST(f) cmocka_unit_test_setup_teardown(f, days_setup, days_teardown)
int main(void) {
    const struct CMUnitTest tests[] = {DAYS_TEST(test_a_signal_opens_a_case),
                                       DAYS_TEST(test_an_area_instead_of_a_point),
                                       DAYS_TEST(test_it_goes_on_and_its_colour_rises),
                                       DAYS_TEST(test_the_same_day_again_changes_nothing),
                                       DAYS_TEST(test_a_day_that_was_not_over),
                                       DAYS_TEST(test_it_clears_when_the_rules_are_silent),
                                       DAYS_TEST(test_the_condition_is_back),
                                       DAYS_TEST(test_two_that_were_one),
                                       DAYS_TEST(test_false_stays_false),
                                       DAYS_TEST(test_it_does_not_close_while_it_holds),
                                       DAYS_TEST(test_evidence_is_judged_by_somebody_else),
                                       DAYS_TEST(test_hand_over),
                                       DAYS_TEST(test_it_is_counted_by_nobody),
                                       DAYS_TEST(test_an_emergency_lasts),
                                       DAYS_TEST(test_old_rows_are_not_held),
                                       DAYS_TEST(test_the_night)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
