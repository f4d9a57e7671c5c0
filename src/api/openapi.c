/* GET /api/v1/openapi.json: OpenAPI 3.1 made from the table of routes and the city's packs, so that
 * it cannot say anything else than what is served. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/openapi_schema.h"
#include "api/routes.h"

enum { ID_MAX = 120 };

static const struct {
    const char *prefix, *tag, *about;
} tags[] = {{"/api/v1/cases", "cases", "Cases of the staff, within the caller's rights."},
            {"/api/v1/counts", "cases", NULL},
            {"/api/v1/public", "public", "What anybody may know, and following one's own report."},
            {"/api/v1/follow", "public", NULL},
            {"/api/v1/city", "public", NULL},
            {"/api/v1/classes", "public", NULL},
            {"/api/v1/locate", "places", "Areas, cells, posts, units and map tiles."},
            {"/api/v1/areas", "places", NULL},
            {"/api/v1/cells", "places", NULL},
            {"/api/v1/posts", "places", NULL},
            {"/api/v1/units", "places", NULL},
            {"/tiles", "places", NULL},
            {"/basemap", "places", NULL},
            {"/api/v1/media", "media", "Photos."},
            {"/api/v1/warnings", "warnings", "Warnings, supervision, jobs."},
            {"/api/v1/supervisions", "warnings", NULL},
            {"/api/v1/jobs", "warnings", NULL},
            {"/open311", "open311", "Open311 GeoReport v2."},
            {"/healthz", "operation", "Health, figures, live events, this document."},
            {"/metrics", "operation", NULL},
            {"/api/v1/events", "operation", NULL},
            {"/api/v1/openapi", "operation", NULL},
            {"/", "accounts", "Signing in, accounts, tokens, notices, audit."}};
enum { N_TAGS = sizeof tags / sizeof tags[0] };

static const char *tag_of(const char *path) {
    size_t i = 0;
    while (i + 1 < N_TAGS && strncmp(path, tags[i].prefix, strlen(tags[i].prefix)) != 0) i++;
    return tags[i].tag;
}

static const char *method_name(enum http_method m) {
    switch (m) {
    case HTTP_GET:
        return "get";
    case HTTP_POST:
        return "post";
    case HTTP_PUT:
        return "put";
    case HTTP_PATCH:
        return "patch";
    default:
        return "delete";
    }
}

/* "get" and "/api/v1/cases/{code}" give get_cases_code. */
static void operation_id(const struct route *r, char out[ID_MAX]) {
    const char *path = strncmp(r->path, "/api/v1/", 8) == 0 ? r->path + 7 : r->path;
    size_t n = (size_t)snprintf(out, ID_MAX, "%s", method_name(r->method));
    bool gap = true;
    for (; *path != '\0' && n + 2 < ID_MAX; path++) {
        if (!isalnum((unsigned char)*path)) {
            gap = true;
            continue;
        }
        if (gap) out[n++] = '_';
        gap = false;
        out[n++] = *path;
    }
    out[n] = '\0';
}

static void moves_enum(const struct app *app, struct jw *w) {
    const char *seen[256];
    size_t n = 0;
    jw_key(w, "enum");
    jw_arr(w);
    for (size_t i = 0; i < app->packs->n_processes; i++) {
        const struct process_def *p = &app->packs->processes[i];
        for (size_t k = 0; k < p->n_moves && n < 256; k++) {
            size_t j = 0;
            while (j < n && strcmp(seen[j], p->moves[k].name) != 0) j++;
            if (j < n || p->moves[k].n_from == 0) continue;
            seen[n++] = p->moves[k].name;
            jw_str(w, p->moves[k].name);
        }
    }
    jw_end(w, ']');
}

static void parameter(const struct app *app, struct jw *w, const char *name, const char *in,
                      bool required) {
    jw_obj(w);
    jw_kstr(w, "name", name);
    jw_kstr(w, "in", in);
    jw_kbool(w, "required", required);
    jw_key(w, "schema");
    jw_obj(w);
    jw_kstr(w, "type", "string");
    if (strcmp(name, "move") == 0) moves_enum(app, w);
    if (strcmp(name, "format") == 0) {
        bool table = strcmp(in, "query") == 0; /* else the ending of an address of Open311 */
        jw_key(w, "enum");
        jw_arr(w);
        jw_str(w, "json");
        jw_str(w, table ? "csv" : "xml");
        if (table) jw_str(w, "xlsx");
        jw_end(w, ']');
    }
    jw_end(w, '}');
    jw_end(w, '}');
}

static const char *const list_params[] = {"state", "class", "stage", "unit",  "area", "from",
                                          "to",    "bbox",  "sort",  "limit", "after"};
