#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_internal.h"
#include "net/metrics.h"

enum { TOKEN_GZIP = 1 };

struct http_flight *http_flight_new(struct http_loop *loop, struct http_conn *conn) {
    struct http_flight *f = loop->free_flight;
    if (f == NULL) {
        struct http_flight **grown =
            mem_resize(loop->flights, (size_t)loop->n_flights + 1, sizeof(struct http_flight *));
        if (grown == NULL) return NULL;
        loop->flights = grown;
        f = mem_new(1, sizeof *f);
        if (f == NULL) return NULL;
        f->slot = loop->n_flights;
        loop->flights[loop->n_flights++] = f;
    } else {
        loop->free_flight = f->next_free;
    }
    *f = (struct http_flight){
        .state = FLIGHT_OWED, .slot = f->slot, .generation = ++loop->generation, .conn = conn};
    return f;
}

struct http_flight *http_flight_find(struct http_loop *loop, struct http_token t) {
    if (t.slot >= loop->n_flights) return NULL;
    struct http_flight *f = loop->flights[t.slot];
    return f->state != FLIGHT_FREE && f->generation == t.generation ? f : NULL;
}

void http_flight_free(struct http_loop *loop, struct http_flight *f) {
    if (f->conn != NULL) f->conn->flight = NULL;
    f->state = FLIGHT_FREE;
    f->conn = NULL;
    f->request = NULL;
    f->next_free = loop->free_flight;
    loop->free_flight = f;
}

void http_request_free(struct http_request *req) {
    struct http_request_full *full = (struct http_request_full *)req;
    struct arena *arena = full->pub.arena;
    atomic_fetch_sub(&full->pub.server->body_bytes, (int64_t)full->body.n);
    metrics_add(full->pub.server->opt.metrics, full->loop->index, METRIC_HTTP_BODY_BYTES, 0,
                -(int64_t)full->body.n);
    buf_deinit(&full->body);
    arena_free(arena); /* the request itself lives in it */
}

static void stream_done(struct http_loop *loop, struct http_flight *f) {
    const struct http_stream_ops *ops = f->ops;
    void *ctx = f->ops_ctx;
    http_flight_free(loop, f);
    ops->done(ctx);
}

void http_flight_orphan(struct http_loop *loop, struct http_flight *f) {
    f->conn->flight = NULL;
    f->conn = NULL;
    if (f->state == FLIGHT_STREAM && !f->chunk_owed) stream_done(loop, f);
}

void http_flights_deinit(struct http_loop *loop) {
    for (uint32_t i = 0; i < loop->n_flights; i++) {
        struct http_flight *f = loop->flights[i];
        if (f->state == FLIGHT_OWED) http_request_free(f->request);
        if (f->state == FLIGHT_STREAM) f->ops->done(f->ops_ctx);
        mem_free(f);
    }
    mem_free(loop->flights);
    loop->flights = NULL;
    loop->n_flights = 0;
}

/* ---- answers ---- */

static struct http_response *sendable(struct http_response *r) {
    if (r != NULL && !r->failed && !r->illegal) return r;
    int status = r != NULL && r->illegal ? 500 : 503;
    http_response_free(r);
    return http_response_problem(status, "The answer could not be built.");
}

void http_log_answer(const struct http_request *req, const char *event, int status) {
    const struct log *log = req->server->opt.log;
    if (log == NULL) return;
    /* Neither the query nor the address: they may be personal. */
    log_event(log, status >= 500 ? LOG_WARN : LOG_DEBUG, event, LOG_INT("request", req->id),
              LOG_STR("method", http_method_name(req->method)), LOG_STR("path", req->path),
              LOG_INT("status", status), LOG_INT("us", clock_mono_us() - req->received_us));
}

static void count_answer(struct http_loop *loop, const struct http_request *req, int status) {
    struct metrics *m = loop->server->opt.metrics;
    http_log_answer(req, "http.answer", status);
    metrics_add(m, loop->index, METRIC_HTTP_REQUESTS_TOTAL, (unsigned)(status / 100 - 1), 1);
    metrics_observe(m, loop->index, METRIC_HTTP_REQUEST_SECONDS,
                    clock_mono_us() - req->received_us);
}

/* Settles an owed answer: the request is gone afterwards. */
static void answer(struct http_loop *loop, struct http_flight *f, struct http_response *r) {
    struct http_conn *c = f->conn;
    struct http_request *req = f->request;
    bool head_only = req->method == HTTP_HEAD;
    r = sendable(r);
    if (c == NULL) {
        metrics_add(loop->server->opt.metrics, loop->index, METRIC_HTTP_DROPPED_ANSWERS_TOTAL, 0,
                    1);
        http_response_free(r);
    } else {
        count_answer(loop, req, http_response_status(r));
    }
    http_flight_free(loop, f);
    http_request_free(req);
    if (c != NULL) http_conn_send(c, r, head_only);
}

void http_reply(struct http_request *req, struct http_response *r) {
    struct http_request_full *full = (struct http_request_full *)req;
    if (req->accepts_gzip) http_response_compress(r);
    answer(full->loop, full->flight, r);
}

