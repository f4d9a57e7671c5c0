#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "geo/polygon.h"
#include "partition.h"

static void put32(struct buf *b, uint32_t v, int big) {
    for (int i = 0; i < 4; i++) buf_char(b, (char)(v >> 8 * (big ? 3 - i : i)));
}

static void put64(struct buf *b, double d, int big) {
    uint64_t v;
    memcpy(&v, &d, 8);
    for (int i = 0; i < 8; i++) buf_char(b, (char)(v >> 8 * (big ? 7 - i : i)));
}

static void put_ring(struct buf *b, const double *xy, uint32_t n, int big) {
    put32(b, n, big);
    for (uint32_t i = 0; i < 2 * n; i++) put64(b, xy[i], big);
}

static const double square[] = {0, 0, 4, 0, 4, 4, 0, 4, 0, 0};
static const double hole[] = {1, 1, 2, 1, 2, 2, 1, 2, 1, 1}; /* the wrong way round for a hole */
static const double far_square[] = {10, 10, 10, 11, 11, 11, 11, 10, 10, 10}; /* clockwise */

/* Multipolygon of two parts, the first with a hole, each part in its own byte order. */
static void put_two_parts(struct buf *b) {
    buf_char(b, 0);
    put32(b, 6, 1);
    put32(b, 2, 1);
    buf_char(b, 1);
    put32(b, 3, 0);
    put32(b, 2, 0);
    put_ring(b, square, 5, 0);
    put_ring(b, hole, 5, 0);
    buf_char(b, 0);
    put32(b, 3, 1);
    put32(b, 1, 1);
    put_ring(b, far_square, 5, 1);
}

static void test_wkb(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct buf b, back;
    buf_init(&b, 1 << 20);
    buf_init(&back, 1 << 20);
    put_two_parts(&b);
    const struct polygon *p, *q;
    struct err err = {0};
    const void *wkb;
    size_t wkb_n;
    assert_int_equal(polygon_wkb_to_wgs84(a, CRS_BD09, b.p, b.n, &wkb, &wkb_n, &err), ERR_OK);
    assert_int_equal(wkb_n, b.n);
    assert_int_equal(polygon_wkb_to_wgs84(a, CRS_WGS84, b.p, b.n - 1, &wkb, &wkb_n, &err),
                     ERR_SYNTAX);
    assert_int_equal(polygon_from_wkb(a, b.p, b.n, &p, &err), ERR_OK);
    assert_int_equal(p->n_part, 2);
    assert_int_equal(p->n_ring, 3);
    assert_int_equal(p->n_pt, 15);
    assert_int_equal(p->part[1], 2);
    assert_int_equal(p->ring[2], 10);
    assert_true(p->box[0] == 0 && p->box[1] == 0 && p->box[2] == 11 && p->box[3] == 11);
    assert_true(p->xy[10 + 2] == 1 && p->xy[10 + 3] == 2);   /* hole turned clockwise */
    assert_true(p->xy[20 + 2] == 11 && p->xy[20 + 3] == 10); /* outer ring turned */
    polygon_to_wkb(p, &back);
    assert_int_equal(polygon_from_wkb(a, back.p, back.n, &q, &err), ERR_OK);
    assert_int_equal(q->n_pt, 15);
    assert_memory_equal(p->xy, q->xy, 30 * sizeof(double));
    assert_memory_equal(p->part, q->part, 3 * sizeof(uint32_t));
    assert_memory_equal(p->ring, q->ring, 4 * sizeof(uint32_t));
    /* Every cut is an error and nothing else. */
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(polygon_from_wkb(a, b.p, n, &q, &err), ERR_SYNTAX);
    buf_char(&b, 0);
    assert_int_equal(polygon_from_wkb(a, b.p, b.n, &q, &err), ERR_SYNTAX);
    buf_deinit(&b);
    buf_deinit(&back);
    arena_free(a);
}

static enum err_code parse_ring(const double *xy, uint32_t n, uint32_t type, struct err *err) {
    struct arena *a = arena_new(1 << 16);
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_char(&b, 1);
    put32(&b, type, 0);
    put32(&b, 1, 0);
    put_ring(&b, xy, n, 0);
    const struct polygon *p;
    enum err_code rc = polygon_from_wkb(a, b.p, b.n, &p, err);
    buf_deinit(&b);
    arena_free(a);
    return rc;
}

