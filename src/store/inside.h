/* store/inside.h - the parts of a ledger that its own sources share; nobody else includes it.
 *
 * Threads: the writer owns `w` and everything in struct writer_state; the keeper folds the log and
 * writes DIR/checkpoint; each follower has a thread and a read connection; readers are lent out.
 * `mu` guards the queue, the in-flight keys and the stop flags. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H
#include <pthread.h>
#include <stdatomic.h>

#include "store/driver.h"
#include "store/ledger.h"
#include "store/merkle.h"
#include "store/note.h"

enum {
    LEDGER_FORMAT = 1,
    GROUP_MAX = 1024, /* commands in one transaction */
    INFLIGHT_BUCKETS = 1024,
    IDEM_KEY_MAX = 128,
    REPLY_MAX = 4 << 20,
    COMMAND_ARENA = 64 << 20,
    IMAGE_MAX = 4 << 20,
    FOLLOW_BATCH = 512,
    LEDGER_PATH = 4096
};
#define CHECKPOINT_AFTER_US INT64_C(5000000) /* promised: at most 10 s after a commit */
#define PROBE_EVERY_US INT64_C(1000000)
#define IDEM_KEEP_US (INT64_C(24) * 3600 * 1000000)
#define DB_NAME "gezhi.db"

/* A table as this folder holds it. Immutable after open but for next_id, which the writer owns. */
struct tabinfo {
    const struct table *t;
    unsigned short *order; /* order[k] = descriptor column that stands k-th in images: the order in
                              which they were added */
    const char *insert, *update, *get, *max_id;
    int64_t next_id; /* 0: not read yet */
};

struct job {
    struct job *next, *same_bucket;
    struct command c; /* its texts follow the struct */
    bool internal;    /* a follower's: journals nothing, writes derived tables */
    unsigned char key_hash[32];
    enum err_code rc;
    struct err err;
    struct reply reply;
    struct arena *arena;
    int64_t seq;
    char texts[];
};

struct head { /* what one commit publishes; kept in state "head" */
    struct merkle tree;
    unsigned char tail[MERKLE_HASH]; /* leaf of the last row */
};

struct tx {
    struct ledger *l;
    struct job *job;
    int64_t now_us;
};

struct reader {
    struct ledger *l;
    struct db *db;
    int64_t seq;
    struct reader *next;
};

struct follow {
    struct follow *next;
    struct follower f;
    struct ledger *l;
    char *name;
    struct db *db;
    pthread_t thread;
    bool started;
    bool rebuild;          /* under follow_mu */
    enum err_code rebuilt; /* under follow_mu: outcome of the last rebuild */
    int64_t seq;           /* under follow_mu: seen up to here */
    int64_t busy_us;       /* writer time of its last batch */
};

struct ledger {
    char *dir;
    int lock_fd;
    struct clock clock;
    const struct log *log;
    int64_t id;
    struct keys keys;
    char vfs[64];
    bool no_sync;
    int64_t fold_every_us, log_bytes;
    struct arena *arena;
    struct tabinfo *tabs; /* sorted by name */
    size_t n_tabs;

    /* the writer's own */
    struct db *w;
    struct head head, committed;
    struct buf image, leaf;
    struct sha *sha;
    int64_t signed_size, unsigned_since_us; /* monotonic; 0: nothing to sign */
    int64_t next_probe_us;
    bool threads; /* the threads run: set at the end of open */
    pthread_t writer, keeper;

    pthread_mutex_t mu;
    pthread_cond_t more; /* for the writer */
    struct job *first, *last;
    size_t n_queued, max_queue;
    struct job *inflight[INFLIGHT_BUCKETS];
    bool closing, stop;
    _Atomic int64_t last_seq;
    _Atomic int read_only; /* 0 or an enum err_code */
    _Atomic bool fold_now, empty_log;

    pthread_mutex_t keeper_mu;
    pthread_cond_t keeper_more;
    char pending_note[NOTE_MAX]; /* "" when there is none */
    bool keeper_stop;

