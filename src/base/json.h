/* base/json.h - JSON: a strict, size- and depth-limited reader (json-c) into a struct val, and a
 * streaming writer. */
#ifndef BASE_JSON_H
#define BASE_JSON_H
#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

enum { JSON_MAX_DEPTH = 32 };

/* Parse n bytes (no NUL needed). Strict RFC 8259: no comments, no trailing text, unique keys, valid
 * UTF-8, no NUL in strings, integers exact in int64, other numbers finite. Errors: ERR_SYNTAX with
 * the byte offset; ERR_NOMEM. */
enum err_code json_parse(struct arena *a, const char *p, size_t n, const struct val **out,
                         struct err *err) NODISCARD;

/* Writer into a buf; commas and escapes are its business; errors stick in the buf. */
struct jw {
    struct buf *b;
    unsigned depth;
    bool comma[JSON_MAX_DEPTH + 1]; /* a value stands before the next one at this depth */
    bool after_key;
};
void jw_init(struct jw *w, struct buf *b);
void jw_obj(struct jw *w);
void jw_arr(struct jw *w);
void jw_end(struct jw *w, char close); /* '}' or ']' */
void jw_key(struct jw *w, const char *key);
void jw_str(struct jw *w, const char *s); /* NULL writes null */
void jw_strn(struct jw *w, const char *s, size_t n);
void jw_int(struct jw *w, int64_t i);
void jw_double(struct jw *w,
               double d); /* shortest text that reads back to the same bits; NaN, inf: null */
void jw_bool(struct jw *w, bool b);
void jw_null(struct jw *w);
void jw_raw(struct jw *w, const char *json, size_t n); /* already JSON */
void jw_val(struct jw *w, const struct val *v);
/* Short forms for members. */
void jw_kstr(struct jw *w, const char *key, const char *s);
void jw_kint(struct jw *w, const char *key, int64_t i);
void jw_kdouble(struct jw *w, const char *key, double d);
void jw_kbool(struct jw *w, const char *key, bool b);
/* UTC microseconds as RFC 3339 "2026-01-02T03:04:05Z" (with .ffffff when not whole seconds); 0
 * writes null. */
void jw_ktime(struct jw *w, const char *key, int64_t at_us);
#endif
