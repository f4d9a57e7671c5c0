#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "store/image.h"
#include "store/inside.h"
#include "store/statements.h"

enum { SALT = 32, FIXED = 4 /* ledger, id, version before, version after */ };

struct arena *tx_arena(struct tx *tx) {
    return tx->job->arena;
}
struct db *tx_db(struct tx *tx) {
    return tx->l->w;
}
int64_t tx_now_us(const struct tx *tx) { return tx->now_us; }
const char *tx_actor(const struct tx *tx) { return tx->job->c.actor; }
const char *tx_purpose(const struct tx *tx) { return tx->job->c.purpose; }
struct reply *tx_reply(struct tx *tx) {
    return &tx->job->reply;
}

static enum err_code known(struct ledger *l, const struct table *t, struct tabinfo **out,
                           struct err *err) {
    *out = schema_find(l, t->name);
    if (*out == NULL || (*out)->t->n_cols != t->n_cols)
        return err_fail(err, ERR_INTERNAL, "table %s is not part of this ledger", t->name);
    return ERR_OK;
}

static enum err_code for_writing(struct tx *tx, const struct table *t, struct tabinfo **out,
                                 struct err *err) {
    TRY(known(tx->l, t, out, err));
    if (tx->job->internal && t->kind != TABLE_DERIVED)
        return err_fail(err, ERR_INTERNAL, "a follower writes derived tables only, not %s",
                        t->name);
    return ERR_OK;
}

/* SHA-256(salt || value) as "c:" + hex; value and salt go to the table that stands outside the
 * hash. */
static enum err_code commit_value(struct tx *tx, const struct table *t, int64_t id,
                                  const struct column *col, struct cell *x, struct err *err) {
    unsigned char salt[SALT], hash[32];
    crypto_hash_sha256_state s;
    char *text = arena_alloc(tx->job->arena, COMMIT_MAX + 1, 1);
    int64_t seq = (int64_t)tx->l->head.tree.size + 1; /* of the journal row that is to follow */
    if (text == NULL) return err_fail(err, ERR_NOMEM, "no memory for a commitment");
    randombytes_buf(salt, sizeof salt);
    (void)crypto_hash_sha256_init(&s);
    (void)crypto_hash_sha256_update(&s, salt, sizeof salt);
    (void)crypto_hash_sha256_update(&s, (const unsigned char *)x->p, x->n);
    (void)crypto_hash_sha256_final(&s, hash);
    text[0] = 'c';
    text[1] = ':';
    (void)sodium_bin2hex(text + 2, COMMIT_HEX + 1, hash, sizeof hash);
    struct cell p[8] = {cell_int(tx->l->id),
                        cell_int(seq),
                        cell_textn(text + 2, COMMIT_HEX),
                        cell_text(t->name),
                        cell_int(id),
                        cell_text(col->name),
                        cell_blob(salt, sizeof salt),
                        *x};
    TRY(db_exec(tx->l->w, stmt_sql(STMT_PERSONAL_ADD), p, 8, NULL, err));
    int tail =
        snprintf(text + 2 + COMMIT_HEX, COMMIT_MAX + 1 - 2 - COMMIT_HEX, "@%lld", (long long)seq);
    *x = (struct cell){.type = CELL_COMMIT, .p = text, .n = 2 + COMMIT_HEX + (size_t)tail};
    return ERR_OK;
}

static enum err_code bad_personal(const struct table *t, const struct column *col,
                                  struct err *err) {
    char pointer[TABLE_MAX_NAME + 2];
    (void)snprintf(pointer, sizeof pointer, "/%s", col->name);
    enum err_code rc = err_fail(err, ERR_INVALID, "%s.%s: no valid text", t->name, col->name);
    return err == NULL ? rc : err_field(err, rc, pointer);
}

/* Personal texts become commitments; the image is written before anything is stored, since it also
 * checks every value. */
static enum err_code prepare_row(struct tx *tx, const struct tabinfo *ti, int64_t id,
                                 struct cell *cells, struct err *err) {
    const struct table *t = ti->t;
    for (size_t i = 0; i < t->n_cols; i++) {
        if (!t->cols[i].personal || cells[i].type == CELL_NULL || cells[i].type == CELL_COMMIT)
            continue;
        if (cells[i].type != CELL_TEXT || memchr(cells[i].p, '\0', cells[i].n) != NULL)
            return bad_personal(t, &t->cols[i], err);
        TRY(commit_value(tx, t, id, &t->cols[i], &cells[i], err));
    }
    buf_clear(&tx->l->image);
    return image_write(&tx->l->image, t, ti->order, cells, err);
}

