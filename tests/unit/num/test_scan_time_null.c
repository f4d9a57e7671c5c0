/* The null hypotheses of space-time scans: what is drawn, and that p-values keep what they
 * promise. */
#include "../base/testing.h"
#include "base/sanitizer.h"
#include <math.h>
#include <stdio.h>

#include "num/scan/space_time.h"

/* 99.9 % points of chi-square (tables). */
static const double chisq_11 = 31.264, chisq_19 = 43.820;

enum { PLACES = 12, SLOTS = 16, MOST = 400 };

struct small {
    struct scan_data data;
    struct scan_options options;
    struct scan_zones zones;
    struct scan_count cases[MOST], controls[MOST];
    size_t first[PLACES + 1];
    uint32_t place[PLACES * PLACES], center[PLACES];
    double expected[PLACES * SLOTS];
};

/* Places on a line: lists by distance, half of them. */
static void make_small(struct small *s, enum scan_model model, bool prospective) {
    *s = (struct small){.data = {.model = model, .n_places = PLACES, .n_slots = SLOTS}};
    size_t n = 0;
    for (size_t i = 0; i < PLACES; i++) {
        for (size_t d = 0; d < PLACES / 2; d++) {
            int64_t p = (int64_t)i + (d % 2 == 0 ? -(int64_t)(d / 2) : (int64_t)(d / 2 + 1));
            if (p >= 0 && p < PLACES) s->place[n++] = (uint32_t)p;
        }
        s->first[i + 1] = n;
        s->center[i] = (uint32_t)i;
    }
    s->zones = (struct scan_zones){.n_lists = PLACES,
                                   .n_places = PLACES,
                                   .first = s->first,
                                   .place = s->place,
                                   .center = s->center,
                                   .max_len = PLACES / 2};
    s->options = (struct scan_options){.analysis = SCAN_SPACE_TIME,
                                       .prospective = prospective,
                                       .rates = SCAN_HIGH,
                                       .max_slots = 6};
    s->data.cases = s->cases;
    s->data.controls = s->controls;
}

static struct scan_kernel kernel_of(struct small *s, struct arena *a) {
    struct scan_kernel k;
    struct err err;
    double *expected = s->data.model == SCAN_POISSON ? s->expected : NULL;
    assert_int_equal(
        scan_space_time_kernel(&s->data, &s->options, &s->zones, expected, NULL, a, &k, &err),
        ERR_OK);
    return k;
}

static void add_cases(struct small *s, struct rng *r, size_t n) {
    s->data.n_cases = n;
    for (size_t i = 0; i < n; i++)
        s->cases[i] = (struct scan_count){rng_below(r, PLACES), rng_below(r, SLOTS), 1};
}

/* Draws of replicas 0 .. n - 1, place x slot (tail: age), given to `see`. */
static void see_draws(struct st_kernel *k, uint64_t n,
                      void (*see)(void *arg, const struct st_set *s), void *arg) {
    struct st_set *s = NULL;
    assert_int_equal(st_set_new(k, &s, NULL), ERR_OK);
    for (uint64_t r = 0; r < n; r++) {
        struct rng rng = rng_new(1, r);
        st_draw_null(k, &rng, s);
        see(arg, s);
    }
    st_set_free(s);
}

struct seen {
    double cell[PLACES][SLOTS];
    double place[PLACES], slot[SLOTS]; /* margins that have to stay; 0 cases: not looked at */
    bool margins;
    double sum, square;
};

static void see_cells(void *arg, const struct st_set *s) {
    struct seen *seen = arg;
    double place[PLACES] = {0}, slot[SLOTS] = {0}, corner = 0.0;
    for (size_t i = 0; i < s->n_event; i++) {
        const struct st_event *e = &s->event[i];
        assert_true(e->place < PLACES && e->column < SLOTS);
        seen->cell[e->place][e->column]++;
        place[e->place]++;
        slot[e->column]++;
        corner += e->place < 6 && e->column < 8;
    }
    seen->sum += corner;
    seen->square += corner * corner;
    if (!seen->margins) return;
    for (size_t p = 0; p < PLACES; p++) assert_true(place[p] == seen->place[p]);
    for (size_t t = 0; t < SLOTS; t++) assert_true(slot[t] == seen->slot[t]);
}

/* Both margins stay; each pair is as likely as its margins say: the mean of a corner is A B / C,
 * its variance the hypergeometric one. */
