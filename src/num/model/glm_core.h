/* num/model/glm_core.h - the parts of a fit that glm.c and negbin.c share: checked data brought to
 * independent, centred and scaled columns, and the search for its coefficients. */
#ifndef NUM_MODEL_GLM_CORE_H
#define NUM_MODEL_GLM_CORE_H
#include <stdint.h>

#include "num/model/glm.h"

struct glm_core {
    const struct model_data *data;
    enum model_family family;
    double theta;
    const struct num_run *run;
    struct arena *a;                 /* scratch, outlives the fit only */
    size_t n, p, n_used;             /* rows, independent columns, rows of weight > 0 */
    size_t *column;                  /* p: index in data */
    bool *keep;                      /* data->n_col */
    size_t constant;                 /* which of the p is the intercept; SIZE_MAX: none */
    double *center, *scale;          /* p: column = (x - center) / scale */
    double *x;                       /* n x p */
    double *beta;                    /* p, in scaled columns */
    double *eta, *mu, *score, *work; /* n: working residual and weight of the last evaluation */
    size_t n_block;
    double *part; /* n_block x (p + 1): value and gradient */
    const double *at;
    enum err_code failed; /* why the objective has no value, when that is not the numbers */
    unsigned steps, flags;
    double gradient_norm;
};

/* Check and prepare. With dependent, columns that depend on others stay (a penalty copes with
 * them); only constant ones beside the intercept go. Errors as model_glm_fit. */
enum err_code glm_core_new(const struct model_data *data, enum model_family family, double theta,
                           bool dependent, const struct num_run *run, struct arena *scratch,
                           struct glm_core **out, struct err *err) NODISCARD;
/* Minus the log-likelihood (as far as it depends on beta) at beta[p] and, unless NULL, its gradient
 * and expected second derivatives; leaves eta, mu, work. NaN when stopped or out of memory (then
 * c->failed). A num_objective. */
double glm_core_value(void *c, const double *beta, double *gradient, double *hessian);
/* value[data->n_col]: coefficients of beta in the columns of the data; NaN where dropped. */
void glm_core_unscale(const struct glm_core *c, const double *beta, double *value);
/* Search from c->beta; sets beta, eta, mu, steps, flags. */
enum err_code glm_core_search(struct glm_core *c, struct err *err) NODISCARD;
/* Everything of the result, from the coefficients found. */
enum err_code glm_core_finish(struct glm_core *c, struct arena *a, struct model_fit *out,
                              struct err *err) NODISCARD;
double glm_weight(const struct model_data *d, size_t i);
double glm_offset(const struct model_data *d, size_t i);
double glm_mean(enum model_family family, double eta);
double glm_variance(enum model_family family, double theta, double mu);
/* Contribution of one row to the deviance, weight left out. */
double glm_unit_deviance(enum model_family family, double theta, double y, double eta, double mu);

/* Which columns of the scaled table have no finite estimate (separation.c). infinite: p. checked
 * false: too large to tell. */
enum err_code glm_separation(const struct glm_core *c, bool *infinite, bool *any, bool *checked,
                             struct err *err) NODISCARD;
#endif