static void test_wkb_refusals(void **state) {
    (void)state;
    struct err err = {0};
    assert_int_equal(parse_ring(square, 5, 3, &err), ERR_OK);
    assert_int_equal(parse_ring(square, 5, 2, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.detail, "LineString"));
    assert_int_equal(parse_ring(square, 5, 1003, &err), ERR_UNSUPPORTED);
    assert_int_equal(parse_ring(square, 5, 0x80000003u, &err), ERR_UNSUPPORTED);
    assert_int_equal(parse_ring(square, 4, 3, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "not closed"));
    assert_int_equal(parse_ring(square, 3, 3, &err), ERR_INVALID);
    assert_int_equal(parse_ring(square, 0, 3, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "empty"));
    double bad[10];
    static const double values[] = {NAN, INFINITY, 181, -180.001, 1e308};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        memcpy(bad, square, sizeof bad);
        bad[4] = values[i];
        assert_int_equal(parse_ring(bad, 5, 3, &err), ERR_INVALID);
        assert_non_null(strstr(err.detail, "point 3"));
    }
    static const unsigned char huge[] = {1, 3, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    const struct polygon *p;
    assert_int_equal(polygon_from_wkb(NULL, huge, sizeof huge, &p, &err), ERR_LIMIT);
    static const unsigned char order[] = {2, 3, 0, 0, 0, 0, 0, 0, 0};
    assert_int_equal(polygon_from_wkb(NULL, order, sizeof order, &p, &err), ERR_SYNTAX);
    struct arena *small = arena_new(64);
    uint32_t n = 5, one = 1;
    assert_int_equal(polygon_from_rings(small, square, &n, 1, &one, 1, &p, &err), ERR_NOMEM);
    assert_int_equal(polygon_from_rings(small, square, &n, 1, &n, 1, &p, &err), ERR_INVALID);
    n = 4;
    assert_int_equal(polygon_from_rings(small, square, &n, 1, &one, 1, &p, &err), ERR_INVALID);
    arena_free(small);
}

static void test_geojson(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct buf b, json;
    buf_init(&b, 1 << 20);
    buf_init(&json, 1 << 20);
    put_two_parts(&b);
    const struct polygon *p;
    assert_int_equal(polygon_from_wkb(a, b.p, b.n, &p, NULL), ERR_OK);
    struct jw w;
    jw_init(&w, &json);
    polygon_write_geojson(p, &w);
    assert_string_equal(
        buf_text(&json),
        "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[4,0],[4,4],[0,4],[0,0]],"
        "[[1,1],[1,2],[2,2],[2,1],[1,1]]],[[[10,10],[11,10],[11,11],[10,11],[10,10]]]]}");
    buf_clear(&json);
    uint32_t n = 5, one = 1;
    assert_int_equal(polygon_from_rings(a, square, &n, 1, &one, 1, &p, NULL), ERR_OK);
    jw_init(&w, &json);
    polygon_write_geojson(p, &w);
    assert_string_equal(buf_text(&json),
                        "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[4,0],[4,4],[0,4],[0,0]]]}");
    buf_deinit(&b);
    buf_deinit(&json);
    arena_free(a);
}

