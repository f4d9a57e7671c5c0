#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/composite/stages.h"
#include "num/core/linalg.h"

/* Variables are standardised by the values there, so that one tolerance and one test of singularity
 * fit all; p is the number of them that vary. */
struct em {
    const struct composite_tree *t;
    const uint32_t *var;     /* p indices of rows that vary */
    size_t p, n;             /* variables, areas */
    double *z;               /* n x p, area-major, NaN missing */
    double *centre, *spread; /* p */
    double *mean, *cov;      /* the estimate: p, p x p */
    double *sum, *cross;     /* expected sums: p, p x p */
    double *a, *b;           /* p x p: observed block, its solve */
    double *filled;          /* p */
    uint32_t *like;          /* n: first area with the same pattern of gaps */
    uint32_t *seen, *gone;   /* p: observed and missing variables of a pattern */
};

static bool same_pattern(const double *x, const double *y, size_t p) {
    for (size_t k = 0; k < p; k++) {
        if (isnan(x[k]) != isnan(y[k])) return false;
    }
    return true;
}

static void find_patterns(struct em *e) {
    for (size_t j = 0; j < e->n; j++) {
        e->like[j] = (uint32_t)j;
        for (size_t i = 0; i < j; i++) {
            if (e->like[i] != i || !same_pattern(e->z + i * e->p, e->z + j * e->p, e->p)) continue;
            e->like[j] = (uint32_t)i;
            break;
        }
    }
}

/* b (observed x missing) = inverse of the observed block times the block between. */
static enum err_code regress(struct em *e, size_t n_seen, size_t n_gone, struct err *err) {
    for (size_t i = 0; i < n_seen; i++) {
        const double *from = e->cov + e->seen[i] * e->p;
        for (size_t k = 0; k < n_seen; k++) e->a[i * n_seen + k] = from[e->seen[k]];
        for (size_t k = 0; k < n_gone; k++) e->b[i * n_gone + k] = from[e->gone[k]];
    }
    if (n_seen == 0 || n_gone == 0) return ERR_OK;
    if (num_solve_spd(e->a, n_seen, e->b, n_gone, err) != ERR_OK)
        return err_fail(err, ERR_NUMERIC,
                        "EM: the indicators beside %s depend on one another linearly; leave one "
                        "out or impute otherwise",
                        e->t->code[e->var[0]]);
    return ERR_OK;
}

static void expect_area(struct em *e, const double *z, size_t n_seen, size_t n_gone, bool keep,
                        double *to) {
    for (size_t i = 0; i < n_seen; i++) e->filled[e->seen[i]] = z[e->seen[i]];
    for (size_t k = 0; k < n_gone; k++) {
        double v = e->mean[e->gone[k]];
        for (size_t i = 0; i < n_seen; i++)
            v += e->b[i * n_gone + k] * (z[e->seen[i]] - e->mean[e->seen[i]]);
        e->filled[e->gone[k]] = v;
    }
    if (keep) memcpy(to, e->filled, e->p * sizeof *to);
    for (size_t i = 0; i < e->p; i++) {
        e->sum[i] += e->filled[i];
        for (size_t k = 0; k <= i; k++) e->cross[i * e->p + k] += e->filled[i] * e->filled[k];
    }
    for (size_t g = 0; g < n_gone; g++) { /* what the regression leaves open */
        for (size_t h = 0; h < n_gone; h++) {
            uint32_t i = e->gone[g], k = e->gone[h];
            double rest = e->cov[i * e->p + k];
            for (size_t s = 0; s < n_seen; s++)
                rest -= e->cov[i * e->p + e->seen[s]] * e->b[s * n_gone + h];
            if (k <= i) e->cross[i * e->p + k] += rest;
        }
    }
}

/* One pass over all areas by pattern; with `to` (n x p) the filled values are kept there. */
static enum err_code expect(struct em *e, double *to, struct err *err) {
    memset(e->sum, 0, e->p * sizeof *e->sum);
    memset(e->cross, 0, e->p * e->p * sizeof *e->cross);
    for (size_t first = 0; first < e->n; first++) {
        if (e->like[first] != first) continue;
        size_t n_seen = 0, n_gone = 0;
        for (size_t k = 0; k < e->p; k++) {
            if (isnan(e->z[first * e->p + k]))
                e->gone[n_gone++] = (uint32_t)k;
            else
                e->seen[n_seen++] = (uint32_t)k;
        }
        TRY(regress(e, n_seen, n_gone, err));
        for (size_t j = first; j < e->n; j++) {
            if (e->like[j] == first)
                expect_area(e, e->z + j * e->p, n_seen, n_gone, to != NULL,
                            to == NULL ? NULL : to + j * e->p);
        }
    }
    return ERR_OK;
}

/* New estimate; returns its largest change. */
static double maximise(struct em *e) {
    double change = 0, n = (double)e->n;
    for (size_t i = 0; i < e->p; i++) {
        double m = e->sum[i] / n;
        change = fmax(change, fabs(m - e->mean[i]));
        e->mean[i] = m;
    }
    for (size_t i = 0; i < e->p; i++) {
        for (size_t k = 0; k <= i; k++) {
            double c = e->cross[i * e->p + k] / n - e->mean[i] * e->mean[k];
            change = fmax(change, fabs(c - e->cov[i * e->p + k]));
            e->cov[i * e->p + k] = e->cov[k * e->p + i] = c;
        }
    }
    return change;
}

