/* The event hub and streamed answers over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/metrics.h"
#include "net/sse.h"
#include "peer.h"

struct export_job;

struct app {
    struct metrics *metrics;
    struct http_server *s;
    struct sse_hub *hub;
    int port;
    long live;
    atomic_int scopes, streams, chunks, workers; /* alive: scopes, streams, workers */
    bool can_older;
};

/* Each client sees the items of its own letter, and those marked '*'. */
static bool sees(const void *scope, const struct sse_item *item) {
    const char *mark = item->meta;
    return item->meta_n == 1 && (*mark == '*' || *mark == *(const char *)scope);
}

static bool older(void *ctx, uint64_t after, uint64_t upto, struct sse_replay *out) {
    struct app *app = ctx;
    if (!app->can_older) return false;
    for (uint64_t id = after + 1; id <= upto; id++) {
        struct sse_item item = {
            .id = id, .event = "old", .data = "o", .data_n = 1, .meta = "*", .meta_n = 1};
        if (!sse_replay_add(out, &item)) return false;
    }
    return true;
}

struct scope {
    char letter;
    struct app *app;
};

static void scope_free(void *p) {
    struct scope *s = p;
    atomic_fetch_sub(&s->app->scopes, 1);
    free(s);
}

/* ---- a streamed export ---- */

struct export_job {
    struct app *app;
    struct http_server *s;
    struct http_token t;
    int page, pages;
    size_t page_bytes;
    enum http_more end;
};

static void *make_page(void *arg) {
    struct export_job *job = arg;
    struct app *app = job->app;
    struct buf b;
    int page = job->page++;
    buf_init(&b, job->page_bytes + 100);
    buf_printf(&b, "page-%d:", page);
    for (size_t i = 0; i < job->page_bytes; i++) buf_char(&b, 'p');
    atomic_fetch_add(&job->app->chunks, 1);
    http_stream_chunk(job->s, job->t, &b, page + 1 < job->pages ? HTTP_MORE : job->end);
    /* The job may be gone by now. */
    atomic_fetch_sub(&app->workers, 1);
    return NULL;
}

/* A page is made by another thread, as a reader pool would. */
static void want(void *ctx, struct http_server *s, struct http_token t) {
    struct export_job *job = ctx;
    pthread_t thread;
    job->s = s;
    job->t = t;
    atomic_fetch_add(&job->app->workers, 1);
    assert_int_equal(pthread_create(&thread, NULL, make_page, job), 0);
    (void)pthread_detach(thread);
}

static void done(void *ctx) {
    struct export_job *job = ctx;
    atomic_fetch_sub(&job->app->streams, 1);
    free(job);
}

static const struct http_stream_ops export_ops = {.want = want, .done = done};

static void begin_export(struct app *app, struct http_request *req) {
    struct export_job *job = calloc(1, sizeof *job);
    struct http_response *head = http_response_new(200);
    const char *pages = http_param(req, "pages"), *bytes = http_param(req, "bytes");
    job->app = app;
    job->pages = pages == NULL ? 3 : (int)strtol(pages, NULL, 10);
    job->page_bytes = bytes == NULL ? 10 : strtoul(bytes, NULL, 10);
    job->end = http_param(req, "abort") != NULL ? HTTP_ABORT : HTTP_LAST;
    atomic_fetch_add(&app->streams, 1);
    http_response_copy(head, "text/csv; charset=utf-8", "", 0);
    http_stream(req->server, http_request_token(req), head, &export_ops, job);
}

static void handle(void *ctx, struct http_request *req) {
    struct app *app = ctx;
    uint64_t after = 0;
    if (strcmp(req->path, "/export") == 0) {
        begin_export(app, req);
        return;
    }
    struct scope *scope = calloc(1, sizeof *scope);
    const char *letter = http_param(req, "as");
    scope->letter = 'a';
    if (letter != NULL) scope->letter = letter[0];
    scope->app = app;
    atomic_fetch_add(&app->scopes, 1);
    bool has = sse_resume_point(req, &after);
    sse_open(app->hub, req, scope, scope_free, has, after);
}

static struct app *begin(struct sse_options o) {
    struct app *app = calloc(1, sizeof *app);
    struct http_options http = {.loops = 2};
    struct err err = {0};
    app->live = mem_live();
    app->metrics = metrics_new(2);
    http.metrics = app->metrics;
    assert_int_equal(http_server_new(&http, handle, app, &app->s, &err), ERR_OK);
    o.sees = sees;
    o.older = older;
    o.ctx = app;
    assert_int_equal(sse_hub_new(app->s, &o, &app->hub, &err), ERR_OK);
    assert_int_equal(http_server_start(app->s, &err), ERR_OK);
    app->port = http_server_port(app->s);
    return app;
}

