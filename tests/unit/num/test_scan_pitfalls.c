/* The known pitfalls of spatial scan statistics, one test each, and what must not change a
 * result. The numbers are those of the list the product was built against. */
#include "scan_oracle.h"

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "num/scan/expected.h"
#include "num/scan/llr.h"
#include "num/scan/zones.h"

static struct scan_result run(const struct scan_data *data, struct scan_options options,
                              struct arena *a) {
    struct scan_result result;
    struct err err = {0};
    if (scan_run(data, &options, NULL, a, &result, &err) != ERR_OK) fail_msg("%s", err.detail);
    return result;
}

/* 30 places; the nine in a corner have three times their share of cases. */
static void make_cluster(struct city *c) {
    city_make(c, 30, CITY_GRID, 150, 3);
    for (size_t p = 0; p < 30; p++)
        if (c->x[p] < 3 && c->y[p] < 3) c->cases[p].n += (uint32_t)(c->expected[p] * 1.5);
}

static void pitfall_1_every_replica_runs_and_the_way_to_p_is_named(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c;
    city_make(&c, 30, CITY_RANDOM, 150, 2); /* nothing to find: p is large */
    struct scan_options o = {.rates = SCAN_HIGH, .replicas = 999, .seed = 1};
    struct scan_result standard = run(&c.data, o, a);
    assert_int_equal(standard.p_mode, SCAN_P_STANDARD);
    assert_int_equal(standard.replicas_run, 999);
    assert_false(standard.stopped_early);
    const struct scan_cluster *top = &standard.clusters[0];
    assert_true(top->p_value > 0.1);

    o.p_mode = SCAN_P_SEQUENTIAL;
    struct scan_result early = run(&c.data, o, a);
    assert_int_equal(early.p_mode, SCAN_P_SEQUENTIAL);
    assert_true(early.stopped_early);
    /* 50 exceedances: the last replica is the 50th, and p = 50 / replicas. */
    assert_int_equal(early.clusters[0].rank_in, 51);
    assert_true(early.replica_max[early.replicas_run - 1] >= top->llr);
    assert_true(early.clusters[0].p_value == 50.0 / early.replicas_run);
    /* The replicas that ran are the same ones. */
    assert_memory_equal(early.replica_max, standard.replica_max,
                        early.replicas_run * sizeof(double));
    assert_true(fabs(early.clusters[0].p_value - top->p_value) < 0.2);

    o.p_mode = SCAN_P_GUMBEL;
    struct scan_result gumbel = run(&c.data, o, a);
    assert_int_equal(gumbel.p_mode, SCAN_P_GUMBEL);
    assert_true(gumbel.clusters[0].p_value == gumbel.clusters[0].p_gumbel);

    /* A Monte Carlo p is never below 1 / (R + 1), however strong the cluster; Gumbel's is. */
    make_cluster(&c);
    for (size_t p = 0; p < 30; p++) c.cases[p].n *= 20;
    o.p_mode = SCAN_P_STANDARD;
    struct scan_result strong = run(&c.data, o, a);
    assert_true(strong.clusters[0].p_value == 0.001);
    assert_true(strong.clusters[0].p_gumbel < 1e-9);
    o.p_mode = SCAN_P_SEQUENTIAL;
    assert_true(run(&c.data, o, a).clusters[0].p_value == 0.001);
    arena_free(a);
}

static void pitfall_2_every_cluster_is_held_against_the_maximum(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c;
    make_cluster(&c);
    struct scan_result r =
        run(&c.data, (struct scan_options){.rates = SCAN_BOTH, .replicas = 199, .seed = 4}, a);
    assert_true(r.n_clusters >= 3);
    for (size_t i = 0; i < r.n_clusters; i++) {
        uint32_t reached = 0;
        for (uint32_t k = 0; k < 199; k++) reached += r.replica_max[k] >= r.clusters[i].llr;
        assert_int_equal(r.clusters[i].rank_in, reached + 1);
        assert_true(r.clusters[i].p_value == (reached + 1) / 200.0);
        if (i > 0) assert_true(r.clusters[i].p_value >= r.clusters[i - 1].p_value);
    }
    /* Where there is nothing, the weak ones have p near 1, not the p of their own zone. */
    city_make(&c, 30, CITY_RANDOM, 150, 2);
    r = run(&c.data, (struct scan_options){.rates = SCAN_HIGH, .replicas = 199, .seed = 4}, a);
    assert_true(r.n_clusters >= 2 && r.clusters[r.n_clusters - 1].p_value > 0.9);
    arena_free(a);
}

