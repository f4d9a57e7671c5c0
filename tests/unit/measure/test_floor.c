/* The floor of figures over random trees: what is hidden cannot be had from all that is told, at
 * any level, by adding and subtracting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "domain/measure/figure_floor.h"

enum { MAX_AREAS = 160, TREES = 3000 };

struct tree {
    struct grid grid;
    struct grid_area area[MAX_AREAS];
    double size[MAX_AREAS];
    size_t n;
    unsigned char hidden[MAX_AREAS];
};

static size_t add_area(struct tree *t, int level, int parent) {
    t->area[t->n] = (struct grid_area){.code = "x", .level = level, .parent = parent};
    t->size[t->n] = 0;
    return t->n++;
}

/* City, counties, towns, communities; the sizes of the lowest add up. Some have no areas below. */
static void draw_tree(struct rng *r, struct tree *t) {
    static const uint32_t ranges[] = {3, 12, 40, 200};
    memset(t, 0, sizeof *t);
    (void)add_area(t, LEVEL_CITY, GRID_NONE);
    uint32_t range = ranges[rng_below(r, 4)];
    for (size_t i = 0; i < t->n; i++) {
        int level = t->area[i].level;
        size_t n = level == LEVEL_COMMUNITY ? 0 : 1 + rng_below(r, 4);
        for (size_t k = 0; k < n && t->n < MAX_AREAS; k++) (void)add_area(t, level + 1, (int)i);
    }
    for (size_t i = t->n; i-- > 0;) {
        bool leaf = true;
        for (size_t k = i + 1; k < t->n; k++) leaf = leaf && t->area[k].parent != (int)i;
        if (leaf) t->size[i] = rng_below(r, range);
        if (t->area[i].parent != GRID_NONE) t->size[t->area[i].parent] += t->size[i];
    }
    t->grid = (struct grid){.areas = t->area, .n_areas = t->n};
}

static void hide(struct tree *t, const struct indicator_def *d, const struct pack_set *packs) {
    for (int level = LEVEL_CITY; level <= LEVEL_COMMUNITY; level++) {
        const struct grid_area *area[MAX_AREAS];
        struct indicator_value value[MAX_AREAS];
        unsigned char hidden[MAX_AREAS];
        struct area_view v = {.grid = &t->grid, .level = level, .area = area};
        struct err err = {0};
        struct arena *a = arena_new(1 << 20);
        for (size_t i = 0; i < t->n; i++) {
            if (t->area[i].level != level) continue;
            value[v.n] = (struct indicator_value){VALUE_OK, t->size[i], t->size[i], NAN};
            area[v.n++] = &t->area[i];
        }
        assert_int_equal(figure_floor(packs, d, &v, value, t->hidden, a, hidden, &err), ERR_OK);
        for (size_t i = 0; i < v.n; i++) t->hidden[area[i] - t->area] = hidden[i];
        arena_free(a);
    }
}

static double m[MAX_AREAS][MAX_AREAS];

/* "An area is the sum of those below it", over what is hidden: a row an area, a column an unknown.
 * Gives the rows; *n the unknowns. */
static size_t equations(const struct tree *t, size_t *n) {
    size_t col[MAX_AREAS], rows = 0;
    *n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->hidden[i] != 0) col[i] = (*n)++;
    memset(m, 0, sizeof m);
    for (size_t p = 0; p < t->n; p++) {
        size_t below = 0;
        for (size_t i = p + 1; i < t->n; i++) {
            if (t->area[i].parent != (int)p) continue;
            below++;
            if (t->hidden[i] != 0) m[rows][col[i]] = 1;
        }
        if (below > 0 && t->hidden[p] != 0) m[rows][col[p]] = -1;
        rows += below > 0;
    }
    return rows;
}

static void swap_rows(size_t a, size_t b, size_t n) {
    for (size_t k = 0; k < n; k++) {
        double x = m[a][k];
        m[a][k] = m[b][k];
        m[b][k] = x;
    }
}

/* Takes the column out of every row but `at`. */
static void eliminate(size_t at, size_t c, size_t rows, size_t n) {
    double lead = m[at][c];
    for (size_t k = 0; k < n; k++) m[at][k] /= lead;
    for (size_t i = 0; i < rows; i++) {
        double f = i == at ? 0 : m[i][c];
        for (size_t k = 0; k < n; k++) m[i][k] -= f * m[at][k];
    }
}

