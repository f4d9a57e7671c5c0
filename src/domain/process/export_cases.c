#include "domain/process/export_cases.h"

#include <math.h>
#include <string.h>

#include "base/civil.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/utf8.h"

enum { PAGE = 200, PAGE_ARENA = 64 << 20, ROW_MAX = 1 << 20, PURPOSE_MIN = 3, PURPOSE_MAX = 200 };

struct exporting {
    const struct case_export *x;
    struct db *db;
    struct arena *a; /* of the page */
    struct buf b;
    struct jw w;
    bool first; /* no feature has been written yet */
};

enum err_code export_format_parse(const char *text, enum export_format *out, struct err *err) {
    static const char *const names[] = {"ndjson", "csv", "geojson"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = (enum export_format)(i + 1);
        return ERR_OK;
    }
    return err_fail(err, ERR_INVALID, "format \"%.40s\": expected ndjson, csv or geojson", text);
}

/* Whether a field of cases goes out at all. */
static bool is_told(const struct case_export *x, size_t i) {
    const struct field_def *f = &x->engine->case_type->fields[i];
    if ((int)i == x->engine->case_col[CASE_follow_hash] || f->kind == FIELD_SHAPE) return false;
    return x->personal || f->sensitivity < SENS_PERSONAL;
}

/* A personal value takes the place of its commitment. */
static enum err_code opened(const struct exporting *o, const struct cell *c, struct cell *out,
                            struct err *err) {
    *out = *c;
    return c->type == CELL_COMMIT ? personal_get(o->db, c, o->a, out, err) : ERR_OK;
}

static void json_cell(struct jw *w, const struct field_def *f, const struct cell *c) {
    char time[32];
    if (c->type == CELL_NULL || c->type == CELL_BLOB || c->type == CELL_COMMIT) {
        jw_null(w);
    } else if (f->kind == FIELD_TIME) {
        rfc3339_format(c->i, time);
        jw_str(w, time);
    } else if (f->kind == FIELD_BOOL) {
        jw_bool(w, c->i != 0);
    } else if (c->type == CELL_INT) {
        jw_int(w, c->i);
    } else if (c->type == CELL_REAL) {
        jw_double(w, c->d);
    } else if (f->kind == FIELD_PHOTOS || f->kind == FIELD_JSON) {
        jw_raw(w, c->p, c->n != 0 ? c->n : strlen(c->p));
    } else {
        jw_str(w, c->p);
    }
}

static enum err_code json_fields(struct exporting *o, const struct case_row *r, struct err *err) {
    const struct type_def *t = o->x->engine->case_type;
    jw_kint(&o->w, "id", r->id);
    jw_kint(&o->w, "version", r->version);
    for (size_t i = 0; i < t->n_fields; i++) {
        struct cell c;
        if (!is_told(o->x, i)) continue;
        TRY(opened(o, &r->cells[i], &c, err));
        jw_key(&o->w, t->fields[i].name);
        json_cell(&o->w, &t->fields[i], &c);
    }
    return ERR_OK;
}

/* Columns of a step in order of its fields, by the index on the case. */
static enum err_code open_steps(const struct exporting *o, int64_t case_id, struct cursor **out,
                                struct err *err) {
    const struct engine *e = o->x->engine;
    const struct table *t = &e->step_type->table;
    struct sql s;
    TRY(sql_begin(&s, o->a, err));
    sql_add(&s, "SELECT id");
    for (size_t i = 0; i < t->n_cols; i++) {
        sql_add(&s, ", ");
        sql_column(&s, t, (int)i, "");
    }
    sql_add(&s, " FROM ");
    sql_table(&s, t);
    sql_add(&s, " WHERE ledger = 1 AND ");
    sql_column(&s, t, e->step_col[STEP_case_id], "");
    sql_add(&s, " = ");
    (void)sql_value(&s, cell_int(case_id));
    sql_add(&s, " ORDER BY id");
    return sql_query(&s, o->db, out, err);
}

static enum err_code json_step(struct exporting *o, const struct cursor *cur, struct err *err) {
    const struct engine *e = o->x->engine;
    const struct type_def *t = e->step_type;
    jw_obj(&o->w);
    for (size_t i = 0; i < t->n_fields; i++) {
        if ((int)i == e->step_col[STEP_case_id]) continue;
        if (!o->x->personal && t->fields[i].sensitivity >= SENS_PERSONAL) continue;
        struct cell c = cursor_cell(cur, 1 + (int)i, o->a), value;
        if (t->table.cols[i].personal && c.type == CELL_TEXT) c.type = CELL_COMMIT;
        TRY(opened(o, &c, &value, err));
        if (value.type == CELL_NULL) continue;
        jw_key(&o->w, t->fields[i].name);
        json_cell(&o->w, &t->fields[i], &value);
    }
    jw_end(&o->w, '}');
    return ERR_OK;
}

