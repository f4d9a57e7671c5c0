/* base/mem.h - the only door to the heap. Tests may wrap it to make the n-th allocation fail. */
#ifndef BASE_MEM_H
#define BASE_MEM_H
#include <stddef.h>

/* Zeroed memory for n items of size bytes; NULL on overflow or exhaustion. n * size == 0 gives a
 * valid pointer. */
void *mem_new(size_t n, size_t size);
/* Grow or shrink to n items; the old block is untouched on NULL. */
void *mem_resize(void *p, size_t n, size_t size);
/* A copy of n bytes with a terminating NUL; NULL on exhaustion. */
char *mem_dup(const char *p, size_t n);
void mem_free(void *p); /* NULL is legal */

/* Testing: fail the n-th allocation from now (0 = the next) on this thread; mem_fault_disarm tells
 * whether it fired. */
void mem_fault_arm(long n);
int mem_fault_disarm(void);
/* Blocks now live in the whole process (tests compare before and after). */
long mem_live(void);
#endif
