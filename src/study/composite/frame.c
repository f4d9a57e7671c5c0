#include <math.h>
#include <string.h>

#include "study/composite/index.h"

/* Columns of the framework's table; SIZE_MAX where there is none. */
struct columns {
    size_t level, code, name, direction, weight, parent, type, target, denominator;
};

static enum err_code find_columns(const struct table *t, struct columns *c, struct err *err) {
    TRY(table_column(t, "Level", true, &c->level, err));
    TRY(table_column(t, "iCode", true, &c->code, err));
    TRY(table_column(t, "Direction", true, &c->direction, err));
    TRY(table_column(t, "Weight", true, &c->weight, err));
    TRY(table_column(t, "Parent", true, &c->parent, err));
    TRY(table_column(t, "Type", true, &c->type, err));
    TRY(table_column(t, "iName", false, &c->name, err));
    TRY(table_column(t, "Target", false, &c->target, err));
    return table_column(t, "Denominator", false, &c->denominator, err);
}

struct framing {
    const struct table *t;
    struct columns c;
    struct arena *a;
    size_t n_node;
    size_t *row;
    const char **code, **name, **denominator, **group;
    uint8_t *level;
    uint32_t *parent;
    int8_t *direction;
    double *weight, *target;
    size_t n_ind, n_group;
};

static const char *type_of(const struct framing *f, size_t row) {
    return table_text(f->t, row, f->c.type);
}

static enum err_code check_row(const struct framing *f, size_t row, struct err *err) {
    static const char *const types[] = {"Indicator", "Aggregate", "Group", "Denominator", "Other"};
    bool known = false;
    for (size_t k = 0; k < 5; k++) known = known || strcmp(type_of(f, row), types[k]) == 0;
    if (!known)
        return table_fail(f->t, row, f->c.type, "Indicator, Aggregate, Group, Denominator or Other",
                          err);
    const char *code = table_text(f->t, row, f->c.code);
    if (code[0] == '\0') return table_fail(f->t, row, f->c.code, "a code", err);
    for (size_t i = 0; i < row; i++) {
        if (strcmp(table_text(f->t, i, f->c.code), code) == 0)
            return table_fail(f->t, row, f->c.code, "a code that no row above has", err);
    }
    return ERR_OK;
}

static enum err_code take_node(struct framing *f, size_t row, int level, struct err *err) {
    size_t to = f->n_node++;
    int64_t direction = 1;
    if (level == 1) {
        TRY(table_int(f->t, row, f->c.direction, -1, 1, &direction, err));
        if (direction == 0) return table_fail(f->t, row, f->c.direction, "1 or -1", err);
        f->target[to] = NAN;
        if (f->c.target != SIZE_MAX)
            TRY(table_number(f->t, row, f->c.target, true, &f->target[to], err));
        f->denominator[to] =
            f->c.denominator == SIZE_MAX ? "" : table_text(f->t, row, f->c.denominator);
        if (strcmp(f->denominator[to], "NA") == 0) f->denominator[to] = "";
        f->n_ind++;
    }
    TRY(table_number(f->t, row, f->c.weight, false, &f->weight[to], err));
    if (f->weight[to] < 0) return table_fail(f->t, row, f->c.weight, "0 or more", err);
    f->row[to] = row;
    f->level[to] = (uint8_t)level;
    f->direction[to] = (int8_t)direction;
    f->code[to] = table_text(f->t, row, f->c.code);
    f->name[to] = f->c.name == SIZE_MAX ? "" : table_text(f->t, row, f->c.name);
    if (f->name[to][0] == '\0') f->name[to] = f->code[to];
    return ERR_OK;
}

