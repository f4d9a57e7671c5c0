/* The last ten days of the demo city as its nights would have recorded them, and what people made
 * of the warnings: each move through the process, by the accounts that are printed. */
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "domain/identity/identity.h"
#include "domain/measure/definitions.h"
#include "domain/warning/run.h"
#include "sim/demo_inside.h"

enum { DAYS = 10, MAX_WARNINGS = 400, N_PLANS = 5 };
static const int64_t hour_us = 3600ll * 1000000;

/* What becomes of a warning, by the order in which they were raised: days after it was raised. */
struct plan_step {
    int day, hour;
    const char *move, *role, *name, *input; /* input: the one that the move requires, or NULL */
    const char *text;
};
static const struct plan_step worked[] = {
    {1, 9, "acknowledge", "analyst", "analyst1", NULL, NULL},
    {1, 11, "study", "analyst", "analyst1", "finding",
     "经核对案件和同类地区情况，问题属实，成因已列明，需集中处置。"},
    {2, 10, "measure", "analyst", "analyst1", "measures", "派员排查成因，集中处置，加密巡查。"},
    {3, 16, "evidence", "department", "", "note", "已完成集中处置，现场照片和处置清单已归档。"},
    {4, 10, "verify", "verifier", "verifier1", NULL, NULL},
    {5, 9, "close", "supervisor", "supervisor1", NULL, NULL}};
static const struct plan_step studied[] = {
    {1, 10, "acknowledge", "analyst", "analyst1", NULL, NULL},
    {1, 15, "study", "analyst", "analyst1", "finding",
     "经核对数据，情况属实，需责任单位限期整改并继续观察。"},
    {2, 9, "measure", "analyst", "analyst1", "measures",
     "由责任单位列出清单，逐项整改，按周反馈。"}};
static const struct plan_step seen[] = {{1, 14, "acknowledge", "analyst", "analyst1", NULL, NULL},
                                        {2, 11, "study", "analyst", "analyst1", "finding",
                                         "案件时间和地点集中，已列出涉及案件，成因待现场核实。"}};
/* A rise of one day that nobody follows up is looked at two days later. */
static const struct plan_step called_false[] = {
    {1, 14, "acknowledge", "analyst", "analyst1", NULL, NULL},
    {2, 11, "call_false", "analyst", "analyst1", "reason",
     "仅一日偏高，逐件核查无共同成因，属正常波动。"}};
static const struct {
    const struct plan_step *step;
    size_t n;
} plans[N_PLANS] = {{worked, sizeof worked / sizeof worked[0]},
                    {studied, sizeof studied / sizeof studied[0]},
                    {NULL, 0},
                    {seen, sizeof seen / sizeof seen[0]},
                    {called_false, sizeof called_false / sizeof called_false[0]}};

struct working {
    struct demo *d;
    const struct grid *grid;
    int64_t night_us; /* when the day was recorded */
    bool supervised;  /* one notice by hand is enough */
    struct err *err;
    enum err_code rc;
};

/* The account that acts for a unit. */
static void of_unit(const struct demo *d, const char *unit, char out[DEMO_ACCOUNT]) {
    for (uint32_t i = 0; i < d->plan->n_unit; i++)
        if (strcmp(d->plan->unit[i].code, unit) == 0) demo_account(d, d->plan->unit[i].post, out);
}

static void person(const struct demo *d, const struct plan_step *s, const char *unit,
                   struct principal *out) {
    char name[DEMO_ACCOUNT] = "department1";
    *out = (struct principal){.role = pack_role(d->folder->packs, s->role), .grants = UINT64_MAX};
    if (s->name[0] == '\0') of_unit(d, unit, name);
    (void)snprintf(out->name, sizeof out->name, "%s", s->name[0] == '\0' ? name : s->name);
    (void)snprintf(out->unit, sizeof out->unit, "%s", unit);
}

