/* Two periods matched area by area. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "study/composite/audit.h"

struct coded {
    const char *code;
    uint32_t at;
};
static int by_code(const void *a, const void *b) {
    const struct coded *x = a, *y = b;
    return strcmp(x->code, y->code);
}

static enum err_code no_memory(struct err *err) {
    return err_fail(err, ERR_NOMEM, "no memory for comparing two periods");
}

static enum err_code check(const struct index_study *s, const struct index_study *t,
                           struct err *err) {
    const struct index_study *both[2] = {s, t};
    for (size_t k = 0; k < 2; k++) {
        const struct composite_data *d = &both[k]->columns;
        for (size_t i = 1; d->period != NULL && i < d->n_area; i++)
            if (d->period[i] != d->period[0])
                return err_fail(err, ERR_INVALID,
                                "%s has several periods; name one under \"time\" in the spec",
                                both[k]->data.table->path);
    }
    if (s->tree.n_node != t->tree.n_node)
        return err_fail(err, ERR_INVALID,
                        "the frameworks have %zu and %zu nodes; expected the same", s->tree.n_node,
                        t->tree.n_node);
    for (size_t i = 0; i < s->tree.n_node; i++)
        if (strcmp(s->tree.code[i], t->tree.code[i]) != 0)
            return err_fail(err, ERR_INVALID,
                            "the frameworks differ: %s in the earlier period stands where %s "
                            "stands in the later one",
                            s->tree.code[i], t->tree.code[i]);
    return ERR_OK;
}

/* Columns of both that have one code; in the order of the later period. */
static enum err_code match(const struct index_study *before, const struct index_study *after,
                           struct arena *a, uint32_t *of_before, uint32_t *of_after, size_t *n,
                           struct err *err) {
    const struct composite_data *d = &before->columns;
    struct coded *sorted = ARENA_NEW(a, struct coded, d->n_area + 1);
    if (sorted == NULL) return no_memory(err);
    for (size_t i = 0; i < d->n_area; i++) sorted[i] = (struct coded){d->area[i], (uint32_t)i};
    qsort(sorted, d->n_area, sizeof *sorted, by_code);
    *n = 0;
    for (size_t i = 0; i < after->columns.n_area; i++) {
        struct coded key = {after->columns.area[i], 0};
        const struct coded *found = bsearch(&key, sorted, d->n_area, sizeof *sorted, by_code);
        if (found == NULL) continue;
        of_before[*n] = found->at;
        of_after[(*n)++] = (uint32_t)i;
    }
    if (*n > 0) return ERR_OK;
    return err_fail(err, ERR_INVALID, "the two periods have no area in common");
}

static double *rows_of(struct arena *a, const double *from, size_t n_row, size_t stride,
                       const uint32_t *column, size_t n) {
    double *to = ARENA_NEW(a, double, n_row *n + 1);
    for (size_t i = 0; to != NULL && i < n_row; i++)
        for (size_t j = 0; j < n; j++) to[i * n + j] = from[i * stride + column[j]];
    return to;
}

/* The columns named, of one period by itself. */
static enum err_code subset(const struct index_study *s, const uint32_t *column, size_t n,
                            struct arena *a, struct composite_data *out, struct err *err) {
    const struct composite_data *d = &s->columns;
    const char **area = ARENA_NEW(a, const char *, n);
    uint32_t *group = d->group == NULL ? NULL : ARENA_NEW(a, uint32_t, n);
    *out = *d;
    out->n_area = n;
    out->value = rows_of(a, d->value, s->tree.n_ind, d->n_area, column, n);
    out->denominator = d->n_denominator == 0
                           ? d->denominator
                           : rows_of(a, d->denominator, d->n_denominator, d->n_area, column, n);
    if (area == NULL || out->value == NULL || (d->group != NULL && group == NULL) ||
        (d->n_denominator > 0 && out->denominator == NULL))
        return no_memory(err);
    for (size_t j = 0; j < n; j++) {
        area[j] = d->area[column[j]];
        if (group != NULL) group[j] = d->group[column[j]];
    }
    out->area = area;
    out->group = group;
    out->unit = NULL;
    out->time = NULL;
    out->period = NULL;
    return ERR_OK;
}

static enum err_code read_published(const struct table *t, const struct composite_data *d,
                                    double *out, struct err *err) {
    size_t code, score;
    TRY(table_column(t, "uCode", true, &code, err));
    TRY(table_column(t, "score", true, &score, err));
    struct coded *sorted = mem_new(d->n_area + 1, sizeof *sorted);
    if (sorted == NULL) return no_memory(err);
    for (size_t j = 0; j < d->n_area; j++) {
        out[j] = NAN;
        sorted[j] = (struct coded){d->area[j], (uint32_t)j};
    }
    qsort(sorted, d->n_area, sizeof *sorted, by_code);
    enum err_code rc = ERR_OK;
    for (size_t r = 0; r < t->n_row && rc == ERR_OK; r++) {
        struct coded key = {table_text(t, r, code), 0};
        const struct coded *found = bsearch(&key, sorted, d->n_area, sizeof *sorted, by_code);
        if (found != NULL) rc = table_number(t, r, score, true, &out[found->at], err);
    }
    mem_free(sorted);
    return rc;
}

enum err_code audit_change_run(const struct index_study *before, const struct index_study *after,
                               const struct table *published, const struct num_run *run,
                               struct arena *a, struct audit_change *out, struct err *err) {
    TRY(check(before, after, err));
    size_t n = 0, most = after->columns.n_area + 1;
    uint32_t *of_before = ARENA_NEW(a, uint32_t, most), *of_after = ARENA_NEW(a, uint32_t, most);
    double *told = ARENA_NEW(a, double, most);
    if (of_before == NULL || of_after == NULL || told == NULL) return no_memory(err);
    TRY(match(before, after, a, of_before, of_after, &n, err));
    struct composite_data d0, d1;
    TRY(subset(before, of_before, n, a, &d0, err));
    TRY(subset(after, of_after, n, a, &d1, err));
    if (published != NULL) TRY(read_published(published, &d0, told, err));
    struct change_side side0 = {&d0, &before->tree, &before->spec.spec},
                       side1 = {&d1, &after->tree, &after->spec.spec};
    *out = (struct audit_change){.before = before,
                                 .n_only_before = before->columns.n_area - n,
                                 .n_only_after = after->columns.n_area - n,
                                 .area = of_after,
                                 .published = published != NULL};
    return change_decompose(&side0, &side1, published == NULL ? NULL : told, run, a, &out->result,
                            err);
}
