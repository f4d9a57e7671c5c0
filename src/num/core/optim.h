/* num/core/optim.h - finding minima and roots. Every function states its criterion; when it cannot
 * be met the end is ERR_NUMERIC whose detail tells the steps taken and the last gradient norm (or
 * bracket), and the outputs hold the best point seen. Deterministic; any thread; no state.
 *
 * Sources: Nocedal & Wright 2006, "Numerical Optimization" (Newton: ch. 3, BFGS: eq. 6.17,
 * 6.20); Lewis & Overton 2013, alg. 2.6 (line search); Brent 1973, ch. 4 and 5; Chvatal 1983, ch. 2
 * and 3 (simplex); Rowan 1990 (Subplex, through NLopt). */
#ifndef NUM_CORE_OPTIM_H
#define NUM_CORE_OPTIM_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Value of the function at x[n]; *gradient (n) and *hessian (n x n, symmetric, whole) are filled
 * when not NULL. A value that is not finite means "outside": the search comes back from there. */
typedef double num_objective(void *arg, const double *x, double *gradient, double *hessian);

struct num_search {
    unsigned max_steps; /* 0: 100 (Newton), 500 (BFGS) */
    double tol;         /* 0: 1e-9 */
};
struct num_found {
    double value;
    unsigned steps;
    double gradient_norm; /* largest |gradient_i| max(1, |x_i|) / max(1, |value|) */
    bool converged;
};

/* Damped Newton for a smooth convex function (a negative log-likelihood): full steps, halved until
 * the value falls (Armijo, 1e-4). A Hessian that is not positive definite gets a multiple of its
 * diagonal (Levenberg). Criterion: the Newton decrement g' H^-1 g / 2 is at most tol^2 max(1,
 * |value|) (the step then moves the value by less than that), or gradient_norm at most tol * 1e-3.
 * x: start in, minimum out. O(n^3) a step. */
enum err_code num_minimize_newton(num_objective *f, void *arg, size_t n,
                                  const struct num_search *search, double *x,
                                  struct num_found *found, struct err *err) NODISCARD;

/* BFGS for a smooth function. hessian is never asked for; with numeric true the gradient is not
 * either but taken by central differences (cost 2 n values a step, reachable tol about 1e-6, which
 * is then the default; else 1e-8). Criterion: gradient_norm <= tol. It also ends well when no step
 * lowers the value any more and gradient_norm <= 1e-6 (numeric: 1e-3). */
enum err_code num_minimize_bfgs(num_objective *f, void *arg, size_t n, bool numeric,
                                const struct num_search *search, double *x, struct num_found *found,
                                struct err *err) NODISCARD;

/* The best end of BFGS from n_start starts (row-major n_start x n), into x[n]. Ends that fail are
 * left out; ERR_NUMERIC only when all fail. *n_same: starts that ended within 1e-6 max(1, |value|)
 * of the best value (may be NULL): 1 of many tells of a rugged function. */
enum err_code num_minimize_starts(num_objective *f, void *arg, size_t n, bool numeric,
                                  const struct num_search *search, const double *starts,
                                  size_t n_start, double *x, struct num_found *found,
                                  size_t *n_same, struct err *err) NODISCARD;

/* Without derivatives and within bounds (any may be infinite): NLopt's Subplex. For functions that
 * are not smooth (ranks, importances). scale[n] are first step sizes, > 0. Criterion: the simplex
 * is smaller than tol (default 1e-6) times scale in every direction. At most max_steps values
 * (default 200 n + 1000). found->gradient_norm is 0. */
enum err_code num_minimize_direct(num_objective *f, void *arg, size_t n, const double *lower,
                                  const double *upper, const double *scale,
                                  const struct num_search *search, double *x,
                                  struct num_found *found, struct err *err) NODISCARD;

/* Minimum of a unimodal function on [low, high] by Brent's method. Criterion: the bracket is within
 * tol (absolute, plus 1e-8 |x|). A function that is not unimodal gives some local minimum. */
enum err_code num_minimize_line(double (*f)(void *arg, double x), void *arg, double low,
                                double high, double tol, double *x, double *value,
                                struct err *err) NODISCARD;
/* Root of a continuous function between low and high, where its signs differ (else ERR_INVALID), by
 * Brent's method. Criterion: the bracket is within tol (absolute, plus 4e-16 |x|). */
enum err_code num_root(double (*f)(void *arg, double x), void *arg, double low, double high,
                       double tol, double *x, struct err *err) NODISCARD;

/* A dense linear programme: maximise c'x subject to A x <= b (a row), = b or >= b, x >= 0. */
enum num_relation { NUM_AT_MOST, NUM_EQUAL, NUM_AT_LEAST };
struct num_linear {
    size_t n_row, n_col;               /* (n_row + 1)(2 n_row + n_col + 1) <= 2^26 cells of work */
    const double *a;                   /* n_row x n_col */
    const double *b;                   /* n_row */
    const enum num_relation *relation; /* n_row; NULL: all NUM_AT_MOST */
    const double *c;                   /* n_col */
};
enum num_linear_end { NUM_OPTIMAL, NUM_INFEASIBLE, NUM_UNBOUNDED };
struct num_linear_found {
    enum num_linear_end end;
    double value;
    unsigned pivots;
};
/* Two-phase primal simplex on a tableau: largest coefficient, ties by the smaller index; after a
 * run of pivots that gain nothing, Bland's rule until one gains, so that it cannot cycle. A reduced
 * cost counts as 0 within 1e-9 of the largest entry of its row, feasibility likewise. x (n_col) and
 * *found are set for NUM_OPTIMAL; of several optimal x one is told, always the same. dual (n_row,
 * or NULL): prices of the rows. ERR_NUMERIC after 50 (n_row + n_col) + 1000 pivots, ERR_LIMIT by
 * size. O(n_row (2 n_row + n_col)) a pivot; rows of NUM_AT_MOST with b >= 0 need no first phase.
 * With many more rows than unknowns the dual programme is the cheaper one to give. */
enum err_code num_linear_solve(const struct num_linear *lp, double *x, double *dual,
                               struct num_linear_found *found, struct err *err) NODISCARD;
#endif
