/* num/core/special.h - special functions, in double precision, pure, safe from any thread.
 * Accuracy: 1e-12 relative against reference values (tests/unit/num/test_special.c) unless said.
 * Arguments outside the domain give NaN; NaN in gives NaN out. */
#ifndef NUM_CORE_SPECIAL_H
#define NUM_CORE_SPECIAL_H

double num_log_gamma(double x); /* ln |Gamma(x)|, x > 0 */
double num_digamma(double x);   /* d ln Gamma / dx, x > 0 */
double num_trigamma(double x);  /* second derivative, x > 0 */
double num_log_beta(double a, double b);
/* Regularised incomplete gamma P(a, x) and Q(a, x) = 1 - P, a > 0, x >= 0; each accurate in its own
 * tail. */
double num_gamma_p(double a, double x);
double num_gamma_q(double a, double x);
/* Regularised incomplete beta I_x(a, b), a, b > 0, 0 <= x <= 1. */
double num_beta_i(double x, double a, double b);
double num_log1p_exp(double x); /* ln(1 + e^x) without overflow */
#endif
