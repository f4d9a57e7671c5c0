/* The base map is lines of JSON that the server can read, and the polygons of the grid are the
 * cells of the plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "sim/basemap.h"
#include "sim/city_geo.h"

static struct arena *arena;
static const struct city_plan *plan;

static int set_up(void **state) {
    (void)state;
    struct err err = {0};
    arena = arena_new(256 << 20);
    return arena && city_plan_build(arena, 11, 1000, &plan, &err) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    arena_free(arena);
    return mem_live() == 0 ? 0 : -1;
}

static const char *text_of(const struct val *v, const char *key) {
    const struct val *x = val_get(v, key);
    return x && x->type == VAL_STR ? x->u.s : "";
}

static double number(const struct val *v) { return v->type == VAL_INT ? (double)v->u.i : v->u.d; }

/* Points below any depth of lists lie in the city's box; returns how many. */
static size_t check_points(const struct val *v) {
    assert_int_equal(v->type, VAL_LIST);
    assert_true(v->n > 0);
    if (v->u.list[0].type != VAL_LIST) {
        assert_int_equal(v->n, 2);
        double lon = number(&v->u.list[0]), lat = number(&v->u.list[1]);
        assert_true(lon > 119 && lon < 119.6 && lat > 32.6 && lat < 33.1);
        return 1;
    }
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) n += check_points(&v->u.list[i]);
    return n;
}

/* Twice the signed area in degrees; a polygon's ring must be closed and run counterclockwise. */
static void check_ring(const struct val *ring) {
    double sum = 0;
    assert_true(ring->n >= 4);
    for (size_t i = 0; i + 1 < ring->n; i++) {
        const struct val *a = ring->u.list[i].u.list, *b = ring->u.list[i + 1].u.list;
        sum += number(&a[0]) * number(&b[1]) - number(&b[0]) * number(&a[1]);
    }
    const struct val *first = ring->u.list[0].u.list, *last = ring->u.list[ring->n - 1].u.list;
    assert_true(number(&first[0]) == number(&last[0]) && number(&first[1]) == number(&last[1]));
    assert_true(sum > 0);
}

struct tally {
    size_t river, park, named_street, lane, areas, places;
};

static void check_line(const struct val *v, struct tally *t) {
    const char *layer = text_of(v, "layer"), *cls = text_of(v, "class");
    const struct val *g = val_get(v, "geometry");
    const char *type = text_of(g, "type");
    const struct val *c = val_get(g, "coordinates");
    size_t n = check_points(c);
    bool named = *text_of(v, "name_zh") && *text_of(v, "name_en");
    if (strcmp(layer, "water") == 0 || strcmp(layer, "park") == 0) {
        assert_string_equal(type, "Polygon");
        check_ring(&c->u.list[0]);
        assert_true(named);
        t->river += strcmp(cls, "river") == 0;
        t->park += strcmp(cls, "park") == 0;
    } else if (strcmp(layer, "street") == 0) {
        assert_string_equal(type, "LineString");
        assert_true(n >= 2);
        t->lane += strcmp(cls, "lane") == 0;
        t->named_street += named;
        assert_int_equal(named, strcmp(cls, "lane") != 0);
    } else {
        assert_string_equal(layer, "place");
        assert_string_equal(type, "Point");
        assert_true(named);
        bool area = strcmp(cls, "city") == 0 || strcmp(cls, "county") == 0 ||
                    strcmp(cls, "town") == 0 || strcmp(cls, "community") == 0;
        t->areas += area;
        t->places += !area;
    }
}

static void every_line_is_a_feature(void **state) {
    (void)state;
    struct buf b;
    struct err err = {0};
    struct tally t = {0};
    buf_init(&b, 64 << 20);
    city_basemap_write(plan, &b);
    assert_int_equal(buf_check(&b, &err), ERR_OK);
    for (const char *p = b.p; p < b.p + b.n;) {
        const char *end = strchr(p, '\n');
        assert_non_null(end);
        struct arena *a = arena_new(16 << 20);
        const struct val *v = NULL;
        if (json_parse(a, p, (size_t)(end - p), &v, &err) != ERR_OK) fail_msg("%s", err.detail);
        check_line(v, &t);
        arena_free(a);
        p = end + 1;
    }
    print_message("%zu bytes: %zu parks, %zu streets, %zu lanes, %zu areas, %zu places\n", b.n,
                  t.park, t.named_street, t.lane, t.areas, t.places);
    assert_int_equal(t.river, 1);
    assert_int_equal(t.areas, plan->n_area);
    assert_int_equal(t.places, plan->n_place);
    assert_int_equal(t.named_street + t.lane + 1, plan->n_street);
    assert_true(t.park > 10 && t.named_street > 50 && t.lane > 500);
    buf_deinit(&b);
}

static void a_small_buffer_fails_once(void **state) {
    (void)state;
    struct buf b;
    struct err err = {0};
    buf_init(&b, 10000);
    city_basemap_write(plan, &b);
    assert_int_equal(buf_check(&b, &err), ERR_TOO_LARGE);
    buf_deinit(&b);
}

static void polygons_hold_their_inside(void **state) {
    (void)state;
    struct err err = {0};
    double cells = 0;
    for (uint32_t i = 0; i < plan->n_cell; i++) {
        const struct polygon *g = NULL;
        const struct city_cell *c = &plan->cell[i];
        assert_int_equal(city_cell_polygon(arena, plan, i, &g, &err), ERR_OK);
        assert_true(polygon_contains(g, city_lon(c->inside), city_lat(c->inside)));
        assert_int_equal(g->n_ring, c->hole.n ? 2 : 1);
        cells += polygon_area_m2(g);
    }
    for (uint32_t i = 0; i < plan->n_area; i++) {
        const struct polygon *g = NULL;
        const struct city_area *x = &plan->area[i];
        assert_int_equal(city_area_polygon(arena, plan, i, &g, &err), ERR_OK);
        assert_true(polygon_contains(g, city_lon(x->centre), city_lat(x->centre)));
        if (i > 0) continue;
        double whole = polygon_area_m2(g);
        print_message("the city has %.0f square kilometres\n", whole / 1e6);
        assert_true(whole > 1e9 && whole < 3e9);
        /* Edges are straight in another projection than the plan's, for each cell and the hull
         * alike. */
        assert_true(cells / whole > 0.999999 && cells / whole < 1.000001);
    }
}

static void nobody_reports_from_the_water(void **state) {
    (void)state;
    struct rng r = rng_new(1, 1);
    const struct city_street *river = &plan->street[0];
    size_t tried = 0, wet = 0;
    for (uint32_t i = 0; i < plan->n_cell; i++) {
        if (plan->cell[i].river_m > 0) continue;
        for (int k = 0; k < 30; k++) {
            struct shape_point p = city_plan_point_in(plan, i, &r);
            double m = 1e9;
            for (size_t j = 0; j < river->n; j++) {
                double d = city_dist_m(p, plan->shape->point[river->at[j]]);
                m = d < m ? d : m;
            }
            tried++;
            wet += m < CITY_RIVER_HALF_M;
        }
    }
    assert_true(tried > 500);
    assert_int_equal(wet, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_a_feature),
        cmocka_unit_test(a_small_buffer_fails_once),
        cmocka_unit_test(polygons_hold_their_inside),
        cmocka_unit_test(nobody_reports_from_the_water),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
