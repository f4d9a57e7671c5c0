/* num/model/auc.h - area under the ROC curve by ranks (Mann-Whitney 1947; ties count half). */
#ifndef NUM_MODEL_AUC_H
#define NUM_MODEL_AUC_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Chance that a positive case scores above a negative one, ties half.
 *   score    n finite numbers, larger means more likely
 *   outcome  n values, 0 or not 0
 * Errors: ERR_INVALID (a score not finite), ERR_NUMERIC (only one kind of outcome), ERR_NOMEM.
 * Cost: O(n log n) time, 16 n bytes. */
enum err_code model_auc(const double *score, const uint8_t *outcome, size_t n, double *auc,
                        struct err *err) NODISCARD;
#endif
