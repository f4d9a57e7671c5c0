/* Warnings and supervision of the area, as their cases stand. */
#include <stdlib.h>
#include <string.h>

#include "domain/briefing/inside.h"
#include "domain/measure/warn_def.h"

enum { READ_MAX = 20000 };

struct seen {
    struct briefing_warning w;
    int color;
};

/* FROM the case table c, of one process, in the area. */
static void of_process(const struct briefing_data *d, const struct type_def *t, const char *process,
                       struct sql *s) {
    sql_add(s, " AND c.process = ");
    (void)sql_value(s, cell_text(process));
    briefing_within(d, t, s);
}

static const char *copy(const struct cursor *c, int col, struct arena *a) {
    const char *text = cursor_is_null(c, col) ? "" : arena_strdup(a, cursor_text(c, col));
    return text == NULL ? "" : text;
}

static int worst_first(const void *a, const void *b) {
    const struct seen *x = a, *y = b;
    bool x_open = x->w.ended == INT32_MAX, y_open = y->w.ended == INT32_MAX;
    if (x_open != y_open) return x_open ? -1 : 1;
    if (x->color != y->color) return x->color > y->color ? -1 : 1;
    if (x->w.raised != y->w.raised) return x->w.raised < y->w.raised ? -1 : 1;
    return strcmp(x->w.code, y->w.code);
}

static struct text state_title(const struct briefing_data *d, const char *state) {
    const struct process_def *p = pack_process(d->source.packs, "warning");
    const struct state_def *s = p == NULL ? NULL : process_state(p, state);
    return s == NULL ? (struct text){state, state} : s->title;
}

static void read_one(const struct briefing_data *d, const struct cursor *c, struct arena *a,
                     struct seen *out) {
    const char *state = copy(c, 6, a);
    bool ended = !cursor_is_null(c, 7);
    int64_t color = cursor_int(c, 3);
    out->color = color < WARN_BLUE || color > WARN_RED ? WARN_BLUE : (int)color;
    out->w = (struct briefing_warning){
        .code = copy(c, 0, a),
        .title = {copy(c, 1, a), copy(c, 2, a)},
        .color = warn_color_name(out->color),
        .area = copy(c, 4, a),
        .raised = (int32_t)cursor_int(c, 5),
        .state = state_title(d, state),
        .ended = ended ? briefing_local_day(d, cursor_int(c, 7)) : INT32_MAX,
        .outcome = !ended                        ? "open"
                   : strcmp(state, "false") == 0 ? "false"
                                                 : "closed",
        .overdue = !ended && !cursor_is_null(c, 8) && cursor_int(c, 8) < d->source.at_us};
}

static void count_one(struct briefing_watch *x, const struct briefing_warning *w,
                      const struct period *p) {
    bool ended_in = w->ended >= p->from && w->ended < p->to;
    x->opened += w->raised >= p->from && w->raised < p->to;
    x->open += w->ended == INT32_MAX;
    x->open_overdue += w->overdue;
    x->closed += ended_in && strcmp(w->outcome, "closed") == 0;
    x->called_false += ended_in && strcmp(w->outcome, "false") == 0;
}

/* What was raised or ended in the period, or is open. Raised after it and open is told as open: a
 * reader acts today. */
static enum err_code query_warnings(const struct briefing_data *d, const struct type_def *t,
                                    struct arena *a, struct cursor **out, struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT w.code, w.title_en, w.title_zh, w.color, w.area, w.raised, c.state, "
                "c.closed_at, c.due_at FROM warning w JOIN ");
    sql_table(&s, &t->table);
    sql_add(&s, " c ON c.ledger = w.ledger AND c.id = w.case_id WHERE w.ledger = ");
    (void)sql_value(&s, cell_int(d->source.ledger));
    sql_add(&s, " AND w.joined IS NULL AND (c.closed_at IS NULL OR c.closed_at >= ");
    (void)sql_value(&s, cell_int(briefing_day_us(d, d->ask.period.from)));
    sql_add(&s, ")");
    of_process(d, t, "warning", &s);
    sql_add(&s, " ORDER BY w.id LIMIT ");
    (void)sql_value(&s, cell_int(READ_MAX));
    return sql_query(&s, d->source.db, out, err);
}

