/* One day's signals against the warnings that run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/warning/inside.h"
#include "store/tables.h"

enum { MAX_OPEN = 2000, FIRST_DAY_MOST = 20 };

struct recording {
    struct tx *tx;
    struct warn_record *r;
    struct arena *a;
    struct warn_kept *kept; /* those that run, oldest first: the board's warnings 0 .. n_kept - 1 */
    const char **state;     /* of their cases */
    size_t n_kept;
    struct warn_board board;
    int64_t *case_id; /* by the board's warnings */
};

enum err_code warn_last_day(struct db *db, int32_t *day, bool *found, struct err *err) {
    int64_t last = INT64_MIN;
    const struct cell p[1] = {cell_int(1)};
    TRY(db_int(db, "SELECT day FROM warning_day WHERE ledger = ?1 ORDER BY day DESC LIMIT 1", p, 1,
               INT64_MIN, &last, err));
    *found = last != INT64_MIN;
    *day = *found ? (int32_t)last : 0;
    return ERR_OK;
}

/* ---- what runs */

static int32_t reach(const struct recording *w) { return (int32_t)ceil(w->r->set->merge_days) + 1; }

static enum err_code query_open(struct recording *w, struct cursor **out, struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, w->a, err));
    sql_add(&s, "SELECT ");
    warn_kept_select(&s, "w.");
    sql_add(&s, ", c.state FROM warning w JOIN ");
    sql_table(&s, &w->r->engine->case_type->table);
    sql_add(&s, " c ON c.ledger = w.ledger AND c.id = w.case_id WHERE w.ledger = 1 AND "
                "w.joined IS NULL AND c.state NOT IN ('closed', 'joined') AND (w.holds = 1 OR "
                "w.last >= ");
    (void)sql_value(&s, cell_int(w->r->day->view.day - reach(w)));
    sql_add(&s, ") ORDER BY w.raised, w.id LIMIT ");
    (void)sql_value(&s, cell_int(MAX_OPEN + 1));
    return sql_query(&s, tx_db(w->tx), out, err);
}

