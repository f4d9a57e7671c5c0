#include "sim/city_shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "sim/city_warp.h"

enum { MAX_CORNER = 48, N_HULL = 24, MAX_TRIES = 12, N_ISLAND_POINT = 20 };
enum { LEVEL_CELL = SHAPE_N_LEVEL - 1 };
static const uint32_t NONE = UINT32_MAX;
static const double PI = 3.14159265358979323846;

/* A junction on a line; `t` runs from 0 to 1 along it. */
struct junction {
    double t;
    uint32_t point, next; /* next: the line's list, NONE at the end */
};
struct line {
    double ax, ay, bx, by;
    uint32_t head; /* newest junction */
    int level;
    bool is_loop; /* the border of an enclave: its points are all junctions in order */
    uint32_t *at; /* all vertices in order of t, once finished */
    double *t;    /* their t; intermediate points too */
    size_t n;
};
/* Side of a convex polygon, from its corner (x, y) to the next corner, lying on `line` from t0 to
 * t1. */
struct side {
    double x, y;
    uint32_t point, line;
    double t0, t1;
};
struct poly {
    size_t n;
    struct side side[MAX_CORNER];
};
struct kept {
    struct side *side;
    size_t n;
    uint32_t hole_line; /* NONE, or the loop inside */
    uint32_t loop;      /* NONE, or the loop that is this cell's whole border */
};
struct xy {
    double x, y;
};
struct work {
    struct arena *arena;
    struct rng rng;
    struct xy *point;
    size_t n_point, cap_point;
    struct junction *junction;
    size_t n_junction, cap_junction;
    struct line *line;
    size_t n_line, cap_line;
    struct city_shape *shape;
    struct kept *kept[SHAPE_N_LEVEL];
    double cell_size; /* side of a square with a cell's share of the hull */
};
/* Where a cut meets a side. */
struct hit {
    size_t side;
    double t, x, y;
    uint32_t point; /* NONE: a new junction is needed */
    double gap;     /* distance to the nearer corner of the side */
};
struct cut {
    struct hit hit[2];
    double score;
};

/* Growable tables live on the heap while building; work_deinit frees them. */
static bool grow(void **p, size_t n, size_t *cap, size_t size) {
    if (n < *cap) return true;
    size_t want = *cap ? *cap * 2 : 1024;
    void *q = mem_resize(*p, want, size);
    if (!q) return false;
    *p = q;
    *cap = want;
    return true;
}

static uint32_t add_point(struct work *w, double x, double y) {
    if (!grow((void **)&w->point, w->n_point, &w->cap_point, sizeof *w->point)) return NONE;
    w->point[w->n_point] = (struct xy){x, y};
    return (uint32_t)w->n_point++;
}

static bool add_junction(struct work *w, uint32_t line, double t, uint32_t point) {
    if (!grow((void **)&w->junction, w->n_junction, &w->cap_junction, sizeof *w->junction))
        return false;
    w->junction[w->n_junction] = (struct junction){t, point, w->line[line].head};
    w->line[line].head = (uint32_t)w->n_junction++;
    return true;
}

static uint32_t add_line(struct work *w, struct xy a, struct xy b, int level) {
    if (!grow((void **)&w->line, w->n_line, &w->cap_line, sizeof *w->line)) return NONE;
    w->line[w->n_line] = (struct line){a.x, a.y, b.x, b.y, NONE, level, false, NULL, NULL, 0};
    return (uint32_t)w->n_line++;
}

static void work_deinit(struct work *w) {
    mem_free(w->point);
    mem_free(w->junction);
    mem_free(w->line);
}

/* ---- how many children each area has ---- */

/* Shares `total` among n children, each at least 1, within about a third of the mean. */
static void share(struct rng *r, uint32_t total, uint32_t n, uint32_t *out) {
    uint32_t left = total;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t rest = n - i - 1;
        double mean = (double)left / (rest + 1);
        uint32_t k = (uint32_t)lround(mean * (0.7 + 0.6 * rng_unit(r)));
        if (k < 1) k = 1;
        if (k > left - rest) k = left - rest;
        if (rest == 0) k = left;
        out[i] = k;
        left -= k;
    }
}

