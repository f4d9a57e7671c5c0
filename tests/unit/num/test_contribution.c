/* Parts of a score and of a change add up; what-if does what it says. Random frameworks. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "audit_frame.h"
#include "base/mem.h"
#include "num/composite/change.h"
#include "num/composite/contribution.h"
#include "num/composite/what_if.h"

/* Far enough from 0 that a value outside the other period's range stays positive, as geometric
 * means need it. */
static const struct composite_norm min_max = {
    .kind = COMPOSITE_NORM_MIN_MAX, .low = 60, .high = 100};

static const struct {
    enum composite_agg_kind kind;
    double power;
    bool difference;
} means[] = {{COMPOSITE_ARITHMETIC, 0, true}, {COMPOSITE_GEOMETRIC, 0, true},
             {COMPOSITE_HARMONIC, 0, true},   {COMPOSITE_POWER, 0.5, true},
             {COMPOSITE_POWER, 3, true},      {COMPOSITE_POWER, 0, true},
             {COMPOSITE_MPI_MINUS, 0, false}, {COMPOSITE_MPI_PLUS, 0, false}};
enum { N_MEANS = sizeof means / sizeof means[0] };

static struct composite_result run(struct arena *a, const struct frame *f,
                                   const struct composite_spec *s) {
    struct composite_result r;
    struct err err = {0};
    memset(&r, 0, sizeof r);
    enum err_code rc = composite_run(&f->data, &f->tree, s, COMPOSITE_RAW, NULL, a, &r, &err);
    if (rc != ERR_OK) print_message("%s\n", err.detail);
    assert_int_equal(rc, ERR_OK);
    return r;
}

/* The largest rest when the parts of each node's children are taken off its own, relative to the
 * largest part. */
static double worst_rest(const struct composite_tree *t, const double *part, size_t n) {
    double worst = 0;
    for (size_t j = 0; j < n; j++) {
        double most = 0;
        for (size_t i = 0; i < t->n_node; i++) most = fmax(most, fabs(part[i * n + j]));
        for (size_t p = t->n_ind; p < t->n_node; p++) {
            double sum = 0;
            if (isnan(part[p * n + j])) continue;
            for (uint32_t k = t->first[p]; k < t->first[p + 1]; k++) {
                double v = part[t->child[k] * n + j];
                sum += isnan(v) ? 0 : v;
            }
            worst = fmax(worst, fabs(sum - part[p * n + j]) / most);
        }
    }
    return worst;
}

static void contributions_add_to_the_score(void **state) {
    (void)state;
    double worst = 0;
    for (size_t m = 0; m < N_MEANS; m++) {
        for (uint64_t k = 0; k < 12; k++) {
            struct arena *a = test_arena();
            struct rng g = rng_new(77, k);
            struct frame f = frame_new(a, &g, 5 + rng_below(&g, 20), 2 + rng_below(&g, 3),
                                       k % 2 == 1, 40, k > 5);
            struct composite_spec s = frame_spec(&min_max, means[m].kind, means[m].power);
            struct composite_result r = run(a, &f, &s);
            size_t n = f.data.n_area, all = f.tree.n_node * n;
            double *part = ARENA_NEW(a, double, all);
            const double *value = r.stage[COMPOSITE_AGGREGATED];
            assert_int_equal(
                contribution_parts(&f.tree, r.weight, &s.aggregate, value, n, part, NULL), ERR_OK);
            for (size_t j = 0; j < n; j++) assert_true(part[all - n + j] == value[all - n + j]);
            double rest = worst_rest(&f.tree, part, n);
            assert_true(rest <= 1e-12);
            worst = fmax(worst, rest);
            if (m == 0 && k <= 5) {
                double *share = ARENA_NEW(a, double, f.tree.n_ind);
                composite_effective_weights(&f.tree, r.weight, share);
                for (size_t i = 0; i < f.tree.n_ind; i++)
                    for (size_t j = 0; j < n; j++)
                        assert_true(fabs(part[i * n + j] - share[i] * value[i * n + j]) < 1e-11);
            }
            arena_free(a);
        }
    }
    printf("digits audit contributions add to the score %.1f\n", -log10(worst));
}

