#include "domain/measure/as_of.h"

#include "base/buf.h"
#include "store/statements.h"

enum { MAX_IMAGE = 4 << 20 };

/* Images come by record and time: the last one kept is told when the next record begins. */
static enum err_code walk(struct cursor *c, int64_t seq, struct buf *last,
                          enum err_code (*take)(void *, const char *, size_t, struct err *),
                          void *ctx, struct err *err) {
    int64_t id = 0;
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK) break;
        if (last->n > 0 && (!has || cursor_int(c, 1) != id)) {
            rc = take(ctx, buf_text(last), last->n, err);
            buf_clear(last);
        }
        if (rc != ERR_OK || !has || cursor_int(c, 0) > seq) continue;
        size_t n = 0;
        const char *image = cursor_blob(c, 3, &n);
        id = cursor_int(c, 1);
        buf_clear(last);
        buf_add(last, image, n);
        rc = buf_check(last, err);
    }
    return rc;
}

enum err_code images_as_of(struct db *db, int64_t ledger, const char *table, int64_t seq,
                           enum err_code (*take)(void *ctx, const char *image, size_t n,
                                                 struct err *err),
                           void *ctx, struct err *err) {
    struct cell p[2] = {cell_int(ledger), cell_text(table)};
    struct cursor *c = NULL;
    struct buf last;
    buf_init(&last, MAX_IMAGE);
    enum err_code rc = db_query(db, stmt_sql(STMT_JOURNAL_ROWS), p, 2, &c, err);
    if (rc == ERR_OK) rc = walk(c, seq, &last, take, ctx, err);
    cursor_close(c);
    buf_deinit(&last);
    return rc;
}
