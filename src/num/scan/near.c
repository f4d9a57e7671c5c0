#include "num/scan/near.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF = 16, SMALL = 24 };

/* Children of a node are both set or both 0 (a leaf). Points order[from .. to) lie in its box. */
struct node {
    double low[3], high[3];
    uint32_t from, to, left, right;
};
struct near_tree {
    unsigned dim;
    const double *coord;
    uint32_t *order;
    struct node *node;
    size_t n_nodes;
};
struct by_axis {
    const double *coord;
    unsigned dim, axis;
};

static int compare_axis(const void *a, const void *b, void *arg) {
    const struct by_axis *by = arg;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    double x = by->coord[(size_t)i * by->dim + by->axis];
    double y = by->coord[(size_t)j * by->dim + by->axis];
    if (x != y) return x < y ? -1 : 1;
    return i < j ? -1 : i > j;
}

static void measure_box(const struct near_tree *t, struct node *box) {
    for (unsigned d = 0; d < t->dim; d++) {
        box->low[d] = INFINITY;
        box->high[d] = -INFINITY;
        for (uint32_t i = box->from; i < box->to; i++) {
            double x = t->coord[(size_t)t->order[i] * t->dim + d];
            box->low[d] = fmin(box->low[d], x);
            box->high[d] = fmax(box->high[d], x);
        }
    }
}

/* Breadth first: nodes are split in the order in which they were made. */
static void split_all(struct near_tree *t) {
    for (size_t k = 0; k < t->n_nodes; k++) {
        struct node *box = &t->node[k];
        measure_box(t, box);
        if (box->to - box->from <= LEAF) continue;
        struct by_axis by = {.coord = t->coord, .dim = t->dim};
        for (unsigned d = 1; d < t->dim; d++)
            if (box->high[d] - box->low[d] > box->high[by.axis] - box->low[by.axis]) by.axis = d;
        qsort_r(t->order + box->from, box->to - box->from, sizeof *t->order, compare_axis, &by);
        uint32_t middle = box->from + (box->to - box->from) / 2;
        box->left = (uint32_t)t->n_nodes++;
        box->right = (uint32_t)t->n_nodes++;
        t->node[box->left] = (struct node){.from = box->from, .to = middle};
        t->node[box->right] = (struct node){.from = middle, .to = box->to};
    }
}

enum err_code near_new(size_t n, unsigned dim, const double *coord, struct arena *a,
                       const struct near_tree **out, struct err *err) {
    app_assert(n >= 1 && n <= UINT32_MAX / 2 && (dim == 2 || dim == 3));
    struct near_tree *t = ARENA_NEW(a, struct near_tree, 1);
    if (t == NULL) return err_fail(err, ERR_NOMEM, "tree of points");
    t->dim = dim;
    t->coord = coord;
    t->order = ARENA_NEW(a, uint32_t, n);
    /* A split node has more than LEAF points, so a leaf has at least LEAF / 2. */
    t->node = ARENA_NEW(a, struct node, 4 * n / LEAF + 3);
    if (t->order == NULL || t->node == NULL) return err_fail(err, ERR_NOMEM, "tree of points");
    for (size_t i = 0; i < n; i++) t->order[i] = (uint32_t)i;
    t->node[0] = (struct node){.from = 0, .to = (uint32_t)n};
    t->n_nodes = 1;
    split_all(t);
    *out = t;
    return ERR_OK;
}

double near_distance(const double *a, const double *b, unsigned dim) {
    double sum = 0.0;
    for (unsigned d = 0; d < dim; d++) sum += (a[d] - b[d]) * (a[d] - b[d]);
    return sqrt(sum);
}

double near_extent(const struct near_tree *t) {
    double most = 0.0;
    for (unsigned d = 0; d < t->dim; d++) most = fmax(most, t->node[0].high[d] - t->node[0].low[d]);
    return most;
}

/* Distance from a box, 0 inside. */
static double box_distance(const struct near_tree *t, const struct node *box,
                           const double *center) {
    double sum = 0.0;
    for (unsigned d = 0; d < t->dim; d++) {
        double out = fmax(fmax(box->low[d] - center[d], center[d] - box->high[d]), 0.0);
        sum += out * out;
    }
    return sqrt(sum);
}

