/* Whole studies from files: expectation with covariates and census times, places that share a
 * position or have several, networks, neighbours, grids, times, and settings that do not go
 * together. */
#include "scan_fixture.h"

#include <math.h>

#include "base/civil.h"
#include "num/scan/expected.h"

static double expected_at(const struct bench *b, size_t place, size_t slot) {
    return b->study.data.expected[place * b->study.slots.n + slot];
}
static void close_to(double found, double wanted) {
    if (!(fabs(found - wanted) <= 1e-12 * fabs(wanted)))
        fail_msg("found %.17g, expected %.17g", found, wanted);
}

static const char *const two_places = "A 0 0\nB 1 0\n";

/* ---- expectation ---- */

/* Two age groups with rates 12/300 and 3/100 in the whole area. */
static void covariates_by_indirect_standardisation(void **state) {
    (void)state;
    struct bench b = bench_open();
    b.s.geo[0] = bench_file(&b, "g.geo", two_places);
    b.s.n_geo = 1;
    b.s.population = bench_file(&b, "p.pop",
                                "A unspecified 100 young\nA unspecified 70 old\n"
                                "B unspecified 200 young\nB unspecified 30 old\n");
    b.s.cases = bench_file(&b, "c.cas", "A 5 young\nA 1 old\nB 7 young\nB 2 old\n");
    bench_load(&b);
    close_to(expected_at(&b, 0, 0), 12.0 / 300 * 100 + 3.0 / 100 * 70);
    close_to(expected_at(&b, 1, 0), 12.0 / 300 * 200 + 3.0 / 100 * 30);
    close_to(expected_at(&b, 0, 0) + expected_at(&b, 1, 0), 15);
    close_to(b.study.population[0], 170);
    assert_int_equal(b.study.total_cases, 15);
    assert_int_equal(b.study.place_cases[0], 6);
    bench_close(&b);
}

static void person_time_by_hand(void **state) {
    (void)state;
    struct bench b = bench_open();
    b.s.geo[0] = bench_file(&b, "g.geo", two_places);
    b.s.n_geo = 1;
    b.s.options.analysis = SCAN_SPACE_TIME;
    b.s.unit = TIME_YEAR;
    b.s.start = "1999";
    b.s.end = "2002";
    b.s.population = bench_file(&b, "p.pop", "A 1999 100\nA 2001 300\nB 1999 200\nB 2001 200\n");
    b.s.cases = bench_file(&b, "c.cas", "A 3 1999\nB 4 2000\nA 2 2001\nB 1 2002\n");
    bench_load(&b);
    assert_int_equal(b.study.slots.n, 4);
    /* Days from 1 July 1999 to 1 July 2001: 731, with 29 February 2000 among them. */
    double rise = 200.0 / 731;
    double h1 = 184, y2000 = 366, h2 = 181; /* days of the parts */
    double a1999 = 181 * 100 + h1 * 100 + rise * h1 * h1 / 2;
    double a2000 = y2000 * (100 + rise * h1) + rise * y2000 * y2000 / 2;
    double a2001 = h2 * (100 + rise * (h1 + y2000)) + rise * h2 * h2 / 2 + 184 * 300;
    double a2002 = 365 * 300;
    double all = a1999 + a2000 + a2001 + a2002 + 200.0 * (365 + 366 + 365 + 365);
    close_to(expected_at(&b, 0, 0), 10 * a1999 / all);
    close_to(expected_at(&b, 0, 1), 10 * a2000 / all);
    close_to(expected_at(&b, 0, 2), 10 * a2001 / all);
    close_to(expected_at(&b, 0, 3), 10 * a2002 / all);
    close_to(expected_at(&b, 1, 1), 10 * 200.0 * 366 / all);
    close_to(b.study.population[1], 200);
    close_to(b.study.population[0], (a1999 + a2000 + a2001 + a2002) / 1461);
    bench_close(&b);
}

