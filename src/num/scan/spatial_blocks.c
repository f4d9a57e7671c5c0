#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "num/scan/llr.h"
#include "num/scan/spatial.h"
#include "num/scan/window.h"

/* What the bound of llr.h needs of a zone: 1 / f''(E) and the smallest cell that shrinks when the
 * cases are more (up) or fewer (down) than expected. */
struct shape {
    double expected, v, up, down;
};

static struct shape shape_of(const struct spatial_model *m, double measure) {
    double e = measure * m->rate, rest = m->cases - e;
    if (m->kind != SCAN_BERNOULLI) return (struct shape){e, e * (1.0 - e / m->cases), rest, e};
    double well = measure - e, well_rest = m->persons - measure - rest;
    return (struct shape){e, e * (1.0 - m->cases / m->persons) * (1.0 - measure / m->persons),
                          fmin(well, rest), fmin(e, well_rest)};
}

double spatial_bound(const struct spatial_model *m, double c, double measure) {
    struct shape s = shape_of(m, measure);
    double y = fabs(c - s.expected), cell = c > s.expected ? s.up : s.down;
    if (c > s.expected ? !m->high || c < m->min_cases : !m->low) return 0.0;
    if (!(s.v > 0.0)) return 0.0;
    double skew = y < cell ? y / cell : 1.0;
    return y * y / (2.0 * s.v) * (1.0 + skew) * (1.0 + 1e-9);
}

double spatial_llr(const struct spatial_model *m, double c, double measure) {
    double e = measure * m->rate;
    if (c > e ? !m->high || c < m->min_cases : !m->low || !(c < e)) return 0.0;
    return m->kind == SCAN_BERNOULLI ? scan_llr_bernoulli(c, measure, m->cases, m->persons)
                                     : scan_llr_poisson(c, e, m->cases);
}

/* The factor of sqrt(L) in the least distance from the expectation, for zones whose v lies between
 * two numbers and whose shrinking cells are no smaller than one: from y^2 (1 + min(1, y / cell)) >=
 * 2 L v follows y >= y0 / sqrt(1 + min(1, y0 / cell)) with y0 = sqrt(2 L v). A little less, for the
 * rounding. */
static float spread(double v_least, double v_most, double cell, double weight) {
    if (!(v_least > 0.0)) return 0.0F;
    double y0 = SPATIAL_CAP * sqrt(2.0 * v_most / weight);
    double skew = y0 < cell ? y0 / cell : 1.0;
    double s = sqrt(2.0 * v_least / weight / (1.0 + skew)) * (1.0 - 1e-6);
    return (float)fmin(s, 4095.0);
}

static float clip(double x) { return (float)fmax(-32768.0, fmin(32767.0, x)); }

/* The block whose zones have measures from first to last, both included. before: at its beginning.
 * v is concave in the expectation with a slope of at most 1. */
static void fill(const struct spatial *k, double before, double first, double last, double weight,
                 struct spatial_block *block, struct spatial_fall *fall) {
    const struct spatial_model *m = &k->model;
    struct shape a = shape_of(m, first), b = shape_of(m, last);
    double v_least = fmin(a.v, b.v), v_most = fmax(a.v, b.v) + (b.expected - a.expected);
    block->measure = before;
    block->low = 32767.0F;
    block->spread = 0.0F;
    if (m->high) {
        block->low = clip(floor(a.expected * (1.0 - 1e-12) - floor(b.expected)));
        block->spread = spread(v_least, v_most, fmin(a.up, b.up), weight);
    }
    if (fall == NULL) return;
    fall->high = clip(ceil(b.expected * (1.0 + 1e-12) - floor(before * m->rate)));
    fall->spread = spread(v_least, v_most, fmin(a.down, b.down), weight);
}

struct build {
    const struct spatial *k;
    struct spatial_block *block;
    struct spatial_fall *fall;
};
enum { LISTS_A_TASK = 64 };

static void build_list(const struct build *x, size_t list) {
    const struct spatial *k = x->k;
    const struct scan_zones *z = k->zones;
    size_t j = k->first_block[list], len = z->first[list + 1] - z->first[list];
    size_t first_len = z->first_len != NULL ? z->first_len[list] : 1;
    double weight = z->weight != NULL ? z->weight[list] : 1.0, measure = 0.0;
    for (size_t i = 0; i < len; i += BLOCK, j++) {
        double before = measure, first = -1.0;
        for (size_t n = i; n < len && n < i + BLOCK; n++) {
            measure += k->measure[scan_zones_member(z, z->first[list] + n)];
            if (first < 0.0 && n + 1 >= first_len) first = measure;
        }
        struct spatial_fall *fall = x->fall != NULL ? &x->fall[j] : NULL;
        if (first >= 0.0) {
            fill(k, before, first, measure, weight, &x->block[j], fall);
            continue;
        }
        x->block[j] = (struct spatial_block){.measure = before, .low = 32767.0F};
        if (fall != NULL) *fall = (struct spatial_fall){.high = -32768.0F};
    }
    x->block[j].measure = measure;
}

