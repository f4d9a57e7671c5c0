/* domain/measure/measure.h - the live cube of a city: a follower of the journal that adds what a
 * row is now and takes away what it was, so that it always equals a recompute from the rows. Kept
 * in DIR/cube.snapshot between runs; when that is missing or the packs have changed it is made anew
 * from the tables. */
#ifndef DOMAIN_MEASURE_MEASURE_H
#define DOMAIN_MEASURE_MEASURE_H
#include "base/log.h"
#include "domain/measure/atoms.h"
#include "store/ledger.h"

struct measure;
/* Loads or makes the cube and starts following; what was written since the snapshot is caught up in
 * the background (ledger_catch_up waits for it). packs, tz and log live longer. Errors: those of
 * the ledger; ERR_NOMEM. */
enum err_code measure_open(struct ledger *l, const struct pack_set *packs, const struct tz *tz,
                           const struct log *log, struct measure **out, struct err *err) NODISCARD;
/* After ledger_close: nothing follows any more. Writes the snapshot. NULL is legal. */
void measure_close(struct measure *m);
const struct atoms *measure_atoms(const struct measure *m);

/* Waits until the cube has journal row `seq`, at most timeout_ms. Hold neither a reader nor the
 * cube meanwhile: following needs both. */
void measure_wait(struct measure *m, int64_t seq, int timeout_ms);
/* The cube as of *seq until measure_release; writers wait meanwhile, so be quick (milliseconds).
 * ERR_CORRUPT or ERR_LIMIT when following failed: the text says why, and a restart makes the cube
 * anew. Any thread, but never twice by one thread at once: a waiting writer goes first. */
enum err_code measure_borrow(struct measure *m, const struct cube **cube, int64_t *seq,
                             struct err *err) NODISCARD;
void measure_release(struct measure *m);

/* A cube from the tables as the connection sees them. O(rows x indicators). Free with cube_free. */
enum err_code measure_recompute(struct db *db, int64_t ledger, const struct atoms *t,
                                struct cube **out, struct err *err) NODISCARD;
/* The cube as it stood after journal row `seq`, from the images alone. */
enum err_code measure_as_of(struct db *db, int64_t ledger, const struct atoms *t, int64_t seq,
                            struct cube **out, struct err *err) NODISCARD;
#endif
