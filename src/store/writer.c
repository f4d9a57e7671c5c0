#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/inside.h"
#include "store/statements.h"

static size_t length(const char *s) { return s == NULL ? 0 : strlen(s) + 1; }

static const char *keep(char **at, const char *s) {
    if (s == NULL) return NULL;
    char *copy = *at;
    size_t n = strlen(s) + 1;
    memcpy(copy, s, n);
    *at += n;
    return copy;
}

enum err_code job_new(const struct command *c, bool internal, struct job **out, struct err *err) {
    if (c->idem_key != NULL && (c->idem_key[0] == '\0' || strlen(c->idem_key) > IDEM_KEY_MAX))
        return err_fail(err, ERR_INVALID, "an Idempotency-Key has 1 to %d bytes",
                        (int)IDEM_KEY_MAX);
    size_t n = length(c->name) + length(c->actor) + length(c->behalf) + length(c->purpose) +
               length(c->idem_key);
    struct job *j = mem_new(1, sizeof *j + n);
    if (j == NULL) return err_fail(err, ERR_NOMEM, "no memory for a command");
    j->c = *c;
    char *at = j->texts;
    j->c.name = keep(&at, c->name);
    j->c.actor = keep(&at, c->actor);
    j->c.behalf = keep(&at, c->behalf);
    j->c.purpose = keep(&at, c->purpose);
    j->c.idem_key = keep(&at, c->idem_key);
    j->internal = internal;
    buf_init(&j->reply.body, REPLY_MAX);
    if (c->idem_key != NULL) idem_key_hash(c->actor, c->idem_key, j->key_hash);
    *out = j;
    return ERR_OK;
}

void job_free(struct job *j) {
    buf_deinit(&j->reply.body);
    arena_free(j->arena);
    mem_free(j);
}

static struct job **bucket_of(struct ledger *l, const struct job *j) {
    return &l->inflight[((unsigned)j->key_hash[0] << 8 | j->key_hash[1]) % INFLIGHT_BUCKETS];
}

/* Under mu. */
static enum err_code claim_key(struct ledger *l, struct job *j, struct err *err) {
    struct job **b = bucket_of(l, j);
    for (const struct job *o = *b; o != NULL; o = o->same_bucket) {
        if (memcmp(o->key_hash, j->key_hash, sizeof j->key_hash) == 0)
            return err_fail(err, ERR_CONFLICT,
                            "a request with this Idempotency-Key is being handled");
    }
    j->same_bucket = *b;
    *b = j;
    return ERR_OK;
}

/* Under mu. */
static void release_key(struct ledger *l, const struct job *j) {
    for (struct job **p = bucket_of(l, j); *p != NULL; p = &(*p)->same_bucket) {
        if (*p == j) {
            *p = j->same_bucket;
            return;
        }
    }
}

static enum err_code refuse_read_only(enum err_code why, struct err *err) {
    return err_fail(err, why,
                    why == ERR_FULL
                        ? "the disk is full; the server reads only until there is room"
                        : "the disk cannot be written; the server reads only until it can");
}

enum err_code writer_submit(struct ledger *l, const struct command *c, bool internal,
                            struct err *err) {
    enum err_code why = (enum err_code)atomic_load(&l->read_only);
    if (why != ERR_OK) return refuse_read_only(why, err);
    struct job *j;
    TRY(job_new(c, internal, &j, err));
    (void)pthread_mutex_lock(&l->mu);
    enum err_code rc = ERR_OK;
    if (l->stop || (l->closing && !internal))
        rc = err_fail(err, ERR_BUSY, "the server is stopping");
    else if (l->n_queued >= l->max_queue && !internal)
        rc = err_fail(err, ERR_BUSY, "%zu commands are waiting", l->n_queued);
    else if (c->idem_key != NULL)
        rc = claim_key(l, j, err);
    if (rc == ERR_OK) {
        if (l->last == NULL)
            l->first = j;
        else
            l->last->next = j;
        l->last = j;
        if (l->n_queued++ == 0) (void)pthread_cond_signal(&l->more);
    }
    (void)pthread_mutex_unlock(&l->mu);
    if (rc != ERR_OK) job_free(j);
    return rc;
}

enum err_code ledger_submit(struct ledger *l, const struct command *c, struct err *err) {
    return writer_submit(l, c, false, err);
}

struct waiting {
    pthread_mutex_t mu;
    pthread_cond_t ready;
    bool done;
    enum err_code rc;
    struct err *err;
    struct reply *reply;
    int64_t *seq;
    const struct command *c;
};

