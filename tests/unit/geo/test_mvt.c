#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/val.h"
#include "geo/crs.h"
#include "geo/mvt.h"
#include "helper/run.h"
#include "partition.h"

/* ---- a reader of its own, which checks every rule of the specification it meets ---- */

struct reader {
    const unsigned char *p, *end;
};

static uint64_t varint(struct reader *r) {
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(r->p < r->end && shift < 64);
        v |= (uint64_t)(*r->p & 0x7f) << shift;
        if (*r->p++ < 0x80) return v;
    }
}

static struct reader counted(struct reader *r) {
    uint64_t n = varint(r);
    assert_true(n <= (uint64_t)(r->end - r->p));
    struct reader out = {r->p, r->p + n};
    r->p += n;
    return out;
}

struct seen {
    int layers, features, points, lines, rings, holes, moves, vertices;
    double area; /* of all polygons, square units */
    int min_x, min_y, max_x, max_y;
    char names[256];
    unsigned last_type;
};

static long zigzag(uint64_t v) { return (long)(v >> 1) ^ -(long)(v & 1); }

static void see_point(struct seen *s, long x, long y) {
    if (x < s->min_x) s->min_x = (int)x;
    if (y < s->min_y) s->min_y = (int)y;
    if (x > s->max_x) s->max_x = (int)x;
    if (y > s->max_y) s->max_y = (int)y;
    s->vertices++;
}

static void see_geometry(struct seen *s, unsigned type, struct reader g) {
    long x = 0, y = 0;
    bool has_outer = false;
    while (g.p < g.end) {
        uint64_t c = varint(&g);
        assert_int_equal(c, 1 | 1 << 3); /* MoveTo once */
        x += zigzag(varint(&g));
        y += zigzag(varint(&g));
        see_point(s, x, y);
        s->moves++;
        if (type == 1) {
            s->points++;
            continue;
        }
        long x0 = x, y0 = y, area = 0;
        c = varint(&g);
        assert_int_equal(c & 7, 2);
        uint64_t n = c >> 3;
        assert_true(n >= (type == 3 ? 2u : 1u));
        for (uint64_t i = 0; i < n; i++) {
            long px = x, py = y;
            x += zigzag(varint(&g));
            y += zigzag(varint(&g));
            assert_true(x != px || y != py);
            area += px * y - x * py;
            see_point(s, x, y);
        }
        if (type == 2) {
            s->lines++;
            continue;
        }
        assert_true(x != x0 || y != y0); /* the first point is not repeated */
        area += x * y0 - x0 * y;
        assert_int_equal(varint(&g), 7 | 1 << 3);
        assert_true(area != 0);
        assert_true(has_outer || area > 0); /* an outer ring comes first, and is positive */
        has_outer = true;
        if (area > 0)
            s->rings++;
        else
            s->holes++;
        s->area += (double)area / 2;
    }
}

static void see_feature(struct seen *s, struct reader f, uint64_t n_keys, uint64_t n_values) {
    struct reader tags = {0}, geometry = {0};
    unsigned type = 0;
    while (f.p < f.end) {
        uint64_t key = varint(&f);
        if (key == (1 << 3)) {
            assert_true(varint(&f) != 0);
        } else if (key == (2 << 3 | 2)) {
            tags = counted(&f);
        } else if (key == 3 << 3) {
            type = (unsigned)varint(&f);
        } else {
            assert_int_equal(key, 4 << 3 | 2);
            geometry = counted(&f);
        }
    }
    assert_true(type >= 1 && type <= 3);
    while (tags.p < tags.end) {
        assert_true(varint(&tags) < n_keys);
        assert_true(varint(&tags) < n_values);
    }
    assert_true(geometry.p < geometry.end);
    see_geometry(s, type, geometry);
    s->last_type = type;
    s->features++;
}

static void see_name(struct seen *s, struct reader name) {
    size_t at = strlen(s->names);
    (void)snprintf(s->names + at, sizeof s->names - at, "%.*s;", (int)(name.end - name.p),
                   (const char *)name.p);
}

