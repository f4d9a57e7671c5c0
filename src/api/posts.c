/* Posts: binding a person to a cell or desk, cover for leave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/case_view.h"
#include "api/handlers.h"
#include "base/civil.h"
#include "domain/identity/account.h"
#include "domain/process/field.h"

static bool post_in_scope(const struct principal *p, const struct grid *g, int cell, int area) {
    if (p->area[0] == '\0') return true;
    int own = grid_area_index(g, p->area);
    if (own == GRID_NONE) return false;
    if (cell != GRID_NONE) return g->cells[cell].at[g->areas[own].level] == own;
    for (int depth = 0; area != GRID_NONE && depth < 16; depth++) {
        if (area == own) return true;
        area = g->areas[area].parent;
    }
    return false;
}

static void post_object(struct jw *w, const struct grid *g, const struct grid_post *p) {
    jw_obj(w);
    jw_kint(w, "id", p->id);
    jw_kint(w, "version", p->version);
    jw_kstr(w, "title", p->title);
    jw_kstr(w, "cell", p->cell == GRID_NONE ? NULL : g->cells[p->cell].code);
    jw_kstr(w, "cell_name", p->cell == GRID_NONE ? NULL : g->cells[p->cell].name);
    jw_kstr(w, "area", p->area == GRID_NONE ? NULL : g->areas[p->area].code);
    jw_kstr(w, "account", p->account[0] == '\0' ? NULL : p->account);
    jw_kstr(w, "worker", p->display[0] == '\0' ? NULL : p->display);
    jw_kstr(w, "duties", p->duties);
    jw_kstr(w, "hours", p->hours);
    jw_kstr(w, "phone", p->phone);
    jw_key(w, "cover");
    if (p->cover[0] == '\0')
        jw_null(w);
    else {
        jw_obj(w);
        jw_kstr(w, "account", p->cover);
        jw_ktime(w, "until", p->cover_until_us);
        jw_end(w, '}');
    }
    jw_end(w, '}');
}

enum err_code post_list(struct call *c, struct err *err) {
    int64_t limit = 100, after = 0, n = 0;
    TRY(call_query_int(c, "limit", 1, 500, &limit, err));
    TRY(call_query_int(c, "after", 0, INT64_MAX, &after, err));
    const char *cell = call_query(c, "cell"), *account = call_query(c, "account");
    const struct grid *g = grid_ref(c->app->grid);
    struct jw w = call_json(c);
    const char *next = NULL;
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < g->n_posts && next == NULL; i++) {
        const struct grid_post *p = &g->posts[i];
        if (p->id <= after || !post_in_scope(c->who, g, p->cell, p->area)) continue;
        if (cell != NULL && (p->cell == GRID_NONE || strcmp(g->cells[p->cell].code, cell) != 0))
            continue;
        if (account != NULL && strcmp(p->account, account) != 0) continue;
        if (n == limit) {
            next = arena_printf(c->a, "%lld", (long long)g->posts[i - 1].id);
            break;
        }
        post_object(&w, g, p);
        n++;
    }
    jw_end(&w, ']');
    jw_kstr(&w, "next", next);
    jw_end(&w, '}');
    grid_unref(g);
    return buf_check(&c->reply.body, err);
}

struct post_call {
    struct call *call;
    const struct val *body;
    int64_t id, expect; /* id 0: a new post */
};

/* "cover": {"account","until"} or null; the rest are fields of the type by their names. */
static enum err_code set_cover(const struct type_def *t, const struct val *v, struct cell *cells,
                               struct err *err) {
    int account = type_field(t, "cover"), until = type_field(t, "cover_until");
    cells[account] = cell_null();
    cells[until] = cell_null();
    if (v->type == VAL_NULL) return ERR_OK;
    const char *name = NULL, *time = NULL;
    int64_t us = 0;
    TRY(val_str(v, "account", true, 63, &name, err));
    TRY(val_str(v, "until", true, 40, &time, err));
    TRY(rfc3339_parse(time, &us, err));
    cells[account] = cell_text(name);
    cells[until] = cell_int(us);
    return ERR_OK;
}

/* The account must be there and active; its own spelling is stored, since a case compares the name
 * exactly. */
static enum err_code check_account(struct tx *tx, struct cell *c, const char *pointer,
                                   struct err *err) {
    if (c->type != CELL_TEXT || c->p == NULL || c->p[0] == '\0') return ERR_OK;
    struct account a;
    if (account_find(tx_db(tx), c->p, &a, err) == ERR_OK && a.active) {
        *c = cell_text(arena_strdup(tx_arena(tx), a.name));
        return c->p == NULL ? err_fail(err, ERR_NOMEM, "post") : ERR_OK;
    }
    (void)err_fail(err, ERR_INVALID, "there is no active account \"%.63s\"", c->p);
    return err_field(err, ERR_INVALID, pointer);
}

