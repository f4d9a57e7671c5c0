/* The cube against a plain array, through its change from sparse to dense and through a snapshot.
 */
#include "domain/measure/cube.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { ATOMS = 3, DAYS = 12, PLACES = 300, FIRST_DAY = 20000 };
static const bool wide[ATOMS] = {false, true, false};
static const unsigned char tag[32] = {7};

struct plain {
    int64_t v[ATOMS][DAYS][PLACES];
};

static struct cube *new_cube(void) {
    struct cube *c = NULL;
    struct err err = {0};
    assert_int_equal(cube_new(ATOMS, wide, &c, &err), ERR_OK);
    return c;
}

static uint32_t place(struct cube *c, unsigned i) {
    char cell[16], town[16];
    uint32_t out = 0;
    struct err err = {0};
    (void)snprintf(cell, sizeof cell, "c%u", i % 1000);
    (void)snprintf(town, sizeof town, "t%u", i % 7);
    const struct cube_place p = {cell, "", town, "", "city"};
    assert_int_equal(cube_place_of(c, &p, &out, &err), ERR_OK);
    return out;
}

/* Random adds and takings away; places appear as they come. */
static struct cube *fill(struct plain *plain, uint64_t seed, unsigned n, bool backwards) {
    struct cube *c = new_cube();
    struct err err = {0};
    memset(plain, 0, sizeof *plain);
    for (unsigned k = 0; k < n; k++) {
        struct rng r = rng_new(seed, backwards ? n - 1 - k : k);
        unsigned atom = rng_below(&r, ATOMS), day = rng_below(&r, DAYS);
        unsigned p = rng_below(&r, 3) == 0 ? rng_below(&r, PLACES) : rng_below(&r, 20);
        int64_t delta = (int64_t)rng_below(&r, 7) - 3;
        if (atom == 1) delta *= 5000000000;
        if (atom == 2 && day == 3) p = rng_below(&r, PLACES); /* this day becomes dense */
        assert_int_equal(cube_add(c, atom, FIRST_DAY + (int32_t)day, place(c, p), delta, &err),
                         ERR_OK);
        plain->v[atom][day][p] += delta;
    }
    return c;
}

static void check(struct cube *c, const struct plain *plain) {
    size_t n_places = 0, filled = 0;
    (void)cube_places(c, &n_places);
    for (unsigned a = 0; a < ATOMS; a++) {
        for (int from = 0; from < DAYS; from += 3) {
            int64_t sum[PLACES + 1] = {0};
            cube_sum(c, a, FIRST_DAY + from, FIRST_DAY + from + 5, sum);
            for (unsigned p = 0; p < PLACES; p++) {
                int64_t want = 0;
                for (int d = from; d < from + 5 && d < DAYS; d++) want += plain->v[a][d][p];
                if (want != 0) assert_int_equal(sum[place(c, p)], want);
            }
        }
        for (unsigned d = 0; d < DAYS; d++)
            for (unsigned p = 0; p < PLACES; p++) filled += plain->v[a][d][p] != 0;
    }
    assert_int_equal(cube_filled(c), filled);
}

static void test_equals_a_plain_array(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static struct plain plain;
        struct cube *c = fill(&plain, seed, 6000, false);
        check(c, &plain);
        cube_free(c);
    }
}

static void test_order_of_writing_does_not_matter(void **state) {
    (void)state;
    static struct plain plain;
    struct cube *a = fill(&plain, 5, 4000, false), *b = fill(&plain, 5, 4000, true);
    struct err err = {0};
    assert_true(cube_equal(a, b));
    assert_int_equal(cube_add(b, 0, FIRST_DAY, place(b, 3), 1, &err), ERR_OK);
    assert_false(cube_equal(a, b));
    cube_free(a);
    cube_free(b);
}

static void test_one_area_by_day(void **state) {
    (void)state;
    static struct plain plain;
    struct cube *c = fill(&plain, 9, 5000, false);
    size_t n = 0;
    const struct cube_place *p = cube_places(c, &n);
    unsigned char in[PLACES] = {0};
    int64_t got[DAYS] = {0};
    for (size_t i = 0; i < n; i++) in[i] = strcmp(p[i].town, "t2") == 0;
    cube_days(c, 2, FIRST_DAY, FIRST_DAY + DAYS, in, got);
    for (unsigned d = 0; d < DAYS; d++) {
        int64_t want = 0;
        for (unsigned k = 2; k < PLACES; k += 7) want += plain.v[2][d][k];
        assert_int_equal(got[d], want);
    }
    cube_free(c);
}

static void test_limits_leave_it_unchanged(void **state) {
    (void)state;
    struct cube *c = new_cube();
    struct err err = {0};
    uint32_t p = place(c, 1);
    assert_int_equal(cube_add(c, 0, FIRST_DAY, p, INT32_MAX, &err), ERR_OK);
    assert_int_equal(cube_add(c, 0, FIRST_DAY, p, 1, &err), ERR_LIMIT);
    assert_int_equal(cube_add(c, 0, 2000000, p, 1, &err), ERR_LIMIT);
    assert_int_equal(cube_add(c, 1, FIRST_DAY, p, INT64_MAX, &err), ERR_OK);
    assert_int_equal(cube_add(c, 1, FIRST_DAY, p, 1, &err), ERR_LIMIT);
    int64_t sum[1] = {0};
    cube_sum(c, 0, FIRST_DAY, FIRST_DAY + 1, sum);
    assert_int_equal(sum[0], INT32_MAX);
    cube_free(c);
}

static void test_snapshot(void **state) {
    (void)state;
    static struct plain plain;
    struct cube *c = fill(&plain, 3, 6000, false), *back = NULL;
    struct err err = {0};
    char *bytes = NULL;
    size_t n = 0;
    int64_t seq = 0;
    FILE *f = open_memstream(&bytes, &n);
    assert_int_equal(cube_save(c, tag, 42, f, &err), ERR_OK);
    assert_int_equal(fclose(f), 0);
    f = fmemopen(bytes, n, "r");
    assert_int_equal(cube_load(f, ATOMS, wide, tag, &seq, &back, &err), ERR_OK);
    (void)fclose(f);
    assert_int_equal(seq, 42);
    assert_true(cube_equal(c, back));
    cube_free(back);
    /* Cut or changed anywhere: refused, never half-read. */
    for (size_t i = 0; i < n; i += 1 + n / 300) {
        bytes[i] = (char)(bytes[i] ^ 0x41);
        f = fmemopen(bytes, n, "r");
        assert_int_not_equal(cube_load(f, ATOMS, wide, tag, &seq, &back, &err), ERR_OK);
        assert_null(back);
        (void)fclose(f);
        bytes[i] = (char)(bytes[i] ^ 0x41);
        f = i == 0 ? NULL : fmemopen(bytes, i, "r");
        if (f == NULL) continue;
        assert_int_not_equal(cube_load(f, ATOMS, wide, tag, &seq, &back, &err), ERR_OK);
        (void)fclose(f);
    }
    free(bytes);
    cube_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_a_plain_array),
        cmocka_unit_test(test_order_of_writing_does_not_matter),
        cmocka_unit_test(test_one_area_by_day),
        cmocka_unit_test(test_limits_leave_it_unchanged),
        cmocka_unit_test(test_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
