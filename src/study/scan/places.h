/* study/scan/places.h - from ids with positions to places: ids that share a position are one place
 * (SaTScan does the same), an id with several positions is a place of its own. */
#ifndef STUDY_SCAN_PLACES_H
#define STUDY_SCAN_PLACES_H
#include "study/scan/records.h"

/* Rows of one file of places. */
struct place_file {
    const struct source *source;
    struct place_rows rows;
};
struct places {
    size_t n, n_points;
    const double *x, *y;             /* n_points */
    const uint32_t *place_of;        /* n_points; NULL: point i is place i */
    const double *first_x, *first_y; /* n: of the first position */
    const uint32_t *of_id;           /* ids->n: the place of an id */
    const size_t *first_id;          /* n + 1 offsets into id */
    const char *const *id;           /* the ids of a place, in the order of the files */
};

/* Places are numbered in the order of their first id. Without many, two rows of one id must have
 * one position (ERR_INVALID at the second row). Cost: n log n. */
enum err_code places_build(struct arena *a, const struct names *ids, const struct place_file *files,
                           size_t n_files, bool many, struct places *out,
                           struct err *err) NODISCARD;
/* Every id a place without position (0, 0). */
enum err_code places_of_ids(struct arena *a, const struct names *ids, struct places *out,
                            struct err *err) NODISCARD;
/* One place that holds every id. */
enum err_code places_all_in_one(struct arena *a, const struct names *ids, struct places *out,
                                struct err *err) NODISCARD;
#endif
