#include "store/verify.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/image.h"
#include "store/inside.h"
#include "store/sql.h"
#include "store/statements.h"
#include "store/tables.h"

enum { MOST_TABLES = 4096, MOST_KEYS = 64, CACHE_KIB = 65536 };

struct known_table {
    const struct table *t;
    int64_t rows; /* journal rows of this type */
};
struct verify {
    struct db *db;
    int64_t ledger;
    struct verify_report *out;
    struct arena *arena;
    struct merkle tree;
    struct buf leaf;
    struct sha *sha;
    struct known_table *tables;
    size_t n_tables;
    struct note_key keys[MOST_KEYS];
    size_t n_keys;
    struct checkpoint outside[2]; /* the caller's file and DIR/checkpoint */
    char *outside_text[2];
    size_t outside_n[2];
    int64_t last_good; /* largest checkpoint that matched */
};

/* Note the first finding; returns ERR_CORRUPT, so that a check ends with `return found(...)`. */
static enum err_code found(struct verify *v, int64_t seq, const char *table, int64_t id,
                           const char *fmt, ...) PRINTF_LIKE(5, 6);
static enum err_code found(struct verify *v, int64_t seq, const char *table, int64_t id,
                           const char *fmt, ...) {
    struct verify_report *r = v->out;
    if (r->has_bad) return ERR_CORRUPT;
    r->has_bad = true;
    r->bad_seq = seq;
    r->bad_id = id;
    (void)snprintf(r->bad_table, sizeof r->bad_table, "%s", table);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(r->bad_reason, sizeof r->bad_reason, fmt, ap);
    va_end(ap);
    return ERR_CORRUPT;
}

static struct known_table *table_of(struct verify *v, const char *name) {
    for (size_t i = 0; i < v->n_tables; i++) {
        if (strcmp(v->tables[i].t->name, name) == 0) return &v->tables[i];
    }
    return NULL;
}

static bool member_is(const struct image_member *m, const char *key) {
    return m->key_n == strlen(key) && memcmp(m->key, key, m->key_n) == 0;
}

/* {"name":"case_","kind":1,"cols":[...]} as schema_ rows hold it; names need no escapes. */
static enum err_code learn_table(struct verify *v, const struct jrow *row, struct err *err) {
    struct image_iter it = image_walk(row->image, row->image_n);
    struct image_member m, name = {0}, kind = {0}, cols = {0};
    while (image_next(&it, &m) == 1) {
        if (member_is(&m, "name")) name = m;
        if (member_is(&m, "kind")) kind = m;
        if (member_is(&m, "cols")) cols = m;
    }
    if (name.value_n < 3 || kind.value_n != 1 || cols.value == NULL)
        return found(v, row->seq, row->type, row->id, "the definition of a table is not readable");
    const char *text = arena_dup(v->arena, name.value + 1, name.value_n - 2);
    if (text == NULL) return err_fail(err, ERR_NOMEM, "no memory for a table");
    const struct table *t = NULL;
    enum err_code rc =
        schema_parse(v->arena, text, kind.value[0] - '0', cols.value, cols.value_n, &t, err);
    if (rc == ERR_NOMEM) return rc;
    if (rc != ERR_OK)
        return found(v, row->seq, row->type, row->id, "the definition of table %s is not readable",
                     text);
    struct known_table *k = table_of(v, t->name);
    if (k == NULL) {
        if (v->n_tables == MOST_TABLES)
            return err_fail(err, ERR_LIMIT, "more than %d tables", (int)MOST_TABLES);
        k = &v->tables[v->n_tables++];
        k->rows = 0;
    }
    k->t = t;
    return ERR_OK;
}

static enum err_code learn_key(struct verify *v, const struct jrow *row) {
    struct image_iter it = image_walk(row->image, row->image_n);
    struct image_member m;
    char text[256];
    if (image_next(&it, &m) != 1 || !member_is(&m, "verifier") || m.value_n < 3 ||
        m.value_n >= sizeof text)
        return found(v, row->seq, row->type, row->id, "the key is not readable");
    (void)snprintf(text, sizeof text, "%.*s", (int)m.value_n - 2, m.value + 1);
    if (v->n_keys == MOST_KEYS || note_key_parse(text, &v->keys[v->n_keys], NULL) != ERR_OK)
        return found(v, row->seq, row->type, row->id, "the key is not readable");
    v->n_keys++;
    return ERR_OK;
}

