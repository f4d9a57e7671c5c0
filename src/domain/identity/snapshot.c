#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "domain/identity/inside.h"
#include "domain/identity/rights.h"
#include "store/statements.h"
#include "store/tables.h"

enum { PAGE = 256, MAX_CREDS_OF = 64 };

/* ---- looking up, under the lock ---- */

static size_t member_place(const struct identity *id, int64_t account) {
    size_t lo = 0, hi = id->n_members;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (id->members[mid]->a.id < account)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct member *member_by_id(const struct identity *id, int64_t account) {
    size_t i = member_place(id, account);
    return i < id->n_members && id->members[i]->a.id == account ? id->members[i] : NULL;
}

struct member *member_by_fold(const struct identity *id, const char *fold) {
    for (size_t i = 0; i < id->n_members; i++)
        if (strcmp(id->members[i]->fold, fold) == 0) return id->members[i];
    return NULL;
}

static size_t bucket_of(const struct identity *id, const unsigned char digest[DIGEST]) {
    uint64_t h = 0;
    memcpy(&h, digest,
           sizeof h); /* a SHA-256 of 256 secret bits: spread well, and nobody can choose it */
    return (size_t)(h & (id->n_buckets - 1));
}

struct cred *cred_find(const struct identity *id, const unsigned char digest[DIGEST]) {
    struct cred *c = id->bucket[bucket_of(id, digest)];
    while (c != NULL && sodium_memcmp(c->digest, digest, DIGEST) != 0) c = c->next_hash;
    return c;
}

/* ---- changing, under the write lock ---- */

static void cred_unhash(struct identity *id, const struct cred *c) {
    struct cred **at = &id->bucket[bucket_of(id, c->digest)];
    while (*at != c) at = &(*at)->next_hash;
    *at = c->next_hash;
    id->n_creds--;
}

static void cred_hash(struct identity *id, struct cred *c) {
    struct cred **at = &id->bucket[bucket_of(id, c->digest)];
    c->next_hash = *at;
    *at = c;
    id->n_creds++;
}

/* Without memory the lists only grow longer. */
static void grow_buckets(struct identity *id) {
    if (id->n_creds < id->n_buckets) return;
    size_t old_n = id->n_buckets;
    struct cred **old = id->bucket, **bigger = mem_new(old_n * 4, sizeof *bigger);
    if (bigger == NULL) return;
    id->bucket = bigger;
    id->n_buckets = old_n * 4;
    id->n_creds = 0;
    for (size_t i = 0; i < old_n; i++) {
        for (struct cred *c = old[i], *next = NULL; c != NULL; c = next) {
            next = c->next_hash;
            cred_hash(id, c);
        }
    }
    mem_free(old);
}

static void free_list(struct cred *c) {
    while (c != NULL) {
        struct cred *next = c->next_of;
        mem_free(c);
        c = next;
    }
}

static struct cred *drop_creds(struct identity *id, struct member *m) {
    struct cred *old = m->creds;
    for (const struct cred *c = old; c != NULL; c = c->next_of) cred_unhash(id, c);
    m->creds = NULL;
    return old;
}

void member_knows(struct member *m, const char *address) {
    int at = 0;
    while (at < N_KNOWN - 1 && strcmp(m->known[at], address) != 0) at++;
    for (; at > 0; at--) memcpy(m->known[at], m->known[at - 1], sizeof m->known[at]);
    (void)snprintf(m->known[0], sizeof m->known[0], "%s", address);
}

/* ---- reading the ledger ---- */

/* What was read of one account, before it is put in. */
struct fresh {
    struct member m;
    char address[N_KNOWN][THROTTLE_KEY];
    size_t n_address;
};

static struct cred *cred_new(struct fresh *f, const char *hex, struct err *err) {
    size_t n = 0;
    struct cred *c = mem_new(1, sizeof *c);
    if (c == NULL) {
        (void)err_fail(err, ERR_NOMEM, "no memory for a session");
        return NULL;
    }
    if (sodium_hex2bin(c->digest, DIGEST, hex, strlen(hex), NULL, &n, NULL) != 0 || n != DIGEST) {
        mem_free(c);
        (void)err_fail(err, ERR_CORRUPT, "a stored session hash is damaged");
        return NULL;
    }
    c->next_of = f->m.creds;
    f->m.creds = c;
    return c;
}

static enum err_code read_sessions(struct db *db, struct fresh *f, struct err *err) {
    struct cursor *cur = NULL;
    bool has = false;
    enum err_code rc;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(f->m.a.id), cell_int(MAX_CREDS_OF)};
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_SESSIONS_OF), p, 3, &cur, err));
    while ((rc = cursor_next(cur, &has, err)) == ERR_OK && has) {
        struct cred *c = cred_new(f, cursor_text(cur, 1), err);
        if (c == NULL) {
            rc = ERR_NOMEM;
            break;
        }
        c->id = cursor_int(cur, 0);
        c->since_us = cursor_int(cur, 2);
        atomic_store(&c->last_us, cursor_int(cur, 3));
        if (f->n_address < N_KNOWN)
            throttle_address(cursor_text(cur, 5), f->address[f->n_address++]);
    }
    cursor_close(cur);
    return rc;
}

