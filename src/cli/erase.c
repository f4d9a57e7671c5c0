/* gezhi erase: personal values of one case go for good, on request of the person; every proof stays
 * valid. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "domain/grid/folder.h"
#include "store/sql.h"

enum { MAX_ROWS = 600 };

struct erasing {
    const struct pack_set *packs;
    const char *code, *reason;
    bool all; /* also what was said: description, notes, parties */
    int64_t n;
};

/* Ids of the rows of a type whose column holds the value. */
static enum err_code ids_of(struct tx *tx, const struct type_def *t, const char *column,
                            struct cell value, int64_t *ids, size_t *n, struct err *err) {
    struct sql s;
    struct cursor *c = NULL;
    TRY(sql_begin(&s, tx_arena(tx), err));
    sql_add(&s, "SELECT id FROM ");
    sql_table(&s, &t->table);
    sql_add(&s, " WHERE ledger = 1 AND ");
    sql_column(&s, &t->table, type_field(t, column), "");
    sql_add(&s, " = ");
    sql_value(&s, value);
    sql_add(&s, " ORDER BY id LIMIT 600");
    TRY(sql_query(&s, tx_db(tx), &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && *n < MAX_ROWS;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) ids[(*n)++] = cursor_int(c, 0);
    }
    cursor_close(c);
    return rc;
}

static enum err_code erase_rows(struct tx *tx, struct erasing *e, const char *type, const char *key,
                                struct cell value, const char *column, int64_t *first,
                                struct err *err) {
    const struct type_def *t = pack_type(e->packs, type);
    int64_t ids[MAX_ROWS];
    size_t n = 0;
    if (t == NULL) return err_fail(err, ERR_INVALID, "the packs have no type \"%s\"", type);
    TRY(ids_of(tx, t, key, value, ids, &n, err));
    for (size_t i = 0; i < n; i++) {
        int64_t erased = 0;
        TRY(tx_erase(tx, &t->table, ids[i], column, e->reason, &erased, err));
        e->n += erased;
    }
    if (first != NULL) *first = n == 0 ? 0 : ids[0];
    return ERR_OK;
}

static enum err_code apply(struct tx *tx, void *arg, struct err *err) {
    struct erasing *e = arg;
    int64_t id = 0;
    TRY(erase_rows(tx, e, "case", "code", cell_text(e->code), e->all ? NULL : "contact", &id, err));
    if (id == 0) return err_fail(err, ERR_NOT_FOUND, "there is no case %s", e->code);
    TRY(erase_rows(tx, e, "party", "case_id", cell_int(id), e->all ? NULL : "contact", NULL, err));
    return e->all ? erase_rows(tx, e, "step", "case_id", cell_int(id), NULL, NULL, err) : ERR_OK;
}

int cli_erase(int argc, char **argv) {
    const char *data = NULL;
    struct erasing e = {0};
    struct folder f;
    struct err err = {0};
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder"},
        {"reason", OPT_STR, &e.reason, true, "TEXT", "on whose request and why; journalled"},
        {"all", OPT_FLAG, &e.all, false, NULL,
         "also what was written: text, notes, parties' statements"}};
    const struct opt_command cmd = {
        "erase",
        "CODE",
        1,
        1,
        opts,
        3,
        "Erase how to reach the people of a case, or all their words, for good.",
        NULL};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    e.code = argv[0];
    if (folder_open(data, 1, NULL, &f, &err) != ERR_OK) return cli_fail("erase", &err);
    e.packs = f.packs;
    struct command c = {
        .name = "case.erase", .actor = "system", .purpose = "erasure", .apply = apply, .arg = &e};
    enum err_code rc = ledger_run(f.ledger, &c, NULL, NULL, &err);
    folder_close(&f);
    if (rc != ERR_OK) return cli_fail("erase", &err);
    (void)printf("erased %lld values of %s\n", (long long)e.n, e.code);
    return 0;
}
