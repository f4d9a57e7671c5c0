/* Briefings: the list, one with its document, the PDF, forming a draft, signing, withdrawing. */
#include <stdio.h>
#include <string.h>

#include "api/briefing_make.h"
#include "api/handlers.h"
#include "domain/briefing/pdf.h"
#include "domain/measure/index_json.h"

enum { PAGE = 50, PAGE_MAX = 200, MAX_CODE = 40, MAX_NAME = 60 };

/* ---- who may see what */

/* A briefing tells index values and warnings: who may not read those may not read them here. */
static enum err_code may_read(const struct call *c, struct err *err) {
    if (principal_may(c->who, PERM_INDEX_READ) && principal_may(c->who, PERM_WARNING_READ))
        return ERR_OK;
    return err_fail(err, ERR_FORBIDDEN, "a briefing needs index.read and warning.read as well");
}

static bool may_prepare(const struct call *c) {
    return principal_may(c->who, PERM_INDEX_FREEZE) || principal_may(c->who, PERM_BRIEFING_SIGN);
}

static bool in_scope(const struct call *c, const struct grid *g, const char *area) {
    if (c->who->area[0] == '\0') return true;
    int at = grid_area_index(g, area), own = grid_area_index(g, c->who->area);
    for (int steps = 0; at != GRID_NONE && own != GRID_NONE && steps <= GRID_LEVELS; steps++) {
        if (at == own) return true;
        at = g->areas[at].parent;
    }
    return false;
}

/* What a person signed is for every reader; the rest for those who prepare it, of their area. */
static bool sees(const struct call *c, const struct grid *g, const struct briefing_row *r) {
    return r->state == BRIEFING_SIGNED || (may_prepare(c) && in_scope(c, g, r->area));
}

/* ---- rendering */

static void put_row(const struct grid *g, struct jw *w, const struct briefing_row *r) {
    int at = grid_area_index(g, r->area);
    jw_kint(w, "id", r->id);
    jw_kstr(w, "kind", r->kind);
    jw_kstr(w, "period", r->period);
    jw_kstr(w, "index", r->index);
    jw_kstr(w, "area", r->area);
    jw_kstr(w, "name", at == GRID_NONE ? r->area : g->areas[at].name);
    jw_kstr(w, "name_en", at == GRID_NONE ? NULL : g->areas[at].name_en);
    index_text_json(w, "title", &r->title);
    index_text_json(w, "sentence", &r->sentence);
    jw_kint(w, "data_seq", r->data_seq);
    jw_kstr(w, "hash", r->hash);
    jw_kstr(w, "state", briefing_state_name(r->state));
    jw_kstr(w, "formed_by", r->formed_by);
    jw_ktime(w, "formed_at", r->formed_at_us);
    jw_kstr(w, "signed_by", r->signed_by[0] == '\0' ? NULL : r->signed_by);
    jw_ktime(w, "signed_at", r->signed_at_us);
    jw_kstr(w, "note", r->note[0] == '\0' ? NULL : r->note);
}

/* ---- the list */

static enum err_code read_filter(struct call *c, struct briefing_filter *f, struct err *err) {
    const char *state = call_query(c, "state");
    int64_t max = PAGE;
    *f = (struct briefing_filter){.kind = call_query(c, "kind"),
                                  .area = call_query(c, "area"),
                                  .period = call_query(c, "period"),
                                  .drafts = may_prepare(c)};
    TRY(call_query_int(c, "limit", 1, PAGE_MAX, &max, err));
    TRY(call_query_int(c, "cursor", 1, INT64_MAX, &f->before, err));
    f->max = (size_t)max;
    if (state == NULL) return ERR_OK;
    f->state = briefing_state_parse(state);
    if (f->state > 0) return ERR_OK;
    (void)err_fail(err, ERR_INVALID, "\"%.20s\": expected draft, signed or withdrawn", state);
    return err_field(err, ERR_INVALID, "/state");
}

/* Rows outside the caller's area are passed over, page by page, until there are enough. */
static enum err_code put_list(struct call *c, struct db *db, const struct grid *g,
                              struct briefing_filter *f, struct jw *w, int64_t *next,
                              struct err *err) {
    size_t put = 0, n = f->max;
    for (bool more = true; more && put < f->max;) {
        struct briefing_row *row = NULL;
        TRY(briefing_list(db, 1, f, c->a, &row, &n, err));
        for (size_t i = 0; i < n && put < f->max; i++) {
            f->before = row[i].id;
            if (!sees(c, g, &row[i])) continue;
            jw_obj(w);
            put_row(g, w, &row[i]);
            jw_end(w, '}');
            put++;
        }
        more = n == f->max;
        *next = more ? f->before : 0;
    }
    return ERR_OK;
}

