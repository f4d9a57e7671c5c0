#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "num/scan/pass.h"
#include "num/scan/window.h"

enum { SAMPLES = 1000 };

/* The samples are numbered from here on, apart from the replicas. */
static const uint64_t first_stream = UINT64_C(1) << 40;

static int compare_double(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x > y ? -1 : x < y;
}

/* The statistic that 5 % of the replicas reach; 0 when there are too few to tell. */
static enum err_code critical(const struct scan_pass *p, double *out, struct err *err) {
    *out = 0.0;
    size_t k = (size_t)((p->n_maxima + 1.0) * 0.05);
    if (k < 1) return ERR_OK;
    double *sorted = mem_new(p->n_maxima, sizeof *sorted);
    if (sorted == NULL) return err_fail(err, ERR_NOMEM, "replicas");
    for (uint32_t r = 0; r < p->n_maxima; r++) sorted[r] = p->maxima[r];
    qsort(sorted, p->n_maxima, sizeof *sorted, compare_double);
    *out = sorted[k - 1];
    mem_free(sorted);
    return ERR_OK;
}

/* As many cases as there are, each drawn from the cases of the data with its place and slot. */
static void resample(const struct scan_pass *p, const uint32_t *row_of, uint64_t sample,
                     struct scan_count *rows) {
    struct rng r = rng_new(p->options->seed, first_stream + sample);
    for (size_t i = 0; i < p->data->n_cases; i++) rows[i].n = 0;
    for (int64_t c = 0; c < p->total; c++) rows[row_of[rng_below(&r, (uint32_t)p->total)]].n++;
}

static void count_best(const struct scan_pass *p, const struct scan_best *best, double least,
                       double *out) {
    size_t top = 0;
    for (size_t i = 1; i < p->n_best; i++)
        if (best[i].llr > best[top].llr ||
            (best[i].llr == best[top].llr && best[i].len < best[top].len))
            top = i;
    if (p->n_best == 0 || !(best[top].llr > 0.0) || !(best[top].llr >= least)) return;
    for (uint32_t i = 0; i < best[top].len; i++)
        out[scan_zones_member(&p->zones, p->zones.first[top] + i)] += 1.0 / SAMPLES;
}

static enum err_code one_sample(const struct scan_pass *p, const struct scan_count *rows,
                                double least, struct scan_best *best, double *out,
                                struct err *err) {
    struct arena *a = arena_new(SIZE_MAX / 2);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "bootstrap samples");
    struct scan_data data = *p->data;
    data.cases = rows;
    struct scan_kernel kernel;
    enum err_code code = scan_pass_kernel(p, &data, a, &kernel, err);
    if (code == ERR_OK) code = kernel.observe(kernel.self, p->run, best, err);
    if (code == ERR_OK) count_best(p, best, least, out);
    arena_free(a);
    return code;
}

enum err_code scan_location_f(const struct scan_pass *p, double *out, struct err *err) {
    double least;
    TRY(critical(p, &least, err));
    struct scan_count *rows = window_keep(p->a, p->data->n_cases, sizeof *rows);
    uint32_t *row_of = window_keep(p->a, (size_t)p->total, sizeof *row_of);
    struct scan_best *best = window_keep(p->a, p->n_best, sizeof *best);
    if (rows == NULL || row_of == NULL || best == NULL)
        return err_fail(err, ERR_NOMEM, "bootstrap samples");
    size_t n = 0;
    for (size_t i = 0; i < p->data->n_cases; i++) {
        rows[i] = p->data->cases[i];
        for (uint32_t k = 0; k < rows[i].n; k++) row_of[n++] = (uint32_t)i;
    }
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        if (num_run_stopped(p->run)) return err_fail(err, ERR_TIMEOUT, "stopped at the F function");
        resample(p, row_of, sample, rows);
        TRY(one_sample(p, rows, least, best, out, err));
        num_run_tell(p->run, "F function", (double)(sample + 1) / SAMPLES);
    }
    return ERR_OK;
}
