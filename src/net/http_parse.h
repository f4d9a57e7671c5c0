/* net/http_parse.h - the strict reader of HTTP/1.x request heads and chunk headers (RFC 9112),
 * apart from sockets so that it can be fuzzed. What two readers could understand differently is
 * refused, not guessed (request smuggling): bare line feeds, folded headers, a length given twice
 * or beside chunked, spaces before the colon. Pure; safe from any thread. */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "net/http.h"

enum { HTTP_MAX_HEADERS = 100, HTTP_MAX_CHUNK_LINE = 64 };

struct http_field {
    const char *name;  /* lower case */
    const char *value; /* trimmed; no control characters but tab */
};
struct http_head {
    enum http_method method;
    int minor;             /* 0 or 1 */
    const char *path;      /* decoded, checked */
    const char *query;     /* raw, without '?' */
    const char *authority; /* of the Host header or the absolute target, "" when none */
    size_t n;
    const struct http_field *field;
    bool has_length, chunked, keep_alive, expect_continue;
    uint64_t length; /* Content-Length; 0 when there is none */
};

/* Looks for the end of the head in n bytes of which the first `seen` were looked at before (by this
 * function). Returns the length of the head with its empty line, 0 while it is incomplete; *bad
 * when the bytes cannot become a request whatever follows (so that garbage is answered at once and
 * not at the deadline). */
size_t http_head_end(const char *p, size_t n, size_t seen, bool *bad);
/* Parse a whole head of n bytes as http_head_end found it. Returns 0, or the status to refuse it
 * with: 400 (malformed), 413 (a length beyond 2^53), 417 (an expectation but 100-continue), 431
 * (over 100 fields), 501 (unknown method or transfer coding), 503 (no memory), 505 (version); *why
 * is then a constant text. */
int http_head_parse(struct arena *a, const char *p, size_t n, struct http_head *out,
                    const char **why);
/* First value of a field; name in lower case; NULL when absent. */
const char *http_head_get(const struct http_head *h, const char *name);
/* "1a3" or "1a3;ext" without its line end: the size of a chunk, or -1. */
int64_t http_chunk_size(const char *p, size_t n);
/* Decodes and checks a path: NULL when it is refused (bad escape, control character, "\", encoded
 * slash, "." or ".." segment, empty segment inside, no UTF-8). */
const char *http_path_clean(struct arena *a, const char *p, size_t n);
#endif
