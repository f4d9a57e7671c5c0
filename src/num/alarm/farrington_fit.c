#include "num/alarm/farrington_fit.h"

#include <math.h>
#include <string.h>

enum { MAX_ROUNDS = 25, POWERS = 32 };
static const double least_change = 1e-8;

/* Weighted means of time and working response of each period; work and response of each row. */
static void period_sums(struct farrington_rows *r, struct farrington_fit *f,
                        double *restrict response_mean) {
    memset(f->period_weight, 0, sizeof f->period_weight);
    memset(f->period_time, 0, sizeof f->period_time);
    for (size_t i = 0; i < r->n_run; i++) {
        const struct farrington_run *s = &r->run[i];
        double weight = 0, time = 0, response = 0;
        for (size_t k = s->first; k < s->end; k++) {
            double w = r->weight[k] * r->mu[k];
            r->work[k] = w;
            r->lin[k] += (r->y[k] - r->mu[k]) / r->mu[k]; /* now the working response */
            weight += w;
            time += w * r->time[k];
            response += w * r->lin[k];
        }
        f->period_weight[s->period] += weight;
        f->period_time[s->period] += time;
        response_mean[s->period] += response;
    }
    for (size_t g = 0; g < r->n_period; g++) {
        if (f->period_weight[g] <= 0) continue;
        f->period_time[g] /= f->period_weight[g];
        response_mean[g] /= f->period_weight[g];
    }
}

static bool solve(struct farrington_rows *r, struct farrington_fit *f) {
    double response[ALARM_MAX_PERIODS + 1] = {0}, info = 0, cross = 0;
    period_sums(r, f, response);
    f->slope = 0;
    if (f->trend) {
        for (size_t i = 0; i < r->n_run; i++) {
            const struct farrington_run *s = &r->run[i];
            double time = f->period_time[s->period], mean = response[s->period];
            for (size_t k = s->first; k < s->end; k++) {
                double d = r->time[k] - time, w = r->work[k] * d;
                info += w * d;
                cross += w * (r->lin[k] - mean);
            }
        }
        if (!(info > 0)) return false;
        f->slope = cross / info;
    }
    f->info = info;
    for (size_t g = 0; g < r->n_period; g++)
        f->level[g] = response[g] - f->slope * f->period_time[g];
    return true;
}

/* exp(slope * -k) = coarse[k / POWERS] * fine[k % POWERS] for whole steps back k: two products in
 * place of an exponential a row. */
struct powers {
    double fine[POWERS], coarse[(ALARM_MAX_YEARS + 2) * 367 / POWERS];
};

static bool fill_powers(struct powers *p, double slope, double back) {
    size_t n = (size_t)back / POWERS + 1;
    if (n > sizeof p->coarse / sizeof p->coarse[0] || fabs(slope) * back > 300) return false;
    for (size_t i = 0; i < POWERS; i++) p->fine[i] = exp(-slope * (double)i);
    for (size_t i = 0; i < n; i++) p->coarse[i] = exp(-slope * POWERS * (double)i);
    return true;
}

/* New linear predictors and means; the deviance of the fit, not finite when it runs away. */
static double spread_out(struct farrington_rows *r, const struct farrington_fit *f) {
    struct powers powers;
    double deviance = 0;
    bool fast = !f->trend || fill_powers(&powers, f->slope, -r->time[0]);
    if (!fast) return INFINITY;
    double base_of[ALARM_MAX_PERIODS + 1] = {0};
    for (size_t g = 0; g < r->n_period; g++) {
        if (!(fabs(f->level[g]) < 300)) return INFINITY;
        base_of[g] = exp(f->level[g]);
    }
    for (size_t i = 0; i < r->n_run; i++) {
        const struct farrington_run *s = &r->run[i];
        double level = f->level[s->period], base = base_of[s->period];
        for (size_t k = s->first; k < s->end; k++) {
            double lin = level + f->slope * r->time[k], mu = base;
            if (f->trend) {
                size_t back = (size_t)-r->time[k];
                mu *= powers.coarse[back / POWERS] * powers.fine[back % POWERS];
            }
            r->lin[k] = lin;
            if (r->offset != NULL) {
                lin += r->offset[k];
                mu *= exp(r->offset[k]);
            }
            r->mu[k] = mu;
            deviance += r->weight[k] * (r->y[k] * (r->log_y[k] - lin) - (r->y[k] - mu));
        }
    }
    return 2 * deviance;
}