/* Row echelon form: an unknown that stands alone in a row is known. */
static size_t solved(const struct tree *t) {
    size_t n = 0, at = 0, alone = 0, rows = equations(t, &n);
    for (size_t c = 0; c < n && at < rows; c++) {
        size_t pivot = at;
        while (pivot < rows && fabs(m[pivot][c]) < 1e-9) pivot++;
        if (pivot == rows) continue;
        swap_rows(at, pivot, n);
        eliminate(at++, c, rows, n);
    }
    for (size_t i = 0; i < at; i++) {
        size_t k = 0;
        for (size_t c = 0; c < n; c++) k += fabs(m[i][c]) > 1e-9;
        alone += k == 1;
    }
    return alone;
}

static double hidden_below(const struct tree *t, size_t parent) {
    double sum = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->area[i].parent == (int)parent && t->hidden[i] != 0) sum += t->size[i];
    return sum;
}

static void test_nothing_by_subtraction(void **state) {
    static struct tree t;
    struct indicator_def d = {
        .name = "d", .measure = MEASURE_COUNT, .guarded = true, .of = "", .to = ""};
    struct pack_set packs = {.indicators = &d, .n_indicators = 1};
    struct rng r = rng_new(17, 0);
    size_t hidden = 0, told = 0;
    (void)state;
    for (int k = 0; k < TREES; k++) {
        draw_tree(&r, &t);
        hide(&t, &d, &packs);
        for (size_t i = 0; i < t.n; i++) {
            if (t.size[i] < FIGURE_FLOOR) assert_true(t.hidden[i] != 0);
            hidden += t.hidden[i] != 0;
            told += t.hidden[i] == 0;
        }
        if (solved(&t) > 0) fail_msg("tree %d: %zu hidden figures can be had", k, solved(&t));
        /* Nor is the sum of those that are hidden below one that is told a small one. */
        for (size_t i = 0; i < t.n; i++)
            if (t.hidden[i] == 0)
                assert_true(hidden_below(&t, i) == 0 || hidden_below(&t, i) >= FIGURE_FLOOR);
    }
    print_message("%zu figures told, %zu hidden, none of them to be had\n", told, hidden);
    assert_true(hidden > 1000 && told > 1000);
}

/* ---- over time: months and their year */

enum { MONTHS = 4, YEAR = MONTHS, PERIODS, SMALL_AREAS = 24 };

struct table_of_year {
    struct tree month[PERIODS]; /* the last is the year */
};

static void draw_year(struct rng *r, struct table_of_year *t) {
    struct tree *first = &t->month[0], *year = &t->month[YEAR];
    do draw_tree(r, first);
    while (first->n > SMALL_AREAS);
    for (int k = 1; k < PERIODS; k++) {
        t->month[k] = *first;
        memset(t->month[k].size, 0, sizeof first->size);
        t->month[k].grid.areas = t->month[k].area;
    }
    for (int k = 1; k < MONTHS; k++)
        for (size_t i = first->n; i-- > 0;) {
            bool leaf = true;
            for (size_t j = i + 1; j < first->n; j++)
                leaf = leaf && first->area[j].parent != (int)i;
            if (leaf) t->month[k].size[i] = rng_below(r, 30);
            int up = first->area[i].parent;
            if (up != GRID_NONE) t->month[k].size[up] += t->month[k].size[i];
        }
    for (int k = 0; k < MONTHS; k++)
        for (size_t i = 0; i < first->n; i++) year->size[i] += t->month[k].size[i];
}

static size_t unknown_of(const struct table_of_year *t, size_t col[PERIODS][SMALL_AREAS]) {
    size_t n = 0;
    for (int k = 0; k < PERIODS; k++)
        for (size_t i = 0; i < t->month[k].n; i++)
            col[k][i] = t->month[k].hidden[i] != 0 ? n++ : SIZE_MAX;
    return n;
}

/* One period: each area that has others below it is their sum. Returns how many rows it wrote from
 * `rows` on. */
static size_t tree_equations(const struct tree *t, const size_t col[SMALL_AREAS], size_t rows) {
    size_t from = rows;
    for (size_t p = 0; p < t->n; p++) {
        size_t below = 0;
        for (size_t i = p + 1; i < t->n; i++) {
            if (t->area[i].parent != (int)p) continue;
            below++;
            if (col[i] != SIZE_MAX) m[rows][col[i]] = 1;
        }
        if (below > 0 && col[p] != SIZE_MAX) m[rows][col[p]] = -1;
        rows += below > 0;
    }
    return rows - from;
}

/* "An area is the sum of those below it" in every period, and "the year is the sum of its months"
 * in every area. */
static size_t year_equations(const struct table_of_year *t, size_t *n) {
    size_t col[PERIODS][SMALL_AREAS], rows = 0;
    *n = unknown_of(t, col);
    memset(m, 0, sizeof m);
    for (int k = 0; k < PERIODS; k++) rows += tree_equations(&t->month[k], col[k], rows);
    for (size_t i = 0; i < t->month[0].n; i++, rows++)
        for (int k = 0; k < PERIODS; k++)
            if (col[k][i] != SIZE_MAX) m[rows][col[k][i]] = k == YEAR ? -1 : 1;
    return rows;
}

