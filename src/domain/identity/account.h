/* domain/identity/account.h - accounts as ledger rows, and the hashes beside them. Functions with a
 * struct tx run inside a command; whoever ran it then calls identity_reload (session.h), so that
 * the change holds at once. */
#ifndef DOMAIN_IDENTITY_ACCOUNT_H
#define DOMAIN_IDENTITY_ACCOUNT_H
#include "domain/identity/identity.h"

struct account {
    int64_t id, version;
    char name[64], display[96], role[64], area[40], unit[CODE_SIZE]; /* area, unit: "" = none */
    bool active, must_change;
};
struct account_in {
    const char *name; /* 2..63 of a-z A-Z 0-9 . _ - @, begins with a letter or digit; unique without
                         regard to case */
    const char *display;     /* at most 95 bytes; NULL or "": the name */
    const char *role;        /* of a pack */
    const char *area, *unit; /* codes that exist, or NULL */
    bool must_change;
};
/* A new account without a password (account_set_password or a reset token gives it one). `by` is
 * NULL on the command line and at first run. Security administrators get a notice. Errors:
 * ERR_INVALID with /name, /role, /area, /unit, /display; ERR_CONFLICT the name is taken;
 * ERR_FORBIDDEN. */
enum err_code account_add(struct tx *tx, const struct pack_set *packs, const struct principal *by,
                          const struct account_in *in, struct account *out,
                          struct err *err) NODISCARD;
struct account_change {
    const char *display, *role, *area, *unit; /* NULL: as it is; area, unit "": none */
    const char *state;                        /* "active", "disabled" or NULL */
};
/* Change an account. expect: version the caller saw, or -1. A changed role or a disabled account
 * loses its sessions and API tokens in the same command. Nobody changes his own role, area, unit or
 * state; the last active account that manages accounts stays. Security administrators get a notice
 * of a changed role. Errors as account_add; ERR_NOT_FOUND, ERR_STALE. */
enum err_code account_change(struct tx *tx, const struct pack_set *packs,
                             const struct principal *by, const char *name, int64_t expect,
                             const struct account_change *change, struct account *out,
                             struct err *err) NODISCARD;
/* Set the password's hash, journal that it was set, drop a reset token and all sessions but `keep`
 * (0: all). */
enum err_code account_set_password(struct tx *tx, int64_t id, const char *hash, bool must_change,
                                   int64_t keep, struct err *err) NODISCARD;
/* Store the hash of a reset token (64 hex digits). Passwords of those who administer security and
 * audit are reset on the command line only (by NULL), so that a system administrator cannot step
 * into their place: ERR_FORBIDDEN. */
enum err_code account_set_reset(struct tx *tx, const struct pack_set *packs,
                                const struct principal *by, const char *name,
                                const char *token_hash, int64_t until_us, struct account *out,
                                struct err *err) NODISCARD;

/* Reading. ERR_NOT_FOUND. Name without regard to case. */
enum err_code account_find(struct db *db, const char *name, struct account *out,
                           struct err *err) NODISCARD;
enum err_code account_get(struct db *db, int64_t id, struct account *out,
                          struct err *err) NODISCARD;
/* In order of id, after an id, at most max. */
enum err_code account_list(struct db *db, int64_t after, size_t max, struct account *out, size_t *n,
                           struct err *err) NODISCARD;
/* The form by which a name is unique: small letters. */
void account_fold(const char *name, char out[64]);
#endif
