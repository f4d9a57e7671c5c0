#include "study/scan/times.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "num/scan/scan.h"

/* Up to three numbers with one separator between; 0: the text is not of that form. digits[i] is the
 * width of the i-th number. */
static int split_date(const char *s, int part[3], int digits[3]) {
    int n = 0;
    for (;;) {
        if (n == 3) return 0;
        part[n] = digits[n] = 0;
        while (*s >= '0' && *s <= '9' && digits[n] < 5) {
            part[n] = 10 * part[n] + (*s++ - '0');
            digits[n]++;
        }
        if (digits[n] == 0 || digits[n] == 5) return 0;
        n++;
        if (*s == '\0') return n;
        if (strchr("/-.*", *s) == NULL) return 0;
        s++;
    }
}

/* 0: the century cannot be told. */
static int whole_year(int year, int digits, int first_year, int last_year) {
    if (digits > 2) return year;
    if (last_year <= 0) return 0;
    int first_century = first_year / 100, last_century = last_year / 100;
    if (first_century == last_century) return first_century * 100 + year;
    if (last_year - first_year >= 100) return 0;
    if (year >= first_year % 100) return first_century * 100 + year;
    return year <= last_year % 100 ? last_century * 100 + year : 0;
}

static bool generic_parse(const char *text, struct time_point *out, const char **expected) {
    char *end = NULL;
    *expected = "a whole number, as the time is generic";
    const char *digits = text[0] == '-' ? text + 1 : text;
    if (digits[0] < '0' || digits[0] > '9' || strlen(digits) > 9) return false;
    out->day = strtoll(text, &end, 10);
    out->precision = TIME_GENERIC;
    return *end == '\0';
}

/* The month or day that a date does not tell. */
static int untold_month(enum time_role role) {
    return role == TIME_OF_COUNT ? 1 : role == TIME_OF_POPULATION ? 7 : 12;
}
static int untold_day(enum time_role role, bool month_told, int last) {
    if (role == TIME_OF_END) return last;
    return role == TIME_OF_POPULATION && month_told ? 15 : 1;
}

bool time_parse(const char *text, bool generic, enum time_role role, int first_year, int last_year,
                struct time_point *out, const char **expected) {
    int part[3], digits[3];
    if (generic) return generic_parse(text, out, expected);
    *expected = "a date such as 2001/11/3, 2001/11 or 2001";
    int n = split_date(text, part, digits);
    if (n == 0) return false;
    /* Month first when the last of several numbers is wider than a day: it is the year. */
    bool year_last = n > 1 && digits[n - 1] > 2;
    int year_at = year_last ? n - 1 : 0, month_at = year_last ? 0 : 1, day_at = year_last ? 1 : 2;
    int year = whole_year(part[year_at], digits[year_at], first_year, last_year);
    if (year == 0) {
        *expected = "a year of four digits: the study period does not tell its century";
        return false;
    }
    out->precision = n == 1 ? TIME_YEAR : n == 2 ? TIME_MONTH : TIME_DAY;
    int month = n > 1 ? part[month_at] : untold_month(role);
    int last = civil_month_days(year, month);
    int day = n > 2 ? part[day_at] : untold_day(role, n > 1, last);
    *expected = "a date that exists";
    if (last == 0 || day < 1 || day > last) return false;
    out->day = civil_days(year, month, day);
    return true;
}

/* The border k months before the day after the period's end. */
static int64_t months_before(int64_t behind, int64_t k) {
    int year, month, day;
    civil_from_days(behind, &year, &month, &day);
    int wanted = day;
    if (day == civil_month_days(year, month)) wanted = month == 2 && day == 29 ? 29 : 31;
    int64_t months = (int64_t)year * 12 + (month - 1) - k;
    if (months < 12) months = 12; /* the year 1: before any period */
    year = (int)(months / 12);
    month = (int)(months % 12) + 1;
    if (day <= 28 && wanted == day) return civil_days(year, month, day);
    int last = civil_month_days(year, month);
    if (wanted <= last) return civil_days(year, month, wanted);
    return civil_days(year, month, last) + 1;
}

