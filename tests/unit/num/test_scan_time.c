/* The space-time kernel against trying every window, in the data and in replicas. */
#include "../base/testing.h"
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/sanitizer.h"
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
    /* One by one they come by another way, to the same bits. */
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(k->replicate(k->self, NULL, 77, 3 + i, 1, 0.0, &above[i], &err), ERR_OK);
        assert_true(above[i] == maxima[i]);
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

static void check_wish(struct rng *r, const struct toy_wish *w) {
    struct arena *a = test_arena();
    struct toy t = toy_new(a, r, w);
    struct scan_kernel k = kernel_of(&t, a);
    check_data(&t, &k, a);
    /* What tail windows draw tells the time before them only as a sum. */
    bool is_sum = w->prospective && (w->spatial || w->model == SCAN_PERMUTATION);
    if (!is_sum) check_replicas(&t, &k, a);
    arena_free(a);
}

static struct toy_wish any_wish(struct rng *r, unsigned round) {
    struct toy_wish w = {.model = (enum scan_model)(round % 3),
                         .analysis = round % 11 == 5 ? SCAN_TEMPORAL : SCAN_SPACE_TIME,
                         .rates = (enum scan_rates)(1 + rng_below(r, 3)),
                         .prospective = rng_below(r, 2) == 0,
                         .n_places = 2 + rng_below(r, 14),
                         .n_slots = 1 + rng_below(r, 40),
                         .n_case = 3 + rng_below(r, 120),
                         .spatial = rng_below(r, 3) == 0,
                         .temporal = rng_below(r, 3) == 0,
                         .weights = rng_below(r, 3) == 0,
                         .first_len = rng_below(r, 3) == 0,
                         .uneven = rng_below(r, 2) == 0};
    if (w.model == SCAN_PERMUTATION) {
        w.spatial = w.temporal = false;
        w.analysis = SCAN_SPACE_TIME;
    }
    return w;
}

static void every_window_tried_gives_the_same(void **state) {
    (void)state;
    struct rng r = rng_new(20260101, 0);
    for (unsigned round = 0; round < (UNDER_SANITIZER ? 100 : 300); round++) {
        struct toy_wish w = any_wish(&r, round);
        check_wish(&r, &w);
    }
}

/* More slots than a vector has lanes, lengths in groups. */
static void long_periods_too(void **state) {
    (void)state;
    struct rng r = rng_new(20260102, 0);
    for (unsigned round = 0; round < 12; round++) {
        struct toy_wish w = any_wish(&r, round);
        w.n_slots = 90 + rng_below(&r, 60);
        w.n_places = 3 + rng_below(&r, 4);
        check_wish(&r, &w);
    }
}

/* Beyond 16 bits: now and then (both widths are ready) and always. */
static void large_counts_too(void **state) {
    (void)state;
    struct rng r = rng_new(20260103, 0);
    bool both = false, wide = false;
    for (unsigned round = 0; round < 12; round++) {
        struct toy_wish w = any_wish(&r, round);
        w.n_case = 40 + rng_below(&r, 100);
        w.heavy = round % 2 == 0 ? 900 : 5000;
        w.n_slots = 12 + rng_below(&r, 12);
        w.first_len = w.weights = false;
        struct arena *a = test_arena();
        struct rng again = r;
        struct toy t = toy_new(a, &again, &w);
        const struct st_kernel *k = kernel_of(&t, a).self;
        both = both || (k->narrow && k->wide);
        wide = wide || !k->narrow;
        arena_free(a);
        check_wish(&r, &w);
    }
    assert_true(both && wide);
}

/* The best statistic of a list by one walk. */
static double walk_best(struct st_seek *s, const struct st_walk *walk, size_t list, bool wide) {
    const struct st_kernel *k = s->k;
    s->best = 0.0;
    s->told = NULL;
    if (!st_seek_open(s, list)) return 0.0;
    s->level = 0;
    s->high = wide ? (const void *)k->rows.high32 : (const void *)k->rows.high16;
    s->low = wide ? (const void *)k->rows.low32 : (const void *)k->rows.low16;
    if (k->tail)
        walk->tail(s);
    else
        walk->any(s);
    return s->best;
}

