#include "num/model/tree_bins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Half-way, but never the upper one itself, so that x <= cut keeps them apart. */
static double between(double low, double high) {
    double middle = low + (high - low) / 2;
    return middle < high ? middle : low;
}

static unsigned cut(const double *sorted, size_t n, unsigned max_bins, double *threshold) {
    size_t distinct = n > 0;
    for (size_t i = 1; i < n; i++) distinct += sorted[i] != sorted[i - 1];
    unsigned k = 0;
    if (distinct <= max_bins) {
        for (size_t i = 1; i < n; i++)
            if (sorted[i] != sorted[i - 1]) threshold[k++] = between(sorted[i - 1], sorted[i]);
        return k + 1;
    }
    for (unsigned b = 1; b < max_bins; b++) {
        double at = (double)b / max_bins * (double)(n - 1);
        size_t low = (size_t)floor(at), high = (size_t)ceil(at);
        double value =
            sorted[low] == sorted[high] ? sorted[low] : between(sorted[low], sorted[high]);
        /* A cut at the largest value would leave an empty bin. */
        if ((k == 0 || value > threshold[k - 1]) && value < sorted[n - 1]) threshold[k++] = value;
    }
    return k + 1;
}

struct binning {
    const struct model_data *data;
    const uint8_t *use;
    struct tree_bins *bins;
    unsigned max_bins;
    enum err_code *rc;
};

static uint8_t bin_of(const double *threshold, unsigned n_bin, double x) {
    unsigned low = 0, high = n_bin - 1; /* the first cut that is not below x */
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (x <= threshold[middle]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return (uint8_t)low;
}

static void bin_column(void *arg, size_t j) {
    struct binning *b = arg;
    const struct model_data *d = b->data;
    double *sorted = mem_new(d->n_row, sizeof *sorted);
    b->rc[j] = sorted == NULL ? ERR_NOMEM : ERR_OK;
    if (sorted == NULL) return;
    size_t n = 0;
    for (size_t i = 0; i < d->n_row; i++) {
        double x = d->x[i * d->n_col + j];
        if (b->use[i] != 0 && !isnan(x)) sorted[n++] = x;
    }
    qsort(sorted, n, sizeof *sorted, ascending);
    double *threshold = b->bins->threshold[j];
    b->bins->n_bin[j] = cut(sorted, n, b->max_bins, threshold);
    uint8_t *bin = b->bins->bin + j * d->n_row;
    for (size_t i = 0; i < d->n_row; i++) {
        double x = d->x[i * d->n_col + j];
        bin[i] = isnan(x) ? TREE_MISSING : bin_of(threshold, b->bins->n_bin[j], x);
    }
    mem_free(sorted);
}

enum err_code tree_bins_new(const struct model_data *data, const uint8_t *use, unsigned max_bins,
                            const struct num_run *run, struct arena *a, struct tree_bins *out,
                            struct err *err) {
    size_t n_col = data->n_col;
    *out = (struct tree_bins){.n_row = data->n_row, .n_col = n_col};
    out->bin = ARENA_NEW(a, uint8_t, n_col * data->n_row);
    out->threshold = ARENA_NEW(a, double *, n_col);
    out->n_bin = ARENA_NEW(a, unsigned, n_col);
    enum err_code *rc = ARENA_NEW(a, enum err_code, n_col);
    double *cuts = ARENA_NEW(a, double, n_col *max_bins);
    if (out->bin == NULL || out->threshold == NULL || out->n_bin == NULL || rc == NULL ||
        cuts == NULL)
        return err_fail(err, ERR_NOMEM, "bins of %zu rows, %zu columns", data->n_row, n_col);
    for (size_t j = 0; j < n_col; j++) out->threshold[j] = cuts + j * max_bins;
    struct binning b = {data, use, out, max_bins, rc};
    num_run_each(run, n_col, bin_column, &b);
    for (size_t j = 0; j < n_col; j++)
        if (rc[j] != ERR_OK) return err_fail(err, rc[j], "bins of column %s", data->name[j]);
    return ERR_OK;
}
