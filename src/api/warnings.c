/* Warnings within one's rights: the list, and one with what a page shows of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/case_list.h"
#include "api/handlers.h"
#include "api/warning_view.h"
#include "base/civil.h"
#include "domain/measure/definitions.h"
#include "domain/warning/look.h"

enum { DEFAULT_LIMIT = 50, MAX_LIMIT = 200, MAX_TOLD_CASES = 500, MAX_PAST = 20 };

/* ---- the list */

static const char *const colors[] = {"", "blue", "yellow", "orange", "red"};

static enum err_code and_words(struct call *c, struct sql *s, const char *list, struct err *err) {
    struct cell values[16];
    size_t n = 0;
    TRY(case_list_words(c, list, values, 16, &n, err));
    if (n == 0) return ERR_OK;
    sql_add(s, " AND c.state IN (");
    sql_values(s, values, n);
    sql_add(s, ")");
    return ERR_OK;
}

static enum err_code and_colors(struct sql *s, const char *list, struct err *err) {
    struct cell values[4];
    size_t n = 0;
    for (const char *p = list; *p != '\0' && n < 4;) {
        size_t len = strcspn(p, ",");
        int color = 0;
        for (int i = 1; i <= WARN_RED; i++)
            if (strlen(colors[i]) == len && strncmp(colors[i], p, len) == 0) color = i;
        if (color == 0)
            return err_fail(err, ERR_INVALID,
                            "parameter \"color\": expected blue, yellow, orange or red");
        values[n++] = cell_int(color);
        p += p[len] == ',' ? len + 1 : len;
    }
    if (n == 0) return ERR_OK;
    sql_add(s, " AND w.color IN (");
    sql_values(s, values, n);
    sql_add(s, ")");
    return ERR_OK;
}

/* Rules are kept as ["surge", "cluster"]; names hold nothing but a-z, 0-9 and _, of which _ stands
 * for any character here: two names that differ in that alone are told together. */
