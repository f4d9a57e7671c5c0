#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "store/driver.h"
#include "store/sql.h"
#include "store/statements.h"
#include "store/tables.h"

static void definitions(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 10000);
    sql_create_table(&b, SQL_SQLITE, &test_item);
    assert_string_equal(buf_text(&b), "CREATE TABLE \"item\" (\"ledger\" INTEGER NOT NULL, \"id\" "
                                      "INTEGER NOT NULL, \"version\" INTEGER NOT NULL, "
                                      "\"name\" TEXT NOT NULL, \"count\" INTEGER, \"weight\" REAL, "
                                      "\"open\" INTEGER, \"at\" INTEGER, \"extra\" "
                                      "TEXT, \"raw\" BLOB, \"phone\" TEXT, PRIMARY KEY "
                                      "(\"ledger\", \"id\")) STRICT, WITHOUT ROWID");
    buf_clear(&b);
    sql_create_table(&b, SQL_POSTGRES, &test_item);
    assert_string_equal(
        buf_text(&b),
        "CREATE TABLE \"item\" (\"ledger\" BIGINT NOT NULL, \"id\" BIGINT NOT NULL, \"version\" "
        "BIGINT NOT NULL, "
        "\"name\" TEXT NOT NULL, \"count\" BIGINT, \"weight\" DOUBLE PRECISION, \"open\" BIGINT, "
        "\"at\" BIGINT, "
        "\"extra\" TEXT, \"raw\" BYTEA, \"phone\" TEXT, PRIMARY KEY (\"ledger\", \"id\"))");
    buf_clear(&b);
    sql_add_column(&b, SQL_POSTGRES, &test_item, &test_item.cols[ITEM_NAME]);
    assert_string_equal(buf_text(&b), "ALTER TABLE \"item\" ADD COLUMN \"name\" TEXT");
    buf_clear(&b);
    sql_create_index(&b, SQL_SQLITE, &test_item, &test_item.indexes[1]);
    assert_non_null(
        strstr(buf_text(&b), "ON \"item\" (\"ledger\", \"open\", \"count\") WHERE open = 1"));
    buf_deinit(&b);
}

static void translation(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    sql_translate(&b, SQL_POSTGRES, "SELECT '?1', \"?2\", x ? y FROM t WHERE a = ?1 AND b = ?12");
    assert_string_equal(buf_text(&b), "SELECT '?1', \"?2\", x ? y FROM t WHERE a = $1 AND b = $12");
    buf_clear(&b);
    sql_translate(&b, SQL_SQLITE, "a = ?1");
    assert_string_equal(buf_text(&b), "a = ?1");
    buf_deinit(&b);
}

static void builder(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    for (int i = 1; i <= 9; i++) (void)test_insert(l, (char[]){(char)('a' + i), '\0'}, i, NULL);
    struct reader *r = NULL;
    struct arena *a = arena_new(1 << 20);
    struct sql s;
    struct cursor *c = NULL;
    bool has = false;
    assert_int_equal(ledger_read_begin(l, &r, NULL), ERR_OK);
    assert_int_equal(sql_begin(&s, a, NULL), ERR_OK);
    sql_add(&s, "SELECT ");
    sql_column(&s, &test_item, ITEM_NAME, "i.");
    sql_add(&s, " FROM ");
    sql_table(&s, &test_item);
    sql_add(&s, " i WHERE i.");
    sql_column(&s, &test_item, -3, NULL);
    sql_add(&s, " = ");
    int ledger = sql_value(&s, cell_int(1));
    sql_add(&s, " AND ");
    sql_again(&s, ledger);
    sql_add(&s, " = 1 AND i.name IN (");
    struct cell names[2] = {cell_text("c"), cell_text("'; DROP TABLE item; --")};
    sql_values(&s, names, 2);
    sql_add(&s, ")");
    assert_string_equal(buf_text(s.text), "SELECT i.\"name\" FROM \"item\" i WHERE i.\"ledger\" = "
                                          "?1 AND ?1 = 1 AND i.name IN (?2, ?3)");
    assert_int_equal(sql_query(&s, reader_db(r), &c, NULL), ERR_OK);
    assert_int_equal(cursor_next(c, &has, NULL), ERR_OK);
    assert_true(has);
    assert_string_equal(cursor_text(c, 0), "c");
    assert_int_equal(cursor_next(c, &has, NULL), ERR_OK);
    assert_false(has);
    cursor_close(c);
    assert_int_equal(sql_begin(&s, a, NULL), ERR_OK);
    for (int i = 0; i <= SQL_MAX_CELLS; i++) (void)sql_value(&s, cell_int(i));
    assert_int_equal(sql_query(&s, reader_db(r), &c, NULL), ERR_LIMIT);
    ledger_read_end(r);
    arena_free(a);
    ledger_close(l);
    test_remove(dir);
}

