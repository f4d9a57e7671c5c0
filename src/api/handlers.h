/* api/handlers.h - declares every handler that decl/routes.def names. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H
#include "api/api.h"

#define X(method, path, handler, who, rate, where, summary)                                        \
    enum err_code handler(struct call *c, struct err *err);
#include "../../decl/routes.def"
#undef X
#endif