static enum err_code build_tree(struct work *w, size_t n_cell, struct err *err) {
    static const double per[SHAPE_N_LEVEL] = {0, 1000, 125, 12.5, 1};
    struct city_shape *s = w->shape;
    size_t want[SHAPE_N_LEVEL] = {1};
    for (int l = 1; l < SHAPE_N_LEVEL; l++) {
        want[l] = (size_t)lround((double)n_cell / per[l]);
        if (l == 1 && want[l] > 15) want[l] = 15;
        if (want[l] < want[l - 1]) want[l] = want[l - 1];
    }
    for (int l = 0; l < SHAPE_N_LEVEL; l++) {
        s->n_node[l] = want[l];
        s->node[l] = ARENA_NEW(w->arena, struct shape_node, want[l]);
        w->kept[l] = ARENA_NEW(w->arena, struct kept, want[l]);
        if (!s->node[l] || !w->kept[l]) return err_fail(err, ERR_NOMEM, "no memory for the city");
        for (size_t i = 0; i < want[l]; i++) w->kept[l][i].hole_line = w->kept[l][i].loop = NONE;
    }
    uint32_t *n = mem_new(n_cell, sizeof *n);
    if (!n) return err_fail(err, ERR_NOMEM, "no memory for the city");
    for (int l = 0; l < LEVEL_CELL; l++) {
        share(&w->rng, (uint32_t)want[l + 1], (uint32_t)want[l], n);
        uint32_t at = 0;
        for (size_t i = 0; i < want[l]; i++) {
            s->node[l][i].first_child = at;
            s->node[l][i].n_child = n[i];
            for (uint32_t k = 0; k < n[i]; k++) s->node[l + 1][at++].parent = (uint32_t)i;
        }
    }
    mem_free(n);
    for (size_t i = 0; i < n_cell; i++) s->node[LEVEL_CELL][i].n_cell = 1;
    for (int l = LEVEL_CELL; l > 0; l--)
        for (size_t i = 0; i < want[l]; i++)
            s->node[l - 1][s->node[l][i].parent].n_cell += s->node[l][i].n_cell;
    return ERR_OK;
}

/* ---- cutting convex polygons ---- */

static double poly_area(const struct poly *p) {
    double sum = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct side *a = &p->side[i], *b = &p->side[(i + 1) % p->n];
        sum += a->x * b->y - b->x * a->y;
    }
    return sum / 2;
}

/* Area of the part where nx*x + ny*y < c. */
static double area_below(const struct poly *p, double nx, double ny, double c) {
    double sum = 0, fx = 0, fy = 0, px = 0, py = 0;
    bool first = true;
    for (size_t i = 0; i < p->n; i++) {
        const struct side *a = &p->side[i], *b = &p->side[(i + 1) % p->n];
        double da = nx * a->x + ny * a->y - c, db = nx * b->x + ny * b->y - c;
        struct xy v[2];
        size_t n = 0;
        if (da < 0) v[n++] = (struct xy){a->x, a->y};
        if ((da < 0) != (db < 0)) {
            double f = da / (da - db);
            v[n++] = (struct xy){a->x + f * (b->x - a->x), a->y + f * (b->y - a->y)};
        }
        for (size_t k = 0; k < n; k++) {
            if (first) {
                fx = v[k].x;
                fy = v[k].y;
                first = false;
            } else
                sum += px * v[k].y - v[k].x * py;
            px = v[k].x;
            py = v[k].y;
        }
    }
    return (sum + px * fy - fx * py) / 2;
}

/* Direction (radians) in which the polygon is longest: main axis of its corners' second moments. */
static double long_axis(const struct poly *p) {
    double mx = 0, my = 0, len = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct side *a = &p->side[i], *b = &p->side[(i + 1) % p->n];
        double l = hypot(b->x - a->x, b->y - a->y);
        mx += l * (a->x + b->x) / 2;
        my += l * (a->y + b->y) / 2;
        len += l;
    }
    mx /= len;
    my /= len;
    double sxx = 0, syy = 0, sxy = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct side *a = &p->side[i], *b = &p->side[(i + 1) % p->n];
        double l = hypot(b->x - a->x, b->y - a->y);
        for (int k = 0; k < 2; k++) {
            double x = (k ? b->x : a->x) - mx, y = (k ? b->y : a->y) - my;
            sxx += l * x * x;
            syy += l * y * y;
            sxy += l * x * y;
        }
    }
    return 0.5 * atan2(2 * sxy, sxx - syy);
}

