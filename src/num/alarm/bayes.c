/* Predictive distribution of the newest count under a gamma(1/2, 0) prior on the Poisson rate
 * (Riebler 2004): negative binomial with size sum + 1/2. With weekday factors the factors are the
 * exposures of the days. */
#include <math.h>

#include "num/alarm/adjust.h"
#include "num/alarm/inside.h"
#include "num/core/dist.h"

struct past {
    double sum, exposure;
};

static void add_range(const struct alarm_series *x, size_t lo, size_t hi, const double *factor,
                      struct past *p) {
    for (size_t i = lo; i < hi; i++) {
        p->sum += (double)x->count[i];
        p->exposure += factor == NULL ? 1 : factor[x->class_of[i]];
    }
}

static bool past_of(const struct alarm_spec *s, const struct alarm_series *x, size_t t,
                    const double *factor, struct past *p) {
    *p = (struct past){0};
    if (s->current_year) {
        if (t < s->half_window) return false;
        add_range(x, t - s->half_window, t, factor, p);
    }
    for (size_t k = 1; k <= s->years; k++) {
        size_t c = alarm_years_back(s, x, t, k);
        if (c == SIZE_MAX || c < s->half_window) return false;
        size_t hi = c + s->half_window + 1;
        add_range(x, c - s->half_window, hi < t ? hi : t, factor, p);
    }
    return p->exposure > 0;
}

void alarm_bayes(const struct alarm_spec *s, const struct alarm_series *x,
                 struct alarm_point *out) {
    double factor[8];
    const double *f = s->weekday_weeks > 0 ? factor : NULL;
    struct alarm_days days = {0};
    for (size_t t = x->from; t < x->n; t++) {
        struct alarm_point *p = &out[t - x->from];
        struct past past;
        *p = alarm_blank(ALARM_SHORT);
        if (t < 7 * s->weekday_weeks) continue;
        if (f != NULL) {
            alarm_days_move(&days, x, t - 7 * s->weekday_weeks, t);
            alarm_days_factors(&days, factor);
        }
        if (!past_of(s, x, t, f, &past)) continue;
        double size = past.sum + 0.5;
        double mean = size / past.exposure * (f == NULL ? 1 : factor[x->class_of[t]]);
        double count = (double)x->count[t];
        p->state = ALARM_OK;
        p->expected = mean;
        p->upper = num_nbinom_q(1 - s->alpha, size, mean, true);
        p->p_value = count > 0 ? num_nbinom_p(count - 1, size, mean, false) : 1;
        if (p->upper != mean) p->score = (count - mean) / (p->upper - mean);
        p->alarm = count > p->upper;
    }
}
