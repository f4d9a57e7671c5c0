#include <string.h>

#include "api/case_view.h"
#include "domain/process/clock.h"
#include "domain/process/join.h"

enum { MAX_OFFERED = 32, MAX_SIMILAR = 8 };

static enum err_code related_query(const struct view *v, const struct type_def *t, int case_col,
                                   int64_t case_id, struct cursor **out, struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, v->a, err));
    sql_add(&s, "SELECT id");
    for (size_t i = 0; i < t->table.n_cols; i++) {
        sql_add(&s, ", ");
        sql_column(&s, &t->table, (int)i, "");
    }
    sql_add(&s, " FROM ");
    sql_table(&s, &t->table);
    sql_add(&s, " WHERE ledger = 1 AND ");
    sql_column(&s, &t->table, case_col, "");
    sql_add(&s, " = ");
    sql_value(&s, cell_int(case_id));
    sql_add(&s, " ORDER BY id LIMIT 500");
    return sql_query(&s, v->db, out, err);
}

/* Columns of a related row start at 1; a personal one comes as a commitment. */
static struct cell related_cell(const struct view *v, const struct type_def *t,
                                const struct cursor *c, int col) {
    struct cell value = cursor_cell(c, col + 1, v->a);
    if (t->table.cols[col].personal && value.type == CELL_TEXT) value.type = CELL_COMMIT;
    return value;
}

/* Who made a step, as the public may know it: the role, never the name. */
static void step_who(const struct view *v, struct jw *w, const char *role) {
    const struct role_def *r = pack_role(v->app->packs, role);
    struct text t = {role, role};
    if (r != NULL) t = r->title;
    view_text(w, "who", &t);
}

static void step_title(const struct view *v, struct jw *w, const struct case_row *r,
                       const char *move) {
    const struct process_def *p =
        pack_process(v->app->packs, case_text(v->app->engine, r, CASE_process));
    const struct move_def *m = p == NULL ? NULL : process_move(p, move);
    struct text t = {"Reported", "已上报"};
    if (m != NULL)
        t = m->done;
    else
        (void)clock_step_title(move, &t);
    view_text(w, "title", &t);
}

static enum err_code one_step(const struct view *v, struct jw *w, const struct case_row *r,
                              const struct cursor *c, bool staff, struct err *err) {
    const struct engine *e = v->app->engine;
    const int *col = e->step_col;
    const char *note = NULL;
    struct cell note_cell = related_cell(v, e->step_type, c, col[STEP_note]);
    bool is_public = cursor_int(c, col[STEP_public] + 1) != 0;
    if (staff || is_public) TRY(view_personal(v, &note_cell, &note, err));
    jw_obj(w);
    jw_ktime(w, "at", cursor_int(c, col[STEP_at] + 1));
    jw_kstr(w, "move", cursor_text(c, col[STEP_move] + 1));
    step_title(v, w, r, cursor_text(c, col[STEP_move] + 1));
    jw_kstr(w, "from",
            cursor_is_null(c, col[STEP_from_state] + 1) ? NULL
                                                        : cursor_text(c, col[STEP_from_state] + 1));
    jw_kstr(w, "to", cursor_text(c, col[STEP_to_state] + 1));
    jw_kstr(w, "state", cursor_text(c, col[STEP_to_state] + 1));
    jw_ktime(w, "due", cursor_int(c, col[STEP_due_at] + 1));
    jw_kint(w, "elapsed", cursor_int(c, col[STEP_elapsed_milli] + 1));
    step_who(v, w, cursor_text(c, col[STEP_role] + 1));
    jw_kstr(w, "note", note);
    bool tells = (staff || is_public) && !cursor_is_null(c, col[STEP_reason] + 1);
    jw_kstr(w, "reason", tells ? cursor_text(c, col[STEP_reason] + 1) : NULL);
    if (e->clocks_stop) {
        jw_ktime(w, "until", cursor_int(c, col[STEP_until] + 1));
        jw_kint(w, "days", cursor_int(c, col[STEP_days] + 1));
    }
    int unit = grid_unit_index(v->grid, cursor_text(c, col[STEP_unit] + 1));
    struct text name = {NULL, NULL};
    if (unit != GRID_NONE)
        name = (struct text){v->grid->units[unit].name_en, v->grid->units[unit].name};
    view_text(w, "unit", &name);
    TRY(view_photos(v, w, "photos", cursor_text(c, col[STEP_photos] + 1), err));
    if (staff) {
        jw_kstr(w, "actor", cursor_text(c, col[STEP_actor] + 1));
        jw_kstr(w, "role", cursor_text(c, col[STEP_role] + 1));
        view_post(v, w, "post", cursor_int(c, col[STEP_post] + 1));
        jw_kbool(w, "public", is_public);
    }
    jw_end(w, '}');
    return ERR_OK;
}

