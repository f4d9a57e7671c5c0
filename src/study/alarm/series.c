#include "study/alarm/series.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"

struct row {
    const char *group;
    int32_t day;
    uint32_t at; /* row of the table */
};

struct reading {
    struct arena *a;
    const struct table *t;
    const struct series_options *o;
    size_t date, count, population, group, label, expected; /* columns, SIZE_MAX: absent */
    struct row *row;
    struct series_set *set;
    int32_t stride; /* days of a step */
    const int32_t *holiday;
    size_t n_holiday;
};

static enum err_code no_memory(const struct table *t, struct err *err) {
    return err_fail(err, ERR_NOMEM, "%s: no memory for %zu rows", t->path, t->n_row);
}

static enum err_code find_columns(struct reading *r, struct err *err) {
    const struct series_options *o = r->o;
    const struct table *t = r->t;
    TRY(table_column(t, o->date != NULL ? o->date : "date", true, &r->date, err));
    TRY(table_column(t, o->count != NULL ? o->count : "count", true, &r->count, err));
    TRY(table_column(t, o->population != NULL ? o->population : "population", o->population != NULL,
                     &r->population, err));
    TRY(table_column(t, o->group != NULL ? o->group : "group", o->group != NULL, &r->group, err));
    TRY(table_column(t, o->label != NULL ? o->label : "outbreak", o->label != NULL, &r->label,
                     err));
    if (r->label == SIZE_MAX)
        TRY(table_column(t, o->need_label ? "state" : "outbreak", o->need_label, &r->label, err));
    r->expected = SIZE_MAX;
    if (o->expected != NULL) TRY(table_column(t, o->expected, true, &r->expected, err));
    return ERR_OK;
}

static bool all_digits(const char *s) { return s[0] != '\0' && s[strspn(s, "0123456789")] == '\0'; }

static enum err_code read_rows(struct reading *r, struct err *err) {
    const struct table *t = r->t;
    r->row = ARENA_NEW(r->a, struct row, t->n_row + 1);
    if (r->row == NULL || t->n_row > UINT32_MAX) return no_memory(t, err);
    if (t->n_row == 0)
        return err_fail(err, ERR_INVALID, "%s: there are no rows below the header", t->path);
    r->set->numbered = all_digits(table_text(t, 0, r->date));
    for (size_t i = 0; i < t->n_row; i++) {
        int64_t number = 0;
        r->row[i] = (struct row){"", 0, (uint32_t)i};
        if (r->group != SIZE_MAX) r->row[i].group = table_text(t, i, r->group);
        if (r->set->numbered) {
            TRY(table_int(t, i, r->date, 0, INT32_MAX, &number, err));
            r->row[i].day = (int32_t)number;
        } else {
            TRY(table_date(t, i, r->date, &r->row[i].day, err));
        }
    }
    return ERR_OK;
}

