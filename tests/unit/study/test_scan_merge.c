/* Merging zero cells: a place without cases may be told as one id or as several at its position,
 * its people divided among them in any way, and ids without anybody may stand at any position: the
 * clusters, their numbers and their p-values are the same. */
#include "scan_fixture.h"

#include <math.h>

#include "base/rng.h"

enum { PLACES = 14, ZEROS = 4 /* the last of them have no cases */ };

static void place_of(size_t p, int *x, int *y) {
    *x = (int)(p * 7 % 10) + 3 * (int)(p / 5);
    *y = (int)(p * p % 11);
}

struct texts {
    struct buf geo, pop, cas;
};

static void texts_init(struct texts *t) {
    buf_init(&t->geo, 1 << 16);
    buf_init(&t->pop, 1 << 16);
    buf_init(&t->cas, 1 << 16);
}

static void add_id(struct texts *t, size_t p, const char *part, unsigned people) {
    int x, y;
    place_of(p, &x, &y);
    buf_printf(&t->geo, "P%02zu%s %d %d\n", p, part, x, y);
    buf_printf(&t->pop, "P%02zu%s unspecified %u\n", p, part, people);
}

/* split: zero cells in up to five parts, and ids of nobody at every second place. */
static void write_city(struct bench *b, uint64_t seed, bool split) {
    struct rng r = rng_new(seed, 1), parts = rng_new(seed, 2);
    struct texts t;
    texts_init(&t);
    for (size_t p = 0; p < PLACES; p++) {
        unsigned people = 50 + rng_below(&r, 400);
        bool zero = p >= PLACES - ZEROS;
        for (uint32_t k = 0; !zero && k < 3; k++)
            buf_printf(&t.cas, "P%02zu %u 2001/1/%u\n", p, 1 + rng_below(&r, p < 3 ? 9 : 3),
                       1 + rng_below(&r, 12));
        if (split && zero) {
            char part[2] = "a";
            for (; part[0] < 'e' && people > 0; part[0]++) {
                unsigned n = rng_below(&parts, people + 1);
                add_id(&t, p, part, n);
                people -= n;
            }
            add_id(&t, p, part, people);
        } else {
            add_id(&t, p, "", people);
        }
        if (split && p % 2 == 0) add_id(&t, p, "z", 0);
    }
    b->s.geo[0] = bench_file(b, "g.geo", buf_text(&t.geo));
    b->s.n_geo = 1;
    b->s.population = bench_file(b, "p.pop", buf_text(&t.pop));
    b->s.cases = bench_file(b, "c.cas", buf_text(&t.cas));
    buf_deinit(&t.geo);
    buf_deinit(&t.pop);
    buf_deinit(&t.cas);
}

static void settle(struct bench *b, uint64_t seed, enum scan_analysis analysis) {
    b->s.options.analysis = analysis;
    b->s.options.rates = seed % 3 == 0 ? SCAN_BOTH : seed % 3 == 1 ? SCAN_HIGH : SCAN_LOW;
    b->s.options.overlap = seed % 2 == 0 ? SCAN_NO_OVERLAP : SCAN_ANY_OVERLAP;
    b->s.options.replicas = 99;
    b->s.options.seed = seed;
    b->s.start = "2001/1/1";
    b->s.end = "2001/1/12";
    b->s.precision_given = true;
    b->s.precision = TIME_DAY;
}

/* Bit by place number of the names "P07", "P07a" ... of a cluster. */
static uint32_t places_by_name(const struct bench *b, const struct scan_cluster *c) {
    uint32_t set = 0;
    for (size_t i = 0; i < c->n_places; i++)
        for (size_t k = b->study.first_id[c->places[i]]; k < b->study.first_id[c->places[i] + 1];
             k++) {
            const char *id = b->study.id[k];
            set |= 1U << ((id[1] - '0') * 10 + (id[2] - '0'));
        }
    return set;
}

static void same(double a, double b) {
    if (!(fabs(a - b) <= 1e-11 * fabs(a) || (isnan(a) && isnan(b)) || a == b))
        fail_msg("%.17g and %.17g", a, b);
}

static void check_city(uint64_t seed, enum scan_analysis analysis) {
    struct bench one = bench_open(), many = bench_open();
    write_city(&one, seed, false);
    write_city(&many, seed, true);
    settle(&one, seed, analysis);
    settle(&many, seed, analysis);
    bench_run(&one, 1);
    bench_run(&many, 1);
    assert_true(many.study.n_ids > one.study.n_ids + ZEROS);
    assert_int_equal(many.study.data.n_places, one.study.data.n_places);
    assert_int_equal(many.result.n_zones, one.result.n_zones);
    assert_int_equal(many.result.n_clusters, one.result.n_clusters);
    assert_true(one.result.n_clusters > 0);
    for (size_t i = 0; i < one.result.n_clusters; i++) {
        const struct scan_cluster *p = &one.result.clusters[i], *q = &many.result.clusters[i];
        assert_int_equal(places_by_name(&one, p), places_by_name(&many, q));
        assert_int_equal(p->observed, q->observed);
        assert_int_equal(p->slot_first, q->slot_first);
        assert_int_equal(p->slot_last, q->slot_last);
        assert_int_equal(p->rank_in, q->rank_in);
        assert_int_equal(p->low, q->low);
        same(p->llr, q->llr);
        same(p->expected, q->expected);
        same(p->relative_risk, q->relative_risk);
        same(p->radius, q->radius);
        same(scan_study_population(&one.study, p), scan_study_population(&many.study, q));
    }
    for (uint32_t r = 0; r < 99; r++) same(one.result.replica_max[r], many.result.replica_max[r]);
    bench_close(&one);
    bench_close(&many);
}

static void merging_zero_cells_changes_no_spatial_cluster(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 24; seed++) check_city(seed, SCAN_SPATIAL);
}

static void merging_zero_cells_changes_no_cluster_in_space_and_time(void **state) {
    (void)state;
    for (uint64_t seed = 100; seed < 124; seed++) check_city(seed, SCAN_SPACE_TIME);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_zero_cells_changes_no_spatial_cluster),
        cmocka_unit_test(merging_zero_cells_changes_no_cluster_in_space_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
