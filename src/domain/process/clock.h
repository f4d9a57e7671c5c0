/* domain/process/clock.h - a case's clock that stops, goes on and is moved. Works on the row alone;
 * whoever calls writes the row and its step.
 *
 * A clock stands while it is suspended (挂账: approved, until a date) or held by an emergency, or
 * both; it goes on when neither holds it any more. While it stands, due_at and yellow_at are empty,
 * paused_due_at and clock_left_us keep what was left: working time of the limit's unit, to the
 * microsecond. Going on, the deadline is the moment at which exactly that much has passed: never a
 * fresh limit. A deadline that had passed before the clock stopped stays where it was. Time that a
 * clock stood is no time used (clock_stood_us). */
#ifndef DOMAIN_PROCESS_CLOCK_H
#define DOMAIN_PROCESS_CLOCK_H
#include "domain/process/engine.h"

/* Steps that no pack declares: the system makes them. */
#define CLOCK_STEP_DATE "clock_resume"
#define CLOCK_STEP_PAUSE "emergency_pause"
#define CLOCK_STEP_RESUME "emergency_resume"
/* What the route calls them; false for any other move. */
bool clock_step_title(const char *move, struct text *out);

bool clock_stands(const struct engine *e, const struct case_row *r);
bool clock_suspended(const struct engine *e, const struct case_row *r);
/* The emergency that holds the clock, or 0. */
int64_t clock_emergency(const struct engine *e, const struct case_row *r);

/* Each may be called whatever the clock does; one that stands for another reason goes on standing.
 * until_us: when a suspended clock goes on by itself. */
void clock_suspend(const struct engine *e, struct case_row *r, int64_t until_us, int64_t at_us);
void clock_hold(const struct engine *e, struct case_row *r, int64_t emergency, int64_t at_us);
/* End the suspension, or the emergency's hold; *goes_on: the clock runs again. */
void clock_unsuspend(const struct engine *e, struct case_row *r, int64_t at_us, bool *goes_on);
void clock_let_go(const struct engine *e, struct case_row *r, int64_t at_us, bool *goes_on);

/* Longer by so many working days, from the deadline that stands; the clock may stand or run, or
 * have run out. Nothing happens to a case without a deadline. */
void clock_extend(const struct engine *e, struct case_row *r, int64_t days, int64_t at_us);

/* What is left of the limit that the case is under, in microseconds of its unit; -1 when it has run
 * out. false: no limit runs. */
bool clock_left(const struct engine *e, const struct case_row *r, int64_t at_us, int64_t *left_us);
/* After limit_start and stage_enter: instead of its fresh limit the state goes on with what was
 * left when it was left; left_us < 0: it is late since due_us. */
void clock_take_up(const struct engine *e, struct case_row *r, int64_t left_us, int64_t due_us,
                   int64_t at_us);

/* A new limit has started (limit_start): nothing is asked, nothing stands. */
void clock_fresh(const struct engine *e, struct case_row *r);
/* After limit_start and stage_enter, in the writer: stop the clock at once if an emergency covers
 * the case. */
enum err_code clock_cover(const struct engine *e, struct tx *tx, struct case_row *r, int64_t at_us,
                          struct err *err) NODISCARD;

/* Time used in the state up to at_us, in thousandths of the unit of its limit, less what the clock
 * stood; 0 without a limit. */
int64_t clock_used(const struct engine *e, const struct case_row *r, const struct time_limit *l,
                   int64_t at_us);

/* ---- asking and answering: the key "clock" of a move ---- */
/* Whether the move fits what stands and what is asked (at_us 0: by the mark of being overdue
 * alone); *why (may be NULL) is told where somebody would wonder, and left alone where the move is
 * plainly not of this moment. */
bool clock_allows(const struct engine *e, const struct case_row *r, const struct move_def *m,
                  int64_t at_us, struct text *why);
/* What the move does to the clock, after its fields were set. *until_us and *days: what was asked
 * or given, 0 when nothing, for the step. ERR_INVALID with the input's pointer. */
enum err_code clock_move(const struct engine *e, struct case_row *r, const struct move_def *m,
                         const char *actor, const struct val *inputs, int64_t at_us,
                         int64_t *until_us, int64_t *days, struct err *err) NODISCARD;
#endif
