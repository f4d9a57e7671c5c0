/* store/ledger.h - the data folder: one writer with group commit, a journal of row images under a
 * Merkle tree, followers, readers.
 *
 * DIR/gezhi.db  DIR/blobs/  DIR/packs/  DIR/keys/ (signing key, server secret; apart from backups)
 * DIR/lock
 *
 * The only way to change anything is a command: apply() runs on the writer thread inside a
 * SAVEPOINT of a transaction that holds all commands queued while the last one was committing.
 * done() runs after the COMMIT (fsync) that made it durable. */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/db.h"
#include "store/table.h"

struct ledger;
struct tx;

struct ledger_options {
    struct clock clock;
    const struct log *log; /* may be NULL */
    const struct table *const
        *tables; /* the packs' types; built-in ones come from decl/tables.def */
    size_t n_tables;
    int64_t ledger_id; /* 1: the only ledger of a folder today */
    int n_readers;     /* read connections, >= 1 */
    size_t max_queue;  /* commands waiting, beyond it ERR_BUSY; 0 = 8192 */
    const char *vfs;   /* SQLite VFS name for fault tests, or NULL */
    bool no_sync; /* fault tests only: shows that they notice when commits are not made durable */
    int fold_every_ms; /* how often the log is folded into the database; 0 = 500 */
    int64_t log_bytes; /* size at which the log starts anew; 0 = 32 MiB */
};
/* Make an empty folder (ERR_CONFLICT when it holds a ledger already). */
enum err_code ledger_create(const char *dir, const struct ledger_options *o,
                            struct err *err) NODISCARD;
/* Open, migrate (numbered built-in migrations, then additive ones for the types), start the writer
 * and the follower threads. Errors, with nothing changed: ERR_NOT_FOUND no ledger; ERR_CONFLICT
 * newer format or another server holds the lock; ERR_CORRUPT damaged. */
enum err_code ledger_open(const char *dir, const struct ledger_options *o, struct ledger **out,
                          struct err *err) NODISCARD;
/* Waits for queued commands, signs a last checkpoint, closes. */
void ledger_close(struct ledger *l);
const char *ledger_dir(const struct ledger *l);
int64_t ledger_last_seq(const struct ledger *l); /* last committed sequence number; any thread */
bool ledger_read_only(const struct ledger *l);   /* after an I/O error, until a retry works */
const unsigned char *
ledger_secret(const struct ledger *l); /* 32 bytes of DIR/keys/secret, for MACs */

/* What a command did, kept for 24 h when it came with a key (sealed under the key itself) and given
 * again on a repeat. */
struct reply {
    int status; /* HTTP status, 0 = none set */
    char location[160];
    char etag[40];
    struct buf body; /* JSON */
};
struct command {
    const char *name;     /* "case.report"; copied, like the next three */
    const char *actor;    /* account name, "public", or "system" */
    const char *behalf;   /* or NULL */
    const char *purpose;  /* or NULL */
    const char *idem_key; /* or NULL; at most 128 bytes */
    unsigned char idem_hash[32];
    enum err_code (*apply)(struct tx *tx, void *arg, struct err *err);
    void (*done)(void *arg, enum err_code rc, const struct err *err, const struct reply *reply,
                 int64_t seq);
    void *arg;
    /* apply may run a second time from the start when another command of its group fails: it
     * overwrites what it hands out through arg and adds to nothing it finds there (reply and arena
     * are fresh). A group of such commands goes without savepoints, which saves a quarter of the
     * writer's time; false is always right. */
    bool repeatable;
};
/* Queue a command from any thread. done() is called exactly once, on the writer thread, unless this
 * returns an error (ERR_BUSY queue full, ERR_CONFLICT the same key is in flight, ERR_IO / ERR_FULL
 * while read-only). */
enum err_code ledger_submit(struct ledger *l, const struct command *c, struct err *err) NODISCARD;
/* The same and wait; reply may be NULL (else caller deinits reply->body). Not from the writer
 * thread. */
enum err_code ledger_run(struct ledger *l, const struct command *c, struct reply *reply,
                         int64_t *seq, struct err *err) NODISCARD;

/* Inside apply(). The arena lives until the command is answered. */
struct arena *tx_arena(struct tx *tx);
struct db *tx_db(struct tx *tx); /* for reading, and for writing operational and derived tables */
int64_t tx_now_us(const struct tx *tx);
const char *tx_actor(const struct tx *tx);
const char *tx_purpose(const struct tx *tx);
struct reply *tx_reply(struct tx *tx);
/* Insert a row of a ledger table: cells in column order; personal columns given as CELL_TEXT. *id:
 * 0 asks for the next one. Version 1. */
