#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { CHUNK_MIN = 4096, ALIGN = 16 };

struct chunk {
    struct chunk *next;
    size_t used, cap;
    max_align_t data[];
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    struct chunk *head;
    struct deferred *deferred;
    size_t used, max; /* invariant: used <= max */
};

struct arena *arena_new(size_t max_bytes) {
    struct arena *a = mem_new(1, sizeof *a);
    if (a != NULL) a->max = max_bytes;
    return a;
}

void arena_free(struct arena *a) {
    if (a == NULL) return;
    for (struct deferred *d = a->deferred; d != NULL; d = d->next) d->fn(d->arg);
    struct chunk *c = a->head;
    while (c != NULL) {
        struct chunk *next = c->next;
        mem_free(c);
        c = next;
    }
    mem_free(a);
}

static struct chunk *chunk_for(struct arena *a, size_t bytes) {
    if (a->head != NULL && a->head->cap - a->head->used >= bytes) return a->head;
    size_t cap = bytes > CHUNK_MIN ? bytes : CHUNK_MIN;
    if (a->head != NULL && a->head->cap < 65536 && cap < a->head->cap * 2) cap = a->head->cap * 2;
    struct chunk *c = mem_new(1, sizeof *c + cap);
    if (c == NULL) return NULL;
    c->cap = cap;
    c->next = a->head;
    a->head = c;
    return c;
}

void *arena_alloc(struct arena *a, size_t n, size_t size) {
    if (size != 0 && n > (SIZE_MAX - ALIGN) / size) return NULL;
    size_t bytes = (n * size + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes == 0) bytes = ALIGN;
    if (bytes > a->max - a->used) return NULL;
    struct chunk *c = chunk_for(a, bytes);
    if (c == NULL) return NULL;
    void *p = (char *)c->data + c->used;
    c->used += bytes;
    a->used += bytes;
    return p;
}

char *arena_dup(struct arena *a, const char *p, size_t n) {
    char *q = arena_alloc(a, n + 1, 1);
    if (q != NULL && n > 0) memcpy(q, p, n);
    return q;
}

char *arena_strdup(struct arena *a, const char *s) { return arena_dup(a, s, strlen(s)); }

char *arena_printf(struct arena *a, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) return NULL;
    char *q = arena_alloc(a, (size_t)n + 1, 1);
    if (q == NULL) return NULL;
    va_start(ap, fmt);
    (void)vsnprintf(q, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return q;
}

enum err_code arena_defer(struct arena *a, void (*fn)(void *), void *arg) {
    struct deferred *d = ARENA_NEW(a, struct deferred, 1);
    if (d == NULL) {
        fn(arg);
        return ERR_NOMEM;
    }
    d->fn = fn;
    d->arg = arg;
    d->next = a->deferred;
    a->deferred = d;
    return ERR_OK;
}

size_t arena_used(const struct arena *a) { return a->used; }
