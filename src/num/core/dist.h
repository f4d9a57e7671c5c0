/* num/core/dist.h - distributions: density or mass (d), distribution function (p), quantile (q).
 * Named and parametrised as in R, so that values compare. lower = false gives the upper tail,
 * accurate in itself. Pure, any thread; 1e-12 relative for p and d, 1e-10 for continuous q;
 * discrete q is the smallest integer k with P(X <= k) >= p. NaN for parameters out of range. */
#ifndef NUM_CORE_DIST_H
#define NUM_CORE_DIST_H
#include <stdbool.h>

double num_norm_d(double x);
double num_norm_p(double x, bool lower);
double num_norm_q(double p, bool lower);
double num_t_p(double t, double df, bool lower);
double num_t_q(double p, double df, bool lower);
double num_chisq_p(double x, double df, bool lower);
double num_chisq_q(double p, double df, bool lower);
double num_f_p(double x, double df1, double df2, bool lower);
double num_gamma_dist_p(double x, double shape, double scale, bool lower);
double num_gamma_dist_q(double p, double shape, double scale, bool lower);
double num_beta_p(double x, double a, double b, bool lower);
double num_beta_q(double p, double a, double b, bool lower);
double num_pois_d(double k, double mean, bool in_log);
double num_pois_p(double k, double mean, bool lower);
double num_pois_q(double p, double mean, bool lower);
double num_binom_d(double k, double n, double prob, bool in_log);
double num_binom_p(double k, double n, double prob, bool lower);
/* Negative binomial by its mean and size (variance mean + mean^2 / size). */
double num_nbinom_d(double k, double size, double mean, bool in_log);
double num_nbinom_p(double k, double size, double mean, bool lower);
double num_nbinom_q(double p, double size, double mean, bool lower);
double num_weibull_p(double x, double shape, double scale, bool lower);
/* Gumbel for maxima: P(X <= x) = exp(-exp(-(x - mu) / beta)). */
double num_gumbel_p(double x, double mu, double beta, bool lower);
#endif
