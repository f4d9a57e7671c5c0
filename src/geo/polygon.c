#include "geo/polygon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "geo/orient.h"

enum { WKB_POLYGON = 3, WKB_MULTIPOLYGON = 6, LABEL_LINES = 5 };

/* One pass over WKB; with xy == NULL it only counts, so that the second pass fills arrays of the
 * right size. */
struct wkb {
    const unsigned char *p;
    size_t n, at;
    bool little;
    double *xy;
    uint32_t *ring, *part;
    uint32_t n_part, n_ring, n_pt;
};

static enum err_code wkb_need(const struct wkb *w, size_t n, struct err *err) {
    if (w->n - w->at >= n) return ERR_OK;
    return err_fail(err, ERR_SYNTAX, "WKB: cut short at byte %zu of %zu", w->at, w->n);
}

static uint32_t wkb_u32(struct wkb *w) {
    const unsigned char *p = w->p + w->at;
    w->at += 4;
    if (w->little)
        return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

static double wkb_double(struct wkb *w) {
    uint64_t first = wkb_u32(w), second = wkb_u32(w);
    uint64_t bits = w->little ? first | second << 32 : first << 32 | second;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static enum err_code wkb_head(struct wkb *w, uint32_t *type, struct err *err) {
    *type = 0;
    TRY(wkb_need(w, 5, err));
    unsigned char order = w->p[w->at++];
    if (order > 1)
        return err_fail(err, ERR_SYNTAX, "WKB: byte order %u at byte %zu", order, w->at - 1);
    w->little = order == 1;
    *type = wkb_u32(w);
    return ERR_OK;
}

static const char *wkb_type_name(uint32_t type) {
    static const char *const names[] = {
        "Geometry",   "Point",           "LineString",   "Polygon",
        "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"};
    uint32_t base = type % 1000;
    return base < sizeof names / sizeof names[0] ? names[base] : "unknown geometry";
}

static enum err_code wkb_point(struct wkb *w, uint32_t ring_at, uint32_t i, double at[2],
                               struct err *err) {
    double lon = wkb_double(w), lat = wkb_double(w);
    at[0] = lon;
    at[1] = lat;
    if (!crs_is_lonlat(lon, lat))
        return err_fail(err, ERR_INVALID,
                        "point %u of ring %u: %.10g, %.10g is no longitude, latitude", i + 1,
                        ring_at + 1, lon, lat);
    if (w->xy != NULL) {
        w->xy[2 * (size_t)(w->n_pt + i)] = orient_settle(lon);
        w->xy[2 * (size_t)(w->n_pt + i) + 1] = orient_settle(lat);
    }
    return ERR_OK;
}

static enum err_code wkb_ring(struct wkb *w, struct err *err) {
    TRY(wkb_need(w, 4, err));
    uint32_t n = wkb_u32(w);
    if (n == 0) return ERR_OK;
    if (n < 4)
        return err_fail(err, ERR_INVALID, "ring %u has %u points, at least 4 are needed",
                        w->n_ring + 1, n);
    if (n > POLYGON_MAX_POINTS - w->n_pt || w->n_ring == POLYGON_MAX_RINGS)
        return err_fail(err, ERR_LIMIT, "more than %d points or %d rings in one polygon",
                        POLYGON_MAX_POINTS, POLYGON_MAX_RINGS);
    TRY(wkb_need(w, (size_t)n * 16, err));
    double first[2], last[2];
    TRY(wkb_point(w, w->n_ring, 0, first, err));
    for (uint32_t i = 1; i < n; i++) TRY(wkb_point(w, w->n_ring, i, last, err));
    if (first[0] != last[0] || first[1] != last[1])
        return err_fail(err, ERR_INVALID, "ring %u is not closed", w->n_ring + 1);
    if (w->ring != NULL) w->ring[w->n_ring] = w->n_pt;
    w->n_ring++;
    w->n_pt += n;
    return ERR_OK;
}

static enum err_code wkb_part(struct wkb *w, struct err *err) {
    TRY(wkb_need(w, 4, err));
    uint32_t n = wkb_u32(w), first = w->n_ring;
    TRY(wkb_need(w, n, err)); /* a ring takes at least 4 bytes: no endless loop over nothing */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t before = w->n_ring;
        TRY(wkb_ring(w, err));
        if (i == 0 && w->n_ring == before && n > 1)
            return err_fail(err, ERR_INVALID, "part %u has holes and no outer ring", w->n_part + 1);
    }
    if (w->n_ring == first) return ERR_OK;
    if (w->part != NULL) w->part[w->n_part] = first;
    w->n_part++;
    return ERR_OK;
}

static enum err_code wkb_walk(struct wkb *w, struct err *err) {
    uint32_t type;
    TRY(wkb_head(w, &type, err));
    if (type != WKB_POLYGON && type != WKB_MULTIPOLYGON)
        return err_fail(
            err, ERR_UNSUPPORTED,
            "geometry type %s (%u): a polygon or multipolygon in two dimensions is needed",
            wkb_type_name(type), type);
    if (type == WKB_POLYGON) {
        TRY(wkb_part(w, err));
    } else {
        TRY(wkb_need(w, 4, err));
        uint32_t n = wkb_u32(w);
        for (uint32_t i = 0; i < n; i++) {
            TRY(wkb_head(w, &type, err));
            if (type != WKB_POLYGON)
                return err_fail(err, ERR_SYNTAX, "WKB: type %u inside a multipolygon", type);
            TRY(wkb_part(w, err));
        }
    }
    if (w->at != w->n)
        return err_fail(err, ERR_SYNTAX, "WKB: %zu bytes after the end", w->n - w->at);
    if (w->n_part == 0) return err_fail(err, ERR_INVALID, "the geometry is empty");
    return ERR_OK;
}

/* Twice the signed area in square degrees, relative to the first point against cancellation. */
static double ring_cross(const double *xy, uint32_t n) {
    double sum = 0, x0 = xy[0], y0 = xy[1];
    for (uint32_t i = 0; i + 1 < n; i++, xy += 2)
        sum += (xy[0] - x0) * (xy[3] - y0) - (xy[2] - x0) * (xy[1] - y0);
    return sum;
}

static void ring_reverse(double *xy, uint32_t n) {
    for (uint32_t i = 0, j = n - 1; i < j; i++, j--) {
        double x = xy[2 * (size_t)i], y = xy[2 * (size_t)i + 1];
        xy[2 * (size_t)i] = xy[2 * (size_t)j];
        xy[2 * (size_t)i + 1] = xy[2 * (size_t)j + 1];
        xy[2 * (size_t)j] = x;
        xy[2 * (size_t)j + 1] = y;
    }
}

static struct polygon *polygon_alloc(struct arena *a, uint32_t n_part, uint32_t n_ring,
                                     uint32_t n_pt, uint32_t **part, uint32_t **ring, double **xy) {
    struct polygon *p = ARENA_NEW(a, struct polygon, 1);
    *part = ARENA_NEW(a, uint32_t, (size_t)n_part + 1);
    *ring = ARENA_NEW(a, uint32_t, (size_t)n_ring + 1);
    *xy = ARENA_NEW(a, double, 2 * (size_t)n_pt);
    if (p == NULL || *part == NULL || *ring == NULL || *xy == NULL) return NULL;
    p->n_part = n_part;
    p->n_ring = n_ring;
    p->n_pt = n_pt;
    p->part = *part;
    p->ring = *ring;
    p->xy = *xy;
    return p;
}

/* Winding and box, once the arrays are full. */
static void polygon_finish(struct polygon *p, double *xy) {
    for (uint32_t part = 0; part < p->n_part; part++) {
        for (uint32_t r = p->part[part]; r < p->part[part + 1]; r++) {
            double *ring = xy + 2 * (size_t)p->ring[r];
            uint32_t n = p->ring[r + 1] - p->ring[r];
            double cross = ring_cross(ring, n);
            bool outer = r == p->part[part];
            if (outer ? cross < 0 : cross > 0) ring_reverse(ring, n);
        }
    }
    p->box[0] = p->box[2] = xy[0];
    p->box[1] = p->box[3] = xy[1];
    for (uint32_t i = 1; i < p->n_pt; i++) {
        const double *q = xy + 2 * (size_t)i;
        p->box[0] = fmin(p->box[0], q[0]);
        p->box[1] = fmin(p->box[1], q[1]);
        p->box[2] = fmax(p->box[2], q[0]);
        p->box[3] = fmax(p->box[3], q[1]);
    }
}

enum err_code polygon_from_wkb(struct arena *a, const void *wkb, size_t n,
                               const struct polygon **out, struct err *err) {
    struct wkb count = {.p = wkb, .n = n};
    TRY(wkb_walk(&count, err));
    struct wkb fill = {.p = wkb, .n = n};
    struct polygon *p =
        polygon_alloc(a, count.n_part, count.n_ring, count.n_pt, &fill.part, &fill.ring, &fill.xy);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "polygon of %u points", count.n_pt);
    TRY(wkb_walk(&fill, err));
    fill.ring[fill.n_ring] = fill.n_pt;
    fill.part[fill.n_part] = fill.n_ring;
    polygon_finish(p, fill.xy);
    *out = p;
    return ERR_OK;
}

