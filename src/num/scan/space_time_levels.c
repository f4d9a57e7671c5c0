#include <math.h>

#include "num/scan/llr.h"
#include "num/scan/space_time.h"

double st_expected(const struct st_model *m, double measure) {
    return m->kind == SCAN_BERNOULLI ? measure * m->cases / m->persons : measure;
}

double st_llr(const struct st_model *m, double c, double measure) {
    return m->kind == SCAN_BERNOULLI ? scan_llr_bernoulli(c, measure, m->cases, m->persons)
                                     : scan_llr_poisson(c, measure, m->cases);
}

double st_llr_bound(const struct st_model *m, double c, double measure) {
    double e = st_expected(m, measure), y = c - e, rest = m->cases - e;
    if (!(e > 0.0) || !(rest > 0.0)) return 0.0;
    double f = y > 0.0 ? 0.5 / e + 1.0 / rest : 1.0 / e + 0.5 / rest;
    if (m->kind == SCAN_BERNOULLI) {
        double in = measure - e, out = m->persons - measure - rest;
        if (!(in > 0.0) || !(out > 0.0)) return INFINITY;
        f += y > 0.0 ? 1.0 / in + 0.5 / out : 0.5 / in + 1.0 / out;
    }
    /* Above the rounding of st_llr, too. */
    return y * y * f * (1.0 + 1e-9) + 1e-14 * (m->cases + m->persons);
}

/* d llr / d measure. */
static double slope(const struct st_model *m, double c, double measure) {
    if (m->kind == SCAN_BERNOULLI) {
        double rest = m->persons - measure;
        return log((measure - c) / measure) - log((rest - m->cases + c) / rest);
    }
    return (m->cases - c) / (m->cases - measure) - c / measure;
}

/* Where llr(c, x) = level between `in`, where it is above, and `out`, where it is not: Newton steps
 * from `out`, the place of the level below, halving where they leave the bracket. Returns the end
 * that is not above. */
static double crossing(const struct st_model *m, double c, double level, double in, double out) {
    const double close = 1e-6;
    double x = out;
    for (int i = 0; i < 80 && fabs(out - in) > close * fabs(out); i++) {
        double f = st_llr(m, c, x) - level, s = slope(m, c, x);
        if (f > 0.0)
            in = x;
        else
            out = x;
        double next = s != 0.0 ? x - f / s : in;
        /* A step that has all but arrived goes on to the other side: the bracket closes. */
        if (fabs(next - x) < 0.2 * close * fabs(x))
            next = x + (f > 0.0 ? 0.4 : -0.4) * copysign(close * x, out - in);
        double lower = in < out ? in : out, upper = in < out ? out : in;
        x = next > lower && next < upper ? next : 0.5 * (in + out);
    }
    return out;
}

/* Greatest measure for a high window of c cases. before: that of the level below. */
static double most_measure(const struct st_model *m, double c, double level, double before) {
    if (before < 0.0 || c < m->min_cases || c < 1.0) return -1.0;
    double even = m->kind == SCAN_BERNOULLI ? c * m->persons / m->cases : c;
    if (level <= 0.0) return even;
    double in = m->kind == SCAN_BERNOULLI ? c : 1e-300;
    if (st_llr(m, c, in) < level) return -1.0;
    return crossing(m, c, level, in, before) * (1.0 + 1e-8);
}

static double least_measure(const struct st_model *m, double c, double level, double before) {
    if (before == INFINITY || c >= m->cases) return INFINITY;
    if (level <= 0.0) return m->kind == SCAN_BERNOULLI ? c * m->persons / m->cases : c;
    double in = m->kind == SCAN_BERNOULLI ? m->persons - m->cases + c : m->cases * (1.0 - 1e-15);
    if (st_llr(m, c, in) < level) return INFINITY;
    return crossing(m, c, level, in, before) * (1.0 - 1e-8);
}

/* Counts that any threshold may need: beyond the last one the tables answer "it may". */
static double count_max(const struct st_model *model, double measure_max, double level) {
    double e = st_expected(model, measure_max);
    double most = e + 2.0 * level + 4.0 * sqrt(level * (e + level)) + 16.0;
    return most < model->cases ? most : model->cases;
}

static double next_count(double c) { return c < 512.0 ? c + 1.0 : floor(c + sqrt(c) / 4.0); }

enum err_code st_levels_build(const struct st_model *model, double measure_max, struct arena *a,
                              struct st_levels *out, struct err *err) {
    *out = (struct st_levels){.model = *model};
    for (size_t j = 1; j < ST_LEVELS; j++) out->level[j] = 0.5 * pow(1.07, (double)(j - 1));
    double last = count_max(model, measure_max, out->level[ST_LEVELS - 1]);
    double c = 0.0;
    while (c <= last) {
        c = next_count(c);
        out->n_count++;
    }
    size_t n = out->n_count;
    out->count = ARENA_NEW(a, uint32_t, n);
    out->most = ARENA_NEW(a, double, n *ST_LEVELS);
    out->least = ARENA_NEW(a, double, n *ST_LEVELS);
    if (out->count == NULL || out->most == NULL || out->least == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for the levels of a space-time scan");
    c = 0.0;
    for (size_t i = 0; i < n; i++) {
        out->count[i] = (uint32_t)c;
        double most = 0.0, least = 0.0;
        for (size_t j = 0; j < ST_LEVELS; j++) {
            if (model->high) most = most_measure(model, c, out->level[j], most);
            if (model->low) least = least_measure(model, c, out->level[j], least);
            out->most[j * n + i] = model->high ? most : -1.0;
            out->least[j * n + i] = model->low ? least : INFINITY;
        }
        c = next_count(c);
    }
    return ERR_OK;
}

int32_t st_levels_fewest(const struct st_levels *l, size_t j, double measure) {
    const double *most = l->most + j * l->n_count;
    size_t from = 0, to = l->n_count;
    while (from < to) {
        size_t mid = (from + to) / 2;
        if (most[mid] >= measure)
            to = mid;
        else
            from = mid + 1;
    }
    if (!l->model.high) return INT32_MAX;
    if (from == l->n_count && (double)l->count[from - 1] >= l->model.cases) return INT32_MAX;
    /* Between two counts of the grid nothing is known: the lower end is safe. */
    uint32_t c = from == 0 ? l->count[0] : l->count[from - 1] + 1;
    return c < INT32_MAX ? (int32_t)c : INT32_MAX;
}

int32_t st_levels_most(const struct st_levels *l, size_t j, double measure) {
    const double *least = l->least + j * l->n_count;
    size_t from = 0, to = l->n_count;
    while (from < to) {
        size_t mid = (from + to) / 2;
        if (least[mid] <= measure)
            from = mid + 1;
        else
            to = mid;
    }
    if (!l->model.low || from == 0) return -1;
    uint32_t c = from < l->n_count ? l->count[from] - 1 : (uint32_t)l->model.cases;
    return c < INT32_MAX ? (int32_t)c : INT32_MAX;
}

size_t st_levels_at(const struct st_levels *l, double statistic) {
    size_t j = 0;
    while (j + 1 < ST_LEVELS && l->level[j + 1] <= statistic) j++;
    return j;
}
