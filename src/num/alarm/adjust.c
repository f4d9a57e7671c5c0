#include "num/alarm/adjust.h"

void alarm_days_move(struct alarm_days *d, const struct alarm_series *x, size_t lo, size_t hi) {
    for (; d->hi < hi; d->hi++) {
        d->sum[x->class_of[d->hi]] += (uint64_t)x->count[d->hi];
        d->n[x->class_of[d->hi]]++;
    }
    for (; d->lo < lo; d->lo++) {
        d->sum[x->class_of[d->lo]] -= (uint64_t)x->count[d->lo];
        d->n[x->class_of[d->lo]]--;
    }
}

void alarm_days_factors(const struct alarm_days *d, double factor[static 8]) {
    uint64_t sum = 0;
    uint32_t n = 0;
    for (size_t c = 0; c < 8; c++) {
        sum += d->sum[c];
        n += d->n[c];
    }
    for (size_t c = 0; c < 8; c++) {
        factor[c] = 1;
        if (sum == 0 || d->n[c] == 0) continue;
        double f = (double)d->sum[c] / d->n[c] / ((double)sum / n);
        factor[c] = f < ALARM_LEAST_FACTOR ? ALARM_LEAST_FACTOR : f;
    }
    if (d->n[7] < 2) factor[7] = factor[6];
}
