/* Emergencies: declared by one, approved by another, ended; what they would hold and what they do
 * hold, in numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/case_view.h"
#include "api/handlers.h"
#include "domain/emergency/emergency.h"
#include "domain/identity/notice.h"

enum { COUNT_ARENA = 4 << 20 };

/* An area knows of the emergencies below it, and of those above that cover it. */
static bool concerns(const struct grid *g, const struct principal *who, const struct emergency *e) {
    return emergency_in_reach(g, who, e->area) || emergency_covers_area(g, e, who->area);
}

static bool decides(const struct principal *who) {
    return principal_may(who, PERM_EMERGENCY_DECLARE) || principal_may(who, PERM_EMERGENCY_APPROVE);
}

static void kstr_or_null(struct jw *w, const char *key, const char *s) {
    jw_kstr(w, key, s == NULL || s[0] == '\0' ? NULL : s);
}

/* How many clocks stand by it, or would: for those who decide about it. */
static enum err_code write_counts(const struct view *v, struct jw *w, const struct emergency *e,
                                  struct err *err) {
    int64_t covered = 0, urgent = 0, holds = 0;
    if (e->state == EMERGENCY_DECLARED)
        TRY(emergency_count(v->app->engine, v->db, e, v->a, &covered, &urgent, err));
    else
        TRY(emergency_holds(v->app->engine, v->db, e->id, v->a, &holds, err));
    jw_kint(w, "n_covered", covered);
    jw_kint(w, "n_urgent", urgent);
    jw_kint(w, "n_standing", holds);
    return ERR_OK;
}

static enum err_code write_one(const struct view *v, struct jw *w, const struct principal *who,
                               const struct emergency *e, struct err *err) {
    int area = grid_area_index(v->grid, e->area);
    bool reach = emergency_in_reach(v->grid, who, e->area);
    jw_obj(w);
    jw_kint(w, "id", e->id);
    jw_kint(w, "version", e->version);
    jw_kstr(w, "title", e->title);
    jw_kstr(w, "area", e->area);
    jw_kstr(w, "area_name", area == GRID_NONE ? e->area : v->grid->areas[area].name);
    jw_key(w, "classes");
    jw_arr(w);
    for (size_t i = 0; i < e->n_classes; i++) jw_str(w, e->classes[i]);
    jw_end(w, ']');
    jw_kstr(w, "reason", e->reason);
    jw_kstr(w, "state", emergency_state_name(e->state));
    jw_kbool(w, "working", e->sweeping);
    jw_kstr(w, "declared_by", e->declared_by);
    jw_ktime(w, "declared_at", e->declared_us);
    kstr_or_null(w, "approved_by", e->approved_by);
    jw_ktime(w, "approved_at", e->approved_us);
    kstr_or_null(w, "ended_by", e->ended_by);
    jw_ktime(w, "ended_at", e->ended_us);
    jw_kint(w, "n_paused", e->n_paused);
    jw_kint(w, "n_resumed", e->n_resumed);
    jw_kbool(w, "may_approve",
             reach && e->state == EMERGENCY_DECLARED && strcmp(e->declared_by, who->name) != 0 &&
                 principal_may(who, PERM_EMERGENCY_APPROVE));
    jw_kbool(w, "may_end", reach && e->state != EMERGENCY_ENDED && decides(who));
    if (decides(who)) TRY(write_counts(v, w, e, err));
    jw_end(w, '}');
    return ERR_OK;
}

