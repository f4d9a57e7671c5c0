#include <math.h>

#include "num/composite/stages.h"

enum err_code composite_denominate(const struct composite_data *d, const struct composite_tree *t,
                                   double *out, struct err *err) {
    for (size_t i = 0; i < t->n_ind; i++) {
        const double *x = d->value + i * d->n_area;
        double *y = out + i * d->n_area;
        uint32_t by = d->denominator_of == NULL ? COMPOSITE_NONE : d->denominator_of[i];
        if (by != COMPOSITE_NONE && by >= d->n_denominator)
            return err_fail(err, ERR_INVALID, "%s: there is no denominator %u", t->code[i], by);
        double scale = d->denominator_scale == NULL ? 1 : d->denominator_scale[i];
        for (size_t j = 0; j < d->n_area; j++) {
            y[j] = x[j];
            if (by == COMPOSITE_NONE) continue;
            double to = d->denominator[by * d->n_area + j];
            if (to <= 0 && !isnan(x[j]))
                return err_fail(err, ERR_NUMERIC, "%s, %s: denominator %g, expected above 0",
                                t->code[i], d->area == NULL ? "an area" : d->area[j], to);
            y[j] = x[j] * scale / to;
        }
    }
    return ERR_OK;
}

enum err_code composite_screen_areas(const struct composite_screen *s,
                                     const struct composite_tree *t, const double *value,
                                     size_t n_area, uint32_t *kept, size_t *n_kept,
                                     struct err *err) {
    *n_kept = 0;
    for (size_t j = 0; j < n_area; j++) {
        size_t there = 0, not_zero = 0;
        for (size_t i = 0; i < t->n_ind; i++) {
            double v = value[i * n_area + j];
            if (isnan(v)) continue;
            there++;
            if (v != 0) not_zero++;
        }
        double share = (double)there / (double)t->n_ind;
        double nonzero = there == 0 ? 0 : (double)not_zero / (double)there;
        /* Shares meant to be reached exactly are not missed by a rounding. */
        bool few = share < s->min_share - 1e-12, zeros = nonzero < s->min_nonzero - 1e-12;
        bool out = (s->kind == COMPOSITE_SCREEN_MISSING && few) ||
                   (s->kind == COMPOSITE_SCREEN_ZEROS && zeros) ||
                   (s->kind == COMPOSITE_SCREEN_MISSING_OR_ZEROS && (few || zeros));
        if (!out) kept[(*n_kept)++] = (uint32_t)j;
    }
    if (*n_kept == 0)
        return err_fail(err, ERR_INVALID, "no area has enough data: the screening leaves none");
    return ERR_OK;
}

void composite_screen_indicators(const struct composite_screen *s, const struct composite_tree *t,
                                 const double *value, size_t n_area, uint8_t *dropped) {
    for (size_t i = 0; i < t->n_ind; i++) {
        size_t there = 0;
        for (size_t j = 0; j < n_area; j++) there += isnan(value[i * n_area + j]) ? 0 : 1;
        if ((double)there < s->min_indicator_share * (double)n_area - 1e-9)
            dropped[i] = COMPOSITE_DROPPED_AVAILABILITY;
    }
}
