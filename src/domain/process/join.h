/* domain/process/join.h - one thing told by many is one case: a move marked "join" ends a report as
 * the same matter as another open case, whose number of different reporters it raises. How urgent
 * a number makes a case is declared in its process. docs/warnings.md. */
#ifndef DOMAIN_PROCESS_JOIN_H
#define DOMAIN_PROCESS_JOIN_H
#include "domain/process/engine.h"

/* Within these minutes of each other, two reports of one exact point without a name are of one
 * sender: what the guard against repeats takes. */
enum { JOIN_SAME_MINUTES = 30, JOIN_MAX_REPORTS = 1000 };

/* In the writer, before the row is written. Input "same_as" is the number of the other case: of the
 * same process, open, within the actor's rights, itself no joined one; the row must have none
 * joined to it. Sets duplicate_of and writes the other case's number of reporters. Errors:
 * ERR_INVALID at /same_as. A folder whose case type has no field "reporters" joins without a
 * count. Cost: one query and the contacts of the matter's reports. */
enum err_code join_enter(const struct engine *e, struct tx *tx, struct case_row *r,
                         const struct actor *actor, const struct val *inputs,
                         struct err *err) NODISCARD;
/* The row is open again: it stands for itself, and the other case counts without it. Nothing
 * happens to a row that was not joined. */
enum err_code join_leave(const struct engine *e, struct tx *tx, struct case_row *r,
                         struct err *err) NODISCARD;

/* How many different people have reported the matter: 1 when nothing was joined. */
int64_t join_reporters(const struct engine *e, const struct case_row *r);
/* The number of a case by its row id; NULL when there is none. Arena copy. */
enum err_code case_code_of(const struct engine *e, struct db *db, int64_t id, struct arena *a,
                           const char **out, struct err *err) NODISCARD;
/* 1 the lowest level ..., with its title; 0 below the first. */
int join_urgency(const struct engine *e, const struct case_row *r, struct text *title);
#endif