static void pitfall_3_high_and_low_rates_have_their_own_maxima(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c;
    city_make(&c, 30, CITY_RANDOM, 150, 6);
    struct scan_options o = {.replicas = 128, .seed = 4};
    o.rates = SCAN_HIGH;
    struct scan_result high = run(&c.data, o, a);
    o.rates = SCAN_LOW;
    struct scan_result low = run(&c.data, o, a);
    o.rates = SCAN_BOTH;
    struct scan_result both = run(&c.data, o, a);
    int n_low = 0;
    for (uint32_t r = 0; r < 128; r++) {
        assert_true(both.replica_max[r] == fmax(high.replica_max[r], low.replica_max[r]));
        n_low += low.replica_max[r] > high.replica_max[r];
    }
    assert_true(n_low > 20 && n_low < 108);
    for (size_t i = 0; i < high.n_clusters; i++)
        assert_true((double)high.clusters[i].observed > high.clusters[i].expected &&
                    high.clusters[i].observed >= 2);
    for (size_t i = 0; i < low.n_clusters; i++)
        assert_true((double)low.clusters[i].observed < low.clusters[i].expected);
    /* One case alone is no cluster of high rates. */
    struct city one;
    city_make(&one, 10, CITY_RANDOM, 0, 6);
    one.cases[4].n = 1;
    o.rates = SCAN_HIGH;
    assert_int_equal(run(&one.data, o, a).n_clusters, 0);
    arena_free(a);
}

static void pitfall_4_the_largest_window_is_a_share_of_people(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c;
    city_make(&c, 10, CITY_RANDOM, 100, 7);
    for (size_t p = 0; p < 10; p++) c.expected[p] = 1;
    c.expected[0] = 91; /* half of the people live in one place */
    struct scan_zones z;
    struct err err;
    struct scan_options o = {.rates = SCAN_HIGH};
    assert_int_equal(scan_zones_build(&c.data, &o, c.expected, 100, NULL, a, &z, &err), ERR_OK);
    assert_int_equal(z.first[1] - z.first[0], 0); /* too large on its own */
    for (size_t list = 1; list < 10; list++)
        for (size_t i = z.first[list]; i < z.first[list + 1]; i++)
            assert_int_not_equal(scan_zones_member(&z, i), 0);
    /* Exactly the share is in. */
    for (size_t p = 0; p < 10; p++) c.expected[p] = 1;
    assert_int_equal(scan_zones_build(&c.data, &o, c.expected, 10, NULL, a, &z, &err), ERR_OK);
    for (size_t list = 0; list < 10; list++) assert_int_equal(z.first[list + 1] - z.first[list], 5);
    arena_free(a);
}

