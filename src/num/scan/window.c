#include "num/scan/window.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

void window_coordinates(enum scan_metric metric, double x, double y, double shape, double angle,
                        double *out) {
    const double degree = 3.14159265358979323846 / 180.0;
    if (metric == SCAN_SPHERE) {
        out[0] = SCAN_EARTH_KM * cos(x * degree) * cos(y * degree);
        out[1] = SCAN_EARTH_KM * sin(x * degree) * cos(y * degree);
        out[2] = SCAN_EARTH_KM * sin(y * degree);
        return;
    }
    out[0] = x;
    out[1] = y;
    if (!(shape > 1.0)) return;
    /* The long axis stands at the angle; shortened by the shape the ellipse is a circle. */
    out[0] = (x * cos(angle) + y * sin(angle)) / shape;
    out[1] = y * cos(angle) - x * sin(angle);
}

static void free_kept(void *p) { mem_free(p); }

void *window_keep(struct arena *a, size_t n, size_t size) {
    void *p = mem_new(n, size);
    if (p == NULL) return NULL;
    return arena_defer(a, free_kept, p) == ERR_OK ? p : NULL;
}

static enum err_code prepare_shape(const struct windows *w, struct arena *a, struct window_shape *s,
                                   struct err *err) {
    const struct scan_data *data = w->data;
    double *points = window_keep(a, w->n_points * w->dim, sizeof *points);
    double *centers =
        data->grid.n == 0 ? points : window_keep(a, w->n_centers * w->dim, sizeof *centers);
    if (points == NULL || centers == NULL) return err_fail(err, ERR_NOMEM, "coordinates");
    for (size_t i = 0; i < w->n_points; i++)
        window_coordinates(data->metric, data->points.x[i], data->points.y[i], s->shape, s->angle,
                           points + i * w->dim);
    for (size_t i = 0; i < data->grid.n; i++)
        window_coordinates(data->metric, data->grid.x[i], data->grid.y[i], s->shape, s->angle,
                           centers + i * w->dim);
    s->points = points;
    s->centers = centers;
    return near_new(w->n_points, w->dim, points, a, &s->tree, err);
}

static enum err_code prepare_shapes(struct windows *w, struct arena *a, struct err *err) {
    const struct scan_options *o = w->options;
    size_t n = 1;
    for (size_t e = 0; o->shape == SCAN_ELLIPSE && e < o->n_ellipses; e++)
        n += o->ellipse_angles[e];
    struct window_shape *shape = ARENA_NEW(a, struct window_shape, n);
    if (shape == NULL) return err_fail(err, ERR_NOMEM, "shapes of windows");
    w->n_shapes = 0;
    shape[w->n_shapes++] = (struct window_shape){.shape = 1.0};
    for (size_t e = 0; o->shape == SCAN_ELLIPSE && e < o->n_ellipses; e++) {
        unsigned angles = o->ellipse_angles[e];
        for (unsigned k = 0; k < angles; k++)
            shape[w->n_shapes++] = (struct window_shape){
                .shape = o->ellipse_shape[e], .angle = 3.14159265358979323846 * k / angles};
    }
    w->shape = shape;
    for (size_t s = 0; s < w->n_shapes; s++) TRY(prepare_shape(w, a, &shape[s], err));
    w->tie = shape[0].points;
    return ERR_OK;
}

static enum err_code count_points(struct windows *w, struct arena *a, struct err *err) {
    const struct scan_data *data = w->data;
    if (data->place_of == NULL) return ERR_OK;
    uint32_t *n = window_keep(a, data->n_places, sizeof *n);
    if (n == NULL) return err_fail(err, ERR_NOMEM, "points of places");
    for (size_t i = 0; i < data->points.n; i++) n[data->place_of[i]]++;
    w->points_of = n;
    return ERR_OK;
}

