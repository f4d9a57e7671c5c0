#include "study/risk/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/csv.h"

/* "2015-03-01", "2015/3/1 00:00:00+00", "2015-03-01T...", "2015" (its first day). */
static bool read_day(const char *s, int32_t *out) {
    long part[3] = {0, 1, 1};
    size_t k = 0;
    for (; k < 3; k++) {
        size_t n = strspn(s, "0123456789");
        if (n == 0 || n > 4 || (k == 0 && n != 4)) return false;
        part[k] = strtol(s, NULL, 10);
        s += n;
        if (*s != '-' && *s != '/') break;
        if (k < 2) s++;
    }
    if (*s != '\0' && *s != ' ' && *s != 'T') return false;
    if (part[1] < 1 || part[1] > 12 || part[2] < 1 || part[0] < 1 ||
        part[2] > civil_month_days((int)part[0], (int)part[1]))
        return false;
    *out = (int32_t)civil_days((int)part[0], (int)part[1], (int)part[2]);
    return true;
}

static bool is_empty(const char *s) {
    return s[0] == '\0' || strcmp(s, "NA") == 0 || strcmp(s, "null") == 0;
}

/* "1234" and "1234.0" are one id: tables out of a spreadsheet or a GIS mix them. */
static const char *plain_id(struct arena *a, const char *s) {
    size_t n = strlen(s);
    if (n > 2 && strcmp(s + n - 2, ".0") == 0 && strspn(s, "0123456789") == n - 2)
        return arena_dup(a, s, n - 2);
    return s;
}

static enum err_code only_columns(const struct table *t, const struct risk_only *only, size_t n,
                                  size_t col[RISK_MAX_ONLY], struct err *err) {
    for (size_t k = 0; k < n; k++) TRY(table_column(t, only[k].column, true, &col[k], err));
    return ERR_OK;
}

static bool is_taken(const struct table *t, size_t row, const struct risk_only *only, size_t n,
                     const size_t col[RISK_MAX_ONLY]) {
    for (size_t k = 0; k < n; k++) {
        bool found = false;
        for (size_t v = 0; v < only[k].n; v++)
            found = found || strcmp(table_text(t, row, col[k]), only[k].value[v]) == 0;
        if (!found) return false;
    }
    return true;
}

struct asset_key {
    const char *id;
    uint32_t asset;
};

static int by_id(const void *x, const void *y) {
    const struct asset_key *p = x, *q = y;
    int c = strcmp(p->id, q->id);
    return c != 0 ? c : p->asset < q->asset ? -1 : p->asset > q->asset;
}

struct work {
    struct arena *a;
    const struct risk_prepare_spec *s;
    const struct table *assets, *events;
    struct risk_prepared *out;
    struct model_asset *asset;
    const char **id;
    size_t *row;
    struct asset_key *key; /* sorted, each id once */
    size_t n, n_keys;
};

static enum err_code read_assets(struct work *w, struct err *err) {
    const struct table *t = w->assets;
    size_t id = 0, laid = 0, removed = 0, only[RISK_MAX_ONLY];
    TRY(table_column(t, w->s->asset_id, true, &id, err));
    TRY(table_column(t, w->s->laid, true, &laid, err));
    if (w->s->removed != NULL) TRY(table_column(t, w->s->removed, true, &removed, err));
    TRY(only_columns(t, w->s->asset_only, w->s->n_asset_only, only, err));
    for (size_t i = 0; i < t->n_row; i++) {
        struct model_asset k = {0, MODEL_EVER};
        const char *name = plain_id(w->a, table_text(t, i, id));
        if (name == NULL) return err_fail(err, ERR_NOMEM, "assets");
        if (!is_taken(t, i, w->s->asset_only, w->s->n_asset_only, only)) {
            w->out->n_assets_left_out++;
            continue;
        }
        if (is_empty(name)) return table_fail(t, i, id, "the id of an asset", err);
        if (is_empty(table_text(t, i, laid))) {
            w->out->n_no_laid++;
            continue;
        }
        if (!read_day(table_text(t, i, laid), &k.laid))
            return table_fail(t, i, laid, "a date such as 2015-03-01", err);
        if (w->s->removed != NULL && !is_empty(table_text(t, i, removed)) &&
            !read_day(table_text(t, i, removed), &k.removed))
            return table_fail(t, i, removed, "a date such as 2015-03-01", err);
        w->asset[w->n] = k;
        w->id[w->n] = name;
        w->row[w->n] = i;
        w->key[w->n] = (struct asset_key){name, (uint32_t)w->n};
        w->n++;
    }
    return ERR_OK;
}