size_t near_disc(const struct near_tree *t, const double *center, double radius,
                 struct near_hit *hits) {
    uint32_t stack[128];
    size_t n_stack = 0, n = 0;
    stack[n_stack++] = 0;
    while (n_stack > 0) {
        const struct node *box = &t->node[stack[--n_stack]];
        /* Rounding must not lose a point that lies on the radius. */
        if (box_distance(t, box, center) > radius * (1.0 + 1e-12)) continue;
        if (box->left != 0) {
            stack[n_stack++] = box->right;
            stack[n_stack++] = box->left;
            continue;
        }
        for (uint32_t i = box->from; i < box->to; i++) {
            uint32_t p = t->order[i];
            const double *at = t->coord + (size_t)p * t->dim;
            /* The same sum as near_distance, without its loop. */
            double dx = at[0] - center[0], dy = at[1] - center[1], sum = dx * dx + dy * dy;
            if (t->dim == 3) sum += (at[2] - center[2]) * (at[2] - center[2]);
            double d = sqrt(sum);
            if (d <= radius) hits[n++] = (struct near_hit){.distance = d, .point = p};
        }
    }
    return n;
}

struct by_distance {
    const double *tie;
    unsigned dim;
};

static int compare_hits(const void *a, const void *b, void *arg) {
    const struct near_hit *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    const struct by_distance *by = arg;
    const double *p = by->tie + (size_t)x->point * by->dim;
    const double *q = by->tie + (size_t)y->point * by->dim;
    for (unsigned d = 0; d < by->dim; d++)
        if (p[d] != q[d]) return p[d] < q[d] ? -1 : 1;
    return x->point < y->point ? -1 : x->point > y->point;
}

static void insert_sort(struct near_hit *hits, size_t n, struct by_distance *by) {
    for (size_t i = 1; i < n; i++) {
        struct near_hit hit = hits[i];
        size_t j = i;
        for (; j > 0 && hits[j - 1].distance >= hit.distance; j--) {
            if (hits[j - 1].distance == hit.distance && compare_hits(&hits[j - 1], &hit, by) < 0)
                break;
            hits[j] = hits[j - 1];
        }
        hits[j] = hit;
    }
}

void near_sort(struct near_hit *hits, size_t n_hits, const double *tie, unsigned dim,
               struct near_hit *scratch, uint32_t *bucket) {
    struct by_distance by = {.tie = tie, .dim = dim};
    double most = 0.0;
    for (size_t i = 0; i < n_hits; i++)
        if (hits[i].distance > most) most = hits[i].distance;
    if (n_hits <= SMALL) {
        insert_sort(hits, n_hits, &by);
        return;
    }
    /* Points that lie evenly in a plane are even in the square of the distance. */
    double scale = (double)(n_hits - 1) / (most * most);
    if (!isfinite(scale)) {
        qsort_r(hits, n_hits, sizeof *hits, compare_hits, &by);
        return;
    }
    memset(bucket, 0, (n_hits + 1) * sizeof *bucket);
    for (size_t i = 0; i < n_hits; i++)
        bucket[(size_t)(hits[i].distance * hits[i].distance * scale) + 1]++;
    for (size_t b = 0; b < n_hits; b++) bucket[b + 1] += bucket[b];
    memcpy(scratch, hits, n_hits * sizeof *hits);
    for (size_t i = 0; i < n_hits; i++)
        hits[bucket[(size_t)(scratch[i].distance * scratch[i].distance * scale)]++] = scratch[i];
    /* bucket[b] is now the end of bucket b. */
    size_t from = 0;
    for (size_t b = 0; b < n_hits && from < n_hits; b++) {
        size_t n = bucket[b] - from;
        if (n > SMALL)
            qsort_r(hits + from, n, sizeof *hits, compare_hits, &by);
        else
            insert_sort(hits + from, n, &by);
        from = bucket[b];
    }
}
