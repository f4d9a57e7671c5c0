#include "num/scan/check.h"

#include <math.h>

static enum err_code check_points(const struct scan_points *p, enum scan_metric metric,
                                  const char *what, struct err *err) {
    for (size_t i = 0; i < p->n; i++) {
        if (!isfinite(p->x[i]) || !isfinite(p->y[i]))
            return err_fail(err, ERR_INVALID, "%s %zu: a coordinate is not finite", what, i);
        if (metric == SCAN_SPHERE && (fabs(p->x[i]) > 360.0 || fabs(p->y[i]) > 90.0))
            return err_fail(err, ERR_INVALID, "%s %zu: longitude %g, latitude %g", what, i, p->x[i],
                            p->y[i]);
    }
    return ERR_OK;
}

static enum err_code check_counts(const struct scan_data *d, const struct scan_count *c, size_t n,
                                  const char *what, struct err *err) {
    for (size_t i = 0; i < n; i++)
        if (c[i].place >= d->n_places || c[i].slot >= d->n_slots)
            return err_fail(err, ERR_INVALID, "%s row %zu: place %u of %zu, slot %u of %zu", what,
                            i, c[i].place, d->n_places, c[i].slot, d->n_slots);
    return ERR_OK;
}

static enum err_code check_lists(const struct scan_data *d, struct err *err) {
    for (size_t e = 0; e < d->n_edges; e++) {
        const struct scan_edge *edge = &d->edges[e];
        if (edge->from >= d->n_places || edge->to >= d->n_places || !(edge->length >= 0.0))
            return err_fail(err, ERR_INVALID, "edge %zu: %u to %u, length %g", e, edge->from,
                            edge->to, edge->length);
    }
    if (d->metric != SCAN_LISTED) return ERR_OK;
    for (size_t p = 0; p < d->n_places; p++)
        if (d->list_first[p] > d->list_first[p + 1])
            return err_fail(err, ERR_INVALID, "place %zu: its neighbours end before they begin", p);
    for (size_t i = d->list_first[0]; i < d->list_first[d->n_places]; i++)
        if (d->list_place[i] >= d->n_places)
            return err_fail(err, ERR_INVALID, "neighbour %zu: place %u of %zu", i, d->list_place[i],
                            d->n_places);
    return ERR_OK;
}

static enum err_code check_places(const struct scan_data *d, struct err *err) {
    bool coordinates = d->metric == SCAN_PLANE || d->metric == SCAN_SPHERE;
    if (d->n_places < 1 || d->n_places > UINT32_MAX / 4 || d->n_slots < 1)
        return err_fail(err, ERR_INVALID, "%zu places, %zu slots", d->n_places, d->n_slots);
    if (d->n_slots > SCAN_MAX_SLOTS)
        return err_fail(err, ERR_LIMIT, "the study period has %zu slots; at most %d", d->n_slots,
                        (int)SCAN_MAX_SLOTS);
    if (coordinates && d->place_of == NULL && d->points.n != d->n_places)
        return err_fail(err, ERR_INVALID, "%zu points for %zu places", d->points.n, d->n_places);
    if (d->points.n > UINT32_MAX / 4 || d->grid.n > UINT32_MAX / 4)
        return err_fail(err, ERR_LIMIT, "%zu points, %zu of a grid", d->points.n, d->grid.n);
    for (size_t i = 0; d->place_of != NULL && i < d->points.n; i++)
        if (d->place_of[i] >= d->n_places)
            return err_fail(err, ERR_INVALID, "point %zu belongs to place %u of %zu", i,
                            d->place_of[i], d->n_places);
    if (!coordinates && d->grid.n > 0)
        return err_fail(err, ERR_INVALID, "a grid of centres needs coordinates");
    TRY(check_points(&d->points, d->metric, "point", err));
    TRY(check_points(&d->grid, d->metric, "grid point", err));
    return check_lists(d, err);
}

static enum err_code check_shape(const struct scan_data *d, const struct scan_options *o,
                                 struct err *err) {
    if (o->shape != SCAN_ELLIPSE) return ERR_OK;
    if (d->metric != SCAN_PLANE)
        return err_fail(err, ERR_INVALID, "ellipses need plane coordinates");
    for (size_t i = 0; i < o->n_ellipses; i++)
        if (!(o->ellipse_shape[i] > 1.0) || !isfinite(o->ellipse_shape[i]) ||
            o->ellipse_angles[i] < 1 || o->ellipse_angles[i] > 360)
            return err_fail(err, ERR_INVALID, "ellipse %zu: shape %g, %u angles", i,
                            o->ellipse_shape[i], o->ellipse_angles[i]);
    if (!(o->ellipse_penalty >= 0.0))
        return err_fail(err, ERR_INVALID, "the penalty of ellipses is %g", o->ellipse_penalty);
    return ERR_OK;
}

enum err_code scan_check(const struct scan_data *d, const struct scan_options *o, struct err *err) {
    TRY(check_places(d, err));
    TRY(check_counts(d, d->cases, d->n_cases, "cases", err));
    TRY(check_counts(d, d->controls, d->n_controls, "controls", err));
    if (d->model == SCAN_POISSON && d->expected == NULL)
        return err_fail(err, ERR_INVALID, "the Poisson model needs expected cases");
    if (d->model == SCAN_PERMUTATION && o->analysis != SCAN_SPACE_TIME)
        return err_fail(err, ERR_INVALID, "the permutation model is for space and time together");
    if (o->rates < SCAN_HIGH || o->rates > SCAN_BOTH)
        return err_fail(err, ERR_INVALID, "neither high nor low rates are asked for");
    if (!(o->max_size >= 0.0 && o->max_size <= 0.5))
        return err_fail(err, ERR_INVALID, "largest window: share %g, at most 0.5", o->max_size);
    if (!(o->max_radius >= 0.0))
        return err_fail(err, ERR_INVALID, "largest radius: %g", o->max_radius);
    if (o->replicas > 999999)
        return err_fail(err, ERR_LIMIT, "%u replicas; at most 999,999", o->replicas);
    if (o->iterative && o->location_f)
        return err_fail(err, ERR_INVALID, "the F function is of one scan, not an iterative one");
    if (o->iterative && !(o->iterate_p >= 0.0 && o->iterate_p <= 1.0))
        return err_fail(err, ERR_INVALID, "iterative scan: p %g", o->iterate_p);
    return check_shape(d, o, err);
}
