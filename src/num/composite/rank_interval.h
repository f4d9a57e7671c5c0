/* num/composite/rank_interval.h - what many rankings of the same areas say about each of them: a
 * band of ranks, who is above whom how often, and which neighbours cannot be told apart.
 *
 * Sources: OECD/JRC 2008 Handbook, step 7 (median rank and 5-95 % band); Saisana, Saltelli,
 * Tarantola 2005, eq. 4 (mean shift). A band says how far the choices move a rank; it is no
 * confidence interval for a sampling error of the data.
 *
 * rank is n_draw x n_area, row-major, 1 best, ties the least rank, 0 missing (choices.h). Counts
 * are whole numbers, so results do not depend on the number of threads. Pure. */
#ifndef NUM_COMPOSITE_RANK_INTERVAL_H
#define NUM_COMPOSITE_RANK_INTERVAL_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "num/core/run.h"

struct rank_interval {
    size_t n;           /* draws in which the area has a rank; 0: all else is 0 */
    double mean;        /* of its ranks */
    double median;      /* mean of the two middle ones when n is even */
    uint16_t low, high; /* at most (1 - level) / 2 of the draws lie below low, and above high */
    uint16_t min, max;
    double shift;  /* mean of |rank - nominal|; 0 without a nominal rank */
    double better; /* share of the draws with a better rank than the nominal one */
};
/* out: n_area. level in (0, 1). One histogram of ranks an area: O(n_draw n_area), n_area^2 counters
 * shared out in blocks of 32 areas. Errors: ERR_INVALID (level), ERR_NOMEM, ERR_TIMEOUT. */
enum err_code rank_intervals(const uint16_t *rank, size_t n_draw, size_t n_area,
                             const uint16_t *nominal, double level, const struct num_run *run,
                             struct rank_interval *out, struct err *err) NODISCARD;

/* Areas in the order of their nominal ranks (ties by column; missing ones left out) with, for each
 * but the last, the share of the draws in which it is strictly above the next. order, holds: room
 * for n_area; *n areas are ordered. O(n_draw n_area). */
enum err_code rank_neighbours(const uint16_t *rank, size_t n_draw, size_t n_area,
                              const uint16_t *nominal, uint32_t *order, double *holds, size_t *n,
                              struct err *err) NODISCARD;

/* above[a * n_area + b]: in how many draws a is strictly above b; an area without a rank is above
 * none and below all that have one. n_area^2 counters of 4 bytes and a copy of the ranks turned
 * round (2 n_draw n_area bytes), as run's limit allows (ERR_LIMIT). Pairs whose ranks never
 * overlap need no look at the draws; the others O(n_draw) each, 8 or 16 draws an instruction. */
enum err_code rank_dominance(const uint16_t *rank, size_t n_draw, size_t n_area,
                             const struct num_run *run, uint32_t *above, struct err *err) NODISCARD;
#endif
