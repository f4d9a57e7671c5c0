/* Reporting a case, one case, a move, personal fields, suggestions. */
#include <stdio.h>
#include <string.h>

#include "api/case_view.h"
#include "api/handlers.h"
#include "api/media_token.h"
#include "base/civil.h"

enum { MAX_TEXT = 8000 };

/* ---- POST /api/v1/cases ---- */

struct report_call {
    struct call *call;
    struct report report;
    const struct val *media; /* tokens, resolved inside the command */
};

static enum err_code read_parties(struct call *c, const struct val *list, struct report *out,
                                  struct err *err) {
    if (list == NULL || list->type == VAL_NULL) return ERR_OK;
    if (list->type != VAL_LIST || list->n > 8) {
        (void)err_fail(err, ERR_INVALID, "expected a list of at most eight parties");
        return err_field(err, ERR_INVALID, "/parties");
    }
    struct party_in *p = ARENA_NEW(c->a, struct party_in, list->n);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "parties");
    static const char *const known[] = {"kind", "name", "contact", "statement", NULL};
    for (size_t i = 0; i < list->n; i++) {
        const struct val *v = &list->u.list[i];
        TRY(val_only(v, known, err));
        p[i].kind = "other";
        TRY(val_str(v, "kind", false, 40, &p[i].kind, err));
        TRY(val_str(v, "name", true, 120, &p[i].name, err));
        TRY(val_str(v, "contact", false, 120, &p[i].contact, err));
        TRY(val_str(v, "statement", false, MAX_TEXT, &p[i].statement, err));
    }
    out->parties = p;
    out->n_parties = list->n;
    return ERR_OK;
}

/* A point, or an area alone for what has no place of its own. */
static enum err_code read_place(struct call *c, const struct val *body, struct report *r,
                                struct err *err) {
    const struct val *lon = val_get(body, "lon"), *lat = val_get(body, "lat");
    r->has_place = (lon != NULL && lon->type != VAL_NULL) || (lat != NULL && lat->type != VAL_NULL);
    if (r->has_place) {
        TRY(val_double(body, "lon", true, -180, 180, &r->lon, err));
        TRY(val_double(body, "lat", true, -90, 90, &r->lat, err));
    }
    TRY(val_str(body, "area", false, 20, &r->area, err));
    if (r->area == NULL) return ERR_OK;
    if (r->has_place) {
        (void)err_fail(err, ERR_INVALID, "the point tells the area: leave out one of them");
        return err_field(err, ERR_INVALID, "/area");
    }
    const struct grid *g = grid_ref(c->app->grid);
    bool known = grid_area_index(g, r->area) != GRID_NONE;
    grid_unref(g);
    if (known) return ERR_OK;
    (void)err_fail(err, ERR_INVALID, "there is no area \"%.20s\"", r->area);
    return err_field(err, ERR_INVALID, "/area");
}

static enum err_code read_report(struct call *c, struct report_call *rc, struct err *err) {
    static const char *const known[] = {"class", "lon",         "lat",     "area",
                                        "place", "description", "contact", "channel",
                                        "media", "parties",     "fields",  NULL};
    const struct val *body = NULL;
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    struct report *r = &rc->report;
    const char *cls = NULL;
    TRY(val_str(body, "class", true, 64, &cls, err));
    r->cls = pack_class(c->app->packs, cls);
    if (r->cls == NULL || !r->cls->is_open) {
        (void)err_fail(err, ERR_INVALID, "there is no class \"%.64s\"", cls);
        return err_field(err, ERR_INVALID, "/class");
    }
    TRY(read_place(c, body, r, err));
    TRY(val_str(body, "place", false, 400, &r->place_text, err));
    TRY(val_str(body, "description", false, MAX_TEXT, &r->description, err));
    TRY(val_str(body, "contact", false, 120, &r->contact, err));
    TRY(val_str(body, "channel", false, 40, &r->channel, err));
    /* A stranger comes by the page, whatever he says: channels are counted. */
    if (c->who->anonymous) r->channel = "web";
    r->extra = val_get(body, "fields");
    rc->media = val_get(body, "media");
    r->with_word = true;
    return read_parties(c, val_get(body, "parties"), r, err);
}

