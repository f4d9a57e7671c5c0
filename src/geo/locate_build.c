#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "geo/locate.h"
#include "geo/locate_int.h"
#include "geo/orient.h"

/* Tuned with bench/locate.sh; the answers do not depend on them. */
enum {
    MAX_EDGES = 60000000,
    MAX_DEPTH = 6,
    MAX_SIDE = 16384,  /* squares along one side of a raster */
    LEAF_EDGES = 32,   /* more edges than this in a square: it gets a raster of its own */
    DEDUPE_EDGES = 512 /* beyond this a record is not searched for edges that stand in it twice */
};
#define ROOT_SQUARES_PER_EDGE 2.0
#define MAX_ROOT_SQUARES 16000000.0
#define MIN_SQUARE_DEG 1e-9 /* a tenth of a millimetre: below it more rasters do not help */
/* How far beyond its square an edge still counts as touching it, in squares: well above the
 * rounding of the reader's division, so that the lists are complete. Extra edges do no harm. */
#define MARGIN 1e-3

enum { ITEM_COVER = 0x7FFFFFFF, ITEM_OUT = 0x7FFFFFFE, ITEM_IN = 0x7FFFFFFD };

/* A growable array. */
struct vec {
    void *p;
    size_t n, cap, size;
};

struct part {
    uint32_t cell;
    uint32_t base;     /* as in a record of the rectangle, with its east side x */
    uint32_t first, n; /* its edges: ids[first .. first + n) */
};

/* A raster in the making: what touches its rectangle. */
struct node {
    double x0, y0, x1, y1;
    double x; /* the east side of the parent's square; INFINITY for the root, where base is 0 */
    const struct part *part;
    uint32_t n_part;
    const uint32_t *ids;
    unsigned depth;
};

/* Something that a part has in a square: an edge, or a flag. Of one part and square the edges come
 * first, then ITEM_IN or ITEM_OUT (is the south-east corner inside?); ITEM_COVER stands alone. */
struct item {
    uint32_t square, part, edge;
};

struct builder {
    struct locate *l;
    struct vec square, raster, pool;
    struct locate_edge *edge;
    const struct polygon *const *cell;
};

/* Working memory of one node. */
struct work {
    struct locate_raster r;
    struct vec item;       /* struct item */
    unsigned char *closed; /* a byte a square: a cover was found, later parts cannot win */
    unsigned char *grid;   /* part_scan: a byte a square of the part's box */
    size_t grid_cap;
    uint32_t *start, *order; /* items by square */
};

static void *vec_more(struct vec *v, size_t n) {
    if (n > SIZE_MAX / 4 - v->n) return NULL;
    if (v->n + n > v->cap) {
        size_t cap = v->cap < 64 ? 64 : v->cap;
        while (cap < v->n + n) cap += cap / 2;
        void *p = mem_resize(v->p, cap, v->size);
        if (p == NULL) return NULL;
        v->p = p;
        v->cap = cap;
    }
    void *at = (char *)v->p + v->n * v->size;
    v->n += n;
    return at;
}

static enum err_code push_item(struct work *w, uint32_t square, uint32_t part, uint32_t edge,
                               struct err *err) {
    struct item *it = vec_more(&w->item, 1);
    if (it == NULL) return err_fail(err, ERR_NOMEM, "index of cells");
    *it = (struct item){square, part, edge};
    return ERR_OK;
}

static uint32_t clamp_square(double v, uint32_t n) {
    if (!(v > 0)) return 0;
    return v >= (double)n ? n - 1 : (uint32_t)v;
}

/* The squares of a part's box, and its flags there. */
struct range {
    uint32_t c0, c1, r0, r1; /* inclusive */
    size_t width;
};
enum { GRID_TOUCHED = 1, GRID_FLIP = 2 };

