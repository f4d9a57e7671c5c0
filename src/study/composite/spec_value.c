#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/composite/spec_inside.h"

enum err_code index_spec_fail(const char *name, const struct val *v, struct err *err,
                              const char *fmt, ...) {
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_fail(err, ERR_INVALID, "%s:%d:%d: %s", name, v->line, v->col, text);
}

enum err_code spec_no_memory(const struct index_reader *r, struct err *err) {
    return err_fail(err, ERR_NOMEM, "%s: no memory", r->name);
}

const struct val *spec_member(const struct val *map, const char *key) {
    const struct val *v = val_get(map, key);
    return v == NULL || v->type == VAL_NULL ? NULL : v;
}

static void join(const char *const *words, char *out, size_t size) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; words[i] != NULL && at + 1 < size; i++) {
        int n = snprintf(out + at, size - at, "%s%s", i == 0 ? "" : ", ", words[i]);
        if (n < 0) return;
        at += (size_t)n;
    }
}

enum err_code spec_map(const struct index_reader *r, const struct val *v, const char *const *known,
                       struct err *err) {
    char all[240];
    if (v == NULL || v->type == VAL_NULL) return ERR_OK;
    if (v->type != VAL_MAP)
        return index_spec_fail(r->name, v, err, "expected a map, found %s", val_type_name(v->type));
    for (size_t i = 0; i < v->n; i++) {
        const struct val_pair *p = &v->u.map[i];
        bool is = false;
        for (size_t k = 0; known[k] != NULL; k++) is = is || strcmp(known[k], p->key) == 0;
        if (is) continue;
        struct val at = {.line = p->line, .col = p->col};
        const char *near = val_nearest(p->key, known);
        join(known, all, sizeof all);
        if (near != NULL)
            return index_spec_fail(r->name, &at, err, "unknown key \"%.60s\"; did you mean \"%s\"?",
                                   p->key, near);
        return index_spec_fail(r->name, &at, err, "unknown key \"%.60s\"; expected one of %s",
                               p->key, all);
    }
    return ERR_OK;
}

enum err_code spec_value(const struct index_reader *r, const struct val *v, double *out,
                         struct err *err) {
    if (v->type == VAL_INT) {
        *out = (double)v->u.i;
        return ERR_OK;
    }
    if (v->type == VAL_DOUBLE) {
        *out = v->u.d;
        return ERR_OK;
    }
    if (v->type == VAL_STR) {
        char *slash = NULL, *end = NULL;
        double above = strtod(v->u.s, &slash);
        if (slash != v->u.s && *slash == '/') {
            double below = strtod(slash + 1, &end);
            if (end != slash + 1 && *end == '\0' && below > 0 && isfinite(above / below)) {
                *out = above / below;
                return ERR_OK;
            }
        }
        return index_spec_fail(r->name, v, err, "expected a number or \"1/3\", found \"%.60s\"",
                               v->u.s);
    }
    return index_spec_fail(r->name, v, err, "expected a number, found %s", val_type_name(v->type));
}

enum err_code spec_number(const struct index_reader *r, const struct val *map, const char *key,
                          double min, double max, double *out, struct err *err) {
    const struct val *v = spec_member(map, key);
    if (v == NULL) return ERR_OK;
    TRY(spec_value(r, v, out, err));
    if (!(*out >= min && *out <= max))
        return index_spec_fail(r->name, v, err, "%s: expected %g to %g, found %g", key, min, max,
                               *out);
    return ERR_OK;
}

enum err_code spec_bool(const struct index_reader *r, const struct val *map, const char *key,
                        bool *out, struct err *err) {
    const struct val *v = spec_member(map, key);
    if (v == NULL) return ERR_OK;
    if (v->type != VAL_BOOL)
        return index_spec_fail(r->name, v, err, "%s: expected true or false, found %s", key,
                               val_type_name(v->type));
    *out = v->u.b;
    return ERR_OK;
}

enum err_code spec_word(const struct index_reader *r, const struct val *v, const char *const *words,
                        int *out, struct err *err) {
    char all[300];
    for (int i = 0; v->type == VAL_STR && words[i] != NULL; i++) {
        if (strcmp(words[i], v->u.s) != 0) continue;
        *out = i;
        return ERR_OK;
    }
    join(words, all, sizeof all);
    if (v->type != VAL_STR)
        return index_spec_fail(r->name, v, err, "expected one of %s, found %s", all,
                               val_type_name(v->type));
    const char *near = val_nearest(v->u.s, words);
    if (near != NULL)
        return index_spec_fail(r->name, v, err, "there is no \"%.60s\"; did you mean \"%s\"?",
                               v->u.s, near);
    return index_spec_fail(r->name, v, err, "expected one of %s, found \"%.60s\"", all, v->u.s);
}

enum err_code spec_member_word(const struct index_reader *r, const struct val *map, const char *key,
                               const char *const *words, int *out, struct err *err) {
    const struct val *v = spec_member(map, key);
    return v == NULL ? ERR_OK : spec_word(r, v, words, out, err);
}

enum err_code spec_numbers(const struct index_reader *r, const struct val *v, size_t n, double *out,
                           struct err *err) {
    if (v->type != VAL_LIST || v->n != n)
        return index_spec_fail(r->name, v, err, "expected a list of %zu numbers, found %s", n,
                               v->type == VAL_LIST ? "another length" : val_type_name(v->type));
    for (size_t i = 0; i < n; i++) TRY(spec_value(r, &v->u.list[i], &out[i], err));
    return ERR_OK;
}

enum err_code spec_node(const struct index_reader *r, const struct val_pair *p, bool indicator,
                        size_t *out, struct err *err) {
    *out = index_frame_node(r->frame, p->key);
    if (*out != SIZE_MAX && (!indicator || *out < r->frame->tree.n_ind)) return ERR_OK;
    struct val at = {.line = p->line, .col = p->col};
    return index_spec_fail(r->name, &at, err, "\"%.60s\" is not %s of %s", p->key,
                           indicator ? "an indicator" : "a code", r->frame->table->path);
}