static enum err_code read_tokens(struct db *db, struct fresh *f, struct err *err) {
    struct cursor *cur = NULL;
    bool has = false;
    enum err_code rc;
    const struct cell p[] = {cell_int(db_ledger(db)), cell_int(f->m.a.id), cell_int(MAX_CREDS_OF)};
    TRY(db_query(db, stmt_sql(STMT_IDENTITY_TOKENS_OF), p, 3, &cur, err));
    while ((rc = cursor_next(cur, &has, err)) == ERR_OK && has) {
        struct cred *c = cred_new(f, cursor_text(cur, 1), err);
        if (c == NULL) {
            rc = ERR_NOMEM;
            break;
        }
        c->is_token = true;
        c->id = cursor_int(cur, 0);
        c->since_us = cursor_int(cur, 3);
        c->until_us = cursor_int(cur, 4);
    }
    cursor_close(cur);
    return rc;
}

static int level_of_text(const char *text) {
    static const char *const names[] = {"province", "city", "county", "town", "community"};
    for (int i = 0; i < 5; i++)
        if (strcmp(text, names[i]) == 0) return i;
    return -1;
}

/* The level of an area of pack city: a number or a level's name. */
static enum err_code read_area_level(struct db *db, const struct pack_set *packs, const char *code,
                                     int *out, struct err *err) {
    const struct type_def *t = pack_type(packs, "area");
    int col_code = t == NULL ? -1 : type_field(t, "code"),
        col_level = t == NULL ? -1 : type_field(t, "level");
    bool has = false;
    *out = code[0] == '\0' ? 0 : -1;
    if (code[0] == '\0' || col_code < 0 || col_level < 0) return ERR_OK;
    struct arena *a = arena_new((size_t)1 << 20);
    struct sql s;
    struct cursor *c = NULL;
    if (a == NULL) return err_fail(err, ERR_NOMEM, "no memory for a query");
    enum err_code rc = sql_begin(&s, a, err);
    if (rc == ERR_OK) {
        sql_add(&s, "SELECT ");
        sql_column(&s, &t->table, col_level, NULL);
        sql_add(&s, " FROM ");
        sql_table(&s, &t->table);
        sql_add(&s, " WHERE ledger = ");
        (void)sql_value(&s, cell_int(db_ledger(db)));
        sql_add(&s, " AND ");
        sql_column(&s, &t->table, col_code, NULL);
        sql_add(&s, " = ");
        (void)sql_value(&s, cell_text(code));
        rc = sql_query(&s, db, &c, err);
    }
    if (rc == ERR_OK) rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has)
        *out = t->table.cols[col_level].type == COL_INT ? (int)cursor_int(c, 0)
                                                        : level_of_text(cursor_text(c, 0));
    cursor_close(c);
    arena_free(a);
    return rc;
}

static enum err_code read_fresh(struct identity *id, struct db *db, const struct account *a,
                                struct fresh *f, struct err *err) {
    *f = (struct fresh){.m = {.a = *a}};
    account_fold(a->name, f->m.fold);
    f->m.role = pack_role(id->packs, a->role);
    f->m.grants = rights_grants(f->m.role);
    enum err_code rc = read_area_level(db, id->packs, a->area, &f->m.area_level, err);
    if (rc == ERR_OK) rc = read_sessions(db, f, err);
    if (rc == ERR_OK) rc = read_tokens(db, f, err);
    if (rc != ERR_OK) free_list(f->m.creds);
    return rc;
}