static enum err_code mark_row(struct work *w, const struct range *g, uint32_t row, double lo,
                              double hi, uint32_t part, uint32_t id, struct err *err) {
    double c_lo = floor(lo - MARGIN), c_hi = floor(hi + MARGIN);
    if (c_hi < g->c0 || c_lo > g->c1) return ERR_OK;
    uint32_t from = c_lo < g->c0 ? g->c0 : (uint32_t)c_lo,
             to = c_hi > g->c1 ? g->c1 : (uint32_t)c_hi;
    for (uint32_t c = from; c <= to; c++) {
        uint32_t square = row * w->r.nx + c;
        w->grid[(size_t)(row - g->r0) * g->width + (c - g->c0)] |= GRID_TOUCHED;
        if (!w->closed[square]) TRY(push_item(w, square, part, id, err));
    }
    return ERR_OK;
}

/* Every square that an edge touches, and perhaps some next to it. */
static enum err_code mark_edge(const struct builder *b, struct work *w, const struct range *g,
                               uint32_t part, uint32_t id, struct err *err) {
    const struct locate_edge *e = b->edge + id;
    double ua = (e->ax - w->r.x0) * w->r.per_dx, va = (e->ay - w->r.y0) * w->r.per_dy;
    double ub = (e->bx - w->r.x0) * w->r.per_dx, vb = (e->by - w->r.y0) * w->r.per_dy;
    double r_lo = floor(va - MARGIN), r_hi = floor(vb + MARGIN);
    if (r_hi < g->r0 || r_lo > g->r1) return ERR_OK;
    uint32_t from = r_lo < g->r0 ? g->r0 : (uint32_t)r_lo,
             to = r_hi > g->r1 ? g->r1 : (uint32_t)r_hi;
    double u_min = fmin(ua, ub), u_max = fmax(ua, ub);
    for (uint32_t row = from; row <= to; row++) {
        double u1 = ua, u2 = ub;
        /* An edge lower than the margin lies wholly in the widened row; the division is safe for
         * the others. */
        if (row - MARGIN > va) u1 = ua + (row - MARGIN - va) * ((ub - ua) / (vb - va));
        if (row + 1 + MARGIN < vb) u2 = ua + (row + 1 + MARGIN - va) * ((ub - ua) / (vb - va));
        double lo = fmax(u_min, fmin(u1, u2)), hi = fmin(u_max, fmax(u1, u2));
        TRY(mark_row(w, g, row, lo, hi, part, id, err));
    }
    return ERR_OK;
}

/* In each row, mark the last square whose south-east corner sees the edge to its east. */
static void flip_edge(const struct locate_edge *e, struct work *w, const struct range *g) {
    const struct locate_raster *r = &w->r;
    double va = (e->ay - r->y0) * r->per_dy, vb = (e->by - r->y0) * r->per_dy;
    if (vb < (double)g->r0 - 1 || va > (double)g->r1 + 1) return;
    uint32_t from = clamp_square(va - 1, r->ny), to = clamp_square(vb + 1, r->ny);
    if (from < g->r0) from = g->r0;
    if (to > g->r1) to = g->r1;
    for (uint32_t row = from; row <= to; row++) {
        double y = raster_y(r, row);
        if (!(e->ay <= y && y < e->by)) continue;
        double x = e->ax + (y - e->ay) * ((e->bx - e->ax) / (e->by - e->ay));
        int64_t c0 = g->c0, c1 = g->c1;
        int64_t c = (int64_t)clamp_square((x - r->x0) * r->per_dx, r->nx);
        c = c < c0 ? c0 : c > c1 ? c1 : c;
        /* The guess may be one off; the exact test decides. */
        while (c < c1 &&
               orient_ray_hits(e->ax, e->ay, e->bx, e->by, raster_x(r, (uint32_t)c + 2), y))
            c++;
        while (c >= c0 &&
               !orient_ray_hits(e->ax, e->ay, e->bx, e->by, raster_x(r, (uint32_t)c + 1), y))
            c--;
        if (c >= c0) w->grid[(size_t)(row - g->r0) * g->width + (size_t)(c - c0)] ^= GRID_FLIP;
    }
}

