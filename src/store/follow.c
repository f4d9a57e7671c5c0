#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/inside.h"
#include "store/sql.h"
#include "store/statements.h"

enum { BATCH_ARENA = 256 << 20, FOLLOW_CACHE_KIB = 2048, RETRY_US = 1000000 };

struct batch {
    struct follow *f;
    const struct jrow *rows;
    size_t n;
    int64_t upto;
};

static void state_name(const struct follow *f, char out[160]) {
    (void)snprintf(out, 160, "follower:%s", f->name);
}

static enum err_code remember(struct tx *tx, const struct follow *f, int64_t seq, struct err *err) {
    char name[160], text[32];
    state_name(f, name);
    int n = snprintf(text, sizeof text, "%" PRId64, seq);
    struct cell p[3] = {cell_int(tx->l->id), cell_text(name), cell_blob(text, (size_t)n)};
    return db_exec(tx->l->w, stmt_sql(STMT_STATE_SET), p, 3, NULL, err);
}

static enum err_code recall(struct follow *f, int64_t *seq, struct err *err) {
    char name[160], text[32];
    state_name(f, name);
    struct cell p[2] = {cell_int(f->l->id), cell_text(name)};
    struct cursor *c = NULL;
    *seq = 0;
    TRY(db_query(f->db, stmt_sql(STMT_STATE_GET), p, 2, &c, err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) {
        size_t n;
        const char *v = cursor_blob(c, 0, &n);
        n = n < sizeof text ? n : sizeof text - 1;
        memcpy(text, v, n);
        text[n] = '\0';
        *seq = strtoll(text, NULL, 10);
    }
    cursor_close(c);
    return rc;
}

static enum err_code apply_batch(struct tx *tx, void *arg, struct err *err) {
    const struct batch *b = arg;
    int64_t from = clock_mono_us();
    TRY(b->f->f.apply(tx, b->rows, b->n, b->f->f.ctx, err));
    TRY(remember(tx, b->f, b->upto, err));
    b->f->busy_us = clock_mono_us() - from;
    return ERR_OK;
}

static enum err_code apply_clear(struct tx *tx, void *arg, struct err *err) {
    const struct batch *b = arg;
    const struct follower *f = &b->f->f;
    for (size_t i = 0; i < f->n_derived; i++) {
        struct sql s;
        struct cursor *c;
        bool has;
        if (f->derived[i]->kind != TABLE_DERIVED)
            return err_fail(err, ERR_INTERNAL, "%s is not a derived table", f->derived[i]->name);
        TRY(sql_begin(&s, tx->job->arena, err));
        sql_add(&s, "DELETE FROM ");
        sql_table(&s, f->derived[i]);
        sql_add(&s, " WHERE ledger = ");
        (void)sql_value(&s, cell_int(tx->l->id));
        TRY(sql_query(&s, tx->l->w, &c, err));
        enum err_code rc = cursor_next(c, &has, err);
        cursor_close(c);
        TRY(rc);
        struct tabinfo *ti = schema_find(tx->l, f->derived[i]->name);
        if (ti != NULL) ti->next_id = 0;
    }
    return remember(tx, b->f, 0, err);
}

static enum err_code run_internal(struct follow *f,
                                  enum err_code (*apply)(struct tx *, void *, struct err *),
                                  struct batch *b, struct err *err) {
    struct command c = {.name = "follow", .actor = "system", .apply = apply, .arg = b};
    return writer_run(f->l, &c, true, NULL, NULL, err);
}

static bool keep_row(struct arena *a, struct jrow *r) {
    const char **texts[] = {&r->actor, &r->behalf, &r->purpose, &r->command, &r->type};
    for (size_t i = 0; i < 5; i++) {
        if (*texts[i] != NULL && (*texts[i] = arena_strdup(a, *texts[i])) == NULL) return false;
    }
    r->image = arena_dup(a, r->image, r->image_n);
    return r->image != NULL;
}

static enum err_code read_batch(struct follow *f, int64_t after, struct arena *a, struct jrow *rows,
                                size_t *n, struct err *err) {
    struct cell p[3] = {cell_int(f->l->id), cell_int(after), cell_int(FOLLOW_BATCH)};
    struct cursor *c = NULL;
    TRY(db_query(f->db, stmt_sql(STMT_JOURNAL_AFTER), p, 3, &c, err));
    enum err_code rc;
    bool has;
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has && *n < FOLLOW_BATCH) {
        rows[*n] = journal_row(c);
        if (!keep_row(a, &rows[(*n)++])) {
            rc = err_fail(err, ERR_NOMEM, "no memory for a follower's batch");
            break;
        }
    }
    cursor_close(c);
    return rc;
}

