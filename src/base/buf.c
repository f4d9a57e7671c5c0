#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void buf_init(struct buf *b, size_t max) { *b = (struct buf){.max = max}; }

void buf_deinit(struct buf *b) {
    mem_free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b) {
    b->n = 0;
    b->failed = b->no_memory = false;
    if (b->p != NULL) b->p[0] = '\0';
}

char *buf_room(struct buf *b, size_t n) {
    if (b->failed) return NULL;
    if (n > b->max - b->n) {
        b->failed = true;
        return NULL;
    }
    size_t want = b->n + n + 1;
    if (want > b->cap) {
        size_t cap = b->cap == 0 ? 64 : b->cap;
        while (cap < want) cap *= 2;
        char *p = mem_resize(b->p, cap, 1);
        if (p == NULL) {
            b->failed = b->no_memory = true;
            return NULL;
        }
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_add(struct buf *b, const void *p, size_t n) {
    char *q = buf_room(b, n);
    if (q == NULL) return;
    if (n > 0) memcpy(q, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_str(struct buf *b, const char *s) { buf_add(b, s, strlen(s)); }
void buf_char(struct buf *b, char c) { buf_add(b, &c, 1); }

void buf_printf(struct buf *b, const char *fmt, ...) {
    char small[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if ((size_t)n < sizeof small) {
        buf_add(b, small, (size_t)n);
        return;
    }
    char *q = buf_room(b, (size_t)n);
    if (q == NULL) return;
    va_start(ap, fmt);
    (void)vsnprintf(q, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

enum err_code buf_check(const struct buf *b, struct err *err) {
    if (!b->failed) return ERR_OK;
    if (b->no_memory) return err_fail(err, ERR_NOMEM, "out of memory");
    return err_fail(err, ERR_TOO_LARGE, "output beyond %zu bytes", b->max);
}

const char *buf_text(const struct buf *b) { return b->p == NULL ? "" : b->p; }
