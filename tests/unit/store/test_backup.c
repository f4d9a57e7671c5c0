#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "store/verify.h"

static char *beside(const char *dir, const char *suffix) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", dir, suffix);
    return strdup(path);
}

static void write_file(const char *dir, const char *name, const char *text) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), ERR_OK);
}

static bool has_file(const char *dir, const char *name, const char *text) {
    char path[512];
    struct buf b;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    buf_init(&b, 1 << 20);
    bool has =
        file_read(path, &b, NULL) == ERR_OK && (text == NULL || strcmp(buf_text(&b), text) == 0);
    buf_deinit(&b);
    return has;
}

struct pouring {
    struct ledger *l;
    atomic_bool stop;
    atomic_int n;
};
static void *pour(void *arg) {
    struct pouring *p = arg;
    for (int i = 0; !atomic_load(&p->stop); i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "poured %d", i);
        (void)test_insert(p->l, name, i, "138");
        (void)atomic_fetch_add(&p->n, 1);
    }
    return NULL;
}

static void insert_many(struct ledger *l, int n) {
    for (int i = 0; i < n; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "first %d", i);
        (void)test_insert(l, name, i, "138 0000 0000");
    }
}

/* Backup while serving; what comes back verifies, goes on under new keys, and holds everything
 * answered before the backup. */
