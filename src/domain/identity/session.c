#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "domain/identity/inside.h"
#include "store/statements.h"

enum { AGENT = 160, BEARER = 55, COOKIE = 43, MAX_TOUCH = 4096 };
static const int64_t MINUTE_US = 60000000;

/* ---- who calls ---- */

/* Under the read lock. */
static bool look_up(struct identity *id, const unsigned char digest[DIGEST], bool is_token,
                    int64_t now_us, struct principal *out) {
    struct cred *c = cred_find(id, digest);
    if (c == NULL || c->is_token != is_token || session_is_over(id, c, now_us)) return false;
    if (!c->owner->a.active || c->owner->role == NULL) return false;
    if (!is_token && now_us - atomic_load(&c->last_us) >= MINUTE_US) {
        atomic_store(&c->last_us, now_us);
        atomic_store(&c->touched, true);
    }
    principal_fill(id, c->owner, c, now_us, out);
    return true;
}

enum err_code identity_authenticate(struct identity *id, const char *cookie, const char *bearer,
                                    struct principal *out, struct err *err) {
    unsigned char digest[DIGEST];
    const char *secret = bearer != NULL ? bearer : cookie;
    *out = (struct principal){.anonymous = true};
    if (secret == NULL) return ERR_OK;
    bool found = false;
    int64_t now_us = clock_now_us(&id->clock);
    if (strlen(secret) == (bearer != NULL ? BEARER : COOKIE)) {
        digest_of(secret, digest);
        (void)pthread_rwlock_rdlock(&id->lock);
        found = look_up(id, digest, bearer != NULL, now_us, out);
        (void)pthread_rwlock_unlock(&id->lock);
    }
    sessions_flush(id, now_us);
    if (found) return ERR_OK;
    *out = (struct principal){.anonymous = true};
    return bearer == NULL
               ? ERR_OK
               : err_fail(err, ERR_UNAUTHORIZED, "the API token is not valid, or not any more");
}

bool identity_csrf_equal(const struct principal *p, const char *given) {
    size_t n = strlen(p->csrf);
    return n > 0 && strlen(given) == n && sodium_memcmp(p->csrf, given, n) == 0;
}

bool identity_origin_ok(const char *origin, const char *fetch_site, const char *host) {
    if (origin != NULL) {
        const char *at = strncmp(origin, "https://", 8) == 0  ? origin + 8
                         : strncmp(origin, "http://", 7) == 0 ? origin + 7
                                                              : NULL;
        return at != NULL && host != NULL && host[0] != '\0' && strcmp(at, host) == 0;
    }
    if (fetch_site == NULL) return true;
    return strcmp(fetch_site, "same-origin") == 0 || strcmp(fetch_site, "none") == 0;
}

/* ---- commands ---- */

enum err_code identity_run(struct identity *id, const struct principal *by, const char *name,
                           const char *purpose,
                           enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                           void *arg, struct err *err) {
    const struct command c = {.name = name,
                              .actor = by == NULL ? "system" : by->name,
                              .purpose = purpose,
                              .apply = apply,
                              .arg = arg};
    return ledger_run(id->ledger, &c, NULL, NULL, err);
}

/* What stands in the table of a session's last use, kept until the command has run. */
struct touch {
    int64_t since_before_us, last_before_us, notice_before_us;
    size_t n;
    struct {
        int64_t id, last_us;
    } row[MAX_TOUCH];
};

static enum err_code flush_apply(struct tx *tx, void *arg, struct err *err) {
    const struct touch *t = arg;
    struct db *db = tx_db(tx);
    const struct cell ledger = cell_int(db_ledger(db));
    for (size_t i = 0; i < t->n; i++) {
        const struct cell p[] = {ledger, cell_int(t->row[i].id), cell_int(t->row[i].last_us)};
        TRY(db_exec(db, stmt_sql(STMT_IDENTITY_SESSION_TOUCH), p, 3, NULL, err));
    }
    const struct cell over[] = {ledger, cell_int(t->since_before_us), cell_int(t->last_before_us)};
    TRY(db_exec(db, stmt_sql(STMT_IDENTITY_SESSIONS_PURGE), over, 3, NULL, err));
    const struct cell old[] = {ledger, cell_int(t->notice_before_us)};
    return db_exec(db, stmt_sql(STMT_IDENTITY_NOTICES_PURGE), old, 2, NULL, err);
}

