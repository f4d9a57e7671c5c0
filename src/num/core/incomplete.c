/* Regularised incomplete gamma and beta functions. Prefactors come from saddle-point forms, so that
 * large parameters keep their digits; the cost near the mean grows with the root of the parameter.
 */
#include <math.h>
#include <stddef.h>

#include "num/core/saddle.h"
#include "num/core/special.h"

/* More terms than parameters up to 1e13 need; beyond, NaN is told rather than a wrong digit. */
static const long max_terms = 60000000;

/* zeta(k) - 1, k = 2 ..., by mpmath. */
static const double zeta_rest[] = {
    0.64493406684822643647,     0.2020569031595942854,      0.082323233711138191516,
    0.036927755143369926331,    0.017343061984449139715,    0.0083492773819228268398,
    0.0040773561979443393787,   0.0020083928260822144179,   0.00099457512781808533715,
    0.0004941886041194645587,   0.00024608655330804829864,  0.00012271334757848914675,
    0.000061248135058704829259, 0.000030588236307020493552, 0.000015282259408651871733,
    7.6371976378997622736e-6,   3.8172932649998398565e-6,   1.9082127165539389257e-6,
    9.5396203387279611315e-7,   4.7693298678780646312e-7,   2.3845050272773299e-7,
    1.1921992596531107307e-7,   5.9608189051259479612e-8,   2.9803503514652280186e-8,
    1.4901554828365041235e-8,   7.450711789835429492e-9,    3.7253340247884570548e-9};

/* ln Gamma(1 + a), 0 <= a < 1, with full relative accuracy as a goes to 0 (Abramowitz and Stegun
 * 6.1.33 with one pole taken out, about 0 or by reflection in steps of one about 1). */
static double log_gamma_1p(double a) {
    if (a > 0.5) return num_log_gamma(1 + a);
    double sum = 0, power = -a;
    for (size_t i = 0; i < sizeof zeta_rest / sizeof zeta_rest[0]; i++) {
        power *= -a;
        sum += zeta_rest[i] * power / (double)(i + 2);
    }
    return sum + a * 0.42278433509846713939 - log1p(a);
}

/* Sum of x^n / ((a+1)...(a+n)), DLMF 8.11.4. */
static double gamma_series(double a, double x) {
    double term = 1, sum = 1;
    for (long n = 1; n < max_terms; n++) {
        term *= x / (a + (double)n);
        sum += term;
        if (term < sum * 1e-17) return sum;
    }
    return NAN;
}

/* Modified Lentz of 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- ...))), DLMF 8.9.2 contracted. */
static double gamma_fraction(double a, double x) {
    const double tiny = 1e-300;
    double b = x + 1 - a, c = 1 / tiny, d = b == 0 ? 1 / tiny : 1 / b, h = d;
    for (long i = 1; i < max_terms; i++) {
        double numerator = -(double)i * ((double)i - a);
        b += 2;
        d = numerator * d + b;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = b + numerator / c;
        if (fabs(c) < tiny) c = tiny;
        double step = d * c;
        h *= step;
        if (fabs(step - 1) < 1.2e-16) return h;
    }
    return NAN;
}

/* Q for a < 1 and small x, where 1 - P would cancel: P = x^a / Gamma(1+a) (1 + a S), DLMF 8.7.1. */
static double gamma_q_small(double a, double x) {
    double s = 0, term = 1;
    for (int n = 1; n < 100; n++) {
        term *= -x / n;
        double next = s + term / (a + n);
        if (next == s) break;
        s = next;
    }
    double power = expm1(a * log(x) - log_gamma_1p(a)); /* x^a / Gamma(1+a) - 1 */
    return -power - (1 + power) * a * s;
}

static void gamma_tails(double a, double x, double *p, double *q) {
    *p = *q = NAN;
    if (!(a > 0) || !(x >= 0) || isinf(a)) return;
    if (x == 0 || isinf(x)) {
        *p = x == 0 ? 0 : 1;
        *q = 1 - *p;
        return;
    }
    double prefactor = num_pois_raw(a, x, false); /* x^a e^-x / Gamma(a+1) */
    if (a < 1 && x < 1) {
        *q = gamma_q_small(a, x);
        *p = *q < 0.5 ? 1 - *q : prefactor * gamma_series(a, x);
    } else if (x < a + 1 && a >= 1) {
        *p = prefactor * gamma_series(a, x);
        *q = 1 - *p;
    } else {
        *q = prefactor * a * gamma_fraction(a, x);
        *p = 1 - *q;
    }
}