static enum err_code iterate(struct em *e, const struct composite_impute *how,
                             const struct num_run *run, unsigned *iterations, struct err *err) {
    unsigned most = how->max_iterations == 0 ? 1000 : how->max_iterations;
    double tolerance = how->tolerance > 0 ? how->tolerance : 1e-10, change = 0;
    for (unsigned k = 1; k <= most; k++) {
        if (num_run_stopped(run)) return err_fail(err, ERR_TIMEOUT, "stopped");
        TRY(expect(e, NULL, err));
        change = maximise(e);
        *iterations = k;
        if (change <= tolerance) return ERR_OK;
    }
    return err_fail(err, ERR_NUMERIC,
                    "EM of the indicators beside %s has not converged in %u iterations (last "
                    "change %g of a standard deviation): too many gaps for so many indicators",
                    e->t->code[e->var[0]], most, change);
}

/* Rows that vary, standardised; a constant row's gaps are its constant, an empty one stays. */
static void standardise(struct em *e, uint32_t *var_to, const uint32_t *var, size_t n_var,
                        double *value) {
    for (size_t v = 0; v < n_var; v++) {
        double *row = value + var[v] * e->n, sum = 0, square = 0, low = INFINITY, high = -INFINITY;
        size_t there = 0;
        for (size_t j = 0; j < e->n; j++) {
            if (isnan(row[j])) continue;
            there++;
            sum += row[j];
            low = fmin(low, row[j]);
            high = fmax(high, row[j]);
        }
        if (there == 0) continue;
        if (!(high > low)) {
            for (size_t j = 0; j < e->n; j++) row[j] = low;
            continue;
        }
        double m = sum / (double)there;
        for (size_t j = 0; j < e->n; j++) {
            if (!isnan(row[j])) square += (row[j] - m) * (row[j] - m);
        }
        var_to[e->p] = var[v];
        e->centre[e->p] = m;
        e->spread[e->p++] = sqrt(square / (double)there);
    }
    for (size_t j = 0; j < e->n; j++) {
        for (size_t k = 0; k < e->p; k++)
            e->z[j * e->p + k] = (value[var_to[k] * e->n + j] - e->centre[k]) / e->spread[k];
    }
}

static enum err_code run_em(struct em *e, const struct composite_impute *how,
                            const struct num_run *run, double *value, unsigned *iterations,
                            struct err *err) {
    memset(e->mean, 0, e->p * sizeof *e->mean);
    for (size_t i = 0; i < e->p; i++) {
        for (size_t k = 0; k < e->p; k++) e->cov[i * e->p + k] = i == k ? 1 : 0;
    }
    find_patterns(e);
    TRY(iterate(e, how, run, iterations, err));
    double *to = mem_new(e->n * e->p, sizeof *to);
    if (to == NULL) return err_fail(err, ERR_NOMEM, "no memory for EM");
    enum err_code rc = expect(e, to, err);
    for (size_t j = 0; rc == ERR_OK && j < e->n; j++) {
        for (size_t k = 0; k < e->p; k++) {
            double *cell = value + e->var[k] * e->n + j;
            if (isnan(*cell)) *cell = e->centre[k] + e->spread[k] * to[j * e->p + k];
        }
    }
    mem_free(to);
    return rc;
}

enum err_code composite_em(const struct composite_tree *t, const uint32_t *var, size_t n_var,
                           size_t n_area, const struct composite_impute *how,
                           const struct num_run *run, double *value, unsigned *iterations,
                           struct err *err) {
    double need = ((double)n_area * (double)n_var * 2 + 4.0 * (double)n_var * (double)n_var) * 8;
    TRY(num_run_afford(run, need, "EM", err));
    struct em e = {.t = t, .n = n_area};
    size_t m = n_var;
    double *block = mem_new(n_area * m + 5 * m + 4 * m * m, sizeof *block);
    uint32_t *index = mem_new(3 * m + n_area, sizeof *index);
    enum err_code rc = ERR_OK;
    *iterations = 0;
    if (block == NULL || index == NULL) {
        rc = err_fail(err, ERR_NOMEM, "no memory for EM");
    } else {
        e.z = block;
        e.centre = e.z + n_area * m;
        e.spread = e.centre + m;
        e.mean = e.spread + m;
        e.sum = e.mean + m;
        e.filled = e.sum + m;
        e.cov = e.filled + m;
        e.cross = e.cov + m * m;
        e.a = e.cross + m * m;
        e.b = e.a + m * m;
        e.var = index;
        e.seen = index + m;
        e.gone = e.seen + m;
        e.like = e.gone + m;
        standardise(&e, index, var, n_var, value);
        bool gaps = false;
        for (size_t k = 0; k < e.n * e.p; k++) gaps = gaps || isnan(e.z[k]);
        if (gaps) rc = run_em(&e, how, run, value, iterations, err);
    }
    mem_free(index);
    mem_free(block);
    return rc;
}
