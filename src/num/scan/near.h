/* num/scan/near.h - points of the plane or of space by distance from a centre: a k-d tree (Bentley
 * 1975) that gives the points within a radius, and a sort that breaks ties by coordinates. */
#ifndef NUM_SCAN_NEAR_H
#define NUM_SCAN_NEAR_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct near_tree;
struct near_hit {
    double distance;
    uint32_t point;
};
/* coord: n x dim row-major, finite, borrowed; dim 2 or 3; n >= 1. Build: n log^2 n. */
enum err_code near_new(size_t n, unsigned dim, const double *coord, struct arena *a,
                       const struct near_tree **out, struct err *err) NODISCARD;
/* Every point with distance <= radius, in no particular order; hits holds n. Returns how many. */
size_t near_disc(const struct near_tree *t, const double *center, double radius,
                 struct near_hit *hits);
/* Sort hits by distance; equal ones by the rows of tie (n x dim, smaller first coordinate first,
 * then the next), then by point. scratch holds n_hits items, bucket n_hits + 1. About n_hits steps
 * when the points lie evenly. */
void near_sort(struct near_hit *hits, size_t n_hits, const double *tie, unsigned dim,
               struct near_hit *scratch, uint32_t *bucket);
/* Longest side of the box around all points. */
double near_extent(const struct near_tree *t);
double near_distance(const double *a, const double *b, unsigned dim);
#endif
