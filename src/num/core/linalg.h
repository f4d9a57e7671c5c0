/* num/core/linalg.h - dense linear algebra over LAPACKE. Matrices are row-major, n_row x n_col,
 * borrowed; symmetric ones are stored whole. Deterministic: Debian's reference BLAS is linked in
 * (docs/adr/0010-numerics.md), no threads inside. Any thread. All functions: ERR_NUMERIC when an
 * entry is not finite, ERR_NOMEM, ERR_LIMIT (n > 46,340). */
#ifndef NUM_CORE_LINALG_H
#define NUM_CORE_LINALG_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "num/core/run.h"

/* Solve A x = b for n_rhs right sides (b is n x n_rhs, overwritten by x), A symmetric positive
 * definite n x n, overwritten by its factor. ERR_NUMERIC names the first pivot that is not
 * positive. O(n^3 / 3). */
enum err_code num_solve_spd(double *a, size_t n, double *b, size_t n_rhs,
                            struct err *err) NODISCARD;
/* Inverse of a symmetric positive definite matrix, in place. */
enum err_code num_invert_spd(double *a, size_t n, struct err *err) NODISCARD;
/* General square system by LU; ERR_NUMERIC when singular. a and b are overwritten. */
enum err_code num_solve(double *a, size_t n, double *b, size_t n_rhs, struct err *err) NODISCARD;
/* Eigenvalues (ascending) and, unless vectors is NULL, orthonormal eigenvectors (row k of
 * vectors belongs to values[k]; the entry of largest size is positive) of a symmetric matrix;
 * a is overwritten. */
enum err_code num_eigen_symmetric(double *a, size_t n, double *values, double *vectors,
                                  struct err *err) NODISCARD;
/* Main (largest modulus) eigenvalue of a positive matrix and its eigenvector, summing to 1
 * (Perron). a is kept. */
enum err_code num_eigen_main(const double *a, size_t n, double *value, double *vector,
                             struct err *err) NODISCARD;
/* Rank and pivots by Householder QR with column pivoting at tolerance tol (R: 1e-7): keep[j] tells
 * whether column j is independent of those kept before it. x is borrowed. */
enum err_code num_independent_columns(const double *x, size_t n_row, size_t n_col, double tol,
                                      bool *keep, size_t *rank, struct err *err) NODISCARD;
/* X' W X (n_col x n_col, whole) and X' W z (n_col; both z and xz may be NULL): the sums of weighted
 * least squares. weight NULL: all 1. Rows are added in blocks whose order does not depend on the
 * threads of run (which may be NULL). O(n_row n_col^2 / 2). */
enum err_code num_weighted_gram(const double *x, size_t n_row, size_t n_col, const double *weight,
                                const double *z, const struct num_run *run, double *xx, double *xz,
                                struct err *err) NODISCARD;
#endif
