#include <string.h>
#include <strings.h>

#include "net/http_internal.h"

static const struct http_head *head_of(const struct http_request *req) {
    return &((const struct http_request_full *)req)->head;
}

const char *http_header(const struct http_request *req, const char *name) {
    const struct http_head *h = head_of(req);
    for (size_t i = 0; i < h->n; i++)
        if (strcasecmp(h->field[i].name, name) == 0) return h->field[i].value;
    return NULL;
}

const char *http_param(const struct http_request *req, const char *key) {
    return query_get(&req->pairs, key);
}

/* "a=1; b=2": the value of a name within one header, as an arena copy. */
static const char *cookie_in(struct arena *a, const char *text, const char *name) {
    size_t name_n = strlen(name);
    for (const char *p = text; *p != '\0';) {
        p += strspn(p, " \t;");
        size_t n = strcspn(p, ";");
        const char *eq = memchr(p, '=', n);
        if (eq != NULL && (size_t)(eq - p) == name_n && memcmp(p, name, name_n) == 0) {
            const char *v = eq + 1;
            size_t v_n = n - name_n - 1;
            while (v_n > 0 && (v[v_n - 1] == ' ' || v[v_n - 1] == '\t')) v_n--;
            if (v_n >= 2 && v[0] == '"' && v[v_n - 1] == '"') return arena_dup(a, v + 1, v_n - 2);
            return arena_dup(a, v, v_n);
        }
        p += n;
    }
    return NULL;
}

const char *http_cookie(const struct http_request *req, const char *name) {
    const struct http_head *h = head_of(req);
    for (size_t i = 0; i < h->n; i++) {
        if (strcmp(h->field[i].name, "cookie") != 0) continue;
        const char *v = cookie_in(req->arena, h->field[i].value, name);
        if (v != NULL) return v;
    }
    return NULL;
}

static const char *opaque_part(const char *tag) {
    return strncmp(tag, "W/", 2) == 0 ? tag + 2 : tag;
}

bool http_if_none_match(const struct http_request *req, const char *etag) {
    const char *list = http_header(req, "if-none-match");
    const char *want = opaque_part(etag);
    size_t want_n = strlen(want);
    if (list == NULL) return false;
    if (strcmp(list, "*") == 0) return true;
    for (const char *p = list; *p != '\0';) {
        p += strspn(p, " \t,");
        p = opaque_part(p);
        if (*p != '"') return false;
        const char *close = strchr(p + 1, '"');
        if (close == NULL) return false;
        if ((size_t)(close + 1 - p) == want_n && memcmp(p, want, want_n) == 0) return true;
        p = close + 1;
    }
    return false;
}
