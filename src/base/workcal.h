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
    WORK_DAY = 3 /* 工作日: one day = the sum of the daily spans, counted in working time */
};
/* Minutes of the local day, 0 <= from < to <= 1440; 1 to 48 spans, sorted, disjoint. */
struct work_span {
    int from_min, to_min;
};
struct work_exception {
    int32_t day;  /* 1900-01-01 .. 2200-12-31 since 1970-01-01, local */
    bool working; /* a shifted working Saturday/Sunday, or a holiday on a weekday */
};
struct work_pause {
    int64_t from_us, to_us; /* UTC; to_us = INT64_MAX while open */
};
struct work_calendar;

/* Build from spans, weekdays (bit 0 = Monday, at least one), exceptions (any order, duplicates
 * refused) and the confirmed years (1900..2200). Arena-owned, immutable, about 60 kB. A zone's
 * changes are followed from 1900 to 2200, outside of them its offset at that end holds.
 * Errors: ERR_INVALID naming what is wrong; ERR_NOMEM. */
enum err_code work_calendar_new(struct arena *a, const struct tz *tz, unsigned weekday_mask,
                                const struct work_span *spans, size_t n_spans,
                                const struct work_exception *exceptions, size_t n_exceptions,
                                int first_year, int last_year, const struct work_calendar **out,
                                struct err *err) NODISCARD;

/* UTC us of the deadline of n (> 0, thousandths: 1500 = 1.5) units that begin at start. A start
 * outside working time counts from the next working moment; a deadline of working time falls on the
 * end of a span, never on the start of the next. WORK_DAY: n days are n times a full working day of
 * working time (start mid-day: the same moment n working days on). An hour that the clocks skip is
 * not worked, one that they repeat is worked twice.
 * *unconfirmed (may be NULL) is set when the deadline of a working unit lies in a year whose
 * holidays are not announced. n <= 0 gives start; beyond year 9999 INT64_MAX.
 * Cost: O(log zone changes), whatever the distance. */
int64_t work_deadline(const struct work_calendar *cal, int64_t start_us, int64_t n_milli,
                      enum work_unit unit, bool *unconfirmed);
/* The same measure in microseconds, for clocks that stop and go on. work_time_us: time of the unit
 * between two moments, negative when to_us < from_us (WORK_DAY is counted in working time, like
 * WORK_HOUR). work_after_us: the moment at which length_us of it have passed after start_us, a
 * deadline as above; length_us <= 0 gives start_us. For length_us > 0
 * work_time_us(start, work_after_us(start, length)) == length exactly. work_unit_us: one unit.
 * Cost: O(log zone changes). */
int64_t work_time_us(const struct work_calendar *cal, int64_t from_us, int64_t to_us,
                     enum work_unit unit);
int64_t work_after_us(const struct work_calendar *cal, int64_t start_us, int64_t length_us,
                      enum work_unit unit, bool *unconfirmed);
int64_t work_unit_us(const struct work_calendar *cal, enum work_unit unit);
/* Whole thousandths of a unit between start and end (0 when end <= start), less the pauses (any
 * order, may overlap). work_elapsed(start, work_deadline(start, n)) == n exactly.
 * Cost: as above without pauses, O(n_pauses^2) with them. */
int64_t work_elapsed(const struct work_calendar *cal, int64_t start_us, int64_t end_us,
                     enum work_unit unit, const struct work_pause *pauses, size_t n_pauses);
/* Whether the moment is working time (a span's begin is, its end is not); the next working moment
 * at or after it (INT64_MAX beyond year 9999). */
bool work_is_open(const struct work_calendar *cal, int64_t at_us);
int64_t work_next_open(const struct work_calendar *cal, int64_t at_us);
#endif
