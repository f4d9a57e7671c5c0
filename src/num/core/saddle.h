/* num/core/saddle.h - the pieces from which densities of gamma, beta, Poisson, binomial and
 * negative binomial laws are made without cancellation (Loader 2000, "Fast and accurate computation
 * of binomial probabilities"). Pure, any thread. */
#ifndef NUM_CORE_SADDLE_H
#define NUM_CORE_SADDLE_H
#include <stdbool.h>

/* ln Gamma(x + 1) - ((x + 1/2) ln x - x + ln sqrt(2 pi)), x > 0: Loader's delta(x). Error 1e-15
 * absolute. */
double num_stirling_error(double x);
/* x ln(x / m) + m - x, x >= 0, m > 0: half a Poisson deviance; accurate when x is near m. */
double num_half_deviance(double x, double m);
/* m^x e^-m / Gamma(x + 1) for real x >= 0, m >= 0. */
double num_pois_raw(double x, double m, bool in_log);
/* Gamma(n+1) / (Gamma(x+1) Gamma(n-x+1)) p^x q^(n-x) for real 0 <= x <= n; q = 1 - p is given, so
 * that neither loses digits. */
double num_binom_raw(double x, double n, double p, double q, bool in_log);
/* Both tails of the regularised incomplete beta at x, y = 1 - x; a, b > 0. Either pointer may be
 * NULL. NaN when the fraction does not settle (parameters beyond about 1e13). */
void num_beta_tails(double x, double y, double a, double b, double *lower, double *upper);
#endif
