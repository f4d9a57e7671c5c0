#include <string.h>

#include "domain/pack/load.h"

enum { MAX_INPUTS = 16, MAX_SETS = 16, MAX_URGENCY = 9 };

static const char *const stages[] = {"collect",  "file",   "confirm", "dispatch", "handle",
                                     "feedback", "verify", "close",   "rate",     NULL};
static const char *const holders[] = {"desk",     "unit", "worker",  "verifier",   "mediator",
                                      "reporter", "none", "analyst", "supervisor", NULL};
static const char *const input_kinds[] = {"text",  "unit",   "post", "class", "photos",
                                          "score", "bool",   "code", "field", "worker",
                                          "date",  "number", NULL};
static const char *const marks[] = {"settled_in_cell", "rework", "return", "escalate",
                                    "suspend",         "extend", "join",   NULL};
/* By enum clock_act, from 1 on. */
static const char *const clock_acts[] = {"ask_pause", "pause",  "resume", "ask_extend",
                                         "extend",    "refuse", NULL};

/* The process being read, with what its moves refer to. */
struct reading {
    struct load *l;
    const char *file;
    struct process_def *p;
    const struct type_def *type; /* NULL when it is unknown */
    struct input_def *shared;    /* inputs declared once for all moves */
    size_t n_shared;
};

static void read_state(struct reading *r, const struct val *v, struct state_def *s) {
    static const char *const known[] = {"name",  "title", "public", "stage",   "initial", "final",
                                        "clock", "limit", "holder", "overdue", NULL};
    struct load *l = r->l;
    *s = (struct state_def){.name = "",
                            .title = {"", ""},
                            .public_title = {"", ""},
                            .stage = "",
                            .holder = "none",
                            .line = v->line};
    if (!rd_known(l, r->file, v, "a state", known)) return;
    s->name = rd_name(l, r->file, v, "name", true);
    s->title = rd_title(l, r->file, v, "title", true);
    s->public_title = rd_title(l, r->file, v, "public", false);
    if (s->public_title.en[0] == '\0') s->public_title = s->title;
    int stage = rd_enum(l, r->file, v, "stage", stages, true, 0);
    s->stage = stages[stage < 0 ? 0 : stage];
    s->initial = rd_bool(l, r->file, v, "initial", false);
    s->final = rd_bool(l, r->file, v, "final", false);
    s->clock = rd_bool(l, r->file, v, "clock", !s->final);
    const char *limit = rd_text(l, r->file, v, "limit", false, 60);
    if (limit[0] != '\0') (void)rd_limit(l, r->file, v->line, limit, &s->limit);
    s->limit.state = s->name;
    s->limit.source = "";
    int holder = rd_enum(l, r->file, v, "holder", holders, !s->final, 6);
    s->holder = holders[holder < 0 ? 6 : holder];
    const char *overdue = rd_name(l, r->file, v, "overdue", false);
    if (overdue[0] != '\0') s->overdue_move = overdue;
    (void)load_not_refused(l, r->file, v->line, "state", s->name, &s->title);
    if (s->final && s->limit.n_milli > 0)
        load_problem(l, ERR_INVALID, r->file, v->line, "state \"%s\" is final: no limit runs there",
                     s->name);
}

static enum err_code read_states(struct reading *r, const struct val *v) {
    const struct val *list = rd_list(r->l, r->file, v, "states", true);
    size_t n = list == NULL ? 0 : list->n;
    if (n > LOAD_MAX_STATES) {
        load_problem(r->l, ERR_LIMIT, r->file, list->line, "more than %d states", LOAD_MAX_STATES);
        n = 0;
    }
    struct state_def *s = ARENA_NEW(r->l->a, struct state_def, n + 1);
    if (s == NULL) return load_nomem(r->l);
    for (size_t i = 0; i < n; i++) {
        read_state(r, &list->u.list[i], &s[i]);
        for (size_t k = 0; k < i; k++)
            if (s[i].name[0] != '\0' && strcmp(s[k].name, s[i].name) == 0)
                load_problem(r->l, ERR_INVALID, r->file, s[i].line,
                             "state \"%s\" stands here twice, first in line %d", s[i].name,
                             s[k].line);
    }
    r->p->states = s;
    r->p->n_states = n;
    return ERR_OK;
}

