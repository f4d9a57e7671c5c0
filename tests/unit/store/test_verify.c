#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/verify.h"

enum { ROWS = 40 };

/* A closed folder with items 1..ROWS, some changed, those below 30 with a phone. */
static char *filled(void) {
    char *dir;
    struct ledger *l = test_ledger(&dir);
    for (int i = 1; i <= ROWS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "item %d", i);
        assert_int_equal(test_insert(l, name, i, i < 30 ? "138 0000 0000" : NULL), i);
    }
    for (int i = 1; i <= ROWS; i += 3) test_update(l, i, i + 100);
    ledger_close(l);
    return dir;
}

static struct verify_report verify(const char *dir, const char *checkpoint) {
    struct verify_report r;
    struct err err = {.code = ERR_OK};
    enum err_code rc = ledger_verify(dir, checkpoint, &r, &err);
    if (rc != ERR_OK) fail_msg("verify: %s %s", err_name(rc), err.detail);
    assert_int_equal(r.ok, !r.has_bad);
    return r;
}

static void sound(void **state) {
    (void)state;
    char *dir = filled(), path[512];
    unsigned char before[32], after[32];
    test_digest(dir, before);
    struct verify_report r = verify(dir, NULL);
    assert_true(r.ok);
    assert_true(r.rows > ROWS);
    assert_true(r.checkpoints >= 2);
    assert_int_equal(r.erased, 0);
    (void)snprintf(path, sizeof path, "%s/checkpoint", dir);
    assert_true(verify(dir, path).ok);
    (void)snprintf(path, sizeof path, "%s/gezhi.db-wal", dir);
    (void)unlink(path); /* a reader leaves an empty log behind; nothing else may have changed */
    test_digest(dir, after);
    assert_memory_equal(before, after, 32);
    test_remove(dir);
}

static int64_t seq_of(const char *dir, int64_t id, int64_t version) {
    struct ledger *l = test_reopen(dir);
    char sql[160];
    (void)snprintf(
        sql, sizeof sql,
        "SELECT seq FROM journal WHERE ledger=1 AND type='item' AND id=%lld AND version=%lld",
        (long long)id, (long long)version);
    int64_t seq = test_count(l, sql);
    ledger_close(l);
    return seq;
}

struct tamper {
    const char *sql, *table, *reason;
    int64_t id, version; /* 0: not checked */
};
static const struct tamper tampers[] = {
    {"UPDATE journal SET image = CAST(replace(CAST(image AS TEXT), '\"count\":7', '\"count\":8') "
     "AS BLOB) WHERE type='item' AND id=7",
     "item", "journal row was changed", 7, 1},
    {"UPDATE journal SET at_us = at_us + 1 WHERE type='item' AND id=9", "item",
     "journal row was changed", 9, 1},
    {"UPDATE journal SET actor = 'nobody' WHERE type='item' AND id=9", "item",
     "journal row was changed", 9, 1},
    {"UPDATE journal SET behalf = '' WHERE type='item' AND id=9", "item", "journal row was changed",
     9, 1},
    {"UPDATE journal SET leaf = zeroblob(32) WHERE type='item' AND id=11", "item",
     "journal row was changed", 11, 1},
    {"DELETE FROM journal WHERE type='item' AND id=5", "journal", "is missing", 0, 0},
    {"DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)", "journal",
     "a checkpoint was signed at", 0, 0},
    {"UPDATE item SET count = 999 WHERE id = 12", "item", "differs", 12, 1},
    {"UPDATE item SET weight = weight + 0.0000001 WHERE id = 12", "item", "differs", 12, 1},
    {"UPDATE item SET phone = 'c:0000000000000000000000000000000000000000000000000000000000000000' "
     "WHERE id = 12",
     "item", "differs", 12, 1},
    {"UPDATE item SET version = 7 WHERE id = 12", "item", "version", 12, 1},
    {"DELETE FROM item WHERE id = 8", "item", "missing in the table", 8, 1},
    {"DELETE FROM item WHERE id = 40", "item", "missing in the table", 40, 1},
    {"INSERT INTO item (ledger, id, version, name) VALUES (1, 77, 1, 'smuggled')", "item",
     "no journal row", 77, 0},
    {"DROP TABLE item", "item", "missing", 0, 0},
    {"UPDATE personal SET value = '139' WHERE row_id = 3", "item", "does not match its commitment",
     3, 0},
    {"DELETE FROM personal WHERE row_id = 3", "item", "no erasure is on record", 3, 1},
    {"UPDATE checkpoint SET note = replace(note, 'gezhi', 'other')", "checkpoint",
     "not have a valid signature|no valid signature", 0, 0},
    {"UPDATE checkpoint SET root = zeroblob(32) WHERE size = (SELECT max(size) FROM checkpoint)",
     "checkpoint", "not readable", 0, 0},
    {"UPDATE schema_ SET kind = 3 WHERE name = 'item'", "schema_", "differs", 0, 0},
    {"UPDATE state SET value = zeroblob(40) WHERE name = 'head'", "journal", "head", 0, 0},
};

