#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/reply.h"
#include "api/routes.h"
#include "api/workers.h"
#include "domain/identity/session.h"
#include "net/accept.h"
#include "net/assets.h"

enum { ETAG_MAX = 40 };

/* A call and what the answer needs; lives in the request's arena, which stays until the answer is
 * given. */
struct pending {
    struct call call;
    struct principal who;
    const struct route *route;
    struct http_token token;
    struct http_server *server;
    struct http_response *response; /* of a command, until its handler has returned too */
    atomic_int ends;                /* of the two: the handler returned, the command is done */
};

static struct http_response *response_of(struct pending *p, enum err_code rc,
                                         const struct err *err) {
    struct http_response *r =
        rc == ERR_OK ? reply_of_call(&p->call) : reply_of_error(&p->call, rc, err);
    buf_deinit(&p->call.reply.body);
    return r;
}

static void answer(struct pending *p, enum err_code rc, const struct err *err) {
    http_post(p->server, p->token, response_of(p, rc, err));
}

/* The writer may be done before the handler has returned, and an answer frees the call: so the
 * later of the two gives it. */
static void end_of_two(struct pending *p) {
    if (atomic_fetch_add(&p->ends, 1) == 1) http_post(p->server, p->token, p->response);
}

static void log_failure(const struct pending *p, enum err_code rc, const struct err *err) {
    if (rc == ERR_OK) return;
    log_event(p->call.app->log, err_status(rc) >= 500 ? LOG_ERROR : LOG_DEBUG, "api.fail",
              LOG_STR("route", p->route->path), LOG_STR("code", err_name(rc)),
              LOG_STR("detail", err == NULL ? "" : err->detail));
}

static void run(void *arg) {
    struct pending *p = arg;
    struct err err = {0};
    enum err_code rc = p->route->handler(&p->call, &err);
    if (p->call.submitted) {
        end_of_two(p);
        return;
    }
    log_failure(p, rc, &err);
    answer(p, rc, &err);
}

/* ---- commands whose answer comes from the writer ---- */

static void submitted_done(void *arg, enum err_code rc, const struct err *err,
                           const struct reply *reply, int64_t seq) {
    struct pending *p = arg;
    (void)seq;
    if (rc == ERR_OK && reply != NULL) reply_from_command(&p->call, reply);
    log_failure(p, rc, err);
    p->response = response_of(p, rc, err);
    end_of_two(p);
}

struct submit {
    struct pending *p;
    enum err_code (*apply)(struct tx *tx, void *arg, struct err *err);
    void *arg;
};

static enum err_code submit_apply(struct tx *tx, void *arg, struct err *err) {
    struct submit *s = arg;
    return s->apply(tx, s->arg, err);
}

static void submit_done(void *arg, enum err_code rc, const struct err *err,
                        const struct reply *reply, int64_t seq) {
    submitted_done(((struct submit *)arg)->p, rc, err, reply, seq);
}

enum err_code call_submit(struct call *c, const char *name, const char *purpose,
                          enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                          void *arg, struct err *err) {
    struct pending *p = (struct pending *)c; /* call is its first member */
    struct submit *s = ARENA_NEW(c->a, struct submit, 1);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "command");
    *s = (struct submit){p, apply, arg};
    struct command cmd = {0};
    TRY(call_command(c, name, purpose, &cmd, err));
    cmd.apply = submit_apply;
    cmd.done = submit_done;
    cmd.arg = s;
    cmd.repeatable = true; /* what a handler submits changes nothing but its transaction (api.h) */
    c->submitted = true;   /* before: done() may run at once on the writer thread */
    enum err_code rc = ledger_submit(c->app->ledger, &cmd, err);
    if (rc != ERR_OK) c->submitted = false;
    return rc;
}

/* ---- who calls, and may he ---- */

static enum err_code authenticate(struct pending *p, struct http_request *req, struct err *err) {
    const char *auth = http_header(req, "Authorization");
    const char *bearer = auth != NULL && strncmp(auth, "Bearer ", 7) == 0 ? auth + 7 : NULL;
    return identity_authenticate(p->call.app->identity, http_cookie(req, "gezhi_session"), bearer,
                                 &p->who, err);
}

/* A browser sends the cookie by itself; only the page knows the token beside it. */
static enum err_code check_csrf(const struct pending *p, const struct http_request *req,
                                struct err *err) {
    bool unsafe =
        req->method != HTTP_GET && req->method != HTTP_HEAD && req->method != HTTP_OPTIONS;
    if (!unsafe || p->who.anonymous || p->who.csrf[0] == '\0') return ERR_OK;
    const char *given = http_header(req, "X-CSRF-Token");
    if (given != NULL && identity_csrf_equal(&p->who, given)) return ERR_OK;
    return err_fail(err, ERR_FORBIDDEN,
                    "the header X-CSRF-Token is missing or wrong; reload the page");
}

static enum err_code check_rate(const struct pending *p, const struct http_request *req,
                                struct err *err) {
    if (!p->who.anonymous) return ERR_OK;
    return throttle_request(p->call.app->throttle, p->route->rate, req->remote,
                            clock_now_us(&p->call.app->clock), err);
}

static enum err_code check_right(const struct pending *p, struct err *err) {
    if (p->route->who == WHO_PUBLIC) return ERR_OK;
    if (p->who.anonymous) return err_fail(err, ERR_UNAUTHORIZED, "please sign in");
    if (p->route->who == WHO_SIGNED_IN) return ERR_OK;
    if (p->who.must_change) {
        return err_fail(err, ERR_FORBIDDEN, "set a password of your own first");
    }
    if (principal_may(&p->who, (enum permission)p->route->who)) return ERR_OK;
    return err_fail(err, ERR_FORBIDDEN, "your role does not have this right");
}

static bool prefers_zh(const struct http_request *req) {
    const char *h = http_header(req, "Accept-Language");
    return h == NULL || accept_quality(h, "zh", true) >= accept_quality(h, "en", true);
}

static enum err_code prepare(struct pending *p, struct http_request *req, struct err *err) {
    TRY(route_find(req->method, req->path, req->arena, &p->route, p->call.param, err));
    TRY(authenticate(p, req, err));
    TRY(check_rate(p, req, err));
    TRY(check_right(p, err));
    return check_csrf(p, req, err);
}

void dispatch(void *ctx, struct http_request *req) {
    struct app *app = ctx;
    if (!routes_has_prefix(req->path)) {
        assets_serve(app->assets, req);
        return;
    }
    struct pending *p = ARENA_NEW(req->arena, struct pending, 1);
    if (p == NULL) {
        http_reply(req, NULL);
        return;
    }
    p->server = app->server;
    p->token = http_request_token(req);
    p->call = (struct call){
        .app = app, .req = req, .a = req->arena, .who = &p->who, .zh = prefers_zh(req)};
    buf_init(&p->call.reply.body, (size_t)64 << 20);
    struct err err = {0};
    enum err_code rc = prepare(p, req, &err);
    if (rc == ERR_OK && p->route->where == ROUTE_STREAM) {
        events_open(app, req, &p->who);
        return;
    }
    if (rc == ERR_OK && p->route->where == ROUTE_LOOP) {
        run(p);
        return;
    }
    if (rc == ERR_OK) rc = workers_post(app->workers, run, p, &err);
    if (rc != ERR_OK) answer(p, rc, &err);
}