static enum err_code has_personal(struct verify *v, const struct commitment *c, bool *has,
                                  struct err *err) {
    struct cell p[3] = {cell_int(v->ledger), cell_int(c->seq), cell_textn(c->hex, COMMIT_HEX)};
    int64_t one = 0;
    TRY(db_int(v->db, stmt_sql(STMT_PERSONAL_HAS), p, 3, 0, &one, err));
    *has = one == 1;
    return ERR_OK;
}

/* Whether an erasure on record names the commitment. */
static enum err_code was_erased(struct verify *v, int64_t id, const char *hex, bool *erased,
                                struct err *err) {
    struct cell p[3] = {cell_int(v->ledger), cell_text("erase_"), cell_int(id)};
    struct cursor *c = NULL;
    *erased = false;
    TRY(db_query(v->db, stmt_sql(STMT_JOURNAL_OF), p, 3, &c, err));
    enum err_code rc;
    bool has;
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has && !*erased) {
        struct jrow row = journal_row(c);
        *erased = memmem(row.image, row.image_n, hex, COMMIT_HEX) != NULL;
    }
    cursor_close(c);
    return rc;
}

/* A list of commitments as text: ["c:...@12","c:...@15"]. */
static enum err_code check_erased(struct verify *v, const struct jrow *row,
                                  const struct image_member *list, struct err *err) {
    const char *end = list->value + list->value_n;
    for (const char *p = list->value; (p = memchr(p, '"', (size_t)(end - p))) != NULL;) {
        const char *close = memchr(p + 1, '"', (size_t)(end - p - 1));
        struct commitment c;
        bool has;
        if (close == NULL || !commitment_parse(p + 1, (size_t)(close - p - 1), &c))
            return found(v, row->seq, row->type, row->id, "the erasure is not readable");
        TRY(has_personal(v, &c, &has, err));
        if (has) return found(v, row->seq, row->type, row->id, "an erased value is there again");
        v->out->erased++;
        p = close + 1;
    }
    return ERR_OK;
}

static enum err_code check_erasure(struct verify *v, const struct jrow *row, struct err *err) {
    struct image_iter it = image_walk(row->image, row->image_n);
    struct image_member m;
    while (image_next(&it, &m) == 1) {
        if (!member_is(&m, "commitments")) continue;
        TRY(check_erased(v, row, &m, err));
    }
    return ERR_OK;
}

static enum err_code check_commitments(struct verify *v, const struct known_table *k,
                                       const struct jrow *row, struct err *err) {
    struct image_iter it = image_walk(row->image, row->image_n);
    struct image_member m;
    int more;
    while ((more = image_next(&it, &m)) == 1) {
        char key[TABLE_MAX_NAME + 1];
        if (m.key_n > TABLE_MAX_NAME)
            return found(v, row->seq, row->type, row->id, "the image has an unknown column");
        memcpy(key, m.key, m.key_n);
        key[m.key_n] = '\0';
        int col = table_col(k->t, key);
        if (col < 0)
            return found(v, row->seq, row->type, row->id, "the image has an unknown column %s",
                         key);
        if (!k->t->cols[col].personal) continue;
        struct commitment c;
        if (!image_commitment(&m, &c))
            return found(v, row->seq, row->type, row->id,
                         "personal column %s stands open in the image", key);
        bool has, erased = false;
        TRY(has_personal(v, &c, &has, err));
        if (!has) TRY(was_erased(v, row->id, c.hex, &erased, err));
        if (!has && !erased)
            return found(v, row->seq, row->type, row->id,
                         "the value of %s is missing, and no erasure is on record", key);
    }
    return more == 0 ? ERR_OK : found(v, row->seq, row->type, row->id, "the image is not readable");
}

static enum err_code check_content(struct verify *v, const struct jrow *row, struct err *err) {
    if (row->version < 0) return found(v, row->seq, row->type, row->id, "a negative version");
    if (row->version == 0) {
        if (strcmp(row->type, "key_") == 0) return learn_key(v, row);
        return strcmp(row->type, "erase_") == 0 ? check_erasure(v, row, err) : ERR_OK;
    }
    if (strcmp(row->type, table_schema_.name) == 0) TRY(learn_table(v, row, err));
    struct known_table *k = table_of(v, row->type);
    if (k == NULL || k->t->kind != TABLE_LEDGER)
        return found(v, row->seq, row->type, row->id,
                     "a journal row of a table that was not declared before");
    k->rows++;
    return check_commitments(v, k, row, err);
}

