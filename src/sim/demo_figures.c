/* Outside figures of the invented city: what police, fire service, market office and others would
 * send each month, town by town, so that the index has something to stand on. Rates and their
 * spread are invented, of the size that yearbooks of Chinese cities give. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/rng.h"
#include "sim/demo_inside.h"
#include "store/tables.h"

static const int64_t day_us = 86400000000;
enum { MONTHS = 49, STREAM = 7000001, GROUP = 400 };

/* A count a month: per 10,000 of its base, times a town's own level. */
static const struct monthly {
    const char *indicator;
    double per_10000;
    enum { OF_RESIDENTS, OF_VEHICLES, OF_ENTERPRISES } base;
} counts[] = {
    {"serious_crimes", 0.12, OF_RESIDENTS}, {"thefts", 2.0, OF_RESIDENTS},
    {"frauds", 1.1, OF_RESIDENTS},          {"traffic_deaths", 0.12, OF_VEHICLES},
    {"traffic_injuries", 2.4, OF_VEHICLES}, {"fires", 0.5, OF_RESIDENTS},
    {"work_deaths", 0.06, OF_ENTERPRISES},  {"hazards_found", 900, OF_ENTERPRISES},
    {"calls_answered", 22, OF_RESIDENTS},   {"callers_reached", 14, OF_RESIDENTS},
};
/* A part of another count: of `of`, about `share`. */
static const struct part {
    const char *indicator, *of;
    double share;
} parts[] = {
    {"hazards_due", "hazards_found", 0.95},        {"hazards_removed", "hazards_due", 0.9},
    {"calls_in_time", "calls_answered", 0.96},     {"callers_solved", "callers_reached", 0.88},
    {"callers_satisfied", "callers_reached", 0.9},
};
enum {
    N_COUNTS = sizeof counts / sizeof counts[0],
    N_PARTS = sizeof parts / sizeof parts[0],
    N_PER_MONTH = N_COUNTS + N_PARTS + 4
};

struct town {
    const char *code;
    double base[3]; /* residents, vehicles, enterprises */
};
struct row {
    const char *indicator, *area;
    char period[16];
    double value, denominator;
};
struct writing {
    struct demo *d;
    struct town *towns;
    size_t n_towns;
    struct row rows[GROUP];
    size_t n;
};

static enum err_code put_rows(struct tx *tx, void *arg, struct err *err) {
    const struct writing *w = arg;
    for (size_t i = 0; i < w->n; i++) {
        const struct row *r = &w->rows[i];
        struct cell cells[col_figure_count];
        int64_t id = 0;
        cells[col_figure_indicator] = cell_text(r->indicator);
        cells[col_figure_area] = cell_text(r->area);
        cells[col_figure_period] = cell_text(r->period);
        cells[col_figure_value] = cell_real(r->value);
        cells[col_figure_denominator] =
            isnan(r->denominator) ? cell_null() : cell_real(r->denominator);
        cells[col_figure_note] = cell_text("invented");
        TRY(tx_insert(tx, &table_figure, cells, &id, err));
    }
    return ERR_OK;
}

static enum err_code flush(struct writing *w, struct err *err) {
    if (w->n == 0) return ERR_OK;
    struct command c = {.name = "figure.import", .actor = "demo", .apply = put_rows, .arg = w};
    enum err_code rc = ledger_run(w->d->folder->ledger, &c, NULL, NULL, err);
    w->n = 0;
    return rc;
}

static enum err_code put(struct writing *w, const char *indicator, const char *area,
                         const char *period, double value, double denominator, struct err *err) {
    struct row *r = &w->rows[w->n++];
    *r = (struct row){indicator, area, "", value, denominator};
    (void)snprintf(r->period, sizeof r->period, "%s", period);
    return w->n == GROUP ? flush(w, err) : ERR_OK;
}

static enum err_code stocks(struct writing *w, const struct town *t, const char *year,
                            struct err *err) {
    TRY(put(w, "residents", t->code, year, t->base[OF_RESIDENTS], NAN, err));
    TRY(put(w, "vehicles", t->code, year, t->base[OF_VEHICLES], NAN, err));
    TRY(put(w, "enterprises", t->code, year, t->base[OF_ENTERPRISES], NAN, err));
    TRY(put(w, "food_businesses", t->code, year, floor(t->base[OF_ENTERPRISES] / 6), NAN, err));
    TRY(put(w, "cameras_registered", t->code, year, floor(t->base[OF_RESIDENTS] / 90), NAN, err));
    return put(w, "cameras_online", t->code, year, floor(t->base[OF_RESIDENTS] / 90 * 0.96), NAN,
               err);
}

/* About a share of a count: each of them by itself would take too long for thousands. */
static double some_of(struct rng *r, double n, double share) {
    double sd = sqrt(n * share * (1 - share));
    double v = floor(n * share + sd * rng_normal(r) + 0.5);
    return v < 0 ? 0 : v > n ? n : v;
}