static void wake(void *arg, enum err_code rc, const struct err *err, const struct reply *reply,
                 int64_t seq) {
    struct waiting *w = arg;
    if (w->err != NULL && rc != ERR_OK) *w->err = *err;
    if (w->reply != NULL && rc == ERR_OK) {
        *w->reply = *reply;
        buf_init(&w->reply->body, REPLY_MAX);
        buf_add(&w->reply->body, reply->body.p, reply->body.n);
    }
    if (w->seq != NULL) *w->seq = seq;
    (void)pthread_mutex_lock(&w->mu);
    w->rc = rc;
    w->done = true;
    (void)pthread_cond_signal(&w->ready);
    (void)pthread_mutex_unlock(&w->mu);
}

static enum err_code call_apply(struct tx *tx, void *arg, struct err *err) {
    const struct waiting *w = arg;
    return w->c->apply(tx, w->c->arg, err);
}

enum err_code writer_run(struct ledger *l, const struct command *c, bool internal,
                         struct reply *reply, int64_t *seq, struct err *err) {
    struct waiting w = {.err = err, .reply = reply, .seq = seq, .c = c};
    struct command inner = *c;
    inner.apply = call_apply;
    inner.done = wake;
    inner.arg = &w;
    if (reply != NULL) {
        *reply = (struct reply){.status = 0};
        buf_init(&reply->body, REPLY_MAX);
    }
    (void)pthread_mutex_init(&w.mu, NULL);
    (void)pthread_cond_init(&w.ready, NULL);
    enum err_code rc = writer_submit(l, &inner, internal, err);
    if (rc == ERR_OK) {
        (void)pthread_mutex_lock(&w.mu);
        while (!w.done) (void)pthread_cond_wait(&w.ready, &w.mu);
        (void)pthread_mutex_unlock(&w.mu);
        rc = w.rc;
    }
    (void)pthread_cond_destroy(&w.ready);
    (void)pthread_mutex_destroy(&w.mu);
    return rc;
}

enum err_code ledger_run(struct ledger *l, const struct command *c, struct reply *reply,
                         int64_t *seq, struct err *err) {
    return writer_run(l, c, false, reply, seq, err);
}

static enum err_code apply_once(struct ledger *l, struct job *j, int64_t now_us) {
    struct tx tx = {.l = l, .job = j, .now_us = now_us};
    bool found = false;
    if (j->c.idem_key != NULL) {
        enum err_code rc = idem_find(l, j, now_us, &found, &j->err);
        if (rc != ERR_OK || found) return rc;
    }
    TRY(j->c.apply(&tx, j->c.arg, &j->err));
    return j->c.idem_key == NULL ? ERR_OK : idem_keep(l, j, now_us, &j->err);
}

/* How one pass over a group goes. */
struct pass {
    bool savepoints; /* each command under its own; else a failed command that wrote spoils the pass
                      */
    bool alone; /* so does any failure of the only command: it may have changed the schema, which no
                   count tells */
    bool spoilt;
};

static bool group_lost(struct ledger *l, const struct job *j, enum err_code *rc,
                       struct err *group) {
    enum err_code broken = db_broken(l->w);
    if (broken != ERR_OK) {
        *group = j->err;
        *rc = j->rc == broken ? broken
                              : err_fail(group, broken, "the database failed during %s", j->c.name);
        return true;
    }
    if (db_in_tx(l->w)) return false;
    /* SQLite gave up the transaction: out of memory in the middle of a change. */
    *rc = err_fail(group, j->rc == ERR_OK ? ERR_NOMEM : j->rc,
                   "the group was rolled back during %s", j->c.name);
    return true;
}

/* One command. A code other than ERR_OK means that the whole group is lost. */
static enum err_code run_job(struct ledger *l, struct job *j, struct pass *pass,
                             struct err *group) {
    struct head before = l->head;
    int64_t now_us = clock_now_us(&l->clock), changes = db_total_changes(l->w);
    enum err_code rc = ERR_OK;
    if (pass->savepoints) TRY(db_savepoint(l->w, group));
    j->arena = arena_new(COMMAND_ARENA);
    j->rc = j->arena == NULL ? err_fail(&j->err, ERR_NOMEM, "no memory for a command")
                             : apply_once(l, j, now_us);
    if (group_lost(l, j, &rc, group)) return rc;
    if (j->rc == ERR_OK) {
        if (pass->savepoints) TRY(db_release(l->w, group));
        j->seq = (int64_t)l->head.tree.size;
        return ERR_OK;
    }
    l->head = before;
    if (pass->savepoints) return db_rollback_to(l->w, group);
    pass->spoilt = pass->alone || db_total_changes(l->w) != changes;
    return ERR_OK;
}

static void forget_ids(struct ledger *l) {
    for (size_t i = 0; i < l->n_tabs; i++) l->tabs[i].next_id = 0;
}

