/* api/open311.h - Open311 GeoReport v2 below /open311/v2: what a stranger may know, and reporting.
 */
#ifndef API_OPEN311_H
#define API_OPEN311_H
#include "api/api.h"

struct http_response;

/* Whether the address belongs to Open311: its errors are lists of {code, description}. */
bool open311_path(const char *path);
/* The error as this interface writes it, in the notation that the address asks for. */
struct http_response *open311_error(const struct call *c, enum err_code rc, const struct err *err);
#endif