/* Keys in order; of rows with one id the first stands, the others are no assets of their own. */
static void sort_keys(struct work *w) {
    if (w->n > 1) qsort(w->key, w->n, sizeof *w->key, by_id);
    for (size_t i = 0; i < w->n; i++) {
        if (w->n_keys > 0 && strcmp(w->key[i].id, w->key[w->n_keys - 1].id) == 0) {
            w->out->n_same_id++;
            w->asset[w->key[i].asset].removed = w->asset[w->key[i].asset].laid;
        } else {
            w->key[w->n_keys++] = w->key[i];
        }
    }
}

static uint32_t find_asset(const struct work *w, const char *id) {
    size_t lo = 0, hi = w->n_keys;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(w->key[mid].id, id);
        if (c == 0) return w->key[mid].asset;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return UINT32_MAX;
}

static enum err_code read_events(struct work *w, struct model_asset_event *event, size_t *n,
                                 struct err *err) {
    const struct table *t = w->events;
    size_t id = 0, date = 0, only[RISK_MAX_ONLY];
    TRY(table_column(t, w->s->event_id, true, &id, err));
    TRY(table_column(t, w->s->date, true, &date, err));
    TRY(only_columns(t, w->s->event_only, w->s->n_event_only, only, err));
    *n = 0;
    for (size_t i = 0; i < t->n_row; i++) {
        int32_t day = 0;
        const char *name = plain_id(w->a, table_text(t, i, id));
        if (name == NULL) return err_fail(err, ERR_NOMEM, "events");
        if (!is_taken(t, i, w->s->event_only, w->s->n_event_only, only)) {
            w->out->n_events_left_out++;
            continue;
        }
        w->out->n_events++;
        if (is_empty(table_text(t, i, date))) {
            w->out->n_no_date++;
        } else if (!read_day(table_text(t, i, date), &day)) {
            return table_fail(t, i, date, "a date such as 2015-03-01", err);
        } else if (is_empty(name)) {
            w->out->n_no_id++;
        } else {
            uint32_t asset = find_asset(w, name);
            if (asset == UINT32_MAX)
                w->out->n_not_joined++;
            else
                event[(*n)++] = (struct model_asset_event){asset, day};
        }
    }
    return ERR_OK;
}

enum err_code risk_prepare(struct arena *a, const struct risk_prepare_spec *s,
                           const struct table *assets, const struct table *events,
                           struct risk_prepared *out, struct err *err) {
    struct work w = {.a = a, .s = s, .assets = assets, .events = events, .out = out};
    size_t n_events = 0, n = assets->n_row + 1;
    memset(out, 0, sizeof *out);
    w.asset = ARENA_NEW(a, struct model_asset, n);
    w.id = ARENA_NEW(a, const char *, n);
    w.row = ARENA_NEW(a, size_t, n);
    w.key = ARENA_NEW(a, struct asset_key, n);
    struct model_asset_event *event = ARENA_NEW(a, struct model_asset_event, events->n_row + 1);
    if (w.asset == NULL || w.id == NULL || w.row == NULL || w.key == NULL || event == NULL)
        return err_fail(err, ERR_NOMEM, "%zu assets", n);
    for (size_t k = 0; k < s->n_keep; k++) {
        size_t col = 0;
        TRY(table_column(assets, s->keep[k], true, &col, err));
    }
    TRY(read_assets(&w, err));
    if (w.n == 0) return err_fail(err, ERR_INVALID, "%s: no asset is left", assets->path);
    sort_keys(&w);
    TRY(read_events(&w, event, &n_events, err));
    out->n_assets = w.n_keys;
    out->asset_id = w.id;
    out->asset_row = w.row;
    return model_exposure_make(a, w.asset, w.n, event, n_events, &s->span, &out->exposure, err);
}

