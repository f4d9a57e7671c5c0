/* domain/grid/import_int.h - what the two sources of an import share; nobody else includes it. */
#ifndef DOMAIN_GRID_IMPORT_INT_H
#define DOMAIN_GRID_IMPORT_INT_H
#include "domain/grid/import.h"
#include "helper/geo_read.h"

struct item {
    const char *code, *name, *parent;
    const void *wkb;
    size_t wkb_n;
    int64_t number;
    int area;     /* index of the parent area, GRID_NONE */
    double share; /* of it that lies in that area; NaN when the area has no shape */
};
struct run {
    struct folder *folder;
    const struct grid_import *in;
    struct grid_imported *out;
    struct arena *a;
    const struct grid *grid;
    struct item *items; /* by code once read */
    size_t n, cap;
    int64_t n_problems;
    int level;
    /* How the shapes lie: findings name positions in `items`, then in `beside`. */
    const struct geo_finding *found;
    size_t n_found;
    struct item *beside; /* rows of the same layer or level that the file does not name */
    size_t n_beside;
};

void import_problem(struct run *r, int64_t number, const char *what, const char *detail);
/* Ask the helper how the shapes lie to each other and to the areas; settles item.area by shape when
 * no parent was named, item.share for the others. Errors: those of geo_topology. */
enum err_code import_shapes(struct run *r, const char *helper, struct err *err) NODISCARD;
/* What is odd but not refused, a line each on in->warnings. */
void import_warn(struct run *r);
#endif
