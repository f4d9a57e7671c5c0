/* study/scan/records.h - the rows of the input files of a scan, checked one by one: places, grid
 * points, populations, cases and controls, edges, neighbours. They read a source (SaTScan's text or
 * a CSV) by a layout that says in which field each role stands.
 *
 * Sources of the formats: SaTScan User Guide 10.1, chapter "Input data"; facts that it leaves open
 * (what a date of low precision stands for, one record at a time) after the program's public
 * source. One thread at a time. */
#ifndef STUDY_SCAN_RECORDS_H
#define STUDY_SCAN_RECORDS_H
#include "study/scan/names.h"
#include "study/scan/source.h"
#include "study/scan/times.h"

enum { RECORDS_MAX_COVARIATES = 32 };

/* Where the roles stand; SOURCE_ABSENT: nowhere. */
struct layout {
    size_t id, count, date, x, y;
    size_t other, length;   /* edges: the second end, its length */
    size_t first_covariate; /* text: all fields from here on; SOURCE_ABSENT in a CSV */
    size_t n_covariates;    /* CSV, or mapped */
    size_t covariate[RECORDS_MAX_COVARIATES];
    bool mapped; /* other fields of a row do not count */
};

/* What the readers share. */
struct reading {
    struct arena *a;
    struct names ids;         /* of places */
    bool ids_open;            /* a new id makes a place (there is no file of places) */
    struct names strata;      /* covariates of a category, joined by U+001F */
    bool strata_open;         /* a new category may come up (the population is being read) */
    size_t n_covariates;      /* of each row; SIZE_MAX until the first */
    bool generic;             /* times are whole numbers */
    enum time_unit precision; /* what the dates of counts must have at least; TIME_NONE: no dates */
    bool has_period;
    int64_t start, end;                      /* days, inclusive, when has_period */
    bool relaxed_places;                     /* rows of unknown places are left out and counted */
    bool relaxed_times;                      /* rows outside the period are left out and counted */
    int64_t left_out_places, left_out_times; /* cases, controls or rows */
};

struct place_row {
    uint32_t id;
    double x, y;
    size_t row; /* of the source */
};
struct place_rows {
    size_t n;
    struct place_row *row;
};
struct count_row {
    uint32_t id, category;
    int64_t n, day;
};
struct count_rows {
    size_t n;
    struct count_row *row;
    int64_t total;
    int64_t first_day, last_day;    /* of rows that have a date; 0 when there is none */
    const char *first_at, *last_at; /* where they stand, by source_at */
};
struct population_row {
    uint32_t id, category;
    bool dated;
    struct time_point at;
    double population;
    size_t seq; /* order of the input */
};
struct population_rows {
    size_t n;
    struct population_row *row;
};
struct edge_row {
    uint32_t from, to;
    double length; /* NaN: to be measured by the coordinates */
};
struct edge_rows {
    size_t n;
    struct edge_row *row;
};
/* neighbour[first[i] .. first[i + 1]) are the neighbours of owner[i], nearest first, the owner
 * itself first of all. */
struct neighbor_rows {
    size_t n;
    uint32_t *owner;
    size_t *first; /* n + 1 */
    uint32_t *neighbor;
};

/* Each refuses a file without rows. Errors: ERR_INVALID with file:line:column, ERR_NOMEM. */

/* "id lat lon" with sphere (degrees; x becomes the longitude), "id x y" otherwise. */
enum err_code records_places(struct reading *r, const struct source *s, const struct layout *l,
                             bool sphere, struct place_rows *out, struct err *err) NODISCARD;
/* "lat lon" or "x y". */
enum err_code records_grid(struct reading *r, const struct source *s, const struct layout *l,
                           bool sphere, struct place_rows *out, struct err *err) NODISCARD;
/* "id date population covariate...". Dates may be "unspecified", in all rows or in none. */
enum err_code records_population(struct reading *r, const struct source *s, const struct layout *l,
                                 struct population_rows *out, struct err *err) NODISCARD;
/* "id cases [date] covariate..."; what: "cases" or "controls" in errors. Rows of 0 are left out
 * without another look, as SaTScan does. */
enum err_code records_counts(struct reading *r, const struct source *s, const struct layout *l,
                             const char *what, struct count_rows *out, struct err *err) NODISCARD;
/* "id id [length]", or "id" alone for a place without any edge. */
enum err_code records_edges(struct reading *r, const struct source *s, const struct layout *l,
                            struct edge_rows *out, struct err *err) NODISCARD;
/* "id neighbour neighbour ...", SaTScan's text only. */
enum err_code records_neighbors(struct reading *r, const struct source *s,
                                struct neighbor_rows *out, struct err *err) NODISCARD;
#endif
