/* EARS: mean and standard deviation of a short moving baseline. Fricker, Hegler and Dunfee 2008
 * give the three statistics: C3(t) is the sum of max(0, C2 - 1) over t, t-1 and t-2. */
#include <math.h>

#include "num/alarm/adjust.h"
#include "num/alarm/inside.h"
#include "num/core/dist.h"

/* What the baseline lets one expect of the newest day. */
struct moments {
    double mean, sd;
};

/* Sliding sums are whole numbers, so they carry no rounding from one day to the next. With at most
 * ALARM_MAX_BASELINE counts of at most ALARM_MAX_COUNT, n * s2 stays below 2^64. */
struct window {
    uint64_t s1, s2;
};

static void window_add(struct window *w, int64_t x) {
    w->s1 += (uint64_t)x;
    w->s2 += (uint64_t)x * (uint64_t)x;
}

static void window_drop(struct window *w, int64_t x) {
    w->s1 -= (uint64_t)x;
    w->s2 -= (uint64_t)x * (uint64_t)x;
}

static struct moments window_moments(const struct window *w, size_t n) {
    uint64_t squares = (uint64_t)n * w->s2 - w->s1 * w->s1;
    return (struct moments){(double)w->s1 / (double)n,
                            sqrt((double)squares / ((double)n * (double)(n - 1)))};
}

/* The same where day i has mean factor_i * m and variance factor_i * s^2. */
static struct moments adjusted_moments(const struct alarm_series *x, size_t lo, size_t hi, size_t t,
                                       const double factor[static 8]) {
    double sum = 0, exposure = 0, squares = 0, own = factor[x->class_of[t]];
    for (size_t i = lo; i < hi; i++) {
        sum += (double)x->count[i];
        exposure += factor[x->class_of[i]];
    }
    for (size_t i = lo; i < hi; i++) {
        double f = factor[x->class_of[i]], d = (double)x->count[i] - f * sum / exposure;
        squares += d * d / f;
    }
    return (struct moments){own * sum / exposure, sqrt(own * squares / (double)(hi - lo - 1))};
}

/* Standard errors above the mean; NaN when the spread is nil. */
static double above(const struct moments *m, double count) {
    return m->sd > 0 ? (count - m->mean) / m->sd : NAN;
}

static struct alarm_point point_c12(const struct moments *m, double count, double z) {
    struct alarm_point p = alarm_blank(ALARM_OK);
    p.expected = m->mean;
    p.upper = m->mean + z * m->sd;
    p.score = above(m, count);
    p.p_value = num_norm_p(p.score, false);
    p.alarm = count > p.upper;
    return p;
}

/* c[0], c[1]: what the two days before added to the statistic. The bound of package surveillance
 * puts the newest count where its expected value belongs, so that its alarm asks only the two days
 * before: kept as the default because reference values hold it, spec->published turns it off. */
static struct alarm_point point_c3(const struct alarm_spec *s, const struct moments *m,
                                   double count, double z, const double c[static 2]) {
    struct alarm_point p = alarm_blank(ALARM_FLAT);
    double score = above(m, count), middle = s->published ? m->mean + m->sd : count;
    p.expected = m->mean;
    if (isnan(score) || isnan(c[0]) || isnan(c[1])) return p;
    p.state = ALARM_OK;
    p.upper = fmax(0, middle + m->sd * (z - c[0] - c[1]));
    p.score = fmax(0, score - 1) + c[0] + c[1];
    p.alarm = s->published ? p.score > z : count > p.upper;
    return p;
}

static double tail_of(const struct moments *m, double count) {
    double score = above(m, count);
    return isnan(score) ? NAN : fmax(0, score - 1);
}

/* First day that has a baseline (and the window of the weekday factors) behind it. */
static size_t first_day(const struct alarm_spec *s) {
    size_t days = s->baseline > 7 * s->weekday_weeks ? s->baseline : 7 * s->weekday_weeks;
    return s->guard + days;
}

void alarm_ears(const struct alarm_spec *s, const struct alarm_series *x, struct alarm_point *out) {
    double z = num_norm_q(s->alpha, false), c[2] = {NAN, NAN}, factor[8];
    size_t first = first_day(s), judged = first + (s->method == ALARM_C3 ? 2 : 0);
    struct window w = {0};
    struct alarm_days days = {0};
    size_t lo = 0, hi = 0;
    for (size_t t = 0; t < x->n; t++) {
        struct alarm_point p = alarm_blank(ALARM_SHORT);
        double count = (double)x->count[t];
        if (t >= first) {
            for (; hi < t - s->guard; hi++) window_add(&w, x->count[hi]);
            for (; lo < hi - s->baseline; lo++) window_drop(&w, x->count[lo]);
            struct moments m = window_moments(&w, s->baseline);
            if (s->weekday_weeks > 0) {
                alarm_days_move(&days, x, hi - 7 * s->weekday_weeks, hi);
                alarm_days_factors(&days, factor);
                m = adjusted_moments(x, lo, hi, t, factor);
            }
            m.sd = fmax(m.sd, s->min_sigma);
            if (t >= judged)
                p = s->method == ALARM_C3 ? point_c3(s, &m, count, z, c) : point_c12(&m, count, z);
            c[1] = c[0];
            c[0] = tail_of(&m, count);
        }
        if (t >= x->from) out[t - x->from] = p;
    }
}
