/* domain/process/limit.h - the time limit of a state for a class, and what it makes of a case's due
 * times. Pure. */
#ifndef DOMAIN_PROCESS_LIMIT_H
#define DOMAIN_PROCESS_LIMIT_H
#include "domain/process/engine.h"

/* The class's own limit for the state, else the state's default; NULL when nothing runs. */
const struct time_limit *limit_of(const struct case_class *cls, const struct state_def *state);
/* Set due_at, yellow_at (80 % of the limit), unconfirmed_due, overdue and state_since for a state
 * entered at at_us. */
void limit_start(const struct engine *e, struct case_row *r, const struct case_class *cls,
                 const struct state_def *state, int64_t at_us);
#endif
