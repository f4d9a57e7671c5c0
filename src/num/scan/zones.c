#include "num/scan/zones.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/window.h"

enum { CHUNK = 32 };

/* Lists of CHUNK consecutive centres of one shape, made by one task. */
struct chunk {
    const struct windows *w;
    size_t list, n_lists;
    uint32_t *member;
    size_t n_members, room;
    uint32_t len[CHUNK], first_len[CHUNK];
    size_t n_zones;
    enum err_code code;
    struct err err;
};

/* Everything made so far. */
struct lists {
    bool narrow; /* 16 bits a member */
    void *member;
    size_t n_members, room;
    size_t *first;
    uint32_t *center, *center_point, *first_len;
};

static enum err_code chunk_add(struct chunk *c, const struct window_scratch *s) {
    if (s->n_members == 0) return ERR_OK;
    if (c->n_members + s->n_members > c->room) {
        /* Neighbouring centres have lists of about the same length. */
        size_t room = c->n_members + s->n_members * (CHUNK + 1);
        uint32_t *more = mem_resize(c->member, room, sizeof *more);
        if (more == NULL) return err_fail(&c->err, ERR_NOMEM, "lists of neighbours");
        c->member = more;
        c->room = room;
    }
    memcpy(c->member + c->n_members, s->member, s->n_members * sizeof *c->member);
    c->n_members += s->n_members;
    for (size_t i = s->first_len - 1; i < s->n_members; i++)
        c->n_zones += c->w->peopled[s->member[i]];
    return ERR_OK;
}

static void chunk_task(void *arg, size_t i) {
    struct chunk *c = (struct chunk *)arg + i;
    struct window_scratch s;
    c->code = window_scratch_init(c->w, &s, &c->err);
    if (c->code != ERR_OK) return;
    for (size_t k = 0; k < c->n_lists && c->code == ERR_OK; k++) {
        size_t list = c->list + k;
        window_list(c->w, list / c->w->n_centers, list % c->w->n_centers, &s);
        c->len[k] = (uint32_t)s.n_members;
        c->first_len[k] = (uint32_t)s.first_len;
        c->code = chunk_add(c, &s);
    }
    window_scratch_deinit(&s);
}

static void put_members(struct lists *l, const uint32_t *member, size_t n) {
    if (n == 0) return;
    if (!l->narrow) {
        memcpy((uint32_t *)l->member + l->n_members, member, n * sizeof *member);
    } else {
        uint16_t *to = (uint16_t *)l->member + l->n_members;
        for (size_t i = 0; i < n; i++) to[i] = (uint16_t)member[i];
    }
    l->n_members += n;
}

static enum err_code lists_add(struct lists *l, const struct chunk *c, struct scan_zones *out,
                               struct err *err) {
    const struct windows *w = c->w;
    if (l->n_members + c->n_members > l->room) {
        /* The whole, told from what is there, with a little to spare. */
        double done = (double)(c->list + c->n_lists) / (double)out->n_lists;
        double guess = (double)(l->n_members + c->n_members) / done * 1.02 + 4096.0;
        size_t bytes = l->narrow ? sizeof(uint16_t) : sizeof(uint32_t);
        TRY(num_run_afford(w->run, guess * (double)bytes, "the lists of neighbours", err));
        void *more = mem_resize(l->member, (size_t)guess, bytes);
        if (more == NULL) return err_fail(err, ERR_NOMEM, "lists of neighbours");
        l->member = more;
        l->room = (size_t)guess;
    }
    put_members(l, c->member, c->n_members);
    for (size_t k = 0; k < c->n_lists; k++) {
        size_t list = c->list + k, center = list % w->n_centers;
        l->first[list + 1] = l->first[list] + c->len[k];
        l->first_len[list] = c->first_len[k];
        uint32_t place = window_center_place(w, center);
        l->center[list] = place == UINT32_MAX ? (uint32_t)center : place;
        if (l->center_point != NULL) l->center_point[list] = (uint32_t)center;
        if (c->len[k] > out->max_len) out->max_len = c->len[k];
    }
    out->n_zones += c->n_zones;
    return ERR_OK;
}

/* One wave of chunks at a time, so that what is not yet joined stays small. */
static enum err_code build_waves(const struct windows *w, struct lists *l, struct chunk *chunk,
                                 size_t n_wave, struct scan_zones *out, struct err *err) {
    enum err_code code = ERR_OK;
    for (size_t done = 0; done < out->n_lists && code == ERR_OK;) {
        size_t n = 0;
        for (size_t list = done; n < n_wave && list < out->n_lists; n++, list += CHUNK)
            chunk[n] = (struct chunk){.w = w,
                                      .list = list,
                                      .n_lists = out->n_lists - list < CHUNK ? out->n_lists - list
                                                                             : CHUNK};
        num_run_each(w->run, n, chunk_task, chunk);
        for (size_t i = 0; i < n; i++) {
            if (code == ERR_OK && chunk[i].code != ERR_OK)
                code = err_fail(err, chunk[i].code, "%s", chunk[i].err.detail);
            if (code == ERR_OK) code = lists_add(l, &chunk[i], out, err);
            mem_free(chunk[i].member);
            done += chunk[i].n_lists;
        }
        if (code == ERR_OK && num_run_stopped(w->run))
            code = err_fail(err, ERR_TIMEOUT, "stopped while the windows were made");
        num_run_tell(w->run, "windows", (double)done / (double)out->n_lists);
    }
    return code;
}