static void end(struct app *app) {
    http_server_drain(app->s, 5000);
    http_server_wait(app->s);
    while (atomic_load(&app->workers) > 0) peer_sleep_ms(1);
    sse_hub_free(app->hub);
    http_server_free(app->s);
    metrics_free(app->metrics);
    assert_int_equal(atomic_load(&app->scopes), 0);
    assert_int_equal(atomic_load(&app->streams), 0);
    assert_int_equal(mem_live(), app->live);
    free(app);
}

static void publish(struct app *app, uint64_t id, const char *key, const char *data, char mark) {
    struct err err = {0};
    struct sse_item item = {.id = id,
                            .event = "case",
                            .key = key,
                            .data = data,
                            .data_n = strlen(data),
                            .meta = &mark,
                            .meta_n = 1};
    assert_int_equal(sse_publish(app->hub, &item, &err), ERR_OK);
}

/* A client counts from its request on; items reach it from its greeting on, which stays unread. */
static bool greeted(int fd) {
    char text[1024];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0) return false;
    text[n] = '\0';
    return strstr(text, "retry: ") != NULL;
}

static int listen_events(struct app *app, const char *query, const char *last_id) {
    char text[256];
    unsigned before = sse_clients(app->hub);
    int fd = peer_connect(app->port);
    (void)snprintf(text, sizeof text, "GET /events%s HTTP/1.1\r\nHost: h\r\n%s%s%s\r\n", query,
                   last_id == NULL ? "" : "Last-Event-ID: ", last_id == NULL ? "" : last_id,
                   last_id == NULL ? "" : "\r\n");
    peer_say(fd, text);
    for (int i = 0; i < 1000 && !greeted(fd); i++) peer_sleep_ms(5);
    assert_true(greeted(fd));
    assert_true(sse_clients(app->hub) > before);
    return fd;
}

static void hang_up(struct app *app, int fd) {
    unsigned before = sse_clients(app->hub);
    (void)close(fd);
    for (int i = 0; i < 500 && sse_clients(app->hub) == before; i++) peer_sleep_ms(5);
    assert_true(sse_clients(app->hub) < before);
}

#define ASSERT_HAS(t, what)                                                                        \
    do {                                                                                           \
        if (strstr((t).p, (what)) == NULL) fail_msg("no \"%s\" in: %s", (what), (t).p);            \
    } while (0)
#define ASSERT_LACKS(t, what)                                                                      \
    do {                                                                                           \
        if (strstr((t).p, (what)) != NULL) fail_msg("\"%s\" in: %s", (what), (t).p);               \
    } while (0)

static void test_live_and_rights(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){.start_id = 100, .frame_ms = 50});
    int a = listen_events(app, "", NULL), b = listen_events(app, "?as=b", NULL);
    publish(app, 101, NULL, "{\"for\":\"a\"}", 'a');
    publish(app, 105, NULL, "{\"for\":\"b\"}", 'b');
    publish(app, 106, NULL, "line one\nline two\r\nline three", '*');
    struct peer_text ta = peer_read(a, "line three\n\n", 5000),
                     tb = peer_read(b, "line three\n\n", 5000);
    ASSERT_HAS(ta, "Content-Type: text/event-stream\r\n");
    ASSERT_HAS(ta, "id: 100\nevent: ready\ndata: {\"id\":100}\n\n");
    ASSERT_HAS(ta, "id: 101\nevent: case\ndata: {\"for\":\"a\"}\n\n");
    ASSERT_LACKS(ta, "for\":\"b");
    ASSERT_HAS(tb, "id: 105\nevent: case\ndata: {\"for\":\"b\"}\n\n");
    ASSERT_LACKS(tb, "for\":\"a");
    ASSERT_HAS(ta, "data: line one\ndata: line two\ndata: line three\n\n");
    struct err err = {0};
    struct sse_item stale = {.id = 106, .data = "x", .data_n = 1};
    assert_int_equal(sse_publish(app->hub, &stale, &err), ERR_INVALID);
    struct sse_item named = {.id = 107, .event = "bad\nname", .data = "x", .data_n = 1};
    assert_int_equal(sse_publish(app->hub, &named, &err), ERR_INVALID);
    peer_free(&ta);
    peer_free(&tb);
    (void)close(a);
    (void)close(b);
    for (int i = 0; i < 500 && sse_clients(app->hub) > 0; i++) peer_sleep_ms(5);
    assert_int_equal(sse_clients(app->hub), 0);
    end(app);
}

