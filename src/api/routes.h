/* api/routes.h - decl/routes.def as a table, and the match of a path. */
#ifndef API_ROUTES_H
#define API_ROUTES_H
#include "api/api.h"
#include "domain/identity/throttle.h"
#include "net/http.h"

enum { WHO_PUBLIC = -1, WHO_SIGNED_IN = -2 };
enum route_where { ROUTE_LOOP = 1, ROUTE_POOL = 2, ROUTE_STREAM = 3 };
enum { ROUTE_MAX_SEGMENTS = 8 };

struct route {
    enum http_method method;
    const char *path;
    api_handler *handler;
    int who; /* enum permission, WHO_PUBLIC or WHO_SIGNED_IN */
    enum rate rate;
    enum route_where where;
    const char *summary;
};
extern const struct route routes[];
extern const size_t n_routes;

/* The route of a method and path; {parts} are copied to params (arena). HEAD matches GET.
 * Errors: ERR_NOT_FOUND no such path, ERR_METHOD the path exists with other methods, ERR_NOMEM. */
/* Whether the path lies below an address that the table serves, so that what is not found there is
 * a problem and no page. */
bool routes_has_prefix(const char *path);
enum err_code route_find(enum http_method method, const char *path, struct arena *a,
                         const struct route **out, const char *params[API_MAX_PARAMS],
                         struct err *err) NODISCARD;
#endif