static void finds(const struct tamper *t) {
    char *dir = filled();
    int64_t seq = t->version == 0 ? 0 : seq_of(dir, t->id, t->version);
    test_tamper(dir, t->sql);
    struct verify_report r = verify(dir, NULL);
    if (r.ok) fail_msg("not noticed: %s", t->sql);
    if (strcmp(r.bad_table, t->table) != 0)
        fail_msg("%s: table %s (%s)", t->sql, r.bad_table, r.bad_reason);
    if (t->id != 0) assert_int_equal(r.bad_id, t->id);
    if (seq != 0) assert_int_equal(r.bad_seq, seq);
    bool said = false;
    for (const char *p = t->reason; p != NULL;
         p = strchr(p, '|') == NULL ? NULL : strchr(p, '|') + 1) {
        char one[80];
        (void)snprintf(one, sizeof one, "%.*s", (int)strcspn(p, "|"), p);
        said = said || strstr(r.bad_reason, one) != NULL;
    }
    if (!said) fail_msg("%s: %s", t->sql, r.bad_reason);
    test_remove(dir);
}

static void tampering(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof tampers / sizeof tampers[0]; i++) finds(&tampers[i]);
}

/* The one who can write the database rewrites a row and its leaf: the signed root still tells. */
static void rewritten_row(void **state) {
    (void)state;
    char *dir = filled(), *other = filled();
    char sql[1024];
    (void)snprintf(sql, sizeof sql,
                   "ATTACH '%s/gezhi.db' AS o; UPDATE journal SET (at_us, image, leaf) = (SELECT "
                   "at_us, image, leaf FROM o.journal x WHERE "
                   "x.seq = journal.seq) WHERE type = 'item' AND id = 33",
                   other);
    test_tamper(dir, sql);
    struct verify_report r = verify(dir, NULL);
    assert_false(r.ok);
    assert_non_null(strstr(r.bad_reason, "do not give the root that was signed"));
    test_remove(other);
    test_remove(dir);
}

static void copy_file(const char *from, const char *to) {
    struct buf b;
    buf_init(&b, 1 << 26);
    assert_int_equal(file_read(from, &b, NULL), ERR_OK);
    assert_int_equal(file_write(to, b.p, b.n, 0644, NULL), ERR_OK);
    buf_deinit(&b);
}

/* An older database is put back: the checkpoint beside it, or one kept outside, is newer. */
static void rollback(void **state) {
    (void)state;
    char *dir = filled(), db[512], old[512], note[512], kept[512];
    (void)snprintf(db, sizeof db, "%s/gezhi.db", dir);
    (void)snprintf(note, sizeof note, "%s/checkpoint", dir);
    (void)snprintf(old, sizeof old, "%s.old", dir);
    (void)snprintf(kept, sizeof kept, "%s.note", dir);
    copy_file(db, old);
    struct ledger *l = test_reopen(dir);
    (void)test_insert(l, "late", 1, NULL);
    ledger_close(l);
    copy_file(note, kept);
    copy_file(old, db);
    struct verify_report r = verify(dir, NULL);
    assert_false(r.ok);
    assert_non_null(strstr(r.bad_reason, "the checkpoint file was signed at"));
    struct ledger_options o = test_options();
    assert_int_equal(ledger_open(dir, &o, &l, NULL), ERR_CORRUPT);
    assert_int_equal(unlink(note), 0);
    assert_true(verify(dir, NULL).ok);
    r = verify(dir, kept);
    assert_false(r.ok);
    /* And a history that went another way after the same rows. */
    l = test_reopen(dir);
    (void)test_insert(l, "another late one", 1, NULL);
    ledger_close(l);
    r = verify(dir, kept);
    assert_false(r.ok);
    assert_string_equal(r.bad_table, "checkpoint file");
    assert_int_equal(unlink(old), 0);
    assert_int_equal(unlink(kept), 0);
    test_remove(dir);
}

struct erase {
    int64_t id, n;
    const char *column;
};
static enum err_code erase(struct tx *tx, void *arg, struct err *err) {
    struct erase *e = arg;
    return tx_erase(tx, &test_item, e->id, e->column, "request of the person", &e->n, err);
}

static bool file_holds(const char *dir, const char *name, const char *word) {
    char path[512];
    struct buf b;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    buf_init(&b, 1 << 27);
    enum err_code rc = file_read(path, &b, NULL);
    bool holds = rc == ERR_OK && b.n > 0 && memmem(b.p, b.n, word, strlen(word)) != NULL;
    buf_deinit(&b);
    return holds;
}