bool http_reply_not_modified(struct http_request *req, const char *etag,
                             const char *cache_control) {
    if (!http_if_none_match(req, etag)) return false;
    struct http_response *r = http_response_new(304);
    http_response_header(r, "ETag", etag);
    if (cache_control != NULL) http_response_header(r, "Cache-Control", cache_control);
    http_reply(req, r);
    return true;
}

struct http_token http_request_token(const struct http_request *req) {
    const struct http_request_full *full = (const struct http_request_full *)req;
    return (struct http_token){.loop = full->loop->index,
                               .slot = full->flight->slot,
                               .generation = full->flight->generation,
                               .flags = req->accepts_gzip ? TOKEN_GZIP : 0};
}

static void run_answer(struct http_loop *loop, struct http_task *task) {
    struct http_response *r = (struct http_response *)task;
    struct http_flight *f = http_flight_find(loop, r->token);
    if (f == NULL || f->state != FLIGHT_OWED) {
        http_response_free(r);
        return;
    }
    struct http_conn *c = f->conn;
    answer(loop, f, r);
    if (c != NULL) http_conn_advance(c);
}

void http_post(struct http_server *s, struct http_token t, struct http_response *r) {
    if ((t.flags & TOKEN_GZIP) != 0) http_response_compress(r);
    if (r == NULL) r = http_response_problem(503, "The answer could not be built.");
    /* Without any memory the request stays owed: reply_ms answers its client, http_server_free
     * frees it. */
    if (r == NULL) return;
    r->task = (struct http_task){.run = run_answer};
    r->token = t;
    http_loop_post(&s->loop[t.loop], &r->task);
}

/* ---- streams ---- */

struct stream_task {
    struct http_task task;
    struct http_token token;
    struct http_response *head;
    const struct http_stream_ops *ops;
    void *ctx;
};

static void begin_stream(struct http_loop *loop, struct http_flight *f, struct stream_task *t) {
    struct http_request *req = f->request;
    struct http_conn *c = f->conn;
    bool head_only = req->method == HTTP_HEAD;
    struct http_response *head = sendable(t->head);
    t->head = NULL;
    if (c != NULL && head != NULL) count_answer(loop, req, head->status);
    http_request_free(req);
    f->request = NULL;
    f->state = FLIGHT_STREAM;
    f->ops = t->ops;
    f->ops_ctx = t->ctx;
    if (c == NULL || head == NULL || head_only) {
        stream_done(loop, f);
        if (c == NULL) {
            http_response_free(head);
            return;
        }
        http_conn_send(c, head, head_only);
        http_conn_advance(c);
        return;
    }
    http_conn_stream_begin(c, head);
    if (!c->dead) http_conn_pump(c);
}

static void run_stream(struct http_loop *loop, struct http_task *task) {
    struct stream_task *t = (struct stream_task *)task;
    struct http_flight *f = http_flight_find(loop, t->token);
    if (f == NULL || f->state != FLIGHT_OWED) {
        http_response_free(t->head);
        t->ops->done(t->ctx);
    } else {
        begin_stream(loop, f, t);
    }
    mem_free(t);
}

void http_stream(struct http_server *s, struct http_token t, struct http_response *head,
                 const struct http_stream_ops *ops, void *ctx) {
    struct stream_task *task = mem_new(1, sizeof *task);
    if (task == NULL) {
        http_response_free(head);
        ops->done(ctx);
        return;
    }
    *task = (struct stream_task){
        .task = {.run = run_stream}, .token = t, .head = head, .ops = ops, .ctx = ctx};
    http_loop_post(&s->loop[t.loop], &task->task);
}

struct chunk_task {
    struct http_task task;
    struct http_token token;
    struct buf chunk;
    enum http_more more;
};

static void take_chunk(struct http_loop *loop, struct http_flight *f, struct chunk_task *t) {
    struct http_conn *c = f->conn;
    f->chunk_owed = false;
    if (c == NULL) {
        stream_done(loop, f);
        return;
    }
    if (t->more == HTTP_ABORT || t->chunk.failed) {
        http_conn_close(c); /* ends the stream by http_flight_orphan */
        return;
    }
    if (t->chunk.n > 0) http_conn_chunk(c, t->chunk.p, t->chunk.n);
    if (c->dead) return;
    if (t->more == HTTP_LAST) {
        stream_done(loop, f);
        http_conn_stream_end(c);
    } else {
        http_conn_pump(c);
    }
}

static void run_chunk(struct http_loop *loop, struct http_task *task) {
    struct chunk_task *t = (struct chunk_task *)task;
    struct http_flight *f = http_flight_find(loop, t->token);
    if (f != NULL && f->state == FLIGHT_STREAM && f->chunk_owed) take_chunk(loop, f, t);
    buf_deinit(&t->chunk);
    mem_free(t);
}

void http_stream_chunk(struct http_server *s, struct http_token t, struct buf *chunk,
                       enum http_more more) {
    struct chunk_task *task = mem_new(1, sizeof *task);
    if (task == NULL) {
        buf_deinit(chunk); /* the stream stalls and is cut off as a slow one */
        return;
    }
    *task =
        (struct chunk_task){.task = {.run = run_chunk}, .token = t, .chunk = *chunk, .more = more};
    buf_init(chunk, chunk->max);
    http_loop_post(&s->loop[t.loop], &task->task);
}
