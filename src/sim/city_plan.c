#include "sim/city_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/city_build.h"
#include "sim/city_words.h"

enum { LEVEL_CELL = SHAPE_N_LEVEL - 1 };

/* Mean radius of the Earth (IUGG) and the cosine of the city's middle latitude, 32.85 degrees. */
static const double M_PER_E7 = 6371008.8 * 3.14159265358979323846 / 180 * 1e-7;
static const double COS_LAT = 0.84009368628;

double city_dist_m(struct shape_point a, struct shape_point b) {
    return M_PER_E7 * hypot(COS_LAT * (double)(a.lon_e7 - b.lon_e7), (double)(a.lat_e7 - b.lat_e7));
}

double city_lon(struct shape_point p) { return (double)p.lon_e7 / 1e7; }

double city_lat(struct shape_point p) { return (double)p.lat_e7 / 1e7; }

uint32_t city_plan_ancestor(const struct city_plan *p, uint32_t area, enum city_level level) {
    while (p->area[area].level > level) area = p->area[area].parent;
    return area;
}

static bool holds(const struct city_shape *s, const struct shape_ring *outer,
                  const struct shape_ring *hole, struct shape_point at) {
    return shape_ring_side(s, outer, at) == 1 &&
           (hole->n == 0 || shape_ring_side(s, hole, at) == 0);
}

bool city_plan_holds(const struct city_plan *p, uint32_t cell, struct shape_point at) {
    const struct city_cell *c = &p->cell[cell];
    if (at.lon_e7 < c->min.lon_e7 || at.lon_e7 > c->max.lon_e7 || at.lat_e7 < c->min.lat_e7 ||
        at.lat_e7 > c->max.lat_e7)
        return false;
    return holds(p->shape, &c->outer, &c->hole, at);
}

/* ---- a point inside ---- */

static struct shape_point centroid(const struct city_shape *s, const struct shape_ring *r) {
    struct shape_point o = s->point[r->at[0]];
    double sx = 0, sy = 0, sum = 0;
    for (size_t i = 0; i < r->n; i++) {
        struct shape_point a = s->point[r->at[i]], b = s->point[r->at[(i + 1) % r->n]];
        double ax = a.lon_e7 - o.lon_e7, ay = a.lat_e7 - o.lat_e7;
        double bx = b.lon_e7 - o.lon_e7, by = b.lat_e7 - o.lat_e7, cross = ax * by - bx * ay;
        sx += cross * (ax + bx);
        sy += cross * (ay + by);
        sum += cross;
    }
    return (struct shape_point){o.lon_e7 + (int32_t)lround(sx / (3 * sum)),
                                o.lat_e7 + (int32_t)lround(sy / (3 * sum))};
}

static int by_double(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Crossings of the rings with a parallel; the middle of the widest piece inside. */
static double widest_on(const struct city_shape *s, const struct shape_ring *const ring[2],
                        int32_t lat, double *x, struct shape_point *best) {
    size_t n = 0;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < ring[k]->n; i++) {
            struct shape_point a = s->point[ring[k]->at[i]];
            struct shape_point b = s->point[ring[k]->at[(i + 1) % ring[k]->n]];
            if ((a.lat_e7 > lat) == (b.lat_e7 > lat)) continue;
            x[n++] = a.lon_e7 + (double)(lat - a.lat_e7) * (b.lon_e7 - a.lon_e7) /
                                    (double)(b.lat_e7 - a.lat_e7);
        }
    qsort(x, n, sizeof *x, by_double);
    double width = 0;
    for (size_t i = 0; i + 1 < n; i += 2)
        if (x[i + 1] - x[i] > width) {
            width = x[i + 1] - x[i];
            *best = (struct shape_point){(int32_t)lround((x[i] + x[i + 1]) / 2), lat};
        }
    return width;
}

static void bounds(const struct city_shape *s, const struct shape_ring *r, struct shape_point *min,
                   struct shape_point *max) {
    *min = *max = s->point[r->at[0]];
    for (size_t i = 1; i < r->n; i++) {
        struct shape_point p = s->point[r->at[i]];
        if (p.lon_e7 < min->lon_e7) min->lon_e7 = p.lon_e7;
        if (p.lon_e7 > max->lon_e7) max->lon_e7 = p.lon_e7;
        if (p.lat_e7 < min->lat_e7) min->lat_e7 = p.lat_e7;
        if (p.lat_e7 > max->lat_e7) max->lat_e7 = p.lat_e7;
    }
}

