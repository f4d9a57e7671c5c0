/* Properties that hold for any data: seeded generators, the seed is printed on failure. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rng.h"
#include "num/composite/composite.h"

enum { M = 9, N = 24, NODES = M + 3 + 1 };

/* Nine indicators in three pillars under one index. */
struct world {
    struct arena *a;
    struct composite_tree tree;
    const char *code[NODES];
    uint8_t level[NODES];
    uint32_t parent[NODES];
    int8_t direction[NODES];
    double weight[NODES], value[M * N];
};

static void make(struct world *w, uint64_t seed) {
    static const char *const names[NODES] = {"i1", "i2", "i3", "i4", "i5", "i6",   "i7",
                                             "i8", "i9", "P",  "Q",  "R",  "Index"};
    struct rng r = rng_new(seed, 0);
    w->a = test_arena();
    for (size_t i = 0; i < NODES; i++) {
        w->code[i] = names[i];
        w->level[i] = i < M ? 1 : i + 1 < NODES ? 2 : 3;
        w->parent[i] = i < M ? (uint32_t)(M + i / 3) : i + 1 < NODES ? NODES - 1 : COMPOSITE_NONE;
        w->direction[i] = rng_below(&r, 2) == 0 ? 1 : -1;
        w->weight[i] = 0.25 + rng_unit(&r);
    }
    for (size_t k = 0; k < M * N; k++) w->value[k] = 10 * rng_unit(&r);
    w->tree = (struct composite_tree){.n_ind = M,
                                      .n_node = NODES,
                                      .n_level = 3,
                                      .code = w->code,
                                      .level = w->level,
                                      .parent = w->parent,
                                      .direction = w->direction,
                                      .weight = w->weight};
    struct err err;
    assert_int_equal(composite_tree_init(&w->tree, w->a, &err), ERR_OK);
}

static const struct composite_norm norms[] = {
    {.kind = COMPOSITE_NORM_MIN_MAX, .low = 1, .high = 100},
    {.kind = COMPOSITE_NORM_Z, .mean = 100, .sd = 10},
    {.kind = COMPOSITE_NORM_PERCENTILE, .low = 1, .high = 100},
    {.kind = COMPOSITE_NORM_RANK}};
static const enum composite_agg_kind aggs[] = {COMPOSITE_ARITHMETIC, COMPOSITE_GEOMETRIC,
                                               COMPOSITE_HARMONIC,   COMPOSITE_MPI_MINUS,
                                               COMPOSITE_COPELAND,   COMPOSITE_MAJORITY};

static struct composite_result run(struct world *w, const struct composite_norm *norm,
                                   enum composite_agg_kind agg) {
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = norm}};
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) spec.aggregate.level[k].kind = agg;
    struct composite_data d = {.n_area = N, .value = w->value};
    struct composite_result r;
    struct err err;
    if (composite_run(&d, &w->tree, &spec, COMPOSITE_RAW, NULL, w->a, &r, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return r;
}

/* Copeland's own scores may be 0 or below; the penalised mean is for scores far from 0. */
static bool fits(size_t norm, size_t agg) {
    return agg < 3 || (agg == 3 && norm == 1) || (agg > 3 && norm == 0);
}

/* Scores of w's area j and of v's area to[j] are the same, and so are ranks. */
static void same_scores(struct world *w, struct world *v, const size_t *to, size_t n, size_t g,
                        uint64_t seed) {
    struct composite_result a = run(w, &norms[n], aggs[g]), b = run(v, &norms[n], aggs[g]);
    for (size_t j = 0; j < N; j++) {
        double x = a.stage[COMPOSITE_AGGREGATED][(NODES - 1) * N + j];
        double y = b.stage[COMPOSITE_AGGREGATED][(NODES - 1) * N + to[j]];
        if (fabs(x - y) > 1e-9 * fmax(1, fabs(x)))
            fail_msg("seed %d: %.17g, %.17g", (int)seed, x, y);
        assert_int_equal(a.rank[j], b.rank[to[j]]);
    }
}

static void areas_in_any_order(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct world w, v;
        make(&w, seed);
        make(&v, seed);
        struct rng r = rng_new(seed, 1);
        size_t to[N];
        for (size_t j = 0; j < N; j++) to[j] = j;
        for (size_t j = N; j > 1; j--) {
            size_t k = rng_below(&r, (uint32_t)j), t = to[j - 1];
            to[j - 1] = to[k];
            to[k] = t;
        }
        for (size_t k = 0; k < M * N; k++) v.value[k / N * N + to[k % N]] = w.value[k];
        for (size_t k = 0; k < 24; k++) {
            if (fits(k / 6, k % 6)) same_scores(&w, &v, to, k / 6, k % 6, seed);
        }
        arena_free(w.a);
        arena_free(v.a);
    }
}

