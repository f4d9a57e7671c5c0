#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/space_time_build.h"

struct st_job {
    const struct st_kernel *k;
    const struct num_run *run;
    struct st_set **set;
    struct st_seek **seek;
    struct st_batch **batch;
    bool batched;
    atomic_size_t next;
    atomic_bool stopped;
    size_t n, n_worker;
    /* observe */
    struct scan_best *best;
    /* replicate */
    uint64_t seed;
    uint32_t first;
    double at_least;
    double *maxima;
};

static void job_free(struct st_job *j) {
    for (size_t i = 0; i < j->n_worker; i++) {
        if (j->set != NULL) st_set_free(j->set[i]);
        if (j->seek != NULL) st_seek_free(j->seek[i]);
        if (j->batch != NULL) st_batch_free(j->batch[i]);
    }
    mem_free(j->batch);
    mem_free(j->set);
    mem_free(j->seek);
}

/* Rooms of the workers: each has its search, and n_set of them a data set. */
static enum err_code job_new(struct st_job *j, size_t n_set, struct err *err) {
    size_t n = num_run_threads(j->run);
    j->n_worker = n < j->n ? n : j->n;
    if (j->n_worker == 0) j->n_worker = 1;
    j->set = mem_new(j->n_worker, sizeof *j->set);
    j->seek = mem_new(j->n_worker, sizeof *j->seek);
    j->batch = mem_new(j->n_worker, sizeof *j->batch);
    enum err_code rc = ERR_OK;
    if (j->set == NULL || j->seek == NULL || j->batch == NULL)
        rc = err_fail(err, ERR_NOMEM, "no memory for a scan");
    for (size_t i = 0; rc == ERR_OK && i < j->n_worker; i++) {
        if (i < n_set) rc = st_set_new(j->k, &j->set[i], err);
        if (rc == ERR_OK) rc = st_seek_new(j->k, &j->seek[i], err);
        if (rc == ERR_OK && j->batched) rc = st_batch_new(j->k, &j->batch[i], err);
    }
    if (rc != ERR_OK) job_free(j);
    return rc;
}

static bool job_stopped(struct st_job *j) {
    if (!atomic_load(&j->stopped) && num_run_stopped(j->run)) atomic_store(&j->stopped, true);
    return atomic_load(&j->stopped);
}

static void observe_list(struct st_seek *s, struct scan_best *best, size_t list, size_t n_list) {
    *best = (struct scan_best){.llr = -1.0};
    s->best = 0.0;
    s->told = best;
    if (list < n_list)
        st_seek_list(s, list);
    else
        st_seek_temporal(s);
}

static void observe_task(void *arg, size_t worker) {
    struct st_job *j = arg;
    struct st_seek *s = j->seek[worker];
    s->set = j->set[0];
    size_t n_list = j->k->temporal_only ? 0 : j->k->zones->n_lists;
    enum { CHUNK = 16 };
    for (;;) {
        size_t from = atomic_fetch_add(&j->next, CHUNK);
        if (from >= j->n || job_stopped(j)) return;
        size_t to = from + CHUNK < j->n ? from + CHUNK : j->n;
        for (size_t i = from; i < to; i++) observe_list(s, &j->best[i], i, n_list);
    }
}

static enum err_code observe(void *self, const struct num_run *run, struct scan_best *best,
                             struct err *err) {
    const struct st_kernel *k = self;
    size_t n = k->temporal_only ? 1 : k->zones->n_lists + (k->temporal_too ? 1 : 0);
    struct st_job j = {.k = k, .run = run, .n = n, .best = best};
    TRY(job_new(&j, 1, err));
    memcpy(j.set[0]->event, k->events, k->n_events * sizeof *k->events);
    j.set[0]->n_event = k->n_events;
    st_set_lay(k, j.set[0]);
    num_run_each(run, j.n_worker, observe_task, &j);
    job_free(&j);
    if (atomic_load(&j.stopped)) return err_fail(err, ERR_TIMEOUT, "the scan was stopped");
    return ERR_OK;
}

/* Just below, so that a maximum that equals it is told. */
static double floor_of(const struct st_job *j) {
    return j->at_least > 0.0 ? nextafter(j->at_least, 0.0) : 0.0;
}

static double replica_max(struct st_job *j, struct st_seek *s, struct st_set *set, uint64_t r) {
    const struct st_kernel *k = j->k;
    struct rng rng = rng_new(j->seed, r);
    st_draw_null(k, &rng, set);
    st_set_lay(k, set);
    s->set = set;
    s->told = NULL;
    double floor_at = floor_of(j);
    s->best = floor_at;
    if (k->temporal_only || k->temporal_too) st_seek_temporal(s);
    size_t n = k->temporal_only ? 0 : k->zones->n_lists;
    for (size_t i = 0; i < n; i += ST_APART) st_seek_list(s, i);
    for (size_t i = 0; i < n; i++) {
        if (i % ST_APART == 0) {
            if (job_stopped(j)) return 0.0;
            continue;
        }
        st_seek_list(s, i);
    }
    return s->best > floor_at ? s->best : 0.0;
}

static void batch_task(void *arg, size_t worker) {
    struct st_job *j = arg;
    size_t width = st_batch_width();
    for (;;) {
        size_t i = atomic_fetch_add(&j->next, width);
        if (i >= j->n || job_stopped(j)) return;
        size_t n = j->n - i < width ? j->n - i : width;
        st_batch_run(j->seek[worker], j->set[worker], j->batch[worker], j->seed,
                     (uint64_t)j->first + i, n, floor_of(j), j->maxima + i);
    }
}

static void replicate_task(void *arg, size_t worker) {
    struct st_job *j = arg;
    for (;;) {
        size_t i = atomic_fetch_add(&j->next, 1);
        if (i >= j->n || job_stopped(j)) return;
        j->maxima[i] = replica_max(j, j->seek[worker], j->set[worker], (uint64_t)j->first + i);
    }
}

static enum err_code replicate(void *self, const struct num_run *run, uint64_t seed, uint32_t first,
                               uint32_t n, double at_least, double *maxima, struct err *err) {
    struct st_job j = {.k = self,
                       .run = run,
                       .n = n,
                       .seed = seed,
                       .first = first,
                       .at_least = at_least,
                       .maxima = maxima};
    j.batched = j.k->batched && n >= 4;
    TRY(job_new(&j, SIZE_MAX, err));
    num_run_each(run, j.n_worker, j.batched ? batch_task : replicate_task, &j);
    job_free(&j);
    if (atomic_load(&j.stopped)) return err_fail(err, ERR_TIMEOUT, "the scan was stopped");
    return ERR_OK;
}

enum err_code scan_space_time_kernel(const struct scan_data *data,
                                     const struct scan_options *options,
                                     const struct scan_zones *zones, const double *expected,
                                     const struct num_run *run, struct arena *a,
                                     struct scan_kernel *out, struct err *err) {
    struct st_kernel *k = ARENA_NEW(a, struct st_kernel, 1);
    if (k == NULL) return err_fail(err, ERR_NOMEM, "no memory for a space-time scan");
    TRY(st_build(data, options, zones, expected, run, a, k, err));
    *out = (struct scan_kernel){.self = k, .observe = observe, .replicate = replicate};
    return ERR_OK;
}
