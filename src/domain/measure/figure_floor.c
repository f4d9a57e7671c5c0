#include "domain/measure/figure_floor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sized {
    int parent;
    double size;
    size_t at;
};

static bool guarded_at(const struct pack_set *packs, const struct indicator_def *d, int depth) {
    if (d == NULL || depth > INDICATOR_MAX_DEPTH) return false;
    bool yes = d->guarded ||
               (d->of[0] != '\0' && guarded_at(packs, pack_indicator(packs, d->of), depth + 1)) ||
               (d->to[0] != '\0' && guarded_at(packs, pack_indicator(packs, d->to), depth + 1));
    for (size_t i = 0; !yes && i < d->n_terms; i++)
        yes = guarded_at(packs, pack_indicator(packs, d->terms[i].indicator), depth + 1);
    return yes;
}

bool figure_guarded(const struct pack_set *packs, const struct indicator_def *d) {
    return guarded_at(packs, d, 0);
}

double figure_size(const struct pack_set *packs, const struct indicator_def *d,
                   const struct indicator_value *v) {
    double size = isnan(v->denominator) ? v->numerator : v->denominator;
    bool formula = d->measure == MEASURE_RATIO || d->measure == MEASURE_AGAINST;
    if (formula && (d->guarded || guarded_at(packs, pack_indicator(packs, d->of), 1)) &&
        !(v->numerator > size))
        size = v->numerator;
    return isnan(size) ? 0 : size;
}

static int by_parent_and_size(const void *a, const void *b) {
    const struct sized *x = a, *y = b;
    if (x->parent != y->parent) return x->parent < y->parent ? -1 : 1;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The siblings come smallest first: what is hidden is a prefix of them. */
static void hide_siblings(const struct sized *s, size_t n, bool below_hidden,
                          unsigned char *hidden) {
    size_t k = 0;
    double sum = 0;
    while (k < n && s[k].size < FIGURE_FLOOR) sum += s[k++].size;
    if (k == 0 && below_hidden) hidden[s[0].at] = 1;
    if (k == 0) return;
    while (k < n && (k < 2 || sum < FIGURE_FLOOR)) sum += s[k++].size;
    for (size_t i = 0; i < k; i++) hidden[s[i].at] = 1;
}

enum err_code figure_floor(const struct pack_set *packs, const struct indicator_def *d,
                           const struct area_view *v, const struct indicator_value *value,
                           const unsigned char *parent_hidden, struct arena *a,
                           unsigned char *hidden, struct err *err) {
    memset(hidden, 0, v->n);
    if (!figure_guarded(packs, d)) return ERR_OK;
    struct sized *s = ARENA_NEW(a, struct sized, v->n + 1);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "figures");
    for (size_t i = 0; i < v->n; i++)
        s[i] = (struct sized){v->area[i]->parent, figure_size(packs, d, &value[i]), i};
    qsort(s, v->n, sizeof *s, by_parent_and_size);
    for (size_t from = 0, to = 0; from < v->n; from = to) {
        while (to < v->n && s[to].parent == s[from].parent) to++;
        int parent = s[from].parent;
        bool below = parent_hidden != NULL && parent != GRID_NONE && parent_hidden[parent] != 0;
        hide_siblings(s + from, to - from, below, hidden);
    }
    return ERR_OK;
}

/* One level: its values, what is hidden of them, kept by the grid's areas for the level below. */
static enum err_code floor_above(const struct value_query *q, const struct indicator_def *d,
                                 int level, struct arena *a, unsigned char *by_area,
                                 struct err *err) {
    const struct grid *g = q->areas->grid;
    struct value_query above = *q;
    TRY(area_view_new(a, g, level, q->cube, &above.areas, err));
    size_t n = above.areas->n;
    struct indicator_value *v = ARENA_NEW(a, struct indicator_value, n + 1);
    unsigned char *hidden = ARENA_NEW(a, unsigned char, n + 1);
    if (v == NULL || hidden == NULL) return err_fail(err, ERR_NOMEM, "figures");
    if (n == 0) return ERR_OK;
    TRY(value_form(&above, d, a, v, err));
    TRY(figure_floor(q->atoms->packs, d, above.areas, v, by_area, a, hidden, err));
    for (size_t i = 0; i < n; i++) by_area[above.areas->area[i] - g->areas] = hidden[i];
    return ERR_OK;
}

