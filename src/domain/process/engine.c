#include "domain/process/engine.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "domain/process/serial.h"

#define X(f) #f,
static const char *const case_names[] = {CASE_FIELDS(X) NULL, CASE_CLOCK_FIELDS(X) NULL,
                                         CASE_CONFIRM_FIELDS(X)};
static const char *const step_names[] = {STEP_FIELDS(X) NULL, STEP_CLOCK_FIELDS(X)};
static const char *const party_names[] = {PARTY_FIELDS(X)};
#undef X

static enum err_code resolve(const struct pack_set *packs, const char *type,
                             const char *const *names, size_t n, const struct type_def **out,
                             int *cols, struct err *err) {
    const struct type_def *t = pack_type(packs, type);
    if (t == NULL) return err_fail(err, ERR_INVALID, "the packs have no type \"%s\"", type);
    for (size_t i = 0; i < n; i++) {
        cols[i] = type_field(t, names[i]);
        if (cols[i] < 0) {
            return err_fail(err, ERR_INVALID,
                            "type \"%s\" has no field \"%s\", which the process engine needs", type,
                            names[i]);
        }
    }
    *out = t;
    return ERR_OK;
}

/* Fields from `from` to `to` that a type need not have. */
static bool resolve_if_there(const struct type_def *t, const char *const *names, int from, int to,
                             int *cols) {
    bool all = true;
    for (int i = from; i < to; i++) {
        cols[i] = names[i] == NULL ? -1 : type_field(t, names[i]);
        all = all && (names[i] == NULL || cols[i] >= 0);
    }
    return all;
}

enum err_code engine_new(struct arena *a, const struct pack_set *packs, const struct tz *tz,
                         const unsigned char *secret, struct grid_service *grid,
                         struct engine **out, struct err *err) {
    struct engine *e = ARENA_NEW(a, struct engine, 1);
    if (e == NULL) return err_fail(err, ERR_NOMEM, "process engine");
    e->packs = packs;
    e->tz = tz;
    e->secret = secret;
    e->grid = grid;
    TRY(resolve(packs, "case", case_names, CASE_N, &e->case_type, e->case_col, err));
    TRY(resolve(packs, "step", step_names, STEP_N, &e->step_type, e->step_col, err));
    TRY(resolve(packs, "party", party_names, PARTY_N, &e->party_type, e->party_col, err));
    bool cases = resolve_if_there(e->case_type, case_names, CASE_N, CASE_CLOCK_N, e->case_col);
    (void)resolve_if_there(e->case_type, case_names, CASE_CLOCK_N, CASE_ALL, e->case_col);
    e->clocks_stop =
        resolve_if_there(e->step_type, step_names, STEP_N, STEP_ALL, e->step_col) && cases;
    if (e->case_type->n_fields > CASE_MAX_COLS) {
        return err_fail(err, ERR_INVALID, "type \"case\" has %zu fields; at most %d are held",
                        e->case_type->n_fields, CASE_MAX_COLS);
    }
    const char *calendar = packs->n_calendars > 0 ? packs->calendars[0].name : "default";
    TRY(pack_calendar(a, packs, calendar, tz, &e->calendar, err));
    e->serials = case_serials_new(a);
    if (e->serials == NULL) return err_fail(err, ERR_NOMEM, "serials");
    *out = e;
    return ERR_OK;
}

static const struct cell *cell_of(const struct engine *e, const struct case_row *r,
                                  enum case_field f) {
    static const struct cell none = {.type = CELL_NULL};
    return e->case_col[f] < 0 ? &none : &r->cells[e->case_col[f]];
}

const char *case_text(const struct engine *e, const struct case_row *r, enum case_field f) {
    const struct cell *c = cell_of(e, r, f);
    return c->type == CELL_TEXT && c->p != NULL ? c->p : "";
}

int64_t case_int(const struct engine *e, const struct case_row *r, enum case_field f) {
    const struct cell *c = cell_of(e, r, f);
    return c->type == CELL_INT ? c->i : 0;
}

