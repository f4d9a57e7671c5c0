/* api/api.h - what every resource handler sees: one application context and one call.
 * A handler parses, calls the domain and renders. With WHERE = POOL it runs on a thread of the
 * reader pool and may read the database and wait for commands (call_run); with LOOP it runs on the
 * event loop and must not wait: it ends with call_submit. */
#ifndef API_API_H
#define API_API_H
#include "base/json.h"
#include "domain/identity/identity.h"

struct app; /* api/app.h */

struct api_reply {
    int status;               /* 200 unless set */
    const char *content_type; /* "application/json" unless set; static or arena-owned */
    struct buf body;
    char location[160];
    char etag[40];           /* without quotes; "" = none */
    char set_cookie[256];    /* "" = none */
    const char *cache;       /* Cache-Control, "no-store" unless set */
    const char *disposition; /* Content-Disposition, or NULL */
    const char *next; /* cursor of the next page, sent as header X-Next by forms that have no room
                         for it; or NULL */
};

enum { API_MAX_PARAMS = 4 };
struct http_request;

struct call {
    struct app *app;
    struct http_request *req; /* net/http.h: headers, query, body; read-only */
    struct arena *a;          /* lives until the answer is written */
    const struct principal *who;
    const char
        *param[API_MAX_PARAMS]; /* values of {name} parts of the route, in order, percent-decoded */
    struct api_reply reply;
    bool zh;        /* preferred language of the caller */
    bool submitted; /* a command answers; the handler returns and touches nothing any more */
    int64_t seq;    /* of the last command of call_run in the journal; 0 before */
};

/* Each handler: fill c->reply and return ERR_OK, or fail; the dispatcher renders problem+json. */
typedef enum err_code api_handler(struct call *c, struct err *err);

/* The JSON body as a map (ERR_SYNTAX / ERR_INVALID / ERR_UNSUPPORTED when it is none). */
enum err_code call_body(struct call *c, const struct val **out, struct err *err) NODISCARD;
/* A query parameter or NULL. */
const char *call_query(const struct call *c, const char *name);
/* Integer query parameter within [min, max]; absent keeps *out. */
enum err_code call_query_int(const struct call *c, const char *name, int64_t min, int64_t max,
                             int64_t *out, struct err *err) NODISCARD;
/* The version of If-Match: ERR_NEED_MATCH when absent, ERR_INVALID when no version. */
enum err_code call_if_match(const struct call *c, int64_t *version, struct err *err) NODISCARD;
/* A JSON writer on the reply's body. */
struct jw call_json(struct call *c);
/* A number from a query parameter; *given tells whether it was there. */
enum err_code call_query_double(const struct call *c, const char *name, double min, double max,
                                bool *given, double *out, struct err *err) NODISCARD;
/* Submit a command as the last act of a handler: its reply is sent when it is durable. arg and
 * everything behind it must be arena-owned; apply may run twice, so it changes nothing but its
 * transaction. */
enum err_code call_submit(struct call *c, const char *name, const char *purpose,
                          enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                          void *arg, struct err *err) NODISCARD;
/* Run a command as this caller: actor, Idempotency-Key and body hash are filled in; its reply
 * becomes the call's. */
enum err_code call_run(struct call *c, const char *name, const char *purpose,
                       enum err_code (*apply)(struct tx *tx, void *arg, struct err *err), void *arg,
                       struct err *err) NODISCARD;
/* Wait until the follower of this name ("grid", "identity", "definitions") has seen what call_run
 * wrote: whoever saves and looks reads what he saved. For rare writes; a few milliseconds. */
void call_seen(const struct call *c, const char *follower);
#endif
