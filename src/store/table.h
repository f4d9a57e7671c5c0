/* store/table.h - descriptors of tables: what decl/tables.def and the packs' types become.
 * Immutable, shared by all threads. */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum table_kind {
    TABLE_LEDGER = 1,     /* each change journals a row image; verify compares table and journal */
    TABLE_DERIVED = 2,    /* written by a follower, rebuilt from the journal */
    TABLE_OPERATIONAL = 3 /* sessions, jobs, idempotency: neither journalled nor verified */
};
enum col_type {
    COL_TEXT = 1,
    COL_INT = 2,
    COL_REAL = 3,
    COL_BOOL = 4,
    COL_TIME = 5,
    COL_JSON = 6,
    COL_BLOB = 7
};
enum { TABLE_MAX_COLS = 200, TABLE_MAX_NAME = 40, INDEX_MAX_COLS = 6 };

struct column {
    const char *name;   /* [a-z][a-z0-9_]{0,39}; id, version, ledger are implicit and reserved */
    enum col_type type; /* COL_TIME: UTC us; COL_JSON: canonical JSON text */
    bool required;      /* NOT NULL */
    bool personal; /* COL_TEXT or COL_JSON only: stored as a salted commitment, value kept in table
                      personal */
};
struct index {
    const char *cols[INDEX_MAX_COLS]; /* after the ledger; NULL-terminated when shorter */
    bool unique;
    const char *where; /* partial index condition over constants, or NULL; never text from a pack */
};
/* Every table has the implicit columns ledger INTEGER, id INTEGER, version INTEGER and PRIMARY KEY
 * (ledger, id). */
struct table {
    const char *name; /* "case_", "area": as in SQL; reserved words get a trailing underscore */
    enum table_kind kind;
    const struct column *cols;
    size_t n_cols;
    const struct index *indexes;
    size_t n_indexes;
    const char *const
        *key; /* the store's own tables only: NULL-terminated key columns after the ledger; such a
                 table has no implicit id and version. NULL everywhere else */
};
/* Index of a column by name, or -1. */
int table_col(const struct table *t, const char *name);
/* Names, types, kinds and indexes keep the rules above. ERR_INVALID names the table and the column.
 */
enum err_code table_check(const struct table *t, struct err *err) NODISCARD;
#endif
