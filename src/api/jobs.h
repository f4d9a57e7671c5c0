/* api/jobs.h - long work off the event loops and off the reader pool: recording warnings, trying a
 * rule over the past. A job is queued, runs on a thread of its own pool, tells how far it is and
 * can be stopped. Two jobs of one kind never run at once. What is done is remembered until MAX_JOBS
 * newer ones came; a restart forgets all, and no number of a job comes again after it. All
 * functions are safe from any thread. */
#ifndef API_JOBS_H
#define API_JOBS_H
#include "base/clock.h"
#include "base/json.h"
#include "domain/identity/identity.h"

struct jobs;
struct job; /* what a running job is handed */
enum job_state { JOB_QUEUED = 1, JOB_RUNNING, JOB_DONE, JOB_FAILED };
const char *job_state_name(enum job_state s); /* "queued" "running" "done" "failed" */

enum { JOB_KIND = 40, JOB_TEXT = 200, JOB_RESULT = 16384, JOB_ACCOUNT = 64 };
struct job_spec {
    const char *kind;     /* static */
    const char *account;  /* who started it: may look at it; "" for the night */
    enum permission perm; /* who else may look at it and stop it */
    enum err_code (*run)(struct job *j, void *arg, struct err *err);
    void *arg;
    void (*free_arg)(void *arg); /* called once, run or not; may be NULL */
};
struct job_view {
    int64_t id, started_us, ended_us; /* 0: not yet */
    enum job_state state;
    enum permission perm;
    int64_t done, total; /* total 0: not known yet */
    char kind[JOB_KIND], account[JOB_ACCOUNT], text[JOB_TEXT], result[JOB_RESULT]; /* JSON or "" */
};

enum err_code jobs_new(unsigned n_threads, struct clock clock, struct jobs **out,
                       struct err *err) NODISCARD;
/* ERR_BUSY when too many wait; arg is then freed. *id > 0. */
enum err_code jobs_submit(struct jobs *j, const struct job_spec *spec, int64_t *id,
                          struct err *err) NODISCARD;
/* `told` hears of a job that begins, goes on or ends, on the thread that does it, in its order; it
 * must be quick and must not call back. At most once, before the first job. */
void jobs_watch(struct jobs *j, void (*told)(void *ctx, const struct job_view *v), void *ctx);
/* A queued or running job of the kind; 0 when there is none. */
int64_t jobs_open_of(struct jobs *j, const char *kind);
/* What is said of a job that nobody knows or the asker may not see: ERR_NOT_FOUND. */
enum err_code job_unknown(struct err *err) NODISCARD;
/* ERR_NOT_FOUND. */
enum err_code jobs_look(struct jobs *j, int64_t id, struct job_view *out,
                        struct err *err) NODISCARD;
/* Asks it to stop; one that waits never starts. ERR_NOT_FOUND. */
enum err_code jobs_cancel(struct jobs *j, int64_t id, struct err *err) NODISCARD;
/* Stops what runs, forgets what waits, ends the threads. NULL is legal. */
void jobs_free(struct jobs *j);

/* {"id","kind","state","done","total","text","started_at","ended_at","result"} */
void job_json(struct jw *w, const struct job_view *v);

/* Inside a job's run. */
void job_tell(struct job *j, int64_t done, int64_t total, const char *text);
bool job_stopped(void *job); /* fits num_run.stop; any thread */
/* The result as JSON, cut off at nothing: one that is too long is left out. */
void job_result(struct job *j, const char *json);
#endif
