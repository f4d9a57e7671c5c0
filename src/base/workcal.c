#include "base/workcal.h"

#include <string.h>

/* Working time is a coordinate W that grows with the clock while it is working time and stands
 * still otherwise.
 *
 * In naive local time it is F(local) = T * (working days before the day) + (working time since the
 * day began), where T is a full working day. Counting and finding working days is a rank and select
 * on a bitmap of the days 1900..2200. A zone is a chain of periods of constant offset; within one
 * of them W(utc) = F(utc + offset) + adjust, where adjust makes W continuous at the period's begin.
 * So an hour that the clocks skip is not worked and one that they repeat is worked twice, and W and
 * its inverse are exact whatever the zone does.
 *
 * A deadline is the inverse of W at W(start) + n; elapsed time is a difference of W. */

enum { FIRST_YEAR = 1900, LAST_YEAR = 2200, MAX_SPANS = 48, MAX_PERIODS = 2048, BITS = 64 };
static const int64_t us_per_min = INT64_C(60000000), us_per_day = INT64_C(86400000000);
static const int64_t us_per_hour = INT64_C(3600000000);
/* Times beyond it (year 144000) are taken as it, so that no difference overflows. */
static const int64_t far_us = INT64_C(4500000000000000000);
static const int64_t last_day = 2932896; /* 9999-12-31 */

struct period {
    int64_t from_us;   /* UTC; INT64_MIN for the first */
    int64_t offset_us; /* east of UTC */
    int64_t base;      /* W at from_us */
    int64_t adjust;
};

struct work_calendar {
    int64_t day_us; /* T > 0 */
    unsigned weekdays;
    int per_week; /* > 0 */
    size_t n_spans;
    const struct work_span *spans;
    int64_t lo_day, hi_day; /* the bitmap's days, hi_day exclusive */
    size_t n_words;
    uint64_t *bits; /* bit i of word w: day lo_day + 64 w + i is a working day */
    int32_t *rank;  /* working days in the words before */
    int64_t total;
    size_t n_periods; /* >= 1 */
    struct period *periods;
    int first_year, last_year; /* confirmed */
};

static int64_t clamp_us(int64_t at_us) {
    return at_us > far_us ? far_us : at_us < -far_us ? -far_us : at_us;
}

