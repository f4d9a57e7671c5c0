/* num/model/calibrate.h - scores turned into chances that can be taken at their word: Platt's
 * sigmoid and isotonic steps. To be learnt on rows that the model was not fitted to.
 *
 * Sources: Platt 1999, "Probabilistic outputs for support vector machines" (2.1 and 2.2); Ayer et
 * al. 1955 (pool adjacent violators); Zadrozny & Elkan 2002. Pure; any thread. */
#ifndef NUM_MODEL_CALIBRATE_H
#define NUM_MODEL_CALIBRATE_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* chance = 1 / (1 + exp(-(intercept + slope * score))). */
struct model_platt {
    double intercept, slope;
    unsigned flags; /* of num/model/glm.h: MODEL_NOT_CONVERGED, MODEL_RANK_DEFICIENT (all scores
                       alike: the slope is 0). Never separated: outcomes are drawn in by Platt's
                       (n+ + 1)/(n+ + 2) and 1/(n- + 2). */
};
/* Errors: ERR_INVALID (no rows, a score not finite), ERR_NUMERIC, ERR_NOMEM. */
enum err_code model_platt_fit(const double *score, const uint8_t *outcome, size_t n,
                              struct model_platt *out, struct err *err) NODISCARD;
double model_platt_chance(const struct model_platt *p, double score);

/* The rising function of the score with the least weighted squares, as knots: constant within a
 * block of scores, a straight line between blocks, constant beyond both ends. Chances of exactly 0
 * and 1 occur at the ends. */
struct model_isotonic {
    size_t n_knots;
    const double *score, *chance; /* both rising; one or two knots a block */
    size_t n_blocks;
};
/* y: outcomes (0/1) or any finite values; weight > 0 or NULL. Equal scores are pooled first.
 * Errors: ERR_INVALID, ERR_NOMEM. O(n log n). Arena-owned. */
enum err_code model_isotonic_fit(const double *score, const double *y, const double *weight,
                                 size_t n, struct arena *a, struct model_isotonic *out,
                                 struct err *err) NODISCARD;
double model_isotonic_chance(const struct model_isotonic *m, double score);
#endif
