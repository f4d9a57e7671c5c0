#include "net/form.h"

enum err_code form_parse(struct arena *a, const char *p, size_t n, struct query *out,
                         struct err *err) {
    *out = (struct query){0};
    if (n > FORM_MAX_BYTES)
        return err_fail(err, ERR_TOO_LARGE, "form of %zu bytes, at most %d", n, FORM_MAX_BYTES);
    return query_parse(a, p, n, FORM_MAX_PAIRS, out, err);
}
