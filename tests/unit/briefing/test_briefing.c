/* A briefing: the same data give the same bytes; what may not be told is not told; an empty city, a
 * period without data, twenty areas. And its way from a draft to a signature. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "domain/briefing/store.h"
#include "domain/measure/definitions.h"
#include "measured.h"
#include "store/statements.h"

struct fixture {
    struct measured in;
    struct buf text;
    const struct val *doc;
};

static int setup(void **state) {
    struct fixture *x = test_calloc(1, sizeof *x);
    measured_open(&x->in);
    buf_init(&x->text, BRIEFING_MAX_TEXT);
    *state = x;
    return 0;
}

static int teardown(void **state) {
    struct fixture *x = *state;
    measured_close(&x->in);
    buf_deinit(&x->text);
    test_free(x);
    return 0;
}

/* Forms into x->text and x->doc. */
static enum err_code form(struct fixture *x, const char *period, const char *area,
                          struct err *err) {
    struct test_city *c = x->in.city;
    struct briefing_ask ask = {.index = index_find(x->in.indices, "safety"), .area = area};
    struct reader *r = NULL;
    struct arena *a = arena_new(256u << 20);
    struct briefing_data *d = ARENA_NEW(a, struct briefing_data, 1);
    struct briefing_source s = {.packs = c->folder.packs,
                                .grid = x->in.grid,
                                .tz = c->folder.tz,
                                .atoms = measure_atoms(x->in.m),
                                .ledger = 1,
                                .at_us = 1790000000000000,
                                .today = 20700,
                                .city = "Test"};
    int64_t seq = 0;
    must(period_parse(period, &ask.period, err), err);
    ledger_catch_up(c->folder.ledger, ledger_last_seq(c->folder.ledger));
    must(ledger_read_begin(c->folder.ledger, &r, err), err);
    s.db = reader_db(r);
    s.seq = reader_seq(r);
    must(measure_borrow(x->in.m, &s.cube, &seq, err), err);
    enum err_code rc = briefing_gather(&s, &ask, a, d, err);
    measure_release(x->in.m);
    buf_clear(&x->text);
    if (rc == ERR_OK) rc = briefing_look(d, a, err);
    if (rc == ERR_OK) rc = briefing_form(d, &x->text, err);
    ledger_read_end(r);
    arena_free(a);
    if (rc == ERR_OK) must(json_parse(c->a, buf_text(&x->text), x->text.n, &x->doc, err), err);
    return rc;
}

static void formed(struct fixture *x, const char *period, const char *area) {
    struct err err = {0};
    must(form(x, period, area, &err), &err);
}

static const struct val *at(const struct val *v, const char *a, const char *b) {
    const struct val *x = val_get(v, a);
    return b == NULL ? x : val_get(x, b);
}

static double number(const struct val *v, const char *key) {
    const struct val *x = val_get(v, key);
    assert_non_null(x);
    return x->type == VAL_INT ? (double)x->u.i : x->type == VAL_DOUBLE ? x->u.d : NAN;
}

static const char *word(const struct val *v, const char *key) {
    const struct val *x = val_get(v, key);
    assert_true(x != NULL && x->type == VAL_STR);
    return x->u.s;
}

/* Every sentence is there in both languages, and neither is left half-made. */
static void check_pairs(const struct val *v) {
    const struct val *en = v->type == VAL_MAP ? val_get(v, "en") : NULL,
                     *zh = v->type == VAL_MAP ? val_get(v, "zh") : NULL;
    if (en != NULL && zh != NULL) {
        assert_true(en->n > 0 && zh->n > 0);
        assert_null(strstr(en->u.s, "  "));
        assert_null(strstr(en->u.s, "nan"));
        assert_null(strstr(zh->u.s, "nan"));
    }
    for (size_t i = 0; v->type == VAL_LIST && i < v->n; i++) check_pairs(&v->u.list[i]);
    for (size_t i = 0; v->type == VAL_MAP && i < v->n; i++) check_pairs(&v->u.map[i].v);
}

