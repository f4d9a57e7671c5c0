/* Ranks under doubt. What is in doubt: weights (each a share either way), means, and the chance in
 * small counts. The last by draws from what the counts leave open, with Jeffreys' priors: a count
 * or a rate c / b from gamma(c + 1/2) / b, a share k of n from beta(k + 1/2, n - k + 1/2), a count
 * over the mean of m earlier counts from the quotient of two such gammas. Gelman et al. 2013,
 * Bayesian Data Analysis, 3rd ed., 2.4 and 2.6. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "domain/measure/index_inside.h"
#include "domain/measure/shrink.h"

/* Each value has so many draws, made once; a draw of the index takes one of them. */
enum { MAX_ATOMS = 256, MIN_ATOMS = 32, MAX_CELLS = 1 << 23, BLOCK = 50 };
static const uint64_t weight_seed = 0x9e3779b97f4a7c15u, noise_seed = 0xd1b54a32d192ed03u;

struct doubt {
    const struct index_view *v;
    const struct index_ask *ask;
    size_t n_atoms, n_noisy; /* n_atoms a power of two */
    const size_t *noisy;     /* leaves with chance in them */
    const float *atom;       /* n_noisy x n x n_atoms: scores */
    double *work;            /* a block of threads' matrices: n_nodes x n each */
    uint64_t *bits;
    uint16_t *rank; /* n_draws x n */
    size_t n_words;
};

/* ---- what kinds of chance there are */

static bool adds_up(const struct indicator_def *d) {
    return d != NULL &&
           (d->measure == MEASURE_COUNT || (d->measure == MEASURE_FIGURE && d->sum_up));
}

static struct index_noise_of kind_of(const struct pack_set *packs, const struct indicator_def *d) {
    struct index_noise_of none = {INDEX_NOISE_NONE, 0};
    if (d->measure == MEASURE_AGAINST && adds_up(pack_indicator(packs, d->of)))
        return (struct index_noise_of){INDEX_NOISE_AGAINST,
                                       d->against == AGAINST_THREE_YEARS ? 3 : 1};
    if (d->measure == MEASURE_SHARE) return (struct index_noise_of){INDEX_NOISE_SHARE, 0};
    if (shrink_applies(packs, d)) return (struct index_noise_of){INDEX_NOISE_RATE, 0};
    return d->measure == MEASURE_COUNT ? (struct index_noise_of){INDEX_NOISE_COUNT, 0} : none;
}

enum err_code index_noise_kinds(const struct pack_set *packs, const struct index_def *d,
                                struct arena *a, const struct index_noise_of **out,
                                struct err *err) {
    struct index_noise_of *k = ARENA_NEW(a, struct index_noise_of, d->n_leaves + 1);
    if (k == NULL) return err_fail(err, ERR_NOMEM, "index");
    for (size_t i = 0; i < d->n_leaves; i++) k[i] = kind_of(packs, d->node[i].indicator);
    *out = k;
    return ERR_OK;
}

/* ---- draws of a value */