/* A date to the day holds at its beginning and its end. */
static void census_exact_to_the_day(void **state) {
    (void)state;
    struct bench b = bench_open();
    b.s.geo[0] = bench_file(&b, "g.geo", two_places);
    b.s.n_geo = 1;
    b.s.options.analysis = SCAN_SPACE_TIME;
    b.s.start = "2001/1/1";
    b.s.end = "2001/1/4";
    b.s.population =
        bench_file(&b, "p.pop", "A 2001/1/1 100\nA 2001/1/4 400\nB 2001/1/1 50\nB 2001/1/4 50\n");
    b.s.cases = bench_file(&b, "c.cas", "A 10 2001/1/1\nB 10 2001/1/2\n");
    bench_load(&b);
    /* A: flat on the 1st, rises over the 2nd and 3rd, flat on the 4th. */
    const double a[] = {100, 175, 325, 400};
    double all = 100 + 175 + 325 + 400 + 200;
    for (size_t t = 0; t < 4; t++) close_to(expected_at(&b, 0, t), 20 * a[t] / all);
    bench_close(&b);
}

static void line_integral(void **state) {
    (void)state;
    const double time[] = {0, 10, 20}, population[] = {0, 10, 0};
    close_to(scan_population_time(time, population, 3, 0, 20), 100);
    close_to(scan_population_time(time, population, 3, 5, 15), 75);
    close_to(scan_population_time(time, population, 1, -3, 4) + 1, 1);
    close_to(scan_population_time(time, population + 1, 1, -3, 4), 70);
    close_to(scan_population_time(time + 1, population + 1, 2, 0, 10), 100);
    close_to(scan_population_time(time, population, 2, 10, 30), 200);
}

static void expected_refuses(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const uint32_t zero[] = {0}, one[] = {1};
    const double time[] = {0, 1}, back[] = {1, 1}, people[] = {5, 5}, negative[] = {5, -1};
    const double cases[] = {3, 2}, border[] = {0, 1};
    double out[4];
    size_t bad = 0;
    struct err err;
    struct scan_strata good = {.n_places = 1,
                               .n_categories = 2,
                               .n_cells = 1,
                               .place = zero,
                               .category = zero,
                               .n_times = 2,
                               .time = time,
                               .population = people,
                               .cases = cases,
                               .n_slots = 1,
                               .slot_border = border};
    assert_int_equal(scan_expected(&good, a, out, NULL, &bad, &err), ERR_INVALID);
    assert_int_equal(bad, 1); /* the second category has cases and nobody */
    good.n_categories = 1;
    assert_int_equal(scan_expected(&good, a, out, NULL, &bad, &err), ERR_OK);
    close_to(out[0], 3);
    struct scan_strata s = good;
    s.time = back;
    assert_int_equal(scan_expected(&s, a, out, NULL, NULL, &err), ERR_INVALID);
    s = good;
    s.population = negative;
    assert_int_equal(scan_expected(&s, a, out, NULL, NULL, &err), ERR_INVALID);
    s = good;
    s.place = one;
    assert_int_equal(scan_expected(&s, a, out, NULL, NULL, &err), ERR_INVALID);
    s = good;
    s.slot_border = back;
    assert_int_equal(scan_expected(&s, a, out, NULL, NULL, &err), ERR_INVALID);
    s = good;
    s.cases = negative + 1;
    assert_int_equal(scan_expected(&s, a, out, NULL, NULL, &err), ERR_INVALID);
    s = good;
    s.n_slots = 0;
    assert_int_equal(scan_expected(&s, a, out, NULL, NULL, &err), ERR_INVALID);
    arena_free(a);
}

