/* One draw of choices of a composite index, many times: composite_evaluate with ranks.
 * usage: index INDICATORS AREAS DRAWS [GAPS]   processor time of one thread, JSON to stdout */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/rng.h"
#include "num/composite/composite.h"

enum { PILLARS = 8 };

static double cpu_s(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const struct err *err) {
    (void)fprintf(stderr, "%s\n", err->detail);
    abort();
}

/* Indicators in eight pillars under one index, all weights 1. */
static struct composite_tree framework(size_t m, struct arena *a) {
    size_t n = m + PILLARS + 1;
    const char **code = ARENA_NEW(a, const char *, n);
    uint8_t *level = ARENA_NEW(a, uint8_t, n);
    uint32_t *parent = ARENA_NEW(a, uint32_t, n);
    int8_t *direction = ARENA_NEW(a, int8_t, n);
    double *weight = ARENA_NEW(a, double, n);
    for (size_t i = 0; i < n; i++) {
        code[i] = "x";
        level[i] = i < m ? 1 : i + 1 < n ? 2 : 3;
        parent[i] = i < m       ? (uint32_t)(m + i % PILLARS)
                    : i + 1 < n ? (uint32_t)(n - 1)
                                : COMPOSITE_NONE;
        direction[i] = i % 3 == 0 ? -1 : 1;
        weight[i] = 1;
    }
    struct composite_tree t = {m, n, 3, code, level, parent, direction, weight, NULL, NULL};
    struct err err;
    if (composite_tree_init(&t, a, &err) != ERR_OK) die(&err);
    return t;
}

struct job {
    const struct composite_plan *p;
    struct composite_draw d;
    double *weight, *scratch, *node;
    uint32_t *rank;
    size_t draws;
};

/* Every draw has weights of its own, within a quarter of the nominal ones. */
static double seconds(struct job *j, double *check) {
    struct err err;
    struct rng r = rng_new(7, 0);
    size_t n = j->p->tree->n_node;
    double start = cpu_s();
    for (size_t k = 0; k < j->draws; k++) {
        for (size_t i = 0; i < n; i++) j->weight[i] = 0.75 + 0.5 * rng_unit(&r);
        if (composite_evaluate(j->p, &j->d, j->scratch, j->node, j->rank, &err) != ERR_OK)
            die(&err);
        *check += j->rank[k % j->p->n_area];
    }
    return cpu_s() - start;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    size_t m = strtoul(argv[1], NULL, 10), n = strtoul(argv[2], NULL, 10);
    size_t draws = strtoul(argv[3], NULL, 10);
    double gaps = argc > 4 ? strtod(argv[4], NULL) : 0, check = 0;
    struct arena *a = arena_new((size_t)4 << 30);
    struct composite_tree t = framework(m, a);
    double *v = ARENA_NEW(a, double, m *n);
    struct rng r = rng_new(1, 0);
    for (size_t k = 0; k < m * n; k++) v[k] = rng_unit(&r) < gaps ? NAN : 1 + 9 * rng_unit(&r);
    struct composite_plan p;
    struct composite_layer l;
    struct err err;
    const struct composite_norm norm = {.kind = COMPOSITE_NORM_MIN_MAX, .low = 1, .high = 100};
    const struct composite_normalise how = {1, &norm, NULL};
    if (composite_plan_init(&p, &t, v, n, NULL, NULL, NULL, a, &err) != ERR_OK ||
        composite_layer_init(&l, &p, &how, true, a, &err) != ERR_OK)
        die(&err);
    static const char *const kinds[] = {"arithmetic", "geometric", "harmonic",
                                        "normalise and arithmetic", "copeland"};
    struct composite_aggregate agg = {0};
    struct job j = {.p = &p,
                    .weight = ARENA_NEW(a, double, t.n_node),
                    .scratch = ARENA_NEW(a, double, composite_scratch(&p)),
                    .node = ARENA_NEW(a, double, (t.n_node - m) * n),
                    .rank = ARENA_NEW(a, uint32_t, n),
                    .draws = draws};
    j.d = (struct composite_draw){.layer = &l, .weight = j.weight, .aggregate = &agg};
    for (int k = 0; k < 5; k++) {
        for (size_t level = 0; level < COMPOSITE_MAX_LEVELS; level++)
            agg.level[level].kind = k < 3    ? (enum composite_agg_kind)k
                                    : k == 3 ? COMPOSITE_ARITHMETIC
                                             : COMPOSITE_COPELAND;
        if (k == 3) { /* the normalisation anew in every draw */
            j.d.layer = NULL;
            j.d.normalise = &how;
        }
        if (k == 4) { /* areas squared */
            j.d.layer = &l;
            j.draws = draws / 200 + 1;
        }
        double s = seconds(&j, &check);
        (void)printf("{\"indicators\":%zu,\"areas\":%zu,\"gaps\":%g,\"draws\":%zu,\"kind\":\"%s\","
                     "\"cpu_s\":%.4f,\"ms_a_draw\":%.4f,\"check\":%.0f}\n",
                     m, n, gaps, j.draws, kinds[k], s, 1e3 * s / (double)j.draws, check);
    }
    arena_free(a);
    return 0;
}
