/* domain/process/export_cases.h - all cases of the ledger as NDJSON (with the route of each), CSV
 * or GeoJSON, in order of their ids: the same ledger always gives the same bytes. Secrets (hashes
 * of follow words) are never written; personal values only when asked for with a purpose, which is
 * journalled first. */
#ifndef DOMAIN_PROCESS_EXPORT_CASES_H
#define DOMAIN_PROCESS_EXPORT_CASES_H
#include <stdio.h>

#include "domain/process/engine.h"

enum export_format { EXPORT_NDJSON = 1, EXPORT_CSV = 2, EXPORT_GEOJSON = 3 };
struct case_export {
    const struct engine *engine;
    struct ledger *ledger;
    enum export_format format;
    int64_t from_us,
        to_us;     /* opened from (inclusive) to (exclusive); INT64_MIN, INT64_MAX: no bound */
    bool personal; /* also personal values */
    const char *purpose; /* why; 3 to 200 characters, needed for personal values */
    FILE *out;
};
/* "ndjson", "csv", "geojson"; ERR_INVALID else. */
enum err_code export_format_parse(const char *text, enum export_format *out,
                                  struct err *err) NODISCARD;
/* *n: cases written. Errors: ERR_INVALID purpose; ERR_IO; those of the ledger. */
enum err_code export_cases(const struct case_export *x, int64_t *n, struct err *err) NODISCARD;
#endif