/* ---- inputs */

static void check_input(struct reading *r, int line, const struct input_def *in) {
    if (in->title.en == NULL || in->title.en[0] == '\0')
        load_problem(r->l, ERR_INVALID, r->file, line, "input \"%s\" has no title", in->name);
    if (in->kind == NULL)
        load_problem(r->l, ERR_INVALID, r->file, line, "input \"%s\" has no kind", in->name);
    else if (strcmp(in->kind, "field") == 0 && r->type != NULL) {
        int f = type_field(r->type, in->name);
        if (f < 0 || r->type->fields[f].engine)
            load_problem(r->l, ERR_INVALID, r->file, line,
                         "input \"%s\" is of kind field, but type \"%s\" has no such field for "
                         "forms",
                         in->name, r->type->name);
    }
    if (in->min > in->max)
        load_problem(r->l, ERR_INVALID, r->file, line, "input \"%s\": min is above max", in->name);
}

static void read_input(struct reading *r, const struct val *v, struct input_def *in) {
    static const char *const known[] = {"name", "kind", "title", "required", "min", "max", NULL};
    struct load *l = r->l;
    *in = (struct input_def){.name = "", .title = {"", ""}};
    bool bare = v->type == VAL_STR;
    if (!bare && !rd_known(l, r->file, v, "an input", known)) return;
    in->name = bare ? v->u.s : rd_name(l, r->file, v, "name", true);
    for (size_t i = 0; i < r->n_shared; i++)
        if (strcmp(r->shared[i].name, in->name) == 0) *in = r->shared[i];
    if (!bare) {
        int kind = rd_enum(l, r->file, v, "kind", input_kinds, false, -2);
        if (kind >= 0) in->kind = input_kinds[kind];
        struct text title = rd_title(l, r->file, v, "title", false);
        if (title.en[0] != '\0') in->title = title;
        in->required = rd_bool(l, r->file, v, "required", in->required);
        in->min = rd_int(l, r->file, v, "min", 0, 1000000, in->min);
        in->max = rd_int(l, r->file, v, "max", 0, 1000000, in->max);
    }
    check_input(r, v->line, in);
    if (in->kind == NULL) in->kind = "text";
    (void)load_not_refused(l, r->file, v->line, "input", in->name, &in->title);
}

