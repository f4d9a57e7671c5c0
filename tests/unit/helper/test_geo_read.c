#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "geo/polygon.h"
#include "helper/geo_read.h"
#include "helper/geo_stream.h"
#include "helper/run.h"

struct fixture {
    char dir[64], tool[4096], path[256];
    struct arena *a;
    struct err err;
    struct geo_read_head head;
    struct buf text;  /* values of all features: a,b|c,~| (~ for none) */
    struct buf notes; /* number:reason@lon,lat[!] of those not valid */
    const struct polygon *shape[64];
    size_t n, n_shape;
    int64_t stop_at;
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/gezhi-geo-test-XXXXXX");
    if (mkdtemp(f->dir) == NULL) return -1;
    f->a = arena_new(64 << 20);
    buf_init(&f->text, 1 << 20);
    buf_init(&f->notes, 1 << 20);
    *state = f;
    return helper_find(BUILD_DIR, "gezhi-geo", f->tool, sizeof f->tool, &f->err) == ERR_OK ? 0 : -1;
}

static enum err_code run(const char *const *argv, const char *path) {
    struct helper_cmd cmd = {.path = path, .argv = argv, .limits = {60000, 0, 1 << 20}};
    return helper_run(&cmd, NULL, NULL);
}

static int teardown(void **state) {
    struct fixture *f = *state;
    const char *argv[] = {"rm", "-rf", f->dir, NULL};
    assert_int_equal(run(argv, "/bin/rm"), ERR_OK);
    buf_deinit(&f->text);
    buf_deinit(&f->notes);
    arena_free(f->a);
    free(f);
    return 0;
}

