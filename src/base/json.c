#include "base/json.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/utf8.h"

/* json-c checks the structure. What it lets pass is refused by one lexical pass before it: raw
 * control characters, escapes of NUL and lone surrogates, NaN and Infinity, number forms outside
 * the RFC, integers beyond int64. The pass counts the members too: json-c keeps the last of two
 * equal keys, so a smaller count afterwards tells of a duplicate. */
struct lex {
    const char *p;
    size_t n, at;
    size_t n_colon;
    unsigned depth;
    struct err *err;
};

static enum err_code bad(const struct lex *l, const char *what) {
    return err_fail(l->err, ERR_SYNTAX, "JSON, byte %zu: %s", l->at, what);
}

static char peek(const struct lex *l) {
    if (l->at == l->n) return '\0';
    return l->p[l->at];
}
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool skip_digits(struct lex *l) {
    size_t from = l->at;
    while (is_digit(peek(l))) l->at++;
    return l->at > from;
}

/* -?(0|[1-9][0-9]*) that does not fit int64: 19 digits are compared as text with the largest
 * magnitude. */
static bool fits_int64(const char *p, size_t n) {
    bool negative = p[0] == '-';
    const char *digits = p + (negative ? 1 : 0);
    size_t n_digits = n - (negative ? 1 : 0);
    if (n_digits != 19) return n_digits < 19;
    return memcmp(digits, negative ? "9223372036854775808" : "9223372036854775807", 19) <= 0;
}

static enum err_code lex_number(struct lex *l) {
    size_t from = l->at;
    bool is_int = true;
    if (peek(l) == '-') l->at++;
    if (peek(l) == '0')
        l->at++;
    else if (!skip_digits(l))
        return bad(l, "a digit was expected");
    if (peek(l) == '.') {
        is_int = false;
        l->at++;
        if (!skip_digits(l)) return bad(l, "a digit was expected after the point");
    }
    if (peek(l) == 'e' || peek(l) == 'E') {
        is_int = false;
        l->at++;
        if (peek(l) == '+' || peek(l) == '-') l->at++;
        if (!skip_digits(l)) return bad(l, "a digit was expected in the exponent");
    }
    if (is_digit(peek(l))) return bad(l, "a number may not begin with 0");
    if (is_int && !fits_int64(l->p + from, l->at - from))
        return bad(l, "the integer does not fit 64 bits");
    return ERR_OK;
}

/* Value of four hexadecimal digits, or -1. */
static int32_t hex4(const char *p, size_t n) {
    if (n < 4) return -1;
    int32_t v = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = p[i];
        int32_t d = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* After "\u"; l->at stands on the first digit. */
static enum err_code lex_unicode(struct lex *l) {
    int32_t v = hex4(l->p + l->at, l->n - l->at);
    if (v < 0) return bad(l, "four hexadecimal digits were expected");
    if (v == 0) return bad(l, "NUL is not allowed in text");
    if (v >= 0xDC00 && v <= 0xDFFF) return bad(l, "half of a surrogate pair");
    l->at += 4;
    if (v < 0xD800 || v > 0xDBFF) return ERR_OK;
    bool follows = l->n - l->at >= 6 && l->p[l->at] == '\\' && l->p[l->at + 1] == 'u';
    int32_t low = follows ? hex4(l->p + l->at + 2, 4) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return bad(l, "half of a surrogate pair");
    l->at += 6;
    return ERR_OK;
}

static enum err_code lex_string(struct lex *l) {
    l->at++;
    while (l->at < l->n) {
        char c = l->p[l->at];
        if (c == '"') {
            l->at++;
            return ERR_OK;
        }
        if ((unsigned char)c < 0x20) return bad(l, "a control character in text must be escaped");
        l->at++;
        if (c != '\\') continue;
        char e = peek(l);
        if (e == '\0' || strchr("\"\\/bfnrtu", e) == NULL) return bad(l, "unknown escape");
        l->at++;
        if (e == 'u') TRY(lex_unicode(l));
    }
    return bad(l, "the text is not closed");
}

static enum err_code lex_word(struct lex *l) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (l->n - l->at >= n && memcmp(l->p + l->at, words[i], n) == 0) {
            l->at += n;
            return ERR_OK;
        }
    }
    return bad(l, "unexpected character");
}

