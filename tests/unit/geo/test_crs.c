#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "geo/crs.h"

static void near(double got, double want, double tol) {
    if (!(fabs(got - want) <= tol)) print_error("got %.15g, want %.15g\n", got, want);
    assert_true(fabs(got - want) <= tol);
}

/* A fixed low-discrepancy walk over the unit square (Roberts 2018, R2 sequence). */
static void spread(int i, double *u, double *v) {
    *u = fmod(0.5 + i * 0.7548776662466927, 1);
    *v = fmod(0.5 + i * 0.5698402909980532, 1);
}

/* Published values: README of the repository wandergis/coordtransform (116.404, 39.915) and the
 * test file of googollee/eviltransform (Shanghai, Shenzhen, Beijing). */
static void test_published_values(void **state) {
    (void)state;
    static const double wgs_gcj[][4] = {
        {116.404, 39.915, 116.41024449916938, 39.91640428150164},
        {121.5272106, 31.1774276, 121.531541859215, 31.17530398364597},
        {113.912316, 22.543847, 113.9171764808363, 22.540796131694766},
        {116.377817, 39.911954, 116.38404722455657, 39.91334545536069},
    };
    for (size_t i = 0; i < sizeof wgs_gcj / sizeof wgs_gcj[0]; i++) {
        double lon = wgs_gcj[i][0], lat = wgs_gcj[i][1];
        crs_from_wgs84(CRS_GCJ02, &lon, &lat);
        near(lon, wgs_gcj[i][2], 1e-11);
        near(lat, wgs_gcj[i][3], 1e-11);
        crs_to_wgs84(CRS_GCJ02, &lon, &lat);
        near(lon, wgs_gcj[i][0], 1e-11);
        near(lat, wgs_gcj[i][1], 1e-11);
    }
    double lon = 116.404, lat = 39.915;
    crs_from_wgs84(CRS_BD09, &lon, &lat);
    near(lon, 116.41662724378733, 1e-11);
    near(lat, 39.922699552216216, 1e-11);
}

static void test_there_and_back(void **state) {
    (void)state;
    for (int i = 0; i < 20000; i++) {
        double u, v;
        spread(i, &u, &v);
        /* A hundredth of a degree inside the rim, where the system is not ambiguous. */
        double lon0 = 72.02 + u * (137.82 - 72.02), lat0 = 0.85 + v * (55.81 - 0.85);
        for (int crs = 0; crs < CRS_N; crs++) {
            double lon = lon0, lat = lat0;
            crs_from_wgs84((enum crs)crs, &lon, &lat);
            double shift = hypot(lon - lon0, lat - lat0);
            assert_true(shift < 0.05);
            if (crs >= CRS_GCJ02) assert_true(shift > 1e-5);
            crs_to_wgs84((enum crs)crs, &lon, &lat);
            near(lon, lon0, 1e-9);
            near(lat, lat0, 1e-9);
            crs_to_wgs84((enum crs)crs, &lon, &lat);
            crs_from_wgs84((enum crs)crs, &lon, &lat);
            near(lon, lon0, 1e-9);
            near(lat, lat0, 1e-9);
        }
    }
}

static void test_outside_china(void **state) {
    (void)state;
    for (int i = 0; i < 5000; i++) {
        double u, v;
        spread(i, &u, &v);
        double lon0 = -180 + u * 250, lat0 = -90 + v * 180;
        double lon = lon0, lat = lat0;
        crs_from_wgs84(CRS_GCJ02, &lon, &lat);
        assert_true(lon == lon0 && lat == lat0);
        crs_to_wgs84(CRS_GCJ02, &lon, &lat);
        assert_true(lon == lon0 && lat == lat0);
        if (!crs_is_lonlat(lon0 - 0.01, lat0 - 0.01)) continue;
        crs_to_wgs84(CRS_BD09, &lon, &lat);
        crs_from_wgs84(CRS_BD09, &lon, &lat);
        near(lon, lon0, 1e-9);
        near(lat, lat0, 1e-9);
    }
    double bad[] = {NAN, INFINITY, -INFINITY, 181, 1e300};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double lon = bad[i], lat = 30;
        assert_false(crs_is_lonlat(lon, lat));
        crs_to_wgs84(CRS_BD09, &lon, &lat);
        assert_memory_equal(&lon, &bad[i], sizeof lon);
        assert_true(lat == 30);
        assert_false(crs_is_lonlat(30, bad[i]));
    }
}

