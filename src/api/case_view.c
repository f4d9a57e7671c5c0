#include "api/case_view.h"

#include <math.h>
#include <string.h>

#include "api/media_token.h"
#include "domain/process/join.h"
#include "geo/crs.h"

/* A place that is no public asset is shown rounded to this grid. */
#define PUBLIC_GRID_M 50.0
/* No place is moved farther than this by the rounding (half a diagonal, and some). */
#define PUBLIC_REACH_M 60.0
#define MINUTE_US INT64_C(60000000)

void view_text(struct jw *w, const char *key, const struct text *t) {
    jw_key(w, key);
    jw_obj(w);
    jw_kstr(w, "en", t->en);
    jw_kstr(w, "zh", t->zh);
    jw_end(w, '}');
}

const char *view_light(enum case_light light) {
    static const char *const names[] = {NULL, "green", "yellow", "red", "paused"};
    return names[light];
}

enum err_code view_personal(const struct view *v, const struct cell *cell, const char **out,
                            struct err *err) {
    *out = NULL;
    if (cell->type == CELL_TEXT) {
        *out = cell->p; /* just given in this command */
        return ERR_OK;
    }
    if (cell->type != CELL_COMMIT) return ERR_OK;
    struct cell value;
    TRY(personal_get(v->db, cell, v->a, &value, err));
    if (value.type == CELL_TEXT) *out = value.p;
    return ERR_OK;
}

