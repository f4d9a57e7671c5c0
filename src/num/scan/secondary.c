#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/pass.h"
#include "num/scan/window.h"

/* The clusters told so far and what is asked of the next one. */
struct chooser {
    const struct scan_data *data;
    const struct scan_options *options;
    const struct scan_zones *zones;
    const struct scan_best *best;
    const size_t *chosen;
    size_t n_chosen;
    bool *taken;       /* places of told clusters */
    bool *center_told; /* centres of which a window was looked at */
    uint32_t *mark;    /* places of the window in question hold `now` */
    uint32_t now;
};

struct order {
    const struct scan_best *best;
};

static int compare_best(const void *a, const void *b, void *arg) {
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const struct scan_best *x = &((struct order *)arg)->best[i];
    const struct scan_best *y = &((struct order *)arg)->best[j];
    if (x->llr != y->llr) return x->llr > y->llr ? -1 : 1;
    /* A window over all places has len 0 and comes first. */
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    return i < j ? -1 : i > j;
}

static uint32_t member(const struct chooser *c, size_t list, size_t i) {
    return scan_zones_member(c->zones, c->zones->first[list] + i);
}

static bool holds(const struct chooser *c, size_t list, uint32_t place) {
    for (size_t i = 0; i < c->best[list].len; i++)
        if (member(c, list, i) == place) return true;
    return false;
}

/* Is the centre of one window inside the other? By distance where there are coordinates, else by
 * the places. */
static bool center_in(const struct chooser *c, size_t of, size_t in) {
    const struct scan_data *d = c->data;
    const struct scan_zones *z = c->zones;
    if (d->metric == SCAN_NETWORK || d->metric == SCAN_LISTED || c->options->shape == SCAN_FLEXIBLE)
        return holds(c, in, z->center[of]);
    const struct scan_points *centers = d->grid.n > 0 ? &d->grid : &d->points;
    size_t i = z->center_point != NULL ? z->center_point[of] : z->center[of];
    size_t j = z->center_point != NULL ? z->center_point[in] : z->center[in];
    double shape = z->shape != NULL ? z->shape[in] : 1.0;
    double angle = z->angle != NULL ? z->angle[in] : 0.0;
    double p[3] = {0}, q[3] = {0};
    window_coordinates(d->metric, centers->x[i], centers->y[i], shape, angle, p);
    window_coordinates(d->metric, centers->x[j], centers->y[j], shape, angle, q);
    double way = near_distance(p, q, d->metric == SCAN_SPHERE ? 3 : 2);
    if (d->metric == SCAN_SPHERE)
        way = 2.0 * SCAN_EARTH_KM * asin(fmin(way / (2.0 * SCAN_EARTH_KM), 1.0));
    return way <= scan_zones_radius(d, z, in, c->best[in].len - 1) * (1.0 + 1e-9);
}

/* The same places and time as one already told. */
static bool is_told(struct chooser *c, size_t list) {
    const struct scan_best *b = &c->best[list];
    c->now++;
    for (size_t i = 0; i < b->len; i++) c->mark[member(c, list, i)] = c->now;
    for (size_t k = 0; k < c->n_chosen; k++) {
        const struct scan_best *t = &c->best[c->chosen[k]];
        if (t->len != b->len || t->slot_first != b->slot_first || t->slot_last != b->slot_last)
            continue;
        bool same = true;
        for (size_t i = 0; i < t->len && same; i++)
            same = c->mark[member(c, c->chosen[k], i)] == c->now;
        if (same) return true;
    }
    return false;
}

static bool clashes(const struct chooser *c, size_t list, size_t told) {
    switch (c->options->overlap) {
    case SCAN_NO_CENTER_IN_OTHER:
        return center_in(c, list, told) || center_in(c, told, list);
    case SCAN_NO_CENTER_IN_MORE:
        return center_in(c, list, told);
    case SCAN_NO_CENTER_IN_LESS:
        return center_in(c, told, list);
    case SCAN_NO_PAIRS_IN_EACH:
        return center_in(c, list, told) && center_in(c, told, list);
    case SCAN_ONLY_MOST_LIKELY:
        return true;
    case SCAN_NO_OVERLAP:
    case SCAN_ANY_OVERLAP:
        return false;
    }
    return false;
}

static bool may_tell(struct chooser *c, size_t list) {
    const struct scan_best *b = &c->best[list];
    if (b->len == 0) return c->options->overlap != SCAN_ONLY_MOST_LIKELY || c->n_chosen == 0;
    size_t center =
        c->zones->center_point != NULL ? c->zones->center_point[list] : c->zones->center[list];
    if (c->center_told[center]) return false;
    c->center_told[center] = true;
    if (is_told(c, list)) return false;
    if (c->options->overlap == SCAN_NO_OVERLAP)
        for (size_t i = 0; i < b->len; i++)
            if (c->taken[member(c, list, i)]) return false;
    for (size_t k = 0; k < c->n_chosen; k++) {
        bool spatial = c->best[c->chosen[k]].len > 0;
        if (spatial || c->options->overlap == SCAN_ONLY_MOST_LIKELY)
            if (clashes(c, list, c->chosen[k])) return false;
    }
    return true;
}

static size_t choose(struct chooser *c, const size_t *order, size_t n, size_t *chosen) {
    size_t most = c->options->max_clusters > 0 ? c->options->max_clusters : 100;
    c->chosen = chosen;
    for (size_t i = 0; i < n && c->n_chosen < most; i++) {
        if (!may_tell(c, order[i])) continue;
        for (size_t k = 0; k < c->best[order[i]].len; k++) c->taken[member(c, order[i], k)] = true;
        chosen[c->n_chosen++] = order[i];
    }
    return c->n_chosen;
}

enum err_code scan_choose(const struct scan_data *data, const struct scan_options *options,
                          const struct scan_zones *zones, const struct scan_best *best,
                          size_t n_best, size_t *chosen, size_t *n_chosen, struct err *err) {
    size_t n_centers = data->grid.n > data->points.n ? data->grid.n : data->points.n;
    if (n_centers < data->n_places) n_centers = data->n_places;
    struct chooser c = {.data = data, .options = options, .zones = zones, .best = best};
    size_t *order = mem_new(n_best, sizeof *order), n = 0;
    c.taken = mem_new(data->n_places, sizeof *c.taken);
    c.center_told = mem_new(n_centers, sizeof *c.center_told);
    c.mark = mem_new(data->n_places, sizeof *c.mark);
    enum err_code code = ERR_OK;
    if (order == NULL || c.taken == NULL || c.center_told == NULL || c.mark == NULL) {
        code = err_fail(err, ERR_NOMEM, "choice of clusters");
    } else {
        for (size_t i = 0; i < n_best; i++)
            if (best[i].llr > 0.0) order[n++] = i;
        struct order by = {.best = best};
        qsort_r(order, n, sizeof *order, compare_best, &by);
        *n_chosen = choose(&c, order, n, chosen);
    }
    mem_free(order);
    mem_free(c.taken);
    mem_free(c.center_told);
    mem_free(c.mark);
    return code;
}
