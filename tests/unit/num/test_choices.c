/* Ranks under many choices: the batched sums against one evaluation at a time, threads, bands that
 * cover, and the shape of what COINr finds on its example. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "audit_frame.h"
#include "base/mem.h"
#include "base/pool.h"
#include "num/composite/choices.h"
#include "num/composite/correlation.h"
#include "num/composite/order.h"
#include "num/composite/rank_interval.h"
#include "num/composite/sobol.h"
#include "study/table/table.h"

static const struct composite_norm scales[] = {
    {.kind = COMPOSITE_NORM_MIN_MAX, .low = 1, .high = 100},
    {.kind = COMPOSITE_NORM_Z, .mean = 100, .sd = 10},
    {.kind = COMPOSITE_NORM_RANK}};

static const struct choice_space *space_new(struct arena *a, const struct frame *f,
                                            const struct composite_spec *base,
                                            const struct choices *c, const struct num_run *run) {
    const struct choice_space *s = NULL;
    struct err err = {0};
    enum err_code rc = choice_space_new(&f->data, &f->tree, base, c, NULL, 0, run, a, &s, &err);
    if (rc != ERR_OK) print_message("%s\n", err.detail);
    assert_int_equal(rc, ERR_OK);
    return s;
}

static void rank_draws(const struct choice_space *s, size_t n_draw, uint64_t seed,
                       const struct num_run *run, const struct choice_ranks *out) {
    struct choice_random random = {.seed = seed, .n_input = s->n_input};
    struct choice_points points = {.point = choice_random_point, .arg = &random, .seed = seed};
    struct err err = {0};
    enum err_code rc = choice_space_rank(s, n_draw, &points, run, out, &err);
    if (rc != ERR_OK) print_message("%s\n", err.detail);
    assert_int_equal(rc, ERR_OK);
}

/* A bundle of alternatives for all seven choices. */
struct options {
    struct composite_impute impute[2];
    struct composite_treat treat[2];
    struct composite_normalise normalise[3];
    struct composite_weighting weights[2];
    struct composite_aggregate aggregate[4];
    uint32_t drop[4];
    struct choices c;
};
static void options_init(struct options *o, size_t n_aggregate, enum choice_noise noise,
                         double amount) {
    memset(o, 0, sizeof *o);
    o->impute[0].kind = COMPOSITE_IMPUTE_MEAN;
    o->impute[1].kind = COMPOSITE_IMPUTE_GROUP_MEDIAN;
    o->treat[1] = (struct composite_treat){.first = COMPOSITE_TREAT_WINSORISE};
    for (size_t k = 0; k < 3; k++)
        o->normalise[k] = (struct composite_normalise){.n_norm = 1, .norm = &scales[k]};
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) {
        o->weights[1].level[k] = COMPOSITE_WEIGHT_EQUAL;
        o->aggregate[0].level[k].kind = COMPOSITE_ARITHMETIC;
        o->aggregate[1].level[k].kind = COMPOSITE_GEOMETRIC;
        o->aggregate[2].level[k].kind = COMPOSITE_HARMONIC;
        o->aggregate[3].level[k].kind = k % 2 == 0 ? COMPOSITE_ARITHMETIC : COMPOSITE_GEOMETRIC;
    }
    o->drop[0] = COMPOSITE_NONE;
    o->drop[1] = 2;
    o->drop[2] = 7;
    o->drop[3] = 12; /* a pillar */
    o->c = (struct choices){.n_impute = 2,
                            .n_treat = 2,
                            .n_normalise = 3,
                            .n_weights = 2,
                            .n_aggregate = n_aggregate,
                            .n_drop = 4,
                            .impute = o->impute,
                            .treat = o->treat,
                            .normalise = o->normalise,
                            .weights = o->weights,
                            .aggregate = o->aggregate,
                            .drop = o->drop,
                            .noise = noise,
                            .noise_amount = amount};
}

