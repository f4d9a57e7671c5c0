#include "net/query.h"

#include <string.h>

#include "base/utf8.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum err_code query_decode(struct arena *a, const char *p, size_t n, bool plus, const char **out,
                           size_t *out_n, struct err *err) {
    char *q = arena_alloc(a, n + 1, 1);
    if (q == NULL) return err_fail(err, ERR_NOMEM, "no memory for %zu bytes of a query", n);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (c == '+' && plus) {
            c = ' ';
        } else if (c == '%') {
            int hi = i + 2 < n ? hex_digit(p[i + 1]) : -1;
            int lo = hi >= 0 ? hex_digit(p[i + 2]) : -1;
            if (lo < 0) return err_fail(err, ERR_SYNTAX, "bad percent escape at byte %zu", i);
            c = (char)(hi * 16 + lo);
            i += 2;
        }
        if (c == '\0') return err_fail(err, ERR_SYNTAX, "NUL byte at byte %zu", i);
        q[m++] = c;
    }
    q[m] = '\0';
    if (!utf8_valid(q, m)) return err_fail(err, ERR_SYNTAX, "text is not valid UTF-8");
    *out = q;
    *out_n = m;
    return ERR_OK;
}

static size_t count_pairs(const char *p, size_t n) {
    size_t pairs = 0;
    for (size_t i = 0; i < n;) {
        const char *amp = memchr(p + i, '&', n - i);
        size_t end = amp == NULL ? n : (size_t)(amp - p);
        if (end > i) pairs++;
        i = end + 1;
    }
    return pairs;
}

static enum err_code parse_pair(struct arena *a, const char *p, size_t n, struct query_pair *out,
                                struct err *err) {
    const char *eq = memchr(p, '=', n);
    size_t key_n = eq == NULL ? n : (size_t)(eq - p);
    TRY(query_decode(a, p, key_n, true, &out->key, &out->key_n, err));
    if (eq == NULL) {
        out->value = "";
        out->value_n = 0;
        return ERR_OK;
    }
    return query_decode(a, eq + 1, n - key_n - 1, true, &out->value, &out->value_n, err);
}

enum err_code query_parse(struct arena *a, const char *p, size_t n, size_t max_pairs,
                          struct query *out, struct err *err) {
    *out = (struct query){0};
    size_t pairs = n == 0 ? 0 : count_pairs(p, n);
    if (pairs == 0) return ERR_OK;
    if (pairs > max_pairs)
        return err_fail(err, ERR_TOO_LARGE, "%zu parameters, at most %zu", pairs, max_pairs);
    struct query_pair *pair = ARENA_NEW(a, struct query_pair, pairs);
    if (pair == NULL) return err_fail(err, ERR_NOMEM, "no memory for %zu parameters", pairs);
    size_t k = 0;
    for (size_t i = 0; i < n;) {
        const char *amp = memchr(p + i, '&', n - i);
        size_t end = amp == NULL ? n : (size_t)(amp - p);
        if (end > i) {
            TRY(parse_pair(a, p + i, end - i, &pair[k], err));
            k++;
        }
        i = end + 1;
    }
    out->n = k;
    out->pair = pair;
    return ERR_OK;
}

const char *query_get(const struct query *q, const char *key) {
    for (size_t i = 0; i < q->n; i++)
        if (strcmp(q->pair[i].key, key) == 0) return q->pair[i].value;
    return NULL;
}

size_t query_count(const struct query *q, const char *key) {
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++) n += strcmp(q->pair[i].key, key) == 0;
    return n;
}