static void dates_are_dealt_anew(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct small s;
    struct rng r = rng_new(3, 3);
    make_small(&s, SCAN_PERMUTATION, false);
    add_cases(&s, &r, 90);
    struct seen seen = {.margins = true};
    double in = 0.0, early = 0.0, n = 90.0;
    for (size_t i = 0; i < 90; i++) {
        seen.place[s.cases[i].place]++;
        seen.slot[s.cases[i].slot]++;
        in += s.cases[i].place < 6;
        early += s.cases[i].slot < 8;
    }
    enum { DRAWS = UNDER_SANITIZER ? 4000 : 20000 };
    see_draws(kernel_of(&s, a).self, DRAWS, see_cells, &seen);
    double mean = seen.sum / DRAWS, variance = seen.square / DRAWS - mean * mean;
    double want = in * early / n, spread = want * (n - in) / n * (n - early) / (n - 1.0);
    printf("corner %.3f of %.3f, variance %.3f of %.3f\n", mean, want, variance, spread);
    assert_true(fabs(mean - want) < 4.0 * sqrt(spread / DRAWS));
    assert_true(fabs(variance / spread - 1.0) < 4.0 * sqrt(2.0 / DRAWS));
    arena_free(a);
}

/* For windows at the end only the recent dates are dealt: each place gets them by its cases. */
static void recent_dates_are_dealt_anew(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct small s;
    struct rng r = rng_new(4, 4);
    make_small(&s, SCAN_PERMUTATION, true);
    add_cases(&s, &r, 90);
    struct st_kernel *k = kernel_of(&s, a).self;
    double have[PLACES] = {0}, age[SLOTS] = {0}, recent = 0.0;
    for (size_t i = 0; i < 90; i++) {
        have[s.cases[i].place]++;
        if (s.cases[i].slot < SLOTS - 6) continue;
        recent++;
        age[SLOTS - 1 - s.cases[i].slot]++;
    }
    assert_int_equal(k->draw.n_recent, (size_t)recent);
    enum { DRAWS = UNDER_SANITIZER ? 4000 : 20000 };
    struct seen seen = {0};
    see_draws(k, DRAWS, see_cells, &seen);
    /* The variance of a place's share is less than Poisson's: chi-square is at most as large. */
    double chisq = 0.0;
    for (size_t p = 0; p < PLACES; p++) {
        double n = 0.0, e = have[p] * recent / 90.0 * DRAWS;
        for (size_t t = 0; t < 6; t++) n += seen.cell[p][t];
        if (e > 0.0) chisq += (n - e) * (n - e) / e;
        for (size_t t = 0; t < SLOTS; t++)
            if (t >= 6) assert_true(seen.cell[p][t] == 0.0);
    }
    for (size_t t = 0; t < 6; t++) {
        double n = 0.0;
        for (size_t p = 0; p < PLACES; p++) n += seen.cell[p][t];
        assert_true(n == age[t] * DRAWS);
    }
    printf("recent cases of places: chi-square %.1f of 11 degrees\n", chisq);
    assert_true(chisq < chisq_11);
    arena_free(a);
}

static void check_cells(struct st_kernel *k, const double expected[SLOTS], size_t n_column) {
    enum { DRAWS = UNDER_SANITIZER ? 4000 : 20000 };
    struct seen seen = {0};
    see_draws(k, DRAWS, see_cells, &seen);
    double chisq = 0.0, n = 0.0, all = 0.0;
    for (size_t i = 0; i < PLACES * n_column; i++) {
        size_t p = i / n_column, t = i % n_column;
        double e = expected[k->tail ? SLOTS - 1 - t : t] * DRAWS, found = seen.cell[p][t];
        all += found;
        n += e > 0.0;
        if (e > 0.0)
            chisq += (found - e) * (found - e) / e;
        else
            assert_true(found == 0.0);
    }
    printf("%zu columns: chi-square %.1f of about %.0f\n", n_column, chisq, n);
    assert_true(fabs(chisq - n) < 4.0 * sqrt(2.0 * n));
    if (!k->tail) assert_true(all == 128.0 * DRAWS); /* conditional on the total */
    double mean = seen.sum / DRAWS, p = mean / 128.0;
    double variance = seen.square / DRAWS - mean * mean;
    assert_true(fabs(variance / (128.0 * p * (1.0 - p)) - 1.0) < 5.0 * sqrt(2.0 / DRAWS));
}

/* Cells by their expectation; in tail windows with the passing over of what is older: the number
 * that counts is binomial. */
static void poisson_cases_follow_the_expectation(void **state) {
    (void)state;
    for (int tail = 0; tail < 2; tail++) {
        struct arena *a = test_arena();
        struct small s;
        struct rng r = rng_new(5, 5);
        make_small(&s, SCAN_POISSON, tail == 1);
        add_cases(&s, &r, 128);
        for (size_t i = 0; i < PLACES * SLOTS; i++)
            s.expected[i] = i % SLOTS == 12 ? 0.0 : 128.0 / (PLACES * (SLOTS - 1));
        check_cells(kernel_of(&s, a).self, s.expected, tail ? 6 : SLOTS);
        arena_free(a);
    }
}

/* Persons stay where they are; which of them are cases is drawn without replacement, be cases or
 * controls fewer. */
