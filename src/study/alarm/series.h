/* study/alarm/series.h - reading the input of "gezhi alarm": a table with one row a date (and
 * group), to one series a group without gaps.
 * Errors name file, line and column. Two rows of one date and missing dates are errors unless the
 * caller says what they mean. */
#ifndef STUDY_ALARM_SERIES_H
#define STUDY_ALARM_SERIES_H
#include "num/alarm/alarm.h"
#include "study/table/table.h"

enum series_step { SERIES_AUTO, SERIES_DAY, SERIES_WEEK };
struct series_options {
    /* Names of columns. NULL: the usual name, and the column may be absent (not date and count). */
    const char *date, *count;       /* "date", "count" */
    const char *population, *group; /* "population", "group" */
    const char *label;              /* "outbreak", else "state": 0 or 1 */
    const char *expected;           /* known in-control means; never taken unless named */
    bool need_label;                /* a label column must be there */
    enum series_step step;          /* AUTO: weeks when all gaps are whole weeks, else days */
    bool fill_zero;                 /* a missing date is a count of 0 */
    bool sum_duplicates;            /* rows of one date and group are added up */
    const struct table *holidays;   /* column "date"; NULL: none */
};
struct series_group {
    const char *name; /* "" without a group column */
    size_t n;
    int64_t *count;
    int32_t *day;       /* days since 1970-01-01; of a numbered series its numbers */
    double *population; /* NULL: no such column */
    double *mean;       /* NULL: no such column */
    uint8_t *label;     /* NULL: no such column */
    uint8_t *class_of;  /* weekday 0..6 from Monday, 7 holiday; NULL unless days of a calendar */
};
struct series_set {
    size_t n_group, n_point;
    struct series_group *group; /* by name, in byte order */
    bool numbered;              /* the date column holds whole numbers, not dates */
    bool grouped, weekly;
    size_t filled, summed; /* dates taken as 0, rows added to another */
};
enum { SERIES_MAX_POINTS = 1000000 }; /* of one group */

/* Everything lies in the arena. Cost O(rows log rows), O(rows) when they come in order. Errors:
 * ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
enum err_code series_read(struct arena *a, const struct table *t, const struct series_options *o,
                          const struct series_set **out, struct err *err) NODISCARD;
/* The date of a point, or its number. */
void series_date(const struct series_set *s, int32_t day, char out[16]);
#endif