static void flush_done(void *arg, enum err_code rc, const struct err *err,
                       const struct reply *reply, int64_t seq) {
    (void)rc; /* when it failed the table shows an older last use, until the next minute */
    (void)err;
    (void)reply;
    (void)seq;
    mem_free(arg);
}

static void collect(struct identity *id, struct touch *t) {
    (void)pthread_rwlock_rdlock(&id->lock);
    for (size_t b = 0; b < id->n_buckets && t->n < MAX_TOUCH; b++) {
        for (struct cred *c = id->bucket[b]; c != NULL && t->n < MAX_TOUCH; c = c->next_hash) {
            if (!atomic_exchange(&c->touched, false)) continue;
            t->row[t->n].id = c->id;
            t->row[t->n++].last_us = atomic_load(&c->last_us);
        }
    }
    (void)pthread_rwlock_unlock(&id->lock);
}

void sessions_flush(struct identity *id, int64_t now_us) {
    int64_t last = atomic_load(&id->flushed_us);
    if (now_us - last < MINUTE_US ||
        !atomic_compare_exchange_strong(&id->flushed_us, &last, now_us))
        return;
    struct touch *t = mem_new(1, sizeof *t);
    if (t == NULL) return;
    /* Memory is the newer copy: rows not touched for twice the idle time are over in both. */
    t->since_before_us = now_us - id->absolute_us;
    t->last_before_us = now_us - 2 * id->idle_us;
    t->notice_before_us = now_us - (int64_t)86400 * 1000000 * 180;
    collect(id, t);
    const struct command c = {.name = "session.touch",
                              .actor = "system",
                              .apply = flush_apply,
                              .done = flush_done,
                              .arg = t};
    if (ledger_submit(id->ledger, &c, NULL) != ERR_OK) mem_free(t);
}

/* ---- signing in ---- */

/* What the tries of one sign-in are counted by. */
struct counted {
    char fold[64], address[THROTTLE_KEY], pair[THROTTLE_KEY];
    bool known;
    int64_t now_us;
};

/* A key for name and address together, of bounded length. */
static void pair_key(const char *fold, const char *address, char out[THROTTLE_KEY]) {
    unsigned char h[16];
    crypto_generichash_state st;
    (void)crypto_generichash_init(&st, NULL, 0, sizeof h);
    (void)crypto_generichash_update(&st, (const unsigned char *)fold, strlen(fold) + 1);
    (void)crypto_generichash_update(&st, (const unsigned char *)address, strlen(address) + 1);
    (void)crypto_generichash_final(&st, h, sizeof h);
    (void)sodium_bin2hex(out, THROTTLE_KEY, h, sizeof h);
}

static enum err_code count_try(struct identity *id, const struct counted *k, struct err *err) {
    struct throttle *t = id->throttle;
    TRY(throttle_take(t, RATE_LOGIN_ADDRESS, k->address, k->now_us, err));
    enum err_code rc = k->known ? throttle_take(t, RATE_LOGIN_KNOWN, k->pair, k->now_us, err)
                                : throttle_take(t, RATE_LOGIN_NAME, k->fold, k->now_us, err);
    if (rc == ERR_OK && !k->known) {
        rc = throttle_take(t, RATE_LOGIN_ALL, "", k->now_us, err);
        if (rc != ERR_OK) throttle_undo(t, RATE_LOGIN_NAME, k->fold, k->now_us);
    }
    if (rc != ERR_OK) throttle_undo(t, RATE_LOGIN_ADDRESS, k->address, k->now_us);
    return rc;
}

static void uncount_try(struct identity *id, const struct counted *k, bool proved) {
    struct throttle *t = id->throttle;
    throttle_undo(t, RATE_LOGIN_ADDRESS, k->address, k->now_us);
    if (!k->known) throttle_undo(t, RATE_LOGIN_ALL, "", k->now_us);
    if (proved) {
        (void)throttle_clear(t, RATE_LOGIN_KNOWN, k->pair);
        (void)throttle_clear(t, RATE_LOGIN_NAME, k->fold);
    } else if (k->known) {
        throttle_undo(t, RATE_LOGIN_KNOWN, k->pair, k->now_us);
    } else {
        throttle_undo(t, RATE_LOGIN_NAME, k->fold, k->now_us);
    }
}

struct opening {
    const struct identity *id;
    int64_t account;
    const char *hash; /* the one that was checked */
    char digest[DIGEST_HEX], agent[AGENT], address[THROTTLE_KEY];
};

static enum err_code wrong(struct err *err) {
    return err_fail(err, ERR_UNAUTHORIZED,
                    "the name or the password is wrong, or the account is disabled / "
                    "账号或密码错误，或账号已停用");
}

