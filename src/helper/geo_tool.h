/* helper/geo_tool.h - the parts of the program gezhi-geo. For it only; one thread. */
#ifndef HELPER_GEO_TOOL_H
#define HELPER_GEO_TOOL_H
#include <geos_c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { TOOL_MAX_FIELDS = 64, TOOL_MAX_FEATURES = 2000000 };

struct tool_options {
    bool topology, gaps, repair;
    const char *path, *crs, *layer, *encoding;
    const char *field[TOOL_MAX_FIELDS];
    size_t n_fields;
    double min_overlap_m2;
    uint64_t cpu_s, memory_bytes;
};

/* Where messages of GDAL and GEOS land; the newest wins. */
struct tool_log {
    char text[400];
};

/* One line to stderr, and the exit code back. */
int tool_fail(int exit_code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Write and empty the buffer; false when the reader has gone or memory is short. */
bool tool_flush(struct buf *b);
GEOSContextHandle_t tool_geos(struct tool_log *log);

/* Metres of a degree at this latitude (sphere of 6371008.8 m). */
void tool_degree_m(double lat, double *per_lon, double *per_lat);

/* The two jobs; each returns the exit code. */
int tool_read(const struct tool_options *o);
int tool_topology(const struct tool_options *o);
#endif
