/* The power-law process and LEYP. */
#include <math.h>
#include <string.h>

#include "num/core/dist.h"
#include "num/core/linalg.h"
#include "num/model/newton.h"
#include "num/model/recurrent.h"

/* theta = (b of the kept columns, log beta, alpha when it is free). */
struct power {
    struct arena *a;
    const struct model_power_spec *spec;
    const double *x; /* n x p, kept columns */
    size_t p, m;
    bool free_alpha;
};

/* Expected part of a row and its derivatives by u = log beta, without (1 + alpha k) exp(x'b). */
struct spent {
    double d, du, duu;
};

static struct spent spent(double beta, double start, double stop) {
    double l1 = log(stop), p1 = pow(stop, beta), l0 = 0, p0 = 0;
    if (start > 0) l0 = log(start), p0 = pow(start, beta);
    double d1 = p1 * l1 - p0 * l0, d2 = p1 * l1 * l1 - p0 * l0 * l0;
    return (struct spent){p1 - p0, beta * d1, beta * d1 + beta * beta * d2};
}

/* Likelihood of row i; u holds the derivatives by x'b, log beta, alpha; h minus the second ones. */
static double row_loglik(const struct power *f, const double *theta, size_t i, double u[3],
                         double h[3][3]) {
    const struct model_survival *d = f->spec->data;
    double eta = f->spec->offset == NULL ? 0 : f->spec->offset[i], beta = exp(theta[f->p]);
    double alpha = f->free_alpha ? theta[f->p + 1] : 0;
    double k = f->spec->earlier == NULL ? 0 : f->spec->earlier[i], c = 1 + alpha * k;
    for (size_t j = 0; j < f->p; j++) eta += f->x[i * f->p + j] * theta[j];
    struct spent s = spent(beta, d->start[i], d->stop[i]);
    double e = d->event[i], lt = e > 0 ? log(d->stop[i]) : 0, r = exp(eta), m = c * r;
    u[0] = e - m * s.d;
    u[1] = e * (1 + beta * lt) - m * s.du;
    u[2] = e * k / c - k * r * s.d;
    h[0][0] = m * s.d;
    h[0][1] = h[1][0] = m * s.du;
    h[0][2] = h[2][0] = k * r * s.d;
    h[1][1] = m * s.duu - e * beta * lt;
    h[1][2] = h[2][1] = k * r * s.du;
    h[2][2] = e * k * k / (c * c);
    return e * (eta + theta[f->p] + (beta - 1) * lt + log(c)) - m * s.d;
}

static double power_loglik(void *arg, const double *theta, double *g, double *h) {
    const struct power *f = arg;
    const struct model_survival *d = f->spec->data;
    size_t m = f->m, p = f->p;
    double sum = 0, u[3], q[3][3];
    memset(g, 0, m * sizeof *g);
    memset(h, 0, m * m * sizeof *h);
    if (fabs(theta[p]) > 5) return NAN;
    for (size_t i = 0; f->free_alpha && i < d->n; i++)
        if (!(1 + theta[p + 1] * f->spec->earlier[i] > 0)) return NAN;
    for (size_t i = 0; i < d->n; i++) {
        double w = d->weight == NULL ? 1 : d->weight[i];
        const double *x = &f->x[i * p];
        sum += w * row_loglik(f, theta, i, u, q);
        for (size_t j = 0; j < p; j++) {
            g[j] += w * u[0] * x[j];
            for (size_t k = 0; k <= j; k++) h[j * m + k] += w * q[0][0] * x[j] * x[k];
            for (size_t k = p; k < m; k++) h[k * m + j] += w * q[0][k - p + 1] * x[j];
        }
        for (size_t j = p; j < m; j++) {
            g[j] += w * u[j - p + 1];
            for (size_t k = p; k <= j; k++) h[j * m + k] += w * q[j - p + 1][k - p + 1];
        }
    }
    for (size_t j = 0; j < m; j++)
        for (size_t k = 0; k < j; k++) h[k * m + j] = h[j * m + k];
    return sum;
}