/* The junction of the side's line nearest to t that lies well inside the side, within `reach`. */
static void snap(const struct work *w, const struct side *s, double len, double reach,
                 struct hit *h) {
    const struct line *l = &w->line[s->line];
    double lo = fmin(s->t0, s->t1), hi = fmax(s->t0, s->t1), best = reach, t_best = h->t;
    for (uint32_t j = l->head; j != NONE; j = w->junction[j].next) {
        const struct junction *q = &w->junction[j];
        double d = fabs(q->t - h->t) * len;
        if (d >= best || q->t <= lo || q->t >= hi) continue;
        best = d;
        t_best = q->t;
        h->point = q->point;
    }
    if (h->point == NONE) return;
    h->t = t_best;
    h->x = w->point[h->point].x;
    h->y = w->point[h->point].y;
}

/* The line nx*x + ny*y = c through p; false when it does not cross two sides. */
static bool try_cut(const struct work *w, const struct poly *p, double nx, double ny, double c,
                    struct cut *out) {
    size_t n = 0;
    out->score = 1e9;
    for (size_t i = 0; i < p->n; i++) {
        const struct side *a = &p->side[i], *b = &p->side[(i + 1) % p->n];
        double da = nx * a->x + ny * a->y - c, db = nx * b->x + ny * b->y - c;
        if ((da < 0) == (db < 0)) continue;
        if (n == 2) return false;
        double f = da / (da - db), dx = b->x - a->x, dy = b->y - a->y, len = hypot(dx, dy);
        double t_len = len / fabs(a->t1 - a->t0); /* length of the whole line */
        struct hit *h = &out->hit[n++];
        *h = (struct hit){i, a->t0 + f * (a->t1 - a->t0), a->x + f * dx, a->y + f * dy, NONE, 0};
        snap(w, a, t_len, 0.12 * w->cell_size, h);
        h->gap = fmin(hypot(h->x - a->x, h->y - a->y), hypot(h->x - b->x, h->y - b->y));
        /* A cut wants room to the corners and a steep angle with the side it meets. */
        double steep = fabs(nx * dx + ny * dy) / len, room = h->gap / (0.22 * w->cell_size);
        out->score = fmin(out->score, fmin(room, 1) * fmax(0.02, fmin((steep - 0.3) / 0.4, 1)));
    }
    return n == 2;
}

/* Best of several directions near the one across the long axis; the share `part` of the area lies
 * below. */
static bool find_cut(struct work *w, const struct poly *p, double part, struct cut *best) {
    double axis = long_axis(p), area = poly_area(p);
    best->score = -1;
    for (int k = 0; k < MAX_TRIES && best->score < 1; k++) {
        double angle = axis + (0.07 + 0.04 * k) * rng_normal(&w->rng);
        double nx = cos(angle), ny = sin(angle), lo = 1e9, hi = -1e9;
        for (size_t i = 0; i < p->n; i++) {
            double d = nx * p->side[i].x + ny * p->side[i].y;
            lo = fmin(lo, d);
            hi = fmax(hi, d);
        }
        double want = area * part;
        for (int i = 0; i < 48; i++) {
            double mid = (lo + hi) / 2;
            if (area_below(p, nx, ny, mid) < want)
                lo = mid;
            else
                hi = mid;
        }
        struct cut c;
        if (try_cut(w, p, nx, ny, (lo + hi) / 2, &c) && c.score > best->score) *best = c;
    }
    return best->score > 0;
}

