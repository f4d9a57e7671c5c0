/* gezhi user add | set | token | list | reset: works on the folder itself while no server holds it.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/file.h"
#include "base/json.h"
#include "base/opt.h"
#include "domain/identity/inside.h"
#include "domain/identity/rights.h"
#include "store/statements.h"

enum { USER_ARENA = 64 << 20, LIST_PAGE = 64 };

/* The folder, opened for one command. */
struct user_folder {
    struct arena *arena;
    const struct pack_set *packs;
    struct ledger *ledger;
};

static int fail(const char *what, const struct err *err) {
    (void)fprintf(stderr, "gezhi user %s: %s\n", what, err->detail);
    return 1;
}

static int misuse(const struct opt_command *cmd, const struct err *err) {
    (void)fprintf(stderr, "gezhi %s: %s\nTry: gezhi %s --help\n", cmd->name, err->detail,
                  cmd->name);
    return 2;
}

static void folder_end(struct user_folder *f) {
    if (f->ledger != NULL) ledger_close(f->ledger);
    arena_free(f->arena);
    *f = (struct user_folder){0};
}

static enum err_code folder_begin(const char *data, struct user_folder *f, struct err *err) {
    *f = (struct user_folder){.arena = arena_new(USER_ARENA)};
    const char *packs = f->arena == NULL ? NULL : file_join(f->arena, data, "packs");
    if (packs == NULL) return err_fail(err, ERR_NOMEM, "no memory");
    const char *db = file_join(f->arena, data, "gezhi.db");
    if (db == NULL) return err_fail(err, ERR_NOMEM, "no memory");
    if (access(db, F_OK) != 0)
        return err_fail(err, ERR_NOT_FOUND,
                        "%.200s holds no city; make one with: gezhi init --data %.200s", data,
                        data);
    TRY(pack_load(f->arena, packs, NULL, &f->packs, err));
    TRY(rights_check_roles(f->packs, err));
    const struct ledger_options o = {.clock = clock_system(),
                                     .tables = f->packs->tables,
                                     .n_tables = f->packs->n_tables,
                                     .ledger_id = 1,
                                     .n_readers = 2};
    struct err e = {0};
    enum err_code rc = ledger_open(data, &o, &f->ledger, &e);
    if (rc == ERR_CONFLICT)
        return err_fail(err, rc,
                        "%.300s\nWhile a server holds the folder, use its page (Administration, "
                        "Accounts) or POST /api/v1/accounts.",
                        e.detail);
    if (rc != ERR_OK) return err_fail(err, rc, "%s", e.detail);
    return ERR_OK;
}

static enum err_code run(struct user_folder *f, const char *name,
                         enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                         void *arg, struct err *err) {
    const struct command c = {
        .name = name, .actor = "system", .purpose = "command line", .apply = apply, .arg = arg};
    return ledger_run(f->ledger, &c, NULL, NULL, err);
}

/* One line of standard input without its end; on a terminal it is asked for and not shown. */
static enum err_code read_password(char out[PASSWORD_MAX_BYTES + 2], struct err *err) {
    struct termios before;
    bool terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        struct termios quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        (void)fprintf(stderr, "Password / 密码: ");
    }
    char *line = fgets(out, PASSWORD_MAX_BYTES + 2, stdin);
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        (void)fprintf(stderr, "\n");
    }
    if (line == NULL) return err_fail(err, ERR_INVALID, "no password on standard input");
    size_t n = strcspn(out, "\r\n");
    out[n] = '\0';
    return ERR_OK;
}

/* ---- add ---- */

struct adding {
    const struct pack_set *packs;
    struct account_in in;
    char hash[PASSWORD_HASH];
    struct account out;
};

static enum err_code add_apply(struct tx *tx, void *arg, struct err *err) {
    struct adding *a = arg;
    TRY(account_add(tx, a->packs, NULL, &a->in, &a->out, err));
    return account_set_password(tx, a->out.id, a->hash, a->in.must_change, 0, err);
}

