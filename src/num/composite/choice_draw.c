#include "num/composite/choice_draw.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/rng.h"

/* Keeps the numbers of the noise apart from those of the draws. */
static const uint64_t noise_seed = UINT64_C(0x5bd1e995c4ceb9fe);

static size_t pick(double u, size_t n) {
    size_t k = (size_t)(u * (double)n);
    return k < n ? k : n - 1;
}

struct choice_draw choice_draw_of(const struct choice_space *s, const double *u) {
    struct choice_draw d = {.noise = 0};
    for (size_t i = 0; i < s->n_input; i++) {
        if (s->input[i] == CHOICE_NOISE)
            d.noise = (uint64_t)(u[i] * 0x1p53);
        else
            d.of[s->input[i]] = pick(u[i], s->n_of[s->input[i]]);
    }
    d.plan = d.of[CHOICE_IMPUTE] * s->n_of[CHOICE_TREAT] + d.of[CHOICE_TREAT];
    d.layer = d.plan * s->n_of[CHOICE_NORMALISE] + d.of[CHOICE_NORMALISE];
    d.sum = d.layer * s->n_of[CHOICE_AGGREGATE] + d.of[CHOICE_AGGREGATE];
    return d;
}

/* Gamma of mean and variance `shape`. Marsaglia & Tsang 2000; below 1 by their section 6. */
static double gamma_variate(struct rng *r, double shape) {
    if (shape < 1.0) {
        double u = 1.0 - rng_unit(r);
        return gamma_variate(r, shape + 1.0) * pow(u, 1.0 / shape);
    }
    double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        double x = rng_normal(r), v = 1.0 + c * x;
        if (v <= 0.0) continue;
        v = v * v * v;
        double u = 1.0 - rng_unit(r);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

static void shake(const struct choice_space *s, const struct choice_draw *d, uint64_t seed,
                  double *weight) {
    const struct composite_tree *t = s->tree;
    const struct choices *c = s->choices;
    struct rng r = rng_new(seed ^ noise_seed, d->noise);
    for (size_t p = t->n_ind; p < t->n_node; p++) {
        double sum = 0;
        for (uint32_t k = t->first[p]; k < t->first[p + 1]; k++) sum += fabs(weight[t->child[k]]);
        for (uint32_t k = t->first[p]; k < t->first[p + 1]; k++) {
            uint32_t node = t->child[k];
            bool asked = c->noise_levels == 0 || (c->noise_levels >> (t->level[node] - 1) & 1) != 0;
            if (!asked) continue;
            if (c->noise == CHOICE_UNIFORM)
                weight[node] *= 1.0 + c->noise_amount * (2.0 * rng_unit(&r) - 1.0);
            else if (weight[node] != 0.0)
                weight[node] = copysign(
                    gamma_variate(&r, c->noise_amount * fabs(weight[node]) / sum), weight[node]);
        }
    }
}

void choice_draw_weights(const struct choice_space *s, const struct choice_draw *d, uint64_t seed,
                         double *weight) {
    size_t k =
        (d->layer * s->n_of[CHOICE_WEIGHTS] + d->of[CHOICE_WEIGHTS]) * s->n_of[CHOICE_AGGREGATE] +
        d->of[CHOICE_AGGREGATE];
    memcpy(weight, s->weight[k], s->tree->n_node * sizeof *weight);
    if (s->choices->noise != CHOICE_STILL) shake(s, d, seed, weight);
    uint32_t out = s->drop[d->of[CHOICE_DROP]];
    if (out != COMPOSITE_NONE) weight[out] = 0;
}

void choice_space_weights(const struct choice_space *s, const double *u, uint64_t seed,
                          double *weight) {
    struct choice_draw d = choice_draw_of(s, u);
    choice_draw_weights(s, &d, seed, weight);
}

void choice_draw_shares(const struct composite_tree *t, const double *weight, double *share) {
    /* Upwards: what is left, as 0 or 1. */
    for (size_t i = 0; i < t->n_ind; i++) share[i] = weight[i] != 0.0 ? 1.0 : 0.0;
    for (size_t p = t->n_ind; p < t->n_node; p++) {
        share[p] = 0.0;
        for (uint32_t k = t->first[p]; k < t->first[p + 1]; k++)
            if (share[t->child[k]] > 0.0) share[p] = 1.0;
        if (p + 1 < t->n_node && weight[p] == 0.0) share[p] = 0.0;
    }
    for (size_t p = t->n_node; p > t->n_ind; p--) {
        const uint32_t *child = t->child + t->first[p - 1];
        size_t n = t->first[p] - t->first[p - 1];
        double sum = 0;
        for (size_t k = 0; k < n; k++) sum += share[child[k]] * weight[child[k]];
        for (size_t k = 0; k < n; k++)
            share[child[k]] *= sum != 0.0 ? share[p - 1] * (weight[child[k]] / sum) : 0.0;
    }
}
