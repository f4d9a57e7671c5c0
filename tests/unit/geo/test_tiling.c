/* Coarse shapes against GEOS: nothing overlaps and no gap opens between neighbours, on invented
 * layers, on corners that lie on a neighbour's straight border, and on real boundaries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "geo/tiling.h"
#include "geos_layer.h"
#include "partition.h"

enum { MOST = 400 };

static void check_near(double is, double wanted, double by) {
    if (!(fabs(is - wanted) <= by)) fail_msg("%.15g, expected %.15g within %.3g", is, wanted, by);
}

static void quiet(const char *message, void *arg) { (void)message, (void)arg; }

static GEOSContextHandle_t begin(void) {
    GEOSContextHandle_t g = GEOS_init_r();
    GEOSContext_setNoticeMessageHandler_r(g, quiet, NULL);
    GEOSContext_setErrorMessageHandler_r(g, quiet, NULL);
    return g;
}

struct whole {
    double sum, area; /* of the shapes one by one, and of what they cover together */
    int holes, parts; /* of what they cover together */
    GEOSGeometry *all;
};

static int holes_of(GEOSContextHandle_t g, const GEOSGeometry *u) {
    int n = 0;
    for (int i = 0; i < GEOSGetNumGeometries_r(g, u); i++)
        n += GEOSGetNumInteriorRings_r(g, GEOSGetGeometryN_r(g, u, i));
    return n;
}

static struct whole whole_of(GEOSContextHandle_t g, const struct polygon *const *shape, size_t n) {
    struct whole w = {0};
    GEOSGeometry **part = calloc(n, sizeof(GEOSGeometry *));
    unsigned count = 0;
    for (size_t i = 0; i < n; i++) {
        if (shape[i] == NULL) continue;
        GEOSGeometry *raw = geos_layer_shape(g, shape[i]);
        part[count] = GEOSMakeValid_r(g, raw); /* a coarse ring may touch itself */
        GEOSGeom_destroy_r(g, raw);
        assert_non_null(part[count]);
        double area = 0;
        assert_int_equal(GEOSArea_r(g, part[count], &area), 1);
        w.sum += area;
        count++;
    }
    GEOSGeometry *all = GEOSGeom_createCollection_r(g, GEOS_GEOMETRYCOLLECTION, part, count);
    GEOSGeometry *u = GEOSUnaryUnion_r(g, all);
    assert_non_null(u);
    assert_int_equal(GEOSArea_r(g, u, &w.area), 1);
    w.holes = holes_of(g, u);
    w.parts = GEOSGetNumGeometries_r(g, u);
    w.all = u;
    GEOSGeom_destroy_r(g, all);
    free(part);
    return w;
}

/* Holes of what the coarse shapes cover that were covered before: gaps between neighbours. The
 * others hold water, behind a mouth narrower than a square. */
static int gaps(GEOSContextHandle_t g, const struct whole *is, const struct whole *was) {
    int n = 0;
    for (int i = 0; i < is->parts; i++) {
        const GEOSGeometry *part = GEOSGetGeometryN_r(g, is->all, i);
        for (int k = 0; k < GEOSGetNumInteriorRings_r(g, part); k++) {
            GEOSGeometry *ring = GEOSGeom_clone_r(g, GEOSGetInteriorRingN_r(g, part, k));
            GEOSGeometry *hole = GEOSGeom_createPolygon_r(g, ring, NULL, 0);
            GEOSGeometry *both = GEOSIntersection_r(g, hole, was->all);
            double area = 0, covered = 0;
            assert_non_null(both);
            assert_int_equal(GEOSArea_r(g, hole, &area), 1);
            assert_int_equal(GEOSArea_r(g, both, &covered), 1);
            n += covered > 0.98 * area;
            GEOSGeom_destroy_r(g, both);
            GEOSGeom_destroy_r(g, hole);
        }
    }
    return n;
}

static size_t points_of(const struct polygon *const *shape, size_t n) {
    size_t points = 0;
    for (size_t i = 0; i < n; i++) points += shape[i] == NULL ? 0 : shape[i]->n_pt;
    return points;
}

static void test_partitions(void **state) {
    (void)state;
    const double box[4] = {118.5, 31.9, 118.9, 32.2};
    GEOSContextHandle_t g = begin();
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct arena *a = arena_new(64 << 20);
        struct partition p = partition_make(a, seed, 11, 7, 60, box, 0);
        const struct polygon *out[MOST];
        struct err err = {0};
        for (int side = 64; side <= 2048; side *= 4) {
            assert_int_equal(tiling_coarse(a, p.cell, p.n, side, out, &err), ERR_OK);
            struct whole w = whole_of(g, out, p.n);
            assert_int_equal(w.parts, 1);
            assert_int_equal(w.holes, 0);
            check_near(w.sum, w.area, 1e-12);
            GEOSGeom_destroy_r(g, w.all);
            /* The rim is straight and on the lattice's border on two sides; on the others it moves
             * by half a square at most. */
            check_near(w.area, 0.4 * 0.3, 0.7 * 0.6 / side);
            for (uint32_t i = 0; i < p.n; i++) assert_non_null(out[i]);
        }
        arena_free(a);
    }
    GEOS_finish_r(g);
}

