#include <string.h>

#include "base/civil.h"
#include "base/val.h"
#include "expr/lex.h"
#include "expr/node.h"

/* A growing list of operands while a chain is read. */
struct operands {
    const struct expr **kid;
    size_t n, cap;
};

struct parser {
    struct lexer x;
    const struct expr_env *env;
    int depth; /* of brackets and choices being read, at most EXPR_MAX_DEPTH */
};

const char *expr_type_name(enum expr_type t) {
    static const char *const names[] = {"missing", "bool", "int", "double", "string", "timestamp"};
    return names[t];
}

static const char *a_type(enum expr_type t) {
    static const char *const names[] = {"nothing",  "a bool",   "an int",
                                        "a double", "a string", "a timestamp"};
    return names[t];
}

bool expr_is_reserved(const char *word) {
    static const char *const words[] = {"as",   "break",     "const", "continue", "else",   "false",
                                        "for",  "function",  "if",    "import",   "in",     "let",
                                        "loop", "namespace", "null",  "package",  "return", "true",
                                        "var",  "void",      "while", NULL};
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0) return true;
    return false;
}

#define no_memory(p) ((void)err_fail((p)->x.err, ERR_NOMEM, "condition"), ERR_NOMEM)

static enum err_code node(struct parser *p, enum node_kind kind, enum expr_type type, size_t pos,
                          const struct expr *const *kids, size_t n, struct expr **out) {
    struct expr *e = ARENA_NEW(p->x.arena, struct expr, 1);
    if (e == NULL) return no_memory(p);
    *e = (struct expr){.kind = kind, .type = type, .depth = 1, .n_kids = n};
    if (n > 0) {
        e->kids = ARENA_NEW(p->x.arena, const struct expr *, n);
        if (e->kids == NULL) return no_memory(p);
    }
    for (size_t i = 0; i < n; i++) {
        e->kids[i] = kids[i];
        if (kids[i]->depth >= e->depth) e->depth = kids[i]->depth + 1;
    }
    if (e->depth > EXPR_MAX_DEPTH)
        return lex_fail(&p->x, ERR_LIMIT, pos, "nested deeper than %d", EXPR_MAX_DEPTH);
    *out = e;
    return ERR_OK;
}

static enum err_code constant(struct parser *p, size_t pos, struct expr_value v,
                              const struct expr **out) {
    struct expr *e = NULL;
    TRY(node(p, NODE_CONST, v.type, pos, NULL, 0, &e));
    e->value = v;
    *out = e;
    return ERR_OK;
}

static enum err_code expect(struct parser *p, const char *op, const char *after) {
    if (lex_is(&p->x, op)) return lex_next(&p->x);
    return lex_fail(&p->x, ERR_SYNTAX, p->x.tok.pos, "\"%s\" is missing after %s", op, after);
}

/* ---- names and calls */

static const struct expr_var *find_var(const struct expr_env *env, const char *name) {
    for (size_t i = 0; i < env->n; i++)
        if (strcmp(env->vars[i].name, name) == 0) return &env->vars[i];
    return NULL;
}

static enum err_code unknown_name(struct parser *p, size_t pos, const char *name) {
    if (strcmp(name, "null") == 0)
        return lex_fail(&p->x, ERR_SYNTAX, pos, "null is not supported: write has(...)");
    if (strcmp(name, "and") == 0 || strcmp(name, "or") == 0 || strcmp(name, "not") == 0)
        return lex_fail(&p->x, ERR_SYNTAX, pos, "\"%s\" is not supported: write &&, || or !", name);
    if (expr_is_reserved(name))
        return lex_fail(&p->x, ERR_SYNTAX, pos, "\"%s\" is a reserved word", name);
    const char **names = ARENA_NEW(p->x.arena, const char *, p->env->n + 1);
    if (names == NULL) return no_memory(p);
    for (size_t i = 0; i < p->env->n; i++) names[i] = p->env->vars[i].name;
    const char *near = strlen(name) <= 64 ? val_nearest(name, names) : NULL;
    if (near != NULL)
        return lex_fail(&p->x, ERR_INVALID, pos, "\"%.80s\" is not known; did you mean \"%s\"?",
                        name, near);
    return lex_fail(&p->x, ERR_INVALID, pos, "\"%.80s\" is not known", name);
}

