/* Prospective space-time scans: clusters that are still going on at the end of the day. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "domain/measure/warn_inside.h"
#include "geo/crs.h"
#include "num/scan/scan.h"

enum { MAX_CLUSTERS = 10, STOP_AFTER = 5, LEAST_WINDOWS = 4 };

/* The places and counts of one scan; all by place. */
struct field {
    size_t n_places, n_counts, n_slots;
    const char **code; /* "" of a square */
    double *lon, *lat;
    uint32_t *place_of; /* by row of the group: its place, or UINT32_MAX */
    struct scan_count *count;
    double *expected;
    const uint32_t *row; /* the group */
    size_t n;
};

/* A row on its way to its place. */
struct stand {
    const char *code; /* "" : by square */
    int64_t x, y;
    uint32_t at; /* row of the group */
};

static int by_stand(const void *a, const void *b) {
    const struct stand *s = a, *t = b;
    int c = strcmp(s->code, t->code);
    if (c != 0) return c;
    if (s->x != t->x) return s->x < t->x ? -1 : 1;
    if (s->y != t->y) return s->y < t->y ? -1 : 1;
    return s->at < t->at ? -1 : s->at > t->at;
}

static bool same_place(const struct stand *s, const struct stand *t) {
    return s->code == t->code && s->x == t->x && s->y == t->y;
}

/* Squares lie on one fixed grid of the group's latitude, so that a later row moves none. */
static struct stand stand_of(const struct warn_work *w, const struct warn_row *r, double north) {
    struct stand s = {.code = ""};
    if (w->rule->level != WARN_POINT && r->place[w->rule->level][0] != '\0') {
        s.code = r->place[w->rule->level];
        return s;
    }
    double per_lon = 0, per_lat = 0;
    geo_metres_per_degree(north, &per_lon, &per_lat);
    s.x = (int64_t)floor(r->lon * per_lon / w->rule->grid_m);
    s.y = (int64_t)floor(r->lat * per_lat / w->rule->grid_m);
    return s;
}

static enum err_code field_memory(struct warn_work *w, struct field *f, struct err *err) {
    size_t n = f->n + 1;
    f->code = ARENA_NEW(w->scratch, const char *, n);
    f->lon = ARENA_NEW(w->scratch, double, n);
    f->lat = ARENA_NEW(w->scratch, double, n);
    f->place_of = ARENA_NEW(w->scratch, uint32_t, n);
    f->count = ARENA_NEW(w->scratch, struct scan_count, n);
    return f->code == NULL || f->lon == NULL || f->lat == NULL || f->place_of == NULL ||
                   f->count == NULL
               ? err_fail(err, ERR_NOMEM, "warnings")
               : ERR_OK;
}

/* Days of the rule, or as many as the data reach back. */
static size_t slots_of(const struct warn_work *w) {
    double have = (double)(w->view->day - w->view->rows->begin + 1);
    return (size_t)(have < w->rule->history ? have : w->rule->history);
}

/* Rows with a point, by place; a place lies in the middle of its rows. */
static enum err_code field_new(struct warn_work *w, const uint32_t *row, size_t n_rows,
                               struct field *f, struct err *err) {
    const struct warn_rows *rows = w->view->rows;
    *f = (struct field){.row = row, .n = n_rows, .n_slots = slots_of(w)};
    struct stand *s = ARENA_NEW(w->scratch, struct stand, n_rows + 1);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    TRY(field_memory(w, f, err));
    size_t n = 0;
    double north = NAN;
    for (size_t i = 0; i < n_rows; i++) {
        const struct warn_row *r = &rows->row[row[i]];
        f->place_of[i] = UINT32_MAX;
        if (isnan(r->lon)) continue;
        if (isnan(north)) north = floor(r->lat * 2) / 2;
        s[n] = stand_of(w, r, north);
        s[n++].at = (uint32_t)i;
    }
    if (n > 1) qsort(s, n, sizeof *s, by_stand);
    int32_t first = w->view->day - (int32_t)f->n_slots + 1;
    size_t in_place = 0;
    for (size_t i = 0; i < n; i++) {
        const struct warn_row *r = &rows->row[row[s[i].at]];
        bool fresh = i == 0 || !same_place(&s[i], &s[i - 1]);
        if (fresh) f->code[f->n_places++] = s[i].code;
        in_place = fresh ? 1 : in_place + 1;
        size_t p = f->n_places - 1;
        f->lon[p] += (r->lon - f->lon[p]) / (double)in_place;
        f->lat[p] += (r->lat - f->lat[p]) / (double)in_place;
        f->place_of[s[i].at] = (uint32_t)p;
        f->count[f->n_counts++] = (struct scan_count){(uint32_t)p, (uint32_t)(r->day - first), 1};
    }
    return ERR_OK;
}

