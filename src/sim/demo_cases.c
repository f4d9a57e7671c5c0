/* The year of the demo city through the process engine: each case is reported and moved as its plan
 * says, by whom it says. */
#include <stdio.h>
#include <string.h>

#include "domain/identity/identity.h"
#include "sim/demo_inside.h"

enum { BATCH = 200, MAX_INPUTS = 16 };

struct batch {
    struct demo *d;
    size_t first, n;
};

/* ---- who acts ---- */

static void principal_of(const struct demo *d, uint32_t post, const char *role, const char *unit,
                         struct principal *out) {
    *out = (struct principal){.role = pack_role(d->folder->packs, role), .grants = UINT64_MAX};
    char account[DEMO_ACCOUNT];
    demo_account(d, post, account);
    (void)snprintf(out->name, sizeof out->name, "%s", account);
    (void)snprintf(out->unit, sizeof out->unit, "%s", unit == NULL ? "" : unit);
    const struct city_post *p = &d->plan->post[post];
    if (p->kind != CITY_POST_WORKER) return;
    (void)snprintf(out->cells[0], sizeof out->cells[0], "%s", d->plan->cell[p->cell].code);
    out->n_cells = 1;
}

static const char *role_for(const struct demo *d, const struct year_case *c,
                            const struct year_step *s) {
    const struct city_post *p = &d->plan->post[s->post];
    if (p->kind == CITY_POST_WORKER) return "worker";
    if (!c->is_private) return p->kind == CITY_POST_UNIT ? "department" : "operator";
    return s->move == YEAR_TRIAGE || s->move == YEAR_CLOSE || s->move == YEAR_REFUSE ? "operator"
                                                                                     : "mediator";
}

/* ---- inputs: what the move asks for, filled from the plan's step ---- */

static struct val text_val(const char *s) {
    return (struct val){.type = VAL_STR, .n = strlen(s), .u.s = s};
}

static enum err_code photo_val(struct demo *d, struct tx *tx, uint32_t key, struct val *out,
                               bool *there, struct err *err) {
    const char *hash = NULL;
    *there = false;
    if (key == 0) return ERR_OK;
    TRY(demo_picture(d, key, &hash, err));
    struct val *one = hash == NULL ? NULL : ARENA_NEW(tx_arena(tx), struct val, 1);
    if (one == NULL) return ERR_OK;
    *one = text_val(hash);
    *out = (struct val){.type = VAL_LIST, .n = 1, .u.list = one};
    *there = true;
    return ERR_OK;
}

static enum err_code input_val(struct demo *d, struct tx *tx, const struct year_case *c,
                               const struct year_step *s, const struct input_def *in,
                               struct val *out, bool *there, struct err *err) {
    const char *note = s->note == NULL ? "已按规定办理。" : s->note;
    *there = true;
    if (strcmp(in->name, "note") == 0 || strcmp(in->name, "reason") == 0)
        *out = text_val(note);
    else if (strcmp(in->name, "goto") == 0)
        *out = text_val(s->go_to == NULL ? "请向有管辖权的单位反映。" : s->go_to);
    else if (strcmp(in->name, "unit") == 0 && s->unit != CITY_NONE)
        *out = text_val(d->plan->unit[s->unit].code);
    else if (strcmp(in->name, "score") == 0)
        *out = (struct val){.type = VAL_INT, .u.i = s->score};
    else if (strcmp(in->name, "photos") == 0)
        return photo_val(d, tx, (c->planted & YEAR_IS_GAMED) != 0 ? s->photo : 0, out, there, err);
    else
        *there = false;
    return ERR_OK;
}

static enum err_code inputs_of(struct demo *d, struct tx *tx, const struct year_case *c,
                               const struct year_step *s, const struct move_def *m, struct val *out,
                               struct err *err) {
    struct val_pair *pairs = ARENA_NEW(tx_arena(tx), struct val_pair, MAX_INPUTS);
    if (pairs == NULL) return err_fail(err, ERR_NOMEM, "demo");
    size_t n = 0;
    for (size_t i = 0; i < m->n_inputs && n < MAX_INPUTS; i++) {
        bool there = false;
        pairs[n].key = m->inputs[i].name;
        TRY(input_val(d, tx, c, s, &m->inputs[i], &pairs[n].v, &there, err));
        if (there) n++;
    }
    *out = (struct val){.type = VAL_MAP, .n = n, .u.map = pairs};
    return ERR_OK;
}

/* ---- one case ---- */

static const struct party_in *parties_of(const struct year_case *c) {
    static const struct party_in parties[] = {
        {"applicant", "申请人（虚构）", NULL, "希望通过调解解决，双方好好商量。"},
        {"other", "被申请人（虚构）", NULL, "愿意参加调解。"}};
    return c->is_private ? parties : NULL;
}

/* Residents use the page, or an application of others by Open311: both have a past when the city
 * goes on live, so that warnings do not hold them back as channels without one. */
static const char *channel_of(const struct year_case *c) {
    if (c->channel != YEAR_BY_RESIDENT) return year_channel_name(c->channel);
    return c->number % 8 == 7 && !c->is_private ? "open311" : "web";
}

/* Of what has no place two in three say at least which community it is about. */
static const char *area_of(const struct demo *d, const struct year_case *c) {
    if (c->has_place || c->number % 3 == 0) return NULL;
    return d->plan->area[d->plan->cell[c->cell].community].code;
}

