/* net/http.h - HTTP/1.1 server: N event loops, replies now or later from any thread, bounded in
 * every direction.
 *
 * Life of a request: the loop that owns the connection reads and checks the whole request, then
 * calls the handler on that loop with everything parsed into an arena of the request. The handler
 * answers at once with http_reply, or keeps http_request_token(req) and lets another thread answer
 * with http_post or http_stream. EXACTLY ONE answer is owed for each request. Until it is given the
 * request and its arena stay valid, even when the client has vanished meanwhile (so a worker may
 * read them); the answer then frees them. After the answer no pointer to the request may be used.
 * The engine is behind this header and can be exchanged; nothing of it shows here. */
#ifndef NET_HTTP_H
#define NET_HTTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "net/query.h"

struct metrics; /* net/metrics.h */
struct http_server;
struct http_response;

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2, /* the handler may treat it as GET: the body is cut off on the way out */
    HTTP_POST = 3,
    HTTP_PUT = 4,
    HTTP_PATCH = 5,
    HTTP_DELETE = 6,
    HTTP_OPTIONS = 7
};
const char *http_method_name(enum http_method m);

/* One request. Fields are read-only and valid until the answer is given. */
struct http_request {
    struct http_server *server;
    struct arena
        *arena; /* for the handler's own needs too; bounded by options.max_arena beside the body */
    enum http_method method;
    const char *path;   /* "/api/v1/cases/123": percent-decoded once, valid UTF-8, dot segments and
                           double slashes refused */
    const char *query;  /* raw text after '?', "" when none */
    struct query pairs; /* the same, parsed */
    const char *host;   /* Host header (X-Forwarded-Host from a trusted proxy), "" when none */
    const char *remote; /* client address as text: the peer, or what a trusted proxy says in
                           X-Forwarded-For */
    bool secure; /* the client speaks TLS, as a trusted proxy says (X-Forwarded-Proto: https) */
    bool accepts_gzip;
    const char *type; /* Content-Type in lower case without parameters, "" when none */
    const char *body; /* body_n bytes, NUL-terminated beyond them; never NULL */
    size_t body_n;
    uint64_t id;         /* unique in the process, for logs */
    int64_t received_us; /* monotonic, when the request was complete */
    void *user;          /* free for the application */
};

/* First value of a header (any case of name), or NULL. Values are trimmed and hold no control
 * characters. */
const char *http_header(const struct http_request *req, const char *name);
/* Value of a cookie (first of that name; surrounding quotes removed), or NULL. */
const char *http_cookie(const struct http_request *req, const char *name);
/* First value of a query parameter, or NULL. */
const char *http_param(const struct http_request *req, const char *key);
/* Whether If-None-Match names this entity tag ("\"abc\"" with its quotes, or W/"..."; weak
 * comparison, RFC 9110 13.1.2; "*" too). */
bool http_if_none_match(const struct http_request *req, const char *etag);

/* ---- server ---- */

struct http_options {
    const char *listen; /* numeric address, IPv4 or IPv6; NULL: "127.0.0.1" */
    int port;           /* 0..65535; 0: any free one, see http_server_port */
    unsigned loops;     /* 0: one a core, at most 16 */
    size_t max_header;  /* request line and headers, bytes; 0: 16 KiB */
    size_t max_json;    /* body of any type but multipart/form-data; 0: 1 MiB */
    size_t max_upload;  /* multipart/form-data; 0: 20 MiB */
    size_t max_arena;   /* arena of one request without its body; 0: 8 MiB */
    int64_t
        request_ms; /* a whole request must have arrived so long after its first byte; 0: 30,000 */
    int64_t reply_ms;         /* a deferred answer later than this is replaced by 503; 0: 60,000 */
    int64_t idle_ms;          /* a kept-alive connection without a request; 0: 75,000 */
    unsigned max_connections; /* in all; beyond it a new connection is answered 503 and closed; 0:
                                 4096 */
    unsigned max_per_address; /* of one peer that is no trusted proxy; 0: no limit */
    size_t max_unsent; /* a stream or event client with more unsent bytes is cut off; 0: 256 KiB */
    const char *const *trusted_proxies; /* "10.0.0.0/8", "127.0.0.1", "::1"; their forwarding
                                           headers are believed */
    size_t n_trusted_proxies;
    const struct log *log; /* may be NULL; borrowed, outlives the server */
    struct metrics
        *metrics; /* may be NULL; borrowed, outlives the server; slot i is used by loop i */
    /* A larger (or smaller) body limit for one route, asked when the headers have been read and
     * before any body byte is taken: bytes, or 0 for the rule above. Called on any loop, must be
     * pure. May be NULL. */
    size_t (*body_limit)(void *ctx, enum http_method method, const char *path, const char *type);
};

typedef void http_handler(void *ctx, struct http_request *req);

/* Binds and listens (SO_REUSEADDR, never SO_REUSEPORT) but does not serve yet. ctx is handed to the
 * handler and to body_limit. Errors: ERR_INVALID (bad address, port or proxy), ERR_BUSY "port 8080
 * on 127.0.0.1 is in use" (detail names address and port), ERR_IO, ERR_NOMEM. */
enum err_code http_server_new(const struct http_options *opt, http_handler *handler, void *ctx,
                              struct http_server **out, struct err *err) NODISCARD;
