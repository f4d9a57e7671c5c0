/* store/tables.h - the built-in tables of decl/tables.def: table_NAME and the positions
 * col_NAME_COLUMN of their cells. */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H
#include "store/table.h"

/* clang-format off */
#define TABLE(name, kind) extern const struct table table_##name; enum { col_##name##_before_first = -1,
#define COL(table, name, type, flags) col_##table##_##name,
#define INDEX(table, unique, where, ...)
#define END(table) col_##table##_count };
#include "../../decl/tables.def"
#undef TABLE
#undef COL
#undef INDEX
#undef END
/* clang-format on */

/* All built-in tables. */
const struct table *const *tables_builtin(size_t *n);
/* The store's own tables (journal, personal, state, checkpoint, idem), which only the store writes.
 */
const struct table *const *tables_core(size_t *n);
#endif
