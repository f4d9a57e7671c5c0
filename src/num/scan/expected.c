#include "num/scan/expected.h"

#include <math.h>
#include <string.h>

double scan_population_time(const double *time, const double *population, size_t n_times, double a,
                            double b) {
    double sum = 0;
    if (a < time[0]) sum += population[0] * (fmin(b, time[0]) - a);
    for (size_t i = 0; i + 1 < n_times; i++) {
        double from = fmax(a, time[i]), to = fmin(b, time[i + 1]);
        if (from >= to) continue;
        /* The mean of a line over an interval is its value in the middle. */
        double share = (0.5 * (from + to) - time[i]) / (time[i + 1] - time[i]);
        sum += (to - from) * (population[i] + share * (population[i + 1] - population[i]));
    }
    double last = time[n_times - 1];
    if (b > last) sum += population[n_times - 1] * (b - fmax(a, last));
    return sum;
}

static enum err_code check(const struct scan_strata *s, struct err *err) {
    if (s->n_places == 0 || s->n_categories == 0 || s->n_times == 0 || s->n_slots == 0)
        return err_fail(err, ERR_INVALID, "there are no places, categories, census times or slots");
    for (size_t i = 0; i < s->n_times; i++) {
        if (!isfinite(s->time[i]) || (i > 0 && s->time[i] <= s->time[i - 1]))
            return err_fail(err, ERR_INVALID, "census times must rise");
    }
    for (size_t i = 0; i <= s->n_slots; i++) {
        if (!isfinite(s->slot_border[i]) || (i > 0 && s->slot_border[i] <= s->slot_border[i - 1]))
            return err_fail(err, ERR_INVALID, "slots must rise");
    }
    for (size_t c = 0; c < s->n_cells; c++) {
        if (s->place[c] >= s->n_places || s->category[c] >= s->n_categories)
            return err_fail(err, ERR_INVALID, "cell %zu is of no place or category", c);
    }
    for (size_t c = 0; c < s->n_cells * s->n_times; c++) {
        if (!isfinite(s->population[c]) || s->population[c] < 0)
            return err_fail(err, ERR_INVALID, "population %g is negative or not finite",
                            s->population[c]);
    }
    for (size_t k = 0; k < s->n_categories; k++) {
        if (!isfinite(s->cases[k]) || s->cases[k] < 0)
            return err_fail(err, ERR_INVALID, "cases %g are negative or not finite", s->cases[k]);
    }
    return ERR_OK;
}

static enum err_code rates(const struct scan_strata *s, double *rate, size_t *bad,
                           struct err *err) {
    double from = s->slot_border[0], to = s->slot_border[s->n_slots];
    for (size_t c = 0; c < s->n_cells; c++) {
        rate[s->category[c]] +=
            scan_population_time(s->time, s->population + c * s->n_times, s->n_times, from, to);
    }
    for (size_t k = 0; k < s->n_categories; k++) {
        double exposure = rate[k];
        rate[k] = 0;
        if (s->cases[k] == 0) continue;
        if (exposure <= 0) {
            if (bad != NULL) *bad = k;
            return err_fail(err, ERR_INVALID, "a category has %g cases and no population",
                            s->cases[k]);
        }
        rate[k] = s->cases[k] / exposure;
    }
    return ERR_OK;
}

enum err_code scan_expected(const struct scan_strata *s, struct arena *scratch, double *expected,
                            double *mean_population, size_t *bad_category, struct err *err) {
    if (bad_category != NULL) *bad_category = SIZE_MAX;
    TRY(check(s, err));
    double *rate = ARENA_NEW(scratch, double, s->n_categories);
    if (rate == NULL) return err_fail(err, ERR_NOMEM, "rates of %zu categories", s->n_categories);
    TRY(rates(s, rate, bad_category, err));
    memset(expected, 0, s->n_places * s->n_slots * sizeof *expected);
    if (mean_population != NULL) memset(mean_population, 0, s->n_places * sizeof(double));
    double period = s->slot_border[s->n_slots] - s->slot_border[0];
    for (size_t c = 0; c < s->n_cells; c++) {
        const double *population = s->population + c * s->n_times;
        double *row = expected + s->place[c] * s->n_slots, all = 0;
        for (size_t t = 0; t < s->n_slots; t++) {
            double exposure = scan_population_time(s->time, population, s->n_times,
                                                   s->slot_border[t], s->slot_border[t + 1]);
            row[t] += rate[s->category[c]] * exposure;
            all += exposure;
        }
        if (mean_population != NULL) mean_population[s->place[c]] += all / period;
    }
    return ERR_OK;
}
