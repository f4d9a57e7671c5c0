/* The index: parts that add up, colours that do not flap, values that stay as they were told. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "domain/measure/index_freeze.h"
#include "measured.h"

struct formed {
    struct index_view v;
    int64_t seq;
};

static struct formed form(const struct measured *x, const char *index, const char *period,
                          int64_t as_of) {
    struct formed out = {.seq = 0};
    struct test_city *c = x->city;
    struct value_query q = {
        .atoms = measure_atoms(x->m), .ledger = 1, .today = 30000, .as_of_seq = as_of};
    struct index_ask ask = {.def = index_find(x->indices, index), .n_draws = 200, .seed = 1};
    struct reader *r = NULL;
    struct cube *then = NULL;
    struct err err = {0};
    assert_non_null(ask.def);
    ledger_catch_up(c->folder.ledger, ledger_last_seq(c->folder.ledger));
    must(period_parse(period, &q.period, &err), &err);
    must(ledger_read_begin(c->folder.ledger, &r, &err), &err);
    q.db = reader_db(r);
    must(measure_borrow(x->m, &q.cube, &out.seq, &err), &err);
    if (as_of > 0) must(measure_as_of(q.db, 1, q.atoms, as_of, &then, &err), &err);
    if (as_of > 0) q.cube = then;
    must(area_view_new(c->a, x->grid, LEVEL_COUNTY, q.cube, &q.areas, &err), &err);
    must(index_form(&q, &ask, c->a, &out.v, &err), &err);
    measure_release(x->m);
    cube_free(then);
    ledger_read_end(r);
    return out;
}

static int setup(void **state) {
    struct measured *x = test_calloc(1, sizeof *x);
    measured_open(x);
    measured_import_months(x, 3, 1);
    *state = x;
    return 0;
}

static int teardown(void **state) {
    measured_close(*state);
    test_free(*state);
    return 0;
}

static void test_parts_add_to_the_value(void **state) {
    const struct measured *x = *state;
    char period[24];
    for (int month = 1; month <= 6; month++) {
        (void)snprintf(period, sizeof period, "2026-%02d", month);
        struct formed f = form(x, "safety", period, 0);
        const struct index_def *d = f.v.def;
        for (size_t j = 0; j < f.v.n; j++) {
            double leaves = 0, groups = 0, value = f.v.value[(d->n_nodes - 1) * f.v.n + j];
            assert_true(!isnan(value));
            assert_true(value >= 0 && value <= 100);
            for (size_t k = 0; k + 1 < d->n_nodes; k++) {
                double part = f.v.part[k * f.v.n + j];
                if (isnan(part)) continue;
                if (k < d->n_leaves)
                    leaves += part;
                else if (d->node[k].parent == (int)d->n_nodes - 1)
                    groups += part;
            }
            assert_true(fabs(leaves - value) < 1e-9);
            assert_true(fabs(groups - value) < 1e-9);
        }
    }
}

/* Worse in one thing and the same in the others is never better. */
static void test_a_worse_figure_never_helps(void **state) {
    const struct measured *x = *state;
    struct formed before = form(x, "safety", "2026-03", 0);
    measured_import(x, "indicator,area,period,value\nfires,990101000000,2026-03,9\n");
    struct formed after = form(x, "safety", "2026-03", 0);
    size_t top = (before.v.def->n_nodes - 1) * before.v.n;
    assert_true(after.v.value[top] < before.v.value[top]);
    assert_true(after.v.value[top + 1] == before.v.value[top + 1]);
}

static struct freeze freeze(const struct measured *x, struct formed *f, const char *note) {
    struct freeze z = {.view = &f->v, .data_seq = f->seq, .today = 30000, .seed = 1, .note = note};
    city_run(x->city, freeze_apply, &z);
    return z;
}

static struct frozen_run stored(const struct measured *x, const char *period, bool *found) {
    struct frozen_run out;
    struct reader *r = NULL;
    struct err err = {0};
    must(ledger_read_begin(x->city->folder.ledger, &r, &err), &err);
    must(frozen_run_get(reader_db(r), 1, "safety", LEVEL_COUNTY, period, x->city->a, &out, found,
                        &err),
         &err);
    ledger_read_end(r);
    return out;
}

