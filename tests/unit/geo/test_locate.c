#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "geo/locate.h"
#include "partition.h"

static const double city[] = {118.5, 31.9, 118.9, 32.2};

static int32_t slow_find(const struct polygon *const *cell, size_t n, double x, double y) {
    for (size_t i = 0; i < n; i++)
        if (cell[i] != NULL && polygon_contains(cell[i], x, y)) return (int32_t)i;
    return LOCATE_NONE;
}

static struct locate *build(const struct polygon *const *cell, size_t n) {
    struct locate *l = NULL;
    struct err err = {0};
    enum err_code rc = locate_build(cell, n, &l, &err);
    if (rc != ERR_OK) fail_msg("%s", err.detail);
    return l;
}

static void same(const struct locate *l, const struct polygon *const *cell, size_t n, double x,
                 double y) {
    int32_t want = slow_find(cell, n, x, y), got = locate_find(l, x, y);
    if (got != want) fail_msg("%.17g, %.17g: found %d, is in %d", x, y, got, want);
}

/* Compare everywhere that matters: at random, on every vertex, on edges and a float step beside
 * them. */
static void compare(const struct polygon *const *cell, size_t n, const double box[4], uint64_t seed,
                    int random_points) {
    struct locate *l = build(cell, n);
    double w = box[2] - box[0], h = box[3] - box[1];
    for (int i = 0; i < random_points; i++)
        same(l, cell, n, box[0] + w * (1.1 * test_unit(&seed) - 0.05),
             box[1] + h * (1.1 * test_unit(&seed) - 0.05));
    for (size_t c = 0; c < n; c++) {
        if (cell[c] == NULL) continue;
        for (uint32_t i = 0; i + 1 < cell[c]->n_pt; i++) {
            const double *v = cell[c]->xy + 2 * (size_t)i;
            double t = test_unit(&seed);
            same(l, cell, n, v[0], v[1]);
            same(l, cell, n, (v[0] + v[2]) / 2, (v[1] + v[3]) / 2);
            same(l, cell, n, v[0] + t * (v[2] - v[0]), v[1] + t * (v[3] - v[1]));
            same(l, cell, n, nextafter(v[0], -200), v[1]);
            same(l, cell, n, v[0], nextafter(v[1], -200));
        }
    }
    locate_unref(l);
}

static void test_partitions(void **state) {
    (void)state;
    static const double steps[] = {0, 0x1p-12, 0x1p-7};
    for (uint64_t seed = 1; seed <= 9; seed++) {
        struct arena *a = arena_new(64 << 20);
        uint32_t nx = 1 + (uint32_t)(seed * 5 % 12), ny = 1 + (uint32_t)(seed * 7 % 11);
        struct partition p = partition_make(a, seed, nx, ny, 4 + (uint32_t)seed * 6, city,
                                            steps[seed % 3] * (city[2] - city[0]) / 0.4);
        compare(p.cell, p.n, p.box, seed, 3000);
        arena_free(a);
    }
}

/* A ring that wanders round a centre; may cross itself when wild. */
static const struct polygon *star(struct arena *a, uint64_t *s, const double box[4], double size,
                                  bool wild, bool with_hole) {
    enum { MOST = 40 };
    double xy[2 * 2 * (MOST + 1)];
    uint32_t n = 3 + (uint32_t)(test_next(s) % (MOST - 3)), at = 0;
    double cx = box[0] + (box[2] - box[0]) * test_unit(s);
    double cy = box[1] + (box[3] - box[1]) * test_unit(s);
    uint32_t rings[2] = {n + 1, n + 1}, n_ring = with_hole ? 2 : 1;
    for (uint32_t r = 0; r < n_ring; r++) {
        for (uint32_t i = 0; i < n; i++, at++) {
            double angle = 6.283185307179586 * (wild ? test_unit(s) : (double)i / n);
            double radius = size * (r == 0 ? 0.6 + 0.4 * test_unit(s) : 0.3);
            xy[2 * at] = cx + radius * cos(angle);
            xy[2 * at + 1] = cy + radius * sin(angle);
            if (test_next(s) % 8 == 0 && i > 0) xy[2 * at + 1] = xy[2 * at - 1]; /* horizontal */
        }
        xy[2 * at] = xy[2 * (at - n)];
        xy[2 * at + 1] = xy[2 * (at - n) + 1];
        at++;
    }
    const struct polygon *p = NULL;
    assert_int_equal(polygon_from_rings(a, xy, rings, n_ring, &n_ring, 1, &p, NULL), ERR_OK);
    return p;
}

