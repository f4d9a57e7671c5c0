#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_internal.h"
#include "net/metrics.h"

/* Order of the label values in decl/metrics.def. */
enum { CUT_SLOW_REQUEST, CUT_LATE_ANSWER, CUT_SLOW_READER, CUT_MALFORMED, CUT_OVERSIZE };

static struct metrics *metrics_of(const struct http_conn *c) {
    return c->loop->server->opt.metrics;
}

static void count_cut(const struct http_conn *c, unsigned reason) {
    metrics_add(metrics_of(c), c->loop->index, METRIC_HTTP_CUT_TOTAL, reason, 1);
}

size_t http_conn_unsent(const struct http_conn *c) {
    return evbuffer_get_length(bufferevent_get_output(c->bev));
}

/* ---- opening and closing ---- */

static void forget_request(struct http_conn *c) {
    atomic_fetch_sub(&c->loop->server->body_bytes, (int64_t)c->body.n);
    metrics_add(metrics_of(c), c->loop->index, METRIC_HTTP_BODY_BYTES, 0, -(int64_t)c->body.n);
    buf_deinit(&c->body);
    arena_free(c->arena);
    c->arena = NULL;
    c->head.n = 0;
    c->head.field = NULL;
}

void http_conn_close(struct http_conn *c) {
    if (c->dead) return;
    struct http_loop *loop = c->loop;
    c->dead = true;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        loop->conns = c->next;
    if (c->next != NULL) c->next->prev = c->prev;
    loop->n_conns--;
    if (c->flight != NULL) http_flight_orphan(loop, c->flight);
    if (c->push != NULL) {
        const struct http_push_ops *ops = c->push;
        c->push = NULL;
        ops->gone(c->push_ctx);
    }
    forget_request(c);
    /* Inside its callback the bufferevent lives on until that returns: it must have let go of the
     * descriptor before another loop can be given the same number. */
    (void)bufferevent_disable(c->bev, EV_READ | EV_WRITE);
    bufferevent_free(c->bev);
    /* Not left to the bufferevent, which closes a turn later: the loop may end before that. */
    (void)close(c->fd);
    if (c->counted) {
        unsigned char address[16];
        http_address_of(&c->peer, address);
        http_address_leave(loop->server, address);
    }
    atomic_fetch_sub(&loop->server->n_conns, 1);
    metrics_add(metrics_of(c), loop->index, METRIC_HTTP_CONNECTIONS, 0, -1);
    c->next = loop->dead;
    loop->dead = c;
}

static void begin_idle(struct http_conn *c) {
    c->state = CONN_HEAD;
    c->scanned = 0;
    c->started = false;
    c->deadline_us = clock_mono_us() + c->loop->server->opt.idle_ms * 1000;
}

static void begin_linger(struct http_conn *c) {
    c->state = CONN_LINGER;
    c->linger_left = HTTP_LINGER_BYTES;
    c->deadline_us = clock_mono_us() + (int64_t)HTTP_LINGER_MS * 1000;
    (void)shutdown(c->fd, SHUT_WR);
    if (c->eof) http_conn_close(c);
}

/* Everything of an answer has left for the kernel. */
static void finish_answer(struct http_conn *c) {
    bool closes = c->close_after || c->loop->draining;
    /* Closing with bytes unread would reset the connection and could take the answer with it. */
    if (c->linger || (closes && evbuffer_get_length(bufferevent_get_input(c->bev)) > 0))
        begin_linger(c);
    else if (closes)
        http_conn_close(c);
    else
        begin_idle(c);
}

/* ---- sending ---- */

static void release_buf(const void *data, size_t n, void *ctx) {
    (void)data;
    (void)n;
    mem_free(ctx);
}

static void release_ref(const void *data, size_t n, void *ctx) {
    (void)data;
    (void)n;
    http_response_free(ctx);
}