static void pitfall_5_relative_risk_is_against_the_rest(void **state) {
    (void)state;
    struct arena *a = test_arena();
    /* Torrance and neighbours: 576 of 1175 cases where 512.66 are expected: 1.24, not 1.12. */
    const double x[2] = {0, 1}, y[2] = {0, 0}, expected[2] = {512.66, 1175 - 512.66};
    const struct scan_count cases[2] = {{.place = 0, .n = 576}, {.place = 1, .n = 599}};
    struct scan_data data = {.model = SCAN_POISSON,
                             .n_places = 2,
                             .n_slots = 1,
                             .points = {2, x, y},
                             .cases = cases,
                             .n_cases = 2,
                             .expected = expected};
    struct scan_result r = run(&data, (struct scan_options){.rates = SCAN_HIGH}, a);
    assert_true(fabs(r.clusters[0].relative_risk - 1.2423) < 1e-3);
    assert_true(fabs(576 / r.clusters[0].expected - 1.1236) < 1e-3);
    /* Any scale of the expectation: it is brought to the total of cases. */
    const double other[2] = {512.66 * 17, (1175 - 512.66) * 17};
    data.expected = other;
    struct scan_result s = run(&data, (struct scan_options){.rates = SCAN_HIGH}, a);
    assert_true(fabs(s.clusters[0].expected - 512.66) < 1e-9);
    assert_true(fabs(s.clusters[0].llr - r.clusters[0].llr) < 1e-9);
    /* All cases inside: the rest has none. */
    const struct scan_count all[1] = {{.place = 0, .n = 9}};
    data.cases = all;
    data.n_cases = 1;
    assert_true(
        isinf(run(&data, (struct scan_options){.rates = SCAN_HIGH}, a).clusters[0].relative_risk));
    /* Indirect standardisation: two categories with their own rates, by hand. */
    const uint32_t place[3] = {0, 0, 1}, category[3] = {0, 1, 0};
    const double time[1] = {0}, population[3] = {100, 50, 300}, c[2] = {8, 5}, border[2] = {0, 1};
    const struct scan_strata strata = {2, 2, 3, place, category, 1, time, population, c, 1, border};
    double e[2];
    struct err err;
    assert_int_equal(scan_expected(&strata, a, e, NULL, NULL, &err), ERR_OK);
    assert_true(fabs(e[0] - (100 * 8.0 / 400 + 5)) < 1e-12 && fabs(e[1] - 6) < 1e-12);
    arena_free(a);
}

static void pitfall_7_ties_enter_one_by_one_smaller_coordinate_first(void **state) {
    (void)state;
    struct arena *a = test_arena();
    /* A cross around place 0, told in another order. */
    const double x[6] = {5, 6, 5, 4, 5, 9}, y[6] = {5, 5, 6, 5, 4, 9};
    const double size[6] = {1, 1, 1, 1, 1, 20};
    struct scan_data data = {
        .model = SCAN_POISSON, .n_places = 6, .n_slots = 1, .points = {6, x, y}, .expected = size};
    struct scan_options o = {.rates = SCAN_HIGH};
    struct scan_zones z;
    struct err err;
    assert_int_equal(scan_zones_build(&data, &o, size, 25, NULL, a, &z, &err), ERR_OK);
    const uint32_t order[5] = {0, 3, 4, 2, 1}; /* (4,5) (5,4) (5,6) (6,5) */
    assert_int_equal(z.first[1], 5);
    for (size_t i = 0; i < 5; i++) assert_int_equal(scan_zones_member(&z, i), order[i]);
    arena_free(a);
}

static void pitfall_7_places_without_people_make_no_windows(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c;
    city_make(&c, 20, CITY_RANDOM, 100, 9);
    struct scan_points grid = {20, c.x, c.y};
    c.data.grid = grid;
    struct scan_options o = {.rates = SCAN_BOTH};
    struct scan_result without = run(&c.data, o, a);
    /* Ten more places with nobody, the centres as before. */
    double x[30], y[30], expected[30];
    for (size_t p = 0; p < 30; p++) {
        x[p] = p < 20 ? c.x[p] : c.x[p - 20] + 0.01;
        y[p] = p < 20 ? c.y[p] : c.y[p - 20];
        expected[p] = p < 20 ? c.expected[p] : 0;
    }
    struct scan_data more = c.data;
    more.n_places = 30;
    more.points = (struct scan_points){30, x, y};
    more.expected = expected;
    struct scan_result with = run(&more, o, a);
    assert_int_equal(with.n_zones, without.n_zones);
    assert_int_equal(with.n_clusters, without.n_clusters);
    for (size_t i = 0; i < with.n_clusters; i++) {
        assert_true(with.clusters[i].llr == without.clusters[i].llr);
        assert_true(with.clusters[i].expected == without.clusters[i].expected);
    }
    /* A centre that has nobody begins with its first neighbour. */
    more.grid = (struct scan_points){0};
    struct scan_zones z;
    struct err err;
    double total = 0;
    for (size_t p = 0; p < 20; p++) total += expected[p];
    assert_int_equal(scan_zones_build(&more, &o, expected, total, NULL, a, &z, &err), ERR_OK);
    for (size_t list = 0; list < z.n_lists; list++) {
        size_t len = z.first[list + 1] - z.first[list];
        if (len == 0) continue;
        assert_true(expected[scan_zones_member(&z, z.first[list] + z.first_len[list] - 1)] > 0);
        assert_true(expected[scan_zones_member(&z, z.first[list + 1] - 1)] > 0);
    }
    arena_free(a);
}

