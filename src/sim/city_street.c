#include <math.h>

#include "base/mem.h"
#include "sim/city_build.h"
#include "sim/city_words.h"

/* The first line of the shape parts the whole city: it is the river. */
static enum city_street_kind kind_of(const struct shape_line *l, size_t i) {
    return i == 0 ? CITY_STREET_RIVER : (enum city_street_kind)l->level;
}

static enum err_code name_streets(struct arena *a, struct city_plan *p, struct err *err) {
    size_t n = 0;
    for (size_t i = 0; i < p->n_street; i++) {
        struct city_street *s = &p->street[i];
        struct city_name name = {"格演河", "Geyan River"};
        if (s->kind == CITY_STREET_LANE) continue;
        if (s->kind != CITY_STREET_RIVER)
            name = city_name_at(a, p->seed, CITY_NAME_ROAD, n++, (int)s->kind - 1);
        if (!name.zh) return err_fail(err, ERR_NOMEM, "no memory for the city");
        s->name_zh = name.zh;
        s->name_en = name.en;
    }
    return ERR_OK;
}

/* street_of[point] = the named street of the highest rank through it, or CITY_NONE; the river is
 * street 0. */
static void mark_points(const struct city_plan *p, uint32_t *street_of) {
    for (size_t i = 0; i < p->shape->n_point; i++) street_of[i] = CITY_NONE;
    for (uint32_t i = 0; i < p->n_street; i++) {
        const struct city_street *s = &p->street[i];
        if (s->kind == CITY_STREET_LANE) continue;
        for (size_t k = 0; k < s->n; k++) {
            uint32_t old = street_of[s->at[k]];
            if (old == CITY_NONE || p->street[old].kind > s->kind) street_of[s->at[k]] = i;
        }
    }
}

static void set_cell(struct city_plan *p, struct city_cell *c, const uint32_t *street_of) {
    const struct city_street *river = &p->street[0];
    c->river_m = INFINITY;
    for (size_t k = 0; k < c->outer.n; k++) {
        uint32_t s = street_of[c->outer.at[k]];
        if (s == 0) c->river_m = 0;
        if (s == CITY_NONE || s == 0) continue;
        if (c->street == CITY_NONE || p->street[c->street].kind > p->street[s].kind) c->street = s;
    }
    for (size_t k = 0; k < river->n && c->river_m > 0; k++)
        c->river_m = fmin(c->river_m, city_dist_m(c->inside, p->shape->point[river->at[k]]));
}

enum err_code city_build_streets(struct arena *a, struct city_plan *p, struct err *err) {
    const struct city_shape *s = p->shape;
    p->street = ARENA_NEW(a, struct city_street, s->n_line);
    if (!p->street) return err_fail(err, ERR_NOMEM, "no memory for the city");
    p->n_street = s->n_line;
    for (size_t i = 0; i < s->n_line; i++)
        p->street[i] =
            (struct city_street){kind_of(&s->line[i], i), NULL, NULL, s->line[i].at, s->line[i].n};
    TRY(name_streets(a, p, err));
    uint32_t *street_of = mem_new(s->n_point, sizeof *street_of);
    if (!street_of) return err_fail(err, ERR_NOMEM, "no memory for the city");
    mark_points(p, street_of);
    for (size_t i = 0; i < p->n_cell; i++) set_cell(p, &p->cell[i], street_of);
    mem_free(street_of);
    return ERR_OK;
}
