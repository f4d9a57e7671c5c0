#include "store/sql.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void name(struct buf *b, const char *s) {
    buf_char(b, '"');
    buf_str(b, s);
    buf_char(b, '"');
}

static const char *type_name(enum sql_dialect d, enum col_type t) {
    bool pg = d == SQL_POSTGRES;
    switch (t) {
    case COL_TEXT:
    case COL_JSON:
        return "TEXT";
    case COL_REAL:
        return pg ? "DOUBLE PRECISION" : "REAL";
    case COL_BLOB:
        return pg ? "BYTEA" : "BLOB";
    default:
        return pg ? "BIGINT" : "INTEGER";
    }
}

static void column_def(struct buf *b, enum sql_dialect d, const struct column *c) {
    name(b, c->name);
    buf_char(b, ' ');
    buf_str(b, type_name(d, c->type));
    if (c->required) buf_str(b, " NOT NULL");
}

void sql_create_table(struct buf *b, enum sql_dialect d, const struct table *t) {
    static const char *const by_id[] = {"id", NULL};
    static const struct column implicit[] = {{"ledger", COL_INT, true, false},
                                             {"id", COL_INT, true, false},
                                             {"version", COL_INT, true, false}};
    buf_str(b, "CREATE TABLE ");
    name(b, t->name);
    buf_str(b, " (");
    size_t n_implicit = t->key == NULL ? 3 : 1;
    for (size_t i = 0; i < n_implicit; i++) {
        column_def(b, d, &implicit[i]);
        buf_str(b, ", ");
    }
    for (size_t i = 0; i < t->n_cols; i++) {
        column_def(b, d, &t->cols[i]);
        buf_str(b, ", ");
    }
    buf_str(b, "PRIMARY KEY (\"ledger\"");
    for (const char *const *k = t->key == NULL ? by_id : t->key; *k != NULL; k++) {
        buf_str(b, ", ");
        name(b, *k);
    }
    buf_str(b, d == SQL_SQLITE ? ")) STRICT, WITHOUT ROWID" : "))");
}

static uint64_t mix(uint64_t h, const char *s) {
    for (; *s != '\0'; s++) h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return (h ^ 0x2c) * UINT64_C(1099511628211);
}

void sql_index_name(char out[SQL_INDEX_NAME], const struct table *t, const struct index *x) {
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < INDEX_MAX_COLS && x->cols[i] != NULL; i++) h = mix(h, x->cols[i]);
    h = mix(h, x->unique ? "unique" : "");
    h = mix(h, x->where == NULL ? "" : x->where);
    (void)snprintf(out, SQL_INDEX_NAME, "ix_%s_%08" PRIx32, t->name, (uint32_t)(h ^ (h >> 32)));
}

void sql_create_index(struct buf *b, enum sql_dialect d, const struct table *t,
                      const struct index *x) {
    char index[SQL_INDEX_NAME];
    (void)d; /* the same text serves both */
    sql_index_name(index, t, x);
    buf_str(b, x->unique ? "CREATE UNIQUE INDEX IF NOT EXISTS " : "CREATE INDEX IF NOT EXISTS ");
    name(b, index);
    buf_str(b, " ON ");
    name(b, t->name);
    buf_str(b, " (\"ledger\"");
    for (size_t i = 0; i < INDEX_MAX_COLS && x->cols[i] != NULL; i++) {
        buf_str(b, ", ");
        name(b, x->cols[i]);
    }
    buf_char(b, ')');
    if (x->where == NULL) return;
    buf_str(b, " WHERE ");
    buf_str(b, x->where);
}

void sql_add_column(struct buf *b, enum sql_dialect d, const struct table *t,
                    const struct column *c) {
    struct column nullable = *c;
    nullable.required = false;
    buf_str(b, "ALTER TABLE ");
    name(b, t->name);
    buf_str(b, " ADD COLUMN ");
    column_def(b, d, &nullable);
}

static void columns(struct buf *b, const struct table *t) {
    for (size_t i = 0; i < t->n_cols; i++) {
        buf_str(b, ", ");
        name(b, t->cols[i].name);
    }
}

