/* Reading lives by columns, and the curves of each group. */
#include "study/risk/curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MOST_AT_ONCE = 255 };

/* Rows as the library takes them; row[k] is the line of the table it came from. */
struct lives {
    const struct table *t;
    size_t col_start, col_time, col_event, col_group, col_unit; /* SIZE_MAX: not given */
    size_t n, n_groups, n_units;
    double *start, *stop;
    unsigned char *event;
    uint32_t *group, *unit;
    size_t *row;
    const char **group_name;
};

struct label {
    const char *text;
    size_t row;
};

static int by_text(const void *x, const void *y) {
    const struct label *p = x, *q = y;
    int c = strcmp(p->text, q->text);
    if (c != 0) return c;
    return p->row < q->row ? -1 : p->row > q->row;
}

/* Dense numbers of the texts of a column, in the order of the texts; names are the table's. */
static enum err_code number_labels(struct arena *a, const struct table *t, size_t col,
                                   const char *what, uint32_t *number, const char ***name,
                                   size_t *n_names, struct err *err) {
    struct label *l = mem_new(t->n_row, sizeof *l);
    *name = ARENA_NEW(a, const char *, t->n_row);
    enum err_code rc =
        l == NULL || *name == NULL ? err_fail(err, ERR_NOMEM, "%zu rows", t->n_row) : ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < t->n_row; i++) {
        l[i] = (struct label){table_text(t, i, col), i};
        if (l[i].text[0] == '\0') rc = table_fail(t, i, col, what, err);
    }
    if (rc == ERR_OK) qsort(l, t->n_row, sizeof *l, by_text);
    *n_names = 0;
    for (size_t i = 0; rc == ERR_OK && i < t->n_row; i++) {
        if (i == 0 || strcmp(l[i].text, l[i - 1].text) != 0) (*name)[(*n_names)++] = l[i].text;
        number[l[i].row] = (uint32_t)(*n_names - 1);
    }
    mem_free(l);
    return rc;
}

static enum err_code find_column(const struct table *t, const char *name, size_t *col,
                                 struct err *err) {
    *col = SIZE_MAX;
    return name == NULL ? ERR_OK : table_column(t, name, true, col, err);
}

static enum err_code find_columns(struct lives *l, const struct risk_curve_spec *s,
                                  struct err *err) {
    TRY(find_column(l->t, s->start, &l->col_start, err));
    TRY(find_column(l->t, s->time, &l->col_time, err));
    TRY(find_column(l->t, s->event, &l->col_event, err));
    TRY(find_column(l->t, s->group, &l->col_group, err));
    return find_column(l->t, s->unit, &l->col_unit, err);
}

static enum err_code new_lives(struct arena *a, struct lives *l, struct err *err) {
    size_t n = l->t->n_row;
    l->start = ARENA_NEW(a, double, n);
    l->stop = ARENA_NEW(a, double, n);
    l->event = ARENA_NEW(a, unsigned char, n);
    l->group = ARENA_NEW(a, uint32_t, n);
    l->unit = ARENA_NEW(a, uint32_t, n);
    l->row = ARENA_NEW(a, size_t, n);
    bool all = l->start != NULL && l->stop != NULL && l->event != NULL && l->group != NULL &&
               l->unit != NULL && l->row != NULL;
    return all ? ERR_OK : err_fail(err, ERR_NOMEM, "%zu rows", n);
}

/* A whole number of events, from 0 to most. */
static enum err_code read_event(const struct lives *l, size_t i, int64_t most, unsigned char *out,
                                struct err *err) {
    int64_t events = 0;
    if (table_int(l->t, i, l->col_event, 0, most, &events, NULL) != ERR_OK)
        return table_fail(l->t, i, l->col_event,
                          most == 1 ? "1 (it failed) or 0 (it did not; several failures of one "
                                      "thing need --unit)"
                                    : "how many events there were, 0 to 255",
                          err);
    *out = (unsigned char)events;
    return ERR_OK;
}

