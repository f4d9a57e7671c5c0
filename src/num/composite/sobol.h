/* num/composite/sobol.h - how much of the variance of an outcome each choice is responsible for:
 * Sobol's indices.
 *
 * Sources: Saltelli, Annoni, Azzini, Campolongo, Ratto, Tarantola 2010, "Variance based sensitivity
 * analysis of model output", table 2: first order by row (b), total by row (f) (Jansen 1999);
 * Archer, Saltelli, Sobol 1997 (bootstrap of rows); McKay, Beckman, Conover 1979 (Latin hypercube).
 *
 * Two matrices A and B of n rows and d columns, all columns apart uniform on [0, 1), and d matrices
 * AB_i (A with column i of B): n (d + 2) runs of the model. A run knows its point by its number
 * alone, so runs may be made in any order and on any thread. Pure. */
#ifndef NUM_COMPOSITE_SOBOL_H
#define NUM_COMPOSITE_SOBOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/core/run.h"

enum sobol_sample {
    SOBOL_RANDOM, /* row k from rng_new(seed, k) */
    SOBOL_LATIN   /* Latin hypercube: each column has one value in each of n equal slices */
};

struct sobol_options {
    size_t n; /* rows of the base sample, >= 2 */
    size_t d; /* inputs, 1..64 */
    enum sobol_sample sample;
    uint64_t seed;
    size_t bootstrap; /* resamples of the rows; 0: no intervals (bounds equal the value) */
    double level;     /* of the interval, in (0, 1); 0: 0.9 */
};

/* The base sample. */
struct sobol_plan {
    size_t n, d, n_runs; /* n_runs = n (d + 2) */
    const double *a, *b; /* n x d, row-major, in the arena */
};

/* Draw the base sample. Errors: ERR_INVALID (n, d, level), ERR_NOMEM. */
enum err_code sobol_plan_new(struct arena *arena, const struct sobol_options *opt,
                             struct sobol_plan *out, struct err *err) NODISCARD;
/* Point of run r in [0, n_runs): r < n is row r of A, r < 2n row r - n of B, then the n rows of
 * AB_0, AB_1 ... x has d values. */
void sobol_plan_point(const struct sobol_plan *p, size_t r, double *x);

struct sobol_index {
    double first, first_low, first_high, first_se; /* share of the variance by itself */
    double total, total_low, total_high, total_se; /* with all it takes part in */
};
struct sobol_result {
    double mean, variance;  /* of the outcome over A and B, divisor 2n - 1 */
    bool constant;          /* the outcome never changes: there is no variance to share, all
                               indices are 0 */
    struct sobol_index *of; /* d, in the arena */
};

/* Indices from the outcomes y[r * stride] of all runs. Outcomes must be finite (ERR_NUMERIC names
 * the run). Estimates are used as they come: a first order one may be slightly below 0. Percentile
 * intervals; first_se and total_se are the standard deviations over resamples. The values are
 * centred at the mean before the products of row (b), which lowers their error and changes no
 * expectation. O(n d bootstrap) on run's threads; bits do not depend on them. */
enum err_code sobol_estimate(struct arena *arena, const struct sobol_options *opt, const double *y,
                             size_t stride, const struct num_run *run, struct sobol_result *out,
                             struct err *err) NODISCARD;

/* All in one: draw, run the model, estimate. model is called from run's threads. */
enum err_code sobol_run(struct arena *arena, const struct sobol_options *opt,
                        double (*model)(void *arg, const double *x), void *arg,
                        const struct num_run *run, struct sobol_result *out,
                        struct err *err) NODISCARD;
#endif