static void test_rule_on_a_square_with_hole(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    uint32_t n[] = {5, 5}, two = 2;
    double xy[20];
    memcpy(xy, square, sizeof square);
    memcpy(xy + 10, hole, sizeof hole);
    const struct polygon *p;
    assert_int_equal(polygon_from_rings(a, xy, n, 2, &two, 1, &p, NULL), ERR_OK);
    static const struct {
        double x, y;
        bool in;
    } cases[] = {
        {3, 3, true},    {1.5, 1.5, false}, {5, 1, false},
        {0, 3, true},    {4, 3, false}, /* interior east of it / west of it */
        {3, 0, true},    {3, 4, false}, /* north / south */
        {0, 0, true},    {4, 0, false},     {0, 4, false},
        {4, 4, false},   {1, 1.5, false},   {2, 1.5, true},
        {1.5, 1, false}, {1.5, 2, true}, /* the hole's four sides */
        {1, 1, false},   {2, 1, true},      {1, 2, true},
        {2, 2, true},    {NAN, 1, false},   {1, INFINITY, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (polygon_contains(p, cases[i].x, cases[i].y) != cases[i].in)
            fail_msg("%g, %g", cases[i].x, cases[i].y);
    arena_free(a);
}

/* Border points of a partition with whole-number corners: moving the point by (2^-12, 2^-26)
 * instead of the infinitely small (e, e^2) must give the same owner, for there is no other line of
 * such corners in between. */
static void test_partition_has_one_owner(void **state) {
    (void)state;
    static const double box[] = {-100, -80, 100, 80};
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct arena *a = arena_new(64 << 20);
        struct partition part = partition_make(a, seed, 7, 6, 16, box, 1);
        uint32_t on_border = 0;
        for (int x = -100; x <= 100; x += 1) {
            for (int y = -80; y <= 80; y += 1) {
                uint32_t owners = 0, moved = 0, same = 0, unmoved_neighbours = 0;
                for (uint32_t c = 0; c < part.n; c++) {
                    bool in = polygon_contains(part.cell[c], x, y);
                    bool in_moved = polygon_contains(part.cell[c], x + 0x1p-12, y + 0x1p-26);
                    owners += in;
                    moved += in_moved;
                    same += in == in_moved;
                    unmoved_neighbours +=
                        polygon_contains(part.cell[c], x - 0x1p-12, y - 0x1p-26) != in_moved;
                }
                bool outside = x == 100 || y == 80;
                assert_int_equal(owners, outside ? 0 : 1);
                assert_int_equal(moved, owners);
                assert_int_equal(same, part.n);
                on_border += unmoved_neighbours > 0;
            }
        }
        assert_true(on_border > 300);
        arena_free(a);
    }
}

/* Vertices, rounded middles of edges and random points of a partition in full doubles. */
static void test_real_coordinates_have_one_owner(void **state) {
    (void)state;
    static const double box[] = {118.5, 31.9, 118.9, 32.2};
    struct arena *a = arena_new(64 << 20);
    struct partition part = partition_make(a, 99, 8, 8, 42, box, 0);
    uint64_t s = 5;
    for (uint32_t c = 0; c < part.n; c++) {
        const double *v = part.cell[c]->xy;
        for (uint32_t i = 0; i + 1 < part.cell[c]->n_pt; i++, v += 2) {
            double t = test_unit(&s);
            double at[3][2] = {
                {v[0], v[1]},
                {(v[0] + v[2]) / 2, (v[1] + v[3]) / 2},
                {v[0] + t * (v[2] - v[0]), v[1] + t * (v[3] - v[1])},
            };
            for (int k = 0; k < 3; k++) {
                uint32_t owners = 0;
                for (uint32_t o = 0; o < part.n; o++)
                    owners += polygon_contains(part.cell[o], at[k][0], at[k][1]);
                bool outside = at[k][0] == box[2] || at[k][1] == box[3];
                assert_int_equal(owners, outside ? 0 : 1);
            }
        }
    }
    arena_free(a);
}

static void test_area(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    uint32_t n = 5, one = 1;
    static const double boxes[][4] = {
        {0, 0, 1, 1}, {116, 39, 116.01, 39.01}, {-180, -90, 180, 90}, {118, 31, 119, 33}};
    for (size_t i = 0; i < sizeof boxes / sizeof boxes[0]; i++) {
        const double *b = boxes[i];
        double xy[] = {b[0], b[1], b[2], b[1], b[2], b[3], b[0], b[3], b[0], b[1]};
        const struct polygon *p;
        assert_int_equal(polygon_from_rings(a, xy, &n, 1, &one, 1, &p, NULL), ERR_OK);
        /* Independent: integrate the ellipsoid's M N cos(phi) over latitude by Simpson's rule. */
        double sum = 0, rad = 3.14159265358979323846 / 180, h = (b[3] - b[1]) * rad / 2000;
        for (int k = 0; k <= 2000; k++) {
            double phi = b[1] * rad + k * h, w = 1 - 0.0066943799901413165 * pow(sin(phi), 2);
            double f = 6378137.0 * 6378137.0 * (1 - 0.0066943799901413165) * cos(phi) / (w * w);
            sum += f * (k == 0 || k == 2000 ? 1 : k % 2 == 1 ? 4 : 2);
        }
        double want = sum * h / 3 * (b[2] - b[0]) * rad;
        assert_true(fabs(polygon_area_m2(p) / want - 1) < 1e-9);
    }
    uint32_t rings[] = {5, 5}, two = 2;
    double xy[20];
    memcpy(xy, square, sizeof square);
    memcpy(xy + 10, hole, sizeof hole);
    const struct polygon *whole, *holed, *inner;
    assert_int_equal(polygon_from_rings(a, square, &n, 1, &one, 1, &whole, NULL), ERR_OK);
    assert_int_equal(polygon_from_rings(a, hole, &n, 1, &one, 1, &inner, NULL), ERR_OK);
    assert_int_equal(polygon_from_rings(a, xy, rings, 2, &two, 1, &holed, NULL), ERR_OK);
    double rest = polygon_area_m2(whole) - polygon_area_m2(inner);
    assert_true(fabs(polygon_area_m2(holed) / rest - 1) < 1e-12);
    arena_free(a);
}

static void test_from_map_coordinates(void **state) {
    (void)state;
    struct arena *a = arena_new(64 << 20);
    static const double box[] = {118.5, 31.9, 118.9, 32.2};
    struct partition part = partition_make(a, 3, 3, 3, 20, box, 0);
    for (int crs = 0; crs < CRS_N; crs++) {
        for (uint32_t c = 0; c < part.n; c++) {
            const struct polygon *p = part.cell[c], *moved, *back;
            double *xy = ARENA_NEW(a, double, 2 * (size_t)p->n_pt);
            for (uint32_t i = 0; i < p->n_pt; i++) {
                double lon = p->xy[2 * i], lat = p->xy[2 * i + 1];
                crs_from_wgs84((enum crs)crs, &lon, &lat);
                xy[2 * i] = lon;
                xy[2 * i + 1] = lat;
            }
            uint32_t one = 1, n = p->n_pt;
            assert_int_equal(polygon_from_rings(a, xy, &n, 1, &one, 1, &moved, NULL), ERR_OK);
            assert_int_equal(polygon_to_wgs84(a, moved, (enum crs)crs, &back, NULL), ERR_OK);
            assert_true((back == moved) == (crs < CRS_GCJ02));
            for (uint32_t i = 0; i < 2 * n; i++) assert_true(fabs(back->xy[i] - p->xy[i]) < 1e-9);
            for (int i = 0; i < 4; i++) assert_true(fabs(back->box[i] - p->box[i]) < 1e-9);
            struct buf file, stored;
            const void *wkb;
            size_t wkb_n;
            buf_init(&file, 1 << 20);
            buf_init(&stored, 1 << 20);
            polygon_to_wkb(moved, &file);
            polygon_to_wkb(back, &stored);
            assert_int_equal(
                polygon_wkb_to_wgs84(a, (enum crs)crs, file.p, file.n, &wkb, &wkb_n, NULL), ERR_OK);
            assert_int_equal(wkb_n, stored.n);
            assert_memory_equal(wkb, stored.p, wkb_n);
            buf_deinit(&file);
            buf_deinit(&stored);
        }
    }
    arena_free(a);
}

static void test_label_point(void **state) {
    (void)state;
    struct arena *a = arena_new(64 << 20);
    static const double u_shape[] = {0, 0, 9, 0, 9, 9, 8, 9, 8, 1, 1, 1, 1, 9, 0, 9, 0, 0};
    uint32_t n = 9, one = 1;
    const struct polygon *p;
    double lon, lat;
    assert_int_equal(polygon_from_rings(a, u_shape, &n, 1, &one, 1, &p, NULL), ERR_OK);
    polygon_label_point(p, &lon, &lat);
    assert_true(polygon_contains(p, lon, lat));
    n = 5;
    assert_int_equal(polygon_from_rings(a, square, &n, 1, &one, 1, &p, NULL), ERR_OK);
    polygon_label_point(p, &lon, &lat);
    assert_true(fabs(lon - 2) < 1e-12 && fabs(lat - 2) < 1e-12);
    static const double box[] = {118.5, 31.9, 118.9, 32.2};
    struct partition part = partition_make(a, 3, 20, 20, 20, box, 0);
    for (uint32_t c = 0; c < part.n; c++) {
        polygon_label_point(part.cell[c], &lon, &lat);
        assert_true(polygon_contains(part.cell[c], lon, lat));
    }
    /* No area at all: a point of it, and no crash. */
    static const double flat[] = {1, 1, 2, 2, 3, 3, 1, 1};
    n = 4;
    assert_int_equal(polygon_from_rings(a, flat, &n, 1, &one, 1, &p, NULL), ERR_OK);
    polygon_label_point(p, &lon, &lat);
    assert_true(lon == 1 && lat == 1);
    arena_free(a);
    assert_int_equal(mem_live(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wkb),
        cmocka_unit_test(test_wkb_refusals),
        cmocka_unit_test(test_geojson),
        cmocka_unit_test(test_rule_on_a_square_with_hole),
        cmocka_unit_test(test_partition_has_one_owner),
        cmocka_unit_test(test_real_coordinates_have_one_owner),
        cmocka_unit_test(test_area),
        cmocka_unit_test(test_from_map_coordinates),
        cmocka_unit_test(test_label_point),
    };
    return cmocka_run_group_tests_name("geo_polygon", tests, NULL, NULL);
}
