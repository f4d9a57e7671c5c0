#include "domain/measure/warn_figure.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "domain/measure/index_form.h"
#include "domain/measure/warn_inside.h"

enum { SCRATCH = 1 << 29, MAX_FIGURES = 20000 };

bool warn_state_next(bool on, double value, double raise, double clear) {
    if (isnan(value)) return on;
    if (raise > clear) return on ? value > clear : value >= raise;
    return on ? value < clear : value <= raise;
}

enum err_code warn_found_add(struct warn_found *f, const struct warn_figure *x, struct err *err) {
    if (f->n == MAX_FIGURES)
        return err_fail(err, ERR_LIMIT, "%s:%d: rules over figures hold at more than %d places",
                        x->rule->file, x->rule->line, MAX_FIGURES);
    if (f->n == f->cap) {
        size_t cap = f->cap == 0 ? 64 : 2 * f->cap;
        struct warn_figure *grown = ARENA_NEW(f->a, struct warn_figure, cap);
        if (grown == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        if (f->n > 0) memcpy(grown, f->figure, f->n * sizeof *grown);
        f->figure = grown;
        f->cap = cap;
    }
    f->figure[f->n++] = *x;
    return ERR_OK;
}

/* One rule while its values are formed. */
struct forming {
    const struct warn_source *src;
    const struct warn_set *set;
    const struct warn_rule *rule;
    struct arena *scratch;
    struct warn_found *found;
    struct value_query q;
    int32_t day;
};

/* The last period that is over and complete by the end of the day. */
static struct period last_over(const struct forming *f, int64_t lag) {
    struct period p = period_of(f->rule->period, f->day);
    while ((int64_t)p.to + lag > (int64_t)f->day + 1) p = period_step(&p, -1);
    return p;
}

/* What the calendar expects there says nothing: an event of the whole day and the whole area. */
static bool expected(const struct forming *f, const struct period *p, const char *area) {
    for (size_t i = 0; i < f->set->n_events; i++) {
        const struct warn_event *e = &f->set->event[i];
        bool here = isnan(e->lon) && (e->area[0] == '\0' || strcmp(e->area, area) == 0);
        if (here && e->classes == NULL && e->from < p->to && e->to >= p->from) return true;
    }
    return false;
}

/* What is kept of an area beside the rule. */
struct holding {
    struct period at;
    double value, limit;
    const char *band;
    size_t periods;
};

static enum err_code keep(struct forming *f, size_t area, const struct holding *h,
                          struct err *err) {
    const struct grid_area *g = f->q.areas->area[area];
    double lon = (g->bbox[0] + g->bbox[2]) / 2, lat = (g->bbox[1] + g->bbox[3]) / 2;
    const struct warn_figure x = {.rule = f->rule,
                                  .place = arena_strdup(f->found->a, g->code),
                                  .name = arena_strdup(f->found->a, g->name),
                                  .lon = lon,
                                  .lat = lat,
                                  .from = h->at.from,
                                  .to = h->at.to - 1,
                                  .value = h->value,
                                  .limit = h->limit,
                                  .band = h->band,
                                  .periods = h->periods,
                                  .n_places = f->q.areas->n};
    if (x.place == NULL || x.name == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    return warn_found_add(f->found, &x, err);
}

/* ---- indicators */

static bool says(const struct indicator_value *v) {
    return v->state == VALUE_OK && !isnan(v->value);
}

/* The mean of the periods before, at position k of `total`: of the last `periods` that are usable
 * and of the same kind of day. NaN with fewer. */
static double before(const struct forming *f, const struct indicator_value *v,
                     const struct period *p, size_t n, size_t area, size_t k) {
    double sum = 0;
    size_t found = 0, want = (size_t)f->rule->periods;
    for (size_t i = k; i > 0 && found < want; i--) {
        const struct indicator_value *x = &v[(i - 1) * n + area];
        bool like = !f->rule->weekday ||
                    warn_kind_of_day(f->set, p[i - 1].from) == warn_kind_of_day(f->set, p[k].from);
        if (!like || !says(x) || expected(f, &p[i - 1], f->q.areas->area[area]->code)) continue;
        sum += x->value;
        found++;
    }
    double mean = found < want ? NAN : sum / (double)want;
    return mean > 0 ? mean : NAN;
}

static enum err_code judge_area(struct forming *f, const struct indicator_value *v,
                                const struct period *p, size_t total, size_t area,
                                struct err *err) {
    const struct warn_rule *r = f->rule;
    size_t n = f->q.areas->n;
    struct holding h = {.value = NAN, .limit = r->raise};
    bool on = false;
    for (size_t k = total - (size_t)r->look; k < total; k++) {
        const struct indicator_value *x = &v[k * n + area];
        double value = says(x) ? x->value : NAN;
        if (r->against_before) value /= before(f, v, p, n, area, k);
        if (isnan(value) || expected(f, &p[k], f->q.areas->area[area]->code)) continue;
        on = warn_state_next(on, value, r->raise, r->clear);
        h.value = value;
        h.at = p[k];
        h.periods = on ? h.periods + 1 : 0;
    }
    return on ? keep(f, area, &h, err) : ERR_OK;
}

static enum err_code by_indicator(struct forming *f, struct err *err) {
    const struct warn_rule *r = f->rule;
    size_t back = !r->against_before ? 0 : (size_t)(r->weekday ? 7 * (r->periods + 1) : r->periods);
    size_t total = (size_t)r->look + back, n = f->q.areas->n;
    struct period *p = ARENA_NEW(f->scratch, struct period, total);
    struct indicator_value *v = ARENA_NEW(f->scratch, struct indicator_value, total * n + 1);
    if (p == NULL || v == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    p[total - 1] = last_over(f, r->indicator->lag_days);
    for (size_t k = total - 1; k > 0; k--) p[k - 1] = period_step(&p[k], -1);
    for (size_t k = 0; k < total; k++) {
        struct arena *once = arena_new(SCRATCH);
        if (once == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        f->q.period = p[k];
        enum err_code rc = value_form(&f->q, r->indicator, once, v + k * n, err);
        arena_free(once);
        TRY(rc);
    }
    for (size_t area = 0; area < n; area++) TRY(judge_area(f, v, p, total, area, err));
    return ERR_OK;
}

/* ---- colours of an index */

static int band_named(const struct index_def *d, const char *name) {
    for (size_t i = 0; i < d->n_bands; i++)
        if (strcmp(d->band[i].name, name) == 0) return (int)i;
    return -1;
}

/* What the walk over periods knows of an area. */
struct colored {
    int band;       /* of `def`; -1: none yet */
    size_t periods; /* in a row in the rule's band or a worse one */
    double value;
    struct period at;
};

/* One period: an area too small for it says nothing, and keeps the colour it had. */
static enum err_code color_period(struct forming *f, const struct index_def *d,
                                  struct colored *area, struct err *err) {
    int named = band_named(d, f->rule->band);
    int severity = named < 0 ? INT_MAX : d->band[named].severity;
    struct index_view v;
    struct index_ask ask = {.def = d};
    struct arena *once = arena_new(SCRATCH);
    if (once == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    enum err_code rc = index_form(&f->q, &ask, once, &v, err);
    for (size_t j = 0; rc == ERR_OK && j < v.n; j++) {
        double value = v.value[(d->n_nodes - 1) * v.n + j];
        if (isnan(value) || v.too_small[j]) continue;
        if (expected(f, &f->q.period, v.areas->area[j]->code)) continue;
        int band = index_band_of(d, value, area[j].band);
        bool bad = band >= 0 && d->band[band].severity >= severity;
        area[j] = (struct colored){band, bad ? area[j].periods + 1 : 0, value, f->q.period};
    }
    arena_free(once);
    return rc;
}

static enum err_code by_color(struct forming *f, struct err *err) {
    const struct warn_rule *r = f->rule;
    size_t n = f->q.areas->n;
    struct colored *area = ARENA_NEW(f->scratch, struct colored, n + 1);
    if (area == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t j = 0; j < n; j++) area[j].band = -1;
    struct period p = last_over(f, 0);
    const struct index_def *was = NULL;
    for (int k = (int)r->look - 1; k >= 0; k--) {
        f->q.period = period_step(&p, -k);
        const struct index_def *d = index_find_at(f->src->indices, r->index, f->q.period.from);
        if (d == NULL) return ERR_OK;
        /* Colours of another edition need not mean the same. */
        for (size_t j = 0; d != was && j < n; j++) area[j] = (struct colored){.band = -1};
        was = d;
        TRY(color_period(f, d, area, err));
    }
    int named = was == NULL ? -1 : band_named(was, r->band);
    if (named < 0) return ERR_OK;
    double limit =
        (size_t)named + 1 < was->n_bands ? was->band[named + 1].from : was->band[named].from;
    for (size_t j = 0; j < n; j++) {
        if (area[j].band < 0) continue;
        const struct index_band *b = &was->band[area[j].band];
        if (b->severity < was->band[named].severity) continue;
        const char *name = arena_strdup(f->found->a, b->name);
        if (name == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        const struct holding h = {area[j].at, area[j].value, limit, name, area[j].periods};
        TRY(keep(f, j, &h, err));
    }
    return ERR_OK;
}

enum err_code warn_check_indices(const struct warn_set *set, const struct index_set *indices,
                                 struct err *err) {
    for (size_t i = 0; i < set->n_rules; i++) {
        const struct warn_rule *r = &set->rule[i];
        if (r->method != WARN_INDEX_COLOR) continue;
        const struct index_def *d = index_find(indices, r->index);
        if (d == NULL)
            return err_fail(err, ERR_INVALID, "%s:%d: rule \"%s\": there is no index \"%.60s\"",
                            r->file, r->line, r->name, r->index);
        if (band_named(d, r->band) < 0)
            return err_fail(err, ERR_INVALID, "%s:%d: index %s has no band \"%.60s\"", r->file,
                            r->line, d->name, r->band);
        if ((d->levels & (1u << ((unsigned)r->level + LEVEL_CITY))) == 0 ||
            (d->periods & (1u << (unsigned)r->period)) == 0)
            return err_fail(err, ERR_INVALID, "%s:%d: index %s is not formed for %s and %s",
                            r->file, r->line, d->name, warn_level_name(r->level),
                            period_kind_name(r->period));
    }
    return ERR_OK;
}

/* ---- a day */

static enum err_code form_with_cube(struct forming *f, const struct cube *cube, struct err *err) {
    f->q = (struct value_query){.atoms = f->src->atoms,
                                .cube = cube,
                                .db = f->src->db,
                                .ledger = f->src->ledger,
                                .as_of_seq = f->src->as_of_seq,
                                .today = f->day + 1};
    TRY(area_view_new(f->scratch, f->src->grid, (int)f->rule->level + LEVEL_CITY, cube, &f->q.areas,
                      err));
    if (f->q.areas->n == 0) return ERR_OK;
    return f->rule->method == WARN_INDICATOR ? by_indicator(f, err) : by_color(f, err);
}

/* The cube is held for one rule at a time, so that what follows the journal waits only so long. */
static enum err_code form_rule(struct forming *f, struct err *err) {
    if (f->rule->method == WARN_OVERDUE_SHARE)
        return warn_overdue_form(f->src, f->rule, f->day, f->found, err);
    if (f->rule->method == WARN_INDEX_COLOR && f->src->indices == NULL) return ERR_OK;
    f->scratch = arena_new(SCRATCH);
    if (f->scratch == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    const struct cube *cube = f->src->cube;
    int64_t seq = 0;
    enum err_code rc = cube != NULL ? ERR_OK : measure_borrow(f->src->measure, &cube, &seq, err);
    if (rc == ERR_OK) {
        rc = form_with_cube(f, cube, err);
        if (f->src->cube == NULL) measure_release(f->src->measure);
    }
    arena_free(f->scratch);
    return rc;
}

enum err_code warn_figures_form(const struct warn_source *src, const struct warn_set *set,
                                const struct warn_rule *only, int32_t day, struct arena *a,
                                struct warn_figures *out, struct err *err) {
    struct warn_found found = {.a = a};
    *out = (struct warn_figures){0};
    for (size_t i = 0; i < set->n_rules; i++) {
        struct forming f = {
            .src = src, .set = set, .rule = &set->rule[i], .found = &found, .day = day};
        if (!warn_by_figures(f.rule->method) || (only != NULL && only != f.rule)) continue;
        TRY(form_rule(&f, err));
    }
    out->figure = found.figure;
    out->n = found.n;
    return ERR_OK;
}