/* Parity of the far east end of a row: base, and the edges that stick out beyond the parent's
 * square. */
static uint32_t row_start(const struct builder *b, const struct node *n, const struct part *p,
                          double y) {
    uint32_t parity = p->base;
    if (isinf(n->x)) return parity;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct locate_edge *e = b->edge + n->ids[p->first + i];
        if (e->ax <= n->x && e->bx <= n->x) continue;
        parity ^= (uint32_t)(((e->ax > n->x) & (e->ay > y)) != ((e->bx > n->x) & (e->by > y)));
    }
    return parity;
}

static bool part_range(const struct builder *b, const struct node *n, const struct work *w,
                       const struct part *p, struct range *g) {
    const double *box = b->cell[p->cell]->box;
    if (box[2] < n->x0 - w->r.dx || box[0] > n->x1 + w->r.dx || box[3] < n->y0 - w->r.dy ||
        box[1] > n->y1 + w->r.dy)
        return false;
    g->c0 = clamp_square((box[0] - w->r.x0) * w->r.per_dx - MARGIN, w->r.nx);
    g->c1 = clamp_square((box[2] - w->r.x0) * w->r.per_dx + MARGIN, w->r.nx);
    g->r0 = clamp_square((box[1] - w->r.y0) * w->r.per_dy - MARGIN, w->r.ny);
    g->r1 = clamp_square((box[3] - w->r.y0) * w->r.per_dy + MARGIN, w->r.ny);
    g->width = (size_t)(g->c1 - g->c0) + 1;
    return true;
}

/* The items of one part. */
static enum err_code part_scan(const struct builder *b, const struct node *n, struct work *w,
                               uint32_t index, struct err *err) {
    const struct part *p = n->part + index;
    struct range g;
    if (!part_range(b, n, w, p, &g)) return ERR_OK;
    size_t cells = g.width * ((size_t)(g.r1 - g.r0) + 1);
    if (w->grid == NULL || cells > w->grid_cap) {
        unsigned char *grid = mem_resize(w->grid, cells, 1);
        if (grid == NULL) return err_fail(err, ERR_NOMEM, "index of cells");
        w->grid = grid;
        w->grid_cap = cells;
    }
    memset(w->grid, 0, cells);
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t id = n->ids[p->first + i];
        TRY(mark_edge(b, w, &g, index, id, err));
        flip_edge(b->edge + id, w, &g);
    }
    for (uint32_t row = g.r0; row <= g.r1; row++) {
        uint32_t parity = row_start(b, n, p, raster_y(&w->r, row));
        unsigned char *line = w->grid + (size_t)(row - g.r0) * g.width;
        for (uint32_t c = g.c1 + 1; c-- > g.c0;) {
            uint32_t square = row * w->r.nx + c, flags = line[c - g.c0];
            parity ^= (flags & GRID_FLIP) != 0;
            if (w->closed[square] || (flags == 0 && parity == 0)) continue;
            if ((flags & GRID_TOUCHED) != 0) {
                TRY(push_item(w, square, index, parity != 0 ? ITEM_IN : ITEM_OUT, err));
            } else if (parity != 0) {
                w->closed[square] = 1;
                TRY(push_item(w, square, index, ITEM_COVER, err));
            }
        }
    }
    return ERR_OK;
}

/* Counting sort by square; keeps the order within a square. */
static enum err_code items_sort(struct work *w, struct err *err) {
    size_t squares = (size_t)w->r.nx * w->r.ny;
    const struct item *it = w->item.p;
    w->start = mem_new(squares + 1, sizeof *w->start);
    w->order = mem_new(w->item.n + 1, sizeof *w->order);
    if (w->start == NULL || w->order == NULL || w->item.n > UINT32_MAX / 2)
        return err_fail(err, ERR_NOMEM, "index of cells");
    for (size_t i = 0; i < w->item.n; i++) w->start[it[i].square]++;
    uint32_t sum = 0;
    for (size_t s = 0; s <= squares; s++) {
        uint32_t count = w->start[s];
        w->start[s] = sum;
        sum += count;
    }
    for (size_t i = 0; i < w->item.n; i++) w->order[w->start[it[i].square]++] = (uint32_t)i;
    for (size_t s = squares; s > 0; s--) w->start[s] = w->start[s - 1];
    w->start[0] = 0;
    return ERR_OK;
}

