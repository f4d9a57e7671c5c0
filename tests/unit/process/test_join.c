/* One thing told by many is one case: who counts as another reporter, what may be joined, and what
 * happens when a report stands alone again. */
#include "city.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "domain/process/join.h"

static const int64_t nine = 1772586000000000;
static const int64_t minute = 60000000;

struct telling {
    struct test_city *city;
    struct report in;
    struct reported out;
    char code[48];
};

static enum err_code tell_apply(struct tx *tx, void *arg, struct err *err) {
    struct telling *t = arg;
    TRY(case_report(t->city->engine, tx, &t->in, &t->out, err));
    (void)snprintf(t->code, sizeof t->code, "%s",
                   case_text(t->city->engine, &t->out.row, CASE_code));
    return ERR_OK;
}

/* A report of one class near one corner; contact and account may be NULL. */
static const char *tell(struct test_city *c, const char *contact, const char *account, double shift,
                        int64_t at_us) {
    static struct principal stranger = {.anonymous = true};
    struct principal staff = city_who(c, "operator", account == NULL ? "x" : account, NULL, NULL);
    struct telling t = {.city = c};
    t.in = (struct report){.cls = pack_class(c->folder.packs, "event-0102"),
                           .has_place = true,
                           .lon = 119.05 + shift,
                           .lat = 30.05,
                           .description = "路灯不亮",
                           .contact = contact,
                           .at_us = at_us,
                           .who = account == NULL ? &stranger : &staff};
    city_run(c, tell_apply, &t);
    return arena_strdup(c->a, t.code);
}

static struct city_move join(struct test_city *c, const char *code, const char *to) {
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    struct city_move m = {.city = c,
                          .code = code,
                          .move = "join",
                          .inputs = arena_printf(c->a, "{\"same_as\":\"%s\"}", to),
                          .actor = {ACTOR_STAFF, &op, 0},
                          .at_us = nine + 600 * minute};
    city_move(&m);
    return m;
}

static int64_t reporters(struct test_city *c, const char *code) {
    struct case_row r = city_row(c, code);
    return join_reporters(c->engine, &r);
}

static int urgency(struct test_city *c, const char *code) {
    struct case_row r = city_row(c, code);
    struct text title = {NULL, NULL};
    int level = join_urgency(c->engine, &r, &title);
    assert_true((level > 0) == (title.zh != NULL));
    return level;
}

static void test_nobody_is_counted_twice(void **state) {
    struct test_city *c = *state;
    const char *one = tell(c, "10000000001", NULL, 0, nine);
    assert_int_equal(reporters(c, one), 1);
    assert_int_equal(urgency(c, one), 0);
    const struct {
        const char *contact, *account;
        double shift;
        int64_t minutes, counts;
    } told[] = {
        {"10000000002", NULL, 1e-4, 10, 2},     /* another number */
        {"10000000001", NULL, 2e-4, 20, 2},     /* the first one again, from elsewhere */
        {NULL, NULL, 3e-4, 30, 3},              /* nameless */
        {NULL, NULL, 3e-4, 45, 3},              /* the same exact point within the half hour */
        {NULL, NULL, 3.5e-4, 50, 4},            /* nameless too, a few steps on */
        {NULL, NULL, 3e-4, 300, 5},             /* and hours later */
        {NULL, "clerk", 4e-4, 310, 6},          /* an account */
        {NULL, "clerk", 5e-4, 320, 6},          /* the same account */
        {"10000000003", "clerk", 6e-4, 330, 6}, /* which may be the same person as before */
        {"10000000004", "clerk", 7e-4, 340, 6}, /* and so on: nobody is guessed to be another */
    };
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        const char *code = tell(c, told[i].contact, told[i].account, told[i].shift,
                                nine + told[i].minutes * minute);
        struct city_move m = join(c, code, one);
        if (m.rc != ERR_OK) fail_msg("%zu: %s", i, m.err.detail);
        assert_string_equal(case_text(c->engine, &m.row, CASE_state), "joined");
        assert_true(case_has(c->engine, &m.row, CASE_closed_at));
        if (reporters(c, one) != told[i].counts)
            fail_msg("%zu: %d reporters", i, (int)reporters(c, one));
    }
    /* Urgency by the table of the process: 3 and 10. */
    assert_int_equal(urgency(c, one), 1);
    for (int i = 0; i < 4; i++) {
        const char *code =
            tell(c, arena_printf(c->a, "2000000000%d", i), NULL, 1e-3, nine + minute);
        assert_int_equal(join(c, code, one).rc, ERR_OK);
    }
    assert_int_equal(reporters(c, one), 10);
    assert_int_equal(urgency(c, one), 2);
}

