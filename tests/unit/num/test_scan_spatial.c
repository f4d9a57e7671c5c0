#include "scan_oracle.h"

#include <math.h>
#include <stdio.h>

#include "base/pool.h"
#include "base/rng.h"
#include "num/scan/spatial.h"

enum { REPLICAS = 70 };

static void same_set(const struct scan_cluster *c, const struct oracle_found *f) {
    assert_int_equal(c->n_places, f->n);
    for (size_t i = 0; i < f->n; i++) {
        bool there = false;
        for (size_t k = 0; k < c->n_places; k++) there = there || c->places[k] == f->place[i];
        assert_true(there);
    }
}

/* The draws of the null are the product's own; what is made of them is the oracle's. */
static void check_replicas(const struct oracle *o, const struct scan_result *result, uint64_t seed,
                           struct arena *a) {
    struct scan_draw draw;
    struct err err;
    size_t n = o->data->n_places;
    uint32_t persons[ORACLE_MOST], count[ORACLE_MOST];
    /* Rounded as kernel.h says: the table of draws feels the last bit. */
    double expected[ORACLE_MOST], step = 1, sum = 0;
    while (o->total / step < 0x1p51) step /= 2;
    for (size_t p = 0; p < n && o->data->model == SCAN_POISSON; p++) sum += o->data->expected[p];
    for (size_t p = 0; p < n; p++) {
        persons[p] = (uint32_t)o->persons[p];
        if (o->data->model == SCAN_POISSON)
            expected[p] = nearbyint(o->data->expected[p] * (o->total / sum) / step) * step;
    }
    if (o->data->model == SCAN_BERNOULLI)
        assert_int_equal(scan_draw_hypergeometric(persons, n, (uint32_t)o->total, a, &draw, &err),
                         ERR_OK);
    else
        assert_int_equal(scan_draw_multinomial(expected, n, (uint32_t)o->total, a, &draw, &err),
                         ERR_OK);
    uint64_t *taken = ARENA_NEW(a, uint64_t, draw.n_persons / 64 + 1);
    uint32_t *picked = ARENA_NEW(a, uint32_t, draw.n_persons / 2 + 1);
    for (uint32_t r = 0; r < result->replicas_run; r++) {
        struct rng rng = rng_new(seed, r);
        scan_draw_counts(&draw, &rng, taken, picked, count);
        double cases[ORACLE_MOST];
        for (size_t p = 0; p < n; p++) cases[p] = count[p];
        struct oracle_found f;
        oracle_scan(o, cases, &f);
        if (fabs(result->replica_max[r] - f.llr) > 1e-9 * f.llr + 1e-12)
            fail_msg("%zu places, model %d, rates %d, replica %u: found %.17g, expected %.17g (%g "
                     "of %g)",
                     n, (int)o->data->model, (int)o->options->rates, r, result->replica_max[r],
                     f.llr, f.observed, f.expected);
    }
}

