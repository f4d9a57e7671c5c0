#include "crash_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"

enum { MOST_FILES = 16, SECTOR = 512 };

enum op_kind { OP_WRITE, OP_TRUNCATE };
struct op {
    enum op_kind kind;
    sqlite3_int64 at;
    size_t n;
    unsigned char *bytes;
};
struct model {
    char path[512];
    unsigned char *durable; /* bytes that a crash cannot take */
    size_t n_durable;
    bool is_durable; /* the name itself */
    bool removed;    /* without a sync of the folder: it may come back */
    struct op *ops;
    size_t n_ops, cap_ops;
};
static struct {
    pthread_mutex_t mu;
    struct model files[MOST_FILES];
    size_t n_files;
    struct rng rng;
    long ops, left; /* left < 0: no crash is planned */
    bool crashed;
    int fail_code;
} disk = {.mu = PTHREAD_MUTEX_INITIALIZER};

struct crash_file {
    sqlite3_file base;
    struct model *model;
    sqlite3_file *real;
};

static sqlite3_vfs *real_vfs(void) { return sqlite3_vfs_find("unix"); }

static void *must(void *p) {
    if (p == NULL) abort();
    return p;
}

static void forget_ops(struct model *m) {
    for (size_t i = 0; i < m->n_ops; i++) free(m->ops[i].bytes);
    m->n_ops = 0;
}

/* Under mu. */
static struct model *model_of(const char *path) {
    for (size_t i = 0; i < disk.n_files; i++) {
        if (strcmp(disk.files[i].path, path) == 0) return &disk.files[i];
    }
    if (disk.n_files == MOST_FILES) abort();
    struct model *m = &disk.files[disk.n_files++];
    *m = (struct model){.n_ops = 0};
    (void)snprintf(m->path, sizeof m->path, "%s", path);
    FILE *f = fopen(path, "rb");
    if (f == NULL) return m;
    (void)fseek(f, 0, SEEK_END);
    m->n_durable = (size_t)ftell(f);
    rewind(f);
    m->durable = must(malloc(m->n_durable + 1));
    if (fread(m->durable, 1, m->n_durable, f) != m->n_durable) abort();
    (void)fclose(f);
    m->is_durable = true;
    return m;
}

/* Under mu: counts an operation; an SQLite code when it must fail. */
static int count_op(void) {
    if (disk.crashed) return SQLITE_IOERR;
    if (disk.fail_code != SQLITE_OK) return disk.fail_code;
    disk.ops++;
    if (disk.left < 0) return SQLITE_OK;
    if (disk.left-- > 0) return SQLITE_OK;
    disk.crashed = true;
    return SQLITE_OK; /* the operation under way is the last to leave a trace, then the power is
                         gone */
}

static void record(struct model *m, enum op_kind kind, sqlite3_int64 at, const void *p, size_t n) {
    if (m->n_ops == m->cap_ops) {
        m->cap_ops = m->cap_ops == 0 ? 64 : m->cap_ops * 2;
        m->ops = must(realloc(m->ops, m->cap_ops * sizeof *m->ops));
    }
    struct op *op = &m->ops[m->n_ops++];
    *op = (struct op){.kind = kind, .at = at, .n = n};
    if (n == 0) return;
    op->bytes = must(malloc(n));
    memcpy(op->bytes, p, n);
}

static void resize(struct model *m, size_t n) {
    if (n > m->n_durable) {
        m->durable = must(realloc(m->durable, n));
        memset(m->durable + m->n_durable, 0, n - m->n_durable);
    }
    m->n_durable = n;
}

static void put(struct model *m, size_t at, const unsigned char *p, size_t n) {
    if (at + n > m->n_durable) resize(m, at + n);
    memcpy(m->durable + at, p, n);
}

static void apply(struct model *m, const struct op *op) {
    if (op->kind == OP_TRUNCATE)
        resize(m, (size_t)op->at);
    else
        put(m, (size_t)op->at, op->bytes, op->n);
}

/* One sector at a time: kept, lost, or garbage. */
static void apply_torn(struct model *m, const struct op *op) {
    for (size_t from = 0; from < op->n; from += SECTOR) {
        size_t n = op->n - from < SECTOR ? op->n - from : SECTOR;
        unsigned char bytes[SECTOR];
        switch (rng_below(&disk.rng, 5)) {
        case 0:
            break;
        case 1:
            for (size_t i = 0; i < n; i++) bytes[i] = (unsigned char)rng_u32(&disk.rng);
            put(m, (size_t)op->at + from, bytes, n);
            break;
        default:
            put(m, (size_t)op->at + from, op->bytes + from, n);
            break;
        }
    }
}

/* ---- file methods ---- */

static sqlite3_file *real_of(sqlite3_file *f) { return ((struct crash_file *)f)->real; }

static int x_close(sqlite3_file *f) {
    sqlite3_file *real = real_of(f);
    return real->pMethods == NULL ? SQLITE_OK : real->pMethods->xClose(real);
}

