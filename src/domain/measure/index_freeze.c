#include "domain/measure/index_freeze.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/statements.h"
#include "store/tables.h"

enum { MAX_PARTS = 1 << 20 };

static const char *text_or_empty(const struct cursor *c, int col, struct arena *a) {
    const char *s = arena_strdup(a, cursor_text(c, col));
    return s == NULL ? "" : s;
}

enum err_code frozen_run_get(struct db *db, int64_t ledger, const char *index, int level,
                             const char *period, struct arena *a, struct frozen_run *out,
                             bool *found, struct err *err) {
    struct cell p[4] = {cell_int(ledger), cell_text(index), cell_int(level), cell_text(period)};
    struct cursor *c = NULL;
    *out = (struct frozen_run){0};
    TRY(db_query(db, stmt_sql(STMT_INDEX_RUN_AT), p, 4, &c, err));
    enum err_code rc = cursor_next(c, found, err);
    if (rc == ERR_OK && *found)
        *out = (struct frozen_run){.id = cursor_int(c, 0),
                                   .version = cursor_int(c, 1),
                                   .formula = cursor_int(c, 2),
                                   .formula_hash = text_or_empty(c, 3, a),
                                   .data_seq = cursor_int(c, 4),
                                   .today = (int32_t)cursor_int(c, 5),
                                   .seed = cursor_int(c, 6),
                                   .draws = cursor_int(c, 7),
                                   .hash = text_or_empty(c, 8, a),
                                   .note = text_or_empty(c, 9, a),
                                   .published_by = text_or_empty(c, 10, a),
                                   .published_at_us = cursor_int(c, 11)};
    cursor_close(c);
    return rc;
}

/* ---- areas */

struct stood {
    bool there;
    int64_t id, version;
    double value;
    const char *band, *parts;
};

static enum err_code stood_at(struct tx *tx, const char *index, const char *area,
                              const char *period, struct stood *out, struct err *err) {
    struct cell p[4] = {cell_int(1), cell_text(index), cell_text(area), cell_text(period)};
    struct cursor *c = NULL;
    *out = (struct stood){.value = NAN, .band = "", .parts = ""};
    TRY(db_query(tx_db(tx), stmt_sql(STMT_INDEX_VALUE_AT), p, 4, &c, err));
    enum err_code rc = cursor_next(c, &out->there, err);
    if (rc == ERR_OK && out->there) {
        out->id = cursor_int(c, 0);
        out->version = cursor_int(c, 1);
        if (!cursor_is_null(c, 2)) out->value = cursor_real(c, 2);
        out->band = text_or_empty(c, 3, tx_arena(tx));
        out->parts = text_or_empty(c, 4, tx_arena(tx));
    }
    cursor_close(c);
    return rc;
}

static int band_named(const struct index_def *d, const char *name) {
    for (size_t i = 0; i < d->n_bands; i++)
        if (strcmp(d->band[i].name, name) == 0) return (int)i;
    return -1;
}

static struct cell number_or_null(double v) { return isnan(v) ? cell_null() : cell_real(v); }

static struct cell rank_or_null(uint32_t rank) {
    return rank == 0 ? cell_null() : cell_int((int64_t)rank);
}

static enum err_code parts_text(struct tx *tx, const struct index_view *v, size_t area,
                                const char **out, struct err *err) {
    struct buf b;
    struct jw w;
    buf_init(&b, MAX_PARTS);
    jw_init(&w, &b);
    index_parts_json(&w, v, area);
    enum err_code rc = buf_check(&b, err);
    *out = rc == ERR_OK ? arena_dup(tx_arena(tx), buf_text(&b), b.n) : NULL;
    buf_deinit(&b);
    return rc == ERR_OK && *out == NULL ? err_fail(err, ERR_NOMEM, "index") : rc;
}

/* The colour of the period before, which holds within the hysteresis. */
static enum err_code band_before(struct tx *tx, const struct index_view *v, const char *area,
                                 int *band, struct err *err) {
    struct period before = period_step(&v->period, -1);
    char text[PERIOD_TEXT];
    struct stood s;
    period_format(&before, text);
    TRY(stood_at(tx, v->def->name, area, text, &s, err));
    *band = s.there ? band_named(v->def, s.band) : -1;
    return ERR_OK;
}

