#include "domain/pack/show.h"

#include "base/json.h"

#include <string.h>

static void json_title(struct jw *w, const char *key, const char *en, const char *zh) {
    jw_key(w, key);
    jw_obj(w);
    jw_kstr(w, "en", en);
    jw_kstr(w, "zh", zh);
    jw_end(w, '}');
}

static void json_names(struct jw *w, const char *key, const char *const *list, size_t n) {
    jw_key(w, key);
    jw_arr(w);
    for (size_t i = 0; i < n; i++) jw_str(w, list[i]);
    jw_end(w, ']');
}

static void json_limit(struct jw *w, const struct time_limit *x) {
    jw_obj(w);
    jw_kstr(w, "state", x->state);
    jw_kint(w, "n_milli", x->n_milli);
    jw_kstr(w, "unit", work_unit_name(x->unit));
    if (x->source != NULL && x->source[0] != '\0') jw_kstr(w, "source", x->source);
    jw_kbool(w, "example", x->example);
    jw_end(w, '}');
}

static void json_field(struct jw *w, const struct field_def *f) {
    jw_obj(w);
    jw_kstr(w, "name", f->name);
    json_title(w, "title", f->title.en, f->title.zh);
    jw_kstr(w, "kind", field_kind_name(f->kind));
    jw_kstr(w, "sensitivity", sensitivity_name(f->sensitivity));
    jw_kbool(w, "required", f->required);
    jw_kbool(w, "engine", f->engine);
    jw_kbool(w, "form", f->form);
    if (f->basis[0] != '\0') jw_kstr(w, "basis", f->basis);
    if (f->codes[0] != '\0') jw_kstr(w, "codes", f->codes);
    if (f->ref[0] != '\0') jw_kstr(w, "ref", f->ref);
    if (f->min < f->max) {
        jw_kint(w, "min", f->min);
        jw_kint(w, "max", f->max);
    }
    if (f->show_if != NULL) {
        struct buf text;
        buf_init(&text, (size_t)2 * EXPR_MAX_TEXT);
        expr_text(f->show_if, &text);
        jw_kstr(w, "show_if", buf_text(&text));
        buf_deinit(&text);
    }
    jw_end(w, '}');
}

static void json_type(struct jw *w, const struct type_def *t) {
    jw_obj(w);
    jw_kstr(w, "name", t->name);
    jw_kstr(w, "pack", t->pack);
    json_title(w, "title", t->title.en, t->title.zh);
    json_title(w, "purpose", t->purpose, t->purpose_zh);
    jw_kstr(w, "table", t->table.name);
    jw_key(w, "fields");
    jw_arr(w);
    for (size_t i = 0; i < t->n_fields; i++) json_field(w, &t->fields[i]);
    jw_end(w, ']');
    jw_end(w, '}');
}

static void json_state(struct jw *w, const struct state_def *s) {
    jw_obj(w);
    jw_kstr(w, "name", s->name);
    json_title(w, "title", s->title.en, s->title.zh);
    json_title(w, "public", s->public_title.en, s->public_title.zh);
    jw_kstr(w, "stage", s->stage);
    jw_kbool(w, "initial", s->initial);
    jw_kbool(w, "final", s->final);
    jw_kstr(w, "holder", s->holder);
    jw_key(w, "limit");
    if (s->limit.n_milli > 0)
        json_limit(w, &s->limit);
    else
        jw_null(w);
    jw_kstr(w, "overdue", s->overdue_move);
    jw_end(w, '}');
}

