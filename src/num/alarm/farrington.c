/* Farrington et al. 1996 and the improved method of Noufaily et al. 2013 with the options of
 * Salmon, Schumacher and Hoehle 2016: which past weeks count, trend, bound. */
#include <math.h>
#include <string.h>

#include "num/alarm/farrington_fit.h"
#include "num/alarm/inside.h"
#include "num/core/dist.h"

/* Per series: logarithms that every week's baseline shares. */
struct logs {
    const double *y, *start, *population; /* log y (0 at 0), log(y + 0.1), log population or NULL */
};

size_t alarm_farrington_scratch(size_t n) { return (3 + FARRINGTON_ARRAYS) * n; }

static void add_row(struct farrington_rows *r, const struct alarm_series *x, const struct logs *l,
                    size_t t, size_t week, uint32_t period) {
    size_t k = r->n++;
    struct farrington_run *last = r->n_run > 0 ? &r->run[r->n_run - 1] : NULL;
    r->time[k] = (double)week - (double)t;
    r->y[k] = (double)x->count[week];
    r->log_y[k] = l->y[week];
    r->start[k] = l->start[week];
    if (r->offset != NULL) {
        r->offset[k] = l->population[week];
        r->start[k] -= r->offset[k];
    }
    if (r->y[k] > r->max_y) r->max_y = r->y[k];
    if (last != NULL && last->period == period && last->end == k)
        last->end++;
    else
        r->run[r->n_run++] = (struct farrington_run){(uint32_t)k, (uint32_t)k + 1, period};
}

/* Period of a week that lies `left` weeks before the window of the next reference week. The weeks
 * between two windows (one more in a year of 53) are shared out among periods 1 .. n-1, the first
 * ones one week longer where it does not come out even. */
static uint32_t period_of(size_t left, size_t between, size_t periods) {
    if (between < periods - 1 || periods < 2) return 1;
    size_t length = between / (periods - 1), longer = between % (periods - 1);
    size_t from_last = (periods - 1 - longer) * length;
    size_t back =
        left < from_last ? left / length : periods - 1 - longer + (left - from_last) / (length + 1);
    return (uint32_t)(periods - 1 - back);
}

/* Reference weeks of week t, oldest first, then t; false when the past is too short. */
static bool reference_weeks(const struct alarm_spec *s, const struct alarm_series *x, size_t t,
                            size_t *at) {
    for (size_t k = 1; k <= s->years; k++) {
        size_t w = alarm_years_back(s, x, t, k);
        if (w == SIZE_MAX || w < s->half_window) return false;
        at[s->years - k] = w;
    }
    at[s->years] = t;
    return true;
}

static bool baseline(const struct alarm_spec *s, const struct alarm_series *x, const struct logs *l,
                     size_t t, struct farrington_rows *r) {
    size_t at[ALARM_MAX_YEARS + 1], w = s->half_window;
    bool flexible = s->method == ALARM_FLEXIBLE;
    size_t periods = flexible ? s->periods : 1, skip = flexible ? s->weeks_left_out : 0;
    r->n = r->n_run = 0;
    r->n_period = periods;
    r->max_y = 0;
    if (!reference_weeks(s, x, t, at) || t < skip + 1) return false;
    size_t end = t - skip;
    for (size_t j = 0; j < s->years; j++) {
        size_t between = at[j + 1] - at[j] - 2 * w - 1;
        size_t stop = periods > 1 ? at[j + 1] - w : at[j] + w + 1;
        for (size_t week = at[j] - w; week < stop && week < end; week++) {
            bool inside = periods == 1 || week <= at[j] + w;
            add_row(r, x, l, t, week,
                    inside ? 0 : period_of(at[j + 1] - w - 1 - week, between, periods));
        }
    }
    for (size_t k = 0; k < r->n; k++) r->weight[k] = 1;
    return r->n > 0;
}

static bool fit(const struct alarm_spec *s, struct farrington_rows *r, bool trend,
                struct farrington_fit *f) {
    for (size_t k = 0; k < r->n; k++) r->weight[k] = 1;
    if (!farrington_fit(r, trend, f)) return false;
    if (!s->reweight) return true;
    farrington_reweight(r, f, s->weights_threshold);
    return farrington_fit(r, trend, f);
}

/* Dispersion in the standard error of the fitted mean. Without reweighting package surveillance's
 * flexible method takes the moment estimate even below 1. */
static double error_dispersion(const struct alarm_spec *s, const struct farrington_fit *f) {
    if (s->error != ALARM_ERROR_RELATIVE) return f->phi;
    return s->reweight ? f->relative : f->phi_raw;
}

/* Farrington 1996, section 3.2: significant, not above all that was ever seen, three years or more.
 */
