#include <string.h>

#include "domain/process/engine.h"

/* Cases whose clock has run out and that are not marked yet, oldest due first. */
static enum err_code due_query(const struct engine *e, struct db *db, struct arena *a,
                               int64_t before_us, int64_t max, struct cursor **out,
                               struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    case_select(e, &s, "");
    sql_add(&s, " FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " WHERE ledger = 1 AND overdue = 0 AND due_at IS NOT NULL AND due_at < ");
    sql_value(&s, cell_int(before_us));
    sql_add(&s, " ORDER BY due_at LIMIT ");
    sql_value(&s, cell_int(max));
    return sql_query(&s, db, out, err);
}

static enum err_code mark_overdue(const struct engine *e, struct tx *tx, struct case_row *r,
                                  struct err *err) {
    case_set(e, r, CASE_overdue, cell_int(1));
    TRY(tx_update(tx, &e->case_type->table, r->id, r->version, r->cells, err));
    r->version++;
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    const struct state_def *s = p == NULL ? NULL : process_state(p, case_text(e, r, CASE_state));
    if (s == NULL || s->overdue_move == NULL) return ERR_OK;
    struct actor system = {.kind = ACTOR_SYSTEM};
    const struct move_def *m = process_move(p, s->overdue_move);
    /* A move that the rules no longer allow (already at the top, bounce limit) leaves the mark
     * alone. */
    if (m == NULL || !move_allowed(e, r, m, &system, NULL)) return ERR_OK;
    TRY(case_move(e, tx, r, s->overdue_move, &system, NULL, -1, 0, NULL, err));
    return ERR_OK;
}

enum err_code clock_tick(const struct engine *e, struct tx *tx, int64_t max, int64_t *n,
                         struct err *err) {
    struct arena *a = tx_arena(tx);
    struct cursor *c = NULL;
    TRY(due_query(e, tx_db(tx), a, tx_now_us(tx), max, &c, err));
    struct case_row *rows = ARENA_NEW(a, struct case_row, (size_t)max);
    size_t found = 0;
    bool has = rows != NULL;
    enum err_code rc = rows == NULL ? err_fail(err, ERR_NOMEM, "clock") : ERR_OK;
    while (rc == ERR_OK && has && found < (size_t)max) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) case_row_read(e, c, 0, a, &rows[found++]);
    }
    cursor_close(c);
    TRY(rc);
    for (size_t i = 0; i < found; i++) TRY(mark_overdue(e, tx, &rows[i], err));
    *n = (int64_t)found;
    return ERR_OK;
}

enum err_code clock_next(const struct engine *e, struct db *db, int64_t *at_us, struct err *err) {
    struct arena *a = arena_new(1 << 16);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "clock");
    struct sql s;
    enum err_code rc = sql_begin(&s, a, err);
    struct cursor *c = NULL;
    if (rc == ERR_OK) {
        sql_add(&s, "SELECT due_at FROM ");
        sql_table(&s, &e->case_type->table);
        sql_add(&s,
                " WHERE ledger = 1 AND overdue = 0 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1");
        rc = sql_query(&s, db, &c, err);
    }
    bool has = false;
    if (rc == ERR_OK) rc = cursor_next(c, &has, err);
    if (rc == ERR_OK) *at_us = has ? cursor_int(c, 0) : INT64_MAX;
    cursor_close(c);
    arena_free(a);
    return rc;
}
