#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static const char pw[] = "a good long password";

static void test_sign_in_and_out(void **state) {
    (void)state;
    struct fixture f = {0};
    char cookie[IDENTITY_COOKIE], other[IDENTITY_COOKIE];
    struct principal p;
    fixture_open(&f);
    int64_t id = fixture_account(&f, "Zhang.Wei", "operator", "110101000000", NULL, pw);
    assert_true(fixture_who(&f, NULL).anonymous);
    assert_int_equal(fixture_sign_in(&f, "zhang.wei", "wrong password!", "192.0.2.1", cookie, &p),
                     ERR_UNAUTHORIZED);
    assert_int_equal(fixture_sign_in(&f, "nobody", pw, "192.0.2.1", cookie, &p), ERR_UNAUTHORIZED);
    assert_true(p.anonymous);
    assert_int_equal(fixture_sign_in(&f, "zhang.wei", pw, "192.0.2.1", cookie, &p), ERR_OK);
    assert_int_equal(strlen(cookie), 43);
    assert_string_equal(p.name, "Zhang.Wei");
    assert_string_equal(p.role->name, "operator");
    assert_string_equal(p.area, "110101000000");
    assert_int_equal(p.area_level, 2);
    assert_true(principal_may(&p, PERM_CASE_READ));
    assert_false(principal_may(&p, PERM_ACCOUNT_MANAGE));
    assert_int_equal(strlen(p.csrf), 43);

    struct principal q = fixture_who(&f, cookie);
    assert_false(q.anonymous);
    assert_int_equal(q.session, p.session);
    assert_true(identity_csrf_equal(&q, p.csrf));
    assert_int_equal(fixture_sign_in(&f, "zhang.wei", pw, "192.0.2.1", other, NULL), ERR_OK);
    struct principal second = fixture_who(&f, other);
    assert_false(identity_csrf_equal(&second, p.csrf)); /* each session has its own */
    assert_false(identity_csrf_equal(&second, ""));

    /* Only a hash is stored. */
    assert_int_equal(
        fixture_count(&f, "SELECT COUNT(*) FROM session WHERE length(hash) = 64 AND account = ?1",
                      id),
        2);
    assert_int_equal(identity_session_end(f.id, &q, id, q.session, NULL), ERR_OK);
    assert_true(fixture_who(&f, cookie).anonymous);
    assert_false(fixture_who(&f, other).anonymous);
    assert_int_equal(identity_session_end(f.id, &q, id, q.session, NULL), ERR_NOT_FOUND);
    assert_int_equal(fixture_journal(&f, "sign_in", "session.open"), 2);
    cookie[0] = cookie[0] == 'A' ? 'B' : 'A';
    assert_true(fixture_who(&f, "short").anonymous);
    assert_true(fixture_who(&f, cookie).anonymous);
    fixture_remove(&f);
}

static void test_sessions_end_by_time(void **state) {
    (void)state;
    struct fixture f = {0};
    char idle[IDENTITY_COOKIE], busy[IDENTITY_COOKIE];
    fixture_open(&f);
    fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", idle, NULL), ERR_OK);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", busy, NULL), ERR_OK);
    fixture_advance(29 * 60);
    assert_false(fixture_who(&f, busy).anonymous);
    fixture_advance(60);
    assert_true(fixture_who(&f, idle).anonymous); /* 30 minutes without a request */
    assert_false(fixture_who(&f, busy).anonymous);
    for (int i = 0; i < 23; i++) {
        fixture_advance(29 * 60);
        assert_false(fixture_who(&f, busy).anonymous);
    }
    fixture_advance(29 * 60); /* now over twelve hours in all */
    assert_true(fixture_who(&f, busy).anonymous);
    fixture_remove(&f);
}

