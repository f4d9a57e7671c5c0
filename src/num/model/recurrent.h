/* num/model/recurrent.h - repeated events of assets that are repaired: Nelson's mean cumulative
 * function, the power-law process (NHPP) with covariates and its linear extension LEYP. Rows are
 * (start, stop] of an asset's own age (num/model/survdata.h); cluster tells the asset. Pure, any
 * thread.
 * Sources: Nelson 2003 (mean cumulative function); Lawless & Nadeau 1995 (its variance); Crow 1974
 * (power law); Le Gat 2014 and Martins 2011 (LEYP). */
#ifndef NUM_MODEL_RECURRENT_H
#define NUM_MODEL_RECURRENT_H
#include <stdbool.h>

#include "num/core/run.h"
#include "num/model/survdata.h"

struct model_mcf_row {
    double time, at_risk, events;
    double mcf, se; /* mean events an asset by this time; robust standard error */
};
struct model_mcf {
    size_t n_rows, n_assets;
    struct model_mcf_row *row; /* rising time */
};
/* Errors: model_survival_check, ERR_INVALID when d->cluster is NULL, ERR_NOMEM. Weights and strata
 * are ignored. Cost: O(rows x distinct event times). */
enum err_code model_mcf(struct arena *a, const struct model_survival *d, struct model_mcf *out,
                        struct err *err) NODISCARD;

/* Intensity of a row at age t: (1 + alpha k) beta t^(beta - 1) exp(x'b), with k the asset's events
 * before (LEYP) or alpha 0 (power law). beta > 1: worsening. */
struct model_power_spec {
    const struct model_survival *data; /* start >= 0; strata are ignored */
    const double *x;                   /* n x p; give a column of ones for log lambda */
    size_t p;
    const double *earlier; /* n, k >= 0 of each row: LEYP; NULL: power law */
    const double *offset;  /* n, added to x'b; NULL: 0 */
    size_t max_iterations; /* 0: 100 */
};
struct model_power_coef {
    double coef, se, robust_se, z, p; /* robust by cluster, else equal to se */
    bool aliased;
};
struct model_power {
    size_t n, p, rank, iterations;
    double n_events;
    bool converged, robust;
    bool verified;      /* false for LEYP: no peer computes it; simulation test only */
    bool alpha_at_zero; /* LEYP: the likelihood is highest at alpha = 0, where it is held */
    double beta, beta_se, alpha, alpha_se;
    double beta_test_p;         /* Wald test of log beta = 0: is there ageing at all? */
    double loglik, loglik_null; /* null: an intercept and beta only */
    double lr_test, lr_p;
    struct model_power_coef *coef;
    double *expected; /* n: expected events of each row */
};
/* Errors: model_survival_check, ERR_INVALID (start missing or negative), ERR_NUMERIC (no events;
 * singular), ERR_TIMEOUT, ERR_LIMIT, ERR_NOMEM. O(iterations n p^2). */
enum err_code model_power_fit(struct arena *a, const struct model_power_spec *spec,
                              const struct num_run *run, struct model_power *out,
                              struct err *err) NODISCARD;
/* Expected events in (start, stop]. */
double model_power_expected(double beta, double alpha, double linear, double earlier, double start,
                            double stop);
#endif
