/* Builds the immutable snapshot from the tables of pack city. Everything lives in one arena that
 * the last grid_unref frees. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/grid/snapshot.h"
#include "store/sql.h"
#include "store/tables.h"

enum { ARENA_MAX = 1 << 30 };

struct loader {
    struct arena *a;
    struct db *db;
    const struct pack_set *packs;
    struct grid *g;
    struct err *err;
};

/* Rows of a type, the named fields in the order given, behind id and version. */
static enum err_code rows_of(struct loader *l, const char *type, const char *const *fields,
                             size_t n, struct cursor **out) {
    const struct type_def *t = pack_type(l->packs, type);
    if (t == NULL) return err_fail(l->err, ERR_INVALID, "the packs have no type \"%s\"", type);
    struct sql s;
    TRY(sql_begin(&s, l->a, l->err));
    sql_add(&s, "SELECT id, version");
    for (size_t i = 0; i < n; i++) {
        int col = type_field(t, fields[i]);
        if (col < 0) {
            return err_fail(l->err, ERR_INVALID,
                            "type \"%s\" has no field \"%s\", which the grid needs", type,
                            fields[i]);
        }
        sql_add(&s, ", ");
        sql_column(&s, &t->table, col, "");
    }
    sql_add(&s, " FROM ");
    sql_table(&s, &t->table);
    sql_add(&s, " WHERE ledger = 1 ORDER BY id");
    return sql_query(&s, l->db, out, l->err);
}

/* An array that grows in the arena by doubling; the halves left behind cost at most as much again.
 */
static void *grown(struct loader *l, void *old, size_t n, size_t size) {
    if (n != 0 && (n & (n - 1)) != 0) return old;
    if (n != 0 && n < 64) return old;
    size_t cap = n == 0 ? 64 : n * 2;
    void *p = arena_alloc(l->a, cap, size);
    if (p != NULL && n > 0) memcpy(p, old, n * size);
    return p;
}

static const char *text_of(struct loader *l, const struct cursor *c, int col) {
    const char *s = cursor_text(c, col);
    return s[0] == '\0' ? "" : arena_strdup(l->a, s);
}

/* ---- areas ---- */

struct area_source {
    struct grid_area area;
    const char *parent;
};

static int by_area_code(const void *a, const void *b) {
    return strcmp(((const struct area_source *)a)->area.code,
                  ((const struct area_source *)b)->area.code);
}

static void box_none(double box[4]) {
    for (int i = 0; i < 4; i++) box[i] = NAN;
}

static void box_add(double box[4], const double other[4]) {
    if (isnan(other[0])) return;
    if (isnan(box[0])) {
        memcpy(box, other, 4 * sizeof *box);
        return;
    }
    box[0] = fmin(box[0], other[0]);
    box[1] = fmin(box[1], other[1]);
    box[2] = fmax(box[2], other[2]);
    box[3] = fmax(box[3], other[3]);
}

static enum err_code shape_of(struct loader *l, const struct cursor *c, int col,
                              const struct polygon **out) {
    size_t n = 0;
    const void *wkb = cursor_blob(c, col, &n);
    *out = NULL;
    return n == 0 ? ERR_OK : polygon_from_wkb(l->a, wkb, n, out, l->err);
}

static enum err_code read_areas(struct loader *l, struct area_source **out, size_t *n) {
    static const char *const fields[] = {"code",   "name",     "name_en", "level",
                                         "parent", "valid_to", "shape"};
    struct cursor *c = NULL;
    TRY(rows_of(l, "area", fields, 7, &c));
    struct area_source *list = NULL;
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, l->err);
        if (rc != ERR_OK || !has || !cursor_is_null(c, 7)) continue;
        list = grown(l, list, *n, sizeof *list);
        if (list == NULL) {
            rc = err_fail(l->err, ERR_NOMEM, "areas");
            break;
        }
        struct area_source *s = &list[(*n)++];
        *s = (struct area_source){.area = {.id = cursor_int(c, 0),
                                           .version = cursor_int(c, 1),
                                           .code = text_of(l, c, 2),
                                           .name = text_of(l, c, 3),
                                           .name_en = text_of(l, c, 4),
                                           .level = (int)cursor_int(c, 5),
                                           .parent = GRID_NONE},
                                  .parent = text_of(l, c, 6)};
        if (s->area.level < 0 || s->area.level >= GRID_LEVELS) s->area.level = LEVEL_COMMUNITY;
        const struct polygon *shape = NULL;
        rc = shape_of(l, c, 8, &shape);
        box_none(s->area.bbox);
        s->area.shape = shape;
        if (shape != NULL) memcpy(s->area.bbox, shape->box, sizeof shape->box);
        box_add(l->g->bbox, s->area.bbox);
    }
    cursor_close(c);
    *out = list;
    return rc;
}

