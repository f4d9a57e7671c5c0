#include "domain/briefing/store.h"

#include <stdio.h>
#include <string.h>

#include "domain/identity/notice.h"
#include "store/sql.h"
#include "store/statements.h"
#include "store/tables.h"

static const char *const states[] = {"", "draft", "signed", "withdrawn"};

const char *briefing_state_name(enum briefing_state s) { return states[s]; }

int briefing_state_parse(const char *text) {
    for (int i = BRIEFING_DRAFT; i <= BRIEFING_WITHDRAWN; i++)
        if (strcmp(states[i], text) == 0) return i;
    return -1;
}

/* ---- reading */

static const char *text_at(const struct cursor *c, int col, struct arena *a) {
    const char *s = cursor_is_null(c, col) ? "" : arena_strdup(a, cursor_text(c, col));
    return s == NULL ? "" : s;
}

/* Columns as row_select has them. */
static void row_read(const struct cursor *c, struct arena *a, struct briefing_row *out) {
    *out = (struct briefing_row){.id = cursor_int(c, 0),
                                 .version = cursor_int(c, 1),
                                 .index = text_at(c, 2, a),
                                 .kind = text_at(c, 3, a),
                                 .period = text_at(c, 4, a),
                                 .area = text_at(c, 5, a),
                                 .data_seq = cursor_int(c, 6),
                                 .hash = text_at(c, 7, a),
                                 .state = (enum briefing_state)cursor_int(c, 8),
                                 .formed_by = text_at(c, 9, a),
                                 .formed_at_us = cursor_int(c, 10),
                                 .signed_by = text_at(c, 11, a),
                                 .signed_at_us = cursor_int(c, 12),
                                 .note = text_at(c, 13, a),
                                 .title = {text_at(c, 14, a), text_at(c, 15, a)},
                                 .sentence = {text_at(c, 16, a), text_at(c, 17, a)}};
}

enum err_code briefing_get(struct db *db, int64_t ledger, int64_t id, struct arena *a,
                           struct briefing_row *out, struct err *err) {
    struct cell p[2] = {cell_int(ledger), cell_int(id)};
    struct cursor *c = NULL;
    bool has = false;
    TRY(db_query(db, stmt_sql(STMT_BRIEFING_GET), p, 2, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && !has) rc = err_fail(err, ERR_NOT_FOUND, "there is no such briefing");
    if (rc == ERR_OK) {
        row_read(c, a, out);
        out->document = arena_strdup(a, cursor_text(c, 18));
        if (out->document == NULL) rc = err_fail(err, ERR_NOMEM, "briefing");
        out->document_n = out->document == NULL ? 0 : strlen(out->document);
    }
    cursor_close(c);
    return rc;
}

static void where(struct sql *s, const struct briefing_filter *f) {
    if (f->kind != NULL) {
        sql_add(s, " AND kind = ");
        (void)sql_value(s, cell_text(f->kind));
    }
    if (f->area != NULL) {
        sql_add(s, " AND area = ");
        (void)sql_value(s, cell_text(f->area));
    }
    if (f->period != NULL) {
        sql_add(s, " AND period = ");
        (void)sql_value(s, cell_text(f->period));
    }
    if (f->state != 0) {
        sql_add(s, " AND state = ");
        (void)sql_value(s, cell_int(f->state));
    }
    if (!f->drafts) {
        sql_add(s, " AND state = ");
        (void)sql_value(s, cell_int(BRIEFING_SIGNED));
    }
    if (f->before > 0) {
        sql_add(s, " AND id < ");
        (void)sql_value(s, cell_int(f->before));
    }
}

enum err_code briefing_list(struct db *db, int64_t ledger, const struct briefing_filter *f,
                            struct arena *a, struct briefing_row **out, size_t *n,
                            struct err *err) {
    struct sql s;
    struct cursor *c = NULL;
    struct briefing_row *row = ARENA_NEW(a, struct briefing_row, f->max + 1);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "briefings");
    TRY(sql_begin(&s, a, err));
    sql_add(&s,
            "SELECT id, version, index_name, kind, period, area, data_seq, hash, state, "
            "formed_by, formed_at, signed_by, signed_at, note, title_en, title_zh, sentence_en, "
            "sentence_zh FROM briefing WHERE ledger = ");
    (void)sql_value(&s, cell_int(ledger));
    where(&s, f);
    sql_add(&s, " ORDER BY id DESC LIMIT ");
    (void)sql_value(&s, cell_int((int64_t)f->max));
    TRY(sql_query(&s, db, &c, err));
    enum err_code rc = ERR_OK;
    *n = 0;
    for (bool has = true; rc == ERR_OK && has && *n < f->max;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) row_read(c, a, &row[(*n)++]);
    }
    cursor_close(c);
    *out = row;
    return rc;
}

