#include "num/model/tree_grow.h"

#include <math.h>
#include <string.h>

static const double min_curve = 1e-3; /* least second derivative of a leaf */
static const double max_move = 20;    /* of the linear predictor, before the rate */

enum err_code tree_grower_new(struct arena *a, size_t n_rows, struct tree_grower *g,
                              struct err *err) {
    size_t n_col = g->bins->n_col;
    g->row = ARENA_NEW(a, uint32_t, n_rows);
    g->kept = ARENA_NEW(a, uint32_t, n_rows);
    g->ordered = ARENA_NEW(a, double, 2 * n_rows);
    g->leaf = ARENA_NEW(a, struct tree_leaf, g->max_leaves);
    g->cells = ARENA_NEW(a, struct tree_cell, n_col * 256 * g->max_leaves);
    g->found = ARENA_NEW(a, struct tree_split, 2 * n_col);
    g->importance = ARENA_NEW(a, double, n_col);
    g->node = ARENA_NEW(a, struct model_tree_node, 2 * (size_t)g->max_leaves);
    if (g->row == NULL || g->kept == NULL || g->ordered == NULL || g->leaf == NULL ||
        g->cells == NULL || g->found == NULL || g->importance == NULL || g->node == NULL)
        return err_fail(err, ERR_NOMEM, "trees on %zu rows, %zu columns", n_rows, n_col);
    return ERR_OK;
}

static double score(const struct tree_grower *t, double g, double h) {
    return g * g / (h + t->ridge);
}

/* One place to cut, the left side given. */
static void consider(const struct tree_grower *t, const struct tree_leaf *leaf, double g, double h,
                     uint32_t n, struct tree_split candidate, struct tree_split *best) {
    uint32_t all = leaf->end - leaf->begin;
    double rest_h = leaf->h - h;
    if (n < t->min_rows || all - n < t->min_rows || h < min_curve || rest_h < min_curve) return;
    candidate.gain = score(t, g, h) + score(t, leaf->g - g, rest_h) - score(t, leaf->g, leaf->h);
    if (candidate.gain > best->gain) *best = candidate;
}

/* The best cut of one column; the first of equals. */
static struct tree_split scan_column(const struct tree_grower *t, const struct tree_leaf *leaf,
                                     size_t column) {
    struct tree_split best = {0};
    const struct tree_cell *cell = leaf->cell + column * 256, missing = cell[TREE_MISSING];
    unsigned n_bin = t->bins->n_bin[column];
    double g = 0, h = 0;
    uint32_t n = 0, all = leaf->end - leaf->begin;
    for (unsigned b = 0; b + 1 < n_bin; b++) {
        g += cell[b].g;
        h += cell[b].h;
        n += cell[b].n;
        struct tree_split s = {0, (uint32_t)column, (uint8_t)b, false};
        if (missing.n == 0) {
            /* Unseen here: the way of the larger part. */
            s.missing_left = n > all - n;
            consider(t, leaf, g, h, n, s, &best);
            continue;
        }
        consider(t, leaf, g, h, n, s, &best);
        s.missing_left = true;
        consider(t, leaf, g + missing.g, h + missing.h, n + missing.n, s, &best);
    }
    /* Missing against all values. */
    if (missing.n > 0) {
        struct tree_split s = {0, (uint32_t)column, (uint8_t)(n_bin - 1), false};
        consider(t, leaf, leaf->g - missing.g, leaf->h - missing.h, all - missing.n, s, &best);
    }
    return best;
}

/* What the tasks of one split share: the histogram of the small leaf is summed up, that of the
 * large one is its parent's less the small one's. large NULL: the root. */
struct pair {
    struct tree_grower *t;
    struct tree_leaf *small, *large;
};

static void column_task(void *arg, size_t j) {
    const struct pair *p = arg;
    struct tree_grower *t = p->t;
    struct tree_cell *cell = p->small->cell + j * 256;
    memset(cell, 0, 256 * sizeof *cell);
    const uint8_t *bin = t->bins->bin + j * t->bins->n_row;
    const uint32_t *row = t->row;
    const double *gh = t->ordered;
    for (uint32_t i = p->small->begin; i < p->small->end; i++) {
        struct tree_cell *c = cell + bin[row[i]];
        c->g += gh[2 * (size_t)i];
        c->h += gh[2 * (size_t)i + 1];
        c->n++;
    }
    t->found[2 * j] = scan_column(t, p->small, j);
    if (p->large == NULL) return;
    struct tree_cell *rest = p->large->cell + j * 256;
    for (unsigned b = 0; b < 256; b++) {
        rest[b].n -= cell[b].n;
        /* Nothing is left of an empty bin, not a rounding of nothing. */
        rest[b].g = rest[b].n == 0 ? 0 : rest[b].g - cell[b].g;
        rest[b].h = rest[b].n == 0 ? 0 : rest[b].h - cell[b].h;
    }
    t->found[2 * j + 1] = scan_column(t, p->large, j);
}