/* 400 items within a second: at most four frames (and the one that goes out at once), newest of
 * each key only. */
static void test_frames_are_coalesced(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){0});
    int fd = listen_events(app, "", NULL);
    struct peer_text t = peer_read(fd, "event: ready", 5000);
    peer_free(&t);
    uint64_t id = 0;
    int64_t began = clock_mono_us();
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 4; k++) {
            char key[32], data[64];
            (void)snprintf(key, sizeof key, "case-%d", k);
            (void)snprintf(data, sizeof data, "{\"k\":%d,\"i\":%d}", k, i);
            publish(app, ++id, key, data, '*');
        }
        peer_sleep_ms(8);
    }
    double seconds = (double)(clock_mono_us() - began) / 1e6;
    t = peer_read(fd, "{\"k\":3,\"i\":99}", 5000);
    for (int k = 0; k < 4; k++) {
        char data[32];
        (void)snprintf(data, sizeof data, "{\"k\":%d,\"i\":99}", k);
        ASSERT_HAS(t, data);
    }
    int64_t frames = metrics_value(app->metrics, METRIC_SSE_FRAMES_TOTAL, 0);
    assert_true(frames >= 2);
    assert_true((double)frames <= 4 * seconds + 2);
    assert_true(peer_count(&t, "event: case") <= (size_t)frames * 4);
    const char *last = strstr(t.p, "\nid: ");
    uint64_t before = 0;
    for (; last != NULL; last = strstr(last + 1, "\nid: ")) { /* ids ascend */
        uint64_t now = strtoull(last + 5, NULL, 10);
        assert_true(now > before);
        before = now;
    }
    peer_free(&t);
    (void)close(fd);
    end(app);
}

static void test_resume(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){.ring = 10, .start_id = 50, .frame_ms = 20});
    for (uint64_t id = 51; id <= 70; id++) {
        char data[32];
        (void)snprintf(data, sizeof data, "n%" PRIu64 ".", id);
        publish(app, id, NULL, data, id % 2 == 0 ? 'a' : 'b');
    }
    /* Within the ring (61..70): what it may see, nothing twice. */
    int fd = listen_events(app, "?as=a", "63");
    publish(app, 71, NULL, "live.", '*');
    struct peer_text t = peer_read(fd, "live.", 5000);
    ASSERT_HAS(t, "id: 63\nevent: ready");
    ASSERT_LACKS(t, "n62.");
    ASSERT_LACKS(t, "n65.");
    for (int id = 64; id <= 70; id += 2) {
        char data[32];
        (void)snprintf(data, sizeof data, "data: n%d.\n", id);
        assert_int_equal(peer_count(&t, data), 1);
    }
    assert_int_equal(peer_count(&t, "event: case"), 5);
    peer_free(&t);
    hang_up(app, fd);
    /* Older than the ring and nobody to ask: reload. */
    fd = listen_events(app, "?after=55", NULL);
    t = peer_read(fd, "event: reset\ndata: {\"id\":71}", 5000);
    assert_false(t.timed_out);
    ASSERT_LACKS(t, "event: ready");
    ASSERT_LACKS(t, "event: case");
    peer_free(&t);
    hang_up(app, fd);
    /* Older than the ring, and the application knows. */
    app->can_older = true;
    fd = listen_events(app, "?after=55&as=a", NULL);
    t = peer_read(fd, "live.", 5000);
    assert_int_equal(peer_count(&t, "event: old"), 6); /* 56..61 */
    assert_int_equal(peer_count(&t, "event: case"), 6);
    peer_free(&t);
    hang_up(app, fd);
    /* From a future that this server does not know (a restored folder). */
    fd = listen_events(app, "", "9999");
    t = peer_read(fd, "event: reset", 5000);
    assert_false(t.timed_out);
    peer_free(&t);
    hang_up(app, fd);
    /* Up to date: nothing but ready. */
    fd = listen_events(app, "", "71");
    t = peer_read(fd, "event: ready\ndata: {\"id\":71}\n\n", 5000);
    assert_false(t.timed_out);
    ASSERT_LACKS(t, "event: case");
    peer_free(&t);
    hang_up(app, fd);
    end(app);
}

