#include "api/jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_JOBS = 64, MAX_WAITING = 16, MAX_THREADS = 8 };

struct job {
    struct jobs *jobs;
    struct job_view view; /* guarded by the lock, like all but stop */
    struct job_spec spec;
    atomic_bool stop;
};
struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct clock clock;
    struct job *ring[MAX_JOBS]; /* by id modulo; NULL: none yet */
    int64_t next_id;
    bool ending;
    pthread_t threads[MAX_THREADS];
    unsigned n_threads;
    void (*told)(void *ctx, const struct job_view *v);
    void *told_ctx;
};

const char *job_state_name(enum job_state s) {
    static const char *const names[] = {"", "queued", "running", "done", "failed"};
    return names[s];
}

static bool is_open(const struct job *j) {
    return j->view.state == JOB_QUEUED || j->view.state == JOB_RUNNING;
}

static bool kind_runs(const struct jobs *js, const char *kind) {
    for (size_t i = 0; i < MAX_JOBS; i++)
        if (js->ring[i] != NULL && js->ring[i]->view.state == JOB_RUNNING &&
            strcmp(js->ring[i]->view.kind, kind) == 0)
            return true;
    return false;
}

/* The oldest that waits and whose kind does not run. */
static struct job *next_job(struct jobs *js) {
    struct job *best = NULL;
    for (size_t i = 0; i < MAX_JOBS; i++) {
        struct job *j = js->ring[i];
        if (j == NULL || j->view.state != JOB_QUEUED || kind_runs(js, j->view.kind)) continue;
        if (best == NULL || j->view.id < best->view.id) best = j;
    }
    return best;
}

/* The view is large, and nobody else may look at it without the lock: a copy. Without memory the
 * word is lost; whoever asks still gets it. */
static void tell(struct job *j) {
    struct jobs *js = j->jobs;
    struct job_view *v = js->told == NULL ? NULL : mem_new(1, sizeof *v);
    if (v == NULL) return;
    (void)pthread_mutex_lock(&js->lock);
    *v = j->view;
    (void)pthread_mutex_unlock(&js->lock);
    js->told(js->told_ctx, v);
    mem_free(v);
}

void jobs_watch(struct jobs *js, void (*told)(void *ctx, const struct job_view *v), void *ctx) {
    js->told = told;
    js->told_ctx = ctx;
}

static void free_arg(struct job *j) {
    if (j->spec.free_arg != NULL) j->spec.free_arg(j->spec.arg);
    j->spec.arg = NULL;
    j->spec.free_arg = NULL;
}

static void run_one(struct jobs *js, struct job *j) {
    struct err err = {0};
    tell(j);
    enum err_code rc = j->spec.run(j, j->spec.arg, &err);
    free_arg(j);
    (void)pthread_mutex_lock(&js->lock);
    j->view.state = rc == ERR_OK ? JOB_DONE : JOB_FAILED;
    j->view.ended_us = clock_now_us(&js->clock);
    if (rc != ERR_OK)
        (void)snprintf(j->view.text, sizeof j->view.text, "%.190s",
                       atomic_load(&j->stop) ? "it was stopped" : err.detail);
    (void)pthread_cond_broadcast(&js->wake);
    (void)pthread_mutex_unlock(&js->lock);
    tell(j);
}

static void *work(void *arg) {
    struct jobs *js = arg;
    (void)pthread_mutex_lock(&js->lock);
    while (!js->ending) {
        struct job *j = next_job(js);
        if (j == NULL) {
            (void)pthread_cond_wait(&js->wake, &js->lock);
            continue;
        }
        j->view.state = JOB_RUNNING;
        j->view.started_us = clock_now_us(&js->clock);
        (void)pthread_mutex_unlock(&js->lock);
        run_one(js, j);
        (void)pthread_mutex_lock(&js->lock);
    }
    (void)pthread_mutex_unlock(&js->lock);
    return NULL;
}

enum err_code jobs_new(unsigned n_threads, struct clock clock, struct jobs **out, struct err *err) {
    struct jobs *js = mem_new(1, sizeof *js);
    if (js == NULL) return err_fail(err, ERR_NOMEM, "jobs");
    js->clock = clock;
    /* Beyond every number that was given before a restart: one of those must not mean another. */
    js->next_id = clock_now_us(&clock) / 1000;
    if (js->next_id < 1) js->next_id = 1;
    (void)pthread_mutex_init(&js->lock, NULL);
    (void)pthread_cond_init(&js->wake, NULL);
    if (n_threads > MAX_THREADS) n_threads = MAX_THREADS;
    while (js->n_threads < n_threads) {
        if (pthread_create(&js->threads[js->n_threads], NULL, work, js) != 0) {
            jobs_free(js);
            return err_fail(err, ERR_NOMEM, "job threads");
        }
        js->n_threads++;
    }
    *out = js;
    return ERR_OK;
}

/* Room for the next id: its slot holds nothing, or something that is over. */
static bool has_room(const struct jobs *js) {
    const struct job *old = js->ring[js->next_id % MAX_JOBS];
    size_t waiting = 0;
    for (size_t i = 0; i < MAX_JOBS; i++)
        waiting += js->ring[i] != NULL && js->ring[i]->view.state == JOB_QUEUED;
    return !js->ending && waiting < MAX_WAITING && (old == NULL || !is_open(old));
}