static int64_t floor_div(int64_t a, int64_t b) {
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

static bool by_weekday(const struct work_calendar *c, int64_t day) {
    return (c->weekdays >> civil_weekday(day) & 1U) != 0;
}

static bool is_working_day(const struct work_calendar *c, int64_t day) {
    if (day < c->lo_day || day >= c->hi_day) return by_weekday(c, day);
    uint64_t k = (uint64_t)(day - c->lo_day);
    return (c->bits[k / BITS] >> k % BITS & 1U) != 0;
}

/* Days of the weekly pattern alone before a day, counted from a fixed Monday. */
static int64_t pattern_rank(const struct work_calendar *c, int64_t day) {
    int64_t week = floor_div(day + 3, 7); /* 1970-01-01 was a Thursday */
    unsigned before = c->weekdays & ((1U << (day + 3 - week * 7)) - 1U);
    return week * c->per_week + __builtin_popcount(before);
}

static int64_t pattern_select(const struct work_calendar *c, int64_t k) {
    int64_t week = floor_div(k, c->per_week);
    int64_t left = k - week * c->per_week;
    int weekday = 0;
    for (; (c->weekdays >> weekday & 1U) == 0 || left-- > 0; weekday++) {
    }
    return week * 7 + weekday - 3;
}

/* Working days in lo_day .. day - 1; negative for a day before lo_day. */
static int64_t day_rank(const struct work_calendar *c, int64_t day) {
    if (day < c->lo_day) return pattern_rank(c, day) - pattern_rank(c, c->lo_day);
    if (day >= c->hi_day) return c->total + pattern_rank(c, day) - pattern_rank(c, c->hi_day);
    uint64_t k = (uint64_t)(day - c->lo_day);
    uint64_t before = c->bits[k / BITS] & ((UINT64_C(1) << k % BITS) - 1);
    return c->rank[k / BITS] + __builtin_popcountll(before);
}

/* The working day that has k working days before it: day_rank(day_select(k)) == k. */
static int64_t day_select(const struct work_calendar *c, int64_t k) {
    if (k < 0) return pattern_select(c, k + pattern_rank(c, c->lo_day));
    if (k >= c->total) return pattern_select(c, k - c->total + pattern_rank(c, c->hi_day));
    /* Working days lie so evenly that the guess is a word or two off. */
    size_t w = (size_t)k * c->n_words / (size_t)c->total;
    while (c->rank[w] > k) w--;
    while (w + 1 < c->n_words && c->rank[w + 1] <= k) w++;
    uint64_t bits = c->bits[w];
    for (int64_t left = k - c->rank[w]; left > 0; left--) bits &= bits - 1;
    return c->lo_day + (int64_t)(w * BITS) + __builtin_ctzll(bits);
}

static int64_t span_us(const struct work_span *s) { return (s->to_min - s->from_min) * us_per_min; }

/* Working time of a working day before its moment tod_us. */
static int64_t worked_in_day(const struct work_calendar *c, int64_t tod_us) {
    int64_t sum = 0;
    for (size_t i = 0; i < c->n_spans && tod_us > c->spans[i].from_min * us_per_min; i++) {
        int64_t in_span = tod_us - c->spans[i].from_min * us_per_min;
        sum += in_span < span_us(&c->spans[i]) ? in_span : span_us(&c->spans[i]);
    }
    return sum;
}

/* F */
static int64_t worked_until(const struct work_calendar *c, int64_t local_us) {
    int64_t day = floor_div(local_us, us_per_day);
    int64_t sum = day_rank(c, day) * c->day_us;
    return is_working_day(c, day) ? sum + worked_in_day(c, local_us - day * us_per_day) : sum;
}

/* The first moment at which F reaches w: a span's end rather than the next span's begin. INT64_MAX
 * beyond year 9999. */
static int64_t local_reaching(const struct work_calendar *c, int64_t w) {
    int64_t k = floor_div(w - 1, c->day_us);
    int64_t left = w - k * c->day_us; /* 1 .. day_us */
    int64_t day = day_select(c, k);
    if (day > last_day) return INT64_MAX;
    size_t i = 0;
    for (; left > span_us(&c->spans[i]); i++) left -= span_us(&c->spans[i]);
    return day * us_per_day + c->spans[i].from_min * us_per_min + left;
}

/* The last moment at which F is still w: a span's begin rather than the end of the one before. */
static int64_t local_leaving(const struct work_calendar *c, int64_t w) {
    int64_t k = floor_div(w, c->day_us);
    int64_t left = w - k * c->day_us; /* 0 .. day_us - 1 */
    int64_t day = day_select(c, k);
    if (day > last_day) return INT64_MAX;
    size_t i = 0;
    for (; left >= span_us(&c->spans[i]); i++) left -= span_us(&c->spans[i]);
    return day * us_per_day + c->spans[i].from_min * us_per_min + left;
}

static const struct period *period_at(const struct work_calendar *c, int64_t utc_us) {
    size_t lo = 0, hi = c->n_periods; /* periods[lo] begins at or before utc_us */
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->periods[mid].from_us <= utc_us)
            lo = mid;
        else
            hi = mid;
    }
    return &c->periods[lo];
}

/* The last period whose base is below w (or, when `equal`, at most w). */
static const struct period *period_of_work(const struct work_calendar *c, int64_t w, bool equal) {
    size_t lo = 0, hi = c->n_periods;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->periods[mid].base < w || (equal && c->periods[mid].base == w))
            lo = mid;
        else
            hi = mid;
    }
    return &c->periods[lo];
}

/* W */
static int64_t work_at(const struct work_calendar *c, int64_t utc_us) {
    int64_t at = clamp_us(utc_us);
    const struct period *p = period_at(c, at);
    return worked_until(c, at + p->offset_us) + p->adjust;
}

static int64_t to_utc(const struct period *p, int64_t local_us) {
    return local_us == INT64_MAX ? INT64_MAX : local_us - p->offset_us;
}

static int32_t year_of(int64_t local_us) {
    int year, month, day;
    civil_from_days(floor_div(local_us, us_per_day), &year, &month, &day);
    return year;
}

/* A thousandth of a unit. Spans are whole minutes, so a day's thousandth is exact too. */
static int64_t milli_us(const struct work_calendar *c, enum work_unit unit) {
    return (unit == WORK_DAY ? c->day_us : us_per_hour) / 1000;
}

int64_t work_after_us(const struct work_calendar *cal, int64_t start_us, int64_t length_us,
                      enum work_unit unit, bool *unconfirmed) {
    int64_t target, due = INT64_MAX;
    int64_t from = unit == WORK_URGENT_HOUR ? start_us : work_at(cal, start_us);
    if (length_us <= 0) {
        due = start_us;
    } else if (!__builtin_add_overflow(from, length_us, &target)) {
        const struct period *p = period_of_work(cal, target, false);
        due =
            unit == WORK_URGENT_HOUR ? target : to_utc(p, local_reaching(cal, target - p->adjust));
    }
    if (unconfirmed == NULL) return due;
    *unconfirmed = true;
    if (due > -far_us && due < far_us) {
        int32_t year = year_of(due + period_at(cal, due)->offset_us);
        *unconfirmed =
            unit != WORK_URGENT_HOUR && (year < cal->first_year || year > cal->last_year);
    }
    return due;
}

