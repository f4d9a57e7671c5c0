#include "num/composite/aggregate.h"

#include <math.h>
#include <string.h>

#include "num/composite/normalise.h"

const double *composite_child_row(const struct composite_family *f, uint32_t c) {
    const struct composite_tree *t = f->plan->tree;
    uint32_t id = t->child[t->first[f->parent] + c];
    return id < t->n_ind ? f->indicator + id * f->plan->n_area
                         : f->node + (id - t->n_ind) * f->plan->n_area;
}

double composite_child_weight(const struct composite_family *f, uint32_t c) {
    const struct composite_tree *t = f->plan->tree;
    uint32_t id = t->child[t->first[f->parent] + c];
    if (id < t->n_ind && f->dropped[id] != COMPOSITE_KEPT) return 0;
    return f->draw->weight == NULL ? t->weight[id] : f->draw->weight[id];
}

static uint32_t n_child(const struct composite_family *f) {
    const struct composite_tree *t = f->plan->tree;
    return t->first[f->parent + 1] - t->first[f->parent];
}

static bool child_gaps(const struct composite_family *f, uint32_t c) {
    const struct composite_tree *t = f->plan->tree;
    return f->gaps[t->child[t->first[f->parent] + c]] != 0;
}

static enum err_code bad_value(const struct composite_family *f, uint32_t c, size_t area,
                               const char *mean, struct err *err) {
    const struct composite_tree *t = f->plan->tree;
    return err_fail(err, ERR_NUMERIC, "%s, %s: a %s needs values above 0, found %g",
                    t->code[t->child[t->first[f->parent] + c]],
                    f->plan->area == NULL ? "an area" : f->plan->area[area], mean,
                    composite_child_row(f, c)[area]);
}

/* ---- weighted sums of rows ---- */

struct term {
    const double *row;
    double weight;
};

/* out += sum of w * row over 1 to 4 rows. Eight areas at a time: the compiler vectorises loops of
 * known length. */
static void add_rows(double *out, size_t n, const struct term *t, size_t n_term) {
    const double *a = t[0].row, *b = n_term > 1 ? t[1].row : a, *c = n_term > 2 ? t[2].row : a,
                 *d = n_term > 3 ? t[3].row : a;
    double wa = t[0].weight, wb = n_term > 1 ? t[1].weight : 0, wc = n_term > 2 ? t[2].weight : 0,
           wd = n_term > 3 ? t[3].weight : 0;
    size_t j = 0;
    for (; j + 8 <= n; j += 8) {
        double *o = out + j;
        for (size_t k = 0; k < 8; k++)
            o[k] += wa * a[j + k] + wb * b[j + k] + (wc * c[j + k] + wd * d[j + k]);
    }
    for (; j < n; j++) out[j] += wa * a[j] + wb * b[j] + (wc * c[j] + wd * d[j]);
}

/* Sums over the values that are there: weight and number of them too. */
static void add_row_gaps(double *restrict sum, double *restrict weight, double *restrict there,
                         size_t n, const double *restrict row, double w) {
    size_t j = 0;
    for (; j + 8 <= n; j += 8) {
        for (size_t k = 0; k < 8; k++) {
            double v = row[j + k], is = v == v ? 1 : 0;
            sum[j + k] += v == v ? w * v : 0;
            weight[j + k] += w * is;
            there[j + k] += is;
        }
    }
    for (; j < n; j++) {
        bool is = !isnan(row[j]);
        sum[j] += is ? w * row[j] : 0;
        weight[j] += is ? w : 0;
        there[j] += is ? 1 : 0;
    }
}

/* What a kind of mean adds up: the value itself, its logarithm, its inverse or its power. */
enum transform { AS_IT_IS, LOGARITHM, INVERSE, POWERED };

static enum transform transform_of(const struct composite_agg *a) {
    switch (a->kind) {
    case COMPOSITE_GEOMETRIC:
        return LOGARITHM;
    case COMPOSITE_HARMONIC:
        return INVERSE;
    case COMPOSITE_POWER:
        return a->power == 1    ? AS_IT_IS
               : a->power == 0  ? LOGARITHM
               : a->power == -1 ? INVERSE
                                : POWERED;
    default:
        return AS_IT_IS;
    }
}

