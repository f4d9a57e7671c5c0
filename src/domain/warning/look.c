#include "domain/warning/look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "geo/crs.h"

enum { READ_DAYS = 120, MAX_AREAS = 4096 };

/* What is counted: the classes that the kept signals are about, within their place. */
struct subject {
    const struct warn_kept *k;
    const struct warn_rows *rows;
    const bool *classes; /* by class of the packs */
    int level;           /* WARN_CITY .. WARN_COMMUNITY of the area */
    bool circle;         /* a place by its circle, not by its area */
    int32_t from, day;   /* window of its last day */
};

static enum err_code classes_of(struct arena *a, const struct pack_set *packs,
                                const struct warn_signal *s, size_t n, const bool **out,
                                struct err *err) {
    bool *flag = ARENA_NEW(a, bool, packs->n_classes + 1);
    if (flag == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; !warn_by_figures(s[i].rule->method) && c < packs->n_classes; c++)
            flag[c] |= s[i].cls == WARN_ANY_CLASS
                           ? s[i].rule->watched != NULL && s[i].rule->watched[c]
                           : s[i].cls == c;
    *out = flag;
    return ERR_OK;
}

static bool here(const struct subject *s, const struct warn_row *r) {
    if (!s->classes[r->cls]) return false;
    if (s->circle)
        return !isnan(r->lon) &&
               geo_distance_m(s->k->lon, s->k->lat, r->lon, r->lat) <= fmax(s->k->radius_m, 50);
    return s->level == WARN_CITY || strcmp(r->place[s->level], s->k->area) == 0;
}

static void band(const double *count, size_t at, struct look_day *d) {
    double sum = 0, square = 0, n = at < LOOK_BASE ? (double)at : LOOK_BASE;
    d->expected = d->upper = NAN;
    if (n < 7) return;
    for (size_t i = at - (size_t)n; i < at; i++) {
        sum += count[i];
        square += count[i] * count[i];
    }
    double mean = sum / n, spread = sqrt(fmax(square / n - mean * mean, mean));
    d->expected = mean;
    d->upper = mean + 3 * spread;
}

static enum err_code form_series(const struct subject *s, const struct warn_view *v,
                                 struct arena *a, struct warn_look *out, struct err *err) {
    int32_t first = s->day - READ_DAYS + 1;
    double *count = ARENA_NEW(a, double, READ_DAYS);
    if (count == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = v->low; i < v->high; i++) {
        const struct warn_row *r = &s->rows->row[i];
        if (v->why[i - v->low] != WARN_KEPT || r->day < first || !here(s, r)) continue;
        count[r->day - first]++;
    }
    /* Before the first case of all there is nothing to be held against. */
    size_t start = 0;
    if (s->rows->n > 0 && s->rows->row[0].day > first)
        start = (size_t)(s->rows->row[0].day - first);
    for (size_t i = READ_DAYS - LOOK_DAYS; i < READ_DAYS; i++) {
        struct look_day d = {.day = first + (int32_t)i, .observed = count[i]};
        if (i < start) continue;
        band(count + start, i - start, &d);
        out->day[out->n_days++] = d;
    }
    return ERR_OK;
}

/* ---- like places */

struct tally {
    int area;
    double observed, before;
};
struct nearest {
    const struct tally *t;
    double distance;
};

static int by_distance(const void *a, const void *b) {
    const struct nearest *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    return x->t->area < y->t->area ? -1 : x->t->area > y->t->area;
}

static void count_places(const struct subject *s, const struct warn_view *v, const struct grid *g,
                         int level, struct tally *t, size_t n) {
    for (size_t i = v->low; i < v->high; i++) {
        const struct warn_row *r = &s->rows->row[i];
        if (v->why[i - v->low] != WARN_KEPT || !s->classes[r->cls]) continue;
        if (r->day < s->from - LOOK_BASE) continue;
        int at = grid_area_index(g, r->place[level]);
        for (size_t k = 0; at != GRID_NONE && k < n; k++) {
            if (t[k].area != at) continue;
            if (r->day >= s->from)
                t[k].observed++;
            else
                t[k].before++;
            break;
        }
    }
}

