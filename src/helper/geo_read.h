/* helper/geo_read.h - read a vector file through the sandboxed program gezhi-geo (GDAL, PROJ,
 * GEOS), and ask it how shapes lie to each other. Blocking: job threads and the command line only.
 */
#ifndef HELPER_GEO_READ_H
#define HELPER_GEO_READ_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum { GEO_READ_MAX_FIELDS = 64 };

struct geo_read_options {
    const char
        *path; /* GeoJSON, ESRI Shapefile (.shp), GeoPackage, File Geodatabase (folder), KML, DXF */
    const char *crs; /* NULL: what the file says, WGS-84 when it says nothing. "wgs84", "cgcs2000",
                        "gcj02", "bd09" or "EPSG:n" overrides the file */
    const char *layer;    /* NULL: the only layer; a file of several needs a name */
    const char *encoding; /* NULL: what the file says; else of attribute texts, such as "GBK" */
    const char *const
        *fields; /* names of the attributes wanted, in this order, each must exist; NULL: all */
    size_t n_fields;
    bool repair;     /* repair polygons that are not valid (GEOSMakeValid, polygons only kept) */
    int64_t wall_ms; /* 0: ten minutes */
    uint64_t memory_bytes; /* 0: 2 GiB */
};

struct geo_read_head {
    size_t n_fields;
    const char *const *fields; /* names, in the order of the values */
    const char *driver;        /* "GeoJSON", ... */
    const char *layer;
    const char
        *crs; /* how the coordinates were taken: "wgs84", "gcj02", "EPSG:4547 by file", ... */
    int64_t n_features; /* as the file says, -1 unknown */
};

struct geo_feature {
    int64_t number;            /* 1-based position in the file */
    const char *const *values; /* texts, NULL where the file has none */
    const void *wkb; /* Polygon or MultiPolygon (or Point, LineString as the file has it), two
                        dimensions, WGS-84 degrees; NULL when the feature has no geometry */
    size_t wkb_n;
    const char *invalid;    /* NULL when valid, else why, in English: "Self-intersection" */
    const char *invalid_zh; /* the same in Chinese */
    double invalid_lon, invalid_lat; /* where */
    bool repaired;                   /* wkb is the repaired shape */
};

/* All pointers are borrowed for the call. Returning another code than ERR_OK ends the reading with
 * it. */
typedef enum err_code geo_feature_fn(void *arg, const struct geo_read_head *head,
                                     const struct geo_feature *f, struct err *err);

/* Read the file at o->path with the program at helper_path (helper_find(.., "gezhi-geo", ..)); fn
 * is called once a feature, in file order. `head` may be NULL, else filled with memory of the arena
 * (also when there is no feature). Errors: ERR_INVALID (the file cannot be read, a field is
 * missing: the fields it has are named), ERR_UNSUPPORTED (a kind of file or coordinate system that
 * is not taken), ERR_LIMIT, ERR_TIMEOUT, ERR_NOT_FOUND, ERR_NOMEM. */
enum err_code geo_read_file(struct arena *a, const char *helper_path,
                            const struct geo_read_options *o, struct geo_read_head *head,
                            geo_feature_fn *fn, void *arg, struct err *err) NODISCARD;

/* ---- how shapes lie to each other ---- */

enum geo_relation {
    GEO_OVERLAP = 1, /* a and b of one set share ground */
    GEO_INSIDE = 2,  /* share of child a that lies in parent b */
    GEO_GAP = 3      /* ground enclosed by the set that no shape covers */
};

struct geo_finding {
    enum geo_relation relation;
    int32_t a, b;    /* positions in the arrays given; -1 where there is none */
    double area_m2;  /* of the common ground or gap */
    double share;    /* of a's area, 0..1; 0 for gaps */
    double width_m;  /* twice the area over the perimeter of the widest piece: slivers are narrow */
    double lon, lat; /* a point in it */
};
struct geo_shape {
    const void *wkb; /* valid polygons, WGS-84 */
    size_t n;
};

struct geo_topology_options {
    double min_overlap_m2; /* smaller overlaps and gaps are not reported; 0: all above 0.01 m2 */
    bool gaps;             /* look for gaps too */
    int64_t wall_ms;       /* 0: ten minutes */
    uint64_t memory_bytes; /* 0: 2 GiB */
};

/* Overlaps and gaps among the children; with parents, also for each child the parents that hold
 * more than a hundredth of it (GEO_INSIDE). Findings in arena memory, sorted by relation, a, b.
 * Errors as above; ERR_INVALID naming the shape that is not valid. */
enum err_code geo_topology(struct arena *a, const char *helper_path, const struct geo_shape *child,
                           size_t n_child, const struct geo_shape *parent, size_t n_parent,
                           const struct geo_topology_options *o, const struct geo_finding **out,
                           size_t *n_out, struct err *err) NODISCARD;
#endif
