#include "num/model/cox_pass.h"

#include <math.h>
#include <string.h>

static double weight_of(const struct cox_plan *c, size_t i) {
    return c->d->weight == NULL ? 1.0 : c->d->weight[i];
}

/* Columns of mean 0 and spread 1: the information is then well scaled whatever the units. */
static enum err_code scale_columns(struct cox_plan *c, const double *x, struct err *err) {
    size_t n = c->n, p = c->p;
    for (size_t j = 0; j < p; j++) {
        double sum = 0, ss = 0;
        for (size_t i = 0; i < n; i++) {
            if (!isfinite(x[i * p + j]))
                return err_fail(err, ERR_INVALID, "row %zu, column %zu is not a finite number",
                                i + 1, j + 1);
            sum += x[i * p + j];
        }
        c->mean[j] = sum / (double)n;
        for (size_t i = 0; i < n; i++) {
            double e = x[i * p + j] - c->mean[j];
            ss += e * e;
        }
        double sd = sqrt(ss / (double)n);
        c->scale[j] = sd > 1e-12 * fabs(c->mean[j]) && sd > 0 ? sd : 1;
        for (size_t i = 0; i < n; i++) c->x[i * p + j] = (x[i * p + j] - c->mean[j]) / c->scale[j];
    }
    return ERR_OK;
}

/* Rows of each stratum by falling key, strata in order: a counting sort of the falling order. */
static enum err_code order_in_strata(struct arena *a, const struct cox_plan *c, const double *key,
                                     uint32_t **out, struct err *err) {
    uint32_t *rising;
    TRY(model_order(a, key, c->n, &rising, err));
    *out = ARENA_NEW(a, uint32_t, c->n);
    size_t *at = ARENA_NEW(a, size_t, c->n_strata);
    if (*out == NULL || at == NULL) return err_fail(err, ERR_NOMEM, "ordering %zu rows", c->n);
    memcpy(at, c->first_row, c->n_strata * sizeof *at);
    for (size_t k = c->n; k-- > 0;) {
        uint32_t i = rising[k];
        (*out)[at[c->stratum[i]]++] = i;
    }
    return ERR_OK;
}

static enum err_code plan_rows(struct arena *a, struct cox_plan *c, struct err *err) {
    TRY(model_dense_groups(a, c->d->stratum, c->n, &c->stratum, &c->n_strata, err));
    c->first_row = ARENA_NEW(a, size_t, c->n_strata + 1);
    c->first_time = ARENA_NEW(a, size_t, c->n_strata + 1);
    if (c->first_row == NULL || c->first_time == NULL)
        return err_fail(err, ERR_NOMEM, "%zu strata", c->n_strata);
    for (size_t i = 0; i < c->n; i++) c->first_row[c->stratum[i] + 1]++;
    for (size_t s = 0; s < c->n_strata; s++) c->first_row[s + 1] += c->first_row[s];
    TRY(order_in_strata(a, c, c->d->stop, &c->by_stop, err));
    if (c->d->start != NULL) TRY(order_in_strata(a, c, c->d->start, &c->by_start, err));
    return ERR_OK;
}

static void plan_stratum(struct cox_plan *c, size_t s) {
    const struct model_survival *d = c->d;
    size_t end = c->first_row[s + 1], drop = c->first_row[s];
    c->first_time[s] = c->n_times;
    for (size_t i = c->first_row[s]; i < end;) {
        double t = d->stop[c->by_stop[i]];
        size_t from = c->n_deaths;
        for (; i < end && d->stop[c->by_stop[i]] == t; i++)
            if (d->event[c->by_stop[i]] && weight_of(c, c->by_stop[i]) > 0)
                c->death[c->n_deaths++] = c->by_stop[i];
        if (c->n_deaths == from) continue;
        for (; c->by_start != NULL && drop < end && d->start[c->by_start[drop]] >= t;) drop++;
        c->time[c->n_times++] = (struct cox_time){t, i, drop, from, c->n_deaths};
    }
    c->first_time[s + 1] = c->n_times;
}

