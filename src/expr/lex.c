#include "expr/lex.h"

#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t max_int = (int64_t)1 << 53; /* beyond it a browser's numbers are not exact */

void lex_say(struct lexer *x, enum err_code code, size_t pos, const char *fmt, ...) {
    char text[320];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)err_fail(x->err, code, "%s:%d: condition: %s (at character %zu)", x->name, x->line, text,
                   pos + 1);
}

bool lex_is(const struct lexer *x, const char *op) {
    return x->tok.kind == TOK_OP && strcmp(x->tok.op, op) == 0;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_name(char c) { return is_name_start(c) || is_digit(c); }

/* Length of the number at p, 0 when its exponent has no digits. */
static size_t number_len(const char *p, bool *is_double) {
    size_t n = 0;
    *is_double = false;
    while (is_digit(p[n])) n++;
    if (p[n] == '.' && is_digit(p[n + 1])) {
        *is_double = true;
        n++;
        while (is_digit(p[n])) n++;
    }
    if (p[n] != 'e' && p[n] != 'E') return n;
    *is_double = true;
    n++;
    if (p[n] == '+' || p[n] == '-') n++;
    if (!is_digit(p[n])) return 0;
    while (is_digit(p[n])) n++;
    return n;
}

static enum err_code number_value(struct lexer *x, const char *digits) {
    errno = 0;
    if (x->tok.kind == TOK_DOUBLE) {
        x->tok.d = strtod(digits, NULL);
        if (isfinite(x->tok.d)) return ERR_OK;
        return lex_fail(x, ERR_INVALID, x->pos, "the number %.40s is too large", digits);
    }
    long long v = strtoll(digits, NULL, 10);
    if (errno != 0 || v > max_int)
        return lex_fail(x, ERR_INVALID, x->pos, "the number %.40s is beyond 2^53", digits);
    x->tok.i = v;
    return ERR_OK;
}

static enum err_code lex_number(struct lexer *x) {
    const char *p = x->text + x->pos;
    bool is_double;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
        return lex_fail(x, ERR_SYNTAX, x->pos, "hexadecimal numbers are not supported");
    size_t n = number_len(p, &is_double);
    if (n == 0) return lex_fail(x, ERR_SYNTAX, x->pos, "the exponent has no digits");
    if (p[n] == 'u' || p[n] == 'U')
        return lex_fail(x, ERR_SYNTAX, x->pos, "unsigned numbers (1u) are not supported");
    if (is_name(p[n])) return lex_fail(x, ERR_SYNTAX, x->pos, "a number runs into a name");
    x->tok = (struct tok){.kind = is_double ? TOK_DOUBLE : TOK_INT, .pos = x->pos, .n = n};
    char *digits = arena_dup(x->arena, p, n);
    if (digits == NULL) return err_fail(x->err, ERR_NOMEM, "condition");
    TRY(number_value(x, digits));
    x->pos += n;
    return ERR_OK;
}

/* Decode the escape at p (after the backslash): bytes used, 0 when it is none of ours. */
static size_t escape(const char *p, char *out, size_t *n_out) {
    static const char from[] = "\\\"'nrt", to[] = "\\\"'\n\r\t";
    *n_out = 1;
    const char *hit = *p == '\0' ? NULL : strchr(from, *p);
    if (hit != NULL) {
        out[0] = to[hit - from];
        return 1;
    }
    if (*p != 'u') return 0;
    uint32_t c = 0;
    for (size_t i = 1; i <= 4; i++) {
        static const char hex[] = "0123456789abcdefABCDEF";
        const char *at = p[i] == '\0' ? NULL : strchr(hex, p[i]);
        if (at == NULL) return 0;
        size_t digit = (size_t)(at - hex);
        c = c * 16 + (uint32_t)(digit < 16 ? digit : digit - 6);
    }
    if (c == 0 || (c >= 0xD800 && c < 0xE000)) return 0;
    *n_out = utf8_encode(c, out);
    return 5;
}

static enum err_code lex_string(struct lexer *x) {
    size_t from = x->pos;
    char quote = x->text[from];
    const char *p = x->text + from + 1;
    if (p[0] == quote && p[1] == quote)
        return lex_fail(x, ERR_SYNTAX, from, "triple-quoted strings are not supported");
    char *out = ARENA_NEW(x->arena, char, x->n - from + 1);
    if (out == NULL) return err_fail(x->err, ERR_NOMEM, "condition");
    size_t n = 0;
    while (*p != quote) {
        size_t pos = (size_t)(p - x->text), k = 1, used;
        if (*p == '\0' || *p == '\n' || *p == '\r')
            return lex_fail(x, ERR_SYNTAX, from, "the string has no closing %c", quote);
        if (*p == '\\') {
            used = 1 + escape(p + 1, out + n, &k);
            if (used == 1)
                return lex_fail(
                    x, ERR_SYNTAX, pos,
                    "an escape in a string is one of \\\\ \\\" \\' \\n \\r \\t \\uXXXX");
        } else {
            uint32_t c;
            used = k = utf8_next(p, x->n - pos, &c);
            if (used == 0) return lex_fail(x, ERR_SYNTAX, pos, "the string is not UTF-8");
            memcpy(out + n, p, used);
        }
        n += k;
        p += used;
    }
    x->pos = (size_t)(p - x->text) + 1;
    x->tok = (struct tok){.kind = TOK_STRING, .pos = from, .n = x->pos - from, .s = out};
    return ERR_OK;
}

static enum err_code lex_name(struct lexer *x) {
    const char *p = x->text + x->pos;
    size_t n = 1;
    while (is_name(p[n])) n++;
    if (p[n] == '"' || p[n] == '\'') {
        if (n == 1 && (*p == 'b' || *p == 'B'))
            return lex_fail(x, ERR_SYNTAX, x->pos, "byte strings (b\"...\") are not supported");
        if (n == 1 && (*p == 'r' || *p == 'R'))
            return lex_fail(x, ERR_SYNTAX, x->pos, "raw strings (r\"...\") are not supported");
    }
    const char *s = arena_dup(x->arena, p, n);
    if (s == NULL) return err_fail(x->err, ERR_NOMEM, "condition");
    x->tok = (struct tok){.kind = TOK_NAME, .pos = x->pos, .n = n, .s = s};
    x->pos += n;
    return ERR_OK;
}

static enum err_code lex_op(struct lexer *x) {
    static const char *const ops[] = {"==", "!=", "<=", ">=", "&&", "||", "<", ">", "!",
                                      "(",  ")",  "[",  "]",  ",",  "?",  ":", ".", "-",
                                      "+",  "*",  "/",  "%",  "{",  "}",  NULL};
    const char *p = x->text + x->pos;
    for (size_t i = 0; ops[i] != NULL; i++) {
        size_t n = strlen(ops[i]);
        if (strncmp(p, ops[i], n) != 0) continue;
        x->tok = (struct tok){.kind = TOK_OP, .pos = x->pos, .n = n};
        memcpy(x->tok.op, ops[i], n + 1);
        x->pos += n;
        return ERR_OK;
    }
    if (*p == '=') return lex_fail(x, ERR_SYNTAX, x->pos, "\"=\" is no comparison: write ==");
    if (*p == '&') return lex_fail(x, ERR_SYNTAX, x->pos, "\"&\" is not supported: write &&");
    if (*p == '|') return lex_fail(x, ERR_SYNTAX, x->pos, "\"|\" is not supported: write ||");
    if (*p > ' ' && *p < 0x7F)
        return lex_fail(x, ERR_SYNTAX, x->pos, "the character %c has no meaning here", *p);
    return lex_fail(x, ERR_SYNTAX, x->pos, "a byte (%u) has no meaning here", (unsigned char)*p);
}

enum err_code lex_next(struct lexer *x) {
    const char *t = x->text;
    while (x->pos < x->n &&
           (t[x->pos] == ' ' || t[x->pos] == '\t' || t[x->pos] == '\n' || t[x->pos] == '\r'))
        x->pos++;
    if (x->pos >= x->n) {
        x->tok = (struct tok){.kind = TOK_END, .pos = x->n};
        return ERR_OK;
    }
    char c = t[x->pos];
    if (is_digit(c)) return lex_number(x);
    if (c == '.' && is_digit(t[x->pos + 1]))
        return lex_fail(x, ERR_SYNTAX, x->pos, "a number begins with a digit: write 0.5");
    if (c == '"' || c == '\'') return lex_string(x);
    if (is_name_start(c)) return lex_name(x);
    return lex_op(x);
}
