/* A small city for the tests of this folder: two counties, two units, posts, six roles, a temporary
 * ledger and a clock that the test moves. */
#ifndef TESTS_UNIT_IDENTITY_FIXTURE_H
#define TESTS_UNIT_IDENTITY_FIXTURE_H
#include "domain/identity/session.h"

struct fixture {
    char dir[64];
    struct ledger *ledger;
    struct throttle *throttle;
    struct identity *id;
};
extern const struct pack_set fixture_packs;
extern const int64_t fixture_start_us;

/* Open (make when new) everything; fails the test when it cannot. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f); /* keeps the folder, so that it can be opened again */
void fixture_remove(struct fixture *f);
void fixture_advance(int64_t seconds);
int64_t fixture_now(void);

/* Make an account with a password; returns its id. */
int64_t fixture_account(struct fixture *f, const char *name, const char *role, const char *area,
                        const char *unit, const char *password);
/* Bind an account to a cell, with cover or NULL. Returns the post's id. */
int64_t fixture_post(struct fixture *f, const char *account, const char *cell, const char *cover,
                     int64_t cover_until_us);
void fixture_post_change(struct fixture *f, int64_t post, const char *account, const char *cell,
                         const char *layer, int64_t ended_us);
/* Sign in from an address. */
enum err_code fixture_sign_in(struct fixture *f, const char *name, const char *password,
                              const char *remote, char cookie[IDENTITY_COOKIE],
                              struct principal *out);
/* The principal behind a cookie. */
struct principal fixture_who(struct fixture *f, const char *cookie);
/* How many journal rows have the type and, unless NULL, the command. */
int64_t fixture_journal(struct fixture *f, const char *type, const char *command);
int64_t fixture_count(struct fixture *f, const char *sql, int64_t id);
/* Run a command as somebody. */
enum err_code fixture_run(struct fixture *f, const char *actor,
                          enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                          void *arg, struct err *err);
#endif
