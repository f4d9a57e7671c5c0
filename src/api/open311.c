/* Open311 GeoReport v2: https://wiki.open311.org/GeoReport_v2/ (domain facts 12.1). Services are
 * the public classes, service requests the public cases; nothing here shows more than the public
 * list. */
#include "api/open311.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/case_view.h"
#include "api/handlers.h"
#include "api/open311_doc.h"
#include "api/open311_form.h"
#include "base/civil.h"
#include "domain/identity/session.h"
#include "net/accept.h"
#include "net/http.h"

enum { MAX_REQUESTS = 1000, DEFAULT_DAYS = 90, MAX_IDS = 100 };
static const int64_t day_us = INT64_C(86400000000);

bool open311_path(const char *path) { return strncmp(path, "/open311/", 9) == 0; }

static bool ends_with(const char *s, const char *tail) {
    size_t n = strlen(s), t = strlen(tail);
    return n > t && strcmp(s + n - t, tail) == 0;
}

static bool wants_xml(const struct call *c) {
    const char *path = c->req->path;
    if (ends_with(path, ".xml")) return true;
    if (ends_with(path, ".json")) return false;
    const char *accept = http_header(c->req, "Accept");
    return accept != NULL &&
           (strstr(accept, "application/xml") != NULL || strstr(accept, "text/xml") != NULL) &&
           strstr(accept, "text/html") == NULL;
}

/* A part of the address without .json or .xml. */
static const char *plain(const struct call *c, const char *part) {
    size_t n = strlen(part);
    if (ends_with(part, ".json"))
        n -= 5;
    else if (ends_with(part, ".xml"))
        n -= 4;
    const char *s = arena_dup(c->a, part, n);
    return s == NULL ? "" : s;
}

static enum err_code known_format(const struct call *c, struct err *err) {
    if (strcmp(c->param[0], "json") == 0 || strcmp(c->param[0], "xml") == 0) return ERR_OK;
    return err_fail(err, ERR_NOT_FOUND, "the formats are json and xml");
}

static struct doc begin(struct call *c) {
    struct doc d;
    bool xml = wants_xml(c);
    c->reply.content_type = xml ? "text/xml; charset=utf-8" : "application/json";
    doc_begin(&d, xml, &c->reply.body);
    return d;
}

static const char *in_language(const struct call *c, const struct text *t) {
    return c->zh ? t->zh : t->en;
}

/* ---- errors ---- */

struct http_response *open311_error(const struct call *c, enum err_code rc, const struct err *err) {
    int status = err_status(rc);
    if (status == 422 || status == 415)
        status = 400; /* the standard's word for what is missing or invalid */
    bool told = status < 500 && err != NULL && err->detail[0] != '\0';
    bool xml = wants_xml(c);
    struct buf b;
    struct doc d;
    buf_init(&b, 8192);
    doc_begin(&d, xml, &b);
    doc_list(&d, NULL, "errors");
    doc_item(&d, "error");
    doc_int(&d, "code", status);
    doc_str(&d, "description", told ? err->detail : err_text(rc, c->zh));
    doc_item_end(&d, "error");
    doc_list_end(&d, "errors");
    struct http_response *r = http_response_new(status);
    http_response_take(r, xml ? "text/xml; charset=utf-8" : "application/json", &b);
    buf_deinit(&b);
    http_response_header(r, "Cache-Control", "no-store");
    if (status == 429 || status == 503) http_response_header(r, "Retry-After", "5");
    return r;
}

/* ---- services ---- */

static bool has_attributes(const struct engine *e) {
    for (size_t i = 0; i < e->case_type->n_fields; i++) {
        if (open311_datatype(e, i) != NULL) return true;
    }
    return false;
}

enum err_code open311_services(struct call *c, struct err *err) {
    const struct pack_set *p = c->app->packs;
    TRY(known_format(c, err));
    bool metadata = has_attributes(c->app->engine);
    struct doc d = begin(c);
    doc_list(&d, NULL, "services");
    for (size_t i = 0; i < p->n_classes; i++) {
        const struct case_class *k = &p->classes[i];
        if (!open311_offers(k)) continue;
        const char *major = in_language(c, &k->major);
        doc_item(&d, "service");
        doc_str(&d, "service_code", k->id);
        doc_str(&d, "service_name", in_language(c, &k->title));
        doc_str(&d, "description", in_language(c, &k->title));
        doc_bool(&d, "metadata", metadata);
        doc_str(&d, "type", "realtime");
        doc_str(&d, "keywords", k->kind);
        doc_str(&d, "group", major[0] == '\0' ? k->kind : major);
        doc_item_end(&d, "service");
    }
    doc_list_end(&d, "services");
    c->reply.cache = "public, max-age=60";
    return buf_check(&c->reply.body, err);
}