enum err_code briefing_exists(struct db *db, int64_t ledger, const char *index, const char *area,
                              const char *period, bool *out, struct err *err) {
    struct cell p[4] = {cell_int(ledger), cell_text(index), cell_text(area), cell_text(period)};
    int64_t id = 0;
    TRY(db_int(db, stmt_sql(STMT_BRIEFING_ANY), p, 4, 0, &id, err));
    *out = id != 0;
    return ERR_OK;
}

/* ---- commands */

/* The newest of the area and period in a state; 0 when there is none. */
static enum err_code in_state(struct tx *tx, const struct cell *index, const struct cell *area,
                              const struct cell *period, enum briefing_state state, int64_t *id,
                              struct err *err) {
    struct cell p[5] = {cell_int(db_ledger(tx_db(tx))), *index, *area, *period, cell_int(state)};
    return db_int(tx_db(tx), stmt_sql(STMT_BRIEFING_IN_STATE), p, 5, 0, id, err);
}

static enum err_code pair_of(const struct val *v, struct text *out, struct err *err) {
    if (v == NULL) return err_fail(err, ERR_INTERNAL, "the briefing has no title or sentence");
    TRY(val_str(v, "en", true, 4096, &out->en, err));
    return val_str(v, "zh", true, 4096, &out->zh, err);
}

static enum err_code head_of(struct tx *tx, const struct briefing_keep *k, struct text *title,
                             struct text *sentence, struct err *err) {
    const struct val *doc = NULL;
    TRY(json_parse(tx_arena(tx), k->document, k->document_n, &doc, err));
    const struct val *list = val_get(val_get(doc, "head"), "sentences");
    TRY(pair_of(val_get(doc, "title"), title, err));
    return pair_of(list != NULL && list->type == VAL_LIST && list->n > 0 ? &list->u.list[0] : NULL,
                   sentence, err);
}

static enum err_code tell(struct tx *tx, const struct pack_set *packs, enum permission perm,
                          const char *kind, const struct cell *cells, struct text what,
                          struct err *err) {
    char en[NOTICE_TEXT], zh[NOTICE_TEXT];
    (void)snprintf(en, sizeof en, "%.150s, %.24s: %s", cells[col_briefing_title_en].p,
                   cells[col_briefing_period].p, what.en);
    (void)snprintf(zh, sizeof zh, "%.150s（%.24s）%s", cells[col_briefing_title_zh].p,
                   cells[col_briefing_period].p, what.zh);
    return notice_add_all(tx, packs, perm, kind, (struct text){en, zh}, err);
}

