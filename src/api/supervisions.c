/* Supervision: what is due, by whom, for how long; and supervising a case by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/warning_view.h"

enum { DEFAULT_LIMIT = 100, MAX_LIMIT = 200, MAX_TEXT = 2000, MAX_DAYS = 60 };

static enum err_code and_filters(struct call *c, struct sql *s, struct err *err) {
    const char *open = call_query(c, "open"), *unit = call_query(c, "unit");
    const char *after = call_query(c, "cursor");
    if (open == NULL || strcmp(open, "true") == 0) sql_add(s, " AND c.closed_at IS NULL");
    if (open != NULL && strcmp(open, "false") == 0) sql_add(s, " AND c.closed_at IS NOT NULL");
    if (unit != NULL && unit[0] != '\0') {
        sql_add(s, " AND c.unit = ");
        (void)sql_value(s, cell_text(unit));
    }
    TRY(and_area(c, s, call_query(c, "area"), err));
    if (after == NULL || after[0] == '\0') return ERR_OK;
    char *end = NULL;
    long long id = strtoll(after, &end, 10);
    if (end == after || *end != '\0')
        return err_fail(err, ERR_INVALID, "parameter \"cursor\": expected the value of \"next\"");
    sql_add(s, " AND c.id < ");
    (void)sql_value(s, cell_int(id));
    return ERR_OK;
}

/* Newest first; the page sorts by what is due. */
static enum err_code read_page(struct call *c, struct db *db, int64_t limit, struct case_row **out,
                               size_t *n, struct err *err) {
    const struct engine *e = c->app->engine;
    struct case_row *row = ARENA_NEW(c->a, struct case_row, (size_t)limit + 1);
    struct sql s;
    struct cursor *cur = NULL;
    int about = 0;
    if (row == NULL) return err_fail(err, ERR_NOMEM, "supervision");
    TRY(task_field(e, "about", &about, err));
    TRY(sql_begin(&s, c->a, err));
    sql_add(&s, "SELECT ");
    case_select(e, &s, "c.");
    sql_add(&s, " FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " c WHERE c.ledger = 1 AND ");
    /* By its index: cases about nothing are all the others. */
    sql_column(&s, &e->case_type->table, about, "c.");
    sql_add(&s, " IS NOT NULL AND c.process = 'supervision' AND ");
    rights_case_where(c->who, &e->case_type->table, "c.", &s);
    TRY(and_filters(c, &s, err));
    sql_add(&s, " ORDER BY c.id DESC LIMIT ");
    (void)sql_value(&s, cell_int(limit + 1));
    TRY(sql_query(&s, db, &cur, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && *n <= (size_t)limit;) {
        rc = cursor_next(cur, &has, err);
        if (rc == ERR_OK && has) case_row_read(e, cur, 0, c->a, &row[(*n)++]);
    }
    cursor_close(cur);
    *out = row;
    return rc;
}

static enum err_code write_page(struct call *c, const struct view *v, int64_t limit,
                                struct err *err) {
    struct case_row *row = NULL;
    size_t n = 0;
    TRY(read_page(c, v->db, limit, &row, &n, err));
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < n && i < (size_t)limit; i++) TRY(supervision_json(v, &w, &row[i], err));
    jw_end(&w, ']');
    char *next = NULL;
    if (n > (size_t)limit) next = arena_printf(c->a, "%lld", (long long)row[limit - 1].id);
    jw_kstr(&w, "next", next);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code supervision_list(struct call *c, struct err *err) {
    int64_t limit = DEFAULT_LIMIT;
    struct reader *rd = NULL;
    TRY(call_query_int(c, "limit", 1, MAX_LIMIT, &limit, err));
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), false};
    enum err_code rc = write_page(c, &v, limit, err);
    grid_unref(g);
    ledger_read_end(rd);
    return rc;
}

/* ---- by hand */

struct supervise_call {
    struct call *call;
    const char *about, *unit, *text;
    int64_t level, due_days;
};

static enum err_code supervise_apply(struct tx *tx, void *arg, struct err *err) {
    struct supervise_call *s = arg;
    struct call *c = s->call;
    const struct engine *e = c->app->engine;
    struct case_row *about = ARENA_NEW(tx_arena(tx), struct case_row, 2);
    if (about == NULL) return err_fail(err, ERR_NOMEM, "supervision");
    struct case_row *made = about + 1;
    enum err_code rc = case_load(e, tx_db(tx), s->about, tx_arena(tx), about, err);
    if (rc == ERR_NOT_FOUND || (rc == ERR_OK && !case_may(e, about, c->who))) {
        (void)err_fail(err, ERR_INVALID, "there is no case \"%.48s\"", s->about);
        return err_field(err, ERR_INVALID, "/about");
    }
    TRY(rc);
    struct supervise in = {.engine = e,
                           .about = about,
                           .unit = s->unit,
                           .text = s->text,
                           .level = (int)s->level,
                           .due_days = s->due_days,
                           .who = c->who};
    TRY(warn_supervise(tx, &in, made, err));
    TRY(case_load(e, tx_db(tx), case_text(e, made, CASE_code), tx_arena(tx), made, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct view v = {c->app, g, tx_db(tx), tx_arena(tx), tx_now_us(tx), false};
    struct reply *reply = tx_reply(tx);
    reply->status = 201;
    (void)snprintf(reply->location, sizeof reply->location, "/api/v1/cases/%s",
                   case_text(e, made, CASE_code));
    (void)snprintf(reply->etag, sizeof reply->etag, "%lld", (long long)made->version);
    struct jw w;
    jw_init(&w, &reply->body);
    rc = supervision_json(&v, &w, made, err);
    grid_unref(g);
    return rc == ERR_OK ? buf_check(&reply->body, err) : rc;
}

enum err_code supervision_post(struct call *c, struct err *err) {
    static const char *const known[] = {"about", "unit", "level", "text", "due_days", NULL};
    const struct val *body = NULL;
    struct supervise_call *s = ARENA_NEW(c->a, struct supervise_call, 1);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "supervision");
    *s = (struct supervise_call){.call = c, .unit = "", .level = 1};
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "about", true, 48, &s->about, err));
    TRY(val_str(body, "unit", false, 40, &s->unit, err));
    TRY(val_str(body, "text", true, MAX_TEXT, &s->text, err));
    TRY(val_int(body, "level", false, 1, 3, &s->level, err));
    TRY(val_int(body, "due_days", false, 1, MAX_DAYS, &s->due_days, err));
    return call_run(c, "supervision.open", NULL, supervise_apply, s, err);
}