static void test_survives_a_restart(void **state) {
    (void)state;
    struct fixture f = {0};
    char cookie[IDENTITY_COOKIE], token[IDENTITY_TOKEN];
    struct principal p, q;
    int64_t token_id = 0;
    fixture_open(&f);
    fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    fixture_post(&f, "zhang", "G1", NULL, 0);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, &p), ERR_OK);
    assert_int_equal(identity_token_add(f.id, &p, "scanner", 0, token, &token_id, NULL), ERR_OK);
    fixture_advance(20 * 60);
    assert_false(fixture_who(&f, cookie).anonymous); /* stores its last use */
    fixture_close(&f);
    fixture_advance(20 * 60);
    fixture_open(&f);
    q = fixture_who(&f, cookie);
    assert_false(q.anonymous);
    assert_int_equal(q.n_cells, 1);
    assert_string_equal(q.cells[0], "G1");
    assert_true(identity_csrf_equal(&q, p.csrf));
    assert_int_equal(identity_authenticate(f.id, NULL, token, &q, NULL), ERR_OK);
    fixture_remove(&f);
}

struct change {
    struct principal by;
    const char *name;
    int64_t expect;
    struct account_change change;
    struct account out;
};

static enum err_code change_apply(struct tx *tx, void *arg, struct err *err) {
    struct change *c = arg;
    return account_change(tx, &fixture_packs, c->by.anonymous ? NULL : &c->by, c->name, c->expect,
                          &c->change, &c->out, err);
}

/* As a handler does it: the command, then the reload. */
static enum err_code change(struct fixture *f, struct principal by, const char *name,
                            struct account_change ch, struct err *err) {
    struct change c = {.by = by, .name = name, .expect = -1, .change = ch};
    enum err_code rc = fixture_run(f, by.anonymous ? "system" : by.name, change_apply, &c, err);
    if (rc == ERR_OK) assert_int_equal(identity_reload(f->id, c.out.id, NULL), ERR_OK);
    return rc;
}

static void test_disabled_or_changed_role_ends_sessions_at_once(void **state) {
    (void)state;
    struct fixture f = {0};
    char cookie[IDENTITY_COOKIE], token[IDENTITY_TOKEN];
    struct principal admin, p;
    int64_t token_id = 0;
    fixture_open(&f);
    fixture_account(&f, "root", "system_admin", NULL, NULL, pw);
    fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_sign_in(&f, "root", pw, "192.0.2.9", cookie, &admin), ERR_OK);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, &p), ERR_OK);
    assert_int_equal(identity_token_add(f.id, &p, "scanner", 0, token, &token_id, NULL), ERR_OK);

    /* A new scope holds at once and keeps the session. */
    assert_int_equal(
        change(&f, admin, "zhang", (struct account_change){.area = "110101001000"}, NULL), ERR_OK);
    assert_int_equal(fixture_who(&f, cookie).area_level, 3);
    assert_int_equal(change(&f, admin, "zhang", (struct account_change){.role = "operator"}, NULL),
                     ERR_OK);
    assert_true(fixture_who(&f, cookie).anonymous);
    assert_int_equal(identity_authenticate(f.id, NULL, token, &p, NULL), ERR_UNAUTHORIZED);

    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, &p), ERR_OK);
    assert_int_equal(identity_token_add(f.id, &p, "scanner", 0, token, &token_id, NULL), ERR_OK);
    assert_int_equal(change(&f, admin, "zhang", (struct account_change){.state = "disabled"}, NULL),
                     ERR_OK);
    assert_true(fixture_who(&f, cookie).anonymous);
    assert_int_equal(identity_authenticate(f.id, NULL, token, &p, NULL), ERR_UNAUTHORIZED);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, &p), ERR_UNAUTHORIZED);
    assert_int_equal(change(&f, admin, "zhang", (struct account_change){.state = "active"}, NULL),
                     ERR_OK);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, &p), ERR_OK);
    fixture_remove(&f);
}

