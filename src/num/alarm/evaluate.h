/* num/alarm/evaluate.h - how well alarms find known outbreaks. An outbreak is a run of labelled
 * points that follow one another; points that a method could not judge (not enough history) count
 * for nothing, and an outbreak without a judged point is left out. */
#ifndef NUM_ALARM_EVALUATE_H
#define NUM_ALARM_EVALUATE_H
#include "num/alarm/alarm.h"

struct alarm_score {
    size_t judged, unjudged;
    size_t quiet, false_alarms; /* judged points outside outbreaks, and alarms there */
    size_t outbreak_points, true_alarms;
    size_t outbreaks, found;   /* found: an alarm in one of its judged points */
    size_t days_sum, days_max; /* from the first point of a found outbreak to its alarm */
    size_t steps_sum;          /* the same in steps of the series */
};
/* Add one series to *score (zeroed before the first). label holds n flags, of which those from
 * `from` on belong to the points. day may be NULL: then step_days a step. */
void alarm_evaluate(const struct alarm_point *p, const uint8_t *label, size_t from, size_t n,
                    const int32_t *day, size_t step_days, struct alarm_score *score);
/* Shares; NaN when there is nothing to divide by. */
double alarm_false_rate(const struct alarm_score *s);  /* false alarms a quiet judged point */
double alarm_sensitivity(const struct alarm_score *s); /* outbreaks found */
double alarm_point_sensitivity(const struct alarm_score *s);
double alarm_days_to_detection(const struct alarm_score *s); /* mean over the outbreaks found */
#endif
