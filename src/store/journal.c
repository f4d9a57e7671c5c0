#include <string.h>

#include "base/mem.h"
#include "store/inside.h"
#include "store/statements.h"

static void put_u32(struct buf *b, uint32_t n) {
    unsigned char x[4] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16),
                          (unsigned char)(n >> 8), (unsigned char)n};
    buf_add(b, x, 4);
}

static void put_i64(struct buf *b, int64_t v) {
    unsigned char x[12] = {0, 0, 0, 8};
    uint64_t u = (uint64_t)v;
    for (unsigned i = 0; i < 8; i++) x[4 + i] = (unsigned char)(u >> (56 - 8 * i));
    buf_add(b, x, sizeof x);
}

/* A null column has the length 2^32 - 1, which no value can have. */
static void put_text(struct buf *b, const char *s, size_t n) {
    put_u32(b, s == NULL ? UINT32_MAX : (uint32_t)n);
    if (s != NULL) buf_add(b, s, n);
}

static void put_str(struct buf *b, const char *s) { put_text(b, s, s == NULL ? 0 : strlen(s)); }

enum err_code journal_leaf(struct sha *sha, struct buf *scratch, int64_t ledger,
                           const struct jrow *row, unsigned char out[MERKLE_HASH],
                           struct err *err) {
    buf_clear(scratch);
    buf_char(scratch, '\0'); /* the leaf prefix of RFC 6962 */
    put_i64(scratch, ledger);
    put_i64(scratch, row->seq);
    put_i64(scratch, row->at_us);
    put_str(scratch, row->actor);
    put_str(scratch, row->behalf);
    put_str(scratch, row->purpose);
    put_str(scratch, row->command);
    put_str(scratch, row->type);
    put_i64(scratch, row->id);
    put_i64(scratch, row->version);
    put_text(scratch, row->image, row->image_n);
    TRY(buf_check(scratch, err));
    merkle_leaf(sha, (unsigned char *)scratch->p, scratch->n, out);
    return ERR_OK;
}

enum err_code journal_add(struct tx *tx, const char *type, int64_t id, int64_t version,
                          const char *image, size_t n, struct err *err) {
    struct ledger *l = tx->l;
    const struct command *c = &tx->job->c;
    if (tx->job->internal)
        return err_fail(err, ERR_INTERNAL, "a follower may not journal (%s)", type);
    if (n > IMAGE_MAX)
        return err_fail(err, ERR_TOO_LARGE, "a row image of %zu bytes; at most %d", n,
                        (int)IMAGE_MAX);
    struct jrow row = {.seq = (int64_t)l->head.tree.size + 1,
                       .at_us = tx->now_us,
                       .actor = c->actor,
                       .behalf = c->behalf,
                       .purpose = c->purpose,
                       .command = c->name,
                       .type = type,
                       .id = id,
                       .version = version,
                       .image = image,
                       .image_n = n};
    unsigned char leaf[MERKLE_HASH];
    TRY(journal_leaf(l->sha, &l->leaf, l->id, &row, leaf, err));
    struct cell cells[12] = {
        cell_int(l->id),        cell_int(row.seq),     cell_int(row.at_us),
        cell_text(row.actor),   cell_text(row.behalf), cell_text(row.purpose),
        cell_text(row.command), cell_text(type),       cell_int(id),
        cell_int(version),      cell_blob(image, n),   cell_blob(leaf, sizeof leaf)};
    TRY(db_exec(l->w, stmt_sql(STMT_JOURNAL_ADD), cells, 12, NULL, err));
    merkle_append(&l->head.tree, l->sha, leaf);
    memcpy(l->head.tail, leaf, sizeof leaf);
    return ERR_OK;
}

static const char *text_or_null(const struct cursor *c, int col) {
    return cursor_is_null(c, col) ? NULL : cursor_text(c, col);
}

struct jrow journal_row(const struct cursor *c) {
    struct jrow r = {.seq = cursor_int(c, 0),
                     .at_us = cursor_int(c, 1),
                     .actor = cursor_text(c, 2),
                     .behalf = text_or_null(c, 3),
                     .purpose = text_or_null(c, 4),
                     .command = cursor_text(c, 5),
                     .type = cursor_text(c, 6),
                     .id = cursor_int(c, 7),
                     .version = cursor_int(c, 8)};
    r.image = cursor_blob(c, 9, &r.image_n);
    if (r.image == NULL) r.image = "";
    return r;
}

