/* domain/measure/as_of.h - records as they stood after a journal row, from their images alone. */
#ifndef DOMAIN_MEASURE_AS_OF_H
#define DOMAIN_MEASURE_AS_OF_H
#include "base/err.h"
#include "store/db.h"

/* Calls take with the last image at or before seq of each record of a table that had one; the image
 * is borrowed for the call. An error of take ends the walk. O(journal rows of the table). */
enum err_code images_as_of(struct db *db, int64_t ledger, const char *table, int64_t seq,
                           enum err_code (*take)(void *ctx, const char *image, size_t n,
                                                 struct err *err),
                           void *ctx, struct err *err) NODISCARD;
#endif