static bool trend_stays(const struct alarm_spec *s, const struct farrington_rows *r,
                        const struct farrington_fit *f, double mu) {
    if (s->years < 3 || mu > r->max_y) return false;
    if (s->trend_p >= 1) return true;
    double dispersion = s->error == ALARM_ERROR_RELATIVE ? error_dispersion(s, f) : f->phi_raw;
    double t = f->slope / sqrt(dispersion / f->info);
    return 2 * num_t_p(fabs(t), f->df, false) < s->trend_p;
}

struct bound {
    double mu, phi, variance; /* of log mu */
};

static double power_of(enum alarm_power p) {
    return p == ALARM_POWER_1 ? 1 : p == ALARM_POWER_HALF ? 0.5 : 2.0 / 3;
}

static void bound_delta(const struct alarm_spec *s, const struct bound *b, double count, double z,
                        struct alarm_point *p) {
    double e = power_of(s->power), tau = b->phi + b->variance * b->mu;
    double se = e * pow(b->mu, e - 0.5) * sqrt(tau), centre = pow(b->mu, e);
    p->upper = pow(centre + z * se, 1 / e);
    p->p_value = num_norm_p((pow(count, e) - centre) / se, false);
}

static void bound_negative(const struct alarm_spec *s, const struct bound *b, double count,
                           double z, struct alarm_point *p) {
    double mu = s->threshold == ALARM_MUAN ? b->mu * exp(z * sqrt(b->variance)) : b->mu;
    if (b->phi > 1) {
        double size = mu / (b->phi - 1);
        p->upper = num_nbinom_q(1 - s->alpha, size, mu, true);
        p->p_value = count > 0 ? num_nbinom_p(count - 1, size, mu, false) : 1;
    } else {
        p->upper = num_pois_q(1 - s->alpha, mu, true);
        p->p_value = count > 0 ? num_pois_p(count - 1, mu, false) : 1;
    }
}

static bool too_few(const struct alarm_spec *s, const struct alarm_series *x, size_t t) {
    uint64_t sum = 0;
    for (size_t k = 0; k < s->limit_weeks && k <= t; k++) sum += (uint64_t)x->count[t - k];
    return sum < s->limit_cases;
}

static struct alarm_point judge(const struct alarm_spec *s, const struct alarm_series *x, size_t t,
                                struct farrington_rows *r, double z) {
    struct alarm_point p = alarm_blank(ALARM_NO_FIT);
    struct farrington_fit f;
    struct bound b = {0};
    double offset = r->offset == NULL ? 0 : log(x->population[t]), count = (double)x->count[t];
    bool trend = s->trend && fit(s, r, true, &f);
    if (trend) trend = trend_stays(s, r, &f, exp(f.level[0] + offset));
    if (!trend && !fit(s, r, false, &f)) return p;
    b = (struct bound){exp(f.level[0] + offset), f.phi,
                       error_dispersion(s, &f) * farrington_variance(&f)};
    p.expected = b.mu;
    p.dispersion = f.phi;
    if (trend) p.trend = f.slope;
    if (s->method == ALARM_CLASSIC || s->threshold == ALARM_DELTA)
        bound_delta(s, &b, count, z, &p);
    else
        bound_negative(s, &b, count, z, &p);
    p.state = ALARM_OK;
    if (too_few(s, x, t)) {
        p.state = ALARM_FEW;
        p.upper = NAN;
    } else {
        p.alarm = count > p.upper;
        if (p.upper != p.expected) p.score = (count - b.mu) / (p.upper - b.mu);
    }
    return p;
}

static double *take(double **scratch, size_t n) {
    double *p = *scratch;
    *scratch += n;
    return p;
}

void alarm_farrington(const struct alarm_spec *s, const struct alarm_series *x, double *scratch,
                      struct alarm_point *out) {
    struct farrington_rows r = {0};
    size_t n = x->n;
    double *log_y = take(&scratch, n), *start = take(&scratch, n), *population = take(&scratch, n);
    struct logs l = {log_y, start, population};
    double z = num_norm_q(s->method == ALARM_CLASSIC ? s->alpha / 2 : s->alpha, false);
    bool offset = s->method == ALARM_FLEXIBLE && s->population_offset;
    for (size_t i = 0; i < n; i++) {
        double y = (double)x->count[i];
        log_y[i] = y > 0 ? log(y) : 0;
        start[i] = log(y + 0.1);
        if (offset) population[i] = log(x->population[i]);
    }
    double **const array[] = {&r.time, &r.y,  &r.weight, &r.log_y, &r.start,
                              &r.lin,  &r.mu, &r.work,   &r.offset};
    _Static_assert(sizeof array / sizeof array[0] == FARRINGTON_ARRAYS, "scratch for every array");
    for (size_t i = 0; i < FARRINGTON_ARRAYS; i++) *array[i] = take(&scratch, n);
    if (!offset) r.offset = NULL;
    for (size_t t = x->from; t < n; t++) {
        struct alarm_point *p = &out[t - x->from];
        *p = alarm_blank(ALARM_SHORT);
        if (baseline(s, x, &l, t, &r)) *p = judge(s, x, t, &r, z);
    }
}