static void differences_add_to_the_difference(void **state) {
    (void)state;
    double worst = 0;
    for (size_t m = 0; m < N_MEANS; m++) {
        struct arena *a = test_arena();
        struct rng g = rng_new(78, m);
        struct frame f = frame_new(a, &g, 17, 4, m % 2 == 1, 40, m == 3);
        struct composite_spec s = frame_spec(&min_max, means[m].kind, means[m].power);
        struct composite_result r0 = run(a, &f, &s);
        size_t n = f.data.n_area, all = f.tree.n_node * n;
        for (size_t i = 0; i < f.tree.n_ind * n; i++)
            f.value[i] *= i % 5 == 0 ? 1.0 : 1.0 + 0.2 * rng_unit(&g);
        if (m == 3) f.value[5] = isnan(f.value[5]) ? 90.0 : NAN;
        struct composite_result r1 = run(a, &f, &s);
        double *part = ARENA_NEW(a, double, all);
        bool split[40];
        struct err err = {0};
        const double *v0 = r0.stage[COMPOSITE_AGGREGATED], *v1 = r1.stage[COMPOSITE_AGGREGATED];
        enum err_code rc =
            contribution_difference(&f.tree, r0.weight, &s.aggregate, v0, v1, n, part, split, &err);
        assert_int_equal(rc, means[m].difference ? ERR_OK : ERR_INVALID);
        for (size_t j = 0; j < n && rc == ERR_OK; j++) {
            /* Area 5 has an indicator in one of the two only. */
            assert_true(split[j] == (m != 3 || j != 5));
            if (!split[j]) continue;
            double sum = 0, change = v1[all - n + j] - v0[all - n + j];
            for (size_t i = 0; i < f.tree.n_ind; i++)
                sum += isnan(part[i * n + j]) ? 0 : part[i * n + j];
            worst = fmax(worst, fabs(sum - change) / 100.0);
        }
        arena_free(a);
    }
    assert_true(worst <= 1e-12);
    printf("digits audit differences add to the difference %.1f\n", -log10(worst));
}

/* ---- change between two periods ---- */

struct story {
    struct frame before, after;
    struct composite_spec s0, s1;
};

static double worst_change(struct arena *a, const struct story *w, const double *published,
                           struct change_result *c) {
    struct change_side before = {&w->before.data, &w->before.tree, &w->s0};
    struct change_side after = {&w->after.data, &w->after.tree, &w->s1};
    struct err err = {0};
    enum err_code rc = change_decompose(&before, &after, published, NULL, a, c, &err);
    if (rc != ERR_OK) print_message("%s\n", err.detail);
    assert_int_equal(rc, ERR_OK);
    struct composite_result r0 = run(a, &w->before, &w->s0), r1 = run(a, &w->after, &w->s1);
    double worst = 0;
    size_t n = c->n_area, top = (c->n_node - 1) * n;
    for (size_t j = 0; j < n; j++) {
        /* The ends are what the pipeline itself says. */
        assert_true(fabs(c->before[j] - r0.stage[COMPOSITE_AGGREGATED][top + j]) < 1e-9);
        assert_true(fabs(c->after[j] - r1.stage[COMPOSITE_AGGREGATED][top + j]) < 1e-9);
        double sum = c->restated[j];
        for (size_t f = 0; f < CHANGE_FACTORS; f++) sum += c->part[f][j];
        double from = published == NULL ? c->before[j] : published[j];
        worst = fmax(worst, fabs(sum - (c->after[j] - from)) / 100.0);
        for (size_t f = 0; f < CHANGE_WEIGHTS; f++) {
            if (c->by_node[f] == NULL || isnan(c->by_node[f][top + j])) continue;
            double leaves = 0;
            for (size_t i = 0; i < w->before.tree.n_ind; i++) leaves += c->by_node[f][i * n + j];
            worst = fmax(worst, fabs(leaves - c->part[f][j]) / 100.0);
        }
    }
    return worst;
}

static struct story story_new(struct arena *a, uint64_t k, enum composite_agg_kind kind,
                              const struct composite_norm *norm) {
    struct rng g = rng_new(90, k), h = rng_new(90, k);
    struct story w = {.before = frame_new(a, &g, 12, 3, k % 2 == 1, 30, false),
                      .after = frame_new(a, &h, 12, 3, k % 2 == 1, 30, false),
                      .s0 = frame_spec(norm, kind, 2),
                      .s1 = frame_spec(norm, kind, 2)};
    return w;
}

