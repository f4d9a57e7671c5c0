#include <string.h>

#include "domain/pack/load.h"

/* One process under check; states and moves by index. */
struct check {
    struct load *l;
    const struct process_def *p;
    bool all_private; /* every class of the process is private, and there is one */
    bool tasks;       /* every class of the process is a task, and there is one */
    const char **state_names;
};

static void problem(const struct check *c, int line, const char *what, const char *name,
                    const char *why) {
    load_problem(c->l, ERR_INVALID, c->p->file, line, "%s \"%s\" %s", what, name, why);
}

static int state_index(const struct process_def *p, const char *name) {
    for (size_t i = 0; i < p->n_states; i++)
        if (strcmp(p->states[i].name, name) == 0) return (int)i;
    return -1;
}

static bool leaves(const struct process_def *p, const struct move_def *m, size_t state) {
    for (size_t i = 0; i < m->n_from; i++) {
        if (strcmp(m->from[i], p->states[state].name) == 0) return true;
        if (strcmp(m->from[i], "*") == 0 && !p->states[state].final) return true;
    }
    return false;
}

/* ---- who may move */

static bool is_pseudo(const char *role) {
    return strcmp(role, "reporter") == 0 || strcmp(role, "party") == 0 ||
           strcmp(role, "system") == 0;
}

static bool holds(const struct role_def *r, const char *grant) {
    for (size_t i = 0; i < r->n_grants; i++)
        if (strcmp(r->grants[i], grant) == 0) return true;
    return false;
}

static void check_role(const struct check *c, const struct move_def *m, const char *name,
                       const char **names, bool *anybody) {
    const struct role_def *r = pack_role(&c->l->set, name);
    bool opens = m->n_from == 0; /* anyone may open a case; the public does so without an account */
    if (r == NULL && !is_pseudo(name)) {
        load_unknown(c->l, c->p->file, m->line, "role", name, names);
        return;
    }
    bool acts = r == NULL || opens || (r->cases != SCOPE_NONE && holds(r, "case.move"));
    if (!acts)
        load_problem(c->l, ERR_INVALID, c->p->file, m->line,
                     "move \"%s\": role \"%s\" sees no cases or lacks the grant case.move", m->name,
                     name);
    bool sees = r == NULL || opens || !c->all_private ||
                (c->tasks ? holds(r, "warning.read") : r->private_cases);
    if (acts && sees) *anybody = true;
}

static void check_roles(const struct check *c, const struct move_def *m) {
    enum { MAX_NAMES = LOAD_MAX_ROLES + 4 };
    const char *names[MAX_NAMES] = {"reporter", "party", "system"};
    for (size_t i = 0; i < c->l->set.n_roles; i++) names[3 + i] = c->l->roles[i].name;
    bool anybody = false;
    for (size_t i = 0; i < m->n_roles; i++) check_role(c, m, m->roles[i], names, &anybody);
    if (!anybody) problem(c, m->line, "move", m->name, "can be made by nobody");
}

/* ---- single moves */

static void nothing_known(void *ctx, const struct expr_var *var, struct expr_value *out) {
    (void)ctx;
    (void)var;
    (void)out;
}

static void count_var(void *ctx, const struct expr_var *var) {
    size_t *n = ctx;
    (void)var;
    ++*n;
}

static void check_guard(const struct check *c, const struct move_def *m) {
    if (m->guard == NULL) return;
    size_t n = 0;
    expr_each_var(m->guard, count_var, &n);
    if (n == 0)
        problem(c, m->line, "move", m->name,
                expr_eval(m->guard, nothing_known, NULL)
                    ? "has a condition that always holds: leave it out"
                    : "can be made by nobody: its condition never holds");
}

/* ---- clocks */

static bool has_input(const struct move_def *m, const char *name, const char *kind) {
    for (size_t i = 0; i < m->n_inputs; i++)
        if (strcmp(m->inputs[i].name, name) == 0)
            return m->inputs[i].required && strcmp(m->inputs[i].kind, kind) == 0;
    return false;
}

static bool has_act(const struct process_def *p, enum clock_act act) {
    for (size_t i = 0; i < p->n_moves; i++)
        if (p->moves[i].clock == act) return true;
    return false;
}

