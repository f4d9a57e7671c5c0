#include "store/driver.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "store/os.h"

enum {
    PAGE_SIZE = 8192,
    LOCK_WAIT_MS = 5000,
    HEADER = 100,
    PATH_LEN = 4096,
    APPLICATION_ID = 0x477a6869 /* "Gzhi" */
};

struct conn {
    sqlite3 *db;
};

static enum err_code code_of(int rc) {
    if (rc == SQLITE_IOERR_NOMEM) return ERR_NOMEM;
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ERR_OK;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return ERR_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    case SQLITE_CONSTRAINT:
        return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ? ERR_CONFLICT
                                                                                    : ERR_INVALID;
    case SQLITE_INTERRUPT:
        return ERR_TIMEOUT;
    default:
        return ERR_INTERNAL;
    }
}

static enum err_code fail(sqlite3 *db, int rc, struct err *err) {
    const char *what = db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(db);
    return err_fail(err, code_of(rc), "database: %s (%d)", what, rc);
}

static enum err_code exec(sqlite3 *db, const char *sql, struct err *err) {
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : fail(db, rc, err);
}

/* A database that a person may have prepared must not run anything of its own: no views or triggers
 * with side effects, no writable schema. secure_delete overwrites erased values in the file. */
static enum err_code configure(sqlite3 *db, const struct db_open *o, struct err *err) {
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, o->wait_ms > 0 ? o->wait_ms : LOCK_WAIT_MS);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    TRY(exec(db, "PRAGMA cell_size_check=ON; PRAGMA foreign_keys=OFF; PRAGMA mmap_size=0", err));
    /* A reader's sorts stay in memory, so that no personal value gets into a temporary file. */
    if (o->read_only) TRY(exec(db, "PRAGMA temp_store=MEMORY", err));
    char text[64];
    (void)snprintf(text, sizeof text, "PRAGMA cache_size=-%d",
                   o->cache_kib > 0 ? o->cache_kib : 4096);
    TRY(exec(db, text, err));
    if (o->read_only) return ERR_OK;
    if (o->create) {
        (void)snprintf(text, sizeof text, "PRAGMA page_size=%d", (int)PAGE_SIZE);
        TRY(exec(db, text, err));
    }
    TRY(exec(db, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=ON",
             err));
    return exec(db, o->no_sync ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL", err);
}

static enum err_code query_int(sqlite3 *db, const char *sql, int64_t *out, struct err *err) {
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) *out = sqlite3_column_int64(s, 0);
    enum err_code code = rc == SQLITE_ROW ? ERR_OK : fail(db, rc, err);
    (void)sqlite3_finalize(s);
    return code;
}

static bool has_log(const char *where) {
    char path[PATH_LEN];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s-wal", where);
    return n > 0 && n < (int)sizeof path && stat(path, &st) == 0 && st.st_size > 0;
}

/* "file:" + path with all but plain bytes as %XX + "?immutable=1". */
static bool immutable_uri(const char *where, char out[PATH_LEN]) {
    size_t n = (size_t)snprintf(out, PATH_LEN, "file:");
    for (const unsigned char *p = (const unsigned char *)where; *p != '\0'; p++) {
        bool plain = isalnum(*p) || strchr("/._-", *p) != NULL;
        if (n + 20 > PATH_LEN) return false;
        n += (size_t)snprintf(out + n, PATH_LEN - n, plain ? "%c" : "%%%02X", *p);
    }
    (void)snprintf(out + n, PATH_LEN - n, "?immutable=1");
    return true;
}

/* A savepoint keeps copies of the pages that a command changes, and they stay in memory. With a
 * limit SQLite takes one piece of that size and writes it out whole when a command outgrows it; its
 * unix VFS writes at most 2^17 - 1 bytes a call and takes the rest of a piece that is a multiple of
 * 2^17 for a full disk (3.40). Takes effect before the first connection. */
static void set_up_once(void) {
    (void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
                         0); /* nobody reads the counts, and each costs a lock */
}