enum err_code risk_prepared_csv(const struct risk_prepare_spec *s, const struct table *assets,
                                const struct risk_prepared *p, struct buf *out, struct err *err) {
    size_t col[RISK_MAX_KEEP];
    buf_str(out, "id,year,age_start,age_stop,age,exposure,count,event,earlier,last_year,recent,"
                 "since_last");
    for (size_t k = 0; k < s->n_keep; k++) {
        TRY(table_column(assets, s->keep[k], true, &col[k], err));
        csv_field(out, s->keep_as[k], false);
    }
    csv_end(out);
    for (size_t i = 0; i < p->exposure.n_rows && !out->failed; i++) {
        const struct model_exposure_row *r = &p->exposure.row[i];
        csv_field(out, p->asset_id[r->asset], true);
        buf_printf(out, ",%d,%.6f,%.6f,%.6f,%.6f,%u,%d,%u,%u,%u,", r->year, r->age_start,
                   r->age_stop, r->age_start, r->exposure, r->count, r->count > 0, r->earlier,
                   r->last_year, r->recent);
        if (r->since_last >= 0) buf_printf(out, "%.6f", r->since_last);
        for (size_t k = 0; k < s->n_keep; k++)
            csv_field(out, table_text(assets, p->asset_row[r->asset], col[k]), false);
        csv_end(out);
    }
    return buf_check(out, err);
}

void risk_prepared_json(const struct risk_prepare_spec *s, const struct risk_prepared *p,
                        struct buf *b) {
    const struct model_exposure *e = &p->exposure;
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    jw_kint(&w, "from", s->span.from_year);
    jw_kint(&w, "to", s->span.to_year);
    jw_kint(&w, "assets", (int64_t)p->n_assets);
    jw_kint(&w, "assets_left_out", (int64_t)p->n_assets_left_out);
    jw_kint(&w, "assets_without_date", (int64_t)p->n_no_laid);
    jw_kint(&w, "assets_with_a_used_id", (int64_t)p->n_same_id);
    jw_kint(&w, "events", (int64_t)p->n_events);
    jw_kint(&w, "events_left_out", (int64_t)p->n_events_left_out);
    jw_kint(&w, "events_without_date", (int64_t)p->n_no_date);
    jw_kint(&w, "events_without_id", (int64_t)p->n_no_id);
    jw_kint(&w, "events_not_joined", (int64_t)p->n_not_joined);
    jw_kint(&w, "events_before_laid", (int64_t)e->n_before_laid);
    jw_kint(&w, "events_after_removal", (int64_t)e->n_after_removed);
    jw_kint(&w, "events_outside_the_years", (int64_t)e->n_outside);
    jw_kint(&w, "events_counted", (int64_t)e->n_counted);
    jw_kint(&w, "rows", (int64_t)e->n_rows);
    jw_kbool(&w, "removed_assets_known", s->removed != NULL);
    jw_end(&w, '}');
}

void risk_prepared_text(const struct risk_prepare_spec *s, const struct risk_prepared *p,
                        struct buf *b) {
    const struct model_exposure *e = &p->exposure;
    buf_printf(b, "%zu assets (%zu left out, %zu without a date, %zu with an id already used)\n",
               p->n_assets, p->n_assets_left_out, p->n_no_laid, p->n_same_id);
    buf_printf(b,
               "%zu events (%zu more left out): %zu without a date, %zu without an id, %zu of no "
               "asset in the table, %zu before their asset was laid, %zu after it was removed, "
               "%zu outside %d to %d\n",
               p->n_events, p->n_events_left_out, p->n_no_date, p->n_no_id, p->n_not_joined,
               e->n_before_laid, e->n_after_removed, e->n_outside, s->span.from_year,
               s->span.to_year);
    buf_printf(b, "%zu rows with %zu events\n", e->n_rows, e->n_counted);
    if (s->removed == NULL)
        buf_str(b, "note survivor_bias: the table of assets tells of no removal. Assets that were "
                   "replaced (often the worst) are missing, and so are their events: rates of "
                   "early years and of old kinds come out too low.\n");
}
