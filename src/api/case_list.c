#include "api/case_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "domain/process/search.h"

enum { DEFAULT_LIMIT = 50, MAX_LIMIT = 500 };

/* Every order has the id as its tie-breaker, so that paging neither skips nor repeats. */
static const struct {
    const char *name;
    enum case_field field;
    bool descending;
} sorts[] = {{"-opened", CASE_opened_at, true},
             {"opened", CASE_opened_at, false},
             {"due", CASE_due_at, false},
             {"reporters", CASE_N, true}};

/* Column of an order. A folder made before the field was there has no number of reporters. */
static int sort_col(const struct engine *e, int sort) {
    return sorts[sort].field == CASE_N ? type_field(e->case_type, sorts[sort].name)
                                       : e->case_col[sorts[sort].field];
}

static void and_column(struct sql *s, const struct engine *e, enum case_field f) {
    sql_add(s, " AND ");
    sql_column(s, &e->case_type->table, e->case_col[f], "c.");
}

static void and_equal(struct sql *s, const struct engine *e, enum case_field f, struct cell v) {
    and_column(s, e, f);
    sql_add(s, " = ");
    sql_value(s, v);
}

enum err_code case_list_words(struct call *c, const char *list, struct cell *out, size_t most,
                              size_t *n, struct err *err) {
    *n = 0;
    for (const char *p = list; *p != '\0' && *n < most;) {
        size_t len = strcspn(p, ",");
        char *word = arena_dup(c->a, p, len);
        if (word == NULL) return err_fail(err, ERR_NOMEM, "filter");
        if (len > 0) out[(*n)++] = cell_text(word);
        p += p[len] == ',' ? len + 1 : len;
    }
    return ERR_OK;
}

/* "a,b,c" as IN (...). */
static enum err_code and_in(struct call *c, struct sql *s, enum case_field f, const char *list,
                            struct err *err) {
    struct cell values[32];
    size_t n = 0;
    TRY(case_list_words(c, list, values, 32, &n, err));
    if (n == 0) return ERR_OK;
    and_column(s, c->app->engine, f);
    sql_add(s, " IN (");
    sql_values(s, values, n);
    sql_add(s, ")");
    return ERR_OK;
}