static void test_administrators(void **state) {
    (void)state;
    struct fixture f = {0};
    char cookie[IDENTITY_COOKIE], token[IDENTITY_TOKEN];
    struct principal admin, worker, none = {.anonymous = true};
    struct err err = {0};
    int64_t until = 0;
    fixture_open(&f);
    int64_t root = fixture_account(&f, "root", "system_admin", NULL, NULL, pw);
    fixture_account(&f, "guard", "security_admin", NULL, NULL, pw);
    fixture_account(&f, "auditor", "audit_admin", NULL, NULL, pw);
    int64_t zhang = fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_sign_in(&f, "root", pw, "192.0.2.9", cookie, &admin), ERR_OK);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, &worker), ERR_OK);
    /* Never one's own role, scope or state; one's own display name is fine. */
    /* Who keeps watch cannot be put away by who is watched. */
    assert_int_equal(change(&f, admin, "guard", (struct account_change){.state = "disabled"}, &err),
                     ERR_FORBIDDEN);
    assert_int_equal(change(&f, admin, "guard", (struct account_change){.role = "operator"}, &err),
                     ERR_FORBIDDEN);
    assert_int_equal(change(&f, admin, "ROOT", (struct account_change){.role = "operator"}, &err),
                     ERR_FORBIDDEN);
    assert_int_equal(
        change(&f, admin, "root", (struct account_change){.area = "110101000000"}, &err),
        ERR_FORBIDDEN);
    assert_int_equal(change(&f, admin, "root", (struct account_change){.state = "disabled"}, &err),
                     ERR_FORBIDDEN);
    assert_int_equal(change(&f, admin, "root", (struct account_change){.display = "根 Root"}, &err),
                     ERR_OK);
    /* The last one who manages accounts stays. */
    assert_int_equal(change(&f, none, "root", (struct account_change){.state = "disabled"}, &err),
                     ERR_CONFLICT);
    fixture_account(&f, "root2", "system_admin", NULL, NULL, pw);
    assert_int_equal(change(&f, none, "root2", (struct account_change){.state = "disabled"}, &err),
                     ERR_OK);
    /* A worker resets nobody; the system administrator not those who watch him. */
    assert_int_equal(identity_reset_make(f.id, &worker, "root", token, &until, &err),
                     ERR_FORBIDDEN);
    assert_int_equal(identity_reset_make(f.id, &admin, "auditor", token, &until, &err),
                     ERR_FORBIDDEN);
    assert_int_equal(identity_reset_make(f.id, NULL, "auditor", token, &until, &err), ERR_OK);
    /* Every role given was told to the security administrator (himself included, when he began). */
    assert_int_equal(
        fixture_count(&f, "SELECT COUNT(*) FROM inbox WHERE kind = 'account.role' AND account > ?1",
                      root),
        4);
    /* Sessions of others: not the system administrator, not a neighbour. */
    assert_int_equal(identity_session_end(f.id, &admin, zhang, 0, &err), ERR_FORBIDDEN);
    struct principal guard;
    char guard_cookie[IDENTITY_COOKIE];
    assert_int_equal(fixture_sign_in(&f, "guard", pw, "192.0.2.8", guard_cookie, &guard), ERR_OK);
    assert_int_equal(identity_session_end(f.id, &guard, zhang, 0, &err), ERR_OK);
    assert_true(fixture_who(&f, cookie).anonymous);
    fixture_remove(&f);
}

static enum err_code add_only(struct tx *tx, void *arg, struct err *err) {
    struct account out;
    return account_add(tx, &fixture_packs, NULL, arg, &out, err);
}

static void test_account_fields_are_checked(void **state) {
    (void)state;
    static const struct {
        struct account_in in;
        enum err_code rc;
        const char *field;
    } cases[] = {
        {{.name = "x", .role = "worker"}, ERR_INVALID, "/name"},
        {{.name = "a b", .role = "worker"}, ERR_INVALID, "/name"},
        {{.name = "-ab", .role = "worker"}, ERR_INVALID, "/name"},
        {{.name = "system", .role = "worker"}, ERR_INVALID, "/name"},
        {{.name = "Reporter", .role = "worker"}, ERR_INVALID, "/name"},
        {{.name = "ZHANG", .role = "worker"}, ERR_CONFLICT, "/name"},
        {{.name = "li", .role = "king"}, ERR_INVALID, "/role"},
        {{.name = "li", .role = "worker", .area = "999999999999"}, ERR_INVALID, "/area"},
        {{.name = "li", .role = "worker", .unit = "no such unit"}, ERR_INVALID, "/unit"},
        {{.name = "li", .role = "worker", .display = "\xff\xfe"}, ERR_INVALID, "/display"},
    };
    struct fixture f = {0};
    fixture_open(&f);
    fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        struct account_in in = cases[i].in;
        assert_int_equal(fixture_run(&f, "system", add_only, &in, &err), cases[i].rc);
        assert_string_equal(err.field, cases[i].field);
    }
    assert_int_equal(fixture_count(&f, "SELECT COUNT(*) FROM account WHERE ledger = ?1", 1), 1);
    fixture_remove(&f);
}

