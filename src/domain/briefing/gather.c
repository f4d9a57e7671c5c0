/* What a briefing needs of the index: the area's own periods, and the areas below it. */
#include <math.h>
#include <string.h>

#include "domain/briefing/inside.h"
#include "store/statements.h"

static enum err_code no_area(struct err *err, const char *code, const char *why) {
    (void)err_fail(err, ERR_INVALID, "area \"%.40s\": %s", code, why);
    return err_field(err, ERR_INVALID, "/area");
}

static enum err_code no_period(struct err *err, const char *why) {
    (void)err_fail(err, ERR_INVALID, "%s", why);
    return err_field(err, ERR_INVALID, "/period");
}

/* ---- which area, which levels */

const struct grid_area *briefing_area(const struct grid *g, const char *code) {
    const struct grid_area *best = NULL;
    if (code != NULL && code[0] != '\0') {
        int at = grid_area_index(g, code);
        return at == GRID_NONE ? NULL : &g->areas[at];
    }
    for (size_t i = 0; i < g->n_areas; i++)
        if (best == NULL || g->areas[i].level < best->level) best = &g->areas[i];
    return best;
}

static enum err_code choose_area(struct briefing_data *d, struct err *err) {
    d->area = briefing_area(d->source.grid, d->ask.area);
    if (d->area == NULL)
        return no_area(err, d->ask.area == NULL ? "" : d->ask.area, "there is no such area");
    d->level = d->area->level;
    if ((d->ask.index->levels & (1u << (unsigned)d->level)) == 0)
        return no_area(err, d->area->code, "the index is not formed for its level");
    return ERR_OK;
}

bool briefing_lies_in(const struct grid *g, const struct grid_area *area,
                      const struct grid_area *in) {
    for (int steps = 0; steps <= GRID_LEVELS; steps++) {
        if (area == in) return true;
        if (area->parent == GRID_NONE) return false;
        area = &g->areas[area->parent];
    }
    return false;
}

/* The next level down that the index is formed for and that has more than one area here. */
static void choose_below(struct briefing_data *d) {
    const struct grid *g = d->source.grid;
    d->below = -1;
    for (int level = d->level + 1; level < GRID_LEVELS && d->below < 0; level++) {
        size_t n = 0;
        if ((d->ask.index->levels & (1u << (unsigned)level)) == 0) continue;
        for (size_t i = 0; i < g->n_areas; i++)
            n += g->areas[i].level == level && briefing_lies_in(g, &g->areas[i], d->area);
        if (n > 1) d->below = level;
    }
}