/* Reads "a.b.c" from the present name; *last points at its last part. */
static enum err_code dotted(struct parser *p, const char **out, const char **last) {
    const char *name = p->x.tok.s;
    *last = name;
    TRY(lex_next(&p->x));
    while (lex_is(&p->x, ".")) {
        TRY(lex_next(&p->x));
        if (p->x.tok.kind != TOK_NAME)
            return lex_fail(&p->x, ERR_SYNTAX, p->x.tok.pos, "a name is missing after \".\"");
        *last = p->x.tok.s;
        name = arena_printf(p->x.arena, "%s.%s", name, p->x.tok.s);
        if (name == NULL) return no_memory(p);
        TRY(lex_next(&p->x));
    }
    *out = name;
    return ERR_OK;
}

static enum err_code parse_has(struct parser *p, const struct expr **out) {
    const char *name = "", *last = "";
    TRY(lex_next(&p->x));
    size_t pos = p->x.tok.pos;
    if (p->x.tok.kind != TOK_NAME)
        return lex_fail(&p->x, ERR_SYNTAX, pos, "has() takes a dotted name");
    TRY(dotted(p, &name, &last));
    const struct expr_var *var = find_var(p->env, name);
    if (var == NULL) return unknown_name(p, pos, name);
    if (last == name)
        return lex_fail(&p->x, ERR_INVALID, pos,
                        "has() takes a dotted name, such as has(case.%.60s)", name);
    TRY(expect(p, ")", "has(name"));
    struct expr *e = NULL;
    TRY(node(p, NODE_HAS, EXPR_BOOL, pos, NULL, 0, &e));
    e->var = var;
    *out = e;
    return ERR_OK;
}

static enum err_code parse_timestamp(struct parser *p, const struct expr **out) {
    TRY(lex_next(&p->x));
    size_t pos = p->x.tok.pos;
    if (p->x.tok.kind != TOK_STRING)
        return lex_fail(&p->x, ERR_SYNTAX, pos,
                        "timestamp() takes a string such as \"2026-01-02T03:04:05Z\"");
    struct expr_value v = {.type = EXPR_TIME};
    struct err why;
    if (rfc3339_parse(p->x.tok.s, &v.i, &why) != ERR_OK)
        return lex_fail(&p->x, ERR_INVALID, pos, "\"%.40s\" is no RFC 3339 time", p->x.tok.s);
    TRY(lex_next(&p->x));
    TRY(expect(p, ")", "timestamp(\"...\""));
    return constant(p, pos, v, out);
}

static enum err_code parse_name(struct parser *p, const struct expr **out) {
    size_t pos = p->x.tok.pos;
    const char *name = "", *last = "";
    TRY(dotted(p, &name, &last));
    if (lex_is(&p->x, "(")) {
        if (strcmp(name, "has") == 0) return parse_has(p, out);
        if (strcmp(name, "timestamp") == 0) return parse_timestamp(p, out);
        return lex_fail(&p->x, ERR_SYNTAX, pos, "function \"%.60s\" is not supported", last);
    }
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
        return constant(p, pos, (struct expr_value){.type = EXPR_BOOL, .b = name[0] == 't'}, out);
    const struct expr_var *var = find_var(p->env, name);
    if (var == NULL) return unknown_name(p, pos, name);
    struct expr *e = NULL;
    TRY(node(p, NODE_VAR, var->type, pos, NULL, 0, &e));
    e->var = var;
    *out = e;
    return ERR_OK;
}

/* ---- constants, brackets, negation */

static enum err_code parse_choice(struct parser *p, const struct expr **out);

