#include <math.h>
#include <string.h>

#include "num/composite/aggregate.h"

/* balance[b] += w where a is ahead of b, -= w where b is. Level ones count for neither, which is
 * half for each. Comparisons as numbers: they have no branches to guess. */
static void weigh_pairs(double *restrict balance, const double *restrict row, size_t from, size_t n,
                        double own, double w) {
    for (size_t b = from; b < n; b++) balance[b] += w * ((own > row[b]) - (own < row[b]));
}

/* weight[b] += w where b has a value. */
static void weigh_there(double *restrict weight, const double *restrict row, size_t from, size_t n,
                        double w) {
    for (size_t b = from; b < n; b++) weight[b] += w * (row[b] == row[b]);
}

/* Area a against all that follow it. */
static void outrank_one(const struct composite_family *f, uint32_t n_child, size_t a, double *out) {
    size_t n = f->plan->n_area;
    const struct composite_tree *t = f->plan->tree;
    double *balance = f->work, *weight = f->work + n, whole = 0;
    memset(balance, 0, n * sizeof *balance);
    memset(weight, 0, n * sizeof *weight);
    for (uint32_t c = 0; c < n_child; c++) {
        const double *row = composite_child_row(f, c);
        double w = composite_child_weight(f, c);
        if (w == 0 || isnan(row[a])) continue;
        weigh_pairs(balance, row, a + 1, n, row[a], w);
        if (f->gaps[t->child[t->first[f->parent] + c]] != 0)
            weigh_there(weight, row, a + 1, n, w);
        else
            whole += w;
    }
    for (size_t b = a + 1; b < n; b++) {
        /* Sums of weights that ought to cancel leave a rounding: it makes no winner. */
        double none = 1e-12 * (weight[b] + whole);
        int won = balance[b] > none ? 1 : balance[b] < -none ? -1 : 0;
        out[a] += won;
        out[b] -= won;
    }
}

/* The share of weight with which a is ahead of b, level ones half: sums taken in extended precision
 * and rounded once each, as R does. */
static double rounded_share(const struct composite_family *f, uint32_t n_child, double total,
                            size_t a, size_t b) {
    long double won = 0, level = 0;
    for (uint32_t c = 0; c < n_child; c++) {
        const double *row = composite_child_row(f, c);
        double w = composite_child_weight(f, c) / total;
        if (row[a] > row[b]) won += w;
        if (row[a] == row[b]) level += w;
    }
    return (double)won + (double)level / 2;
}

static int above_half(double share) { return share > 0.5 ? 1 : share < 0.5 ? -1 : 0; }

void composite_outrank(const struct composite_family *f, double *out) {
    const struct composite_tree *t = f->plan->tree;
    uint32_t n_child = t->first[f->parent + 1] - t->first[f->parent];
    size_t n = f->plan->n_area;
    double total = 0;
    for (uint32_t c = 0; c < n_child; c++) total += composite_child_weight(f, c);
    if (fabs(total - 1) < 1e-12) total = 1; /* scaled already: a second rounding would show */
    for (size_t j = 0; j < n; j++) out[j] = 0;
    for (size_t a = 0; a < n; a++) {
        if (!f->agg->rounded_ties) {
            outrank_one(f, n_child, a, out);
            continue;
        }
        for (size_t b = a + 1; b < n; b++) {
            double share = rounded_share(f, n_child, total, a, b);
            out[a] += above_half(share);
            out[b] += above_half(1 - share); /* rounded anew: not always the opposite */
        }
    }
    if (f->agg->kind != COMPOSITE_MAJORITY) return;
    for (size_t j = 0; j < n; j++) out[j] = n > 1 ? 0.5 + 0.5 * out[j] / ((double)n - 1) : 0.5;
}
