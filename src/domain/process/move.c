#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "domain/process/clock.h"
#include "domain/process/confirm.h"
#include "domain/process/engine.h"
#include "domain/process/field.h"
#include "domain/process/join.h"
#include "domain/process/limit.h"
#include "domain/process/stage.h"
#include "domain/process/step.h"

enum { MAX_NOTE = 4000, MAX_MOVE_PHOTOS = 9 };
static const int64_t day_us = INT64_C(86400000000);

/* ---- who may ---- */

/* NULL for staff, who have a name and a role of their own. */
static const char *kind_name(const struct actor *actor) {
    switch (actor->kind) {
    case ACTOR_REPORTER:
        return "reporter";
    case ACTOR_PARTY:
        return "party";
    case ACTOR_SYSTEM:
        return "system";
    case ACTOR_STAFF:
        break;
    }
    return NULL;
}

static const char *actor_role(const struct actor *actor) {
    const char *kind = kind_name(actor);
    if (kind != NULL) return kind;
    return actor->who != NULL && actor->who->role != NULL ? actor->who->role->name : "";
}

static const char *actor_name(const struct actor *actor) {
    const char *kind = kind_name(actor);
    if (kind != NULL) return kind;
    return actor->who != NULL ? actor->who->name : "";
}

static bool listed(const char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) return true;
    }
    return false;
}

static bool from_here(const struct process_def *p, const struct move_def *m, const char *state) {
    if (listed(m->from, m->n_from, state)) return true;
    const struct state_def *s = process_state(p, state);
    return listed(m->from, m->n_from, "*") && s != NULL && !s->final;
}

/* What a guard may ask about: fields of the case by their names, actor.*, input.*. */
struct guard_view {
    const struct engine *e;
    const struct case_row *r;
    const struct actor *actor;
    const struct val *inputs;
};

static void actor_value(const struct actor *actor, const char *what, struct expr_value *out) {
    const struct principal *who = actor->who;
    const char *s = NULL;
    if (strcmp(what, "name") == 0) s = actor_name(actor);
    if (strcmp(what, "role") == 0) s = actor_role(actor);
    if (strcmp(what, "unit") == 0 && who != NULL && who->unit[0] != '\0') s = who->unit;
    if (strcmp(what, "area") == 0 && who != NULL && who->area[0] != '\0') s = who->area;
    if (s != NULL) *out = (struct expr_value){.type = EXPR_STRING, .s = s};
}

static void input_value(const struct val *v, const struct expr_var *var, struct expr_value *out) {
    if (v == NULL) return;
    out->type = var->type;
    if (v->type == VAL_STR)
        out->s = v->u.s;
    else if (v->type == VAL_INT) {
        out->i = v->u.i;
        out->d = (double)v->u.i;
    } else if (v->type == VAL_DOUBLE)
        out->d = v->u.d;
    else if (v->type == VAL_BOOL)
        out->b = v->u.b;
    else
        out->type = EXPR_MISSING;
}

static void case_value(const struct cell *c, const struct expr_var *var, struct expr_value *out) {
    if (c->type == CELL_NULL || c->type == CELL_COMMIT || c->type == CELL_BLOB) return;
    out->type = var->type;
    out->b = c->i != 0;
    out->i = c->i;
    out->d = c->type == CELL_INT ? (double)c->i : c->d;
    out->s = c->p;
}

static void guard_lookup(void *ctx, const struct expr_var *var, struct expr_value *out) {
    const struct guard_view *v = ctx;
    if (strncmp(var->name, "actor.", 6) == 0) {
        actor_value(v->actor, var->name + 6, out);
    } else if (strncmp(var->name, "input.", 6) == 0) {
        input_value(val_get(v->inputs, var->name + 6), var, out);
    } else {
        const char *name = strncmp(var->name, "case.", 5) == 0 ? var->name + 5 : var->name;
        int col = type_field(v->e->case_type, name);
        if (col >= 0) case_value(&v->r->cells[col], var, out);
    }
}

static bool guard_holds(const struct engine *e, const struct case_row *r, const struct move_def *m,
                        const struct actor *actor, const struct val *inputs) {
    if (m->guard == NULL) return true;
    struct guard_view v = {e, r, actor, inputs};
    return expr_eval(m->guard, guard_lookup, &v);
}

