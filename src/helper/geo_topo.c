/* gezhi-geo topology: how shapes from stdin lie to each other. Input: u32 children, u32 parents,
 * then each shape as bytes (geo_stream.h). All shapes are valid polygons in degrees; areas come out
 * in square metres. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "helper/geo_sandbox.h"
#include "helper/geo_stream.h"
#include "helper/geo_tool.h"
#include "helper/run.h"

enum { MAX_SHAPES = 1000000, MAX_FINDINGS = 1000000, OVERLAP = 1, INSIDE = 2, GAP = 3 };
#define MIN_SHARE 0.01 /* parents that hold less of a child are neighbours, not parents */

struct set {
    GEOSGeometry **shape;
    const GEOSPreparedGeometry **ready; /* filled when asked for */
    uint32_t *number;
    uint32_t n;
    GEOSSTRtree *tree;
};

struct topo {
    const struct tool_options *o;
    struct tool_log log;
    struct buf in, out;
    GEOSContextHandle_t g;
    struct set child, parent;
    int64_t n_found;
    uint32_t *near; /* numbers of the shapes whose boxes meet the one asked about */
    uint32_t n_near;
};

static bool read_stdin(struct buf *b) {
    for (;;) {
        char *room = buf_room(b, 1 << 20);
        if (room == NULL) return false;
        ssize_t n = read(STDIN_FILENO, room, 1 << 20);
        if (n < 0) return false;
        if (n == 0) return true;
        b->n += (size_t)n;
    }
}

static int set_read(struct topo *t, struct set *s, uint32_t n, const char *what,
                    struct geo_cursor *c) {
    s->shape = mem_new((size_t)n + 1, sizeof(GEOSGeometry *));
    s->ready = mem_new((size_t)n + 1, sizeof(const GEOSPreparedGeometry *));
    s->number = mem_new((size_t)n + 1, sizeof *s->number);
    s->tree = GEOSSTRtree_create_r(t->g, 10);
    if (s->shape == NULL || s->ready == NULL || s->number == NULL || s->tree == NULL)
        return tool_fail(HELPER_EXIT_LIMIT, "out of memory");
    for (; s->n < n; s->n++) {
        size_t size;
        const void *wkb = geo_get_bytes(c, &size);
        if (c->bad) return tool_fail(HELPER_EXIT_USAGE, "the input is cut short");
        GEOSGeometry *g = GEOSGeomFromWKB_buf_r(t->g, wkb, size);
        if (g == NULL || GEOSisValid_r(t->g, g) != 1) {
            GEOSGeom_destroy_r(t->g, g);
            return tool_fail(HELPER_EXIT_INPUT, "%s %u is not a valid polygon: %s", what, s->n + 1,
                             t->log.text);
        }
        s->shape[s->n] = g;
        s->number[s->n] = s->n;
        GEOSSTRtree_insert_r(t->g, s->tree, g, &s->number[s->n]);
    }
    return HELPER_EXIT_OK;
}

