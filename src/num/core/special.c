#include "num/core/special.h"

#include <math.h>
#include <stddef.h>

#include "num/core/saddle.h"

double num_log_gamma(double x) {
    int sign;
    return isnan(x) || x <= 0 ? NAN : lgamma_r(x, &sign);
}

/* Taylor coefficients of digamma about its positive root (computed with 60 digits by mpmath):
 * the quotient would lose every digit of a value near 0. */
static const double root_hi = 0x1.762d86356be3fp+0, root_lo = 9.5499954299656977152e-17;
static const double about_root[] = {
    0.96767224544762117043,    -0.44276316898359210609,   0.25849976095565101062,
    -0.1639427054424065275,    0.10782405069126236576,    -0.072199561256454710926,
    0.048804288164143107225,   -0.033161126474847359292,  0.02259764823221810466,
    -0.015424765904948959139,  0.010538791616612175388,   -0.007204534386356868241,
    0.0049267813957298534464,  -0.0033698016554393280828, 0.0023051263267349278369,
    -0.0015769367714301972593, 0.0010788252019162965807,  -0.00073807093899600512957,
    0.00050495326583460203518, -0.00034546802510630769956};

double num_digamma(double x) {
    if (isnan(x) || x <= 0) return NAN;
    double t = (x - root_hi) - root_lo;
    if (fabs(t) < 0.2) {
        double s = 0;
        for (size_t k = sizeof about_root / sizeof about_root[0]; k-- > 0;)
            s = s * t + about_root[k];
        return s * t;
    }
    double below = 0;
    while (x < 12) below += 1 / x++;
    /* Abramowitz and Stegun 6.3.18; the first term left out is below 1e-17 at 12. */
    double z = 1 / (x * x);
    double tail =
        z *
        (1.0 / 12 -
         z * (1.0 / 120 -
              z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12))))));
    return log(x) - 0.5 / x - tail - below;
}

double num_trigamma(double x) {
    if (isnan(x) || x <= 0) return NAN;
    double below = 0;
    while (x < 14) {
        below += 1 / (x * x);
        x += 1;
    }
    /* Abramowitz and Stegun 6.4.12. */
    double z = 1 / (x * x);
    double tail =
        z *
        (1.0 / 6 -
         z * (1.0 / 30 -
              z * (1.0 / 42 - z * (1.0 / 30 - z * (5.0 / 66 - z * (691.0 / 2730 - z * 7 / 6))))));
    return below + 1 / x + 0.5 * z + tail / x;
}

double num_stirling_error(double x) {
    /* Recurrence up to where Stirling's series (Abramowitz and Stegun 6.1.40) is exact. */
    double below = 0;
    while (x < 16) {
        below += (x + 0.5) * log1p(1 / x) - 1;
        x += 1;
    }
    double z = 1 / (x * x);
    return below + (1.0 / 12 - z * (1.0 / 360 -
                                    z * (1.0 / 1260 -
                                         z * (1.0 / 1680 - z * (1.0 / 1188 - z * 691 / 360360))))) /
                       x;
}

double num_half_deviance(double x, double m) {
    if (x == 0) return m;
    if (fabs(x - m) < 0.3 * (x + m)) {
        /* ln(x/m) = 2 artanh v; the leading parts cancel by hand (Loader 2000, section 4). */
        double v = (x - m) / (x + m), power = 2 * x * v, sum = (x - m) * v;
        for (int j = 3;; j += 2) {
            power *= v * v;
            double next = sum + power / j;
            if (next == sum) return sum;
            sum = next;
        }
    }
    return x * log(x / m) + m - x;
}

static const double log_sqrt_2pi = 0.918938533204672741780329736406;

static double density(double log_value, bool in_log) { return in_log ? log_value : exp(log_value); }

double num_pois_raw(double x, double m, bool in_log) {
    if (m == 0) return density(x == 0 ? 0 : -INFINITY, in_log);
    if (x == 0) return density(-m, in_log);
    if (isinf(x) || isinf(m)) return density(-INFINITY, in_log);
    double exponent = -num_stirling_error(x) - num_half_deviance(x, m);
    if (in_log) return exponent - log_sqrt_2pi - 0.5 * log(x);
    return exp(exponent) / sqrt(6.283185307179586476925 * x);
}

double num_binom_raw(double x, double n, double p, double q, bool in_log) {
    if (p == 0) return density(x == 0 ? 0 : -INFINITY, in_log);
    if (q == 0) return density(x == n ? 0 : -INFINITY, in_log);
    if (x == 0) return density(n * (p < 0.5 ? log1p(-p) : log(q)), in_log);
    if (x == n) return density(n * (q < 0.5 ? log1p(-q) : log(p)), in_log);
    double rest = n - x;
    double exponent = num_stirling_error(n) - num_stirling_error(x) - num_stirling_error(rest) -
                      num_half_deviance(x, n * p) - num_half_deviance(rest, n * q);
    if (in_log) return exponent - log_sqrt_2pi - 0.5 * (log(x) + log(rest) - log(n));
    return exp(exponent) * sqrt(n / rest / x) / 2.506628274631000502416;
}

double num_log_beta(double a, double b) {
    if (isnan(a) || isnan(b) || a <= 0 || b <= 0) return NAN;
    double low = fmin(a, b), high = fmax(a, b);
    if (high < 16) return num_log_gamma(low) + (num_log_gamma(high) - num_log_gamma(low + high));
    /* Stirling's series for the large ones, their main parts subtracted by hand. */
    double both = low + high;
    double rest = num_stirling_error(high) - num_stirling_error(both);
    if (low < 16)
        return num_log_gamma(low) + rest + low - low * log(both) - (high - 0.5) * log1p(low / high);
    return log_sqrt_2pi + num_stirling_error(low) + rest - (low - 0.5) * log1p(high / low) -
           high * log1p(low / high) - 0.5 * log(high);
}

double num_log1p_exp(double x) {
    if (isnan(x)) return NAN;
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
