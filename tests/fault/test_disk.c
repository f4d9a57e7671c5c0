/* A full disk and a read-only one, for real: a small tmpfs in a mount namespace of a child process
 * (root ignores file modes, so nothing less will do). Skipped with a message where a namespace is
 * not permitted. Also kill -9 of a busy writer. */
#include "../unit/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "store/verify.h"

enum { NOT_PERMITTED = 77, KILLS = 20 };

static void nap_ms(long ms) {
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* In the child: checks print and exit; cmocka's own asserts would run the parent's tests again. */
#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                          \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void enter_tmpfs(const char *at, const char *options) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("gezhi-test", at, "tmpfs", 0, options) != 0)
        _exit(NOT_PERMITTED);
}

struct row {
    const char *name;
    size_t bytes;
};
static enum err_code insert_row(struct tx *tx, void *arg, struct err *err) {
    const struct row *r = arg;
    struct cell c[ITEM_COLS] = {cell_text(r->name)};
    char *raw = arena_alloc(tx_arena(tx), r->bytes, 1);
    if (raw == NULL) return err_fail(err, ERR_NOMEM, "no memory");
    c[ITEM_RAW] = cell_blob(raw, r->bytes);
    int64_t id = 0;
    return tx_insert(tx, &test_item, c, &id, err);
}

static enum err_code add(struct ledger *l, const char *name, size_t bytes, struct err *err) {
    struct row r = {name, bytes};
    struct command c = {.name = "add", .actor = "tester", .apply = insert_row, .arg = &r};
    return ledger_run(l, &c, NULL, NULL, err);
}

static void full_disk(const char *at) {
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    struct err err = {.code = ERR_OK};
    struct verify_report report;
    char dir[300], ballast[300], name[32];
    enter_tmpfs(at, "size=6m");
    (void)snprintf(dir, sizeof dir, "%s/data", at);
    (void)snprintf(ballast, sizeof ballast, "%s/ballast", at);
    int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
    MUST(fd >= 0 && posix_fallocate(fd, 0, 2 << 20) == 0 && close(fd) == 0);
    MUST(ledger_create(dir, &o, &err) == ERR_OK);
    MUST(ledger_open(dir, &o, &l, &err) == ERR_OK);
    int acknowledged = 0;
    enum err_code rc = ERR_OK;
    for (int i = 0; i < 100000 && rc == ERR_OK; i++) {
        (void)snprintf(name, sizeof name, "row %d", i);
        rc = add(l, name, 20000, &err);
        acknowledged += rc == ERR_OK;
    }
    MUST(rc == ERR_FULL);
    MUST(err_status(rc) == 507);
    MUST(ledger_read_only(l));
    MUST(acknowledged > 10);
    MUST(add(l, "refused", 10, &err) == ERR_FULL);
    char hash[65];
    char *photo = calloc(1, 4 << 20);
    MUST(photo != NULL && blob_put(l, photo, 4 << 20, hash, &err) == ERR_FULL);
    free(photo);
    struct reader *r = NULL;
    int64_t n = -1;
    MUST(ledger_read_begin(l, &r, &err) == ERR_OK); /* reading goes on */
    MUST(db_int(reader_db(r), "SELECT count(*) FROM item WHERE ledger = 1", NULL, 0, -1, &n,
                &err) == ERR_OK);
    MUST(n == acknowledged);
    ledger_read_end(r);
    MUST(unlink(ballast) == 0); /* somebody makes room */
    for (int i = 0; i < 500 && ledger_read_only(l); i++) nap_ms(10);
    MUST(!ledger_read_only(l));
    MUST(add(l, "there is room again", 10, &err) == ERR_OK);
    ledger_close(l);
    MUST(ledger_open(dir, &o, &l, &err) == ERR_OK);
    MUST(ledger_read_begin(l, &r, &err) == ERR_OK);
    MUST(db_int(reader_db(r), "SELECT count(*) FROM item WHERE ledger = 1", NULL, 0, -1, &n,
                &err) == ERR_OK);
    MUST(n == acknowledged + 1);
    ledger_read_end(r);
    ledger_close(l);
    MUST(ledger_verify(dir, NULL, &report, &err) == ERR_OK && report.ok);
    _exit(0);
}

static void read_only_disk(const char *at) {
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    struct err err = {.code = ERR_OK};
    struct verify_report report;
    char dir[300], fresh[300];
    enter_tmpfs(at, "size=16m");
    (void)snprintf(dir, sizeof dir, "%s/data", at);
    (void)snprintf(fresh, sizeof fresh, "%s/fresh", at);
    MUST(ledger_create(dir, &o, &err) == ERR_OK);
    MUST(mount("none", at, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    MUST(ledger_open(dir, &o, &l, &err) == ERR_IO);
    MUST(ledger_create(fresh, &o, &err) == ERR_IO);
    MUST(ledger_verify(dir, NULL, &report, &err) == ERR_OK); /* verify needs no writing */
    MUST(report.ok);
    MUST(mount("none", at, NULL, MS_REMOUNT, NULL) == 0);
    MUST(ledger_open(dir, &o, &l, &err) == ERR_OK);
    ledger_close(l);
    _exit(0);
}

static void in_child(void (*scenario)(const char *at)) {
    char *at = test_folder();
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) scenario(at);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    test_remove(at);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_PERMITTED) {
        print_message("skipped: a mount namespace is not permitted here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void on_a_full_disk(void **state) {
    (void)state;
    in_child(full_disk);
}

static void on_a_read_only_disk(void **state) {
    (void)state;
    in_child(read_only_disk);
}

/* The child tells what was acknowledged through memory that outlives it. */
static void busy(const char *dir, volatile int64_t *acknowledged) {
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    MUST(ledger_open(dir, &o, &l, NULL) == ERR_OK);
    for (int64_t i = *acknowledged + 1;; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "row %lld", (long long)i);
        enum err_code rc = add(l, name, 300, NULL);
        /* A row whose answer the kill took may be there already. */
        MUST(rc == ERR_OK || rc == ERR_CONFLICT);
        *acknowledged = i;
    }
}

static void killed(void **state) {
    (void)state;
    char *dir;
    ledger_close(test_ledger(&dir));
    volatile int64_t *acknowledged =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rng r = rng_new(20, 9);
    assert_true((void *)(uintptr_t)acknowledged != MAP_FAILED);
    for (int i = 0; i < KILLS; i++) {
        int64_t before = *acknowledged;
        (void)fflush(NULL);
        pid_t child = fork();
        if (child == 0) busy(dir, acknowledged);
        for (int k = 0; k < 1000 && *acknowledged < before + 3; k++) nap_ms(2);
        nap_ms(1 + rng_below(&r, 30));
        assert_int_equal(kill(child, SIGKILL), 0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) fail_msg("the child ended by itself with %d", WEXITSTATUS(status));
        assert_true(*acknowledged >= before + 3);
        struct ledger *l = test_reopen(dir);
        int64_t there = test_count(l, "SELECT count(*) FROM item WHERE ledger = 1");
        assert_true(there == *acknowledged || there == *acknowledged + 1);
        ledger_close(l);
        struct verify_report report;
        assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_OK);
        if (!report.ok) fail_msg("%s", report.bad_reason);
    }
    (void)munmap((void *)(uintptr_t)acknowledged, 4096);
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(on_a_full_disk),
                                       cmocka_unit_test(on_a_read_only_disk),
                                       cmocka_unit_test(killed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