static enum err_code inside_point(const struct city_shape *s, const struct shape_ring *outer,
                                  const struct shape_ring *hole, struct shape_point *out,
                                  struct err *err) {
    *out = centroid(s, outer);
    if (holds(s, outer, hole, *out)) return ERR_OK;
    const struct shape_ring *const ring[2] = {outer, hole};
    double *x = mem_new(outer->n + hole->n, sizeof *x), width = 0;
    if (!x) return err_fail(err, ERR_NOMEM, "no memory for the city");
    struct shape_point min, max, p = *out;
    bounds(s, outer, &min, &max);
    for (int k = 1; k < 12; k++) {
        int32_t lat = min.lat_e7 + (max.lat_e7 - min.lat_e7) / 12 * k;
        double w = widest_on(s, ring, lat, x, &p);
        if (w > width) {
            width = w;
            *out = p;
        }
    }
    mem_free(x);
    if (!holds(s, outer, hole, *out)) return err_fail(err, ERR_NUMERIC, "a cell has no inside");
    return ERR_OK;
}

static bool is_dry(const struct city_plan *p, const struct city_cell *c, struct shape_point at) {
    const struct city_street *river = &p->street[0];
    if (c->river_m > 0) return true;
    for (size_t i = 0; i + 1 < river->n; i++) {
        struct shape_point a = p->shape->point[river->at[i]];
        struct shape_point b = p->shape->point[river->at[i + 1]];
        /* Foot of the perpendicular on the segment, in degrees: exact enough for a river bank. */
        double dx = b.lon_e7 - a.lon_e7, dy = b.lat_e7 - a.lat_e7;
        double f =
            ((at.lon_e7 - a.lon_e7) * dx + (at.lat_e7 - a.lat_e7) * dy) / (dx * dx + dy * dy);
        f = f < 0 ? 0 : f > 1 ? 1 : f;
        struct shape_point foot = {a.lon_e7 + (int32_t)lround(f * dx),
                                   a.lat_e7 + (int32_t)lround(f * dy)};
        if (city_dist_m(at, foot) < CITY_RIVER_HALF_M + 3) return false;
    }
    return true;
}

struct shape_point city_plan_point_in(const struct city_plan *p, uint32_t cell, struct rng *r) {
    const struct city_cell *c = &p->cell[cell];
    bool at_street = rng_below(r, 10) < 6;
    for (int tries = 0; tries < 40; tries++) {
        struct shape_point q;
        if (at_street && tries < 8) {
            uint32_t k = rng_below(r, (uint32_t)c->outer.n);
            struct shape_point a = p->shape->point[c->outer.at[k]];
            struct shape_point b = p->shape->point[c->outer.at[(k + 1) % c->outer.n]];
            /* The ring runs counterclockwise: the inside lies to the left of a -> b. */
            double f = rng_unit(r), dx = b.lon_e7 - a.lon_e7, dy = b.lat_e7 - a.lat_e7;
            double in = (4 + 10 * rng_unit(r)) / (M_PER_E7 * hypot(dx, dy));
            q = (struct shape_point){a.lon_e7 + (int32_t)lround(f * dx - in * dy),
                                     a.lat_e7 + (int32_t)lround(f * dy + in * dx)};
        } else
            q = (struct shape_point){
                c->min.lon_e7 + (int32_t)(rng_unit(r) * (c->max.lon_e7 - c->min.lon_e7)),
                c->min.lat_e7 + (int32_t)(rng_unit(r) * (c->max.lat_e7 - c->min.lat_e7))};
        if (city_plan_holds(p, cell, q) && is_dry(p, c, q)) return q;
    }
    return c->inside;
}

/* ---- order of siblings ---- */

struct sibling {
    uint32_t node;
    struct shape_point at;
    uint32_t row;
};

