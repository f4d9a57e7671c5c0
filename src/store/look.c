#include "store/look.h"

#include <stdio.h>

#include "store/inside.h"

enum { LOOK_CACHE_KIB = 16384 };

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
