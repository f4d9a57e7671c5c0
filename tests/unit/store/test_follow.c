#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "store/image.h"
#include "store/verify.h"

static int64_t tally_mismatches(struct ledger *l) {
    return test_count(l, "SELECT (SELECT count(*) FROM item i WHERE i.ledger = 1 AND NOT EXISTS "
                         "(SELECT 1 FROM tally t WHERE t.ledger = 1 "
                         "AND t.item = i.id AND t.n = i.version)) + (SELECT count(*) FROM tally t "
                         "WHERE t.ledger = 1 AND NOT EXISTS "
                         "(SELECT 1 FROM item i WHERE i.ledger = 1 AND i.id = t.item))");
}

static int64_t tally_digest(struct ledger *l) {
    return test_count(l, "SELECT sum(item * 1000003 + n * 7919) FROM tally WHERE ledger = 1");
}

/* Any history of commands: the follower's table is what the ledger's rows say, whenever it started,
 * and a rebuild gives the same. */
static void rebuilt_equals_live(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct rng r = rng_new(seed, 2);
        char *dir;
        struct ledger *l = test_ledger(&dir);
        struct follower f = test_tally_follower();
        struct err err;
        int64_t n = 0;
        assert_int_equal(ledger_follow(l, &f, &err), ERR_OK);
        assert_int_equal(ledger_follow(l, &f, &err), ERR_CONFLICT);
        for (int i = 0; i < 300; i++) {
            if (n == 0 || rng_below(&r, 3) == 0) {
                char name[32];
                (void)snprintf(name, sizeof name, "n%d", i);
                n = test_insert(l, name, i, rng_below(&r, 2) == 0 ? "1" : NULL);
            } else {
                test_update(l, 1 + rng_below(&r, (uint32_t)n), i);
            }
            if (rng_below(&r, 100) == 0) { /* stop and start: it goes on where it was */
                ledger_close(l);
                l = test_reopen(dir);
                assert_int_equal(ledger_follow(l, &f, &err), ERR_OK);
            }
        }
        ledger_catch_up(l, ledger_last_seq(l));
        assert_int_equal(tally_mismatches(l), 0);
        int64_t live = tally_digest(l), seq = ledger_last_seq(l);
        assert_int_equal(ledger_rebuild(l, "tally", &err), ERR_OK);
        ledger_catch_up(l, seq);
        assert_int_equal(tally_digest(l), live);
        assert_int_equal(tally_mismatches(l), 0);
        assert_int_equal(ledger_last_seq(l), seq); /* followers journal nothing */
        assert_int_equal(ledger_rebuild(l, "nobody", &err), ERR_NOT_FOUND);
        ledger_close(l);
        struct verify_report report;
        assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_OK);
        assert_true(report.ok);
        test_remove(dir);
    }
}

struct watcher {
    atomic_llong rows, last, out_of_order;
};
static void see(const struct jrow *rows, size_t n, void *ctx) {
    struct watcher *w = ctx;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].seq != atomic_load(&w->last) + 1) (void)atomic_fetch_add(&w->out_of_order, 1);
        atomic_store(&w->last, rows[i].seq);
        (void)atomic_fetch_add(&w->rows, 1);
    }
}

static void watchers_see_each_row_once_in_order(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    (void)test_insert(l, "before", 1, NULL);
    int64_t start = ledger_last_seq(l);
    struct watcher fresh = {.last = start}, all = {.last = 0}, some = {.last = 2};
    struct follower f[3] = {{.name = "new", .seen = see, .from_seq = -1, .ctx = &fresh},
                            {.name = "all", .seen = see, .from_seq = 0, .ctx = &all},
                            {.name = "some", .seen = see, .from_seq = 2, .ctx = &some}};
    for (int i = 0; i < 3; i++) assert_int_equal(ledger_follow(l, &f[i], NULL), ERR_OK);
    for (int i = 0; i < 200; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "w%d", i);
        (void)test_insert(l, name, i, NULL);
    }
    int64_t seq = ledger_last_seq(l);
    ledger_catch_up(l, seq + 1000); /* further than there is */
    assert_int_equal(atomic_load(&fresh.rows), 200);
    assert_int_equal(atomic_load(&all.rows), seq);
    assert_int_equal(atomic_load(&some.rows), seq - 2);
    assert_int_equal(atomic_load(&fresh.out_of_order) + atomic_load(&all.out_of_order) +
                         atomic_load(&some.out_of_order),
                     0);
    ledger_close(l);
    test_remove(dir);
}

