/* Signing in, sessions, passwords, the first run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "domain/identity/rights.h"
#include "domain/identity/session.h"

enum { COOKIE_AGE_S = 43200, MAX_LOCKOUTS = 200 };

/* A stranger with a password or token: only from our own page, or from a program (which sends no
 * Origin). */
static enum err_code same_origin(const struct call *c, struct err *err) {
    if (identity_origin_ok(http_header(c->req, "Origin"), http_header(c->req, "Sec-Fetch-Site"),
                           c->req->host))
        return ERR_OK;
    return err_fail(err, ERR_FORBIDDEN, "this request came from another site's page");
}

static void account_json(struct jw *w, const struct principal *p) {
    jw_key(w, "account");
    if (p->anonymous) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kstr(w, "name", p->name);
    jw_kstr(w, "display", p->display);
    jw_kstr(w, "role", p->role->name);
    jw_key(w, "role_title");
    jw_obj(w);
    jw_kstr(w, "en", p->role->title.en);
    jw_kstr(w, "zh", p->role->title.zh);
    jw_end(w, '}');
    jw_kstr(w, "area", p->area[0] == '\0' ? NULL : p->area);
    jw_kstr(w, "unit", p->unit[0] == '\0' ? NULL : p->unit);
    jw_key(w, "grants");
    jw_arr(w);
    for (size_t i = 0; i < PERM_N; i++)
        if (principal_may(p, (enum permission)i)) jw_str(w, permission_name((enum permission)i));
    jw_end(w, ']');
    jw_kbool(w, "must_change", p->must_change);
    jw_end(w, '}');
}

static enum err_code session_json(struct call *c, const struct principal *p, struct err *err) {
    struct jw w = call_json(c);
    jw_obj(&w);
    account_json(&w, p);
    jw_kstr(&w, "csrf", p->csrf[0] == '\0' ? NULL : p->csrf);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

static void set_cookie(struct call *c, const char *value, int age_s) {
    (void)snprintf(c->reply.set_cookie, sizeof c->reply.set_cookie,
                   "gezhi_session=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d%s", value, age_s,
                   c->req->secure ? "; Secure" : "");
}

enum err_code session_post(struct call *c, struct err *err) {
    static const char *const known[] = {"name", "password", NULL};
    const struct val *body = NULL;
    struct sign_in in = {.remote = c->req->remote, .agent = http_header(c->req, "User-Agent")};
    char cookie[IDENTITY_COOKIE];
    struct principal p;
    TRY(same_origin(c, err));
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "name", true, 200, &in.name, err));
    TRY(val_str(body, "password", true, 4096, &in.password, err));
    TRY(identity_sign_in(c->app->identity, &in, cookie, &p, err));
    set_cookie(c, cookie, COOKIE_AGE_S);
    return session_json(c, &p, err);
}

enum err_code session_get(struct call *c, struct err *err) { return session_json(c, c->who, err); }

enum err_code session_delete(struct call *c, struct err *err) {
    if (c->who->session != 0) {
        enum err_code rc =
            identity_session_end(c->app->identity, c->who, c->who->account, c->who->session, err);
        if (rc != ERR_OK && rc != ERR_NOT_FOUND) return rc;
        events_drop(c->app, c->who->name, c->who->session);
    }
    set_cookie(c, "", 0);
    c->reply.status = 204;
    return ERR_OK;
}

