/* Why an index moved: over random trees, formulas and data the parts add up to the change, and the
 * indicators' shares to the parts. Weights that the values give, treatments, means. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "domain/measure/index_change.h"

enum { AREAS = 7, MAX_GROUPS = 4, MAX_OF = 4 };

static const char *const leaf_names[] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                         "i", "j", "k", "l", "m", "n", "o", "p"};
static const char *const group_names[] = {"g1", "g2", "g3", "g4"};
static const char *const area_names[] = {"1", "2", "3", "4", "5", "6", "7"};

struct made {
    struct arena *a;
    struct index_def *d;
    struct indicator_def *ind; /* by leaf name */
    struct area_view areas;
    struct indicator_value *raw;
    struct index_view v;
};

static void must(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s", err_name(rc), err->detail);
}

static enum composite_agg_kind some_mean(struct rng *r) {
    static const enum composite_agg_kind kinds[] = {COMPOSITE_ARITHMETIC, COMPOSITE_ARITHMETIC,
                                                    COMPOSITE_GEOMETRIC, COMPOSITE_HARMONIC,
                                                    COMPOSITE_POWER};
    return kinds[rng_below(r, 5)];
}

static void some_treatment(struct rng *r, struct index_node *n) {
    n->treat = (struct index_treat){.lambda = NAN, .shift = 1};
    switch (rng_below(r, 5)) {
    case 0:
        n->treat.curve = INDEX_CURVE_LOG;
        break;
    case 1:
        n->treat.curve = INDEX_CURVE_BOX_COX;
        n->treat.lambda = rng_below(r, 2) == 0 ? NAN : 0.5;
        break;
    case 2:
        n->treat.winsorise = 2;
        break;
    default:
        break;
    }
}

/* A tree of groups over leaves taken from the names with gaps, so that two of them differ. */
static void make_nodes(struct made *m, struct rng *r) {
    struct index_def *d = m->d;
    struct index_node *node = arena_alloc(m->a, INDEX_MAX_NODES, sizeof *node);
    size_t groups = 1 + rng_below(r, MAX_GROUPS), first[MAX_GROUPS], n_of[MAX_GROUPS], n = 0;
    assert_non_null(node);
    for (size_t g = 0; g < groups; g++) {
        first[g] = n;
        n_of[g] = 0;
        for (size_t k = 0; k < MAX_OF; k++) {
            size_t name = g * MAX_OF + k;
            if (k > 0 && rng_below(r, 3) == 0) continue;
            node[n] = (struct index_node){.name = leaf_names[name],
                                          .parent = (int)g,
                                          .weight = 0.2 + rng_unit(r),
                                          .indicator = &m->ind[name],
                                          .low = 5 * rng_unit(r),
                                          .high = 20 + 80 * rng_unit(r)};
            some_treatment(r, &node[n]);
            n++;
            n_of[g]++;
        }
    }
    for (size_t i = 0; i < n; i++) node[i].parent += (int)n;
    d->n_leaves = n;
    for (size_t g = 0; g < groups; g++)
        node[n + g] = (struct index_node){.name = group_names[g],
                                          .parent = (int)(n + groups),
                                          .weight = 0.2 + rng_unit(r),
                                          .weigh = rng_below(r, 3) == 0
                                                       ? INDEX_WEIGH_ENTROPY + rng_below(r, 3)
                                                       : INDEX_WEIGH_GIVEN,
                                          .least = 0.5 / (double)n_of[g],
                                          .most = 1};
    node[n + groups] = (struct index_node){.name = "all", .parent = -1, .weight = 1};
    d->n_nodes = n + groups + 1;
    d->node = node;
    (void)first;
}

static void make_tree(struct made *m) {
    struct index_def *d = m->d;
    const char **code = arena_alloc(m->a, d->n_nodes, sizeof *code);
    uint8_t *level = arena_alloc(m->a, d->n_nodes, sizeof *level);
    uint32_t *parent = arena_alloc(m->a, d->n_nodes, sizeof *parent);
    int8_t *direction = arena_alloc(m->a, d->n_nodes, sizeof *direction);
    double *weight = arena_alloc(m->a, d->n_nodes, sizeof *weight);
    struct err err = {0};
    for (size_t i = 0; i < d->n_nodes; i++) {
        const struct index_node *x = &d->node[i];
        code[i] = x->name;
        level[i] = i < d->n_leaves ? 1 : i + 1 < d->n_nodes ? 2 : 3;
        parent[i] = x->parent < 0 ? COMPOSITE_NONE : (uint32_t)x->parent;
        direction[i] = (int8_t)(x->indicator == NULL ? 1 : x->indicator->direction);
        weight[i] = x->weight;
    }
    d->tree = (struct composite_tree){.n_ind = d->n_leaves,
                                      .n_node = d->n_nodes,
                                      .n_level = 3,
                                      .code = code,
                                      .level = level,
                                      .parent = parent,
                                      .direction = direction,
                                      .weight = weight};
    must(composite_tree_init(&d->tree, m->a, &err), &err);
}

