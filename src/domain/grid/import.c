#include "domain/grid/import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "domain/grid/import_int.h"
#include "helper/run.h"
#include "store/sql.h"

enum { ARENA_MAX = 1 << 30, MAX_FEATURES = 200000, MAX_CODE = 40, MAX_NAME = 200 };
/* ---- reading ---- */

void import_problem(struct run *r, int64_t number, const char *what, const char *detail) {
    r->n_problems++;
    if (r->n_problems <= 50)
        (void)fprintf(r->in->problems, "feature %lld: %s%s\n", (long long)number, what, detail);
}

static bool code_fits(const struct run *r, const char *code) {
    if (strlen(code) > MAX_CODE) return false;
    if (strcmp(r->folder->city.codes, "gb") != 0) return true;
    size_t digits = strspn(code, "0123456789");
    if (code[digits] != '\0') return false;
    return r->in->layer != NULL ? digits >= 12 : digits == 12;
}

static enum err_code room(struct run *r, struct err *err) {
    if (r->n < r->cap) return ERR_OK;
    if (r->n >= MAX_FEATURES)
        return err_fail(err, ERR_LIMIT, "more than %d features", MAX_FEATURES);
    size_t cap = r->cap == 0 ? 256 : r->cap * 2;
    struct item *items = ARENA_NEW(r->a, struct item, cap);
    if (items == NULL) return err_fail(err, ERR_NOMEM, "import");
    if (r->n > 0) memcpy(items, r->items, r->n * sizeof *items);
    r->items = items;
    r->cap = cap;
    return ERR_OK;
}

/* The shape as it is stored. What cannot be is named and leaves r->n_problems above 0. */
static enum err_code take_shape(struct run *r, const struct geo_read_head *head,
                                const struct geo_feature *f, struct item *i, struct err *err) {
    enum crs crs = CRS_WGS84; /* the helper has converted every other system */
    if (crs_parse(head->crs, &crs, NULL) != ERR_OK) crs = CRS_WGS84;
    struct err why = {0};
    enum err_code rc = polygon_wkb_to_wgs84(r->a, crs, f->wkb, f->wkb_n, &i->wkb, &i->wkb_n, &why);
    if (rc == ERR_NOMEM) return err_fail(err, rc, "import");
    if (rc != ERR_OK) import_problem(r, f->number, "its shape cannot be stored: ", why.detail);
    return ERR_OK;
}

static enum err_code on_feature(void *arg, const struct geo_read_head *head,
                                const struct geo_feature *f, struct err *err) {
    struct run *r = arg;
    r->out->read++;
    size_t at = 0;
    const char *name = f->values[at++];
    const char *code = r->in->code_field == NULL ? name : f->values[at++];
    const char *parent = r->in->parent_field == NULL ? NULL : f->values[at];
    if (code == NULL || code[0] == '\0')
        import_problem(r, f->number, "it has no code", "");
    else if (!code_fits(r, code))
        import_problem(r, f->number, "the code does not follow the rule: ", code);
    if (name == NULL || strlen(name) > MAX_NAME)
        import_problem(r, f->number, "it has no name, or one over 200 bytes", "");
    if (f->wkb == NULL) import_problem(r, f->number, "it has no shape", "");
    if (f->invalid != NULL && !f->repaired) {
        char where[160];
        (void)snprintf(where, sizeof where, "%s at %.6f, %.6f (%s); --repair mends it", f->invalid,
                       f->invalid_lon, f->invalid_lat, name == NULL ? "" : name);
        import_problem(r, f->number, "the shape is not valid: ", where);
    }
    if (f->repaired) r->out->repaired++;
    struct item shape = {0};
    if (f->wkb != NULL) TRY(take_shape(r, head, f, &shape, err));
    if (r->n_problems > 0) return ERR_OK;
    TRY(room(r, err));
    struct item *i = &r->items[r->n++];
    *i = (struct item){.code = arena_strdup(r->a, code),
                       .name = arena_strdup(r->a, name),
                       .parent = parent == NULL ? NULL : arena_strdup(r->a, parent),
                       .wkb = shape.wkb,
                       .wkb_n = shape.wkb_n,
                       .number = f->number,
                       .area = GRID_NONE,
                       .share = NAN};
    return i->code == NULL || i->name == NULL ? err_fail(err, ERR_NOMEM, "import") : ERR_OK;
}

