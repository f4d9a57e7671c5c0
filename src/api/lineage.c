/* From an indicator's value down to its cases, and how good the rows behind it are. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "api/app.h"
#include "api/case_view.h"
#include "api/handlers.h"
#include "api/index_view.h"
#include "domain/identity/rights.h"
#include "domain/measure/figure_floor.h"
#include "store/statements.h"

static const int64_t day_us = 86400000000;
enum { MAX_COMPONENTS = 16, DEFAULT_PAGE = 50, MAX_PAGE = 200, ROW_ARENA = 1 << 20 };

/* ---- the counted indicators that a value is formed from */

struct components {
    const struct indicator_def *d[MAX_COMPONENTS];
    const char *role[MAX_COMPONENTS]; /* "counted", "numerator", "denominator", "past", "term" */
    size_t n;
};

static void collect(const struct pack_set *packs, const struct indicator_def *d, const char *role,
                    int depth, struct components *out) {
    if (d == NULL || depth > INDICATOR_MAX_DEPTH || out->n == MAX_COMPONENTS) return;
    if (d->type != NULL || d->measure == MEASURE_FIGURE) {
        out->d[out->n] = d;
        out->role[out->n++] = role;
        return;
    }
    bool against = d->measure == MEASURE_AGAINST;
    if (d->of[0] != '\0')
        collect(packs, pack_indicator(packs, d->of), against ? "counted" : "numerator", depth + 1,
                out);
    if (d->to[0] != '\0')
        collect(packs, pack_indicator(packs, d->to), "denominator", depth + 1, out);
    for (size_t i = 0; i < d->n_terms; i++)
        collect(packs, pack_indicator(packs, d->terms[i].indicator), "term", depth + 1, out);
}

/* ---- the rows of one of them in a period and an area */

struct lineage {
    struct call *c;
    const struct engine *e;
    const struct indicator_def *d;
    const struct atoms *atoms;
    struct period period;
    int32_t until; /* day after the last that counts */
    int level;     /* of the area; -1: everywhere */
    const char *area;
    bool whole_city; /* rows without any place count too */
    bool rights;     /* only what the caller may see */
};

static int level_column(const struct lineage *x) {
    return x->level < 0 ? -1 : type_field(x->d->type, area_level_name(x->level));
}

static void select_rows(const struct lineage *x, int time_col, int64_t after, struct sql *s) {
    const struct table *t = &x->e->case_type->table;
    const struct tz *tz = x->c->app->tz;
    sql_add(s, "SELECT ");
    case_select(x->e, s, "c.");
    sql_add(s, " FROM ");
    sql_table(s, t);
    sql_add(s, " c WHERE c.ledger = 1 AND c.id > ");
    (void)sql_value(s, cell_int(after));
    sql_add(s, " AND ");
    sql_column(s, t, time_col, "c.");
    sql_add(s, " >= ");
    (void)sql_value(s, cell_int(tz_to_utc(tz, x->period.from * day_us)));
    sql_add(s, " AND ");
    sql_column(s, t, time_col, "c.");
    sql_add(s, " < ");
    (void)sql_value(s, cell_int(tz_to_utc(tz, x->until * day_us)));
    if (x->level >= 0 && !x->whole_city) {
        sql_add(s, " AND ");
        sql_column(s, t, level_column(x), "c.");
        sql_add(s, " = ");
        (void)sql_value(s, cell_text(x->area));
    }
    if (x->rights) {
        sql_add(s, " AND ");
        rights_case_where(x->c->who, t, "c.", s);
    }
    sql_add(s, " ORDER BY c.id");
}

/* Calls take for each row that counts; take ends the walk by *more = false. */
static enum err_code each_row(const struct lineage *x, struct db *db, int64_t after,
                              enum err_code (*take)(void *ctx, const struct case_row *row,
                                                    bool part, bool *more, struct err *err),
                              void *ctx, struct err *err) {
    struct sql s;
    struct cursor *cur = NULL;
    TRY(sql_begin(&s, x->c->a, err));
    select_rows(x, x->d->time_col, after, &s);
    TRY(sql_query(&s, db, &cur, err));
    enum err_code rc = ERR_OK;
    for (bool has = true, more = true; rc == ERR_OK && has && more;) {
        struct case_row row;
        struct arena *a = NULL;
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        a = arena_new(ROW_ARENA);
        if (a == NULL) {
            rc = err_fail(err, ERR_NOMEM, "cases");
            break;
        }
        case_row_read(x->e, cur, 0, a, &row);
        const struct measured_row m = {x->e->case_type, row.cells};
        bool part = false;
        if (row_gives(x->atoms, &m, x->d, &part)) rc = take(ctx, &row, part, &more, err);
        arena_free(a);
    }
    cursor_close(cur);
    return rc;
}

