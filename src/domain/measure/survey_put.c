/* A wave's shares into the ledger, and the figures they feed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "domain/measure/figure.h"
#include "domain/measure/survey_take.h"
#include "store/statements.h"
#include "store/tables.h"

struct putting {
    struct tx *tx;
    struct survey_put *p;
    const struct survey_result *r;
    struct err *err;
};

static struct cell real_or_null(double v) { return isnan(v) ? cell_null() : cell_real(v); }

/* ---- the wave itself */

static enum err_code counts_text(const struct putting *x, const char **out) {
    struct buf b;
    struct jw w;
    buf_init(&b, 1024);
    jw_init(&w, &b);
    jw_obj(&w);
    for (int o = 0; o < SURVEY_N_OUTCOMES; o++)
        jw_kint(&w, survey_outcome_name((enum survey_outcome)o), (int64_t)x->r->count[o]);
    jw_end(&w, '}');
    enum err_code rc = buf_check(&b, x->err);
    if (rc == ERR_OK) {
        *out = arena_strdup(tx_arena(x->tx), buf_text(&b));
        if (*out == NULL) rc = err_fail(x->err, ERR_NOMEM, "survey");
    }
    buf_deinit(&b);
    return rc;
}

static void wave_cells(const struct putting *x, const char *counts, struct cell *c) {
    const struct survey_result *r = x->r;
    c[col_survey_wave_survey] = cell_text(r->def->name);
    c[col_survey_wave_wave] = cell_text(r->wave);
    c[col_survey_wave_edition] = cell_int(r->def->version);
    c[col_survey_wave_file_hash] = cell_text(x->p->file_hash);
    c[col_survey_wave_outcomes] = cell_text(counts);
    c[col_survey_wave_response_rate] = real_or_null(100 * r->rates.response);
    c[col_survey_wave_cooperation_rate] = real_or_null(100 * r->rates.cooperation);
    c[col_survey_wave_effect] = cell_real(r->effect);
    c[col_survey_wave_trimmed] = cell_int((int64_t)r->weights.n_trimmed);
    c[col_survey_wave_joined] = cell_int((int64_t)r->weights.n_joined);
    c[col_survey_wave_off] = cell_real(r->weights.off);
    c[col_survey_wave_smallest] = cell_real(r->weights.smallest);
    c[col_survey_wave_largest] = cell_real(r->weights.largest);
    c[col_survey_wave_areas_drawn] = cell_int((int64_t)r->n_drawn);
    c[col_survey_wave_areas_all] = cell_int((int64_t)r->n_frame);
}

static bool same_cell(const struct cell *a, const struct cell *b) {
    if (a->type != b->type) return false;
    if (a->type == CELL_INT) return a->i == b->i;
    if (a->type == CELL_REAL) return a->d == b->d;
    return a->type != CELL_TEXT || (a->n == b->n && memcmp(a->p, b->p, a->n) == 0);
}

/* Inserts the row or writes it again when it differs. */
static enum err_code put_row(const struct putting *x, const struct table *t, int64_t id,
                             const struct cell *cells, bool *changed) {
    struct cell was[TABLE_MAX_COLS];
    int64_t version = 0;
    *changed = true;
    if (id == 0) return x->p->dry_run ? ERR_OK : tx_insert(x->tx, t, cells, &id, x->err);
    TRY(tx_get(x->tx, t, id, was, &version, x->err));
    *changed = false;
    for (size_t i = 0; i < t->n_cols; i++) *changed = *changed || !same_cell(&was[i], &cells[i]);
    return !*changed || x->p->dry_run ? ERR_OK : tx_update(x->tx, t, id, version, cells, x->err);
}

static enum err_code put_wave(const struct putting *x, bool *there, bool *changed) {
    const struct cell p[3] = {cell_int(1), cell_text(x->r->def->name), cell_text(x->r->wave)};
    struct cell cells[col_survey_wave_count];
    const char *counts = NULL;
    int64_t id = 0;
    TRY(db_int(tx_db(x->tx), stmt_sql(STMT_SURVEY_WAVE_ID), p, 3, 0, &id, x->err));
    TRY(counts_text(x, &counts));
    wave_cells(x, counts, cells);
    *there = id != 0;
    return put_row(x, &table_survey_wave, id, cells, changed);
}

/* ---- shares */