static bool signed_by_known(const struct verify *v, const char *text, size_t n) {
    for (size_t i = 0; i < v->n_keys; i++) {
        if (note_signed_by(text, n, &v->keys[i])) return true;
    }
    return false;
}

static enum err_code check_note(struct verify *v, const struct checkpoint *cp, const char *text,
                                size_t n, const char *what) {
    unsigned char root[MERKLE_HASH];
    merkle_root(&v->tree, root);
    if (memcmp(root, cp->root, sizeof root) != 0)
        return found(v, v->last_good + 1, what, cp->size,
                     "rows %lld to %lld do not give the root that was signed at %lld",
                     (long long)v->last_good + 1, (long long)cp->size, (long long)cp->size);
    if (!signed_by_known(v, text, n))
        return found(v, cp->size, what, cp->size, "the checkpoint at %lld has no valid signature",
                     (long long)cp->size);
    v->last_good = cp->size;
    return ERR_OK;
}

/* The stored checkpoints come along in order of size; *has tells whether c stands on one. */
static enum err_code pass_checkpoints(struct verify *v, struct cursor *c, bool *has,
                                      struct err *err) {
    while (*has && (uint64_t)cursor_int(c, 0) == v->tree.size) {
        struct checkpoint cp;
        const char *text = cursor_text(c, 2);
        size_t n_root;
        const void *root = cursor_blob(c, 1, &n_root);
        int64_t size = cursor_int(c, 0);
        if (note_parse(text, strlen(text), &cp, NULL) != ERR_OK || cp.size != size ||
            n_root != sizeof cp.root || memcmp(root, cp.root, n_root) != 0)
            return found(v, size, "checkpoint", size, "the checkpoint at %lld is not readable",
                         (long long)size);
        TRY(check_note(v, &cp, text, strlen(text), "checkpoint"));
        v->out->checkpoints++;
        TRY(cursor_next(c, has, err));
    }
    for (size_t i = 0; i < 2; i++) {
        if (v->outside_text[i] != NULL && (uint64_t)v->outside[i].size == v->tree.size)
            TRY(check_note(v, &v->outside[i], v->outside_text[i], v->outside_n[i],
                           "checkpoint file"));
    }
    return ERR_OK;
}

static enum err_code check_row(struct verify *v, const struct cursor *c, struct err *err) {
    struct jrow row = journal_row(c);
    int64_t expected = (int64_t)v->tree.size + 1;
    if (row.seq != expected)
        return found(v, expected, "journal", 0, "row %lld is missing; the next one is %lld",
                     (long long)expected, (long long)row.seq);
    unsigned char leaf[MERKLE_HASH];
    TRY(journal_leaf(v->sha, &v->leaf, v->ledger, &row, leaf, err));
    size_t n;
    const void *stored = cursor_blob(c, 10, &n);
    if (n != sizeof leaf || memcmp(stored, leaf, n) != 0)
        return found(v, row.seq, row.type, row.id, "the journal row was changed");
    merkle_append(&v->tree, v->sha, leaf);
    v->out->rows++;
    return check_content(v, &row, err);
}

static enum err_code check_end(struct verify *v, const struct cursor *notes, bool has_note) {
    int64_t size = (int64_t)v->tree.size;
    if (has_note)
        return found(v, size + 1, "journal", 0,
                     "the journal ends at %lld, but a checkpoint was signed at %lld",
                     (long long)size, (long long)cursor_int(notes, 0));
    for (size_t i = 0; i < 2; i++) {
        if (v->outside_text[i] == NULL || v->outside[i].size <= size) continue;
        return found(v, size + 1, "journal", 0,
                     "the journal ends at %lld, but the checkpoint file was signed at %lld",
                     (long long)size, (long long)v->outside[i].size);
    }
    return ERR_OK;
}