static void test_a_clerk_tells_for_many(void **state) {
    struct test_city *c = *state;
    const char *one = tell(c, "30000000001", "clerk", 0, nine);
    assert_int_equal(join(c, tell(c, "30000000002", "clerk", 1e-4, nine + minute), one).rc, ERR_OK);
    assert_int_equal(join(c, tell(c, "30000000001", NULL, 1e-4, nine + minute), one).rc, ERR_OK);
    assert_int_equal(reporters(c, one), 2);
}

static void test_what_may_not_be_joined(void **state) {
    struct test_city *c = *state;
    const char *one = tell(c, "1", NULL, 0, nine), *two = tell(c, "2", NULL, 1e-4, nine);
    const char *three = tell(c, "3", NULL, 2e-4, nine), *four = tell(c, "4", NULL, 3e-4, nine);
    assert_int_equal(join(c, one, one).rc, ERR_INVALID);
    assert_int_equal(join(c, one, "990101-260304-99999").rc, ERR_INVALID);
    assert_int_equal(join(c, two, one).rc, ERR_OK);
    assert_int_equal(join(c, two, one).rc, ERR_CONFLICT); /* it is joined already */
    struct city_move m = join(c, three, two);
    assert_int_equal(m.rc, ERR_INVALID); /* to one that stands for nothing */
    assert_string_equal(m.err.field, "/same_as");
    assert_non_null(strstr(m.err.detail, "joined to another"));
    assert_int_equal(join(c, one, three).rc, ERR_INVALID); /* others stand on it */
    /* A matter that is private, or of another process, is no street matter. */
    const char *dispute = city_report(c, "dispute-01", false, nine, NULL);
    assert_int_equal(join(c, three, dispute).rc, ERR_INVALID);
    /* Closed: it would end with nothing done. */
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    city_must(c, four, "refuse", op, "{\"reason\":\"no\",\"goto\":\"elsewhere\"}", nine + minute,
              NULL);
    assert_int_equal(join(c, three, four).rc, ERR_INVALID);
    struct case_row r = city_row(c, three);
    assert_false(case_has(c->engine, &r, CASE_duplicate_of));
    /* Who may not see the other case is not told that it is there. */
    struct principal far = city_who(c, "operator", "far", NULL, NULL);
    (void)snprintf(far.area, sizeof far.area, "990102000000");
    far.area_level = LEVEL_COUNTY;
    m = (struct city_move){.city = c,
                           .code = tell(c, "5", NULL, 0.1, nine),
                           .move = "join",
                           .inputs = arena_printf(c->a, "{\"same_as\":\"%s\"}", one),
                           .actor = {ACTOR_STAFF, &far, 0},
                           .at_us = nine + minute};
    city_move(&m);
    assert_int_equal(m.rc, ERR_INVALID);
    assert_non_null(strstr(m.err.detail, "is not there"));
}

static void test_it_stands_alone_again(void **state) {
    struct test_city *c = *state;
    const char *one = tell(c, "1", NULL, 0, nine), *two = tell(c, "2", NULL, 1e-4, nine);
    assert_int_equal(join(c, two, one).rc, ERR_OK);
    assert_int_equal(reporters(c, one), 2);
    struct principal boss = city_who(c, "supervisor", "boss", NULL, NULL);
    struct case_row r;
    city_must(c, two, "reopen", boss, "{\"reason\":\"another lamp\"}", nine + 700 * minute, &r);
    assert_string_equal(case_text(c->engine, &r, CASE_state), "reported");
    assert_false(case_has(c->engine, &r, CASE_duplicate_of));
    assert_false(case_has(c->engine, &r, CASE_closed_at));
    assert_int_equal(reporters(c, one), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody_is_counted_twice, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_a_clerk_tells_for_many, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_what_may_not_be_joined, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_it_stands_alone_again, city_setup, city_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
