#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "num/core/optim.h"

static const double zero = 1e-9; /* what counts as 0, entries being scaled to at most 1 */

/* Rows 0 .. n_row - 1 are the constraints, row n_row the reduced costs; columns: unknowns, one
 * slack a row, one artificial a row, the right side. Each row's unit column (its slack or its
 * artificial) tells the row's price. */
struct tableau {
    size_t n_row, n_col, width; /* width: all columns, right side included */
    double *t;
    size_t *basis; /* n_row: the column that is basic in each row */
    double *row_scale, *col_scale;
    unsigned pivots, max_pivots;
};

static double *row_of(const struct tableau *s, size_t i) { return s->t + i * s->width; }

static void pivot(struct tableau *s, size_t row, size_t col) {
    double *p = row_of(s, row), by = 1 / p[col];
    for (size_t j = 0; j < s->width; j++) p[j] *= by;
    p[col] = 1;
    for (size_t i = 0; i <= s->n_row; i++) {
        double *r = row_of(s, i), factor = r[col];
        if (i == row || factor == 0) continue;
        for (size_t j = 0; j < s->width; j++) r[j] -= factor * p[j];
        r[col] = 0;
        if (i < s->n_row && r[s->width - 1] < 0 && r[s->width - 1] > -1e-12) r[s->width - 1] = 0;
    }
    s->basis[row] = col;
    s->pivots++;
}

static size_t entering(const struct tableau *s, size_t n_allowed, bool bland) {
    const double *cost = row_of(s, s->n_row);
    size_t best = SIZE_MAX;
    for (size_t j = 0; j < n_allowed; j++) {
        if (cost[j] <= zero) continue;
        if (bland) return j;
        if (best == SIZE_MAX || cost[j] > cost[best]) best = j;
    }
    return best;
}

static size_t leaving(const struct tableau *s, size_t col) {
    size_t best = SIZE_MAX;
    double least = INFINITY;
    for (size_t i = 0; i < s->n_row; i++) {
        const double *r = row_of(s, i);
        if (r[col] <= zero) continue;
        double ratio = r[s->width - 1] / r[col];
        if (best == SIZE_MAX || ratio < least || (ratio == least && s->basis[i] < s->basis[best])) {
            best = i;
            least = ratio;
        }
    }
    return best;
}

/* Pivots among the first n_allowed columns until no reduced cost is left. */
static enum err_code simplex(struct tableau *s, size_t n_allowed, bool *unbounded,
                             struct err *err) {
    unsigned idle = 0;
    *unbounded = false;
    for (;;) {
        size_t col = entering(s, n_allowed, idle > 20);
        if (col == SIZE_MAX) return ERR_OK;
        size_t row = leaving(s, col);
        *unbounded = row == SIZE_MAX;
        if (*unbounded) return ERR_OK;
        if (s->pivots >= s->max_pivots)
            return err_fail(err, ERR_NUMERIC, "the linear programme did not end after %u pivots",
                            s->pivots);
        idle = row_of(s, row)[s->width - 1] > 0 ? 0 : idle + 1;
        pivot(s, row, col);
    }
}

static double largest_of(const double *a, size_t n, size_t step) {
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(a[i * step]));
    return most > 0 ? most : 1;
}

/* Columns, then rows, to a largest entry of 1; right sides >= 0. */
static void fill(struct tableau *s, const struct num_linear *lp) {
    size_t m = s->n_row, n = s->n_col;
    for (size_t j = 0; j < n; j++) s->col_scale[j] = 1 / largest_of(lp->a + j, m, n);
    for (size_t i = 0; i < m; i++) {
        double *r = row_of(s, i);
        for (size_t j = 0; j < n; j++) r[j] = lp->a[i * n + j] * s->col_scale[j];
        s->row_scale[i] = 1 / largest_of(r, n, 1);
        enum num_relation relation = lp->relation == NULL ? NUM_AT_MOST : lp->relation[i];
        int direction = relation == NUM_AT_MOST ? 1 : relation == NUM_AT_LEAST ? -1 : 0;
        if (lp->b[i] < 0) {
            s->row_scale[i] = -s->row_scale[i];
            direction = -direction;
        }
        for (size_t j = 0; j < n; j++) r[j] *= s->row_scale[i];
        r[n + i] = direction;
        r[n + m + i] = direction == 1 ? 0 : 1;
        r[s->width - 1] = lp->b[i] * s->row_scale[i];
        s->basis[i] = direction == 1 ? n + i : n + m + i;
    }
}

