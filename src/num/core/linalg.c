#include "num/core/linalg.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_N = 46340 }; /* n * n fits the 32-bit integers of LAPACK */

/* LAPACK's own test of arguments is left to us: a NaN goes in silently and comes out everywhere. */
static enum err_code check_matrix(const double *a, size_t n_row, size_t n_col, const char *what,
                                  struct err *err) {
    if (n_row > MAX_N || n_col > MAX_N)
        return err_fail(err, ERR_LIMIT, "%s of %zu x %zu; at most %d", what, n_row, n_col, MAX_N);
    for (size_t i = 0; i < n_row * n_col; i++)
        if (!isfinite(a[i]))
            return err_fail(err, ERR_NUMERIC, "%s: row %zu, column %zu is not a finite number",
                            what, i / n_col + 1, i % n_col + 1);
    return ERR_OK;
}

/* Answer of a LAPACKE routine that cannot fail by the numbers. */
static enum err_code lapack_answer(lapack_int info, const char *what, struct err *err) {
    if (info == 0) return ERR_OK;
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        return err_fail(err, ERR_NOMEM, "%s", what);
    return err_fail(err, ERR_NUMERIC, "%s: LAPACK gives %d", what, (int)info);
}

static enum err_code factor_spd(double *a, size_t n, struct err *err) {
    TRY(check_matrix(a, n, n, "symmetric matrix", err));
    lapack_int info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', (int)n, a, (int)n);
    if (info > 0)
        return err_fail(err, ERR_NUMERIC,
                        "the matrix is not positive definite: pivot %d of %zu is not positive",
                        (int)info, n);
    return lapack_answer(info, "Cholesky factor", err);
}

enum err_code num_solve_spd(double *a, size_t n, double *b, size_t n_rhs, struct err *err) {
    if (n == 0 || n_rhs == 0) return ERR_OK;
    TRY(check_matrix(b, n, n_rhs, "right side", err));
    TRY(factor_spd(a, n, err));
    if (n_rhs == 1)
        return lapack_answer(
            LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', (int)n, 1, a, (int)n, b, (int)n),
            "Cholesky solve", err);
    /* The upper factor by columns is the lower one by rows. */
    return lapack_answer(
        LAPACKE_dpotrs_work(LAPACK_ROW_MAJOR, 'L', (int)n, (int)n_rhs, a, (int)n, b, (int)n_rhs),
        "Cholesky solve", err);
}

enum err_code num_invert_spd(double *a, size_t n, struct err *err) {
    if (n == 0) return ERR_OK;
    TRY(factor_spd(a, n, err));
    TRY(lapack_answer(LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'U', (int)n, a, (int)n), "inverse",
                      err));
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) a[i * n + j] = a[j * n + i];
    return ERR_OK;
}

enum err_code num_solve(double *a, size_t n, double *b, size_t n_rhs, struct err *err) {
    if (n == 0 || n_rhs == 0) return ERR_OK;
    TRY(check_matrix(a, n, n, "matrix", err));
    TRY(check_matrix(b, n, n_rhs, "right side", err));
    lapack_int *pivot = mem_new(n, sizeof *pivot);
    if (pivot == NULL) return err_fail(err, ERR_NOMEM, "pivots");
    lapack_int info =
        LAPACKE_dgesv(LAPACK_ROW_MAJOR, (int)n, (int)n_rhs, a, (int)n, pivot, b, (int)n_rhs);
    mem_free(pivot);
    if (info > 0)
        return err_fail(err, ERR_NUMERIC, "the matrix is singular: pivot %d of %zu is 0", (int)info,
                        n);
    return lapack_answer(info, "LU solve", err);
}

enum err_code num_eigen_symmetric(double *a, size_t n, double *values, double *vectors,
                                  struct err *err) {
    if (n == 0) return ERR_OK;
    TRY(check_matrix(a, n, n, "symmetric matrix", err));
    char job = 'N';
    if (vectors != NULL) job = 'V';
    lapack_int info = LAPACKE_dsyev(LAPACK_COL_MAJOR, job, 'U', (int)n, a, (int)n, values);
    if (info > 0) return err_fail(err, ERR_NUMERIC, "%d eigenvalues did not converge", (int)info);
    TRY(lapack_answer(info, "eigenvalues", err));
    if (vectors == NULL) return ERR_OK;
    for (size_t k = 0; k < n; k++) {
        const double *v = a + k * n;
        size_t largest = 0;
        for (size_t i = 1; i < n; i++)
            if (fabs(v[i]) > fabs(v[largest])) largest = i;
        double sign = v[largest] < 0 ? -1 : 1;
        for (size_t i = 0; i < n; i++) vectors[k * n + i] = sign * v[i];
    }
    return ERR_OK;
}

/* Column of the eigenvalue of largest modulus; n when it is not real. */
static size_t main_column(const double *re, const double *im, size_t n) {
    size_t k = 0;
    for (size_t i = 1; i < n; i++)
        if (hypot(re[i], im[i]) > hypot(re[k], im[k])) k = i;
    return im[k] == 0 ? k : n;
}

static enum err_code take_main(const double *vectors, const double *re, const double *im, size_t n,
                               double *value, double *vector, struct err *err) {
    size_t k = main_column(re, im, n);
    if (k == n) return err_fail(err, ERR_NUMERIC, "the largest eigenvalue is not real");
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += vectors[k * n + i];
    for (size_t i = 0; i < n; i++) {
        vector[i] = vectors[k * n + i] / sum;
        if (!(vector[i] > 0))
            return err_fail(err, ERR_NUMERIC, "the main eigenvector has entries of both signs");
    }
    *value = re[k];
    return ERR_OK;
}