static void cases_without_population(void **state) {
    (void)state;
    struct bench b = bench_open();
    b.s.geo[0] = bench_file(&b, "g.geo", two_places);
    b.s.n_geo = 1;
    b.s.cases = bench_file(&b, "c.cas", "A 5\nB 2\n");
    b.s.population = bench_file(&b, "p.pop", "A unspecified 100\n");
    bench_refuses(&b, "place \"B\" has 2 cases, but no population (none expected)");
    b.s.population = bench_file(&b, "p.pop", "A unspecified 100 m\nB unspecified 0 f\n");
    b.s.cases = bench_file(&b, "c.cas", "A 5 m\nB 2 f\n");
    bench_refuses(&b, "covariate category \"f\" has 2 cases, but no population");
    b.s.population = bench_file(&b, "p.pop", "A 1990 100\nA 2000 100\n");
    b.s.cases = bench_file(&b, "c.cas", "A 5\n");
    const char *unknown =
        "the population has dates, and a purely spatial scan does not read those of the cases "
        "unless --precision is given, so the study period is not known: give it (--start and "
        "--end)";
    bench_refuses(&b, unknown);
    /* The cases have dates, but nothing asks for them: true all the same, and --precision helps. */
    b.s.geo[0] = bench_file(&b, "g.csv", "id,x,y\nA,0,0\nB,1,0\n");
    b.s.population = bench_file(&b, "p.csv", "id,date,population\nA,1990,90\nB,2000,80\n");
    b.s.cases = bench_file(&b, "c.csv", "id,cases,date\nA,5,1995-02-03\nB,2,1996-03-04\n");
    bench_refuses(&b, unknown);
    b.s.precision_given = true;
    b.s.precision = TIME_DAY;
    bench_load(&b);
    assert_int_equal(b.study.start, civil_days(1995, 2, 3));
    assert_int_equal(b.study.end, civil_days(1996, 3, 4));
    assert_int_equal(b.study.slots.n, 1);
    bench_close(&b);
}

/* One date far off: refused at once, and its row is named, whichever end it is. */
static void one_date_far_off(void **state) {
    (void)state;
    struct bench b = bench_open();
    const char *too_many = "which makes more than 20000 slots of time, and this one lies farthest "
                           "from the others: mend it, or give the study period (--start and "
                           "--end), or take longer slots (--unit, --length)";
    b.s.geo[0] = bench_file(&b, "g.csv", "id,x,y\nA,0,0\nB,1,0\nC,0,1\n");
    b.s.n_geo = 1;
    b.s.model = SCAN_PERMUTATION;
    b.s.options.analysis = SCAN_SPACE_TIME;
    b.s.cases = bench_file(&b, "c.csv", "id,cases,date\nA,5,2026-01-01\nB,2,2999-01-02\n");
    bench_refuses(&b, arena_printf(b.a,
                                   "c.csv:3: column date: the dates go from 2026-01-01 to "
                                   "2999-01-02, %s",
                                   too_many));
    b.s.cases = bench_file(&b, "c.cas", "A 5 2026/1/1\nC 1   1026/1/3\nB 2 2026/1/2\n");
    bench_refuses(&b, arena_printf(b.a, "c.cas:2:7: the dates go from 1026-01-03 to 2026-01-02, %s",
                                   too_many));
    /* A period that was asked for names no row. */
    b.s.cases = bench_file(&b, "d.cas", "A 5 2026/1/1\nB 2 2026/1/2\n");
    b.s.start = "1026/1/1";
    b.s.end = "2026/12/31";
    bench_refuses(&b, "the study period 1026-01-01 to 2026-12-31 has more than 20000 slots (length "
                      "in days: 1): look for a wrong date, or take longer slots (--unit, "
                      "--length)");
    b.s.unit_length = 20;
    bench_load(&b);
    assert_int_equal(b.study.slots.n, (civil_days(2027, 1, 1) - civil_days(1026, 1, 1) + 19) / 20);
    /* Time alone is no other case; controls have dates, too; purely spatial scans have one slot. */
    b.s.unit_length = 1;
    b.s.start = b.s.end = NULL;
    b.s.model = SCAN_BERNOULLI;
    b.s.options.analysis = SCAN_TEMPORAL;
    b.s.controls = bench_file(&b, "e.cas", "A 5 2026/1/1\nB 2 2926/1/2\nC 3 2026/1/5\n");
    bench_refuses(&b, arena_printf(b.a, "e.cas:2:5: the dates go from 2026-01-01 to 2926-01-02, %s",
                                   too_many));
    b.s.options.analysis = SCAN_SPATIAL;
    b.s.precision_given = true;
    b.s.precision = TIME_DAY;
    bench_load(&b);
    assert_int_equal(b.study.slots.n, 1);
    bench_close(&b);
}