static enum err_code next_id(struct tx *tx, struct tabinfo *ti, int64_t *id, struct err *err) {
    if (ti->next_id == 0) {
        struct cell p[1] = {cell_int(tx->l->id)};
        int64_t max;
        TRY(db_int(tx->l->w, ti->max_id, p, 1, 0, &max, err));
        ti->next_id = max + 1;
    }
    if (*id == 0) *id = ti->next_id;
    if (*id < 1)
        return err_fail(err, ERR_INVALID, "%s: id %lld is not positive", ti->t->name,
                        (long long)*id);
    if (*id >= ti->next_id) ti->next_id = *id + 1;
    return ERR_OK;
}

enum err_code tx_insert(struct tx *tx, const struct table *t, const struct cell *cells, int64_t *id,
                        struct err *err) {
    struct ledger *l = tx->l;
    struct tabinfo *ti;
    TRY(for_writing(tx, t, &ti, err));
    TRY(next_id(tx, ti, id, err));
    struct cell
        p[FIXED + TABLE_MAX_COLS]; /* not cleared: only the columns of this table are used */
    p[0] = cell_int(l->id);
    p[1] = cell_int(*id);
    p[2] = cell_int(1);
    memcpy(p + 3, cells, t->n_cols * sizeof *cells);
    TRY(prepare_row(tx, ti, *id, p + 3, err));
    TRY(db_exec(l->w, ti->insert, p, 3 + t->n_cols, NULL, err));
    if (t->kind != TABLE_LEDGER) return ERR_OK;
    return journal_add(tx, t->name, *id, 1, l->image.p, l->image.n, err);
}

static struct cell typed(const struct column *col, const struct cursor *c, int at,
                         struct arena *a) {
    struct cell x = cursor_cell(c, at, a);
    if (col->personal && x.type == CELL_TEXT) x.type = CELL_COMMIT;
    return x;
}

enum err_code row_get(struct db *db, int64_t ledger, const struct tabinfo *ti, int64_t id,
                      struct arena *a, struct cell *cells, int64_t *version, struct err *err) {
    struct cell p[2] = {cell_int(ledger), cell_int(id)};
    struct cursor *c = NULL;
    TRY(db_query(db, ti->get, p, 2, &c, err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && !has)
        rc = err_fail(err, ERR_NOT_FOUND, "%s %lld does not exist", ti->t->name, (long long)id);
    if (rc == ERR_OK) {
        if (version != NULL) *version = cursor_int(c, 0);
        for (size_t i = 0; i < ti->t->n_cols && rc == ERR_OK; i++) {
            cells[i] = typed(&ti->t->cols[i], c, (int)i + 1, a);
            if (cells[i].type == CELL_NULL && !cursor_is_null(c, (int)i + 1))
                rc = err_fail(err, ERR_NOMEM, "no memory for a row");
        }
    }
    cursor_close(c);
    return rc;
}

enum err_code tx_get(struct tx *tx, const struct table *t, int64_t id, struct cell *cells,
                     int64_t *version, struct err *err) {
    struct tabinfo *ti;
    TRY(known(tx->l, t, &ti, err));
    return row_get(tx->l->w, tx->l->id, ti, id, tx->job->arena, cells, version, err);
}

static enum err_code stored_version(struct tx *tx, const struct tabinfo *ti, int64_t id,
                                    int64_t *version, struct err *err) {
    struct cell p[2] = {cell_int(tx->l->id), cell_int(id)};
    TRY(db_int(tx->l->w, ti->get, p, 2, 0, version, err));
    return *version > 0
               ? ERR_OK
               : err_fail(err, ERR_NOT_FOUND, "%s %lld does not exist", ti->t->name, (long long)id);
}

enum err_code tx_update(struct tx *tx, const struct table *t, int64_t id, int64_t expect,
                        const struct cell *cells, struct err *err) {
    struct ledger *l = tx->l;
    struct tabinfo *ti;
    int64_t version;
    TRY(for_writing(tx, t, &ti, err));
    TRY(stored_version(tx, ti, id, &version, err));
    if (expect >= 0 && expect != version)
        return err_fail(err, ERR_STALE, "%s %lld is at version %lld, not %lld", t->name,
                        (long long)id, (long long)version, (long long)expect);
    struct cell p[FIXED + TABLE_MAX_COLS];
    p[0] = cell_int(l->id);
    p[1] = cell_int(id);
    p[2] = cell_int(version);
    p[3] = cell_int(version + 1);
    memcpy(p + FIXED, cells, t->n_cols * sizeof *cells);
    TRY(prepare_row(tx, ti, id, p + FIXED, err));
    TRY(db_exec(l->w, ti->update, p, FIXED + t->n_cols, NULL, err));
    if (t->kind != TABLE_LEDGER) return ERR_OK;
    return journal_add(tx, t->name, id, version + 1, l->image.p, l->image.n, err);
}

enum err_code tx_note(struct tx *tx, const char *type, int64_t id, const char *image, size_t n,
                      struct err *err) {
    if (schema_find(tx->l, type) != NULL)
        return err_fail(err, ERR_INTERNAL, "a note may not have the type of table %s", type);
    if (!image_is_json(image, n))
        return err_fail(err, ERR_INTERNAL, "the note %s is not JSON", type);
    return journal_add(tx, type, id, 0, image, n, err);
}

struct erasing {
    struct tx *tx;
    const struct table *t;
    const char *column; /* NULL: all */
    struct jw *w;
    int64_t n;
};

static bool is_personal(const struct erasing *e, const struct image_member *m) {
    for (size_t i = 0; i < e->t->n_cols; i++) {
        const struct column *c = &e->t->cols[i];
        if (strlen(c->name) != m->key_n || memcmp(c->name, m->key, m->key_n) != 0) continue;
        return c->personal && (e->column == NULL || strcmp(e->column, c->name) == 0);
    }
    return false;
}

/* Every value the row ever had goes, not only the present one: each stands behind a commitment in
 * some image. */
static enum err_code erase_image(struct erasing *e, const struct jrow *row, struct err *err) {
    struct image_iter it = image_walk(row->image, row->image_n);
    struct image_member m;
    int more;
    while ((more = image_next(&it, &m)) == 1) {
        struct commitment commit;
        if (!is_personal(e, &m) || !image_commitment(&m, &commit)) continue;
        struct cell p[3] = {cell_int(e->tx->l->id), cell_int(commit.seq),
                            cell_textn(commit.hex, COMMIT_HEX)};
        int64_t gone;
        TRY(db_exec(e->tx->l->w, stmt_sql(STMT_PERSONAL_ERASE), p, 3, &gone, err));
        if (gone == 0) continue;
        char text[COMMIT_MAX + 1];
        (void)snprintf(text, sizeof text, "c:%.64s@%lld", commit.hex, (long long)commit.seq);
        jw_str(e->w, text);
        e->n++;
    }
    return more == 0 ? ERR_OK
                     : err_fail(err, ERR_CORRUPT, "journal row %lld is not readable",
                                (long long)row->seq);
}

static enum err_code erase_all(struct erasing *e, int64_t id, struct err *err) {
    struct cell p[3] = {cell_int(e->tx->l->id), cell_text(e->t->name), cell_int(id)};
    struct cursor *c = NULL;
    TRY(db_query(e->tx->l->w, stmt_sql(STMT_JOURNAL_OF), p, 3, &c, err));
    bool has = false;
    enum err_code rc;
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has) {
        struct jrow row = journal_row(c);
        rc = erase_image(e, &row, err);
        if (rc != ERR_OK) break;
    }
    cursor_close(c);
    return rc;
}

