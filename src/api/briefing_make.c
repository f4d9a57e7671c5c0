#include "api/briefing_make.h"

#include <string.h>

#include "domain/briefing/schedule.h"
#include "domain/measure/definitions.h"
#include "domain/measure/measure.h"
#include "store/statements.h"

static const int64_t day_us = 86400000000, second_us = 1000000;
enum { MAKE_ARENA = 1 << 29, TRIES = 40, WAIT_MS = 25, FIRST_S = 90, LOOK_S = 30, AGAIN_S = 600 };

struct making {
    struct app *app;
    const struct definitions *definitions;
    const struct grid *grid;
    struct reader *reader;
    struct arena *a; /* goes with the size of the city */
    struct briefing_source source;
    bool borrowed;
};

static void give_back(struct making *m) {
    if (m->borrowed) measure_release(m->app->measure);
    m->borrowed = false;
    m->source.cube = NULL;
}

/* Tables and cube of the same journal row; nothing is held while the follower catches up. */
static enum err_code read_both(struct making *m, struct err *err) {
    for (int k = 0; k < TRIES; k++) {
        int64_t cube_seq = 0;
        TRY(ledger_read_begin(m->app->ledger, &m->reader, err));
        m->source.seq = reader_seq(m->reader);
        enum err_code rc = measure_borrow(m->app->measure, &m->source.cube, &cube_seq, err);
        m->borrowed = rc == ERR_OK;
        if (rc == ERR_OK && cube_seq == m->source.seq) return ERR_OK;
        give_back(m);
        ledger_read_end(m->reader);
        m->reader = NULL;
        if (rc != ERR_OK) return rc;
        measure_wait(m->app->measure, m->source.seq, WAIT_MS);
    }
    return err_fail(err, ERR_BUSY, "figures come in without a pause; try again");
}