/* The indicators of each pillar the other way round, and the pillars too. */
static void indicators_in_any_order(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct world w, v;
        make(&w, seed);
        make(&v, seed);
        for (size_t i = 0; i < M; i++) {
            memcpy(v.value + (M - 1 - i) * N, w.value + i * N, N * sizeof(double));
            v.direction[M - 1 - i] = w.direction[i];
            v.weight[M - 1 - i] = w.weight[i];
        }
        for (size_t p = 0; p < 3; p++) v.weight[M + 2 - p] = w.weight[M + p];
        for (size_t g = 0; g < 6; g++) {
            const struct composite_norm *norm = &norms[g == 3 ? 1 : 0];
            struct composite_result a = run(&w, norm, aggs[g]), b = run(&v, norm, aggs[g]);
            for (size_t j = 0; j < N; j++) {
                double x = a.stage[COMPOSITE_AGGREGATED][(NODES - 1) * N + j];
                double y = b.stage[COMPOSITE_AGGREGATED][(NODES - 1) * N + j];
                if (fabs(x - y) > 1e-9 * fmax(1, fabs(x)))
                    fail_msg("seed %d: %.17g, %.17g", (int)seed, x, y);
            }
        }
        arena_free(w.a);
        arena_free(v.a);
    }
}

static void unit_of_an_indicator(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct world w;
        make(&w, seed);
        struct rng r = rng_new(seed, 2);
        for (size_t n = 0; n < 4; n++) {
            struct composite_result a = run(&w, &norms[n], COMPOSITE_GEOMETRIC);
            double before[N];
            for (size_t j = 0; j < N; j++)
                before[j] = a.stage[COMPOSITE_AGGREGATED][(NODES - 1) * N + j];
            size_t i = rng_below(&r, M);
            double scale = exp(6 * rng_unit(&r) - 3), shift = 100 * rng_unit(&r) - 50;
            for (size_t j = 0; j < N; j++) w.value[i * N + j] = scale * w.value[i * N + j] + shift;
            struct composite_result b = run(&w, &norms[n], COMPOSITE_GEOMETRIC);
            for (size_t j = 0; j < N; j++) {
                double y = b.stage[COMPOSITE_AGGREGATED][(NODES - 1) * N + j];
                if (fabs(before[j] - y) > 1e-9 * fabs(y))
                    fail_msg("seed %d: %.17g, %.17g", (int)seed, before[j], y);
            }
        }
        arena_free(w.a);
    }
}

/* A better value of one area never lowers it, as long as the range stays what it was. */
static void monotone_in_a_good_indicator(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct world w;
        make(&w, seed);
        struct rng r = rng_new(seed, 3);
        size_t i = rng_below(&r, M), j = rng_below(&r, N);
        static const enum composite_agg_kind kinds[] = {COMPOSITE_ARITHMETIC, COMPOSITE_GEOMETRIC,
                                                        COMPOSITE_HARMONIC, COMPOSITE_COPELAND};
        double low = INFINITY, high = -INFINITY, was = w.value[i * N + j];
        for (size_t k = 0; k < N; k++) {
            low = fmin(low, w.value[i * N + k]);
            high = fmax(high, w.value[i * N + k]);
        }
        if (was == low || was == high) {
            arena_free(w.a);
            continue;
        }
        double best = w.direction[i] > 0 ? high : low, better = was + 0.5 * (best - was);
        for (size_t g = 0; g < 4; g++) {
            w.value[i * N + j] = was;
            struct composite_result a = run(&w, &norms[0], kinds[g]);
            double x = a.stage[COMPOSITE_AGGREGATED][w.parent[i] * N + j];
            double top = a.stage[COMPOSITE_AGGREGATED][(NODES - 1) * N + j];
            w.value[i * N + j] = better;
            a = run(&w, &norms[0], kinds[g]);
            double y = a.stage[COMPOSITE_AGGREGATED][w.parent[i] * N + j];
            double top_y = a.stage[COMPOSITE_AGGREGATED][(NODES - 1) * N + j];
            if (y < x || (g < 3 && !(y > x && top_y > top)))
                fail_msg("seed %d, mean %d: %.17g, then %.17g", (int)seed, (int)g, x, y);
        }
        arena_free(w.a);
    }
}