static void write_value(struct doc *d, const char *key, const char *name) {
    doc_item(d, "value");
    doc_str(d, "key", key);
    doc_str(d, "name", name);
    doc_item_end(d, "value");
}

static void write_attribute(const struct call *c, struct doc *d, size_t field, int64_t order) {
    const struct engine *e = c->app->engine;
    const struct field_def *f = &e->case_type->fields[field];
    doc_item(d, "attribute");
    doc_bool(d, "variable", true);
    doc_str(d, "code", f->name);
    doc_str(d, "datatype", open311_datatype(e, field));
    doc_bool(d, "required", f->required);
    doc_str(d, "datatype_description", in_language(c, &f->hint));
    doc_int(d, "order", order);
    doc_str(d, "description", in_language(c, &f->title));
    doc_list(d, "values", "values");
    const struct code_list *l = f->codes == NULL ? NULL : pack_list(c->app->packs, f->codes);
    for (size_t k = 0; l != NULL && k < l->n_rows; k++)
        write_value(d, l->rows[k].code, in_language(c, &l->rows[k].title));
    if (f->kind == FIELD_BOOL) {
        write_value(d, "true", c->zh ? "是" : "yes");
        write_value(d, "false", c->zh ? "否" : "no");
    }
    doc_list_end(d, "values");
    doc_item_end(d, "attribute");
}

enum err_code open311_service(struct call *c, struct err *err) {
    const struct engine *e = c->app->engine;
    const char *code = plain(c, c->param[0]);
    if (!open311_offers(pack_class(c->app->packs, code))) {
        return err_fail(err, ERR_NOT_FOUND, "service_code \"%.60s\" is not offered", code);
    }
    struct doc d = begin(c);
    int64_t order = 0;
    doc_item(&d, "service_definition");
    doc_str(&d, "service_code", code);
    doc_list(&d, "attributes", "attributes");
    for (size_t i = 0; i < e->case_type->n_fields; i++) {
        if (open311_datatype(e, i) != NULL) write_attribute(c, &d, i, ++order);
    }
    doc_list_end(&d, "attributes");
    doc_item_end(&d, "service_definition");
    return buf_check(&c->reply.body, err);
}

/* ---- POST requests ---- */

struct posting {
    struct call *call;
    struct open311_post post;
    bool xml;
};

static enum err_code post_apply(struct tx *tx, void *arg, struct err *err) {
    struct posting *p = arg;
    const struct app *app = p->call->app;
    struct reported out;
    TRY(case_report(app->engine, tx, &p->post.report, &out, err));
    const char *code = case_text(app->engine, &out.row, CASE_code);
    struct reply *reply = tx_reply(tx);
    reply->status = 201;
    (void)snprintf(reply->location, sizeof reply->location, "/open311/v2/requests/%s.%s", code,
                   p->xml ? "xml" : "json");
    char notice[256];
    (void)snprintf(notice, sizeof notice,
                   p->call->zh ? "查询码：%s。进展、评价和重新办理：/f/%s#%s%s"
                               : "Follow word: %s. Progress, rating and reopening: /f/%s#%s%s",
                   out.word, code, out.word,
                   p->post.media_ignored
                       ? (p->call->zh ? "。未下载 media_url 的照片。"
                                      : ". The photo of media_url was not fetched.")
                       : "");
    struct doc d;
    doc_begin(&d, p->xml, &reply->body);
    doc_list(&d, NULL, "service_requests");
    doc_item(&d, "request");
    doc_str(&d, "service_request_id", code);
    doc_str(&d, "token", code);
    doc_str(&d, "follow_word", out.word);
    doc_str(&d, "service_notice", notice);
    doc_str(&d, "account_id", NULL);
    doc_item_end(&d, "request");
    doc_list_end(&d, "service_requests");
    return buf_check(&reply->body, err);
}