static void free_members(void *arg) { mem_free(arg); }

static enum err_code build_lists(const struct windows *w, struct arena *a, struct scan_zones *out,
                                 struct err *err) {
    struct lists l = {.narrow = w->options->analysis == SCAN_SPATIAL &&
                                w->data->n_places <= (size_t)UINT16_MAX + 1};
    out->n_lists = w->n_centers * w->n_shapes;
    l.first = window_keep(a, out->n_lists + 1, sizeof *l.first);
    l.center = window_keep(a, out->n_lists, sizeof *l.center);
    l.first_len = window_keep(a, out->n_lists, sizeof *l.first_len);
    bool several = w->data->place_of != NULL && w->data->grid.n == 0 && w->dim > 0;
    if (several) l.center_point = window_keep(a, out->n_lists, sizeof *l.center_point);
    size_t n_wave = 4 * num_run_threads(w->run);
    struct chunk *chunk = window_keep(a, n_wave, sizeof *chunk);
    if (l.first == NULL || l.center == NULL || l.first_len == NULL || chunk == NULL ||
        (several && l.center_point == NULL))
        return err_fail(err, ERR_NOMEM, "lists of neighbours");
    enum err_code code = build_waves(w, &l, chunk, n_wave, out, err);
    if (code != ERR_OK) {
        mem_free(l.member);
        return code;
    }
    if (l.member != NULL && arena_defer(a, free_members, l.member) != ERR_OK)
        return err_fail(err, ERR_NOMEM, "lists of neighbours");
    out->first = l.first;
    out->center = l.center;
    out->center_point = l.center_point;
    out->first_len = l.first_len;
    if (l.narrow)
        out->place16 = l.member;
    else
        out->place = l.member;
    return ERR_OK;
}

static enum err_code tell_shapes(const struct windows *w, struct arena *a, struct scan_zones *out,
                                 struct err *err) {
    if (w->n_shapes == 1) return ERR_OK;
    double *shape = window_keep(a, out->n_lists, sizeof *shape);
    double *angle = window_keep(a, out->n_lists, sizeof *angle);
    double *weight = window_keep(a, out->n_lists, sizeof *weight);
    if (shape == NULL || angle == NULL || weight == NULL)
        return err_fail(err, ERR_NOMEM, "shapes of windows");
    for (size_t i = 0; i < out->n_lists; i++) {
        const struct window_shape *s = &w->shape[i / w->n_centers];
        shape[i] = s->shape;
        angle[i] = s->angle;
        weight[i] = pow(4.0 * s->shape / ((s->shape + 1.0) * (s->shape + 1.0)),
                        w->options->ellipse_penalty);
    }
    out->shape = shape;
    out->angle = angle;
    out->weight = weight;
    return ERR_OK;
}

enum err_code scan_zones_build(const struct scan_data *data, const struct scan_options *options,
                               const double *size, double total_size, const struct num_run *run,
                               struct arena *a, struct scan_zones *out, struct err *err) {
    *out = (struct scan_zones){.n_places = data->n_places};
    double share = options->max_size > 0.0 ? options->max_size : 0.5;
    struct windows w = {
        .data = data, .options = options, .size = size, .max_size = share * total_size, .run = run};
    TRY(windows_prepare(&w, a, err));
    if (options->shape == SCAN_FLEXIBLE) return windows_flexible(&w, a, out, err);
    TRY(build_lists(&w, a, out, err));
    return tell_shapes(&w, a, out, err);
}

/* Kilometres along the sphere for a way straight through it. */
static double arc(double chord) {
    double half = chord / (2.0 * SCAN_EARTH_KM);
    return 2.0 * SCAN_EARTH_KM * asin(half < 1.0 ? half : 1.0);
}

double scan_zones_radius(const struct scan_data *data, const struct scan_zones *zones, size_t list,
                         size_t member) {
    uint32_t center = zones->center[list];
    uint32_t place = scan_zones_member(zones, zones->first[list] + member);
    if (data->metric == SCAN_LISTED) return 0.0;
    if (data->metric == SCAN_NETWORK) return window_way(data, center, place);
    unsigned dim = data->metric == SCAN_SPHERE ? 3 : 2;
    double shape = zones->shape != NULL ? zones->shape[list] : 1.0;
    double angle = zones->angle != NULL ? zones->angle[list] : 0.0;
    double middle[3] = {0}, at[3] = {0}, found = -1.0;
    uint32_t point = zones->center_point != NULL ? zones->center_point[list] : center;
    const struct scan_points *of = data->grid.n > 0 ? &data->grid : &data->points;
    window_coordinates(data->metric, of->x[point], of->y[point], shape, angle, middle);
    for (size_t i = 0; i < data->points.n; i++) {
        if ((data->place_of != NULL ? data->place_of[i] : i) != place) continue;
        window_coordinates(data->metric, data->points.x[i], data->points.y[i], shape, angle, at);
        double d = near_distance(middle, at, dim);
        if (found < 0.0 || (data->all_points ? d > found : d < found)) found = d;
    }
    return data->metric == SCAN_SPHERE ? arc(found) : found;
}
