#include "num/model/hawkes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/core/linalg.h"
#include "num/model/newton.h"

struct hawkes {
    const double *t;
    size_t n;
    double from, to;
};

/* Value, gradient and second derivatives by (mu, alpha, beta). a, b, c are the sums over earlier
 * events of e, s e, s^2 e with e = exp(-beta s), s the time since (recursion of Ozaki 1979). */
static double raw_loglik(const struct hawkes *k, const double q[3], double g[3], double h[3][3]) {
    double mu = q[0], al = q[1], be = q[2], a = 0, b = 0, c = 0;
    double sum = -mu * (k->to - k->from);
    memset(g, 0, 3 * sizeof *g);
    memset(h, 0, 9 * sizeof h[0][0]);
    g[0] = -(k->to - k->from);
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0) {
            double s = k->t[i] - k->t[i - 1], e = exp(-be * s);
            c = e * (c + 2 * s * b + s * s * (1 + a));
            b = e * (b + s * (1 + a));
            a = e * (1 + a);
        }
        double l = mu + al * be * a;
        double d[3] = {1, be * a, al * (a - be * b)};
        double ab = a - be * b, bb = al * (be * c - 2 * b);
        sum += log(l);
        for (size_t r = 0; r < 3; r++) {
            g[r] += d[r] / l;
            for (size_t z = 0; z < 3; z++) h[r][z] -= d[r] * d[z] / (l * l);
        }
        h[1][2] += ab / l;
        h[2][1] += ab / l;
        h[2][2] += bb / l;
        double s = k->to - k->t[i], e = exp(-be * s), gone = -expm1(-be * s);
        sum -= al * gone;
        g[1] -= gone;
        g[2] -= al * s * e;
        h[1][2] -= s * e;
        h[2][1] -= s * e;
        h[2][2] += al * s * s * e;
    }
    return sum;
}

/* By the logarithms of the parameters, second derivatives with the sign turned. */
static double log_loglik(void *arg, const double *theta, double *g, double *h) {
    const struct hawkes *k = arg;
    double q[3], rg[3], rh[3][3];
    for (size_t r = 0; r < 3; r++) {
        if (fabs(theta[r]) > 60) return NAN;
        q[r] = exp(theta[r]);
    }
    double v = raw_loglik(k, q, rg, rh);
    for (size_t r = 0; r < 3; r++) {
        g[r] = q[r] * rg[r];
        for (size_t c = 0; c < 3; c++)
            h[r * 3 + c] = -(q[r] * q[c] * rh[r][c] + (r == c ? g[r] : 0));
    }
    return v;
}

double model_hawkes_loglik(const double *times, size_t n, double from, double to, double mu,
                           double alpha, double beta) {
    struct hawkes k = {times, n, from, to};
    double g[3], h[3][3], q[3] = {mu, alpha, beta};
    if (!(mu > 0 && alpha >= 0 && beta > 0)) return NAN;
    return raw_loglik(&k, q, g, h);
}

static int by_value(const void *x, const void *y) {
    double p = *(const double *)x, q = *(const double *)y;
    return p < q ? -1 : p > q;
}

void model_ks_uniform(double *u, size_t n, double *distance, double *p) {
    double d = 0, nn = (double)n;
    qsort(u, n, sizeof *u, by_value);
    for (size_t i = 0; i < n; i++) {
        d = fmax(d, (double)(i + 1) / nn - u[i]);
        d = fmax(d, u[i] - (double)i / nn);
    }
    *distance = d;
    double l = (sqrt(nn) + 0.12 + 0.11 / sqrt(nn)) * d, sum = 0;
    for (int k = 1; k <= 100; k++) sum += (k % 2 ? 2 : -2) * exp(-2 * l * l * k * k);
    *p = l < 0.2 ? 1 : fmin(1, fmax(0, sum));
}