/* ---- places ---- */

static void many_small_places(struct bench *b, const char *geo, const char *cas, const char *pop) {
    b->s.geo[0] = bench_file(b, "g.geo", geo);
    b->s.n_geo = 1;
    b->s.population = bench_file(b, "p.pop", pop);
    b->s.cases = bench_file(b, "c.cas", cas);
    b->s.options.replicas = 99;
}

/* Pitfall 7: ids that share a position are one place, and all of them are told. */
static void pitfall_7_shared_positions(void **state) {
    (void)state;
    struct bench b = bench_open();
    many_small_places(&b, "A 0 0\nB 5 0\nA2 0 0\nC 9 1\nA3 -0 0\n", "A 3\nA2 4\nA3 2\nB 1\nC 1\n",
                      "A unspecified 10\nA2 unspecified 10\nA3 unspecified 5\nB unspecified 100\n"
                      "C unspecified 100\n");
    bench_run(&b, 1);
    assert_int_equal(b.study.data.n_places, 3);
    assert_int_equal(b.study.n_ids, 5);
    assert_int_equal(b.study.place_cases[0], 9);
    const struct scan_cluster *c = &b.result.clusters[0];
    assert_int_equal(c->n_places, 1);
    assert_int_equal(c->observed, 9);
    assert_non_null(strstr(bench_json(&b), "\"locations\":[\"A\",\"A2\",\"A3\"]"));
    bench_close(&b);
}

/* Pitfall 7: places without anybody change nothing. */
static void pitfall_7_empty_places(void **state) {
    (void)state;
    struct bench b = bench_open(), d = bench_open();
    const char *cas = "A 9\nB 1\nC 2\n";
    many_small_places(&b, "A 0 0\nB 5 0\nC 9 1\n", cas,
                      "A unspecified 25\nB unspecified 100\nC unspecified 120\n");
    many_small_places(&d, "E 1 0\nA 0 0\nF 0.5 0\nB 5 0\nC 9 1\nG 4 1\n", cas,
                      "A unspecified 25\nE unspecified 0\nB unspecified 100\nC unspecified 120\n");
    bench_run(&b, 1);
    bench_run(&d, 1);
    assert_int_equal(b.result.n_clusters, d.result.n_clusters);
    for (size_t i = 0; i < b.result.n_clusters; i++) {
        assert_true(b.result.clusters[i].llr == d.result.clusters[i].llr);
        assert_int_equal(b.result.clusters[i].observed, d.result.clusters[i].observed);
        assert_true(scan_study_population(&d.study, &d.result.clusters[i]) > 0);
    }
    assert_int_equal(b.result.clusters[0].rank_in, d.result.clusters[0].rank_in);
    bench_close(&b);
    bench_close(&d);
}

static void one_id_at_two_positions(void **state) {
    (void)state;
    struct bench b = bench_open();
    many_small_places(&b, "A 0 0\nB 5 0\nA 0 0\nA 7 7\n", "A 9\nB 1\n",
                      "A unspecified 25\nB unspecified 100\n");
    bench_refuses(&b, "g.geo:4:1: id: expected each id at one position (it had another before), "
                      "found \"A\"");
    /* In two files it is a place with two positions. */
    b.s.geo[0] = bench_file(&b, "g.geo", "A 0 0\nB 5 0\nC 5 0\n");
    b.s.geo[1] = bench_file(&b, "h.geo", "A 6 0\nB 5 0\n");
    b.s.n_geo = 2;
    bench_load(&b);
    assert_int_equal(b.study.data.n_places, 2); /* B and C share theirs */
    assert_int_equal(b.study.data.points.n, 3);
    assert_non_null(b.study.data.place_of);
    assert_int_equal(b.study.data.place_of[1], 0);
    assert_string_equal(b.study.unverified, "several positions");
    bench_close(&b);
}

