#include "geo/tiling.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { MAX_STEPS = 100000000 };

/* A square of the lattice. */
struct square {
    int32_t x, y;
};

struct lattice {
    double west, south, step_x, step_y; /* degrees */
    int32_t nx, ny;                     /* squares 0 .. nx, 0 .. ny */
    unsigned char *corner;              /* (nx + 1) * (ny + 1): some shape has a corner there */
    struct square *path;                /* of one edge; room for nx + ny + 2 */
    size_t n_path, steps;
};
/* The ring that is being made. */
struct ring_work {
    struct square *at; /* room for max */
    size_t n, max;
};

static bool same(struct square a, struct square b) { return a.x == b.x && a.y == b.y; }

static enum err_code lattice_init(struct lattice *l, const struct polygon *const *shape, size_t n,
                                  int side, struct err *err) {
    double box[4] = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    size_t points = 0;
    for (size_t i = 0; i < n; i++) {
        if (shape[i] == NULL) continue;
        points += shape[i]->n_pt;
        for (int k = 0; k < 2; k++) {
            box[k] = fmin(box[k], shape[i]->box[k]);
            box[k + 2] = fmax(box[k + 2], shape[i]->box[k + 2]);
        }
    }
    if (points > TILING_MAX_POINTS)
        return err_fail(err, ERR_LIMIT, "%zu points, expected at most %d", points,
                        TILING_MAX_POINTS);
    if (points == 0) return ERR_OK;
    /* A degree of longitude is shorter by the cosine; beyond 85 degrees nobody lives. */
    double squeeze = fmax(cos((box[1] + box[3]) / 2 * (3.14159265358979323846 / 180)), 0.08);
    double wide = (box[2] - box[0]) * squeeze, tall = box[3] - box[1];
    l->step_y = fmax(fmax(wide, tall) / side, 2e-6);
    l->step_x = l->step_y / squeeze;
    l->west = box[0];
    l->south = box[1];
    l->nx = (int32_t)ceil((box[2] - box[0]) / l->step_x) + 1;
    l->ny = (int32_t)ceil((box[3] - box[1]) / l->step_y) + 1;
    l->corner = mem_new((size_t)(l->nx + 1) * (size_t)(l->ny + 1), 1);
    l->path = mem_new((size_t)l->nx + (size_t)l->ny + 4, sizeof *l->path);
    if (l->corner == NULL || l->path == NULL) return err_fail(err, ERR_NOMEM, "tiling");
    return ERR_OK;
}

static double across(const struct lattice *l, double lon) { return (lon - l->west) / l->step_x; }
static double up(const struct lattice *l, double lat) { return (lat - l->south) / l->step_y; }
static unsigned char *corner_at(const struct lattice *l, struct square s) {
    return &l->corner[(size_t)s.y * (size_t)(l->nx + 1) + (size_t)s.x];
}
static struct square square_of(double x, double y) {
    return (struct square){(int32_t)floor(x + 0.5), (int32_t)floor(y + 0.5)};
}

static void mark_corners(struct lattice *l, const struct polygon *p) {
    for (uint32_t i = 0; i < p->n_pt; i++)
        *corner_at(l, square_of(across(l, p->xy[2 * (size_t)i]), up(l, p->xy[2 * (size_t)i + 1]))) =
            1;
}

/* The squares with a corner that the edge a-b passes, both ends included, in l->path (Amanatides
 * and Woo 1987). */
static void walk_edge(struct lattice *l, const double a[2], const double b[2]) {
    struct square at = square_of(a[0], a[1]), end = square_of(b[0], b[1]);
    double dx = b[0] - a[0], dy = b[1] - a[1];
    int sx = dx > 0 ? 1 : -1, sy = dy > 0 ? 1 : -1;
    double next_x = dx == 0 ? INFINITY : (at.x + 0.5 * sx - a[0]) / dx,
           next_y = dy == 0 ? INFINITY : (at.y + 0.5 * sy - a[1]) / dy;
    double per_x = dx == 0 ? INFINITY : sx / dx, per_y = dy == 0 ? INFINITY : sy / dy;
    int64_t left = llabs((long long)end.x - at.x) + llabs((long long)end.y - at.y);
    l->n_path = 0;
    l->path[l->n_path++] = at;
    for (; left > 0; left--) {
        bool along_x = at.y == end.y || (at.x != end.x && next_x <= next_y);
        if (along_x) {
            at.x += sx;
            next_x += per_x;
        } else {
            at.y += sy;
            next_y += per_y;
        }
        if (*corner_at(l, at) != 0) l->path[l->n_path++] = at;
        l->steps++;
    }
}

/* Two shapes walk a border they share in opposite directions and have to find the same squares,
 * ties included: so it is always walked the same way round. */
static void path_of_edge(struct lattice *l, const double *p, const double *q) {
    double a[2] = {across(l, p[0]), up(l, p[1])}, b[2] = {across(l, q[0]), up(l, q[1])};
    bool swap = a[0] > b[0] || (a[0] == b[0] && a[1] > b[1]);
    walk_edge(l, swap ? b : a, swap ? a : b);
    for (size_t i = 0; swap && i < l->n_path / 2; i++) {
        struct square t = l->path[i];
        l->path[i] = l->path[l->n_path - 1 - i];
        l->path[l->n_path - 1 - i] = t;
    }
}

/* A square that was the last but one means there and back again: such a spike has no area. */
static bool ring_add(struct ring_work *r, struct square s) {
    if (r->n > 0 && same(r->at[r->n - 1], s)) return true;
    if (r->n > 1 && same(r->at[r->n - 2], s)) {
        r->n--;
        return true;
    }
    if (r->n == r->max) {
        size_t more = r->max == 0 ? 256 : 2 * r->max;
        struct square *p = mem_resize(r->at, more, sizeof *p);
        if (p == NULL) return false;
        r->at = p;
        r->max = more;
    }
    r->at[r->n++] = s;
    return true;
}

