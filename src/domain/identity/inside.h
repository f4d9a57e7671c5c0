/* domain/identity/inside.h - the copy in memory behind session.h; for the files of this folder
 * only. */
#ifndef DOMAIN_IDENTITY_INSIDE_H
#define DOMAIN_IDENTITY_INSIDE_H
#include <pthread.h>
#include <stdatomic.h>

#include "domain/identity/session.h"

enum { DIGEST = 32, DIGEST_HEX = 65, N_KNOWN = 4 };

/* A session or an API token. In the hash list of its digest and in the list of its owner. */
struct cred {
    struct cred *next_hash, *next_of;
    struct member *owner;
    unsigned char digest[DIGEST];
    bool is_token;
    int64_t id, since_us, until_us; /* until_us: of a token, 0 = no end */
    _Atomic int64_t last_us; /* of a session: newer here than in the table for up to a minute */
    atomic_bool touched;     /* last_us is not stored yet */
};
/* An account as the requests see it. Never moves, freed at close. */
struct member {
    struct account a;
    char fold[64];
    const struct role_def
        *role; /* NULL: the role is in no pack (any more); nothing is granted then */
    uint64_t grants;
    int area_level; /* -1: the area does not exist */
    struct cred *creds;
    char known[N_KNOWN][THROTTLE_KEY]; /* addresses it has signed in from, newest first */
};
/* One cell that one account holds or covers, sorted by fold. */
struct holding {
    char fold[64];
    char cell[40];
    int64_t until_us; /* cover ends; INT64_MAX for the holder */
};

struct identity {
    struct ledger *ledger;
    const struct pack_set *packs;
    struct clock clock;
    const struct log *log;
    struct throttle *throttle;
    struct password_pool *pool;
    int64_t idle_us, absolute_us;

    pthread_mutex_t
        refresh; /* one reader of the ledger at a time, so that the newest state is put in last */
    pthread_rwlock_t lock;   /* guards all below; taken inside refresh, never the other way round */
    struct member **members; /* sorted by id */
    size_t n_members, cap_members;
    struct cred **bucket; /* n_buckets is a power of two */
    size_t n_buckets, n_creds;
    struct holding *holdings;
    size_t n_holdings;

    _Atomic int64_t flushed_us; /* when last_us values were stored last */
    unsigned char setup_digest[DIGEST];
    atomic_bool has_setup;
};

/* ---- secrets.c ---- */
void digest_of(const char *text, unsigned char out[DIGEST]);
void digest_hex(const unsigned char digest[DIGEST], char out[DIGEST_HEX]);
/* 256 random bits: base64url (43 characters) for cookies, base32 (52) for what people copy. */
void secret_cookie(char out[IDENTITY_COOKIE]);
void secret_token(const char *prefix, char out[IDENTITY_TOKEN]);
/* A positive 53-bit number that tells nothing and is not used again. */
int64_t secret_row_id(void);

/* ---- credential.c ---- */
/* The account's password hash; "" when there is none (the same query runs in any case). */
enum err_code credential_hash(struct identity *id, int64_t account, char hash[PASSWORD_HASH],
                              struct err *err) NODISCARD;

/* ---- snapshot.c ---- */
/* Under lock. */
struct member *member_by_id(const struct identity *id, int64_t account);
struct member *member_by_fold(const struct identity *id, const char *fold);
struct cred *cred_find(const struct identity *id, const unsigned char digest[DIGEST]);
/* ---- posts.c ---- */
/* Read again who holds or covers which cell; under refresh, not under lock. */
enum err_code posts_from(struct identity *id, struct db *db, struct err *err) NODISCARD;
enum err_code posts_reload(struct identity *id, struct err *err) NODISCARD;
bool session_is_over(const struct identity *id, const struct cred *c, int64_t now_us);
void principal_fill(const struct identity *id, const struct member *m, const struct cred *c,
                    int64_t now_us, struct principal *out);
void member_knows(struct member *m, const char *address);

/* A command by somebody, waited for; by NULL: "system". */
enum err_code identity_run(struct identity *id, const struct principal *by, const char *name,
                           const char *purpose,
                           enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                           void *arg, struct err *err) NODISCARD;
/* Store the last use of sessions and drop what has ended, at most once a minute; never waits. */
void sessions_flush(struct identity *id, int64_t now_us);
#endif
