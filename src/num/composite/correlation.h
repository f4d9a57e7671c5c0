/* num/composite/correlation.h - how indicators go together: correlations, Cronbach's alpha, main
 * components, and how much each indicator really weighs.
 *
 * Sources: Pearson 1895; Spearman 1904 (Pearson's r of mean ranks); Kendall 1945 (tau-b, ties in
 * both), counted by Knight 1966; Cronbach 1951, eq. 2; OECD/JRC 2008 Handbook, step 4; Paruolo,
 * Saisana, Saltelli 2013, "Ratings and rankings: voodoo or science?", eq. 3 (main effect of an
 * indicator).
 *
 * Matrices are column-major: column j of n areas begins at x + j * n. NaN is a missing value;
 * each function says what becomes of its row. Pure, any thread. */
#ifndef NUM_COMPOSITE_CORRELATION_H
#define NUM_COMPOSITE_CORRELATION_H
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/core/run.h"

enum corr_kind { CORR_PEARSON, CORR_SPEARMAN, CORR_KENDALL };
/* Why there is no number. */
enum corr_state {
    CORR_OK,
    CORR_FEW,     /* fewer than 3 areas have both values */
    CORR_CONSTANT /* one of the two never changes */
};
struct corr {
    double r; /* 0 unless state is CORR_OK */
    size_t n; /* areas with both values */
    enum corr_state state;
};

/* Of two columns, over the areas that have both. work holds corr_work(n) doubles. O(n) for
 * Pearson, O(n log n) for the others. */
size_t corr_work(size_t n);
struct corr corr_pair(enum corr_kind kind, const double *x, const double *y, size_t n,
                      double *work);
/* Of each of n_col columns with each: out is n_col x n_col, symmetric. Pairs are handed to run's
 * threads. Errors: ERR_NOMEM, ERR_TIMEOUT. */
enum err_code corr_matrix(enum corr_kind kind, const double *x, size_t n, size_t n_col,
                          const struct num_run *run, struct corr *out, struct err *err) NODISCARD;

/* Cronbach's alpha k / (k - 1) (1 - sum of variances / variance of the sum) over the areas that
 * have all k columns; with standardized of the correlations instead: k r / (1 + (k - 1) r), r
 * their mean. state as above, CORR_FEW also when k < 2. */
struct alpha {
    double raw, standardized;
    size_t n_areas, n_items;
    enum corr_state state;
};
enum err_code corr_alpha(const double *x, size_t n, size_t n_col, struct alpha *out,
                         struct err *err) NODISCARD;

/* Main components of the correlation matrix over the areas that have all columns: eigenvalues from
 * the largest, and loadings n_col x n_col, row k the unit vector of component k, its entry of
 * largest size positive (the sign of a component means nothing). state CORR_CONSTANT names the
 * first constant column in constant. ERR_NUMERIC: no convergence. */
struct pca {
    size_t n_areas, n_col;
    double *eigenvalue, *loading; /* in the arena */
    enum corr_state state;
    size_t constant;
};
enum err_code corr_pca(struct arena *a, const double *x, size_t n, size_t n_col, struct pca *out,
                       struct err *err) NODISCARD;

/* How much an indicator x weighs in a composite y as it came out, whatever its nominal weight:
 * share of the variance of y that knowing x would remove, S = V(E(y | x)) / V(y).
 *   linear  r^2
 *   smooth  the correlation ratio: E(y | x) by local linear regression (tricube weights, the
 *           nearest half of the areas), never more than 1
 * Areas with both values only. state as of a correlation. work: corr_work(n) doubles. O(n^2). */
struct main_effect {
    double linear, smooth;
    size_t n;
    enum corr_state state;
};
struct main_effect corr_main_effect(const double *x, const double *y, size_t n, double *work);
#endif
