#include "api/warning_view.h"

#include <string.h>

#include "base/civil.h"

enum { MAX_SUPERVISIONS = 50 };
static const int64_t day_us = 86400000000;

void name_json(struct jw *w, const char *key, const char *en, const char *zh) {
    jw_key(w, key);
    if (zh == NULL) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kstr(w, "en", en == NULL || en[0] == '\0' ? zh : en);
    jw_kstr(w, "zh", zh);
    jw_end(w, '}');
}

enum err_code and_area(struct call *c, struct sql *s, const char *code, struct err *err) {
    static const enum case_field level_field[GRID_LEVELS] = {CASE_city, CASE_city, CASE_county,
                                                             CASE_town, CASE_community};
    if (code == NULL || code[0] == '\0') return ERR_OK;
    const struct grid *g = grid_ref(c->app->grid);
    int i = grid_area_index(g, code);
    int level = i == GRID_NONE ? 0 : g->areas[i].level;
    grid_unref(g);
    if (i == GRID_NONE)
        return err_fail(err, ERR_INVALID, "parameter \"area\": there is no area \"%.40s\"", code);
    sql_add(s, " AND ");
    sql_column(s, &c->app->engine->case_type->table, c->app->engine->case_col[level_field[level]],
               "c.");
    sql_add(s, " = ");
    (void)sql_value(s, cell_text(code));
    return ERR_OK;
}

static const struct state_def *state_of(const struct view *v, const struct case_row *r) {
    const struct process_def *p =
        pack_process(v->app->packs, case_text(v->app->engine, r, CASE_process));
    return p == NULL ? NULL : process_state(p, case_text(v->app->engine, r, CASE_state));
}

static void kstr_or_null(struct jw *w, const char *key, const char *s) {
    jw_kstr(w, key, s == NULL || s[0] == '\0' ? NULL : s);
}

static void state_json(const struct view *v, struct jw *w, const struct case_row *r) {
    const struct state_def *s = state_of(v, r);
    struct text none = {"", ""};
    jw_kstr(w, "state", case_text(v->app->engine, r, CASE_state));
    view_text(w, "state_title", s == NULL ? &none : &s->title);
}

static void unit_json(const struct view *v, struct jw *w, const char *code) {
    int i = code[0] == '\0' ? GRID_NONE : grid_unit_index(v->grid, code);
    kstr_or_null(w, "unit", code);
    name_json(w, "unit_name", i == GRID_NONE ? NULL : v->grid->units[i].name_en,
              i == GRID_NONE ? NULL : v->grid->units[i].name);
}

static void clock_json(const struct view *v, struct jw *w, const struct case_row *r) {
    jw_ktime(w, "due_at", case_int(v->app->engine, r, CASE_due_at));
    jw_kstr(w, "light", view_light(case_light(v->app->engine, r, v->now_us)));
}

