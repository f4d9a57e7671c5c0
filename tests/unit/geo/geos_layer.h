/* Test data and GEOS: shapes of the shared boundary files, and ours as GEOS has them. */
#ifndef TEST_GEOS_LAYER_H
#define TEST_GEOS_LAYER_H
#include <geos_c.h>

#include "base/arena.h"
#include "geo/polygon.h"

/* A GEOS multipolygon of the same rings. The caller destroys it. */
GEOSGeometry *geos_layer_shape(GEOSContextHandle_t g, const struct polygon *p);
/* The polygons of a GeoJSON file of the shared boundaries, at most max; 0 when the file is absent.
 * A broken file fails the running test. */
size_t geos_layer_read(struct arena *a, const char *name, const struct polygon **cell, size_t max);
#endif
