#include "domain/measure/shrink.h"

#include <math.h>

static bool usable(double count, double base) {
    return isfinite(count) && isfinite(base) && base > 0 && count >= 0;
}

struct shrink_told shrink_global(const double *count, const double *base, size_t n, double *out) {
    struct shrink_told t = {0};
    double counts = 0, bases = 0, spread = 0;
    bool shares = true;
    for (size_t i = 0; i < n; i++) {
        out[i] = NAN;
        if (!usable(count[i], base[i])) continue;
        t.n++;
        counts += count[i];
        bases += base[i];
        if (count[i] > base[i]) shares = false;
    }
    if (t.n < 2) return t;
    t.mean = counts / bases;
    for (size_t i = 0; i < n; i++) {
        if (!usable(count[i], base[i])) continue;
        double d = count[i] / base[i] - t.mean;
        spread += base[i] * d * d;
    }
    double chance = shares ? t.mean * (1 - t.mean) : t.mean;
    t.between = spread / bases - chance / (bases / (double)t.n);
    if (!(t.between > 0)) t.between = 0;
    for (size_t i = 0; i < n; i++) {
        if (!usable(count[i], base[i])) continue;
        double trust = t.between > 0 ? t.between / (t.between + chance / base[i]) : 0;
        out[i] = t.mean + trust * (count[i] / base[i] - t.mean);
    }
    return t;
}

static bool adds_up(const struct indicator_def *d) {
    return d != NULL &&
           (d->measure == MEASURE_COUNT || (d->measure == MEASURE_FIGURE && d->sum_up));
}

bool shrink_applies(const struct pack_set *packs, const struct indicator_def *d) {
    if (d->measure == MEASURE_SHARE) return true;
    return d->measure == MEASURE_RATIO && adds_up(pack_indicator(packs, d->of)) &&
           adds_up(pack_indicator(packs, d->to));
}

enum err_code shrink_values(const struct pack_set *packs, const struct indicator_def *d,
                            const struct indicator_value *v, size_t n, struct arena *a, double *out,
                            struct err *err) {
    double *count = ARENA_NEW(a, double, n + 1), *base = ARENA_NEW(a, double, n + 1);
    if (count == NULL || base == NULL) return err_fail(err, ERR_NOMEM, "rates");
    bool applies = shrink_applies(packs, d);
    for (size_t i = 0; i < n; i++) {
        count[i] = applies ? v[i].numerator : NAN;
        base[i] = v[i].denominator;
    }
    (void)shrink_global(count, base, n, out);
    for (size_t i = 0; i < n; i++) out[i] *= d->per;
    return ERR_OK;
}
