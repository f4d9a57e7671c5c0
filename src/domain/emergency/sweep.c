#include <string.h>

#include "domain/emergency/inside.h"
#include "domain/process/clock.h"
#include "domain/process/step.h"
#include "store/tables.h"

enum { ROUND = 50000, ROUND_ARENA = 64 << 20, SEEN_ARENA = 1 << 20 };

/* ---- which cases ---- */

static bool lies_in(const struct engine *e, const struct case_row *r, const char *area) {
    static const enum case_field levels[] = {CASE_city, CASE_county, CASE_town, CASE_community};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(case_text(e, r, levels[i]), area) == 0) return true;
    return false;
}

static bool covers(const struct engine *e, const struct emergency *em, const struct case_row *r) {
    return lies_in(e, r, em->area) && case_int(e, r, CASE_urgent) == 0 &&
           emergency_covers_class(em, pack_class(e->packs, case_text(e, r, CASE_class)));
}

/* The emergency in force that covers the case, the oldest first; 0: none. */
static enum err_code covering(const void *ctx, struct tx *tx, const struct engine *e,
                              const struct case_row *r, int64_t *emergency, struct err *err) {
    (void)ctx;
    const struct emergency *in_force = NULL;
    size_t n = 0;
    struct cell p[1] = {cell_int(db_ledger(tx_db(tx)))};
    TRY(emergency_read_all(tx_db(tx), STMT_EMERGENCY_IN_FORCE, p, 1, tx_arena(tx), &in_force, &n,
                           err));
    *emergency = 0;
    for (size_t i = 0; i < n && *emergency == 0; i++)
        if (covers(e, &in_force[i], r)) *emergency = in_force[i].id;
    return ERR_OK;
}

void emergency_attach(struct engine *e) { e->holder = (struct clock_holder){.covering = covering}; }

/* Open cases with a clock in the area that no emergency holds: id, class, urgent. */
static enum err_code open_query(const struct engine *e, struct db *db, const char *area,
                                struct arena *a, struct cursor **out, struct err *err) {
    static const enum case_field levels[] = {CASE_city, CASE_county, CASE_town, CASE_community};
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT id, class, urgent FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " WHERE ledger = 1 AND closed_at IS NULL AND (due_at IS NOT NULL OR paused_at IS "
                "NOT NULL) AND emergency IS NULL AND (1 = 0");
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        sql_add(&s, " OR ");
        sql_column(&s, &e->case_type->table, e->case_col[levels[i]], "");
        sql_add(&s, " = ");
        sql_value(&s, cell_text(area));
    }
    sql_add(&s, ")");
    return sql_query(&s, db, out, err);
}

static enum err_code held_query(const struct engine *e, struct db *db, int64_t id, struct arena *a,
                                struct cursor **out, struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT id FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " WHERE ledger = 1 AND emergency = ");
    sql_value(&s, cell_int(id));
    return sql_query(&s, db, out, err);
}

/* Ids of at most `max` cases to go through, or only how many there are (ids NULL). */
struct found {
    int64_t *ids;
    size_t n, max;
    int64_t n_urgent;
};