static void see_layer(struct seen *s, struct reader l) {
    uint64_t n_keys = 0, n_values = 0, version = 0, extent = 0;
    for (struct reader r = l; r.p < r.end;) {
        uint64_t key = varint(&r);
        if (key == 15 << 3) {
            version = varint(&r);
        } else if (key == 5 << 3) {
            extent = varint(&r);
        } else {
            struct reader sub = counted(&r);
            if (key == (1 << 3 | 2)) see_name(s, sub);
            n_keys += key == (3 << 3 | 2);
            n_values += key == (4 << 3 | 2);
        }
    }
    for (struct reader r = l; r.p < r.end;) { /* features stand before the keys they point to */
        uint64_t key = varint(&r);
        if (key == 15 << 3 || key == 5 << 3) {
            (void)varint(&r);
            continue;
        }
        struct reader sub = counted(&r);
        if (key == (2 << 3 | 2)) see_feature(s, sub, n_keys, n_values);
    }
    assert_int_equal(version, 2);
    assert_int_equal(extent, MVT_EXTENT);
    s->layers++;
}

static struct seen see(const struct buf *tile) {
    struct seen s = {.min_x = 1 << 30, .min_y = 1 << 30, .max_x = -(1 << 30), .max_y = -(1 << 30)};
    struct reader r = {(const unsigned char *)tile->p, (const unsigned char *)tile->p + tile->n};
    while (r.p < r.end) {
        assert_int_equal(varint(&r), 3 << 3 | 2);
        see_layer(&s, counted(&r));
    }
    return s;
}

/* ---- tests ---- */

struct fixture {
    struct arena *a;
    struct buf out;
    struct mvt *t;
    struct err err;
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(256 << 20);
    buf_init(&f->out, 64 << 20);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    arena_free(f->a);
    buf_deinit(&f->out);
    free(f);
    assert_int_equal(mem_live(), 0);
    return 0;
}

static void begin(struct fixture *f, unsigned z, uint32_t x, uint32_t y) {
    buf_clear(&f->out);
    assert_int_equal(mvt_new(f->a, z, x, y, &f->t, &f->err), ERR_OK);
    assert_int_equal(mvt_layer(f->t, "cells", &f->err), ERR_OK);
}

static struct seen finish(struct fixture *f) {
    assert_int_equal(mvt_finish(f->t, &f->out, &f->err), ERR_OK);
    return see(&f->out);
}

/* The tile that holds a place. */
static void tile_at(unsigned z, double lon, double lat, uint32_t *x, uint32_t *y) {
    double u, v;
    mercator_from_lonlat(lon, lat, &u, &v);
    *x = (uint32_t)(u * (1u << z));
    *y = (uint32_t)(v * (1u << z));
}

static void test_points_and_tags(void **state) {
    struct fixture *f = *state;
    begin(f, 0, 0, 0);
    struct mvt_tag tags[] = {{.key = "code", .type = MVT_STRING, .u.s = "320102"},
                             {.key = "n", .type = MVT_INT, .u.i = -5},
                             {.key = "share", .type = MVT_DOUBLE, .u.d = 0.25},
                             {.key = "open", .type = MVT_BOOL, .u.b = true},
                             {.key = "none", .type = MVT_STRING, .u.s = NULL}};
    assert_int_equal(mvt_point(f->t, 7, 0, 0, tags, 5, &f->err), ERR_OK);
    assert_int_equal(mvt_point(f->t, 8, 90, 0, tags, 1, &f->err), ERR_OK);
    assert_int_equal(mvt_point(f->t, 8, NAN, 0, tags, 1, &f->err), ERR_OK);
    assert_int_equal(mvt_layer(f->t, "empty", &f->err), ERR_OK);
    struct seen s = finish(f);
    assert_int_equal(s.layers, 1);
    assert_string_equal(s.names, "cells;");
    assert_int_equal(s.points, 2);
    assert_true(s.min_x == 2048 && s.max_x == 3072 && s.min_y == 2048 && s.max_y == 2048);
    /* The whole of the second feature: id 8, tags 0 0, type point, (3072, 2048). */
    static const unsigned char second[] = {0x12, 0x10, 0x08, 8, 0x12, 2,    0,    0,   0x18,
                                           1,    0x22, 5,    9, 0x80, 0x30, 0x80, 0x20};
    assert_non_null(memmem(f->out.p, f->out.n, second + 2, sizeof second - 2));
    /* Values stand in the order of first use, each once. */
    static const unsigned char code[] = {0x22, 8,    0x0a, 6,    '3',  '2',  '0',  '1',  '0',  '2',
                                         0x22, 11,   0x20, 0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 1,    0x22, 9,    0x19, 0,    0,    0,    0,
                                         0,    0,    0xd0, 0x3f, 0x22, 2,    0x38, 1};
    assert_non_null(memmem(f->out.p, f->out.n, code, sizeof code));
    begin(f, 0, 0, 0);
    (void)finish(f);
    assert_int_equal(f->out.n, 0);
}

