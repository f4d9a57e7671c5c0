/* What persons wrote by page: drafts, editions in force, what was taken back. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "domain/measure/as_of.h"
#include "domain/measure/definitions.h"
#include "store/statements.h"
#include "store/tables.h"

enum { MAX_ROWS = 4096 };

const char *definition_state_name(enum definition_state s) {
    static const char *const names[] = {"", "draft", "in_force", "withdrawn", "off"};
    return s >= DEFINITION_DRAFT && s <= DEFINITION_OFF ? names[s] : "";
}

static const char *copy(const struct cursor *c, int col, struct arena *a, bool *nomem) {
    const char *s = arena_strdup(a, cursor_is_null(c, col) ? "" : cursor_text(c, col));
    *nomem = *nomem || s == NULL;
    return s;
}

enum err_code definition_rows(struct db *db, int64_t ledger, const char *folder, const char *name,
                              struct arena *a, struct definition_row **out, size_t *n,
                              struct err *err) {
    struct cell p[3] = {cell_int(ledger), cell_text(folder == NULL ? "" : folder),
                        cell_text(name == NULL ? "" : name)};
    struct definition_row *rows = ARENA_NEW(a, struct definition_row, MAX_ROWS);
    struct cursor *c = NULL;
    bool nomem = rows == NULL;
    *n = 0;
    if (nomem) return err_fail(err, ERR_NOMEM, "definitions");
    TRY(db_query(db, stmt_sql(STMT_DEFINITIONS), p, 3, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        if (*n == MAX_ROWS) {
            rc = err_fail(err, ERR_LIMIT, "more than %d definitions by page", MAX_ROWS);
            break;
        }
        rows[(*n)++] = (struct definition_row){.id = cursor_int(c, 0),
                                               .version = cursor_int(c, 1),
                                               .folder = copy(c, 2, a, &nomem),
                                               .name = copy(c, 3, a, &nomem),
                                               .edition = cursor_int(c, 4),
                                               .yaml = copy(c, 5, a, &nomem),
                                               .state = (enum definition_state)cursor_int(c, 6),
                                               .valid_from = copy(c, 7, a, &nomem),
                                               .author = copy(c, 8, a, &nomem),
                                               .at_us = cursor_int(c, 9)};
        if (nomem) rc = err_fail(err, ERR_NOMEM, "definitions");
    }
    cursor_close(c);
    *out = rows;
    return rc;
}

/* ---- as of a journal row */

struct reading {
    struct arena *a;
    struct definition_row *rows;
    size_t n;
};

static enum err_code take_image(void *ctx, const char *image, size_t n, struct err *err) {
    struct reading *r = ctx;
    const struct val *v = NULL;
    struct definition_row *x = &r->rows[r->n];
    int64_t state = 0;
    if (r->n == MAX_ROWS) return err_fail(err, ERR_LIMIT, "more than %d definitions", MAX_ROWS);
    TRY(json_parse(r->a, image, n, &v, err));
    *x = (struct definition_row){.valid_from = ""};
    TRY(val_str(v, "folder", true, 40, &x->folder, err));
    TRY(val_str(v, "name", true, 200, &x->name, err));
    TRY(val_str(v, "yaml", true, DEFINITION_MAX_YAML, &x->yaml, err));
    TRY(val_str(v, "author", true, 200, &x->author, err));
    TRY(val_str(v, "valid_from", false, 20, &x->valid_from, err));
    TRY(val_int(v, "edition", true, 0, INT64_MAX, &x->edition, err));
    TRY(val_int(v, "state", true, DEFINITION_DRAFT, DEFINITION_OFF, &state, err));
    x->state = (enum definition_state)state;
    r->n++;
    return ERR_OK;
}

static int by_edition(const void *a, const void *b) {
    const struct definition_row *x = a, *y = b;
    int way = strcmp(x->folder, y->folder);
    if (way == 0) way = strcmp(x->name, y->name);
    return way != 0 ? way : (x->edition > y->edition) - (x->edition < y->edition);
}

