/* Ranks of a draw, products of many draws, bands of ranks, neighbours and pairs, each against the
 * plainest way to get them. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "num/composite/order.h"
#include "num/composite/product.h"
#include "num/composite/rank_interval.h"

/* Values of several shapes: even, heavy-tailed, few distinct, with missing ones, all equal. */
static double value_of(struct rng *r, int shape) {
    double u = rng_unit(r);
    switch (shape) {
    case 0:
        return u;
    case 1:
        return exp(30.0 * u);
    case 2:
        return floor(5.0 * u);
    case 3:
        return u < 0.2 ? NAN : rng_normal(r);
    case 4:
        return 7.0;
    case 5:
        return u < 0.1 ? -INFINITY : u > 0.9 ? 1e308 : -1e308 * u;
    default:
        return NAN;
    }
}
static void fill(struct rng *r, int shape, double *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = value_of(r, shape);
}

static void ranks_are_counts_of_better(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 17, 200, 1500};
    struct rng r = rng_new(11, 0);
    double *x = mem_new(1500, sizeof *x);
    uint16_t *rank = mem_new(1500, sizeof *rank);
    void *work = mem_new(order_rank_bytes(1500), 1);
    for (size_t s = 0; s < 6; s++) {
        for (int shape = 0; shape < 7; shape++) {
            size_t n = sizes[s];
            fill(&r, shape, x, n);
            order_rank(x, n, rank, work);
            for (size_t i = 0; i < n; i++) {
                uint32_t better = 0;
                for (size_t j = 0; j < n; j++) better += x[j] > x[i];
                assert_int_equal(rank[i], isnan(x[i]) ? 0 : better + 1);
            }
        }
    }
    mem_free(x);
    mem_free(rank);
    mem_free(work);
}

static void sorts_and_quantiles(void **state) {
    (void)state;
    struct rng r = rng_new(12, 0);
    double x[100], y[100];
    uint32_t index[100], work[100];
    for (int trial = 0; trial < 50; trial++) {
        size_t n = 1 + rng_below(&r, 100);
        for (size_t i = 0; i < n; i++) y[i] = x[i] = floor(20.0 * rng_unit(&r));
        order_index(x, n, index, work);
        order_sort(y, n);
        for (size_t i = 0; i < n; i++) {
            assert_true(x[index[i]] == y[i]);
            if (i > 0 && y[i] == y[i - 1]) assert_true(index[i] > index[i - 1]);
        }
    }
    /* R 4.2.2: quantile(c(1,2,4,8,16), c(0,.1,.5,.9,1)). */
    const double five[5] = {1, 2, 4, 8, 16};
    assert_true(order_quantile(five, 5, 0) == 1 && order_quantile(five, 5, 0.5) == 4);
    assert_true(fabs(order_quantile(five, 5, 0.1) - 1.4) < 1e-15);
    assert_true(fabs(order_quantile(five, 5, 0.9) - 12.8) < 1e-14 &&
                order_quantile(five, 5, 1) == 16);
}

static void products_keep_their_bits(void **state) {
    (void)state;
    struct rng r = rng_new(13, 0);
    enum { IND = 13, AREA = 37, DRAW = 9, ROOM = 12 };
    double value[IND * AREA], weight[ROOM * IND] = {0}, packed[IND * 40], out[ROOM * 40];
    for (size_t i = 0; i < IND * AREA; i++) value[i] = rng_normal(&r);
    for (size_t i = 0; i < DRAW * IND; i++) weight[i] = rng_unit(&r);
    assert_int_equal(product_width(AREA), 40);
    product_pack(value, AREA, NULL, NULL, IND, AREA, packed);
    product_run(packed, IND, AREA, weight, DRAW, out);
    for (size_t d = 0; d < DRAW; d++) {
        for (size_t c = 0; c < AREA; c++) {
            double sum = 0;
            for (size_t i = 0; i < IND; i++) sum += value[i * AREA + c] * weight[d * IND + i];
            assert_true(sum == out[d * 40 + c]);
        }
    }
}

struct cloud {
    size_t n_draw, n_area;
    uint16_t *rank, *nominal;
};
/* Rankings of n areas whose scores are their number and noise; some are missing now and then. */
static struct cloud cloud_new(size_t n_draw, size_t n, double noise, bool gaps) {
    struct cloud c = {.n_draw = n_draw, .n_area = n};
    c.rank = mem_new(n_draw * n, sizeof *c.rank);
    c.nominal = mem_new(n, sizeof *c.nominal);
    double *x = mem_new(n, sizeof *x);
    void *work = mem_new(order_rank_bytes(n), 1);
    for (size_t i = 0; i < n; i++) c.nominal[i] = (uint16_t)(i + 1);
    if (gaps) c.nominal[2] = 0;
    for (size_t d = 0; d < n_draw; d++) {
        struct rng r = rng_new(14, d);
        for (size_t i = 0; i < n; i++)
            x[i] = gaps && rng_unit(&r) < 0.05 ? NAN : floor(noise * rng_normal(&r)) - (double)i;
        order_rank(x, n, c.rank + d * n, work);
    }
    mem_free(x);
    mem_free(work);
    return c;
}
static void cloud_free(struct cloud *c) {
    mem_free(c->rank);
    mem_free(c->nominal);
}

