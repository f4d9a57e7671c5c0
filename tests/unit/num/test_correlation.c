/* Correlations, Cronbach's alpha, main components and main effects. Expected values: R 4.2.2 on its
 * data set "attitude" (Chatterjee & Price 1977): cor(method =), prcomp(scale. = TRUE), alpha by its
 * definition from var() (0.8431, as published for these data). */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "num/composite/correlation.h"
#include "study/table/table.h"

enum { N = 30, RATING = 0, COMPLAINTS = 1, CRITICAL = 5, ADVANCE = 6, COLS = 7 };
static const double attitude[COLS][N] = {
    {43, 63, 71, 61, 81, 43, 58, 71, 72, 67, 64, 67, 69, 68, 77,
     81, 74, 65, 65, 50, 50, 64, 53, 40, 63, 66, 78, 48, 85, 82}, /* rating */
    {51, 64, 70, 63, 78, 55, 67, 75, 82, 61, 53, 60, 62, 83, 77,
     90, 85, 60, 70, 58, 40, 61, 66, 37, 54, 77, 75, 57, 85, 82}, /* complaints */
    {30, 51, 68, 45, 56, 49, 42, 50, 72, 45, 53, 47, 57, 83, 54,
     50, 64, 65, 46, 68, 33, 52, 52, 42, 42, 66, 58, 44, 71, 39}, /* privileges */
    {39, 54, 69, 47, 66, 44, 56, 55, 67, 47, 58, 39, 42, 45, 72,
     72, 69, 75, 57, 54, 34, 62, 50, 58, 48, 63, 74, 45, 71, 59}, /* learning */
    {61, 63, 76, 54, 71, 54, 66, 70, 71, 62, 58, 59, 55, 59, 79,
     60, 79, 55, 75, 64, 43, 66, 63, 50, 66, 88, 80, 51, 77, 64}, /* raises */
    {92, 73, 86, 84, 83, 49, 68, 66, 83, 80, 67, 74, 63, 77, 77,
     54, 79, 80, 85, 78, 64, 80, 80, 57, 75, 76, 78, 83, 74, 78}, /* critical */
    {45, 47, 48, 35, 47, 34, 35, 41, 31, 41, 34, 41, 25, 35, 46,
     36, 63, 60, 46, 52, 33, 41, 37, 49, 33, 72, 49, 38, 55, 39}, /* advance */
};

static double worst_digits = 17;
static void near_to(const char *what, double got, double want, double within) {
    double off = fabs(got - want) / fabs(want);
    if (!(off <= within)) print_message("%s: %.17g, expected %.17g\n", what, got, want);
    assert_true(off <= within);
    double digits = off > 0 ? -log10(off) : 17;
    worst_digits = digits < worst_digits ? digits : worst_digits;
}
static void told(const char *what) {
    printf("digits audit %s %.1f\n", what, worst_digits);
    worst_digits = 17;
}

static void correlations(void **state) {
    (void)state;
    double work[8 * N], x[N], y[N];
    assert_true(corr_work(N) <= 8 * N);
    static const struct {
        enum corr_kind kind;
        size_t a, b;
        double want;
    } rows[] = {{CORR_PEARSON, RATING, COMPLAINTS, 0.82541756954214596},
                {CORR_PEARSON, CRITICAL, ADVANCE, 0.28334317403531684},
                {CORR_SPEARMAN, RATING, COMPLAINTS, 0.83220056226876316},
                {CORR_SPEARMAN, CRITICAL, ADVANCE, 0.25516702203704039},
                {CORR_KENDALL, RATING, COMPLAINTS, 0.65497120821547306},
                {CORR_KENDALL, CRITICAL, ADVANCE, 0.18052256532066507}};
    for (size_t k = 0; k < 6; k++) {
        struct corr c = corr_pair(rows[k].kind, attitude[rows[k].a], attitude[rows[k].b], N, work);
        assert_true(c.state == CORR_OK && c.n == N);
        near_to("correlation", c.r, rows[k].want, 1e-13);
    }
    /* Pairs with a missing value are left out: use = "pairwise.complete.obs". */
    memcpy(x, attitude[RATING], sizeof x);
    memcpy(y, attitude[ADVANCE], sizeof y);
    x[2] = x[6] = y[6] = y[8] = NAN;
    struct corr p = corr_pair(CORR_PEARSON, x, y, N, work);
    assert_int_equal(p.n, 27);
    near_to("pairwise", p.r, 0.1662312349309846, 1e-13);
    near_to("pairwise", corr_pair(CORR_KENDALL, x, y, N, work).r, 0.14348847160367417, 1e-13);
    near_to("pairwise", corr_pair(CORR_SPEARMAN, x, y, N, work).r, 0.21779772568852551, 1e-13);
    const double t1[8] = {1, 1, 2, 2, 3, 3, 3, 4}, t2[8] = {1, 2, 2, 2, 1, 3, 4, 4};
    near_to("ties", corr_pair(CORR_KENDALL, t1, t2, 8, work).r, 0.56521739130434778, 1e-13);
    told("correlations");
    for (size_t i = 0; i < N; i++) x[i] = 3;
    assert_int_equal(corr_pair(CORR_PEARSON, x, y, N, work).state, CORR_CONSTANT);
    assert_int_equal(corr_pair(CORR_KENDALL, y, x, N, work).state, CORR_CONSTANT);
    assert_int_equal(corr_pair(CORR_SPEARMAN, x, y, 2, work).state, CORR_FEW);
}

