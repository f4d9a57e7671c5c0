/* The live cube against a recompute over random histories; the counting rules of the evaluation;
 * outside figures. */
#include "domain/measure/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/rng.h"
#include "city.h"
#include "domain/measure/figure.h"
#include "domain/measure/value.h"

static const int64_t day_us = 86400000000;
enum { N_CASES = 60, N_CHANGES = 400 };

struct history {
    struct test_city *city;
    struct rng rng;
    int64_t id[N_CASES];
    size_t n, batch;
};

static void set(const struct engine *e, struct cell *cells, enum case_field f, struct cell v) {
    cells[e->case_col[f]] = v;
}

static struct cell maybe_time(struct rng *r, int64_t from) {
    if (rng_below(r, 3) == 0) return cell_null();
    return cell_int(from + (int64_t)rng_below(r, 40) * day_us / 4);
}

/* A row as a busy city might leave it: late data, corrections, a case moved to another place or
 * back to no place. */
static void draw_row(const struct engine *e, struct rng *r, size_t number, struct arena *a,
                     struct cell *cells) {
    static const enum case_field times[] = {
        CASE_filed_at,     CASE_dispatched_at, CASE_handled_at,      CASE_closed_at,
        CASE_accepted_at,  CASE_verified_at,   CASE_accept_due_at,   CASE_file_due_at,
        CASE_promised_at,  CASE_verify_due_at, CASE_dispatch_due_at, CASE_confirm_due_at,
        CASE_confirmed_at,
    };
    static const char *const towns[] = {"990101001000", "990101002000", ""};
    static const char *const counties[] = {"990101000000", "990102000000", ""};
    int64_t opened = civil_days(2026, 1, 1) * day_us + (int64_t)rng_below(r, 90) * day_us;
    set(e, cells, CASE_code, cell_text(arena_printf(a, "T-%zu", number)));
    set(e, cells, CASE_class, cell_text("event-0102"));
    set(e, cells, CASE_process, cell_text("street"));
    set(e, cells, CASE_state, cell_text(rng_below(r, 4) == 0 ? "refused" : "closed"));
    set(e, cells, CASE_stage, cell_text("close"));
    set(e, cells, CASE_opened_at, cell_int(opened));
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        set(e, cells, times[i], maybe_time(r, opened));
    set(e, cells, CASE_town, cell_text(towns[rng_below(r, 3)]));
    set(e, cells, CASE_county, cell_text(counties[rng_below(r, 3)]));
    set(e, cells, CASE_city, cell_text("990100000000"));
    set(e, cells, CASE_unit, cell_text(rng_below(r, 2) == 0 ? "U1" : "U2"));
    set(e, cells, CASE_reworks, cell_int(rng_below(r, 2)));
    set(e, cells, CASE_misdispatched, cell_int(rng_below(r, 2)));
    set(e, cells, CASE_clock_used_milli, cell_int(rng_below(r, 9000)));
    set(e, cells, CASE_score, rng_below(r, 2) == 0 ? cell_null() : cell_int(1 + rng_below(r, 5)));
}

static enum err_code change(struct tx *tx, void *arg, struct err *err) {
    struct history *h = arg;
    const struct engine *e = h->city->engine;
    for (size_t i = 0; i < h->batch; i++) {
        struct cell cells[CASE_MAX_COLS];
        memset(cells, 0, sizeof cells);
        bool is_new = h->n < N_CASES && rng_below(&h->rng, 3) == 0;
        size_t k = is_new || h->n == 0 ? h->n : rng_below(&h->rng, (uint32_t)h->n);
        draw_row(e, &h->rng, k, tx_arena(tx), cells);
        if (k == h->n) {
            h->id[k] = 0;
            TRY(tx_insert(tx, &e->case_type->table, cells, &h->id[h->n++], err));
        } else {
            TRY(tx_update(tx, &e->case_type->table, h->id[k], -1, cells, err));
        }
    }
    return ERR_OK;
}