/* Hidden months that can be had; a year whose months are all told is no secret. */
static size_t months_had(const struct table_of_year *t) {
    size_t col[PERIODS][SMALL_AREAS], n = 0, at = 0, had = 0, rows = year_equations(t, &n);
    (void)unknown_of(t, col);
    for (size_t c = 0; c < n && at < rows; c++) {
        size_t pivot = at;
        while (pivot < rows && fabs(m[pivot][c]) < 1e-9) pivot++;
        if (pivot == rows) continue;
        swap_rows(at, pivot, n);
        eliminate(at++, c, rows, n);
    }
    for (size_t i = 0; i < at; i++) {
        size_t k = 0, which = 0;
        for (size_t c = 0; c < n; c++)
            if (fabs(m[i][c]) > 1e-9) {
                k++;
                which = c;
            }
        for (int p = 0; k == 1 && p < MONTHS; p++)
            for (size_t j = 0; j < t->month[p].n; j++) had += col[p][j] == which;
    }
    return had;
}

/* The rule of figure_floor_of for years: told only where all months are. */
static void hide_years(struct table_of_year *t) {
    for (size_t i = 0; i < t->month[0].n; i++)
        for (int k = 0; k < MONTHS; k++)
            if (t->month[k].hidden[i] != 0) t->month[YEAR].hidden[i] = 1;
}

static void test_no_month_from_its_year(void **state) {
    static struct table_of_year t;
    struct indicator_def d = {
        .name = "d", .measure = MEASURE_COUNT, .guarded = true, .of = "", .to = ""};
    struct pack_set packs = {.indicators = &d, .n_indicators = 1};
    struct rng r = rng_new(23, 0);
    size_t told = 0, without = 0;
    (void)state;
    for (int k = 0; k < 400; k++) {
        draw_year(&r, &t);
        for (int p = 0; p < PERIODS; p++) hide(&t.month[p], &d, &packs);
        without += months_had(&t) > 0;
        hide_years(&t);
        for (size_t i = 0; i < t.month[0].n; i++) told += t.month[YEAR].hidden[i] == 0;
        if (months_had(&t) > 0)
            fail_msg("table %d: %zu hidden months can be had", k, months_had(&t));
    }
    print_message("%zu years told; without the rule %zu of 400 tables give a month away\n", told,
                  without);
    assert_true(told > 50 && without > 50);
}

/* The check itself sees a figure that can be had. */
static void test_the_check_sees(void **state) {
    static struct tree t;
    (void)state;
    size_t city = add_area(&t, LEVEL_CITY, GRID_NONE);
    for (int k = 0; k < 3; k++) (void)add_area(&t, LEVEL_COUNTY, (int)city);
    t.hidden[2] = 1;
    assert_int_equal(solved(&t), 1);
    t.hidden[3] = 1;
    assert_int_equal(solved(&t), 0);
    t.area[0].level = LEVEL_CITY;
}

static void test_guard_is_inherited(void **state) {
    struct indicator_def d[] = {
        {.name = "crimes", .measure = MEASURE_FIGURE, .guarded = true, .of = "", .to = ""},
        {.name = "deep", .measure = MEASURE_AGAINST, .of = "rate", .to = ""},
        {.name = "open", .measure = MEASURE_COUNT, .of = "", .to = ""},
        {.name = "rate", .measure = MEASURE_RATIO, .of = "crimes", .to = "open"},
    };
    struct pack_set packs = {.indicators = d, .n_indicators = 4};
    const struct indicator_value rate = {VALUE_OK, 0.0003, 3, 10000},
                                 none = {VALUE_NO_DATA, NAN, NAN, NAN};
    (void)state;
    assert_true(figure_guarded(&packs, &d[0]) && figure_guarded(&packs, &d[3]));
    assert_true(figure_guarded(&packs, &d[1]));
    assert_false(figure_guarded(&packs, &d[2]));
    /* Three crimes among ten thousand residents are three matters. */
    assert_true(figure_size(&packs, &d[3], &rate) == 3);
    /* Fifty among three cases are three. */
    const struct indicator_value many = {VALUE_OK, 16.7, 50, 3};
    assert_true(figure_size(&packs, &d[3], &many) == 3);
    assert_true(figure_size(&packs, &d[3], &none) == 0);
    assert_true(figure_size(&packs, &d[0], &(struct indicator_value){VALUE_OK, 12, 12, NAN}) == 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_by_subtraction),
        cmocka_unit_test(test_no_month_from_its_year),
        cmocka_unit_test(test_the_check_sees),
        cmocka_unit_test(test_guard_is_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
