#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/inside.h"
#include "store/os.h"
#include "store/statements.h"

enum {
    DEFAULT_QUEUE = 8192,
    WRITER_CACHE_KIB = 65536,
    READER_CACHE_KIB = 8192,
    KEEPER_CACHE_KIB = 256,
    KEEPER_WAIT_MS = 50,
    LEDGER_ARENA = 64 << 20,
    FOLD_EVERY_MS = 500,
    LOG_BYTES = 32 << 20
};

void ledger_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t mono_us) {
    struct timespec ts = {.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};
    (void)pthread_cond_timedwait(c, m, &ts);
}

static enum err_code path_of(const char *dir, const char *name, char out[LEDGER_PATH],
                             struct err *err) {
    int n = snprintf(out, LEDGER_PATH, "%s/%s", dir, name);
    return n > 0 && n < LEDGER_PATH ? ERR_OK
                                    : err_fail(err, ERR_INVALID, "the folder's path is too long");
}

static enum err_code make_dir(const char *path, unsigned mode, struct err *err) {
    if (mkdir(path, mode) == 0 || errno == EEXIST) return ERR_OK;
    return os_fail(err, "cannot make", path);
}

static enum err_code make_dirs(const char *dir, struct err *err) {
    static const char *const names[] = {"blobs", "packs"};
    char path[LEDGER_PATH];
    TRY(make_dir(dir, 0750, err));
    for (size_t i = 0; i < 2; i++) {
        TRY(path_of(dir, names[i], path, err));
        TRY(make_dir(path, 0750, err));
    }
    unsigned char id[16];
    char hex[33], name[NOTE_NAME_MAX];
    randombytes_buf(id, sizeof id);
    (void)sodium_bin2hex(hex, sizeof hex, id, sizeof id);
    (void)snprintf(name, sizeof name, "gezhi-ledger/%s", hex);
    return keys_make(dir, name, err);
}

/* The database is made under another name and renamed, so that a half-made one is never taken for a
 * ledger. */
static enum err_code make_db(const char *dir, int64_t ledger, struct err *err) {
    char fresh[LEDGER_PATH], final[LEDGER_PATH];
    TRY(path_of(dir, DB_NAME ".new", fresh, err));
    TRY(path_of(dir, DB_NAME, final, err));
    if (unlink(fresh) != 0 && errno != ENOENT) return os_fail(err, "cannot remove", fresh);
    const struct db_open o = {.create = true};
    struct db *db;
    TRY(db_open(&driver_sqlite, fresh, &o, &db, err));
    size_t n;
    const struct migration *m = migrations_builtin(&n);
    enum err_code rc = migrate(db, ledger, m, n, err);
    db_close(db, true);
    TRY(rc);
    if (rename(fresh, final) != 0) return os_fail(err, "cannot rename", fresh);
    return file_sync_dir(dir, err);
}

enum err_code ledger_create(const char *dir, const struct ledger_options *o, struct err *err) {
    char path[LEDGER_PATH];
    struct stat st;
    if (sodium_init() < 0) return err_fail(err, ERR_INTERNAL, "libsodium does not start");
    TRY(path_of(dir, DB_NAME, path, err));
    if (stat(path, &st) == 0) return err_fail(err, ERR_CONFLICT, "%s holds a ledger already", dir);
    TRY(make_dirs(dir, err));
    TRY(make_db(dir, o->ledger_id, err));
    struct ledger_options plain = *o;
    plain.vfs = NULL;
    struct ledger *l;
    TRY(ledger_open(dir, &plain, &l, err));
    ledger_close(l);
    return ERR_OK;
}

static enum err_code open_with(const struct ledger *l, struct db_open o, struct db **out,
                               struct err *err) {
    char path[LEDGER_PATH];
    TRY(path_of(l->dir, DB_NAME, path, err));
    o.vfs = l->vfs[0] == '\0' ? NULL : l->vfs;
    o.no_sync = l->no_sync;
    TRY(db_open(&driver_sqlite, path, &o, out, err));
    db_set_ledger(*out, l->id);
    return ERR_OK;
}

enum err_code ledger_open_db(const struct ledger *l, bool read_only, int cache_kib, struct db **out,
                             struct err *err) {
    return open_with(l, (struct db_open){.read_only = read_only, .cache_kib = cache_kib}, out, err);
}

enum err_code ledger_open_keeper_db(const struct ledger *l, struct db **out, struct err *err) {
    return open_with(l, (struct db_open){.cache_kib = KEEPER_CACHE_KIB, .wait_ms = KEEPER_WAIT_MS},
                     out, err);
}