static int64_t border_before(int64_t behind, enum time_unit unit, int64_t k) {
    if (unit == TIME_YEAR) return months_before(behind, 12 * k);
    if (unit == TIME_MONTH) return months_before(behind, k);
    return behind - k;
}

/* Length of the period in units; a part of the first counts by its days. */
static double count_units(int64_t start, int64_t behind, enum time_unit unit) {
    if (unit == TIME_DAY || unit == TIME_GENERIC) return (double)(behind - start);
    double n = 0;
    int64_t k = 1, border = border_before(behind, unit, 1);
    for (; border > start; border = border_before(behind, unit, ++k)) n++;
    if (border == start) return n + 1;
    int year, month, day;
    civil_from_days(start, &year, &month, &day);
    int whole = unit == TIME_MONTH                ? civil_month_days(year, month)
                : civil_month_days(year, 2) == 29 ? 366
                                                  : 365;
    double part = (double)whole - (double)(start - border);
    return n + fmax(part, 0) / whole;
}

static enum err_code too_many_slots(int64_t start, int64_t end, enum time_unit unit, int64_t length,
                                    struct err *err) {
    static const char *const names[] = {"", "years", "months", "days", "units"};
    char from[24], to[24];
    time_format(start, unit == TIME_GENERIC, from);
    time_format(end, unit == TIME_GENERIC, to);
    return err_fail(err, ERR_LIMIT,
                    "the study period %s to %s has more than %d slots (length in %s: %lld): look "
                    "for a wrong date, or take longer slots (--unit, --length)",
                    from, to, (int)SCAN_MAX_SLOTS, names[unit], (long long)length);
}

enum err_code time_slots(struct arena *a, int64_t start, int64_t end, enum time_unit unit,
                         int64_t length, struct time_slots *out, struct err *err) {
    int64_t behind = end + 1;
    size_t n = 1;
    if (end < start) return err_fail(err, ERR_INVALID, "the study period ends before it begins");
    if (length < 1) return err_fail(err, ERR_INVALID, "a slot must be at least one unit long");
    if (unit != TIME_NONE) {
        int64_t k = length;
        for (; border_before(behind, unit, k) > start; k += length)
            if (++n > SCAN_MAX_SLOTS) return too_many_slots(start, end, unit, length, err);
    }
    double *border = ARENA_NEW(a, double, n + 1);
    if (border == NULL) return err_fail(err, ERR_NOMEM, "%zu slots", n);
    for (size_t i = 1; i < n; i++)
        border[i] = (double)border_before(behind, unit, (int64_t)(n - i) * length);
    border[0] = (double)start;
    border[n] = (double)behind;
    static const double days[] = {0, 365.25, 365.25 / 12, 1, 0};
    *out = (struct time_slots){.n = n,
                               .border = border,
                               .units = unit == TIME_NONE ? 1 : count_units(start, behind, unit),
                               .slot_days = days[unit] * (double)length};
    return ERR_OK;
}

bool time_slot_of(const struct time_slots *slots, int64_t day, uint32_t *slot) {
    size_t low = 0, high = slots->n;
    if ((double)day < slots->border[0] || (double)day >= slots->border[slots->n]) return false;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if ((double)day >= slots->border[mid])
            low = mid;
        else
            high = mid;
    }
    *slot = (uint32_t)low;
    return true;
}

size_t time_slots_of(const struct time_slots *slots, int64_t length, double size, bool percent) {
    double units = percent ? floor(slots->units * size / 100) : size;
    double n = floor(units / (double)length);
    if (n < 1) return 0;
    return n > (double)slots->n ? slots->n : (size_t)n;
}

void time_format(int64_t day, bool generic, char out[24]) {
    if (generic)
        (void)snprintf(out, 24, "%lld", (long long)day);
    else
        civil_date_format(day, out);
}