struct page {
    const struct lineage *x;
    struct jw *w;
    int64_t limit, n, last;
    bool next;
};

static const char *text_at(const struct lineage *x, const struct case_row *row, enum case_field f) {
    const char *s = case_text(x->e, row, f);
    return s[0] == '\0' ? NULL : s;
}

static enum err_code put_case(void *ctx, const struct case_row *row, bool part, bool *more,
                              struct err *err) {
    struct page *p = ctx;
    const struct lineage *x = p->x;
    (void)err;
    if (p->n == p->limit) {
        p->next = true;
        *more = false;
        return ERR_OK;
    }
    p->n++;
    p->last = row->id;
    jw_obj(p->w);
    jw_kstr(p->w, "code", text_at(x, row, CASE_code));
    jw_kstr(p->w, "class", text_at(x, row, CASE_class));
    jw_kstr(p->w, "state", text_at(x, row, CASE_state));
    jw_ktime(p->w, "opened_at", case_int(x->e, row, CASE_opened_at));
    jw_ktime(p->w, "counted_at",
             row->cells[x->d->time_col].type == CELL_INT ? row->cells[x->d->time_col].i : 0);
    jw_kbool(p->w, "in_numerator", x->d->measure != MEASURE_SHARE || part);
    jw_kbool(p->w, "in_denominator",
             x->d->measure == MEASURE_SHARE || x->d->measure == MEASURE_MEAN ||
                 x->d->measure == MEASURE_BETWEEN);
    jw_end(p->w, '}');
    return ERR_OK;
}

static enum err_code count_case(void *ctx, const struct case_row *row, bool part, bool *more,
                                struct err *err) {
    (void)row;
    (void)part;
    (void)more;
    (void)err;
    ++*(int64_t *)ctx;
    return ERR_OK;
}

/* How many there are that the caller may not see; told only from the floor on, and never of a
 * figure that is not told itself. */
static enum err_code put_others(struct lineage *x, struct db *db, bool hidden, struct jw *w,
                                struct err *err) {
    int64_t all = 0, seen = 0;
    x->rights = false;
    TRY(each_row(x, db, 0, count_case, &all, err));
    x->rights = true;
    TRY(each_row(x, db, 0, count_case, &seen, err));
    jw_key(w, "others");
    if (hidden || (all - seen > 0 && all - seen < FIGURE_FLOOR))
        jw_null(w);
    else
        jw_int(w, all - seen);
    return ERR_OK;
}

