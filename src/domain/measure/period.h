/* domain/measure/period.h - days, ten-day periods (旬), months and years of the local calendar, as
 * whole days since 1970-01-01. Pure. */
#ifndef DOMAIN_MEASURE_PERIOD_H
#define DOMAIN_MEASURE_PERIOD_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum period_kind { PERIOD_DAY = 1, PERIOD_TEN_DAY, PERIOD_MONTH, PERIOD_YEAR };
struct period {
    enum period_kind kind;
    int32_t from, to; /* first day, day after the last */
};
enum { PERIOD_TEXT = 24 };

struct period period_of(enum period_kind kind, int32_t day);
/* "2026-08-05", "2026-08-T2" (days 11 to 20), "2026-08", "2026". Errors: ERR_INVALID. */
enum err_code period_parse(const char *text, struct period *out, struct err *err) NODISCARD;
void period_format(const struct period *p, char out[PERIOD_TEXT]);
/* n periods later (n < 0: earlier) of the same kind. */
struct period period_step(const struct period *p, int n);
/* The same period a year earlier. */
struct period period_last_year(const struct period *p);
/* "day" "ten_day" "month" "year", and back: -1 for another word. */
const char *period_kind_name(enum period_kind kind);
int period_kind_parse(const char *text);
#endif