static enum err_code hash_once(const char *password, char hash[PASSWORD_HASH], struct err *err) {
    struct password_pool *pool = NULL;
    const struct password_options o = {.threads = 1, .queue = 1};
    TRY(password_pool_new(&o, &pool, err));
    enum err_code rc = password_hash(pool, password, hash, err);
    password_pool_free(pool);
    return rc;
}

static enum err_code unknown_role(const struct pack_set *packs, const char *role, struct err *err) {
    struct buf names;
    if (pack_role(packs, role) != NULL) return ERR_OK;
    buf_init(&names, 300);
    for (size_t i = 0; i < packs->n_roles; i++)
        buf_printf(&names, "%s%s", i == 0 ? "" : ", ", packs->roles[i].name);
    enum err_code rc = err_fail(err, ERR_INVALID, "there is no role \"%s\"; the packs have: %s",
                                role, buf_text(&names));
    buf_deinit(&names);
    return rc;
}

static enum err_code add_account(const char *data, struct adding *a, struct err *err) {
    struct user_folder f;
    char password[PASSWORD_MAX_BYTES + 2];
    enum err_code rc = folder_begin(data, &f, err);
    a->packs = f.packs;
    if (rc == ERR_OK) rc = unknown_role(f.packs, a->in.role, err);
    if (rc == ERR_OK) rc = read_password(password, err);
    if (rc == ERR_OK) rc = password_check(a->in.name, password, "/password", err);
    if (rc == ERR_OK) rc = hash_once(password, a->hash, err);
    sodium_memzero(password, sizeof password);
    if (rc == ERR_OK) rc = run(&f, "account.add", add_apply, a, err);
    folder_end(&f);
    return rc;
}

static int cmd_add(int argc, char **argv) {
    const char *data = NULL;
    struct adding a = {0};
    struct err err = {0};
    size_t n = 0;
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder"},
        {"role", OPT_STR, &a.in.role, true, "ROLE",
         "a role of the packs, such as worker or operator"},
        {"area", OPT_STR, &a.in.area, false, "CODE",
         "area of the scope; without it the whole city"},
        {"unit", OPT_STR, &a.in.unit, false, "CODE", "unit the person belongs to"},
        {"display", OPT_STR, &a.in.display, false, "TEXT",
         "the person's name as colleagues see it"},
        {"must-change", OPT_FLAG, &a.in.must_change, false, NULL,
         "a new password is asked for at the first sign-in"}};
    const struct opt_command cmd = {"user add",
                                    "NAME",
                                    1,
                                    1,
                                    opts,
                                    6,
                                    "Add an account; the password is read from standard input.",
                                    NULL};
    if (opt_wants_help(argc, argv)) {
        opt_help(&cmd);
        return 0;
    }
    if (opt_parse(&cmd, argc, argv, &n, &err) != ERR_OK) return misuse(&cmd, &err);
    a.in.name = argv[0];
    if (add_account(data, &a, &err) != ERR_OK) return fail("add", &err);
    (void)printf("added %s with role %s\n", a.out.name, a.out.role);
    return 0;
}

/* ---- token ---- */

struct token_make {
    const char *account, *label;
    char token[IDENTITY_TOKEN];
};

static enum err_code token_apply(struct tx *tx, void *arg, struct err *err) {
    static const char image[] = "{\"event\":\"API token made\"}";
    struct token_make *m = arg;
    struct account a;
    unsigned char digest[DIGEST];
    char hex[DIGEST_HEX];
    TRY(account_find(tx_db(tx), m->account, &a, err));
    if (!a.active) return err_fail(err, ERR_FORBIDDEN, "account %s is disabled", a.name);
    secret_token("gz_", m->token);
    digest_of(m->token, digest);
    digest_hex(digest, hex);
    const struct cell p[] = {cell_int(db_ledger(tx_db(tx))),
                             cell_int(secret_row_id()),
                             cell_int(a.id),
                             cell_text(m->label),
                             cell_text(hex),
                             cell_int(tx_now_us(tx)),
                             cell_null()};
    TRY(db_exec(tx_db(tx), stmt_sql(STMT_IDENTITY_TOKEN_ADD), p, 7, NULL, err));
    return tx_note(tx, "api_token", a.id, image, sizeof image - 1, err);
}

