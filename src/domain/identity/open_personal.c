#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "domain/identity/rights.h"

enum { PURPOSE_MIN = 3, PURPOSE_MAX = 200 };

static enum err_code check_open(const struct principal *p, const struct field_def *f,
                                const char *purpose, struct err *err) {
    bool by_role = f->sensitivity == SENS_SENSITIVE ? p->role != NULL && p->role->sensitive
                                                    : p->role != NULL && p->role->personal;
    if (!principal_may(p, PERM_CASE_CONTACT) || !by_role)
        return err_fail(err, ERR_FORBIDDEN, "your role may not open \"%s\"", f->name);
    size_t n = purpose == NULL ? 0 : utf8_count(purpose, strlen(purpose));
    if (n >= PURPOSE_MIN && n <= PURPOSE_MAX) return ERR_OK;
    return err_field(err,
                     err_fail(err, ERR_INVALID, "state the purpose in %d to %d characters",
                              PURPOSE_MIN, PURPOSE_MAX),
                     "/purpose");
}

static enum err_code journal_look(struct tx *tx, const struct principal *p,
                                  const struct type_def *type, int64_t id, const char *column,
                                  const char *purpose, struct err *err) {
    struct buf image;
    struct jw w;
    buf_init(&image, 4096);
    jw_init(&w, &image);
    jw_obj(&w);
    jw_kstr(&w, "account", p->name);
    jw_kstr(&w, "table", type->table.name);
    jw_kint(&w, "id", id);
    jw_kstr(&w, "column", column);
    jw_kstr(&w, "purpose", purpose);
    jw_end(&w, '}');
    enum err_code rc = buf_check(&image, err);
    if (rc == ERR_OK) rc = tx_note(tx, "view", id, buf_text(&image), image.n, err);
    buf_deinit(&image);
    return rc;
}

enum err_code rights_open_personal(struct tx *tx, const struct principal *p,
                                   const struct type_def *type, int64_t id, const char *column,
                                   const struct cell *commit, const char *purpose, struct cell *out,
                                   struct err *err) {
    int col = type_field(type, column);
    if (col < 0)
        return err_fail(err, ERR_NOT_FOUND, "type \"%s\" has no field \"%s\"", type->name, column);
    *out = cell_null();
    TRY(check_open(p, &type->fields[col], purpose, err));
    TRY(journal_look(tx, p, type, id, column, purpose, err));
    if (commit->type != CELL_COMMIT) {
        *out = *commit;
        return ERR_OK;
    }
    return personal_get(tx_db(tx), commit, tx_arena(tx), out, err);
}
