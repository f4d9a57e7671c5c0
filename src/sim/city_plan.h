/* sim/city_plan.h - the invented city 格治演示市（虚构） / Gezhi Demo City (invented) as data:
 * areas, cells, streets, places, departments and posts, from a seed. Nothing in it is real: the
 * division prefix 99 is not given to any province, staff are made up, and no telephone network has
 * numbers that begin with 100 and have 11 digits. Pure: the same seed and counts give the same
 * bits; the plan is immutable, so any thread may read it. */
#ifndef SIM_CITY_PLAN_H
#define SIM_CITY_PLAN_H
#include <stdbool.h>

#include "base/rng.h"
#include "sim/city_shape.h"

#define CITY_NONE UINT32_MAX
enum { CITY_RIVER_HALF_M = 40 }; /* from the river's middle to its bank */

enum city_level {
    CITY_LEVEL_CITY = 0,
    CITY_LEVEL_COUNTY = 1,
    CITY_LEVEL_TOWN = 2,
    CITY_LEVEL_COMMUNITY = 3,
    CITY_N_AREA_LEVEL = 4
};
/* Division or community: code of 12 digits, laid out 2 + 2 + 2 + 3 + 3 (domain facts 4.1). */
struct city_area {
    enum city_level level;
    uint32_t parent;               /* index into city_plan.area; CITY_NONE for the city */
    uint32_t first_child, n_child; /* in area; for a community in cell */
    char code[13];
    const char *name_zh, *name_en;
    bool is_urban; /* 区, 街道, 社区; else 县/市, 镇, 村 */
    struct shape_ring ring;
    struct shape_point centre; /* inside */
};
enum city_cell_kind {
    CITY_CELL_HOME = 0,
    CITY_CELL_SHOPS = 1,
    CITY_CELL_INDUSTRY = 2,
    CITY_CELL_PARK = 3,
    CITY_CELL_CAMPUS = 4,
    CITY_CELL_MARKET = 5,
    CITY_CELL_FARM = 6
};
/* Grid cell: 15 digits = its community's 12 + a serial of 3 from west to east, then north to south.
 */
