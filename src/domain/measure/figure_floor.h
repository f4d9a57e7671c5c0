/* domain/measure/figure_floor.h - which figures are not told: those of guarded indicators that rest
 * on fewer than k matters, and as many more beside them that what is hidden cannot be had by
 * subtracting what is told from the figure of the area above. */
#ifndef DOMAIN_MEASURE_FIGURE_FLOOR_H
#define DOMAIN_MEASURE_FIGURE_FLOOR_H
#include "domain/measure/value.h"

enum { FIGURE_FLOOR = 10 };
/* Whether the indicator, or one it is formed from, is guarded. */
bool figure_guarded(const struct pack_set *packs, const struct indicator_def *d);
/* Number of guarded matters that a value rests on: of a share or mean its rows, of a count the
 * count, of a formula the smallest of its guarded parts. 0 when there is no value. */
double figure_size(const struct pack_set *packs, const struct indicator_def *d,
                   const struct indicator_value *v);
/* hidden[i]: the figure of area i of the view is not told. Primary: its size is below the floor.
 * Complementary: among the children of one parent at least two are hidden, and together they rest
 * on at least the floor, by hiding the smallest of the others. parent_hidden, by the grid's areas
 * or NULL: below an area that is hidden itself at least one is. A view of an unguarded indicator
 * hides nothing. Pure. O(n log n). */
enum err_code figure_floor(const struct pack_set *packs, const struct indicator_def *d,
                           const struct area_view *v, const struct indicator_value *value,
                           const unsigned char *parent_hidden, struct arena *a,
                           unsigned char *hidden, struct err *err) NODISCARD;
/* The same for a query, told from the top of the tree down to its level. `value` are the query's
 * own values. Over time: guarded figures are told by month and year only, never by day or ten days;
 * a year's only where all its months' are, so that neither can be had from the other; one held
 * against its own past only where the figures of both periods are told. Errors and cost: those of
 * value_form for each level above; a year twelve times that. */
enum err_code figure_floor_of(const struct value_query *q, const struct indicator_def *d,
                              const struct indicator_value *value, struct arena *a,
                              unsigned char *hidden, struct err *err) NODISCARD;
#endif