/* What is in one square: parts with their base bit as in a record, cut after the first cover. */
struct content {
    struct part *part; /* cell, base, first and n into ids */
    uint32_t *ids;
    uint32_t n_part, n_id;
    struct locate_edge *edges; /* room for the record being written, as many as ids */
    uint32_t *masks;
};

static void content_gather(const struct builder *b, const struct node *n, const struct work *w,
                           size_t square, struct content *c) {
    uint32_t col = (uint32_t)(square % w->r.nx), row = (uint32_t)(square / w->r.nx);
    double x = raster_x(&w->r, col + 1), y = raster_y(&w->r, row);
    uint32_t first = 0, parity = 0;
    c->n_part = c->n_id = 0;
    for (uint32_t k = w->start[square]; k < w->start[square + 1]; k++) {
        const struct item *it = (const struct item *)w->item.p + w->order[k];
        if (it->edge < ITEM_IN) {
            const struct locate_edge *e = b->edge + it->edge;
            parity ^= orient_path_hits(e->ax, e->ay, e->bx, e->by, x, x, y);
            c->ids[c->n_id++] = it->edge;
            continue;
        }
        uint32_t base = it->edge == ITEM_OUT ? parity : parity ^ 1;
        c->part[c->n_part++] = (struct part){n->part[it->part].cell, base, first, c->n_id - first};
        first = c->n_id;
        parity = 0;
        if (it->edge == ITEM_COVER) break;
    }
}

static bool edge_same(const struct locate_edge *a, const struct locate_edge *b) {
    return a->ax == b->ax && a->ay == b->ay && a->bx == b->bx && a->by == b->by;
}

/* One record of up to 32 candidates. Edges that several candidates have are stored once. */
static enum err_code record_write(struct builder *b, const struct content *c, uint32_t from,
                                  uint32_t to, struct err *err) {
    struct locate_edge *edges = c->edges;
    uint32_t *masks = c->masks;
    struct record_head h = {.n_candidate = to - from, .more = to < c->n_part};
    for (uint32_t k = from; k < to; k++) {
        const struct part *p = c->part + k;
        uint32_t bit = 1u << (k - from);
        if (p->base != 0) h.base |= bit;
        for (uint32_t i = 0; i < p->n; i++) {
            const struct locate_edge *e = b->edge + c->ids[p->first + i];
            uint32_t at = 0;
            if (h.n_edge > DEDUPE_EDGES) at = h.n_edge;
            while (at < h.n_edge && !edge_same(edges + at, e)) at++;
            if (at == h.n_edge) {
                edges[h.n_edge++] = *e;
                masks[at] = 0;
            }
            masks[at] ^= bit;
        }
    }
    size_t at = record_edges_at(h.n_edge, h.n_candidate), size = at + h.n_edge * sizeof *edges;
    unsigned char *out = vec_more(&b->pool, size);
    if (out == NULL) return err_fail(err, ERR_NOMEM, "index of cells");
    memset(out, 0, size);
    memcpy(out, &h, sizeof h);
    memcpy(out + sizeof h, masks, 4 * (size_t)h.n_edge);
    for (uint32_t k = from; k < to; k++)
        memcpy(out + sizeof h + 4 * ((size_t)h.n_edge + k - from), &c->part[k].cell, 4);
    memcpy(out + at, edges, h.n_edge * sizeof *edges);
    return ERR_OK;
}