static void check_widths(const struct st_kernel *k) {
    struct st_set *set = NULL;
    struct st_seek *s = NULL;
    assert_int_equal(st_set_new(k, &set, NULL), ERR_OK);
    assert_int_equal(st_seek_new(k, &s, NULL), ERR_OK);
    memcpy(set->event, k->events, k->n_events * sizeof *k->events);
    set->n_event = k->n_events;
    st_set_lay(k, set);
    bool wide = set->wide;
    s->set = set;
    for (size_t i = 0; i < k->zones->n_lists; i++) {
        double a = walk_best(s, wide ? &st_walk32 : &st_walk16, i, wide);
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx2"))
            assert_true(a == walk_best(s, wide ? &st_walk32_avx2 : &st_walk16_avx2, i, wide));
#endif
        assert_true(a >= 0.0);
    }
    st_seek_free(s);
    st_set_free(set);
}

static void vectors_of_any_width_give_the_same_bits(void **state) {
    (void)state;
    struct rng r = rng_new(20260104, 0);
    for (unsigned round = 0; round < (UNDER_SANITIZER ? 20 : 60); round++) {
        struct arena *a = test_arena();
        struct toy_wish w = any_wish(&r, round);
        w.analysis = SCAN_SPACE_TIME;
        w.heavy = round % 4 == 3 ? 5000 : 0;
        if (round % 5 == 0) w.n_slots = 100;
        struct toy t = toy_new(a, &r, &w);
        check_widths(kernel_of(&t, a).self);
        arena_free(a);
    }
}

/* A batch in narrow vectors, by hand. */
static void narrow_batches_give_the_same_bits(void **state) {
    (void)state;
    struct rng r = rng_new(20260105, 0);
    unsigned n_batched = 0;
    for (unsigned round = 0; round < (UNDER_SANITIZER ? 14 : 40); round++) {
        struct arena *a = test_arena();
        struct toy_wish w = any_wish(&r, round);
        w.spatial = w.temporal = w.prospective = false;
        w.analysis = SCAN_SPACE_TIME;
        struct toy t = toy_new(a, &r, &w);
        struct scan_kernel kernel = kernel_of(&t, a);
        struct st_kernel *k = kernel.self;
        struct st_batch *b = NULL;
        struct st_set *set = NULL;
        struct st_seek *s = NULL;
        enum { N = 5 };
        double maxima[N];
        if (k->batched) {
            n_batched++;
            assert_int_equal(st_batch_new(k, &b, NULL), ERR_OK);
            assert_int_equal(st_set_new(k, &set, NULL), ERR_OK);
            assert_int_equal(st_seek_new(k, &s, NULL), ERR_OK);
            s->set = set;
            b->n = N;
            b->lanes = (1U << 2 * N) - 1;
            for (size_t i = 0; i < N; i++) {
                struct rng lane = rng_new(5, i);
                st_draw_null(k, &lane, set);
                st_walk16.batch_add(k, b, i, set);
            }
            st_walk16.batch_close(k, b);
            for (size_t i = 0; i < k->zones->n_lists; i++)
                if (st_seek_open(s, i)) st_walk16.batch(s, b);
            assert_int_equal(kernel.replicate(k, NULL, 5, 0, N, 0.0, maxima, NULL), ERR_OK);
            for (size_t i = 0; i < N; i++) assert_true(maxima[i] == b->best[i]);
            st_seek_free(s);
            st_set_free(set);
            st_batch_free(b);
        }
        arena_free(a);
    }
    assert_true(n_batched > 10);
}

static void threads_give_the_same_bits(void **state) {
    (void)state;
    struct rng r = rng_new(20260106, 0);
    for (unsigned round = 0; round < 12; round++) {
        struct arena *a = test_arena();
        struct toy_wish w = any_wish(&r, round);
        w.n_places = 30;
        w.n_slots = 20 + 60 * (round % 2);
        struct toy t = toy_new(a, &r, &w);
        struct scan_kernel k = kernel_of(&t, a);
        enum { N = 40 };
        double first[N], maxima[N];
        size_t n = n_best(&t);
        struct scan_best *best = ARENA_NEW(a, struct scan_best, n),
                         *again = ARENA_NEW(a, struct scan_best, n);
        struct err err;
        assert_int_equal(k.replicate(k.self, NULL, 9, 0, N, 0.0, first, &err), ERR_OK);
        assert_int_equal(k.observe(k.self, NULL, best, &err), ERR_OK);
        for (size_t threads = 1; threads <= 4; threads *= 2) {
            struct pool *pool;
            assert_int_equal(pool_new(threads, &pool, &err), ERR_OK);
            struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = threads};
            assert_int_equal(k.replicate(k.self, &run, 9, 0, N, 0.0, maxima, &err), ERR_OK);
            assert_int_equal(k.observe(k.self, &run, again, &err), ERR_OK);
            assert_memory_equal(maxima, first, sizeof first);
            for (size_t i = 0; i < n; i++) {
                assert_true(best[i].llr == again[i].llr);
                assert_int_equal(best[i].len, again[i].len);
                assert_int_equal(best[i].slot_first, again[i].slot_first);
                assert_int_equal(best[i].slot_last, again[i].slot_last);
            }
            pool_free(pool);
        }
        arena_free(a);
    }
}

