#include "domain/measure/warn_merge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "geo/crs.h"

void warn_board_init(struct warn_board *b, struct arena *a, const struct warn_rows *rows,
                     double merge_days) {
    *b = (struct warn_board){.a = a, .rows = rows, .merge_days = merge_days};
}

/* A class is a signal's own when it was asked for, or makes a fifth of its cases. */
static bool has_class(const struct warn_rows *rows, const struct warn_signal *s, uint32_t cls) {
    if (s->cls != WARN_ANY_CLASS) return s->cls == cls;
    size_t n = 0;
    for (size_t i = 0; i < s->n_rows; i++) n += rows->row[s->row[i]].cls == cls;
    return s->n_rows == 0 ? s->rule->watched[cls] : 5 * n >= s->n_rows;
}

static bool share_class(const struct warn_rows *rows, const struct warn_signal *x,
                        const struct warn_signal *y) {
    if (x->cls != WARN_ANY_CLASS) return has_class(rows, y, x->cls);
    if (y->cls != WARN_ANY_CLASS) return has_class(rows, x, y->cls);
    for (uint32_t k = 0; k < rows->packs->n_classes; k++)
        if (x->rule->watched[k] && y->rule->watched[k] && has_class(rows, x, k) &&
            has_class(rows, y, k))
            return true;
    return false;
}

static bool share_place(const struct warn_signal *x, const struct warn_signal *y) {
    for (size_t i = 0; i < x->n_places; i++)
        for (size_t k = 0; k < y->n_places; k++)
            if (strcmp(x->place[i], y->place[k]) == 0) return true;
    if (isnan(x->lon) || isnan(y->lon))
        return x->rule->level == WARN_CITY || y->rule->level == WARN_CITY;
    return geo_distance_m(x->lon, x->lat, y->lon, y->lat) <= x->radius_m + y->radius_m;
}

/* Two clusters of different classes in one spot and at one time: a market, a works yard, a burst
 * pipe. */
static bool one_spot(const struct warn_signal *x, const struct warn_signal *y) {
    double wide = x->radius_m > y->radius_m ? x->radius_m : y->radius_m;
    if (x->rule->method != WARN_SCAN || y->rule->method != WARN_SCAN) return false;
    if (x->day < y->from || y->day < x->from || isnan(x->lon) || isnan(y->lon)) return false;
    return geo_distance_m(x->lon, x->lat, y->lon, y->lat) <= wide / 2;
}

/* Figures of one place have one cause: an index is bad because its indicators are. */
static bool same_figures(const struct warn_signal *x, const struct warn_signal *y) {
    return strcmp(x->place[0], y->place[0]) == 0;
}

bool warn_same_cause(const struct warn_rows *rows, const struct warn_signal *x,
                     const struct warn_signal *y, double merge_days) {
    const struct warn_signal *a = x->day <= y->day ? x : y, *b = a == x ? y : x;
    /* Silence and a surge are never one cause. */
    if ((x->rule->method == WARN_SILENCE) != (y->rule->method == WARN_SILENCE)) return false;
    bool figures = warn_by_figures(x->rule->method);
    if (figures != warn_by_figures(y->rule->method)) return false;
    /* Their periods end long before the day on which they are told. */
    if (figures) return same_figures(x, y) && (double)(b->day - a->day) <= merge_days + 1;
    if ((double)(b->from - a->day) > merge_days) return false;
    if ((double)(b->day - a->day) > merge_days + 1) return false;
    return one_spot(x, y) || (share_place(x, y) && share_class(rows, x, y));
}

