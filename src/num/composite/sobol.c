#include "num/composite/sobol.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "num/composite/order.h"

enum { MAX_INPUTS = 64, CHUNK = 256 };
/* Streams of the resamples, apart from those of the rows. */
static const uint64_t boot_streams = UINT64_C(1) << 40, slice_streams = UINT64_C(1) << 41;

static enum err_code check(const struct sobol_options *o, struct err *err) {
    if (o->n < 2 || o->n > ((size_t)1 << 24))
        return err_fail(err, ERR_INVALID, "the base sample has %zu rows; 2 to 2^24 are possible",
                        o->n);
    if (o->d < 1 || o->d > MAX_INPUTS)
        return err_fail(err, ERR_INVALID, "%zu inputs; 1 to %d are possible", o->d, MAX_INPUTS);
    if (!(o->level >= 0.0 && o->level < 1.0))
        return err_fail(err, ERR_INVALID, "the level of the intervals has to lie in (0, 1)");
    return ERR_OK;
}

/* One value in each of n slices, the slices in random order (Fisher and Yates). */
static void latin_column(uint64_t seed, uint64_t column, size_t n, uint32_t *slice, double *x,
                         size_t stride) {
    struct rng r = rng_new(seed, slice_streams + column);
    for (size_t k = 0; k < n; k++) slice[k] = (uint32_t)k;
    for (size_t k = n; k > 1; k--) {
        uint32_t j = rng_below(&r, (uint32_t)k), t = slice[k - 1];
        slice[k - 1] = slice[j];
        slice[j] = t;
    }
    for (size_t k = 0; k < n; k++) x[k * stride] = (slice[k] + rng_unit(&r)) / (double)n;
}

