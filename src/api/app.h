/* api/app.h - the running server: what all handlers share. Made once by app_open, read-only
 * afterwards but for what guards itself. */
#ifndef API_APP_H
#define API_APP_H
#include "api/api.h"
#include "base/log.h"
#include "domain/grid/folder.h"
#include "domain/grid/grid.h"
#include "domain/process/engine.h"
#include "net/http.h"
#include "net/sse.h"

struct identity;
struct throttle;
struct metrics;
struct workers; /* api/workers.h: the reader pool */
struct assets;
struct measure;
struct definitions_service;
struct jobs; /* api/jobs.h */
struct survey_set;
struct basemap;
struct schedule;

struct app_options {
    const char *data_dir, *listen;
    int port;
    const char *web_dir;        /* serve the page from disk (development), or NULL: embedded */
    const char *helper_dir;     /* where gezhi-geo and gezhi-photo lie */
    int64_t idle_s, absolute_s; /* sessions; 0: 30 minutes, 12 hours */
    size_t password_bytes;      /* memory of one password hash; 0: 256 MiB */
    int n_loops, n_workers;     /* 0: by the number of cores */
    int64_t freeze_after_s;     /* until ended periods of indices are first frozen */
    const char *const *trusted_proxies;
    size_t n_trusted_proxies;
    const struct log *log;
};

struct app {
    struct arena *arena; /* lives as long as the server */
    struct clock clock;
    const struct log *log;
    const char *data_dir, *helper_dir;
    const struct pack_set *packs; /* of the folder, like the next two */
    const struct tz *tz;
    struct ledger *ledger;
    struct grid_service *grid;
    struct engine *engine;
    struct measure *measure;                 /* the indicator cube, following the journal */
    struct definitions_service *definitions; /* indices and warnings in force */
    const struct survey_set *surveys;
    const struct schedule *briefings; /* which are formed by the clock */
    struct identity *identity;
    struct throttle *throttle;
    int64_t freeze_after_s;
    struct http_server *server;
    struct sse_hub *hub;
    struct metrics *metrics;
    struct workers *workers;
    struct jobs *jobs;
    struct assets *assets;         /* the page */
    struct folder folder;          /* packs, ledger, city */
    const struct basemap *basemap; /* NULL when the folder has none */
};

/* Open the folder, build the snapshots, start the followers; no port yet. */
enum err_code app_open(const struct app_options *o, struct app **out, struct err *err) NODISCARD;
/* Bind, print "ready http://host:port/" once /healthz would answer 200, serve until SIGTERM, drain.
 */
enum err_code app_serve(struct app *app, const struct app_options *o, struct err *err) NODISCARD;
void app_close(struct app *app);

/* Read DIR/basemap.ndjson into the arena: one feature a line,
 * {"layer","class","name_zh","name_en","geometry"} with a GeoJSON LineString, Polygon or Point. No
 * file: *out is NULL. Errors: ERR_INVALID naming the line; ERR_IO. */
enum err_code basemap_load(struct arena *a, const char *data_dir, const struct basemap **out,
                           struct err *err) NODISCARD;

/* The event stream of the ledger: publishes committed case changes and notices to the hub. */
enum err_code events_start(struct app *app, struct err *err) NODISCARD;
void events_open(struct app *app, struct http_request *req, const struct principal *who);
/* Close the streams of an account (session 0: all of them, else that one): its rights have changed
 * or a session ended. The page comes back by itself and is asked who it is. */
void events_drop(struct app *app, const char *account, int64_t session);

/* Notices for who must act after a move: the new holder, or who holds the post. In the command of
 * the move. */
enum err_code notify_move(const struct app *app, struct tx *tx, const struct case_row *r,
                          const char *move, const char *by, struct err *err) NODISCARD;
/* The same of a move that the clock made; ctx: the app. Fits clock_watch. */
enum err_code notify_clock(struct tx *tx, const struct case_row *r, const char *move, void *ctx,
                           struct err *err) NODISCARD;

/* Recording warnings by night (api/warning_run.c): when next, and the job itself. Any thread. */
int64_t warnings_next_night(struct app *app, int64_t at_us);
void warnings_night(struct app *app);

/* The clock: marks overdue cases and makes overdue moves, in its own thread. */
struct ticker;
enum err_code ticker_start(struct app *app, struct ticker **out, struct err *err) NODISCARD;
void ticker_stop(struct ticker *t);

/* Handler of net/http: routes, rights, CSRF, rate limits, then the resource. */
void dispatch(void *ctx, struct http_request *req);
#endif
