/* base/csv.h - RFC 4180 CSV, a record at a time: streaming reader and writer. UTF-8, an optional
 * byte-order mark, LF or CRLF, quoted fields with line breaks. Empty lines are skipped.
 * A carriage return that is not part of a line end is data. One thread at a time a reader. */
#ifndef BASE_CSV_H
#define BASE_CSV_H
#include <stdio.h>

#include "base/buf.h"

enum { CSV_MAX_FIELDS = 1024, CSV_MAX_RECORD = 1 << 20 };

struct csv_reader;
struct csv_record {
    size_t n;
    const char *const *field; /* n NUL-terminated fields, borrowed until the next read */
    const size_t *len;
    const char *raw; /* the record as it stood, without its line end, raw_n bytes */
    size_t raw_n;
    long line; /* 1-based line on which the record began */
};

/* Reads through `in` (borrowed). separator is usually ','. NULL when there is no memory. */
struct csv_reader *csv_reader_new(FILE *in, char separator);
void csv_reader_free(struct csv_reader *r);
/* *more is false at the end. Errors: ERR_SYNTAX (stray quote, NUL byte, not UTF-8, a quote never
 * closed; the line is named), ERR_LIMIT (more than CSV_MAX_FIELDS or CSV_MAX_RECORD), ERR_IO,
 * ERR_NOMEM. After ERR_SYNTAX and ERR_LIMIT the next call goes on at the line after the one named;
 * out->line and out->raw then hold that line as it stood (at most CSV_MAX_RECORD bytes of it) and n
 * is 0. Waits for no more input than the record's own lines. */
enum err_code csv_read(struct csv_reader *r, struct csv_record *out, bool *more,
                       struct err *err) NODISCARD;
/* Append one field for the separator ',', quoted when needed; `first` says that no separator goes
 * before it. csv_end writes the line end, LF. csv_safe_field also guards against a spreadsheet
 * taking the text as a formula (= + - @ at the start get a leading '). */
void csv_field(struct buf *b, const char *s, bool first);
void csv_safe_field(struct buf *b, const char *s, bool first);
void csv_end(struct buf *b);
#endif
