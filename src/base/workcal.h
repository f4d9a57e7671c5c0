/* base/workcal.h - working time: deadlines and elapsed time in 紧急工作时, 工作时, 工作日, with
 * holidays and shifted workdays. Pure functions of their arguments; safe from any thread. Source of
 * the units: CJ/T 315-2009, GB/T 30428.8 (domain facts 1.5). */
#ifndef BASE_WORKCAL_H
#define BASE_WORKCAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/civil.h"

enum work_unit {
    WORK_URGENT_HOUR = 1, /* 紧急工作时: runs all day and night */
    WORK_HOUR = 2,        /* 工作时: inside the daily spans of working days */
    WORK_DAY = 3 /* 工作日: n working days; one day = the sum of the daily spans of that day */
};
struct work_span {
    int from_min,
        to_min; /* minutes of the local day, 0 <= from < to <= 1440; spans sorted, disjoint */
};
struct work_exception {
    int32_t day;  /* days since 1970-01-01, local */
    bool working; /* a shifted working Saturday/Sunday, or a holiday on a weekday */
};
struct work_pause {
    int64_t from_us, to_us; /* UTC; to_us = INT64_MAX while open */
};
struct work_calendar;

/* Build from spans, weekdays (bit 0 = Monday), exceptions (any order, duplicates refused) and the
 * confirmed years. Arena-owned, immutable. Errors: ERR_INVALID naming what is wrong. */
enum err_code work_calendar_new(struct arena *a, const struct tz *tz, unsigned weekday_mask,
                                const struct work_span *spans, size_t n_spans,
                                const struct work_exception *exceptions, size_t n_exceptions,
                                int first_year, int last_year, const struct work_calendar **out,
                                struct err *err) NODISCARD;

/* UTC us of the deadline of n (> 0, thousandths: 1500 = 1.5) units that begin at start. A start
 * outside working time counts from the next working moment; a deadline of working time falls on the
 * end of a span, never on the start of the next. *unconfirmed (may be NULL) is set when the
 * deadline lies in a year whose holidays are not announced. WORK_DAY: n whole days are n times a
 * full working day counted in working time (start mid-day -> same offset n working days on). Cost:
 * O(days crossed / 64) by the calendar's prefix sums. */
int64_t work_deadline(const struct work_calendar *cal, int64_t start_us, int64_t n_milli,
                      enum work_unit unit, bool *unconfirmed);
/* Thousandths of a unit between start and end (0 when end <= start), less the pauses (any order,
 * may overlap). */
int64_t work_elapsed(const struct work_calendar *cal, int64_t start_us, int64_t end_us,
                     enum work_unit unit, const struct work_pause *pauses, size_t n_pauses);
/* Whether the moment is working time; the next working moment at or after it. */
bool work_is_open(const struct work_calendar *cal, int64_t at_us);
int64_t work_next_open(const struct work_calendar *cal, int64_t at_us);
#endif
