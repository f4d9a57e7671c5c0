/* Weights and shares of one wave. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/measure/figure.h"
#include "domain/measure/figure_floor.h"
#include "domain/measure/survey_take.h"

struct forming {
    const struct survey_def *d;
    const struct grid *g;
    struct db *db;
    const struct survey_rows *rows;
    struct arena *a;
    struct survey_result *out;
    struct err *err;
    struct period wave;
    int32_t *above[GRID_LEVELS]; /* by unit and level: index of the area above it, or -1 */
    int32_t *cell;               /* by unit: position among the areas drawn by */
    double *frame;               /* their people */
};

static enum err_code nomem(const struct forming *f) {
    return err_fail(f->err, ERR_NOMEM, "survey");
}

/* ---- areas */

static enum err_code find_above(struct forming *f) {
    for (int level = 0; level < GRID_LEVELS; level++) {
        f->above[level] = ARENA_NEW(f->a, int32_t, f->rows->n + 1);
        if (f->above[level] == NULL) return nomem(f);
        memset(f->above[level], -1, f->rows->n * sizeof(int32_t));
    }
    for (size_t i = 0; i < f->rows->n; i++)
        for (int at = f->rows->area[i]; at != GRID_NONE; at = f->g->areas[at].parent)
            f->above[f->g->areas[at].level][i] = (int32_t)at;
    return ERR_OK;
}

/* The areas that samples were drawn by, in the order of their codes, so that neighbours stand next
 * to one another. */
static enum err_code find_cells(struct forming *f, const struct grid_area ***area, size_t *n) {
    int32_t *cell_of = ARENA_NEW(f->a, int32_t, f->g->n_areas + 1);
    f->cell = ARENA_NEW(f->a, int32_t, f->rows->n + 1);
    *area = ARENA_NEW(f->a, const struct grid_area *, f->g->n_areas + 1);
    if (cell_of == NULL || f->cell == NULL || *area == NULL) return nomem(f);
    for (size_t i = 0; i < f->rows->n; i++) {
        int32_t at = f->above[f->d->level][i];
        if (at < 0) return err_fail(f->err, ERR_INVALID, "a row lies above the areas drawn by");
        cell_of[at] = 1;
    }
    *n = 0;
    for (size_t k = 0; k < f->g->n_areas; k++) {
        f->out->n_frame += f->g->areas[k].level == f->d->level;
        if (cell_of[k] == 0) continue;
        (*area)[*n] = &f->g->areas[k];
        cell_of[k] = (int32_t)(*n)++;
    }
    for (size_t i = 0; i < f->rows->n; i++) f->cell[i] = cell_of[f->above[f->d->level][i]];
    f->out->n_drawn = *n;
    return ERR_OK;
}

static enum err_code read_frame(struct forming *f, const struct area_view *v) {
    struct indicator_value *people = ARENA_NEW(f->a, struct indicator_value, v->n + 1);
    const struct value_query q = {
        .db = f->db, .ledger = 1, .areas = v, .period = f->wave, .today = f->wave.to};
    f->frame = ARENA_NEW(f->a, double, v->n + 1);
    if (people == NULL || f->frame == NULL) return nomem(f);
    TRY(figure_values(&q, f->d->frame, f->a, people, f->err));
    for (size_t i = 0; i < v->n; i++) {
        if (people[i].state != VALUE_OK || !(people[i].value > 0))
            return err_fail(f->err, ERR_INVALID,
                            "there is no figure of %s for area %s: the survey weighs areas by it",
                            f->d->frame->name, v->area[i]->code);
        f->frame[i] = people[i].value;
    }
    return ERR_OK;
}

/* ---- weights */

static enum err_code weigh(struct forming *f, size_t n_cells) {
    struct survey_margin m[SURVEY_MAX_STRATA + 1];
    size_t n = 0;
    if (f->frame != NULL) m[n++] = (struct survey_margin){n_cells, f->frame, f->cell};
    for (size_t s = 0; s < f->d->n_strata; s++) {
        const struct survey_stratum *t = &f->d->stratum[s];
        double *total = ARENA_NEW(f->a, double, t->n_values);
        int32_t *of = ARENA_NEW(f->a, int32_t, f->rows->n + 1);
        if (total == NULL || of == NULL) return nomem(f);
        for (size_t k = 0; k < t->n_values; k++) total[k] = t->value[k].share;
        for (size_t i = 0; i < f->rows->n; i++) of[i] = f->rows->value[i * f->d->n_strata + s];
        m[n++] = (struct survey_margin){t->n_values, total, of};
    }
    const struct survey_sample s = {f->rows->n, f->rows->outcome, f->rows->design,
                                    f->cell,    n_cells,          m,
                                    n,          SURVEY_FLOOR,     f->d->trim};
    return survey_weigh(&s, f->a, &f->out->weights, f->err);
}

static void count(struct forming *f) {
    double sum = 0, square = 0;
    for (size_t i = 0; i < f->rows->n; i++) {
        double w = f->out->weights.weight[i];
        f->out->count[f->rows->outcome[i]]++;
        sum += w;
        square += w * w;
    }
    f->out->rates = survey_rates_of(f->out->count);
    f->out->effect = (double)f->out->count[SURVEY_COMPLETED] * square / (sum * sum);
}

/* ---- shares */

