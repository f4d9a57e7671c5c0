/* Quantiles of continuous laws: Newton's method on the logarithm of the smaller probability as a
 * function of u, which runs over the whole line (x itself, ln x or logit x), kept inside a bracket.
 */
#include <math.h>
#include <stddef.h>

#include "num/core/dist.h"
#include "num/core/saddle.h"
#include "num/core/special.h"

/* The value and its derivative by u of ln P at u. */
struct level {
    double log_p, slope;
};
struct law {
    struct level (*at)(const struct law *law, double u);
    double a, b;
    bool lower; /* which tail log_p means; rising with u when true */
};

/* u with law->at(u).log_p == target. The criterion: the bracket or the step is below 1e-14 of
 * max(1, |u|). ln P is monotone in u, so that the bracket always closes. */
static double solve_level(const struct law *law, double target, double u, double low, double high) {
    for (int i = 0; i < 400; i++) {
        struct level l = law->at(law, u);
        double miss = l.log_p - target;
        if (miss == 0) return u;
        if ((miss > 0) == law->lower) {
            high = u;
        } else {
            low = u;
        }
        double next = u - miss / l.slope, scale = fmax(1, fabs(u));
        if (!(next > low && next < high)) next = low + (high - low) / 2;
        if (fabs(next - u) <= 1e-15 * scale || high - low <= 1e-15 * scale) return next;
        u = next;
    }
    return u;
}

/* Both halves of the line at once: near the middle the distance from it is what counts. */
static double symmetric_q(struct law *tail_law, struct law *central_law, double p, bool lower) {
    if (!(p >= 0 && p <= 1)) return NAN;
    if (p == 0 || p == 1) return (p == 1) == lower ? INFINITY : -INFINITY;
    if (p == 0.5) return 0;
    double small = p < 0.5 ? p : 1 - p;
    double sign = (p < 0.5) == lower ? -1 : 1;
    /* u = ln |x|. 1 - p is exact for p >= 1/2. */
    double x = small < 0.25 ? exp(solve_level(tail_law, log(small), 0.5, -745, 709))
                            : exp(solve_level(central_law, log(fabs(p - 0.5)), 0, -745, 709));
    return sign * x;
}

static struct level norm_tail(const struct law *law, double u) {
    (void)law;
    double x = exp(u), log_p;
    /* Beyond erfc's range: the first terms of Mills' ratio. */
    if (x < 36) {
        log_p = log(num_norm_p(x, false));
    } else {
        log_p = -0.5 * x * x - log(x) - 0.918938533204672741780 + log1p(-1 / (x * x));
    }
    return (struct level){log_p, -x * exp(-0.5 * x * x - 0.918938533204672741780 - log_p)};
}

static struct level norm_central(const struct law *law, double u) {
    (void)law;
    double x = exp(u), p = 0.5 * erf(x * 0.70710678118654752440);
    return (struct level){log(p), x * num_norm_d(x) / p};
}

double num_norm_q(double p, bool lower) {
    struct law tail = {norm_tail, 0, 0, false}, central = {norm_central, 0, 0, true};
    return symmetric_q(&tail, &central, p, lower);
}

/* |t| times the density of Student's t: sqrt(x y) x^(df/2) ... as the beta density of x = df / (df
 * + t^2) times its derivative by ln t. */
static double t_slope(double square, double df) {
    double x = df / (df + square), y = square / (df + square);
    double log_density = 0.5 * df * log(x) + 0.5 * log(y) - num_log_beta(df / 2, 0.5);
    return exp(log_density);
}

static struct level t_tail(const struct law *law, double u) {
    double t = exp(u), p = num_t_p(t, law->a, false);
    return (struct level){log(p), -t_slope(t * t, law->a) / p};
}

static struct level t_central(const struct law *law, double u) {
    double t = exp(u), square = t * t, p, df = law->a;
    num_beta_tails(df / (df + square), square / (df + square), df / 2, 0.5, NULL, &p);
    p *= 0.5;
    return (struct level){log(p), t_slope(square, df) / p};
}

double num_t_q(double p, double df, bool lower) {
    if (!(df > 0)) return NAN;
    if (isinf(df)) return num_norm_q(p, lower);
    struct law tail = {t_tail, df, 0, false}, central = {t_central, df, 0, true};
    return symmetric_q(&tail, &central, p, lower);
}

/* The tail that is asked of and the smaller of both. */
static double small_tail(double p, bool *lower) {
    if (p <= 0.5) return p;
    *lower = !*lower;
    return 1 - p;
}

static struct level gamma_level(const struct law *law, double u) {
    double x = exp(u), p = law->lower ? num_gamma_p(law->a, x) : num_gamma_q(law->a, x);
    /* x times the density: x^a e^-x / Gamma(a). */
    double density = law->a * num_pois_raw(law->a, x, false);
    return (struct level){log(p), (law->lower ? density : -density) / p};
}

double num_gamma_dist_q(double p, double shape, double scale, bool lower) {
    if (!(p >= 0 && p <= 1) || !(shape > 0) || !(scale > 0) || isinf(shape)) return NAN;
    if (p == 0 || p == 1) return (p == 1) == lower ? INFINITY : 0;
    bool side = lower;
    double target = small_tail(p, &side);
    struct law law = {gamma_level, shape, 0, side};
    /* Wilson and Hilferty 1931; for small values x^a / Gamma(a+1) = p. */
    double z = num_norm_q(target, side);
    double root = 1 - 1 / (9 * shape) + z / (3 * sqrt(shape));
    double u = root > 0.2 ? log(shape) + 3 * log(root) : NAN;
    if (side && (!isfinite(u) || shape < 1)) u = (log(target) + num_log_gamma(shape + 1)) / shape;
    if (!isfinite(u)) u = log(shape);
    if (u < -744) return 0;
    return scale * exp(solve_level(&law, log(target), fmin(u, 700), -745, 709));
}

double num_chisq_q(double p, double df, bool lower) {
    return num_gamma_dist_q(p, df / 2, 2, lower);
}

/* u = logit x, so that x and 1 - x are both known in full. */
static struct level beta_level(const struct law *law, double u) {
    double x = 1 / (1 + exp(-u)), y = 1 / (1 + exp(u)), p;
    num_beta_tails(x, y, law->a, law->b, law->lower ? &p : NULL, law->lower ? NULL : &p);
    double a = law->a, b = law->b;
    /* x y times the density. */
    double density = num_binom_raw(a, a + b, x, y, false) * a * b / (a + b);
    return (struct level){log(p), (law->lower ? density : -density) / p};
}

double num_beta_q(double p, double a, double b, bool lower) {
    if (!(p >= 0 && p <= 1) || !(a > 0) || !(b > 0) || isinf(a) || isinf(b)) return NAN;
    if (p == 0 || p == 1) return (p == 1) == lower ? 1 : 0;
    bool side = lower;
    double target = small_tail(p, &side);
    struct law law = {beta_level, a, b, side};
    /* In a tail x^a / (a B) = p, likewise on the right; inside, the mean. */
    double first = side ? a : b, u = log(a / b);
    double edge = (log(target) + log(first) + num_log_beta(a, b)) / first;
    if (edge < log(0.5 * first / (a + b))) u = side ? edge : -edge;
    if (side && u < -745) return 0;
    u = solve_level(&law, log(target), fmax(-744, fmin(u, 744)), -745, 745);
    return 1 / (1 + exp(-u));
}
