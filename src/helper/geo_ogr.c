/* gezhi-geo read: a file through GDAL, its features as frames. */
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <limits.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "helper/geo_sandbox.h"
#include "helper/geo_stream.h"
#include "helper/geo_tool.h"
#include "helper/run.h"

/* The drivers taken, by their exported entry points: GDALAllRegister would load two hundred. */
void RegisterOGRGeoJSON(void);
void RegisterOGRShape(void);
void RegisterOGRGeoPackage(void);
void RegisterOGROpenFileGDB(void);
void RegisterOGRKML(void);
void RegisterOGRDXF(void);

static const char *const drivers[] = {
    "GeoJSON", "ESRI Shapefile", "GPKG", "OpenFileGDB", "KML", "DXF", NULL};
#define DRIVERS_TEXT "GeoJSON, ESRI Shapefile, GeoPackage, File Geodatabase, KML, DXF"

struct reader {
    const struct tool_options *o;
    struct tool_log log;
    struct buf out;
    GEOSContextHandle_t geos;
    GDALDatasetH file;
    OGRLayerH layer;
    OGRCoordinateTransformationH to_wgs84; /* NULL: coordinates stay as they are */
    int field[TOOL_MAX_FIELDS];            /* index in the layer */
    int n_fields;
    char crs[128];
    bool is_drawing; /* DXF */
    bool names_crs;  /* the system is known from the options or the file */
    int64_t n_sent;
};

static void CPL_STDCALL gdal_message(CPLErr level, CPLErrorNum number, const char *message) {
    (void)number;
    struct tool_log *log = CPLGetErrorHandlerUserData();
    if (level < CE_Warning) return;
    if (level == CE_Warning && log->text[0] != '\0') return; /* an error says more */
    (void)snprintf(log->text, sizeof log->text, "%s", message);
}

static int file_open(struct reader *r) {
    struct stat st;
    char real[PATH_MAX];
    if (realpath(r->o->path, real) == NULL || stat(real, &st) != 0 ||
        (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) || strncmp(real, "/vsi", 4) == 0)
        return tool_fail(HELPER_EXIT_INPUT, "%s: there is no such file", r->o->path);
    char **options = NULL;
    if (r->o->encoding != NULL) options = CSLSetNameValue(options, "ENCODING", r->o->encoding);
    r->file = GDALOpenEx(real, GDAL_OF_VECTOR | GDAL_OF_READONLY, drivers,
                         (const char *const *)options, NULL);
    CSLDestroy(options);
    if (r->file == NULL)
        return tool_fail(HELPER_EXIT_UNSUPPORTED, "%s: not a file of %s. %s", r->o->path,
                         DRIVERS_TEXT, r->log.text);
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(r->file));
    r->is_drawing = strcmp(driver, "DXF") == 0;
    return HELPER_EXIT_OK;
}

static int layer_pick(struct reader *r) {
    int n = GDALDatasetGetLayerCount(r->file);
    if (n == 0) return tool_fail(HELPER_EXIT_INPUT, "%s: there is no layer in it", r->o->path);
    if (n == 1 && r->o->layer == NULL) {
        r->layer = GDALDatasetGetLayer(r->file, 0);
        return HELPER_EXIT_OK;
    }
    char list[300] = "";
    for (int i = 0; i < n; i++) {
        OGRLayerH l = GDALDatasetGetLayer(r->file, i);
        const char *name = OGR_L_GetName(l);
        if (r->o->layer != NULL && strcmp(name, r->o->layer) == 0) {
            r->layer = l;
            return HELPER_EXIT_OK;
        }
        size_t at = strlen(list);
        (void)snprintf(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ", name);
    }
    return r->o->layer == NULL ? tool_fail(HELPER_EXIT_INPUT, "%s holds %d layers: name one of %s",
                                           r->o->path, n, list)
                               : tool_fail(HELPER_EXIT_INPUT, "%s has no layer \"%s\", only %s",
                                           r->o->path, r->o->layer, list);
}

static int fields_pick(struct reader *r) {
    OGRFeatureDefnH d = OGR_L_GetLayerDefn(r->layer);
    int n = OGR_FD_GetFieldCount(d);
    if (r->o->n_fields == 0) {
        r->n_fields = n < TOOL_MAX_FIELDS ? n : TOOL_MAX_FIELDS;
        for (int i = 0; i < r->n_fields; i++) r->field[i] = i;
        return HELPER_EXIT_OK;
    }
    for (size_t k = 0; k < r->o->n_fields; k++) {
        int at = -1;
        for (int i = 0; i < n && at < 0; i++)
            if (strcmp(OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(d, i)), r->o->field[k]) == 0) at = i;
        if (at >= 0) {
            r->field[r->n_fields++] = at;
            continue;
        }
        char list[300] = "";
        for (int i = 0; i < n; i++) {
            size_t m = strlen(list);
            (void)snprintf(list + m, sizeof list - m, "%s%s", i == 0 ? "" : ", ",
                           OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(d, i)));
        }
        return tool_fail(HELPER_EXIT_INPUT, "%s has no field \"%s\", only %s", r->o->path,
                         r->o->field[k], n == 0 ? "none at all" : list);
    }
    return HELPER_EXIT_OK;
}