enum err_code tx_insert(struct tx *tx, const struct table *t, const struct cell *cells, int64_t *id,
                        struct err *err) NODISCARD;
/* Read a row into n_cols cells (arena copies); personal columns come as CELL_COMMIT. ERR_NOT_FOUND.
 */
enum err_code tx_get(struct tx *tx, const struct table *t, int64_t id, struct cell *cells,
                     int64_t *version, struct err *err) NODISCARD;
/* Write the whole row again; version + 1. expect = version the caller saw, or -1. CELL_COMMIT keeps
 * a personal value, CELL_TEXT replaces it. ERR_STALE. */
enum err_code tx_update(struct tx *tx, const struct table *t, int64_t id, int64_t expect,
                        const struct cell *cells, struct err *err) NODISCARD;
/* Journal something that is no row change: a look at personal data, an export, a login. image is
 * JSON. */
enum err_code tx_note(struct tx *tx, const char *type, int64_t id, const char *image, size_t n,
                      struct err *err) NODISCARD;
/* Erase personal values of a row (column NULL: all of them) for good: value and salt go, the proofs
 * stay. *n = values erased. */
enum err_code tx_erase(struct tx *tx, const struct table *t, int64_t id, const char *column,
                       const char *reason, int64_t *n, struct err *err) NODISCARD;
/* The value behind a commitment, or a null cell when it was erased. */
enum err_code personal_get(struct db *db, const struct cell *commit, struct arena *a,
                           struct cell *out, struct err *err) NODISCARD;

/* Reading: a connection from the pool with one snapshot from begin to end. Blocks while all are
 * out. */
struct reader;
enum err_code ledger_read_begin(struct ledger *l, struct reader **out, struct err *err) NODISCARD;
struct db *reader_db(struct reader *r);
int64_t reader_seq(const struct reader *r); /* last sequence number in the snapshot */
void ledger_read_end(struct reader *r);
/* As tx_get, from a reader. */
enum err_code reader_get(struct reader *r, const struct table *t, int64_t id, struct arena *a,
                         struct cell *cells, int64_t *version, struct err *err) NODISCARD;

/* Followers see committed journal rows in order, in batches, on the follower thread of their own; a
 * batch may be several commits. A follower with a name is remembered: apply() gets a tx (derived
 * tables only) in which the sequence number is stored too. One without writes (apply NULL) keeps
 * its own state: `seen` starts it at from_seq. rebuild clears its derived tables and replays all.
 */
struct jrow {
    int64_t seq, at_us;
    const char *actor, *behalf, *purpose, *command, *type;
    int64_t id, version;
    const char *image; /* JSON bytes */
    size_t image_n;
};
struct follower {
    const char *name;
    enum err_code (*apply)(struct tx *tx, const struct jrow *rows, size_t n, void *ctx,
                           struct err *err);                    /* derived tables, remembered */
    void (*seen)(const struct jrow *rows, size_t n, void *ctx); /* in memory, after commit */
    const struct table *const *derived;                         /* cleared on rebuild */
    size_t n_derived;
    int64_t from_seq; /* for seen(): rows after this; -1 = only new ones */
    void *ctx;
};
enum err_code ledger_follow(struct ledger *l, const struct follower *f, struct err *err) NODISCARD;
enum err_code ledger_rebuild(struct ledger *l, const char *follower, struct err *err) NODISCARD;
/* Wait until every follower has seen seq (tests, exports). */
void ledger_catch_up(struct ledger *l, int64_t seq);
/* The same of the follower of this name (NULL: every one); at once when there is none such. Not
 * from a follower's thread nor the writer's. */
void ledger_seen(struct ledger *l, const char *follower, int64_t seq);
/* Journal rows of one record, newest last, at most n (for a case's whole route by its images, and
 * for audit). */
enum err_code journal_of(struct db *db, int64_t ledger, const char *type, int64_t id,
                         struct arena *a, struct jrow **out, size_t *n, struct err *err) NODISCARD;

/* The record's journal row before seq; *found is false when there is none. One index step. */
enum err_code journal_before(struct db *db, int64_t ledger, const char *type, int64_t id,
                             int64_t seq, struct arena *a, struct jrow *out, bool *found,
                             struct err *err) NODISCARD;

/* Blobs: content-addressed files, durable when this returns; hash is 64 hex + NUL. */
enum err_code blob_put(struct ledger *l, const void *p, size_t n, char hash[65],
                       struct err *err) NODISCARD;
/* Path of a blob (checked name). ERR_NOT_FOUND. */
enum err_code blob_path(const struct ledger *l, const char *hash, char *out, size_t out_n,
                        struct err *err) NODISCARD;
#endif