enum err_code definition_rows_as_of(struct db *db, int64_t ledger, int64_t seq, struct arena *a,
                                    struct definition_row **out, size_t *n, struct err *err) {
    struct reading r = {.a = a, .rows = ARENA_NEW(a, struct definition_row, MAX_ROWS)};
    if (r.rows == NULL) return err_fail(err, ERR_NOMEM, "definitions");
    TRY(images_as_of(db, ledger, table_definition.name, seq, take_image, &r, err));
    qsort(r.rows, r.n, sizeof *r.rows, by_edition);
    *out = r.rows;
    *n = r.n;
    return ERR_OK;
}

/* ---- changes */

static void fill(const struct tx *tx, const struct definition_change *x, int64_t edition,
                 struct cell *cells) {
    cells[col_definition_folder] = cell_text(x->folder);
    cells[col_definition_name] = cell_text(x->name);
    cells[col_definition_edition] = cell_int(edition);
    cells[col_definition_yaml] = cell_text(x->state == DEFINITION_OFF ? "" : x->yaml);
    cells[col_definition_state] = cell_int(x->state);
    cells[col_definition_valid_from] =
        x->valid_from == NULL || x->valid_from[0] == '\0' ? cell_null() : cell_text(x->valid_from);
    cells[col_definition_author] = cell_text(x->author);
    cells[col_definition_at_us] = cell_int(tx_now_us(tx));
}

static enum err_code set_state(struct tx *tx, const struct definition_row *row,
                               enum definition_state state, struct err *err) {
    struct cell cells[col_definition_count];
    int64_t version = 0;
    TRY(tx_get(tx, &table_definition, row->id, cells, &version, err));
    cells[col_definition_state] = cell_int(state);
    cells[col_definition_at_us] = cell_int(tx_now_us(tx));
    return tx_update(tx, &table_definition, row->id, version, cells, err);
}

static enum err_code keep_draft(struct tx *tx, struct definition_change *x,
                                const struct definition_row *draft, struct err *err) {
    struct cell cells[col_definition_count];
    int64_t id = 0;
    fill(tx, x, 0, cells);
    x->made = 0;
    return draft != NULL ? tx_update(tx, &table_definition, draft->id, draft->version, cells, err)
                         : tx_insert(tx, &table_definition, cells, &id, err);
}

enum err_code definition_change_apply(struct tx *tx, void *arg, struct err *err) {
    struct definition_change *x = arg;
    struct definition_row *rows = NULL;
    const struct definition_row *draft = NULL, *newest = NULL;
    struct cell cells[col_definition_count];
    size_t n = 0;
    int64_t most = x->above, id = 0;
    TRY(definition_rows(tx_db(tx), 1, x->folder, x->name, tx_arena(tx), &rows, &n, err));
    for (size_t i = 0; i < n; i++) {
        if (rows[i].edition == 0) draft = &rows[i];
        if (rows[i].edition > most) most = rows[i].edition;
        if (rows[i].state == DEFINITION_IN_FORCE) newest = &rows[i];
    }
    if (x->state == DEFINITION_DRAFT) return keep_draft(tx, x, draft, err);
    if (x->state == DEFINITION_WITHDRAWN) {
        if (newest == NULL)
            return err_fail(err, ERR_NOT_FOUND, "nothing of \"%.60s\" was put in force by page",
                            x->name);
        x->made = newest->edition;
        return set_state(tx, newest, DEFINITION_WITHDRAWN, err);
    }
    if (x->edition != 0 && x->edition <= most)
        return err_fail(err, ERR_CONFLICT, "version %lld is taken: the next one is %lld",
                        (long long)x->edition, (long long)most + 1);
    x->made = x->edition != 0 ? x->edition : most + 1;
    fill(tx, x, x->made, cells);
    TRY(tx_insert(tx, &table_definition, cells, &id, err));
    return draft == NULL || draft->state != DEFINITION_DRAFT
               ? ERR_OK
               : set_state(tx, draft, DEFINITION_WITHDRAWN, err);
}
