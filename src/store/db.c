#include "store/db.h"

#include <string.h>

#include "base/mem.h"
#include "store/driver.h"
#include "store/sql.h"

enum { CACHE_SLOTS = 256, CACHE_BUCKETS = 512, RECENT = 256 };

/* One prepared statement; it is its own cursor. Invariant: busy from db_query to cursor_close. */
struct cursor {
    struct db *db;
    struct cursor *next; /* in its bucket */
    void *stmt;
    char *text;
    uint64_t hash, used;
    int n_params;
    bool busy;
    bool cached;
};

struct db {
    const struct db_driver *drv;
    void *conn;
    struct cursor *bucket[CACHE_BUCKETS];
    struct cursor *recent[RECENT]; /* by address of the text: nearly all are constants */
    size_t n_cached;               /* invariant: <= CACHE_SLOTS */
    uint64_t tick;
    struct cursor
        *rollback; /* made when the connection is: it is needed most when memory has run out */
    enum err_code broken;
    int64_t ledger;
};

struct cell cell_null(void) {
    return (struct cell){.type = CELL_NULL};
}
struct cell cell_int(int64_t i) {
    return (struct cell){.type = CELL_INT, .i = i};
}
struct cell cell_real(double d) {
    return (struct cell){.type = CELL_REAL, .d = d};
}
struct cell cell_text(const char *s) {
    return s == NULL ? cell_null() : cell_textn(s, strlen(s));
}
struct cell cell_textn(const char *s, size_t n) {
    return (struct cell){.type = CELL_TEXT, .p = s, .n = n};
}
struct cell cell_blob(const void *p, size_t n) {
    return (struct cell){.type = CELL_BLOB, .p = p, .n = n};
}

static enum err_code note_broken(struct db *db, enum err_code code) {
    if (db->broken == ERR_OK && (code == ERR_IO || code == ERR_FULL || code == ERR_CORRUPT))
        db->broken = code;
    return code;
}

static void cursor_destroy(struct cursor *c) {
    c->db->drv->finalize(c->stmt);
    mem_free(c->text);
    mem_free(c);
}

void db_close(struct db *db, bool clean) {
    if (db == NULL) return;
    for (size_t i = 0; i < CACHE_BUCKETS; i++) {
        while (db->bucket[i] != NULL) {
            struct cursor *c = db->bucket[i];
            db->bucket[i] = c->next;
            cursor_destroy(c);
        }
    }
    cursor_destroy(db->rollback);
    db->drv->close(db->conn, clean);
    mem_free(db);
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo): statements are constants, so nobody can choose colliding
 * ones. */
static uint64_t hash_text(const char *s) {
    uint64_t h = UINT64_C(14695981039346656037);
    for (; *s != '\0'; s++) h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return h;
}

static void evict_oldest(struct db *db) {
    struct cursor **oldest = NULL;
    for (size_t i = 0; i < CACHE_BUCKETS; i++) {
        for (struct cursor **p = &db->bucket[i]; *p != NULL; p = &(*p)->next) {
            if (!(*p)->busy && (oldest == NULL || (*p)->used < (*oldest)->used)) oldest = p;
        }
    }
    if (oldest == NULL) return;
    struct cursor *c = *oldest;
    for (size_t i = 0; i < RECENT; i++) {
        if (db->recent[i] == c) db->recent[i] = NULL;
    }
    *oldest = c->next;
    db->n_cached--;
    cursor_destroy(c);
}

static struct cursor *prepared(struct db *db, const char *sql, uint64_t hash, enum err_code *rc,
                               struct err *err) {
    struct cursor *c = mem_new(1, sizeof *c);
    char *text = mem_dup(sql, strlen(sql));
    void *stmt = NULL;
    int n_params = 0;
    *rc = c == NULL || text == NULL ? err_fail(err, ERR_NOMEM, "no memory for a statement")
                                    : db->drv->prepare(db->conn, sql, &stmt, &n_params, err);
    if (c == NULL || stmt == NULL) {
        (void)note_broken(db, *rc);
        mem_free(text);
        mem_free(c);
        return NULL;
    }
    *c = (struct cursor){.db = db, .stmt = stmt, .text = text, .hash = hash, .n_params = n_params};
    return c;
}

enum err_code db_open(const struct db_driver *drv, const char *where, const struct db_open *o,
                      struct db **out, struct err *err) {
    struct db *db = mem_new(1, sizeof *db);
    if (db == NULL) return err_fail(err, ERR_NOMEM, "no memory for a connection");
    db->drv = drv;
    enum err_code rc = drv->open(where, o, &db->conn, err);
    if (rc == ERR_OK) db->rollback = prepared(db, "ROLLBACK", 0, &rc, err);
    if (rc != ERR_OK) {
        if (db->conn != NULL) drv->close(db->conn, false);
        mem_free(db);
        return rc;
    }
    *out = db;
    return ERR_OK;
}

