/* api/table_out.h - an answer as a table, CSV or a spreadsheet, by ?format= or Accept: made from
 * the JSON that the handler wrote, so it can tell no more and no other number. */
#ifndef API_TABLE_OUT_H
#define API_TABLE_OUT_H
#include "api/api.h"
#include "net/accept.h"

/* A line of the sheet "Method" beside what the answer itself says. */
struct table_note {
    const char *key, *text;
};
struct table_spec {
    const char *name; /* of the file, without its ending */
    const char *list; /* member that holds the rows */
    const struct table_note *note;
    size_t n_notes;
};
/* What the caller wants of json, csv and xlsx. Errors: ERR_NOT_ACCEPTABLE. */
enum err_code table_wanted(const struct call *c, enum accept_format *out,
                           struct err *err) NODISCARD;
/* The reply's JSON as a table: a column for each plain member of the rows, "part.NODE" and
 * "raw.NODE" for their parts; in CSV also the period and data version in each row, in a spreadsheet
 * a sheet "Method" with all that the answer says of itself. `json` leaves the reply as it is. A
 * name is added to a row that has an area's code only. Errors: those of sheet.h. */
enum err_code table_reply(struct call *c, enum accept_format f, const struct table_spec *spec,
                          struct err *err) NODISCARD;
/* The reply's CSV as a spreadsheet of one sheet. */
enum err_code table_reply_csv(struct call *c, const char *name, struct err *err) NODISCARD;
#endif
