#include "api/table_out.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "api/sheet.h"
#include "base/csv.h"

enum { MAX_COLUMNS = 512, MAX_KEY = 120, TABLE_ARENA = 1 << 28, MAX_TABLE = 64 << 20 };
static const int64_t second_us = 1000000;

struct table_column {
    const char *key;  /* of the row, or of the part */
    const char *node; /* NULL: a member of the row */
};
struct making {
    struct call *c;
    const struct table_spec *spec;
    struct arena *a; /* goes with the size of the city, not of the request */
    const struct val *answer, *rows;
    const struct grid *g;
    struct table_column column[MAX_COLUMNS];
    size_t n;
    struct err *err;
};

enum err_code table_wanted(const struct call *c, enum accept_format *out, struct err *err) {
    *out = accept_choose(http_header(c->req, "Accept"), call_query(c, "format"),
                         ACCEPT_JSON | ACCEPT_CSV | ACCEPT_XLSX, ACCEPT_JSON);
    return *out != ACCEPT_NONE ? ERR_OK
                               : err_fail(err, ERR_NOT_ACCEPTABLE, "offered: json, csv, xlsx");
}

/* ---- columns */

static bool is_plain(const struct val *v) { return v->type != VAL_LIST && v->type != VAL_MAP; }

/* {en, zh}: the text for the caller. */
static const char *text_of(const struct making *m, const struct val *v) {
    const struct val *t = val_get(v, m->c->zh ? "zh" : "en");
    return t == NULL || t->type != VAL_STR ? NULL : t->u.s;
}

static void add_column(struct making *m, const char *key, const char *node) {
    for (size_t i = 0; i < m->n; i++) {
        const struct table_column *x = &m->column[i];
        if (strcmp(x->key, key) == 0 && (x->node == NULL) == (node == NULL) &&
            (node == NULL || strcmp(x->node, node) == 0))
            return;
    }
    if (m->n < MAX_COLUMNS) m->column[m->n++] = (struct table_column){key, node};
}

static const char *node_of(const struct val *part) {
    const struct val *v = val_get(part, "node");
    return v == NULL || v->type != VAL_STR ? NULL : v->u.s;
}

static void find_members(struct making *m, const struct val *row) {
    for (size_t k = 0; row->type == VAL_MAP && k < row->n; k++) {
        add_column(m, row->u.map[k].key, NULL);
        bool named = strcmp(row->u.map[k].key, "area") == 0;
        if (named && val_get(row, "name") == NULL) add_column(m, "name", NULL);
    }
}

static void find_parts(struct making *m, const struct val *row, const char *key) {
    const struct val *parts = val_get(row, "parts");
    for (size_t k = 0; parts != NULL && parts->type == VAL_LIST && k < parts->n; k++) {
        const char *node = node_of(&parts->u.list[k]);
        if (node != NULL && val_get(&parts->u.list[k], key) != NULL) add_column(m, key, node);
    }
}

/* Lists and maps are no cells; a text in two languages is one. */
static bool has_cells(const struct making *m, const struct table_column *x) {
    if (x->node != NULL) return true;
    for (size_t r = 0; r < m->rows->n; r++) {
        const struct val *v = val_get(&m->rows->u.list[r], x->key);
        if (v == NULL ? strcmp(x->key, "name") == 0 : is_plain(v) || text_of(m, v) != NULL)
            return true;
    }
    return false;
}

static void find_columns(struct making *m) {
    size_t kept = 0;
    for (size_t i = 0; i < m->rows->n; i++) find_members(m, &m->rows->u.list[i]);
    for (size_t i = 0; i < m->rows->n; i++) find_parts(m, &m->rows->u.list[i], "part");
    for (size_t i = 0; i < m->rows->n; i++) find_parts(m, &m->rows->u.list[i], "raw");
    for (size_t i = 0; i < m->n; i++)
        if (has_cells(m, &m->column[i])) m->column[kept++] = m->column[i];
    m->n = kept;
}

static const char *area_name(const struct making *m, const struct val *row) {
    const struct val *code = val_get(row, "area");
    int at = code == NULL || code->type != VAL_STR ? GRID_NONE : grid_area_index(m->g, code->u.s);
    if (at == GRID_NONE) return NULL;
    const struct grid_area *area = &m->g->areas[at];
    return m->c->zh || area->name_en == NULL || area->name_en[0] == '\0' ? area->name
                                                                         : area->name_en;
}

/* A cell: a number, or a text (NULL: empty). */
struct told {
    bool is_number;
    double number;
    const char *text;
};

