#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "domain/identity/inside.h"
#include "store/statements.h"

struct making {
    int64_t account, id, until_us;
    const char *name;
    char digest[DIGEST_HEX];
};

static enum err_code count_tokens(struct db *db, int64_t account, size_t *n, struct err *err) {
    struct cursor *c = NULL;
    bool has = false;
    enum err_code rc;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(account),
                             cell_int(IDENTITY_MAX_TOKENS)};
    *n = 0;
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_TOKENS_OF), p, 3, &c, err));
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has) (*n)++;
    cursor_close(c);
    return rc;
}

static enum err_code add_apply(struct tx *tx, void *arg, struct err *err) {
    static const char image[] = "{\"event\":\"API token made\"}";
    const struct making *m = arg;
    struct db *db = tx_db(tx);
    struct account a;
    size_t n = 0;
    TRY(account_get(db, m->account, &a, err));
    if (!a.active) return err_fail(err, ERR_FORBIDDEN, "the account is disabled");
    TRY(count_tokens(db, m->account, &n, err));
    if (n >= IDENTITY_MAX_TOKENS)
        return err_fail(err, ERR_LIMIT, "an account has at most %d API tokens; end one first",
                        IDENTITY_MAX_TOKENS);
    const struct cell p[] = {cell_int(db_ledger(db)),
                             cell_int(m->id),
                             cell_int(m->account),
                             cell_text(m->name),
                             cell_text(m->digest),
                             cell_int(tx_now_us(tx)),
                             m->until_us == 0 ? cell_null() : cell_int(m->until_us)};
    TRY(db_exec(db, stmt_sql(STMT_IDENTITY_TOKEN_ADD), p, 7, NULL, err));
    return tx_note(tx, "api_token", m->account, image, sizeof image - 1, err);
}

enum err_code identity_token_add(struct identity *id, const struct principal *p, const char *name,
                                 int64_t until_us, char token[IDENTITY_TOKEN], int64_t *token_id,
                                 struct err *err) {
    struct making m = {
        .account = p->account, .id = secret_row_id(), .until_us = until_us, .name = name};
    unsigned char digest[DIGEST];
    size_t n = utf8_count(name, strlen(name));
    if (n < 1 || n > 60 || strlen(name) > 240)
        return err_field(
            err,
            err_fail(err, ERR_INVALID,
                     "a token's name has 1 to 60 characters / 令牌名称为 1 至 60 个字符"),
            "/name");
    if (until_us != 0 && until_us <= clock_now_us(&id->clock))
        return err_field(err, err_fail(err, ERR_INVALID, "the end lies in the past / 截止时间已过"),
                         "/expires");
    secret_token("gz_", token);
    digest_of(token, digest);
    digest_hex(digest, m.digest);
    TRY(identity_run(id, p, "token.add", NULL, add_apply, &m, err));
    *token_id = m.id;
    return identity_reload(id, p->account, err);
}

enum err_code identity_tokens(struct identity *id, int64_t account, struct arena *a,
                              struct token_row **out, size_t *n, struct err *err) {
    struct reader *r = NULL;
    struct cursor *c = NULL;
    bool has = false;
    *n = 0;
    *out = ARENA_NEW(a, struct token_row, IDENTITY_MAX_TOKENS);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "no memory for tokens");
    TRY(ledger_read_begin(id->ledger, &r, err));
    const struct cell p[] = {cell_int(db_ledger(reader_db(r))), cell_int(account),
                             cell_int(IDENTITY_MAX_TOKENS)};
    enum err_code rc = db_query(reader_db(r), stmt_sql(STMT_IDENTITY_TOKENS_OF), p, 3, &c, err);
    while (rc == ERR_OK && (rc = cursor_next(c, &has, err)) == ERR_OK && has &&
           *n < IDENTITY_MAX_TOKENS) {
        struct token_row row = {.id = cursor_int(c, 0),
                                .name = arena_strdup(a, cursor_text(c, 2)),
                                .since_us = cursor_int(c, 3),
                                .until_us = cursor_int(c, 4)};
        if (row.name == NULL) rc = err_fail(err, ERR_NOMEM, "no memory for tokens");
        (*out)[(*n)++] = row;
    }
    cursor_close(c);
    ledger_read_end(r);
    return rc;
}

struct dropping {
    int64_t account, id;
};

static enum err_code drop_apply(struct tx *tx, void *arg, struct err *err) {
    static const char image[] = "{\"event\":\"API token ended\"}";
    const struct dropping *d = arg;
    int64_t n = 0;
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx))), cell_int(d->account), cell_int(d->id)};
    TRY(db_exec(tx_db(tx), stmt_sql(STMT_IDENTITY_TOKEN_DROP), p, 3, &n, err));
    if (n == 0) return err_fail(err, ERR_NOT_FOUND, "there is no such API token");
    return tx_note(tx, "api_token", d->account, image, sizeof image - 1, err);
}

enum err_code identity_token_drop(struct identity *id, const struct principal *p, int64_t token_id,
                                  struct err *err) {
    struct dropping d = {p->account, token_id};
    TRY(identity_run(id, p, "token.end", NULL, drop_apply, &d, err));
    return identity_reload(id, p->account, err);
}
