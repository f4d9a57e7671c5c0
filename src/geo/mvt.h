/* geo/mvt.h - write Mapbox Vector Tiles, version 2.1 (mapbox/vector-tile-spec).
 * Geometry is projected, clipped to the tile and a margin, simplified to the pixel, and wound as
 * the specification wants. Not thread-safe on one writer; any number of writers at once. Pinned by
 * tests/unit/geo/test_mvt.c. */
#ifndef GEO_MVT_H
#define GEO_MVT_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "geo/polygon.h"

enum { MVT_EXTENT = 4096, MVT_MARGIN = 64, MVT_MAX_ZOOM = 22 };

enum mvt_value_type { MVT_STRING, MVT_INT, MVT_DOUBLE, MVT_BOOL };
struct mvt_tag {
    const char *key; /* borrowed for the call; key and string value are copied */
    enum mvt_value_type type;
    union {
        const char *s; /* UTF-8; NULL leaves the tag out */
        int64_t i;
        double d;
        bool b;
    } u;
};

struct mvt; /* one tile being written; memory from the arena given */

/* The box of a tile with its margin, degrees west, south, east, north: what to select by. Errors:
 * ERR_INVALID when z is beyond MVT_MAX_ZOOM or x, y beyond 2^z. */
enum err_code mvt_tile_box(unsigned z, uint32_t x, uint32_t y, double box[4],
                           struct err *err) NODISCARD;

/* Begin a tile; it hands out from `a` as long as it lives. */
enum err_code mvt_new(struct arena *a, unsigned z, uint32_t x, uint32_t y, struct mvt **out,
                      struct err *err) NODISCARD;

/* Begin a layer; the name is borrowed until mvt_finish and must differ from the layers before. */
enum err_code mvt_layer(struct mvt *t, const char *name, struct err *err) NODISCARD;

/* Add a feature to the layer begun last. id 0: none. What lies outside the tile, or is smaller than
 * a pixel (areas: under one square pixel), is left out silently. Errors: ERR_NOMEM (arena full). */
enum err_code mvt_point(struct mvt *t, uint64_t id, double lon_deg, double lat_deg,
                        const struct mvt_tag *tags, size_t n_tags, struct err *err) NODISCARD;
/* n points lon, lat, ... of one line. */
enum err_code mvt_line(struct mvt *t, uint64_t id, const double *lonlat, size_t n,
                       const struct mvt_tag *tags, size_t n_tags, struct err *err) NODISCARD;
enum err_code mvt_polygon(struct mvt *t, uint64_t id, const struct polygon *p,
                          const struct mvt_tag *tags, size_t n_tags, struct err *err) NODISCARD;

/* Append the tile to out (nothing at all when no feature is in it: an empty tile is an empty body).
 */
enum err_code mvt_finish(struct mvt *t, struct buf *out, struct err *err) NODISCARD;
#endif
