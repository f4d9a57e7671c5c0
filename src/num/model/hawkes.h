/* num/model/hawkes.h - self-exciting point processes: repeated incidents in time (Hawkes,
 * exponential kernel) and in time and space (ETAS in the form of Mohler et al. 2011). Pure, any
 * thread.
 * Sources: Hawkes 1971; Ogata 1981 and Ozaki 1979 (likelihood by recursion); Ogata 1988 (residual
 * analysis by time rescaling); Veen & Schoenberg 2008 and Mohler et al. 2011 (EM). */
#ifndef NUM_MODEL_HAWKES_H
#define NUM_MODEL_HAWKES_H
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/core/run.h"

/* Intensity mu + sum over earlier events alpha beta exp(-beta (t - ti)); alpha is the branching
 * ratio: how many events one event sets off. */
struct model_hawkes {
    size_t n, iterations, n_tied; /* n_tied: events at the same time as the one before; each is
                                     taken to follow the other at once */
    bool converged;
    bool explosive;           /* alpha >= 1: does not settle; the fit describes this window only */
    bool at_boundary;         /* no clustering found: alpha ran to 0 (the Poisson process) */
    size_t n_starts, n_agree; /* searches begun, and how many reached this maximum (1e-6) */
    double mu, alpha, beta;   /* mu, beta a unit of time */
    double log_se[3];         /* standard errors of their logarithms; 0 at a boundary */
    double loglik, loglik_poisson;
    double ks, ks_p;  /* Kolmogorov-Smirnov test that rescaled gaps are unit exponential */
    double *rescaled; /* n: Lambda(t_i) - Lambda(t_(i-1)) */
};
/* times: n >= 3, rising, within [from, to). Errors: ERR_INVALID, ERR_NUMERIC (no start converges),
 * ERR_TIMEOUT, ERR_NOMEM. O(starts x iterations x n). */
enum err_code model_hawkes_fit(struct arena *a, const double *times, size_t n, double from,
                               double to, const struct num_run *run, struct model_hawkes *out,
                               struct err *err) NODISCARD;
/* Log-likelihood at given parameters; NaN out of range. O(n). */
double model_hawkes_loglik(const double *times, size_t n, double from, double to, double mu,
                           double alpha, double beta);
/* Kolmogorov-Smirnov distance of n numbers from the uniform on [0, 1] and its p-value (Stephens
 * 1970 form of the limit law). u is sorted in place. */
void model_ks_uniform(double *u, size_t n, double *distance, double *p);

/* Intensity mu u(x, y) + sum kappa omega exp(-omega dt) exp(-r^2 / 2 sigma^2) / (2 pi sigma^2). */
struct model_etas_spec {
    const double *t, *x, *y; /* n; t rising, within [from, to); x, y planar, one unit */
    size_t n;
    double from, to;
    double area;      /* > 0: of the region, unit squared */
    double bandwidth; /* background by a Gaussian kernel of this spread; 0: uniform over area */
    double max_lag;   /* pairs further apart in time are not looked at; 0: all */
    double max_reach; /* the same in space; 0: all */
    size_t max_iterations; /* 0: 1000 */
    double start[4];       /* mu, kappa, omega, sigma to begin with; 0: chosen */
};
struct model_etas {
    size_t n, n_pairs, iterations;
    bool converged, explosive;
    bool verified; /* always false: no peer value exists, the simulation test of
                      tests/unit/num/test_hawkes.c recovers planted parameters */
    double mu;     /* background events a unit of time */
    double kappa, omega, sigma;
    double loglik;
    double *background; /* n: chance that the event was not set off by another */
};
/* EM. Offspring beyond the region's border are not corrected for (kappa is a little low when sigma
 * is not small against the region). Errors: ERR_INVALID, ERR_LIMIT (too many pairs), ERR_TIMEOUT,
 * ERR_NOMEM. Cost: O(n log n + pairs) an iteration, 16 bytes a pair. */
enum err_code model_etas_fit(struct arena *a, const struct model_etas_spec *spec,
                             const struct num_run *run, struct model_etas *out,
                             struct err *err) NODISCARD;
#endif
