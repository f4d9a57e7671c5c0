#include <math.h>
#include <string.h>

#include "domain/measure/figure.h"
#include "store/statements.h"
#include "store/tables.h"

struct found {
    int64_t id, version;
    double value, denominator;
    bool same_note, there;
};

static const char *note_of(const struct figure_row *f) { return f->note == NULL ? "" : f->note; }

static enum err_code find(struct tx *tx, const struct figure_row *f, struct found *out,
                          struct err *err) {
    struct cell p[4] = {cell_int(1), cell_text(f->indicator), cell_text(f->area),
                        cell_text(f->period)};
    struct cursor *c = NULL;
    *out = (struct found){.value = NAN, .denominator = NAN};
    TRY(db_query(tx_db(tx), stmt_sql(STMT_FIGURE_AT), p, 4, &c, err));
    enum err_code rc = cursor_next(c, &out->there, err);
    if (rc == ERR_OK && out->there) {
        out->id = cursor_int(c, 0);
        out->version = cursor_int(c, 1);
        out->value = cursor_real(c, 2);
        out->denominator = cursor_is_null(c, 3) ? NAN : cursor_real(c, 3);
        out->same_note = strcmp(cursor_text(c, 4), note_of(f)) == 0;
    }
    cursor_close(c);
    return rc;
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

enum err_code figure_put(struct tx *tx, const struct figure_row *f, bool dry_run,
                         enum figure_change *change, double *was, struct err *err) {
    struct found stood;
    TRY(find(tx, f, &stood, err));
    *was = stood.value;
    *change = FIGURE_SAME;
    if (stood.there && same(stood.value, f->value) && same(stood.denominator, f->denominator) &&
        stood.same_note)
        return ERR_OK;
    *change = stood.there ? FIGURE_RESTATED : FIGURE_ADDED;
    if (dry_run) return ERR_OK;
    struct cell cells[col_figure_count];
    int64_t id = 0;
    cells[col_figure_indicator] = cell_text(f->indicator);
    cells[col_figure_area] = cell_text(f->area);
    cells[col_figure_period] = cell_text(f->period);
    cells[col_figure_value] = cell_real(f->value);
    cells[col_figure_denominator] = isnan(f->denominator) ? cell_null() : cell_real(f->denominator);
    cells[col_figure_note] = note_of(f)[0] == '\0' ? cell_null() : cell_text(f->note);
    return stood.there ? tx_update(tx, &table_figure, stood.id, stood.version, cells, err)
                       : tx_insert(tx, &table_figure, cells, &id, err);
}
