#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/pack/pack.h"

int type_field(const struct type_def *t, const char *name) {
    for (size_t i = 0; i < t->n_fields; i++)
        if (strcmp(t->fields[i].name, name) == 0) return (int)i;
    return -1;
}

const struct state_def *process_state(const struct process_def *p, const char *name) {
    for (size_t i = 0; i < p->n_states; i++)
        if (strcmp(p->states[i].name, name) == 0) return &p->states[i];
    return NULL;
}

const struct move_def *process_move(const struct process_def *p, const char *name) {
    for (size_t i = 0; i < p->n_moves; i++)
        if (strcmp(p->moves[i].name, name) == 0) return &p->moves[i];
    return NULL;
}

const struct type_def *pack_type(const struct pack_set *p, const char *name) {
    for (size_t i = 0; i < p->n_types; i++)
        if (strcmp(p->types[i].name, name) == 0) return &p->types[i];
    return NULL;
}

static int by_id(const void *key, const void *class_) {
    return strcmp(key, ((const struct case_class *)class_)->id);
}

const struct case_class *pack_class(const struct pack_set *p, const char *id) {
    if (p->n_classes == 0) return NULL;
    return bsearch(id, p->classes, p->n_classes, sizeof *p->classes, by_id);
}

const struct process_def *pack_process(const struct pack_set *p, const char *name) {
    for (size_t i = 0; i < p->n_processes; i++)
        if (strcmp(p->processes[i].name, name) == 0) return &p->processes[i];
    return NULL;
}

const struct role_def *pack_role(const struct pack_set *p, const char *name) {
    for (size_t i = 0; i < p->n_roles; i++)
        if (strcmp(p->roles[i].name, name) == 0) return &p->roles[i];
    return NULL;
}

const struct code_list *pack_list(const struct pack_set *p, const char *id) {
    for (size_t i = 0; i < p->n_lists; i++)
        if (strcmp(p->lists[i].id, id) == 0) return &p->lists[i];
    return NULL;
}

const char *field_kind_name(enum field_kind k) {
    static const char *const names[] = {"",     "text",  "int", "number", "bool", "time", "date",
                                        "code", "class", "ref", "photos", "json", "shape"};
    static_assert(sizeof names / sizeof *names == FIELD_SHAPE + 1, "one word a kind");
    return names[k];
}

const char *sensitivity_name(enum sensitivity s) {
    static const char *const names[] = {"", "public", "internal", "personal", "sensitive"};
    return names[s];
}

const char *work_unit_name(enum work_unit u) {
    static const char *const names[] = {"", "urgent_hour", "work_hour", "work_day"};
    return names[u];
}

const char *role_scope_name(enum role_scope s) {
    static const char *const names[] = {"none", "own_cells", "unit", "area", "all"};
    return names[s];
}

bool class_is_task(const char *class_id) {
    return strncmp(class_id, PACK_TASKS, sizeof PACK_TASKS - 1) == 0;
}