static void test_passwords(void **state) {
    (void)state;
    struct fixture f = {0};
    struct err err = {0};
    char cookie[IDENTITY_COOKIE], other[IDENTITY_COOKIE];
    struct principal p;
    fixture_open(&f);
    fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", other, NULL), ERR_OK);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, &p), ERR_OK);
    assert_int_equal(
        identity_password_change(f.id, &p, "not the old one", "another long one", &err),
        ERR_INVALID);
    assert_string_equal(err.field, "/old");
    assert_int_equal(identity_password_change(f.id, &p, pw, "short", &err), ERR_INVALID);
    assert_string_equal(err.field, "/new");
    assert_int_equal(identity_password_change(f.id, &p, pw, pw, &err), ERR_INVALID);
    assert_int_equal(identity_password_change(f.id, &p, pw, "another long one", &err), ERR_OK);
    assert_false(fixture_who(&f, cookie).anonymous); /* this session stays, the others end */
    assert_true(fixture_who(&f, other).anonymous);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", other, NULL), ERR_UNAUTHORIZED);
    assert_int_equal(fixture_sign_in(&f, "zhang", "another long one", "192.0.2.1", other, NULL),
                     ERR_OK);
    for (int i = 0; i < 9; i++)
        assert_int_equal(
            identity_password_change(f.id, &p, "guess again", "another longer one", &err),
            ERR_INVALID);
    assert_int_equal(identity_password_change(f.id, &p, "guess again", "another longer one", &err),
                     ERR_TOO_MANY);
    fixture_remove(&f);
}

static void test_reset_token(void **state) {
    (void)state;
    struct fixture f = {0};
    struct err err = {0};
    char cookie[IDENTITY_COOKIE], token[IDENTITY_TOKEN], late[IDENTITY_TOKEN];
    int64_t until = 0;
    fixture_open(&f);
    fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, NULL), ERR_OK);
    assert_int_equal(identity_reset_make(f.id, NULL, "nobody", token, &until, &err), ERR_NOT_FOUND);
    assert_int_equal(identity_reset_make(f.id, NULL, "zhang", token, &until, &err), ERR_OK);
    assert_int_equal(until, fixture_now() + (int64_t)86400 * 1000000);
    assert_int_equal(identity_reset_use(f.id, "reset_wrong", "a brand new one", "192.0.2.7", &err),
                     ERR_UNAUTHORIZED);
    assert_int_equal(identity_reset_use(f.id, token, "zhang", "192.0.2.7", &err), ERR_INVALID);
    assert_int_equal(identity_reset_use(f.id, token, "a brand new one", "192.0.2.7", &err), ERR_OK);
    assert_true(fixture_who(&f, cookie).anonymous);
    assert_int_equal(identity_reset_use(f.id, token, "a brand newer one", "192.0.2.7", &err),
                     ERR_UNAUTHORIZED);
    assert_int_equal(fixture_sign_in(&f, "zhang", "a brand new one", "192.0.2.1", cookie, NULL),
                     ERR_OK);
    assert_int_equal(identity_reset_make(f.id, NULL, "zhang", late, &until, &err), ERR_OK);
    fixture_advance(86400);
    assert_int_equal(identity_reset_use(f.id, late, "a brand newest one", "192.0.2.7", &err),
                     ERR_UNAUTHORIZED);
    fixture_remove(&f);
}