/* Each draw by composite_evaluate with the same weights. */
static void check_draws(const struct choice_space *s, size_t n_draw, uint64_t seed,
                        const uint16_t *rank, struct arena *a) {
    size_t n = s->n_column, n_node = s->tree->n_node, n_sums = 0;
    double *weight = ARENA_NEW(a, double, n_node), *node = ARENA_NEW(a, double, n_node *n);
    double *scratch = ARENA_NEW(a, double, composite_scratch(&s->plan[0]));
    uint32_t *want = ARENA_NEW(a, uint32_t, n);
    for (size_t k = 0; k < n_draw; k++) {
        struct choice_random random = {.seed = seed, .n_input = s->n_input};
        double u[CHOICE_KINDS];
        size_t of[CHOICE_KINDS] = {0};
        choice_random_point(&random, k, u);
        choice_space_weights(s, u, seed, weight);
        for (size_t i = 0; i < s->n_input; i++)
            if (s->input[i] != CHOICE_NOISE)
                of[s->input[i]] = (size_t)(u[i] * (double)s->n_of[s->input[i]]);
        size_t plan = of[CHOICE_IMPUTE] * s->n_of[CHOICE_TREAT] + of[CHOICE_TREAT];
        size_t layer = plan * s->n_of[CHOICE_NORMALISE] + of[CHOICE_NORMALISE];
        n_sums += s->packed[layer * s->n_of[CHOICE_AGGREGATE] + of[CHOICE_AGGREGATE]] != NULL;
        struct composite_draw d = {.layer = &s->layer[layer],
                                   .weight = weight,
                                   .aggregate = &s->aggregate[of[CHOICE_AGGREGATE]]};
        assert_int_equal(composite_evaluate(&s->plan[plan], &d, scratch, node, want, NULL), ERR_OK);
        const double *index = node + (n_node - s->tree->n_ind - 1) * n;
        for (size_t i = 0; i < n; i++) {
            if (want[i] == rank[k * n + i]) continue;
            /* Other orders of summing may tell equal scores apart: within a rounding of a tie. */
            size_t lo = 0, hi = 0;
            for (size_t j = 0; j < n; j++) {
                double far = 1e-11 * fabs(index[i]);
                lo += index[j] > index[i] + far;
                hi += index[j] >= index[i] - far;
            }
            assert_true(rank[k * n + i] > lo && rank[k * n + i] <= hi);
        }
    }
    /* All but the mixed means are plain sums. */
    if (s->n_of[CHOICE_AGGREGATE] == 3)
        assert_int_equal(n_sums, n_draw);
    else
        assert_true(n_sums > 0 && n_sums < n_draw);
}

static void sums_equal_evaluations(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < 4; trial++) {
        struct arena *a = test_arena();
        struct rng g = rng_new(41, trial);
        struct frame f = frame_new(a, &g, 11, 3, trial % 2 == 1, 33, true);
        struct composite_spec base = frame_spec(&scales[0], COMPOSITE_ARITHMETIC, 0);
        struct options o;
        base.impute.kind = COMPOSITE_IMPUTE_MEAN;
        options_init(&o, trial < 2 ? 3 : 4, trial == 0 ? CHOICE_DIRICHLET : CHOICE_UNIFORM,
                     trial == 0 ? 50.0 : 0.25);
        const struct choice_space *s = space_new(a, &f, &base, &o.c, NULL);
        assert_int_equal(s->n_input, 7);
        size_t n_draw = 400, n = s->n_column;
        uint16_t *rank = ARENA_NEW(a, uint16_t, n_draw * n);
        double *shift = ARENA_NEW(a, double, n_draw), *watched = ARENA_NEW(a, double, n_draw);
        size_t watch = 5;
        struct choice_ranks out = {
            .rank = rank, .shift = shift, .watch = &watch, .n_watch = 1, .watched = watched};
        rank_draws(s, n_draw, 6, NULL, &out);
        check_draws(s, n_draw, 6, rank, a);
        for (size_t k = 0; k < n_draw; k++) {
            double sum = 0;
            for (size_t i = 0; i < n; i++) sum += fabs((double)rank[k * n + i] - s->nominal[i]);
            assert_true(fabs(shift[k] - sum / (double)n) < 1e-12);
            assert_true(watched[k] == rank[k * n + 5]);
        }
        arena_free(a);
    }
}

