#include "domain/identity/account.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "domain/identity/notice.h"
#include "domain/identity/rights.h"
#include "store/statements.h"
#include "store/tables.h"

void account_fold(const char *name, char out[64]) {
    size_t i = 0;
    for (; name[i] != '\0' && i < 63; i++)
        out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    out[i] = '\0';
}

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static enum err_code bad(struct err *err, enum err_code rc, const char *pointer) {
    return err_field(err, rc, pointer);
}

/* Who acts in the journal without an account. */
static bool is_reserved(const char *fold) {
    static const char *const words[] = {"public", "system", "reporter", "party"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(fold, words[i]) == 0) return true;
    return false;
}

static enum err_code check_name(const char *name, struct err *err) {
    char fold[64];
    size_t n = strlen(name);
    bool ok = n >= 2 && n <= 63 && is_name_char(name[0]);
    for (size_t i = 0; ok && i < n; i++)
        ok = is_name_char(name[i]) || strchr("._-@", name[i]) != NULL;
    if (!ok)
        return bad(err,
                   err_fail(err, ERR_INVALID,
                            "an account name has 2 to 63 of a-z A-Z 0-9 . _ - @ and begins with a "
                            "letter or digit"),
                   "/name");
    account_fold(name, fold);
    if (is_reserved(fold))
        return bad(err,
                   err_fail(err, ERR_INVALID,
                            "the name \"%s\" has a meaning of its own; choose another", name),
                   "/name");
    return ERR_OK;
}

/* Copies a text of bounded length. */
static enum err_code put(char *out, size_t out_n, const char *text, const char *pointer,
                         struct err *err) {
    if (text == NULL) return ERR_OK;
    size_t n = strlen(text);
    if (n >= out_n || !utf8_valid(text, n))
        return bad(err,
                   err_fail(err, ERR_INVALID, "expected at most %zu bytes of UTF-8", out_n - 1),
                   pointer);
    memcpy(out, text, n + 1);
    return ERR_OK;
}

/* Whether a code stands in column "code" of a pack's type. */
static enum err_code check_code(struct tx *tx, const struct pack_set *packs, const char *type,
                                const char *code, const char *pointer, struct err *err) {
    if (code[0] == '\0') return ERR_OK;
    const struct type_def *t = pack_type(packs, type);
    int col = t == NULL ? -1 : type_field(t, "code");
    bool has = false;
    if (col >= 0) {
        struct sql s;
        struct cursor *c = NULL;
        TRY(sql_begin(&s, tx_arena(tx), err));
        sql_add(&s, "SELECT 1 FROM ");
        sql_table(&s, &t->table);
        sql_add(&s, " WHERE ledger = ");
        (void)sql_value(&s, cell_int(db_ledger(tx_db(tx))));
        sql_add(&s, " AND ");
        sql_column(&s, &t->table, col, NULL);
        sql_add(&s, " = ");
        (void)sql_value(&s, cell_text(code));
        TRY(sql_query(&s, tx_db(tx), &c, err));
        enum err_code rc = cursor_next(c, &has, err);
        cursor_close(c);
        TRY(rc);
    }
    if (!has)
        return bad(err,
                   err_fail(err, ERR_INVALID, "there is no %s with the code \"%s\"", type, code),
                   pointer);
    return ERR_OK;
}

static enum err_code check_row(struct tx *tx, const struct pack_set *packs, const struct account *a,
                               struct err *err) {
    if (pack_role(packs, a->role) == NULL)
        return bad(err, err_fail(err, ERR_INVALID, "no pack has the role \"%s\"", a->role),
                   "/role");
    TRY(check_code(tx, packs, "area", a->area, "/area", err));
    return check_code(tx, packs, "unit", a->unit, "/unit", err);
}

