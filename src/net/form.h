/* net/form.h - bodies of type application/x-www-form-urlencoded. Pure; safe from any thread. */
#ifndef NET_FORM_H
#define NET_FORM_H
#include "net/query.h"

enum { FORM_MAX_PAIRS = 256, FORM_MAX_BYTES = 1 << 20 };

/* As query_parse, with the limits of a form. Errors: ERR_SYNTAX, ERR_TOO_LARGE, ERR_NOMEM. */
enum err_code form_parse(struct arena *a, const char *p, size_t n, struct query *out,
                         struct err *err) NODISCARD;
#endif