static void test_tile_boxes(void **state) {
    struct fixture *f = *state;
    double box[4];
    assert_int_equal(mvt_tile_box(0, 0, 0, box, &f->err), ERR_OK);
    assert_true(box[0] == -180 && box[2] == 180);
    assert_int_equal(mvt_tile_box(0, 1, 0, box, &f->err), ERR_INVALID);
    assert_int_equal(mvt_tile_box(3, 0, 8, box, &f->err), ERR_INVALID);
    assert_int_equal(mvt_tile_box(23, 0, 0, box, &f->err), ERR_INVALID);
    assert_int_equal(mvt_tile_box(14, 13489, 6208, box, &f->err), ERR_OK);
    assert_true(box[0] < 116.397 && box[2] > 116.397 && box[1] < 39.909 && box[3] > 39.909);
    assert_true(box[2] - box[0] > 360.0 / 16384 && box[2] - box[0] < 1.04 * 360 / 16384);
}

/* Where the two zooms project differently (powers here, the formula there), the same place comes
 * out the same. */
static void test_projection(void **state) {
    struct fixture *f = *state;
    uint64_t seed = 3;
    for (unsigned z = 0; z <= MVT_MAX_ZOOM; z++) {
        for (int i = 0; i < 40; i++) {
            double lon = test_unit(&seed) * 360 - 180, lat = test_unit(&seed) * 168 - 84, u, v;
            uint32_t x, y;
            tile_at(z, lon, lat, &x, &y);
            begin(f, z, x, y);
            assert_int_equal(mvt_point(f->t, 1, lon, lat, NULL, 0, &f->err), ERR_OK);
            struct seen s = finish(f);
            mercator_from_lonlat(lon, lat, &u, &v);
            double scale = 4096 * (double)(1u << z);
            assert_true(fabs(s.min_x - (u * scale - x * 4096.0)) <= 0.52);
            assert_true(fabs(s.min_y - (v * scale - y * 4096.0)) <= 0.52);
        }
    }
}

static void test_lines(void **state) {
    struct fixture *f = *state;
    begin(f, 1, 0, 0); /* west of Greenwich, north */
    /* Out over the border and back in: two paths. */
    static const double zigzag_line[] = {-90, 40, -45, 41, 60, 42, -45, 43, -90, 44};
    assert_int_equal(mvt_line(f->t, 1, zigzag_line, 5, NULL, 0, &f->err), ERR_OK);
    struct seen s = finish(f);
    assert_int_equal(s.lines, 2);
    assert_int_equal(s.max_x, MVT_EXTENT + MVT_MARGIN);
    /* Straight through with many points: two corners are left. Outside: nothing. */
    double straight[2 * 100];
    for (int i = 0; i < 100; i++) {
        straight[2 * i] = -170 + i;
        straight[2 * i + 1] = 0;
    }
    begin(f, 1, 0, 0);
    assert_int_equal(mvt_line(f->t, 1, straight, 100, NULL, 0, &f->err), ERR_OK);
    s = finish(f);
    assert_int_equal(s.vertices, 2);
    begin(f, 1, 1, 1);
    assert_int_equal(mvt_line(f->t, 1, straight, 100, NULL, 0, &f->err), ERR_OK);
    assert_int_equal(mvt_line(f->t, 1, straight, 1, NULL, 0, &f->err), ERR_OK);
    assert_int_equal(mvt_line(f->t, 1, straight, 0, NULL, 0, &f->err), ERR_OK);
    s = finish(f);
    assert_int_equal(s.features, 0);
    /* There and back again stays: it is a dead end. */
    static const double dead_end[] = {-90, 40, -45, 40, -90, 40, -90, 60};
    begin(f, 1, 0, 0);
    assert_int_equal(mvt_line(f->t, 1, dead_end, 4, NULL, 0, &f->err), ERR_OK);
    s = finish(f);
    assert_int_equal(s.vertices, 4);
}