static enum err_code rings_check(const double *xy, const uint32_t *ring_n, uint32_t n_ring,
                                 const uint32_t *part_n, uint32_t n_part, uint32_t *n_pt,
                                 struct err *err) {
    uint64_t rings = 0;
    for (uint32_t i = 0; i < n_part; i++) {
        if (part_n[i] == 0) return err_fail(err, ERR_INVALID, "part %u has no ring", i + 1);
        rings += part_n[i];
    }
    if (n_part == 0 || rings != n_ring)
        return err_fail(err, ERR_INVALID, "%u rings in %u parts do not add up", n_ring, n_part);
    if (n_ring > POLYGON_MAX_RINGS) return err_fail(err, ERR_LIMIT, "%u rings", n_ring);
    uint32_t at = 0;
    for (uint32_t r = 0; r < n_ring; r++) {
        uint32_t n = ring_n[r];
        if (n < 4) return err_fail(err, ERR_INVALID, "ring %u has %u points", r + 1, n);
        if (n > POLYGON_MAX_POINTS - at)
            return err_fail(err, ERR_LIMIT, "more than %d points", POLYGON_MAX_POINTS);
        for (uint32_t i = 0; i < n; i++) {
            const double *q = xy + 2 * (size_t)(at + i);
            if (!crs_is_lonlat(q[0], q[1]))
                return err_fail(err, ERR_INVALID, "point %u of ring %u is no longitude, latitude",
                                i + 1, r + 1);
        }
        const double *first = xy + 2 * (size_t)at, *last = first + 2 * (size_t)(n - 1);
        if (first[0] != last[0] || first[1] != last[1])
            return err_fail(err, ERR_INVALID, "ring %u is not closed", r + 1);
        at += n;
    }
    *n_pt = at;
    return ERR_OK;
}