static enum err_code take_parents(struct framing *f, struct err *err) {
    size_t top = SIZE_MAX;
    for (size_t i = 0; i < f->n_node; i++) {
        const char *up = table_text(f->t, f->row[i], f->c.parent);
        f->parent[i] = COMPOSITE_NONE;
        if (up[0] == '\0' || strcmp(up, "NA") == 0) {
            if (top != SIZE_MAX)
                return table_fail(f->t, f->row[i], f->c.parent,
                                  "a parent: another row has none already", err);
            top = i;
            continue;
        }
        for (size_t k = 0; k < f->n_node; k++) {
            if (strcmp(f->code[k], up) == 0) f->parent[i] = (uint32_t)k;
        }
        if (f->parent[i] == COMPOSITE_NONE)
            return table_fail(f->t, f->row[i], f->c.parent, "the iCode of an aggregate", err);
        if (f->level[f->parent[i]] <= f->level[i])
            return table_fail(f->t, f->row[i], f->c.parent, "a parent of a higher level", err);
    }
    if (top == SIZE_MAX)
        return err_fail(err, ERR_INVALID, "%s: no aggregate without a parent: which is the index?",
                        f->t->path);
    if (top + 1 != f->n_node)
        return table_fail(f->t, f->row[top], f->c.parent,
                          "a parent: only the highest level has none", err);
    return ERR_OK;
}

static enum err_code take_nodes(struct framing *f, size_t *n_level, struct err *err) {
    for (size_t row = 0; row < f->t->n_row; row++) {
        TRY(check_row(f, row, err));
        if (strcmp(type_of(f, row), "Group") == 0)
            f->group[f->n_group++] = table_text(f->t, row, f->c.code);
    }
    for (int level = 1; level <= COMPOSITE_MAX_LEVELS; level++) {
        for (size_t row = 0; row < f->t->n_row; row++) {
            bool indicator = strcmp(type_of(f, row), "Indicator") == 0;
            int64_t l;
            if (!indicator && strcmp(type_of(f, row), "Aggregate") != 0) continue;
            TRY(table_int(f->t, row, f->c.level, indicator ? 1 : 2,
                          indicator ? 1 : COMPOSITE_MAX_LEVELS, &l, err));
            if (l != level) continue;
            TRY(take_node(f, row, level, err));
            *n_level = (size_t)level;
        }
    }
    if (f->n_ind == 0 || f->n_node == f->n_ind)
        return err_fail(err, ERR_INVALID,
                        "%s: expected rows of Type Indicator and of Type Aggregate above them",
                        f->t->path);
    return take_parents(f, err);
}

enum err_code index_frame_read(const struct table *meta, struct arena *a, struct index_frame *out,
                               struct err *err) {
    size_t n = meta->n_row + 1, n_level = 0;
    struct framing f = {.t = meta,
                        .a = a,
                        .row = ARENA_NEW(a, size_t, n),
                        .code = ARENA_NEW(a, const char *, n),
                        .name = ARENA_NEW(a, const char *, n),
                        .denominator = ARENA_NEW(a, const char *, n),
                        .group = ARENA_NEW(a, const char *, n),
                        .level = ARENA_NEW(a, uint8_t, n),
                        .parent = ARENA_NEW(a, uint32_t, n),
                        .direction = ARENA_NEW(a, int8_t, n),
                        .weight = ARENA_NEW(a, double, n),
                        .target = ARENA_NEW(a, double, n)};
    if (f.row == NULL || f.code == NULL || f.name == NULL || f.denominator == NULL ||
        f.group == NULL || f.level == NULL || f.parent == NULL || f.direction == NULL ||
        f.weight == NULL || f.target == NULL)
        return err_fail(err, ERR_NOMEM, "%s: no memory", meta->path);
    if (n > 5001) return err_fail(err, ERR_LIMIT, "%s: %zu rows, at most 5,000", meta->path, n - 1);
    TRY(find_columns(meta, &f.c, err));
    TRY(take_nodes(&f, &n_level, err));
    *out = (struct index_frame){.table = meta,
                                .row = f.row,
                                .name = f.name,
                                .target = f.target,
                                .denominator = f.denominator,
                                .n_group = f.n_group,
                                .group = f.group};
    out->tree = (struct composite_tree){.n_ind = f.n_ind,
                                        .n_node = f.n_node,
                                        .n_level = n_level,
                                        .code = f.code,
                                        .level = f.level,
                                        .parent = f.parent,
                                        .direction = f.direction,
                                        .weight = f.weight};
    struct err inner = {0};
    if (composite_tree_init(&out->tree, a, &inner) != ERR_OK)
        return err_fail(err, inner.code, "%s: %s", meta->path, inner.detail);
    return ERR_OK;
}

size_t index_frame_node(const struct index_frame *f, const char *code) {
    for (size_t i = 0; i < f->tree.n_node; i++) {
        if (strcmp(f->tree.code[i], code) == 0) return i;
    }
    return SIZE_MAX;
}
