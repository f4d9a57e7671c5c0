/* domain/grid/grid.h - where -> who: the tree of areas, layers of cells, posts and units as one
 * immutable snapshot. A point gives its cell, the cell its post-holder on duty; a cell without one,
 * or outside the hours of its post (hours.h, local time of the city), gives the nearest desk above
 * that is on duty. The snapshot is rebuilt after a committed change of
 * area, cell, post or unit and swapped; readers hold a counted reference. */
#ifndef DOMAIN_GRID_GRID_H
#define DOMAIN_GRID_GRID_H
#include "base/civil.h"
#include "domain/grid/hours.h"
#include "domain/pack/pack.h"
#include "geo/locate.h"
#include "store/ledger.h"

enum { GRID_NONE = -1 };
enum area_level {
    LEVEL_PROVINCE = 0,
    LEVEL_CITY = 1,
    LEVEL_COUNTY = 2,
    LEVEL_TOWN = 3,
    LEVEL_COMMUNITY = 4
};
enum { GRID_LEVELS = 5 };
/* "province" "city" "county" "town" "community", and back: -1 for another word. */
const char *area_level_name(int level);
int area_level_parse(const char *text);

struct grid_area {
    int64_t id, version;
    const char *code, *name, *name_en;
    int level;                   /* enum area_level */
    int parent;                  /* index, GRID_NONE at the top */
    double bbox[4];              /* west south east north; NaN without a shape */
    const struct polygon *shape; /* or NULL */
};
struct grid_cell {
    int64_t id, version;
    const char *code, *name, *layer;
    int at[GRID_LEVELS]; /* index of the area of each level above it, or GRID_NONE */
    int post;            /* index of the worker's post, or GRID_NONE */
    double bbox[4];
};
struct grid_post {
    int64_t id, version;
    const char *title, *account, *display, *phone, *duties, *hours, *cover; /* "" when absent */
    int64_t cover_until_us;                                                 /* 0: no cover now */
    int cell, area;  /* exactly one is set: a worker's post, or the desk of an area */
    struct hours on; /* `hours` as numbers */
};
struct grid_unit {
    int64_t id;
    const char *code, *name, *name_en, *duties; /* duties: codes separated by spaces */
    int area;                                   /* index, GRID_NONE = whole city */
};
struct grid_layer {
    const char *name;
    const struct locate *index;          /* answers positions in cells */
    const struct polygon *const *shapes; /* by position; NULL entries have no shape */
    const int *cells;                    /* position -> index in grid.cells */
    size_t n_cells;
};
struct grid {
    const struct grid_area *areas;
    size_t n_areas; /* sorted by code */
    const struct grid_cell *cells;
    size_t n_cells;   /* sorted by layer, code */
    const int *desks; /* by area: index of its desk post, or GRID_NONE */
    const struct grid_post *posts;
    size_t n_posts; /* sorted by id */
    const struct grid_unit *units;
    size_t n_units; /* sorted by code */
    const struct grid_layer *layers;
    size_t n_layers;
    const char *main_layer; /* the layer cases are located in: the first by name "social", else the
                               first; "" when none */
    double bbox[4];         /* of all cells and areas; NaN when empty */
    const struct tz *tz;    /* the city's zone, for hours; NULL = UTC */
    int64_t seq;            /* journal sequence it was built from */
};

/* What a point or cell means for a report. */
struct place {
    int cell; /* index or GRID_NONE */
    int at[GRID_LEVELS];
    int post; /* who is on duty there now: the worker's post, or the nearest desk; GRID_NONE when
                 nobody is */
    bool is_desk; /* the cell has nobody on duty now: the parent's desk it is */
    bool unbound; /* nobody is bound to the cell at any hour: what lists of such cells show. Also
                     true for an area */
};

struct grid_service;
/* Build the first snapshot and follow the journal. Errors: ERR_INVALID when a type of pack city
 * lacks a needed field; store errors. */
enum err_code grid_open(struct ledger *l, const struct pack_set *packs, struct grid_service **out,
                        struct err *err) NODISCARD;
void grid_close(struct grid_service *s);
/* A counted reference to the newest snapshot; never NULL. Any thread. */
const struct grid *grid_ref(struct grid_service *s);
void grid_unref(const struct grid *g);
/* Build from a reader or tx without a service (command line). Free with grid_unref. */
enum err_code grid_build(struct db *db, int64_t ledger, const struct pack_set *packs,
                         const struct grid *previous, const struct grid **out,
                         struct err *err) NODISCARD;

/* lon, lat in degrees WGS-84. now_us decides cover and who is within the hours
 * of the post. A desk outside its hours is passed over for the next one above; when none of them is
 * on duty the nearest desk it is, so that a report at night always reaches somebody. Cost: under a
 * microsecond. */
struct place grid_place(const struct grid *g, const char *layer, double lon, double lat,
                        int64_t now_us);
/* The same for a known cell or area (index). */
struct place grid_place_of_cell(const struct grid *g, int cell, int64_t now_us);
struct place grid_place_of_area(const struct grid *g, int area, int64_t now_us);
/* The account acting on a post now: the cover while it lasts, else the holder; "" when nobody. */
const char *grid_post_account(const struct grid_post *p, int64_t now_us);
int grid_area_index(const struct grid *g, const char *code);
int grid_cell_index(const struct grid *g, const char *layer, const char *code);
int grid_unit_index(const struct grid *g, const char *code);
int grid_post_index(const struct grid *g, int64_t id);
/* Desk post of the area or its nearest ancestor that has one, at any hour, or GRID_NONE. */
int grid_desk(const struct grid *g, int area);
/* The unit for a duty in or above an area: nearest first. GRID_NONE when none. */
int grid_unit_for(const struct grid *g, const char *duty, const int at[GRID_LEVELS]);
#endif