/* Kendall by counting all pairs. */
static double kendall_slow(const double *x, const double *y, size_t n) {
    double s = 0, tx = 0, ty = 0, all = 0.5 * (double)n * (double)(n - 1);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            double dx = (x[i] > x[j]) - (x[i] < x[j]), dy = (y[i] > y[j]) - (y[i] < y[j]);
            s += dx * dy;
            tx += dx == 0;
            ty += dy == 0;
        }
    }
    return s / sqrt((all - tx) * (all - ty));
}

static void kendall_counts_pairs(void **state) {
    (void)state;
    struct rng r = rng_new(31, 0);
    double x[60], y[60], work[8 * 60];
    for (int trial = 0; trial < 200; trial++) {
        size_t n = 3 + rng_below(&r, 57);
        double few = trial % 2 == 0 ? 4.0 : 1000.0;
        for (size_t i = 0; i < n; i++) {
            x[i] = floor(few * rng_unit(&r));
            y[i] = floor(0.5 * x[i] + few * rng_unit(&r));
        }
        struct corr c = corr_pair(CORR_KENDALL, x, y, n, work);
        if (c.state == CORR_OK) assert_true(fabs(c.r - kendall_slow(x, y, n)) < 1e-12);
    }
}

static void matrix_is_symmetric_on_threads(void **state) {
    (void)state;
    struct corr want[COLS * COLS], got[COLS * COLS];
    for (size_t t = 1; t <= 4; t *= 2) {
        struct pool *pool;
        assert_int_equal(pool_new(t, &pool, NULL), ERR_OK);
        struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = t};
        assert_int_equal(corr_matrix(CORR_KENDALL, &attitude[0][0], N, COLS, &run, got, NULL),
                         ERR_OK);
        if (t == 1) memcpy(want, got, sizeof want);
        for (size_t i = 0; i < COLS; i++) {
            assert_true(fabs(got[i * COLS + i].r - 1.0) < 1e-15);
            for (size_t j = 0; j < COLS; j++) {
                assert_true(got[i * COLS + j].r == got[j * COLS + i].r);
                assert_true(got[i * COLS + j].r == want[i * COLS + j].r);
            }
        }
        pool_free(pool);
    }
}

static void alpha(void **state) {
    (void)state;
    struct alpha a;
    double x[COLS * N];
    memcpy(x, attitude, sizeof x);
    assert_int_equal(corr_alpha(x, N, COLS, &a, NULL), ERR_OK);
    assert_true(a.state == CORR_OK && a.n_areas == N && a.n_items == COLS);
    near_to("alpha", a.raw, 0.84314276956475986, 1e-13);
    near_to("standardized alpha", a.standardized, 0.83908380302951047, 1e-13);
    x[2] = x[6] = x[ADVANCE * N + 6] = x[ADVANCE * N + 8] = NAN;
    assert_int_equal(corr_alpha(x, N, COLS, &a, NULL), ERR_OK);
    assert_int_equal(a.n_areas, 27);
    near_to("alpha", a.raw, 0.83957987504397635, 1e-13);
    near_to("standardized alpha", a.standardized, 0.83455946120149915, 1e-13);
    told("alpha");
    for (size_t i = 0; i < N; i++) x[i] = 5;
    assert_int_equal(corr_alpha(x, N, COLS, &a, NULL), ERR_OK);
    assert_int_equal(a.state, CORR_CONSTANT);
    assert_int_equal(corr_alpha(x, N, 1, &a, NULL), ERR_OK);
    assert_int_equal(a.state, CORR_FEW);
}

static void main_components(void **state) {
    (void)state;
    static const double values[COLS] = {
        3.7163757506157742,  1.1409218852174912,  0.8471915456227318, 0.61286966016353051,
        0.32367280948842869, 0.21853059379860323, 0.14043775509344242};
    static const double first[COLS] = {
        0.41300475419453353, 0.44053793600702429, 0.35477475439721418, 0.42856131627396810,
        0.44713121804159078, 0.18535082342673165, 0.30255944522519962};
    static const double second[COLS] = {
        -0.396925832911817156, -0.333627058674775767, -0.095759539817780584, -0.045102253626756725,
        0.179173035909870659,  0.602634731955856595,  0.569795725837150768};
    struct arena *arena = test_arena();
    struct pca p;
    assert_int_equal(corr_pca(arena, &attitude[0][0], N, COLS, &p, NULL), ERR_OK);
    assert_true(p.state == CORR_OK && p.n_areas == N);
    for (size_t k = 0; k < COLS; k++) {
        near_to("eigenvalue", p.eigenvalue[k], values[k], 1e-12);
        near_to("first loading", p.loading[k], first[k], 1e-12);
        near_to("second loading", p.loading[COLS + k], second[k], 1e-11);
    }
    told("pca attitude");
    double x[3 * N];
    memcpy(x, attitude, sizeof x);
    for (size_t i = 0; i < N; i++) x[N + i] = 2;
    assert_int_equal(corr_pca(arena, x, N, 3, &p, NULL), ERR_OK);
    assert_true(p.state == CORR_CONSTANT && p.constant == 1);
    arena_free(arena);
}

