/* gezhi import indicators: outside data, a figure a line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "domain/measure/figure.h"

static const double max_figure = 1e15; /* sums and ratios of them stay finite */
enum { GROUP = 500, GROUP_ARENA = 8 << 20, MAX_NOTE = 500, N_COLUMNS = 6 };

enum figure_column { COL_INDICATOR, COL_AREA, COL_PERIOD, COL_VALUE, COL_DENOMINATOR, COL_NOTE };
static const char *const column_names[N_COLUMNS] = {"indicator", "area",        "period",
                                                    "value",     "denominator", "note"};

struct figure {
    const char *indicator, *area, *note;
    char period[PERIOD_TEXT];
    double value, denominator; /* NaN: none */
};
struct importing {
    const struct figure_import *in;
    struct figure_imported *out;
    struct folder *folder;
    const struct grid *grid;
    int at[N_COLUMNS]; /* position in the record, or -1 */
    struct arena *a;   /* of the group */
    struct figure *group;
    size_t n;
    struct figure_imported counted; /* of the group, told when it is committed */
};

/* ---- one row */

static const char *field(const struct importing *x, const struct csv_record *r,
                         enum figure_column c) {
    return x->at[c] < 0 ? "" : r->field[x->at[c]];
}

static bool number(const char *s, double *out) {
    char *end = NULL;
    /* strtod alone would take hexadecimal, "inf" and "nan". */
    if (s[0] == '\0' || s[strspn(s, "+-.0123456789eE")] != '\0') return false;
    *out = strtod(s, &end);
    return end != s && *end == '\0' && isfinite(*out);
}

static enum err_code check_value(const struct indicator_def *d, const struct importing *x,
                                 const struct csv_record *r, struct figure *f, struct err *err) {
    const char *value = field(x, r, COL_VALUE), *base = field(x, r, COL_DENOMINATOR);
    if (!number(value, &f->value))
        return err_fail(err, ERR_INVALID, "column value: expected a number, found \"%.60s\"",
                        value);
    if (fabs(f->value) > max_figure)
        return err_fail(err, ERR_INVALID, "column value: %.60s is more than %g", value, max_figure);
    if ((!isnan(d->min) && f->value < d->min) || (!isnan(d->max) && f->value > d->max))
        return err_fail(err, ERR_INVALID,
                        "column value: %.17g is outside what indicator %s takes (%g to %g)",
                        f->value, d->name, d->min, d->max);
    f->denominator = NAN;
    if (base[0] == '\0') return ERR_OK;
    if (!number(base, &f->denominator) || f->denominator < 1 / max_figure)
        return err_fail(err, ERR_INVALID,
                        "column denominator: expected a number above 0, found \"%.60s\"", base);
    if (f->denominator > max_figure)
        return err_fail(err, ERR_INVALID, "column denominator: %.60s is more than %g", base,
                        max_figure);
    return ERR_OK;
}

static enum err_code read_figure(struct importing *x, const struct csv_record *r, struct figure *f,
                                 struct err *err) {
    const char *name = field(x, r, COL_INDICATOR), *area = field(x, r, COL_AREA);
    const struct indicator_def *d = pack_indicator(x->folder->packs, name);
    struct period period;
    if (d == NULL)
        return err_fail(err, ERR_INVALID, "column indicator: there is no indicator \"%.60s\"",
                        name);
    if (d->measure != MEASURE_FIGURE)
        return err_fail(err, ERR_INVALID,
                        "column indicator: \"%s\" is formed here and takes no outside figures",
                        name);
    if (grid_area_index(x->grid, area) == GRID_NONE)
        return err_fail(err, ERR_INVALID, "column area: there is no area \"%.60s\"", area);
    TRY(period_parse(field(x, r, COL_PERIOD), &period, err));
    TRY(check_value(d, x, r, f, err));
    if (strlen(field(x, r, COL_NOTE)) > MAX_NOTE)
        return err_fail(err, ERR_INVALID, "column note: longer than %d bytes", MAX_NOTE);
    period_format(&period, f->period);
    f->indicator = d->name;
    f->area = arena_strdup(x->a, area);
    f->note = arena_strdup(x->a, field(x, r, COL_NOTE));
    return f->area == NULL || f->note == NULL ? err_fail(err, ERR_NOMEM, "figures") : ERR_OK;
}

static void reject(struct importing *x, const struct csv_record *r, const char *why) {
    x->out->rejected++;
    if (x->in->rejected == NULL) return;
    struct buf b;
    char line[32];
    buf_init(&b, (size_t)CSV_MAX_RECORD * 2);
    (void)snprintf(line, sizeof line, "%ld", r->line);
    csv_field(&b, line, true);
    csv_field(&b, why, false);
    /* Not from the group's arena: a file of nothing but bad rows never ends a group. */
    struct arena *scratch = arena_new((size_t)CSV_MAX_RECORD * 2);
    const char *raw = scratch == NULL ? NULL : arena_dup(scratch, r->raw, r->raw_n);
    csv_field(&b, raw == NULL ? "" : raw, false);
    csv_end(&b);
    if (!b.failed) (void)fwrite(b.p, 1, b.n, x->in->rejected);
    buf_deinit(&b);
    arena_free(scratch);
}

