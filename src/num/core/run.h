/* num/core/run.h - what a long computation is handed by its caller: threads, a way to stop, a way
 * to tell how far it is, and a limit of memory. The floor has no threads, clock or state of its
 * own; results never depend on the number of threads. */
#ifndef NUM_CORE_RUN_H
#define NUM_CORE_RUN_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* All members may be zero: one thread, never stopped, no word of progress, 4 GiB. */
struct num_run {
    /* Run task(arg, i) for each i in [0, n), on any thread and in any order, and return when all
     * are done (base/pool.h: pool_run). NULL: in order on the calling thread. */
    void (*parallel)(void *pool, size_t n, void (*task)(void *arg, size_t i), void *arg);
    void *pool;
    size_t n_threads; /* how many tasks may run at once; 0 means 1 */
    /* Asked now and then from any thread; true: the work ends with ERR_TIMEOUT, outputs unset. */
    bool (*stop)(void *arg);
    /* Told now and then, from the calling thread only: share done of the stage, 0..1. */
    void (*progress)(void *arg, const char *stage, double share);
    void *arg;        /* for stop and progress */
    size_t max_bytes; /* most working memory; beyond it ERR_LIMIT tells what would be needed */
};

/* run may be NULL in all of these: the defaults above. */
void num_run_each(const struct num_run *run, size_t n, void (*task)(void *arg, size_t i),
                  void *arg);
size_t num_run_threads(const struct num_run *run);
bool num_run_stopped(const struct num_run *run);
void num_run_tell(const struct num_run *run, const char *stage, double share);
/* ERR_LIMIT when bytes is more than the caller allows; `what` names the array. */
enum err_code num_run_afford(const struct num_run *run, double bytes, const char *what,
                             struct err *err) NODISCARD;
#endif
