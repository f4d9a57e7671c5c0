/* The reading half of a connection: bytes to requests. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/accept.h"
#include "net/http_internal.h"
#include "net/metrics.h"

enum { ARENA_SLACK = 64 * 1024, TRAILER_MAX = 4096 };

static struct evbuffer *input_of(const struct http_conn *c) {
    return bufferevent_get_input(c->bev);
}

static void count_received(const struct http_conn *c, size_t n) {
    metrics_add(c->loop->server->opt.metrics, c->loop->index, METRIC_HTTP_RECEIVED_BYTES_TOTAL, 0,
                (int64_t)n);
}

/* Content-Type in lower case without parameters. */
static const char *bare_type(struct arena *a, const char *value) {
    if (value == NULL) return "";
    size_t n = strcspn(value, "; \t");
    char *t = arena_dup(a, value, n);
    if (t == NULL) return "";
    for (char *c = t; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    return t;
}

static size_t body_limit(const struct http_conn *c) {
    const struct http_server *s = c->loop->server;
    const char *type = bare_type(c->arena, http_head_get(&c->head, "content-type"));
    size_t limit = 0;
    if (s->opt.body_limit != NULL)
        limit = s->opt.body_limit(s->ctx, c->head.method, c->head.path, type);
    if (limit > 0) return limit;
    return strcmp(type, "multipart/form-data") == 0 ? s->opt.max_upload : s->opt.max_json;
}

/* ---- handing a request over ---- */

static bool fill_request(struct http_conn *c, struct http_request_full *full) {
    struct http_server *s = c->loop->server;
    struct http_request *r = &full->pub;
    struct arena *a = c->arena;
    unsigned char peer[16], client[16];
    char text[INET6_ADDRSTRLEN];
    full->head = c->head;
    full->loop = c->loop;
    r->server = s;
    r->arena = a;
    r->method = c->head.method;
    r->path = c->head.path;
    r->query = c->head.query;
    r->host = c->head.authority;
    r->id = ((uint64_t)c->loop->index << 56) | ++c->loop->request_id;
    r->received_us = clock_mono_us();
    r->type = bare_type(a, http_head_get(&c->head, "content-type"));
    r->accepts_gzip = accept_quality(http_head_get(&c->head, "accept-encoding"), "gzip", false) > 0;
    http_address_of(&c->peer, peer);
    memcpy(client, peer, sizeof client);
    if (c->peer_trusted) {
        const char *host = http_head_get(&c->head, "x-forwarded-host");
        const char *proto = http_head_get(&c->head, "x-forwarded-proto");
        http_address_client(s, peer, http_head_get(&c->head, "x-forwarded-for"), client);
        if (host != NULL) r->host = host;
        r->secure = proto != NULL && strcmp(proto, "https") == 0;
    }
    c->secure = r->secure;
    http_address_text(client, text);
    r->remote = arena_strdup(a, text);
    full->body = c->body;
    buf_init(&c->body, 0);
    r->body = buf_text(&full->body);
    r->body_n = full->body.n;
    return r->remote != NULL;
}

static void dispatch(struct http_conn *c) {
    struct http_server *s = c->loop->server;
    struct err err = {0};
    struct http_request_full *full = ARENA_NEW(c->arena, struct http_request_full, 1);
    struct query pairs = {0};
    if (full == NULL) {
        http_conn_refuse(c, 503, "The server is out of memory.");
        return;
    }
    if (query_parse(c->arena, c->head.query, strlen(c->head.query), QUERY_MAX_PAIRS, &pairs,
                    &err) != ERR_OK) {
        http_conn_refuse(c, err_status(err.code), err.detail);
        return;
    }
    struct http_flight *f = http_flight_new(c->loop, c);
    if (f == NULL) {
        http_conn_refuse(c, 503, "The server is out of memory.");
        return;
    }
    bool ok = fill_request(c, full);
    full->pub.pairs = pairs;
    full->flight = f;
    f->request = &full->pub;
    c->arena = NULL;
    c->flight = f;
    c->state = CONN_WAIT;
    c->started = false;
    c->deadline_us = clock_mono_us() + s->opt.reply_ms * 1000;
    if (ok)
        s->handler(s->ctx, &full->pub);
    else
        http_reply(&full->pub, NULL);
}

/* ---- head ---- */

static void begin_body(struct http_conn *c) {
    if (!c->head.chunked && c->head.length == 0) {
        dispatch(c);
        return;
    }
    c->body_limit = body_limit(c);
    if (c->head.length > c->body_limit) {
        http_conn_refuse(c, 413, "The body is larger than this address takes.");
        return;
    }
    buf_init(&c->body, c->body_limit);
    c->body_left = c->head.length;
    c->state = c->head.chunked ? CONN_CHUNK : CONN_BODY;
    c->trailer_n = 0;
    if (c->head.expect_continue && evbuffer_get_length(input_of(c)) == 0)
        (void)bufferevent_write(c->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

static void take_head(struct http_conn *c, const char *p, size_t n) {
    const char *why = "";
    c->arena = arena_new(c->loop->server->opt.max_arena + ARENA_SLACK);
    int status = c->arena == NULL ? 503 : http_head_parse(c->arena, p, n, &c->head, &why);
    (void)evbuffer_drain(input_of(c), n);
    count_received(c, n);
    if (status != 0)
        http_conn_refuse(c, status, why);
    else
        begin_body(c);
}

static bool step_head(struct http_conn *c) {
    struct evbuffer *in = input_of(c);
    size_t n = evbuffer_get_length(in), max = c->loop->server->opt.max_header;
    if (n == 0) {
        if (c->eof) http_conn_close(c);
        return false;
    }
    if (!c->started) {
        c->started = true;
        c->begun_us = clock_mono_us();
        c->deadline_us = c->begun_us + c->loop->server->opt.request_ms * 1000;
    }
    if (n > max) n = max;
    const char *p = (const char *)evbuffer_pullup(in, (ev_ssize_t)n);
    if (p == NULL) {
        http_conn_close(c);
        return false;
    }
    bool bad;
    size_t end = http_head_end(p, n, c->scanned, &bad);
    c->scanned = n;
    if (bad) {
        http_conn_refuse(c, 400, "This is not HTTP.");
    } else if (end > 0) {
        c->scanned = 0;
        take_head(c, p, end);
        return true;
    } else if (n == max) {
        http_conn_refuse(c, 431, "The request line and headers are too large.");
    } else if (c->eof) {
        http_conn_close(c);
    }
    return false;
}

/* ---- body ---- */

/* Moves what has arrived of the current body or chunk; false: nothing was there, or the request was
 * refused. */
static bool take_bytes(struct http_conn *c) {
    struct http_server *s = c->loop->server;
    size_t n = evbuffer_get_length(input_of(c));
    if (n > c->body_left) n = (size_t)c->body_left;
    if (n == 0) return false;
    if (atomic_fetch_add(&s->body_bytes, (int64_t)n) + (int64_t)n > HTTP_BODY_BUDGET) {
        atomic_fetch_sub(&s->body_bytes, (int64_t)n);
        http_conn_refuse(c, 503, "Too much is being uploaded just now.");
        return false;
    }
    char *room = buf_room(&c->body, n);
    if (room == NULL || evbuffer_remove(input_of(c), room, n) != (int)n) {
        atomic_fetch_sub(&s->body_bytes, (int64_t)n);
        http_conn_refuse(c, 503, "The server is out of memory.");
        return false;
    }
    c->body.n += n;
    c->body.p[c->body.n] = '\0';
    c->body_left -= n;
    metrics_add(s->opt.metrics, c->loop->index, METRIC_HTTP_BODY_BYTES, 0, (int64_t)n);
    count_received(c, n);
    c->deadline_us = c->begun_us + s->opt.request_ms * 1000 +
                     (int64_t)c->body.n * 1000000 / HTTP_SLOW_SEND_BYTES_PER_S;
    return true;
}

static bool step_body(struct http_conn *c) {
    if (!take_bytes(c) || c->body_left > 0) return false;
    dispatch(c);
    return true;
}

/* A line of at most max bytes with its CRLF: its length without it, -1 while incomplete, -2 when it
 * is malformed. */
static ssize_t peek_line(struct http_conn *c, size_t max, const char **line) {
    size_t n = evbuffer_get_length(input_of(c));
    if (n > max + 2) n = max + 2;
    if (n == 0) return -1;
    const char *p = (const char *)evbuffer_pullup(input_of(c), (ev_ssize_t)n);
    if (p == NULL) return -2;
    const char *nl = memchr(p, '\n', n);
    if (nl == NULL) return n == max + 2 ? -2 : -1;
    if (nl == p || nl[-1] != '\r') return -2;
    *line = p;
    return nl - p - 1;
}

static bool step_chunk_size(struct http_conn *c) {
    const char *line;
    ssize_t n = peek_line(c, HTTP_MAX_CHUNK_LINE, &line);
    if (n == -1) return false;
    int64_t size = n < 0 ? -1 : http_chunk_size(line, (size_t)n);
    if (size < 0) {
        http_conn_refuse(c, 400, "malformed chunk");
        return false;
    }
    (void)evbuffer_drain(input_of(c), (size_t)n + 2);
    if ((uint64_t)size + c->body.n > c->body_limit) {
        http_conn_refuse(c, 413, "The body is larger than this address takes.");
        return false;
    }
    c->body_left = (uint64_t)size;
    c->state = size == 0 ? CONN_TRAILER : CONN_DATA;
    return true;
}

static bool step_chunk_data(struct http_conn *c) {
    const char *line;
    if (c->body_left > 0) return take_bytes(c);
    ssize_t n = peek_line(c, 0, &line);
    if (n == -1) return false;
    if (n != 0) {
        http_conn_refuse(c, 400, "malformed chunk");
        return false;
    }
    (void)evbuffer_drain(input_of(c), 2);
    c->state = CONN_CHUNK;
    return true;
}

/* Trailer fields are read over: nothing here has a use for them. */
static bool step_trailer(struct http_conn *c) {
    const char *line;
    ssize_t n = peek_line(c, TRAILER_MAX - c->trailer_n, &line);
    if (n == -1) return false;
    if (n < 0) {
        http_conn_refuse(c, 400, "malformed trailer");
        return false;
    }
    (void)evbuffer_drain(input_of(c), (size_t)n + 2);
    c->trailer_n += (size_t)n;
    if (n == 0) dispatch(c);
    return true;
}

static bool step_linger(struct http_conn *c) {
    size_t n = evbuffer_get_length(input_of(c));
    (void)evbuffer_drain(input_of(c), n);
    c->linger_left -= (int64_t)n;
    if (c->linger_left < 0) http_conn_close(c);
    return false;
}

static bool step(struct http_conn *c) {
    switch (c->state) {
    case CONN_HEAD:
        return step_head(c);
    case CONN_BODY:
        return step_body(c);
    case CONN_CHUNK:
        return step_chunk_size(c);
    case CONN_DATA:
        return step_chunk_data(c);
    case CONN_TRAILER:
        return step_trailer(c);
    case CONN_LINGER:
        return step_linger(c);
    case CONN_WAIT:
    case CONN_WRITE:
    case CONN_STREAM:
    case CONN_PUSH:
        break;
    }
    return false;
}

void http_conn_advance(struct http_conn *c) {
    if (c->in_advance || c->dead) return;
    int heads = 0;
    c->in_advance = true;
    while (!c->dead && heads < HTTP_ADVANCE_MAX) {
        if (c->state == CONN_HEAD) heads++;
        if (!step(c)) break;
    }
    c->in_advance = false;
    /* A client with many requests queued up lets others go first; the read event brings it back. */
    if (!c->dead && heads >= HTTP_ADVANCE_MAX)
        bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS | BEV_TRIG_IGNORE_WATERMARKS);
}
