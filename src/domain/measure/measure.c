#include "domain/measure/measure.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/os.h"

enum { ROW_ARENA = 4 << 20, PATHS = 1 << 16 };

struct measure {
    struct ledger *ledger;
    int64_t ledger_id;
    const struct log *log;
    const struct atoms *atoms;
    struct arena *arena;    /* atoms and paths */
    const char *dir, *path; /* of the snapshot */
    pthread_rwlock_t lock;  /* guards the rest */
    struct cube *cube;
    int64_t seq; /* last journal row in it */
    enum err_code broken;
    char why[200];
    pthread_mutex_t turn; /* guards reached; moved tells of it */
    pthread_cond_t moved;
    int64_t reached;
};

/* ---- the snapshot */

static enum err_code load_snapshot(struct measure *m, struct err *err) {
    FILE *in = fopen(m->path, "rbe");
    if (in == NULL) return err_fail(err, ERR_NOT_FOUND, "%s: there is none yet", m->path);
    enum err_code rc =
        cube_load(in, m->atoms->n, m->atoms->wide, m->atoms->tag, &m->seq, &m->cube, err);
    (void)fclose(in);
    /* A restored or older ledger knows fewer rows than the snapshot. */
    if (rc == ERR_OK && m->seq > ledger_last_seq(m->ledger)) {
        cube_free(m->cube);
        m->cube = NULL;
        return err_fail(err, ERR_CORRUPT, "%s is newer than the ledger", m->path);
    }
    return rc;
}

/* Temporary file, fsync, rename: a crash leaves the old one or the new one. */
static enum err_code save_snapshot(struct measure *m, struct err *err) {
    char tmp[PATH_MAX];
    (void)snprintf(tmp, sizeof tmp, "%s.new", m->path);
    FILE *out = fopen(tmp, "wbe");
    if (out == NULL) return os_fail(err, "cannot make", tmp);
    enum err_code rc = cube_save(m->cube, m->atoms->tag, m->seq, out, err);
    if (rc == ERR_OK && (fflush(out) != 0 || fsync(fileno(out)) != 0))
        rc = os_fail(err, "cannot write", tmp);
    if (fclose(out) != 0 && rc == ERR_OK) rc = os_fail(err, "cannot write", tmp);
    if (rc == ERR_OK && rename(tmp, m->path) != 0) rc = os_fail(err, "cannot replace", m->path);
    if (rc == ERR_OK) return file_sync_dir(m->dir, err);
    (void)remove(tmp);
    return rc;
}

static enum err_code make_cube(struct measure *m, struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(m->ledger, &r, err));
    m->seq = reader_seq(r);
    enum err_code rc = measure_recompute(reader_db(r), m->ledger_id, m->atoms, &m->cube, err);
    ledger_read_end(r);
    return rc;
}

/* ---- following */

static const struct type_def *type_of(const struct measure *m, const char *table) {
    for (size_t i = 0; i < m->atoms->n_types; i++)
        if (strcmp(m->atoms->types[i]->table.name, table) == 0) return m->atoms->types[i];
    return NULL;
}

static enum err_code add_image(struct measure *m, const struct type_def *type, struct arena *a,
                               const struct jrow *j, int sign, struct err *err) {
    struct cell *cells = ARENA_NEW(a, struct cell, type->table.n_cols + 1);
    if (cells == NULL) return err_fail(err, ERR_NOMEM, "indicators");
    const struct measured_row row = {type, cells};
    TRY(row_of_image(m->atoms, type, a, j->image, j->image_n, cells, err));
    return row_add(m->atoms, &row, sign, m->cube, err);
}

static enum err_code apply_row(struct measure *m, struct db *db, const struct jrow *j,
                               struct err *err) {
    const struct type_def *type = type_of(m, j->type);
    if (type == NULL || j->image_n == 0) return ERR_OK;
    struct arena *a = arena_new(ROW_ARENA);
    struct jrow before;
    bool found = false;
    enum err_code rc = a == NULL ? err_fail(err, ERR_NOMEM, "indicators") : ERR_OK;
    if (rc == ERR_OK && j->version > 1)
        rc = journal_before(db, m->ledger_id, j->type, j->id, j->seq, a, &before, &found, err);
    if (rc == ERR_OK && found) rc = add_image(m, type, a, &before, -1, err);
    if (rc == ERR_OK) rc = add_image(m, type, a, j, 1, err);
    arena_free(a);
    return rc;
}

