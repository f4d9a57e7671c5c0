/* Counts for the command map: by state and light, within one's rights. */
#include <string.h>

#include "api/case_view.h"
#include "api/handlers.h"
#include "base/civil.h"

/* Warnings and supervision are not counted among the cases. By their ids, so that the index alone
 * still answers: the class is not in it. */
static void leave_out_tasks(struct call *c, struct sql *s) {
    const struct type_def *t = c->app->engine->case_type;
    int about = type_field(t, "about");
    sql_add(s, " AND c.id NOT IN (SELECT case_id FROM warning WHERE ledger = 1)");
    if (about < 0) return; /* packs without them */
    sql_add(s, " AND c.id NOT IN (SELECT id FROM ");
    sql_table(s, &t->table);
    sql_add(s, " WHERE ledger = 1 AND ");
    sql_column(s, &t->table, about, "");
    sql_add(s, " IS NOT NULL)");
}

static void from_scope(struct call *c, struct sql *s) {
    sql_add(s, " FROM ");
    sql_table(s, &c->app->engine->case_type->table);
    sql_add(s, " c WHERE c.ledger = 1 AND ");
    rights_case_where(c->who, &c->app->engine->case_type->table, "c.", s);
    leave_out_tasks(c, s);
}

static enum err_code area_scope(struct call *c, struct sql *s, struct err *err) {
    static const enum case_field level_field[GRID_LEVELS] = {CASE_city, CASE_city, CASE_county,
                                                             CASE_town, CASE_community};
    const char *code = call_query(c, "area");
    if (code == NULL || code[0] == '\0') return ERR_OK;
    const struct grid *g = grid_ref(c->app->grid);
    int i = grid_area_index(g, code);
    int level = i == GRID_NONE ? 0 : g->areas[i].level;
    grid_unref(g);
    if (i == GRID_NONE) return err_fail(err, ERR_INVALID, "there is no area \"%.40s\"", code);
    sql_add(s, " AND ");
    sql_column(s, &c->app->engine->case_type->table, c->app->engine->case_col[level_field[level]],
               "c.");
    sql_add(s, " = ");
    sql_value(s, cell_text(code));
    return ERR_OK;
}

static enum err_code by_state(struct call *c, struct db *db, struct jw *w, struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, c->a, err));
    sql_add(&s, "SELECT c.state, COUNT(*)");
    from_scope(c, &s);
    TRY(area_scope(c, &s, err));
    sql_add(&s, " AND c.closed_at IS NULL GROUP BY c.state ORDER BY c.state");
    struct cursor *cur = NULL;
    TRY(sql_query(&s, db, &cur, err));
    int64_t open = 0;
    enum err_code rc = ERR_OK;
    jw_key(w, "by_state");
    jw_obj(w);
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        jw_kint(w, cursor_text(cur, 0), cursor_int(cur, 1));
        open += cursor_int(cur, 1);
    }
    jw_end(w, '}');
    cursor_close(cur);
    jw_kint(w, "open", open);
    return rc;
}

/* Clocks that stand, and what waits for an answer about them: each from an index of its own. */
static enum err_code standing(struct call *c, struct db *db, bool asked, int64_t *n,
                              struct err *err) {
    struct sql s;
    *n = 0;
    if (!c->app->engine->clocks_stop) return ERR_OK;
    TRY(sql_begin(&s, c->a, err));
    sql_add(&s, "SELECT COUNT(*)");
    from_scope(c, &s);
    TRY(area_scope(c, &s, err));
    if (asked)
        sql_add(&s, " AND c.asked IS NOT NULL");
    else
        sql_add(&s, " AND c.paused_at IS NOT NULL");
    struct cursor *cur = NULL;
    TRY(sql_query(&s, db, &cur, err));
    bool has = false;
    enum err_code rc = cursor_next(cur, &has, err);
    *n = has ? cursor_int(cur, 0) : 0;
    cursor_close(cur);
    return rc;
}

