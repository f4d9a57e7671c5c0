#include "geos_layer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static GEOSGeometry *ring_of(GEOSContextHandle_t g, const struct polygon *p, uint32_t r) {
    return GEOSGeom_createLinearRing_r(
        g, GEOSCoordSeq_copyFromBuffer_r(g, p->xy + 2 * (size_t)p->ring[r],
                                         p->ring[r + 1] - p->ring[r], 0, 0));
}

GEOSGeometry *geos_layer_shape(GEOSContextHandle_t g, const struct polygon *p) {
    GEOSGeometry **part = calloc(p->n_part, sizeof *part);
    for (uint32_t i = 0; i < p->n_part; i++) {
        uint32_t first = p->part[i], holes = p->part[i + 1] - first - 1;
        GEOSGeometry **hole = calloc(holes + 1, sizeof *hole);
        for (uint32_t h = 0; h < holes; h++) hole[h] = ring_of(g, p, first + 1 + h);
        part[i] = GEOSGeom_createPolygon_r(g, ring_of(g, p, first), hole, holes);
        free(hole);
    }
    GEOSGeometry *out = GEOSGeom_createCollection_r(g, GEOS_MULTIPOLYGON, part, p->n_part);
    free(part);
    return out;
}

/* The polygons of a GeoJSON file of polygons and multipolygons. */
static const struct polygon *from_geojson(struct arena *a, const struct val *geometry) {
    const struct val *parts = val_get(geometry, "coordinates");
    struct val single = {.type = VAL_LIST, .n = 1};
    const struct val *type = val_get(geometry, "type");
    if (strcmp(type->u.s, "Polygon") == 0) {
        single.u.list = (struct val *)(uintptr_t)parts;
        parts = &single;
    }
    size_t rings = 0, points = 0;
    for (size_t p = 0; p < parts->n; p++)
        for (size_t r = 0; r < parts->u.list[p].n; r++, rings++)
            points += parts->u.list[p].u.list[r].n;
    uint32_t *part_n = ARENA_NEW(a, uint32_t, parts->n), *ring_n = ARENA_NEW(a, uint32_t, rings);
    double *xy = ARENA_NEW(a, double, 2 * points), *at = xy;
    rings = 0;
    for (size_t p = 0; p < parts->n; p++) {
        const struct val *part = parts->u.list + p;
        part_n[p] = (uint32_t)part->n;
        for (size_t r = 0; r < part->n; r++) {
            ring_n[rings++] = (uint32_t)part->u.list[r].n;
            for (size_t i = 0; i < part->u.list[r].n; i++) {
                const struct val *pt = part->u.list[r].u.list + i;
                for (int k = 0; k < 2; k++) {
                    const struct val *v = pt->u.list + k;
                    *at++ = v->type == VAL_INT ? (double)v->u.i : v->u.d;
                }
            }
        }
    }
    const struct polygon *out = NULL;
    struct err err;
    if (polygon_from_rings(a, xy, ring_n, (uint32_t)rings, part_n, (uint32_t)parts->n, &out,
                           &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return out;
}

size_t geos_layer_read(struct arena *a, const char *name, const struct polygon **cell, size_t max) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/../shared/data/02-boundaries/%s", SOURCE_DIR, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) return 0;
    size_t cap = 4 << 20, got = 0;
    char *text = malloc(cap);
    size_t n = fread(text, 1, cap, f);
    (void)fclose(f);
    const struct val *doc = NULL;
    struct err err;
    if (json_parse(a, text, n, &doc, &err) != ERR_OK) fail_msg("%s: %s", name, err.detail);
    free(text);
    const struct val *features = val_get(doc, "features");
    for (; got < features->n && got < max; got++)
        cell[got] = from_geojson(a, val_get(features->u.list + got, "geometry"));
    return got;
}