static enum err_code lex_token(struct lex *l) {
    char c = l->p[l->at];
    switch (c) {
    case '{':
    case '[':
        if (++l->depth > JSON_MAX_DEPTH) return bad(l, "nested more than 32 deep");
        break;
    case '}':
    case ']':
        if (l->depth == 0) return bad(l, "nothing is open here");
        l->depth--;
        break;
    case ':':
        l->n_colon++;
        break;
    case ',':
    case ' ':
    case '\t':
    case '\n':
    case '\r':
        break;
    case '"':
        return lex_string(l);
    default:
        return is_digit(c) || c == '-' ? lex_number(l) : lex_word(l);
    }
    l->at++;
    return ERR_OK;
}

static enum err_code no_memory(struct err *err) {
    return err_fail(err, ERR_NOMEM, "JSON: out of memory");
}

struct conv {
    struct arena *a;
    struct err *err;
    size_t n_member;
};

static enum err_code convert(struct conv *c, json_object *j, struct val *out);

static enum err_code convert_list(struct conv *c, json_object *j, struct val *out) {
    out->type = VAL_LIST;
    out->n = json_object_array_length(j);
    out->u.list = ARENA_NEW(c->a, struct val, out->n);
    if (out->u.list == NULL) return no_memory(c->err);
    for (size_t i = 0; i < out->n; i++)
        TRY(convert(c, json_object_array_get_idx(j, i), &out->u.list[i]));
    return ERR_OK;
}

