/* num/composite/choice_draw.h - inside of choices.h: which alternatives a point names. */
#ifndef NUM_COMPOSITE_CHOICE_DRAW_H
#define NUM_COMPOSITE_CHOICE_DRAW_H
#include "num/composite/choices.h"

struct choice_draw {
    size_t of[CHOICE_KINDS]; /* alternative of each; CHOICE_NOISE: 0 */
    uint64_t noise;          /* which shaking of the weights */
    size_t plan, layer, sum; /* sum: layer x n_aggregate + aggregate, in packed */
};
struct choice_draw choice_draw_of(const struct choice_space *s, const double *u);
/* n_node weights of a draw, among siblings. */
void choice_draw_weights(const struct choice_space *s, const struct choice_draw *d, uint64_t seed,
                         double *weight);
/* Shares of the indicators in the index: products down the tree of weights scaled to 1 among the
 * siblings that are left; a node with nothing left under it has none. share: n_node (the first
 * n_ind are the indicators'). */
void choice_draw_shares(const struct composite_tree *t, const double *weight, double *share);
#endif
