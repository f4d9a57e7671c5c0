#include "store/statements.h"

#include "base/err.h"

struct named {
    const char *name, *sql;
};

static const struct named rows[] = {
#define X(name, sql) {#name, sql},
#include "../../decl/statements.def"
#undef X
};

const char *stmt_sql(enum stmt s) {
    app_assert((unsigned)s < STMT_N);
    return rows[s].sql;
}

const char *stmt_name(enum stmt s) {
    app_assert((unsigned)s < STMT_N);
    return rows[s].name;
}
