/* num/composite/weigh.h - weights among the children of one parent, by method. rows: n pointers to
 * n_area values, NaN missing; weight: n values out. */
#ifndef NUM_COMPOSITE_WEIGH_H
#define NUM_COMPOSITE_WEIGH_H
#include "num/composite/composite.h"

/* Saaty 1980: principal eigenvector, or (Crawford & Williams 1985) geometric means of the rows, and
 * the consistency of the judgements: CI = (lambda - n) / (n - 1), CR = CI / RI with his RI. matrix
 * n x n, positive, reciprocal (a_ij a_ji = 1 within 1e-6). n <= 15. told->parent is the caller's.
 */
enum err_code composite_weigh_ahp(const double *matrix, size_t n, bool geometric, double *weight,
                                  struct composite_ahp_told *told, struct err *err) NODISCARD;
/* Shannon entropy of the shares of the areas: e = -sum p ln p / ln n, w = (1 - e) / sum (1 - e).
 * entropy may be NULL. */
enum err_code composite_weigh_entropy(const double *const *rows, const char *const *name, size_t n,
                                      size_t n_area, double *weight, double *entropy,
                                      struct err *err) NODISCARD;
/* Principal components of the correlations over areas where all rows have a value. variance: sum
 * over components with eigenvalue >= least (0: 1) of share times squared loading; otherwise the
 * first loadings, the one of largest size positive. eigenvalue (n, descending) may be NULL. */
enum err_code composite_weigh_pca(const double *const *rows, const char *const *name, size_t n,
                                  size_t n_area, bool variance, double least, double *weight,
                                  double *eigenvalue, struct err *err) NODISCARD;
/* Pearson's correlation over areas where both have a value; NaN without spread. */
double composite_correlation(const double *x, const double *y, size_t n);
#endif
