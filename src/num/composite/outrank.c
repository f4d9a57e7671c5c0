#include <math.h>

#include "num/composite/aggregate.h"

/* Balance of a against b: weight where a is ahead less weight where b is, over the criteria both
 * have; ties count for neither, which is half for each. */
static int beats(const struct composite_family *f, uint32_t n_child, size_t a, size_t b) {
    double balance = 0, weight = 0;
    for (uint32_t c = 0; c < n_child; c++) {
        const double *row = composite_child_row(f, c);
        double w = composite_child_weight(f, c);
        if (isnan(row[a]) || isnan(row[b])) continue;
        weight += w;
        if (row[a] > row[b]) balance += w;
        if (row[a] < row[b]) balance -= w;
    }
    /* Sums of weights that ought to cancel leave a rounding: it makes no winner. */
    double none = 1e-12 * weight;
    return balance > none ? 1 : balance < -none ? -1 : 0;
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
        for (size_t b = a + 1; b < n; b++) {
            if (f->agg->rounded_ties) {
                double share = rounded_share(f, n_child, total, a, b);
                out[a] += above_half(share);
                out[b] += above_half(1 - share); /* rounded anew: not always the opposite */
                continue;
            }
            int won = beats(f, n_child, a, b);
            out[a] += won;
            out[b] -= won;
        }
    }
    if (f->agg->kind != COMPOSITE_MAJORITY) return;
    for (size_t j = 0; j < n; j++) out[j] = n > 1 ? 0.5 + 0.5 * out[j] / ((double)n - 1) : 0.5;
}
