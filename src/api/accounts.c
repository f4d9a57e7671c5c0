/* Accounts of staff and the roles they may have. */
#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "domain/identity/rights.h"
#include "domain/identity/session.h"

enum { MAX_PAGE = 500 };

static void text_json(struct jw *w, const char *key, struct text t) {
    jw_key(w, key);
    jw_obj(w);
    jw_kstr(w, "en", t.en);
    jw_kstr(w, "zh", t.zh);
    jw_end(w, '}');
}

static void account_json(struct jw *w, const struct account *a) {
    jw_obj(w);
    jw_kstr(w, "name", a->name);
    jw_kstr(w, "display", a->display);
    jw_kstr(w, "role", a->role);
    jw_kstr(w, "area", a->area[0] == '\0' ? NULL : a->area);
    jw_kstr(w, "unit", a->unit[0] == '\0' ? NULL : a->unit);
    jw_kstr(w, "state", a->active ? "active" : "disabled");
    jw_kbool(w, "must_change", a->must_change);
    jw_kint(w, "version", a->version);
    jw_end(w, '}');
}

enum err_code account_index(struct call *c, struct err *err) {
    int64_t limit = 100, after = 0;
    size_t n = 0;
    struct reader *r = NULL;
    TRY(call_query_int(c, "limit", 1, MAX_PAGE, &limit, err));
    TRY(call_query_int(c, "after", 0, INT64_MAX, &after, err));
    struct account *rows = ARENA_NEW(c->a, struct account, (size_t)limit);
    if (rows == NULL) return err_fail(err, ERR_NOMEM, "accounts");
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc = account_list(reader_db(r), after, (size_t)limit, rows, &n, err);
    ledger_read_end(r);
    TRY(rc);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) account_json(&w, &rows[i]);
    jw_end(&w, ']');
    jw_kstr(&w, "next",
            n == (size_t)limit ? arena_printf(c->a, "%lld", (long long)rows[n - 1].id) : NULL);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code account_show(struct call *c, struct err *err) {
    struct account a;
    struct reader *r = NULL;
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc = account_find(reader_db(r), c->param[0], &a, err);
    ledger_read_end(r);
    TRY(rc);
    (void)snprintf(c->reply.etag, sizeof c->reply.etag, "%lld", (long long)a.version);
    struct jw w = call_json(c);
    account_json(&w, &a);
    return buf_check(&c->reply.body, err);
}

/* ---- making and changing ---- */

struct account_call {
    struct call *call;
    struct account_in in;
    struct account_change change;
    const char *hash; /* NULL: no password yet */
    int64_t expect;
    struct account out;
};

static enum err_code reply_account(struct tx *tx, int status, const struct account *a,
                                   struct err *err) {
    struct reply *r = tx_reply(tx);
    struct jw w;
    r->status = status;
    (void)snprintf(r->etag, sizeof r->etag, "%lld", (long long)a->version);
    if (status == 201)
        (void)snprintf(r->location, sizeof r->location, "/api/v1/accounts/%s", a->name);
    jw_init(&w, &r->body);
    account_json(&w, a);
    return buf_check(&r->body, err);
}

static enum err_code create_apply(struct tx *tx, void *arg, struct err *err) {
    struct account_call *k = arg;
    TRY(account_add(tx, k->call->app->packs, k->call->who, &k->in, &k->out, err));
    if (k->hash != NULL)
        TRY(account_set_password(tx, k->out.id, k->hash, k->in.must_change, 0, err));
    return reply_account(tx, 201, &k->out, err);
}

/* null means none where a code may be left out. */
static enum err_code code_or_none(const struct val *body, const char *key, const char **out,
                                  struct err *err) {
    const struct val *v = val_get(body, key);
    if (v != NULL && v->type == VAL_NULL) {
        *out = "";
        return ERR_OK;
    }
    return val_str(body, key, false, 40, out, err);
}