static int by_north(const void *a, const void *b) {
    const struct sibling *x = a, *y = b;
    if (x->at.lat_e7 != y->at.lat_e7) return x->at.lat_e7 > y->at.lat_e7 ? -1 : 1;
    return x->node < y->node ? -1 : 1;
}

static int by_row_then_west(const void *a, const void *b) {
    const struct sibling *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    if (x->at.lon_e7 != y->at.lon_e7) return x->at.lon_e7 < y->at.lon_e7 ? -1 : 1;
    return x->node < y->node ? -1 : 1;
}

/* Rows of about sqrt(n) siblings from north to south, inside a row from west to east. */
static void sort_siblings(struct sibling *s, size_t n) {
    size_t per_row = (size_t)ceil(sqrt((double)n));
    qsort(s, n, sizeof *s, by_north);
    for (size_t i = 0; i < n; i++) s[i].row = (uint32_t)(i / per_row);
    qsort(s, n, sizeof *s, by_row_then_west);
}

/* ---- areas ---- */

/* Towns and communities are urban by their distance from the middle, with some luck. */
static bool is_urban(const struct city_plan *p, const struct city_area *a, struct rng *r) {
    static const double reach_m[CITY_N_AREA_LEVEL] = {1e9, 0, 9000, 10000};
    double luck = 0.75 + 0.5 * rng_unit(r);
    return city_dist_m(a->centre, p->centre) < reach_m[a->level] * luck;
}

/* The three of five counties nearest to the middle are districts. */
static void pick_districts(struct city_plan *p, uint32_t first, uint32_t n) {
    for (uint32_t i = first; i < first + n; i++) {
        double m = city_dist_m(p->area[i].centre, p->centre);
        uint32_t nearer = 0;
        for (uint32_t k = first; k < first + n; k++)
            nearer += city_dist_m(p->area[k].centre, p->centre) < m;
        p->area[i].is_urban = nearer * 5 < n * 3;
    }
}

/* Serial of an area among its siblings: urban and rural ones count apart (domain facts 4.1). */
static void set_code(const struct city_plan *p, struct city_area *a, uint32_t n_same) {
    const char *up = a->parent == CITY_NONE ? "" : p->area[a->parent].code;
    uint32_t serial = n_same + 1;
    switch (a->level) {
    case CITY_LEVEL_CITY:
        (void)snprintf(a->code, sizeof a->code, "990100000000");
        break;
    case CITY_LEVEL_COUNTY:
        (void)snprintf(a->code, sizeof a->code, "%.4s%02u000000", up,
                       (a->is_urban ? serial : serial + 20) % 100);
        break;
    case CITY_LEVEL_TOWN:
        (void)snprintf(a->code, sizeof a->code, "%.6s%03u000", up,
                       (a->is_urban ? serial : serial + 99) % 1000);
        break;
    default:
        (void)snprintf(a->code, sizeof a->code, "%.9s%03u", up,
                       (a->is_urban ? serial : serial + 199) % 1000);
    }
}

static enum err_code set_area(struct arena *arena, struct city_plan *p, uint32_t index,
                              uint32_t nth, struct err *err) {
    struct city_area *a = &p->area[index];
    struct city_name n = {"格治演示市（虚构）", "Gezhi Demo City (invented)"};
    static const enum city_name_kind kind[] = {0, CITY_NAME_COUNTY, CITY_NAME_TOWN,
                                               CITY_NAME_COMMUNITY};
    int form = a->is_urban ? 0 : 1;
    if (a->level == CITY_LEVEL_COUNTY && !a->is_urban && nth % 2) form = 2;
    if (a->level != CITY_LEVEL_CITY) n = city_name_at(arena, p->seed, kind[a->level], nth, form);
    if (!n.zh) return err_fail(err, ERR_NOMEM, "no memory for the city");
    a->name_zh = n.zh;
    a->name_en = n.en;
    return ERR_OK;
}

/* While building: the shape's node of each area, and room to sort siblings. */
struct build {
    struct arena *arena;
    struct city_plan *p;
    uint32_t *node;
    struct sibling *tmp;
};