/* Hands the unsent rest of a body to the connection's buffer without copying it. */
static bool queue_body(struct http_conn *c, struct http_response *r, size_t sent) {
    struct evbuffer *out = bufferevent_get_output(c->bev);
    if (r->kind == HTTP_BODY_FD) {
        int fd = r->fd;
        r->fd = -1; /* the buffer owns and closes it, in every case but failure */
        if (evbuffer_add_file(out, fd, r->fd_offset, r->fd_n) == 0) return true;
        (void)close(fd);
        return false;
    }
    if (r->kind == HTTP_BODY_BUF) {
        if (evbuffer_add_reference(out, r->body.p + sent, r->body.n - sent, release_buf,
                                   r->body.p) != 0)
            return false;
        r->body.p = NULL;
        buf_init(&r->body, 0);
        r->kind = HTTP_BODY_NONE;
        return true;
    }
    /* The reference outlives r: the buffer frees r, and with it the bytes, when they are sent. */
    return evbuffer_add_reference(out, (const char *)r->ref + sent, r->ref_n - sent, release_ref,
                                  r) == 0;
}

/* Most answers fit the socket's buffer: sending them at once saves two epoll_ctl calls and a turn
 * of the loop. */
static ssize_t send_now(struct http_conn *c, const struct buf *head, const void *body, size_t n) {
    if (http_conn_unsent(c) > 0) return 0;
    struct iovec iov[2] = {{.iov_base = head->p, .iov_len = head->n}};
    memcpy(&iov[1].iov_base, &body, sizeof body); /* iovec is not const; sendmsg only reads */
    iov[1].iov_len = n;
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = n > 0 ? 2 : 1};
    ssize_t sent = sendmsg(c->fd, &msg, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return sent;
}

static void begin_write(struct http_conn *c, int64_t bytes) {
    c->state = CONN_WRITE;
    c->deadline_us = clock_mono_us() + (int64_t)HTTP_SLOW_GRACE_MS * 1000 +
                     bytes * 1000000 / HTTP_SLOW_READ_BYTES_PER_S;
}

/* true: r was handed on to the buffer and must not be freed. */
static bool send_response(struct http_conn *c, struct http_response *r, struct buf *head,
                          bool no_body, bool *failed) {
    const void *body = r->kind == HTTP_BODY_BUF ? (const void *)r->body.p : r->ref;
    size_t in_memory = !no_body && (r->kind == HTTP_BODY_BUF || r->kind == HTTP_BODY_REF)
                           ? (size_t)http_response_length(r)
                           : 0;
    int64_t total = (int64_t)head->n + (no_body ? 0 : http_response_length(r));
    ssize_t sent = send_now(c, head, body, in_memory);
    *failed = sent < 0;
    if (*failed) return false;
    metrics_add(metrics_of(c), c->loop->index, METRIC_HTTP_SENT_BYTES_TOTAL, 0, total);
    if (sent == total) {
        finish_answer(c);
        return false;
    }
    size_t done = (size_t)sent;
    begin_write(c, total);
    if (done < head->n) {
        *failed = bufferevent_write(c->bev, head->p + done, head->n - done) != 0;
        done = 0;
    } else {
        done -= head->n;
    }
    bool is_ref = r->kind == HTTP_BODY_REF;
    if (*failed || no_body || (int64_t)done == http_response_length(r)) return false;
    *failed = !queue_body(c, r, done);
    return is_ref && !*failed;
}

void http_conn_send(struct http_conn *c, struct http_response *r, bool head_only) {
    if (r == NULL) {
        http_conn_close(c);
        return;
    }
    bool no_body = head_only || r->status == 204 || r->status == 304;
    bool half_closed = c->eof && evbuffer_get_length(bufferevent_get_input(c->bev)) == 0;
    if (!c->head.keep_alive || c->loop->draining || half_closed) c->close_after = true;
    struct buf head;
    bool failed = true, handed_on = false;
    buf_init(&head, HTTP_MAX_RESPONSE_HEAD);
    http_response_head(r, &head, http_response_length(r), !c->close_after, c->secure,
                       http_loop_date(c->loop));
    if (!head.failed) handed_on = send_response(c, r, &head, no_body, &failed);
    buf_deinit(&head);
    if (!handed_on) http_response_free(r);
    if (failed) http_conn_close(c);
}

void http_conn_refuse(struct http_conn *c, int status, const char *why) {
    count_cut(c, status == 408                    ? CUT_SLOW_REQUEST
                 : status == 413 || status == 431 ? CUT_OVERSIZE
                                                  : CUT_MALFORMED);
    metrics_add(metrics_of(c), c->loop->index, METRIC_HTTP_REQUESTS_TOTAL,
                (unsigned)(status / 100 - 1), 1);
    forget_request(c);
    c->close_after = c->linger = true;
    http_conn_send(c, http_response_problem(status, why), false);
}

