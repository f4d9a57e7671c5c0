/* base/buf.h - a growable byte buffer born with a maximum; the first failure sticks, so one check
 * at the end is enough. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf {
    char *p;        /* NUL-terminated when n > 0; NULL while empty */
    size_t n, cap;  /* invariant: n < cap when p != NULL */
    size_t max;     /* most bytes it will ever hold */
    bool failed;    /* sticky: out of memory or beyond max; further adds do nothing */
    bool no_memory; /* why it failed: no memory rather than max */
};

void buf_init(struct buf *b, size_t max);
void buf_deinit(struct buf *b);
void buf_clear(struct buf *b); /* empties, keeps the memory, clears the failure */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Room for n more bytes at the end, or NULL; the caller then raises b->n. */
char *buf_room(struct buf *b, size_t n);
/* ERR_OK, or ERR_TOO_LARGE / ERR_NOMEM with a detail. */
enum err_code buf_check(const struct buf *b, struct err *err) NODISCARD;
/* The text; "" when empty. Valid until the next add. */
const char *buf_text(const struct buf *b);
#endif