static void check_scan(const struct scan_data *data, struct scan_options options) {
    struct arena *a = test_arena();
    struct oracle o;
    struct oracle_found f;
    struct scan_result result;
    struct err err = {0};
    if (options.replicas == 0) options.replicas = REPLICAS;
    options.seed = 5;
    oracle_init(&o, data, &options);
    oracle_scan(&o, NULL, &f);
    if (scan_run(data, &options, NULL, a, &result, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_int_equal(result.total_cases, (int64_t)o.total);
    if (options.shape != SCAN_FLEXIBLE) assert_int_equal(result.n_zones, f.n_zones);
    if (f.llr > 0) {
        assert_true(result.n_clusters > 0);
        const struct scan_cluster *c = &result.clusters[0];
        assert_true(fabs(c->llr - f.llr) <= 1e-9 * f.llr);
        assert_true(fabs(c->expected - f.expected) <= 1e-9 * f.expected);
        assert_int_equal(c->observed, (int64_t)f.observed);
        assert_int_equal(c->low, f.observed < f.expected);
        /* Sets that tie are told apart by the least places; the oracle keeps the first. */
        if (c->n_places == f.n && options.shape != SCAN_FLEXIBLE && !c->low) same_set(c, &f);
    } else {
        assert_int_equal(result.n_clusters, 0);
    }
    check_replicas(&o, &result, options.seed, a);
    arena_free(a);
}

static void all_models_and_rates_equal_the_oracle(void **state) {
    (void)state;
    const unsigned kinds[] = {
        CITY_RANDOM,           CITY_GRID,      CITY_ZEROS,
        CITY_SPHERE,           CITY_BERNOULLI, CITY_BERNOULLI | CITY_GRID | CITY_ZEROS,
        CITY_GRID | CITY_ZEROS};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (unsigned rates = SCAN_HIGH; rates <= SCAN_BOTH; rates++)
            for (size_t n = 3; n <= 40; n += 12) {
                struct city c;
                city_make(&c, n, kinds[k], 30 + 20 * n, 100 * k + n);
                check_scan(&c.data, (struct scan_options){.rates = (enum scan_rates)rates});
                /* Few cases: the bounds meet empty places and whole areas. */
                city_make(&c, n, kinds[k], 5, 900 * k + n);
                check_scan(&c.data, (struct scan_options){.rates = (enum scan_rates)rates});
            }
}

static void limits_equal_the_oracle(void **state) {
    (void)state;
    struct city c;
    city_make(&c, 40, CITY_RANDOM, 300, 4);
    check_scan(&c.data, (struct scan_options){.rates = SCAN_HIGH, .max_size = 0.1});
    check_scan(&c.data, (struct scan_options){.rates = SCAN_BOTH, .max_radius = 2.5});
    check_scan(&c.data, (struct scan_options){.rates = SCAN_HIGH, .min_cases = 9});
    double size[40];
    for (size_t i = 0; i < 40; i++) size[i] = i % 3 == 0 ? 0 : (double)i;
    c.data.size = size; /* windows may then expect more than half of the cases */
    check_scan(&c.data, (struct scan_options){.rates = SCAN_BOTH});
    city_make(&c, 40, CITY_SPHERE, 300, 4);
    check_scan(&c.data, (struct scan_options){.rates = SCAN_HIGH, .max_radius = 60});
}

static void a_grid_of_centres_equals_the_oracle(void **state) {
    (void)state;
    struct city c;
    city_make(&c, 30, CITY_RANDOM, 200, 8);
    const double gx[] = {1, 5, 5, 9, 30}, gy[] = {1, 5, 6, 2, 30};
    c.data.grid = (struct scan_points){5, gx, gy};
    check_scan(&c.data, (struct scan_options){.rates = SCAN_BOTH});
}

static void ellipses_equal_the_oracle(void **state) {
    (void)state;
    const double shape[] = {1.5, 3};
    const unsigned angles[] = {4, 5};
    struct city c;
    for (unsigned kind = CITY_RANDOM; kind <= CITY_BERNOULLI; kind += CITY_BERNOULLI) {
        city_make(&c, 30, kind, 250, 12);
        for (int penalty = 0; penalty <= 2; penalty++)
            check_scan(&c.data, (struct scan_options){.rates = SCAN_BOTH,
                                                      .shape = SCAN_ELLIPSE,
                                                      .ellipse_shape = shape,
                                                      .ellipse_angles = angles,
                                                      .n_ellipses = 2,
                                                      .ellipse_penalty = penalty / 2.0});
    }
}

/* Streets between places side by side; one place that no street reaches. */
static size_t make_streets(const struct city *c, struct scan_edge *edges) {
    size_t n = 0;
    for (uint32_t i = 0; i + 1 < c->n; i++) {
        if (i % 6 != 5 && i + 2 < c->n) edges[n++] = (struct scan_edge){i, i + 1, 1.0 + i % 3};
        if (i + 7 < c->n) edges[n++] = (struct scan_edge){i, i + 6, 1.0 + i % 2};
    }
    return n;
}

static void networks_equal_the_oracle(void **state) {
    (void)state;
    struct city c;
    struct scan_edge edges[200];
    city_make(&c, 32, CITY_GRID, 250, 13);
    c.data.metric = SCAN_NETWORK;
    c.data.edges = edges;
    c.data.n_edges = make_streets(&c, edges);
    check_scan(&c.data, (struct scan_options){.rates = SCAN_BOTH});
    check_scan(&c.data, (struct scan_options){.rates = SCAN_HIGH, .max_radius = 3});
}

static void flexible_windows_equal_the_oracle(void **state) {
    (void)state;
    struct city c;
    struct scan_edge edges[200];
    city_make(&c, 24, CITY_RANDOM, 250, 14);
    c.data.edges = edges;
    c.data.n_edges = make_streets(&c, edges);
    for (size_t k = 1; k <= 8; k += 3)
        check_scan(&c.data, (struct scan_options){
                                .rates = SCAN_BOTH, .shape = SCAN_FLEXIBLE, .flexible_k = k});
}

/* Batches of one kernel through every width of vectors and of counts. */
static void fill(struct spatial_batch *b, const struct spatial *k, size_t n_lanes, bool heavy) {
    *b = (struct spatial_batch){.k = k, .n_lanes = n_lanes, .heavy = heavy};
    size_t n = k->zones->n_places;
    b->row8 = calloc(n * LANES, 1);
    b->row32 = calloc(n * LANES, sizeof *b->row32);
    uint32_t *count = calloc(n, sizeof *count);
    assert_true(b->row8 != NULL && b->row32 != NULL && count != NULL);
    for (size_t l = 0; l < LANES; l++) {
        struct rng r = rng_new(3, l);
        scan_draw_counts(&k->draw, &r, NULL, NULL, count);
        for (size_t p = 0; p < n; p++) {
            assert_true(count[p] <= 31);
            b->row8[p * LANES + l] = (uint8_t)count[p];
            b->row32[p * LANES + l] = (int32_t)count[p];
        }
        spatial_raise(b, l, l < n_lanes ? 0.0 : 1e9);
    }
    free(count);
}

static void all_widths_give_the_same_bits(void **state) {
    (void)state;
    const struct spatial_lanes *tables[] = {&spatial_lanes_plain,
#ifdef __x86_64__
                                            &spatial_lanes_avx2, &spatial_lanes_avx512
#endif
    };
    bool runs[3] = {true, false, false};
#ifdef __x86_64__
    runs[1] = __builtin_cpu_supports("avx2") != 0;
    runs[2] = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
    struct city c;
    struct arena *a = test_arena();
    city_make(&c, 60, CITY_RANDOM, 400, 15);
    struct scan_options options = {.rates = SCAN_BOTH};
    struct oracle o;
    oracle_init(&o, &c.data, &options);
    struct scan_zones zones;
    struct err err;
    assert_int_equal(
        scan_zones_build(&c.data, &options, o.size, o.total_size, NULL, a, &zones, &err), ERR_OK);
    struct scan_kernel kernel;
    assert_int_equal(
        scan_spatial_kernel(&c.data, &options, &zones, o.expected, NULL, a, &kernel, &err), ERR_OK);
    double maxima[LANES];
    assert_int_equal(kernel.replicate(kernel.self, NULL, 3, 0, LANES, 0, maxima, &err), ERR_OK);
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        if (!runs[t]) printf("skipped: this processor lacks the vectors of table %zu\n", t);
        for (int width = 0; runs[t] && width < 3; width++) {
            struct spatial_batch b;
            fill(&b, kernel.self, LANES, width == 1);
            spatial_scan *scan[] = {tables[t]->light, tables[t]->heavy, tables[t]->wide};
            for (size_t list = 0; list < zones.n_lists; list++) scan[width](&b, list);
            assert_memory_equal(b.best, maxima, sizeof maxima);
            free(b.row8);
            free(b.row32);
        }
    }
    arena_free(a);
}

static void large_counts_equal_the_oracle(void **state) {
    (void)state;
    struct city c;
    /* A million, too, but few times: each case of each replica is drawn twice here. */
    for (size_t n_cases = 1000; n_cases <= 1000000; n_cases *= 10) {
        city_make(&c, 20, CITY_RANDOM, n_cases, 16);
        uint32_t replicas = n_cases < 100000 ? REPLICAS : n_cases < 1000000 ? 12 : 2;
        check_scan(&c.data, (struct scan_options){.rates = SCAN_BOTH, .replicas = replicas});
    }
    /* One place holds nearly everyone. */
    city_make(&c, 20, CITY_RANDOM, 400, 17);
    c.expected[3] = 10000;
    check_scan(&c.data, (struct scan_options){.rates = SCAN_BOTH});
}

/* The bound is never below the ratio. */
static void bounds_hold(void **state) {
    (void)state;
    struct rng r = rng_new(9, 9);
    size_t n_tight = 0;
    for (int i = 0; i < 200000; i++) {
        double cases = 2 + rng_below(&r, 400), persons = cases + 1 + rng_below(&r, 600);
        bool bernoulli = i % 2 == 1;
        struct spatial_model m = {.kind = bernoulli ? SCAN_BERNOULLI : SCAN_POISSON,
                                  .cases = cases,
                                  .persons = persons,
                                  .rate = bernoulli ? cases / persons : 1,
                                  .high = true,
                                  .low = true};
        double measure =
            bernoulli ? 1 + rng_below(&r, (uint32_t)persons - 1) : rng_unit(&r) * cases;
        double most = bernoulli ? fmin(cases, measure) : cases;
        double least = bernoulli ? fmax(0, measure - (persons - cases)) : 0;
        double c = least + rng_below(&r, (uint32_t)(most - least) + 1);
        double llr = spatial_llr(&m, c, measure), bound = spatial_bound(&m, c, measure);
        /* Near the expectation the ratio is what rounding leaves of two large terms. */
        if (bound < llr - 1e-10) fail_msg("bound %.17g, ratio %.17g", bound, llr);
        n_tight += bound < 1.25 * llr;
    }
    assert_true(n_tight > 20000); /* a bound of infinity would hold as well */
}

static void threads_give_the_same_bits(void **state) {
    (void)state;
    double maxima[3][300];
    struct city c;
    city_make(&c, 50, CITY_RANDOM, 500, 18);
    for (size_t t = 0; t < 3; t++) {
        struct arena *a = test_arena();
        struct err err;
        struct pool *pool;
        assert_int_equal(pool_new((size_t)1 << t, &pool, &err), ERR_OK);
        struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = (size_t)1 << t};
        struct scan_options options = {.rates = SCAN_BOTH, .replicas = 300, .seed = 2};
        struct scan_result result;
        assert_int_equal(scan_run(&c.data, &options, &run, a, &result, &err), ERR_OK);
        memcpy(maxima[t], result.replica_max, sizeof maxima[t]);
        pool_free(pool);
        arena_free(a);
    }
    assert_memory_equal(maxima[0], maxima[1], sizeof maxima[0]);
    assert_memory_equal(maxima[0], maxima[2], sizeof maxima[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_models_and_rates_equal_the_oracle),
        cmocka_unit_test(limits_equal_the_oracle),
        cmocka_unit_test(a_grid_of_centres_equals_the_oracle),
        cmocka_unit_test(ellipses_equal_the_oracle),
        cmocka_unit_test(networks_equal_the_oracle),
        cmocka_unit_test(flexible_windows_equal_the_oracle),
        cmocka_unit_test(all_widths_give_the_same_bits),
        cmocka_unit_test(large_counts_equal_the_oracle),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(threads_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
