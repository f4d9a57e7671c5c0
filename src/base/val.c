#include "base/val.h"

#include <stdio.h>
#include <string.h>

enum { NEAREST_MAX = 63, POINTER_MAX = 96 };

const char *val_type_name(enum val_type t) {
    switch (t) {
    case VAL_NULL:
        return "null";
    case VAL_BOOL:
        return "true or false";
    case VAL_INT:
        return "an integer";
    case VAL_DOUBLE:
        return "a number";
    case VAL_STR:
        return "text";
    case VAL_LIST:
        return "a list";
    case VAL_MAP:
        return "a map";
    }
    return "nothing";
}

const struct val *val_get(const struct val *v, const char *key) {
    if (v == NULL || v->type != VAL_MAP) return NULL;
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->u.map[i].key, key) == 0) return &v->u.map[i].v;
    return NULL;
}

/* RFC 6901 section 3: ~ and / of a key are written ~0 and ~1. A key that does not fit is cut. */
static void pointer_of(const char *key, char out[POINTER_MAX]) {
    size_t n = 0;
    out[n++] = '/';
    for (const char *s = key; *s != '\0' && n < POINTER_MAX - 2; s++) {
        if (*s == '~' || *s == '/') {
            out[n++] = '~';
            out[n++] = *s == '~' ? '0' : '1';
        } else {
            out[n++] = *s;
        }
    }
    out[n] = '\0';
}

static enum err_code point_at(struct err *err, enum err_code code, const char *key) {
    char pointer[POINTER_MAX];
    pointer_of(key, pointer);
    (void)err_field(err, code, pointer);
    return code;
}

static enum err_code wrong_type(struct err *err, const char *key, const char *expected,
                                const struct val *found) {
    (void)err_fail(err, ERR_INVALID, "\"%.60s\": expected %s, found %s", key, expected,
                   val_type_name(found->type));
    return point_at(err, ERR_INVALID, key);
}

/* The member's value, or NULL in *out when it is absent or null and need not be there. */
static enum err_code member(const struct val *map, const char *key, bool required,
                            const char *expected, const struct val **out, struct err *err) {
    const struct val *v = val_get(map, key);
    if (v != NULL && v->type == VAL_NULL) v = NULL;
    *out = v;
    if (v != NULL || !required) return ERR_OK;
    (void)err_fail(err, ERR_INVALID, "\"%.60s\" is missing: expected %s", key, expected);
    return point_at(err, ERR_INVALID, key);
}

enum err_code val_str(const struct val *map, const char *key, bool required, size_t max,
                      const char **out, struct err *err) {
    const struct val *v;
    TRY(member(map, key, required, "text", &v, err));
    if (v == NULL) return ERR_OK;
    if (v->type != VAL_STR) return wrong_type(err, key, "text", v);
    if (v->n > max) {
        (void)err_fail(err, ERR_INVALID, "\"%.60s\": expected at most %zu bytes, found %zu", key,
                       max, v->n);
        return point_at(err, ERR_INVALID, key);
    }
    *out = v->u.s;
    return ERR_OK;
}

enum err_code val_int(const struct val *map, const char *key, bool required, int64_t min,
                      int64_t max, int64_t *out, struct err *err) {
    const struct val *v;
    TRY(member(map, key, required, "an integer", &v, err));
    if (v == NULL) return ERR_OK;
    if (v->type != VAL_INT) return wrong_type(err, key, "an integer", v);
    if (v->u.i < min || v->u.i > max) {
        (void)err_fail(err, ERR_INVALID,
                       "\"%.60s\": expected an integer from %lld to %lld, found %lld", key,
                       (long long)min, (long long)max, (long long)v->u.i);
        return point_at(err, ERR_INVALID, key);
    }
    *out = v->u.i;
    return ERR_OK;
}

enum err_code val_double(const struct val *map, const char *key, bool required, double min,
                         double max, double *out, struct err *err) {
    const struct val *v;
    TRY(member(map, key, required, "a number", &v, err));
    if (v == NULL) return ERR_OK;
    if (v->type != VAL_DOUBLE && v->type != VAL_INT) return wrong_type(err, key, "a number", v);
    double d = v->type == VAL_INT ? (double)v->u.i : v->u.d;
    if (!(d >= min && d <= max)) {
        (void)err_fail(err, ERR_INVALID,
                       "\"%.60s\": expected a number from %.10g to %.10g, found %.10g", key, min,
                       max, d);
        return point_at(err, ERR_INVALID, key);
    }
    *out = d;
    return ERR_OK;
}

enum err_code val_bool(const struct val *map, const char *key, bool required, bool *out,
                       struct err *err) {
    const struct val *v;
    TRY(member(map, key, required, "true or false", &v, err));
    if (v == NULL) return ERR_OK;
    if (v->type != VAL_BOOL) return wrong_type(err, key, "true or false", v);
    *out = v->u.b;
    return ERR_OK;
}

static bool is_known(const char *key, const char *const *known) {
    for (; *known != NULL; known++)
        if (strcmp(key, *known) == 0) return true;
    return false;
}

enum err_code val_only(const struct val *map, const char *const *known, struct err *err) {
    if (map == NULL || map->type != VAL_MAP) return ERR_OK;
    for (size_t i = 0; i < map->n; i++) {
        const char *key = map->u.map[i].key;
        if (is_known(key, known)) continue;
        const char *near = val_nearest(key, known);
        if (near != NULL)
            (void)err_fail(err, ERR_INVALID, "\"%.60s\" is not known here; did you mean \"%.60s\"?",
                           key, near);
        else
            (void)err_fail(err, ERR_INVALID, "\"%.60s\" is not known here", key);
        return point_at(err, ERR_INVALID, key);
    }
    return ERR_OK;
}

static size_t min3(size_t a, size_t b, size_t c) {
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Optimal string alignment distance: one insertion, deletion, substitution or swap of neighbours
 * costs 1. Both lengths are at most NEAREST_MAX. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb) {
    size_t row[3][NEAREST_MAX + 1];
    size_t *before = row[0], *last = row[1], *now = row[2];
    for (size_t j = 0; j <= nb; j++) last[j] = j;
    for (size_t i = 1; i <= na; i++) {
        now[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            now[j] =
                min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[nb];
}

const char *val_nearest(const char *word, const char *const *candidates) {
    size_t n = strlen(word);
    if (n > NEAREST_MAX) return NULL;
    const char *best = NULL;
    size_t best_d = 3;
    for (; *candidates != NULL; candidates++) {
        size_t m = strlen(*candidates);
        if (m > NEAREST_MAX) continue;
        size_t d = distance(word, n, *candidates, m);
        /* Two changes in a word of three letters make any other word: at most half of it may
         * differ. */
        if (d < best_d && 2 * d <= n) {
            best = *candidates;
            best_d = d;
        }
    }
    return best;
}
