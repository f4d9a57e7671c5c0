/* The ASEM reference cases (COINr 1.1.14 on its example data) as the composite index takes them. */
#ifndef TEST_NUM_COMPOSITE_ASEM_H
#define TEST_NUM_COMPOSITE_ASEM_H
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "num/composite/composite.h"
#include "study/table/table.h"

#define REFERENCE SOURCE_DIR "/../shared/data/reference/index/"
#define COINR SOURCE_DIR "/../shared/data/03-reference/composite-asem/"

static inline bool asem_absent(void) {
    if (access(REFERENCE "asem.raw.csv", R_OK) == 0) return false;
    (void)printf("skipped: %s is not there\n", REFERENCE);
    return true;
}

static inline const struct table *asem_table(struct arena *a, const char *path) {
    const struct table *t;
    struct err err;
    if (table_load(a, path, ',', 100000, &t, &err) != ERR_OK) fail_msg("%s", err.detail);
    return t;
}

static inline size_t asem_column(const struct table *t, const char *name) {
    size_t col;
    struct err err;
    if (table_column(t, name, true, &col, &err) != ERR_OK) fail_msg("%s", err.detail);
    return col;
}

static inline double asem_number(const struct table *t, size_t row, const char *column) {
    double v;
    struct err err;
    if (table_number(t, row, asem_column(t, column), true, &v, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return v;
}

static inline size_t asem_row(const struct table *t, const char *column, const char *key) {
    size_t col = asem_column(t, column);
    for (size_t i = 0; i < t->n_row; i++) {
        if (strcmp(table_text(t, i, col), key) == 0) return i;
    }
    fail_msg("%s: no row %s", t->path, key);
    return 0;
}

struct asem {
    struct arena *a;
    struct composite_tree tree;
    struct composite_data data;
    const struct table *raw;
    char **code, **area;
};

static inline uint32_t asem_node(const struct asem *s, const char *code) {
    for (size_t i = 0; i < s->tree.n_node; i++) {
        if (strcmp(s->code[i], code) == 0) return (uint32_t)i;
    }
    return COMPOSITE_NONE;
}

/* Values of a table (uCode, then indicators) as a matrix, indicator-major. */
static inline double *asem_matrix(struct asem *s, const struct table *t) {
    size_t n = s->data.n_area;
    double *v = ARENA_NEW(s->a, double, s->tree.n_ind *n);
    for (size_t j = 0; j < n; j++) {
        size_t row = asem_row(t, "uCode", s->area[j]);
        for (size_t i = 0; i < s->tree.n_ind; i++) v[i * n + j] = asem_number(t, row, s->code[i]);
    }
    return v;
}

static inline void asem_framework(struct asem *s) {
    const struct table *m = asem_table(s->a, REFERENCE "asem.meta.csv");
    size_t n = m->n_row;
    uint8_t *level = ARENA_NEW(s->a, uint8_t, n);
    uint32_t *parent = ARENA_NEW(s->a, uint32_t, n);
    int8_t *direction = ARENA_NEW(s->a, int8_t, n);
    double *weight = ARENA_NEW(s->a, double, n);
    s->code = ARENA_NEW(s->a, char *, n);
    size_t *from = ARENA_NEW(s->a, size_t, n);
    for (int l = 1; l <= 4; l++) {
        for (size_t i = 0; i < n; i++) {
            if ((int)asem_number(m, i, "Level") != l) continue;
            size_t to = s->tree.n_node++;
            from[to] = i;
            level[to] = (uint8_t)l;
            direction[to] = (int8_t)asem_number(m, i, "Direction");
            weight[to] = asem_number(m, i, "Weight");
            s->code[to] = arena_strdup(s->a, table_text(m, i, asem_column(m, "iCode")));
            if (l == 1) s->tree.n_ind++;
        }
    }
    for (size_t k = 0; k < n; k++)
        parent[k] = asem_node(s, table_text(m, from[k], asem_column(m, "Parent")));
    s->tree.n_level = 4;
    s->tree.code = (const char *const *)s->code;
    s->tree.level = level;
    s->tree.parent = parent;
    s->tree.direction = direction;
    s->tree.weight = weight;
    struct err err;
    if (composite_tree_init(&s->tree, s->a, &err) != ERR_OK) fail_msg("%s", err.detail);
}

static inline struct asem asem_load(void) {
    struct asem s = {.a = test_arena()};
    asem_framework(&s);
    s.raw = asem_table(s.a, REFERENCE "asem.raw.csv");
    size_t n = s.data.n_area = s.raw->n_row;
    s.area = ARENA_NEW(s.a, char *, n);
    for (size_t j = 0; j < n; j++) s.area[j] = arena_strdup(s.a, table_text(s.raw, j, 0));
    s.data.area = (const char *const *)s.area;
    s.data.value = asem_matrix(&s, s.raw);
    static const char *const denominator[] = {"GDP", "Population", "Area", "Energy"};
    const struct table *d = asem_table(s.a, REFERENCE "asem.denominators.csv");
    const struct table *map = asem_table(s.a, REFERENCE "asem.denominator_map.csv");
    double *by = ARENA_NEW(s.a, double, 4 * n);
    uint32_t *of = ARENA_NEW(s.a, uint32_t, s.tree.n_ind), *group = ARENA_NEW(s.a, uint32_t, n);
    for (size_t j = 0; j < n; j++) {
        size_t row = asem_row(d, "uCode", s.area[j]);
        for (size_t k = 0; k < 4; k++) by[k * n + j] = asem_number(d, row, denominator[k]);
        group[j] =
            strcmp(table_text(d, row, asem_column(d, "EurAsia_group")), "Europe") == 0 ? 0 : 1;
    }
    for (size_t i = 0; i < s.tree.n_ind; i++) {
        size_t row = asem_row(map, "iCode", s.code[i]);
        const char *name = table_text(map, row, asem_column(map, "Denominator"));
        of[i] = COMPOSITE_NONE;
        for (uint32_t k = 0; k < 4; k++)
            if (strcmp(name, denominator[k]) == 0) of[i] = k;
    }
    s.data.group = group;
    s.data.n_denominator = 4;
    s.data.denominator = by;
    s.data.denominator_of = of;
    return s;
}

/* The choices of the reference: group means, winsorising, equal (given) weights, min-max. */
static inline struct composite_spec asem_spec(const struct composite_norm *norm,
                                              enum composite_agg_kind agg) {
    struct composite_spec s = {
        .denominate = true,
        .impute = {.kind = COMPOSITE_IMPUTE_GROUP_MEAN},
        .screen = {.kind = COMPOSITE_SCREEN_MISSING, .min_share = 0.9},
        .treat = {.first = COMPOSITE_TREAT_WINSORISE, .second = COMPOSITE_TREAT_LOG_CT},
        .normalise = {.n_norm = 1, .norm = norm}};
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) s.aggregate.level[k].kind = agg;
    return s;
}

/* Prints the digits reached by a quantity and fails below those asked for. error is relative to the
 * value, or to a thousandth of the largest of its row where the value is about 0. */
struct digits {
    const char *what;
    double worst;
    size_t n;
};
static inline void digits_add(struct digits *d, double got, double want, double row_size) {
    if (isnan(got) || isnan(want)) {
        if (isnan(got) != isnan(want)) fail_msg("%s: %g, expected %g", d->what, got, want);
        return;
    }
    double size = fmax(fabs(want), 1e-3 * row_size);
    double error = got == want ? 0 : fabs(got - want) / size;
    if (error > d->worst) d->worst = error;
    d->n++;
}
static inline void digits_end(const struct digits *d, double least) {
    double reached = d->worst == 0 ? 17 : -log10(d->worst);
    (void)printf("digits index %s %.1f (%zu values)\n", d->what, reached, d->n);
    assert_true(d->n > 0);
    if (reached < least) fail_msg("%s: %.2f digits, %.1f asked for", d->what, reached, least);
}
/* A matrix (n_row x n) against a table by code and area. */
static inline void digits_matrix(const struct asem *s, const char *what, const double *got,
                                 const char *path, size_t first, size_t n_row, double least) {
    const struct table *t = asem_table(s->a, path);
    struct digits d = {.what = what};
    size_t n = s->data.n_area;
    for (size_t i = 0; i < n_row; i++) {
        double size = 0;
        for (size_t j = 0; j < n; j++)
            size = fmax(size, fabs(asem_number(t, j, s->code[first + i])));
        for (size_t j = 0; j < n; j++) {
            size_t row = asem_row(t, "uCode", s->area[j]);
            digits_add(&d, got[i * n + j], asem_number(t, row, s->code[first + i]), size);
        }
    }
    digits_end(&d, least);
}
#endif