static enum err_code leaf_write(struct builder *b, const struct content *c, uint32_t *value,
                                struct err *err) {
    size_t at = b->pool.n / RECORD_UNIT;
    if (at > SQUARE_VALUE / 2) return err_fail(err, ERR_LIMIT, "the index of cells is too large");
    for (uint32_t k = 0; k < c->n_part; k += RECORD_CANDIDATES) {
        uint32_t to = c->n_part - k < RECORD_CANDIDATES ? c->n_part : k + RECORD_CANDIDATES;
        TRY(record_write(b, c, k, to, err));
    }
    *value = SQUARE_RECORD | (uint32_t)at;
    return ERR_OK;
}

static enum err_code node_build(struct builder *b, const struct node *n, uint32_t *raster,
                                struct err *err);

static enum err_code square_finish(struct builder *b, const struct node *n, const struct work *w,
                                   size_t square, struct content *c, struct err *err) {
    content_gather(b, n, w, square, c);
    uint32_t value = 0;
    if (c->n_id == 0 && c->n_part > 0) {
        value = c->part[0].cell + 1;
    } else if (c->n_id > LEAF_EDGES && n->depth < MAX_DEPTH && w->r.dx > MIN_SQUARE_DEG &&
               w->r.dy > MIN_SQUARE_DEG) {
        uint32_t col = (uint32_t)(square % w->r.nx), row = (uint32_t)(square / w->r.nx);
        struct node sub = {.x0 = raster_x(&w->r, col),
                           .y0 = raster_y(&w->r, row),
                           .x1 = raster_x(&w->r, col + 1),
                           .y1 = raster_y(&w->r, row + 1),
                           .x = raster_x(&w->r, col + 1),
                           .part = c->part,
                           .n_part = c->n_part,
                           .ids = c->ids,
                           .depth = n->depth + 1};
        TRY(node_build(b, &sub, &value, err));
        value |= SQUARE_RASTER;
    } else if (c->n_part > 0) {
        TRY(leaf_write(b, c, &value, err));
    }
    ((uint32_t *)b->square.p)[w->r.first + square] = value;
    return ERR_OK;
}

static enum err_code squares_finish(struct builder *b, const struct node *n, const struct work *w,
                                    struct err *err) {
    size_t squares = (size_t)w->r.nx * w->r.ny;
    uint32_t most = 0;
    for (size_t s = 0; s < squares; s++) {
        uint32_t count = w->start[s + 1] - w->start[s];
        if (count > most) most = count;
    }
    struct content c = {.part = mem_new((size_t)most + 1, sizeof *c.part),
                        .ids = mem_new((size_t)most + 1, sizeof *c.ids),
                        .edges = mem_new((size_t)most + 1, sizeof *c.edges),
                        .masks = mem_new((size_t)most + 1, sizeof *c.masks)};
    enum err_code rc = ERR_OK;
    if (c.part == NULL || c.ids == NULL || c.edges == NULL || c.masks == NULL)
        rc = err_fail(err, ERR_NOMEM, "index of cells");
    for (size_t s = 0; s < squares && rc == ERR_OK; s++)
        if (w->start[s + 1] > w->start[s]) rc = square_finish(b, n, w, s, &c, err);
    mem_free(c.part);
    mem_free(c.ids);
    mem_free(c.edges);
    mem_free(c.masks);
    return rc;
}

/* Squares of about equal sides in metres, about as many as there are edges. */
static void raster_choose(const struct node *n, double edges, struct locate_raster *r) {
    double width = n->x1 - n->x0, height = n->y1 - n->y0;
    double squares = n->depth == 0 ? edges * ROOT_SQUARES_PER_EDGE : edges;
    squares = fmin(fmax(squares, 16), MAX_ROOT_SQUARES);
    double middle = (n->y0 + n->y1) / 2 * (3.14159265358979323846 / 180);
    double ratio = width * fmax(cos(middle), 0.05) / height;
    double nx = fmin(fmax(sqrt(squares * ratio), 1), MAX_SIDE);
    double ny = fmin(fmax(squares / nx, 1), MAX_SIDE);
    r->nx = (uint32_t)ceil(nx);
    r->ny = (uint32_t)ceil(ny);
    r->x0 = n->x0;
    r->y0 = n->y0;
    r->dx = width / r->nx;
    r->dy = height / r->ny;
    r->per_dx = 1 / r->dx;
    r->per_dy = 1 / r->dy;
}

