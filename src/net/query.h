/* net/query.h - key=value pairs of a query string (WHATWG URL, application/x-www-form-urlencoded
 * parsing). Pure; safe from any thread. */
#ifndef NET_QUERY_H
#define NET_QUERY_H
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { QUERY_MAX_PAIRS = 128 };

struct query_pair {
    const char *key,
        *value; /* percent-decoded, valid UTF-8, NUL-terminated, no NUL inside; "" when empty */
    size_t key_n, value_n;
};
struct query {
    size_t n;
    const struct query_pair *pair; /* in source order; a key may occur several times */
};

/* Parse n bytes "a=1&b=%20x&c" without a leading '?'. '+' is a space; a pair without '=' has an
 * empty value; empty pairs are skipped. Everything is copied into the arena. Errors: ERR_SYNTAX (a
 * bad percent escape, a NUL byte, text that is not UTF-8: the offset is named), ERR_TOO_LARGE (more
 * than max_pairs), ERR_NOMEM. Cost: O(n). */
enum err_code query_parse(struct arena *a, const char *p, size_t n, size_t max_pairs,
                          struct query *out, struct err *err) NODISCARD;
/* The first value of a key, or NULL when the key is absent. */
const char *query_get(const struct query *q, const char *key);
/* How often a key occurs (a parameter given twice is mostly an error of the client). */
size_t query_count(const struct query *q, const char *key);
/* Decode percent escapes of n bytes into a NUL-terminated copy; plus says whether '+' is a space.
 * Errors as above. */
enum err_code query_decode(struct arena *a, const char *p, size_t n, bool plus, const char **out,
                           size_t *out_n, struct err *err) NODISCARD;
#endif
