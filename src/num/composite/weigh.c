#include "num/composite/weigh.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/core/linalg.h"

/* ---- pairwise comparison ---- */

/* Random index of n criteria (Saaty 1980). */
static const double random_index[16] = {0,    0,    0,    0.58, 0.90, 1.12, 1.24, 1.32,
                                        1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59};

static enum err_code check_judgements(const double *m, size_t n, struct err *err) {
    if (n == 0 || n > 15)
        return err_fail(err, ERR_INVALID, "pairwise comparison of %zu; expected 1 to 15", n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            double a = m[i * n + j], b = m[j * n + i];
            if (!(a > 0) || !isfinite(a) || fabs(a * b - 1) > 1e-6)
                return err_fail(err, ERR_INVALID,
                                "pairwise comparison: row %zu column %zu is %g and row %zu column "
                                "%zu is %g; expected the one to be 1 over the other",
                                i + 1, j + 1, a, j + 1, i + 1, b);
        }
    }
    return ERR_OK;
}

enum err_code composite_weigh_ahp(const double *matrix, size_t n, bool geometric, double *weight,
                                  struct composite_ahp_told *told, struct err *err) {
    TRY(check_judgements(matrix, n, err));
    double lambda;
    TRY(num_eigen_main(matrix, n, &lambda, weight, err));
    if (geometric) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            double logs = 0;
            for (size_t j = 0; j < n; j++) logs += log(matrix[i * n + j]);
            sum += weight[i] = exp(logs / (double)n);
        }
        for (size_t i = 0; i < n; i++) weight[i] /= sum;
    }
    told->lambda_max = lambda;
    told->ci = n > 1 ? (lambda - (double)n) / ((double)n - 1) : 0;
    told->cr = n > 2 && n <= 15 ? told->ci / random_index[n] : 0;
    told->inconsistent = told->cr > 0.1;
    return ERR_OK;
}

/* ---- entropy ---- */

static enum err_code entropy_of(const double *row, const char *name, size_t n_area, double *out,
                                struct err *err) {
    double sum = 0, total = 0, there = 0;
    for (size_t j = 0; j < n_area; j++) {
        if (isnan(row[j])) continue;
        if (row[j] < 0)
            return err_fail(err, ERR_NUMERIC, "%s: entropy needs values of 0 or more, found %g",
                            name, row[j]);
        total += row[j];
        there += 1;
    }
    if (!(total > 0) || there < 2)
        return err_fail(err, ERR_NUMERIC, "%s: entropy needs two areas and a value above 0", name);
    for (size_t j = 0; j < n_area; j++) {
        double p = row[j] / total;
        if (p > 0) sum -= p * log(p);
    }
    *out = sum / log(there);
    return ERR_OK;
}

enum err_code composite_weigh_entropy(const double *const *rows, const char *const *name, size_t n,
                                      size_t n_area, double *weight, double *entropy,
                                      struct err *err) {
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        double e = 0;
        TRY(entropy_of(rows[k], name[k], n_area, &e, err));
        if (entropy != NULL) entropy[k] = e;
        sum += weight[k] = 1 - e;
    }
    if (!(sum > 1e-14))
        return err_fail(err, ERR_NUMERIC, "%s: entropy finds no spread beside it", name[0]);
    for (size_t k = 0; k < n; k++) weight[k] /= sum;
    return ERR_OK;
}

/* ---- principal components ---- */

double composite_correlation(const double *x, const double *y, size_t n) {
    double there = 0, mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t j = 0; j < n; j++) {
        if (isnan(x[j]) || isnan(y[j])) continue;
        there += 1;
        mean_x += x[j];
        mean_y += y[j];
    }
    mean_x /= there;
    mean_y /= there;
    for (size_t j = 0; j < n; j++) {
        if (isnan(x[j]) || isnan(y[j])) continue;
        xx += (x[j] - mean_x) * (x[j] - mean_x);
        yy += (y[j] - mean_y) * (y[j] - mean_y);
        xy += (x[j] - mean_x) * (y[j] - mean_y);
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}

/* Rows with the areas that lack a value anywhere taken out; returns how many are left. */
static size_t complete_areas(const double *const *rows, size_t n, size_t n_area, double *to) {
    size_t left = 0;
    for (size_t j = 0; j < n_area; j++) {
        bool all = true;
        for (size_t k = 0; k < n; k++) all = all && !isnan(rows[k][j]);
        if (!all) continue;
        for (size_t k = 0; k < n; k++) to[k * n_area + left] = rows[k][j];
        left++;
    }
    return left;
}

static enum err_code correlations(const double *x, const char *const *name, size_t n, size_t stride,
                                  size_t n_area, double *r, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k <= i; k++) {
            double c = i == k ? 1 : composite_correlation(x + i * stride, x + k * stride, n_area);
            if (i == k && isnan(composite_correlation(x + i * stride, x + i * stride, n_area)))
                c = NAN;
            if (isnan(c))
                return err_fail(err, ERR_NUMERIC,
                                "%s: principal components need two different values in areas where "
                                "all indicators beside it have one",
                                name[i]);
            r[i * n + k] = r[k * n + i] = c;
        }
    }
    return ERR_OK;
}

static void variance_weights(const double *value, const double *vector, size_t n, double least,
                             double *weight) {
    double kept = 0;
    for (size_t k = n; k-- > 0;) { /* ascending: the first component is the last */
        if (k + 1 < n && value[k] < least) break;
        kept += value[k];
        for (size_t i = 0; i < n; i++)
            weight[i] += value[k] * vector[k * n + i] * vector[k * n + i];
    }
    for (size_t i = 0; i < n; i++) weight[i] /= kept;
}

enum err_code composite_weigh_pca(const double *const *rows, const char *const *name, size_t n,
                                  size_t n_area, bool variance, double least, double *weight,
                                  double *eigenvalue, struct err *err) {
    double *block = mem_new(n * n_area + 2 * n * n + n, sizeof *block);
    if (block == NULL) return err_fail(err, ERR_NOMEM, "no memory for principal components");
    double *r = block + n * n_area, *vector = r + n * n, *value = vector + n * n;
    size_t left = complete_areas(rows, n, n_area, block);
    enum err_code rc = correlations(block, name, n, n_area, left, r, err);
    if (rc == ERR_OK) rc = num_eigen_symmetric(r, n, value, vector, err);
    if (rc == ERR_OK) {
        memset(weight, 0, n * sizeof *weight);
        if (variance)
            variance_weights(value, vector, n, least > 0 ? least : 1, weight);
        else
            memcpy(weight, vector + (n - 1) * n, n * sizeof *weight);
        for (size_t k = 0; eigenvalue != NULL && k < n; k++) eigenvalue[k] = value[n - 1 - k];
    }
    mem_free(block);
    return rc;
}
