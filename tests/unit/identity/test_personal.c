#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "domain/identity/notice.h"
#include "domain/identity/rights.h"
#include "fixture.h"

static const char pw[] = "a good long password";

struct look {
    struct principal who;
    const char *column, *purpose;
    int64_t id;
    char found[64];
};

static const struct type_def *contact(void) { return pack_type(&fixture_packs, "contact"); }

static enum err_code put_apply(struct tx *tx, void *arg, struct err *err) {
    struct look *l = arg;
    const struct cell cells[] = {cell_text("a note"), cell_text("010-5555"), cell_text("asthma")};
    return tx_insert(tx, &contact()->table, cells, &l->id, err);
}

static enum err_code look_apply(struct tx *tx, void *arg, struct err *err) {
    struct look *l = arg;
    struct cell cells[3], value;
    int64_t version = 0;
    int col = type_field(contact(), l->column);
    TRY(tx_get(tx, &contact()->table, l->id, cells, &version, err));
    TRY(rights_open_personal(tx, &l->who, contact(), l->id, l->column, &cells[col < 0 ? 0 : col],
                             l->purpose, &value, err));
    if (value.type == CELL_TEXT) memcpy(l->found, value.p, value.n + 1);
    return ERR_OK;
}

static enum err_code erase_apply(struct tx *tx, void *arg, struct err *err) {
    const struct look *l = arg;
    int64_t n = 0;
    return tx_erase(tx, &contact()->table, l->id, "phone", "asked for", &n, err);
}

static void test_opening_is_by_right_and_purpose_and_leaves_a_trace(void **state) {
    (void)state;
    struct fixture f = {0};
    struct err err = {0};
    struct look l = {.column = "phone", .purpose = "to call back about the burst pipe"};
    char worker[IDENTITY_COOKIE], desk[IDENTITY_COOKIE], unit[IDENTITY_COOKIE];
    fixture_open(&f);
    fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    fixture_account(&f, "desk1", "operator", NULL, NULL, pw);
    fixture_account(&f, "roads1", "department", NULL, "roads", pw);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", worker, NULL), ERR_OK);
    assert_int_equal(fixture_sign_in(&f, "desk1", pw, "192.0.2.1", desk, NULL), ERR_OK);
    assert_int_equal(fixture_sign_in(&f, "roads1", pw, "192.0.2.1", unit, NULL), ERR_OK);
    assert_int_equal(fixture_run(&f, "system", put_apply, &l, &err), ERR_OK);
    /* A stranger, a worker without the permission, a department whose role does not open personal
     * fields: nothing, and no trace. */
    l.who = (struct principal){.anonymous = true};
    assert_int_equal(fixture_run(&f, "public", look_apply, &l, &err), ERR_FORBIDDEN);
    l.who = fixture_who(&f, worker);
    assert_int_equal(fixture_run(&f, "zhang", look_apply, &l, &err), ERR_FORBIDDEN);
    l.who = fixture_who(&f, unit);
    assert_int_equal(fixture_run(&f, "roads1", look_apply, &l, &err), ERR_FORBIDDEN);
    l.who = fixture_who(&f, desk);
    l.purpose = "x";
    assert_int_equal(fixture_run(&f, "desk1", look_apply, &l, &err), ERR_INVALID);
    assert_string_equal(err.field, "/purpose");
    l.purpose = NULL;
    assert_int_equal(fixture_run(&f, "desk1", look_apply, &l, &err), ERR_INVALID);
    assert_int_equal(fixture_journal(&f, "view", NULL), 0);
    assert_string_equal(l.found, "");
    l.purpose = "回访漏水情况";
    assert_int_equal(fixture_run(&f, "desk1", look_apply, &l, &err), ERR_OK);
    assert_string_equal(l.found, "010-5555");
    assert_int_equal(fixture_journal(&f, "view", NULL), 1);
    /* Sensitive is not personal. */
    l.column = "health";
    assert_int_equal(fixture_run(&f, "desk1", look_apply, &l, &err), ERR_FORBIDDEN);
    l.column = "no such";
    assert_int_equal(fixture_run(&f, "desk1", look_apply, &l, &err), ERR_NOT_FOUND);
    /* What was erased is gone, and looking is still noted. */
    l.column = "phone";
    l.found[0] = '\0';
    assert_int_equal(fixture_run(&f, "system", erase_apply, &l, &err), ERR_OK);
    assert_int_equal(fixture_run(&f, "desk1", look_apply, &l, &err), ERR_OK);
    assert_string_equal(l.found, "");
    assert_int_equal(fixture_journal(&f, "view", NULL), 2);
    fixture_remove(&f);
}

