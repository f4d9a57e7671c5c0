#include "store/image.h"

#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

enum { MAX_DEPTH = 32 };

static void put_int(struct buf *b, int64_t i) {
    char digits[24];
    size_t at = sizeof digits;
    uint64_t u = i < 0 ? (uint64_t)0 - (uint64_t)i : (uint64_t)i;
    do {
        digits[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u != 0);
    if (i < 0) digits[--at] = '-';
    buf_add(b, digits + at, sizeof digits - at);
}

/* Numbers with at most seven decimals (coordinates, counts, money in yuan) have a short exact form:
 * when the division N / 1e7, which IEEE 754 rounds correctly, gives d back, then the decimal N *
 * 10^-7 reads back as d. */
static void put_real(struct buf *b, double d) {
    double scaled = d * 1e7;
    if (fabs(scaled) < 9e15 && !(d == 0 && signbit(d))) {
        int64_t n = llrint(scaled);
        if ((double)n / 1e7 == d) {
            if (n < 0) buf_char(b, '-');
            uint64_t u = n < 0 ? (uint64_t)-n : (uint64_t)n;
            put_int(b, (int64_t)(u / 10000000));
            unsigned frac = (unsigned)(u % 10000000);
            if (frac == 0) return;
            char digits[9];
            (void)snprintf(digits, sizeof digits, ".%07u", frac % 10000000);
            size_t len = 8;
            while (digits[len - 1] == '0') len--;
            buf_add(b, digits, len);
            return;
        }
    }
    struct jw w;
    jw_init(&w, b);
    jw_double(&w, d);
}

static void put_bytes(char **to, const char *bytes, size_t n) {
    memcpy(*to, bytes, n);
    *to += n;
}

static bool put_text(struct buf *b, const char *p, size_t n) {
    static const char hex[] = "0123456789abcdef";
    bool ascii = true;
    char *q = buf_room(b, n * 6 + 2);
    if (q == NULL) return true; /* the buffer remembers */
    char *start = q;
    *q++ = '"';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            ascii = ascii && c < 0x80;
            *q++ = (char)c;
        } else if (c == '"' || c == '\\') {
            *q++ = '\\';
            *q++ = (char)c;
        } else if (c == '\0') {
            return false;
        } else {
            put_bytes(&q, "\\u00", 4);
            *q++ = hex[c >> 4];
            *q++ = hex[c & 15];
        }
    }
    *q++ = '"';
    b->n += (size_t)(q - start);
    b->p[b->n] = '\0';
    return ascii || utf8_valid(p, n);
}

/* 64 lower-case hex digits. */
static bool is_hash(const char *p) {
    for (size_t i = 0; i < COMMIT_HEX; i++) {
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f'))) return false;
    }
    return true;
}

/* A positive number of at most 18 digits without a leading zero. */
static bool parse_seq(const char *p, size_t n, int64_t *out) {
    int64_t seq = 0;
    if (n == 0 || n > 18 || p[0] == '0') return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return false;
        seq = seq * 10 + (p[i] - '0');
    }
    *out = seq;
    return true;
}

bool commitment_parse(const char *p, size_t n, struct commitment *out) {
    enum { HEAD = 2 + COMMIT_HEX + 1 };
    if (n <= HEAD || p[0] != 'c' || p[1] != ':' || p[HEAD - 1] != '@' || !is_hash(p + 2))
        return false;
    out->hex = p + 2;
    return parse_seq(p + HEAD, n - HEAD, &out->seq);
}

static bool put_blob(struct buf *b, const struct cell *x) {
    size_t room = sodium_base64_encoded_len(x->n, sodium_base64_VARIANT_ORIGINAL) + 2;
    char *q = buf_room(b, room);
    if (q == NULL) return true;
    q[0] = '"';
    (void)sodium_bin2base64(q + 1, room - 1, (const unsigned char *)x->p, x->n,
                            sodium_base64_VARIANT_ORIGINAL);
    b->n += 1 + strlen(q + 1);
    buf_char(b, '"');
    return true;
}

static bool put_commit(struct buf *b, const struct cell *x) {
    struct commitment c;
    if ((x->type != CELL_COMMIT && x->type != CELL_TEXT) || !commitment_parse(x->p, x->n, &c))
        return false;
    buf_add(b, "{\"c\":\"", 6);
    buf_add(b, c.hex, COMMIT_HEX);
    buf_add(b, "\",\"at\":", 7);
    put_int(b, c.seq);
    buf_char(b, '}');
    return true;
}

static bool put_number(struct buf *b, const struct cell *x) {
    /* An integer stands for the same real number only where a double holds it exactly. */
    bool exact = x->type == CELL_INT && x->i > -(INT64_C(1) << 53) && x->i < (INT64_C(1) << 53);
    if (!exact && (x->type != CELL_REAL || !isfinite(x->d))) return false;
    put_real(b, exact ? (double)x->i : x->d);
    return true;
}

static bool put_value(struct buf *b, const struct column *c, const struct cell *x) {
    if (c->personal) return put_commit(b, x);
    switch (c->type) {
    case COL_TEXT:
        return x->type == CELL_TEXT && put_text(b, x->p, x->n);
    case COL_JSON:
        if (x->type != CELL_TEXT || !image_is_json(x->p, x->n) || !utf8_valid(x->p, x->n))
            return false;
        buf_add(b, x->p, x->n);
        return true;
    case COL_INT:
    case COL_TIME:
        if (x->type == CELL_INT) put_int(b, x->i);
        return x->type == CELL_INT;
    case COL_BOOL:
        if (x->type != CELL_INT || (x->i != 0 && x->i != 1)) return false;
        buf_str(b, x->i != 0 ? "true" : "false");
        return true;
    case COL_REAL:
        return put_number(b, x);
    case COL_BLOB:
        return x->type == CELL_BLOB && put_blob(b, x);
    }
    return false;
}