static void test_api_tokens(void **state) {
    (void)state;
    struct fixture f = {0};
    struct err err = {0};
    char cookie[IDENTITY_COOKIE], token[IDENTITY_TOKEN], brief[IDENTITY_TOKEN];
    struct principal p, q, other;
    struct token_row *rows = NULL;
    size_t n = 0;
    int64_t id = 0, brief_id = 0;
    struct arena *a = arena_new(1 << 20);
    fixture_open(&f);
    int64_t zhang = fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    fixture_account(&f, "li", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_sign_in(&f, "li", pw, "192.0.2.2", cookie, &other), ERR_OK);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, &p), ERR_OK);
    assert_int_equal(identity_token_add(f.id, &p, "", 0, token, &id, &err), ERR_INVALID);
    assert_int_equal(identity_token_add(f.id, &p, "old", fixture_now() - 1, token, &id, &err),
                     ERR_INVALID);
    assert_int_equal(identity_token_add(f.id, &p, "门禁 gate", 0, token, &id, &err), ERR_OK);
    assert_int_equal(
        identity_token_add(f.id, &p, "brief", fixture_now() + 60000000, brief, &brief_id, &err),
        ERR_OK);
    assert_int_equal(strncmp(token, "gz_", 3), 0);
    assert_int_equal(strlen(token), 55);
    assert_int_equal(identity_authenticate(f.id, NULL, token, &q, &err), ERR_OK);
    assert_string_equal(q.name, "zhang");
    assert_int_equal(q.session, 0);
    assert_string_equal(q.csrf, "");
    assert_int_equal(identity_authenticate(f.id, cookie, "gz_nonsense", &q, &err),
                     ERR_UNAUTHORIZED);
    assert_true(q.anonymous);
    assert_int_equal(identity_authenticate(f.id, NULL, cookie, &q, &err),
                     ERR_UNAUTHORIZED);            /* a cookie is no token */
    assert_true(fixture_who(&f, token).anonymous); /* and a token no cookie */
    assert_int_equal(identity_tokens(f.id, zhang, a, &rows, &n, &err), ERR_OK);
    assert_int_equal(n, 2);
    fixture_advance(60);
    assert_int_equal(identity_authenticate(f.id, NULL, brief, &q, &err), ERR_UNAUTHORIZED);
    assert_int_equal(identity_token_drop(f.id, &other, id, &err),
                     ERR_NOT_FOUND); /* a neighbour's */
    assert_int_equal(identity_authenticate(f.id, NULL, token, &q, &err), ERR_OK);
    assert_int_equal(identity_token_drop(f.id, &p, id, &err), ERR_OK);
    assert_int_equal(identity_authenticate(f.id, NULL, token, &q, &err), ERR_UNAUTHORIZED);
    for (int i = 0; i < IDENTITY_MAX_TOKENS - 1; i++)
        assert_int_equal(identity_token_add(f.id, &p, "more", 0, token, &id, &err), ERR_OK);
    assert_int_equal(identity_token_add(f.id, &p, "more", 0, token, &id, &err), ERR_LIMIT);
    fixture_remove(&f);
    arena_free(a);
}

static void test_session_list(void **state) {
    (void)state;
    struct fixture f = {0};
    char cookie[IDENTITY_COOKIE], first[IDENTITY_COOKIE];
    struct principal p;
    struct session_row *rows = NULL;
    size_t n = 0;
    struct arena *a = arena_new(1 << 20);
    fixture_open(&f);
    int64_t zhang = fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", first, NULL), ERR_OK);
    for (int i = 0; i < IDENTITY_MAX_SESSIONS; i++) {
        fixture_advance(1);
        assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.2", cookie, &p), ERR_OK);
    }
    assert_true(fixture_who(&f, first).anonymous); /* the oldest made room */
    assert_int_equal(identity_sessions(f.id, zhang, a, &rows, &n, NULL), ERR_OK);
    assert_int_equal(n, IDENTITY_MAX_SESSIONS);
    assert_int_equal(rows[0].id, p.session);
    assert_string_equal(rows[0].address, "192.0.2.2");
    assert_string_equal(rows[0].agent, "test browser");
    fixture_remove(&f);
    arena_free(a);
}

