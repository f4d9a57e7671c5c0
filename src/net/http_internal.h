/* net/http_internal.h - what the files of the HTTP server share; only net/http_*.c and net/sse.c
 * include it. A loop owns its connections, its requests and everything reachable from them: no
 * other thread touches them. Other threads hand tasks to a loop (http_loop_post), which runs them
 * in order. */
#ifndef NET_HTTP_INTERNAL_H
#define NET_HTTP_INTERNAL_H
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "net/http.h"
#include "net/http_parse.h"

enum {
    HTTP_TICK_MS = 100,          /* how often deadlines are looked at */
    HTTP_READ_AHEAD = 64 * 1024, /* most bytes read from a client before they are asked for */
    HTTP_ADVANCE_MAX = 32, /* pipelined requests answered in a row before others get their turn */
    HTTP_LINGER_MS =
        2000, /* how long a refused client may go on sending, so that it reads the refusal */
    HTTP_LINGER_BYTES = 1024 * 1024,
    HTTP_SLOW_READ_BYTES_PER_S = 4096,  /* a client that reads its answer more slowly is cut off */
    HTTP_SLOW_SEND_BYTES_PER_S = 32768, /* a body may take request_ms and its bytes at this rate */
    HTTP_SLOW_GRACE_MS = 30000,
    HTTP_MAX_LOOPS = 16,
    HTTP_MAX_RESPONSE_HEAD = 32 * 1024
};
#define HTTP_BODY_BUDGET                                                                           \
    ((int64_t)512 * 1024 * 1024) /* request bodies in memory at once, all clients together */

struct http_loop;
struct http_conn;

/* A job for a loop; embedded in the caller's struct, which `run` frees. Jobs that were left when
 * the loop ended run in http_server_free, when no connection is open any more. */
struct http_task {
    struct http_task *next;
    void (*run)(struct http_loop *loop, struct http_task *task);
};
void http_loop_post(struct http_loop *loop, struct http_task *task);

/* ---- responses (http_response.c) ---- */
enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_BUF, HTTP_BODY_REF, HTTP_BODY_FD };
struct http_response {
    struct http_task task; /* so that posting an answer allocates nothing */
    struct http_token token;
    int status;
    bool failed;                /* an allocation failed: answered 503 */
    bool illegal;               /* a header held control characters: answered 500 */
    bool plain;                 /* never compressed */
    bool has_encoding, has_csp; /* such a header was set by the application */
    enum http_body_kind kind;
    char *type;
    struct buf headers; /* "Name: value\r\n"... */
    struct buf body;
    const void *ref;
    size_t ref_n;
    void (*release)(void *);
    void *release_ctx;
    int fd;
    int64_t fd_offset, fd_n;
};
/* Gzip the body when it is worth it. */
void http_response_compress(struct http_response *r);
int64_t http_response_length(const struct http_response *r);
/* Status line and headers, ready to send. length -1: chunked, -2: ended by the end of the
 * connection. */
void http_response_head(const struct http_response *r, struct buf *out, int64_t length,
                        bool keep_alive, bool secure, const char *date);
const char *http_reason(int status);

/* ---- requests in flight (http_flight.c) ---- */
enum http_flight_state { FLIGHT_FREE, FLIGHT_OWED, FLIGHT_STREAM };
/* What a token points to. Invariant: while conn != NULL, conn->flight is this one. */
struct http_flight {
    enum http_flight_state state;
    uint32_t slot;
    uint64_t generation;
    struct http_conn *conn;       /* NULL: the client has vanished */
    struct http_request *request; /* FLIGHT_OWED: lives in its own arena */
    const struct http_stream_ops *ops;
    void *ops_ctx;
    bool chunk_owed; /* want was called, the chunk has not come */
    struct http_flight *next_free;
};
struct http_flight *http_flight_new(struct http_loop *loop, struct http_conn *conn);
struct http_flight *http_flight_find(struct http_loop *loop, struct http_token t);
void http_flight_free(struct http_loop *loop, struct http_flight *f);
/* The client has gone: an owed answer stays owed, a stream that owes no chunk ends. */
void http_flight_orphan(struct http_loop *loop, struct http_flight *f);
/* Give back a request's memory. */
void http_request_free(struct http_request *req);
/* One line in the log about an answer: what somebody must look at (5xx) as a warning, the rest for
 * debugging. */
void http_log_answer(const struct http_request *req, const char *event, int status);
/* Everything still in flight when the server is freed. */
void http_flights_deinit(struct http_loop *loop);

