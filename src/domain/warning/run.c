#include "domain/warning/run.h"

#include "base/civil.h"
#include "domain/emergency/emergency.h"

enum { RUN_ARENA = 1 << 30, DAY_ARENA = 1 << 30 };
static const int64_t day_us = 86400000000, minute_us = 60000000;

int32_t warn_local_day(const struct tz *tz, int64_t at_us) {
    int64_t local = tz_to_local(tz, at_us);
    return (int32_t)((local - (((local % day_us) + day_us) % day_us)) / day_us);
}

static int64_t night_of(const struct tz *tz, const struct warn_set *set, int32_t day) {
    return tz_to_utc(tz, (int64_t)day * day_us + (int64_t)set->nightly_minute * minute_us);
}

int64_t warn_next_night(const struct tz *tz, const struct warn_set *set, int64_t at_us) {
    int32_t day = warn_local_day(tz, at_us);
    int64_t night = night_of(tz, set, day);
    return night > at_us ? night : night_of(tz, set, day + 1);
}

bool warn_days_due(const struct tz *tz, int64_t now_us, bool any, int32_t last, int32_t *from,
                   int32_t *to) {
    *to = warn_local_day(tz, now_us) - 1;
    *from = any && last < *to ? last + 1 : *to;
    return !any || last < *to;
}

static enum err_code record_apply(struct tx *tx, void *arg, struct err *err) {
    return warn_record_apply(tx, arg, err);
}

/* What all days of a run share. */
struct running {
    const struct warn_run *r;
    struct arena *a;
    struct warn_rows rows;
    int64_t seq;
    const struct warn_emergency *emergency;
    size_t n_emergencies;
    bool figures; /* some rule asks for them */
    const struct atoms *atoms;
    struct cube *cube; /* own, when there is no measure */
};

static enum err_code day_figures(const struct running *w, int32_t day, struct arena *a,
                                 struct warn_figures *out, struct err *err) {
    const struct warn_run *r = w->r;
    struct reader *reader = NULL;
    TRY(ledger_read_begin(r->ledger, &reader, err));
    const struct grid *g = grid_ref(r->engine->grid);
    struct warn_source src = {.db = reader_db(reader),
                              .ledger = 1,
                              .atoms = w->atoms,
                              .cube = w->cube,
                              .measure = r->measure,
                              .grid = g,
                              .indices = r->indices,
                              .packs = r->engine->packs,
                              .tz = r->engine->tz};
    enum err_code rc = warn_figures_form(&src, r->set, r->only, day, a, out, err);
    grid_unref(g);
    ledger_read_end(reader);
    return rc;
}

static enum err_code form_day(const struct running *w, int32_t day, struct arena *a,
                              struct warn_day *out, struct err *err) {
    const struct warn_run *r = w->r;
    struct warn_figures figures = {0};
    struct warn_ask ask = {.rows = &w->rows,
                           .set = r->set,
                           .only = r->only,
                           .day = day,
                           .seed = r->seed,
                           .run = r->run,
                           .emergency = w->emergency,
                           .n_emergencies = w->n_emergencies};
    if (w->figures) {
        TRY(day_figures(w, day, a, &figures, err));
        ask.figures = &figures;
    }
    return warn_day_form(&ask, a, out, err);
}

static enum err_code one_day(const struct running *w, int32_t day, struct err *err) {
    const struct warn_run *r = w->r;
    struct arena *a = arena_new(DAY_ARENA);
    struct warn_day d;
    if (a == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    struct warn_record record = {.engine = r->engine,
                                 .set = r->set,
                                 .day = &d,
                                 .data_seq = w->seq,
                                 .seed = r->seed,
                                 .at_us =
                                     r->backdate ? night_of(r->engine->tz, r->set, day + 1) : 0};
    struct command c = {
        .name = "warning.record", .actor = "system", .apply = record_apply, .arg = &record};
    enum err_code rc = form_day(w, day, a, &d, err);
    if (rc == ERR_OK) rc = ledger_run(r->ledger, &c, NULL, NULL, err);
    if (rc == ERR_OK && r->told != NULL) r->told(r->ctx, day, &record);
    arena_free(a);
    return rc;
}

/* ---- what is read once */

enum err_code warn_emergencies(struct db *db, const struct pack_set *packs, struct arena *a,
                               const struct warn_emergency **out, size_t *n, struct err *err) {
    const struct emergency *e = NULL;
    TRY(emergency_list(db, a, &e, n, err));
    struct warn_emergency *x = ARENA_NEW(a, struct warn_emergency, *n + 1);
    if (x == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < *n; i++) {
        bool *classes = ARENA_NEW(a, bool, packs->n_classes + 1);
        if (classes == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        for (size_t k = 0; k < packs->n_classes; k++) {
            /* Clocks of urgent classes never stand, but what is told of them counts as the rest. */
            struct case_class c = packs->classes[k];
            c.urgent = false;
            classes[k] = emergency_covers_class(&e[i], &c);
        }
        x[i] = (struct warn_emergency){
            e[i].declared_us, e[i].ended_us == 0 ? INT64_MAX : e[i].ended_us, e[i].area, classes};
    }
    *out = x;
    return ERR_OK;
}

static enum err_code prepare_figures(struct running *w, struct db *db, struct err *err) {
    const struct warn_run *r = w->r;
    for (size_t i = 0; i < r->set->n_rules; i++)
        w->figures |= warn_by_figures(r->set->rule[i].method) &&
                      (r->only == NULL || r->only == &r->set->rule[i]);
    if (!w->figures) return ERR_OK;
    if (r->measure != NULL) {
        w->atoms = measure_atoms(r->measure);
        return ERR_OK;
    }
    TRY(atoms_new(w->a, r->engine->packs, r->engine->tz, &w->atoms, err));
    return measure_recompute(db, 1, w->atoms, &w->cube, err);
}

static enum err_code read_all(struct running *w, int32_t from, int32_t to, struct err *err) {
    struct reader *reader = NULL;
    TRY(ledger_read_begin(w->r->ledger, &reader, err));
    w->seq = reader_seq(reader);
    enum err_code rc = warn_rows_load_for(&w->rows, reader_db(reader), 1, w->r->set, from, to, err);
    if (rc == ERR_OK)
        rc = warn_emergencies(reader_db(reader), w->r->engine->packs, w->a, &w->emergency,
                              &w->n_emergencies, err);
    if (rc == ERR_OK) rc = prepare_figures(w, reader_db(reader), err);
    ledger_read_end(reader);
    return rc;
}

enum err_code warn_run_days(const struct warn_run *r, int32_t from, int32_t to, struct err *err) {
    struct running w = {.r = r, .a = arena_new(RUN_ARENA)};
    if (w.a == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    warn_rows_init(&w.rows, w.a, r->engine->packs, r->engine->tz);
    enum err_code rc = read_all(&w, from, to, err);
    for (int32_t day = from; rc == ERR_OK && day <= to; day++)
        rc = num_run_stopped(r->run) ? err_fail(err, ERR_TIMEOUT, "it was stopped")
                                     : one_day(&w, day, err);
    cube_free(w.cube);
    warn_rows_free(&w.rows);
    arena_free(w.a);
    return rc;
}
