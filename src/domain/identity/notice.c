#include "domain/identity/notice.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "domain/identity/account.h"
#include "domain/identity/rights.h"
#include "store/statements.h"

enum { PAGE = 64 };

struct told {
    int64_t id;
    char name[64];
};

static enum err_code add_one(struct tx *tx, const struct told *who, const char *kind,
                             const char *case_code, struct text text, struct err *err) {
    struct db *db = tx_db(tx);
    struct buf image;
    struct jw w;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(who->id),    cell_int(tx_now_us(tx)),
                             cell_text(kind),         cell_text(case_code), cell_text(text.en),
                             cell_text(text.zh)};
    TRY(db_exec(db, stmt_sql(STMT_IDENTITY_NOTICE_ADD), p, 7, NULL, err));
    buf_init(&image, 1024);
    jw_init(&w, &image);
    jw_obj(&w);
    jw_kstr(&w, "account", who->name);
    jw_kstr(&w, "kind", kind);
    jw_kstr(&w, "case", case_code);
    jw_end(&w, '}');
    enum err_code rc = buf_check(&image, err);
    if (rc == ERR_OK) rc = tx_note(tx, "notice", who->id, buf_text(&image), image.n, err);
    buf_deinit(&image);
    return rc;
}

enum err_code notice_add(struct tx *tx, const char *account, const char *kind,
                         const char *case_code, struct text text, struct err *err) {
    struct account a;
    enum err_code rc = account_find(tx_db(tx), account, &a, err);
    if (rc == ERR_NOT_FOUND || (rc == ERR_OK && !a.active)) return ERR_OK;
    TRY(rc);
    struct told who = {.id = a.id};
    memcpy(who.name, a.name, sizeof who.name);
    return add_one(tx, &who, kind, case_code == NULL || case_code[0] == '\0' ? NULL : case_code,
                   text, err);
}

static enum err_code read_page(struct db *db, const char *role, int64_t after, struct told *page,
                               size_t *n, struct err *err) {
    struct cursor *c = NULL;
    bool has = false;
    enum err_code rc;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_text(role), cell_int(after),
                             cell_int(PAGE)};
    *n = 0;
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_ACTIVE_OF_ROLE), p, 4, &c, err));
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has && *n < PAGE) {
        page[*n].id = cursor_int(c, 0);
        (void)snprintf(page[*n].name, sizeof page[*n].name, "%s", cursor_text(c, 1));
        ++*n;
    }
    cursor_close(c);
    return rc;
}

enum err_code notice_add_all(struct tx *tx, const struct pack_set *packs, enum permission perm,
                             const char *kind, struct text text, struct err *err) {
    struct told *page = ARENA_NEW(tx_arena(tx), struct told, PAGE);
    if (page == NULL) return err_fail(err, ERR_NOMEM, "no memory for notices");
    for (size_t r = 0; r < packs->n_roles; r++) {
        const struct role_def *role = &packs->roles[r];
        if ((rights_grants(role) >> perm & 1) == 0) continue;
        int64_t after = 0;
        for (size_t n = PAGE; n == PAGE;) {
            TRY(read_page(tx_db(tx), role->name, after, page, &n, err));
            for (size_t i = 0; i < n; i++) TRY(add_one(tx, &page[i], kind, NULL, text, err));
            if (n > 0) after = page[n - 1].id;
        }
    }
    return ERR_OK;
}

enum err_code notice_list(struct db *db, int64_t account, int64_t before, size_t max,
                          struct arena *a, struct notice **out, size_t *n, struct err *err) {
    struct cursor *c = NULL;
    bool has = false;
    enum err_code rc;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(account),
                             cell_int(before > 0 ? before : INT64_MAX), cell_int((int64_t)max)};
    *n = 0;
    *out = ARENA_NEW(a, struct notice, max);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "no memory for notices");
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_NOTICES), p, 4, &c, err));
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has && *n < max) {
        struct notice *x = &(*out)[(*n)++];
        *x = (struct notice){
            .id = cursor_int(c, 0),
            .at_us = cursor_int(c, 1),
            .kind = arena_strdup(a, cursor_text(c, 2)),
            .case_code = arena_strdup(a, cursor_text(c, 3)),
            .text = {arena_strdup(a, cursor_text(c, 4)), arena_strdup(a, cursor_text(c, 5))},
            .is_read = cursor_int(c, 6) != 0};
        if (x->kind == NULL || x->case_code == NULL || x->text.en == NULL || x->text.zh == NULL) {
            rc = err_fail(err, ERR_NOMEM, "no memory for notices");
            break;
        }
    }
    cursor_close(c);
    return rc;
}

enum err_code notice_unread(struct db *db, int64_t account, int64_t *n, struct err *err) {
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(account)};
    return db_int(db, stmt_sql(STMT_IDENTITY_NOTICES_UNREAD), p, 2, 0, n, err);
}

enum err_code notice_mark_read(struct tx *tx, int64_t account, int64_t upto, struct err *err) {
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx))), cell_int(account), cell_int(upto)};
    return db_exec(tx_db(tx), stmt_sql(STMT_IDENTITY_NOTICES_READ), p, 3, NULL, err);
}