static enum err_code view_route(const struct view *v, struct jw *w, const struct case_row *r,
                                bool staff, struct err *err) {
    const struct engine *e = v->app->engine;
    struct cursor *c = NULL;
    TRY(related_query(v, e->step_type, e->step_col[STEP_case_id], r->id, &c, err));
    jw_key(w, "route");
    jw_arr(w);
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) rc = one_step(v, w, r, c, staff, err);
    }
    cursor_close(c);
    jw_end(w, ']');
    return rc;
}

/* Parties: staff sees who they are; a party sees its own part only. */
static enum err_code view_parties(const struct view *v, struct jw *w, const struct case_row *r,
                                  bool staff, int64_t own, struct err *err) {
    const struct engine *e = v->app->engine;
    const struct type_def *t = e->party_type;
    struct cursor *c = NULL;
    TRY(related_query(v, t, e->party_col[PARTY_case_id], r->id, &c, err));
    jw_key(w, "parties");
    jw_arr(w);
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has || (!staff && cursor_int(c, 0) != own)) continue;
        const char *name = NULL, *statement = NULL;
        struct cell name_cell = related_cell(v, t, c, e->party_col[PARTY_name]);
        struct cell statement_cell = related_cell(v, t, c, e->party_col[PARTY_statement]);
        rc = view_personal(v, &name_cell, &name, err);
        if (rc == ERR_OK) rc = view_personal(v, &statement_cell, &statement, err);
        if (rc != ERR_OK) break;
        jw_obj(w);
        jw_kint(w, "id", cursor_int(c, 0));
        jw_kstr(w, "kind", cursor_text(c, e->party_col[PARTY_kind] + 1));
        jw_kstr(w, "name", name);
        jw_kstr(w, "statement", statement);
        jw_key(w, "agreed");
        if (cursor_is_null(c, e->party_col[PARTY_agreed] + 1))
            jw_null(w);
        else
            jw_bool(w, cursor_int(c, e->party_col[PARTY_agreed] + 1) != 0);
        jw_end(w, '}');
    }
    cursor_close(c);
    jw_end(w, ']');
    return rc;
}