static enum err_code load_open(struct recording *w, struct err *err) {
    struct cursor *c = NULL;
    w->kept = ARENA_NEW(w->a, struct warn_kept, MAX_OPEN);
    w->state = ARENA_NEW(w->a, const char *, MAX_OPEN);
    if (w->kept == NULL || w->state == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    TRY(query_open(w, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        if (w->n_kept == MAX_OPEN) {
            rc = err_fail(err, ERR_LIMIT, "more than %d warnings run at once", MAX_OPEN);
            break;
        }
        warn_kept_read(c, 0, w->a, &w->kept[w->n_kept]);
        const char *state = arena_strdup(w->a, cursor_text(c, KEPT_COLUMNS));
        w->state[w->n_kept++] = state == NULL ? "" : state;
    }
    cursor_close(c);
    return rc;
}

/* The board as it stood: what runs, with the signals that were kept. */
static enum err_code set_board(struct recording *w, struct err *err) {
    const struct warn_rows *rows = w->r->day->view.rows;
    struct warn_codes codes = {.rows = rows};
    int32_t from = w->r->day->view.day - WARN_KEPT_DAYS;
    warn_board_init(&w->board, w->a, rows, w->r->set->merge_days);
    if (w->n_kept > 0) TRY(warn_codes_new(w->a, rows, from, &codes, err));
    w->board.cap = w->n_kept + 64;
    w->board.warning = ARENA_NEW(w->a, struct warning *, w->board.cap);
    if (w->board.warning == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < w->n_kept; i++) {
        const struct warn_kept *k = &w->kept[i];
        const struct warn_signal *s = NULL;
        struct warning *x = ARENA_NEW(w->a, struct warning, 1);
        size_t n = 0;
        TRY(warn_signals_read(w->a, k->signals, w->r->set, &codes, &s, &n, err));
        const struct warn_signal **list = ARENA_NEW(w->a, const struct warn_signal *, n + 1);
        if (x == NULL || list == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        for (size_t j = 0; j < n; j++) list[j] = &s[j];
        *x = (struct warning){.number = i + 1,
                              .raised = k->raised,
                              .last = k->last,
                              .color = k->color,
                              .signal = list,
                              .n = n,
                              .cap = n};
        w->board.warning[w->board.n++] = x;
    }
    return ERR_OK;
}

/* ---- what a warning is told by now */

static bool is_fresh(const struct recording *w, const struct warn_signal *s) {
    return s >= w->r->day->signal && s < w->r->day->signal + w->r->day->n;
}

static size_t fresh_of(const struct recording *w, const struct warning *x,
                       const struct warn_signal **out) {
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        if (is_fresh(w, x->signal[i])) out[n++] = x->signal[i];
    return n;
}

struct signal_list {
    const struct warn_rows *rows;
    const struct warn_signal **s;
    size_t n;
};

static void write_signals(struct jw *w, const void *ctx) {
    const struct signal_list *l = ctx;
    jw_arr(w);
    for (size_t i = 0; i < l->n; i++) warn_signal_json(w, l->rows, l->s[i], KEPT_SIGNAL_CASES);
    jw_end(w, ']');
}

static void write_rules(struct jw *w, const void *ctx) {
    const struct signal_list *l = ctx;
    jw_arr(w);
    for (size_t i = 0; i < l->n; i++) {
        bool told = false;
        for (size_t k = 0; k < i; k++) told |= l->s[k]->rule == l->s[i]->rule;
        if (!told) jw_str(w, l->s[i]->rule->name);
    }
    jw_end(w, ']');
}

/* Of the first day, so that one sees why it was raised; and of the days that the next signals may
 * join. A signal of the day that was recorded before makes way for the one of now. */
static enum err_code choose_signals(const struct recording *w, const struct warning *x,
                                    struct signal_list *out, struct err *err) {
    int32_t day = w->r->day->view.day;
    size_t first = 0;
    out->rows = w->r->day->view.rows;
    out->n = 0;
    out->s = ARENA_NEW(w->a, const struct warn_signal *, x->n + 1);
    if (out->s == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    bool any = false;
    for (size_t i = 0; i < x->n; i++) any |= is_fresh(w, x->signal[i]);
    for (size_t i = 0; i < x->n && out->n < KEPT_MAX_SIGNALS; i++) {
        const struct warn_signal *s = x->signal[i];
        if (any && s->day == day && !is_fresh(w, s)) continue;
        bool near = s->day >= day - reach(w);
        if (!near && (s->day != x->raised || first == FIRST_DAY_MOST)) continue;
        first += s->day == x->raised;
        out->s[out->n++] = s;
    }
    return ERR_OK;
}

/* ---- the cases behind it: those told before, and those of the day */

struct told_codes {
    const char **code;
    size_t n;
};

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_codes(struct jw *w, const void *ctx) {
    const struct told_codes *l = ctx;
    jw_arr(w);
    for (size_t i = 0; i < l->n; i++) jw_str(w, l->code[i]);
    jw_end(w, ']');
}

static enum err_code set_cases(const struct recording *w, struct warn_kept *k,
                               const struct warn_signal *const *fresh, size_t n_fresh,
                               struct err *err) {
    const struct val *old = NULL;
    size_t most = KEPT_MAX_CASES;
    if (k->cases != NULL && k->cases[0] != '\0')
        TRY(json_parse(w->a, k->cases, strlen(k->cases), &old, err));
    for (size_t i = 0; i < n_fresh; i++) most += fresh[i]->n_rows;
    struct told_codes l = {.code = ARENA_NEW(w->a, const char *, most + 1)};
    if (l.code == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; old != NULL && old->type == VAL_LIST && i < old->n; i++)
        if (old->u.list[i].type == VAL_STR && l.n < most) l.code[l.n++] = old->u.list[i].u.s;
    for (size_t i = 0; i < n_fresh; i++)
        for (size_t j = 0; j < fresh[i]->n_rows && l.n < most; j++)
            l.code[l.n++] = w->r->day->view.rows->row[fresh[i]->row[j]].code;
    if (l.n > 1) qsort(l.code, l.n, sizeof *l.code, by_text);
    size_t n = 0;
    for (size_t i = 0; i < l.n; i++)
        if (n == 0 || strcmp(l.code[n - 1], l.code[i]) != 0) l.code[n++] = l.code[i];
    l.n = n < KEPT_MAX_CASES ? n : KEPT_MAX_CASES;
    k->n_cases = (int64_t)l.n;
    return warn_json(w->a, write_codes, &l, &k->cases, err);
}

static enum err_code set_told(const struct recording *w, const struct warning *x,
                              struct warn_kept *k, const struct warn_signal *const *fresh,
                              size_t n_fresh, struct err *err) {
    struct signal_list l;
    TRY(choose_signals(w, x, &l, err));
    TRY(warn_json(w->a, write_signals, &l, &k->signals, err));
    TRY(warn_json(w->a, write_rules, &l, &k->rules, err));
    k->raised = x->raised;
    k->last = x->last;
    if (x->color > k->color) k->color = x->color;
    return set_cases(w, k, fresh, n_fresh, err);
}

/* ---- moves of the program itself */

static enum err_code system_move(struct recording *w, const struct warn_kept *k, const char *move,
                                 const char *reason, int set_col, struct cell set,
                                 struct case_row *row, struct err *err) {
    const struct engine *e = w->r->engine;
    struct actor system = {.kind = ACTOR_SYSTEM};
    struct val_pair *pair = ARENA_NEW(w->a, struct val_pair, 1);
    if (pair == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    *pair = (struct val_pair){
        .key = "reason",
        .v = {.type = VAL_STR, .n = reason == NULL ? 0 : strlen(reason), .u.s = reason}};
    const struct val inputs = {.type = VAL_MAP, .n = reason == NULL ? 0 : 1, .u.map = pair};
    TRY(case_load(e, tx_db(w->tx), k->code, w->a, row, err));
    if (set_col >= 0) row->cells[set_col] = set;
    return case_move(e, w->tx, row, move, &system, &inputs, -1, w->r->at_us, NULL, err);
}

static enum err_code new_row(struct recording *w, struct case_row **row, struct err *err) {
    *row = ARENA_NEW(w->a, struct case_row, 1);
    return *row == NULL ? err_fail(err, ERR_NOMEM, "warnings") : ERR_OK;
}

static enum err_code red(struct recording *w, const struct warn_kept *k, const struct case_row *row,
                         struct err *err) {
    bool opened = false;
    if (k->color != WARN_RED) return ERR_OK;
    TRY(warn_red(w->tx, w->r, k, row, &opened, err));
    w->r->n_supervised += opened;
    return ERR_OK;
}

/* The colour goes up, never down: what was red once was red. */
static enum err_code worsen(struct recording *w, const struct warn_kept *k, int before,
                            struct err *err) {
    struct case_row *row = NULL;
    int col = 0;
    char *why = arena_printf(w->a, "%s -> %s", warn_color_name(before), warn_color_name(k->color));
    TRY(new_row(w, &row, err));
    TRY(task_field(w->r->engine, "color", &col, err));
    TRY(system_move(w, k, "worsen", why, col, cell_text(warn_color_name(k->color)), row, err));
    TRY(warn_tell(w->tx, w->r->engine, row, "worsen", k->color == WARN_RED ? "supervisor" : NULL,
                  "", err));
    return red(w, k, row, err);
}

static enum err_code open_new(struct recording *w, const struct warning *x, int64_t *case_id,
                              struct err *err) {
    const struct warn_signal **fresh = ARENA_NEW(w->a, const struct warn_signal *, x->n + 1);
    struct warn_kept k = {.holds = true, .cases = "", .color = x->color, .raised = x->raised};
    struct case_row *row = NULL;
    bool changed = false;
    if (fresh == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    TRY(new_row(w, &row, err));
    size_t n = fresh_of(w, x, fresh);
    TRY(warn_open(w->tx, w->r, warn_strongest(fresh, n), &k, row, err));
    TRY(set_told(w, x, &k, fresh, n, err));
    TRY(warn_kept_write(w->tx, &k, NULL, &changed, err));
    TRY(warn_tell(w->tx, w->r->engine, row, "report", k.color == WARN_RED ? "supervisor" : NULL, "",
                  err));
    *case_id = k.case_id;
    w->r->n_raised++;
    w->r->changed = true;
    return red(w, &k, row, err);
}

static enum err_code go_on(struct recording *w, size_t i, const struct warn_signal **fresh,
                           size_t n, struct err *err) {
    const struct warning *x = w->board.warning[i];
    const struct warn_kept *before = &w->kept[i];
    struct warn_kept k = *before;
    bool changed = false, is_false = strcmp(w->state[i], "false") == 0;
    struct case_row *row = NULL;
    TRY(set_told(w, x, &k, fresh, n, err));
    TRY(warn_kept_by(w->a, warn_strongest(fresh, n), &k, err));
    k.holds = true;
    TRY(warn_kept_write(w->tx, &k, before, &changed, err));
    if (!changed) return ERR_OK;
    w->r->changed = true;
    w->r->n_went_on++;
    if (!before->holds) {
        TRY(new_row(w, &row, err));
        TRY(system_move(w, &k, "hold_again", NULL, -1, cell_null(), row, err));
    }
    if (k.color == before->color || is_false) return ERR_OK;
    return worsen(w, &k, before->color, err);
}

/* A threshold fires until its count is down at its own level, so its first day of silence is the
 * end; other rules must be silent for merge_days. */
static bool has_cleared(const struct recording *w, const struct warning *x) {
    int32_t silent = w->r->day->view.day - x->last;
    bool thresholds = x->n > 0;
    for (size_t i = 0; i < x->n; i++) thresholds &= x->signal[i]->rule->method == WARN_THRESHOLD;
    return thresholds ? silent > 0 : (double)silent > w->r->set->merge_days;
}

static enum err_code maybe_clear(struct recording *w, size_t i, struct err *err) {
    const struct warn_kept *before = &w->kept[i];
    struct warn_kept k = *before;
    struct case_row *row = NULL;
    bool changed = false;
    if (!k.holds || !has_cleared(w, w->board.warning[i])) return ERR_OK;
    k.holds = false;
    TRY(new_row(w, &row, err));
    TRY(warn_kept_write(w->tx, &k, before, &changed, err));
    TRY(system_move(w, &k, "clear", NULL, -1, cell_null(), row, err));
    w->r->n_cleared++;
    w->r->changed = true;
    return ERR_OK;
}

static enum err_code join(struct recording *w, size_t i, struct err *err) {
    const struct warning *into = w->board.warning[i]->into;
    while (into->into != NULL) into = into->into;
    const struct warn_kept *before = &w->kept[i];
    struct warn_kept k = *before;
    struct case_row *row = NULL;
    bool changed = false;
    k.joined = w->case_id[into->number - 1];
    k.holds = false;
    TRY(new_row(w, &row, err));
    TRY(warn_kept_write(w->tx, &k, before, &changed, err));
    w->r->n_joined++;
    w->r->changed = true;
    if (strcmp(w->state[i], "false") == 0) return ERR_OK; /* already at its end */
    return system_move(w, &k, "join", NULL, w->r->engine->case_col[CASE_duplicate_of],
                       cell_int(k.joined), row, err);
}

static enum err_code settle(struct recording *w, size_t i, struct err *err) {
    const struct warning *x = w->board.warning[i];
    if (i >= w->n_kept) return x->into != NULL ? ERR_OK : open_new(w, x, &w->case_id[i], err);
    w->case_id[i] = w->kept[i].case_id;
    if (x->into != NULL) return join(w, i, err);
    const struct warn_signal **fresh = ARENA_NEW(w->a, const struct warn_signal *, x->n + 1);
    if (fresh == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    size_t n = fresh_of(w, x, fresh);
    return n > 0 ? go_on(w, i, fresh, n, err) : maybe_clear(w, i, err);
}

/* ---- the day itself */

static void write_day_held(struct jw *w, const void *ctx) {
    const struct warn_day *d = ctx;
    jw_obj(w);
    for (int k = 1; k < WARN_N_HELD; k++)
        jw_kint(w, warn_held_name((enum warn_held)k), (int64_t)d->held[k]);
    jw_end(w, '}');
}

static enum err_code find_day(struct recording *w, int64_t *id, int64_t *version, struct err *err) {
    struct cursor *c = NULL;
    bool has = false;
    const struct cell p[2] = {cell_int(1), cell_int(w->r->day->view.day)};
    TRY(db_query(tx_db(w->tx), "SELECT id, version FROM warning_day WHERE ledger = ?1 AND day = ?2",
                 p, 2, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    *id = rc == ERR_OK && has ? cursor_int(c, 0) : 0;
    *version = rc == ERR_OK && has ? cursor_int(c, 1) : 0;
    cursor_close(c);
    return rc;
}

static enum err_code write_day(struct recording *w, struct err *err) {
    const struct warn_day *d = w->r->day;
    struct cell c[col_warning_day_count] = {{0}};
    int64_t id = 0, version = 0;
    const char *held = NULL;
    TRY(find_day(w, &id, &version, err));
    if (id != 0 && !w->r->changed) return ERR_OK;
    TRY(warn_json(w->a, write_day_held, d, &held, err));
    c[col_warning_day_day] = cell_int(d->view.day);
    c[col_warning_day_data_seq] = cell_int(w->r->data_seq);
    c[col_warning_day_seed] = cell_int((int64_t)w->r->seed);
    c[col_warning_day_kept] = cell_int((int64_t)d->held[WARN_KEPT]);
    c[col_warning_day_held] = cell_text(held);
    c[col_warning_day_signals] = cell_int((int64_t)d->n);
    c[col_warning_day_raised] = cell_int((int64_t)w->r->n_raised);
    w->r->changed = true;
    if (id != 0) return tx_update(w->tx, &table_warning_day, id, version, c, err);
    return tx_insert(w->tx, &table_warning_day, c, &id, err);
}

enum err_code warn_record_apply(struct tx *tx, struct warn_record *r, struct err *err) {
    struct recording w = {.tx = tx, .r = r, .a = tx_arena(tx)};
    int32_t last = 0;
    bool found = false;
    size_t n_new = 0;
    r->n_raised = r->n_went_on = r->n_cleared = r->n_joined = r->n_supervised = 0;
    r->changed = false;
    TRY(warn_last_day(tx_db(tx), &last, &found, err));
    if (found && r->day->view.day < last)
        return err_fail(err, ERR_CONFLICT, "a later day is recorded already: days go forward");
    TRY(load_open(&w, err));
    TRY(set_board(&w, err));
    TRY(warn_board_add(&w.board, r->day, &n_new, err));
    w.case_id = ARENA_NEW(w.a, int64_t, w.board.n + 1);
    if (w.case_id == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < w.board.n; i++) TRY(settle(&w, i, err));
    return write_day(&w, err);
}
