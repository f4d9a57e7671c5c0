/* Which clusters are told, the scans built on scans, several points of a place, and what is
 * refused. */
#include "scan_oracle.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "num/scan/zones.h"

static struct scan_result run(const struct scan_data *data, struct scan_options options,
                              struct arena *a) {
    struct scan_result result;
    struct err err = {0};
    if (scan_run(data, &options, NULL, a, &result, &err) != ERR_OK) fail_msg("%s", err.detail);
    return result;
}

/* Two corners of a grid with more cases than their share. */
static void make_clusters(struct city *c, unsigned kind, uint64_t seed) {
    city_make(c, 36, kind, 200, seed);
    for (size_t p = 0; p < 36; p++) {
        size_t column = p % 6, line = p / 6;
        if (column < 2 && line < 3) c->cases[p].n += (uint32_t)(c->expected[p] * 1.2);
        if (column > 3 && line > 3) c->cases[p].n += (uint32_t)c->expected[p];
    }
}

/* The best window of each centre by brute force. */
struct candidate {
    struct oracle_found found;
    double radius;
    size_t center;
};

static int stronger(const void *a, const void *b) {
    const struct candidate *p = a, *q = b;
    if (fabs(p->found.llr - q->found.llr) > 1e-9) return p->found.llr > q->found.llr ? -1 : 1;
    if (p->found.n != q->found.n) return p->found.n < q->found.n ? -1 : 1;
    return p->center < q->center ? -1 : 1;
}

static size_t find_candidates(const struct city *c, const struct scan_options *o,
                              struct candidate *out) {
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct oracle q;
        struct scan_data data = c->data;
        data.grid = (struct scan_points){1, &c->x[i], &c->y[i]};
        oracle_init(&q, &data, o);
        oracle_scan(&q, NULL, &out[n].found);
        if (!(out[n].found.llr > 0)) continue;
        size_t last = out[n].found.place[out[n].found.n - 1];
        out[n].radius = oracle_distance(&q, c->x[i], c->y[i], c->x[last], c->y[last], 1, 0);
        out[n++].center = i;
    }
    qsort(out, n, sizeof *out, stronger);
    return n;
}

static bool same_places(const struct candidate *p, const struct candidate *q) {
    size_t common = 0;
    for (size_t i = 0; i < p->found.n; i++)
        for (size_t j = 0; j < q->found.n; j++) common += p->found.place[i] == q->found.place[j];
    return common == p->found.n && common == q->found.n;
}

static bool may_stand(const struct city *c, enum scan_overlap rule, const struct candidate *p,
                      const struct candidate *told) {
    struct oracle q = {.data = &c->data};
    double way = oracle_distance(&q, c->x[p->center], c->y[p->center], c->x[told->center],
                                 c->y[told->center], 1, 0);
    bool in_told = way <= told->radius + 1e-9, told_in = way <= p->radius + 1e-9;
    if (same_places(p, told)) return false;
    switch (rule) {
    case SCAN_NO_CENTER_IN_OTHER:
        return !in_told && !told_in;
    case SCAN_NO_CENTER_IN_MORE:
        return !in_told;
    case SCAN_NO_CENTER_IN_LESS:
        return !told_in;
    case SCAN_NO_PAIRS_IN_EACH:
        return !(in_told && told_in);
    case SCAN_ANY_OVERLAP:
        return true;
    case SCAN_ONLY_MOST_LIKELY:
        return false;
    case SCAN_NO_OVERLAP:
        break;
    }
    for (size_t i = 0; i < p->found.n; i++)
        for (size_t j = 0; j < told->found.n; j++)
            if (p->found.place[i] == told->found.place[j]) return false;
    return true;
}