static enum err_code open_one(const char *where, int flags, const struct db_open *o, struct conn *c,
                              struct err *err) {
    int rc = sqlite3_open_v2(where, &c->db, flags, o->vfs);
    enum err_code code = rc == SQLITE_OK ? configure(c->db, o, err) : fail(c->db, rc, err);
    int64_t version;
    if (code == ERR_OK && o->read_only)
        code = query_int(c->db, "PRAGMA schema_version", &version, err);
    if (code == ERR_OK) return ERR_OK;
    (void)sqlite3_close_v2(c->db);
    c->db = NULL;
    return code;
}

static enum err_code lite_open(const char *where, const struct db_open *o, void **out,
                               struct err *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct conn *c = mem_new(1, sizeof *c);
    char uri[PATH_LEN];
    (void)pthread_once(&once, set_up_once);
    if (c == NULL) return err_fail(err, ERR_NOMEM, "no memory for a connection");
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= o->read_only ? SQLITE_OPEN_READONLY
                          : SQLITE_OPEN_READWRITE | (o->create ? SQLITE_OPEN_CREATE : 0);
    enum err_code code = open_one(where, flags, o, c, err);
    /* Reading a file with a write-ahead log needs a writable folder for the shared index of the
     * log; where the folder cannot be written and no log is left, nobody else writes either. */
    if (code == ERR_IO && o->read_only && !has_log(where) && immutable_uri(where, uri))
        code = open_one(uri, flags | SQLITE_OPEN_URI, o, c, err);
    if (code != ERR_OK) {
        mem_free(c);
        return code;
    }
    *out = c;
    return ERR_OK;
}

/* Not clean: a log with something in it stays as it is. An empty one, which opening made, goes in
 * any case. */
static void lite_close(void *p, bool clean) {
    struct conn *c = p;
    const char *where = sqlite3_db_filename(c->db, "main");
    if (clean || (where != NULL && !has_log(where)))
        (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    (void)sqlite3_close_v2(c->db);
    mem_free(c);
}

static enum err_code lite_prepare(void *p, const char *sql, void **stmt, int *n_params,
                                  struct err *err) {
    struct conn *c = p;
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL);
    if (rc != SQLITE_OK) return fail(c->db, rc, err);
    if (s == NULL) return err_fail(err, ERR_INTERNAL, "an empty statement");
    *n_params = sqlite3_bind_parameter_count(s);
    *stmt = s;
    return ERR_OK;
}

static void lite_finalize(void *stmt) { (void)sqlite3_finalize(stmt); }

static enum err_code lite_bind(void *p, void *stmt, const struct cell *cells, size_t n, bool keep,
                               struct err *err) {
    struct conn *c = p;
    for (size_t i = 0; i < n; i++) {
        const struct cell *x = &cells[i];
        int rc, k = (int)i + 1;
        switch (x->type) {
        case CELL_INT:
            rc = sqlite3_bind_int64(stmt, k, x->i);
            break;
        case CELL_REAL:
            rc = sqlite3_bind_double(stmt, k, x->d);
            break;
        case CELL_TEXT:
        case CELL_COMMIT:
            rc = sqlite3_bind_text64(stmt, k, x->p, x->n, keep ? SQLITE_TRANSIENT : SQLITE_STATIC,
                                     SQLITE_UTF8);
            break;
        case CELL_BLOB:
            rc = sqlite3_bind_blob64(stmt, k, x->p == NULL ? "" : x->p, x->n,
                                     keep ? SQLITE_TRANSIENT : SQLITE_STATIC);
            break;
        default:
            rc = sqlite3_bind_null(stmt, k);
            break;
        }
        if (rc != SQLITE_OK) return fail(c->db, rc, err);
    }
    return ERR_OK;
}

static enum err_code lite_step(void *p, void *stmt, bool *row, struct err *err) {
    struct conn *c = p;
    int rc = sqlite3_step(stmt);
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : fail(c->db, rc, err);
}

static void lite_reset(void *stmt) { (void)sqlite3_reset(stmt); }

static enum cell_type lite_column_type(void *stmt, int col) {
    switch (sqlite3_column_type(stmt, col)) {
    case SQLITE_INTEGER:
        return CELL_INT;
    case SQLITE_FLOAT:
        return CELL_REAL;
    case SQLITE_TEXT:
        return CELL_TEXT;
    case SQLITE_BLOB:
        return CELL_BLOB;
    default:
        return CELL_NULL;
    }
}