static const char *const kept_as_is[] = {"wgs84", "cgcs2000", "gcj02", "bd09"};

static int transform_to_wgs84(struct reader *r, OGRSpatialReferenceH from) {
    OGRSpatialReferenceH to = OSRNewSpatialReference(NULL);
    int rc = HELPER_EXIT_OK;
    if (to == NULL || OSRImportFromEPSG(to, 4326) != OGRERR_NONE) {
        rc = tool_fail(HELPER_EXIT_FAILED, "PROJ has no EPSG:4326: %s", r->log.text);
    } else {
        OSRSetAxisMappingStrategy(to, OAMS_TRADITIONAL_GIS_ORDER);
        OSRSetAxisMappingStrategy(from, OAMS_TRADITIONAL_GIS_ORDER);
        if (!OSRIsSame(from, to)) {
            r->to_wgs84 = OCTNewCoordinateTransformation(from, to);
            if (r->to_wgs84 == NULL)
                rc = tool_fail(HELPER_EXIT_UNSUPPORTED, "%s: no way from %s to WGS-84: %s",
                               r->o->path, r->crs, r->log.text);
        }
    }
    if (to != NULL) OSRRelease(to);
    return rc;
}

static int crs_from_code(struct reader *r, const char *code) {
    char *end;
    long epsg = strncasecmp(code, "EPSG:", 5) == 0 ? strtol(code + 5, &end, 10) : 0;
    if (epsg <= 0 || epsg > 1000000 || *end != '\0')
        return tool_fail(
            HELPER_EXIT_UNSUPPORTED,
            "coordinate system \"%s\": known are wgs84, cgcs2000, gcj02, bd09 and EPSG:n", code);
    OGRSpatialReferenceH from = OSRNewSpatialReference(NULL);
    int rc;
    if (from == NULL || OSRImportFromEPSG(from, (int)epsg) != OGRERR_NONE)
        rc = tool_fail(HELPER_EXIT_UNSUPPORTED, "there is no coordinate system EPSG:%ld", epsg);
    else
        rc = transform_to_wgs84(r, from);
    if (from != NULL) OSRRelease(from);
    return rc;
}

static int crs_pick(struct reader *r) {
    r->names_crs = true;
    if (r->o->crs != NULL) {
        (void)snprintf(r->crs, sizeof r->crs, "%s", r->o->crs);
        for (size_t i = 0; i < sizeof kept_as_is / sizeof kept_as_is[0]; i++)
            if (strcmp(r->o->crs, kept_as_is[i]) == 0) return HELPER_EXIT_OK;
        return crs_from_code(r, r->o->crs);
    }
    OGRSpatialReferenceH from = OGR_L_GetSpatialRef(r->layer);
    if (from == NULL) {
        r->names_crs = false;
        (void)snprintf(r->crs, sizeof r->crs, "wgs84 (the file names none)");
        return HELPER_EXIT_OK;
    }
    const char *authority = OSRGetAuthorityName(from, NULL),
               *code = OSRGetAuthorityCode(from, NULL);
    const char *name = OSRGetName(from);
    if (authority != NULL && code != NULL)
        (void)snprintf(r->crs, sizeof r->crs, "%s:%s by the file", authority, code);
    else
        (void)snprintf(r->crs, sizeof r->crs, "%s by the file", name != NULL ? name : "unnamed");
    OGRSpatialReferenceH own = OSRClone(from); /* the layer's must not change its axis order */
    if (own == NULL) return tool_fail(HELPER_EXIT_FAILED, "out of memory");
    int rc = transform_to_wgs84(r, own);
    OSRRelease(own);
    return rc;
}

