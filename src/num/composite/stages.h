/* num/composite/stages.h - the stages before normalising, one function each; composite_run strings
 * them together. Matrices are n_ind x n_area, indicator-major, NaN missing. */
#ifndef NUM_COMPOSITE_STAGES_H
#define NUM_COMPOSITE_STAGES_H
#include "num/composite/composite.h"

/* value * scale / denominator into out. ERR_NUMERIC where a denominator is 0 or below; where it is
 * missing the quotient is. */
enum err_code composite_denominate(const struct composite_data *d, const struct composite_tree *t,
                                   double *out, struct err *err) NODISCARD;

/* Which areas have enough: kept (n_area) is filled with their columns, *n_kept counts them. */
enum err_code composite_screen_areas(const struct composite_screen *s,
                                     const struct composite_tree *t, const double *value,
                                     size_t n_area, uint32_t *kept, size_t *n_kept,
                                     struct err *err) NODISCARD;
/* Marks indicators with a value in too few areas as dropped (n_ind). */
void composite_screen_indicators(const struct composite_screen *s, const struct composite_tree *t,
                                 const double *value, size_t n_area, uint8_t *dropped);

struct composite_imputed {
    size_t n_imputed, n_still_missing;
    unsigned em_iterations;
};
/* Fills gaps of value in place. d: group, unit, time of the same columns. */
enum err_code composite_impute_gaps(const struct composite_data *d, const struct composite_tree *t,
                                    const struct composite_impute *how, const struct num_run *run,
                                    struct arena *a, double *value, struct composite_imputed *told,
                                    struct err *err) NODISCARD;
/* EM under a multivariate normal of n_var rows (indices into value); gaps are filled with their
 * conditional means at the estimate of greatest likelihood. Source: Dempster, Laird, Rubin 1977;
 * Schafer 1997, 5.3. ERR_NUMERIC: no convergence within the iterations; variables that depend on
 * one another linearly. O(iterations (patterns n_var^3 + n_area n_var^2)). */
enum err_code composite_em(const struct composite_tree *t, const uint32_t *var, size_t n_var,
                           size_t n_area, const struct composite_impute *how,
                           const struct num_run *run, double *value, unsigned *iterations,
                           struct err *err) NODISCARD;

/* Sample skewness G1 and excess kurtosis G2 (Joanes & Gill 1998) of the values there; NaN below
 * three (four) values or without spread. */
double composite_skewness(const double *x, size_t n);
double composite_kurtosis(const double *x, size_t n);
/* Treats indicators of value in place by the rule. scratch: n_area doubles. */
enum err_code composite_treat_all(const struct composite_treat *how, const struct composite_tree *t,
                                  const char *const *area, size_t n_area, double *scratch,
                                  double *value, struct composite_treated *told,
                                  struct err *err) NODISCARD;

/* Largest |achieved - asked| importance over levels of optimised weights. */
double composite_importance_miss(const struct composite_plan *p, const struct composite_layer *l,
                                 const struct composite_weighting *w, const double *node,
                                 double *work);
#endif
