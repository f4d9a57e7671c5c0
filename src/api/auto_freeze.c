/* Periods that are over and complete are frozen by themselves, by the system and unsigned: signing
 * off stays with a person, and so does restating what late data changes. */
#include <math.h>
#include <string.h>

#include "api/app.h"
#include "api/auto_freeze.h"
#include "api/index_view.h"
#include "api/jobs.h"
#include "domain/measure/index_due.h"
#include "domain/measure/index_freeze.h"

enum { DRAWS = 1000, SEED = 1 };

struct freezing {
    struct app *app;
    struct job *job;
    int64_t n_frozen;
};

static bool has_scores(const struct index_view *v) {
    for (size_t j = 0; j < v->n; j++)
        if (v->rank[j] != 0) return true;
    return false;
}

/* Figures that come in meanwhile make the tables and the cube of different rows: the next round
 * tries again. */
static enum err_code freeze_look(struct freezing *f, struct call *c, struct index_look *look,
                                 const struct index_def *d, struct err *err) {
    struct index_view view;
    struct index_ask ask = {.def = d, .n_draws = DRAWS, .seed = SEED};
    struct freeze freeze = {
        .view = &view, .data_seq = look->seq, .today = look->q.today, .seed = SEED};
    struct frozen_run was;
    char period[PERIOD_TEXT];
    bool found = false;
    period_format(&look->q.period, period);
    TRY(frozen_run_get(look->q.db, 1, d->name, look->level, period, look->a, &was, &found, err));
    if (found || !look->exact || look->q.areas->n == 0) return ERR_OK;
    TRY(index_gather(&look->q, d, look->a, &view, err));
    index_look_release(c, look);
    TRY(index_score(&view, &ask, look->a, err));
    if (!has_scores(&view)) return ERR_OK;
    struct command cmd = {
        .name = "index.freeze", .actor = "system", .apply = freeze_apply, .arg = &freeze};
    TRY(ledger_run(f->app->ledger, &cmd, NULL, NULL, err));
    f->n_frozen++;
    return ERR_OK;
}

static enum err_code freeze_period(struct freezing *f, const struct index_def *d,
                                   const struct period *p, struct err *err) {
    char period[PERIOD_TEXT];
    period_format(p, period);
    for (int level = LEVEL_CITY; level <= LEVEL_COMMUNITY; level++) {
        struct call nobody = {.app = f->app};
        struct index_look look;
        if ((d->levels & (1u << (unsigned)level)) == 0 || job_stopped(f->job)) continue;
        TRY(index_look_at(&nobody, d, period, area_level_name(level), &look, err));
        enum err_code rc = freeze_look(f, &nobody, &look, d, err);
        index_look_end(&nobody, &look);
        TRY(rc);
    }
    return ERR_OK;
}

static enum err_code freeze_index(struct freezing *f, const struct index_set *all,
                                  const char *index, struct err *err) {
    struct call nobody = {.app = f->app};
    struct period due[INDEX_DUE_MAX];
    size_t n = index_due_periods(f->app->packs, all, index, call_today(&nobody), due);
    for (size_t i = 0; i < n && !job_stopped(f->job); i++)
        TRY(freeze_period(f, index_find_at(all, index, due[i].from), &due[i], err));
    return ERR_OK;
}

static enum err_code run(struct job *j, void *arg, struct err *err) {
    struct freezing f = {.app = arg, .job = j};
    const struct definitions *d = definitions_ref(f.app->definitions);
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < d->indices->n && rc == ERR_OK; i++) {
        job_tell(j, (int64_t)i, (int64_t)d->indices->n, d->indices->index[i].name);
        rc = freeze_index(&f, d->indices, d->indices->index[i].name, err);
    }
    definitions_unref(d);
    if (rc != ERR_OK)
        log_event(f.app->log, LOG_WARN, "index.freeze", LOG_STR("error", err->detail));
    else if (f.n_frozen > 0)
        log_event(f.app->log, LOG_INFO, "index.freeze", LOG_INT("runs", f.n_frozen));
    return rc;
}

void auto_freeze_start(struct app *app) {
    struct job_spec spec = {
        .kind = "index.freeze", .account = "", .perm = PERM_INDEX_FREEZE, .run = run, .arg = app};
    int64_t id = 0;
    struct err err = {0};
    if (jobs_open_of(app->jobs, spec.kind) != 0) return;
    if (jobs_submit(app->jobs, &spec, &id, &err) != ERR_OK)
        log_event(app->log, LOG_WARN, "index.freeze", LOG_STR("error", err.detail));
}
