#include "domain/pack/load.h"

#include "base/csv.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

enum { MAX_ROWS = 4000 };

enum csv_column { CODE, NAME_EN, NAME_ZH, MAJOR_CODE, MAJOR_EN, MAJOR_ZH, TRUST, NOTE, N_COLUMNS };
static const char *const columns[] = {"code",     "name_en", "name_zh", "major_code", "major_en",
                                      "major_zh", "trust",   "note",    NULL};

/* Which field of a record holds each column, or -1. */
struct header {
    int at[N_COLUMNS];
};

static void read_header(struct load *l, const char *file, const struct csv_record *r,
                        struct header *h) {
    for (int k = 0; k < N_COLUMNS; k++) h->at[k] = -1;
    for (size_t i = 0; i < r->n; i++) {
        int k = 0;
        while (columns[k] != NULL && strcmp(columns[k], r->field[i]) != 0) k++;
        if (!load_not_refused(l, file, (int)r->line, "column", r->field[i], NULL)) continue;
        if (columns[k] == NULL) {
            load_unknown(l, file, (int)r->line, "column", r->field[i], columns);
        } else if (h->at[k] >= 0) {
            load_problem(l, ERR_INVALID, file, (int)r->line, "column \"%s\" stands here twice",
                         columns[k]);
        } else {
            h->at[k] = (int)i;
        }
    }
    for (int k = CODE; k <= NAME_ZH; k++)
        if (h->at[k] < 0)
            load_problem(l, ERR_INVALID, file, (int)r->line, "column \"%s\" is missing",
                         columns[k]);
}

static const char *cell(struct load *l, const struct csv_record *r, const struct header *h,
                        enum csv_column k) {
    int at = h->at[k];
    if (at < 0 || (size_t)at >= r->n) return "";
    const char *s = arena_strdup(l->a, r->field[at]);
    if (s == NULL) (void)load_nomem(l);
    return s == NULL ? "" : s;
}

static void check_row(struct load *l, const char *file, const struct code_row *row) {
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    size_t n = strlen(row->code);
    if (n > 40 || strspn(row->code, chars) != n)
        load_problem(l, ERR_INVALID, file, row->line,
                     "code \"%.50s\": letters, digits, . and _, at most 40", row->code);
    if (row->title.zh[0] == '\0' || (n > 0 && row->title.en[0] == '\0'))
        load_problem(l, ERR_INVALID, file, row->line, "the row needs name_en and name_zh");
    (void)load_not_refused(l, file, row->line, "code name", row->code, &row->title);
}

static void read_row(struct load *l, const char *file, const struct csv_record *r,
                     const struct header *h, struct code_row *row) {
    *row = (struct code_row){.code = cell(l, r, h, CODE),
                             .title = {cell(l, r, h, NAME_EN), cell(l, r, h, NAME_ZH)},
                             .note = cell(l, r, h, NOTE),
                             .major_code = cell(l, r, h, MAJOR_CODE),
                             .major = {cell(l, r, h, MAJOR_EN), cell(l, r, h, MAJOR_ZH)},
                             .trust = cell(l, r, h, TRUST),
                             .line = (int)r->line};
    check_row(l, file, row);
}

static void check_unique(struct load *l, const char *file, const struct code_list *list) {
    for (size_t i = 1; i < list->n_rows; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(list->rows[i].code, list->rows[k].code) == 0) {
                load_problem(l, ERR_INVALID, file, list->rows[i].line,
                             "code \"%.40s\" stands in line %d already", list->rows[i].code,
                             list->rows[k].line);
                break;
            }
}

/* The next record that is no blank line; *more is false at the end or when reading cannot go on. */
static enum err_code next_record(struct load *l, const char *file, struct csv_reader *in,
                                 struct csv_record *r, bool *more) {
    for (;;) {
        struct err why;
        enum err_code rc = csv_read(in, r, more, &why);
        if (rc == ERR_NOMEM) return load_nomem(l);
        if (rc == ERR_OK && (!*more || r->n != 1 || r->field[0][0] != '\0')) return ERR_OK;
        if (rc == ERR_OK) continue;
        load_problem(l, rc, file, 0, "%s", why.detail);
        *more = rc == ERR_SYNTAX && l->n_problems < PACK_MAX_PROBLEMS;
        if (!*more) return ERR_OK;
    }
}

static enum err_code read_rows(struct load *l, const char *file, struct csv_reader *in,
                               struct code_row *rows, struct code_row *bare, size_t cap,
                               struct code_list *list) {
    struct header h = {{0}};
    struct csv_record r;
    bool more = true;
    TRY(next_record(l, file, in, &r, &more));
    if (!more) {
        load_problem(l, ERR_INVALID, file, 0, "the file has no header line");
        return ERR_OK;
    }
    read_header(l, file, &r, &h);
    if (h.at[CODE] < 0 || h.at[NAME_EN] < 0 || h.at[NAME_ZH] < 0) return ERR_OK;
    for (;;) {
        TRY(next_record(l, file, in, &r, &more));
        if (!more) return ERR_OK;
        if (list->n_rows + list->n_not_loaded >= cap) {
            load_problem(l, ERR_LIMIT, file, (int)r.line, "more than %d rows", MAX_ROWS);
            return ERR_OK;
        }
        struct code_row row;
        read_row(l, file, &r, &h, &row);
        if (row.code[0] == '\0')
            bare[list->n_not_loaded++] = row;
        else
            rows[list->n_rows++] = row;
    }
}