/* Missing values without imputation: no plain sums, areas may fall out. */
static void gaps_are_evaluated(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct rng g = rng_new(42, 0);
    struct frame f = frame_new(a, &g, 11, 3, false, 33, true);
    for (size_t i = 0; i < 11; i++) f.value[i * 33 + 4] = NAN;
    struct composite_spec base = frame_spec(&scales[0], COMPOSITE_ARITHMETIC, 0);
    struct choices c = {.noise = CHOICE_UNIFORM, .noise_amount = 0.5};
    const struct choice_space *s = space_new(a, &f, &base, &c, NULL);
    assert_null(s->packed[0]);
    uint16_t rank[20 * 33];
    struct choice_ranks out = {.rank = rank};
    rank_draws(s, 20, 1, NULL, &out);
    assert_int_equal(s->nominal[4], 0);
    for (size_t k = 0; k < 20; k++) {
        uint32_t best = 0;
        assert_int_equal(rank[k * 33 + 4], 0);
        for (size_t i = 0; i < 33; i++) best += rank[k * 33 + i] == 1;
        assert_int_equal(best, 1);
    }
    arena_free(a);
}

static void same_bits_on_threads(void **state) {
    (void)state;
    enum { DRAWS = 700 };
    struct arena *a = test_arena();
    struct rng g = rng_new(43, 0);
    struct frame f = frame_new(a, &g, 20, 4, true, 90, false);
    struct composite_spec base = frame_spec(&scales[0], COMPOSITE_ARITHMETIC, 0);
    struct options o;
    options_init(&o, 4, CHOICE_UNIFORM, 0.3);
    uint16_t *rank[3];
    double *shift[3];
    for (size_t t = 0; t < 3; t++) {
        struct pool *pool;
        size_t n_threads = (size_t)1 << t;
        assert_int_equal(pool_new(n_threads, &pool, NULL), ERR_OK);
        struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = n_threads};
        const struct choice_space *s = space_new(a, &f, &base, &o.c, &run);
        rank[t] = ARENA_NEW(a, uint16_t, DRAWS * 90);
        shift[t] = ARENA_NEW(a, double, DRAWS);
        struct choice_ranks out = {.rank = rank[t], .shift = shift[t]};
        rank_draws(s, DRAWS, 2, &run, &out);
        assert_memory_equal(rank[0], rank[t], DRAWS * 90 * sizeof(uint16_t));
        assert_memory_equal(shift[0], shift[t], DRAWS * sizeof(double));
        /* Draw k is draw k however many there are. */
        struct choice_ranks few = {.rank = rank[t]};
        rank_draws(s, 100, 2, &run, &few);
        assert_memory_equal(rank[0], rank[t], 100 * 90 * sizeof(uint16_t));
        pool_free(pool);
    }
    arena_free(a);
}

static void wrong_choices_are_named(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct rng g = rng_new(44, 0);
    struct frame f = frame_new(a, &g, 12, 3, false, 30, false);
    struct composite_spec base = frame_spec(&scales[0], COMPOSITE_ARITHMETIC, 0);
    static const struct composite_norm z = {.kind = COMPOSITE_NORM_Z, .mean = 0, .sd = 1};
    struct options o;
    struct err err = {0};
    const struct choice_space *s;
    options_init(&o, 2, CHOICE_STILL, 0);
    o.normalise[1].norm = &z;
    /* Geometric means of z-scores of mean 0. */
    s = space_new(a, &f, &base, &o.c, NULL);
    uint16_t rank[30 * 100];
    struct choice_random random = {.seed = 1, .n_input = s->n_input};
    struct choice_points points = {.point = choice_random_point, .arg = &random};
    struct choice_ranks out = {.rank = rank};
    assert_int_equal(choice_space_rank(s, 100, &points, NULL, &out, &err), ERR_NUMERIC);
    assert_non_null(strstr(err.detail, "geometric"));
    o.c.noise = CHOICE_UNIFORM;
    o.c.noise_amount = 1.5;
    assert_int_equal(choice_space_new(&f.data, &f.tree, &base, &o.c, NULL, 0, NULL, a, &s, &err),
                     ERR_INVALID);
    o.c.noise_amount = 0.5;
    o.drop[1] = (uint32_t)(f.tree.n_node - 1);
    assert_int_equal(choice_space_new(&f.data, &f.tree, &base, &o.c, NULL, 0, NULL, a, &s, &err),
                     ERR_INVALID);
    arena_free(a);
}