/* Ends that meet are one point; spikes over the seam go too. Returns the first of the ring. */
static size_t close_ring(struct ring_work *r) {
    size_t first = 0;
    while (r->n > first + 2) {
        struct square head = r->at[first], last = r->at[r->n - 1];
        if (same(head, last) || same(head, r->at[r->n - 2]))
            r->n--;
        else if (same(r->at[first + 1], last))
            first++;
        else
            break;
    }
    return first;
}

static bool has_area(const struct square *at, size_t n) {
    int64_t twice = 0;
    for (size_t i = 0; i < n; i++) {
        struct square p = at[i], q = at[(i + 1) % n];
        twice += (int64_t)p.x * q.y - (int64_t)q.x * p.y;
    }
    return twice != 0;
}

/* Rings of one shape as they grow. */
struct shape_work {
    double *xy;
    size_t n_pt, max_pt;
    uint32_t *ring_n, *part_n;
    uint32_t n_ring, n_part;
};

static double millionth(double v) { return floor(v * 1e6 + 0.5) / 1e6; }

static bool shape_add_ring(struct shape_work *w, const struct lattice *l, const struct square *at,
                           size_t n) {
    if (w->n_pt + n + 1 > w->max_pt) {
        size_t more = 2 * (w->n_pt + n + 1);
        double *p = mem_resize(w->xy, 2 * more, sizeof *p);
        if (p == NULL) return false;
        w->xy = p;
        w->max_pt = more;
    }
    for (size_t i = 0; i <= n; i++) {
        struct square s = at[i % n];
        w->xy[2 * w->n_pt] = millionth(l->west + s.x * l->step_x);
        w->xy[2 * w->n_pt + 1] = millionth(l->south + s.y * l->step_y);
        w->n_pt++;
    }
    w->ring_n[w->n_ring++] = (uint32_t)(n + 1);
    w->part_n[w->n_part - 1]++;
    return true;
}

static enum err_code coarse_ring(struct lattice *l, const struct polygon *p, uint32_t ring,
                                 struct ring_work *r, struct shape_work *w, bool *kept,
                                 struct err *err) {
    r->n = 0;
    *kept = false;
    for (uint32_t i = p->ring[ring]; i + 1 < p->ring[ring + 1]; i++) {
        path_of_edge(l, p->xy + 2 * (size_t)i, p->xy + 2 * (size_t)i + 2);
        if (l->steps > MAX_STEPS) return err_fail(err, ERR_LIMIT, "borders too long for a map");
        for (size_t k = 0; k < l->n_path; k++)
            if (!ring_add(r, l->path[k])) return err_fail(err, ERR_NOMEM, "tiling");
    }
    size_t first = close_ring(r);
    if (r->n < first + 3 || !has_area(r->at + first, r->n - first)) return ERR_OK;
    *kept = true;
    return shape_add_ring(w, l, r->at + first, r->n - first) ? ERR_OK
                                                             : err_fail(err, ERR_NOMEM, "tiling");
}

static enum err_code coarse_rings(struct lattice *l, const struct polygon *p, struct ring_work *r,
                                  struct shape_work *w, struct err *err) {
    for (uint32_t part = 0; part < p->n_part; part++) {
        bool outer = true;
        w->part_n[w->n_part++] = 0;
        for (uint32_t k = p->part[part]; outer && k < p->part[part + 1]; k++) {
            bool kept = false;
            TRY(coarse_ring(l, p, k, r, w, &kept, err));
            if (k == p->part[part]) outer = kept;
        }
        if (!outer) w->n_part--;
    }
    return ERR_OK;
}

static enum err_code coarse_shape(struct arena *a, struct lattice *l, const struct polygon *p,
                                  struct ring_work *r, const struct polygon **out,
                                  struct err *err) {
    struct shape_work w = {.ring_n = mem_new(p->n_ring, sizeof *w.ring_n),
                           .part_n = mem_new(p->n_part, sizeof *w.part_n)};
    enum err_code rc = w.ring_n == NULL || w.part_n == NULL ? err_fail(err, ERR_NOMEM, "tiling")
                                                            : coarse_rings(l, p, r, &w, err);
    *out = NULL;
    if (rc == ERR_OK && w.n_part > 0)
        rc = polygon_from_rings(a, w.xy, w.ring_n, w.n_ring, w.part_n, w.n_part, out, err);
    mem_free(w.xy);
    mem_free(w.ring_n);
    mem_free(w.part_n);
    return rc;
}

enum err_code tiling_coarse(struct arena *a, const struct polygon *const *shape, size_t n, int side,
                            const struct polygon **out, struct err *err) {
    struct lattice l = {0};
    struct ring_work r = {0};
    if (side < TILING_SIDE_MIN || side > TILING_SIDE_MAX)
        return err_fail(err, ERR_INVALID, "%d squares, expected %d to %d", side, TILING_SIDE_MIN,
                        TILING_SIDE_MAX);
    enum err_code rc = lattice_init(&l, shape, n, side, err);
    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        if (shape[i] != NULL) mark_corners(&l, shape[i]);
    for (size_t i = 0; i < n; i++) {
        out[i] = NULL;
        if (rc == ERR_OK && shape[i] != NULL) rc = coarse_shape(a, &l, shape[i], &r, &out[i], err);
    }
    mem_free(r.at);
    mem_free(l.path);
    mem_free(l.corner);
    return rc;
}
