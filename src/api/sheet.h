/* api/sheet.h - a spreadsheet file (Office Open XML, by libxlsxwriter): sheets of text and numbers,
 * row after row. Never a formula, link or macro: a text stays a text whatever it begins with. Rows
 * go to a temporary file, so memory does not grow with them. One thread at a time a book. */
#ifndef API_SHEET_H
#define API_SHEET_H
#include <stdint.h>

#include "base/buf.h"

struct sheet_book;
/* at_s: the moment told as the file's making, UTC seconds. Errors: ERR_NOMEM, ERR_IO. */
enum err_code sheet_book_new(int64_t at_s, struct sheet_book **out, struct err *err) NODISCARD;
void sheet_book_free(struct sheet_book *b); /* NULL is legal */
/* The next sheet; cells go there. name: at most 31 characters, none of []:*?/\. Errors: ERR_NOMEM.
 */
enum err_code sheet_begin(struct sheet_book *b, const char *name, struct err *err) NODISCARD;
void sheet_head(struct sheet_book *b, const char *text); /* bold */
void sheet_text(struct sheet_book *b, const char *text); /* NULL: an empty cell */
void sheet_number(struct sheet_book *b, double v);       /* not finite: an empty cell */
void sheet_end_row(struct sheet_book *b);
/* Appends the file; the book takes no more cells. Errors: ERR_TOO_LARGE (a cell beyond the format's
 * limits, or out is full), ERR_IO, ERR_NOMEM. */
enum err_code sheet_book_write(struct sheet_book *b, struct buf *out, struct err *err) NODISCARD;
#endif
