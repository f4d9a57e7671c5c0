#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "num/model/elastic.h"
#include "num/model/glm_core.h"

void model_folds_random(size_t n_row, uint32_t n_fold, uint64_t seed, uint32_t *fold) {
    struct rng r = rng_new(seed, 0);
    for (size_t i = 0; i < n_row; i++) fold[i] = (uint32_t)(i % n_fold);
    /* Fisher and Yates, from the end. Tables beyond 2^32 rows are out of reach anyway. */
    for (size_t i = n_row; i > 1; i--) {
        uint32_t k = rng_below(&r, (uint32_t)i), kept = fold[k];
        fold[k] = fold[i - 1];
        fold[i - 1] = kept;
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Index of the block of a time: the last whose first time is not after it. */
static uint32_t block_of(const double *first, uint32_t n, double time) {
    uint32_t k = 0;
    while (k + 1 < n && first[k + 1] <= time) k++;
    return k;
}

enum err_code model_folds_time(const double *time, size_t n_row, uint32_t *n_fold, uint32_t *fold,
                               struct err *err) {
    if (n_row == 0 || *n_fold == 0) return err_fail(err, ERR_INVALID, "no rows or no folds");
    double *sorted = mem_new(n_row, sizeof *sorted), *first = mem_new(*n_fold, sizeof *first);
    if (sorted == NULL || first == NULL) {
        mem_free(sorted);
        mem_free(first);
        return err_fail(err, ERR_NOMEM, "%zu times", n_row);
    }
    memcpy(sorted, time, n_row * sizeof *sorted);
    qsort(sorted, n_row, sizeof *sorted, ascending);
    uint32_t n = 0;
    for (uint32_t b = 0; b < *n_fold; b++) {
        size_t i = (size_t)((double)b * (double)n_row / *n_fold);
        /* A time that began before the even cut belongs to the earlier block when most of it lies
         * there. */
        size_t begin = i, end = i;
        while (begin > 0 && sorted[begin - 1] == sorted[i]) begin--;
        while (end < n_row && sorted[end] == sorted[i]) end++;
        if (i - begin > end - i && end < n_row) i = end;
        if (n == 0 || sorted[i] > first[n - 1]) first[n++] = sorted[i];
    }
    for (size_t i = 0; i < n_row; i++) fold[i] = block_of(first, n, time[i]);
    *n_fold = n;
    mem_free(sorted);
    mem_free(first);
    return ERR_OK;
}

struct cv {
    const struct model_data *data;
    const struct model_path *path;
    struct model_elastic_options options;
    const uint32_t *fold;
    const struct num_run *run;
    bool forward;
    double *deviance; /* n_fold x n_lambda, a unit of weight; NaN: not tested */
    enum err_code *rc;
};

static bool trains(const struct cv *v, size_t i, size_t fold) {
    return v->forward ? v->fold[i] < fold : v->fold[i] != fold;
}

/* Deviance of the rows of one fold at each penalty. */
static void test_fold(const struct cv *v, size_t fold, const struct model_path *path,
                      double *deviance) {
    const struct model_data *d = v->data;
    double total = 0;
    memset(deviance, 0, path->n_lambda * sizeof *deviance);
    for (size_t i = 0; i < d->n_row; i++) {
        double w = glm_weight(d, i), offset = glm_offset(d, i);
        if (v->fold[i] != fold || w == 0) continue;
        total += w;
        for (size_t k = 0; k < path->n_lambda; k++) {
            double eta, mu;
            model_elastic_predict(path, k, d->x + i * d->n_col, 1, &offset, &eta, &mu);
            deviance[k] += w * glm_unit_deviance(path->family, v->options.theta, d->y[i], eta, mu);
        }
    }
    for (size_t k = 0; k < path->n_lambda; k++) deviance[k] /= total;
}

static enum err_code one_fold(const struct cv *v, size_t fold, struct arena *a) {
    const struct model_data *d = v->data;
    double *weight = ARENA_NEW(a, double, d->n_row);
    if (weight == NULL) return ERR_NOMEM;
    double learnt = 0, held = 0;
    for (size_t i = 0; i < d->n_row; i++) {
        double w = glm_weight(d, i);
        weight[i] = trains(v, i, fold) ? w : 0;
        learnt += weight[i];
        held += v->fold[i] == fold ? w : 0;
    }
    if (learnt == 0 || held == 0) return ERR_OK; /* not tested */
    struct model_data part = *d;
    part.weight = weight;
    struct model_path path;
    struct num_run alone = {.stop = v->run == NULL ? NULL : v->run->stop,
                            .arg = v->run == NULL ? NULL : v->run->arg};
    struct err ignored;
    enum err_code rc =
        model_elastic_path(&part, v->path->family, &v->options, &alone, a, &path, &ignored);
    if (rc == ERR_NUMERIC) return ERR_OK;
    if (rc != ERR_OK) return rc;
    test_fold(v, fold, &path, v->deviance + fold * path.n_lambda);
    return ERR_OK;
}

static void fold_task(void *arg, size_t fold) {
    struct cv *v = arg;
    for (size_t k = 0; k < v->path->n_lambda; k++) v->deviance[fold * v->path->n_lambda + k] = NAN;
    struct arena *a = arena_new(SIZE_MAX / 2);
    v->rc[fold] = a == NULL ? ERR_NOMEM : one_fold(v, fold, a);
    arena_free(a);
}

static enum err_code sum_up(const struct cv *v, uint32_t n_fold, struct arena *a,
                            struct model_cv *out, struct err *err) {
    size_t n = v->path->n_lambda;
    double *mean = ARENA_NEW(a, double, n), *se = ARENA_NEW(a, double, n);
    if (mean == NULL || se == NULL) return err_fail(err, ERR_NOMEM, "cross-validation");
    *out = (struct model_cv){.n_lambda = n, .mean = mean, .se = se};
    for (uint32_t f = 0; f < n_fold; f++) {
        if (v->rc[f] != ERR_OK) return err_fail(err, v->rc[f], "fold %u", (unsigned)f + 1);
        out->n_tested += isnan(v->deviance[f * n]) ? 0 : 1;
    }
    if (out->n_tested == 0)
        return err_fail(err, ERR_NUMERIC, "none of %u folds can be tested", (unsigned)n_fold);
    double size = (double)out->n_tested;
    for (size_t k = 0; k < n; k++) {
        double sum = 0, squares = 0;
        for (uint32_t f = 0; f < n_fold; f++)
            if (!isnan(v->deviance[f * n])) sum += v->deviance[f * n + k];
        mean[k] = sum / size;
        for (uint32_t f = 0; f < n_fold; f++) {
            double off = v->deviance[f * n + k] - mean[k];
            if (!isnan(v->deviance[f * n])) squares += off * off;
        }
        se[k] = out->n_tested > 1 ? sqrt(squares / (size - 1) / size) : NAN;
        if (mean[k] < mean[out->best]) out->best = k;
    }
    double limit = mean[out->best] + (isnan(se[out->best]) ? 0 : se[out->best]);
    while (out->one_se < out->best && !(mean[out->one_se] <= limit)) out->one_se++;
    return ERR_OK;
}

enum err_code model_elastic_cv(const struct model_data *data, const struct model_path *path,
                               const struct model_elastic_options *options, const uint32_t *fold,
                               uint32_t n_fold, bool forward, const struct num_run *run,
                               struct arena *a, struct model_cv *out, struct err *err) {
    *out = (struct model_cv){0};
    for (size_t i = 0; i < data->n_row; i++)
        if (fold[i] >= n_fold)
            return err_fail(err, ERR_INVALID, "row %zu is in fold %u of %u", i + 1,
                            (unsigned)fold[i] + 1, (unsigned)n_fold);
    struct cv v = {.data = data,
                   .path = path,
                   .options = *options,
                   .fold = fold,
                   .run = run,
                   .forward = forward};
    v.options.lambda = path->lambda;
    v.options.n_lambda = path->n_lambda;
    v.deviance = ARENA_NEW(a, double, n_fold * path->n_lambda);
    v.rc = ARENA_NEW(a, enum err_code, n_fold);
    if (v.deviance == NULL || v.rc == NULL)
        return err_fail(err, ERR_NOMEM, "%u folds", (unsigned)n_fold);
    num_run_each(run, n_fold, fold_task, &v);
    return sum_up(&v, n_fold, a, out, err);
}
