/* base/arena.h - memory of one request, job or load: freed at once, with deferred destructors run
 * in reverse order. One thread at a time. Nothing that outlives the arena may keep a pointer into
 * it. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

struct arena;

/* A new arena that hands out at most max_bytes; NULL when there is no memory. */
struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *a);
/* Zeroed, 16-byte aligned; NULL on overflow, exhaustion or the limit. */
void *arena_alloc(struct arena *a, size_t n, size_t size);
#define ARENA_NEW(a, T, n) ((T *)arena_alloc((a), (n), sizeof(T)))
/* NUL-terminated copies; NULL on exhaustion. */
char *arena_dup(struct arena *a, const char *p, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Run fn(arg) when the arena is freed. Returns ERR_NOMEM (fn is then run at once) when it cannot be
 * recorded. */
enum err_code arena_defer(struct arena *a, void (*fn)(void *), void *arg) NODISCARD;
size_t arena_used(const struct arena *a);
#endif
