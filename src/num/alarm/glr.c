/* Likelihood-ratio and generalised likelihood-ratio CUSUM for Poisson and negative binomial counts
 * (variance m + a m^2): Hoehle and Paul 2008, equations 4 to 8, change of the intercept upwards.
 * Both begin again after an alarm. */
#include <math.h>

#include "num/alarm/inside.h"

/* log f(x; m e^r) - log f(x; m) is x * slope - cost. */
struct ratio {
    double slope, cost;
};

static struct ratio ratio_of(double m, double r, double a) {
    if (a <= 0) return (struct ratio){r, m * expm1(r)};
    double grow = log1p(a * m * expm1(r) / (1 + a * m));
    return (struct ratio){r - grow, grow / a};
}

/* Counts and means of the steps since the last alarm, newest last. */
struct stretch {
    const struct alarm_series *x;
    const struct alarm_level *level;
    size_t first, last;
    double newest; /* the count of step `last`, real or tried */
    double a;
};

static double count_at(const struct stretch *s, size_t i) {
    return i == s->last ? s->newest : (double)s->x->count[i];
}

/* Most likely rise of the steps k .. last, not below 0, by Newton's method on a concave function;
 * `rise` begins at the answer of a neighbouring k. */
static double best_rise(const struct stretch *s, size_t k, double rise) {
    for (int step = 0; step < 60; step++) {
        double score = 0, info = 0, e = exp(rise);
        for (size_t i = k; i <= s->last; i++) {
            double m = alarm_level_at(s->level, s->x, i) * e, d = 1 + s->a * m;
            score += (count_at(s, i) - m) / d;
            info += m * (1 + s->a * count_at(s, i)) / (d * d);
        }
        double move = score / info;
        if (move > 1) move = 1;
        if (move < -1) move = -1;
        rise = rise + move;
        if (fabs(move) < 1e-12) break;
    }
    return rise;
}

static double gain(const struct stretch *s, size_t k, double rise) {
    double sum = 0;
    for (size_t i = k; i <= s->last; i++) {
        struct ratio r = ratio_of(alarm_level_at(s->level, s->x, i), rise, s->a);
        sum += count_at(s, i) * r.slope - r.cost;
    }
    return sum;
}

static double glr_poisson(const struct stretch *s) {
    double best = 0, x = 0, m = 0;
    for (size_t k = s->last + 1; k-- > s->first;) {
        x += count_at(s, k);
        m += alarm_level_at(s->level, s->x, k);
        if (x > m) best = fmax(best, x * log(x / m) - (x - m));
    }
    return best;
}

static double glr_negative(const struct stretch *s) {
    double best = 0, rise = 0, score = 0;
    for (size_t k = s->last + 1; k-- > s->first;) {
        double m = alarm_level_at(s->level, s->x, k);
        score += (count_at(s, k) - m) / (1 + s->a * m);
        if (score <= 0) continue; /* the best rise is then 0 */
        rise = best_rise(s, k, rise);
        best = fmax(best, gain(s, k, rise));
    }
    return best;
}

static double glr(const struct stretch *s) { return s->a > 0 ? glr_negative(s) : glr_poisson(s); }

/* Least whole count of the newest step that would alarm. */
static double glr_upper(struct stretch s, double h) {
    double lo = -1, hi = 1;
    s.newest = hi;
    while (glr(&s) < h && hi < 1e12) s.newest = hi *= 2;
    while (hi - lo > 1) {
        double mid = floor((lo + hi) / 2);
        s.newest = mid;
        if (glr(&s) >= h)
            hi = mid;
        else
            lo = mid;
    }
    return hi;
}

static void judge_glr(const struct alarm_spec *s, struct stretch *st, size_t begin,
                      struct alarm_point *p) {
    size_t t = st->last;
    st->first = s->look_back > 0 && t - begin >= s->look_back ? t + 1 - s->look_back : begin;
    p->upper = glr_upper(*st, s->h);
    st->newest = (double)st->x->count[t];
    p->score = glr(st);
}

void alarm_ratio(const struct alarm_spec *s, const struct alarm_series *x,
                 struct alarm_point *out) {
    struct alarm_level level = alarm_level_before(s, x);
    struct stretch st = {x, &level, 0, 0, 0, s->dispersion};
    size_t begin = x->from; /* first step since the last alarm */
    double sum = 0;
    for (size_t t = x->from; t < x->n; t++) {
        struct alarm_point *p = &out[t - x->from];
        double m = alarm_level_at(&level, x, t);
        *p = alarm_blank(ALARM_SHORT);
        if (isnan(m)) continue;
        p->expected = m;
        p->state = ALARM_FLAT;
        if (!(m > 0)) continue;
        p->state = ALARM_OK;
        if (s->method == ALARM_GLR) {
            st.last = t;
            judge_glr(s, &st, begin, p);
        } else {
            struct ratio r = ratio_of(m, s->shift, s->dispersion);
            p->upper = fmax(0, (s->h - sum + r.cost) / r.slope);
            sum = fmax(0, sum + (double)x->count[t] * r.slope - r.cost);
            p->score = sum;
        }
        p->alarm = p->score >= s->h;
        if (p->alarm) {
            sum = 0;
            begin = t + 1;
        }
    }
}
