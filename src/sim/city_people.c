#include <stdio.h>

#include "sim/city_build.h"
#include "sim/city_words.h"

/* ---- places ---- */

static enum err_code add_place(struct arena *a, struct city_plan *p, enum city_place_kind kind,
                               uint32_t cell, const char *zh, const char *en, struct err *err) {
    static const char *const suffix[][2] = {{"学校", " School"},
                                            {"集贸市场", " Market"},
                                            {"客运站", " Bus Station"},
                                            {"政务服务大厅", " Service Hall"},
                                            {"综治中心", " Governance Centre"},
                                            {"医院", " Hospital"},
                                            {"文化广场", " Culture Square"},
                                            {"公园", " Park"}};
    struct city_place *x = &p->place[p->n_place];
    *x = (struct city_place){.kind = kind, .cell = cell, .at = p->cell[cell].inside};
    x->name_zh = arena_printf(a, "%s%s", zh, suffix[kind][0]);
    x->name_en = arena_printf(a, "%s%s", en, suffix[kind][1]);
    if (!x->name_zh || !x->name_en) return err_fail(err, ERR_NOMEM, "no memory for the city");
    p->n_place++;
    return ERR_OK;
}

static uint32_t first_cell(const struct city_plan *p, uint32_t area) {
    while (p->area[area].level < CITY_LEVEL_COMMUNITY) area = p->area[area].first_child;
    return p->area[area].first_child;
}

/* Cells of an area stand in one run of the table. */
static uint32_t end_cell(const struct city_plan *p, uint32_t area) {
    while (p->area[area].level < CITY_LEVEL_COMMUNITY)
        area = p->area[area].first_child + p->area[area].n_child - 1;
    return p->area[area].first_child + p->area[area].n_child;
}

static uint32_t cell_near(const struct city_plan *p, uint32_t area, struct shape_point at) {
    uint32_t best = first_cell(p, area);
    for (uint32_t i = best; i < end_cell(p, area); i++)
        if (city_dist_m(p->cell[i].inside, at) < city_dist_m(p->cell[best].inside, at)) best = i;
    return best;
}

static enum err_code places_of_area(struct arena *a, struct city_plan *p, uint32_t area,
                                    struct err *err) {
    const struct city_area *x = &p->area[area];
    uint32_t cell = cell_near(p, area, x->centre);
    const char *zh = x->name_zh, *en = x->name_en;
    if (x->level == CITY_LEVEL_COMMUNITY) return ERR_OK;
    if (x->level == CITY_LEVEL_CITY) {
        zh = "市";
        en = "City";
    }
    TRY(add_place(a, p, CITY_PLACE_CENTRE, cell, zh, en, err));
    uint32_t span = end_cell(p, area) - first_cell(p, area);
    struct rng r = rng_new(p->seed, 1000 + area);
    TRY(add_place(a, p, CITY_PLACE_HALL, first_cell(p, area) + rng_below(&r, span), zh, en, err));
    if (x->level == CITY_LEVEL_TOWN) return ERR_OK;
    TRY(add_place(a, p, CITY_PLACE_STATION, first_cell(p, area) + rng_below(&r, span), zh, en,
                  err));
    TRY(add_place(a, p, CITY_PLACE_HOSPITAL, first_cell(p, area) + rng_below(&r, span), zh, en,
                  err));
    return add_place(a, p, CITY_PLACE_SQUARE, cell, zh, en, err);
}

static enum err_code place_of_cell(struct arena *a, struct city_plan *p, uint32_t cell,
                                   struct rng *r, struct err *err) {
    const struct city_cell *c = &p->cell[cell];
    const struct city_area *up = &p->area[c->community];
    uint32_t serial = cell - up->first_child + 1;
    bool has_market =
        c->kind == CITY_CELL_MARKET || (c->kind == CITY_CELL_SHOPS && rng_below(r, 6) == 0);
    bool has_school =
        c->kind == CITY_CELL_CAMPUS || (c->kind == CITY_CELL_HOME && rng_below(r, 14) == 0);
    if (!has_market && !has_school && c->kind != CITY_CELL_PARK) return ERR_OK;
    enum city_place_kind kind = has_market   ? CITY_PLACE_MARKET
                                : has_school ? CITY_PLACE_SCHOOL
                                             : CITY_PLACE_PARK;
    const char *zh = arena_printf(a, "%s%u号", up->name_zh, serial);
    const char *en = arena_printf(a, "%s No. %u", up->name_en, serial);
    if (!zh || !en) return err_fail(err, ERR_NOMEM, "no memory for the city");
    return add_place(a, p, kind, cell, zh, en, err);
}

enum err_code city_build_places(struct arena *a, struct city_plan *p, struct err *err) {
    p->place = ARENA_NEW(a, struct city_place, p->n_cell + 5 * p->n_area);
    if (!p->place) return err_fail(err, ERR_NOMEM, "no memory for the city");
    for (uint32_t i = 0; i < p->n_area; i++) TRY(places_of_area(a, p, i, err));
    struct rng r = rng_new(p->seed, 30);
    for (uint32_t i = 0; i < p->n_cell; i++) TRY(place_of_cell(a, p, i, &r, err));
    return ERR_OK;
}