enum err_code tx_erase(struct tx *tx, const struct table *t, int64_t id, const char *column,
                       const char *reason, int64_t *n, struct err *err) {
    struct tabinfo *ti;
    *n = 0;
    TRY(for_writing(tx, t, &ti, err));
    int col = column == NULL ? 0 : table_col(t, column);
    if (col < 0 || (column != NULL && !t->cols[col].personal))
        return err_fail(err, ERR_INVALID, "%s has no personal column %s", t->name, column);
    int64_t version;
    TRY(stored_version(tx, ti, id, &version, err));
    struct buf b;
    struct jw w;
    buf_init(&b, IMAGE_MAX);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "table", t->name);
    jw_kstr(&w, "column", column);
    jw_kstr(&w, "reason", reason);
    jw_key(&w, "commitments");
    jw_arr(&w);
    struct erasing e = {.tx = tx, .t = t, .column = column, .w = &w};
    enum err_code rc = erase_all(&e, id, err);
    jw_end(&w, ']');
    jw_end(&w, '}');
    if (rc == ERR_OK) rc = buf_check(&b, err);
    if (rc == ERR_OK && e.n > 0) rc = journal_add(tx, "erase_", id, 0, b.p, b.n, err);
    buf_deinit(&b);
    if (rc == ERR_OK) {
        *n = e.n;
        if (e.n > 0) atomic_store(&tx->l->empty_log, true);
    }
    return rc;
}

enum err_code personal_get(struct db *db, const struct cell *commit, struct arena *a,
                           struct cell *out, struct err *err) {
    struct commitment at;
    *out = cell_null();
    if ((commit->type != CELL_COMMIT && commit->type != CELL_TEXT) ||
        !commitment_parse(commit->p, commit->n, &at))
        return ERR_OK;
    struct cell p[3] = {cell_int(db_ledger(db)), cell_int(at.seq), cell_textn(at.hex, COMMIT_HEX)};
    struct cursor *c = NULL;
    TRY(db_query(db, stmt_sql(STMT_PERSONAL_GET), p, 3, &c, err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) {
        *out = cursor_cell(c, 0, a);
        if (out->type == CELL_NULL) rc = err_fail(err, ERR_NOMEM, "no memory for a personal value");
    }
    cursor_close(c);
    return rc;
}