enum err_code load_codes_csv(struct load *l, const char *file, const char *p, size_t n,
                             struct code_list *list) {
    size_t cap = 1;
    for (size_t i = 0; i < n && cap < MAX_ROWS; i++) cap += p[i] == '\n';
    struct code_row *rows = ARENA_NEW(l->a, struct code_row, cap);
    struct code_row *bare = ARENA_NEW(l->a, struct code_row, cap);
    if (rows == NULL || bare == NULL) return load_nomem(l);
    list->rows = rows;
    list->not_loaded = bare;
    list->n_rows = list->n_not_loaded = 0;
    if (n == 0) {
        load_problem(l, ERR_INVALID, file, 0, "the file is empty");
        return ERR_OK;
    }
    FILE *f = fmemopen((void *)(uintptr_t)p, n, "r");
    struct csv_reader *in = f == NULL ? NULL : csv_reader_new(f, ',');
    enum err_code rc = in == NULL ? load_nomem(l) : read_rows(l, file, in, rows, bare, cap, list);
    csv_reader_free(in);
    if (f != NULL) (void)fclose(f);
    if (rc == ERR_OK) check_unique(l, file, list);
    return rc;
}

/* "2026-07-01", "2026", or "unknown". */
static void check_date(struct load *l, const char *file, int line, const char *key, const char *s) {
    static const char shape[] = "dddd-dd-dd";
    size_t n = strlen(s);
    bool ok = n == 0 || strcmp(s, "unknown") == 0 || n == 4 || n == 10;
    for (size_t i = 0; ok && i < n && s[0] != 'u'; i++)
        ok = shape[i] == 'd' ? s[i] >= '0' && s[i] <= '9' : s[i] == '-';
    if (!ok)
        load_problem(l, ERR_INVALID, file, line,
                     "\"%s\": write a date (2026-07-01), a year in quotes, or unknown", key);
}

static enum err_code read_list(struct load *l, const char *file, const char *dir,
                               const struct val *v) {
    static const char *const known[] = {"id",       "title",  "file",  "version", "valid_from",
                                        "valid_to", "source", "trust", "local",   NULL};
    if (!rd_known(l, file, v, "a code list", known)) return ERR_OK;
    if (l->set.n_lists == LOAD_MAX_LISTS) {
        load_problem(l, ERR_LIMIT, file, v->line, "more than %d code lists", LOAD_MAX_LISTS);
        return ERR_OK;
    }
    struct code_list *c = &l->lists[l->set.n_lists];
    *c = (struct code_list){.pack = l->pack};
    c->id = rd_name(l, file, v, "id", true);
    c->title = rd_title(l, file, v, "title", true);
    c->version = rd_text(l, file, v, "version", true, 200);
    c->valid_from = rd_text(l, file, v, "valid_from", true, 20);
    c->valid_to = rd_text(l, file, v, "valid_to", false, 20);
    c->source = rd_text(l, file, v, "source", true, 500);
    c->trust = rd_text(l, file, v, "trust", true, 500);
    c->local = rd_bool(l, file, v, "local", false);
    check_date(l, file, v->line, "valid_from", c->valid_from);
    check_date(l, file, v->line, "valid_to", c->valid_to);
    if (c->id[0] != '\0' && pack_list(&l->set, c->id) != NULL)
        load_problem(l, ERR_INVALID, file, v->line, "code list \"%s\" is declared twice", c->id);
    (void)load_not_refused(l, file, v->line, "code list", c->id, &c->title);
    const char *name = rd_text(l, file, v, "file", true, 200);
    if (name[0] != '\0' && !file_is_plain_name(name)) {
        load_problem(l, ERR_INVALID, file, v->line, "\"file\" is a name in the same folder");
        name = "";
    }
    c->file = file_join(l->a, dir, name);
    if (c->file == NULL) return load_nomem(l);
    if (name[0] != '\0') {
        const char *p;
        size_t n;
        TRY(load_read(l, c->file, &p, &n));
        if (p == NULL)
            load_problem(l, ERR_INVALID, file, v->line, "list \"%s\" has no file \"%s\"", c->id,
                         name);
        else
            TRY(load_codes_csv(l, c->file, p, n, c));
    }
    l->set.n_lists++;
    return ERR_OK;
}

enum err_code load_lists_file(struct load *l, const char *file, const struct val *v) {
    static const char *const known[] = {"lists", NULL};
    if (!rd_known(l, file, v, "the lists", known)) return ERR_OK;
    const struct val *list = rd_list(l, file, v, "lists", true);
    const char *slash = strrchr(file, '/');
    const char *dir = slash == NULL ? "" : arena_dup(l->a, file, (size_t)(slash - file));
    if (dir == NULL) return load_nomem(l);
    for (size_t i = 0; list != NULL && i < list->n; i++)
        TRY(read_list(l, file, dir, &list->u.list[i]));
    return ERR_OK;
}