static void write_words(struct jw *w, const struct report *in, const struct reported *out) {
    jw_kstr(w, "secret", out->word);
    if (in->n_parties == 0) return;
    jw_key(w, "party_words");
    jw_arr(w);
    for (size_t i = 0; i < in->n_parties; i++) {
        jw_obj(w);
        jw_kstr(w, "kind", in->parties[i].kind);
        jw_kstr(w, "name", in->parties[i].name);
        jw_kstr(w, "secret", out->party_words[i]);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static enum err_code write_reported(const struct view *v, struct tx *tx, const struct report *in,
                                    const struct reported *out, struct err *err) {
    const struct engine *e = v->app->engine;
    const char *code = case_text(e, &out->row, CASE_code);
    struct reply *reply = tx_reply(tx);
    reply->status = 201;
    (void)snprintf(reply->location, sizeof reply->location, "/api/v1/cases/%s", code);
    (void)snprintf(reply->etag, sizeof reply->etag, "%lld", (long long)out->row.version);
    struct jw w;
    jw_init(&w, &reply->body);
    jw_obj(&w);
    jw_kint(&w, "id", out->row.id);
    jw_kstr(&w, "code", code);
    write_words(&w, in, out);
    jw_kstr(&w, "state", case_text(e, &out->row, CASE_state));
    view_cell(v, &w, &out->row);
    view_post(v, &w, "post", case_int(e, &out->row, CASE_post));
    jw_ktime(&w, "due", case_int(e, &out->row, CASE_due_at));
    jw_kbool(&w, "due_unconfirmed", case_int(e, &out->row, CASE_unconfirmed_due) != 0);
    /* The word stands in the fragment: it is never sent in a request line, nor logged by a proxy.
     */
    jw_key(&w, "link");
    char link[128];
    (void)snprintf(link, sizeof link, "/f/%s#%s", code, out->word);
    jw_str(&w, link);
    jw_end(&w, '}');
    return buf_check(&reply->body, err);
}

static enum err_code report_apply(struct tx *tx, void *arg, struct err *err) {
    struct report_call *rc = arg;
    const struct app *app = rc->call->app;
    struct reported out;
    TRY(media_claim(tx, rc->media, &rc->report.photos, &rc->report.n_photos, err));
    TRY(case_report(app->engine, tx, &rc->report, &out, err));
    TRY(media_bind(tx, rc->media, out.row.id, err));
    const struct grid *g = grid_ref(app->grid);
    struct view v = {app, g, tx_db(tx), tx_arena(tx), tx_now_us(tx), false};
    enum err_code code = write_reported(&v, tx, &rc->report, &out, err);
    grid_unref(g);
    return code;
}

enum err_code case_post(struct call *c, struct err *err) {
    struct report_call *rc = ARENA_NEW(c->a, struct report_call, 1);
    if (rc == NULL) return err_fail(err, ERR_NOMEM, "report");
    rc->call = c;
    rc->report.who = c->who;
    TRY(read_report(c, rc, err));
    if (!c->who->anonymous && !principal_may(c->who, PERM_CASE_REPORT)) {
        return err_fail(err, ERR_FORBIDDEN, "your role does not report cases");
    }
    return call_submit(c, "case.report", NULL, report_apply, rc, err);
}

/* ---- one case ---- */

/* A case this person may see. A case that he may not see and one that is not there look the same.
 */
static enum err_code load_mine(struct call *c, struct db *db, struct arena *a, struct case_row *out,
                               struct err *err) {
    TRY(case_load(c->app->engine, db, c->param[0], a, out, err));
    if (case_may(c->app->engine, out, c->who)) return ERR_OK;
    return err_fail(err, ERR_NOT_FOUND, "there is no case %s", c->param[0]);
}

static enum err_code write_case(struct call *c, const struct view *v, struct buf *body, char *etag,
                                size_t etag_n, const struct case_row *r, struct err *err) {
    struct actor actor = {.kind = ACTOR_STAFF, .who = c->who};
    struct jw w;
    jw_init(&w, body);
    jw_obj(&w);
    TRY(view_case(v, &w, r, err));
    TRY(view_case_detail(v, &w, r, &actor, err));
    jw_end(&w, '}');
    (void)snprintf(etag, etag_n, "%lld", (long long)r->version);
    return buf_check(body, err);
}

enum err_code case_get(struct call *c, struct err *err) {
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), false};
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    enum err_code rc =
        row == NULL ? err_fail(err, ERR_NOMEM, "case") : load_mine(c, v.db, c->a, row, err);
    if (rc == ERR_OK)
        rc = write_case(c, &v, &c->reply.body, c->reply.etag, sizeof c->reply.etag, row, err);
    grid_unref(g);
    ledger_read_end(rd);
    return rc;
}