/* The port it listens on. */
int http_server_port(const struct http_server *s);
unsigned http_server_loops(const struct http_server *s);
/* Starts the loops, each in a thread of its own, and returns. */
enum err_code http_server_start(struct http_server *s, struct err *err) NODISCARD;
/* Stop accepting, close idle connections, let running requests finish (at most grace_ms), then end
 * the loops. Event streams are closed at once, other streams run to their end within the grace. Any
 * thread; returns at once; a second call with a shorter grace shortens it. */
void http_server_drain(struct http_server *s, int64_t grace_ms);
/* Until the loops have ended. */
void http_server_wait(struct http_server *s);
/* start + wait; SIGTERM and SIGINT drain with grace_ms, a second one ends at once. To be called
 * from the main thread before others are started (the signals are blocked in the threads made
 * here). */
enum err_code http_server_run(struct http_server *s, int64_t grace_ms, struct err *err) NODISCARD;
/* After http_server_wait, or when never started. Answers posted later are an error of the caller:
 * end the workers first. */
void http_server_free(struct http_server *s);

/* ---- answers ---- */

/* Every function here takes NULL for the response and does nothing, and remembers a failed
 * allocation, so a handler needs no check: what could not be built is answered 503. */
struct http_response *http_response_new(int status);
void http_response_free(struct http_response *r); /* only for one that is never sent */
/* What the server itself answers when there is no route to ask: problem+json with the public texts
 * of the status in both languages and an English detail (NULL without memory). */
struct http_response *http_response_problem(int status, const char *detail);
/* Name and value are copied. Refused (the answer becomes 500) when they hold control characters.
 * Content-Length, Date, Connection, Transfer-Encoding and the security headers are the server's
 * business; a security header set here replaces it. */
void http_response_header(struct http_response *r, const char *name, const char *value);
void http_response_headerf(struct http_response *r, const char *name, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
int http_response_status(const struct http_response *r);
/* Body: the last call wins. type is copied; NULL keeps the one set before. */
void http_response_copy(struct http_response *r, const char *type, const void *p, size_t n);
/* Moves the buffer's memory (it is empty afterwards); a failed buffer makes the answer 503. */
void http_response_take(struct http_response *r, const char *type, struct buf *body);
/* Bytes that stay valid until release(ctx) is called (on some loop; release may be NULL for
 * constants). */
void http_response_ref(struct http_response *r, const char *type, const void *p, size_t n,
                       void (*release)(void *), void *ctx);
/* n bytes of an open file from offset; the descriptor is owned and closed. Not compressed. */
void http_response_fd(struct http_response *r, const char *type, int fd, int64_t offset, int64_t n);
/* Never gzip this one (a secret beside text that the client chose: BREACH). */
void http_response_plain(struct http_response *r);
/* A cookie: HttpOnly, SameSite=Strict, Path=/, Secure when asked; max_age_s < 0: session cookie, 0:
 * removes it. The value must be of [A-Za-z0-9_.-]. */
void http_response_cookie(struct http_response *r, const char *name, const char *value,
                          int64_t max_age_s, bool secure);

/* Answer now; only on the owning loop, inside the handler. Consumes the response (NULL: a plain
 * 503). Text, JSON, XML and scripts over 1 KiB are gzipped when the client accepts it. A body is
 * left out for HEAD, 204 and 304. */
void http_reply(struct http_request *req, struct http_response *r);
/* 304 with the entity tag when If-None-Match names it: true, the request is answered and gone. */
bool http_reply_not_modified(struct http_request *req, const char *etag, const char *cache_control);

/* The right to answer a request from any thread. A stale one (already answered, timed out) is
 * harmless. */
struct http_token {
    uint32_t loop, slot;
    uint64_t generation;
    uint32_t flags; /* what the poster must know of the request, e.g. gzip */
};
struct http_token http_request_token(const struct http_request *req);
/* Answer from any thread, the owning loop included. Consumes the response in every case; when the
 * client has vanished it is dropped. Compression runs here, in the caller's thread. Cost: one lock
 * and at most one eventfd write. */
void http_post(struct http_server *s, struct http_token t, struct http_response *r);

/* ---- streaming answers (exports page by page) ---- */

enum http_more {
    HTTP_MORE, /* another chunk follows when asked for */
    HTTP_LAST, /* the stream ends well */
    HTTP_ABORT /* cut the connection so that the client sees an incomplete answer */
};
struct http_stream_ops {
    /* On the owning loop: there is room for one more chunk. Produce it now or in a worker; each
     * call owes exactly one http_stream_chunk. */
    void (*want)(void *ctx, struct http_server *s, struct http_token t);
    /* On the owning loop, exactly once, when no chunk is owed any more: the end was sent or the
     * client vanished. Frees ctx. */
    void (*done)(void *ctx);
};
/* Begin a chunked answer with the status and headers of `head` (its body is ignored); any thread.
 * It is the one answer of the request: the request is gone afterwards, so ctx keeps copies of what
 * it needs. Consumes head. Should the request be gone already, done(ctx) is called on the owning
 * loop all the same. For HEAD only the headers are sent. */
void http_stream(struct http_server *s, struct http_token t, struct http_response *head,
                 const struct http_stream_ops *ops, void *ctx);
/* One chunk (moved, may be empty); any thread. `want` is called again when at most max_unsent / 2
 * bytes are unsent. */
void http_stream_chunk(struct http_server *s, struct http_token t, struct buf *chunk,
                       enum http_more more);
#endif
