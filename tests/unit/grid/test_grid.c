/* Where a point belongs and who is on duty there: cells, desks, cover, units, and the snapshot that
 * follows the ledger. */
#include "../process/city.h"

#include <math.h>
#include <string.h>

static void test_points(void **state) {
    struct test_city *c = *state;
    const struct grid *g = grid_ref(c->grid);
    assert_string_equal(g->main_layer, "social");
    assert_int_equal(g->n_cells, 2);
    struct place p = grid_place(g, "social", 119.05, 30.05, 0);
    assert_string_equal(g->cells[p.cell].name, "A");
    assert_string_equal(g->areas[p.at[LEVEL_TOWN]].code, "990101001000");
    assert_string_equal(g->areas[p.at[LEVEL_COUNTY]].code, "990101000000");
    assert_string_equal(g->areas[p.at[LEVEL_CITY]].code, "990100000000");
    assert_int_equal(p.at[LEVEL_COMMUNITY], GRID_NONE);
    /* On the common border: the cell whose inside lies to the east. */
    p = grid_place(g, "social", 119.1, 30.05, 0);
    assert_string_equal(g->cells[p.cell].name, "B");
    /* Outside everything, and nonsense: no cell, the city's desk. */
    const double outside[][2] = {{110, 30}, {NAN, 30}, {119.05, INFINITY}};
    for (size_t i = 0; i < 3; i++) {
        p = grid_place(g, "social", outside[i][0], outside[i][1], 0);
        assert_int_equal(p.cell, GRID_NONE);
        assert_string_equal(g->posts[p.post].account, "city-desk");
    }
    assert_int_equal(grid_place(g, "no such layer", 119.05, 30.05, 0).cell, GRID_NONE);
    grid_unref(g);
}

static void test_desks_and_units(void **state) {
    struct test_city *c = *state;
    const struct grid *g = grid_ref(c->grid);
    struct place a = grid_place(g, "social", 119.05, 30.05, 0),
                 b = grid_place(g, "social", 119.15, 30.05, 0);
    assert_false(a.is_desk);
    assert_string_equal(g->posts[a.post].account, "wa");
    assert_true(b.is_desk);
    assert_string_equal(g->posts[b.post].account, "city-desk");
    assert_int_equal(grid_unit_for(g, "sanitation", a.at), grid_unit_index(g, "U1"));
    assert_int_equal(grid_unit_for(g, "sanitation", b.at), GRID_NONE); /* another county's */
    assert_int_equal(grid_unit_for(g, "sanit", a.at), GRID_NONE);      /* whole words only */
    assert_int_equal(grid_unit_for(g, "", a.at), GRID_NONE);
    assert_int_equal(grid_area_index(g, "990103000000"), GRID_NONE);
    assert_int_equal(grid_post_index(g, 0), GRID_NONE);
    grid_unref(g);
}

struct cover {
    struct test_city *city;
    int64_t post, until_us;
    const char *account;
};

static enum err_code set_cover(struct tx *tx, void *arg, struct err *err) {
    struct cover *k = arg;
    const struct type_def *t = pack_type(k->city->folder.packs, "post");
    struct cell cells[64];
    int64_t version = 0;
    TRY(tx_get(tx, &t->table, k->post, cells, &version, err));
    cells[type_field(t, "cover")] = cell_text(k->account);
    cells[type_field(t, "cover_until")] = cell_int(k->until_us);
    return tx_update(tx, &t->table, k->post, version, cells, err);
}

/* Cover for leave: until its end the other account acts, then the holder again; the snapshot
 * follows the change by itself. */
static void test_cover(void **state) {
    struct test_city *c = *state;
    const struct grid *before = grid_ref(c->grid);
    struct place p = grid_place(before, "social", 119.05, 30.05, 0);
    struct cover k = {c, before->posts[p.post].id, 1000, "wb"};
    city_run(c, set_cover, &k);
    ledger_catch_up(c->folder.ledger, ledger_last_seq(c->folder.ledger));
    const struct grid *g = grid_ref(c->grid);
    assert_ptr_not_equal(g, before);
    assert_string_equal(before->posts[p.post].cover, ""); /* the old one is as it was */
    p = grid_place(g, "social", 119.05, 30.05, 500);
    assert_string_equal(grid_post_account(&g->posts[p.post], 500), "wb");
    assert_string_equal(grid_post_account(&g->posts[p.post], 1000), "wa");
    grid_unref(g);
    grid_unref(before);
}

struct set_hours {
    struct test_city *city;
    int64_t post;
    const char *hours;
};

static enum err_code write_hours(struct tx *tx, void *arg, struct err *err) {
    struct set_hours *k = arg;
    const struct type_def *t = pack_type(k->city->folder.packs, "post");
    struct cell cells[64];
    int64_t version = 0;
    TRY(tx_get(tx, &t->table, k->post, cells, &version, err));
    cells[type_field(t, "hours")] = cell_text(k->hours);
    return tx_update(tx, &t->table, k->post, version, cells, err);
}

static void hours_of(struct test_city *c, int64_t post, const char *hours) {
    struct set_hours k = {c, post, hours};
    city_run(c, write_hours, &k);
    ledger_catch_up(c->folder.ledger, ledger_last_seq(c->folder.ledger));
}

/* Outside the hours of the worker, in the city's own time, the desk above it is; a desk outside its
 * hours is passed over, and the nearest one is asked when all of them sleep. */
static void test_hours(void **state) {
    struct test_city *c = *state;
    const int64_t hour = INT64_C(3600000000);
    const int64_t nine = 1 * hour, three = 19 * hour; /* 09:00 and 03:00 in Shanghai */
    const struct grid *g = grid_ref(c->grid);
    struct place p = grid_place(g, "social", 119.05, 30.05, nine);
    int64_t worker = g->posts[p.post].id;
    int town = grid_desk(g, p.at[LEVEL_TOWN]), county = grid_desk(g, p.at[LEVEL_COUNTY]);
    int64_t town_desk = g->posts[town].id, county_desk = g->posts[county].id;
    int64_t city_desk = g->posts[grid_desk(g, p.at[LEVEL_CITY])].id;
    assert_true(town != county);
    grid_unref(g);
    const struct {
        int64_t post; /* whose hours become the working day */
        int64_t at_night;
    } steps[] = {{worker, town_desk},
                 {town_desk, county_desk},
                 {county_desk, city_desk},
                 {city_desk, town_desk}};
    for (size_t i = 0; i < 4; i++) {
        hours_of(c, steps[i].post, "08:30-17:30");
        g = grid_ref(c->grid);
        p = grid_place(g, "social", 119.05, 30.05, nine);
        assert_int_equal(g->posts[p.post].id, worker);
        assert_false(p.is_desk);
        assert_false(p.unbound);
        p = grid_place(g, "social", 119.05, 30.05, three);
        assert_int_equal(g->posts[p.post].id, steps[i].at_night);
        assert_true(p.is_desk);
        assert_false(p.unbound); /* somebody is bound, only not now */
        assert_true(grid_place(g, "social", 119.15, 30.05, nine).unbound);
        grid_unref(g);
    }
    g = grid_ref(c->grid);
    p = grid_place_of_area(g, GRID_NONE, three);
    assert_int_equal(g->posts[p.post].id, city_desk);
    grid_unref(g);
    for (size_t i = 0; i < 4; i++) hours_of(c, steps[i].post, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_points),
                                       cmocka_unit_test(test_desks_and_units),
                                       cmocka_unit_test(test_cover), cmocka_unit_test(test_hours)};
    return cmocka_run_group_tests(tests, city_setup, city_teardown);
}