enum err_code cox_plan_make(struct arena *a, const struct model_cox_spec *spec,
                            const struct num_run *run, struct cox_plan *c, struct err *err) {
    memset(c, 0, sizeof *c);
    TRY(model_survival_check(spec->data, 1, err));
    c->d = spec->data;
    c->n = spec->data->n;
    c->p = spec->p;
    c->efron = spec->ties == MODEL_TIES_EFRON;
    c->offset = spec->offset;
    if (c->p == 0 || c->p > 500)
        return err_fail(err, ERR_INVALID, "a Cox model takes 1 to 500 columns, not %zu", c->p);
    for (size_t i = 0; c->offset != NULL && i < c->n; i++)
        if (!isfinite(c->offset[i]))
            return err_fail(err, ERR_INVALID, "row %zu: the offset is not a finite number", i + 1);
    TRY(num_run_afford(run, 8.0 * (double)c->n * ((double)c->p + 6), "the design matrix", err));
    c->x = ARENA_NEW(a, double, c->n * c->p);
    c->mean = ARENA_NEW(a, double, c->p);
    c->scale = ARENA_NEW(a, double, c->p);
    c->time = ARENA_NEW(a, struct cox_time, c->n);
    c->death = ARENA_NEW(a, uint32_t, c->n);
    c->risk = ARENA_NEW(a, double, c->n);
    c->sums = ARENA_NEW(a, double, 4 * c->p + 3 * c->p * c->p);
    if (c->x == NULL || c->mean == NULL || c->scale == NULL || c->time == NULL ||
        c->death == NULL || c->risk == NULL || c->sums == NULL)
        return err_fail(err, ERR_NOMEM, "a Cox model of %zu rows", c->n);
    TRY(scale_columns(c, spec->x, err));
    TRY(plan_rows(a, c, err));
    for (size_t s = 0; s < c->n_strata; s++) plan_stratum(c, s);
    if (c->n_deaths == 0) return err_fail(err, ERR_NUMERIC, "no row has an event");
    return ERR_OK;
}

/* Running sums of r, r x, r x x' (lower half) over rows. */
struct sums {
    size_t p;
    double s0, *s1, *s2;
};

static void sums_add(struct sums *s, const double *x, double r) {
    s->s0 += r;
    for (size_t j = 0; j < s->p; j++) {
        double rx = r * x[j];
        s->s1[j] += rx;
        if (s->s2 == NULL) continue;
        for (size_t k = 0; k <= j; k++) s->s2[j * s->p + k] += rx * x[k];
    }
}

static void sums_clear(struct sums *s) {
    s->s0 = 0;
    memset(s->s1, 0, s->p * sizeof *s->s1);
    if (s->s2 != NULL) memset(s->s2, 0, s->p * s->p * sizeof *s->s2);
}

struct pass {
    const struct cox_plan *c;
    struct cox_out *out;
    struct sums all, dead;
    double *mean;
};

/* One denominator of the partial likelihood: share f of the dead is taken from the sums, and it
 * stands for weight w of deaths. share of the time's deaths is what this denominator is. */
static bool take_denominator(struct pass *s, size_t at, double f, double w, double share) {
    size_t p = s->c->p;
    struct cox_out *o = s->out;
    double den = s->all.s0 - f * s->dead.s0;
    if (!(den > 0)) return false;
    o->loglik -= w * log(den);
    double g = o->g == NULL ? 0 : o->g[at];
    for (size_t j = 0; j < p; j++) s->mean[j] = (s->all.s1[j] - f * s->dead.s1[j]) / den;
    for (size_t j = 0; j < p; j++) {
        o->u[j] -= w * s->mean[j];
        if (o->u2 != NULL) o->u2[j] -= g * w * s->mean[j];
        for (size_t k = 0; s->all.s2 != NULL && k <= j; k++) {
            double v = w * ((s->all.s2[j * p + k] - f * s->dead.s2[j * p + k]) / den -
                            s->mean[j] * s->mean[k]);
            o->info[j * p + k] += v;
            if (o->g == NULL) continue;
            o->info_g[j * p + k] += g * v;
            o->info_gg[j * p + k] += g * g * v;
        }
    }
    if (o->hazard == NULL) return true;
    o->hazard[at] += w / den;
    o->late[at] += f * w / den;
    for (size_t j = 0; j < p; j++) {
        o->x_hazard[at * p + j] += s->mean[j] * w / den;
        o->x_late[at * p + j] += f * s->mean[j] * w / den;
        o->x_mean[at * p + j] += share * s->mean[j];
    }
    return true;
}