/* Take a constant at the present word; *found is false, with nothing read, when there is none. */
static enum err_code parse_literal(struct parser *p, struct expr_value *v, bool *found) {
    const struct tok *t = &p->x.tok;
    bool minus = lex_is(&p->x, "-");
    size_t pos = t->pos;
    *found = true;
    if (minus) {
        TRY(lex_next(&p->x));
        if (t->kind != TOK_INT && t->kind != TOK_DOUBLE)
            return lex_fail(&p->x, ERR_SYNTAX, pos,
                            "operator \"-\" is not supported but before a number");
    }
    if (t->kind == TOK_INT) {
        *v = (struct expr_value){.type = EXPR_INT, .i = minus ? -t->i : t->i};
    } else if (t->kind == TOK_DOUBLE) {
        *v = (struct expr_value){.type = EXPR_DOUBLE, .d = minus ? -t->d : t->d};
    } else if (t->kind == TOK_STRING) {
        *v = (struct expr_value){.type = EXPR_STRING, .s = t->s};
    } else {
        *found = false;
        return ERR_OK;
    }
    return lex_next(&p->x);
}

/* What CEL would allow after a value and this does not: member calls, fields, indexes. */
static enum err_code no_member(struct parser *p) {
    size_t pos = p->x.tok.pos;
    if (lex_is(&p->x, "["))
        return lex_fail(&p->x, ERR_SYNTAX, pos, "an index [...] is not supported");
    if (lex_is(&p->x, "{"))
        return lex_fail(&p->x, ERR_SYNTAX, pos, "a message {...} is not supported");
    if (!lex_is(&p->x, ".")) return ERR_OK;
    TRY(lex_next(&p->x));
    const char *name = p->x.tok.kind == TOK_NAME ? p->x.tok.s : "";
    TRY(lex_next(&p->x));
    return lex_fail(&p->x, ERR_SYNTAX, pos, "%s \"%.60s\" is not supported",
                    lex_is(&p->x, "(") ? "function" : "field", name);
}

static enum err_code parse_primary(struct parser *p, const struct expr **out) {
    size_t pos = p->x.tok.pos;
    struct expr_value v;
    bool found;
    TRY(parse_literal(p, &v, &found));
    if (found) {
        TRY(constant(p, pos, v, out));
    } else if (p->x.tok.kind == TOK_NAME) {
        TRY(parse_name(p, out));
    } else if (lex_is(&p->x, "(")) {
        TRY(lex_next(&p->x));
        TRY(parse_choice(p, out));
        TRY(expect(p, ")", "the bracketed condition"));
    } else if (lex_is(&p->x, "[")) {
        return lex_fail(&p->x, ERR_SYNTAX, pos, "a list stands only after \"in\"");
    } else if (lex_is(&p->x, "{")) {
        return lex_fail(&p->x, ERR_SYNTAX, pos, "a map {...} is not supported");
    } else if (p->x.tok.kind == TOK_END) {
        return lex_fail(&p->x, ERR_SYNTAX, pos, "the condition ends where a value is missing");
    } else {
        return lex_fail(&p->x, ERR_SYNTAX, pos, "a value is missing before \"%s\"", p->x.tok.op);
    }
    return no_member(p);
}

static enum err_code parse_unary(struct parser *p, const struct expr **out) {
    size_t pos = p->x.tok.pos, n_not = 0;
    for (; lex_is(&p->x, "!"); n_not++) TRY(lex_next(&p->x));
    TRY(parse_primary(p, out));
    for (; n_not > 0; n_not--) {
        struct expr *e = NULL;
        if ((*out)->type != EXPR_BOOL)
            return lex_fail(&p->x, ERR_INVALID, pos, "\"!\" needs a bool, not %s",
                            a_type((*out)->type));
        TRY(node(p, NODE_NOT, EXPR_BOOL, pos, out, 1, &e));
        *out = e;
    }
    return ERR_OK;
}

/* ---- comparisons */

