/* Rank bands in simulation: true rates are drawn, counts from them, and the true ranks lie within
 * the bands as often as they say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "domain/measure/index_form.h"

enum { AREAS = 12, LEAVES = 3, CITIES = 120, DRAWS = 400 };

static const char *const leaf_names[] = {"crimes", "fires", "settled"};
static const char *const area_names[] = {"01", "02", "03", "04", "05", "06",
                                         "07", "08", "09", "10", "11", "12"};

struct city {
    struct arena *a;
    struct index_def d;
    struct indicator_def ind[LEAVES];
    struct index_node node[LEAVES + 1];
    struct grid_area store[AREAS];
    const struct grid_area *area[AREAS];
    struct area_view areas;
    struct composite_norm norm;
    struct composite_agg mean;
    double low[LEAVES], high[LEAVES], scale[LEAVES], weight[LEAVES + 1];
    struct indicator_value raw[LEAVES * AREAS];
    struct index_noise_of noise[LEAVES];
    double truth[LEAVES * AREAS];
};

static void must(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s", err_name(rc), err->detail);
}

static void make_definition(struct city *c) {
    static uint8_t level[] = {1, 1, 1, 2};
    static uint32_t parent[] = {3, 3, 3, COMPOSITE_NONE};
    static int8_t direction[] = {-1, -1, 1, 1};
    static const char *const code[] = {"crimes", "fires", "settled", "all"};
    struct err err = {0};
    for (size_t i = 0; i < LEAVES; i++) {
        c->ind[i] = (struct indicator_def){
            .name = leaf_names[i], .direction = direction[i], .per = i < 2 ? 1000 : 100};
        c->low[i] = 0;
        c->high[i] = i < 2 ? 20 : 100;
        c->scale[i] = 100;
        c->weight[i] = 1.0 / LEAVES;
        c->node[i] = (struct index_node){.name = leaf_names[i],
                                         .parent = LEAVES,
                                         .weight = c->weight[i],
                                         .indicator = &c->ind[i],
                                         .low = 0,
                                         .high = c->high[i],
                                         .treat = {.lambda = NAN}};
        c->noise[i].kind = i < 2 ? INDEX_NOISE_RATE : INDEX_NOISE_SHARE;
    }
    c->weight[LEAVES] = 1;
    c->node[LEAVES] = (struct index_node){.name = "all", .parent = -1, .weight = 1};
    c->mean = (struct composite_agg){.kind = COMPOSITE_ARITHMETIC, .by_weight = true};
    c->norm = (struct composite_norm){.kind = COMPOSITE_NORM_GOALPOSTS,
                                      .cap = true,
                                      .goal_low = c->low,
                                      .goal_high = c->high,
                                      .goal_scale = c->scale};
    c->d = (struct index_def){.node = c->node,
                              .n_leaves = LEAVES,
                              .n_nodes = LEAVES + 1,
                              .doubt_means = &c->mean,
                              .n_doubt_means = 1};
    c->d.spec.normalise = (struct composite_normalise){.n_norm = 1, .norm = &c->norm};
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) c->d.spec.aggregate.level[k] = c->mean;
    c->d.tree = (struct composite_tree){.n_ind = LEAVES,
                                        .n_node = LEAVES + 1,
                                        .n_level = 2,
                                        .code = code,
                                        .level = level,
                                        .parent = parent,
                                        .direction = direction,
                                        .weight = c->weight};
    must(composite_tree_init(&c->d.tree, c->a, &err), &err);
}

/* Places differ about as much as chance moves their counts. */
static void draw_city(struct city *c, struct rng *r) {
    for (size_t j = 0; j < AREAS; j++) {
        double base = 400 + 4000 * rng_unit(r), due = 10 + rng_below(r, 60), yes = 0;
        for (size_t i = 0; i < 2; i++) {
            double rate = 0.002 + 0.012 * rng_unit(r);
            double count = rng_poisson(r, rate * base);
            c->truth[i * AREAS + j] = rate * 1000;
            c->raw[i * AREAS + j] =
                (struct indicator_value){VALUE_OK, count / base * 1000, count, base};
        }
        double share = 0.3 + 0.65 * rng_unit(r);
        for (int k = 0; k < (int)due; k++) yes += rng_unit(r) < share;
        c->truth[2 * AREAS + j] = share * 100;
        c->raw[2 * AREAS + j] = (struct indicator_value){VALUE_OK, yes / due * 100, yes, due};
    }
}