bool case_has(const struct engine *e, const struct case_row *r, enum case_field f) {
    return cell_of(e, r, f)->type != CELL_NULL;
}

double case_real(const struct engine *e, const struct case_row *r, enum case_field f) {
    const struct cell *c = cell_of(e, r, f);
    return c->type == CELL_REAL ? c->d : (c->type == CELL_INT ? (double)c->i : NAN);
}

void case_set(const struct engine *e, struct case_row *r, enum case_field f, struct cell value) {
    if (e->case_col[f] >= 0) r->cells[e->case_col[f]] = value;
}

void case_select(const struct engine *e, struct sql *s, const char *alias) {
    const struct table *t = &e->case_type->table;
    sql_column(s, t, -1, alias);
    sql_add(s, ", ");
    sql_column(s, t, -2, alias);
    for (size_t i = 0; i < t->n_cols; i++) {
        sql_add(s, ", ");
        sql_column(s, t, (int)i, alias);
    }
}

void case_row_read(const struct engine *e, const struct cursor *c, int first_col, struct arena *a,
                   struct case_row *out) {
    const struct table *t = &e->case_type->table;
    out->id = cursor_int(c, first_col);
    out->version = cursor_int(c, first_col + 1);
    for (size_t i = 0; i < t->n_cols; i++) {
        struct cell v = cursor_cell(c, first_col + 2 + (int)i, a);
        if (t->cols[i].personal && v.type == CELL_TEXT) v.type = CELL_COMMIT;
        out->cells[i] = v;
    }
}

bool case_is_engine_column(const struct engine *e, int col) {
    for (int f = 0; f < CASE_ALL; f++) {
        if (e->case_col[f] == col) return true;
    }
    return false;
}

enum err_code case_load(const struct engine *e, struct db *db, const char *code, struct arena *a,
                        struct case_row *out, struct err *err) {
    const struct table *t = &e->case_type->table;
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    case_select(e, &s, "");
    sql_add(&s, " FROM ");
    sql_table(&s, t);
    sql_add(&s, " WHERE ledger = 1 AND ");
    sql_column(&s, t, e->case_col[CASE_code], "");
    sql_add(&s, " = ");
    sql_value(&s, cell_text(code));
    struct cursor *cur = NULL;
    TRY(sql_query(&s, db, &cur, err));
    bool has = false;
    enum err_code rc = cursor_next(cur, &has, err);
    if (rc == ERR_OK && !has) rc = err_fail(err, ERR_NOT_FOUND, "there is no case %s", code);
    if (rc == ERR_OK) case_row_read(e, cur, 0, a, out);
    cursor_close(cur);
    return rc;
}

struct rights_case case_rights(const struct engine *e, const struct case_row *r) {
    return (struct rights_case){.county = case_text(e, r, CASE_county),
                                .town = case_text(e, r, CASE_town),
                                .community = case_text(e, r, CASE_community),
                                .cell = case_text(e, r, CASE_cell),
                                .unit = case_text(e, r, CASE_unit),
                                .holder = case_text(e, r, CASE_holder),
                                .is_private = !case_has(e, r, CASE_private) ||
                                              case_int(e, r, CASE_private) != 0,
                                .is_task = class_is_task(case_text(e, r, CASE_class))};
}

bool case_may(const struct engine *e, const struct case_row *r, const struct principal *who) {
    struct rights_case c = case_rights(e, r);
    return who != NULL && rights_case_may(who, &c);
}

enum case_light case_light(const struct engine *e, const struct case_row *r, int64_t now_us) {
    if (case_has(e, r, CASE_paused_at)) return LIGHT_PAUSED;
    if (!case_has(e, r, CASE_due_at)) return LIGHT_NONE;
    if (now_us > case_int(e, r, CASE_due_at)) return LIGHT_RED;
    if (case_has(e, r, CASE_yellow_at) && now_us > case_int(e, r, CASE_yellow_at))
        return LIGHT_YELLOW;
    return LIGHT_GREEN;
}
