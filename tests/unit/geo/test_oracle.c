/* polygon_contains and locate_find against GEOS, on invented layers and on real boundaries. They
 * may differ only on borders, where GEOS says "both" and our rule says which: it is checked by
 * moving the point a little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <geos_c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "geo/locate.h"
#include "geos_layer.h"
#include "partition.h"

enum { MOST = 400 };

struct layer {
    GEOSContextHandle_t g;
    GEOSGeometry *shape[MOST];
    const GEOSPreparedGeometry *ready[MOST];
    const struct polygon *cell[MOST];
    size_t n;
    struct locate *l;
    long on_border, compared;
};

static void quiet(const char *message, void *arg) { (void)message, (void)arg; }

static void layer_open(struct layer *w) {
    w->g = GEOS_init_r();
    GEOSContext_setNoticeMessageHandler_r(w->g, quiet, NULL);
    GEOSContext_setErrorMessageHandler_r(w->g, quiet, NULL);
    for (size_t i = 0; i < w->n; i++) {
        w->shape[i] = geos_layer_shape(w->g, w->cell[i]);
        assert_non_null(w->shape[i]);
        w->ready[i] = GEOSPrepare_r(w->g, w->shape[i]);
    }
    assert_int_equal(locate_build(w->cell, w->n, &w->l, NULL), ERR_OK);
}

static void layer_close(struct layer *w) {
    for (size_t i = 0; i < w->n; i++) {
        GEOSPreparedGeom_destroy_r(w->g, w->ready[i]);
        GEOSGeom_destroy_r(w->g, w->shape[i]);
    }
    GEOS_finish_r(w->g);
    locate_unref(w->l);
}

enum where { OUT, IN, BORDER };

static enum where geos_where(const struct layer *w, size_t i, double x, double y) {
    const double *b = w->cell[i]->box;
    if (x < b[0] || x > b[2] || y < b[1] || y > b[3]) return OUT;
    GEOSGeometry *p = GEOSGeom_createPointFromXY_r(w->g, x, y);
    bool touches = GEOSPreparedIntersects_r(w->g, w->ready[i], p) == 1;
    bool inside = GEOSPreparedContainsProperly_r(w->g, w->ready[i], p) == 1;
    GEOSGeom_destroy_r(w->g, p);
    return inside ? IN : touches ? BORDER : OUT;
}

/* What GEOS says of the point moved by our rule: a hair to the east, and where that leaves it on a
 * border, a hair of that to the north. BORDER when a hair is too much (another border lies in
 * between). */
static enum where geos_moved(const struct layer *w, size_t i, double x, double y) {
    enum where near = geos_where(w, i, x + 1e-12, y), far = geos_where(w, i, x + 4e-12, y);
    if (near == BORDER && far == BORDER) {
        near = geos_where(w, i, x + 1e-9, y + 1e-12);
        far = geos_where(w, i, x + 1e-9, y + 2e-12);
    }
    return near == far ? near : BORDER;
}

static void check(struct layer *w, double x, double y) {
    int32_t found = locate_find(w->l, x, y), first = LOCATE_NONE;
    for (size_t i = 0; i < w->n; i++) {
        enum where where = geos_where(w, i, x, y);
        bool in = polygon_contains(w->cell[i], x, y);
        if (in && first == LOCATE_NONE) first = (int32_t)i;
        w->compared++;
        if (where == BORDER) {
            w->on_border++;
            where = geos_moved(w, i, x, y);
            if (where == BORDER) continue;
        }
        if (in != (where == IN))
            fail_msg("cell %zu at %.17g, %.17g: GEOS %d, ours %d", i, x, y, where, in);
    }
    if (found != first) fail_msg("%.17g, %.17g: found %d, is in %d", x, y, found, first);
}