/* ---- a move ---- */

struct move_call {
    struct call *call;
    const struct val *inputs;
    int64_t expect;
};

/* Photo tokens of the body become the hashes that the process keeps. */
static enum err_code claim_photos(struct tx *tx, const struct val *inputs, const struct val **out,
                                  struct err *err) {
    *out = inputs;
    const struct val *photos = val_get(inputs, "photos");
    if (photos == NULL || photos->type == VAL_NULL) return ERR_OK;
    const char *const *hashes = NULL;
    size_t n = 0;
    TRY(media_claim(tx, photos, &hashes, &n, err));
    struct val *copy = ARENA_NEW(tx_arena(tx), struct val, 1);
    struct val_pair *pairs = ARENA_NEW(tx_arena(tx), struct val_pair, inputs->n);
    struct val *list = ARENA_NEW(tx_arena(tx), struct val, n);
    if (copy == NULL || pairs == NULL || list == NULL) return err_fail(err, ERR_NOMEM, "photos");
    memcpy(pairs, inputs->u.map, inputs->n * sizeof *pairs);
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct val){.type = VAL_STR, .n = strlen(hashes[i]), .u.s = hashes[i]};
    }
    for (size_t i = 0; i < inputs->n; i++) {
        if (strcmp(pairs[i].key, "photos") == 0)
            pairs[i].v = (struct val){.type = VAL_LIST, .n = n, .u.list = list};
    }
    *copy = (struct val){.type = VAL_MAP, .n = inputs->n, .u.map = pairs};
    *out = copy;
    return ERR_OK;
}

static enum err_code move_apply(struct tx *tx, void *arg, struct err *err) {
    struct move_call *m = arg;
    struct call *c = m->call;
    const struct engine *e = c->app->engine;
    struct case_row *row = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "case");
    TRY(load_mine(c, tx_db(tx), tx_arena(tx), row, err));
    if (m->expect != row->version) {
        return err_fail(err, ERR_STALE, "you saw version %lld; the case is at version %lld",
                        (long long)m->expect, (long long)row->version);
    }
    const struct val *inputs = NULL;
    TRY(claim_photos(tx, m->inputs, &inputs, err));
    struct actor actor = {.kind = ACTOR_STAFF, .who = c->who};
    TRY(case_move(e, tx, row, c->param[1], &actor, inputs, m->expect, 0, NULL, err));
    TRY(media_bind(tx, val_get(m->inputs, "photos"), row->id, err));
    TRY(notify_move(c->app, tx, row, c->param[1], c->who->name, err));
    /* What was just written may lie outside the mover's rights now (dispatched to a unit): he still
     * gets his answer. */
    const struct grid *g = grid_ref(c->app->grid);
    TRY(case_load(e, tx_db(tx), c->param[0], tx_arena(tx), row, err));
    struct view v = {c->app, g, tx_db(tx), tx_arena(tx), tx_now_us(tx), false};
    struct reply *reply = tx_reply(tx);
    reply->status = 200;
    enum err_code rc = write_case(c, &v, &reply->body, reply->etag, sizeof reply->etag, row, err);
    grid_unref(g);
    return rc;
}