static void unknown_places(void **state) {
    (void)state;
    struct bench b = bench_open();
    many_small_places(&b, two_places, "A 9\nX 4\nB 1\n", "A unspecified 25\nB unspecified 100\n");
    bench_refuses(&b, "c.cas:2:1: id: expected a place of the coordinates file, found \"X\"");
    b.s.relaxed_places = true;
    bench_load(&b);
    assert_int_equal(b.study.left_out_places, 4);
    assert_int_equal(b.study.total_cases, 10);
    bench_close(&b);
}

static void network(void **state) {
    (void)state;
    struct bench b = bench_open();
    many_small_places(&b, "A 0 0\nB 3 4\nC 0 10\n", "A 9\nB 1\nC 2\n",
                      "A unspecified 25\nB unspecified 100\nC unspecified 100\n");
    b.s.edges = bench_file(&b, "e.csv", "from,to,length\nA,B,\nB,C,2.5\n");
    bench_load(&b);
    assert_int_equal(b.study.data.metric, SCAN_NETWORK);
    close_to(b.study.data.edges[0].length, 5); /* measured */
    close_to(b.study.data.edges[1].length, 2.5);
    assert_string_equal(b.study.unverified, "network distance");
    bench_run(&b, 1);
    /* Without coordinates, places are those of the edges, and every edge needs its length. */
    b.s.n_geo = 0;
    bench_refuses(&b, "the edge from \"A\" to \"B\" has no length, and there are no coordinates to "
                      "measure it");
    b.s.edges = bench_file(&b, "e.csv", "from,to,length\nA,B,1\nB,C,2.5\n");
    bench_run(&b, 1);
    assert_int_equal(b.study.data.n_places, 3);
    assert_false(b.study.has_places);
    bench_close(&b);
}

static void neighbors(void **state) {
    (void)state;
    struct bench b = bench_open();
    many_small_places(&b, "A 0 0\nB 3 4\nC 0 10\nA2 0 0\n", "A 9\nB 1\nC 2\n",
                      "A unspecified 25\nB unspecified 100\nC unspecified 100\n");
    b.s.neighbors = bench_file(&b, "n.nbr", "A A2 C\nB C A A2\n");
    bench_run(&b, 1);
    assert_int_equal(b.study.data.metric, SCAN_LISTED);
    const size_t first[] = {0, 2, 5, 6};
    const uint32_t list[] = {0, 2, 1, 2, 0, 2};
    for (size_t i = 0; i < 4; i++) assert_int_equal(b.study.data.list_first[i], first[i]);
    for (size_t i = 0; i < 6; i++) assert_int_equal(b.study.data.list_place[i], list[i]);
    bench_close(&b);
}

static void grid_of_centres(void **state) {
    (void)state;
    struct bench b = bench_open();
    many_small_places(&b, "A 0 0\nB 3 4\nC 0 10\n", "A 9\nB 1\nC 2\n",
                      "A unspecified 25\nB unspecified 100\nC unspecified 100\n");
    b.s.grid = bench_file(&b, "c.grd", "0.5 0\n9 9\n");
    bench_run(&b, 1);
    assert_int_equal(b.study.data.grid.n, 2);
    assert_non_null(strstr(bench_json(&b), "\"center\":{\"id\":null,\"x\":0.5,\"y\":0}"));
    b.s.grid = bench_file(&b, "c.grd", "0.5\n");
    bench_refuses(&b, "c.grd:1:4: y is missing: expected a number");
    bench_close(&b);
}

/* ---- times ---- */

static void generic_times(void **state) {
    (void)state;
    struct bench b = bench_open();
    b.s.geo[0] = bench_file(&b, "g.geo", two_places);
    b.s.n_geo = 1;
    b.s.model = SCAN_PERMUTATION;
    b.s.options.analysis = SCAN_SPACE_TIME;
    b.s.unit = TIME_GENERIC;
    b.s.options.replicas = 9;
    b.s.cases = bench_file(&b, "c.cas", "A 3 7\nB 4 12\nA 2 12\nB 1 -1\n");
    bench_run(&b, 1);
    assert_int_equal(b.study.start, -1);
    assert_int_equal(b.study.end, 12);
    assert_int_equal(b.study.slots.n, 14);
    assert_true(b.study.generic);
    assert_non_null(strstr(bench_json(&b), "\"start\":\"-1\",\"end\":\"12\""));
    bench_close(&b);
}