int64_t work_deadline(const struct work_calendar *cal, int64_t start_us, int64_t n_milli,
                      enum work_unit unit, bool *unconfirmed) {
    int64_t length;
    if (n_milli <= 0) return work_after_us(cal, start_us, 0, unit, unconfirmed);
    if (!__builtin_mul_overflow(n_milli, milli_us(cal, unit), &length))
        return work_after_us(cal, start_us, length, unit, unconfirmed);
    if (unconfirmed != NULL) *unconfirmed = true;
    return INT64_MAX;
}

int64_t work_unit_us(const struct work_calendar *cal, enum work_unit unit) {
    return milli_us(cal, unit) * 1000;
}

static int64_t measure(const struct work_calendar *c, int64_t from_us, int64_t to_us,
                       enum work_unit unit) {
    if (unit == WORK_URGENT_HOUR) return to_us - from_us;
    return work_at(c, to_us) - work_at(c, from_us);
}

int64_t work_time_us(const struct work_calendar *cal, int64_t from_us, int64_t to_us,
                     enum work_unit unit) {
    return measure(cal, clamp_us(from_us), clamp_us(to_us), unit);
}

int64_t work_elapsed(const struct work_calendar *cal, int64_t start_us, int64_t end_us,
                     enum work_unit unit, const struct work_pause *pauses, size_t n_pauses) {
    int64_t sum = 0;
    int64_t end = clamp_us(end_us);
    for (int64_t at = clamp_us(start_us); at < end;) {
        int64_t resume = at, next = end;
        for (size_t i = 0; i < n_pauses; i++) {
            const struct work_pause *p = &pauses[i];
            if (p->from_us <= at && p->to_us > resume) resume = p->to_us;
            if (p->from_us > at && p->from_us < p->to_us && p->from_us < next) next = p->from_us;
        }
        if (resume == at) sum += measure(cal, at, next, unit);
        at = resume == at ? next : resume;
    }
    return sum / milli_us(cal, unit);
}

bool work_is_open(const struct work_calendar *cal, int64_t at_us) {
    int64_t at = clamp_us(at_us);
    int64_t local = at + period_at(cal, at)->offset_us;
    int64_t day = floor_div(local, us_per_day), tod = local - day * us_per_day;
    if (!is_working_day(cal, day)) return false;
    for (size_t i = 0; i < cal->n_spans; i++)
        if (tod >= cal->spans[i].from_min * us_per_min && tod < cal->spans[i].to_min * us_per_min)
            return true;
    return false;
}

int64_t work_next_open(const struct work_calendar *cal, int64_t at_us) {
    int64_t w = work_at(cal, at_us);
    const struct period *p = period_of_work(cal, w, true);
    return to_utc(p, local_leaving(cal, w - p->adjust));
}

static enum err_code no_memory(struct err *err) {
    return err_fail(err, ERR_NOMEM, "work calendar: out of memory");
}

static enum err_code set_spans(struct arena *a, struct work_calendar *c,
                               const struct work_span *spans, size_t n, struct err *err) {
    if (n == 0 || n > MAX_SPANS)
        return err_fail(err, ERR_INVALID, "a working day has 1 to %d spans, found %zu",
                        (int)MAX_SPANS, n);
    struct work_span *own = ARENA_NEW(a, struct work_span, n);
    if (own == NULL) return no_memory(err);
    memcpy(own, spans, n * sizeof *own);
    int end = 0;
    for (size_t i = 0; i < n; i++) {
        if (spans[i].from_min < 0 || spans[i].to_min > 1440 || spans[i].from_min >= spans[i].to_min)
            return err_fail(err, ERR_INVALID,
                            "span %zu: from %d to %d is no part of a day of 1440 minutes", i + 1,
                            spans[i].from_min, spans[i].to_min);
        if (spans[i].from_min < end)
            return err_fail(err, ERR_INVALID, "span %zu begins before the one before it ends",
                            i + 1);
        end = spans[i].to_min;
        c->day_us += span_us(&spans[i]);
    }
    c->spans = own;
    c->n_spans = n;
    return ERR_OK;
}