enum err_code briefing_index(struct call *c, struct err *err) {
    struct briefing_filter f;
    struct reader *r = NULL;
    int64_t next = 0;
    TRY(may_read(c, err));
    TRY(read_filter(c, &f, err));
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    enum err_code rc = put_list(c, reader_db(r), g, &f, &w, &next, err);
    jw_end(&w, ']');
    jw_key(&w, "next");
    if (next > 0)
        jw_int(&w, next);
    else
        jw_null(&w);
    jw_end(&w, '}');
    grid_unref(g);
    ledger_read_end(r);
    return rc == ERR_OK ? buf_check(&c->reply.body, err) : rc;
}

/* ---- one */

static enum err_code id_of(const struct call *c, int64_t *id, struct err *err) {
    const char *s = c->param[0];
    *id = 0;
    for (size_t i = 0; s[i] >= '0' && s[i] <= '9' && i < 18; i++) *id = *id * 10 + (s[i] - '0');
    char back[24];
    (void)snprintf(back, sizeof back, "%lld", (long long)*id);
    if (*id > 0 && strcmp(back, s) == 0) return ERR_OK;
    return err_fail(err, ERR_NOT_FOUND, "there is no such briefing");
}

/* The row when the caller may see it; outside of that it is not found. */
static enum err_code row_of_call(struct call *c, struct db *db, const struct grid *g,
                                 struct briefing_row *out, struct err *err) {
    int64_t id = 0;
    TRY(may_read(c, err));
    TRY(id_of(c, &id, err));
    TRY(briefing_get(db, 1, id, c->a, out, err));
    return sees(c, g, out) ? ERR_OK : err_fail(err, ERR_NOT_FOUND, "there is no such briefing");
}

static enum err_code read_row(struct call *c, struct briefing_row *out, struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    const struct grid *g = grid_ref(c->app->grid);
    enum err_code rc = row_of_call(c, reader_db(r), g, out, err);
    grid_unref(g);
    ledger_read_end(r);
    return rc;
}

