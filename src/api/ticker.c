/* The clock thread: wakes every two seconds, and while something is due runs the command that marks
 * it. */
#include <pthread.h>
#include <time.h>

#include "api/app.h"
#include "api/auto_freeze.h"
#include "api/briefing_make.h"
#include "base/mem.h"
#include "domain/emergency/emergency.h"

enum { TICK_S = 2, TICK_MAX = 200, FREEZE_EVERY_S = 1800 };

struct ticker {
    struct app *app;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ending;         /* guarded by lock */
    int64_t night_us;    /* when warnings are recorded next; this thread only */
    int64_t briefing_us; /* next look for a briefing that is due */
    int64_t freeze_us;   /* next look for periods of indices that are complete */
};
struct tick {
    struct app *app;
    int64_t n;
};

static enum err_code tick_apply(struct tx *tx, void *arg, struct err *err) {
    struct tick *t = arg;
    const struct clock_watch watch = {notify_clock, t->app};
    return clock_tick(t->app->engine, tx, TICK_MAX, &watch, &t->n, err);
}

static bool something_due(struct app *app) {
    struct reader *r = NULL;
    int64_t at = INT64_MAX;
    if (ledger_read_begin(app->ledger, &r, NULL) != ERR_OK) return false;
    enum err_code rc = clock_next(app->engine, reader_db(r), &at, NULL);
    ledger_read_end(r);
    return rc == ERR_OK && at < clock_now_us(&app->clock);
}

/* A failed tick (full disk, read-only) is tried again at the next wake. */
static void tick(struct app *app) {
    struct tick t = {.app = app, .n = TICK_MAX};
    struct command c = {.name = "case.clock", .actor = "system", .apply = tick_apply, .arg = &t};
    while (t.n >= TICK_MAX && something_due(app)) {
        t.n = 0;
        if (ledger_run(app->ledger, &c, NULL, NULL, NULL) != ERR_OK) return;
    }
}

static bool goes_on(void *ctx) {
    struct ticker *t = ctx;
    (void)pthread_mutex_lock(&t->lock);
    bool ending = t->ending;
    (void)pthread_mutex_unlock(&t->lock);
    return !ending;
}

/* Clocks of an emergency that was approved or ended, also of one that a crash left half way. */
static void emergencies(struct ticker *t) {
    struct err err = {0};
    int64_t n = 0;
    enum err_code rc = emergency_continue(t->app->ledger, t->app->engine, goes_on, t, &n, &err);
    if (rc != ERR_OK)
        log_event(t->app->log, LOG_ERROR, "emergency.clocks", LOG_STR("error", err.detail));
    else if (n > 0)
        log_event(t->app->log, LOG_INFO, "emergency.clocks", LOG_INT("cases", n));
}

static void *ticker_main(void *arg) {
    struct ticker *t = arg;
    (void)pthread_mutex_lock(&t->lock);
    while (!t->ending) {
        (void)pthread_mutex_unlock(&t->lock);
        if (something_due(t->app)) tick(t->app);
        emergencies(t);
        if (clock_now_us(&t->app->clock) >= t->night_us) {
            warnings_night(t->app);
            t->night_us = warnings_next_night(t->app, clock_now_us(&t->app->clock));
        }
        briefing_tick(t->app, &t->briefing_us);
        if (clock_now_us(&t->app->clock) >= t->freeze_us) {
            auto_freeze_start(t->app);
            t->freeze_us = clock_now_us(&t->app->clock) + FREEZE_EVERY_S * 1000000LL;
        }
        struct timespec until = {.tv_sec = clock_now_us(&t->app->clock) / 1000000 + TICK_S};
        (void)pthread_mutex_lock(&t->lock);
        if (!t->ending) (void)pthread_cond_timedwait(&t->wake, &t->lock, &until);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return NULL;
}

enum err_code ticker_start(struct app *app, struct ticker **out, struct err *err) {
    struct ticker *t = mem_new(1, sizeof *t);
    if (t == NULL) return err_fail(err, ERR_NOMEM, "ticker");
    t->app = app;
    t->night_us = warnings_next_night(app, clock_now_us(&app->clock));
    t->freeze_us = clock_now_us(&app->clock) + app->freeze_after_s * 1000000LL;
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_cond_init(&t->wake, NULL);
    if (pthread_create(&t->thread, NULL, ticker_main, t) != 0) {
        mem_free(t);
        return err_fail(err, ERR_NOMEM, "ticker thread");
    }
    *out = t;
    return ERR_OK;
}

void ticker_stop(struct ticker *t) {
    if (t == NULL) return;
    (void)pthread_mutex_lock(&t->lock);
    t->ending = true;
    (void)pthread_cond_signal(&t->wake);
    (void)pthread_mutex_unlock(&t->lock);
    (void)pthread_join(t->thread, NULL);
    (void)pthread_cond_destroy(&t->wake);
    (void)pthread_mutex_destroy(&t->lock);
    mem_free(t);
}