/* Sessions beyond the most an account may have: the oldest end. */
static enum err_code make_room(struct tx *tx, int64_t account, struct err *err) {
    struct db *db = tx_db(tx);
    struct cursor *c = NULL;
    bool has = false;
    int64_t drop[64], n_drop = 0, n = 0;
    enum err_code rc;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(account), cell_int(64)};
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_SESSIONS_OF), p, 3, &c, err));
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has)
        if (++n >= IDENTITY_MAX_SESSIONS) drop[n_drop++] = cursor_int(c, 0);
    cursor_close(c);
    TRY(rc);
    for (int64_t i = 0; i < n_drop; i++) {
        const struct cell q[] = {cell_int(db_ledger(db)), cell_int(account), cell_int(drop[i])};
        TRY(db_exec(db, stmt_sql(STMT_IDENTITY_SESSION_DROP), q, 3, NULL, err));
    }
    return ERR_OK;
}

static enum err_code open_apply(struct tx *tx, void *arg, struct err *err) {
    static const char image[] = "{\"event\":\"signed in\"}";
    const struct opening *o = arg;
    struct db *db = tx_db(tx);
    struct cursor *c = NULL;
    struct account a;
    bool has = false, same = false;
    /* The account or its password may have changed while the hash was checked. */
    TRY(account_get(db, o->account, &a, err));
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(o->account)};
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_CREDENTIAL), p, 2, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) same = strcmp(cursor_text(c, 0), o->hash) == 0;
    cursor_close(c);
    TRY(rc);
    if (!a.active || !same) return wrong(err);
    TRY(make_room(tx, o->account, err));
    const struct cell row[] = {cell_int(db_ledger(db)), cell_int(secret_row_id()),
                               cell_int(o->account),    cell_text(o->digest),
                               cell_int(tx_now_us(tx)), cell_text(o->agent),
                               cell_text(o->address)};
    TRY(db_exec(db, stmt_sql(STMT_IDENTITY_SESSION_ADD), row, 7, NULL, err));
    return tx_note(tx, "sign_in", o->account, image, sizeof image - 1, err);
}

static enum err_code open_session(struct identity *id, const struct sign_in *in,
                                  const struct principal *who, const char *hash,
                                  char cookie[IDENTITY_COOKIE], struct principal *out,
                                  struct err *err) {
    struct opening o = {.id = id, .account = who->account, .hash = hash};
    unsigned char digest[DIGEST];
    const char *agent = in->agent == NULL ? "" : in->agent;
    size_t n = utf8_clip(agent, strlen(agent), AGENT - 1);
    if (utf8_valid(agent, n)) memcpy(o.agent, agent, n);
    (void)snprintf(o.address, sizeof o.address, "%s", in->remote);
    secret_cookie(cookie);
    digest_of(cookie, digest);
    digest_hex(digest, o.digest);
    TRY(identity_run(id, who, "session.open", NULL, open_apply, &o, err));
    TRY(identity_reload(id, who->account, err));
    TRY(identity_authenticate(id, cookie, NULL, out, err));
    return out->anonymous ? wrong(err) : ERR_OK;
}

enum err_code identity_sign_in(struct identity *id, const struct sign_in *in,
                               char cookie[IDENTITY_COOKIE], struct principal *out,
                               struct err *err) {
    struct counted k = {.now_us = clock_now_us(&id->clock)};
    struct principal who = {.anonymous = true};
    char hash[PASSWORD_HASH];
    bool ok = false, active = false;
    cookie[0] = '\0';
    *out = who;
    account_fold(in->name, k.fold);
    throttle_address(in->remote, k.address);
    pair_key(k.fold, k.address, k.pair);
    (void)pthread_rwlock_rdlock(&id->lock);
    const struct member *m = strlen(in->name) < sizeof k.fold ? member_by_fold(id, k.fold) : NULL;
    if (m != NULL) {
        who.account = m->a.id;
        memcpy(who.name, m->a.name, sizeof who.name);
        active = m->a.active && m->role != NULL;
        for (int i = 0; i < N_KNOWN; i++) k.known = k.known || strcmp(m->known[i], k.address) == 0;
    }
    (void)pthread_rwlock_unlock(&id->lock);
    TRY(count_try(id, &k, err));
    enum err_code rc = strlen(in->password) > PASSWORD_MAX_BYTES
                           ? wrong(err)
                           : credential_hash(id, who.account, hash, err);
    if (rc == ERR_OK) rc = password_verify(id->pool, hash, in->password, &ok, err);
    if (rc == ERR_OK && !(ok && active)) rc = wrong(err);
    if (rc == ERR_UNAUTHORIZED) {
        if (id->log != NULL)
            log_event(id->log, LOG_WARN, "session.refused", LOG_STR("address", k.address));
        return rc;
    }
    uncount_try(id, &k, rc == ERR_OK);
    TRY(rc);
    TRY(open_session(id, in, &who, hash, cookie, out, err));
    (void)pthread_rwlock_wrlock(&id->lock);
    struct member *me = member_by_id(id, who.account);
    if (me != NULL) member_knows(me, k.address);
    (void)pthread_rwlock_unlock(&id->lock);
    return ERR_OK;
}

