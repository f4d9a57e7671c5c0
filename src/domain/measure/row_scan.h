/* domain/measure/row_scan.h - the rows of a counted type, one after the other. */
#ifndef DOMAIN_MEASURE_ROW_SCAN_H
#define DOMAIN_MEASURE_ROW_SCAN_H
#include "domain/measure/atoms.h"
#include "store/db.h"

struct row_window {
    const struct type_def *type;
    int time_col;              /* -1: every row */
    int64_t from_us, until_us; /* of that column, UTC */
};
/* Calls take for each row, with the columns that indicators look at; its cells are borrowed for the
 * call. An error of take ends the walk. */
enum err_code
row_scan(struct db *db, int64_t ledger, const struct atoms *t, const struct row_window *w,
         enum err_code (*take)(void *ctx, const struct measured_row *row, struct err *err),
         void *ctx, struct err *err) NODISCARD;
#endif