static enum err_code read_file(struct run *r, const char *helper, struct err *err) {
    const char *fields[3];
    size_t n = 0;
    fields[n++] = r->in->name_field;
    if (r->in->code_field != NULL) fields[n++] = r->in->code_field;
    if (r->in->parent_field != NULL) fields[n++] = r->in->parent_field;
    struct geo_read_options o = {.path = r->in->file,
                                 .crs = r->in->crs,
                                 .fields = fields,
                                 .n_fields = n,
                                 .repair = r->in->repair};
    return geo_read_file(r->a, helper, &o, NULL, on_feature, r, err);
}

/* ---- checking ---- */

static int by_code(const void *a, const void *b) {
    return strcmp(((const struct item *)a)->code, ((const struct item *)b)->code);
}

static void check_codes(struct run *r) {
    if (r->n > 1) qsort(r->items, r->n, sizeof *r->items, by_code);
    for (size_t i = 1; i < r->n; i++) {
        if (strcmp(r->items[i].code, r->items[i - 1].code) == 0) {
            import_problem(r, r->items[i].number,
                           "its code stands twice in the file: ", r->items[i].code);
        }
    }
}

static enum err_code find_parents(struct run *r, const char *helper, struct err *err) {
    const char *fixed = r->in->parent;
    for (size_t i = 0; i < r->n; i++) {
        const char *code = r->in->parent_field != NULL ? r->items[i].parent : fixed;
        if (code == NULL) continue;
        r->items[i].area = grid_area_index(r->grid, code);
        if (r->items[i].area == GRID_NONE)
            import_problem(r, r->items[i].number, "its parent does not exist: ", code);
    }
    if (r->n_problems == 0) TRY(import_shapes(r, helper, err));
    for (size_t i = 0; i < r->n; i++)
        r->out->without_parent += r->items[i].area == GRID_NONE ? 1 : 0;
    return ERR_OK;
}

/* ---- writing ---- */

static void put(const struct type_def *t, struct cell *cells, const char *field, struct cell v) {
    int col = type_field(t, field);
    if (col >= 0) cells[col] = v;
}

static void fill(const struct run *r, const struct type_def *t, const struct item *i,
                 struct cell *cells) {
    put(t, cells, "code", cell_text(i->code));
    put(t, cells, "name", cell_text(i->name));
    put(t, cells, "shape", cell_blob(i->wkb, i->wkb_n));
    if (r->in->layer == NULL) {
        put(t, cells, "level", cell_int(r->level));
        put(t, cells, "parent",
            i->area == GRID_NONE ? cell_null() : cell_text(r->grid->areas[i->area].code));
        return;
    }
    put(t, cells, "layer", cell_text(r->in->layer));
    static const char *const names[GRID_LEVELS] = {NULL, "city", "county", "town", "community"};
    for (int area = i->area, depth = 0; area != GRID_NONE && depth < 16; depth++) {
        int level = r->grid->areas[area].level;
        if (names[level] != NULL) put(t, cells, names[level], cell_text(r->grid->areas[area].code));
        area = r->grid->areas[area].parent;
    }
}

static bool same(const struct cell *a, const struct cell *b) {
    if (a->type != b->type) return false;
    if (a->type == CELL_TEXT || a->type == CELL_BLOB)
        return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
    return a->type == CELL_NULL || a->i == b->i;
}

static enum err_code existing_id(struct run *r, struct tx *tx, const struct type_def *t,
                                 const struct item *i, int64_t *id, struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, tx_arena(tx), err));
    sql_add(&s, "SELECT id FROM ");
    sql_table(&s, &t->table);
    sql_add(&s, " WHERE ledger = 1 AND valid_to IS NULL AND code = ");
    sql_value(&s, cell_text(i->code));
    if (r->in->layer != NULL) {
        sql_add(&s, " AND layer = ");
        sql_value(&s, cell_text(r->in->layer));
    }
    struct cursor *c = NULL;
    TRY(sql_query(&s, tx_db(tx), &c, err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, err);
    *id = rc == ERR_OK && has ? cursor_int(c, 0) : 0;
    cursor_close(c);
    return rc;
}

