#include "domain/measure/warn_day.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/measure/warn_inside.h"
#include "geo/crs.h"

enum { SCRATCH = 1 << 30 };

/* Middle of the rows' points, and how far the farthest lies from it. */
static void circle(const struct warn_rows *rows, const uint32_t *row, size_t n,
                   struct warn_signal *s) {
    double lon = 0, lat = 0;
    size_t k = 0;
    s->lon = s->lat = NAN;
    s->radius_m = 0;
    for (size_t i = 0; i < n; i++) {
        const struct warn_row *r = &rows->row[row[i]];
        if (isnan(r->lon)) continue;
        lon += r->lon;
        lat += r->lat;
        k++;
    }
    if (k == 0) return;
    s->lon = lon / (double)k;
    s->lat = lat / (double)k;
    for (size_t i = 0; i < n; i++) {
        const struct warn_row *r = &rows->row[row[i]];
        if (isnan(r->lon)) continue;
        double d = geo_distance_m(s->lon, s->lat, r->lon, r->lat);
        if (d > s->radius_m) s->radius_m = d;
    }
}

static bool of_class(const struct warn_view *v, const struct warn_signal *s,
                     const struct warn_row *r) {
    if (s->rule->by_group) return s->rule->watched[r->cls] && v->group[r->cls] == s->group;
    return s->cls == WARN_ANY_CLASS ? s->rule->watched[r->cls] : s->cls == r->cls;
}

enum err_code warn_keep(struct warn_work *w, struct warn_signal *s, const uint32_t *seen,
                        size_t n_seen, struct err *err) {
    const struct warn_view *v = w->view;
    if (*w->n == WARN_MAX_SIGNALS)
        return err_fail(err, ERR_LIMIT, "%s:%d: rule \"%s\" gives more than %d signals a day",
                        w->rule->file, w->rule->line, w->rule->name, WARN_MAX_SIGNALS);
    bool figures = warn_by_figures(w->rule->method);
    s->rule = w->rule;
    s->day = v->day;
    circle(v->rows, s->n_rows > 0 ? s->row : seen, s->n_rows > 0 ? s->n_rows : n_seen, s);
    for (size_t i = warn_rows_from(v->rows, s->from); i < v->high && !figures; i++)
        if (i >= v->low && of_class(v, s, &v->rows->row[i])) s->held[v->why[i - v->low]]++;
    s->held[WARN_KEPT] = 0;
    w->signal[(*w->n)++] = *s;
    return ERR_OK;
}

static bool at_least(double value, double asked) { return isnan(asked) || value >= asked; }

int warn_signal_color(const struct warn_signal *s) {
    const struct warn_red *red = &s->rule->red;
    double ratio = s->expected > 0 ? s->observed / s->expected : INFINITY;
    bool is_red = red->on && at_least(s->observed, red->min) && at_least(ratio, red->ratio) &&
                  at_least(s->recurrence, red->recurrence) &&
                  at_least((double)s->periods, red->periods);
    return is_red ? WARN_RED : s->rule->color;
}

static enum err_code see(struct warn_work *w, struct err *err) {
    const struct warn_view *v = w->view;
    size_t from = warn_rows_from(v->rows, v->day - (int32_t)w->rule->history + 1), n = 0;
    if (from < v->low) from = v->low;
    uint32_t *row = ARENA_NEW(w->scratch, uint32_t, v->high - from + 1);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = from; i < v->high; i++)
        if (v->why[i - v->low] == WARN_KEPT && w->rule->watched[v->rows->row[i].cls])
            row[n++] = (uint32_t)i;
    w->row = row;
    w->n_rows = n;
    return ERR_OK;
}

/* A signal for every place at which a rule over figures holds. */
static enum err_code figure_signals(struct warn_work *w, struct err *err) {
    const struct warn_figures *f = w->ask->figures;
    for (size_t i = 0; f != NULL && i < f->n; i++) {
        const struct warn_figure *x = &f->figure[i];
        if (x->rule != w->rule) continue;
        const char **place = ARENA_NEW(w->a, const char *, 1);
        if (place == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        place[0] = x->place;
        struct warn_signal s = {.from = x->from,
                                .cls = WARN_ANY_CLASS,
                                .place = place,
                                .n_places = 1,
                                .observed = x->value,
                                .expected = x->limit,
                                .band = x->band,
                                .periods = x->periods,
                                .p = NAN,
                                .recurrence = NAN,
                                .n_series = x->n_places};
        TRY(warn_keep(w, &s, NULL, 0, err));
        w->signal[*w->n - 1].lon = x->lon;
        w->signal[*w->n - 1].lat = x->lat;
    }
    return ERR_OK;
}

static enum err_code run_rule(struct warn_work *w, struct err *err) {
    if (warn_by_figures(w->rule->method))
        return warn_emergency_lasts(w->ask->emergency, w->ask->n_emergencies, w->view->rows->tz,
                                    w->ask->day)
                   ? ERR_OK
                   : figure_signals(w, err);
    w->scratch = arena_new(SCRATCH);
    if (w->scratch == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    enum err_code rc = see(w, err);
    if (rc == ERR_OK)
        rc = w->rule->method == WARN_SCAN ? warn_scan_run(w, err) : warn_series_run(w, err);
    arena_free(w->scratch);
    w->scratch = NULL;
    return rc;
}

/* By rule, then the rarest first; ties by class and place, so that the order is one. */
static int by_strength(const void *a, const void *b) {
    const struct warn_signal *x = a, *y = b;
    int c = strcmp(x->rule->name, y->rule->name);
    if (c != 0) return c;
    double p = isnan(x->p) ? 1 : x->p, q = isnan(y->p) ? 1 : y->p;
    if (p != q) return p < q ? -1 : 1;
    if (x->observed != y->observed) return x->observed > y->observed ? -1 : 1;
    if (x->cls != y->cls) return x->cls < y->cls ? -1 : 1;
    c = x->n_places > 0 && y->n_places > 0 ? strcmp(x->place[0], y->place[0]) : 0;
    if (c != 0 || x->n_rows == 0 || y->n_rows == 0) return c;
    return x->row[0] < y->row[0] ? -1 : x->row[0] > y->row[0];
}

enum err_code warn_day_form(const struct warn_ask *ask, struct arena *a, struct warn_day *out,
                            struct err *err) {
    struct warn_signal *s = ARENA_NEW(a, struct warn_signal, WARN_MAX_SIGNALS);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    *out = (struct warn_day){.signal = s};
    TRY(warn_view_new(a, ask->rows, ask->set, ask->day, warn_longest(ask->set), &out->view, err));
    warn_guard_lift(&out->view, ask->emergency, ask->n_emergencies);
    for (size_t i = warn_rows_from(ask->rows, ask->day); i < out->view.high; i++)
        out->held[out->view.why[i - out->view.low]]++;
    for (size_t i = 0; i < ask->set->n_rules; i++) {
        const struct warn_rule *r = &ask->set->rule[i];
        if (ask->only != NULL && ask->only != r) continue;
        struct warn_work w = {
            .ask = ask, .rule = r, .view = &out->view, .a = a, .signal = s, .n = &out->n};
        TRY(run_rule(&w, err));
    }
    if (out->n > 1) qsort(s, out->n, sizeof *s, by_strength);
    return ERR_OK;
}
