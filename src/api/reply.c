#include "api/reply.h"

#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/open311.h"
#include "base/hash.h"

struct http_response *reply_of_call(struct call *c) {
    struct api_reply *a = &c->reply;
    struct http_response *r = http_response_new(a->status == 0 ? 200 : a->status);
    if (a->location[0] != '\0') http_response_header(r, "Location", a->location);
    if (a->etag[0] != '\0') http_response_headerf(r, "ETag", "\"%s\"", a->etag);
    if (a->set_cookie[0] != '\0') http_response_header(r, "Set-Cookie", a->set_cookie);
    http_response_header(r, "Cache-Control", a->cache == NULL ? "no-store" : a->cache);
    if (a->disposition != NULL) http_response_header(r, "Content-Disposition", a->disposition);
    if (a->next != NULL) http_response_headerf(r, "X-Next", "%s", a->next);
    if (a->body.n > 0 || a->body.failed) {
        http_response_take(r, a->content_type == NULL ? "application/json" : a->content_type,
                           &a->body);
    }
    return r;
}

struct http_response *reply_of_error(struct call *c, enum err_code rc, const struct err *err) {
    if (open311_path(c->req->path)) return open311_error(c, rc, err);
    int status = err_status(rc);
    struct buf b;
    buf_init(&b, 8192);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "type", "about:blank");
    jw_kstr(&w, "title", err_text(rc, false));
    jw_kstr(&w, "title_zh", err_text(rc, true));
    jw_kint(&w, "status", status);
    jw_kstr(&w, "code", err_name(rc));
    if (status < 500 && err != NULL && err->detail[0] != '\0') jw_kstr(&w, "detail", err->detail);
    if (err != NULL && err->field[0] != '\0') jw_kstr(&w, "pointer", err->field);
    jw_end(&w, '}');
    struct http_response *r = http_response_new(status);
    http_response_take(r, "application/problem+json", &b);
    buf_deinit(&b);
    http_response_header(r, "Cache-Control", "no-store");
    if (status == 429 || status == 503) http_response_header(r, "Retry-After", "5");
    if (status == 401 && !c->who->anonymous) http_response_header(r, "WWW-Authenticate", "Bearer");
    return r;
}

void reply_from_command(struct call *c, const struct reply *reply) {
    c->reply.status = reply->status;
    memcpy(c->reply.location, reply->location, sizeof c->reply.location);
    memcpy(c->reply.etag, reply->etag, sizeof c->reply.etag);
    buf_clear(&c->reply.body);
    buf_add(&c->reply.body, buf_text(&reply->body), reply->body.n);
}

enum err_code call_command(struct call *c, const char *name, const char *purpose,
                           struct command *out, struct err *err) {
    *out = (struct command){
        .name = name, .actor = c->who->anonymous ? "public" : c->who->name, .purpose = purpose};
    const char *key = http_header(c->req, "Idempotency-Key");
    if (key == NULL) return ERR_OK;
    if (strlen(key) < 8 || strlen(key) > 128) {
        return err_fail(err, ERR_INVALID, "Idempotency-Key must have 8 to 128 characters");
    }
    out->idem_key = key;
    /* The address is part of what was asked: one key for two moves is two different bodies. */
    struct hash_piece pieces[] = {{c->req->path, strlen(c->req->path) + 1},
                                  {c->req->body, c->req->body_n}};
    hash_sha256(pieces, 2, out->idem_hash);
    return ERR_OK;
}

enum err_code call_run(struct call *c, const char *name, const char *purpose,
                       enum err_code (*apply)(struct tx *tx, void *arg, struct err *err), void *arg,
                       struct err *err) {
    struct command cmd = {0};
    TRY(call_command(c, name, purpose, &cmd, err));
    cmd.apply = apply;
    cmd.arg = arg;
    struct reply reply = {0};
    TRY(ledger_run(c->app->ledger, &cmd, &reply, &c->seq, err));
    if (reply.status != 0) reply_from_command(c, &reply);
    buf_deinit(&reply.body);
    return ERR_OK;
}

void call_seen(const struct call *c, const char *follower) {
    ledger_seen(c->app->ledger, follower, c->seq);
}

enum err_code call_body(struct call *c, const struct val **out, struct err *err) {
    if (strcmp(c->req->type, "application/json") != 0) {
        return err_fail(err, ERR_UNSUPPORTED,
                        "expected a body of type application/json, found \"%s\"", c->req->type);
    }
    TRY(json_parse(c->a, c->req->body, c->req->body_n, out, err));
    if ((*out)->type != VAL_MAP) return err_fail(err, ERR_INVALID, "expected a JSON object");
    return ERR_OK;
}

const char *call_query(const struct call *c, const char *name) { return http_param(c->req, name); }

enum err_code call_query_int(const struct call *c, const char *name, int64_t min, int64_t max,
                             int64_t *out, struct err *err) {
    const char *s = call_query(c, name);
    if (s == NULL || s[0] == '\0') return ERR_OK;
    char *end = NULL;
    long long v = strtoll(s, &end, 10);
    if (end == s || *end != '\0' || v < min || v > max) {
        return err_fail(err, ERR_INVALID,
                        "parameter \"%s\": expected a whole number from %lld to %lld", name,
                        (long long)min, (long long)max);
    }
    *out = v;
    return ERR_OK;
}

enum err_code call_query_double(const struct call *c, const char *name, double min, double max,
                                bool *given, double *out, struct err *err) {
    const char *s = call_query(c, name);
    *given = s != NULL && s[0] != '\0';
    if (!*given) return ERR_OK;
    char *end = NULL;
    double v = strtod(s, &end);
    if (end == s || *end != '\0' || !(v >= min && v <= max)) {
        return err_fail(err, ERR_INVALID, "parameter \"%s\": expected a number from %g to %g", name,
                        min, max);
    }
    *out = v;
    return ERR_OK;
}

enum err_code call_if_match(const struct call *c, int64_t *version, struct err *err) {
    const char *h = http_header(c->req, "If-Match");
    if (h == NULL) {
        return err_fail(err, ERR_NEED_MATCH,
                        "send If-Match with the version you saw, such as If-Match: \"3\"");
    }
    char *end = NULL;
    const char *s = h[0] == '"' ? h + 1 : h;
    long long v = strtoll(s, &end, 10);
    if (end == s || v < 1 || (*end != '\0' && strcmp(end, "\"") != 0)) {
        return err_fail(err, ERR_INVALID, "If-Match: expected a version such as \"3\"");
    }
    *version = v;
    return ERR_OK;
}

struct jw call_json(struct call *c) {
    struct jw w;
    jw_init(&w, &c->reply.body);
    return w;
}
