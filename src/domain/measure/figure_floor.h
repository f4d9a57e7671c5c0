/* domain/measure/figure_floor.h - which figures are not told: those of guarded indicators that rest
 * on fewer than k matters, and as many more beside them that what is hidden cannot be had by
 * subtracting what is told from the parent's figure. Pure. */
#ifndef DOMAIN_MEASURE_FIGURE_FLOOR_H
#define DOMAIN_MEASURE_FIGURE_FLOOR_H
#include "domain/measure/value.h"

enum { FIGURE_FLOOR = 10 };
/* hidden[i]: the figure of area i of the view is not told. Primary: its size (denominator, or the
 * count itself) is below the floor. Complementary: among the children of one parent at least two
 * are hidden, and together they rest on at least the floor, by hiding the smallest of the others.
 * A view of an unguarded indicator hides nothing. O(n log n). */
enum err_code figure_floor(const struct indicator_def *d, const struct area_view *v,
                           const struct indicator_value *value, struct arena *a,
                           unsigned char *hidden, struct err *err) NODISCARD;
#endif
