/* expr/expr.h - conditions of packs: a strict subset of CEL, parsed and type-checked once, then
 * evaluated in C or as SQL.
 *
 * Grammar (precedence as in CEL, loosest first):  c ? a : b   ||   &&   == != < <= > >= in   !   (
 * ) Values: bool, int (|i| <= 2^53), double, string ("..." or '...'), timestamp("RFC 3339 text"),
 * names, has(a.b).
 * - == and != compare two values of one type; < <= > >= are for int, double and timestamp, never
 * mixed, never for strings.
 * - `x in [v, ...]`: x is a string or int, the list is one to 256 constants of that type.
 * - There is no arithmetic, no null, no regular expression, no string order, no function but has()
 * and timestamp(): what CEL has and this has not is refused by name ("function "matches" is not
 * supported").
 * - has() takes a dotted name, as CEL demands: has(case.handler).
 *
 * A missing value (absent or null) makes what it stands in unknown: a comparison or `in` with it,
 * its negation, a choice whose condition it is. `&&` is false when any operand is false, `||` true
 * when any operand is true, else unknown when any operand is unknown; has() is never unknown. An
 * unknown condition is false. So `!(a == b)` and `a != b` are both false when a is missing. These
 * are CEL's rules for errors and SQL's for NULL: all three give the same answers
 * (tests/golden/expr.json, docs/adr/0006-conditions.md).
 *
 * Parsed conditions are immutable and may be read by any thread. Depth is at most 32, text at most
 * 4 KiB. */
#ifndef EXPR_EXPR_H
#define EXPR_EXPR_H
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum { EXPR_MAX_TEXT = 4096, EXPR_MAX_DEPTH = 32, EXPR_MAX_LIST = 256 };

enum expr_type {
    EXPR_MISSING = 0, /* only as the type of a value */
    EXPR_BOOL = 1,
    EXPR_INT = 2,
    EXPR_DOUBLE = 3,
    EXPR_STRING = 4,
    EXPR_TIME = 5
};
struct expr_value {
    enum expr_type type;
    bool b;
    int64_t i; /* EXPR_INT; EXPR_TIME: UTC microseconds */
    double d;
    const char *s; /* UTF-8, NUL-terminated, borrowed */
};
struct expr_var {
    const char *name; /* "state", "case.state", "actor.name" */
    enum expr_type type;
    int slot; /* meaning is the caller's, e.g. a column number; two names may share one */
};
struct expr_env {
    const struct expr_var *vars;
    size_t n;
};
struct expr;

/* Value of a variable into *out (preset to missing). A value of another type than the variable's
 * counts as missing. */
typedef void expr_lookup(void *ctx, const struct expr_var *var, struct expr_value *out);
/* Column that holds a variable in the statement, e.g. "t.state" (trusted text), or NULL: its value
 * is looked up and bound. */
typedef const char *expr_column(void *ctx, const struct expr_var *var);

/* Parse and check a condition; the result must be bool. name and line stand in errors:
 * `file.yaml:14: condition: ...`. The arena holds the tree; env must live as long as the tree does.
 * Errors: ERR_SYNTAX, ERR_INVALID (types, unknown names with a did-you-mean), ERR_LIMIT, ERR_NOMEM.
 */
enum err_code expr_parse(struct arena *a, const char *text, const char *name, int line,
                         const struct expr_env *env, const struct expr **out,
                         struct err *err) NODISCARD;

/* Whether the condition holds. Only variables that matter are looked up. */
bool expr_eval(const struct expr *e, expr_lookup *lookup, void *ctx);

/* Constants that expr_to_sql will bind at most. */
size_t expr_n_params(const struct expr *e);
/* Append a condition that is true, false, never null, with parameters ?first ?first+1 ...; their
 * values go to params (room for expr_n_params of them; EXPR_MISSING binds NULL) and their number to
 * *n_params. Variables for which column() gives NULL are bound by lookup(). SQLite and PostgreSQL
 * read it alike; boolean columns compare with a bound 1. */
enum err_code expr_to_sql(const struct expr *e, expr_column *column, expr_lookup *lookup, void *ctx,
                          int first, struct buf *sql, struct expr_value *params, size_t *n_params,
                          struct err *err) NODISCARD;

/* Append the condition in canonical form: parses to the same tree. */
void expr_text(const struct expr *e, struct buf *out);

/* Calls fn for every variable occurrence, in order of the text. */
void expr_each_var(const struct expr *e, void (*fn)(void *ctx, const struct expr_var *var),
                   void *ctx);

const char *expr_type_name(enum expr_type t);
/* Whether CEL reserves the word, so that nothing may be named by it. */
bool expr_is_reserved(const char *word);
#endif
