/* One's own API tokens. */
#include <stdio.h>
#include <stdlib.h>

#include "api/app.h"
#include "api/handlers.h"
#include "base/civil.h"
#include "domain/identity/session.h"

static void token_json(struct jw *w, int64_t id, const char *name, int64_t since_us,
                       int64_t until_us, const char *token) {
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)id);
    jw_obj(w);
    jw_kstr(w, "id", text);
    jw_kstr(w, "name", name);
    jw_ktime(w, "since", since_us);
    jw_ktime(w, "expires", until_us);
    if (token != NULL) jw_kstr(w, "token", token);
    jw_end(w, '}');
}

enum err_code token_index(struct call *c, struct err *err) {
    struct token_row *rows = NULL;
    size_t n = 0;
    TRY(identity_tokens(c->app->identity, c->who->account, c->a, &rows, &n, err));
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++)
        token_json(&w, rows[i].id, rows[i].name, rows[i].since_us, rows[i].until_us, NULL);
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code token_create(struct call *c, struct err *err) {
    static const char *const known[] = {"name", "expires", NULL};
    const struct val *body = NULL;
    const char *name = NULL, *expires = NULL;
    char token[IDENTITY_TOKEN];
    int64_t until_us = 0, id = 0;
    if (c->who->must_change)
        return err_fail(err, ERR_FORBIDDEN, "set a password of your own first");
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "name", true, 240, &name, err));
    TRY(val_str(body, "expires", false, 40, &expires, err));
    if (expires != NULL) {
        enum err_code rc = rfc3339_parse(expires, &until_us, err);
        if (rc != ERR_OK) return err_field(err, rc, "/expires");
    }
    TRY(identity_token_add(c->app->identity, c->who, name, until_us, token, &id, err));
    c->reply.status = 201;
    (void)snprintf(c->reply.location, sizeof c->reply.location, "/api/v1/tokens/%lld",
                   (long long)id);
    struct jw w = call_json(c);
    token_json(&w, id, name, clock_now_us(&c->app->clock), until_us, token);
    return buf_check(&c->reply.body, err);
}

enum err_code token_drop(struct call *c, struct err *err) {
    char *end = NULL;
    long long id = strtoll(c->param[0], &end, 10);
    if (end == c->param[0] || *end != '\0' || id <= 0)
        return err_fail(err, ERR_NOT_FOUND, "there is no such API token");
    TRY(identity_token_drop(c->app->identity, c->who, (int64_t)id, err));
    c->reply.status = 204;
    return ERR_OK;
}
