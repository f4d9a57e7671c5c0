#include "study/scan/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/scan/window.h"
#include "study/scan/files.h"
#include "study/scan/places.h"
#include "study/scan/strata.h"

void scan_settings_init(struct scan_settings *s) {
    *s = (struct scan_settings){
        .model = SCAN_POISSON,
        .unit = TIME_DAY,
        .unit_length = 1,
        .options = {.rates = SCAN_HIGH, .replicas = 999, .seed = 1, .iterate_p = 0.05}};
}

/* ---- the files ---- */

struct loading {
    struct arena *a;
    const struct scan_settings *s;
    struct scan_study *out;
    struct reading r;
    struct places places;
    struct place_rows grid;
    struct population_rows population;
    struct count_rows cases, controls;
    struct edge_rows edges;
    struct neighbor_rows neighbors;
    bool undated_population;
};

static enum err_code open_file(struct loading *l, enum file_role role, const char *path,
                               struct source *src, struct layout *layout, struct err *err) {
    bool sphere = l->out->sphere, no_dates = l->r.precision == TIME_NONE;
    TRY(file_source(l->a, l->s, role, path, src, err));
    TRY(file_layout(l->a, l->s, role, src, no_dates, &sphere, layout, err));
    if (role != FILE_PLACES && role != FILE_GRID) return ERR_OK;
    if (l->out->has_places && sphere != l->out->sphere)
        return err_fail(err, ERR_INVALID,
                        "%s: longitudes and latitudes in one file, plane coordinates in another",
                        path);
    l->out->sphere = sphere;
    return ERR_OK;
}

static enum err_code load_geo(struct loading *l, struct err *err) {
    const struct scan_settings *s = l->s;
    struct place_file *files = ARENA_NEW(l->a, struct place_file, s->n_geo);
    struct source *sources = ARENA_NEW(l->a, struct source, s->n_geo);
    if (files == NULL || sources == NULL) return err_fail(err, ERR_NOMEM, "files of places");
    for (size_t i = 0; i < s->n_geo; i++) {
        struct layout layout;
        TRY(open_file(l, FILE_PLACES, s->geo[i], &sources[i], &layout, err));
        l->out->has_places = true;
        TRY(records_places(&l->r, &sources[i], &layout, l->out->sphere, &files[i].rows, err));
        files[i].source = &sources[i];
    }
    return places_build(l->a, &l->r.ids, files, s->n_geo, s->many_positions || s->n_geo > 1,
                        &l->places, err);
}

static enum err_code load_edges(struct loading *l, struct err *err) {
    struct source src;
    struct layout layout;
    l->r.ids_open = l->s->n_geo == 0;
    if (l->s->edges != NULL) {
        TRY(open_file(l, FILE_EDGES, l->s->edges, &src, &layout, err));
        TRY(records_edges(&l->r, &src, &layout, &l->edges, err));
    }
    if (l->s->neighbors != NULL) {
        TRY(file_source(l->a, l->s, FILE_NEIGHBORS, l->s->neighbors, &src, err));
        TRY(records_neighbors(&l->r, &src, &l->neighbors, err));
    }
    l->r.ids_open = false;
    return ERR_OK;
}

/* All places are known behind this, but for a purely temporal scan without a file of them. */
static enum err_code load_places(struct loading *l, struct err *err) {
    const struct scan_settings *s = l->s;
    if (s->n_geo > 0) TRY(load_geo(l, err));
    TRY(load_edges(l, err));
    if (s->grid != NULL) {
        struct source src;
        struct layout layout;
        TRY(open_file(l, FILE_GRID, s->grid, &src, &layout, err));
        TRY(records_grid(&l->r, &src, &layout, l->out->sphere, &l->grid, err));
    }
    if (s->n_geo > 0) return ERR_OK;
    if (l->r.ids.n > 0) return places_of_ids(l->a, &l->r.ids, &l->places, err);
    l->r.ids_open = true;
    return ERR_OK;
}

