#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/core/optim.h"

struct bfgs {
    num_objective *f;
    void *arg;
    size_t n;
    bool numeric;
    double *x, *next, *g, *g_next, *step, *y, *hy, *inverse;
    double value;
};

/* The value and, if asked for, the gradient at x. */
static double evaluate(const struct bfgs *w, double *x, double *gradient) {
    if (gradient == NULL || !w->numeric) return w->f(w->arg, x, gradient, NULL);
    double value = w->f(w->arg, x, NULL, NULL);
    for (size_t i = 0; i < w->n; i++) {
        /* The cube root of the rounding error balances both errors of a central difference. */
        double at = x[i], h = 6.1e-6 * fmax(1, fabs(at));
        x[i] = at + h;
        double high = w->f(w->arg, x, NULL, NULL), right = x[i];
        x[i] = at - h;
        double low = w->f(w->arg, x, NULL, NULL), left = x[i];
        x[i] = at;
        if (!isfinite(high)) {
            high = value;
            right = at;
        }
        if (!isfinite(low)) {
            low = value;
            left = at;
        }
        gradient[i] = right > left ? (high - low) / (right - left) : 0;
    }
    return value;
}

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static double gradient_norm(const struct bfgs *w) {
    double most = 0;
    for (size_t i = 0; i < w->n; i++) most = fmax(most, fabs(w->g[i]) * fmax(1, fabs(w->x[i])));
    return most / fmax(1, fabs(w->value));
}

/* Weak Wolfe conditions by bisection and doubling (Lewis and Overton 2013, alg. 2.6). True with
 * next, g_next and *value set. */
static bool line_search(struct bfgs *w, double slope, double *value) {
    double low = 0, high = INFINITY, t = 1;
    for (int i = 0; i < 60; i++) {
        for (size_t k = 0; k < w->n; k++) w->next[k] = w->x[k] + t * w->step[k];
        *value = w->f(w->arg, w->next, NULL, NULL);
        if (!isfinite(*value) || *value > w->value + 1e-4 * t * slope) {
            high = t;
        } else {
            *value = evaluate(w, w->next, w->g_next);
            if (dot(w->g_next, w->step, w->n) >= 0.9 * slope) return true;
            low = t;
        }
        t = isinf(high) ? 2 * low : low + (high - low) / 2;
    }
    /* Descent without the curvature is still descent. */
    if (low == 0) return false;
    for (size_t k = 0; k < w->n; k++) w->next[k] = w->x[k] + low * w->step[k];
    *value = evaluate(w, w->next, w->g_next);
    return isfinite(*value) && *value < w->value;
}

static void reset(struct bfgs *w, double scale) {
    memset(w->inverse, 0, w->n * w->n * sizeof *w->inverse);
    for (size_t i = 0; i < w->n; i++) w->inverse[i * w->n + i] = scale;
}

