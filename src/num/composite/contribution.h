/* num/composite/contribution.h - where a score comes from, and where a difference of two scores
 * comes from, node by node; the parts add up exactly.
 *
 * Contributions of a score: Euler's theorem. Every mean here (arithmetic, geometric, harmonic,
 * power, Mazziotta-Pareto) is homogeneous of degree 1: twice the values, twice the mean. So
 * v = sum of c_i dv/dc_i, and c_i dv/dc_i is the part of child i; it is also the Aumann-Shapley
 * value along the ray from 0 (Aumann & Shapley 1974, "Values of non-atomic games"; Billera & Heath
 * 1982, theorem 2.1). For an arithmetic mean it is w I, for a geometric one w v (all the same
 * proportion: the product has no parts of different size), for a harmonic one w v^2 / c.
 *
 * Differences of two scores under the same weights: with phi the transform that a mean adds up (x,
 * ln x, 1/x, x^p), v1 - v0 = K sum of w_i (phi(c1_i) - phi(c0_i)), K = (v1 - v0) / (phi(v1) -
 * phi(v0)). For an arithmetic mean the part of child i is w_i (c1_i - c0_i); for a geometric one it
 * is the log-mean Divisia index (Ang & Choi 1997, additive form of Ang 2004, eq. 6). It depends on
 * no order and leaves no rest.
 *
 * Both go down the tree: a node's part is shared out below it in the same way, so the parts of the
 * children add up to their parent's. Pure, any thread. */
#ifndef NUM_COMPOSITE_CONTRIBUTION_H
#define NUM_COMPOSITE_CONTRIBUTION_H
#include <stdbool.h>

#include "num/composite/composite.h"

/* Whether scores under this aggregation have contributions: outranking and benefit of the doubt
 * have none. Above an exponential transformation parts are in proportion. */
bool contribution_possible(const struct composite_aggregate *g, size_t n_level);
/* Whether differences have parts: the quasi-arithmetic means, without penalty or transformation. */
bool contribution_difference_possible(const struct composite_aggregate *g, size_t n_level);

/* Parts of the index of each area.
 *   weight  n_node, among siblings, 0 left out
 *   value   n_node x n_area: normalised indicators and the scores above them (the aggregated stage)
 *   out     n_node x n_area: part of each node, the index's own is its score; NaN where the node or
 *           the index is missing. Parts of the children that are there add up to their parent's to
 *           1e-12 of the largest.
 * Errors: ERR_INVALID when no parts are possible. O(n_node n_area). */
enum err_code contribution_parts(const struct composite_tree *t, const double *weight,
                                 const struct composite_aggregate *g, const double *value,
                                 size_t n_area, double *out, struct err *err) NODISCARD;

/* Parts of the difference value1 - value0 of each area, both under the same weights. NaN in all
 * nodes below one of which a child is missing in one of the two only (split tells: n_area, false
 * where the index's difference cannot be shared out wholly; may be NULL). */
enum err_code contribution_difference(const struct composite_tree *t, const double *weight,
                                      const struct composite_aggregate *g, const double *value0,
                                      const double *value1, size_t n_area, double *out, bool *split,
                                      struct err *err) NODISCARD;
#endif