static void test_names(void **state) {
    (void)state;
    enum crs crs;
    struct err err = {0};
    for (int i = 0; i < CRS_N; i++) {
        assert_int_equal(crs_parse(crs_name((enum crs)i), &crs, &err), ERR_OK);
        assert_int_equal(crs, i);
    }
    assert_int_equal(crs_parse("WGS-84", &crs, &err), ERR_OK);
    assert_int_equal(crs, CRS_WGS84);
    assert_int_equal(crs_parse("EPSG:4490", &crs, &err), ERR_OK);
    assert_int_equal(crs, CRS_CGCS2000);
    assert_int_equal(crs_parse("GCJ-02", &crs, &err), ERR_OK);
    assert_int_equal(crs, CRS_GCJ02);
    assert_int_equal(crs_parse("", &crs, &err), ERR_INVALID);
    assert_int_equal(crs_parse("gcj03", &crs, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "gcj02"));
    assert_int_equal(crs_parse("gcj02gcj02gcj02gcj02gcj02", &crs, &err), ERR_INVALID);
    assert_string_equal(crs_name((enum crs)99), "?");
}

static void test_mercator(void **state) {
    (void)state;
    double x, y, lon, lat;
    mercator_from_lonlat(0, 0, &x, &y);
    near(x, 0.5, 0);
    near(y, 0.5, 0);
    mercator_from_lonlat(-180, 89, &x, &y);
    near(x, 0, 0);
    near(y, 0, 1e-12);
    mercator_from_lonlat(180, -89, &x, &y);
    near(x, 1, 0);
    near(y, 1, 1e-12);
    /* Tile 14/13489/6208 holds Tian'anmen by the formula of the vector tile note in domain.md 12.4.
     */
    mercator_from_lonlat(116.397, 39.909, &x, &y);
    assert_int_equal((int)floor(x * 16384), 13489);
    assert_int_equal((int)floor(y * 16384), 6208);
    for (int i = 0; i < 2000; i++) {
        double u, v;
        spread(i, &u, &v);
        mercator_from_lonlat(u * 360 - 180, v * 170 - 85, &x, &y);
        mercator_to_lonlat(x, y, &lon, &lat);
        near(lon, u * 360 - 180, 1e-11);
        near(lat, v * 170 - 85, 1e-11);
    }
}

static void test_distance(void **state) {
    (void)state;
    near(geo_distance_m(116, 40, 116, 40), 0, 0);
    near(geo_distance_m(0, 0, 180, 0), 6371008.8 * 3.14159265358979, 1e-3);
    near(geo_distance_m(0, -90, 0, 90), 6371008.8 * 3.14159265358979, 1e-3);
    /* A degree of latitude on this sphere. */
    near(geo_distance_m(116, 39, 116, 40), 111195.08, 0.01);
    near(geo_distance_m(179.5, 0, -179.5, 0), geo_distance_m(0, 0, 1, 0), 1e-6);
    double per_lon, per_lat;
    /* Table of the ellipsoid: 111,319.491 m along the equator, 110,574.3 m and 111,693.9 m along
     * the meridian. */
    geo_metres_per_degree(0, &per_lon, &per_lat);
    near(per_lon, 111319.491, 1e-3);
    near(per_lat, 110574.276, 1e-2);
    geo_metres_per_degree(90, &per_lon, &per_lat);
    near(per_lon, 0, 1e-6);
    near(per_lat, 111693.980, 1e-2);
}

static void test_coarse_point(void **state) {
    (void)state;
    for (int i = 0; i < 20000; i++) {
        double u, v;
        spread(i, &u, &v);
        double lon0 = 70 + u * 70, lat0 = i % 5 == 0 ? v * 178 - 89 : 3 + v * 50;
        double lon = lon0, lat = lat0;
        geo_coarse_point(50, &lon, &lat);
        double once_lon = lon, once_lat = lat;
        geo_coarse_point(50, &lon, &lat);
        assert_true(lon == once_lon && lat == once_lat);
        /* Half the diagonal of a 50 m square, a per cent for the ellipsoid. */
        assert_true(geo_distance_m(lon0, lat0, lon, lat) <= 50 * 0.7072 * 1.01 + 0.2);
    }
    /* Two doors of one house share their place. */
    double a = 116.39700, b = 39.90900, c = 116.39701, d = 39.90901;
    geo_coarse_point(50, &a, &b);
    geo_coarse_point(50, &c, &d);
    assert_true(a == c && b == d);
    double lon = 180, lat = 90;
    geo_coarse_point(50, &lon, &lat);
    assert_true(crs_is_lonlat(lon, lat) && lat <= 89);
    lon = NAN, lat = 0;
    geo_coarse_point(50, &lon, &lat);
    assert_true(isnan(lon));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_values), cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_outside_china),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_mercator),         cmocka_unit_test(test_distance),
        cmocka_unit_test(test_coarse_point),
    };
    return cmocka_run_group_tests_name("geo_crs", tests, NULL, NULL);
}