enum err_code sobol_plan_new(struct arena *arena, const struct sobol_options *opt,
                             struct sobol_plan *out, struct err *err) {
    TRY(check(opt, err));
    size_t n = opt->n, d = opt->d;
    double *a = ARENA_NEW(arena, double, n *d), *b = ARENA_NEW(arena, double, n *d);
    uint32_t *slice = ARENA_NEW(arena, uint32_t, n);
    if (a == NULL || b == NULL || slice == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for a base sample of %zu rows", n);
    if (opt->sample == SOBOL_LATIN) {
        for (size_t j = 0; j < d; j++) {
            latin_column(opt->seed, 2 * j, n, slice, a + j, d);
            latin_column(opt->seed, 2 * j + 1, n, slice, b + j, d);
        }
    } else {
        for (size_t k = 0; k < n; k++) {
            struct rng r = rng_new(opt->seed, k);
            for (size_t j = 0; j < d; j++) a[k * d + j] = rng_unit(&r);
            for (size_t j = 0; j < d; j++) b[k * d + j] = rng_unit(&r);
        }
    }
    *out = (struct sobol_plan){.n = n, .d = d, .n_runs = n * (d + 2), .a = a, .b = b};
    return ERR_OK;
}

void sobol_plan_point(const struct sobol_plan *p, size_t r, double *x) {
    size_t row = r % p->n, block = r / p->n;
    const double *from = (block == 1 ? p->b : p->a) + row * p->d;
    for (size_t j = 0; j < p->d; j++) x[j] = from[j];
    if (block >= 2) x[block - 2] = p->b[row * p->d + block - 2];
}

/* ---- estimates ---- */

struct boot {
    const struct sobol_options *opt;
    const double *y; /* (d + 2) x n, packed, less the mean */
    double *value;   /* bootstrap x 2d: first, total */
    uint32_t *rows;  /* n_threads' worth is not known here: one row list a chunk */
    size_t n_chunks;
    const struct num_run *run;
};

/* Both indices of all inputs from the rows named (NULL: each once). */
static double estimate(const double *y, size_t n, size_t d, const uint32_t *rows, double *first,
                       double *total) {
    const double *a = y, *b = y + n;
    double sum = 0, square = 0;
    for (size_t k = 0; k < n; k++) {
        size_t r = rows == NULL ? k : rows[k];
        sum += a[r] + b[r];
        square += a[r] * a[r] + b[r] * b[r];
    }
    double m = 2.0 * (double)n, variance = (square - sum * sum / m) / (m - 1.0);
    double mean = sum / m;
    for (size_t i = 0; i < d; i++) {
        const double *ab = y + (i + 2) * n;
        double f = 0, t = 0;
        for (size_t k = 0; k < n; k++) {
            size_t r = rows == NULL ? k : rows[k];
            double change = ab[r] - a[r];
            f += (b[r] - mean) * change;
            t += change * change;
        }
        bool varies = variance > 0.0;
        first[i] = varies ? f / (double)n / variance : 0.0;
        total[i] = varies ? t / (2.0 * (double)n) / variance : 0.0;
    }
    return variance;
}

static void boot_chunk(void *arg, size_t c) {
    struct boot *b = arg;
    size_t n = b->opt->n, d = b->opt->d, all = b->opt->bootstrap;
    uint32_t *rows = b->rows + c * n;
    for (size_t k = all * c / b->n_chunks; k < all * (c + 1) / b->n_chunks; k++) {
        if (num_run_stopped(b->run)) return;
        struct rng r = rng_new(b->opt->seed, boot_streams + k);
        for (size_t j = 0; j < n; j++) rows[j] = rng_below(&r, (uint32_t)n);
        (void)estimate(b->y, n, d, rows, b->value + k * 2 * d, b->value + k * 2 * d + d);
    }
}

/* Percentile interval and standard deviation of one column of the resamples. */
static void spread(const double *value, size_t n, size_t stride, double level, double *sorted,
                   double *low, double *high, double *se) {
    double mean = 0, square = 0;
    for (size_t k = 0; k < n; k++) {
        sorted[k] = value[k * stride];
        mean += sorted[k];
    }
    mean /= (double)n;
    for (size_t k = 0; k < n; k++) square += (sorted[k] - mean) * (sorted[k] - mean);
    *se = n > 1 ? sqrt(square / (double)(n - 1)) : 0.0;
    order_sort(sorted, n);
    *low = order_quantile(sorted, n, 0.5 * (1.0 - level));
    *high = order_quantile(sorted, n, 0.5 * (1.0 + level));
}

static enum err_code intervals(const struct sobol_options *opt, const double *y,
                               const struct num_run *run, struct sobol_index *of, struct err *err) {
    size_t n = opt->n, d = opt->d, all = opt->bootstrap;
    double level = opt->level > 0.0 ? opt->level : 0.9;
    size_t n_chunks = num_run_threads(run);
    if (n_chunks > all) n_chunks = all;
    struct boot b = {.opt = opt, .y = y, .n_chunks = n_chunks, .run = run};
    b.value = mem_new(all * 2 * d, sizeof *b.value);
    b.rows = mem_new(n_chunks * n, sizeof *b.rows);
    double *sorted = mem_new(all, sizeof *sorted);
    enum err_code rc = ERR_OK;
    if (b.value == NULL || b.rows == NULL || sorted == NULL) {
        rc = err_fail(err, ERR_NOMEM, "no memory for %zu resamples", all);
    } else {
        num_run_each(run, n_chunks, boot_chunk, &b);
        if (num_run_stopped(run)) rc = err_fail(err, ERR_TIMEOUT, "stopped while resampling");
    }
    for (size_t i = 0; i < d && rc == ERR_OK; i++) {
        spread(b.value + i, all, 2 * d, level, sorted, &of[i].first_low, &of[i].first_high,
               &of[i].first_se);
        spread(b.value + d + i, all, 2 * d, level, sorted, &of[i].total_low, &of[i].total_high,
               &of[i].total_se);
    }
    mem_free(b.value);
    mem_free(b.rows);
    mem_free(sorted);
    return rc;
}

/* Copy the outcomes together, less their mean over A and B. */
static enum err_code pack(const struct sobol_options *opt, const double *y, size_t stride,
                          double *packed, double *mean, struct err *err) {
    size_t n = opt->n, n_runs = n * (opt->d + 2);
    double sum = 0;
    for (size_t r = 0; r < n_runs; r++) {
        packed[r] = y[r * stride];
        if (!isfinite(packed[r]))
            return err_fail(err, ERR_NUMERIC, "run %zu of the model gave no finite outcome", r);
        if (r < 2 * n) sum += packed[r];
    }
    *mean = sum / (2.0 * (double)n);
    for (size_t r = 0; r < n_runs; r++) packed[r] -= *mean;
    return ERR_OK;
}

enum err_code sobol_estimate(struct arena *arena, const struct sobol_options *opt, const double *y,
                             size_t stride, const struct num_run *run, struct sobol_result *out,
                             struct err *err) {
    TRY(check(opt, err));
    size_t n = opt->n, d = opt->d;
    double *packed = ARENA_NEW(arena, double, n *(d + 2));
    struct sobol_index *of = ARENA_NEW(arena, struct sobol_index, d);
    if (packed == NULL || of == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for the outcomes of %zu runs", n * (d + 2));
    double first[MAX_INPUTS], total[MAX_INPUTS], mean = 0;
    TRY(pack(opt, y, stride, packed, &mean, err));
    double variance = estimate(packed, n, d, NULL, first, total);
    for (size_t i = 0; i < d; i++) {
        of[i] = (struct sobol_index){.first = first[i],
                                     .first_low = first[i],
                                     .first_high = first[i],
                                     .total = total[i],
                                     .total_low = total[i],
                                     .total_high = total[i]};
    }
    bool constant = !(variance > 0.0);
    if (!constant && opt->bootstrap > 0) TRY(intervals(opt, packed, run, of, err));
    *out = (struct sobol_result){
        .mean = mean, .variance = constant ? 0.0 : variance, .constant = constant, .of = of};
    return ERR_OK;
}

/* ---- all in one ---- */

struct model_runs {
    const struct sobol_plan *plan;
    double (*model)(void *arg, const double *x);
    void *arg;
    double *y;
    const struct num_run *run;
};

static void model_chunk(void *arg, size_t c) {
    struct model_runs *m = arg;
    double x[MAX_INPUTS];
    if (num_run_stopped(m->run)) return;
    for (size_t r = c * CHUNK; r < m->plan->n_runs && r < (c + 1) * CHUNK; r++) {
        sobol_plan_point(m->plan, r, x);
        m->y[r] = m->model(m->arg, x);
    }
}

enum err_code sobol_run(struct arena *arena, const struct sobol_options *opt,
                        double (*model)(void *arg, const double *x), void *arg,
                        const struct num_run *run, struct sobol_result *out, struct err *err) {
    struct sobol_plan plan;
    TRY(sobol_plan_new(arena, opt, &plan, err));
    double *y = ARENA_NEW(arena, double, plan.n_runs);
    if (y == NULL) return err_fail(err, ERR_NOMEM, "no memory for %zu outcomes", plan.n_runs);
    struct model_runs m = {.plan = &plan, .model = model, .arg = arg, .y = y, .run = run};
    num_run_each(run, (plan.n_runs + CHUNK - 1) / CHUNK, model_chunk, &m);
    if (num_run_stopped(run)) return err_fail(err, ERR_TIMEOUT, "stopped while running the model");
    return sobol_estimate(arena, opt, y, 1, run, out, err);
}
