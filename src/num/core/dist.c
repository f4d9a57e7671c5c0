#include "num/core/dist.h"

#include <math.h>
#include <stddef.h>

#include "num/core/saddle.h"
#include "num/core/special.h"

static double tail(double lower_value, double upper_value, bool lower) {
    return lower ? lower_value : upper_value;
}

double num_norm_d(double x) { return 0.39894228040143267794 * exp(-0.5 * x * x); }

double num_norm_p(double x, bool lower) {
    return 0.5 * erfc((lower ? -x : x) * 0.70710678118654752440);
}

double num_t_p(double t, double df, bool lower) {
    if (isnan(t) || !(df > 0)) return NAN;
    if (isinf(df)) return num_norm_p(t, lower);
    if (isinf(t)) return (t > 0) == lower ? 1 : 0;
    double square = t * t, beyond;
    /* P(|T| > |t|) = I_{df/(df+t^2)}(df/2, 1/2), DLMF 8.17.1 and the density of Student's t. */
    if (isinf(square)) {
        double x = df / fabs(t) / fabs(t);
        num_beta_tails(x, 1, df / 2, 0.5, &beyond, NULL);
    } else {
        num_beta_tails(df / (df + square), square / (df + square), df / 2, 0.5, &beyond, NULL);
    }
    return (t > 0) == lower ? 1 - 0.5 * beyond : 0.5 * beyond;
}

double num_chisq_p(double x, double df, bool lower) {
    return num_gamma_dist_p(x, df / 2, 2, lower);
}

double num_f_p(double x, double df1, double df2, bool lower) {
    if (isnan(x) || !(df1 > 0) || !(df2 > 0) || isinf(df1)) return NAN;
    if (x <= 0) return lower ? 0 : 1;
    if (isinf(x)) return lower ? 1 : 0;
    if (isinf(df2)) return num_chisq_p(x * df1, df1, lower);
    double below, above, sum = df1 * x + df2;
    num_beta_tails(df1 * x / sum, df2 / sum, df1 / 2, df2 / 2, lower ? &below : NULL,
                   lower ? NULL : &above);
    return lower ? below : above;
}

double num_gamma_dist_p(double x, double shape, double scale, bool lower) {
    if (isnan(x) || !(shape > 0) || !(scale > 0)) return NAN;
    if (x <= 0) return lower ? 0 : 1;
    return lower ? num_gamma_p(shape, x / scale) : num_gamma_q(shape, x / scale);
}

double num_beta_p(double x, double a, double b, bool lower) {
    if (isnan(x) || !(a > 0) || !(b > 0)) return NAN;
    if (x <= 0) return lower ? 0 : 1;
    if (x >= 1) return lower ? 1 : 0;
    double below, above;
    num_beta_tails(x, 1 - x, a, b, lower ? &below : NULL, lower ? NULL : &above);
    return lower ? below : above;
}

double num_weibull_p(double x, double shape, double scale, bool lower) {
    if (isnan(x) || !(shape > 0) || !(scale > 0)) return NAN;
    if (x <= 0) return lower ? 0 : 1;
    double hazard = pow(x / scale, shape);
    return tail(-expm1(-hazard), exp(-hazard), lower);
}

double num_gumbel_p(double x, double mu, double beta, bool lower) {
    if (isnan(x) || isnan(mu) || !(beta > 0)) return NAN;
    double rate = exp(-(x - mu) / beta);
    return tail(exp(-rate), -expm1(-rate), lower);
}
