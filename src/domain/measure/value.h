/* domain/measure/value.h - indicator values for areas and a period, formed from the cube, imported
 * figures and, for medians and distinct counts, the rows themselves. A rate is formed at read from
 * its parts; one over nothing is "no cases", never 0 or 100 %. */
#ifndef DOMAIN_MEASURE_VALUE_H
#define DOMAIN_MEASURE_VALUE_H
#include "domain/grid/grid.h"
#include "domain/measure/measure.h"
#include "domain/measure/period.h"

enum value_state {
    VALUE_OK = 1,
    VALUE_NO_CASES,  /* a denominator of 0 */
    VALUE_NO_DATA,   /* no figure was imported */
    VALUE_TOO_SMALL, /* fewer than the indicator's `enough`: told, but it says nothing */
};
struct indicator_value {
    enum value_state state;
    double value;       /* NaN when there is none; per and unit as declared */
    double numerator;   /* counted rows, sum or figure */
    double denominator; /* NaN for counts and sums */
};

/* The areas of one level and what lies in them. */
struct area_view {
    const struct grid *grid;
    int level; /* enum area_level */
    size_t n;
    const struct grid_area *const *area; /* n, by code */
    /* Of a place of the cube: its area, or -1. Places that grow later lie outside. */
    const int32_t *of_place;
    size_t n_places;
};
/* Arena-owned; borrows from the grid. A city's only area takes rows without any place too. */
enum err_code area_view_new(struct arena *a, const struct grid *g, int level,
                            const struct cube *cube, const struct area_view **out,
                            struct err *err) NODISCARD;
/* Position of an area by code, or SIZE_MAX. */
size_t area_view_find(const struct area_view *v, const char *code);

struct value_query {
    const struct atoms *atoms;
    const struct cube *cube; /* borrowed meanwhile */
    struct db *db;           /* for figures, medians and distinct counts */
    int64_t ledger;
    int64_t as_of_seq; /* 0: as stored now; else as after that journal row, like the cube given */
    const struct area_view *areas;
    struct period period;
    int32_t today; /* deadlines from this day on have not passed: not counted by due date */
};
/* out: n_areas values. Errors: those of the store; ERR_LIMIT formulas nested beyond 16.
 * O(filled places of the period) for counts, O(rows of the period) for medians and distinct. */
enum err_code value_form(const struct value_query *q, const struct indicator_def *d,
                         struct arena *a, struct indicator_value *out, struct err *err) NODISCARD;
const char *value_state_name(enum value_state s); /* "ok" "no_cases" "no_data" "too_small" */

/* value_rows.c: median and distinct, from the rows of the period. */
enum err_code value_from_rows(const struct value_query *q, const struct indicator_def *d,
                              struct arena *a, struct indicator_value *out,
                              struct err *err) NODISCARD;
#endif