static enum err_code take_lock(struct ledger *l, struct err *err) {
    char path[LEDGER_PATH];
    TRY(path_of(l->dir, "lock", path, err));
    l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->lock_fd < 0) return os_fail(err, "cannot open", path);
    if (flock(l->lock_fd, LOCK_EX | LOCK_NB) == 0) return ERR_OK;
    return err_fail(err, errno == EWOULDBLOCK ? ERR_CONFLICT : ERR_IO, "another server has %s open",
                    l->dir);
}

/* Before anything is touched, the lock file included. */
static enum err_code check_format(struct ledger *l, struct err *err) {
    char path[LEDGER_PATH];
    int64_t format;
    TRY(path_of(l->dir, DB_NAME, path, err));
    enum err_code rc = driver_sqlite.probe(path, &format, err);
    if (rc == ERR_NOT_FOUND) return err_fail(err, rc, "%s holds no ledger", l->dir);
    TRY(rc);
    if (format <= LEDGER_FORMAT) return ERR_OK;
    return err_fail(err, ERR_CONFLICT,
                    "%s has format %lld, made by a newer program; this one knows up to %d", l->dir,
                    (long long)format, (int)LEDGER_FORMAT);
}

/* Opening reads the head and the last row only: the whole journal is for verify. */
static enum err_code check_tail(struct ledger *l, struct err *err) {
    struct cell p[1] = {cell_int(l->id)};
    struct cursor *c = NULL;
    TRY(db_query(l->w, stmt_sql(STMT_JOURNAL_LAST), p, 1, &c, err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, err);
    unsigned char leaf[MERKLE_HASH] = {0};
    int64_t seq = 0;
    if (rc == ERR_OK && has) {
        struct jrow row = journal_row(c);
        seq = row.seq;
        rc = journal_leaf(l->sha, &l->leaf, l->id, &row, leaf, err);
    }
    cursor_close(c);
    TRY(rc);
    if ((uint64_t)seq == l->head.tree.size && memcmp(leaf, l->head.tail, sizeof leaf) == 0)
        return ERR_OK;
    return err_fail(err, ERR_CORRUPT,
                    "the journal ends at %lld but its head stands at %llu; run verify",
                    (long long)seq, (unsigned long long)l->head.tree.size);
}

/* The folder may not be older than the checkpoint beside it: that file is written only after a
 * durable commit. */
static enum err_code check_checkpoint(struct ledger *l, struct err *err) {
    struct cell p[1] = {cell_int(l->id)};
    TRY(db_int(l->w, stmt_sql(STMT_CHECKPOINT_LAST), p, 1, 0, &l->signed_size, err));
    int64_t size = (int64_t)l->head.tree.size;
    char path[LEDGER_PATH];
    struct buf b;
    struct checkpoint cp = {.size = 0};
    TRY(path_of(l->dir, "checkpoint", path, err));
    buf_init(&b, (size_t)NOTE_MAX * 4);
    enum err_code rc = file_read(path, &b, err);
    if (rc == ERR_OK) rc = note_parse(buf_text(&b), b.n, &cp, err);
    buf_deinit(&b);
    if (rc == ERR_NOT_FOUND) rc = ERR_OK;
    if (rc == ERR_SYNTAX) return err_fail(err, ERR_CORRUPT, "%s is damaged; run verify", path);
    TRY(rc);
    if (cp.size > size || l->signed_size > size)
        return err_fail(err, ERR_CORRUPT,
                        "the journal ends at %lld, but a checkpoint was signed at %lld: rows are "
                        "lost; run verify",
                        (long long)size, (long long)(cp.size > size ? cp.size : l->signed_size));
    if (size != l->signed_size) l->unsigned_since_us = clock_mono_us();
    return ERR_OK;
}

struct outcome {
    struct ledger *l;
    enum err_code rc;
    struct err *err;
};

static enum err_code apply_outcome(struct tx *tx, void *arg, struct err *err) {
    const struct outcome *o = arg;
    return schema_apply(tx, o->l, err);
}

static void keep_outcome(void *arg, enum err_code rc, const struct err *err,
                         const struct reply *reply, int64_t seq) {
    struct outcome *o = arg;
    (void)reply;
    (void)seq;
    o->rc = rc;
    if (rc != ERR_OK && o->err != NULL) *o->err = *err;
}

static enum err_code apply_schema(struct ledger *l, struct err *err) {
    struct outcome o = {.l = l, .rc = ERR_OK, .err = err};
    struct command c = {.name = "schema.apply",
                        .actor = "system",
                        .apply = apply_outcome,
                        .done = keep_outcome,
                        .arg = &o};
    struct job *j;
    TRY(job_new(&c, false, &j, err));
    writer_group(l, j, false);
    return o.rc;
}

static enum err_code open_readers(struct ledger *l, int n, struct err *err) {
    for (int i = 0; i < n; i++) {
        struct reader *r = mem_new(1, sizeof *r);
        if (r == NULL) return err_fail(err, ERR_NOMEM, "no memory for a reader");
        r->l = l;
        r->next = l->readers;
        l->readers = r;
        TRY(ledger_open_db(l, true, READER_CACHE_KIB, &r->db, err));
    }
    return ERR_OK;
}

static enum err_code start_threads(struct ledger *l, struct err *err) {
    if (pthread_create(&l->keeper, NULL, keeper_main, l) != 0)
        return err_fail(err, ERR_NOMEM, "cannot start a thread");
    if (pthread_create(&l->writer, NULL, writer_main, l) != 0) {
        (void)pthread_mutex_lock(&l->keeper_mu);
        l->keeper_stop = true;
        (void)pthread_cond_signal(&l->keeper_more);
        (void)pthread_mutex_unlock(&l->keeper_mu);
        (void)pthread_join(l->keeper, NULL);
        return err_fail(err, ERR_NOMEM, "cannot start a thread");
    }
    l->threads = true;
    return ERR_OK;
}

/* The folder as it is: nothing is written but by migrations. */
static enum err_code open_state(struct ledger *l, struct err *err) {
    size_t n;
    const struct migration *m = migrations_builtin(&n);
    TRY(ledger_open_db(l, false, WRITER_CACHE_KIB, &l->w, err));
    TRY(migrate(l->w, l->id, m, n, err));
    TRY(head_load(l->w, l->id, &l->head, err));
    TRY(check_tail(l, err));
    return check_checkpoint(l, err);
}

static enum err_code open_steps(struct ledger *l, const struct ledger_options *o, struct err *err) {
    if (o->ledger_id < 1) return err_fail(err, ERR_INTERNAL, "ledger ids start at 1");
    TRY(check_format(l, err));
    TRY(take_lock(l, err));
    TRY(keys_load(l->dir, &l->keys, err));
    TRY(schema_register(l, o, err));
    TRY(open_state(l, err));
    l->committed = l->head;
    atomic_store(&l->last_seq, (int64_t)l->head.tree.size);
    TRY(apply_schema(l, err));
    TRY(open_readers(l, o->n_readers < 1 ? 1 : o->n_readers, err));
    return start_threads(l, err);
}

static void init_waits(struct ledger *l) {
    pthread_condattr_t mono;
    (void)pthread_condattr_init(&mono);
    (void)pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_t *conds[] = {&l->more, &l->keeper_more, &l->reader_free, &l->follow_more};
    pthread_mutex_t *locks[] = {&l->mu, &l->keeper_mu, &l->reader_mu, &l->follow_mu};
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_cond_init(conds[i], &mono);
        (void)pthread_mutex_init(locks[i], NULL);
    }
    (void)pthread_condattr_destroy(&mono);
}