static void bands_are_quantiles(void **state) {
    (void)state;
    struct cloud c = cloud_new(999, 70, 6.0, true);
    struct rank_interval band[70];
    double sorted[999];
    assert_int_equal(rank_intervals(c.rank, c.n_draw, c.n_area, c.nominal, 0.9, NULL, band, NULL),
                     ERR_OK);
    for (size_t i = 0; i < c.n_area; i++) {
        size_t n = 0, below = 0, above = 0;
        double sum = 0, shift = 0;
        for (size_t d = 0; d < c.n_draw; d++) {
            uint16_t k = c.rank[d * c.n_area + i];
            if (k == 0) continue;
            sorted[n++] = k;
            sum += k;
            shift += fabs((double)k - c.nominal[i]);
            below += k < band[i].low;
            above += k > band[i].high;
        }
        order_sort(sorted, n);
        assert_int_equal(band[i].n, n);
        assert_true(fabs(band[i].mean - sum / (double)n) < 1e-9);
        assert_true(band[i].median == order_quantile(sorted, n, 0.5));
        assert_true(band[i].min == sorted[0] && band[i].max == sorted[n - 1]);
        /* No more than 5 % on either side, and one rank narrower would have more. */
        assert_true((double)below <= 0.05 * (double)n && (double)above <= 0.05 * (double)n);
        size_t tail = (size_t)(0.05 * (double)n);
        assert_true(band[i].low == sorted[tail] && band[i].high == sorted[n - 1 - tail]);
        if (c.nominal[i] != 0) assert_true(fabs(band[i].shift - shift / (double)n) < 1e-9);
    }
    struct err err = {0};
    assert_int_equal(rank_intervals(c.rank, 1, 70, c.nominal, 1.0, NULL, band, &err), ERR_INVALID);
    cloud_free(&c);
}

static void pairs_are_counts(void **state) {
    (void)state;
    for (int gaps = 0; gaps < 2; gaps++) {
        struct cloud c = cloud_new(gaps ? 100 : 517, 45, 3.0, gaps != 0);
        size_t n = c.n_area, m = 0;
        uint32_t *above = mem_new(n * n, sizeof *above), order[45];
        double holds[45];
        assert_int_equal(rank_dominance(c.rank, c.n_draw, n, NULL, above, NULL), ERR_OK);
        for (size_t a = 0; a < n; a++) {
            for (size_t b = 0; b < n; b++) {
                uint32_t count = 0;
                for (size_t d = 0; d < c.n_draw; d++) {
                    uint16_t x = c.rank[d * n + a], y = c.rank[d * n + b];
                    count += x != 0 && (y == 0 || x < y);
                }
                assert_int_equal(above[a * n + b], count);
            }
        }
        assert_int_equal(rank_neighbours(c.rank, c.n_draw, n, c.nominal, order, holds, &m, NULL),
                         ERR_OK);
        assert_int_equal(m, gaps ? n - 1 : n);
        for (size_t k = 0; k + 1 < m; k++) {
            assert_true(c.nominal[order[k]] < c.nominal[order[k + 1]]);
            assert_true(holds[k] == (double)above[order[k] * n + order[k + 1]] / (double)c.n_draw);
        }
        mem_free(above);
        cloud_free(&c);
    }
}

static void same_on_threads(void **state) {
    (void)state;
    struct cloud c = cloud_new(300, 120, 10.0, true);
    size_t n = c.n_area;
    uint32_t *want = mem_new(n * n, sizeof *want), *got = mem_new(n * n, sizeof *got);
    struct rank_interval *b1 = mem_new(n, sizeof *b1), *b2 = mem_new(n, sizeof *b2);
    for (size_t t = 1; t <= 4; t *= 2) {
        struct pool *pool;
        assert_int_equal(pool_new(t, &pool, NULL), ERR_OK);
        struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = t};
        assert_int_equal(rank_dominance(c.rank, c.n_draw, n, &run, got, NULL), ERR_OK);
        assert_int_equal(rank_intervals(c.rank, c.n_draw, n, c.nominal, 0.9, &run, b2, NULL),
                         ERR_OK);
        if (t == 1) {
            memcpy(want, got, n * n * sizeof *want);
            memcpy(b1, b2, n * sizeof *b1);
        }
        assert_memory_equal(want, got, n * n * sizeof *want);
        for (size_t i = 0; i < n; i++)
            assert_true(b1[i].mean == b2[i].mean && b1[i].low == b2[i].low &&
                        b1[i].high == b2[i].high && b1[i].shift == b2[i].shift);
        pool_free(pool);
    }
    struct num_run tight = {.max_bytes = 1000};
    struct err err = {0};
    assert_int_equal(rank_dominance(c.rank, c.n_draw, n, &tight, got, &err), ERR_LIMIT);
    mem_free(want);
    mem_free(got);
    mem_free(b1);
    mem_free(b2);
    cloud_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_counts_of_better), cmocka_unit_test(sorts_and_quantiles),
        cmocka_unit_test(products_keep_their_bits),   cmocka_unit_test(bands_are_quantiles),
        cmocka_unit_test(pairs_are_counts),           cmocka_unit_test(same_on_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
