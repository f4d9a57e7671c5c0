/* Shares of cases that are overdue, by area or responsible unit, on each of the last days. */
#include <math.h>
#include <string.h>

#include "base/civil.h"
#include "domain/measure/warn_figure.h"
#include "store/sql.h"

static const int64_t day_us = 86400000000;
enum { SCRATCH = 1 << 28, N_STAGES = 5, MAX_LOOK = 64 };

/* A case's deadlines; times in microseconds UTC, 0: none. */
enum { CLASS, PLACE, OPENED, CLOSED, SINCE, DUE, FIRST_STAGE };
static const char *const columns[] = {
    "class",       "",           "opened_at",       "closed_at",
    "state_since", "due_at",     "accept_due_at",   "accepted_at",
    "file_due_at", "filed_at",   "dispatch_due_at", "dispatched_at",
    "promised_at", "handled_at", "verify_due_at",   "verified_at"};
enum { N_COLUMNS = sizeof columns / sizeof columns[0], HANDLE = 3 };
struct deadlines {
    int64_t opened, closed, since, due;
    int64_t stage_due[N_STAGES], reached[N_STAGES];
};

static bool reached_by(const struct deadlines *d, int stage, int64_t at) {
    return d->reached[stage] > 0 && d->reached[stage] < at;
}

/* As of a moment. A case that has not moved since tells it by its clock; of one that has, the
 * deadlines of the stages that it had not reached yet do. */
static bool overdue_at(const struct deadlines *d, int64_t at, bool *has_deadline) {
    if (d->since < at) {
        *has_deadline = d->due > 0;
        return d->due > 0 && d->due < at;
    }
    int from = 0;
    for (int i = 0; i < N_STAGES; i++)
        if (reached_by(d, i, at)) from = i + 1;
    *has_deadline = from < N_STAGES && d->stage_due[from] > 0;
    return *has_deadline && d->stage_due[from] < at;
}

struct share {
    int64_t n, late;
};
struct counting {
    const struct warn_source *src;
    const struct warn_rule *rule;
    int32_t day;
    size_t n_places, look;
    int64_t end[MAX_LOOK];   /* end of each day looked at, the oldest first */
    int64_t begin[MAX_LOOK]; /* of its window */
    struct share *share;     /* place-major */
    struct arena *a;
};

static void count_open(struct counting *c, const struct deadlines *d, struct share *s) {
    for (size_t k = 0; k < c->look; k++) {
        bool has = false;
        if (d->opened >= c->end[k] || (d->closed > 0 && d->closed < c->end[k])) continue;
        bool late = overdue_at(d, c->end[k], &has);
        s[k].n += has;
        s[k].late += late;
    }
}

/* What was to be handled in the window. */
static void count_due(struct counting *c, const struct deadlines *d, struct share *s) {
    int64_t due = d->stage_due[HANDLE], done = d->reached[HANDLE];
    for (size_t k = 0; k < c->look; k++) {
        if (due < c->begin[k] || due >= c->end[k]) continue;
        s[k].n++;
        s[k].late += done == 0 || done > due;
    }
}

static size_t place_of(const struct counting *c, const char *code) {
    int at = c->rule->level == WARN_UNIT ? grid_unit_index(c->src->grid, code)
                                         : grid_area_index(c->src->grid, code);
    return at == GRID_NONE ? SIZE_MAX : (size_t)at;
}

static int64_t time_at(const struct cursor *c, int col) {
    return cursor_is_null(c, col) ? 0 : cursor_int(c, col);
}

static void take(struct counting *c, const struct cursor *row) {
    const struct case_class *cls = pack_class(c->src->packs, cursor_text(row, CLASS));
    if (cls == NULL || !c->rule->watched[cls - c->src->packs->classes]) return;
    size_t place = cursor_is_null(row, PLACE) ? SIZE_MAX : place_of(c, cursor_text(row, PLACE));
    if (place == SIZE_MAX) return;
    struct deadlines d = {.opened = time_at(row, OPENED),
                          .closed = time_at(row, CLOSED),
                          .since = time_at(row, SINCE),
                          .due = time_at(row, DUE)};
    for (int i = 0; i < N_STAGES; i++) {
        d.stage_due[i] = time_at(row, FIRST_STAGE + 2 * i);
        d.reached[i] = time_at(row, FIRST_STAGE + 2 * i + 1);
    }
    struct share *s = c->share + place * c->look;
    if (c->rule->due)
        count_due(c, &d, s);
    else
        count_open(c, &d, s);
}

static const char *place_column(enum warn_level l) {
    return l == WARN_UNIT ? "unit" : warn_level_name(l);
}

