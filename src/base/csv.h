/* base/csv.h - RFC 4180 CSV, a record at a time: streaming reader and writer. UTF-8, an optional
 * byte-order mark, LF or CRLF, quoted fields with line breaks. */
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
/* *more is false at the end. Errors: ERR_SYNTAX (stray quote, NUL byte, open quote at the end: the
 * line is named; reading may go on at the next line), ERR_LIMIT, ERR_IO. */
enum err_code csv_read(struct csv_reader *r, struct csv_record *out, bool *more,
                       struct err *err) NODISCARD;
/* Append one field, quoted when needed; `first` says that no separator goes before it. csv_end
 * writes the line end. csv_safe_field also guards against a spreadsheet taking the text as a
 * formula (= + - @ at the start get a leading '). */
void csv_field(struct buf *b, const char *s, bool first);
void csv_safe_field(struct buf *b, const char *s, bool first);
void csv_end(struct buf *b);
#endif