static enum err_code not_after(const struct lives *l, size_t i, double from, struct err *err) {
    char expected[80];
    (void)snprintf(expected, sizeof expected, "a time after %.9g, where the row begins", from);
    return table_fail(l->t, i, l->col_time, expected, err);
}

static enum err_code read_rows(struct arena *a, struct lives *l, struct err *err) {
    const struct table *t = l->t;
    bool units = l->col_unit != SIZE_MAX;
    const char **unused;
    for (size_t i = 0; i < t->n_row; i++) {
        l->row[i] = i;
        TRY(table_number(t, i, l->col_time, false, &l->stop[i], err));
        TRY(read_event(l, i, units ? MOST_AT_ONCE : 1, &l->event[i], err));
        if (l->col_start != SIZE_MAX) {
            TRY(table_number(t, i, l->col_start, false, &l->start[i], err));
            if (!(l->start[i] < l->stop[i])) return not_after(l, i, l->start[i], err);
        } else if (l->stop[i] < 0) {
            return table_fail(t, i, l->col_time, "a time of 0 or more", err);
        }
    }
    l->n = t->n_row;
    l->n_groups = 1;
    if (l->col_group != SIZE_MAX)
        TRY(number_labels(a, t, l->col_group, "the name of a group", l->group, &l->group_name,
                          &l->n_groups, err));
    if (l->n_groups > RISK_CURVE_GROUPS)
        return err_fail(err, ERR_INVALID,
                        "%s: column %s: %zu groups; at most %d are compared: join or cut the "
                        "values first",
                        t->path, t->name[l->col_group], l->n_groups, RISK_CURVE_GROUPS);
    return !units ? ERR_OK
                  : number_labels(a, t, l->col_unit, "the name of a unit", l->unit, &unused,
                                  &l->n_units, err);
}

struct place {
    uint32_t unit;
    double stop;
    size_t row;
};

static int by_unit(const void *x, const void *y) {
    const struct place *p = x, *q = y;
    if (p->unit != q->unit) return p->unit < q->unit ? -1 : 1;
    if (p->stop != q->stop) return p->stop < q->stop ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

/* Row i of a unit whose row before it (any, or none) is k of the lives kept so far. */
static enum err_code keep_row(const struct lives *in, size_t i, bool first, struct lives *out,
                              struct err *err) {
    const struct table *t = in->t;
    size_t k = out->n; /* where it goes; k - 1 is the row before */
    if (!first && in->group[i] != out->group[k - 1]) {
        char expected[160];
        (void)snprintf(expected, sizeof expected, "\"%.60s\", the group of this unit at line %ld",
                       table_text(t, out->row[k - 1], in->col_group), t->line[out->row[k - 1]]);
        return table_fail(t, i, in->col_group, expected, err);
    }
    double from = in->col_start != SIZE_MAX ? in->start[i] : first ? 0 : out->stop[k - 1];
    if (in->col_start != SIZE_MAX && !first && from < out->stop[k - 1]) {
        char expected[120];
        (void)snprintf(expected, sizeof expected,
                       "%.9g or more, where this unit's row of line %ld ends", out->stop[k - 1],
                       t->line[out->row[k - 1]]);
        return table_fail(t, i, in->col_start, expected, err);
    }
    if (!first && in->stop[i] == from) { /* several at once, or an end at an event */
        if (in->event[i] + out->event[k - 1] > MOST_AT_ONCE)
            return table_fail(t, i, in->col_event, "at most 255 events of a unit at one time", err);
        out->event[k - 1] = (unsigned char)(out->event[k - 1] + in->event[i]);
        return ERR_OK;
    }
    if (!(in->stop[i] > from)) return not_after(in, i, from, err);
    out->start[k] = from;
    out->stop[k] = in->stop[i];
    out->event[k] = in->event[i];
    out->group[k] = in->group[i];
    out->unit[k] = in->unit[i];
    out->row[k] = i;
    out->n++;
    return ERR_OK;
}

/* The rows of each unit one after another; where the start is not told it is the end before. */
static enum err_code chain_units(struct arena *a, struct lives *l, struct err *err) {
    struct lives out = *l;
    out.n = 0;
    TRY(new_lives(a, &out, err));
    struct place *p = mem_new(l->n, sizeof *p);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", l->n);
    for (size_t i = 0; i < l->n; i++) p[i] = (struct place){l->unit[i], l->stop[i], i};
    qsort(p, l->n, sizeof *p, by_unit);
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < l->n; i++)
        rc = keep_row(l, p[i].row, i == 0 || p[i].unit != p[i - 1].unit, &out, err);
    mem_free(p);
    *l = out;
    return rc;
}