static void must(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s", err_name(rc), err->detail);
}

static struct measure *open_measure(struct test_city *c) {
    struct measure *m = NULL;
    struct err err = {0};
    must(measure_open(c->folder.ledger, c->folder.packs, c->folder.tz, NULL, &m, &err), &err);
    return m;
}

/* live == recomputed from the tables == as of the last journal row */
static void check_equal(struct test_city *c, struct measure *m) {
    const struct cube *live = NULL;
    struct cube *again = NULL, *then = NULL;
    struct reader *r = NULL;
    struct err err = {0};
    int64_t seq = 0, last = ledger_last_seq(c->folder.ledger);
    ledger_catch_up(c->folder.ledger, last);
    must(ledger_read_begin(c->folder.ledger, &r, &err), &err);
    must(measure_recompute(reader_db(r), 1, measure_atoms(m), &again, &err), &err);
    must(measure_as_of(reader_db(r), 1, measure_atoms(m), last, &then, &err), &err);
    must(measure_borrow(m, &live, &seq, &err), &err);
    assert_true(cube_equal(live, again));
    assert_true(cube_equal(live, then));
    measure_release(m);
    ledger_read_end(r);
    cube_free(again);
    cube_free(then);
}

static struct measure *reopen(struct test_city *c, struct measure *m, bool without_snapshot) {
    struct ledger_options o = {.clock = clock_system(),
                               .tables = c->folder.packs->tables,
                               .n_tables = c->folder.packs->n_tables,
                               .ledger_id = 1,
                               .n_readers = 4};
    char path[200];
    struct err err = {0};
    (void)snprintf(path, sizeof path, "%s/cube.snapshot", c->folder.dir);
    ledger_close(c->folder.ledger);
    measure_close(m);
    assert_int_equal(access(path, R_OK), 0);
    if (without_snapshot) assert_int_equal(remove(path), 0);
    must(ledger_open(c->folder.dir, &o, &c->folder.ledger, &err), &err);
    return open_measure(c);
}

/* A follower that adds and takes away, a recompute and the journal agree at every step. */
static void test_live_equals_recompute(void **state) {
    struct test_city *c = *state;
    struct history h = {.city = c, .rng = rng_new(11, 0)};
    struct measure *m = open_measure(c);
    struct cube *middle = NULL, *then = NULL;
    struct reader *r = NULL;
    struct err err = {0};
    int64_t mid_seq = 0;
    for (size_t done = 0; done < N_CHANGES; done += h.batch) {
        h.batch = 1 + rng_below(&h.rng, 12);
        city_run(c, change, &h);
        if (rng_below(&h.rng, 6) == 0) check_equal(c, m);
        if (middle != NULL || done < N_CHANGES / 2) continue;
        mid_seq = ledger_last_seq(c->folder.ledger);
        must(ledger_read_begin(c->folder.ledger, &r, &err), &err);
        must(measure_recompute(reader_db(r), 1, measure_atoms(m), &middle, &err), &err);
        ledger_read_end(r);
    }
    check_equal(c, m);
    /* The past can be had again from the journal. */
    must(ledger_read_begin(c->folder.ledger, &r, &err), &err);
    must(measure_as_of(reader_db(r), 1, measure_atoms(m), mid_seq, &then, &err), &err);
    ledger_read_end(r);
    assert_true(cube_equal(middle, then));
    cube_free(middle);
    cube_free(then);
    /* From the snapshot, and without it from the tables: the same. */
    for (int round = 0; round < 2; round++) {
        m = reopen(c, m, round == 1);
        h.batch = 20;
        city_run(c, change, &h);
        check_equal(c, m);
    }
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    measure_close(m);
}

/* ---- the bulletin of a city: 应结案 972, 结案 911, 按期结案 737 */

