/* The invented city is a true partition: every ring is simple and runs counterclockwise, and the
 * areas of the cells add up to the hull's exactly. For simple rings that turn the same way this
 * leaves no gap and no overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "sim/city_plan.h"

struct fix {
    struct arena *a;
    const struct city_plan *p;
};

static struct fix make(uint64_t seed, size_t n_cell) {
    struct fix f = {arena_new((size_t)512 << 20), NULL};
    struct err err = {0};
    assert_non_null(f.a);
    if (city_plan_build(f.a, seed, n_cell, &f.p, &err) != ERR_OK)
        fail_msg("seed %llu, %zu cells: %s", (unsigned long long)seed, n_cell, err.detail);
    return f;
}

static int64_t cross(struct shape_point a, struct shape_point b, struct shape_point c) {
    return (int64_t)(b.lon_e7 - a.lon_e7) * (c.lat_e7 - a.lat_e7) -
           (int64_t)(b.lat_e7 - a.lat_e7) * (c.lon_e7 - a.lon_e7);
}

static bool on_box(struct shape_point a, struct shape_point b, struct shape_point p) {
    return p.lon_e7 >= (a.lon_e7 < b.lon_e7 ? a.lon_e7 : b.lon_e7) &&
           p.lon_e7 <= (a.lon_e7 > b.lon_e7 ? a.lon_e7 : b.lon_e7) &&
           p.lat_e7 >= (a.lat_e7 < b.lat_e7 ? a.lat_e7 : b.lat_e7) &&
           p.lat_e7 <= (a.lat_e7 > b.lat_e7 ? a.lat_e7 : b.lat_e7);
}

static int sign(int64_t v) { return (v > 0) - (v < 0); }

static bool meet(struct shape_point a, struct shape_point b, struct shape_point c,
                 struct shape_point d) {
    int s1 = sign(cross(a, b, c)), s2 = sign(cross(a, b, d));
    int s3 = sign(cross(c, d, a)), s4 = sign(cross(c, d, b));
    if (s1 * s2 < 0 && s3 * s4 < 0) return true;
    return (s1 == 0 && on_box(a, b, c)) || (s2 == 0 && on_box(a, b, d)) ||
           (s3 == 0 && on_box(c, d, a)) || (s4 == 0 && on_box(c, d, b));
}

static bool ring_is_simple(const struct city_shape *s, const struct shape_ring *r) {
    for (size_t i = 0; i < r->n; i++) {
        struct shape_point a = s->point[r->at[i]], b = s->point[r->at[(i + 1) % r->n]];
        if (a.lon_e7 == b.lon_e7 && a.lat_e7 == b.lat_e7) return false;
        for (size_t j = i + 2; j < r->n; j++) {
            if (i == 0 && j + 1 == r->n) continue;
            if (meet(a, b, s->point[r->at[j]], s->point[r->at[(j + 1) % r->n]])) return false;
        }
        /* A spike turns back on itself. */
        struct shape_point c = s->point[r->at[(i + 2) % r->n]];
        if (cross(a, b, c) == 0 && on_box(a, b, c)) return false;
    }
    return true;
}

static int64_t cell_area(const struct city_plan *p, const struct city_cell *c) {
    return shape_area2(p->shape, &c->outer) + (c->hole.n ? shape_area2(p->shape, &c->hole) : 0);
}

static void check_partition(const struct city_plan *p) {
    int64_t sum = 0;
    size_t vertices = 0, holes = 0;
    for (size_t i = 0; i < p->n_cell; i++) {
        const struct city_cell *c = &p->cell[i];
        if (!ring_is_simple(p->shape, &c->outer)) fail_msg("cell %s crosses itself", c->code);
        assert_true(shape_area2(p->shape, &c->outer) > 0);
        if (c->hole.n) {
            assert_true(shape_area2(p->shape, &c->hole) < 0);
            assert_int_equal(shape_ring_side(p->shape, &c->outer, p->shape->point[c->hole.at[0]]),
                             1);
            holes++;
        }
        sum += cell_area(p, c);
        vertices += c->outer.n;
        assert_true(c->outer.n >= 12 && c->outer.n <= 80);
        assert_true(city_plan_holds(p, (uint32_t)i, c->inside));
    }
    assert_true(ring_is_simple(p->shape, &p->area[0].ring));
    assert_true(sum == shape_area2(p->shape, &p->area[0].ring));
    print_message("%zu cells, %zu with a hole, %.1f vertices a cell\n", p->n_cell, holes,
                  (double)vertices / (double)p->n_cell);
    if (p->n_cell >= 1000) assert_in_range(vertices / p->n_cell, 22, 42);
}