/* ---- departments and posts ---- */

static const char *const unit_name[CITY_N_UNIT_KIND][2] = {
    {"城市管理局", "Urban Management Bureau"},
    {"环境卫生管理所", "Sanitation Office"},
    {"市政设施管理处", "Municipal Works Office"},
    {"园林绿化中心", "Parks and Greenery Centre"},
    {"交警大队", "Traffic Police Brigade"},
    {"水务局", "Water Bureau"},
    {"住房和城乡建设局", "Housing and Construction Bureau"},
    {"生态环境局", "Ecology and Environment Bureau"},
    {"市场监督管理局", "Market Regulation Bureau"},
    {"应急管理局", "Emergency Management Bureau"},
    {"司法局人民调解室", "People's Mediation Office"},
    {"公安分局联络室", "Public Security Liaison Office"},
};

const char *city_unit_duty(enum city_unit_kind kind) {
    static const char *const duty[CITY_N_UNIT_KIND] = {
        "urban",   "sanitation", "works",  "green",     "traffic",   "water",
        "housing", "ecology",    "market", "emergency", "mediation", "police"};
    return duty[kind];
}

static enum err_code add_post(struct arena *a, struct city_plan *p, struct city_post post,
                              struct err *err) {
    uint32_t at = (uint32_t)p->n_post;
    struct city_name n = city_name_person(a, p->seed, at);
    if (!n.zh || !post.title_zh || !post.title_en)
        return err_fail(err, ERR_NOMEM, "no memory for the city");
    post.person_zh = n.zh;
    post.person_en = n.en;
    (void)snprintf(post.phone, sizeof post.phone, "100%08u", at % 100000000U);
    p->post[at] = post;
    p->n_post++;
    return ERR_OK;
}

static enum err_code build_units(struct arena *a, struct city_plan *p, struct err *err) {
    uint32_t n_county = p->level_n[CITY_LEVEL_COUNTY];
    p->unit = ARENA_NEW(a, struct city_unit, (size_t)n_county * CITY_N_UNIT_KIND);
    if (!p->unit) return err_fail(err, ERR_NOMEM, "no memory for the city");
    for (uint32_t i = 0; i < n_county * CITY_N_UNIT_KIND; i++) {
        struct city_unit *u = &p->unit[i];
        u->kind = (enum city_unit_kind)(i % CITY_N_UNIT_KIND);
        u->county = p->level_first[CITY_LEVEL_COUNTY] + i / CITY_N_UNIT_KIND;
        const struct city_area *c = &p->area[u->county];
        (void)snprintf(u->code, sizeof u->code, "%.6sU%02u", c->code, (unsigned)u->kind + 1);
        u->name_zh = arena_printf(a, "%s%s", c->name_zh, unit_name[u->kind][0]);
        u->name_en = arena_printf(a, "%s %s", c->name_en, unit_name[u->kind][1]);
        if (!u->name_zh || !u->name_en) return err_fail(err, ERR_NOMEM, "no memory for the city");
        p->n_unit++;
        u->post = (uint32_t)p->n_post;
        struct city_post post = {.kind = CITY_POST_UNIT,
                                 .area = u->county,
                                 .cell = CITY_NONE,
                                 .unit = i,
                                 .title_zh = "处置专员",
                                 .title_en = "Handler"};
        (void)snprintf(post.code, sizeof post.code, "H%.15s", u->code);
        TRY(add_post(a, p, post, err));
    }
    return ERR_OK;
}

enum err_code city_build_posts(struct arena *a, struct city_plan *p, struct err *err) {
    size_t most = p->n_cell + p->n_area + (size_t)p->level_n[CITY_LEVEL_COUNTY] * CITY_N_UNIT_KIND;
    p->post = ARENA_NEW(a, struct city_post, most);
    if (!p->post) return err_fail(err, ERR_NOMEM, "no memory for the city");
    for (uint32_t i = 0; i < p->n_area; i++) {
        struct city_post post = {.kind = CITY_POST_DESK,
                                 .area = i,
                                 .cell = CITY_NONE,
                                 .unit = CITY_NONE,
                                 .title_zh = arena_printf(a, "%s坐席", p->area[i].name_zh),
                                 .title_en = arena_printf(a, "%s Desk", p->area[i].name_en)};
        (void)snprintf(post.code, sizeof post.code, "D%.12s", p->area[i].code);
        TRY(add_post(a, p, post, err));
    }
    TRY(build_units(a, p, err));
    struct rng r = rng_new(p->seed, 31);
    for (uint32_t i = 0; i < p->n_cell; i++) {
        /* About three cells in a hundred have nobody: the operator must see them. */
        if (rng_below(&r, 100) < 3) continue;
        struct city_cell *c = &p->cell[i];
        struct city_post post = {.kind = CITY_POST_WORKER,
                                 .area = c->community,
                                 .cell = i,
                                 .unit = CITY_NONE,
                                 .title_zh = "网格员",
                                 .title_en = "Grid worker"};
        (void)snprintf(post.code, sizeof post.code, "P%.15s", c->code);
        c->worker = (uint32_t)p->n_post;
        TRY(add_post(a, p, post, err));
    }
    return ERR_OK;
}