/* First phase: bring the artificial columns to 0. False in *feasible when that cannot be. */
static enum err_code find_feasible(struct tableau *s, bool *feasible, struct err *err) {
    size_t m = s->n_row, n = s->n_col, side = s->width - 1;
    double *cost = row_of(s, m), scale = 1;
    *feasible = true;
    bool any = false;
    for (size_t i = 0; i < m; i++) {
        const double *r = row_of(s, i);
        if (s->basis[i] < n + m) continue;
        any = true;
        scale = fmax(scale, r[side]);
        for (size_t j = 0; j < n + m; j++) cost[j] += r[j];
        cost[side] += r[side];
    }
    if (!any) return ERR_OK;
    bool unbounded;
    TRY(simplex(s, n + m, &unbounded, err));
    *feasible = cost[side] <= 1e-8 * scale;
    /* Artificial columns that are still basic are 0: out with them, or the row says nothing. */
    for (size_t i = 0; *feasible && i < m; i++) {
        double *r = row_of(s, i);
        if (s->basis[i] < n + m) continue;
        r[side] = 0;
        size_t col = 0;
        while (col < n + m && fabs(r[col]) <= zero) col++;
        if (col < n + m) pivot(s, i, col);
    }
    memset(cost, 0, s->width * sizeof *cost);
    return ERR_OK;
}

static enum err_code optimise(struct tableau *s, const struct num_linear *lp, double *x,
                              double *dual, struct num_linear_found *found, struct err *err) {
    size_t m = s->n_row, n = s->n_col, side = s->width - 1;
    bool feasible, unbounded;
    fill(s, lp);
    TRY(find_feasible(s, &feasible, err));
    found->end = NUM_INFEASIBLE;
    found->pivots = s->pivots;
    if (!feasible) return ERR_OK;
    double *cost = row_of(s, m), scale = 0;
    for (size_t j = 0; j < n; j++) scale = fmax(scale, fabs(lp->c[j] * s->col_scale[j]));
    if (scale == 0) scale = 1;
    for (size_t j = 0; j < n; j++) cost[j] = lp->c[j] * s->col_scale[j] / scale;
    for (size_t i = 0; i < m; i++) {
        const double *r = row_of(s, i);
        double factor = cost[s->basis[i]];
        for (size_t j = 0; factor != 0 && j < s->width; j++) cost[j] -= factor * r[j];
    }
    TRY(simplex(s, n + m, &unbounded, err));
    found->end = unbounded ? NUM_UNBOUNDED : NUM_OPTIMAL;
    found->pivots = s->pivots;
    if (unbounded) return ERR_OK;
    memset(x, 0, n * sizeof *x);
    for (size_t i = 0; i < m; i++)
        if (s->basis[i] < n)
            x[s->basis[i]] = fmax(0, row_of(s, i)[side]) * s->col_scale[s->basis[i]];
    found->value = 0;
    for (size_t j = 0; j < n; j++) found->value += lp->c[j] * x[j];
    for (size_t i = 0; dual != NULL && i < m; i++) {
        enum num_relation relation = lp->relation == NULL ? NUM_AT_MOST : lp->relation[i];
        bool slack_is_unit = relation != NUM_EQUAL && (relation == NUM_AT_MOST) == (lp->b[i] >= 0);
        double price = -cost[slack_is_unit ? n + i : n + m + i];
        dual[i] = price == 0 ? 0 : price * scale * s->row_scale[i];
    }
    return ERR_OK;
}

static enum err_code check(const struct num_linear *lp, struct err *err) {
    size_t m = lp->n_row, n = lp->n_col;
    if (n == 0) return err_fail(err, ERR_INVALID, "a linear programme without unknowns");
    if (m > 8191 || n > (size_t)1 << 26 || (m + 1) * (2 * m + n + 1) > (size_t)1 << 26)
        return err_fail(err, ERR_LIMIT,
                        "a linear programme of %zu rows and %zu unknowns is too large", m, n);
    bool finite = true;
    for (size_t i = 0; i < m * n; i++) finite = finite && isfinite(lp->a[i]);
    for (size_t i = 0; i < m; i++) finite = finite && isfinite(lp->b[i]);
    for (size_t j = 0; j < n; j++) finite = finite && isfinite(lp->c[j]);
    return finite ? ERR_OK : err_fail(err, ERR_NUMERIC, "a coefficient is not a finite number");
}

enum err_code num_linear_solve(const struct num_linear *lp, double *x, double *dual,
                               struct num_linear_found *found, struct err *err) {
    *found = (struct num_linear_found){NUM_INFEASIBLE, 0, 0};
    TRY(check(lp, err));
    size_t m = lp->n_row, n = lp->n_col;
    struct tableau s = {.n_row = m,
                        .n_col = n,
                        .width = 2 * m + n + 1,
                        .max_pivots = (unsigned)(50 * (m + n) + 1000)};
    s.t = mem_new((m + 1) * s.width + m + n, sizeof *s.t);
    s.basis = mem_new(m, sizeof *s.basis);
    enum err_code rc = ERR_NOMEM;
    if (s.t != NULL && s.basis != NULL) {
        s.row_scale = s.t + (m + 1) * s.width;
        s.col_scale = s.row_scale + m;
        rc = optimise(&s, lp, x, dual, found, err);
    } else {
        (void)err_fail(err, ERR_NOMEM, "a linear programme of %zu x %zu", m, n);
    }
    mem_free(s.t);
    mem_free(s.basis);
    return rc;
}
