#include "num/model/parametric_life.h"

#include <math.h>

#include "num/core/dist.h"
#include "num/core/special.h"

static const double half_log_2pi = 0.91893853320467274178;

/* phi(z) / (1 - Phi(z)), also far out where both vanish: x + 1/x - 2/x^3 (Abramowitz & Stegun
 * 26.2.12) is exact to 1e-9 there. */
static double mills(double z) {
    if (z > 36) return z + 1 / z - 2 / (z * z * z);
    return exp(-z * z / 2 - half_log_2pi) / num_norm_p(z, false);
}

static double normal_log_upper(double z) {
    if (z > 36) return -z * z / 2 - half_log_2pi - log(mills(z));
    return log(num_norm_p(z, false));
}

static bool is_extreme(enum model_life life) {
    return life == MODEL_LIFE_WEIBULL || life == MODEL_LIFE_EXPONENTIAL;
}

struct life_part life_log_density(enum model_life life, double z) {
    if (is_extreme(life)) {
        double e = exp(z);
        return (struct life_part){z - e, 1 - e, -e};
    }
    if (life == MODEL_LIFE_LOGNORMAL) return (struct life_part){-z * z / 2 - half_log_2pi, -z, -1};
    double f = 1 / (1 + exp(-z)); /* logistic: log f = log F + log S */
    return (struct life_part){-num_log1p_exp(-z) - num_log1p_exp(z), 1 - 2 * f, -2 * f * (1 - f)};
}

struct life_part life_log_survival(enum model_life life, double z) {
    if (is_extreme(life)) {
        double e = exp(z);
        return (struct life_part){-e, -e, -e};
    }
    if (life == MODEL_LIFE_LOGNORMAL) {
        double m = mills(z);
        return (struct life_part){normal_log_upper(z), -m, -m * (m - z)};
    }
    double f = 1 / (1 + exp(-z));
    return (struct life_part){-num_log1p_exp(z), -f, -f * (1 - f)};
}

struct life_part life_log_failure(enum model_life life, double z) {
    if (is_extreme(life)) {
        double e = exp(z);
        if (e < 1e-8) return (struct life_part){z - e / 2, 1 - e / 2, -e / 2};
        double v = log(-expm1(-e));
        double d1 = exp(z - e - v); /* f / F */
        return (struct life_part){v, d1, d1 * (1 - e - d1)};
    }
    if (life == MODEL_LIFE_LOGNORMAL) {
        double m = mills(-z);
        return (struct life_part){normal_log_upper(-z), m, -m * (m + z)};
    }
    double s = 1 / (1 + exp(z));
    return (struct life_part){-num_log1p_exp(-z), s, -s * (1 - s)};
}

static double z_of(double scale, double linear, double t) { return (log(t) - linear) / scale; }

double model_life_log_survival(enum model_life life, double scale, double linear, double t) {
    if (!(t > 0)) return 0;
    return life_log_survival(life, z_of(scale, linear, t)).v;
}

double model_life_chance(enum model_life life, double scale, double linear, double start,
                         double stop) {
    if (!(stop > start)) return 0;
    double up = model_life_log_survival(life, scale, linear, stop);
    double from = model_life_log_survival(life, scale, linear, start);
    return isfinite(from) ? -expm1(up - from) : 1;
}

double model_life_quantile(enum model_life life, double scale, double linear, double q) {
    double z = is_extreme(life)               ? log(-log1p(-q))
               : life == MODEL_LIFE_LOGNORMAL ? num_norm_q(q, true)
                                              : log(q) - log1p(-q);
    return exp(linear + scale * z);
}
