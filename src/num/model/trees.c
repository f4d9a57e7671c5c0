#include "num/model/trees.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "num/model/glm_core.h"
#include "num/model/tree_grow.h"

const char *model_trees_flag_name(unsigned flag) {
    switch (flag) {
    case MODEL_TREES_NO_SPLIT:
        return "no_split";
    case MODEL_TREES_STOPPED_EARLY:
        return "stopped_early";
    case MODEL_TREES_ONE_OUTCOME:
        return "one_outcome";
    default:
        return NULL;
    }
}

enum { BLOCK = 4096 };

struct boosting {
    const struct model_data *data;
    enum model_family family;
    struct model_trees_options o;
    const struct num_run *run;
    struct tree_bins bins;
    struct tree_grower grower;
    uint8_t *learn; /* n_row: a weight above 0 and not held */
    double *eta, *g, *h;
    double *part; /* blocks x 4: deviance and weight, learnt and held */
    struct model_tree_node *node;
    size_t *first;
    double *deviance, *held_deviance;
    size_t n_trees, best;
    const struct model_tree_node *newest; /* the tree that eta still lacks */
};

static enum err_code check_options(struct model_trees_options *o, struct err *err) {
    if (o->n_trees == 0) o->n_trees = 100;
    if (o->rate == 0) o->rate = 0.1;
    if (o->max_leaves == 0) o->max_leaves = 8;
    if (o->min_rows == 0) o->min_rows = 20;
    if (o->max_bins == 0) o->max_bins = 255;
    if (o->row_share == 0) o->row_share = 1;
    if (o->n_trees > 100000) return err_fail(err, ERR_INVALID, "%u trees", o->n_trees);
    if (!(o->rate > 0 && o->rate <= 1)) return err_fail(err, ERR_INVALID, "rate %g", o->rate);
    if (o->max_leaves < 2 || o->max_leaves > 256)
        return err_fail(err, ERR_INVALID, "%u leaves; expected 2 to 256", o->max_leaves);
    if (!(o->ridge >= 0) || isinf(o->ridge))
        return err_fail(err, ERR_INVALID, "ridge %g", o->ridge);
    if (o->max_bins < 2 || o->max_bins > 255)
        return err_fail(err, ERR_INVALID, "%u bins; expected 2 to 255", o->max_bins);
    if (o->patience > 0 && o->held == NULL)
        return err_fail(err, ERR_INVALID, "patience needs rows that are held out");
    if (!(o->row_share > 0 && o->row_share <= 1))
        return err_fail(err, ERR_INVALID, "row share %g", o->row_share);
    return ERR_OK;
}

static enum err_code check_row(const struct model_data *d, enum model_family family, size_t i,
                               struct err *err) {
    double y = d->y[i], w = glm_weight(d, i);
    if (!(w >= 0) || isinf(w)) return err_fail(err, ERR_INVALID, "row %zu: weight %g", i + 1, w);
    if (!isfinite(glm_offset(d, i)))
        return err_fail(err, ERR_INVALID, "row %zu: offset %g", i + 1, glm_offset(d, i));
    if (w > 0 && (!(y >= 0) || isinf(y) || (family == MODEL_LOGISTIC && y > 1)))
        return err_fail(err, ERR_INVALID, "row %zu: outcome %g; expected %s", i + 1, y,
                        family == MODEL_LOGISTIC ? "0 to 1" : "a count");
    for (size_t j = 0; j < d->n_col; j++)
        if (isinf(d->x[i * d->n_col + j]))
            return err_fail(err, ERR_INVALID, "row %zu: %s is infinite", i + 1, d->name[j]);
    return ERR_OK;
}

static enum err_code check_data(const struct model_data *d, enum model_family family,
                                const struct model_trees_options *o, const struct num_run *run,
                                struct err *err) {
    if (family != MODEL_LOGISTIC && family != MODEL_POISSON)
        return err_fail(err, ERR_INVALID, "trees are for chances and counts");
    if (family == MODEL_LOGISTIC && d->offset != NULL)
        return err_fail(err, ERR_INVALID, "trees for chances take no offset");
    if (d->n_row == 0 || d->n_col == 0)
        return err_fail(err, ERR_INVALID, "trees on %zu rows and %zu columns", d->n_row, d->n_col);
    if (d->n_row > INT32_MAX || d->n_col > INT16_MAX)
        return err_fail(err, ERR_LIMIT, "trees on %zu rows and %zu columns", d->n_row, d->n_col);
    double rows = (double)d->n_row, columns = (double)d->n_col;
    return num_run_afford(run,
                          rows * (columns + 64) +
                              columns * 256 * sizeof(struct tree_cell) * (double)o->max_leaves,
                          "the trees' table", err);
}

