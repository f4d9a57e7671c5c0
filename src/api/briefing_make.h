/* api/briefing_make.h - forming a briefing on a running server: for a person who asks, and by the
 * clock. */
#ifndef API_BRIEFING_MAKE_H
#define API_BRIEFING_MAKE_H
#include "api/app.h"
#include "domain/briefing/store.h"

struct briefing_wish {
    const char *index;
    struct period period;
    const char *area; /* NULL or "": the city */
};
/* Forms the document and fills `out` but for what the command sets; all of it is the arena's. Waits
 * until tables and cube are of one journal row: a thread of the pool, or the ticker's. Errors:
 * those of briefing_gather; ERR_NOT_FOUND no such index; ERR_BUSY figures come in without a pause.
 */
enum err_code briefing_make(struct app *app, const struct briefing_wish *wish, struct arena *a,
                            struct briefing_keep *out, struct err *err) NODISCARD;

/* By the clock: forms at most one briefing that is due and was never formed. next_us is the
 * caller's: the earliest time of the next look, 0 at first. */
void briefing_tick(struct app *app, int64_t *next_us);
#endif
