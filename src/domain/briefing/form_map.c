/* The areas below as shapes on a raster of whole numbers, coarse enough for a page of paper. */
#include <math.h>

#include "domain/briefing/inside.h"
#include "geo/polygon.h"

enum { SIDE = 1000, MAX_POINTS = 8000, MIN_RING = 3 };

struct raster {
    double west, north, x_scale, y_scale;
    int width, height;
    int step; /* points nearer than this to the last one kept are left out */
};

static void widen(double box[4], const double b[4]) {
    box[0] = fmin(box[0], b[0]);
    box[1] = fmin(box[1], b[1]);
    box[2] = fmax(box[2], b[2]);
    box[3] = fmax(box[3], b[3]);
}

/* False when nothing here has a shape. */
static bool raster_of(const struct briefing_data *d, struct raster *r) {
    double box[4] = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i < d->n_children; i++) {
        const struct grid_area *area = d->lower.areas->area[d->child[i]];
        if (area->shape != NULL) widen(box, area->shape->box);
    }
    double tall = box[3] - box[1];
    double shrink = cos((box[1] + box[3]) / 2 * (3.14159265358979323846 / 180));
    double wide = (box[2] - box[0]) * shrink;
    if (!(wide > 0) || !(tall > 0) || !isfinite(wide) || !isfinite(tall)) return false;
    double scale = SIDE / fmax(wide, tall);
    *r = (struct raster){box[0], box[3], shrink * scale, scale, 0, 0, 2};
    r->width = (int)ceil(wide * scale);
    r->height = (int)ceil(tall * scale);
    return true;
}

static int to_x(const struct raster *r, double lon) {
    return (int)lround((lon - r->west) * r->x_scale);
}

static int to_y(const struct raster *r, double lat) {
    return (int)lround((r->north - lat) * r->y_scale);
}

/* Writes the kept points of a ring (w NULL: only counts them); the closing point is left out. */
static size_t ring(const struct raster *r, const struct polygon *p, uint32_t at, struct jw *w) {
    size_t n = 0;
    int last_x = 0, last_y = 0;
    for (uint32_t i = p->ring[at]; i + 1 < p->ring[at + 1]; i++) {
        size_t k = (size_t)2 * i;
        int x = to_x(r, p->xy[k]), y = to_y(r, p->xy[k + 1]);
        long dx = x - last_x, dy = y - last_y;
        if (n > 0 && dx * dx + dy * dy < (long)r->step * r->step) continue;
        if (w != NULL) {
            jw_int(w, x);
            jw_int(w, y);
        }
        last_x = x;
        last_y = y;
        n++;
    }
    return n;
}

static void coarsen(const struct briefing_data *d, struct raster *r) {
    for (; r->step < SIDE; r->step *= 2) {
        size_t n = 0;
        for (size_t i = 0; i < d->n_children; i++) {
            const struct polygon *p = d->lower.areas->area[d->child[i]]->shape;
            for (uint32_t k = 0; p != NULL && k < p->n_ring; k++) n += ring(r, p, k, NULL);
        }
        if (n <= MAX_POINTS) return;
    }
}

static void put_shape(struct forming *f, const struct raster *r, size_t at) {
    const struct grid_area *area = f->d->lower.areas->area[at];
    const struct polygon *p = area->shape;
    double lon = 0, lat = 0;
    if (p == NULL) return;
    polygon_label_point(p, &lon, &lat);
    jw_obj(&f->w);
    jw_kstr(&f->w, "area", area->code);
    jw_key(&f->w, "label");
    jw_arr(&f->w);
    jw_int(&f->w, to_x(r, lon));
    jw_int(&f->w, to_y(r, lat));
    jw_end(&f->w, ']');
    jw_key(&f->w, "rings");
    jw_arr(&f->w);
    for (uint32_t k = 0; k < p->n_ring; k++) {
        if (ring(r, p, k, NULL) < MIN_RING) continue;
        jw_arr(&f->w);
        (void)ring(r, p, k, &f->w);
        jw_end(&f->w, ']');
    }
    jw_end(&f->w, ']');
    jw_end(&f->w, '}');
}

void form_map(struct forming *f) {
    struct raster r;
    jw_key(&f->w, "map");
    if (f->d->below < 0 || !raster_of(f->d, &r)) {
        jw_null(&f->w);
        return;
    }
    coarsen(f->d, &r);
    jw_obj(&f->w);
    jw_kint(&f->w, "width", r.width);
    jw_kint(&f->w, "height", r.height);
    jw_key(&f->w, "areas");
    jw_arr(&f->w);
    for (size_t i = 0; i < f->d->n_children; i++) put_shape(f, &r, f->d->child[i]);
    jw_end(&f->w, ']');
    jw_end(&f->w, '}');
}
