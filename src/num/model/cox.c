#include "num/model/cox.h"

#include <math.h>
#include <string.h>

#include "num/core/dist.h"
#include "num/core/linalg.h"
#include "num/model/cox_pass.h"

struct fit {
    struct arena *a;
    const struct model_cox_spec *spec;
    struct cox_plan plan;
    size_t p, rank;
    bool *keep;          /* p: not aliased */
    double *beta, *step; /* p, scaled */
    double *u, *info;    /* p, p x p */
    double *small, *rhs; /* rank x rank, rank */
    double *trial;       /* p */
    double shift;
};

static enum err_code fit_alloc(struct fit *f, struct err *err) {
    size_t p = f->p;
    f->keep = ARENA_NEW(f->a, bool, p);
    f->beta = ARENA_NEW(f->a, double, 6 * p + 2 * p * p);
    if (f->keep == NULL || f->beta == NULL) return err_fail(err, ERR_NOMEM, "%zu columns", p);
    f->step = f->beta + p;
    f->u = f->step + p;
    f->rhs = f->u + p;
    f->trial = f->rhs + p;
    f->info = f->trial + 2 * p;
    f->small = f->info + p * p;
    return ERR_OK;
}

/* The information at b = 0, scaled to a diagonal of 1, shows columns that say nothing within
 * strata and those that repeat earlier ones. It is a Gram matrix: 1e-10 there is 1e-5 in a column.
 */
static enum err_code find_aliased(struct fit *f, struct err *err) {
    size_t p = f->p;
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++) {
            double dj = f->info[j * p + j], dk = f->info[k * p + k];
            bool ok = dj > 1e-10 && dk > 1e-10;
            f->small[j * p + k] = ok ? f->info[j * p + k] / sqrt(dj * dk) : 0;
        }
    TRY(num_independent_columns(f->small, p, p, 1e-10, f->keep, &f->rank, err));
    if (f->rank == 0)
        return err_fail(err, ERR_NUMERIC, "no column differs among those at risk together");
    return ERR_OK;
}

static void take_kept(const struct fit *f, const double *full, double *small) {
    size_t r = 0;
    for (size_t j = 0; j < f->p; j++) {
        if (!f->keep[j]) continue;
        size_t c = 0;
        for (size_t k = 0; k < f->p; k++)
            if (f->keep[k]) small[r * f->rank + c++] = full[j * f->p + k];
        r++;
    }
}

/* step = information^-1 score over the kept columns; *gain is score' step. */
static enum err_code newton_step(struct fit *f, double *gain, struct err *err) {
    size_t r = 0;
    take_kept(f, f->info, f->small);
    for (size_t j = 0; j < f->p; j++)
        if (f->keep[j]) f->rhs[r++] = f->u[j];
    TRY(num_solve_spd(f->small, f->rank, f->rhs, 1, err));
    *gain = 0;
    r = 0;
    for (size_t j = 0; j < f->p; j++) {
        f->step[j] = f->keep[j] ? f->rhs[r++] : 0;
        *gain += f->step[j] * f->u[j];
    }
    return ERR_OK;
}

static bool pass_at(struct fit *f, const double *beta, double *loglik) {
    struct cox_out o = {.u = f->u, .info = f->info};
    bool ok = cox_pass(&f->plan, beta, &o, &f->shift);
    *loglik = o.loglik;
    return ok;
}

/* Newton's step, halved until the likelihood does not fall. */
static bool move(struct fit *f, double *loglik) {
    double part = 1, now = 0;
    for (int h = 0; h < 30; h++) {
        for (size_t j = 0; j < f->p; j++) f->trial[j] = f->beta[j] + part * f->step[j];
        if (pass_at(f, f->trial, &now) && now >= *loglik - 1e-11 * fabs(*loglik)) {
            memcpy(f->beta, f->trial, f->p * sizeof *f->beta);
            *loglik = now;
            return true;
        }
        part /= 2;
    }
    (void)pass_at(f, f->beta, &now);
    return false;
}