/* A statement ready to bind, NULL on failure. The same text in use further up the stack gets a
 * statement of its own, dropped on close. */
static struct cursor *statement(struct db *db, const char *sql, bool cache, enum err_code *rc,
                                struct err *err) {
    struct cursor **recent = &db->recent[((uintptr_t)sql >> 3) % RECENT];
    if (*recent != NULL && !(*recent)->busy && strcmp((*recent)->text, sql) == 0) {
        (*recent)->used = ++db->tick;
        return *recent;
    }
    uint64_t h = hash_text(sql);
    struct cursor **bucket = &db->bucket[h % CACHE_BUCKETS];
    struct cursor *c = *bucket;
    while (c != NULL && (c->hash != h || strcmp(c->text, sql) != 0)) c = c->next;
    if (c != NULL && c->busy) {
        cache = false;
        c = NULL;
    }
    if (c == NULL) {
        c = prepared(db, sql, h, rc, err);
        if (c == NULL) return NULL;
        c->cached = cache;
        if (cache) {
            if (db->n_cached >= CACHE_SLOTS) evict_oldest(db);
            c->next = *bucket;
            *bucket = c;
            db->n_cached++;
        }
    }
    if (c->cached) *recent = c;
    c->used = ++db->tick;
    return c;
}

void cursor_close(struct cursor *c) {
    if (c == NULL) return;
    c->db->drv->reset(c->stmt);
    c->busy = false;
    if (!c->cached) cursor_destroy(c);
}

/* A bound statement, NULL on failure with the code in *rc. */
static struct cursor *start(struct db *db, const char *sql, const struct cell *params, size_t n,
                            bool keep, bool cache, enum err_code *rc, struct err *err) {
    struct cursor *c = statement(db, sql, cache, rc, err);
    if (c == NULL) return NULL;
    c->busy = true;
    *rc = (size_t)c->n_params == n
              ? db->drv->bind(db->conn, c->stmt, params, n, keep, err)
              : err_fail(err, ERR_INTERNAL, "%zu values for %d parameters in: %s", n, c->n_params,
                         sql);
    if (*rc == ERR_OK) return c;
    cursor_close(c);
    return NULL;
}

enum err_code db_query(struct db *db, const char *sql, const struct cell *params, size_t n,
                       struct cursor **out, struct err *err) {
    enum err_code rc = ERR_OK;
    *out = start(db, sql, params, n, true, true, &rc, err);
    return rc;
}

static enum err_code finish(struct db *db, struct cursor *c, int64_t *changed, struct err *err) {
    bool row = true;
    enum err_code rc = ERR_OK;
    while (rc == ERR_OK && row) rc = note_broken(db, db->drv->step(db->conn, c->stmt, &row, err));
    if (rc == ERR_OK && changed != NULL) *changed = db->drv->changes(db->conn);
    cursor_close(c);
    return rc;
}

enum err_code db_exec(struct db *db, const char *sql, const struct cell *params, size_t n,
                      int64_t *changed, struct err *err) {
    enum err_code rc = ERR_OK;
    struct cursor *c = start(db, sql, params, n, false, true, &rc, err);
    return c == NULL ? rc : finish(db, c, changed, err);
}

enum err_code db_run(struct db *db, const char *sql, struct err *err) {
    enum err_code rc = ERR_OK;
    struct cursor *c = start(db, sql, NULL, 0, false, false, &rc, err);
    return c == NULL ? rc : finish(db, c, NULL, err);
}

enum err_code cursor_next(struct cursor *c, bool *has, struct err *err) {
    return note_broken(c->db, c->db->drv->step(c->db->conn, c->stmt, has, err));
}

int64_t cursor_int(const struct cursor *c, int col) { return c->db->drv->column_int(c->stmt, col); }
double cursor_real(const struct cursor *c, int col) {
    return c->db->drv->column_real(c->stmt, col);
}

const char *cursor_text(const struct cursor *c, int col) {
    const char *s = c->db->drv->column_text(c->stmt, col);
    return s == NULL ? "" : s;
}

const void *cursor_blob(const struct cursor *c, int col, size_t *n) {
    return c->db->drv->column_blob(c->stmt, col, n);
}
bool cursor_is_null(const struct cursor *c, int col) {
    return c->db->drv->column_type(c->stmt, col) == CELL_NULL;
}

struct cell cursor_cell(const struct cursor *c, int col, struct arena *a) {
    const struct db_driver *drv = c->db->drv;
    enum cell_type type = drv->column_type(c->stmt, col);
    if (type == CELL_INT) return cell_int(drv->column_int(c->stmt, col));
    if (type == CELL_REAL) return cell_real(drv->column_real(c->stmt, col));
    if (type == CELL_NULL) return cell_null();
    size_t n;
    const char *p = drv->column_blob(c->stmt, col, &n);
    char *copy = arena_dup(a, p, n);
    if (copy == NULL) return cell_null();
    return type == CELL_TEXT ? cell_textn(copy, n) : cell_blob(copy, n);
}

