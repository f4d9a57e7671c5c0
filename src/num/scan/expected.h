/* num/scan/expected.h - the cases that the null hypothesis of the Poisson model expects at each
 * place in each slot of time, adjusted for covariates by indirect standardisation.
 *
 * Let P(i, k, t) be the population of place i in covariate category k at time t, linear between
 * census times and constant before the first and after the last. With C_k cases of category k in
 * the whole area and study period, the rate of the category is r_k = C_k / sum_i int P(i, k, t) dt,
 * and the expectation of place i in slot s is E(i, s) = sum_k r_k int_s P(i, k, t) dt. The sum of
 * E is the total of cases.
 *
 * Sources: Kulldorff 1997 "A spatial scan statistic", section 5 (indirect standardisation);
 * Kulldorff, Athas, Feuer, Miller, Key 1998 "Evaluating cluster alarms" (population linear between
 * census years). Integrals are exact (trapezoids between the census times), so leap days count.
 * Pure; safe from any thread; sums run in the order of the input: the same bits on every run. */
#ifndef NUM_SCAN_EXPECTED_H
#define NUM_SCAN_EXPECTED_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* Borrowed. A cell is one place and one category; a pair that is not told has no population. */
struct scan_strata {
    size_t n_places, n_categories, n_cells;
    const uint32_t *place;     /* n_cells */
    const uint32_t *category;  /* n_cells */
    size_t n_times;            /* census times, >= 1 */
    const double *time;        /* n_times, strictly rising, in days */
    const double *population;  /* n_cells x n_times, row-major, >= 0 */
    const double *cases;       /* n_categories: C_k, >= 0 */
    size_t n_slots;            /* >= 1 */
    const double *slot_border; /* n_slots + 1, strictly rising, in days */
};

/* expected: n_places x n_slots, row-major. mean_population (may be NULL): n_places, averaged over
 * the study period. Errors: ERR_INVALID (a category with cases and no population, an index out of
 * range, times that do not rise, a negative or not finite number), with the number of the category
 * in bad_category (may be NULL) when it is its fault, else SIZE_MAX. Cost: n_cells x (n_slots +
 * n_times). */
enum err_code scan_expected(const struct scan_strata *strata, struct arena *scratch,
                            double *expected, double *mean_population, size_t *bad_category,
                            struct err *err) NODISCARD;
/* int_a^b of the line through (time, population), constant outside. */
double scan_population_time(const double *time, const double *population, size_t n_times, double a,
                            double b);
#endif