static void test_the_same_data_give_the_same_bytes(void **state) {
    struct fixture *x = *state;
    char first[65], again[65], other[65];
    measured_import_months(&x->in, 3, 12);
    formed(x, "2026-04", NULL);
    briefing_hash(buf_text(&x->text), x->text.n, first);
    formed(x, "2026-04", "990100000000");
    briefing_hash(buf_text(&x->text), x->text.n, again);
    assert_string_equal(first, again);
    measured_import(&x->in, "indicator,area,period,value\nfires,990101000000,2026-04,9\n");
    formed(x, "2026-04", NULL);
    briefing_hash(buf_text(&x->text), x->text.n, other);
    assert_string_not_equal(first, other);
}

/* The parts told, with the rest, add up to the change; so do the areas' changes to their values. */
static void test_the_numbers_add_up(void **state) {
    struct fixture *x = *state;
    measured_import_months(&x->in, 5, 12);
    for (int month = 2; month <= 6; month++) {
        char period[32];
        (void)snprintf(period, sizeof period, "2026-%02d", month);
        formed(x, period, NULL);
        const struct val *head = val_get(x->doc, "head"), *steps = at(x->doc, "moved", "steps");
        double sum = number(val_get(x->doc, "moved"), "rest");
        assert_true(steps->n > 0);
        for (size_t i = 0; i < steps->n; i++) sum += number(&steps->u.list[i], "change");
        assert_true(fabs(sum - number(head, "change")) < 0.05 * (double)(steps->n + 3));
        assert_string_equal(word(head, "band"),
                            word(&val_get(x->doc, "trend")->u.list[12], "band"));
        const struct val *items = at(x->doc, "areas", "items");
        assert_int_equal(items->n, 2);
        for (size_t i = 0; i < items->n; i++)
            if (month > 2)
                assert_true(fabs(number(&items->u.list[i], "value") -
                                 number(&items->u.list[i], "before") -
                                 number(&items->u.list[i], "change")) < 0.051);
        check_pairs(x->doc);
    }
}

/* Three serious crimes in the city are too few to be told: neither the figure nor its part alone
 * stands anywhere, and the rest holds at least one other indicator. */
static void test_what_is_below_the_floor_is_not_told(void **state) {
    struct fixture *x = *state;
    const struct indicator_def *crime =
        pack_indicator(x->in.city->folder.packs, "serious_crime_rate");
    assert_non_null(crime);
    measured_import_months(&x->in, 7, 1);
    formed(x, "2026-04", NULL);
    const struct val *steps = at(x->doc, "moved", "steps");
    assert_null(strstr(buf_text(&x->text), "\"serious_crime_rate\""));
    assert_true(number(val_get(x->doc, "moved"), "n_rest") >= 2);
    for (size_t i = 0; i < steps->n; i++)
        assert_string_not_equal(word(&steps->u.list[i], "node"), "serious_crime_rate");
    /* With enough of them it is told. */
    measured_import_months(&x->in, 7, 40);
    formed(x, "2026-04", NULL);
    assert_non_null(strstr(buf_text(&x->text), "\"serious_crime_rate\""));
}

static void test_without_data(void **state) {
    struct fixture *x = *state;
    formed(x, "2026-04", NULL);
    assert_true(isnan(number(val_get(x->doc, "head"), "value")));
    assert_int_equal(at(x->doc, "moved", "steps")->n, 0);
    assert_int_equal(at(x->doc, "warnings", "items")->n, 0);
    assert_int_equal((int)number(val_get(x->doc, "warnings"), "open"), 0);
    assert_non_null(strstr(buf_text(&x->text), "has no value"));
    check_pairs(x->doc);
}

static void test_what_cannot_be_formed_is_named(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    assert_int_equal(form(x, "2026-04", "123", &err), ERR_INVALID);
    assert_string_equal(err.field, "/area");
    assert_int_equal(form(x, "2099-04", NULL, &err), ERR_INVALID);
    assert_string_equal(err.field, "/period");
}

