/* gezhi-geo: reads a vector file, or shapes from stdin, in a sandbox of its own. Called by
 * helper/geo_read.c; what it writes is described in helper/geo_stream.h. Exit codes: helper/run.h.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/geo_sandbox.h"
#include "helper/geo_tool.h"
#include "helper/run.h"

int tool_fail(int exit_code, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    return exit_code;
}

bool tool_flush(struct buf *b) {
    if (b->failed) return false;
    size_t at = 0;
    while (at < b->n) {
        ssize_t n = write(STDOUT_FILENO, b->p + at, b->n - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += (size_t)n;
    }
    buf_clear(b);
    return true;
}

static void geos_message(const char *message, void *arg) {
    struct tool_log *log = arg;
    (void)snprintf(log->text, sizeof log->text, "%s", message);
}

GEOSContextHandle_t tool_geos(struct tool_log *log) {
    GEOSContextHandle_t g = GEOS_init_r();
    if (g == NULL) return NULL;
    GEOSContext_setNoticeMessageHandler_r(g, geos_message, log);
    GEOSContext_setErrorMessageHandler_r(g, geos_message, log);
    return g;
}

void tool_degree_m(double lat, double *per_lon, double *per_lat) {
    *per_lat = 6371008.8 * 3.14159265358979323846 / 180;
    *per_lon = *per_lat * cos(lat * 3.14159265358979323846 / 180);
}

static bool parse_u64(const char *s, uint64_t *out) {
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 10);
    if (errno != 0 || end == s || *end != '\0' || *s == '-') return false;
    *out = v;
    return true;
}

static bool parse_double(const char *s, double *out) {
    char *end;
    *out = strtod(s, &end);
    return end != s && *end == '\0' && isfinite(*out);
}

/* --name value pairs; false when one is not known. */
static bool parse_option(struct tool_options *o, const char *name, const char *value) {
    if (strcmp(name, "--crs") == 0) {
        o->crs = value;
    } else if (strcmp(name, "--layer") == 0) {
        o->layer = value;
    } else if (strcmp(name, "--encoding") == 0) {
        o->encoding = value;
    } else if (strcmp(name, "--field") == 0 && o->n_fields < TOOL_MAX_FIELDS) {
        o->field[o->n_fields++] = value;
    } else if (strcmp(name, "--cpu-seconds") == 0) {
        return parse_u64(value, &o->cpu_s);
    } else if (strcmp(name, "--memory") == 0) {
        return parse_u64(value, &o->memory_bytes);
    } else if (strcmp(name, "--min-overlap") == 0) {
        return parse_double(value, &o->min_overlap_m2);
    } else {
        return false;
    }
    return true;
}

static bool parse(struct tool_options *o, int argc, char **argv) {
    if (argc < 2) return false;
    o->topology = strcmp(argv[1], "topology") == 0;
    if (!o->topology && strcmp(argv[1], "read") != 0) return false;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--repair") == 0) {
            o->repair = true;
        } else if (strcmp(argv[i], "--gaps") == 0) {
            o->gaps = true;
        } else if (strcmp(argv[i], "--") == 0 && i + 2 == argc && !o->topology) {
            o->path = argv[i + 1];
            return true;
        } else if (i + 1 < argc && parse_option(o, argv[i], argv[i + 1])) {
            i++;
        } else {
            return false;
        }
    }
    return o->topology;
}

int main(int argc, char **argv) {
    struct tool_options o = {
        .cpu_s = 600, .memory_bytes = (uint64_t)2 << 30, .min_overlap_m2 = 0.01};
    if (!parse(&o, argc, argv))
        return tool_fail(
            HELPER_EXIT_USAGE,
            "usage: gezhi-geo read [--crs C] [--layer L] [--encoding E] [--field F]... "
            "[--repair] -- FILE | gezhi-geo topology [--gaps] [--min-overlap M2]");
    if (!geo_limit_resources(o.cpu_s, o.memory_bytes))
        return tool_fail(HELPER_EXIT_FAILED, "the resource limits cannot be set");
    return o.topology ? tool_topology(&o) : tool_read(&o);
}