static enum err_code read_warnings(struct briefing_data *d, const struct type_def *t,
                                   struct arena *a, struct err *err) {
    struct seen *seen = ARENA_NEW(a, struct seen, READ_MAX);
    struct briefing_warning *list = ARENA_NEW(a, struct briefing_warning, BRIEFING_MAX_WARNINGS);
    struct cursor *c = NULL;
    size_t n = 0;
    if (seen == NULL || list == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    TRY(query_warnings(d, t, a, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && n < READ_MAX;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        read_one(d, c, a, &seen[n]);
        const struct briefing_warning *w = &seen[n].w;
        count_one(&d->watch, w, &d->ask.period);
        if (w->ended == INT32_MAX || w->raised < d->ask.period.to) n++;
    }
    cursor_close(c);
    qsort(seen, n, sizeof *seen, worst_first);
    d->watch.n = n < BRIEFING_MAX_WARNINGS ? n : BRIEFING_MAX_WARNINGS;
    for (size_t i = 0; i < d->watch.n; i++) list[i] = seen[i].w;
    d->watch.warning = list;
    return rc;
}

/* ---- supervision */

static enum err_code read_units(struct briefing_data *d, const struct type_def *t, struct arena *a,
                                struct err *err) {
    struct briefing_watch *x = &d->watch;
    struct briefing_unit *unit = ARENA_NEW(a, struct briefing_unit, BRIEFING_MAX_UNITS);
    struct cursor *c = NULL;
    struct sql s;
    if (unit == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT COALESCE(c.unit, ''), COUNT(*), SUM(CASE WHEN c.due_at < ");
    int now = sql_value(&s, cell_int(d->source.at_us));
    sql_add(&s, " THEN 1 ELSE 0 END), MIN(CASE WHEN c.due_at < ");
    sql_again(&s, now);
    sql_add(&s, " THEN c.due_at ELSE NULL END) FROM ");
    sql_table(&s, &t->table);
    sql_add(&s, " c WHERE c.ledger = ");
    (void)sql_value(&s, cell_int(d->source.ledger));
    sql_add(&s, " AND c.closed_at IS NULL");
    of_process(d, t, "supervision", &s);
    sql_add(&s, " GROUP BY 1 ORDER BY 3 DESC, 1");
    TRY(sql_query(&s, d->source.db, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        int64_t overdue = cursor_int(c, 2);
        x->supervised += cursor_int(c, 1);
        x->supervised_overdue += overdue;
        if (overdue == 0 || x->n_units == BRIEFING_MAX_UNITS) continue;
        unit[x->n_units++] = (struct briefing_unit){copy(c, 0, a), cursor_int(c, 1), overdue,
                                                    briefing_local_day(d, d->source.at_us) -
                                                        briefing_local_day(d, cursor_int(c, 3))};
    }
    cursor_close(c);
    x->unit = unit;
    return rc;
}

static enum err_code read_settled(struct briefing_data *d, const struct type_def *t,
                                  struct arena *a, struct err *err) {
    struct cursor *c = NULL;
    struct sql s;
    bool has = false;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT COUNT(*) FROM ");
    sql_table(&s, &t->table);
    sql_add(&s, " c WHERE c.ledger = ");
    (void)sql_value(&s, cell_int(d->source.ledger));
    sql_add(&s, " AND c.state = 'closed' AND c.closed_at >= ");
    (void)sql_value(&s, cell_int(briefing_day_us(d, d->ask.period.from)));
    sql_add(&s, " AND c.closed_at < ");
    (void)sql_value(&s, cell_int(briefing_day_us(d, d->ask.period.to)));
    of_process(d, t, "supervision", &s);
    TRY(sql_query(&s, d->source.db, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    d->watch.settled = rc == ERR_OK && has ? cursor_int(c, 0) : 0;
    cursor_close(c);
    return rc;
}

enum err_code briefing_watch_read(struct briefing_data *d, struct arena *a, struct err *err) {
    const struct type_def *t = pack_type(d->source.packs, "case");
    if (t == NULL) return err_fail(err, ERR_INVALID, "the packs have no type \"case\"");
    TRY(read_warnings(d, t, a, err));
    TRY(read_units(d, t, a, err));
    return read_settled(d, t, a, err);
}