static void test_overlaps_holes_and_tangles(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct arena *a = arena_new(64 << 20);
        uint64_t s = seed;
        const struct polygon *cell[60];
        size_t n = 1 + (size_t)(test_next(&s) % 60);
        double size = 0.002 * pow(2, (double)(seed % 8));
        for (size_t i = 0; i < n; i++) {
            cell[i] = test_next(&s) % 9 == 0
                          ? NULL
                          : star(a, &s, city, size, seed % 4 == 0, test_next(&s) % 3 == 0);
        }
        compare(cell, n, city, seed, 1500);
        arena_free(a);
    }
}

/* More candidates in a square than one record holds, and rasters within rasters. */
static void test_crowds(void **state) {
    (void)state;
    struct arena *a = arena_new(64 << 20);
    uint64_t s = 5;
    enum { N = 300 };
    const struct polygon *cell[N];
    static const double spot[] = {118.7, 32.0, 118.7001, 32.0001};
    for (size_t i = 0; i < N; i++) cell[i] = star(a, &s, spot, 0.00005, false, i % 2 == 0);
    compare(cell, N, spot, 1, 3000);
    /* One bad cell at longitude 0, latitude 0 must not spoil the index of the others. */
    static const double null_island[] = {0, 0, 0, 0};
    cell[7] = star(a, &s, null_island, 0.001, false, false);
    compare(cell, N, spot, 2, 3000);
    /* Large ones round them all, cut by the edge of many squares. */
    cell[N - 1] = star(a, &s, spot, 3, false, true);
    cell[N - 2] = star(a, &s, spot, 30, true, true);
    compare(cell, N, spot, 3, 2000);
    compare(cell, N, city, 4, 2000);
    static const double wide[] = {80, 0, 150, 70};
    compare(cell, N, wide, 5, 2000);
    /* Points closer together than the smallest square. */
    static const double dot[] = {118.7, 32.0, 118.7 + 1e-10, 32.0 + 1e-10};
    for (size_t i = 0; i < N; i++) cell[i] = star(a, &s, dot, 1e-10, i % 3 == 0, false);
    compare(cell, N, dot, 6, 1000);
    arena_free(a);
}

static void test_thin_and_flat(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    static const double shapes[][10] = {
        {118.5, 32, 118.9, 32, 118.9, 32.0000001, 118.5, 32.0000001, 118.5, 32},
        {118.7, 31.9, 118.7000001, 31.9, 118.7000001, 32.2, 118.7, 32.2, 118.7, 31.9},
        {118.5, 31.9, 118.9, 32.2, 118.9, 32.2000001, 118.5, 31.9000001, 118.5, 31.9},
        {118.6, 32.1, 118.6, 32.1, 118.6, 32.1, 118.6, 32.1, 118.6, 32.1},
        {118.6, 32.1, 118.8, 32.1, 118.6, 32.1, 118.8, 32.1, 118.6, 32.1},
        {-180, -90, 180, -90, 180, 90, -180, 90, -180, -90},
    };
    const struct polygon *cell[6];
    uint32_t n = 5, one = 1;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(polygon_from_rings(a, shapes[i], &n, 1, &one, 1, &cell[i], NULL), ERR_OK);
        compare(&cell[i], 1, city, i, 2000);
    }
    compare(cell, 6, city, 9, 3000);
    static const double world[] = {-180, -90, 180, 90};
    compare(cell, 6, world, 10, 3000);
    arena_free(a);
}

static void test_outside_and_nonsense(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct partition p = partition_make(a, 3, 4, 4, 8, city, 0);
    struct locate *l = build(p.cell, p.n);
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 181, 0, -0.0, 1e-320};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(locate_find(l, bad[i], 32), LOCATE_NONE);
        assert_int_equal(locate_find(l, 118.7, bad[i]), LOCATE_NONE);
        assert_int_equal(locate_find(l, bad[i], bad[i]), LOCATE_NONE);
    }
    assert_int_equal(locate_find(NULL, 118.7, 32), LOCATE_NONE);
    assert_int_equal(locate_n_cells(l), 16);
    assert_true(locate_bytes(l) > 1000);
    /* The far east and north border belongs to nobody here, the west and south one does. */
    assert_int_equal(locate_find(l, city[0], city[1]), 0);
    assert_int_equal(locate_find(l, city[2], 32), LOCATE_NONE);
    assert_int_equal(locate_find(l, 118.7, city[3]), LOCATE_NONE);
    struct locate *again = locate_ref(l);
    assert_ptr_equal(again, l);
    locate_unref(l);
    assert_int_equal(locate_find(again, city[0], city[1]), 0);
    locate_unref(again);
    locate_unref(NULL);
    l = build(NULL, 0);
    assert_int_equal(locate_find(l, 118.7, 32), LOCATE_NONE);
    locate_unref(l);
    const struct polygon *none[2] = {NULL, NULL};
    l = build(none, 2);
    assert_int_equal(locate_find(l, 118.7, 32), LOCATE_NONE);
    assert_int_equal(locate_in_bbox(l, city, NULL, 0), 0);
    locate_unref(l);
    arena_free(a);
}

