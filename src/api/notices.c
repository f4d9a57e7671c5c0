/* One's own notices. */
#include <stdio.h>

#include "api/app.h"
#include "api/handlers.h"
#include "domain/identity/notice.h"

enum { MAX_PAGE = 200 };

static void notice_json(struct jw *w, const struct notice *x) {
    jw_obj(w);
    jw_kint(w, "id", x->id);
    jw_ktime(w, "at", x->at_us);
    jw_kstr(w, "kind", x->kind);
    jw_kstr(w, "case", x->case_code[0] == '\0' ? NULL : x->case_code);
    jw_key(w, "text");
    jw_obj(w);
    jw_kstr(w, "en", x->text.en);
    jw_kstr(w, "zh", x->text.zh);
    jw_end(w, '}');
    jw_kbool(w, "read", x->is_read);
    jw_end(w, '}');
}

enum err_code notice_index(struct call *c, struct err *err) {
    int64_t limit = 50, before = 0, unread = 0;
    struct notice *rows = NULL;
    size_t n = 0;
    struct reader *r = NULL;
    TRY(call_query_int(c, "limit", 1, MAX_PAGE, &limit, err));
    TRY(call_query_int(c, "after", 0, INT64_MAX, &before, err));
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc =
        notice_list(reader_db(r), c->who->account, before, (size_t)limit, c->a, &rows, &n, err);
    if (rc == ERR_OK) rc = notice_unread(reader_db(r), c->who->account, &unread, err);
    ledger_read_end(r);
    TRY(rc);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) notice_json(&w, &rows[i]);
    jw_end(&w, ']');
    jw_kint(&w, "unread", unread);
    jw_kstr(&w, "next",
            n == (size_t)limit ? arena_printf(c->a, "%lld", (long long)rows[n - 1].id) : NULL);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

struct reading {
    int64_t account, upto;
};

static enum err_code read_apply(struct tx *tx, void *arg, struct err *err) {
    const struct reading *k = arg;
    return notice_mark_read(tx, k->account, k->upto, err);
}

enum err_code notice_read_post(struct call *c, struct err *err) {
    static const char *const known[] = {"upto", NULL};
    const struct val *body = NULL;
    struct reading k = {.account = c->who->account};
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_int(body, "upto", true, 0, INT64_MAX, &k.upto, err));
    TRY(call_run(c, "notice.read", NULL, read_apply, &k, err));
    c->reply.status = 204;
    return ERR_OK;
}