static enum err_code write_list(struct call *c, const struct view *v, bool open, struct err *err) {
    const struct emergency *list = NULL;
    size_t n = 0;
    TRY(emergency_list(v->db, v->a, &list, &n, err));
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        if (!concerns(v->grid, c->who, &list[i]) || (open && list[i].state == EMERGENCY_ENDED))
            continue;
        TRY(write_one(v, &w, c->who, &list[i], err));
    }
    jw_end(&w, ']');
    jw_kstr(&w, "next", NULL);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code emergency_index(struct call *c, struct err *err) {
    const char *open = call_query(c, "open");
    struct reader *rd = NULL;
    struct arena *a = arena_new(COUNT_ARENA);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "emergencies");
    enum err_code rc = ledger_read_begin(c->app->ledger, &rd, err);
    if (rc == ERR_OK) {
        const struct grid *g = grid_ref(c->app->grid);
        struct view v = {c->app, g, reader_db(rd), a, clock_now_us(&c->app->clock), false};
        rc = write_list(c, &v, open != NULL && strcmp(open, "true") == 0, err);
        grid_unref(g);
        ledger_read_end(rd);
    }
    arena_free(a);
    return rc;
}

/* ---- what a declaration would do ---- */

/* "event-01,event-0203" as names in the arena. */
static enum err_code split_classes(struct call *c, const char *text, struct emergency *e,
                                   struct err *err) {
    const char **names = ARENA_NEW(c->a, const char *, EMERGENCY_MAX_CLASSES);
    if (names == NULL) return err_fail(err, ERR_NOMEM, "classes");
    for (const char *p = text; p != NULL && *p != '\0';) {
        size_t n = strcspn(p, ",");
        if (e->n_classes == EMERGENCY_MAX_CLASSES)
            return err_fail(err, ERR_INVALID, "parameter \"classes\": more than %d",
                            EMERGENCY_MAX_CLASSES);
        names[e->n_classes] = arena_dup(c->a, p, n);
        if (names[e->n_classes++] == NULL) return err_fail(err, ERR_NOMEM, "classes");
        p += p[n] == ',' ? n + 1 : n;
    }
    e->classes = names;
    return ERR_OK;
}