/* A city without a single area has nobody to brief. */
static void test_an_empty_city(void **state) {
    struct fixture *x = *state;
    static const struct grid empty = {.main_layer = ""};
    const struct grid *own = x->in.grid;
    struct err err = {0};
    x->in.grid = &empty;
    assert_int_equal(form(x, "2026-04", NULL, &err), ERR_INVALID);
    assert_string_equal(err.field, "/area");
    x->in.grid = own;
}

/* ---- twenty areas, every rank either told apart or not told */

static enum err_code add_counties(struct tx *tx, void *arg, struct err *err) {
    const struct type_def *t = pack_type(arg, "area");
    for (int i = 3; i <= 20; i++) {
        struct cell c[64];
        char code[32];
        int64_t id = 0;
        memset(c, 0, sizeof c);
        (void)snprintf(code, sizeof code, "9901%02d000000", i);
        c[type_field(t, "code")] = cell_text(code);
        c[type_field(t, "name")] = cell_text(code);
        c[type_field(t, "level")] = cell_int(LEVEL_COUNTY);
        c[type_field(t, "parent")] = cell_text("990100000000");
        TRY(tx_insert(tx, &t->table, c, &id, err));
    }
    return ERR_OK;
}

static void import_counties(const struct fixture *x) {
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    (void)fputs("indicator,area,period,value\n", f);
    for (int i = 1; i <= 20; i++)
        for (int month = 3; month <= 4; month++) {
            (void)fprintf(f, "traffic_injuries,9901%02d000000,2026-%02d,%d\n", i, month,
                          i <= 10 ? 20 : 20 + i);
            (void)fprintf(f, "fires,9901%02d000000,2026-%02d,%d\n", i, month, 10);
            (void)fprintf(f, "serious_crimes,9901%02d000000,2026-%02d,%d\n", i, month, 15);
            (void)fprintf(f, "hazards_due,9901%02d000000,2026-%02d,40\n", i, month);
            (void)fprintf(f, "hazards_removed,9901%02d000000,2026-%02d,%d\n", i, month, 30);
            (void)fprintf(f, "food_samples,9901%02d000000,2026-%02d,400\n", i, month);
            (void)fprintf(f, "food_failed,9901%02d000000,2026-%02d,9\n", i, month);
        }
    for (int i = 1; i <= 20; i++)
        (void)fprintf(f,
                      "residents,9901%02d000000,2025,50000\nvehicles,9901%02d000000,2025,9000\n"
                      "survey_safe,9901%02d000000,2025,90\n",
                      i, i, i);
    (void)fclose(f);
    measured_import(&x->in, text);
    free(text);
}

static void test_twenty_areas(void **state) {
    struct fixture *x = *state;
    city_run(x->in.city, add_counties, (void *)(uintptr_t)x->in.city->folder.packs);
    ledger_catch_up(x->in.city->folder.ledger, ledger_last_seq(x->in.city->folder.ledger));
    grid_unref(x->in.grid);
    x->in.grid = grid_ref(x->in.city->grid);
    import_counties(x);
    formed(x, "2026-04", NULL);
    const struct val *items = at(x->doc, "areas", "items");
    size_t told = 0, equal = 0;
    assert_int_equal(items->n, 20);
    for (size_t i = 0; i < items->n; i++) {
        const struct val *a = &items->u.list[i], *rank = val_get(a, "rank");
        told += rank != NULL && rank->type == VAL_INT;
        if (strcmp(word(a, "area"), "990110000000") <= 0) {
            equal++; /* ten areas with the same figures: no rank among them is told */
            assert_true(rank->type == VAL_NULL);
        }
    }
    assert_int_equal(equal, 10);
    assert_true(told < items->n);
    check_pairs(x->doc);
}

/* ---- from a draft to a signature */

static enum err_code run(struct fixture *x, const char *name,
                         enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                         void *arg) {
    struct command c = {.name = name, .actor = "boss", .apply = apply, .arg = arg};
    return ledger_run(x->in.city->folder.ledger, &c, NULL, NULL, NULL);
}