static void test_posts_give_cells(void **state) {
    (void)state;
    struct fixture f = {0};
    char zhang[IDENTITY_COOKIE], li[IDENTITY_COOKIE];
    fixture_open(&f);
    fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    fixture_account(&f, "Li", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", zhang, NULL), ERR_OK);
    assert_int_equal(fixture_sign_in(&f, "li", pw, "192.0.2.1", li, NULL), ERR_OK);
    assert_int_equal(fixture_who(&f, zhang).n_cells, 0);
    int64_t post = fixture_post(&f, "zhang", "G1", "Li", fixture_now() + (int64_t)600 * 1000000);
    fixture_post(&f, "zhang", "G2", NULL, 0);
    struct principal p = fixture_who(&f, zhang);
    assert_int_equal(p.n_cells, 2);
    assert_string_equal(p.cells[0], "G1");
    assert_string_equal(p.cells[1], "G2");
    p = fixture_who(&f, li);
    assert_int_equal(p.n_cells, 1);
    assert_string_equal(p.cells[0], "G1");
    fixture_advance(600); /* the cover has ended */
    assert_int_equal(fixture_who(&f, li).n_cells, 0);
    fixture_post_change(&f, post, "Li", "G9", "social", 0);
    assert_int_equal(fixture_who(&f, zhang).n_cells, 1);
    p = fixture_who(&f, li);
    assert_int_equal(p.n_cells, 1);
    assert_string_equal(p.cells[0], "G9");
    fixture_post_change(&f, post, "Li", "G1", "school",
                        0); /* a post in another layer gives no right over cases */
    assert_int_equal(fixture_who(&f, li).n_cells, 0);
    fixture_post_change(&f, post, "Li", "G1", "social", 0);
    assert_int_equal(fixture_who(&f, li).n_cells, 1);
    fixture_post_change(&f, post, "Li", "G1", "social",
                        fixture_now()); /* and one that has ended none either */
    assert_int_equal(fixture_who(&f, li).n_cells, 0);
    fixture_remove(&f);
}

static void test_guessing_is_stopped_and_the_owner_gets_in(void **state) {
    (void)state;
    struct fixture f = {0};
    char cookie[IDENTITY_COOKIE];
    struct throttle_lock locks[4];
    fixture_open(&f);
    fixture_account(&f, "zhang", "worker", NULL, NULL, pw);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, NULL), ERR_OK);
    int refused = 0;
    for (int i = 0; i < 40; i++) {
        char from[32];
        (void)snprintf(from, sizeof from, "198.51.100.%d", i);
        refused +=
            fixture_sign_in(&f, "ZHANG", "a guessed password", from, cookie, NULL) == ERR_TOO_MANY;
    }
    assert_int_equal(refused, 30);
    assert_int_equal(identity_lockouts(f.id, locks, 4), 1);
    assert_string_equal(locks[0].key, "zhang");
    /* From elsewhere even the right password must wait; from where he came before it does not. */
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "203.0.113.5", cookie, NULL), ERR_TOO_MANY);
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, NULL), ERR_OK);
    for (int i = 0; i < 20; i++)
        (void)fixture_sign_in(&f, "zhang", "a guessed password", "198.51.100.200", cookie, NULL);
    assert_true(identity_lockout_lift(f.id, "Zhang"));
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "203.0.113.5", cookie, NULL), ERR_OK);
    fixture_remove(&f);
}

