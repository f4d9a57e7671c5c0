/* store/sql.h - SQL text: the two dialects, definitions from table descriptors, and a builder for
 * list queries. Text from outside can never become SQL: the builder takes literals, columns of a
 * descriptor, and bound values. */
#ifndef STORE_SQL_H
#define STORE_SQL_H
#include "base/buf.h"
#include "store/driver.h"
#include "store/table.h"

/* CREATE TABLE of a descriptor, the same columns in both dialects (SQLite: STRICT, WITHOUT ROWID,
 * so that the key is the row's only home; PostgreSQL: BIGINT, DOUBLE PRECISION, TEXT, BYTEA).
 * Without a trailing semicolon. */
void sql_create_table(struct buf *b, enum sql_dialect d, const struct table *t);
/* CREATE [UNIQUE] INDEX IF NOT EXISTS; its name is made from the table and a hash of the
 * definition, so that an equal index is never made twice. The ledger is the first column. */
void sql_create_index(struct buf *b, enum sql_dialect d, const struct table *t,
                      const struct index *x);
enum { SQL_INDEX_NAME = 64 };
void sql_index_name(char out[SQL_INDEX_NAME], const struct table *t, const struct index *x);
/* ALTER TABLE ADD COLUMN (nullable). */
void sql_add_column(struct buf *b, enum sql_dialect d, const struct table *t,
                    const struct column *c);
/* The row statements of a descriptor, parameters in this order:
 * insert: ledger, id, version, columns.  update: ledger, id, version before, version after,
 * columns. get: ledger, id -> version, columns.  scan: ledger, id after which -> id, version,
 * columns, in order of id. */
void sql_insert(struct buf *b, const struct table *t);
void sql_update(struct buf *b, const struct table *t);
void sql_get(struct buf *b, const struct table *t);
void sql_scan(struct buf *b, const struct table *t);
/* ?N -> $N for PostgreSQL; a copy else. Quoted texts and names are left alone. */
void sql_translate(struct buf *b, enum sql_dialect d, const char *sql);

enum { SQL_MAX_CELLS = 256, SQL_MAX_TEXT = 64 * 1024 };
/* A query in the making. Text and cells live in the arena; values are borrowed until the query has
 * run. */
struct sql {
    struct arena *arena;
    struct buf *text; /* freed with the arena */
    struct cell *cells;
    size_t n;
    bool failed; /* sticky: no memory or too many values */
};
enum err_code sql_begin(struct sql *s, struct arena *a, struct err *err) NODISCARD;
/* Append a string literal (enforced: anything else does not compile). */
#define sql_add(s, literal) sql_add_literal((s), "" literal "")
void sql_add_literal(struct sql *s, const char *literal);
/* Append a bound value as the next ?N; the same value again by sql_again with the number that
 * sql_value returned. */
int sql_value(struct sql *s, struct cell value);
void sql_again(struct sql *s, int number);
/* Append a quoted column (or id, version, ledger when col is -1, -2, -3) or table name of a
 * descriptor, with an optional literal alias before it: sql_column(s, t, 3, "c.") gives c."state".
 */
void sql_column(struct sql *s, const struct table *t, int col, const char *alias);
void sql_table(struct sql *s, const struct table *t);
/* A comma-separated list of bound values: ?4, ?5, ?6. */
void sql_values(struct sql *s, const struct cell *values, size_t n);
/* Run it. */
enum err_code sql_query(struct sql *s, struct db *db, struct cursor **out,
                        struct err *err) NODISCARD;
#endif