/* A partition of a box: in each tile the cells' areas add up to the part of the box in the tile
 * with its margin. */
static void test_partition_fills_tiles(void **state) {
    struct fixture *f = *state;
    static const double box[] = {118.5, 31.9, 118.9, 32.2};
    struct partition part = partition_make(f->a, 6, 40, 40, 20, box, 0);
    static const unsigned zooms[] = {8, 9, 10, 11, 12, 13, 14, 16, 18};
    for (size_t i = 0; i < sizeof zooms / sizeof zooms[0]; i++) {
        unsigned z = zooms[i];
        uint32_t x, y;
        tile_at(z, 118.7, 32.05, &x, &y);
        begin(f, z, x, y);
        for (uint32_t c = 0; c < part.n; c++) {
            struct mvt_tag tag = {.key = "cell", .type = MVT_INT, .u.i = c};
            assert_int_equal(mvt_polygon(f->t, c + 1, part.cell[c], &tag, 1, &f->err), ERR_OK);
        }
        struct seen s = finish(f);
        double u0, v0, u1, v1, scale = 4096 * (double)(1u << z);
        mercator_from_lonlat(box[0], box[3], &u0, &v0);
        mercator_from_lonlat(box[2], box[1], &u1, &v1);
        double w = fmin(u1 * scale - x * 4096.0, 4160) - fmax(u0 * scale - x * 4096.0, -64);
        double h = fmin(v1 * scale - y * 4096.0, 4160) - fmax(v0 * scale - y * 4096.0, -64);
        assert_int_equal(s.holes, 0);
        assert_true(s.features > 0);
        assert_true(s.min_x >= -64 && s.min_y >= -64 && s.max_x <= 4160 && s.max_y <= 4160);
        assert_true(fabs(s.area / (w * h) - 1) < 0.02);
    }
}

static void test_holes_and_parts(void **state) {
    struct fixture *f = *state;
    static const double xy[] = {118,   32,       119,       32,       119,   33,   118,   33,
                                118,   32,       118.2,     32.2,     118.2, 32.8, 118.8, 32.8,
                                118.8, 32.2,     118.2,     32.2,     120,   32,   121,   32,
                                121,   33,       120,       33,       120,   32,   120.5, 32.5,
                                120.5, 32.50001, 120.50001, 32.50001, 120.5, 32.5};
    uint32_t ring[] = {5, 5, 5, 4}, part[] = {2, 2}, x, y;
    const struct polygon *p;
    assert_int_equal(polygon_from_rings(f->a, xy, ring, 4, part, 2, &p, &f->err), ERR_OK);
    tile_at(5, 119, 32.5, &x, &y);
    begin(f, 5, x, y);
    assert_int_equal(mvt_polygon(f->t, 1, p, NULL, 0, &f->err), ERR_OK);
    struct seen s = finish(f);
    assert_int_equal(s.features, 1);
    assert_int_equal(s.rings, 2);
    assert_int_equal(s.holes, 1); /* the second hole is far below a pixel */
    tile_at(14, 118.5, 32.5, &x, &y);
    begin(f, 14, x, y); /* in the middle of the hole: the hole covers all that is there */
    assert_int_equal(mvt_polygon(f->t, 1, p, NULL, 0, &f->err), ERR_OK);
    s = finish(f);
    assert_true(s.area == 0);
    tile_at(14, 118.1, 32.5, &x, &y);
    begin(f, 14, x, y); /* wholly inside */
    assert_int_equal(mvt_polygon(f->t, 1, p, NULL, 0, &f->err), ERR_OK);
    s = finish(f);
    assert_int_equal(s.rings, 1);
    assert_true(s.area == 4224.0 * 4224);
    tile_at(1, 118.1, 32.5, &x, &y);
    begin(f, 1, x, y);
    assert_int_equal(mvt_polygon(f->t, 1, p, NULL, 0, &f->err), ERR_OK);
    (void)finish(f);
}