enum err_code briefing_keep_apply(struct tx *tx, void *arg, struct err *err) {
    struct briefing_keep *k = arg;
    struct cell cells[col_briefing_count], was[col_briefing_count];
    struct text title, sentence;
    char hash[65];
    int64_t version = 0;
    TRY(head_of(tx, k, &title, &sentence, err));
    briefing_hash(k->document, k->document_n, hash);
    cells[col_briefing_index_name] = cell_text(k->index);
    cells[col_briefing_kind] = cell_text(k->kind);
    cells[col_briefing_period] = cell_text(k->period);
    cells[col_briefing_area] = cell_text(k->area);
    cells[col_briefing_data_seq] = cell_int(k->data_seq);
    cells[col_briefing_hash] = cell_text(hash);
    cells[col_briefing_state] = cell_int(BRIEFING_DRAFT);
    cells[col_briefing_formed_by] = cell_text(tx_actor(tx));
    cells[col_briefing_formed_at] = cell_int(tx_now_us(tx));
    cells[col_briefing_signed_by] = cell_null();
    cells[col_briefing_signed_at] = cell_null();
    cells[col_briefing_note] = cell_null();
    cells[col_briefing_title_en] = cell_text(title.en);
    cells[col_briefing_title_zh] = cell_text(title.zh);
    cells[col_briefing_sentence_en] = cell_text(sentence.en);
    cells[col_briefing_sentence_zh] = cell_text(sentence.zh);
    cells[col_briefing_document] = cell_textn(k->document, k->document_n);
    k->id = 0;
    k->is_new = false;
    TRY(in_state(tx, &cells[col_briefing_index_name], &cells[col_briefing_area],
                 &cells[col_briefing_period], BRIEFING_DRAFT, &k->id, err));
    if (k->id != 0) {
        TRY(tx_get(tx, &table_briefing, k->id, was, &version, err));
        if (strcmp(was[col_briefing_hash].p, hash) == 0) return ERR_OK;
        return tx_update(tx, &table_briefing, k->id, version, cells, err);
    }
    k->is_new = true;
    TRY(tx_insert(tx, &table_briefing, cells, &k->id, err));
    if (!k->tell) return ERR_OK;
    return tell(tx, k->packs, PERM_BRIEFING_SIGN, "briefing_draft", cells,
                (struct text){"a draft waits for a signature.", "已形成草稿，请审签。"}, err);
}

static enum err_code withdraw(struct tx *tx, int64_t id, const char *note, struct err *err) {
    struct cell cells[col_briefing_count];
    int64_t version = 0;
    TRY(tx_get(tx, &table_briefing, id, cells, &version, err));
    if (cells[col_briefing_state].i == BRIEFING_WITHDRAWN)
        return err_fail(err, ERR_CONFLICT, "it is withdrawn already");
    cells[col_briefing_state] = cell_int(BRIEFING_WITHDRAWN);
    cells[col_briefing_note] = cell_text(note);
    return tx_update(tx, &table_briefing, id, version, cells, err);
}

enum err_code briefing_sign_apply(struct tx *tx, void *arg, struct err *err) {
    const struct briefing_act *x = arg;
    struct cell cells[col_briefing_count];
    int64_t version = 0, older = 0;
    TRY(tx_get(tx, &table_briefing, x->id, cells, &version, err));
    if (strcmp(cells[col_briefing_hash].p, x->hash) != 0)
        return err_fail(err, ERR_STALE, "this is not the briefing you saw: look again");
    if (cells[col_briefing_state].i != BRIEFING_DRAFT)
        return err_fail(err, ERR_CONFLICT, "it is no draft any more");
    TRY(in_state(tx, &cells[col_briefing_index_name], &cells[col_briefing_area],
                 &cells[col_briefing_period], BRIEFING_SIGNED, &older, err));
    if (older != 0) TRY(withdraw(tx, older, "replaced by a newer one", err));
    cells[col_briefing_state] = cell_int(BRIEFING_SIGNED);
    cells[col_briefing_signed_by] = cell_text(x->by);
    cells[col_briefing_signed_at] = cell_int(tx_now_us(tx));
    cells[col_briefing_note] = cell_text(x->note);
    TRY(tx_update(tx, &table_briefing, x->id, version, cells, err));
    return tell(tx, x->packs, PERM_BRIEFING_READ, "briefing_signed", cells,
                (struct text){"signed off.", "已签发。"}, err);
}

enum err_code briefing_withdraw_apply(struct tx *tx, void *arg, struct err *err) {
    const struct briefing_act *x = arg;
    return withdraw(tx, x->id, x->note, err);
}
