/* Lists of cases in their representations, and counts. */
#include <math.h>
#include <string.h>

#include "api/case_list.h"
#include "api/handlers.h"
#include "api/table_out.h"
#include "base/csv.h"
#include "geo/crs.h"
#include "net/accept.h"

enum { SIMILAR_M = 100, MAX_LOOKED_AT = 64, MAX_SIMILAR_TOLD = 8 };

/* How one representation writes the rows. */
struct writer {
    enum list_kind kind;
    enum accept_format format;
    struct jw w;
    struct buf *out;
    size_t n; /* rows looked at */
};

static enum err_code write_object(const struct view *v, struct writer *wr, const struct case_row *r,
                                  struct err *err) {
    jw_obj(&wr->w);
    TRY(wr->kind == LIST_STAFF ? view_case(v, &wr->w, r, err)
                               : view_case_public(v, &wr->w, r, err));
    jw_end(&wr->w, '}');
    return ERR_OK;
}

static enum err_code write_feature(const struct view *v, struct writer *wr,
                                   const struct case_row *r, struct err *err) {
    struct jw *w = &wr->w;
    const struct engine *e = v->app->engine;
    double lon = case_real(e, r, CASE_lon), lat = case_real(e, r, CASE_lat);
    const struct case_class *cls = pack_class(e->packs, case_text(e, r, CASE_class));
    if (wr->kind == LIST_PUBLIC) view_round_place(cls, &lon, &lat);
    jw_obj(w);
    jw_kstr(w, "type", "Feature");
    jw_key(w, "geometry");
    if (isnan(lon))
        jw_null(w);
    else {
        jw_obj(w);
        jw_kstr(w, "type", "Point");
        jw_key(w, "coordinates");
        jw_arr(w);
        jw_double(w, lon);
        jw_double(w, lat);
        jw_end(w, ']');
        jw_end(w, '}');
    }
    jw_key(w, "properties");
    TRY(write_object(v, wr, r, err));
    jw_end(w, '}');
    return ERR_OK;
}

static const struct {
    const char *name;
    enum case_field field;
    bool is_time, is_public;
} csv_columns[] = {
    {"code", CASE_code, false, true},        {"class", CASE_class, false, true},
    {"state", CASE_state, false, true},      {"channel", CASE_channel, false, false},
    {"opened", CASE_opened_at, true, true},  {"due", CASE_due_at, true, true},
    {"closed", CASE_closed_at, true, true},  {"county", CASE_county, false, true},
    {"town", CASE_town, false, false},       {"community", CASE_community, false, false},
    {"cell", CASE_cell, false, false},       {"unit", CASE_unit, false, true},
    {"place", CASE_place_text, false, false}};
enum { N_CSV = sizeof csv_columns / sizeof csv_columns[0] };

static void csv_row(const struct view *v, struct writer *wr, const struct case_row *r) {
    const struct engine *e = v->app->engine;
    bool first = true;
    for (size_t i = 0; i < N_CSV; i++) {
        if (wr->kind == LIST_PUBLIC && !csv_columns[i].is_public) continue;
        char time[32] = "";
        if (csv_columns[i].is_time && case_has(e, r, csv_columns[i].field)) {
            rfc3339_format(case_int(e, r, csv_columns[i].field), time);
        }
        csv_safe_field(
            wr->out, csv_columns[i].is_time ? time : case_text(e, r, csv_columns[i].field), first);
        first = false;
    }
    double lon = case_real(e, r, CASE_lon), lat = case_real(e, r, CASE_lat);
    if (wr->kind == LIST_PUBLIC) {
        view_round_place(pack_class(e->packs, case_text(e, r, CASE_class)), &lon, &lat);
    }
    buf_printf(wr->out, isnan(lon) ? ",," : ",%.7g,%.7g", lon, lat);
    csv_end(wr->out);
}

static void csv_head(struct writer *wr) {
    bool first = true;
    for (size_t i = 0; i < N_CSV; i++) {
        if (wr->kind == LIST_PUBLIC && !csv_columns[i].is_public) continue;
        csv_field(wr->out, csv_columns[i].name, first);
        first = false;
    }
    buf_str(wr->out, ",lon,lat");
    csv_end(wr->out);
}

static void begin(struct writer *wr) {
    if (wr->format == ACCEPT_CSV) csv_head(wr);
    if (wr->format == ACCEPT_JSON || wr->format == ACCEPT_GEOJSON) {
        jw_obj(&wr->w);
        if (wr->format == ACCEPT_GEOJSON) jw_kstr(&wr->w, "type", "FeatureCollection");
        jw_key(&wr->w, wr->format == ACCEPT_JSON ? "items" : "features");
        jw_arr(&wr->w);
    }
}

static enum err_code write_row(const struct view *v, struct writer *wr, const struct case_row *r,
                               struct err *err) {
    switch (wr->format) {
    case ACCEPT_CSV:
        csv_row(v, wr, r);
        return ERR_OK;
    case ACCEPT_GEOJSON:
        return write_feature(v, wr, r, err);
    case ACCEPT_NDJSON:
        jw_init(&wr->w, wr->out);
        TRY(write_object(v, wr, r, err));
        buf_char(wr->out, '\n');
        return ERR_OK;
    default:
        return write_object(v, wr, r, err);
    }
}

static void finish(struct writer *wr, const char *next) {
    if (wr->format != ACCEPT_JSON && wr->format != ACCEPT_GEOJSON) return;
    jw_end(&wr->w, ']');
    jw_kstr(&wr->w, "next", next);
    jw_end(&wr->w, '}');
}

