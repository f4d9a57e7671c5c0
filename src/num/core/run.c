#include "num/core/run.h"

void num_run_each(const struct num_run *run, size_t n, void (*task)(void *arg, size_t i),
                  void *arg) {
    if (run != NULL && run->parallel != NULL && run->n_threads > 1 && n > 1) {
        run->parallel(run->pool, n, task, arg);
        return;
    }
    for (size_t i = 0; i < n; i++) task(arg, i);
}

size_t num_run_threads(const struct num_run *run) {
    return run == NULL || run->parallel == NULL || run->n_threads == 0 ? 1 : run->n_threads;
}

bool num_run_stopped(const struct num_run *run) {
    return run != NULL && run->stop != NULL && run->stop(run->arg);
}

void num_run_tell(const struct num_run *run, const char *stage, double share) {
    if (run != NULL && run->progress != NULL) run->progress(run->arg, stage, share);
}

enum err_code num_run_afford(const struct num_run *run, double bytes, const char *what,
                             struct err *err) {
    const double gib = 1024.0 * 1024.0 * 1024.0;
    double max = run == NULL || run->max_bytes == 0 ? 4.0 * gib : (double)run->max_bytes;
    if (bytes <= max) return ERR_OK;
    return err_fail(err, ERR_LIMIT, "%s would need %.1f GiB of memory; %.1f GiB are allowed", what,
                    bytes / gib, max / gib);
}
