#include "sim/basemap.h"

#include <math.h>

#include "base/json.h"

static void begin(struct jw *w, struct buf *out, const char *layer, const char *cls, const char *zh,
                  const char *en, const char *type) {
    jw_init(w, out);
    jw_obj(w);
    jw_kstr(w, "layer", layer);
    jw_kstr(w, "class", cls);
    if (zh) jw_kstr(w, "name_zh", zh);
    if (en) jw_kstr(w, "name_en", en);
    jw_key(w, "geometry");
    jw_obj(w);
    jw_kstr(w, "type", type);
    jw_key(w, "coordinates");
}

static void end(struct jw *w, struct buf *out) {
    jw_end(w, '}');
    jw_end(w, '}');
    buf_char(out, '\n');
}

static void point(struct jw *w, struct shape_point p) {
    jw_arr(w);
    jw_double(w, city_lon(p));
    jw_double(w, city_lat(p));
    jw_end(w, ']');
}

/* ---- water ---- */

/* Beside the i-th vertex of the river, half its width to the left (side 1) or right (-1). */
static struct shape_point bank(const struct city_plan *p, const struct city_street *river, size_t i,
                               int side) {
    size_t before = i ? i - 1 : 0, after = i + 1 < river->n ? i + 1 : i;
    struct shape_point a = p->shape->point[river->at[before]];
    struct shape_point b = p->shape->point[river->at[after]], at = p->shape->point[river->at[i]];
    /* In metres; 1e-7 degrees of longitude are shorter than those of latitude. */
    struct shape_point east = {a.lon_e7 + 10000, a.lat_e7}, north = {a.lon_e7, a.lat_e7 + 10000};
    double mx = city_dist_m(a, east) / 10000, my = city_dist_m(a, north) / 10000;
    double dx = (b.lon_e7 - a.lon_e7) * mx, dy = (b.lat_e7 - a.lat_e7) * my;
    double k = side * CITY_RIVER_HALF_M / hypot(dx, dy);
    return (struct shape_point){at.lon_e7 + (int32_t)lround(-dy * k / mx),
                                at.lat_e7 + (int32_t)lround(dx * k / my)};
}

static void write_river(const struct city_plan *p, struct buf *out) {
    const struct city_street *r = &p->street[0];
    struct jw w;
    begin(&w, out, "water", "river", r->name_zh, r->name_en, "Polygon");
    jw_arr(&w);
    jw_arr(&w);
    /* Down the right bank and back along the left: counterclockwise. */
    for (size_t i = 0; i < r->n; i++) point(&w, bank(p, r, i, -1));
    for (size_t i = r->n; i-- > 0;) point(&w, bank(p, r, i, 1));
    point(&w, bank(p, r, 0, -1));
    jw_end(&w, ']');
    jw_end(&w, ']');
    end(&w, out);
}

/* ---- parks ---- */

/* The cell drawn in towards its inside point, so that the streets around stay free. */
static void write_park(const struct city_plan *p, const struct city_place *place, struct buf *out) {
    const struct city_cell *c = &p->cell[place->cell];
    double keep = c->is_enclave ? 1 : 0.85;
    struct jw w;
    begin(&w, out, "park", "park", place->name_zh, place->name_en, "Polygon");
    jw_arr(&w);
    jw_arr(&w);
    for (size_t i = 0; i <= c->outer.n; i++) {
        struct shape_point q = p->shape->point[c->outer.at[i % c->outer.n]];
        double dx = q.lon_e7 - c->inside.lon_e7, dy = q.lat_e7 - c->inside.lat_e7;
        point(&w, (struct shape_point){c->inside.lon_e7 + (int32_t)lround(dx * keep),
                                       c->inside.lat_e7 + (int32_t)lround(dy * keep)});
    }
    jw_end(&w, ']');
    jw_end(&w, ']');
    end(&w, out);
}

/* ---- lines and names ---- */

static void write_street(const struct city_plan *p, const struct city_street *s, struct buf *out) {
    static const char *const cls[] = {"river", "primary", "secondary", "tertiary", "lane"};
    struct jw w;
    begin(&w, out, "street", cls[s->kind], s->name_zh, s->name_en, "LineString");
    jw_arr(&w);
    for (size_t i = 0; i < s->n; i++) point(&w, p->shape->point[s->at[i]]);
    jw_end(&w, ']');
    end(&w, out);
}

static void write_name(const char *cls, const char *zh, const char *en, struct shape_point at,
                       struct buf *out) {
    struct jw w;
    begin(&w, out, "place", cls, zh, en, "Point");
    point(&w, at);
    end(&w, out);
}

void city_basemap_write(const struct city_plan *p, struct buf *out) {
    static const char *const level[] = {"city", "county", "town", "community"};
    static const char *const place[] = {"school", "market",   "station", "hall",
                                        "centre", "hospital", "square",  "park"};
    write_river(p, out);
    for (size_t i = 0; i < p->n_place; i++)
        if (p->place[i].kind == CITY_PLACE_PARK) write_park(p, &p->place[i], out);
    for (size_t i = 1; i < p->n_street; i++) write_street(p, &p->street[i], out);
    for (size_t i = 0; i < p->n_area; i++) {
        const struct city_area *a = &p->area[i];
        write_name(level[a->level], a->name_zh, a->name_en, a->centre, out);
    }
    for (size_t i = 0; i < p->n_place; i++) {
        const struct city_place *x = &p->place[i];
        write_name(place[x->kind], x->name_zh, x->name_en, x->at, out);
    }
}
