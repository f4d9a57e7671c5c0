/* num/model/parametric.h - parametric survival in the accelerated-failure form
 * T = exp(x'b) W^scale: Weibull (W unit exponential), exponential (scale 1), log-normal,
 * log-logistic; exact, right-, left- and interval-censored times, late entry (left truncation).
 * For Weibull the shape is 1 / scale, and the proportional-hazards coefficient is -b / scale. Pure,
 * any thread. Source: Kalbfleisch & Prentice 2002, sections 2.2, 3.2 and 3.6; truncation: section
 * 1.3. */
#ifndef NUM_MODEL_PARAMETRIC_H
#define NUM_MODEL_PARAMETRIC_H
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/core/run.h"

enum model_life {
    MODEL_LIFE_WEIBULL,
    MODEL_LIFE_EXPONENTIAL,
    MODEL_LIFE_LOGNORMAL,
    MODEL_LIFE_LOGLOGISTIC
};

/* Row i failed within [low[i], high[i]]:
 *   low == high      exactly then
 *   high infinite    not yet failed at low (right-censored)
 *   low 0            failed before high (left-censored)
 *   else             between two inspections (interval)
 * and was seen only because it still stood at entry[i] (NULL or 0: from the beginning). */
struct model_lifetimes {
    size_t n;
    const double *low, *high, *entry;
    const double *weight;    /* NULL: 1 */
    const uint32_t *cluster; /* for robust standard errors, or NULL */
};

struct model_aft_spec {
    const struct model_lifetimes *data;
    const double *x; /* n x p, row-major; give a column of ones for the intercept */
    size_t p;        /* 1..500 */
    enum model_life life;
    double fixed_scale;    /* > 0: held; 0: estimated (always 1 for exponential) */
    size_t max_iterations; /* 0: 100 */
};

struct model_aft_coef {
    double coef, se, robust_se, z, p; /* z and p by robust_se */
    bool aliased;
};
struct model_aft {
    size_t n, p, rank, iterations;
    size_t n_exact, n_right, n_left, n_interval, n_late; /* n_late: with an entry after 0 */
    bool converged;
    bool at_infinity; /* a coefficient runs away: a group without events, say; see the largest se */
    bool robust;
    enum model_life life;
    double scale, log_scale_se; /* se 0 when the scale is held */
    double loglik, loglik_null; /* on the scale of time; null: intercept (and scale) only */
    double lr_test, lr_p;       /* against the null, rank - 1 degrees of freedom */
    struct model_aft_coef *coef;
    double *variance;  /* (p + 1) x (p + 1), the last is log scale; zero where aliased or held */
    double *cox_snell; /* n: cumulative hazard over the time watched; near a unit exponential when
                          the model holds (interval and left censoring: at high) */
};
/* Fit by Newton's method with a ridge where the information is not positive. Errors: ERR_INVALID
 * names the row; ERR_NUMERIC (no event at all: the likelihood has no maximum; rank 0), ERR_TIMEOUT,
 * ERR_LIMIT, ERR_NOMEM. Cost: O(iterations n p^2). */
enum err_code model_aft_fit(struct arena *a, const struct model_aft_spec *spec,
                            const struct num_run *run, struct model_aft *out,
                            struct err *err) NODISCARD;

/* log S(t) at linear predictor x'b; t >= 0. */
double model_life_log_survival(enum model_life life, double scale, double linear, double t);
/* Chance to fail in (start, stop] when standing at start. */
double model_life_chance(enum model_life life, double scale, double linear, double start,
                         double stop);
/* Time by which a share q of those with this predictor has failed, 0 < q < 1. */
double model_life_quantile(enum model_life life, double scale, double linear, double q);
#endif