/* Every named statement and every row statement is valid SQL for the schema of a fresh folder. */
static void statements_prepare(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    struct reader *r = NULL;
    assert_int_equal(ledger_read_begin(l, &r, NULL), ERR_OK);
    for (int i = 0; i < STMT_N; i++) {
        struct cell none[64] = {{.type = CELL_NULL}};
        struct err err;
        enum err_code rc = ERR_INTERNAL;
        for (size_t n = 0; n < 64 && rc == ERR_INTERNAL; n++) {
            struct cursor *c = NULL;
            rc = db_query(reader_db(r), stmt_sql((enum stmt)i), none, n, &c, &err);
            cursor_close(c);
            if (rc == ERR_INTERNAL && strstr(err.detail, "parameters in") == NULL) break;
        }
        if (rc != ERR_OK) fail_msg("%s: %s", stmt_name((enum stmt)i), err.detail);
        if (strstr(stmt_sql((enum stmt)i), "ledger") == NULL)
            fail_msg("%s does not name the ledger", stmt_name((enum stmt)i));
    }
    ledger_read_end(r);
    ledger_close(l);
    test_remove(dir);
}

/* A record's journal is found by its index, in a folder where nothing was ever measured: without
 * that, opening reads everything. */
static void plans_use_the_indexes(void **state) {
    (void)state;
    static const struct {
        const char *sql, *plan;
    } cases[] = {
        {"EXPLAIN QUERY PLAN SELECT image FROM journal WHERE ledger = 1 AND type = 'item' AND id = "
         "1 ORDER BY seq DESC LIMIT 5",
         "type=? AND id=?"},
        {"EXPLAIN QUERY PLAN SELECT image FROM journal WHERE ledger = 1 AND type = 'item' AND id = "
         "1 ORDER BY seq",
         "type=? AND id=?"},
        {"EXPLAIN QUERY PLAN SELECT name FROM item WHERE ledger = 1 AND name = 'x' ORDER BY id "
         "LIMIT 1",
         "name=?"},
        {"EXPLAIN QUERY PLAN SELECT name FROM item WHERE ledger = 1 AND open = 1 AND count > 5 "
         "ORDER BY count LIMIT 9",
         "open=? AND count>?"},
        {"EXPLAIN QUERY PLAN SELECT max(id) FROM item WHERE ledger = 1", "PRIMARY KEY"},
    };
    char *dir;
    struct ledger *l = test_ledger(&dir);
    struct reader *r = NULL;
    assert_int_equal(ledger_read_begin(l, &r, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cursor *c = NULL;
        bool has = false;
        assert_int_equal(db_query(reader_db(r), cases[i].sql, NULL, 0, &c, NULL), ERR_OK);
        assert_int_equal(cursor_next(c, &has, NULL), ERR_OK);
        if (strstr(cursor_text(c, 3), cases[i].plan) == NULL)
            fail_msg("%s: %s", cases[i].sql, cursor_text(c, 3));
        cursor_close(c);
    }
    ledger_read_end(r);
    ledger_close(l);
    test_remove(dir);
}

/* More texts than the cache holds, some while a cursor is open on them. */
static void statement_cache(void **state) {
    (void)state;
    char *dir;
    struct ledger *l = test_ledger(&dir);
    struct reader *r = NULL;
    assert_int_equal(ledger_read_begin(l, &r, NULL), ERR_OK);
    struct cursor *outer = NULL, *inner = NULL;
    bool has = false;
    const char *sql = "SELECT seq FROM journal WHERE ledger = 1 ORDER BY seq";
    assert_int_equal(db_query(reader_db(r), sql, NULL, 0, &outer, NULL), ERR_OK);
    assert_int_equal(cursor_next(outer, &has, NULL), ERR_OK);
    assert_int_equal(db_query(reader_db(r), sql, NULL, 0, &inner, NULL), ERR_OK);
    assert_int_equal(cursor_next(inner, &has, NULL), ERR_OK);
    assert_int_equal(cursor_next(inner, &has, NULL), ERR_OK);
    assert_int_equal(cursor_int(inner, 0), 2);
    assert_int_equal(cursor_int(outer, 0), 1);
    cursor_close(inner);
    for (int i = 0; i < 1000; i++) {
        char text[64];
        int64_t n;
        (void)snprintf(text, sizeof text, "SELECT %d", i);
        assert_int_equal(db_int(reader_db(r), text, NULL, 0, -1, &n, NULL), ERR_OK);
        assert_int_equal(n, i);
    }
    assert_int_equal(cursor_next(outer, &has, NULL), ERR_OK);
    assert_int_equal(cursor_int(outer, 0), 2);
    cursor_close(outer);
    cursor_close(NULL);
    assert_int_equal(db_query(reader_db(r), "SELECT nonsense FROM nowhere", NULL, 0, &outer, NULL),
                     ERR_INTERNAL);
    assert_null(outer);
    ledger_read_end(r);
    ledger_close(l);
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(definitions),
                                       cmocka_unit_test(translation),
                                       cmocka_unit_test(builder),
                                       cmocka_unit_test(statements_prepare),
                                       cmocka_unit_test(plans_use_the_indexes),
                                       cmocka_unit_test(statement_cache)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