static void to_cells(const struct account *a, struct cell cells[col_account_count], char fold[64]) {
    account_fold(a->name, fold);
    cells[col_account_name] = cell_text(a->name);
    cells[col_account_fold] = cell_text(fold);
    cells[col_account_display] = cell_text(a->display);
    cells[col_account_role] = cell_text(a->role);
    cells[col_account_area] = a->area[0] == '\0' ? cell_null() : cell_text(a->area);
    cells[col_account_unit] = a->unit[0] == '\0' ? cell_null() : cell_text(a->unit);
    cells[col_account_state] = cell_text(a->active ? "active" : "disabled");
    cells[col_account_must_change] = cell_int(a->must_change);
}

/* Columns as the statements IDENTITY_ACCOUNT and IDENTITY_ACCOUNTS give them. */
static void from_cursor(const struct cursor *c, struct account *a) {
    *a = (struct account){
        .id = cursor_int(c, 0), .must_change = cursor_int(c, 7) != 0, .version = cursor_int(c, 8)};
    (void)snprintf(a->name, sizeof a->name, "%s", cursor_text(c, 1));
    (void)snprintf(a->display, sizeof a->display, "%s", cursor_text(c, 2));
    (void)snprintf(a->role, sizeof a->role, "%s", cursor_text(c, 3));
    (void)snprintf(a->area, sizeof a->area, "%s", cursor_text(c, 4));
    (void)snprintf(a->unit, sizeof a->unit, "%s", cursor_text(c, 5));
    a->active = strcmp(cursor_text(c, 6), "active") == 0;
}

enum err_code account_get(struct db *db, int64_t id, struct account *out, struct err *err) {
    struct cursor *c = NULL;
    bool has = false;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(id)};
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_ACCOUNT), p, 2, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) from_cursor(c, out);
    cursor_close(c);
    TRY(rc);
    return has ? ERR_OK : err_fail(err, ERR_NOT_FOUND, "there is no such account");
}

enum err_code account_find(struct db *db, const char *name, struct account *out, struct err *err) {
    char fold[64];
    int64_t id = 0;
    account_fold(name, fold);
    const struct cell p[] = {cell_int(db_ledger(db)), cell_text(fold)};
    TRY(db_int(db, stmt_sql(STMT_IDENTITY_ACCOUNT_ID), p, 2, 0, &id, err));
    if (id == 0) return err_fail(err, ERR_NOT_FOUND, "there is no account with this name");
    return account_get(db, id, out, err);
}

enum err_code account_list(struct db *db, int64_t after, size_t max, struct account *out, size_t *n,
                           struct err *err) {
    struct cursor *c = NULL;
    bool has = false;
    enum err_code rc;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(after), cell_int((int64_t)max)};
    *n = 0;
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_ACCOUNTS), p, 3, &c, err));
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has && *n < max)
        from_cursor(c, &out[(*n)++]);
    cursor_close(c);
    return rc;
}

/* ---- who may give what ---- */

static const char *by_name(const struct principal *by) {
    return by == NULL ? "the command line" : by->name;
}

static enum err_code tell_security(struct tx *tx, const struct pack_set *packs,
                                   const struct principal *by, const struct account *a,
                                   const char *kind, struct err *err) {
    char en[NOTICE_TEXT], zh[NOTICE_TEXT];
    const struct role_def *role = pack_role(packs, a->role);
    const char *role_en = role == NULL ? a->role : role->title.en,
               *role_zh = role == NULL ? a->role : role->title.zh;
    if (strcmp(kind, "account.reset") == 0) {
        (void)snprintf(en, sizeof en, "A password reset of account %s was started by %s.", a->name,
                       by_name(by));
        (void)snprintf(zh, sizeof zh, "账号 %s 的密码重置由 %s 发起。", a->name,
                       by == NULL ? "命令行" : by->name);
    } else {
        (void)snprintf(en, sizeof en, "Account %s now has the role \"%s\", given by %s.", a->name,
                       role_en, by_name(by));
        (void)snprintf(zh, sizeof zh, "账号 %s 现有角色“%s”，由 %s 授予。", a->name, role_zh,
                       by == NULL ? "命令行" : by->name);
    }
    return notice_add_all(tx, packs, PERM_SESSION_MANAGE, kind, (struct text){en, zh}, err);
}