enum err_code num_eigen_main(const double *a, size_t n, double *value, double *vector,
                             struct err *err) {
    if (n == 0) return err_fail(err, ERR_INVALID, "an empty matrix has no eigenvalue");
    TRY(check_matrix(a, n, n, "matrix", err));
    for (size_t i = 0; i < n * n; i++)
        if (!(a[i] > 0))
            return err_fail(err, ERR_INVALID, "row %zu, column %zu is not positive", i / n + 1,
                            i % n + 1);
    double *work = mem_new(n, (2 * n + 2) * sizeof *work);
    if (work == NULL) return err_fail(err, ERR_NOMEM, "eigenvectors of %zu x %zu", n, n);
    double *copy = work, *left = work + n * n, *re = left + n * n, *im = re + n;
    memcpy(copy, a, n * n * sizeof *a);
    /* Rows read as columns: the left vectors of the transpose are the right ones of a. */
    lapack_int info = LAPACKE_dgeev(LAPACK_COL_MAJOR, 'V', 'N', (int)n, copy, (int)n, re, im, left,
                                    (int)n, NULL, 1);
    enum err_code rc =
        info > 0 ? err_fail(err, ERR_NUMERIC, "the eigenvalues did not converge (QR stopped at %d)",
                            (int)info)
                 : lapack_answer(info, "eigenvalues", err);
    if (rc == ERR_OK) rc = take_main(left, re, im, n, value, vector, err);
    mem_free(work);
    return rc;
}

static double norm(const double *v, size_t n) {
    /* Scaled, so that squares neither overflow nor vanish. */
    double scale = 0;
    for (size_t i = 0; i < n; i++) scale = fmax(scale, fabs(v[i]));
    if (scale == 0) return 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (v[i] / scale) * (v[i] / scale);
    return scale * sqrt(sum);
}

/* q[k * n_row ...] are the Householder vectors of the columns kept; v is brought through all of
 * them. */
static void reflect_all(const double *q, size_t rank, double *v, size_t n_row) {
    for (size_t k = 0; k < rank; k++) {
        const double *h = q + k * n_row;
        double dot = 0;
        for (size_t i = k; i < n_row; i++) dot += h[i] * v[i];
        for (size_t i = k; i < n_row; i++) v[i] -= 2 * dot * h[i];
    }
}

enum err_code num_independent_columns(const double *x, size_t n_row, size_t n_col, double tol,
                                      bool *keep, size_t *rank, struct err *err) {
    *rank = 0;
    for (size_t i = 0; i < n_row * n_col; i++)
        if (!isfinite(x[i]))
            return err_fail(err, ERR_NUMERIC, "row %zu, column %zu is not a finite number",
                            i / n_col + 1, i % n_col + 1);
    double *q = mem_new(n_row * (n_col + 1), sizeof *q);
    if (q == NULL) return err_fail(err, ERR_NOMEM, "QR of %zu x %zu", n_row, n_col);
    for (size_t j = 0; j < n_col; j++) {
        keep[j] = false;
        if (*rank == n_row) continue;
        double *v = q + *rank * n_row;
        for (size_t i = 0; i < n_row; i++) v[i] = x[i * n_col + j];
        double whole = norm(v, n_row);
        reflect_all(q, *rank, v, n_row);
        size_t k = *rank;
        double rest = norm(v + k, n_row - k);
        if (!(rest > tol * whole)) continue;
        keep[j] = true;
        /* The reflection that takes v to its first entry; the sign avoids cancellation. */
        v[k] += v[k] < 0 ? -rest : rest;
        double length = norm(v + k, n_row - k);
        for (size_t i = 0; i < k; i++) v[i] = 0;
        for (size_t i = k; i < n_row; i++) v[i] /= length;
        ++*rank;
    }
    mem_free(q);
    return ERR_OK;
}

enum { BLOCK = 2048 };

struct gram {
    const double *x, *weight, *z;
    size_t n_row, n_col;
    double *part; /* a block: n_col x n_col, then n_col */
};

static void gram_block(void *arg, size_t b) {
    const struct gram *g = arg;
    size_t p = g->n_col, last = (b + 1) * BLOCK < g->n_row ? (b + 1) * BLOCK : g->n_row;
    double *xx = g->part + b * (p * p + p), *xz = xx + p * p;
    for (size_t i = b * BLOCK; i < last; i++) {
        const double *row = g->x + i * p;
        double w = g->weight == NULL ? 1 : g->weight[i];
        if (w == 0) continue;
        for (size_t j = 0; j < p; j++) {
            double wx = w * row[j];
            if (wx == 0) continue;
            for (size_t k = 0; k <= j; k++) xx[j * p + k] += wx * row[k];
            if (g->z != NULL) xz[j] += wx * g->z[i];
        }
    }
}

enum err_code num_weighted_gram(const double *x, size_t n_row, size_t n_col, const double *weight,
                                const double *z, const struct num_run *run, double *xx, double *xz,
                                struct err *err) {
    size_t p = n_col, n_block = n_row / BLOCK + 1;
    TRY(num_run_afford(run, (double)n_block * (double)(p * p + p) * sizeof(double),
                       "sums of products", err));
    struct gram g = {x, weight, z, n_row, p, mem_new(n_block * (p + 1), p * sizeof(double))};
    if (g.part == NULL) return err_fail(err, ERR_NOMEM, "sums of %zu columns", p);
    num_run_each(run, n_block, gram_block, &g);
    for (size_t b = 1; b < n_block; b++)
        for (size_t k = 0; k < p * p + p; k++) g.part[k] += g.part[b * (p * p + p) + k];
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k <= j; k++) xx[j * p + k] = xx[k * p + j] = g.part[j * p + k];
    if (z != NULL && xz != NULL) memcpy(xz, g.part + p * p, p * sizeof *xz);
    mem_free(g.part);
    return ERR_OK;
}
