#include "num/model/parametric.h"

#include <math.h>
#include <string.h>

#include "num/core/dist.h"
#include "num/core/linalg.h"
#include "num/model/newton.h"
#include "num/model/parametric_life.h"
#include "num/model/survdata.h"

/* Parameters theta = (b, log scale); m of them, m = p or p + 1. Only kept columns take part. */
struct aft {
    struct arena *a;
    const struct model_lifetimes *d;
    const double *x; /* n x p of the kept columns, divided by unit */
    double *unit;    /* p */
    size_t p, m;
    enum model_life life;
    double held; /* scale, or 0 */
};

struct row_terms {
    double v;    /* log-likelihood of the row */
    double e, t; /* derivatives by x'b and by log scale */
    double ee, et, tt;
};

/* Adds sign * g(z(time)): z depends on the predictor by -1 / scale and on log scale by -z. */
static void add_part(struct row_terms *r, struct life_part g, double z, double scale, double sign) {
    r->v += sign * g.v;
    r->e -= sign * g.d1 / scale;
    r->t -= sign * z * g.d1;
    r->ee += sign * g.d2 / (scale * scale);
    r->et += sign * (g.d1 + z * g.d2) / scale;
    r->tt += sign * (z * g.d1 + z * z * g.d2);
}

/* log(S(z1) - S(z2)) = log S(z1) + log(1 - S(z2) / S(z1)). */
static void add_interval(struct row_terms *r, enum model_life life, double z1, double z2,
                         double scale) {
    struct life_part s1 = life_log_survival(life, z1), s2 = life_log_survival(life, z2);
    struct life_part f1 = life_log_density(life, z1), f2 = life_log_density(life, z2);
    double ld = s1.v + log(-expm1(s2.v - s1.v));
    double a1 = -exp(f1.v - ld), a2 = exp(f2.v - ld); /* derivatives by z1, z2 */
    double h11 = a1 * f1.d1 - a1 * a1, h22 = a2 * f2.d1 - a2 * a2, h12 = -a1 * a2;
    double za = z1 * a1 + z2 * a2, h1 = h11 + h12, h2 = h12 + h22;
    r->v += ld;
    r->e -= (a1 + a2) / scale;
    r->t -= za;
    r->ee += (h1 + h2) / (scale * scale);
    r->et += (z1 * h1 + z2 * h2 + a1 + a2) / scale;
    r->tt += z1 * z1 * h11 + 2 * z1 * z2 * h12 + z2 * z2 * h22 + za;
}

static struct row_terms row_terms(const struct aft *f, size_t i, double eta, double scale) {
    const struct model_lifetimes *d = f->d;
    struct row_terms r = {0};
    double lo = d->low[i], hi = d->high[i];
    double z1 = lo > 0 ? (log(lo) - eta) / scale : 0, z2 = (log(hi) - eta) / scale;
    if (lo == hi) {
        add_part(&r, life_log_density(f->life, z1), z1, scale, 1);
        r.v -= log(scale) + log(lo);
        r.t -= 1;
    } else if (isinf(hi)) {
        if (lo > 0) add_part(&r, life_log_survival(f->life, z1), z1, scale, 1);
    } else if (lo == 0) {
        add_part(&r, life_log_failure(f->life, z2), z2, scale, 1);
    } else {
        add_interval(&r, f->life, z1, z2, scale);
    }
    if (d->entry != NULL && d->entry[i] > 0) {
        double z = (log(d->entry[i]) - eta) / scale;
        add_part(&r, life_log_survival(f->life, z), z, scale, -1);
    }
    return r;
}

static double linear_of(const struct aft *f, const double *theta, size_t i) {
    double e = 0;
    for (size_t j = 0; j < f->p; j++) e += f->x[i * f->p + j] * theta[j];
    return e;
}

static double scale_of(const struct aft *f, const double *theta) {
    return f->held > 0 ? f->held : exp(theta[f->p]);
}

/* Log-likelihood, its gradient and (with h) minus its second derivatives; not finite when theta is
 * out of reach. */
