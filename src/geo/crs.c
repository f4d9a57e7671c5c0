#include "geo/crs.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
#define RAD (PI / 180)

/* GCJ-02: Krasovsky's ellipsoid, as the public implementations agree. */
#define GCJ_A 6378245.0
#define GCJ_EE 0.00669342162296594323
#define BD_K (PI * 3000 / 180)
/* WGS-84. */
#define WGS_A 6378137.0
#define WGS_E2 0.00669437999014131699614
#define EARTH_R 6371008.8
#define MERCATOR_MAX_LAT 85.0511287798066
#define COARSE_MAX_LAT 89.0

enum { INVERSE_STEPS = 24 };

static const char *const names[CRS_N] = {"wgs84", "cgcs2000", "gcj02", "bd09"};

const char *crs_name(enum crs crs) { return crs < CRS_N ? names[crs] : "?"; }

enum err_code crs_parse(const char *text, enum crs *out, struct err *err) {
    static const struct {
        const char *word;
        enum crs crs;
    } words[] = {{"wgs84", CRS_WGS84},       {"epsg:4326", CRS_WGS84},    {"crs84", CRS_WGS84},
                 {"cgcs2000", CRS_CGCS2000}, {"epsg:4490", CRS_CGCS2000}, {"gcj02", CRS_GCJ02},
                 {"bd09", CRS_BD09}};
    char word[16];
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '-' || *p == '_' || *p == ' ') continue;
        if (n + 1 == sizeof word) break;
        word[n++] = (char)tolower((unsigned char)*p);
    }
    word[n] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i].word) == 0) {
            *out = words[i].crs;
            return ERR_OK;
        }
    }
    return err_fail(err, ERR_INVALID,
                    "coordinate system \"%.40s\": known are wgs84, cgcs2000, gcj02, bd09", text);
}

bool crs_is_lonlat(double lon_deg, double lat_deg) {
    return lon_deg >= -180 && lon_deg <= 180 && lat_deg >= -90 && lat_deg <= 90; /* false for NaN */
}

static bool in_gcj_box(double lon, double lat) {
    return lon >= 72.004 && lon <= 137.8347 && lat >= 0.8293 && lat <= 55.8271;
}

/* The shift, without asking where the point lies. */
static void gcj_shift(double lon, double lat, double *dlon, double *dlat) {
    double x = lon - 105, y = lat - 35;
    double root = 0.2 * sqrt(fabs(x));
    double wave = 20 * sin(6 * PI * x) + 20 * sin(2 * PI * x);
    double up = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + root;
    up += wave * 2 / 3;
    up += (20 * sin(PI * y) + 40 * sin(PI * y / 3)) * 2 / 3;
    up += (160 * sin(PI * y / 12) + 320 * sin(PI * y / 30)) * 2 / 3;
    double right = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + root / 2;
    right += wave * 2 / 3;
    right += (20 * sin(PI * x) + 40 * sin(PI * x / 3)) * 2 / 3;
    right += (150 * sin(PI * x / 12) + 300 * sin(PI * x / 30)) * 2 / 3;
    double phi = lat * RAD;
    double m = 1 - GCJ_EE * sin(phi) * sin(phi);
    *dlat = up * 180 / (GCJ_A * (1 - GCJ_EE) / (m * sqrt(m)) * PI);
    *dlon = right * 180 / (GCJ_A / sqrt(m) * cos(phi) * PI);
}

static void gcj_from_wgs(double *lon, double *lat) {
    if (!in_gcj_box(*lon, *lat)) return;
    double dlon, dlat;
    gcj_shift(*lon, *lat, &dlon, &dlat);
    *lon += dlon;
    *lat += dlat;
}

/* p <- p + (target - f(p)); the shift changes by under 2 % of a step, so each round gains two
 * digits. A result outside the box means that the point was never shifted. */
static void gcj_to_wgs(double *lon, double *lat) {
    double x = *lon, y = *lat;
    for (int i = 0; i < INVERSE_STEPS; i++) {
        double dlon, dlat;
        gcj_shift(x, y, &dlon, &dlat);
        double step_x = *lon - (x + dlon), step_y = *lat - (y + dlat);
        x += step_x;
        y += step_y;
        if (fabs(step_x) < 1e-13 && fabs(step_y) < 1e-13) break;
    }
    if (!in_gcj_box(x, y)) return;
    *lon = x;
    *lat = y;
}

