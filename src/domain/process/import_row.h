/* domain/process/import_row.h - one record of a table of requests, read by a map. Pure but for the
 * arena. */
#ifndef DOMAIN_PROCESS_IMPORT_ROW_H
#define DOMAIN_PROCESS_IMPORT_ROW_H
#include "base/csv.h"
#include "domain/process/import_map.h"

/* Where the columns of a map stand in a table. */
struct import_head {
    int column[MAP_N_COLUMNS]; /* -1: the map has no such column */
    int cls, state, channel, on_time;
    int field[MAP_MAX_FIELDS];
    size_t n; /* columns of the table */
};
enum { IMPORT_SAID_NOTHING = 0, IMPORT_SAID_ON_TIME = 1, IMPORT_SAID_OVERDUE = 2 };
struct import_row {
    const struct case_class *cls;
    const struct state_def *state;
    const char *id, *channel, *place, *description, *source_class; /* NULL when blank but for id */
    bool has_place;
    double lon, lat;                      /* WGS-84 */
    int64_t opened_us, due_us, closed_us; /* 0: none */
    bool overdue;                         /* by import_overdue */
    int said;                             /* what the source says of it: IMPORT_SAID_... */
    const struct val *extra;              /* map of the city's own fields, or NULL */
};

/* Errors: ERR_INVALID naming a column that the map wants and the table has not, or a column that
 * stands twice; ERR_REFUSED when any column, mapped or not, stands for what Gezhi does not hold. */
enum err_code import_head_read(const struct case_map *m, const struct csv_record *r,
                               struct import_head *out, struct err *err) NODISCARD;
/* now_us: nothing may lie after it but the due time. Errors: ERR_INVALID naming column, value and
 * what was expected; ERR_NOMEM. Texts are copied into the arena. */
enum err_code import_row_read(const struct case_map *m, const struct engine *e,
                              const struct import_head *head, const struct csv_record *r,
                              int64_t now_us, struct arena *a, struct import_row *out,
                              struct err *err) NODISCARD;
/* Whether a case is or was late: it has a due time, and was closed after it, or is open and it is
 * past as of as_of_us. A case without a due time is never late. */
bool import_overdue(int64_t due_us, int64_t closed_us, int64_t as_of_us);
#endif
