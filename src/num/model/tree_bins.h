/* num/model/tree_bins.h - columns cut into at most 255 bins, the inside of trees.c. */
#ifndef NUM_MODEL_TREE_BINS_H
#define NUM_MODEL_TREE_BINS_H
#include "num/model/trees.h"

enum { TREE_MISSING = 255 };

struct tree_bins {
    size_t n_row, n_col;
    uint8_t *bin;       /* n_col x n_row: columns one after another; TREE_MISSING for NaN */
    double **threshold; /* n_col: upper limit of each bin but the last, rising */
    unsigned *n_bin;    /* n_col: bins of values, >= 1 */
};

/* A bin a distinct value when there are at most max_bins of them (cut half-way between), else cuts
 * at even quantiles. Rows with use[i] 0 do not count for the cuts. */
enum err_code tree_bins_new(const struct model_data *data, const uint8_t *use, unsigned max_bins,
                            const struct num_run *run, struct arena *a, struct tree_bins *out,
                            struct err *err) NODISCARD;
#endif