/* A stranger's box is decided by the rounded place; the query was asked for more. */
static bool row_wanted(const struct view *v, const struct case_list_query *q,
                       const struct writer *wr, const struct case_row *r) {
    if (wr->kind != LIST_PUBLIC || !q->has_box) return true;
    const struct engine *e = v->app->engine;
    double lon = case_real(e, r, CASE_lon), lat = case_real(e, r, CASE_lat);
    view_round_place(pack_class(e->packs, case_text(e, r, CASE_class)), &lon, &lat);
    return view_in_box(q->box, lon, lat);
}

static enum err_code write_rows(struct call *c, const struct view *v, struct case_list_query *q,
                                struct writer *wr, struct err *err) {
    struct cursor *cur = NULL;
    TRY(sql_query(&q->sql, v->db, &cur, err));
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    enum err_code rc = row == NULL ? err_fail(err, ERR_NOMEM, "list") : ERR_OK;
    const char *next = NULL;
    begin(wr);
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        if ((int64_t)wr->n == q->limit) {
            next = case_list_after(c, q, row);
            break;
        }
        case_row_read(v->app->engine, cur, 0, c->a, row);
        wr->n++;
        if (row_wanted(v, q, wr, row)) rc = write_row(v, wr, row, err);
    }
    cursor_close(cur);
    finish(wr, next);
    if (next != NULL && wr->format != ACCEPT_JSON && wr->format != ACCEPT_GEOJSON) {
        c->reply.next = next;
    }
    return rc == ERR_OK ? buf_check(wr->out, err) : rc;
}

static enum err_code list(struct call *c, enum list_kind kind, struct err *err) {
    enum accept_format f = accept_choose(
        http_header(c->req, "Accept"), call_query(c, "format"),
        ACCEPT_JSON | ACCEPT_CSV | ACCEPT_GEOJSON | ACCEPT_NDJSON | ACCEPT_XLSX, ACCEPT_JSON);
    if (f == ACCEPT_NONE)
        return err_fail(err, ERR_NOT_ACCEPTABLE, "offered: json, csv, xlsx, geojson, ndjson");
    if (kind == LIST_STAFF && f != ACCEPT_JSON && !principal_may(c->who, PERM_CASE_EXPORT))
        return err_fail(err, ERR_FORBIDDEN, "your role does not export cases");
    struct case_list_query q;
    TRY(case_list_build(c, kind, &q, err));
    c->reply.content_type = accept_content_type(f);
    struct writer wr = {
        .kind = kind, .format = f == ACCEPT_XLSX ? ACCEPT_CSV : f, .out = &c->reply.body};
    jw_init(&wr.w, wr.out);
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), false};
    enum err_code rc = write_rows(c, &v, &q, &wr, err);
    grid_unref(g);
    ledger_read_end(rd);
    return rc == ERR_OK && f == ACCEPT_XLSX ? table_reply_csv(c, "cases", err) : rc;
}

enum err_code case_list(struct call *c, struct err *err) { return list(c, LIST_STAFF, err); }
enum err_code public_list(struct call *c, struct err *err) { return list(c, LIST_PUBLIC, err); }

/* A private case and a code that was never given answer alike. */
enum err_code public_get(struct call *c, struct err *err) {
    struct reader *rd = NULL;
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "case");
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct view v = {c->app, g, reader_db(rd), c->a, clock_now_us(&c->app->clock), false};
    enum err_code rc = case_load(c->app->engine, v.db, c->param[0], c->a, row, err);
    if (rc == ERR_OK && case_int(c->app->engine, row, CASE_private) != 0) {
        rc = err_fail(err, ERR_NOT_FOUND, "there is no case %s", c->param[0]);
    }
    if (rc == ERR_OK) {
        struct jw w = call_json(c);
        jw_obj(&w);
        rc = view_case_public(&v, &w, row, err);
        jw_end(&w, '}');
    }
    grid_unref(g);
    ledger_read_end(rd);
    return rc;
}

enum err_code case_similar_get(struct call *c, struct err *err) {
    double lon = 0, lat = 0;
    bool has_lon = false, has_lat = false;
    TRY(call_query_double(c, "lon", -180, 180, &has_lon, &lon, err));
    TRY(call_query_double(c, "lat", -90, 90, &has_lat, &lat, err));
    const char *cls = call_query(c, "class");
    const struct case_class *def = cls == NULL ? NULL : pack_class(c->app->packs, cls);
    if (!has_lon || !has_lat || def == NULL)
        return err_fail(err, ERR_INVALID, "class, lon and lat are needed");
    struct similar found[MAX_LOOKED_AT];
    size_t n = 0, told = 0;
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    enum err_code rc = def->is_private
                           ? ERR_OK
                           : case_similar(c->app->engine, reader_db(rd), cls, lon, lat,
                                          SIMILAR_M + 60, 0, c->a, found, MAX_LOOKED_AT, &n, err);
    ledger_read_end(rd);
    TRY(rc);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < n && told < MAX_SIMILAR_TOLD; i++) {
        /* To a stranger the distance is that of the rounded place: asking again and again from
         * other points finds nothing finer. */
        view_round_place(def, &found[i].lon, &found[i].lat);
        double distance = geo_distance_m(lon, lat, found[i].lon, found[i].lat);
        if (distance > SIMILAR_M) continue;
        told++;
        jw_obj(&w);
        jw_kstr(&w, "code", found[i].code);
        jw_kstr(&w, "class", found[i].cls);
        jw_kstr(&w, "state", found[i].state);
        jw_kint(&w, "distance_m", (int64_t)(distance + 0.5));
        jw_ktime(&w, "opened", found[i].opened_us);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    return ERR_OK;
}
