#include <stdlib.h>
#include <string.h>

#include "domain/pack/load.h"

enum { MAX_KINDS = 16, MAX_LIMITS = 16 };

/* What classes.yaml says of a kind: every class of its list starts with this. */
struct kind_def {
    struct case_class proto;
    struct time_limit limits[MAX_LIMITS];
};

struct classes {
    struct load *l;
    const char *file;
    struct kind_def kinds[MAX_KINDS];
    size_t n_kinds;
};

/* Keys that a kind, a rule and a class of its own share. */
#define SETTINGS                                                                                   \
    "process", "private", "public_asset", "needs_place", "open", "urgent", "duty", "limits",       \
        "limits_source", "limits_example"

static void set_limit(struct load *l, const char *file, int line, struct case_class *c,
                      struct time_limit *limits, const struct time_limit *x) {
    for (size_t i = 0; i < c->n_limits; i++) {
        if (strcmp(limits[i].state, x->state) != 0) continue;
        limits[i] = *x;
        return;
    }
    if (c->n_limits == MAX_LIMITS)
        load_problem(l, ERR_LIMIT, file, line, "more than %d limits", MAX_LIMITS);
    else
        limits[c->n_limits++] = *x;
}

static void read_limits(struct classes *cs, const struct val *v, struct case_class *c,
                        struct time_limit *limits) {
    struct load *l = cs->l;
    const struct val *map = val_get(v, "limits");
    if (map == NULL || map->type == VAL_NULL) return;
    if (map->type != VAL_MAP) {
        load_problem(l, ERR_INVALID, cs->file, map->line,
                     "\"limits\" is a map of states and limits, as {dispatched: 4 work_hour}");
        return;
    }
    const struct process_def *p = pack_process(&l->set, c->process);
    for (size_t i = 0; i < map->n; i++) {
        const struct val_pair *pair = &map->u.map[i];
        struct time_limit x = {.state = pair->key, .source = ""};
        if (p != NULL && process_state(p, pair->key) == NULL) {
            load_problem(l, ERR_INVALID, cs->file, pair->line,
                         "process \"%s\" has no state \"%.60s\"", p->name, pair->key);
            continue;
        }
        if (pair->v.type != VAL_STR) {
            load_problem(l, ERR_INVALID, cs->file, pair->line,
                         "a limit is a text such as \"4 work_hour\"");
            continue;
        }
        x.source = rd_text(l, cs->file, v, "limits_source", false, 300);
        x.example = rd_bool(l, cs->file, v, "limits_example", false);
        if (rd_limit(l, cs->file, pair->line, pair->v.u.s, &x))
            set_limit(l, cs->file, pair->line, c, limits, &x);
    }
}

/* limits: the array behind c->limits, with room for MAX_LIMITS. */
static void read_settings(struct classes *cs, const struct val *v, struct case_class *c,
                          struct time_limit *limits) {
    struct load *l = cs->l;
    const char *process = rd_name(l, cs->file, v, "process", false);
    if (process[0] != '\0') {
        c->process = process;
        if (pack_process(&l->set, process) == NULL) {
            const char *names[LOAD_MAX_PROCESSES + 1] = {NULL};
            for (size_t i = 0; i < l->set.n_processes; i++) names[i] = l->processes[i].name;
            load_unknown(l, cs->file, v->line, "process", process, names);
        }
    }
    c->is_private = rd_bool(l, cs->file, v, "private", c->is_private);
    c->public_asset = rd_bool(l, cs->file, v, "public_asset", c->public_asset);
    c->needs_place = rd_bool(l, cs->file, v, "needs_place", c->needs_place);
    c->is_open = rd_bool(l, cs->file, v, "open", c->is_open);
    c->urgent = rd_bool(l, cs->file, v, "urgent", c->urgent);
    const char *duty = rd_name(l, cs->file, v, "duty", false);
    if (duty[0] != '\0') c->duty = duty;
    read_limits(cs, v, c, limits);
}

static const struct kind_def *find_kind(struct classes *cs, const struct val *v, const char *name) {
    const char *names[MAX_KINDS + 1] = {NULL};
    for (size_t i = 0; i < cs->n_kinds; i++) {
        if (strcmp(cs->kinds[i].proto.kind, name) == 0) return &cs->kinds[i];
        names[i] = cs->kinds[i].proto.kind;
    }
    if (name[0] != '\0') load_unknown(cs->l, cs->file, v->line, "kind", name, names);
    return NULL;
}

