/* Random frameworks and data for the tests of the audit. */
#ifndef TEST_NUM_AUDIT_FRAME_H
#define TEST_NUM_AUDIT_FRAME_H
#include "base/rng.h"
#include "num/composite/composite.h"

struct frame {
    struct composite_tree tree;
    struct composite_data data;
    double *value, *denominator; /* data's own, to change */
    double *weight;              /* tree's own */
};
/* n_ind indicators under n_pillar pillars (2 levels of them when deep) and an index; positive
 * values, a common factor in all so that the areas have an order. gaps: some values missing. */
struct frame frame_new(struct arena *a, struct rng *r, size_t n_ind, size_t n_pillar, bool deep,
                       size_t n_area, bool gaps);
/* Min-max to low..high, weights as given, one kind of mean at all levels. */
struct composite_spec frame_spec(const struct composite_norm *norm, enum composite_agg_kind kind,
                                 double power);
#endif
