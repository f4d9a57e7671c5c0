/* Points located per second among an irregular partition: ours, and GEOS (STRtree + prepared
 * polygons), on the same cells and points in the same process. Prints one JSON object;
 * bench/locate.sh builds, repeats and compares. Usage: locate NX NY INNER POINTS ROUNDS   (INNER
 * border points a cell besides its 4 corners) */
#include <geos_c.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "geo/locate.h"
#include "partition.h"

/* Processor time of this thread: what a core does, also when other work shares the machine. */
static double now_s(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median, lowest and highest as JSON members. */
static void print_spread(const char *name, double *v, size_t n) {
    qsort(v, n, sizeof *v, by_value);
    (void)printf("\"%s\":%.4g,\"%s_min\":%.4g,\"%s_max\":%.4g,", name, v[n / 2], name, v[0], name,
                 v[n - 1]);
}

struct peer {
    GEOSContextHandle_t g;
    GEOSSTRtree *tree;
    GEOSGeometry **shape;
    const GEOSPreparedGeometry **ready;
    int32_t *number;
    uint32_t n;
};

static void quiet(const char *message, void *arg) { (void)message, (void)arg; }

static double peer_build(struct peer *p, const struct partition *part) {
    double start = now_s();
    p->g = GEOS_init_r();
    GEOSContext_setNoticeMessageHandler_r(p->g, quiet, NULL);
    p->tree = GEOSSTRtree_create_r(p->g, 10);
    p->n = part->n;
    p->shape = calloc(part->n, sizeof *p->shape);
    p->ready = calloc(part->n, sizeof *p->ready);
    p->number = calloc(part->n, sizeof *p->number);
    if (p->shape == NULL || p->ready == NULL || p->number == NULL) abort();
    for (uint32_t i = 0; i < part->n; i++) {
        const struct polygon *c = part->cell[i];
        GEOSCoordSequence *s = GEOSCoordSeq_copyFromBuffer_r(p->g, c->xy, c->n_pt, 0, 0);
        GEOSGeometry *ring = GEOSGeom_createLinearRing_r(p->g, s);
        p->shape[i] = GEOSGeom_createPolygon_r(p->g, ring, NULL, 0);
        p->ready[i] = GEOSPrepare_r(p->g, p->shape[i]);
        p->number[i] = (int32_t)i;
        GEOSSTRtree_insert_r(p->g, p->tree, p->shape[i], &p->number[i]);
    }
    return now_s() - start;
}

struct question {
    const struct peer *p;
    const GEOSGeometry *point;
    int32_t found;
};

static void peer_try(void *item, void *arg) {
    struct question *q = arg;
    int32_t i = *(int32_t *)item;
    if (q->found >= 0) return;
    if (GEOSPreparedIntersects_r(q->p->g, q->p->ready[i], q->point) == 1) q->found = i;
}

static int32_t peer_find(const struct peer *p, double x, double y) {
    GEOSGeometry *point = GEOSGeom_createPointFromXY_r(p->g, x, y);
    struct question q = {p, point, LOCATE_NONE};
    GEOSSTRtree_query_r(p->g, p->tree, point, peer_try, &q);
    GEOSGeom_destroy_r(p->g, point);
    return q.found;
}

static void peer_free(struct peer *p) {
    GEOSSTRtree_destroy_r(p->g, p->tree);
    for (uint32_t i = 0; i < p->n; i++) {
        GEOSPreparedGeom_destroy_r(p->g, p->ready[i]);
        GEOSGeom_destroy_r(p->g, p->shape[i]);
    }
    free(p->shape);
    free(p->ready);
    free(p->number);
    GEOS_finish_r(p->g);
}

struct load {
    struct partition part;
    double *at; /* points */
    int32_t *found;
    size_t n;
};

static struct locate *build_once(const struct load *w, double *seconds) {
    struct locate *l = NULL;
    struct err err = {0};
    double start = now_s();
    if (locate_build(w->part.cell, w->part.n, &l, &err) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
        abort();
    }
    *seconds = now_s() - start;
    return l;
}

static void measure_ours(const struct load *w, size_t rounds) {
    double build[64], single[64], many[64];
    struct locate *l = NULL;
    for (size_t r = 0; r < rounds; r++) {
        locate_unref(l);
        l = build_once(w, &build[r]);
        double start = now_s();
        for (size_t i = 0; i < w->n; i++)
            w->found[i] = locate_find(l, w->at[2 * i], w->at[2 * i + 1]);
        single[r] = (double)w->n / (now_s() - start) / 1e6;
        start = now_s();
        locate_find_many(l, w->at, w->n, w->found);
        many[r] = (double)w->n / (now_s() - start) / 1e6;
    }
    print_spread("build_s", build, rounds);
    print_spread("mpoints_s", single, rounds);
    print_spread("mpoints_s_batch", many, rounds);
    (void)printf("\"index_mb\":%.1f,", (double)locate_bytes(l) / 1e6);
    locate_unref(l);
}

/* GEOS answers a sample; where it differs from ours, it must be because a point lies on a border.
 */
static void measure_peer(const struct load *w, size_t rounds) {
    struct peer p;
    double speed[64], build = peer_build(&p, &w->part);
    size_t n = w->n < 500000 ? w->n : 500000, differs = 0;
    (void)peer_find(&p, w->at[0], w->at[1]); /* the tree is built at the first question */
    for (size_t r = 0; r < rounds; r++) {
        differs = 0;
        double start = now_s();
        for (size_t i = 0; i < n; i++)
            differs += peer_find(&p, w->at[2 * i], w->at[2 * i + 1]) != w->found[i];
        speed[r] = (double)n / (now_s() - start) / 1e6;
    }
    print_spread("geos_mpoints_s", speed, rounds);
    (void)printf("\"geos_build_s\":%.3f,\"differs\":%zu", build, differs);
    peer_free(&p);
}

static bool number(const char *text, size_t min, size_t max, size_t *out) {
    char *end;
    *out = strtoul(text, &end, 10);
    return *end == '\0' && *out >= min && *out <= max;
}

/* Room for n points and answers in the arena, and the points. */
static bool questions(struct load *w, struct arena *a, const double box[4]) {
    w->at = ARENA_NEW(a, double, 2 * w->n);
    w->found = ARENA_NEW(a, int32_t, w->n);
    if (w->at == NULL || w->found == NULL) return false;
    uint64_t seed = 7;
    for (size_t i = 0; i < w->n; i++) {
        w->at[2 * i] = box[0] + (box[2] - box[0]) * test_unit(&seed);
        w->at[2 * i + 1] = box[1] + (box[3] - box[1]) * test_unit(&seed);
    }
    return true;
}

int main(int argc, char **argv) {
    size_t nx, ny, inner, rounds;
    struct load w = {.n = 0};
    if (argc != 6 || !number(argv[1], 1, 1000, &nx) || !number(argv[2], 1, 1000, &ny) ||
        !number(argv[3], 0, 1000, &inner) || !number(argv[4], 1, 100000000, &w.n) ||
        !number(argv[5], 1, 64, &rounds)) {
        (void)fprintf(stderr, "usage: locate NX NY INNER POINTS ROUNDS\n");
        return 2;
    }
    static const double box[] = {118.4, 31.7, 119.2, 32.4};
    struct arena *a = arena_new((size_t)8 << 30);
    if (a == NULL) return 1;
    w.part = partition_make(a, 20260701, (uint32_t)nx, (uint32_t)ny, (uint32_t)inner, box, 0);
    if (questions(&w, a, box)) {
        (void)printf("{\"cells\":%u,\"points_a_cell\":%u,\"questions\":%zu,\"rounds\":%zu,",
                     w.part.n, w.part.cell[w.part.n / 2]->n_pt - 1, w.n, rounds);
        measure_ours(&w, rounds);
        measure_peer(&w, rounds < 3 ? rounds : 3);
        (void)printf("}\n");
    }
    arena_free(a);
    return w.found == NULL;
}
