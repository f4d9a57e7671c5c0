/* domain/identity/identity.h - who acts: accounts, roles, scopes, sessions, API tokens, throttling.
 * Accounts are ledger rows; password hashes, sessions and tokens are operational (never journalled,
 * never in a proof). A snapshot of accounts, sessions and tokens is kept in memory, so that
 * authenticating costs no query. */
#ifndef DOMAIN_IDENTITY_IDENTITY_H
#define DOMAIN_IDENTITY_IDENTITY_H
#include "domain/pack/pack.h"
#include "store/ledger.h"

enum permission {
#define X(name, text, en, zh) PERM_##name,
#include "../../../decl/permissions.def"
#undef X
    PERM_N
};

enum {
    PRINCIPAL_MAX_CELLS = 64,
    CODE_SIZE = 48 /* a code of an area, cell or unit has at most 40 bytes */
};

/* Who makes a request: a value that owns its text, copied out of the snapshot; safe to keep for the
 * length of a request. */
struct principal {
    bool anonymous;  /* a stranger: no account; every other field is then empty */
    int64_t account; /* row id */
    char name[64], display[96];
    const struct role_def *role; /* NULL when anonymous */
    char area[40];               /* area code of the scope, "" = whole ledger */
    int area_level;              /* 1 city .. 4 community, 0 when area is "" */
    char unit[CODE_SIZE];        /* unit code, "" = none */
    char cells[PRINCIPAL_MAX_CELLS]
              [40]; /* cells of the posts held or covered now (SCOPE_OWN_CELLS) */
    size_t n_cells;
    uint64_t grants;  /* bit per enum permission */
    int64_t session;  /* row id of the session, 0 with a token */
    bool must_change; /* password was set by somebody else */
    char csrf[48];    /* of the session; "" with a token */
};
bool principal_may(const struct principal *p, enum permission perm);
#endif