static struct told told_of(const struct making *m, const struct val *v) {
    if (v == NULL || v->type == VAL_NULL) return (struct told){false, NAN, NULL};
    if (v->type == VAL_INT) return (struct told){true, (double)v->u.i, NULL};
    if (v->type == VAL_DOUBLE) return (struct told){true, v->u.d, NULL};
    if (v->type == VAL_BOOL) return (struct told){false, NAN, v->u.b ? "true" : "false"};
    return (struct told){false, NAN, v->type == VAL_STR ? v->u.s : text_of(m, v)};
}

static struct told cell_of(const struct making *m, const struct val *row,
                           const struct table_column *x) {
    if (x->node == NULL) {
        const struct val *v = val_get(row, x->key);
        if (v == NULL && strcmp(x->key, "name") == 0)
            return (struct told){false, NAN, area_name(m, row)};
        return told_of(m, v);
    }
    const struct val *parts = val_get(row, "parts");
    for (size_t k = 0; parts != NULL && parts->type == VAL_LIST && k < parts->n; k++) {
        const char *node = node_of(&parts->u.list[k]);
        if (node != NULL && strcmp(node, x->node) == 0)
            return told_of(m, val_get(&parts->u.list[k], x->key));
    }
    return (struct told){false, NAN, NULL};
}

static void column_title(const struct table_column *x, char out[MAX_KEY]) {
    (void)snprintf(out, MAX_KEY, "%s%s%s", x->key, x->node == NULL ? "" : ".",
                   x->node == NULL ? "" : x->node);
}

/* ---- CSV */

static void csv_told(struct buf *b, const struct told *t, bool first) {
    struct buf n;
    struct jw w;
    if (!t->is_number) {
        csv_safe_field(b, t->text == NULL ? "" : t->text, first);
        return;
    }
    buf_init(&n, 64); /* the digits of the JSON */
    jw_init(&w, &n);
    jw_double(&w, t->number);
    csv_field(b, isfinite(t->number) ? buf_text(&n) : "", first);
    buf_deinit(&n);
}

static void write_csv(const struct making *m, struct buf *out) {
    static const char *const said[] = {"period", "level", "data_seq"};
    char title[MAX_KEY];
    for (size_t i = 0; i < m->n; i++) {
        column_title(&m->column[i], title);
        csv_field(out, title, i == 0);
    }
    for (size_t k = 0; k < 3; k++)
        if (val_get(m->answer, said[k]) != NULL) csv_field(out, said[k], m->n == 0 && k == 0);
    csv_end(out);
    for (size_t r = 0; r < m->rows->n; r++) {
        for (size_t i = 0; i < m->n; i++) {
            struct told t = cell_of(m, &m->rows->u.list[r], &m->column[i]);
            csv_told(out, &t, i == 0);
        }
        for (size_t k = 0; k < 3; k++) {
            const struct val *v = val_get(m->answer, said[k]);
            struct told t = told_of(m, v);
            if (v != NULL) csv_told(out, &t, m->n == 0 && k == 0);
        }
        csv_end(out);
    }
}

/* ---- spreadsheet */

static void sheet_told(struct sheet_book *b, const struct told *t) {
    if (t->is_number)
        sheet_number(b, t->number);
    else
        sheet_text(b, t->text);
}

static void write_values(const struct making *m, struct sheet_book *b) {
    char title[MAX_KEY];
    for (size_t i = 0; i < m->n; i++) {
        column_title(&m->column[i], title);
        sheet_head(b, title);
    }
    sheet_end_row(b);
    for (size_t r = 0; r < m->rows->n; r++) {
        for (size_t i = 0; i < m->n; i++) {
            struct told t = cell_of(m, &m->rows->u.list[r], &m->column[i]);
            sheet_told(b, &t);
        }
        sheet_end_row(b);
    }
}

static void write_method(const struct making *m, struct sheet_book *b) {
    sheet_head(b, m->c->zh ? "项目" : "what");
    sheet_head(b, m->c->zh ? "说明" : "says");
    sheet_end_row(b);
    for (size_t i = 0; i < m->answer->n; i++) {
        const struct val_pair *p = &m->answer->u.map[i];
        struct told t = told_of(m, &p->v);
        if (!t.is_number && t.text == NULL) continue;
        sheet_text(b, p->key);
        sheet_told(b, &t);
        sheet_end_row(b);
    }
    for (size_t i = 0; i < m->spec->n_notes; i++) {
        sheet_text(b, m->spec->note[i].key);
        sheet_text(b, m->spec->note[i].text);
        sheet_end_row(b);
    }
}

