#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/orient.h"

__extension__ typedef __int128 wide;

/* splitmix64 (Steele, Lea, Flood 2014): enough for test data. */
static uint64_t next(uint64_t *s) {
    uint64_t z = (*s += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int sign_wide(wide v) { return (v > 0) - (v < 0); }

static int oracle(const int64_t *a, const int64_t *b, const int64_t *p) {
    wide l = (wide)(a[0] - p[0]) * (b[1] - p[1]), r = (wide)(a[1] - p[1]) * (b[0] - p[0]);
    return sign_wide(l - r);
}

static int ours(const int64_t *a, const int64_t *b, const int64_t *p, double scale) {
    return orient((double)a[0] * scale, (double)a[1] * scale, (double)b[0] * scale,
                  (double)b[1] * scale, (double)p[0] * scale, (double)p[1] * scale);
}

/* Integers of up to 52 bits, scaled by a power of two: doubles hold them exactly, 128 bits hold the
 * answer. */
static void test_against_integers(void **state) {
    (void)state;
    uint64_t s = 1;
    static const double scales[] = {0x1p-44, 0x1p-45, 1, 0x1p-440};
    int zeros = 0, undecided = 0;
    for (int i = 0; i < 400000; i++) {
        unsigned bits = 4 + (unsigned)(next(&s) % 49);
        int64_t v[3][2];
        for (int k = 0; k < 6; k++)
            v[k / 2][k % 2] = (int64_t)(next(&s) >> (64 - bits)) - (int64_t)(1ull << (bits - 1));
        if (i % 2 ==
            0) { /* a short edge and p far off on its line or beside it: rounding would lie */
            for (int k = 0; k < 2; k++) {
                int64_t d = v[1][k] % 256;
                v[1][k] = v[0][k] + d;
                v[2][k] = v[0][k] + d * (int64_t)(((uint64_t)1 << (bits - 1)) / 256);
            }
            if (i % 4 == 0) v[2][(unsigned)i / 4 % 2] += (int64_t)(next(&s) % 3) - 1;
        }
        int want = oracle(v[0], v[1], v[2]);
        zeros += want == 0;
        double x[6];
        const int64_t *flat = v[0];
        for (int k = 0; k < 6; k++) x[k] = (double)flat[k];
        assert_int_equal(orient_exact(x[0], x[1], x[2], x[3], x[4], x[5]), want);
        for (size_t k = 0; k < sizeof scales / sizeof scales[0]; k++)
            assert_int_equal(ours(v[0], v[1], v[2], scales[k]), want);
        double l = (x[0] - x[4]) * (x[3] - x[5]), r = (x[1] - x[5]) * (x[2] - x[4]);
        undecided += sign_wide((wide)(l - r)) != want;
    }
    assert_true(zeros > 1000);
    assert_true(undecided >
                100); /* the data does reach the cases where plain arithmetic is wrong */
}

static void test_doubles_near_a_line(void **state) {
    (void)state;
    /* Kettner, Mehlhorn et al. 2008, "Classroom examples of robustness problems": the grid of
     * neighbours of (0.5, 0.5) against the line (12, 12)-(24, 24); the true sign is that of y - x.
     */
    for (int i = 0; i < 256; i++) {
        for (int j = 0; j < 256; j++) {
            double px = 0.5 + i * 0x1p-53, py = 0.5 + j * 0x1p-53;
            int want = (py > px) - (py < px);
            assert_int_equal(orient(12, 12, 24, 24, px, py), want);
            assert_int_equal(orient(24, 24, 12, 12, px, py), -want);
        }
    }
}

static void test_tiny_values(void **state) {
    (void)state;
    assert_true(orient_settle(1e-200) == 0 && orient_settle(-1e-200) == 0);
    assert_true(orient_settle(1e-100) == 1e-100 && orient_settle(-180) == -180);
    double t = ORIENT_TINY;
    assert_int_equal(orient(0, 0, t, t, t, 2 * t), 1);
    assert_int_equal(orient(0, 0, t, t, 2 * t, t), -1);
    assert_int_equal(orient(0, 0, t, t, 2 * t, 2 * t), 0);
    assert_int_equal(orient(-180, 0, 180, t, 0, 0), -1);
    assert_int_equal(orient(-180, -t, 180, t, 0, 0), 0);
}

static void test_ray(void **state) {
    (void)state;
    /* A point on the edge counts as lying east of it; the lower end belongs to the edge, the upper
     * does not. */
    assert_true(orient_ray_hits(1, 0, 1, 2, 0, 1));
    assert_false(orient_ray_hits(1, 0, 1, 2, 1, 1));
    assert_false(orient_ray_hits(1, 0, 1, 2, 2, 1));
    assert_true(orient_ray_hits(1, 0, 1, 2, 0, 0));
    assert_false(orient_ray_hits(1, 0, 1, 2, 0, 2));
    assert_false(orient_ray_hits(1, 1, 3, 1, 0, 1));
    uint64_t s = 7;
    for (int i = 0; i < 100000; i++) {
        double v[7];
        for (int k = 0; k < 7; k++) v[k] = (double)(next(&s) % 9);
        if (v[1] > v[3]) continue;
        /* To x and then north: the crossings of both legs, counted by plain ray tests on the
         * quarter-turned edge. */
        double x = v[6];
        bool east = orient_ray_hits(v[0], v[1], v[2], v[3], v[4], v[5]);
        bool corner = orient_ray_hits(v[0], v[1], v[2], v[3], x, v[5]);
        bool straddles = (v[0] > x) != (v[2] > x);
        int side = orient(v[0], v[1], v[2], v[3], x, v[5]);
        bool left_first = v[0] <= v[2];
        /* The moved point lies below the edge a-b (north of it is a hit) when the edge passes above
         * (x+e, y+e^2). */
        bool above = straddles && (side == 0 ? (left_first ? v[3] > v[1] : v[1] > v[3])
                                             : (left_first ? side < 0 : side > 0));
        assert_int_equal(orient_path_hits(v[0], v[1], v[2], v[3], x, v[4], v[5]),
                         east ^ corner ^ above);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_integers),
        cmocka_unit_test(test_doubles_near_a_line),
        cmocka_unit_test(test_tiny_values),
        cmocka_unit_test(test_ray),
    };
    return cmocka_run_group_tests_name("geo_orient", tests, NULL, NULL);
}