/* Pitfall 6: the permutation model expects c_place * c_time / C, so a place that has more cases
 * than the others all the time is no cluster, and one whose cases come at once is. There is no
 * relative risk, and the statistic is the Poisson form with that expectation. */
static void pitfall_6_permutation_keeps_both_margins(void **state) {
    (void)state;
    struct bench b = bench_open();
    struct buf text;
    buf_init(&text, 1 << 16);
    for (int day = 1; day <= 20; day++) /* A has nine of ten cases, every day */
        buf_printf(&text, "A 9 2001/1/%d\nB 1 2001/1/%d\n", day, day);
    b.s.geo[0] = bench_file(&b, "g.geo", "A 0 0\nB 9 0\nC 0 9\n");
    b.s.n_geo = 1;
    b.s.model = SCAN_PERMUTATION;
    b.s.options.analysis = SCAN_SPACE_TIME;
    b.s.options.replicas = 99;
    b.s.cases = bench_file(&b, "c.cas", buf_text(&text));
    bench_run(&b, 1);
    for (size_t i = 0; i < b.result.n_clusters; i++) assert_true(b.result.clusters[i].llr < 1e-12);
    buf_str(&text, "C 10 2001/1/7\n"); /* 210 cases, 20 on that day */
    b.s.cases = bench_file(&b, "c.cas", buf_text(&text));
    bench_run(&b, 1);
    const struct scan_cluster *c = &b.result.clusters[0];
    assert_int_equal(c->n_places, 1);
    assert_int_equal(c->places[0], 2);
    assert_true(c->slot_first == 6 && c->slot_last == 6);
    assert_int_equal(c->observed, 10);
    double e = 10.0 * 20 / 210;
    close_to(c->expected, e);
    assert_true(isnan(c->relative_risk));
    assert_true(fabs(c->llr - (10 * log(10 / e) + 200 * log(200 / (210 - e)))) < 1e-9);
    assert_int_equal(c->rank_in, 1);
    buf_deinit(&text);
    bench_close(&b);
}

static void time_alone(void **state) {
    (void)state;
    struct bench b = bench_open();
    b.s.options.analysis = SCAN_TEMPORAL;
    b.s.unit = TIME_MONTH;
    b.s.start = "2001-01";
    b.s.end = "2001-04";
    b.s.options.replicas = 9;
    b.s.cases =
        bench_file(&b, "c.csv", "id,date,cases\nx,2001-01,2\ny,2001-02-28,9\nx,2001-03,1\n");
    bench_run(&b, 1);
    assert_int_equal(b.study.data.n_places, 1);
    close_to(expected_at(&b, 0, 1), 28); /* days of February: any scale will do */
    assert_int_equal(b.result.clusters[0].observed, 9);
    assert_non_null(strstr(bench_json(&b),
                           "\"center\":null,\"radius\":null,\"locations\":[\"All\"],"
                           "\"start\":\"2001-02-01\",\"end\":\"2001-02-28\""));
    b.s.max_time = 0.5;
    bench_refuses(&b, "the longest window in time has 0 slots of 1 units, the shortest 1");
    b.s.max_time = 0;
    b.s.start = "2001-02-30";
    bench_refuses(&b, "start of the study period: expected a date that exists, found "
                      "\"2001-02-30\"");
    b.s.start = "2002-01";
    bench_refuses(&b, "the study period ends (2001-04) before it begins (2002-01)");
    bench_close(&b);
}

/* ---- CSV ---- */

