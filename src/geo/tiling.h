/* geo/tiling.h - shapes that share borders made coarse together, for maps that are drawn small:
 * what touched still touches, nothing overlaps that did not before. Method: snap rounding on a
 * lattice over all of them (Hobby 1999, "Practical segment intersection with finite precision
 * output"): every corner goes to the middle of its lattice square, and a border that passes through
 * a square in which any shape has a corner is bent through that middle, so that a corner of one
 * shape on a straight border of another leaves no gap. Borders that cross without a corner are not
 * bent. Pure; safe from any thread. Pinned by tests/unit/geo/test_tiling.c. */
#ifndef GEO_TILING_H
#define GEO_TILING_H
#include "geo/polygon.h"

enum { TILING_SIDE_MIN = 16, TILING_SIDE_MAX = 4096, TILING_MAX_POINTS = 2000000 };

/* shape: n polygons, NULL entries are left NULL. side: squares along the longer side of the box of
 * all, as long in metres both ways. out: n polygons in arena memory; NULL where nothing is left, as
 * of a shape smaller than a square. Points are multiples of a millionth of a degree.
 * Errors: ERR_INVALID (side), ERR_LIMIT (more points than the limit, or borders longer than 100
 * million squares), ERR_NOMEM. Cost: O(points + length of all borders in squares). */
enum err_code tiling_coarse(struct arena *a, const struct polygon *const *shape, size_t n, int side,
                            const struct polygon **out, struct err *err) NODISCARD;
#endif
