#include "domain/process/field.h"

#include <stdio.h>
#include <string.h>

static enum err_code bad(const struct field_def *f, const struct val *v, const char *want,
                         struct err *err) {
    char pointer[96];
    (void)snprintf(pointer, sizeof pointer, "/%s", f->name);
    (void)err_fail(err, ERR_INVALID, "field \"%s\": found %s, expected %s", f->name,
                   val_type_name(v->type), want);
    return err_field(err, ERR_INVALID, pointer);
}

static bool in_list(const struct code_list *l, const char *code) {
    for (size_t i = 0; l != NULL && i < l->n_rows; i++) {
        if (strcmp(l->rows[i].code, code) == 0) return true;
    }
    return false;
}

static enum err_code text_cell(const struct pack_set *packs, const struct field_def *f,
                               const struct val *v, struct cell *out, struct err *err) {
    if (v->type != VAL_STR) return bad(f, v, "text", err);
    size_t max = f->max > 0 ? (size_t)f->max : 4000;
    if (v->n > max) return bad(f, v, "a shorter text", err);
    if (f->kind == FIELD_CODE && !in_list(pack_list(packs, f->codes), v->u.s)) {
        return bad(f, v, "a code of its list", err);
    }
    if (f->kind == FIELD_CLASS && pack_class(packs, v->u.s) == NULL) {
        return bad(f, v, "a class id", err);
    }
    *out = cell_textn(v->u.s, v->n);
    return ERR_OK;
}

static enum err_code int_cell(const struct field_def *f, const struct val *v, struct cell *out,
                              struct err *err) {
    if (v->type != VAL_INT) return bad(f, v, "a whole number", err);
    if (f->min < f->max && (v->u.i < f->min || v->u.i > f->max)) {
        return bad(f, v, "a number in its range", err);
    }
    *out = cell_int(v->u.i);
    return ERR_OK;
}

static enum err_code time_cell(const struct field_def *f, const struct val *v, struct cell *out,
                               struct err *err) {
    int64_t us = 0;
    if (v->type != VAL_STR || rfc3339_parse(v->u.s, &us, NULL) != ERR_OK) {
        return bad(f, v, "a time such as 2026-01-02T03:04:05Z", err);
    }
    *out = cell_int(us);
    return ERR_OK;
}

enum err_code field_cell(const struct pack_set *packs, const struct field_def *f,
                         const struct val *v, struct cell *out, struct err *err) {
    if (v == NULL || v->type == VAL_NULL) {
        *out = cell_null();
        return ERR_OK;
    }
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_CODE:
    case FIELD_CLASS:
        return text_cell(packs, f, v, out, err);
    case FIELD_INT:
    case FIELD_REF:
        return int_cell(f, v, out, err);
    case FIELD_NUMBER:
        if (v->type != VAL_INT && v->type != VAL_DOUBLE) return bad(f, v, "a number", err);
        *out = cell_real(v->type == VAL_INT ? (double)v->u.i : v->u.d);
        return ERR_OK;
    case FIELD_BOOL:
        if (v->type != VAL_BOOL) return bad(f, v, "true or false", err);
        *out = cell_int(v->u.b ? 1 : 0);
        return ERR_OK;
    case FIELD_TIME:
        return time_cell(f, v, out, err);
    case FIELD_PHOTOS:
    case FIELD_JSON:
    case FIELD_SHAPE:
        break;
    }
    return bad(f, v, "nothing: this field is not filled from a form", err);
}