void http_conn_stream_begin(struct http_conn *c, struct http_response *head) {
    struct buf b;
    c->chunked_out = c->head.minor == 1;
    if (!c->head.keep_alive || !c->chunked_out) c->close_after = true;
    buf_init(&b, HTTP_MAX_RESPONSE_HEAD);
    /* HTTP/1.0 knows no chunks: there the end of the connection ends the answer. */
    http_response_head(head, &b, c->chunked_out ? -1 : -2, !c->close_after, c->secure,
                       http_loop_date(c->loop));
    http_response_free(head);
    c->state = CONN_STREAM;
    c->deadline_us = INT64_MAX;
    /* A low mark lets the write callback ask for more before the buffer has run dry. */
    bufferevent_setwatermark(c->bev, EV_WRITE, c->loop->server->opt.max_unsent / 2, 0);
    if (b.failed || bufferevent_write(c->bev, b.p, b.n) != 0) http_conn_close(c);
    buf_deinit(&b);
}

void http_conn_chunk(struct http_conn *c, const void *p, size_t n) {
    struct evbuffer *out = bufferevent_get_output(c->bev);
    if (n == 0) return;
    int rc = 0;
    if (c->chunked_out) rc |= evbuffer_add_printf(out, "%zx\r\n", n) < 0;
    rc |= evbuffer_add(out, p, n);
    if (c->chunked_out) rc |= evbuffer_add(out, "\r\n", 2);
    metrics_add(metrics_of(c), c->loop->index, METRIC_HTTP_SENT_BYTES_TOTAL, 0, (int64_t)n);
    if (rc != 0) http_conn_close(c);
}

void http_conn_pump(struct http_conn *c) {
    struct http_flight *f = c->flight;
    if (f == NULL || f->state != FLIGHT_STREAM || f->chunk_owed) return;
    if (http_conn_unsent(c) > c->loop->server->opt.max_unsent / 2) {
        c->deadline_us = clock_mono_us() + (int64_t)HTTP_SLOW_GRACE_MS * 1000;
        return;
    }
    c->deadline_us = clock_mono_us() + c->loop->server->opt.reply_ms * 1000;
    f->chunk_owed = true;
    f->ops->want(
        f->ops_ctx, c->loop->server,
        (struct http_token){.loop = c->loop->index, .slot = f->slot, .generation = f->generation});
}

void http_conn_stream_end(struct http_conn *c) {
    bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
    if (c->chunked_out && bufferevent_write(c->bev, "0\r\n\r\n", 5) != 0) {
        http_conn_close(c);
        return;
    }
    begin_write(c, (int64_t)http_conn_unsent(c));
    if (http_conn_unsent(c) == 0) {
        finish_answer(c);
        http_conn_advance(c);
    }
}

/* ---- event streams ---- */

bool http_push_begin(struct http_request *req, struct http_response *head,
                     const struct http_push_ops *ops, void *ctx, struct http_conn **out) {
    struct http_request_full *full = (struct http_request_full *)req;
    struct http_loop *loop = full->loop;
    struct http_flight *f = full->flight;
    struct http_conn *c = f->conn;
    int unsent_low = 65536;
    unsigned gone_after_ms = 60000;
    http_flight_free(loop, f);
    http_request_free(req);
    if (c == NULL || head == NULL) {
        http_response_free(head);
        if (c != NULL) http_conn_close(c);
        return false;
    }
    metrics_add(metrics_of(c), loop->index, METRIC_HTTP_REQUESTS_TOTAL, 1, 1);
    http_conn_stream_begin(c, head);
    if (c->dead) return false;
    c->state = CONN_PUSH;
    bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
    /* The kernel would otherwise take megabytes for a client that no longer reads. */
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_low, sizeof unsent_low);
    /* One that went away without a word is noticed when a keepalive stays unacknowledged. */
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_after_ms, sizeof gone_after_ms);
    c->push = ops;
    c->push_ctx = ctx;
    *out = c;
    return true;
}

void http_push_write(struct http_conn *c, const void *p, size_t n) { http_conn_chunk(c, p, n); }

void http_push_close(struct http_conn *c) { http_conn_close(c); }

