/* domain/identity/session.h - the service that knows who is calling: sign-in, sessions, API tokens,
 * passwords, first run. A copy of all accounts, sessions, tokens and posts is held in memory and
 * kept equal to the ledger, so that authenticating costs no query. Of a session or token only the
 * SHA-256 is stored. Any thread, unless said. */
#ifndef DOMAIN_IDENTITY_SESSION_H
#define DOMAIN_IDENTITY_SESSION_H
#include "domain/identity/account.h"
#include "domain/identity/password.h"
#include "domain/identity/throttle.h"

struct identity;
struct identity_options {
    struct clock clock;
    const struct log *log;     /* may be NULL */
    struct throttle *throttle; /* borrowed */
    int64_t idle_s;            /* a session without a request ends; 0: 1,800 */
    int64_t absolute_s;        /* any session ends; 0: 43,200 */
    struct password_options password;
};
/* Check the roles (rights_check_roles), read everything, follow the journal. Ledger and packs are
 * borrowed. *out (NULL before the call) is to be closed, after the ledger, even when this failed.
 */
enum err_code identity_open(struct ledger *l, const struct pack_set *packs,
                            const struct identity_options *o, struct identity **out,
                            struct err *err) NODISCARD;
void identity_close(struct identity *id);
/* Read one account again with its sessions and tokens; to be called when a command that touched it
 * has been committed. */
enum err_code identity_reload(struct identity *id, int64_t account, struct err *err) NODISCARD;

enum {
    IDENTITY_COOKIE = 48,
    IDENTITY_TOKEN = 64,
    IDENTITY_MAX_SESSIONS = 20,
    IDENTITY_MAX_TOKENS = 20
};

/* Who calls. cookie: value of gezhi_session, or NULL; bearer: what follows "Bearer ", or NULL (it
 * wins). An unknown or ended session is a stranger; an unknown token is ERR_UNAUTHORIZED, so that a
 * program notices. Cost: under 5 us, no query, no waiting. */
enum err_code identity_authenticate(struct identity *id, const char *cookie, const char *bearer,
                                    struct principal *out, struct err *err) NODISCARD;
/* Whether the header X-CSRF-Token is the one of this session; constant time. */
bool identity_csrf_equal(const struct principal *p, const char *given);
/* Whether a request that changes something comes from our own page: Origin (when sent) names
 * `host`, else Sec-Fetch-Site (when sent) is same-origin or none. For routes that a stranger may
 * call with a password or token. NULL: header not sent. */
bool identity_origin_ok(const char *origin, const char *fetch_site, const char *host);

struct sign_in {
    const char *name, *password;
    const char *remote, *agent; /* client address; User-Agent or NULL */
};
/* Counts failures by name, by address and in all; addresses the account has come from have a count
 * of their own, so that a flood of wrong passwords elsewhere does not lock its owner out. Errors:
 * ERR_UNAUTHORIZED (one text for an unknown name, a wrong password and a disabled account),
 * ERR_TOO_MANY. Waits for the password pool. */
enum err_code identity_sign_in(struct identity *id, const struct sign_in *in,
                               char cookie[IDENTITY_COOKIE], struct principal *out,
                               struct err *err) NODISCARD;

/* Check a password that somebody sets for an account (password_check) and hash it. */
enum err_code identity_hash(struct identity *id, const char *name, const char *password,
                            const char *pointer, char hash[PASSWORD_HASH],
                            struct err *err) NODISCARD;

struct session_row {
    int64_t id, since_us, last_us;
    const char *agent, *address;
};
enum err_code identity_sessions(struct identity *id, int64_t account, struct arena *a,
                                struct session_row **out, size_t *n, struct err *err) NODISCARD;
/* End one session of an account (session 0: all of them). `by` the account itself, or one who
 * manages sessions. ERR_NOT_FOUND. */
enum err_code identity_session_end(struct identity *id, const struct principal *by, int64_t account,
                                   int64_t session, struct err *err) NODISCARD;

/* ERR_INVALID (/old wrong, /new against the rules), ERR_TOO_MANY. Other sessions of the account
 * end. */
enum err_code identity_password_change(struct identity *id, const struct principal *p,
                                       const char *old, const char *new_,
                                       struct err *err) NODISCARD;
/* A one-time token for 24 hours, shown once. */
enum err_code identity_reset_make(struct identity *id, const struct principal *by, const char *name,
                                  char token[IDENTITY_TOKEN], int64_t *until_us,
                                  struct err *err) NODISCARD;
/* ERR_UNAUTHORIZED (no such token any more), ERR_INVALID (/new), ERR_TOO_MANY. */
enum err_code identity_reset_use(struct identity *id, const char *token, const char *new_,
                                 const char *remote, struct err *err) NODISCARD;

struct token_row {
    int64_t id, since_us, until_us; /* until_us 0: no end */
    const char *name;
};
/* An API token "gz_<base32>" with the account's own rights; until_us 0: no end. ERR_LIMIT
 * beyond 20. */
enum err_code identity_token_add(struct identity *id, const struct principal *p, const char *name,
                                 int64_t until_us, char token[IDENTITY_TOKEN], int64_t *token_id,
                                 struct err *err) NODISCARD;
enum err_code identity_tokens(struct identity *id, int64_t account, struct arena *a,
                              struct token_row **out, size_t *n, struct err *err) NODISCARD;
enum err_code identity_token_drop(struct identity *id, const struct principal *p, int64_t token_id,
                                  struct err *err) NODISCARD;

/* First run: when there is no account, a one-time token that `serve` prints; else "". A new one at
 * each call. */
enum err_code identity_setup_token(struct identity *id, char token[IDENTITY_TOKEN],
                                   struct err *err) NODISCARD;
/* Make the first account, of the role that manages accounts. ERR_UNAUTHORIZED, ERR_CONFLICT (there
 * is an account), ERR_INVALID, ERR_TOO_MANY. */
enum err_code identity_setup(struct identity *id, const char *token, const char *name,
                             const char *password, struct account *out, struct err *err) NODISCARD;

/* Names that must wait because of wrong passwords, and lifting that; for who manages sessions. */
size_t identity_lockouts(struct identity *id, struct throttle_lock *out, size_t max);
bool identity_lockout_lift(struct identity *id, const char *name);

/* The command line, see `gezhi user --help`: add, token, list, reset. Opens the folder itself.
 * Returns the exit code. */
int identity_cmd_user(int argc, char **argv);
#endif
