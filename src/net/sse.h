/* net/sse.h - server-sent events (WHATWG HTML 9.2): one hub, many clients, each seeing only what
 * its scope allows.
 *
 * Items carry ascending ids (journal sequence numbers; gaps are fine). A ring keeps the last ones,
 * so a client that comes back with Last-Event-ID misses nothing; where the ring and the `older`
 * callback cannot help it gets `event: reset` and reloads. A client is written to at most once in
 * frame_ms (4 times a second): items that came meanwhile go out together, and of those with the
 * same key only the newest. One with more than max_unsent bytes unsent is dropped, never buffered
 * without end; it comes back by itself with its Last-Event-ID. */
#ifndef NET_SSE_H
#define NET_SSE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http.h"

struct sse_hub;
struct sse_replay;

/* Borrowed for the call. */
struct sse_item {
    uint64_t id;       /* > every id published before */
    const char *event; /* "case"; letters, digits, '.', '_', '-'; NULL: "message" */
    const char *key; /* items of one key replace each other while they wait; NULL: never replaced */
    const char *
        data; /* UTF-8 text, usually one line of JSON; line breaks are sent as several data lines */
    size_t data_n;
    const void *meta; /* what `sees` needs to decide (area code, class, ...): copied bytes, at most
                         1 KiB, never sent */
    size_t meta_n;
};

struct sse_options {
    size_t ring;          /* items kept for resuming; 0: 4096 */
    size_t ring_bytes;    /* and their bytes; 0: 16 MiB */
    size_t max_unsent;    /* 0: 256 KiB */
    size_t max_item;      /* larger data is refused; 0: 64 KiB */
    unsigned max_clients; /* 0: 2048; beyond it 503 with Retry-After */
    int64_t frame_ms;     /* 0: 250 */
    int64_t keepalive_ms; /* a comment when nothing else was sent; 0: 15,000 */
    uint64_t
        start_id; /* the last id before the hub began: nothing newer was published without it */
    /* May this client see the item? scope is what sse_open was given. On the owning loop, for each
     * item and client: must be quick (well under 10 us), pure, and deny when in doubt. Required. */
    bool (*sees)(const void *scope, const struct sse_item *item);
    /* Items with after < id <= upto, oldest first, by sse_replay_add; asked when the ring does not
     * reach back that far. On the owning loop, at most 1 ms. false: cannot (the client is told to
     * reset). May be NULL: always reset. */
    bool (*older)(void *ctx, uint64_t after, uint64_t upto, struct sse_replay *out);
    void *ctx;
};

/* The hub lives inside the server: free it after http_server_wait and before http_server_free.
 * Errors: ERR_NOMEM, ERR_INVALID. */
enum err_code sse_hub_new(struct http_server *s, const struct sse_options *opt,
                          struct sse_hub **out, struct err *err) NODISCARD;
void sse_hub_free(struct sse_hub *hub);

/* Answer a request with the event stream; inside its handler; the one answer of the request.
 *   scope        what `sees` gets; owned by the hub from here on in every case, freed by scope_free
 * on the owning loop has_after    resume: items with id > after are sent first; without it the
 * stream begins with the next item The stream opens with "event: ready" whose id is the position it
 * begins at and whose data is {"id":N}; when items are lost (`after` too old, or newer than
 * anything known) with "event: reset" instead. */
void sse_open(struct sse_hub *hub, struct http_request *req, void *scope,
              void (*scope_free)(void *), bool has_after, uint64_t after);
/* Where a client wants to resume: the Last-Event-ID header, else ?after=. false: neither is there,
 * or it is no number. */
bool sse_resume_point(const struct http_request *req, uint64_t *after);

/* Publish to all clients; any thread; calls must come in the order of the ids (one publisher).
 * Copies the item. Errors: ERR_INVALID (id not above the last, bad event name), ERR_TOO_LARGE,
 * ERR_NOMEM (the item is lost to the ring: clients are told to reset). */
enum err_code sse_publish(struct sse_hub *hub, const struct sse_item *item,
                          struct err *err) NODISCARD;
/* Pass on what is of the moment only, such as how far a job is: without an id, never resumed, not
 * in the order of the ids. item->id must be 0. Any thread. Errors: ERR_INVALID, ERR_TOO_LARGE,
 * ERR_NOMEM (some clients may have got it). */
enum err_code sse_pass(struct sse_hub *hub, const struct sse_item *item, struct err *err) NODISCARD;
/* Instead of publishing, when nobody listens (sse_clients is 0) and rendering the items would be
 * wasted: nothing up to this id can be resumed any more. A client that came meanwhile is told to
 * reload, so none misses anything. Any thread. */
void sse_skip(struct sse_hub *hub, uint64_t id);
bool sse_replay_add(struct sse_replay *r,
                    const struct sse_item *item); /* false: full, stop and return false */

/* Close the streams of scopes that match (a session ended, rights changed); any thread. arg_n bytes
 * are copied. Errors: ERR_NOMEM (some streams may stay open: try again). */
enum err_code sse_drop(struct sse_hub *hub, bool (*match)(const void *scope, const void *arg),
                       const void *arg, size_t arg_n, struct err *err) NODISCARD;
/* Tell every client to reload (after a restore or a changed pack); any thread. */
void sse_reset(struct sse_hub *hub);
/* Clients now connected. */
unsigned sse_clients(const struct sse_hub *hub);
uint64_t sse_last_id(struct sse_hub *hub);
#endif
