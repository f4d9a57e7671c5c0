#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/mem.h"

enum { POOL_MAX = 64 };

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    void (*task)(void *arg, size_t i);
    void *arg;
    size_t n;
    atomic_size_t next;  /* first task not yet taken */
    unsigned generation; /* of the work; a thread waits for the next one */
    size_t n_busy;       /* threads still in the present work */
    bool ending;
    size_t n_threads, n_started; /* n_started of our own, the caller's not counted */
    pthread_t thread[POOL_MAX];
};

static void take_all(struct pool *p) {
    for (size_t i = atomic_fetch_add(&p->next, 1); i < p->n; i = atomic_fetch_add(&p->next, 1))
        p->task(p->arg, i);
}

static void *thread_main(void *arg) {
    struct pool *p = arg;
    unsigned seen = 0;
    (void)pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->ending && p->generation == seen) (void)pthread_cond_wait(&p->work, &p->lock);
        if (p->ending) break;
        seen = p->generation;
        (void)pthread_mutex_unlock(&p->lock);
        take_all(p);
        (void)pthread_mutex_lock(&p->lock);
        if (--p->n_busy == 0) (void)pthread_cond_signal(&p->idle);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

static size_t cores(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : (size_t)n;
}

enum err_code pool_new(size_t n_threads, struct pool **out, struct err *err) {
    *out = NULL;
    if (n_threads == 0) n_threads = cores();
    if (n_threads > POOL_MAX) n_threads = POOL_MAX;
    struct pool *p = mem_new(1, sizeof *p);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "threads");
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->work, NULL);
    (void)pthread_cond_init(&p->idle, NULL);
    p->n_threads = n_threads;
    while (p->n_started + 1 < n_threads) {
        if (pthread_create(&p->thread[p->n_started], NULL, thread_main, p) != 0) {
            pool_free(p);
            return err_fail(err, ERR_BUSY, "the system starts no further thread");
        }
        p->n_started++;
    }
    *out = p;
    return ERR_OK;
}

void pool_free(struct pool *p) {
    if (p == NULL) return;
    (void)pthread_mutex_lock(&p->lock);
    p->ending = true;
    (void)pthread_cond_broadcast(&p->work);
    (void)pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->n_started; i++) (void)pthread_join(p->thread[i], NULL);
    (void)pthread_cond_destroy(&p->work);
    (void)pthread_cond_destroy(&p->idle);
    (void)pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

size_t pool_threads(const struct pool *p) { return p->n_threads; }

void pool_run(void *pool, size_t n, void (*task)(void *arg, size_t i), void *arg) {
    struct pool *p = pool;
    (void)pthread_mutex_lock(&p->lock);
    p->task = task;
    p->arg = arg;
    p->n = n;
    atomic_store(&p->next, 0);
    p->n_busy = p->n_started;
    p->generation++;
    (void)pthread_cond_broadcast(&p->work);
    (void)pthread_mutex_unlock(&p->lock);
    take_all(p);
    (void)pthread_mutex_lock(&p->lock);
    while (p->n_busy > 0) (void)pthread_cond_wait(&p->idle, &p->lock);
    (void)pthread_mutex_unlock(&p->lock);
}