static void observe(const struct toy *t, struct arena *a, struct scan_best *best) {
    struct scan_kernel k = kernel_of(t, a);
    assert_int_equal(k.observe(k.self, NULL, best, NULL), ERR_OK);
}

/* Other numbers for the same places: the same statistics to the bit. */
static void numbers_of_places_do_not_matter(void **state) {
    (void)state;
    struct rng r = rng_new(20260107, 0);
    for (unsigned round = 0; round < (UNDER_SANITIZER ? 10 : 30); round++) {
        struct arena *a = test_arena();
        struct toy_wish w = any_wish(&r, round);
        w.analysis = SCAN_SPACE_TIME;
        struct toy t = toy_new(a, &r, &w), u = t;
        size_t n = w.n_places, n_item = t.zones.first[n];
        uint32_t *to = ARENA_NEW(a, uint32_t, n), *place = ARENA_NEW(a, uint32_t, n_item + 1);
        for (uint32_t i = 0; i < n; i++) to[i] = (i * 7 + 3) % (uint32_t)n;
        if (n % 7 == 0) /* else 7 has an inverse */
            for (uint32_t i = 0; i < n; i++) to[i] = (uint32_t)n - 1 - i;
        for (size_t i = 0; i < n_item; i++) place[i] = to[t.zones.place[i]];
        u.zones.place = place;
        struct scan_count *rows[2] = {ARENA_NEW(a, struct scan_count, t.n_case + 1),
                                      ARENA_NEW(a, struct scan_count, 2 * t.n_case + 1)};
        for (size_t i = 0; i < 2 * t.n_case; i++) {
            rows[1][i] = t.controls[i];
            rows[1][i].place = to[rows[1][i].place];
            if (i >= t.n_case) continue;
            rows[0][i] = t.cases[i];
            rows[0][i].place = to[rows[0][i].place];
        }
        u.data.cases = rows[0];
        if (w.model == SCAN_BERNOULLI) u.data.controls = rows[1];
        if (t.expected != NULL) {
            u.expected = ARENA_NEW(a, double, n *w.n_slots);
            for (size_t p = 0; p < n; p++)
                memcpy(u.expected + to[p] * w.n_slots, t.expected + p * w.n_slots,
                       w.n_slots * sizeof(double));
        }
        struct scan_best *x = ARENA_NEW(a, struct scan_best, n + 1),
                         *y = ARENA_NEW(a, struct scan_best, n + 1);
        observe(&t, a, x);
        observe(&u, a, y);
        for (size_t i = 0; i < n_best(&t); i++) {
            assert_true(x[i].llr == y[i].llr);
            assert_int_equal(x[i].len, y[i].len);
            assert_int_equal(x[i].slot_first, y[i].slot_first);
        }
        arena_free(a);
    }
}

/* Days without a case before the first: the same windows later, the same replicas. */
static void later_days_give_the_same(void **state) {
    (void)state;
    struct rng r = rng_new(20260108, 0);
    for (unsigned round = 0; round < (UNDER_SANITIZER ? 10 : 30); round++) {
        struct arena *a = test_arena();
        struct toy_wish w = any_wish(&r, 3 * round + 2);
        struct toy t = toy_new(a, &r, &w), u = t;
        uint32_t by = 1 + rng_below(&r, 40);
        struct scan_count *rows = ARENA_NEW(a, struct scan_count, t.n_case + 1);
        for (size_t i = 0; i < t.n_case; i++) {
            rows[i] = t.cases[i];
            rows[i].slot += by;
        }
        u.data.cases = u.cases = rows;
        u.data.n_slots += by;
        struct scan_kernel k[2] = {kernel_of(&t, a), kernel_of(&u, a)};
        struct scan_best *best[2] = {ARENA_NEW(a, struct scan_best, w.n_places),
                                     ARENA_NEW(a, struct scan_best, w.n_places)};
        enum { N = 5 };
        double maxima[2][N];
        for (int i = 0; i < 2; i++) {
            assert_int_equal(k[i].observe(k[i].self, NULL, best[i], NULL), ERR_OK);
            assert_int_equal(k[i].replicate(k[i].self, NULL, 1, 0, N, 0.0, maxima[i], NULL),
                             ERR_OK);
        }
        assert_memory_equal(maxima[0], maxima[1], sizeof maxima[0]);
        for (size_t i = 0; i < w.n_places; i++) {
            assert_true(best[0][i].llr == best[1][i].llr);
            if (best[0][i].llr > 0.0)
                assert_int_equal(best[0][i].slot_first + by, best[1][i].slot_first);
        }
        arena_free(a);
    }
}

