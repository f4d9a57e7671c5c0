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

/* The newest EMERGENCY_MAX_LIST, newest first. */
enum err_code emergency_list(struct db *db, struct arena *a, const struct emergency **out,
                             size_t *n, struct err *err) NODISCARD;
/* ERR_NOT_FOUND. */
enum err_code emergency_load(struct db *db, int64_t id, struct arena *a, struct emergency *out,
                             struct err *err) NODISCARD;
#endif
