/* The HTTP server over real sockets: what a well-behaved client sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "http_app.h"

static void test_simple(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
    struct peer_text t = app_ask(f->port, "GET /a%20b?x=1 HTTP/1.1\r\nHost: h:1\r\n\r\n", 5000);
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
    app_end(f);
}

static void test_keep_alive_and_pipelining(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
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
    app_end(f);
}

/* Requests that wait behind a deferred one are answered after it, in order. */
static void test_pipelining_behind_deferred(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
    int fd = peer_connect(f->port);
    peer_say(fd, "GET /park HTTP/1.1\r\nHost: h\r\n\r\nGET /after HTTP/1.1\r\nHost: h\r\n\r\n");
    app_wait_parked(&f->app, 1);
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
    app_end(f);
}

static void test_chunked_body(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
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
    app_end(f);
}

static void test_expect_continue(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
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
    app_end(f);
}

static void test_late_answer(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){.reply_ms = 300});
    struct peer_text t = app_ask(f->port, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n", 5000);
    assert_int_equal(peer_status(&t), 503);
    peer_free(&t);
    http_post(f->s, f->app.parked[0], http_response_new(200));
    for (int i = 0;
         i < 300 && metrics_value(f->app.metrics, METRIC_HTTP_DROPPED_ANSWERS_TOTAL, 0) == 0; i++)
        peer_sleep_ms(10);
    assert_int_equal(metrics_value(f->app.metrics, METRIC_HTTP_DROPPED_ANSWERS_TOTAL, 0), 1);
    app_end(f);
}

/* A client that closes only its sending half is answered. */
static void test_half_close(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
    int fd = peer_connect(f->port);
    peer_say(fd, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
    (void)shutdown(fd, SHUT_WR);
    app_wait_parked(&f->app, 1);
    peer_sleep_ms(50);
    struct http_response *r = http_response_new(200);
    http_response_copy(r, "text/plain", "half", 4);
    http_post(f->s, f->app.parked[0], r);
    struct peer_text t = peer_all(fd, 5000);
    assert_true(t.closed);
    assert_non_null(strstr(t.p, "\r\n\r\nhalf"));
    peer_free(&t);
    (void)close(fd);
    app_end(f);
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
    struct fixture *f = app_begin((struct http_options){0});
    int fd[N];
    for (int i = 0; i < N; i++) {
        fd[i] = peer_connect(f->port);
        assert_true(fd[i] >= 0);
        peer_say(fd[i], "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    app_wait_parked(&f->app, N);
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
    app_end(f);
}

static void test_head_and_304(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
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
    app_end(f);
}

static void test_gzip(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
    struct peer_text t = app_ask(
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
    t = app_ask(f->port, "GET /json HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip;q=0\r\n\r\n",
                5000);
    assert_null(strstr(t.p, "Content-Encoding"));
    assert_non_null(strstr(t.p, "Content-Length: 16000"));
    peer_free(&t);
    app_end(f);
}

static void test_big_answer_and_slow_reader(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
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
    app_end(f);
    (void)close(fd);
}

static void test_busy_port(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
    struct http_options o = {.port = f->port};
    struct http_server *s = NULL;
    struct err err = {0};
    char want[32];
    (void)snprintf(want, sizeof want, "port %d", f->port);
    assert_int_equal(http_server_new(&o, app_handle, NULL, &s, &err), ERR_BUSY);
    assert_null(s);
    assert_non_null(strstr(err.detail, want));
    assert_non_null(strstr(err.detail, "127.0.0.1"));
    o = (struct http_options){.listen = "localhost"};
    assert_int_equal(http_server_new(&o, app_handle, NULL, &s, &err), ERR_INVALID);
    static const char *const bad[] = {"10.0.0.0/33"};
    o = (struct http_options){.trusted_proxies = bad, .n_trusted_proxies = 1};
    assert_int_equal(http_server_new(&o, app_handle, NULL, &s, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "10.0.0.0/33"));
    app_end(f);
}

static void test_drain(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
    int idle = peer_connect(f->port), busy = peer_connect(f->port);
    peer_say(busy, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
    app_wait_parked(&f->app, 1);
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
    app_end(f);
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
    assert_int_equal(http_server_new(&o, app_handle, &app, &s, &err), ERR_OK);
    assert_int_equal(pthread_create(&killer, NULL, kill_later, NULL), 0);
    assert_int_equal(http_server_run(s, 1000, &err), ERR_OK);
    (void)pthread_join(killer, NULL);
    http_server_free(s);
    (void)pthread_sigmask(SIG_UNBLOCK, &term, NULL);
    app_deinit(&app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple),
        cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_pipelining_behind_deferred),
        cmocka_unit_test(test_chunked_body),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_late_answer),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_many_deferred),
        cmocka_unit_test(test_head_and_304),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_big_answer_and_slow_reader),
        cmocka_unit_test(test_busy_port),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_run_ends_on_sigterm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