static void test_frozen_restated_signed(void **state) {
    const struct measured *x = *state;
    bool found = false;
    struct formed first = form(x, "safety", "2026-04", 0);
    struct freeze z = freeze(x, &first, NULL);
    assert_int_equal(z.outcome, FREEZE_NEW);
    assert_int_equal(z.n_changed, 2);
    struct formed again = form(x, "safety", "2026-04", 0);
    assert_int_equal(freeze(x, &again, NULL).outcome, FREEZE_UNCHANGED);
    struct frozen_run run = stored(x, "2026-04", &found);
    assert_true(found && run.version == 1 && run.published_at_us == 0);
    /* A person signs what he saw, and only that. */
    struct publish p = {"safety", "2026-04", "leader", LEVEL_COUNTY, run.hash};
    city_run(x->city, publish_apply, &p);
    run = stored(x, "2026-04", &found);
    assert_string_equal(run.published_by, "leader");
    /* Late data: restated with a note, and the signature is gone. */
    measured_import(x, "indicator,area,period,value\nserious_crimes,990102000000,2026-04,7\n");
    struct formed late = form(x, "safety", "2026-04", 0);
    z = freeze(x, &late, NULL);
    assert_int_equal(z.outcome, FREEZE_RESTATED);
    assert_int_equal(z.n_changed, 1);
    struct frozen_run now = stored(x, "2026-04", &found);
    assert_int_equal(now.version, 3);
    assert_string_equal(now.published_by, "");
    assert_non_null(strstr(now.note, "late data: rows"));
    assert_string_not_equal(now.hash, run.hash);
    /* What was told first can be formed again to the bit from its data version. */
    struct formed then = form(x, "safety", "2026-04", run.data_seq);
    unsigned char hash[32];
    char text[65];
    index_view_hash(&then.v, hash);
    index_hash_text(hash, text);
    assert_string_equal(text, run.hash);
    p.hash = run.hash;
    struct command c = {.name = "test", .actor = "system", .apply = publish_apply, .arg = &p};
    struct err err = {0};
    assert_int_equal(ledger_run(x->city->folder.ledger, &c, NULL, NULL, &err), ERR_STALE);
}

/* A value that moves to and fro across a border by less than the hysteresis changes no colour. */
static void test_colours_do_not_flap(void **state) {
    const struct measured *x = *state;
    const struct index_def *d = index_find(x->indices, "safety");
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng r = rng_new(seed, 9);
        double border = d->band[1 + rng_below(&r, (uint32_t)d->n_bands - 1)].from;
        double width = d->hysteresis * 0.99;
        int band = index_band_of(d, border + (rng_below(&r, 2) == 0 ? 5 : -5), -1), changes = 0;
        for (int k = 0; k < 100; k++) {
            int next = index_band_of(d, border + width * (2 * rng_unit(&r) - 1), band);
            changes += next != band;
            band = next;
        }
        assert_int_equal(changes, 0);
    }
    /* But a value that goes far takes the colour with it, at once. */
    assert_int_equal(index_band_of(d, 5, (int)d->n_bands - 1), 0);
    assert_int_equal(index_band_of(d, 99, 0), (int)d->n_bands - 1);
    assert_int_equal(index_band_of(d, NAN, 2), -1);
}

static void test_thin_areas_get_no_score(void **state) {
    const struct measured *x = *state;
    struct formed f = form(x, "safety", "2026-05-03", 0); /* no daily figures at all */
    size_t top = (f.v.def->n_nodes - 1) * f.v.n;
    assert_true(isnan(f.v.value[top]) && isnan(f.v.value[top + 1]));
    assert_int_equal(f.v.rank[0], 0);
    assert_null(f.v.interval);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parts_add_to_the_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_worse_figure_never_helps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_frozen_restated_signed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_colours_do_not_flap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_thin_areas_get_no_score, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