static enum err_code gather(const struct engine *e, struct db *db, const struct emergency *em,
                            bool resume, struct arena *a, struct found *f, struct err *err) {
    struct cursor *c = NULL;
    if (resume)
        TRY(held_query(e, db, em->id, a, &c, err));
    else
        TRY(open_query(e, db, em->area, a, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && f->n < f->max;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        if (!resume) {
            const struct case_class *k = pack_class(e->packs, cursor_text(c, 1));
            bool urgent = cursor_int(c, 2) != 0 || (k != NULL && k->urgent);
            if (urgent) f->n_urgent++;
            if (urgent || !emergency_covers_class(em, k)) continue;
        }
        if (f->ids != NULL) f->ids[f->n] = cursor_int(c, 0);
        f->n++;
    }
    cursor_close(c);
    return rc;
}

enum err_code emergency_count(const struct engine *e, struct db *db, const struct emergency *em,
                              struct arena *a, int64_t *n_covered, int64_t *n_urgent,
                              struct err *err) {
    struct found f = {.max = SIZE_MAX};
    *n_covered = *n_urgent = 0;
    if (!e->clocks_stop) return ERR_OK;
    TRY(gather(e, db, em, false, a, &f, err));
    *n_covered = (int64_t)f.n;
    *n_urgent = f.n_urgent;
    return ERR_OK;
}

enum err_code emergency_holds(const struct engine *e, struct db *db, int64_t id, struct arena *a,
                              int64_t *n, struct err *err) {
    const struct emergency em = {.id = id};
    struct found f = {.max = SIZE_MAX};
    *n = 0;
    if (!e->clocks_stop) return ERR_OK;
    TRY(gather(e, db, &em, true, a, &f, err));
    *n = (int64_t)f.n;
    return ERR_OK;
}

/* ---- one batch ---- */

struct batch {
    const struct engine *e;
    int64_t emergency;
    bool resume;
    const int64_t *ids;
    size_t n;
    int64_t n_done;
};

static enum err_code write_case(const struct batch *b, struct tx *tx, struct case_row *r,
                                const char *move, int64_t at_us, struct err *err) {
    const struct engine *e = b->e;
    TRY(tx_update(tx, &e->case_type->table, r->id, r->version, r->cells, err));
    struct step s = {.move = move,
                     .from = case_text(e, r, CASE_state),
                     .to = case_text(e, r, CASE_state),
                     .actor = "system",
                     .role = "system",
                     .at_us = at_us,
                     .is_public = true};
    return step_add(e, tx, r, &s, NULL, err);
}

/* All clocks stop at the moment of the approval, whenever their batch comes. */
static enum err_code pause_one(struct batch *b, struct tx *tx, const struct emergency *em,
                               struct case_row *r, struct err *err) {
    const struct engine *e = b->e;
    bool runs = case_has(e, r, CASE_due_at) || clock_stands(e, r);
    if (case_has(e, r, CASE_closed_at) || !runs || clock_emergency(e, r) != 0 || !covers(e, em, r))
        return ERR_OK;
    int64_t since = case_int(e, r, CASE_state_since);
    int64_t at_us = since > em->approved_us ? since : em->approved_us;
    clock_hold(e, r, em->id, at_us);
    b->n_done++;
    return write_case(b, tx, r, CLOCK_STEP_PAUSE, at_us, err);
}

/* Another emergency that covers the case takes the clock over: it goes on standing. */
static enum err_code resume_one(struct batch *b, struct tx *tx, const struct emergency *em,
                                struct case_row *r, struct err *err) {
    const struct engine *e = b->e;
    int64_t other = 0;
    bool goes_on = false;
    if (clock_emergency(e, r) != em->id) return ERR_OK;
    TRY(covering(NULL, tx, e, r, &other, err));
    b->n_done++;
    if (other != 0) {
        clock_hold(e, r, other, em->ended_us);
        return tx_update(tx, &e->case_type->table, r->id, r->version, r->cells, err);
    }
    clock_let_go(e, r, em->ended_us, &goes_on);
    return write_case(b, tx, r, CLOCK_STEP_RESUME, em->ended_us, err);
}

/* The emergency as it stands in this command; *ours: the sweep is still the one that was begun. */
static enum err_code count_done(struct batch *b, struct tx *tx, bool finished, struct err *err) {
    struct cell c[col_emergency_count];
    int64_t version = 0;
    TRY(tx_get(tx, &table_emergency, b->emergency, c, &version, err));
    int col = b->resume ? col_emergency_n_resumed : col_emergency_n_paused;
    c[col] = cell_int(c[col].i + b->n_done);
    if (finished) c[col_emergency_sweep] = cell_null();
    return tx_update(tx, &table_emergency, b->emergency, version, c, err);
}

static enum err_code batch_apply(struct tx *tx, void *arg, struct err *err) {
    struct batch *b = arg;
    const struct engine *e = b->e;
    struct emergency em;
    struct case_row *r = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    if (r == NULL) return err_fail(err, ERR_NOMEM, "emergency");
    b->n_done = 0;
    TRY(emergency_load(tx_db(tx), b->emergency, tx_arena(tx), &em, err));
    /* Ended while its cases were being paused: the next round lets go of those that were. */
    if (!em.sweeping || (em.state == EMERGENCY_ENDED) != b->resume) return ERR_OK;
    for (size_t i = 0; i < b->n; i++) {
        r->id = b->ids[i];
        TRY(tx_get(tx, &e->case_type->table, r->id, r->cells, &r->version, err));
        if (b->resume)
            TRY(resume_one(b, tx, &em, r, err));
        else
            TRY(pause_one(b, tx, &em, r, err));
    }
    return count_done(b, tx, b->n == 0, err);
}

static enum err_code run_batch(struct ledger *l, struct batch *b, struct err *err) {
    struct command c = {.name = b->resume ? "emergency.resume" : "emergency.pause",
                        .actor = "system",
                        .apply = batch_apply,
                        .arg = b};
    return ledger_run(l, &c, NULL, NULL, err);
}

/* ---- all of it ---- */

/* What is to be done next: *left false when nothing is. */
static enum err_code next_round(struct ledger *l, const struct engine *e, struct arena *a,
                                struct emergency *em, struct found *f, bool *left,
                                struct err *err) {
    struct reader *rd = NULL;
    const struct emergency *list = NULL;
    size_t n = 0;
    TRY(ledger_read_begin(l, &rd, err));
    struct cell p[1] = {cell_int(db_ledger(reader_db(rd)))};
    enum err_code rc =
        emergency_read_all(reader_db(rd), STMT_EMERGENCY_SWEEPS, p, 1, a, &list, &n, err);
    *left = rc == ERR_OK && n > 0;
    if (*left) {
        *em = list[0];
        f->ids = ARENA_NEW(a, int64_t, f->max);
        rc = f->ids == NULL ? err_fail(err, ERR_NOMEM, "emergency")
                            : gather(e, reader_db(rd), em, em->state == EMERGENCY_ENDED, a, f, err);
    }
    ledger_read_end(rd);
    return rc;
}

static enum err_code one_round(struct ledger *l, const struct engine *e, struct arena *a,
                               bool (*more)(void *ctx), void *ctx, bool *left, int64_t *n,
                               struct err *err) {
    struct emergency em;
    struct found f = {.max = ROUND};
    TRY(next_round(l, e, a, &em, &f, left, err));
    if (!*left) return ERR_OK;
    struct batch b = {.e = e, .emergency = em.id, .resume = em.state == EMERGENCY_ENDED};
    /* Without any case left, the empty batch marks it as gone through. */
    for (size_t at = 0; at == 0 || at < f.n; at += EMERGENCY_BATCH) {
        if (more != NULL && !more(ctx)) {
            *left = false;
            return ERR_OK;
        }
        b.ids = f.ids + at;
        b.n = f.n - at < EMERGENCY_BATCH ? f.n - at : EMERGENCY_BATCH;
        TRY(run_batch(l, &b, err));
        *n += b.n_done;
    }
    return ERR_OK;
}

static enum err_code anything(struct ledger *l, bool *yes, struct err *err) {
    struct reader *rd = NULL;
    const struct emergency *list = NULL;
    size_t n = 0;
    TRY(ledger_read_begin(l, &rd, err));
    struct arena *a = arena_new(SEEN_ARENA);
    struct cell p[1] = {cell_int(db_ledger(reader_db(rd)))};
    enum err_code rc = a == NULL ? err_fail(err, ERR_NOMEM, "emergency")
                                 : emergency_read_all(reader_db(rd), STMT_EMERGENCY_SWEEPS, p, 1, a,
                                                      &list, &n, err);
    *yes = rc == ERR_OK && n > 0;
    arena_free(a);
    ledger_read_end(rd);
    return rc;
}

enum err_code emergency_continue(struct ledger *l, const struct engine *e, bool (*more)(void *ctx),
                                 void *ctx, int64_t *n, struct err *err) {
    int64_t done = 0;
    bool left = false;
    TRY(anything(l, &left, err));
    enum err_code rc = ERR_OK;
    while (rc == ERR_OK && left) {
        struct arena *a = arena_new(ROUND_ARENA);
        rc = a == NULL ? err_fail(err, ERR_NOMEM, "emergency")
                       : one_round(l, e, a, more, ctx, &left, &done, err);
        arena_free(a);
    }
    if (n != NULL) *n = done;
    return rc;
}
