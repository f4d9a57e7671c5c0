#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "domain/identity/inside.h"
#include "domain/identity/rights.h"
#include "store/statements.h"

static const int64_t DAY_US = (int64_t)86400 * 1000000;

enum err_code identity_hash(struct identity *id, const char *name, const char *password,
                            const char *pointer, char hash[PASSWORD_HASH], struct err *err) {
    TRY(password_check(name, password, pointer, err));
    return password_hash(id->pool, password, hash, err);
}

/* ---- changing one's own password ---- */

struct setting {
    int64_t account, keep;
    const char *hash;     /* new */
    const char *expected; /* the hash that was checked, or NULL */
    const char *reset;    /* hex digest of the reset token that must still stand, or NULL */
};

static enum err_code set_apply(struct tx *tx, void *arg, struct err *err) {
    const struct setting *s = arg;
    struct db *db = tx_db(tx);
    struct cursor *c = NULL;
    bool has = false, same = false;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(s->account)};
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_CREDENTIAL), p, 2, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has)
        same = s->reset != NULL ? strcmp(cursor_text(c, 1), s->reset) == 0
                                : strcmp(cursor_text(c, 0), s->expected) == 0;
    cursor_close(c);
    TRY(rc);
    if (!same) return err_fail(err, ERR_CONFLICT, "the password was changed meanwhile");
    return account_set_password(tx, s->account, s->hash, false, s->keep, err);
}

enum err_code credential_hash(struct identity *id, int64_t account, char hash[PASSWORD_HASH],
                              struct err *err) {
    struct reader *r = NULL;
    struct cursor *c = NULL;
    bool has = false;
    hash[0] = '\0';
    TRY(ledger_read_begin(id->ledger, &r, err));
    const struct cell p[] = {cell_int(db_ledger(reader_db(r))), cell_int(account)};
    enum err_code rc = db_query(reader_db(r), stmt_sql(STMT_IDENTITY_CREDENTIAL), p, 2, &c, err);
    if (rc == ERR_OK) rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) (void)snprintf(hash, PASSWORD_HASH, "%s", cursor_text(c, 0));
    cursor_close(c);
    ledger_read_end(r);
    return rc;
}

enum err_code identity_password_change(struct identity *id, const struct principal *p,
                                       const char *old, const char *new_, struct err *err) {
    char before[PASSWORD_HASH], after[PASSWORD_HASH], key[32];
    bool ok = false;
    int64_t now_us = clock_now_us(&id->clock);
    if (p->anonymous) return err_fail(err, ERR_UNAUTHORIZED, "please sign in");
    TRY(password_check(p->name, new_, "/new", err));
    if (strcmp(old, new_) == 0)
        return err_field(
            err, err_fail(err, ERR_INVALID, "the new password is the old one / 新密码与旧密码相同"),
            "/new");
    (void)snprintf(key, sizeof key, "%lld", (long long)p->account);
    TRY(throttle_take(id->throttle, RATE_PASSWORD, key, now_us, err));
    TRY(credential_hash(id, p->account, before, err));
    TRY(password_verify(id->pool, before, strlen(old) > PASSWORD_MAX_BYTES ? "" : old, &ok, err));
    if (!ok)
        return err_field(err, err_fail(err, ERR_INVALID, "the old password is wrong / 旧密码错误"),
                         "/old");
    throttle_undo(id->throttle, RATE_PASSWORD, key, now_us);
    TRY(password_hash(id->pool, new_, after, err));
    struct setting s = {
        .account = p->account, .keep = p->session, .hash = after, .expected = before};
    TRY(identity_run(id, p, "account.password", NULL, set_apply, &s, err));
    return identity_reload(id, p->account, err);
}

/* ---- reset by a one-time token ---- */

struct reset {
    const struct identity *id;
    const struct principal *by;
    const char *name;
    char digest[DIGEST_HEX];
    int64_t until_us;
    struct account account;
};

static enum err_code reset_apply(struct tx *tx, void *arg, struct err *err) {
    struct reset *r = arg;
    return account_set_reset(tx, r->id->packs, r->by, r->name, r->digest, r->until_us, &r->account,
                             err);
}

enum err_code identity_reset_make(struct identity *id, const struct principal *by, const char *name,
                                  char token[IDENTITY_TOKEN], int64_t *until_us, struct err *err) {
    struct reset r = {
        .id = id, .by = by, .name = name, .until_us = clock_now_us(&id->clock) + DAY_US};
    unsigned char digest[DIGEST];
    if (by != NULL && !principal_may(by, PERM_ACCOUNT_MANAGE))
        return err_fail(err, ERR_FORBIDDEN, "only a system administrator resets passwords");
    secret_token("reset_", token);
    digest_of(token, digest);
    digest_hex(digest, r.digest);
    TRY(identity_run(id, by, "account.reset", NULL, reset_apply, &r, err));
    *until_us = r.until_us;
    return ERR_OK;
}

static enum err_code no_such_token(struct err *err) {
    return err_fail(err, ERR_UNAUTHORIZED,
                    "this token is not valid, or not any more; ask for a new one / "
                    "该令牌无效或已过期，请重新申请");
}