static enum err_code by_light(struct call *c, struct db *db, struct jw *w, struct err *err) {
    struct sql s;
    int64_t paused = 0, asked = 0;
    TRY(standing(c, db, false, &paused, err));
    TRY(standing(c, db, true, &asked, err));
    TRY(sql_begin(&s, c->a, err));
    sql_add(&s, "SELECT SUM(CASE WHEN c.due_at < ");
    int now = sql_value(&s, cell_int(clock_now_us(&c->app->clock)));
    sql_add(&s, " THEN 1 ELSE 0 END), SUM(CASE WHEN c.due_at >= ");
    sql_again(&s, now);
    sql_add(&s, " AND c.yellow_at < ");
    sql_again(&s, now);
    sql_add(&s, " THEN 1 ELSE 0 END), SUM(CASE WHEN c.yellow_at >= ");
    sql_again(&s, now);
    sql_add(&s, " THEN 1 ELSE 0 END), SUM(c.overdue)");
    from_scope(c, &s);
    TRY(area_scope(c, &s, err));
    sql_add(&s, " AND c.closed_at IS NULL");
    struct cursor *cur = NULL;
    TRY(sql_query(&s, db, &cur, err));
    bool has = false;
    enum err_code rc = cursor_next(cur, &has, err);
    jw_key(w, "by_light");
    jw_obj(w);
    jw_kint(w, "red", has ? cursor_int(cur, 0) : 0);
    jw_kint(w, "yellow", has ? cursor_int(cur, 1) : 0);
    jw_kint(w, "green", has ? cursor_int(cur, 2) : 0);
    jw_kint(w, "paused", paused);
    jw_end(w, '}');
    jw_kint(w, "overdue", has ? cursor_int(cur, 3) : 0);
    jw_kint(w, "asked", asked);
    cursor_close(cur);
    return rc;
}

static enum err_code since(struct call *c, struct db *db, enum case_field f, int64_t from_us,
                           int64_t *n, struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, c->a, err));
    sql_add(&s, "SELECT COUNT(*)");
    from_scope(c, &s);
    TRY(area_scope(c, &s, err));
    sql_add(&s, " AND ");
    sql_column(&s, &c->app->engine->case_type->table, c->app->engine->case_col[f], "c.");
    sql_add(&s, " >= ");
    sql_value(&s, cell_int(from_us));
    struct cursor *cur = NULL;
    TRY(sql_query(&s, db, &cur, err));
    bool has = false;
    enum err_code rc = cursor_next(cur, &has, err);
    *n = has ? cursor_int(cur, 0) : 0;
    cursor_close(cur);
    return rc;
}

static int64_t no_post_cells(const struct grid *g, int64_t now_us) {
    int64_t n = 0;
    for (size_t i = 0; i < g->n_cells; i++) {
        struct place p = grid_place_of_cell(g, (int)i, now_us);
        n += p.unbound ? 1 : 0;
    }
    return n;
}

static enum err_code write_counts(struct call *c, struct db *db, struct jw *w, struct err *err) {
    int64_t now = clock_now_us(&c->app->clock);
    int64_t local = tz_to_local(c->app->tz, now);
    int64_t midnight = tz_to_utc(c->app->tz, local - local % 86400000000);
    int64_t reported = 0, closed = 0;
    TRY(since(c, db, CASE_opened_at, midnight, &reported, err));
    TRY(since(c, db, CASE_closed_at, midnight, &closed, err));
    jw_obj(w);
    TRY(by_state(c, db, w, err));
    TRY(by_light(c, db, w, err));
    jw_key(w, "today");
    jw_obj(w);
    jw_kint(w, "reported", reported);
    jw_kint(w, "closed", closed);
    jw_end(w, '}');
    const struct grid *g = grid_ref(c->app->grid);
    jw_kint(w, "no_post_cells", no_post_cells(g, now));
    grid_unref(g);
    jw_end(w, '}');
    return ERR_OK;
}

enum err_code counts_get(struct call *c, struct err *err) {
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    struct jw w = call_json(c);
    enum err_code rc = write_counts(c, reader_db(rd), &w, err);
    ledger_read_end(rd);
    return rc;
}