static const char *const staff_params[] = {"cell", "light", "mine", "open", "asked", "q"};

static const char *const value_params[] = {"period", "level", "format"};

static bool tells_values(const struct route *r) {
    const char *end = strrchr(r->path, '/');
    return r->method == HTTP_GET && end != NULL && strcmp(end, "/values") == 0;
}

static void query_params(const struct app *app, struct jw *w, const struct route *r) {
    bool open = strncmp(r->path, "/api/v1/public/", 15) == 0; /* must say what is meant */
    for (size_t i = 0; tells_values(r) && i < sizeof value_params / sizeof value_params[0]; i++)
        parameter(app, w, value_params[i], "query", open && i < 2);
    bool staff = strcmp(r->path, "/api/v1/cases") == 0;
    if (r->method != HTTP_GET || (!staff && strcmp(r->path, "/api/v1/public/cases") != 0)) return;
    for (size_t i = 0; i < sizeof list_params / sizeof list_params[0]; i++)
        parameter(app, w, list_params[i], "query", false);
    for (size_t i = 0; staff && i < sizeof staff_params / sizeof staff_params[0]; i++)
        parameter(app, w, staff_params[i], "query", false);
}

static bool needs_version(const struct route *r) {
    return strcmp(r->path, "/api/v1/cases/{code}/{move}") == 0 || r->method == HTTP_PATCH;
}

static void parameters(const struct app *app, struct jw *w, const struct route *r) {
    jw_key(w, "parameters");
    jw_arr(w);
    for (const char *p = strchr(r->path, '{'); p != NULL; p = strchr(p, '{')) {
        char name[40];
        size_t n = strcspn(++p, "}");
        (void)snprintf(name, sizeof name, "%.*s", (int)n, p);
        parameter(app, w, name, "path", true);
    }
    query_params(app, w, r);
    if (needs_version(r)) parameter(app, w, "If-Match", "header", true);
    if (r->method == HTTP_POST) parameter(app, w, "Idempotency-Key", "header", false);
    jw_end(w, ']');
}

static void content(struct jw *w, const char *type, const char *schema) {
    jw_key(w, "content");
    jw_obj(w);
    jw_key(w, type);
    jw_obj(w);
    jw_key(w, "schema");
    openapi_ref(w, schema);
    jw_end(w, '}');
    jw_end(w, '}');
}

static void request_body(struct jw *w, const struct route *r) {
    if (r->method != HTTP_POST && r->method != HTTP_PATCH && r->method != HTTP_PUT) return;
    const char *type = "application/json";
    if (strcmp(r->path, "/api/v1/media") == 0) type = "multipart/form-data";
    if (strncmp(r->path, "/open311/", 9) == 0) type = "application/x-www-form-urlencoded";
    jw_key(w, "requestBody");
    jw_obj(w);
    jw_kbool(w, "required", true);
    content(w, type, openapi_body_of(r->method, r->path));
    jw_end(w, '}');
}

static const char *answer_type(const struct route *r) {
    if (strncmp(r->path, "/tiles", 6) == 0 || strncmp(r->path, "/basemap", 8) == 0)
        return "application/vnd.mapbox-vector-tile";
    if (strcmp(r->path, "/metrics") == 0) return "text/plain";
    if (r->where == ROUTE_STREAM) return "text/event-stream";
    if (strncmp(r->path, "/api/v1/media/", 14) == 0) return "image/jpeg";
    return "application/json";
}

static void problem(struct jw *w, const char *status, const char *about, bool open311) {
    jw_key(w, status);
    jw_obj(w);
    jw_kstr(w, "description", about);
    if (open311)
        content(w, "application/json", NULL);
    else
        content(w, "application/problem+json", "Problem");
    jw_end(w, '}');
}

static bool makes(const struct route *r) {
    return r->method == HTTP_POST &&
           (strcmp(r->path, "/api/v1/cases") == 0 || strcmp(r->path, "/api/v1/media") == 0 ||
            strncmp(r->path, "/open311/", 9) == 0);
}

static void responses(struct jw *w, const struct route *r) {
    bool open311 = strncmp(r->path, "/open311/", 9) == 0;
    jw_key(w, "responses");
    jw_obj(w);
    jw_key(w, makes(r) ? "201" : "200");
    jw_obj(w);
    jw_kstr(w, "description", r->summary);
    content(w, answer_type(r), openapi_answer_of(r->method, r->path));
    jw_end(w, '}');
    if (r->who != WHO_PUBLIC) problem(w, "401", "Sign in first.", false);
    if (r->who >= 0) problem(w, "403", "The role does not have the right.", false);
    if (strchr(r->path, '{') != NULL)
        problem(w, "404", "There is no such record, or it is not within the caller's rights.",
                open311);
    if (needs_version(r)) {
        problem(w, "412", "Somebody changed it meanwhile.", false);
        problem(w, "428", "If-Match is missing.", false);
    }
    problem(w, "4XX", "The request is not valid or not allowed.", open311);
    problem(w, "5XX", "The server cannot do it now.", open311);
    jw_end(w, '}');
}