static void while_serving(void **state) {
    (void)state;
    char *dir, hash[65], sub[600];
    struct ledger *l = test_ledger(&dir);
    char *file = beside(dir, ".backup"), *to = beside(dir, ".restored"),
         *again = beside(dir, ".again");
    insert_many(l, 300);
    assert_int_equal(blob_put(l, "a photo", 7, hash, NULL), ERR_OK);
    (void)snprintf(sub, sizeof sub, "%s/packs/cases", dir);
    assert_int_equal(mkdir(sub, 0755), 0);
    write_file(dir, "packs/cases/pack.yaml", "name: cases\n");
    write_file(dir, "packs/\xe5\x9f\x8e\xe5\xb8\x82.yaml", "name: city\n");
    struct pouring p = {.l = l};
    pthread_t thread;
    struct err err = {.code = ERR_OK};
    assert_int_equal(pthread_create(&thread, NULL, pour, &p), 0);
    while (atomic_load(&p.n) < 20) (void)usleep(1000);
    int answered = atomic_load(&p.n);
    enum err_code rc = ledger_backup(dir, file, &err);
    if (rc != ERR_OK) fail_msg("%s", err.detail);
    atomic_store(&p.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    ledger_close(l);

    rc = ledger_restore(file, to, NULL, &err);
    if (rc != ERR_OK) fail_msg("%s", err.detail);
    struct verify_report report;
    assert_int_equal(ledger_verify(to, NULL, &report, NULL), ERR_OK);
    if (!report.ok) fail_msg("%s", report.bad_reason);
    assert_true(has_file(to, "packs/cases/pack.yaml", "name: cases\n"));
    assert_true(has_file(to, "packs/\xe5\x9f\x8e\xe5\xb8\x82.yaml", "name: city\n"));
    l = test_reopen(to);
    char path[4096], sql[128];
    assert_int_equal(blob_path(l, hash, path, sizeof path, NULL), ERR_OK);
    (void)snprintf(sql, sizeof sql, "SELECT count(*) >= %d FROM item WHERE ledger = 1",
                   300 + answered);
    assert_int_equal(test_count(l, sql), 1);
    (void)test_insert(l, "after the restore", 1, NULL);
    ledger_close(l);
    assert_int_equal(ledger_verify(to, NULL, &report, NULL), ERR_OK);
    if (!report.ok) fail_msg("%s", report.bad_reason);

    /* With the saved keys, and never over a folder that holds something. */
    assert_int_equal(ledger_restore(file, to, NULL, &err), ERR_CONFLICT);
    (void)snprintf(sub, sizeof sub, "%s/keys", dir);
    assert_int_equal(mkdir(again, 0755), 0); /* empty: allowed */
    rc = ledger_restore(file, again, sub, &err);
    if (rc != ERR_OK) fail_msg("%s", err.detail);
    l = test_reopen(again);
    assert_int_equal(
        test_count(l, "SELECT count(*) FROM journal WHERE ledger = 1 AND type = 'key_'"), 1);
    ledger_close(l);
    test_remove(again);
    test_remove(to);
    assert_int_equal(unlink(file), 0);
    free(file);
    test_remove(dir);
}

/* The archive holds no key and leaves no working file behind. */
static void keys_stay_apart(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    ledger_close(l);
    char *file = beside(dir, ".backup"), *to = beside(dir, ".restored"),
         *part = beside(dir, ".backup.part");
    assert_int_equal(ledger_backup(dir, file, NULL), ERR_OK);
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(ledger_restore(file, to, NULL, NULL), ERR_OK);
    struct buf a, b;
    char path[600];
    buf_init(&a, 1000);
    buf_init(&b, 1000);
    (void)snprintf(path, sizeof path, "%s/keys/signing", dir);
    assert_int_equal(file_read(path, &a, NULL), ERR_OK);
    (void)snprintf(path, sizeof path, "%s/keys/signing", to);
    assert_int_equal(file_read(path, &b, NULL), ERR_OK);
    assert_string_not_equal(buf_text(&a), buf_text(&b));
    buf_deinit(&a);
    buf_deinit(&b);
    assert_int_equal(unlink(file), 0);
    free(file);
    free(part);
    test_remove(to);
    test_remove(dir);
}

/* A damaged archive is refused and nothing is left in the place. */
static void damaged_archives(void **state) {
    (void)state;
    char *dir, hash[65];
    struct ledger *l = test_ledger(&dir);
    for (int i = 0; i < 50; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "n%d", i);
        (void)test_insert(l, name, i, "138");
    }
    assert_int_equal(blob_put(l, "some bytes of a photo", 21, hash, NULL), ERR_OK);
    ledger_close(l);
    char *file = beside(dir, ".backup"), *to = beside(dir, ".restored"),
         *part = beside(dir, ".restored.restoring");
    assert_int_equal(ledger_backup(dir, file, NULL), ERR_OK);
    struct buf b;
    struct rng r = rng_new(5, 5);
    buf_init(&b, 1 << 24);
    assert_int_equal(file_read(file, &b, NULL), ERR_OK);
    int refused = 0;
    enum { ROUNDS = 60 };
    for (int i = 0; i < ROUNDS; i++) {
        size_t at = rng_below(&r, (uint32_t)b.n), n = i % 3 == 0 ? at : b.n;
        char keep = b.p[at];
        b.p[at] = (char)(keep ^ (1 << rng_below(&r, 8)));
        assert_int_equal(file_write(file, b.p, n, 0600, NULL), ERR_OK);
        b.p[at] = keep;
        if (ledger_restore(file, to, NULL, NULL) == ERR_OK) {
            ledger_close(test_reopen(to)); /* the change touched nothing that counts */
            char *copy = strdup(to);
            test_remove(copy);
            continue;
        }
        refused++;
        assert_int_equal(access(to, F_OK), -1);
        assert_int_equal(access(part, F_OK), -1);
    }
    assert_true(refused > ROUNDS / 2);
    assert_int_equal(file_write(file, "not an archive", 14, 0600, NULL), ERR_OK);
    assert_int_equal(ledger_restore(file, to, NULL, NULL), ERR_CORRUPT);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(ledger_restore(file, to, NULL, NULL), ERR_NOT_FOUND);
    assert_int_equal(ledger_backup(to, file, NULL), ERR_NOT_FOUND);
    buf_deinit(&b);
    free(file);
    free(to);
    free(part);
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(while_serving),
                                       cmocka_unit_test(keys_stay_apart),
                                       cmocka_unit_test(damaged_archives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
