#include "testing.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/pool.h"

enum { N = 5000 };
struct counts {
    atomic_uint done[N];
    atomic_uint at_once, most;
    atomic_size_t last;
};

static void count(void *arg, size_t i) {
    struct counts *c = arg;
    unsigned now = atomic_fetch_add(&c->at_once, 1) + 1, most = atomic_load(&c->most);
    while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now)) {
    }
    atomic_fetch_add(&c->done[i], 1);
    atomic_fetch_sub(&c->at_once, 1);
}

/* Each task exactly once, run after run on one pool, and never more at once than threads. */
static void each_once(void **state) {
    (void)state;
    static const size_t threads[] = {1, 2, 3, 8};
    for (size_t t = 0; t < 4; t++) {
        struct pool *p;
        struct err err;
        assert_int_equal(pool_new(threads[t], &p, &err), ERR_OK);
        assert_int_equal(pool_threads(p), threads[t]);
        static const size_t sizes[] = {0, 1, 2, 7, N, N, 3};
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            static struct counts c;
            memset(&c, 0, sizeof c);
            pool_run(p, sizes[s], count, &c);
            assert_int_equal(atomic_load(&c.at_once), 0); /* all are done when it returns */
            for (size_t i = 0; i < N; i++)
                assert_int_equal(atomic_load(&c.done[i]), i < sizes[s] ? 1 : 0);
            assert_true(atomic_load(&c.most) <= threads[t]);
        }
        pool_free(p);
    }
}

struct meeting {
    pthread_mutex_t lock;
    pthread_cond_t all;
    unsigned here;
};

/* Two tasks that wait for one another only end when two threads run them. */
static void meet(void *arg, size_t i) {
    (void)i;
    struct meeting *m = arg;
    assert_int_equal(pthread_mutex_lock(&m->lock), 0);
    m->here++;
    assert_int_equal(pthread_cond_broadcast(&m->all), 0);
    while (m->here < 2) assert_int_equal(pthread_cond_wait(&m->all, &m->lock), 0);
    assert_int_equal(pthread_mutex_unlock(&m->lock), 0);
}

static void runs_at_once(void **state) {
    (void)state;
    struct meeting m = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct pool *p;
    struct err err;
    assert_int_equal(pool_new(2, &p, &err), ERR_OK);
    pool_run(p, 2, meet, &m);
    assert_int_equal(m.here, 2);
    pool_free(p);
}

static void in_order(void *arg, size_t i) {
    struct counts *c = arg;
    assert_int_equal(atomic_load(&c->last), i);
    atomic_store(&c->last, i + 1);
}

static void limits(void **state) {
    (void)state;
    struct pool *p;
    struct err err;
    pool_free(NULL);
    /* One thread: in order, on the caller's own. */
    static struct counts c;
    assert_int_equal(pool_new(1, &p, &err), ERR_OK);
    pool_run(p, 100, in_order, &c);
    assert_int_equal(atomic_load(&c.last), 100);
    pool_free(p);
    assert_int_equal(pool_new(0, &p, &err), ERR_OK);
    assert_true(pool_threads(p) >= 1 && pool_threads(p) <= 64);
    pool_free(p);
    assert_int_equal(pool_new(1000, &p, &err), ERR_OK);
    assert_int_equal(pool_threads(p), 64);
    pool_free(p);
    long live = mem_live();
    mem_fault_arm(0);
    assert_int_equal(pool_new(2, &p, &err), ERR_NOMEM);
    assert_true(mem_fault_disarm());
    assert_null(p);
    assert_int_equal(mem_live(), live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_once),
        cmocka_unit_test(runs_at_once),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