static int64_t lite_column_int(void *stmt, int col) { return sqlite3_column_int64(stmt, col); }
static double lite_column_real(void *stmt, int col) { return sqlite3_column_double(stmt, col); }
static const char *lite_column_text(void *stmt, int col) {
    return (const char *)sqlite3_column_text(stmt, col);
}

static const void *lite_column_blob(void *stmt, int col, size_t *n) {
    const void *p = sqlite3_column_blob(stmt, col);
    *n = (size_t)sqlite3_column_bytes(stmt, col);
    return p;
}

static int64_t lite_changes(void *p) { return sqlite3_changes64(((struct conn *)p)->db); }
static int64_t lite_total_changes(void *p) {
    return sqlite3_total_changes64(((struct conn *)p)->db);
}
static bool lite_in_tx(void *p) { return sqlite3_get_autocommit(((struct conn *)p)->db) == 0; }

/* Without statistics SQLite takes the first column of any key for selective, so that "WHERE ledger
 * = ? ... ORDER BY id" would walk a whole table by its key. ANALYZE would measure it, but on an
 * empty table there is nothing to measure and on a full one it takes long; what matters is known
 * beforehand. The row format is that of the file format document, "The sqlite_stat1 table". */
static enum err_code lite_describe(void *p, const char *table, const char *index, size_t n_cols,
                                   bool unique, bool *told, struct err *err) {
    struct conn *c = p;
    char stat[160];
    long long rows = 1000000;
    size_t n = (size_t)snprintf(stat, sizeof stat, "%lld %lld", rows, rows);
    for (size_t i = 1; i <= n_cols && n < sizeof stat; i++) {
        rows = i == n_cols && unique ? 1 : rows < 100 ? 5 : rows / 20;
        n += (size_t)snprintf(stat + n, sizeof stat - n, " %lld", rows);
    }
    int64_t there = 0;
    TRY(query_int(c->db, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'", &there,
                  err));
    if (there == 0)
        TRY(exec(c->db, "ANALYZE sqlite_schema", err)); /* makes the table of statistics */
    const char *sql = "INSERT INTO sqlite_stat1 (tbl, idx, stat) SELECT ?1, ?2, ?3 WHERE NOT "
                      "EXISTS (SELECT 1 FROM sqlite_stat1 "
                      "WHERE tbl = ?1 AND idx = ?2)";
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(c->db, sql, -1, &s, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
    /* The key of a WITHOUT ROWID table goes by the name of the table. */
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(s, 2, index == NULL ? table : index, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(s, 3, stat, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_step(s);
    enum err_code code = rc == SQLITE_DONE ? ERR_OK : fail(c->db, rc, err);
    if (code == ERR_OK && sqlite3_changes(c->db) > 0) *told = true;
    (void)sqlite3_finalize(s);
    return code;
}

static enum err_code lite_learned(void *p, struct err *err) {
    return exec(((struct conn *)p)->db, "ANALYZE sqlite_schema", err);
}

/* All pages in one step: the copy reads one snapshot of the write-ahead log, so writers go on and
 * it never starts again. */
static enum err_code lite_backup(void *p, const char *file, struct err *err) {
    struct conn *c = p;
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(
        file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_backup *b = sqlite3_backup_init(to, "main", c->db, "main");
        if (b != NULL) {
            (void)sqlite3_backup_step(b, -1);
            (void)sqlite3_backup_finish(b);
        }
        rc = sqlite3_errcode(to);
    }
    enum err_code code = rc == SQLITE_OK ? ERR_OK : fail(to, rc, err);
    (void)sqlite3_close_v2(to);
    return code;
}

static enum err_code lite_check(void *p, bool *sound, char *what, size_t n, struct err *err) {
    struct conn *c = p;
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(c->db, "PRAGMA integrity_check(1)", -1, &s, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(s, 0);
        *sound = text != NULL && strcmp(text, "ok") == 0;
        (void)snprintf(what, n, "%s", text == NULL ? "" : text);
    }
    enum err_code code = rc == SQLITE_ROW ? ERR_OK : fail(c->db, rc, err);
    (void)sqlite3_finalize(s);
    return code;
}

static enum err_code lite_fold(void *p, bool all, int64_t *log_bytes, struct err *err) {
    struct conn *c = p;
    int frames = 0, folded = 0;
    int rc = sqlite3_wal_checkpoint_v2(c->db, NULL,
                                       all ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
                                       &frames, &folded);
    if (log_bytes != NULL) *log_bytes = frames < 0 ? 0 : (int64_t)frames * PAGE_SIZE;
    return rc == SQLITE_OK ? ERR_OK : fail(c->db, rc, err);
}

static uint32_t be32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Offsets by the file format document of SQLite ("The Database Header"): 16 page size, 18 and 19
 * write and read version, 21 to 23 payload fractions, 44 schema format, 56 text encoding, 60 user
 * version, 68 application id. */
static bool is_sound_header(const unsigned char *h) {
    return memcmp(h, "SQLite format 3", 16) == 0 && ((unsigned)h[16] << 8 | h[17]) == PAGE_SIZE &&
           h[18] >= 1 && h[18] <= 2 && h[19] >= 1 && h[19] <= 2 && h[21] == 64 && h[22] == 32 &&
           h[23] == 32 && be32(h + 44) == 4 && be32(h + 56) == 1;
}

/* With a log beside it the file may have been torn while the log was folded into it: the log then
 * repairs it on opening, and lite_format looks again. */
static enum err_code lite_probe(const char *where, int64_t *format, struct err *err) {
    unsigned char h[HEADER];
    FILE *f = fopen(where, "rb");
    if (f == NULL) return os_fail(err, "cannot use", where);
    size_t n = fread(h, 1, sizeof h, f);
    bool whole_pages =
        fseek(f, 0, SEEK_END) == 0 && ftell(f) >= PAGE_SIZE && ftell(f) % PAGE_SIZE == 0;
    (void)fclose(f);
    *format = 0;
    if (has_log(where)) return ERR_OK;
    if (n != sizeof h || !is_sound_header(h) || !whole_pages)
        return err_fail(err, ERR_CORRUPT, "%s has a damaged header; restore a backup", where);
    if (be32(h + 68) != APPLICATION_ID)
        return err_fail(err, ERR_CORRUPT, "%s is not a database of Gezhi", where);
    *format = be32(h + 60);
    return ERR_OK;
}

static enum err_code lite_format(void *p, int64_t *format, struct err *err) {
    struct conn *c = p;
    int64_t application = 0;
    TRY(query_int(c->db, "PRAGMA user_version", format, err));
    TRY(query_int(c->db, "PRAGMA application_id", &application, err));
    if (application == APPLICATION_ID || (application == 0 && *format == 0)) return ERR_OK;
    return err_fail(err, ERR_CORRUPT, "the file is not a database of Gezhi");
}

static enum err_code lite_set_format(void *p, int64_t format, struct err *err) {
    struct conn *c = p;
    char text[96];
    (void)snprintf(text, sizeof text, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                   APPLICATION_ID, (int)format);
    return exec(c->db, text, err);
}

const struct db_driver driver_sqlite = {
    .name = "sqlite",
    .dialect = SQL_SQLITE,
    .begin_read = "BEGIN",
    .begin_write = "BEGIN IMMEDIATE",
    .open = lite_open,
    .close = lite_close,
    .prepare = lite_prepare,
    .finalize = lite_finalize,
    .bind = lite_bind,
    .step = lite_step,
    .reset = lite_reset,
    .column_type = lite_column_type,
    .column_int = lite_column_int,
    .column_real = lite_column_real,
    .column_text = lite_column_text,
    .column_blob = lite_column_blob,
    .changes = lite_changes,
    .describe = lite_describe,
    .learned = lite_learned,
    .total_changes = lite_total_changes,
    .in_tx = lite_in_tx,
    .check = lite_check,
    .backup = lite_backup,
    .probe = lite_probe,
    .format = lite_format,
    .set_format = lite_set_format,
    .fold = lite_fold,
};
