#include "sim/city_year.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/year_inside.h"

const char *year_channel_name(enum year_channel c) {
    static const char *const name[] = {"resident", "hotline", "patrol", "department"};
    return name[c];
}

const char *year_move_name(enum year_move m) {
    static const char *const name[] = {
#define X(id, text) text,
        YEAR_MOVES(X)
#undef X
    };
    return name[m];
}

static int by_time(const void *a, const void *b) {
    const struct year_seed *x = a, *y = b;
    if (x->open_us != y->open_us) return x->open_us < y->open_us ? -1 : 1;
    return (x->stream > y->stream) - (x->stream < y->stream);
}

static enum err_code check(const struct year_params *p, struct err *err) {
    if (p->n_case < 100 || p->n_case > 5000000)
        return err_fail(err, ERR_INVALID, "a year has 100 to 5000000 cases, not %zu", p->n_case);
    if (p->n_cls < 1 || p->n_cls > 1000)
        return err_fail(err, ERR_INVALID, "a year has 1 to 1000 classes, not %zu", p->n_cls);
    if (p->utc_offset_s < -50400 || p->utc_offset_s > 50400)
        return err_fail(err, ERR_INVALID, "the zone is at most 14 hours from UTC");
    for (size_t i = 0; i < p->n_cls; i++)
        if (!(p->cls[i].weight > 0) || !(p->cls[i].handle_h > 0) || !isfinite(p->cls[i].weight))
            return err_fail(err, ERR_INVALID, "class %s needs a weight and hours above 0",
                            p->cls[i].id);
    return ERR_OK;
}

enum err_code city_year_new(struct arena *a, const struct city_plan *plan,
                            const struct year_params *params, const struct city_year **out,
                            struct err *err) {
    TRY(check(params, err));
    struct city_year *y = ARENA_NEW(a, struct city_year, 1);
    if (!y) return err_fail(err, ERR_NOMEM, "no memory for the year");
    y->plan = plan;
    y->params = *params;
    y->from_us = params->until_us - YEAR_DAYS * YEAR_DAY_US;
    y->seed = ARENA_NEW(a, struct year_seed, params->n_case);
    y->number_of = ARENA_NEW(a, uint32_t, params->n_case);
    if (!y->seed || !y->number_of) return err_fail(err, ERR_NOMEM, "no memory for the year");
    TRY(year_draw_seeds(y, err));
    qsort(y->seed, params->n_case, sizeof *y->seed, by_time);
    for (uint32_t i = 0; i < params->n_case; i++) y->number_of[y->seed[i].stream] = i;
    *out = y;
    return ERR_OK;
}

size_t city_year_count(const struct city_year *y) { return y->params.n_case; }

struct shape_point year_place(const struct city_year *y, const struct year_seed *s) {
    struct rng r = rng_new(y->params.seed, 2000002 + (uint64_t)s->stream * 4);
    if (s->original == CITY_NONE) return city_plan_point_in(y->plan, s->cell, &r);
    struct shape_point o = year_place(y, &y->seed[y->number_of[s->original]]);
    /* Another phone, another step: some ten metres off, in the same cell. 90 units are about one
     * metre. */
    for (int tries = 0; tries < 20; tries++) {
        struct shape_point p = {o.lon_e7 + (int32_t)lround(900 * rng_normal(&r)),
                                o.lat_e7 + (int32_t)lround(900 * rng_normal(&r))};
        if (city_plan_holds(y->plan, s->cell, p) && city_dist_m(p, o) < 30) return p;
    }
    return o;
}

static void set_reporter(const struct city_year *y, const struct year_seed *s,
                         struct year_case *c) {
    struct rng r = rng_new(y->params.seed, 2000003 + (uint64_t)s->stream * 4);
    c->reporter = CITY_NONE;
    c->contact[0] = '\0';
    c->photo = rng_below(&r, 100) < 62 && !c->is_private ? 1 + s->stream * 32 + 31 : 0;
    if (c->channel == YEAR_BY_PATROL) c->reporter = y->plan->cell[c->cell].worker;
    if (c->channel == YEAR_BY_DEPARTMENT) {
        enum city_unit_kind kind = y->params.cls[s->cls].unit;
        c->reporter = y->plan->unit[year_unit_of(y, c->cell, kind)].post;
    }
    if (c->reporter == CITY_NONE && (c->is_private || rng_below(&r, 100) < 60))
        (void)snprintf(c->contact, sizeof c->contact, "100%08u",
                       20000000 + rng_below(&r, 70000000));
}

void city_year_case(const struct city_year *y, size_t i, struct year_case *out) {
    const struct year_seed *s = &y->seed[i];
    out->number = (uint32_t)i;
    out->open_us = s->open_us;
    out->cls = s->cls;
    out->channel = (enum year_channel)s->channel;
    out->cell = s->cell;
    out->is_private = (y->params.cls[s->cls].traits & YEAR_PRIVATE) != 0;
    out->has_place = !out->is_private;
    out->at = year_place(y, s);
    out->duplicate_of = s->original == CITY_NONE ? CITY_NONE : y->number_of[s->original];
    out->planted = s->planted;
    set_reporter(y, s, out);
    year_text(y, s, out);
    year_route(y, s, out);
}

/* ---- planted.json ---- */

struct writer {
    const struct city_year *y;
    const char *(*code_of)(void *arg, uint32_t number);
    void *arg;
    struct jw w;
};