/* The best of the columns' cuts; side: 0 of the small leaf, 1 of the large. */
static void choose(const struct tree_grower *t, struct tree_leaf *leaf, size_t side) {
    leaf->best = (struct tree_split){0};
    if (t->max_depth != 0 && leaf->depth >= t->max_depth) return;
    for (size_t j = 0; j < t->bins->n_col; j++)
        if (t->found[2 * j + side].gain > leaf->best.gain) leaf->best = t->found[2 * j + side];
}

static void search(struct tree_grower *t, struct tree_leaf *small, struct tree_leaf *large) {
    struct pair p = {t, small, large};
    num_run_each(t->run, t->bins->n_col, column_task, &p);
    choose(t, small, 0);
    if (large != NULL) choose(t, large, 1);
}

static bool goes_left(const struct tree_split *s, uint8_t bin) {
    return bin == TREE_MISSING ? s->missing_left : bin <= s->bin;
}

/* Rows of the leaf to its two sides, each in the order they were in. The first of the right. */
static uint32_t part(struct tree_grower *t, const struct tree_leaf *leaf) {
    const uint8_t *bin = t->bins->bin + leaf->best.column * t->bins->n_row;
    uint32_t left = leaf->begin, n_right = 0;
    for (uint32_t i = leaf->begin; i < leaf->end; i++) {
        uint32_t r = t->row[i];
        if (goes_left(&leaf->best, bin[r])) {
            t->row[left++] = r;
        } else {
            t->kept[n_right++] = r;
        }
    }
    memcpy(t->row + left, t->kept, n_right * sizeof *t->row);
    for (uint32_t i = leaf->begin; i < leaf->end; i++) {
        t->ordered[2 * (size_t)i] = t->g[t->row[i]];
        t->ordered[2 * (size_t)i + 1] = t->h[t->row[i]];
    }
    return left;
}

static void sum_leaf(const struct tree_grower *t, struct tree_leaf *leaf) {
    leaf->g = leaf->h = 0;
    for (uint32_t i = leaf->begin; i < leaf->end; i++) {
        leaf->g += t->ordered[2 * (size_t)i];
        leaf->h += t->ordered[2 * (size_t)i + 1];
    }
}

static void set_value(const struct tree_grower *t, const struct tree_leaf *leaf) {
    double curve = leaf->h + t->ridge, move = curve > 0 ? -leaf->g / curve : 0;
    t->node[leaf->node] = (struct model_tree_node){
        .column = -1, .value = t->rate * fmax(-max_move, fmin(max_move, move))};
}

static void split(struct tree_grower *t, unsigned k) {
    struct tree_leaf *leaf = &t->leaf[k], *other = &t->leaf[t->n_leaves++];
    struct tree_split s = leaf->best;
    const double *threshold = t->bins->threshold[s.column];
    bool last = s.bin + 1U >= t->bins->n_bin[s.column];
    t->importance[s.column] += s.gain;
    t->node[leaf->node] = (struct model_tree_node){.column = (int32_t)s.column,
                                                   .left = t->n_nodes,
                                                   .missing_left = s.missing_left,
                                                   .threshold = last ? INFINITY : threshold[s.bin]};
    uint32_t middle = part(t, leaf);
    *other = *leaf;
    leaf->end = other->begin = middle;
    leaf->node = t->n_nodes;
    other->node = t->n_nodes + 1;
    t->n_nodes += 2;
    leaf->depth = ++other->depth;
    sum_leaf(t, leaf);
    sum_leaf(t, other);
    set_value(t, leaf);
    set_value(t, other);
    bool left_small = leaf->end - leaf->begin <= other->end - other->begin;
    struct tree_leaf *small = left_small ? leaf : other, *large = left_small ? other : leaf;
    large->cell = leaf->cell; /* both have their parent's here */
    small->cell = t->cells + (size_t)(t->n_leaves - 1) * t->bins->n_col * 256;
    /* The last leaves are not split any more. */
    if (t->n_leaves < t->max_leaves) search(t, small, large);
}

void tree_grow(struct tree_grower *t) {
    t->n_leaves = 1;
    t->n_nodes = 1;
    t->leaf[0] = (struct tree_leaf){.end = (uint32_t)t->n, .cell = t->cells};
    for (size_t i = 0; i < t->n; i++) {
        t->ordered[2 * i] = t->g[t->row[i]];
        t->ordered[2 * i + 1] = t->h[t->row[i]];
    }
    sum_leaf(t, &t->leaf[0]);
    set_value(t, &t->leaf[0]);
    search(t, &t->leaf[0], NULL);
    while (t->n_leaves < t->max_leaves) {
        unsigned best = 0;
        for (unsigned k = 1; k < t->n_leaves; k++)
            if (t->leaf[k].best.gain > t->leaf[best].best.gain) best = k;
        if (!(t->leaf[best].best.gain > 0)) return;
        split(t, best);
    }
}