static uint32_t load_siblings(const struct build *b, int level, uint32_t first, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) {
        const struct shape_node *sn = &b->p->shape->node[level][first + k];
        b->tmp[k] = (struct sibling){first + k, centroid(b->p->shape, &sn->outer), 0};
    }
    sort_siblings(b->tmp, n);
    return n;
}

static enum err_code add_area(struct build *b, enum city_level level, uint32_t up, uint32_t node,
                              uint32_t at, struct rng *r, struct err *err) {
    const struct shape_node *sn = &b->p->shape->node[level][node];
    const struct shape_ring none = {NULL, 0};
    struct city_area *a = &b->p->area[at];
    *a =
        (struct city_area){.level = level, .parent = up, .n_child = sn->n_child, .ring = sn->outer};
    b->node[at] = node;
    TRY(inside_point(b->p->shape, &a->ring, &none, &a->centre, err));
    if (level == CITY_LEVEL_CITY) b->p->centre = a->centre;
    a->is_urban = is_urban(b->p, a, r);
    return ERR_OK;
}

/* Rural siblings stand behind urban ones, so that the order of codes is the order of the table. */
static void put_urban_first(struct build *b, uint32_t first, uint32_t n) {
    for (uint32_t i = first + 1; i < first + n; i++) {
        struct city_area a = b->p->area[i];
        uint32_t node = b->node[i], k = i;
        for (; k > first && a.is_urban && !b->p->area[k - 1].is_urban; k--) {
            b->p->area[k] = b->p->area[k - 1];
            b->node[k] = b->node[k - 1];
        }
        b->p->area[k] = a;
        b->node[k] = node;
    }
}

static enum err_code build_level(struct build *b, enum city_level level, struct err *err) {
    struct city_plan *p = b->p;
    struct rng r = rng_new(p->seed, 10 + (uint64_t)level);
    uint32_t at = p->level_first[level];
    if (level == CITY_LEVEL_CITY) {
        TRY(add_area(b, level, CITY_NONE, 0, at, &r, err));
        set_code(p, &p->area[0], 0);
        return set_area(b->arena, p, 0, 0, err);
    }
    uint32_t first_up = p->level_first[level - 1];
    for (uint32_t up = first_up; up < first_up + p->level_n[level - 1]; up++) {
        uint32_t first = at;
        const struct shape_node *sn = &p->shape->node[level - 1][b->node[up]];
        load_siblings(b, (int)level, sn->first_child, sn->n_child);
        for (uint32_t k = 0; k < sn->n_child; k++)
            TRY(add_area(b, level, up, b->tmp[k].node, at++, &r, err));
        if (level == CITY_LEVEL_COUNTY) pick_districts(p, first, at - first);
        put_urban_first(b, first, at - first);
        p->area[up].first_child = first;
        uint32_t same[2] = {0, 0};
        for (uint32_t i = first; i < at; i++) {
            set_code(p, &p->area[i], same[p->area[i].is_urban]++);
            TRY(set_area(b->arena, p, i, i - p->level_first[level], err));
        }
    }
    return ERR_OK;
}

/* ---- cells ---- */

static enum city_cell_kind pick_kind(const struct city_cell *c, bool urban, struct rng *r) {
    uint32_t k = rng_below(r, 100);
    if (c->is_enclave)
        return k < 45 ? CITY_CELL_CAMPUS : k < 75 ? CITY_CELL_PARK : CITY_CELL_MARKET;
    if (c->hole.n) return CITY_CELL_HOME;
    if (!urban) return k < 62 ? CITY_CELL_FARM : k < 70 ? CITY_CELL_INDUSTRY : CITY_CELL_HOME;
    if (c->centre_m < 4500)
        return k < 26 ? CITY_CELL_SHOPS : k < 30 ? CITY_CELL_PARK : CITY_CELL_HOME;
    return k < 10   ? CITY_CELL_SHOPS
           : k < 22 ? CITY_CELL_INDUSTRY
           : k < 26 ? CITY_CELL_PARK
                    : CITY_CELL_HOME;
}

static uint32_t pick_residents(enum city_cell_kind kind, struct rng *r) {
    static const uint32_t most[] = {1500, 1100, 260, 40, 320, 90, 520};
    return most[kind] / 2 + rng_below(r, most[kind] / 2 + 1);
}

