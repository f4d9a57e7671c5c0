#include "http_app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

void app_init(struct app *app) {
    memset(app, 0, sizeof *app);
    app->metrics = metrics_new(2);
    assert_int_equal(pthread_mutex_init(&app->lock, NULL), 0);
}

void app_deinit(struct app *app) {
    metrics_free(app->metrics);
    (void)pthread_mutex_destroy(&app->lock);
}

static void reply_text(struct http_request *req, int status, const char *text) {
    struct http_response *r = http_response_new(status);
    http_response_copy(r, "text/plain; charset=utf-8", text, strlen(text));
    http_reply(req, r);
}

static void reply_echo(struct http_request *req) {
    struct http_response *r = http_response_new(200);
    struct buf b;
    buf_init(&b, 4096 + req->body_n);
    buf_printf(&b, "%s %s|%s|%s|%s|%zu|", http_method_name(req->method), req->path, req->remote,
               req->secure ? "tls" : "plain", req->host, req->body_n);
    buf_add(&b, req->body, req->body_n);
    http_response_take(r, "text/plain", &b);
    http_reply(req, r);
}

static void park(struct app *app, struct http_request *req) {
    (void)pthread_mutex_lock(&app->lock);
    app->server = req->server;
    app->parked[app->n_parked++] = http_request_token(req);
    (void)pthread_mutex_unlock(&app->lock);
}

static size_t n_parked(struct app *app) {
    (void)pthread_mutex_lock(&app->lock);
    size_t n = app->n_parked;
    (void)pthread_mutex_unlock(&app->lock);
    return n;
}

void app_wait_parked(struct app *app, size_t n) {
    for (int i = 0; i < 500 && n_parked(app) < n; i++) peer_sleep_ms(10);
    assert_true(n_parked(app) >= n);
}

static void reply_big(struct http_request *req) {
    struct http_response *r = http_response_new(200);
    size_t n = (size_t)8 * 1024 * 1024;
    char *p = calloc(1, n);
    memset(p, 'x', n);
    http_response_ref(r, "application/octet-stream", p, n, free, p);
    http_reply(req, r);
}

/* The n-th allocation of making and sending the answer fails, and all after it. */
static void reply_without_memory(struct app *app, struct http_request *req) {
    const char *n = http_param(req, "n");
    mem_fault_arm(strtol(n == NULL ? "0" : n, NULL, 10));
    struct http_response *r = http_response_new(200);
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 4000; i++) buf_str(&b, "0123456789");
    http_response_header(r, "X-One", "1");
    http_response_take(r, "application/json", &b);
    http_reply(req, r);
    if (mem_fault_disarm() != 0) (void)atomic_fetch_add(&app->fault_fired, 1);
}

void app_handle(void *ctx, struct http_request *req) {
    struct app *app = ctx;
    atomic_fetch_add(&app->handled, 1);
    if (strcmp(req->path, "/park") == 0) {
        park(app, req);
    } else if (strcmp(req->path, "/tag") == 0) {
        if (http_reply_not_modified(req, "\"v1\"", "no-cache")) return;
        struct http_response *r = http_response_new(200);
        http_response_header(r, "ETag", "\"v1\"");
        http_response_copy(r, "text/plain", "tagged", 6);
        http_reply(req, r);
    } else if (strcmp(req->path, "/json") == 0) {
        struct http_response *r = http_response_new(200);
        struct buf b;
        buf_init(&b, 100000);
        for (int i = 0; i < 2000; i++) buf_printf(&b, "{\"i\":%d}\n", i % 10);
        http_response_take(r, "application/json", &b);
        http_reply(req, r);
    } else if (strcmp(req->path, "/inject") == 0) {
        struct http_response *r = http_response_new(200);
        http_response_header(r, "X-Bad", "a\r\nSet-Cookie: evil=1");
        http_reply(req, r);
    } else if (strcmp(req->path, "/big") == 0) {
        reply_big(req);
    } else if (strcmp(req->path, "/fault") == 0) {
        reply_without_memory(app, req);
    } else if (strcmp(req->path, "/cookie") == 0) {
        const char *c = http_cookie(req, "sid");
        reply_text(req, 200, c == NULL ? "none" : c);
    } else if (strcmp(req->path, "/param") == 0) {
        const char *p = http_param(req, "名");
        reply_text(req, 200, p == NULL ? "none" : p);
    } else {
        reply_echo(req);
    }
}

struct peer_text app_ask(int port, const char *text, int timeout_ms) {
    int fd = peer_connect(port);
    assert_true(fd >= 0);
    peer_say(fd, text);
    struct peer_text t = peer_answer(fd, timeout_ms);
    (void)close(fd);
    return t;
}

struct fixture *app_begin(struct http_options o) {
    struct fixture *f = calloc(1, sizeof *f);
    f->live = mem_live();
    app_init(&f->app);
    o.metrics = f->app.metrics;
    f->s = peer_server(&o, app_handle, &f->app);
    f->port = http_server_port(f->s);
    return f;
}

void app_end(struct fixture *f) {
    peer_server_end(f->s);
    app_deinit(&f->app);
    assert_int_equal(mem_live(), f->live);
    free(f);
}