static enum err_code walk_journal(struct verify *v, struct cursor *rows, struct cursor *notes,
                                  struct err *err) {
    bool has_row = true, has_note;
    TRY(cursor_next(notes, &has_note, err));
    while (has_row) {
        TRY(pass_checkpoints(v, notes, &has_note, err));
        TRY(cursor_next(rows, &has_row, err));
        if (has_row) TRY(check_row(v, rows, err));
    }
    return check_end(v, notes, has_note);
}

static enum err_code check_journal(struct verify *v, struct err *err) {
    struct cell p[1] = {cell_int(v->ledger)};
    struct cursor *rows = NULL, *notes = NULL;
    enum err_code rc = db_query(v->db, stmt_sql(STMT_JOURNAL_ALL), p, 1, &rows, err);
    if (rc == ERR_OK) rc = db_query(v->db, stmt_sql(STMT_CHECKPOINT_ALL), p, 1, &notes, err);
    if (rc == ERR_OK) rc = walk_journal(v, rows, notes, err);
    cursor_close(rows);
    cursor_close(notes);
    TRY(rc);
    struct head head;
    TRY(head_load(v->db, v->ledger, &head, err));
    unsigned char a[MERKLE_HASH], b[MERKLE_HASH];
    merkle_root(&head.tree, a);
    merkle_root(&v->tree, b);
    if (head.tree.size != v->tree.size || memcmp(a, b, sizeof a) != 0)
        return found(v, v->last_good + 1, "journal", 0,
                     "rows after %lld do not give the head of the journal",
                     (long long)v->last_good);
    return ERR_OK;
}

/* ---- tables against the last image of each row ---- */

struct merge {
    struct verify *v;
    struct known_table *k;
    struct cursor *rows, *journal;
    bool has_row, has_journal;
    struct buf image, last;
    int64_t seen; /* journal rows passed */
};

static enum err_code render(struct merge *m, struct arena *a, struct err *err) {
    const struct table *t = m->k->t;
    struct cell *cells = ARENA_NEW(a, struct cell, t->n_cols);
    if (cells == NULL) return err_fail(err, ERR_NOMEM, "no memory for a row");
    for (size_t i = 0; i < t->n_cols; i++) {
        cells[i] = cursor_cell(m->rows, (int)i + 2, a);
        if (cells[i].type == CELL_NULL && !cursor_is_null(m->rows, (int)i + 2))
            return err_fail(err, ERR_NOMEM, "no memory for a row");
    }
    buf_clear(&m->image);
    return image_write(&m->image, t, NULL, cells, err);
}

/* All journal rows of one id: versions 1, 2, 3 ... and the last image in m->last. */
static enum err_code last_image(struct merge *m, int64_t id, int64_t *seq, int64_t *version,
                                struct err *err) {
    *version = 0;
    while (m->has_journal && cursor_int(m->journal, 1) == id) {
        *seq = cursor_int(m->journal, 0);
        if (cursor_int(m->journal, 2) != *version + 1)
            return found(m->v, *seq, m->k->t->name, id, "version %lld follows version %lld",
                         (long long)cursor_int(m->journal, 2), (long long)*version);
        (*version)++;
        size_t n;
        const void *p = cursor_blob(m->journal, 3, &n);
        buf_clear(&m->last);
        buf_add(&m->last, p, n);
        TRY(buf_check(&m->last, err));
        m->seen++;
        TRY(cursor_next(m->journal, &m->has_journal, err));
    }
    return ERR_OK;
}

static enum err_code compare_row(struct merge *m, struct err *err) {
    const char *table = m->k->t->name;
    int64_t id = cursor_int(m->rows, 0), seq = 0, version = 0;
    TRY(last_image(m, id, &seq, &version, err));
    if (version == 0)
        return found(m->v, 0, table, id, "the table has a row that no journal row made");
    if (version != cursor_int(m->rows, 1))
        return found(m->v, seq, table, id, "the table has version %lld, the journal %lld",
                     (long long)cursor_int(m->rows, 1), (long long)version);
    struct arena *a = arena_new(COMMAND_ARENA);
    enum err_code rc =
        a == NULL ? err_fail(err, ERR_NOMEM, "no memory for a row") : render(m, a, err);
    arena_free(a);
    if (rc == ERR_NOMEM) return rc;
    if (rc != ERR_OK || m->image.n != m->last.n || memcmp(m->image.p, m->last.p, m->last.n) != 0)
        return found(m->v, seq, table, id,
                     "the table row differs from the journal's last image of it");
    return ERR_OK;
}