static struct briefing_keep keep(struct fixture *x) {
    return (struct briefing_keep){.packs = x->in.city->folder.packs,
                                  .index = "safety",
                                  .kind = "month",
                                  .period = "2026-04",
                                  .area = "990100000000",
                                  .document = buf_text(&x->text),
                                  .document_n = x->text.n,
                                  .data_seq = 7};
}

static struct briefing_row stored(struct fixture *x, int64_t id) {
    struct briefing_row row;
    struct reader *r = NULL;
    struct err err = {0};
    must(ledger_read_begin(x->in.city->folder.ledger, &r, &err), &err);
    must(briefing_get(reader_db(r), 1, id, x->in.city->a, &row, &err), &err);
    ledger_read_end(r);
    return row;
}

static void test_a_person_signs_what_he_saw(void **state) {
    struct fixture *x = *state;
    measured_import_months(&x->in, 3, 12);
    formed(x, "2026-04", NULL);
    struct briefing_keep k = keep(x), same = keep(x);
    assert_int_equal(run(x, "briefing.form", briefing_keep_apply, &k), ERR_OK);
    assert_true(k.is_new && k.id > 0);
    assert_int_equal(run(x, "briefing.form", briefing_keep_apply, &same), ERR_OK);
    assert_true(!same.is_new && same.id == k.id);
    struct briefing_row draft = stored(x, k.id);
    assert_int_equal(draft.version, 1); /* nothing was written for the same words */
    assert_memory_equal(draft.document, buf_text(&x->text), x->text.n);
    /* Other data: the draft gives way, and who saw the older one cannot sign it. */
    measured_import(&x->in, "indicator,area,period,value\nfires,990101000000,2026-04,9\n");
    formed(x, "2026-04", NULL);
    struct briefing_keep later = keep(x);
    assert_int_equal(run(x, "briefing.form", briefing_keep_apply, &later), ERR_OK);
    assert_int_equal(later.id, k.id);
    struct briefing_act sign = {x->in.city->folder.packs, k.id, "boss", draft.hash, NULL};
    assert_int_equal(run(x, "briefing.sign", briefing_sign_apply, &sign), ERR_STALE);
    struct briefing_row now = stored(x, k.id);
    sign.hash = now.hash;
    sign.note = "read";
    assert_int_equal(run(x, "briefing.sign", briefing_sign_apply, &sign), ERR_OK);
    assert_int_equal(run(x, "briefing.sign", briefing_sign_apply, &sign), ERR_CONFLICT);
    struct briefing_row done = stored(x, k.id);
    assert_int_equal(done.state, BRIEFING_SIGNED);
    assert_string_equal(done.signed_by, "boss");
    assert_string_equal(done.note, "read");
    assert_true(done.signed_at_us > 0);
    /* A newer one of the same month takes its place when it is signed, not before. */
    measured_import(&x->in, "indicator,area,period,value\nfires,990101000000,2026-04,2\n");
    formed(x, "2026-04", NULL);
    struct briefing_keep newer = keep(x);
    assert_int_equal(run(x, "briefing.form", briefing_keep_apply, &newer), ERR_OK);
    assert_true(newer.id != k.id);
    assert_int_equal(stored(x, k.id).state, BRIEFING_SIGNED);
    struct briefing_act second = {x->in.city->folder.packs, newer.id, "boss",
                                  stored(x, newer.id).hash, NULL};
    assert_int_equal(run(x, "briefing.sign", briefing_sign_apply, &second), ERR_OK);
    assert_int_equal(stored(x, k.id).state, BRIEFING_WITHDRAWN);
    struct briefing_act back = {x->in.city->folder.packs, newer.id, "boss", NULL, "a slip"};
    assert_int_equal(run(x, "briefing.withdraw", briefing_withdraw_apply, &back), ERR_OK);
    assert_int_equal(run(x, "briefing.withdraw", briefing_withdraw_apply, &back), ERR_CONFLICT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_same_data_give_the_same_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_numbers_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_below_the_floor_is_not_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_data, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_formed_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_city, setup, teardown),
        cmocka_unit_test_setup_teardown(test_twenty_areas, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_person_signs_what_he_saw, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
