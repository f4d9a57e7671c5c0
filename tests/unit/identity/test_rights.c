#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "domain/identity/rights.h"
#include "store/driver.h"

enum { N_ROWS = 400, N_PRINCIPALS = 600 };

static const struct column cols[] = {
    {.name = "county", .type = COL_TEXT},    {.name = "town", .type = COL_TEXT},
    {.name = "community", .type = COL_TEXT}, {.name = "cell", .type = COL_TEXT},
    {.name = "unit", .type = COL_TEXT},      {.name = "holder", .type = COL_TEXT},
    {.name = "private", .type = COL_BOOL},   {.name = "class", .type = COL_TEXT},
};
static const struct table table = {
    .name = "case_", .kind = TABLE_LEDGER, .cols = cols, .n_cols = 8};

/* Small pools of values, so that rows and principals meet often; a third of the values are missing.
 */
static const char *const counties[] = {NULL, "C1", "C2", "C3"};
static const char *const towns[] = {NULL, "T1", "T2", "C1"};
static const char *const communities[] = {NULL, "M1", "M2", ""};
static const char *const cells[] = {NULL, "G1", "G2", "G3"};
static const char *const units[] = {NULL, "U1", "U2", ""};
/* Class ids on both sides of the tasks. */
static const char *const others[] = {"event-0102", "tasks-0102", "task"};
static const char *const holders[] = {NULL, "zhang", "li", ""};

struct world {
    struct db *db;
    struct rights_case rows[N_ROWS];
};

static void must(struct db *db, const char *sql) {
    struct err err = {0};
    enum err_code rc = db_run(db, sql, &err);
    if (rc != ERR_OK) fail_msg("%s", err.detail);
}

static void fill(struct world *w, struct rng *r) {
    struct err err = {0};
    assert_int_equal(db_open(&driver_sqlite, ":memory:",
                             &(struct db_open){.create = true, .no_sync = true}, &w->db, &err),
                     ERR_OK);
    must(w->db, "CREATE TABLE case_ (id INTEGER PRIMARY KEY, county TEXT, town TEXT, community "
                "TEXT, cell TEXT, unit TEXT, holder TEXT, "
                "private INTEGER, class TEXT)");
    for (int i = 0; i < N_ROWS; i++) {
        struct rights_case *c = &w->rows[i];
        *c = (struct rights_case){counties[rng_below(r, 4)],    towns[rng_below(r, 4)],
                                  communities[rng_below(r, 4)], cells[rng_below(r, 4)],
                                  units[rng_below(r, 4)],       holders[rng_below(r, 4)],
                                  rng_below(r, 3) == 0,         rng_below(r, 4) == 0};
        bool unknown = c->is_private && rng_below(r, 4) == 0; /* a null stands for private */
        const struct cell v[] = {cell_int(i),
                                 cell_text(c->county),
                                 cell_text(c->town),
                                 cell_text(c->community),
                                 cell_text(c->cell),
                                 cell_text(c->unit),
                                 cell_text(c->holder),
                                 unknown ? cell_null() : cell_int(c->is_private),
                                 cell_text(c->is_task ? "task-warning" : others[rng_below(r, 3)])};
        assert_int_equal(db_exec(w->db,
                                 "INSERT INTO case_ VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", v,
                                 9, NULL, &err),
                         ERR_OK);
    }
}

static void random_principal(struct rng *r, struct role_def *role, struct principal *p) {
    static const char *const names[] = {"zhang", "li", "wang"};
    *role = (struct role_def){.name = "any",
                              .cases = (enum role_scope)rng_below(r, 6),
                              .private_cases = rng_below(r, 2) == 0};
    *p = (struct principal){.anonymous = rng_below(r, 10) == 0,
                            .role = rng_below(r, 20) == 0 ? NULL : role};
    p->grants = rng_below(r, 10) == 0 ? 0 : (uint64_t)1 << PERM_CASE_READ;
    if (rng_below(r, 2) == 0) p->grants |= (uint64_t)1 << PERM_WARNING_READ;
    (void)snprintf(p->name, sizeof p->name, "%s", names[rng_below(r, 3)]);
    p->area_level = (int)rng_below(r, 7) - 1; /* also levels that do not exist */
    const char *const *pool = p->area_level == 2   ? counties
                              : p->area_level == 3 ? towns
                                                   : communities;
    const char *area = pool[rng_below(r, 4)];
    if (area != NULL) (void)snprintf(p->area, sizeof p->area, "%s", area);
    const char *unit = units[rng_below(r, 4)];
    if (unit != NULL) (void)snprintf(p->unit, sizeof p->unit, "%s", unit);
    p->n_cells = rng_below(r, 3);
    for (size_t i = 0; i < p->n_cells; i++)
        (void)snprintf(p->cells[i], sizeof p->cells[i], "G%u", 1 + rng_below(r, 3));
}