/* Marsaglia & Tsang 2000; below 1 by their section 6. */
static double gamma_draw(struct rng *r, double shape) {
    if (shape < 1) {
        double u = 1 - rng_unit(r);
        return gamma_draw(r, shape + 1) * pow(u, 1 / shape);
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = rng_normal(r), v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        double u = 1 - rng_unit(r);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

static double value_draw(struct rng *r, const struct index_noise_of *k,
                         const struct indicator_value *x, double per) {
    double c = x->numerator, b = x->denominator;
    switch (k->kind) {
    case INDEX_NOISE_COUNT:
        return gamma_draw(r, c + 0.5);
    case INDEX_NOISE_RATE:
        /* More than its base: no share, whatever it is called. */
        return gamma_draw(r, c + 0.5) / b * per;
    case INDEX_NOISE_SHARE: {
        double yes = gamma_draw(r, c + 0.5), no = gamma_draw(r, (c < b ? b - c : 0) + 0.5);
        return yes / (yes + no) * per;
    }
    case INDEX_NOISE_AGAINST:
        return gamma_draw(r, c + 0.5) / (gamma_draw(r, b * k->years + 0.5) / k->years) * per;
    case INDEX_NOISE_NONE:
        break;
    }
    return x->value;
}

static bool can_be_drawn(const struct index_noise_of *k, const struct indicator_value *x) {
    if (k->kind == INDEX_NOISE_NONE || isnan(x->value) || !(x->numerator >= 0)) return false;
    return k->kind == INDEX_NOISE_COUNT || x->denominator > 0;
}

static void make_atoms(void *arg, size_t cell) {
    const struct doubt *x = arg;
    const struct index_view *v = x->v;
    size_t leaf = x->noisy[cell / v->n], j = cell % v->n;
    const struct indicator_value *raw = &v->raw[leaf * v->n + j];
    float *out = (float *)(uintptr_t)x->atom + cell * x->n_atoms;
    double stands = v->value[leaf * v->n + j];
    struct rng r = rng_new(x->ask->seed ^ noise_seed, cell);
    bool draws = can_be_drawn(&v->noise[leaf], raw) && !isnan(stands);
    for (size_t k = 0; k < x->n_atoms; k++) {
        double value =
            !draws ? 0 : value_draw(&r, &v->noise[leaf], raw, v->def->node[leaf].indicator->per);
        out[k] = (float)(draws ? index_leaf_score(v, leaf, value) : stands);
    }
}

/* ---- draws of the index */

static void shake_weights(const struct doubt *x, size_t draw, double *weight) {
    const struct index_view *v = x->v;
    double amount = v->def->doubt_weights;
    struct rng r = rng_new(x->ask->seed ^ weight_seed, draw);
    for (size_t k = 0; k < v->def->n_nodes; k++)
        weight[k] = v->weight[k] * (1 + amount * (2 * rng_unit(&r) - 1));
}

static struct composite_aggregate means_of(const struct doubt *x, size_t draw) {
    const struct index_def *d = x->v->def;
    struct composite_aggregate g = d->spec.aggregate;
    if (d->n_doubt_means < 2) return g;
    struct rng r = rng_new(x->ask->seed, draw);
    const struct composite_agg *one = &d->doubt_means[rng_below(&r, (uint32_t)d->n_doubt_means)];
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) g.level[k] = *one;
    return g;
}

/* A geometric mean among the doubtful ones meets a 0 that the index's own does not mind. */
static void lift_zeros(const struct composite_aggregate *g, double *value, size_t n) {
    if (g->level[0].kind == COMPOSITE_ARITHMETIC) return;
    for (size_t i = 0; i < n; i++)
        if (value[i] < 1) value[i] = 1;
}

static void draw_ranks(const struct doubt *x, const double *score, double *scratch, uint32_t *rank,
                       uint16_t *out) {
    composite_ranks(score, x->v->n, NULL, 1, scratch, rank);
    for (size_t j = 0; j < x->v->n; j++) out[j] = (uint16_t)rank[j];
}

static void run_block(void *arg, size_t block) {
    const struct doubt *x = arg;
    const struct index_view *v = x->v;
    size_t n = v->n, nodes = v->def->n_nodes, cells = x->n_noisy * n;
    size_t room = nodes * n + nodes + 8 * n;
    double *value = x->work + block * room, *weight = value + nodes * n;
    double *scratch = weight + nodes;
    uint32_t *rank = (uint32_t *)(void *)(scratch + 6 * n);
    uint64_t *bits = x->bits + block * (x->n_words + 1);
    size_t first = block * BLOCK, last = first + BLOCK;
    if (last > x->ask->n_draws) last = x->ask->n_draws;
    for (size_t draw = first; draw < last; draw++) {
        struct composite_aggregate g = means_of(x, draw);
        struct rng r = rng_new(x->ask->seed + 1, draw);
        memcpy(value, v->value, v->def->n_leaves * n * sizeof *value);
        rng_fill_u64(&r, bits, x->n_words);
        const unsigned char *pick = (const unsigned char *)bits;
        for (size_t i = 0; i < cells; i++) {
            double *at = &value[x->noisy[i / n] * n + i % n];
            *at = (double)x->atom[i * x->n_atoms + (pick[i] & (x->n_atoms - 1))];
        }
        lift_zeros(&g, value, v->def->n_leaves * n);
        shake_weights(x, draw, weight);
        index_means(&v->tree, weight, &g, v->value, n, value);
        draw_ranks(x, value + (nodes - 1) * n, scratch, rank, x->rank + draw * n);
    }
}

/* ---- what the draws say */

static enum err_code tell(struct index_view *v, const struct doubt *x, struct arena *a,
                          struct err *err) {
    size_t n = v->n, ordered = 0, draws = x->ask->n_draws;
    struct rank_interval *iv = ARENA_NEW(a, struct rank_interval, n);
    uint16_t *nominal = ARENA_NEW(a, uint16_t, n);
    uint32_t *order = ARENA_NEW(a, uint32_t, n + 1);
    double *by_order = ARENA_NEW(a, double, n + 1), *holds = ARENA_NEW(a, double, n + 1);
    if (iv == NULL || nominal == NULL || order == NULL || by_order == NULL || holds == NULL)
        return err_fail(err, ERR_NOMEM, "index");
    for (size_t j = 0; j < n; j++) nominal[j] = (uint16_t)v->rank[j];
    TRY(rank_intervals(x->rank, draws, n, nominal, 0.9, x->ask->run, iv, err));
    TRY(rank_neighbours(x->rank, draws, n, nominal, order, by_order, &ordered, err));
    for (size_t j = 0; j < n; j++) holds[j] = 1;
    for (size_t k = 0; k + 1 < ordered; k++) holds[order[k]] = by_order[k];
    v->interval = iv;
    v->holds = holds;
    v->n_draws = draws;
    return ERR_OK;
}

static enum err_code prepare(struct doubt *x, struct arena *a, struct err *err) {
    const struct index_view *v = x->v;
    size_t n = v->n, nodes = v->def->n_nodes, blocks = (x->ask->n_draws + BLOCK - 1) / BLOCK;
    size_t *noisy = ARENA_NEW(a, size_t, v->def->n_leaves + 1);
    if (noisy == NULL) return err_fail(err, ERR_NOMEM, "index");
    for (size_t i = 0; i < v->def->n_leaves; i++)
        if (v->noise[i].kind != INDEX_NOISE_NONE && v->weight[i] > 0) noisy[x->n_noisy++] = i;
    x->noisy = noisy;
    x->n_atoms = MAX_ATOMS;
    while (x->n_atoms > MIN_ATOMS && x->n_noisy * n * x->n_atoms > MAX_CELLS) x->n_atoms /= 2;
    x->n_words = (x->n_noisy * n + 7) / 8;
    x->atom = ARENA_NEW(a, float, x->n_noisy *n * x->n_atoms + 1);
    x->work = ARENA_NEW(a, double, blocks *(nodes * n + nodes + 8 * n));
    x->bits = ARENA_NEW(a, uint64_t, blocks * (x->n_words + 1));
    x->rank = ARENA_NEW(a, uint16_t, x->ask->n_draws * n + 1);
    if (x->atom == NULL || x->work == NULL || x->bits == NULL || x->rank == NULL)
        return err_fail(err, ERR_NOMEM, "index");
    return ERR_OK;
}

enum err_code index_doubt(struct index_view *v, const struct index_ask *ask, struct arena *a,
                          struct err *err) {
    struct doubt x = {.v = v, .ask = ask};
    if (v->n > UINT16_MAX) return err_fail(err, ERR_LIMIT, "more than %d areas", UINT16_MAX);
    TRY(prepare(&x, a, err));
    num_run_each(ask->run, x.n_noisy * v->n, make_atoms, &x);
    num_run_each(ask->run, (ask->n_draws + BLOCK - 1) / BLOCK, run_block, &x);
    return tell(v, &x, a, err);
}

/* ---- between which values one area lies */

enum { VALUE_DRAWS = 400, VALUE_TAIL = VALUE_DRAWS / 20 };

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One draw of the index of area j; like, value and weight: n_nodes each. */
static double draw_value(const struct doubt *x, size_t j, size_t draw, const double *like,
                         double *value, double *weight) {
    const struct index_view *v = x->v;
    struct composite_aggregate g = means_of(x, draw);
    struct rng r = rng_new(x->ask->seed ^ noise_seed, ((uint64_t)j << 32) + draw);
    for (size_t leaf = 0; leaf < v->def->n_leaves; leaf++) {
        const struct indicator_value *raw = &v->raw[leaf * v->n + j];
        bool away = v->hidden != NULL && v->hidden[leaf * v->n + j] != 0;
        value[leaf] = like[leaf];
        if (away || isnan(like[leaf]) || !can_be_drawn(&v->noise[leaf], raw)) continue;
        double drawn = value_draw(&r, &v->noise[leaf], raw, v->def->node[leaf].indicator->per);
        value[leaf] = index_leaf_score(v, leaf, drawn);
    }
    lift_zeros(&g, value, v->def->n_leaves);
    shake_weights(x, draw, weight);
    index_means(&v->tree, weight, &g, like, 1, value);
    return value[v->def->n_nodes - 1];
}

enum err_code index_value_interval(const struct index_view *v, size_t area,
                                   const struct index_ask *ask, struct arena *a, double *low,
                                   double *high, struct err *err) {
    struct doubt x = {.v = v, .ask = ask};
    size_t nodes = v->def->n_nodes;
    double *like = ARENA_NEW(a, double, 3 * nodes), *drawn = ARENA_NEW(a, double, VALUE_DRAWS);
    *low = *high = NAN;
    if (like == NULL || drawn == NULL) return err_fail(err, ERR_NOMEM, "index");
    for (size_t k = 0; k < nodes; k++) like[k] = v->value[k * v->n + area];
    if (isnan(like[nodes - 1])) return ERR_OK;
    for (size_t draw = 0; draw < VALUE_DRAWS; draw++)
        drawn[draw] = draw_value(&x, area, draw, like, like + nodes, like + 2 * nodes);
    qsort(drawn, VALUE_DRAWS, sizeof *drawn, by_size);
    *low = drawn[VALUE_TAIL];
    *high = drawn[VALUE_DRAWS - 1 - VALUE_TAIL];
    if (v->masked == NULL || v->masked[(nodes - 1) * v->n + area] == 0) return ERR_OK;
    /* Whole steps from the told value: the ends say no more of it than it does itself. */
    double told = index_told_value(v, area), value = like[nodes - 1];
    *low = fmax(0, told - ceil(fmax(0, value - *low)));
    *high = fmin(100, told + ceil(fmax(0, *high - value)));
    return ERR_OK;
}
