#include "geo/locate.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "geo/locate_int.h"
#include "geo/orient.h"

enum { AHEAD = 16 };

struct locate *locate_ref(const struct locate *l) {
    struct locate *own = (struct locate *)(uintptr_t)l; /* only the counter changes */
    if (own != NULL) atomic_fetch_add_explicit(&own->refs, 1, memory_order_relaxed);
    return own;
}

void locate_unref(const struct locate *l) {
    struct locate *own = (struct locate *)(uintptr_t)l;
    if (own == NULL) return;
    if (atomic_fetch_sub_explicit(&own->refs, 1, memory_order_acq_rel) != 1) return;
    mem_free(own->box);
    mem_free(own->square);
    mem_free(own->raster);
    mem_free(own->pool);
    mem_free(own);
}

static uint32_t load_u32(const unsigned char *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static int32_t record_find(const unsigned char *p, double x, double px, double py) {
    for (;;) {
        struct record_head h;
        memcpy(&h, p, sizeof h);
        const unsigned char *mask = p + sizeof h,
                            *edges = p + record_edges_at(h.n_edge, h.n_candidate);
        uint32_t bits = h.base;
        for (uint32_t i = 0; i < h.n_edge; i++) {
            struct locate_edge e;
            memcpy(&e, edges + (size_t)i * sizeof e, sizeof e);
            uint32_t hit = orient_path_hits(e.ax, e.ay, e.bx, e.by, x, px, py);
            bits ^= load_u32(mask + 4 * (size_t)i) & (0u - hit);
        }
        if (bits != 0) {
            size_t first = (size_t)__builtin_ctz(bits);
            return (int32_t)load_u32(mask + 4 * (h.n_edge + first));
        }
        if (h.more == 0) return LOCATE_NONE;
        p = edges + (size_t)h.n_edge * sizeof(struct locate_edge);
    }
}

/* Never negative: p lies in the raster but for rounding. */
static uint32_t square_of(double v, uint32_t n) {
    if (!(v > 0)) return 0;
    uint32_t i = (uint32_t)v;
    return i < n ? i : n - 1;
}

static bool in_bounds(const struct locate *l, double x, double y) {
    const double *b = l->bounds; /* false for NaN */
    return (x >= b[0]) & (x <= b[2]) & (y >= b[1]) & (y <= b[3]);
}

/* The square of the root raster that holds a point within the bounds. */
static size_t root_square(const struct locate_raster *r, double x, double y, uint32_t *col) {
    *col = square_of((x - r->x0) * r->per_dx, r->nx);
    uint32_t row = square_of((y - r->y0) * r->per_dy, r->ny);
    return r->first + (size_t)row * r->nx + *col;
}

static int32_t find_from(const struct locate *l, uint32_t square, uint32_t col, double x,
                         double y) {
    const struct locate_raster *r = l->raster;
    while ((square & SQUARE_TAG) == SQUARE_RASTER) {
        r = l->raster + (square & SQUARE_VALUE);
        square = l->square[root_square(r, x, y, &col)];
    }
    if ((square & SQUARE_TAG) == 0) return (int32_t)square - 1;
    const unsigned char *p = l->pool + (size_t)(square & SQUARE_VALUE) * RECORD_UNIT;
    __builtin_prefetch(p + 64); /* a record is two or three cache lines */
    __builtin_prefetch(p + 128);
    return record_find(p, raster_x(r, col + 1), x, y);
}

int32_t locate_find(const struct locate *l, double lon_deg, double lat_deg) {
    double x = orient_settle(lon_deg), y = orient_settle(lat_deg);
    if (l == NULL || !in_bounds(l, x, y)) return LOCATE_NONE;
    uint32_t col;
    uint32_t square = l->square[root_square(l->raster, x, y, &col)];
    return find_from(l, square, col, x, y);
}

/* Two rounds over a small group, so that the cache misses of its points overlap. */
static void find_group(const struct locate *l, const double *lonlat, size_t n, int32_t *out) {
    uint32_t col[AHEAD] = {0}, square[AHEAD] = {0};
    size_t at[AHEAD] = {0};
    double x[AHEAD], y[AHEAD];
    bool in[AHEAD];
    for (size_t i = 0; i < n; i++) {
        x[i] = orient_settle(lonlat[2 * i]);
        y[i] = orient_settle(lonlat[2 * i + 1]);
        in[i] = in_bounds(l, x[i], y[i]);
        if (!in[i]) continue;
        at[i] = root_square(l->raster, x[i], y[i], &col[i]);
        __builtin_prefetch(l->square + at[i]);
    }
    for (size_t i = 0; i < n; i++) {
        if (!in[i]) continue;
        square[i] = l->square[at[i]];
        if ((square[i] & SQUARE_TAG) != SQUARE_RECORD) continue;
        const unsigned char *p = l->pool + (size_t)(square[i] & SQUARE_VALUE) * RECORD_UNIT;
        __builtin_prefetch(p);
        __builtin_prefetch(p + 64);
        __builtin_prefetch(p + 128);
    }
    for (size_t i = 0; i < n; i++)
        out[i] = in[i] ? find_from(l, square[i], col[i], x[i], y[i]) : LOCATE_NONE;
}

void locate_find_many(const struct locate *l, const double *lonlat, size_t n, int32_t *out) {
    if (l == NULL) {
        for (size_t i = 0; i < n; i++) out[i] = LOCATE_NONE;
        return;
    }
    for (size_t i = 0; i < n; i += AHEAD)
        find_group(l, lonlat + 2 * i, n - i < AHEAD ? n - i : AHEAD, out + i);
}

size_t locate_in_bbox(const struct locate *l, const double box[4], int32_t *out, size_t max) {
    size_t n = 0;
    if (l == NULL) return 0;
    for (size_t i = 0; i < l->n_cells; i++) {
        const double *b = l->box[i]; /* NaN compares false: a missing cell touches nothing */
        if (!((b[0] <= box[2]) & (b[2] >= box[0]) & (b[1] <= box[3]) & (b[3] >= box[1]))) continue;
        if (n < max) out[n] = (int32_t)i;
        n++;
    }
    return n;
}

size_t locate_n_cells(const struct locate *l) { return l == NULL ? 0 : l->n_cells; }

size_t locate_bytes(const struct locate *l) {
    if (l == NULL) return 0;
    return sizeof *l + l->n_cells * sizeof *l->box + l->n_squares * sizeof *l->square +
           l->n_rasters * sizeof *l->raster + l->n_pool;
}