static void head_send(struct reader *r) {
    size_t at = geo_frame_begin(&r->out, GEO_FRAME_HEAD);
    geo_put_text(&r->out, GDALGetDriverShortName(GDALGetDatasetDriver(r->file)));
    geo_put_text(&r->out, OGR_L_GetName(r->layer));
    geo_put_text(&r->out, r->crs);
    geo_put_i64(&r->out, OGR_L_GetFeatureCount(r->layer, 0));
    geo_put_u32(&r->out, (uint32_t)r->n_fields);
    OGRFeatureDefnH d = OGR_L_GetLayerDefn(r->layer);
    for (int i = 0; i < r->n_fields; i++)
        geo_put_text(&r->out, OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(d, r->field[i])));
    geo_frame_end(&r->out, at);
}

/* One feature on its way. */
struct item {
    unsigned char *wkb;  /* of GDAL, or */
    unsigned char *made; /* of GEOS, after repair */
    size_t n;
    char reason[400];
    double lon, lat;
    bool repaired;
};

/* Only the polygons of what a repair gives; lines and points of it have no area. */
static GEOSGeometry *only_polygons(GEOSContextHandle_t g, GEOSGeometry *shape) {
    int type = GEOSGeomTypeId_r(g, shape);
    if (type == GEOS_POLYGON || type == GEOS_MULTIPOLYGON) return shape;
    GEOSGeometry *out = NULL;
    int n = GEOSGetNumGeometries_r(g, shape);
    for (int i = 0; type == GEOS_GEOMETRYCOLLECTION && i < n; i++) {
        const GEOSGeometry *part = GEOSGetGeometryN_r(g, shape, i);
        int t = GEOSGeomTypeId_r(g, part);
        if (t != GEOS_POLYGON && t != GEOS_MULTIPOLYGON) continue;
        GEOSGeometry *sum = out == NULL ? GEOSGeom_clone_r(g, part) : GEOSUnion_r(g, out, part);
        GEOSGeom_destroy_r(g, out);
        out = sum;
    }
    GEOSGeom_destroy_r(g, shape);
    return out;
}

static void repair(struct reader *r, struct item *it, const GEOSGeometry *shape) {
    GEOSGeometry *made = GEOSMakeValid_r(r->geos, shape);
    if (made != NULL) made = only_polygons(r->geos, made);
    if (made == NULL || GEOSisEmpty_r(r->geos, made) != 0) {
        GEOSGeom_destroy_r(r->geos, made);
        return;
    }
    GEOSWKBWriter *w = GEOSWKBWriter_create_r(r->geos);
    if (w != NULL) {
        GEOSWKBWriter_setOutputDimension_r(r->geos, w, 2);
        GEOSWKBWriter_setByteOrder_r(r->geos, w, GEOS_WKB_NDR);
        it->made = GEOSWKBWriter_write_r(r->geos, w, made, &it->n);
        it->repaired = it->made != NULL;
        GEOSWKBWriter_destroy_r(r->geos, w);
    }
    GEOSGeom_destroy_r(r->geos, made);
}

/* GEOS's word on a polygon, where it is wrong, and the repair when asked for. */
static void validate(struct reader *r, struct item *it) {
    r->log.text[0] = '\0';
    GEOSGeometry *shape = GEOSGeomFromWKB_buf_r(r->geos, it->wkb, it->n);
    if (shape == NULL) { /* rings that are open or too short cannot even be built */
        bool open_ring = strstr(r->log.text, "closed") != NULL;
        (void)snprintf(it->reason, sizeof it->reason, "%s",
                       open_ring ? "Ring is not closed" : r->log.text);
        return;
    }
    char *reason = NULL;
    GEOSGeometry *where = NULL;
    char valid = GEOSisValidDetail_r(r->geos, shape, 0, &reason, &where);
    if (valid != 1) {
        (void)snprintf(it->reason, sizeof it->reason, "%s", reason != NULL ? reason : r->log.text);
        if (where != NULL) {
            (void)GEOSGeomGetX_r(r->geos, where, &it->lon);
            (void)GEOSGeomGetY_r(r->geos, where, &it->lat);
        }
        if (r->o->repair) repair(r, it, shape);
    }
    if (reason != NULL) GEOSFree_r(r->geos, reason);
    GEOSGeom_destroy_r(r->geos, where);
    GEOSGeom_destroy_r(r->geos, shape);
}