enum err_code polygon_from_rings(struct arena *a, const double *xy, const uint32_t *ring_n,
                                 uint32_t n_ring, const uint32_t *part_n, uint32_t n_part,
                                 const struct polygon **out, struct err *err) {
    uint32_t n_pt = 0, *part, *ring;
    double *copy;
    TRY(rings_check(xy, ring_n, n_ring, part_n, n_part, &n_pt, err));
    struct polygon *p = polygon_alloc(a, n_part, n_ring, n_pt, &part, &ring, &copy);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "polygon of %u points", n_pt);
    for (size_t i = 0; i < 2 * (size_t)n_pt; i++) copy[i] = orient_settle(xy[i]);
    for (uint32_t i = 0; i < n_part; i++) part[i + 1] = part[i] + part_n[i];
    for (uint32_t i = 0; i < n_ring; i++) ring[i + 1] = ring[i] + ring_n[i];
    polygon_finish(p, copy);
    *out = p;
    return ERR_OK;
}

enum err_code polygon_to_wgs84(struct arena *a, const struct polygon *p, enum crs from,
                               const struct polygon **out, struct err *err) {
    *out = p;
    if (from != CRS_GCJ02 && from != CRS_BD09) return ERR_OK;
    struct polygon *q = ARENA_NEW(a, struct polygon, 1);
    double *xy = ARENA_NEW(a, double, 2 * (size_t)p->n_pt);
    if (q == NULL || xy == NULL) return err_fail(err, ERR_NOMEM, "polygon of %u points", p->n_pt);
    *q = *p; /* the counts and rings are shared: the arena holds both */
    for (size_t i = 0; i < 2 * (size_t)p->n_pt; i += 2) {
        double lon = p->xy[i], lat = p->xy[i + 1];
        crs_to_wgs84(from, &lon, &lat);
        xy[i] = orient_settle(lon);
        xy[i + 1] = orient_settle(lat);
    }
    q->xy = xy;
    polygon_finish(q, xy);
    *out = q;
    return ERR_OK;
}