static enum err_code freeze_area(struct tx *tx, struct freeze *f, const char *period, size_t area,
                                 struct err *err) {
    const struct index_view *v = f->view;
    const struct index_def *d = v->def;
    const char *code = v->areas->area[area]->code, *parts = NULL;
    double value = v->value[(d->n_nodes - 1) * v->n + area];
    struct cell cells[col_index_value_count];
    struct stood was;
    int before = -1;
    TRY(band_before(tx, v, code, &before, err));
    int band = index_band_of(d, value, before);
    /* A short period in which the area says nothing: its parts would be most of the ledger. */
    bool brief = v->too_small[area] != 0 && v->period.kind <= PERIOD_TEN_DAY;
    parts = "[]";
    if (!brief) TRY(parts_text(tx, v, area, &parts, err));
    TRY(stood_at(tx, d->name, code, period, &was, err));
    const char *name = band < 0 ? NULL : d->band[band].name;
    bool has_interval = v->interval != NULL && v->rank[area] != 0;
    cells[col_index_value_name] = cell_text(d->name);
    cells[col_index_value_area] = cell_text(code);
    cells[col_index_value_period] = cell_text(period);
    cells[col_index_value_level] = cell_int(v->areas->level);
    cells[col_index_value_value] = number_or_null(value);
    cells[col_index_value_band] = cell_text(name);
    cells[col_index_value_place] = rank_or_null(v->rank[area]);
    cells[col_index_value_place_low] = rank_or_null(has_interval ? v->interval[area].low : 0);
    cells[col_index_value_place_high] = rank_or_null(has_interval ? v->interval[area].high : 0);
    cells[col_index_value_above_next] = has_interval ? cell_real(v->holds[area]) : cell_null();
    cells[col_index_value_too_small] = cell_int(v->too_small[area]);
    cells[col_index_value_parts] = cell_text(parts);
    if (!was.there) {
        int64_t id = 0;
        f->n_changed++;
        return tx_insert(tx, &table_index_value, cells, &id, err);
    }
    bool same = (was.value == value || (isnan(was.value) && isnan(value))) &&
                strcmp(was.band, name == NULL ? "" : name) == 0;
    f->n_changed += !same;
    return same && strcmp(was.parts, parts) == 0
               ? ERR_OK
               : tx_update(tx, &table_index_value, was.id, was.version, cells, err);
}

/* An area that is no longer in the grid keeps no value that another run formed: the new run's hash
 * does not cover it. */
static enum err_code clear_area(struct tx *tx, struct freeze *f, const char *period,
                                const char *code, struct err *err) {
    struct cell cells[col_index_value_count];
    struct stood was;
    int64_t version = 0;
    TRY(stood_at(tx, f->view->def->name, code, period, &was, err));
    if (!was.there || (isnan(was.value) && was.band[0] == '\0')) return ERR_OK;
    TRY(tx_get(tx, &table_index_value, was.id, cells, &version, err));
    cells[col_index_value_value] = cell_null();
    cells[col_index_value_band] = cell_null();
    cells[col_index_value_place] = cell_null();
    cells[col_index_value_place_low] = cell_null();
    cells[col_index_value_place_high] = cell_null();
    cells[col_index_value_above_next] = cell_null();
    cells[col_index_value_parts] = cell_text("[]");
    f->n_changed++;
    return tx_update(tx, &table_index_value, was.id, version, cells, err);
}

static enum err_code clear_gone(struct tx *tx, struct freeze *f, const char *period,
                                struct err *err) {
    const struct area_view *areas = f->view->areas;
    struct cell p[4] = {cell_int(1), cell_text(f->view->def->name), cell_int(areas->level),
                        cell_text(period)};
    struct gone {
        const char *code;
        struct gone *next;
    } *gone = NULL;
    struct cursor *c = NULL;
    TRY(db_query(tx_db(tx), stmt_sql(STMT_INDEX_VALUES), p, 4, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has || area_view_find(areas, cursor_text(c, 0)) != SIZE_MAX) continue;
        struct gone *g = ARENA_NEW(tx_arena(tx), struct gone, 1);
        if (g == NULL) rc = err_fail(err, ERR_NOMEM, "index");
        if (rc == ERR_OK) *g = (struct gone){text_or_empty(c, 0, tx_arena(tx)), gone};
        if (rc == ERR_OK) gone = g;
    }
    cursor_close(c);
    for (; rc == ERR_OK && gone != NULL; gone = gone->next)
        rc = clear_area(tx, f, period, gone->code, err);
    return rc;
}

