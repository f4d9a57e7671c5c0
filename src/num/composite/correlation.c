#include "num/composite/correlation.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "num/composite/order.h"
#include "num/core/linalg.h"

enum { COLUMNS_OF_WORK = 7 };

size_t corr_work(size_t n) { return COLUMNS_OF_WORK * n; }

static double mean_of(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

/* Two passes, so that values far from 0 lose no digits. */
static struct corr pearson(const double *x, const double *y, size_t n) {
    double mx = mean_of(x, n), my = mean_of(y, n), xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - mx, dy = y[i] - my;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    if (!(xx > 0.0) || !(yy > 0.0)) return (struct corr){.n = n, .state = CORR_CONSTANT};
    double r = xy / (sqrt(xx) * sqrt(yy));
    return (struct corr){.r = r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r, .n = n};
}

/* Merge sort of y that counts how many pairs stood the wrong way round. */
static double exchanges(double *y, double *t, size_t n) {
    double count = 0, *from = y, *to = t;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += 2 * width) {
            size_t mid = at + width < n ? at + width : n, end = mid + width < n ? mid + width : n;
            size_t i = at, j = mid;
            for (size_t k = at; k < end; k++) {
                if (j >= end || (i < mid && from[i] <= from[j])) {
                    to[k] = from[i++];
                } else {
                    to[k] = from[j++];
                    count += (double)(mid - i);
                }
            }
        }
        double *s = from;
        from = to;
        to = s;
    }
    if (from != y) memcpy(y, from, n * sizeof *y);
    return count;
}

static double pairs(double n) { return 0.5 * n * (n - 1.0); }

/* Knight 1966: order by x, then y; the exchanges that put y in order are the discordant pairs. */
static struct corr kendall(const double *x, const double *y, size_t n, double *work) {
    uint32_t *first = (uint32_t *)(void *)work, *index = (uint32_t *)(void *)(work + n);
    double *ys = work + 2 * n, *xs = work + 3 * n;
    order_index(y, n, first, index);
    for (size_t i = 0; i < n; i++) xs[i] = x[first[i]];
    /* Stable: ties of x stay in the order of y. The second half of the columns is free for it. */
    order_index(xs, n, index, (uint32_t *)(void *)ys);
    double tied_x = 0, tied_y = 0, tied_both = 0, run_x = 1, run_both = 1;
    for (size_t i = 0; i < n; i++) ys[i] = y[first[index[i]]];
    for (size_t i = 1; i <= n; i++) {
        bool same_x = i < n && xs[index[i]] == xs[index[i - 1]];
        bool same_both = same_x && ys[i] == ys[i - 1];
        if (!same_both) tied_both += pairs(run_both);
        if (!same_x) tied_x += pairs(run_x);
        run_both = same_both ? run_both + 1 : 1;
        run_x = same_x ? run_x + 1 : 1;
    }
    double discordant = exchanges(ys, work, n), run_y = 1, all = pairs((double)n);
    for (size_t i = 1; i <= n; i++) {
        bool same = i < n && ys[i] == ys[i - 1];
        if (!same) tied_y += pairs(run_y);
        run_y = same ? run_y + 1 : 1;
    }
    if (!(all > tied_x) || !(all > tied_y)) return (struct corr){.n = n, .state = CORR_CONSTANT};
    double concordant_less = all - tied_x - tied_y + tied_both - 2.0 * discordant;
    return (struct corr){.r = concordant_less / (sqrt(all - tied_x) * sqrt(all - tied_y)), .n = n};
}

/* The areas that have both, packed. */
static size_t pack(const double *x, const double *y, size_t n, double *px, double *py) {
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]) || isnan(y[i])) continue;
        px[m] = x[i];
        py[m++] = y[i];
    }
    return m;
}

struct corr corr_pair(enum corr_kind kind, const double *x, const double *y, size_t n,
                      double *work) {
    double *px = work, *py = work + n, *free_work = work + 2 * n;
    size_t m = pack(x, y, n, px, py);
    if (m < 3) return (struct corr){.n = m, .state = CORR_FEW};
    if (kind == CORR_KENDALL) return kendall(px, py, m, free_work);
    if (kind == CORR_PEARSON) return pearson(px, py, m);
    uint32_t *index = (uint32_t *)(void *)(work + 4 * n);
    order_rank_mean(px, m, free_work, index);
    order_rank_mean(py, m, work + 3 * n, index);
    return pearson(free_work, work + 3 * n, m);
}

struct matrix {
    enum corr_kind kind;
    const double *x;
    size_t n, n_col;
    const struct num_run *run;
    struct corr *out;
    double *work; /* one a column: a column is one task */
};