static void test_slow_client_is_dropped(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){.frame_ms = 10, .max_unsent = 64 * 1024});
    int small = 4096;
    int fd = listen_events(app, "", NULL);
    int quick = listen_events(app, "", NULL);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    static char data[20001];
    memset(data, 'd', 20000);
    uint64_t id = 0;
    /* The kernel's own buffers swallow some megabytes before the client counts as slow. */
    for (int i = 0; i < 2000 && metrics_value(app->metrics, METRIC_SSE_DROPPED_TOTAL, 0) == 0;
         i++) {
        publish(app, ++id, NULL, data, '*');
        char text[40];
        (void)snprintf(text, sizeof text, "id: %" PRIu64 "\n", id);
        struct peer_text t = peer_read(quick, text, 3000);
        assert_false(t.closed);
        peer_free(&t);
    }
    assert_int_equal(metrics_value(app->metrics, METRIC_SSE_DROPPED_TOTAL, 0), 1);
    for (int i = 0; i < 500 && sse_clients(app->hub) > 1; i++) peer_sleep_ms(5);
    assert_int_equal(sse_clients(app->hub), 1);
    (void)close(fd);
    (void)close(quick);
    end(app);
}

/* A burst beyond the bound is answered with one reset, not with a queue. */
static void test_burst_becomes_reset(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){.frame_ms = 400, .max_unsent = 64 * 1024});
    int fd = listen_events(app, "", NULL);
    static char data[4001];
    memset(data, 'd', 4000);
    for (uint64_t id = 1; id <= 60; id++) publish(app, id, NULL, data, '*');
    struct peer_text t = peer_read(fd, "event: reset", 5000);
    assert_false(t.timed_out);
    assert_true(t.n < 64 * 1024);
    peer_free(&t);
    (void)close(fd);
    end(app);
}

static void test_keepalive_moves_the_id(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){.frame_ms = 20, .keepalive_ms = 100});
    int fd = listen_events(app, "?as=a", NULL);
    publish(app, 7, NULL, "not yours", 'b');
    struct peer_text t = peer_read(fd, ": keepalive\nid: 7\n\n", 5000);
    assert_false(t.timed_out);
    ASSERT_LACKS(t, "not yours");
    peer_free(&t);
    (void)close(fd);
    end(app);
}

/* What was skipped while nobody listened cannot be resumed, and nobody misses it unknowingly. */
static void test_skip(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){.frame_ms = 20});
    publish(app, 5, NULL, "five", '*');
    sse_skip(app->hub, 9);
    assert_int_equal(sse_last_id(app->hub), 9);
    int fd = listen_events(app, "?after=5", NULL);
    struct peer_text t = peer_read(fd, "event: reset\ndata: {\"id\":9}", 5000);
    assert_false(t.timed_out);
    peer_free(&t);
    hang_up(app, fd);
    fd = listen_events(app, "?after=9", NULL);
    t = peer_read(fd, "event: ready\ndata: {\"id\":9}", 5000);
    assert_false(t.timed_out);
    peer_free(&t);
    /* Skipped although somebody came: reload. */
    sse_skip(app->hub, 12);
    t = peer_read(fd, "event: reset\ndata: {\"id\":12}", 5000);
    assert_false(t.timed_out);
    peer_free(&t);
    hang_up(app, fd);
    end(app);
}

static bool is_letter(const void *scope, const void *arg) {
    return *(const char *)scope == *(const char *)arg;
}

static void test_drop_and_reset(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){.frame_ms = 20, .max_clients = 2});
    struct err err = {0};
    int a = listen_events(app, "?as=a", NULL), b = listen_events(app, "?as=b", NULL);
    int third = peer_connect(app->port);
    peer_say(third, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    struct peer_text t = peer_answer(third, 5000);
    assert_int_equal(peer_status(&t), 503);
    peer_free(&t);
    (void)close(third);
    assert_int_equal(sse_drop(app->hub, is_letter, "a", 1, &err), ERR_OK);
    t = peer_all(a, 5000);
    assert_true(t.closed);
    peer_free(&t);
    sse_reset(app->hub);
    t = peer_read(b, "event: reset", 5000);
    assert_false(t.timed_out);
    peer_free(&t);
    /* Draining closes streams at once. */
    http_server_drain(app->s, 5000);
    t = peer_all(b, 2000);
    assert_true(t.closed);
    peer_free(&t);
    (void)close(a);
    (void)close(b);
    end(app);
}

/* Several threads publish and clients come and go meanwhile: for the sanitizers. */
struct publisher {
    struct app *app;
    pthread_mutex_t *lock;
    uint64_t *id;
};

