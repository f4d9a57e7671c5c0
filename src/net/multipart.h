/* net/multipart.h - bodies of type multipart/form-data (RFC 7578, RFC 2046 5.1). Pure; safe from
 * any thread. */
#ifndef NET_MULTIPART_H
#define NET_MULTIPART_H
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { MULTIPART_MAX_PARTS = 32, MULTIPART_MAX_HEADER = 4096, MULTIPART_MAX_BOUNDARY = 70 };

struct multipart_part {
    const char *name;     /* of the form field: UTF-8, never empty */
    const char *filename; /* base name only (what stands before the last / or \ is cut off); NULL
                             for a plain field */
    const char *type; /* Content-Type in lower case without parameters; "text/plain" when absent */
    const char *data; /* n bytes, borrowed from the body; not NUL-terminated */
    size_t n;
};
struct multipart {
    size_t n;
    const struct multipart_part *part; /* in source order */
};

/* content_type is the whole header value ("multipart/form-data; boundary=..."); p stays borrowed by
 * the parts. Errors: ERR_UNSUPPORTED (another type), ERR_SYNTAX (no or a bad boundary, a part
 * without a name, no closing boundary, text that is not UTF-8; the offset is named), ERR_TOO_LARGE
 * (more than 32 parts, a part header beyond 4 KiB), ERR_NOMEM. Cost: O(n), one pass. */
enum err_code multipart_parse(struct arena *a, const char *content_type, const char *p, size_t n,
                              struct multipart *out, struct err *err) NODISCARD;
/* The first part of that name, or NULL. */
const struct multipart_part *multipart_get(const struct multipart *m, const char *name);
/* Value of a plain field as a NUL-terminated arena copy. ERR_SYNTAX when it holds a NUL byte or is
 * no UTF-8; *out is NULL when there is no such field. Errors: ERR_TOO_LARGE beyond max bytes,
 * ERR_NOMEM. */
enum err_code multipart_text(struct arena *a, const struct multipart *m, const char *name,
                             size_t max, const char **out, struct err *err) NODISCARD;
#endif