static enum err_code parse_list(struct parser *p, const struct expr *of, struct expr *e) {
    if (!lex_is(&p->x, "["))
        return lex_fail(&p->x, ERR_SYNTAX, p->x.tok.pos, "\"in\" needs a list [...] of constants");
    struct expr_value *items = ARENA_NEW(p->x.arena, struct expr_value, EXPR_MAX_LIST);
    if (items == NULL) return no_memory(p);
    size_t n = 0;
    do {
        TRY(lex_next(&p->x));
        size_t pos = p->x.tok.pos;
        bool found;
        if (n == EXPR_MAX_LIST)
            return lex_fail(&p->x, ERR_LIMIT, pos, "a list has at most %d values", EXPR_MAX_LIST);
        TRY(parse_literal(p, &items[n], &found));
        if (!found) return lex_fail(&p->x, ERR_SYNTAX, pos, "a list holds constants, at least one");
        if (items[n].type != of->type)
            return lex_fail(&p->x, ERR_INVALID, pos, "%s stands in a list for %s",
                            a_type(items[n].type), a_type(of->type));
        n++;
    } while (lex_is(&p->x, ","));
    e->items = items;
    e->n_items = n;
    return expect(p, "]", "the list");
}

static enum err_code parse_in(struct parser *p, size_t pos, const struct expr **side) {
    const struct expr *of = *side;
    if (of->type != EXPR_STRING && of->type != EXPR_INT)
        return lex_fail(&p->x, ERR_INVALID, pos, "\"in\" is for a string or an int, not %s",
                        a_type(of->type));
    struct expr *e = NULL;
    TRY(lex_next(&p->x));
    TRY(node(p, NODE_IN, EXPR_BOOL, pos, &of, 1, &e));
    TRY(parse_list(p, of, e));
    *side = e;
    return ERR_OK;
}

static enum err_code check_types(struct parser *p, size_t pos, const char *op, const struct expr *a,
                                 const struct expr *b) {
    if (a->type != b->type) {
        bool numbers = (a->type == EXPR_INT || a->type == EXPR_DOUBLE) &&
                       (b->type == EXPR_INT || b->type == EXPR_DOUBLE);
        return lex_fail(&p->x, ERR_INVALID, pos, "\"%s\" compares %s with %s%s", op,
                        a_type(a->type), a_type(b->type),
                        numbers ? ": a double is written with a point, as 1.0" : "");
    }
    if (op[0] == '=' || op[0] == '!') return ERR_OK;
    if (a->type == EXPR_STRING)
        return lex_fail(&p->x, ERR_INVALID, pos, "string order (\"%s\") is not supported", op);
    if (a->type == EXPR_BOOL)
        return lex_fail(&p->x, ERR_INVALID, pos, "\"%s\" is not for bools", op);
    return ERR_OK;
}

static enum err_code parse_relation(struct parser *p, const struct expr **out) {
    static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">="}; /* as enum cmp_op */
    static const char *const arithmetic[] = {"+", "-", "*", "/", "%"};
    const struct expr *side = NULL;
    TRY(parse_unary(p, &side));
    for (;;) {
        size_t pos = p->x.tok.pos, op = 0;
        for (size_t i = 0; i < sizeof arithmetic / sizeof *arithmetic; i++)
            if (lex_is(&p->x, arithmetic[i]))
                return lex_fail(&p->x, ERR_SYNTAX, pos, "operator \"%s\" is not supported",
                                arithmetic[i]);
        if (p->x.tok.kind == TOK_NAME && strcmp(p->x.tok.s, "in") == 0) {
            TRY(parse_in(p, pos, &side));
            continue;
        }
        while (op < 6 && !lex_is(&p->x, ops[op])) op++;
        if (op == 6) break;
        const struct expr *kids[2] = {side, NULL};
        struct expr *e = NULL;
        TRY(lex_next(&p->x));
        TRY(parse_unary(p, &kids[1]));
        TRY(check_types(p, pos, ops[op], kids[0], kids[1]));
        TRY(node(p, NODE_CMP, EXPR_BOOL, pos, kids, 2, &e));
        e->op = (enum cmp_op)op;
        side = e;
    }
    *out = side;
    return ERR_OK;
}

/* ---- && || ?: */

