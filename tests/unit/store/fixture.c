#include "fixture.h"

#include <ftw.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static const struct column item_cols[] = {
    {"name", COL_TEXT, true, false},    {"count", COL_INT, false, false},
    {"weight", COL_REAL, false, false}, {"open", COL_BOOL, false, false},
    {"at", COL_TIME, false, false},     {"extra", COL_JSON, false, false},
    {"raw", COL_BLOB, false, false},    {"phone", COL_TEXT, false, true},
};
static const struct index item_indexes[] = {{{"name"}, true, NULL},
                                            {{"open", "count"}, false, "open = 1"}};
const struct table test_item = {"item", TABLE_LEDGER, item_cols, ITEM_COLS, item_indexes, 2, NULL};

static const struct column tally_cols[] = {{"item", COL_INT, true, false},
                                           {"n", COL_INT, true, false}};
static const struct index tally_indexes[] = {{{"item"}, true, NULL}};
const struct table test_tally = {"tally", TABLE_DERIVED, tally_cols, 2, tally_indexes, 1, NULL};

static const struct column jot_cols[] = {{"text", COL_TEXT, false, false}};
const struct table test_jot = {"jot", TABLE_OPERATIONAL, jot_cols, 1, NULL, 0, NULL};

struct ledger_options test_options(void) {
    static const struct table *const tables[] = {&test_item, &test_tally, &test_jot};
    return (struct ledger_options){
        .clock = clock_system(), .tables = tables, .n_tables = 3, .ledger_id = 1, .n_readers = 2};
}

char *test_folder(void) {
    /* Memory first: these tests look at what is stored, not at how long a disk takes to sync. */
    const char *tmp = getenv("TMPDIR");
    if (tmp == NULL) tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char path[256];
    (void)snprintf(path, sizeof path, "%s/gezhi-test-XXXXXX", tmp);
    assert_non_null(mkdtemp(path));
    return strdup(path);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void test_remove(char *dir) {
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(dir);
}

struct ledger *test_reopen(const char *dir) {
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    struct err err = {.code = ERR_OK};
    enum err_code rc = ledger_open(dir, &o, &l, &err);
    if (rc != ERR_OK) fail_msg("open: %s %s (%s:%d)", err_name(rc), err.detail, err.file, err.line);
    return l;
}

struct ledger *test_ledger(char **dir) {
    struct ledger_options o = test_options();
    struct err err = {.code = ERR_OK};
    *dir = test_folder();
    enum err_code rc = ledger_create(*dir, &o, &err);
    if (rc != ERR_OK)
        fail_msg("create: %s %s (%s:%d)", err_name(rc), err.detail, err.file, err.line);
    return test_reopen(*dir);
}

enum err_code test_try(struct ledger *l, enum err_code (*apply)(struct tx *, void *, struct err *),
                       void *arg, struct err *err) {
    struct command c = {.name = "test", .actor = "tester", .apply = apply, .arg = arg};
    return ledger_run(l, &c, NULL, NULL, err);
}

struct one {
    const char *name, *phone;
    int64_t count, id;
};

static enum err_code insert_one(struct tx *tx, void *arg, struct err *err) {
    struct one *o = arg;
    struct cell c[ITEM_COLS] = {[ITEM_NAME] = cell_text(o->name),
                                [ITEM_COUNT] = cell_int(o->count),
                                [ITEM_PHONE] = cell_text(o->phone)};
    c[ITEM_WEIGHT] = cell_real((double)o->count / 8);
    c[ITEM_OPEN] = cell_int(o->count & 1);
    return tx_insert(tx, &test_item, c, &o->id, err);
}

int64_t test_insert(struct ledger *l, const char *name, int64_t count, const char *phone) {
    struct one o = {name, phone, count, 0};
    struct err err = {.code = ERR_OK};
    enum err_code rc = test_try(l, insert_one, &o, &err);
    if (rc != ERR_OK)
        fail_msg("insert: %s %s (%s:%d)", err_name(rc), err.detail, err.file, err.line);
    return o.id;
}

static enum err_code update_one(struct tx *tx, void *arg, struct err *err) {
    const struct one *o = arg;
    struct cell c[ITEM_COLS];
    TRY(tx_get(tx, &test_item, o->id, c, NULL, err));
    c[ITEM_COUNT] = cell_int(o->count);
    return tx_update(tx, &test_item, o->id, -1, c, err);
}

void test_update(struct ledger *l, int64_t id, int64_t count) {
    struct one o = {.id = id, .count = count};
    struct err err = {.code = ERR_OK};
    enum err_code rc = test_try(l, update_one, &o, &err);
    if (rc != ERR_OK)
        fail_msg("update: %s %s (%s:%d)", err_name(rc), err.detail, err.file, err.line);
}

int64_t test_count(struct ledger *l, const char *sql) {
    struct reader *r = NULL;
    int64_t n = -1;
    assert_int_equal(ledger_read_begin(l, &r, NULL), ERR_OK);
    assert_int_equal(db_int(reader_db(r), sql, NULL, 0, -1, &n, NULL), ERR_OK);
    ledger_read_end(r);
    return n;
}

static enum err_code count_versions(struct tx *tx, const struct jrow *rows, size_t n, void *ctx,
                                    struct err *err) {
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].type, "item") != 0) continue;
        struct cell p[2] = {cell_int(1), cell_int(rows[i].id)};
        int64_t changed;
        TRY(db_exec(tx_db(tx), "UPDATE tally SET n = n + 1 WHERE ledger = ?1 AND item = ?2", p, 2,
                    &changed, err));
        if (changed == 1) continue;
        struct cell c[2] = {cell_int(rows[i].id), cell_int(1)};
        int64_t id = 0;
        TRY(tx_insert(tx, &test_tally, c, &id, err));
    }
    return ERR_OK;
}

struct follower test_tally_follower(void) {
    static const struct table *const derived[] = {&test_tally};
    return (struct follower){
        .name = "tally", .apply = count_versions, .derived = derived, .n_derived = 1};
}

static _Thread_local crypto_hash_sha256_state digest;

static int digest_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)ftw;
    size_t n = strlen(path);
    if (n > 4 && strcmp(path + n - 4, "-shm") == 0) return 0;
    (void)crypto_hash_sha256_update(&digest, (const unsigned char *)path, n + 1);
    if (flag != FTW_F) return 0;
    FILE *f = fopen(path, "rb");
    if (f == NULL) return 1;
    unsigned char b[8192];
    for (size_t got; (got = fread(b, 1, sizeof b, f)) > 0;)
        (void)crypto_hash_sha256_update(&digest, b, got);
    return fclose(f);
}

/* The walk gives the entries of a folder in the folder's own order, which does not change while
 * nothing is added or removed. */
void test_digest(const char *dir, unsigned char out[32]) {
    (void)crypto_hash_sha256_init(&digest);
    assert_int_equal(nftw(dir, digest_one, 16, FTW_PHYS), 0);
    (void)crypto_hash_sha256_final(&digest, out);
}

void test_tamper(const char *dir, const char *sql) {
    char path[4096];
    sqlite3 *db = NULL;
    char *why = NULL;
    (void)snprintf(path, sizeof path, "%s/gezhi.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", sql, why);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