/* The member with this id, made when it is new. */
static struct member *member_make(struct identity *id, int64_t account) {
    size_t at = member_place(id, account);
    if (at < id->n_members && id->members[at]->a.id == account) return id->members[at];
    if (id->n_members == id->cap_members) {
        size_t cap = id->cap_members == 0 ? 64 : id->cap_members * 2;
        struct member **bigger = mem_resize(id->members, cap, sizeof *bigger);
        if (bigger == NULL) return NULL;
        id->members = bigger;
        id->cap_members = cap;
    }
    struct member *m = mem_new(1, sizeof *m);
    if (m == NULL) return NULL;
    m->a.id = account;
    memmove(&id->members[at + 1], &id->members[at], (id->n_members - at) * sizeof *id->members);
    id->members[at] = m;
    id->n_members++;
    return m;
}

/* Swap what was read for what stood there. A session's last use in memory may be newer than the
 * stored one. */
static enum err_code put_in(struct identity *id, struct fresh *f, struct err *err) {
    (void)pthread_rwlock_wrlock(&id->lock);
    struct member *m = member_make(id, f->m.a.id);
    if (m == NULL) {
        (void)pthread_rwlock_unlock(&id->lock);
        free_list(f->m.creds);
        return err_fail(err, ERR_NOMEM, "no memory for an account");
    }
    for (struct cred *c = f->m.creds; c != NULL; c = c->next_of) {
        const struct cred *old = cred_find(id, c->digest);
        if (old != NULL && atomic_load(&old->last_us) > atomic_load(&c->last_us)) {
            atomic_store(&c->last_us, atomic_load(&old->last_us));
            atomic_store(&c->touched, true);
        }
    }
    struct cred *gone = drop_creds(id, m);
    memcpy(f->m.known, m->known, sizeof m->known);
    *m = f->m;
    for (struct cred *c = m->creds; c != NULL; c = c->next_of) {
        c->owner = m;
        cred_hash(id, c);
    }
    for (size_t i = f->n_address; i > 0; i--) member_knows(m, f->address[i - 1]);
    grow_buckets(id);
    (void)pthread_rwlock_unlock(&id->lock);
    free_list(gone);
    return ERR_OK;
}

static enum err_code reload_from(struct identity *id, struct db *db, int64_t account,
                                 struct err *err) {
    struct account a;
    struct fresh f;
    enum err_code rc = account_get(db, account, &a, err);
    if (rc == ERR_NOT_FOUND) return ERR_OK; /* its command was undone; accounts are never deleted */
    TRY(rc);
    TRY(read_fresh(id, db, &a, &f, err));
    return put_in(id, &f, err);
}

enum err_code identity_reload(struct identity *id, int64_t account, struct err *err) {
    struct reader *r = NULL;
    (void)pthread_mutex_lock(&id->refresh);
    enum err_code rc = ledger_read_begin(id->ledger, &r, err);
    if (rc == ERR_OK) {
        rc = reload_from(id, reader_db(r), account, err);
        ledger_read_end(r);
    }
    (void)pthread_mutex_unlock(&id->refresh);
    return rc;
}

/* ---- who calls ---- */

bool session_is_over(const struct identity *id, const struct cred *c, int64_t now_us) {
    if (c->is_token) return c->until_us != 0 && now_us >= c->until_us;
    return now_us - c->since_us >= id->absolute_us ||
           now_us - atomic_load(&c->last_us) >= id->idle_us;
}

static void fill_cells(const struct identity *id, const char *fold, int64_t now_us,
                       struct principal *out) {
    size_t lo = 0, hi = id->n_holdings;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(id->holdings[mid].fold, fold) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < id->n_holdings && strcmp(id->holdings[lo].fold, fold) == 0 &&
           out->n_cells < PRINCIPAL_MAX_CELLS;
         lo++)
        if (now_us < id->holdings[lo].until_us)
            memcpy(out->cells[out->n_cells++], id->holdings[lo].cell, sizeof out->cells[0]);
}