static enum err_code operands_add(struct parser *p, struct operands *list, const struct expr *e) {
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? 8 : 2 * list->cap;
        const struct expr **kid = ARENA_NEW(p->x.arena, const struct expr *, cap);
        if (kid == NULL) return no_memory(p);
        for (size_t i = 0; i < list->n; i++) kid[i] = list->kid[i];
        list->kid = kid;
        list->cap = cap;
    }
    list->kid[list->n++] = e;
    return ERR_OK;
}

/* A chain of one operator: && binds closer than ||. */
static enum err_code parse_chain(struct parser *p, bool is_or, const struct expr **out) {
    const char *op = is_or ? "||" : "&&";
    struct operands list = {0};
    size_t first = p->x.tok.pos;
    for (;;) {
        const struct expr *e = NULL;
        size_t pos = p->x.tok.pos;
        if (is_or)
            TRY(parse_chain(p, false, &e));
        else
            TRY(parse_relation(p, &e));
        bool more = lex_is(&p->x, op);
        if ((more || list.n > 0) && e->type != EXPR_BOOL)
            return lex_fail(&p->x, ERR_INVALID, pos, "\"%s\" needs a bool, not %s", op,
                            a_type(e->type));
        TRY(operands_add(p, &list, e));
        if (!more) break;
        TRY(lex_next(&p->x));
    }
    if (list.n == 1) {
        *out = list.kid[0];
        return ERR_OK;
    }
    struct expr *e = NULL;
    TRY(node(p, is_or ? NODE_OR : NODE_AND, EXPR_BOOL, first, list.kid, list.n, &e));
    *out = e;
    return ERR_OK;
}

static enum err_code parse_branches(struct parser *p, size_t pos, const struct expr *cond,
                                    const struct expr **out) {
    const struct expr *kids[3] = {cond, NULL, NULL};
    if (cond->type != EXPR_BOOL)
        return lex_fail(&p->x, ERR_INVALID, pos, "\"?\" needs a bool before it, not %s",
                        a_type(cond->type));
    TRY(lex_next(&p->x));
    TRY(parse_chain(p, true, &kids[1]));
    TRY(expect(p, ":", "the first choice"));
    TRY(parse_choice(p, &kids[2]));
    if (kids[1]->type != kids[2]->type)
        return lex_fail(&p->x, ERR_INVALID, pos, "\"?:\" chooses between %s and %s",
                        a_type(kids[1]->type), a_type(kids[2]->type));
    struct expr *e = NULL;
    TRY(node(p, NODE_IF, kids[1]->type, pos, kids, 3, &e));
    *out = e;
    return ERR_OK;
}

static enum err_code parse_choice(struct parser *p, const struct expr **out) {
    if (++p->depth > EXPR_MAX_DEPTH)
        return lex_fail(&p->x, ERR_LIMIT, p->x.tok.pos, "nested deeper than %d", EXPR_MAX_DEPTH);
    const struct expr *e = NULL;
    TRY(parse_chain(p, true, &e));
    if (lex_is(&p->x, "?"))
        TRY(parse_branches(p, p->x.tok.pos, e, out));
    else
        *out = e;
    p->depth--;
    return ERR_OK;
}

enum err_code expr_parse(struct arena *a, const char *text, const char *name, int line,
                         const struct expr_env *env, const struct expr **out, struct err *err) {
    struct parser p = {
        .x = {.arena = a, .text = text, .name = name, .line = line, .n = strlen(text), .err = err},
        .env = env};
    if (p.x.n > EXPR_MAX_TEXT)
        return lex_fail(&p.x, ERR_LIMIT, 0, "longer than %d bytes", EXPR_MAX_TEXT);
    const struct expr *e = NULL;
    TRY(lex_next(&p.x));
    TRY(parse_choice(&p, &e));
    if (p.x.tok.kind != TOK_END)
        return lex_fail(&p.x, ERR_SYNTAX, p.x.tok.pos,
                        "the condition should end here, or an operator is missing");
    if (e->type != EXPR_BOOL)
        return lex_fail(&p.x, ERR_INVALID, 0, "the result is %s, not a bool", a_type(e->type));
    *out = e;
    return ERR_OK;
}