/* ---- connections (http_conn.c) ---- */
enum http_conn_state {
    CONN_HEAD,    /* between requests or reading a head */
    CONN_BODY,    /* reading a body of known length */
    CONN_CHUNK,   /* reading a chunk's size line */
    CONN_DATA,    /* reading a chunk's bytes */
    CONN_TRAILER, /* after the last chunk */
    CONN_WAIT,    /* the answer is owed by the application */
    CONN_WRITE,   /* the answer is on its way */
    CONN_STREAM,  /* a chunked answer is on its way */
    CONN_PUSH,    /* an event stream */
    CONN_LINGER   /* answered; what still comes is thrown away */
};
struct http_push_ops {
    void (*writable)(void *ctx, struct http_conn *c); /* everything was handed to the kernel */
    void (*gone)(void *ctx); /* exactly once; the connection must not be used any more */
};
struct http_conn {
    struct http_loop *loop;
    struct http_conn *prev, *next;
    struct bufferevent *bev;
    int fd;
    enum http_conn_state state;
    struct sockaddr_storage peer;
    bool peer_trusted, counted; /* counted: in the table of addresses */
    bool close_after, eof, dead, in_advance, started, linger, chunked_out, secure;
    int64_t deadline_us; /* monotonic; INT64_MAX: none */
    int64_t begun_us;    /* when the first byte of the request came; started says whether it has */
    size_t scanned;      /* bytes of the head looked at before */
    struct arena *arena; /* of the request being read */
    struct http_head head;
    struct buf body;
    uint64_t body_left; /* CONN_BODY, CONN_DATA */
    size_t body_limit, trailer_n;
    int64_t linger_left;
    struct http_flight *flight;
    const struct http_push_ops *push;
    void *push_ctx;
};
void http_conn_open(struct http_loop *loop, int fd, const struct sockaddr_storage *peer,
                    bool counted);
void http_conn_close(struct http_conn *c);
/* Reads on as far as the bytes at hand allow. */
void http_conn_advance(struct http_conn *c);
void http_conn_tick(struct http_conn *c, int64_t now_us);
/* Sends an answer and consumes r; the flight is settled by the caller. */
void http_conn_send(struct http_conn *c, struct http_response *r, bool head_only);
void http_conn_stream_begin(struct http_conn *c, struct http_response *head);
void http_conn_chunk(struct http_conn *c, const void *p, size_t n);
/* Ask the stream for its next chunk when there is room. */
void http_conn_pump(struct http_conn *c);
/* Refuse what is being read, then close. */
void http_conn_refuse(struct http_conn *c, int status, const char *why);
/* A stream has ended well: the closing bytes, then the next request. */
void http_conn_stream_end(struct http_conn *c);
void http_conn_drain(struct http_conn *c);
size_t http_conn_unsent(const struct http_conn *c);

/* Turns the request's answer into an endless one (event stream); on the owning loop; the one answer
 * of the request. Consumes head. false: the client has gone, ops->gone is not called. */
bool http_push_begin(struct http_request *req, struct http_response *head,
                     const struct http_push_ops *ops, void *ctx, struct http_conn **out);
void http_push_write(struct http_conn *c, const void *p, size_t n);
void http_push_close(struct http_conn *c); /* calls gone */

/* ---- loops and server (http_server.c) ---- */
struct http_request_full {
    struct http_request pub; /* first: a http_request is cast back to this */
    struct http_head head;
    struct http_loop *loop;
    struct http_flight *flight;
    struct buf body; /* owned */
    bool head_only;
};

struct http_loop {
    struct http_server *server;
    unsigned index;
    struct event_base *base;
    struct event *wake, *accept, *tick;
    int wake_fd;
    pthread_t thread;
    pthread_mutex_t lock; /* guards first, last */
    struct http_task *first, **last;
    struct http_conn *conns,
        *dead; /* dead: freed at the next tick, since callers up the stack may hold them */
    size_t n_conns;
    struct http_flight **flights; /* n_flights pointers; a slot never moves */
    uint32_t n_flights;
    struct http_flight *free_flight;
    uint64_t generation, request_id;
    bool draining, accept_paused;
    int64_t drain_until_us;
    int64_t date_s; /* the second `date` was made for */
    char date[32];
};

struct http_address_count {
    unsigned char address[16];
    unsigned n;
};
struct http_net {              /* a trusted proxy */
    unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned prefix;           /* bits, 0..128 */
};
struct http_server {
    struct http_options opt; /* zeros replaced by defaults */
    http_handler *handler;
    void *ctx;
    int listen_fd, port;
    bool started;
    int stop_fd; /* eventfd: http_server_run waits on it */
    struct http_loop loop[HTTP_MAX_LOOPS];
    unsigned n_loops;
    atomic_uint n_conns, n_running, n_accepting;
    atomic_int_least64_t body_bytes;
    pthread_mutex_t address_lock; /* guards addresses */
    struct http_address_count *addresses;
    size_t n_addresses;
    struct http_net *trusted;
    size_t n_trusted;
};
const char *http_loop_date(struct http_loop *loop);
/* Addresses: text to 16 bytes (IPv4 mapped), membership, and the client's address behind proxies.
 */
bool http_address_parse(const char *text, unsigned char out[16], bool *is_v4);
void http_address_of(const struct sockaddr_storage *ss, unsigned char out[16]);
void http_address_text(const unsigned char address[16], char out[INET6_ADDRSTRLEN]);
bool http_address_trusted(const struct http_server *s, const unsigned char address[16]);
/* One more (or less) connection of the peer; false: it has too many. */
bool http_address_enter(struct http_server *s, const unsigned char address[16]);
/* The client's address behind trusted proxies (X-Forwarded-For read from the right), else the peer
 * itself. */
void http_address_client(const struct http_server *s, const unsigned char peer[16],
                         const char *forwarded, unsigned char out[16]);
enum err_code http_address_trust(struct http_server *s, struct err *err) NODISCARD;
void http_address_leave(struct http_server *s, const unsigned char address[16]);
#endif
