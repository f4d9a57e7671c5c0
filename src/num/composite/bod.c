#include <math.h>

#include "base/mem.h"
#include "num/composite/aggregate.h"
#include "num/core/optim.h"

/* Benefit of the doubt (Cherchye, Moesen, Rogge, van Puyenbroeck 2007, eq. 1): for area i
 *   max sum_k w_k y_ik  subject to  sum_k w_k y_jk <= 1 for every area j, w >= 0,
 * and, with shares, low <= w_k y_ik / sum_l w_l y_il <= high. Solved by its dual, which has a row a
 * child instead of a row an area:
 *   min sum_j l_j  subject to, for every k,
 *   sum_j l_j y_jk + y_ik (low sum m - m_k) + y_ik (n_k - high sum n) >= y_ik;  l, m, n >= 0. */
struct doubt {
    const struct composite_family *f;
    uint32_t n_kept;       /* children that weigh something */
    const uint32_t *kept;  /* their numbers */
    double *scale;         /* n_kept: largest value of each; rows are divided by it */
    double *a, *b, *c, *x; /* the programme of one area */
    enum num_relation *relation;
    size_t n_col;
    bool shares;
};

static double value_of(const struct doubt *d, uint32_t k, size_t area) {
    double v = composite_child_row(d->f, d->kept[k])[area];
    return isnan(v) || d->scale[k] == 0 ? 0 : v / d->scale[k];
}

static enum err_code measure(struct doubt *d, struct err *err) {
    const struct composite_tree *t = d->f->plan->tree;
    for (uint32_t k = 0; k < d->n_kept; k++) {
        const double *row = composite_child_row(d->f, d->kept[k]);
        d->scale[k] = 0;
        for (size_t j = 0; j < d->f->plan->n_area; j++) {
            if (row[j] < 0)
                return err_fail(err, ERR_NUMERIC,
                                "%s, %s: benefit of the doubt needs values of 0 or more, found %g",
                                t->code[t->child[t->first[d->f->parent] + d->kept[k]]],
                                d->f->plan->area == NULL ? "an area" : d->f->plan->area[j], row[j]);
            if (row[j] > d->scale[k]) d->scale[k] = row[j];
        }
    }
    return ERR_OK;
}

static void fill(struct doubt *d) {
    size_t n = d->f->plan->n_area;
    for (uint32_t k = 0; k < d->n_kept; k++) {
        for (size_t j = 0; j < n; j++) d->a[k * d->n_col + j] = value_of(d, k, j);
        d->relation[k] = NUM_AT_LEAST;
    }
    for (size_t j = 0; j < d->n_col; j++) d->c[j] = j < n ? -1 : 0;
}

static enum err_code score_area(struct doubt *d, size_t area, double *out, struct err *err) {
    size_t n = d->f->plan->n_area, m = d->n_kept;
    double low = d->f->agg->bod_min, high = d->f->agg->bod_max;
    for (uint32_t k = 0; k < m; k++) {
        double own = value_of(d, k, area), *row = d->a + k * d->n_col;
        d->b[k] = own;
        for (uint32_t l = 0; d->shares && l < m; l++) {
            row[n + l] = own * (low - (l == k ? 1 : 0));
            row[n + m + l] = own * ((l == k ? 1 : 0) - high);
        }
    }
    struct num_linear lp = {m, d->n_col, d->a, d->b, d->relation, d->c};
    struct num_linear_found found;
    TRY(num_linear_solve(&lp, d->x, NULL, &found, err));
    if (found.end != NUM_OPTIMAL)
        return err_fail(err, ERR_NUMERIC, "%s, %s: no weights give the shares asked for",
                        d->f->plan->tree->code[d->f->parent],
                        d->f->plan->area == NULL ? "an area" : d->f->plan->area[area]);
    *out = -found.value;
    return ERR_OK;
}

static enum err_code score_all(struct doubt *d, double *out, struct err *err) {
    size_t n = d->f->plan->n_area;
    TRY(measure(d, err));
    fill(d);
    for (size_t i = 0; i < n; i++) TRY(score_area(d, i, &out[i], err));
    return ERR_OK;
}

enum err_code composite_bod(const struct composite_family *f, double *out, struct err *err) {
    const struct composite_tree *t = f->plan->tree;
    uint32_t n_child = t->first[f->parent + 1] - t->first[f->parent];
    struct doubt d = {.f = f, .shares = f->agg->bod_min > 0 || f->agg->bod_max > 0};
    double low = f->agg->bod_min, high = f->agg->bod_max;
    uint32_t *kept = mem_new(n_child, sizeof *kept);
    for (uint32_t c = 0; kept != NULL && c < n_child; c++) {
        if (composite_child_weight(f, c) != 0) kept[d.n_kept++] = c;
    }
    size_t m = d.n_kept;
    d.kept = kept;
    if (m == 1) d.shares = false; /* an only child has it all */
    d.n_col = f->plan->n_area + (d.shares ? 2 * m : 0);
    double *block = mem_new(m * (d.n_col + 2) + 2 * d.n_col, sizeof *block);
    d.relation = mem_new(m, sizeof *d.relation);
    enum err_code rc = ERR_OK;
    if (kept == NULL || block == NULL || d.relation == NULL) {
        rc = err_fail(err, ERR_NOMEM, "no memory for the linear programme of %s",
                      t->code[f->parent]);
    } else if (d.shares && !(low >= 0 && high <= 1 && low * (double)m <= 1 + 1e-12 &&
                             high * (double)m >= 1 - 1e-12)) {
        rc = err_fail(err, ERR_INVALID, "%s: shares %g to %g of %zu children cannot sum to 1",
                      t->code[f->parent], low, high, m);
    } else {
        d.a = block;
        d.b = d.a + m * d.n_col;
        d.scale = d.b + m;
        d.c = d.scale + m;
        d.x = d.c + d.n_col;
        rc = score_all(&d, out, err);
    }
    mem_free(d.relation);
    mem_free(block);
    mem_free(kept);
    return rc;
}
