/* Conditions: one golden table run by C, by SQLite and through the canonical text; limits; memory
 * faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "expr/expr.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct table {
    struct arena *arena;
    const struct val *golden;
    struct expr_env env;
    const struct val *values; /* of the row under test */
    sqlite3 *db;              /* one table t with one row: the values of the row under test */
    char **columns;
};

static enum expr_type type_of(const char *name) {
    for (enum expr_type t = EXPR_BOOL; t <= EXPR_TIME; t++)
        if (strcmp(expr_type_name(t), name) == 0) return t;
    fail_msg("no type %s", name);
    return EXPR_MISSING;
}

static void value_from(const struct val *v, enum expr_type t, struct expr_value *out) {
    struct expr_value x = {.type = t};
    if (v == NULL) return;
    if (t == EXPR_BOOL) x.b = v->u.b;
    if (t == EXPR_INT) x.i = v->u.i;
    if (t == EXPR_DOUBLE) x.d = v->type == VAL_INT ? (double)v->u.i : v->u.d;
    if (t == EXPR_STRING) x.s = v->u.s;
    if (t == EXPR_TIME) assert_int_equal(rfc3339_parse(v->u.s, &x.i, NULL), ERR_OK);
    *out = x;
}

static void lookup(void *ctx, const struct expr_var *var, struct expr_value *out) {
    const struct table *t = ctx;
    value_from(val_get(t->values, var->name), var->type, out);
}

/* actor.* and input.* are not columns: they are bound. */
static const char *column(void *ctx, const struct expr_var *var) {
    const struct table *t = ctx;
    bool bound = strncmp(var->name, "actor.", 6) == 0 || strncmp(var->name, "input.", 6) == 0;
    return bound ? NULL : t->columns[var->slot];
}

static void bind(sqlite3_stmt *st, int at, const struct expr_value *v) {
    int rc = SQLITE_OK;
    switch (v->type) {
    case EXPR_MISSING:
        rc = sqlite3_bind_null(st, at);
        break;
    case EXPR_BOOL:
        rc = sqlite3_bind_int(st, at, v->b);
        break;
    case EXPR_DOUBLE:
        rc = sqlite3_bind_double(st, at, v->d);
        break;
    case EXPR_STRING:
        rc = sqlite3_bind_text(st, at, v->s, -1, SQLITE_TRANSIENT);
        break;
    default:
        rc = sqlite3_bind_int64(st, at, v->i);
        break;
    }
    assert_int_equal(rc, SQLITE_OK);
}

