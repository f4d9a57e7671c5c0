/* domain/process/confirm.h - 核实: before it is filed, a case lies with the worker of its cell, who
 * goes and sees whether it is as reported. What a state of stage "confirm" adds to entering and
 * leaving it; which states and moves there are is the pack's. Works on the row alone.
 *
 * The worker has the state's own limit (confirm_due_at). The desk's clock stands meanwhile: its
 * deadline is empty unless it had passed, and goes on afterwards with what was left, as any clock
 * that stands. When the case was accepted stays. An order that is taken back before its limit and
 * without an answer was none: its deadline is taken away, so that it is not counted. */
#ifndef DOMAIN_PROCESS_CONFIRM_H
#define DOMAIN_PROCESS_CONFIRM_H
#include "domain/process/engine.h"

struct confirm_turn {
    bool out, back;    /* to the worker, from him */
    int64_t desk_left; /* back: of the desk's limit, microseconds of its unit; -1: had run out */
    int64_t desk_due;  /* back, had run out: when */
    bool desk_has;     /* back: the desk has a limit that goes on */
};

bool confirm_state(const struct state_def *s);
/* The account that would be asked about this case now; "" when its cell has no worker. */
const char *confirm_worker(const struct engine *e, const struct grid *g, const struct case_row *r,
                           int64_t now_us);
/* Whether the move leads to the worker. */
bool confirm_orders(const struct process_def *p, const struct move_def *m);
/* Whether there is a worker to order, and one who may see the case; *why (may be NULL) when not. */
bool confirm_allows(const struct engine *e, const struct grid *g, const struct case_row *r,
                    int64_t now_us, struct text *why);
/* Around the entering of a state, after the fields of the move were set. */
struct confirm_turn confirm_before(const struct engine *e, struct case_row *r,
                                   const struct state_def *from, const struct state_def *to,
                                   int64_t at_us);
void confirm_after(const struct engine *e, struct case_row *r, const struct confirm_turn *turn,
                   int64_t at_us);
#endif