static void changes_add_up(void **state) {
    (void)state;
    double worst = 0;
    for (size_t m = 0; m < N_MEANS; m++) {
        struct arena *a = test_arena();
        struct story w = story_new(a, m, means[m].kind, &min_max);
        struct rng g = rng_new(91, m);
        double published[30];
        for (size_t i = 0; i < 12 * 30; i++) w.after.value[i] *= 0.8 + 0.5 * rng_unit(&g);
        for (size_t j = 0; j < 30; j++) w.after.denominator[j] *= 0.95 + 0.2 * rng_unit(&g);
        for (size_t i = 0; i < w.after.tree.n_node; i++) w.after.weight[i] *= 0.5 + rng_unit(&g);
        for (size_t j = 0; j < 30; j++) published[j] = 40.0 + 10.0 * rng_unit(&g);
        struct change_result c;
        worst = fmax(worst, worst_change(a, &w, published, &c));
        assert_true((c.by_node[0] != NULL) == means[m].difference);
        for (size_t f = 0; f < CHANGE_FACTORS; f++) {
            double size = 0;
            for (size_t j = 0; j < 30; j++) size += fabs(c.part[f][j]);
            assert_true(size > 1e-6);
        }
        arena_free(a);
    }
    assert_true(worst <= 1e-12);
    printf("digits audit change adds up %.1f\n", -log10(worst));
}

static double largest(const double *x, size_t n) {
    double most = 0;
    for (size_t j = 0; j < n; j++) most = fmax(most, fabs(x[j]));
    return most;
}

/* Only what changed has a part. */
static void parts_are_of_what_changed(void **state) {
    (void)state;
    for (size_t only = 0; only < CHANGE_FACTORS; only++) {
        struct arena *a = test_arena();
        double low[12], high[12];
        for (size_t i = 0; i < 12; i++) {
            low[i] = i % 3 == 0 ? 0.1 : 10.0;
            high[i] = i % 3 == 0 ? 6.0 : 500.0;
        }
        struct composite_norm posts = {.kind = COMPOSITE_NORM_GOALPOSTS,
                                       .cap = true,
                                       .goal_low = low,
                                       .goal_high = high},
                              other = posts;
        double higher[12];
        for (size_t i = 0; i < 12; i++) higher[i] = 1.3 * high[i];
        other.goal_high = higher;
        struct story w = story_new(a, only, COMPOSITE_ARITHMETIC, &posts);
        struct rng g = rng_new(92, only);
        if (only == CHANGE_INDICATORS)
            for (size_t i = 0; i < 12 * 30; i++) w.after.value[i] *= 0.8 + 0.5 * rng_unit(&g);
        if (only == CHANGE_DENOMINATORS)
            for (size_t j = 0; j < 30; j++) w.after.denominator[j] *= 1.1;
        if (only == CHANGE_NORMALISATION) w.s1.normalise.norm = &other;
        if (only == CHANGE_WEIGHTS) w.after.weight[0] *= 3;
        struct change_result c;
        assert_true(worst_change(a, &w, NULL, &c) <= 1e-12);
        for (size_t f = 0; f < CHANGE_FACTORS; f++) {
            double most = largest(c.part[f], 30);
            assert_true(f == only ? most > 1e-4 : most < 1e-14);
        }
        arena_free(a);
    }
}

/* Ranks compare the areas with each other: no yardstick. */
static void ranks_have_no_yardstick(void **state) {
    (void)state;
    struct arena *a = test_arena();
    static const struct composite_norm ranks = {.kind = COMPOSITE_NORM_RANK};
    struct story w = story_new(a, 0, COMPOSITE_ARITHMETIC, &ranks);
    struct change_side side = {&w.before.data, &w.before.tree, &w.s0};
    struct change_result c;
    struct err err = {0};
    assert_int_equal(change_decompose(&side, &side, NULL, NULL, a, &c, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "i1"));
    arena_free(a);
}

/* ---- what if ---- */

struct bench {
    struct composite_plan plan;
    struct composite_layer layer;
    double *scratch, *node;
    uint32_t *rank, *base;
    struct composite_result r;
};

static struct bench bench_new(struct arena *a, const struct frame *f,
                              const struct composite_spec *s) {
    struct bench b;
    memset(&b, 0, sizeof b);
    b.r = run(a, f, s);
    assert_int_equal(composite_plan_init(&b.plan, &f->tree, b.r.stage[COMPOSITE_TREATED],
                                         f->data.n_area, f->data.area, NULL, NULL, a, NULL),
                     ERR_OK);
    assert_int_equal(composite_layer_init(&b.layer, &b.plan, &s->normalise, true, a, NULL), ERR_OK);
    b.scratch = ARENA_NEW(a, double, composite_scratch(&b.plan));
    b.node = ARENA_NEW(a, double, f->tree.n_node * f->data.n_area);
    b.rank = ARENA_NEW(a, uint32_t, f->data.n_area);
    return b;
}

