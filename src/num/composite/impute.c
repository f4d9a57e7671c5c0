#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/composite/stages.h"

struct imputing {
    const struct composite_data *d; /* group, unit, time; n_area columns */
    const struct composite_tree *t;
    const struct composite_impute *how;
    const struct num_run *run;
    double *value;
    double *sorted;  /* n_area */
    uint32_t *order; /* n_area: columns by unit and time */
    uint32_t n_group;
};

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

/* Mean or median of the values there of a row within a group (COMPOSITE_NONE: of all). NaN when
 * there is none. */
static double centre(struct imputing *im, const double *row, uint32_t group, bool median) {
    size_t n = 0;
    double sum = 0;
    for (size_t j = 0; j < im->d->n_area; j++) {
        if (isnan(row[j]) || (group != COMPOSITE_NONE && im->d->group[j] != group)) continue;
        im->sorted[n++] = row[j];
        sum += row[j];
    }
    if (n == 0) return NAN;
    if (!median) return sum / (double)n;
    qsort(im->sorted, n, sizeof *im->sorted, by_value);
    return n % 2 == 1 ? im->sorted[n / 2] : (im->sorted[n / 2 - 1] + im->sorted[n / 2]) / 2;
}

static void fill_centre(struct imputing *im, double *row, double *to, bool grouped, bool median) {
    uint32_t n_group = grouped ? im->n_group : 1;
    for (uint32_t g = 0; g < n_group; g++) {
        double c = centre(im, row, grouped ? g : COMPOSITE_NONE, median);
        for (size_t j = 0; j < im->d->n_area; j++) {
            if (isnan(row[j]) && (!grouped || im->d->group[j] == g)) to[j] = c;
        }
    }
}

/* ---- panel ---- */

static bool comes_before(const struct composite_data *d, uint32_t a, uint32_t b) {
    if (d->unit[a] != d->unit[b]) return d->unit[a] < d->unit[b];
    if (d->time[a] != d->time[b]) return d->time[a] < d->time[b];
    return a < b;
}

/* Shell's sort; panels come nearly in order. */
static void order_panel(struct imputing *im) {
    size_t n = im->d->n_area;
    uint32_t *order = im->order;
    for (size_t j = 0; j < n; j++) order[j] = (uint32_t)j;
    for (size_t gap = n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
        for (size_t i = gap; i < n; i++) {
            uint32_t v = order[i];
            size_t k = i;
            for (; k >= gap && comes_before(im->d, v, order[k - gap]); k -= gap)
                order[k] = order[k - gap];
            order[k] = v;
        }
    }
}

/* Nearest value there of the same unit on one side of position k in order: its column, or
 * COMPOSITE_NONE. */
static uint32_t neighbour(const struct imputing *im, const double *row, size_t k, int step) {
    const uint32_t *order = im->order;
    size_t n = im->d->n_area;
    for (size_t i = k + (size_t)step; i < n; i += (size_t)step) {
        if (im->d->unit[order[i]] != im->d->unit[order[k]]) break;
        if (!isnan(row[order[i]])) return order[i];
    }
    return COMPOSITE_NONE;
}

static void fill_panel(const struct imputing *im, const double *row, double *to, bool linear) {
    const double *time = im->d->time;
    double reach = im->how->max_gap > 0 ? im->how->max_gap : INFINITY;
    if (im->d->unit == NULL || time == NULL) return; /* check_how has refused it before */
    for (size_t k = 0; k < im->d->n_area; k++) {
        uint32_t at = im->order[k];
        if (!isnan(row[at])) continue;
        uint32_t before = neighbour(im, row, k, -1);
        uint32_t after = linear ? neighbour(im, row, k, 1) : COMPOSITE_NONE;
        bool has_before = before != COMPOSITE_NONE && time[at] - time[before] <= reach;
        bool has_after = after != COMPOSITE_NONE && time[after] - time[at] <= reach;
        if (has_before && has_after && time[after] > time[before]) {
            double share = (time[at] - time[before]) / (time[after] - time[before]);
            to[at] = row[before] + share * (row[after] - row[before]);
        } else if (has_before) {
            to[at] = row[before];
        } else if (has_after) {
            to[at] = row[after];
        }
    }
}

/* ---- EM, parent by parent ---- */

