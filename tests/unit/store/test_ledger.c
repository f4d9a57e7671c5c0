#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/inside.h"
#include "store/look.h"
#include "store/tables.h"
#include "store/verify.h"

static void create_open_insert_read(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    int64_t seq0 = ledger_last_seq(l);
    assert_true(seq0 > 0); /* the tables' definitions and the key */
    int64_t id = test_insert(l, "drain cover", 3, "138 0000 0000");
    assert_int_equal(id, 1);
    assert_int_equal(ledger_last_seq(l), seq0 + 1);
    test_update(l, id, 4);
    struct reader *r = NULL;
    struct err err = {.code = ERR_OK};
    assert_int_equal(ledger_read_begin(l, &r, &err), ERR_OK);
    assert_int_equal(reader_seq(r), seq0 + 2);
    struct arena *a = arena_new(1 << 20);
    struct cell c[ITEM_COLS];
    int64_t version = 0;
    assert_int_equal(reader_get(r, &test_item, id, a, c, &version, &err), ERR_OK);
    assert_int_equal(version, 2);
    assert_string_equal(c[ITEM_NAME].p, "drain cover");
    assert_int_equal(c[ITEM_COUNT].i, 4);
    assert_int_equal(c[ITEM_PHONE].type, CELL_COMMIT);
    struct cell phone;
    assert_int_equal(personal_get(reader_db(r), &c[ITEM_PHONE], a, &phone, &err), ERR_OK);
    assert_string_equal(phone.p, "138 0000 0000");
    struct jrow *rows;
    size_t n = 0;
    assert_int_equal(journal_of(reader_db(r), 1, "item", id, a, &rows, &n, &err), ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].version, 1);
    assert_string_equal(rows[1].command, "test");
    assert_string_equal(rows[1].actor, "tester");
    assert_null(rows[1].behalf);
    static const char head[] =
        "{\"name\":\"drain cover\",\"count\":4,\"weight\":0.375,\"open\":true,\"phone\":{\"c\":\"";
    assert_memory_equal(rows[1].image, head, sizeof head - 1);
    n = 1;
    assert_int_equal(journal_of(reader_db(r), 1, "item", id, a, &rows, &n, &err), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].version, 2);
    assert_int_equal(reader_get(r, &test_item, 99, a, c, &version, &err), ERR_NOT_FOUND);
    arena_free(a);
    ledger_read_end(r);
    ledger_close(l);
    l = test_reopen(dir);
    assert_int_equal(ledger_last_seq(l), seq0 + 2);
    assert_int_equal(test_insert(l, "lamp", 1, NULL), 2);
    ledger_close(l);
    test_remove(dir);
}

struct step {
    enum { INSERT, UPDATE, NOTE, JOT } what;
    int64_t id, expect;
    struct cell cells[ITEM_COLS];
    const char *type;
};

static enum err_code do_step(struct tx *tx, void *arg, struct err *err) {
    struct step *s = arg;
    struct cell jot[1] = {cell_text("scribble")};
    switch (s->what) {
    case INSERT:
        return tx_insert(tx, &test_item, s->cells, &s->id, err);
    case UPDATE:
        return tx_update(tx, &test_item, s->id, s->expect, s->cells, err);
    case NOTE:
        return tx_note(tx, s->type, s->id, "{\"why\":\"test\"}", 14, err);
    default:
        return tx_insert(tx, &test_jot, jot, &s->id, err);
    }
}