static enum err_code load_areas(struct loader *l) {
    struct area_source *src = NULL;
    size_t n = 0;
    TRY(read_areas(l, &src, &n));
    if (n > 1) qsort(src, n, sizeof *src, by_area_code);
    struct grid_area *areas = ARENA_NEW(l->a, struct grid_area, n);
    if (areas == NULL) return err_fail(l->err, ERR_NOMEM, "areas");
    for (size_t i = 0; i < n; i++) areas[i] = src[i].area;
    l->g->areas = areas;
    l->g->n_areas = n;
    for (size_t i = 0; i < n; i++) {
        if (src[i].parent[0] != '\0') areas[i].parent = grid_area_index(l->g, src[i].parent);
        if (areas[i].parent == (int)i) areas[i].parent = GRID_NONE;
    }
    return ERR_OK;
}

/* ---- cells ---- */

struct cell_source {
    struct grid_cell cell;
    const struct polygon *shape;
};

static int by_layer_code(const void *a, const void *b) {
    const struct grid_cell *x = &((const struct cell_source *)a)->cell;
    const struct grid_cell *y = &((const struct cell_source *)b)->cell;
    int d = strcmp(x->layer, y->layer);
    return d != 0 ? d : strcmp(x->code, y->code);
}

/* The area of each level above an area, itself included. A chain longer than the levels is a loop
 * in the data: cut off. */
void snapshot_levels(const struct grid *g, int area, int at[GRID_LEVELS]) {
    for (int i = 0; i < GRID_LEVELS; i++) at[i] = GRID_NONE;
    for (int depth = 0; area != GRID_NONE && depth < 16; depth++) {
        int level = g->areas[area].level;
        if (at[level] == GRID_NONE) at[level] = area;
        area = g->areas[area].parent;
    }
}

static enum err_code read_cells(struct loader *l, struct cell_source **out, size_t *n) {
    static const char *const fields[] = {"layer", "code",      "name",     "city", "county",
                                         "town",  "community", "valid_to", "shape"};
    struct cursor *c = NULL;
    TRY(rows_of(l, "cell", fields, 9, &c));
    struct cell_source *list = NULL;
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, l->err);
        if (rc != ERR_OK || !has || !cursor_is_null(c, 9)) continue;
        list = grown(l, list, *n, sizeof *list);
        if (list == NULL) {
            rc = err_fail(l->err, ERR_NOMEM, "cells");
            break;
        }
        struct cell_source *s = &list[(*n)++];
        *s = (struct cell_source){.cell = {.id = cursor_int(c, 0),
                                           .version = cursor_int(c, 1),
                                           .layer = text_of(l, c, 2),
                                           .code = text_of(l, c, 3),
                                           .name = text_of(l, c, 4),
                                           .post = GRID_NONE}};
        /* The deepest area that the row names; the tree gives those above it. */
        int area = GRID_NONE;
        for (int col = 8; col >= 5 && area == GRID_NONE; col--)
            area = grid_area_index(l->g, cursor_text(c, col));
        snapshot_levels(l->g, area, s->cell.at);
        rc = shape_of(l, c, 10, &s->shape);
        box_none(s->cell.bbox);
        if (s->shape != NULL) memcpy(s->cell.bbox, s->shape->box, sizeof s->shape->box);
        box_add(l->g->bbox, s->cell.bbox);
    }
    cursor_close(c);
    *out = list;
    return rc;
}

static void unref_index(void *index) { locate_unref(index); }

