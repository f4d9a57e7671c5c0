#include "api/routes.h"

#include <string.h>

#include "api/handlers.h"

/* The WHO column names a permission or one of these two. */
#define PERM_PUBLIC WHO_PUBLIC
#define PERM_SIGNED_IN WHO_SIGNED_IN

const struct route routes[] = {
#define X(method, path, handler, who, rate, where, summary)                                        \
    {HTTP_##method, path, handler, (int)PERM_##who, RATE_##rate, ROUTE_##where, summary},
#include "../../decl/routes.def"
#undef X
};
const size_t n_routes = sizeof routes / sizeof routes[0];

/* Walks pattern and path side by side; a {part} takes one non-empty segment. */
static bool match(const char *pattern, const char *path, struct arena *a, const char **params) {
    size_t n = 0;
    while (*pattern != '\0' && *path != '\0') {
        if (*pattern == '{') {
            size_t len = strcspn(path, "/");
            pattern += strcspn(pattern, "}") + 1;
            /* "{y}.mvt": what stands after the part must end the segment */
            size_t tail = strcspn(pattern, "/");
            if (len <= tail || strncmp(path + len - tail, pattern, tail) != 0) return false;
            if (n == API_MAX_PARAMS) return false;
            if (a != NULL) {
                params[n] = arena_dup(a, path, len - tail);
                if (params[n] == NULL) return false;
            }
            n++;
            path += len;
            pattern += tail;
        } else {
            if (*pattern != *path) return false;
            pattern++;
            path++;
        }
    }
    return *pattern == '\0' && *path == '\0';
}

/* Characters before the first {part}: of two routes that fit, the more literal one is meant. */
static size_t n_literal(const char *pattern) { return strcspn(pattern, "{"); }

enum err_code route_find(enum http_method method, const char *path, struct arena *a,
                         const struct route **out, const char *params[API_MAX_PARAMS],
                         struct err *err) {
    enum http_method want = method == HTTP_HEAD ? HTTP_GET : method;
    const struct route *best = NULL;
    bool path_known = false;
    for (size_t i = 0; i < n_routes; i++) {
        if (!match(routes[i].path, path, NULL, NULL)) continue;
        path_known = true;
        if (routes[i].method != want) continue;
        if (best == NULL || n_literal(routes[i].path) > n_literal(best->path)) best = &routes[i];
    }
    if (best == NULL) {
        return path_known ? err_fail(err, ERR_METHOD, "the address does not take this method")
                          : err_fail(err, ERR_NOT_FOUND, "there is nothing at this address");
    }
    if (!match(best->path, path, a, params)) return err_fail(err, ERR_NOMEM, "path");
    *out = best;
    return ERR_OK;
}

bool routes_has_prefix(const char *path) {
    static const char *const prefixes[] = {"/api/",     "/tiles/",  "/basemap/",
                                           "/open311/", "/healthz", "/metrics"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncmp(path, prefixes[i], strlen(prefixes[i])) == 0) return true;
    }
    return false;
}