static void wrong_rows_are_refused(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    struct err err;
    int64_t id = test_insert(l, "a", 1, "1"), seq = ledger_last_seq(l);
    const struct {
        struct step s;
        enum err_code rc;
    } cases[] = {
        {{INSERT, 0, 0, {cell_text("a")}, NULL}, ERR_CONFLICT}, /* the name is unique */
        {{INSERT, id, 0, {cell_text("b")}, NULL}, ERR_CONFLICT},
        {{INSERT, -5, 0, {cell_text("b")}, NULL}, ERR_INVALID},
        {{INSERT, 0, 0, {cell_null()}, NULL}, ERR_INVALID},
        {{INSERT, 0, 0, {cell_text("\xff")}, NULL}, ERR_INVALID},
        {{INSERT, 0, 0, {[ITEM_NAME] = cell_text("b"), [ITEM_COUNT] = cell_text("1")}, NULL},
         ERR_INVALID},
        {{INSERT, 0, 0, {[ITEM_NAME] = cell_text("b"), [ITEM_PHONE] = cell_int(1)}, NULL},
         ERR_INVALID},
        {{INSERT,
          0,
          0,
          {[ITEM_NAME] = cell_text("b"), [ITEM_PHONE] = {.type = CELL_COMMIT, .p = "c:00", .n = 4}},
          NULL},
         ERR_INVALID},
        {{UPDATE, id, 7, {cell_text("a")}, NULL}, ERR_STALE},
        {{UPDATE, 99, -1, {cell_text("a")}, NULL}, ERR_NOT_FOUND},
        {{NOTE, 1, 0, {cell_null()}, "item"}, ERR_INTERNAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct step s = cases[i].s;
        enum err_code rc = test_try(l, do_step, &s, &err);
        if (rc != cases[i].rc) fail_msg("case %zu: %s %s", i, err_name(rc), err.detail);
    }
    assert_int_equal(ledger_last_seq(l), seq);
    assert_int_equal(test_count(l, "SELECT count(*) FROM personal WHERE ledger = 1"), 1);
    struct step s = {.what = UPDATE, .id = id, .expect = 1, .cells = {cell_text("a")}};
    assert_int_equal(test_try(l, do_step, &s, &err), ERR_OK);
    s = (struct step){.what = NOTE, .id = 5, .type = "login"};
    assert_int_equal(test_try(l, do_step, &s, &err), ERR_OK);
    assert_int_equal(ledger_last_seq(l), seq + 2);
    s = (struct step){.what = JOT};
    assert_int_equal(test_try(l, do_step, &s, &err), ERR_OK); /* operational: no journal row */
    assert_int_equal(ledger_last_seq(l), seq + 2);
    s = (struct step){.what = INSERT, .id = 1000, .cells = {cell_text("far")}};
    assert_int_equal(test_try(l, do_step, &s, &err), ERR_OK);
    assert_int_equal(test_insert(l, "after far", 1, NULL), 1001);
    ledger_close(l);
    struct verify_report report;
    assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_OK);
    assert_true(report.ok);
    test_remove(dir);
}

static enum err_code set_phone(struct tx *tx, void *arg, struct err *err) {
    struct cell c[ITEM_COLS];
    TRY(tx_get(tx, &test_item, 1, c, NULL, err));
    if (arg != NULL) c[ITEM_PHONE] = cell_text(arg);
    return tx_update(tx, &test_item, 1, -1, c, err);
}

static void personal_values_are_kept_or_replaced(void **state) {
    (void)state;
    char *dir, same[] = "eins";
    struct ledger *l = test_ledger(&dir);
    (void)test_insert(l, "a", 1, "eins");
    assert_int_equal(test_try(l, set_phone, NULL, NULL), ERR_OK);
    assert_int_equal(test_count(l, "SELECT count(*) FROM personal WHERE ledger = 1"), 1);
    assert_int_equal(test_try(l, set_phone, same, NULL),
                     ERR_OK); /* the same text under another salt */
    assert_int_equal(test_count(l, "SELECT count(*) FROM personal WHERE ledger = 1"), 2);
    assert_int_equal(
        test_count(
            l,
            "SELECT count(*) FROM journal WHERE ledger = 1 AND CAST(image AS TEXT) LIKE '%eins%'"),
        0);
    ledger_close(l);
    test_remove(dir);
}

static void a_reader_keeps_its_snapshot(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    struct reader *r = NULL;
    assert_int_equal(ledger_read_begin(l, &r, NULL), ERR_OK);
    int64_t seq = reader_seq(r), n = -1;
    (void)test_insert(l, "later", 1, NULL);
    assert_int_equal(
        db_int(reader_db(r), "SELECT count(*) FROM item WHERE ledger = 1", NULL, 0, -1, &n, NULL),
        ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(db_exec(reader_db(r), "DELETE FROM item", NULL, 0, NULL, NULL),
                     ERR_IO); /* read-only */
    ledger_read_end(r);
    assert_int_equal(ledger_read_begin(l, &r, NULL), ERR_OK);
    assert_int_equal(reader_seq(r), seq + 1);
    ledger_read_end(r);
    ledger_close(l);
    test_remove(dir);
}

static void one_server_a_folder(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir), *second = NULL;
    struct ledger_options o = test_options();
    struct err err;
    assert_int_equal(ledger_open(dir, &o, &second, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.detail, "another server"));
    assert_int_equal(ledger_create(dir, &o, &err), ERR_CONFLICT);
    (void)test_insert(l, "still works", 1, NULL);
    ledger_close(l);
    ledger_close(test_reopen(dir));
    test_remove(dir);
    dir = test_folder();
    assert_int_equal(ledger_open(dir, &o, &second, &err), ERR_NOT_FOUND);
    test_remove(dir);
}

