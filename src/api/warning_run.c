/* Recording warnings as a job: by night, and when somebody asks; jobs as anybody may look at them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "api/jobs.h"
#include "base/buf.h"
#include "base/civil.h"
#include "base/mem.h"
#include "base/pool.h"
#include "domain/measure/definitions.h"
#include "domain/warning/run.h"

#define KIND "warnings"

struct warning_job {
    struct app *app;
    struct job *job;
    int32_t from, to;
    size_t raised, went_on, cleared, joined, supervised;
};

static void told(void *ctx, int32_t day, const struct warn_record *r) {
    struct warning_job *w = ctx;
    char text[16];
    w->raised += r->n_raised;
    w->went_on += r->n_went_on;
    w->cleared += r->n_cleared;
    w->joined += r->n_joined;
    w->supervised += r->n_supervised;
    civil_date_format(day, text);
    job_tell(w->job, day - w->from + 1, w->to - w->from + 1, text);
}

static void tell_result(const struct warning_job *w) {
    struct buf b;
    struct jw j;
    char from[16], to[16];
    buf_init(&b, JOB_RESULT);
    jw_init(&j, &b);
    civil_date_format(w->from, from);
    civil_date_format(w->to, to);
    jw_obj(&j);
    jw_kstr(&j, "from", from);
    jw_kstr(&j, "to", to);
    jw_kint(&j, "raised", (int64_t)w->raised);
    jw_kint(&j, "went_on", (int64_t)w->went_on);
    jw_kint(&j, "cleared", (int64_t)w->cleared);
    jw_kint(&j, "joined", (int64_t)w->joined);
    jw_kint(&j, "supervised", (int64_t)w->supervised);
    jw_end(&j, '}');
    if (!b.failed) job_result(w->job, buf_text(&b));
    buf_deinit(&b);
}

/* Half of the cores: the city goes on reporting meanwhile. */
static enum err_code record_with(struct warning_job *w, const struct definitions *d,
                                 struct err *err) {
    struct pool *all = NULL, *pool = NULL;
    TRY(pool_new(0, &all, err));
    size_t n = pool_threads(all) / 2;
    pool_free(all);
    TRY(pool_new(n == 0 ? 1 : n, &pool, err));
    struct num_run run = {.parallel = pool_run,
                          .pool = pool,
                          .n_threads = pool_threads(pool),
                          .stop = job_stopped,
                          .arg = w->job};
    struct warn_run r = {.ledger = w->app->ledger,
                         .engine = w->app->engine,
                         .set = d->warnings,
                         .seed = 1,
                         .run = &run,
                         .measure = w->app->measure,
                         .indices = d->indices,
                         .told = told,
                         .ctx = w};
    job_tell(w->job, 0, w->to - w->from + 1, "");
    enum err_code rc = warn_run_days(&r, w->from, w->to, err);
    pool_free(pool);
    return rc;
}

static enum err_code record_job(struct job *job, void *arg, struct err *err) {
    struct warning_job *w = arg;
    w->job = job;
    const struct definitions *d = definitions_ref(w->app->definitions);
    enum err_code rc = record_with(w, d, err);
    definitions_unref(d);
    if (rc == ERR_OK) tell_result(w);
    if (rc != ERR_OK && !job_stopped(job))
        log_event(w->app->log, LOG_ERROR, "warnings.record",
                  LOG_STR("detail", err == NULL ? "" : err->detail));
    return rc;
}

static enum err_code submit(struct app *app, const char *account, int32_t from, int32_t to,
                            int64_t *id, struct err *err) {
    struct warning_job *w = mem_new(1, sizeof *w);
    if (w == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    *w = (struct warning_job){.app = app, .from = from, .to = to};
    struct job_spec spec = {.kind = KIND,
                            .account = account,
                            .perm = PERM_WARNING_MANAGE,
                            .run = record_job,
                            .arg = w,
                            .free_arg = mem_free};
    return jobs_submit(app->jobs, &spec, id, err);
}

static enum err_code last_day(struct app *app, int32_t *day, bool *found, struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(app->ledger, &r, err));
    enum err_code rc = warn_last_day(reader_db(r), day, found, err);
    ledger_read_end(r);
    return rc;
}

