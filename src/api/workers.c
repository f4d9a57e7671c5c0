#include "api/workers.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/mem.h"

struct work {
    void (*fn)(void *);
    void *arg;
};
struct workers {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct work *ring; /* guarded by lock, like all below */
    size_t cap, head, n;
    bool ending;
    pthread_t *threads;
    unsigned n_threads;
};

static void *run(void *arg) {
    struct workers *w = arg;
    for (;;) {
        (void)pthread_mutex_lock(&w->lock);
        while (w->n == 0 && !w->ending) (void)pthread_cond_wait(&w->wake, &w->lock);
        if (w->n == 0) {
            (void)pthread_mutex_unlock(&w->lock);
            return NULL;
        }
        struct work job = w->ring[w->head];
        w->head = (w->head + 1) % w->cap;
        w->n--;
        (void)pthread_mutex_unlock(&w->lock);
        job.fn(job.arg);
    }
}

enum err_code workers_new(unsigned n_threads, size_t max_queue, struct workers **out,
                          struct err *err) {
    struct workers *w = mem_new(1, sizeof *w);
    if (w == NULL) return err_fail(err, ERR_NOMEM, "workers");
    w->ring = mem_new(max_queue, sizeof *w->ring);
    w->threads = mem_new(n_threads, sizeof *w->threads);
    w->cap = max_queue;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->wake, NULL);
    bool ok = w->ring != NULL && w->threads != NULL;
    while (ok && w->n_threads < n_threads) {
        ok = pthread_create(&w->threads[w->n_threads], NULL, run, w) == 0;
        if (ok) w->n_threads++;
    }
    if (!ok) {
        workers_free(w);
        return err_fail(err, ERR_NOMEM, "worker threads");
    }
    *out = w;
    return ERR_OK;
}

enum err_code workers_post(struct workers *w, void (*fn)(void *), void *arg, struct err *err) {
    (void)pthread_mutex_lock(&w->lock);
    bool room = w->n < w->cap && !w->ending;
    if (room) {
        w->ring[(w->head + w->n) % w->cap] = (struct work){fn, arg};
        w->n++;
        (void)pthread_cond_signal(&w->wake);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return room ? ERR_OK : err_fail(err, ERR_BUSY, "too many requests are waiting");
}

void workers_free(struct workers *w) {
    if (w == NULL) return;
    (void)pthread_mutex_lock(&w->lock);
    w->ending = true;
    (void)pthread_cond_broadcast(&w->wake);
    (void)pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->n_threads; i++) (void)pthread_join(w->threads[i], NULL);
    (void)pthread_cond_destroy(&w->wake);
    (void)pthread_mutex_destroy(&w->lock);
    mem_free(w->threads);
    mem_free(w->ring);
    mem_free(w);
}