static enum err_code bad_column(const struct table *t, const struct column *c, const char *what,
                                struct err *err) {
    char pointer[TABLE_MAX_NAME + 2];
    (void)snprintf(pointer, sizeof pointer, "/%s", c->name);
    enum err_code rc = err_fail(err, ERR_INVALID, "%s.%s: %s", t->name, c->name, what);
    return err == NULL ? rc : err_field(err, rc, pointer);
}

enum err_code image_write(struct buf *b, const struct table *t, const unsigned short *order,
                          const struct cell *cells, struct err *err) {
    char sep = '{';
    for (size_t k = 0; k < t->n_cols; k++) {
        size_t i = order == NULL ? k : order[k];
        const struct column *c = &t->cols[i];
        if (cells[i].type == CELL_NULL) {
            if (c->required) return bad_column(t, c, "a value is required", err);
            continue;
        }
        size_t n = strlen(c->name);
        char *q = buf_room(b, n + 4);
        if (q == NULL) break;
        q[0] = sep;
        q[1] = '"';
        memcpy(q + 2, c->name, n);
        q[n + 2] = '"';
        q[n + 3] = ':';
        b->n += n + 4;
        sep = ',';
        if (!put_value(b, c, &cells[i]))
            return bad_column(t, c, "the value does not fit the column's type", err);
    }
    if (sep == '{') buf_char(b, '{');
    buf_char(b, '}');
    return buf_check(b, err);
}

struct image_iter image_walk(const char *image, size_t n) {
    return (struct image_iter){image, image + n, false};
}

/* The end of a string that begins at p ('"'), or NULL. */
static const char *skip_string(const char *p, const char *end) {
    if (p >= end || *p != '"') return NULL;
    for (p++; p < end; p++) {
        if (*p == '"') return p + 1;
        if ((unsigned char)*p < 0x20) return NULL;
        if (*p == '\\' && ++p == end) return NULL;
    }
    return NULL;
}

static const char *skip_space(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
    return p;
}

static const char *skip_word(const char *p, const char *end) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(end - p) >= n && memcmp(p, words[i], n) == 0) return p + n;
    }
    const char *from = p;
    while (p < end && (strchr("+-.eE", *p) != NULL || (*p >= '0' && *p <= '9')) && *p != '\0') p++;
    return p == from ? NULL : p;
}

static const char *skip_value(const char *p, const char *end, unsigned depth);

/* "key" : */
static const char *skip_key(const char *p, const char *end) {
    p = skip_string(skip_space(p, end), end);
    if (p == NULL) return NULL;
    p = skip_space(p, end);
    return p < end && *p == ':' ? p + 1 : NULL;
}

static const char *skip_container(const char *p, const char *end, unsigned depth) {
    bool object = *p == '{';
    char close = object ? '}' : ']';
    p = skip_space(p + 1, end);
    if (p < end && *p == close) return p + 1;
    for (;;) {
        if (object) p = skip_key(p, end);
        if (p != NULL) p = skip_value(p, end, depth + 1);
        if (p != NULL) p = skip_space(p, end);
        if (p == NULL || p >= end) return NULL;
        if (*p == close) return p + 1;
        if (*p++ != ',') return NULL;
    }
}

/* The end of a value, or NULL; the recursion ends at MAX_DEPTH. */
static const char *skip_value(const char *p, const char *end, unsigned depth) {
    p = skip_space(p, end);
    if (p >= end) return NULL;
    if (*p == '{' || *p == '[') return depth < MAX_DEPTH ? skip_container(p, end, depth) : NULL;
    return *p == '"' ? skip_string(p, end) : skip_word(p, end);
}

bool image_is_json(const char *p, size_t n) {
    const char *end = p + n, *q = skip_value(p, end, 0);
    return q != NULL && skip_space(q, end) == end;
}

int image_next(struct image_iter *it, struct image_member *m) {
    const char *p = it->p, *end = it->end;
    if (p >= end) return -1;
    if (*p == '}') return it->started && p + 1 == end ? 0 : -1;
    if (*p != (it->started ? ',' : '{')) return -1;
    p++;
    if (!it->started && p < end && *p == '}') {
        it->started = true;
        it->p = p;
        return p + 1 == end ? 0 : -1;
    }
    const char *k = skip_string(p, end);
    if (k == NULL || k >= end || *k != ':') return -1;
    const char *v = skip_value(k + 1, end, 0);
    if (v == NULL) return -1;
    *m = (struct image_member){p + 1, k + 1, (size_t)(k - p - 2), (size_t)(v - k - 1)};
    it->started = true;
    it->p = v;
    return 1;
}

bool image_commitment(const struct image_member *m, struct commitment *out) {
    enum { HEAD = 6 + COMMIT_HEX + 7 }; /* {"c":"..." and ","at": */
    const char *v = m->value;
    if (m->value_n <= HEAD + 1 || memcmp(v, "{\"c\":\"", 6) != 0 ||
        memcmp(v + 6 + COMMIT_HEX, "\",\"at\":", 7) != 0)
        return false;
    out->hex = v + 6;
    return is_hash(v + 6) && v[m->value_n - 1] == '}' &&
           parse_seq(v + HEAD, m->value_n - HEAD - 1, &out->seq);
}