static enum err_code merge_table(struct merge *m, struct err *err) {
    TRY(cursor_next(m->rows, &m->has_row, err));
    TRY(cursor_next(m->journal, &m->has_journal, err));
    while (m->has_row) {
        if (m->has_journal && cursor_int(m->journal, 1) < cursor_int(m->rows, 0)) break;
        TRY(compare_row(m, err));
        TRY(cursor_next(m->rows, &m->has_row, err));
    }
    if (m->has_journal)
        return found(m->v, cursor_int(m->journal, 0), m->k->t->name, cursor_int(m->journal, 1),
                     "the row is missing in the table");
    if (m->seen != m->k->rows)
        return found(m->v, 0, m->k->t->name, 0, "the journal's index of this table is damaged");
    return ERR_OK;
}

static enum err_code check_table(struct verify *v, struct known_table *k, struct err *err) {
    struct merge m = {.v = v, .k = k};
    struct buf sql;
    buf_init(&sql, SQL_MAX_TEXT);
    buf_init(&m.image, (size_t)IMAGE_MAX * 2);
    buf_init(&m.last, (size_t)IMAGE_MAX * 2);
    sql_scan(&sql, k->t);
    struct cell p[2] = {cell_int(v->ledger), cell_int(INT64_MIN)},
                q[2] = {cell_int(v->ledger), cell_text(k->t->name)};
    enum err_code rc = buf_check(&sql, err);
    if (rc == ERR_OK) rc = db_query(v->db, buf_text(&sql), p, 2, &m.rows, err);
    if (rc == ERR_INTERNAL)
        rc = found(v, 0, k->t->name, 0,
                   "the table is missing or has other columns than the journal says");
    if (rc == ERR_OK) rc = db_query(v->db, stmt_sql(STMT_JOURNAL_ROWS), q, 2, &m.journal, err);
    if (rc == ERR_OK) rc = merge_table(&m, err);
    cursor_close(m.rows);
    cursor_close(m.journal);
    buf_deinit(&m.last);
    buf_deinit(&m.image);
    buf_deinit(&sql);
    return rc;
}

static enum err_code check_personal(struct verify *v, struct err *err) {
    struct cell p[1] = {cell_int(v->ledger)};
    struct cursor *c = NULL;
    TRY(db_query(v->db, stmt_sql(STMT_PERSONAL_ALL), p, 1, &c, err));
    enum err_code rc;
    bool has;
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has) {
        size_t n_salt, n_value;
        const unsigned char *salt = cursor_blob(c, 4, &n_salt),
                            *value = cursor_blob(c, 5, &n_value);
        crypto_hash_sha256_state s;
        unsigned char hash[32];
        char hex[65];
        (void)crypto_hash_sha256_init(&s);
        (void)crypto_hash_sha256_update(&s, salt, n_salt);
        (void)crypto_hash_sha256_update(&s, value, n_value);
        (void)crypto_hash_sha256_final(&s, hash);
        (void)sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
        if (n_salt == 32 && strcmp(hex, cursor_text(c, 0)) == 0) continue;
        rc = found(v, 0, cursor_text(c, 1), cursor_int(c, 2),
                   "the value of %s does not match its commitment", cursor_text(c, 3));
        break;
    }
    cursor_close(c);
    return rc;
}

/* The key that signs in this folder must be on record in the journal. */
static enum err_code check_own_key(struct verify *v, const char *dir, struct err *err) {
    char path[LEDGER_PATH];
    struct buf b;
    struct note_key key = {.name = ""};
    (void)snprintf(path, sizeof path, "%s/keys/verifier", dir);
    buf_init(&b, NOTE_MAX);
    enum err_code rc = file_read(path, &b, err);
    bool readable = rc == ERR_OK && note_key_parse(buf_text(&b), &key, NULL) == ERR_OK;
    buf_deinit(&b);
    if (rc == ERR_NOT_FOUND) return ERR_OK; /* a copy without its keys */
    TRY(rc);
    for (size_t i = 0; readable && i < v->n_keys; i++) {
        if (memcmp(v->keys[i].public_key, key.public_key, sizeof key.public_key) == 0)
            return ERR_OK;
    }
    return found(v, 0, "keys", 0, "the folder's signing key is not on record in its journal");
}

