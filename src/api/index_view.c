#include "api/index_view.h"

#include <string.h>

#include "api/app.h"
#include "base/civil.h"

static const int64_t day_us = 86400000000;
static const char *const level_names[GRID_LEVELS] = {"province", "city", "county", "town",
                                                     "community"};

const char *index_level_name(int level) { return level_names[level]; }

enum err_code index_of_call(struct call *c, const struct index_def **out, struct err *err) {
    *out = index_find(c->app->indices, c->param[0]);
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
    for (int i = 0; i < GRID_LEVELS; i++) {
        if (strcmp(level, level_names[i]) != 0 || (levels & (1u << (unsigned)i)) == 0) continue;
        *out = i;
        return ERR_OK;
    }
    (void)err_fail(err, ERR_INVALID, "\"%.40s\": expected a level this is formed for", level);
    return err_field(err, ERR_INVALID, "/level");
}

static enum err_code choose_period(struct call *c, const char *text, struct index_look *look,
                                   struct err *err) {
    int64_t local = tz_to_local(c->app->tz, clock_now_us(&c->app->clock));
    look->q.today = (int32_t)(local / day_us);
    if (text == NULL || text[0] == '\0') { /* the last month that is over */
        struct period now = period_of(PERIOD_MONTH, look->q.today);
        look->q.period = period_step(&now, -1);
        return ERR_OK;
    }
    enum err_code rc = period_parse(text, &look->q.period, err);
    return rc == ERR_OK ? rc : err_field(err, rc, "/period");
}

enum err_code index_look_begin(struct call *c, const char *period, const char *level,
                               unsigned levels, struct index_look *out, struct err *err) {
    *out = (struct index_look){.q = {.atoms = measure_atoms(c->app->measure), .ledger = 1}};
    TRY(choose_period(c, period, out, err));
    out->grid = grid_ref(c->app->grid);
    enum err_code rc = choose_level(out->grid, level, levels, &out->level, err);
    if (rc == ERR_OK) rc = ledger_read_begin(c->app->ledger, &out->reader, err);
    if (rc == ERR_OK) rc = measure_borrow(c->app->measure, &out->q.cube, &out->seq, err);
    if (rc != ERR_OK) {
        if (out->reader != NULL) ledger_read_end(out->reader);
        grid_unref(out->grid);
        return rc;
    }
    out->q.db = reader_db(out->reader);
    rc = area_view_new(c->a, out->grid, out->level, out->q.cube, &out->q.areas, err);
    if (rc != ERR_OK) index_look_end(c, out);
    return rc;
}

void index_look_end(struct call *c, struct index_look *look) {
    measure_release(c->app->measure);
    ledger_read_end(look->reader);
    grid_unref(look->grid);
}