static const struct polygon *quad(struct arena *a, const double xy[10]) {
    const uint32_t ring_n[1] = {5}, part_n[1] = {1};
    const struct polygon *out = NULL;
    assert_int_equal(polygon_from_rings(a, xy, ring_n, 1, part_n, 1, &out, NULL), ERR_OK);
    return out;
}

/* Two small shapes meet on the slanting side of a large one: without the bend there is a gap or an
 * overlap at the corner they share. */
static void test_corner_on_a_side(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    GEOSContextHandle_t g = begin();
    double t = 0.437;
    double mx = 1 + 0.31 * t, my = t; /* a point of the side (1, 0) - (1.31, 1) */
    const struct polygon *in[3] = {quad(a, (double[]){0, 0, 1, 0, 1.31, 1, 0, 1, 0, 0}),
                                   quad(a, (double[]){1, 0, 2, 0, 2, 0.5, mx, my, 1, 0}),
                                   quad(a, (double[]){mx, my, 2, 0.5, 2, 1, 1.31, 1, mx, my})};
    const struct polygon *out[3];
    for (int side = 20; side < 60; side++) {
        assert_int_equal(tiling_coarse(a, in, 3, side, out, NULL), ERR_OK);
        struct whole w = whole_of(g, out, 3);
        assert_int_equal(w.holes, 0);
        assert_int_equal(w.parts, 1);
        check_near(w.sum, w.area, 1e-12);
        GEOSGeom_destroy_r(g, w.all);
    }
    GEOS_finish_r(g);
    arena_free(a);
}

/* What is smaller than a square is gone; empty entries stay empty; limits are told. */
static void test_edges(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    const struct polygon *in[3] = {
        quad(a, (double[]){0, 0, 1, 0, 1, 1, 0, 1, 0, 0}), NULL,
        quad(a, (double[]){0.5, 0.5, 0.5001, 0.5, 0.5001, 0.5001, 0.5, 0.5001, 0.5, 0.5})};
    const struct polygon *out[3];
    struct err err = {0};
    assert_int_equal(tiling_coarse(a, in, 3, 100, out, &err), ERR_OK);
    assert_non_null(out[0]);
    assert_null(out[1]);
    assert_null(out[2]);
    assert_int_equal(tiling_coarse(a, in, 3, 2, out, &err), ERR_INVALID);
    const struct polygon *none[1] = {NULL};
    assert_int_equal(tiling_coarse(a, none, 1, 100, out, &err), ERR_OK);
    assert_null(out[0]);
    for (long n = 0;; n++) {
        mem_fault_arm(n);
        enum err_code rc = tiling_coarse(a, in, 3, 100, out, &err);
        if (mem_fault_disarm() == 0) break;
        assert_true(rc == ERR_NOMEM || rc == ERR_OK);
    }
    arena_free(a);
}

static void test_real(void **state) {
    (void)state;
    /* Counties of Jiangsu were traced one by one: 1,339 gaps before, and borders that cross. */
    static const struct {
        const char *name;
        int most_gaps;
    } files[] = {{"boston_neighborhoods.geojson", 0}, {"jiangsu_counties.geojson", 1}};
    GEOSContextHandle_t g = begin();
    for (size_t k = 0; k < 2; k++) {
        struct arena *a = arena_new(128 << 20);
        const struct polygon *in[MOST], *out[MOST];
        struct err err = {0};
        size_t n = geos_layer_read(a, files[k].name, in, MOST);
        if (n == 0) {
            print_message("the shared boundary files are absent\n");
            arena_free(a);
            GEOS_finish_r(g);
            skip();
        }
        assert_int_equal(tiling_coarse(a, in, n, 1024, out, &err), ERR_OK);
        struct whole was = whole_of(g, in, n), is = whole_of(g, out, n);
        print_message("%s: %zu points -> %zu, holes %d -> %d of which %d gaps, overlap %.2g "
                      "-> %.2g of the whole\n",
                      files[k].name, points_of(in, n), points_of(out, n), was.holes, is.holes,
                      gaps(g, &is, &was), was.sum / was.area - 1, is.sum / is.area - 1);
        assert_true(gaps(g, &is, &was) <= files[k].most_gaps);
        GEOSGeom_destroy_r(g, is.all);
        GEOSGeom_destroy_r(g, was.all);
        check_near(is.sum, is.area, 1e-4 * is.area);
        check_near(is.area, was.area, 1e-2 * was.area);
        assert_true(points_of(out, n) < points_of(in, n));
        arena_free(a);
    }
    GEOS_finish_r(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_corner_on_a_side),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_real),
    };
    return cmocka_run_group_tests_name("geo_tiling", tests, NULL, NULL);
}