enum err_code view_photos(const struct view *v, struct jw *w, const char *key, const char *json,
                          struct err *err) {
    jw_key(w, key);
    jw_arr(w);
    const struct val *list = NULL;
    if (json != NULL && json[0] != '\0') TRY(json_parse(v->a, json, strlen(json), &list, err));
    for (size_t i = 0; list != NULL && list->type == VAL_LIST && i < list->n; i++) {
        const char *media = list->u.list[i].type == VAL_STR ? list->u.list[i].u.s : "";
        char *ticket = v->tickets ? media_ticket(v->app, v->a, media, v->now_us) : NULL;
        const char *more = ticket == NULL ? "" : arena_printf(v->a, "&ticket=%s", ticket);
        if (more == NULL) return err_fail(err, ERR_NOMEM, "photos");
        char *full = arena_printf(v->a, "/api/v1/media/%s?size=full%s", media, more);
        char *thumb = arena_printf(v->a, "/api/v1/media/%s?size=thumb%s", media, more);
        jw_obj(w);
        jw_kstr(w, "media", media);
        jw_kstr(w, "url", full);
        jw_kstr(w, "thumb", thumb);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    return ERR_OK;
}

static void kstr_or_null(struct jw *w, const char *key, const char *s) {
    jw_kstr(w, key, s == NULL || s[0] == '\0' ? NULL : s);
}

void view_cell(const struct view *v, struct jw *w, const struct case_row *r) {
    const struct engine *e = v->app->engine;
    const char *code = case_text(e, r, CASE_cell);
    jw_key(w, "cell");
    if (code[0] == '\0') {
        jw_null(w);
        return;
    }
    int i = grid_cell_index(v->grid, case_text(e, r, CASE_layer), code);
    jw_obj(w);
    jw_kstr(w, "code", code);
    jw_kstr(w, "name", i == GRID_NONE ? code : v->grid->cells[i].name);
    jw_end(w, '}');
}

void view_post(const struct view *v, struct jw *w, const char *key, int64_t post_id) {
    int i = grid_post_index(v->grid, post_id);
    jw_key(w, key);
    if (i == GRID_NONE) {
        jw_null(w);
        return;
    }
    const struct grid_post *p = &v->grid->posts[i];
    jw_obj(w);
    jw_kint(w, "id", p->id);
    jw_kstr(w, "title", p->title);
    kstr_or_null(w, "worker", p->display);
    jw_kbool(w, "desk", p->cell == GRID_NONE);
    jw_end(w, '}');
}

static void view_unit(const struct view *v, struct jw *w, const char *code) {
    jw_key(w, "unit");
    if (code[0] == '\0') {
        jw_null(w);
        return;
    }
    int i = grid_unit_index(v->grid, code);
    struct text name = {code, code};
    if (i != GRID_NONE) name = (struct text){v->grid->units[i].name_en, v->grid->units[i].name};
    jw_obj(w);
    jw_kstr(w, "code", code);
    view_text(w, "name", &name);
    jw_end(w, '}');
}

static void view_kind(const struct view *v, struct jw *w, const struct case_row *r,
                      bool is_public) {
    const struct engine *e = v->app->engine;
    const char *cls = case_text(e, r, CASE_class), *state = case_text(e, r, CASE_state);
    const struct case_class *c = pack_class(e->packs, cls);
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    const struct state_def *s = p == NULL ? NULL : process_state(p, state);
    struct text cls_title = {cls, cls}, state_title = {state, state};
    if (c != NULL) cls_title = c->title;
    if (s != NULL) state_title = is_public ? s->public_title : s->title;
    jw_kstr(w, "class", cls);
    view_text(w, "class_title", &cls_title);
    jw_kstr(w, "state", state);
    view_text(w, "state_title", &state_title);
    jw_kstr(w, "stage", case_text(e, r, CASE_stage));
}

static void view_times(const struct view *v, struct jw *w, const struct case_row *r) {
    static const struct {
        const char *key;
        enum case_field field;
    } times[] = {{"opened", CASE_opened_at},         {"filed", CASE_filed_at},
                 {"dispatched", CASE_dispatched_at}, {"handled", CASE_handled_at},
                 {"closed", CASE_closed_at},         {"due", CASE_due_at},
                 {"since", CASE_state_since}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        jw_ktime(w, times[i].key, case_int(v->app->engine, r, times[i].field));
    }
}

void view_paused(const struct view *v, struct jw *w, const struct case_row *r, bool staff) {
    const struct engine *e = v->app->engine;
    jw_key(w, "paused");
    if (!case_has(e, r, CASE_paused_at)) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_ktime(w, "since", case_int(e, r, CASE_paused_at));
    jw_ktime(w, "until", case_int(e, r, CASE_paused_until));
    jw_kstr(w, "why", case_text(e, r, CASE_paused_why));
    if (staff) {
        int64_t left = case_int(e, r, CASE_clock_left_us);
        jw_ktime(w, "was_due", case_int(e, r, CASE_paused_due_at));
        jw_kint(w, "left_minutes", left <= 0 ? 0 : left / MINUTE_US);
        jw_key(w, "emergency");
        if (case_has(e, r, CASE_emergency))
            jw_int(w, case_int(e, r, CASE_emergency));
        else
            jw_null(w);
    }
    jw_end(w, '}');
}

static void view_asked(const struct view *v, struct jw *w, const struct case_row *r) {
    const struct engine *e = v->app->engine;
    jw_key(w, "asked");
    if (!case_has(e, r, CASE_asked)) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kstr(w, "what", case_text(e, r, CASE_asked));
    jw_kstr(w, "by", case_text(e, r, CASE_asked_by));
    jw_ktime(w, "until", case_int(e, r, CASE_asked_until));
    jw_kint(w, "days", case_int(e, r, CASE_asked_days));
    jw_end(w, '}');
}

static void view_counters(const struct view *v, struct jw *w, const struct case_row *r) {
    const struct engine *e = v->app->engine;
    static const struct {
        const char *key;
        enum case_field field;
        bool flag;
    } rows[] = {{"due_unconfirmed", CASE_unconfirmed_due, true},
                {"overdue", CASE_overdue, true},
                {"urgent", CASE_urgent, true},
                {"private", CASE_private, true},
                {"released", CASE_released, true},
                {"settled_in_cell", CASE_settled_in_cell, true},
                {"returns", CASE_returns, false},
                {"reworks", CASE_reworks, false},
                {"escalated", CASE_escalated, false},
                {"suspensions", CASE_suspensions, false},
                {"extensions", CASE_extensions, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t n = case_int(e, r, rows[i].field);
        if (rows[i].flag)
            jw_kbool(w, rows[i].key, n != 0);
        else
            jw_kint(w, rows[i].key, n);
    }
    jw_key(w, "score");
    if (case_has(e, r, CASE_score))
        jw_int(w, case_int(e, r, CASE_score));
    else
        jw_null(w);
}

/* Fields that a city added to the type: shown to staff by their sensitivity (public and internal
 * ones). */
static void view_city_fields(const struct view *v, struct jw *w, const struct case_row *r) {
    const struct type_def *t = v->app->engine->case_type;
    jw_key(w, "fields");
    jw_obj(w);
    for (size_t i = 0; i < t->n_fields; i++) {
        const struct cell *c = &r->cells[i];
        if (t->fields[i].engine || t->fields[i].sensitivity > SENS_INTERNAL || c->type == CELL_NULL)
            continue;
        if (case_is_engine_column(v->app->engine, (int)i)) continue;
        jw_key(w, t->fields[i].name);
        if (c->type == CELL_INT && t->fields[i].kind == FIELD_BOOL)
            jw_bool(w, c->i != 0);
        else if (c->type == CELL_INT)
            jw_int(w, c->i);
        else if (c->type == CELL_REAL)
            jw_double(w, c->d);
        else
            jw_strn(w, c->p, c->n);
    }
    jw_end(w, '}');
}

/* Whether it is the same matter as another case, and how many people have reported the matter. */
static enum err_code view_joined(const struct view *v, struct jw *w, const struct case_row *r,
                                 struct err *err) {
    const struct engine *e = v->app->engine;
    const char *code = NULL;
    struct text title = {NULL, NULL};
    if (case_has(e, r, CASE_duplicate_of))
        TRY(case_code_of(e, v->db, case_int(e, r, CASE_duplicate_of), v->a, &code, err));
    jw_kstr(w, "duplicate_of", code);
    jw_kint(w, "reporters", join_reporters(e, r));
    int level = join_urgency(e, r, &title);
    jw_key(w, "urgency");
    if (level == 0) {
        jw_null(w);
        return ERR_OK;
    }
    jw_obj(w);
    jw_kint(w, "level", level);
    view_text(w, "title", &title);
    jw_end(w, '}');
    return ERR_OK;
}

enum err_code view_case(const struct view *v, struct jw *w, const struct case_row *r,
                        struct err *err) {
    const struct engine *e = v->app->engine;
    const char *text = NULL, *result = NULL;
    TRY(view_personal(v, &r->cells[e->case_col[CASE_description]], &text, err));
    TRY(view_personal(v, &r->cells[e->case_col[CASE_result_note]], &result, err));
    jw_kint(w, "id", r->id);
    jw_kstr(w, "code", case_text(e, r, CASE_code));
    jw_kint(w, "version", r->version);
    jw_kstr(w, "process", case_text(e, r, CASE_process));
    view_kind(v, w, r, false);
    jw_kstr(w, "channel", case_text(e, r, CASE_channel));
    jw_kdouble(w, "lon", case_real(e, r, CASE_lon));
    jw_kdouble(w, "lat", case_real(e, r, CASE_lat));
    kstr_or_null(w, "place", case_text(e, r, CASE_place_text));
    jw_kstr(w, "description", text);
    view_cell(v, w, r);
    kstr_or_null(w, "community", case_text(e, r, CASE_community));
    kstr_or_null(w, "town", case_text(e, r, CASE_town));
    kstr_or_null(w, "county", case_text(e, r, CASE_county));
    view_unit(v, w, case_text(e, r, CASE_unit));
    view_post(v, w, "post", case_int(e, r, CASE_post));
    kstr_or_null(w, "holder", case_text(e, r, CASE_holder));
    kstr_or_null(w, "handler", case_text(e, r, CASE_handler));
    view_times(v, w, r);
    jw_kstr(w, "light", view_light(case_light(e, r, v->now_us)));
    view_paused(v, w, r, true);
    view_asked(v, w, r);
    view_counters(v, w, r);
    TRY(view_photos(v, w, "photos", case_text(e, r, CASE_photos), err));
    jw_key(w, "result");
    jw_obj(w);
    jw_kstr(w, "note", result);
    TRY(view_photos(v, w, "photos", case_text(e, r, CASE_result_photos), err));
    jw_end(w, '}');
    TRY(view_joined(v, w, r, err));
    view_city_fields(v, w, r);
    return ERR_OK;
}

/* ---- the public, and who holds the word ---- */

void view_round_place(const struct case_class *c, double *lon_deg, double *lat_deg) {
    if (isnan(*lon_deg) || (c != NULL && c->public_asset)) return;
    geo_coarse_point(PUBLIC_GRID_M, lon_deg, lat_deg);
}

void view_widen_box(double box[4]) {
    double dlat = PUBLIC_REACH_M / 111000.0;
    double lat = fmin(fmax(fabs(box[1]), fabs(box[3])) + dlat, 89);
    double dlon = dlat / cos(lat * 3.14159265358979323846 / 180.0);
    box[0] -= dlon;
    box[1] -= dlat;
    box[2] += dlon;
    box[3] += dlat;
}

bool view_in_box(const double box[4], double lon_deg, double lat_deg) {
    return lon_deg >= box[0] && lon_deg <= box[2] && lat_deg >= box[1] && lat_deg <= box[3];
}

static void view_public_place(const struct view *v, struct jw *w, const struct case_row *r,
                              const struct case_class *c) {
    const struct engine *e = v->app->engine;
    double lon = case_real(e, r, CASE_lon), lat = case_real(e, r, CASE_lat);
    view_round_place(c, &lon, &lat);
    jw_kdouble(w, "lon", lon);
    jw_kdouble(w, "lat", lat);
    jw_kbool(w, "exact", c != NULL && c->public_asset);
}

enum err_code view_case_public(const struct view *v, struct jw *w, const struct case_row *r,
                               struct err *err) {
    const struct engine *e = v->app->engine;
    app_assert(case_int(e, r, CASE_private) == 0);
    jw_kstr(w, "code", case_text(e, r, CASE_code));
    view_kind(v, w, r, true);
    jw_ktime(w, "opened", case_int(e, r, CASE_opened_at));
    jw_ktime(w, "closed", case_int(e, r, CASE_closed_at));
    jw_ktime(w, "due", case_int(e, r, CASE_due_at));
    view_paused(v, w, r, false);
    view_unit(v, w, case_text(e, r, CASE_unit));
    view_public_place(v, w, r, pack_class(e->packs, case_text(e, r, CASE_class)));
    jw_kbool(w, "released", case_int(e, r, CASE_released) != 0);
    if (case_int(e, r, CASE_released) == 0) return ERR_OK;
    /* The operator may release a text of his own instead of the reporter's words. */
    const char *text = case_text(e, r, CASE_released_text);
    bool own_words = text[0] == '\0';
    if (own_words) TRY(view_personal(v, &r->cells[e->case_col[CASE_description]], &text, err));
    jw_kstr(w, "description", text);
    /* Who wrote a text for the public did so to leave something out: the place in words may hold
     * it. */
    kstr_or_null(w, "place", own_words ? case_text(e, r, CASE_place_text) : "");
    return view_photos(v, w, "photos", case_text(e, r, CASE_photos), err);
}
