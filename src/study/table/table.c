#include "study/table/table.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/csv.h"
#include "base/val.h"

static const size_t max_text = (size_t)512 << 20;

/* The file's name in front of what a reader said. */
static enum err_code with_name(const char *name, enum err_code rc, struct err *err) {
    if (err == NULL) return rc;
    char said[sizeof err->detail];
    static const char line[] = "CSV, line ", column[] = ", column ";
    (void)snprintf(said, sizeof said, "%s", err->detail);
    if (strncmp(said, line, sizeof line - 1) != 0)
        return err_fail(err, rc, "%s: %.400s", name, said);
    /* "CSV, line 2, column 5: what" becomes "name:2:5: what" */
    const char *at = said + sizeof line - 1;
    int digits = (int)strspn(at, "0123456789");
    const char *rest = at + digits;
    if (strncmp(rest, column, sizeof column - 1) != 0)
        return err_fail(err, rc, "%s:%.*s%.400s", name, digits, at, rest);
    return err_fail(err, rc, "%s:%.*s:%.400s", name, digits, at, rest + sizeof column - 1);
}

static char best_separator(const char *p, size_t n) {
    static const char candidates[] = {',', ';', '\t'};
    size_t count[3] = {0};
    for (size_t i = 0; i < n && p[i] != '\n'; i++)
        for (size_t k = 0; k < 3; k++) count[k] += p[i] == candidates[k];
    size_t best = 0;
    for (size_t k = 1; k < 3; k++)
        if (count[k] > count[best]) best = k;
    return candidates[best];
}

struct filling {
    struct arena *a;
    const char *name;
    size_t max_rows;
    struct table *t;
    const char **head, **cell; /* NULL while the rows are counted */
    long *line;
};

static enum err_code copy(struct filling *f, const struct csv_record *rec, const char **to,
                          struct err *err) {
    for (size_t i = 0; i < rec->n; i++) {
        to[i] = rec->len[i] == 0 ? "" : arena_dup(f->a, rec->field[i], rec->len[i]);
        if (to[i] == NULL) return err_fail(err, ERR_NOMEM, "%s: no memory", f->name);
    }
    return ERR_OK;
}

static enum err_code take_head(struct filling *f, const struct csv_record *rec, struct err *err) {
    if (f->head == NULL) {
        f->t->n_col = rec->n;
        for (size_t i = 0; i < rec->n; i++)
            for (size_t j = 0; j < i; j++)
                if (strcmp(rec->field[i], rec->field[j]) == 0)
                    return err_fail(err, ERR_INVALID, "%s:%ld: two columns are named \"%.60s\"",
                                    f->name, rec->line, rec->field[i]);
        return ERR_OK;
    }
    return copy(f, rec, f->head, err);
}

static enum err_code take_row(struct filling *f, const struct csv_record *rec, size_t row,
                              struct err *err) {
    if (rec->n != f->t->n_col)
        return err_fail(err, ERR_INVALID,
                        "%s:%ld: column %zu: %zu fields, but the header has %zu columns", f->name,
                        rec->line, (rec->n < f->t->n_col ? rec->n : f->t->n_col) + 1, rec->n,
                        f->t->n_col);
    if (row >= f->max_rows)
        return err_fail(err, ERR_LIMIT, "%s:%ld: more than %zu rows", f->name, rec->line,
                        f->max_rows);
    if (f->cell == NULL) return ERR_OK;
    f->line[row] = rec->line;
    return copy(f, rec, f->cell + row * f->t->n_col, err);
}

static enum err_code read_rows(struct filling *f, struct csv_reader *r, struct err *err) {
    bool more = true, head = true;
    size_t row = 0;
    for (;;) {
        struct csv_record rec;
        enum err_code rc = csv_read(r, &rec, &more, err);
        if (rc != ERR_OK) return with_name(f->name, rc, err);
        if (!more) break;
        if (head)
            TRY(take_head(f, &rec, err));
        else
            TRY(take_row(f, &rec, row++, err));
        head = false;
    }
    if (head)
        return err_fail(err, ERR_INVALID, "%s: the file is empty; expected a header row", f->name);
    f->t->n_row = row;
    return ERR_OK;
}

/* Two walks over the same bytes: one counts, one fills. */
static enum err_code walk(struct filling *f, const char *p, size_t n, char separator,
                          struct err *err) {
    FILE *in = fmemopen((void *)(uintptr_t)p, n, "r");
    if (in == NULL) return err_fail(err, ERR_NOMEM, "%s: no memory", f->name);
    struct csv_reader *r = csv_reader_new(in, separator);
    enum err_code rc =
        r == NULL ? err_fail(err, ERR_NOMEM, "%s: no memory", f->name) : read_rows(f, r, err);
    csv_reader_free(r);
    (void)fclose(in);
    return rc;
}