static double value_named(const double *v, const char *name) {
    for (size_t i = 0; i < N_COUNTS; i++)
        if (strcmp(counts[i].indicator, name) == 0) return v[i];
    for (size_t i = 0; i < N_PARTS; i++)
        if (strcmp(parts[i].indicator, name) == 0) return v[N_COUNTS + i];
    return 0;
}

static enum err_code month(struct writing *w, const struct town *t, size_t town, int number,
                           const char *period, struct err *err) {
    struct rng r = rng_new((uint64_t)w->d->o->seed, STREAM + town * 1000 + (uint64_t)number);
    double v[N_COUNTS + N_PARTS];
    for (size_t i = 0; i < N_COUNTS; i++) {
        /* A level of its own for each town and subject, the same in every month. */
        struct rng own = rng_new((uint64_t)w->d->o->seed, (uint64_t)STREAM * 2 + town * 100 + i);
        double level = exp(0.3 * rng_normal(&own));
        v[i] = rng_poisson(&r, counts[i].per_10000 * t->base[counts[i].base] / 10000 * level);
        TRY(put(w, counts[i].indicator, t->code, period, v[i], NAN, err));
    }
    for (size_t i = 0; i < N_PARTS; i++) {
        v[N_COUNTS + i] = some_of(&r, value_named(v, parts[i].of), parts[i].share);
        TRY(put(w, parts[i].indicator, t->code, period, v[N_COUNTS + i], NAN, err));
    }
    double samples = 20 + rng_below(&r, 20), drugs = 8 + rng_below(&r, 8);
    TRY(put(w, "food_samples", t->code, period, samples, NAN, err));
    TRY(put(w, "food_failed", t->code, period, some_of(&r, samples, 0.025), NAN, err));
    TRY(put(w, "drug_samples", t->code, period, drugs, NAN, err));
    return put(w, "drug_failed", t->code, period, some_of(&r, drugs, 0.01), NAN, err);
}

static enum err_code write_town(struct writing *w, size_t town, int32_t last_day, struct err *err) {
    const struct town *t = &w->towns[town];
    int year = 0, m = 0, dom = 0;
    char period[16];
    civil_from_days(last_day, &year, &m, &dom);
    for (int k = MONTHS - 1; k >= 0; k--) {
        int at = year * 12 + m - 1 - k;
        (void)snprintf(period, sizeof period, "%04d-%02d", at / 12, at % 12 + 1);
        TRY(month(w, t, town, at, period, err));
    }
    for (int y = year - 4; y <= year; y++) {
        (void)snprintf(period, sizeof period, "%04d", y);
        TRY(stocks(w, t, period, err));
    }
    return ERR_OK;
}

static enum err_code find_towns(struct demo *d, const struct grid *g, struct writing *w,
                                struct err *err) {
    w->towns = ARENA_NEW(d->a, struct town, g->n_areas + 1);
    if (w->towns == NULL) return err_fail(err, ERR_NOMEM, "demo");
    for (size_t i = 0; i < g->n_areas; i++) {
        if (g->areas[i].level != LEVEL_TOWN) continue;
        size_t cells = 0;
        for (size_t k = 0; k < g->n_cells; k++) cells += g->cells[k].at[LEVEL_TOWN] == (int)i;
        struct rng r = rng_new((uint64_t)d->o->seed, (uint64_t)STREAM * 4 + i);
        double residents = floor((double)(cells + 1) * (500 + 300 * rng_unit(&r)));
        w->towns[w->n_towns].code = arena_strdup(d->a, g->areas[i].code);
        if (w->towns[w->n_towns].code == NULL) return err_fail(err, ERR_NOMEM, "demo");
        w->towns[w->n_towns].base[OF_RESIDENTS] = residents;
        w->towns[w->n_towns].base[OF_VEHICLES] = floor(residents * 0.22);
        w->towns[w->n_towns++].base[OF_ENTERPRISES] = floor(residents * 0.02) + 1;
    }
    return ERR_OK;
}

enum err_code demo_write_figures(struct demo *d, struct err *err) {
    const struct grid *g = NULL;
    struct reader *r = NULL;
    struct writing *w = ARENA_NEW(d->a, struct writing, 1);
    if (w == NULL) return err_fail(err, ERR_NOMEM, "demo");
    w->d = d;
    TRY(ledger_read_begin(d->folder->ledger, &r, err));
    enum err_code rc = grid_build(reader_db(r), 1, d->folder->packs, NULL, &g, err);
    ledger_read_end(r);
    if (rc == ERR_OK) rc = find_towns(d, g, w, err);
    int32_t today = (int32_t)(tz_to_local(d->folder->tz, d->until_us) / day_us);
    for (size_t i = 0; rc == ERR_OK && i < w->n_towns; i++) rc = write_town(w, i, today, err);
    if (rc == ERR_OK) rc = flush(w, err);
    if (rc == ERR_OK) rc = demo_write_survey(d, g, err); /* weighs towns by the figures above */
    grid_unref(g);
    return rc;
}
