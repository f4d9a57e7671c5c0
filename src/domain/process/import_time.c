#include "domain/process/import_time.h"

#include <string.h>

enum { YEAR_MIN = 1900, YEAR_MAX = 2199 };

enum err_code import_time_check(const char *format, struct err *err) {
    bool year = false, month = false, day = false, hour12 = false, half = false;
    for (const char *f = format; *f != '\0'; f++) {
        if (*f != '%') continue;
        f++;
        if (*f == '\0' || strchr("YymdbHIMSpfz%", *f) == NULL) {
            return err_fail(err, ERR_INVALID,
                            "time format \"%s\": %%%.1s is not known; there are %%Y %%y %%m %%d "
                            "%%b %%H %%I %%p %%M %%S %%f %%z",
                            format, f);
        }
        year = year || *f == 'Y' || *f == 'y';
        month = month || *f == 'm' || *f == 'b';
        day = day || *f == 'd';
        hour12 = hour12 || *f == 'I';
        half = half || *f == 'p';
    }
    if (!year || !month || !day) {
        return err_fail(err, ERR_INVALID, "time format \"%s\" lacks the year, the month or the day",
                        format);
    }
    if (hour12 != half) {
        return err_fail(err, ERR_INVALID, "time format \"%s\": %%I and %%p go together", format);
    }
    return ERR_OK;
}

struct scan {
    struct civil c;
    const char *at;
    int zone_s; /* seconds east of UTC */
    bool has_zone, afternoon, half;
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool number(struct scan *s, int min_digits, int max_digits, int *out) {
    int n = 0, value = 0;
    while (n < max_digits && is_digit(*s->at)) {
        value = value * 10 + (*s->at++ - '0');
        n++;
    }
    *out = value;
    return n >= min_digits;
}

/* Compares without regard to letter case, ASCII only; moves on when equal. */
static bool word(struct scan *s, const char *w, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char c = s->at[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (c != w[i]) return false;
    }
    s->at += n;
    return true;
}

static bool month_name(struct scan *s) {
    static const char *const names[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
    for (int i = 0; i < 12; i++) {
        if (!word(s, names[i], strlen(names[i])) && !word(s, names[i], 3)) continue;
        s->c.month = i + 1;
        return true;
    }
    return false;
}

static bool zone(struct scan *s) {
    s->has_zone = true;
    s->zone_s = 0;
    if (*s->at == 'Z' || *s->at == 'z') {
        s->at++;
        return true;
    }
    int sign = *s->at == '-' ? -1 : 1, hour = 0, minute = 0;
    if (*s->at != '+' && *s->at != '-') return false;
    s->at++;
    if (!number(s, 2, 2, &hour)) return false;
    if (*s->at == ':') s->at++;
    if (is_digit(*s->at) && !number(s, 2, 2, &minute)) return false;
    s->zone_s = sign * (hour * 3600 + minute * 60);
    return hour <= 15 && minute <= 59;
}

static bool fraction(struct scan *s) {
    int n = 0, value = 0;
    for (; is_digit(*s->at); s->at++) {
        if (n < 6) {
            value = value * 10 + (*s->at - '0');
            n++;
        }
    }
    if (n == 0) return false;
    for (; n < 6; n++) value *= 10;
    s->c.usec = value;
    return true;
}

static bool field(struct scan *s, char f) {
    switch (f) {
    case 'Y':
        return number(s, 4, 4, &s->c.year);
    case 'y':
        if (!number(s, 2, 2, &s->c.year)) return false;
        s->c.year += 2000;
        return true;
    case 'm':
        return number(s, 1, 2, &s->c.month);
    case 'd':
        return number(s, 1, 2, &s->c.day);
    case 'b':
        return month_name(s);
    case 'H':
    case 'I':
        return number(s, 1, 2, &s->c.hour);
    case 'M':
        return number(s, 1, 2, &s->c.minute);
    case 'S':
        return number(s, 1, 2, &s->c.second);
    case 'f':
        return fraction(s);
    case 'z':
        return zone(s);
    case 'p':
        s->half = true;
        s->afternoon = *s->at == 'P' || *s->at == 'p';
        return word(s, s->afternoon ? "pm" : "am", 2);
    default:
        return *s->at++ == f; /* %% */
    }
}

static bool blanks(struct scan *s) {
    const char *from = s->at;
    while (*s->at == ' ') s->at++;
    return s->at > from;
}

bool import_time_parse(const char *format, const char *text, const struct tz *tz, int64_t *utc_us) {
    struct scan s = {.at = text};
    for (const char *f = format; *f != '\0'; f++) {
        bool good = *f == '%' && f[1] != '\0'
                        ? field(&s, *++f)
                        : (*f == ' ' ? blanks(&s) : *s.at != '\0' && *s.at++ == *f);
        if (!good) return false;
    }
    if (*s.at != '\0') return false;
    if (s.half) {
        if (s.c.hour < 1 || s.c.hour > 12) return false;
        s.c.hour = s.c.hour % 12 + (s.afternoon ? 12 : 0);
    }
    if (s.c.year < YEAR_MIN || s.c.year > YEAR_MAX || s.c.month < 1 || s.c.month > 12) return false;
    if (s.c.day < 1 || s.c.day > civil_month_days(s.c.year, s.c.month)) return false;
    if (s.c.hour > 23 || s.c.minute > 59 || s.c.second > 59) return false;
    int64_t local = civil_to_us(&s.c);
    *utc_us = s.has_zone ? local - (int64_t)s.zone_s * 1000000 : tz_to_utc(tz, local);
    return true;
}