static void collect(void *item, void *arg) {
    struct topo *t = arg;
    t->near[t->n_near++] = *(uint32_t *)item;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void near_find(struct topo *t, const struct set *s, const GEOSGeometry *g) {
    t->n_near = 0;
    GEOSSTRtree_query_r(t->g, s->tree, g, collect, t);
    qsort(t->near, t->n_near, sizeof *t->near, by_number);
}

static const GEOSPreparedGeometry *ready(struct topo *t, struct set *s, uint32_t i) {
    if (s->ready[i] == NULL) s->ready[i] = GEOSPrepare_r(t->g, s->shape[i]);
    return s->ready[i];
}

/* Square metres; degrees are scaled at the middle of the shape's box. */
static double area_m2(const struct topo *t, const GEOSGeometry *g) {
    double area = 0, south = 0, north = 0, per_lon, per_lat;
    if (GEOSArea_r(t->g, g, &area) != 1 || area == 0) return 0;
    (void)GEOSGeom_getYMin_r(t->g, g, &south);
    (void)GEOSGeom_getYMax_r(t->g, g, &north);
    tool_degree_m((south + north) / 2, &per_lon, &per_lat);
    return area * per_lon * per_lat;
}

struct finding {
    int relation;
    uint32_t a, b;
    double area, share, width, lon, lat;
};

static void finding_send(struct topo *t, const struct finding *f) {
    size_t at = geo_frame_begin(&t->out, GEO_FRAME_FINDING);
    geo_put_u8(&t->out, (unsigned)f->relation);
    geo_put_u32(&t->out, f->a);
    geo_put_u32(&t->out, f->b);
    geo_put_f64(&t->out, f->area);
    geo_put_f64(&t->out, f->share);
    geo_put_f64(&t->out, f->width);
    geo_put_f64(&t->out, f->lon);
    geo_put_f64(&t->out, f->lat);
    geo_frame_end(&t->out, at);
    t->n_found++;
}

/* Width (twice the area over the perimeter) of the widest polygon in g, and a point in it. */
static void describe(const struct topo *t, const GEOSGeometry *g, struct finding *f) {
    int n = GEOSGetNumGeometries_r(t->g, g);
    f->width = -1;
    for (int i = 0; i < n; i++) {
        const GEOSGeometry *part = GEOSGetGeometryN_r(t->g, g, i);
        double area = area_m2(t, part), length = 0, south = 0, per_lon, per_lat;
        if (area <= 0 || GEOSLength_r(t->g, part, &length) != 1) continue;
        (void)GEOSGeom_getYMin_r(t->g, part, &south);
        tool_degree_m(south, &per_lon, &per_lat);
        double width = 2 * area / (length * sqrt(per_lon * per_lat));
        if (width <= f->width) continue;
        GEOSGeometry *at = GEOSPointOnSurface_r(t->g, part);
        if (at == NULL) continue;
        f->width = width;
        (void)GEOSGeomGetX_r(t->g, at, &f->lon);
        (void)GEOSGeomGetY_r(t->g, at, &f->lat);
        GEOSGeom_destroy_r(t->g, at);
    }
    if (f->width < 0) f->width = 0;
}

/* Common ground; where exact noding fails, with coordinates snapped to a tenth of a millimetre. */
static GEOSGeometry *common(const struct topo *t, const GEOSGeometry *a, const GEOSGeometry *b) {
    GEOSGeometry *g = GEOSIntersection_r(t->g, a, b);
    return g != NULL ? g : GEOSIntersectionPrec_r(t->g, a, b, 1e-9);
}

static int overlap_test(struct topo *t, uint32_t a, uint32_t b) {
    if (GEOSPreparedIntersects_r(t->g, ready(t, &t->child, a), t->child.shape[b]) != 1)
        return HELPER_EXIT_OK;
    GEOSGeometry *g = common(t, t->child.shape[a], t->child.shape[b]);
    if (g == NULL)
        return tool_fail(HELPER_EXIT_INPUT, "shapes %u and %u cannot be laid over each other: %s",
                         a + 1, b + 1, t->log.text);
    struct finding f = {.relation = OVERLAP, .a = a, .b = b, .area = area_m2(t, g)};
    if (f.area >= t->o->min_overlap_m2 && f.area > 0) {
        double own = area_m2(t, t->child.shape[a]);
        f.share = own > 0 ? fmin(1, f.area / own) : 0;
        describe(t, g, &f);
        finding_send(t, &f);
    }
    GEOSGeom_destroy_r(t->g, g);
    return HELPER_EXIT_OK;
}

static int parent_test(struct topo *t, uint32_t a, uint32_t b) {
    const GEOSPreparedGeometry *parent = ready(t, &t->parent, b);
    double own = area_m2(t, t->child.shape[a]);
    struct finding f = {.relation = INSIDE, .a = a, .b = b, .area = own, .share = 1};
    if (GEOSPreparedCovers_r(t->g, parent, t->child.shape[a]) != 1) {
        if (GEOSPreparedIntersects_r(t->g, parent, t->child.shape[a]) != 1) return HELPER_EXIT_OK;
        GEOSGeometry *g = common(t, t->child.shape[a], t->parent.shape[b]);
        if (g == NULL)
            return tool_fail(HELPER_EXIT_INPUT,
                             "shape %u and parent %u cannot be laid over each other: %s", a + 1,
                             b + 1, t->log.text);
        f.area = area_m2(t, g);
        f.share = own > 0 ? fmin(1, f.area / own) : 0;
        if (f.share >= MIN_SHARE) describe(t, g, &f);
        GEOSGeom_destroy_r(t->g, g);
    } else {
        describe(t, t->child.shape[a], &f);
    }
    if (f.share >= MIN_SHARE) finding_send(t, &f);
    return HELPER_EXIT_OK;
}

/* For each child in turn: overlaps with later children, or its parents. */
static int pairs(struct topo *t, bool with_parents) {
    for (uint32_t a = 0; a < t->child.n; a++) {
        near_find(t, with_parents ? &t->parent : &t->child, t->child.shape[a]);
        for (uint32_t i = 0; i < t->n_near; i++) {
            uint32_t b = t->near[i];
            if (!with_parents && b <= a) continue;
            int rc = with_parents ? parent_test(t, a, b) : overlap_test(t, a, b);
            if (rc != HELPER_EXIT_OK) return rc;
            if (t->n_found > MAX_FINDINGS)
                return tool_fail(HELPER_EXIT_LIMIT, "more than %d findings", MAX_FINDINGS);
        }
        if (!tool_flush(&t->out))
            return tool_fail(HELPER_EXIT_FAILED, "the result cannot be written");
    }
    return HELPER_EXIT_OK;
}

static void gaps_of_part(struct topo *t, const GEOSGeometry *part) {
    int holes = GEOSGetNumInteriorRings_r(t->g, part);
    for (int i = 0; i < holes; i++) {
        GEOSGeometry *ring = GEOSGeom_clone_r(t->g, GEOSGetInteriorRingN_r(t->g, part, i));
        GEOSGeometry *hole = ring != NULL ? GEOSGeom_createPolygon_r(t->g, ring, NULL, 0) : NULL;
        if (hole == NULL) continue;
        struct finding f = {.relation = GAP, .a = UINT32_MAX, .b = UINT32_MAX};
        f.area = area_m2(t, hole);
        if (f.area >= t->o->min_overlap_m2 && f.area > 0) {
            describe(t, hole, &f);
            finding_send(t, &f);
        }
        GEOSGeom_destroy_r(t->g, hole);
    }
}

/* Holes of the union that are in no shape. */
static int gaps(struct topo *t) {
    GEOSGeometry **copy = mem_new((size_t)t->child.n + 1, sizeof(GEOSGeometry *));
    if (copy == NULL) return tool_fail(HELPER_EXIT_LIMIT, "out of memory");
    for (uint32_t i = 0; i < t->child.n; i++) copy[i] = GEOSGeom_clone_r(t->g, t->child.shape[i]);
    GEOSGeometry *all =
        GEOSGeom_createCollection_r(t->g, GEOS_GEOMETRYCOLLECTION, copy, t->child.n);
    mem_free(copy);
    GEOSGeometry *sum = all != NULL ? GEOSUnaryUnion_r(t->g, all) : NULL;
    if (sum == NULL && all != NULL) sum = GEOSUnaryUnionPrec_r(t->g, all, 1e-9);
    GEOSGeom_destroy_r(t->g, all);
    if (sum == NULL)
        return tool_fail(HELPER_EXIT_INPUT, "the shapes cannot be joined: %s", t->log.text);
    int n = GEOSGetNumGeometries_r(t->g, sum);
    for (int i = 0; i < n; i++) {
        const GEOSGeometry *part = GEOSGetGeometryN_r(t->g, sum, i);
        if (GEOSGeomTypeId_r(t->g, part) == GEOS_POLYGON) gaps_of_part(t, part);
    }
    GEOSGeom_destroy_r(t->g, sum);
    return HELPER_EXIT_OK;
}

static int topo_run(struct topo *t) {
    struct geo_cursor c = {.p = (const unsigned char *)buf_text(&t->in), .n = t->in.n};
    uint32_t children = geo_get_u32(&c), parents = geo_get_u32(&c);
    if (c.bad || children > MAX_SHAPES || parents > MAX_SHAPES)
        return tool_fail(HELPER_EXIT_LIMIT, "more than %d shapes", MAX_SHAPES);
    t->near = mem_new((size_t)(children > parents ? children : parents) + 1, sizeof *t->near);
    if (t->near == NULL) return tool_fail(HELPER_EXIT_LIMIT, "out of memory");
    int rc = set_read(t, &t->child, children, "shape", &c);
    if (rc == HELPER_EXIT_OK) rc = set_read(t, &t->parent, parents, "parent", &c);
    if (rc == HELPER_EXIT_OK) rc = pairs(t, false);
    if (rc == HELPER_EXIT_OK && parents > 0) rc = pairs(t, true);
    if (rc == HELPER_EXIT_OK && t->o->gaps) rc = gaps(t);
    if (rc != HELPER_EXIT_OK) return rc;
    size_t at = geo_frame_begin(&t->out, GEO_FRAME_END);
    geo_put_i64(&t->out, t->n_found);
    geo_frame_end(&t->out, at);
    return tool_flush(&t->out) ? HELPER_EXIT_OK
                               : tool_fail(HELPER_EXIT_FAILED, "the result cannot be written");
}

static void set_free(const struct topo *t, struct set *s) {
    for (uint32_t i = 0; i < s->n; i++) {
        GEOSPreparedGeom_destroy_r(t->g, s->ready[i]);
        GEOSGeom_destroy_r(t->g, s->shape[i]);
    }
    if (s->tree != NULL) GEOSSTRtree_destroy_r(t->g, s->tree);
    mem_free((void *)s->shape);
    mem_free((void *)s->ready);
    mem_free(s->number);
}

int tool_topology(const struct tool_options *o) {
    struct topo t = {.o = o};
    buf_init(&t.in, (size_t)1 << 30);
    buf_init(&t.out, (size_t)GEO_FRAME_MAX);
    t.g = tool_geos(&t.log);
    if (t.g == NULL) return tool_fail(HELPER_EXIT_FAILED, "GEOS cannot start");
    int rc = HELPER_EXIT_OK;
    if (!geo_limit_calls(false))
        rc = tool_fail(HELPER_EXIT_FAILED, "this system has no call filter");
    if (rc == HELPER_EXIT_OK && !read_stdin(&t.in))
        rc = tool_fail(HELPER_EXIT_LIMIT, "the shapes take more than 1 GiB");
    if (rc == HELPER_EXIT_OK) rc = topo_run(&t);
    set_free(&t, &t.child);
    set_free(&t, &t.parent);
    mem_free(t.near);
    GEOS_finish_r(t.g);
    buf_deinit(&t.in);
    buf_deinit(&t.out);
    return rc;
}