static int x_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at) {
    (void)pthread_mutex_lock(&disk.mu);
    bool crashed = disk.crashed;
    (void)pthread_mutex_unlock(&disk.mu);
    return crashed ? SQLITE_IOERR_READ : real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}

static int x_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at) {
    struct crash_file *c = (struct crash_file *)f;
    (void)pthread_mutex_lock(&disk.mu);
    int rc = count_op();
    if (rc == SQLITE_OK) {
        record(c->model, OP_WRITE, at, p, (size_t)n);
        rc = disk.crashed ? SQLITE_IOERR_WRITE : c->real->pMethods->xWrite(c->real, p, n, at);
    }
    (void)pthread_mutex_unlock(&disk.mu);
    return rc;
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 size) {
    struct crash_file *c = (struct crash_file *)f;
    (void)pthread_mutex_lock(&disk.mu);
    int rc = count_op();
    if (rc == SQLITE_OK) {
        record(c->model, OP_TRUNCATE, size, NULL, 0);
        rc = disk.crashed ? SQLITE_IOERR_TRUNCATE : c->real->pMethods->xTruncate(c->real, size);
    }
    (void)pthread_mutex_unlock(&disk.mu);
    return rc;
}

/* The system's VFS syncs the folder too with the first sync of a new file. */
static int x_sync(sqlite3_file *f, int flags) {
    struct crash_file *c = (struct crash_file *)f;
    (void)flags; /* the model needs no real sync */
    (void)pthread_mutex_lock(&disk.mu);
    int rc = count_op();
    if (rc == SQLITE_OK && disk.crashed) rc = SQLITE_IOERR_FSYNC;
    if (rc == SQLITE_OK) {
        for (size_t i = 0; i < c->model->n_ops; i++) apply(c->model, &c->model->ops[i]);
        forget_ops(c->model);
        c->model->is_durable = true;
    }
    (void)pthread_mutex_unlock(&disk.mu);
    return rc;
}

static int x_size(sqlite3_file *f, sqlite3_int64 *n) {
    return real_of(f)->pMethods->xFileSize(real_of(f), n);
}
static int x_lock(sqlite3_file *f, int level) {
    return real_of(f)->pMethods->xLock(real_of(f), level);
}
static int x_unlock(sqlite3_file *f, int level) {
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}
static int x_reserved(sqlite3_file *f, int *out) {
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
static int x_control(sqlite3_file *f, int op, void *p) {
    return op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE
               ? SQLITE_NOTFOUND
               : real_of(f)->pMethods->xFileControl(real_of(f), op, p);
}
static int x_sector(sqlite3_file *f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
static int x_device(sqlite3_file *f) {
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int x_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
static int x_shm_lock(sqlite3_file *f, int offset, int n, int flags) {
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}
static void x_shm_barrier(sqlite3_file *f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); }
static int x_shm_unmap(sqlite3_file *f, int remove_it) {
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove_it);
}

static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = x_close,
                                           .xRead = x_read,
                                           .xWrite = x_write,
                                           .xTruncate = x_truncate,
                                           .xSync = x_sync,
                                           .xFileSize = x_size,
                                           .xLock = x_lock,
                                           .xUnlock = x_unlock,
                                           .xCheckReservedLock = x_reserved,
                                           .xFileControl = x_control,
                                           .xSectorSize = x_sector,
                                           .xDeviceCharacteristics = x_device,
                                           .xShmMap = x_shm_map,
                                           .xShmLock = x_shm_lock,
                                           .xShmBarrier = x_shm_barrier,
                                           .xShmUnmap = x_shm_unmap};

/* ---- VFS methods ---- */

static int v_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out_flags) {
    struct crash_file *c = (struct crash_file *)f;
    (void)vfs;
    *c = (struct crash_file){.real = (sqlite3_file *)(c + 1)};
    if (path == NULL)
        return real_vfs()->xOpen(real_vfs(), path, f, flags,
                                 out_flags); /* a temporary file is nobody's data */
    (void)pthread_mutex_lock(&disk.mu);
    c->model = model_of(path);
    c->model->removed = false;
    (void)pthread_mutex_unlock(&disk.mu);
    int rc = real_vfs()->xOpen(real_vfs(), path, c->real, flags, out_flags);
    c->base.pMethods = c->real->pMethods == NULL ? NULL : &methods;
    return rc;
}

static int v_delete(sqlite3_vfs *vfs, const char *path, int sync_dir) {
    (void)vfs;
    (void)pthread_mutex_lock(&disk.mu);
    int rc = count_op();
    if (rc == SQLITE_OK && disk.crashed) rc = SQLITE_IOERR_DELETE;
    if (rc == SQLITE_OK) {
        struct model *m = model_of(path);
        m->removed = true;
        if (sync_dir) m->is_durable = false;
        rc = real_vfs()->xDelete(real_vfs(), path, 0);
    }
    (void)pthread_mutex_unlock(&disk.mu);
    return rc;
}

