/* domain/process/stage.h - what a case keeps of its way through the stages (收集 立案 派遣 处置
 * 反馈 核查 结案): when each was reached, until when each was due, and whether it went to a second
 * unit. The evaluation (CJ/T 292) counts by these, long after the clock has moved on. Pure. */
#ifndef DOMAIN_PROCESS_STAGE_H
#define DOMAIN_PROCESS_STAGE_H
#include "domain/process/engine.h"

/* The case has entered the state at at_us and its clock was started (limit_start). A stage entered
 * again overwrites what it left before; back: it comes from
 * a worker who confirmed it (process/confirm.h), and when it had reached the stage stays. */
void stage_enter(const struct engine *e, struct case_row *r, const struct state_def *state,
                 bool back, int64_t at_us);
/* The case's clock has stopped, gone on or been moved: the deadline of the stage it is in follows
 * due_at (a null cell while a clock stands that had not run out). */
void stage_due(const struct engine *e, struct case_row *r, struct cell due);
#endif