void sql_insert(struct buf *b, const struct table *t) {
    buf_str(b, "INSERT INTO ");
    name(b, t->name);
    buf_str(b, " (ledger, id, version");
    columns(b, t);
    buf_str(b, ") VALUES (?1, ?2, ?3");
    for (size_t i = 0; i < t->n_cols; i++) buf_printf(b, ", ?%zu", i + 4);
    buf_char(b, ')');
}

void sql_update(struct buf *b, const struct table *t) {
    buf_str(b, "UPDATE ");
    name(b, t->name);
    buf_str(b, " SET version = ?4");
    for (size_t i = 0; i < t->n_cols; i++) {
        buf_str(b, ", ");
        name(b, t->cols[i].name);
        buf_printf(b, " = ?%zu", i + 5);
    }
    buf_str(b, " WHERE ledger = ?1 AND id = ?2 AND version = ?3");
}

void sql_get(struct buf *b, const struct table *t) {
    buf_str(b, "SELECT version");
    columns(b, t);
    buf_str(b, " FROM ");
    name(b, t->name);
    buf_str(b, " WHERE ledger = ?1 AND id = ?2");
}

void sql_scan(struct buf *b, const struct table *t) {
    buf_str(b, "SELECT id, version");
    columns(b, t);
    buf_str(b, " FROM ");
    name(b, t->name);
    buf_str(b, " WHERE ledger = ?1 AND id > ?2 ORDER BY id");
}

void sql_translate(struct buf *b, enum sql_dialect d, const char *sql) {
    char quote = '\0';
    for (const char *s = sql; *s != '\0'; s++) {
        if (quote != '\0') {
            if (*s == quote) quote = '\0';
        } else if (*s == '\'' || *s == '"') {
            quote = *s;
        } else if (d == SQL_POSTGRES && *s == '?' && isdigit((unsigned char)s[1])) {
            buf_char(b, '$');
            continue;
        }
        buf_char(b, *s);
    }
}

static void release_text(void *p) { buf_deinit(p); }

enum err_code sql_begin(struct sql *s, struct arena *a, struct err *err) {
    *s = (struct sql){.arena = a,
                      .text = ARENA_NEW(a, struct buf, 1),
                      .cells = ARENA_NEW(a, struct cell, SQL_MAX_CELLS)};
    if (s->text == NULL || s->cells == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for a query");
    buf_init(s->text, SQL_MAX_TEXT);
    return arena_defer(a, release_text, s->text) == ERR_OK
               ? ERR_OK
               : err_fail(err, ERR_NOMEM, "no memory for a query");
}

void sql_add_literal(struct sql *s, const char *literal) { buf_str(s->text, literal); }

int sql_value(struct sql *s, struct cell value) {
    if (s->n == SQL_MAX_CELLS) {
        s->failed = true;
        return 0;
    }
    s->cells[s->n++] = value;
    sql_again(s, (int)s->n);
    return (int)s->n;
}

void sql_again(struct sql *s, int number) { buf_printf(s->text, "?%d", number); }

void sql_column(struct sql *s, const struct table *t, int col, const char *alias) {
    static const char *const implicit[] = {"id", "version", "ledger"};
    app_assert(col >= -3 && col < (int)t->n_cols);
    if (alias != NULL) buf_str(s->text, alias);
    name(s->text, col < 0 ? implicit[-col - 1] : t->cols[col].name);
}

void sql_table(struct sql *s, const struct table *t) { name(s->text, t->name); }

void sql_values(struct sql *s, const struct cell *values, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0) sql_add(s, ", ");
        (void)sql_value(s, values[i]);
    }
}

enum err_code sql_query(struct sql *s, struct db *db, struct cursor **out, struct err *err) {
    if (s->failed)
        return err_fail(err, ERR_LIMIT, "more than %d values in one query", (int)SQL_MAX_CELLS);
    TRY(buf_check(s->text, err));
    return db_query(db, buf_text(s->text), s->cells, s->n, out, err);
}