/* The polygon from hit a to hit b along p, closed by the new line from its t_from to t_to. */
static bool half(const struct poly *p, const struct hit *a, const struct hit *b, uint32_t line,
                 double t_from, double t_to, struct poly *out) {
    out->n = 0;
    struct side first = p->side[a->side];
    first.x = a->x;
    first.y = a->y;
    first.point = a->point;
    first.t0 = a->t;
    out->side[out->n++] = first;
    for (size_t i = (a->side + 1) % p->n;; i = (i + 1) % p->n) {
        if (out->n + 1 >= MAX_CORNER) return false;
        out->side[out->n++] = p->side[i];
        if (i == b->side) break;
    }
    out->side[out->n - 1].t1 = b->t;
    out->side[out->n++] = (struct side){b->x, b->y, b->point, line, t_from, t_to};
    return true;
}

static enum err_code split(struct work *w, const struct poly *p, double part, int level,
                           struct poly out[2], struct err *err) {
    struct cut c;
    if (!find_cut(w, p, part, &c)) return err_fail(err, ERR_NUMERIC, "no room for a border");
    for (int k = 0; k < 2; k++) {
        struct hit *h = &c.hit[k];
        if (h->point != NONE) continue;
        h->point = add_point(w, h->x, h->y);
        if (h->point == NONE || !add_junction(w, p->side[h->side].line, h->t, h->point))
            return err_fail(err, ERR_NOMEM, "no memory for the city");
    }
    struct hit *a = &c.hit[0], *b = &c.hit[1];
    uint32_t line = add_line(w, (struct xy){a->x, a->y}, (struct xy){b->x, b->y}, level);
    if (line == NONE || !add_junction(w, line, 0, a->point) || !add_junction(w, line, 1, b->point))
        return err_fail(err, ERR_NOMEM, "no memory for the city");
    /* Sides keep their sense: from a to b along the polygon, then back on the line from b (t 1) to
     * a (t 0). */
    if (!half(p, a, b, line, 1, 0, &out[0]) || !half(p, b, a, line, 0, 1, &out[1]))
        return err_fail(err, ERR_NUMERIC, "a polygon of the city has too many corners");
    return ERR_OK;
}

/* ---- an enclave: one cell whole inside another (a campus, a market hall) ---- */

static enum err_code add_enclave(struct work *w, const struct poly *p, uint32_t outer,
                                 struct err *err) {
    double cx = 0, cy = 0, room = 1e9;
    for (size_t i = 0; i < p->n; i++) {
        cx += p->side[i].x / (double)p->n;
        cy += p->side[i].y / (double)p->n;
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct side *a = &p->side[i], *b = &p->side[(i + 1) % p->n];
        double dx = b->x - a->x, dy = b->y - a->y;
        room = fmin(room, fabs(dx * (cy - a->y) - dy * (cx - a->x)) / hypot(dx, dy));
    }
    uint32_t line = add_line(w, (struct xy){cx, cy}, (struct xy){cx, cy}, LEVEL_CELL);
    if (line == NONE) return err_fail(err, ERR_NOMEM, "no memory for the city");
    w->line[line].is_loop = true;
    double turn = 2 * PI * rng_unit(&w->rng);
    for (int i = 0; i < N_ISLAND_POINT; i++) {
        double angle = turn + 2 * PI * i / N_ISLAND_POINT;
        double r = room * (0.55 + 0.15 * rng_unit(&w->rng));
        uint32_t pt = add_point(w, cx + r * cos(angle), cy + r * sin(angle));
        if (pt == NONE || !add_junction(w, line, (double)i, pt))
            return err_fail(err, ERR_NOMEM, "no memory for the city");
    }
    w->kept[LEVEL_CELL][outer].hole_line = line;
    w->kept[LEVEL_CELL][outer + 1].loop = line;
    return ERR_OK;
}

/* ---- the whole partition ---- */

static enum err_code keep(struct work *w, const struct poly *p, int level, uint32_t node,
                          struct err *err) {
    struct kept *k = &w->kept[level][node];
    k->side = ARENA_NEW(w->arena, struct side, p->n);
    if (!k->side) return err_fail(err, ERR_NOMEM, "no memory for the city");
    memcpy(k->side, p->side, p->n * sizeof *p->side);
    k->n = p->n;
    return ERR_OK;
}