static enum err_code text_filters(struct call *c, enum list_kind kind, struct sql *s,
                                  struct err *err) {
    static const struct {
        const char *param;
        enum case_field field;
        bool is_public;
    } rows[] = {{"class", CASE_class, true},     {"state", CASE_state, true},
                {"stage", CASE_stage, true},     {"unit", CASE_unit, true},
                {"cell", CASE_cell, false},      {"process", CASE_process, true},
                {"channel", CASE_channel, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *v = call_query(c, rows[i].param);
        if (v == NULL || v[0] == '\0' || (kind == LIST_PUBLIC && !rows[i].is_public)) continue;
        TRY(and_in(c, s, rows[i].field, v, err));
    }
    return ERR_OK;
}

static enum err_code area_filter(struct call *c, enum list_kind kind, struct sql *s,
                                 struct err *err) {
    static const enum case_field level_field[GRID_LEVELS] = {CASE_city, CASE_city, CASE_county,
                                                             CASE_town, CASE_community};
    const char *code = call_query(c, "area");
    if (code == NULL || code[0] == '\0') return ERR_OK;
    const struct grid *g = grid_ref(c->app->grid);
    int i = grid_area_index(g, code);
    int level = i == GRID_NONE ? 0 : g->areas[i].level;
    grid_unref(g);
    if (i == GRID_NONE)
        return err_fail(err, ERR_INVALID, "parameter \"area\": there is no area \"%.40s\"", code);
    /* Which small area a place lies in says more than its rounded point. */
    if (kind == LIST_PUBLIC && level > LEVEL_COUNTY)
        return err_fail(err, ERR_INVALID, "parameter \"area\": public lists go down to counties");
    and_equal(s, c->app->engine, level_field[level], cell_text(code));
    return ERR_OK;
}

static enum err_code time_filters(struct call *c, struct sql *s, struct err *err) {
    const char *from = call_query(c, "from"), *to = call_query(c, "to");
    int64_t us = 0;
    if (from != NULL && from[0] != '\0') {
        TRY(rfc3339_parse(from, &us, err));
        and_column(s, c->app->engine, CASE_opened_at);
        sql_add(s, " >= ");
        sql_value(s, cell_int(us));
    }
    if (to != NULL && to[0] != '\0') {
        TRY(rfc3339_parse(to, &us, err));
        and_column(s, c->app->engine, CASE_opened_at);
        sql_add(s, " < ");
        sql_value(s, cell_int(us));
    }
    return ERR_OK;
}

static enum err_code bbox_filter(struct call *c, enum list_kind kind, struct case_list_query *q,
                                 struct err *err) {
    struct sql *s = &q->sql;
    const char *text = call_query(c, "bbox");
    if (text == NULL || text[0] == '\0') return ERR_OK;
    double b[4];
    const char *p = text;
    for (int i = 0; i < 4; i++) {
        char *end = NULL;
        b[i] = strtod(p, &end);
        if (end == p || !isfinite(b[i]) || *end != (i < 3 ? ',' : '\0')) {
            return err_fail(err, ERR_INVALID, "parameter \"bbox\": expected west,south,east,north");
        }
        p = end + 1;
    }
    /* For a stranger the rounded place decides, row by row: otherwise ever smaller boxes would find
     * the exact point. */
    memcpy(q->box, b, sizeof b);
    q->has_box = true;
    if (kind == LIST_PUBLIC) view_widen_box(b);
    static const struct {
        enum case_field field;
        int at;
        bool low;
    } sides[] = {
        {CASE_lon, 0, true}, {CASE_lat, 1, true}, {CASE_lon, 2, false}, {CASE_lat, 3, false}};
    for (size_t i = 0; i < 4; i++) {
        and_column(s, c->app->engine, sides[i].field);
        if (sides[i].low)
            sql_add(s, " >= ");
        else
            sql_add(s, " <= ");
        sql_value(s, cell_real(b[sides[i].at]));
    }
    return ERR_OK;
}

/* States in which a role has a move to make: what waits for it. Two processes may use one word for
 * different states. */
static void mine_filter(struct call *c, struct sql *s) {
    const struct pack_set *packs = c->app->packs;
    bool any = false;
    sql_add(s, " AND (");
    for (size_t p = 0; p < packs->n_processes; p++) {
        const struct process_def *pr = &packs->processes[p];
        struct cell states[64];
        size_t n = 0;
        for (size_t k = 0; k < pr->n_states && n < 64; k++) {
            if (state_waits_for(pr, &pr->states[k], c->who->role->name))
                states[n++] = cell_text(pr->states[k].name);
        }
        if (n == 0) continue;
        if (any) sql_add(s, " OR ");
        sql_add(s, "(c.process = ");
        sql_value(s, cell_text(pr->name));
        sql_add(s, " AND c.state IN (");
        sql_values(s, states, n);
        sql_add(s, "))");
        any = true;
    }
    if (!any) sql_add(s, "1 = 0");
    sql_add(s, ") AND (c.holder IS NULL OR c.holder = ");
    sql_value(s, cell_text(c->who->name));
    sql_add(s, ")");
}

/* Warnings and supervision have lists of their own: here only when they are asked for. */
static void leave_out_tasks(struct call *c, struct sql *s) {
    static const char *const asks[] = {"class", "process", "q"};
    const char *mine = call_query(c, "mine");
    if (mine != NULL && strcmp(mine, "1") == 0) return;
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        const char *v = call_query(c, asks[i]);
        if (v != NULL && v[0] != '\0') return;
    }
    sql_add(s, " AND ");
    rights_tasks_where(&c->app->engine->case_type->table, "c.", false, s);
}

static enum err_code light_filter(struct call *c, struct sql *s, struct err *err) {
    const char *light = call_query(c, "light");
    if (light == NULL || light[0] == '\0') return ERR_OK;
    struct cell now = cell_int(clock_now_us(&c->app->clock));
    int n = 0;
    if (strcmp(light, "paused") == 0) {
        if (c->app->engine->clocks_stop)
            sql_add(s, " AND c.paused_at IS NOT NULL");
        else
            sql_add(s, " AND 1 = 0");
        return ERR_OK;
    }
    sql_add(s, " AND c.due_at IS NOT NULL AND ");
    if (strcmp(light, "red") == 0) {
        sql_add(s, "c.due_at < ");
        sql_value(s, now);
    } else if (strcmp(light, "yellow") == 0) {
        sql_add(s, "c.due_at >= ");
        n = sql_value(s, now);
        sql_add(s, " AND c.yellow_at < ");
        sql_again(s, n);
    } else if (strcmp(light, "green") == 0) {
        sql_add(s, "c.yellow_at >= ");
        sql_value(s, now);
    } else {
        return err_fail(err, ERR_INVALID,
                        "parameter \"light\": expected green, yellow, red or paused");
    }
    return ERR_OK;
}

static enum err_code staff_filters(struct call *c, struct sql *s, struct err *err) {
    TRY(light_filter(c, s, err));
    const char *mine = call_query(c, "mine"), *q = call_query(c, "q");
    if (mine != NULL && strcmp(mine, "1") == 0) mine_filter(c, s);
    const char *open = call_query(c, "open");
    if (open != NULL && strcmp(open, "1") == 0) sql_add(s, " AND c.closed_at IS NULL");
    const char *asked = call_query(c, "asked");
    if (asked != NULL && strcmp(asked, "1") == 0) {
        if (c->app->engine->clocks_stop)
            sql_add(s, " AND c.asked IS NOT NULL");
        else
            sql_add(s, " AND 1 = 0");
    }
    if (q == NULL || q[0] == '\0') return ERR_OK;
    sql_add(s, " AND ");
    if (!search_where(s, q, c->a)) sql_add(s, "1 = 0");
    return ERR_OK;
}