static enum err_code write_book(const struct making *m, struct buf *out) {
    struct sheet_book *b = NULL;
    TRY(sheet_book_new(clock_now_us(&m->c->app->clock) / second_us, &b, m->err));
    enum err_code rc = sheet_begin(b, m->c->zh ? "数据" : "Values", m->err);
    if (rc == ERR_OK) {
        write_values(m, b);
        rc = sheet_begin(b, m->c->zh ? "方法 Method" : "Method", m->err);
    }
    if (rc == ERR_OK) {
        write_method(m, b);
        rc = sheet_book_write(b, out, m->err);
    }
    sheet_book_free(b);
    return rc;
}

/* ---- the reply */

static enum err_code put_reply(struct call *c, const char *name, enum accept_format f,
                               const struct buf *out, struct err *err) {
    TRY(buf_check(out, err));
    buf_clear(&c->reply.body);
    buf_add(&c->reply.body, out->p, out->n);
    c->reply.content_type = accept_content_type(f);
    c->reply.disposition =
        arena_printf(c->a, "attachment; filename=\"%s.%s\"", name, accept_name(f));
    if (c->reply.disposition == NULL) return err_fail(err, ERR_NOMEM, "table");
    return buf_check(&c->reply.body, err);
}

static enum err_code make(struct making *m, enum accept_format f, struct buf *out) {
    const struct buf *body = &m->c->reply.body;
    TRY(json_parse(m->a, buf_text(body), body->n, &m->answer, m->err));
    m->rows = val_get(m->answer, m->spec->list);
    if (m->rows == NULL || m->rows->type != VAL_LIST)
        return err_fail(m->err, ERR_INTERNAL, "the answer has no list \"%s\"", m->spec->list);
    find_columns(m);
    if (f == ACCEPT_XLSX) return write_book(m, out);
    write_csv(m, out);
    return ERR_OK;
}

enum err_code table_reply(struct call *c, enum accept_format f, const struct table_spec *spec,
                          struct err *err) {
    if (f == ACCEPT_JSON) return ERR_OK;
    struct making m = {.c = c, .spec = spec, .a = arena_new(TABLE_ARENA), .err = err};
    struct buf out;
    if (m.a == NULL) return err_fail(err, ERR_NOMEM, "table");
    buf_init(&out, MAX_TABLE);
    m.g = grid_ref(c->app->grid);
    enum err_code rc = make(&m, f, &out);
    grid_unref(m.g);
    if (rc == ERR_OK) rc = put_reply(c, spec->name, f, &out, err);
    buf_deinit(&out);
    arena_free(m.a);
    return rc;
}

/* ---- from CSV */

/* The mark that keeps a spreadsheet from taking a text of a CSV for a formula is not needed here.
 */
static const char *unmarked(const char *s) {
    return s[0] == '\'' && s[1] != '\0' && strchr("=+-@\t\r", s[1]) != NULL ? s + 1 : s;
}

static enum err_code copy_rows(struct csv_reader *csv, struct sheet_book *b, struct err *err) {
    bool head = true;
    for (bool more = true;; head = false) {
        struct csv_record r;
        TRY(csv_read(csv, &r, &more, err));
        if (!more) return ERR_OK;
        for (size_t i = 0; i < r.n; i++) {
            if (head)
                sheet_head(b, r.field[i]);
            else
                sheet_text(b, unmarked(r.field[i]));
        }
        sheet_end_row(b);
    }
}

static enum err_code copy_csv(struct call *c, struct buf *out, struct err *err) {
    struct sheet_book *b = NULL;
    FILE *in = fmemopen(c->reply.body.p, c->reply.body.n, "r");
    struct csv_reader *csv = in == NULL ? NULL : csv_reader_new(in, ',');
    enum err_code rc = csv == NULL
                           ? err_fail(err, ERR_NOMEM, "table")
                           : sheet_book_new(clock_now_us(&c->app->clock) / second_us, &b, err);
    if (rc == ERR_OK) rc = sheet_begin(b, c->zh ? "数据" : "Values", err);
    if (rc == ERR_OK) rc = copy_rows(csv, b, err);
    if (rc == ERR_OK) rc = sheet_book_write(b, out, err);
    sheet_book_free(b);
    csv_reader_free(csv);
    if (in != NULL) (void)fclose(in);
    return rc;
}

enum err_code table_reply_csv(struct call *c, const char *name, struct err *err) {
    struct buf out;
    if (c->reply.body.n == 0) return err_fail(err, ERR_INTERNAL, "an empty table");
    buf_init(&out, MAX_TABLE);
    enum err_code rc = copy_csv(c, &out, err);
    if (rc == ERR_OK) rc = put_reply(c, name, ACCEPT_XLSX, &out, err);
    buf_deinit(&out);
    return rc;
}