static void test_many_and_boxes(void **state) {
    (void)state;
    struct arena *a = arena_new(64 << 20);
    struct partition p = partition_make(a, 4, 20, 20, 20, city, 0);
    struct locate *l = build(p.cell, p.n);
    uint64_t s = 8;
    enum { N = 1000 };
    double at[2 * N];
    int32_t out[N];
    for (int i = 0; i < N; i++) {
        at[2 * i] = i % 50 == 0 ? NAN : 118.45 + 0.5 * test_unit(&s);
        at[2 * i + 1] = 31.85 + 0.4 * test_unit(&s);
    }
    for (size_t n = 0; n <= N; n += 111) {
        memset(out, 0x55, sizeof out);
        locate_find_many(l, at, n, out);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[i], locate_find(l, at[2 * i], at[2 * i + 1]));
        if (n < N) assert_int_equal(out[n], 0x55555555);
    }
    locate_find_many(NULL, at, 20, out);
    for (size_t i = 0; i < 20; i++) assert_int_equal(out[i], LOCATE_NONE);
    for (int i = 0; i < 300; i++) {
        double x = 118.45 + 0.5 * test_unit(&s), y = 31.85 + 0.4 * test_unit(&s);
        double box[] = {x, y, x + 0.1 * test_unit(&s), y + 0.1 * test_unit(&s)};
        size_t n = locate_in_bbox(l, box, out, N), k = 0;
        for (size_t c = 0; c < p.n; c++) {
            const double *b = p.cell[c]->box;
            if (b[0] > box[2] || b[2] < box[0] || b[1] > box[3] || b[3] < box[1]) continue;
            assert_int_equal(out[k++], c);
        }
        assert_int_equal(n, k);
        out[1] = 77;
        assert_int_equal(locate_in_bbox(l, box, out, 1), n);
        assert_int_equal(out[1], 77);
    }
    locate_unref(l);
    arena_free(a);
}

struct reader {
    struct locate *l;
    uint64_t seed;
    long sum;
};

static void *read_along(void *arg) {
    struct reader *r = arg;
    for (int i = 0; i < 20000; i++) {
        struct locate *own = locate_ref(r->l);
        r->sum +=
            locate_find(own, 118.5 + 0.4 * test_unit(&r->seed), 31.9 + 0.3 * test_unit(&r->seed));
        locate_unref(own);
    }
    locate_unref(r->l);
    return NULL;
}

static void test_threads_share_it(void **state) {
    (void)state;
    struct arena *a = arena_new(64 << 20);
    struct partition p = partition_make(a, 4, 20, 20, 20, city, 0);
    struct locate *l = build(p.cell, p.n);
    pthread_t thread[4];
    struct reader r[4];
    for (int i = 0; i < 4; i++) {
        r[i] = (struct reader){locate_ref(l), 42, 0};
        assert_int_equal(pthread_create(&thread[i], NULL, read_along, &r[i]), 0);
    }
    locate_unref(l);
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 1; i < 4; i++) assert_int_equal(r[i].sum, r[0].sum);
    arena_free(a);
}

static void test_no_memory(void **state) {
    (void)state;
    struct arena *a = arena_new(64 << 20);
    uint64_t s = 5;
    enum { N = 60 };
    const struct polygon *cell[N];
    static const double spot[] = {118.7, 32.0, 118.7001, 32.0001};
    for (size_t i = 0; i < N; i++) cell[i] = star(a, &s, spot, 0.00005, false, false);
    long before = mem_live();
    for (long n = 0;; n++) {
        struct locate *l = NULL;
        mem_fault_arm(n);
        enum err_code rc = locate_build(cell, N, &l, NULL);
        int fired = mem_fault_disarm();
        if (rc == ERR_OK) locate_unref(l);
        assert_int_equal(mem_live(), before);
        if (fired == 0) {
            assert_int_equal(rc, ERR_OK);
            break;
        }
        /* Cutting an array to its size may fail without harm. */
        if (rc != ERR_OK) assert_int_equal(rc, ERR_NOMEM);
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_overlaps_holes_and_tangles),
        cmocka_unit_test(test_crowds),
        cmocka_unit_test(test_thin_and_flat),
        cmocka_unit_test(test_outside_and_nonsense),
        cmocka_unit_test(test_many_and_boxes),
        cmocka_unit_test(test_threads_share_it),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("geo_locate", tests, NULL, NULL);
}