double num_gamma_p(double a, double x) {
    double p, q;
    gamma_tails(a, x, &p, &q);
    return p;
}

double num_gamma_q(double a, double x) {
    double p, q;
    gamma_tails(a, x, &p, &q);
    return q;
}

/* DiDonato and Morris 1992, "Algorithm 708", eq. 9, by modified Lentz; lambda = a - (a + b) x is
 * made from whichever of x and y loses nothing. */
static double beta_fraction(double x, double y, double a, double b) {
    const double tiny = 1e-300;
    double lambda = a > b ? (a + b) * y - b : a - (a + b) * x;
    double h = a / (a + 1) * (lambda + 1);
    if (fabs(h) < tiny) h = tiny;
    double c = h, d = 0;
    for (long i = 1; i < max_terms; i++) {
        double n = (double)i, top = n * (b - n) * x, at = a + 2 * n - 1;
        double alpha = (a + n - 1) / at * ((a + b + n - 1) / at) * top * x;
        double beta = n + top / at + (a + n) / (a + 2 * n + 1) * (lambda + 1 + n * (1 + y));
        d = beta + alpha * d;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = beta + alpha / c;
        if (fabs(c) < tiny) c = tiny;
        double step = d * c;
        h *= step;
        if (fabs(step - 1) < 1.2e-16) return 1 / h;
    }
    return NAN;
}

static double beta_lower(double x, double y, double a, double b) {
    /* x^a y^b / B(a, b) from the binomial form with n = a + b. */
    double prefactor = num_binom_raw(a, a + b, x, y, false) * a / (a + b) * b;
    return prefactor * beta_fraction(x, y, a, b);
}

/* ln Gamma(b + a) - ln Gamma(b) with full relative accuracy as a goes to 0. */
static double log_gamma_step(double a, double b) {
    double below = 0;
    while (b < 16) {
        below += log1p(a / b);
        b += 1;
    }
    /* Stirling's series term by term (as in num_stirling_error). */
    static const double c[] = {1.0 / 12,    -1.0 / 360, 1.0 / 1260,
                               -1.0 / 1680, 1.0 / 1188, -691.0 / 360360};
    double grow = log1p(a / b), sum = 0, power = 1 / b;
    for (int k = 0; k < 6; k++) {
        sum += c[k] * power * expm1(-(2 * k + 1) * grow);
        power /= b * b;
    }
    return sum + (b - 0.5) * grow - a + a * log(a + b) - below;
}

/* The upper tail for a < 1 when the lower one is near 1: x^a G (1 + a S) taken from 1 by hand, G =
 * Gamma(a+b) / (Gamma(1+a) Gamma(b)), S the rest of DLMF 8.17.7. */
static double beta_upper_small(double x, double a, double b) {
    double s = 0, term = 1;
    for (int n = 1; n < 2000; n++) {
        term *= (n - b) / n * x;
        double next = s + term / (a + n);
        if (next == s) break;
        s = next;
    }
    double power = expm1(a * log(x) + log_gamma_step(a, b) - log_gamma_1p(a));
    return -power - (1 + power) * a * s;
}

/* Both tails when x is not beyond the middle. */
static void tails_from_left(double x, double y, double a, double b, double *near, double *far) {
    *near = beta_lower(x, y, a, b);
    *far = a < 1 && *near > 0.9 ? beta_upper_small(x, a, b) : 1 - *near;
}

void num_beta_tails(double x, double y, double a, double b, double *lower, double *upper) {
    double l = NAN, u = NAN;
    if (a > 0 && b > 0 && x >= 0 && y >= 0 && !isinf(a) && !isinf(b)) {
        if (x == 0 || y == 0) {
            l = x == 0 ? 0 : 1;
            u = 1 - l;
        } else if (x * (a + b + 2) <= a + 1) {
            tails_from_left(x, y, a, b, &l, &u);
        } else {
            tails_from_left(y, x, b, a, &u, &l);
        }
    }
    if (lower != NULL) *lower = l;
    if (upper != NULL) *upper = u;
}

double num_beta_i(double x, double a, double b) {
    double lower;
    num_beta_tails(x, 1 - x, a, b, &lower, NULL);
    return lower;
}
