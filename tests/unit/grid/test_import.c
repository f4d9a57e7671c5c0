/* Areas and cells from files into a city: what goes in, what is refused by name, and that nothing
 * is half imported. Needs the helper gezhi-geo beside the tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain/grid/import.h"

#define SHARED SOURCE_DIR "/../shared/data/02-boundaries/"

struct town {
    char dir[64], file[96];
    struct folder f;
    char *problems, *warnings; /* of the last run */
    struct grid_imported n;
    struct err err;
};

static int set_up(void **state, const char *codes) {
    struct town *t = calloc(1, sizeof *t);
    assert_non_null(t);
    (void)snprintf(t->dir, sizeof t->dir, "/tmp/gezhi-import-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    (void)snprintf(t->file, sizeof t->file, "%s/in.geojson", t->dir);
    char dir[80];
    (void)snprintf(dir, sizeof dir, "%s/city", t->dir);
    struct city city = {"Test", "Asia/Shanghai", codes, false};
    struct err err = {0};
    if (folder_create(dir, SOURCE_DIR "/packs", &city, NULL, &err) != ERR_OK ||
        folder_open(dir, 2, NULL, &t->f, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    *state = t;
    return 0;
}

static int free_city(void **state) { return set_up(state, "free"); }
static int gb_city(void **state) { return set_up(state, "gb"); }

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state) {
    struct town *t = *state;
    folder_close(&t->f);
    free(t->problems);
    free(t->warnings);
    (void)nftw(t->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(t);
    return 0;
}

/* ---- files and runs ---- */

struct square {
    const char *code, *name, *parent;
    double west, south, east, north;
};

static void write_text(const struct town *t, const char *features) {
    FILE *f = fopen(t->file, "w");
    assert_non_null(f);
    (void)fprintf(f, "{\"type\":\"FeatureCollection\",\"features\":[%s]}", features);
    assert_int_equal(fclose(f), 0);
}

static void write_squares(const struct town *t, const struct square *s, size_t n) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    for (size_t i = 0; i < n; i++) {
        (void)fprintf(f,
                      "%s{\"type\":\"Feature\",\"properties\":{\"code\":\"%s\",\"name\":\"%s\","
                      "\"above\":\"%s\"},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":"
                      "[[[%.9f,%.9f],[%.9f,%.9f],[%.9f,%.9f],[%.9f,%.9f],[%.9f,%.9f]]]}}",
                      i == 0 ? "" : ",", s[i].code, s[i].name,
                      s[i].parent == NULL ? "" : s[i].parent, s[i].west, s[i].south, s[i].east,
                      s[i].south, s[i].east, s[i].north, s[i].west, s[i].north, s[i].west,
                      s[i].south);
    }
    assert_int_equal(fclose(f), 0);
    write_text(t, text);
    free(text);
}

static struct grid_import areas_in(const struct town *t) {
    return (struct grid_import){.file = t->file,
                                .helper_dir = BUILD_DIR,
                                .code_field = "code",
                                .name_field = "name",
                                .level = -1};
}

static struct grid_import cells_in(const struct town *t) {
    struct grid_import in = areas_in(t);
    in.layer = "social";
    return in;
}

static enum err_code run(struct town *t, struct grid_import in) {
    size_t n = 0, m = 0;
    free(t->problems);
    free(t->warnings);
    in.problems = open_memstream(&t->problems, &n);
    in.warnings = open_memstream(&t->warnings, &m);
    t->err = (struct err){0};
    enum err_code rc = grid_import_run(&t->f, &in, &t->n, &t->err);
    (void)fclose(in.problems);
    (void)fclose(in.warnings);
    return rc;
}

static void must_run(struct town *t, struct grid_import in) {
    if (run(t, in) != ERR_OK) fail_msg("%s\n%s", t->err.detail, t->problems);
}

static void has(const char *text, const char *part) {
    if (strstr(text, part) == NULL) fail_msg("\"%s\" is not in: %s", part, text);
}

static const struct grid *grid_of(struct town *t) {
    struct reader *r = NULL;
    const struct grid *g = NULL;
    if (ledger_read_begin(t->f.ledger, &r, &t->err) != ERR_OK) fail_msg("%s", t->err.detail);
    if (grid_build(reader_db(r), 1, t->f.packs, NULL, &g, &t->err) != ERR_OK)
        fail_msg("%s", t->err.detail);
    ledger_read_end(r);
    return g;
}

static void nothing_there(struct town *t) {
    const struct grid *g = grid_of(t);
    assert_int_equal(g->n_areas + g->n_cells, 0);
    grid_unref(g);
}

static const struct square two[] = {{"A", "甲", NULL, 119, 30, 119.1, 30.1},
                                    {"B", "乙", NULL, 119.1, 30, 119.2, 30.1}};

/* ---- tests ---- */

static void counts(const struct town *t, int64_t added, int64_t changed, int64_t unchanged) {
    assert_int_equal(t->n.added, added);
    assert_int_equal(t->n.changed, changed);
    assert_int_equal(t->n.unchanged, unchanged);
}

static void test_twice(void **state) {
    struct town *t = *state;
    write_squares(t, two, 2);
    must_run(t, cells_in(t));
    counts(t, 2, 0, 0);
    assert_int_equal(t->n.without_parent, 2); /* no areas yet: said, not refused */
    assert_string_equal(t->warnings, "");
    must_run(t, cells_in(t));
    counts(t, 0, 0, 2);
    struct square s[3] = {two[0], two[1], {"C", "丙", NULL, 119.2, 30, 119.3, 30.1}};
    s[1].name = "乙二";
    write_squares(t, s, 3);
    must_run(t, cells_in(t));
    counts(t, 1, 1, 1);
    /* A second layer has its own codes; a point has a cell in each. */
    struct square all = {"A", "whole", NULL, 119, 30, 119.3, 30.1};
    write_squares(t, &all, 1);
    struct grid_import in = cells_in(t);
    in.layer = "fire";
    must_run(t, in);
    counts(t, 1, 0, 0);
    const struct grid *g = grid_of(t);
    assert_int_equal(g->n_layers, 2);
    assert_int_equal(g->n_cells, 4);
    struct place p = grid_place(g, "social", 119.15, 30.05, 0);
    assert_string_equal(g->cells[p.cell].name, "乙二");
    p = grid_place(g, "fire", 119.15, 30.05, 0);
    assert_string_equal(g->cells[p.cell].name, "whole");
    grid_unref(g);
}

/* Looking needs no lock: a folder that is being served can be read, not written, by another. */
static void test_look(void **state) {
    struct town *t = *state;
    write_squares(t, two, 2);
    must_run(t, cells_in(t));
    struct folder second;
    struct err err = {0};
    assert_int_equal(folder_open(t->f.dir, 1, NULL, &second, &err), ERR_CONFLICT);
    assert_int_equal(folder_look(t->f.dir, &second, &err), ERR_OK);
    assert_null(second.ledger);
    const struct grid *g = NULL;
    assert_int_equal(grid_build(second.look, 1, second.packs, NULL, &g, &err), ERR_OK);
    assert_int_equal(g->n_cells, 2);
    assert_non_null(g->tz);
    grid_unref(g);
    folder_close(&second);
    must_run(t, cells_in(t)); /* the one that holds it goes on */
    counts(t, 0, 0, 2);
    assert_int_equal(folder_look(t->dir, &second, &err), ERR_NOT_FOUND);
}

static void test_crs(void **state) {
    struct town *t = *state;
    static const struct {
        const char *name;
        enum crs crs;
    } systems[] = {{"gcj02", CRS_GCJ02}, {"bd09", CRS_BD09}};
    for (size_t i = 0; i < 2; i++) {
        /* The square 119..119.1, 30..30.1 as a map in that system shows it. */
        double corner[4][2] = {{119, 30}, {119.1, 30}, {119.1, 30.1}, {119, 30.1}};
        char text[1024], ring[640] = "";
        for (size_t k = 0; k < 5; k++) {
            double lon = corner[k % 4][0], lat = corner[k % 4][1];
            crs_from_wgs84(systems[i].crs, &lon, &lat);
            size_t at = strlen(ring);
            (void)snprintf(ring + at, sizeof ring - at, "%s[%.12f,%.12f]", k == 0 ? "" : ",", lon,
                           lat);
        }
        (void)snprintf(text, sizeof text,
                       "{\"type\":\"Feature\",\"properties\":{\"code\":\"%s\",\"name\":\"x\"},"
                       "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[%s]]}}",
                       systems[i].name, ring);
        write_text(t, text);
        struct grid_import in = cells_in(t);
        in.layer = systems[i].name;
        in.crs = systems[i].name;
        must_run(t, in);
        const struct grid *g = grid_of(t);
        const struct grid_cell *c = &g->cells[grid_cell_index(g, in.layer, systems[i].name)];
        const double box[4] = {119, 30, 119.1, 30.1};
        for (size_t k = 0; k < 4; k++) assert_true(fabs(c->bbox[k] - box[k]) < 1e-6);
        /* 50 m on both sides of the western border, where the systems differ by 500. */
        assert_true(grid_place(g, in.layer, 119.0005, 30.05, 0).cell != GRID_NONE);
        assert_true(grid_place(g, in.layer, 118.9995, 30.05, 0).cell == GRID_NONE);
        grid_unref(g);
        must_run(t, in);
        counts(t, 0, 0, 1);
    }
}

/* Each file is refused with a line that names the feature and what is wrong; nothing goes in. */
static void test_refused(void **state) {
    struct town *t = *state;
    struct square s[3] = {two[0], two[1], two[1]};
    write_squares(t, s, 3);
    assert_int_equal(run(t, cells_in(t)), ERR_INVALID);
    has(t->problems, "stands twice in the file: B");
    has(t->err.detail, "nothing was imported");
    nothing_there(t);

    static const struct {
        const char *geometry, *says;
    } bad[] = {
        {"{\"type\":\"Polygon\",\"coordinates\":[[[119,30],[119.1,30.1],[119.1,30],[119,30.1],"
         "[119,30]]]}",
         "Self-intersection at 119.050000, 30.050000"},
        {"{\"type\":\"Point\",\"coordinates\":[119,30]}", "cannot be stored"},
        {"{\"type\":\"LineString\",\"coordinates\":[[119,30],[119,31]]}", "cannot be stored"},
        {"null", "it has no shape"}};
    for (size_t i = 0; i < 4; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text,
                       "{\"type\":\"Feature\",\"properties\":{\"code\":\"G\",\"name\":\"good\"},"
                       "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[118,30],[118.1,30],"
                       "[118.1,30.1],[118,30]]]}},"
                       "{\"type\":\"Feature\",\"properties\":{\"code\":\"X\",\"name\":\"bad\"},"
                       "\"geometry\":%s}",
                       bad[i].geometry);
        write_text(t, text);
        assert_int_equal(run(t, cells_in(t)), ERR_INVALID);
        has(t->problems, "feature 2: ");
        has(t->problems, bad[i].says);
        nothing_there(t);
    }

    write_squares(t, two, 2);
    struct grid_import in = cells_in(t);
    in.name_field = "title";
    assert_int_equal(run(t, in), ERR_INVALID);
    has(t->err.detail, "title");
    has(t->err.detail, "above"); /* the fields that the file has */
    s[0].code = "";
    write_squares(t, s, 2);
    assert_int_equal(run(t, cells_in(t)), ERR_INVALID);
    has(t->problems, "feature 1: it has no code");
    nothing_there(t);
}

static void test_repair(void **state) {
    struct town *t = *state;
    write_text(t, "{\"type\":\"Feature\",\"properties\":{\"code\":\"X\",\"name\":\"bow\"},"
                  "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[119,30],[119.1,30.1],"
                  "[119.1,30],[119,30.1],[119,30]]]}}");
    assert_int_equal(run(t, cells_in(t)), ERR_INVALID);
    has(t->problems, "--repair");
    nothing_there(t);
    struct grid_import in = cells_in(t);
    in.repair = true;
    must_run(t, in);
    assert_int_equal(t->n.repaired, 1);
    const struct grid *g = grid_of(t);
    assert_true(grid_place(g, "social", 119.02, 30.05, 0).cell != GRID_NONE);
    assert_true(grid_place(g, "social", 119.05, 30.02, 0).cell == GRID_NONE);
    grid_unref(g);
}

static void test_gb_codes(void **state) {
    struct town *t = *state;
    static const char *const bad[] = {"A", "99010100100", "99010100100X", "-90101001001"};
    struct square s = two[0];
    for (size_t i = 0; i < 4; i++) {
        s.code = bad[i];
        write_squares(t, &s, 1);
        assert_int_equal(run(t, cells_in(t)), ERR_INVALID);
        has(t->problems, "does not follow the rule: ");
        assert_int_equal(run(t, areas_in(t)), ERR_INVALID);
    }
    s.code = "990101001001001"; /* a cell's code goes on below its community; an area's does not */
    write_squares(t, &s, 1);
    assert_int_equal(run(t, areas_in(t)), ERR_INVALID);
    nothing_there(t);
    must_run(t, cells_in(t));
    s.code = "990101000000";
    write_squares(t, &s, 1);
    must_run(t, areas_in(t));
}

static void make_areas(struct town *t) {
    struct square city = {"city", "city", NULL, 119, 30, 119.2, 30.1};
    struct grid_import in = areas_in(t);
    in.level = LEVEL_CITY;
    write_squares(t, &city, 1);
    must_run(t, in);
    struct square county[] = {{"east", "east", NULL, 119.1, 30, 119.2, 30.1},
                              {"west", "west", NULL, 119, 30, 119.1, 30.1},
                              {"far", "far", NULL, 119.15, 30, 119.4, 30.1}};
    write_squares(t, county, 3);
    must_run(t, areas_in(t)); /* without a parent named: by shape */
    assert_int_equal(t->n.without_parent, 1);
    has(t->warnings, "overlap: east and far share ");
    const struct grid *g = grid_of(t);
    int top = grid_area_index(g, "city");
    assert_int_equal(g->areas[grid_area_index(g, "east")].parent, top);
    assert_int_equal(g->areas[grid_area_index(g, "far")].parent, GRID_NONE);
    grid_unref(g);
}

static void test_parents(void **state) {
    struct town *t = *state;
    make_areas(t);
    struct square s[] = {{"1", "1", "west", 119, 30, 119.1, 30.1},
                         {"2", "2", "east", 119.1, 30, 119.15, 30.1},
                         {"3", "3", "city", 119.08, 30.02, 119.12, 30.05}};
    write_squares(t, s, 3);
    must_run(t, cells_in(t)); /* by shape: the deepest that holds it */
    assert_int_equal(t->n.without_parent, 0);
    has(t->warnings, "overlap: 1 and 3 share ");
    has(t->warnings, "m wide, at 119.");
    const struct grid *g = grid_of(t);
    const int *at = g->cells[grid_cell_index(g, "social", "1")].at;
    assert_string_equal(g->areas[at[LEVEL_COUNTY]].code, "west");
    assert_string_equal(g->areas[at[LEVEL_CITY]].code, "city");
    at = g->cells[grid_cell_index(g, "social", "3")].at; /* across the two counties */
    assert_int_equal(at[LEVEL_COUNTY], GRID_NONE);
    assert_string_equal(g->areas[at[LEVEL_CITY]].code, "city");
    grid_unref(g);

    struct grid_import in = cells_in(t);
    in.parent_field = "above";
    must_run(t, in);
    counts(t, 0, 0, 3);
    s[1].parent = "west"; /* holds nothing of it */
    s[2].parent = "west"; /* holds half of it */
    write_squares(t, s, 3);
    assert_int_equal(run(t, in), ERR_INVALID);
    has(t->problems, "feature 2: only 0.0 % of 2 lies in its parent west");
    has(t->problems, "feature 3: only 50.0 % of 3 lies in its parent west");
    s[1].parent = "nowhere";
    write_squares(t, s, 2);
    assert_int_equal(run(t, in), ERR_INVALID);
    has(t->problems, "feature 2: its parent does not exist: nowhere");
    struct grid_import towns = areas_in(t);
    towns.parent = "west";
    write_squares(t, s, 2);
    must_run(t, towns);
    has(t->warnings, "parent: only 0.0 % of 2 lies in its parent west");
}

static void test_topology(void **state) {
    struct town *t = *state;
    /* Four squares around a hole of 0.01 degree, the last 1e-5 degree (a metre) over its
     * neighbour. */
    struct square s[] = {{"s", "s", NULL, 119, 30, 119.03, 30.01},
                         {"w", "w", NULL, 119, 30.01, 119.01, 30.02},
                         {"e", "e", NULL, 119.02, 30.01, 119.03, 30.02},
                         {"n", "n", NULL, 119, 30.01999, 119.03, 30.03}};
    write_squares(t, s, 4);
    must_run(t, cells_in(t));
    has(t->warnings, "gap: 10");
    has(t->warnings, "sliver, overlap: e and n share ");
    has(t->warnings, "sliver, overlap: n and w share ");
    assert_int_equal(t->n.warnings, 3);
    /* What is there already counts too. */
    struct square over = {"z", "z", NULL, 119.005, 30.005, 119.006, 30.006};
    write_squares(t, &over, 1);
    must_run(t, cells_in(t));
    has(t->warnings, "overlap: z and s share ");
    assert_null(strstr(t->warnings, "e and n"));
    /* 60 cells on top of each other are 1,770 overlaps: 50 are shown, the rest counted. */
    struct square pile[60];
    char code[60][16];
    for (int i = 0; i < 60; i++) {
        (void)snprintf(code[i], sizeof code[i], "p%d", i);
        pile[i] = (struct square){code[i], "p", NULL, 110, 30, 110.01, 30.01};
    }
    write_squares(t, pile, 60);
    struct grid_import in = cells_in(t);
    in.layer = "pile";
    must_run(t, in);
    assert_int_equal(t->n.warnings, 60 * 59 / 2);
    has(t->warnings, "1720 more warnings of this kind");
}

/* Jiangsu: the counties find their cities by shape; the dirty file of Nanjing needs repair. */
static void test_jiangsu(void **state) {
    struct town *t = *state;
    if (access(SHARED "jiangsu_cities.geojson", R_OK) != 0) {
        print_message("skipped: the boundaries are not here\n");
        skip();
    }
    struct grid_import in = areas_in(t);
    in.file = SHARED "jiangsu_cities.geojson";
    in.code_field = "adcode";
    in.level = LEVEL_CITY;
    must_run(t, in);
    counts(t, 13, 0, 0);
    in.file = SHARED "jiangsu_counties.geojson";
    in.level = LEVEL_COUNTY;
    in.repair = true;
    must_run(t, in);
    assert_int_equal(t->n.added, 97);
    const struct grid *g = grid_of(t);
    int right = 0;
    for (size_t i = 0; i < g->n_areas; i++) {
        const struct grid_area *a = &g->areas[i];
        if (a->level != LEVEL_COUNTY || a->parent == GRID_NONE) continue;
        if (strncmp(a->code, g->areas[a->parent].code, 4) != 0)
            fail_msg("%s lies in %s", a->code, g->areas[a->parent].code);
        right++;
    }
    assert_int_equal(right + t->n.without_parent, 97);
    assert_true(right >= 90);
    grid_unref(g);
    struct grid_import dirty = cells_in(t);
    dirty.file = SHARED "nanjing_counties_dirty_geometry.geojson";
    dirty.code_field = "adcode";
    assert_int_equal(run(t, dirty), ERR_INVALID);
    has(t->problems, "feature 4: the shape is not valid: Self-intersection at 118.8945");
    has(t->problems, "栖霞区");
    dirty.repair = true;
    must_run(t, dirty);
    counts(t, 11, 0, 0);
    assert_int_equal(t->n.repaired, 10);
    has(t->warnings, "gap: ");
    must_run(t, dirty);
    counts(t, 0, 0, 11);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_twice, free_city, tear_down),
        cmocka_unit_test_setup_teardown(test_look, free_city, tear_down),
        cmocka_unit_test_setup_teardown(test_crs, free_city, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, free_city, tear_down),
        cmocka_unit_test_setup_teardown(test_repair, free_city, tear_down),
        cmocka_unit_test_setup_teardown(test_gb_codes, gb_city, tear_down),
        cmocka_unit_test_setup_teardown(test_parents, free_city, tear_down),
        cmocka_unit_test_setup_teardown(test_topology, free_city, tear_down),
        cmocka_unit_test_setup_teardown(test_jiangsu, free_city, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
