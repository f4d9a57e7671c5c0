/* domain/process/import_cases.h - a table of requests of another system into the ledger, streaming,
 * in commands of at most a thousand cases. A case that is there already (same source, same number)
 * is left alone, so that a second run adds nothing. */
#ifndef DOMAIN_PROCESS_IMPORT_CASES_H
#define DOMAIN_PROCESS_IMPORT_CASES_H
#include <stdio.h>

#include "domain/process/import_map.h"

struct case_import {
    FILE *in; /* CSV with a header; borrowed */
    const struct case_map *map;
    const struct engine
        *engine; /* with grid and serials; used on the writer thread only while this runs */
    struct ledger *ledger;
    int64_t now_us; /* what lies after it is rejected */
    bool dry_run;   /* check everything, write nothing */
    FILE *errors;   /* rejected records as they stood with a column `reason` added, or NULL */
    FILE *log;      /* the first reasons, a line each, or NULL */
};
struct case_imported {
    int64_t read, imported, unchanged, rejected;
    /* how the source's own on-time column compares with the rule: counted over the rows that are
     * good */
    int64_t on_time_same, on_time_differs, on_time_blank;
};
/* A bad record is rejected with its reason and the rest goes on. Errors, with what was committed so
 * far in place: those of import_head_read, ERR_INVALID no header, ERR_IO, ERR_NOMEM and the
 * ledger's. */
enum err_code import_cases(const struct case_import *in, struct case_imported *out,
                           struct err *err) NODISCARD;
#endif
