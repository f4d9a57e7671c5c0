/* num/composite/normalise.h - one indicator of a plan under one normalisation. */
#ifndef NUM_COMPOSITE_NORMALISE_H
#define NUM_COMPOSITE_NORMALISE_H
#include "num/composite/composite.h"

/* Whether the choice can be used on this plan; ERR_INVALID says why not. */
enum err_code composite_normalise_check(const struct composite_plan *p,
                                        const struct composite_normalise *n,
                                        struct err *err) NODISCARD;
/* Writes n_area values of indicator i to out and tells whether it was dropped (then NaN all
 * along). Errors: ERR_NUMERIC naming indicator (and area). No allocation. */
enum err_code composite_normalise_row(const struct composite_plan *p,
                                      const struct composite_norm *n, size_t i, double *out,
                                      uint8_t *drop, struct err *err) NODISCARD;
#endif