static enum err_code iterate(struct fit *f, const struct num_run *run, struct model_cox *out,
                             struct err *err) {
    size_t most = f->spec->max_iterations == 0 ? 30 : f->spec->max_iterations;
    double ll = 0, gain = 0;
    if (!pass_at(f, f->beta, &ll))
        return err_fail(err, ERR_NUMERIC, "the offsets are too far apart for exp()");
    out->loglik_null = out->loglik = ll;
    TRY(find_aliased(f, err));
    TRY(newton_step(f, &gain, err));
    out->score_test = gain;
    for (; out->iterations < most && !out->converged; out->iterations++) {
        if (num_run_stopped(run)) return err_fail(err, ERR_TIMEOUT, "the Cox fit was stopped");
        double before = ll;
        if (!move(f, &ll)) break;
        /* With monotone likelihood the information fades; the last step then tells which. */
        if (newton_step(f, &gain, NULL) != ERR_OK) {
            out->converged = fabs(ll - before) <= 1e-9 * fabs(ll);
            break;
        }
        out->converged = gain <= 1e-16 * fabs(ll) ||
                         (gain <= 1e-9 * fabs(ll) && fabs(ll - before) <= 1e-9 * fabs(ll));
    }
    out->loglik = ll;
    return ERR_OK;
}

/* A column whose coefficient still moves though the likelihood does not: Heinze & Schemper 2001
 * call it monotone. What counts is how much of the linear predictor it is over the range of x. */
static void flag_monotone(struct fit *f, struct model_cox *out) {
    for (size_t j = 0; j < f->p; j++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < f->plan.n; i++) {
            low = fmin(low, f->plan.x[i * f->p + j]);
            high = fmax(high, f->plan.x[i * f->p + j]);
        }
        double range = high - low;
        out->coef[j].monotone =
            f->keep[j] && fabs(f->step[j]) * range > 0.01 && fabs(f->beta[j]) * range > 3;
        if (out->coef[j].monotone) out->any_monotone = true;
    }
}

/* One Newton step more once the likelihood has settled, for the digits of the coefficients. */
static void polish(struct fit *f, struct model_cox *out) {
    if (!out->converged || out->any_monotone) return;
    double ll = out->loglik, gain;
    if (move(f, &ll) && newton_step(f, &gain, NULL) == ERR_OK) out->loglik = ll;
}

static enum err_code variance(struct fit *f, struct model_cox *out, struct err *err) {
    size_t p = f->p, r = 0;
    take_kept(f, f->info, f->small);
    if (num_invert_spd(f->small, f->rank, NULL) != ERR_OK) {
        out->converged = out->converged && out->any_monotone;
        if (!out->any_monotone)
            return err_fail(err, ERR_NUMERIC,
                            "the information matrix of the Cox model is singular");
        memset(f->small, 0, f->rank * f->rank * sizeof *f->small);
    }
    for (size_t j = 0; j < p; j++) {
        if (!f->keep[j]) continue;
        size_t c = 0;
        for (size_t k = 0; k < p; k++)
            if (f->keep[k])
                out->variance[j * p + k] =
                    f->small[r * f->rank + c++] / (f->plan.scale[j] * f->plan.scale[k]);
        r++;
    }
    return ERR_OK;
}