static void form(struct city *c, const struct indicator_value *raw, size_t draws, uint64_t seed,
                 struct index_view *v) {
    struct err err = {0};
    struct index_ask ask = {.def = &c->d, .n_draws = draws, .seed = seed};
    *v = (struct index_view){
        .def = &c->d, .areas = &c->areas, .n = AREAS, .raw = raw, .noise = c->noise};
    must(index_score(v, &ask, c->a, &err), &err);
}

static void true_ranks(struct city *c, uint32_t rank[AREAS]) {
    struct indicator_value raw[LEAVES * AREAS];
    struct index_view v;
    for (size_t i = 0; i < LEAVES * AREAS; i++)
        raw[i] = (struct indicator_value){VALUE_OK, c->truth[i], c->truth[i], 1};
    form(c, raw, 0, 0, &v);
    memcpy(rank, v.rank, AREAS * sizeof *rank);
}

static struct city *new_city(void) {
    struct arena *a = arena_new(64u << 20);
    struct city *c = arena_alloc(a, 1, sizeof *c);
    c->a = a;
    for (size_t j = 0; j < AREAS; j++) {
        c->store[j] = (struct grid_area){.code = area_names[j]};
        c->area[j] = &c->store[j];
    }
    c->areas = (struct area_view){.n = AREAS, .area = c->area};
    make_definition(c);
    return c;
}

static void test_bands_cover(void **state) {
    size_t covered = 0, all = 0, width = 0, without = 0;
    struct rng r = rng_new(11, 2);
    (void)state;
    for (int k = 0; k < CITIES; k++) {
        struct city *c = new_city();
        struct index_view v;
        uint32_t truth[AREAS];
        draw_city(c, &r);
        true_ranks(c, truth);
        form(c, c->raw, DRAWS, (uint64_t)k, &v);
        for (size_t j = 0; j < AREAS; j++) {
            covered += truth[j] >= v.interval[j].low && truth[j] <= v.interval[j].high;
            width += (size_t)(v.interval[j].high - v.interval[j].low);
            all++;
        }
        /* Without chance in the counts the band is the rank itself, and mostly wrong. */
        for (size_t i = 0; i < LEAVES; i++) c->noise[i].kind = INDEX_NOISE_NONE;
        form(c, c->raw, DRAWS, (uint64_t)k, &v);
        for (size_t j = 0; j < AREAS; j++)
            without += truth[j] >= v.interval[j].low && truth[j] <= v.interval[j].high;
        arena_free(c->a);
    }
    double share = (double)covered / (double)all, bare = (double)without / (double)all;
    print_message("90 %% bands hold %.1f %% of the true ranks, %.1f ranks wide of %d; without the "
                  "chance in counts %.1f %%\n",
                  100 * share, (double)width / (double)all, AREAS, 100 * bare);
    assert_true(share > 0.87);
    assert_true(bare < 0.6);
    assert_true((double)width / (double)all < 0.8 * AREAS); /* it still says something */
}

