/* study/scan/strata.h - the population of a study, by place, covariate category and census time,
 * and from it the expectation of the Poisson model. */
#ifndef STUDY_SCAN_STRATA_H
#define STUDY_SCAN_STRATA_H
#include "num/scan/expected.h"
#include "study/scan/records.h"

/* Bring population rows into cells. A date exact to the day holds for that day and the next (the
 * population of a day is that of its beginning and its end), as SaTScan has it. A cell that is not
 * told at a census time has no population then. Borrows rows; out is arena-owned, without cases
 * and slots. Errors: ERR_LIMIT, ERR_NOMEM. */
enum err_code strata_build(struct arena *a, const struct population_rows *rows,
                           const uint32_t *place_of_id, size_t n_places, size_t n_categories,
                           struct scan_strata *out, struct err *err) NODISCARD;
#endif
