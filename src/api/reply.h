/* api/reply.h - a call's result as an HTTP response. */
#ifndef API_REPLY_H
#define API_REPLY_H
#include "api/api.h"
#include "net/http.h"

/* The reply a handler filled; takes the body. */
struct http_response *reply_of_call(struct call *c);
/* RFC 9457 problem+json with both languages and the field pointer. Details of 5xx errors stay in
 * the log. */
struct http_response *reply_of_error(struct call *c, enum err_code rc, const struct err *err);
/* A command's reply becomes the call's. */
void reply_from_command(struct call *c, const struct reply *reply);
/* Fill name, actor, purpose, Idempotency-Key and body hash of a command by the call. */
enum err_code call_command(struct call *c, const char *name, const char *purpose,
                           struct command *out, struct err *err) NODISCARD;
#endif
