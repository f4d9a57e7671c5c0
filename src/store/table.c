#include "store/table.h"

#include <string.h>

int table_col(const struct table *t, const char *name) {
    for (size_t i = 0; i < t->n_cols; i++) {
        if (strcmp(t->cols[i].name, name) == 0) return (int)i;
    }
    return -1;
}

static bool is_name(const char *s) {
    if (s == NULL || s[0] < 'a' || s[0] > 'z') return false;
    size_t n = strlen(s);
    return n <= TABLE_MAX_NAME && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static bool is_reserved(const char *s) {
    return strcmp(s, "ledger") == 0 || strcmp(s, "id") == 0 || strcmp(s, "version") == 0;
}

static enum err_code check_column(const struct table *t, size_t i, struct err *err) {
    const struct column *c = &t->cols[i];
    if (!is_name(c->name))
        return err_fail(err, ERR_INVALID, "table %s: column %zu has no valid name", t->name, i);
    if (t->key == NULL && is_reserved(c->name))
        return err_fail(err, ERR_INVALID, "table %s: column name %s is reserved", t->name, c->name);
    if (c->type < COL_TEXT || c->type > COL_BLOB)
        return err_fail(err, ERR_INVALID, "table %s: column %s has no type", t->name, c->name);
    if (table_col(t, c->name) != (int)i)
        return err_fail(err, ERR_INVALID, "table %s: column %s twice", t->name, c->name);
    if (!c->personal) return ERR_OK;
    if (c->type != COL_TEXT && c->type != COL_JSON)
        return err_fail(err, ERR_INVALID, "table %s: personal column %s must be text or JSON",
                        t->name, c->name);
    if (t->kind != TABLE_LEDGER)
        return err_fail(
            err, ERR_INVALID,
            "table %s: column %s is personal, but only ledger tables keep personal values", t->name,
            c->name);
    return ERR_OK;
}

static enum err_code check_index(const struct table *t, const struct index *x, struct err *err) {
    if (x->cols[0] == NULL)
        return err_fail(err, ERR_INVALID, "table %s: an index without columns", t->name);
    for (size_t i = 0; i < INDEX_MAX_COLS && x->cols[i] != NULL; i++) {
        bool implicit = t->key == NULL && is_reserved(x->cols[i]);
        if (!implicit && table_col(t, x->cols[i]) < 0)
            return err_fail(err, ERR_INVALID, "table %s: index over unknown column %s", t->name,
                            x->cols[i]);
    }
    return ERR_OK;
}

enum err_code table_check(const struct table *t, struct err *err) {
    if (!is_name(t->name))
        return err_fail(err, ERR_INVALID, "a table needs a name of a-z, 0-9 and _, at most %d long",
                        TABLE_MAX_NAME);
    if (t->kind < TABLE_LEDGER || t->kind > TABLE_OPERATIONAL)
        return err_fail(err, ERR_INVALID, "table %s has no kind", t->name);
    if (t->n_cols == 0 || t->n_cols > TABLE_MAX_COLS)
        return err_fail(err, ERR_INVALID, "table %s: %zu columns; 1 to %d are possible", t->name,
                        t->n_cols, TABLE_MAX_COLS);
    for (size_t i = 0; i < t->n_cols; i++) TRY(check_column(t, i, err));
    for (size_t i = 0; i < t->n_indexes; i++) TRY(check_index(t, &t->indexes[i], err));
    return ERR_OK;
}