/* The unit with the duty of the class where the warning lies; the first of the city else. */
static const char *unit_for(const struct working *w, const struct warn_kept *k,
                            const struct case_row *row) {
    static const enum case_field fields[GRID_LEVELS] = {CASE_N, CASE_city, CASE_county, CASE_town,
                                                        CASE_community};
    const struct engine *e = w->d->engine;
    if (case_has(e, row, CASE_unit)) return case_text(e, row, CASE_unit);
    const struct case_class *cls = k->cls[0] == '\0' ? NULL : pack_class(e->packs, k->cls);
    int at[GRID_LEVELS] = {GRID_NONE};
    for (int i = 1; i < GRID_LEVELS; i++)
        at[i] = grid_area_index(w->grid, case_text(e, row, fields[i]));
    int unit = cls == NULL ? GRID_NONE : grid_unit_for(w->grid, cls->duty, at);
    if (unit == GRID_NONE && w->grid->n_units > 0) unit = 0;
    return unit == GRID_NONE ? "" : w->grid->units[unit].code;
}

static enum err_code make_step(struct working *w, struct tx *tx, const struct warn_kept *k,
                               struct case_row *row, const struct plan_step *s, int64_t at_us,
                               struct err *err) {
    const struct engine *e = w->d->engine;
    const struct process_def *p = pack_process(e->packs, WARNING_PROCESS);
    const struct move_def *m = p == NULL ? NULL : process_move(p, s->move);
    struct principal *who = ARENA_NEW(tx_arena(tx), struct principal, 1);
    if (who == NULL) return err_fail(err, ERR_NOMEM, "demo");
    const char *unit = unit_for(w, k, row);
    person(w->d, s, unit, who);
    struct actor actor = {.kind = ACTOR_STAFF, .who = who};
    /* What the rules of the process bar (it still holds) is left for another day. */
    if (m == NULL || !move_allowed(e, row, m, &actor, NULL)) return ERR_OK;
    struct val_pair pairs[2] = {{0}};
    size_t n = 0;
    if (s->input != NULL) {
        pairs[n].key = s->input;
        pairs[n].v = (struct val){.type = VAL_STR, .n = strlen(s->text), .u.s = s->text};
        n++;
    }
    if (strcmp(s->move, "measure") == 0) {
        pairs[n].key = "unit";
        pairs[n].v = (struct val){.type = VAL_STR, .n = strlen(unit), .u.s = unit};
        n++;
    }
    const struct val inputs = {.type = VAL_MAP, .n = n, .u.map = pairs};
    return case_move(e, tx, row, s->move, &actor, &inputs, -1, at_us, NULL, err);
}

static enum err_code give_notice(struct working *w, struct tx *tx, const struct warn_kept *k,
                                 const struct case_row *row, struct err *err) {
    static const struct plan_step s = {.role = "supervisor", .name = "supervisor1"};
    struct case_row *made = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    struct principal *who = ARENA_NEW(tx_arena(tx), struct principal, 1);
    if (made == NULL || who == NULL) return err_fail(err, ERR_NOMEM, "demo");
    person(w->d, &s, "", who);
    struct supervise in = {.engine = w->d->engine,
                           .about = row,
                           .unit = unit_for(w, k, row),
                           .text = "请说明成因和处置计划，并按期反馈。",
                           .level = 1,
                           .who = who,
                           .at_us = w->night_us + 10 * hour_us};
    w->supervised = true;
    return warn_supervise(tx, &in, made, err);
}

/* A red warning was supervised by the program; where it names no unit the supervisor does. */
static enum err_code give_unit(struct working *w, struct tx *tx, const struct warn_kept *k,
                               const struct case_row *about, struct err *err) {
    static const struct plan_step s = {.role = "supervisor", .name = "supervisor1"};
    const struct engine *e = w->d->engine;
    const char *unit = unit_for(w, k, about), *code = NULL;
    struct case_row *row = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    struct principal *who = ARENA_NEW(tx_arena(tx), struct principal, 1);
    if (row == NULL || who == NULL) return err_fail(err, ERR_NOMEM, "demo");
    TRY(warn_supervision_of(e, tx_db(tx), tx_arena(tx), about->id, &code, err));
    if (code == NULL || unit[0] == '\0') return ERR_OK;
    TRY(case_load(e, tx_db(tx), code, tx_arena(tx), row, err));
    if (case_has(e, row, CASE_unit)) return ERR_OK;
    person(w->d, &s, "", who);
    struct actor actor = {.kind = ACTOR_STAFF, .who = who};
    struct val_pair pair = {.key = "unit", .v = {.type = VAL_STR, .n = strlen(unit), .u.s = unit}};
    const struct val inputs = {.type = VAL_MAP, .n = 1, .u.map = &pair};
    return case_move(e, tx, row, "assign", &actor, &inputs, -1, w->night_us + 10 * hour_us, NULL,
                     err);
}