static enum err_code load_counts(struct loading *l, struct err *err) {
    const struct scan_settings *s = l->s;
    struct source src;
    struct layout layout;
    uint32_t none;
    if (s->population != NULL) {
        l->r.strata_open = true;
        l->r.n_covariates = SIZE_MAX;
        TRY(open_file(l, FILE_POPULATION, s->population, &src, &layout, err));
        TRY(records_population(&l->r, &src, &layout, &l->population, err));
        l->undated_population = l->population.n == 0 || !l->population.row[0].dated;
        l->r.strata_open = false;
    } else {
        l->r.n_covariates = 0;
        TRY(names_add(&l->r.strata, "", &none, err));
    }
    TRY(open_file(l, FILE_CASES, s->cases, &src, &layout, err));
    TRY(records_counts(&l->r, &src, &layout, "cases", &l->cases, err));
    if (s->controls == NULL) return ERR_OK;
    l->r.n_covariates = 0;
    TRY(names_add(&l->r.strata, "", &none, err));
    TRY(open_file(l, FILE_CONTROLS, s->controls, &src, &layout, err));
    return records_counts(&l->r, &src, &layout, "controls", &l->controls, err);
}

/* ---- time ---- */

static enum err_code read_day(const struct loading *l, const char *name, const char *text,
                              enum time_role role, int64_t *day, struct err *err) {
    struct time_point at;
    const char *expected;
    if (!time_parse(text, l->r.generic, role, 0, 0, &at, &expected))
        return err_fail(err, ERR_INVALID, "%s of the study period: expected %s, found \"%.60s\"",
                        name, expected, text);
    *day = at.day;
    return ERR_OK;
}

static enum err_code set_period(struct loading *l, struct err *err) {
    const struct scan_settings *s = l->s;
    if (s->start == NULL) return ERR_OK;
    TRY(read_day(l, "start", s->start, TIME_OF_COUNT, &l->r.start, err));
    TRY(read_day(l, "end", s->end, TIME_OF_END, &l->r.end, err));
    if (l->r.end < l->r.start)
        return err_fail(err, ERR_INVALID, "the study period ends (%s) before it begins (%s)",
                        s->end, s->start);
    l->r.has_period = true;
    return ERR_OK;
}

static int by_day(const void *pa, const void *pb) {
    const int64_t *a = pa, *b = pb;
    return *a < *b ? -1 : *a > *b;
}

/* More slots than there may be, by the dates of the cases: most often one of them is wrong, and it
 * is the one that lies farther from their middle. */
static enum err_code name_farthest(const struct loading *l, struct err *err) {
    const struct count_rows *c = &l->cases, *d = &l->controls;
    const struct scan_study *o = l->out;
    size_t n = c->n + d->n;
    int64_t *day = ARENA_NEW(l->a, int64_t, n);
    if (day == NULL) return err_fail(err, ERR_NOMEM, "%zu dates", n);
    for (size_t i = 0; i < n; i++) day[i] = i < c->n ? c->row[i].day : d->row[i - c->n].day;
    qsort(day, n, sizeof *day, by_day);
    int64_t mid = day[n / 2] / 2 + day[(n - 1) / 2] / 2;
    bool late = o->end - mid >= mid - o->start;
    const struct count_rows *of = c;
    if (d->n > 0 && (late ? d->last_day > c->last_day : d->first_day < c->first_day)) of = d;
    char from[24], to[24];
    time_format(o->start, o->generic, from);
    time_format(o->end, o->generic, to);
    return err_fail(err, ERR_LIMIT,
                    "%s: the dates go from %s to %s, which makes more than %d slots of time, and "
                    "this one lies farthest from the others: mend it, or give the study period "
                    "(--start and --end), or take longer slots (--unit, --length)",
                    late ? of->last_at : of->first_at, from, to, (int)SCAN_MAX_SLOTS);
}

