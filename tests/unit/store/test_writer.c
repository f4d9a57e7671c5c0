#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/inside.h"
#include "store/verify.h"

static void nap(void) { (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); }

/* ---- idempotency ---- */

struct report {
    const char *name;
    int applied;
    enum err_code rc;
};

static enum err_code apply_report(struct tx *tx, void *arg, struct err *err) {
    struct report *r = arg;
    struct cell c[ITEM_COLS] = {cell_text(r->name)};
    int64_t id = 0;
    r->applied++;
    if (r->rc != ERR_OK) return err_fail(err, r->rc, "on purpose");
    TRY(tx_insert(tx, &test_item, c, &id, err));
    struct reply *reply = tx_reply(tx);
    reply->status = 201;
    (void)snprintf(reply->location, sizeof reply->location, "/items/%lld", (long long)id);
    (void)snprintf(reply->etag, sizeof reply->etag, "\"1\"");
    buf_str(&reply->body, "{\"follow_word\":\"PLUMTREE\"}");
    return ERR_OK;
}

static enum err_code run_keyed(struct ledger *l, struct report *r, const char *actor,
                               const char *key, unsigned char body, struct reply *reply,
                               struct err *err) {
    struct command c = {.name = "item.report",
                        .actor = actor,
                        .idem_key = key,
                        .idem_hash = {body},
                        .apply = apply_report,
                        .arg = r};
    return ledger_run(l, &c, reply, NULL, err);
}

static bool folder_holds(const char *dir, const char *word) {
    static const char *const names[] = {"gezhi.db", "gezhi.db-wal"};
    bool holds = false;
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        struct buf b;
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        buf_init(&b, 1 << 26);
        if (file_read(path, &b, NULL) == ERR_OK && b.n > 0)
            holds = holds || memmem(b.p, b.n, word, strlen(word)) != NULL;
        buf_deinit(&b);
    }
    return holds;
}

