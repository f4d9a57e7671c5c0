#include <math.h>
#include <stddef.h>

#include "num/survey/survey.h"

static const double z95 = 1.959963984540054;

void survey_wilson(double p, double n, double z, double *low, double *high) {
    double z2 = z * z / n, middle = (p + z2 / 2) / (1 + z2);
    double half = z * sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2);
    /* At 0 and 1 an end is the border itself but for rounding. */
    *low = p <= 0 ? 0 : fmax(0, middle - half);
    *high = p >= 1 ? 1 : fmin(1, middle + half);
}

struct stratum {
    double n, sum, square; /* all answers of the cell; of the residuals in the domain */
};

static double variance(const struct stratum *h, size_t n) {
    double v = 0;
    for (size_t i = 0; i < n; i++) {
        if (h[i].square == 0 && h[i].sum == 0) continue;
        if (h[i].n < 2) return NAN;
        v += h[i].n / (h[i].n - 1) * (h[i].square - h[i].sum * h[i].sum / h[i].n);
    }
    return fmax(v, 0);
}

enum err_code survey_estimate(const struct survey_weights *w, size_t n, const int16_t *answer,
                              struct arena *a, struct survey_share *out, struct err *err) {
    double sum = 0, square = 0, yes = 0;
    struct stratum *h = ARENA_NEW(a, struct stratum, w->n_cells + 1);
    if (h == NULL) return err_fail(err, ERR_NOMEM, "survey");
    *out = (struct survey_share){0, NAN, NAN, NAN, 0, NAN, NAN};
    for (size_t i = 0; i < n; i++) {
        if (!(w->weight[i] > 0)) continue;
        h[w->cell[i]].n++;
        if (answer[i] < 0) continue;
        out->n++;
        sum += w->weight[i];
        square += w->weight[i] * w->weight[i];
        if (answer[i] > 0) yes += w->weight[i];
    }
    if (out->n == 0) return ERR_OK;
    out->value = fmin(1, yes / sum);
    for (size_t i = 0; i < n; i++) {
        if (!(w->weight[i] > 0) || answer[i] < 0) continue;
        double z = w->weight[i] * ((double)answer[i] - out->value) / sum;
        h[w->cell[i]].sum += z;
        h[w->cell[i]].square += z * z;
    }
    out->se = sqrt(variance(h, w->n_cells));
    out->n_effective = sum * sum / square;
    out->effect = (double)out->n / out->n_effective;
    survey_wilson(out->value, out->n_effective, z95, &out->low, &out->high);
    return ERR_OK;
}