static enum err_code set_slots(struct loading *l, struct err *err) {
    const struct scan_settings *s = l->s;
    struct scan_study *o = l->out;
    bool spatial = s->options.analysis == SCAN_SPATIAL;
    bool case_dates = l->r.precision != TIME_NONE;
    o->generic = l->r.generic;
    o->dated = l->r.has_period || case_dates;
    o->start = l->r.start;
    o->end = l->r.end;
    if (!l->r.has_period && case_dates) {
        bool both = l->controls.n > 0;
        o->start = l->cases.first_day;
        o->end = l->cases.last_day;
        if (both && l->controls.first_day < o->start) o->start = l->controls.first_day;
        if (both && l->controls.last_day > o->end) o->end = l->controls.last_day;
    } else if (!o->dated && s->population != NULL && !l->undated_population) {
        return err_fail(err, ERR_INVALID,
                        "the population has dates, and a purely spatial scan does not read those "
                        "of the cases unless --precision is given, so the study period is not "
                        "known: give it (--start and --end)");
    }
    enum err_code rc = time_slots(l->a, o->start, o->end, spatial ? TIME_NONE : s->unit,
                                  s->unit_length, &o->slots, err);
    if (rc == ERR_LIMIT && !l->r.has_period && case_dates) return name_farthest(l, err);
    TRY(rc);
    if (spatial) return ERR_OK;
    bool percent = s->max_time == 0 || s->max_time_percent;
    double max = s->max_time == 0 ? 50 : s->max_time;
    o->options.max_slots = time_slots_of(&o->slots, s->unit_length, max, percent);
    o->options.min_slots = time_slots_of(&o->slots, s->unit_length, s->min_time, false);
    if (o->options.min_slots == 0) o->options.min_slots = 1;
    if (o->options.max_slots < o->options.min_slots)
        return err_fail(err, ERR_INVALID,
                        "the longest window in time has %zu slots of %lld units, the shortest %zu",
                        o->options.max_slots, (long long)s->unit_length, o->options.min_slots);
    return ERR_OK;
}

/* ---- counts ---- */