static void make_spec(struct made *m, struct rng *r) {
    struct index_def *d = m->d;
    struct composite_norm *norm = arena_alloc(m->a, 1, sizeof *norm);
    double *low = arena_alloc(m->a, d->n_leaves, sizeof *low);
    double *high = arena_alloc(m->a, d->n_leaves, sizeof *high);
    double *scale = arena_alloc(m->a, d->n_leaves, sizeof *scale);
    for (size_t i = 0; i < d->n_leaves; i++) {
        low[i] = d->node[i].low;
        high[i] = d->node[i].high;
        scale[i] = 100;
    }
    *norm = (struct composite_norm){.kind = COMPOSITE_NORM_GOALPOSTS,
                                    .cap = true,
                                    .goal_low = low,
                                    .goal_high = high,
                                    .goal_scale = scale};
    d->spec.normalise = (struct composite_normalise){.n_norm = 1, .norm = norm};
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++)
        d->spec.aggregate.level[k] = (struct composite_agg){
            .kind = some_mean(r), .power = 0.5, .min_share = d->missing, .by_weight = true};
    struct composite_agg *means = arena_alloc(m->a, 1, sizeof *means);
    *means = d->spec.aggregate.level[0];
    d->doubt_means = means;
    d->n_doubt_means = 1;
    d->doubt_weights = 0.25;
}

static void make_data(struct made *m, struct rng *r) {
    struct index_def *d = m->d;
    m->raw = arena_alloc(m->a, d->n_leaves * AREAS, sizeof *m->raw);
    struct index_noise_of *noise = arena_alloc(m->a, d->n_leaves, sizeof *noise);
    assert_non_null(m->raw);
    for (size_t i = 0; i < d->n_leaves * AREAS; i++) {
        struct indicator_value *x = &m->raw[i];
        if (rng_below(r, 8) == 0) {
            *x = (struct indicator_value){VALUE_NO_DATA, NAN, NAN, NAN};
            continue;
        }
        double num = (double)rng_below(r, 400), den = 100 + (double)rng_below(r, 400);
        *x = (struct indicator_value){VALUE_OK, num / den * 50, num, den};
    }
    m->v = (struct index_view){
        .def = d, .areas = &m->areas, .n = AREAS, .raw = m->raw, .noise = noise};
}

static void make(struct made *m, struct rng *r, struct indicator_def *ind,
                 const struct grid_area *const *area) {
    struct err err = {0};
    struct index_ask ask = {0};
    m->a = arena_new(64u << 20);
    m->d = arena_alloc(m->a, 1, sizeof *m->d);
    m->ind = ind;
    m->areas = (struct area_view){.n = AREAS, .area = area};
    m->d->missing = rng_below(r, 2) == 0 ? 0 : 0.5;
    make_nodes(m, r);
    make_tree(m);
    make_spec(m, r);
    make_data(m, r);
    ask.def = m->d;
    must(index_score(&m->v, &ask, m->a, &err), &err);
}

static void check_change(const struct index_change *c, uint64_t seed, size_t area) {
    double parts =
        c->restatement + c->fell_out + c->came_in + c->indicator + c->denominator + c->formula;
    struct index_change_leaf sum = {0};
    for (size_t i = 0; i < c->n; i++) {
        sum.indicator += c->leaf[i].indicator;
        sum.denominator += c->leaf[i].denominator;
        sum.formula += c->leaf[i].formula;
        sum.entered += c->leaf[i].entered;
    }
    if (!(fabs(parts - (c->to - c->from)) < 1e-9) || !(fabs(sum.indicator - c->indicator) < 1e-9) ||
        !(fabs(sum.denominator - c->denominator) < 1e-9) ||
        !(fabs(sum.formula - c->formula) < 1e-9) ||
        !(fabs(sum.entered - c->came_in - c->fell_out) < 1e-9))
        fail_msg("seed %llu, area %zu: %.17g of %.17g; %.3g %.3g %.3g %.3g",
                 (unsigned long long)seed, area, parts, c->to - c->from,
                 sum.indicator - c->indicator, sum.denominator - c->denominator,
                 sum.formula - c->formula, sum.entered - c->came_in - c->fell_out);
}

static void fill_areas(struct grid_area *store, const struct grid_area **area) {
    for (size_t j = 0; j < AREAS; j++) {
        store[j] = (struct grid_area){.code = area_names[j]};
        area[j] = &store[j];
    }
}

static void fill_indicators(struct indicator_def *ind, struct rng *r) {
    static const enum indicator_measure kinds[] = {MEASURE_SHARE, MEASURE_RATIO, MEASURE_SHARE,
                                                   MEASURE_AGAINST};
    for (size_t i = 0; i < MAX_GROUPS * MAX_OF; i++)
        ind[i] = (struct indicator_def){.name = leaf_names[i],
                                        .measure = kinds[rng_below(r, 4)],
                                        .direction = rng_below(r, 2) == 0 ? 1 : -1,
                                        .per = 50};
}