static void free_ledger(struct ledger *l, bool clean) {
    while (l->readers != NULL) {
        struct reader *r = l->readers;
        l->readers = r->next;
        db_close(r->db, false);
        mem_free(r);
    }
    db_close(l->w, clean);
    if (l->lock_fd >= 0) (void)close(l->lock_fd);
    pthread_cond_t *conds[] = {&l->more, &l->keeper_more, &l->reader_free, &l->follow_more};
    pthread_mutex_t *locks[] = {&l->mu, &l->keeper_mu, &l->reader_mu, &l->follow_mu};
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_cond_destroy(conds[i]);
        (void)pthread_mutex_destroy(locks[i]);
    }
    sha_free(l->sha);
    buf_deinit(&l->image);
    buf_deinit(&l->leaf);
    sodium_memzero(&l->keys, sizeof l->keys);
    arena_free(l->arena);
    mem_free(l->dir);
    mem_free(l);
}

static bool has_log(const char *dir) {
    char path[LEDGER_PATH];
    struct stat st;
    return path_of(dir, DB_NAME "-wal", path, NULL) == ERR_OK && stat(path, &st) == 0 &&
           st.st_size > 0;
}

enum err_code ledger_open(const char *dir, const struct ledger_options *o, struct ledger **out,
                          struct err *err) {
    if (sodium_init() < 0) return err_fail(err, ERR_INTERNAL, "libsodium does not start");
    struct ledger *l = mem_new(1, sizeof *l);
    if (l == NULL) return err_fail(err, ERR_NOMEM, "no memory for a ledger");
    init_waits(l);
    l->lock_fd = -1;
    l->dir = mem_dup(dir, strlen(dir));
    l->arena = arena_new(LEDGER_ARENA);
    l->clock = o->clock;
    l->log = o->log;
    l->id = o->ledger_id;
    l->no_sync = o->no_sync;
    l->fold_every_us = (int64_t)(o->fold_every_ms > 0 ? o->fold_every_ms : FOLD_EVERY_MS) * 1000;
    l->log_bytes = o->log_bytes > 0 ? o->log_bytes : LOG_BYTES;
    l->max_queue = o->max_queue == 0 ? DEFAULT_QUEUE : o->max_queue;
    (void)snprintf(l->vfs, sizeof l->vfs, "%s", o->vfs == NULL ? "" : o->vfs);
    l->sha = sha_new();
    buf_init(&l->image, IMAGE_MAX);
    buf_init(&l->leaf, IMAGE_MAX + 4096);
    bool log_before = has_log(dir);
    enum err_code rc = l->dir == NULL || l->arena == NULL
                           ? err_fail(err, ERR_NOMEM, "no memory for a ledger")
                           : open_steps(l, o, err);
    if (rc != ERR_OK) {
        /* Without a log from before, closing cleanly only removes the empty one that opening made.
         */
        free_ledger(l, !log_before);
        return rc;
    }
    *out = l;
    return ERR_OK;
}