enum err_code case_move_post(struct call *c, struct err *err) {
    struct move_call *m = ARENA_NEW(c->a, struct move_call, 1);
    if (m == NULL) return err_fail(err, ERR_NOMEM, "move");
    m->call = c;
    TRY(call_if_match(c, &m->expect, err));
    TRY(call_body(c, &m->inputs, err));
    char name[64];
    (void)snprintf(name, sizeof name, "case.%.50s", c->param[1]);
    return call_submit(c, name, NULL, move_apply, m, err);
}

/* ---- personal fields, for a stated purpose ---- */

static enum err_code contact_apply(struct tx *tx, void *arg, struct err *err) {
    struct call *c = arg;
    const struct engine *e = c->app->engine;
    struct case_row *row = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "case");
    TRY(load_mine(c, tx_db(tx), tx_arena(tx), row, err));
    struct cell value;
    const char *purpose = call_query(c, "purpose");
    TRY(rights_open_personal(tx, c->who, e->case_type, row->id, "contact",
                             &row->cells[e->case_col[CASE_contact]], purpose == NULL ? "" : purpose,
                             &value, err));
    struct reply *reply = tx_reply(tx);
    reply->status = 200;
    struct jw w;
    jw_init(&w, &reply->body);
    jw_obj(&w);
    jw_kstr(&w, "contact", value.type == CELL_TEXT ? value.p : NULL);
    jw_kstr(&w, "purpose", purpose);
    jw_end(&w, '}');
    return buf_check(&reply->body, err);
}

enum err_code case_contact(struct call *c, struct err *err) {
    return call_run(c, "case.view", call_query(c, "purpose"), contact_apply, c, err);
}

/* ---- suggestion for the desk ---- */

static void write_suggested_unit(const struct view *v, struct jw *w, const struct case_row *r,
                                 const struct case_class *cls) {
    int at[GRID_LEVELS];
    static const enum case_field level_field[GRID_LEVELS] = {CASE_N, CASE_city, CASE_county,
                                                             CASE_town, CASE_community};
    at[0] = GRID_NONE;
    for (int i = 1; i < GRID_LEVELS; i++) {
        at[i] = grid_area_index(v->grid, case_text(v->app->engine, r, level_field[i]));
    }
    int unit = cls == NULL || cls->duty == NULL ? GRID_NONE : grid_unit_for(v->grid, cls->duty, at);
    jw_key(w, "units");
    jw_arr(w);
    if (unit != GRID_NONE) {
        const struct grid_unit *u = &v->grid->units[unit];
        struct text name = {u->name_en, u->name};
        struct text why = {"This unit has the duty for the class in this area.",
                           "该单位在此区域承担该类事项的职责。"};
        jw_obj(w);
        jw_kstr(w, "code", u->code);
        view_text(w, "name", &name);
        view_text(w, "why", &why);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

enum err_code case_suggest(struct call *c, struct err *err) {
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), false};
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    enum err_code rc =
        row == NULL ? err_fail(err, ERR_NOMEM, "case") : load_mine(c, v.db, c->a, row, err);
    if (rc == ERR_OK) {
        struct jw w = call_json(c);
        jw_obj(&w);
        write_suggested_unit(&v, &w, row,
                             pack_class(c->app->packs, case_text(c->app->engine, row, CASE_class)));
        view_post(&v, &w, "post", case_int(c->app->engine, row, CASE_post));
        rc = view_similar(&v, &w, row, err);
        jw_end(&w, '}');
    }
    grid_unref(g);
    ledger_read_end(rd);
    return rc;
}
