/* Exponentially weighted moving average: Roberts 1959; the variance of the average after i steps
 * and the Poisson form as in Borror, Champ and Rigdon 1998, equations 1 to 4. */
#include <math.h>

#include "num/alarm/inside.h"

void alarm_ewma(const struct alarm_spec *s, const struct alarm_series *x, struct alarm_point *out) {
    struct alarm_level level = alarm_level_before(s, x);
    double keep = 1 - s->lambda, share = 1, z = NAN;
    for (size_t t = x->from; t < x->n; t++) {
        struct alarm_point *p = &out[t - x->from];
        double m = alarm_level_at(&level, x, t);
        *p = alarm_blank(ALARM_SHORT);
        if (isnan(m) || (s->normal && isnan(level.sd))) continue;
        /* A day of `unit` times the level has that many times its variance: deviations over
         * sqrt(unit) are alike on all days. */
        double base = level.base, root = sqrt(m / base);
        double sd = s->normal ? level.sd : sqrt(base);
        p->expected = m;
        p->state = ALARM_FLAT;
        if (!(sd > 0) || !(base > 0)) continue;
        if (isnan(z)) z = base;
        share *= keep * keep;
        double se = sd * sqrt(s->lambda / (2 - s->lambda) * (1 - share));
        double limit = base + s->width * se;
        p->state = ALARM_OK;
        p->upper = fmax(0, m + root * ((limit - keep * z) / s->lambda - base));
        z = s->lambda * (base + ((double)x->count[t] - m) / root) + keep * z;
        p->score = (z - base) / se;
        p->alarm = z > limit;
    }
}