static void fill_csrf(const struct identity *id, const struct cred *c, struct principal *out) {
    static const char label[] = "gezhi csrf 1";
    unsigned char h[32];
    crypto_generichash_state st;
    (void)crypto_generichash_init(&st, ledger_secret(id->ledger), 32, sizeof h);
    (void)crypto_generichash_update(&st, (const unsigned char *)label, sizeof label);
    (void)crypto_generichash_update(&st, c->digest, DIGEST);
    (void)crypto_generichash_final(&st, h, sizeof h);
    (void)sodium_bin2base64(out->csrf, sizeof out->csrf, h, sizeof h,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void principal_fill(const struct identity *id, const struct member *m, const struct cred *c,
                    int64_t now_us, struct principal *out) {
    *out = (struct principal){.account = m->a.id,
                              .role = m->role,
                              .grants = m->grants,
                              .area_level = m->area_level,
                              .must_change = m->a.must_change};
    memcpy(out->name, m->a.name, sizeof out->name);
    memcpy(out->display, m->a.display, sizeof out->display);
    memcpy(out->area, m->a.area, sizeof out->area);
    memcpy(out->unit, m->a.unit, sizeof out->unit);
    fill_cells(id, m->fold, now_us, out);
    if (c->is_token) return;
    out->session = c->id;
    fill_csrf(id, c, out);
}

/* ---- opening and closing ---- */

static enum err_code read_all(struct identity *id, struct db *db, struct err *err) {
    struct account *page = mem_new(PAGE, sizeof *page);
    size_t n = PAGE;
    int64_t after = 0;
    enum err_code rc = page == NULL ? err_fail(err, ERR_NOMEM, "no memory for accounts") : ERR_OK;
    while (rc == ERR_OK && n == PAGE) {
        rc = account_list(db, after, PAGE, page, &n, err);
        for (size_t i = 0; rc == ERR_OK && i < n; i++) {
            struct fresh f;
            after = page[i].id;
            rc = read_fresh(id, db, &page[i], &f, err);
            if (rc == ERR_OK) rc = put_in(id, &f, err);
        }
    }
    mem_free(page);
    return rc == ERR_OK ? posts_from(id, db, err) : rc;
}

/* On the follower's thread: what others' commands changed. */
static void seen(const struct jrow *rows, size_t n, void *ctx) {
    struct identity *id = ctx;
    bool posts = false;
    struct err err = {0};
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < n; i++) {
        posts = posts || strcmp(rows[i].type, "post") == 0 || strcmp(rows[i].type, "cell") == 0;
        if (strcmp(rows[i].type, "account") == 0 && rc == ERR_OK)
            rc = identity_reload(id, rows[i].id, &err);
    }
    if (posts && rc == ERR_OK) rc = posts_reload(id, &err);
    if (rc != ERR_OK && id->log != NULL)
        log_event(id->log, LOG_ERROR, "identity.reload", LOG_STR("detail", err.detail));
}

static enum err_code start(struct identity *id, const struct identity_options *o, struct err *err) {
    struct reader *r = NULL;
    id->n_buckets = 1024;
    id->bucket = mem_new(id->n_buckets, sizeof *id->bucket);
    if (id->bucket == NULL) return err_fail(err, ERR_NOMEM, "no memory for sessions");
    TRY(password_pool_new(&o->password, &id->pool, err));
    const struct follower f = {.name = "identity", .seen = seen, .from_seq = -1, .ctx = id};
    TRY(ledger_follow(id->ledger, &f, err)); /* before reading, so that nothing falls between */
    (void)pthread_mutex_lock(&id->refresh);
    enum err_code rc = ledger_read_begin(id->ledger, &r, err);
    if (rc == ERR_OK) {
        rc = read_all(id, reader_db(r), err);
        ledger_read_end(r);
    }
    (void)pthread_mutex_unlock(&id->refresh);
    return rc;
}

enum err_code identity_open(struct ledger *l, const struct pack_set *packs,
                            const struct identity_options *o, struct identity **out,
                            struct err *err) {
    TRY(rights_check_roles(packs, err));
    struct identity *id = mem_new(1, sizeof *id);
    if (id == NULL) return err_fail(err, ERR_NOMEM, "no memory for accounts");
    id->ledger = l;
    id->packs = packs;
    id->clock = o->clock;
    id->log = o->log;
    id->throttle = o->throttle;
    id->idle_us = (o->idle_s == 0 ? 1800 : o->idle_s) * 1000000;
    id->absolute_us = (o->absolute_s == 0 ? 43200 : o->absolute_s) * 1000000;
    (void)pthread_mutex_init(&id->refresh, NULL);
    (void)pthread_rwlock_init(&id->lock, NULL);
    *out = id; /* also when it fails below: the follower may hold the pointer until the ledger is
                  closed */
    return start(id, o, err);
}

void identity_close(struct identity *id) {
    if (id == NULL) return;
    for (size_t i = 0; i < id->n_members; i++) {
        free_list(id->members[i]->creds);
        mem_free(id->members[i]);
    }
    mem_free(id->members);
    mem_free(id->bucket);
    mem_free(id->holdings);
    password_pool_free(id->pool);
    (void)pthread_rwlock_destroy(&id->lock);
    (void)pthread_mutex_destroy(&id->refresh);
    mem_free(id);
}