/* Shaken weights: uniform within its amount and only on the levels asked for; Dirichlet with the
 * mean and the standard deviation that the contract states. */
static void noise_is_as_stated(void **state) {
    (void)state;
    enum { DRAWS = 20000, NODES_HERE = 16 };
    struct arena *a = test_arena();
    struct rng g = rng_new(46, 0);
    struct frame f = frame_new(a, &g, 12, 3, false, 12, false);
    struct composite_spec base = frame_spec(&scales[0], COMPOSITE_ARITHMETIC, 0);
    struct choices c = {.noise = CHOICE_UNIFORM, .noise_amount = 0.3, .noise_levels = 2};
    const struct choice_space *s = space_new(a, &f, &base, &c, NULL);
    double weight[NODES_HERE], sum[NODES_HERE] = {0}, square[NODES_HERE] = {0};
    for (size_t k = 0; k < 1000; k++) {
        double u = ((double)k + 0.5) / 1000;
        choice_space_weights(s, &u, 5, weight);
        for (size_t i = 0; i + 1 < NODES_HERE; i++) {
            double times = weight[i] / s->weight[0][i];
            assert_true(i < 12 ? times == 1.0 : times >= 0.7 - 1e-12 && times <= 1.3 + 1e-12);
        }
    }
    c.noise = CHOICE_DIRICHLET;
    c.noise_amount = 40;
    c.noise_levels = 0;
    for (size_t k = 0; k < DRAWS; k++) {
        double u = ((double)k + 0.5) / DRAWS;
        choice_space_weights(s, &u, 5, weight);
        for (size_t p = 12; p < 16; p++) {
            double all = 0;
            for (uint32_t j = f.tree.first[p]; j < f.tree.first[p + 1]; j++)
                all += weight[f.tree.child[j]];
            for (uint32_t j = f.tree.first[p]; j < f.tree.first[p + 1]; j++) {
                double w = weight[f.tree.child[j]] / all;
                sum[f.tree.child[j]] += w;
                square[f.tree.child[j]] += w * w;
            }
        }
    }
    for (size_t i = 0; i + 1 < NODES_HERE; i++) {
        uint32_t up = f.tree.parent[i];
        double all = 0;
        for (uint32_t j = f.tree.first[up]; j < f.tree.first[up + 1]; j++)
            all += f.weight[f.tree.child[j]];
        double w = f.weight[i] / all, sd = sqrt(w * (1 - w) / 41), mean = sum[i] / DRAWS;
        assert_true(fabs(mean - w) < 4 * sd / sqrt(DRAWS));
        /* The sd of a sample sd of 20,000 is about 0.5 %. */
        assert_true(fabs(sqrt(square[i] / DRAWS - mean * mean) / sd - 1) < 0.03);
    }
    arena_free(a);
}

static bool stop_now(void *arg) {
    (void)arg;
    return true;
}

