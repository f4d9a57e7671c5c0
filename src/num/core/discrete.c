/* Poisson, binomial and negative binomial laws. */
#include <math.h>
#include <stddef.h>

#include "num/core/dist.h"
#include "num/core/saddle.h"
#include "num/core/special.h"

static double nothing(bool in_log) { return in_log ? -INFINITY : 0; }

static bool is_count(double k) { return k >= 0 && k == floor(k) && !isinf(k); }

double num_pois_d(double k, double mean, bool in_log) {
    if (isnan(k) || !(mean >= 0) || isinf(mean)) return NAN;
    return is_count(k) ? num_pois_raw(k, mean, in_log) : nothing(in_log);
}

double num_pois_p(double k, double mean, bool lower) {
    if (isnan(k) || !(mean >= 0) || isinf(mean)) return NAN;
    if (k < 0) return lower ? 0 : 1;
    if (isinf(k) || mean == 0) return lower ? 1 : 0;
    k = floor(k);
    return lower ? num_gamma_q(k + 1, mean) : num_gamma_p(k + 1, mean);
}

double num_binom_d(double k, double n, double prob, bool in_log) {
    if (isnan(k) || !is_count(n) || !(prob >= 0 && prob <= 1)) return NAN;
    return is_count(k) && k <= n ? num_binom_raw(k, n, prob, 1 - prob, in_log) : nothing(in_log);
}

double num_binom_p(double k, double n, double prob, bool lower) {
    if (isnan(k) || !is_count(n) || !(prob >= 0 && prob <= 1)) return NAN;
    if (k < 0) return lower ? 0 : 1;
    k = floor(k);
    if (k >= n) return lower ? 1 : 0;
    /* P(X > k) = I_prob(k + 1, n - k), DLMF 8.17.5. */
    double above, below;
    num_beta_tails(prob, 1 - prob, k + 1, n - k, &above, &below);
    return lower ? below : above;
}

static bool nbinom_in_range(double size, double mean) {
    return size > 0 && mean >= 0 && !isinf(mean);
}

double num_nbinom_d(double k, double size, double mean, bool in_log) {
    if (isnan(k) || !nbinom_in_range(size, mean)) return NAN;
    if (!is_count(k)) return nothing(in_log);
    if (isinf(size)) return num_pois_raw(k, mean, in_log);
    if (k == 0) {
        double log_value = -size * log1p(mean / size);
        return in_log ? log_value : exp(log_value);
    }
    double sum = size + mean;
    double value = num_binom_raw(size, k + size, size / sum, mean / sum, in_log);
    /* A trial of the law ends with a success. */
    return in_log ? value - log1p(k / size) : value * (size / (size + k));
}

double num_nbinom_p(double k, double size, double mean, bool lower) {
    if (isnan(k) || !nbinom_in_range(size, mean)) return NAN;
    if (k < 0) return lower ? 0 : 1;
    if (isinf(k) || mean == 0) return lower ? 1 : 0;
    if (isinf(size)) return num_pois_p(k, mean, lower);
    double sum = size + mean, below, above;
    num_beta_tails(size / sum, mean / sum, size, floor(k) + 1, &below, &above);
    return lower ? below : above;
}

/* The smallest count whose distribution function reaches p. slack allows for the rounding of p
 * itself, so that the quantile of a distribution function's value is its argument again. */
struct counting {
    double (*p)(double k, double a, double b, bool lower);
    double a, b;
};
static double pois_of(double k, double mean, double unused, bool lower) {
    (void)unused;
    return num_pois_p(k, mean, lower);
}

static bool reached(const struct counting *c, double k, double p, bool lower) {
    const double slack = 64 * 2.220446049250313e-16;
    double at = c->p(k, c->a, c->b, lower);
    return lower ? at >= p * (1 - slack) : at <= p * (1 + slack);
}

static double smallest(const struct counting *c, double p, bool lower, double guess) {
    if (!(p >= 0 && p <= 1)) return NAN;
    if (lower ? p == 0 : p == 1) return 0;
    if (lower ? p == 1 : p == 0) return INFINITY;
    if (reached(c, 0, p, lower)) return 0;
    double low = 0, high = fmax(1, floor(guess)), step = fmax(1, floor(0.05 * sqrt(guess)));
    /* Invariant: not reached at low; reached at high once the first loop ends. */
    while (!reached(c, high, p, lower)) {
        low = high;
        high += step;
        step *= 2;
        if (!(high < 9e15)) return NAN;
    }
    while (high - low > step && reached(c, high - step, p, lower)) {
        high -= step;
        step *= 2;
    }
    if (high - step > low) low = high - step;
    while (high - low > 1) {
        double middle = floor(low + (high - low) / 2);
        if (reached(c, middle, p, lower)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

/* Cornish and Fisher 1938, first two terms. */
static double cornish_fisher(double p, bool lower, double mean, double sd, double skew) {
    double z = num_norm_q(p, lower);
    return isfinite(z) ? mean + sd * (z + skew * (z * z - 1) / 6) : mean;
}

double num_pois_q(double p, double mean, bool lower) {
    if (!(mean >= 0) || isinf(mean) || isnan(p)) return NAN;
    struct counting c = {pois_of, mean, 0};
    double sd = sqrt(mean);
    return smallest(&c, p, lower,
                    mean == 0 ? 0 : fmax(0, cornish_fisher(p, lower, mean, sd, 1 / sd)));
}

double num_nbinom_q(double p, double size, double mean, bool lower) {
    if (!nbinom_in_range(size, mean) || isnan(p)) return NAN;
    if (isinf(size)) return num_pois_q(p, mean, lower);
    struct counting c = {num_nbinom_p, size, mean};
    if (mean == 0) return smallest(&c, p, lower, 0);
    double sd = sqrt(mean + mean * mean / size), skew = (1 + 2 * mean / size) / sd;
    return smallest(&c, p, lower, fmax(0, cornish_fisher(p, lower, mean, sd, skew)));
}