static int cmd_token(int argc, char **argv) {
    const char *data = NULL;
    struct token_make m = {.label = "command line"};
    struct user_folder f;
    struct err err = {0};
    size_t n = 0;
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder"},
        {"label", OPT_STR, &m.label, false, "TEXT", "what the token is for"}};
    const struct opt_command cmd = {"user token",
                                    "NAME",
                                    1,
                                    1,
                                    opts,
                                    2,
                                    "Make an API token of an account; it is shown only now.",
                                    NULL};
    if (opt_wants_help(argc, argv)) {
        opt_help(&cmd);
        return 0;
    }
    if (opt_parse(&cmd, argc, argv, &n, &err) != ERR_OK) return misuse(&cmd, &err);
    m.account = argv[0];
    enum err_code rc = folder_begin(data, &f, &err);
    if (rc == ERR_OK) rc = run(&f, "token.add", token_apply, &m, &err);
    folder_end(&f);
    if (rc != ERR_OK) return fail("token", &err);
    (void)printf("%s\n", m.token);
    return 0;
}

/* ---- set ---- */

struct setting {
    const struct pack_set *packs;
    const char *name;
    struct account_change change;
};

static enum err_code set_apply(struct tx *tx, void *arg, struct err *err) {
    struct setting *s = arg;
    struct account a;
    return account_change(tx, s->packs, NULL, s->name, -1, &s->change, &a, err);
}

static int cmd_set(int argc, char **argv) {
    const char *data = NULL;
    struct setting s = {0};
    struct user_folder f;
    struct err err = {0};
    size_t n = 0;
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder"},
        {"role", OPT_STR, &s.change.role, false, "ROLE", "another role"},
        {"area", OPT_STR, &s.change.area, false, "CODE", "another area; empty: none"},
        {"unit", OPT_STR, &s.change.unit, false, "CODE", "another unit; empty: none"},
        {"state", OPT_STR, &s.change.state, false, "active|disabled", "whether it may sign in"}};
    const struct opt_command cmd = {"user set", "NAME", 1, 1, opts, 5, "Change an account.", NULL};
    if (opt_wants_help(argc, argv)) {
        opt_help(&cmd);
        return 0;
    }
    if (opt_parse(&cmd, argc, argv, &n, &err) != ERR_OK) return misuse(&cmd, &err);
    s.name = argv[0];
    enum err_code rc = folder_begin(data, &f, &err);
    s.packs = f.packs;
    if (rc == ERR_OK) rc = run(&f, "account.change", set_apply, &s, &err);
    folder_end(&f);
    if (rc != ERR_OK) return fail("set", &err);
    (void)printf("changed %s\n", s.name);
    return 0;
}

/* ---- reset ---- */

struct resetting {
    const struct pack_set *packs;
    const char *name;
    char token[IDENTITY_TOKEN], hex[DIGEST_HEX];
    int64_t until_us;
};

static enum err_code reset_apply(struct tx *tx, void *arg, struct err *err) {
    struct resetting *r = arg;
    struct account a;
    r->until_us = tx_now_us(tx) + (int64_t)86400 * 1000000;
    return account_set_reset(tx, r->packs, NULL, r->name, r->hex, r->until_us, &a, err);
}

static int cmd_reset(int argc, char **argv) {
    const char *data = NULL;
    struct resetting r = {0};
    struct user_folder f;
    struct err err = {0};
    unsigned char digest[DIGEST];
    char until[32];
    size_t n = 0;
    const struct opt opts[] = {{"data", OPT_STR, &data, true, "DIR", "the city's folder"}};
    const struct opt_command cmd = {
        "user reset",
        "NAME",
        1,
        1,
        opts,
        1,
        "Make a one-time token with which a new password can be set for 24 hours.",
        NULL};
    if (opt_wants_help(argc, argv)) {
        opt_help(&cmd);
        return 0;
    }
    if (opt_parse(&cmd, argc, argv, &n, &err) != ERR_OK) return misuse(&cmd, &err);
    r.name = argv[0];
    enum err_code rc = folder_begin(data, &f, &err);
    r.packs = f.packs;
    if (rc == ERR_OK) {
        secret_token("reset_", r.token);
        digest_of(r.token, digest);
        digest_hex(digest, r.hex);
        rc = run(&f, "account.reset", reset_apply, &r, &err);
    }
    folder_end(&f);
    if (rc != ERR_OK) return fail("reset", &err);
    rfc3339_format(r.until_us, until);
    (void)printf("%s\n", r.token);
    (void)fprintf(stderr, "valid until %s\n", until);
    return 0;
}