/* The standard carries the key in the form; ours is an API token. */
static enum err_code take_key(struct call *c, const char *key, struct err *err) {
    if (key != NULL) {
        struct principal *who = ARENA_NEW(c->a, struct principal, 1);
        if (who == NULL) return err_fail(err, ERR_NOMEM, "key");
        if (identity_authenticate(c->app->identity, NULL, key, who, NULL) != ERR_OK ||
            who->anonymous) {
            return err_fail(err, ERR_FORBIDDEN, "api_key: it is not known or has ended");
        }
        c->who = who;
    }
    if (c->who->anonymous) return ERR_OK;
    if (!principal_may(c->who, PERM_CASE_REPORT))
        return err_fail(err, ERR_FORBIDDEN, "your role does not report cases");
    return ERR_OK;
}

enum err_code open311_post(struct call *c, struct err *err) {
    struct posting *p = ARENA_NEW(c->a, struct posting, 1);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "request");
    TRY(known_format(c, err));
    if (strcmp(c->req->type, "application/x-www-form-urlencoded") != 0) {
        return err_fail(err, ERR_UNSUPPORTED,
                        "expected a body of type application/x-www-form-urlencoded");
    }
    p->call = c;
    p->xml = wants_xml(c);
    TRY(open311_form(c->app->engine, c->a, c->req->body, c->req->body_n, &p->post, err));
    TRY(take_key(c, p->post.api_key, err));
    p->post.report.who = c->who;
    c->reply.content_type = p->xml ? "text/xml; charset=utf-8" : "application/json";
    return call_submit(c, "case.report", NULL, post_apply, p, err);
}

/* ---- GET requests ---- */

static void doc_time(const struct call *c, struct doc *d, const char *key, int64_t us) {
    char text[40];
    if (us != 0) rfc3339_format_tz(us, c->app->tz, text);
    doc_str(d, key, us == 0 ? NULL : text);
}

/* The last of the times that are public. */
static int64_t updated(const struct engine *e, const struct case_row *r) {
    static const enum case_field times[] = {CASE_opened_at, CASE_filed_at, CASE_dispatched_at,
                                            CASE_handled_at, CASE_closed_at};
    int64_t last = 0;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (case_int(e, r, times[i]) > last) last = case_int(e, r, times[i]);
    }
    return last;
}

static enum err_code released_text(const struct view *v, const struct case_row *r,
                                   const char **text, const char **place, struct err *err) {
    const struct engine *e = v->app->engine;
    *text = NULL;
    *place = NULL;
    if (case_int(e, r, CASE_released) == 0) return ERR_OK;
    *text = case_text(e, r, CASE_released_text);
    *place = case_text(e, r, CASE_place_text);
    if ((*place)[0] == '\0') *place = NULL;
    return (*text)[0] != '\0'
               ? ERR_OK
               : view_personal(v, &r->cells[e->case_col[CASE_description]], text, err);
}

static enum err_code write_request(const struct call *c, const struct view *v, struct doc *d,
                                   const struct case_row *r, struct err *err) {
    const struct engine *e = c->app->engine;
    app_assert(case_int(e, r, CASE_private) == 0);
    const struct case_class *cls = pack_class(e->packs, case_text(e, r, CASE_class));
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    const struct state_def *s = p == NULL ? NULL : process_state(p, case_text(e, r, CASE_state));
    int unit = grid_unit_index(v->grid, case_text(e, r, CASE_unit));
    double lon = case_real(e, r, CASE_lon), lat = case_real(e, r, CASE_lat);
    const char *text = NULL, *place = NULL, *agency = NULL;
    if (unit != GRID_NONE)
        agency = c->zh ? v->grid->units[unit].name : v->grid->units[unit].name_en;
    view_round_place(cls, &lon, &lat);
    TRY(released_text(v, r, &text, &place, err));
    doc_item(d, "request");
    doc_str(d, "service_request_id", case_text(e, r, CASE_code));
    doc_str(d, "status", case_has(e, r, CASE_closed_at) ? "closed" : "open");
    doc_str(d, "status_notes", s == NULL ? NULL : in_language(c, &s->public_title));
    doc_str(d, "service_name", cls == NULL ? NULL : in_language(c, &cls->title));
    doc_str(d, "service_code", case_text(e, r, CASE_class));
    doc_str(d, "description", text);
    doc_str(d, "agency_responsible", agency);
    doc_str(d, "service_notice", NULL);
    doc_time(c, d, "requested_datetime", case_int(e, r, CASE_opened_at));
    doc_time(c, d, "updated_datetime", updated(e, r));
    doc_time(c, d, "expected_datetime", case_int(e, r, CASE_due_at));
    doc_str(d, "address", place);
    doc_str(d, "address_id", NULL);
    doc_str(d, "zipcode", NULL);
    doc_double(d, "lat", lat);
    doc_double(d, "long", lon);
    doc_str(d, "media_url", NULL);
    doc_item_end(d, "request");
    return ERR_OK;
}

