/* The audit list: who did what, when, for what purpose; never what a personal field holds. */
#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "store/statements.h"

enum { MAX_PAGE = 500 };

static const char *or_null(const char *s) { return s[0] == '\0' ? NULL : s; }

static void row_json(struct jw *w, const struct cursor *c) {
    jw_obj(w);
    jw_kint(w, "seq", cursor_int(c, 0));
    jw_ktime(w, "at", cursor_int(c, 1));
    jw_kstr(w, "actor", cursor_text(c, 2));
    jw_kstr(w, "behalf", or_null(cursor_text(c, 3)));
    jw_kstr(w, "purpose", or_null(cursor_text(c, 4)));
    jw_kstr(w, "command", cursor_text(c, 5));
    jw_kstr(w, "type", cursor_text(c, 6));
    jw_kint(w, "id", cursor_int(c, 7));
    jw_kint(w, "version", cursor_int(c, 8));
    jw_end(w, '}');
}

static enum err_code rows_json(struct call *c, struct cursor *cur, int64_t limit, struct err *err) {
    int64_t n = 0, last = 0;
    bool has = false;
    enum err_code rc;
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    while ((rc = cursor_next(cur, &has, err)) == ERR_OK && has) {
        row_json(&w, cur);
        last = cursor_int(cur, 0);
        n++;
    }
    TRY(rc);
    jw_end(&w, ']');
    jw_kstr(&w, "next", n == limit ? arena_printf(c->a, "%lld", (long long)last) : NULL);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code audit_index(struct call *c, struct err *err) {
    int64_t limit = 100, before = INT64_MAX;
    struct reader *r = NULL;
    struct cursor *cur = NULL;
    const char *actor = call_query(c, "actor"), *type = call_query(c, "type");
    TRY(call_query_int(c, "limit", 1, MAX_PAGE, &limit, err));
    TRY(call_query_int(c, "after", 1, INT64_MAX, &before, err));
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    const struct cell p[] = {cell_int(db_ledger(reader_db(r))), cell_int(before),
                             cell_text(actor == NULL ? "" : actor),
                             cell_text(type == NULL ? "" : type), cell_int(limit)};
    enum err_code rc = db_query(reader_db(r), stmt_sql(STMT_IDENTITY_AUDIT), p, 5, &cur, err);
    if (rc == ERR_OK) rc = rows_json(c, cur, limit, err);
    cursor_close(cur);
    ledger_read_end(r);
    return rc;
}