static bool take_time(struct pass *s, size_t at) {
    const struct cox_plan *c = s->c;
    const struct cox_time *t = &c->time[at];
    struct cox_out *o = s->out;
    double w = 0, g = o->g == NULL ? 0 : o->g[at];
    size_t n = t->death_to - t->death_from;
    sums_clear(&s->dead);
    for (size_t k = t->death_from; k < t->death_to; k++) {
        size_t i = c->death[k];
        double wi = weight_of(c, i);
        w += wi;
        for (size_t j = 0; j < c->p; j++) o->u[j] += wi * c->x[i * c->p + j];
        for (size_t j = 0; o->u2 != NULL && j < c->p; j++) o->u2[j] += g * wi * c->x[i * c->p + j];
        if (c->efron && n > 1) sums_add(&s->dead, &c->x[i * c->p], wi * c->risk[i]);
    }
    if (!c->efron || n == 1) return take_denominator(s, at, 0, w, 1);
    for (size_t k = 0; k < n; k++)
        if (!take_denominator(s, at, (double)k / (double)n, w / (double)n, 1 / (double)n))
            return false;
    return true;
}

/* The linear predictor less its mean, into eta; false when its exponential would overflow. */
static bool set_risk(const struct cox_plan *c, const double *beta, double *eta, double *shift) {
    double sum = 0, top = -INFINITY;
    for (size_t i = 0; i < c->n; i++) {
        double e = c->offset == NULL ? 0 : c->offset[i];
        for (size_t j = 0; j < c->p; j++) e += c->x[i * c->p + j] * beta[j];
        eta[i] = e;
        sum += e;
        if (e > top) top = e;
    }
    *shift = sum / (double)c->n;
    if (!(top - *shift < 600)) return false;
    for (size_t i = 0; i < c->n; i++) eta[i] -= *shift;
    return true;
}

static void mirror(double *m, size_t p) {
    for (size_t j = 0; m != NULL && j < p; j++)
        for (size_t k = 0; k < j; k++) m[k * p + j] = m[j * p + k];
}

static void clear_out(const struct cox_plan *c, struct cox_out *o) {
    size_t p = c->p, n = c->n_times;
    const struct {
        double *at;
        size_t n;
    } part[] = {{o->u, p},           {o->info, p * p},  {o->u2, p},           {o->info_g, p * p},
                {o->info_gg, p * p}, {o->hazard, n},    {o->x_hazard, n * p}, {o->late, n},
                {o->x_late, n * p},  {o->x_mean, n * p}};
    for (size_t k = 0; k < sizeof part / sizeof part[0]; k++)
        if (part[k].at != NULL) memset(part[k].at, 0, part[k].n * sizeof(double));
    o->loglik = 0;
}

bool cox_pass(const struct cox_plan *c, const double *beta, struct cox_out *out, double *shift) {
    size_t p = c->p;
    double *work = c->sums;
    struct pass s = {.c = c, .out = out};
    s.all = (struct sums){p, 0, work, out->info == NULL ? NULL : work + 3 * p};
    s.dead = (struct sums){p, 0, work + p, out->info == NULL ? NULL : work + 3 * p + p * p};
    s.mean = work + 2 * p;
    double *eta = c->risk;
    clear_out(c, out);
    if (!set_risk(c, beta, eta, shift)) return false;
    /* take_time needs eta of the dead only, and log of what stands in risk would lose digits, so
     * their part of the likelihood is summed before risk is raised. */
    double dead_eta = 0;
    for (size_t k = 0; k < c->n_deaths; k++)
        dead_eta += weight_of(c, c->death[k]) * eta[c->death[k]];
    for (size_t i = 0; i < c->n; i++) c->risk[i] = exp(eta[i]);
    for (size_t h = 0; h < c->n_strata; h++) {
        size_t add = c->first_row[h], drop = c->first_row[h];
        sums_clear(&s.all);
        for (size_t k = c->first_time[h]; k < c->first_time[h + 1]; k++) {
            for (; add < c->time[k].add_to; add++) {
                size_t i = c->by_stop[add];
                sums_add(&s.all, &c->x[i * p], weight_of(c, i) * c->risk[i]);
            }
            for (; drop < c->time[k].drop_to; drop++) {
                size_t i = c->by_start[drop];
                sums_add(&s.all, &c->x[i * p], -weight_of(c, i) * c->risk[i]);
            }
            if (!take_time(&s, k)) return false;
        }
    }
    out->loglik += dead_eta;
    mirror(out->info, p);
    mirror(out->info_g, p);
    mirror(out->info_gg, p);
    return isfinite(out->loglik);
}