static enum err_code notices_apply(struct tx *tx, void *arg, struct err *err) {
    (void)arg;
    for (int i = 0; i < 3; i++)
        TRY(notice_add(tx, "ZHANG", "dispatched", "A-1", (struct text){"For you.", "请处理。"},
                       err));
    TRY(notice_add(tx, "nobody", "dispatched", "A-1", (struct text){"For you.", "请处理。"}, err));
    return notice_add(tx, "li", "returned", NULL, (struct text){"Back.", "退回。"}, err);
}

static enum err_code read_apply(struct tx *tx, void *arg, struct err *err) {
    const int64_t *ids = arg;
    return notice_mark_read(tx, ids[0], ids[1], err);
}

static void test_notices(void **state) {
    (void)state;
    struct fixture f = {0};
    struct err err = {0};
    struct notice *rows = NULL;
    struct reader *r = NULL;
    size_t n = 0;
    int64_t unread = 0, ids[2] = {0};
    struct arena *a = arena_new(1 << 20);
    fixture_open(&f);
    int64_t zhang = fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    int64_t li = fixture_account(&f, "li", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_run(&f, "system", notices_apply, NULL, &err), ERR_OK);
    assert_int_equal(fixture_journal(&f, "notice", NULL), 4);
    assert_int_equal(ledger_read_begin(f.ledger, &r, &err), ERR_OK);
    assert_int_equal(notice_list(reader_db(r), zhang, 0, 2, a, &rows, &n, &err), ERR_OK);
    assert_int_equal(n, 2);
    assert_true(rows[0].id > rows[1].id);
    assert_string_equal(rows[0].case_code, "A-1");
    assert_string_equal(rows[0].text.zh, "请处理。");
    assert_false(rows[0].is_read);
    ids[0] = zhang;
    ids[1] = rows[1].id;
    assert_int_equal(notice_list(reader_db(r), zhang, rows[1].id, 2, a, &rows, &n, &err), ERR_OK);
    assert_int_equal(n, 1);
    ledger_read_end(r);
    assert_int_equal(fixture_run(&f, "zhang", read_apply, ids, &err), ERR_OK);
    assert_int_equal(ledger_read_begin(f.ledger, &r, &err), ERR_OK);
    assert_int_equal(notice_unread(reader_db(r), zhang, &unread, &err), ERR_OK);
    assert_int_equal(unread, 1); /* the one that came after what he has seen */
    assert_int_equal(notice_unread(reader_db(r), li, &unread, &err), ERR_OK);
    assert_int_equal(unread, 1); /* the neighbour's stay as they are */
    ledger_read_end(r);
    fixture_remove(&f);
    arena_free(a);
}

/* More than a page of those who are told, some disabled, among others. */
enum { WATCHERS = 150, GONE = 40 };

static enum err_code crowd_apply(struct tx *tx, void *arg, struct err *err) {
    static const struct account_change disable = {.state = "disabled"};
    (void)arg;
    for (int i = 0; i < WATCHERS + GONE; i++) {
        char name[32];
        struct account a;
        (void)snprintf(name, sizeof name, "watch%d", i);
        TRY(account_add(tx, &fixture_packs, NULL,
                        &(struct account_in){.name = name, .role = "security_admin"}, &a, err));
        if (i >= WATCHERS)
            TRY(account_change(tx, &fixture_packs, NULL, name, -1, &disable, &a, err));
    }
    return notice_add_all(tx, &fixture_packs, PERM_SESSION_MANAGE, "told",
                          (struct text){"All.", "各位。"}, err);
}

static void test_all_with_the_permission_are_told_once(void **state) {
    (void)state;
    struct fixture f = {0};
    struct err err = {0};
    fixture_open(&f);
    int64_t worker = fixture_account(&f, "worker", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_run(&f, "system", crowd_apply, NULL, &err), ERR_OK);
    assert_int_equal(
        fixture_count(&f, "SELECT COUNT(*) FROM inbox WHERE kind = 'told' AND account > ?1", 0),
        WATCHERS);
    assert_int_equal(fixture_count(&f,
                                   "SELECT COUNT(DISTINCT account) FROM inbox WHERE kind = 'told' "
                                   "AND account <> ?1",
                                   worker),
                     WATCHERS);
    fixture_remove(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening_is_by_right_and_purpose_and_leaves_a_trace),
        cmocka_unit_test(test_notices),
        cmocka_unit_test(test_all_with_the_permission_are_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