/* A look goes without the lock, sees one snapshot and writes nothing. */
static void a_look_beside_the_server(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    struct db *db = NULL;
    int64_t n = -1;
    const char *all = "SELECT count(*) FROM item WHERE ledger = 1";
    assert_int_equal(ledger_look(dir, 1, &db, NULL), ERR_OK);
    assert_int_equal(db_int(db, all, NULL, 0, -1, &n, NULL), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(db_ledger(db), 1);
    assert_int_equal(db_exec(db, "DELETE FROM item", NULL, 0, NULL, NULL), ERR_IO);
    ledger_look_end(db);
    ledger_look_end(NULL);
    ledger_close(l);
    /* What an older program left behind is named, not met as a fault of the database. */
    struct err err = {0};
    test_tamper(dir, "DELETE FROM schema_ WHERE name = 'definition'");
    assert_int_equal(ledger_look(dir, 1, &db, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "without the table \"definition\""));
    char *empty = test_folder();
    assert_int_equal(ledger_look(empty, 1, &db, NULL), ERR_NOT_FOUND);
    test_remove(empty);
    test_remove(dir);
}

static void refuses_unchanged(const char *dir, enum err_code expected, const char *word) {
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    struct err err = {.code = ERR_OK};
    unsigned char before[32], after[32];
    test_digest(dir, before);
    enum err_code rc = ledger_open(dir, &o, &l, &err);
    if (rc != expected)
        fail_msg("%s instead of %s: %s", err_name(rc), err_name(expected), err.detail);
    if (strstr(err.detail, word) == NULL) fail_msg("\"%s\" is not in: %s", word, err.detail);
    test_digest(dir, after);
    assert_memory_equal(before, after, 32);
}

static void poke(const char *dir, size_t at, const void *p, size_t n) {
    char path[512];
    struct buf b;
    (void)snprintf(path, sizeof path, "%s/gezhi.db", dir);
    buf_init(&b, 1 << 26);
    assert_int_equal(file_read(path, &b, NULL), ERR_OK);
    memcpy(b.p + at, p, n);
    assert_int_equal(file_write(path, b.p, b.n, 0644, NULL), ERR_OK);
    buf_deinit(&b);
}

static void newer_or_damaged_folders_stay_as_they_are(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    (void)test_insert(l, "a", 1, NULL);
    ledger_close(l);
    char path[512];
    struct buf good;
    (void)snprintf(path, sizeof path, "%s/gezhi.db", dir);
    buf_init(&good, 1 << 26);
    assert_int_equal(file_read(path, &good, NULL), ERR_OK);
    poke(dir, 60, "\0\0\0\x63", 4);
    refuses_unchanged(dir, ERR_CONFLICT, "newer program");
    static const size_t vital[] = {0, 5, 16, 18, 19, 21, 22, 23, 44, 47, 56, 68, 71};
    for (size_t i = 0; i < sizeof vital / sizeof vital[0]; i++) {
        char bad = (char)(good.p[vital[i]] ^ 0x55);
        assert_int_equal(file_write(path, good.p, good.n, 0644, NULL), ERR_OK);
        poke(dir, vital[i], &bad, 1);
        refuses_unchanged(dir, ERR_CORRUPT, "gezhi.db");
    }
    assert_int_equal(file_write(path, good.p, good.n - 100, 0644, NULL), ERR_OK);
    refuses_unchanged(dir, ERR_CORRUPT, "damaged");
    assert_int_equal(file_write(path, good.p, 0, 0644, NULL), ERR_OK);
    refuses_unchanged(dir, ERR_CORRUPT, "damaged");
    assert_int_equal(file_write(path, good.p, good.n, 0644, NULL), ERR_OK);
    test_tamper(dir, "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)");
    refuses_unchanged(dir, ERR_CORRUPT, "run verify");
    assert_int_equal(file_write(path, good.p, good.n, 0644, NULL), ERR_OK);
    ledger_close(test_reopen(dir));
    char key[512], moved[512];
    (void)snprintf(key, sizeof key, "%s/keys/signing", dir);
    (void)snprintf(moved, sizeof moved, "%s/keys/elsewhere", dir);
    assert_int_equal(rename(key, moved), 0);
    refuses_unchanged(dir, ERR_NOT_FOUND, "keys/signing");
    assert_int_equal(rename(moved, key), 0);
    buf_deinit(&good);
    test_remove(dir);
}

/* ---- migrations of types ---- */

static enum err_code open_with(const char *dir, const struct table *t, struct err *err) {
    const struct table *const tables[] = {t};
    struct ledger_options o = test_options();
    struct ledger *l = NULL;
    o.tables = tables;
    o.n_tables = 1;
    TRY(ledger_open(dir, &o, &l, err));
    ledger_close(l);
    return ERR_OK;
}

static void types_grow(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    (void)test_insert(l, "old", 3, "1");
    int64_t seq = ledger_last_seq(l);
    ledger_close(l);
    ledger_close(test_reopen(dir)); /* nothing changed: nothing is written */
    /* A column in front and one behind, and an index over the new one. */
    struct column cols[ITEM_COLS + 2] = {{"urgent", COL_BOOL, false, false}};
    memcpy(cols + 1, test_item.cols, ITEM_COLS * sizeof *cols);
    cols[ITEM_COLS + 1] = (struct column){"address", COL_TEXT, false, true};
    const struct index indexes[] = {
        test_item.indexes[0], test_item.indexes[1], {{"urgent"}, false, NULL}};
    const struct table grown = {"item", TABLE_LEDGER, cols, ITEM_COLS + 2, indexes, 3, NULL};
    const struct table fresh = {"thing", TABLE_LEDGER, cols, 1, NULL, 0, NULL};
    const struct table *const tables[] = {&grown, &fresh, &test_tally, &test_jot};
    struct ledger_options o = test_options();
    struct err err;
    o.tables = tables;
    o.n_tables = 4;
    assert_int_equal(ledger_open(dir, &o, &l, &err), ERR_OK);
    assert_int_equal(ledger_last_seq(l), seq + 2); /* two definitions */
    struct reader *r = NULL;
    struct arena *a = arena_new(1 << 20);
    struct cell c[ITEM_COLS + 2];
    assert_int_equal(ledger_read_begin(l, &r, NULL), ERR_OK);
    assert_int_equal(reader_get(r, &grown, 1, a, c, NULL, NULL), ERR_OK);
    assert_int_equal(c[0].type, CELL_NULL);
    assert_string_equal(c[1].p, "old");
    assert_int_equal(c[ITEM_PHONE + 1].type, CELL_COMMIT);
    ledger_read_end(r);
    arena_free(a);
    ledger_close(l);
    struct verify_report report;
    assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_OK);
    if (!report.ok) fail_msg("%s: %s", report.bad_table, report.bad_reason);
    /* The former descriptor now lacks columns. */
    assert_int_equal(open_with(dir, &test_item, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "no longer declared"));
    test_remove(dir);
}