static void check_rule(const struct city *c, enum scan_overlap rule) {
    static struct candidate candidate[ORACLE_MOST];
    struct arena *a = test_arena();
    struct scan_options o = {.rates = SCAN_HIGH, .overlap = rule};
    size_t n = find_candidates(c, &o, candidate), told[ORACLE_MOST], n_told = 0;
    for (size_t i = 0; i < n; i++) {
        bool stands = true;
        for (size_t k = 0; k < n_told; k++)
            stands = stands && may_stand(c, rule, &candidate[i], &candidate[told[k]]);
        if (stands) told[n_told++] = i;
    }
    struct scan_result r = run(&c->data, o, a);
    assert_int_equal(r.n_clusters, n_told);
    for (size_t k = 0; k < n_told; k++) {
        assert_int_equal(r.clusters[k].center, candidate[told[k]].center);
        assert_true(fabs(r.clusters[k].llr - candidate[told[k]].found.llr) < 1e-9);
        assert_true(fabs(r.clusters[k].radius - candidate[told[k]].radius) < 1e-6);
        assert_int_equal(r.clusters[k].n_places, candidate[told[k]].found.n);
    }
    arena_free(a);
}

static void rules_of_overlap_equal_brute_force(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++)
        for (int rule = SCAN_NO_OVERLAP; rule <= SCAN_ONLY_MOST_LIKELY; rule++) {
            struct city c;
            make_clusters(&c, seed % 2 == 0 ? CITY_RANDOM : CITY_SPHERE, seed);
            check_rule(&c, (enum scan_overlap)rule);
        }
}

/* A spatial window lasts the whole period, whatever slots the cases are told in. */
static void a_spatial_window_lasts_the_whole_period(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c;
    make_clusters(&c, CITY_RANDOM, 3);
    struct scan_options o = {.rates = SCAN_HIGH};
    struct scan_result one = run(&c.data, o, a);
    double expected[36 * 4];
    for (size_t p = 0; p < 36; p++) {
        for (size_t s = 0; s < 4; s++) expected[4 * p + s] = c.expected[p] / 4;
        c.cases[p].slot = p % 4;
    }
    c.data.n_slots = 4;
    c.data.expected = expected;
    struct scan_result four = run(&c.data, o, a);
    assert_int_equal(four.n_clusters, one.n_clusters);
    for (size_t k = 0; k < one.n_clusters; k++) {
        assert_true(fabs(four.clusters[k].llr - one.clusters[k].llr) < 1e-9);
        assert_int_equal(four.clusters[k].slot_first, 0);
        assert_int_equal(four.clusters[k].slot_last, 3);
    }
    arena_free(a);
}

static void at_most_as_many_clusters_as_asked(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c;
    make_clusters(&c, CITY_RANDOM, 3);
    struct scan_options o = {.rates = SCAN_BOTH, .overlap = SCAN_ANY_OVERLAP, .max_clusters = 3};
    assert_int_equal(run(&c.data, o, a).n_clusters, 3);
    arena_free(a);
}

static void the_iterative_scan_takes_the_strongest_out(void **state) {
    (void)state;
    struct arena *a = test_arena();
    for (unsigned kind = CITY_RANDOM; kind <= CITY_BERNOULLI; kind += CITY_BERNOULLI) {
        struct city c;
        make_clusters(&c, kind, 4);
        struct scan_options o = {
            .rates = SCAN_HIGH, .replicas = 99, .iterative = true, .iterate_p = 1};
        struct scan_result r = run(&c.data, o, a);
        assert_true(r.n_clusters >= 3);
        bool gone[ORACLE_MOST] = {false};
        for (size_t k = 0; k < 3; k++) {
            /* By hand: the places that are left, told as data of their own. */
            struct city rest = c;
            size_t n = 0;
            for (size_t p = 0; p < c.n; p++) {
                if (gone[p]) continue;
                rest.x[n] = c.x[p];
                rest.y[n] = c.y[p];
                rest.expected[n] = c.expected[p];
                rest.cases[n].n = c.cases[p].n;
                rest.controls[n++].n = c.controls[p].n;
            }
            rest.data.n_places = rest.data.n_cases = n;
            rest.data.n_controls = kind == CITY_BERNOULLI ? n : 0;
            rest.data.points = (struct scan_points){n, rest.x, rest.y};
            rest.data.cases = rest.cases;
            if (kind == CITY_BERNOULLI) rest.data.controls = rest.controls;
            if (kind == CITY_RANDOM) rest.data.expected = rest.expected;
            struct scan_result hand = run(&rest.data, (struct scan_options){.rates = SCAN_HIGH}, a);
            assert_true(fabs(hand.clusters[0].llr - r.clusters[k].llr) < 1e-9);
            assert_int_equal(hand.clusters[0].observed, r.clusters[k].observed);
            assert_int_equal(r.clusters[k].iteration, k + 1);
            for (size_t i = 0; i < r.clusters[k].n_places; i++) {
                assert_false(gone[r.clusters[k].places[i]]);
                gone[r.clusters[k].places[i]] = true;
            }
        }
        /* It ends with the first that is not significant. */
        o.iterate_p = 0.05;
        struct scan_result ends = run(&c.data, o, a);
        for (size_t k = 0; k + 1 < ends.n_clusters; k++)
            assert_true(ends.clusters[k].p_value <= 0.05);
        assert_true(ends.clusters[ends.n_clusters - 1].p_value > 0.05);
    }
    arena_free(a);
}

