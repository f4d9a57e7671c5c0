/* Idempotency keys: the table holds SHA-256(actor, key), the body's hash, an expiry and the reply
 * sealed with crypto_secretbox under a key derived from the idempotency key itself, so that the
 * database alone opens no reply (a reply may hold a follow word). */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/inside.h"
#include "store/statements.h"

static void derive(const char *label, const char *actor, const char *key, unsigned char out[32]) {
    crypto_hash_sha256_state s;
    (void)crypto_hash_sha256_init(&s);
    (void)crypto_hash_sha256_update(&s, (const unsigned char *)label, strlen(label) + 1);
    (void)crypto_hash_sha256_update(&s, (const unsigned char *)actor, strlen(actor) + 1);
    (void)crypto_hash_sha256_update(&s, (const unsigned char *)key, strlen(key));
    (void)crypto_hash_sha256_final(&s, out);
}

void idem_key_hash(const char *actor, const char *key, unsigned char out[32]) {
    derive("gezhi idempotency key", actor, key, out);
}

enum { NONCE = crypto_secretbox_NONCEBYTES, MAC = crypto_secretbox_MACBYTES };
struct fixed {
    int32_t status;
    char location[sizeof((struct reply *)0)->location];
    char etag[sizeof((struct reply *)0)->etag];
};

static enum err_code unseal(struct job *j, const unsigned char *p, size_t n, struct err *err) {
    unsigned char key[32];
    struct fixed f;
    if (n < NONCE + MAC + sizeof f) return err_fail(err, ERR_CORRUPT, "a stored reply is damaged");
    size_t n_plain = n - NONCE - MAC;
    unsigned char *plain = mem_new(n_plain, 1);
    if (plain == NULL) return err_fail(err, ERR_NOMEM, "no memory for a stored reply");
    derive("gezhi idempotency seal", j->c.actor, j->c.idem_key, key);
    enum err_code rc = ERR_OK;
    if (crypto_secretbox_open_easy(plain, p + NONCE, n - NONCE, p, key) != 0)
        rc = err_fail(err, ERR_CORRUPT, "a stored reply is damaged");
    if (rc == ERR_OK) {
        memcpy(&f, plain, sizeof f);
        f.location[sizeof f.location - 1] = '\0';
        f.etag[sizeof f.etag - 1] = '\0';
        j->reply.status = f.status;
        memcpy(j->reply.location, f.location, sizeof f.location);
        memcpy(j->reply.etag, f.etag, sizeof f.etag);
        buf_add(&j->reply.body, plain + sizeof f, n_plain - sizeof f);
        rc = buf_check(&j->reply.body, err);
    }
    sodium_memzero(key, sizeof key);
    mem_free(plain);
    return rc;
}

enum err_code idem_find(struct ledger *l, struct job *j, int64_t now_us, bool *found,
                        struct err *err) {
    struct cell p[2] = {cell_int(l->id), cell_blob(j->key_hash, sizeof j->key_hash)};
    struct cursor *c = NULL;
    *found = false;
    TRY(db_query(l->w, stmt_sql(STMT_IDEM_GET), p, 2, &c, err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has && cursor_int(c, 1) > now_us) {
        size_t n;
        const void *hash = cursor_blob(c, 0, &n);
        *found = true;
        if (n != sizeof j->c.idem_hash || memcmp(hash, j->c.idem_hash, n) != 0) {
            rc = err_fail(err, ERR_INVALID, "this Idempotency-Key was used for another request");
        } else {
            const void *sealed = cursor_blob(c, 2, &n);
            rc = unseal(j, sealed, n, err);
        }
    }
    cursor_close(c);
    return rc;
}

enum err_code idem_keep(struct ledger *l, struct job *j, int64_t now_us, struct err *err) {
    struct fixed f = {.status = j->reply.status};
    memcpy(f.location, j->reply.location, sizeof f.location);
    memcpy(f.etag, j->reply.etag, sizeof f.etag);
    TRY(buf_check(&j->reply.body, err));
    size_t n_plain = sizeof f + j->reply.body.n, n = NONCE + MAC + n_plain;
    unsigned char key[32];
    unsigned char *sealed = arena_alloc(j->arena, n, 1), *plain = arena_alloc(j->arena, n_plain, 1);
    if (sealed == NULL || plain == NULL)
        return err_fail(err, ERR_NOMEM, "no memory to keep a reply");
    memcpy(plain, &f, sizeof f);
    if (j->reply.body.n > 0) memcpy(plain + sizeof f, j->reply.body.p, j->reply.body.n);
    derive("gezhi idempotency seal", j->c.actor, j->c.idem_key, key);
    randombytes_buf(sealed, NONCE);
    (void)crypto_secretbox_easy(sealed + NONCE, plain, n_plain, sealed, key);
    sodium_memzero(key, sizeof key);
    sodium_memzero(plain, n_plain);
    struct cell p[5] = {cell_int(l->id), cell_blob(j->key_hash, sizeof j->key_hash),
                        cell_blob(j->c.idem_hash, sizeof j->c.idem_hash),
                        cell_int(now_us + IDEM_KEEP_US), cell_blob(sealed, n)};
    TRY(db_exec(l->w, stmt_sql(STMT_IDEM_SET), p, 5, NULL, err));
    /* Each kept reply pays for the removal of two expired ones: the table shrinks in small steps,
     * never in one long delete. */
    struct cell q[3] = {cell_int(l->id), cell_int(now_us), cell_int(2)};
    return db_exec(l->w, stmt_sql(STMT_IDEM_PURGE), q, 3, NULL, err);
}
