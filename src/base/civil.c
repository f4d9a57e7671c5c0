#include "base/civil.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

/* Calendar arithmetic: a Gregorian cycle of 400 years has 146097 days. Years are counted from 1
 * March, so that the leap day is the last of its year and (153 m + 2) / 5 days lie before month m
 * (0 = March): the months from March on have 31 30 31 30 31 days, twice and a bit. 1970-01-01 is
 * day 719468 after 0000-03-01. */
enum { CYCLE_DAYS = 146097, EPOCH_DAYS = 719468 };
static const int64_t us_per_day = INT64_C(86400000000);

static int64_t floor_div(int64_t a, int64_t b) {
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

int64_t civil_days(int year, int month, int day) {
    int64_t y = (int64_t)year - (month <= 2 ? 1 : 0);
    int64_t m = month <= 2 ? month + 9 : month - 3;
    int64_t cycle = floor_div(y, 400);
    int64_t in_cycle = y - cycle * 400;
    int64_t days = in_cycle * 365 + in_cycle / 4 - in_cycle / 100 + (153 * m + 2) / 5 + day - 1;
    return cycle * CYCLE_DAYS + days - EPOCH_DAYS;
}

void civil_from_days(int64_t days, int *year, int *month, int *day) {
    int64_t z = days + EPOCH_DAYS;
    int64_t cycle = floor_div(z, CYCLE_DAYS);
    int64_t d = z - cycle * CYCLE_DAYS;
    /* Take out the leap days that precede d: one in 1461 days, but for those in 36524, but the last
     * day of the cycle. */
    int64_t y = (d - d / 1460 + d / 36524 - d / (CYCLE_DAYS - 1)) / 365;
    int64_t in_year = d - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * in_year + 2) / 153;
    *day = (int)(in_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(cycle * 400 + y + (m < 10 ? 0 : 1));
}

int civil_weekday(int64_t days) {
    /* 1970-01-01 was a Thursday (3). */
    return (int)(days + 3 - floor_div(days + 3, 7) * 7);
}

int64_t civil_to_us(const struct civil *c) {
    int64_t s = civil_days(c->year, c->month, c->day) * 86400 + c->hour * INT64_C(3600) +
                c->minute * INT64_C(60);
    return (s + c->second) * 1000000 + c->usec;
}

void civil_from_us(int64_t us, struct civil *out) {
    int64_t days = floor_div(us, us_per_day);
    int64_t rest = us - days * us_per_day;
    civil_from_days(days, &out->year, &out->month, &out->day);
    out->usec = (int)(rest % 1000000);
    int s = (int)(rest / 1000000);
    out->hour = s / 3600;
    out->minute = s / 60 % 60;
    out->second = s % 60;
}

static bool digits(const char *s, int n, int *out) {
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return false;
        v = v * 10 + (s[i] - '0');
    }
    *out = v;
    return true;
}

int civil_month_days(int year, int month) {
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12) return 0;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return length[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool civil_date_parse(const char *s, int64_t *days) {
    int y, m, d;
    if (strlen(s) != 10 || s[4] != '-' || s[7] != '-') return false;
    if (!digits(s, 4, &y) || !digits(s + 5, 2, &m) || !digits(s + 8, 2, &d)) return false;
    if (d < 1 || d > civil_month_days(y, m)) return false;
    *days = civil_days(y, m, d);
    return true;
}

void civil_date_format(int64_t days, char out[16]) {
    int y, m, d;
    civil_from_days(days, &y, &m, &d);
    (void)snprintf(out, 16, "%04d-%02d-%02d", y, m, d);
}

/* "Z" or "+08:00" at s up to its end; *offset_s is what is to be subtracted. */
static bool parse_zone(const char *s, int *offset_s) {
    *offset_s = 0;
    if ((s[0] == 'Z' || s[0] == 'z') && s[1] == '\0') return true;
    int h, m;
    if (s[0] != '+' && s[0] != '-') return false;
    if (strlen(s) != 6 || s[3] != ':' || !digits(s + 1, 2, &h) || !digits(s + 4, 2, &m))
        return false;
    if (h > 23 || m > 59) return false;
    *offset_s = (h * 60 + m) * 60 * (s[0] == '-' ? -1 : 1);
    return true;
}

static bool parse_rfc3339(const char *s, int64_t *utc_us) {
    struct civil c = {0};
    int offset_s;
    if (strnlen(s, 20) < 20) return false;
    if (!digits(s, 4, &c.year) || s[4] != '-' || !digits(s + 5, 2, &c.month) || s[7] != '-')
        return false;
    if (!digits(s + 8, 2, &c.day) || (s[10] != 'T' && s[10] != 't' && s[10] != ' ')) return false;
    if (!digits(s + 11, 2, &c.hour) || s[13] != ':' || !digits(s + 14, 2, &c.minute) ||
        s[16] != ':')
        return false;
    if (!digits(s + 17, 2, &c.second)) return false;
    if (c.day < 1 || c.day > civil_month_days(c.year, c.month)) return false;
    /* A leap second (60) is the first moment of the next minute, as on a system clock that repeats
     * it. */
    if (c.hour > 23 || c.minute > 59 || c.second > 60) return false;
    const char *p = s + 19;
    if (*p == '.') {
        p++;
        if (*p < '0' || *p > '9') return false;
        for (int unit = 100000; *p >= '0' && *p <= '9'; p++, unit /= 10)
            c.usec += (*p - '0') * unit;
    }
    if (!parse_zone(p, &offset_s)) return false;
    *utc_us = civil_to_us(&c) - (int64_t)offset_s * 1000000;
    return true;
}

enum err_code rfc3339_parse(const char *s, int64_t *utc_us, struct err *err) {
    if (parse_rfc3339(s, utc_us)) return ERR_OK;
    return err_fail(err, ERR_INVALID, "\"%.40s\" is not a time such as 2026-01-02T03:04:05+08:00",
                    s);
}

static int format_naive(int64_t us, char *out, size_t cap) {
    struct civil c;
    civil_from_us(us, &c);
    int n = snprintf(out, cap, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day, c.hour,
                     c.minute, c.second);
    if (c.usec != 0) n += snprintf(out + n, cap - (size_t)n, ".%06d", c.usec);
    return n;
}

/* RFC 3339 has years of four digits; what lies outside is shown at the nearest end. */
static int64_t within_years(int64_t us) {
    static const int64_t lowest = INT64_C(-62167219200000000);  /* 0000-01-01T00:00:00 */
    static const int64_t highest = INT64_C(253402300799999999); /* 9999-12-31T23:59:59.999999 */
    return us < lowest ? lowest : us > highest ? highest : us;
}

void rfc3339_format(int64_t utc_us, char out[32]) {
    int n = format_naive(within_years(utc_us), out, 32);
    out[n] = 'Z';
    out[n + 1] = '\0';
}

void rfc3339_format_tz(int64_t utc_us, const struct tz *tz, char out[40]) {
    int64_t at = within_years(utc_us);
    int32_t offset_s = tz_offset_s(tz, at);
    /* RFC 3339 offsets are whole minutes; local mean times before about 1900 are not and are shown
     * as UTC. */
    if (offset_s % 60 != 0) offset_s = 0;
    int n = format_naive(within_years(at + (int64_t)offset_s * 1000000), out, 40);
    int minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
    (void)snprintf(out + n, 40 - (size_t)n, "%c%02d:%02d", offset_s < 0 ? '-' : '+', minutes / 60,
                   minutes % 60);
}