static void persons_become_cases_once(void **state) {
    (void)state;
    for (int many = 0; many < 2; many++) {
        struct arena *a = test_arena();
        struct small s;
        struct rng r = rng_new(6, 6);
        make_small(&s, SCAN_BERNOULLI, false);
        add_cases(&s, &r, many ? 150 : 60);
        s.data.n_controls = many ? 60 : 150;
        double persons[PLACES][SLOTS] = {{0}};
        for (size_t i = 0; i < s.data.n_controls; i++) {
            s.controls[i] = (struct scan_count){rng_below(&r, PLACES), rng_below(&r, SLOTS), 1};
            persons[s.controls[i].place][s.controls[i].slot]++;
        }
        for (size_t i = 0; i < s.data.n_cases; i++) persons[s.cases[i].place][s.cases[i].slot]++;
        enum { DRAWS = UNDER_SANITIZER ? 4000 : 20000 };
        struct seen seen = {0};
        see_draws(kernel_of(&s, a).self, DRAWS, see_cells, &seen);
        double p = (double)s.data.n_cases / 210.0, corner = 0.0, n = 0.0, worst = 0.0;
        for (size_t i = 0; i < PLACES; i++) {
            for (size_t t = 0; t < SLOTS; t++) {
                double e = persons[i][t] * p * DRAWS;
                assert_true(e > 0.0 || seen.cell[i][t] == 0.0);
                if (e > 0.0) worst = fmax(worst, fabs(seen.cell[i][t] - e) / sqrt(e * (1.0 - p)));
                if (i < 6 && t < 8) corner += persons[i][t];
                n += seen.cell[i][t];
            }
        }
        assert_true(n == (double)s.data.n_cases * DRAWS);
        double mean = seen.sum / DRAWS, variance = seen.square / DRAWS - mean * mean;
        double spread = corner * p * (1.0 - p) * (210.0 - corner) / 209.0;
        printf("largest deviation of a cell %.1f, variance %.3f of %.3f\n", worst, variance,
               spread);
        assert_true(worst < 4.5);
        assert_true(fabs(variance / spread - 1.0) < 5.0 * sqrt(2.0 / DRAWS));
        arena_free(a);
    }
}

/* Data sets in which places and dates have nothing to do with one another: ranks among 19 replicas
 * are uniform, in their spread, in their mean, and where an alarm would be raised at 5 %. */
static void check_uniform(bool prospective) {
    enum { SETS = UNDER_SANITIZER ? 200 : 800, REPLICAS = 19 };
    double bin[REPLICAS + 1] = {0}, mean = 0.0;
    struct rng r = rng_new(7, prospective);
    struct small s;
    make_small(&s, SCAN_PERMUTATION, prospective);
    for (uint64_t set = 0; set < SETS; set++) {
        struct arena *a = test_arena();
        add_cases(&s, &r, 300);
        struct scan_kernel k = kernel_of(&s, a);
        struct scan_best best[PLACES];
        double maxima[REPLICAS], top = 0.0, ties = 0.0;
        assert_int_equal(k.observe(k.self, NULL, best, NULL), ERR_OK);
        for (size_t i = 0; i < PLACES; i++) top = fmax(top, best[i].llr);
        assert_int_equal(k.replicate(k.self, NULL, set, 0, REPLICAS, 0.0, maxima, NULL), ERR_OK);
        size_t rank = 0;
        for (size_t i = 0; i < REPLICAS; i++) {
            rank += maxima[i] >= top;
            ties += maxima[i] == top;
        }
        /* Counts are whole, so that now and then two are equal: a turn among equals. */
        rank -= rng_below(&r, (uint32_t)ties + 1);
        bin[rank]++;
        mean += (double)rank / SETS;
        arena_free(a);
    }
    double chisq = 0.0, e = (double)SETS / (REPLICAS + 1);
    for (size_t i = 0; i <= REPLICAS; i++) chisq += (bin[i] - e) * (bin[i] - e) / e;
    printf("p-values of %d sets (%s): chi-square %.1f of 19 degrees\n", SETS,
           prospective ? "prospective" : "retrospective", chisq);
    double middle = REPLICAS / 2.0, spread = ((REPLICAS + 1.0) * (REPLICAS + 1.0) - 1.0) / 12.0;
    printf("mean rank %.2f of %.1f, %.0f alarms of %.0f\n", mean, middle, bin[0], e);
    assert_true(chisq < chisq_19);
    assert_true(fabs(mean - middle) < 3.3 * sqrt(spread / SETS));
    assert_true(fabs(bin[0] - e) < 3.3 * sqrt(e * REPLICAS / (REPLICAS + 1.0)));
}

static void p_values_are_uniform_retrospective(void **state) {
    (void)state;
    check_uniform(false);
}
static void p_values_are_uniform_prospective(void **state) {
    (void)state;
    check_uniform(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_dealt_anew),
        cmocka_unit_test(recent_dates_are_dealt_anew),
        cmocka_unit_test(poisson_cases_follow_the_expectation),
        cmocka_unit_test(persons_become_cases_once),
        cmocka_unit_test(p_values_are_uniform_retrospective),
        cmocka_unit_test(p_values_are_uniform_prospective),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