enum err_code table_parse(struct arena *a, const char *name, const char *p, size_t n,
                          char separator, size_t max_rows, const struct table **out,
                          struct err *err) {
    *out = NULL;
    if (n == 0)
        return err_fail(err, ERR_INVALID, "%s: the file is empty; expected a header row", name);
    struct table *t = ARENA_NEW(a, struct table, 1);
    struct filling f = {.a = a, .name = arena_strdup(a, name), .max_rows = max_rows, .t = t};
    if (t == NULL || f.name == NULL) return err_fail(err, ERR_NOMEM, "%s: no memory", name);
    if (separator == 0) separator = best_separator(p, n);
    TRY(walk(&f, p, n, separator, err));
    f.head = ARENA_NEW(a, const char *, t->n_col);
    f.line = ARENA_NEW(a, long, t->n_row + 1);
    f.cell = arena_alloc(a, t->n_row + 1, t->n_col * sizeof(const char *));
    if (f.head == NULL || f.line == NULL || f.cell == NULL)
        return err_fail(err, ERR_NOMEM, "%s: no memory for %zu rows of %zu columns", name, t->n_row,
                        t->n_col);
    TRY(walk(&f, p, n, separator, err));
    t->path = f.name;
    t->name = f.head;
    t->line = f.line;
    t->cell = f.cell;
    *out = t;
    return ERR_OK;
}

/* Plain and gzip files alike: zlib passes plain bytes through. */
static enum err_code unpack(gzFile in, const char *path, struct buf *out, struct err *err) {
    enum { PIECE = 1 << 16 };
    for (;;) {
        char *room = buf_room(out, PIECE);
        if (room == NULL) return with_name(path, buf_check(out, err), err);
        int got = gzread(in, room, PIECE);
        if (got < 0) return err_fail(err, ERR_IO, "%s: cannot be read or unpacked", path);
        out->n += (size_t)got;
        if (got < PIECE) break;
    }
    int state = Z_OK;
    (void)gzerror(in, &state);
    if (state != Z_OK && state != Z_STREAM_END)
        return err_fail(err, ERR_IO, "%s: the packed file ends too early", path);
    return ERR_OK;
}

static enum err_code read_all(const char *path, struct buf *out, struct err *err) {
    bool standard_input = strcmp(path, "-") == 0;
    gzFile in = standard_input ? gzdopen(0, "rb") : gzopen(path, "rb");
    if (in == NULL) return err_fail(err, ERR_NOT_FOUND, "%s: there is no such file", path);
    enum err_code rc = unpack(in, path, out, err);
    (void)gzclose(in);
    return rc;
}

enum err_code table_load(struct arena *a, const char *path, char separator, size_t max_rows,
                         const struct table **out, struct err *err) {
    struct buf text;
    *out = NULL;
    buf_init(&text, max_text);
    enum err_code rc = read_all(path, &text, err);
    if (rc == ERR_OK)
        rc = table_parse(a, strcmp(path, "-") == 0 ? "standard input" : path, buf_text(&text),
                         text.n, separator, max_rows, out, err);
    buf_deinit(&text);
    return rc;
}

/* "date, count, group", cut where the error's room ends. */
static void list_columns(const struct table *t, char *out, size_t size) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < t->n_col && at + 1 < size; i++) {
        int n = snprintf(out + at, size - at, "%s%s", i == 0 ? "" : ", ", t->name[i]);
        if (n < 0) return;
        at += (size_t)n;
    }
}

static const char *nearest_column(const struct table *t, const char *name) {
    enum { MOST = 256 };
    const char *names[MOST + 1] = {NULL};
    for (size_t i = 0; i < t->n_col && i < MOST; i++) names[i] = t->name[i];
    return val_nearest(name, names);
}

enum err_code table_column(const struct table *t, const char *name, bool required, size_t *col,
                           struct err *err) {
    *col = SIZE_MAX;
    for (size_t i = 0; i < t->n_col; i++)
        if (strcmp(t->name[i], name) == 0) *col = i;
    if (*col != SIZE_MAX || !required) return ERR_OK;
    char columns[300];
    list_columns(t, columns, sizeof columns);
    const char *near = nearest_column(t, name);
    return err_fail(err, ERR_INVALID, "%s:1: there is no column \"%s\"%s%s%s; it has: %s", t->path,
                    name, near == NULL ? "" : " (did you mean \"", near == NULL ? "" : near,
                    near == NULL ? "" : "\"?)", columns);
}