static enum err_code bulletin(struct tx *tx, void *arg, struct err *err) {
    struct test_city *c = arg;
    const struct engine *e = c->engine;
    int64_t june = civil_days(2026, 6, 10) * day_us;
    for (int i = 0; i < 1054; i++) {
        struct cell cells[CASE_MAX_COLS];
        int64_t id = 0;
        memset(cells, 0, sizeof cells);
        set(e, cells, CASE_code, cell_text(arena_printf(tx_arena(tx), "B-%d", i)));
        set(e, cells, CASE_class, cell_text("event-0102"));
        set(e, cells, CASE_process, cell_text("street"));
        set(e, cells, CASE_state, cell_text("closed"));
        set(e, cells, CASE_stage, cell_text("close"));
        set(e, cells, CASE_opened_at, cell_int(june - day_us));
        set(e, cells, CASE_accepted_at, cell_int(june - day_us));
        set(e, cells, CASE_county, cell_text("990101000000"));
        set(e, cells, CASE_city, cell_text("990100000000"));
        if (i < 996) set(e, cells, CASE_filed_at, cell_int(june));
        if (i < 972) set(e, cells, CASE_promised_at, cell_int(june + 5 * day_us));
        if (i < 911) set(e, cells, CASE_closed_at, cell_int(june + 9 * day_us));
        if (i < 911) set(e, cells, CASE_handled_at, cell_int(june + (i < 737 ? 4 : 6) * day_us));
        TRY(tx_insert(tx, &e->case_type->table, cells, &id, err));
    }
    return ERR_OK;
}

struct asked {
    struct indicator_value v[16];
    size_t n;
};

static struct asked ask(struct test_city *c, struct measure *m, const char *name,
                        const char *period, int level, int32_t today) {
    struct asked out = {.n = 0};
    struct value_query q = {.atoms = measure_atoms(m), .ledger = 1, .today = today};
    struct reader *r = NULL;
    struct err err = {0};
    int64_t seq = 0;
    const struct grid *g = grid_ref(c->grid);
    ledger_catch_up(c->folder.ledger, ledger_last_seq(c->folder.ledger));
    must(period_parse(period, &q.period, &err), &err);
    must(ledger_read_begin(c->folder.ledger, &r, &err), &err);
    must(measure_borrow(m, &q.cube, &seq, &err), &err);
    q.db = reader_db(r);
    must(area_view_new(c->a, g, level, q.cube, &q.areas, &err), &err);
    out.n = q.areas->n;
    assert_true(out.n <= 16);
    const struct indicator_def *d = pack_indicator(c->folder.packs, name);
    assert_non_null(d);
    must(value_form(&q, d, c->a, out.v, &err), &err);
    measure_release(m);
    ledger_read_end(r);
    grid_unref(g);
    return out;
}

static void test_bulletin(void **state) {
    struct test_city *c = *state;
    struct measure *m = open_measure(c);
    int32_t later = (int32_t)civil_days(2026, 7, 10);
    city_run(c, bulletin, c);
    static const struct {
        const char *name;
        double want;
    } rows[] = {{"reported", 1054},
                {"accepted", 1054},
                {"filed", 996},
                {"due_close", 972},
                {"closed", 911},
                {"closed_on_time", 737},
                {"closed_late", 174},
                {"overdue_open", 61},
                {"disposed", 911},
                {"closing_rate", 93.72},
                {"close_on_time_rate", 75.82}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct asked x = ask(c, m, rows[i].name, "2026-06", LEVEL_CITY, later);
        assert_int_equal(x.v[0].state, VALUE_OK);
        assert_true(fabs(x.v[0].value - rows[i].want) < 0.005);
    }
    /* The second county had nothing: no cases, never 0 or 100 %. */
    struct asked county = ask(c, m, "closing_rate", "2026-06", LEVEL_COUNTY, later);
    assert_int_equal(county.v[0].state, VALUE_OK);
    assert_int_equal(county.v[1].state, VALUE_NO_CASES);
    assert_true(isnan(county.v[1].value));
    struct asked day = ask(c, m, "closing_rate", "2026-06-01", LEVEL_CITY, later);
    assert_int_equal(day.v[0].state, VALUE_NO_CASES);
    /* Before the deadline has passed nothing is due. */
    struct asked early =
        ask(c, m, "due_close", "2026-06", LEVEL_CITY, (int32_t)civil_days(2026, 6, 15));
    assert_true(early.v[0].value == 0);
    struct asked hours = ask(c, m, "hours_to_handle", "2026-06", LEVEL_CITY, later);
    double mean = (737 * 5.0 + 174 * 7.0) * 24 / 911;
    assert_true(fabs(hours.v[0].value - mean) < 1e-9);
    struct asked units = ask(c, m, "units_at_work", "2026-06", LEVEL_CITY, later);
    assert_true(units.v[0].value == 0);
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    measure_close(m);
}

