/* geo/locate.h - which polygon holds a point: an immutable index over one layer of cells.
 * Own design (docs/adr/0003): a raster whose squares hold a cell, or the few edges that pass
 * through them. Answers are exact by the border rule of geo/orient.h, bit for bit the same as
 * asking polygon_contains of every cell in turn. Pinned by tests/unit/geo/test_locate.c, against
 * GEOS by test_oracle.c; measured by bench/locate.sh. */
#ifndef GEO_LOCATE_H
#define GEO_LOCATE_H
#include <stddef.h>
#include <stdint.h>

#include "geo/polygon.h"

struct locate;

enum { LOCATE_NONE = -1, LOCATE_MAX_CELLS = 1000000 };

/* Index cells 0 .. n-1; cells[i] may be NULL (never found). Where cells overlap, the lowest number
 * is found. The polygons are read during the call only. *out has one reference. Errors: ERR_NOMEM;
 * ERR_LIMIT (more than LOCATE_MAX_CELLS cells or 60 million edges, or an index beyond 8 GiB). n = 0
 * gives an index that finds nothing. Cost: 20,000 cells of 46 points in well under a second. */
enum err_code locate_build(const struct polygon *const *cells, size_t n, struct locate **out,
                           struct err *err) NODISCARD;

/* Count holders of the index; the last locate_unref frees it. Any thread; locate_unref(NULL) is
 * legal. */
struct locate *locate_ref(const struct locate *l);
void locate_unref(const struct locate *l);

/* The cell that holds the point, or LOCATE_NONE: outside, NaN, infinite. Any thread, no allocation,
 * no lock; about a tenth of a microsecond. l may be NULL (finds nothing). */
int32_t locate_find(const struct locate *l, double lon_deg, double lat_deg);

/* locate_find for n points lon0, lat0, lon1, lat1, ... into out[n]; some times faster where the
 * index exceeds the processor's cache. */
void locate_find_many(const struct locate *l, const double *lonlat, size_t n, int32_t *out);

/* Cells whose bounding box touches the box (west, south, east, north), ascending, at most max of
 * them into out; returns how many there are in all. Box not across the date line. Cost: linear in
 * the cells, 1 ns each. */
size_t locate_in_bbox(const struct locate *l, const double box[4], int32_t *out, size_t max);

size_t locate_n_cells(const struct locate *l);
/* Bytes held by the index. */
size_t locate_bytes(const struct locate *l);
#endif