/* First time of the stratum's falling list that is <= t. */
static size_t time_at(const struct cox_plan *c, size_t s, double t) {
    size_t lo = c->first_time[s], hi = c->first_time[s + 1];
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->time[mid].t > t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct hazards {
    double *jump, *late, *x_jump, *x_late, *x_mean; /* as struct cox_out */
    double *sum, *x_sum; /* sums from the end of the stratum's list: cumulative in time; one row
                            more than times */
};

static enum err_code make_hazards(struct fit *f, struct hazards *h, struct err *err) {
    const struct cox_plan *c = &f->plan;
    size_t m = c->n_times, p = f->p;
    h->jump = ARENA_NEW(f->a, double, m);
    h->late = ARENA_NEW(f->a, double, m);
    h->sum = ARENA_NEW(f->a, double, m + 1);
    h->x_jump = ARENA_NEW(f->a, double, m *p);
    h->x_late = ARENA_NEW(f->a, double, m *p);
    h->x_mean = ARENA_NEW(f->a, double, m *p);
    h->x_sum = ARENA_NEW(f->a, double, (m + 1) * p);
    if (h->jump == NULL || h->late == NULL || h->sum == NULL || h->x_jump == NULL ||
        h->x_late == NULL || h->x_mean == NULL || h->x_sum == NULL)
        return err_fail(err, ERR_NOMEM, "%zu event times", m);
    struct cox_out o = {.u = f->u,
                        .info = NULL,
                        .hazard = h->jump,
                        .late = h->late,
                        .x_hazard = h->x_jump,
                        .x_late = h->x_late,
                        .x_mean = h->x_mean};
    if (!cox_pass(c, f->beta, &o, &f->shift))
        return err_fail(err, ERR_NUMERIC, "the fitted risks overflow");
    for (size_t s = 0; s < c->n_strata; s++)
        for (size_t k = c->first_time[s + 1]; k-- > c->first_time[s];) {
            bool last = k + 1 == c->first_time[s + 1];
            h->sum[k] = h->jump[k] + (last ? 0 : h->sum[k + 1]);
            for (size_t j = 0; j < p; j++)
                h->x_sum[k * p + j] = h->x_jump[k * p + j] + (last ? 0 : h->x_sum[(k + 1) * p + j]);
        }
    return ERR_OK;
}

/* Martingale and score residuals of row i (Therneau & Grambsch 2000, sections 4.2 and 7.1); score
 * may be NULL. */
static void row_residuals(const struct fit *f, const struct hazards *h, size_t i,
                          double *martingale, double *score) {
    const struct cox_plan *c = &f->plan;
    size_t s = c->stratum[i], p = f->p, end = c->first_time[s + 1];
    size_t to = time_at(c, s, c->d->stop[i]);
    size_t from = c->d->start == NULL ? end : time_at(c, s, c->d->start[i]);
    double r = c->risk[i], exposed = (to < end ? h->sum[to] : 0) - (from < end ? h->sum[from] : 0);
    bool dead = c->d->event[i] && to < end && c->time[to].t == c->d->stop[i];
    if (dead) exposed -= h->late[to];
    *martingale = (dead ? 1 : 0) - r * exposed;
    for (size_t j = 0; score != NULL && j < p; j++) {
        double x = c->x[i * p + j];
        double xh =
            (to < end ? h->x_sum[to * p + j] : 0) - (from < end ? h->x_sum[from * p + j] : 0);
        if (dead) xh -= h->x_late[to * p + j];
        score[j] = (dead ? x - h->x_mean[to * p + j] : 0) - r * (x * exposed - xh);
    }
}

/* Lin & Wei 1989: variance = sum over clusters of (V s)(V s)', s the weighted score residuals. */
static enum err_code robust(struct fit *f, const struct hazards *h, struct model_cox *out,
                            struct err *err) {
    const struct model_survival *d = f->spec->data;
    size_t p = f->p;
    uint32_t *group;
    TRY(model_dense_groups(f->a, d->cluster, d->n, &group, &out->n_clusters, err));
    double *sum = ARENA_NEW(f->a, double, out->n_clusters *p), *score = ARENA_NEW(f->a, double, p);
    if (sum == NULL || score == NULL)
        return err_fail(err, ERR_NOMEM, "%zu clusters", out->n_clusters);
    for (size_t i = 0; i < d->n; i++) {
        double m, w = d->weight == NULL ? 1 : d->weight[i];
        row_residuals(f, h, i, &m, score);
        /* The score is for x divided by its scale; the variance is for x as it came. */
        for (size_t j = 0; j < p; j++) sum[group[i] * p + j] += w * score[j] * f->plan.scale[j];
    }
    for (size_t g = 0; g < out->n_clusters; g++) {
        for (size_t j = 0; j < p; j++) {
            score[j] = 0;
            for (size_t k = 0; k < p; k++) score[j] += out->variance[j * p + k] * sum[g * p + k];
        }
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++) out->robust_variance[j * p + k] += score[j] * score[k];
    }
    out->robust = true;
    return ERR_OK;
}