static struct model_survival as_data(const struct lives *l) {
    bool chained = l->col_unit != SIZE_MAX;
    return (struct model_survival){.n = l->n,
                                   .start = chained || l->col_start != SIZE_MAX ? l->start : NULL,
                                   .stop = l->stop,
                                   .event = l->event,
                                   .cluster = chained ? l->unit : NULL};
}

/* room holds the rows of one group after another. */
static enum err_code one_group(struct arena *a, const struct lives *l, const struct lives *room,
                               uint32_t which, struct risk_curve *r, struct err *err) {
    struct lives part = *room;
    struct risk_curve_group *g = &r->group[which];
    part.n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (l->group[i] != which) continue;
        size_t k = part.n++;
        part.start[k] = l->start[i];
        part.stop[k] = l->stop[i];
        part.event[k] = l->event[i];
        part.unit[k] = l->unit[i];
        g->n_events += l->event[i];
    }
    g->name = l->col_group == SIZE_MAX ? NULL : l->group_name[which];
    g->n = part.n;
    r->n += g->n;
    r->n_events += g->n_events;
    struct model_survival d = as_data(&part);
    if (!r->recurrent) return model_kaplan_meier(a, &d, r->level, &g->km, err);
    TRY(model_mcf(a, &d, &g->mcf, err));
    g->n_units = g->mcf.n_assets;
    r->n_units += g->n_units;
    return ERR_OK;
}

static enum err_code compare(struct arena *a, const struct lives *l, struct risk_curve *r,
                             struct err *err) {
    struct err none = {0};
    struct model_survival d = as_data(l);
    enum err_code rc = model_logrank_test(a, &d, l->group, r->n_groups, &r->logrank, &none);
    r->has_logrank = rc == ERR_OK;
    r->no_logrank = rc == ERR_NUMERIC;
    r->verified = !(r->has_logrank && r->late_entry);
    return rc == ERR_OK || rc == ERR_NUMERIC ? ERR_OK : err_fail(err, rc, "%s", none.detail);
}

enum err_code risk_curve_study(struct arena *a, const struct table *t,
                               const struct risk_curve_spec *s, struct risk_curve *out,
                               struct err *err) {
    struct lives l = {.t = t};
    memset(out, 0, sizeof *out);
    TRY(find_columns(&l, s, err));
    if (t->n_row == 0) return err_fail(err, ERR_INVALID, "%s: there are no rows", t->path);
    if (t->n_row >= UINT32_MAX) return err_fail(err, ERR_LIMIT, "%s: too many rows", t->path);
    TRY(new_lives(a, &l, err));
    TRY(read_rows(a, &l, err));
    out->recurrent = s->unit != NULL;
    out->late_entry = s->start != NULL;
    out->verified = true;
    out->level = 0.95;
    out->n_groups = l.n_groups;
    if (out->recurrent) TRY(chain_units(a, &l, err));
    struct lives room = l;
    TRY(new_lives(a, &room, err));
    for (uint32_t g = 0; g < l.n_groups; g++) TRY(one_group(a, &l, &room, g, out, err));
    return out->recurrent || l.n_groups < 2 ? ERR_OK : compare(a, &l, out, err);
}