static double likelihood(void *arg, const double *theta, double *g, double *h) {
    const struct aft *f = arg;
    if (f->m > f->p && fabs(theta[f->p]) > 50) return NAN;
    double scale = scale_of(f, theta), sum = 0;
    size_t m = f->m, p = f->p;
    memset(g, 0, m * sizeof *g);
    memset(h, 0, m * m * sizeof *h);
    for (size_t i = 0; i < f->d->n; i++) {
        struct row_terms r = row_terms(f, i, linear_of(f, theta, i), scale);
        const double *x = &f->x[i * p];
        double w = f->d->weight == NULL ? 1 : f->d->weight[i];
        sum += w * r.v;
        for (size_t j = 0; j < p; j++) {
            g[j] += w * r.e * x[j];
            for (size_t k = 0; k <= j; k++) h[j * m + k] -= w * r.ee * x[j] * x[k];
            if (m > p) h[p * m + j] -= w * r.et * x[j];
        }
        if (m > p) {
            g[p] += w * r.t;
            h[p * m + p] -= w * r.tt;
        }
    }
    for (size_t j = 0; j < m; j++)
        for (size_t k = 0; k < j; k++) h[k * m + j] = h[j * m + k];
    return sum;
}

static enum err_code check(const struct model_aft_spec *s, struct model_aft *out, struct err *err) {
    const struct model_lifetimes *d = s->data;
    if (d->n == 0) return err_fail(err, ERR_INVALID, "there are no rows of lifetimes");
    if (s->p == 0 || s->p > 500)
        return err_fail(err, ERR_INVALID, "the model takes 1 to 500 columns, not %zu", s->p);
    for (size_t i = 0; i < d->n; i++) {
        double lo = d->low[i], hi = d->high[i], e = d->entry == NULL ? 0 : d->entry[i];
        if (!(lo >= 0 && isfinite(lo) && hi >= lo && hi > 0))
            return err_fail(err, ERR_INVALID, "row %zu: the lifetime [%g, %g] is not a time", i + 1,
                            lo, hi);
        if (!(e >= 0 && e <= lo) || (e > 0 && e == hi))
            return err_fail(err, ERR_INVALID,
                            "row %zu: entry %g is not before the lifetime [%g, %g]", i + 1, e, lo,
                            hi);
        if (d->weight != NULL && !(d->weight[i] >= 0 && isfinite(d->weight[i])))
            return err_fail(err, ERR_INVALID, "row %zu: weight %g", i + 1, d->weight[i]);
        for (size_t j = 0; j < s->p; j++)
            if (!isfinite(s->x[i * s->p + j]))
                return err_fail(err, ERR_INVALID, "row %zu, column %zu is not a finite number",
                                i + 1, j + 1);
        out->n_exact += lo == hi;
        out->n_right += isinf(hi) ? 1 : 0;
        out->n_left += lo == 0 && !isinf(hi);
        out->n_interval += lo > 0 && hi > lo && !isinf(hi);
        out->n_late += e > 0;
    }
    if (out->n_right == d->n)
        return err_fail(err, ERR_NUMERIC, "no row has an event: every lifetime is censored");
    return ERR_OK;
}

/* A first guess: least squares would do as well, but the middle of the log times is enough for
 * Newton's method with a ridge. */
static void first_guess(const struct aft *f, double *center, double *spread) {
    double sum = 0, ss = 0, n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < f->d->n; i++) {
            double lo = f->d->low[i], hi = f->d->high[i];
            double y = lo == 0 && isinf(hi) ? NAN
                       : isinf(hi)          ? log(lo)
                       : lo == 0            ? log(hi)
                                            : log((lo + hi) / 2);
            if (isnan(y)) continue;
            if (pass == 0)
                sum += y, n += 1;
            else
                ss += (y - sum / n) * (y - sum / n);
        }
    *center = n > 0 ? sum / n : 0;
    *spread = n > 1 && ss > 0 ? sqrt(ss / n) : 1;
}

/* Copies the independent columns, each divided by its largest size; the order of parameters keeps.
 */
