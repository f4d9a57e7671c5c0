/* base/err.h - error codes and the caller's error record.
 * Every fallible function returns enum err_code and takes struct err *err last (may be NULL). The
 * first detector fills it with err_fail, callers pass it up with TRY, the edge logs it once and
 * maps the code to a status. */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include <stdbool.h>
#include <stddef.h>

#ifdef __GNUC__
#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#else
#define NODISCARD
#define PRINTF_LIKE(f, a)
#endif

enum err_code {
#define X(name, status, en, zh) ERR_##name,
#include "../../decl/errors.def"
#undef X
    ERR_N_CODES
};

struct err {
    enum err_code code;
    const char *file; /* source position of the detector */
    int line;
    char field[96];   /* JSON pointer of the offending field, "" when there is none */
    char detail[512]; /* what was found and what was expected; shown to the user for 4xx codes */
};

/* Fill *err (when not NULL) and return code. The text is cut, never overrun. */
enum err_code err_fail_at(struct err *err, enum err_code code, const char *file, int line,
                          const char *fmt, ...) PRINTF_LIKE(5, 6);
#ifdef __clang_analyzer__ /* it sees one file at a time and has to be told that the code comes     \
                             back */
#define err_fail(err, code, ...)                                                                   \
    (err_fail_at((err), (code), __FILE__, __LINE__, __VA_ARGS__), (code))
#else
#define err_fail(err, code, ...) err_fail_at((err), (code), __FILE__, __LINE__, __VA_ARGS__)
#endif

/* Name the field (JSON pointer such as "/lon") of an error already filled; returns err->code, or
 * code when err is NULL. */
enum err_code err_field(struct err *err, enum err_code code, const char *pointer);

/* HTTP status and public texts of a code. Never NULL. */
int err_status(enum err_code code);
const char *err_name(enum err_code code);
const char *err_text(enum err_code code, bool zh);

#define TRY(expr)                                                                                  \
    do {                                                                                           \
        enum err_code rc_ = (expr);                                                                \
        if (rc_ != ERR_OK) return rc_;                                                             \
    } while (0)

/* Our own bug: on in release, prints where and aborts. Never on input, stored data or allocation.
 */
#define app_assert(x) ((x) ? (void)0 : err_assert_failed(#x, __FILE__, __LINE__))
_Noreturn void err_assert_failed(const char *what, const char *file, int line);
#endif