static enum err_code check(const double *t, size_t n, double from, double to, size_t *n_tied,
                           struct err *err) {
    if (n < 3) return err_fail(err, ERR_INVALID, "at least 3 events are needed, not %zu", n);
    if (!(from < to && isfinite(from) && isfinite(to)))
        return err_fail(err, ERR_INVALID, "the window [%g, %g) is empty", from, to);
    *n_tied = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(t[i] >= from && t[i] < to))
            return err_fail(err, ERR_INVALID, "event %zu at %g is outside the window [%g, %g)",
                            i + 1, t[i], from, to);
        if (i > 0 && t[i] < t[i - 1])
            return err_fail(err, ERR_INVALID, "event %zu is before the one above it", i + 1);
        *n_tied += i > 0 && t[i] == t[i - 1];
    }
    return ERR_OK;
}

static void rescale(const struct hawkes *k, struct model_hawkes *out) {
    double a = 0, last = k->from;
    for (size_t i = 0; i < k->n; i++) {
        double s = k->t[i] - last, e = exp(-out->beta * s);
        /* a holds 1 + sum just after the last event. */
        out->rescaled[i] = out->mu * s + out->alpha * a * -expm1(-out->beta * s);
        a = 1 + e * a;
        last = k->t[i];
    }
}

static enum err_code take_best(struct arena *a, const struct hawkes *k,
                               const struct model_newton *best, struct model_hawkes *out,
                               struct err *err) {
    double inverse[9];
    out->mu = exp(best->theta[0]);
    out->alpha = exp(best->theta[1]);
    out->beta = exp(best->theta[2]);
    out->loglik = best->value;
    out->converged = best->converged;
    out->iterations = best->iterations;
    out->explosive = out->alpha >= 1;
    memcpy(inverse, best->h, sizeof inverse);
    out->at_boundary = out->alpha < 1e-4 || out->loglik <= out->loglik_poisson + 1e-6 ||
                       num_invert_spd(inverse, 3, NULL) != ERR_OK;
    for (size_t r = 0; r < 3 && !out->at_boundary; r++) out->log_se[r] = sqrt(inverse[4 * r]);
    out->rescaled = ARENA_NEW(a, double, k->n);
    double *u = ARENA_NEW(a, double, k->n);
    if (out->rescaled == NULL || u == NULL) return err_fail(err, ERR_NOMEM, "%zu events", k->n);
    rescale(k, out);
    for (size_t i = 0; i < k->n; i++) u[i] = -expm1(-out->rescaled[i]);
    model_ks_uniform(u, k->n, &out->ks, &out->ks_p);
    return ERR_OK;
}

enum err_code model_hawkes_fit(struct arena *a, const double *times, size_t n, double from,
                               double to, const struct num_run *run, struct model_hawkes *out,
                               struct err *err) {
    struct hawkes k = {times, n, from, to};
    struct model_newton best = {0};
    static const double share[] = {0.3, 0.7}, speed[] = {0.1, 1, 10};
    double values[6];
    memset(out, 0, sizeof *out);
    TRY(check(times, n, from, to, &out->n_tied, err));
    double rate = (double)n / (to - from);
    out->n = n;
    out->loglik_poisson = (double)n * log(rate) - (double)n;
    for (size_t s = 0; s < 6; s++) {
        struct model_newton one;
        TRY(model_newton_new(a, 3, &one, err));
        one.loglik = log_loglik;
        one.arg = &k;
        one.max_iterations = 500;
        one.theta[0] = log(rate * (1 - share[s % 2]));
        one.theta[1] = log(share[s % 2]);
        one.theta[2] = log(rate * speed[s / 2]);
        enum err_code rc = model_newton_run(&one, run, err);
        if (rc == ERR_NUMERIC) continue;
        if (rc != ERR_OK) return rc;
        values[out->n_starts++] = one.value;
        if (best.theta == NULL || one.value > best.value) best = one;
    }
    if (best.theta == NULL)
        return err_fail(err, ERR_NUMERIC, "no search for the Hawkes parameters could begin");
    for (size_t s = 0; s < out->n_starts; s++) out->n_agree += best.value - values[s] < 1e-6;
    return take_best(a, &k, &best, out, err);
}
