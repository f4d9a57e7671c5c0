/* domain/measure/survey_import.h - gezhi import survey: a table of one wave, a row a drawn person
 * or a call attempt: area, outcome[, sample][, weight], strata, answers. Nothing else is read: a
 * column that the survey does not declare ends the import. */
#ifndef DOMAIN_MEASURE_SURVEY_IMPORT_H
#define DOMAIN_MEASURE_SURVEY_IMPORT_H
#include <stdio.h>

#include "domain/measure/survey_take.h"

struct survey_import {
    const char *name; /* of the table, for errors */
    FILE *in;
    FILE *rejected; /* what was not taken: line,reason,row; NULL: nowhere */
    const struct survey_def *def;
    struct period wave;
};
/* The table as rows of drawn people. With a column `sample` (at most six digits) several rows of
 * one number are attempts: the completed one counts, else the last. */
struct survey_table {
    struct survey_rows rows; /* in the arena */
    int64_t read, rejected;
    char hash[65]; /* over its records, in hexadecimal: which table it was */
};
/* Errors: ERR_INVALID a column that is missing or not known; ERR_REFUSED one that is for names,
 * telephone numbers or what Gezhi refuses; ERR_SYNTAX; ERR_LIMIT more than SURVEY_MAX_UNITS rows.
 */
enum err_code survey_table_read(const struct survey_import *in, const struct grid *g,
                                struct arena *a, struct survey_table *out,
                                struct err *err) NODISCARD;
#endif
