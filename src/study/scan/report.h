/* study/scan/report.h - telling the result of a scan: for a person, as JSON, as GeoJSON, as CSV.
 * Appended to a buf, whose failure sticks. Pure. */
#ifndef STUDY_SCAN_REPORT_H
#define STUDY_SCAN_REPORT_H
#include "base/buf.h"
#include "study/scan/study.h"

struct scan_told {
    const struct scan_study *study;
    const struct scan_result *result;
    const char *title;    /* NULL or "": none */
    int64_t elapsed_ms;   /* < 0: not told (the JSON has null) */
    bool default_p_value; /* a parameter file asked for SaTScan's mixture of p-values */
};

/* For a person, in English or Chinese. */
void scan_report_text(struct buf *b, const struct scan_told *told, bool zh);
/* docs/statistics/scan.md tells the schema. Numbers are the shortest text that reads back to the
 * same bits; a number that does not exist or is infinite is null. Errors: ERR_NOMEM. */
enum err_code scan_report_json(struct buf *b, struct arena *a, const struct scan_told *told,
                               struct err *err) NODISCARD;
/* RFC 7946: a feature a cluster (its circle or ellipse; its places when it has neither) and one for
 * each location in it. Plane coordinates stay as they are. Errors: ERR_INVALID when the places have
 * no coordinates. */
enum err_code scan_report_geojson(struct buf *b, const struct scan_told *told,
                                  struct err *err) NODISCARD;
/* A row a location: its counts and the strongest cluster that holds it. Errors: ERR_NOMEM,
 * ERR_INVALID for a purely temporal scan, which has no places. */
enum err_code scan_report_csv(struct buf *b, struct arena *a, const struct scan_told *told,
                              struct err *err) NODISCARD;
#endif