static enum err_code find_peopled(struct windows *w, struct arena *a, struct err *err) {
    const struct scan_data *data = w->data;
    bool *peopled = window_keep(a, data->n_places, sizeof *peopled);
    if (peopled == NULL) return err_fail(err, ERR_NOMEM, "places");
    if (data->model == SCAN_POISSON) {
        for (size_t i = 0; i < data->n_places * data->n_slots; i++)
            if (data->expected[i] > 0.0) peopled[i / data->n_slots] = true;
    } else {
        for (size_t i = 0; i < data->n_cases; i++)
            if (data->cases[i].n > 0) peopled[data->cases[i].place] = true;
        for (size_t i = 0; i < data->n_controls; i++)
            if (data->controls[i].n > 0) peopled[data->controls[i].place] = true;
    }
    w->peopled = peopled;
    return ERR_OK;
}

enum err_code windows_prepare(struct windows *w, struct arena *a, struct err *err) {
    const struct scan_data *data = w->data;
    double radius = w->options->max_radius;
    w->max_distance = radius > 0.0 ? radius : INFINITY;
    w->max_members = data->n_places;
    w->n_points = data->points.n;
    w->n_shapes = 1;
    TRY(find_peopled(w, a, err));
    if (w->options->shape == SCAN_FLEXIBLE || data->metric == SCAN_NETWORK)
        TRY(window_graph_new(data, a, &w->graph, err));
    if (data->metric == SCAN_NETWORK || data->metric == SCAN_LISTED) {
        w->n_centers = data->n_places;
        return ERR_OK;
    }
    const double pi = 3.14159265358979323846;
    w->dim = data->metric == SCAN_SPHERE ? 3 : 2;
    if (data->metric == SCAN_SPHERE && radius > 0.0)
        w->max_distance = radius < pi * SCAN_EARTH_KM
                              ? 2.0 * SCAN_EARTH_KM * sin(radius / (2.0 * SCAN_EARTH_KM))
                              : INFINITY;
    w->n_centers = data->grid.n > 0 ? data->grid.n : w->n_points;
    TRY(count_points(w, a, err));
    return prepare_shapes(w, a, err);
}

void window_scratch_deinit(struct window_scratch *s) {
    mem_free(s->hits);
    mem_free(s->spare);
    mem_free(s->bucket);
    mem_free(s->seen);
    mem_free(s->heap);
    mem_free(s->at);
    mem_free(s->way);
    mem_free(s->member);
}

enum err_code window_scratch_init(const struct windows *w, struct window_scratch *s,
                                  struct err *err) {
    const struct scan_data *data = w->data;
    bool network = data->metric == SCAN_NETWORK;
    bool coordinates = w->dim > 0;
    *s = (struct window_scratch){.member = mem_new(data->n_places, sizeof *s->member)};
    if (coordinates) {
        s->hits = mem_new(w->n_points, sizeof *s->hits);
        s->spare = mem_new(w->n_points, sizeof *s->spare);
        s->bucket = mem_new(w->n_points + 1, sizeof *s->bucket);
        s->seen = mem_new(w->points_of == NULL ? 0 : data->n_places, sizeof *s->seen);
    }
    if (data->metric == SCAN_LISTED) s->seen = mem_new(data->n_places, sizeof *s->seen);
    if (network) {
        s->heap = mem_new(data->n_places, sizeof *s->heap);
        s->at = mem_new(data->n_places, sizeof *s->at);
        s->way = mem_new(data->n_places, sizeof *s->way);
    }
    bool whole = s->member != NULL && (data->metric != SCAN_LISTED || s->seen != NULL);
    if (coordinates)
        whole =
            whole && s->hits != NULL && s->spare != NULL && s->bucket != NULL && s->seen != NULL;
    if (network) whole = whole && s->heap != NULL && s->at != NULL && s->way != NULL;
    if (whole) return ERR_OK;
    window_scratch_deinit(s);
    return err_fail(err, ERR_NOMEM, "neighbours");
}

