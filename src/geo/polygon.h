/* geo/polygon.h - polygons with holes and many parts as one flat, immutable structure.
 * A polygon lives in the arena that made it; any thread may read it as long as that arena lives.
 * Border rule (docs/adr/0003): see geo/orient.h. Inside is even-odd over all rings, which for valid
 * polygons is the usual meaning and for others is still a fixed answer. Pinned by
 * tests/unit/geo/test_polygon.c. */
#ifndef GEO_POLYGON_H
#define GEO_POLYGON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "geo/crs.h"

enum { POLYGON_MAX_POINTS = 4000000, POLYGON_MAX_RINGS = 400000 };

struct polygon {
    uint32_t n_part, n_ring, n_pt; /* all >= 1 */
    const uint32_t *part; /* n_part + 1: the rings of part i are part[i] .. part[i+1], the first is
                             its outer ring */
    const uint32_t *ring; /* n_ring + 1: the points of ring i are ring[i] .. ring[i+1] */
    const double *xy; /* 2 * n_pt: longitude, latitude in degrees, settled (orient.h). Each ring has
                         at least 4 points, the last equal to the first; outer rings run
                         counter-clockwise, holes clockwise (RFC 7946) unless they have no area */
    double box[4];    /* west, south, east, north; not across the date line */
};

/* Read WKB (ISO 19125, either byte order): Polygon or MultiPolygon, two dimensions, WGS-84 degrees.
 * Empty parts and empty rings are left out. Errors: ERR_SYNTAX (cut short, trailing bytes,
 * nesting), ERR_UNSUPPORTED (another type or more dimensions, named), ERR_INVALID (a ring open or
 * too short, a coordinate out of range, nothing in it), ERR_LIMIT (more than the limits above),
 * ERR_NOMEM. Cost O(n). */
enum err_code polygon_from_wkb(struct arena *a, const void *wkb, size_t n,
                               const struct polygon **out, struct err *err) NODISCARD;

/* From plain arrays, under the same checks: counts, ring_n[i] points of ring i, part_n[i] rings of
 * part i. */
enum err_code polygon_from_rings(struct arena *a, const double *xy, const uint32_t *ring_n,
                                 uint32_t n_ring, const uint32_t *part_n, uint32_t n_part,
                                 const struct polygon **out, struct err *err) NODISCARD;

/* The same polygon, its points converted from the system it is in (GCJ-02, BD-09) to WGS-84; *out =
 * p for the others. Errors: ERR_NOMEM. */
enum err_code polygon_to_wgs84(struct arena *a, const struct polygon *p, enum crs from,
                               const struct polygon **out, struct err *err) NODISCARD;

/* WKB as a file has it into WKB as it is stored: checked like polygon_from_wkb, converted from
 * `from` to WGS-84, rings wound, little endian. *out in arena memory. Errors: those of
 * polygon_from_wkb. */
enum err_code polygon_wkb_to_wgs84(struct arena *a, enum crs from, const void *wkb, size_t n,
                                   const void **out, size_t *out_n, struct err *err) NODISCARD;

/* WKB, little endian: Polygon when there is one part, else MultiPolygon. Failure sticks in the
 * buffer. */
void polygon_to_wkb(const struct polygon *p, struct buf *out);

/* The GeoJSON geometry object (RFC 7946). */
void polygon_write_geojson(const struct polygon *p, struct jw *w);

/* By the border rule; false for NaN. O(points); use geo/locate.h for many questions. */
bool polygon_contains(const struct polygon *p, double lon_deg, double lat_deg);

/* Square metres on the WGS-84 ellipsoid, holes taken off; edges are straight in the equal-area
 * cylindrical projection (for edges under 10 km this differs from geodesics by less than 1e-6). >=
 * 0 for valid polygons. */
double polygon_area_m2(const struct polygon *p);

/* A point inside to put a label on: the centroid when it is inside, else the middle of the widest
 * stretch of a parallel. Inside by polygon_contains whenever the polygon has an area of more than
 * rounding size. */
void polygon_label_point(const struct polygon *p, double *lon_deg, double *lat_deg);
#endif