static void write_number(struct writer *p, uint32_t number) {
    const char *code = p->code_of ? p->code_of(p->arg, number) : NULL;
    if (code)
        jw_str(&p->w, code);
    else
        jw_int(&p->w, number);
}

/* Cases that carry the bit: their count and numbers; for duplicates pairs of [case, original]. */
static void write_cases(struct writer *p, enum year_planted_bit bit) {
    struct year_case c;
    int64_t n = 0;
    jw_key(&p->w, "cases");
    jw_arr(&p->w);
    for (size_t i = 0; i < city_year_count(p->y); i++) {
        /* LAZY and GAMED come from the route, the others stand in the seed. */
        if (bit < YEAR_IS_LAZY || bit == YEAR_IS_OPEN_NOW) {
            if (!(p->y->seed[i].planted & bit)) continue;
        }
        city_year_case(p->y, i, &c);
        if (!(c.planted & (unsigned)bit)) continue;
        n++;
        if (bit == YEAR_IS_DUPLICATE) {
            jw_arr(&p->w);
            write_number(p, c.number);
            write_number(p, c.duplicate_of);
            jw_end(&p->w, ']');
        } else
            write_number(p, c.number);
    }
    jw_end(&p->w, ']');
    jw_kint(&p->w, "count", n);
}

static void write_classes(struct writer *p, unsigned trait) {
    jw_key(&p->w, "classes");
    jw_arr(&p->w);
    for (size_t i = 0; i < p->y->params.n_cls; i++)
        if (p->y->params.cls[i].traits & trait) jw_str(&p->w, p->y->params.cls[i].id);
    jw_end(&p->w, ']');
}

static void write_wave(struct writer *p, const char *kind, const struct year_where *where,
                       unsigned trait, enum year_planted_bit bit) {
    const struct city_plan *plan = p->y->plan;
    jw_obj(&p->w);
    jw_kstr(&p->w, "kind", kind);
    jw_ktime(&p->w, "from", where->from_us);
    jw_ktime(&p->w, "to", where->to_us);
    if (bit == YEAR_IS_FLOOD) {
        jw_kstr(&p->w, "place", "cells along the river");
    } else {
        jw_kstr(&p->w, "cell", plan->cell[where->cell].code);
        jw_kdouble(&p->w, "lon", city_lon(plan->cell[where->cell].inside));
        jw_kdouble(&p->w, "lat", city_lat(plan->cell[where->cell].inside));
    }
    jw_kdouble(&p->w, "radius_m", where->radius_m);
    if (where->cls == CITY_NONE)
        write_classes(p, trait);
    else {
        jw_key(&p->w, "classes");
        jw_arr(&p->w);
        jw_str(&p->w, p->y->params.cls[where->cls].id);
        jw_end(&p->w, ']');
    }
    write_cases(p, bit);
    jw_end(&p->w, '}');
}

static void write_unit(struct writer *p, const char *kind, uint32_t unit, int64_t from_us,
                       enum year_planted_bit bit) {
    jw_obj(&p->w);
    jw_kstr(&p->w, "kind", kind);
    jw_kstr(&p->w, "unit", p->y->plan->unit[unit].code);
    jw_kstr(&p->w, "unit_name", p->y->plan->unit[unit].name_zh);
    jw_ktime(&p->w, "from", from_us);
    jw_ktime(&p->w, "to", p->y->params.until_us);
    write_cases(p, bit);
    jw_end(&p->w, '}');
}

static void write_simple(struct writer *p, const char *kind, enum year_planted_bit bit) {
    jw_obj(&p->w);
    jw_kstr(&p->w, "kind", kind);
    write_cases(p, bit);
    jw_end(&p->w, '}');
}

void city_year_write_planted(const struct city_year *y,
                             const char *(*code_of)(void *arg, uint32_t number), void *arg,
                             struct buf *out) {
    struct writer p = {.y = y, .code_of = code_of, .arg = arg};
    jw_init(&p.w, out);
    jw_obj(&p.w);
    jw_kstr(&p.w, "city", y->plan->area[0].name_en);
    jw_kint(&p.w, "seed", (int64_t)y->params.seed);
    jw_ktime(&p.w, "from", y->from_us);
    jw_ktime(&p.w, "until", y->params.until_us);
    jw_kint(&p.w, "cases", (int64_t)y->params.n_case);
    jw_key(&p.w, "planted");
    jw_arr(&p.w);
    write_wave(&p, "festival", &y->festival, YEAR_FESTIVAL, YEAR_IS_FESTIVAL);
    write_wave(&p, "flood", &y->flood, YEAR_FLOOD, YEAR_IS_FLOOD);
    write_wave(&p, "cluster", &y->cluster[0], 0, YEAR_IS_CLUSTER_A);
    write_wave(&p, "cluster", &y->cluster[1], 0, YEAR_IS_CLUSTER_B);
    write_unit(&p, "lazy_department", y->lazy_unit, y->from_us, YEAR_IS_LAZY);
    write_unit(&p, "gaming_team", y->gaming_unit, y->gaming_from_us, YEAR_IS_GAMED);
    write_simple(&p, "duplicates", YEAR_IS_DUPLICATE);
    write_simple(&p, "open_now", YEAR_IS_OPEN_NOW);
    jw_end(&p.w, ']');
    jw_end(&p.w, '}');
}