static void seen(const struct jrow *rows, size_t n, void *ctx) {
    struct measure *m = ctx;
    struct reader *r = NULL;
    struct err err = {0};
    enum err_code rc = ledger_read_begin(m->ledger, &r, &err);
    (void)pthread_rwlock_wrlock(&m->lock);
    for (size_t i = 0; i < n && rc == ERR_OK && m->broken == ERR_OK; i++) {
        rc = apply_row(m, reader_db(r), &rows[i], &err);
        if (rc == ERR_OK) m->seq = rows[i].seq;
    }
    if (rc != ERR_OK && m->broken == ERR_OK) {
        m->broken = rc;
        (void)snprintf(m->why, sizeof m->why, "%.199s", err.detail);
    }
    (void)pthread_rwlock_unlock(&m->lock);
    if (r != NULL) ledger_read_end(r);
    (void)pthread_mutex_lock(&m->turn);
    m->reached = rows[n - 1].seq;
    (void)pthread_cond_broadcast(&m->moved);
    (void)pthread_mutex_unlock(&m->turn);
    if (rc != ERR_OK)
        if (m->log != NULL)
            log_event(m->log, LOG_WARN, "measure.stopped", LOG_STR("why", err.detail));
}

/* ---- open, borrow, close */

static enum err_code prepare(struct measure *m, const struct pack_set *packs, const struct tz *tz,
                             struct err *err) {
    struct atoms *atoms = NULL;
    m->arena = arena_new((size_t)64 << 20);
    if (m->arena == NULL) return err_fail(err, ERR_NOMEM, "indicators");
    TRY(atoms_new(m->arena, packs, tz, (const struct atoms **)&atoms, err));
    m->atoms = atoms;
    m->dir = arena_strdup(m->arena, ledger_dir(m->ledger));
    m->path = m->dir == NULL ? NULL : file_join(m->arena, m->dir, "cube.snapshot");
    if (m->path == NULL) return err_fail(err, ERR_NOMEM, "indicators");
    if (load_snapshot(m, NULL) == ERR_OK) return ERR_OK;
    return make_cube(m, err);
}

static void init_locks(struct measure *m) {
    /* Readers that overlap without end must not keep the follower out. */
    pthread_rwlockattr_t kind;
    (void)pthread_rwlockattr_init(&kind);
    (void)pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&m->lock, &kind);
    (void)pthread_rwlockattr_destroy(&kind);
    pthread_condattr_t mono;
    (void)pthread_condattr_init(&mono);
    (void)pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&m->turn, NULL);
    (void)pthread_cond_init(&m->moved, &mono);
    (void)pthread_condattr_destroy(&mono);
}

static void free_measure(struct measure *m) {
    cube_free(m->cube);
    arena_free(m->arena);
    (void)pthread_rwlock_destroy(&m->lock);
    (void)pthread_cond_destroy(&m->moved);
    (void)pthread_mutex_destroy(&m->turn);
    mem_free(m);
}

enum err_code measure_open(struct ledger *l, const struct pack_set *packs, const struct tz *tz,
                           const struct log *log, struct measure **out, struct err *err) {
    *out = NULL;
    struct measure *m = mem_new(1, sizeof *m);
    if (m == NULL) return err_fail(err, ERR_NOMEM, "indicators");
    *m = (struct measure){.ledger = l, .ledger_id = 1, .log = log};
    init_locks(m);
    enum err_code rc = prepare(m, packs, tz, err);
    if (rc == ERR_OK) {
        struct follower f = {.name = "measure", .seen = seen, .from_seq = m->seq, .ctx = m};
        m->reached = m->seq;
        rc = ledger_follow(l, &f, err);
    }
    if (rc != ERR_OK) {
        free_measure(m);
        return rc;
    }
    *out = m;
    return ERR_OK;
}

void measure_close(struct measure *m) {
    if (m == NULL) return;
    struct err err = {0};
    if (m->broken != ERR_OK)
        (void)remove(m->path); /* the next start makes it anew */
    else if (save_snapshot(m, &err) != ERR_OK)
        if (m->log != NULL)
            log_event(m->log, LOG_WARN, "measure.snapshot", LOG_STR("why", err.detail));
    free_measure(m);
}

const struct atoms *measure_atoms(const struct measure *m) { return m->atoms; }

enum err_code measure_borrow(struct measure *m, const struct cube **cube, int64_t *seq,
                             struct err *err) {
    (void)pthread_rwlock_rdlock(&m->lock);
    if (m->broken != ERR_OK) {
        enum err_code rc = err_fail(err, m->broken, "the indicators stand still: %s", m->why);
        (void)pthread_rwlock_unlock(&m->lock);
        return rc;
    }
    *cube = m->cube;
    *seq = m->seq;
    return ERR_OK;
}

void measure_wait(struct measure *m, int64_t seq, int timeout_ms) {
    int64_t at_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    struct timespec until = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
    (void)pthread_mutex_lock(&m->turn);
    while (m->reached < seq && pthread_cond_timedwait(&m->moved, &m->turn, &until) == 0) {
    }
    (void)pthread_mutex_unlock(&m->turn);
}

void measure_release(struct measure *m) { (void)pthread_rwlock_unlock(&m->lock); }
