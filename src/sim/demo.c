#include "sim/demo.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "sim/basemap.h"
#include "sim/demo_inside.h"

enum { ARENA_MAX = 1 << 30, MAX_BASEMAP = 128 << 20, MAX_PLANTED = 64 << 20 };
static const int64_t hour_us = 3600ll * 1000000;

static void say(const struct demo *d, const char *what) {
    if (d->o->progress != NULL) (void)fprintf(d->o->progress, "%s\n", what);
}

static enum err_code write_file(const struct demo *d, const char *name, struct buf *b,
                                struct err *err) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", d->folder->dir, name) >= (int)sizeof path) {
        return err_fail(err, ERR_LIMIT, "the path is too long");
    }
    TRY(buf_check(b, err));
    return file_write(path, buf_text(b), b->n, 0644, err);
}

static const char *code_of(void *arg, uint32_t number) {
    const struct demo *d = arg;
    return d->codes[number];
}

static enum err_code write_files(struct demo *d, struct err *err) {
    struct buf b;
    buf_init(&b, MAX_BASEMAP);
    city_basemap_write(d->plan, &b);
    enum err_code rc = write_file(d, "basemap.ndjson", &b, err);
    buf_deinit(&b);
    if (rc != ERR_OK) return rc;
    buf_init(&b, MAX_PLANTED);
    city_year_write_planted(d->year, code_of, d, &b);
    rc = write_file(d, "planted.json", &b, err);
    buf_deinit(&b);
    return rc;
}

/* How well a cell shows what the demo is about: a home in a town's street before any other; -1
 * without a worker. */
static int worth_showing(const struct demo *d, const struct city_cell *c) {
    if (c->worker == CITY_NONE) return -1;
    return (c->kind == CITY_CELL_HOME ? 2 : 0) + (d->plan->area[c->community].is_urban ? 1 : 0);
}

/* The worker who is shown is the first of the best cells; the department is sanitation of his
 * county. */
static void pick_shown(struct demo *d) {
    const struct city_cell *best = NULL;
    for (uint32_t i = 0; i < d->plan->n_cell; i++) {
        const struct city_cell *c = &d->plan->cell[i];
        if (worth_showing(d, c) > (best == NULL ? -1 : worth_showing(d, best))) best = c;
    }
    if (best == NULL) return;
    d->show_worker = best->worker;
    uint32_t county = city_plan_ancestor(d->plan, best->community, CITY_LEVEL_COUNTY);
    for (size_t u = 0; u < d->plan->n_unit; u++) {
        const struct city_unit *unit = &d->plan->unit[u];
        if (unit->county == county && unit->kind == CITY_UNIT_SANITATION) d->show_unit = unit->post;
    }
}

static enum err_code make_plan(struct demo *d, struct err *err) {
    TRY(city_plan_build(d->a, (uint64_t)d->o->seed, (size_t)d->o->n_cells, &d->plan, err));
    pick_shown(d);
    struct year_params p = {.seed = (uint64_t)d->o->seed,
                            .until_us = d->until_us,
                            .utc_offset_s = 28800,
                            .n_case = (size_t)d->o->n_cases};
    p.cls = year_class_default(&p.n_cls);
    return city_year_new(d->a, d->plan, &p, &d->year, err);
}

static enum err_code fill(struct demo *d, struct err *err) {
    say(d, "areas, cells, posts, accounts");
    TRY(demo_write_city(d, err));
    struct grid_service *grid = NULL;
    TRY(grid_open(d->folder->ledger, d->folder->packs, &grid, err));
    enum err_code rc = engine_new(d->a, d->folder->packs, d->folder->tz,
                                  ledger_secret(d->folder->ledger), grid, &d->engine, err);
    if (rc == ERR_OK) rc = demo_write_cases(d, err);
    if (rc == ERR_OK) rc = demo_write_figures(d, err);
    if (rc == ERR_OK) rc = demo_write_accounts(d, err);
    if (rc == ERR_OK) say(d, "warnings of the last ten days");
    if (rc == ERR_OK) rc = demo_write_warnings(d, err);
    if (rc == ERR_OK) rc = demo_write_signed(d, err);
    if (rc == ERR_OK) rc = write_files(d, err);
    ledger_close(d->folder->ledger); /* ends the follower that the grid hangs on */
    d->folder->ledger = NULL;
    grid_close(grid);
    return rc;
}

enum err_code demo_make(const struct demo_options *o, struct err *err) {
    static const struct city city = {"格治演示市（虚构）", "Asia/Shanghai", "gb", true};
    struct clock clock = clock_system();
    struct demo d = {
        .o = o, .a = arena_new(ARENA_MAX), .show_worker = CITY_NONE, .show_unit = CITY_NONE};
    if (d.a == NULL) return err_fail(err, ERR_NOMEM, "demo");
    d.until_us = o->until_us != 0 ? o->until_us : clock_now_us(&clock) / hour_us * hour_us;
    struct folder f = {0};
    d.folder = &f;
    enum err_code rc = make_plan(&d, err);
    if (rc == ERR_OK) rc = folder_create(o->dir, o->packs_dir, &city, o->log, err);
    if (rc == ERR_OK) rc = folder_open(o->dir, 3, o->log, &f, err);
    if (rc == ERR_OK) {
        rc = fill(&d, err);
        folder_close(&f);
    }
    arena_free(d.a);
    return rc;
}
