#include "domain/process/join.h"

#include <math.h>
#include <string.h>

#include "store/sql.h"

static const int64_t minute_us = 60000000;

static int reporters_col(const struct engine *e) { return type_field(e->case_type, "reporters"); }

static enum err_code refuse(const char *why, const char *code, struct err *err) {
    (void)err_fail(err, ERR_INVALID, "case %.40s %s", code, why);
    return err_field(err, ERR_INVALID, "/same_as");
}

/* ---- who reported ---- */

/* What tells one sender from another; texts "" when unknown. */
struct sender {
    int64_t id, at_us;
    const char *account, *contact;
    double lon, lat;
};

/* A clerk enters what many people tell him, each with a contact of his own; without one, what one
 * account reported is one sender's. */
static bool same_sender(const struct sender *x, const struct sender *y) {
    bool contacts = x->contact[0] != '\0' && y->contact[0] != '\0';
    if (contacts) return strcmp(x->contact, y->contact) == 0;
    if (x->account[0] != '\0' && y->account[0] != '\0') return strcmp(x->account, y->account) == 0;
    bool nameless = x->account[0] == '\0' && y->account[0] == '\0' && x->contact[0] == '\0' &&
                    y->contact[0] == '\0';
    int64_t apart = x->at_us > y->at_us ? x->at_us - y->at_us : y->at_us - x->at_us;
    return nameless && !isnan(x->lon) && x->lon == y->lon && x->lat == y->lat &&
           apart <= JOIN_SAME_MINUTES * minute_us;
}

/* The contact is compared inside the writer and goes nowhere; an erased one tells nothing. */
static enum err_code contact_of(struct tx *tx, const struct cell *c, const char **out,
                                struct err *err) {
    struct cell value = *c;
    *out = "";
    if (c->type == CELL_COMMIT) TRY(personal_get(tx_db(tx), c, tx_arena(tx), &value, err));
    if (value.type == CELL_TEXT && value.p != NULL) *out = value.p;
    return ERR_OK;
}

static enum err_code sender_of(const struct engine *e, struct tx *tx, const struct case_row *r,
                               struct sender *out, struct err *err) {
    *out = (struct sender){.id = r->id,
                           .at_us = case_int(e, r, CASE_opened_at),
                           .account = case_text(e, r, CASE_reporter_account),
                           .lon = case_real(e, r, CASE_lon),
                           .lat = case_real(e, r, CASE_lat)};
    return contact_of(tx, &r->cells[e->case_col[CASE_contact]], &out->contact, err);
}

/* The case itself and all that were joined to it, without `without`, by id. */
static enum err_code reports_of(const struct engine *e, struct tx *tx, int64_t id, int64_t without,
                                struct case_row **out, size_t *n, struct err *err) {
    struct arena *a = tx_arena(tx);
    struct cursor *c = NULL;
    struct sql s;
    *n = 0;
    *out = ARENA_NEW(a, struct case_row, JOIN_MAX_REPORTS);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "join");
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    case_select(e, &s, "");
    sql_add(&s, " FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " WHERE ledger = 1 AND (id = ");
    int again = sql_value(&s, cell_int(id));
    sql_add(&s, " OR duplicate_of = ");
    sql_again(&s, again);
    sql_add(&s, ") AND id <> ");
    sql_value(&s, cell_int(without));
    sql_add(&s, " ORDER BY id LIMIT ");
    sql_value(&s, cell_int(JOIN_MAX_REPORTS));
    TRY(sql_query(&s, tx_db(tx), &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && *n < JOIN_MAX_REPORTS;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) case_row_read(e, c, 0, a, &(*out)[(*n)++]);
    }
    cursor_close(c);
    return rc;
}

static enum err_code count_senders(const struct engine *e, struct tx *tx, const struct case_row *r,
                                   size_t n, int64_t *out, struct err *err) {
    struct sender *s = ARENA_NEW(tx_arena(tx), struct sender, n + 1);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "join");
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        bool fresh = true;
        TRY(sender_of(e, tx, &r[i], &s[i], err));
        for (size_t k = 0; k < i && fresh; k++) fresh = !same_sender(&s[k], &s[i]);
        *out += fresh;
    }
    return ERR_OK;
}

/* Count the matter's reporters again, with a report more (`with`) or less (`without`), and write
 * them. */