/* More weight on an indicator draws the score towards it. */
static void monotone_weights(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct world w;
        make(&w, seed);
        struct rng r = rng_new(seed, 4);
        size_t i = rng_below(&r, M);
        for (size_t g = 0; g < 3; g++) {
            struct composite_result a = run(&w, &norms[0], aggs[g]);
            double was = w.weight[i];
            w.weight[i] *= 1.5;
            struct composite_result b = run(&w, &norms[0], aggs[g]);
            w.weight[i] = was;
            for (size_t j = 0; j < N; j++) {
                double own = a.stage[COMPOSITE_NORMALISED][i * N + j];
                double x = a.stage[COMPOSITE_AGGREGATED][w.parent[i] * N + j];
                double y = b.stage[COMPOSITE_AGGREGATED][w.parent[i] * N + j];
                if ((own > x + 1e-9 && y < x) || (own < x - 1e-9 && y > x))
                    fail_msg("seed %d: %.17g to %.17g with %.17g", (int)seed, x, y, own);
            }
        }
        arena_free(w.a);
    }
}

/* A draw by layer, a draw that normalises, and the pipeline are the same bits; a draw allocates
 * nothing. */
static void same_bits(struct world *w, size_t n, size_t g) {
    struct composite_result a = run(w, &norms[n], aggs[g]);
    struct composite_plan p;
    struct composite_layer l;
    struct err err;
    const struct composite_normalise how = {1, &norms[n], NULL};
    struct composite_aggregate agg;
    memset(&agg, 0, sizeof agg);
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) agg.level[k].kind = aggs[g];
    assert_int_equal(composite_plan_init(&p, &w->tree, a.stage[COMPOSITE_TREATED], N, NULL, NULL,
                                         NULL, w->a, &err),
                     ERR_OK);
    assert_int_equal(composite_layer_init(&l, &p, &how, true, w->a, &err), ERR_OK);
    double *scratch = ARENA_NEW(w->a, double, composite_scratch(&p));
    double node[4 * N];
    uint32_t rank[N];
    for (int by_layer = 0; by_layer < 2; by_layer++) {
        struct composite_draw d = {.layer = by_layer ? &l : NULL,
                                   .normalise = &how,
                                   .weight = a.weight,
                                   .aggregate = &agg};
        long blocks = mem_live();
        assert_int_equal(composite_evaluate(&p, &d, scratch, node, rank, &err), ERR_OK);
        assert_int_equal(mem_live(), blocks);
        assert_memory_equal(node, a.stage[COMPOSITE_AGGREGATED] + M * N, sizeof node);
        assert_memory_equal(rank, a.rank, sizeof rank);
    }
}

static void draws_are_the_pipeline(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct world w;
        make(&w, seed);
        struct rng r = rng_new(seed, 5);
        for (size_t k = 0; k < M * N && seed % 2 == 0; k++) {
            if (rng_below(&r, 10) == 0) w.value[k] = NAN;
        }
        for (size_t k = 0; k < 16; k++) {
            if (fits(k / 4, k % 4)) same_bits(&w, k / 4, k % 4);
        }
        arena_free(w.a);
    }
}

enum { MOST = 300 };

/* Whole numbers with ties or of any size, zeros of both signs, gaps. */
static double any_value(struct rng *r, uint64_t seed) {
    double v =
        seed % 2 == 0 ? rng_normal(r) * exp(20 * rng_normal(r)) : (double)rng_below(r, 12) - 6;
    if (rng_below(r, 15) == 0) return NAN;
    if (rng_below(r, 15) == 0) return rng_below(r, 2) == 0 ? 0.0 : -0.0;
    return v;
}