static int64_t times_made(const struct engine *e, const struct case_row *r,
                          const struct move_def *m) {
    if (m->counts_as == NULL) return 0;
    if (strcmp(m->counts_as, "return") == 0) return case_int(e, r, CASE_returns);
    if (strcmp(m->counts_as, "rework") == 0) return case_int(e, r, CASE_reworks);
    if (strcmp(m->counts_as, "escalate") == 0) return case_int(e, r, CASE_escalated);
    if (strcmp(m->counts_as, "suspend") == 0) return case_int(e, r, CASE_suspensions);
    if (strcmp(m->counts_as, "extend") == 0) return case_int(e, r, CASE_extensions);
    return 0;
}

/* Role, state and scope: what is silently not there for somebody. */
static bool in_reach(const struct engine *e, const struct case_row *r, const struct process_def *p,
                     const struct move_def *m, const struct actor *actor) {
    if (!from_here(p, m, case_text(e, r, CASE_state))) return false;
    if (!listed(m->roles, m->n_roles, actor_role(actor))) return false;
    return actor->kind != ACTOR_STAFF || case_may(e, r, actor->who);
}

static bool worker_there(const struct engine *e, const struct case_row *r, struct text *why) {
    const struct grid *g = grid_ref(e->grid);
    bool there = confirm_allows(e, g, r, 0, why);
    grid_unref(g);
    return there;
}

bool move_allowed(const struct engine *e, const struct case_row *r, const struct move_def *m,
                  const struct actor *actor, struct text *why) {
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    if (p == NULL || !in_reach(e, r, p, m, actor)) return false;
    if (!clock_allows(e, r, m, 0, why)) return false;
    if (confirm_orders(p, m) && !worker_there(e, r, why)) return false;
    if (m->max_times > 0 && times_made(e, r, m) >= m->max_times) {
        if (why != NULL) {
            *why =
                (struct text){"This was done as often as the rules allow; the centre decides now.",
                              "已达到规定次数，由中心裁定。"};
        }
        return false;
    }
    /* A guard that asks about inputs is decided when they are there. */
    if (!guard_holds(e, r, m, actor, NULL)) {
        if (why != NULL) *why = m->guard_why;
        return false;
    }
    return true;
}

size_t moves_offered(const struct engine *e, const struct case_row *r, const struct actor *actor,
                     struct offered_move *out, size_t max) {
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    size_t n = 0;
    for (size_t i = 0; p != NULL && i < p->n_moves && n < max; i++) {
        const struct move_def *m = &p->moves[i];
        if (!in_reach(e, r, p, m, actor)) continue;
        struct text why = {NULL, NULL};
        if (!move_allowed(e, r, m, actor, &why) && why.zh == NULL) continue;
        out[n++] = (struct offered_move){m, why};
    }
    return n;
}

/* Which roles a state's holder stands for: the move must be of the right hands, not merely possible
 * (a supervisor may always step in). */