static void test_first_run(void **state) {
    (void)state;
    struct fixture f = {0};
    struct err err = {0};
    struct account a;
    struct principal p;
    char token[IDENTITY_TOKEN], again[IDENTITY_TOKEN], cookie[IDENTITY_COOKIE];
    fixture_open(&f);
    assert_int_equal(identity_setup(f.id, "setup_guess", "root", pw, &a, &err), ERR_UNAUTHORIZED);
    assert_int_equal(identity_setup_token(f.id, token, &err), ERR_OK);
    assert_int_equal(strncmp(token, "setup_", 6), 0);
    assert_int_equal(identity_setup(f.id, "setup_guess", "root", pw, &a, &err), ERR_UNAUTHORIZED);
    assert_int_equal(identity_setup(f.id, token, "root", "short", &a, &err), ERR_INVALID);
    assert_int_equal(identity_setup(f.id, token, "root", pw, &a, &err), ERR_OK);
    assert_string_equal(a.role, "system_admin");
    assert_int_equal(identity_setup(f.id, token, "root2", pw, &a, &err), ERR_UNAUTHORIZED);
    assert_int_equal(identity_setup_token(f.id, again, &err), ERR_OK);
    assert_string_equal(again, "");
    assert_int_equal(fixture_sign_in(&f, "root", pw, "192.0.2.1", cookie, &p), ERR_OK);
    assert_false(principal_may(&p, PERM_CASE_READ));
    fixture_remove(&f);
}

static void test_origin(void **state) {
    (void)state;
    assert_true(identity_origin_ok("http://127.0.0.1:8080", NULL, "127.0.0.1:8080"));
    assert_true(identity_origin_ok("https://city.example", "same-origin", "city.example"));
    assert_false(identity_origin_ok("https://evil.example", NULL, "city.example"));
    assert_false(identity_origin_ok("null", NULL, "city.example"));
    assert_false(identity_origin_ok("https://city.example.evil.example", NULL, "city.example"));
    assert_false(identity_origin_ok("https://", NULL, ""));
    assert_true(identity_origin_ok(NULL, NULL, "city.example"));
    assert_true(identity_origin_ok(NULL, "none", "city.example"));
    assert_false(identity_origin_ok(NULL, "cross-site", "city.example"));
    assert_false(identity_origin_ok(NULL, "same-site", "city.example"));
}

struct storm {
    struct fixture *f;
    const char *cookie;
    int64_t account;
};

static void *ask(void *arg) {
    struct storm *s = arg;
    for (int i = 0; i < 3000; i++) {
        struct principal p;
        assert_int_equal(identity_authenticate(s->f->id, s->cookie, NULL, &p, NULL), ERR_OK);
        assert_true(p.anonymous || p.account == s->account);
    }
    return NULL;
}

static void *reload(void *arg) {
    struct storm *s = arg;
    for (int i = 0; i < 300; i++)
        assert_int_equal(identity_reload(s->f->id, s->account, NULL), ERR_OK);
    return NULL;
}

static void test_many_threads(void **state) {
    (void)state;
    struct fixture f = {0};
    char cookie[IDENTITY_COOKIE];
    pthread_t t[6];
    fixture_open(&f);
    struct storm s = {.f = &f,
                      .cookie = cookie,
                      .account = fixture_account(&f, "zhang", "worker", NULL, NULL, pw)};
    assert_int_equal(fixture_sign_in(&f, "zhang", pw, "192.0.2.1", cookie, NULL), ERR_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&t[i], NULL, i < 4 ? ask : reload, &s), 0);
    for (int i = 0; i < 6; i++) (void)pthread_join(t[i], NULL);
    assert_false(fixture_who(&f, cookie).anonymous);
    fixture_remove(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_in_and_out),
        cmocka_unit_test(test_sessions_end_by_time),
        cmocka_unit_test(test_survives_a_restart),
        cmocka_unit_test(test_disabled_or_changed_role_ends_sessions_at_once),
        cmocka_unit_test(test_administrators),
        cmocka_unit_test(test_account_fields_are_checked),
        cmocka_unit_test(test_passwords),
        cmocka_unit_test(test_reset_token),
        cmocka_unit_test(test_api_tokens),
        cmocka_unit_test(test_session_list),
        cmocka_unit_test(test_posts_give_cells),
        cmocka_unit_test(test_guessing_is_stopped_and_the_owner_gets_in),
        cmocka_unit_test(test_first_run),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