static void test_parts_add_up(void **state) {
    struct grid_area store[AREAS];
    const struct grid_area *area[AREAS];
    size_t told = 0, entered = 0, reformed = 0;
    (void)state;
    fill_areas(store, area);
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct rng r = rng_new(seed, 4);
        struct indicator_def ind[MAX_GROUPS * MAX_OF];
        struct made was, now;
        struct err err = {0};
        fill_indicators(ind, &r);
        make(&was, &r, ind, area);
        make(&now, &r, ind, area);
        for (size_t j = 0; j < AREAS; j++) {
            struct index_change c;
            double published = rng_below(&r, 2) == 0 ? NAN : 100 * rng_unit(&r);
            must(index_change_of(&was.v, &now.v, j, published, now.a, &c, &err), &err);
            if (!c.told) continue;
            check_change(&c, seed, j);
            told++;
            entered += c.came_in != 0 || c.fell_out != 0;
            reformed += fabs(c.formula) > 1e-6;
        }
        arena_free(was.a);
        arena_free(now.a);
    }
    assert_true(told > 1000 && entered > 200 && reformed > 200);
}

/* The same formula: nothing of the change is its doing. Only residents grew: all of it is theirs,
 * where the rule splits; where it does not, the indicator's. */
static void test_who_gets_what(void **state) {
    struct grid_area store[AREAS];
    const struct grid_area *area[AREAS];
    (void)state;
    fill_areas(store, area);
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct rng r = rng_new(seed, 5), again = rng_new(seed, 5);
        struct indicator_def ind[MAX_GROUPS * MAX_OF];
        struct index_change c;
        struct made was, now;
        struct err err = {0};
        struct index_ask ask = {0};
        fill_indicators(ind, &r);
        fill_indicators(ind, &again);
        make(&was, &r, ind, area);
        make(&now, &again, ind, area);
        for (size_t i = 0; i < now.d->n_nodes; i++)
            ((struct index_node *)(uintptr_t)now.d->node)[i].weigh = INDEX_WEIGH_GIVEN;
        for (size_t i = 0; i < now.d->n_leaves; i++)
            ((struct index_node *)(uintptr_t)now.d->node)[i].treat =
                (struct index_treat){.lambda = NAN};
        memcpy((void *)(uintptr_t)was.d->node, now.d->node, now.d->n_nodes * sizeof *now.d->node);
        for (size_t i = 0; i < now.d->n_leaves * AREAS; i++) {
            if (now.raw[i].state != VALUE_OK) continue;
            now.raw[i].denominator *= 2;
            now.raw[i].value /= 2;
        }
        ask.def = was.d;
        must(index_score(&was.v, &ask, was.a, &err), &err);
        ask.def = now.d;
        must(index_score(&now.v, &ask, now.a, &err), &err);
        for (size_t j = 0; j < AREAS; j++) {
            must(index_change_of(&was.v, &now.v, j, NAN, now.a, &c, &err), &err);
            if (!c.told) continue;
            check_change(&c, seed, j);
            assert_true(c.restatement == 0 && c.came_in == 0 && c.fell_out == 0);
            assert_true(fabs(c.formula) < 1e-9);
            for (size_t i = 0; i < c.n; i++) {
                bool split = c.leaf[i].node->indicator->measure != MEASURE_SHARE;
                assert_true((split ? c.leaf[i].indicator : c.leaf[i].denominator) == 0);
            }
        }
        arena_free(was.a);
        arena_free(now.a);
    }
}

/* Weights that the values give sum to 1 below their group, and the same data gives the same bits.
 */
static void test_computed_weights(void **state) {
    struct grid_area store[AREAS];
    const struct grid_area *area[AREAS];
    size_t computed = 0, fell_back = 0;
    (void)state;
    fill_areas(store, area);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct indicator_def ind[MAX_GROUPS * MAX_OF];
        struct made one, two;
        unsigned char first[32], second[32];
        struct rng r = rng_new(seed, 6), s = rng_new(seed, 6);
        fill_indicators(ind, &r);
        make(&one, &r, ind, area);
        fill_indicators(ind, &s);
        make(&two, &s, ind, area);
        index_view_hash(&one.v, first);
        index_view_hash(&two.v, second);
        assert_memory_equal(first, second, 32);
        for (size_t p = one.d->n_leaves; p < one.d->n_nodes; p++) {
            double sum = 0;
            if (one.d->node[p].weigh <= INDEX_WEIGH_AHP) continue;
            if (one.v.fallback != NULL && one.v.fallback[p]) {
                fell_back++;
                continue;
            }
            for (size_t k = 0; k < one.d->n_nodes; k++)
                if (one.d->node[k].parent == (int)p) {
                    assert_true(one.v.tree.weight[k] >= 0);
                    sum += one.v.tree.weight[k];
                }
            computed++;
            assert_true(fabs(sum - 1) < 1e-9);
        }
        arena_free(one.a);
        arena_free(two.a);
    }
    assert_true(computed > 40 && fell_back > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_add_up),
        cmocka_unit_test(test_who_gets_what),
        cmocka_unit_test(test_computed_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