static void and_column(struct sql *s, const struct engine *e, enum case_field f) {
    sql_add(s, " AND ");
    sql_column(s, &e->case_type->table, e->case_col[f], "");
}

static enum err_code in_list(struct call *c, struct sql *s, enum case_field f, const char *key,
                             bool *given, struct err *err) {
    const char *p = call_query(c, key);
    struct cell values[MAX_IDS];
    size_t n = 0;
    *given = p != NULL && p[0] != '\0';
    if (!*given) return ERR_OK;
    while (*p != '\0') {
        size_t len = strcspn(p, ",");
        if (n == MAX_IDS) return err_fail(err, ERR_INVALID, "%s: at most %d", key, MAX_IDS);
        char *word = arena_dup(c->a, p, len);
        if (word == NULL) return err_fail(err, ERR_NOMEM, "filter");
        values[n++] = cell_text(word);
        p += p[len] == ',' ? len + 1 : len;
    }
    and_column(s, c->app->engine, f);
    sql_add(s, " IN (");
    sql_values(s, values, n);
    sql_add(s, ")");
    return ERR_OK;
}

static enum err_code date_of(struct call *c, const char *key, int64_t *out, struct err *err) {
    const char *s = call_query(c, key);
    *out = 0;
    if (s == NULL || s[0] == '\0') return ERR_OK;
    return rfc3339_parse(s, out, NULL) == ERR_OK
               ? ERR_OK
               : err_fail(err, ERR_INVALID,
                          "%s: expected a time with its zone, such as 2026-01-31T00:00:00Z", key);
}

static enum err_code and_dates(struct call *c, struct sql *s, bool by_id, struct err *err) {
    int64_t from = 0, to = 0;
    TRY(date_of(c, "start_date", &from, err));
    TRY(date_of(c, "end_date", &to, err));
    if (by_id) return ERR_OK; /* the standard: ids leave the other filters out */
    if (to == 0) to = from != 0 ? from + DEFAULT_DAYS * day_us : clock_now_us(&c->app->clock);
    if (from == 0) from = to - DEFAULT_DAYS * day_us;
    if (from > to) return err_fail(err, ERR_INVALID, "start_date lies after end_date");
    if (to - from > DEFAULT_DAYS * day_us)
        return err_fail(err, ERR_INVALID, "start_date and end_date lie more than %d days apart",
                        DEFAULT_DAYS);
    and_column(s, c->app->engine, CASE_opened_at);
    sql_add(s, " >= ");
    (void)sql_value(s, cell_int(from));
    and_column(s, c->app->engine, CASE_opened_at);
    sql_add(s, " <= ");
    (void)sql_value(s, cell_int(to));
    return ERR_OK;
}

static enum err_code and_status(struct call *c, struct sql *s, struct err *err) {
    const char *status = call_query(c, "status");
    if (status == NULL || status[0] == '\0') return ERR_OK;
    bool open = false, closed = false;
    for (const char *p = status; *p != '\0';) {
        size_t n = strcspn(p, ",");
        if (n == 4 && strncmp(p, "open", 4) == 0)
            open = true;
        else if (n == 6 && strncmp(p, "closed", 6) == 0)
            closed = true;
        else
            return err_fail(err, ERR_INVALID, "status: expected open or closed");
        p += p[n] == ',' ? n + 1 : n;
    }
    if (open == closed) return ERR_OK;
    and_column(s, c->app->engine, CASE_closed_at);
    if (open)
        sql_add(s, " IS NULL");
    else
        sql_add(s, " IS NOT NULL");
    return ERR_OK;
}