/* ---- list ---- */

static void print_account(const struct account *a, bool json) {
    if (!json) {
        (void)printf("%-24s %-16s %-12s %-12s %s\n", a->name, a->role,
                     a->area[0] == '\0' ? "-" : a->area, a->unit[0] == '\0' ? "-" : a->unit,
                     a->active ? "active" : "disabled");
        return;
    }
    struct buf b;
    struct jw w;
    buf_init(&b, 4096);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "name", a->name);
    jw_kstr(&w, "display", a->display);
    jw_kstr(&w, "role", a->role);
    jw_kstr(&w, "area", a->area[0] == '\0' ? NULL : a->area);
    jw_kstr(&w, "unit", a->unit[0] == '\0' ? NULL : a->unit);
    jw_kstr(&w, "state", a->active ? "active" : "disabled");
    jw_end(&w, '}');
    (void)puts(buf_text(&b));
    buf_deinit(&b);
}

static enum err_code list_all(struct user_folder *f, bool json, struct err *err) {
    struct reader *r = NULL;
    struct account *page = ARENA_NEW(f->arena, struct account, LIST_PAGE);
    int64_t after = 0;
    size_t n = LIST_PAGE;
    enum err_code rc = ERR_OK;
    if (page == NULL) return err_fail(err, ERR_NOMEM, "no memory");
    TRY(ledger_read_begin(f->ledger, &r, err));
    while (rc == ERR_OK && n == LIST_PAGE) {
        rc = account_list(reader_db(r), after, LIST_PAGE, page, &n, err);
        for (size_t i = 0; rc == ERR_OK && i < n; i++) {
            after = page[i].id;
            print_account(&page[i], json);
        }
    }
    ledger_read_end(r);
    return rc;
}

static int cmd_list(int argc, char **argv) {
    const char *data = NULL;
    bool json = false;
    struct user_folder f;
    struct err err = {0};
    size_t n = 0;
    const struct opt opts[] = {{"data", OPT_STR, &data, true, "DIR", "the city's folder"},
                               {"json", OPT_FLAG, &json, false, NULL, "one JSON object a line"}};
    const struct opt_command cmd = {"user list", NULL, 0, 0, opts, 2, "List the accounts.", NULL};
    if (opt_wants_help(argc, argv)) {
        opt_help(&cmd);
        return 0;
    }
    if (opt_parse(&cmd, argc, argv, &n, &err) != ERR_OK) return misuse(&cmd, &err);
    enum err_code rc = folder_begin(data, &f, &err);
    if (rc == ERR_OK) rc = list_all(&f, json, &err);
    folder_end(&f);
    return rc == ERR_OK ? 0 : fail("list", &err);
}

int identity_cmd_user(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
        const char *text;
    } commands[] = {{"add", cmd_add, "add an account (password on standard input)"},
                    {"token", cmd_token, "make an API token of an account"},
                    {"list", cmd_list, "list the accounts"},
                    {"set", cmd_set, "change role, area, unit or state of an account"},
                    {"reset", cmd_reset, "make a one-time token to set a new password"}};
    bool help = argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0);
    for (size_t i = 0; argc > 0 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[0], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    FILE *out = help ? stdout : stderr;
    if (argc > 0 && !help) (void)fprintf(out, "gezhi user: there is no \"%s\"\n", argv[0]);
    (void)fprintf(out, "Usage: gezhi user add | set | token | list | reset ... --data DIR\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].text);
    return help ? 0 : 2;
}