static uint32_t counted_rank(const double *v, size_t n, const uint32_t *period, size_t j) {
    uint32_t rank = 1;
    for (size_t k = 0; k < n; k++)
        rank += v[k] > v[j] && (period == NULL || period[k] == period[j]) ? 1 : 0;
    return isnan(v[j]) ? 0 : rank;
}

static void ranks_by_counting(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rng r = rng_new(seed, 6);
        size_t n = 1 + rng_below(&r, MOST);
        uint32_t n_period = 1 + rng_below(&r, (uint32_t)(n < 5 ? n : 5)), period[MOST], rank[MOST];
        double v[MOST], *scratch = mem_new(6 * n, sizeof *scratch);
        for (size_t j = 0; j < n; j++) {
            period[j] = rng_below(&r, n_period);
            v[j] = any_value(&r, seed);
        }
        const uint32_t *panel = seed % 3 == 0 ? period : NULL;
        composite_ranks(v, n, panel, n_period, scratch, rank);
        for (size_t j = 0; j < n; j++) {
            uint32_t want = counted_rank(v, n, panel, j);
            if (rank[j] != want) fail_msg("seed %d: %u, %u", (int)seed, rank[j], want);
        }
        mem_free(scratch);
    }
}

static void effective_weights_sum_to_one(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world w;
        make(&w, seed);
        double effective[M], sum = 0;
        struct composite_tree flat;
        struct err err;
        composite_effective_weights(&w.tree, w.weight, effective);
        for (size_t i = 0; i < M; i++) sum += effective[i];
        assert_true(fabs(sum - 1) < 1e-14);
        /* The flat index by arithmetic means is the same index. */
        assert_int_equal(composite_tree_flatten(&w.tree, w.a, &flat, &err), ERR_OK);
        struct composite_result a = run(&w, &norms[0], COMPOSITE_ARITHMETIC);
        double x[N];
        for (size_t j = 0; j < N; j++) x[j] = a.stage[COMPOSITE_AGGREGATED][(NODES - 1) * N + j];
        w.tree = flat;
        a = run(&w, &norms[0], COMPOSITE_ARITHMETIC);
        for (size_t j = 0; j < N; j++)
            assert_true(fabs(x[j] - a.stage[COMPOSITE_AGGREGATED][M * N + j]) < 1e-11);
        arena_free(w.a);
    }
}

/* Every allocation that fails is told; nothing is left behind. */
static void no_memory(void **state) {
    (void)state;
    const struct composite_norm norm = norms[0];
    for (long n = 0;; n++) {
        long before = mem_live();
        struct world w;
        make(&w, 3);
        w.value[5] = w.value[N + 7] = NAN;
        struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &norm},
                                      .impute = {.kind = COMPOSITE_IMPUTE_EM}};
        spec.aggregate.level[0].kind = COMPOSITE_BOD_SCORE;
        spec.weights.level[1] = COMPOSITE_WEIGHT_PCA_VARIANCE;
        struct composite_data d = {.n_area = N, .value = w.value};
        struct composite_result r;
        struct err err;
        mem_fault_arm(n);
        enum err_code rc = composite_run(&d, &w.tree, &spec, COMPOSITE_RAW, NULL, w.a, &r, &err);
        int fired = mem_fault_disarm();
        arena_free(w.a);
        assert_int_equal(mem_live(), before);
        if (!fired) {
            assert_int_equal(rc, ERR_OK);
            break;
        }
        if (rc != ERR_NOMEM) fail_msg("allocation %ld: %s", n, err.detail);
        if (n > 20) n += n / 4; /* one programme an area: the later ones are alike */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas_in_any_order),
        cmocka_unit_test(indicators_in_any_order),
        cmocka_unit_test(unit_of_an_indicator),
        cmocka_unit_test(monotone_in_a_good_indicator),
        cmocka_unit_test(monotone_weights),
        cmocka_unit_test(draws_are_the_pipeline),
        cmocka_unit_test(ranks_by_counting),
        cmocka_unit_test(effective_weights_sum_to_one),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
