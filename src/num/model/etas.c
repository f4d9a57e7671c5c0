/* The space-time part of num/model/hawkes.h. */
#include <math.h>
#include <string.h>

#include "num/model/hawkes.h"

static const double two_pi = 6.28318530717958647693;

struct pair {
    double dt, r2;
};

struct etas {
    const struct model_etas_spec *s;
    size_t *first; /* n + 1: pairs of child i */
    struct pair *pair;
    size_t n_pairs;
    double *u;    /* n: background density at each event */
    double *back; /* n */
    double mu, kappa, omega, sigma2;
};

/* What the sums of one step of EM give. */
struct etas_sums {
    double background, children, delay, spread, loglik;
};

static enum err_code check(const struct model_etas_spec *s, struct err *err) {
    if (s->n < 3) return err_fail(err, ERR_INVALID, "at least 3 events are needed, not %zu", s->n);
    if (!(s->from < s->to)) return err_fail(err, ERR_INVALID, "the window is empty");
    if (!(s->area > 0 && isfinite(s->area)))
        return err_fail(err, ERR_INVALID, "the area of the region has to be above 0");
    for (size_t i = 0; i < s->n; i++) {
        if (!(s->t[i] >= s->from && s->t[i] < s->to))
            return err_fail(err, ERR_INVALID, "event %zu is outside the window", i + 1);
        if (i > 0 && s->t[i] < s->t[i - 1])
            return err_fail(err, ERR_INVALID, "event %zu is before the one above it", i + 1);
        if (!isfinite(s->x[i]) || !isfinite(s->y[i]))
            return err_fail(err, ERR_INVALID, "event %zu has no place", i + 1);
    }
    return ERR_OK;
}

/* Calls or counts the pairs; a pair needs a time apart, so that nothing sets off its twin. */
static size_t list_pairs(const struct model_etas_spec *s, size_t *first, struct pair *out) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (first != NULL) first[i] = n;
        for (size_t j = i; j-- > 0;) {
            double dt = s->t[i] - s->t[j], dx = s->x[i] - s->x[j], dy = s->y[i] - s->y[j];
            if (s->max_lag > 0 && dt > s->max_lag) break;
            double r2 = dx * dx + dy * dy;
            if (dt <= 0 || (s->max_reach > 0 && r2 > s->max_reach * s->max_reach)) continue;
            if (out != NULL) out[n] = (struct pair){dt, r2};
            n++;
        }
    }
    if (first != NULL) first[s->n] = n;
    return n;
}

/* Background density by a Gaussian kernel over the events weighted by how surely they are
 * background; an event does not count for itself. */
static void renew_background(struct etas *f) {
    const struct model_etas_spec *s = f->s;
    double h2 = s->bandwidth * s->bandwidth, all = 0;
    if (!(s->bandwidth > 0)) return;
    for (size_t i = 0; i < s->n; i++) all += f->back[i];
    for (size_t i = 0; i < s->n; i++) {
        double sum = 0;
        for (size_t j = 0; j < s->n; j++) {
            double dx = s->x[i] - s->x[j], dy = s->y[i] - s->y[j];
            if (j != i) sum += f->back[j] * exp(-(dx * dx + dy * dy) / (2 * h2));
        }
        f->u[i] = fmax(sum / (two_pi * h2 * fmax(all - f->back[i], 1e-12)), 1e-300);
    }
}

static void e_step(struct etas *f, struct etas_sums *sum) {
    double peak = f->kappa * f->omega / (two_pi * f->sigma2);
    memset(sum, 0, sizeof *sum);
    for (size_t i = 0; i < f->s->n; i++) {
        double own = f->mu * f->u[i], rate = own, w = 0, dt = 0, r2 = 0;
        for (size_t k = f->first[i]; k < f->first[i + 1]; k++) {
            const struct pair *p = &f->pair[k];
            double v = peak * exp(-f->omega * p->dt - p->r2 / (2 * f->sigma2));
            rate += v;
            w += v;
            dt += v * p->dt;
            r2 += v * p->r2;
        }
        f->back[i] = own / rate;
        sum->background += own / rate;
        sum->children += w / rate;
        sum->delay += dt / rate;
        sum->spread += r2 / rate;
        sum->loglik += log(rate);
    }
    sum->loglik -= f->mu * (f->s->to - f->s->from);
    for (size_t i = 0; i < f->s->n; i++)
        sum->loglik += f->kappa * expm1(-f->omega * (f->s->to - f->s->t[i]));
}