static void erasure(void **state) {
    (void)state;
    char *dir = filled();
    struct ledger *l = test_reopen(dir);
    int64_t id = test_insert(l, "of a person", 1, "a-very-personal-value");
    struct erase e = {.id = id, .column = "phone"};
    assert_int_equal(test_try(l, erase, &e, NULL), ERR_OK);
    assert_int_equal(e.n, 1);
    struct err err;
    e.column = "name";
    assert_int_equal(test_try(l, erase, &e, &err), ERR_INVALID);
    e.column = NULL;
    assert_int_equal(test_try(l, erase, &e, &err), ERR_OK); /* nothing is left to erase */
    assert_int_equal(e.n, 0);
    ledger_close(l);
    struct verify_report r = verify(dir, NULL);
    if (!r.ok) fail_msg("%s %s", r.bad_table, r.bad_reason);
    assert_int_equal(r.erased, 1);
    assert_false(file_holds(dir, "gezhi.db", "a-very-personal-value"));
    assert_false(file_holds(dir, "gezhi.db-wal", "a-very-personal-value"));
    /* Putting it back is noticed. */
    test_tamper(dir, "INSERT INTO personal SELECT 1, CAST(substr(phone, 68) AS INTEGER), "
                     "substr(phone, 3, 64), 'item', id, 'phone', "
                     "zeroblob(32), 'a-very-personal-value' FROM item "
                     "WHERE name = 'of a person'");
    r = verify(dir, NULL);
    assert_false(r.ok);
    assert_non_null(strstr(r.bad_reason, "there again"));
    test_remove(dir);
}

/* All values that a row ever had are erased, not only the last. */
static enum err_code change_phone(struct tx *tx, void *arg, struct err *err) {
    struct cell c[ITEM_COLS];
    TRY(tx_get(tx, &test_item, 1, c, NULL, err));
    c[ITEM_PHONE] = cell_text(arg);
    return tx_update(tx, &test_item, 1, -1, c, err);
}

static void erases_history(void **state) {
    (void)state;
    char *dir = filled();
    struct ledger *l = test_reopen(dir);
    char second[] = "second value", third[] = "third value";
    assert_int_equal(test_try(l, change_phone, second, NULL), ERR_OK);
    assert_int_equal(test_try(l, change_phone, third, NULL), ERR_OK);
    struct erase e = {.id = 1};
    assert_int_equal(test_try(l, erase, &e, NULL), ERR_OK);
    assert_int_equal(e.n, 3);
    assert_int_equal(test_count(l, "SELECT count(*) FROM personal WHERE ledger = 1 AND row_id = 1"),
                     0);
    ledger_close(l);
    struct verify_report r = verify(dir, NULL);
    assert_true(r.ok);
    assert_int_equal(r.erased, 3);
    test_remove(dir);
}

/* Whatever single byte of the file is damaged: verify says so or nothing that counts has changed,
 * and it never crashes. */
static void damaged_bytes(void **state) {
    (void)state;
    char *dir = filled(), path[512];
    (void)snprintf(path, sizeof path, "%s/gezhi.db", dir);
    struct buf b;
    buf_init(&b, 1 << 26);
    assert_int_equal(file_read(path, &b, NULL), ERR_OK);
    size_t noticed = 0, tried = 0;
    for (size_t at = 37; at < b.n; at += 4099 + at % 611) {
        char keep = b.p[at];
        b.p[at] = (char)(keep ^ 0x41);
        assert_int_equal(file_write(path, b.p, b.n, 0644, NULL), ERR_OK);
        struct verify_report r;
        enum err_code rc = ledger_verify(dir, NULL, &r, NULL);
        noticed += rc != ERR_OK || !r.ok;
        tried++;
        b.p[at] = keep;
    }
    assert_true(tried > 40);
    assert_true(noticed > 0);
    buf_deinit(&b);
    test_remove(dir);
}

/* A folder with a key that its journal does not know. */
static void foreign_key(void **state) {
    (void)state;
    char *dir = filled(), *other = filled(), from[512], to[512];
    (void)snprintf(from, sizeof from, "%s/keys/verifier", other);
    (void)snprintf(to, sizeof to, "%s/keys/verifier", dir);
    copy_file(from, to);
    struct verify_report r = verify(dir, NULL);
    assert_false(r.ok);
    assert_string_equal(r.bad_table, "keys");
    assert_int_equal(unlink(to), 0);
    assert_true(verify(dir, NULL).ok);
    test_remove(other);
    test_remove(dir);
}

static void not_a_ledger(void **state) {
    (void)state;
    char *dir = test_folder();
    struct verify_report r;
    assert_int_equal(ledger_verify(dir, NULL, &r, NULL), ERR_NOT_FOUND);
    test_remove(dir);
    dir = filled();
    assert_int_equal(ledger_verify(dir, "/does/not/exist", &r, NULL), ERR_NOT_FOUND);
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound),         cmocka_unit_test(tampering),
        cmocka_unit_test(rewritten_row), cmocka_unit_test(rollback),
        cmocka_unit_test(erasure),       cmocka_unit_test(erases_history),
        cmocka_unit_test(damaged_bytes), cmocka_unit_test(foreign_key),
        cmocka_unit_test(not_a_ledger)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
