/* geo/locate_int.h - what the builder and the reader of the index share. Layout: docs/adr/0003.
 *
 * A raster divides a rectangle into squares, row by row from the south-west. A square is one
 * number: 00 + (cell + 1)    the whole square lies in this cell; 0: in none 01 + offset edges pass
 * through it: the record at pool + 16 * offset 10 + raster        so many edges that the square has
 * a raster of its own A record belongs to the square with the east side x; for each of its
 * candidates, ascending by cell number, inside(p) = base bit XOR, over its edges,
 * orient_path_hits(edge, x, p) which is exact for every p of the square when the list has every
 * edge that touches the square. */
#ifndef GEO_LOCATE_INT_H
#define GEO_LOCATE_INT_H
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SQUARE_TAG 0xC0000000u
#define SQUARE_RECORD 0x40000000u
#define SQUARE_RASTER 0x80000000u
#define SQUARE_VALUE 0x3FFFFFFFu

enum { RECORD_UNIT = 16, RECORD_CANDIDATES = 32 };

struct locate_edge {
    double ax, ay, bx, by; /* ay <= by */
};

struct record_head {
    uint32_t n_edge, n_candidate; /* n_candidate <= RECORD_CANDIDATES */
    uint32_t base;                /* bit i: candidate i */
    uint32_t more;                /* 1: another record with later candidates follows */
    /* uint32_t mask[n_edge], candidate[n_candidate]; then, at the next multiple of 16,
     * locate_edge[n_edge] */
};

struct locate_raster {
    double x0, y0, dx, dy, per_dx, per_dy; /* per_dx = 1 / dx */
    uint32_t nx, ny, first;                /* first square */
};

struct locate {
    _Atomic int refs;
    size_t n_cells, n_squares, n_rasters, n_pool; /* n_pool in bytes */
    double (*box)[4];                             /* n_cells; NaN where there is no cell */
    double bounds[4];                             /* of everything; a point outside is in no cell */
    uint32_t *square;
    struct locate_raster *raster; /* raster[0] is the root; none when n_rasters is 0 */
    unsigned char *pool;
};

static inline double raster_x(const struct locate_raster *r, uint32_t col) {
    return r->x0 + (double)col * r->dx;
}
static inline double raster_y(const struct locate_raster *r, uint32_t row) {
    return r->y0 + (double)row * r->dy;
}

static inline size_t record_edges_at(uint32_t n_edge, uint32_t n_candidate) {
    size_t n = sizeof(struct record_head) + 4 * ((size_t)n_edge + n_candidate);
    return (n + RECORD_UNIT - 1) / RECORD_UNIT * RECORD_UNIT;
}
#endif