static void what_if_moves_ranks(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct rng g = rng_new(93, 0);
    struct frame f = frame_new(a, &g, 15, 3, false, 60, false);
    struct composite_spec s = frame_spec(&min_max, COMPOSITE_ARITHMETIC, 0);
    struct bench b = bench_new(a, &f, &s);
    struct what_if none = {0};
    struct err err = {0};
    assert_int_equal(what_if_run(&b.plan, &b.layer, b.r.weight, &s.aggregate, &none, a, b.scratch,
                                 b.node, b.rank, &err),
                     ERR_OK);
    assert_memory_equal(b.rank, b.r.rank, 60 * sizeof *b.rank);
    /* Leaving an indicator out is the same as a framework without it. */
    uint32_t drop = 4;
    struct what_if without = {.n_drop = 1, .drop = &drop};
    assert_int_equal(what_if_run(&b.plan, &b.layer, b.r.weight, &s.aggregate, &without, a,
                                 b.scratch, b.node, b.rank, &err),
                     ERR_OK);
    double keep = f.weight[4];
    f.weight[4] = 0;
    struct composite_result r = run(a, &f, &s);
    f.weight[4] = keep;
    assert_memory_equal(b.rank, r.rank, 60 * sizeof *b.rank);
    struct what_if_shift shift = what_if_shift_of(b.r.rank, b.rank, 60);
    assert_true(shift.n == 60 && shift.n_moved > 0 && shift.mean > 0 && shift.most >= 1);
    /* Other means. */
    struct composite_spec geometric = frame_spec(&min_max, COMPOSITE_GEOMETRIC, 0);
    struct what_if other = {.aggregate = &geometric.aggregate};
    assert_int_equal(what_if_run(&b.plan, &b.layer, b.r.weight, &s.aggregate, &other, a, b.scratch,
                                 b.node, b.rank, &err),
                     ERR_OK);
    r = run(a, &f, &geometric);
    assert_memory_equal(b.rank, r.rank, 60 * sizeof *b.rank);
    /* Wrong wishes. */
    uint32_t all[3] = {15, 16, 17}, top = 18;
    double minus = -1;
    struct what_if empty = {.n_drop = 3, .drop = all}, index = {.n_drop = 1, .drop = &top},
                   negative = {.n_weight = 1, .node = &drop, .weight = &minus};
    double weight[19];
    assert_int_equal(what_if_weights(&f.tree, b.r.weight, &empty, weight, &err), ERR_INVALID);
    assert_int_equal(what_if_weights(&f.tree, b.r.weight, &index, weight, &err), ERR_INVALID);
    assert_int_equal(what_if_weights(&f.tree, b.r.weight, &negative, weight, &err), ERR_INVALID);
    arena_free(a);
}

/* An area that is ahead in an indicator does not lose ground on another when that indicator weighs
 * more. */
static void weights_are_monotone(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct rng g = rng_new(94, 0);
    struct frame f = frame_new(a, &g, 15, 3, true, 50, false);
    struct composite_spec s = frame_spec(&min_max, COMPOSITE_ARITHMETIC, 0);
    struct bench b = bench_new(a, &f, &s);
    const double *v = b.r.stage[COMPOSITE_NORMALISED],
                 *index = b.r.stage[COMPOSITE_AGGREGATED] + (f.tree.n_node - 1) * 50;
    for (uint32_t i = 0; i < 15; i++) {
        double more = b.r.weight[i] * 1.5;
        struct what_if w = {.n_weight = 1, .node = &i, .weight = &more};
        assert_int_equal(what_if_run(&b.plan, &b.layer, b.r.weight, &s.aggregate, &w, a, b.scratch,
                                     b.node, b.rank, NULL),
                         ERR_OK);
        const double *pillar = b.r.stage[COMPOSITE_AGGREGATED] + f.tree.parent[i] * 50;
        for (size_t x = 0; x < 50; x++) {
            for (size_t y = 0; y < 50; y++) {
                /* The pillar moves towards the indicator: x gains when it leads y by more there
                 * than in the pillar as a whole. */
                bool gains = v[i * 50 + x] - v[i * 50 + y] > pillar[x] - pillar[y];
                if (gains && index[x] > index[y]) assert_true(b.rank[x] < b.rank[y]);
            }
        }
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(contributions_add_to_the_score),
                                       cmocka_unit_test(differences_add_to_the_difference),
                                       cmocka_unit_test(changes_add_up),
                                       cmocka_unit_test(parts_are_of_what_changed),
                                       cmocka_unit_test(ranks_have_no_yardstick),
                                       cmocka_unit_test(what_if_moves_ranks),
                                       cmocka_unit_test(weights_are_monotone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