static void *publish_many(void *arg) {
    struct publisher *p = arg;
    for (int i = 0; i < 300; i++) {
        (void)pthread_mutex_lock(p->lock);
        publish(p->app, ++*p->id, i % 3 == 0 ? "k" : NULL, "{\"x\":1}", '*');
        (void)pthread_mutex_unlock(p->lock);
    }
    return NULL;
}

static void test_crowd(void **state) {
    (void)state;
    enum { THREADS = 3, CLIENTS = 30 };
    struct app *app = begin((struct sse_options){.frame_ms = 5, .ring = 64});
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint64_t id = 0;
    struct publisher p = {app, &lock, &id};
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, publish_many, &p), 0);
    int fd[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fd[i] = peer_connect(app->port);
        peer_say(fd[i], "GET /events?after=0 HTTP/1.1\r\nHost: h\r\n\r\n");
        if (i % 3 == 0) (void)close(fd[i]);
    }
    for (int i = 0; i < THREADS; i++) (void)pthread_join(thread[i], NULL);
    publish(app, ++id, NULL, "the-end", '*');
    for (int i = 0; i < CLIENTS; i++) {
        if (i % 3 == 0) continue;
        /* Reloading covers the end as well. */
        struct peer_text t = peer_read_either(fd[i], "the-end", "event: reset", 10000);
        if (t.timed_out || t.closed) fail_msg("client %d: %s", i, t.p);
        peer_free(&t);
        (void)close(fd[i]);
    }
    end(app);
}

/* ---- streams ---- */

static void test_stream(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){0});
    int fd = peer_connect(app->port);
    peer_say(fd, "GET /export HTTP/1.1\r\nHost: h\r\n\r\nHEAD /export HTTP/1.1\r\nHost: "
                 "h\r\nConnection: close\r\n\r\n");
    struct peer_text t = peer_all(fd, 5000);
    assert_true(t.closed);
    ASSERT_HAS(t, "Transfer-Encoding: chunked\r\n");
    ASSERT_HAS(t, "\r\n\r\n11\r\npage-0:pppppppppp\r\n11\r\npage-1:pppppppppp\r\n11\r\npage-2:"
                  "pppppppppp\r\n0\r\n\r\nHTTP/1.1 200");
    assert_int_equal(peer_count(&t, "page-"), 3);
    peer_free(&t);
    (void)close(fd);
    fd = peer_connect(app->port);
    peer_say(fd, "GET /export HTTP/1.0\r\n\r\n");
    t = peer_all(fd, 5000);
    ASSERT_HAS(t, "\r\n\r\npage-0:pppppppppppage-1:pppppppppppage-2:pppppppppp");
    ASSERT_LACKS(t, "chunked");
    peer_free(&t);
    (void)close(fd);
    /* An aborted stream must not look complete. */
    fd = peer_connect(app->port);
    peer_say(fd, "GET /export?abort=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    t = peer_all(fd, 5000);
    assert_true(t.closed);
    ASSERT_LACKS(t, "0\r\n\r\n");
    peer_free(&t);
    (void)close(fd);
    end(app);
}

/* 2000 pages of 64 KB for a client that does not read: only as many are made as fit the buffers. */
static void test_stream_back_pressure(void **state) {
    (void)state;
    struct app *app = begin((struct sse_options){0});
    int fd = peer_connect(app->port);
    peer_say(fd, "GET /export?pages=2000&bytes=65536 HTTP/1.1\r\nHost: h\r\n\r\n");
    int before = -1;
    for (int i = 0; i < 50 && atomic_load(&app->chunks) != before; i++) {
        before = atomic_load(&app->chunks);
        peer_sleep_ms(200);
    }
    int made = atomic_load(&app->chunks);
    assert_true(made > 0 && made < 1000);
    struct peer_text t = peer_read(fd, "page-150:", 20000);
    assert_false(t.timed_out);
    peer_free(&t);
    (void)close(fd); /* vanishes in the middle */
    for (int i = 0; i < 1000 && atomic_load(&app->streams) > 0; i++) peer_sleep_ms(5);
    assert_int_equal(atomic_load(&app->streams), 0);
    end(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_and_rights),
        cmocka_unit_test(test_frames_are_coalesced),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_slow_client_is_dropped),
        cmocka_unit_test(test_burst_becomes_reset),
        cmocka_unit_test(test_keepalive_moves_the_id),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_drop_and_reset),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_stream_back_pressure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
