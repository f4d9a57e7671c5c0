#include "num/model/calibrate.h"

#include <math.h>
#include <stdlib.h>

#include "num/model/glm.h"

enum err_code model_platt_fit(const double *score, const uint8_t *outcome, size_t n,
                              struct model_platt *out, struct err *err) {
    *out = (struct model_platt){NAN, NAN, 0};
    if (n == 0) return err_fail(err, ERR_INVALID, "no row to calibrate on");
    struct arena *a = arena_new(SIZE_MAX / 2);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "calibration");
    double *x = ARENA_NEW(a, double, 2 * n), *y = ARENA_NEW(a, double, n);
    if (x == NULL || y == NULL) {
        arena_free(a);
        return err_fail(err, ERR_NOMEM, "calibration of %zu rows", n);
    }
    double positive = 0;
    for (size_t i = 0; i < n; i++) positive += outcome[i] != 0;
    double high = (positive + 1) / (positive + 2), low = 1 / ((double)n - positive + 2);
    for (size_t i = 0; i < n; i++) {
        x[2 * i] = 1;
        x[2 * i + 1] = score[i];
        y[i] = outcome[i] != 0 ? high : low;
    }
    static const char *const name[] = {"intercept", "score"};
    struct model_data d = {n, 2, x, name, y, NULL, NULL};
    struct model_fit fit;
    enum err_code rc = model_glm_fit(&d, MODEL_LOGISTIC, 0, NULL, a, &fit, err);
    if (rc == ERR_OK)
        *out = (struct model_platt){fit.coef[0].value, fit.coef[1].dropped ? 0 : fit.coef[1].value,
                                    fit.flags};
    arena_free(a);
    return rc;
}

double model_platt_chance(const struct model_platt *p, double score) {
    return 1 / (1 + exp(-(p->intercept + p->slope * score)));
}

/* first, last: the scores it spans; sum and weight of its y. */
struct block {
    double first, last, sum, weight;
};

static int by_score(const void *a, const void *b) {
    double x = ((const struct block *)a)->first, y = ((const struct block *)b)->first;
    return (x > y) - (x < y);
}

/* In place; blocks of one score first, then neighbours that fall. The count of blocks left. */
static size_t pool(struct block *b, size_t n) {
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (m > 0 && b[m - 1].last == b[i].first) {
            b[m - 1].sum += b[i].sum;
            b[m - 1].weight += b[i].weight;
        } else {
            b[m++] = b[i];
        }
    }
    size_t k = 0;
    for (size_t i = 0; i < m; i++) {
        b[k] = b[i];
        while (k > 0 && b[k - 1].sum / b[k - 1].weight >= b[k].sum / b[k].weight) {
            b[k - 1].last = b[k].last;
            b[k - 1].sum += b[k].sum;
            b[k - 1].weight += b[k].weight;
            k--;
        }
        k++;
    }
    return k;
}

enum err_code model_isotonic_fit(const double *score, const double *y, const double *weight,
                                 size_t n, struct arena *a, struct model_isotonic *out,
                                 struct err *err) {
    *out = (struct model_isotonic){0};
    if (n == 0) return err_fail(err, ERR_INVALID, "no row to calibrate on");
    struct block *b = ARENA_NEW(a, struct block, n);
    double *knot = ARENA_NEW(a, double, 2 * n), *chance = ARENA_NEW(a, double, 2 * n);
    if (b == NULL || knot == NULL || chance == NULL)
        return err_fail(err, ERR_NOMEM, "calibration of %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        double w = weight == NULL ? 1 : weight[i];
        if (!isfinite(score[i]) || !isfinite(y[i]) || !(w > 0) || isinf(w))
            return err_fail(err, ERR_INVALID, "row %zu: score %g, value %g, weight %g", i + 1,
                            score[i], y[i], w);
        b[i] = (struct block){score[i], score[i], w * y[i], w};
    }
    qsort(b, n, sizeof *b, by_score);
    size_t m = pool(b, n), k = 0;
    for (size_t i = 0; i < m; i++) {
        knot[k] = b[i].first;
        chance[k++] = b[i].sum / b[i].weight;
        if (b[i].last == b[i].first) continue;
        knot[k] = b[i].last;
        chance[k] = chance[k - 1];
        k++;
    }
    *out = (struct model_isotonic){k, knot, chance, m};
    return ERR_OK;
}

double model_isotonic_chance(const struct model_isotonic *m, double score) {
    if (isnan(score) || m->n_knots == 0) return NAN;
    if (score <= m->score[0]) return m->chance[0];
    if (score >= m->score[m->n_knots - 1]) return m->chance[m->n_knots - 1];
    size_t low = 0, high = m->n_knots - 1; /* score[low] < score <= score[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(m->score[middle] < score ? &low : &high) = middle;
    }
    if (score == m->score[high]) return m->chance[high]; /* to the bit, so that it never falls */
    double share = (score - m->score[low]) / (m->score[high] - m->score[low]);
    return m->chance[low] + share * (m->chance[high] - m->chance[low]);
}