/* Of windows with the same cases and expectation the one of fewest places and slots is told: it
 * neither begins nor ends with a day without cases, nor with a place without. */
static void equal_windows_are_told_small(void **state) {
    (void)state;
    struct rng r = rng_new(20260109, 0);
    size_t n_told = 0;
    for (unsigned round = 0; round < 60; round++) {
        struct arena *a = test_arena();
        struct toy_wish w = any_wish(&r, 3 * round + 2);
        w.first_len = w.weights = false;
        w.n_case = 4 + rng_below(&r, 12); /* many days and places without */
        struct toy t = toy_new(a, &r, &w);
        t.options.min_slots = 1;
        struct scan_best *best = ARENA_NEW(a, struct scan_best, w.n_places);
        observe(&t, a, best);
        const double *count = toy_grid(&t, a, t.cases, t.n_case);
        double *day = ARENA_NEW(a, double, w.n_slots), *place = ARENA_NEW(a, double, w.n_places);
        for (size_t i = 0; i < w.n_places * w.n_slots; i++) {
            day[i % w.n_slots] += count[i];
            place[i / w.n_slots] += count[i];
        }
        for (size_t i = 0; i < w.n_places; i++) {
            if (best[i].llr < 0.0) continue;
            n_told++;
            assert_true(best[i].slot_first == best[i].slot_last || day[best[i].slot_first] > 0);
            assert_true(w.prospective || best[i].slot_first == best[i].slot_last ||
                        day[best[i].slot_last] > 0);
            uint32_t last = t.zones.place[t.zones.first[i] + best[i].len - 1];
            assert_true(best[i].len == 1 || place[last] > 0);
        }
        arena_free(a);
    }
    assert_true(n_told > 100);
}

/* ---- bounds ---- */

static double some_cases(const struct st_model *m, double measure, struct rng *r) {
    if (m->kind != SCAN_BERNOULLI)
        return floor(rng_unit(r) * (fmin(4.0 * measure + 8.0, m->cases) + 1.0));
    double least = fmax(0.0, measure - (m->persons - m->cases));
    return least + floor(rng_unit(r) * (fmin(measure, m->cases) - least + 1.0));
}

static void check_levels(const struct st_levels *l, double whole, struct rng *r) {
    const struct st_model *m = &l->model;
    double measure = rng_unit(r) * rng_unit(r) * whole;
    if (m->kind == SCAN_BERNOULLI) measure = floor(measure);
    double c = some_cases(m, measure, r), llr = st_llr(m, c, measure), e = st_expected(m, measure);
    assert_true(st_llr_bound(m, c, measure) >= llr);
    size_t j = rng_below(r, ST_LEVELS);
    if (!(llr >= l->level[j]) || llr == 0.0) return;
    if (c > e && c >= m->min_cases) assert_true(c >= st_levels_fewest(l, j, measure));
    if (c < e) assert_true(c <= st_levels_most(l, j, measure));
}