/* More cases, narrower bands; the same seed, the same bands. */
static void test_more_cases_say_more(void **state) {
    struct rng r = rng_new(5, 1);
    double wide = 0, narrow = 0;
    (void)state;
    for (int k = 0; k < 20; k++) {
        struct city *c = new_city();
        struct index_view v, again;
        draw_city(c, &r);
        form(c, c->raw, DRAWS, 9, &v);
        form(c, c->raw, DRAWS, 9, &again);
        assert_memory_equal(v.interval, again.interval, AREAS * sizeof *v.interval);
        for (size_t j = 0; j < AREAS; j++) wide += v.interval[j].high - v.interval[j].low;
        for (size_t i = 0; i < LEAVES * AREAS; i++) {
            c->raw[i].numerator *= 400;
            c->raw[i].denominator *= 400;
        }
        form(c, c->raw, DRAWS, 9, &v);
        for (size_t j = 0; j < AREAS; j++) narrow += v.interval[j].high - v.interval[j].low;
        arena_free(c->a);
    }
    assert_true(narrow < wide / 5);
}

/* The interval of a value holds the true one as often as it says; whole points stay whole. */
static void test_values_cover(void **state) {
    size_t covered = 0, all = 0;
    double width = 0;
    struct rng r = rng_new(23, 4);
    (void)state;
    for (int k = 0; k < CITIES; k++) {
        struct city *c = new_city();
        struct indicator_value raw[LEAVES * AREAS];
        struct index_view v, truth;
        struct index_ask ask = {.def = &c->d, .seed = (uint64_t)k};
        draw_city(c, &r);
        for (size_t i = 0; i < LEAVES * AREAS; i++)
            raw[i] = (struct indicator_value){VALUE_OK, c->truth[i], c->truth[i], 1};
        form(c, raw, 0, 0, &truth);
        form(c, c->raw, 0, 0, &v);
        for (size_t j = 0; j < AREAS; j++) {
            double low = 0, high = 0, is = truth.value[LEAVES * AREAS + j];
            must(index_value_interval(&v, j, &ask, c->a, &low, &high, NULL), NULL);
            covered += is >= low && is <= high;
            width += high - low;
            all++;
        }
        unsigned char masked[(LEAVES + 1) * AREAS] = {0};
        double low = 0, high = 0;
        masked[LEAVES * AREAS] = 1;
        v.masked = masked;
        must(index_value_interval(&v, 0, &ask, c->a, &low, &high, NULL), NULL);
        assert_true(floor(low) == low && floor(high) == high && low < high);
        arena_free(c->a);
    }
    double share = (double)covered / (double)all;
    print_message("90 %% intervals hold %.1f %% of the true values, %.1f points wide\n",
                  100 * share, width / (double)all);
    assert_true(share > 0.86 && share < 0.96);
}

/* A count against the mean of the years before it: three years leave less open than one, about the
 * root of a third less, and the value itself lies in the middle. */
static void test_against_its_own_past(void **state) {
    double width[2] = {0};
    struct rng r = rng_new(3, 3);
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct city *c = new_city();
        struct index_view v;
        struct index_ask ask = {.def = &c->d, .seed = 7};
        double low = 0, high = 0;
        draw_city(c, &r);
        for (size_t i = 1; i < LEAVES; i++) c->noise[i].kind = INDEX_NOISE_NONE;
        c->noise[0] = (struct index_noise_of){INDEX_NOISE_AGAINST, k == 0 ? 1 : 3};
        c->ind[0].per = 10;
        for (size_t j = 0; j < AREAS; j++)
            c->raw[j] = (struct indicator_value){VALUE_OK, 10, 60, 60};
        form(c, c->raw, 0, 0, &v);
        must(index_value_interval(&v, 0, &ask, c->a, &low, &high, NULL), NULL);
        double is = v.value[LEAVES * AREAS];
        assert_true(is - low > 0.6 * (high - is) && high - is > 0.6 * (is - low));
        width[k] = high - low;
        arena_free(c->a);
    }
    assert_true(width[1] < 0.9 * width[0] && width[1] > 0.7 * width[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bands_cover),
        cmocka_unit_test(test_more_cases_say_more),
        cmocka_unit_test(test_values_cover),
        cmocka_unit_test(test_against_its_own_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
