/* domain/measure/warn_inside.h - what the kinds of rules share. Private to warn_*.c. */
#ifndef DOMAIN_MEASURE_WARN_INSIDE_H
#define DOMAIN_MEASURE_WARN_INSIDE_H
#include "domain/measure/warn_day.h"

enum { WARN_MAX_SIGNALS = 2000 };
/* One rule on one day. */
struct warn_work {
    const struct warn_ask *ask;
    const struct warn_rule *rule;
    const struct warn_view *view;
    struct arena *a;            /* holds signals */
    struct arena *scratch;      /* freed after the rule */
    struct warn_signal *signal; /* room for WARN_MAX_SIGNALS */
    size_t *n;
    /* Rows that the rule sees, by time: in its days, watched, not held back. */
    const uint32_t *row;
    size_t n_rows;
};
enum err_code warn_series_run(struct warn_work *w, struct err *err) NODISCARD;
enum err_code warn_scan_run(struct warn_work *w, struct err *err) NODISCARD;
/* Weekday of a day (0 Monday), 7 for a holiday; a shifted working day is a Monday at the weekend.
 */
uint8_t warn_kind_of_day(const struct warn_set *set, int32_t day);
/* Finish a signal whose rule, window, class, numbers and rows are set: circle and held rows; and
 * keep it. `seen` are the rows that give the circle when there are no cases (silence). */
enum err_code warn_keep(struct warn_work *w, struct warn_signal *s, const uint32_t *seen,
                        size_t n_seen, struct err *err) NODISCARD;
#endif
