/* num/model/trees.h - gradient-boosted regression trees on histograms, for chances (logistic loss)
 * and counts (Poisson loss).
 *
 * Sources: Friedman 2001, "Greedy function approximation"; Chen & Guestrin 2016, "XGBoost" (gain
 * and leaf value: eq. 5-7; missing values: alg. 3); Ke et al. 2017, "LightGBM" (histograms, the
 * leaf of most gain first). Why not a library: docs/adr/0010-numerics.md. Pure; arena-owned
 * results; the same bits on any number of threads. */
#ifndef NUM_MODEL_TREES_H
#define NUM_MODEL_TREES_H
#include <stdint.h>

#include "num/model/glm.h"

struct model_trees_options {
    unsigned n_trees;    /* most; 0: 100 */
    double rate;         /* learning rate, (0, 1]; 0: 0.1 */
    unsigned max_leaves; /* a tree, 2 .. 256; 0: 8 */
    unsigned max_depth;  /* 0: no limit */
    unsigned min_rows;   /* in a leaf; 0: 20 */
    double ridge;        /* added to the second derivative of a leaf, >= 0 */
    unsigned max_bins;   /* of a column, 2 .. 255; 0: 255 */
    double row_share;    /* rows a tree is grown on, drawn from the seed, (0, 1]; 0: 1 */
    uint64_t seed;       /* of row_share only */
    const uint8_t *held; /* n_row: not 0: not learnt from, but watched (NULL: none) */
    unsigned patience;   /* stop when the held rows' deviance has not fallen for so many trees and
                            keep the trees up to the best; 0: never */
};

struct model_tree_node {
    int32_t column;    /* split: x[column] <= threshold goes left; -1: a leaf */
    uint32_t left;     /* index of the left child; the right one follows it */
    bool missing_left; /* where NaN goes */
    double threshold;
    double value; /* of a leaf, learning rate included */
};

enum model_trees_flag {
    MODEL_TREES_NO_SPLIT = 1,      /* nothing was worth a split: the model is a constant */
    MODEL_TREES_STOPPED_EARLY = 2, /* by patience */
    MODEL_TREES_ONE_OUTCOME = 4    /* all outcomes alike (or all counts 0) */
};
const char *model_trees_flag_name(unsigned flag);

struct model_trees {
    enum model_family family; /* MODEL_LOGISTIC or MODEL_POISSON */
    unsigned flags;
    size_t n_col, n_trees;
    double base;                        /* linear predictor before the first tree */
    const size_t *first;                /* n_trees + 1 offsets into node */
    const struct model_tree_node *node; /* node[first[t]] is the root of tree t */
    const double *importance;           /* n_col: share of the whole gain, summing to 1 (or 0) */
    const double *deviance;             /* n_trees + 1: mean a unit of weight, rows learnt from */
    const double *held_deviance;        /* n_trees + 1, or NULL */
};

/* data as for a GLM, but x may hold NaN (missing) and has no intercept column; offset is for
 * MODEL_POISSON only (else NULL). A leaf moves the linear predictor by at most 20 times the rate.
 * Errors: ERR_INVALID, ERR_LIMIT (more than 2^31 rows, 2^15 columns or the memory of run),
 * ERR_NOMEM, ERR_TIMEOUT. Cost: O(n_row n_col log n_row) once, O(n_row n_col log2(leaves)) a tree;
 * memory n_row (n_col + 64) + leaves x n_col x 6 KiB. Columns are shared out to the threads. */
enum err_code model_trees_fit(const struct model_data *data, enum model_family family,
                              const struct model_trees_options *options, const struct num_run *run,
                              struct arena *a, struct model_trees *out, struct err *err) NODISCARD;
/* eta and mu with the first n_trees trees (SIZE_MAX: all); either may be NULL. */
void model_trees_predict(const struct model_trees *m, size_t n_trees, const double *x, size_t n_row,
                         const double *offset, double *linear, double *fitted);
#endif