static enum err_code apply_naughty(struct tx *tx, const struct jrow *rows, size_t n, void *ctx,
                                   struct err *err) {
    atomic_int *tries = ctx;
    (void)rows;
    (void)n;
    struct cell c[ITEM_COLS] = {cell_text("from a follower")};
    int64_t id = 0;
    (void)atomic_fetch_add(tries, 1);
    return tx_insert(tx, &test_item, c, &id, err);
}

/* A follower may not write the ledger; a failing one is tried again and holds nobody else up. */
static void a_failing_follower(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    atomic_int tries = 0;
    struct follower bad = {.name = "bad", .apply = apply_naughty, .ctx = &tries},
                    good = test_tally_follower();
    assert_int_equal(ledger_follow(l, &bad, NULL), ERR_OK);
    assert_int_equal(ledger_follow(l, &good, NULL), ERR_OK);
    int64_t id = test_insert(l, "x", 1, NULL);
    for (int i = 0; i < 300 && atomic_load(&tries) < 2; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_true(atomic_load(&tries) >= 2);
    assert_int_equal(test_count(l, "SELECT count(*) FROM item WHERE ledger = 1"), id);
    for (int i = 0; i < 300 && tally_mismatches(l) != 0; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(tally_mismatches(l), 0);
    ledger_close(l);
    test_remove(dir);
}

/* ---- replay of images alone gives the tables ---- */

enum { MOST_ITEMS = 400 };
struct replay {
    char *image[MOST_ITEMS];
    size_t n[MOST_ITEMS];
    int64_t version[MOST_ITEMS];
};
static void remember(const struct jrow *rows, size_t n, void *ctx) {
    struct replay *p = ctx;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].type, "item") != 0 || rows[i].id >= MOST_ITEMS) continue;
        free(p->image[rows[i].id]);
        p->image[rows[i].id] = malloc(rows[i].image_n);
        memcpy(p->image[rows[i].id], rows[i].image, rows[i].image_n);
        p->n[rows[i].id] = rows[i].image_n;
        p->version[rows[i].id] = rows[i].version;
    }
}

static void replay_gives_the_tables(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    static struct replay p;
    struct rng r = rng_new(99, 1);
    struct follower f = {.name = "replay", .seen = remember, .from_seq = 0, .ctx = &p};
    for (int i = 1; i < MOST_ITEMS / 2; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "r%d", i);
        int64_t id = test_insert(l, name, i, i % 5 == 0 ? "138" : NULL);
        if (rng_below(&r, 2) == 0) test_update(l, 1 + rng_below(&r, (uint32_t)id), -i);
    }
    assert_int_equal(ledger_follow(l, &f, NULL), ERR_OK);
    ledger_catch_up(l, ledger_last_seq(l));
    struct reader *rd = NULL;
    struct arena *a = arena_new(16 << 20);
    assert_int_equal(ledger_read_begin(l, &rd, NULL), ERR_OK);
    for (int64_t id = 1; id < MOST_ITEMS / 2; id++) {
        struct cell c[ITEM_COLS];
        struct buf b;
        int64_t version = 0;
        buf_init(&b, 10000);
        assert_int_equal(reader_get(rd, &test_item, id, a, c, &version, NULL), ERR_OK);
        assert_int_equal(image_write(&b, &test_item, NULL, c, NULL), ERR_OK);
        assert_int_equal(version, p.version[id]);
        assert_int_equal(b.n, p.n[id]);
        assert_memory_equal(b.p, p.image[id], b.n);
        buf_deinit(&b);
        free(p.image[id]);
    }
    arena_free(a);
    ledger_read_end(rd);
    ledger_close(l);
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rebuilt_equals_live),
                                       cmocka_unit_test(watchers_see_each_row_once_in_order),
                                       cmocka_unit_test(a_failing_follower),
                                       cmocka_unit_test(replay_gives_the_tables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