static enum err_code keep_columns(struct aft *f, const struct model_aft_spec *s,
                                  struct model_aft *out, struct err *err) {
    size_t n = s->data->n, p = s->p;
    bool *keep = ARENA_NEW(f->a, bool, p);
    f->unit = ARENA_NEW(f->a, double, p);
    double *x = ARENA_NEW(f->a, double, n *p);
    if (keep == NULL || f->unit == NULL || x == NULL)
        return err_fail(err, ERR_NOMEM, "a design of %zu rows", n);
    TRY(num_independent_columns(s->x, n, p, 1e-7, keep, &out->rank, err));
    if (out->rank == 0) return err_fail(err, ERR_NUMERIC, "every column of the model is zero");
    f->p = 0;
    for (size_t j = 0; j < p; j++) {
        out->coef[j].aliased = !keep[j];
        if (!keep[j]) continue;
        double top = 0;
        for (size_t i = 0; i < n; i++) top = fmax(top, fabs(s->x[i * p + j]));
        f->unit[f->p++] = top;
    }
    size_t c = 0;
    for (size_t j = 0; j < p; j++) {
        if (!keep[j]) continue;
        for (size_t i = 0; i < n; i++) x[i * f->p + c] = s->x[i * p + j] / f->unit[c];
        c++;
    }
    f->x = x;
    return ERR_OK;
}

/* The null model has the same distribution and scale rule, and an intercept only. */
static enum err_code fit_null(const struct aft *full, double center, double spread, size_t most,
                              const struct num_run *run, double *loglik, double *best_center,
                              double *best_scale, struct err *err) {
    struct aft f = *full;
    struct model_newton s;
    double *ones = ARENA_NEW(f.a, double, f.d->n);
    if (ones == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", f.d->n);
    for (size_t i = 0; i < f.d->n; i++) ones[i] = 1;
    f.x = ones;
    f.p = 1;
    f.m = f.held > 0 ? 1 : 2;
    TRY(model_newton_new(f.a, f.m, &s, err));
    s.loglik = likelihood;
    s.arg = &f;
    s.max_iterations = most;
    s.theta[0] = center;
    if (f.m > 1) s.theta[1] = log(spread);
    TRY(model_newton_run(&s, run, err));
    *loglik = s.value;
    *best_center = s.theta[0];
    *best_scale = scale_of(&f, s.theta);
    return ERR_OK;
}

/* b with x b near center: ones if there is a column that is constant, else 0 and Newton's work. */
static void start_at(const struct aft *f, double center, double scale, double *theta) {
    memset(theta, 0, f->m * sizeof *theta);
    if (f->m > f->p) theta[f->p] = log(scale);
    for (size_t j = 0; j < f->p; j++) {
        bool same = true;
        for (size_t i = 1; i < f->d->n && same; i++) same = f->x[i * f->p + j] == f->x[j];
        if (!same || f->x[j] == 0) continue;
        theta[j] = center / f->x[j];
        return;
    }
}

static enum err_code robust(const struct aft *f, const struct model_newton *s,
                            const double *inverse, double *out, struct err *err) {
    size_t m = f->m, n_groups;
    uint32_t *group;
    TRY(model_dense_groups(f->a, f->d->cluster, f->d->n, &group, &n_groups, err));
    double *sum = ARENA_NEW(f->a, double, n_groups *m), *u = ARENA_NEW(f->a, double, m);
    if (sum == NULL || u == NULL) return err_fail(err, ERR_NOMEM, "%zu clusters", n_groups);
    double scale = scale_of(f, s->theta);
    for (size_t i = 0; i < f->d->n; i++) {
        struct row_terms r = row_terms(f, i, linear_of(f, s->theta, i), scale);
        double w = f->d->weight == NULL ? 1 : f->d->weight[i];
        for (size_t j = 0; j < f->p; j++) sum[group[i] * m + j] += w * r.e * f->x[i * f->p + j];
        if (m > f->p) sum[group[i] * m + f->p] += w * r.t;
    }
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t j = 0; j < m; j++) {
            u[j] = 0;
            for (size_t k = 0; k < m; k++) u[j] += inverse[j * m + k] * sum[g * m + k];
        }
        for (size_t j = 0; j < m; j++)
            for (size_t k = 0; k < m; k++) out[j * m + k] += u[j] * u[k];
    }
    return ERR_OK;
}