static enum err_code write_grown(struct tx *tx, void *arg, struct err *err) {
    const struct table *t = arg;
    struct cell c[ITEM_COLS + 1] = {cell_int(1), cell_text("new")};
    int64_t id = 0;
    TRY(tx_insert(tx, t, c, &id, err));
    struct cell d[ITEM_COLS + 1];
    TRY(tx_get(tx, t, 1, d, NULL, err));
    d[0] = cell_int(0);
    return tx_update(tx, t, 1, -1, d, err);
}

/* Rows written before and after a column came compare with their images, whatever place the column
 * has in the descriptor. */
static void grown_types_verify(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    (void)test_insert(l, "old", 3, "1");
    (void)test_insert(l, "untouched", 3, "1");
    ledger_close(l);
    struct column cols[ITEM_COLS + 1] = {{"urgent", COL_BOOL, false, false}};
    memcpy(cols + 1, test_item.cols, ITEM_COLS * sizeof *cols);
    struct table grown = {"item", TABLE_LEDGER, cols, ITEM_COLS + 1, test_item.indexes, 2, NULL};
    const struct table *const tables[] = {&grown};
    struct ledger_options o = test_options();
    o.tables = tables;
    o.n_tables = 1;
    assert_int_equal(ledger_open(dir, &o, &l, NULL), ERR_OK);
    assert_int_equal(test_try(l, write_grown, &grown, NULL), ERR_OK);
    ledger_close(l);
    struct verify_report report;
    assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_OK);
    if (!report.ok) fail_msg("%s: %s", report.bad_table, report.bad_reason);
    test_remove(dir);
}