/* Wild rings: whatever comes out keeps the rules that see() checks. */
static void test_random_geometry(void **state) {
    struct fixture *f = *state;
    uint64_t seed = 77;
    for (int round = 0; round < 1500; round++) {
        struct arena *a = arena_new(1 << 20);
        unsigned z = (unsigned)(test_next(&seed) % (MVT_MAX_ZOOM + 1));
        uint32_t x, y, n = 4 + (uint32_t)(test_next(&seed) % 60), one = 1;
        double xy[2 * 70], size = 4 * 360.0 / (double)(1u << z) * test_unit(&seed);
        if (size > 80) size = 80;
        for (uint32_t i = 0; i + 1 < n; i++) {
            xy[2 * i] = 100 + size * (test_unit(&seed) - 0.5);
            xy[2 * i + 1] = size * (test_unit(&seed) - 0.5);
            if (test_next(&seed) % 4 == 0 && i > 0)
                xy[2 * i + test_next(&seed) % 2] = xy[2 * i - 2];
            if (fabs(xy[2 * i + 1]) > 90) xy[2 * i + 1] = 0;
        }
        xy[2 * n - 2] = xy[0];
        xy[2 * n - 1] = xy[1];
        const struct polygon *p;
        assert_int_equal(polygon_from_rings(a, xy, &n, 1, &one, 1, &p, NULL), ERR_OK);
        tile_at(z, 100, 0.0001, &x, &y);
        struct mvt *t;
        assert_int_equal(mvt_new(a, z, x, y, &t, NULL), ERR_OK);
        assert_int_equal(mvt_layer(t, "a", NULL), ERR_OK);
        assert_int_equal(mvt_polygon(t, 1, p, NULL, 0, NULL), ERR_OK);
        assert_int_equal(mvt_line(t, 2, xy, n, NULL, 0, NULL), ERR_OK);
        buf_clear(&f->out);
        assert_int_equal(mvt_finish(t, &f->out, NULL), ERR_OK);
        struct seen s = see(&f->out);
        if (s.features > 0)
            assert_true(s.min_x >= -64 && s.min_y >= -64 && s.max_x <= 4160 && s.max_y <= 4160);
        arena_free(a);
    }
}

static enum err_code collect(void *arg, const char *p, size_t n, struct err *err) {
    (void)err;
    buf_add(arg, p, n);
    return ERR_OK;
}

/* Checks a feature as GDAL gives it back; 1 is the point, 2 the line, 4 the polygon. */
static int gdal_feature(const struct val *v) {
    const struct val *props = val_get(v, "properties");
    int kind;
    const char *type = val_get(val_get(v, "geometry"), "type")->u.s;
    const struct val *at = val_get(val_get(v, "geometry"), "coordinates");
    while (at->u.list[0].type == VAL_LIST) at = at->u.list;
    assert_true(fabs(at->u.list[0].u.d - 118.705) < 0.0051);
    assert_true(fabs(at->u.list[1].u.d - 32.025) < 0.0051);
    if (strcmp(type, "Point") == 0) {
        kind = 1;
        assert_true(geo_distance_m(at->u.list[0].u.d, at->u.list[1].u.d, 118.705, 32.025) < 0.5);
    } else if (strstr(type, "LineString") != NULL) {
        kind = 2;
        assert_int_equal(val_get(props, "n")->u.i, 42);
    } else {
        kind = 4;
        assert_non_null(strstr(type, "Polygon"));
        assert_string_equal(val_get(props, "name")->u.s, "玄武区");
        assert_true(val_get(props, "rate")->u.d == 0.125);
        assert_true(val_get(props, "live")->type == VAL_BOOL ? val_get(props, "live")->u.b
                                                             : val_get(props, "live")->u.i == 1);
    }
    return kind;
}