static int coordinates_check(const struct reader *r, OGRGeometryH g, int64_t number) {
    OGREnvelope e;
    OGR_G_GetEnvelope(g, &e);
    if (e.MinX >= -180 && e.MaxX <= 180 && e.MinY >= -90 && e.MaxY <= 90) return HELPER_EXIT_OK;
    return tool_fail(
        HELPER_EXIT_INPUT,
        "feature %lld lies at %.10g, %.10g, which is no longitude, latitude (taken as %s)%s",
        (long long)number, e.MinX, e.MinY, r->crs,
        r->names_crs ? "" : ": name the coordinate system, such as EPSG:4547");
}

/* Plain two-dimensional geometry in WGS-84 as WKB. */
static int geometry_take(struct reader *r, OGRFeatureH f, int64_t number, struct item *it) {
    OGRGeometryH own = OGR_F_StealGeometry(f);
    if (own == NULL) return HELPER_EXIT_OK;
    OGRGeometryH g = OGR_G_GetLinearGeometry(own, 0, NULL);
    OGR_G_DestroyGeometry(own);
    if (g == NULL)
        return tool_fail(HELPER_EXIT_INPUT, "feature %lld: %s", (long long)number, r->log.text);
    OGR_G_FlattenTo2D(g);
    /* A drawing has no areas, only closed lines. */
    if (r->is_drawing && OGR_G_GetGeometryType(g) == wkbLineString && OGR_G_IsRing(g) != 0 &&
        OGR_G_GetPointCount(g) >= 4)
        g = OGR_G_ForceToPolygon(g);
    int rc = HELPER_EXIT_OK;
    if (OGR_G_IsEmpty(g) != 0) goto out;
    if (r->to_wgs84 != NULL && OGR_G_Transform(g, r->to_wgs84) != OGRERR_NONE) {
        rc = tool_fail(HELPER_EXIT_INPUT, "feature %lld cannot be converted from %s: %s",
                       (long long)number, r->crs, r->log.text);
        goto out;
    }
    rc = coordinates_check(r, g, number);
    if (rc != HELPER_EXIT_OK) goto out;
    OGRwkbGeometryType type = wkbFlatten(OGR_G_GetGeometryType(g));
    bool is_area = type == wkbPolygon || type == wkbMultiPolygon;
    int size = OGR_G_WkbSize(g);
    if (is_area && r->o->repair) {
        OGR_G_CloseRings(g);
        it->repaired = OGR_G_WkbSize(g) != size;
        if (it->repaired) (void)snprintf(it->reason, sizeof it->reason, "Ring is not closed");
        size = OGR_G_WkbSize(g);
    }
    if (size <= 0 || size > GEO_FRAME_MAX / 2) {
        rc = tool_fail(HELPER_EXIT_LIMIT, "feature %lld has too many points", (long long)number);
        goto out;
    }
    it->n = (size_t)size;
    it->wkb = mem_new(it->n, 1);
    if (it->wkb == NULL || OGR_G_ExportToIsoWkb(g, wkbNDR, it->wkb) != OGRERR_NONE)
        rc = tool_fail(HELPER_EXIT_FAILED, "feature %lld: %s", (long long)number, r->log.text);
    else if (is_area)
        validate(r, it);
out:
    OGR_G_DestroyGeometry(g);
    return rc;
}

static int values_put(struct reader *r, OGRFeatureH f, int64_t number) {
    for (int i = 0; i < r->n_fields; i++) {
        if (OGR_F_IsFieldSetAndNotNull(f, r->field[i]) == 0) {
            geo_put_text(&r->out, NULL);
            continue;
        }
        const char *text = OGR_F_GetFieldAsString(f, r->field[i]);
        if (CPLIsUTF8(text, -1) == 0)
            return tool_fail(
                HELPER_EXIT_INPUT,
                "feature %lld, field \"%s\": not UTF-8, name the encoding, such as GBK",
                (long long)number, OGR_Fld_GetNameRef(OGR_F_GetFieldDefnRef(f, r->field[i])));
        geo_put_text(&r->out, text);
    }
    return HELPER_EXIT_OK;
}