/* Names of people stand in the grid's snapshot too. */
static enum err_code run_account(struct call *c, const char *name,
                                 enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                                 struct account_call *k, struct err *err) {
    TRY(call_run(c, name, NULL, apply, k, err));
    call_seen(c, "identity");
    call_seen(c, "grid");
    return ERR_OK;
}

enum err_code account_create(struct call *c, struct err *err) {
    static const char *const known[] = {"name", "display",  "role", "area",
                                        "unit", "password", NULL};
    const struct val *body = NULL;
    const char *password = NULL;
    struct account_call *k = ARENA_NEW(c->a, struct account_call, 1);
    char *hash = ARENA_NEW(c->a, char, PASSWORD_HASH);
    if (k == NULL || hash == NULL) return err_fail(err, ERR_NOMEM, "account");
    k->call = c;
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "name", true, 200, &k->in.name, err));
    TRY(val_str(body, "display", false, 200, &k->in.display, err));
    TRY(val_str(body, "role", true, 63, &k->in.role, err));
    TRY(code_or_none(body, "area", &k->in.area, err));
    TRY(code_or_none(body, "unit", &k->in.unit, err));
    TRY(val_str(body, "password", false, 4096, &password, err));
    k->in.must_change = true; /* whatever it is, somebody else knows it */
    if (password != NULL) {
        TRY(identity_hash(c->app->identity, k->in.name, password, "/password", hash, err));
        k->hash = hash;
    }
    return run_account(c, "account.add", create_apply, k, err);
}

static enum err_code change_apply(struct tx *tx, void *arg, struct err *err) {
    struct account_call *k = arg;
    TRY(account_change(tx, k->call->app->packs, k->call->who, k->call->param[0], k->expect,
                       &k->change, &k->out, err));
    return reply_account(tx, 200, &k->out, err);
}

enum err_code account_patch(struct call *c, struct err *err) {
    static const char *const known[] = {"display", "role", "area", "unit", "state", NULL};
    const struct val *body = NULL;
    struct account_call *k = ARENA_NEW(c->a, struct account_call, 1);
    if (k == NULL) return err_fail(err, ERR_NOMEM, "account");
    k->call = c;
    TRY(call_if_match(c, &k->expect, err));
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "display", false, 200, &k->change.display, err));
    TRY(val_str(body, "role", false, 63, &k->change.role, err));
    TRY(code_or_none(body, "area", &k->change.area, err));
    TRY(code_or_none(body, "unit", &k->change.unit, err));
    TRY(val_str(body, "state", false, 20, &k->change.state, err));
    return run_account(c, "account.change", change_apply, k, err);
}

enum err_code account_reset(struct call *c, struct err *err) {
    char token[IDENTITY_TOKEN];
    int64_t until_us = 0;
    TRY(identity_reset_make(c->app->identity, c->who, c->param[0], token, &until_us, err));
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kstr(&w, "token", token);
    jw_ktime(&w, "expires", until_us);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

/* ---- roles ---- */

static const char *scope_name(enum role_scope s) {
    static const char *const names[] = {"none", "own_cells", "unit", "area", "all"};
    return (unsigned)s < sizeof names / sizeof names[0] ? names[s] : "none";
}

static void role_json(struct jw *w, const struct role_def *r) {
    uint64_t grants = rights_grants(r);
    jw_obj(w);
    jw_kstr(w, "name", r->name);
    text_json(w, "title", r->title);
    jw_kstr(w, "cases", scope_name(r->cases));
    jw_kbool(w, "private_cases", r->private_cases);
    jw_kbool(w, "personal", r->personal);
    jw_kbool(w, "sensitive", r->sensitive);
    jw_key(w, "grants");
    jw_arr(w);
    for (size_t i = 0; i < PERM_N; i++) {
        if ((grants >> i & 1) == 0) continue;
        jw_obj(w);
        jw_kstr(w, "name", permission_name((enum permission)i));
        text_json(w, "title", permission_title((enum permission)i));
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

enum err_code role_index(struct call *c, struct err *err) {
    const struct pack_set *p = c->app->packs;
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < p->n_roles; i++) role_json(&w, &p->roles[i]);
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}