/* The steps of a plan that fall into the day after a night. */
static enum err_code work_one(struct working *w, struct tx *tx, const struct warn_kept *k,
                              size_t number, struct err *err) {
    struct case_row *row = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    int32_t day = warn_local_day(w->d->folder->tz, w->night_us);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "demo");
    TRY(case_load(w->d->engine, tx_db(tx), k->code, tx_arena(tx), row, err));
    for (size_t i = 0; i < plans[number % N_PLANS].n; i++) {
        const struct plan_step *s = &plans[number % N_PLANS].step[i];
        int64_t at_us = w->night_us + s->hour * hour_us;
        /* Closing waits for the condition, day after day. */
        if (strcmp(s->move, "call_false") == 0 && k->last != k->raised) continue;
        bool due = day - k->raised == s->day ||
                   (strcmp(s->move, "close") == 0 && day - k->raised > s->day);
        if (due && at_us < w->d->until_us) TRY(make_step(w, tx, k, row, s, at_us, err));
    }
    if (day - k->raised != 1 || w->night_us + 10 * hour_us >= w->d->until_us) return ERR_OK;
    if (k->color == WARN_RED) return give_unit(w, tx, k, row, err);
    if (w->supervised || k->color != WARN_ORANGE) return ERR_OK;
    return give_notice(w, tx, k, row, err);
}

static enum err_code work_apply(struct tx *tx, void *arg, struct err *err) {
    struct working *w = arg;
    struct arena *a = tx_arena(tx);
    struct warn_kept *k = ARENA_NEW(a, struct warn_kept, MAX_WARNINGS);
    struct sql s;
    struct cursor *c = NULL;
    size_t n = 0;
    if (k == NULL) return err_fail(err, ERR_NOMEM, "demo");
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    warn_kept_select(&s, "w.");
    sql_add(&s, " FROM warning w WHERE w.ledger = 1 ORDER BY w.id LIMIT ");
    (void)sql_value(&s, cell_int(MAX_WARNINGS));
    TRY(sql_query(&s, tx_db(tx), &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && n < MAX_WARNINGS;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) warn_kept_read(c, 0, a, &k[n++]);
    }
    cursor_close(c);
    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        if (k[i].joined == 0) rc = work_one(w, tx, &k[i], i, err);
    return rc;
}

static void after_night(void *ctx, int32_t day, const struct warn_record *r) {
    struct working *w = ctx;
    (void)day;
    w->night_us = r->at_us;
    struct command c = {.name = "demo.work", .actor = "system", .apply = work_apply, .arg = w};
    if (w->rc == ERR_OK) w->rc = ledger_run(w->d->folder->ledger, &c, NULL, NULL, w->err);
}

static enum err_code record(struct demo *d, struct working *w, const struct definitions *defs,
                            struct err *err) {
    /* The last night before the end recorded the day before it. */
    int64_t next = warn_next_night(d->folder->tz, defs->warnings, d->until_us);
    int32_t to = warn_local_day(d->folder->tz, next) - 2;
    struct pool *pool = NULL;
    TRY(pool_new(0, &pool, err));
    struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = pool_threads(pool)};
    struct warn_run r = {.ledger = d->folder->ledger,
                         .engine = d->engine,
                         .set = defs->warnings,
                         .seed = 1,
                         .run = &run,
                         .indices = defs->indices,
                         .backdate = true,
                         .told = after_night,
                         .ctx = w};
    enum err_code rc = warn_run_days(&r, to - DAYS + 1, to, err);
    pool_free(pool);
    return rc == ERR_OK ? w->rc : rc;
}

enum err_code demo_write_warnings(struct demo *d, struct err *err) {
    struct working w = {.d = d, .err = err, .rc = ERR_OK};
    const struct definitions *defs = NULL;
    struct reader *r = NULL;
    if (pack_class(d->folder->packs, WARNING_CLASS) == NULL) return ERR_OK; /* other packs */
    TRY(ledger_read_begin(d->folder->ledger, &r, err));
    enum err_code rc = definitions_build(reader_db(r), 1, d->folder->packs, &defs, err);
    ledger_read_end(r);
    if (rc == ERR_OK) {
        w.grid = grid_ref(d->engine->grid);
        rc = record(d, &w, defs, err);
        grid_unref(w.grid);
    }
    definitions_unref(defs);
    return rc;
}