/* The fields that a standing clock lives in: a type that lacks one cannot hold it. */
static void check_clock_fields(const struct check *c, const struct move_def *m) {
    static const char *const fields[] = {
        "paused_at",      "paused_until", "paused_why", "paused_due_at", "clock_left_us",
        "clock_stood_us", "asked",        "asked_by",   "asked_until",   "asked_days",
        "suspended_at",   "suspensions",  "extensions", "emergency"};
    const struct type_def *t = pack_type(&c->l->set, c->p->type);
    for (size_t i = 0; t != NULL && i < sizeof fields / sizeof fields[0]; i++)
        if (type_field(t, fields[i]) < 0)
            load_problem(c->l, ERR_INVALID, c->p->file, m->line,
                         "move \"%s\" moves the clock, for which type \"%s\" needs the field "
                         "\"%s\" (packs/cases/types/case.yaml)",
                         m->name, t->name, fields[i]);
}

/* What is asked can be granted and refused, what is granted can be asked for, and what stands can
 * be ended by hand. */
static void check_clock_partners(const struct check *c, const struct move_def *m) {
    static const struct {
        enum clock_act act, needs;
        const char *why;
    } rules[] = {
        {CLOCK_ASK_PAUSE, CLOCK_PAUSE, "asks for what no move grants: clock: pause"},
        {CLOCK_ASK_PAUSE, CLOCK_REFUSE, "asks for what no move refuses: clock: refuse"},
        {CLOCK_ASK_EXTEND, CLOCK_EXTEND, "asks for what no move grants: clock: extend"},
        {CLOCK_ASK_EXTEND, CLOCK_REFUSE, "asks for what no move refuses: clock: refuse"},
        {CLOCK_PAUSE, CLOCK_ASK_PAUSE, "grants what no move asks for: clock: ask_pause"},
        {CLOCK_PAUSE, CLOCK_RESUME, "stops a clock that no move resumes: clock: resume"},
        {CLOCK_EXTEND, CLOCK_ASK_EXTEND, "grants what no move asks for: clock: ask_extend"}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (m->clock == rules[i].act && !has_act(c->p, rules[i].needs))
            problem(c, m->line, "move", m->name, rules[i].why);
}

static void check_clock(const struct check *c, const struct move_def *m) {
    bool suspends = m->counts_as != NULL && strcmp(m->counts_as, "suspend") == 0;
    bool extends = m->counts_as != NULL && strcmp(m->counts_as, "extend") == 0;
    if (suspends != (m->clock == CLOCK_PAUSE))
        problem(c, m->line, "move", m->name, "counts_as: suspend and clock: pause go together");
    if (extends != (m->clock == CLOCK_EXTEND))
        problem(c, m->line, "move", m->name, "counts_as: extend and clock: extend go together");
    if (m->clock == CLOCK_NONE) return;
    if (m->to != NULL || m->n_from == 0)
        problem(c, m->line, "move", m->name,
                "moves the clock, so it stays in its state: a new state starts a new limit");
    if (m->clock == CLOCK_ASK_PAUSE && !has_input(m, "until", "date"))
        problem(c, m->line, "move", m->name,
                "asks for a pause, so it requires the input \"until\" of kind date");
    if (m->clock == CLOCK_ASK_EXTEND && !has_input(m, "days", "number"))
        problem(c, m->line, "move", m->name,
                "asks for more time, so it requires the input \"days\" of kind number");
    if (m->clock == CLOCK_EXTEND && m->max_times == 0)
        problem(c, m->line, "move", m->name, "gives more time without end: say max_times");
    check_clock_partners(c, m);
    check_clock_fields(c, m);
}

static void check_move(const struct check *c, const struct move_def *m) {
    for (size_t i = 0; i < m->n_from; i++)
        if (strcmp(m->from[i], "*") != 0 && state_index(c->p, m->from[i]) < 0)
            load_unknown(c->l, c->p->file, m->line, "state", m->from[i], c->state_names);
    if (m->to != NULL && state_index(c->p, m->to) < 0)
        load_unknown(c->l, c->p->file, m->line, "state", m->to, c->state_names);
    if (m->n_from == 0) {
        int to = m->to == NULL ? -1 : state_index(c->p, m->to);
        if (to < 0 || !c->p->states[to].initial)
            problem(c, m->line, "move", m->name,
                    "opens the case, so it leads to the initial state");
    }
    if (m->max_times > 0 && (m->counts_as == NULL || strcmp(m->counts_as, "settled_in_cell") == 0))
        problem(
            c, m->line, "move", m->name,
            "has max_times, which needs counts_as: return, rework, escalate, suspend or extend");
    check_clock(c, m);
    check_guard(c, m);
    check_roles(c, m);
}

/* ---- the chart as a whole */

static void check_initial(const struct check *c) {
    size_t initial = 0, opening = 0;
    for (size_t i = 0; i < c->p->n_states; i++) initial += c->p->states[i].initial;
    for (size_t i = 0; i < c->p->n_moves; i++) opening += c->p->moves[i].n_from == 0;
    if (initial != 1)
        load_problem(c->l, ERR_INVALID, c->p->file, c->p->line,
                     "process \"%s\" has %zu initial states; it needs exactly one", c->p->name,
                     initial);
    if (opening > 1)
        load_problem(c->l, ERR_INVALID, c->p->file, c->p->line,
                     "process \"%s\" has %zu moves that open a case; at most one is possible",
                     c->p->name, opening);
}

/* Mark what one move adds: its end when a start of it is seen, or backwards its starts when its end
 * is. */
static bool spread_move(const struct process_def *p, const struct move_def *m, bool forwards,
                        bool seen[LOAD_MAX_STATES]) {
    int to = m->to == NULL ? -1 : state_index(p, m->to);
    bool grew = false;
    for (size_t i = 0; to >= 0 && i < p->n_states; i++) {
        size_t from = forwards ? i : (size_t)to, next = forwards ? (size_t)to : i;
        if (!leaves(p, m, i) || !seen[from] || seen[next]) continue;
        seen[next] = true;
        grew = true;
    }
    return grew;
}

/* Which states can be reached from the initial one, or from which a final one can be. */
static void spread(const struct process_def *p, bool forwards, bool seen[LOAD_MAX_STATES]) {
    bool grew = true;
    for (size_t i = 0; i < p->n_states; i++)
        seen[i] = forwards ? p->states[i].initial : p->states[i].final;
    while (grew) {
        grew = false;
        for (size_t m = 0; m < p->n_moves; m++)
            if (spread_move(p, &p->moves[m], forwards, seen)) grew = true;
    }
}

/* A way to another state that no bounce limit closes. */
static bool has_exit(const struct process_def *p, size_t state, bool *any) {
    bool lasting = false;
    *any = false;
    for (size_t i = 0; i < p->n_moves; i++) {
        const struct move_def *m = &p->moves[i];
        if (m->to == NULL || strcmp(m->to, p->states[state].name) == 0) continue;
        if (!leaves(p, m, state)) continue;
        *any = true;
        lasting = lasting || m->max_times == 0;
    }
    return lasting;
}

static bool has_limit(const struct check *c, const struct state_def *s, const char **without) {
    const struct pack_set *set = &c->l->set;
    size_t n = 0;
    if (s->limit.n_milli > 0) return true;
    for (size_t i = 0; i < set->n_classes; i++) {
        const struct case_class *k = &set->classes[i];
        if (strcmp(k->process, c->p->name) != 0) continue;
        bool found = false;
        for (size_t j = 0; j < k->n_limits; j++) found |= strcmp(k->limits[j].state, s->name) == 0;
        if (!found) {
            *without = k->id;
            return false;
        }
        n++;
    }
    *without = "";
    return n > 0;
}

static void check_overdue(const struct check *c, size_t i) {
    const struct state_def *s = &c->p->states[i];
    if (s->overdue_move == NULL) return;
    const struct move_def *m = process_move(c->p, s->overdue_move);
    bool system = false;
    for (size_t k = 0; m != NULL && k < m->n_roles; k++)
        system |= strcmp(m->roles[k], "system") == 0;
    if (m == NULL || !system || !leaves(c->p, m, i))
        load_problem(c->l, ERR_INVALID, c->p->file, s->line,
                     "state \"%s\": the overdue move \"%s\" must be a move from here that the role "
                     "system may make",
                     s->name, s->overdue_move);
    for (size_t k = 0; m != NULL && k < m->n_inputs; k++)
        if (m->inputs[k].required)
            load_problem(c->l, ERR_INVALID, c->p->file, s->line,
                         "state \"%s\": the overdue move \"%s\" requires the input \"%s\", which "
                         "the system cannot give",
                         s->name, m->name, m->inputs[k].name);
}

static void check_wait(const struct check *c, size_t i) {
    const struct state_def *s = &c->p->states[i];
    const char *without = "";
    if (strcmp(s->holder, "none") == 0)
        problem(c, s->line, "state", s->name, "waits, but nobody holds it: name a holder");
    if (!s->clock)
        problem(c, s->line, "state", s->name, "waits without a clock: a wait has a limit");
    else if (!has_limit(c, s, &without))
        load_problem(c->l, ERR_INVALID, c->p->file, s->line,
                     "state \"%s\" waits without a limit: give it \"limit\", or give one to every "
                     "class%s%s",
                     s->name, without[0] == '\0' ? "" : "; missing for ", without);
}

/* ---- 核实: with the worker before filing */

static bool answers(const struct move_def *m) {
    for (size_t i = 0; i < m->n_sets; i++)
        if (strcmp(m->sets[i].field, "confirmed_at") == 0 && strcmp(m->sets[i].from, "now") == 0)
            return true;
    return false;
}

static bool from_stage_file(const struct check *c, const struct move_def *m) {
    for (size_t i = 0; i < c->p->n_states; i++)
        if (leaves(c->p, m, i) && strcmp(c->p->states[i].stage, "file") != 0) return false;
    return m->n_from > 0;
}

/* What such a state needs in order that its order is held, answered and counted. */
static void check_confirm(const struct check *c, size_t i) {
    static const char *const fields[] = {"confirm_due_at", "confirmed_at", "confirm_left_us"};
    const struct state_def *s = &c->p->states[i];
    const struct type_def *t = pack_type(&c->l->set, c->p->type);
    bool answered = false, from_file = true;
    if (strcmp(s->stage, "confirm") != 0) return;
    for (size_t k = 0; t != NULL && k < sizeof fields / sizeof fields[0]; k++)
        if (type_field(t, fields[k]) < 0)
            load_problem(c->l, ERR_INVALID, c->p->file, s->line,
                         "state \"%s\" waits for a confirmation, for which type \"%s\" needs the "
                         "field \"%s\" (packs/cases/types/case.yaml)",
                         s->name, t->name, fields[k]);
    for (size_t k = 0; k < c->p->n_moves; k++) {
        const struct move_def *m = &c->p->moves[k];
        answered = answered || (leaves(c->p, m, i) && answers(m));
        if (m->to != NULL && strcmp(m->to, s->name) == 0)
            from_file = from_file && from_stage_file(c, m);
    }
    if (strcmp(s->holder, "worker") != 0)
        problem(c, s->line, "state", s->name, "is of stage confirm, so its holder is the worker");
    if (!from_file)
        problem(c, s->line, "state", s->name,
                "is of stage confirm, so it is entered from states of stage file");
    if (!answered)
        problem(c, s->line, "state", s->name,
                "is of stage confirm, but no move out of it sets confirmed_at: now");
}

static void check_states(const struct check *c) {
    bool reached[LOAD_MAX_STATES] = {false}, ends[LOAD_MAX_STATES] = {false};
    spread(c->p, true, reached);
    spread(c->p, false, ends);
    for (size_t i = 0; i < c->p->n_states; i++) {
        const struct state_def *s = &c->p->states[i];
        bool any = false;
        if (!reached[i]) problem(c, s->line, "state", s->name, "cannot be reached");
        check_confirm(c, i);
        check_overdue(c, i);
        if (s->final) continue;
        bool lasting = has_exit(c->p, i, &any);
        if (!any)
            problem(c, s->line, "state", s->name, "is a dead end: no move leads out of it");
        else if (!ends[i])
            problem(c, s->line, "state", s->name, "never leads to a final state");
        else if (!lasting)
            problem(c, s->line, "state", s->name,
                    "may become a dead end: every move out of it has max_times");
        check_wait(c, i);
    }
}

static void look_at_classes(struct check *c) {
    size_t n = 0, sealed = 0, tasks = 0;
    for (size_t i = 0; i < c->l->set.n_classes; i++) {
        const struct case_class *k = &c->l->classes[i];
        if (strcmp(k->process, c->p->name) != 0) continue;
        n++;
        sealed += k->is_private;
        tasks += class_is_task(k->id);
    }
    c->all_private = n > 0 && sealed == n;
    c->tasks = n > 0 && tasks == n;
}

enum err_code load_check_processes(struct load *l) {
    for (size_t i = 0; i < l->set.n_processes; i++) {
        const struct process_def *p = &l->processes[i];
        struct check c = {.l = l, .p = p};
        look_at_classes(&c);
        c.state_names = ARENA_NEW(l->a, const char *, p->n_states + 1);
        if (c.state_names == NULL) return load_nomem(l);
        for (size_t k = 0; k < p->n_states; k++) c.state_names[k] = p->states[k].name;
        check_initial(&c);
        for (size_t k = 0; k < p->n_moves; k++) check_move(&c, &p->moves[k]);
        check_states(&c);
    }
    return ERR_OK;
}
