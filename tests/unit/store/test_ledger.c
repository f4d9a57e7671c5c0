#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "fixture.h"

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
    assert_true(strncmp(rows[1].image,
                        "{\"name\":\"drain "
                        "cover\",\"count\":4,\"weight\":0.375,\"open\":true,\"phone\":{\"c\":\"",
                        73) == 0);
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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(create_open_insert_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