/* ---- time ---- */

void http_conn_tick(struct http_conn *c, int64_t now_us) {
    if (now_us < c->deadline_us) return;
    switch (c->state) {
    case CONN_HEAD:
        if (!c->started) {
            http_conn_close(c);
            return;
        }
        http_conn_refuse(c, 408, "The request did not arrive in time.");
        return;
    case CONN_BODY:
    case CONN_CHUNK:
    case CONN_DATA:
    case CONN_TRAILER:
        http_conn_refuse(c, 408, "The request did not arrive in time.");
        return;
    case CONN_WAIT:
        count_cut(c, CUT_LATE_ANSWER);
        if (c->flight != NULL) {
            http_log_answer(c->flight->request, "http.late", 503);
            c->flight->conn = NULL; /* its answer is dropped when it comes */
            c->flight = NULL;
        }
        c->close_after = true;
        metrics_add(metrics_of(c), c->loop->index, METRIC_HTTP_REQUESTS_TOTAL, 4, 1);
        http_conn_send(c, http_response_problem(503, "The answer took too long."), false);
        return;
    case CONN_WRITE:
    case CONN_STREAM:
        count_cut(c, CUT_SLOW_READER);
        http_conn_close(c);
        return;
    case CONN_PUSH:
        return;
    case CONN_LINGER:
        http_conn_close(c);
        return;
    }
}

void http_conn_drain(struct http_conn *c) {
    c->close_after = true;
    if (c->state == CONN_PUSH || (c->state == CONN_HEAD && !c->started)) http_conn_close(c);
}

/* ---- events ---- */

static void on_read(struct bufferevent *bev, void *arg) {
    (void)bev;
    http_conn_advance(arg);
}

static void on_write(struct bufferevent *bev, void *arg) {
    struct http_conn *c = arg;
    (void)bev;
    if (c->state == CONN_STREAM) {
        http_conn_pump(c);
    } else if (c->state == CONN_PUSH) {
        c->push->writable(c->push_ctx, c);
    } else if (c->state == CONN_WRITE && http_conn_unsent(c) == 0) {
        finish_answer(c);
        if (!c->dead) http_conn_advance(c);
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg) {
    struct http_conn *c = arg;
    (void)bev;
    /* "End of file" while writing: a file that was cut short behind our back. */
    if ((what & BEV_EVENT_EOF) == 0 || (what & BEV_EVENT_WRITING) != 0) {
        http_conn_close(c);
        return;
    }
    c->eof = true;
    /* A client may close its sending half and still read: what was asked for is answered. A stream
     * has no end of its own, so there the end of the client's side ends it. */
    if (c->state != CONN_WAIT && c->state != CONN_WRITE && c->state != CONN_HEAD)
        http_conn_close(c);
    else
        http_conn_advance(c);
}

void http_conn_open(struct http_loop *loop, int fd, const struct sockaddr_storage *peer,
                    bool counted) {
    int one = 1;
    struct http_conn *c = mem_new(1, sizeof *c);
    struct bufferevent *bev = c == NULL ? NULL : bufferevent_socket_new(loop->base, fd, 0);
    if (bev == NULL) {
        mem_free(c);
        (void)close(fd);
        atomic_fetch_sub(&loop->server->n_conns, 1);
        return;
    }
    unsigned char address[16];
    c->loop = loop;
    c->bev = bev;
    c->fd = fd;
    c->peer = *peer;
    c->counted = counted;
    http_address_of(peer, address);
    c->peer_trusted = http_address_trusted(loop->server, address);
    buf_init(&c->body, 0);
    c->next = loop->conns;
    if (c->next != NULL) c->next->prev = c;
    loop->conns = c;
    loop->n_conns++;
    metrics_add(metrics_of(c), loop->index, METRIC_HTTP_CONNECTIONS, 0, 1);
    metrics_add(metrics_of(c), loop->index, METRIC_HTTP_CONNECTIONS_TOTAL, 0, 1);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    begin_idle(c);
    bufferevent_setcb(bev, on_read, on_write, on_event, c);
    bufferevent_setwatermark(bev, EV_READ, 0, HTTP_READ_AHEAD);
    if (bufferevent_enable(bev, EV_READ | EV_WRITE) != 0) http_conn_close(c);
}