void ledger_close(struct ledger *l) {
    if (l == NULL) return;
    (void)pthread_mutex_lock(&l->mu);
    l->closing = true;
    (void)pthread_mutex_unlock(&l->mu);
    follow_stop_all(l);
    (void)pthread_mutex_lock(&l->mu);
    l->stop = true;
    (void)pthread_cond_signal(&l->more);
    (void)pthread_mutex_unlock(&l->mu);
    (void)pthread_join(l->writer, NULL);
    (void)pthread_mutex_lock(&l->keeper_mu);
    l->keeper_stop = true;
    (void)pthread_cond_signal(&l->keeper_more);
    (void)pthread_mutex_unlock(&l->keeper_mu);
    (void)pthread_join(l->keeper, NULL);
    free_ledger(l, true);
}

const char *ledger_dir(const struct ledger *l) { return l->dir; }
int64_t ledger_last_seq(const struct ledger *l) { return atomic_load(&l->last_seq); }
bool ledger_read_only(const struct ledger *l) { return atomic_load(&l->read_only) != ERR_OK; }
const unsigned char *ledger_secret(const struct ledger *l) { return l->keys.secret; }

enum err_code ledger_read_begin(struct ledger *l, struct reader **out, struct err *err) {
    (void)pthread_mutex_lock(&l->reader_mu);
    while (l->readers == NULL) (void)pthread_cond_wait(&l->reader_free, &l->reader_mu);
    struct reader *r = l->readers;
    l->readers = r->next;
    (void)pthread_mutex_unlock(&l->reader_mu);
    struct head head;
    enum err_code rc = db_begin(r->db, false, err);
    if (rc == ERR_OK) rc = head_load(r->db, l->id, &head, err);
    if (rc != ERR_OK) {
        ledger_read_end(r);
        return rc;
    }
    r->seq = (int64_t)head.tree.size;
    *out = r;
    return ERR_OK;
}

void ledger_read_end(struct reader *r) {
    struct ledger *l = r->l;
    db_rollback(r->db);
    (void)pthread_mutex_lock(&l->reader_mu);
    r->next = l->readers;
    l->readers = r;
    (void)pthread_cond_signal(&l->reader_free);
    (void)pthread_mutex_unlock(&l->reader_mu);
}

struct db *reader_db(struct reader *r) {
    return r->db;
}
int64_t reader_seq(const struct reader *r) { return r->seq; }

enum err_code reader_get(struct reader *r, const struct table *t, int64_t id, struct arena *a,
                         struct cell *cells, int64_t *version, struct err *err) {
    const struct tabinfo *ti = schema_find(r->l, t->name);
    if (ti == NULL || ti->t->n_cols != t->n_cols)
        return err_fail(err, ERR_INTERNAL, "table %s is not part of this ledger", t->name);
    return row_get(r->db, r->l->id, ti, id, a, cells, version, err);
}