/* ---- a group in one command */

static void tell_restated(const struct importing *x, const struct figure *f, double was) {
    if (x->in->restated == NULL) return;
    (void)fprintf(x->in->restated, "%s %s %s: %.17g stood there, now %.17g\n", f->indicator,
                  f->area, f->period, was, f->value);
}

static enum err_code put_figure(struct importing *x, struct tx *tx, const struct figure *f,
                                struct err *err) {
    const struct figure_row row = {f->indicator, f->area,  f->period,
                                   f->note,      f->value, f->denominator};
    enum figure_change change = FIGURE_SAME;
    double was = NAN;
    TRY(figure_put(tx, &row, x->in->dry_run, &change, &was, err));
    x->counted.unchanged += change == FIGURE_SAME;
    x->counted.added += change == FIGURE_ADDED;
    x->counted.restated += change == FIGURE_RESTATED;
    if (change == FIGURE_RESTATED) tell_restated(x, f, was);
    return ERR_OK;
}

static enum err_code put_group(struct tx *tx, void *arg, struct err *err) {
    struct importing *x = arg;
    x->counted = (struct figure_imported){0};
    for (size_t i = 0; i < x->n; i++) TRY(put_figure(x, tx, &x->group[i], err));
    return ERR_OK;
}

static enum err_code flush(struct importing *x, struct err *err) {
    if (x->n == 0) return ERR_OK;
    struct command c = {.name = "figure.import", .actor = "import", .apply = put_group, .arg = x};
    TRY(ledger_run(x->folder->ledger, &c, NULL, NULL, err));
    x->out->added += x->counted.added;
    x->out->restated += x->counted.restated;
    x->out->unchanged += x->counted.unchanged;
    x->n = 0;
    arena_free(x->a);
    x->a = arena_new(GROUP_ARENA);
    x->group = x->a == NULL ? NULL : ARENA_NEW(x->a, struct figure, GROUP);
    return x->group == NULL ? err_fail(err, ERR_NOMEM, "figures") : ERR_OK;
}

/* ---- the file */

static enum err_code read_head(struct importing *x, const struct csv_record *r, struct err *err) {
    for (int c = 0; c < N_COLUMNS; c++) {
        x->at[c] = -1;
        for (size_t i = 0; i < r->n; i++)
            if (strcmp(r->field[i], column_names[c]) == 0) x->at[c] = (int)i;
        if (x->at[c] < 0 && c < COL_DENOMINATOR)
            return err_fail(err, ERR_INVALID,
                            "%s:%ld: there is no column \"%s\"; the columns are indicator, area, "
                            "period, value and, if you like, denominator and note",
                            x->in->name, r->line, column_names[c]);
    }
    return ERR_OK;
}

static enum err_code take_row(struct importing *x, const struct csv_record *r, size_t n_columns,
                              struct err *err) {
    struct err why = {0};
    x->out->read++;
    enum err_code rc =
        r->n != n_columns
            ? err_fail(&why, ERR_INVALID, "%zu fields, but the header has %zu", r->n, n_columns)
            : read_figure(x, r, &x->group[x->n], &why);
    if (rc == ERR_NOMEM) return err_fail(err, rc, "%s", why.detail);
    if (rc != ERR_OK) {
        reject(x, r, why.detail);
        return ERR_OK;
    }
    return ++x->n == GROUP ? flush(x, err) : ERR_OK;
}

static enum err_code read_rows(struct importing *x, struct csv_reader *csv, struct err *err) {
    size_t n_columns = 0;
    for (bool more = true;;) {
        struct csv_record r;
        struct err why = {0};
        enum err_code rc = csv_read(csv, &r, &more, &why);
        if (rc != ERR_OK) return err_fail(err, rc, "%s: %.400s", x->in->name, why.detail);
        if (!more) break;
        if (n_columns == 0) {
            n_columns = r.n;
            TRY(read_head(x, &r, err));
            if (x->in->rejected != NULL) (void)fputs("line,reason,row\n", x->in->rejected);
        } else {
            TRY(take_row(x, &r, n_columns, err));
        }
    }
    if (n_columns == 0) return err_fail(err, ERR_INVALID, "%s: the file is empty", x->in->name);
    return flush(x, err);
}

enum err_code figure_import_run(struct folder *f, const struct grid *g,
                                const struct figure_import *in, struct figure_imported *out,
                                struct err *err) {
    struct importing x = {.in = in, .out = out, .folder = f, .grid = g};
    *out = (struct figure_imported){0};
    x.a = arena_new(GROUP_ARENA);
    x.group = x.a == NULL ? NULL : ARENA_NEW(x.a, struct figure, GROUP);
    struct csv_reader *csv = csv_reader_new(in->in, ',');
    enum err_code rc = x.group == NULL || csv == NULL ? err_fail(err, ERR_NOMEM, "figures")
                                                      : read_rows(&x, csv, err);
    csv_reader_free(csv);
    arena_free(x.a);
    return rc;
}
