/* Rules over counts by day or week: alarms, threshold, change, silence. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "domain/measure/warn_figure.h"
#include "domain/measure/warn_inside.h"
#include "num/alarm/alarm.h"
#include "num/core/dist.h"

/* The rows of a place (and a class): a run of `order`. */
struct series {
    const uint32_t *row;
    size_t n;
    const char *place;
    uint32_t cls; /* or group, by the rule */
};
struct ordered {
    const char *place;
    uint32_t cls, row;
};

static int by_place(const void *a, const void *b) {
    const struct ordered *x = a, *y = b;
    int c = strcmp(x->place, y->place);
    if (c != 0) return c;
    if (x->cls != y->cls) return x->cls < y->cls ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* What a method says of a series. */
struct judged {
    bool raised;
    int32_t window; /* days */
    double expected, p;
};

static void count_days(const struct warn_work *w, const struct series *s, int64_t *count,
                       size_t n_days) {
    int32_t first = w->view->day - (int32_t)n_days + 1;
    memset(count, 0, n_days * sizeof *count);
    for (size_t i = 0; i < s->n; i++) {
        int32_t at = w->view->rows->row[s->row[i]].day - first;
        if (at >= 0) count[at]++;
    }
}

static double sum_of(const int64_t *count, size_t from, size_t to) {
    double sum = 0;
    for (size_t i = from; i < to; i++) sum += (double)count[i];
    return sum;
}

uint8_t warn_kind_of_day(const struct warn_set *set, int32_t day) {
    const struct calendar_def *c = set->calendar;
    int weekday = civil_weekday(day);
    for (size_t i = 0; c != NULL && i < c->n_exceptions; i++)
        if (c->exceptions[i].day == day)
            return c->exceptions[i].working ? (uint8_t)(weekday > 4 ? 0 : weekday) : 7;
    return (uint8_t)weekday;
}

static enum alarm_method alarm_of(enum warn_method m) {
    switch (m) {
    case WARN_EARS_C1:
        return ALARM_C1;
    case WARN_EARS_C2:
        return ALARM_C2;
    case WARN_EARS_C3:
        return ALARM_C3;
    case WARN_FARRINGTON:
        return ALARM_FLEXIBLE;
    default:
        return ALARM_CUSUM;
    }
}

static void alarm_settings(const struct warn_rule *r, struct alarm_spec *s) {
    alarm_spec_default(alarm_of(r->method), s);
    s->alpha = r->alpha;
    if (r->method <= WARN_EARS_C3) {
        s->baseline = (size_t)r->baseline;
        s->min_sigma = 0.5;
    }
    if (r->method == WARN_FARRINGTON) s->years = (size_t)r->years;
    if (r->method == WARN_CUSUM) {
        s->k = r->k;
        s->h = r->h;
    } else if (r->method <= WARN_EARS_C3) {
        s->weekday_weeks = (size_t)r->weekday_weeks;
    }
}

/* Days into weeks that end on the judged day; the oldest part of a week is left out. */
static size_t weeks_of(int64_t *count, int32_t *day, size_t n) {
    size_t weeks = n / 7, skip = n % 7;
    for (size_t k = 0; k < weeks; k++) {
        count[k] = (int64_t)sum_of(count, skip + 7 * k, skip + 7 * k + 7);
        day[k] = day[skip + 7 * k + 6];
    }
    return weeks;
}

static enum err_code by_alarm(struct warn_work *w, int64_t *count, size_t n, struct judged *out,
                              struct err *err) {
    struct alarm_spec spec;
    struct alarm_point point[64];
    bool weekly = w->rule->method == WARN_FARRINGTON;
    int32_t *day = ARENA_NEW(w->scratch, int32_t, n + 1);
    uint8_t *class_of = ARENA_NEW(w->scratch, uint8_t, n + 1);
    if (day == NULL || class_of == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    alarm_settings(w->rule, &spec);
    for (size_t i = 0; i < n; i++) {
        day[i] = w->view->day - (int32_t)(n - 1 - i);
        class_of[i] = warn_kind_of_day(w->ask->set, day[i]);
    }
    if (weekly) n = weeks_of(count, day, n);
    /* CUSUM runs over the last four weeks on the level of the time before. */
    size_t look = w->rule->method == WARN_CUSUM ? 28 : 1;
    if (n <= look) return ERR_OK;
    struct alarm_series x = {.n = n,
                             .from = n - look,
                             .count = count,
                             .day = day,
                             .class_of = weekly ? NULL : class_of,
                             .year_steps = weekly ? 52 : 365};
    TRY(alarm_spec_check(&spec, err));
    TRY(alarm_series_check(&spec, &x, err));
    double *scratch = ARENA_NEW(w->scratch, double, alarm_scratch(&spec, n) + 1);
    if (scratch == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    alarm_run(&spec, &x, scratch, point);
    const struct alarm_point *last = &point[look - 1];
    out->raised = last->alarm && last->state == ALARM_OK;
    out->expected = last->expected;
    out->window = weekly ? 7 : w->rule->method == WARN_EARS_C3 ? 3 : 1;
    out->p = last->p_value;
    if (isnan(out->p) && w->rule->method <= WARN_EARS_C2) out->p = num_norm_p(last->score, false);
    return ERR_OK;
}

static void by_threshold(const struct warn_rule *r, const int64_t *count, size_t n,
                         struct judged *out) {
    size_t window = (size_t)r->window;
    bool on = false;
    for (size_t i = window; i <= n; i++) {
        double sum = sum_of(count, i - window, i);
        on = warn_state_next(on, sum, r->raise, r->clear);
    }
    out->raised = on;
    out->window = (int32_t)window;
    out->expected = r->raise;
    out->p = NAN;
}

/* The window against windows of the same length before it, whose spread counts too. */
static void by_change(const struct warn_rule *r, const int64_t *count, size_t n,
                      struct judged *out) {
    size_t window = (size_t)r->window, base = (size_t)r->baseline, k = base / window;
    double now = sum_of(count, n - window, n), mean = 0, square = 0;
    if (k < 2 || n < window + base) return;
    for (size_t i = 0; i < k; i++) {
        double x = sum_of(count, n - window - (i + 1) * window, n - window - i * window);
        mean += x;
        square += x * x;
    }
    mean /= (double)k;
    double var = (square - (double)k * mean * mean) / (double)(k - 1);
    double level = mean > 0.5 ? mean : 0.5, spread = var / level;
    out->expected = mean;
    out->window = (int32_t)window;
    out->p = spread > 1.0001 ? num_nbinom_p(now - 1, level / (spread - 1), level, false)
                             : num_pois_p(now - 1, level, false);
    out->raised = now >= r->ratio * level && out->p <= r->alpha;
}

/* A place that always had something to tell, now silent far longer than ever. */
static void by_silence(const struct warn_rule *r, const int64_t *count, size_t n,
                       struct judged *out) {
    size_t gap = 0, longest = 0, pause = 0, first = 0;
    while (first < n && count[first] == 0) first++;
    while (gap < n && count[n - 1 - gap] == 0) gap++;
    if (gap == 0 || gap == n) return;
    for (size_t i = first; i < n - gap; i++) {
        pause = count[i] == 0 ? pause + 1 : 0;
        if (pause > longest) longest = pause;
    }
    double days = (double)(n - gap - first), total = sum_of(count, first, n - gap);
    if (days < 28 || total < r->min) return;
    out->expected = total / days * (double)gap;
    out->window = (int32_t)gap;
    out->p = exp(-out->expected);
    out->raised =
        (double)gap > r->gap_times * (double)(longest > 0 ? longest : 1) && out->p <= r->alpha;
}

static enum err_code judge(struct warn_work *w, const struct series *s, size_t n,
                           struct judged *out, struct err *err) {
    int64_t *count = ARENA_NEW(w->scratch, int64_t, n + 1);
    if (count == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    *out = (struct judged){.window = 1, .expected = NAN, .p = NAN};
    count_days(w, s, count, n);
    if (w->rule->method == WARN_THRESHOLD)
        by_threshold(w->rule, count, n, out);
    else if (w->rule->method == WARN_CHANGE)
        by_change(w->rule, count, n, out);
    else if (w->rule->method == WARN_SILENCE)
        by_silence(w->rule, count, n, out);
    else
        return by_alarm(w, count, n, out, err);
    return ERR_OK;
}

static enum err_code judge_and_keep(struct warn_work *w, const struct series *s, size_t n_days,
                                    size_t n_series, struct err *err) {
    struct judged j;
    TRY(judge(w, s, n_days, &j, err));
    if (!j.raised) return ERR_OK;
    int32_t from = w->view->day - j.window + 1;
    int step = w->rule->method == WARN_FARRINGTON ? 7 : 1;
    size_t k = s->n;
    while (k > 0 && w->view->rows->row[s->row[k - 1]].day >= from) k--;
    uint32_t *row = ARENA_NEW(w->a, uint32_t, s->n - k + 1);
    const char **place = ARENA_NEW(w->a, const char *, 1);
    if (row == NULL || place == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    memcpy(row, s->row + k, (s->n - k) * sizeof *row);
    place[0] = s->place;
    struct warn_signal x = {.from = from,
                            .cls = w->rule->by_group ? WARN_ANY_CLASS : s->cls,
                            .group = s->cls,
                            .place = place,
                            .n_places = s->place[0] != '\0',
                            .observed = (double)(s->n - k),
                            .expected = j.expected,
                            .p = j.p,
                            .row = row,
                            .n_rows = s->n - k};
    if (w->rule->method != WARN_SILENCE && x.observed < w->rule->min) return ERR_OK;
    x.n_series = n_series;
    x.recurrence = isnan(j.p) ? NAN : (double)step / fmax(j.p, 1e-12);
    return warn_keep(w, &x, s->row, s->n, err);
}

/* As many days as the data reach back, at most the rule's history. */
static size_t days_of(const struct warn_work *w) {
    int32_t first = w->view->rows->begin, day = w->view->day;
    double most = w->rule->history, have = (double)(day - first + 1);
    return (size_t)(have < most ? have : most);
}

static enum err_code split(struct warn_work *w, struct series **out, size_t *n_out,
                           struct err *err) {
    struct ordered *o = ARENA_NEW(w->scratch, struct ordered, w->n_rows + 1);
    uint32_t *row = ARENA_NEW(w->scratch, uint32_t, w->n_rows + 1);
    struct series *s = ARENA_NEW(w->scratch, struct series, w->n_rows + 1);
    size_t n = 0, k = 0;
    if (o == NULL || row == NULL || s == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < w->n_rows; i++) {
        const struct warn_row *r = &w->view->rows->row[w->row[i]];
        uint32_t cls = w->rule->by_class   ? r->cls
                       : w->rule->by_group ? w->view->group[r->cls]
                                           : WARN_ANY_CLASS;
        /* The city is one place, whatever its code and also where rows have none. */
        const char *place = w->rule->level == WARN_CITY ? "" : r->place[w->rule->level];
        if (w->rule->level != WARN_CITY && place[0] == '\0') continue;
        o[n++] = (struct ordered){.place = place, .cls = cls, .row = w->row[i]};
    }
    if (n > 1) qsort(o, n, sizeof *o, by_place);
    for (size_t i = 0; i < n; i++) {
        row[i] = o[i].row;
        if (i == 0 || o[i].place != o[i - 1].place || o[i].cls != o[i - 1].cls)
            s[k++] = (struct series){.row = &row[i], .place = o[i].place, .cls = o[i].cls};
        s[k - 1].n++;
    }
    *out = s;
    *n_out = k;
    return ERR_OK;
}

enum err_code warn_series_run(struct warn_work *w, struct err *err) {
    struct series *s = NULL;
    size_t n = 0;
    if (w->n_rows == 0) return ERR_OK;
    TRY(split(w, &s, &n, err));
    for (size_t i = 0; i < n; i++) TRY(judge_and_keep(w, &s[i], days_of(w), n, err));
    return ERR_OK;
}
