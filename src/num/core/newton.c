#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/core/linalg.h"
#include "num/core/optim.h"

struct newton {
    num_objective *f;
    void *arg;
    size_t n;
    double *x, *next, *g, *step, *h, *factor;
    double value;
};

static double largest_gradient(const struct newton *w) {
    double most = 0;
    for (size_t i = 0; i < w->n; i++) most = fmax(most, fabs(w->g[i]) * fmax(1, fabs(w->x[i])));
    return most / fmax(1, fabs(w->value));
}

/* The Newton step; where the Hessian bends the wrong way or is singular, its diagonal grows until
 * it does not. */
static enum err_code newton_step(struct newton *w, struct err *err) {
    size_t n = w->n;
    double extra = 0;
    for (int attempt = 0; attempt < 24; attempt++) {
        memcpy(w->factor, w->h, n * n * sizeof *w->h);
        for (size_t i = 0; i < n; i++) {
            double d = fabs(w->h[i * n + i]);
            w->factor[i * n + i] += extra * (d > 0 ? d : 1);
            w->step[i] = -w->g[i];
        }
        struct err ignored;
        enum err_code rc = num_solve_spd(w->factor, n, w->step, 1, &ignored);
        if (rc == ERR_OK) {
            double slope = 0;
            for (size_t i = 0; i < n; i++) slope += w->step[i] * w->g[i];
            if (isfinite(slope) && slope <= 0) return ERR_OK;
        } else if (rc != ERR_NUMERIC) {
            return err_fail(err, rc, "Newton step of %zu parameters", n);
        }
        extra = extra == 0 ? 1e-10 : extra * 10;
    }
    return err_fail(err, ERR_NUMERIC, "the Hessian of %zu parameters stays singular", n);
}

/* Halve the step until the value falls; false when it never does. */
static bool descend(struct newton *w, double slope) {
    double t = 1, slack = 1e-14 * fmax(1, fabs(w->value));
    for (int halving = 0; halving < 60; halving++) {
        for (size_t i = 0; i < w->n; i++) w->next[i] = w->x[i] + t * w->step[i];
        double value = w->f(w->arg, w->next, NULL, NULL);
        if (isfinite(value) && value <= w->value + 1e-4 * t * slope + slack) {
            memcpy(w->x, w->next, w->n * sizeof *w->x);
            return true;
        }
        t /= 2;
    }
    return false;
}

static enum err_code newton_loop(struct newton *w, unsigned max_steps, double tol,
                                 struct num_found *found, struct err *err) {
    for (unsigned step = 0;; step++) {
        w->value = w->f(w->arg, w->x, w->g, w->h);
        if (!isfinite(w->value))
            return err_fail(err, ERR_NUMERIC, "the function has no value at the start");
        *found = (struct num_found){w->value, step, largest_gradient(w), false};
        TRY(newton_step(w, err));
        double slope = 0;
        for (size_t i = 0; i < w->n; i++) slope += w->step[i] * w->g[i];
        bool small =
            -slope / 2 <= tol * tol * fmax(1, fabs(w->value)) || found->gradient_norm <= tol * 1e-3;
        if (!small && step == max_steps) break;
        bool moved = descend(w, slope);
        if (small) {
            found->converged = true;
            return ERR_OK;
        }
        if (!moved) break;
    }
    return err_fail(err, ERR_NUMERIC,
                    "Newton's method did not converge: %u steps, gradient norm %.3g, value %.10g",
                    found->steps, found->gradient_norm, found->value);
}

enum err_code num_minimize_newton(num_objective *f, void *arg, size_t n,
                                  const struct num_search *search, double *x,
                                  struct num_found *found, struct err *err) {
    unsigned max_steps = search == NULL || search->max_steps == 0 ? 100 : search->max_steps;
    double tol = search == NULL || search->tol == 0 ? 1e-9 : search->tol;
    *found = (struct num_found){.value = NAN};
    if (n == 0) {
        *found = (struct num_found){f(arg, x, NULL, NULL), 0, 0, true};
        return ERR_OK;
    }
    double *work = mem_new(n, (2 * n + 3) * sizeof *work);
    if (work == NULL) return err_fail(err, ERR_NOMEM, "Newton's method, %zu parameters", n);
    struct newton w = {.f = f,
                       .arg = arg,
                       .n = n,
                       .x = x,
                       .next = work,
                       .g = work + n,
                       .step = work + 2 * n,
                       .h = work + 3 * n,
                       .factor = work + 3 * n + n * n};
    enum err_code rc = newton_loop(&w, max_steps, tol, found, err);
    mem_free(work);
    return rc;
}