static void put_components(struct jw *w, const struct components *k, const struct lineage *x) {
    jw_key(w, "components");
    jw_arr(w);
    for (size_t i = 0; i < k->n; i++) {
        jw_obj(w);
        jw_kstr(w, "indicator", k->d[i]->name);
        index_text_json(w, "title", &k->d[i]->title);
        jw_kstr(w, "role", k->role[i]);
        jw_kbool(w, "counted", k->d[i]->type != NULL);
        jw_kbool(w, "shown", x->d == k->d[i]);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* Whether the figure itself is told. */
static enum err_code is_hidden(struct index_look *look, const struct indicator_def *d,
                               const char *area, bool *out, struct err *err) {
    size_t n = look->q.areas->n, at = area_view_find(look->q.areas, area);
    struct indicator_value *v = ARENA_NEW(look->a, struct indicator_value, n + 1);
    unsigned char *hidden = ARENA_NEW(look->a, unsigned char, n + 1);
    if (v == NULL || hidden == NULL) return err_fail(err, ERR_NOMEM, "cases");
    if (at == SIZE_MAX) return err_fail(err, ERR_NOT_FOUND, "there is no area \"%.40s\"", area);
    TRY(value_form(&look->q, d, look->a, v, err));
    TRY(figure_floor_of(&look->q, d, v, look->a, hidden, err));
    *out = hidden[at] != 0;
    return ERR_OK;
}

static enum err_code write_lineage(struct call *c, struct index_look *look, struct lineage *x,
                                   const struct components *k, struct err *err) {
    int64_t limit = DEFAULT_PAGE, after = 0;
    char period[PERIOD_TEXT];
    bool hidden = false;
    TRY(call_query_int(c, "limit", 1, MAX_PAGE, &limit, err));
    TRY(call_query_int(c, "after", 0, INT64_MAX, &after, err));
    if (x->d != NULL) TRY(is_hidden(look, x->d, x->area, &hidden, err));
    struct jw w = call_json(c);
    struct page page = {.x = x, .w = &w, .limit = limit};
    period_format(&x->period, period);
    jw_obj(&w);
    jw_kstr(&w, "indicator", c->param[0]);
    jw_kstr(&w, "area", x->area);
    jw_kstr(&w, "period", period);
    put_components(&w, k, x);
    jw_key(&w, "items");
    jw_arr(&w);
    if (x->d != NULL) TRY(each_row(x, look->q.db, after, put_case, &page, err));
    jw_end(&w, ']');
    jw_key(&w, "next");
    if (page.next)
        jw_int(&w, page.last);
    else
        jw_null(&w);
    if (x->d != NULL && after == 0) TRY(put_others(x, look->q.db, hidden, &w, err));
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

static const struct indicator_def *chosen(const struct call *c, const struct components *k) {
    const char *of = call_query(c, "of");
    for (size_t i = 0; i < k->n; i++)
        if (k->d[i]->type != NULL && (of == NULL || strcmp(of, k->d[i]->name) == 0)) return k->d[i];
    return NULL;
}

static enum err_code known_indicator(struct call *c, const struct indicator_def **out,
                                     struct err *err) {
    *out = pack_indicator(c->app->packs, c->param[0]);
    return *out != NULL
               ? ERR_OK
               : err_fail(err, ERR_NOT_FOUND, "there is no indicator \"%.60s\"", c->param[0]);
}

enum err_code indicator_cases(struct call *c, struct err *err) {
    const struct indicator_def *d = NULL;
    struct components k = {.n = 0};
    struct index_look look;
    TRY(known_indicator(c, &d, err));
    if (!principal_may(c->who, PERM_CASE_READ))
        return err_fail(err, ERR_FORBIDDEN, "this account may not read cases");
    const struct grid *g = grid_ref(c->app->grid);
    int at = grid_area_index(g, c->param[1]);
    const char *level = at == GRID_NONE ? NULL : area_level_name(g->areas[at].level);
    grid_unref(g);
    if (level == NULL)
        return err_fail(err, ERR_NOT_FOUND, "there is no area \"%.40s\"", c->param[1]);
    collect(c->app->packs, d, "counted", 0, &k);
    TRY(index_look_begin(c, call_query(c, "period"), level, UINT_MAX, &look, err));
    struct lineage x = {.c = c,
                        .e = c->app->engine,
                        .d = chosen(c, &k),
                        .atoms = look.q.atoms,
                        .period = look.q.period,
                        .until = look.q.period.to,
                        .level = look.level,
                        .area = c->param[1],
                        .whole_city = look.level == LEVEL_CITY && look.q.areas->n == 1,
                        .rights = true};
    if (x.d != NULL && x.d->basis == BASIS_DUE && x.until > look.q.today) x.until = look.q.today;
    if (x.d != NULL && (x.d->type != c->app->engine->case_type || x.d->time_col < 0)) x.d = NULL;
    enum err_code rc = write_lineage(c, &look, &x, &k, err);
    index_look_end(c, &look);
    return rc;
}

/* ---- how good the rows are */

struct quality {
    const struct lineage *x;
    struct db *db;
    int64_t rows, no_time, no_place, late, until_us;
};

static enum err_code entered_at(struct db *db, const char *table, int64_t id, int64_t *out,
                                struct err *err) {
    struct cell p[3] = {cell_int(1), cell_text(table), cell_int(id)};
    struct cursor *cur = NULL;
    bool has = false;
    *out = 0;
    TRY(db_query(db, stmt_sql(STMT_JOURNAL_FIRST_AT), p, 3, &cur, err));
    enum err_code rc = cursor_next(cur, &has, err);
    if (rc == ERR_OK && has) *out = cursor_int(cur, 0);
    cursor_close(cur);
    return rc;
}

static enum err_code look_at_row(struct quality *k, const struct case_row *row, struct err *err) {
    const struct lineage *x = k->x;
    const struct measured_row m = {x->e->case_type, row->cells};
    int64_t at_us = 0;
    if (!row_filtered(x->atoms, &m, x->d)) return ERR_OK;
    k->rows++;
    k->no_time += row->cells[x->d->time_col].type == CELL_NULL;
    k->no_place += !case_has(x->e, row, CASE_community) && !case_has(x->e, row, CASE_town) &&
                   !case_has(x->e, row, CASE_county);
    TRY(entered_at(k->db, x->e->case_type->table.name, row->id, &at_us, err));
    k->late += at_us >= k->until_us;
    return ERR_OK;
}

static enum err_code look_at_rows(struct quality *k, struct err *err) {
    struct sql s;
    struct cursor *cur = NULL;
    TRY(sql_begin(&s, k->x->c->a, err));
    select_rows(k->x, k->x->e->case_col[CASE_opened_at], 0, &s);
    TRY(sql_query(&s, k->db, &cur, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        struct case_row row;
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        struct arena *a = arena_new(ROW_ARENA);
        if (a == NULL) {
            rc = err_fail(err, ERR_NOMEM, "cases");
            break;
        }
        case_row_read(k->x->e, cur, 0, a, &row);
        rc = look_at_row(k, &row, err);
        arena_free(a);
    }
    cursor_close(cur);
    return rc;
}

static void put_share(struct jw *w, const char *key, int64_t part, int64_t all) {
    jw_kdouble(w, key, all == 0 ? NAN : (double)part / (double)all);
}

static enum err_code put_rows_quality(struct call *c, struct index_look *look,
                                      const struct indicator_def *d, struct jw *w,
                                      struct err *err) {
    struct lineage x = {.c = c,
                        .e = c->app->engine,
                        .d = d,
                        .atoms = look->q.atoms,
                        .period = look->q.period,
                        .until = look->q.period.to,
                        .level = -1};
    struct quality k = {.x = &x, .db = look->q.db};
    k.until_us = tz_to_utc(c->app->tz, look->q.period.to * day_us);
    TRY(look_at_rows(&k, err));
    bool few = figure_guarded(c->app->packs, d) && k.rows < FIGURE_FLOOR;
    jw_kstr(w, "source", "cases");
    jw_key(w, "rows");
    if (few)
        jw_null(w);
    else
        jw_int(w, k.rows);
    put_share(w, "without_time", k.no_time, few ? 0 : k.rows);
    put_share(w, "without_place", k.no_place, few ? 0 : k.rows);
    put_share(w, "entered_late", k.late, few ? 0 : k.rows);
    return ERR_OK;
}

static enum err_code put_figure_quality(struct db *db, const struct indicator_def *d, struct jw *w,
                                        struct err *err) {
    struct cell p[2] = {cell_int(1), cell_text(d->name)};
    struct cursor *cur = NULL;
    bool has = false;
    TRY(db_query(db, stmt_sql(STMT_FIGURE_LAST), p, 2, &cur, err));
    enum err_code rc = cursor_next(cur, &has, err);
    jw_kstr(w, "source", "figures");
    jw_kint(w, "figures", rc == ERR_OK && has ? cursor_int(cur, 0) : 0);
    jw_kint(w, "restated", rc == ERR_OK && has ? cursor_int(cur, 1) : 0);
    jw_ktime(w, "last_import",
             rc == ERR_OK && has && !cursor_is_null(cur, 2) ? cursor_int(cur, 2) : 0);
    cursor_close(cur);
    return rc;
}

static enum err_code write_quality(struct call *c, struct index_look *look,
                                   const struct indicator_def *d, struct err *err) {
    struct components k = {.n = 0};
    char period[PERIOD_TEXT];
    collect(c->app->packs, d, "counted", 0, &k);
    period_format(&look->q.period, period);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kstr(&w, "indicator", d->name);
    jw_kstr(&w, "period", period);
    jw_kint(&w, "lag_days", d->lag_days);
    jw_kstr(&w, "owner", d->owner[0] == '\0' ? NULL : d->owner);
    jw_kint(&w, "version", d->version);
    jw_kstr(&w, "valid_from",
            d->valid_from == NULL || d->valid_from[0] == '\0' ? NULL : d->valid_from);
    jw_key(&w, "history");
    jw_arr(&w);
    for (size_t i = 0; i < d->n_past; i++) {
        jw_obj(&w);
        jw_kint(&w, "version", d->past[i].version);
        jw_kstr(&w, "from", d->past[i].from);
        jw_kstr(&w, "note", d->past[i].note);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_key(&w, "components");
    jw_arr(&w);
    for (size_t i = 0; i < k.n; i++) {
        const struct indicator_def *x = k.d[i];
        jw_obj(&w);
        jw_kstr(&w, "indicator", x->name);
        index_text_json(&w, "title", &x->title);
        jw_kstr(&w, "role", k.role[i]);
        if (x->type != NULL && x->type == c->app->engine->case_type && x->time_col >= 0)
            TRY(put_rows_quality(c, look, x, &w, err));
        else if (x->measure == MEASURE_FIGURE)
            TRY(put_figure_quality(look->q.db, x, &w, err));
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code indicator_quality(struct call *c, struct err *err) {
    const struct indicator_def *d = NULL;
    struct index_look look;
    TRY(known_indicator(c, &d, err));
    TRY(index_look_begin(c, call_query(c, "period"), NULL, UINT_MAX, &look, err));
    enum err_code rc = write_quality(c, &look, d, err);
    index_look_end(c, &look);
    return rc;
}