static enum err_code json_route(struct exporting *o, int64_t case_id, struct err *err) {
    struct cursor *cur = NULL;
    TRY(open_steps(o, case_id, &cur, err));
    jw_key(&o->w, "route");
    jw_arr(&o->w);
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK;) {
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        rc = json_step(o, cur, err);
    }
    cursor_close(cur);
    jw_end(&o->w, ']');
    return rc;
}

static enum err_code put_feature(struct exporting *o, const struct case_row *r, struct err *err) {
    const struct engine *e = o->x->engine;
    double lon = case_real(e, r, CASE_lon), lat = case_real(e, r, CASE_lat);
    if (!o->first) buf_char(&o->b, ',');
    buf_char(&o->b, '\n');
    o->first = false;
    jw_init(&o->w, &o->b);
    jw_obj(&o->w);
    jw_kstr(&o->w, "type", "Feature");
    jw_kint(&o->w, "id", r->id);
    jw_key(&o->w, "geometry");
    if (isnan(lon) || isnan(lat)) {
        jw_null(&o->w);
    } else {
        jw_obj(&o->w);
        jw_kstr(&o->w, "type", "Point");
        jw_key(&o->w, "coordinates");
        jw_arr(&o->w);
        jw_double(&o->w, lon);
        jw_double(&o->w, lat);
        jw_end(&o->w, ']');
        jw_end(&o->w, '}');
    }
    jw_key(&o->w, "properties");
    jw_obj(&o->w);
    TRY(json_fields(o, r, err));
    jw_end(&o->w, '}');
    jw_end(&o->w, '}');
    return ERR_OK;
}

static enum err_code put_csv(struct exporting *o, const struct case_row *r, struct err *err) {
    const struct type_def *t = o->x->engine->case_type;
    char text[40];
    buf_printf(&o->b, "%lld,%lld", (long long)r->id, (long long)r->version);
    for (size_t i = 0; i < t->n_fields; i++) {
        struct cell c;
        if (!is_told(o->x, i)) continue;
        TRY(opened(o, &r->cells[i], &c, err));
        text[0] = '\0';
        if (c.type == CELL_INT && t->fields[i].kind == FIELD_TIME)
            rfc3339_format(c.i, text);
        else if (c.type == CELL_INT)
            (void)snprintf(text, sizeof text, "%lld", (long long)c.i);
        else if (c.type == CELL_REAL)
            (void)snprintf(text, sizeof text, "%.9g", c.d);
        /* Numbers of ours may begin with a minus; words of others are kept from being formulas. */
        if (c.type == CELL_TEXT)
            csv_safe_field(&o->b, c.p, false);
        else
            csv_field(&o->b, text, false);
    }
    csv_end(&o->b);
    return ERR_OK;
}

static void csv_head(struct exporting *o) {
    const struct type_def *t = o->x->engine->case_type;
    buf_str(&o->b, "id,version");
    for (size_t i = 0; i < t->n_fields; i++) {
        if (is_told(o->x, i)) csv_field(&o->b, t->fields[i].name, false);
    }
    csv_end(&o->b);
}

static enum err_code put_case(struct exporting *o, const struct case_row *r, struct err *err) {
    if (o->x->format == EXPORT_CSV) return put_csv(o, r, err);
    if (o->x->format == EXPORT_GEOJSON) return put_feature(o, r, err);
    jw_init(&o->w, &o->b);
    jw_obj(&o->w);
    TRY(json_fields(o, r, err));
    TRY(json_route(o, r->id, err));
    jw_end(&o->w, '}');
    buf_char(&o->b, '\n');
    return ERR_OK;
}

static enum err_code flush(struct exporting *o, struct err *err) {
    TRY(buf_check(&o->b, err));
    if (fwrite(buf_text(&o->b), 1, o->b.n, o->x->out) != o->b.n)
        return err_fail(err, ERR_IO, "cannot write the export");
    buf_clear(&o->b);
    return ERR_OK;
}

