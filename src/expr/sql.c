#include "expr/node.h"

struct to_sql {
    expr_column *column;
    expr_lookup *lookup;
    void *ctx;
    int first;
    struct buf *sql;
    struct expr_value *params;
    size_t n;
};

size_t expr_n_params(const struct expr *e) {
    size_t n = e->n_items;
    if (e->kind == NODE_CONST) n = 1;
    if (e->kind == NODE_VAR) n = 1;
    for (size_t i = 0; i < e->n_kids; i++) n += expr_n_params(e->kids[i]);
    return n;
}

static void bind(struct to_sql *s, const struct expr_value *v) {
    buf_printf(s->sql, "?%d", s->first + (int)s->n);
    s->params[s->n++] = *v;
}

static struct expr_value look_up(struct to_sql *s, const struct expr_var *var) {
    struct expr_value v = {.type = EXPR_MISSING};
    s->lookup(s->ctx, var, &v);
    if (v.type != var->type || (v.type == EXPR_STRING && v.s == NULL))
        v = (struct expr_value){.type = EXPR_MISSING};
    return v;
}

static void emit_const(struct to_sql *s, const struct expr_value *v) {
    if (v->type == EXPR_BOOL)
        buf_str(s->sql, v->b ? "TRUE" : "FALSE");
    else if (v->type == EXPR_MISSING)
        buf_str(s->sql, "NULL");
    else
        bind(s, v);
}

static void emit_var(struct to_sql *s, const struct expr_var *var) {
    const char *column = s->column(s->ctx, var);
    if (column == NULL) {
        struct expr_value v = look_up(s, var);
        emit_const(s, &v);
    } else if (var->type == EXPR_BOOL) {
        struct expr_value one = {.type = EXPR_BOOL, .b = true};
        buf_printf(s->sql, "(%s = ", column);
        bind(s, &one);
        buf_char(s->sql, ')');
    } else {
        buf_str(s->sql, column);
    }
}

static void emit_has(struct to_sql *s, const struct expr_var *var) {
    const char *column = s->column(s->ctx, var);
    if (column != NULL)
        buf_printf(s->sql, "(%s IS NOT NULL)", column);
    else
        buf_str(s->sql, look_up(s, var).type == EXPR_MISSING ? "FALSE" : "TRUE");
}

static void emit(struct to_sql *s, const struct expr *e);

static void emit_chain(struct to_sql *s, const struct expr *e) {
    for (size_t i = 0; i < e->n_kids; i++) {
        buf_str(s->sql, i == 0 ? "(" : e->kind == NODE_OR ? " OR " : " AND ");
        emit(s, e->kids[i]);
    }
    buf_char(s->sql, ')');
}

static void emit_in(struct to_sql *s, const struct expr *e) {
    buf_char(s->sql, '(');
    emit(s, e->kids[0]);
    for (size_t i = 0; i < e->n_items; i++) {
        buf_str(s->sql, i == 0 ? " IN (" : ", ");
        bind(s, &e->items[i]);
    }
    buf_str(s->sql, "))");
}

static void emit_cmp(struct to_sql *s, const struct expr *e) {
    static const char *const ops[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};
    buf_char(s->sql, '(');
    emit(s, e->kids[0]);
    buf_str(s->sql, ops[e->op]);
    emit(s, e->kids[1]);
    buf_char(s->sql, ')');
}

/* CASE x WHEN ... gives NULL for an unknown condition; WHEN x ... ELSE would take the second
 * choice. */
static void emit_if(struct to_sql *s, const struct expr *e) {
    buf_str(s->sql, "(CASE ");
    emit(s, e->kids[0]);
    buf_str(s->sql, " WHEN TRUE THEN ");
    emit(s, e->kids[1]);
    buf_str(s->sql, " WHEN FALSE THEN ");
    emit(s, e->kids[2]);
    buf_str(s->sql, " END)");
}

static void emit(struct to_sql *s, const struct expr *e) {
    switch (e->kind) {
    case NODE_CONST:
        emit_const(s, &e->value);
        return;
    case NODE_VAR:
        emit_var(s, e->var);
        return;
    case NODE_HAS:
        emit_has(s, e->var);
        return;
    case NODE_NOT:
        buf_str(s->sql, "(NOT ");
        emit(s, e->kids[0]);
        buf_char(s->sql, ')');
        return;
    case NODE_AND:
    case NODE_OR:
        emit_chain(s, e);
        return;
    case NODE_IN:
        emit_in(s, e);
        return;
    case NODE_CMP:
        emit_cmp(s, e);
        return;
    case NODE_IF:
        emit_if(s, e);
        return;
    }
}

enum err_code expr_to_sql(const struct expr *e, expr_column *column, expr_lookup *lookup, void *ctx,
                          int first, struct buf *sql, struct expr_value *params, size_t *n_params,
                          struct err *err) {
    struct to_sql s = {.column = column,
                       .lookup = lookup,
                       .ctx = ctx,
                       .first = first,
                       .sql = sql,
                       .params = params};
    buf_str(sql, "coalesce(");
    emit(&s, e);
    buf_str(sql, ", FALSE)");
    *n_params = s.n;
    return buf_check(sql, err);
}