static enum err_code baseline(const struct fit *f, const struct hazards *h, struct model_cox *out,
                              struct err *err) {
    const struct cox_plan *c = &f->plan;
    out->base = ARENA_NEW(f->a, struct model_cox_base, c->n_times + 1);
    if (out->base == NULL) return err_fail(err, ERR_NOMEM, "%zu event times", c->n_times);
    /* x = 0 has the predictor -sum beta mean / scale, and the pass took shift away. */
    double at_zero = -f->shift;
    for (size_t j = 0; j < f->p; j++) at_zero -= f->beta[j] * c->mean[j] / c->scale[j];
    double unit = exp(at_zero);
    for (size_t s = 0; s < c->n_strata; s++) {
        if (c->first_row[s] == c->first_row[s + 1]) continue;
        uint32_t label = c->d->stratum == NULL ? 0 : c->d->stratum[c->by_stop[c->first_row[s]]];
        for (size_t k = c->first_time[s + 1]; k-- > c->first_time[s];)
            out->base[out->n_base++] =
                (struct model_cox_base){label, c->time[k].t, h->jump[k] * unit, h->sum[k] * unit};
    }
    return ERR_OK;
}

static double quadratic(const double *inverse, size_t p, const bool *keep, const double *b,
                        double *work, double *small, size_t rank) {
    size_t r = 0;
    for (size_t j = 0; j < p; j++) {
        if (!keep[j]) continue;
        size_t c = 0;
        work[r] = b[j];
        for (size_t k = 0; k < p; k++)
            if (keep[k]) small[r * rank + c++] = inverse[j * p + k];
        r++;
    }
    double *x = work + p, sum = 0;
    memcpy(x, work, rank * sizeof *x);
    if (num_solve_spd(small, rank, x, 1, NULL) != ERR_OK) return 0;
    for (r = 0; r < rank; r++) sum += x[r] * work[r];
    return sum;
}

static enum err_code fill_tests(struct fit *f, struct model_cox *out, struct err *err) {
    size_t p = f->p;
    double *work = ARENA_NEW(f->a, double, 3 * p);
    if (work == NULL) return err_fail(err, ERR_NOMEM, "%zu columns", p);
    double *b = work + 2 * p;
    for (size_t j = 0; j < p; j++) {
        struct model_cox_coef *c = &out->coef[j];
        c->aliased = !f->keep[j];
        c->p = 1;
        if (c->aliased) continue;
        c->coef = b[j] = f->beta[j] / f->plan.scale[j];
        c->se = sqrt(out->variance[j * p + j]);
        c->robust_se = sqrt(out->robust_variance[j * p + j]);
        c->z = c->robust_se > 0 ? c->coef / c->robust_se : 0;
        c->p = 2 * num_norm_p(-fabs(c->z), true);
    }
    double df = (double)f->rank;
    out->rank = f->rank;
    out->lr_test = 2 * (out->loglik - out->loglik_null);
    out->wald_test = quadratic(out->robust_variance, p, f->keep, b, work, f->small, f->rank);
    out->lr_p = num_chisq_p(out->lr_test < 0 ? 0 : out->lr_test, df, false);
    out->wald_p = num_chisq_p(out->wald_test, df, false);
    out->score_p = num_chisq_p(out->score_test, df, false);
    return ERR_OK;
}

