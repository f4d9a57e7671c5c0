#include "num/alarm/evaluate.h"

#include <math.h>

static bool judged(const struct alarm_point *p) {
    return p->state == ALARM_OK || p->state == ALARM_FEW || p->state == ALARM_FLAT;
}

/* One outbreak: labelled points [lo, hi) of the series. */
static void add_outbreak(const struct alarm_point *p, size_t lo, size_t hi, size_t from,
                         const int32_t *day, size_t step_days, struct alarm_score *score) {
    bool any = false, found = false;
    for (size_t i = lo < from ? from : lo; i < hi; i++) {
        const struct alarm_point *q = &p[i - from];
        if (!judged(q)) continue;
        any = true;
        score->outbreak_points++;
        if (!q->alarm) continue;
        score->true_alarms++;
        if (found) continue;
        size_t days = day == NULL ? (i - lo) * step_days : (size_t)(day[i] - day[lo]);
        found = true;
        score->found++;
        score->steps_sum += i - lo;
        score->days_sum += days;
        if (days > score->days_max) score->days_max = days;
    }
    if (any) score->outbreaks++;
}

void alarm_evaluate(const struct alarm_point *p, const uint8_t *label, size_t from, size_t n,
                    const int32_t *day, size_t step_days, struct alarm_score *score) {
    for (size_t i = 0; i < n;) {
        if (label[i] != 0) {
            size_t lo = i;
            while (i < n && label[i] != 0) i++;
            add_outbreak(p, lo, i, from, day, step_days, score);
            continue;
        }
        if (i >= from && judged(&p[i - from])) {
            score->quiet++;
            if (p[i - from].alarm) score->false_alarms++;
        }
        i++;
    }
    for (size_t i = from; i < n; i++) {
        if (judged(&p[i - from]))
            score->judged++;
        else
            score->unjudged++;
    }
}

static double share(size_t part, size_t whole) {
    return whole == 0 ? NAN : (double)part / (double)whole;
}

double alarm_false_rate(const struct alarm_score *s) { return share(s->false_alarms, s->quiet); }
double alarm_sensitivity(const struct alarm_score *s) { return share(s->found, s->outbreaks); }
double alarm_point_sensitivity(const struct alarm_score *s) {
    return share(s->true_alarms, s->outbreak_points);
}
double alarm_days_to_detection(const struct alarm_score *s) { return share(s->days_sum, s->found); }