static enum err_code read_time(struct making *m, struct err *err) {
    struct cell p[1] = {cell_int(1)};
    struct cursor *c = NULL;
    bool has = false;
    TRY(db_query(m->source.db, stmt_sql(STMT_JOURNAL_LAST), p, 1, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    m->source.at_us = rc == ERR_OK && has ? cursor_int(c, 1) : 0;
    cursor_close(c);
    return rc;
}

static enum err_code form(struct making *m, const struct briefing_ask *ask, struct buf *out,
                          struct err *err) {
    struct briefing_data *d = ARENA_NEW(m->a, struct briefing_data, 1);
    if (d == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    TRY(read_both(m, err));
    m->source.db = reader_db(m->reader);
    TRY(briefing_gather(&m->source, ask, m->a, d, err));
    give_back(m);
    TRY(read_time(m, err));
    d->source.at_us = m->source.at_us;
    TRY(briefing_look(d, m->a, err));
    return briefing_form(d, out, err);
}

static const char *area_of(const struct making *m, const char *area) {
    const struct grid_area *top = briefing_area(m->grid, area);
    return top == NULL ? "" : top->code;
}

static enum err_code keep(const struct making *m, const struct briefing_ask *ask,
                          const struct buf *document, struct arena *a, struct briefing_keep *out,
                          struct err *err) {
    char *period = arena_alloc(a, PERIOD_TEXT, 1);
    if (period == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    period_format(&ask->period, period);
    *out = (struct briefing_keep){.packs = m->app->packs,
                                  .index = arena_strdup(a, ask->index->name),
                                  .kind = period_kind_name(ask->period.kind),
                                  .period = period,
                                  .area = arena_strdup(a, area_of(m, ask->area)),
                                  .document = arena_dup(a, buf_text(document), document->n),
                                  .document_n = document->n,
                                  .data_seq = m->source.seq};
    return out->index != NULL && out->area != NULL && out->document != NULL
               ? ERR_OK
               : err_fail(err, ERR_NOMEM, "briefing");
}

static enum err_code make(struct making *m, const struct briefing_wish *wish, struct arena *a,
                          struct briefing_keep *out, struct err *err) {
    struct briefing_ask ask = {
        index_find_at(m->definitions->indices, wish->index, wish->period.from), wish->period,
        wish->area};
    struct buf document;
    if (ask.index == NULL)
        return err_fail(err, ERR_NOT_FOUND, "there is no index \"%.60s\"", wish->index);
    buf_init(&document, BRIEFING_MAX_TEXT);
    enum err_code rc = form(m, &ask, &document, err);
    if (rc == ERR_OK) rc = keep(m, &ask, &document, a, out, err);
    buf_deinit(&document);
    return rc;
}

enum err_code briefing_make(struct app *app, const struct briefing_wish *wish, struct arena *a,
                            struct briefing_keep *out, struct err *err) {
    struct making m = {.app = app, .a = arena_new(MAKE_ARENA)};
    if (m.a == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    m.definitions = definitions_ref(app->definitions);
    m.grid = grid_ref(app->grid);
    m.source = (struct briefing_source){
        .packs = app->packs,
        .grid = m.grid,
        .tz = app->tz,
        .atoms = measure_atoms(app->measure),
        .ledger = 1,
        .today = (int32_t)(tz_to_local(app->tz, clock_now_us(&app->clock)) / day_us),
        .city = app->folder.city.name,
        .invented = app->folder.city.invented};
    enum err_code rc = make(&m, wish, a, out, err);
    give_back(&m);
    if (m.reader != NULL) ledger_read_end(m.reader);
    grid_unref(m.grid);
    definitions_unref(m.definitions);
    arena_free(m.a);
    return rc;
}

/* ---- by the clock */

struct due {
    struct briefing_wish wish;
    char area[CODE_SIZE];
};

static bool never_formed(struct db *db, const struct schedule_row *row,
                         const struct grid_area *area, const struct period *p) {
    char period[PERIOD_TEXT];
    bool exists = true;
    period_format(p, period);
    return briefing_exists(db, 1, row->index, area->code, period, &exists, NULL) == ERR_OK &&
           !exists;
}

static bool due_in(const struct app *app, const struct schedule_row *row, const struct grid *g,
                   struct db *db, struct due *out) {
    int64_t local = tz_to_local(app->tz, clock_now_us(&app->clock));
    for (size_t k = 0; k < row->n_kinds; k++) {
        struct period p;
        if (!schedule_due(&row->kind[k], local, &p)) continue;
        for (size_t i = 0; i < g->n_areas; i++) {
            const struct grid_area *area = &g->areas[i];
            if ((row->levels & (1u << (unsigned)area->level)) == 0 ||
                strlen(area->code) >= sizeof out->area || !never_formed(db, row, area, &p))
                continue;
            memcpy(out->area, area->code, strlen(area->code) + 1);
            out->wish = (struct briefing_wish){row->index, p, out->area};
            return true;
        }
    }
    return false;
}

static bool find_due(struct app *app, struct due *out) {
    struct reader *r = NULL;
    bool found = false;
    if (ledger_read_begin(app->ledger, &r, NULL) != ERR_OK) return false;
    const struct grid *g = grid_ref(app->grid);
    for (size_t i = 0; i < app->briefings->n && !found; i++)
        found = due_in(app, &app->briefings->row[i], g, reader_db(r), out);
    grid_unref(g);
    ledger_read_end(r);
    return found;
}

static enum err_code make_due(struct app *app, const struct due *due, struct arena *a,
                              struct err *err) {
    struct briefing_keep keep;
    TRY(briefing_make(app, &due->wish, a, &keep, err));
    keep.tell = true;
    struct command c = {
        .name = "briefing.form", .actor = "system", .apply = briefing_keep_apply, .arg = &keep};
    return ledger_run(app->ledger, &c, NULL, NULL, err);
}

void briefing_tick(struct app *app, int64_t *next_us) {
    int64_t now = clock_now_us(&app->clock);
    struct due due;
    if (*next_us == 0) *next_us = now + FIRST_S * second_us;
    if (now < *next_us) return;
    *next_us = now + LOOK_S * second_us;
    if (!find_due(app, &due)) return;
    struct err err = {0};
    struct arena *a = arena_new(MAKE_ARENA);
    enum err_code rc =
        a == NULL ? err_fail(&err, ERR_NOMEM, "briefing") : make_due(app, &due, a, &err);
    arena_free(a);
    if (rc == ERR_OK) {
        *next_us = now;
        return;
    }
    *next_us = now + AGAIN_S * second_us;
    log_event(app->log, LOG_WARN, "briefing.failed", LOG_STR("area", due.area),
              LOG_STR("why", err.detail));
}