/* One step of at most FOLLOW_BATCH rows: *seq moves on. */
static enum err_code step(struct follow *f, int64_t *seq, struct err *err) {
    struct arena *a = arena_new(BATCH_ARENA);
    struct jrow *rows = a == NULL ? NULL : ARENA_NEW(a, struct jrow, FOLLOW_BATCH);
    size_t n = 0;
    enum err_code rc = rows == NULL ? err_fail(err, ERR_NOMEM, "no memory for a follower's batch")
                                    : read_batch(f, *seq, a, rows, &n, err);
    if (rc == ERR_OK && n > 0) {
        struct batch b = {.f = f, .rows = rows, .n = n, .upto = rows[n - 1].seq};
        if (f->f.apply != NULL) rc = run_internal(f, apply_batch, &b, err);
        if (rc == ERR_OK && f->f.seen != NULL) f->f.seen(rows, n, f->f.ctx);
        if (rc == ERR_OK) *seq = b.upto;
    }
    arena_free(a);
    return rc;
}

/* Under follow_mu. */
static void pause_until(struct ledger *l, int64_t mono_us) {
    while (!l->follow_stop && clock_mono_us() < mono_us)
        ledger_wait_until(&l->follow_more, &l->follow_mu, mono_us);
}

static bool others_wait(struct ledger *l) {
    (void)pthread_mutex_lock(&l->mu);
    bool waiting = l->n_queued > 0;
    (void)pthread_mutex_unlock(&l->mu);
    return waiting;
}

static void failed(struct follow *f, const struct err *err) {
    if (f->l->log != NULL)
        log_event(f->l->log, LOG_WARN, "follower.failed", LOG_STR("follower", f->name),
                  LOG_STR("detail", err->detail));
    (void)pthread_mutex_lock(&f->l->follow_mu);
    pause_until(f->l, clock_mono_us() + RETRY_US);
    (void)pthread_mutex_unlock(&f->l->follow_mu);
}

static void publish(struct follow *f, int64_t seq) {
    (void)pthread_mutex_lock(&f->l->follow_mu);
    f->seq = seq;
    (void)pthread_cond_broadcast(&f->l->follow_more);
    (void)pthread_mutex_unlock(&f->l->follow_mu);
}

static void do_rebuild(struct follow *f) {
    struct batch b = {.f = f};
    struct err err;
    enum err_code rc = run_internal(f, apply_clear, &b, &err);
    (void)pthread_mutex_lock(&f->l->follow_mu);
    f->rebuild = false;
    f->rebuilt = rc;
    if (rc == ERR_OK) f->seq = 0;
    (void)pthread_cond_broadcast(&f->l->follow_more);
    (void)pthread_mutex_unlock(&f->l->follow_mu);
}

static void *follow_main(void *arg) {
    struct follow *f = arg;
    struct ledger *l = f->l;
    for (;;) {
        (void)pthread_mutex_lock(&l->follow_mu);
        while (!l->follow_stop && !f->rebuild && f->seq >= atomic_load(&l->last_seq))
            (void)pthread_cond_wait(&l->follow_more, &l->follow_mu);
        bool stop = l->follow_stop, rebuild = f->rebuild;
        int64_t seq = f->seq;
        (void)pthread_mutex_unlock(&l->follow_mu);
        if (stop) return NULL;
        if (rebuild) {
            do_rebuild(f);
            continue;
        }
        struct err err = {.code = ERR_OK};
        if (step(f, &seq, &err) != ERR_OK) {
            failed(f, &err);
            continue;
        }
        publish(f, seq);
        /* Half of the writer's time at most, when others want it too. */
        if (f->f.apply != NULL && others_wait(l)) {
            (void)pthread_mutex_lock(&l->follow_mu);
            pause_until(l, clock_mono_us() + f->busy_us);
            (void)pthread_mutex_unlock(&l->follow_mu);
        }
    }
}

static void free_follow(struct follow *f) {
    db_close(f->db, false);
    mem_free(f->name);
    mem_free(f);
}

