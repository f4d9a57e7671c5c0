#include "domain/measure/period.h"

#include <stdio.h>
#include <string.h>

#include "base/civil.h"

static int32_t days(int year, int month, int day) { return (int32_t)civil_days(year, month, day); }

struct period period_of(enum period_kind kind, int32_t day) {
    int year = 0, month = 0, dom = 0;
    civil_from_days(day, &year, &month, &dom);
    switch (kind) {
    case PERIOD_DAY:
        return (struct period){kind, day, day + 1};
    case PERIOD_TEN_DAY: {
        int third = dom > 20 ? 2 : (dom - 1) / 10;
        int32_t from = days(year, month, third * 10 + 1);
        int32_t to = third == 2 ? days(year, month, 1) + civil_month_days(year, month) : from + 10;
        return (struct period){kind, from, to};
    }
    case PERIOD_MONTH: {
        int32_t from = days(year, month, 1);
        return (struct period){kind, from, from + civil_month_days(year, month)};
    }
    case PERIOD_YEAR:
        break;
    }
    return (struct period){PERIOD_YEAR, days(year, 1, 1), days(year + 1, 1, 1)};
}

/* n digits at s, or -1. */
static int number(const char *s, size_t n) {
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return -1;
        v = v * 10 + (s[i] - '0');
    }
    return v;
}

static bool parse(const char *s, struct period *out) {
    size_t n = strlen(s);
    int year = n >= 4 ? number(s, 4) : -1;
    if (year < 1900 || year > 9000) return false;
    if (n == 4) {
        *out = period_of(PERIOD_YEAR, days(year, 1, 1));
        return true;
    }
    int month = n >= 7 && s[4] == '-' ? number(s + 5, 2) : -1;
    if (month < 1 || month > 12) return false;
    if (n == 7) {
        *out = period_of(PERIOD_MONTH, days(year, month, 1));
        return true;
    }
    if (n != 10 || s[7] != '-') return false;
    if (s[8] == 'T' && s[9] >= '1' && s[9] <= '3') {
        *out = period_of(PERIOD_TEN_DAY, days(year, month, (s[9] - '1') * 10 + 1));
        return true;
    }
    int day = number(s + 8, 2);
    if (day < 1 || day > civil_month_days(year, month)) return false;
    *out = period_of(PERIOD_DAY, days(year, month, day));
    return true;
}

enum err_code period_parse(const char *text, struct period *out, struct err *err) {
    if (parse(text, out)) return ERR_OK;
    return err_fail(err, ERR_INVALID,
                    "\"%.40s\" is no period: a day 2026-08-05, ten days 2026-08-T1 to T3, a month "
                    "2026-08 or a year 2026",
                    text);
}

void period_format(const struct period *p, char out[PERIOD_TEXT]) {
    int year = 0, month = 0, dom = 0;
    civil_from_days(p->from, &year, &month, &dom);
    unsigned y = (unsigned)year % 10000, m = (unsigned)month % 100, d = (unsigned)dom % 100;
    if (p->kind == PERIOD_YEAR)
        (void)snprintf(out, PERIOD_TEXT, "%04u", y);
    else if (p->kind == PERIOD_MONTH)
        (void)snprintf(out, PERIOD_TEXT, "%04u-%02u", y, m);
    else if (p->kind == PERIOD_TEN_DAY)
        (void)snprintf(out, PERIOD_TEXT, "%04u-%02u-T%u", y, m, ((d - 1) / 10 + 1) % 10);
    else
        (void)snprintf(out, PERIOD_TEXT, "%04u-%02u-%02u", y, m, d);
}

struct period period_step(const struct period *p, int n) {
    struct period q = *p;
    for (; n > 0; n--) q = period_of(q.kind, q.to);
    for (; n < 0; n++) q = period_of(q.kind, q.from - 1);
    return q;
}

struct period period_last_year(const struct period *p) {
    int year = 0, month = 0, dom = 0;
    civil_from_days(p->from, &year, &month, &dom);
    int last = civil_month_days(year - 1, month);
    return period_of(p->kind, days(year - 1, month, dom < last ? dom : last));
}

static const char *const kind_names[] = {"day", "ten_day", "month", "year"};

const char *period_kind_name(enum period_kind kind) { return kind_names[kind - 1]; }

int period_kind_parse(const char *text) {
    for (int i = 0; i < PERIOD_YEAR; i++)
        if (strcmp(kind_names[i], text) == 0) return i + 1;
    return -1;
}