static enum err_code append(struct warn_board *b, struct warning *x, const struct warn_signal *s,
                            struct err *err) {
    if (x->n == x->cap) {
        size_t cap = x->cap == 0 ? 8 : 2 * x->cap;
        const struct warn_signal **grown = ARENA_NEW(b->a, const struct warn_signal *, cap);
        if (grown == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        if (x->n > 0) memcpy(grown, x->signal, x->n * sizeof *grown);
        x->signal = grown;
        x->cap = cap;
    }
    x->signal[x->n++] = s;
    if (s->day > x->last) x->last = s->day;
    int color = warn_signal_color(s);
    if (color > x->color) x->color = color;
    return ERR_OK;
}

/* NULL: no memory. */
static struct warning *new_warning(struct warn_board *b, int32_t day) {
    if (b->n == b->cap) {
        size_t cap = b->cap == 0 ? 64 : 2 * b->cap;
        struct warning **grown = ARENA_NEW(b->a, struct warning *, cap);
        if (grown == NULL) return NULL;
        if (b->n > 0) memcpy(grown, b->warning, b->n * sizeof *grown);
        b->warning = grown;
        b->cap = cap;
    }
    struct warning *x = ARENA_NEW(b->a, struct warning, 1);
    if (x == NULL) return NULL;
    *x = (struct warning){.number = b->n + 1, .raised = day, .last = day};
    b->warning[b->n++] = x;
    return x;
}

static bool counts_rows(const struct warn_rule *r) {
    return r->method != WARN_SILENCE && !warn_by_figures(r->method);
}

/* Several classes that rise in the whole city on one day: weather, a failure of supply. A class
 * that rises only later is a warning of its own. */
static bool one_day(const struct warning *x, const struct warn_signal *y,
                    const struct warn_signal *s) {
    return x->raised == s->day && y->day == s->day && y->rule->level == WARN_CITY &&
           s->rule->level == WARN_CITY && counts_rows(y->rule) && counts_rows(s->rule);
}

static bool belongs(const struct warn_board *b, const struct warning *x,
                    const struct warn_signal *s) {
    if (x->into != NULL || (double)(s->day - x->last) > b->merge_days + 1) return false;
    for (size_t i = x->n; i > 0; i--)
        if (one_day(x, x->signal[i - 1], s) ||
            warn_same_cause(b->rows, x->signal[i - 1], s, b->merge_days))
            return true;
    return false;
}

static bool citywide(const struct warning *x) {
    for (size_t i = 0; i < x->n; i++)
        if (x->signal[i]->rule->level == WARN_CITY && !warn_by_figures(x->signal[i]->rule->method))
            return true;
    return false;
}

/* A rise of the whole city is never hidden in an older warning of one spot. */
static bool may_join(const struct warning *x, const struct warn_signal *s) {
    return s->rule->level != WARN_CITY || warn_by_figures(s->rule->method) || x->raised == s->day ||
           citywide(x);
}

/* To the oldest warning it belongs to, one of the whole city before one of a spot. Later ones of a
 * spot that it ties to that one join it. */
static enum err_code place_signal(struct warn_board *b, const struct warn_signal *s,
                                  struct err *err) {
    struct warning *home = NULL;
    bool wide = false;
    for (size_t i = 0; i < b->n; i++) {
        struct warning *x = b->warning[i];
        if (!belongs(b, x, s) || !may_join(x, s)) continue;
        if (home != NULL && (wide || !citywide(x))) continue;
        home = x;
        wide = citywide(x);
    }
    for (size_t i = home == NULL ? b->n : home->number; i < b->n && !wide; i++) {
        struct warning *x = b->warning[i];
        if (x == home || !belongs(b, x, s)) continue;
        for (size_t k = 0; k < x->n; k++) TRY(append(b, home, x->signal[k], err));
        x->into = home;
    }
    if (home == NULL) home = new_warning(b, s->day);
    if (home == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    return append(b, home, s, err);
}

enum err_code warn_board_add(struct warn_board *b, const struct warn_day *d, size_t *n_new,
                             struct err *err) {
    size_t before = b->n;
    *n_new = 0;
    for (size_t i = 0; i < d->n; i++) TRY(place_signal(b, &d->signal[i], err));
    for (size_t i = before; i < b->n; i++) *n_new += b->warning[i]->into == NULL;
    return ERR_OK;
}

/* ---- told to programs */

static void date(struct jw *w, const char *key, int32_t day) {
    char text[16];
    civil_date_format(day, text);
    jw_kstr(w, key, text);
}

void warn_held_json(struct jw *w, const size_t held[WARN_N_HELD]) {
    jw_key(w, "held");
    jw_obj(w);
    for (int k = 1; k < WARN_N_HELD; k++)
        jw_kint(w, warn_held_name((enum warn_held)k), (int64_t)held[k]);
    jw_end(w, '}');
}

/* "event-01": kind and major class. */
static void group_json(struct jw *w, const struct warn_rows *rows, const struct warn_signal *s) {
    char name[80];
    if (s->rule->by_group) {
        const struct case_class *c = &rows->packs->classes[s->group];
        (void)snprintf(name, sizeof name, "%s-%s", c->kind, c->major_code);
    }
    jw_kstr(w, "group", s->rule->by_group ? name : NULL);
}

void warn_signal_json(struct jw *w, const struct warn_rows *rows, const struct warn_signal *s,
                      size_t most) {
    jw_obj(w);
    jw_kstr(w, "rule", s->rule->name);
    jw_key(w, "title");
    jw_obj(w);
    jw_kstr(w, "en", s->rule->title.en);
    jw_kstr(w, "zh", s->rule->title.zh);
    jw_end(w, '}');
    jw_kstr(w, "color", warn_color_name(warn_signal_color(s)));
    jw_kstr(w, "level", warn_level_name(s->rule->level));
    jw_kstr(w, "method", warn_method_name(s->rule->method));
    date(w, "day", s->day);
    date(w, "from", s->from);
    jw_kstr(w, "class", s->cls == WARN_ANY_CLASS ? NULL : rows->packs->classes[s->cls].id);
    group_json(w, rows, s);
    jw_kstr(w, "band", s->band);
    if (s->periods > 0) jw_kint(w, "periods", (int64_t)s->periods);
    jw_key(w, "places");
    jw_arr(w);
    for (size_t i = 0; i < s->n_places; i++) jw_str(w, s->place[i]);
    jw_end(w, ']');
    jw_kdouble(w, "lon", s->lon);
    jw_kdouble(w, "lat", s->lat);
    jw_kdouble(w, "radius_m", s->radius_m);
    jw_kdouble(w, "observed", s->observed);
    jw_kdouble(w, "expected", s->expected);
    jw_kdouble(w, "p", s->p);
    jw_kdouble(w, "recurrence_days", s->recurrence);
    jw_kint(w, "series", (int64_t)s->n_series);
    warn_held_json(w, s->held);
    jw_kint(w, "n_cases", (int64_t)s->n_rows);
    jw_key(w, "cases");
    jw_arr(w);
    for (size_t i = 0; i < s->n_rows && i < most; i++) jw_str(w, rows->row[s->row[i]].code);
    jw_end(w, ']');
    jw_end(w, '}');
}

static bool told_before(const struct warning *x, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (x->signal[k]->rule == x->signal[i]->rule) return true;
    return false;
}

void warn_warning_json(struct jw *w, const struct warn_rows *rows, const struct warning *x,
                       bool all, size_t most) {
    jw_obj(w);
    jw_kint(w, "warning", (int64_t)x->number);
    date(w, "raised", x->raised);
    date(w, "last", x->last);
    jw_kstr(w, "color", warn_color_name(x->color));
    jw_key(w, "rules");
    jw_arr(w);
    for (size_t i = 0; i < x->n; i++)
        if (!told_before(x, i)) jw_str(w, x->signal[i]->rule->name);
    jw_end(w, ']');
    jw_key(w, "signals");
    jw_arr(w);
    for (size_t i = 0; i < x->n; i++)
        if (all || x->signal[i]->day == x->last) warn_signal_json(w, rows, x->signal[i], most);
    jw_end(w, ']');
    jw_end(w, '}');
}
