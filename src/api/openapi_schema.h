/* api/openapi_schema.h - the schemas of the OpenAPI document: fixed shapes, and those that follow
 * from the packs. */
#ifndef API_OPENAPI_SCHEMA_H
#define API_OPENAPI_SCHEMA_H
#include "api/app.h"

/* Member "schemas". */
void openapi_schemas(const struct app *app, struct jw *w);
/* The schema's name of a request body, or of the answer, of a route; NULL: any object. */
const char *openapi_body_of(enum http_method method, const char *path);
const char *openapi_answer_of(enum http_method method, const char *path);
/* {"$ref": "#/components/schemas/NAME"}, or any object when name is NULL. */
void openapi_ref(struct jw *w, const char *name);
#endif