static void fill_row(struct table *t) {
    struct buf sql;
    buf_init(&sql, 1 << 16);
    buf_str(&sql, "INSERT INTO t VALUES (");
    for (size_t i = 0; i < t->env.n; i++) buf_str(&sql, i == 0 ? "?" : ",?");
    buf_str(&sql, ")");
    assert_int_equal(sqlite3_exec(t->db, "DELETE FROM t", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_prepare_v2(t->db, buf_text(&sql), -1, &st, NULL), SQLITE_OK);
    for (size_t i = 0; i < t->env.n; i++) {
        struct expr_value v = {.type = EXPR_MISSING};
        lookup(t, &t->env.vars[i], &v);
        bind(st, (int)i + 1, &v);
    }
    assert_int_equal(sqlite3_step(st), SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
    buf_deinit(&sql);
}

/* The condition as a WHERE clause: 1 when the row is found; it must also never be null. */
static bool run_sql(struct table *t, const struct expr *e) {
    struct buf sql;
    buf_init(&sql, 1 << 20);
    buf_str(&sql, "SELECT ");
    size_t n = 0;
    struct expr_value *params = ARENA_NEW(t->arena, struct expr_value, expr_n_params(e) + 1);
    assert_int_equal(expr_to_sql(e, column, lookup, t, 1, &sql, params, &n, NULL), ERR_OK);
    assert_true(n <= expr_n_params(e));
    buf_str(&sql, " FROM t");
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(t->db, buf_text(&sql), -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sqlite3_errmsg(t->db), buf_text(&sql));
    for (size_t i = 0; i < n; i++) bind(st, (int)i + 1, &params[i]);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_int_equal(sqlite3_column_type(st, 0), SQLITE_INTEGER);
    bool hit = sqlite3_column_int(st, 0) == 1;
    assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
    buf_deinit(&sql);
    return hit;
}

static void make_table(struct table *t) {
    static const char *const sql_types[] = {"", "INTEGER", "INTEGER", "REAL", "TEXT", "INTEGER"};
    struct buf sql;
    buf_init(&sql, 1 << 16);
    for (size_t i = 0; i < t->env.n; i++) {
        t->columns[i] = arena_printf(t->arena, "c%zu", i);
        buf_printf(&sql, "%sc%zu %s", i == 0 ? "CREATE TABLE t (" : ", ", i,
                   sql_types[t->env.vars[i].type]);
    }
    buf_str(&sql, ") STRICT");
    assert_int_equal(sqlite3_open(":memory:", &t->db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(t->db, buf_text(&sql), NULL, NULL, NULL), SQLITE_OK);
    buf_deinit(&sql);
}

static int setup(void **state) {
    static struct table t;
    struct buf text;
    struct err err;
    t = (struct table){.arena = arena_new(64u << 20)};
    buf_init(&text, 1 << 20);
    assert_int_equal(file_read(SOURCE_DIR "/tests/golden/expr.json", &text, &err), ERR_OK);
    if (json_parse(t.arena, text.p, text.n, &t.golden, &err) != ERR_OK) fail_msg("%s", err.detail);
    buf_deinit(&text);
    const struct val *vars = val_get(t.golden, "vars");
    struct expr_var *v = ARENA_NEW(t.arena, struct expr_var, vars->n);
    t.columns = ARENA_NEW(t.arena, char *, vars->n);
    for (size_t i = 0; i < vars->n; i++) {
        v[i].name = vars->u.map[i].key;
        v[i].type = type_of(vars->u.map[i].v.u.s);
        v[i].slot = (int)i;
    }
    t.env = (struct expr_env){.vars = v, .n = vars->n};
    make_table(&t);
    *state = &t;
    return 0;
}

static int teardown(void **state) {
    struct table *t = *state;
    assert_int_equal(sqlite3_close(t->db), SQLITE_OK);
    arena_free(t->arena);
    return 0;
}

static const struct expr *parse(struct table *t, const char *text) {
    const struct expr *e = NULL;
    struct err err;
    if (expr_parse(t->arena, text, "golden", 1, &t->env, &e, &err) != ERR_OK)
        fail_msg("%s: %s", text, err.detail);
    return e;
}

static void test_golden_rows(void **state) {
    struct table *t = *state;
    const struct val *rows = val_get(t->golden, "rows");
    assert_true(rows->n > 150);
    for (size_t i = 0; i < rows->n; i++) {
        const char *text = val_get(&rows->u.list[i], "expr")->u.s;
        bool want = val_get(&rows->u.list[i], "result")->u.b;
        t->values = val_get(&rows->u.list[i], "values");
        const struct expr *e = parse(t, text);
        if (expr_eval(e, lookup, t) != want) fail_msg("C, row %zu: %s", i, text);
        fill_row(t);
        if (run_sql(t, e) != want) fail_msg("SQL, row %zu: %s", i, text);
        struct buf canonical, again;
        buf_init(&canonical, 1 << 16);
        buf_init(&again, 1 << 16);
        expr_text(e, &canonical);
        const struct expr *e2 = parse(t, buf_text(&canonical));
        expr_text(e2, &again);
        assert_string_equal(buf_text(&canonical), buf_text(&again));
        if (expr_eval(e2, lookup, t) != want) fail_msg("text, row %zu: %s", i, text);
        buf_deinit(&canonical);
        buf_deinit(&again);
    }
    print_message("%zu rows by C, by SQL and by their canonical text\n", rows->n);
}

static void test_refused_by_name(void **state) {
    struct table *t = *state;
    const struct val *rows = val_get(t->golden, "refused");
    assert_true(rows->n > 50);
    for (size_t i = 0; i < rows->n; i++) {
        const char *text = val_get(&rows->u.list[i], "expr")->u.s;
        const char *says = val_get(&rows->u.list[i], "says")->u.s;
        const struct expr *e = NULL;
        struct err err;
        enum err_code rc =
            expr_parse(t->arena, text, "packs/x/processes/y.yaml", 14, &t->env, &e, &err);
        if (rc == ERR_OK) fail_msg("accepted: %s", text);
        if (strstr(err.detail, says) == NULL)
            fail_msg("%s\n  said   %s\n  wanted %s", text, err.detail, says);
        assert_ptr_equal(strstr(err.detail, "packs/x/processes/y.yaml:14: condition: "),
                         err.detail);
    }
}

static void test_limits(void **state) {
    struct table *t = *state;
    struct buf b;
    const struct expr *e = NULL;
    buf_init(&b, 1 << 16);
    buf_str(&b, "urgent");
    while (b.n + 10 <= EXPR_MAX_TEXT) buf_str(&b, " && urgent");
    assert_int_equal(expr_parse(t->arena, buf_text(&b), "x", 1, &t->env, &e, NULL), ERR_OK);
    while (b.n <= EXPR_MAX_TEXT) buf_char(&b, ' ');
    assert_int_equal(expr_parse(t->arena, buf_text(&b), "x", 1, &t->env, &e, NULL), ERR_LIMIT);
    buf_clear(&b);
    buf_str(&b, "returns in [0");
    for (int i = 1; i < EXPR_MAX_LIST; i++) buf_printf(&b, ",%d", i);
    size_t n = b.n;
    buf_char(&b, ']');
    assert_int_equal(expr_parse(t->arena, buf_text(&b), "x", 1, &t->env, &e, NULL), ERR_OK);
    b.n = n;
    buf_str(&b, ",256]");
    assert_int_equal(expr_parse(t->arena, buf_text(&b), "x", 1, &t->env, &e, NULL), ERR_LIMIT);
    buf_clear(&b);
    for (int i = 0; i < 40; i++) buf_str(&b, "urgent ? true : ");
    buf_str(&b, "false");
    assert_int_equal(expr_parse(t->arena, buf_text(&b), "x", 1, &t->env, &e, NULL), ERR_LIMIT);
    buf_clear(&b);
    buf_str(&b, "urgent");
    for (int i = 0; i < 40; i++) buf_str(&b, " == true");
    assert_int_equal(expr_parse(t->arena, buf_text(&b), "x", 1, &t->env, &e, NULL), ERR_LIMIT);
    buf_deinit(&b);
}

/* A condition nested in conditions must not grow beyond its text: each part is emitted once. */
static void test_sql_size(void **state) {
    struct table *t = *state;
    struct buf b, sql;
    buf_init(&b, 1 << 16);
    buf_init(&sql, 1 << 16);
    for (int i = 0; i < 15; i++) buf_char(&b, '(');
    buf_str(&b, "urgent");
    for (int i = 0; i < 15; i++) buf_str(&b, " ? private : urgent)");
    const struct expr *e = parse(t, buf_text(&b));
    struct expr_value params[64];
    size_t n = 0;
    assert_true(expr_n_params(e) <= 64);
    assert_int_equal(expr_to_sql(e, column, lookup, t, 1, &sql, params, &n, NULL), ERR_OK);
    assert_true(sql.n < 4096);
    buf_deinit(&b);
    buf_deinit(&sql);
}

static void wrong_type(void *ctx, const struct expr_var *var, struct expr_value *out) {
    (void)ctx;
    (void)var;
    *out = (struct expr_value){.type = EXPR_INT, .i = 1};
}

static void test_wrong_type_is_missing(void **state) {
    struct table *t = *state;
    assert_false(expr_eval(parse(t, "urgent"), wrong_type, NULL));
    assert_false(expr_eval(parse(t, "!urgent"), wrong_type, NULL));
    assert_false(expr_eval(parse(t, "state != \"a\""), wrong_type, NULL));
    assert_true(expr_eval(parse(t, "returns == 1"), wrong_type, NULL));
}

static void count_var(void *ctx, const struct expr_var *var) {
    size_t *n = ctx;
    *n += strlen(var->name);
}

static void test_each_var(void **state) {
    struct table *t = *state;
    size_t n = 0;
    expr_each_var(parse(t, "has(case.state) && (urgent ? state == handler : lon > 1.0)"), count_var,
                  &n);
    assert_int_equal(n, strlen("case.state") + strlen("urgent") + strlen("state") +
                            strlen("handler") + strlen("lon"));
    assert_true(expr_is_reserved("import"));
    assert_false(expr_is_reserved("imports"));
}

static void test_memory_faults(void **state) {
    struct table *t = *state;
    const char *text = "state in [\"a\", \"b\"] && !(urgent || has(case.state)) && lon < 2.0";
    long live = mem_live();
    for (long n = 0;; n++) {
        const struct expr *e = NULL;
        mem_fault_arm(n);
        struct arena *a = arena_new(1 << 20);
        enum err_code rc = a == NULL ? ERR_NOMEM : expr_parse(a, text, "x", 1, &t->env, &e, NULL);
        int fired = mem_fault_disarm();
        arena_free(a);
        assert_int_equal(mem_live(), live);
        assert_int_equal(rc, fired ? ERR_NOMEM : ERR_OK);
        if (!fired) break;
    }
    for (size_t max = 16;; max += 64) { /* an arena that runs dry at each place */
        const struct expr *e = NULL;
        struct arena *a = arena_new(max);
        enum err_code rc = expr_parse(a, text, "x", 1, &t->env, &e, NULL);
        arena_free(a);
        if (rc == ERR_OK) break;
        assert_int_equal(rc, ERR_NOMEM);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_rows),
        cmocka_unit_test(test_refused_by_name),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_sql_size),
        cmocka_unit_test(test_wrong_type_is_missing),
        cmocka_unit_test(test_each_var),
        cmocka_unit_test(test_memory_faults),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