static void pitfall_8_distances_are_spherical_and_double(void **state) {
    (void)state;
    struct arena *a = test_arena();
    /* At 60 degrees north a degree of longitude is half as long: place 1 is nearer than 2 on the
     * sphere, farther in degrees. Places 3 and 4 differ by 2 cm at 1,500 km: the same in single
     * precision. */
    const double x[5] = {10, 11.5, 10, 37.0000004, 37}, y[5] = {60, 60, 61, 60, 60};
    const double size[5] = {1, 1, 1, 1, 1};
    struct scan_data data = {.model = SCAN_POISSON,
                             .n_places = 5,
                             .n_slots = 1,
                             .metric = SCAN_SPHERE,
                             .points = {5, x, y},
                             .expected = size};
    struct scan_options o = {.rates = SCAN_HIGH};
    struct scan_zones z;
    struct err err;
    assert_int_equal(scan_zones_build(&data, &o, size, 20, NULL, a, &z, &err), ERR_OK);
    const uint32_t order[5] = {0, 1, 2, 4, 3};
    for (size_t i = 0; i < 5; i++) assert_int_equal(scan_zones_member(&z, i), order[i]);
    /* 1.5 degrees of longitude at 60 north, Earth of 6,367 km: haversine by hand. */
    assert_true(fabs(scan_zones_radius(&data, &z, 0, 1) - 83.3418) < 1e-3);
    /* The formula at its edges. */
    assert_true(scan_term(0, 5) == 0);
    assert_true(fabs(scan_llr_poisson(0, 2, 10) - 10 * log(10.0 / 8)) < 1e-12);
    assert_true(fabs(scan_llr_poisson(10, 2, 10) - 10 * log(5)) < 1e-12);
    assert_true(scan_llr_poisson(3, 0, 10) == 0 && scan_llr_poisson(3, 10, 10) == 0);
    assert_true(scan_llr_poisson(3, NAN, 10) == 0);
    assert_true(scan_llr_bernoulli(4, 4, 62, 203) > 4.8365159 &&
                scan_llr_bernoulli(4, 4, 62, 203) < 4.8365165);
    assert_true(scan_llr_bernoulli(0, 0, 5, 10) == 0 && scan_llr_bernoulli(5, 10, 5, 10) == 0);
    arena_free(a);
}

static void pitfall_9_the_same_places_are_told_once(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c;
    make_cluster(&c);
    struct scan_options o = {.rates = SCAN_BOTH, .overlap = SCAN_ANY_OVERLAP};
    struct scan_result any = run(&c.data, o, a);
    assert_true(any.n_clusters > 3);
    for (size_t i = 0; i < any.n_clusters; i++)
        for (size_t j = 0; j < i; j++) {
            const struct scan_cluster *p = &any.clusters[i], *q = &any.clusters[j];
            assert_true(q->llr >= p->llr);
            size_t common = 0;
            for (size_t k = 0; k < p->n_places; k++)
                for (size_t l = 0; l < q->n_places; l++) common += p->places[k] == q->places[l];
            assert_false(common == p->n_places && common == q->n_places);
        }
    o.overlap = SCAN_NO_OVERLAP;
    struct scan_result none = run(&c.data, o, a);
    bool taken[30] = {false};
    for (size_t i = 0; i < none.n_clusters; i++)
        for (size_t k = 0; k < none.clusters[i].n_places; k++) {
            assert_false(taken[none.clusters[i].places[k]]);
            taken[none.clusters[i].places[k]] = true;
        }
    assert_true(none.n_clusters < any.n_clusters);
    assert_true(none.clusters[0].llr == any.clusters[0].llr);
    arena_free(a);
}