static void the_f_function_is_high_inside_and_low_outside(void **state) {
    (void)state;
    struct arena *a = test_arena();
    for (unsigned kind = CITY_RANDOM; kind <= CITY_BERNOULLI; kind += CITY_BERNOULLI) {
        struct city c;
        city_make(&c, 36, CITY_GRID | kind, 100, 5);
        for (size_t p = 0; p < 36; p++) {
            c.controls[p].n += 20;
            if (p % 6 < 2 && p / 6 < 2) c.cases[p].n += 40;
        }
        struct scan_options o = {.rates = SCAN_HIGH, .replicas = 99, .location_f = true};
        struct scan_result r = run(&c.data, o, a), again = run(&c.data, o, a);
        assert_non_null(r.location_f);
        for (size_t p = 0; p < 36; p++) {
            bool inside = p % 6 < 2 && p / 6 < 2;
            assert_true(r.location_f[p] >= 0 && r.location_f[p] <= 1 + 1e-9);
            if (inside) assert_true(r.location_f[p] > 0.9);
            if (p % 6 > 3) assert_true(r.location_f[p] < 0.05);
        }
        assert_memory_equal(r.location_f, again.location_f, 36 * sizeof(double));
        o.location_f = false;
        assert_null(run(&c.data, o, a).location_f);
    }
    arena_free(a);
}

static void a_place_of_several_points(void **state) {
    (void)state;
    struct arena *a = test_arena();
    /* Place 1 has a point near place 0 and one far away. */
    const double x[4] = {0, 1, 10, 3}, y[4] = {0, 0, 0, 0}, size[3] = {1, 1, 1};
    const uint32_t place_of[4] = {0, 1, 1, 2};
    struct scan_data data = {.model = SCAN_POISSON,
                             .n_places = 3,
                             .n_slots = 1,
                             .points = {4, x, y},
                             .place_of = place_of,
                             .expected = size};
    struct scan_options o = {.rates = SCAN_HIGH};
    struct scan_zones z;
    struct err err;
    assert_int_equal(scan_zones_build(&data, &o, size, 6, NULL, a, &z, &err), ERR_OK);
    assert_int_equal(z.n_lists, 4); /* each point is a centre */
    assert_int_equal(z.center[2], 1);
    const uint32_t one[3] = {0, 1, 2}, all[3] = {0, 2, 1};
    for (size_t i = 0; i < 3; i++) assert_int_equal(scan_zones_member(&z, i), one[i]);
    assert_true(scan_zones_radius(&data, &z, 0, 1) == 1);
    data.all_points = true;
    assert_int_equal(scan_zones_build(&data, &o, size, 6, NULL, a, &z, &err), ERR_OK);
    for (size_t i = 0; i < 3; i++) assert_int_equal(scan_zones_member(&z, i), all[i]);
    assert_true(scan_zones_radius(&data, &z, 0, 2) == 10);
    arena_free(a);
}