static enum err_code set_fields(const struct post_call *p, const struct type_def *t,
                                struct cell *cells, struct err *err) {
    static const char *const allowed[] = {"title", "account", "duties", "hours", "phone",
                                          "cover", "cell",    "layer",  "area",  NULL};
    TRY(val_only(p->body, allowed, err));
    for (size_t i = 0; i < p->body->n; i++) {
        const struct val_pair *pair = &p->body->u.map[i];
        if (strcmp(pair->key, "cover") == 0) {
            TRY(set_cover(t, &pair->v, cells, err));
            continue;
        }
        int col = type_field(t, pair->key);
        if (col < 0) return err_fail(err, ERR_INVALID, "a post has no field \"%s\"", pair->key);
        struct field_def f = t->fields[col];
        TRY(field_cell(p->call->app->packs, &f, &pair->v, &cells[col], err));
    }
    return ERR_OK;
}

/* A cell is named with its layer; without one it is of the main layer, and stored so. */
static enum err_code check_place(struct tx *tx, const struct post_call *p, const struct type_def *t,
                                 struct cell *cells, struct err *err) {
    const struct grid *g = grid_ref(p->call->app->grid);
    const struct cell *cell = &cells[type_field(t, "cell")], *area = &cells[type_field(t, "area")];
    struct cell *layer = &cells[type_field(t, "layer")];
    if (cell->type == CELL_TEXT && layer->type != CELL_TEXT && g->main_layer != NULL)
        *layer = cell_text(arena_strdup(tx_arena(tx), g->main_layer));
    int ci = cell->type == CELL_TEXT && layer->type == CELL_TEXT
                 ? grid_cell_index(g, layer->p, cell->p)
                 : GRID_NONE;
    int ai = area->type == CELL_TEXT ? grid_area_index(g, area->p) : GRID_NONE;
    bool one = (ci == GRID_NONE) != (ai == GRID_NONE);
    bool mine = one && post_in_scope(p->call->who, g, ci, ai);
    grid_unref(g);
    if (!one)
        return err_fail(err, ERR_INVALID,
                        "a post needs an existing cell or an existing area, not both");
    return mine ? ERR_OK : err_fail(err, ERR_FORBIDDEN, "this post is outside your area");
}

static enum err_code post_apply(struct tx *tx, void *arg, struct err *err) {
    struct post_call *p = arg;
    const struct type_def *t = pack_type(p->call->app->packs, "post");
    struct cell *cells = ARENA_NEW(tx_arena(tx), struct cell, t->n_fields);
    if (cells == NULL) return err_fail(err, ERR_NOMEM, "post");
    int64_t version = 0;
    if (p->id != 0) {
        TRY(tx_get(tx, &t->table, p->id, cells, &version, err));
        TRY(check_place(tx, p, t, cells, err));
    }
    TRY(set_fields(p, t, cells, err));
    TRY(check_place(tx, p, t, cells, err));
    TRY(check_account(tx, &cells[type_field(t, "account")], "/account", err));
    TRY(check_account(tx, &cells[type_field(t, "cover")], "/cover/account", err));
    if (p->id != 0)
        TRY(tx_update(tx, &t->table, p->id, p->expect, cells, err));
    else
        TRY(tx_insert(tx, &t->table, cells, &p->id, err));
    struct reply *r = tx_reply(tx);
    r->status = version == 0 ? 201 : 200;
    (void)snprintf(r->etag, sizeof r->etag, "%lld", (long long)version + 1);
    struct jw w;
    jw_init(&w, &r->body);
    jw_obj(&w);
    jw_kint(&w, "id", p->id);
    jw_kint(&w, "version", version + 1);
    jw_end(&w, '}');
    return buf_check(&r->body, err);
}

/* Lists are read from the grid's snapshot, rights to a cell from the identity's. */
static enum err_code run_post(struct post_call *p, const char *name, struct err *err) {
    TRY(call_run(p->call, name, NULL, post_apply, p, err));
    call_seen(p->call, "grid");
    call_seen(p->call, "identity");
    return ERR_OK;
}

enum err_code post_create(struct call *c, struct err *err) {
    struct post_call *p = ARENA_NEW(c->a, struct post_call, 1);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "post");
    p->call = c;
    TRY(call_body(c, &p->body, err));
    return run_post(p, "post.create", err);
}

enum err_code post_patch(struct call *c, struct err *err) {
    struct post_call *p = ARENA_NEW(c->a, struct post_call, 1);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "post");
    p->call = c;
    char *end = NULL;
    p->id = strtoll(c->param[0], &end, 10);
    if (p->id <= 0 || *end != '\0')
        return err_fail(err, ERR_NOT_FOUND, "there is no post %s", c->param[0]);
    TRY(call_if_match(c, &p->expect, err));
    TRY(call_body(c, &p->body, err));
    return run_post(p, "post.change", err);
}
