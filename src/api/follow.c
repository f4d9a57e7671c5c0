/* What the reporter (or a party) sees and does with case code and follow word. */
#include <stdio.h>
#include <string.h>

#include "api/case_view.h"
#include "api/handlers.h"
#include "domain/identity/follow.h"

enum { MAX_PARTIES_READ = 16 };

/* Which party the word belongs to: its row id, 0 for the reporter, -1 for nobody. Every stored hash
 * is compared, found or not. */
static enum err_code holder_of_word(const struct app *app, struct db *db, struct arena *a,
                                    const struct case_row *r, const char *code, const char *word,
                                    int64_t *who, struct err *err) {
    const struct engine *e = app->engine;
    *who =
        follow_equal(e->secret, code, "reporter", word, case_text(e, r, CASE_follow_hash)) ? 0 : -1;
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT id, follow_hash FROM ");
    sql_table(&s, &e->party_type->table);
    sql_add(&s, " WHERE ledger = 1 AND case_id = ");
    sql_value(&s, cell_int(r->id));
    sql_add(&s, " ORDER BY id LIMIT 16");
    struct cursor *c = NULL;
    TRY(sql_query(&s, db, &c, err));
    enum err_code rc = ERR_OK;
    int n = 0;
    for (bool has = true; rc == ERR_OK && has && n < MAX_PARTIES_READ;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) continue;
        char role[32];
        (void)snprintf(role, sizeof role, "party:%d", ++n);
        if (follow_equal(e->secret, code, role, word, cursor_text(c, 1))) *who = cursor_int(c, 0);
    }
    cursor_close(c);
    return rc;
}

/* The case behind code and word. A wrong word and a code that is not there give the same answer,
 * after the same work. */
static enum err_code open_by_word(const struct app *app, struct db *db, struct arena *a,
                                  const char *remote, const char *code, const char *word,
                                  struct case_row *row, int64_t *who, struct err *err) {
    int64_t now = clock_now_us(&app->clock);
    TRY(follow_try_begin(app->throttle, code, remote, now, err));
    *who = -1;
    enum err_code rc = case_load(app->engine, db, code, a, row, err);
    if (rc == ERR_OK)
        rc = holder_of_word(app, db, a, row, code, word, who, err);
    else if (rc == ERR_NOT_FOUND)
        (void)follow_equal(app->engine->secret, code, "reporter", word, NULL);
    follow_try_end(app->throttle, code, remote, now, rc == ERR_OK && *who >= 0);
    if (rc != ERR_OK && rc != ERR_NOT_FOUND) return rc;
    if (*who >= 0) return ERR_OK;
    return err_fail(err, ERR_NOT_FOUND, "case code and follow word do not belong together");
}

static enum err_code read_key(struct call *c, const struct val **body, const char **code,
                              const char **word, struct err *err) {
    TRY(call_body(c, body, err));
    TRY(val_str(*body, "code", true, 47, code, err));
    return val_str(*body, "word", true, 40, word, err);
}

enum err_code follow_post(struct call *c, struct err *err) {
    static const char *const known[] = {"code", "word", NULL};
    const struct val *body = NULL;
    const char *code = NULL, *word = NULL;
    TRY(read_key(c, &body, &code, &word, err));
    TRY(val_only(body, known, err));
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "case");
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    int64_t who = -1;
    enum err_code rc =
        open_by_word(c->app, reader_db(rd), c->a, c->req->remote, code, word, row, &who, err);
    if (rc == ERR_OK) {
        const struct grid *g = grid_ref(c->app->grid);
        struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), true};
        struct jw w = call_json(c);
        jw_obj(&w);
        rc = view_case_follow(&v, &w, row, who, err);
        jw_end(&w, '}');
        grid_unref(g);
    }
    ledger_read_end(rd);
    return rc;
}

/* ---- rate, reopen ---- */

struct follow_move_call {
    struct call *call;
    const char *code, *word;
    const struct val *inputs;
    int64_t who;
};

static enum err_code follow_apply(struct tx *tx, void *arg, struct err *err) {
    struct follow_move_call *m = arg;
    struct call *c = m->call;
    struct case_row *row = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "case");
    TRY(case_load(c->app->engine, tx_db(tx), m->code, tx_arena(tx), row, err));
    struct actor actor = {.kind = m->who == 0 ? ACTOR_REPORTER : ACTOR_PARTY, .party = m->who};
    TRY(case_move(c->app->engine, tx, row, c->param[0], &actor, m->inputs, -1, 0, NULL, err));
    TRY(notify_move(c->app, tx, row, c->param[0], "", err));
    TRY(case_load(c->app->engine, tx_db(tx), m->code, tx_arena(tx), row, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct view v = {c->app, g, tx_db(tx), tx_arena(tx), tx_now_us(tx), true};
    struct reply *reply = tx_reply(tx);
    reply->status = 200;
    struct jw w;
    jw_init(&w, &reply->body);
    jw_obj(&w);
    enum err_code rc = view_case_follow(&v, &w, row, m->who, err);
    jw_end(&w, '}');
    grid_unref(g);
    return rc == ERR_OK ? buf_check(&reply->body, err) : rc;
}

/* The body without code and word: what is left are the move's inputs. */
static enum err_code inputs_of(struct call *c, const struct val *body, const struct val **out,
                               struct err *err) {
    struct val *copy = ARENA_NEW(c->a, struct val, 1);
    struct val_pair *pairs = ARENA_NEW(c->a, struct val_pair, body->n);
    if (copy == NULL || pairs == NULL) return err_fail(err, ERR_NOMEM, "inputs");
    size_t n = 0;
    for (size_t i = 0; i < body->n; i++) {
        const char *key = body->u.map[i].key;
        if (strcmp(key, "code") != 0 && strcmp(key, "word") != 0) pairs[n++] = body->u.map[i];
    }
    *copy = (struct val){.type = VAL_MAP, .n = n, .u.map = pairs};
    *out = copy;
    return ERR_OK;
}

enum err_code follow_move(struct call *c, struct err *err) {
    struct follow_move_call *m = ARENA_NEW(c->a, struct follow_move_call, 1);
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    if (m == NULL || row == NULL) return err_fail(err, ERR_NOMEM, "move");
    const struct val *body = NULL;
    m->call = c;
    TRY(read_key(c, &body, &m->code, &m->word, err));
    TRY(inputs_of(c, body, &m->inputs, err));
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    enum err_code rc = open_by_word(c->app, reader_db(rd), c->a, c->req->remote, m->code, m->word,
                                    row, &m->who, err);
    ledger_read_end(rd);
    TRY(rc);
    char name[64];
    (void)snprintf(name, sizeof name, "case.%.50s", c->param[0]);
    return call_submit(c, name, NULL, follow_apply, m, err);
}