static const char *mean_name(enum transform t) {
    return t == LOGARITHM ? "geometric mean" : t == INVERSE ? "harmonic mean" : "generalised mean";
}

static enum err_code above_zero(const struct composite_family *f, uint32_t c, enum transform t,
                                struct err *err) {
    const double *v = composite_child_row(f, c);
    bool zero_fits = t == POWERED && f->agg->power > 0;
    for (size_t j = 0; j < f->plan->n_area; j++) {
        if (v[j] <= 0 && !(zero_fits && v[j] == 0)) return bad_value(f, c, j, mean_name(t), err);
    }
    return ERR_OK;
}

/* Rows of a layer carry an infinity where a value is not above 0: it shows in the sum (as no number
 * where weights of both signs meet), and the culprit is only looked for then. */
static enum err_code blame(const struct composite_family *f, enum transform t, const double *out,
                           struct err *err) {
    bool bad = false;
    for (size_t j = 0; j < f->plan->n_area && t != AS_IT_IS; j++) bad = bad || !isfinite(out[j]);
    for (uint32_t c = 0; bad && c < n_child(f); c++) {
        if (composite_child_weight(f, c) != 0) TRY(above_zero(f, c, t, err));
    }
    return ERR_OK;
}

/* The transformed row of a child, from the layer when it has it, else worked out in `work`. */
static enum err_code transformed(const struct composite_family *f, uint32_t c, enum transform t,
                                 double *work, const double **row, struct err *err) {
    const struct composite_tree *tree = f->plan->tree;
    size_t n = f->plan->n_area;
    uint32_t id = tree->child[tree->first[f->parent] + c];
    const double *v = composite_child_row(f, c);
    const struct composite_layer *l = f->draw->layer;
    *row = v;
    if (t == AS_IT_IS) return ERR_OK;
    *row = work;
    if (l != NULL && id < tree->n_ind && t == LOGARITHM && l->log != NULL) {
        *row = l->log + id * n;
        return ERR_OK;
    }
    if (l != NULL && id < tree->n_ind && t == INVERSE && l->inverse != NULL) {
        *row = l->inverse + id * n;
        return ERR_OK;
    }
    TRY(above_zero(f, c, t, err));
    if (t == LOGARITHM) {
        for (size_t j = 0; j < n; j++) work[j] = log(v[j]);
    } else if (t == INVERSE) {
        for (size_t j = 0; j < n; j++) work[j] = 1 / v[j];
    } else {
        for (size_t j = 0; j < n; j++) work[j] = pow(v[j], f->agg->power);
    }
    return ERR_OK;
}

static void back(double *out, size_t n, enum transform t, double power) {
    for (size_t j = 0; j < n && t == LOGARITHM; j++) out[j] = exp(out[j]);
    for (size_t j = 0; j < n && t == INVERSE; j++) out[j] = 1 / out[j];
    for (size_t j = 0; j < n && t == POWERED; j++) out[j] = pow(out[j], 1 / power);
}

/* Sum and number of the weights that are not 0, and whether any such child has gaps. */
struct family_sum {
    double weight;
    uint32_t n;
    bool gaps;
};
static struct family_sum sum_family(const struct composite_family *f) {
    struct family_sum s = {0};
    for (uint32_t c = 0; c < n_child(f); c++) {
        double w = composite_child_weight(f, c);
        if (w == 0) continue;
        s.weight += w;
        s.n++;
        s.gaps = s.gaps || child_gaps(f, c);
    }
    return s;
}

/* Weighted mean with every value there. */
static enum err_code mean_whole(const struct composite_family *f, const struct family_sum *s,
                                enum transform t, double *out, struct err *err) {
    size_t n = f->plan->n_area, n_term = 0;
    struct term term[4];
    memset(out, 0, n * sizeof *out);
    for (uint32_t c = 0; c < n_child(f); c++) {
        double w = composite_child_weight(f, c);
        if (w == 0) continue;
        TRY(transformed(f, c, t, f->work + n_term * n, &term[n_term].row, err));
        term[n_term++].weight = w / s->weight;
        if (n_term == 4) {
            add_rows(out, n, term, n_term);
            n_term = 0;
        }
    }
    if (n_term > 0) add_rows(out, n, term, n_term);
    return ERR_OK;
}