static enum err_code convert_map(struct conv *c, json_object *j, struct val *out) {
    out->type = VAL_MAP;
    out->n = (size_t)json_object_object_length(j);
    c->n_member += out->n;
    out->u.map = ARENA_NEW(c->a, struct val_pair, out->n);
    if (out->u.map == NULL) return no_memory(c->err);
    size_t i = 0;
    for (struct lh_entry *e = json_object_get_object(j)->head; e != NULL;
         e = lh_entry_next(e), i++) {
        struct val_pair *pair = &out->u.map[i];
        pair->key = arena_strdup(c->a, lh_entry_k(e));
        if (pair->key == NULL) return no_memory(c->err);
        TRY(convert(c, lh_entry_v(e), &pair->v));
    }
    return ERR_OK;
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static enum err_code convert(struct conv *c, json_object *j, struct val *out) {
    switch (json_object_get_type(j)) {
    case json_type_null:
        out->type = VAL_NULL;
        return ERR_OK;
    case json_type_boolean:
        out->type = VAL_BOOL;
        out->u.b = json_object_get_boolean(j);
        return ERR_OK;
    case json_type_int:
        out->type = VAL_INT;
        out->u.i = json_object_get_int64(j);
        return ERR_OK;
    case json_type_double:
        out->type = VAL_DOUBLE;
        out->u.d = json_object_get_double(j);
        if (!isfinite(out->u.d))
            return err_fail(c->err, ERR_SYNTAX, "JSON: a number is too large for a double");
        return ERR_OK;
    case json_type_string:
        out->type = VAL_STR;
        out->n = (size_t)json_object_get_string_len(j);
        out->u.s = arena_dup(c->a, json_object_get_string(j), out->n);
        return out->u.s == NULL ? no_memory(c->err) : ERR_OK;
    case json_type_array:
        return convert_list(c, j, out);
    case json_type_object:
        return convert_map(c, j, out);
    }
    return err_fail(c->err, ERR_INTERNAL, "JSON: unknown type");
}

static enum err_code read_tree(json_tokener *tok, const char *p, size_t n, json_object **out,
                               struct err *err) {
    *out = json_tokener_parse_ex(tok, p, (int)n);
    enum json_tokener_error rc = json_tokener_get_error(tok);
    size_t at = json_tokener_get_parse_end(tok);
    if (rc == json_tokener_continue) {
        /* A number at the very end is complete only when something follows it. */
        *out = json_tokener_parse_ex(tok, "", 1);
        rc = json_tokener_get_error(tok);
        at = n;
    }
    if (rc == json_tokener_success) return ERR_OK;
    json_object_put(*out);
    *out = NULL;
    return err_fail(err, ERR_SYNTAX, "JSON, byte %zu: %s", at, json_tokener_error_desc(rc));
}

enum err_code json_parse(struct arena *a, const char *p, size_t n, const struct val **out,
                         struct err *err) {
    *out = NULL;
    if (n >= INT_MAX) return err_fail(err, ERR_TOO_LARGE, "JSON: %zu bytes", n);
    if (!utf8_valid(p, n)) return err_fail(err, ERR_SYNTAX, "JSON: the text is not valid UTF-8");
    struct lex l = {.p = p, .n = n, .err = err};
    while (l.at < n) TRY(lex_token(&l));
    struct val *v = ARENA_NEW(a, struct val, 1);
    if (v == NULL) return no_memory(err);
    json_tokener *tok = json_tokener_new_ex(JSON_MAX_DEPTH + 2);
    if (tok == NULL) return no_memory(err);
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    json_object *tree = NULL;
    struct conv c = {.a = a, .err = err};
    enum err_code rc = read_tree(tok, p, n, &tree, err);
    if (rc == ERR_OK) rc = convert(&c, tree, v);
    if (rc == ERR_OK && c.n_member != l.n_colon)
        rc = err_fail(err, ERR_SYNTAX, "JSON: an object has a key twice");
    json_object_put(tree);
    json_tokener_free(tok);
    if (rc == ERR_OK) *out = v;
    return rc;
}

void jw_init(struct jw *w, struct buf *b) { *w = (struct jw){.b = b}; }

static void before_value(struct jw *w) {
    if (!w->after_key && w->comma[w->depth]) buf_char(w->b, ',');
    w->after_key = false;
    w->comma[w->depth] = true;
}

static void open_level(struct jw *w, char c) {
    before_value(w);
    buf_char(w->b, c);
    if (w->depth == JSON_MAX_DEPTH) {
        w->b->failed = true;
        return;
    }
    w->comma[++w->depth] = false;
}

void jw_obj(struct jw *w) { open_level(w, '{'); }
void jw_arr(struct jw *w) { open_level(w, '['); }

void jw_end(struct jw *w, char close) {
    buf_char(w->b, close);
    if (w->depth > 0) w->depth--;
}

static void add_escaped(struct buf *b, unsigned char c) {
    switch (c) {
    case '"':
        buf_add(b, "\\\"", 2);
        return;
    case '\\':
        buf_add(b, "\\\\", 2);
        return;
    case '\n':
        buf_add(b, "\\n", 2);
        return;
    case '\r':
        buf_add(b, "\\r", 2);
        return;
    case '\t':
        buf_add(b, "\\t", 2);
        return;
    default:
        buf_printf(b, "\\u%04x", c);
        return;
    }
}

/* Runs of plain bytes are copied at once. A byte that is not UTF-8 becomes U+FFFD: the output is
 * always valid JSON. */
static void add_string(struct buf *b, const char *s, size_t n) {
    buf_char(b, '"');
    size_t from = 0, i = 0;
    while (i < n) {
        unsigned char c = (unsigned char)s[i];
        uint32_t cp;
        size_t len = c < 0x80 ? 1 : utf8_next(s + i, n - i, &cp);
        if (len != 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += len;
            continue;
        }
        if (i > from) buf_add(b, s + from, i - from);
        if (len == 0)
            buf_add(b, "\xEF\xBF\xBD", 3);
        else
            add_escaped(b, c);
        from = ++i;
    }
    if (i > from) buf_add(b, s + from, i - from);
    buf_char(b, '"');
}

void jw_key(struct jw *w, const char *key) {
    before_value(w);
    add_string(w->b, key, strlen(key));
    buf_char(w->b, ':');
    w->after_key = true;
}

void jw_strn(struct jw *w, const char *s, size_t n) {
    before_value(w);
    add_string(w->b, s, n);
}

void jw_str(struct jw *w, const char *s) {
    if (s == NULL)
        jw_null(w);
    else
        jw_strn(w, s, strlen(s));
}

void jw_int(struct jw *w, int64_t i) {
    char text[24];
    before_value(w);
    int n = snprintf(text, sizeof text, "%" PRId64, i);
    buf_add(w->b, text, (size_t)n);
}

void jw_double(struct jw *w, double d) {
    char text[40];
    if (!isfinite(d)) {
        jw_null(w);
        return;
    }
    before_value(w);
    int n = 0;
    if (fabs(d) < 9007199254740992.0 && trunc(d) == d) {
        n = snprintf(text, sizeof text, signbit(d) && fabs(d) < 1 ? "-0.0" : "%.0f", d);
    } else {
        for (int digits = 15; digits <= 17; digits++) {
            n = snprintf(text, sizeof text, "%.*g", digits, d);
            if (strtod(text, NULL) == d) break;
        }
    }
    buf_add(w->b, text, (size_t)n);
}

void jw_bool(struct jw *w, bool b) {
    before_value(w);
    buf_str(w->b, b ? "true" : "false");
}

void jw_null(struct jw *w) {
    before_value(w);
    buf_add(w->b, "null", 4);
}

void jw_raw(struct jw *w, const char *json, size_t n) {
    before_value(w);
    buf_add(w->b, json, n);
}

/* Recursion ends at JSON_MAX_DEPTH, where open_level makes the buffer fail. */
void jw_val(struct jw *w, const struct val *v) {
    if (v == NULL || w->b->failed) {
        if (v == NULL) jw_null(w);
        return;
    }
    switch (v->type) {
    case VAL_NULL:
        jw_null(w);
        return;
    case VAL_BOOL:
        jw_bool(w, v->u.b);
        return;
    case VAL_INT:
        jw_int(w, v->u.i);
        return;
    case VAL_DOUBLE:
        jw_double(w, v->u.d);
        return;
    case VAL_STR:
        jw_strn(w, v->u.s, v->n);
        return;
    case VAL_LIST:
        jw_arr(w);
        for (size_t i = 0; i < v->n; i++) jw_val(w, &v->u.list[i]);
        jw_end(w, ']');
        return;
    case VAL_MAP:
        jw_obj(w);
        for (size_t i = 0; i < v->n; i++) {
            jw_key(w, v->u.map[i].key);
            jw_val(w, &v->u.map[i].v);
        }
        jw_end(w, '}');
        return;
    }
}

void jw_kstr(struct jw *w, const char *key, const char *s) {
    jw_key(w, key);
    jw_str(w, s);
}

void jw_kint(struct jw *w, const char *key, int64_t i) {
    jw_key(w, key);
    jw_int(w, i);
}

void jw_kdouble(struct jw *w, const char *key, double d) {
    jw_key(w, key);
    jw_double(w, d);
}

void jw_kbool(struct jw *w, const char *key, bool b) {
    jw_key(w, key);
    jw_bool(w, b);
}

void jw_ktime(struct jw *w, const char *key, int64_t at_us) {
    jw_key(w, key);
    if (at_us == 0) {
        jw_null(w);
        return;
    }
    char text[32];
    rfc3339_format(at_us, text);
    jw_str(w, text);
}