static enum err_code build_list(struct call *c, struct sql *s, struct err *err) {
    const struct engine *e = c->app->engine;
    const struct table *t = &e->case_type->table;
    bool by_id = false, by_class = false;
    TRY(sql_begin(s, c->a, err));
    sql_add(s, "SELECT ");
    case_select(e, s, "");
    sql_add(s, " FROM ");
    sql_table(s, t);
    sql_add(s, " WHERE ledger = 1");
    and_column(s, e, CASE_private);
    sql_add(s, " = 0");
    TRY(in_list(c, s, CASE_code, "service_request_id", &by_id, err));
    if (!by_id) {
        TRY(in_list(c, s, CASE_class, "service_code", &by_class, err));
        TRY(and_status(c, s, err));
    }
    TRY(and_dates(c, s, by_id, err));
    sql_add(s, " ORDER BY ");
    sql_column(s, t, e->case_col[CASE_opened_at], "");
    sql_add(s, " DESC, id DESC LIMIT ");
    (void)sql_value(s, cell_int(MAX_REQUESTS));
    return ERR_OK;
}

static enum err_code write_list(struct call *c, const struct view *v, struct sql *s,
                                struct err *err) {
    struct cursor *cur = NULL;
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "list");
    TRY(sql_query(s, v->db, &cur, err));
    struct doc d = begin(c);
    doc_list(&d, NULL, "service_requests");
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK;) {
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        case_row_read(c->app->engine, cur, 0, c->a, row);
        rc = write_request(c, v, &d, row, err);
    }
    cursor_close(cur);
    doc_list_end(&d, "service_requests");
    return rc == ERR_OK ? buf_check(&c->reply.body, err) : rc;
}

enum err_code open311_list(struct call *c, struct err *err) {
    struct sql s;
    struct reader *rd = NULL;
    TRY(known_format(c, err));
    TRY(build_list(c, &s, err));
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    const struct grid *g = grid_ref(c->app->grid);
    const struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), false};
    enum err_code rc = write_list(c, &v, &s, err);
    grid_unref(g);
    ledger_read_end(rd);
    return rc;
}

/* A private case and a code that was never given answer alike. */
static enum err_code load_public(struct call *c, struct db *db, const char *code,
                                 struct case_row **out, struct err *err) {
    *out = ARENA_NEW(c->a, struct case_row, 1);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "case");
    enum err_code rc = case_load(c->app->engine, db, code, c->a, *out, err);
    if (rc == ERR_NOT_FOUND ||
        (rc == ERR_OK && case_int(c->app->engine, *out, CASE_private) != 0)) {
        return err_fail(err, ERR_NOT_FOUND, "service_request_id \"%.60s\" is not known", code);
    }
    return rc;
}

static enum err_code write_one(struct call *c, const struct view *v, struct err *err) {
    struct case_row *row = NULL;
    TRY(load_public(c, v->db, plain(c, c->param[0]), &row, err));
    struct doc d = begin(c);
    doc_list(&d, NULL, "service_requests");
    TRY(write_request(c, v, &d, row, err));
    doc_list_end(&d, "service_requests");
    return buf_check(&c->reply.body, err);
}

enum err_code open311_get(struct call *c, struct err *err) {
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    const struct grid *g = grid_ref(c->app->grid);
    const struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), false};
    enum err_code rc = write_one(c, &v, err);
    grid_unref(g);
    ledger_read_end(rd);
    return rc;
}

/* Every request has its id at once, so a token is that id. */
enum err_code open311_token(struct call *c, struct err *err) {
    struct reader *rd = NULL;
    struct case_row *row = NULL;
    const char *token = plain(c, c->param[0]);
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    enum err_code rc = load_public(c, reader_db(rd), token, &row, err);
    ledger_read_end(rd);
    TRY(rc);
    struct doc d = begin(c);
    doc_list(&d, NULL, "service_requests");
    doc_item(&d, "request");
    doc_str(&d, "service_request_id", token);
    doc_str(&d, "token", token);
    doc_item_end(&d, "request");
    doc_list_end(&d, "service_requests");
    return buf_check(&c->reply.body, err);
}