static void check_layer(struct layer *w, const double box[4], int random_points, uint32_t stride) {
    uint64_t s = 11;
    for (int i = 0; i < random_points; i++)
        check(w, box[0] + (box[2] - box[0]) * test_unit(&s),
              box[1] + (box[3] - box[1]) * test_unit(&s));
    for (size_t c = 0; c < w->n; c++) {
        for (uint32_t i = 0; i + 1 < w->cell[c]->n_pt; i += stride) {
            const double *v = w->cell[c]->xy + 2 * (size_t)i;
            check(w, v[0], v[1]);
            check(w, (v[0] + v[2]) / 2, (v[1] + v[3]) / 2);
        }
    }
}

static void test_partition(void **state) {
    (void)state;
    static const double box[] = {118.5, 31.9, 118.9, 32.2};
    struct arena *a = arena_new(64 << 20);
    static const double steps[] = {0, 0x1p-16};
    for (int k = 0; k < 2; k++) {
        struct partition part = partition_make(a, 21, 10, 10, 42, box, steps[k]);
        struct layer w = {.n = part.n};
        memcpy(w.cell, part.cell, part.n * sizeof *part.cell);
        layer_open(&w);
        double area = 0, sum = 0;
        for (size_t i = 0; i < w.n; i++) {
            assert_int_equal(GEOSisValid_r(w.g, w.shape[i]), 1);
            (void)GEOSArea_r(w.g, w.shape[i], &area);
            sum += area;
        }
        if (k == 0) assert_true(fabs(sum - 0.4 * 0.3) < 1e-12);
        check_layer(&w, box, 2000, 1);
        assert_true(w.on_border > 5000);
        layer_close(&w);
    }
    arena_free(a);
}

static void test_tangles(void **state) {
    (void)state;
    static const double box[] = {118, 31, 119, 32};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct arena *a = arena_new(64 << 20);
        struct layer w = {.n = 12};
        uint64_t s = seed;
        for (size_t i = 0; i < w.n; i++) {
            double xy[2 * 31];
            uint32_t n = 31, one = 1;
            for (int k = 0; k < 60; k++) xy[k] = (k % 2 == 0 ? 118 : 31) + test_unit(&s);
            xy[60] = xy[0];
            xy[61] = xy[1];
            assert_int_equal(polygon_from_rings(a, xy, &n, 1, &one, 1, &w.cell[i], NULL), ERR_OK);
        }
        layer_open(&w);
        check_layer(&w, box, 500, 1);
        layer_close(&w);
        arena_free(a);
    }
}

static void test_real_boundaries(void **state) {
    (void)state;
    static const struct {
        const char *file;
        size_t n;
    } files[] = {{"boston_neighborhoods.geojson", 26},
                 {"jiangsu_cities.geojson", 13},
                 {"jiangsu_counties.geojson", 97},
                 {"nanjing_counties_dirty_geometry.geojson", 11}};
    for (size_t k = 0; k < sizeof files / sizeof files[0]; k++) {
        struct arena *a = arena_new(512 << 20);
        struct layer w = {0};
        w.n = geos_layer_read(a, files[k].file, w.cell, MOST);
        if (w.n == 0) {
            arena_free(a);
            print_message("the shared boundary files are absent\n");
            skip();
        }
        assert_int_equal(w.n, files[k].n);
        layer_open(&w);
        double box[4] = {180, 90, -180, -90};
        uint32_t points = 0;
        for (size_t i = 0; i < w.n; i++) {
            for (int b = 0; b < 2; b++) {
                box[b] = fmin(box[b], w.cell[i]->box[b]);
                box[b + 2] = fmax(box[b + 2], w.cell[i]->box[b + 2]);
            }
            points += w.cell[i]->n_pt;
        }
        check_layer(&w, box, 3000, points / 4000 + 1);
        print_message("%s: %zu cells, %ld comparisons, %ld on borders\n", files[k].file, w.n,
                      w.compared, w.on_border);
        assert_true(w.on_border > 100);
        layer_close(&w);
        arena_free(a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partition),
        cmocka_unit_test(test_tangles),
        cmocka_unit_test(test_real_boundaries),
    };
    return cmocka_run_group_tests_name("geo_oracle", tests, NULL, NULL);
}