enum err_code jobs_submit(struct jobs *js, const struct job_spec *spec, int64_t *id,
                          struct err *err) {
    struct job *j = mem_new(1, sizeof *j);
    if (j == NULL) {
        if (spec->free_arg != NULL) spec->free_arg(spec->arg);
        return err_fail(err, ERR_NOMEM, "job");
    }
    j->jobs = js;
    j->spec = *spec;
    j->view.state = JOB_QUEUED;
    j->view.perm = spec->perm;
    (void)snprintf(j->view.kind, sizeof j->view.kind, "%s", spec->kind);
    (void)snprintf(j->view.account, sizeof j->view.account, "%s", spec->account);
    (void)pthread_mutex_lock(&js->lock);
    bool room = has_room(js);
    if (room) {
        j->view.id = *id = js->next_id++;
        mem_free(js->ring[j->view.id % MAX_JOBS]);
        js->ring[j->view.id % MAX_JOBS] = j;
        (void)pthread_cond_broadcast(&js->wake);
    }
    (void)pthread_mutex_unlock(&js->lock);
    if (room) return ERR_OK;
    free_arg(j);
    mem_free(j);
    return err_fail(err, ERR_BUSY, "too many jobs are waiting");
}

int64_t jobs_open_of(struct jobs *js, const char *kind) {
    int64_t id = 0;
    (void)pthread_mutex_lock(&js->lock);
    for (size_t i = 0; i < MAX_JOBS; i++) {
        const struct job *j = js->ring[i];
        if (j != NULL && is_open(j) && strcmp(j->view.kind, kind) == 0) id = j->view.id;
    }
    (void)pthread_mutex_unlock(&js->lock);
    return id;
}

static struct job *find(struct jobs *js, int64_t id) {
    struct job *j = id > 0 ? js->ring[id % MAX_JOBS] : NULL;
    return j != NULL && j->view.id == id ? j : NULL;
}

enum err_code job_unknown(struct err *err) {
    return err_fail(err, ERR_NOT_FOUND,
                    "there is no such job: many newer ones came, or the server was restarted. What "
                    "it had finished is kept; start it again for the rest");
}

enum err_code jobs_look(struct jobs *js, int64_t id, struct job_view *out, struct err *err) {
    (void)pthread_mutex_lock(&js->lock);
    const struct job *j = find(js, id);
    if (j != NULL) *out = j->view;
    (void)pthread_mutex_unlock(&js->lock);
    return j != NULL ? ERR_OK : job_unknown(err);
}

enum err_code jobs_cancel(struct jobs *js, int64_t id, struct err *err) {
    bool waited = false;
    (void)pthread_mutex_lock(&js->lock);
    struct job *j = find(js, id);
    if (j != NULL) {
        atomic_store(&j->stop, true);
        waited = j->view.state == JOB_QUEUED;
        if (waited) {
            j->view.state = JOB_FAILED;
            j->view.ended_us = clock_now_us(&js->clock);
            (void)snprintf(j->view.text, sizeof j->view.text, "it was stopped");
            free_arg(j);
        }
    }
    (void)pthread_mutex_unlock(&js->lock);
    return j != NULL ? ERR_OK : job_unknown(err);
}

void jobs_free(struct jobs *js) {
    if (js == NULL) return;
    (void)pthread_mutex_lock(&js->lock);
    js->ending = true;
    for (size_t i = 0; i < MAX_JOBS; i++)
        if (js->ring[i] != NULL) atomic_store(&js->ring[i]->stop, true);
    (void)pthread_cond_broadcast(&js->wake);
    (void)pthread_mutex_unlock(&js->lock);
    for (unsigned i = 0; i < js->n_threads; i++) (void)pthread_join(js->threads[i], NULL);
    for (size_t i = 0; i < MAX_JOBS; i++) {
        if (js->ring[i] == NULL) continue;
        free_arg(js->ring[i]);
        mem_free(js->ring[i]);
    }
    (void)pthread_cond_destroy(&js->wake);
    (void)pthread_mutex_destroy(&js->lock);
    mem_free(js);
}

void job_tell(struct job *j, int64_t done, int64_t total, const char *text) {
    (void)pthread_mutex_lock(&j->jobs->lock);
    j->view.done = done;
    j->view.total = total;
    (void)snprintf(j->view.text, sizeof j->view.text, "%s", text);
    (void)pthread_mutex_unlock(&j->jobs->lock);
    tell(j);
}

bool job_stopped(void *job) { return atomic_load(&((struct job *)job)->stop); }

void job_result(struct job *j, const char *json) {
    if (strlen(json) >= JOB_RESULT) return;
    (void)pthread_mutex_lock(&j->jobs->lock);
    (void)snprintf(j->view.result, sizeof j->view.result, "%s", json);
    (void)pthread_mutex_unlock(&j->jobs->lock);
}

void job_json(struct jw *w, const struct job_view *v) {
    jw_obj(w);
    jw_kint(w, "id", v->id);
    jw_kstr(w, "kind", v->kind);
    jw_kstr(w, "state", job_state_name(v->state));
    jw_kint(w, "done", v->done);
    jw_kint(w, "total", v->total);
    jw_kstr(w, "text", v->text);
    jw_ktime(w, "started_at", v->started_us);
    jw_ktime(w, "ended_at", v->ended_us);
    jw_key(w, "result");
    if (v->result[0] == '\0')
        jw_null(w);
    else
        jw_raw(w, v->result, strlen(v->result));
    jw_end(w, '}');
}
