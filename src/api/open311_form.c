#include "api/open311_form.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/form.h"

enum { CONTACT_MAX = 190 };

bool open311_offers(const struct case_class *c) {
    return c != NULL && c->is_open && !c->is_private;
}

const char *open311_datatype(const struct engine *e, size_t field) {
    const struct field_def *f = &e->case_type->fields[field];
    if (!f->form || f->engine || case_is_engine_column(e, (int)field)) return NULL;
    switch (f->kind) {
    case FIELD_TEXT:
        return f->max > 200 ? "text" : "string";
    case FIELD_INT:
    case FIELD_NUMBER:
        return "number";
    case FIELD_BOOL:
    case FIELD_CODE:
        return "singlevaluelist";
    case FIELD_TIME:
    case FIELD_DATE:
        return "datetime";
    default:
        return NULL; /* nothing a form of another system could fill */
    }
}

/* The value of a parameter; NULL when absent or empty. */
static const char *given(const struct query *q, const char *key) {
    const char *s = query_get(q, key);
    return s == NULL || s[0] == '\0' ? NULL : s;
}

static enum err_code bad(const char *key, const char *want, struct err *err) {
    return err_fail(err, ERR_INVALID, "%s: %s", key, want);
}

static enum err_code degrees(const struct query *q, const char *key, double max, double *out,
                             struct err *err) {
    const char *s = given(q, key);
    char *end = NULL;
    if (s == NULL || s[strspn(s, "+-.0123456789eE")] != '\0')
        return bad(key, "expected degrees of WGS-84", err);
    *out = strtod(s, &end);
    if (end == s || *end != '\0' || !isfinite(*out) || fabs(*out) > max)
        return bad(key, "expected degrees of WGS-84", err);
    return ERR_OK;
}

static enum err_code read_place(const struct query *q, struct report *r, struct err *err) {
    r->place_text = given(q, "address_string");
    if (given(q, "lat") == NULL && given(q, "long") == NULL) {
        if (r->place_text == NULL && r->cls->needs_place)
            return bad("lat, long", "one of lat and long, or address_string, is needed", err);
        if (r->cls->needs_place)
            return bad("lat, long", "this service needs them; an address alone cannot be placed",
                       err);
        return ERR_OK;
    }
    TRY(degrees(q, "lat", 90, &r->lat, err));
    TRY(degrees(q, "long", 180, &r->lon, err));
    r->has_place = true;
    return ERR_OK;
}

/* How to reach the reporter, as one line. */
static enum err_code read_contact(const struct query *q, struct arena *a, struct report *r,
                                  struct err *err) {
    static const char *const keys[] = {"last_name", "first_name", "phone", "email"};
    char *line = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *s = given(q, keys[i]);
        if (s == NULL) continue;
        line = line == NULL ? arena_strdup(a, s) : arena_printf(a, "%s, %s", line, s);
        if (line == NULL) return err_fail(err, ERR_NOMEM, "form");
        if (strlen(line) > CONTACT_MAX)
            return bad(keys[i], "names, phone and email are too long together", err);
    }
    r->contact = line;
    return ERR_OK;
}

static enum err_code attribute(const struct field_def *f, const char *s, struct val *out,
                               struct err *err) {
    char *end = NULL;
    errno = 0;
    if (f->kind == FIELD_INT) {
        *out = (struct val){.type = VAL_INT, .u.i = strtoll(s, &end, 10)};
    } else if (f->kind == FIELD_NUMBER) {
        *out = (struct val){.type = VAL_DOUBLE, .u.d = strtod(s, &end)};
        if (!isfinite(out->u.d)) end = NULL;
    } else if (f->kind == FIELD_BOOL) {
        if (strcmp(s, "true") != 0 && strcmp(s, "false") != 0)
            return bad(f->name, "expected true or false", err);
        *out = (struct val){.type = VAL_BOOL, .u.b = s[0] == 't'};
        return ERR_OK;
    } else {
        *out = (struct val){.type = VAL_STR, .n = strlen(s), .u.s = s};
        return ERR_OK;
    }
    return end != NULL && end != s && *end == '\0' && errno == 0
               ? ERR_OK
               : bad(f->name, "expected a number", err);
}

/* attribute[name]=value for each of the city's own fields. */
static enum err_code read_attributes(const struct engine *e, const struct query *q, struct arena *a,
                                     struct report *r, struct err *err) {
    const struct type_def *t = e->case_type;
    struct val_pair *pairs = ARENA_NEW(a, struct val_pair, t->n_fields);
    struct val *map = ARENA_NEW(a, struct val, 1);
    if (pairs == NULL || map == NULL) return err_fail(err, ERR_NOMEM, "form");
    size_t n = 0;
    for (size_t i = 0; i < t->n_fields; i++) {
        if (open311_datatype(e, i) == NULL) continue;
        char *key = arena_printf(a, "attribute[%s]", t->fields[i].name);
        if (key == NULL) return err_fail(err, ERR_NOMEM, "form");
        const char *s = given(q, key);
        if (s == NULL) continue;
        pairs[n].key = t->fields[i].name;
        TRY(attribute(&t->fields[i], s, &pairs[n++].v, err));
    }
    *map = (struct val){.type = VAL_MAP, .n = n, .u.map = pairs};
    r->extra = map;
    return ERR_OK;
}

enum err_code open311_form(const struct engine *e, struct arena *a, const char *body, size_t n,
                           struct open311_post *out, struct err *err) {
    struct query q;
    *out = (struct open311_post){.report = {.channel = "open311", .with_word = true}};
    TRY(form_parse(a, body, n, &q, err));
    const char *code = given(&q, "service_code");
    if (code == NULL) return bad("service_code", "it is needed", err);
    struct report *r = &out->report;
    r->cls = pack_class(e->packs, code);
    if (!open311_offers(r->cls))
        return err_fail(err, ERR_NOT_FOUND, "service_code \"%.60s\" is not offered", code);
    out->api_key = given(&q, "api_key");
    out->media_ignored = given(&q, "media_url") != NULL;
    r->description = given(&q, "description");
    TRY(read_place(&q, r, err));
    TRY(read_contact(&q, a, r, err));
    return read_attributes(e, &q, a, r, err);
}