static void told_cells(const struct putting *x, const char *question, const struct survey_told *t,
                       struct cell *c) {
    bool told = t->told;
    c[col_survey_share_survey] = cell_text(x->r->def->name);
    c[col_survey_share_wave] = cell_text(x->r->wave);
    c[col_survey_share_question] = cell_text(question);
    c[col_survey_share_area] = cell_text(t->area->code);
    c[col_survey_share_level] = cell_int(t->area->level);
    c[col_survey_share_drawn] = cell_int((int64_t)t->drawn);
    c[col_survey_share_answers] = cell_int((int64_t)t->share.n);
    c[col_survey_share_response_rate] = real_or_null(100 * t->rates.response);
    c[col_survey_share_value] = told ? cell_real(100 * t->share.value) : cell_null();
    c[col_survey_share_se] = told ? real_or_null(100 * t->share.se) : cell_null();
    c[col_survey_share_low] = told ? cell_real(100 * t->share.low) : cell_null();
    c[col_survey_share_high] = told ? cell_real(100 * t->share.high) : cell_null();
    c[col_survey_share_n_effective] = told ? cell_real(t->share.n_effective) : cell_null();
    c[col_survey_share_enough] = cell_int(t->enough);
}

static enum err_code put_figure(const struct putting *x, const struct survey_question *q,
                                const struct survey_told *t) {
    if (q->feeds == NULL || !t->told) return ERR_OK;
    struct figure_row row = {.indicator = q->feeds->name,
                             .area = t->area->code,
                             .period = x->r->wave,
                             .value = 100 * t->share.value,
                             .denominator = t->share.n_effective};
    row.note = arena_printf(tx_arena(x->tx),
                            "survey %s: %zu answers, as good as %.0f, 95 %% interval %.1f to %.1f, "
                            "response rate %.0f %%",
                            x->r->def->name, t->share.n, t->share.n_effective, 100 * t->share.low,
                            100 * t->share.high, 100 * t->rates.response);
    if (row.note == NULL) return err_fail(x->err, ERR_NOMEM, "survey");
    enum figure_change change = FIGURE_SAME;
    double was = NAN;
    return figure_put(x->tx, &row, x->p->dry_run, &change, &was, x->err);
}

static enum err_code put_told(const struct putting *x, const struct survey_question *q,
                              const struct survey_told *t) {
    const struct cell p[5] = {cell_int(1), cell_text(x->r->def->name), cell_text(x->r->wave),
                              cell_text(q->name), cell_text(t->area->code)};
    struct cell cells[col_survey_share_count];
    int64_t id = 0;
    bool changed = false;
    TRY(db_int(tx_db(x->tx), stmt_sql(STMT_SURVEY_SHARE_ID), p, 5, 0, &id, x->err));
    told_cells(x, q->name, t, cells);
    TRY(put_row(x, &table_survey_share, id, cells, &changed));
    x->p->n_changed += changed;
    return put_figure(x, q, t);
}

static bool told_again(const struct survey_result *r, const char *question, const char *area) {
    for (size_t q = 0; q < r->def->n_questions; q++) {
        if (strcmp(r->def->question[q].name, question) != 0) continue;
        for (size_t k = 0; k < r->n_areas; k++) {
            const struct survey_told *t = &r->told[q * r->n_areas + k];
            if (strcmp(t->area->code, area) == 0) return t->told;
        }
    }
    return false;
}

/* A figure once given cannot be taken out of the ledger, only said anew. */
static enum err_code check_whole(const struct putting *x) {
    const struct cell p[3] = {cell_int(1), cell_text(x->r->def->name), cell_text(x->r->wave)};
    struct cursor *c = NULL;
    TRY(db_query(tx_db(x->tx), stmt_sql(STMT_SURVEY_SHARES), p, 3, &c, x->err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, x->err);
        if (rc != ERR_OK || !has || cursor_is_null(c, 6)) continue;
        if (!told_again(x->r, cursor_text(c, 0), cursor_text(c, 1)))
            rc = err_fail(x->err, ERR_CONFLICT,
                          "wave %s has a share of \"%s\" for area %s that this table does not give "
                          "again: a wave is given whole",
                          x->r->wave, cursor_text(c, 0), cursor_text(c, 1));
    }
    cursor_close(c);
    return rc;
}

enum err_code survey_put_apply(struct tx *tx, void *arg, struct err *err) {
    struct putting x = {.tx = tx, .p = arg, .err = err};
    x.r = x.p->result;
    bool there = false, changed = false;
    x.p->n_changed = 0;
    TRY(check_whole(&x));
    TRY(put_wave(&x, &there, &changed));
    for (size_t q = 0; q < x.r->def->n_questions; q++)
        for (size_t k = 0; k < x.r->n_areas; k++)
            TRY(put_told(&x, &x.r->def->question[q], &x.r->told[q * x.r->n_areas + k]));
    x.p->change = !there                          ? SURVEY_NEW
                  : changed || x.p->n_changed > 0 ? SURVEY_RESTATED
                                                  : SURVEY_UNCHANGED;
    return ERR_OK;
}