static enum err_code check(const struct model_power_spec *s, struct model_power *out,
                           struct err *err) {
    const struct model_survival *d = s->data;
    TRY(model_survival_check(d, 255, err));
    if (s->p == 0 || s->p > 500)
        return err_fail(err, ERR_INVALID, "the model takes 1 to 500 columns, not %zu", s->p);
    if (d->start == NULL) return err_fail(err, ERR_INVALID, "the power law needs start ages");
    for (size_t i = 0; i < d->n; i++) {
        if (!(d->start[i] >= 0))
            return err_fail(err, ERR_INVALID, "row %zu: start age %g is negative", i + 1,
                            d->start[i]);
        if (s->earlier != NULL && !(s->earlier[i] >= 0 && isfinite(s->earlier[i])))
            return err_fail(err, ERR_INVALID, "row %zu: %g earlier events", i + 1, s->earlier[i]);
        for (size_t j = 0; j < s->p; j++)
            if (!isfinite(s->x[i * s->p + j]))
                return err_fail(err, ERR_INVALID, "row %zu, column %zu is not a finite number",
                                i + 1, j + 1);
        out->n_events += d->event[i] * (d->weight == NULL ? 1 : d->weight[i]);
    }
    return out->n_events > 0 ? ERR_OK : err_fail(err, ERR_NUMERIC, "no row has an event");
}

static enum err_code keep_columns(struct power *f, struct model_power *out, bool *keep,
                                  struct err *err) {
    size_t n = f->spec->data->n, p = f->spec->p;
    double *x = ARENA_NEW(f->a, double, n *p);
    if (x == NULL) return err_fail(err, ERR_NOMEM, "a design of %zu rows", n);
    TRY(num_independent_columns(f->spec->x, n, p, 1e-7, keep, &out->rank, err));
    if (out->rank == 0) return err_fail(err, ERR_NUMERIC, "every column of the model is zero");
    f->p = out->rank;
    for (size_t i = 0; i < n; i++) {
        size_t c = 0;
        for (size_t j = 0; j < p; j++)
            if (keep[j]) x[i * f->p + c++] = f->spec->x[i * p + j];
    }
    f->x = x;
    return ERR_OK;
}

/* A start: beta 1, and the constant column (if any) at the overall rate. */
static void start_at(const struct power *f, double n_events, double *theta) {
    const struct model_survival *d = f->spec->data;
    double time = 0;
    for (size_t i = 0; i < d->n; i++) {
        double o = f->spec->offset == NULL ? 0 : f->spec->offset[i];
        time += (d->stop[i] - d->start[i]) * (d->weight == NULL ? 1 : d->weight[i]) * exp(o);
    }
    for (size_t j = 0; j < f->p; j++) {
        bool same = f->x[j] != 0;
        for (size_t i = 1; i < d->n && same; i++) same = f->x[i * f->p + j] == f->x[j];
        if (!same) continue;
        theta[j] = log(n_events / time) / f->x[j];
        return;
    }
}

static enum err_code solve(struct power *f, bool free_alpha, double n_events,
                           const struct num_run *run, struct model_newton *s, struct err *err) {
    f->free_alpha = free_alpha;
    f->m = f->p + 1 + (free_alpha ? 1 : 0);
    TRY(model_newton_new(f->a, f->m, s, err));
    s->loglik = power_loglik;
    s->arg = f;
    s->max_iterations = f->spec->max_iterations;
    start_at(f, n_events, s->theta);
    return model_newton_run(s, run, err);
}

static enum err_code fit_null(const struct power *full, double n_events, const struct num_run *run,
                              double *loglik, struct err *err) {
    struct power f = *full;
    struct model_newton s;
    size_t n = f.spec->data->n;
    double *ones = ARENA_NEW(f.a, double, n);
    if (ones == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    for (size_t i = 0; i < n; i++) ones[i] = 1;
    f.x = ones;
    f.p = 1;
    TRY(solve(&f, false, n_events, run, &s, err));
    *loglik = s.value;
    return ERR_OK;
}

/* Sandwich: V (sum over assets of s s') V. */
static enum err_code sandwich(const struct power *f, const double *theta, const double *v,
                              double *out, struct err *err) {
    const struct model_survival *d = f->spec->data;
    size_t m = f->m, n_groups;
    uint32_t *group;
    TRY(model_dense_groups(f->a, d->cluster, d->n, &group, &n_groups, err));
    double *sum = ARENA_NEW(f->a, double, n_groups *m), *t = ARENA_NEW(f->a, double, m);
    if (sum == NULL || t == NULL) return err_fail(err, ERR_NOMEM, "%zu assets", n_groups);
    for (size_t i = 0; i < d->n; i++) {
        double u[3] = {0}, q[3][3], w = d->weight == NULL ? 1 : d->weight[i];
        (void)row_loglik(f, theta, i, u, q);
        for (size_t j = 0; j < m; j++)
            sum[group[i] * m + j] += w * (j < f->p ? u[0] * f->x[i * f->p + j] : u[j - f->p + 1]);
    }
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t j = 0; j < m; j++) {
            t[j] = 0;
            for (size_t k = 0; k < m; k++) t[j] += v[j * m + k] * sum[g * m + k];
        }
        for (size_t j = 0; j < m; j++)
            for (size_t k = 0; k < m; k++) out[j * m + k] += t[j] * t[k];
    }
    return ERR_OK;
}

