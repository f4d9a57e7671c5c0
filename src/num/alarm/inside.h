/* num/alarm/inside.h - the methods of the floor, each filling points from .. n-1; alarm.c hands
 * them a checked spec and series. Shapes as in alarm.h. */
#ifndef NUM_ALARM_INSIDE_H
#define NUM_ALARM_INSIDE_H
#include "num/alarm/alarm.h"

void alarm_ears(const struct alarm_spec *s, const struct alarm_series *x, struct alarm_point *out);
void alarm_ewma(const struct alarm_spec *s, const struct alarm_series *x, struct alarm_point *out);
void alarm_cusum(const struct alarm_spec *s, const struct alarm_series *x, struct alarm_point *out);
void alarm_ratio(const struct alarm_spec *s, const struct alarm_series *x, struct alarm_point *out);
void alarm_bayes(const struct alarm_spec *s, const struct alarm_series *x, struct alarm_point *out);
/* scratch: alarm_farrington_scratch doubles. */
void alarm_farrington(const struct alarm_spec *s, const struct alarm_series *x, double *scratch,
                      struct alarm_point *out);
size_t alarm_farrington_scratch(size_t n);

/* A point of which nothing is known but why. */
struct alarm_point alarm_blank(enum alarm_state state);

/* The index of the point k years before t: by calendar date the point nearest to the same day of
 * that year (29 February counts as 1 March), else t less k times year_steps. SIZE_MAX when the
 * series does not reach back so far. */
size_t alarm_years_back(const struct alarm_spec *s, const struct alarm_series *x, size_t t,
                        size_t k);

/* In-control mean of each point: the series' own, the spec's, or the mean of the counts before
 * `from` (weekday factors divided out). base is NaN when there is nothing to take it from, and sd
 * the standard deviation (divisor n-1) of those counts, NaN with fewer than two. */
struct alarm_level {
    double base, sd;
    double factor[8]; /* by class of day; all 1 without weekday factors */
};
struct alarm_level alarm_level_before(const struct alarm_spec *s, const struct alarm_series *x);
double alarm_level_at(const struct alarm_level *l, const struct alarm_series *x, size_t t);
#endif
