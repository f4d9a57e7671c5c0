#include <string.h>

#include "expr/node.h"

struct run {
    expr_lookup *lookup;
    void *ctx;
};

static void value_of(const struct run *r, const struct expr_var *var, struct expr_value *out) {
    *out = (struct expr_value){.type = EXPR_MISSING};
    r->lookup(r->ctx, var, out);
    if (out->type != var->type || (out->type == EXPR_STRING && out->s == NULL))
        *out = (struct expr_value){.type = EXPR_MISSING};
}

static struct expr_value truth(bool b) { return (struct expr_value){.type = EXPR_BOOL, .b = b}; }

/* -1, 0, 1 as a < b, a == b, a > b; only equality means something for strings and bools. */
static int order(const struct expr_value *a, const struct expr_value *b) {
    switch (a->type) {
    case EXPR_BOOL:
        return (a->b > b->b) - (a->b < b->b);
    case EXPR_DOUBLE:
        return (a->d > b->d) - (a->d < b->d);
    case EXPR_STRING:
        return strcmp(a->s, b->s);
    default:
        return (a->i > b->i) - (a->i < b->i);
    }
}

static bool compare(enum cmp_op op, const struct expr_value *a, const struct expr_value *b) {
    int o = order(a, b);
    switch (op) {
    case CMP_EQ:
        return o == 0;
    case CMP_NE:
        return o != 0;
    case CMP_LT:
        return o < 0;
    case CMP_LE:
        return o <= 0;
    case CMP_GT:
        return o > 0;
    default:
        return o >= 0;
    }
}

static void eval(const struct run *r, const struct expr *e, struct expr_value *out);

/* && and || of any number of operands: one that decides ends it; else one that is missing makes it
 * missing. */
static void eval_chain(const struct run *r, const struct expr *e, struct expr_value *out) {
    bool decides = e->kind == NODE_OR, missing = false;
    for (size_t i = 0; i < e->n_kids; i++) {
        struct expr_value v;
        eval(r, e->kids[i], &v);
        if (v.type == EXPR_MISSING) {
            missing = true;
        } else if (v.b == decides) {
            *out = v;
            return;
        }
    }
    *out = truth(!decides);
    if (missing) out->type = EXPR_MISSING;
}

static void eval_in(const struct run *r, const struct expr *e, struct expr_value *out) {
    struct expr_value v;
    eval(r, e->kids[0], &v);
    *out = v;
    if (v.type == EXPR_MISSING) return;
    bool hit = false;
    for (size_t i = 0; i < e->n_items && !hit; i++) hit = order(&v, &e->items[i]) == 0;
    *out = truth(hit);
}

static void eval(const struct run *r, const struct expr *e, struct expr_value *out) {
    struct expr_value a, b;
    switch (e->kind) {
    case NODE_CONST:
        *out = e->value;
        return;
    case NODE_VAR:
        value_of(r, e->var, out);
        return;
    case NODE_HAS:
        value_of(r, e->var, &a);
        *out = truth(a.type != EXPR_MISSING);
        return;
    case NODE_NOT:
        eval(r, e->kids[0], out);
        if (out->type != EXPR_MISSING) out->b = !out->b;
        return;
    case NODE_AND:
    case NODE_OR:
        eval_chain(r, e, out);
        return;
    case NODE_IN:
        eval_in(r, e, out);
        return;
    case NODE_CMP:
        eval(r, e->kids[0], &a);
        eval(r, e->kids[1], &b);
        *out = (struct expr_value){.type = EXPR_MISSING};
        if (a.type != EXPR_MISSING && b.type != EXPR_MISSING) *out = truth(compare(e->op, &a, &b));
        return;
    case NODE_IF:
        eval(r, e->kids[0], &a);
        *out = a;
        if (a.type != EXPR_MISSING) eval(r, e->kids[a.b ? 1 : 2], out);
        return;
    }
}

bool expr_eval(const struct expr *e, expr_lookup *lookup, void *ctx) {
    struct run r = {.lookup = lookup, .ctx = ctx};
    struct expr_value v;
    eval(&r, e, &v);
    return v.type == EXPR_BOOL && v.b;
}

void expr_each_var(const struct expr *e, void (*fn)(void *ctx, const struct expr_var *var),
                   void *ctx) {
    if (e->var != NULL) fn(ctx, e->var);
    for (size_t i = 0; i < e->n_kids; i++) expr_each_var(e->kids[i], fn, ctx);
}
