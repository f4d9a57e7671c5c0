#include <math.h>
#include <nlopt.h>

#include "base/mem.h"
#include "num/core/optim.h"

struct asked {
    num_objective *f;
    void *arg;
};

static double answer(unsigned n, const double *x, double *gradient, void *data) {
    (void)n;
    (void)gradient; /* NULL: the method asks for none */
    const struct asked *a = data;
    double value = a->f(a->arg, x, NULL, NULL);
    return isfinite(value) ? value : 1e300;
}

static enum err_code set_up(nlopt_opt opt, const double *lower, const double *upper,
                            const double *scale, const double *tol, int max_values,
                            struct asked *asked, struct err *err) {
    if (nlopt_set_min_objective(opt, answer, asked) < 0 || nlopt_set_lower_bounds(opt, lower) < 0 ||
        nlopt_set_upper_bounds(opt, upper) < 0 || nlopt_set_initial_step(opt, scale) < 0 ||
        nlopt_set_xtol_abs(opt, tol) < 0 || nlopt_set_maxeval(opt, max_values) < 0)
        return err_fail(err, ERR_INVALID, "bounds or step sizes that cannot be: %s",
                        nlopt_get_errmsg(opt) == NULL ? "NLopt" : nlopt_get_errmsg(opt));
    return ERR_OK;
}

enum err_code num_minimize_direct(num_objective *f, void *arg, size_t n, const double *lower,
                                  const double *upper, const double *scale,
                                  const struct num_search *search, double *x,
                                  struct num_found *found, struct err *err) {
    *found = (struct num_found){0};
    if (n == 0 || n > 1000) return err_fail(err, ERR_INVALID, "1 to 1000 unknowns, not %zu", n);
    double relative = search == NULL || search->tol == 0 ? 1e-6 : search->tol;
    unsigned most =
        search == NULL || search->max_steps == 0 ? 200U * (unsigned)n + 1000U : search->max_steps;
    double *tol = mem_new(n, sizeof *tol);
    if (tol == NULL) return err_fail(err, ERR_NOMEM, "%zu unknowns", n);
    for (size_t i = 0; i < n; i++) tol[i] = relative * scale[i];
    nlopt_opt opt = nlopt_create(NLOPT_LN_SBPLX, (unsigned)n);
    struct asked asked = {f, arg};
    enum err_code rc = opt == NULL ? err_fail(err, ERR_NOMEM, "%zu unknowns", n)
                                   : set_up(opt, lower, upper, scale, tol, (int)most, &asked, err);
    if (rc == ERR_OK) {
        double value = NAN;
        nlopt_result end = nlopt_optimize(opt, x, &value);
        found->value = value;
        found->steps = (unsigned)nlopt_get_numevals(opt);
        found->converged = end > 0 && end != NLOPT_MAXEVAL_REACHED && value < 1e300;
        if (!found->converged)
            rc = err_fail(err, ERR_NUMERIC, "Subplex did not converge: %u values, last %.10g (%s)",
                          found->steps, value, nlopt_result_to_string(end));
    }
    nlopt_destroy(opt);
    mem_free(tol);
    return rc;
}