static uint32_t cells_of(const struct work *w, int level, uint32_t lo, uint32_t hi) {
    uint32_t n = 0;
    for (uint32_t i = lo; i < hi; i++) n += w->shape->node[level][i].n_cell;
    return n;
}

/* Parts p among the nodes lo..hi of a level. The depth is the sum of log2 of the branching: below
 * 30 at 100,000 cells. */
static enum err_code divide(struct work *w, const struct poly *p, int level, uint32_t lo,
                            uint32_t hi, struct err *err) {
    if (hi - lo == 1) {
        TRY(keep(w, p, level, lo, err));
        if (level == LEVEL_CELL) return ERR_OK;
        const struct shape_node *n = &w->shape->node[level][lo];
        return divide(w, p, level + 1, n->first_child, n->first_child + n->n_child, err);
    }
    if (level == LEVEL_CELL && hi - lo == 2 && rng_below(&w->rng, 16) == 0) {
        TRY(keep(w, p, level, lo, err));
        return add_enclave(w, p, lo, err);
    }
    uint32_t mid = lo + (hi - lo) / 2;
    if ((hi - lo) % 2 && rng_below(&w->rng, 2)) mid++;
    struct poly part[2];
    uint32_t below = cells_of(w, level, lo, mid), all = cells_of(w, level, lo, hi);
    TRY(split(w, p, (double)below / all, level, part, err));
    /* Which half lies below the cut is told by the areas: the lists must get the area of their
     * share. */
    double want = poly_area(p) * below / all;
    bool swap = fabs(poly_area(&part[0]) - want) > fabs(poly_area(&part[1]) - want);
    TRY(divide(w, &part[swap], level, lo, mid, err));
    return divide(w, &part[!swap], level, mid, hi, err);
}

static enum err_code start_hull(struct work *w, struct poly *p, struct err *err) {
    double angle[N_HULL];
    for (int i = 0; i < N_HULL; i++) angle[i] = 2 * PI * (i + 0.5 * rng_unit(&w->rng)) / N_HULL;
    p->n = N_HULL;
    for (uint32_t i = 0; i < N_HULL; i++) {
        struct side *s = &p->side[i];
        *s = (struct side){cos(angle[i]), sin(angle[i]), 0, i, 0, 1};
        s->point = add_point(w, s->x, s->y);
        if (s->point == NONE) return err_fail(err, ERR_NOMEM, "no memory for the city");
    }
    for (uint32_t i = 0; i < N_HULL; i++) {
        const struct side *a = &p->side[i], *b = &p->side[(i + 1) % N_HULL];
        uint32_t l = add_line(w, (struct xy){a->x, a->y}, (struct xy){b->x, b->y}, 0);
        if (l == NONE || !add_junction(w, l, 0, a->point) || !add_junction(w, l, 1, b->point))
            return err_fail(err, ERR_NOMEM, "no memory for the city");
    }
    return ERR_OK;
}

/* ---- every vertex of every line ---- */

static int by_t(const void *a, const void *b) {
    double x = ((const struct junction *)a)->t, y = ((const struct junction *)b)->t;
    return (x > y) - (x < y);
}

/* A point between two junctions; away from them it leaves the straight line a little, as walls and
 * ditches do. */
static uint32_t add_between(struct work *w, const struct line *l, double t, double step,
                            bool may_stray) {
    double dx = l->bx - l->ax, dy = l->by - l->ay, len = hypot(dx, dy);
    double off = may_stray ? 0.1 * step * (2 * rng_unit(&w->rng) - 1) / len : 0;
    return add_point(w, l->ax + t * dx - off * dy, l->ay + t * dy + off * dx);
}