/* ---- 挂账数, 延期数: from the flow itself */

static void act(struct test_city *c, const char *code, const char *role, const char *move,
                const char *inputs, int64_t at_us) {
    const char *unit = strcmp(role, "department") == 0 ? "U1" : NULL;
    city_must(c, code, move, city_who(c, role, role, unit, NULL), inputs, at_us, NULL);
}

/* Six cases with the unit: one suspended and let go, one suspended still, one extended twice, one
 * refused, one handled as it came, one late. */
static void flow(struct test_city *c, int64_t nine) {
    const int64_t hour = 3600000000;
    const char *code[6];
    for (int i = 0; i < 6; i++) {
        code[i] = city_report(c, "event-0102", false, nine, NULL);
        act(c, code[i], "operator", "accept", "{}", nine);
        act(c, code[i], "operator", "file", "{}", nine);
        act(c, code[i], "operator", "dispatch", "{\"unit\":\"U1\"}", nine);
    }
    const char *pause = "{\"reason\":\"x\",\"until\":\"2026-03-25\"}";
    const char *more = "{\"reason\":\"x\",\"days\":2}";
    for (int i = 0; i < 2; i++) {
        act(c, code[i], "department", "ask_suspend", pause, nine + hour);
        act(c, code[i], "operator", "suspend", "{}", nine + hour);
    }
    act(c, code[0], "department", "resume", "{}", nine + 30 * hour);
    for (int i = 0; i < 2; i++) {
        act(c, code[2], "department", "ask_extension", more, nine + hour);
        act(c, code[2], "supervisor", "extend", "{}", nine + 2 * hour);
    }
    act(c, code[3], "department", "ask_extension", more, nine + hour);
    act(c, code[3], "operator", "refuse_request", "{\"reason\":\"x\"}", nine + hour);
    act(c, code[4], "department", "handle", "{\"note\":\"x\"}", nine + hour);
    /* In time by the longer limit. */
    act(c, code[2], "department", "handle", "{\"note\":\"x\"}", nine + 50 * hour);
}

static void test_clocks_are_counted(void **state) {
    struct test_city *c = *state;
    struct measure *m = open_measure(c);
    int32_t later = (int32_t)civil_days(2026, 5, 10);
    flow(c, INT64_C(1772586000000000)); /* Wednesday 2026-03-04, 09:00 in Shanghai */
    /* The one whose clock still stands is due in no period: nobody knows when. */
    static const struct {
        const char *name;
        double want;
    } rows[] = {{"suspended", 2},        {"extended", 1},     {"due_disposal", 5},
                {"disposed_on_time", 2}, {"overdue_open", 3}, {"extension_rate", 20}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct asked x = ask(c, m, rows[i].name, "2026-03", LEVEL_CITY, later);
        if (fabs(x.v[0].value - rows[i].want) > 1e-9)
            fail_msg("%s: %g instead of %g", rows[i].name, x.v[0].value, rows[i].want);
    }
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    measure_close(m);
}