/* ---- listing and ending ---- */

enum err_code identity_sessions(struct identity *id, int64_t account, struct arena *a,
                                struct session_row **out, size_t *n, struct err *err) {
    struct reader *r = NULL;
    struct cursor *c = NULL;
    bool has = false;
    int64_t now_us = clock_now_us(&id->clock);
    *n = 0;
    *out = ARENA_NEW(a, struct session_row, IDENTITY_MAX_SESSIONS);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "no memory for sessions");
    TRY(ledger_read_begin(id->ledger, &r, err));
    const struct cell p[] = {cell_int(db_ledger(reader_db(r))), cell_int(account),
                             cell_int(IDENTITY_MAX_SESSIONS)};
    enum err_code rc = db_query(reader_db(r), stmt_sql(STMT_IDENTITY_SESSIONS_OF), p, 3, &c, err);
    while (rc == ERR_OK && (rc = cursor_next(c, &has, err)) == ERR_OK && has &&
           *n < IDENTITY_MAX_SESSIONS) {
        unsigned char digest[DIGEST];
        struct session_row row = {
            .id = cursor_int(c, 0), .since_us = cursor_int(c, 2), .last_us = cursor_int(c, 3)};
        (void)sodium_hex2bin(digest, DIGEST, cursor_text(c, 1), DIGEST_HEX - 1, NULL, NULL, NULL);
        (void)pthread_rwlock_rdlock(&id->lock);
        const struct cred *live = cred_find(id, digest);
        bool over = live == NULL || session_is_over(id, live, now_us);
        if (!over) row.last_us = atomic_load(&live->last_us);
        (void)pthread_rwlock_unlock(&id->lock);
        if (over) continue;
        row.agent = arena_strdup(a, cursor_text(c, 4));
        row.address = arena_strdup(a, cursor_text(c, 5));
        if (row.agent == NULL || row.address == NULL)
            rc = err_fail(err, ERR_NOMEM, "no memory for sessions");
        (*out)[(*n)++] = row;
    }
    cursor_close(c);
    ledger_read_end(r);
    return rc;
}

struct ending {
    int64_t account, session;
};

static enum err_code end_apply(struct tx *tx, void *arg, struct err *err) {
    static const char image[] = "{\"event\":\"session ended\"}";
    const struct ending *e = arg;
    int64_t n = 0;
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx))), cell_int(e->account),
                             cell_int(e->session)};
    enum stmt s = e->session == 0 ? STMT_IDENTITY_SESSIONS_DROP : STMT_IDENTITY_SESSION_DROP;
    TRY(db_exec(tx_db(tx), stmt_sql(s), p, 3, &n, err));
    if (n == 0)
        return e->session == 0 ? ERR_OK : err_fail(err, ERR_NOT_FOUND, "there is no such session");
    return tx_note(tx, "sign_in", e->account, image, sizeof image - 1, err);
}

enum err_code identity_session_end(struct identity *id, const struct principal *by, int64_t account,
                                   int64_t session, struct err *err) {
    struct ending e = {account, session};
    if (by->account != account && !principal_may(by, PERM_SESSION_MANAGE))
        return err_fail(err, ERR_FORBIDDEN,
                        "only a security administrator ends sessions of others");
    TRY(identity_run(id, by, "session.end", NULL, end_apply, &e, err));
    return identity_reload(id, account, err);
}

size_t identity_lockouts(struct identity *id, struct throttle_lock *out, size_t max) {
    return throttle_locks(id->throttle, RATE_LOGIN_NAME, clock_now_us(&id->clock), out, max);
}

bool identity_lockout_lift(struct identity *id, const char *name) {
    char fold[64];
    account_fold(name, fold);
    return throttle_clear(id->throttle, RATE_LOGIN_NAME, fold);
}
