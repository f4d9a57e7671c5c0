#include "base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_long live;
static _Thread_local long fault_in =
    -1; /* allocations left before the armed failure; -1 = not armed */
static _Thread_local int fault_fired;

static int fault_now(void) {
    if (fault_in < 0) return 0;
    if (fault_in > 0) {
        fault_in--;
        return 0;
    }
    fault_fired = 1;
    return 1; /* stays armed: out of memory tends to persist */
}

void *mem_new(size_t n, size_t size) {
    if (fault_now()) return NULL;
    if (size != 0 && n > SIZE_MAX / size) return NULL;
    void *p = calloc(n * size == 0 ? 1 : n, size == 0 ? 1 : size);
    if (p != NULL) atomic_fetch_add(&live, 1);
    return p;
}

void *mem_resize(void *p, size_t n, size_t size) {
    if (fault_now()) return NULL;
    if (size != 0 && n > SIZE_MAX / size) return NULL;
    void *q = realloc(p, n * size == 0 ? 1 : n * size);
    if (q != NULL && p == NULL) atomic_fetch_add(&live, 1);
    return q;
}

char *mem_dup(const char *p, size_t n) {
    char *q = mem_new(n + 1, 1);
    if (q != NULL && n > 0) memcpy(q, p, n);
    return q;
}

void mem_free(void *p) {
    if (p == NULL) return;
    atomic_fetch_sub(&live, 1);
    free(p);
}

void mem_fault_arm(long n) {
    fault_in = n;
    fault_fired = 0;
}

int mem_fault_disarm(void) {
    fault_in = -1;
    return fault_fired;
}

long mem_live(void) { return atomic_load(&live); }