static enum err_code report(struct demo *d, struct tx *tx, const struct year_case *c,
                            const struct year_class *cls, struct case_history *h,
                            struct reported *out, struct err *err) {
    struct principal who = {.anonymous = true};
    if (c->reporter != CITY_NONE) {
        bool worker = d->plan->post[c->reporter].kind == CITY_POST_WORKER;
        principal_of(d, c->reporter, worker ? "worker" : "department", NULL, &who);
    } else if (c->channel == YEAR_BY_HOTLINE) {
        principal_of(d, 0, "operator", NULL, &who);
    }
    struct report in = {.cls = pack_class(d->folder->packs, cls->id),
                        .has_place = c->has_place,
                        .area = area_of(d, c),
                        .lon = city_lon(c->at),
                        .lat = city_lat(c->at),
                        .description = arena_strdup(tx_arena(tx), c->text),
                        .contact =
                            c->contact[0] == '\0' ? NULL : arena_strdup(tx_arena(tx), c->contact),
                        .channel = channel_of(c),
                        .parties = parties_of(c),
                        .n_parties = c->is_private ? 2 : 0,
                        .at_us = c->open_us,
                        .who = &who,
                        .history = h};
    if (in.cls == NULL)
        return err_fail(err, ERR_INVALID, "the packs have no class \"%s\"", cls->id);
    /* The names must outlive this call: the row is written when the last step is known. */
    struct principal *kept = ARENA_NEW(tx_arena(tx), struct principal, 1);
    if (kept == NULL) return err_fail(err, ERR_NOMEM, "demo");
    *kept = who;
    in.who = kept;
    return case_report(d->engine, tx, &in, out, err);
}

static enum err_code step(struct demo *d, struct tx *tx, const struct year_case *c,
                          const struct year_step *s, struct case_row *row, struct case_history *h,
                          struct err *err) {
    const struct process_def *p =
        pack_process(d->folder->packs, case_text(d->engine, row, CASE_process));
    const struct move_def *m = p == NULL ? NULL : process_move(p, year_move_name(s->move));
    /* Packs in which nothing is confirmed before filing: the desk decides without. */
    if (m == NULL && s->move >= YEAR_ORDER_CONFIRM && s->move <= YEAR_TAKE_BACK) return ERR_OK;
    if (m == NULL)
        return err_fail(err, ERR_INVALID, "the packs have no move \"%s\"", year_move_name(s->move));
    struct actor actor = {.kind = ACTOR_REPORTER};
    struct principal *who = ARENA_NEW(tx_arena(tx), struct principal, 1);
    if (who == NULL) return err_fail(err, ERR_NOMEM, "demo");
    if (s->post != CITY_NONE) {
        principal_of(d, s->post, role_for(d, c, s), case_text(d->engine, row, CASE_unit), who);
        /* The grid worker's own cells; a post from elsewhere that steps in acts for the cell of the
         * case. */
        if (who->n_cells == 1)
            (void)snprintf(who->cells[0], sizeof who->cells[0], "%s",
                           case_text(d->engine, row, CASE_cell));
        actor = (struct actor){.kind = ACTOR_STAFF, .who = who};
    }
    struct val inputs;
    TRY(inputs_of(d, tx, c, s, m, &inputs, err));
    return case_move(d->engine, tx, row, m->name, &actor, &inputs, -1, s->at_us, h, err);
}

static enum err_code one_case(struct demo *d, struct tx *tx, const struct year_case *c,
                              struct err *err) {
    size_t n_cls = 0;
    const struct year_class *cls = year_class_default(&n_cls);
    struct reported *out = ARENA_NEW(tx_arena(tx), struct reported, 1);
    struct case_history *h = ARENA_NEW(tx_arena(tx), struct case_history, 1);
    if (out == NULL || h == NULL) return err_fail(err, ERR_NOMEM, "demo");
    TRY(report(d, tx, c, &cls[c->cls], h, out, err));
    for (size_t i = 0; i < c->n_step; i++) TRY(step(d, tx, c, &c->step[i], &out->row, h, err));
    const struct engine *e = d->engine;
    bool late =
        case_has(e, &out->row, CASE_due_at) && case_int(e, &out->row, CASE_due_at) < d->until_us;
    case_set(e, &out->row, CASE_overdue,
             cell_int(late && !case_has(e, &out->row, CASE_closed_at) ? 1 : 0));
    (void)snprintf(d->codes[c->number], DEMO_CODE, "%s", case_text(e, &out->row, CASE_code));
    return case_history_write(e, tx, &out->row, h, err);
}

static enum err_code apply(struct tx *tx, void *arg, struct err *err) {
    struct batch *b = arg;
    struct year_case *c = ARENA_NEW(tx_arena(tx), struct year_case, 1);
    if (c == NULL) return err_fail(err, ERR_NOMEM, "demo");
    for (size_t i = 0; i < b->n; i++) {
        city_year_case(b->d->year, b->first + i, c);
        enum err_code rc = one_case(b->d, tx, c, err);
        if (rc != ERR_OK) {
            char detail[256];
            (void)snprintf(detail, sizeof detail, "%.255s", err == NULL ? "" : err->detail);
            return err_fail(err, rc, "case %u of the invented year: %s", c->number, detail);
        }
    }
    return ERR_OK;
}

enum err_code demo_write_cases(struct demo *d, struct err *err) {
    size_t n = city_year_count(d->year);
    d->codes = arena_alloc(d->a, n, DEMO_CODE);
    if (d->codes == NULL) return err_fail(err, ERR_NOMEM, "demo");
    for (size_t at = 0; at < n; at += BATCH) {
        struct batch b = {d, at, n - at < BATCH ? n - at : BATCH};
        struct command c = {.name = "case.import", .actor = "system", .apply = apply, .arg = &b};
        TRY(ledger_run(d->folder->ledger, &c, NULL, NULL, err));
        if (d->o->progress != NULL && at / BATCH % 50 == 0)
            (void)fprintf(d->o->progress, "cases %zu of %zu\n", at, n);
    }
    return ERR_OK;
}
