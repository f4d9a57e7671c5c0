/* The audit of a large index, part by part: 123 indicators of 1,500 areas under 10,000 draws of the
 * choices. Prints CPU and wall seconds of each part. Arguments: threads, draws. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "num/composite/choices.h"
#include "num/composite/correlation.h"
#include "num/composite/rank_interval.h"
#include "num/composite/what_if.h"

enum { IND = 123, SECOND = 19, FIRST = 8, NODES = IND + SECOND + FIRST + 1, AREAS = 1500 };

struct clocks {
    double wall, cpu;
};
static struct clocks now(void) {
    struct timespec w, c;
    (void)clock_gettime(CLOCK_MONOTONIC, &w);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &c);
    return (struct clocks){(double)w.tv_sec + 1e-9 * (double)w.tv_nsec,
                           (double)c.tv_sec + 1e-9 * (double)c.tv_nsec};
}
static void tell(const char *what, struct clocks from) {
    struct clocks to = now();
    printf("%-52s wall %8.3f s, CPU %8.3f s\n", what, to.wall - from.wall, to.cpu - from.cpu);
}
static void must(enum err_code rc, const struct err *err) {
    if (rc == ERR_OK) return;
    (void)fprintf(stderr, "index_audit: %s\n", err->detail);
    _Exit(1);
}

static const char *code[NODES], *area[AREAS];
static uint8_t level[NODES];
static uint32_t parent[NODES];
static int8_t direction[IND];
static double weight[NODES], value[IND * AREAS];

static struct composite_tree make(struct arena *a, struct composite_data *data) {
    struct rng r = rng_new(1, 0);
    for (size_t i = 0; i < NODES; i++) {
        bool ind = i < IND, second = !ind && i < IND + SECOND;
        code[i] = arena_printf(a, "n%zu", i);
        level[i] = (uint8_t)(ind ? 1 : second ? 2 : i + 1 < NODES ? 3 : 4);
        parent[i] = (uint32_t)(ind             ? IND + i % SECOND
                               : second        ? IND + SECOND + i % FIRST
                               : i + 1 < NODES ? NODES - 1
                                               : COMPOSITE_NONE);
        weight[i] = 0.5 + rng_unit(&r);
    }
    for (size_t j = 0; j < AREAS; j++) {
        double factor = rng_normal(&r);
        area[j] = arena_printf(a, "a%zu", j);
        for (size_t i = 0; i < IND; i++) {
            direction[i] = i % 4 == 3 ? -1 : 1;
            value[i * AREAS + j] =
                exp(0.3 * (direction[i] * factor * 0.5 + rng_normal(&r))) * 100.0;
        }
    }
    struct composite_tree t = {.n_ind = IND,
                               .n_node = NODES,
                               .n_level = 4,
                               .code = code,
                               .level = level,
                               .parent = parent,
                               .direction = direction,
                               .weight = weight};
    struct err err = {0};
    must(composite_tree_init(&t, a, &err), &err);
    *data = (struct composite_data){.n_area = AREAS, .value = value, .area = area};
    return t;
}

static void what_if_bench(const struct choice_space *s, const struct composite_aggregate *base,
                          struct arena *a) {
    struct err err = {0};
    double *scratch = ARENA_NEW(a, double, composite_scratch(&s->plan[0]));
    double *node = ARENA_NEW(a, double, (size_t)NODES *AREAS);
    uint32_t *rank = ARENA_NEW(a, uint32_t, AREAS), changed = 7, drop = 20;
    double other = 2.0;
    struct what_if w = {
        .n_weight = 1, .node = &changed, .weight = &other, .n_drop = 1, .drop = &drop};
    struct clocks from = now();
    for (int k = 0; k < 100; k++)
        must(what_if_run(&s->plan[0], &s->layer[0], s->weight[0], base, &w, a, scratch, node, rank,
                         &err),
             &err);
    tell("what-if: 100 re-ranks with one evaluation each", from);
}

static size_t argument(int argc, char **argv, int k, size_t otherwise) {
    return argc > k ? (size_t)strtoull(argv[k], NULL, 10) : otherwise;
}

static void correlation_bench(const struct num_run *run) {
    struct err err = {0};
    struct corr *matrix = mem_new((size_t)IND * IND, sizeof *matrix);
    struct clocks from = now();
    must(corr_matrix(CORR_KENDALL, value, AREAS, IND, run, matrix, &err), &err);
    tell("Kendall's tau of all pairs of indicators", from);
    mem_free(matrix);
}

/* Ranks of all draws, bands and pairs. */
static void rank_bench(const struct choice_space *s, size_t draws, const struct num_run *run,
                       struct clocks all) {
    struct err err = {0};
    uint16_t *rank = mem_new(draws * AREAS, sizeof *rank);
    double *shift = mem_new(draws, sizeof *shift);
    struct rank_interval *band = mem_new(AREAS, sizeof *band);
    uint32_t *above = mem_new((size_t)AREAS * AREAS, sizeof *above);
    struct choice_random random = {.seed = 1, .n_input = s->n_input};
    struct choice_points points = {.point = choice_random_point, .arg = &random, .seed = 1};
    struct choice_ranks out = {.rank = rank, .shift = shift};
    struct clocks from = now();
    must(choice_space_rank(s, draws, &points, run, &out, &err), &err);
    tell("scores and ranks of all draws", from);
    from = now();
    must(rank_intervals(rank, draws, AREAS, s->nominal, 0.9, run, band, &err), &err);
    tell("bands of all areas", from);
    tell("together (ranks and intervals)", all);
    from = now();
    must(rank_dominance(rank, draws, AREAS, run, above, &err), &err);
    tell("all 1,124,250 pairs", from);
    uint64_t sum = 0;
    for (size_t i = 0; i < draws * AREAS; i++) sum = sum * 31 + rank[i];
    printf("check %016llx\n", (unsigned long long)sum);
    mem_free(rank);
    mem_free(shift);
    mem_free(band);
    mem_free(above);
}