/* Eigenvalues of each pillar of the shared index data, as COINr's and R's prcomp give them. */
static void shared_pillars(void **state) {
    (void)state;
#define REF SOURCE_DIR "/../shared/data/reference/index/"
    struct arena *a = test_arena();
    const struct table *x, *meta, *want;
    struct err err = {0};
    if (table_load(a, REF "asem.norm_minmax_1_100.expected.csv", 0, 1000, &x, &err) != ERR_OK ||
        table_load(a, REF "asem.meta.csv", 0, 1000, &meta, &err) != ERR_OK ||
        table_load(a, REF "asem.pca_eigenvalues.expected.csv", 0, 1000, &want, &err) != ERR_OK) {
        printf("skipped: %s\n", err.detail);
        arena_free(a);
        return;
    }
    double col[16 * 64];
    for (size_t r = 0; r < want->n_row;) {
        const char *pillar = table_text(want, r, 0);
        size_t n_col = 0;
        for (size_t m = 0; m < meta->n_row; m++) {
            size_t at;
            if (strcmp(table_text(meta, m, 5), pillar) != 0) continue;
            assert_int_equal(table_column(x, table_text(meta, m, 1), true, &at, &err), ERR_OK);
            for (size_t i = 0; i < x->n_row; i++)
                assert_int_equal(table_number(x, i, at, true, &col[n_col * x->n_row + i], &err),
                                 ERR_OK);
            n_col++;
        }
        struct pca p;
        assert_int_equal(corr_pca(a, col, x->n_row, n_col, &p, &err), ERR_OK);
        for (size_t k = 0; k < n_col; k++, r++) {
            double value;
            assert_int_equal(table_number(want, r, 2, false, &value, &err), ERR_OK);
            near_to(pillar, p.eigenvalue[k], value, 1e-9);
        }
    }
    told("pca of the pillars");
    arena_free(a);
}

/* A straight line has the squared correlation as main effect; a parabola has none of it in the
 * line and all of it in the curve. */
static void main_effects(void **state) {
    (void)state;
    enum { M = 400 };
    double x[M], y[M], z[M], noise[M], work[8 * M];
    struct rng r = rng_new(8, 0);
    for (size_t i = 0; i < M; i++) {
        x[i] = rng_normal(&r);
        y[i] = 2.0 * x[i] + 2.0 * rng_normal(&r);
        z[i] = x[i] * x[i];
        noise[i] = rng_normal(&r);
    }
    struct main_effect e = corr_main_effect(x, y, M, work);
    double c = corr_pair(CORR_PEARSON, x, y, M, work).r;
    assert_true(e.state == CORR_OK && fabs(e.linear - c * c) < 1e-15);
    /* True share 1/2; sd of r^2 at 400 areas is about 0.035. */
    assert_true(fabs(e.linear - 0.5) < 0.14 && fabs(e.smooth - 0.5) < 0.14);
    e = corr_main_effect(x, x, M, work);
    assert_true(fabs(e.smooth - 1.0) < 1e-9 && fabs(e.linear - 1.0) < 1e-12);
    e = corr_main_effect(x, z, M, work);
    assert_true(e.linear < 0.2 && e.smooth > 0.6 && e.smooth <= 1.0);
    e = corr_main_effect(x, noise, M, work);
    assert_true(e.smooth < 0.06);
    for (size_t i = 0; i < M; i++) x[i] = i % 2 == 0 ? 1.0 : 2.0;
    for (size_t i = 0; i < M; i++) y[i] = x[i] * 10.0;
    e = corr_main_effect(x, y, M, work);
    assert_true(fabs(e.smooth - 1.0) < 1e-9);
    for (size_t i = 0; i < M; i++) x[i] = 1.0;
    assert_int_equal(corr_main_effect(x, y, M, work).state, CORR_CONSTANT);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(correlations),
                                       cmocka_unit_test(kendall_counts_pairs),
                                       cmocka_unit_test(matrix_is_symmetric_on_threads),
                                       cmocka_unit_test(alpha),
                                       cmocka_unit_test(main_components),
                                       cmocka_unit_test(shared_pillars),
                                       cmocka_unit_test(main_effects)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
