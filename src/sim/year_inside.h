/* sim/year_inside.h - what the parts of the year share. Not for others. */
#ifndef SIM_YEAR_INSIDE_H
#define SIM_YEAR_INSIDE_H
#include "sim/city_year.h"

enum { YEAR_DAYS = 365 };
static const int64_t YEAR_SECOND_US = 1000000;
static const int64_t YEAR_MINUTE_US = 60 * (int64_t)1000000;
static const int64_t YEAR_HOUR_US = 3600 * (int64_t)1000000;
static const int64_t YEAR_DAY_US = 86400 * (int64_t)1000000;

/* What is fixed about a case before its details are drawn; 32 bytes. */
struct year_seed {
    int64_t open_us;
    uint32_t stream; /* its random stream, and its place before sorting */
    uint32_t cell;
    uint32_t original; /* stream of the case it repeats, or CITY_NONE */
    uint16_t cls;
    uint8_t channel, planted;
};
struct year_where {
    uint32_t cell; /* middle */
    double radius_m;
    int64_t from_us, to_us;
    uint32_t cls; /* clusters; else CITY_NONE */
};
struct city_year {
    const struct city_plan *plan;
    struct year_params params;
    int64_t from_us;
    struct year_seed *seed; /* by open_us, then stream */
    uint32_t *number_of;    /* stream -> place in seed */
    struct year_where festival, flood, cluster[2];
    uint32_t lazy_unit, gaming_unit;
    int64_t gaming_from_us;
};

/* Draws all seeds, planted ones included; fills seed (unsorted, stream = index) and the planted
 * places. */
enum err_code year_draw_seeds(struct city_year *y, struct err *err) NODISCARD;
/* Place of the case with this stream; for a duplicate near the place of its original. */
struct shape_point year_place(const struct city_year *y, const struct year_seed *s);
/* The steps of a case: everything before the end of the year. */
void year_route(const struct city_year *y, const struct year_seed *s, struct year_case *c);
/* The words of the report. */
void year_text(const struct city_year *y, const struct year_seed *s, struct year_case *c);
/* Naive local microseconds. */
int64_t year_local(const struct city_year *y, int64_t utc_us);
/* Department of a kind for a cell. */
uint32_t year_unit_of(const struct city_year *y, uint32_t cell, enum city_unit_kind kind);
#endif
