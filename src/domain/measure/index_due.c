#include "domain/measure/index_due.h"

static int64_t lag_of(const struct pack_set *packs, const struct indicator_def *d, int depth) {
    if (d == NULL || depth > INDICATOR_MAX_DEPTH) return 0;
    int64_t most = d->lag_days;
    const char *of[] = {d->of, d->to};
    for (size_t i = 0; i < 2; i++) {
        int64_t lag = of[i][0] == '\0' ? 0 : lag_of(packs, pack_indicator(packs, of[i]), depth + 1);
        most = lag > most ? lag : most;
    }
    for (size_t i = 0; i < d->n_terms; i++) {
        int64_t lag = lag_of(packs, pack_indicator(packs, d->terms[i].indicator), depth + 1);
        most = lag > most ? lag : most;
    }
    return most;
}

int64_t index_lag_days(const struct pack_set *packs, const struct index_def *d) {
    int64_t most = 0;
    for (size_t i = 0; i < d->n_leaves; i++) {
        int64_t lag = lag_of(packs, d->node[i].indicator, 0);
        most = lag > most ? lag : most;
    }
    return most;
}

size_t index_due_periods(const struct pack_set *packs, const struct index_set *all,
                         const char *index, int32_t today, struct period out[INDEX_DUE_MAX]) {
    static const int most[] = {
        [PERIOD_DAY] = 7, [PERIOD_TEN_DAY] = 3, [PERIOD_MONTH] = 3, [PERIOD_YEAR] = 1};
    size_t n = 0;
    for (int kind = PERIOD_DAY; kind <= PERIOD_YEAR; kind++) {
        struct period p = period_of((enum period_kind)kind, today);
        int taken = 0;
        for (int back = 0; back < 400 && taken < most[kind]; back++) {
            p = period_step(&p, -1);
            const struct index_def *d = index_find_at(all, index, p.from);
            if (d == NULL || p.from < d->valid_day) break;
            if ((d->periods & (1u << (unsigned)kind)) == 0) break;
            if (p.to + index_lag_days(packs, d) > today) continue;
            out[n++] = p;
            taken++;
        }
    }
    return n;
}
