/* The floor over time and levels, and the months that a back-test looks at, on a small real city
 * with guarded figures of every month. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/measure/backtest.h"
#include "domain/measure/figure_floor.h"
#include "measured.h"

#define A "990101000000"
#define B "990102000000"
#define TOWN "990101001000" /* of A */

static int setup(void **state) {
    struct measured *x = test_calloc(1, sizeof *x);
    measured_open(x);
    *state = x;
    return 0;
}

static int teardown(void **state) {
    struct measured *x = *state;
    measured_close(x);
    test_free(x);
    return 0;
}

/* Fifty serious crimes an area and month, but for those named, and what is told of whole years. */
static void import_crimes(const struct measured *x) {
    static const struct {
        const char *area, *month;
        int n;
    } few[] = {{A, "2024-12", 3}, {A, "2023-03", 2}, {B, "2026-05", 5}, {TOWN, "2024-12", 3}};
    static const char *const areas[] = {A, B, TOWN};
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    (void)fputs("indicator,area,period,value\n", f);
    for (int month = 0; month < 42; month++)
        for (size_t k = 0; k < 3; k++) {
            char name[16];
            int value = 50;
            (void)snprintf(name, sizeof name, "%d-%02d", 2023 + month / 12, month % 12 + 1);
            for (size_t i = 0; i < sizeof few / sizeof few[0]; i++)
                if (strcmp(few[i].area, areas[k]) == 0 && strcmp(few[i].month, name) == 0)
                    value = few[i].n;
            (void)fprintf(f, "serious_crimes,%s,%s,%d\n", areas[k], name, value);
        }
    for (int year = 2023; year < 2026; year++)
        for (size_t k = 0; k < 3; k++)
            (void)fprintf(f, "serious_crimes,%s,%d,600\n", areas[k], year);
    (void)fclose(f);
    measured_import(x, text);
    free(text);
}

/* A query over what is there now; the cube is held until leave. */
static struct reader *enter(const struct measured *x, int level, const char *period,
                            struct value_query *q) {
    struct reader *r = NULL;
    struct err err = {0};
    int64_t seq = 0;
    ledger_catch_up(x->city->folder.ledger, ledger_last_seq(x->city->folder.ledger));
    must(ledger_read_begin(x->city->folder.ledger, &r, &err), &err);
    *q = (struct value_query){.atoms = measure_atoms(x->m),
                              .ledger = 1,
                              .db = reader_db(r),
                              .today = (int32_t)civil_days(2026, 7, 1)};
    must(period_parse(period, &q->period, &err), &err);
    must(measure_borrow(x->m, &q->cube, &seq, &err), &err);
    must(area_view_new(x->city->a, x->grid, level, q->cube, &q->areas, &err), &err);
    return r;
}

static void leave(const struct measured *x, struct reader *r) {
    measure_release(x->m);
    ledger_read_end(r);
}

static bool is_hidden(const struct measured *x, const char *indicator, const char *area, int level,
                      const char *period) {
    struct arena *a = x->city->a;
    struct value_query q;
    struct err err = {0};
    const struct indicator_def *d = pack_indicator(x->city->folder.packs, indicator);
    struct reader *r = enter(x, level, period, &q);
    struct indicator_value *v = ARENA_NEW(a, struct indicator_value, q.areas->n);
    unsigned char *hidden = ARENA_NEW(a, unsigned char, q.areas->n);
    assert_true(d != NULL && v != NULL && hidden != NULL);
    must(value_form(&q, d, a, v, &err), &err);
    must(figure_floor_of(&q, d, v, a, hidden, &err), &err);
    size_t at = area_view_find(q.areas, area);
    assert_true(at != SIZE_MAX);
    bool out = hidden[at] != 0;
    leave(x, r);
    return out;
}

static void test_periods(void **state) {
    const struct measured *x = *state;
    import_crimes(x);
    /* A month below the floor, and its neighbour, by which it could be had. */
    assert_true(is_hidden(x, "serious_crimes", A, LEVEL_COUNTY, "2024-12"));
    assert_true(is_hidden(x, "serious_crimes", B, LEVEL_COUNTY, "2024-12"));
    assert_false(is_hidden(x, "serious_crimes", A, LEVEL_COUNTY, "2024-11"));
    /* Its year, though the month is the last of it; a year without such a month is told. */
    assert_true(is_hidden(x, "serious_crimes", A, LEVEL_COUNTY, "2024"));
    assert_false(is_hidden(x, "serious_crimes", A, LEVEL_COUNTY, "2025"));
    /* No shorter period at all. */
    assert_true(is_hidden(x, "serious_crimes", A, LEVEL_COUNTY, "2025-06-T2"));
    assert_true(is_hidden(x, "serious_crimes", A, LEVEL_COUNTY, "2025-06-15"));
    /* Held against three years of which the oldest is hidden; a month later all are told. */
    assert_true(is_hidden(x, "crime_against_three_years", A, LEVEL_COUNTY, "2026-03"));
    assert_false(is_hidden(x, "crime_against_three_years", A, LEVEL_COUNTY, "2026-04"));
}

/* The county is hidden beside its neighbour; its only town would give it away. */
static void test_levels_above(void **state) {
    const struct measured *x = *state;
    import_crimes(x);
    assert_true(is_hidden(x, "serious_crimes", A, LEVEL_COUNTY, "2026-05"));
    assert_true(is_hidden(x, "serious_crimes", TOWN, LEVEL_TOWN, "2026-05"));
    assert_false(is_hidden(x, "serious_crimes", TOWN, LEVEL_TOWN, "2026-04"));
}

/* Fires in county A every month until the last but one, none in the last; of B nothing is known of
 * the last. So a back-test of 2025-11 judges on 8 months of A and 7 of B, and sees 7 with an event
 * of each. */
static void test_months_of_a_backtest(void **state) {
    const struct measured *x = *state;
    struct arena *a = x->city->a;
    struct err err = {0};
    const struct indicator_def *fires = pack_indicator(x->city->folder.packs, "fires");
    const struct index_node leaf = {.name = "fires", .indicator = fires};
    const struct index_def d = {
        .name = "trial", .outcome = fires, .node = &leaf, .n_leaves = 1, .n_nodes = 1};
    char text[2000] = "indicator,area,period,value\n";
    for (int month = 0; month < 24; month++)
        for (int k = 0; k < 2; k++) {
            size_t n = strlen(text);
            if (k == 1 && month == 23) continue;
            (void)snprintf(text + n, sizeof text - n, "fires,%s,%d-%02d,%d\n", k == 0 ? A : B,
                           2024 + month / 12, month % 12 + 1, month == 23 ? 0 : 1 + month % 4);
        }
    measured_import(x, text);
    struct value_query q;
    struct backtest out;
    struct reader *r = enter(x, LEVEL_COUNTY, "2025-11", &q);
    must(backtest_run(&q, &d, a, &out, &err), &err);
    leave(x, r);
    assert_int_equal(out.n_months, 23); /* 2024-01 to 2025-11 */
    assert_int_equal(out.n_fit_months, 15);
    assert_int_equal(out.first.from, civil_days(2024, 1, 1));
    assert_int_equal(out.last_fit.from, civil_days(2025, 3, 1));
    assert_int_equal(out.n_rows, 15);
    assert_int_equal(out.n_events, 14);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_periods, setup, teardown),
        cmocka_unit_test_setup_teardown(test_levels_above, setup, teardown),
        cmocka_unit_test_setup_teardown(test_months_of_a_backtest, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
