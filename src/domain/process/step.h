/* domain/process/step.h - one hop of a case's route as a row of type step. */
#ifndef DOMAIN_PROCESS_STEP_H
#define DOMAIN_PROCESS_STEP_H
#include "domain/process/engine.h"

struct step {
    const char *move, *from, *to, *actor, *role;
    const char *note, *reason;    /* NULL or text; the note is personal */
    const char *photos;           /* JSON list of hashes, or NULL */
    const char *counts_as;        /* NULL or a mark */
    int64_t at_us, elapsed_milli; /* time spent in `from`, in thousandths of the unit of its limit;
                                     0 without one */
    int64_t until_us, days;       /* what was asked or given of the clock; 0 = nothing */
    bool is_public;
};
/* Insert the step (or put it into the history) of a case as the case stands after the move (unit,
 * post, due). */
enum err_code step_add(const struct engine *e, struct tx *tx, const struct case_row *r,
                       const struct step *s, struct case_history *history,
                       struct err *err) NODISCARD;
#endif