/* The constant model. False when the outcomes say nothing beyond it. */
static bool start(struct boosting *b, double *base) {
    const struct model_data *d = b->data;
    double y = 0, exposure = 0;
    for (size_t i = 0; i < d->n_row; i++) {
        if (b->learn[i] == 0) continue;
        double w = glm_weight(d, i);
        y += w * d->y[i];
        exposure += b->family == MODEL_LOGISTIC ? w : w * exp(glm_offset(d, i));
    }
    double share = y / exposure;
    bool alike = !(y > 0) || (b->family == MODEL_LOGISTIC && y >= exposure);
    if (alike) share = y > 0 ? 1 - 0.5 / (exposure + 1) : 0.5 / (exposure + 1);
    *base = b->family == MODEL_LOGISTIC ? log(share / (1 - share)) : log(share);
    return !alike;
}

static double leaf_of(const struct model_tree_node *node, const double *row) {
    const struct model_tree_node *at = node;
    while (at->column >= 0) {
        double x = row[at->column];
        bool left = isnan(x) ? at->missing_left : x <= at->threshold;
        at = node + at->left + (left ? 0 : 1);
    }
    return at->value;
}

/* eta of a block with the newest tree; gradients and deviance there. */
static void update_block(void *arg, size_t k) {
    struct boosting *b = arg;
    const struct model_data *d = b->data;
    size_t last = (k + 1) * BLOCK < d->n_row ? (k + 1) * BLOCK : d->n_row;
    double *part = b->part + 4 * k;
    memset(part, 0, 4 * sizeof *part);
    for (size_t i = k * BLOCK; i < last; i++) {
        double w = glm_weight(d, i), y = d->y[i];
        if (b->newest != NULL) b->eta[i] += leaf_of(b->newest, d->x + i * d->n_col);
        double mu = glm_mean(b->family, b->eta[i]);
        b->g[i] = w * (mu - y);
        b->h[i] = w * (b->family == MODEL_LOGISTIC ? mu * (1 - mu) : mu);
        if (w == 0) continue;
        double *sum = part + (b->learn[i] != 0 ? 0 : 2);
        sum[0] += w * glm_unit_deviance(b->family, INFINITY, y, b->eta[i], mu);
        sum[1] += w;
    }
}

static void update(struct boosting *b, const struct model_tree_node *newest) {
    size_t n_block = b->data->n_row / BLOCK + 1;
    b->newest = newest;
    num_run_each(b->run, n_block, update_block, b);
    double sum[4] = {0};
    for (size_t k = 0; k < n_block; k++)
        for (size_t s = 0; s < 4; s++) sum[s] += b->part[4 * k + s];
    b->deviance[b->n_trees] = sum[0] / sum[1];
    b->held_deviance[b->n_trees] = sum[3] > 0 ? sum[2] / sum[3] : NAN;
    if (b->held_deviance[b->n_trees] < b->held_deviance[b->best]) b->best = b->n_trees;
}

/* Rows of the next tree: all that are learnt from, or a share of them by the seed and the tree. */
static void draw_rows(struct boosting *b) {
    struct rng r = rng_new(b->o.seed, b->n_trees);
    b->grower.n = 0;
    for (size_t i = 0; i < b->data->n_row; i++) {
        if (b->learn[i] == 0) continue;
        if (b->o.row_share < 1 && rng_unit(&r) >= b->o.row_share) continue;
        b->grower.row[b->grower.n++] = (uint32_t)i;
    }
}

static enum err_code boost(struct boosting *b, unsigned *flags, struct err *err) {
    size_t n_nodes = 0;
    update(b, NULL);
    while (b->n_trees < b->o.n_trees) {
        if (num_run_stopped(b->run)) return err_fail(err, ERR_TIMEOUT, "the trees were stopped");
        draw_rows(b);
        tree_grow(&b->grower);
        /* With all rows the next tree would be the same constant again. */
        if (b->grower.n_leaves == 1 && b->o.row_share == 1) break;
        memcpy(b->node + n_nodes, b->grower.node, b->grower.n_nodes * sizeof *b->node);
        b->first[b->n_trees++] = n_nodes;
        const struct model_tree_node *tree = b->node + n_nodes;
        n_nodes += b->grower.n_nodes;
        b->first[b->n_trees] = n_nodes;
        update(b, tree);
        num_run_tell(b->run, "trees", (double)b->n_trees / b->o.n_trees);
        if (b->o.patience > 0 && b->n_trees - b->best >= b->o.patience) break;
    }
    if (b->n_trees == 0) *flags |= MODEL_TREES_NO_SPLIT;
    if (b->o.patience == 0 || b->best == b->n_trees) return ERR_OK;
    *flags |= MODEL_TREES_STOPPED_EARLY;
    b->n_trees = b->best;
    return ERR_OK;
}

