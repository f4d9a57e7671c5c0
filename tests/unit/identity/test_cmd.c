#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain/identity/rights.h"
#include "domain/identity/session.h"

/* A city's folder with the shipped packs, and the command line run on it. */
struct city {
    char dir[64];
    struct arena *arena;
    const struct pack_set *packs;
};

static struct ledger_options options(const struct city *c) {
    return (struct ledger_options){.clock = clock_system(),
                                   .tables = c->packs->tables,
                                   .n_tables = c->packs->n_tables,
                                   .ledger_id = 1,
                                   .n_readers = 2};
}

static void make(struct city *c) {
    struct err err = {0};
    char packs[128];
    c->arena = arena_new((size_t)64 << 20);
    if (pack_load(c->arena, SOURCE_DIR "/packs", NULL, &c->packs, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    (void)snprintf(c->dir, sizeof c->dir, "/tmp/gezhi-user-XXXXXX");
    assert_non_null(mkdtemp(c->dir));
    const struct ledger_options o = options(c);
    assert_int_equal(ledger_create(c->dir, &o, &err), ERR_OK);
    (void)snprintf(packs, sizeof packs, "%s/packs", c->dir);
    (void)rmdir(packs);
    assert_int_equal(symlink(SOURCE_DIR "/packs", packs), 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *w) {
    (void)st;
    (void)kind;
    (void)w;
    return remove(path);
}

static void unmake(struct city *c) {
    (void)nftw(c->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(c->arena);
}

/* Runs a command with a text as its standard input; what it prints goes to `out`. */
static int run(const struct city *c, const char *input, char *out, size_t out_n,
               const char *const *words) {
    char in_path[128], out_path[128], copies[10][128];
    char *argv[12];
    int argc = 0;
    (void)snprintf(in_path, sizeof in_path, "%s/in", c->dir);
    (void)snprintf(out_path, sizeof out_path, "%s/out", c->dir);
    FILE *f = fopen(in_path, "w");
    assert_non_null(f);
    (void)fputs(input, f);
    (void)fclose(f);
    for (; words[argc] != NULL; argc++) {
        (void)snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    argv[argc] = NULL;
    (void)fflush(stdout);
    int keep = dup(STDOUT_FILENO), to = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_non_null(freopen(in_path, "r", stdin));
    (void)dup2(to, STDOUT_FILENO);
    int rc = identity_cmd_user(argc, argv);
    (void)fflush(stdout);
    (void)dup2(keep, STDOUT_FILENO);
    (void)close(keep);
    (void)close(to);
    f = fopen(out_path, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, out_n - 1, f);
    out[n] = '\0';
    (void)fclose(f);
    return rc;
}
#define RUN(c, input, out, ...)                                                                    \
    run((c), (input), (out), sizeof(out), (const char *const[]){__VA_ARGS__, NULL})

/* Two accounts, and what is refused beside them. */
static void add_accounts(const struct city *c) {
    char out[4096];
    assert_int_equal(RUN(c, "a good long password\n", out, "add", "root", "--role", "system_admin",
                         "--data", c->dir),
                     0);
    assert_non_null(strstr(out, "added root"));
    assert_int_equal(RUN(c, "a good long password\n", out, "add", "desk1", "--role", "operator",
                         "--display", "值班 1", "--data", c->dir),
                     0);
    assert_int_equal(RUN(c, "a good long password\n", out, "add", "desk1", "--role", "operator",
                         "--data", c->dir),
                     1);
    assert_int_equal(RUN(c, "short\n", out, "add", "desk2", "--role", "operator", "--data", c->dir),
                     1);
    assert_int_equal(RUN(c, "", out, "add", "desk2", "--role", "operator", "--data", c->dir), 1);
    assert_int_equal(
        RUN(c, "a good long password\n", out, "add", "desk2", "--role", "king", "--data", c->dir),
        1);
    assert_int_equal(RUN(c, "a good long password\n", out, "add", "desk2", "--role", "operator",
                         "--area", "nowhere", "--data", c->dir),
                     1);
    assert_int_equal(RUN(c, "", out, "add", "--role", "operator", "--data", c->dir), 2);
    assert_int_equal(RUN(c, "", out, "add", "desk2", "--rule", "operator", "--data", c->dir), 2);
    assert_int_equal(RUN(c, "", out, "remove", "desk2"), 2);
}

static void test_accounts_on_the_command_line(void **state) {
    (void)state;
    struct city c = {0};
    char out[4096], token[256];
    make(&c);
    add_accounts(&c);
    assert_int_equal(RUN(&c, "", out, "list", "--data", "/nonexistent"), 1);
    assert_int_equal(RUN(&c, "", out, "list", "--data", c.dir), 0);
    assert_non_null(strstr(out, "root"));
    assert_null(strstr(out, "desk2"));
    assert_int_equal(RUN(&c, "", out, "list", "--json", "--data", c.dir), 0);
    assert_non_null(strstr(out, "\"display\":\"值班 1\""));
    assert_int_equal(RUN(&c, "", out, "token", "nobody", "--data", c.dir), 1);
    assert_int_equal(RUN(&c, "", token, "token", "desk1", "--data", c.dir), 0);
    assert_int_equal(strlen(token), 56);
    token[55] = '\0';
    assert_int_equal(RUN(&c, "", out, "reset", "root", "--data", c.dir), 0);
    out[strcspn(out, "\n")] = '\0';

    /* What was made holds in the service; while that runs, the command line refuses. */
    struct ledger *l = NULL;
    struct throttle *t = NULL;
    struct identity *id = NULL;
    struct principal p;
    struct err err = {0};
    const struct ledger_options o = options(&c);
    assert_int_equal(ledger_open(c.dir, &o, &l, &err), ERR_OK);
    assert_int_equal(throttle_new(256, &t, &err), ERR_OK);
    const struct identity_options io = {
        .clock = clock_system(), .throttle = t, .password = {.memory_bytes = 64 << 10, .ops = 1}};
    assert_int_equal(identity_open(l, c.packs, &io, &id, &err), ERR_OK);
    assert_int_equal(identity_authenticate(id, NULL, token, &p, &err), ERR_OK);
    assert_string_equal(p.name, "desk1");
    assert_string_equal(p.display, "值班 1");
    assert_true(principal_may(&p, PERM_CASE_READ));
    assert_false(p.must_change);
    assert_int_equal(identity_reset_use(id, out, "an even longer one", "192.0.2.1", &err), ERR_OK);
    char cookie[IDENTITY_COOKIE];
    const struct sign_in in = {"root", "an even longer one", "192.0.2.1", NULL};
    assert_int_equal(identity_sign_in(id, &in, cookie, &p, &err), ERR_OK);
    assert_int_equal(RUN(&c, "", out, "list", "--data", c.dir), 1);
    ledger_close(l);
    identity_close(id);
    throttle_free(t);
    unmake(&c);
}

static void test_shipped_roles_keep_administrators_apart(void **state) {
    (void)state;
    struct err err = {0};
    struct arena *a = arena_new((size_t)64 << 20);
    const struct pack_set *packs = NULL;
    if (pack_load(a, SOURCE_DIR "/packs", NULL, &packs, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_int_equal(rights_check_roles(packs, &err), ERR_OK);
    static const char *const admins[] = {"system_admin", "security_admin", "audit_admin"};
    for (size_t i = 0; i < 3; i++) {
        const struct role_def *r = pack_role(packs, admins[i]);
        assert_non_null(r);
        assert_true(rights_is_admin(rights_grants(r)));
        assert_int_equal(r->cases, SCOPE_NONE);
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts_on_the_command_line),
        cmocka_unit_test(test_shipped_roles_keep_administrators_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