static void same_key_same_reply(void **state) {
    (void)state;
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    struct err err;
    struct reply first, second;
    char *dir = test_folder();
    o.clock = clock_fixed(1000000000000000);
    assert_int_equal(ledger_create(dir, &o, &err), ERR_OK);
    assert_int_equal(ledger_open(dir, &o, &l, &err), ERR_OK);
    struct report r = {.name = "once"};
    assert_int_equal(run_keyed(l, &r, "public", "key-1", 7, &first, &err), ERR_OK);
    int64_t seq = ledger_last_seq(l);
    assert_int_equal(run_keyed(l, &r, "public", "key-1", 7, &second, &err), ERR_OK);
    assert_int_equal(r.applied, 1);
    assert_int_equal(ledger_last_seq(l), seq);
    assert_int_equal(second.status, 201);
    assert_string_equal(second.location, first.location);
    assert_string_equal(second.etag, first.etag);
    assert_string_equal(buf_text(&second.body), "{\"follow_word\":\"PLUMTREE\"}");
    buf_deinit(&first.body);
    buf_deinit(&second.body);
    assert_int_equal(run_keyed(l, &r, "public", "key-1", 8, NULL, &err),
                     ERR_INVALID); /* another body */
    r.name = "another actor";
    assert_int_equal(run_keyed(l, &r, "zhang", "key-1", 8, NULL, &err), ERR_OK);
    /* A failed command leaves no reply: the same key may try again. */
    struct report bad = {.name = "refused", .rc = ERR_FORBIDDEN};
    assert_int_equal(run_keyed(l, &bad, "public", "key-2", 1, NULL, &err), ERR_FORBIDDEN);
    bad.rc = ERR_OK;
    assert_int_equal(run_keyed(l, &bad, "public", "key-2", 2, NULL, &err), ERR_OK);
    assert_int_equal(run_keyed(l, &r, "public", "", 1, NULL, &err), ERR_INVALID);
    char huge[200];
    memset(huge, 'k', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_int_equal(run_keyed(l, &r, "public", huge, 1, NULL, &err), ERR_INVALID);
    ledger_close(l);
    /* Across a restart, and neither reply nor key stands open in the database. */
    assert_false(folder_holds(dir, "PLUMTREE"));
    assert_false(folder_holds(dir, "key-1"));
    assert_int_equal(ledger_open(dir, &o, &l, &err), ERR_OK);
    assert_int_equal(run_keyed(l, &r, "public", "key-1", 7, &second, &err), ERR_OK);
    assert_string_equal(buf_text(&second.body), "{\"follow_word\":\"PLUMTREE\"}");
    buf_deinit(&second.body);
    ledger_close(l);
    /* 24 hours and a moment later it is a new request, and the others are cleared away in small
     * steps. */
    o.clock = clock_fixed(1000000000000000 + IDEM_KEEP_US + 1);
    assert_int_equal(ledger_open(dir, &o, &l, &err), ERR_OK);
    r = (struct report){.name = "a day later"};
    assert_int_equal(run_keyed(l, &r, "public", "key-1", 9, NULL, &err), ERR_OK);
    assert_int_equal(r.applied, 1);
    assert_int_equal(test_count(l, "SELECT count(*) FROM idem WHERE ledger = 1"), 1);
    ledger_close(l);
    test_remove(dir);
}

/* ---- many commands at once ---- */

struct gate {
    pthread_mutex_t mu;
    pthread_cond_t open_now;
    bool is_open, entered;
};
static enum err_code wait_at(struct tx *tx, void *arg, struct err *err) {
    struct gate *g = arg;
    (void)tx;
    (void)err;
    (void)pthread_mutex_lock(&g->mu);
    g->entered = true;
    while (!g->is_open) (void)pthread_cond_wait(&g->open_now, &g->mu);
    (void)pthread_mutex_unlock(&g->mu);
    return ERR_OK;
}
static void open_gate(struct gate *g) {
    (void)pthread_mutex_lock(&g->mu);
    g->is_open = true;
    (void)pthread_cond_broadcast(&g->open_now);
    (void)pthread_mutex_unlock(&g->mu);
}
static void wait_entered(struct gate *g) {
    for (bool in = false; !in; nap()) {
        (void)pthread_mutex_lock(&g->mu);
        in = g->entered;
        (void)pthread_mutex_unlock(&g->mu);
    }
}

struct many {
    atomic_int answered, ok, invalid, conflict;
    atomic_llong last_seq;
};
struct one {
    struct many *m;
    char name[32];
    bool refuse;
};
static enum err_code apply_one(struct tx *tx, void *arg, struct err *err) {
    const struct one *o = arg;
    struct cell c[ITEM_COLS] = {cell_text(o->name)};
    int64_t id = 0;
    TRY(tx_insert(tx, &test_item, c, &id, err));
    return o->refuse ? err_fail(err, ERR_INVALID, "refused after a write") : ERR_OK;
}
static void done_one(void *arg, enum err_code rc, const struct err *err, const struct reply *reply,
                     int64_t seq) {
    struct one *o = arg;
    (void)err;
    (void)reply;
    if (rc == ERR_OK) (void)atomic_fetch_add(&o->m->ok, 1);
    if (rc == ERR_INVALID) (void)atomic_fetch_add(&o->m->invalid, 1);
    if (rc == ERR_OK) atomic_store(&o->m->last_seq, seq);
    (void)atomic_fetch_add(&o->m->answered, 1); /* last: the one who waits for it goes on */
    free(o);
}
static enum err_code submit_one(struct ledger *l, struct many *m, int i, bool refuse,
                                const char *key, struct err *err) {
    struct one *o = calloc(1, sizeof *o);
    o->m = m;
    o->refuse = refuse;
    (void)snprintf(o->name, sizeof o->name, "many-%d", i);
    struct command c = {.name = "many",
                        .actor = "tester",
                        .idem_key = key,
                        .apply = apply_one,
                        .done = done_one,
                        .arg = o};
    enum err_code rc = ledger_submit(l, &c, err);
    if (rc != ERR_OK) free(o);
    return rc;
}

/* What queues while a commit runs is committed together; a refused command leaves nothing, the
 * others are untouched. */
static void groups(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    struct gate g = {.mu = PTHREAD_MUTEX_INITIALIZER, .open_now = PTHREAD_COND_INITIALIZER};
    struct many m = {0};
    struct command hold = {.name = "hold", .actor = "tester", .apply = wait_at, .arg = &g};
    struct err err;
    enum { N = 3000 };
    int64_t before = ledger_last_seq(l);
    assert_int_equal(ledger_submit(l, &hold, &err), ERR_OK);
    wait_entered(&g);
    for (int i = 0; i < N; i++)
        assert_int_equal(submit_one(l, &m, i, i % 7 == 3, NULL, &err), ERR_OK);
    assert_int_equal(atomic_load(&m.answered), 0); /* nothing is answered before its commit */
    assert_int_equal(submit_one(l, &m, N, false, "in-flight", &err), ERR_OK);
    assert_int_equal(submit_one(l, &m, N + 1, false, "in-flight", &err), ERR_CONFLICT);
    open_gate(&g);
    while (atomic_load(&m.answered) < N + 1) nap();
    int refused = (N + 3) / 7;
    assert_int_equal(atomic_load(&m.invalid), refused);
    assert_int_equal(atomic_load(&m.ok), N + 1 - refused);
    assert_int_equal(ledger_last_seq(l), before + N + 1 - refused);
    assert_int_equal(atomic_load(&m.last_seq), ledger_last_seq(l));
    assert_int_equal(test_count(l, "SELECT count(*) FROM item WHERE ledger = 1"), N + 1 - refused);
    assert_int_equal(submit_one(l, &m, N + 2, false, "in-flight", &err),
                     ERR_OK); /* answered: no longer in flight */
    while (atomic_load(&m.answered) < N + 2) nap();
    ledger_close(l);
    struct verify_report report;
    assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_OK);
    assert_true(report.ok);
    test_remove(dir);
}

