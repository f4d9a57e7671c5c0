/* num/composite/what_if.h - the ranking under other weights, without some indicators, or with other
 * means: what moves, and by how much. Pure; any thread. */
#ifndef NUM_COMPOSITE_WHAT_IF_H
#define NUM_COMPOSITE_WHAT_IF_H
#include "num/composite/composite.h"

/* What is changed of a base. */
struct what_if {
    size_t n_weight;      /* nodes given another weight among their siblings ... */
    const uint32_t *node; /* ... below the index */
    const double *weight; /* ... >= 0, in the scale of the base's weights */
    size_t n_drop;        /* nodes left out; their siblings take their weight */
    const uint32_t *drop;
    const struct composite_aggregate *aggregate; /* NULL: the base's */
};

/* Weights n_node of the base with the changes. ERR_INVALID: the index itself, a negative weight, or
 * nothing left to rank by. */
enum err_code what_if_weights(const struct composite_tree *t, const double *base,
                              const struct what_if *w, double *weight, struct err *err) NODISCARD;

/* Scores and ranks of all areas of the plan under the change: one composite_evaluate on the layer.
 *   weight   n_node of the base
 *   scratch  composite_scratch(p) doubles
 *   node     n_node - n_ind rows of n_area: scores above the indicators, the index last
 *   rank     n_area: 1 best, ties least, 0 missing */
enum err_code what_if_run(const struct composite_plan *p, const struct composite_layer *l,
                          const double *weight, const struct composite_aggregate *base,
                          const struct what_if *w, struct arena *a, double *scratch, double *node,
                          uint32_t *rank, struct err *err) NODISCARD;

/* How far two rankings of the same areas differ, over areas that have both ranks. */
struct what_if_shift {
    size_t n;       /* areas with both */
    double mean;    /* of |rank - base rank| */
    uint32_t most;  /* largest */
    size_t which;   /* the first area that moved the most */
    size_t n_moved; /* areas with another rank */
};
struct what_if_shift what_if_shift_of(const uint32_t *base, const uint32_t *rank, size_t n_area);
#endif
