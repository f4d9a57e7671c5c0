/* geo/orient.h - on which side of an edge a point lies, without rounding errors.
 *
 * Every question about borders in this folder is asked of the point (x + e, y + e*e) for an
 * infinitely small e > 0
 * ("simulation of simplicity", Edelsbrunner and Muecke 1990): a point on a border belongs to the
 * polygon whose interior lies to its east and, when the border runs east-west there, to its north.
 * The moved point lies on no border, so a partition gives each point exactly one owner. Pinned by
 * tests/unit/geo/test_orient.c and test_polygon.c. Pure; safe from any thread; no allocation. */
#ifndef GEO_ORIENT_H
#define GEO_ORIENT_H
#include <math.h>
#include <stdbool.h>

/* Coordinates nearer to zero than this count as zero, everywhere: products of two differences then
 * never underflow, which the exact arithmetic needs. The smallest step of a GNSS receiver is 120
 * orders of magnitude above it. */
#define ORIENT_TINY 0x1p-440

static inline double orient_settle(double v) { return fabs(v) < ORIENT_TINY ? 0.0 : v; }

/* Sign of (a-p) x (b-p): > 0 when p lies to the left of a->b, 0 when exactly on its line.
 * Coordinates finite, settled and below 2^400. Exact: expansion arithmetic (Shewchuk 1997,
 * "Adaptive precision floating-point arithmetic"). */
int orient_exact(double ax, double ay, double bx, double by, double px, double py);

/* How far rounding may carry the difference of the two products l and r of such a cross product: (3
 * + 16u)u with u = 2^-53 (Shewchuk's bound A); the last term covers products that underflow. */
#define ORIENT_BOUND(l, r) (3.3306690738754716e-16 * (fabs(l) + fabs(r)) + 0x1p-1000)

/* The same sign by a float filter, falling back to orient_exact. */
static inline int orient(double ax, double ay, double bx, double by, double px, double py) {
    double l = (ax - px) * (by - py), r = (ay - py) * (bx - px);
    double det = l - r;
    if (__builtin_expect(fabs(det) > ORIENT_BOUND(l, r), 1)) return det > 0 ? 1 : -1;
    return orient_exact(ax, ay, bx, by, px, py);
}

/* True when the ray going east from the moved point p crosses the edge a-b, given ay <= by. */
static inline bool orient_ray_hits(double ax, double ay, double bx, double by, double px,
                                   double py) {
    bool straddles = (ay <= py) & (py < by);
    double l = (ax - px) * (by - py), r = (ay - py) * (bx - px), det = l - r;
    /* As in orient, but without a branch on straddles, which no processor can guess. */
    if (__builtin_expect(straddles & (fabs(det) <= ORIENT_BOUND(l, r)), 0))
        return orient_exact(ax, ay, bx, by, px, py) > 0;
    return straddles & (det > 0);
}

/* True when the edge a-b (ay <= by) is crossed an odd number of times by the path from the moved
 * point p due east (or west) to longitude x, then due north for ever. Seen from (x, py), that is:
 * the eastward rays of p and of (x, py) differ, and exactly one end lies in the quadrant north-east
 * of (x, py). */
static inline bool orient_path_hits(double ax, double ay, double bx, double by, double x, double px,
                                    double py) {
    bool a_in = (ax > x) & (ay > py), b_in = (bx > x) & (by > py);
    return orient_ray_hits(ax, ay, bx, by, px, py) ^ (a_in != b_in);
}
#endif
