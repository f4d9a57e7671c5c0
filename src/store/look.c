#include "store/look.h"

#include <stdio.h>
#include <string.h>

#include "store/inside.h"
#include "store/statements.h"
#include "store/tables.h"

enum { LOOK_CACHE_KIB = 16384 };

/* A folder that an older program wrote lacks the tables of later ones; looking makes none. */
static enum err_code has_tables(struct db *db, int64_t ledger_id, struct err *err) {
    size_t n = 0;
    const struct table *const *wanted = tables_builtin(&n);
    for (size_t i = 0; i < n; i++) {
        struct cell p[2] = {cell_int(ledger_id), cell_text(wanted[i]->name)};
        struct cursor *c = NULL;
        bool has = false;
        TRY(db_query(db, stmt_sql(STMT_SCHEMA_HAS), p, 2, &c, err));
        enum err_code rc = cursor_next(c, &has, err);
        cursor_close(c);
        TRY(rc);
        if (!has)
            return err_fail(err, ERR_INVALID,
                            "the folder is of an older gezhi, without the table \"%s\": start "
                            "\"gezhi serve\" on it once",
                            wanted[i]->name);
    }
    return ERR_OK;
}

enum err_code ledger_look(const char *dir, int64_t ledger_id, struct db **out, struct err *err) {
    char path[LEDGER_PATH];
    int n = snprintf(path, sizeof path, "%s/" DB_NAME, dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return err_fail(err, ERR_INVALID, "the folder's path is too long");
    const struct db_open o = {.read_only = true, .cache_kib = LOOK_CACHE_KIB};
    struct db *db = NULL;
    TRY(db_open_known(&driver_sqlite, path, &o, LEDGER_FORMAT, &db, err));
    db_set_ledger(db, ledger_id);
    enum err_code rc = db_begin(db, false, err);
    if (rc == ERR_OK) rc = has_tables(db, ledger_id, err);
    if (rc != ERR_OK) {
        db_close(db, false);
        return rc;
    }
    *out = db;
    return ERR_OK;
}

void ledger_look_end(struct db *db) {
    if (db == NULL) return;
    db_rollback(db);
    db_close(db, false);
}
