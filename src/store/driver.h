/* store/driver.h - what a database must offer, and how the store itself opens connections (other
 * floors use db.h). One static struct db_driver a database. A connection and its statements belong
 * to one thread at a time. */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H
#include "store/db.h"
#include "store/table.h"

enum sql_dialect { SQL_SQLITE = 1, SQL_POSTGRES = 2 };

struct db_open {
    bool read_only;
    bool create;     /* make the file when it is missing */
    bool no_sync;    /* tests only: commits are not made durable */
    int cache_kib;   /* page cache, an upper bound */
    int wait_ms;     /* how long to wait for a lock; 0 = 5 s */
    const char *vfs; /* SQLite VFS name or NULL */
};

/* Errors of every function: ERR_IO (disk, read-only), ERR_FULL, ERR_CORRUPT, ERR_NOMEM, ERR_BUSY
 * (lock), ERR_CONFLICT (a unique key), ERR_INVALID (another constraint), ERR_TOO_LARGE,
 * ERR_INTERNAL (a wrong statement). */
struct db_driver {
    const char *name;
    enum sql_dialect dialect;
    const char *begin_read,
        *begin_write; /* SQL; begin_read need not fix the snapshot before the first read */
    enum err_code (*open)(const char *where, const struct db_open *o, void **conn,
                          struct err *err) NODISCARD;
    void (*close)(
        void *conn,
        bool clean); /* clean: fold the log into the file when this is the last connection */
    enum err_code (*prepare)(void *conn, const char *sql, void **stmt, int *n_params,
                             struct err *err) NODISCARD;
    void (*finalize)(void *stmt);
    /* keep: the statement copies the values; else they are borrowed until reset. */
    enum err_code (*bind)(void *conn, void *stmt, const struct cell *cells, size_t n, bool keep,
                          struct err *err) NODISCARD;
    enum err_code (*step)(void *conn, void *stmt, bool *row, struct err *err) NODISCARD;
    void (*reset)(void *stmt);
    enum cell_type (*column_type)(void *stmt, int col);
    int64_t (*column_int)(void *stmt, int col);
    double (*column_real)(void *stmt, int col);
    const char *(*column_text)(void *stmt, int col); /* NUL-terminated, NULL when null */
    const void *(*column_blob)(void *stmt, int col, size_t *n);
    int64_t (*changes)(void *conn);
    /* Tell the planner how selective a key is: the ledger alone selects nothing, each further
     * column a part, all columns of a unique key one row. index NULL: the primary key. *told is set
     * when it did not know yet; call `learned` once then. */
    enum err_code (*describe)(void *conn, const char *table, const char *index, size_t n_cols,
                              bool unique, bool *told, struct err *err) NODISCARD;
    enum err_code (*learned)(void *conn, struct err *err) NODISCARD;
    int64_t (*total_changes)(void *conn); /* rows written since the connection was opened */
    bool (*in_tx)(void *conn);
    /* The database's own check of pages and indexes: *sound, and what was found first. */
    enum err_code (*check)(void *conn, bool *sound, char *what, size_t n,
                           struct err *err) NODISCARD;
    /* A consistent copy into a new file, while others write. */
    enum err_code (*backup)(void *conn, const char *file, struct err *err) NODISCARD;
    /* The format number of the folder without opening it or changing a byte; ERR_NOT_FOUND,
     * ERR_CORRUPT. */
    enum err_code (*probe)(const char *where, int64_t *format, struct err *err) NODISCARD;
    enum err_code (*format)(void *conn, int64_t *format, struct err *err) NODISCARD;
    enum err_code (*set_format)(void *conn, int64_t format,
                                struct err *err) NODISCARD; /* in a transaction */
    /* Fold the log into the main file: as far as possible without waiting, or all of it and empty
     * the log. *log_bytes = size of the log before it. */
    enum err_code (*fold)(void *conn, bool all, int64_t *log_bytes, struct err *err) NODISCARD;
};
extern const struct db_driver driver_sqlite;

enum err_code db_open(const struct db_driver *drv, const char *where, const struct db_open *o,
                      struct db **out, struct err *err) NODISCARD;
void db_close(struct db *db, bool clean); /* NULL is legal */
enum err_code db_begin(struct db *db, bool write, struct err *err) NODISCARD;
enum err_code db_commit(struct db *db, struct err *err) NODISCARD;
void db_rollback(struct db *db); /* legal when no transaction is open */
enum err_code db_savepoint(struct db *db, struct err *err) NODISCARD;
enum err_code db_release(struct db *db, struct err *err) NODISCARD;
enum err_code db_rollback_to(struct db *db, struct err *err) NODISCARD; /* and ends the savepoint */
/* As the driver's functions of these names, for one table: its key and its indexes. */
enum err_code db_describe(struct db *db, const struct table *t, bool *told,
                          struct err *err) NODISCARD;
enum err_code db_learned(struct db *db, struct err *err) NODISCARD;
bool db_in_tx(const struct db *db);
int64_t db_total_changes(const struct db *db);
/* The first failure of the I/O kind (ERR_IO, ERR_FULL, ERR_CORRUPT) since it was last cleared, or
 * ERR_OK. */
enum err_code db_broken(const struct db *db);
void db_clear_broken(struct db *db);
/* Statements with texts made at run time (DDL); not cached. */
enum err_code db_run(struct db *db, const char *sql, struct err *err) NODISCARD;
enum err_code db_check(struct db *db, bool *sound, char *what, size_t n, struct err *err) NODISCARD;
enum err_code db_backup(struct db *db, const char *file, struct err *err) NODISCARD;
enum err_code db_fold(struct db *db, bool all, int64_t *log_bytes, struct err *err) NODISCARD;
enum err_code db_format(struct db *db, int64_t *format, struct err *err) NODISCARD;
enum err_code db_set_format(struct db *db, int64_t format, struct err *err) NODISCARD;
enum sql_dialect db_dialect(const struct db *db);
/* Open an existing database whose format this program knows. ERR_CONFLICT: made by a newer one. */
enum err_code db_open_known(const struct db_driver *drv, const char *where, const struct db_open *o,
                            int64_t newest, struct db **out, struct err *err) NODISCARD;
void db_set_ledger(struct db *db, int64_t ledger);
#endif
