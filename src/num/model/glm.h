/* num/model/glm.h - generalised linear models by maximum likelihood: logistic and log-linear
 * (Poisson, quasi-Poisson; the negative binomial with theta estimated is negbin.h).
 *
 * Sources: McCullagh & Nelder 1989 (ch. 2, 4, 6; residuals 2.4; quasi-likelihood 9), Venables &
 * Ripley 2002 (7.4), Konis 2007 (separation as a linear programme), Correia, Guimaraes & Zylkin
 * 2019 (the same for counts), Cameron & Trivedi 1990 (overdispersion).
 *
 * Pure; results are arena-owned; the same bits on any number of threads. What went wrong with a fit
 * is a flag of the result with the columns it concerns, never a silent number. */
#ifndef NUM_MODEL_GLM_H
#define NUM_MODEL_GLM_H
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/core/run.h"

enum model_family { MODEL_LOGISTIC, MODEL_POISSON, MODEL_QUASI_POISSON, MODEL_NEGATIVE_BINOMIAL };

/* Everything is borrowed; all numbers finite. */
struct model_data {
    size_t n_row, n_col;
    const double *x;         /* n_row x n_col, row-major; the intercept is a column of ones */
    const char *const *name; /* n_col */
    const double *y;         /* logistic: share in [0, 1] (0 or 1); else counts >= 0 */
    const double *offset;    /* added to the linear predictor; NULL: 0 */
    const double *weight;    /* >= 0 (of a share: trials); a row of weight 0 is only predicted;
                                NULL: 1 */
};

enum model_flag {
    MODEL_RANK_DEFICIENT = 1, /* columns marked `dropped` depend on those before them (QR, 1e-7) */
    MODEL_SEPARATED = 2,      /* columns marked `infinite` have no finite estimate: along them the
                                 likelihood rises for ever, since they tell some outcomes without
                                 error (of several such directions one is marked); value and se are
                                 where the search stood */
    MODEL_NOT_CONVERGED = 4,  /* the criterion of num/core/optim.h was not met */
    MODEL_SEPARATION_UNCHECKED = 8, /* looked like it, and the table is too large to prove it */
    MODEL_NO_OVERDISPERSION = 16,   /* negative binomial: theta is infinite, the fit is Poisson */
    MODEL_SATURATED = 32            /* as many coefficients as rows: no dispersion, no residual */
};
/* Words for a reader and for JSON: "rank_deficient" ...; NULL for 0 or several bits. */
const char *model_flag_name(unsigned flag);

struct model_coef {
    const char *name;
    double value, se;    /* NaN when dropped */
    double statistic, p; /* z and two-sided normal; quasi-Poisson: t with df_residual */
    bool dropped, infinite;
};

struct model_fit {
    enum model_family family;
    unsigned flags;
    size_t n_used, n_col, rank; /* n_used: rows of weight > 0 */
    const struct model_coef *coef;
    const double *covariance;      /* n_col x n_col; NaN where a column is dropped */
    const double *linear, *fitted; /* n_row: eta and mu (chance or count) */
    const double *leverage;        /* n_row: diagonal of the weighted hat matrix */
    double deviance, null_deviance;
    double log_likelihood, aic; /* NaN for quasi-Poisson, which has no likelihood. Logistic shares
                                   leave out the binomial coefficient (0 for 0/1). The negative
                                   binomial's aic counts theta. */
    double pearson;             /* sum of squared Pearson residuals */
    double dispersion; /* pearson / df_residual; NaN when saturated. In se for quasi only */
    size_t df_residual, df_null;
    double theta, theta_se; /* negative binomial: variance mu + mu^2 / theta; else INFINITY, NaN */
    unsigned steps;
    double gradient_norm;
};

/* Fit. theta: for MODEL_NEGATIVE_BINOMIAL a given theta > 0 (model_negbin_fit estimates it), else
 * not read. Errors: ERR_INVALID (a value out of range, by row; no row), ERR_NUMERIC, ERR_NOMEM,
 * ERR_LIMIT, ERR_TIMEOUT. Cost: O(n_row n_col^2) a step, some 5 to 10 steps. */
enum err_code model_glm_fit(const struct model_data *data, enum model_family family, double theta,
                            const struct num_run *run, struct arena *a, struct model_fit *out,
                            struct err *err) NODISCARD;

/* eta = x beta + offset (dropped columns count 0) and mu of n_row rows, for other data of the same
 * columns. Either output may be NULL. */
void model_glm_predict(const struct model_fit *fit, const double *x, size_t n_row,
                       const double *offset, double *linear, double *fitted);

enum model_residual { MODEL_RESPONSE, MODEL_PEARSON, MODEL_DEVIANCE, MODEL_ANSCOMBE };
/* n_row residuals of the rows the model was fitted to, weights taken in by their root (response:
 * not). Anscombe: (A(y) - A(mu)) / V(mu)^(1/6), A the integral of V^(-1/3). */
enum err_code model_glm_residuals(const struct model_data *data, const struct model_fit *fit,
                                  enum model_residual kind, double *out, struct err *err) NODISCARD;

/* Cameron and Trivedi's regression tests that the variance of counts is larger than their mean:
 * E[(y - mu)^2 - y] = alpha g(mu) with g = mu (linear) and mu^2 (quadratic); one-sided normal p. */
struct model_overdispersion {
    double alpha_linear, z_linear, p_linear;
    double alpha_quadratic, z_quadratic, p_quadratic;
};
/* fit is a Poisson one. ERR_INVALID for another, ERR_NUMERIC with fewer than two rows. */
enum err_code model_overdispersion_test(const struct model_data *data, const struct model_fit *fit,
                                        struct model_overdispersion *out,
                                        struct err *err) NODISCARD;
#endif