enum err_code account_add(struct tx *tx, const struct pack_set *packs, const struct principal *by,
                          const struct account_in *in, struct account *out, struct err *err) {
    struct account a = {.active = true, .must_change = in->must_change};
    struct cell cells[col_account_count];
    char fold[64];
    int64_t taken = 0;
    TRY(check_name(in->name, err));
    TRY(put(a.name, sizeof a.name, in->name, "/name", err));
    TRY(put(a.display, sizeof a.display,
            in->display == NULL || in->display[0] == '\0' ? in->name : in->display, "/display",
            err));
    TRY(put(a.role, sizeof a.role, in->role, "/role", err));
    TRY(put(a.area, sizeof a.area, in->area, "/area", err));
    TRY(put(a.unit, sizeof a.unit, in->unit, "/unit", err));
    TRY(check_row(tx, packs, &a, err));
    to_cells(&a, cells, fold);
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx))), cell_text(fold)};
    TRY(db_int(tx_db(tx), stmt_sql(STMT_IDENTITY_ACCOUNT_ID), p, 2, 0, &taken, err));
    if (taken != 0)
        return bad(err, err_fail(err, ERR_CONFLICT, "the name \"%s\" is taken", in->name), "/name");
    TRY(tx_insert(tx, &table_account, cells, &a.id, err));
    a.version = 1;
    *out = a;
    return tell_security(tx, packs, by, &a, "account.role", err);
}

static enum err_code drop_sessions(struct tx *tx, int64_t account, int64_t keep, struct err *err) {
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx))), cell_int(account), cell_int(keep)};
    return db_exec(tx_db(tx), stmt_sql(STMT_IDENTITY_SESSIONS_DROP), p, 3, NULL, err);
}

static enum err_code drop_tokens(struct tx *tx, int64_t account, struct err *err) {
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx))), cell_int(account)};
    return db_exec(tx_db(tx), stmt_sql(STMT_IDENTITY_TOKENS_DROP), p, 2, NULL, err);
}

static bool manages_accounts(const struct pack_set *packs, const struct account *a) {
    return a->active && (rights_grants(pack_role(packs, a->role)) >> PERM_ACCOUNT_MANAGE & 1) != 0;
}

/* Somebody must be left who can make accounts. Over all roles that may, since a pack may have
 * several. */
static enum err_code check_last_admin(struct tx *tx, const struct pack_set *packs,
                                      const struct account *before, const struct account *after,
                                      struct err *err) {
    int64_t left = 0;
    if (!manages_accounts(packs, before) || manages_accounts(packs, after)) return ERR_OK;
    for (size_t i = 0; i < packs->n_roles; i++) {
        int64_t n = 0;
        if ((rights_grants(&packs->roles[i]) >> PERM_ACCOUNT_MANAGE & 1) == 0) continue;
        const struct cell p[] = {cell_int(db_ledger(tx_db(tx))), cell_text(packs->roles[i].name)};
        TRY(db_int(tx_db(tx), stmt_sql(STMT_IDENTITY_ADMIN_COUNT), p, 2, 0, &n, err));
        left += n;
    }
    if (left > 1) return ERR_OK;
    return err_fail(
        err, ERR_CONFLICT,
        "this is the last active account that manages accounts; make another one first");
}

static enum err_code apply_change(const struct account_change *ch, struct account *a,
                                  struct err *err) {
    TRY(put(a->display, sizeof a->display, ch->display, "/display", err));
    if (a->display[0] == '\0') memcpy(a->display, a->name, sizeof a->name);
    TRY(put(a->role, sizeof a->role, ch->role, "/role", err));
    TRY(put(a->area, sizeof a->area, ch->area, "/area", err));
    TRY(put(a->unit, sizeof a->unit, ch->unit, "/unit", err));
    if (ch->state == NULL) return ERR_OK;
    a->active = strcmp(ch->state, "active") == 0;
    if (a->active || strcmp(ch->state, "disabled") == 0) return ERR_OK;
    return bad(err, err_fail(err, ERR_INVALID, "expected \"active\" or \"disabled\""), "/state");
}