static enum err_code query(const struct counting *c, struct cursor **out, struct err *err) {
    const struct type_def *type = pack_type(c->src->packs, "case");
    struct sql s;
    if (type == NULL) return err_fail(err, ERR_INVALID, "the packs have no type \"case\"");
    TRY(sql_begin(&s, c->a, err));
    sql_add(&s, "SELECT ");
    for (int i = 0; i < N_COLUMNS; i++) {
        const char *name = i == PLACE ? place_column(c->rule->level) : columns[i];
        int col = type_field(type, name);
        if (col < 0) return err_fail(err, ERR_INVALID, "the type case has no field \"%s\"", name);
        if (i > 0) sql_add(&s, ", ");
        sql_column(&s, &type->table, col, "");
    }
    sql_add(&s, " FROM ");
    sql_table(&s, &type->table);
    sql_add(&s, " WHERE ledger = ");
    (void)sql_value(&s, cell_int(c->src->ledger));
    sql_add(&s, " AND opened_at < ");
    (void)sql_value(&s, cell_int(c->end[c->look - 1]));
    if (c->rule->due) {
        sql_add(&s, " AND promised_at >= ");
        (void)sql_value(&s, cell_int(c->begin[0]));
    } else {
        sql_add(&s, " AND (closed_at IS NULL OR closed_at >= ");
        (void)sql_value(&s, cell_int(c->end[0]));
        sql_add(&s, ")");
    }
    return sql_query(&s, c->src->db, out, err);
}

/* Days with too few cases to speak of change nothing. */
static enum err_code judge(const struct counting *c, size_t place, size_t n_seen,
                           struct warn_found *out, struct err *err) {
    const struct share *s = c->share + place * c->look;
    const struct warn_rule *r = c->rule;
    bool on = false;
    size_t last = 0, days = 0;
    for (size_t k = 0; k < c->look; k++) {
        if ((double)s[k].n < r->min) continue;
        on = warn_state_next(on, (double)s[k].late / (double)s[k].n, r->raise, r->clear);
        days = on ? days + 1 : 0;
        last = k;
    }
    if (!on) return ERR_OK;
    const struct grid *g = c->src->grid;
    bool unit = r->level == WARN_UNIT;
    const double *box = unit ? NULL : g->areas[place].bbox;
    int32_t to = c->day - (int32_t)(c->look - 1 - last);
    const struct warn_figure x = {
        .rule = r,
        .place = arena_strdup(out->a, unit ? g->units[place].code : g->areas[place].code),
        .name = arena_strdup(out->a, unit ? g->units[place].name : g->areas[place].name),
        .lon = unit ? NAN : (box[0] + box[2]) / 2,
        .lat = unit ? NAN : (box[1] + box[3]) / 2,
        .from = r->due ? to - (int32_t)r->window + 1 : to,
        .to = to,
        .value = (double)s[last].late / (double)s[last].n,
        .limit = r->raise,
        .periods = days,
        .n_places = n_seen};
    if (x.place == NULL || x.name == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    return warn_found_add(out, &x, err);
}

static enum err_code count(struct counting *c, struct err *err) {
    struct cursor *row = NULL;
    TRY(query(c, &row, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(row, &has, err);
        if (rc == ERR_OK && has) take(c, row);
    }
    cursor_close(row);
    return rc;
}

static enum err_code form(struct counting *c, struct warn_found *out, struct err *err) {
    const struct grid *g = c->src->grid;
    size_t seen = 0;
    c->n_places = c->rule->level == WARN_UNIT ? g->n_units : g->n_areas;
    c->share = ARENA_NEW(c->a, struct share, c->n_places * c->look + 1);
    if (c->share == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t k = 0; k < c->look; k++) {
        int64_t day = c->day - (int64_t)(c->look - 1 - k);
        c->end[k] = tz_to_utc(c->src->tz, (day + 1) * day_us);
        c->begin[k] = tz_to_utc(c->src->tz, (day + 1 - (int64_t)c->rule->window) * day_us);
    }
    TRY(count(c, err));
    for (size_t p = 0; p < c->n_places; p++) seen += c->share[p * c->look + c->look - 1].n > 0;
    for (size_t p = 0; p < c->n_places; p++) TRY(judge(c, p, seen, out, err));
    return ERR_OK;
}

enum err_code warn_overdue_form(const struct warn_source *src, const struct warn_rule *r,
                                int32_t day, struct warn_found *out, struct err *err) {
    struct counting c = {
        .src = src, .rule = r, .day = day, .look = (size_t)r->look, .a = arena_new(SCRATCH)};
    if (c.a == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    enum err_code rc = form(&c, out, err);
    arena_free(c.a);
    return rc;
}