/* GDAL reads the tile back: places, attributes and areas are what went in. */
static void test_gdal_reads_it(void **state) {
    struct fixture *f = *state;
    if (access("/usr/bin/ogr2ogr", X_OK) != 0) {
        print_message("ogr2ogr is absent\n");
        skip();
    }
    static const double xy[] = {118.70,  32.02,  118.71,  32.02,  118.71,  32.03,
                                118.70,  32.03,  118.70,  32.02,  118.702, 32.022,
                                118.702, 32.026, 118.706, 32.026, 118.702, 32.022};
    uint32_t ring[] = {5, 4}, two = 2, x, y;
    const struct polygon *p;
    assert_int_equal(polygon_from_rings(f->a, xy, ring, 2, &two, 1, &p, &f->err), ERR_OK);
    tile_at(14, 118.705, 32.025, &x, &y);
    begin(f, 14, x, y);
    struct mvt_tag tags[] = {{.key = "name", .type = MVT_STRING, .u.s = "玄武区"},
                             {.key = "n", .type = MVT_INT, .u.i = 42},
                             {.key = "rate", .type = MVT_DOUBLE, .u.d = 0.125},
                             {.key = "live", .type = MVT_BOOL, .u.b = true}};
    assert_int_equal(mvt_polygon(f->t, 5, p, tags, 4, &f->err), ERR_OK);
    assert_int_equal(mvt_point(f->t, 6, 118.705, 32.025, tags, 1, &f->err), ERR_OK);
    assert_int_equal(mvt_line(f->t, 7, xy, 3, tags + 1, 1, &f->err), ERR_OK);
    (void)finish(f);
    char path[] = "/tmp/gezhi-mvt-XXXXXX.pbf", ox[24], oy[24];
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, f->out.p, f->out.n), (ssize_t)f->out.n);
    (void)close(fd);
    (void)snprintf(ox, sizeof ox, "X=%u", x);
    (void)snprintf(oy, sizeof oy, "Y=%u", y);
    const char *argv[] = {"ogr2ogr", "-f",          "GeoJSON", "-t_srs", "EPSG:4326", "-oo",
                          "Z=14",    "-oo",         ox,        "-oo",    oy,          "-oo",
                          "CLIP=NO", "/vsistdout/", path,      NULL};
    struct buf json;
    buf_init(&json, 1 << 20);
    struct helper_cmd cmd = {.path = "/usr/bin/ogr2ogr",
                             .argv = argv,
                             .limits = {60000, 0, 1 << 20},
                             .on_output = collect,
                             .arg = &json};
    enum err_code rc = helper_run(&cmd, NULL, &f->err);
    (void)unlink(path);
    if (rc != ERR_OK) fail_msg("%s", f->err.detail);
    const struct val *doc;
    if (json_parse(f->a, json.p, json.n, &doc, &f->err) != ERR_OK) fail_msg("%s", f->err.detail);
    const struct val *features = val_get(doc, "features");
    assert_int_equal(features->n, 3);
    int kinds = 0;
    for (size_t i = 0; i < 3; i++) kinds |= gdal_feature(features->u.list + i);
    assert_int_equal(kinds, 7);
    buf_deinit(&json);
}

static void test_no_memory(void **state) {
    struct fixture *f = *state;
    static const double box[] = {118.5, 31.9, 118.9, 32.2};
    struct partition part = partition_make(f->a, 6, 4, 4, 20, box, 0);
    uint32_t x, y;
    tile_at(10, 118.7, 32.05, &x, &y);
    long before = mem_live();
    for (long n = 0;; n++) {
        mem_fault_arm(n);
        struct arena *a = arena_new(1 << 20);
        struct buf out;
        buf_init(&out, 1 << 20);
        struct mvt *t;
        enum err_code rc = a == NULL ? ERR_NOMEM : mvt_new(a, 10, x, y, &t, NULL);
        if (rc == ERR_OK) rc = mvt_layer(t, "cells", NULL);
        for (uint32_t c = 0; c < part.n && rc == ERR_OK; c++) {
            struct mvt_tag tag = {.key = "cell", .type = MVT_INT, .u.i = c};
            rc = mvt_polygon(t, c + 1, part.cell[c], &tag, 1, NULL);
        }
        if (rc == ERR_OK) rc = mvt_finish(t, &out, NULL);
        int fired = mem_fault_disarm();
        buf_deinit(&out);
        arena_free(a);
        assert_int_equal(mem_live(), before);
        assert_int_equal(rc, fired != 0 ? ERR_NOMEM : ERR_OK);
        if (fired == 0) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_points_and_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tile_boxes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_projection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_partition_fills_tiles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_holes_and_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_geometry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gdal_reads_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests_name("geo_mvt", tests, NULL, NULL);
}