enum err_code emergency_preview(struct call *c, struct err *err) {
    const char *area = call_query(c, "area");
    struct emergency e = {.area = area == NULL ? "" : area, .state = EMERGENCY_DECLARED};
    TRY(split_classes(c, call_query(c, "classes"), &e, err));
    const struct grid *g = grid_ref(c->app->grid);
    bool mine = emergency_in_reach(g, c->who, e.area) && grid_area_index(g, e.area) != GRID_NONE;
    grid_unref(g);
    if (!mine) return err_fail(err, ERR_NOT_FOUND, "there is no area %.40s", e.area);
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    int64_t covered = 0, urgent = 0;
    enum err_code rc =
        emergency_count(c->app->engine, reader_db(rd), &e, c->a, &covered, &urgent, err);
    ledger_read_end(rd);
    TRY(rc);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kint(&w, "n_covered", covered);
    jw_kint(&w, "n_urgent", urgent);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

/* ---- declare, approve, end ---- */

struct emergency_call {
    struct call *call;
    struct emergency_in in;
    int64_t id;
};

static enum err_code answer(struct tx *tx, const struct emergency_call *m, int status,
                            struct err *err) {
    const struct app *app = m->call->app;
    struct emergency e;
    TRY(emergency_load(tx_db(tx), m->id, tx_arena(tx), &e, err));
    const struct grid *g = grid_ref(app->grid);
    struct view v = {app, g, tx_db(tx), tx_arena(tx), tx_now_us(tx), false};
    struct reply *reply = tx_reply(tx);
    reply->status = status;
    (void)snprintf(reply->etag, sizeof reply->etag, "%lld", (long long)e.version);
    struct jw w;
    jw_init(&w, &reply->body);
    enum err_code rc = write_one(&v, &w, m->call->who, &e, err);
    grid_unref(g);
    return rc == ERR_OK ? buf_check(&reply->body, err) : rc;
}

static enum err_code declare_apply(struct tx *tx, void *arg, struct err *err) {
    struct emergency_call *m = arg;
    const struct app *app = m->call->app;
    TRY(emergency_declare(app->engine, tx, &m->in, m->call->who, &m->id, err));
    struct text text = {"An emergency was declared and waits for approval.",
                        "有应急状态已宣布，等待批准。"};
    TRY(notice_add_all(tx, app->packs, PERM_EMERGENCY_APPROVE, "emergency", text, err));
    return answer(tx, m, 201, err);
}

static enum err_code read_classes(const struct val *body, struct call *c, struct emergency_in *in,
                                  struct err *err) {
    const struct val *list = val_get(body, "classes");
    bool ok = list != NULL && list->type == VAL_LIST && list->n <= EMERGENCY_MAX_CLASSES;
    const char **names = ARENA_NEW(c->a, const char *, EMERGENCY_MAX_CLASSES);
    if (names == NULL) return err_fail(err, ERR_NOMEM, "classes");
    for (size_t i = 0; ok && i < list->n; i++) {
        ok = list->u.list[i].type == VAL_STR;
        if (ok) names[i] = list->u.list[i].u.s;
    }
    if (!ok) {
        (void)err_fail(err, ERR_INVALID, "\"classes\": expected a list of at most %d names",
                       EMERGENCY_MAX_CLASSES);
        return err_field(err, ERR_INVALID, "/classes");
    }
    in->classes = names;
    in->n_classes = list->n;
    return ERR_OK;
}

enum err_code emergency_create(struct call *c, struct err *err) {
    static const char *const known[] = {"title", "area", "classes", "reason", NULL};
    struct emergency_call *m = ARENA_NEW(c->a, struct emergency_call, 1);
    const struct val *body = NULL;
    if (m == NULL) return err_fail(err, ERR_NOMEM, "emergency");
    m->call = c;
    TRY(call_body(c, &body, err));
    TRY(val_only(body, known, err));
    TRY(val_str(body, "title", true, EMERGENCY_MAX_TITLE, &m->in.title, err));
    TRY(val_str(body, "area", true, 40, &m->in.area, err));
    TRY(val_str(body, "reason", true, EMERGENCY_MAX_REASON, &m->in.reason, err));
    TRY(read_classes(body, c, &m->in, err));
    return call_run(c, "emergency.declare", NULL, declare_apply, m, err);
}

static enum err_code approve_apply(struct tx *tx, void *arg, struct err *err) {
    struct emergency_call *m = arg;
    struct emergency e;
    TRY(emergency_approve(m->call->app->engine, tx, m->id, m->call->who, err));
    TRY(emergency_load(tx_db(tx), m->id, tx_arena(tx), &e, err));
    struct text text = {"The emergency you declared was approved: clocks stand.",
                        "您宣布的应急状态已获批准，相关案件暂停计时。"};
    TRY(notice_add(tx, e.declared_by, "emergency", NULL, text, err));
    return answer(tx, m, 200, err);
}

static enum err_code end_apply(struct tx *tx, void *arg, struct err *err) {
    struct emergency_call *m = arg;
    TRY(emergency_end(m->call->app->engine, tx, m->id, m->call->who, err));
    return answer(tx, m, 200, err);
}

static enum err_code act(struct call *c, const char *name,
                         enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                         struct err *err) {
    struct emergency_call *m = ARENA_NEW(c->a, struct emergency_call, 1);
    if (m == NULL) return err_fail(err, ERR_NOMEM, "emergency");
    char *end = NULL;
    m->call = c;
    m->id = strtoll(c->param[0], &end, 10);
    if (m->id <= 0 || *end != '\0')
        return err_fail(err, ERR_NOT_FOUND, "there is no emergency %.20s", c->param[0]);
    return call_run(c, name, NULL, apply, m, err);
}

enum err_code emergency_approve_post(struct call *c, struct err *err) {
    return act(c, "emergency.approve", approve_apply, err);
}

/* Who declares may end it, and so may who approves: a declaration that nobody wants is ended. */
enum err_code emergency_end_post(struct call *c, struct err *err) {
    if (!decides(c->who))
        return err_fail(err, ERR_FORBIDDEN, "your role neither declares nor approves emergencies");
    return act(c, "emergency.end", end_apply, err);
}
