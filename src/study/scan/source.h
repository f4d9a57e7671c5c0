/* study/scan/source.h - an input file as rows of fields, wherever it comes from: SaTScan's plain
 * text (fields without names, divided by blanks) or a CSV with a header. The readers of cases,
 * populations and places ask for fields by their role, and errors name file, line and column.
 *
 * SaTScan's text: one row a line (LF or CRLF), fields divided by blanks or tabs, or by one given
 * character; "a field" may stand in double quotes (a quote inside is doubled) to hold blanks; empty
 * lines are skipped. There are no comments in these files. UTF-8. */
#ifndef STUDY_SCAN_SOURCE_H
#define STUDY_SCAN_SOURCE_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "study/table/table.h"

enum { SOURCE_MAX_FIELDS = 1 << 20 }; /* of one row; a neighbours file has long ones */

struct source {
    const char *path;
    size_t n_rows;
    const struct table *table; /* a CSV; NULL: text, in the members below */
    const size_t *first;       /* n_rows + 1 offsets into field and column */
    const char *const *field;
    const long *column; /* 1-based, in bytes */
    const long *line;   /* n_rows */
};

/* A field that a role has no place for. */
#define SOURCE_ABSENT SIZE_MAX

/* Bytes of a text file; separator 0: blanks. Errors: ERR_SYNTAX (not UTF-8, a NUL byte, a quote
 * that never ends or is not doubled), ERR_LIMIT, ERR_NOMEM; each with path:line:column. */
enum err_code source_text(struct arena *a, const char *path, const char *p, size_t n,
                          char separator, size_t skip_rows, struct source *out,
                          struct err *err) NODISCARD;
/* ERR_SYNTAX with path:line:column for the first byte that is not UTF-8 or is NUL. */
enum err_code source_check(const char *path, const char *p, size_t n, struct err *err) NODISCARD;
/* A table as a source. */
void source_table(const struct table *t, struct source *out);
/* Number of fields of a row. */
size_t source_width(const struct source *s, size_t row);
/* Text of a field, or NULL when the row is shorter or index is SOURCE_ABSENT. */
const char *source_get(const struct source *s, size_t row, size_t index);
/* Where a field stands, as errors say it: "path:line:column", in a CSV "path:line: column name"; of
 * a field that the row has not, where the row begins. Arena-owned; NULL: no memory. */
const char *source_at(struct arena *a, const struct source *s, size_t row, size_t index);
/* ERR_INVALID: "path:line:column: what: expected ..., found "..."". */
enum err_code source_fail(const struct source *s, size_t row, size_t index, const char *what,
                          const char *expected, struct err *err);
/* A finite number in [min, max] (min and max may be infinite). */
enum err_code source_number(const struct source *s, size_t row, size_t index, const char *what,
                            double min, double max, double *out, struct err *err) NODISCARD;
/* A whole number of [0, max]. */
enum err_code source_count(const struct source *s, size_t row, size_t index, const char *what,
                           int64_t max, int64_t *out, struct err *err) NODISCARD;
/* A text that is not empty. */
enum err_code source_word(const struct source *s, size_t row, size_t index, const char *what,
                          const char **out, struct err *err) NODISCARD;
#endif
