/* The HTTP server over real sockets: what a client may do to it, and what must come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/metrics.h"
#include "peer.h"

static atomic_uint fault_fired;

struct app {
    struct metrics *metrics;
    atomic_uint handled;
    pthread_mutex_t lock;
    struct http_token parked[512];
    struct http_server *server;
    size_t n_parked;
};

static void app_init(struct app *app) {
    memset(app, 0, sizeof *app);
    app->metrics = metrics_new(2);
    assert_int_equal(pthread_mutex_init(&app->lock, NULL), 0);
}

static void app_deinit(struct app *app) {
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

static void wait_parked(struct app *app, size_t n) {
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
static void reply_without_memory(struct http_request *req) {
    const char *n = http_param(req, "n");
    mem_fault_arm(strtol(n == NULL ? "0" : n, NULL, 10));
    struct http_response *r = http_response_new(200);
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 4000; i++) buf_str(&b, "0123456789");
    http_response_header(r, "X-One", "1");
    http_response_take(r, "application/json", &b);
    http_reply(req, r);
    if (mem_fault_disarm() == 0) return;
    (void)atomic_fetch_add(&fault_fired, 1);
}

static void handle(void *ctx, struct http_request *req) {
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
        reply_without_memory(req);
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

static struct peer_text ask(int port, const char *text, int timeout_ms) {
    int fd = peer_connect(port);
    assert_true(fd >= 0);
    peer_say(fd, text);
    struct peer_text t = peer_answer(fd, timeout_ms);
    (void)close(fd);
    return t;
}

#define ASSERT_STATUS(port, text, status)                                                          \
    do {                                                                                           \
        struct peer_text t_ = ask((port), (text), 5000);                                           \
        assert_int_equal(peer_status(&t_), (status));                                              \
        peer_free(&t_);                                                                            \
    } while (0)
#define ASSERT_BODY(port, text, part)                                                              \
    do {                                                                                           \
        struct peer_text t_ = ask((port), (text), 5000);                                           \
        if (strstr(t_.p, (part)) == NULL) fail_msg("no \"%s\" in: %s", (part), t_.p);              \
        peer_free(&t_);                                                                            \
    } while (0)

struct fixture {
    struct app app;
    struct http_server *s;
    int port;
    long live;
};

static struct fixture *begin(struct http_options o) {
    struct fixture *f = calloc(1, sizeof *f);
    f->live = mem_live();
    app_init(&f->app);
    o.metrics = f->app.metrics;
    f->s = peer_server(&o, handle, &f->app);
    f->port = http_server_port(f->s);
    return f;
}

/* Every test also checks that the server gives all its memory back. */
static void end(struct fixture *f) {
    peer_server_end(f->s);
    app_deinit(&f->app);
    assert_int_equal(mem_live(), f->live);
    free(f);
}

static void test_simple(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    struct peer_text t = ask(f->port, "GET /a%20b?x=1 HTTP/1.1\r\nHost: h:1\r\n\r\n", 5000);
    assert_int_equal(peer_status(&t), 200);
    assert_non_null(strstr(t.p, "GET /a b|127.0.0.1|plain|h:1|0|"));
    assert_non_null(strstr(t.p, "Content-Security-Policy: default-src 'self'; script-src 'self';"));
    assert_non_null(strstr(t.p, "X-Content-Type-Options: nosniff"));
    assert_non_null(strstr(t.p, "Referrer-Policy: no-referrer"));
    assert_non_null(strstr(t.p, "Permissions-Policy: geolocation=(self), camera=(self)"));
    assert_non_null(strstr(t.p, "Date: "));
    peer_free(&t);
    ASSERT_BODY(f->port, "GET /param?%E5%90%8D=%E4%BA%95+%E7%9B%96 HTTP/1.1\r\nHost: h\r\n\r\n",
                "井 盖");
    ASSERT_BODY(f->port, "GET /cookie HTTP/1.1\r\nHost: h\r\nCookie: a=1; sid=\"abc\"; b=2\r\n\r\n",
                "\r\n\r\nabc");
    ASSERT_BODY(f->port, "GET http://x.example/p HTTP/1.1\r\nHost: h\r\n\r\n",
                "GET /p|127.0.0.1|plain|x.example|");
    ASSERT_STATUS(f->port, "GET /inject HTTP/1.1\r\nHost: h\r\n\r\n", 500);
    end(f);
}

