#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/image.h"
#include "store/inside.h"
#include "store/sql.h"
#include "store/statements.h"
#include "store/tables.h"

static const char *const type_names[] = {
    [COL_TEXT] = "text", [COL_INT] = "int",   [COL_REAL] = "real", [COL_BOOL] = "bool",
    [COL_TIME] = "time", [COL_JSON] = "json", [COL_BLOB] = "blob"};

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct tabinfo *)a)->t->name, ((const struct tabinfo *)b)->t->name);
}

struct tabinfo *schema_find(struct ledger *l, const char *name) {
    const struct table key_table = {.name = name};
    const struct tabinfo key = {.t = &key_table};
    return bsearch(&key, l->tabs, l->n_tabs, sizeof *l->tabs, by_name);
}

static const char *text_of(struct arena *a, void (*make)(struct buf *, const struct table *),
                           const struct table *t) {
    struct buf b;
    buf_init(&b, SQL_MAX_TEXT);
    make(&b, t);
    const char *copy = b.failed ? NULL : arena_strdup(a, buf_text(&b));
    buf_deinit(&b);
    return copy;
}

static void max_id_text(struct buf *b, const struct table *t) {
    buf_str(b, "SELECT max(id) FROM \"");
    buf_str(b, t->name);
    buf_str(b, "\" WHERE ledger = ?1");
}