static enum err_code form_places(const struct subject *s, const struct warn_view *v,
                                 const struct grid *g, struct arena *a, struct warn_look *out,
                                 struct err *err) {
    int level = s->level == WARN_CITY ? WARN_COUNTY : s->level;
    struct tally *t = ARENA_NEW(a, struct tally, MAX_AREAS);
    struct nearest *near = ARENA_NEW(a, struct nearest, MAX_AREAS);
    size_t n = 0, n_near = 0, own = SIZE_MAX;
    if (t == NULL || near == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < g->n_areas && n < MAX_AREAS; i++) {
        /* WARN_CITY is 0, LEVEL_CITY 1. */
        if (g->areas[i].level != level + 1) continue;
        if (strcmp(g->areas[i].code, s->k->area) == 0) own = n;
        t[n++].area = (int)i;
    }
    count_places(s, v, g, level, t, n);
    double usual = own == SIZE_MAX ? INFINITY : t[own].before;
    for (size_t i = 0; i < n; i++) {
        if (i == own) continue;
        near[n_near++] =
            (struct nearest){&t[i], isinf(usual) ? -t[i].before : fabs(t[i].before - usual)};
    }
    if (n_near > 1) qsort(near, n_near, sizeof *near, by_distance);
    double window = (double)(s->day - s->from + 1);
    for (size_t i = 0; i < n_near && i < LOOK_SIMILAR; i++) {
        const struct grid_area *area = &g->areas[near[i].t->area];
        double expected = near[i].t->before * window / LOOK_BASE;
        out->place[out->n_places++] = (struct look_place){
            area->code,          area->name, area->name_en,
            near[i].t->observed, expected,   expected > 0 ? near[i].t->observed / expected : NAN};
    }
    return ERR_OK;
}

static int level_of(const struct grid *g, const struct warn_kept *k) {
    int at = grid_area_index(g, k->area);
    int level = at == GRID_NONE ? LEVEL_CITY : g->areas[at].level;
    return level <= LEVEL_CITY ? WARN_CITY : level - 1;
}

static enum err_code look_at(struct subject *s, const struct warn_set *set, const struct grid *g,
                             struct arena *a, struct warn_look *out, struct err *err) {
    struct warn_codes codes;
    const struct warn_signal *signal = NULL;
    struct warn_view v;
    size_t n = 0;
    TRY(warn_codes_new(a, s->rows, s->day + 1, &codes, err));
    TRY(warn_signals_read(a, s->k->signals, set, &codes, &signal, &n, err));
    size_t figures = 0;
    for (size_t i = 0; i < n; i++) figures += warn_by_figures(signal[i].rule->method);
    if (n == 0 || figures == n) return ERR_OK; /* no reports lie behind it */
    TRY(classes_of(a, s->rows->packs, signal, n, &s->classes, err));
    s->from = s->day;
    for (size_t i = 0; i < n; i++) {
        if (signal[i].day == s->day && signal[i].from < s->from) s->from = signal[i].from;
        s->circle |= signal[i].rule->method == WARN_SCAN && s->k->radius_m > 0;
    }
    if (s->day - s->from > LOOK_BASE) s->from = s->day - LOOK_BASE;
    TRY(warn_view_new(a, s->rows, set, s->day, READ_DAYS, &v, err));
    TRY(form_series(s, &v, a, out, err));
    return form_places(s, &v, g, a, out, err);
}

enum err_code warn_look(const struct engine *e, const struct warn_set *set, struct db *db,
                        const struct grid *g, const struct warn_kept *k, struct arena *a,
                        struct warn_look *out, struct err *err) {
    struct warn_rows rows;
    struct subject s = {.k = k, .rows = &rows, .level = level_of(g, k), .day = k->last};
    memset(out, 0, sizeof *out);
    warn_rows_init(&rows, a, e->packs, e->tz);
    enum err_code rc = warn_rows_load_days(&rows, db, 1, k->last - READ_DAYS + 1, k->last, err);
    if (rc == ERR_OK) rc = look_at(&s, set, g, a, out, err);
    warn_rows_free(&rows);
    return rc;
}