/* Weighted mean over the values that are there; too few of them: missing. */
static enum err_code mean_gaps(const struct composite_family *f, const struct family_sum *s,
                               enum transform t, double *out, struct err *err) {
    size_t n = f->plan->n_area;
    double *weight = f->work + 4 * n, *there = f->work + 5 * n;
    memset(out, 0, n * sizeof *out);
    memset(weight, 0, n * sizeof *weight);
    memset(there, 0, n * sizeof *there);
    for (uint32_t c = 0; c < n_child(f); c++) {
        const double *row;
        double w = composite_child_weight(f, c);
        if (w == 0) continue;
        TRY(transformed(f, c, t, f->work, &row, err));
        add_row_gaps(out, weight, there, n, row, w);
    }
    for (size_t j = 0; j < n; j++) {
        double share = f->agg->by_weight ? weight[j] / s->weight : there[j] / s->n;
        /* A share meant to be reached exactly is not missed by a rounding. */
        bool enough = there[j] > 0 && share >= f->agg->min_share - 1e-12;
        if (enough && fabs(weight[j]) <= 1e-12 * fabs(s->weight))
            return err_fail(err, ERR_NUMERIC, "%s: the weights below it sum to 0",
                            f->plan->tree->code[f->parent]);
        out[j] = enough ? out[j] / weight[j] : NAN;
    }
    return ERR_OK;
}

/* Mazziotta-Pareto: mean -+ S^2 / mean, S the weighted standard deviation over the children (2016,
 * eq. 4). `out` holds the mean. */
static enum err_code penalise(const struct composite_family *f, const struct family_sum *s,
                              double *out, struct err *err) {
    size_t n = f->plan->n_area;
    double *square = f->work, *weight = f->work + n;
    double sign = f->agg->kind == COMPOSITE_MPI_PLUS ? 1 : -1;
    memset(square, 0, n * sizeof *square);
    memset(weight, 0, n * sizeof *weight);
    for (uint32_t c = 0; c < n_child(f); c++) {
        const double *row = composite_child_row(f, c);
        double w = composite_child_weight(f, c);
        if (w == 0) continue;
        for (size_t j = 0; j < n; j++) {
            double d = row[j] - out[j];
            if (isnan(d)) continue;
            square[j] += w / s->weight * d * d;
            weight[j] += w / s->weight;
        }
    }
    for (size_t j = 0; j < n; j++) {
        if (isnan(out[j])) continue;
        if (!(out[j] > 0))
            return err_fail(err, ERR_NUMERIC,
                            "%s, %s: the penalised mean needs a mean above 0, found %g",
                            f->plan->tree->code[f->parent],
                            f->plan->area == NULL ? "an area" : f->plan->area[j], out[j]);
        out[j] += sign * square[j] / weight[j] / out[j];
    }
    return ERR_OK;
}

/* -rate ln(1 - R (1 - e^(-100 / rate))) with R the share of areas at or below. */
static void exponential(const struct composite_family *f, double rate, double *out) {
    size_t n = f->plan->n_area, there = 0;
    double *negative = f->work + 7 * n;
    uint32_t *rank = (uint32_t *)(void *)(f->work + 6 * n);
    for (size_t j = 0; j < n; j++) {
        negative[j] = -out[j];
        if (!isnan(out[j])) there++;
    }
    composite_ranks(negative, n, NULL, 1, f->work, rank);
    double share = -expm1(-100 / rate);
    for (size_t j = 0; j < n; j++) {
        if (rank[j] > 0) out[j] = -rate * log1p(-(double)rank[j] / (double)there * share);
    }
}

static void outrank_short(const struct composite_family *f, const struct family_sum *s,
                          double *out) {
    for (size_t j = 0; j < f->plan->n_area; j++) {
        uint32_t there = 0;
        double weight = 0;
        for (uint32_t c = 0; c < n_child(f); c++) {
            double w = composite_child_weight(f, c);
            if (w == 0 || isnan(composite_child_row(f, c)[j])) continue;
            there++;
            weight += w;
        }
        double share = f->agg->by_weight ? weight / s->weight : (double)there / s->n;
        if (there == 0 || share < f->agg->min_share - 1e-12) out[j] = NAN;
    }
}