/* Commands that may run again go without savepoints; one that fails after writing takes them all
 * back to the start once. */
static void repeatable_groups(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    struct err err;
    enum { N = 50 };
    for (int failing = 0; failing < 2; failing++) {
        struct gate g = {.mu = PTHREAD_MUTEX_INITIALIZER, .open_now = PTHREAD_COND_INITIALIZER};
        struct command hold = {.name = "hold", .actor = "tester", .apply = wait_at, .arg = &g};
        struct report r[N];
        char name[N][32];
        struct many m = {0};
        int64_t before = ledger_last_seq(l);
        assert_int_equal(ledger_submit(l, &hold, &err), ERR_OK);
        wait_entered(&g);
        for (int i = 0; i < N; i++) {
            (void)snprintf(name[i], sizeof name[i], "repeat-%d-%d", failing, i);
            r[i] = (struct report){.name = name[i]};
            struct command c = {.name = "item.report",
                                .actor = "public",
                                .apply = apply_report,
                                .arg = &r[i],
                                .repeatable = true};
            assert_int_equal(ledger_submit(l, &c, &err), ERR_OK);
        }
        struct one *o = calloc(1, sizeof *o);
        *o = (struct one){.m = &m, .refuse = failing == 1};
        (void)snprintf(o->name, sizeof o->name, "repeat-%d-last", failing);
        struct command last = {.name = "many",
                               .actor = "tester",
                               .apply = apply_one,
                               .done = done_one,
                               .arg = o,
                               .repeatable = true};
        assert_int_equal(ledger_submit(l, &last, &err), ERR_OK);
        open_gate(&g);
        while (atomic_load(&m.answered) < 1) nap();
        for (int i = 0; i < N; i++) assert_int_equal(r[i].applied, 1 + failing);
        assert_int_equal(atomic_load(&m.ok), 1 - failing);
        assert_int_equal(ledger_last_seq(l), before + N + 1 - failing);
    }
    assert_int_equal(test_count(l, "SELECT count(*) FROM item WHERE ledger = 1"), 2 * N + 1);
    ledger_close(l);
    struct verify_report report;
    assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_OK);
    if (!report.ok) fail_msg("%s %s", report.bad_table, report.bad_reason);
    test_remove(dir);
}