static void bounds_and_levels_are_safe(void **state) {
    (void)state;
    struct rng r = rng_new(20260110, 0);
    for (unsigned round = 0; round < 20; round++) {
        struct arena *a = test_arena();
        struct st_model m = {.kind = round % 2 == 0 ? SCAN_POISSON : SCAN_BERNOULLI,
                             .cases = 20.0 + rng_below(&r, round % 4 < 2 ? 300 : 5000),
                             .min_cases = 1 + rng_below(&r, 3),
                             .high = true,
                             .low = true};
        m.persons = m.cases + 10.0 + rng_below(&r, 1000);
        double whole = m.kind == SCAN_BERNOULLI ? m.persons : m.cases;
        struct st_levels l;
        assert_int_equal(st_levels_build(&m, whole, a, &l, NULL), ERR_OK);
        for (unsigned i = 0; i < (UNDER_SANITIZER ? 4000 : 20000); i++) check_levels(&l, whole, &r);
        /* And close: the fewest cases are never two too few where counts are whole. */
        for (unsigned i = 1; m.kind == SCAN_POISSON && i < 120; i++) {
            double e = 0.5 * i;
            int32_t c = st_levels_fewest(&l, 40, e);
            if (c < INT32_MAX && c < m.cases) assert_true(st_llr(&m, c + 1.0, e) >= l.level[40]);
        }
        arena_free(a);
    }
}

/* ---- errors ---- */

static bool always(void *arg) {
    (void)arg;
    return true;
}

static void wrong_use_is_named(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct rng r = rng_new(20260111, 0);
    struct toy_wish w = any_wish(&r, 0);
    struct toy t = toy_new(a, &r, &w), u = t;
    struct scan_kernel k;
    struct err err;
    u.options.min_slots = u.options.max_slots + 1;
    assert_int_equal(
        scan_space_time_kernel(&u.data, &u.options, &u.zones, u.expected, NULL, a, &k, &err),
        ERR_INVALID);
    u = t;
    u.data.n_cases = 0;
    assert_int_equal(
        scan_space_time_kernel(&u.data, &u.options, &u.zones, u.expected, NULL, a, &k, &err),
        ERR_INVALID);
    u = t;
    u.data.model = SCAN_BERNOULLI;
    assert_int_equal(
        scan_space_time_kernel(&u.data, &u.options, &u.zones, u.expected, NULL, a, &k, &err),
        ERR_INVALID);
    struct num_run small = {.max_bytes = 1000};
    assert_int_equal(
        scan_space_time_kernel(&t.data, &t.options, &t.zones, t.expected, &small, a, &k, &err),
        ERR_LIMIT);
    struct num_run stopped = {.stop = always};
    double maxima[8];
    struct scan_best *best = ARENA_NEW(a, struct scan_best, n_best(&t));
    k = kernel_of(&t, a);
    assert_int_equal(k.replicate(k.self, &stopped, 1, 0, 8, 0.0, maxima, &err), ERR_TIMEOUT);
    assert_int_equal(k.observe(k.self, &stopped, best, &err), ERR_TIMEOUT);
    arena_free(a);
}

/* Each allocation fails once: a clean error, nothing left behind. */
static void no_memory_is_told(void **state) {
    (void)state;
    struct rng r = rng_new(20260112, 0);
    for (unsigned model = 0; model < 6; model++) {
        struct toy_wish w = any_wish(&r, model % 3);
        w.prospective = model < 3;
        struct arena *made = test_arena();
        struct toy t = toy_new(made, &r, &w);
        long live = mem_live();
        for (long n = 0;; n++) {
            double maxima[5];
            struct scan_kernel k;
            struct arena *a = arena_new((size_t)1 << 30);
            assert_non_null(a);
            mem_fault_arm(n);
            enum err_code rc = scan_space_time_kernel(&t.data, &t.options, &t.zones, t.expected,
                                                      NULL, a, &k, NULL);
            if (rc == ERR_OK) rc = k.replicate(k.self, NULL, 1, 0, 5, 0.0, maxima, NULL);
            bool fired = mem_fault_disarm() != 0;
            arena_free(a);
            assert_int_equal(mem_live(), live);
            assert_int_equal(rc, fired ? ERR_NOMEM : ERR_OK);
            if (!fired) break;
        }
        arena_free(made);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_window_tried_gives_the_same),
        cmocka_unit_test(long_periods_too),
        cmocka_unit_test(large_counts_too),
        cmocka_unit_test(vectors_of_any_width_give_the_same_bits),
        cmocka_unit_test(narrow_batches_give_the_same_bits),
        cmocka_unit_test(threads_give_the_same_bits),
        cmocka_unit_test(numbers_of_places_do_not_matter),
        cmocka_unit_test(later_days_give_the_same),
        cmocka_unit_test(equal_windows_are_told_small),
        cmocka_unit_test(bounds_and_levels_are_safe),
        cmocka_unit_test(wrong_use_is_named),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
