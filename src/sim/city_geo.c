#include "sim/city_geo.h"

/* Appends the ring closed, as polygons want it. */
static uint32_t add_ring(const struct city_plan *p, const struct shape_ring *r, double *xy) {
    for (size_t i = 0; i <= r->n; i++) {
        struct shape_point q = p->shape->point[r->at[i % r->n]];
        xy[2 * i] = city_lon(q);
        xy[2 * i + 1] = city_lat(q);
    }
    return (uint32_t)r->n + 1;
}

static enum err_code make(struct arena *a, const struct city_plan *p,
                          const struct shape_ring *outer, const struct shape_ring *hole,
                          const struct polygon **out, struct err *err) {
    double *xy = ARENA_NEW(a, double, 2 * (outer->n + hole->n + 2));
    if (!xy) return err_fail(err, ERR_NOMEM, "no memory for the city");
    uint32_t ring_n[2], n_ring = 1;
    ring_n[0] = add_ring(p, outer, xy);
    if (hole->n) ring_n[n_ring++] = add_ring(p, hole, xy + 2 * (size_t)ring_n[0]);
    return polygon_from_rings(a, xy, ring_n, n_ring, &n_ring, 1, out, err);
}

enum err_code city_cell_polygon(struct arena *a, const struct city_plan *p, uint32_t cell,
                                const struct polygon **out, struct err *err) {
    return make(a, p, &p->cell[cell].outer, &p->cell[cell].hole, out, err);
}

enum err_code city_area_polygon(struct arena *a, const struct city_plan *p, uint32_t area,
                                const struct polygon **out, struct err *err) {
    const struct shape_ring none = {NULL, 0};
    return make(a, p, &p->area[area].ring, &none, out, err);
}