static void build_task(void *arg, size_t i) {
    const struct build *x = arg;
    size_t n_lists = x->k->zones->n_lists, to = (i + 1) * LISTS_A_TASK;
    for (size_t list = i * LISTS_A_TASK; list < to && list < n_lists; list++) build_list(x, list);
}

/* Where a list stands on a way that winds through the city in strips. */
struct stop {
    uint64_t shape, strip;
    double along;
    uint32_t list;
};

static int compare_stops(const void *a, const void *b) {
    const struct stop *p = a, *q = b;
    if (p->shape != q->shape) return p->shape < q->shape ? -1 : 1;
    if (p->strip != q->strip) return p->strip < q->strip ? -1 : 1;
    if (p->along != q->along) return p->along < q->along ? -1 : 1;
    return p->list < q->list ? -1 : p->list > q->list;
}

static void put_stops(const struct spatial *k, const struct scan_points *centers,
                      struct stop *stop) {
    const struct scan_zones *z = k->zones;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < centers->n; i++) {
        low = fmin(low, centers->y[i]);
        high = fmax(high, centers->y[i]);
    }
    double wide = (high - low) / (1.0 + floor(sqrt((double)centers->n) / 4.0));
    for (size_t list = 0; list < z->n_lists; list++) {
        size_t c = z->center_point != NULL ? z->center_point[list] : z->center[list];
        uint64_t strip = wide > 0.0 ? (uint64_t)((centers->y[c] - low) / wide) : 0;
        double x = centers->x[c];
        stop[list] = (struct stop){.shape = z->weight != NULL ? list / centers->n : 0,
                                   .strip = strip,
                                   .along = strip % 2 == 0 ? x : -x,
                                   .list = (uint32_t)list};
    }
}

/* Only the time depends on it. */
static enum err_code order_lists(struct spatial *k, struct err *err) {
    const struct scan_data *d = k->data;
    const struct scan_points *centers = d->grid.n > 0 ? &d->grid : &d->points;
    size_t n = k->zones->n_lists;
    uint32_t *order = window_keep(k->a, n, sizeof *order);
    struct stop *stop = mem_new(n, sizeof *stop);
    if (order == NULL || stop == NULL) {
        mem_free(stop);
        return err_fail(err, ERR_NOMEM, "order of windows");
    }
    bool coordinates = centers->n > 0 && (d->metric == SCAN_PLANE || d->metric == SCAN_SPHERE);
    if (coordinates) {
        put_stops(k, centers, stop);
        qsort(stop, n, sizeof *stop, compare_stops);
    }
    for (size_t i = 0; i < n; i++) order[i] = coordinates ? stop[i].list : (uint32_t)i;
    mem_free(stop);
    k->order = order;
    return ERR_OK;
}

enum err_code spatial_blocks(struct spatial *k, const struct num_run *run, struct err *err) {
    const struct scan_zones *z = k->zones;
    TRY(order_lists(k, err));
    size_t *first = window_keep(k->a, z->n_lists + 1, sizeof *first), n = 0;
    if (first == NULL) return err_fail(err, ERR_NOMEM, "blocks of windows");
    for (size_t list = 0; list < z->n_lists; list++) {
        first[list] = n;
        n += (z->first[list + 1] - z->first[list] + BLOCK - 1) / BLOCK + 1;
    }
    first[z->n_lists] = n;
    size_t bytes = sizeof(struct spatial_block) + (k->model.low ? sizeof(struct spatial_fall) : 0);
    double members = (double)z->first[z->n_lists] *
                     (double)(z->place16 != NULL ? sizeof(uint16_t) : sizeof(uint32_t));
    TRY(num_run_afford(run, members + (double)n * (double)bytes, "the windows", err));
    struct build x = {.k = k, .block = window_keep(k->a, n, sizeof *x.block)};
    if (k->model.low) x.fall = window_keep(k->a, n, sizeof *x.fall);
    if (x.block == NULL || (k->model.low && x.fall == NULL))
        return err_fail(err, ERR_NOMEM, "blocks of windows");
    k->first_block = first;
    num_run_each(run, (z->n_lists + LISTS_A_TASK - 1) / LISTS_A_TASK, build_task, &x);
    k->fall = x.fall;
    k->block = x.block;
    return ERR_OK;
}