static enum err_code open_page(const struct exporting *o, int64_t after, struct cursor **out,
                               struct err *err) {
    const struct engine *e = o->x->engine;
    const struct table *t = &e->case_type->table;
    struct sql s;
    TRY(sql_begin(&s, o->a, err));
    sql_add(&s, "SELECT ");
    case_select(e, &s, "");
    sql_add(&s, " FROM ");
    sql_table(&s, t);
    sql_add(&s, " WHERE ledger = 1 AND id > ");
    (void)sql_value(&s, cell_int(after));
    sql_add(&s, " AND ");
    sql_column(&s, t, e->case_col[CASE_opened_at], "");
    sql_add(&s, " >= ");
    (void)sql_value(&s, cell_int(o->x->from_us));
    sql_add(&s, " AND ");
    sql_column(&s, t, e->case_col[CASE_opened_at], "");
    sql_add(&s, " < ");
    (void)sql_value(&s, cell_int(o->x->to_us));
    sql_add(&s, " AND ");
    rights_tasks_where(t, "", false, &s);
    sql_add(&s, " ORDER BY id LIMIT ");
    (void)sql_value(&s, cell_int(PAGE));
    return sql_query(&s, o->db, out, err);
}

/* One page into rows, so that no cursor stays open while each case's own rows are read. */
static enum err_code page(struct exporting *o, int64_t *after, size_t *n, struct err *err) {
    struct case_row *rows = ARENA_NEW(o->a, struct case_row, PAGE);
    struct cursor *cur = NULL;
    *n = 0;
    if (rows == NULL) return err_fail(err, ERR_NOMEM, "export");
    TRY(open_page(o, *after, &cur, err));
    enum err_code rc = ERR_OK;
    while (*n < PAGE) {
        bool has = false;
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        case_row_read(o->x->engine, cur, 0, o->a, &rows[(*n)++]);
    }
    cursor_close(cur);
    for (size_t i = 0; rc == ERR_OK && i < *n; i++) {
        rc = put_case(o, &rows[i], err);
        if (rc == ERR_OK) rc = flush(o, err);
        *after = rows[i].id;
    }
    return rc;
}

static enum err_code write_all(struct exporting *o, int64_t *n, struct err *err) {
    if (o->x->format == EXPORT_CSV) csv_head(o);
    if (o->x->format == EXPORT_GEOJSON)
        buf_str(&o->b, "{\"type\":\"FeatureCollection\",\"features\":[");
    int64_t after = 0;
    size_t got = PAGE;
    while (got == PAGE) {
        o->a = arena_new(PAGE_ARENA);
        enum err_code rc =
            o->a == NULL ? err_fail(err, ERR_NOMEM, "export") : page(o, &after, &got, err);
        arena_free(o->a);
        TRY(rc);
        *n += (int64_t)got;
    }
    if (o->x->format == EXPORT_GEOJSON) buf_str(&o->b, "\n]}\n");
    return flush(o, err);
}

/* ---- the journal of looks at personal values ---- */

static enum err_code note(struct tx *tx, void *arg, struct err *err) {
    const struct case_export *x = arg;
    struct buf b;
    struct jw w;
    buf_init(&b, 4096);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "what", "cases");
    jw_kstr(&w, "purpose", x->purpose);
    if (x->from_us != INT64_MIN) jw_ktime(&w, "from", x->from_us);
    if (x->to_us != INT64_MAX) jw_ktime(&w, "to", x->to_us);
    jw_end(&w, '}');
    enum err_code rc = buf_check(&b, err);
    if (rc == ERR_OK) rc = tx_note(tx, "export", 0, buf_text(&b), b.n, err);
    buf_deinit(&b);
    return rc;
}

static enum err_code journal(const struct case_export *x, struct err *err) {
    size_t n = x->purpose == NULL ? 0 : utf8_count(x->purpose, strlen(x->purpose));
    if (n < PURPOSE_MIN || n > PURPOSE_MAX) {
        return err_fail(err, ERR_INVALID, "personal values need a purpose of %d to %d characters",
                        PURPOSE_MIN, PURPOSE_MAX);
    }
    const struct command c = {.name = "case.export",
                              .actor = "system",
                              .purpose = x->purpose,
                              .apply = note,
                              .arg = (void *)(uintptr_t)x};
    return ledger_run(x->ledger, &c, NULL, NULL, err);
}

enum err_code export_cases(const struct case_export *x, int64_t *n, struct err *err) {
    struct exporting o = {.x = x, .first = true};
    struct reader *r = NULL;
    *n = 0;
    if (x->personal) TRY(journal(x, err));
    TRY(ledger_read_begin(x->ledger, &r, err));
    o.db = reader_db(r);
    buf_init(&o.b, ROW_MAX);
    enum err_code rc = write_all(&o, n, err);
    buf_deinit(&o.b);
    ledger_read_end(r);
    if (rc == ERR_OK && fflush(x->out) != 0) rc = err_fail(err, ERR_IO, "cannot write the export");
    return rc;
}
