#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "base/pool.h"
#include "base/rng.h"
#include "num/core/linalg.h"

static void near(double got, double want, double rtol) {
    if (!(fabs(got - want) <= rtol * fmax(1, fabs(want))))
        fail_msg("%.17g, expected %.17g", got, want);
}

/* B'B + I of random B. */
static void random_spd(struct rng *r, double *a, size_t n) {
    double b[20 * 20] = {0};
    for (size_t i = 0; i < n * n; i++) b[i] = rng_normal(r);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = i == j;
            for (size_t k = 0; k < n; k++) sum += b[k * n + i] * b[k * n + j];
            a[i * n + j] = sum;
        }
}

static void solves(void **state) {
    (void)state;
    struct rng r = rng_new(11, 0);
    for (size_t n = 1; n <= 20; n++) {
        double a[400], kept[400], x[60], b[60] = {0}, inverse[400];
        random_spd(&r, a, n);
        memcpy(kept, a, sizeof a);
        memcpy(inverse, a, sizeof a);
        for (size_t i = 0; i < 3 * n; i++) x[i] = rng_normal(&r);
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < 3; c++) {
                b[i * 3 + c] = 0;
                for (size_t k = 0; k < n; k++) b[i * 3 + c] += a[i * n + k] * x[k * 3 + c];
            }
        double spd[60], general[60];
        memcpy(spd, b, sizeof b);
        memcpy(general, b, sizeof b);
        struct err err;
        assert_int_equal(num_solve_spd(a, n, spd, 3, &err), ERR_OK);
        for (size_t i = 0; i < 3 * n; i++) near(spd[i], x[i], 1e-10);
        memcpy(a, kept, sizeof a);
        assert_int_equal(num_solve(a, n, general, 3, &err), ERR_OK);
        for (size_t i = 0; i < 3 * n; i++) near(general[i], x[i], 1e-10);
        assert_int_equal(num_invert_spd(inverse, n, &err), ERR_OK);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double sum = 0;
                for (size_t k = 0; k < n; k++) sum += kept[i * n + k] * inverse[k * n + j];
                near(sum, i == j, 1e-10);
            }
    }
}

/* A matrix that is not symmetric: rows and columns are not confused. */
static void solves_by_rows(void **state) {
    (void)state;
    double a[] = {1, 2, 3, 4}, b[] = {5, 11};
    struct err err;
    assert_int_equal(num_solve(a, 2, b, 1, &err), ERR_OK);
    near(b[0], 1, 1e-14);
    near(b[1], 2, 1e-14);
}

static void failures(void **state) {
    (void)state;
    struct err err;
    double indefinite[] = {1, 0, 0, 0, -1, 0, 0, 0, 1}, b[3] = {1, 1, 1};
    assert_int_equal(num_solve_spd(indefinite, 3, b, 1, &err), ERR_NUMERIC);
    assert_non_null(strstr(err.detail, "pivot 2 of 3"));
    double singular[] = {1, 2, 2, 4};
    assert_int_equal(num_solve(singular, 2, b, 1, &err), ERR_NUMERIC);
    double hole[] = {1, NAN, NAN, 1}, v[2];
    assert_int_equal(num_solve(hole, 2, b, 1, &err), ERR_NUMERIC);
    assert_int_equal(num_invert_spd(hole, 2, &err), ERR_NUMERIC);
    assert_int_equal(num_eigen_symmetric(hole, 2, v, NULL, &err), ERR_NUMERIC);
    double value, negative[] = {1, -1, 1, 1};
    assert_int_equal(num_eigen_main(negative, 2, &value, v, &err), ERR_INVALID);
    assert_int_equal(num_eigen_main(hole, 2, &value, v, &err), ERR_NUMERIC);
}

static void eigenvalues(void **state) {
    (void)state;
    struct rng r = rng_new(12, 0);
    for (size_t n = 1; n <= 20; n++) {
        double a[400], kept[400], values[20], vectors[400];
        random_spd(&r, a, n);
        memcpy(kept, a, sizeof a);
        struct err err;
        assert_int_equal(num_eigen_symmetric(a, n, values, vectors, &err), ERR_OK);
        for (size_t k = 0; k < n; k++) {
            assert_true(k == 0 || values[k] >= values[k - 1]);
            double length = 0, most = 0;
            for (size_t i = 0; i < n; i++) {
                double sum = 0, v = vectors[k * n + i];
                for (size_t j = 0; j < n; j++) sum += kept[i * n + j] * vectors[k * n + j];
                near(sum, values[k] * v, 1e-9);
                length += v * v;
                if (fabs(v) > fabs(most)) most = v;
            }
            near(length, 1, 1e-12);
            assert_true(most > 0);
        }
        double alone[20];
        memcpy(a, kept, sizeof a);
        assert_int_equal(num_eigen_symmetric(a, n, alone, NULL, &err), ERR_OK);
        for (size_t k = 0; k < n; k++) near(alone[k], values[k], 1e-12);
    }
}

