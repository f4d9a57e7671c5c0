#include "domain/pack/show.h"

#include <string.h>

/* ---- selection, shared by both forms */

static bool wanted(const char *choice, const char *name) {
    return choice == NULL || strcmp(choice, name) == 0;
}

static bool shows_all(const struct show *w) {
    return w->type == NULL && w->process == NULL && !w->classes;
}

static enum err_code missing(const char *what, const char *name, const char *const *names,
                             struct err *err) {
    const char *near = strlen(name) <= 64 ? val_nearest(name, names) : NULL;
    if (near == NULL) return err_fail(err, ERR_NOT_FOUND, "there is no %s \"%.60s\"", what, name);
    return err_fail(err, ERR_NOT_FOUND, "there is no %s \"%.60s\"; did you mean \"%s\"?", what,
                    name, near);
}

static enum err_code check_choice(const struct pack_set *p, const struct show *w, struct err *err) {
    const char *names[129] = {NULL};
    bool found = w->pack == NULL;
    for (size_t i = 0; i < p->n_packs && i < 128; i++) {
        names[i] = p->packs[i].name;
        names[i + 1] = NULL;
        found = found || strcmp(names[i], w->pack) == 0;
    }
    if (!found) return missing("pack", w->pack, names, err);
    for (size_t i = 0; i < p->n_types && i < 128; i++) {
        names[i] = p->types[i].name;
        names[i + 1] = NULL;
    }
    if (w->type != NULL && pack_type(p, w->type) == NULL)
        return missing("type", w->type, names, err);
    for (size_t i = 0; i < p->n_processes && i < 128; i++) {
        names[i] = p->processes[i].name;
        names[i + 1] = NULL;
    }
    if (w->process != NULL && pack_process(p, w->process) == NULL)
        return missing("process", w->process, names, err);
    return ERR_OK;
}

static bool class_in_pack(const struct show *w, const struct case_class *c) {
    return w->pack == NULL || c->list == NULL || strcmp(c->list->pack, w->pack) == 0;
}

/* ---- text */

static void text_limit(struct buf *o, const struct time_limit *x) {
    buf_printf(o, "%g %s", (double)x->n_milli / 1000.0, work_unit_name(x->unit));
}

static void text_type(struct buf *o, const struct type_def *t) {
    buf_printf(o, "type %s: %s / %s\n  purpose: %s / %s\n", t->name, t->title.en, t->title.zh,
               t->purpose, t->purpose_zh);
    for (size_t i = 0; i < t->n_fields; i++) {
        const struct field_def *f = &t->fields[i];
        buf_printf(o, "  %-18s %-7s %-9s%s%s%s  %s / %s\n", f->name, field_kind_name(f->kind),
                   sensitivity_name(f->sensitivity), f->required ? " required" : "",
                   f->engine ? " engine" : "", f->form ? " form" : "", f->title.en, f->title.zh);
        if (f->basis[0] != '\0') buf_printf(o, "    basis: %s\n", f->basis);
        if (f->show_if != NULL) {
            buf_str(o, "    shown if: ");
            expr_text(f->show_if, o);
            buf_char(o, '\n');
        }
    }
}

static void text_state(struct buf *o, const struct state_def *s) {
    buf_printf(o, "  state %-12s %-8s holder %-8s", s->name, s->stage, s->holder);
    if (s->limit.n_milli > 0) {
        buf_str(o, " limit ");
        text_limit(o, &s->limit);
    }
    if (s->overdue_move != NULL) buf_printf(o, ", overdue: %s", s->overdue_move);
    buf_printf(o, "%s%s  %s / %s\n", s->initial ? " initial" : "", s->final ? " final" : "",
               s->title.en, s->title.zh);
}

static void text_list(struct buf *o, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++) buf_printf(o, "%s%s", i == 0 ? "" : ", ", list[i]);
}

static void text_move(struct buf *o, const struct move_def *m) {
    buf_printf(o, "  move %-12s ", m->name);
    if (m->n_from == 0) buf_str(o, "(opens the case)");
    text_list(o, m->from, m->n_from);
    buf_printf(o, " -> %s  by ", m->to == NULL ? "(stays)" : m->to);
    text_list(o, m->roles, m->n_roles);
    buf_printf(o, "  %s / %s\n", m->title.en, m->title.zh);
    for (size_t i = 0; i < m->n_inputs; i++)
        buf_printf(o, "    input %s (%s)%s\n", m->inputs[i].name, m->inputs[i].kind,
                   m->inputs[i].required ? " required" : "");
    for (size_t i = 0; i < m->n_sets; i++)
        buf_printf(o, "    sets %s from %s\n", m->sets[i].field, m->sets[i].from);
    if (m->guard_text != NULL)
        buf_printf(o, "    when %s\n    else: %s / %s\n", m->guard_text, m->guard_why.en,
                   m->guard_why.zh);
    if (m->counts_as != NULL) buf_printf(o, "    counts as %s\n", m->counts_as);
    if (m->max_times > 0) buf_printf(o, "    at most %d times\n", m->max_times);
    if (m->basis[0] != '\0') buf_printf(o, "    basis: %s\n", m->basis);
}