static void bd_from_gcj(double *lon, double *lat) {
    double x = *lon, y = *lat;
    double z = sqrt(x * x + y * y) + 0.00002 * sin(y * BD_K);
    double theta = atan2(y, x) + 0.000003 * cos(x * BD_K);
    *lon = z * cos(theta) + 0.0065;
    *lat = z * sin(theta) + 0.006;
}

/* The published inverse is one step of this iteration and leaves up to a metre. */
static void bd_to_gcj(double *lon, double *lat) {
    double x = *lon - 0.0065, y = *lat - 0.006;
    for (int i = 0; i < INVERSE_STEPS; i++) {
        double fx = x, fy = y;
        bd_from_gcj(&fx, &fy);
        double step_x = *lon - fx, step_y = *lat - fy;
        x += step_x;
        y += step_y;
        if (fabs(step_x) < 1e-13 && fabs(step_y) < 1e-13) break;
    }
    *lon = x;
    *lat = y;
}

void crs_to_wgs84(enum crs from, double *lon_deg, double *lat_deg) {
    if (!crs_is_lonlat(*lon_deg, *lat_deg)) return;
    if (from == CRS_BD09) bd_to_gcj(lon_deg, lat_deg);
    if (from == CRS_BD09 || from == CRS_GCJ02) gcj_to_wgs(lon_deg, lat_deg);
}

void crs_from_wgs84(enum crs to, double *lon_deg, double *lat_deg) {
    if (!crs_is_lonlat(*lon_deg, *lat_deg)) return;
    if (to == CRS_BD09 || to == CRS_GCJ02) gcj_from_wgs(lon_deg, lat_deg);
    if (to == CRS_BD09) bd_from_gcj(lon_deg, lat_deg);
}

void mercator_from_lonlat(double lon_deg, double lat_deg, double *x, double *y) {
    double lat = fmin(fmax(lat_deg, -MERCATOR_MAX_LAT), MERCATOR_MAX_LAT) * RAD;
    *x = (lon_deg + 180) / 360;
    /* asinh(tan) is ln(tan + sec) without the cancellation in the south. */
    *y = (1 - asinh(tan(lat)) / PI) / 2;
}

void mercator_to_lonlat(double x, double y, double *lon_deg, double *lat_deg) {
    *lon_deg = x * 360 - 180;
    *lat_deg = atan(sinh(PI * (1 - 2 * y))) / RAD;
}

double geo_distance_m(double lon1_deg, double lat1_deg, double lon2_deg, double lat2_deg) {
    double half_lat = sin((lat2_deg - lat1_deg) * RAD / 2);
    double half_lon = sin((lon2_deg - lon1_deg) * RAD / 2);
    double h =
        half_lat * half_lat + cos(lat1_deg * RAD) * cos(lat2_deg * RAD) * half_lon * half_lon;
    return 2 * EARTH_R * asin(fmin(1, sqrt(h)));
}

void geo_metres_per_degree(double lat_deg, double *per_lon_m, double *per_lat_m) {
    double s = sin(lat_deg * RAD);
    double w = 1 - WGS_E2 * s * s;
    *per_lon_m = RAD * WGS_A * cos(lat_deg * RAD) / sqrt(w);
    *per_lat_m = RAD * WGS_A * (1 - WGS_E2) / (w * sqrt(w));
}

static double square_middle(double v, double step) { return (floor(v / step) + 0.5) * step; }

static double six_digits(double v) { return round(v * 1e6) / 1e6; }

void geo_coarse_point(double grid_m, double *lon_deg, double *lat_deg) {
    if (!crs_is_lonlat(*lon_deg, *lat_deg) || !(grid_m > 0)) return;
    /* Fixed rows: one degree is taken as 111,320 m everywhere, so that rows do not depend on the
     * point. */
    double lat_step = grid_m / 111320;
    double lat = fmin(fmax(*lat_deg, -COARSE_MAX_LAT), COARSE_MAX_LAT);
    lat = fmin(fmax(square_middle(lat, lat_step), -COARSE_MAX_LAT), COARSE_MAX_LAT);
    double lon_step = lat_step / cos(lat * RAD);
    double lon = fmin(fmax(square_middle(*lon_deg, lon_step), -180), 180);
    *lon_deg = six_digits(lon);
    *lat_deg = six_digits(lat);
}
