/* store/statements.h - the named statements of decl/statements.def. */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

enum stmt {
#define X(name, sql) STMT_##name,
#include "../../decl/statements.def"
#undef X
    STMT_N
};
/* The portable text; never NULL for a valid s. */
const char *stmt_sql(enum stmt s);
const char *stmt_name(enum stmt s);
#endif
