/* Who must act after a move is told so in the page. */
#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "domain/identity/notice.h"
#include "domain/process/confirm.h"
#include "domain/warning/warning.h"
#include "store/tables.h"

enum { MAX_TOLD = 20 };

static enum err_code tell(struct tx *tx, const char *account, const char *by, const char *kind,
                          const char *code, struct text text, struct err *err) {
    if (account[0] == '\0' || strcmp(account, by) == 0) return ERR_OK;
    return notice_add(tx, account, kind, code, text, err);
}

/* Accounts of the unit that the case lies with now. */
static enum err_code tell_unit(struct tx *tx, const char *unit, const char *by, const char *kind,
                               const char *code, struct text text, struct err *err) {
    struct arena *a = tx_arena(tx);
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT name FROM account WHERE ledger = 1 AND state = 'active' AND unit = ");
    sql_value(&s, cell_text(unit));
    sql_add(&s, " ORDER BY id LIMIT 20");
    struct cursor *c = NULL;
    TRY(sql_query(&s, tx_db(tx), &c, err));
    const char *names[MAX_TOLD];
    size_t n = 0;
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && n < MAX_TOLD;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has && (names[n] = arena_strdup(a, cursor_text(c, 0))) != NULL) n++;
    }
    cursor_close(c);
    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        rc = tell(tx, names[i], by, kind, code, text, err);
    return rc;
}

/* Whoever goes and looks for the desk today. */
static enum err_code tell_worker(const struct engine *e, struct tx *tx, const struct case_row *r,
                                 const char *by, const char *kind, const char *code,
                                 struct text text, struct err *err) {
    const struct grid *g = grid_ref(e->grid);
    enum err_code rc = tell(tx, confirm_worker(e, g, r, tx_now_us(tx)), by, kind, code, text, err);
    grid_unref(g);
    return rc;
}

enum err_code notify_move(const struct app *app, struct tx *tx, const struct case_row *r,
                          const char *move, const char *by, struct err *err) {
    const struct engine *e = app->engine;
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    const struct move_def *m = p == NULL ? NULL : process_move(p, move);
    const struct state_def *s = p == NULL ? NULL : process_state(p, case_text(e, r, CASE_state));
    if (m == NULL || s == NULL || m->to == NULL) return ERR_OK;
    if (class_is_task(case_text(e, r, CASE_class))) return warn_tell(tx, e, r, move, NULL, by, err);
    char en[NOTICE_TEXT], zh[NOTICE_TEXT];
    const char *code = case_text(e, r, CASE_code);
    (void)snprintf(en, sizeof en, "%.48s: %.150s. It waits for you.", code, m->done.en);
    (void)snprintf(zh, sizeof zh, "%.48s：%.150s，请您处理。", code, m->done.zh);
    struct text text = {en, zh};
    const char *holder = case_text(e, r, CASE_holder), *unit = case_text(e, r, CASE_unit);
    if (holder[0] != '\0') return tell(tx, holder, by, move, code, text, err);
    if (strcmp(s->holder, "unit") == 0 && unit[0] != '\0')
        return tell_unit(tx, unit, by, move, code, text, err);
    return confirm_state(s) ? tell_worker(e, tx, r, by, move, code, text, err) : ERR_OK;
}

enum err_code notify_clock(struct tx *tx, const struct case_row *r, const char *move, void *ctx,
                           struct err *err) {
    const struct app *app = ctx;
    if (class_is_task(case_text(app->engine, r, CASE_class)))
        return warn_tell_late(tx, app->engine, r, move, err);
    return notify_move(app, tx, r, move, "system", err);
}
