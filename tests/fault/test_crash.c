/* Power loss at a random moment, 200 seeds (60 under the sanitizers): every acknowledged command is
 * there, none is half there, and the folder verifies. CRASH_SEEDS=n runs more, CRASH_SEED=s one
 * alone. */
#include "../unit/store/fixture.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/sanitizer.h"
#include "crash_vfs.h"
#include "store/verify.h"

enum { THINGS = 24, SEEDS = UNDER_SANITIZER ? 60 : 200, BURSTS = 30 };

/* A thing is a pair of items, first-N and second-N, that one command always sets to the same value.
 */
struct history {
    pthread_mutex_t mu;
    pthread_cond_t idle;
    int64_t submitted[THINGS], acknowledged[THINGS];
    long in_flight, failed;
    bool repeatable;
};
struct change {
    struct history *h;
    int thing;
    int64_t value;
    bool refuse; /* fails after its first row: nothing of it may stay */
};

static enum err_code set_item(struct tx *tx, const char *kind, const struct change *c,
                              struct err *err) {
    char name[32];
    (void)snprintf(name, sizeof name, "%s-%d", kind, c->thing);
    struct cell p[2] = {cell_int(1), cell_text(name)}, cells[ITEM_COLS] = {cell_text(name)};
    int64_t id = 0;
    TRY(db_int(tx_db(tx), "SELECT id FROM item WHERE ledger = ?1 AND name = ?2", p, 2, 0, &id,
               err));
    if (id != 0) TRY(tx_get(tx, &test_item, id, cells, NULL, err));
    cells[ITEM_COUNT] = cell_int(c->value);
    cells[ITEM_PHONE] = cell_text("138 0000 0000");
    return id == 0 ? tx_insert(tx, &test_item, cells, &id, err)
                   : tx_update(tx, &test_item, id, -1, cells, err);
}

static enum err_code apply_change(struct tx *tx, void *arg, struct err *err) {
    const struct change *c = arg;
    TRY(set_item(tx, "first", c, err));
    if (c->refuse) return err_fail(err, ERR_INVALID, "refused on purpose");
    return set_item(tx, "second", c, err);
}

static void done_change(void *arg, enum err_code rc, const struct err *err,
                        const struct reply *reply, int64_t seq) {
    struct change *c = arg;
    struct history *h = c->h;
    (void)err;
    (void)reply;
    (void)seq;
    (void)pthread_mutex_lock(&h->mu);
    if (rc == ERR_OK && h->acknowledged[c->thing] < c->value) h->acknowledged[c->thing] = c->value;
    if (rc != ERR_OK && !c->refuse) h->failed++;
    if (--h->in_flight == 0) (void)pthread_cond_signal(&h->idle);
    (void)pthread_mutex_unlock(&h->mu);
    free(c);
}

static void submit(struct ledger *l, struct history *h, struct rng *r, int64_t value) {
    struct change *c = calloc(1, sizeof *c);
    *c = (struct change){h, (int)rng_below(r, THINGS), value, rng_below(r, 10) == 0};
    struct command cmd = {
        .name = "set", .actor = "tester", .apply = apply_change, .done = done_change, .arg = c};
    (void)pthread_mutex_lock(&h->mu);
    h->in_flight++;
    if (!c->refuse) h->submitted[c->thing] = value;
    (void)pthread_mutex_unlock(&h->mu);
    if (ledger_submit(l, &cmd, NULL) == ERR_OK) return;
    (void)pthread_mutex_lock(&h->mu);
    h->in_flight--;
    h->failed++;
    (void)pthread_mutex_unlock(&h->mu);
    free(c);
}

static void live(struct ledger *l, struct history *h, struct rng *r) {
    int64_t value = 0;
    for (int burst = 0; burst < BURSTS && h->failed == 0; burst++) {
        for (uint32_t n = 1 + rng_below(r, 12); n > 0; n--) submit(l, h, r, ++value);
        if (rng_below(r, 3) == 0) (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        (void)pthread_mutex_lock(&h->mu);
        while (h->in_flight > 0) (void)pthread_cond_wait(&h->idle, &h->mu);
        (void)pthread_mutex_unlock(&h->mu);
    }
}

enum outcome { SURVIVED, LOST };

static int64_t value_of(struct ledger *l, const char *kind, int thing) {
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT count FROM item WHERE ledger = 1 AND name = '%s-%d'",
                   kind, thing);
    int64_t n = test_count(l, sql);
    return n < 0 ? 0 : n;
}

static enum outcome check(const char *dir, const struct history *h, char *why, size_t n) {
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    struct err err = {.code = ERR_OK};
    struct verify_report report;
    if (ledger_open(dir, &o, &l, &err) != ERR_OK) {
        (void)snprintf(why, n, "does not open: %.400s", err.detail);
        return LOST;
    }
    enum outcome out = SURVIVED;
    for (int i = 0; i < THINGS && out == SURVIVED; i++) {
        int64_t first = value_of(l, "first", i), second = value_of(l, "second", i);
        if (first == second && first >= h->acknowledged[i] && first <= h->submitted[i]) continue;
        (void)snprintf(why, n, "thing %d: %lld and %lld, acknowledged %lld, submitted %lld", i,
                       (long long)first, (long long)second, (long long)h->acknowledged[i],
                       (long long)h->submitted[i]);
        out = LOST;
    }
    if (out == SURVIVED) test_update(l, test_insert(l, "after the crash", 1, NULL), 2);
    ledger_close(l);
    if (out == SURVIVED && (ledger_verify(dir, NULL, &report, &err) != ERR_OK || !report.ok)) {
        (void)snprintf(why, n, "does not verify: %.60s %.400s", report.bad_table,
                       report.has_bad ? report.bad_reason : err.detail);
        out = LOST;
    }
    return out;
}