static void a_full_queue_refuses(void **state) {
    (void)state;
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    struct err err;
    char *dir = test_folder();
    struct gate g = {.mu = PTHREAD_MUTEX_INITIALIZER, .open_now = PTHREAD_COND_INITIALIZER};
    struct many m = {0};
    struct command hold = {.name = "hold", .actor = "tester", .apply = wait_at, .arg = &g};
    o.max_queue = 10;
    assert_int_equal(ledger_create(dir, &o, &err), ERR_OK);
    assert_int_equal(ledger_open(dir, &o, &l, &err), ERR_OK);
    assert_int_equal(ledger_submit(l, &hold, &err), ERR_OK);
    wait_entered(&g);
    for (int i = 0; i < 10; i++) assert_int_equal(submit_one(l, &m, i, false, NULL, &err), ERR_OK);
    assert_int_equal(submit_one(l, &m, 10, false, "k", &err), ERR_BUSY);
    open_gate(&g);
    ledger_close(l); /* closing answers all that queued */
    assert_int_equal(atomic_load(&m.ok), 10);
    test_remove(dir);
}

enum { THREADS = 8, EACH = 60 };
struct worker {
    struct ledger *l;
    int at;
};
static void *work(void *arg) {
    const struct worker *w = arg;
    for (int i = 0; i < EACH; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "t%d-%d", w->at, i);
        int64_t id = test_insert(w->l, name, i, i % 2 == 0 ? "138" : NULL);
        if (i % 3 == 0) test_update(w->l, id, i + 1);
    }
    return NULL;
}

static void many_threads(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    int64_t before = ledger_last_seq(l);
    pthread_t t[THREADS];
    struct worker w[THREADS];
    for (int i = 0; i < THREADS; i++) {
        w[i] = (struct worker){l, i};
        assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(t[i], NULL), 0);
    assert_int_equal(ledger_last_seq(l), before + (int64_t)THREADS * (EACH + EACH / 3));
    assert_int_equal(test_count(l, "SELECT count(*) FROM item WHERE ledger = 1"), THREADS * EACH);
    ledger_close(l);
    struct verify_report report;
    assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_OK);
    if (!report.ok) fail_msg("%s %s", report.bad_table, report.bad_reason);
    test_remove(dir);
}

/* ---- memory runs out ---- */

struct faulty {
    long n;
    bool fired, in_writer;
    struct report report;
};
static enum err_code apply_faulty(struct tx *tx, void *arg, struct err *err) {
    struct faulty *f = arg;
    if (f->in_writer) mem_fault_arm(f->n);
    struct cell c[ITEM_COLS] = {
        [ITEM_NAME] = cell_text("never twice"), [ITEM_PHONE] = cell_text("138")};
    int64_t id = 0;
    enum err_code rc = tx_insert(tx, &test_item, c, &id, err);
    if (rc == ERR_OK) rc = tx_get(tx, &test_item, id, c, NULL, err);
    if (rc == ERR_OK) rc = tx_update(tx, &test_item, id, 1, c, err);
    if (rc == ERR_OK) {
        struct sql_text {
            char text[96];
        } s;
        /* A statement that was never prepared before, so that its preparation fails too. */
        (void)snprintf(s.text, sizeof s.text, "SELECT %ld + count(*) FROM item WHERE ledger = 1",
                       f->n);
        int64_t out;
        rc = db_int(tx_db(tx), s.text, NULL, 0, 0, &out, err);
    }
    buf_str(&tx_reply(tx)->body,
            "0123456789012345678901234567890123456789012345678901234567890123456789");
    if (rc == ERR_OK) rc = buf_check(&tx_reply(tx)->body, err);
    int64_t n = 0;
    if (rc == ERR_OK) rc = tx_erase(tx, &test_item, id, NULL, "test", &n, err);
    if (f->in_writer) f->fired = mem_fault_disarm() != 0;
    if (rc == ERR_OK && f->fired)
        return err_fail(err, ERR_INTERNAL, "a failed allocation went unnoticed");
    return rc == ERR_OK ? err_fail(err, ERR_REFUSED, "all the way through")
                        : rc; /* never commits: each round is the same */
}