static enum err_code add_cell(struct build *b, uint32_t community, uint32_t node, uint32_t serial,
                              uint32_t at, struct rng *r, struct err *err) {
    struct city_plan *p = b->p;
    const struct city_shape *s = p->shape;
    const struct shape_node *sn = &s->node[LEVEL_CELL][node];
    struct city_cell *c = &p->cell[at];
    *c = (struct city_cell){.community = community,
                            .outer = sn->outer,
                            .hole = sn->hole,
                            .street = CITY_NONE,
                            .worker = CITY_NONE};
    /* An enclave follows the cell around it in the shape. */
    c->is_enclave = node > 0 && s->node[LEVEL_CELL][node - 1].hole.n > 0;
    bounds(s, &c->outer, &c->min, &c->max);
    TRY(inside_point(s, &c->outer, &c->hole, &c->inside, err));
    c->centre_m = city_dist_m(c->inside, p->centre);
    const struct city_area *up = &p->area[community];
    (void)snprintf(c->code, sizeof c->code, "%.12s%03u", up->code, serial % 1000);
    c->kind = pick_kind(c, up->is_urban, r);
    c->residents = pick_residents(c->kind, r);
    c->name_zh = arena_printf(b->arena, "%s第%02u网格", up->name_zh, serial);
    c->name_en = arena_printf(b->arena, "%s Grid %02u", up->name_en, serial);
    if (!c->name_zh || !c->name_en) return err_fail(err, ERR_NOMEM, "no memory for the city");
    return ERR_OK;
}

static enum err_code build_cells(struct build *b, struct err *err) {
    struct city_plan *p = b->p;
    struct rng r = rng_new(p->seed, 20);
    uint32_t at = 0, first = p->level_first[CITY_LEVEL_COMMUNITY];
    for (uint32_t up = first; up < first + p->level_n[CITY_LEVEL_COMMUNITY]; up++) {
        const struct shape_node *sn = &p->shape->node[CITY_LEVEL_COMMUNITY][b->node[up]];
        p->area[up].first_child = at;
        load_siblings(b, LEVEL_CELL, sn->first_child, sn->n_child);
        for (uint32_t k = 0; k < sn->n_child; k++)
            TRY(add_cell(b, up, b->tmp[k].node, k + 1, at++, &r, err));
    }
    return ERR_OK;
}

static enum err_code fill(struct build *b, struct err *err) {
    struct city_plan *p = b->p;
    for (int l = 0; l < CITY_N_AREA_LEVEL; l++) TRY(build_level(b, (enum city_level)l, err));
    TRY(build_cells(b, err));
    TRY(city_build_streets(b->arena, p, err));
    TRY(city_build_places(b->arena, p, err));
    return city_build_posts(b->arena, p, err);
}

enum err_code city_plan_build(struct arena *a, uint64_t seed, size_t n_cell,
                              const struct city_plan **out, struct err *err) {
    struct city_plan *p = ARENA_NEW(a, struct city_plan, 1);
    if (!p) return err_fail(err, ERR_NOMEM, "no memory for the city");
    p->seed = seed;
    TRY(city_shape_build(a, seed, n_cell, &p->shape, err));
    for (int l = 0; l < CITY_N_AREA_LEVEL; l++) {
        p->level_first[l] = (uint32_t)p->n_area;
        p->level_n[l] = (uint32_t)p->shape->n_node[l];
        p->n_area += p->shape->n_node[l];
    }
    p->n_cell = n_cell;
    p->area = ARENA_NEW(a, struct city_area, p->n_area);
    p->cell = ARENA_NEW(a, struct city_cell, n_cell);
    if (!p->area || !p->cell) return err_fail(err, ERR_NOMEM, "no memory for the city");
    struct build b = {.arena = a, .p = p};
    b.node = mem_new(p->n_area, sizeof *b.node);
    b.tmp = mem_new(n_cell, sizeof *b.tmp);
    enum err_code rc =
        b.node && b.tmp ? fill(&b, err) : err_fail(err, ERR_NOMEM, "no memory for the city");
    mem_free(b.node);
    mem_free(b.tmp);
    TRY(rc);
    *out = p;
    return ERR_OK;
}