enum err_code head_load(struct db *db, int64_t ledger, struct head *out, struct err *err) {
    struct cell p[2] = {cell_int(ledger), cell_text("head")};
    struct cursor *c = NULL;
    TRY(db_query(db, stmt_sql(STMT_STATE_GET), p, 2, &c, err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && !has) rc = err_fail(err, ERR_CORRUPT, "the head of the journal is missing");
    if (rc == ERR_OK) {
        size_t n;
        const unsigned char *v = cursor_blob(c, 0, &n);
        if (n < MERKLE_HASH || !merkle_load(&out->tree, v + MERKLE_HASH, n - MERKLE_HASH))
            rc = err_fail(err, ERR_CORRUPT, "the head of the journal is damaged");
        else
            memcpy(out->tail, v, MERKLE_HASH);
    }
    cursor_close(c);
    return rc;
}

enum err_code head_save(struct db *db, int64_t ledger, const struct head *h, struct err *err) {
    unsigned char v[MERKLE_HASH + MERKLE_MAX_TEXT];
    memcpy(v, h->tail, MERKLE_HASH);
    size_t n = MERKLE_HASH + merkle_save(&h->tree, v + MERKLE_HASH);
    struct cell p[3] = {cell_int(ledger), cell_text("head"), cell_blob(v, n)};
    return db_exec(db, stmt_sql(STMT_STATE_SET), p, 3, NULL, err);
}

static bool copy_row(struct arena *a, struct jrow *r) {
    const char **texts[] = {&r->actor, &r->behalf, &r->purpose, &r->command, &r->type};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (*texts[i] != NULL && (*texts[i] = arena_strdup(a, *texts[i])) == NULL) return false;
    }
    r->image = arena_dup(a, r->image, r->image_n);
    return r->image != NULL;
}

enum err_code journal_of(struct db *db, int64_t ledger, const char *type, int64_t id,
                         struct arena *a, struct jrow **out, size_t *n, struct err *err) {
    enum { FIRST = 16 };
    size_t max = *n == 0 ? SIZE_MAX >> 16 : *n, cap = max < FIRST ? max : FIRST, got = 0;
    struct cell p[4] = {cell_int(ledger), cell_text(type), cell_int(id), cell_int((int64_t)max)};
    struct jrow *rows = ARENA_NEW(a, struct jrow, cap);
    struct cursor *c = NULL;
    if (rows == NULL) return err_fail(err, ERR_NOMEM, "no memory for a record's journal");
    TRY(db_query(db, stmt_sql(STMT_JOURNAL_OF_LAST), p, 4, &c, err));
    enum err_code rc;
    bool has;
    while ((rc = cursor_next(c, &has, err)) == ERR_OK && has) {
        if (got == cap) {
            struct jrow *more = ARENA_NEW(a, struct jrow, cap * 2);
            if (more != NULL) memcpy(more, rows, got * sizeof *rows);
            rows = more;
            cap *= 2;
        }
        if (rows != NULL) rows[got] = journal_row(c);
        if (rows == NULL || !copy_row(a, &rows[got++])) {
            rc = err_fail(err, ERR_NOMEM, "no memory for a record's journal");
            break;
        }
    }
    cursor_close(c);
    if (rc != ERR_OK) return rc;
    for (size_t i = 0; i < got / 2; i++) {
        struct jrow r = rows[i];
        rows[i] = rows[got - 1 - i];
        rows[got - 1 - i] = r;
    }
    *out = rows;
    *n = got;
    return ERR_OK;
}

enum err_code journal_before(struct db *db, int64_t ledger, const char *type, int64_t id,
                             int64_t seq, struct arena *a, struct jrow *out, bool *found,
                             struct err *err) {
    struct cell p[4] = {cell_int(ledger), cell_text(type), cell_int(id), cell_int(seq)};
    struct cursor *c = NULL;
    *found = false;
    TRY(db_query(db, stmt_sql(STMT_JOURNAL_BEFORE), p, 4, &c, err));
    enum err_code rc = cursor_next(c, found, err);
    if (rc == ERR_OK && *found) {
        *out = journal_row(c);
        if (!copy_row(a, out)) rc = err_fail(err, ERR_NOMEM, "no memory for a record's journal");
    }
    cursor_close(c);
    return rc;
}