static void put_file(struct fixture *f, const char *name, const char *text) {
    (void)snprintf(f->path, sizeof f->path, "%s/%s", f->dir, name);
    FILE *out = fopen(f->path, "wb");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static enum err_code each(void *arg, const struct geo_read_head *head, const struct geo_feature *v,
                          struct err *err) {
    struct fixture *f = arg;
    assert_int_equal(v->number, (int64_t)++f->n);
    if (v->number == f->stop_at) return err_fail(err, ERR_CONFLICT, "stopped");
    for (size_t i = 0; i < head->n_fields; i++)
        buf_printf(&f->text, "%s%s", i == 0 ? "" : ",", v->values[i] == NULL ? "~" : v->values[i]);
    buf_char(&f->text, '|');
    if (v->invalid != NULL)
        buf_printf(&f->notes, "%d:%s %s@%g,%g%s|", (int)v->number, v->invalid, v->invalid_zh,
                   v->invalid_lon, v->invalid_lat, v->repaired ? "!" : "");
    if (v->wkb != NULL && f->n_shape < 64 &&
        polygon_from_wkb(f->a, v->wkb, v->wkb_n, &f->shape[f->n_shape], err) == ERR_OK)
        f->n_shape++;
    return ERR_OK;
}

static enum err_code read_with(struct fixture *f, const struct geo_read_options *o) {
    f->n = f->n_shape = 0;
    buf_clear(&f->text);
    buf_clear(&f->notes);
    memset(&f->err, 0, sizeof f->err);
    return geo_read_file(f->a, f->tool, o, &f->head, each, f, &f->err);
}

static void read_ok(struct fixture *f, const struct geo_read_options *o) {
    enum err_code rc = read_with(f, o);
    if (rc != ERR_OK) fail_msg("%s: %s", o->path, f->err.detail);
}

#define FEATURE(props, coordinates)                                                                \
    "{\"type\":\"Feature\",\"properties\":{" props "},\"geometry\":{\"type\":\"Polygon\","         \
    "\"coordinates\":" coordinates "}}"
#define COLLECTION(features) "{\"type\":\"FeatureCollection\",\"features\":[" features "]}"

static const char two[] =
    COLLECTION(FEATURE("\"code\":\"320102\",\"name\":\"玄武区\",\"people\":5",
                       "[[[118,32],[119,32],["
                       "119,33],[118,33],[118,"
                       "32]]]") "," FEATURE("\"code\":\"320104\",\"name\":null,\"people\":6.5",
                                            "[[[119,32],[120,32],[120,33],[119,33],[119,32]],[[119."
                                            "2,32.2],[119.2,32.4],[119.4,"
                                            "32.4],[119.2,32.2]]]"));

static void test_geojson(void **state) {
    struct fixture *f = *state;
    put_file(f, "two.geojson", two);
    struct geo_read_options o = {.path = f->path};
    read_ok(f, &o);
    assert_string_equal(buf_text(&f->text), "320102,玄武区,5|320104,~,6.5|");
    assert_string_equal(buf_text(&f->notes), "");
    assert_string_equal(f->head.driver, "GeoJSON");
    assert_string_equal(f->head.layer, "two");
    assert_string_equal(f->head.crs, "EPSG:4326 by the file");
    assert_int_equal(f->head.n_fields, 3);
    assert_string_equal(f->head.fields[1], "name");
    assert_int_equal(f->n_shape, 2);
    assert_int_equal(f->shape[1]->n_ring, 2);
    assert_true(f->shape[1]->box[0] == 119 && f->shape[1]->box[3] == 33);
    const char *wanted[] = {"name", "code"};
    o.fields = wanted;
    o.n_fields = 2;
    o.crs = "gcj02"; /* handed on as it is */
    read_ok(f, &o);
    assert_string_equal(buf_text(&f->text), "玄武区,320102|~,320104|");
    assert_string_equal(f->head.crs, "gcj02");
    assert_true(f->shape[0]->box[0] == 118);
    wanted[0] = "nmae";
    assert_int_equal(read_with(f, &o), ERR_INVALID);
    assert_non_null(strstr(f->err.detail, "\"nmae\", only code, name, people"));
    o.n_fields = 0;
    f->stop_at = 2;
    assert_int_equal(read_with(f, &o), ERR_CONFLICT);
    assert_int_equal(f->n, 2);
}

static void test_invalid_is_named_and_repaired(void **state) {
    struct fixture *f = *state;
    put_file(
        f, "bad.geojson",
        COLLECTION(FEATURE("", "[[[0,0],[2,2],[2,0],[0,2],[0,0]]]") "," FEATURE(
            "",
            "[[[5,5],[6,5],["
            "6,6],[5,6],[5,5]"
            "]]") "," FEATURE("", "[[[7,7],[8,7],[8,8],[7,8]]]") "," FEATURE("", "[[[1,1],[2,2],[3,"
                                                                                 "3],[1,1]]]")));
    struct geo_read_options o = {.path = f->path};
    read_ok(f, &o);
    assert_string_equal(buf_text(&f->notes),
                        "1:Self-intersection 边界自相交@1,1|3:Ring is not closed 环未闭合@0,0|"
                        "4:Self-intersection 边界自相交@2,2|");
    o.repair = true;
    read_ok(f, &o);
    assert_string_equal(buf_text(&f->notes),
                        "1:Self-intersection 边界自相交@1,1!|3:Ring is not closed 环未闭合@0,0!|"
                        "4:Self-intersection 边界自相交@2,2|");
    assert_int_equal(f->n_shape, 4);
    assert_int_equal(f->shape[0]->n_part, 2);
    assert_true(polygon_contains(f->shape[0], 0.5, 1) && !polygon_contains(f->shape[0], 1, 0.5));
    assert_true(polygon_contains(f->shape[2], 7.2, 7.5));
}

/* Meridian arc of GRS80 to 40 degrees north: 4,429,529.03 m; zone CM 114E has its false easting at
 * 500 km. */
static void test_projected(void **state) {
    struct fixture *f = *state;
    put_file(f, "gk.geojson",
             COLLECTION(FEATURE("", "[[[500000,4429529.0303],[510000,4429529.0303],"
                                    "[510000,4439529],[500000,4429529.0303]]]")));
    struct geo_read_options o = {.path = f->path};
    assert_int_equal(read_with(f, &o), ERR_INVALID);
    assert_non_null(strstr(f->err.detail, "no longitude, latitude"));
    o.crs = "EPSG:4547";
    read_ok(f, &o);
    assert_true(fabs(f->shape[0]->box[0] - 114) < 1e-8);
    assert_true(fabs(f->shape[0]->xy[1] - 40) < 1e-8);
    o.crs = "EPSG:1";
    assert_int_equal(read_with(f, &o), ERR_UNSUPPORTED);
    o.crs = "mars";
    assert_int_equal(read_with(f, &o), ERR_UNSUPPORTED);
    assert_non_null(strstr(f->err.detail, "gcj02"));
}

static void test_refusals(void **state) {
    struct fixture *f = *state;
    put_file(f, "a.csv", "lon,lat\n1,2\n");
    struct geo_read_options o = {.path = f->path};
    assert_int_equal(read_with(f, &o), ERR_UNSUPPORTED);
    put_file(f, "a.vrt",
             "<OGRVRTDataSource><OGRVRTLayer name=\"x\"><SrcDataSource>/etc/passwd"
             "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>");
    assert_int_equal(read_with(f, &o), ERR_UNSUPPORTED);
    put_file(f, "a.geojson", "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":");
    assert_int_equal(read_with(f, &o), ERR_UNSUPPORTED);
    put_file(f, "empty.geojson", "");
    assert_int_equal(read_with(f, &o), ERR_UNSUPPORTED);
    put_file(f, "none.geojson", COLLECTION(""));
    read_ok(f, &o);
    assert_int_equal(f->n, 0);
    static const char *const no_files[] = {
        "/vsicurl/http://127.0.0.1/x.geojson", "/nowhere.shp", "--repair", two, "PG:dbname=x", ""};
    for (size_t i = 0; i < sizeof no_files / sizeof no_files[0]; i++) {
        o.path = no_files[i];
        assert_int_equal(read_with(f, &o), ERR_INVALID);
    }
    assert_int_equal(geo_read_file(f->a, "/nowhere/gezhi-geo", &o, NULL, each, f, &f->err),
                     ERR_NOT_FOUND);
    put_file(f, "line.geojson",
             COLLECTION("{\"type\":\"Feature\",\"properties\":{},\"geometry\":{\"type\":"
                        "\"LineString\",\"coordinates\":[[1,2],[3,4]]}},{\"type\":\"Feature\","
                        "\"properties\":{},\"geometry\":null}"));
    o.path = f->path;
    read_ok(f, &o);
    assert_int_equal(f->n, 2);
    assert_int_equal(f->n_shape, 0);
}

static bool convert(struct fixture *f, const char *driver, const char *to, const char *option,
                    const char *value) {
    if (access("/usr/bin/ogr2ogr", X_OK) != 0) return false;
    char source[256];
    put_file(f, "two.geojson", two);
    (void)snprintf(source, sizeof source, "%s", f->path);
    (void)snprintf(f->path, sizeof f->path, "%s/%s", f->dir, to);
    const char *argv[] = {"ogr2ogr", "-f", driver, f->path, source, option, value, NULL};
    assert_int_equal(run(argv, "/usr/bin/ogr2ogr"), ERR_OK);
    return true;
}

static void test_other_formats(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *driver, *file, *option, *value, *name;
    } formats[] = {
        {"ESRI Shapefile", "a.shp", "-lco", "ENCODING=UTF-8", "ESRI Shapefile"},
        {"ESRI Shapefile", "gbk.shp", "-lco", "ENCODING=GBK", "ESRI Shapefile"},
        {"ESRI Shapefile", "gk.shp", "-t_srs", "EPSG:4549", "ESRI Shapefile"},
        {"GPKG", "a.gpkg", "-t_srs", "EPSG:3857", "GPKG"},
        {"GPKG", "gk.gpkg", "-t_srs", "EPSG:4549", "GPKG"},
        {"OpenFileGDB", "a.gdb", NULL, NULL, "OpenFileGDB"},
        {"KML", "a.kml", NULL, NULL, "KML"},
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const bool can =
            convert(f, formats[i].driver, formats[i].file, formats[i].option, formats[i].value);
        if (!can) {
            print_message("ogr2ogr is absent\n");
            skip();
        }
        const char *const name[] = {strcmp(formats[i].driver, "KML") == 0 ? "Name" : "name"};
        struct geo_read_options o = {.path = f->path, .fields = name, .n_fields = 1};
        read_ok(f, &o);
        assert_int_equal(f->n_shape, 2);
        assert_int_equal(f->shape[1]->n_ring, 2);
        assert_true(fabs(f->shape[0]->box[0] - 118) < 1e-7);
        assert_true(fabs(f->shape[1]->box[3] - 33) < 1e-7);
        assert_string_equal(f->head.driver, formats[i].name);
        /* Without ENCODING, GDAL writes Latin-1; KML has no field of that name. */
        if (strcmp(f->head.driver, "KML") != 0 && strcmp(formats[i].file, "gk.shp") != 0)
            assert_memory_equal(buf_text(&f->text), "玄武区|", strlen("玄武区|"));
    }
    /* Without its .cpg nobody knows that the texts are GBK: the caller says so. */
    assert_true(convert(f, "ESRI Shapefile", "nocpg.shp", "-lco", "ENCODING=GBK"));
    char cpg[300];
    (void)snprintf(cpg, sizeof cpg, "%s/nocpg.cpg", f->dir);
    (void)unlink(cpg);
    const char *const name[] = {"name"};
    struct geo_read_options o = {.path = f->path, .fields = name, .n_fields = 1, .encoding = "GBK"};
    read_ok(f, &o);
    assert_memory_equal(buf_text(&f->text), "玄武区|", strlen("玄武区|"));
}

static void test_drawing(void **state) {
    struct fixture *f = *state;
    put_file(f, "a.dxf",
             "0\nSECTION\n2\nENTITIES\n0\nLWPOLYLINE\n8\ncells\n90\n4\n70\n1\n10\n118\n20\n32\n"
             "10\n119\n20\n32\n10\n119\n20\n33\n10\n118\n20\n33\n0\nENDSEC\n0\nEOF\n");
    const char *const name[] = {"Layer"};
    struct geo_read_options o = {.path = f->path, .fields = name, .n_fields = 1};
    read_ok(f, &o);
    assert_string_equal(buf_text(&f->text), "cells|");
    assert_int_equal(f->n_shape, 1);
    assert_true(polygon_contains(f->shape[0], 118.5, 32.5));
    assert_string_equal(f->head.crs, "wgs84 (the file names none)");
}

static void test_layers(void **state) {
    struct fixture *f = *state;
    if (!convert(f, "GPKG", "l.gpkg", "-nln", "cells")) skip();
    char target[256], source[300];
    (void)snprintf(target, sizeof target, "%s", f->path);
    (void)snprintf(source, sizeof source, "%s/two.geojson", f->dir);
    const char *argv[] = {"ogr2ogr", "-update", "-f",   "GPKG", "-nln",
                          "areas",   target,    source, NULL};
    assert_int_equal(run(argv, "/usr/bin/ogr2ogr"), ERR_OK);
    struct geo_read_options o = {.path = target};
    assert_int_equal(read_with(f, &o), ERR_INVALID);
    assert_non_null(strstr(f->err.detail, "cells, areas"));
    o.layer = "areas";
    read_ok(f, &o);
    assert_string_equal(f->head.layer, "areas");
    o.layer = "posts";
    assert_int_equal(read_with(f, &o), ERR_INVALID);
    o.layer = "cells";
    o.wall_ms = 1;
    assert_int_equal(read_with(f, &o), ERR_TIMEOUT);
}

struct shapes {
    struct buf b[8];
    struct geo_shape s[8];
    size_t n;
};

static void add_box(struct fixture *f, struct shapes *s, double w, double so, double e, double no) {
    double xy[] = {w, so, e, so, e, no, w, no, w, so};
    uint32_t n = 5, one = 1;
    const struct polygon *p;
    assert_int_equal(polygon_from_rings(f->a, xy, &n, 1, &one, 1, &p, NULL), ERR_OK);
    struct buf *b = &s->b[s->n];
    buf_init(b, 4096);
    polygon_to_wkb(p, b);
    s->s[s->n++] = (struct geo_shape){b->p, b->n};
}

static void free_shapes(struct shapes *s) {
    for (size_t i = 0; i < s->n; i++) buf_deinit(&s->b[i]);
}

static void test_topology(void **state) {
    struct fixture *f = *state;
    struct shapes child = {.n = 0}, parent = {.n = 0};
    /* A frame of four round a hole, the fourth overlapping the first by 0.001 degrees. */
    add_box(f, &child, 118, 32, 118.3, 32.1);
    add_box(f, &child, 118, 32.2, 118.3, 32.3);
    add_box(f, &child, 118, 32.1, 118.1, 32.2);
    add_box(f, &child, 118.2, 32.099, 118.3, 32.2);
    add_box(f, &parent, 117, 31, 118.15, 33);
    add_box(f, &parent, 118.15, 31, 119, 33);
    const struct geo_finding *g;
    size_t n;
    struct geo_topology_options o = {.gaps = true};
    enum err_code rc =
        geo_topology(f->a, f->tool, child.s, child.n, parent.s, parent.n, &o, &g, &n, &f->err);
    if (rc != ERR_OK) fail_msg("%s", f->err.detail);
    assert_int_equal(n, 1 + 6 + 1);
    assert_int_equal(g[0].relation, GEO_OVERLAP);
    assert_int_equal(g[0].a, 0);
    assert_int_equal(g[0].b, 3);
    assert_true(fabs(g[0].share - 0.001 / 0.3) < 1e-5);
    assert_true(fabs(g[0].area_m2 / (0.1 * 94200 * 0.001 * 111195) - 1) < 0.01);
    assert_true(g[0].width_m > 100 && g[0].width_m < 120);
    assert_true(g[0].lon > 118.2 && g[0].lon < 118.3 && g[0].lat > 32.099 && g[0].lat < 32.1);
    static const struct {
        int a, b;
        double share;
    } inside[] = {{0, 0, 0.5}, {0, 1, 0.5}, {1, 0, 0.5}, {1, 1, 0.5}, {2, 0, 1}, {3, 1, 1}};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(g[i + 1].relation, GEO_INSIDE);
        assert_int_equal(g[i + 1].a, inside[i].a);
        assert_int_equal(g[i + 1].b, inside[i].b);
        assert_true(fabs(g[i + 1].share - inside[i].share) < 1e-9);
    }
    assert_int_equal(g[7].relation, GEO_GAP);
    assert_int_equal(g[7].a, -1);
    assert_true(g[7].lon > 118.1 && g[7].lon < 118.2 && g[7].lat > 32.1 && g[7].lat < 32.2);
    o.gaps = false;
    o.min_overlap_m2 = 1e8;
    assert_int_equal(geo_topology(f->a, f->tool, child.s, child.n, NULL, 0, &o, &g, &n, &f->err),
                     ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(geo_topology(f->a, f->tool, NULL, 0, NULL, 0, &o, &g, &n, &f->err), ERR_OK);
    assert_int_equal(n, 0);
    child.s[1].n -= 3;
    assert_int_equal(geo_topology(f->a, f->tool, child.s, child.n, NULL, 0, &o, &g, &n, &f->err),
                     ERR_INVALID);
    assert_non_null(strstr(f->err.detail, "shape 2"));
    free_shapes(&child);
    free_shapes(&parent);
}

static enum err_code count_frames(void *arg, enum geo_frame_type type, struct geo_cursor *c,
                                  struct err *err) {
    (void)err;
    int *n = arg;
    ++*n;
    if (type == GEO_FRAME_END) assert_int_equal(geo_get_i64(c), -5);
    if (type == GEO_FRAME_HEAD) {
        size_t size;
        assert_string_equal(geo_get_text(c), "名");
        assert_null(geo_get_text(c));
        assert_true(geo_get_f64(c) == -1.5);
        assert_memory_equal(geo_get_bytes(c, &size), "a\0b", 3);
        assert_int_equal(size, 3);
    }
    return ERR_OK;
}

static void test_stream_pieces(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 16);
    size_t at = geo_frame_begin(&b, GEO_FRAME_HEAD);
    geo_put_text(&b, "名");
    geo_put_text(&b, NULL);
    geo_put_f64(&b, -1.5);
    geo_put_bytes(&b, "a\0b", 3);
    geo_frame_end(&b, at);
    at = geo_frame_begin(&b, GEO_FRAME_END);
    geo_put_i64(&b, -5);
    geo_frame_end(&b, at);
    for (size_t piece = 1; piece <= b.n; piece++) {
        struct geo_stream s;
        int n = 0;
        geo_stream_init(&s);
        s.on_frame = count_frames;
        s.arg = &n;
        for (size_t i = 0; i < b.n; i += piece) {
            size_t k = b.n - i < piece ? b.n - i : piece;
            assert_int_equal(geo_stream_feed(&s, b.p + i, k, NULL), ERR_OK);
        }
        assert_int_equal(n, 2);
        assert_true(geo_stream_at_end(&s));
        geo_stream_deinit(&s);
    }
    /* Empty, of an unknown type, too long. */
    static const struct {
        const char *p;
        size_t n;
        enum err_code rc;
    } bad[] = {{"\0\0\0\0", 4, ERR_INTERNAL},
               {"\1\0\0\0X", 5, ERR_INTERNAL},
               {"\xff\xff\xff\xff", 4, ERR_LIMIT},
               {"\1\0\0\0F", 5, ERR_OK},
               {"\2\0\0\0F\1", 6, ERR_INTERNAL}}; /* a byte that nobody read */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct geo_stream s;
        int n = 0;
        geo_stream_init(&s);
        s.on_frame = count_frames;
        s.arg = &n;
        assert_int_equal(geo_stream_feed(&s, bad[i].p, bad[i].n, NULL), bad[i].rc);
        geo_stream_deinit(&s);
    }
    /* Texts: a NUL inside, no NUL at the end, not UTF-8, longer than the frame. */
    static const unsigned char text[][8] = {{2, 0, 0, 0, 'a', 0, 0},
                                            {2, 0, 0, 0, 'a', 'b', 'c'},
                                            {2, 0, 0, 0, 0xc3, 0x28, 0},
                                            {9, 0, 0, 0, 'a', 'b', 0}};
    for (size_t i = 0; i < 4; i++) {
        struct geo_cursor c = {.p = text[i], .n = 7};
        assert_null(geo_get_text(&c));
        assert_true(c.bad);
        assert_int_equal(geo_get_u32(&c), 0);
    }
    buf_deinit(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_geojson, setup, teardown),
        cmocka_unit_test_setup_teardown(test_invalid_is_named_and_repaired, setup, teardown),
        cmocka_unit_test_setup_teardown(test_projected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_formats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drawing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_layers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_topology, setup, teardown),
        cmocka_unit_test(test_stream_pieces),
    };
    return cmocka_run_group_tests_name("helper_geo", tests, NULL, NULL);
}
