/* num/model/tree_grow.h - one tree on given gradients, the inside of trees.c. */
#ifndef NUM_MODEL_TREE_GROW_H
#define NUM_MODEL_TREE_GROW_H
#include "num/model/tree_bins.h"

/* Sums over the rows of one bin. */
struct tree_cell {
    double g, h;
    uint32_t n;
};

struct tree_split {
    double gain; /* 0: none */
    uint32_t column;
    uint8_t bin; /* values of bins up to this one go left */
    bool missing_left;
};

struct tree_leaf {
    uint32_t begin, end; /* in row[] */
    double g, h;
    unsigned depth;
    uint32_t node;
    struct tree_cell *cell; /* n_col x 256 */
    struct tree_split best;
};

/* Room for one tree, used again for the next. */
struct tree_grower {
    const struct tree_bins *bins;
    const struct num_run *run;
    unsigned max_leaves, max_depth, min_rows;
    double ridge, rate;
    const double *g, *h;  /* n_row: first and second derivative of the loss, weight included */
    uint32_t *row, *kept; /* rows of the tree, in the order of leaves; the same number of scratch */
    size_t n;
    double *ordered; /* 2 x rows: g and h in the order of row */
    struct tree_leaf *leaf;
    unsigned n_leaves;
    struct tree_cell *cells;      /* max_leaves x n_col x 256 */
    struct tree_split *found;     /* 2 x n_col */
    double *importance;           /* n_col, added to */
    struct model_tree_node *node; /* 2 max_leaves - 1 of the tree that is grown */
    uint32_t n_nodes;
};

/* Room for trees on up to n_rows rows. */
enum err_code tree_grower_new(struct arena *a, size_t n_rows, struct tree_grower *g,
                              struct err *err) NODISCARD;
/* Grow on rows row[0 .. n); leaves node, n_nodes, leaf, n_leaves. */
void tree_grow(struct tree_grower *g);
#endif