static enum err_code sessions_json(struct call *c, int64_t account, struct err *err) {
    struct session_row *rows = NULL;
    size_t n = 0;
    TRY(identity_sessions(c->app->identity, account, c->a, &rows, &n, err));
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        char id[24];
        (void)snprintf(id, sizeof id, "%lld", (long long)rows[i].id);
        jw_obj(&w);
        jw_kstr(&w, "id", id);
        jw_ktime(&w, "since", rows[i].since_us);
        jw_ktime(&w, "last", rows[i].last_us);
        jw_kstr(&w, "agent", rows[i].agent);
        jw_kstr(&w, "address", rows[i].address);
        jw_kbool(&w, "current", rows[i].id == c->who->session);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code session_list(struct call *c, struct err *err) {
    return sessions_json(c, c->who->account, err);
}

/* A row id of a path; 0 is none. */
static int64_t row_id(const char *text) {
    char *end = NULL;
    long long v = strtoll(text, &end, 10);
    return end == text || *end != '\0' || v < 0 ? 0 : (int64_t)v;
}

enum err_code session_end(struct call *c, struct err *err) {
    int64_t id = row_id(c->param[0]);
    if (id == 0) return err_fail(err, ERR_NOT_FOUND, "there is no such session");
    TRY(identity_session_end(c->app->identity, c->who, c->who->account, id, err));
    events_drop(c->app, c->who->name, id);
    if (id == c->who->session) set_cookie(c, "", 0);
    c->reply.status = 204;
    return ERR_OK;
}

/* ---- the security administrator: sessions of others, lockouts ---- */

static enum err_code account_of(struct call *c, const char *name, struct account *out,
                                struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc = account_find(reader_db(r), name, out, err);
    ledger_read_end(r);
    return rc;
}

enum err_code account_session_list(struct call *c, struct err *err) {
    struct account a;
    TRY(account_of(c, c->param[0], &a, err));
    return sessions_json(c, a.id, err);
}

enum err_code account_session_end(struct call *c, struct err *err) {
    struct account a;
    TRY(account_of(c, c->param[0], &a, err));
    TRY(identity_session_end(c->app->identity, c->who, a.id, 0, err));
    events_drop(c->app, a.name, 0);
    c->reply.status = 204;
    return ERR_OK;
}

enum err_code lockout_list(struct call *c, struct err *err) {
    struct throttle_lock *rows = ARENA_NEW(c->a, struct throttle_lock, MAX_LOCKOUTS);
    if (rows == NULL) return err_fail(err, ERR_NOMEM, "lockouts");
    size_t n = identity_lockouts(c->app->identity, rows, MAX_LOCKOUTS);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        jw_obj(&w);
        jw_kstr(&w, "name", rows[i].key);
        jw_ktime(&w, "until", rows[i].until_us);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

struct lift {
    const char *name;
};

static enum err_code lift_apply(struct tx *tx, void *arg, struct err *err) {
    const struct lift *l = arg;
    struct buf b;
    struct jw w;
    buf_init(&b, 512);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "event", "lockout lifted");
    jw_kstr(&w, "name", l->name);
    jw_end(&w, '}');
    enum err_code rc = buf_check(&b, err);
    if (rc == ERR_OK) rc = tx_note(tx, "lockout", 0, buf_text(&b), b.n, err);
    buf_deinit(&b);
    return rc;
}

enum err_code lockout_lift(struct call *c, struct err *err) {
    struct lift l = {c->param[0]};
    if (strlen(l.name) > 63 || !identity_lockout_lift(c->app->identity, l.name))
        return err_fail(err, ERR_NOT_FOUND, "no sign-in with this name is being held back");
    TRY(call_run(c, "lockout.lift", NULL, lift_apply, &l, err));
    c->reply.status = 204;
    return ERR_OK;
}

/* ---- passwords ---- */

enum err_code password_post(struct call *c, struct err *err) {
    static const char *const known[] = {"old", "new", NULL};
    const struct val *body = NULL;
    const char *old = NULL, *new_ = NULL;
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "old", true, 4096, &old, err));
    TRY(val_str(body, "new", true, 4096, &new_, err));
    TRY(identity_password_change(c->app->identity, c->who, old, new_, err));
    events_drop(c->app, c->who->name, 0);
    c->reply.status = 204;
    return ERR_OK;
}

enum err_code password_reset(struct call *c, struct err *err) {
    static const char *const known[] = {"token", "new", NULL};
    const struct val *body = NULL;
    const char *token = NULL, *new_ = NULL;
    TRY(same_origin(c, err));
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "token", true, 200, &token, err));
    TRY(val_str(body, "new", true, 4096, &new_, err));
    TRY(identity_reset_use(c->app->identity, token, new_, c->req->remote, err));
    c->reply.status = 204;
    return ERR_OK;
}

/* ---- first run ---- */

enum err_code setup_post(struct call *c, struct err *err) {
    static const char *const known[] = {"token", "name", "password", NULL};
    const struct val *body = NULL;
    const char *token = NULL;
    struct sign_in in = {.remote = c->req->remote, .agent = http_header(c->req, "User-Agent")};
    char cookie[IDENTITY_COOKIE];
    struct account a;
    struct principal p;
    TRY(same_origin(c, err));
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "token", true, 200, &token, err));
    TRY(val_str(body, "name", true, 200, &in.name, err));
    TRY(val_str(body, "password", true, 4096, &in.password, err));
    TRY(identity_setup(c->app->identity, token, in.name, in.password, &a, err));
    TRY(identity_sign_in(c->app->identity, &in, cookie, &p, err));
    set_cookie(c, cookie, COOKIE_AGE_S);
    c->reply.status = 201;
    return session_json(c, &p, err);
}
