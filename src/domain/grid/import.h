/* domain/grid/import.h - areas and cells from a vector file into the ledger, in one command: all of
 * it or nothing. A feature whose code is there already changes that row when name or shape differ;
 * unchanged rows are left alone, so that a second run adds nothing. Shapes are stored in WGS-84.
 * Without a named parent it is the deepest area that holds 99 % of the shape; none is no error. */
#ifndef DOMAIN_GRID_IMPORT_H
#define DOMAIN_GRID_IMPORT_H
#include <stdio.h>

#include "domain/grid/folder.h"
#include "domain/grid/grid.h"

struct grid_import {
    const char *file, *crs, *helper_dir;
    const char *code_field, *name_field,
        *parent_field;  /* code NULL: the name; parent NULL: by shape (cells) */
    const char *parent; /* areas: code of the parent of all, or NULL: by shape */
    const char *layer;  /* cells: name of the layer; NULL imports areas */
    int level;          /* areas: enum area_level, -1 = one below the parent, county without one */
    bool repair;
    FILE *problems; /* the first 50 problems, a line each; not NULL */
    FILE *warnings; /* what is odd but stored: overlaps, slivers, gaps between cells, areas outside
                       their parent; the first 50, a line each, then their number. NULL: none looked
                       for */
};
struct grid_imported {
    int64_t read, added, changed, unchanged, repaired, without_parent, warnings;
};
/* Errors: ERR_INVALID (a field is missing, a code stands twice or breaks the code rule, geometry
 * that is not valid or no polygon, a parent that does not exist or holds less than 99 % of its
 * cell; written to problems, and nothing is imported), those of reading and of the ledger. */
enum err_code grid_import_run(struct folder *f, const struct grid_import *in,
                              struct grid_imported *out, struct err *err) NODISCARD;
#endif