/* Poisson: a place's share of the time before the windows, the same each day of the week. */
static enum err_code expect(struct warn_work *w, struct field *f, struct err *err) {
    size_t before = f->n_slots - (size_t)w->rule->max_days;
    double day_sum[7] = {0}, days[7] = {0};
    int32_t first = w->view->day - (int32_t)f->n_slots + 1;
    f->expected = ARENA_NEW(w->scratch, double, f->n_places * f->n_slots + 1);
    double *share = ARENA_NEW(w->scratch, double, f->n_places + 1);
    if (f->expected == NULL || share == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t p = 0; p < f->n_places; p++) share[p] = 0.5;
    for (size_t i = 0; i < f->n_counts; i++) {
        if (f->count[i].slot >= before) continue;
        share[f->count[i].place] += 1;
        day_sum[civil_weekday(first + (int32_t)f->count[i].slot)] += 1;
    }
    for (size_t t = 0; t < before; t++) days[civil_weekday(first + (int32_t)t)] += 1;
    for (size_t p = 0; p < f->n_places; p++)
        for (size_t t = 0; t < f->n_slots; t++) {
            int d = civil_weekday(first + (int32_t)t);
            f->expected[p * f->n_slots + t] =
                share[p] * (day_sum[d] + 0.5) / (days[d] > 0 ? days[d] : 1);
        }
    return ERR_OK;
}