static void another_order_of_places_gives_the_same_clusters(void **state) {
    (void)state;
    struct arena *a = test_arena();
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct city c, d;
        city_make(&c, 40, seed % 2 == 0 ? CITY_RANDOM : CITY_GRID | CITY_BERNOULLI, 200, seed);
        d = c;
        uint32_t to[40];
        struct rng r = rng_new(seed, 1);
        for (uint32_t p = 0; p < 40; p++) to[p] = p;
        for (uint32_t p = 0; p < 40; p++) {
            uint32_t q = p + rng_below(&r, 40 - p), t = to[p];
            to[p] = to[q];
            to[q] = t;
        }
        for (uint32_t p = 0; p < 40; p++) {
            d.x[to[p]] = c.x[p];
            d.y[to[p]] = c.y[p];
            d.expected[to[p]] = c.expected[p];
            d.cases[to[p]].n = c.cases[p].n;
            d.controls[to[p]].n = c.controls[p].n;
        }
        d.data.points = (struct scan_points){40, d.x, d.y};
        d.data.cases = d.cases;
        if (d.data.controls != NULL) d.data.controls = d.controls;
        if (d.data.expected != NULL) d.data.expected = d.expected;
        struct scan_options o = {.rates = SCAN_BOTH, .max_clusters = 1};
        struct scan_result p = run(&c.data, o, a), q = run(&d.data, o, a);
        assert_int_equal(p.n_zones, q.n_zones);
        assert_true(p.clusters[0].llr == q.clusters[0].llr);
        assert_int_equal(p.clusters[0].observed, q.clusters[0].observed);
        assert_int_equal(p.clusters[0].n_places, q.clusters[0].n_places);
        assert_true(p.clusters[0].expected == q.clusters[0].expected);
    }
    arena_free(a);
}

static void other_units_give_the_same_clusters(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c, d;
    city_make(&c, 40, CITY_RANDOM, 200, 5);
    d = c;
    for (size_t p = 0; p < 40; p++) { /* powers of two keep the bits */
        d.x[p] *= 1024;
        d.y[p] *= 1024;
        d.expected[p] *= 4096;
    }
    d.data.points = (struct scan_points){40, d.x, d.y};
    d.data.cases = d.cases;
    d.data.expected = d.expected;
    struct scan_options o = {.rates = SCAN_BOTH, .replicas = 64};
    struct scan_result p = run(&c.data, o, a), q = run(&d.data, o, a);
    assert_int_equal(p.n_clusters, q.n_clusters);
    assert_memory_equal(p.replica_max, q.replica_max, 64 * sizeof(double));
    for (size_t i = 0; i < p.n_clusters; i++) {
        assert_true(p.clusters[i].llr == q.clusters[i].llr);
        assert_true(p.clusters[i].radius * 1024 == q.clusters[i].radius);
        assert_int_equal(p.clusters[i].center, q.clusters[i].center);
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pitfall_1_every_replica_runs_and_the_way_to_p_is_named),
        cmocka_unit_test(pitfall_2_every_cluster_is_held_against_the_maximum),
        cmocka_unit_test(pitfall_3_high_and_low_rates_have_their_own_maxima),
        cmocka_unit_test(pitfall_4_the_largest_window_is_a_share_of_people),
        cmocka_unit_test(pitfall_5_relative_risk_is_against_the_rest),
        cmocka_unit_test(pitfall_7_ties_enter_one_by_one_smaller_coordinate_first),
        cmocka_unit_test(pitfall_7_places_without_people_make_no_windows),
        cmocka_unit_test(pitfall_8_distances_are_spherical_and_double),
        cmocka_unit_test(pitfall_9_the_same_places_are_told_once),
        cmocka_unit_test(another_order_of_places_gives_the_same_clusters),
        cmocka_unit_test(other_units_give_the_same_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
