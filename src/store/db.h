/* store/db.h - one database connection behind a driver vtable: bound statements and cursors.
 * SQL is portable text with numbered parameters ?1 ?2 ...; the PostgreSQL driver rewrites them to
 * $1 $2 ... A connection belongs to one thread at a time. Prepared statements are cached by text.
 */
#ifndef STORE_DB_H
#define STORE_DB_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct db;
struct cursor;

enum cell_type {
    CELL_NULL = 0,
    CELL_INT, /* also booleans (0, 1) and times (UTC us) */
    CELL_REAL,
    CELL_TEXT,
    CELL_BLOB,
    CELL_COMMIT /* a personal value's commitment as it stands in a table (text "c:" + 64 hex + "@" +
                   sequence number of its first writing); see ledger.h */
};
struct cell {
    enum cell_type type;
    int64_t i;
    double d;
    const char *p; /* text or blob, borrowed for the call; text is NUL-terminated UTF-8 */
    size_t n;
};
struct cell cell_null(void);
struct cell cell_int(int64_t i);
struct cell cell_real(double d);
struct cell cell_text(const char *s); /* NULL gives a null cell */
struct cell cell_textn(const char *s, size_t n);
struct cell cell_blob(const void *p, size_t n);

/* Run a query; n parameters bound in order. The cursor must be closed before the connection is used
 * for a write or given back. `sql` must be a constant or a text built by sql.h, never formatted
 * from outside values. */
enum err_code db_query(struct db *db, const char *sql, const struct cell *params, size_t n,
                       struct cursor **out, struct err *err) NODISCARD;
/* Run a statement without rows; *changed (may be NULL) = rows touched. */
enum err_code db_exec(struct db *db, const char *sql, const struct cell *params, size_t n,
                      int64_t *changed, struct err *err) NODISCARD;
/* Step; *has is false at the end. Values are valid until the next step or close. */
enum err_code cursor_next(struct cursor *c, bool *has, struct err *err) NODISCARD;
void cursor_close(struct cursor *c); /* NULL is legal */
int64_t cursor_int(const struct cursor *c, int col);
double cursor_real(const struct cursor *c, int col);
const char *cursor_text(const struct cursor *c, int col); /* "" when null */
const void *cursor_blob(const struct cursor *c, int col, size_t *n);
bool cursor_is_null(const struct cursor *c, int col);
/* A copy of the value in the arena (ARENA failure: null cell). */
struct cell cursor_cell(const struct cursor *c, int col, struct arena *a);
/* First row's first integer, or `none` when there is no row. */
enum err_code db_int(struct db *db, const char *sql, const struct cell *params, size_t n,
                     int64_t none, int64_t *out, struct err *err) NODISCARD;
/* The ledger whose rows this connection is for: the first parameter of most statements. */
int64_t db_ledger(const struct db *db);
#endif
