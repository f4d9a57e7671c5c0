/* num/alarm/adjust.h - multiplicative factors of weekdays and holidays, estimated from the past
 * only. A factor is the mean count of a class of day over the mean of all days of the window, at
 * least ALARM_LEAST_FACTOR; a class never seen has 1, holidays seen fewer than twice have Sunday's.
 * No peer: checked by simulation (test_alarm_sim.c). */
#ifndef NUM_ALARM_ADJUST_H
#define NUM_ALARM_ADJUST_H
#include "num/alarm/alarm.h"

#define ALARM_LEAST_FACTOR 0.05

/* Sums by class over a window of days that only moves forward: O(1) a day. */
struct alarm_days {
    uint64_t sum[8];
    uint32_t n[8];
    size_t lo, hi; /* days [lo, hi) are counted */
};
void alarm_days_move(struct alarm_days *d, const struct alarm_series *x, size_t lo, size_t hi);
void alarm_days_factors(const struct alarm_days *d, double factor[static 8]);
#endif
