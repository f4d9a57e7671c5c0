#include "alarm_reference.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

const struct table *reference_table(struct arena *a, const char *path) {
    struct err err = {0};
    const struct table *t = NULL;
    const char *full = arena_printf(a, "%s/%s", SOURCE_DIR, path);
    if (access(full, R_OK) != 0) {
        print_message("skipped: there is no %s\n", path);
        return NULL;
    }
    if (table_load(a, full, ',', 1000000, &t, &err) != ERR_OK) fail_msg("%s", err.detail);
    return t;
}

static size_t column(const struct table *t, const char *name) {
    struct err err = {0};
    size_t col = 0;
    if (table_column(t, name, true, &col, &err) != ERR_OK) fail_msg("%s", err.detail);
    return col;
}

double *reference_column(struct arena *a, const struct table *t, const char *name) {
    size_t col = column(t, name);
    double *out = ARENA_NEW(a, double, t->n_row);
    for (size_t i = 0; i < t->n_row; i++) {
        struct err err = {0};
        if (table_number(t, i, col, true, &out[i], &err) != ERR_OK) fail_msg("%s", err.detail);
    }
    return out;
}

int64_t *reference_counts(struct arena *a, const struct table *t, const char *name) {
    double *v = reference_column(a, t, name);
    int64_t *out = ARENA_NEW(a, int64_t, t->n_row);
    for (size_t i = 0; i < t->n_row; i++) out[i] = (int64_t)v[i];
    return out;
}

bool reference_flag(const struct table *t, size_t row, const char *name) {
    const char *s = table_text(t, row, column(t, name));
    return strcmp(s, "1") == 0 || strcmp(s, "TRUE") == 0;
}

int32_t *reference_days(struct arena *a, const struct table *t, const char *name) {
    size_t col = column(t, name);
    int32_t *out = ARENA_NEW(a, int32_t, t->n_row);
    for (size_t i = 0; i < t->n_row; i++) {
        struct err err = {0};
        if (table_date(t, i, col, &out[i], &err) != ERR_OK) fail_msg("%s", err.detail);
    }
    return out;
}

void agree(struct agreement *g, double ours, double theirs) {
    double gap = fabs(ours - theirs);
    if (fabs(theirs) > 1e-9) gap /= fabs(theirs);
    g->n++;
    if (!(gap <= g->tolerance)) {
        if (g->bad++ < 5)
            print_message("%s, comparison %zu: ours %.15g, reference %.15g\n", g->what, g->n, ours,
                          theirs);
    }
    if (isnan(gap)) g->worst = INFINITY;
    if (gap > g->worst) g->worst = gap;
}

void agree_end(const struct agreement *g, const char *where) {
    print_message("digits %s %s %.1f (%zu compared)\n", where, g->what,
                  g->worst > 0 ? fmin(16, -log10(g->worst)) : 16, g->n);
    assert_true(g->n > 0);
    assert_int_equal(g->bad, 0);
}

struct alarm_point *run_one(struct arena *a, const struct alarm_spec *s,
                            const struct alarm_series *x) {
    struct err err = {0};
    if (alarm_spec_check(s, &err) != ERR_OK || alarm_series_check(s, x, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    struct alarm_point *p = ARENA_NEW(a, struct alarm_point, x->n - x->from + 1);
    alarm_run(s, x, ARENA_NEW(a, double, alarm_scratch(s, x->n) + 1), p);
    return p;
}