static uint64_t seed_of(const struct warn_work *w, uint32_t cls) {
    uint64_t h = w->ask->seed ^ 14695981039346656037u;
    for (const char *p = w->rule->name; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    return (h ^ (uint64_t)(uint32_t)w->view->day << 32 ^ cls) * 0x9e3779b97f4a7c15u;
}

/* The cases in a cluster and the codes of its places. */
static enum err_code tell(struct warn_work *w, const struct field *f, const struct scan_cluster *c,
                          struct warn_signal *s, struct err *err) {
    bool *in = ARENA_NEW(w->scratch, bool, f->n_places);
    uint32_t *row = ARENA_NEW(w->a, uint32_t, (size_t)c->observed + 1);
    const char **code = ARENA_NEW(w->a, const char *, c->n_places);
    if (in == NULL || row == NULL || code == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < c->n_places; i++) {
        in[c->places[i]] = true;
        if (f->code[c->places[i]][0] != '\0') code[s->n_places++] = f->code[c->places[i]];
    }
    for (size_t i = 0; i < f->n; i++) {
        uint32_t p = f->place_of[i];
        if (p == UINT32_MAX || !in[p] || w->view->rows->row[f->row[i]].day < s->from) continue;
        if (s->n_rows < (size_t)c->observed) row[s->n_rows++] = f->row[i];
    }
    s->row = row;
    s->place = code;
    return ERR_OK;
}

static enum err_code keep_clusters(struct warn_work *w, const struct field *f,
                                   const struct scan_result *r, uint32_t cls, size_t n_scans,
                                   struct err *err) {
    bool group = w->rule->by_group;
    for (size_t i = 0; i < r->n_clusters; i++) {
        const struct scan_cluster *c = &r->clusters[i];
        double p = c->p_value;
        /* No replica reached it: the tail of their maxima says how much rarer it is. */
        if (c->rank_in == 1 && !isnan(c->p_gumbel) && c->p_gumbel < p) p = c->p_gumbel;
        double recurrence = 1 / fmax(p, 1e-12);
        if (recurrence < w->rule->recurrence || (double)c->observed < w->rule->min) continue;
        struct warn_signal s = {.cls = group ? WARN_ANY_CLASS : cls,
                                .group = cls,
                                .from = w->view->day - (int32_t)(c->slot_last - c->slot_first),
                                .observed = (double)c->observed,
                                .expected = c->expected,
                                .p = p,
                                .recurrence = recurrence,
                                .n_series = n_scans};
        TRY(tell(w, f, c, &s, err));
        TRY(warn_keep(w, &s, s.row, s.n_rows, err));
    }
    return ERR_OK;
}

static enum err_code scan_group(struct warn_work *w, const uint32_t *row, size_t n, uint32_t cls,
                                size_t n_scans, struct err *err) {
    struct field f;
    TRY(field_new(w, row, n, &f, err));
    if (f.n_places < 2 || (double)f.n_counts < 2 * w->rule->min) return ERR_OK;
    if (w->rule->poisson) TRY(expect(w, &f, err));
    struct scan_data data = {.model = w->rule->poisson ? SCAN_POISSON : SCAN_PERMUTATION,
                             .n_places = f.n_places,
                             .n_slots = f.n_slots,
                             .slot_days = 1,
                             .metric = SCAN_SPHERE,
                             .points = {f.n_places, f.lon, f.lat},
                             .cases = f.count,
                             .n_cases = f.n_counts,
                             .expected = f.expected};
    struct scan_options o = {.analysis = SCAN_SPACE_TIME,
                             .prospective = true,
                             .rates = SCAN_HIGH,
                             .max_size = w->rule->max_share,
                             .max_radius = w->rule->max_radius_m / 1000,
                             .min_slots = 1,
                             .max_slots = (size_t)w->rule->max_days,
                             .min_cases = (unsigned)w->rule->min,
                             .replicas = (uint32_t)w->rule->replicas,
                             .seed = seed_of(w, cls),
                             .p_mode = SCAN_P_SEQUENTIAL,
                             .stop_after = STOP_AFTER,
                             .overlap = SCAN_NO_OVERLAP,
                             .max_clusters = MAX_CLUSTERS};
    struct scan_result r;
    TRY(scan_run(&data, &o, w->ask->run, w->scratch, &r, err));
    return keep_clusters(w, &f, &r, cls, n_scans, err);
}

/* Whether the group has enough in the days that a window may hold. */
static bool lively(const struct warn_work *w, const uint32_t *row, size_t n) {
    size_t k = 0;
    for (size_t i = n; i > 0; i--) {
        const struct warn_row *r = &w->view->rows->row[row[i - 1]];
        if ((double)r->day <= (double)w->view->day - w->rule->max_days) break;
        if (!isnan(r->lon)) k++;
    }
    return (double)k >= w->rule->min;
}

static uint32_t class_or_group(const struct warn_work *w, size_t i) {
    uint32_t cls = w->view->rows->row[w->row[i]].cls;
    return w->rule->by_group ? w->view->group[cls] : cls;
}

/* Rows by class or major class, each in the order of time. */
static enum err_code by_class(struct warn_work *w, uint32_t **out, size_t **first,
                              struct err *err) {
    size_t n_cls = w->view->rows->packs->n_classes;
    size_t *f = ARENA_NEW(w->scratch, size_t, n_cls + 2);
    uint32_t *row = ARENA_NEW(w->scratch, uint32_t, w->n_rows + 1);
    if (f == NULL || row == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < w->n_rows; i++) f[class_or_group(w, i) + 2]++;
    for (size_t k = 2; k < n_cls + 2; k++) f[k] += f[k - 1];
    for (size_t i = 0; i < w->n_rows; i++) row[f[class_or_group(w, i) + 1]++] = w->row[i];
    *out = row;
    *first = f;
    return ERR_OK;
}

enum err_code warn_scan_run(struct warn_work *w, struct err *err) {
    uint32_t *row = NULL;
    size_t *first = NULL, n_scans = 0;
    /* A city that has just begun has no past to hold a window against. */
    if (w->n_rows == 0 || (double)slots_of(w) < LEAST_WINDOWS * w->rule->max_days) return ERR_OK;
    if (!w->rule->by_class && !w->rule->by_group)
        return lively(w, w->row, w->n_rows)
                   ? scan_group(w, w->row, w->n_rows, WARN_ANY_CLASS, 1, err)
                   : ERR_OK;
    TRY(by_class(w, &row, &first, err));
    for (size_t k = 0; k < w->view->rows->packs->n_classes; k++) n_scans += first[k + 1] > first[k];
    for (size_t k = 0; k < w->view->rows->packs->n_classes; k++) {
        size_t n = first[k + 1] - first[k];
        if (n == 0 || !lively(w, row + first[k], n)) continue;
        TRY(scan_group(w, row + first[k], n, (uint32_t)k, n_scans, err));
    }
    return ERR_OK;
}
