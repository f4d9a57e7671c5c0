/* sim/city_shape.h - the ground of an invented city: one convex hull cut again and again by
 * straight lines (counties, towns, communities, cells), then bent by a chain of one-to-one maps of
 * the plane. Every border belongs to one line whose points are stored once, so neighbours share
 * each border vertex, and a county, town or community is exactly the union of its cells. Pure: the
 * same seed and counts give the same bits; safe from any thread. */
#ifndef SIM_CITY_SHAPE_H
#define SIM_CITY_SHAPE_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum { SHAPE_N_LEVEL = 5 }; /* 0 city, 1 county, 2 town, 3 community, 4 cell */

/* Degrees times 1e7 (about 1 cm): whole numbers, so that sums over shared borders are exact. */
struct shape_point {
    int32_t lon_e7, lat_e7;
};
/* Indices into city_shape.point, counterclockwise, the first not repeated at the end. */
struct shape_ring {
    const uint32_t *at;
    size_t n;
};
struct shape_node {
    uint32_t parent;               /* index in the level above; 0 for the city */
    uint32_t first_child, n_child; /* in the level below; a cell has none */
    uint32_t n_cell;               /* cells under it; 1 for a cell */
    struct shape_ring outer;
    struct shape_ring
        hole; /* n == 0: none. Its ring is the outer ring of another cell, turned round */
};
/* A line that made areas of `level`: from one end to the other, every vertex on it. */
struct shape_line {
    int level;
    const uint32_t *at;
    size_t n;
};
struct city_shape {
    const struct shape_point *point;
    size_t n_point;
    struct shape_node *node[SHAPE_N_LEVEL];
    size_t n_node[SHAPE_N_LEVEL];
    const struct shape_line
        *line; /* the cuts in the order made: line[0] parts the city in two (the river) */
    size_t n_line;
};

/* Errors: ERR_INVALID (n_cell outside 2..100000), ERR_NOMEM, ERR_NUMERIC (a cut could not be
 * placed). Cost: about 50 ms for 5,000 cells. Everything is owned by the arena. */
enum err_code city_shape_build(struct arena *a, uint64_t seed, size_t n_cell,
                               const struct city_shape **out, struct err *err) NODISCARD;

/* Twice the signed area of a ring in units of 1e-14 square degrees; exact. */
int64_t shape_area2(const struct city_shape *s, const struct shape_ring *r);
/* 1 inside, 0 outside, -1 on the border; exact. */
int shape_ring_side(const struct city_shape *s, const struct shape_ring *r, struct shape_point p);
#endif