bool window_take(const struct windows *w, struct window_scratch *s, uint32_t place,
                 double *size_so_far) {
    if (w->data->left_out != NULL && w->data->left_out[place]) return true;
    if (*size_so_far + w->size[place] > w->max_size) return false;
    *size_so_far += w->size[place];
    s->member[s->n_members++] = place;
    return s->n_members < w->max_members;
}

/* One point after the other of a sorted disc; true when the limit of size was met. */
static bool take_points(const struct windows *w, struct window_scratch *s, size_t n_hits) {
    double size = 0.0;
    s->n_members = 0;
    if (w->points_of == NULL) {
        for (size_t i = 0; i < n_hits; i++)
            if (!window_take(w, s, s->hits[i].point, &size)) return true;
        return false;
    }
    memset(s->seen, 0, w->data->n_places * sizeof *s->seen);
    for (size_t i = 0; i < n_hits; i++) {
        uint32_t place = w->data->place_of[s->hits[i].point];
        uint32_t met = ++s->seen[place];
        if (met != (w->data->all_points ? w->points_of[place] : 1)) continue;
        if (!window_take(w, s, place, &size)) return true;
    }
    return false;
}

static void list_near(const struct windows *w, const struct window_shape *shape, size_t center,
                      struct window_scratch *s) {
    const double *middle = shape->centers + center * w->dim;
    /* Without a list before this one, about a dozen points to begin with. */
    double reach = s->reach * 1.03, wider = 1.25;
    if (!(reach > 0.0)) {
        reach = 2.0 * near_extent(shape->tree) / sqrt((double)w->n_points);
        wider = 2.0;
    }
    while (true) {
        if (reach > w->max_distance || !(reach > 0.0)) reach = w->max_distance;
        size_t n = near_disc(shape->tree, middle, reach, s->hits);
        near_sort(s->hits, n, w->tie, w->dim, s->spare, s->bucket);
        bool full = take_points(w, s, n);
        if (full || n == w->n_points || reach >= w->max_distance) {
            /* The last list tells how far the next one reaches. */
            size_t last = s->n_members < n ? s->n_members : n;
            s->reach = last > 0 ? s->hits[last - 1].distance : 0.0;
            return;
        }
        reach *= wider;
    }
}

static void list_given(const struct windows *w, uint32_t center, struct window_scratch *s) {
    const struct scan_data *data = w->data;
    double size = 0.0;
    size_t i = data->list_first[center], end = data->list_first[center + 1];
    s->n_members = 0;
    for (; i < end; i++) {
        uint32_t place = data->list_place[i];
        if (s->seen[place]++ > 0) continue;
        if (!window_take(w, s, place, &size)) break;
    }
    /* The marks go as they came: clearing all of them for each list would be quadratic. */
    for (size_t k = data->list_first[center]; k <= i && k < end; k++)
        s->seen[data->list_place[k]] = 0;
}

uint32_t window_center_place(const struct windows *w, size_t center) {
    if (w->dim > 0 && w->data->grid.n > 0) return UINT32_MAX;
    return w->dim > 0 && w->data->place_of != NULL ? w->data->place_of[center] : (uint32_t)center;
}

/* Places without people neither begin a list that has no one in it nor end one. */
static void trim(const struct windows *w, struct window_scratch *s) {
    while (s->n_members > 0 && !w->peopled[s->member[s->n_members - 1]]) s->n_members--;
    s->first_len = 1;
    while (s->first_len < s->n_members && !w->peopled[s->member[s->first_len - 1]]) s->first_len++;
}

void window_list(const struct windows *w, size_t shape, size_t center, struct window_scratch *s) {
    uint32_t place = window_center_place(w, center);
    if (place != UINT32_MAX && w->data->left_out != NULL && w->data->left_out[place]) {
        s->n_members = 0;
        s->first_len = 1;
        return;
    }
    if (w->data->metric == SCAN_NETWORK)
        window_network(w, place, s);
    else if (w->data->metric == SCAN_LISTED)
        list_given(w, place, s);
    else
        list_near(w, &w->shape[shape], center, s);
    trim(w, s);
}
