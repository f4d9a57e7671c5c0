/* The portability of schema and statements: a PostgreSQL 15 of its own in a temporary folder (unix
 * socket only), the whole schema created there, and every named statement and every row statement
 * prepared. Skipped when Debian's server is not installed. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sql.h"
#include "store/statements.h"
#include "store/tables.h"

#define INITDB "/usr/lib/postgresql/15/bin/initdb"
#define PG_CTL "/usr/lib/postgresql/15/bin/pg_ctl"

struct server {
    char dir[64], data[96];
    PGconn *conn;
};

struct user {
    uid_t uid;
    gid_t gid;
};
static bool find_postgres(struct user *out) {
    struct passwd pw, *found = NULL;
    char text[4096];
    if (getpwnam_r("postgres", &pw, text, sizeof text, &found) != 0 || found == NULL) return false;
    *out = (struct user){pw.pw_uid, pw.pw_gid};
    return true;
}

/* The server refuses to run as root: as its own user then. */
static void become_postgres(void) {
    struct user u;
    if (geteuid() != 0) return;
    if (!find_postgres(&u) || setgroups(0, NULL) != 0 || setgid(u.gid) != 0 || setuid(u.uid) != 0)
        _exit(120);
}

static int run(const struct server *s, const char *const argv[]) {
    pid_t child = fork();
    if (child == 0) {
        char log[128];
        (void)snprintf(log, sizeof log, "%s/log", s->dir);
        become_postgres();
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || chdir(s->dir) != 0) _exit(121);
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(122);
    }
    int status = 1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 123;
}

static void stop(struct server *s) {
    const char *const argv[] = {PG_CTL, "-D", s->data, "-m", "immediate", "-w", "stop", NULL};
    PQfinish(s->conn);
    (void)run(s, argv);
    test_remove(strdup(s->dir));
}

static bool installed(void) {
    struct user u;
    return access(INITDB, X_OK) == 0 && access(PG_CTL, X_OK) == 0 &&
           (geteuid() != 0 || find_postgres(&u));
}

static void start(struct server *s) {
    (void)snprintf(s->dir, sizeof s->dir, "/tmp/gezhi-pg-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    struct user u;
    if (geteuid() == 0 && find_postgres(&u)) assert_int_equal(chown(s->dir, u.uid, u.gid), 0);
    (void)snprintf(s->data, sizeof s->data, "%s/data", s->dir);
    char options[160], info[160];
    (void)snprintf(options, sizeof options, "-k %s -c listen_addresses= -c fsync=off", s->dir);
    const char *const init[] = {INITDB,  "-D", s->data, "-A",          "trust", "-U",
                                "gezhi", "-E", "UTF8",  "--no-locale", "-N",    NULL};
    const char *const go[] = {PG_CTL, "-D", s->data, "-w", "-o", options, "start", NULL};
    assert_int_equal(run(s, init), 0);
    assert_int_equal(run(s, go), 0);
    (void)snprintf(info, sizeof info, "host=%s user=gezhi dbname=postgres", s->dir);
    s->conn = PQconnectdb(info);
    if (PQstatus(s->conn) != CONNECTION_OK) fail_msg("%s", PQerrorMessage(s->conn));
}

static int failures;

static void execute(struct server *s, const char *what, const char *sql) {
    PGresult *r = PQexec(s->conn, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        print_error("%s: %s  %s\n", what, PQerrorMessage(s->conn), sql);
        failures++;
    }
    PQclear(r);
}

static void prepare(struct server *s, const char *what, const char *portable) {
    static int serial;
    struct buf b;
    buf_init(&b, SQL_MAX_TEXT);
    buf_printf(&b, "PREPARE s%d AS ", serial++);
    sql_translate(&b, SQL_POSTGRES, portable);
    execute(s, what, buf_text(&b));
    buf_deinit(&b);
}

static void create(struct server *s, const struct table *t) {
    struct buf b;
    buf_init(&b, SQL_MAX_TEXT);
    sql_create_table(&b, SQL_POSTGRES, t);
    execute(s, t->name, buf_text(&b));
    for (size_t i = 0; i < t->n_indexes; i++) {
        for (int twice = 0; twice < 2; twice++) { /* the second time it is there already */
            buf_clear(&b);
            sql_create_index(&b, SQL_POSTGRES, t, &t->indexes[i]);
            execute(s, t->name, buf_text(&b));
        }
    }
    buf_deinit(&b);
}

static void prepare_rows(struct server *s, const struct table *t) {
    void (*const texts[])(struct buf *, const struct table *) = {sql_insert, sql_update, sql_get,
                                                                 sql_scan};
    for (size_t i = 0; i < 4; i++) {
        struct buf b;
        buf_init(&b, SQL_MAX_TEXT);
        texts[i](&b, t);
        prepare(s, t->name, buf_text(&b));
        buf_deinit(&b);
    }
}

static void schema_and_statements(void **state) {
    (void)state;
    if (!installed()) {
        print_message("skipped: PostgreSQL 15 is not installed (package postgresql-15)\n");
        skip();
    }
    struct server s = {.conn = NULL};
    start(&s);
    size_t n_core, n_builtin;
    const struct table *const *core = tables_core(&n_core), *const *builtin =
                                                                tables_builtin(&n_builtin);
    for (size_t i = 0; i < n_core; i++) create(&s, core[i]);
    for (size_t i = 0; i < n_builtin; i++) create(&s, builtin[i]);
    create(&s, &test_item);
    for (size_t i = 0; i < n_builtin; i++) prepare_rows(&s, builtin[i]);
    prepare_rows(&s, &test_item);
    for (int i = 0; i < STMT_N; i++) prepare(&s, stmt_name((enum stmt)i), stmt_sql((enum stmt)i));
    struct buf b;
    buf_init(&b, 1000);
    const struct column extra = {"extra2", COL_REAL, false, false};
    sql_add_column(&b, SQL_POSTGRES, &test_item, &extra);
    execute(&s, "add column", buf_text(&b));
    buf_deinit(&b);
    int before = failures;
    execute(&s, "a wrong statement is noticed", "PREPARE bad AS SELECT nothing FROM nowhere");
    assert_int_equal(failures, before + 1);
    failures = before;
    stop(&s);
    print_message("%zu tables, %d named statements\n", n_core + n_builtin, (int)STMT_N);
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(schema_and_statements)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
