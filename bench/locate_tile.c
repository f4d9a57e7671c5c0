/* Time of one uncached vector tile over a layer of cells: choose by box, project, clip, encode.
 * Prints one JSON object; bench/locate.sh builds and runs it. Usage: locate_tile NX NY INNER ROUNDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "geo/crs.h"
#include "geo/locate.h"
#include "geo/mvt.h"
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

enum { MAX_CELLS = 1000000, MAX_ROUNDS = 1000, CODE = 24 };

struct load {
    struct partition part;
    struct locate *l;
    int32_t *found;
    char (*code)[CODE];
    struct buf out;
    size_t cells; /* in the tile written last */
};

static enum err_code tile(struct load *w, unsigned z) {
    const double *b = w->part.box;
    double u, v, box[4];
    mercator_from_lonlat((b[0] + b[2]) / 2, (b[1] + b[3]) / 2, &u, &v);
    uint32_t x = (uint32_t)(u * (1u << z)), y = (uint32_t)(v * (1u << z));
    struct arena *a = arena_new((size_t)256 << 20);
    struct mvt *t = NULL;
    if (a == NULL) return ERR_NOMEM;
    enum err_code rc = mvt_tile_box(z, x, y, box, NULL);
    if (rc == ERR_OK) rc = mvt_new(a, z, x, y, &t, NULL);
    if (rc == ERR_OK) rc = mvt_layer(t, "cells", NULL);
    w->cells = locate_in_bbox(w->l, box, w->found, w->part.n);
    for (size_t i = 0; i < w->cells && rc == ERR_OK; i++) {
        int32_t c = w->found[i];
        struct mvt_tag tags[] = {{.key = "code", .type = MVT_STRING, .u.s = w->code[c]},
                                 {.key = "on_duty", .type = MVT_BOOL, .u.b = c % 9 != 0}};
        rc = mvt_polygon(t, (uint64_t)c + 1, w->part.cell[c], tags, 2, NULL);
    }
    buf_clear(&w->out);
    if (rc == ERR_OK) rc = mvt_finish(t, &w->out, NULL);
    arena_free(a);
    return rc;
}

static enum err_code measure(struct load *w, size_t rounds) {
    static const unsigned zooms[] = {10, 12, 14, 16};
    double ms[MAX_ROUNDS];
    (void)printf("{\"cells\":%u", w->part.n);
    for (size_t k = 0; k < sizeof zooms / sizeof zooms[0]; k++) {
        for (size_t r = 0; r < rounds; r++) {
            double start = now_s();
            TRY(tile(w, zooms[k]));
            ms[r] = (now_s() - start) * 1e3;
        }
        qsort(ms, rounds, sizeof *ms, by_value);
        (void)printf(
            ",\"z%u\":{\"cells\":%zu,\"bytes\":%zu,\"ms\":%.3f,\"ms_min\":%.3f,\"ms_max\":%.3f}",
            zooms[k], w->cells, w->out.n, ms[rounds / 2], ms[0], ms[rounds - 1]);
    }
    (void)printf("}\n");
    return ERR_OK;
}

static bool number(const char *text, size_t max, uint32_t *out) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    *out = (uint32_t)v;
    return *end == '\0' && v >= 1 && v <= max;
}

int main(int argc, char **argv) {
    uint32_t nx, ny, inner, rounds;
    if (argc != 5 || !number(argv[1], 1000, &nx) || !number(argv[2], 1000, &ny) ||
        !number(argv[3], 1000, &inner) || !number(argv[4], MAX_ROUNDS, &rounds)) {
        (void)fprintf(stderr, "usage: locate_tile NX NY INNER ROUNDS\n");
        return 2;
    }
    /* As large as a tile of zoom 10 can hold: a city of about 30 km. */
    static const double box[] = {118.49, 31.97, 118.81, 32.23};
    struct arena *a = arena_new((size_t)8 << 30);
    if (a == NULL) return 1;
    struct load w = {.part = partition_make(a, 20260701, nx, ny, inner, box, 0)};
    w.found = ARENA_NEW(a, int32_t, w.part.n);
    w.code = arena_alloc(a, w.part.n, CODE);
    buf_init(&w.out, (size_t)64 << 20);
    enum err_code rc = w.found != NULL && w.code != NULL ? ERR_OK : ERR_NOMEM;
    for (uint32_t i = 0; i < w.part.n && rc == ERR_OK; i++)
        (void)snprintf(w.code[i], CODE, "320102%06u", i);
    if (rc == ERR_OK) rc = locate_build(w.part.cell, w.part.n, &w.l, NULL);
    if (rc == ERR_OK) rc = measure(&w, rounds);
    buf_deinit(&w.out);
    locate_unref(w.l);
    arena_free(a);
    return rc != ERR_OK;
}