static void matrix_column(void *arg, size_t j) {
    struct matrix *m = arg;
    if (num_run_stopped(m->run)) return;
    double *work = m->work + j * corr_work(m->n);
    for (size_t k = j; k < m->n_col; k++) {
        struct corr c = corr_pair(m->kind, m->x + j * m->n, m->x + k * m->n, m->n, work);
        m->out[j * m->n_col + k] = m->out[k * m->n_col + j] = c;
    }
}

enum err_code corr_matrix(enum corr_kind kind, const double *x, size_t n, size_t n_col,
                          const struct num_run *run, struct corr *out, struct err *err) {
    struct matrix m = {.kind = kind, .x = x, .n = n, .n_col = n_col, .run = run, .out = out};
    m.work = mem_new(n_col * corr_work(n), sizeof *m.work);
    if (m.work == NULL) return err_fail(err, ERR_NOMEM, "no memory for correlations");
    num_run_each(run, n_col, matrix_column, &m);
    mem_free(m.work);
    if (num_run_stopped(run)) return err_fail(err, ERR_TIMEOUT, "stopped while correlating");
    return ERR_OK;
}

/* ---- over the areas that have all columns ---- */

/* The centred columns of the complete areas, column-major; NULL: no memory. *m areas, scale[j]
 * their sum of squares. */
static double *complete(const double *x, size_t n, size_t n_col, size_t *m, double *squares) {
    double *c = mem_new(n * n_col + 1, sizeof *c);
    if (c == NULL) return NULL;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        bool whole = true;
        for (size_t j = 0; j < n_col && whole; j++) whole = !isnan(x[j * n + i]);
        if (!whole) continue;
        for (size_t j = 0; j < n_col; j++) c[j * n + k] = x[j * n + i];
        k++;
    }
    for (size_t j = 0; j < n_col; j++) {
        double *col = c + j * n, mean = k > 0 ? mean_of(col, k) : 0.0;
        squares[j] = 0;
        for (size_t i = 0; i < k; i++) {
            col[i] -= mean;
            squares[j] += col[i] * col[i];
        }
    }
    *m = k;
    return c;
}

