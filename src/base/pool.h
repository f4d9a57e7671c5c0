/* base/pool.h - a handful of threads for one long computation: fork, join. num_run.parallel takes
 * pool_run. A pool is used by one caller at a time. */
#ifndef BASE_POOL_H
#define BASE_POOL_H
#include <stddef.h>

#include "base/err.h"

struct pool;
/* n_threads >= 1, the caller's own thread included (1 starts none); 0: as many as there are cores
 * to run on. At most 64. */
enum err_code pool_new(size_t n_threads, struct pool **out, struct err *err) NODISCARD;
void pool_free(struct pool *p); /* NULL is legal */
size_t pool_threads(const struct pool *p);
/* Run task(arg, i) for each i in [0, n) on the pool's threads and the caller's; returns when all
 * are done. Tasks are handed out one by one in order. */
void pool_run(void *pool, size_t n, void (*task)(void *arg, size_t i), void *arg);
#endif