static enum outcome one_seed(uint64_t seed, bool no_sync, char *why, size_t n, bool *crashed) {
    struct rng r = rng_new(seed, 1);
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    struct err err = {.code = ERR_OK};
    struct history h = {.mu = PTHREAD_MUTEX_INITIALIZER,
                        .idle = PTHREAD_COND_INITIALIZER,
                        .repeatable = seed % 2 == 0};
    char *dir = test_folder();
    assert_int_equal(ledger_create(dir, &o, &err), ERR_OK);
    crash_begin(seed);
    o.vfs = CRASH_VFS;
    o.no_sync = no_sync;
    o.fold_every_ms = 1;
    o.log_bytes = 100000; /* the log starts anew often */
    enum err_code rc = ledger_open(dir, &o, &l, &err);
    if (rc != ERR_OK) fail_msg("open: %s", err.detail);
    crash_after((long)rng_below(&r, 600));
    live(l, &h, &r);
    ledger_close(l);
    *crashed = crash_happened();
    crash_settle();
    enum outcome out = check(dir, &h, why, n);
    test_remove(dir);
    return out;
}

static uint64_t seeds(void) {
    const char *s = getenv("CRASH_SEEDS");
    return s == NULL ? SEEDS : strtoull(s, NULL, 10);
}

static void nothing_acknowledged_is_lost(void **state) {
    (void)state;
    const char *only = getenv("CRASH_SEED");
    uint64_t from = only == NULL ? 1 : strtoull(only, NULL, 10), to = only == NULL ? seeds() : from;
    long crashes = 0;
    for (uint64_t seed = from; seed <= to; seed++) {
        char why[512] = "";
        bool crashed = false;
        if (one_seed(seed, false, why, sizeof why, &crashed) != SURVIVED)
            fail_msg("seed %llu: %s", (unsigned long long)seed, why);
        crashes += crashed;
    }
    long n_seeds = (long)(to - from) + 1;
    print_message("%ld of %ld seeds crashed while the ledger was open\n", crashes, n_seeds);
    assert_true(crashes > n_seeds / 2);
}

/* The check can fail: without syncs an acknowledged command is lost sooner or later. */
static void the_shim_catches_missing_syncs(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        char why[512] = "";
        bool crashed = false;
        if (one_seed(seed, true, why, sizeof why, &crashed) == LOST) {
            print_message("without syncs, seed %llu: %s\n", (unsigned long long)seed, why);
            return;
        }
    }
    fail_msg("60 seeds without syncs lost nothing: the shim does not model a disk");
}

/* A disk that cannot be written for a while: the group fails, nothing of it shows, reading goes on,
 * and writing comes back. */
static void write_errors_pass(void **state) {
    (void)state;
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    struct err err = {.code = ERR_OK};
    char *dir = test_folder();
    static const struct {
        int sqlite_code;
        enum err_code code;
    } kinds[] = {{SQLITE_IOERR_WRITE, ERR_IO},
                 {SQLITE_FULL, ERR_FULL},
                 {SQLITE_READONLY, ERR_IO},
                 {SQLITE_IOERR_FSYNC, ERR_IO}};
    assert_int_equal(ledger_create(dir, &o, &err), ERR_OK);
    crash_begin(1);
    o.vfs = CRASH_VFS;
    assert_int_equal(ledger_open(dir, &o, &l, &err), ERR_OK);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct history h = {.mu = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};
        struct rng r = rng_new(i, 5);
        int64_t before = ledger_last_seq(l),
                rows = test_count(l, "SELECT count(*) FROM item WHERE ledger = 1");
        crash_fail_writes(kinds[i].sqlite_code);
        for (int k = 1; k <= 20; k++) submit(l, &h, &r, (int64_t)i * 100 + k);
        (void)pthread_mutex_lock(&h.mu);
        while (h.in_flight > 0) (void)pthread_cond_wait(&h.idle, &h.mu);
        (void)pthread_mutex_unlock(&h.mu);
        for (int t = 0; t < THINGS; t++) assert_int_equal(h.acknowledged[t], 0);
        assert_true(ledger_read_only(l));
        assert_int_equal(test_try(l, apply_change, &(struct change){.h = &h, .value = 1}, &err),
                         kinds[i].code);
        assert_int_equal(ledger_last_seq(l), before);
        assert_int_equal(test_count(l, "SELECT count(*) FROM item WHERE ledger = 1"), rows);
        crash_fail_writes(SQLITE_OK);
        int64_t from = clock_mono_us();
        while (ledger_read_only(l) && clock_mono_us() - from < 5000000)
            (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        assert_false(ledger_read_only(l));
        char name[32];
        (void)snprintf(name, sizeof name, "recovered %zu", i);
        (void)test_insert(l, name, 1, NULL);
        assert_int_equal(ledger_last_seq(l), before + 1);
    }
    ledger_close(l);
    struct verify_report report;
    assert_int_equal(ledger_verify(dir, NULL, &report, &err), ERR_OK);
    assert_true(report.ok);
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(write_errors_pass),
                                       cmocka_unit_test(the_shim_catches_missing_syncs),
                                       cmocka_unit_test(nothing_acknowledged_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