static enum err_code build_layer(struct loader *l, const struct cell_source *src, size_t first,
                                 size_t n, struct grid_layer *out) {
    const struct polygon **shapes = ARENA_NEW(l->a, const struct polygon *, n);
    int *cells = ARENA_NEW(l->a, int, n);
    if (shapes == NULL || cells == NULL) return err_fail(l->err, ERR_NOMEM, "layer");
    for (size_t i = 0; i < n; i++) {
        shapes[i] = src[first + i].shape;
        cells[i] = (int)(first + i);
    }
    struct locate *index = NULL;
    TRY(locate_build(shapes, n, &index, l->err));
    TRY(arena_defer(l->a, unref_index, index));
    *out = (struct grid_layer){src[first].cell.layer, index, shapes, cells, n};
    return ERR_OK;
}

static enum err_code load_cells(struct loader *l) {
    struct cell_source *src = NULL;
    size_t n = 0, n_layers = 0;
    TRY(read_cells(l, &src, &n));
    if (n > 1) qsort(src, n, sizeof *src, by_layer_code);
    struct grid_cell *cells = ARENA_NEW(l->a, struct grid_cell, n);
    struct grid_layer *layers = ARENA_NEW(l->a, struct grid_layer, n);
    if (cells == NULL || layers == NULL) return err_fail(l->err, ERR_NOMEM, "cells");
    for (size_t i = 0; i < n; i++) cells[i] = src[i].cell;
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && strcmp(cells[end].layer, cells[i].layer) == 0) end++;
        TRY(build_layer(l, src, i, end - i, &layers[n_layers++]));
        i = end;
    }
    l->g->cells = cells;
    l->g->n_cells = n;
    l->g->layers = layers;
    l->g->n_layers = n_layers;
    l->g->main_layer = n_layers == 0 ? "" : layers[0].name;
    for (size_t i = 0; i < n_layers; i++) {
        if (strcmp(layers[i].name, "social") == 0) l->g->main_layer = "social";
    }
    return ERR_OK;
}

/* ---- posts and units ---- */

/* Display names of accounts, for the public card of a cell and the case page. */
static enum err_code display_of(struct loader *l, const char *account, const char **out) {
    *out = "";
    if (account[0] == '\0') return ERR_OK;
    struct sql s;
    TRY(sql_begin(&s, l->a, l->err));
    sql_add(&s, "SELECT display FROM account WHERE ledger = 1 AND name = ");
    sql_value(&s, cell_text(account));
    struct cursor *c = NULL;
    TRY(sql_query(&s, l->db, &c, l->err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, l->err);
    if (rc == ERR_OK && has) *out = text_of(l, c, 0);
    cursor_close(c);
    return rc;
}

/* The first desk of each area. */
static enum err_code index_desks(struct loader *l) {
    int *desks = ARENA_NEW(l->a, int, l->g->n_areas);
    if (desks == NULL) return err_fail(l->err, ERR_NOMEM, "desks");
    for (size_t i = 0; i < l->g->n_areas; i++) desks[i] = GRID_NONE;
    for (size_t i = l->g->n_posts; i-- > 0;) {
        if (l->g->posts[i].area != GRID_NONE) desks[l->g->posts[i].area] = (int)i;
    }
    l->g->desks = desks;
    return ERR_OK;
}

static enum err_code load_posts(struct loader *l, struct grid_cell *cells) {
    static const char *const fields[] = {"title", "account", "phone",       "duties",
                                         "hours", "cover",   "cover_until", "layer",
                                         "cell",  "area",    "ended_at",    "display"};
    struct cursor *c = NULL;
    TRY(rows_of(l, "post", fields, 12, &c));
    struct grid_post *list = NULL;
    size_t n = 0;
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, l->err);
        if (rc != ERR_OK || !has || !cursor_is_null(c, 12)) continue;
        list = grown(l, list, n, sizeof *list);
        if (list == NULL) {
            rc = err_fail(l->err, ERR_NOMEM, "posts");
            break;
        }
        int cell = cursor_text(c, 10)[0] == '\0'
                       ? GRID_NONE
                       : grid_cell_index(l->g, cursor_text(c, 9), cursor_text(c, 10));
        int area = cell == GRID_NONE ? grid_area_index(l->g, cursor_text(c, 11)) : GRID_NONE;
        struct grid_post *p = &list[n++];
        *p = (struct grid_post){.id = cursor_int(c, 0),
                                .version = cursor_int(c, 1),
                                .title = text_of(l, c, 2),
                                .account = text_of(l, c, 3),
                                .phone = text_of(l, c, 4),
                                .duties = text_of(l, c, 5),
                                .hours = text_of(l, c, 6),
                                .cover = text_of(l, c, 7),
                                .cover_until_us = cursor_int(c, 8),
                                .cell = cell,
                                .area = area,
                                .on = hours_parse(cursor_text(c, 6)),
                                .display = text_of(l, c, 13)};
        if (cell != GRID_NONE && cells[cell].post == GRID_NONE) cells[cell].post = (int)(n - 1);
    }
    cursor_close(c);
    /* A post without a name on its public card shows that of its account. */
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        if (list[i].display[0] == '\0') rc = display_of(l, list[i].account, &list[i].display);
    }
    l->g->posts = list;
    l->g->n_posts = n;
    return rc == ERR_OK ? index_desks(l) : rc;
}