static enum err_code choose_children(struct briefing_data *d, struct arena *a, struct err *err) {
    const struct area_view *v = d->lower.areas;
    size_t *child = ARENA_NEW(a, size_t, v->n + 1);
    if (child == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    for (size_t i = 0; i < v->n; i++)
        if (briefing_lies_in(d->source.grid, v->area[i], d->area)) child[d->n_children++] = i;
    d->child = child;
    return ERR_OK;
}

/* ---- views */

static enum err_code query_for(const struct briefing_data *d, int level, struct arena *a,
                               struct value_query *q, struct err *err) {
    *q = (struct value_query){.atoms = d->source.atoms,
                              .cube = d->source.cube,
                              .db = d->source.db,
                              .ledger = d->source.ledger,
                              .today = d->source.today};
    return area_view_new(a, d->source.grid, level, d->source.cube, &q->areas, err);
}

/* A period that is over is formed as of its end: no later day changes what was due in it. */
static enum err_code view_of(const struct briefing_data *d, struct value_query *q,
                             const struct period *p, struct arena *a, struct index_view *out,
                             struct err *err) {
    q->period = *p;
    q->today = d->source.today < p->to ? d->source.today : p->to;
    TRY(index_gather(q, d->ask.index, a, out, err));
    return index_hide(q, a, out, err);
}

static enum err_code score(const struct briefing_data *d, size_t draws, struct arena *a,
                           struct index_view *v, struct err *err) {
    struct index_ask ask = {.def = d->ask.index, .n_draws = draws, .seed = BRIEFING_SEED};
    return index_score(v, &ask, a, err);
}

static double top_value(const struct index_view *v, size_t at) {
    return v->value[(v->def->n_nodes - 1) * v->n + at];
}

static enum err_code frozen_at(const struct briefing_data *d, struct briefing_past *p,
                               struct arena *a, struct err *err) {
    struct frozen_run run;
    char text[PERIOD_TEXT];
    bool found = false, has = false;
    struct cursor *c = NULL;
    period_format(&p->view.period, text);
    p->frozen = NAN;
    TRY(frozen_run_get(d->source.db, d->source.ledger, d->ask.index->name, d->level, text, a, &run,
                       &found, err));
    if (!found) return ERR_OK;
    p->run = run.hash;
    p->published = run.published_at_us != 0;
    p->note = run.note[0] == '\0' ? NULL : run.note;
    struct cell q[4] = {cell_int(d->source.ledger), cell_text(d->ask.index->name),
                        cell_text(d->area->code), cell_text(text)};
    TRY(db_query(d->source.db, stmt_sql(STMT_INDEX_VALUE_AT), q, 4, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) {
        p->frozen = cursor_is_null(c, 2) ? NAN : cursor_real(c, 2);
        p->restated = (int)cursor_int(c, 1) - 1;
    }
    cursor_close(c);
    return rc;
}

static enum err_code own_periods(struct briefing_data *d, struct arena *a, struct err *err) {
    struct value_query q;
    TRY(query_for(d, d->level, a, &q, err));
    d->at = area_view_find(q.areas, d->area->code);
    app_assert(d->at != SIZE_MAX);
    for (int k = 0; k < BRIEFING_TREND; k++) {
        struct period period = period_step(&d->ask.period, k - (BRIEFING_TREND - 1));
        TRY(view_of(d, &q, &period, a, &d->past[k].view, err));
    }
    struct period year = period_last_year(&d->ask.period);
    return view_of(d, &q, &year, a, &d->last_year, err);
}

static enum err_code lower_areas(struct briefing_data *d, struct arena *a, struct err *err) {
    struct value_query q;
    struct period before = period_step(&d->ask.period, -1);
    if (d->below < 0) return ERR_OK;
    TRY(query_for(d, d->below, a, &q, err));
    TRY(view_of(d, &q, &d->ask.period, a, &d->lower, err));
    TRY(view_of(d, &q, &before, a, &d->lower_before, err));
    return choose_children(d, a, err);
}

enum err_code briefing_gather(const struct briefing_source *s, const struct briefing_ask *ask,
                              struct arena *a, struct briefing_data *out, struct err *err) {
    *out = (struct briefing_data){.source = *s, .ask = *ask};
    if ((ask->index->periods & (1u << (unsigned)ask->period.kind)) == 0)
        return no_period(err, "the index is not formed for such a period");
    if (ask->period.from > s->today) return no_period(err, "the period has not begun");
    TRY(choose_area(out, err));
    choose_below(out);
    TRY(own_periods(out, a, err));
    return lower_areas(out, a, err);
}

enum err_code briefing_score(struct briefing_data *d, struct arena *a, struct err *err) {
    int was = -1;
    for (int k = 0; k < BRIEFING_TREND; k++) {
        struct briefing_past *p = &d->past[k];
        TRY(score(d, 0, a, &p->view, err));
        TRY(frozen_at(d, p, a, err));
        was = p->band = index_band_of(d->ask.index, top_value(&p->view, d->at), was);
    }
    TRY(score(d, 0, a, &d->last_year, err));
    if (d->below >= 0) {
        TRY(score(d, BRIEFING_DRAWS, a, &d->lower, err));
        TRY(score(d, 0, a, &d->lower_before, err));
    }
    return index_change_of(&d->past[BRIEFING_TREND - 2].view, &d->past[BRIEFING_TREND - 1].view,
                           d->at, NAN, a, &d->change, err);
}