static enum err_code finish_line(struct work *w, uint32_t index, struct junction *tmp,
                                 struct err *err) {
    struct line l = w->line[index];
    size_t n = 0;
    for (uint32_t j = l.head; j != NONE; j = w->junction[j].next) tmp[n++] = w->junction[j];
    qsort(tmp, n, sizeof *tmp, by_t);
    double len = hypot(l.bx - l.ax, l.by - l.ay), step = 0.145 * w->cell_size;
    size_t most = n + (size_t)(len / step * 1.5) + n;
    l.at = ARENA_NEW(w->arena, uint32_t, most);
    l.t = ARENA_NEW(w->arena, double, most);
    if (!l.at || !l.t) return err_fail(err, ERR_NOMEM, "no memory for the city");
    l.n = 0;
    for (size_t i = 0; i < n; i++) {
        l.at[l.n] = tmp[i].point;
        l.t[l.n++] = tmp[i].t;
        if (l.is_loop || i + 1 == n) continue;
        double gap = tmp[i + 1].t - tmp[i].t;
        long m = lround(gap * len / step);
        for (long k = 1; k < m; k++) {
            double t = tmp[i].t + gap * (double)k / (double)m;
            l.at[l.n] = add_between(w, &l, t, step, k > 1 && k + 2 < m);
            if (l.at[l.n] == NONE) return err_fail(err, ERR_NOMEM, "no memory for the city");
            l.t[l.n++] = t;
        }
    }
    w->line[index] = l;
    return ERR_OK;
}

