/* domain/grid/snapshot.h - how a snapshot is held: one arena, one atomic count. Private to
 * domain/grid. */
#ifndef DOMAIN_GRID_SNAPSHOT_H
#define DOMAIN_GRID_SNAPSHOT_H
#include <stdatomic.h>

#include "domain/grid/grid.h"

struct snapshot {
    struct grid grid; /* first, so that a grid pointer is a snapshot pointer */
    struct arena *arena;
    atomic_long refs;
};
/* The area of each level above an area, itself included. */
void snapshot_levels(const struct grid *g, int area, int at[GRID_LEVELS]);
#endif