static int by_place_slot(const void *pa, const void *pb) {
    const struct scan_count *a = pa, *b = pb;
    if (a->place != b->place) return a->place < b->place ? -1 : 1;
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

static enum err_code sum_counts(struct loading *l, const struct count_rows *rows,
                                const struct scan_count **out, size_t *n, struct err *err) {
    struct scan_count *c = ARENA_NEW(l->a, struct scan_count, rows->n + 1);
    size_t kept = 0;
    if (c == NULL) return err_fail(err, ERR_NOMEM, "%zu counts", rows->n);
    for (size_t i = 0; i < rows->n; i++) {
        const struct count_row *r = &rows->row[i];
        c[i] = (struct scan_count){.place = l->places.of_id[r->id], .n = (uint32_t)r->n};
        if (!time_slot_of(&l->out->slots, r->day, &c[i].slot))
            return err_fail(err, ERR_INTERNAL, "a day outside the study period");
    }
    qsort(c, rows->n, sizeof *c, by_place_slot);
    for (size_t i = 0; i < rows->n; i++) {
        if (kept > 0 && by_place_slot(&c[kept - 1], &c[i]) == 0)
            c[kept - 1].n += c[i].n;
        else
            c[kept++] = c[i];
    }
    *out = c;
    *n = kept;
    return ERR_OK;
}

static enum err_code set_counts(struct loading *l, struct err *err) {
    struct scan_study *o = l->out;
    TRY(sum_counts(l, &l->cases, &o->data.cases, &o->data.n_cases, err));
    TRY(sum_counts(l, &l->controls, &o->data.controls, &o->data.n_controls, err));
    int64_t *of_place = ARENA_NEW(l->a, int64_t, l->places.n);
    if (of_place == NULL) return err_fail(err, ERR_NOMEM, "%zu places", l->places.n);
    for (size_t i = 0; i < o->data.n_cases; i++)
        of_place[o->data.cases[i].place] += o->data.cases[i].n;
    o->place_cases = of_place;
    o->total_cases = l->cases.total;
    o->total_controls = l->controls.total;
    return ERR_OK;
}

/* ---- expectation ---- */

static void describe_category(const struct loading *l, size_t category, char *out, size_t n) {
    const char *key = l->r.strata.text[category];
    size_t at = 0;
    for (; *key != '\0' && at + 2 < n; key++) {
        if (*key != '\x1f') {
            out[at++] = *key;
        } else if (key[1] != '\0') {
            out[at++] = ' ';
        }
    }
    out[at] = '\0';
}

static enum err_code places_have_population(const struct loading *l, const double *expected,
                                            struct err *err) {
    const struct scan_study *o = l->out;
    for (size_t p = 0; p < l->places.n; p++) {
        double sum = 0;
        if (o->place_cases[p] == 0) continue;
        for (size_t t = 0; t < o->slots.n; t++) sum += expected[p * o->slots.n + t];
        if (sum > 0) continue;
        return err_fail(err, ERR_INVALID,
                        "place \"%.60s\" has %lld cases, but no population (none expected)",
                        l->places.id[l->places.first_id[p]], (long long)o->place_cases[p]);
    }
    return ERR_OK;
}

/* Without a population, time alone: a slot expects cases by its length. */
static void expect_by_time(const struct loading *l, double *expected) {
    const double *border = l->out->slots.border;
    for (size_t t = 0; t < l->out->slots.n; t++) expected[t] = border[t + 1] - border[t];
}

static enum err_code set_expected(struct loading *l, struct err *err) {
    struct scan_study *o = l->out;
    size_t n = l->places.n, n_categories = l->r.strata.n, bad = SIZE_MAX;
    double *expected = ARENA_NEW(l->a, double, n * o->slots.n);
    double *mean = ARENA_NEW(l->a, double, n), *cases = ARENA_NEW(l->a, double, n_categories);
    if (expected == NULL || mean == NULL || cases == NULL)
        return err_fail(err, ERR_NOMEM, "expected cases of %zu places in %zu slots", n, o->slots.n);
    o->data.expected = expected;
    if (l->s->population == NULL) {
        expect_by_time(l, expected);
        return ERR_OK;
    }
    struct scan_strata strata;
    TRY(strata_build(l->a, &l->population, l->places.of_id, n, n_categories, &strata, err));
    for (size_t i = 0; i < l->cases.n; i++)
        cases[l->cases.row[i].category] += (double)l->cases.row[i].n;
    strata.cases = cases;
    strata.n_slots = o->slots.n;
    strata.slot_border = o->slots.border;
    enum err_code rc = scan_expected(&strata, l->a, expected, mean, &bad, err);
    if (rc != ERR_OK && bad != SIZE_MAX) {
        char name[80];
        describe_category(l, bad, name, sizeof name);
        return err_fail(err, rc, "covariate category \"%s\" has %.0f cases, but no population",
                        name, cases[bad]);
    }
    TRY(rc);
    o->population = mean;
    return places_have_population(l, expected, err);
}

/* ---- geography ---- */

static double apart(const struct loading *l, uint32_t a, uint32_t b) {
    double dx = l->places.first_x[a] - l->places.first_x[b];
    double dy = l->places.first_y[a] - l->places.first_y[b];
    if (!l->out->sphere) return hypot(dx, dy);
    const double radian = acos(-1.0) / 180;
    double s = sin(dy * radian / 2), t = sin(dx * radian / 2);
    double h =
        s * s + cos(l->places.first_y[a] * radian) * cos(l->places.first_y[b] * radian) * t * t;
    return 2 * SCAN_EARTH_KM * asin(sqrt(fmin(h, 1)));
}

static enum err_code set_edges(struct loading *l, struct err *err) {
    struct scan_edge *e = ARENA_NEW(l->a, struct scan_edge, l->edges.n + 1);
    size_t kept = 0;
    if (e == NULL) return err_fail(err, ERR_NOMEM, "%zu edges", l->edges.n);
    for (size_t i = 0; i < l->edges.n; i++) {
        const struct edge_row *r = &l->edges.row[i];
        uint32_t a = l->places.of_id[r->from], b = l->places.of_id[r->to];
        if (a == b) continue; /* two ids of one position */
        if (isnan(r->length) && !l->out->has_places && l->s->options.shape != SCAN_FLEXIBLE)
            return err_fail(err, ERR_INVALID,
                            "the edge from \"%.60s\" to \"%.60s\" has no length, and there are no "
                            "coordinates to measure it",
                            l->r.ids.text[r->from], l->r.ids.text[r->to]);
        e[kept++] = (struct scan_edge){a, b, isnan(r->length) ? apart(l, a, b) : r->length};
    }
    l->out->data.edges = e;
    l->out->data.n_edges = kept;
    return ERR_OK;
}

/* Places of the neighbours, each once; a place that no row tells of has only itself. */
static enum err_code set_neighbors(struct loading *l, struct err *err) {
    size_t n = l->places.n, n_row = l->neighbors.n, at = 0;
    size_t *first = ARENA_NEW(l->a, size_t, n + 1);
    size_t *row_of = ARENA_NEW(l->a, size_t, n), *stamp = ARENA_NEW(l->a, size_t, n);
    uint32_t *list = ARENA_NEW(l->a, uint32_t, n + l->neighbors.first[n_row]);
    if (first == NULL || row_of == NULL || stamp == NULL || list == NULL)
        return err_fail(err, ERR_NOMEM, "%zu neighbours", l->neighbors.first[n_row]);
    for (size_t r = n_row; r > 0; r--) row_of[l->places.of_id[l->neighbors.owner[r - 1]]] = r;
    for (size_t p = 0; p < n; p++) {
        first[p] = at;
        list[at++] = (uint32_t)p;
        stamp[p] = p + 1;
        if (row_of[p] == 0) continue;
        for (size_t k = l->neighbors.first[row_of[p] - 1]; k < l->neighbors.first[row_of[p]]; k++) {
            uint32_t place = l->places.of_id[l->neighbors.neighbor[k]];
            if (stamp[place] == p + 1) continue;
            stamp[place] = p + 1;
            list[at++] = place;
        }
    }
    first[n] = at;
    l->out->data.list_first = first;
    l->out->data.list_place = list;
    return ERR_OK;
}

static enum err_code set_grid(struct loading *l, struct err *err) {
    double *x = ARENA_NEW(l->a, double, l->grid.n + 1), *y = ARENA_NEW(l->a, double, l->grid.n + 1);
    if (x == NULL || y == NULL) return err_fail(err, ERR_NOMEM, "%zu grid points", l->grid.n);
    for (size_t i = 0; i < l->grid.n; i++) {
        x[i] = l->grid.row[i].x;
        y[i] = l->grid.row[i].y;
    }
    l->out->data.grid = (struct scan_points){.n = l->grid.n, .x = x, .y = y};
    return ERR_OK;
}

static enum err_code set_geography(struct loading *l, struct err *err) {
    struct scan_study *o = l->out;
    struct scan_data *d = &o->data;
    const struct places *p = &l->places;
    d->n_places = p->n;
    d->points = (struct scan_points){.n = p->n_points, .x = p->x, .y = p->y};
    d->place_of = p->place_of;
    d->all_points = l->s->all_positions;
    d->metric = o->sphere ? SCAN_SPHERE : SCAN_PLANE;
    o->n_ids = l->r.ids.n;
    o->first_id = p->first_id;
    o->id = p->id;
    o->x = p->first_x;
    o->y = p->first_y;
    if (l->s->options.analysis == SCAN_TEMPORAL) return ERR_OK;
    TRY(set_grid(l, err));
    if (l->s->edges != NULL) {
        if (l->s->options.shape != SCAN_FLEXIBLE) d->metric = SCAN_NETWORK;
        TRY(set_edges(l, err));
    }
    if (l->s->neighbors == NULL) return ERR_OK;
    d->metric = SCAN_LISTED;
    return set_neighbors(l, err);
}

/* ---- all together ---- */

static enum time_unit wanted_precision(const struct scan_settings *s) {
    if (s->precision_given) return s->precision;
    return s->options.analysis == SCAN_SPATIAL ? TIME_NONE : s->unit;
}

static enum err_code check_model(const struct scan_settings *s, struct err *err) {
    bool temporal = s->options.analysis == SCAN_TEMPORAL;
    if (s->cases == NULL) return err_fail(err, ERR_INVALID, "no file of cases is given (--cases)");
    if (s->model == SCAN_BERNOULLI && s->controls == NULL)
        return err_fail(err, ERR_INVALID, "the Bernoulli model needs controls (--controls)");
    if (s->model != SCAN_BERNOULLI && s->controls != NULL)
        return err_fail(err, ERR_INVALID, "only the Bernoulli model has controls");
    if (s->model != SCAN_POISSON && s->population != NULL)
        return err_fail(err, ERR_INVALID, "only the Poisson model has a population");
    if (s->model == SCAN_POISSON && s->population == NULL && !temporal)
        return err_fail(err, ERR_INVALID, "the Poisson model needs a population (--population)");
    if (s->model == SCAN_PERMUTATION && s->options.analysis != SCAN_SPACE_TIME)
        return err_fail(err, ERR_INVALID,
                        "the permutation model needs places and times (--analysis space-time)");
    if (s->covariates != NULL && s->model != SCAN_POISSON)
        return err_fail(err, ERR_INVALID, "only the Poisson model is adjusted for covariates");
    return ERR_OK;
}

static enum err_code check_where(const struct scan_settings *s, struct err *err) {
    bool temporal = s->options.analysis == SCAN_TEMPORAL;
    if (s->options.shape == SCAN_FLEXIBLE && s->edges == NULL)
        return err_fail(err, ERR_INVALID, "flexible windows need neighbours by --edges");
    if (s->edges != NULL && s->neighbors != NULL)
        return err_fail(err, ERR_INVALID, "give --edges or --neighbors, not both");
    if (s->grid != NULL && (s->edges != NULL || s->neighbors != NULL))
        return err_fail(err, ERR_INVALID, "a grid of centres needs plain distances");
    if (!temporal && s->n_geo == 0 &&
        (s->grid != NULL || (s->edges == NULL && s->neighbors == NULL)))
        return err_fail(err, ERR_INVALID, "no file of places is given (--geo)");
    if (s->options.max_size < 0 || s->options.max_size > 0.5)
        return err_fail(err, ERR_INVALID, "the maximum size %g is not in (0, 0.5]",
                        s->options.max_size);
    return ERR_OK;
}

enum err_code scan_settings_check(const struct scan_settings *s, struct err *err) {
    bool spatial = s->options.analysis == SCAN_SPATIAL;
    TRY(check_model(s, err));
    TRY(check_where(s, err));
    if (s->options.iterative && s->options.location_f)
        return err_fail(err, ERR_INVALID, "the F function is of one scan, not an iterative one");
    if (spatial && s->options.prospective)
        return err_fail(err, ERR_INVALID, "a purely spatial scan cannot be prospective");
    if (!spatial && (s->unit == TIME_NONE || wanted_precision(s) == TIME_NONE))
        return err_fail(err, ERR_INVALID,
                        "a scan in time needs cases with times (--precision) and slots (--unit)");
    if ((s->start == NULL) != (s->end == NULL))
        return err_fail(err, ERR_INVALID, "the study period needs both its start and its end");
    return ERR_OK;
}

static const char *list_unverified(struct arena *a, const struct scan_study *o) {
    const struct scan_options *p = &o->options;
    enum scan_model model = o->data.model;
    bool known = model == SCAN_POISSON     ? !p->prospective
                 : model == SCAN_BERNOULLI ? p->analysis == SCAN_SPATIAL
                                           : p->prospective;
    const char *metric = o->data.metric == SCAN_NETWORK  ? "network distance; "
                         : o->data.metric == SCAN_LISTED ? "listed neighbours; "
                                                         : "";
    const char *text = arena_printf(
        a, "%s%s%s%s%s%s%s%s%s%s", known ? "" : "this model with this analysis; ",
        p->rates == SCAN_HIGH ? "" : "low rates; ",
        p->shape == SCAN_CIRCLE    ? ""
        : p->shape == SCAN_ELLIPSE ? "ellipses; "
                                   : "flexible windows; ",
        metric, o->data.grid.n > 0 ? "grid of centres; " : "",
        o->data.place_of != NULL ? "several positions; " : "", p->iterative ? "iterative; " : "",
        p->also_spatial || p->also_temporal ? "purely spatial or temporal windows too; " : "",
        p->location_f ? "location F; " : "", p->overlap == SCAN_NO_OVERLAP ? "" : "overlap rule; ");
    if (text == NULL) return NULL;
    size_t n = strlen(text);
    return arena_dup(a, text, n < 2 ? 0 : n - 2);
}

enum err_code scan_study_load(struct arena *a, const struct scan_settings *settings,
                              struct scan_study *out, struct err *err) {
    *out = (struct scan_study){.settings = *settings, .options = settings->options};
    const struct scan_settings *s = &out->settings;
    struct loading l = {.a = a,
                        .s = s,
                        .out = out,
                        .r = {.a = a,
                              .precision = wanted_precision(s),
                              .relaxed_places = s->relaxed_places,
                              .relaxed_times = s->relaxed_times}};
    l.r.generic = s->unit == TIME_GENERIC || l.r.precision == TIME_GENERIC;
    names_init(&l.r.ids, a);
    names_init(&l.r.strata, a);
    TRY(scan_settings_check(s, err));
    out->options.ellipse_shape = out->settings.ellipse_shape;
    out->options.ellipse_angles = out->settings.ellipse_angles;
    TRY(set_period(&l, err));
    TRY(load_places(&l, err));
    TRY(load_counts(&l, err));
    if (s->options.analysis == SCAN_TEMPORAL) TRY(places_all_in_one(a, &l.r.ids, &l.places, err));
    TRY(set_slots(&l, err));
    TRY(set_counts(&l, err));
    out->data.model = s->model;
    out->data.n_slots = out->slots.n;
    out->data.slot_days = out->dated ? out->slots.slot_days : 0;
    if (s->model == SCAN_POISSON) TRY(set_expected(&l, err));
    TRY(set_geography(&l, err));
    out->left_out_places = l.r.left_out_places;
    out->left_out_times = l.r.left_out_times;
    out->unverified = list_unverified(a, out);
    return out->unverified != NULL ? ERR_OK : err_fail(err, ERR_NOMEM, "no memory");
}

enum err_code scan_study_run(const struct scan_study *study, const struct num_run *run,
                             struct arena *a, struct scan_result *out, struct err *err) {
    return scan_run(&study->data, &study->options, run, a, out, err);
}

double scan_study_population(const struct scan_study *study, const struct scan_cluster *cluster) {
    double sum = 0;
    if (study->population == NULL) return NAN;
    for (size_t i = 0; i < cluster->n_places; i++) sum += study->population[cluster->places[i]];
    return sum;
}

void scan_study_days(const struct scan_study *study, const struct scan_cluster *cluster,
                     int64_t *first, int64_t *last) {
    *first = (int64_t)study->slots.border[cluster->slot_first];
    *last = (int64_t)study->slots.border[cluster->slot_last + 1] - 1;
}