static enum err_code fill_rows(struct fit *f, const struct hazards *h, struct model_cox *out,
                               struct err *err) {
    const struct model_survival *d = f->spec->data;
    size_t n = d->n, p = f->p;
    for (size_t i = 0; i < n; i++) {
        row_residuals(f, h, i, &out->martingale[i], NULL);
        double e = f->spec->offset == NULL ? 0 : f->spec->offset[i];
        for (size_t j = 0; j < p; j++) e += f->spec->x[i * p + j] * out->coef[j].coef;
        out->linear[i] = e;
    }
    for (size_t k = 0; k < f->plan.n_times; k++) {
        size_t m = f->plan.time[k].death_to - f->plan.time[k].death_from;
        out->n_events += m;
        if (m > 1) out->n_tied += m;
    }
    return model_concordance(f->a, d, out->linear, &out->concordance, NULL, err);
}

enum err_code model_cox_fit(struct arena *a, const struct model_cox_spec *spec,
                            const struct num_run *run, struct model_cox *out, struct err *err) {
    struct fit f = {.a = a, .spec = spec, .p = spec->p};
    memset(out, 0, sizeof *out);
    TRY(cox_plan_make(a, spec, run, &f.plan, err));
    TRY(fit_alloc(&f, err));
    size_t n = spec->data->n, p = f.p;
    out->n = n;
    out->p = p;
    out->coef = ARENA_NEW(a, struct model_cox_coef, p);
    out->variance = ARENA_NEW(a, double, p *p);
    out->robust_variance = ARENA_NEW(a, double, p *p);
    out->linear = ARENA_NEW(a, double, n);
    out->martingale = ARENA_NEW(a, double, n);
    if (out->coef == NULL || out->variance == NULL || out->robust_variance == NULL ||
        out->linear == NULL || out->martingale == NULL)
        return err_fail(err, ERR_NOMEM, "a Cox model of %zu rows", n);
    TRY(iterate(&f, run, out, err));
    flag_monotone(&f, out);
    polish(&f, out);
    TRY(variance(&f, out, err));
    struct hazards h;
    TRY(make_hazards(&f, &h, err));
    if (spec->data->cluster != NULL) {
        TRY(robust(&f, &h, out, err));
    } else {
        memcpy(out->robust_variance, out->variance, p * p * sizeof *out->variance);
    }
    TRY(baseline(&f, &h, out, err));
    TRY(fill_tests(&f, out, err));
    return fill_rows(&f, &h, out, err);
}

/* Cumulative baseline hazard of a stratum at time t. */
static double cumulative_at(const struct model_cox_base *base, size_t n, uint32_t stratum,
                            double t) {
    size_t lo = 0, hi = n; /* first row beyond (stratum, t) */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        bool before =
            base[mid].stratum < stratum || (base[mid].stratum == stratum && base[mid].time <= t);
        if (before)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo == 0 || base[lo - 1].stratum != stratum ? 0 : base[lo - 1].cumulative;
}

double model_cox_expected(const struct model_cox_base *base, size_t n_base, uint32_t stratum,
                          double start, double stop, double linear) {
    return (cumulative_at(base, n_base, stratum, stop) -
            cumulative_at(base, n_base, stratum, start)) *
           exp(linear);
}

double model_cox_expected_smooth(const struct model_cox_base *base, size_t n_base, uint32_t stratum,
                                 double start, double stop, double linear, double half) {
    size_t first = 0, end = 0;
    while (first < n_base && base[first].stratum < stratum) first++;
    for (end = first; end < n_base && base[end].stratum == stratum;) end++;
    if (first == end || !(stop > start)) return 0;
    double last = base[end - 1].time, from = start - half, to = stop + half;
    if (to > last) to = last;
    if (from > last - 2 * half) from = last - 2 * half;
    if (from < 0) from = 0;
    if (!(to > from)) return 0;
    double rate =
        (cumulative_at(base, n_base, stratum, to) - cumulative_at(base, n_base, stratum, from)) /
        (to - from);
    return rate * (stop - start) * exp(linear);
}