static void given_lists_are_taken_as_they_are(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const size_t first[4] = {0, 5, 6, 8};
    const uint32_t list[8] = {0, 0, 2, 0, 1, 1, 2, 0}; /* a place told twice counts once */
    const double expected[3] = {10, 10, 10};
    const struct scan_count cases[3] = {
        {.place = 0, .n = 20}, {.place = 1, .n = 2}, {.place = 2, .n = 18}};
    struct scan_data data = {.model = SCAN_POISSON,
                             .n_places = 3,
                             .n_slots = 1,
                             .metric = SCAN_LISTED,
                             .list_first = first,
                             .list_place = list,
                             .cases = cases,
                             .n_cases = 3,
                             .expected = expected};
    const double size[3] = {1, 1, 1};
    data.size = size;
    struct scan_result r = run(&data, (struct scan_options){.rates = SCAN_HIGH}, a);
    assert_int_equal(r.n_zones, 3); /* half of three places is one */
    assert_int_equal(r.clusters[0].center, 0);
    assert_true(r.clusters[0].radius == 0);
    const double four[3] = {1, 1, 2};
    data.size = four; /* 0, 1 and 2 alone are at most half; 0 and 1 are not neighbours */
    assert_int_equal(run(&data, (struct scan_options){.rates = SCAN_HIGH}, a).n_zones, 3);
    const double small[3] = {1, 5, 2};
    data.size = small;
    r = run(&data, (struct scan_options){.rates = SCAN_HIGH}, a);
    assert_int_equal(r.n_zones, 4); /* 0; 0 and 2; 2; 2 and 0 */
    assert_int_equal(r.clusters[0].n_places, 2);
    assert_int_equal(r.clusters[0].observed, 38);
    arena_free(a);
}

static void check_refused(const struct scan_data *data, struct scan_options options,
                          enum err_code code, const char *word) {
    struct arena *a = test_arena();
    struct scan_result result;
    struct err err = {0};
    assert_int_equal(scan_run(data, &options, NULL, a, &result, &err), code);
    if (strstr(err.detail, word) == NULL) fail_msg("\"%s\" lacks \"%s\"", err.detail, word);
    arena_free(a);
}

static void options_that_make_no_sense_are_refused(void **state) {
    (void)state;
    struct city c;
    const struct scan_options ok = {.rates = SCAN_HIGH};
    struct scan_options o = ok;
    city_make(&c, 10, CITY_RANDOM, 50, 1);
    check_refused(&c.data, (struct scan_options){0}, ERR_INVALID, "rates");
    o.max_size = 0.6;
    check_refused(&c.data, o, ERR_INVALID, "0.6");
    o.max_size = NAN;
    check_refused(&c.data, o, ERR_INVALID, "share");
    o = ok;
    o.max_radius = -1;
    check_refused(&c.data, o, ERR_INVALID, "radius");
    o = ok;
    o.iterative = o.location_f = true;
    check_refused(&c.data, o, ERR_INVALID, "F function");
    o = ok;
    o.replicas = 1000000;
    check_refused(&c.data, o, ERR_LIMIT, "replicas");
    struct scan_data long_study = c.data;
    long_study.n_slots = SCAN_MAX_SLOTS + 1;
    o = (struct scan_options){.analysis = SCAN_SPACE_TIME, .rates = SCAN_HIGH};
    check_refused(&long_study, o, ERR_LIMIT, "20001 slots; at most 20000");
    o.analysis = SCAN_TEMPORAL;
    check_refused(&long_study, o, ERR_LIMIT, "20001 slots; at most 20000");
    o = ok;
    o.shape = SCAN_FLEXIBLE;
    o.flexible_k = 21;
    check_refused(&c.data, o, ERR_INVALID, "20");
    o = ok;
    o.shape = SCAN_ELLIPSE;
    const double shape[1] = {1};
    const unsigned angles[1] = {4};
    o.ellipse_shape = shape;
    o.ellipse_angles = angles;
    o.n_ellipses = 1;
    check_refused(&c.data, o, ERR_INVALID, "ellipse 0");
    struct scan_data d = c.data;
    d.metric = SCAN_SPHERE;
    check_refused(&d, o, ERR_INVALID, "plane");
}

