/* store/look.h - a look at a folder without being its server: one read-only connection in one
 * snapshot, taken without the lock, so that a server may hold the folder meanwhile. Nothing is
 * migrated and nothing written. */
#ifndef STORE_LOOK_H
#define STORE_LOOK_H
#include "store/db.h"

/* Errors: ERR_NOT_FOUND no ledger there, ERR_CONFLICT made by a newer program,
 * ERR_INVALID by an older one (a table is missing), ERR_CORRUPT, ERR_IO. End with ledger_look_end.
 * Keep it short on a served folder: the log cannot start anew meanwhile.
 */
enum err_code ledger_look(const char *dir, int64_t ledger_id, struct db **out,
                          struct err *err) NODISCARD;
void ledger_look_end(struct db *db); /* NULL is legal */
#endif