static enum err_code node_fill(struct builder *b, const struct node *n, struct work *w,
                               struct err *err) {
    size_t squares = (size_t)w->r.nx * w->r.ny;
    w->closed = mem_new(squares, 1);
    if (w->closed == NULL) return err_fail(err, ERR_NOMEM, "index of cells");
    for (uint32_t i = 0; i < n->n_part; i++) TRY(part_scan(b, n, w, i, err));
    TRY(items_sort(w, err));
    return squares_finish(b, n, w, err);
}

static enum err_code node_build(struct builder *b, const struct node *n, uint32_t *raster,
                                struct err *err) {
    struct work w = {.item = {.size = sizeof(struct item)}};
    double edges = 0;
    for (uint32_t i = 0; i < n->n_part; i++) edges += n->part[i].n;
    raster_choose(n, edges, &w.r);
    size_t squares = (size_t)w.r.nx * w.r.ny;
    w.r.first = (uint32_t)b->square.n;
    *raster = (uint32_t)b->raster.n;
    if (b->square.n + squares > SQUARE_VALUE || b->raster.n > SQUARE_VALUE / 2)
        return err_fail(err, ERR_LIMIT, "the index of cells is too large");
    uint32_t *square = vec_more(&b->square, squares);
    struct locate_raster *r = vec_more(&b->raster, 1);
    if (square == NULL || r == NULL) return err_fail(err, ERR_NOMEM, "index of cells");
    memset(square, 0, squares * sizeof *square);
    *r = w.r;
    enum err_code rc = node_fill(b, n, &w, err);
    mem_free(w.item.p);
    mem_free(w.closed);
    mem_free(w.grid);
    mem_free(w.start);
    mem_free(w.order);
    return rc;
}

/* Edges of all cells, lower end first, and a part a cell. */
static enum err_code edges_gather(struct builder *b, size_t n, struct part *part, uint32_t *n_part,
                                  struct err *err) {
    size_t total = 0;
    for (size_t i = 0; i < n; i++) total += b->cell[i] != NULL ? b->cell[i]->n_pt : 0;
    if (total > MAX_EDGES)
        return err_fail(err, ERR_LIMIT, "%zu points in one layer of cells", total);
    b->edge = mem_new(total + 1, sizeof *b->edge);
    if (b->edge == NULL) return err_fail(err, ERR_NOMEM, "index of cells");
    uint32_t at = 0;
    *n_part = 0;
    for (size_t i = 0; i < n; i++) {
        const struct polygon *p = b->cell[i];
        if (p == NULL) continue;
        uint32_t first = at;
        for (uint32_t r = 0; r < p->n_ring; r++) {
            const double *q = p->xy + 2 * (size_t)p->ring[r];
            for (uint32_t k = p->ring[r]; k + 1 < p->ring[r + 1]; k++, q += 2) {
                if (q[0] == q[2] && q[1] == q[3]) continue;
                /* One order for both neighbours, so that a shared edge is found to be the same. */
                bool up = q[1] < q[3] || (q[1] == q[3] && q[0] < q[2]);
                b->edge[at++] = up ? (struct locate_edge){q[0], q[1], q[2], q[3]}
                                   : (struct locate_edge){q[2], q[3], q[0], q[1]};
            }
        }
        part[(*n_part)++] = (struct part){(uint32_t)i, 0, first, at - first};
    }
    return ERR_OK;
}

static void bounds_gather(struct locate *l, const struct polygon *const *cell) {
    double *o = l->bounds;
    o[0] = o[1] = INFINITY;
    o[2] = o[3] = -INFINITY;
    for (size_t i = 0; i < l->n_cells; i++) {
        for (int k = 0; k < 4; k++) l->box[i][k] = cell[i] != NULL ? cell[i]->box[k] : NAN;
        if (cell[i] == NULL) continue;
        o[0] = fmin(o[0], cell[i]->box[0]);
        o[1] = fmin(o[1], cell[i]->box[1]);
        o[2] = fmax(o[2], cell[i]->box[2]);
        o[3] = fmax(o[3], cell[i]->box[3]);
    }
}

