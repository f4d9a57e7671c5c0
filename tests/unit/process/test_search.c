/* The search index: two Chinese characters find a case, an erased text leaves it, and a rebuilt
 * index answers as the live one. */
#include "city.h"

#include <string.h>

#include "domain/process/search.h"

static int64_t found(struct test_city *c, const char *q) {
    struct arena *a = arena_new(1 << 20);
    struct err err = {0};
    struct reader *r = NULL;
    struct sql s;
    struct cursor *cur = NULL;
    bool has = false;
    ledger_catch_up(c->folder.ledger, ledger_last_seq(c->folder.ledger));
    assert_int_equal(ledger_read_begin(c->folder.ledger, &r, &err), ERR_OK);
    assert_int_equal(sql_begin(&s, a, &err), ERR_OK);
    sql_add(&s, "SELECT COUNT(*) FROM ");
    sql_table(&s, &c->engine->case_type->table);
    sql_add(&s, " c WHERE c.ledger = 1 AND ");
    assert_true(search_where(&s, q, a));
    assert_int_equal(sql_query(&s, reader_db(r), &cur, &err), ERR_OK);
    assert_int_equal(cursor_next(cur, &has, &err), ERR_OK);
    int64_t n = cursor_int(cur, 0);
    cursor_close(cur);
    ledger_read_end(r);
    arena_free(a);
    return n;
}

struct erasing {
    struct test_city *city;
    int64_t id, n;
};

static enum err_code erase(struct tx *tx, void *arg, struct err *err) {
    struct erasing *e = arg;
    return tx_erase(tx, &e->city->engine->case_type->table, e->id, "description",
                    "asked by the reporter", &e->n, err);
}

static void test_words(void **state) {
    struct test_city *c = *state;
    struct err err = {0};
    assert_int_equal(search_start(c->engine, c->folder.ledger, &err), ERR_OK);
    struct reported first, second;
    const char *code = city_report(c, "event-0102", false, 0, &first);
    (void)city_report(c, "event-0102", true, 0, &second);
    assert_int_equal(found(c, "垃圾"), 2); /* in text and class */
    assert_int_equal(found(c, "成堆"), 2); /* in the text alone */
    assert_int_equal(found(c, "门口 成堆"), 2);
    assert_int_equal(found(c, "井盖"), 0);
    assert_int_equal(found(c, code), 1);
    struct erasing e = {.city = c, .id = first.row.id};
    city_run(c, erase, &e);
    assert_int_equal(e.n, 1);
    assert_int_equal(found(c, "成堆"), 1); /* gone with the value */
    assert_int_equal(found(c, "垃圾"), 2); /* the class's name stays */
    assert_int_equal(ledger_rebuild(c->folder.ledger, "search", &err), ERR_OK);
    assert_int_equal(found(c, "成堆"), 1);
    assert_int_equal(found(c, "垃圾"), 2);
    assert_int_equal(found(c, code), 1);
}

static void test_queries_from_outside(void **state) {
    struct test_city *c = *state;
    static const char *const nothing[] = {"",      "  ",       "\"",  "*", "'; DROP TABLE",
                                          "NEAR(", "\xff\xfe", "----"};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        struct arena *a = arena_new(1 << 20);
        struct err err = {0};
        struct sql s;
        assert_int_equal(sql_begin(&s, a, &err), ERR_OK);
        if (search_where(&s, nothing[i], a)) (void)found(c, nothing[i]);
        arena_free(a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words),
                                       cmocka_unit_test(test_queries_from_outside)};
    return cmocka_run_group_tests(tests, city_setup, city_teardown);
}
