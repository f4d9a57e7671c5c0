/* expr/lex.h - words of a condition, private to src/expr. */
#ifndef EXPR_LEX_H
#define EXPR_LEX_H
#include "expr/expr.h"

enum tok_kind {
    TOK_END,
    TOK_NAME,
    TOK_INT,
    TOK_DOUBLE,
    TOK_STRING,
    TOK_OP /* one of the operators and brackets; op holds its text */
};
struct tok {
    enum tok_kind kind;
    size_t pos, n; /* bytes of the text */
    char op[3];
    int64_t i;
    double d;
    const char *s; /* decoded string, or the name */
};
struct lexer {
    struct arena *arena;
    const char *text, *name;
    int line;
    size_t pos, n;
    struct tok tok; /* the present word */
    struct err *err;
};

/* Fill the error with "name:line: condition: <text> (at character n)". lex_fail also gives the code
 * back. */
void lex_say(struct lexer *x, enum err_code code, size_t pos, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
#define lex_fail(x, code, ...) (lex_say((x), (code), __VA_ARGS__), (code))
/* Move to the next word. */
enum err_code lex_next(struct lexer *x) NODISCARD;
bool lex_is(const struct lexer *x, const char *op);
#endif