static bool holder_is(const char *holder, const char *role) {
    static const struct {
        const char *holder, *role;
    } pairs[] = {{"desk", "operator"},
                 {"unit", "department"},
                 {"worker", "worker"},
                 {"verifier", "verifier"},
                 {"mediator", "mediator"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (strcmp(pairs[i].holder, holder) == 0 && strcmp(pairs[i].role, role) == 0) return true;
    }
    return strcmp(holder, role) == 0;
}

bool state_waits_for(const struct process_def *p, const struct state_def *s, const char *role) {
    if (s->final || !holder_is(s->holder, role)) return false;
    for (size_t i = 0; i < p->n_moves; i++) {
        if (from_here(p, &p->moves[i], s->name) &&
            listed(p->moves[i].roles, p->moves[i].n_roles, role))
            return true;
    }
    return false;
}

/* ---- inputs ---- */

static enum err_code bad_input(const struct input_def *in, const char *want, struct err *err) {
    char pointer[96];
    (void)snprintf(pointer, sizeof pointer, "/%s", in->name);
    (void)err_fail(err, ERR_INVALID, "\"%s\": expected %s", in->name, want);
    return err_field(err, ERR_INVALID, pointer);
}

/* What a value is held against: the engine, the grid, the case and the definition of the input. */
struct input_check {
    const struct engine *e;
    const struct grid *g;
    const struct case_row *r;
    const struct input_def *in;
    int64_t at_us;
};

static enum err_code check_photos(const struct input_check *k, const struct val *v,
                                  struct err *err) {
    const struct input_def *in = k->in;
    if (v->type != VAL_LIST || v->n > MAX_MOVE_PHOTOS)
        return bad_input(in, "at most nine photos", err);
    for (size_t i = 0; i < v->n; i++) {
        if (v->u.list[i].type != VAL_STR) return bad_input(in, "a list of photos", err);
    }
    if (in->required && v->n == 0) return bad_input(in, "at least one photo", err);
    return ERR_OK;
}

static enum err_code check_bool(const struct input_check *k, const struct val *v, struct err *err) {
    return v->type == VAL_BOOL ? ERR_OK : bad_input(k->in, "true or false", err);
}

static enum err_code check_score(const struct input_check *k, const struct val *v,
                                 struct err *err) {
    const struct input_def *in = k->in;
    if (v->type != VAL_INT) return bad_input(in, "a whole number", err);
    if (in->min < in->max && (v->u.i < in->min || v->u.i > in->max))
        return bad_input(in, "a number in its range", err);
    return ERR_OK;
}

static enum err_code check_post(const struct input_check *k, const struct val *v, struct err *err) {
    TRY(check_score(k, v, err));
    if (grid_post_index(k->g, v->u.i) == GRID_NONE)
        return bad_input(k->in, "an existing post", err);
    return ERR_OK;
}

static enum err_code check_field(const struct input_check *k, const struct val *v,
                                 struct err *err) {
    const struct engine *e = k->e;
    struct cell c = cell_null();
    int col = type_field(e->case_type, k->in->name);
    if (col < 0) return bad_input(k->in, "a known field", err);
    return field_cell(e->packs, &e->case_type->fields[col], v, &c, err);
}

static enum err_code check_text(const struct input_check *k, const struct val *v, struct err *err) {
    const struct input_def *in = k->in;
    size_t max = in->max > 0 ? (size_t)in->max : MAX_NOTE;
    if (v->type != VAL_STR || v->n > max) return bad_input(in, "a text, not too long", err);
    return in->required && v->n == 0 ? bad_input(in, "a text", err) : ERR_OK;
}

static enum err_code check_date(const struct input_check *k, const struct val *v, struct err *err) {
    int64_t day = 0;
    if (v->type != VAL_STR || !civil_date_parse(v->u.s, &day))
        return bad_input(k->in, "a date such as 2026-12-31", err);
    int64_t today = tz_to_local(k->e->tz, k->at_us) / day_us;
    if (k->in->max > 0 && day > today + k->in->max) return bad_input(k->in, "a nearer date", err);
    return ERR_OK;
}

static enum err_code check_unit(const struct input_check *k, const struct val *v, struct err *err) {
    TRY(check_text(k, v, err));
    if (v->n > 0 && grid_unit_index(k->g, v->u.s) == GRID_NONE)
        return bad_input(k->in, "the code of a unit", err);
    return ERR_OK;
}

static enum err_code check_class(const struct input_check *k, const struct val *v,
                                 struct err *err) {
    TRY(check_text(k, v, err));
    const struct case_class *c = pack_class(k->e->packs, v->u.s);
    if (c == NULL || strcmp(c->process, case_text(k->e, k->r, CASE_process)) != 0)
        return bad_input(k->in, "a class of the same process", err);
    return ERR_OK;
}

/* A kind that is not here is a text. */
static const struct {
    const char *kind;
    enum err_code (*check)(const struct input_check *k, const struct val *v, struct err *err);
} input_checks[] = {
    {"photos", check_photos}, {"bool", check_bool},   {"score", check_score},
    {"post", check_post},     {"field", check_field}, {"unit", check_unit},
    {"class", check_class},   {"date", check_date},   {"number", check_score},
};

static enum err_code check_input(const struct input_check *k, const struct val *v,
                                 struct err *err) {
    for (size_t i = 0; i < sizeof input_checks / sizeof input_checks[0]; i++) {
        if (strcmp(k->in->kind, input_checks[i].kind) == 0) return input_checks[i].check(k, v, err);
    }
    return check_text(k, v, err);
}

static enum err_code check_inputs(const struct engine *e, const struct grid *g,
                                  const struct case_row *r, const struct move_def *m,
                                  const struct val *inputs, int64_t at_us, struct err *err) {
    if (inputs != NULL && inputs->type != VAL_MAP)
        return err_fail(err, ERR_INVALID, "expected an object");
    for (size_t i = 0; inputs != NULL && i < inputs->n; i++) {
        bool known = false;
        for (size_t k = 0; k < m->n_inputs; k++) {
            known = known || strcmp(m->inputs[k].name, inputs->u.map[i].key) == 0;
        }
        if (known) continue;
        char pointer[96];
        (void)snprintf(pointer, sizeof pointer, "/%.80s", inputs->u.map[i].key);
        (void)err_fail(err, ERR_INVALID, "the move \"%s\" takes no \"%.80s\"", m->name,
                       inputs->u.map[i].key);
        return err_field(err, ERR_INVALID, pointer);
    }
    for (size_t k = 0; k < m->n_inputs; k++) {
        const struct val *v = val_get(inputs, m->inputs[k].name);
        bool absent = v == NULL || v->type == VAL_NULL;
        if (absent && m->inputs[k].required)
            return bad_input(&m->inputs[k], "a value; it is required", err);
        const struct input_check check = {e, g, r, &m->inputs[k], at_us};
        if (!absent) TRY(check_input(&check, v, err));
    }
    return ERR_OK;
}

/* ---- effects ---- */

static struct cell input_cell(struct arena *a, const struct val *v) {
    if (v == NULL) return cell_null();
    switch (v->type) {
    case VAL_STR:
        return v->n == 0 ? cell_null() : cell_textn(v->u.s, v->n);
    case VAL_INT:
        return cell_int(v->u.i);
    case VAL_BOOL:
        return cell_int(v->u.b ? 1 : 0);
    case VAL_DOUBLE:
        return cell_real(v->u.d);
    case VAL_LIST: {
        struct buf b;
        buf_init(&b, 65536);
        struct jw w;
        jw_init(&w, &b);
        jw_val(&w, v);
        char *s = b.failed || v->n == 0 ? NULL : arena_dup(a, buf_text(&b), b.n);
        buf_deinit(&b);
        return cell_text(s);
    }
    case VAL_NULL:
    case VAL_MAP:
        break;
    }
    return cell_null();
}

/* One level up from the post the case lies with: the desk of the parent area; stays where it is at
 * the top. */
static struct cell parent_desk(const struct engine *e, const struct grid *g,
                               const struct case_row *r) {
    int post = grid_post_index(g, case_int(e, r, CASE_post));
    int area = GRID_NONE;
    if (post != GRID_NONE && g->posts[post].area != GRID_NONE) {
        area = g->areas[g->posts[post].area].parent;
    } else {
        int community = grid_area_index(g, case_text(e, r, CASE_community));
        area = community != GRID_NONE ? community : grid_area_index(g, case_text(e, r, CASE_town));
    }
    int desk = area == GRID_NONE ? GRID_NONE : grid_desk(g, area);
    return desk == GRID_NONE ? r->cells[e->case_col[CASE_post]] : cell_int(g->posts[desk].id);
}

static struct cell cell_post(const struct engine *e, const struct grid *g, const struct case_row *r,
                             int64_t now_us) {
    int cell = grid_cell_index(g, case_text(e, r, CASE_layer), case_text(e, r, CASE_cell));
    struct place pl =
        cell == GRID_NONE
            ? grid_place_of_area(g, grid_area_index(g, case_text(e, r, CASE_county)), now_us)
            : grid_place_of_cell(g, cell, now_us);
    return pl.post == GRID_NONE ? cell_null() : cell_int(g->posts[pl.post].id);
}

static void apply_sets(const struct engine *e, struct tx *tx, const struct grid *g,
                       struct case_row *r, const struct move_def *m, const struct actor *actor,
                       const struct val *inputs, int64_t at_us) {
    for (size_t i = 0; i < m->n_sets; i++) {
        int col = type_field(e->case_type, m->sets[i].field);
        if (col < 0) continue; /* the loader refuses unknown fields */
        const char *from = m->sets[i].from;
        struct cell v = cell_null();
        if (strcmp(from, "actor") == 0)
            v = cell_text(actor_name(actor));
        else if (strcmp(from, "now") == 0)
            v = cell_int(at_us);
        else if (strncmp(from, "input:", 6) == 0)
            v = input_cell(tx_arena(tx), val_get(inputs, from + 6));
        else if (strcmp(from, "parent_desk") == 0)
            v = parent_desk(e, g, r);
        else if (strcmp(from, "cell_post") == 0)
            v = cell_post(e, g, r, at_us);
        else if (strncmp(from, "const:", 6) == 0) {
            enum col_type t = e->case_type->table.cols[col].type;
            bool number = t == COL_BOOL || t == COL_INT;
            bool yes = strcmp(from + 6, "true") == 0 || strcmp(from + 6, "1") == 0;
            v = number ? cell_int(yes ? 1 : 0) : cell_text(from + 6);
        }
        r->cells[col] = v;
    }
}

/* Counters that statistics need, by the mark of the move; it need not change the state. */
static void count_move(const struct engine *e, struct case_row *r, const struct move_def *m) {
    static const struct {
        const char *mark;
        enum case_field field;
    } counters[] = {{"return", CASE_returns},
                    {"rework", CASE_reworks},
                    {"escalate", CASE_escalated},
                    {"suspend", CASE_suspensions},
                    {"extend", CASE_extensions}};
    for (size_t i = 0; m->counts_as != NULL && i < sizeof counters / sizeof counters[0]; i++) {
        if (strcmp(m->counts_as, counters[i].mark) != 0) continue;
        case_set(e, r, counters[i].field, cell_int(case_int(e, r, counters[i].field) + 1));
    }
    if (m->counts_as != NULL && strcmp(m->counts_as, "settled_in_cell") == 0) {
        case_set(e, r, CASE_settled_in_cell, cell_int(1));
    }
    /* What failed its check was not settled. */
    if (m->counts_as != NULL && strcmp(m->counts_as, "rework") == 0) {
        case_set(e, r, CASE_settled_in_cell, cell_int(0));
    }
}

static void enter_state(const struct engine *e, const struct grid *g, struct case_row *r,
                        const struct state_def *from, const struct state_def *to, int64_t at_us) {
    struct confirm_turn turn = confirm_before(e, r, from, to, at_us);
    case_set(e, r, CASE_state, cell_text(to->name));
    case_set(e, r, CASE_stage, cell_text(to->stage));
    limit_start(e, r, pack_class(e->packs, case_text(e, r, CASE_class)), to, at_us);
    int post = strcmp(to->holder, "worker") == 0 ? grid_post_index(g, case_int(e, r, CASE_post))
                                                 : GRID_NONE;
    const char *account = post == GRID_NONE ? "" : grid_post_account(&g->posts[post], at_us);
    case_set(e, r, CASE_holder, account[0] != '\0' ? cell_text(account) : cell_null());
    stage_enter(e, r, to, turn.back, at_us);
    confirm_after(e, r, &turn, at_us);
}

static int64_t elapsed_in_state(const struct engine *e, const struct case_row *r,
                                const struct state_def *from, int64_t at_us) {
    return clock_used(e, r, limit_of(pack_class(e->packs, case_text(e, r, CASE_class)), from),
                      at_us);
}

static enum err_code check_move(const struct engine *e, const struct grid *g,
                                const struct case_row *r, const struct process_def *p,
                                const struct move_def *m, const struct actor *actor,
                                const struct val *inputs, int64_t at_us, struct err *err) {
    if (!listed(m->roles, m->n_roles, actor_role(actor)) ||
        (actor->kind == ACTOR_STAFF && !case_may(e, r, actor->who))) {
        return err_fail(err, ERR_FORBIDDEN, "you may not make the move \"%s\" on this case",
                        m->name);
    }
    if (!from_here(p, m, case_text(e, r, CASE_state))) {
        return err_fail(err, ERR_CONFLICT, "the move \"%s\" is not possible in the state \"%s\"",
                        m->name, case_text(e, r, CASE_state));
    }
    if (m->max_times > 0 && times_made(e, r, m) >= m->max_times) {
        return err_fail(err, ERR_CONFLICT,
                        "the move \"%s\" was made %d times; the centre decides now", m->name,
                        m->max_times);
    }
    struct text barred = {NULL, NULL};
    if (!clock_allows(e, r, m, at_us, &barred)) {
        return err_fail(err, ERR_CONFLICT, "%s",
                        barred.en != NULL ? barred.en
                                          : "the clock of this case does not stand like that now");
    }
    if (confirm_orders(p, m) && !confirm_allows(e, g, r, at_us, &barred))
        return err_fail(err, ERR_CONFLICT, "%s", barred.en);
    TRY(check_inputs(e, g, r, m, inputs, at_us, err));
    if (!guard_holds(e, r, m, actor, inputs)) {
        const char *why =
            m->guard_why.en != NULL && m->guard_why.en[0] != '\0' ? m->guard_why.en : m->guard_text;
        return err_fail(err, ERR_FORBIDDEN, "%s", why);
    }
    return ERR_OK;
}

static enum err_code make_move(const struct engine *e, struct tx *tx, const struct grid *g,
                               struct case_row *r, const struct move_def *m,
                               const struct process_def *p, const struct actor *actor,
                               const struct val *inputs, int64_t at_us,
                               struct case_history *history, struct err *err) {
    const char *from = case_text(e, r, CASE_state);
    const struct state_def *from_state = process_state(p, from);
    const struct state_def *to = m->to == NULL ? from_state : process_state(p, m->to);
    if (from_state == NULL || to == NULL) {
        return err_fail(err, ERR_CONFLICT, "the pack no longer has the state \"%s\"", from);
    }
    int64_t elapsed = elapsed_in_state(e, r, from_state, at_us);
    apply_sets(e, tx, g, r, m, actor, inputs, at_us);
    count_move(e, r, m);
    int64_t until_us = 0, days = 0;
    TRY(clock_move(e, r, m, actor_name(actor), inputs, at_us, &until_us, &days, err));
    if (m->to != NULL) {
        int64_t used = case_int(e, r, CASE_clock_used_milli);
        case_set(e, r, CASE_clock_used_milli, cell_int(used + elapsed));
        enter_state(e, g, r, from_state, to, at_us);
        if (history == NULL) TRY(clock_cover(e, tx, r, at_us, err));
    }
    if (history == NULL) {
        if (m->counts_as != NULL && strcmp(m->counts_as, "join") == 0)
            TRY(join_enter(e, tx, r, actor, inputs, err));
        else if (!to->final)
            TRY(join_leave(e, tx, r, err));
        TRY(tx_update(tx, &e->case_type->table, r->id, r->version, r->cells, err));
        r->version++;
    }
    const struct val *photos = val_get(inputs, "photos");
    struct cell photo_list = input_cell(tx_arena(tx), photos);
    const char *note = NULL, *reason = NULL;
    TRY(val_str(inputs, "note", false, MAX_NOTE, &note, err));
    TRY(val_str(inputs, "reason", false, MAX_NOTE, &reason, err));
    struct step s = {.move = m->name,
                     .from = from,
                     .to = to->name,
                     .actor = actor_name(actor),
                     .role = actor_role(actor),
                     .note = note,
                     .reason = reason,
                     .photos = photo_list.type == CELL_TEXT ? photo_list.p : NULL,
                     .counts_as = m->counts_as,
                     .at_us = at_us,
                     .elapsed_milli = m->to == NULL ? 0 : elapsed,
                     .until_us = until_us,
                     .days = days,
                     .is_public = m->is_public};
    return step_add(e, tx, r, &s, history, err);
}

enum err_code case_move(const struct engine *e, struct tx *tx, struct case_row *r, const char *move,
                        const struct actor *actor, const struct val *inputs, int64_t expect,
                        int64_t at_us, struct case_history *history, struct err *err) {
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    const struct move_def *m = p == NULL ? NULL : process_move(p, move);
    if (m == NULL) return err_fail(err, ERR_NOT_FOUND, "there is no move \"%.60s\"", move);
    if (at_us == 0) at_us = tx_now_us(tx);
    const struct grid *g = grid_ref(e->grid);
    enum err_code rc = check_move(e, g, r, p, m, actor, inputs, at_us, err);
    if (rc == ERR_OK && expect >= 0 && expect != r->version) {
        rc = err_fail(err, ERR_STALE, "you saw version %lld; the case is at version %lld",
                      (long long)expect, (long long)r->version);
    }
    if (rc == ERR_OK) rc = make_move(e, tx, g, r, m, p, actor, inputs, at_us, history, err);
    grid_unref(g);
    return rc;
}