struct city_cell {
    char code[16];
    uint32_t community; /* index into area */
    const char *name_zh, *name_en;
    enum city_cell_kind kind;
    bool is_enclave; /* its whole border is the hole of another cell of the community */
    struct shape_ring outer, hole;
    struct shape_point inside; /* strictly inside */
    struct shape_point min, max;
    uint32_t street; /* index into street, a named one; CITY_NONE */
    uint32_t worker; /* index into post; CITY_NONE: deliberately without anyone */
    uint32_t residents;
    double river_m;  /* from the inside point to the river's middle; 0 when the cell lies on it */
    double centre_m; /* from the inside point to the middle of the city */
};
enum city_street_kind {
    CITY_STREET_RIVER = 0,  /* the river's middle line, not a street */
    CITY_STREET_AVENUE = 1, /* between counties */
    CITY_STREET_ROAD = 2,   /* between towns */
    CITY_STREET_STREET = 3, /* between communities */
    CITY_STREET_LANE = 4    /* between cells; unnamed */
};
struct city_street {
    enum city_street_kind kind;
    const char *name_zh, *name_en; /* NULL for a lane */
    const uint32_t *at;            /* indices into the shape's points */
    size_t n;
};
enum city_place_kind {
    CITY_PLACE_SCHOOL = 0,
    CITY_PLACE_MARKET = 1,
    CITY_PLACE_STATION = 2,
    CITY_PLACE_HALL = 3,   /* government service hall */
    CITY_PLACE_CENTRE = 4, /* governance centre 综治中心 */
    CITY_PLACE_HOSPITAL = 5,
    CITY_PLACE_SQUARE = 6, /* where the festival is held */
    CITY_PLACE_PARK = 7
};
struct city_place {
    enum city_place_kind kind;
    uint32_t cell;
    struct shape_point at;
    const char *name_zh, *name_en;
};
enum city_unit_kind {
    CITY_UNIT_URBAN = 0,      /* 城市管理 */
    CITY_UNIT_SANITATION = 1, /* 环境卫生 */
    CITY_UNIT_WORKS = 2,      /* 市政设施 */
    CITY_UNIT_GREEN = 3,      /* 园林绿化 */
    CITY_UNIT_TRAFFIC = 4,    /* 交警 */
    CITY_UNIT_WATER = 5,      /* 水务 */
    CITY_UNIT_HOUSING = 6,    /* 住建 */
    CITY_UNIT_ECOLOGY = 7,    /* 生态环境 */
    CITY_UNIT_MARKET = 8,     /* 市场监管 */
    CITY_UNIT_EMERGENCY = 9,  /* 应急 */
    CITY_UNIT_MEDIATION = 10, /* 司法调解 */
    CITY_UNIT_POLICE = 11,    /* 公安联络 */
    CITY_N_UNIT_KIND = 12
};
/* Department of a county: index = county (0..) * CITY_N_UNIT_KIND + kind. */
struct city_unit {
    char code[16]; /* county's 6 digits + "U" + 2 digits */
    enum city_unit_kind kind;
    uint32_t county; /* index into area */
    const char *name_zh, *name_en;
    uint32_t post; /* its handler */
};
enum city_post_kind {
    CITY_POST_WORKER = 0, /* grid worker 网格员 */
    CITY_POST_DESK = 1,   /* governance-centre desk of an area */
    CITY_POST_UNIT = 2    /* handler of a department */
};
struct city_post {
    char code[20]; /* "P" + cell, "D" + area, "H" + unit */
    enum city_post_kind kind;
    uint32_t area; /* desk: its area; worker: the community; handler: the county */
    uint32_t cell; /* worker only */
    uint32_t unit; /* handler only */
    const char *title_zh, *title_en;
    const char *person_zh, *person_en; /* invented */
    char phone[12];                    /* 100 + 8 digits */
};
struct city_plan {
    uint64_t seed;
    const struct city_shape *shape;
    struct city_area *area; /* city, counties, towns, communities; inside a level by code */
    size_t n_area;
    uint32_t level_first[CITY_N_AREA_LEVEL], level_n[CITY_N_AREA_LEVEL];
    struct city_cell *cell; /* by code */
    size_t n_cell;
    struct city_street *street; /* street[0] is the river */
    size_t n_street;
    struct city_place *place;
    size_t n_place;
    struct city_unit *unit;
    size_t n_unit;
    struct city_post
        *post; /* post[i] is the desk of area[i] for i < n_area; handlers and workers follow */
    size_t n_post;
    struct shape_point centre;
};

/* A city of n_cell cells (2..100000; 5000 gives 5 counties, 40 towns, 400 communities). Owned by
 * the arena: about 3 kB a cell. Errors: ERR_INVALID, ERR_NOMEM, ERR_NUMERIC. */
enum err_code city_plan_build(struct arena *a, uint64_t seed, size_t n_cell,
                              const struct city_plan **out, struct err *err) NODISCARD;

/* What a department answers for, as packs name duties: "urban", "sanitation", ... */
const char *city_unit_duty(enum city_unit_kind kind);
/* Ancestor (or self) of an area at a level not below its own. */
uint32_t city_plan_ancestor(const struct city_plan *p, uint32_t area, enum city_level level);
/* A point strictly inside the cell: most of the time beside a border (the street), else anywhere.
 */
struct shape_point city_plan_point_in(const struct city_plan *p, uint32_t cell, struct rng *r);
/* Whether the cell holds the point strictly inside. */
bool city_plan_holds(const struct city_plan *p, uint32_t cell, struct shape_point at);
/* Metres, on the plane that touches the city's middle (0.3 % exact inside the city). */
double city_dist_m(struct shape_point a, struct shape_point b);
double city_lon(struct shape_point p);
double city_lat(struct shape_point p);
#endif