/* Nocedal and Wright, eq. 6.17; the first time with their scale 6.20. */
static void update(struct bfgs *w, bool first) {
    size_t n = w->n;
    for (size_t i = 0; i < n; i++) {
        w->step[i] = w->next[i] - w->x[i];
        w->y[i] = w->g_next[i] - w->g[i];
    }
    double sy = dot(w->step, w->y, n), yy = dot(w->y, w->y, n);
    if (!(sy > 1e-12 * sqrt(yy * dot(w->step, w->step, n)))) return;
    if (first) reset(w, sy / yy);
    for (size_t i = 0; i < n; i++) w->hy[i] = dot(w->inverse + i * n, w->y, n);
    double rho = 1 / sy, yhy = dot(w->y, w->hy, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            w->inverse[i * n + j] += rho * ((1 + rho * yhy) * w->step[i] * w->step[j] -
                                            w->hy[i] * w->step[j] - w->step[i] * w->hy[j]);
}

static enum err_code bfgs_loop(struct bfgs *w, unsigned max_steps, double tol,
                               struct num_found *found, struct err *err) {
    size_t n = w->n;
    bool fresh = true;
    w->value = evaluate(w, w->x, w->g);
    if (!isfinite(w->value))
        return err_fail(err, ERR_NUMERIC, "the function has no value at the start");
    reset(w, 1);
    for (unsigned step = 0;; step++) {
        *found = (struct num_found){w->value, step, gradient_norm(w), false};
        if (!isfinite(found->gradient_norm) || step == max_steps) break;
        found->converged = found->gradient_norm <= tol;
        if (found->converged) return ERR_OK;
        for (size_t i = 0; i < n; i++) w->step[i] = -dot(w->inverse + i * n, w->g, n);
        double slope = dot(w->step, w->g, n), value;
        bool lowered = slope < 0 && line_search(w, slope, &value);
        if (!lowered) {
            /* Once more along the gradient before it is called the end. */
            if (!fresh) {
                reset(w, 1 / fmax(1, sqrt(dot(w->g, w->g, n))));
                fresh = true;
                continue;
            }
            found->converged = found->gradient_norm <= (w->numeric ? 1e-3 : 1e-6);
            if (found->converged) return ERR_OK;
            break;
        }
        update(w, fresh);
        fresh = false;
        w->value = value;
        memcpy(w->x, w->next, n * sizeof *w->x);
        memcpy(w->g, w->g_next, n * sizeof *w->g);
    }
    return err_fail(err, ERR_NUMERIC,
                    "BFGS did not converge: %u steps, gradient norm %.3g, value %.10g",
                    found->steps, found->gradient_norm, found->value);
}

enum err_code num_minimize_bfgs(num_objective *f, void *arg, size_t n, bool numeric,
                                const struct num_search *search, double *x, struct num_found *found,
                                struct err *err) {
    unsigned max_steps = search == NULL || search->max_steps == 0 ? 500 : search->max_steps;
    double tol = search == NULL || search->tol == 0 ? (numeric ? 1e-6 : 1e-8) : search->tol;
    *found = (struct num_found){.value = NAN};
    if (n == 0) {
        *found = (struct num_found){f(arg, x, NULL, NULL), 0, 0, true};
        return ERR_OK;
    }
    double *work = mem_new(n, (n + 6) * sizeof *work);
    if (work == NULL) return err_fail(err, ERR_NOMEM, "BFGS of %zu parameters", n);
    struct bfgs w = {.f = f,
                     .arg = arg,
                     .n = n,
                     .numeric = numeric,
                     .x = x,
                     .next = work,
                     .g = work + n,
                     .g_next = work + 2 * n,
                     .step = work + 3 * n,
                     .y = work + 4 * n,
                     .hy = work + 5 * n,
                     .inverse = work + 6 * n};
    enum err_code rc = bfgs_loop(&w, max_steps, tol, found, err);
    mem_free(work);
    return rc;
}

enum err_code num_minimize_starts(num_objective *f, void *arg, size_t n, bool numeric,
                                  const struct num_search *search, const double *starts,
                                  size_t n_start, double *x, struct num_found *found,
                                  size_t *n_same, struct err *err) {
    *found = (struct num_found){0};
    double *work = mem_new(n_start + 1, (n + 1) * sizeof *work);
    if (work == NULL) return err_fail(err, ERR_NOMEM, "%zu starts of %zu parameters", n_start, n);
    double *at = work, *ends = work + n;
    size_t n_end = 0;
    enum err_code rc = ERR_OK;
    for (size_t s = 0; s < n_start; s++) {
        struct num_found one;
        memcpy(at, starts + s * n, n * sizeof *at);
        rc = num_minimize_bfgs(f, arg, n, numeric, search, at, &one, err);
        if (rc == ERR_NOMEM) break;
        if (rc != ERR_OK) continue;
        if (n_end == 0 || one.value < found->value) {
            *found = one;
            memcpy(x, at, n * sizeof *x);
        }
        ends[n_end++] = one.value;
    }
    size_t same = 0;
    for (size_t i = 0; i < n_end; i++)
        same += ends[i] <= found->value + 1e-6 * fmax(1, fabs(found->value));
    mem_free(work);
    if (n_same != NULL) *n_same = same;
    if (rc == ERR_NOMEM) return rc;
    if (n_end > 0) {
        if (err != NULL) *err = (struct err){0};
        return ERR_OK;
    }
    return n_start == 0 ? err_fail(err, ERR_INVALID, "no start is given") : rc;
}