static enum err_code add_table(struct ledger *l, const struct table *t, struct err *err) {
    TRY(table_check(t, err));
    if (t->key != NULL)
        return err_fail(err, ERR_INVALID,
                        "table %s: only the store's own tables have a key of their own", t->name);
    size_t n_core;
    const struct table *const *core = tables_core(&n_core);
    for (size_t i = 0; i < n_core; i++) {
        if (strcmp(core[i]->name, t->name) == 0)
            return err_fail(err, ERR_INVALID, "the table name %s is reserved", t->name);
    }
    struct tabinfo *ti = &l->tabs[l->n_tabs++];
    *ti = (struct tabinfo){.t = t,
                           .order = ARENA_NEW(l->arena, unsigned short, t->n_cols),
                           .insert = text_of(l->arena, sql_insert, t),
                           .update = text_of(l->arena, sql_update, t),
                           .get = text_of(l->arena, sql_get, t),
                           .max_id = text_of(l->arena, max_id_text, t)};
    if (ti->order == NULL || ti->insert == NULL || ti->update == NULL || ti->get == NULL ||
        ti->max_id == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for table %s", t->name);
    for (size_t i = 0; i < t->n_cols; i++) ti->order[i] = (unsigned short)i;
    return ERR_OK;
}

enum err_code schema_register(struct ledger *l, const struct ledger_options *o, struct err *err) {
    size_t n_builtin;
    const struct table *const *builtin = tables_builtin(&n_builtin);
    l->tabs = ARENA_NEW(l->arena, struct tabinfo, n_builtin + o->n_tables);
    if (l->tabs == NULL) return err_fail(err, ERR_NOMEM, "no memory for the tables");
    for (size_t i = 0; i < n_builtin; i++) TRY(add_table(l, builtin[i], err));
    for (size_t i = 0; i < o->n_tables; i++) TRY(add_table(l, o->tables[i], err));
    qsort(l->tabs, l->n_tabs, sizeof *l->tabs, by_name);
    for (size_t i = 1; i < l->n_tabs; i++) {
        if (strcmp(l->tabs[i - 1].t->name, l->tabs[i].t->name) == 0)
            return err_fail(err, ERR_INVALID, "two tables have the name %s", l->tabs[i].t->name);
    }
    return ERR_OK;
}

/* ---- definitions as JSON: [{"name":"note","type":"text","required":true,"personal":true}, ...] in
 * stored order ---- */

static void write_cols(struct buf *b, const struct tabinfo *ti) {
    struct jw w;
    jw_init(&w, b);
    jw_arr(&w);
    for (size_t k = 0; k < ti->t->n_cols; k++) {
        const struct column *c = &ti->t->cols[ti->order[k]];
        jw_obj(&w);
        jw_kstr(&w, "name", c->name);
        jw_kstr(&w, "type", type_names[c->type]);
        if (c->required) jw_kbool(&w, "required", true);
        if (c->personal) jw_kbool(&w, "personal", true);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
}

static enum err_code parse_col(const struct val *v, struct column *c, struct err *err) {
    const char *type = "";
    TRY(val_str(v, "name", true, TABLE_MAX_NAME, &c->name, err));
    TRY(val_str(v, "type", true, 8, &type, err));
    TRY(val_bool(v, "required", false, &c->required, err));
    TRY(val_bool(v, "personal", false, &c->personal, err));
    for (size_t i = COL_TEXT; i <= COL_BLOB; i++) {
        if (strcmp(type, type_names[i]) == 0) c->type = (enum col_type)i;
    }
    return c->type != 0 ? ERR_OK : err_fail(err, ERR_CORRUPT, "unknown column type %s", type);
}

enum err_code schema_parse(struct arena *a, const char *name, int64_t kind, const char *cols,
                           size_t n, const struct table **out, struct err *err) {
    const struct val *v;
    enum err_code rc = json_parse(a, cols, n, &v, err);
    if (rc != ERR_OK || v->type != VAL_LIST || v->n == 0 || v->n > TABLE_MAX_COLS)
        return rc == ERR_NOMEM ? rc
                               : err_fail(err, ERR_CORRUPT,
                                          "the stored definition of table %s is damaged", name);
    struct table *t = ARENA_NEW(a, struct table, 1);
    struct column *c = ARENA_NEW(a, struct column, v->n);
    if (t == NULL || c == NULL || (t->name = arena_strdup(a, name)) == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for a table");
    t->kind = (enum table_kind)kind;
    t->cols = c;
    t->n_cols = v->n;
    for (size_t i = 0; i < v->n; i++) TRY(parse_col(&v->u.list[i], &c[i], err));
    rc = table_check(t, err);
    if (rc != ERR_OK && err != NULL) err->code = ERR_CORRUPT;
    *out = t;
    return rc == ERR_OK ? ERR_OK : ERR_CORRUPT;
}

/* ---- bringing the folder up to the descriptors ---- */

struct stored {
    int64_t id;
    const struct table *t;
};

static enum err_code load_stored(struct tx *tx, struct stored **out, size_t *n, struct err *err) {
    enum { MOST = 4096 };
    struct cell p[1] = {cell_int(tx->l->id)};
    struct cursor *c = NULL;
    *n = 0;
    *out = ARENA_NEW(tx->job->arena, struct stored, MOST);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "no memory for the schema");
    TRY(db_query(tx->l->w, stmt_sql(STMT_SCHEMA_ALL), p, 1, &c, err));
    enum err_code rc;
    bool has;
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has) {
        size_t n_cols;
        const char *cols = cursor_blob(c, 3, &n_cols);
        if (*n == MOST) rc = err_fail(err, ERR_LIMIT, "more than %d tables", (int)MOST);
        struct stored *s = &(*out)[*n];
        if (rc == ERR_OK)
            rc = schema_parse(tx->job->arena, cursor_text(c, 1), cursor_int(c, 2), cols, n_cols,
                              &s->t, err);
        if (rc != ERR_OK) break;
        s->id = cursor_int(c, 0);
        (*n)++;
    }
    cursor_close(c);
    return rc;
}

static enum err_code run_ddl(struct tx *tx, struct buf *b, struct err *err) {
    TRY(buf_check(b, err));
    return db_run(tx->l->w, buf_text(b), err);
}

static enum err_code save_definition(struct tx *tx, const struct tabinfo *ti, int64_t id,
                                     struct err *err) {
    struct buf b;
    buf_init(&b, IMAGE_MAX);
    write_cols(&b, ti);
    struct cell cells[col_schema__count];
    cells[col_schema__name] = cell_text(ti->t->name);
    cells[col_schema__kind] = cell_int(ti->t->kind);
    cells[col_schema__cols] = cell_textn(buf_text(&b), b.n);
    enum err_code rc = buf_check(&b, err);
    if (rc == ERR_OK)
        rc = id == 0 ? tx_insert(tx, &table_schema_, cells, &id, err)
                     : tx_update(tx, &table_schema_, id, -1, cells, err);
    buf_deinit(&b);
    return rc;
}

static enum err_code make_table(struct tx *tx, const struct tabinfo *ti, struct err *err) {
    if (strcmp(ti->t->name, table_schema_.name) != 0) {
        struct buf b;
        buf_init(&b, SQL_MAX_TEXT);
        sql_create_table(&b, db_dialect(tx->l->w), ti->t);
        enum err_code rc = run_ddl(tx, &b, err);
        buf_deinit(&b);
        TRY(rc);
    }
    return save_definition(tx, ti, 0, err);
}

/* Where each stored column stands in the descriptor; a column that is gone or changed is refused,
 * since rows and images hold it. */
static enum err_code match_columns(struct tabinfo *ti, const struct table *old, bool seen[],
                                   struct err *err) {
    const struct table *t = ti->t;
    if (t->kind != old->kind)
        return err_fail(err, ERR_INVALID, "table %s: its kind cannot change", t->name);
    for (size_t k = 0; k < old->n_cols; k++) {
        const struct column *o = &old->cols[k];
        int at = table_col(t, o->name);
        if (at < 0)
            return err_fail(
                err, ERR_INVALID,
                "table %s: column %s is stored but no longer declared; only additions are possible",
                t->name, o->name);
        const struct column *c = &t->cols[at];
        if (c->type != o->type)
            return err_fail(err, ERR_INVALID,
                            "table %s: column %s is stored as %s and cannot become %s", t->name,
                            o->name, type_names[o->type], type_names[c->type]);
        if (c->required != o->required)
            return err_fail(err, ERR_INVALID,
                            "table %s: column %s is stored as %s and cannot change that", t->name,
                            o->name, o->required ? "required" : "optional");
        if (c->personal != o->personal)
            return err_fail(err, ERR_INVALID, "table %s: column %s cannot %s personal", t->name,
                            o->name, c->personal ? "become" : "cease to be");
        ti->order[k] = (unsigned short)at;
        seen[at] = true;
    }
    return ERR_OK;
}

static enum err_code grow_table(struct tx *tx, struct tabinfo *ti, const struct stored *s,
                                struct err *err) {
    bool seen[TABLE_MAX_COLS] = {false};
    TRY(match_columns(ti, s->t, seen, err));
    size_t k = s->t->n_cols;
    for (size_t i = 0; i < ti->t->n_cols; i++) {
        const struct column *c = &ti->t->cols[i];
        if (seen[i]) continue;
        if (c->required)
            return err_fail(err, ERR_INVALID,
                            "table %s: the new column %s must be optional, since stored rows have "
                            "no value for it",
                            ti->t->name, c->name);
        struct buf b;
        buf_init(&b, SQL_MAX_TEXT);
        sql_add_column(&b, db_dialect(tx->l->w), ti->t, c);
        enum err_code rc = run_ddl(tx, &b, err);
        buf_deinit(&b);
        TRY(rc);
        ti->order[k++] = (unsigned short)i;
    }
    return k == s->t->n_cols ? ERR_OK : save_definition(tx, ti, s->id, err);
}

static enum err_code make_indexes(struct tx *tx, const struct table *t, struct err *err) {
    for (size_t i = 0; i < t->n_indexes; i++) {
        struct buf b;
        buf_init(&b, SQL_MAX_TEXT);
        sql_create_index(&b, db_dialect(tx->l->w), t, &t->indexes[i]);
        enum err_code rc = run_ddl(tx, &b, err);
        buf_deinit(&b);
        TRY(rc);
    }
    return ERR_OK;
}

/* The verifier key stands in the journal before anything it signs; a restore with new keys adds the
 * new one. */
static enum err_code note_key(struct tx *tx, struct err *err) {
    struct jrow *last;
    size_t n = 1;
    char key[256], image[320];
    note_key_text(&tx->l->keys.signer, key);
    int len = snprintf(image, sizeof image, "{\"verifier\":\"%s\"}", key);
    TRY(journal_of(tx->l->w, tx->l->id, "key_", 1, tx->job->arena, &last, &n, err));
    if (n == 1 && last[0].image_n == (size_t)len && memcmp(last[0].image, image, (size_t)len) == 0)
        return ERR_OK;
    return tx_note(tx, "key_", 1, image, (size_t)len, err);
}

/* Core tables and all of ours; nothing is written when the planner knows them. */
static enum err_code describe_all(struct tx *tx, struct err *err) {
    const struct ledger *l = tx->l;
    size_t n_core;
    bool told = false;
    const struct table *const *core = tables_core(&n_core);
    for (size_t i = 0; i < n_core; i++) TRY(db_describe(l->w, core[i], &told, err));
    for (size_t i = 0; i < l->n_tabs; i++) TRY(db_describe(l->w, l->tabs[i].t, &told, err));
    return told ? db_learned(l->w, err) : ERR_OK;
}

enum err_code schema_apply(struct tx *tx, void *arg, struct err *err) {
    struct ledger *l = arg;
    struct stored *stored;
    size_t n_stored;
    TRY(load_stored(tx, &stored, &n_stored, err));
    for (size_t i = 0; i < l->n_tabs; i++) {
        struct tabinfo *ti = &l->tabs[i];
        size_t at = 0;
        while (at < n_stored && strcmp(stored[at].t->name, ti->t->name) != 0) at++;
        if (at == n_stored)
            TRY(make_table(tx, ti, err));
        else
            TRY(grow_table(tx, ti, &stored[at], err));
        TRY(make_indexes(tx, ti->t, err));
    }
    TRY(describe_all(tx, err));
    return note_key(tx, err);
}

/* ---- numbered migrations ---- */

static enum err_code create_table(struct db *db, const struct table *t, struct err *err) {
    struct buf b;
    buf_init(&b, SQL_MAX_TEXT);
    sql_create_table(&b, db_dialect(db), t);
    enum err_code rc = buf_check(&b, err);
    if (rc == ERR_OK) rc = db_run(db, buf_text(&b), err);
    for (size_t i = 0; i < t->n_indexes && rc == ERR_OK; i++) {
        buf_clear(&b);
        sql_create_index(&b, db_dialect(db), t, &t->indexes[i]);
        rc = buf_check(&b, err);
        if (rc == ERR_OK) rc = db_run(db, buf_text(&b), err);
    }
    buf_deinit(&b);
    return rc;
}

static enum err_code up_1(struct db *db, int64_t ledger, struct err *err) {
    size_t n;
    const struct table *const *core = tables_core(&n);
    for (size_t i = 0; i < n; i++) TRY(create_table(db, core[i], err));
    TRY(create_table(db, &table_schema_, err));
    struct head empty = {.tail = {0}};
    merkle_init(&empty.tree);
    return head_save(db, ledger, &empty, err);
}

const struct migration *migrations_builtin(size_t *n) {
    static const struct migration all[] = {{1, up_1}};
    *n = sizeof all / sizeof all[0];
    static_assert(sizeof all / sizeof all[0] == LEDGER_FORMAT, "one migration a format");
    return all;
}

enum err_code migrate(struct db *db, int64_t ledger, const struct migration *m, size_t n,
                      struct err *err) {
    int64_t format, newest = n == 0 ? 0 : m[n - 1].format;
    TRY(db_format(db, &format, err));
    if (format > newest)
        return err_fail(err, ERR_CONFLICT,
                        "the folder has format %" PRId64
                        ", made by a newer program; this one knows up to %" PRId64,
                        format, newest);
    if (format == newest) return ERR_OK;
    TRY(db_begin(db, true, err));
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < n && rc == ERR_OK; i++) {
        if (m[i].format > format) rc = m[i].up(db, ledger, err);
    }
    if (rc == ERR_OK) rc = db_set_format(db, newest, err);
    if (rc == ERR_OK) rc = db_commit(db, err);
    if (rc != ERR_OK) {
        db_rollback(db);
        return rc;
    }
    /* The header of the main file tells the format before anything is opened, so it must not wait
     * in the log. */
    return db_fold(db, true, NULL, err);
}
