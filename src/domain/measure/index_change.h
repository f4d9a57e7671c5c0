/* domain/measure/index_change.h - why the index of an area changed between two periods, in parts
 * that add up to the change.
 *
 *   restatement   the earlier value as it is formed today, less as it was frozen then (late data)
 *   fell_out      indicators that had a value before and have none now: what taking them out does
 *   came_in       the other way round
 *   indicator     what is counted
 *   denominator   what counts are divided by
 *   formula       weights, goalposts, treatments and means: another version, or weights that the
 *                 period's own values give
 *
 * The last three are Shapley values (Shapley 1953; Shorrocks 2013, eq. 7): the index is formed for
 * all 8 mixtures of the two periods' numerators, denominators and formulas, over the indicators
 * that have a value in both; a factor's part is its mean effect over all orders of changing them.
 * Within a part indicators share by num/composite/contribution.h. The rule for denominators: only a
 * formula of one indicator over another, or over its own past, is split; a share or mean of rows is
 * one thing, since its rows are no base it is measured by. Pure. */
#ifndef DOMAIN_MEASURE_INDEX_CHANGE_H
#define DOMAIN_MEASURE_INDEX_CHANGE_H
#include "domain/measure/index_form.h"

struct index_change_leaf {
    const struct index_node *node; /* of the later definition, or of the earlier one */
    double indicator, denominator, formula, entered; /* entered: came in or fell out */
};
struct index_change {
    bool told;       /* false: one of the two has no value, and the rest is NaN */
    double from, to; /* the earlier value as it was told (frozen, or formed now), and the later */
    double restatement, fell_out, came_in, indicator, denominator, formula;
    const struct index_change_leaf *leaf; /* those that are in either; each part is their sum */
    size_t n;
};
/* area: position in both views, which are of one level and grid. published: the frozen value of the
 * earlier period, or NaN. The six parts add up to `to - from`, and those of the leaves to each, to
 * 1e-9. Errors: ERR_NOMEM. O(8 nodes). */
enum err_code index_change_of(const struct index_view *before, const struct index_view *now,
                              size_t area, double published, struct arena *a,
                              struct index_change *out, struct err *err) NODISCARD;
#endif
