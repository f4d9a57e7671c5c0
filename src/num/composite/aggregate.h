/* num/composite/aggregate.h - one parent of the framework from its children: what
 * composite_evaluate does node by node. */
#ifndef NUM_COMPOSITE_AGGREGATE_H
#define NUM_COMPOSITE_AGGREGATE_H
#include "num/composite/composite.h"

/* The children of one node, looked up by position. Everything is borrowed. */
struct composite_family {
    const struct composite_plan *plan;
    const struct composite_draw *draw;
    const double *indicator; /* n_ind x n_area, normalised */
    const uint8_t *gaps;     /* n_node: some value may be missing */
    const uint8_t *dropped;  /* n_ind */
    double *node;            /* (n_node - n_ind) x n_area */
    double *work;            /* COMPOSITE_WORK_ROWS x n_area */
    uint32_t parent;
    const struct composite_agg *agg;
};
enum { COMPOSITE_WORK_ROWS = 8 };

/* Row and weight of child number c of the parent; a dropped one weighs 0. */
const double *composite_child_row(const struct composite_family *f, uint32_t c);
double composite_child_weight(const struct composite_family *f, uint32_t c);

/* Outranking scores (COPELAND, MAJORITY) of the family to out (n_area). Allocates nothing;
 * O(n_area^2 n_child). */
void composite_outrank(const struct composite_family *f, double *out);
/* Benefit-of-the-doubt scores of the family to out. Errors: ERR_NUMERIC (a negative value; no
 * solution under the shares asked for), ERR_NOMEM. */
enum err_code composite_bod(const struct composite_family *f, double *out,
                            struct err *err) NODISCARD;
#endif