static enum err_code read_inputs(struct reading *r, const struct val *v, struct input_def **out,
                                 size_t *n_out) {
    const struct val *list = rd_list(r->l, r->file, v, "inputs", false);
    size_t n = list == NULL ? 0 : list->n;
    if (n > MAX_INPUTS) {
        load_problem(r->l, ERR_LIMIT, r->file, list->line, "more than %d inputs", MAX_INPUTS);
        n = 0;
    }
    struct input_def *in = ARENA_NEW(r->l->a, struct input_def, n + 1);
    if (in == NULL) return load_nomem(r->l);
    for (size_t i = 0; i < n; i++) {
        read_input(r, &list->u.list[i], &in[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(in[k].name, in[i].name) == 0)
                load_problem(r->l, ERR_INVALID, r->file, list->u.list[i].line,
                             "input \"%s\" stands here twice", in[i].name);
    }
    *out = in;
    *n_out = n;
    return ERR_OK;
}

/* ---- effects */

static bool input_fits(enum field_kind k, const char *kind, bool text) {
    if (strcmp(kind, "photos") == 0) return k == FIELD_PHOTOS;
    if (strcmp(kind, "bool") == 0) return k == FIELD_BOOL;
    if (strcmp(kind, "score") == 0 || strcmp(kind, "number") == 0) return k == FIELD_INT;
    if (strcmp(kind, "date") == 0) return k == FIELD_DATE;
    if (strcmp(kind, "post") == 0) return k == FIELD_REF || k == FIELD_INT;
    return text || strcmp(kind, "field") == 0;
}

static bool fits(enum field_kind k, const char *from, const struct move_def *m) {
    bool text = k == FIELD_TEXT || k == FIELD_CODE || k == FIELD_CLASS;
    if (strcmp(from, "null") == 0) return true;
    if (strcmp(from, "actor") == 0) return k == FIELD_TEXT;
    if (strcmp(from, "now") == 0) return k == FIELD_TIME;
    if (strcmp(from, "parent_desk") == 0 || strcmp(from, "cell_post") == 0) return k == FIELD_REF;
    if (strncmp(from, "const:", 6) == 0) {
        if (k == FIELD_BOOL) return strcmp(from + 6, "true") == 0 || strcmp(from + 6, "false") == 0;
        return text && from[6] != '\0';
    }
    for (size_t i = 0; i < m->n_inputs; i++)
        if (strcmp(m->inputs[i].name, from + 6) == 0) return input_fits(k, m->inputs[i].kind, text);
    return false;
}

static void read_set(struct reading *r, const struct val_pair *pair, const struct move_def *m,
                     struct set_def *s) {
    static const char *const sources[] = {"actor", "now", "null", "parent_desk", "cell_post", NULL};
    struct load *l = r->l;
    *s = (struct set_def){.field = pair->key, .from = "null"};
    int f = r->type == NULL ? -1 : type_field(r->type, pair->key);
    if (f < 0 && r->type != NULL) {
        const char **names = ARENA_NEW(l->a, const char *, r->type->n_fields + 1);
        for (size_t i = 0; names != NULL && i < r->type->n_fields; i++)
            names[i] = r->type->fields[i].name;
        if (names == NULL)
            (void)load_nomem(l);
        else
            load_unknown(l, r->file, pair->line, "field", pair->key, names);
    }
    if (pair->v.type != VAL_STR) {
        load_problem(l, ERR_INVALID, r->file, pair->line,
                     "\"%s\" is set from a text: actor, now, \"null\", parent_desk, cell_post, "
                     "input:NAME or const:TEXT",
                     pair->key);
        return;
    }
    s->from = pair->v.u.s;
    bool prefixed = strncmp(s->from, "input:", 6) == 0 || strncmp(s->from, "const:", 6) == 0;
    size_t k = 0;
    while (sources[k] != NULL && strcmp(sources[k], s->from) != 0) k++;
    if (!prefixed && sources[k] == NULL)
        load_unknown(l, r->file, pair->line, "source", s->from, sources);
    else if (f >= 0 && !fits(r->type->fields[f].kind, s->from, m))
        load_problem(l, ERR_INVALID, r->file, pair->line,
                     "field \"%s\" cannot be set from \"%.60s\": no such input, or another kind",
                     pair->key, s->from);
}

static enum err_code read_sets(struct reading *r, const struct val *v, struct move_def *m) {
    const struct val *map = val_get(v, "set");
    if (map == NULL || map->type == VAL_NULL) return ERR_OK;
    if (map->type != VAL_MAP || map->n > MAX_SETS) {
        load_problem(r->l, ERR_INVALID, r->file, map->line,
                     "\"set\" is a map of at most %d fields and where they come from", MAX_SETS);
        return ERR_OK;
    }
    struct set_def *s = ARENA_NEW(r->l->a, struct set_def, map->n + 1);
    if (s == NULL) return load_nomem(r->l);
    for (size_t i = 0; i < map->n; i++) read_set(r, &map->u.map[i], m, &s[i]);
    m->sets = s;
    m->n_sets = map->n;
    return ERR_OK;
}

/* ---- moves */

static enum err_code read_guard(struct reading *r, const struct val *v, struct move_def *m) {
    const char *text = rd_text(r->l, r->file, v, "when", false, EXPR_MAX_TEXT);
    m->guard_why = rd_title(r->l, r->file, v, "why", text[0] != '\0');
    if (text[0] == '\0') {
        if (val_get(v, "why") != NULL)
            load_problem(r->l, ERR_INVALID, r->file, v->line,
                         "move \"%s\" has \"why\" but no condition \"when\"", m->name);
        return ERR_OK;
    }
    m->guard_text = text;
    if (r->type == NULL) return ERR_OK;
    struct expr_env *env = ARENA_NEW(r->l->a, struct expr_env, 1);
    if (env == NULL) return load_nomem(r->l);
    TRY(load_env(r->l, r->type, m->inputs, m->n_inputs, true, env));
    return load_condition(r->l, r->file, val_get(v, "when")->line, text, env, &m->guard);
}

static enum err_code read_move(struct reading *r, const struct val *v, struct move_def *m) {
    static const char *const known[] = {
        "name",   "title", "done",   "from",      "to",        "roles", "when",  "why",
        "inputs", "set",   "public", "counts_as", "max_times", "basis", "clock", NULL};
    struct load *l = r->l;
    *m = (struct move_def){.name = "",
                           .title = {"", ""},
                           .done = {"", ""},
                           .basis = "",
                           .guard_why = {"", ""},
                           .line = v->line};
    if (!rd_known(l, r->file, v, "a move", known)) return ERR_OK;
    m->name = rd_name(l, r->file, v, "name", true);
    m->title = rd_title(l, r->file, v, "title", true);
    m->done = rd_title(l, r->file, v, "done", true);
    m->n_from = rd_texts(l, r->file, v, "from", true, &m->from);
    const char *to = rd_name(l, r->file, v, "to", false);
    if (to[0] != '\0') m->to = to;
    m->n_roles = rd_texts(l, r->file, v, "roles", true, &m->roles);
    m->is_public = rd_bool(l, r->file, v, "public", false);
    int mark = rd_enum(l, r->file, v, "counts_as", marks, false, -2);
    if (mark >= 0) m->counts_as = marks[mark];
    m->max_times = (int)rd_int(l, r->file, v, "max_times", 1, 1000, 0);
    m->basis = rd_text(l, r->file, v, "basis", false, 500);
    int act = rd_enum(l, r->file, v, "clock", clock_acts, false, -2);
    if (act >= 0) m->clock = (enum clock_act)(act + 1);
    struct input_def *inputs = NULL;
    TRY(read_inputs(r, v, &inputs, &m->n_inputs));
    m->inputs = inputs;
    TRY(read_sets(r, v, m));
    TRY(read_guard(r, v, m));
    (void)load_not_refused(l, r->file, v->line, "move", m->name, &m->title);
    return ERR_OK;
}

static enum err_code read_moves(struct reading *r, const struct val *v) {
    const struct val *list = rd_list(r->l, r->file, v, "moves", true);
    size_t n = list == NULL ? 0 : list->n;
    if (n > LOAD_MAX_MOVES) {
        load_problem(r->l, ERR_LIMIT, r->file, list->line, "more than %d moves", LOAD_MAX_MOVES);
        n = 0;
    }
    struct move_def *m = ARENA_NEW(r->l->a, struct move_def, n + 1);
    if (m == NULL) return load_nomem(r->l);
    for (size_t i = 0; i < n; i++) {
        TRY(read_move(r, &list->u.list[i], &m[i]));
        for (size_t k = 0; k < i; k++)
            if (m[i].name[0] != '\0' && strcmp(m[k].name, m[i].name) == 0)
                load_problem(r->l, ERR_INVALID, r->file, m[i].line,
                             "move \"%s\" stands here twice, first in line %d", m[i].name,
                             m[k].line);
    }
    r->p->moves = m;
    r->p->n_moves = n;
    return ERR_OK;
}

/* ---- urgency by reporters */

static enum err_code read_urgency(struct reading *r, const struct val *v) {
    static const char *const known[] = {"reporters", "title", NULL};
    const struct val *list = rd_list(r->l, r->file, v, "urgency", false);
    size_t n = list == NULL ? 0 : list->n;
    if (n > MAX_URGENCY) {
        load_problem(r->l, ERR_LIMIT, r->file, list->line, "more than %d levels of urgency",
                     MAX_URGENCY);
        n = 0;
    }
    struct urgency_level *u = ARENA_NEW(r->l->a, struct urgency_level, n + 1);
    if (u == NULL) return load_nomem(r->l);
    for (size_t i = 0; i < n; i++) {
        const struct val *x = &list->u.list[i];
        u[i] = (struct urgency_level){.title = {"", ""}};
        if (!rd_known(r->l, r->file, x, "a level of urgency", known)) continue;
        u[i].reporters = rd_int(r->l, r->file, x, "reporters", 2, 1000000, 2);
        u[i].title = rd_title(r->l, r->file, x, "title", true);
        if (i > 0 && u[i].reporters <= u[i - 1].reporters)
            load_problem(r->l, ERR_INVALID, r->file, x->line,
                         "levels of urgency go from few reporters to many");
    }
    r->p->urgency = u;
    r->p->n_urgency = n;
    return ERR_OK;
}

/* Fields that conditions could not tell from what a move adds. */
static void check_words(struct reading *r) {
    static const char *const words[] = {"actor", "input", "now"};
    for (size_t i = 0; r->type != NULL && i < sizeof words / sizeof *words; i++)
        if (type_field(r->type, words[i]) >= 0)
            load_problem(r->l, ERR_INVALID, r->file, r->p->line,
                         "type \"%s\" has a field \"%s\", which means something else in the "
                         "conditions of moves",
                         r->type->name, words[i]);
}

enum err_code load_process_file(struct load *l, const char *file, const struct val *v) {
    static const char *const known[] = {"process", "title", "type",    "states",
                                        "inputs",  "moves", "urgency", NULL};
    if (!rd_known(l, file, v, "a process", known)) return ERR_OK;
    if (l->set.n_processes == LOAD_MAX_PROCESSES) {
        load_problem(l, ERR_LIMIT, file, 0, "more than %d processes", LOAD_MAX_PROCESSES);
        return ERR_OK;
    }
    struct process_def *p = &l->processes[l->set.n_processes];
    *p = (struct process_def){.pack = l->pack, .file = file, .line = v->line};
    p->name = rd_name(l, file, v, "process", true);
    p->title = rd_title(l, file, v, "title", true);
    p->type = rd_name(l, file, v, "type", true);
    if (p->name[0] != '\0' && pack_process(&l->set, p->name) != NULL)
        load_problem(l, ERR_INVALID, file, v->line, "process \"%s\" is declared twice", p->name);
    (void)load_not_refused(l, file, v->line, "process", p->name, &p->title);
    struct reading r = {.l = l, .file = file, .p = p, .type = pack_type(&l->set, p->type)};
    if (r.type == NULL && p->type[0] != '\0') {
        const char **names = ARENA_NEW(l->a, const char *, l->set.n_types + 1);
        if (names == NULL) return load_nomem(l);
        for (size_t i = 0; i < l->set.n_types; i++) names[i] = l->types[i].name;
        load_unknown(l, file, val_get(v, "type")->line, "type", p->type, names);
    }
    check_words(&r);
    TRY(read_states(&r, v));
    TRY(read_inputs(&r, v, &r.shared, &r.n_shared));
    TRY(read_moves(&r, v));
    TRY(read_urgency(&r, v));
    l->set.n_processes++;
    return ERR_OK;
}
