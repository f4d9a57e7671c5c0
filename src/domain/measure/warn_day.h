/* domain/measure/warn_day.h - one day's signals: every rule over the rows reported up to the end of
 * that day, guards first. Pure: the same rows, set, day and seed give the same bits, and rows
 * reported later change nothing. */
#ifndef DOMAIN_MEASURE_WARN_DAY_H
#define DOMAIN_MEASURE_WARN_DAY_H
#include "domain/measure/warn_figure.h"
#include "domain/measure/warn_guard.h"
#include "num/core/run.h"

#define WARN_ANY_CLASS UINT32_MAX
struct warn_signal {
    const struct warn_rule *rule;
    int32_t day, from;        /* the window is [from, day] */
    uint32_t cls;             /* index of the class, or WARN_ANY_CLASS: the classes of the rule */
    uint32_t group;           /* of rules by group alone: index of the first class of it */
    const char *const *place; /* codes of the areas or cells; none for points and the city */
    size_t n_places;
    double lon, lat, radius_m; /* circle around the cases; NaN, NaN, 0 when none has a point */
    double observed, expected; /* of figures: the value, and where the rule is raised */
    const char *band;          /* index colour: the band; else NULL */
    size_t periods;            /* figures: periods in a row that it holds; else 0 */
    double p;                  /* NaN when the method has none */
    double recurrence;   /* days in which chance alone does as well in this one series; NaN when the
                            method has no p */
    size_t n_series;     /* how many series (scans) the rule looked at that day */
    const uint32_t *row; /* the cases: indices into rows, by time; none of figures */
    size_t n_rows;
    size_t held[WARN_N_HELD]; /* rows in the window that the rule would have seen, by guard */
};
/* The rule's colour, or red where the signal is beyond what the rule says of red. */
int warn_signal_color(const struct warn_signal *s);
struct warn_day {
    struct warn_view view;
    const struct warn_signal *signal; /* in the order of rules, strongest first */
    size_t n;
    size_t held[WARN_N_HELD]; /* rows reported on the day, by guard */
};
struct warn_ask {
    const struct warn_rows *rows;
    const struct warn_set *set;
    const struct warn_rule *only; /* NULL: every rule */
    int32_t day;
    uint64_t seed;
    const struct num_run *run;
    const struct warn_figures *figures; /* of that day; NULL: rules over figures say nothing */
    const struct warn_emergency *emergency;
    size_t n_emergencies;
};
/* Arena-owned. Errors: those of alarms and scans; ERR_LIMIT, ERR_NOMEM. Cost: guards over the
 * longest history; a scan stops early when chance does as well often enough. */
enum err_code warn_day_form(const struct warn_ask *ask, struct arena *a, struct warn_day *out,
                            struct err *err) NODISCARD;
#endif