static void cells_part_the_city(void **state) {
    (void)state;
    static const struct {
        uint64_t seed;
        size_t n;
    } city[] = {{1, 5000}, {2, 5000}, {20260101, 5000}, {7, 1000},
                {8, 333},  {9, 40},   {10, 13},         {11, 2}};
    for (size_t i = 0; i < sizeof city / sizeof city[0]; i++) {
        struct fix f = make(city[i].seed, city[i].n);
        check_partition(f.p);
        arena_free(f.a);
    }
}

/* Every directed border step of a cell is met by the opposite step of exactly one neighbour, or
 * lies on the hull. */
struct step {
    uint32_t from, to;
};

static int by_step(const void *a, const void *b) {
    const struct step *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static size_t add_steps(const struct shape_ring *r, struct step *out) {
    for (size_t i = 0; i < r->n; i++) out[i] = (struct step){r->at[i], r->at[(i + 1) % r->n]};
    return r->n;
}

static size_t steps_of_cells(const struct city_plan *p, uint32_t lo, uint32_t hi,
                             struct step *out) {
    size_t n = 0;
    for (uint32_t i = lo; i < hi; i++) {
        n += add_steps(&p->cell[i].outer, out + n);
        n += add_steps(&p->cell[i].hole, out + n);
    }
    return n;
}

static uint32_t edge_cell(const struct city_plan *p, uint32_t area, bool last) {
    while (p->area[area].level < CITY_LEVEL_COMMUNITY)
        area = p->area[area].first_child + (last ? p->area[area].n_child - 1 : 0);
    return p->area[area].first_child + (last ? p->area[area].n_child : 0);
}

/* The steps of the cells lo..hi that no other of them meets are exactly the ring. */
static void check_union(const struct city_plan *p, uint32_t area, struct step *s,
                        struct step *ring) {
    size_t n = steps_of_cells(p, edge_cell(p, area, false), edge_cell(p, area, true), s);
    qsort(s, n, sizeof *s, by_step);
    size_t n_ring = add_steps(&p->area[area].ring, ring), open = 0;
    qsort(ring, n_ring, sizeof *ring, by_step);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) assert_int_not_equal(by_step(&s[i - 1], &s[i]), 0);
        struct step back = {s[i].to, s[i].from};
        if (bsearch(&back, s, n, sizeof *s, by_step)) continue;
        open++;
        if (!bsearch(&s[i], ring, n_ring, sizeof *ring, by_step))
            fail_msg("area %s: a border of a cell is not on its ring", p->area[area].code);
    }
    assert_int_equal(open, n_ring);
}

static void areas_are_unions_of_cells(void **state) {
    (void)state;
    struct fix f = make(1, 5000);
    struct step *s = calloc(400000, sizeof *s), *ring = calloc(400000, sizeof *ring);
    assert_non_null(s);
    assert_non_null(ring);
    for (uint32_t i = 0; i < f.p->n_area; i++) check_union(f.p, i, s, ring);
    free(s);
    free(ring);
    arena_free(f.a);
}

static void a_point_lies_in_one_cell(void **state) {
    (void)state;
    struct fix f = make(3, 1000);
    struct rng r = rng_new(99, 1);
    size_t hit = 0;
    for (int k = 0; k < 4000; k++) {
        struct shape_point q = {1190000000 + (int32_t)rng_below(&r, 6000000),
                                326000000 + (int32_t)rng_below(&r, 5000000)};
        int side = shape_ring_side(f.p->shape, &f.p->area[0].ring, q);
        int n = 0, border = 0;
        for (uint32_t i = 0; i < f.p->n_cell; i++) {
            n += city_plan_holds(f.p, i, q);
            border |= shape_ring_side(f.p->shape, &f.p->cell[i].outer, q) < 0;
        }
        if (!border && side >= 0) assert_int_equal(n, side);
        hit += n > 0;
    }
    assert_in_range(hit, 1500, 3500);
    for (uint32_t i = 0; i < f.p->n_cell; i++)
        assert_true(city_plan_holds(f.p, i, city_plan_point_in(f.p, i, &r)));
    arena_free(f.a);
}

