#include "num/model/newton.h"

#include <math.h>
#include <string.h>

#include "num/core/optim.h"

enum err_code model_newton_new(struct arena *a, size_t m, struct model_newton *s, struct err *err) {
    memset(s, 0, sizeof *s);
    s->m = m;
    s->theta = ARENA_NEW(a, double, 2 * m + 2 * m * m);
    if (s->theta == NULL) return err_fail(err, ERR_NOMEM, "%zu parameters", m);
    s->g = s->theta + m;
    s->h = s->g + m;
    s->work = s->h + m * m;
    return ERR_OK;
}

static double negative(void *arg, const double *x, double *gradient, double *hessian) {
    struct model_newton *s = arg;
    if (num_run_stopped(s->run)) return NAN;
    double v = s->loglik(s->arg, x, s->g, s->h);
    for (size_t j = 0; gradient != NULL && j < s->m; j++) gradient[j] = -s->g[j];
    if (hessian != NULL) memcpy(hessian, s->h, s->m * s->m * sizeof *s->h);
    return -v;
}

enum err_code model_newton_run(struct model_newton *s, const struct num_run *run, struct err *err) {
    struct num_search search = {.max_steps = (unsigned)s->max_iterations};
    struct num_found found = {0};
    s->run = NULL;
    if (!isfinite(negative(s, s->theta, NULL, NULL)))
        return err_fail(err, ERR_NUMERIC, "the likelihood is not finite where the search begins");
    s->run = run;
    enum err_code rc = num_minimize_newton(negative, s, s->m, &search, s->theta, &found, NULL);
    if (num_run_stopped(run)) return err_fail(err, ERR_TIMEOUT, "the fit was stopped");
    if (rc != ERR_OK && rc != ERR_NUMERIC)
        return err_fail(err, rc, "the search for %zu parameters", s->m);
    s->converged = rc == ERR_OK && found.converged;
    s->iterations = found.steps;
    s->value = s->loglik(s->arg, s->theta, s->g, s->h);
    return ERR_OK;
}