static int by_group_and_day(const void *pa, const void *pb) {
    const struct row *a = pa, *b = pb;
    int c = a->group == b->group ? 0 : strcmp(a->group, b->group);
    if (c != 0) return c;
    if (a->day != b->day) return a->day < b->day ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static void sort_rows(struct reading *r) {
    size_t n = r->t->n_row;
    bool sorted = true;
    for (size_t i = 1; i < n && sorted; i++)
        sorted = by_group_and_day(&r->row[i - 1], &r->row[i]) < 0;
    if (!sorted) qsort(r->row, n, sizeof r->row[0], by_group_and_day);
}

static bool same_group(const struct row *a, const struct row *b) {
    return a->group == b->group || strcmp(a->group, b->group) == 0;
}

static void find_step(struct reading *r) {
    bool weeks = false, days = false;
    for (size_t i = 1; i < r->t->n_row; i++) {
        int64_t gap = (int64_t)r->row[i].day - r->row[i - 1].day;
        if (!same_group(&r->row[i - 1], &r->row[i]) || gap == 0) continue;
        if (gap % 7 == 0)
            weeks = true;
        else
            days = true;
    }
    r->set->weekly = r->o->step == SERIES_WEEK;
    if (r->o->step == SERIES_AUTO) r->set->weekly = r->set->numbered || (weeks && !days);
    r->stride = r->set->weekly && !r->set->numbered ? 7 : 1;
}

void series_date(const struct series_set *s, int32_t day, char out[16]) {
    if (s->numbered)
        (void)snprintf(out, 16, "%" PRId32, day);
    else
        civil_date_format(day, out);
}

/* Rows of one group, [lo, hi): how many points they make, or what is wrong between two of them. */
static enum err_code measure(struct reading *r, size_t lo, size_t hi, size_t *n, struct err *err) {
    char expected[160], before[16];
    *n = 1;
    for (size_t i = lo + 1; i < hi; i++) {
        int64_t gap = (int64_t)r->row[i].day - r->row[i - 1].day;
        series_date(r->set, r->row[i - 1].day, before);
        if (gap == 0 && r->o->sum_duplicates) continue;
        if (gap == 0) {
            (void)snprintf(expected, sizeof expected,
                           "one row a date and group (line %ld has this date too; --duplicates sum "
                           "adds them up)",
                           r->t->line[r->row[i - 1].at]);
            return table_fail(r->t, r->row[i].at, r->date, expected, err);
        }
        if (gap % r->stride != 0) {
            (void)snprintf(expected, sizeof expected, "whole weeks after %s", before);
            return table_fail(r->t, r->row[i].at, r->date, expected, err);
        }
        if (gap != r->stride && !r->o->fill_zero) {
            (void)snprintf(expected, sizeof expected,
                           "the date after %s (%lld missing; --gaps zero takes them as 0)", before,
                           (long long)(gap / r->stride - 1));
            return table_fail(r->t, r->row[i].at, r->date, expected, err);
        }
        *n += (size_t)(gap / r->stride);
        if (*n > SERIES_MAX_POINTS)
            return err_fail(err, ERR_LIMIT, "%s:%ld: a group has more than %d points", r->t->path,
                            r->t->line[r->row[i].at], SERIES_MAX_POINTS);
    }
    return ERR_OK;
}

static enum err_code new_group(struct reading *r, const char *name, size_t n,
                               struct series_group *g, struct err *err) {
    bool calendar = !r->set->numbered && !r->set->weekly;
    *g = (struct series_group){.name = name,
                               .n = n,
                               .count = ARENA_NEW(r->a, int64_t, n),
                               .day = ARENA_NEW(r->a, int32_t, n)};
    bool bad = g->count == NULL || g->day == NULL;
    if (r->population != SIZE_MAX) bad |= (g->population = ARENA_NEW(r->a, double, n)) == NULL;
    if (r->expected != SIZE_MAX) bad |= (g->mean = ARENA_NEW(r->a, double, n)) == NULL;
    if (r->label != SIZE_MAX) bad |= (g->label = ARENA_NEW(r->a, uint8_t, n)) == NULL;
    if (calendar) bad |= (g->class_of = ARENA_NEW(r->a, uint8_t, n)) == NULL;
    return bad ? no_memory(r->t, err) : ERR_OK;
}

static enum err_code positive(const struct reading *r, size_t row, size_t col, double *out,
                              struct err *err) {
    TRY(table_number(r->t, row, col, false, out, err));
    return *out > 0 ? ERR_OK : table_fail(r->t, row, col, "a number above 0", err);
}

/* Put a row's values at point k; first: no other row of this date came before. */
static enum err_code take_row(const struct reading *r, size_t row, bool first,
                              struct series_group *g, size_t k, struct err *err) {
    int64_t count = 0, label = 0;
    TRY(table_int(r->t, row, r->count, 0, ALARM_MAX_COUNT, &count, err));
    if (g->count[k] + count > ALARM_MAX_COUNT)
        return table_fail(r->t, row, r->count, "a sum of at most 10000000", err);
    g->count[k] += count;
    if (g->label != NULL) {
        TRY(table_int(r->t, row, r->label, 0, 1, &label, err));
        g->label[k] |= (uint8_t)label;
    }
    if (!first) return ERR_OK;
    if (g->population != NULL) TRY(positive(r, row, r->population, &g->population[k], err));
    if (g->mean != NULL) TRY(positive(r, row, r->expected, &g->mean[k], err));
    return ERR_OK;
}

static int by_day(const void *pa, const void *pb) {
    const int32_t a = *(const int32_t *)pa, b = *(const int32_t *)pb;
    return a < b ? -1 : a > b;
}

static uint8_t class_of_day(const struct reading *r, int32_t day) {
    if (r->n_holiday > 0 && bsearch(&day, r->holiday, r->n_holiday, sizeof day, by_day) != NULL)
        return 7;
    return (uint8_t)civil_weekday(day);
}

static enum err_code fill_group(struct reading *r, size_t lo, size_t hi, struct series_group *g,
                                struct err *err) {
    size_t k = 0;
    for (size_t i = lo; i < hi; i++) {
        bool first = i == lo || r->row[i].day != r->row[i - 1].day;
        if (!first) r->set->summed++;
        for (; i > lo && g->day[k] < r->row[i].day; k++) {
            g->day[k + 1] = g->day[k] + r->stride;
            if (g->day[k + 1] == r->row[i].day) continue;
            r->set->filled++;
            if (g->population != NULL) g->population[k + 1] = g->population[k];
            if (g->mean != NULL) g->mean[k + 1] = g->mean[k];
        }
        if (i == lo) g->day[0] = r->row[i].day;
        TRY(take_row(r, r->row[i].at, first, g, k, err));
    }
    for (size_t i = 0; g->class_of != NULL && i < g->n; i++)
        g->class_of[i] = class_of_day(r, g->day[i]);
    return ERR_OK;
}

static enum err_code read_holidays(struct reading *r, struct err *err) {
    const struct table *t = r->o->holidays;
    size_t col = 0;
    if (t == NULL) return ERR_OK;
    if (r->set->weekly || r->set->numbered)
        return err_fail(err, ERR_INVALID, "%s: holidays are for series of days with dates",
                        t->path);
    int32_t *day = ARENA_NEW(r->a, int32_t, t->n_row + 1);
    if (day == NULL) return no_memory(t, err);
    TRY(table_column(t, "date", true, &col, err));
    for (size_t i = 0; i < t->n_row; i++) TRY(table_date(t, i, col, &day[i], err));
    qsort(day, t->n_row, sizeof day[0], by_day);
    r->holiday = day;
    r->n_holiday = t->n_row;
    return ERR_OK;
}

static enum err_code read_groups(struct reading *r, struct err *err) {
    struct series_set *s = r->set;
    size_t n = r->t->n_row;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !same_group(&r->row[i - 1], &r->row[i])) s->n_group++;
    s->group = ARENA_NEW(r->a, struct series_group, s->n_group);
    if (s->group == NULL) return no_memory(r->t, err);
    for (size_t lo = 0, g = 0; lo < n; g++) {
        size_t hi = lo + 1, points = 0;
        while (hi < n && same_group(&r->row[lo], &r->row[hi])) hi++;
        TRY(measure(r, lo, hi, &points, err));
        TRY(new_group(r, r->row[lo].group, points, &s->group[g], err));
        TRY(fill_group(r, lo, hi, &s->group[g], err));
        s->n_point += points;
        lo = hi;
    }
    return ERR_OK;
}

enum err_code series_read(struct arena *a, const struct table *t, const struct series_options *o,
                          const struct series_set **out, struct err *err) {
    struct reading r = {.a = a, .t = t, .o = o, .set = ARENA_NEW(a, struct series_set, 1)};
    *out = NULL;
    if (r.set == NULL) return no_memory(t, err);
    TRY(find_columns(&r, err));
    TRY(read_rows(&r, err));
    sort_rows(&r);
    find_step(&r);
    TRY(read_holidays(&r, err));
    TRY(read_groups(&r, err));
    r.set->grouped = r.group != SIZE_MAX;
    *out = r.set;
    return ERR_OK;
}
