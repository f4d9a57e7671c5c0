/* domain/measure/figure.h - outside data by file: one figure of an indicator for an area and a
 * period, kept in the ledger; a later figure for the same is a restatement, and the journal keeps
 * what stood there. */
#ifndef DOMAIN_MEASURE_FIGURE_H
#define DOMAIN_MEASURE_FIGURE_H
#include <stdio.h>

#include "domain/grid/folder.h"
#include "domain/measure/value.h"

/* Values of a declared figure for the areas of a query. A stock (residents) takes the newest figure
 * that begins before the period ends; others only the figure of the very period. An area without
 * one of its own takes its children's sum (sum_up) or their mean weighted by denominators. */
enum err_code figure_values(const struct value_query *q, const struct indicator_def *d,
                            struct arena *a, struct indicator_value *out,
                            struct err *err) NODISCARD;

/* One figure; a later one for the same area and period is a new version of the row. */
struct figure_row {
    const char *indicator, *area, *period, *note; /* note: "" or NULL: none */
    double value, denominator;                    /* NaN: none */
};
enum figure_change { FIGURE_SAME = 1, FIGURE_ADDED, FIGURE_RESTATED };
/* In a command. was: what stood there, NaN when nothing did. dry_run: only told. */
enum err_code figure_put(struct tx *tx, const struct figure_row *f, bool dry_run,
                         enum figure_change *change, double *was, struct err *err) NODISCARD;

struct figure_import {
    const char *name; /* of the file, for errors */
    FILE *in;         /* CSV: indicator,area,period,value[,denominator][,note] */
    FILE *rejected;   /* what was not taken, with a column "reason"; NULL: nowhere */
    FILE *restated;   /* a line each figure that changes: what stood there, what stands now; NULL */
    bool dry_run;     /* check and tell, write nothing */
};
struct figure_imported {
    int64_t read, added, restated, unchanged, rejected;
};
/* Rows that are in order are written, in groups, the others go to `rejected`; running it again
 * finds them unchanged. Errors: ERR_INVALID (no such column), ERR_SYNTAX, those of the ledger. */
enum err_code figure_import_run(struct folder *f, const struct grid *g,
                                const struct figure_import *in, struct figure_imported *out,
                                struct err *err) NODISCARD;
#endif