/* Of one period, from the top of the tree down. */
static enum err_code floor_of_period(const struct value_query *q, const struct indicator_def *d,
                                     const struct indicator_value *value, struct arena *a,
                                     unsigned char *hidden, struct err *err) {
    unsigned char *by_area = ARENA_NEW(a, unsigned char, q->areas->grid->n_areas + 1);
    if (by_area == NULL) return err_fail(err, ERR_NOMEM, "figures");
    for (int level = LEVEL_CITY; level < q->areas->level; level++)
        TRY(floor_above(q, d, level, a, by_area, err));
    return figure_floor(q->atoms->packs, d, q->areas, value, by_area, a, hidden, err);
}

/* What the indicator, or the one it is formed from, hides in another period: hidden[i] is set. */
static enum err_code hide_as_in(const struct value_query *q, const struct indicator_def *d,
                                struct period p, struct arena *a, unsigned char *hidden,
                                struct err *err) {
    struct value_query then = *q;
    size_t n = q->areas->n;
    then.period = p;
    struct indicator_value *v = ARENA_NEW(a, struct indicator_value, n + 1);
    unsigned char *h = ARENA_NEW(a, unsigned char, n + 1);
    if (v == NULL || h == NULL) return err_fail(err, ERR_NOMEM, "figures");
    TRY(value_form(&then, d, a, v, err));
    TRY(floor_of_period(&then, d, v, a, h, err));
    for (size_t i = 0; i < n; i++)
        if (h[i] != 0 && !isnan(v[i].value)) hidden[i] = 1;
    return ERR_OK;
}

/* A year of which a month is hidden would give that month away: it is told only where all its
 * months are, and then it says nothing that they do not. */
static enum err_code hide_year(const struct value_query *q, const struct indicator_def *d,
                               struct arena *a, unsigned char *hidden, struct err *err) {
    struct period month = period_of(PERIOD_MONTH, q->period.from);
    for (int k = 0; k < 12 && month.from <= q->today; k++, month = period_step(&month, 1))
        TRY(hide_as_in(q, d, month, a, hidden, err));
    return ERR_OK;
}

/* A quotient of two periods' figures tells the one that is hidden when the other is told. */
static enum err_code hide_against(const struct value_query *q, const struct indicator_def *d,
                                  struct arena *a, unsigned char *hidden, struct err *err) {
    const struct indicator_def *of = pack_indicator(q->atoms->packs, d->of);
    struct period past = q->period;
    int years = d->against == AGAINST_THREE_YEARS ? 3 : 1;
    if (of == NULL) return ERR_OK;
    TRY(hide_as_in(q, of, q->period, a, hidden, err));
    for (int k = 0; k < years; k++) {
        past = d->against == AGAINST_LAST_PERIOD ? period_step(&past, -1) : period_last_year(&past);
        TRY(hide_as_in(q, of, past, a, hidden, err));
    }
    return ERR_OK;
}

enum err_code figure_floor_of(const struct value_query *q, const struct indicator_def *d,
                              const struct indicator_value *value, struct arena *a,
                              unsigned char *hidden, struct err *err) {
    memset(hidden, 0, q->areas->n);
    if (!figure_guarded(q->atoms->packs, d)) return ERR_OK;
    if (q->period.kind == PERIOD_DAY || q->period.kind == PERIOD_TEN_DAY) {
        memset(hidden, 1, q->areas->n);
        return ERR_OK;
    }
    TRY(floor_of_period(q, d, value, a, hidden, err));
    if (d->measure == MEASURE_AGAINST) TRY(hide_against(q, d, a, hidden, err));
    return q->period.kind == PERIOD_YEAR ? hide_year(q, d, a, hidden, err) : ERR_OK;
}