static int feature_send(struct reader *r, OGRFeatureH f, int64_t number) {
    struct item it = {0};
    int rc = geometry_take(r, f, number, &it);
    if (rc == HELPER_EXIT_OK) {
        size_t at = geo_frame_begin(&r->out, GEO_FRAME_FEATURE);
        bool invalid = it.reason[0] != '\0';
        geo_put_i64(&r->out, number);
        geo_put_u8(&r->out, (it.n > 0 ? (unsigned)GEO_FLAG_WKB : 0u) |
                                (invalid ? (unsigned)GEO_FLAG_INVALID : 0u) |
                                (it.repaired ? (unsigned)GEO_FLAG_REPAIRED : 0u));
        rc = values_put(r, f, number);
        if (it.n > 0) geo_put_bytes(&r->out, it.made != NULL ? it.made : it.wkb, it.n);
        if (invalid) {
            geo_put_text(&r->out, CPLIsUTF8(it.reason, -1) != 0 ? it.reason : "invalid geometry");
            geo_put_f64(&r->out, it.lon);
            geo_put_f64(&r->out, it.lat);
        }
        geo_frame_end(&r->out, at);
    }
    mem_free(it.wkb);
    if (it.made != NULL) GEOSFree_r(r->geos, it.made);
    return rc;
}

static int features_send(struct reader *r) {
    OGRFeatureH f;
    int rc = HELPER_EXIT_OK;
    r->log.text[0] = '\0';
    CPLErrorReset();
    while (rc == HELPER_EXIT_OK && (f = OGR_L_GetNextFeature(r->layer)) != NULL) {
        if (r->n_sent == TOOL_MAX_FEATURES)
            rc = tool_fail(HELPER_EXIT_LIMIT, "%s holds more than %d features", r->o->path,
                           TOOL_MAX_FEATURES);
        else
            rc = feature_send(r, f, ++r->n_sent);
        OGR_F_Destroy(f);
        if (rc == HELPER_EXIT_OK && !tool_flush(&r->out))
            rc = tool_fail(HELPER_EXIT_FAILED, "the result cannot be written");
    }
    if (rc == HELPER_EXIT_OK && CPLGetLastErrorType() >= CE_Failure)
        rc = tool_fail(HELPER_EXIT_INPUT, "%s, after feature %lld: %s", r->o->path,
                       (long long)r->n_sent, CPLGetLastErrorMsg());
    return rc;
}

static int read_all(struct reader *r) {
    int rc = file_open(r);
    if (rc == HELPER_EXIT_OK) rc = layer_pick(r);
    if (rc == HELPER_EXIT_OK) rc = fields_pick(r);
    if (rc == HELPER_EXIT_OK) rc = crs_pick(r);
    if (rc != HELPER_EXIT_OK) return rc;
    head_send(r);
    rc = features_send(r);
    if (rc != HELPER_EXIT_OK) return rc;
    size_t at = geo_frame_begin(&r->out, GEO_FRAME_END);
    geo_put_i64(&r->out, r->n_sent);
    geo_frame_end(&r->out, at);
    return tool_flush(&r->out) ? HELPER_EXIT_OK
                               : tool_fail(HELPER_EXIT_FAILED, "the result cannot be written");
}

int tool_read(const struct tool_options *o) {
    struct reader r = {.o = o};
    buf_init(&r.out, (size_t)GEO_FRAME_MAX);
    r.geos = tool_geos(&r.log);
    if (r.geos == NULL) return tool_fail(HELPER_EXIT_FAILED, "GEOS cannot start");
    RegisterOGRGeoJSON();
    RegisterOGRShape();
    RegisterOGRGeoPackage();
    RegisterOGROpenFileGDB();
    RegisterOGRKML();
    RegisterOGRDXF();
    CPLSetConfigOption("GDAL_DISABLE_READDIR_ON_OPEN", "FALSE");
    CPLSetConfigOption("GDAL_PAM_ENABLED", "NO");
    CPLSetConfigOption("SHAPE_RESTORE_SHX", "NO");
    CPLSetConfigOption("OGR_SQLITE_LOAD_EXTENSIONS", "");
    OSRSetPROJEnableNetwork(0);
    CPLPushErrorHandlerEx(gdal_message, &r.log);
    int rc = geo_limit_calls(true)
                 ? read_all(&r)
                 : tool_fail(HELPER_EXIT_FAILED, "this system has no call filter");
    OCTDestroyCoordinateTransformation(r.to_wgs84);
    if (r.file != NULL) (void)GDALClose(r.file);
    CPLPopErrorHandler();
    GEOS_finish_r(r.geos);
    buf_deinit(&r.out);
    return rc;
}
