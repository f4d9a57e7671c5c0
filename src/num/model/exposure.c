#include "num/model/exposure.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"

static const double days_a_year = 365.25;

struct work {
    const struct model_asset *assets;
    const struct model_asset_event *event; /* sorted by asset and day */
    size_t n_events;
    const struct model_exposure_spec *spec;
    struct model_exposure *out; /* out->row NULL while counting */
    size_t n;
};

static int by_asset_day(const void *x, const void *y) {
    const struct model_asset_event *p = x, *q = y;
    if (p->asset != q->asset) return p->asset < q->asset ? -1 : 1;
    return p->day < q->day ? -1 : p->day > q->day;
}

static int32_t max_day(int32_t a, int32_t b) { return a > b ? a : b; }
static int32_t min_day(int32_t a, int32_t b) { return a < b ? a : b; }

static uint32_t count_between(const struct work *w, size_t from, size_t to, int32_t begin,
                              int32_t end) {
    uint32_t n = 0;
    for (size_t e = from; e < to; e++) n += w->event[e].day >= begin && w->event[e].day < end;
    return n;
}

/* One row over the days [begin, end) of an asset whose usable events are [from, to). A day's event
 * counts as at the day's end, so that a row always has some time before it. */
static void add_row(struct work *w, uint32_t asset, int year, size_t from, size_t to, int32_t begin,
                    int32_t end) {
    const struct model_exposure_spec *s = w->spec;
    size_t at = w->n++;
    if (w->out->row == NULL) return;
    struct model_exposure_row *r = &w->out->row[at];
    int32_t laid = w->assets[asset].laid, first = (int32_t)civil_days(s->from_year, 1, 1);
    int32_t year_begin = (int32_t)civil_days(year, 1, 1);
    int32_t history = s->cut_at_events ? begin : year_begin;
    r->asset = asset;
    r->year = year;
    r->age_start = (double)(begin - laid) / days_a_year;
    r->age_stop = (double)(end - laid) / days_a_year;
    r->exposure = (double)(end - begin) / days_a_year;
    r->count = count_between(w, from, to, begin, end);
    r->earlier = count_between(w, from, to, first, history);
    r->last_year = count_between(w, from, to, (int32_t)civil_days(year - 1, 1, 1), year_begin);
    r->recent =
        count_between(w, from, to, (int32_t)civil_days(year - s->recent_years, 1, 1), year_begin);
    r->since_last = -1;
    for (size_t e = from; e < to; e++)
        if (w->event[e].day < history && w->event[e].day >= first)
            r->since_last = (double)(begin - w->event[e].day) / days_a_year;
    w->out->n_counted += r->count;
}

static void add_year(struct work *w, uint32_t asset, int year, size_t from, size_t to,
                     int32_t begin, int32_t end) {
    for (size_t e = from; w->spec->cut_at_events && e < to; e++) {
        int32_t day = w->event[e].day;
        if (day < begin || day + 1 >= end) continue;
        add_row(w, asset, year, from, to, begin, day + 1);
        begin = day + 1;
    }
    if (begin < end) add_row(w, asset, year, from, to, begin, end);
}

static void add_asset(struct work *w, uint32_t asset, size_t from, size_t to) {
    const struct model_exposure_spec *s = w->spec;
    const struct model_asset *k = &w->assets[asset];
    size_t before = w->n;
    for (int year = s->from_year; year <= s->to_year; year++) {
        int32_t begin = max_day((int32_t)civil_days(year, 1, 1), k->laid);
        int32_t end = min_day((int32_t)civil_days(year + 1, 1, 1), k->removed);
        if (s->last_day != MODEL_EVER) end = min_day(end, s->last_day + 1);
        if (begin < end) add_year(w, asset, year, from, to, begin, end);
    }
    if (w->out->row != NULL && w->n == before) w->out->n_never++;
}

/* Events of the asset that can belong to it, in place; the others are counted. */
static size_t usable_events(struct work *w, struct model_asset_event *e, size_t from, size_t to) {
    const struct model_exposure_spec *s = w->spec;
    int32_t first = (int32_t)civil_days(s->from_year, 1, 1);
    int32_t last = (int32_t)civil_days(s->to_year + 1, 1, 1) - 1;
    size_t n = from;
    if (s->last_day != MODEL_EVER) last = min_day(last, s->last_day);
    for (size_t i = from; i < to; i++) {
        const struct model_asset *k = &w->assets[e[i].asset];
        if (e[i].day < k->laid) {
            w->out->n_before_laid++;
        } else if (e[i].day >= k->removed) {
            w->out->n_after_removed++;
        } else {
            w->out->n_outside += e[i].day < first || e[i].day > last;
            e[n++] = e[i];
        }
    }
    return n;
}

static void all_assets(struct work *w, const size_t *from, const size_t *to, size_t n_assets) {
    w->n = 0;
    for (size_t k = 0; k < n_assets; k++) add_asset(w, (uint32_t)k, from[k], to[k]);
}

enum err_code model_exposure_make(struct arena *a, const struct model_asset *assets,
                                  size_t n_assets, const struct model_asset_event *events,
                                  size_t n_events, const struct model_exposure_spec *spec,
                                  struct model_exposure *out, struct err *err) {
    struct work w = {.assets = assets, .n_events = n_events, .spec = spec, .out = out};
    memset(out, 0, sizeof *out);
    if (spec->from_year < 1 || spec->to_year > 9998 || spec->from_year > spec->to_year ||
        spec->recent_years < 0 || spec->recent_years > 200)
        return err_fail(err, ERR_INVALID, "years %d to %d are not a span of years", spec->from_year,
                        spec->to_year);
    struct model_asset_event *e = ARENA_NEW(a, struct model_asset_event, n_events + 1);
    size_t *from = ARENA_NEW(a, size_t, n_assets + 1), *to = ARENA_NEW(a, size_t, n_assets + 1);
    if (e == NULL || from == NULL || to == NULL)
        return err_fail(err, ERR_NOMEM, "%zu events", n_events);
    if (n_events > 0) memcpy(e, events, n_events * sizeof *e);
    for (size_t i = 0; i < n_events; i++)
        if (e[i].asset >= n_assets)
            return err_fail(err, ERR_INVALID, "event %zu belongs to no asset", i + 1);
    if (n_events > 1) qsort(e, n_events, sizeof *e, by_asset_day);
    w.event = e;
    size_t i = 0;
    for (size_t k = 0; k < n_assets; k++) {
        size_t j = i;
        while (j < n_events && e[j].asset == k) j++;
        from[k] = i;
        to[k] = usable_events(&w, e, i, j);
        i = j;
    }
    all_assets(&w, from, to, n_assets);
    if (w.n > INT32_MAX) return err_fail(err, ERR_LIMIT, "%zu rows are too many", w.n);
    out->row = ARENA_NEW(a, struct model_exposure_row, w.n + 1);
    if (out->row == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", w.n);
    out->n_rows = w.n;
    all_assets(&w, from, to, n_assets);
    return ERR_OK;
}