/* The areas of the levels told for that anybody was drawn in, by level and code. */
static enum err_code find_told(struct forming *f) {
    struct survey_result *r = f->out;
    size_t *drawn = ARENA_NEW(f->a, size_t, f->g->n_areas + 1);
    if (drawn == NULL) return nomem(f);
    for (int level = 0; level < GRID_LEVELS; level++)
        for (size_t i = 0; i < f->rows->n; i++)
            if (f->above[level][i] >= 0) drawn[f->above[level][i]]++;
    r->told = ARENA_NEW(f->a, struct survey_told, f->g->n_areas * f->d->n_questions + 1);
    if (r->told == NULL) return nomem(f);
    for (int level = 0; level < GRID_LEVELS; level++)
        for (size_t k = 0; k < f->g->n_areas; k++) {
            if (f->g->areas[k].level != level || drawn[k] == 0) continue;
            if ((f->d->levels & (1u << (unsigned)level)) == 0) continue;
            r->told[r->n_areas++] =
                (struct survey_told){.area = &f->g->areas[k], .drawn = drawn[k]};
        }
    for (size_t q = 1; q < f->d->n_questions; q++)
        memcpy(&r->told[q * r->n_areas], r->told, r->n_areas * sizeof *r->told);
    return ERR_OK;
}

static enum err_code tell(struct forming *f, size_t question, struct survey_told *t,
                          int16_t *answer) {
    const struct survey_rows *rows = f->rows;
    const struct survey_question *q = &f->d->question[question];
    const int32_t *above = f->above[t->area->level];
    int32_t at = (int32_t)(t->area - f->g->areas);
    size_t n[SURVEY_N_OUTCOMES] = {0};
    for (size_t i = 0; i < rows->n; i++) {
        int given = rows->answer[i * f->d->n_questions + question];
        answer[i] = -1;
        if (above[i] != at) continue;
        n[rows->outcome[i]]++;
        if (given >= 0) answer[i] = (int16_t)q->answer[given].counts;
    }
    t->rates = survey_rates_of(n);
    TRY(survey_estimate(&f->out->weights, rows->n, answer, f->a, &t->share, f->err));
    t->enough = t->share.n_effective >= f->d->enough &&
                100 * (t->share.high - t->share.low) <= f->d->widest;
    return ERR_OK;
}

/* As figure_floor does for guarded figures: what rests on fewer answers than the floor is not told,
 * nor what it could be had from by subtraction. */
static enum err_code hide(struct forming *f, struct survey_told *t) {
    static const struct indicator_def guard = {
        .name = "", .of = "", .to = "", .measure = MEASURE_FIGURE, .guarded = true};
    static const struct pack_set none;
    size_t n = f->out->n_areas;
    unsigned char *by_area = ARENA_NEW(f->a, unsigned char, f->g->n_areas + 1);
    unsigned char *hidden = ARENA_NEW(f->a, unsigned char, n + 1);
    const struct grid_area **area = ARENA_NEW(f->a, const struct grid_area *, n + 1);
    struct indicator_value *v = ARENA_NEW(f->a, struct indicator_value, n + 1);
    if (by_area == NULL || hidden == NULL || area == NULL || v == NULL) return nomem(f);
    for (size_t from = 0, to = 0; from < n; from = to) {
        size_t k = 0;
        for (; to < n && t[to].area->level == t[from].area->level; to++) {
            if (t[to].share.n == 0) continue;
            area[k] = t[to].area;
            v[k++].denominator = (double)t[to].share.n;
        }
        const struct area_view view = {f->g, t[from].area->level, k, area, NULL, 0};
        TRY(figure_floor(&none, &guard, &view, v, by_area, f->a, hidden, f->err));
        for (size_t i = 0; i < k; i++) by_area[area[i] - f->g->areas] = hidden[i];
    }
    for (size_t i = 0; i < n; i++) {
        t[i].told = t[i].share.n > 0 && by_area[t[i].area - f->g->areas] == 0;
        t[i].enough = t[i].enough && t[i].told;
    }
    return ERR_OK;
}

static enum err_code tell_all(struct forming *f) {
    int16_t *answer = ARENA_NEW(f->a, int16_t, f->rows->n + 1);
    if (answer == NULL) return nomem(f);
    TRY(find_told(f));
    for (size_t q = 0; q < f->d->n_questions; q++) {
        struct survey_told *t = &f->out->told[q * f->out->n_areas];
        for (size_t k = 0; k < f->out->n_areas; k++) TRY(tell(f, q, &t[k], answer));
        TRY(hide(f, t));
    }
    return ERR_OK;
}

enum err_code survey_form(const struct survey_def *d, const struct period *wave,
                          const struct grid *g, struct db *db, const struct survey_rows *rows,
                          struct arena *a, struct survey_result *out, struct err *err) {
    struct forming f = {
        .d = d, .g = g, .db = db, .rows = rows, .a = a, .out = out, .err = err, .wave = *wave};
    struct area_view view = {.grid = g, .level = d->level};
    const struct grid_area **area = NULL;
    *out = (struct survey_result){.def = d};
    period_format(wave, out->wave);
    TRY(find_above(&f));
    TRY(find_cells(&f, &area, &view.n));
    view.area = area;
    if (d->frame != NULL) TRY(read_frame(&f, &view));
    TRY(weigh(&f, view.n));
    count(&f);
    return tell_all(&f);
}