static enum err_code combine(const struct composite_family *f, double *out, struct err *err) {
    size_t n = f->plan->n_area;
    struct family_sum s = sum_family(f);
    enum transform t = transform_of(f->agg);
    if (s.n == 0) {
        for (size_t j = 0; j < n; j++) out[j] = NAN;
        return ERR_OK;
    }
    if (!s.gaps && s.weight == 0)
        return err_fail(err, ERR_NUMERIC, "%s: the weights below it sum to 0",
                        f->plan->tree->code[f->parent]);
    if (f->agg->kind == COMPOSITE_COPELAND || f->agg->kind == COMPOSITE_MAJORITY) {
        composite_outrank(f, out);
        if (s.gaps) outrank_short(f, &s, out);
    } else if (f->agg->kind == COMPOSITE_BOD_SCORE) {
        TRY(composite_bod(f, out, err));
        if (s.gaps) outrank_short(f, &s, out);
    } else {
        TRY(s.gaps ? mean_gaps(f, &s, t, out, err) : mean_whole(f, &s, t, out, err));
        TRY(blame(f, t, out, err));
        back(out, n, t, f->agg->power);
        if (f->agg->kind == COMPOSITE_MPI_PLUS || f->agg->kind == COMPOSITE_MPI_MINUS)
            TRY(penalise(f, &s, out, err));
    }
    if (f->agg->exponential > 0) exponential(f, f->agg->exponential, out);
    return ERR_OK;
}

/* ---- a draw ---- */

size_t composite_scratch(const struct composite_plan *p) {
    const struct composite_tree *t = p->tree;
    /* Normalised rows, work rows, and two bytes a node in whole doubles. */
    return (t->n_ind + COMPOSITE_WORK_ROWS) * p->n_area + t->n_node / 4 + 2;
}

static enum err_code normalise_here(const struct composite_plan *p,
                                    const struct composite_normalise *n, double *to, uint8_t *gaps,
                                    uint8_t *dropped, struct err *err) {
    TRY(composite_normalise_check(p, n, err));
    for (size_t i = 0; i < p->tree->n_ind; i++) {
        const struct composite_norm *norm = &n->norm[n->of == NULL ? 0 : n->of[i]];
        TRY(composite_normalise_row(p, norm, i, to + i * p->n_area, &dropped[i], err));
        gaps[i] = p->n_there[i] < p->n_area || dropped[i] != COMPOSITE_KEPT;
    }
    return ERR_OK;
}

static bool has_gaps(const double *row, size_t n) {
    for (size_t j = 0; j < n; j++) {
        if (isnan(row[j])) return true;
    }
    return false;
}

enum err_code composite_evaluate(const struct composite_plan *p, const struct composite_draw *d,
                                 double *scratch, double *node, uint32_t *rank, struct err *err) {
    const struct composite_tree *t = p->tree;
    double *work = scratch + t->n_ind * p->n_area;
    uint8_t *gaps = (uint8_t *)(void *)(work + COMPOSITE_WORK_ROWS * p->n_area);
    uint8_t *dropped = gaps + t->n_node;
    struct composite_family f = {.plan = p,
                                 .draw = d,
                                 .indicator = scratch,
                                 .gaps = gaps,
                                 .dropped = dropped,
                                 .node = node,
                                 .work = work};
    if (d->layer == NULL) {
        if (d->normalise == NULL)
            return err_fail(err, ERR_INVALID, "a draw needs a layer or a normalisation");
        TRY(normalise_here(p, d->normalise, scratch, gaps, dropped, err));
    } else {
        memcpy(gaps, d->layer->gaps, t->n_ind);
        f.indicator = d->layer->value;
        f.dropped = d->layer->dropped;
    }
    for (size_t i = t->n_ind; i < t->n_node; i++) {
        double *out = node + (i - t->n_ind) * p->n_area;
        f.parent = (uint32_t)i;
        f.agg = &d->aggregate->level[t->level[i] - 2];
        TRY(combine(&f, out, err));
        gaps[i] = has_gaps(out, p->n_area);
    }
    if (rank != NULL)
        composite_ranks(node + (t->n_node - t->n_ind - 1) * p->n_area, p->n_area, p->period,
                        p->n_period, work, rank);
    return ERR_OK;
}