static enum err_code add_class(struct classes *cs, int line, const struct kind_def *k,
                               const struct case_class *proto, struct case_class **out) {
    struct load *l = cs->l;
    *out = NULL;
    if (l->set.n_classes == PACK_MAX_CLASSES) {
        load_problem(l, ERR_LIMIT, cs->file, line, "more than %d classes", PACK_MAX_CLASSES);
        return ERR_OK;
    }
    struct case_class *c = &l->classes[l->set.n_classes++];
    *c = *proto;
    c->id = arena_printf(l->a, "%s-%s", c->kind, c->code);
    struct time_limit *limits = ARENA_NEW(l->a, struct time_limit, MAX_LIMITS);
    if (c->id == NULL || limits == NULL) return load_nomem(l);
    memcpy(limits, k->limits, sizeof k->limits);
    c->limits = limits;
    *out = c;
    return ERR_OK;
}

/* ---- kinds */

static enum err_code read_kind(struct classes *cs, const struct val *v) {
    static const char *const known[] = {"kind", "list", SETTINGS, NULL};
    struct load *l = cs->l;
    if (!rd_known(l, cs->file, v, "a kind", known)) return ERR_OK;
    if (cs->n_kinds == MAX_KINDS) {
        load_problem(l, ERR_LIMIT, cs->file, v->line, "more than %d kinds", MAX_KINDS);
        return ERR_OK;
    }
    struct kind_def *k = &cs->kinds[cs->n_kinds++];
    k->proto = (struct case_class){.kind = rd_name(l, cs->file, v, "kind", true),
                                   .process = "",
                                   .is_open = true,
                                   .is_private = true,
                                   .duty = "",
                                   .trust = "",
                                   .code = "",
                                   .major_code = "",
                                   .major = {"", ""}};
    for (size_t i = 0; i + 1 < cs->n_kinds; i++)
        if (strcmp(cs->kinds[i].proto.kind, k->proto.kind) == 0)
            load_problem(l, ERR_INVALID, cs->file, v->line, "kind \"%s\" is declared twice",
                         k->proto.kind);
    read_settings(cs, v, &k->proto, k->limits);
    if (k->proto.process[0] == '\0')
        load_problem(l, ERR_INVALID, cs->file, v->line, "kind \"%s\" needs a process",
                     k->proto.kind);
    if (val_get(v, "private") == NULL)
        load_problem(l, ERR_INVALID, cs->file, v->line,
                     "kind \"%s\" must say whether it is private", k->proto.kind);
    const char *id = rd_name(l, cs->file, v, "list", false);
    const struct code_list *list = id[0] == '\0' ? NULL : pack_list(&l->set, id);
    if (id[0] != '\0' && list == NULL) {
        const char *names[LOAD_MAX_LISTS + 1] = {NULL};
        for (size_t i = 0; i < l->set.n_lists; i++) names[i] = l->lists[i].id;
        load_unknown(l, cs->file, v->line, "code list", id, names);
    }
    k->proto.list = list;
    for (size_t i = 0; list != NULL && i < list->n_rows; i++) {
        const struct code_row *row = &list->rows[i];
        struct case_class c = k->proto, *made;
        c.code = row->code;
        c.title = row->title;
        c.major_code = row->major_code;
        c.major = row->major;
        c.trust = row->trust[0] != '\0' ? row->trust : list->trust;
        TRY(add_class(cs, v->line, k, &c, &made));
    }
    return ERR_OK;
}

/* ---- rules: later ones win, key by key */

static bool named(const char *const *codes, size_t n, const char *code) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(codes[i], code) == 0) return true;
    return false;
}