static enum err_code check_all(struct verify *v, const char *dir, struct err *err) {
    bool sound = false;
    char what[160] = "";
    TRY(db_int(v->db, stmt_sql(STMT_STATE_LEDGER), NULL, 0, 1, &v->ledger, err));
    /* The table of definitions is known beforehand: it defines all others, and itself somewhere
     * among them. */
    v->tables[v->n_tables++] = (struct known_table){.t = &table_schema_};
    TRY(check_journal(v, err));
    for (size_t i = 0; i < v->n_tables; i++) {
        if (v->tables[i].t->kind == TABLE_LEDGER) TRY(check_table(v, &v->tables[i], err));
    }
    TRY(check_personal(v, err));
    TRY(check_own_key(v, dir, err));
    TRY(db_check(v->db, &sound, what, sizeof what, err));
    return sound ? ERR_OK : found(v, 0, "database", 0, "%s", what);
}

/* ---- opening ---- */

static enum err_code load_note(struct verify *v, size_t i, const char *path, struct err *err) {
    struct buf b;
    buf_init(&b, (size_t)NOTE_MAX * 4);
    enum err_code rc = file_read(path, &b, err);
    if (rc == ERR_OK) rc = note_parse(buf_text(&b), b.n, &v->outside[i], err);
    if (rc == ERR_OK && (v->outside_text[i] = arena_dup(v->arena, b.p, b.n)) == NULL)
        rc = err_fail(err, ERR_NOMEM, "no memory for a note");
    v->outside_n[i] = b.n;
    buf_deinit(&b);
    return rc;
}

/* The checkpoint beside the database is read before the database's snapshot is taken, so that it
 * cannot be newer. */
static enum err_code load_notes(struct verify *v, const char *dir, const char *file,
                                struct err *err) {
    char path[LEDGER_PATH];
    if (file != NULL) TRY(load_note(v, 0, file, err));
    (void)snprintf(path, sizeof path, "%s/checkpoint", dir);
    enum err_code rc = load_note(v, 1, path, err);
    if (rc == ERR_SYNTAX) return found(v, 0, "checkpoint file", 0, "%s is not readable", path);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

static enum err_code open_folder(struct verify *v, const char *dir, struct err *err) {
    char path[LEDGER_PATH];
    (void)snprintf(path, sizeof path, "%s/" DB_NAME, dir);
    const struct db_open o = {.read_only = true, .cache_kib = CACHE_KIB};
    TRY(db_open_known(&driver_sqlite, path, &o, LEDGER_FORMAT, &v->db, err));
    return db_begin(v->db, false, err);
}

enum err_code ledger_verify(const char *dir, const char *checkpoint_file, struct verify_report *out,
                            struct err *err) {
    *out = (struct verify_report){.ok = false};
    if (sodium_init() < 0) return err_fail(err, ERR_INTERNAL, "libsodium does not start");
    struct verify *v = mem_new(1, sizeof *v);
    if (v == NULL) return err_fail(err, ERR_NOMEM, "no memory to verify");
    struct err inner = {.code = ERR_OK};
    v->out = out;
    buf_init(&v->leaf, (size_t)IMAGE_MAX * 2);
    merkle_init(&v->tree);
    v->sha = sha_new();
    v->arena = arena_new(COMMAND_ARENA);
    v->tables = v->arena == NULL ? NULL : ARENA_NEW(v->arena, struct known_table, MOST_TABLES);
    enum err_code rc = v->tables == NULL ? err_fail(&inner, ERR_NOMEM, "no memory to verify")
                                         : load_notes(v, dir, checkpoint_file, &inner);
    if (rc == ERR_OK) rc = open_folder(v, dir, &inner);
    if (rc == ERR_OK) rc = check_all(v, dir, &inner);
    if (rc == ERR_CORRUPT && !out->has_bad) (void)found(v, 0, "database", 0, "%s", inner.detail);
    if (v->db != NULL) db_rollback(v->db);
    db_close(v->db, false);
    buf_deinit(&v->leaf);
    sha_free(v->sha);
    arena_free(v->arena);
    mem_free(v);
    if (out->has_bad) return ERR_OK;
    if (rc == ERR_OK) out->ok = true;
    if (rc != ERR_OK && err != NULL) *err = inner;
    return rc;
}