static double begin(struct farrington_rows *r) {
    double deviance = 0;
    for (size_t k = 0; k < r->n; k++) {
        double offset = r->offset == NULL ? 0 : r->offset[k];
        r->lin[k] = r->start[k];
        r->mu[k] = r->y[k] + 0.1;
        deviance +=
            r->weight[k] * (r->y[k] * (r->log_y[k] - r->start[k] - offset) - (r->y[k] - r->mu[k]));
    }
    return 2 * deviance;
}

static void dispersion(const struct farrington_rows *r, struct farrington_fit *f) {
    double pearson = 0, relative = 0;
    for (size_t k = 0; k < r->n; k++) {
        double d = (r->y[k] - r->mu[k]) / r->mu[k];
        pearson += r->work[k] * d * d;
        relative += r->weight[k] * d * d;
    }
    f->phi_raw = pearson / f->df;
    f->phi = f->phi_raw > 1 ? f->phi_raw : 1;
    f->relative = relative / f->df;
}

bool farrington_fit(struct farrington_rows *r, bool trend, struct farrington_fit *f) {
    *f = (struct farrington_fit){.trend = trend};
    size_t used = trend ? 1 : 0;
    bool seen[ALARM_MAX_PERIODS + 1] = {false};
    for (size_t i = 0; i < r->n_run; i++) {
        if (!seen[r->run[i].period]) used++;
        seen[r->run[i].period] = true;
    }
    if (r->n <= used || !seen[0]) return false;
    f->df = (double)(r->n - used);
    double before = begin(r);
    for (int round = 0; round < MAX_ROUNDS; round++) {
        if (!solve(r, f)) return false;
        double after = spread_out(r, f);
        if (!isfinite(after)) return false;
        if (fabs(after - before) / (fabs(after) + 0.1) < least_change) {
            dispersion(r, f);
            return true;
        }
        before = after;
    }
    return false;
}

/* Standardised Anscombe residual of row k when it exceeds the threshold, else 0. The Anscombe
 * residual is concave in y and touches the Pearson residual at y = mu, so it is at most that: most
 * rows are settled without a root. */
static double large_residual(const struct farrington_rows *r, const struct farrington_fit *f,
                             size_t k, uint32_t period, double threshold) {
    double over = r->y[k] - r->mu[k], d = r->time[k] - f->period_time[period];
    double leverage = 1 / f->period_weight[period];
    if (over <= 0) return 0;
    if (f->trend) leverage += d * d / f->info;
    double free = 1 - r->work[k] * leverage;
    if (free < 1e-10) return 0; /* the row stands alone in its period: fitted exactly */
    double least = threshold * threshold * f->phi * free;
    if (over * over < least * r->mu[k] * (1 - 1e-9)) return 0;
    double c = cbrt(r->y[k]), raw = 1.5 * (c * c / sqrt(cbrt(r->mu[k])) - sqrt(r->mu[k]));
    double residual = raw / sqrt(f->phi * free);
    return residual > threshold ? residual : 0;
}

void farrington_reweight(struct farrington_rows *r, const struct farrington_fit *f,
                         double threshold) {
    double sum = 0;
    for (size_t i = 0; i < r->n_run; i++) {
        const struct farrington_run *s = &r->run[i];
        for (size_t k = s->first; k < s->end; k++) {
            double residual = large_residual(r, f, k, s->period, threshold);
            r->weight[k] = residual > 0 ? 1 / (residual * residual) : 1;
            sum += r->weight[k];
        }
    }
    for (size_t k = 0; k < r->n; k++) r->weight[k] *= (double)r->n / sum;
}

double farrington_variance(const struct farrington_fit *f) {
    double v = 1 / f->period_weight[0];
    return f->trend ? v + f->period_time[0] * f->period_time[0] / f->info : v;
}