/* Whether the account's role keeps watch over the others: security and audit administrators. */
static bool keeps_watch(const struct pack_set *packs, const char *role) {
    uint64_t grants = rights_grants(pack_role(packs, role));
    return (grants >> PERM_SESSION_MANAGE & 1) != 0 || (grants >> PERM_AUDIT_READ & 1) != 0;
}

enum err_code account_change(struct tx *tx, const struct pack_set *packs,
                             const struct principal *by, const char *name, int64_t expect,
                             const struct account_change *change, struct account *out,
                             struct err *err) {
    struct account before, after;
    struct cell cells[col_account_count];
    char fold[64];
    TRY(account_find(tx_db(tx), name, &before, err));
    after = before;
    TRY(apply_change(change, &after, err));
    bool role = strcmp(before.role, after.role) != 0, ended = before.active && !after.active;
    bool scope = strcmp(before.area, after.area) != 0 || strcmp(before.unit, after.unit) != 0;
    if (by != NULL && by->account == before.id && (role || scope || before.active != after.active))
        return err_fail(err, ERR_FORBIDDEN,
                        "nobody changes the role, scope or state of his own account; another "
                        "administrator must");
    if (by != NULL && (role || ended) && keeps_watch(packs, before.role))
        return err_fail(err, ERR_FORBIDDEN,
                        "accounts of those who administer security and audit are changed on the "
                        "command line only, so that nobody rids himself of who watches him");
    TRY(check_row(tx, packs, &after, err));
    TRY(check_last_admin(tx, packs, &before, &after, err));
    to_cells(&after, cells, fold);
    TRY(tx_update(tx, &table_account, before.id, expect, cells, err));
    after.version = before.version + 1;
    if (role || ended) {
        TRY(drop_sessions(tx, before.id, 0, err));
        TRY(drop_tokens(tx, before.id, err));
    }
    *out = after;
    return role ? tell_security(tx, packs, by, &after, "account.role", err) : ERR_OK;
}

enum err_code account_set_password(struct tx *tx, int64_t id, const char *hash, bool must_change,
                                   int64_t keep, struct err *err) {
    static const char image[] = "{\"event\":\"password set\"}";
    struct account a;
    TRY(account_get(tx_db(tx), id, &a, err));
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx))), cell_int(id), cell_text(hash),
                             cell_int(tx_now_us(tx))};
    TRY(db_exec(tx_db(tx), stmt_sql(STMT_IDENTITY_CREDENTIAL_SET), p, 4, NULL, err));
    TRY(drop_sessions(tx, id, keep, err));
    if (a.must_change != must_change) {
        struct cell cells[col_account_count];
        char fold[64];
        a.must_change = must_change;
        to_cells(&a, cells, fold);
        TRY(tx_update(tx, &table_account, id, -1, cells, err));
    }
    return tx_note(tx, "password", id, image, sizeof image - 1, err);
}

enum err_code account_set_reset(struct tx *tx, const struct pack_set *packs,
                                const struct principal *by, const char *name,
                                const char *token_hash, int64_t until_us, struct account *out,
                                struct err *err) {
    static const char image[] = "{\"event\":\"reset token made\"}";
    TRY(account_find(tx_db(tx), name, out, err));
    if (by != NULL && keeps_watch(packs, out->role))
        return err_fail(
            err, ERR_FORBIDDEN,
            "the password of a security or audit administrator is reset on the command line only");
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx))), cell_int(out->id),
                             cell_text(token_hash), cell_int(until_us)};
    TRY(db_exec(tx_db(tx), stmt_sql(STMT_IDENTITY_RESET_SET), p, 4, NULL, err));
    TRY(tx_note(tx, "password", out->id, image, sizeof image - 1, err));
    return tell_security(tx, packs, by, out, "account.reset", err);
}