static enum err_code fill(struct aft *f, struct model_newton *s, const struct model_aft_spec *spec,
                          struct model_aft *out, struct err *err) {
    size_t m = f->m, p = spec->p, at[501] = {0}, q = 0;
    if (num_invert_spd(s->h, m, NULL) != ERR_OK)
        return err_fail(err, ERR_NUMERIC, "the information matrix is singular at the estimate%s",
                        s->converged ? "" : " (no convergence)");
    double *r = s->work;
    memcpy(r, s->h, m * m * sizeof *r);
    out->robust = f->d->cluster != NULL;
    if (out->robust) {
        memset(r, 0, m * m * sizeof *r);
        TRY(robust(f, s, s->h, r, err));
    }
    for (size_t j = 0; j < p; j++)
        if (!out->coef[j].aliased) at[q++] = j;
    at[q] = p;
    for (size_t j = 0; j < m; j++)
        for (size_t k = 0; k < m; k++) {
            double uj = j < f->p ? f->unit[j] : 1, uk = k < f->p ? f->unit[k] : 1;
            out->variance[at[j] * (p + 1) + at[k]] = s->h[j * m + k] / (uj * uk);
        }
    for (size_t j = 0; j < f->p; j++) {
        struct model_aft_coef *c = &out->coef[at[j]];
        c->coef = s->theta[j] / f->unit[j];
        c->se = sqrt(s->h[j * m + j]) / f->unit[j];
        c->robust_se = sqrt(r[j * m + j]) / f->unit[j];
        c->z = c->robust_se > 0 ? c->coef / c->robust_se : 0;
        c->p = 2 * num_norm_p(-fabs(c->z), true);
        if (fabs(s->theta[j]) > 10 && c->se > 20 * fabs(c->coef)) out->at_infinity = true;
    }
    out->scale = scale_of(f, s->theta);
    out->log_scale_se = m > f->p ? sqrt(s->h[f->p * m + f->p]) : 0;
    return ERR_OK;
}

static void fill_residuals(const struct aft *f, const double *theta, struct model_aft *out) {
    for (size_t i = 0; i < f->d->n; i++) {
        double eta = linear_of(f, theta, i), lo = f->d->low[i], hi = f->d->high[i];
        double from = f->d->entry == NULL ? 0 : f->d->entry[i];
        double to = isinf(hi) ? lo : hi;
        out->cox_snell[i] = model_life_log_survival(f->life, out->scale, eta, from) -
                            model_life_log_survival(f->life, out->scale, eta, to);
    }
}

enum err_code model_aft_fit(struct arena *a, const struct model_aft_spec *spec,
                            const struct num_run *run, struct model_aft *out, struct err *err) {
    struct aft f = {.a = a, .d = spec->data, .life = spec->life};
    struct model_newton s;
    size_t n = spec->data->n, p = spec->p, most = spec->max_iterations;
    double center, spread;
    memset(out, 0, sizeof *out);
    TRY(check(spec, out, err));
    TRY(num_run_afford(run, 8.0 * (double)n * ((double)p * 2 + 4), "the design matrix", err));
    out->coef = ARENA_NEW(a, struct model_aft_coef, p);
    out->variance = ARENA_NEW(a, double, (p + 1) * (p + 1));
    out->cox_snell = ARENA_NEW(a, double, n);
    if (out->coef == NULL || out->variance == NULL || out->cox_snell == NULL)
        return err_fail(err, ERR_NOMEM, "%zu rows", n);
    out->n = n;
    out->p = p;
    out->life = spec->life;
    if (most == 0) most = 100;
    f.held = spec->life == MODEL_LIFE_EXPONENTIAL ? 1 : spec->fixed_scale;
    TRY(keep_columns(&f, spec, out, err));
    f.m = f.held > 0 ? f.p : f.p + 1;
    first_guess(&f, &center, &spread);
    TRY(fit_null(&f, center, spread, most, run, &out->loglik_null, &center, &spread, err));
    TRY(model_newton_new(a, f.m, &s, err));
    s.loglik = likelihood;
    s.arg = &f;
    s.max_iterations = most;
    start_at(&f, center, spread, s.theta);
    TRY(model_newton_run(&s, run, err));
    out->loglik = s.value;
    out->iterations = s.iterations;
    out->converged = s.converged;
    TRY(fill(&f, &s, spec, out, err));
    out->lr_test = 2 * (out->loglik - out->loglik_null);
    out->lr_p =
        out->rank > 1 ? num_chisq_p(fmax(out->lr_test, 0), (double)out->rank - 1, false) : 1;
    fill_residuals(&f, s.theta, out);
    return ERR_OK;
}