static void test_keep_alive_and_pipelining(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    int fd = peer_connect(f->port);
    for (int i = 0; i < 3; i++) {
        peer_say(fd, "GET /one HTTP/1.1\r\nHost: h\r\n\r\n");
        struct peer_text t = peer_answer(fd, 5000);
        assert_int_equal(peer_status(&t), 200);
        peer_free(&t);
    }
    enum { N = 300 };
    struct buf b;
    buf_init(&b, 1000000);
    for (int i = 0; i < N; i++)
        buf_printf(&b, "POST /p%d HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nb%04d", i, i);
    buf_str(&b, "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    peer_send(fd, b.p, b.n);
    struct peer_text t = peer_all(fd, 10000);
    assert_true(t.closed);
    assert_int_equal(peer_count(&t, "HTTP/1.1 200 OK"), N + 1);
    const char *at = t.p;
    for (int i = 0; i < N; i++) {
        char want[64];
        (void)snprintf(want, sizeof want, "POST /p%d|127.0.0.1|plain|h|5|b%04d", i, i);
        at = strstr(at, want); /* in order */
        assert_non_null(at);
    }
    peer_free(&t);
    buf_deinit(&b);
    (void)close(fd);
    end(f);
}

/* Requests that wait behind a deferred one are answered after it, in order. */
static void test_pipelining_behind_deferred(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    int fd = peer_connect(f->port);
    peer_say(fd, "GET /park HTTP/1.1\r\nHost: h\r\n\r\nGET /after HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_parked(&f->app, 1);
    peer_sleep_ms(50);
    assert_int_equal(atomic_load(&f->app.handled), 1);
    struct http_response *r = http_response_new(200);
    http_response_copy(r, "text/plain", "late", 4);
    http_post(f->s, f->app.parked[0], r);
    struct peer_text t = peer_read(fd, "GET /after|", 5000);
    assert_non_null(strstr(t.p, "late"));
    assert_int_equal(peer_count(&t, "HTTP/1.1 200 OK"), 2);
    /* A second answer to the same token is dropped. */
    http_post(f->s, f->app.parked[0], http_response_new(200));
    peer_free(&t);
    (void)close(fd);
    end(f);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int status;
    } row[] = {
        {"\x16\x03\x01\x02", 400},
        {"\r\n\r\n\r\n\r\n", 400},
        {"GET / HTTP/1.1\nHost: h\n\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", 400},
        {"GET /\r\nHost: h\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
        {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\nx", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n", 417},
        {"GET /../etc HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET /a/%2e%2e/b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET /a%2fb HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET /a//b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET /%ff HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET /?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    };
    struct fixture *f = begin((struct http_options){0});
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int fd = peer_connect(f->port);
        peer_say(fd, row[i].text);
        struct peer_text t = peer_all(fd, 5000);
        if (peer_status(&t) != row[i].status || !t.closed)
            fail_msg("row %zu: %d, expected %d: %s", i, peer_status(&t), row[i].status, t.p);
        assert_int_equal(peer_count(&t, "\r\nDate: "), 1);
        assert_non_null(strstr(t.p, "application/problem+json"));
        assert_non_null(strstr(t.p, "title_zh"));
        peer_free(&t);
        (void)close(fd);
    }
    assert_int_equal(atomic_load(&f->app.handled), 0);
    end(f);
}

/* A body behind GET must not be taken for the next request (request smuggling). */
static void test_body_of_get(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    int fd = peer_connect(f->port);
    peer_say(fd, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 36\r\n\r\n"
                 "GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n");
    struct peer_text t = peer_all(fd, 5000);
    assert_int_equal(peer_count(&t, "HTTP/1.1 200"), 1);
    assert_int_equal(atomic_load(&f->app.handled), 1);
    peer_free(&t);
    (void)close(fd);
    end(f);
}

static void test_chunked_body(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    ASSERT_BODY(f->port,
                "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n",
                "|13|abc0123456789");
    /* Byte by byte. */
    int fd = peer_connect(f->port);
    const char *text = "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n0\r\n\r\n";
    for (const char *p = text; *p != '\0'; p++) peer_send(fd, p, 1);
    struct peer_text t = peer_answer(fd, 5000);
    assert_non_null(strstr(t.p, "|3|abc"));
    peer_free(&t);
    (void)close(fd);
    end(f);
}

static size_t limit_of(void *ctx, enum http_method m, const char *path, const char *type) {
    (void)ctx;
    (void)m;
    (void)type;
    return strcmp(path, "/tiny") == 0 ? 10 : 0;
}

static void test_oversize(void **state) {
    (void)state;
    struct fixture *f =
        begin((struct http_options){.max_json = 2000, .max_upload = 50000, .body_limit = limit_of});
    struct buf b;
    buf_init(&b, 300000);
    buf_str(&b, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
    for (int i = 0; i < 20000; i++) buf_char(&b, 'x');
    ASSERT_STATUS(f->port, buf_text(&b), 431);
    ASSERT_STATUS(f->port, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2001\r\n\r\n", 413);
    ASSERT_STATUS(f->port, "POST /tiny HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", 413);
    ASSERT_STATUS(f->port,
                  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n7D1\r\n", 413);
    ASSERT_STATUS(f->port,
                  "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                  "Content-Length: 50001\r\n\r\n",
                  413);
    /* A client that goes on sending its 200 KB still reads the refusal. */
    buf_clear(&b);
    buf_str(&b, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n");
    for (int i = 0; i < 200000; i++) buf_char(&b, 'x');
    int fd = peer_connect(f->port);
    peer_send(fd, b.p, b.n);
    struct peer_text t = peer_answer(fd, 5000);
    assert_int_equal(peer_status(&t), 413);
    assert_non_null(strstr(t.p, "Connection: close"));
    peer_free(&t);
    (void)close(fd);
    /* Exactly the limit passes. */
    buf_clear(&b);
    buf_str(&b, "POST /full HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n");
    for (int i = 0; i < 2000; i++) buf_char(&b, 'y');
    ASSERT_BODY(f->port, buf_text(&b), "|2000|yyy");
    /* 100 fields pass, 101 do not. */
    for (int n = 100; n <= 101; n++) {
        buf_clear(&b);
        buf_str(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
        for (int i = 1; i < n; i++) buf_printf(&b, "X%d: 1\r\n", i);
        buf_str(&b, "\r\n");
        ASSERT_STATUS(f->port, buf_text(&b), n == 100 ? 200 : 431);
    }
    buf_deinit(&b);
    end(f);
}

static void test_expect_continue(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    int fd = peer_connect(f->port);
    peer_say(fd,
             "POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    struct peer_text t = peer_read(fd, "100 Continue\r\n\r\n", 5000);
    assert_false(t.timed_out);
    peer_free(&t);
    peer_say(fd, "abc");
    t = peer_answer(fd, 5000);
    assert_non_null(strstr(t.p, "|3|abc"));
    peer_free(&t);
    (void)close(fd);
    end(f);
}

static void test_slow_client(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){.request_ms = 400, .idle_ms = 600});
    int fd = peer_connect(f->port), idle = peer_connect(f->port);
    int64_t began = clock_mono_us();
    /* A byte every 50 ms never lets the connection idle, and still it is cut. */
    const char *text =
        "GET /slow HTTP/1.1\r\nHost: h\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct peer_text t = {0};
    for (int i = 0; text[i] != '\0'; i++) {
        peer_send(fd, text + i, 1);
        t = peer_read(fd, "\r\n\r\n", 50);
        if (t.closed || !t.timed_out) break;
        peer_free(&t);
    }
    assert_int_equal(peer_status(&t), 408);
    assert_true(clock_mono_us() - began < 2000000);
    peer_free(&t);
    t = peer_all(idle, 3000);
    assert_true(t.closed);
    assert_int_equal(t.n, 0);
    peer_free(&t);
    assert_int_equal(metrics_value(f->app.metrics, METRIC_HTTP_CUT_TOTAL, 0), 1);
    (void)close(fd);
    (void)close(idle);
    /* A body that stops. */
    fd = peer_connect(f->port);
    peer_say(fd, "POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
    t = peer_answer(fd, 3000);
    assert_int_equal(peer_status(&t), 408);
    peer_free(&t);
    (void)close(fd);
    end(f);
}

static void test_late_answer(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){.reply_ms = 300});
    struct peer_text t = ask(f->port, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n", 5000);
    assert_int_equal(peer_status(&t), 503);
    peer_free(&t);
    http_post(f->s, f->app.parked[0], http_response_new(200));
    for (int i = 0;
         i < 300 && metrics_value(f->app.metrics, METRIC_HTTP_DROPPED_ANSWERS_TOTAL, 0) == 0; i++)
        peer_sleep_ms(10);
    assert_int_equal(metrics_value(f->app.metrics, METRIC_HTTP_DROPPED_ANSWERS_TOTAL, 0), 1);
    end(f);
}

static void test_client_vanishes(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 40; i++) {
        int fd = peer_connect(f->port);
        peer_say(fd, "POST /park HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
        wait_parked(&f->app, (size_t)i + 1);
        /* Half of them by a reset, half by an orderly end. */
        if (i % 2 == 0) (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        (void)close(fd);
    }
    peer_sleep_ms(100);
    for (int i = 0; i < 40; i++) {
        struct http_response *r = http_response_new(200);
        http_response_copy(r, "text/plain", "nobody", 6);
        http_post(f->s, f->app.parked[i], r);
    }
    ASSERT_STATUS(f->port, "GET /alive HTTP/1.1\r\nHost: h\r\n\r\n", 200);
    for (int i = 0; i < 300 && metrics_value(f->app.metrics, METRIC_HTTP_CONNECTIONS, 0) > 0; i++)
        peer_sleep_ms(10);
    assert_int_equal(metrics_value(f->app.metrics, METRIC_HTTP_CONNECTIONS, 0), 0);
    assert_true(metrics_value(f->app.metrics, METRIC_HTTP_DROPPED_ANSWERS_TOTAL, 0) >= 20);
    end(f);
}

/* A client that closes only its sending half is answered. */
static void test_half_close(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    int fd = peer_connect(f->port);
    peer_say(fd, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
    (void)shutdown(fd, SHUT_WR);
    wait_parked(&f->app, 1);
    peer_sleep_ms(50);
    struct http_response *r = http_response_new(200);
    http_response_copy(r, "text/plain", "half", 4);
    http_post(f->s, f->app.parked[0], r);
    struct peer_text t = peer_all(fd, 5000);
    assert_true(t.closed);
    assert_non_null(strstr(t.p, "\r\n\r\nhalf"));
    peer_free(&t);
    (void)close(fd);
    end(f);
}

/* ---- 200 deferred answers from four threads ---- */

struct answerer {
    struct app *app;
    size_t from, to;
};

static void *answer_some(void *arg) {
    struct answerer *w = arg;
    for (size_t i = w->from; i < w->to; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "answer-%zu", i);
        struct http_response *r = http_response_new(200);
        http_response_copy(r, "text/plain", text, (size_t)n);
        http_post(w->app->server, w->app->parked[i], r);
    }
    return NULL;
}

static void test_many_deferred(void **state) {
    (void)state;
    enum { N = 200, THREADS = 4 };
    struct fixture *f = begin((struct http_options){0});
    int fd[N];
    for (int i = 0; i < N; i++) {
        fd[i] = peer_connect(f->port);
        assert_true(fd[i] >= 0);
        peer_say(fd[i], "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    wait_parked(&f->app, N);
    pthread_t thread[THREADS];
    struct answerer w[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        w[i] = (struct answerer){&f->app, i * N / THREADS, (i + 1) * N / THREADS};
        assert_int_equal(pthread_create(&thread[i], NULL, answer_some, &w[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) (void)pthread_join(thread[i], NULL);
    bool seen[N] = {false};
    for (int i = 0; i < N; i++) {
        struct peer_text t = peer_answer(fd[i], 10000);
        assert_int_equal(peer_status(&t), 200);
        const char *at = strstr(t.p, "answer-");
        assert_non_null(at);
        unsigned long k = strtoul(at + 7, NULL, 10);
        assert_true(k < N && !seen[k]);
        seen[k] = true;
        peer_free(&t);
        (void)close(fd[i]);
    }
    end(f);
}

static void test_head_and_304(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    int fd = peer_connect(f->port);
    peer_say(fd,
             "HEAD /echo HTTP/1.1\r\nHost: h\r\n\r\nGET /tag HTTP/1.1\r\nHost: h\r\nIf-None-Match: "
             "\"x\", W/\"v1\"\r\n\r\n"
             "GET /tag HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"v2\"\r\nConnection: close\r\n\r\n");
    struct peer_text t = peer_all(fd, 5000);
    assert_int_equal(peer_count(&t, "HTTP/1.1 200 OK"), 2);
    assert_int_equal(peer_count(&t, "HTTP/1.1 304 Not Modified"), 1);
    assert_non_null(strstr(
        t.p,
        "Content-Length: 31\r\n")); /* of "HEAD /echo|127.0.0.1|plain|h|0|", which is not sent */
    assert_int_equal(peer_count(&t, "HEAD /echo"), 0);
    assert_int_equal(peer_count(&t, "tagged"), 1);
    peer_free(&t);
    (void)close(fd);
    end(f);
}

static void test_gzip(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    struct peer_text t = ask(
        f->port, "GET /json HTTP/1.1\r\nHost: h\r\nAccept-Encoding: br, gzip;q=0.5\r\n\r\n", 5000);
    assert_non_null(strstr(t.p, "Content-Encoding: gzip\r\n"));
    assert_non_null(strstr(t.p, "Vary: Accept-Encoding\r\n"));
    const char *body = strstr(t.p, "\r\n\r\n") + 4;
    z_stream z = {0};
    static char out[100000];
    assert_int_equal(inflateInit2(&z, 16 + 15), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)body;
    z.avail_in = (uInt)(t.n - (size_t)(body - t.p));
    z.next_out = (Bytef *)out;
    z.avail_out = sizeof out;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, 2000 * 8);
    (void)inflateEnd(&z);
    peer_free(&t);
    t = ask(f->port, "GET /json HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip;q=0\r\n\r\n", 5000);
    assert_null(strstr(t.p, "Content-Encoding"));
    assert_non_null(strstr(t.p, "Content-Length: 16000"));
    peer_free(&t);
    end(f);
}

static void test_big_answer_and_slow_reader(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    int fd = peer_connect(f->port);
    peer_say(fd, "GET /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    peer_sleep_ms(200);
    struct peer_text t = peer_all(fd, 10000);
    assert_true(t.n > (size_t)8 * 1024 * 1024);
    peer_free(&t);
    (void)close(fd);
    /* One that asks and never reads: closing the server frees what was queued. */
    fd = peer_connect(f->port);
    peer_say(fd, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_sleep_ms(200);
    end(f);
    (void)close(fd);
}

static void test_answer_without_memory(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    for (int n = 0;; n++) {
        char text[128];
        unsigned fired = atomic_load(&fault_fired);
        (void)snprintf(text, sizeof text,
                       "GET /fault?n=%d HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n", n);
        struct peer_text t = ask(f->port, text, 5000);
        bool none_failed =
            atomic_load(&fault_fired) == fired && peer_status(&t) == 200 && !t.closed;
        /* Without memory: 503, or not even that; never half an answer. */
        if (!none_failed && !t.closed)
            assert_true(peer_status(&t) == 503 || peer_status(&t) == 200);
        assert_false(t.timed_out);
        peer_free(&t);
        if (none_failed) break;
        assert_true(n < 100);
    }
    ASSERT_STATUS(f->port, "GET /alive HTTP/1.1\r\nHost: h\r\n\r\n", 200);
    end(f);
}

static void test_trusted_proxy(void **state) {
    (void)state;
    static const char *const trusted[] = {"127.0.0.0/8", "10.0.0.0/8"};
    struct fixture *f =
        begin((struct http_options){.trusted_proxies = trusted, .n_trusted_proxies = 2});
    ASSERT_BODY(f->port,
                "GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.2.3\r\n"
                "X-Forwarded-Proto: https\r\nX-Forwarded-Host: city.example\r\n\r\n",
                "|203.0.113.9|tls|city.example|");
    ASSERT_BODY(f->port, "GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: nonsense\r\n\r\n",
                "|127.0.0.1|");
    ASSERT_BODY(f->port, "GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 2001:db8::1\r\n\r\n",
                "|2001:db8::1|");
    end(f);
    f = begin((struct http_options){0});
    ASSERT_BODY(f->port,
                "GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: "
                "https\r\n\r\n",
                "|127.0.0.1|plain|h|");
    end(f);
}

static void test_connection_limits(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){.max_connections = 5});
    int fd[6];
    for (int i = 0; i < 5; i++) {
        fd[i] = peer_connect(f->port);
        peer_say(fd[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        struct peer_text t = peer_answer(fd[i], 5000);
        assert_int_equal(peer_status(&t), 200);
        peer_free(&t);
    }
    fd[5] = peer_connect(f->port);
    struct peer_text t = peer_all(fd[5], 5000);
    assert_int_equal(peer_status(&t), 503);
    peer_free(&t);
    for (int i = 0; i < 6; i++) (void)close(fd[i]);
    end(f);
    f = begin((struct http_options){.max_per_address = 2});
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2; i++) {
            fd[i] = peer_connect(f->port);
            peer_say(fd[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            t = peer_answer(fd[i], 5000);
            assert_int_equal(peer_status(&t), 200);
            peer_free(&t);
        }
        fd[2] = peer_connect(f->port);
        t = peer_all(fd[2], 5000);
        assert_int_equal(peer_status(&t), 503);
        peer_free(&t);
        for (int i = 0; i < 3; i++) (void)close(fd[i]);
        for (int i = 0; i < 300 && metrics_value(f->app.metrics, METRIC_HTTP_CONNECTIONS, 0) > 0;
             i++)
            peer_sleep_ms(10);
    }
    end(f);
}

static void test_busy_port(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    struct http_options o = {.port = f->port};
    struct http_server *s = NULL;
    struct err err = {0};
    char want[32];
    (void)snprintf(want, sizeof want, "port %d", f->port);
    assert_int_equal(http_server_new(&o, handle, NULL, &s, &err), ERR_BUSY);
    assert_null(s);
    assert_non_null(strstr(err.detail, want));
    assert_non_null(strstr(err.detail, "127.0.0.1"));
    o = (struct http_options){.listen = "localhost"};
    assert_int_equal(http_server_new(&o, handle, NULL, &s, &err), ERR_INVALID);
    static const char *const bad[] = {"10.0.0.0/33"};
    o = (struct http_options){.trusted_proxies = bad, .n_trusted_proxies = 1};
    assert_int_equal(http_server_new(&o, handle, NULL, &s, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "10.0.0.0/33"));
    end(f);
}

static void test_drain(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){0});
    int idle = peer_connect(f->port), busy = peer_connect(f->port);
    peer_say(busy, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_parked(&f->app, 1);
    http_server_drain(f->s, 10000);
    struct peer_text t = peer_all(idle, 5000);
    assert_true(t.closed);
    peer_free(&t);
    int refused = -2;
    for (int i = 0; i < 200 && refused != -1; i++) {
        refused = peer_connect(f->port);
        if (refused >= 0) (void)close(refused);
        peer_sleep_ms(5);
    }
    assert_int_equal(refused, -1);
    struct http_response *r = http_response_new(200);
    http_response_copy(r, "text/plain", "finished", 8);
    http_post(f->s, f->app.parked[0], r);
    t = peer_all(busy, 5000);
    assert_non_null(strstr(t.p, "finished"));
    assert_non_null(strstr(t.p, "Connection: close"));
    peer_free(&t);
    http_server_wait(f->s);
    (void)close(idle);
    (void)close(busy);
    end(f);
}

static void *kill_later(void *arg) {
    (void)arg;
    peer_sleep_ms(200);
    (void)kill(getpid(), SIGTERM);
    return NULL;
}

static void test_run_ends_on_sigterm(void **state) {
    (void)state;
    struct app app;
    struct http_options o = {.loops = 2};
    struct http_server *s = NULL;
    struct err err = {0};
    pthread_t killer;
    sigset_t term;
    app_init(&app);
    /* The signal must be blocked before any other thread exists, else that thread would take it and
     * die. */
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &term, NULL);
    assert_int_equal(http_server_new(&o, handle, &app, &s, &err), ERR_OK);
    assert_int_equal(pthread_create(&killer, NULL, kill_later, NULL), 0);
    assert_int_equal(http_server_run(s, 1000, &err), ERR_OK);
    (void)pthread_join(killer, NULL);
    http_server_free(s);
    (void)pthread_sigmask(SIG_UNBLOCK, &term, NULL);
    app_deinit(&app);
}

/* Random bytes and mangled requests: nothing but answers or closed connections. */
static void test_garbage(void **state) {
    (void)state;
    struct fixture *f = begin((struct http_options){.request_ms = 500});
    uint32_t seed = 12345;
    for (int i = 0; i < 200; i++) {
        char junk[600];
        const char *good = "POST /g HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                           "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        size_t n = i % 2 == 0 ? sizeof junk : strlen(good);
        if (i % 2 == 1) memcpy(junk, good, n);
        for (size_t k = 0; k < (i % 2 == 0 ? n : (size_t)3); k++) {
            seed = seed * 1664525U + 1013904223U;
            junk[i % 2 == 0 ? k : (seed >> 8) % n] = (char)(seed >> 24);
        }
        int fd = peer_connect(f->port);
        assert_true(fd >= 0);
        peer_send(fd, junk, n);
        (void)shutdown(fd, SHUT_WR);
        struct peer_text t = peer_all(fd, 5000);
        assert_true(t.closed);
        peer_free(&t);
        (void)close(fd);
    }
    ASSERT_STATUS(f->port, "GET /alive HTTP/1.1\r\nHost: h\r\n\r\n", 200);
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple),
        cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_pipelining_behind_deferred),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_body_of_get),
        cmocka_unit_test(test_chunked_body),
        cmocka_unit_test(test_oversize),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_slow_client),
        cmocka_unit_test(test_late_answer),
        cmocka_unit_test(test_client_vanishes),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_many_deferred),
        cmocka_unit_test(test_head_and_304),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_big_answer_and_slow_reader),
        cmocka_unit_test(test_answer_without_memory),
        cmocka_unit_test(test_trusted_proxy),
        cmocka_unit_test(test_connection_limits),
        cmocka_unit_test(test_busy_port),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_run_ends_on_sigterm),
        cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
