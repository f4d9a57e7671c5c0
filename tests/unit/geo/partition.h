/* Test and benchmark data: an irregular partition of a box into cells with shared borders. */
#ifndef TEST_PARTITION_H
#define TEST_PARTITION_H
#include <stdint.h>

#include "base/arena.h"
#include "geo/polygon.h"

struct partition {
    const struct polygon **cell;
    uint32_t n;
    double box[4];
};

/* nx * ny bent quadrilaterals, row by row from the south-west, each with 4 corners and about
 * `inner` further points; neighbours share their border points exactly. Coordinates are multiples
 * of `step` (a power of two) degrees when step > 0. The outer border is straight. Fails the running
 * test when memory is short. */
struct partition partition_make(struct arena *a, uint64_t seed, uint32_t nx, uint32_t ny,
                                uint32_t inner, const double box[4], double step);

/* A different number at each call (splitmix64; Steele, Lea, Flood 2014), and one in [0, 1). */
uint64_t test_next(uint64_t *state);
double test_unit(uint64_t *state);
#endif