static enum err_code fill(struct power *f, struct model_newton *s, const bool *keep,
                          struct model_power *out, struct err *err) {
    const struct model_survival *d = f->spec->data;
    size_t m = f->m, c = 0;
    if (num_invert_spd(s->h, m, NULL) != ERR_OK)
        return err_fail(err, ERR_NUMERIC, "the information matrix is singular at the estimate%s",
                        s->converged ? "" : " (no convergence)");
    memcpy(s->work, s->h, m * m * sizeof *s->h);
    out->robust = d->cluster != NULL;
    if (out->robust) {
        memset(s->work, 0, m * m * sizeof *s->h);
        TRY(sandwich(f, s->theta, s->h, s->work, err));
    }
    for (size_t j = 0; j < f->spec->p; j++) {
        struct model_power_coef *o = &out->coef[j];
        o->aliased = !keep[j];
        o->p = 1;
        if (!keep[j]) continue;
        o->coef = s->theta[c];
        o->se = sqrt(s->h[c * m + c]);
        o->robust_se = sqrt(s->work[c * m + c]);
        o->z = o->robust_se > 0 ? o->coef / o->robust_se : 0;
        o->p = 2 * num_norm_p(-fabs(o->z), true);
        c++;
    }
    double log_se = sqrt(s->work[f->p * m + f->p]);
    out->beta = exp(s->theta[f->p]);
    out->beta_se = out->beta * log_se;
    out->beta_test_p = 2 * num_norm_p(-fabs(s->theta[f->p]) / log_se, true);
    out->alpha = f->free_alpha ? s->theta[f->p + 1] : 0;
    out->alpha_se = f->free_alpha ? sqrt(s->work[(f->p + 1) * m + f->p + 1]) : 0;
    for (size_t i = 0; i < d->n; i++) {
        double u[3], q[3][3];
        (void)row_loglik(f, s->theta, i, u, q);
        out->expected[i] = q[0][0];
    }
    return ERR_OK;
}

enum err_code model_power_fit(struct arena *a, const struct model_power_spec *spec,
                              const struct num_run *run, struct model_power *out, struct err *err) {
    struct power f = {.a = a, .spec = spec};
    struct model_newton s;
    memset(out, 0, sizeof *out);
    TRY(check(spec, out, err));
    size_t n = spec->data->n, p = spec->p;
    TRY(num_run_afford(run, 8.0 * (double)n * ((double)p * 2 + 2), "the design matrix", err));
    out->n = n;
    out->p = p;
    out->coef = ARENA_NEW(a, struct model_power_coef, p);
    out->expected = ARENA_NEW(a, double, n);
    bool *keep = ARENA_NEW(a, bool, p);
    if (out->coef == NULL || out->expected == NULL || keep == NULL)
        return err_fail(err, ERR_NOMEM, "%zu rows", n);
    TRY(keep_columns(&f, out, keep, err));
    TRY(fit_null(&f, out->n_events, run, &out->loglik_null, err));
    out->verified = spec->earlier == NULL;
    TRY(solve(&f, spec->earlier != NULL, out->n_events, run, &s, err));
    if (f.free_alpha && s.theta[f.p + 1] < 0) {
        out->alpha_at_zero = true;
        TRY(solve(&f, false, out->n_events, run, &s, err));
    }
    out->loglik = s.value;
    out->iterations = s.iterations;
    out->converged = s.converged;
    TRY(fill(&f, &s, keep, out, err));
    double df = (double)(f.m - 2);
    out->lr_test = 2 * (out->loglik - out->loglik_null);
    out->lr_p = df > 0 ? num_chisq_p(fmax(out->lr_test, 0), df, false) : 1;
    return ERR_OK;
}

double model_power_expected(double beta, double alpha, double linear, double earlier, double start,
                            double stop) {
    return (1 + alpha * earlier) * exp(linear) * spent(beta, start, stop).d;
}