enum err_code briefing_show(struct call *c, struct err *err) {
    struct briefing_row row;
    TRY(read_row(c, &row, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct jw w = call_json(c);
    jw_obj(&w);
    put_row(g, &w, &row);
    jw_kbool(&w, "may_sign", principal_may(c->who, PERM_BRIEFING_SIGN) && in_scope(c, g, row.area));
    jw_key(&w, "document");
    jw_raw(&w, row.document, row.document_n);
    jw_end(&w, '}');
    grid_unref(g);
    return buf_check(&c->reply.body, err);
}

enum err_code briefing_download(struct call *c, struct err *err) {
    const char *lang = call_query(c, "lang");
    struct briefing_row row;
    TRY(read_row(c, &row, err));
    if (lang == NULL) lang = c->zh ? "zh-CN" : "en";
    if (strcmp(lang, "zh-CN") != 0 && strcmp(lang, "en") != 0) {
        (void)err_fail(err, ERR_INVALID, "\"%.20s\": expected zh-CN or en", lang);
        return err_field(err, ERR_INVALID, "/lang");
    }
    struct briefing_seal seal = {briefing_state_name(row.state),
                                 row.signed_by,
                                 row.signed_at_us,
                                 row.formed_at_us,
                                 row.note,
                                 row.hash};
    struct buf pdf;
    buf_init(&pdf, BRIEFING_PDF_MAX);
    enum err_code rc = briefing_pdf(c->a, c->app->helper_dir, row.document, row.document_n, &seal,
                                    c->app->tz, lang, &pdf, err);
    if (rc == ERR_OK) buf_add(&c->reply.body, buf_text(&pdf), pdf.n);
    buf_deinit(&pdf);
    TRY(rc);
    c->reply.content_type = "application/pdf";
    c->reply.disposition = arena_printf(c->a, "attachment; filename=\"briefing-%s-%s-%lld-%s.pdf\"",
                                        row.kind, row.period, (long long)row.id, lang);
    return buf_check(&c->reply.body, err);
}

/* ---- forming, signing, withdrawing */

static enum err_code keep_and_tell(struct tx *tx, void *arg, struct err *err) {
    struct briefing_keep *k = arg;
    TRY(briefing_keep_apply(tx, k, err));
    struct reply *reply = tx_reply(tx);
    reply->status = k->is_new ? 201 : 200;
    (void)snprintf(reply->location, sizeof reply->location, "/api/v1/briefings/%lld",
                   (long long)k->id);
    buf_printf(&reply->body, "{\"id\":%lld}", (long long)k->id);
    return buf_check(&reply->body, err);
}

enum err_code briefing_create(struct call *c, struct err *err) {
    static const char *const known[] = {"index", "period", "area", NULL};
    const struct val *body = NULL;
    const char *period = NULL;
    struct briefing_wish wish = {.index = "safety", .area = ""};
    struct briefing_keep *k = ARENA_NEW(c->a, struct briefing_keep, 1);
    if (k == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    TRY(may_read(c, err));
    if (!may_prepare(c))
        return err_fail(err, ERR_FORBIDDEN, "forming one needs briefing.sign or index.freeze");
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "index", false, MAX_NAME, &wish.index, err));
    TRY(val_str(body, "area", false, MAX_CODE, &wish.area, err));
    TRY(val_str(body, "period", true, PERIOD_TEXT, &period, err));
    enum err_code rc = period_parse(period, &wish.period, err);
    if (rc != ERR_OK) return err_field(err, rc, "/period");
    const struct grid *g = grid_ref(c->app->grid);
    const struct grid_area *area =
        briefing_area(g, wish.area[0] == '\0' ? c->who->area : wish.area);
    bool mine = area != NULL && in_scope(c, g, area->code);
    wish.area = area == NULL ? "" : arena_strdup(c->a, area->code);
    grid_unref(g);
    if (!mine || wish.area == NULL) {
        (void)err_fail(err, ERR_INVALID, "there is no such area within your rights");
        return err_field(err, ERR_INVALID, "/area");
    }
    TRY(briefing_make(c->app, &wish, c->a, k, err));
    return call_run(c, "briefing.form", NULL, keep_and_tell, k, err);
}

static enum err_code act(struct call *c, const char *const *known, bool note_needed,
                         struct briefing_act **out, struct err *err) {
    const struct val *body = NULL;
    struct briefing_row row;
    struct briefing_act *x = ARENA_NEW(c->a, struct briefing_act, 1);
    if (x == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "note", note_needed, BRIEFING_NOTE, &x->note, err));
    TRY(read_row(c, &row, err));
    const struct grid *g = grid_ref(c->app->grid);
    bool mine = in_scope(c, g, row.area);
    grid_unref(g);
    if (!mine) return err_fail(err, ERR_FORBIDDEN, "this briefing is not of your area");
    if (x->note != NULL && x->note[0] == '\0') x->note = NULL;
    if (note_needed && x->note == NULL) {
        (void)err_fail(err, ERR_INVALID, "say why");
        return err_field(err, ERR_INVALID, "/note");
    }
    if (known[1] != NULL) TRY(val_str(body, "hash", true, 64, &x->hash, err));
    x->packs = c->app->packs;
    x->id = row.id;
    x->by = c->who->name;
    *out = x;
    return ERR_OK;
}

static enum err_code sign_and_tell(struct tx *tx, void *arg, struct err *err) {
    TRY(briefing_sign_apply(tx, arg, err));
    tx_reply(tx)->status = 200;
    buf_str(&tx_reply(tx)->body, "{\"state\":\"signed\"}");
    return buf_check(&tx_reply(tx)->body, err);
}

enum err_code briefing_sign(struct call *c, struct err *err) {
    static const char *const known[] = {"note", "hash", NULL};
    struct briefing_act *x = NULL;
    TRY(act(c, known, false, &x, err));
    return call_run(c, "briefing.sign", NULL, sign_and_tell, x, err);
}

static enum err_code withdraw_and_tell(struct tx *tx, void *arg, struct err *err) {
    TRY(briefing_withdraw_apply(tx, arg, err));
    tx_reply(tx)->status = 200;
    buf_str(&tx_reply(tx)->body, "{\"state\":\"withdrawn\"}");
    return buf_check(&tx_reply(tx)->body, err);
}

enum err_code briefing_withdraw(struct call *c, struct err *err) {
    static const char *const known[] = {"note", NULL};
    struct briefing_act *x = NULL;
    TRY(act(c, known, true, &x, err));
    return call_run(c, "briefing.withdraw", NULL, withdraw_and_tell, x, err);
}