static enum err_code after_filter(struct call *c, struct case_list_query *q, struct err *err) {
    const char *after = call_query(c, "after");
    if (after == NULL || after[0] == '\0') return ERR_OK;
    char *end = NULL, *last = NULL;
    long long value = strtoll(after, &end, 10), id = *end == '_' ? strtoll(end + 1, &last, 10) : 0;
    if (end == after || last == NULL || last == end + 1 || *last != '\0')
        return err_fail(err, ERR_INVALID, "parameter \"after\": expected the value of \"next\"");
    struct sql *s = &q->sql;
    const struct engine *e = c->app->engine;
    sql_add(s, " AND ");
    sql_column(s, &e->case_type->table, sort_col(e, q->sort), "c.");
    if (sorts[q->sort].descending)
        sql_add(s, " <= ");
    else
        sql_add(s, " >= ");
    int n = sql_value(s, cell_int(value));
    sql_add(s, " AND (");
    sql_column(s, &e->case_type->table, sort_col(e, q->sort), "c.");
    sql_add(s, " <> ");
    sql_again(s, n);
    if (sorts[q->sort].descending)
        sql_add(s, " OR c.id < ");
    else
        sql_add(s, " OR c.id > ");
    sql_value(s, cell_int(id));
    sql_add(s, ")");
    return ERR_OK;
}

static enum err_code read_sort(struct call *c, enum list_kind kind, struct case_list_query *q,
                               struct err *err) {
    const char *sort = call_query(c, "sort");
    if (sort == NULL || sort[0] == '\0') return ERR_OK;
    for (size_t i = 0; i < sizeof sorts / sizeof sorts[0]; i++) {
        /* How many reported a matter is not for strangers, nor is an order by it. */
        if (sorts[i].field == CASE_N && kind == LIST_PUBLIC) continue;
        if (strcmp(sort, sorts[i].name) == 0 && sort_col(c->app->engine, (int)i) >= 0) {
            q->sort = (int)i;
            return ERR_OK;
        }
    }
    return err_fail(err, ERR_INVALID,
                    "parameter \"sort\": expected -opened, opened, due or reporters");
}

static void order_by(struct case_list_query *q, const struct engine *e) {
    struct sql *s = &q->sql;
    sql_add(s, " ORDER BY ");
    sql_column(s, &e->case_type->table, sort_col(e, q->sort), "c.");
    if (sorts[q->sort].descending)
        sql_add(s, " DESC, c.id DESC LIMIT ");
    else
        sql_add(s, ", c.id LIMIT ");
    sql_value(s, cell_int(q->limit + 1));
}

enum err_code case_list_build(struct call *c, enum list_kind kind, struct case_list_query *q,
                              struct err *err) {
    const struct engine *e = c->app->engine;
    struct sql *s = &q->sql;
    q->limit = DEFAULT_LIMIT;
    q->sort = 0;
    q->has_box = false;
    TRY(call_query_int(c, "limit", 1, MAX_LIMIT, &q->limit, err));
    TRY(read_sort(c, kind, q, err));
    TRY(sql_begin(s, c->a, err));
    sql_add(s, "SELECT ");
    case_select(e, s, "c.");
    sql_add(s, " FROM ");
    sql_table(s, &e->case_type->table);
    sql_add(s, " c WHERE c.ledger = 1 AND ");
    if (kind == LIST_STAFF)
        rights_case_where(c->who, &e->case_type->table, "c.", s);
    else
        sql_add(s, "c.private = 0");
    TRY(text_filters(c, kind, s, err));
    TRY(area_filter(c, kind, s, err));
    TRY(time_filters(c, s, err));
    TRY(bbox_filter(c, kind, q, err));
    if (kind == LIST_STAFF) TRY(staff_filters(c, s, err));
    if (kind == LIST_STAFF) leave_out_tasks(c, s);
    if (sorts[q->sort].field == CASE_due_at) sql_add(s, " AND c.due_at IS NOT NULL");
    if (sorts[q->sort].field == CASE_N) sql_add(s, " AND c.reporters IS NOT NULL");
    TRY(after_filter(c, q, err));
    order_by(q, e);
    return ERR_OK;
}

char *case_list_after(const struct call *c, const struct case_list_query *q,
                      const struct case_row *last) {
    const struct cell *at = &last->cells[sort_col(c->app->engine, q->sort)];
    return arena_printf(c->a, "%lld_%lld", (long long)(at->type == CELL_INT ? at->i : 0),
                        (long long)last->id);
}