static enum err_code fill_em(const struct imputing *im, struct arena *a, unsigned *iterations,
                             struct err *err) {
    const struct composite_tree *t = im->t;
    uint32_t *var = ARENA_NEW(a, uint32_t, t->n_ind);
    if (var == NULL) return err_fail(err, ERR_NOMEM, "no memory for EM");
    for (uint32_t node = (uint32_t)t->n_ind; node < t->n_node; node++) {
        size_t n = 0;
        for (uint32_t i = 0; i < t->n_ind; i++) {
            if (im->how->em_whole || t->parent[i] == node) var[n++] = i;
        }
        unsigned steps = 0;
        if (n > 0)
            TRY(composite_em(t, var, n, im->d->n_area, im->how, im->run, im->value, &steps, err));
        if (steps > *iterations) *iterations = steps;
        if (im->how->em_whole) break;
    }
    return ERR_OK;
}

/* ---- all ---- */

static enum err_code check_how(const struct imputing *im, enum composite_impute_kind kind,
                               struct err *err) {
    bool grouped = kind == COMPOSITE_IMPUTE_GROUP_MEAN || kind == COMPOSITE_IMPUTE_GROUP_MEDIAN;
    bool panel = kind == COMPOSITE_IMPUTE_PANEL_LAST || kind == COMPOSITE_IMPUTE_PANEL_LINEAR;
    if (kind > COMPOSITE_IMPUTE_PANEL_LINEAR)
        return err_fail(err, ERR_INVALID, "there is no such imputation (%d)", (int)kind);
    if (grouped && im->d->group == NULL)
        return err_fail(err, ERR_INVALID, "imputation by group needs a grouping of the areas");
    if (panel && (im->d->unit == NULL || im->d->time == NULL))
        return err_fail(err, ERR_INVALID, "imputation by panel needs areas at several times");
    return ERR_OK;
}

static enum err_code fill_by(struct imputing *im, enum composite_impute_kind kind, struct arena *a,
                             unsigned *iterations, struct err *err) {
    size_t n = im->d->n_area;
    if (kind == COMPOSITE_IMPUTE_NONE) return ERR_OK;
    if (kind == COMPOSITE_IMPUTE_EM) return fill_em(im, a, iterations, err);
    double *to = ARENA_NEW(a, double, n);
    if (to == NULL) return err_fail(err, ERR_NOMEM, "no memory for %zu areas", n);
    for (size_t i = 0; i < im->t->n_ind; i++) {
        double *row = im->value + i * n;
        memcpy(to, row, n * sizeof *to);
        switch (kind) {
        case COMPOSITE_IMPUTE_MEAN:
            fill_centre(im, row, to, false, false);
            break;
        case COMPOSITE_IMPUTE_MEDIAN:
            fill_centre(im, row, to, false, true);
            break;
        case COMPOSITE_IMPUTE_GROUP_MEAN:
            fill_centre(im, row, to, true, false);
            break;
        case COMPOSITE_IMPUTE_GROUP_MEDIAN:
            fill_centre(im, row, to, true, true);
            break;
        case COMPOSITE_IMPUTE_PANEL_LAST:
            fill_panel(im, row, to, false);
            break;
        case COMPOSITE_IMPUTE_PANEL_LINEAR:
            fill_panel(im, row, to, true);
            break;
        case COMPOSITE_IMPUTE_NONE:
        case COMPOSITE_IMPUTE_EM:
            break;
        }
        memcpy(row, to, n * sizeof *to);
    }
    return ERR_OK;
}

static size_t count_missing(const double *value, size_t n) {
    size_t missing = 0;
    for (size_t k = 0; k < n; k++) missing += isnan(value[k]) ? 1 : 0;
    return missing;
}

enum err_code composite_impute_gaps(const struct composite_data *d, const struct composite_tree *t,
                                    const struct composite_impute *how, const struct num_run *run,
                                    struct arena *a, double *value, struct composite_imputed *told,
                                    struct err *err) {
    struct imputing im = {.d = d,
                          .t = t,
                          .how = how,
                          .run = run,
                          .value = value,
                          .sorted = ARENA_NEW(a, double, d->n_area),
                          .order = ARENA_NEW(a, uint32_t, d->n_area)};
    if (im.sorted == NULL || im.order == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for %zu areas", d->n_area);
    TRY(check_how(&im, how->kind, err));
    TRY(check_how(&im, how->then, err));
    for (size_t j = 0; d->group != NULL && j < d->n_area; j++) {
        if (d->group[j] != COMPOSITE_NONE && d->group[j] >= im.n_group)
            im.n_group = d->group[j] + 1;
    }
    if (d->unit != NULL && d->time != NULL) order_panel(&im);
    size_t before = count_missing(value, t->n_ind * d->n_area);
    *told = (struct composite_imputed){0};
    TRY(fill_by(&im, how->kind, a, &told->em_iterations, err));
    TRY(fill_by(&im, how->then, a, &told->em_iterations, err));
    told->n_still_missing = count_missing(value, t->n_ind * d->n_area);
    told->n_imputed = before - told->n_still_missing;
    return ERR_OK;
}
