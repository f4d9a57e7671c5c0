#include "domain/measure/row_scan.h"

#include "store/sql.h"

enum { TEXT_ARENA = 1 << 20 };

static enum err_code query(struct db *db, int64_t ledger, const struct row_window *w,
                           struct arena *a, struct cursor **out, struct err *err) {
    const struct table *t = &w->type->table;
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT id");
    for (size_t i = 0; i < t->n_cols; i++) {
        sql_add(&s, ", ");
        sql_column(&s, t, (int)i, "");
    }
    sql_add(&s, " FROM ");
    sql_table(&s, t);
    sql_add(&s, " WHERE ledger = ");
    (void)sql_value(&s, cell_int(ledger));
    if (w->time_col >= 0) {
        sql_add(&s, " AND ");
        sql_column(&s, t, w->time_col, "");
        sql_add(&s, " >= ");
        (void)sql_value(&s, cell_int(w->from_us));
        sql_add(&s, " AND ");
        sql_column(&s, t, w->time_col, "");
        sql_add(&s, " < ");
        (void)sql_value(&s, cell_int(w->until_us));
    }
    return sql_query(&s, db, out, err);
}

/* Cells that borrow from the cursor until its next step. */
static void borrow_row(const struct cursor *c, const struct type_def *type, const bool *needed,
                       struct cell *cells) {
    for (size_t i = 0; i < type->table.n_cols; i++) {
        int col = (int)i + 1;
        cells[i] = cell_null();
        if (!needed[i] || cursor_is_null(c, col)) continue;
        enum col_type t = type->table.cols[i].type;
        if (t == COL_TEXT)
            cells[i] = cell_text(cursor_text(c, col));
        else if (t == COL_REAL)
            cells[i] = cell_real(cursor_real(c, col));
        else if (t != COL_JSON && t != COL_BLOB)
            cells[i] = cell_int(cursor_int(c, col));
    }
}

enum err_code
row_scan(struct db *db, int64_t ledger, const struct atoms *t, const struct row_window *w,
         enum err_code (*take)(void *ctx, const struct measured_row *row, struct err *err),
         void *ctx, struct err *err) {
    struct cell cells[TABLE_MAX_COLS];
    const struct measured_row row = {w->type, cells};
    struct cursor *c = NULL;
    size_t type = 0;
    while (type < t->n_types && t->types[type] != w->type) type++;
    app_assert(type < t->n_types);
    struct arena *a = arena_new(TEXT_ARENA);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "indicators");
    enum err_code rc = query(db, ledger, w, a, &c, err);
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        borrow_row(c, w->type, t->needed[type], cells);
        rc = take(ctx, &row, err);
    }
    cursor_close(c);
    arena_free(a);
    return rc;
}
