#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "domain/identity/inside.h"
#include "store/sql.h"

/* Columns of the type "post" of pack city; -1 where it has none. */
struct post_cols {
    const struct table *t;
    int account, cell, layer, cover, cover_until, ended_at;
};
struct holding_list {
    struct holding *p;
    size_t n, cap;
};

static bool find_cols(const struct pack_set *packs, struct post_cols *out) {
    const struct type_def *t = pack_type(packs, "post");
    if (t == NULL) return false;
    *out = (struct post_cols){.t = &t->table,
                              .account = type_field(t, "account"),
                              .cell = type_field(t, "cell"),
                              .layer = type_field(t, "layer"),
                              .cover = type_field(t, "cover"),
                              .cover_until = type_field(t, "cover_until"),
                              .ended_at = type_field(t, "ended_at")};
    return out->account >= 0 && out->cell >= 0;
}

static enum err_code hold(struct holding_list *l, const char *account, const char *cell,
                          int64_t until_us, struct err *err) {
    if (account[0] == '\0' || cell[0] == '\0' || strlen(cell) >= sizeof l->p->cell) return ERR_OK;
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 256 : l->cap * 2;
        struct holding *bigger = mem_resize(l->p, cap, sizeof *bigger);
        if (bigger == NULL) return err_fail(err, ERR_NOMEM, "no memory for posts");
        l->p = bigger;
        l->cap = cap;
    }
    struct holding *h = &l->p[l->n++];
    *h = (struct holding){.until_us = until_us};
    account_fold(account, h->fold);
    (void)snprintf(h->cell, sizeof h->cell, "%s", cell);
    return ERR_OK;
}

static int by_fold(const void *a, const void *b) {
    const struct holding *x = a, *y = b;
    int c = strcmp(x->fold, y->fold);
    return c != 0 ? c : strcmp(x->cell, y->cell);
}

/* The layer that cases are located in, by the rule of domain/grid: "social", else the first by
 * name; "" when there is none. A cell code may occur in several layers, and a post in another layer
 * gives no right over cases. */
static enum err_code main_layer(struct db *db, const struct pack_set *packs, struct arena *a,
                                char out[CODE_SIZE], struct err *err) {
    const struct type_def *t = pack_type(packs, "cell");
    int layer = t == NULL ? -1 : type_field(t, "layer");
    struct sql s;
    struct cursor *c = NULL;
    bool has = false;
    out[0] = '\0';
    if (layer < 0) return ERR_OK;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    sql_column(&s, &t->table, layer, NULL);
    sql_add(&s, " FROM ");
    sql_table(&s, &t->table);
    sql_add(&s, " WHERE ledger = ");
    (void)sql_value(&s, cell_int(db_ledger(db)));
    sql_add(&s, " AND ");
    sql_column(&s, &t->table, layer, NULL);
    sql_add(&s, " IS NOT NULL ORDER BY CASE WHEN ");
    sql_column(&s, &t->table, layer, NULL);
    sql_add(&s, " = 'social' THEN 0 ELSE 1 END, ");
    sql_column(&s, &t->table, layer, NULL);
    sql_add(&s, " LIMIT 1");
    TRY(sql_query(&s, db, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) (void)snprintf(out, CODE_SIZE, "%s", cursor_text(c, 0));
    cursor_close(c);
    return rc;
}

static void select_one(struct sql *s, const struct post_cols *pc, int col) {
    if (col >= 0)
        sql_column(s, pc->t, col, NULL);
    else
        sql_add(s, "NULL");
}

/* account, cell, cover, cover_until, layer of posts that have not ended. */
static enum err_code query_posts(struct db *db, struct arena *a, const struct post_cols *pc,
                                 struct cursor **out, struct err *err) {
    const int cols[] = {pc->account, pc->cell, pc->cover, pc->cover_until, pc->layer};
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    for (size_t i = 0; i < sizeof cols / sizeof cols[0]; i++) {
        if (i > 0) sql_add(&s, ", ");
        select_one(&s, pc, cols[i]);
    }
    sql_add(&s, " FROM ");
    sql_table(&s, pc->t);
    sql_add(&s, " WHERE ledger = ");
    (void)sql_value(&s, cell_int(db_ledger(db)));
    sql_add(&s, " AND ");
    sql_column(&s, pc->t, pc->cell, NULL);
    sql_add(&s, " IS NOT NULL AND ");
    select_one(&s, pc, pc->ended_at);
    sql_add(&s, " IS NULL");
    return sql_query(&s, db, out, err);
}

static enum err_code read_posts(struct db *db, const struct pack_set *packs,
                                const struct post_cols *pc, struct arena *a, struct holding_list *l,
                                struct err *err) {
    struct cursor *c = NULL;
    bool has = false;
    char layer[CODE_SIZE];
    TRY(main_layer(db, packs, a, layer, err));
    enum err_code rc = query_posts(db, a, pc, &c, err);
    while (rc == ERR_OK && (rc = cursor_next(c, &has, err)) == ERR_OK && has) {
        const char *of = cursor_text(c, 4);
        if (of[0] != '\0' && strcmp(of, layer) != 0) continue;
        rc = hold(l, cursor_text(c, 0), cursor_text(c, 1), INT64_MAX, err);
        if (rc == ERR_OK && !cursor_is_null(c, 3))
            rc = hold(l, cursor_text(c, 2), cursor_text(c, 1), cursor_int(c, 3), err);
    }
    cursor_close(c);
    if (rc == ERR_OK && l->n > 0) qsort(l->p, l->n, sizeof *l->p, by_fold);
    return rc;
}

enum err_code posts_from(struct identity *id, struct db *db, struct err *err) {
    struct post_cols pc;
    struct holding_list l = {0};
    if (!find_cols(id->packs, &pc)) return ERR_OK;
    struct arena *a = arena_new((size_t)1 << 20);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "no memory for posts");
    enum err_code rc = read_posts(db, id->packs, &pc, a, &l, err);
    arena_free(a);
    if (rc == ERR_OK) {
        struct holding *old = id->holdings;
        (void)pthread_rwlock_wrlock(&id->lock);
        id->holdings = l.p;
        id->n_holdings = l.n;
        (void)pthread_rwlock_unlock(&id->lock);
        l.p = old;
    }
    mem_free(l.p);
    return rc;
}

enum err_code posts_reload(struct identity *id, struct err *err) {
    struct reader *r = NULL;
    (void)pthread_mutex_lock(&id->refresh);
    enum err_code rc = ledger_read_begin(id->ledger, &r, err);
    if (rc == ERR_OK) {
        rc = posts_from(id, reader_db(r), err);
        ledger_read_end(r);
    }
    (void)pthread_mutex_unlock(&id->refresh);
    return rc;
}
