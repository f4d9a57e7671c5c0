/* One cell of a table: text, number, whole number, date. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "study/table/table.h"

const char *table_text(const struct table *t, size_t row, size_t col) {
    return t->cell[row * t->n_col + col];
}

enum err_code table_fail(const struct table *t, size_t row, size_t col, const char *expected,
                         struct err *err) {
    const char *text = table_text(t, row, col);
    if (text[0] == '\0')
        return err_fail(err, ERR_INVALID, "%s:%ld: column %s: expected %s, found nothing", t->path,
                        t->line[row], t->name[col], expected);
    return err_fail(err, ERR_INVALID, "%s:%ld: column %s: expected %s, found \"%.60s\"", t->path,
                    t->line[row], t->name[col], expected, text);
}

static bool is_missing(const char *s) {
    return s[0] == '\0' || strcmp(s, "NA") == 0 || strcmp(s, "NaN") == 0 || strcmp(s, "nan") == 0;
}

enum err_code table_number(const struct table *t, size_t row, size_t col, bool may_miss,
                           double *out, struct err *err) {
    const char *s = table_text(t, row, col);
    *out = NAN;
    if (may_miss && is_missing(s)) return ERR_OK;
    char *end = NULL;
    /* strtod alone would take hexadecimal, "inf" and "nan". */
    if (s[0] == '\0' || s[strspn(s, "+-.0123456789eE")] != '\0')
        return table_fail(t, row, col, "a number", err);
    double v = strtod(s, &end);
    if (end == s || *end != '\0' || !isfinite(v)) return table_fail(t, row, col, "a number", err);
    *out = v;
    return ERR_OK;
}

enum err_code table_int(const struct table *t, size_t row, size_t col, int64_t min, int64_t max,
                        int64_t *out, struct err *err) {
    const char *s = table_text(t, row, col);
    char *end = NULL;
    errno = 0;
    long long v = s[0] == '\0' || s[strspn(s, "+-0123456789")] != '\0' ? 0 : strtoll(s, &end, 10);
    if (end != NULL && end != s && *end == '\0' && errno == 0 && v >= min && v <= max) {
        *out = v;
        return ERR_OK;
    }
    char expected[80];
    (void)snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)min,
                   (long long)max);
    return table_fail(t, row, col, expected, err);
}

/* 1 to max_digits digits at *s; moves on. */
static bool digits(const char **s, size_t min_digits, size_t max_digits, int *out) {
    size_t n = 0;
    int v = 0;
    while (n < max_digits && **s >= '0' && **s <= '9') {
        v = v * 10 + (*(*s)++ - '0');
        n++;
    }
    *out = v;
    return n >= min_digits;
}

/* The Monday of an ISO week: week 1 holds the 4th of January (ISO 8601). */
static bool week_start(int year, int week, int64_t *days) {
    int64_t fourth = civil_days(year, 1, 4);
    int64_t first = fourth - civil_weekday(fourth);
    int64_t next_fourth = civil_days(year + 1, 1, 4);
    int64_t next = next_fourth - civil_weekday(next_fourth);
    *days = first + (int64_t)(week - 1) * 7;
    return week >= 1 && *days < next;
}

static bool parse_date(const char *s, int64_t *days) {
    int year = 0, month = 0, day = 1;
    if (!digits(&s, 4, 4, &year) || (*s != '-' && *s != '/')) return false;
    char separator = *s++;
    if (*s == 'W' && separator == '-') {
        s++;
        return digits(&s, 2, 2, &month) && *s == '\0' && week_start(year, month, days);
    }
    if (!digits(&s, 1, 2, &month)) return false;
    if (*s == separator) {
        s++;
        if (!digits(&s, 1, 2, &day)) return false;
    }
    if (*s != '\0' || day < 1 || day > civil_month_days(year, month)) return false;
    *days = civil_days(year, month, day);
    return true;
}

enum err_code table_date(const struct table *t, size_t row, size_t col, int32_t *out,
                         struct err *err) {
    int64_t days = 0;
    if (!parse_date(table_text(t, row, col), &days))
        return table_fail(t, row, col, "a date such as 2026-01-31 or 2026-W05", err);
    *out = (int32_t)days;
    return ERR_OK;
}
