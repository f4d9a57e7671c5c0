/* study/scan/times.h - the times of cases, controls and populations as SaTScan writes them, and the
 * slots into which the study period falls. A day is counted from 1970-01-01; with TIME_GENERIC it
 * is simply the number that was given. Pure. */
#ifndef STUDY_SCAN_TIMES_H
#define STUDY_SCAN_TIMES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* In SaTScan's order: its numbers are these. */
enum time_unit { TIME_NONE, TIME_YEAR, TIME_MONTH, TIME_DAY, TIME_GENERIC };
/* What a date of low precision stands for: a count at the first day of its year or month, a
 * population in the middle of it (1 July, the 15th), a last day at the end of it. */
enum time_role { TIME_OF_COUNT, TIME_OF_POPULATION, TIME_OF_END };

struct time_point {
    int64_t day;
    enum time_unit precision;
};

/* "2001/11/3", "11/3/2001", "2001-11", "11/2001", "2001", with / - . or * between; a year of two
 * digits, allowed where the year comes first, is of the century of the study period
 * [first_year, last_year], or of the one of its two centuries in which it lies. Years 1..9999. With
 * generic, a whole number. false: *expected says what would be a date. */
bool time_parse(const char *text, bool generic, enum time_role role, int first_year, int last_year,
                struct time_point *out, const char **expected);

/* Slot s is the days [border[s], border[s + 1]). */
struct time_slots {
    size_t n;
    const double *border; /* n + 1 */
    double units;         /* length of the study period in units, the first perhaps a part */
    double slot_days;     /* nominal days of a slot: a year has 365.25; 0 with TIME_GENERIC */
};
/* The period [start, end] (days, inclusive) cut from its end backwards into slots of `length`
 * units; what is left over at the beginning is a shorter first slot. TIME_NONE: one slot. A border
 * that would fall on a day that its month does not have is the first of the next month. Errors:
 * ERR_INVALID (end before start), ERR_LIMIT (more than SCAN_MAX_SLOTS), naming
 * the first and last day; ERR_NOMEM. */
enum err_code time_slots(struct arena *a, int64_t start, int64_t end, enum time_unit unit,
                         int64_t length, struct time_slots *out, struct err *err) NODISCARD;
/* The slot of a day; false when it is outside. O(log n). */
bool time_slot_of(const struct time_slots *slots, int64_t day, uint32_t *slot);
/* How many slots a window may have: `size` units, or that percentage of the study period (rounded
 * down to units, then to slots, as SaTScan does). */
size_t time_slots_of(const struct time_slots *slots, int64_t length, double size, bool percent);
/* ISO date, or the number with generic. */
void time_format(int64_t day, bool generic, char out[24]);
#endif