static void csv_faults(void **state) {
    (void)state;
    struct bench b = bench_open();
    b.s.geo[0] = bench_file(&b, "g.csv", "id,lon,lat\nA,118.7,32\nB,118.8,32.1\n");
    b.s.n_geo = 1;
    b.s.population = bench_file(&b, "p.csv", "id,population\nA,100\nB,50\n");
    b.s.cases = bench_file(&b, "c.csv", "id,cases\nA,3\nB,1\n");
    bench_load(&b);
    assert_true(b.study.sphere);
    b.s.cases = bench_file(&b, "c.csv", "id,cases\nA,3\nB,x\n");
    bench_refuses(&b, "c.csv:3: column cases: expected a whole number of 0 or more, found \"x\"");
    b.s.cases = bench_file(&b, "c.csv", "place,cases\nA,3\n");
    assert_int_equal(scan_study_load(b.a, &b.s, &b.study, &b.err), ERR_INVALID);
    assert_non_null(strstr(b.err.detail, "id"));
    b.s.columns = "id=place,cases=n";
    bench_load(&b); /* no column n, but one of the role's own name */
    assert_int_equal(b.study.total_cases, 3);
    b.s.columns = NULL;
    b.s.cases = bench_file(&b, "c.csv", "id\nA\nA\nB\n"); /* a row is a case */
    bench_load(&b);
    assert_int_equal(b.study.total_cases, 3);
    b.s.covariates = "age";
    assert_int_equal(scan_study_load(b.a, &b.s, &b.study, &b.err), ERR_INVALID);
    assert_non_null(strstr(b.err.detail, "age"));
    b.s.covariates = NULL;
    b.s.geo[0] = bench_file(&b, "g.csv", "id,lon,lat\nA,118.7,132\n");
    bench_refuses(&b, "g.csv:2: column lat: expected a number from -90 to 90, found \"132\"");
    b.s.geo[0] = "/no/such/file.geo";
    assert_int_equal(scan_study_load(b.a, &b.s, &b.study, &b.err), ERR_NOT_FOUND);
    bench_close(&b);
}

/* Coordinates by the names of their columns, or as the settings say. */
static void csv_coordinates(void **state) {
    (void)state;
    struct bench b = bench_open();
    b.s.population = bench_file(&b, "p.csv", "id,population\nA,100\nB,50\n");
    b.s.cases = bench_file(&b, "c.tsv", "id\tcases\nA\t3\nB\t1\n");
    b.s.n_geo = 1;
    b.s.geo[0] = bench_file(&b, "g.csv", "id,x,y\nA,18.7,32\nB,18.8,32.1\n");
    bench_load(&b);
    assert_false(b.study.sphere);
    b.s.places = PLACES_SPHERE;
    bench_load(&b);
    assert_true(b.study.sphere && b.study.x[0] == 18.7);
    b.s.geo[0] = bench_file(&b, "g.csv", "id,east,north\nA,18.7,32\nB,18.8,32.1\n");
    b.s.columns = "id=id,lon=east,lat=north";
    bench_load(&b);
    assert_true(b.study.sphere && b.study.y[1] == 32.1);
    b.s.places = PLACES_PLANE;
    assert_int_equal(scan_study_load(b.a, &b.s, &b.study, &b.err), ERR_INVALID);
    assert_non_null(strstr(b.err.detail, "x"));
    b.s.places = PLACES_BY_COLUMNS;
    b.s.geo[1] = bench_file(&b, "h.csv", "id,x,y\nA,18.7,32\n");
    b.s.n_geo = 2;
    bench_refuses(&b, "h.csv: longitudes and latitudes in one file, plane coordinates in another");
    bench_close(&b);
}

/* ---- settings ---- */

