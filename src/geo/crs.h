/* geo/crs.h - coordinate systems of outside data, Web Mercator, distances, and coarse places for
 * the public. Everything is longitude first, in degrees; storage is WGS-84, which this product
 * treats as equal to CGCS2000 (they differ by centimetres). EPSG codes are converted by the helper
 * program, not here. Pure; safe from any thread; no allocation. Pinned by
 * tests/unit/geo/test_crs.c. */
#ifndef GEO_CRS_H
#define GEO_CRS_H
#include <stdbool.h>

#include "base/err.h"

/* Stored in files and sent: never renumber. */
enum crs { CRS_WGS84 = 0, CRS_CGCS2000 = 1, CRS_GCJ02 = 2, CRS_BD09 = 3, CRS_N = 4 };

/* "wgs84", "cgcs2000", "gcj02", "bd09"; crs_parse also takes "WGS-84", "EPSG:4326", "EPSG:4490" and
 * so on, letter case and dashes ignored. crs_parse errors: ERR_INVALID naming what is known. */
const char *crs_name(enum crs crs);
enum err_code crs_parse(const char *text, enum crs *out, struct err *err) NODISCARD;

/* True when both are finite and within [-180, 180] and [-90, 90]. */
bool crs_is_lonlat(double lon_deg, double lat_deg);

/* Convert in place. There and back is exact to 1e-9 degrees inside China (the public formulas; the
 * inverse is iterated to a fixed point). GCJ-02 shifts nothing outside 72.004..137.8347 E,
 * 0.8293..55.8271 N; on the rim of that box the system itself is ambiguous over the width of the
 * shift (about 0.01 degrees). Points that are not crs_is_lonlat are left as they are. */
void crs_to_wgs84(enum crs from, double *lon_deg, double *lat_deg);
void crs_from_wgs84(enum crs to, double *lon_deg, double *lat_deg);

/* Spherical Web Mercator, as vector tiles use it: x and y in [0, 1] over the world square, y down.
 * Latitudes are clamped to +-85.0511287798066. Multiply by 2^z for tile coordinates. */
void mercator_from_lonlat(double lon_deg, double lat_deg, double *x, double *y);
void mercator_to_lonlat(double x, double y, double *lon_deg, double *lat_deg);

/* Great-circle distance in metres on the sphere of radius 6371008.8 m (haversine; within 0.6 % of
 * the ellipsoid). */
double geo_distance_m(double lon1_deg, double lat1_deg, double lon2_deg, double lat2_deg);

/* Length of one degree of longitude and latitude at this latitude, WGS-84 ellipsoid, metres. */
void geo_metres_per_degree(double lat_deg, double *per_lon_m, double *per_lat_m);

/* Move a point to the middle of its square of a fixed world grid of about grid_m metres (> 0), so
 * that all places in a square look alike; doing it twice changes nothing. The result is rounded to
 * 1e-6 degrees. Not near the poles
 * (|lat| > 89): there the point becomes the pole's parallel of 89 degrees. */
void geo_coarse_point(double grid_m, double *lon_deg, double *lat_deg);
#endif