/* ---- the night */

int64_t warnings_next_night(struct app *app, int64_t at_us) {
    const struct definitions *d = definitions_ref(app->definitions);
    int64_t next = warn_next_night(app->tz, d->warnings, at_us);
    definitions_unref(d);
    return next;
}

void warnings_night(struct app *app) {
    int32_t last = 0, from = 0, to = 0;
    int64_t id = 0;
    bool any = false;
    struct err err = {0};
    enum err_code rc = last_day(app, &last, &any, &err);
    if (rc == ERR_OK && warn_days_due(app->tz, clock_now_us(&app->clock), any, last, &from, &to))
        rc = submit(app, "", from, to, &id, &err);
    if (rc != ERR_OK)
        log_event(app->log, LOG_ERROR, "warnings.night", LOG_STR("detail", err.detail));
}

/* ---- when somebody asks */

static enum err_code days_asked(struct call *c, const char *asked, int32_t *from, int32_t *to,
                                struct err *err) {
    int32_t today = warn_local_day(c->app->tz, clock_now_us(&c->app->clock)), last = 0;
    int64_t day = today;
    bool any = false;
    if (asked != NULL && (!civil_date_parse(asked, &day) || day > today)) {
        (void)err_fail(err, ERR_INVALID, "expected a day such as 2026-08-05, not after today");
        return err_field(err, ERR_INVALID, "/day");
    }
    TRY(last_day(c->app, &last, &any, err));
    if (any && day < last)
        return err_fail(err, ERR_CONFLICT, "a later day is recorded already: days go forward");
    *to = (int32_t)day;
    *from = any && last < *to ? last + 1 : *to;
    return ERR_OK;
}

enum err_code warning_run_post(struct call *c, struct err *err) {
    static const char *const known[] = {"day", NULL};
    const struct val *body = NULL;
    const char *day = NULL;
    int32_t from = 0, to = 0;
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "day", false, 20, &day, err));
    TRY(days_asked(c, day, &from, &to, err));
    /* Whoever asks twice is shown the one that goes on already. */
    int64_t id = jobs_open_of(c->app->jobs, KIND);
    if (id == 0) TRY(submit(c->app, c->who->name, from, to, &id, err));
    (void)snprintf(c->reply.location, sizeof c->reply.location, "/api/v1/jobs/%lld", (long long)id);
    c->reply.status = 202;
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kint(&w, "job", id);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

/* ---- jobs */

static enum err_code look(struct call *c, struct job_view *v, struct err *err) {
    char *end = NULL;
    long long id = strtoll(c->param[0], &end, 10);
    if (end == c->param[0] || *end != '\0' || id <= 0) return job_unknown(err);
    TRY(jobs_look(c->app->jobs, id, v, err));
    if (strcmp(v->account, c->who->name) == 0 || principal_may(c->who, v->perm)) return ERR_OK;
    return job_unknown(err);
}

static enum err_code write_job(struct call *c, const struct job_view *v, struct err *err) {
    struct jw w = call_json(c);
    job_json(&w, v);
    return buf_check(&c->reply.body, err);
}

enum err_code job_get(struct call *c, struct err *err) {
    struct job_view *v = ARENA_NEW(c->a, struct job_view, 1);
    if (v == NULL) return err_fail(err, ERR_NOMEM, "job");
    TRY(look(c, v, err));
    return write_job(c, v, err);
}

enum err_code job_stop(struct call *c, struct err *err) {
    struct job_view *v = ARENA_NEW(c->a, struct job_view, 1);
    if (v == NULL) return err_fail(err, ERR_NOMEM, "job");
    TRY(look(c, v, err));
    TRY(jobs_cancel(c->app->jobs, v->id, err));
    TRY(look(c, v, err));
    return write_job(c, v, err);
}