static int by_unit_code(const void *a, const void *b) {
    return strcmp(((const struct grid_unit *)a)->code, ((const struct grid_unit *)b)->code);
}

static enum err_code load_units(struct loader *l) {
    static const char *const fields[] = {"code", "name", "name_en", "duties", "area", "ended_at"};
    struct cursor *c = NULL;
    TRY(rows_of(l, "unit", fields, 6, &c));
    struct grid_unit *list = NULL;
    size_t n = 0;
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, l->err);
        if (rc != ERR_OK || !has || !cursor_is_null(c, 7)) continue;
        list = grown(l, list, n, sizeof *list);
        if (list == NULL) {
            rc = err_fail(l->err, ERR_NOMEM, "units");
            break;
        }
        list[n++] = (struct grid_unit){.id = cursor_int(c, 0),
                                       .code = text_of(l, c, 2),
                                       .name = text_of(l, c, 3),
                                       .name_en = text_of(l, c, 4),
                                       .duties = text_of(l, c, 5),
                                       .area = grid_area_index(l->g, cursor_text(c, 6))};
    }
    cursor_close(c);
    if (n > 1) qsort(list, n, sizeof *list, by_unit_code);
    l->g->units = list;
    l->g->n_units = n;
    return rc;
}

/* The city's zone; a folder without the city's row counts hours in UTC. */
static enum err_code load_zone(struct loader *l) {
    struct cursor *c = NULL;
    struct sql s;
    TRY(sql_begin(&s, l->a, l->err));
    sql_add(&s, "SELECT timezone FROM ");
    sql_table(&s, &table_city);
    sql_add(&s, " WHERE ledger = 1 ORDER BY id");
    TRY(sql_query(&s, l->db, &c, l->err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, l->err);
    if (rc == ERR_OK && has) rc = tz_load(l->a, cursor_text(c, 0), &l->g->tz, l->err);
    cursor_close(c);
    return rc;
}

enum err_code grid_build(struct db *db, int64_t ledger, const struct pack_set *packs,
                         const struct grid *previous, const struct grid **out, struct err *err) {
    (void)ledger;
    (void)previous;
    struct arena *a = arena_new(ARENA_MAX);
    struct snapshot *s = a == NULL ? NULL : ARENA_NEW(a, struct snapshot, 1);
    if (s == NULL) {
        arena_free(a);
        return err_fail(err, ERR_NOMEM, "grid");
    }
    s->arena = a;
    atomic_init(&s->refs, 1);
    s->grid.main_layer = "";
    box_none(s->grid.bbox);
    struct loader l = {a, db, packs, &s->grid, err};
    enum err_code rc = load_zone(&l);
    if (rc == ERR_OK) rc = load_areas(&l);
    if (rc == ERR_OK) rc = load_cells(&l);
    if (rc == ERR_OK) rc = load_posts(&l, (struct grid_cell *)(uintptr_t)s->grid.cells);
    if (rc == ERR_OK) rc = load_units(&l);
    if (rc != ERR_OK) {
        arena_free(a);
        return rc;
    }
    *out = &s->grid;
    return ERR_OK;
}