enum err_code db_int(struct db *db, const char *sql, const struct cell *params, size_t n,
                     int64_t none, int64_t *out, struct err *err) {
    enum err_code rc = ERR_OK;
    struct cursor *c = start(db, sql, params, n, false, true, &rc, err);
    if (c == NULL) return rc;
    bool has = false;
    rc = cursor_next(c, &has, err);
    if (rc == ERR_OK) *out = has && !cursor_is_null(c, 0) ? cursor_int(c, 0) : none;
    cursor_close(c);
    return rc;
}

enum err_code db_begin(struct db *db, bool write, struct err *err) {
    return db_exec(db, write ? db->drv->begin_write : db->drv->begin_read, NULL, 0, NULL, err);
}

enum err_code db_commit(struct db *db, struct err *err) {
    return db_exec(db, "COMMIT", NULL, 0, NULL, err);
}

void db_rollback(struct db *db) {
    bool row;
    if (!db_in_tx(db)) return;
    enum err_code rc = db->drv->step(db->conn, db->rollback->stmt, &row, NULL);
    (void)rc; /* SQLite has then rolled back by itself; db_in_tx tells */
    db->drv->reset(db->rollback->stmt);
}

enum err_code db_savepoint(struct db *db, struct err *err) {
    return db_exec(db, "SAVEPOINT command", NULL, 0, NULL, err);
}
enum err_code db_release(struct db *db, struct err *err) {
    return db_exec(db, "RELEASE SAVEPOINT command", NULL, 0, NULL, err);
}

enum err_code db_rollback_to(struct db *db, struct err *err) {
    TRY(db_exec(db, "ROLLBACK TO SAVEPOINT command", NULL, 0, NULL, err));
    return db_release(db, err);
}

bool db_in_tx(const struct db *db) { return db->drv->in_tx(db->conn); }
int64_t db_total_changes(const struct db *db) { return db->drv->total_changes(db->conn); }
enum err_code db_broken(const struct db *db) { return db->broken; }
void db_clear_broken(struct db *db) { db->broken = ERR_OK; }

enum err_code db_check(struct db *db, bool *sound, char *what, size_t n, struct err *err) {
    return db->drv->check(db->conn, sound, what, n, err);
}

enum err_code db_backup(struct db *db, const char *file, struct err *err) {
    return db->drv->backup(db->conn, file, err);
}

enum err_code db_fold(struct db *db, bool all, int64_t *log_bytes, struct err *err) {
    return db->drv->fold(db->conn, all, log_bytes, err);
}

enum sql_dialect db_dialect(const struct db *db) { return db->drv->dialect; }

enum err_code db_format(struct db *db, int64_t *format, struct err *err) {
    return note_broken(db, db->drv->format(db->conn, format, err));
}

enum err_code db_set_format(struct db *db, int64_t format, struct err *err) {
    return note_broken(db, db->drv->set_format(db->conn, format, err));
}

void db_set_ledger(struct db *db, int64_t ledger) { db->ledger = ledger; }
int64_t db_ledger(const struct db *db) { return db->ledger; }

static enum err_code refuse_newer(const char *where, int64_t format, int64_t newest,
                                  struct err *err) {
    return err_fail(err, ERR_CONFLICT,
                    "%s has format %lld, made by a newer program; this one knows up to %lld", where,
                    (long long)format, (long long)newest);
}

enum err_code db_open_known(const struct db_driver *drv, const char *where, const struct db_open *o,
                            int64_t newest, struct db **out, struct err *err) {
    int64_t format = 0;
    struct db *db = NULL;
    TRY(drv->probe(where, &format, err));
    if (format > newest) return refuse_newer(where, format, newest, err);
    TRY(db_open(drv, where, o, &db, err));
    enum err_code rc = drv->format(db->conn, &format, err);
    if (rc == ERR_OK && format > newest) rc = refuse_newer(where, format, newest, err);
    if (rc == ERR_OK)
        *out = db;
    else
        db_close(db, false);
    return rc;
}

static size_t n_index_cols(const struct index *x) {
    size_t n = 0;
    while (n < INDEX_MAX_COLS && x->cols[n] != NULL) n++;
    return n;
}

enum err_code db_describe(struct db *db, const struct table *t, bool *told, struct err *err) {
    size_t n_key = 1;
    if (t->key != NULL) {
        for (n_key = 0; t->key[n_key] != NULL;) n_key++;
    }
    TRY(db->drv->describe(db->conn, t->name, NULL, n_key, true, told, err));
    for (size_t i = 0; i < t->n_indexes; i++) {
        char index[SQL_INDEX_NAME];
        sql_index_name(index, t, &t->indexes[i]);
        TRY(db->drv->describe(db->conn, t->name, index, n_index_cols(&t->indexes[i]),
                              t->indexes[i].unique, told, err));
    }
    return ERR_OK;
}

enum err_code db_learned(struct db *db, struct err *err) { return db->drv->learned(db->conn, err); }