static int v_access(sqlite3_vfs *vfs, const char *path, int flags, int *out) {
    (void)vfs;
    return real_vfs()->xAccess(real_vfs(), path, flags, out);
}
static int v_full(sqlite3_vfs *vfs, const char *path, int n, char *out) {
    (void)vfs;
    return real_vfs()->xFullPathname(real_vfs(), path, n, out);
}
static int v_random(sqlite3_vfs *vfs, int n, char *out) {
    (void)vfs;
    return real_vfs()->xRandomness(real_vfs(), n, out);
}
static int v_sleep(sqlite3_vfs *vfs, int us) {
    (void)vfs;
    return real_vfs()->xSleep(real_vfs(), us);
}
static int v_time(sqlite3_vfs *vfs, double *out) {
    (void)vfs;
    return real_vfs()->xCurrentTime(real_vfs(), out);
}
static int v_error(sqlite3_vfs *vfs, int n, char *out) {
    (void)vfs;
    return real_vfs()->xGetLastError(real_vfs(), n, out);
}
static int v_time64(sqlite3_vfs *vfs, sqlite3_int64 *out) {
    (void)vfs;
    return real_vfs()->xCurrentTimeInt64(real_vfs(), out);
}

void crash_begin(uint64_t seed) {
    static sqlite3_vfs vfs = {.iVersion = 2,
                              .mxPathname = 512,
                              .zName = CRASH_VFS,
                              .xOpen = v_open,
                              .xDelete = v_delete,
                              .xAccess = v_access,
                              .xFullPathname = v_full,
                              .xRandomness = v_random,
                              .xSleep = v_sleep,
                              .xCurrentTime = v_time,
                              .xGetLastError = v_error,
                              .xCurrentTimeInt64 = v_time64};
    if (sqlite3_vfs_find(CRASH_VFS) == NULL) {
        vfs.szOsFile = (int)sizeof(struct crash_file) + real_vfs()->szOsFile;
        if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) abort();
    }
    for (size_t i = 0; i < disk.n_files; i++) {
        forget_ops(&disk.files[i]);
        free(disk.files[i].ops);
        free(disk.files[i].durable);
    }
    disk.n_files = 0;
    disk.rng = rng_new(seed, 77);
    disk.ops = 0;
    disk.left = -1;
    disk.crashed = false;
    disk.fail_code = SQLITE_OK;
}

void crash_after(long n) {
    (void)pthread_mutex_lock(&disk.mu);
    disk.left = n;
    (void)pthread_mutex_unlock(&disk.mu);
}

bool crash_happened(void) {
    (void)pthread_mutex_lock(&disk.mu);
    bool crashed = disk.crashed;
    (void)pthread_mutex_unlock(&disk.mu);
    return crashed;
}

long crash_ops(void) {
    (void)pthread_mutex_lock(&disk.mu);
    long n = disk.ops;
    (void)pthread_mutex_unlock(&disk.mu);
    return n;
}

void crash_fail_writes(int sqlite_code) {
    (void)pthread_mutex_lock(&disk.mu);
    disk.fail_code = sqlite_code;
    (void)pthread_mutex_unlock(&disk.mu);
}

/* Unsynced writes reach the disk in any order: a random half of them changes places first. */
static void settle_file(struct model *m) {
    char shm[600];
    for (size_t i = 0; i + 1 < m->n_ops; i++) {
        size_t other = i + rng_below(&disk.rng, (uint32_t)(m->n_ops - i));
        if (rng_below(&disk.rng, 2) == 0) continue;
        struct op op = m->ops[i];
        m->ops[i] = m->ops[other];
        m->ops[other] = op;
    }
    /* A mood for the whole file, so that all, none and some of the writes survive often enough. */
    uint32_t mood = rng_below(&disk.rng, 4);
    for (size_t i = 0; i < m->n_ops; i++) {
        uint32_t fate = mood == 0 ? 0 : mood == 1 ? 1 : rng_below(&disk.rng, 3);
        if (fate == 1) apply(m, &m->ops[i]);
        if (fate == 2 && m->ops[i].kind == OP_WRITE) apply_torn(m, &m->ops[i]);
    }
    bool exists = m->removed ? m->is_durable && rng_below(&disk.rng, 2) == 0
                             : m->is_durable || rng_below(&disk.rng, 2) == 0;
    (void)unlink(m->path);
    (void)snprintf(shm, sizeof shm, "%s-shm", m->path);
    (void)unlink(shm);
    if (!exists) return;
    FILE *f = must(fopen(m->path, "wb"));
    if (m->n_durable > 0 && fwrite(m->durable, 1, m->n_durable, f) != m->n_durable) abort();
    (void)fclose(f);
}

void crash_settle(void) {
    if (!disk.crashed) return;
    for (size_t i = 0; i < disk.n_files; i++) settle_file(&disk.files[i]);
}