/* Memory that runs out at any moment, and a caller that has had enough, end cleanly. */
static void faults_end_cleanly(void **state) {
    (void)state;
    long live = mem_live();
    bool fired = true;
    for (long k = 0; fired; k++) {
        struct arena *a = test_arena();
        struct rng g = rng_new(47, 0);
        struct frame f = frame_new(a, &g, 12, 3, false, 20, false);
        struct composite_spec base = frame_spec(&scales[0], COMPOSITE_ARITHMETIC, 0);
        struct choices c = {.noise = CHOICE_UNIFORM, .noise_amount = 0.3};
        const struct choice_space *s = space_new(a, &f, &base, &c, NULL);
        struct choice_random random = {.seed = 1, .n_input = s->n_input};
        struct choice_points points = {.point = choice_random_point, .arg = &random};
        uint16_t rank[50 * 20];
        uint32_t above[20 * 20];
        struct rank_interval band[20];
        struct choice_ranks out = {.rank = rank};
        mem_fault_arm(k);
        enum err_code rc = choice_space_rank(s, 50, &points, NULL, &out, NULL);
        if (rc == ERR_OK) rc = rank_intervals(rank, 50, 20, s->nominal, 0.9, NULL, band, NULL);
        if (rc == ERR_OK) rc = rank_dominance(rank, 50, 20, NULL, above, NULL);
        fired = mem_fault_disarm() != 0;
        assert_int_equal(rc, fired ? ERR_NOMEM : ERR_OK);
        struct num_run run = {.stop = stop_now};
        assert_int_equal(choice_space_rank(s, 50, &points, &run, &out, NULL), ERR_TIMEOUT);
        assert_int_equal(rank_dominance(rank, 50, 20, &run, above, NULL), ERR_TIMEOUT);
        arena_free(a);
        assert_true(k < 200);
    }
    assert_int_equal(mem_live(), live);
}

/* Known truth: the right weights are themselves a draw of +-25 % about the nominal ones. A band of
 * 90 % of the draws then holds an area's true rank in at least 90 % of the cases; by how much the
 * share may fall short by chance is told by its spread over 40 frameworks. */
static void bands_cover_the_truth(void **state) {
    (void)state;
    enum { WORLDS = 40, DRAWS = 1000, TRUTHS = 10, AREAS = 40 };
    double sum = 0, square = 0;
    for (uint64_t w = 0; w < WORLDS; w++) {
        struct arena *a = test_arena();
        struct rng g = rng_new(45, w);
        struct frame f = frame_new(a, &g, 12, 3, w % 2 == 1, AREAS, false);
        struct composite_spec base = frame_spec(&scales[0], COMPOSITE_ARITHMETIC, 0);
        struct choices c = {.noise = CHOICE_UNIFORM, .noise_amount = 0.25};
        const struct choice_space *s = space_new(a, &f, &base, &c, NULL);
        uint16_t *rank = ARENA_NEW(a, uint16_t, DRAWS * AREAS), truth[TRUTHS * AREAS];
        struct rank_interval band[AREAS];
        struct choice_ranks out = {.rank = rank}, of_truth = {.rank = truth};
        rank_draws(s, DRAWS, 100 + w, NULL, &out);
        rank_draws(s, TRUTHS, 90000 + w, NULL, &of_truth);
        assert_int_equal(rank_intervals(rank, DRAWS, AREAS, s->nominal, 0.9, NULL, band, NULL),
                         ERR_OK);
        double held = 0;
        for (size_t k = 0; k < TRUTHS * AREAS; k++)
            held += band[k % AREAS].low <= truth[k] && truth[k] <= band[k % AREAS].high;
        held /= TRUTHS * AREAS;
        sum += held;
        square += held * held;
        arena_free(a);
    }
    double mean = sum / WORLDS, se = sqrt((square / WORLDS - mean * mean) / (WORLDS - 1));
    printf("bands of 90 %% held the true rank in %.1f %% (se %.2f) of %d areas and truths\n",
           100 * mean, 100 * se, WORLDS * TRUTHS * AREAS);
    assert_true(mean >= 0.9 - 3 * se);
    /* And they say something: wide enough bands would hold anything. */
    assert_true(mean < 0.99 && se < 0.02);
}

/* ---- the shape of COINr's example ---- */

#define REF SOURCE_DIR "/../shared/data/reference/index/"
enum { COUNTRIES = 51, INDICATORS = 49, NODES = 60 };

struct asem {
    struct composite_tree tree;
    struct composite_data data;
    const struct table *ranks, *sobol;
};

static double number(const struct table *t, size_t row, const char *column) {
    size_t col;
    double v;
    assert_int_equal(table_column(t, column, true, &col, NULL), ERR_OK);
    assert_int_equal(table_number(t, row, col, false, &v, NULL), ERR_OK);
    return v;
}

