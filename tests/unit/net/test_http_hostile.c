/* The HTTP server over real sockets: what clients may do to it, and what must come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http_app.h"

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
    struct fixture *f = app_begin((struct http_options){0});
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
    app_end(f);
}

/* A body behind GET must not be taken for the next request (request smuggling). */
static void test_body_of_get(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
    int fd = peer_connect(f->port);
    peer_say(fd, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 36\r\n\r\n"
                 "GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n");
    struct peer_text t = peer_all(fd, 5000);
    assert_int_equal(peer_count(&t, "HTTP/1.1 200"), 1);
    assert_int_equal(atomic_load(&f->app.handled), 1);
    peer_free(&t);
    (void)close(fd);
    app_end(f);
}

static size_t limit_of(void *ctx, enum http_method m, const char *path, const char *type) {
    (void)ctx;
    (void)m;
    (void)type;
    return strcmp(path, "/tiny") == 0 ? 10 : 0;
}

static void test_oversize(void **state) {
    (void)state;
    struct fixture *f = app_begin(
        (struct http_options){.max_json = 2000, .max_upload = 50000, .body_limit = limit_of});
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
    app_end(f);
}

static void test_slow_client(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){.request_ms = 400, .idle_ms = 600});
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
    app_end(f);
}

static void test_client_vanishes(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 40; i++) {
        int fd = peer_connect(f->port);
        peer_say(fd, "POST /park HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
        app_wait_parked(&f->app, (size_t)i + 1);
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
    app_end(f);
}

static void test_answer_without_memory(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){0});
    for (int n = 0;; n++) {
        char text[128];
        unsigned fired = atomic_load(&f->app.fault_fired);
        (void)snprintf(text, sizeof text,
                       "GET /fault?n=%d HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n", n);
        struct peer_text t = app_ask(f->port, text, 5000);
        bool none_failed =
            atomic_load(&f->app.fault_fired) == fired && peer_status(&t) == 200 && !t.closed;
        /* Without memory: 503, or not even that; never half an answer. */
        if (!none_failed && !t.closed)
            assert_true(peer_status(&t) == 503 || peer_status(&t) == 200);
        assert_false(t.timed_out);
        peer_free(&t);
        if (none_failed) break;
        assert_true(n < 100);
    }
    ASSERT_STATUS(f->port, "GET /alive HTTP/1.1\r\nHost: h\r\n\r\n", 200);
    app_end(f);
}

static void test_trusted_proxy(void **state) {
    (void)state;
    static const char *const trusted[] = {"127.0.0.0/8", "10.0.0.0/8"};
    struct fixture *f =
        app_begin((struct http_options){.trusted_proxies = trusted, .n_trusted_proxies = 2});
    ASSERT_BODY(f->port,
                "GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.2.3\r\n"
                "X-Forwarded-Proto: https\r\nX-Forwarded-Host: city.example\r\n\r\n",
                "|203.0.113.9|tls|city.example|");
    ASSERT_BODY(f->port, "GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: nonsense\r\n\r\n",
                "|127.0.0.1|");
    ASSERT_BODY(f->port, "GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 2001:db8::1\r\n\r\n",
                "|2001:db8::1|");
    app_end(f);
    f = app_begin((struct http_options){0});
    ASSERT_BODY(f->port,
                "GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: "
                "https\r\n\r\n",
                "|127.0.0.1|plain|h|");
    app_end(f);
}

static void test_connection_limits(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){.max_connections = 5});
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
    app_end(f);
    f = app_begin((struct http_options){.max_per_address = 2});
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
    app_end(f);
}

/* Random bytes and mangled requests: nothing but answers or closed connections. */
static void test_garbage(void **state) {
    (void)state;
    struct fixture *f = app_begin((struct http_options){.request_ms = 500});
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
    app_end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_body_of_get),
        cmocka_unit_test(test_oversize),        cmocka_unit_test(test_slow_client),
        cmocka_unit_test(test_client_vanishes), cmocka_unit_test(test_answer_without_memory),
        cmocka_unit_test(test_trusted_proxy),   cmocka_unit_test(test_connection_limits),
        cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