/* A consistent comparison matrix w_i / w_j has the weights as its vector and n as its value. */
static void main_eigenvector(void **state) {
    (void)state;
    const double w[4] = {0.1, 0.2, 0.3, 0.4};
    double a[16], value, vector[4];
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++) a[i * 4 + j] = w[i] / w[j];
    struct err err;
    assert_int_equal(num_eigen_main(a, 4, &value, vector, &err), ERR_OK);
    near(value, 4, 1e-12);
    for (size_t i = 0; i < 4; i++) near(vector[i], w[i], 1e-12);
}

static void columns(void **state) {
    (void)state;
    enum { N = 50, P = 7 };
    double x[N * P];
    struct rng r = rng_new(13, 0);
    for (size_t i = 0; i < N; i++) {
        double *row = x + i * P;
        row[0] = 1;
        row[1] = rng_normal(&r);
        row[2] = 3 - 2 * row[1]; /* depends on 0 and 1 */
        row[3] = 1e-9 * rng_normal(&r);
        row[4] = 0;
        row[5] = 1e12 * rng_unit(&r);
        row[6] = row[5] + 1e9 * row[3] + row[1];
    }
    bool keep[P];
    size_t rank;
    struct err err;
    assert_int_equal(num_independent_columns(x, N, P, 1e-7, keep, &rank, &err), ERR_OK);
    static const bool want[P] = {true, true, false, true, false, true, false};
    for (size_t j = 0; j < P; j++) assert_int_equal(keep[j], want[j]);
    assert_int_equal(rank, 4);
    /* No more columns than rows. */
    assert_int_equal(num_independent_columns(x, 2, P, 1e-7, keep, &rank, &err), ERR_OK);
    assert_int_equal(rank, 2);
    x[3] = INFINITY;
    assert_int_equal(num_independent_columns(x, N, P, 1e-7, keep, &rank, &err), ERR_NUMERIC);
}

/* The same bits on any number of threads, and the sums themselves. */
static void gram(void **state) {
    (void)state;
    enum { N = 9001, P = 3 };
    double *x = malloc(N * P * sizeof *x), *w = malloc(N * sizeof *w), *z = malloc(N * sizeof *z);
    assert_true(x != NULL && w != NULL && z != NULL);
    struct rng r = rng_new(14, 0);
    double want[P * P] = {0}, want_z[P] = {0};
    for (size_t i = 0; i < N; i++) {
        w[i] = rng_unit(&r);
        z[i] = rng_normal(&r);
        for (size_t j = 0; j < P; j++) x[i * P + j] = rng_normal(&r);
        for (size_t j = 0; j < P; j++) {
            want_z[j] += w[i] * z[i] * x[i * P + j];
            for (size_t k = 0; k < P; k++) want[j * P + k] += w[i] * x[i * P + j] * x[i * P + k];
        }
    }
    double one[P * P], one_z[P], many[P * P], many_z[P];
    struct err err;
    assert_int_equal(num_weighted_gram(x, N, P, w, z, NULL, one, one_z, &err), ERR_OK);
    for (size_t k = 0; k < P * P; k++) near(one[k], want[k], 1e-12);
    for (size_t k = 0; k < P; k++) near(one_z[k], want_z[k], 1e-11);
    for (size_t threads = 2; threads <= 4; threads++) {
        struct pool *pool;
        assert_int_equal(pool_new(threads, &pool, &err), ERR_OK);
        struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = threads};
        assert_int_equal(num_weighted_gram(x, N, P, w, z, &run, many, many_z, &err), ERR_OK);
        assert_memory_equal(one, many, sizeof one);
        assert_memory_equal(one_z, many_z, sizeof one_z);
        pool_free(pool);
    }
    free(x);
    free(w);
    free(z);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solves),
        cmocka_unit_test(solves_by_rows),
        cmocka_unit_test(failures),
        cmocka_unit_test(eigenvalues),
        cmocka_unit_test(main_eigenvector),
        cmocka_unit_test(columns),
        cmocka_unit_test(gram),
    };
    return cmocka_run_group_tests_name("num/linalg", tests, NULL, NULL);
}
