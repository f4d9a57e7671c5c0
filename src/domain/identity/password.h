/* domain/identity/password.h - Argon2id hashes made and checked on a few threads of their own, so
 * that a flood of sign-ins takes neither all memory nor all cores. The caller waits; beyond the
 * queue it is told to try later. Sources: RFC 9106 (Argon2id); limits are libsodium's "moderate"
 * unless set. */
#ifndef DOMAIN_IDENTITY_PASSWORD_H
#define DOMAIN_IDENTITY_PASSWORD_H
#include "base/err.h"

enum {
    PASSWORD_MIN_CHARS = 10,
    PASSWORD_MAX_BYTES = 1024,
    PASSWORD_HASH = 128 /* crypto_pwhash_STRBYTES */
};

struct password_options {
    unsigned threads;    /* 0: 2 */
    size_t queue;        /* calls that may wait beside those being worked on; 0: 4 */
    size_t memory_bytes; /* of one hash; 0: 256 MiB; at least 8 KiB */
    unsigned ops;        /* passes; 0: 3 */
};
struct password_pool;
/* ERR_NOMEM, ERR_INVALID (limits outside what Argon2id takes). */
enum err_code password_pool_new(const struct password_options *o, struct password_pool **out,
                                struct err *err) NODISCARD;
/* Nobody may be waiting any more. NULL is legal. */
void password_pool_free(struct password_pool *p);

/* Hash a password (UTF-8, any bytes) into out. ERR_TOO_MANY when the queue is full, ERR_NOMEM. Any
 * thread; waits. */
enum err_code password_hash(struct password_pool *p, const char *password, char out[PASSWORD_HASH],
                            struct err *err) NODISCARD;
/* Compare in constant time. hash NULL or "": the same work is done for nothing and *ok is false, so
 * that an unknown name answers like a wrong password. */
enum err_code password_verify(struct password_pool *p, const char *hash, const char *password,
                              bool *ok, struct err *err) NODISCARD;

/* The house rule: at least 10 characters, at most 1024 bytes, not the account's name (letter case
 * and blanks aside), not one character over and over. ERR_INVALID with the pointer. */
enum err_code password_check(const char *name, const char *password, const char *pointer,
                             struct err *err) NODISCARD;
#endif