static void text_process(struct buf *o, const struct process_def *p) {
    buf_printf(o, "process %s: %s / %s (moves type %s)\n", p->name, p->title.en, p->title.zh,
               p->type);
    for (size_t i = 0; i < p->n_states; i++) text_state(o, &p->states[i]);
    for (size_t i = 0; i < p->n_moves; i++) text_move(o, &p->moves[i]);
}

static void text_class(struct buf *o, const struct case_class *c) {
    buf_printf(o, "  %-16s %s / %s  process %s, duty %s%s%s%s%s%s\n", c->id, c->title.en,
               c->title.zh, c->process, c->duty, c->is_private ? ", private" : "",
               c->public_asset ? ", public asset" : "", c->needs_place ? ", needs a place" : "",
               c->urgent ? ", urgent" : "", c->is_open ? "" : ", closed");
    for (size_t i = 0; i < c->n_limits; i++) {
        buf_printf(o, "    %s: ", c->limits[i].state);
        text_limit(o, &c->limits[i]);
        if (c->limits[i].source[0] != '\0')
            buf_printf(o, " (%s%s)", c->limits[i].example ? "example, " : "", c->limits[i].source);
        buf_char(o, '\n');
    }
}

static void text_code_list(struct buf *o, const struct code_list *c) {
    buf_printf(o,
               "list %s: %s / %s\n  version %s, valid from %s%s%s%s\n  source: %s\n  trust: %s\n"
               "  %zu codes\n",
               c->id, c->title.en, c->title.zh, c->version, c->valid_from,
               c->valid_to[0] != '\0' ? " to " : "", c->valid_to, c->local ? ", local" : "",
               c->source, c->trust, c->n_rows);
    if (c->n_not_loaded == 0) return;
    buf_printf(o, "  not loaded, since they have no code: %zu\n", c->n_not_loaded);
    for (size_t i = 0; i < c->n_not_loaded; i++)
        buf_printf(o, "    %s / %s (%s)\n", c->not_loaded[i].title.en, c->not_loaded[i].title.zh,
                   c->not_loaded[i].trust);
}

static void text_role(struct buf *o, const struct role_def *r) {
    buf_printf(o, "role %s: %s / %s  cases: %s%s%s%s; grants: ", r->name, r->title.en, r->title.zh,
               role_scope_name(r->cases), r->private_cases ? ", private too" : "",
               r->personal ? ", personal fields" : "", r->sensitive ? ", sensitive fields" : "");
    text_list(o, r->grants, r->n_grants);
    buf_char(o, '\n');
}

static void text_head(struct buf *o, const struct pack_set *p, const struct show *w) {
    for (size_t i = 0; i < p->n_packs; i++) {
        const struct pack_info *k = &p->packs[i];
        if (!wanted(w->pack, k->name)) continue;
        buf_printf(o, "pack %s %s: %s / %s\n  purpose: %s / %s\n", k->name, k->version, k->title.en,
                   k->title.zh, k->purpose, k->purpose_zh);
    }
    for (size_t i = 0; i < p->n_roles; i++)
        if (w->pack == NULL) text_role(o, &p->roles[i]);
    for (size_t i = 0; i < p->n_calendars; i++)
        if (w->pack == NULL)
            buf_printf(o, "calendar %s: confirmed %d to %d, %zu days differ from the week\n",
                       p->calendars[i].name, p->calendars[i].first_year, p->calendars[i].last_year,
                       p->calendars[i].n_exceptions);
}

enum err_code show_text(const struct pack_set *p, const struct show *w, struct buf *o,
                        struct err *err) {
    TRY(check_choice(p, w, err));
    bool all = shows_all(w);
    if (all) text_head(o, p, w);
    for (size_t i = 0; i < p->n_types; i++)
        if ((all || w->type != NULL) && wanted(w->type, p->types[i].name) &&
            wanted(w->pack, p->types[i].pack))
            text_type(o, &p->types[i]);
    for (size_t i = 0; i < p->n_processes; i++)
        if ((all || w->process != NULL) && wanted(w->process, p->processes[i].name) &&
            wanted(w->pack, p->processes[i].pack))
            text_process(o, &p->processes[i]);
    for (size_t i = 0; i < p->n_lists; i++)
        if ((all || w->classes) && wanted(w->pack, p->lists[i].pack))
            text_code_list(o, &p->lists[i]);
    if (w->classes) buf_printf(o, "classes\n");
    for (size_t i = 0; i < p->n_classes && w->classes; i++)
        if (class_in_pack(w, &p->classes[i])) text_class(o, &p->classes[i]);
    return buf_check(o, err);
}