static struct figure_imported import(struct test_city *c, const char *text, bool dry_run,
                                     char **rejected, char **restated) {
    struct figure_imported out;
    struct err err = {0};
    size_t n = 0, k = 0;
    struct figure_import in = {.name = "f.csv",
                               .in = fmemopen((void *)(uintptr_t)text, strlen(text), "r"),
                               .rejected = open_memstream(rejected, &n),
                               .restated = open_memstream(restated, &k),
                               .dry_run = dry_run};
    const struct grid *g = grid_ref(c->grid);
    must(figure_import_run(&c->folder, g, &in, &out, &err), &err);
    grid_unref(g);
    (void)fclose(in.in);
    (void)fclose(in.rejected);
    (void)fclose(in.restated);
    return out;
}

/* ---- 应核实数, 按期核实数: from the flow, whatever a file says */

static enum err_code figure_of_before(struct tx *tx, void *arg, struct err *err) {
    const struct figure_row f = {.indicator = arg,
                                 .area = "990100000000",
                                 .period = "2026-03",
                                 .value = 500,
                                 .denominator = NAN};
    enum figure_change change = FIGURE_SAME;
    double was = 0;
    return figure_put(tx, &f, false, &change, &was, err);
}

/* Answered in time, as reported and not; late; not at all; taken back in time, and too late. */
static void orders(struct test_city *c, int64_t nine) {
    const int64_t hour = 3600000000;
    struct principal w = city_who(c, "worker", "wa", NULL, "990101001001001");
    const char *code[7];
    for (int i = 0; i < 7; i++) {
        code[i] = city_report(c, "event-0102", false, nine, NULL);
        act(c, code[i], "operator", "accept", "{}", nine);
        if (i < 6) act(c, code[i], "operator", "order_confirm", "{}", nine);
    }
    city_must(c, code[0], "confirm", w, "{}", nine + hour, NULL);
    city_must(c, code[1], "deny", w, "{\"note\":\"x\"}", nine + 2 * hour, NULL);
    act(c, code[1], "operator", "refuse", "{\"reason\":\"x\",\"goto\":\"y\"}", nine + 3 * hour);
    city_must(c, code[2], "confirm", w, "{}", nine + 30 * hour, NULL);
    act(c, code[4], "operator", "take_back", "{}", nine + hour);
    act(c, code[5], "operator", "take_back", "{}", nine + 30 * hour);
    act(c, code[0], "operator", "file", "{}", nine + 3 * hour);
}

