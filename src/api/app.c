#include "api/app.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/jobs.h"
#include "api/workers.h"
#include "base/mem.h"
#include "domain/briefing/schedule.h"
#include "domain/emergency/emergency.h"
#include "domain/identity/session.h"
#include "domain/measure/definitions.h"
#include "domain/measure/measure.h"
#include "domain/measure/survey_def.h"
#include "domain/process/search.h"
#include "net/assets.h"
#include "net/metrics.h"

enum {
    APP_ARENA = 256 << 20,
    MAX_WAITING = 1024,
    THROTTLE_SLOTS = 65536,
    GRACE_MS = 10000,
    JOB_THREADS = 2
};

static enum err_code open_services(struct app *app, const struct app_options *o, struct err *err) {
    TRY(throttle_new(THROTTLE_SLOTS, &app->throttle, err));
    TRY(grid_open(app->ledger, app->packs, &app->grid, err));
    struct identity_options io = {.clock = app->clock,
                                  .log = app->log,
                                  .throttle = app->throttle,
                                  .idle_s = o->idle_s,
                                  .absolute_s = o->absolute_s,
                                  .password = {.memory_bytes = o->password_bytes}};
    TRY(identity_open(app->ledger, app->packs, &io, &app->identity, err));
    TRY(engine_new(app->arena, app->packs, app->tz, ledger_secret(app->ledger), app->grid,
                   &app->engine, err));
    emergency_attach(app->engine);
    TRY(search_start(app->engine, app->ledger, err));
    TRY(measure_open(app->ledger, app->packs, app->tz, app->log, &app->measure, err));
    TRY(definitions_open(app->ledger, app->packs, app->log, &app->definitions, err));
    TRY(survey_load(app->arena, app->packs, &app->surveys, err));
    TRY(schedule_load(app->arena, app->packs, &app->briefings, err));
    TRY(basemap_load(app->arena, app->data_dir, &app->basemap, err));
    TRY(assets_new(o->web_dir, &app->assets, err));
    unsigned loops = o->n_loops > 0 ? (unsigned)o->n_loops : 2;
    app->metrics = metrics_new(loops);
    if (app->metrics == NULL) return err_fail(err, ERR_NOMEM, "metrics");
    unsigned workers = o->n_workers > 0 ? (unsigned)o->n_workers : 8;
    TRY(jobs_new(JOB_THREADS, app->clock, &app->jobs, err));
    return workers_new(workers, MAX_WAITING, &app->workers, err);
}

enum err_code app_open(const struct app_options *o, struct app **out, struct err *err) {
    struct arena *a = arena_new(APP_ARENA);
    struct app *app = a == NULL ? NULL : ARENA_NEW(a, struct app, 1);
    if (app == NULL) {
        arena_free(a);
        return err_fail(err, ERR_NOMEM, "server");
    }
    app->arena = a;
    app->clock = clock_system();
    app->log = o->log;
    app->data_dir = o->data_dir;
    app->helper_dir = o->helper_dir;
    app->freeze_after_s = o->freeze_after_s;
    int readers = (o->n_workers > 0 ? o->n_workers : 8) + 4 +
                  JOB_THREADS; /* a worker and a job each; ticker, grid, follower threads */
    enum err_code rc = folder_open(o->data_dir, readers, o->log, &app->folder, err);
    if (rc == ERR_OK) {
        app->packs = app->folder.packs;
        app->tz = app->folder.tz;
        app->ledger = app->folder.ledger;
        rc = open_services(app, o, err);
    }
    if (rc != ERR_OK) {
        app_close(app);
        return rc;
    }
    *out = app;
    return ERR_OK;
}

static enum err_code bind_server(struct app *app, const struct app_options *o, struct err *err) {
    struct http_options h = {.listen = o->listen,
                             .port = o->port,
                             .loops = o->n_loops > 0 ? (unsigned)o->n_loops : 2,
                             .trusted_proxies = o->trusted_proxies,
                             .n_trusted_proxies = o->n_trusted_proxies,
                             .log = o->log,
                             .metrics = app->metrics};
    TRY(http_server_new(&h, dispatch, app, &app->server, err));
    return events_start(app, err);
}

static void say_ready(const struct app *app, const struct app_options *o) {
    char token[IDENTITY_TOKEN] = "";
    if (identity_setup_token(app->identity, token, NULL) == ERR_OK && token[0] != '\0') {
        (void)printf("setup token (first administrator): %s\n", token);
    }
    bool v6 = strchr(o->listen, ':') != NULL;
    (void)printf("ready http://%s%s%s:%d/\n", v6 ? "[" : "", o->listen, v6 ? "]" : "",
                 http_server_port(app->server));
    (void)fflush(stdout);
}

/* SIGTERM and SIGINT are waited for here and nowhere else. */
static void wait_for_end(struct app *app) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    int which = 0;
    (void)sigwait(&set, &which);
    log_event(app->log, LOG_INFO, "server.drain", LOG_INT("signal", which));
}

enum err_code app_serve(struct app *app, const struct app_options *o, struct err *err) {
    struct ticker *ticker = NULL;
    TRY(bind_server(app, o, err));
    TRY(ticker_start(app, &ticker, err));
    enum err_code rc = http_server_start(app->server, err);
    if (rc == ERR_OK) {
        say_ready(app, o);
        wait_for_end(app);
        http_server_drain(app->server, GRACE_MS);
        http_server_wait(app->server);
    }
    ticker_stop(ticker);
    return rc;
}

/* In reverse order of making. The ledger ends first of those that its threads call back into. */
void app_close(struct app *app) {
    workers_free(app->workers);
    jobs_free(app->jobs);
    if (app->folder.ledger != NULL) ledger_close(app->folder.ledger);
    app->folder.ledger = NULL;
    measure_close(app->measure);
    definitions_close(app->definitions);
    identity_close(app->identity);
    sse_hub_free(app->hub);
    http_server_free(app->server);
    grid_close(app->grid);
    throttle_free(app->throttle);
    assets_free(app->assets);
    metrics_free(app->metrics);
    if (app->folder.arena != NULL) folder_close(&app->folder);
    arena_free(app->arena);
}