static void data_that_make_no_sense_are_refused(void **state) {
    (void)state;
    struct city c;
    const struct scan_options ok = {.rates = SCAN_HIGH};
    city_make(&c, 10, CITY_RANDOM, 50, 1);
    struct scan_data d = c.data;
    d.n_cases = 0;
    check_refused(&d, ok, ERR_INVALID, "no cases");
    d = c.data;
    d.expected = NULL;
    check_refused(&d, ok, ERR_INVALID, "expected");
    d = c.data;
    d.model = SCAN_PERMUTATION;
    check_refused(&d, ok, ERR_INVALID, "time");
    d = c.data;
    c.cases[2].place = 10;
    check_refused(&d, ok, ERR_INVALID, "row 2");
    c.cases[2].place = 2;
    c.x[4] = NAN;
    check_refused(&d, ok, ERR_INVALID, "point 4");
    c.x[4] = 400;
    d.metric = SCAN_SPHERE;
    check_refused(&d, ok, ERR_INVALID, "longitude");
    d = c.data;
    c.x[4] = 4;
    c.expected[3] = -1;
    check_refused(&d, ok, ERR_INVALID, "place 3");
    c.expected[3] = 0;
    c.cases[3].n = 1;
    check_refused(&d, ok, ERR_INVALID, "place 3");
    const struct scan_edge edge = {.from = 0, .to = 12, .length = 1};
    c.cases[3].n = 0;
    d.metric = SCAN_NETWORK;
    d.edges = &edge;
    d.n_edges = 1;
    check_refused(&d, ok, ERR_INVALID, "edge 0");
}

static bool stop_now(void *arg) {
    (void)arg;
    return true;
}

static void limits_and_stops_are_errors(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct city c;
    city_make(&c, 30, CITY_RANDOM, 100, 1);
    struct scan_result result;
    struct err err = {0};
    struct scan_options o = {.rates = SCAN_HIGH, .replicas = 10};
    struct num_run small = {.max_bytes = 100}, stopped = {.stop = stop_now};
    assert_int_equal(scan_run(&c.data, &o, &small, a, &result, &err), ERR_LIMIT);
    assert_non_null(strstr(err.detail, "GiB"));
    assert_int_equal(scan_run(&c.data, &o, &stopped, a, &result, &err), ERR_TIMEOUT);
    arena_free(a);
}

static void no_memory_is_an_error_at_any_point(void **state) {
    (void)state;
    struct city c;
    make_clusters(&c, CITY_RANDOM, 6);
    const double shape[1] = {2};
    const unsigned angles[1] = {2};
    struct scan_edge edges[40];
    for (uint32_t i = 0; i + 1 < 36; i++) edges[i] = (struct scan_edge){i, i + 1, 1};
    c.data.edges = edges;
    c.data.n_edges = 35;
    for (int kind = 0; kind < 4; kind++) {
        struct scan_options o = {.rates = SCAN_BOTH, .replicas = 3, .seed = 1};
        c.data.metric = kind == 2 ? SCAN_NETWORK : SCAN_PLANE;
        if (kind == 1) o.shape = SCAN_ELLIPSE;
        if (kind == 3) o.shape = SCAN_FLEXIBLE;
        o.flexible_k = 4;
        o.ellipse_shape = shape;
        o.ellipse_angles = angles;
        o.n_ellipses = 1;
        o.iterative = kind == 0;
        bool fired = true;
        for (long n = 0; fired; n++) {
            long before = mem_live();
            mem_fault_arm(n);
            struct arena *a = arena_new((size_t)64 << 20);
            struct scan_result result;
            struct err err = {0};
            enum err_code code =
                a != NULL ? scan_run(&c.data, &o, NULL, a, &result, &err) : ERR_NOMEM;
            arena_free(a);
            fired = mem_fault_disarm() != 0;
            assert_int_equal(mem_live(), before);
            assert_int_equal(code, fired ? ERR_NOMEM : ERR_OK);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_overlap_equal_brute_force),
        cmocka_unit_test(a_spatial_window_lasts_the_whole_period),
        cmocka_unit_test(at_most_as_many_clusters_as_asked),
        cmocka_unit_test(the_iterative_scan_takes_the_strongest_out),
        cmocka_unit_test(the_f_function_is_high_inside_and_low_outside),
        cmocka_unit_test(a_place_of_several_points),
        cmocka_unit_test(given_lists_are_taken_as_they_are),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(data_that_make_no_sense_are_refused),
        cmocka_unit_test(limits_and_stops_are_errors),
        cmocka_unit_test(no_memory_is_an_error_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