static void allocation_faults(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    struct err err;
    int64_t seq = ledger_last_seq(l);
    long rounds = 0;
    for (int where = 0; where < 2; where++) {
        for (long n = 0;; n++, rounds++) {
            struct faulty f = {.n = n, .in_writer = where == 1};
            long live = mem_live();
            struct command c = {.name = "fault",
                                .actor = "tester",
                                .idem_key = "k",
                                .apply = apply_faulty,
                                .arg = &f};
            if (where == 0) mem_fault_arm(n);
            enum err_code rc = ledger_run(l, &c, NULL, NULL, &err);
            if (where == 0) f.fired = mem_fault_disarm() != 0;
            if (!f.fired) {
                assert_int_equal(rc, ERR_REFUSED);
                break;
            }
            if (rc != ERR_NOMEM)
                fail_msg("allocation %ld: %s %s (%s:%d)", n, err_name(rc), err.detail, err.file,
                         err.line);
            if (where == 0) assert_int_equal(mem_live(), live);
        }
    }
    assert_true(rounds > 5);
    assert_false(ledger_read_only(l));
    assert_int_equal(ledger_last_seq(l), seq);
    assert_int_equal(test_count(l, "SELECT count(*) FROM personal WHERE ledger = 1"), 0);
    (void)test_insert(l, "after", 1, "1");
    ledger_close(l);
    struct verify_report report;
    assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_OK);
    assert_true(report.ok);
    test_remove(dir);
}

/* Opening under memory faults fails cleanly, changes nothing and leaves nothing behind. */
static void open_faults(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    (void)test_insert(l, "a", 1, "1");
    ledger_close(l);
    unsigned char before[32], after[32];
    test_digest(dir, before);
    struct ledger_options o = test_options();
    for (long n = 0; n < 100000; n++) {
        struct err err;
        long live = mem_live();
        mem_fault_arm(n);
        enum err_code rc = ledger_open(dir, &o, &l, &err);
        bool fired = mem_fault_disarm() != 0;
        if (rc == ERR_OK) {
            ledger_close(l);
            assert_int_equal(mem_live(), live);
            if (!fired) break;
            continue;
        }
        assert_true(fired);
        assert_int_equal(rc, ERR_NOMEM);
        assert_int_equal(mem_live(), live);
        test_digest(dir, after);
        assert_memory_equal(before, after, 32);
    }
    test_remove(dir);
}

static void checkpoints_are_signed_in_time(void **state) {
    (void)state;
    char *dir, path[512];
    struct ledger *l = test_ledger(&dir);
    (void)test_insert(l, "a", 1, NULL);
    int64_t seq = ledger_last_seq(l), from = clock_mono_us();
    struct checkpoint cp = {.size = 0};
    (void)snprintf(path, sizeof path, "%s/checkpoint", dir);
    while (clock_mono_us() - from < 10000000 && cp.size < seq) {
        struct buf b;
        buf_init(&b, NOTE_MAX);
        if (file_read(path, &b, NULL) == ERR_OK)
            assert_int_equal(note_parse(b.p, b.n, &cp, NULL), ERR_OK);
        buf_deinit(&b);
        for (int i = 0; i < 50; i++) nap();
    }
    assert_int_equal(cp.size, seq);
    ledger_close(l);
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_key_same_reply), cmocka_unit_test(groups),
        cmocka_unit_test(repeatable_groups),   cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(many_threads),        cmocka_unit_test(allocation_faults),
        cmocka_unit_test(open_faults),         cmocka_unit_test(checkpoints_are_signed_in_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