static void types_do_not_shrink_or_turn(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    (void)test_insert(l, "old", 3, "1");
    ledger_close(l);
    const struct {
        int col;
        struct column instead;
        const char *word;
    } changes[] = {
        {ITEM_COUNT, {"count", COL_TEXT, false, false}, "stored as int"},
        {ITEM_COUNT, {"count", COL_INT, true, false}, "stored as optional"},
        {ITEM_NAME, {"name", COL_TEXT, false, false}, "stored as required"},
        {ITEM_PHONE, {"phone", COL_TEXT, false, false}, "cease to be personal"},
        {ITEM_EXTRA, {"extra", COL_JSON, false, true}, "become personal"},
        {ITEM_RAW, {"other", COL_BLOB, false, false}, "no longer declared"},
    };
    struct column cols[ITEM_COLS + 1];
    struct err err;
    unsigned char before[32], after[32];
    test_digest(dir, before);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        memcpy(cols, test_item.cols, ITEM_COLS * sizeof *cols);
        cols[changes[i].col] = changes[i].instead;
        const struct table t = {"item", TABLE_LEDGER, cols, ITEM_COLS, NULL, 0, NULL};
        assert_int_equal(open_with(dir, &t, &err), ERR_INVALID);
        if (strstr(err.detail, changes[i].word) == NULL) fail_msg("case %zu: %s", i, err.detail);
    }
    memcpy(cols, test_item.cols, ITEM_COLS * sizeof *cols);
    cols[ITEM_COLS] = (struct column){"must", COL_TEXT, true, false};
    const struct table must = {"item", TABLE_LEDGER, cols, ITEM_COLS + 1, NULL, 0, NULL};
    assert_int_equal(open_with(dir, &must, &err), ERR_INVALID);
    const struct table kind = {"item", TABLE_OPERATIONAL, cols, 2, NULL, 0, NULL};
    assert_int_equal(open_with(dir, &kind, &err), ERR_INVALID);
    const struct table reserved = {"journal", TABLE_LEDGER, cols, 2, NULL, 0, NULL};
    assert_int_equal(open_with(dir, &reserved, &err), ERR_INVALID);
    test_digest(dir, after);
    assert_memory_equal(before, after, 32);
    test_remove(dir);
}

static void descriptors_are_checked(void **state) {
    (void)state;
    static const struct column ok = {"a", COL_TEXT, false, false};
    const struct column bad[] = {
        {"A", COL_TEXT, false, false},
        {"", COL_TEXT, false, false},
        {"1a", COL_TEXT, false, false},
        {"a-b", COL_TEXT, false, false},
        {"id", COL_INT, false, false},
        {"ledger", COL_INT, false, false},
        {"version", COL_INT, false, false},
        {"n", COL_INT, false, true},
        {"t", 0, false, false},
        {"a", COL_TEXT, false, false},
        {"a2345678901234567890123456789012345678901", COL_TEXT, false, false}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct column cols[] = {ok, bad[i]};
        const struct table t = {"t", TABLE_LEDGER, cols, 2, NULL, 0, NULL};
        assert_int_equal(table_check(&t, NULL), ERR_INVALID);
    }
    const struct index over = {{"b"}, false, NULL};
    const struct table unknown = {"t", TABLE_LEDGER, &ok, 1, &over, 1, NULL};
    assert_int_equal(table_check(&unknown, NULL), ERR_INVALID);
    const struct column personal = {"p", COL_TEXT, false, true};
    const struct table derived = {"t", TABLE_DERIVED, &personal, 1, NULL, 0, NULL};
    assert_int_equal(table_check(&derived, NULL), ERR_INVALID);
    size_t n;
    const struct table *const *all = tables_builtin(&n);
    struct err err;
    for (size_t i = 0; i < n; i++) {
        if (table_check(all[i], &err) != ERR_OK) fail_msg("%s", err.detail);
    }
    assert_int_equal(col_schema__cols, 2);
    assert_int_equal(table_col(&table_schema_, "kind"), col_schema__kind);
    assert_int_equal(table_col(&table_schema_, "none"), -1);
}

