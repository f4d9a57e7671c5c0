/* Cumulative sums of transformed counts: Rossi, Lampugnani and Marchi 1999 (transforms z1 to z3);
 * Pierce and Schafer 1986 for the Anscombe residuals. No reset after an alarm. */
#include <math.h>

#include "num/alarm/inside.h"

static double two_thirds(double x) {
    double r = cbrt(x);
    return r * r;
}

/* The Anscombe residual of variance V = t + a t^2 is the integral of V^(-1/3) from m to x, over
 * V(m)^(1/6). With t = u^3 the integrand is smooth at 0; Gauss-Legendre with 5 nodes on 32 panels
 * reaches 1e-12. */
static double anscombe_nb(double x, double m, double a) {
    static const double node[3] = {0, 0.53846931010568309104, 0.90617984593866399280};
    static const double weight[3] = {0.56888888888888888889, 0.47862867049936646804,
                                     0.23692688505618908751};
    enum { PANELS = 32 };
    double lo = cbrt(m), half = (cbrt(x) - lo) / (2 * PANELS), sum = 0;
    for (int i = 0; i < PANELS; i++) {
        double centre = lo + half * (2 * i + 1);
        for (int k = -2; k <= 2; k++) {
            double u = centre + half * (k < 0 ? -node[-k] : node[k]);
            sum += weight[k < 0 ? -k : k] * 3 * u / cbrt(1 + a * u * u * u);
        }
    }
    return sum * half / sqrt(cbrt(m + a * m * m));
}

static double transform(const struct alarm_spec *s, double x, double m) {
    switch (s->transform) {
    case ALARM_STANDARD:
        return (x - m) / sqrt(m);
    case ALARM_ROSSI:
        return (x - 3 * m + 2 * sqrt(x * m)) / (2 * sqrt(m));
    case ALARM_ANSCOMBE:
        return 1.5 * (two_thirds(x) / sqrt(cbrt(m)) - sqrt(m));
    case ALARM_ANSCOMBE_2ND:
        return (two_thirds(x) - two_thirds(m) + 1 / (9 * cbrt(m))) / (2.0 / 3 * sqrt(cbrt(m)));
    case ALARM_PEARSON_NB:
        return (x - m) / sqrt(m + s->dispersion * m * m);
    case ALARM_ANSCOMBE_NB:
        return anscombe_nb(x, m, s->dispersion);
    case ALARM_NONE:
    case ALARM_N_TRANSFORMS:
        break;
    }
    return x;
}

static double to_three_halves(double x) { return x > 0 ? x * sqrt(x) : 0; }

/* The root by halving, where there is no closed form: the transform rises in x. */
static double solve(const struct alarm_spec *s, double m, double value) {
    double lo = 0, hi = 1;
    if (transform(s, 0, m) >= value) return 0;
    while (transform(s, hi, m) < value && hi < 1e18) hi *= 2;
    for (int i = 0; i < 200 && hi - lo > 1e-14 * hi; i++) {
        double mid = lo + (hi - lo) / 2;
        if (transform(s, mid, m) < value)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

/* The count whose transform is `value`; 0 when any count reaches it. */
static double inverse(const struct alarm_spec *s, double m, double value) {
    double root = 0;
    switch (s->transform) {
    case ALARM_STANDARD:
        return fmax(0, ceil(m + value * sqrt(m)));
    case ALARM_ROSSI:
        root = sqrt(fmax(0, 4 * m + 2 * value * sqrt(m))) - sqrt(m);
        return root > 0 ? root * root : 0;
    case ALARM_ANSCOMBE:
        return to_three_halves((value / 1.5 + sqrt(m)) * sqrt(cbrt(m)));
    case ALARM_ANSCOMBE_2ND:
        return to_three_halves(value * (2.0 / 3) * sqrt(cbrt(m)) + two_thirds(m) -
                               1 / (9 * cbrt(m)));
    case ALARM_PEARSON_NB:
        return fmax(0, m + value * sqrt(m + s->dispersion * m * m));
    case ALARM_ANSCOMBE_NB:
        return solve(s, m, value);
    case ALARM_NONE:
    case ALARM_N_TRANSFORMS:
        break;
    }
    return fmax(0, value);
}

void alarm_cusum(const struct alarm_spec *s, const struct alarm_series *x,
                 struct alarm_point *out) {
    struct alarm_level level = alarm_level_before(s, x);
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
        p->upper = inverse(s, m, s->h + s->k - sum);
        sum = fmax(0, sum + transform(s, (double)x->count[t], m) - s->k);
        p->score = sum;
        p->alarm = sum >= s->h;
    }
}