static void settings_that_do_not_go_together(void **state) {
    (void)state;
    struct scan_settings good;
    struct err err = {0};
    scan_settings_init(&good);
    good.cases = "c.cas";
    good.population = "p.pop";
    good.geo[0] = "g.geo";
    good.n_geo = 1;
    assert_int_equal(scan_settings_check(&good, &err), ERR_OK);
    struct scan_settings s[15];
    for (size_t i = 0; i < 15; i++) s[i] = good;
    s[0].cases = NULL;
    s[1].model = SCAN_BERNOULLI;
    s[2].controls = "x.ctl";
    s[3].model = SCAN_PERMUTATION;
    s[4].population = NULL;
    s[5].options.prospective = true;
    s[6].options.shape = SCAN_FLEXIBLE;
    s[7].edges = s[7].neighbors = "e";
    s[8].grid = s[8].edges = "e";
    s[9].options.max_size = 0.6;
    s[10].n_geo = 0;
    s[11].options.analysis = SCAN_SPACE_TIME;
    s[11].unit = TIME_NONE;
    s[12].start = "2000";
    s[13].options.analysis = SCAN_SPACE_TIME;
    s[13].precision_given = true;
    s[14].options.iterative = s[14].options.location_f = true;
    for (size_t i = 0; i < 15; i++) {
        err = (struct err){0};
        if (scan_settings_check(&s[i], &err) != ERR_INVALID) fail_msg("settings %zu pass", i);
        assert_true(strlen(err.detail) > 10);
    }
}

static void ellipses(void **state) {
    (void)state;
    struct scan_settings s;
    scan_settings_init(&s);
    assert_true(scan_ellipses_parse("1.5,2,3", "4,6,9", &s));
    assert_int_equal(s.options.n_ellipses, 3);
    assert_true(s.ellipse_shape[1] == 2 && s.ellipse_angles[2] == 9);
    static const char *const bad[][2] = {{"", ""},       {"1", "4"},     {"1.5,2", "4"},
                                         {"1.5", "4,6"}, {"1.5", "4.5"}, {"1.5;2", "4;6"},
                                         {"x", "4"},     {"1.5,", "4,"}, {"2", "0"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(scan_ellipses_parse(bad[i][0], bad[i][1], &s));
}

/* An arena that is too small at any moment ends in ERR_NOMEM, and enough of it in success. */
static void short_of_memory(void **state) {
    (void)state;
    struct scan_settings s;
    size_t refused = 0;
    bool loaded = false;
    scan_settings_init(&s);
    s.cases = SOURCE_DIR "/samples/scan_cases.csv";
    s.population = SOURCE_DIR "/samples/scan_population.csv";
    s.geo[0] = SOURCE_DIR "/samples/scan_places.csv";
    s.n_geo = 1;
    s.covariates = "age";
    s.options.analysis = SCAN_SPACE_TIME;
    for (size_t limit = 512; !loaded; limit += limit / 16 + 8) {
        struct arena *a = arena_new(limit);
        struct scan_study study;
        struct err err = {0};
        assert_true(a != NULL && limit < ((size_t)1 << 26));
        enum err_code rc = scan_study_load(a, &s, &study, &err);
        if (rc != ERR_OK && rc != ERR_NOMEM) fail_msg("%zu bytes: %s", limit, err.detail);
        refused += rc == ERR_NOMEM;
        loaded = rc == ERR_OK;
        arena_free(a);
    }
    assert_true(refused > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covariates_by_indirect_standardisation),
        cmocka_unit_test(person_time_by_hand),
        cmocka_unit_test(census_exact_to_the_day),
        cmocka_unit_test(line_integral),
        cmocka_unit_test(expected_refuses),
        cmocka_unit_test(cases_without_population),
        cmocka_unit_test(one_date_far_off),
        cmocka_unit_test(pitfall_7_shared_positions),
        cmocka_unit_test(pitfall_7_empty_places),
        cmocka_unit_test(one_id_at_two_positions),
        cmocka_unit_test(unknown_places),
        cmocka_unit_test(network),
        cmocka_unit_test(neighbors),
        cmocka_unit_test(grid_of_centres),
        cmocka_unit_test(generic_times),
        cmocka_unit_test(pitfall_6_permutation_keeps_both_margins),
        cmocka_unit_test(time_alone),
        cmocka_unit_test(csv_faults),
        cmocka_unit_test(csv_coordinates),
        cmocka_unit_test(settings_that_do_not_go_together),
        cmocka_unit_test(ellipses),
        cmocka_unit_test(short_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