static void read_rule(struct classes *cs, const struct val *v) {
    static const char *const known[] = {"kind", "major", "codes", "note", SETTINGS, NULL};
    struct load *l = cs->l;
    if (!rd_known(l, cs->file, v, "a rule", known)) return;
    const char *kind = rd_name(l, cs->file, v, "kind", true);
    const char *const *majors, *const *codes;
    size_t n_majors = rd_texts(l, cs->file, v, "major", false, &majors);
    size_t n_codes = rd_texts(l, cs->file, v, "codes", false, &codes), hits = 0;
    (void)rd_text(l, cs->file, v, "note", false, 500);
    if (find_kind(cs, v, kind) == NULL) return;
    for (size_t i = 0; i < l->set.n_classes; i++) {
        struct case_class *c = &l->classes[i];
        if (strcmp(c->kind, kind) != 0) continue;
        if (n_majors > 0 && !named(majors, n_majors, c->major_code)) continue;
        if (n_codes > 0 && !named(codes, n_codes, c->code)) continue;
        read_settings(cs, v, c, (struct time_limit *)(uintptr_t)c->limits);
        hits++;
        if (l->n_problems > PACK_MAX_PROBLEMS) return;
    }
    if (hits == 0 || (n_codes > 0 && hits < n_codes))
        load_problem(l, ERR_INVALID, cs->file, v->line,
                     "the rule names %zu codes or majors, but only %zu classes are like that",
                     n_codes > 0 ? n_codes : n_majors, hits);
}

/* ---- classes of the city's own */

static enum err_code read_class(struct classes *cs, const struct val *v) {
    static const char *const known[] = {"kind",        "code", "title",  "major",
                                        "major_title", "note", SETTINGS, NULL};
    struct load *l = cs->l;
    if (!rd_known(l, cs->file, v, "a class", known)) return ERR_OK;
    const char *kind = rd_name(l, cs->file, v, "kind", true);
    const struct kind_def *k = find_kind(cs, v, kind);
    if (k == NULL) return ERR_OK;
    struct case_class c = k->proto, *made;
    c.code = rd_text(l, cs->file, v, "code", true, 40);
    c.title = rd_title(l, cs->file, v, "title", true);
    c.major_code = rd_text(l, cs->file, v, "major", false, 40);
    c.major = rd_title(l, cs->file, v, "major_title", false);
    (void)rd_text(l, cs->file, v, "note", false, 500);
    for (size_t i = 0; c.major.en[0] == '\0' && i < l->set.n_classes; i++)
        if (strcmp(l->classes[i].kind, kind) == 0 &&
            strcmp(l->classes[i].major_code, c.major_code) == 0)
            c.major = l->classes[i].major;
    c.trust = "local";
    (void)load_not_refused(l, cs->file, v->line, "class", c.code, &c.title);
    TRY(add_class(cs, v->line, k, &c, &made));
    if (made != NULL) read_settings(cs, v, made, (struct time_limit *)(uintptr_t)made->limits);
    return ERR_OK;
}

enum err_code load_classes_file(struct load *l, const char *file, const struct val *v) {
    static const char *const known[] = {"kinds", "rules", "classes", NULL};
    if (!rd_known(l, file, v, "the classes", known)) return ERR_OK;
    struct classes *cs = ARENA_NEW(l->a, struct classes, 1);
    if (cs == NULL) return load_nomem(l);
    cs->l = l;
    cs->file = file;
    const struct val *kinds = rd_list(l, file, v, "kinds", true);
    const struct val *classes = rd_list(l, file, v, "classes", false);
    const struct val *rules = rd_list(l, file, v, "rules", false);
    for (size_t i = 0; kinds != NULL && i < kinds->n; i++) TRY(read_kind(cs, &kinds->u.list[i]));
    for (size_t i = 0; rules != NULL && i < rules->n; i++) read_rule(cs, &rules->u.list[i]);
    for (size_t i = 0; classes != NULL && i < classes->n; i++)
        TRY(read_class(cs, &classes->u.list[i]));
    return ERR_OK;
}

static int by_id(const void *a, const void *b) {
    return strcmp(((const struct case_class *)a)->id, ((const struct case_class *)b)->id);
}

enum err_code load_check_classes(struct load *l) {
    qsort(l->classes, l->set.n_classes, sizeof *l->classes, by_id);
    for (size_t i = 1; i < l->set.n_classes; i++)
        if (strcmp(l->classes[i - 1].id, l->classes[i].id) == 0)
            load_problem(l, ERR_INVALID, "classes.yaml", 0, "class \"%s\" is declared twice",
                         l->classes[i].id);
    for (size_t i = 0; i < l->set.n_classes; i++) {
        const struct case_class *c = &l->classes[i];
        if (class_is_task(c->id) && (!c->is_private || c->is_open))
            load_problem(l, ERR_INVALID, "classes.yaml", 0,
                         "class \"%s\" is a task: tasks are private and not open", c->id);
    }
    return ERR_OK;
}