static enum err_code and_rule(struct call *c, struct sql *s, const char *rule, struct err *err) {
    for (const char *p = rule; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", *p) == NULL)
            return err_fail(err, ERR_INVALID, "parameter \"rule\": this is no name of a rule");
    char *like = arena_printf(c->a, "%%\"%.80s\"%%", rule);
    if (like == NULL) return err_fail(err, ERR_NOMEM, "filter");
    sql_add(s, " AND w.rules LIKE ");
    (void)sql_value(s, cell_text(like));
    return ERR_OK;
}

static enum err_code and_after(struct call *c, struct sql *s, struct err *err) {
    const char *after = call_query(c, "cursor");
    if (after == NULL || after[0] == '\0') return ERR_OK;
    char *end = NULL, *last = NULL;
    long long day = strtoll(after, &end, 10), id = *end == '_' ? strtoll(end + 1, &last, 10) : 0;
    if (end == after || last == NULL || last == end + 1 || *last != '\0')
        return err_fail(err, ERR_INVALID, "parameter \"cursor\": expected the value of \"next\"");
    sql_add(s, " AND (w.raised < ");
    int n = sql_value(s, cell_int(day));
    sql_add(s, " OR (w.raised = ");
    sql_again(s, n);
    sql_add(s, " AND w.id < ");
    (void)sql_value(s, cell_int(id));
    sql_add(s, "))");
    return ERR_OK;
}

static enum err_code filters(struct call *c, struct sql *s, struct err *err) {
    const char *state = call_query(c, "state"), *color = call_query(c, "color");
    const char *rule = call_query(c, "rule"), *open = call_query(c, "open");
    if (state != NULL) TRY(and_words(c, s, state, err));
    if (color != NULL) TRY(and_colors(s, color, err));
    if (rule != NULL && rule[0] != '\0') TRY(and_rule(c, s, rule, err));
    TRY(and_area(c, s, call_query(c, "area"), err));
    if (open != NULL && strcmp(open, "true") == 0) sql_add(s, " AND c.closed_at IS NULL");
    if (open != NULL && strcmp(open, "false") == 0) sql_add(s, " AND c.closed_at IS NOT NULL");
    return and_after(c, s, err);
}

static void select_warnings(struct call *c, struct sql *s) {
    const struct engine *e = c->app->engine;
    sql_add(s, "SELECT ");
    warn_kept_select(s, "w.");
    sql_add(s, ", ");
    case_select(e, s, "c.");
    sql_add(s, " FROM warning w JOIN ");
    sql_table(s, &e->case_type->table);
    sql_add(s, " c ON c.ledger = w.ledger AND c.id = w.case_id WHERE w.ledger = 1 AND ");
    rights_case_where(c->who, &e->case_type->table, "c.", s);
}

struct found_warning {
    struct warn_kept kept;
    struct case_row row;
};

static enum err_code read_page(struct call *c, struct db *db, int64_t limit,
                               struct found_warning **out, size_t *n, struct err *err) {
    struct sql s;
    struct cursor *cur = NULL;
    struct found_warning *f = ARENA_NEW(c->a, struct found_warning, (size_t)limit + 1);
    if (f == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    TRY(sql_begin(&s, c->a, err));
    select_warnings(c, &s);
    TRY(filters(c, &s, err));
    sql_add(&s, " ORDER BY w.raised DESC, w.id DESC LIMIT ");
    (void)sql_value(&s, cell_int(limit + 1));
    TRY(sql_query(&s, db, &cur, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && *n <= (size_t)limit;) {
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        warn_kept_read(cur, 0, c->a, &f[*n].kept);
        case_row_read(c->app->engine, cur, KEPT_COLUMNS, c->a, &f[*n].row);
        ++*n;
    }
    cursor_close(cur);
    *out = f;
    return rc;
}

static enum err_code write_page(struct call *c, const struct view *v, const struct warn_set *set,
                                int64_t limit, struct err *err) {
    struct found_warning *f = NULL;
    size_t n = 0;
    int32_t last = 0;
    bool any = false;
    char day[16];
    TRY(read_page(c, v->db, limit, &f, &n, err));
    TRY(warn_last_day(v->db, &last, &any, err));
    civil_date_format(last, day);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < n && i < (size_t)limit; i++) {
        jw_obj(&w);
        TRY(warning_json(v, set, &w, &f[i].kept, &f[i].row, err));
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    char *next = NULL;
    if (n > (size_t)limit)
        next = arena_printf(c->a, "%d_%lld", (int)f[limit - 1].kept.raised,
                            (long long)f[limit - 1].kept.id);
    jw_kstr(&w, "next", next);
    jw_kstr(&w, "recorded_until", any ? day : NULL);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code warning_list(struct call *c, struct err *err) {
    int64_t limit = DEFAULT_LIMIT;
    struct reader *rd = NULL;
    TRY(call_query_int(c, "limit", 1, MAX_LIMIT, &limit, err));
    const struct definitions *d = definitions_ref(c->app->definitions);
    enum err_code rc = ledger_read_begin(c->app->ledger, &rd, err);
    if (rc == ERR_OK) {
        const struct grid *g = grid_ref(c->app->grid);
        struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), false};
        rc = write_page(c, &v, d->warnings, limit, err);
        grid_unref(g);
        ledger_read_end(rd);
    }
    definitions_unref(d);
    return rc;
}

/* ---- one */

static bool is_word(const struct val_pair *p, const char *key) { return strcmp(p->key, key) == 0; }

/* The kept signals as they stand, without the codes of cases, which have rights of their own. */
static enum err_code signals_json(const struct view *v, struct jw *w, const char *json,
                                  struct err *err) {
    const struct val *list = NULL;
    TRY(json_parse(v->a, json, strlen(json), &list, err));
    jw_key(w, "signals");
    jw_arr(w);
    for (size_t i = 0; list->type == VAL_LIST && i < list->n; i++) {
        const struct val *s = &list->u.list[i];
        jw_obj(w);
        for (size_t k = 0; s->type == VAL_MAP && k < s->n; k++) {
            const struct val_pair *p = &s->u.map[k];
            if (is_word(p, "cases")) continue;
            jw_key(w, p->key);
            jw_val(w, &p->v);
            if (!is_word(p, "class") || p->v.type != VAL_STR) continue;
            const struct case_class *cls = pack_class(v->app->packs, p->v.u.s);
            if (cls != NULL) view_text(w, "class_title", &cls->title);
        }
        jw_end(w, '}');
    }
    jw_end(w, ']');
    return ERR_OK;
}

static void one_case(const struct view *v, struct jw *w, const struct cursor *c) {
    const struct case_class *cls = pack_class(v->app->packs, cursor_text(c, 1));
    const struct process_def *p = pack_process(v->app->packs, cursor_text(c, 2));
    const struct state_def *s = p == NULL ? NULL : process_state(p, cursor_text(c, 3));
    jw_obj(w);
    jw_kstr(w, "code", cursor_text(c, 0));
    jw_kstr(w, "class", cursor_text(c, 1));
    if (cls != NULL) view_text(w, "title", &cls->title);
    jw_kstr(w, "state", cursor_text(c, 3));
    if (s != NULL) view_text(w, "state_title", &s->title);
    jw_ktime(w, "opened_at", cursor_int(c, 4));
    jw_kdouble(w, "lon", cursor_is_null(c, 5) ? (double)NAN : cursor_real(c, 5));
    jw_kdouble(w, "lat", cursor_is_null(c, 6) ? (double)NAN : cursor_real(c, 6));
    jw_end(w, '}');
}

/* The cases behind it that the caller may see, newest first. */
static enum err_code cases_json(struct call *c, const struct view *v, struct jw *w,
                                const char *json, struct err *err) {
    const struct engine *e = v->app->engine;
    const struct val *list = NULL;
    struct sql s;
    struct cursor *cur = NULL;
    TRY(json_parse(v->a, json, strlen(json), &list, err));
    size_t n = list->type != VAL_LIST ? 0 : list->n;
    enum err_code rc = ERR_OK;
    size_t told = 0;
    jw_key(w, "cases");
    jw_arr(w);
    /* In pieces: a query binds so many values. Later codes are later days. */
    for (size_t at = n; rc == ERR_OK && at > 0 && told < MAX_TOLD_CASES;) {
        struct cell codes[100];
        size_t k = 0;
        while (at > 0 && k < 100) {
            at--;
            if (list->u.list[at].type == VAL_STR) codes[k++] = cell_text(list->u.list[at].u.s);
        }
        TRY(sql_begin(&s, v->a, err));
        sql_add(&s, "SELECT c.code, c.class, c.process, c.state, c.opened_at, c.lon, c.lat FROM ");
        sql_table(&s, &e->case_type->table);
        sql_add(&s, " c WHERE c.ledger = 1 AND c.code IN (");
        sql_values(&s, codes, k);
        sql_add(&s, ") AND ");
        rights_case_where(c->who, &e->case_type->table, "c.", &s);
        sql_add(&s, " ORDER BY c.opened_at DESC, c.id DESC");
        TRY(sql_query(&s, v->db, &cur, err));
        for (bool has = true; rc == ERR_OK && has && told < MAX_TOLD_CASES;) {
            rc = cursor_next(cur, &has, err);
            if (rc != ERR_OK || !has) break;
            one_case(v, w, cur);
            told++;
        }
        cursor_close(cur);
    }
    jw_end(w, ']');
    return rc;
}

static void look_json(struct jw *w, const struct warn_look *l) {
    char day[16];
    jw_key(w, "series");
    jw_arr(w);
    for (size_t i = 0; i < l->n_days; i++) {
        civil_date_format(l->day[i].day, day);
        jw_obj(w);
        jw_kstr(w, "day", day);
        jw_kdouble(w, "observed", l->day[i].observed);
        jw_kdouble(w, "expected", l->day[i].expected);
        jw_kdouble(w, "upper", l->day[i].upper);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_key(w, "similar");
    jw_arr(w);
    for (size_t i = 0; i < l->n_places; i++) {
        const struct look_place *p = &l->place[i];
        jw_obj(w);
        jw_kstr(w, "area", p->area);
        name_json(w, "name", p->name_en, p->name);
        jw_kdouble(w, "observed", p->observed);
        jw_kdouble(w, "expected", p->expected);
        jw_kdouble(w, "rate", p->rate);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* Earlier warnings of the same class in the same area, and what came of them. */
static enum err_code past_json(struct call *c, const struct view *v, struct jw *w,
                               const struct warn_kept *k, struct err *err) {
    const struct engine *e = v->app->engine;
    struct sql s;
    struct cursor *cur = NULL;
    char day[16];
    TRY(sql_begin(&s, v->a, err));
    sql_add(&s, "SELECT w.code, w.raised, c.state FROM warning w JOIN ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " c ON c.ledger = w.ledger AND c.id = w.case_id WHERE w.ledger = 1 AND "
                "w.joined IS NULL AND w.case_id <> ");
    (void)sql_value(&s, cell_int(k->case_id));
    sql_add(&s, " AND w.raised <= ");
    (void)sql_value(&s, cell_int(k->raised));
    sql_add(&s, " AND w.area = ");
    (void)sql_value(&s, cell_text(k->area));
    if (k->cls[0] == '\0') {
        sql_add(&s, " AND w.class IS NULL");
    } else {
        sql_add(&s, " AND w.class = ");
        (void)sql_value(&s, cell_text(k->cls));
    }
    sql_add(&s, " AND ");
    rights_case_where(c->who, &e->case_type->table, "c.", &s);
    sql_add(&s, " ORDER BY w.raised DESC, w.id DESC LIMIT ");
    (void)sql_value(&s, cell_int(MAX_PAST));
    TRY(sql_query(&s, v->db, &cur, err));
    enum err_code rc = ERR_OK;
    jw_key(w, "past");
    jw_arr(w);
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        civil_date_format(cursor_int(cur, 1), day);
        jw_obj(w);
        jw_kstr(w, "code", cursor_text(cur, 0));
        jw_kstr(w, "raised", day);
        jw_kstr(w, "outcome", cursor_text(cur, 2));
        jw_end(w, '}');
    }
    jw_end(w, ']');
    cursor_close(cur);
    return rc;
}

static enum err_code work_json(const struct view *v, struct jw *w, const struct case_row *r,
                               struct err *err) {
    const struct engine *e = v->app->engine;
    const char *note = NULL, *finding = task_text(e, r, "finding");
    const char *measures = task_text(e, r, "measures");
    TRY(view_personal(v, &r->cells[e->case_col[CASE_result_note]], &note, err));
    jw_kstr(w, "finding", finding[0] == '\0' ? NULL : finding);
    jw_kstr(w, "measures", measures[0] == '\0' ? NULL : measures);
    jw_key(w, "evidence");
    jw_obj(w);
    jw_kstr(w, "note", note);
    TRY(view_photos(v, w, "photos", case_text(e, r, CASE_result_photos), err));
    jw_end(w, '}');
    return ERR_OK;
}

static enum err_code write_one(struct call *c, const struct view *v, const struct warn_set *set,
                               struct err *err) {
    struct warn_kept k;
    struct warn_look *look = ARENA_NEW(c->a, struct warn_look, 1);
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    if (look == NULL || row == NULL) return err_fail(err, ERR_NOMEM, "warning");
    TRY(warn_kept_load(v->db, c->param[0], c->a, &k, err));
    TRY(case_load(c->app->engine, v->db, c->param[0], c->a, row, err));
    if (!case_may(c->app->engine, row, c->who))
        return err_fail(err, ERR_NOT_FOUND, "there is no warning %.48s", c->param[0]);
    TRY(warn_look(c->app->engine, set, v->db, v->grid, &k, c->a, look, err));
    struct jw w = call_json(c);
    jw_obj(&w);
    TRY(warning_json(v, set, &w, &k, row, err));
    TRY(work_json(v, &w, row, err));
    TRY(signals_json(v, &w, k.signals, err));
    jw_key(&w, "held");
    jw_raw(&w, k.held, strlen(k.held));
    look_json(&w, look);
    TRY(cases_json(c, v, &w, k.cases, err));
    TRY(supervisions_of(v, c->who, &w, row->id, err));
    TRY(past_json(c, v, &w, &k, err));
    jw_end(&w, '}');
    (void)snprintf(c->reply.etag, sizeof c->reply.etag, "%lld", (long long)row->version);
    return buf_check(&c->reply.body, err);
}

enum err_code warning_get(struct call *c, struct err *err) {
    struct reader *rd = NULL;
    const struct definitions *d = definitions_ref(c->app->definitions);
    enum err_code rc = ledger_read_begin(c->app->ledger, &rd, err);
    if (rc == ERR_OK) {
        const struct grid *g = grid_ref(c->app->grid);
        struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), false};
        rc = write_one(c, &v, d->warnings, err);
        grid_unref(g);
        ledger_read_end(rd);
    }
    definitions_unref(d);
    return rc;
}