enum err_code ledger_follow(struct ledger *l, const struct follower *f, struct err *err) {
    if (f->name == NULL || f->name[0] == '\0' || strlen(f->name) > 100)
        return err_fail(err, ERR_INTERNAL, "a follower needs a name");
    if (f->apply == NULL && f->seen == NULL)
        return err_fail(err, ERR_INTERNAL, "follower %s does nothing", f->name);
    struct follow *n = mem_new(1, sizeof *n);
    if (n == NULL) return err_fail(err, ERR_NOMEM, "no memory for a follower");
    n->l = l;
    n->f = *f;
    n->name = mem_dup(f->name, strlen(f->name));
    enum err_code rc =
        n->name == NULL ? err_fail(err, ERR_NOMEM, "no memory for a follower") : ERR_OK;
    if (rc == ERR_OK) rc = ledger_open_db(l, true, FOLLOW_CACHE_KIB, &n->db, err);
    n->seq = f->from_seq < 0 ? atomic_load(&l->last_seq) : f->from_seq;
    if (rc == ERR_OK && f->apply != NULL) rc = recall(n, &n->seq, err);
    if (rc != ERR_OK) {
        free_follow(n);
        return rc;
    }
    (void)pthread_mutex_lock(&l->follow_mu);
    for (const struct follow *o = l->follows; o != NULL && rc == ERR_OK; o = o->next) {
        if (strcmp(o->name, n->name) == 0)
            rc = err_fail(err, ERR_CONFLICT, "two followers have the name %s", f->name);
    }
    if (rc == ERR_OK && pthread_create(&n->thread, NULL, follow_main, n) != 0)
        rc = err_fail(err, ERR_NOMEM, "cannot start a thread");
    if (rc == ERR_OK) {
        n->next = l->follows;
        l->follows = n;
    }
    (void)pthread_mutex_unlock(&l->follow_mu);
    if (rc != ERR_OK) free_follow(n);
    return rc;
}

enum err_code ledger_rebuild(struct ledger *l, const char *follower, struct err *err) {
    (void)pthread_mutex_lock(&l->follow_mu);
    struct follow *f = l->follows;
    while (f != NULL && strcmp(f->name, follower) != 0) f = f->next;
    enum err_code rc = ERR_OK;
    if (f == NULL || f->f.apply == NULL) {
        rc = err_fail(err, ERR_NOT_FOUND, "no follower with stored tables has the name %s",
                      follower);
    } else {
        int64_t upto = atomic_load(&l->last_seq);
        f->rebuild = true;
        (void)pthread_cond_broadcast(&l->follow_more);
        while (f->rebuild && !l->follow_stop)
            (void)pthread_cond_wait(&l->follow_more, &l->follow_mu);
        rc = f->rebuild ? err_fail(err, ERR_BUSY, "the server is stopping") : f->rebuilt;
        if (rc != ERR_OK && !f->rebuild)
            rc = err_fail(err, rc, "follower %s could not be cleared", follower);
        while (rc == ERR_OK && f->seq < upto && !l->follow_stop)
            (void)pthread_cond_wait(&l->follow_more, &l->follow_mu);
    }
    (void)pthread_mutex_unlock(&l->follow_mu);
    return rc;
}

void ledger_seen(struct ledger *l, const char *follower, int64_t seq) {
    int64_t last = atomic_load(&l->last_seq);
    if (seq > last) seq = last;
    (void)pthread_mutex_lock(&l->follow_mu);
    for (const struct follow *f = l->follows; f != NULL; f = f->next) {
        if (follower != NULL && strcmp(f->name, follower) != 0) continue;
        while (f->seq < seq && !l->follow_stop)
            (void)pthread_cond_wait(&l->follow_more, &l->follow_mu);
    }
    (void)pthread_mutex_unlock(&l->follow_mu);
}

void ledger_catch_up(struct ledger *l, int64_t seq) { ledger_seen(l, NULL, seq); }

void follow_published(struct ledger *l) {
    (void)pthread_mutex_lock(&l->follow_mu);
    (void)pthread_cond_broadcast(&l->follow_more);
    (void)pthread_mutex_unlock(&l->follow_mu);
}

void follow_stop_all(struct ledger *l) {
    (void)pthread_mutex_lock(&l->follow_mu);
    l->follow_stop = true;
    struct follow *f = l->follows;
    l->follows = NULL;
    (void)pthread_cond_broadcast(&l->follow_more);
    (void)pthread_mutex_unlock(&l->follow_mu);
    while (f != NULL) {
        struct follow *next = f->next;
        (void)pthread_join(f->thread, NULL);
        free_follow(f);
        f = next;
    }
}