/* Back to where the group began, with every command as it came. */
static enum err_code start_again(struct ledger *l, struct job *jobs, struct err *err) {
    db_rollback(l->w);
    l->head = l->committed;
    forget_ids(l);
    for (struct job *j = jobs; j != NULL; j = j->next) {
        arena_free(j->arena);
        j->arena = NULL;
        j->rc = ERR_OK;
        j->reply.status = 0;
        j->reply.location[0] = '\0';
        j->reply.etag[0] = '\0';
        buf_clear(&j->reply.body);
    }
    return db_begin(l->w, true, err);
}

static bool all_repeatable(const struct job *jobs) {
    while (jobs != NULL && jobs->c.repeatable) jobs = jobs->next;
    return jobs == NULL;
}

/* All commands of a group, in one transaction. A savepoint keeps a copy of every page that a
 * command touches, so a group goes without where another way back exists: one command alone takes
 * the transaction with it, repeatable ones can run again. */
static enum err_code run_jobs(struct ledger *l, struct job *jobs, struct err *err) {
    if (jobs == NULL) return ERR_OK;
    struct pass pass = {.alone = jobs->next == NULL};
    pass.savepoints = !pass.alone && !all_repeatable(jobs);
    for (struct job *j = jobs; j != NULL && !pass.spoilt; j = j->next)
        TRY(run_job(l, j, &pass, err));
    if (!pass.spoilt) return ERR_OK;
    if (pass.alone) {
        db_rollback(l->w);
        forget_ids(l);
        return db_begin(l->w, true, err);
    }
    TRY(start_again(l, jobs, err));
    pass = (struct pass){.savepoints = true};
    for (struct job *j = jobs; j != NULL; j = j->next) TRY(run_job(l, j, &pass, err));
    return ERR_OK;
}

static bool sign_due(const struct ledger *l) {
    return l->unsigned_since_us != 0 &&
           clock_mono_us() - l->unsigned_since_us >= CHECKPOINT_AFTER_US;
}

static enum err_code add_checkpoint(struct ledger *l, char note[NOTE_MAX], struct err *err) {
    unsigned char root[MERKLE_HASH];
    merkle_root(&l->head.tree, root);
    note_sign(&l->keys.signer, (int64_t)l->head.tree.size, root, note);
    struct cell p[5] = {cell_int(l->id), cell_int((int64_t)l->head.tree.size),
                        cell_int(clock_now_us(&l->clock)), cell_blob(root, sizeof root),
                        cell_text(note)};
    return db_exec(l->w, stmt_sql(STMT_CHECKPOINT_ADD), p, 5, NULL, err);
}

static enum err_code run_all(struct ledger *l, struct job *jobs, bool sign, char note[NOTE_MAX],
                             struct err *err) {
    TRY(db_begin(l->w, true, err));
    TRY(run_jobs(l, jobs, err));
    bool grown = l->head.tree.size != l->committed.tree.size;
    if (grown) TRY(head_save(l->w, l->id, &l->head, err));
    sign = (sign || sign_due(l)) && (int64_t)l->head.tree.size != l->signed_size;
    if (sign) TRY(add_checkpoint(l, note, err));
    return db_commit(l->w, err);
}

static void hand_note(struct ledger *l, const char note[NOTE_MAX]) {
    (void)pthread_mutex_lock(&l->keeper_mu);
    memcpy(l->pending_note, note, NOTE_MAX);
    (void)pthread_cond_signal(&l->keeper_more);
    (void)pthread_mutex_unlock(&l->keeper_mu);
}

static void published(struct ledger *l, const char note[NOTE_MAX]) {
    if (l->head.tree.size != l->committed.tree.size && l->unsigned_since_us == 0)
        l->unsigned_since_us = clock_mono_us();
    l->committed = l->head;
    atomic_store(&l->last_seq, (int64_t)l->committed.tree.size);
    if (note[0] != '\0') {
        l->signed_size = (int64_t)l->committed.tree.size;
        l->unsigned_since_us = 0;
        hand_note(l, note);
    }
    follow_published(l);
}

/* An I/O error fails the whole group: what stands on the disk is unknown until the next commit
 * succeeds, so nothing of it is told. */
static void group_failed(struct ledger *l, struct job *jobs, enum err_code rc,
                         const struct err *err) {
    db_rollback(l->w);
    db_clear_broken(l->w);
    l->head = l->committed;
    forget_ids(l);
    if (rc == ERR_IO || rc == ERR_FULL || rc == ERR_CORRUPT) {
        atomic_store(&l->read_only, (int)rc);
        l->next_probe_us = clock_mono_us() + PROBE_EVERY_US;
        if (l->log != NULL)
            log_event(l->log, LOG_ERROR, "ledger.read_only", LOG_STR("code", err_name(rc)),
                      LOG_STR("detail", err->detail));
    }
    for (struct job *j = jobs; j != NULL; j = j->next) {
        j->rc = rc;
        j->err = *err;
        j->err.code = rc;
    }
}