static double product(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void alpha_of(const double *c, const double *squares, size_t n, struct alpha *out) {
    size_t m = out->n_areas, k = out->n_items;
    double own = 0, cross = 0, r = 0;
    for (size_t j = 0; j < k; j++) {
        own += squares[j];
        if (!(squares[j] > 0.0)) out->state = CORR_CONSTANT;
        for (size_t l = 0; l < j; l++) {
            double p = product(c + j * n, c + l * n, m);
            cross += p;
            if (out->state == CORR_OK) r += p / (sqrt(squares[j]) * sqrt(squares[l]));
        }
    }
    double kk = (double)k, sum = own + 2.0 * cross;
    r /= 0.5 * kk * (kk - 1.0);
    if (!(sum > 0.0)) out->state = CORR_CONSTANT;
    if (out->state != CORR_OK) return;
    out->raw = kk / (kk - 1.0) * (1.0 - own / sum);
    out->standardized = kk * r / (1.0 + (kk - 1.0) * r);
}

enum err_code corr_alpha(const double *x, size_t n, size_t n_col, struct alpha *out,
                         struct err *err) {
    *out = (struct alpha){.n_items = n_col, .state = CORR_OK};
    double *squares = mem_new(n_col + 1, sizeof *squares);
    double *c = squares == NULL ? NULL : complete(x, n, n_col, &out->n_areas, squares);
    enum err_code rc = ERR_OK;
    if (c == NULL)
        rc = err_fail(err, ERR_NOMEM, "no memory for %zu columns", n_col);
    else if (out->n_areas < 3 || n_col < 2)
        out->state = CORR_FEW;
    else
        alpha_of(c, squares, n, out);
    mem_free(c);
    mem_free(squares);
    return rc;
}

/* Correlations of the complete areas into r (n_col x n_col); the eigenvalues come from the smallest
 * and are turned round. */
static enum err_code components(const double *c, const double *squares, size_t n, struct pca *out,
                                double *r, struct err *err) {
    size_t p = out->n_col;
    for (size_t j = 0; j < p; j++) {
        r[j * p + j] = 1.0;
        for (size_t k = 0; k < j; k++) {
            double v = product(c + j * n, c + k * n, out->n_areas);
            r[j * p + k] = r[k * p + j] = v / (sqrt(squares[j]) * sqrt(squares[k]));
        }
    }
    TRY(num_eigen_symmetric(r, p, out->eigenvalue, out->loading, err));
    for (size_t k = 0; k < p / 2; k++) {
        double v = out->eigenvalue[k];
        out->eigenvalue[k] = out->eigenvalue[p - 1 - k];
        out->eigenvalue[p - 1 - k] = v;
        for (size_t j = 0; j < p; j++) {
            v = out->loading[k * p + j];
            out->loading[k * p + j] = out->loading[(p - 1 - k) * p + j];
            out->loading[(p - 1 - k) * p + j] = v;
        }
    }
    return ERR_OK;
}

enum err_code corr_pca(struct arena *a, const double *x, size_t n, size_t n_col, struct pca *out,
                       struct err *err) {
    *out = (struct pca){.n_col = n_col, .state = CORR_OK};
    out->eigenvalue = ARENA_NEW(a, double, n_col);
    out->loading = ARENA_NEW(a, double, n_col *n_col);
    double *squares = mem_new(n_col + 1, sizeof *squares);
    double *r = mem_new(n_col * n_col + 1, sizeof *r);
    double *c = squares == NULL ? NULL : complete(x, n, n_col, &out->n_areas, squares);
    enum err_code rc = ERR_OK;
    if (out->eigenvalue == NULL || out->loading == NULL || r == NULL || c == NULL) {
        rc = err_fail(err, ERR_NOMEM, "no memory for %zu columns", n_col);
    } else if (out->n_areas < 3 || n_col == 0) {
        out->state = CORR_FEW;
    } else {
        for (size_t j = n_col; j > 0; j--) {
            if (squares[j - 1] > 0.0) continue;
            out->state = CORR_CONSTANT;
            out->constant = j - 1;
        }
        if (out->state == CORR_OK) rc = components(c, squares, n, out, r, err);
    }
    mem_free(c);
    mem_free(r);
    mem_free(squares);
    return rc;
}

/* ---- main effects ---- */

/* E(y | x) at x[i] from the areas [from, to), weights (1 - (d / h)^3)^3 (Cleveland 1979). */
static double local_line(const double *x, const double *y, size_t from, size_t to, double at,
                         double h) {
    double s0 = 0, s1 = 0, s2 = 0, t0 = 0, t1 = 0;
    for (size_t k = from; k < to; k++) {
        double d = x[k] - at, u = h > 0.0 ? fabs(d) / h : 0.0;
        double v = 1.0 - u * u * u, w = v > 0.0 ? v * v * v : 0.0;
        s0 += w;
        s1 += w * d;
        s2 += w * d * d;
        t0 += w * y[k];
        t1 += w * d * y[k];
    }
    double det = s0 * s2 - s1 * s1;
    /* All areas with weight stand at one x: their mean. */
    if (!(det > 1e-12 * s0 * s2)) return t0 / s0;
    return (s2 * t0 - s1 * t1) / det;
}

struct main_effect corr_main_effect(const double *x, const double *y, size_t n, double *work) {
    double *px = work, *py = work + n, *xs = work + 2 * n, *ys = work + 3 * n;
    uint32_t *index = (uint32_t *)(void *)(work + 4 * n);
    size_t m = pack(x, y, n, px, py);
    struct main_effect out = {.n = m, .state = m < 3 ? CORR_FEW : CORR_OK};
    if (out.state != CORR_OK) return out;
    struct corr c = pearson(px, py, m);
    out.state = c.state;
    out.linear = c.r * c.r;
    if (c.state != CORR_OK) return out;
    order_index(px, m, index, (uint32_t *)(void *)(work + 5 * n));
    for (size_t i = 0; i < m; i++) {
        xs[i] = px[index[i]];
        ys[i] = py[index[i]];
    }
    size_t near = (m + 1) / 2 < 3 ? 3 : (m + 1) / 2, from = 0;
    double mean = mean_of(ys, m), all = 0, known = 0, fit_mean = 0, *fit = px;
    for (size_t i = 0; i < m; i++) {
        while (from + near < m && xs[from + near] - xs[i] < xs[i] - xs[from]) from++;
        size_t to = from + near;
        double left = xs[i] - xs[from], right = xs[to - 1] - xs[i];
        /* A little beyond the farthest, so that it has weight too. */
        fit[i] = local_line(xs, ys, from, to, xs[i], 1.001 * (left > right ? left : right));
        fit_mean += fit[i] / (double)m;
        all += (ys[i] - mean) * (ys[i] - mean);
    }
    for (size_t i = 0; i < m; i++) known += (fit[i] - fit_mean) * (fit[i] - fit_mean);
    out.smooth = known >= all ? 1.0 : known / all;
    return out;
}