static enum err_code root_build(struct builder *b, size_t n, struct err *err) {
    struct part *part = mem_new(n + 1, sizeof *part);
    uint32_t n_part = 0, root, *ids = NULL;
    enum err_code rc = part != NULL ? ERR_OK : err_fail(err, ERR_NOMEM, "index of cells");
    if (rc == ERR_OK) rc = edges_gather(b, n, part, &n_part, err);
    if (rc == ERR_OK && n_part > 0) {
        uint32_t n_edge = part[n_part - 1].first + part[n_part - 1].n;
        ids = mem_new((size_t)n_edge + 1, sizeof *ids);
        for (uint32_t i = 0; ids != NULL && i < n_edge; i++) ids[i] = i;
        const double *o = b->l->bounds;
        /* A little wider than the bounds, so that no side is empty. */
        double pad_x = (o[2] - o[0]) * 1e-6 + 1e-7, pad_y = (o[3] - o[1]) * 1e-6 + 1e-7;
        struct node node = {.x0 = o[0] - pad_x,
                            .y0 = o[1] - pad_y,
                            .x1 = o[2] + pad_x,
                            .y1 = o[3] + pad_y,
                            .x = INFINITY,
                            .part = part,
                            .n_part = n_part,
                            .ids = ids};
        rc = ids != NULL ? node_build(b, &node, &root, err)
                         : err_fail(err, ERR_NOMEM, "index of cells");
    }
    mem_free(part);
    mem_free(ids);
    mem_free(b->edge);
    return rc;
}

/* The array in a block of its exact size. Questions touch it at random, so a large one is put on
 * huge pages where the system has them: a fifth faster. When memory is short the old block does as
 * well. */
static void *vec_settle(struct vec *v) {
    enum { PAGE = 4096 };
    void *p = v->n > 0 ? mem_new(v->n, v->size) : NULL;
    if (p == NULL) return v->p;
    uintptr_t from = ((uintptr_t)p + PAGE - 1) / PAGE * PAGE;
    uintptr_t to = ((uintptr_t)p + v->n * v->size) / PAGE * PAGE;
    if (to > from) (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
    memcpy(p, v->p, v->n * v->size);
    mem_free(v->p);
    return p;
}

static void builder_take(struct builder *b) {
    struct locate *l = b->l;
    l->square = vec_settle(&b->square);
    l->n_squares = b->square.n;
    l->raster = vec_settle(&b->raster);
    l->n_rasters = b->raster.n;
    l->pool = vec_settle(&b->pool);
    l->n_pool = b->pool.n;
}

enum err_code locate_build(const struct polygon *const *cells, size_t n, struct locate **out,
                           struct err *err) {
    if (n > LOCATE_MAX_CELLS)
        return err_fail(err, ERR_LIMIT, "%zu cells in one layer, at most %d", n, LOCATE_MAX_CELLS);
    struct locate *l = mem_new(1, sizeof *l);
    if (l == NULL) return err_fail(err, ERR_NOMEM, "index of cells");
    atomic_init(&l->refs, 1);
    l->n_cells = n;
    l->box = mem_new(n, sizeof *l->box);
    struct builder b = {.l = l,
                        .cell = cells,
                        .square = {.size = sizeof(uint32_t)},
                        .raster = {.size = sizeof(struct locate_raster)},
                        .pool = {.size = 1}};
    enum err_code rc = l->box != NULL ? ERR_OK : err_fail(err, ERR_NOMEM, "index of cells");
    if (rc == ERR_OK) {
        bounds_gather(l, cells);
        rc = root_build(&b, n, err);
    }
    builder_take(&b);
    if (rc != ERR_OK) {
        locate_unref(l);
        return rc;
    }
    *out = l;
    return ERR_OK;
}