static void answer(struct ledger *l, struct job *jobs) {
    (void)pthread_mutex_lock(&l->mu);
    for (const struct job *j = jobs; j != NULL; j = j->next) {
        if (j->c.idem_key != NULL) release_key(l, j);
    }
    (void)pthread_mutex_unlock(&l->mu);
    while (jobs != NULL) {
        struct job *j = jobs;
        jobs = j->next;
        if (j->rc != ERR_OK) {
            j->reply.status = 0;
            buf_clear(&j->reply.body);
        }
        if (j->c.done != NULL) j->c.done(j->c.arg, j->rc, &j->err, &j->reply, j->seq);
        job_free(j);
    }
}

void writer_group(struct ledger *l, struct job *jobs, bool sign) {
    char note[NOTE_MAX] = "";
    struct err err = {.code = ERR_OK};
    db_clear_broken(l->w);
    enum err_code rc = run_all(l, jobs, sign, note, &err);
    if (rc == ERR_OK)
        published(l, note);
    else
        group_failed(l, jobs, rc, &err);
    if (jobs != NULL) answer(l, jobs);
    if (rc == ERR_OK && atomic_exchange(&l->fold_now, false)) {
        /* The keeper has folded nearly all; the rest here, between two groups, lets the next one
         * start the log anew. */
        enum err_code folded = db_fold(l->w, false, NULL, NULL);
        (void)folded; /* the keeper tries again */
        db_clear_broken(l->w);
    }
}

/* While read-only: whether a small write goes through again. */
static void probe(struct ledger *l) {
    struct cell p[3] = {cell_int(l->id), cell_text("probe"), cell_int(clock_now_us(&l->clock))};
    char text[32];
    (void)snprintf(text, sizeof text, "%lld", (long long)p[2].i);
    p[2] = cell_blob(text, strlen(text));
    db_clear_broken(l->w);
    enum err_code rc = db_begin(l->w, true, NULL);
    if (rc == ERR_OK) rc = db_exec(l->w, stmt_sql(STMT_STATE_SET), p, 3, NULL, NULL);
    if (rc == ERR_OK) rc = db_commit(l->w, NULL);
    if (rc != ERR_OK) {
        db_rollback(l->w);
        l->next_probe_us = clock_mono_us() + PROBE_EVERY_US;
        return;
    }
    atomic_store(&l->read_only, ERR_OK);
    if (l->log != NULL)
        log_event(l->log, LOG_INFO, "ledger.writable", LOG_INT("seq", atomic_load(&l->last_seq)));
}

static int64_t wake_at(const struct ledger *l) {
    if (atomic_load(&l->read_only) != ERR_OK) return l->next_probe_us;
    if (l->unsigned_since_us != 0) return l->unsigned_since_us + CHECKPOINT_AFTER_US;
    return clock_mono_us() + 60 * PROBE_EVERY_US;
}

/* What queued while the last commit ran, at most GROUP_MAX; *stop tells that nothing is left and
 * the ledger closes. */
static struct job *take(struct ledger *l, bool *stop) {
    (void)pthread_mutex_lock(&l->mu);
    int64_t until = wake_at(l);
    while (l->first == NULL && !l->stop && clock_mono_us() < until)
        ledger_wait_until(&l->more, &l->mu, until);
    struct job *jobs = l->first, *end = jobs;
    size_t n = 0;
    if (jobs != NULL) {
        for (n = 1; n < GROUP_MAX && end->next != NULL; n++) end = end->next;
        l->first = end->next;
        if (l->first == NULL) l->last = NULL;
        end->next = NULL;
        l->n_queued -= n;
    }
    *stop = jobs == NULL && l->stop;
    (void)pthread_mutex_unlock(&l->mu);
    return jobs;
}

void *writer_main(void *arg) {
    struct ledger *l = arg;
    for (bool stop = false; !stop;) {
        struct job *jobs = take(l, &stop);
        enum err_code why = (enum err_code)atomic_load(&l->read_only);
        if (why != ERR_OK && jobs != NULL) {
            struct err err = {.code = ERR_OK};
            why = refuse_read_only(why, &err);
            for (struct job *j = jobs; j != NULL; j = j->next) {
                j->rc = why;
                j->err = err;
            }
            answer(l, jobs);
        } else if (why == ERR_OK && (jobs != NULL || stop || sign_due(l))) {
            writer_group(l, jobs, stop);
        }
        if (why != ERR_OK && clock_mono_us() >= l->next_probe_us) probe(l);
    }
    return NULL;
}