static void test_query_and_row_agree(void **state) {
    (void)state;
    struct world w = {0};
    struct rng r = rng_new(20260101, 1);
    size_t seen = 0, hidden = 0;
    fill(&w, &r);
    for (int k = 0; k < N_PRINCIPALS; k++) {
        struct role_def role;
        struct principal p;
        struct err err = {0};
        struct sql s;
        struct cursor *c = NULL;
        bool has = false, in_query[N_ROWS] = {0};
        struct arena *a = arena_new(1 << 20);
        random_principal(&r, &role, &p);
        assert_int_equal(sql_begin(&s, a, &err), ERR_OK);
        sql_add(&s, "SELECT id FROM case_ c WHERE ");
        rights_case_where(&p, &table, "c.", &s);
        assert_int_equal(sql_query(&s, w.db, &c, &err), ERR_OK);
        while (cursor_next(c, &has, &err) == ERR_OK && has) in_query[cursor_int(c, 0)] = true;
        cursor_close(c);
        for (int i = 0; i < N_ROWS; i++) {
            bool may = rights_case_may(&p, &w.rows[i]);
            if (may != in_query[i])
                fail_msg("principal %d and row %d: row says %d, query says %d", k, i, may,
                         in_query[i]);
            seen += may;
            hidden += !may;
        }
        arena_free(a);
    }
    assert_true(seen > 1000 && hidden > 1000);
    db_close(w.db, false);
}

static struct principal person(const struct role_def *role) {
    struct principal p = {.role = role, .grants = (uint64_t)1 << PERM_CASE_READ};
    (void)snprintf(p.name, sizeof p.name, "zhang");
    return p;
}

static void test_stranger_neighbour_owner(void **state) {
    (void)state;
    const struct rights_case here = {"C1", "T1", "M1", "G1", "U1", "", false, false};
    const struct rights_case sealed = {"C1", "T1", "M1", "G1", "U1", "", true, false};
    const struct rights_case mine = {"C1", "T1", "M1", "G1", "U1", "zhang", true, false};
    const struct rights_case nowhere = {NULL, NULL, NULL, NULL, NULL, NULL, false, false};
    const struct principal stranger = {.anonymous = true};
    assert_false(rights_case_may(&stranger, &here));

    const struct role_def worker = {.name = "worker", .cases = SCOPE_OWN_CELLS};
    struct principal p = person(&worker);
    assert_false(rights_case_may(&p, &here)); /* no post */
    p.n_cells = 1;
    (void)snprintf(p.cells[0], sizeof p.cells[0], "G2");
    assert_false(rights_case_may(&p, &here)); /* the neighbouring cell */
    (void)snprintf(p.cells[0], sizeof p.cells[0], "G1");
    assert_true(rights_case_may(&p, &here));
    assert_false(rights_case_may(&p, &sealed));
    assert_true(rights_case_may(&p, &mine));
    assert_false(rights_case_may(&p, &nowhere));

    const struct role_def operator_ = {
        .name = "operator", .cases = SCOPE_AREA, .private_cases = true};
    p = person(&operator_);
    assert_true(rights_case_may(&p, &nowhere)); /* whole ledger */
    p.area_level = 2;
    (void)snprintf(p.area, sizeof p.area, "C2");
    assert_false(rights_case_may(&p, &here));
    assert_false(rights_case_may(&p, &nowhere));
    (void)snprintf(p.area, sizeof p.area, "C1");
    assert_true(rights_case_may(&p, &here));
    assert_true(rights_case_may(&p, &sealed));
    p.area_level = -1; /* an area that is no more */
    assert_false(rights_case_may(&p, &here));
    p.area_level = 1;
    assert_true(rights_case_may(&p, &here));
    p.grants = 0;
    assert_false(rights_case_may(&p, &here));

    const struct role_def department = {.name = "department", .cases = SCOPE_UNIT};
    p = person(&department);
    assert_false(rights_case_may(&p, &here)); /* no unit */
    (void)snprintf(p.unit, sizeof p.unit, "U2");
    assert_false(rights_case_may(&p, &here));
    (void)snprintf(p.unit, sizeof p.unit, "U1");
    assert_true(rights_case_may(&p, &here));
    p.area_level = 2;
    (void)snprintf(p.area, sizeof p.area, "C2");
    assert_false(rights_case_may(&p, &here)); /* the same unit's branch in another county */
}