static enum err_code set_exceptions(struct arena *a, struct work_calendar *c,
                                    const struct work_exception *ex, size_t n, struct err *err) {
    uint64_t *seen = ARENA_NEW(a, uint64_t, c->n_words);
    char date[16];
    if (seen == NULL) return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        civil_date_format(ex[i].day, date);
        if (ex[i].day < c->lo_day || ex[i].day >= c->hi_day)
            return err_fail(err, ERR_INVALID, "%s lies outside the years %d to %d", date,
                            (int)FIRST_YEAR, (int)LAST_YEAR);
        uint64_t k = (uint64_t)(ex[i].day - c->lo_day), bit = UINT64_C(1) << k % BITS;
        if ((seen[k / BITS] & bit) != 0)
            return err_fail(err, ERR_INVALID, "%s is named twice", date);
        seen[k / BITS] |= bit;
        if (ex[i].working)
            c->bits[k / BITS] |= bit;
        else
            c->bits[k / BITS] &= ~bit;
    }
    return ERR_OK;
}

static enum err_code set_days(struct arena *a, struct work_calendar *c,
                              const struct work_exception *ex, size_t n, struct err *err) {
    c->lo_day = civil_days(FIRST_YEAR, 1, 1);
    c->n_words = (size_t)(civil_days(LAST_YEAR + 1, 1, 1) - c->lo_day + BITS - 1) / BITS;
    c->hi_day = c->lo_day + (int64_t)(c->n_words * BITS);
    c->bits = ARENA_NEW(a, uint64_t, c->n_words);
    c->rank = ARENA_NEW(a, int32_t, c->n_words);
    if (c->bits == NULL || c->rank == NULL) return no_memory(err);
    unsigned weekday = (unsigned)civil_weekday(c->lo_day);
    for (uint64_t k = 0; k < c->n_words * BITS; k++) {
        if ((c->weekdays >> weekday & 1U) != 0) c->bits[k / BITS] |= UINT64_C(1) << k % BITS;
        weekday = weekday == 6 ? 0 : weekday + 1;
    }
    TRY(set_exceptions(a, c, ex, n, err));
    for (size_t w = 0; w < c->n_words; w++) {
        c->rank[w] = (int32_t)c->total;
        c->total += __builtin_popcountll(c->bits[w]);
    }
    return ERR_OK;
}

static enum err_code set_periods(struct arena *a, struct work_calendar *c, const struct tz *tz,
                                 struct err *err) {
    int64_t begin = c->lo_day * us_per_day, end = c->hi_day * us_per_day, at = begin;
    size_t n = 1;
    while (n < MAX_PERIODS && tz_next_change(tz, at, &at) && at < end) n++;
    c->periods = ARENA_NEW(a, struct period, n);
    if (c->periods == NULL) return no_memory(err);
    at = begin;
    c->periods[0] =
        (struct period){INT64_MIN, tz_offset_s(tz, begin) * INT64_C(1000000), INT64_MIN, 0};
    for (c->n_periods = 1; c->n_periods < n && tz_next_change(tz, at, &at); c->n_periods++) {
        const struct period *before = &c->periods[c->n_periods - 1];
        int64_t offset = tz_offset_s(tz, at) * INT64_C(1000000);
        int64_t base = worked_until(c, at + before->offset_us) + before->adjust;
        c->periods[c->n_periods] =
            (struct period){at, offset, base, base - worked_until(c, at + offset)};
    }
    return ERR_OK;
}

enum err_code work_calendar_new(struct arena *a, const struct tz *tz, unsigned weekday_mask,
                                const struct work_span *spans, size_t n_spans,
                                const struct work_exception *exceptions, size_t n_exceptions,
                                int first_year, int last_year, const struct work_calendar **out,
                                struct err *err) {
    *out = NULL;
    if (weekday_mask == 0 || weekday_mask > 127)
        return err_fail(err, ERR_INVALID, "a week has at least one working day, and seven days");
    if (first_year < FIRST_YEAR || last_year > LAST_YEAR || first_year > last_year)
        return err_fail(err, ERR_INVALID, "confirmed years %d to %d: expected years from %d to %d",
                        first_year, last_year, (int)FIRST_YEAR, (int)LAST_YEAR);
    struct work_calendar *c = ARENA_NEW(a, struct work_calendar, 1);
    if (c == NULL) return no_memory(err);
    c->weekdays = weekday_mask;
    c->per_week = __builtin_popcount(weekday_mask);
    c->first_year = first_year;
    c->last_year = last_year;
    TRY(set_spans(a, c, spans, n_spans, err));
    TRY(set_days(a, c, exceptions, n_exceptions, err));
    TRY(set_periods(a, c, tz, err));
    *out = c;
    return ERR_OK;
}
