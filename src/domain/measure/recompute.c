/* The cube from what is stored: from the tables as they stand, or from the journal as of a sequence
 * number. */
#include <string.h>

#include "domain/measure/measure.h"
#include "domain/measure/row_scan.h"
#include "store/statements.h"

enum { ROW_ARENA = 4 << 20 };

struct adding {
    const struct atoms *atoms;
    struct cube *cube;
};

static enum err_code add_row(void *ctx, const struct measured_row *row, struct err *err) {
    const struct adding *x = ctx;
    return row_add(x->atoms, row, 1, x->cube, err);
}

enum err_code measure_recompute(struct db *db, int64_t ledger, const struct atoms *t,
                                struct cube **out, struct err *err) {
    struct cube *cube = NULL;
    *out = NULL;
    TRY(cube_new(t->n, t->wide, &cube, err));
    enum err_code rc = ERR_OK;
    struct adding x = {t, cube};
    for (size_t i = 0; rc == ERR_OK && i < t->n_types; i++) {
        struct row_window all = {t->types[i], -1, 0, 0};
        rc = row_scan(db, ledger, t, &all, add_row, &x, err);
    }
    if (rc == ERR_OK)
        *out = cube;
    else
        cube_free(cube);
    return rc;
}

/* ---- as of a sequence number */

static enum err_code add_image(const struct atoms *t, const struct type_def *type,
                               const char *image, size_t n, struct cube *cube, struct err *err) {
    struct cell cells[TABLE_MAX_COLS];
    const struct measured_row row = {type, cells};
    struct arena *a = arena_new(ROW_ARENA);
    enum err_code rc = a == NULL ? err_fail(err, ERR_NOMEM, "indicators")
                                 : row_of_image(t, type, a, image, n, cells, err);
    if (rc == ERR_OK) rc = row_add(t, &row, 1, cube, err);
    arena_free(a);
    return rc;
}

/* The last image of each record at or before seq: images come by record and time. */
static enum err_code add_journal(const struct atoms *t, const struct type_def *type,
                                 struct cursor *c, int64_t seq, struct cube *cube,
                                 struct err *err) {
    struct buf last;
    int64_t id = 0;
    enum err_code rc = ERR_OK;
    buf_init(&last, ROW_ARENA);
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK) break;
        if (last.n > 0 && (!has || cursor_int(c, 1) != id)) {
            rc = add_image(t, type, buf_text(&last), last.n, cube, err);
            buf_clear(&last);
        }
        if (rc != ERR_OK || !has || cursor_int(c, 0) > seq) continue;
        size_t n = 0;
        const char *image = cursor_blob(c, 3, &n);
        id = cursor_int(c, 1);
        buf_clear(&last);
        buf_add(&last, image, n);
        rc = buf_check(&last, err);
    }
    buf_deinit(&last);
    return rc;
}

enum err_code measure_as_of(struct db *db, int64_t ledger, const struct atoms *t, int64_t seq,
                            struct cube **out, struct err *err) {
    struct cube *cube = NULL;
    *out = NULL;
    TRY(cube_new(t->n, t->wide, &cube, err));
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < t->n_types; i++) {
        struct cell p[2] = {cell_int(ledger), cell_text(t->types[i]->table.name)};
        struct cursor *c = NULL;
        rc = db_query(db, stmt_sql(STMT_JOURNAL_ROWS), p, 2, &c, err);
        if (rc == ERR_OK) rc = add_journal(t, t->types[i], c, seq, cube, err);
        cursor_close(c);
    }
    if (rc == ERR_OK)
        *out = cube;
    else
        cube_free(cube);
    return rc;
}
