/* study/table/table.h - a CSV file held whole, columns by name: the input of the statistical
 * subcommands. Errors name file, line and column: "areas.csv:14: column population: expected a
 * number, found "12a"". */
#ifndef STUDY_TABLE_TABLE_H
#define STUDY_TABLE_TABLE_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct table {
    const char *path; /* as the user wrote it, for errors */
    size_t n_col, n_row;
    const char *const *name; /* n_col, from the header row */
    const char *const *cell; /* n_row x n_col, row-major */
    const long *line;        /* n_row: where the row begins in the file */
};

/* Read from a path ("-" is standard input; a name ending in .gz is unpacked). separator 0: comma,
 * or semicolon or tab when the header has more of those. At most max_rows rows and 512 MiB of
 * text. Errors: ERR_NOT_FOUND, ERR_IO, ERR_SYNTAX, ERR_LIMIT, ERR_INVALID (two columns of one
 * name, a row with another number of fields than the header). */
enum err_code table_load(struct arena *a, const char *path, char separator, size_t max_rows,
                         const struct table **out, struct err *err) NODISCARD;
/* The same of bytes in memory; name stands in errors. */
enum err_code table_parse(struct arena *a, const char *name, const char *p, size_t n,
                          char separator, size_t max_rows, const struct table **out,
                          struct err *err) NODISCARD;

/* Index of a column. With required, ERR_INVALID says which columns there are (and the nearest
 * name); otherwise *col is SIZE_MAX when it is absent. */
enum err_code table_column(const struct table *t, const char *name, bool required, size_t *col,
                           struct err *err) NODISCARD;
/* Text of a cell, "" when empty. */
const char *table_text(const struct table *t, size_t row, size_t col);
/* A finite number; empty, "NA" and "NaN" are NaN when missing is allowed, else ERR_INVALID. */
enum err_code table_number(const struct table *t, size_t row, size_t col, bool may_miss,
                           double *out, struct err *err) NODISCARD;
/* A whole number in [min, max]. */
enum err_code table_int(const struct table *t, size_t row, size_t col, int64_t min, int64_t max,
                        int64_t *out, struct err *err) NODISCARD;
/* A date "2026-01-31", "2026/1/31", "2026-01" (its first day) or "2026-W05" (its Monday), as days
 * since 1970-01-01. */
enum err_code table_date(const struct table *t, size_t row, size_t col, int32_t *out,
                         struct err *err) NODISCARD;
/* ERR_INVALID at a cell of the caller's judgement: expected what. */
enum err_code table_fail(const struct table *t, size_t row, size_t col, const char *expected,
                         struct err *err);
#endif
