#include "num/composite/contribution.h"

#include <math.h>

static bool each_level(const struct composite_aggregate *g, size_t n_level,
                       bool (*fits)(const struct composite_agg *)) {
    for (size_t k = 0; k + 1 < n_level; k++)
        if (!fits(&g->level[k])) return false;
    return true;
}

static bool has_parts(const struct composite_agg *a) {
    return a->kind != COMPOSITE_COPELAND && a->kind != COMPOSITE_MAJORITY &&
           a->kind != COMPOSITE_BOD_SCORE;
}

static bool has_difference(const struct composite_agg *a) {
    return a->exponential <= 0.0 &&
           (a->kind == COMPOSITE_ARITHMETIC || a->kind == COMPOSITE_GEOMETRIC ||
            a->kind == COMPOSITE_HARMONIC || a->kind == COMPOSITE_POWER);
}

bool contribution_possible(const struct composite_aggregate *g, size_t n_level) {
    return each_level(g, n_level, has_parts);
}

bool contribution_difference_possible(const struct composite_aggregate *g, size_t n_level) {
    return each_level(g, n_level, has_difference);
}

/* The power of the mean: 1 arithmetic, 0 geometric, -1 harmonic. */
static double power_of(const struct composite_agg *a) {
    switch (a->kind) {
    case COMPOSITE_GEOMETRIC:
        return 0.0;
    case COMPOSITE_HARMONIC:
        return -1.0;
    case COMPOSITE_POWER:
        return a->power;
    default:
        return 1.0;
    }
}

/* One parent in one area. */
struct family {
    const struct composite_tree *t;
    const struct composite_agg *agg;
    const double *weight, *value;
    size_t parent, n_area, area;
    double sum;  /* of the weights of the children that are there */
    double mean; /* their mean before penalty and transformation */
};

static double value_of(const struct family *f, uint32_t node) {
    return f->value[node * f->n_area + f->area];
}

static bool is_there(const struct family *f, uint32_t node) {
    return f->weight[node] != 0.0 && !isnan(value_of(f, node));
}

static double mean_of(const struct family *f) {
    double p = power_of(f->agg), sum = 0;
    for (uint32_t k = f->t->first[f->parent]; k < f->t->first[f->parent + 1]; k++) {
        uint32_t c = f->t->child[k];
        if (!is_there(f, c)) continue;
        double v = value_of(f, c), w = f->weight[c] / f->sum;
        sum += w * (p == 1.0 ? v : p == 0.0 ? log(v) : pow(v, p));
    }
    return p == 1.0 ? sum : p == 0.0 ? exp(sum) : pow(sum, 1.0 / p);
}

static double variance_of(const struct family *f) {
    double sum = 0;
    for (uint32_t k = f->t->first[f->parent]; k < f->t->first[f->parent + 1]; k++) {
        uint32_t c = f->t->child[k];
        if (!is_there(f, c)) continue;
        double d = value_of(f, c) - f->mean;
        sum += f->weight[c] / f->sum * d * d;
    }
    return sum;
}

/* d mean / d child, times mean's own scale to the score as it came out. */
static double slope(const struct family *f, double variance, uint32_t c) {
    double w = f->weight[c] / f->sum, v = value_of(f, c), m = f->mean;
    double p = power_of(f->agg);
    if (f->agg->kind == COMPOSITE_MPI_PLUS || f->agg->kind == COMPOSITE_MPI_MINUS) {
        double sign = f->agg->kind == COMPOSITE_MPI_PLUS ? 1.0 : -1.0;
        return w * (1.0 + sign * (2.0 * (v - m) / m - variance / (m * m)));
    }
    if (p == 1.0) return w;
    return p == 0.0 ? w * m / v : w * pow(v / m, p - 1.0);
}

/* Parts of the children of f->parent; part holds d index / d node on the way down. */
static void parts_of_children(struct family *f, double *part) {
    const struct composite_tree *t = f->t;
    double own = part[f->parent * f->n_area + f->area];
    f->sum = 0;
    for (uint32_t k = t->first[f->parent]; k < t->first[f->parent + 1]; k++)
        if (is_there(f, t->child[k])) f->sum += f->weight[t->child[k]];
    f->mean = mean_of(f);
    bool penalised = f->agg->kind == COMPOSITE_MPI_PLUS || f->agg->kind == COMPOSITE_MPI_MINUS;
    double variance = penalised ? variance_of(f) : 0.0;
    if (f->agg->exponential > 0.0 && f->mean != 0.0)
        own *= value_of(f, (uint32_t)f->parent) /
               (f->mean +
                (penalised ? (f->agg->kind == COMPOSITE_MPI_PLUS ? 1.0 : -1.0) * variance / f->mean
                           : 0.0));
    for (uint32_t k = t->first[f->parent]; k < t->first[f->parent + 1]; k++) {
        uint32_t c = t->child[k];
        double *to = &part[c * f->n_area + f->area];
        *to = is_there(f, c) && !isnan(own) ? own * slope(f, variance, c) : NAN;
    }
}

