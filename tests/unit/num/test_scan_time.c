/* The space-time kernel against trying every window, in the data and in replicas. */
#include "../base/testing.h"
#include <math.h>
#include <stdio.h>

#include "base/pool.h"
#include "num/scan/space_time.h"
#include "scan_time_oracle.h"

static struct scan_kernel kernel_of(const struct toy *t, struct arena *a) {
    struct scan_kernel out;
    struct err err;
    assert_int_equal(
        scan_space_time_kernel(&t->data, &t->options, &t->zones, t->expected, NULL, a, &out, &err),
        ERR_OK);
    return out;
}

static size_t n_best(const struct toy *t) {
    if (t->options.analysis == SCAN_TEMPORAL) return 1;
    return t->zones.n_lists + (t->options.also_temporal ? 1 : 0);
}

static bool near(double a, double b) { return fabs(a - b) <= 1e-9 * (1.0 + fabs(b)); }

/* The statistic is the greatest one, and the window told has it: among equals any may be told
 * where rounding decides. */
static void check_best(const struct toy *t, const double *count, size_t list,
                       const struct scan_best *got) {
    struct scan_best want = toy_best(t, count, list);
    if (want.llr < 0.0 || (list == t->zones.n_lists && t->data.model == SCAN_PERMUTATION)) {
        assert_true(got->llr < 0.0); /* over all places the permutation model expects what is */
        return;
    }
    assert_true(near(got->llr, want.llr));
    struct scan_best own = toy_window(t, count, list, got->len, got->slot_first, got->slot_last);
    assert_true(near(got->llr, own.llr));
    assert_int_equal(got->observed, own.observed);
    assert_true(near(got->expected, own.expected));
    assert_int_equal(got->low, own.low);
}

static void check_data(const struct toy *t, const struct scan_kernel *k, struct arena *a) {
    size_t n = n_best(t);
    struct scan_best *best = ARENA_NEW(a, struct scan_best, n);
    struct err err;
    assert_int_equal(k->observe(k->self, NULL, best, &err), ERR_OK);
    const double *count = toy_grid(t, a, t->cases, t->n_case);
    for (size_t i = 0; i < n; i++) {
        bool all = i == t->zones.n_lists || t->options.analysis == SCAN_TEMPORAL;
        check_best(t, count, all ? t->zones.n_lists : i, &best[i]);
    }
}

/* The counts that replica r draws, place x slot; what lies before all windows is left out. */
static double *drawn(const struct toy *t, struct st_kernel *k, uint64_t seed, uint64_t r,
                     struct arena *a) {
    struct st_set *s = NULL;
    assert_int_equal(st_set_new(k, &s, NULL), ERR_OK);
    struct rng rng = rng_new(seed, r);
    st_draw_null(k, &rng, s);
    size_t n = t->data.n_slots;
    double *g = ARENA_NEW(a, double, t->data.n_places *n);
    for (size_t i = 0; i < s->n_event; i++) {
        size_t column = s->event[i].column;
        if (k->tail && column >= n) continue;
        g[s->event[i].place * n + (k->tail ? n - 1 - column : column)]++;
    }
    st_set_free(s);
    return g;
}

static double slow_max(const struct toy *t, const double *count) {
    double most = 0.0;
    bool temporal = t->options.analysis == SCAN_TEMPORAL;
    for (size_t i = temporal ? t->zones.n_lists : 0; i < t->zones.n_lists; i++) {
        double x = toy_best(t, count, i).llr;
        if (x > most) most = x;
    }
    if ((temporal || t->options.also_temporal) && t->data.model != SCAN_PERMUTATION) {
        double x = toy_best(t, count, t->zones.n_lists).llr;
        if (x > most) most = x;
    }
    return most;
}

static void check_replicas(const struct toy *t, const struct scan_kernel *k, struct arena *a) {
    enum { N = 6 };
    double maxima[N], above[N];
    struct err err;
    assert_int_equal(k->replicate(k->self, NULL, 77, 3, N, 0.0, maxima, &err), ERR_OK);
    for (size_t i = 0; i < N; i++) {
        double want = slow_max(t, drawn(t, k->self, 77, 3 + i, a));
        assert_true(near(maxima[i], want));
    }
    /* With a threshold, what reaches it is told to the bit. */
    assert_int_equal(k->replicate(k->self, NULL, 77, 3, N, maxima[2], above, &err), ERR_OK);
    for (size_t i = 0; i < N; i++) {
        if (maxima[i] >= maxima[2])
            assert_true(above[i] == maxima[i]);
        else
            assert_true(above[i] < maxima[2]);
    }
}

static void check_wish(struct rng *r, const struct toy_wish *w, bool spatial_grid_known) {
    struct arena *a = test_arena();
    struct toy t = toy_new(a, r, w);
    struct scan_kernel k = kernel_of(&t, a);
    check_data(&t, &k, a);
    /* What tail windows draw tells the time before them only as a sum. */
    if (spatial_grid_known) check_replicas(&t, &k, a);
    arena_free(a);
}

static void test_oracle(void **state) {
    (void)state;
    struct rng r = rng_new(20260101, 0);
    size_t n = 0;
    for (unsigned round = 0; round < 400; round++) {
        struct toy_wish w = {.model = (enum scan_model)(round % 3),
                             .analysis = round % 11 == 5 && round % 3 != SCAN_PERMUTATION
                                             ? SCAN_TEMPORAL
                                             : SCAN_SPACE_TIME,
                             .rates = (enum scan_rates)(1 + rng_below(&r, 3)),
                             .prospective = rng_below(&r, 2) == 0,
                             .n_places = 2 + rng_below(&r, 14),
                             .n_slots = 1 + rng_below(&r, 40),
                             .n_case = 3 + rng_below(&r, 120),
                             .spatial = rng_below(&r, 3) == 0,
                             .temporal = rng_below(&r, 3) == 0,
                             .weights = rng_below(&r, 3) == 0,
                             .first_len = rng_below(&r, 3) == 0,
                             .uneven = rng_below(&r, 2) == 0};
        if (w.model == SCAN_PERMUTATION) w.spatial = w.temporal = false;
        check_wish(&r, &w, !(w.prospective && (w.spatial || w.model == SCAN_PERMUTATION)));
        n++;
    }
    print_message("kernel = every window tried: %zu data sets, 6 replicas each\n", n);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_oracle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