static void view_inputs(struct jw *w, const struct move_def *m) {
    jw_key(w, "inputs");
    jw_arr(w);
    for (size_t i = 0; i < m->n_inputs; i++) {
        const struct input_def *in = &m->inputs[i];
        jw_obj(w);
        jw_kstr(w, "name", in->name);
        jw_kstr(w, "kind", in->kind);
        jw_kbool(w, "required", in->required);
        view_text(w, "title", &in->title);
        jw_kint(w, "min", in->min);
        jw_kint(w, "max", in->max);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void view_moves(const struct view *v, struct jw *w, const struct case_row *r,
                       const struct actor *actor) {
    struct offered_move offered[MAX_OFFERED];
    size_t n = moves_offered(v->app->engine, r, actor, offered, MAX_OFFERED);
    jw_key(w, "moves");
    jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        jw_obj(w);
        jw_kstr(w, "name", offered[i].move->name);
        view_text(w, "title", &offered[i].move->title);
        jw_kbool(w, "public", offered[i].move->is_public);
        view_inputs(w, offered[i].move);
        if (offered[i].why.zh != NULL) view_text(w, "why_not", &offered[i].why);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

enum err_code view_similar(const struct view *v, struct jw *w, const struct case_row *r,
                           struct err *err) {
    const struct engine *e = v->app->engine;
    struct similar found[MAX_SIMILAR];
    size_t n = 0;
    if (case_has(e, r, CASE_lon) && case_int(e, r, CASE_private) == 0) {
        TRY(case_similar(e, v->db, case_text(e, r, CASE_class), case_real(e, r, CASE_lon),
                         case_real(e, r, CASE_lat), 100, r->id, v->a, found, MAX_SIMILAR, &n, err));
    }
    jw_key(w, "similar");
    jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        jw_obj(w);
        jw_kstr(w, "code", found[i].code);
        jw_kstr(w, "class", found[i].cls);
        jw_kstr(w, "state", found[i].state);
        jw_kint(w, "distance_m", (int64_t)(found[i].distance_m + 0.5));
        jw_ktime(w, "opened", found[i].opened_us);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    return ERR_OK;
}

enum err_code view_case_detail(const struct view *v, struct jw *w, const struct case_row *r,
                               const struct actor *actor, struct err *err) {
    TRY(view_route(v, w, r, true, err));
    TRY(view_parties(v, w, r, true, 0, err));
    TRY(view_similar(v, w, r, err));
    view_moves(v, w, r, actor);
    return ERR_OK;
}

/* The report that this one was joined to, as anybody may see it; a private one is not named. */
static enum err_code view_joined_to(const struct view *v, struct jw *w, const struct case_row *r,
                                    struct err *err) {
    const struct engine *e = v->app->engine;
    const char *code = NULL;
    struct case_row *target = ARENA_NEW(v->a, struct case_row, 1);
    if (target == NULL) return err_fail(err, ERR_NOMEM, "case");
    if (case_has(e, r, CASE_duplicate_of))
        TRY(case_code_of(e, v->db, case_int(e, r, CASE_duplicate_of), v->a, &code, err));
    if (code != NULL) TRY(case_load(e, v->db, code, v->a, target, err));
    jw_key(w, "joined_to");
    if (code == NULL || case_int(e, target, CASE_private) != 0) {
        jw_null(w);
        return ERR_OK;
    }
    const struct process_def *p = pack_process(e->packs, case_text(e, target, CASE_process));
    const struct state_def *s =
        p == NULL ? NULL : process_state(p, case_text(e, target, CASE_state));
    jw_obj(w);
    jw_kstr(w, "code", code);
    if (s != NULL) view_text(w, "state_title", &s->public_title);
    jw_ktime(w, "due", case_int(e, target, CASE_due_at));
    jw_end(w, '}');
    return ERR_OK;
}

enum err_code view_case_follow(const struct view *v, struct jw *w, const struct case_row *r,
                               int64_t party, struct err *err) {
    const struct engine *e = v->app->engine;
    struct actor actor = {.kind = party == 0 ? ACTOR_REPORTER : ACTOR_PARTY, .party = party};
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    const struct state_def *s = p == NULL ? NULL : process_state(p, case_text(e, r, CASE_state));
    const struct case_class *cls = pack_class(e->packs, case_text(e, r, CASE_class));
    jw_key(w, "case");
    jw_obj(w);
    jw_kstr(w, "code", case_text(e, r, CASE_code));
    jw_kint(w, "version", r->version);
    jw_kstr(w, "class", case_text(e, r, CASE_class));
    if (cls != NULL) view_text(w, "class_title", &cls->title);
    jw_kstr(w, "state", case_text(e, r, CASE_state));
    if (s != NULL) view_text(w, "state_title", &s->public_title);
    jw_kstr(w, "stage", case_text(e, r, CASE_stage));
    jw_ktime(w, "opened", case_int(e, r, CASE_opened_at));
    jw_ktime(w, "due", case_int(e, r, CASE_due_at));
    view_paused(v, w, r, false);
    jw_ktime(w, "closed", case_int(e, r, CASE_closed_at));
    jw_kbool(w, "private", case_int(e, r, CASE_private) != 0);
    TRY(view_joined_to(v, w, r, err));
    if (party == 0) {
        const char *text = NULL, *result = NULL;
        TRY(view_personal(v, &r->cells[e->case_col[CASE_description]], &text, err));
        TRY(view_personal(v, &r->cells[e->case_col[CASE_result_note]], &result, err));
        jw_kstr(w, "description", text);
        jw_kstr(w, "place",
                case_has(e, r, CASE_place_text) ? case_text(e, r, CASE_place_text) : NULL);
        jw_kdouble(w, "lon", case_real(e, r, CASE_lon));
        jw_kdouble(w, "lat", case_real(e, r, CASE_lat));
        TRY(view_photos(v, w, "photos", case_text(e, r, CASE_photos), err));
        jw_key(w, "result");
        jw_obj(w);
        jw_kstr(w, "note", result);
        TRY(view_photos(v, w, "photos", case_text(e, r, CASE_result_photos), err));
        jw_end(w, '}');
    }
    jw_end(w, '}');
    TRY(view_route(v, w, r, false, err));
    TRY(view_parties(v, w, r, false, party, err));
    view_moves(v, w, r, &actor);
    jw_kstr(w, "as", party == 0 ? "reporter" : "party");
    return ERR_OK;
}
