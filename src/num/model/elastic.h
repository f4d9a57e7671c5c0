/* num/model/elastic.h - ridge, lasso and elastic net along a path of penalties, the penalty chosen
 * by cross-validation.
 *
 * Minimises, over coefficients b of columns brought to standard deviation 1 (divisor n),
 *     mean weighted -log-likelihood + lambda ((1 - alpha) / 2 sum b_j^2 + alpha sum |b_j|),
 * the intercept left out of the penalty. Source: Friedman, Hastie & Tibshirani 2010,
 * "Regularization paths for generalized linear models via coordinate descent" (eq. 5, 10-13).
 * Pure; arena-owned results; the same bits on any number of threads. */
#ifndef NUM_MODEL_ELASTIC_H
#define NUM_MODEL_ELASTIC_H
#include <stdint.h>

#include "num/model/glm.h"

struct model_elastic_options {
    double alpha;         /* 1 lasso, 0 ridge */
    size_t n_lambda;      /* 0: 100, from the smallest at which all are 0 down */
    double ratio;         /* smallest to largest; 0: 1e-4, or 1e-2 with more columns than rows */
    const double *lambda; /* n_lambda, falling: these instead; NULL */
    double theta;         /* MODEL_NEGATIVE_BINOMIAL: given */
};

struct model_path {
    enum model_family family;
    size_t n_col, n_lambda;
    const double *lambda;
    const double *coef;           /* n_lambda x n_col, for the columns as given; NaN: dropped */
    const size_t *n_nonzero;      /* n_lambda; the intercept not counted */
    const double *deviance_ratio; /* n_lambda: 1 - deviance / null deviance */
    const bool *converged;        /* n_lambda */
    unsigned
        flags; /* MODEL_RANK_DEFICIENT: a column is constant; MODEL_NOT_CONVERGED: some lambda */
};
/* Criterion: at the end of each lambda no optimality condition (eq. 8 of Tibshirani et al. 2012,
 * "Strong rules") is off by more than 1e-10 of the steepest slope of a column when all are 0.
 * Columns may depend on one another. x must have an intercept column (constant, not 0), else
 * ERR_INVALID. Other errors as model_glm_fit. Cost: O(n_row n_col^2 + sweeps n_col^2) a Newton
 * step, 3 to 6 steps a lambda. */
enum err_code model_elastic_path(const struct model_data *data, enum model_family family,
                                 const struct model_elastic_options *options,
                                 const struct num_run *run, struct arena *a, struct model_path *out,
                                 struct err *err) NODISCARD;
/* eta and mu of n_row rows at path->lambda[k]; either may be NULL. */
void model_elastic_predict(const struct model_path *path, size_t k, const double *x, size_t n_row,
                           const double *offset, double *linear, double *fitted);

/* Folds of nearly equal size, drawn from the seed. fold: n_row numbers below n_fold. */
void model_folds_random(size_t n_row, uint32_t n_fold, uint64_t seed, uint32_t *fold);
/* Blocks of consecutive times (such as years), whole times never split, as equal in rows as that
 * allows. *n_fold falls when there are fewer times. ERR_NOMEM. */
enum err_code model_folds_time(const double *time, size_t n_row, uint32_t *n_fold, uint32_t *fold,
                               struct err *err) NODISCARD;

struct model_cv {
    size_t n_lambda;
    const double *mean, *se; /* held-out deviance a unit of weight: mean over folds, its error */
    size_t best;             /* least mean */
    size_t one_se;           /* the largest lambda whose mean is within one se of the best */
    size_t n_tested;         /* folds with a held-out deviance */
};
/* Deviance of each fold's rows under the path (at path->lambda) fitted to the other folds, or, with
 * forward, only to those of smaller number (time order: nothing of the future is learnt from; fold
 * 0 is then never tested). Folds run as tasks of run. ERR_NUMERIC when no fold can be tested. */
enum err_code model_elastic_cv(const struct model_data *data, const struct model_path *path,
                               const struct model_elastic_options *options, const uint32_t *fold,
                               uint32_t n_fold, bool forward, const struct num_run *run,
                               struct arena *a, struct model_cv *out, struct err *err) NODISCARD;
#endif