/* ---- the run */

static void run_cells(const struct freeze *f, const char *period, const char *hash,
                      const char *formula, const char *note, struct cell *cells) {
    const struct index_view *v = f->view;
    cells[col_index_run_name] = cell_text(v->def->name);
    cells[col_index_run_level] = cell_int(v->areas->level);
    cells[col_index_run_period] = cell_text(period);
    cells[col_index_run_formula] = cell_int(v->def->version);
    cells[col_index_run_formula_hash] = cell_text(formula);
    cells[col_index_run_data_seq] = cell_int(f->data_seq);
    cells[col_index_run_today] = cell_int(f->today);
    cells[col_index_run_seed] = cell_int((int64_t)f->seed);
    cells[col_index_run_draws] = cell_int((int64_t)v->n_draws);
    cells[col_index_run_hash] = cell_text(hash);
    cells[col_index_run_note] = cell_text(note);
    cells[col_index_run_published_by] = cell_null();
    cells[col_index_run_published_at] = cell_null();
}

static const char *why(struct tx *tx, const struct freeze *f, const struct frozen_run *was,
                       const char *formula) {
    if (f->note != NULL && f->note[0] != '\0') return f->note;
    if (strcmp(was->formula_hash, formula) != 0)
        return arena_printf(tx_arena(tx), "another formula: version %lld instead of %lld",
                            (long long)f->view->def->version, (long long)was->formula);
    return arena_printf(tx_arena(tx), "late data: rows %lld to %lld of the journal",
                        (long long)was->data_seq + 1, (long long)f->data_seq);
}

enum err_code freeze_apply(struct tx *tx, void *arg, struct err *err) {
    struct freeze *f = arg;
    const struct index_view *v = f->view;
    struct cell cells[col_index_run_count];
    struct frozen_run was;
    char period[PERIOD_TEXT], hash[65], formula[65];
    unsigned char of_view[32];
    bool there = false;
    int64_t id = 0;
    period_format(&v->period, period);
    index_view_hash(v, of_view);
    index_hash_text(of_view, hash);
    index_hash_text(v->def->hash, formula);
    f->n_changed = 0;
    TRY(frozen_run_get(tx_db(tx), 1, v->def->name, v->areas->level, period, tx_arena(tx), &was,
                       &there, err));
    f->outcome = !there                        ? FREEZE_NEW
                 : strcmp(was.hash, hash) == 0 ? FREEZE_UNCHANGED
                                               : FREEZE_RESTATED;
    if (f->outcome == FREEZE_UNCHANGED) return ERR_OK;
    for (size_t j = 0; j < v->n; j++) TRY(freeze_area(tx, f, period, j, err));
    if (there) TRY(clear_gone(tx, f, period, err));
    run_cells(f, period, hash, formula, there ? why(tx, f, &was, formula) : NULL, cells);
    return there ? tx_update(tx, &table_index_run, was.id, was.version, cells, err)
                 : tx_insert(tx, &table_index_run, cells, &id, err);
}

enum err_code publish_apply(struct tx *tx, void *arg, struct err *err) {
    const struct publish *p = arg;
    struct cell cells[col_index_run_count];
    struct frozen_run was;
    bool there = false;
    int64_t version = 0;
    TRY(frozen_run_get(tx_db(tx), 1, p->index, p->level, p->period, tx_arena(tx), &was, &there,
                       err));
    if (!there) return err_fail(err, ERR_NOT_FOUND, "index %s has no %s", p->index, p->period);
    if (strcmp(was.hash, p->hash) != 0)
        return err_fail(err, ERR_STALE, "these are not the figures you saw: look again");
    if (was.published_at_us != 0)
        return err_fail(err, ERR_CONFLICT, "%s signed it already", was.published_by);
    TRY(tx_get(tx, &table_index_run, was.id, cells, &version, err));
    cells[col_index_run_published_by] = cell_text(p->by);
    cells[col_index_run_published_at] = cell_int(tx_now_us(tx));
    return tx_update(tx, &table_index_run, was.id, version, cells, err);
}