/* The account of a reset token that still holds. */
static enum err_code find_reset(struct identity *id, const char *hex, int64_t now_us,
                                struct account *out, struct err *err) {
    struct reader *r = NULL;
    struct cursor *c = NULL;
    bool has = false;
    int64_t account = 0, until_us = 0;
    TRY(ledger_read_begin(id->ledger, &r, err));
    const struct cell p[] = {cell_int(db_ledger(reader_db(r))), cell_text(hex)};
    enum err_code rc =
        db_query(reader_db(r), stmt_sql(STMT_IDENTITY_CREDENTIAL_OF_RESET), p, 2, &c, err);
    if (rc == ERR_OK) rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) {
        account = cursor_int(c, 0);
        until_us = cursor_int(c, 1);
    }
    cursor_close(c);
    if (rc == ERR_OK && (!has || now_us >= until_us)) rc = no_such_token(err);
    if (rc == ERR_OK) rc = account_get(reader_db(r), account, out, err);
    ledger_read_end(r);
    if (rc == ERR_OK && !out->active) rc = no_such_token(err);
    return rc;
}

enum err_code identity_reset_use(struct identity *id, const char *token, const char *new_,
                                 const char *remote, struct err *err) {
    char address[THROTTLE_KEY], hex[DIGEST_HEX], hash[PASSWORD_HASH];
    unsigned char digest[DIGEST];
    struct account a;
    int64_t now_us = clock_now_us(&id->clock);
    throttle_address(remote, address);
    TRY(throttle_take(id->throttle, RATE_RESET, address, now_us, err));
    digest_of(token, digest);
    digest_hex(digest, hex);
    TRY(find_reset(id, hex, now_us, &a, err));
    throttle_undo(id->throttle, RATE_RESET, address, now_us);
    TRY(password_check(a.name, new_, "/new", err));
    TRY(password_hash(id->pool, new_, hash, err));
    const struct principal who = {.anonymous = true, .name = "public"};
    struct setting s = {.account = a.id, .hash = hash, .reset = hex};
    enum err_code rc =
        identity_run(id, &who, "account.password", "reset token", set_apply, &s, err);
    if (rc == ERR_CONFLICT) return no_such_token(err); /* used twice at the same moment */
    TRY(rc);
    char fold[64];
    account_fold(a.name, fold);
    (void)throttle_clear(id->throttle, RATE_LOGIN_NAME, fold);
    return identity_reload(id, a.id, err);
}

/* ---- first run ---- */

enum err_code identity_setup_token(struct identity *id, char token[IDENTITY_TOKEN],
                                   struct err *err) {
    struct reader *r = NULL;
    int64_t n = 0;
    token[0] = '\0';
    TRY(ledger_read_begin(id->ledger, &r, err));
    const struct cell p[] = {cell_int(db_ledger(reader_db(r)))};
    enum err_code rc =
        db_int(reader_db(r), stmt_sql(STMT_IDENTITY_ACCOUNT_COUNT), p, 1, 0, &n, err);
    ledger_read_end(r);
    TRY(rc);
    if (n > 0) return ERR_OK;
    secret_token("setup_", token);
    (void)pthread_rwlock_wrlock(&id->lock);
    digest_of(token, id->setup_digest);
    atomic_store(&id->has_setup, true);
    (void)pthread_rwlock_unlock(&id->lock);
    return ERR_OK;
}

struct first {
    const struct identity *id;
    struct account_in in;
    const char *hash;
    struct account account;
};

static enum err_code first_apply(struct tx *tx, void *arg, struct err *err) {
    struct first *f = arg;
    int64_t n = 0;
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx)))};
    TRY(db_int(tx_db(tx), stmt_sql(STMT_IDENTITY_ACCOUNT_COUNT), p, 1, 0, &n, err));
    if (n > 0) return err_fail(err, ERR_CONFLICT, "there is an account already; sign in");
    TRY(account_add(tx, f->id->packs, NULL, &f->in, &f->account, err));
    return account_set_password(tx, f->account.id, f->hash, false, 0, err);
}

static const char *first_role(const struct pack_set *packs) {
    for (size_t i = 0; i < packs->n_roles; i++)
        if ((rights_grants(&packs->roles[i]) >> PERM_ACCOUNT_MANAGE & 1) != 0)
            return packs->roles[i].name;
    return NULL;
}

static bool setup_matches(struct identity *id, const char *token) {
    unsigned char digest[DIGEST];
    digest_of(token, digest);
    (void)pthread_rwlock_rdlock(&id->lock);
    bool same = atomic_load(&id->has_setup) && sodium_memcmp(digest, id->setup_digest, DIGEST) == 0;
    (void)pthread_rwlock_unlock(&id->lock);
    return same;
}

enum err_code identity_setup(struct identity *id, const char *token, const char *name,
                             const char *password, struct account *out, struct err *err) {
    char hash[PASSWORD_HASH];
    int64_t now_us = clock_now_us(&id->clock);
    TRY(throttle_take(id->throttle, RATE_SETUP, "", now_us, err));
    if (!setup_matches(id, token)) return no_such_token(err);
    throttle_undo(id->throttle, RATE_SETUP, "", now_us);
    struct first f = {.id = id, .in = {.name = name, .role = first_role(id->packs)}, .hash = hash};
    if (f.in.role == NULL)
        return err_fail(err, ERR_CONFLICT, "no pack has a role that manages accounts");
    TRY(password_check(name, password, "/password", err));
    TRY(password_hash(id->pool, password, hash, err));
    TRY(identity_run(id, NULL, "setup", NULL, first_apply, &f, err));
    atomic_store(&id->has_setup, false);
    *out = f.account;
    return identity_reload(id, f.account.id, err);
}