static void put_u32(struct buf *out, uint32_t v) {
    unsigned char b[4] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16),
                          (unsigned char)(v >> 24)};
    buf_add(out, b, sizeof b);
}

static void put_double(struct buf *out, double d) {
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    put_u32(out, (uint32_t)bits);
    put_u32(out, (uint32_t)(bits >> 32));
}

static void put_part(struct buf *out, const struct polygon *p, uint32_t part) {
    buf_char(out, 1);
    put_u32(out, WKB_POLYGON);
    put_u32(out, p->part[part + 1] - p->part[part]);
    for (uint32_t r = p->part[part]; r < p->part[part + 1]; r++) {
        put_u32(out, p->ring[r + 1] - p->ring[r]);
        for (size_t i = 2 * (size_t)p->ring[r]; i < 2 * (size_t)p->ring[r + 1]; i++)
            put_double(out, p->xy[i]);
    }
}

void polygon_to_wkb(const struct polygon *p, struct buf *out) {
    if (p->n_part > 1) {
        buf_char(out, 1);
        put_u32(out, WKB_MULTIPOLYGON);
        put_u32(out, p->n_part);
    }
    for (uint32_t i = 0; i < p->n_part; i++) put_part(out, p, i);
}

enum err_code polygon_wkb_to_wgs84(struct arena *a, enum crs from, const void *wkb, size_t n,
                                   const void **out, size_t *out_n, struct err *err) {
    const struct polygon *p, *q;
    TRY(polygon_from_wkb(a, wkb, n, &p, err));
    TRY(polygon_to_wgs84(a, p, from, &q, err));
    struct buf b;
    buf_init(&b, n + 64);
    polygon_to_wkb(q, &b); /* never longer than what it was read from */
    enum err_code rc = buf_check(&b, err);
    void *copy = rc == ERR_OK ? arena_dup(a, b.p, b.n) : NULL;
    *out = copy;
    *out_n = b.n;
    buf_deinit(&b);
    if (rc != ERR_OK) return rc;
    return copy != NULL ? ERR_OK : err_fail(err, ERR_NOMEM, "polygon of %u points", q->n_pt);
}

static void json_part(const struct polygon *p, uint32_t part, struct jw *w) {
    jw_arr(w);
    for (uint32_t r = p->part[part]; r < p->part[part + 1]; r++) {
        jw_arr(w);
        for (uint32_t i = p->ring[r]; i < p->ring[r + 1]; i++) {
            jw_arr(w);
            jw_double(w, p->xy[2 * (size_t)i]);
            jw_double(w, p->xy[2 * (size_t)i + 1]);
            jw_end(w, ']');
        }
        jw_end(w, ']');
    }
    jw_end(w, ']');
}

void polygon_write_geojson(const struct polygon *p, struct jw *w) {
    jw_obj(w);
    jw_kstr(w, "type", p->n_part > 1 ? "MultiPolygon" : "Polygon");
    jw_key(w, "coordinates");
    if (p->n_part > 1) jw_arr(w);
    for (uint32_t i = 0; i < p->n_part; i++) json_part(p, i, w);
    if (p->n_part > 1) jw_end(w, ']');
    jw_end(w, '}');
}

bool polygon_contains(const struct polygon *p, double lon_deg, double lat_deg) {
    double x = orient_settle(lon_deg), y = orient_settle(lat_deg);
    if (!(x >= p->box[0] && x <= p->box[2] && y >= p->box[1] && y <= p->box[3])) return false;
    bool inside = false;
    for (uint32_t r = 0; r < p->n_ring; r++) {
        for (uint32_t i = p->ring[r]; i + 1 < p->ring[r + 1]; i++) {
            const double *a = p->xy + 2 * (size_t)i, *b = a + 2;
            bool up = a[1] <= b[1];
            inside ^= up ? orient_ray_hits(a[0], a[1], b[0], b[1], x, y)
                         : orient_ray_hits(b[0], b[1], a[0], a[1], x, y);
        }
    }
    return inside;
}