int main(int argc, char **argv) {
    size_t threads = argument(argc, argv, 1, 2), draws = argument(argc, argv, 2, 10000);
    struct arena *a = arena_new((size_t)2 << 30);
    struct err err = {0};
    struct pool *pool;
    struct composite_data data;
    struct composite_tree tree = make(a, &data);
    must(pool_new(threads, &pool, &err), &err);
    struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = pool_threads(pool)};

    static const struct composite_norm norm[2] = {
        {.kind = COMPOSITE_NORM_MIN_MAX, .low = 1, .high = 100},
        {.kind = COMPOSITE_NORM_Z, .mean = 100, .sd = 10}};
    struct composite_normalise normalise[2] = {{.n_norm = 1, .norm = &norm[0]},
                                               {.n_norm = 1, .norm = &norm[1]}};
    struct composite_treat treat[2] = {{.first = COMPOSITE_TREAT_NONE},
                                       {.first = COMPOSITE_TREAT_WINSORISE}};
    struct composite_aggregate means[2];
    memset(means, 0, sizeof means);
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) means[1].level[k].kind = COMPOSITE_GEOMETRIC;
    static uint32_t drop[IND + 1];
    for (uint32_t i = 0; i < IND; i++) drop[i] = i;
    drop[IND] = COMPOSITE_NONE;
    struct choices c = {.n_treat = 2,
                        .treat = treat,
                        .n_normalise = 2,
                        .normalise = normalise,
                        .n_aggregate = 2,
                        .aggregate = means,
                        .n_drop = IND + 1,
                        .drop = drop,
                        .noise = CHOICE_UNIFORM,
                        .noise_amount = 0.25};
    struct composite_spec base = {.normalise = normalise[0]};
    const struct choice_space *s;
    printf("%d indicators, %d areas, %zu draws, %zu threads\n", IND, AREAS, draws,
           pool_threads(pool));
    struct clocks all = now(), from = all;
    must(choice_space_new(&data, &tree, &base, &c, NULL, 0, &run, a, &s, &err), &err);
    tell("alternatives (2 treatments x 2 scales x 2 means)", from);
    rank_bench(s, draws, &run, all);
    what_if_bench(s, &base.aggregate, a);
    correlation_bench(&run);
    pool_free(pool);
    arena_free(a);
    return 0;
}
