#include "api/index_view.h"

#include <string.h>

#include "api/app.h"
#include "base/civil.h"

static const int64_t day_us = 86400000000;
enum { LOOK_ARENA = 1 << 29, TRIES = 40, WAIT_MS = 25 };

int32_t call_today(const struct call *c) {
    return (int32_t)(tz_to_local(c->app->tz, clock_now_us(&c->app->clock)) / day_us);
}

static void unref_definitions(void *d) { definitions_unref(d); }

enum err_code call_definitions(struct call *c, const struct definitions **out, struct err *err) {
    *out = definitions_ref(c->app->definitions);
    return arena_defer(c->a, unref_definitions, (void *)(uintptr_t)*out) == ERR_OK
               ? ERR_OK
               : err_fail(err, ERR_NOMEM, "definitions");
}

static enum err_code choose_period(const struct call *c, const char *text, struct period *out,
                                   struct err *err) {
    if (text == NULL || text[0] == '\0') { /* the last month that is over */
        struct period now = period_of(PERIOD_MONTH, call_today(c));
        *out = period_step(&now, -1);
        return ERR_OK;
    }
    enum err_code rc = period_parse(text, out, err);
    return rc == ERR_OK ? rc : err_field(err, rc, "/period");
}

enum err_code index_of_call(struct call *c, const char *period, const struct index_def **out,
                            struct err *err) {
    const struct definitions *d = NULL;
    struct period p;
    TRY(choose_period(c, period, &p, err));
    TRY(call_definitions(c, &d, err));
    *out = index_find_at(d->indices, c->param[0], p.from);
    return *out != NULL ? ERR_OK
                        : err_fail(err, ERR_NOT_FOUND, "there is no index \"%.60s\"", c->param[0]);
}

static int first_level(const struct grid *g, unsigned levels) {
    int best = LEVEL_COMMUNITY;
    for (int level = LEVEL_COMMUNITY; level >= LEVEL_CITY; level--) {
        size_t n = 0;
        for (size_t i = 0; i < g->n_areas; i++) n += g->areas[i].level == level;
        if (n > 1 && (levels & (1u << (unsigned)level)) != 0) best = level;
    }
    return best;
}

static enum err_code choose_level(const struct grid *g, const char *level, unsigned levels,
                                  int *out, struct err *err) {
    *out = first_level(g, levels);
    if (level == NULL || level[0] == '\0') return ERR_OK;
    int at = area_level_parse(level);
    if (at >= 0 && (levels & (1u << (unsigned)at)) != 0) {
        *out = at;
        return ERR_OK;
    }
    (void)err_fail(err, ERR_INVALID, "\"%.40s\": expected a level this is formed for", level);
    return err_field(err, ERR_INVALID, "/level");
}

/* Tables and cube of the same journal row. Nothing is held while the follower catches up; in a city
 * that writes without a pause the last try counts, and is not exact. */
static enum err_code read_both(struct call *c, struct index_look *out, struct err *err) {
    for (int k = 0; k < TRIES; k++) {
        TRY(ledger_read_begin(c->app->ledger, &out->reader, err));
        int64_t seq = reader_seq(out->reader);
        enum err_code rc = measure_borrow(c->app->measure, &out->q.cube, &out->seq, err);
        if (rc != ERR_OK) {
            ledger_read_end(out->reader);
            out->reader = NULL;
            return rc;
        }
        out->exact = out->seq == seq;
        if (out->exact || k + 1 == TRIES) break;
        index_look_release(c, out);
        measure_wait(c->app->measure, seq, WAIT_MS);
    }
    return ERR_OK;
}

enum err_code index_look_begin(struct call *c, const char *period, const char *level,
                               unsigned levels, struct index_look *out, struct err *err) {
    *out = (struct index_look){.q = {.atoms = measure_atoms(c->app->measure), .ledger = 1}};
    out->q.today = call_today(c);
    TRY(choose_period(c, period, &out->q.period, err));
    out->grid = grid_ref(c->app->grid);
    out->a = arena_new(LOOK_ARENA);
    enum err_code rc = out->a == NULL ? err_fail(err, ERR_NOMEM, "indicators")
                                      : choose_level(out->grid, level, levels, &out->level, err);
    if (rc == ERR_OK) rc = read_both(c, out, err);
    if (rc == ERR_OK) {
        out->q.db = reader_db(out->reader);
        rc = area_view_new(out->a, out->grid, out->level, out->q.cube, &out->q.areas, err);
    }
    if (rc != ERR_OK) index_look_end(c, out);
    return rc;
}

enum err_code index_look_at(struct call *c, const struct index_def *d, const char *period,
                            const char *level, struct index_look *out, struct err *err) {
    TRY(index_look_begin(c, period, level, d->levels, out, err));
    if ((d->periods & (1u << (unsigned)out->q.period.kind)) != 0) return ERR_OK;
    index_look_end(c, out);
    (void)err_fail(err, ERR_INVALID, "index %s is not formed for such a period", d->name);
    return err_field(err, ERR_INVALID, "/period");
}

void index_look_release(struct call *c, struct index_look *look) {
    if (look->reader == NULL) return;
    measure_release(c->app->measure);
    ledger_read_end(look->reader);
    look->reader = NULL;
    look->q.cube = NULL;
    look->q.db = NULL;
}

void index_look_end(struct call *c, struct index_look *look) {
    index_look_release(c, look);
    grid_unref(look->grid);
    arena_free(look->a);
}