static enum err_code recount(const struct engine *e, struct tx *tx, struct case_row *target,
                             const struct case_row *with, int64_t without, struct err *err) {
    int col = reporters_col(e);
    struct case_row *r = NULL;
    size_t n = 0;
    int64_t reporters = 0;
    if (col < 0) return ERR_OK;
    TRY(reports_of(e, tx, target->id, with != NULL ? with->id : without, &r, &n, err));
    if (with != NULL && n < JOIN_MAX_REPORTS) r[n++] = *with;
    TRY(count_senders(e, tx, r, n, &reporters, err));
    target->cells[col] = cell_int(reporters);
    return tx_update(tx, &e->case_type->table, target->id, target->version, target->cells, err);
}

/* ---- joining and standing alone again ---- */

static enum err_code has_joined(const struct engine *e, struct tx *tx, int64_t id, bool *out,
                                struct err *err) {
    struct cursor *c = NULL;
    struct sql s;
    TRY(sql_begin(&s, tx_arena(tx), err));
    sql_add(&s, "SELECT 1 FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " WHERE ledger = 1 AND duplicate_of = ");
    sql_value(&s, cell_int(id));
    sql_add(&s, " LIMIT 1");
    TRY(sql_query(&s, tx_db(tx), &c, err));
    enum err_code rc = cursor_next(c, out, err);
    cursor_close(c);
    return rc;
}

static enum err_code target_of(const struct engine *e, struct tx *tx, const struct case_row *r,
                               const struct actor *actor, const char *code, struct case_row *out,
                               struct err *err) {
    enum err_code rc = case_load(e, tx_db(tx), code, tx_arena(tx), out, NULL);
    bool seen = rc == ERR_OK && (actor->kind != ACTOR_STAFF || case_may(e, out, actor->who));
    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        return err_fail(err, rc, "case %.40s cannot be read", code);
    /* One that may not be seen is not told from one that is not there. */
    if (!seen) return refuse("is not there", code, err);
    if (out->id == r->id) return refuse("is this case itself", code, err);
    if (strcmp(case_text(e, out, CASE_process), case_text(e, r, CASE_process)) != 0 ||
        case_int(e, out, CASE_private) != case_int(e, r, CASE_private))
        return refuse("is of another kind", code, err);
    if (case_has(e, out, CASE_duplicate_of))
        return refuse("was itself joined to another", code, err);
    return case_has(e, out, CASE_closed_at) ? refuse("is closed", code, err) : ERR_OK;
}

enum err_code join_enter(const struct engine *e, struct tx *tx, struct case_row *r,
                         const struct actor *actor, const struct val *inputs, struct err *err) {
    struct case_row *target = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    const char *code = NULL;
    bool others = false;
    if (target == NULL) return err_fail(err, ERR_NOMEM, "join");
    TRY(val_str(inputs, "same_as", true, 40, &code, err));
    TRY(target_of(e, tx, r, actor, code, target, err));
    TRY(has_joined(e, tx, r->id, &others, err));
    if (others) return refuse("can be joined to this one instead: others already are", code, err);
    case_set(e, r, CASE_duplicate_of, cell_int(target->id));
    return recount(e, tx, target, r, 0, err);
}

enum err_code join_leave(const struct engine *e, struct tx *tx, struct case_row *r,
                         struct err *err) {
    if (!case_has(e, r, CASE_duplicate_of)) return ERR_OK;
    struct case_row *target = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    if (target == NULL) return err_fail(err, ERR_NOMEM, "join");
    target->id = case_int(e, r, CASE_duplicate_of);
    TRY(tx_get(tx, &e->case_type->table, target->id, target->cells, &target->version, err));
    case_set(e, r, CASE_duplicate_of, cell_null());
    return recount(e, tx, target, NULL, r->id, err);
}

/* ---- told ---- */

int64_t join_reporters(const struct engine *e, const struct case_row *r) {
    int col = reporters_col(e);
    return col < 0 || r->cells[col].type != CELL_INT || r->cells[col].i < 1 ? 1 : r->cells[col].i;
}

enum err_code case_code_of(const struct engine *e, struct db *db, int64_t id, struct arena *a,
                           const char **out, struct err *err) {
    struct cursor *c = NULL;
    struct sql s;
    bool has = false;
    *out = NULL;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT code FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " WHERE ledger = 1 AND id = ");
    sql_value(&s, cell_int(id));
    TRY(sql_query(&s, db, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) {
        *out = arena_strdup(a, cursor_text(c, 0));
        if (*out == NULL) rc = err_fail(err, ERR_NOMEM, "case");
    }
    cursor_close(c);
    return rc;
}

int join_urgency(const struct engine *e, const struct case_row *r, struct text *title) {
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    int64_t n = join_reporters(e, r);
    int level = 0;
    for (size_t i = 0; p != NULL && i < p->n_urgency && n >= p->urgency[i].reporters; i++) {
        level = (int)i + 1;
        *title = p->urgency[i].title;
    }
    return level;
}