/* New parameters; the window's end cuts off offspring still to come, for kappa and for omega. */
static double m_step(struct etas *f, const struct etas_sums *sum) {
    double seen = 0, late = 0;
    for (size_t i = 0; i < f->s->n; i++) {
        double left = f->s->to - f->s->t[i], e = exp(-f->omega * left);
        seen += 1 - e;
        late += left * e;
    }
    double old[4] = {f->mu, f->kappa, f->omega, f->sigma2};
    f->mu = sum->background / (f->s->to - f->s->from);
    f->kappa = seen > 0 ? sum->children / seen : 0;
    double den = sum->delay + f->kappa * late;
    if (den > 0) f->omega = sum->children / den;
    if (sum->children > 1e-9) f->sigma2 = fmax(sum->spread / (2 * sum->children), 1e-300);
    double now[4] = {f->mu, f->kappa, f->omega, f->sigma2}, moved = 0;
    for (size_t k = 0; k < 4; k++)
        moved = fmax(moved, fabs(now[k] - old[k]) / (fabs(old[k]) + 1e-12));
    return moved;
}

static enum err_code begin(struct arena *a, struct etas *f, const struct num_run *run,
                           struct err *err) {
    const struct model_etas_spec *s = f->s;
    f->n_pairs = list_pairs(s, NULL, NULL);
    TRY(num_run_afford(run, (double)f->n_pairs * sizeof *f->pair, "the pairs of events", err));
    f->first = ARENA_NEW(a, size_t, s->n + 1);
    f->pair = ARENA_NEW(a, struct pair, f->n_pairs + 1);
    f->u = ARENA_NEW(a, double, s->n);
    f->back = ARENA_NEW(a, double, s->n);
    if (f->first == NULL || f->pair == NULL || f->u == NULL || f->back == NULL)
        return err_fail(err, ERR_NOMEM, "%zu pairs of events", f->n_pairs);
    (void)list_pairs(s, f->first, f->pair);
    double rate = (double)s->n / (s->to - s->from);
    f->mu = s->start[0] > 0 ? s->start[0] : rate / 2;
    f->kappa = s->start[1] > 0 ? s->start[1] : 0.5;
    f->omega = s->start[2] > 0 ? s->start[2] : rate;
    double sigma = s->start[3] > 0 ? s->start[3] : sqrt(s->area) / 50;
    f->sigma2 = sigma * sigma;
    for (size_t i = 0; i < s->n; i++) {
        f->u[i] = 1 / s->area;
        f->back[i] = 0.5;
    }
    return ERR_OK;
}

enum err_code model_etas_fit(struct arena *a, const struct model_etas_spec *spec,
                             const struct num_run *run, struct model_etas *out, struct err *err) {
    struct etas f = {.s = spec};
    struct etas_sums sum;
    size_t most = spec->max_iterations == 0 ? 1000 : spec->max_iterations;
    memset(out, 0, sizeof *out);
    TRY(check(spec, err));
    TRY(begin(a, &f, run, err));
    for (; out->iterations < most && !out->converged; out->iterations++) {
        if (num_run_stopped(run)) return err_fail(err, ERR_TIMEOUT, "the fit was stopped");
        renew_background(&f);
        e_step(&f, &sum);
        out->converged = m_step(&f, &sum) < 1e-7;
    }
    renew_background(&f);
    e_step(&f, &sum);
    out->n = spec->n;
    out->n_pairs = f.n_pairs;
    out->mu = f.mu;
    out->kappa = f.kappa;
    out->omega = f.omega;
    out->sigma = sqrt(f.sigma2);
    out->explosive = f.kappa >= 1;
    out->loglik = sum.loglik;
    out->background = f.back;
    return ERR_OK;
}