static enum err_code up_add(struct db *db, int64_t ledger, struct err *err) {
    (void)ledger;
    return db_run(db, "CREATE TABLE extra (ledger INTEGER PRIMARY KEY)", err);
}
static enum err_code up_fail(struct db *db, int64_t ledger, struct err *err) {
    TRY(up_add(db, ledger, err));
    return db_run(db, "CREATE TABLE broken (", err);
}

static void numbered_migrations(void **state) {
    (void)state;
    char *dir, path[512];
    ledger_close(test_ledger(&dir));
    (void)snprintf(path, sizeof path, "%s/gezhi.db", dir);
    const struct db_open o = {.cache_kib = 1000};
    struct db *db = NULL;
    size_t n;
    const struct migration *builtin = migrations_builtin(&n);
    struct migration more[2] = {builtin[0], {LEDGER_FORMAT + 1, up_fail}};
    int64_t format = 0;
    assert_int_equal(n, 1);
    assert_int_equal(db_open(&driver_sqlite, path, &o, &db, NULL), ERR_OK);
    assert_int_equal(migrate(db, 1, more, 2, NULL), ERR_INTERNAL);
    assert_int_equal(db_format(db, &format, NULL), ERR_OK);
    assert_int_equal(format, LEDGER_FORMAT);
    assert_int_equal(db_run(db, "SELECT * FROM extra", NULL),
                     ERR_INTERNAL); /* rolled back as a whole */
    more[1].up = up_add;
    assert_int_equal(migrate(db, 1, more, 2, NULL), ERR_OK);
    assert_int_equal(migrate(db, 1, more, 2, NULL), ERR_OK);
    assert_int_equal(db_run(db, "SELECT * FROM extra", NULL), ERR_OK);
    assert_int_equal(migrate(db, 1, builtin, 1, NULL), ERR_CONFLICT);
    db_close(db, true);
    refuses_unchanged(dir, ERR_CONFLICT, "newer program");
    struct verify_report report;
    assert_int_equal(ledger_verify(dir, NULL, &report, NULL), ERR_CONFLICT);
    test_remove(dir);
}

static void blobs(void **state) {
    (void)state;
    char *dir, hash[65], again[65], path[4096];
    struct ledger *l = test_ledger(&dir);
    assert_int_equal(blob_put(l, "abc", 3, hash, NULL), ERR_OK);
    assert_string_equal(
        hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); /* FIPS 180-4,
                                                                                      example 1 */
    assert_int_equal(blob_put(l, "abc", 3, again, NULL), ERR_OK);
    assert_string_equal(hash, again);
    assert_int_equal(blob_path(l, hash, path, sizeof path, NULL), ERR_OK);
    assert_int_equal(access(path, R_OK), 0);
    hash[0] = 'c';
    assert_int_equal(blob_path(l, hash, path, sizeof path, NULL), ERR_NOT_FOUND);
    assert_int_equal(blob_path(l, "../../etc/passwd", path, sizeof path, NULL), ERR_NOT_FOUND);
    assert_int_equal(blob_path(l, "", path, sizeof path, NULL), ERR_NOT_FOUND);
    assert_int_equal(blob_path(l, again, path, 20, NULL), ERR_INVALID);
    ledger_close(l);
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(create_open_insert_read),
                                       cmocka_unit_test(wrong_rows_are_refused),
                                       cmocka_unit_test(personal_values_are_kept_or_replaced),
                                       cmocka_unit_test(a_reader_keeps_its_snapshot),
                                       cmocka_unit_test(one_server_a_folder),
                                       cmocka_unit_test(a_look_beside_the_server),
                                       cmocka_unit_test(newer_or_damaged_folders_stay_as_they_are),
                                       cmocka_unit_test(types_grow),
                                       cmocka_unit_test(grown_types_verify),
                                       cmocka_unit_test(types_do_not_shrink_or_turn),
                                       cmocka_unit_test(descriptors_are_checked),
                                       cmocka_unit_test(numbered_migrations),
                                       cmocka_unit_test(blobs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