static void json_move(struct jw *w, const struct move_def *m) {
    jw_obj(w);
    jw_kstr(w, "name", m->name);
    json_title(w, "title", m->title.en, m->title.zh);
    json_names(w, "from", m->from, m->n_from);
    jw_kstr(w, "to", m->to);
    json_names(w, "roles", m->roles, m->n_roles);
    jw_key(w, "inputs");
    jw_arr(w);
    for (size_t i = 0; i < m->n_inputs; i++) {
        jw_obj(w);
        jw_kstr(w, "name", m->inputs[i].name);
        json_title(w, "title", m->inputs[i].title.en, m->inputs[i].title.zh);
        jw_kstr(w, "kind", m->inputs[i].kind);
        jw_kbool(w, "required", m->inputs[i].required);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_kstr(w, "when", m->guard_text);
    jw_kstr(w, "counts_as", m->counts_as);
    jw_kint(w, "max_times", m->max_times);
    jw_kbool(w, "public", m->is_public);
    jw_end(w, '}');
}

static void json_process(struct jw *w, const struct process_def *p) {
    jw_obj(w);
    jw_kstr(w, "name", p->name);
    jw_kstr(w, "pack", p->pack);
    json_title(w, "title", p->title.en, p->title.zh);
    jw_kstr(w, "type", p->type);
    jw_key(w, "states");
    jw_arr(w);
    for (size_t i = 0; i < p->n_states; i++) json_state(w, &p->states[i]);
    jw_end(w, ']');
    jw_key(w, "moves");
    jw_arr(w);
    for (size_t i = 0; i < p->n_moves; i++) json_move(w, &p->moves[i]);
    jw_end(w, ']');
    jw_end(w, '}');
}

static void json_class(struct jw *w, const struct case_class *c) {
    jw_obj(w);
    jw_kstr(w, "id", c->id);
    jw_kstr(w, "kind", c->kind);
    jw_kstr(w, "code", c->code);
    json_title(w, "title", c->title.en, c->title.zh);
    jw_kstr(w, "list", c->list == NULL ? NULL : c->list->id);
    jw_kstr(w, "trust", c->trust);
    jw_kstr(w, "process", c->process);
    jw_kstr(w, "duty", c->duty);
    jw_kbool(w, "private", c->is_private);
    jw_kbool(w, "public_asset", c->public_asset);
    jw_kbool(w, "needs_place", c->needs_place);
    jw_kbool(w, "open", c->is_open);
    jw_kbool(w, "urgent", c->urgent);
    jw_key(w, "limits");
    jw_arr(w);
    for (size_t i = 0; i < c->n_limits; i++) json_limit(w, &c->limits[i]);
    jw_end(w, ']');
    jw_end(w, '}');
}

static void json_list(struct jw *w, const struct code_list *c) {
    jw_obj(w);
    jw_kstr(w, "id", c->id);
    jw_kstr(w, "pack", c->pack);
    json_title(w, "title", c->title.en, c->title.zh);
    jw_kstr(w, "version", c->version);
    jw_kstr(w, "valid_from", c->valid_from);
    jw_kstr(w, "valid_to", c->valid_to);
    jw_kstr(w, "source", c->source);
    jw_kstr(w, "trust", c->trust);
    jw_kbool(w, "local", c->local);
    jw_kint(w, "codes", (int64_t)c->n_rows);
    jw_key(w, "not_loaded");
    jw_arr(w);
    for (size_t i = 0; i < c->n_not_loaded; i++) {
        jw_obj(w);
        jw_kstr(w, "en", c->not_loaded[i].title.en);
        jw_kstr(w, "zh", c->not_loaded[i].title.zh);
        jw_kstr(w, "trust", c->not_loaded[i].trust);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

static void json_role(struct jw *w, const struct role_def *r) {
    jw_obj(w);
    jw_kstr(w, "name", r->name);
    json_title(w, "title", r->title.en, r->title.zh);
    jw_kstr(w, "cases", role_scope_name(r->cases));
    jw_kbool(w, "private_cases", r->private_cases);
    jw_kbool(w, "personal", r->personal);
    jw_kbool(w, "sensitive", r->sensitive);
    json_names(w, "grants", r->grants, r->n_grants);
    jw_end(w, '}');
}

static bool wanted(const char *choice, const char *name) {
    return choice == NULL || strcmp(choice, name) == 0;
}

static void json_head(struct jw *w, const struct pack_set *p, const struct show *s) {
    jw_key(w, "packs");
    jw_arr(w);
    for (size_t i = 0; i < p->n_packs; i++) {
        const struct pack_info *k = &p->packs[i];
        if (!wanted(s->pack, k->name)) continue;
        jw_obj(w);
        jw_kstr(w, "name", k->name);
        jw_kstr(w, "version", k->version);
        json_title(w, "title", k->title.en, k->title.zh);
        json_title(w, "purpose", k->purpose, k->purpose_zh);
        json_names(w, "needs", k->needs, k->n_needs);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_key(w, "roles");
    jw_arr(w);
    for (size_t i = 0; i < p->n_roles; i++) json_role(w, &p->roles[i]);
    jw_end(w, ']');
}

enum err_code show_json(const struct pack_set *p, const struct show *s, struct buf *o,
                        struct err *err) {
    struct buf none;
    buf_init(&none, 1 << 22);
    enum err_code rc = show_text(p, s, &none, err); /* checks the choice */
    buf_deinit(&none);
    TRY(rc);
    bool all = s->type == NULL && s->process == NULL && !s->classes;
    struct jw w;
    jw_init(&w, o);
    jw_obj(&w);
    if (all) json_head(&w, p, s);
    jw_key(&w, "types");
    jw_arr(&w);
    for (size_t i = 0; i < p->n_types; i++)
        if ((all || s->type != NULL) && wanted(s->type, p->types[i].name) &&
            wanted(s->pack, p->types[i].pack))
            json_type(&w, &p->types[i]);
    jw_end(&w, ']');
    jw_key(&w, "processes");
    jw_arr(&w);
    for (size_t i = 0; i < p->n_processes; i++)
        if ((all || s->process != NULL) && wanted(s->process, p->processes[i].name) &&
            wanted(s->pack, p->processes[i].pack))
            json_process(&w, &p->processes[i]);
    jw_end(&w, ']');
    jw_key(&w, "lists");
    jw_arr(&w);
    for (size_t i = 0; i < p->n_lists; i++)
        if ((all || s->classes) && wanted(s->pack, p->lists[i].pack)) json_list(&w, &p->lists[i]);
    jw_end(&w, ']');
    jw_key(&w, "classes");
    jw_arr(&w);
    for (size_t i = 0; i < p->n_classes; i++)
        if ((all || s->classes) && (s->pack == NULL || p->classes[i].list == NULL ||
                                    strcmp(p->classes[i].list->pack, s->pack) == 0))
            json_class(&w, &p->classes[i]);
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(o, err);
}
