#include "domain/process/search.h"

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

enum { MAX_TERMS = 64 * 1024, MAX_QUERY = 2048 };

/* FTS5 of SQLite; the terms are our own tokens (base/utf8.h), so the plain tokenizer suffices.
 * Another driver brings its own index behind the same two functions. */
static const struct table search_table = {.name = "case_search", .kind = TABLE_DERIVED};

static enum err_code make_index(struct tx *tx, void *arg, struct err *err) {
    (void)arg;
    return db_exec(tx_db(tx),
                   "CREATE VIRTUAL TABLE IF NOT EXISTS case_search USING fts5("
                   "terms, ledger UNINDEXED, tokenize = 'unicode61 remove_diacritics 0')",
                   NULL, 0, NULL, err);
}

static enum err_code add_personal(const struct engine *e, struct tx *tx, const struct case_row *r,
                                  enum case_field f, struct buf *terms, struct err *err) {
    const struct cell *c = &r->cells[e->case_col[f]];
    if (c->type != CELL_COMMIT) return ERR_OK;
    struct cell value;
    TRY(personal_get(tx_db(tx), c, tx_arena(tx), &value, err));
    if (value.type == CELL_TEXT) utf8_bigrams(terms, value.p, value.n);
    return ERR_OK;
}

static enum err_code collect(const struct engine *e, struct tx *tx, const struct case_row *r,
                             struct buf *terms, struct err *err) {
    const char *code = case_text(e, r, CASE_code), *place = case_text(e, r, CASE_place_text);
    utf8_bigrams(terms, code, strlen(code));
    utf8_bigrams(terms, place, strlen(place));
    TRY(add_personal(e, tx, r, CASE_description, terms, err));
    TRY(add_personal(e, tx, r, CASE_result_note, terms, err));
    const struct case_class *cls = pack_class(e->packs, case_text(e, r, CASE_class));
    if (cls != NULL) {
        utf8_bigrams(terms, cls->title.zh, strlen(cls->title.zh));
        utf8_bigrams(terms, cls->title.en, strlen(cls->title.en));
    }
    return buf_check(terms, err);
}

static enum err_code index_case(const struct engine *e, struct tx *tx, int64_t id, bool is_new,
                                struct err *err) {
    struct case_row *r = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    if (r == NULL) return err_fail(err, ERR_NOMEM, "search");
    r->id = id;
    TRY(tx_get(tx, &e->case_type->table, id, r->cells, &r->version, err));
    struct buf terms;
    buf_init(&terms, MAX_TERMS);
    enum err_code rc = collect(e, tx, r, &terms, err);
    struct cell row = cell_int(id);
    if (rc == ERR_OK && !is_new)
        rc = db_exec(tx_db(tx), "DELETE FROM case_search WHERE rowid = ?1", &row, 1, NULL, err);
    struct cell cells[] = {row, cell_textn(buf_text(&terms), terms.n)};
    if (rc == ERR_OK) {
        rc = db_exec(tx_db(tx), "INSERT INTO case_search (rowid, terms, ledger) VALUES (?1, ?2, 1)",
                     cells, 2, NULL, err);
    }
    buf_deinit(&terms);
    return rc;
}

/* Whether a journal row says that personal values of a case were erased: the store's own note of
 * type erase_ names the table. */
static bool erased_case(const struct engine *e, struct arena *a, const struct jrow *j) {
    const struct val *v = NULL;
    if (strcmp(j->type, "erase_") != 0 || json_parse(a, j->image, j->image_n, &v, NULL) != ERR_OK)
        return false;
    const struct val *table = val_get(v, "table");
    return table != NULL && table->type == VAL_STR &&
           strcmp(table->u.s, e->case_type->table.name) == 0;
}

/* An erased value leaves the index with the row's next indexing. */
static enum err_code follow(struct tx *tx, const struct jrow *rows, size_t n, void *ctx,
                            struct err *err) {
    const struct engine *e = ctx;
    for (size_t i = 0; i < n; i++) {
        const struct jrow *j = &rows[i];
        bool is_case = strcmp(j->type, e->case_type->table.name) == 0;
        if (!is_case && !erased_case(e, tx_arena(tx), j)) continue;
        TRY(index_case(e, tx, j->id, is_case && j->version == 1, err));
    }
    return ERR_OK;
}

enum err_code search_start(const struct engine *e, struct ledger *l, struct err *err) {
    static const struct table *const derived[] = {&search_table};
    struct command c = {.name = "search.make", .actor = "system", .apply = make_index};
    TRY(ledger_run(l, &c, NULL, NULL, err));
    struct follower f = {.name = "search",
                         .apply = follow,
                         .derived = derived,
                         .n_derived = 1,
                         .ctx = (void *)(uintptr_t)e};
    return ledger_follow(l, &f, err);
}

bool search_where(struct sql *s, const char *q, struct arena *a) {
    struct buf words, match;
    buf_init(&words, MAX_QUERY);
    buf_init(&match, (size_t)MAX_QUERY * 2);
    utf8_bigrams(&words, q, strlen(q));
    /* Tokens hold letters and digits only, so quoting them is safe; the last may be the beginning
     * of a word. */
    for (const char *p = buf_text(&words); *p != '\0';) {
        size_t n = strcspn(p, " ");
        bool last = p[n] == '\0';
        if (n > 0) buf_printf(&match, "\"%.*s\"%s", (int)n, p, last ? "*" : " ");
        p += last ? n : n + 1;
    }
    char *text =
        words.failed || match.failed || match.n == 0 ? NULL : arena_dup(a, match.p, match.n);
    buf_deinit(&words);
    buf_deinit(&match);
    if (text == NULL) return false;
    sql_add(s, "c.id IN (SELECT rowid FROM case_search WHERE case_search MATCH ");
    sql_value(s, cell_text(text));
    sql_add(s, ")");
    return true;
}
