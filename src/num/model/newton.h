/* num/model/newton.h - inside of num/model: highest log-likelihood by num_minimize_newton, with
 * what a fit needs of it: the information at the end, a stop by the caller, and no convergence as
 * a flag. */
#ifndef NUM_MODEL_NEWTON_H
#define NUM_MODEL_NEWTON_H
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "num/core/run.h"

struct model_newton {
    size_t m; /* parameters */
    /* Log-likelihood at theta (m), its gradient g (m) and MINUS its second derivatives h (m x m,
     * whole); NaN or an infinity when theta is out of reach. */
    double (*loglik)(void *arg, const double *theta, double *g, double *h);
    void *arg;
    size_t max_iterations; /* 0: 100 */
    double *theta;         /* m: where to begin, and the result */
    double *h, *g;         /* m x m, m: at the result */
    double *work;          /* m x m, of the caller after the run */
    double value;
    size_t iterations;
    bool converged;
    const struct num_run *run;
};
/* Allocates theta (zero) and the rest for m parameters. */
enum err_code model_newton_new(struct arena *a, size_t m, struct model_newton *s,
                               struct err *err) NODISCARD;
/* ERR_NUMERIC when the likelihood is not finite at theta, ERR_TIMEOUT. No convergence is a flag. */
enum err_code model_newton_run(struct model_newton *s, const struct num_run *run,
                               struct err *err) NODISCARD;
#endif