static size_t find_t(const struct line *l, double t) {
    size_t lo = 0, hi = l->n;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (l->t[mid] <= t)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* ---- rings ---- */

static enum err_code loop_ring(struct work *w, uint32_t line, bool reverse, struct shape_ring *out,
                               struct err *err) {
    const struct line *l = &w->line[line];
    uint32_t *at = ARENA_NEW(w->arena, uint32_t, l->n);
    if (!at) return err_fail(err, ERR_NOMEM, "no memory for the city");
    for (size_t i = 0; i < l->n; i++) at[i] = l->at[reverse ? l->n - 1 - i : i];
    *out = (struct shape_ring){at, l->n};
    return ERR_OK;
}

static enum err_code side_ring(struct work *w, const struct kept *k, struct shape_ring *out,
                               struct err *err) {
    size_t n = 0;
    for (size_t i = 0; i < k->n; i++) {
        const struct line *l = &w->line[k->side[i].line];
        size_t a = find_t(l, k->side[i].t0), b = find_t(l, k->side[i].t1);
        n += a < b ? b - a : a - b;
    }
    uint32_t *at = ARENA_NEW(w->arena, uint32_t, n);
    if (!at) return err_fail(err, ERR_NOMEM, "no memory for the city");
    n = 0;
    for (size_t i = 0; i < k->n; i++) {
        const struct line *l = &w->line[k->side[i].line];
        size_t a = find_t(l, k->side[i].t0), b = find_t(l, k->side[i].t1);
        while (a != b) {
            at[n++] = l->at[a];
            a = a < b ? a + 1 : a - 1;
        }
    }
    *out = (struct shape_ring){at, n};
    return ERR_OK;
}

static enum err_code finish_rings(struct work *w, struct err *err) {
    for (int l = 0; l < SHAPE_N_LEVEL; l++)
        for (size_t i = 0; i < w->shape->n_node[l]; i++) {
            const struct kept *k = &w->kept[l][i];
            struct shape_node *n = &w->shape->node[l][i];
            if (k->loop != NONE) {
                TRY(loop_ring(w, k->loop, false, &n->outer, err));
                continue;
            }
            TRY(side_ring(w, k, &n->outer, err));
            if (k->hole_line != NONE) TRY(loop_ring(w, k->hole_line, true, &n->hole, err));
        }
    return ERR_OK;
}

static enum err_code finish_lines(struct work *w, struct err *err) {
    struct junction *tmp = mem_new(w->n_junction, sizeof *tmp);
    if (!tmp) return err_fail(err, ERR_NOMEM, "no memory for the city");
    enum err_code rc = ERR_OK;
    for (uint32_t i = 0; i < w->n_line && rc == ERR_OK; i++) rc = finish_line(w, i, tmp, err);
    mem_free(tmp);
    TRY(rc);
    struct shape_line *line = ARENA_NEW(w->arena, struct shape_line, w->n_line);
    if (!line) return err_fail(err, ERR_NOMEM, "no memory for the city");
    size_t n = 0;
    for (size_t i = 0; i < w->n_line; i++)
        if (w->line[i].level > 0 && !w->line[i].is_loop)
            line[n++] = (struct shape_line){w->line[i].level, w->line[i].at, w->line[i].n};
    w->shape->line = line;
    w->shape->n_line = n;
    return ERR_OK;
}

static enum err_code finish_points(struct work *w, uint64_t seed, struct err *err) {
    struct shape_point *p = ARENA_NEW(w->arena, struct shape_point, w->n_point);
    if (!p) return err_fail(err, ERR_NOMEM, "no memory for the city");
    struct city_warp warp = city_warp_new(seed);
    for (size_t i = 0; i < w->n_point; i++)
        city_warp_apply(&warp, w->point[i].x, w->point[i].y, &p[i].lon_e7, &p[i].lat_e7);
    w->shape->point = p;
    w->shape->n_point = w->n_point;
    return ERR_OK;
}

static enum err_code build(struct work *w, uint64_t seed, size_t n_cell, struct err *err) {
    TRY(build_tree(w, n_cell, err));
    struct poly hull;
    TRY(start_hull(w, &hull, err));
    w->cell_size = sqrt(poly_area(&hull) / (double)n_cell);
    TRY(divide(w, &hull, 0, 0, 1, err));
    TRY(finish_lines(w, err));
    TRY(finish_rings(w, err));
    return finish_points(w, seed, err);
}

enum err_code city_shape_build(struct arena *a, uint64_t seed, size_t n_cell,
                               const struct city_shape **out, struct err *err) {
    if (n_cell < 2 || n_cell > 100000)
        return err_fail(err, ERR_INVALID, "a city has 2 to 100000 cells, not %zu", n_cell);
    struct work w = {.arena = a, .rng = rng_new(seed, 1)};
    w.shape = ARENA_NEW(a, struct city_shape, 1);
    if (!w.shape) return err_fail(err, ERR_NOMEM, "no memory for the city");
    enum err_code rc = build(&w, seed, n_cell, err);
    work_deinit(&w);
    TRY(rc);
    *out = w.shape;
    return ERR_OK;
}

int64_t shape_area2(const struct city_shape *s, const struct shape_ring *r) {
    /* Relative to the first vertex, so that products stay below 2^63. */
    int64_t sum = 0;
    struct shape_point o = s->point[r->at[0]];
    for (size_t i = 0; i < r->n; i++) {
        struct shape_point a = s->point[r->at[i]], b = s->point[r->at[(i + 1) % r->n]];
        sum += (int64_t)(a.lon_e7 - o.lon_e7) * (b.lat_e7 - o.lat_e7) -
               (int64_t)(b.lon_e7 - o.lon_e7) * (a.lat_e7 - o.lat_e7);
    }
    return sum;
}

int shape_ring_side(const struct city_shape *s, const struct shape_ring *r, struct shape_point p) {
    bool in = false;
    for (size_t i = 0, j = r->n - 1; i < r->n; j = i++) {
        struct shape_point a = s->point[r->at[j]], b = s->point[r->at[i]];
        int64_t side = (int64_t)(b.lon_e7 - a.lon_e7) * (p.lat_e7 - a.lat_e7) -
                       (int64_t)(b.lat_e7 - a.lat_e7) * (p.lon_e7 - a.lon_e7);
        bool up_a = a.lat_e7 > p.lat_e7, up_b = b.lat_e7 > p.lat_e7;
        if (side == 0 && p.lon_e7 >= (a.lon_e7 < b.lon_e7 ? a.lon_e7 : b.lon_e7) &&
            p.lon_e7 <= (a.lon_e7 > b.lon_e7 ? a.lon_e7 : b.lon_e7) &&
            p.lat_e7 >= (a.lat_e7 < b.lat_e7 ? a.lat_e7 : b.lat_e7) &&
            p.lat_e7 <= (a.lat_e7 > b.lat_e7 ? a.lat_e7 : b.lat_e7))
            return -1;
        if (up_a != up_b && (side > 0) == up_b) in = !in;
    }
    return in;
}
