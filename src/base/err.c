#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct code_row {
    const char *name;
    int status;
    const char *en;
    const char *zh;
};

static const struct code_row codes[] = {
#define X(name, status, en, zh) {#name, status, en, zh},
#include "../../decl/errors.def"
#undef X
};

static const struct code_row *row_of(enum err_code code) {
    size_t i = (size_t)code;
    return &codes[i < ERR_N_CODES ? i : (size_t)ERR_INTERNAL];
}

enum err_code err_fail_at(struct err *err, enum err_code code, const char *file, int line,
                          const char *fmt, ...) {
    if (err == NULL) return code;
    err->code = code;
    err->file = file;
    err->line = line;
    err->field[0] = '\0';
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->detail, sizeof err->detail, fmt, ap);
    va_end(ap);
    return code;
}

enum err_code err_field(struct err *err, enum err_code code, const char *pointer) {
    if (err == NULL) return code;
    (void)snprintf(err->field, sizeof err->field, "%s", pointer);
    return err->code;
}

int err_status(enum err_code code) { return row_of(code)->status; }
const char *err_name(enum err_code code) { return row_of(code)->name; }
const char *err_text(enum err_code code, bool zh) {
    return zh ? row_of(code)->zh : row_of(code)->en;
}

_Noreturn void err_assert_failed(const char *what, const char *file, int line) {
    (void)fprintf(stderr, "assertion failed: %s (%s:%d)\n", what, file, line);
    abort();
}
