#include <string.h>

#include "domain/process/clock.h"
#include "domain/process/step.h"

/* What time brings to a case. */
enum due { RUNS_OUT, SUSPENSION_ENDS };

/* Of the cases that wait for it, the first `max` that it reaches by then, the earliest first. */
static void sql_from_due(struct sql *s, const struct engine *e, enum due what, int64_t by_us,
                         int64_t max) {
    sql_add(s, " FROM ");
    sql_table(s, &e->case_type->table);
    if (what == RUNS_OUT)
        sql_add(s, " WHERE ledger = 1 AND overdue = 0 AND due_at IS NOT NULL AND due_at < ");
    else
        sql_add(s, " WHERE ledger = 1 AND paused_until IS NOT NULL AND paused_until <= ");
    sql_value(s, cell_int(by_us));
    if (what == RUNS_OUT)
        sql_add(s, " ORDER BY due_at LIMIT ");
    else
        sql_add(s, " ORDER BY paused_until LIMIT ");
    sql_value(s, cell_int(max));
}

static enum err_code due_query(const struct engine *e, struct db *db, struct arena *a,
                               enum due what, int64_t by_us, int64_t max, struct cursor **out,
                               struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    case_select(e, &s, "");
    sql_from_due(&s, e, what, by_us, max);
    return sql_query(&s, db, out, err);
}

static enum err_code mark_overdue(const struct engine *e, struct tx *tx, struct case_row *r,
                                  const struct clock_watch *watch, struct err *err) {
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
    return watch == NULL ? ERR_OK : watch->moved(tx, r, s->overdue_move, watch->ctx, err);
}

/* However late the tick comes, the clock has run since the date. */
static enum err_code resume(const struct engine *e, struct tx *tx, struct case_row *r,
                            struct err *err) {
    int64_t at_us = case_int(e, r, CASE_paused_until);
    bool goes_on = false;
    clock_unsuspend(e, r, at_us, &goes_on);
    TRY(tx_update(tx, &e->case_type->table, r->id, r->version, r->cells, err));
    r->version++;
    struct step s = {.move = CLOCK_STEP_DATE,
                     .from = case_text(e, r, CASE_state),
                     .to = case_text(e, r, CASE_state),
                     .actor = "system",
                     .role = "system",
                     .at_us = at_us,
                     .is_public = goes_on};
    return step_add(e, tx, r, &s, NULL, err);
}

static enum err_code read_rows(const struct engine *e, struct cursor *c, struct arena *a,
                               int64_t max, struct case_row **out, size_t *n, struct err *err) {
    struct case_row *rows = ARENA_NEW(a, struct case_row, (size_t)max);
    bool has = rows != NULL;
    enum err_code rc = rows == NULL ? err_fail(err, ERR_NOMEM, "clock") : ERR_OK;
    *n = 0;
    while (rc == ERR_OK && has && *n < (size_t)max) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) case_row_read(e, c, 0, a, &rows[(*n)++]);
    }
    cursor_close(c);
    *out = rows;
    return rc;
}

enum err_code clock_tick(const struct engine *e, struct tx *tx, int64_t max,
                         const struct clock_watch *watch, int64_t *n, struct err *err) {
    struct arena *a = tx_arena(tx);
    struct cursor *c = NULL;
    struct case_row *rows = NULL;
    size_t resumed = 0, late = 0;
    if (e->clocks_stop) {
        TRY(due_query(e, tx_db(tx), a, SUSPENSION_ENDS, tx_now_us(tx), max, &c, err));
        TRY(read_rows(e, c, a, max, &rows, &resumed, err));
        for (size_t i = 0; i < resumed; i++) TRY(resume(e, tx, &rows[i], err));
    }
    int64_t left = max - (int64_t)resumed;
    if (left > 0) {
        TRY(due_query(e, tx_db(tx), a, RUNS_OUT, tx_now_us(tx), left, &c, err));
        TRY(read_rows(e, c, a, left, &rows, &late, err));
        for (size_t i = 0; i < late; i++) TRY(mark_overdue(e, tx, &rows[i], watch, err));
    }
    *n = (int64_t)(resumed + late);
    return ERR_OK;
}

/* When it reaches the first case; INT64_MAX: none waits. */
static enum err_code earliest(const struct engine *e, struct db *db, struct arena *a, enum due what,
                              int64_t *at_us, struct err *err) {
    struct cursor *c = NULL;
    struct sql s;
    bool has = false;
    TRY(sql_begin(&s, a, err));
    if (what == RUNS_OUT)
        sql_add(&s, "SELECT due_at");
    else
        sql_add(&s, "SELECT paused_until");
    sql_from_due(&s, e, what, INT64_MAX, 1);
    TRY(sql_query(&s, db, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    *at_us = rc == ERR_OK && has ? cursor_int(c, 0) : INT64_MAX;
    cursor_close(c);
    return rc;
}

static enum err_code next_of(const struct engine *e, struct db *db, struct arena *a, int64_t *at_us,
                             struct err *err) {
    int64_t due = INT64_MAX, date = INT64_MAX;
    TRY(earliest(e, db, a, RUNS_OUT, &due, err));
    if (e->clocks_stop) TRY(earliest(e, db, a, SUSPENSION_ENDS, &date, err));
    *at_us = due < date ? due : date;
    return ERR_OK;
}

enum err_code clock_next(const struct engine *e, struct db *db, int64_t *at_us, struct err *err) {
    struct arena *a = arena_new(1 << 16);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "clock");
    enum err_code rc = next_of(e, db, a, at_us, err);
    arena_free(a);
    return rc;
}