static enum err_code rules_json(const struct view *v, const struct warn_set *set, struct jw *w,
                                const char *rules, struct err *err) {
    const struct val *list = NULL;
    TRY(json_parse(v->a, rules, strlen(rules), &list, err));
    jw_key(w, "rules");
    jw_arr(w);
    for (size_t i = 0; list->type == VAL_LIST && i < list->n; i++) {
        if (list->u.list[i].type != VAL_STR) continue;
        const struct warn_rule *rule = warn_find(set, list->u.list[i].u.s);
        struct text title = {list->u.list[i].u.s, list->u.list[i].u.s};
        if (rule != NULL) title = rule->title;
        jw_obj(w);
        jw_kstr(w, "name", list->u.list[i].u.s);
        view_text(w, "title", &title);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    return ERR_OK;
}

/* The open supervision with the highest level, else null. */
static enum err_code supervision_ref(const struct view *v, struct jw *w, int64_t about,
                                     struct err *err) {
    const struct engine *e = v->app->engine;
    struct sql s;
    struct cursor *c = NULL;
    int about_col = 0, level_col = 0, best = 0;
    const char *code = "";
    TRY(task_field(e, "about", &about_col, err));
    TRY(task_field(e, "supervision_level", &level_col, err));
    TRY(sql_begin(&s, v->a, err));
    sql_add(&s, "SELECT c.code, ");
    sql_column(&s, &e->case_type->table, level_col, "c.");
    sql_add(&s, " FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " c WHERE c.ledger = 1 AND c.process = 'supervision' AND c.closed_at IS NULL AND ");
    sql_column(&s, &e->case_type->table, about_col, "c.");
    sql_add(&s, " = ");
    (void)sql_value(&s, cell_int(about));
    TRY(sql_query(&s, v->db, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        int level = supervision_level_parse(cursor_text(c, 1));
        if (level <= best) continue;
        best = level;
        code = arena_strdup(v->a, cursor_text(c, 0));
    }
    cursor_close(c);
    TRY(rc);
    jw_key(w, "supervision");
    if (best == 0) {
        jw_null(w);
        return ERR_OK;
    }
    jw_obj(w);
    jw_kstr(w, "code", code);
    jw_kint(w, "level", best);
    jw_end(w, '}');
    return ERR_OK;
}

static void day_json(struct jw *w, const char *key, int32_t day) {
    char text[16];
    civil_date_format(day, text);
    jw_kstr(w, key, text);
}

enum err_code warning_json(const struct view *v, const struct warn_set *set, struct jw *w,
                           const struct warn_kept *k, const struct case_row *r, struct err *err) {
    const struct engine *e = v->app->engine;
    const struct state_def *state = state_of(v, r);
    int area = grid_area_index(v->grid, k->area);
    struct text title = {k->title_en, k->title_zh};
    jw_kstr(w, "code", k->code);
    view_text(w, "title", &title);
    state_json(v, w, r);
    jw_kstr(w, "color", warn_color_name(k->color));
    TRY(rules_json(v, set, w, k->rules, err));
    day_json(w, "raised", k->raised);
    day_json(w, "last", k->last);
    kstr_or_null(w, "area", k->area);
    name_json(w, "area_name", area == GRID_NONE ? NULL : v->grid->areas[area].name_en,
              area == GRID_NONE ? NULL : v->grid->areas[area].name);
    jw_kdouble(w, "lon", k->lon);
    jw_kdouble(w, "lat", k->lat);
    jw_kdouble(w, "radius_m", k->radius_m);
    jw_kdouble(w, "observed", k->observed);
    jw_kdouble(w, "expected", k->expected);
    jw_kbool(w, "holds", k->holds);
    jw_kint(w, "n_cases", k->n_cases);
    clock_json(v, w, r);
    kstr_or_null(w, "holder_kind", state == NULL || state->final ? NULL : state->holder);
    unit_json(v, w, case_text(e, r, CASE_unit));
    TRY(supervision_ref(v, w, r->id, err));
    jw_ktime(w, "opened_at", case_int(e, r, CASE_opened_at));
    jw_ktime(w, "closed_at", case_int(e, r, CASE_closed_at));
    jw_kint(w, "version", r->version);
    return ERR_OK;
}

/* ---- supervision */

/* Code, process and words of the case that is supervised. */
static enum err_code about_json(const struct view *v, struct jw *w, int64_t id, struct err *err) {
    const struct engine *e = v->app->engine;
    struct sql s;
    struct cursor *c = NULL;
    bool has = false;
    TRY(sql_begin(&s, v->a, err));
    sql_add(&s, "SELECT c.code, c.process, c.class, w.title_en, w.title_zh FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " c LEFT JOIN warning w ON w.ledger = c.ledger AND w.case_id = c.id WHERE "
                "c.ledger = 1 AND c.id = ");
    (void)sql_value(&s, cell_int(id));
    TRY(sql_query(&s, v->db, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) {
        const struct case_class *cls = pack_class(v->app->packs, cursor_text(c, 2));
        struct text title = {cursor_text(c, 3), cursor_text(c, 4)};
        if (cursor_is_null(c, 3) && cls != NULL) title = cls->title;
        jw_kstr(w, "about", cursor_text(c, 0));
        jw_kstr(w, "about_process", cursor_text(c, 1));
        view_text(w, "about_title", &title);
    }
    cursor_close(c);
    return rc;
}

enum err_code supervision_json(const struct view *v, struct jw *w, const struct case_row *r,
                               struct err *err) {
    const struct engine *e = v->app->engine;
    const char *text = NULL, *answer = NULL;
    int col = 0, level = supervision_level_parse(task_text(e, r, "supervision_level"));
    struct text title = supervision_level_title(level);
    int64_t end = case_has(e, r, CASE_closed_at) ? case_int(e, r, CASE_closed_at) : v->now_us;
    TRY(task_field(e, "about", &col, err));
    TRY(view_personal(v, &r->cells[e->case_col[CASE_description]], &text, err));
    TRY(view_personal(v, &r->cells[e->case_col[CASE_result_note]], &answer, err));
    jw_obj(w);
    jw_kstr(w, "code", case_text(e, r, CASE_code));
    TRY(about_json(v, w, r->cells[col].i, err));
    jw_kint(w, "level", level);
    view_text(w, "level_title", &title);
    unit_json(v, w, case_text(e, r, CASE_unit));
    jw_kstr(w, "text", text);
    jw_kstr(w, "answer", answer);
    jw_ktime(w, "opened_at", case_int(e, r, CASE_opened_at));
    jw_ktime(w, "closed_at", case_int(e, r, CASE_closed_at));
    clock_json(v, w, r);
    state_json(v, w, r);
    jw_kint(w, "waited_days", (end - case_int(e, r, CASE_opened_at)) / day_us);
    jw_kint(w, "version", r->version);
    jw_end(w, '}');
    return ERR_OK;
}

enum err_code supervisions_of(const struct view *v, const struct principal *who, struct jw *w,
                              int64_t about, struct err *err) {
    const struct engine *e = v->app->engine;
    struct case_row *row = ARENA_NEW(v->a, struct case_row, MAX_SUPERVISIONS);
    struct sql s;
    struct cursor *c = NULL;
    size_t n = 0;
    int col = 0;
    if (row == NULL) return err_fail(err, ERR_NOMEM, "supervision");
    TRY(task_field(e, "about", &col, err));
    TRY(sql_begin(&s, v->a, err));
    sql_add(&s, "SELECT ");
    case_select(e, &s, "c.");
    sql_add(&s, " FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " c WHERE c.ledger = 1 AND c.process = 'supervision' AND ");
    sql_column(&s, &e->case_type->table, col, "c.");
    sql_add(&s, " = ");
    (void)sql_value(&s, cell_int(about));
    sql_add(&s, " AND ");
    rights_case_where(who, &e->case_type->table, "c.", &s);
    sql_add(&s, " ORDER BY c.id DESC LIMIT ");
    (void)sql_value(&s, cell_int(MAX_SUPERVISIONS));
    TRY(sql_query(&s, v->db, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && n < MAX_SUPERVISIONS;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) case_row_read(e, c, 0, v->a, &row[n++]);
    }
    cursor_close(c);
    jw_key(w, "supervisions");
    jw_arr(w);
    for (int open = 1; open >= 0; open--)
        for (size_t i = 0; rc == ERR_OK && i < n; i++)
            if (case_has(e, &row[i], CASE_closed_at) == (open == 0))
                rc = supervision_json(v, w, &row[i], err);
    jw_end(w, ']');
    return rc;
}