/* A warning: for who reads warnings within the scope, whatever the right to private cases. */
static void test_a_task_goes_by_the_right_to_warnings(void **state) {
    (void)state;
    const struct rights_case task = {"C1", "T1", "M1", "G1", "U1", "", true, true};
    const struct principal stranger = {.anonymous = true,
                                       .grants = (uint64_t)1 << PERM_WARNING_READ};
    const struct role_def analyst = {.name = "analyst", .cases = SCOPE_AREA};
    const struct role_def mediator = {
        .name = "mediator", .cases = SCOPE_AREA, .private_cases = true};
    const struct role_def department = {.name = "department", .cases = SCOPE_UNIT};
    assert_false(rights_case_may(&stranger, &task));
    struct principal p = person(&mediator);
    assert_false(rights_case_may(&p, &task));
    p = person(&analyst);
    assert_false(rights_case_may(&p, &task)); /* without the right */
    p.grants |= (uint64_t)1 << PERM_WARNING_READ;
    assert_true(rights_case_may(&p, &task));
    p.area_level = 2;
    (void)snprintf(p.area, sizeof p.area, "C2");
    assert_false(rights_case_may(&p, &task)); /* the neighbour */
    p = person(&department);
    p.grants |= (uint64_t)1 << PERM_WARNING_READ;
    (void)snprintf(p.unit, sizeof p.unit, "U2");
    assert_false(rights_case_may(&p, &task));
    (void)snprintf(p.unit, sizeof p.unit, "U1");
    assert_true(rights_case_may(&p, &task)); /* the unit that must act */
}

static void test_administrators_are_apart(void **state) {
    (void)state;
    static const char *const accounts[] = {"account.read", "account.manage"};
    static const char *const both[] = {"account.manage", "audit.read"};
    static const char *const cases[] = {"session.manage", "case.read"};
    static const char *const staff[] = {"case.read", "case.move", "grid.read"};
    struct role_def roles[] = {
        {.name = "system", .grants = accounts, .n_grants = 2},
        {.name = "worker", .grants = staff, .n_grants = 3, .cases = SCOPE_AREA}};
    const struct pack_set set = {.roles = roles, .n_roles = 2};
    struct err err = {0};
    assert_int_equal(rights_check_roles(&set, &err), ERR_OK);
    roles[0].grants = both;
    assert_int_equal(rights_check_roles(&set, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "system"));
    roles[0].grants = cases;
    assert_int_equal(rights_check_roles(&set, &err), ERR_INVALID);
    roles[0].grants = accounts;
    roles[0].cases = SCOPE_ALL;
    assert_int_equal(rights_check_roles(&set, &err), ERR_INVALID);
}

static void test_permission_table(void **state) {
    (void)state;
    for (size_t i = 0; i < PERM_N; i++) {
        assert_true(permission_name((enum permission)i)[0] != '\0');
        assert_true(permission_title((enum permission)i).zh[0] != '\0');
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(permission_name((enum permission)i),
                                    permission_name((enum permission)k));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_and_row_agree),
        cmocka_unit_test(test_stranger_neighbour_owner),
        cmocka_unit_test(test_a_task_goes_by_the_right_to_warnings),
        cmocka_unit_test(test_administrators_are_apart),
        cmocka_unit_test(test_permission_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