static void counts_and_codes(void **state) {
    (void)state;
    struct fix f = make(1, 5000);
    const struct city_plan *p = f.p;
    assert_int_equal(p->level_n[CITY_LEVEL_COUNTY], 5);
    assert_int_equal(p->level_n[CITY_LEVEL_TOWN], 40);
    assert_int_equal(p->level_n[CITY_LEVEL_COMMUNITY], 400);
    assert_int_equal(p->n_cell, 5000);
    for (size_t i = 0; i < p->n_area; i++) {
        const struct city_area *a = &p->area[i];
        assert_int_equal(strlen(a->code), 12);
        assert_int_equal(strncmp(a->code, "9901", 4), 0);
        if (a->level == CITY_LEVEL_CITY) continue;
        if (i > p->level_first[a->level]) assert_true(strcmp(a[-1].code, a->code) < 0);
        static const size_t keep[] = {4, 4, 6, 9};
        assert_int_equal(strncmp(p->area[a->parent].code, a->code, keep[a->level]), 0);
        for (uint32_t k = 0; k < i; k++)
            if (p->area[k].level == a->level && p->area[k].parent == a->parent) {
                assert_string_not_equal(p->area[k].name_zh, a->name_zh);
                assert_string_not_equal(p->area[k].name_en, a->name_en);
            }
    }
    size_t vacant = 0;
    for (size_t i = 0; i < p->n_cell; i++) {
        const struct city_cell *c = &p->cell[i];
        assert_int_equal(strlen(c->code), 15);
        assert_int_equal(strncmp(p->area[c->community].code, c->code, 12), 0);
        if (i > 0) assert_true(strcmp(c[-1].code, c->code) < 0);
        vacant += c->worker == CITY_NONE;
    }
    assert_in_range(vacant, 80, 240);
    arena_free(f.a);
}

static void streets_posts_and_places(void **state) {
    (void)state;
    struct fix f = make(1, 5000);
    const struct city_plan *p = f.p;
    assert_int_equal(p->street[0].kind, CITY_STREET_RIVER);
    size_t named = 0, by_river = 0, urban = 0;
    for (size_t i = 1; i < p->n_street; i++) {
        assert_int_not_equal(p->street[i].kind, CITY_STREET_RIVER);
        assert_true(p->street[i].n >= 2);
        named += p->street[i].name_zh != NULL;
    }
    assert_in_range(named, 350, 450);
    assert_int_equal(p->n_unit, 60);
    for (size_t i = 0; i < p->n_post; i++) {
        const struct city_post *x = &p->post[i];
        assert_int_equal(strlen(x->phone), 11);
        assert_int_equal(strncmp(x->phone, "100", 3), 0);
        if (x->kind == CITY_POST_WORKER) assert_int_equal(p->cell[x->cell].worker, i);
        if (x->kind == CITY_POST_UNIT) assert_int_equal(p->unit[x->unit].post, i);
    }
    size_t kinds[8] = {0};
    for (size_t i = 0; i < p->n_place; i++) {
        kinds[p->place[i].kind]++;
        assert_true(city_plan_holds(p, p->place[i].cell, p->place[i].at));
    }
    for (int i = 0; i < 8; i++) assert_true(kinds[i] > 0);
    for (size_t i = 0; i < p->n_cell; i++) by_river += p->cell[i].river_m < 600;
    for (uint32_t i = 1; i <= 5; i++) urban += p->area[i].is_urban;
    assert_in_range(by_river, 40, 1500);
    print_message("%zu cells by the river, %zu of 5 counties are urban\n", by_river, urban);
    assert_in_range(urban, 1, 4);
    arena_free(f.a);
}

static void same_seed_same_city(void **state) {
    (void)state;
    struct fix f = make(5, 700), g = make(5, 700), h = make(6, 700);
    assert_int_equal(f.p->shape->n_point, g.p->shape->n_point);
    size_t bytes = f.p->shape->n_point * sizeof *f.p->shape->point;
    assert_memory_equal(f.p->shape->point, g.p->shape->point, bytes);
    for (size_t i = 0; i < f.p->n_cell; i++) {
        assert_string_equal(f.p->cell[i].code, g.p->cell[i].code);
        assert_string_equal(f.p->cell[i].name_zh, g.p->cell[i].name_zh);
        assert_int_equal(f.p->cell[i].residents, g.p->cell[i].residents);
    }
    for (size_t i = 0; i < f.p->n_post; i++)
        assert_string_equal(f.p->post[i].person_zh, g.p->post[i].person_zh);
    assert_memory_not_equal(f.p->shape->point, h.p->shape->point, 1000);
    arena_free(f.a);
    arena_free(g.a);
    arena_free(h.a);
}

static void wrong_sizes_are_refused(void **state) {
    (void)state;
    long live = mem_live();
    struct arena *a = arena_new(1 << 20);
    const struct city_plan *p;
    struct err err = {0};
    assert_int_equal(city_plan_build(a, 1, 1, &p, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "2 to 100000"));
    assert_int_equal(city_plan_build(a, 1, 100001, &p, &err), ERR_INVALID);
    /* One MiB cannot hold 5000 cells; nothing may leak. */
    assert_int_equal(city_plan_build(a, 1, 5000, &p, &err), ERR_NOMEM);
    arena_free(a);
    assert_int_equal(mem_live(), live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_part_the_city),      cmocka_unit_test(areas_are_unions_of_cells),
        cmocka_unit_test(a_point_lies_in_one_cell), cmocka_unit_test(counts_and_codes),
        cmocka_unit_test(streets_posts_and_places), cmocka_unit_test(same_seed_same_city),
        cmocka_unit_test(wrong_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