    pthread_mutex_t reader_mu;
    pthread_cond_t reader_free;
    struct reader *readers;

    pthread_mutex_t follow_mu;
    pthread_cond_t follow_more; /* a commit, a stop, or progress of a follower */
    struct follow *follows;
    bool follow_stop;
};

/* ledger.c */
void ledger_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t mono_us);
enum err_code ledger_open_db(const struct ledger *l, bool read_only, int cache_kib, struct db **out,
                             struct err *err) NODISCARD;

enum err_code ledger_open_keeper_db(const struct ledger *l, struct db **out,
                                    struct err *err) NODISCARD;

/* writer.c */
void *writer_main(void *arg);
/* One group on the calling thread (the writer, or open before there is one): applies, commits,
 * answers and frees the jobs. */
void writer_group(struct ledger *l, struct job *jobs, bool sign);
enum err_code writer_submit(struct ledger *l, const struct command *c, bool internal,
                            struct err *err) NODISCARD;
enum err_code writer_run(struct ledger *l, const struct command *c, bool internal,
                         struct reply *reply, int64_t *seq, struct err *err) NODISCARD;
enum err_code job_new(const struct command *c, bool internal, struct job **out,
                      struct err *err) NODISCARD;
void job_free(struct job *j);

/* keeper.c */
void *keeper_main(void *arg);

/* journal.c */
enum err_code journal_add(struct tx *tx, const char *type, int64_t id, int64_t version,
                          const char *image, size_t n, struct err *err) NODISCARD;
/* SHA-256 leaf of a row over the length-prefixed columns; scratch is cleared and used. */
enum err_code journal_leaf(struct sha *sha, struct buf *scratch, int64_t ledger,
                           const struct jrow *row, unsigned char out[MERKLE_HASH],
                           struct err *err) NODISCARD;
/* The row under a cursor of the JOURNAL_ statements; borrowed until its next step. */
struct jrow journal_row(const struct cursor *c);
enum err_code head_load(struct db *db, int64_t ledger, struct head *out, struct err *err) NODISCARD;
enum err_code head_save(struct db *db, int64_t ledger, const struct head *h,
                        struct err *err) NODISCARD;

/* idem.c */
void idem_key_hash(const char *actor, const char *key, unsigned char out[32]);
/* *found: the reply of an earlier command stands in j->reply, or j->rc tells that the body differs.
 */
enum err_code idem_find(struct ledger *l, struct job *j, int64_t now_us, bool *found,
                        struct err *err) NODISCARD;
enum err_code idem_keep(struct ledger *l, struct job *j, int64_t now_us, struct err *err) NODISCARD;

/* schema.c */
enum err_code schema_register(struct ledger *l, const struct ledger_options *o,
                              struct err *err) NODISCARD;
enum err_code schema_apply(struct tx *tx, void *ledger, struct err *err) NODISCARD; /* a command */
struct tabinfo *schema_find(struct ledger *l, const char *name);
/* The definition of a stored table, from its schema_ row. Arena-owned. */
enum err_code schema_parse(struct arena *a, const char *name, int64_t kind, const char *cols,
                           size_t n, const struct table **out, struct err *err) NODISCARD;
/* Numbered migrations: from the format of the folder up to the newest. */
struct migration {
    int64_t format; /* the folder's format after it */
    enum err_code (*up)(struct db *db, int64_t ledger, struct err *err);
};
const struct migration *migrations_builtin(size_t *n);
enum err_code migrate(struct db *db, int64_t ledger, const struct migration *m, size_t n,
                      struct err *err) NODISCARD;

/* follow.c */
void follow_stop_all(struct ledger *l);
void follow_published(struct ledger *l);

/* tx.c */
enum err_code row_get(struct db *db, int64_t ledger, const struct tabinfo *ti, int64_t id,
                      struct arena *a, struct cell *cells, int64_t *version,
                      struct err *err) NODISCARD;
#endif