static void test_confirmations_are_counted(void **state) {
    struct test_city *c = *state;
    struct measure *m = open_measure(c);
    int32_t later = (int32_t)civil_days(2026, 5, 10);
    /* Left from when they came by file: the flow has its own word, and a new file is turned away.
     */
    city_run(c, figure_of_before, (void *)(uintptr_t) "due_verify");
    orders(c, INT64_C(1772586000000000));
    static const struct {
        const char *name;
        double want;
    } rows[] = {{"due_verify", 5}, {"verify_on_time", 2},   {"verify_on_time_rate", 40},
                {"accepted", 7},   {"accepted_on_time", 7}, {"filed_on_time", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct asked x = ask(c, m, rows[i].name, "2026-03", LEVEL_CITY, later);
        if (fabs(x.v[0].value - rows[i].want) > 1e-9)
            fail_msg("%s: %g instead of %g", rows[i].name, x.v[0].value, rows[i].want);
    }
    struct asked none = ask(c, m, "verify_on_time_rate", "2026-02", LEVEL_CITY, later);
    assert_int_equal(none.v[0].state, VALUE_NO_CASES);
    check_equal(c, m);
    char *rejected = NULL, *restated = NULL;
    struct figure_imported n =
        import(c, "indicator,area,period,value\ndue_verify,990101000000,2026-03,9\n", false,
               &rejected, &restated);
    assert_int_equal(n.rejected, 1);
    assert_non_null(strstr(rejected, "is formed here"));
    free(rejected);
    free(restated);
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    measure_close(m);
}

/* ---- outside figures */

static void test_figures(void **state) {
    struct test_city *c = *state;
    struct measure *m = open_measure(c);
    char *rejected = NULL, *restated = NULL;
    static const char file[] = "indicator,area,period,value,denominator,note\n"
                               "hazards_due,990101000000,2026-06,4,,first\n"
                               "hazards_due,990102000000,2026-06,6,,\n"
                               "hazards_duo,990102000000,2026-06,6,,\n"
                               "closed,990102000000,2026-06,6,,\n"
                               "hazards_due,990199000000,2026-06,6,,\n"
                               "hazards_due,990102000000,2026-6,6,,\n"
                               "hazards_due,990102000000,2026-06,six,,\n"
                               "hazards_due,990102000000,2026-06,6,0,\n";
    struct figure_imported n = import(c, file, true, &rejected, &restated);
    assert_int_equal(n.read, 8);
    assert_int_equal(n.added, 2);
    assert_int_equal(n.rejected, 6);
    free(rejected);
    free(restated);
    /* The dry run wrote nothing. */
    struct asked x = ask(c, m, "hazards_due", "2026-06", LEVEL_COUNTY, 30000);
    assert_int_equal(x.v[0].state, VALUE_NO_DATA);
    n = import(c, file, false, &rejected, &restated);
    assert_int_equal(n.added, 2);
    static const char *const reasons[] = {
        "4,",           "there is no indicator",    "is formed here", "there is no area",
        "is no period", "expected a number, found", "above 0"};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        assert_non_null(strstr(rejected, reasons[i]));
    free(rejected);
    free(restated);
    x = ask(c, m, "hazards_due", "2026-06", LEVEL_COUNTY, 30000);
    assert_true(x.v[0].value == 4 && x.v[1].value == 6);
    x = ask(c, m, "hazards_due", "2026-06", LEVEL_CITY, 30000);
    assert_true(x.v[0].value == 10); /* the sum of its counties */
    x = ask(c, m, "hazards_due", "2026-07", LEVEL_CITY, 30000);
    assert_int_equal(x.v[0].state, VALUE_NO_DATA);
    /* A later figure restates, and says what stood there. */
    n = import(c,
               "indicator,area,period,value\nhazards_due,990101000000,2026-06,5\n"
               "hazards_due,990102000000,2026-06,6\n",
               false, &rejected, &restated);
    assert_int_equal(n.restated, 1);
    assert_int_equal(n.unchanged, 1);
    assert_string_equal(restated, "hazards_due 990101000000 2026-06: 4 stood there, now 5\n");
    free(rejected);
    free(restated);
    x = ask(c, m, "hazards_due", "2026-06", LEVEL_CITY, 30000);
    assert_true(x.v[0].value == 11);
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    measure_close(m);
}

static enum err_code late_dates(struct tx *tx, void *arg, struct err *err) {
    struct history *h = arg;
    const struct engine *e = h->city->engine;
    static const int64_t opened[] = {INT64_MIN, INT64_MAX, -1, 0, 1767196800000000};
    for (size_t i = 0; i < sizeof opened / sizeof opened[0]; i++) {
        struct cell cells[CASE_MAX_COLS];
        int64_t id = 0;
        memset(cells, 0, sizeof cells);
        draw_row(e, &h->rng, 1000 + i, tx_arena(tx), cells);
        set(e, cells, CASE_opened_at, cell_int(opened[i]));
        TRY(tx_insert(tx, &e->case_type->table, cells, &id, err));
    }
    return ERR_OK;
}

/* One date far out counts nowhere and stops nothing; a new case stands in the cube at once. */
static void test_slips_in_dates(void **state) {
    struct test_city *c = *state;
    struct history h = {.city = c, .rng = rng_new(4, 0)};
    struct measure *m = open_measure(c);
    struct asked before = ask(c, m, "reported", "2026-01", LEVEL_CITY, 30000);
    city_run(c, late_dates, &h);
    check_equal(c, m);
    /* The last of them lies at the very start of the city's 2026. */
    struct asked after = ask(c, m, "reported", "2026-01", LEVEL_CITY, 30000);
    assert_true(after.v[0].value == before.v[0].value + 1);
    after = ask(c, m, "reported", "2025-12-31", LEVEL_CITY, 30000);
    assert_true(after.v[0].value == 0);
    m = reopen(c, m, true);
    check_equal(c, m);
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    measure_close(m);
}

/* Numbers that would not stay finite, and two figures that begin on one day. */
static void test_figures_at_the_edge(void **state) {
    struct test_city *c = *state;
    struct measure *m = open_measure(c);
    char *rejected = NULL, *restated = NULL;
    static const char file[] = "note,value,period,area,indicator,denominator\n"
                               ",1e16,2026-05,990101000000,hazards_due,\n"
                               ",inf,2026-05,990101000000,hazards_due,\n"
                               ",0x10,2026-05,990101000000,hazards_due,\n"
                               ",4,2026-05,990101000000,hazards_due,1e-300\n"
                               ",4,2026-05,990101000000,hazards_due,1e300\n"
                               ",4,2026-02-30,990101000000,hazards_due,\n"
                               ",4,2026-05,990101000000,extended\n"
                               ",500,2026-01,990101000000,residents,\n"
                               ",700,2026,990101000000,residents,\n";
    struct figure_imported n = import(c, file, false, &rejected, &restated);
    assert_int_equal(n.read, 9);
    assert_int_equal(n.added, 2);
    assert_int_equal(n.rejected, 7);
    free(rejected);
    free(restated);
    /* The figure of January is closer to the point than that of the year. */
    struct asked x = ask(c, m, "residents", "2026-06", LEVEL_COUNTY, 30000);
    assert_true(x.v[0].value == 500);
    /* Before it began there was none. */
    x = ask(c, m, "residents", "2025-12", LEVEL_COUNTY, 30000);
    assert_int_equal(x.v[0].state, VALUE_NO_DATA);
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    measure_close(m);
}

/* An indicator over its own past, and a past that is not there. */
static void test_against_the_past(void **state) {
    struct test_city *c = *state;
    struct measure *m = open_measure(c);
    char *rejected = NULL, *restated = NULL;
    struct figure_imported n =
        import(c,
               "indicator,area,period,value\nfires,990101000000,2026-03,9\n"
               "fires,990101000000,2026-02,3\nfires,990101000000,2025-03,6\n"
               "fires,990101000000,2024-03,12\nfires,990101000000,2023-03,18\n"
               "fires,990102000000,2026-03,5\nfires,990102000000,2025-03,0\n",
               false, &rejected, &restated);
    assert_int_equal(n.added, 7);
    free(rejected);
    free(restated);
    struct asked x = ask(c, m, "fires_against_last_year", "2026-03", LEVEL_COUNTY, 30000);
    assert_true(x.v[0].value == 150);
    assert_int_equal(x.v[1].state, VALUE_NO_CASES); /* over nothing */
    x = ask(c, m, "fires_against_three_years", "2026-03", LEVEL_COUNTY, 30000);
    assert_true(fabs(x.v[0].value - 75) < 1e-9);
    assert_int_equal(x.v[1].state, VALUE_NO_DATA);
    x = ask(c, m, "fires_against_last_period", "2026-03", LEVEL_COUNTY, 30000);
    assert_true(x.v[0].value == 300);
    x = ask(c, m, "fires_against_last_period", "2026-02", LEVEL_COUNTY, 30000);
    assert_int_equal(x.v[0].state, VALUE_NO_DATA);
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    measure_close(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_live_equals_recompute, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_bulletin, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_clocks_are_counted, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_confirmations_are_counted, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_figures, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_slips_in_dates, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_figures_at_the_edge, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_against_the_past, city_setup, city_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
