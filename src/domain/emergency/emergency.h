/* domain/emergency/emergency.h - declared emergencies, and the clocks they hold.
 *
 * An emergency is declared by one person and approved by another. From its declaration on, warnings
 * drop all guards but the one against default points, and index warnings wait (emergency_active).
 * From its approval on, the clocks of open cases of the covered classes in its area stand: those
 * that are open in batches, each a command of its own, so that the writer is never held for long;
 * those that are reported or moved on at once (emergency_attach). At its end they run again with
 * the working time that was left. Cases of urgent classes (danger to life or limb) are never
 * covered.
 *
 * Functions with a struct tx run inside a command on the writer thread, emergency_continue submits
 * commands and runs on no thread of the ledger; the rest read or are pure. */
#ifndef DOMAIN_EMERGENCY_EMERGENCY_H
#define DOMAIN_EMERGENCY_EMERGENCY_H
#include "domain/grid/grid.h"
#include "domain/process/engine.h"
#include "store/ledger.h"

enum {
    EMERGENCY_MAX_CLASSES = 200,
    EMERGENCY_MAX_TITLE = 200,   /* bytes */
    EMERGENCY_MAX_REASON = 2000, /* bytes */
    EMERGENCY_MAX_LIST = 200
};
enum emergency_state { EMERGENCY_DECLARED = 1, EMERGENCY_PAUSED = 2, EMERGENCY_ENDED = 3 };

/* Arena-owned. Times in UTC us, 0 = not (yet). */
struct emergency {
    int64_t id, version;
    const char *title, *area, *reason; /* area: a code; all areas below it are covered */
    const char *const *classes; /* ids ("event-0102"), kinds ("event") or kind and major class
                                   ("event-01") */
    size_t n_classes;           /* 1..EMERGENCY_MAX_CLASSES */
    enum emergency_state state;
    const char *declared_by, *approved_by, *ended_by; /* accounts; "" = nobody */
    int64_t declared_us, approved_us, ended_us;
    bool sweeping;               /* cases are still to be gone through */
    int64_t n_paused, n_resumed; /* cases whose clock it stopped, and let run again */
};
const char *emergency_state_name(enum emergency_state s); /* "declared", "paused", "ended" */

/* Those that stood at at_us: declared at or before it and not ended by it, approved or not; oldest
 * first. Cost: a walk over the emergencies of the ledger, which are few. */
enum err_code emergency_active(struct db *db, int64_t at_us, struct arena *a,
                               const struct emergency **out, size_t *n, struct err *err) NODISCARD;
/* Whether it covers the area: the area is its own, or lies below it. False for a code that the grid
 * does not know. Pure. */
bool emergency_covers_area(const struct grid *g, const struct emergency *e, const char *area);
/* Whether the class is covered: named, not urgent. Pure. */
bool emergency_covers_class(const struct emergency *e, const struct case_class *c);

/* ---- declare, approve, end: in a command ---- */
struct emergency_in {
    const char *title, *area, *reason; /* texts of 1 byte and more */
    const char *const *classes;
    size_t n_classes;
};
/* Whether the person's own area holds this one (or is the whole ledger). Pure. */
bool emergency_in_reach(const struct grid *g, const struct principal *who, const char *area);
/* Errors: ERR_INVALID with the field: a text that is missing or too long, an area that is not there
 * or not the person's, a kind of matter that is none or never waits. *id: the new row. */
enum err_code emergency_declare(const struct engine *e, struct tx *tx,
                                const struct emergency_in *in, const struct principal *who,
                                int64_t *id, struct err *err) NODISCARD;
/* By another person than who declared it (ERR_FORBIDDEN). ERR_NOT_FOUND also outside the person's
 * area; ERR_CONFLICT when it is not declared any more, or when the packs of this folder have no
 * fields for a clock that stands. Cases are gone through afterwards (emergency_continue). */
enum err_code emergency_approve(const struct engine *e, struct tx *tx, int64_t id,
                                const struct principal *who, struct err *err) NODISCARD;
/* End it; one that was only declared is withdrawn by this. ERR_NOT_FOUND, ERR_CONFLICT as above. */
enum err_code emergency_end(const struct engine *e, struct tx *tx, int64_t id,
                            const struct principal *who, struct err *err) NODISCARD;

/* ---- the clocks ---- */
/* From now on the engine asks, for each clock that starts, whether an emergency in force covers the
 * case. Once, before the first command. */
void emergency_attach(struct engine *e);
enum { EMERGENCY_BATCH = 100 }; /* cases a command */
/* Go through the cases of whatever was approved or ended, in batches, until nothing is left to do
 * or `more` says no (NULL: always yes; asked before each batch). What was begun before a crash is
 * taken up here: the row says what is still to be done, and a case says whether it was done.
 * *n (may be NULL): cases whose clock was stopped or let go. Not on the writer thread. */
enum err_code emergency_continue(struct ledger *l, const struct engine *e, bool (*more)(void *ctx),
                                 void *ctx, int64_t *n, struct err *err) NODISCARD;
/* Open cases whose clock it would stop now, and those it leaves alone because they are urgent;
 * `em` needs an area and classes only. Cost: a walk over the open cases. */
enum err_code emergency_count(const struct engine *e, struct db *db, const struct emergency *em,
                              struct arena *a, int64_t *n_covered, int64_t *n_urgent,
                              struct err *err) NODISCARD;
/* Cases whose clock it holds now. */
enum err_code emergency_holds(const struct engine *e, struct db *db, int64_t id, struct arena *a,
                              int64_t *n, struct err *err) NODISCARD;

/* The newest EMERGENCY_MAX_LIST, newest first. */
enum err_code emergency_list(struct db *db, struct arena *a, const struct emergency **out,
                             size_t *n, struct err *err) NODISCARD;
/* ERR_NOT_FOUND. */
enum err_code emergency_load(struct db *db, int64_t id, struct arena *a, struct emergency *out,
                             struct err *err) NODISCARD;
#endif
