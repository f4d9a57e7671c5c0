/* The index: parts that add up, colours that do not flap, values that stay as they were told. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "city.h"
#include "domain/measure/figure.h"
#include "domain/measure/index_freeze.h"

struct fixture {
    struct test_city *city;
    struct measure *m;
    const struct index_set *indices;
    const struct grid *grid; /* views borrow its areas */
};

static void must(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s", err_name(rc), err->detail);
}

static void import(struct test_city *c, const char *text) {
    struct figure_imported out;
    struct err err = {0};
    struct figure_import in = {.name = "f.csv",
                               .in = fmemopen((void *)(uintptr_t)text, strlen(text), "r")};
    const struct grid *g = grid_ref(c->grid);
    must(figure_import_run(&c->folder, g, &in, &out, &err), &err);
    assert_int_equal(out.rejected, 0);
    grid_unref(g);
    (void)fclose(in.in);
}

/* Figures for two counties over some months: everything the index asks outside for. */
static void import_months(struct test_city *c, uint64_t seed) {
    static const char *const names[] = {"serious_crimes", "traffic_injuries", "fires",
                                        "hazards_removed", "food_failed"};
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    struct rng r = rng_new(seed, 1);
    (void)fputs("indicator,area,period,value\n", f);
    for (int k = 0; k < 2; k++) {
        const char *area = k == 0 ? "990101000000" : "990102000000";
        (void)fprintf(f, "residents,%s,2025,50000\nvehicles,%s,2025,9000\n", area, area);
        (void)fprintf(f, "survey_safe,%s,2025,9%d\n", area, k + 3);
        for (int month = 1; month <= 6; month++) {
            for (size_t i = 0; i < 5; i++)
                (void)fprintf(f, "%s,%s,2026-%02d,%u\n", names[i], area, month,
                              1 + rng_below(&r, 3));
            (void)fprintf(f, "hazards_due,%s,2026-%02d,4\nfood_samples,%s,2026-%02d,60\n", area,
                          month, area, month);
        }
    }
    (void)fclose(f);
    import(c, text);
    free(text);
}

struct formed {
    struct index_view v;
    int64_t seq;
};

static struct formed form(const struct fixture *x, const char *index, const char *period,
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
    struct fixture *x = calloc(1, sizeof *x);
    struct err err = {0};
    void *city = NULL;
    if (x == NULL || city_setup(&city) != 0) return -1;
    x->city = city;
    must(measure_open(x->city->folder.ledger, x->city->folder.packs, x->city->folder.tz, NULL,
                      &x->m, &err),
         &err);
    must(index_load(x->city->a, x->city->folder.packs, &x->indices, &err), &err);
    x->grid = grid_ref(x->city->grid);
    import_months(x->city, 3);
    *state = x;
    return 0;
}

static int teardown(void **state) {
    struct fixture *x = *state;
    void *city = x->city;
    ledger_close(x->city->folder.ledger);
    x->city->folder.ledger = NULL;
    measure_close(x->m);
    grid_unref(x->grid);
    free(x);
    return city_teardown(&city);
}

static void test_parts_add_to_the_value(void **state) {
    const struct fixture *x = *state;
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
    const struct fixture *x = *state;
    struct formed before = form(x, "safety", "2026-03", 0);
    import(x->city, "indicator,area,period,value\nfires,990101000000,2026-03,9\n");
    struct formed after = form(x, "safety", "2026-03", 0);
    size_t top = (before.v.def->n_nodes - 1) * before.v.n;
    assert_true(after.v.value[top] < before.v.value[top]);
    assert_true(after.v.value[top + 1] == before.v.value[top + 1]);
}

static struct freeze freeze(const struct fixture *x, struct formed *f, const char *note) {
    struct freeze z = {.view = &f->v, .data_seq = f->seq, .today = 30000, .seed = 1, .note = note};
    city_run(x->city, freeze_apply, &z);
    return z;
}

static struct frozen_run stored(const struct fixture *x, const char *period, bool *found) {
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
    const struct fixture *x = *state;
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
    import(x->city, "indicator,area,period,value\nserious_crimes,990102000000,2026-04,7\n");
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
    const struct fixture *x = *state;
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
    const struct fixture *x = *state;
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