static void security(struct jw *w, const struct route *r) {
    jw_key(w, "security");
    jw_arr(w);
    if (r->who == WHO_PUBLIC) {
        jw_obj(w);
        jw_end(w, '}');
    }
    static const char *const schemes[] = {"session", "token"};
    for (size_t i = 0; i < 2; i++) {
        jw_obj(w);
        jw_key(w, schemes[i]);
        jw_arr(w);
        jw_end(w, ']');
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void operation(const struct app *app, struct jw *w, const struct route *r) {
    char id[ID_MAX];
    operation_id(r, id);
    jw_key(w, method_name(r->method));
    jw_obj(w);
    jw_kstr(w, "operationId", id);
    jw_kstr(w, "summary", r->summary);
    jw_kstr(w, "description", r->summary);
    jw_key(w, "tags");
    jw_arr(w);
    jw_str(w, tag_of(r->path));
    jw_end(w, ']');
    security(w, r);
    parameters(app, w, r);
    request_body(w, r);
    responses(w, r);
    jw_end(w, '}');
}

static void paths(const struct app *app, struct jw *w) {
    jw_key(w, "paths");
    jw_obj(w);
    for (size_t i = 0; i < n_routes; i++) {
        size_t first = 0;
        while (strcmp(routes[first].path, routes[i].path) != 0) first++;
        if (first < i) continue;
        jw_key(w, routes[i].path);
        jw_obj(w);
        for (size_t k = i; k < n_routes; k++) {
            if (strcmp(routes[k].path, routes[i].path) == 0) operation(app, w, &routes[k]);
        }
        jw_end(w, '}');
    }
    jw_end(w, '}');
}

static void info(const struct app *app, struct jw *w) {
    jw_kstr(w, "openapi", "3.1.0");
    jw_key(w, "info");
    jw_obj(w);
    jw_kstr(w, "title", "Gezhi");
    jw_kstr(w, "version", "1");
    jw_kstr(w, "summary", "Cases of a city, from the report to the closed case.");
    jw_kstr(w, "description",
            "Made by this server from its routes and the city's packs. Times are RFC 3339; errors "
            "are application/problem+json. docs/api.md tells more.");
    jw_key(w, "contact");
    jw_obj(w);
    jw_kstr(w, "name", app->folder.city.name);
    jw_end(w, '}');
    jw_key(w, "license");
    jw_obj(w);
    jw_kstr(w, "name", "Apache-2.0");
    jw_kstr(w, "identifier", "Apache-2.0");
    jw_end(w, '}');
    jw_end(w, '}');
    jw_key(w, "servers");
    jw_arr(w);
    jw_obj(w);
    jw_kstr(w, "url", "/");
    jw_end(w, '}');
    jw_end(w, ']');
    jw_key(w, "tags");
    jw_arr(w);
    for (size_t i = 0; i < N_TAGS; i++) {
        if (tags[i].about == NULL) continue;
        jw_obj(w);
        jw_kstr(w, "name", tags[i].tag);
        jw_kstr(w, "description", tags[i].about);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void schemes(struct jw *w) {
    jw_key(w, "securitySchemes");
    jw_obj(w);
    jw_key(w, "session");
    jw_obj(w);
    jw_kstr(w, "type", "apiKey");
    jw_kstr(w, "in", "cookie");
    jw_kstr(w, "name", "gezhi_session");
    jw_kstr(w, "description", "A browser's session; writes also need the header X-CSRF-Token.");
    jw_end(w, '}');
    jw_key(w, "token");
    jw_obj(w);
    jw_kstr(w, "type", "http");
    jw_kstr(w, "scheme", "bearer");
    jw_kstr(w, "description", "An API token (gezhi user token).");
    jw_end(w, '}');
    jw_end(w, '}');
}

enum err_code openapi_get(struct call *c, struct err *err) {
    struct jw w = call_json(c);
    jw_obj(&w);
    info(c->app, &w);
    paths(c->app, &w);
    jw_key(&w, "components");
    jw_obj(&w);
    openapi_schemas(c->app, &w);
    schemes(&w);
    jw_end(&w, '}');
    jw_end(&w, '}');
    c->reply.cache = "public, max-age=60";
    return buf_check(&c->reply.body, err);
}