/* WGS-84: first eccentricity, and the authalic factor q of Snyder, "Map projections: a working
 * manual" (1987), eq. 3-12. The cylindrical equal-area projection is x = a lambda, y = a q / 2 (eq.
 * 10-15 with standard parallel 0). */
#define ELLIPSOID_A 6378137.0
#define ELLIPSOID_E 0.0818191908426215

static double equal_area_y(double lat_deg) {
    double s = sin(lat_deg * (3.14159265358979323846 / 180)), es = ELLIPSOID_E * s;
    double q = (1 - ELLIPSOID_E * ELLIPSOID_E) * (s / (1 - es * es) + atanh(es) / ELLIPSOID_E);
    return ELLIPSOID_A * q / 2;
}

double polygon_area_m2(const struct polygon *p) {
    double sum = 0, per_degree = ELLIPSOID_A * (3.14159265358979323846 / 180);
    for (uint32_t r = 0; r < p->n_ring; r++) {
        const double *q = p->xy + 2 * (size_t)p->ring[r];
        double x0 = q[0], y0 = equal_area_y(q[1]), ax = 0, ay = 0;
        for (uint32_t i = p->ring[r] + 1; i < p->ring[r + 1]; i++) {
            const double *b = p->xy + 2 * (size_t)i;
            double bx = (b[0] - x0) * per_degree, by = equal_area_y(b[1]) - y0;
            sum += ax * by - bx * ay;
            ax = bx;
            ay = by;
        }
    }
    return sum / 2;
}

static bool centroid(const struct polygon *p, double *lon, double *lat) {
    double area = 0, sx = 0, sy = 0, x0 = p->box[0], y0 = p->box[1];
    for (uint32_t r = 0; r < p->n_ring; r++) {
        for (uint32_t i = p->ring[r]; i + 1 < p->ring[r + 1]; i++) {
            const double *a = p->xy + 2 * (size_t)i, *b = a + 2;
            double cross = (a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0);
            area += cross;
            sx += cross * (a[0] + b[0] - 2 * x0);
            sy += cross * (a[1] + b[1] - 2 * y0);
        }
    }
    if (!(area > 0)) return false;
    *lon = x0 + sx / (3 * area);
    *lat = y0 + sy / (3 * area);
    return polygon_contains(p, *lon, *lat);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Where the parallel y crosses the border, sorted; returns how many. */
static uint32_t crossings(const struct polygon *p, double y, double *x) {
    uint32_t n = 0;
    for (uint32_t r = 0; r < p->n_ring; r++) {
        for (uint32_t i = p->ring[r]; i + 1 < p->ring[r + 1]; i++) {
            const double *a = p->xy + 2 * (size_t)i, *b = a + 2;
            if ((a[1] <= y) == (b[1] <= y)) continue;
            x[n++] = a[0] + (y - a[1]) * ((b[0] - a[0]) / (b[1] - a[1]));
        }
    }
    qsort(x, n, sizeof *x, by_value);
    return n;
}

void polygon_label_point(const struct polygon *p, double *lon_deg, double *lat_deg) {
    *lon_deg = p->xy[0];
    *lat_deg = p->xy[1];
    double lon, lat;
    if (centroid(p, &lon, &lat)) {
        *lon_deg = lon;
        *lat_deg = lat;
        return;
    }
    double *x = mem_new(p->n_pt, sizeof *x);
    if (x == NULL) return; /* a border point is still a place to put the label */
    double best = 0;
    for (int line = 1; line <= LABEL_LINES; line++) {
        double y = p->box[1] + (p->box[3] - p->box[1]) * line / (LABEL_LINES + 1);
        uint32_t n = crossings(p, y, x);
        for (uint32_t i = 0; i + 1 < n; i += 2) {
            double middle = x[i] + (x[i + 1] - x[i]) / 2;
            if (x[i + 1] - x[i] <= best || !polygon_contains(p, middle, y)) continue;
            best = x[i + 1] - x[i];
            *lon_deg = middle;
            *lat_deg = y;
        }
    }
    mem_free(x);
}
