#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/civil.h"
#include "expr/node.h"

/* Binding strength: what binds looser than its place needs brackets. */
enum { BIND_IF = 1, BIND_OR, BIND_AND, BIND_CMP, BIND_NOT, BIND_ATOM };

static int strength(const struct expr *e) {
    switch (e->kind) {
    case NODE_IF:
        return BIND_IF;
    case NODE_OR:
        return BIND_OR;
    case NODE_AND:
        return BIND_AND;
    case NODE_CMP:
    case NODE_IN:
        return BIND_CMP;
    case NODE_NOT:
        return BIND_NOT;
    default:
        return BIND_ATOM;
    }
}

static void put_string(const char *s, struct buf *out) {
    buf_char(out, '"');
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

/* The shortest form that reads back to the same bits, always with a point or an exponent. */
static void put_double(double d, struct buf *out) {
    char text[40], plain[40];
    int digits = 1;
    do {
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, d);
    } while (strtod(text, NULL) != d && digits++ < 17);
    (void)snprintf(plain, sizeof plain, "%.6f", fabs(d) < 1e15 ? d : 0.0);
    buf_str(out, strtod(plain, NULL) == d ? plain : text);
}

static void put_value(const struct expr_value *v, struct buf *out) {
    char at[32];
    switch (v->type) {
    case EXPR_BOOL:
        buf_str(out, v->b ? "true" : "false");
        return;
    case EXPR_INT:
        buf_printf(out, "%lld", (long long)v->i);
        return;
    case EXPR_DOUBLE:
        put_double(v->d, out);
        return;
    case EXPR_STRING:
        put_string(v->s, out);
        return;
    case EXPR_TIME:
        rfc3339_format(v->i, at);
        buf_printf(out, "timestamp(\"%s\")", at);
        return;
    case EXPR_MISSING:
        return;
    }
}

static void put(const struct expr *e, int need, struct buf *out);

static void put_joined(const struct expr *e, const char *op, int need, struct buf *out) {
    for (size_t i = 0; i < e->n_kids; i++) {
        if (i > 0) buf_str(out, op);
        put(e->kids[i], need, out);
    }
}

static void put_node(const struct expr *e, struct buf *out) {
    static const char *const ops[] = {" == ", " != ", " < ", " <= ", " > ", " >= "};
    switch (e->kind) {
    case NODE_CONST:
        put_value(&e->value, out);
        return;
    case NODE_VAR:
        buf_str(out, e->var->name);
        return;
    case NODE_HAS:
        buf_printf(out, "has(%s)", e->var->name);
        return;
    case NODE_NOT:
        buf_char(out, '!');
        put(e->kids[0], BIND_NOT, out);
        return;
    case NODE_AND:
        put_joined(e, " && ", BIND_CMP, out);
        return;
    case NODE_OR:
        put_joined(e, " || ", BIND_AND, out);
        return;
    case NODE_CMP: /* left to right, so that only the right side needs brackets */
        put(e->kids[0], BIND_CMP, out);
        buf_str(out, ops[e->op]);
        put(e->kids[1], BIND_NOT, out);
        return;
    case NODE_IN:
        put(e->kids[0], BIND_CMP, out);
        for (size_t i = 0; i < e->n_items; i++) {
            buf_str(out, i == 0 ? " in [" : ", ");
            put_value(&e->items[i], out);
        }
        buf_char(out, ']');
        return;
    case NODE_IF:
        put(e->kids[0], BIND_OR, out);
        buf_str(out, " ? ");
        put(e->kids[1], BIND_OR, out);
        buf_str(out, " : ");
        put(e->kids[2], BIND_IF, out);
        return;
    }
}

static void put(const struct expr *e, int need, struct buf *out) {
    bool bracket = strength(e) < need;
    if (bracket) buf_char(out, '(');
    put_node(e, out);
    if (bracket) buf_char(out, ')');
}

void expr_text(const struct expr *e, struct buf *out) { put(e, BIND_IF, out); }