static enum err_code refuse(struct err *err) {
    return err_fail(err, ERR_INVALID,
                    "scores by outranking or benefit of the doubt have no parts that add up");
}

enum err_code contribution_parts(const struct composite_tree *t, const double *weight,
                                 const struct composite_aggregate *g, const double *value,
                                 size_t n_area, double *out, struct err *err) {
    if (!contribution_possible(g, t->n_level)) return refuse(err);
    size_t top = t->n_node - 1;
    for (size_t j = 0; j < n_area; j++) {
        out[top * n_area + j] = isnan(value[top * n_area + j]) ? NAN : 1.0;
        for (size_t p = t->n_node; p > t->n_ind; p--) {
            struct family f = {.t = t,
                               .agg = &g->level[t->level[p - 1] - 2],
                               .weight = weight,
                               .value = value,
                               .parent = p - 1,
                               .n_area = n_area,
                               .area = j};
            parts_of_children(&f, out);
        }
    }
    for (size_t i = 0; i < t->n_node * n_area; i++) out[i] *= value[i];
    return ERR_OK;
}

/* ---- differences ---- */

/* (phi(b) - phi(a)) / (b - a) for phi x^p or ln x, without loss of digits when a and b are near. */
static double secant(double p, double a, double b) {
    double d = b - a;
    if (p == 1.0) return 1.0;
    if (p == -1.0) return -1.0 / (a * b);
    if (d == 0.0) return p == 0.0 ? 1.0 / a : p * pow(a, p - 1.0);
    double l = log1p(d / a);
    return p == 0.0 ? l / d : pow(a, p) * expm1(p * l) / d;
}

struct pair {
    const struct composite_tree *t;
    const double *weight, *value0, *value1;
    size_t n_area, area;
};

static double at0(const struct pair *q, size_t node) {
    return q->value0[node * q->n_area + q->area];
}
static double at1(const struct pair *q, size_t node) {
    return q->value1[node * q->n_area + q->area];
}

/* False when a child with weight is there in one of the two only. */
static bool same_children(const struct pair *q, size_t parent, double *sum) {
    *sum = 0;
    for (uint32_t k = q->t->first[parent]; k < q->t->first[parent + 1]; k++) {
        uint32_t c = q->t->child[k];
        if (q->weight[c] == 0.0) continue;
        if (isnan(at0(q, c)) != isnan(at1(q, c))) return false;
        if (!isnan(at0(q, c))) *sum += q->weight[c];
    }
    return *sum != 0.0;
}

/* The factors by which the children's own differences make up the index's. */
static bool factors_of_children(const struct pair *q, const struct composite_agg *agg,
                                size_t parent, double *factor) {
    double p = power_of(agg), sum, own = factor[parent * q->n_area + q->area];
    bool whole = same_children(q, parent, &sum);
    double scale =
        whole && !isnan(own) ? own / sum / secant(p, at0(q, parent), at1(q, parent)) : NAN;
    for (uint32_t k = q->t->first[parent]; k < q->t->first[parent + 1]; k++) {
        uint32_t c = q->t->child[k];
        double *to = &factor[c * q->n_area + q->area];
        bool is = q->weight[c] != 0.0 && !isnan(at0(q, c)) && !isnan(at1(q, c));
        *to = is ? scale * q->weight[c] * secant(p, at0(q, c), at1(q, c)) : NAN;
    }
    return whole || isnan(own);
}

enum err_code contribution_difference(const struct composite_tree *t, const double *weight,
                                      const struct composite_aggregate *g, const double *value0,
                                      const double *value1, size_t n_area, double *out, bool *split,
                                      struct err *err) {
    if (!contribution_difference_possible(g, t->n_level))
        return err_fail(err, ERR_INVALID,
                        "differences have parts that add up under arithmetic, geometric, harmonic "
                        "and power means only");
    for (size_t j = 0; j < n_area; j++) {
        struct pair q = {.t = t,
                         .weight = weight,
                         .value0 = value0,
                         .value1 = value1,
                         .n_area = n_area,
                         .area = j};
        bool whole = !isnan(at0(&q, t->n_node - 1)) && !isnan(at1(&q, t->n_node - 1));
        out[(t->n_node - 1) * n_area + j] = whole ? 1.0 : NAN;
        for (size_t p = t->n_node; p > t->n_ind; p--) {
            bool fits = factors_of_children(&q, &g->level[t->level[p - 1] - 2], p - 1, out);
            whole = whole && fits;
        }
        if (split != NULL) split[j] = whole;
    }
    for (size_t i = 0; i < t->n_node * n_area; i++) out[i] *= value1[i] - value0[i];
    return ERR_OK;
}
