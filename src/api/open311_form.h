/* api/open311_form.h - a request as Open311 posts it: a form body into a report. Pure. */
#ifndef API_OPEN311_FORM_H
#define API_OPEN311_FORM_H
#include "domain/process/engine.h"

struct open311_post {
    struct report report; /* class, place, texts, extra fields; `who` is the caller's business */
    const char *api_key;  /* NULL: none */
    bool media_ignored;   /* an address of a photo was given; it is not fetched */
};
/* Whether a class is offered: open and not private. NULL is not. */
bool open311_offers(const struct case_class *c);
/* Whether a field of the case type is asked for as an attribute, and of what datatype; NULL when
 * not. */
const char *open311_datatype(const struct engine *e, size_t field);
/* Everything is arena-owned. Errors: those of form_parse; ERR_INVALID naming the parameter;
 * ERR_NOT_FOUND service_code. */
enum err_code open311_form(const struct engine *e, struct arena *a, const char *body, size_t n,
                           struct open311_post *out, struct err *err) NODISCARD;
#endif