static enum err_code prepare(struct boosting *b, struct arena *scratch, struct arena *a,
                             struct err *err) {
    const struct model_data *d = b->data;
    size_t n = d->n_row, n_block = n / BLOCK + 1, n_learn = 0, n_trees = b->o.n_trees;
    b->learn = ARENA_NEW(scratch, uint8_t, n);
    b->eta = ARENA_NEW(scratch, double, n);
    b->g = ARENA_NEW(scratch, double, n);
    b->h = ARENA_NEW(scratch, double, n);
    b->part = ARENA_NEW(scratch, double, 4 * n_block);
    b->node = ARENA_NEW(a, struct model_tree_node, n_trees * (2 * (size_t)b->o.max_leaves - 1));
    b->first = ARENA_NEW(a, size_t, n_trees + 1);
    b->deviance = ARENA_NEW(a, double, n_trees + 1);
    b->held_deviance = ARENA_NEW(a, double, n_trees + 1);
    if (b->learn == NULL || b->eta == NULL || b->g == NULL || b->h == NULL || b->part == NULL ||
        b->node == NULL || b->first == NULL || b->deviance == NULL || b->held_deviance == NULL)
        return err_fail(err, ERR_NOMEM, "trees on %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        TRY(check_row(d, b->family, i, err));
        b->learn[i] = glm_weight(d, i) > 0 && (b->o.held == NULL || b->o.held[i] == 0);
        n_learn += b->learn[i];
    }
    if (n_learn == 0) return err_fail(err, ERR_INVALID, "no row to learn from");
    TRY(tree_bins_new(d, b->learn, b->o.max_bins, b->run, scratch, &b->bins, err));
    b->grower = (struct tree_grower){.bins = &b->bins,
                                     .run = b->run,
                                     .max_leaves = b->o.max_leaves,
                                     .max_depth = b->o.max_depth,
                                     .min_rows = b->o.min_rows,
                                     .ridge = b->o.ridge,
                                     .rate = b->o.rate,
                                     .g = b->g,
                                     .h = b->h};
    return tree_grower_new(scratch, n_learn, &b->grower, err);
}

static enum err_code fit(struct boosting *b, struct arena *scratch, struct arena *a,
                         struct model_trees *out, struct err *err) {
    const struct model_data *d = b->data;
    TRY(prepare(b, scratch, a, err));
    double *importance = ARENA_NEW(a, double, d->n_col);
    if (importance == NULL) return err_fail(err, ERR_NOMEM, "importance");
    double base;
    unsigned flags = 0;
    bool any = start(b, &base);
    for (size_t i = 0; i < d->n_row; i++) b->eta[i] = base + glm_offset(d, i);
    if (any) {
        TRY(boost(b, &flags, err));
    } else {
        update(b, NULL);
        flags = MODEL_TREES_ONE_OUTCOME | MODEL_TREES_NO_SPLIT;
    }
    double gain = 0;
    for (size_t j = 0; j < d->n_col; j++) gain += b->grower.importance[j];
    for (size_t j = 0; gain > 0 && j < d->n_col; j++)
        importance[j] = b->grower.importance[j] / gain;
    *out = (struct model_trees){.family = b->family,
                                .flags = flags,
                                .n_col = d->n_col,
                                .n_trees = b->n_trees,
                                .base = base,
                                .first = b->first,
                                .node = b->node,
                                .importance = importance,
                                .deviance = b->deviance,
                                .held_deviance = b->o.held == NULL ? NULL : b->held_deviance};
    return ERR_OK;
}

enum err_code model_trees_fit(const struct model_data *data, enum model_family family,
                              const struct model_trees_options *options, const struct num_run *run,
                              struct arena *a, struct model_trees *out, struct err *err) {
    *out = (struct model_trees){0};
    struct boosting b = {.data = data, .family = family, .o = *options, .run = run};
    TRY(check_options(&b.o, err));
    TRY(check_data(data, family, &b.o, run, err));
    struct arena *scratch = arena_new(SIZE_MAX / 2);
    if (scratch == NULL) return err_fail(err, ERR_NOMEM, "trees");
    enum err_code rc = fit(&b, scratch, a, out, err);
    arena_free(scratch);
    return rc;
}

void model_trees_predict(const struct model_trees *m, size_t n_trees, const double *x, size_t n_row,
                         const double *offset, double *linear, double *fitted) {
    if (n_trees > m->n_trees) n_trees = m->n_trees;
    for (size_t i = 0; i < n_row; i++) {
        double eta = m->base + (offset == NULL ? 0 : offset[i]);
        for (size_t t = 0; t < n_trees; t++)
            eta += leaf_of(m->node + m->first[t], x + i * m->n_col);
        if (linear != NULL) linear[i] = eta;
        if (fitted != NULL) fitted[i] = glm_mean(m->family, eta);
    }
}
