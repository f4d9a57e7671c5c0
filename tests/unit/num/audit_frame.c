#include "../base/testing.h"

#include <math.h>

#include "audit_frame.h"

static const char *name_of(struct arena *a, char kind, size_t i) {
    return arena_printf(a, "%c%zu", kind, i + 1);
}

struct place {
    char kind;
    uint8_t level;
    uint32_t parent;
};
static struct place place_of(size_t i, size_t n_ind, size_t n_pillar, bool deep) {
    size_t pillars = n_ind + n_pillar, top = pillars + (deep ? 2 : 0);
    if (i < n_ind) return (struct place){'i', 1, (uint32_t)(n_ind + i % n_pillar)};
    if (i < pillars)
        return (struct place){'p', 2, deep ? (uint32_t)(pillars + i % 2) : (uint32_t)top};
    if (i < top) return (struct place){'x', 3, (uint32_t)top};
    return (struct place){'x', deep ? 4 : 3, COMPOSITE_NONE};
}

struct frame frame_new(struct arena *a, struct rng *r, size_t n_ind, size_t n_pillar, bool deep,
                       size_t n_area, bool gaps) {
    struct frame f;
    size_t n_upper = deep ? 2 : 0, n_node = n_ind + n_pillar + n_upper + 1;
    const char **code = ARENA_NEW(a, const char *, n_node);
    const char **area = ARENA_NEW(a, const char *, n_area);
    uint8_t *level = ARENA_NEW(a, uint8_t, n_node);
    uint32_t *parent = ARENA_NEW(a, uint32_t, n_node);
    uint32_t *group = ARENA_NEW(a, uint32_t, n_area);
    int8_t *direction = ARENA_NEW(a, int8_t, n_ind);
    uint32_t *denominator_of = ARENA_NEW(a, uint32_t, n_ind);
    memset(&f, 0, sizeof f);
    f.weight = ARENA_NEW(a, double, n_node);
    f.value = ARENA_NEW(a, double, n_ind *n_area);
    f.denominator = ARENA_NEW(a, double, n_area);
    for (size_t i = 0; i < n_node; i++) {
        struct place at = place_of(i, n_ind, n_pillar, deep);
        code[i] = name_of(a, at.kind, i);
        level[i] = at.level;
        parent[i] = at.parent;
        f.weight[i] = 0.5 + rng_unit(r);
    }
    for (size_t i = 0; i < n_ind; i++) {
        direction[i] = i % 4 == 3 ? -1 : 1;
        denominator_of[i] = i % 3 == 0 ? 0 : COMPOSITE_NONE;
    }
    for (size_t j = 0; j < n_area; j++) {
        double factor = rng_normal(r);
        area[j] = name_of(a, 'a', j);
        group[j] = (uint32_t)(j % 3);
        f.denominator[j] = 50.0 + 100.0 * rng_unit(r);
        for (size_t i = 0; i < n_ind; i++) {
            double v = exp(0.3 * (direction[i] * factor + rng_normal(r))) * 100.0;
            f.value[i * n_area + j] = gaps && rng_unit(r) < 0.04 ? NAN : v;
        }
    }
    f.tree = (struct composite_tree){.n_ind = n_ind,
                                     .n_node = n_node,
                                     .n_level = deep ? 4 : 3,
                                     .code = code,
                                     .level = level,
                                     .parent = parent,
                                     .direction = direction,
                                     .weight = f.weight};
    assert_int_equal(composite_tree_init(&f.tree, a, NULL), ERR_OK);
    f.data = (struct composite_data){.n_area = n_area,
                                     .value = f.value,
                                     .area = area,
                                     .group = group,
                                     .n_denominator = 1,
                                     .denominator = f.denominator,
                                     .denominator_of = denominator_of};
    return f;
}

struct composite_spec frame_spec(const struct composite_norm *norm, enum composite_agg_kind kind,
                                 double power) {
    struct composite_spec s;
    memset(&s, 0, sizeof s);
    s.denominate = true;
    s.normalise = (struct composite_normalise){.n_norm = 1, .norm = norm};
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++)
        s.aggregate.level[k] = (struct composite_agg){.kind = kind, .power = power};
    return s;
}
