/* Any text as a condition: it is parsed or refused; what is parsed evaluates, becomes SQL, and its
 * canonical text parses to the same tree. */
#include "base/mem.h"
#include "expr/expr.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

static void lookup(void *ctx, const struct expr_var *var, struct expr_value *out) {
    const unsigned *mask = ctx;
    if (((*mask >> var->slot) & 1u) == 0) return;
    *out = (struct expr_value){.type = var->type, .b = true, .i = 2, .d = 2.0, .s = "a"};
}

static const char *column(void *ctx, const struct expr_var *var) {
    (void)ctx;
    return var->slot % 2 == 0 ? "c" : NULL;
}

static void check(struct arena *a, const struct expr_env *env, const struct expr *e) {
    struct buf text, again, sql;
    size_t n_params = 0;
    buf_init(&text, 1 << 20);
    buf_init(&again, 1 << 20);
    buf_init(&sql, 1 << 20);
    expr_text(e, &text);
    const struct expr *e2 = NULL;
    struct err err;
    enum err_code rc = expr_parse(a, buf_text(&text), "again", 1, env, &e2, &err);
    app_assert(rc == ERR_OK || (rc == ERR_LIMIT && text.n > EXPR_MAX_TEXT));
    struct expr_value *params = ARENA_NEW(a, struct expr_value, expr_n_params(e) + 1);
    app_assert(params != NULL);
    for (unsigned mask = 0; mask < 64; mask++) {
        bool holds = expr_eval(e, lookup, &mask);
        if (rc == ERR_OK) app_assert(expr_eval(e2, lookup, &mask) == holds);
        buf_clear(&sql);
        app_assert(expr_to_sql(e, column, lookup, &mask, 1, &sql, params, &n_params, NULL) ==
                   ERR_OK);
        app_assert(n_params <= expr_n_params(e));
    }
    if (rc == ERR_OK) {
        expr_text(e2, &again);
        app_assert(strcmp(buf_text(&text), buf_text(&again)) == 0);
    }
    buf_deinit(&text);
    buf_deinit(&again);
    buf_deinit(&sql);
}

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n) {
    static const struct expr_var vars[] = {
        {"s", EXPR_STRING, 0}, {"a.s", EXPR_STRING, 1}, {"i", EXPR_INT, 2},
        {"d", EXPR_DOUBLE, 3}, {"t", EXPR_TIME, 4},     {"b", EXPR_BOOL, 5},
    };
    static const struct expr_env env = {.vars = vars, .n = sizeof vars / sizeof *vars};
    struct arena *a = arena_new(32u << 20);
    char *text = mem_dup((const char *)p, n);
    app_assert(a != NULL && text != NULL);
    const struct expr *e = NULL;
    struct err err;
    if (expr_parse(a, text, "fuzz", 1, &env, &e, &err) == ERR_OK) check(a, &env, e);
    mem_free(text);
    arena_free(a);
    return 0;
}