static uint32_t node_of(const struct table *meta, const char *code) {
    for (size_t i = 0; i < meta->n_row; i++)
        if (strcmp(table_text(meta, i, 1), code) == 0) return (uint32_t)i;
    return COMPOSITE_NONE;
}

static bool asem_load(struct arena *a, struct asem *s) {
    const struct table *x, *meta;
    struct err err = {0};
    memset(s, 0, sizeof *s);
    if (table_load(a, REF "asem.imputed.expected.csv", 0, 1000, &x, &err) != ERR_OK ||
        table_load(a, REF "asem.meta.csv", 0, 1000, &meta, &err) != ERR_OK ||
        table_load(a, REF "asem.uncertainty_rankstats.mc.csv", 0, 1000, &s->ranks, &err) !=
            ERR_OK ||
        table_load(a, REF "asem.sobol_coinr.mc.csv", 0, 1000, &s->sobol, &err) != ERR_OK) {
        printf("skipped: %s\n", err.detail);
        return false;
    }
    const char **code = ARENA_NEW(a, const char *, NODES), **area = ARENA_NEW(a, const char *, 51);
    uint8_t *level = ARENA_NEW(a, uint8_t, NODES);
    uint32_t *parent = ARENA_NEW(a, uint32_t, NODES);
    int8_t *direction = ARENA_NEW(a, int8_t, INDICATORS);
    double *weight = ARENA_NEW(a, double, NODES);
    double *value = ARENA_NEW(a, double, INDICATORS *COUNTRIES);
    assert_int_equal(meta->n_row, NODES);
    for (size_t i = 0; i < NODES; i++) {
        code[i] = table_text(meta, i, 1);
        level[i] = (uint8_t)number(meta, i, "Level");
        parent[i] = node_of(meta, table_text(meta, i, 5));
        weight[i] = number(meta, i, "Weight");
        if (i >= INDICATORS) continue;
        direction[i] = (int8_t)number(meta, i, "Direction");
        for (size_t j = 0; j < COUNTRIES; j++) value[i * COUNTRIES + j] = number(x, j, code[i]);
    }
    for (size_t j = 0; j < COUNTRIES; j++) {
        area[j] = table_text(x, j, 0);
        assert_string_equal(area[j], table_text(s->ranks, j, 0));
    }
    s->tree = (struct composite_tree){.n_ind = INDICATORS,
                                      .n_node = NODES,
                                      .n_level = 4,
                                      .code = code,
                                      .level = level,
                                      .parent = parent,
                                      .direction = direction,
                                      .weight = weight};
    assert_int_equal(composite_tree_init(&s->tree, a, &err), ERR_OK);
    s->data = (struct composite_data){.n_area = COUNTRIES, .value = value, .area = area};
    return true;
}

static void planned_point(void *arg, size_t k, double *u) { sobol_plan_point(arg, k, u); }

/* Indices of the mean shift. The means decide most; COINr's rows stand in the order of our inputs.
 */
static void sobol_shape(struct arena *a, const struct choice_space *s, const struct table *want) {
    struct sobol_options opt = {.n = 1024, .d = s->n_input, .seed = 4, .bootstrap = 200};
    struct sobol_plan plan;
    assert_int_equal(sobol_plan_new(a, &opt, &plan, NULL), ERR_OK);
    double *shift = ARENA_NEW(a, double, plan.n_runs);
    struct choice_points points = {.point = planned_point, .arg = &plan, .seed = 4};
    struct choice_ranks of_runs = {.shift = shift};
    assert_int_equal(choice_space_rank(s, plan.n_runs, &points, NULL, &of_runs, NULL), ERR_OK);
    struct sobol_result sobol;
    assert_int_equal(sobol_estimate(a, &opt, shift, 1, NULL, &sobol, NULL), ERR_OK);
    size_t ours = 0, coinr = 0;
    for (size_t i = 0; i < s->n_input; i++) {
        ours = sobol.of[i].total > sobol.of[ours].total ? i : ours;
        coinr = number(want, i, "STi") > number(want, coinr, "STi") ? i : coinr;
    }
    assert_int_equal(ours, coinr);
    assert_int_equal(s->input[ours], CHOICE_AGGREGATE);
    for (size_t i = 0; i < s->n_input; i++)
        printf("COINr's example: %s first %.3f total %.3f\n", choice_name(s->input[i]),
               sobol.of[i].first, sobol.of[i].total);
}