static enum err_code write_item(struct run *r, struct tx *tx, const struct type_def *t,
                                const struct item *i, struct err *err) {
    struct cell *cells = ARENA_NEW(tx_arena(tx), struct cell, t->n_fields);
    struct cell *before = ARENA_NEW(tx_arena(tx), struct cell, t->n_fields);
    if (cells == NULL || before == NULL) return err_fail(err, ERR_NOMEM, "import");
    int64_t id = 0, version = 0;
    TRY(existing_id(r, tx, t, i, &id, err));
    if (id == 0) {
        fill(r, t, i, cells);
        r->out->added++;
        return tx_insert(tx, &t->table, cells, &id, err);
    }
    TRY(tx_get(tx, &t->table, id, before, &version, err));
    memcpy(cells, before, t->n_fields * sizeof *cells);
    fill(r, t, i, cells);
    bool changed = false;
    for (size_t k = 0; k < t->n_fields; k++) changed = changed || !same(&before[k], &cells[k]);
    if (!changed) {
        r->out->unchanged++;
        return ERR_OK;
    }
    r->out->changed++;
    return tx_update(tx, &t->table, id, version, cells, err);
}

static enum err_code write_all(struct tx *tx, void *arg, struct err *err) {
    struct run *r = arg;
    const struct type_def *t = pack_type(r->folder->packs, r->in->layer == NULL ? "area" : "cell");
    if (t == NULL) return err_fail(err, ERR_INVALID, "the packs have no type for areas or cells");
    for (size_t i = 0; i < r->n; i++) TRY(write_item(r, tx, t, &r->items[i], err));
    return ERR_OK;
}

static enum err_code pick_level(struct run *r, struct err *err) {
    r->level = r->in->level;
    if (r->in->layer != NULL || r->level >= 0) return ERR_OK;
    r->level = LEVEL_COUNTY;
    if (r->in->parent == NULL) return ERR_OK;
    int parent = grid_area_index(r->grid, r->in->parent);
    if (parent == GRID_NONE)
        return err_fail(err, ERR_INVALID, "there is no area \"%s\"", r->in->parent);
    r->level = r->grid->areas[parent].level + 1;
    return r->level < GRID_LEVELS
               ? ERR_OK
               : err_fail(err, ERR_INVALID, "below a community there are cells, not areas");
}

static enum err_code run_import(struct run *r, struct err *err) {
    char helper[4096];
    TRY(helper_find(r->in->helper_dir, "gezhi-geo", helper, sizeof helper, err));
    TRY(pick_level(r, err));
    TRY(read_file(r, helper, err));
    if (r->n_problems == 0) check_codes(r);
    if (r->n_problems == 0) TRY(find_parents(r, helper, err));
    if (r->n_problems > 0) {
        return err_fail(err, ERR_INVALID, "%s: %lld problems; nothing was imported", r->in->file,
                        (long long)r->n_problems);
    }
    struct command c = {.name = r->in->layer == NULL ? "area.import" : "cell.import",
                        .actor = "system",
                        .apply = write_all,
                        .arg = r};
    TRY(ledger_run(r->folder->ledger, &c, NULL, NULL, err));
    import_warn(r);
    return ERR_OK;
}

enum err_code grid_import_run(struct folder *f, const struct grid_import *in,
                              struct grid_imported *out, struct err *err) {
    *out = (struct grid_imported){0};
    struct run r = {.folder = f, .in = in, .out = out, .a = arena_new(ARENA_MAX)};
    if (r.a == NULL) return err_fail(err, ERR_NOMEM, "import");
    struct reader *rd = NULL;
    enum err_code rc = ledger_read_begin(f->ledger, &rd, err);
    if (rc == ERR_OK) {
        rc = grid_build(reader_db(rd), 1, f->packs, NULL, &r.grid, err);
        ledger_read_end(rd);
    }
    if (rc == ERR_OK) rc = run_import(&r, err);
    grid_unref(r.grid);
    arena_free(r.a);
    return rc;
}