/* COINr's choices: winsorising up to 1..5 points, min-max 1..100 or z-scores of mean 10 and sd 2,
 * weights of levels 2 and 3 times 1 +- 25 %, arithmetic or geometric means. */
static void shape_of_coinr(void **state) {
    (void)state;
    enum { DRAWS = 4000 };
    static const struct composite_norm norm[2] = {
        {.kind = COMPOSITE_NORM_MIN_MAX, .low = 1, .high = 100},
        {.kind = COMPOSITE_NORM_Z, .mean = 10, .sd = 2}};
    struct arena *a = test_arena();
    struct asem w;
    if (!asem_load(a, &w)) {
        arena_free(a);
        return;
    }
    struct frame f = {.tree = w.tree, .data = w.data};
    struct composite_spec base = frame_spec(&norm[0], COMPOSITE_ARITHMETIC, 0);
    base.denominate = false;
    base.treat = (struct composite_treat){.first = COMPOSITE_TREAT_WINSORISE,
                                          .second = COMPOSITE_TREAT_LOG_CT};
    struct options o;
    options_init(&o, 2, CHOICE_UNIFORM, 0.25);
    struct composite_treat treat[5];
    for (unsigned k = 0; k < 5; k++) {
        treat[k] = base.treat;
        treat[k].max_winsorised = k + 1;
    }
    for (size_t k = 0; k < 2; k++) o.normalise[k].norm = &norm[k];
    struct choices c = {.n_treat = 5,
                        .treat = treat,
                        .n_normalise = 2,
                        .normalise = o.normalise,
                        .n_aggregate = 2,
                        .aggregate = o.aggregate,
                        .noise = CHOICE_UNIFORM,
                        .noise_amount = 0.25,
                        .noise_levels = 2 | 4};
    const struct choice_space *s = space_new(a, &f, &base, &c, NULL);
    uint16_t *rank = ARENA_NEW(a, uint16_t, DRAWS * COUNTRIES);
    struct choice_ranks out = {.rank = rank};
    struct rank_interval band[COUNTRIES];
    rank_draws(s, DRAWS, 1, NULL, &out);
    assert_int_equal(rank_intervals(rank, DRAWS, COUNTRIES, s->nominal, 0.9, NULL, band, NULL),
                     ERR_OK);
    double median[COUNTRIES], theirs[COUNTRIES], work[8 * COUNTRIES], off = 0;
    size_t overlap = 0;
    for (size_t j = 0; j < COUNTRIES; j++) {
        assert_int_equal(s->nominal[j], (int)number(w.ranks, j, "Nominal"));
        median[j] = band[j].median;
        theirs[j] = number(w.ranks, j, "Median");
        off += fabs(band[j].mean - number(w.ranks, j, "Mean")) / COUNTRIES;
        overlap += band[j].low <= number(w.ranks, j, "Q95") + 1e-9 &&
                   band[j].high >= number(w.ranks, j, "Q5") - 1e-9;
    }
    double r = corr_pair(CORR_SPEARMAN, median, theirs, COUNTRIES, work).r;
    printf("COINr's example: nominal ranks equal; medians correlate %.4f; mean ranks differ by "
           "%.2f; %zu of 51 bands overlap\n",
           r, off, overlap);
    assert_true(r > 0.98 && off < 0.5 && overlap >= 49);
    sobol_shape(a, s, w.sobol);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_equal_evaluations), cmocka_unit_test(gaps_are_evaluated),
        cmocka_unit_test(same_bits_on_threads),   cmocka_unit_test(wrong_choices_are_named),
        cmocka_unit_test(noise_is_as_stated),     cmocka_unit_test(faults_end_cleanly),
        cmocka_unit_test(bands_cover_the_truth),  cmocka_unit_test(shape_of_coinr)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
