#include "num/composite/choices.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "num/composite/order.h"
#include "num/composite/product.h"

static const char *const names[CHOICE_KINDS] = {"imputation",   "treatment",    "normalisation",
                                                "weights",      "weight_noise", "aggregation",
                                                "leave_one_out"};
const char *choice_name(enum choice c) { return names[c]; }

/* ---- what is prepared ---- */

struct build {
    const struct composite_data *data;
    const struct composite_tree *tree;
    const struct composite_spec *base;
    const struct num_run *run;
    struct arena *a;
    struct choice_space *s;
    const struct composite_impute *impute;
    const struct composite_treat *treat;
    const struct composite_normalise *normalise;
    const struct composite_weighting *weights;
    bool means; /* some alternative needs logarithms or inverses */
};

static enum err_code no_memory(struct err *err) {
    return err_fail(err, ERR_NOMEM, "no memory for the alternatives of the choices");
}

static enum err_code check(const struct composite_data *data, const struct composite_tree *tree,
                           const struct choices *c, const uint32_t *column, size_t n_column,
                           struct err *err) {
    if (n_column == 0 || n_column > ORDER_MAX)
        return err_fail(err, ERR_LIMIT, "%zu areas are to be ranked; 1 to %d are possible",
                        n_column, ORDER_MAX);
    for (size_t i = 0; column != NULL && i < n_column; i++) {
        if (column[i] >= data->n_area)
            return err_fail(err, ERR_INVALID, "there is no area in column %u", (unsigned)column[i]);
    }
    for (size_t i = 0; i < c->n_drop; i++) {
        if (c->drop[i] != COMPOSITE_NONE && c->drop[i] + 1 >= tree->n_node)
            return err_fail(err, ERR_INVALID, "the index itself cannot be left out");
    }
    bool fit = c->noise == CHOICE_STILL || (c->noise_amount > 0.0 && c->noise_amount < 1e9 &&
                                            (c->noise != CHOICE_UNIFORM || c->noise_amount <= 1.0));
    if (!fit)
        return err_fail(err, ERR_INVALID,
                        "an amount of %g of noise of the weights; expected one above 0, and for "
                        "uniform noise at most 1",
                        c->noise_amount);
    return ERR_OK;
}

/* Rank and score of the base among the areas asked for. */
static enum err_code nominal(struct build *b, struct err *err) {
    struct choice_space *s = b->s;
    struct composite_result r = {0};
    TRY(composite_run(b->data, b->tree, b->base, COMPOSITE_RAW, b->run, b->a, &r, err));
    uint16_t *rank = ARENA_NEW(b->a, uint16_t, s->n_column);
    double *score = ARENA_NEW(b->a, double, s->n_column);
    double *by_data = ARENA_NEW(b->a, double, b->data->n_area);
    void *work = arena_alloc(b->a, order_rank_bytes(s->n_column), 1);
    if (rank == NULL || score == NULL || by_data == NULL || work == NULL) return no_memory(err);
    for (size_t i = 0; i < b->data->n_area; i++) by_data[i] = NAN;
    size_t n = r.n_area[COMPOSITE_AGGREGATED];
    const double *index = r.stage[COMPOSITE_AGGREGATED] + (b->tree->n_node - 1) * n;
    const uint32_t *area = r.area[COMPOSITE_AGGREGATED];
    for (size_t i = 0; i < n; i++) by_data[area == NULL ? i : area[i]] = index[i];
    for (size_t i = 0; i < s->n_column; i++) score[i] = by_data[s->column[i]];
    order_rank(score, s->n_column, rank, work);
    s->nominal = rank;
    s->nominal_score = score;
    return ERR_OK;
}

/* Treated values under one imputation and treatment, as a plan. */
static enum err_code make_plan(struct build *b, size_t k, struct composite_plan *plan,
                               const size_t **at, struct err *err) {
    struct choice_space *s = b->s;
    static const struct composite_norm plain = {
        .kind = COMPOSITE_NORM_MIN_MAX, .low = 0, .high = 1};
    struct composite_spec spec = *b->base;
    struct composite_result r = {0};
    spec.impute = b->impute[k / s->n_of[CHOICE_TREAT]];
    spec.treat = b->treat[k % s->n_of[CHOICE_TREAT]];
    /* What comes after treatment does not matter here, and should not fail. */
    spec.normalise = (struct composite_normalise){.n_norm = 1, .norm = &plain};
    memset(&spec.weights, 0, sizeof spec.weights);
    memset(&spec.aggregate, 0, sizeof spec.aggregate);
    TRY(composite_run(b->data, b->tree, &spec, COMPOSITE_RAW, b->run, b->a, &r, err));
    size_t n = r.n_area[COMPOSITE_TREATED], n_data = b->data->n_area;
    const uint32_t *from = r.area[COMPOSITE_TREATED];
    const char **name = ARENA_NEW(b->a, const char *, n);
    uint32_t *period = ARENA_NEW(b->a, uint32_t, n);
    size_t *of_data = ARENA_NEW(b->a, size_t, n_data);
    size_t *to = ARENA_NEW(b->a, size_t, s->n_column);
    if (name == NULL || period == NULL || of_data == NULL || to == NULL) return no_memory(err);
    for (size_t i = 0; i < n_data; i++) of_data[i] = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        size_t d = from == NULL ? i : from[i];
        of_data[d] = i;
        name[i] = b->data->area[d];
        if (b->data->period != NULL) period[i] = b->data->period[d];
    }
    for (size_t i = 0; i < s->n_column; i++) to[i] = of_data[s->column[i]];
    *at = to;
    return composite_plan_init(plan, b->tree, r.stage[COMPOSITE_TREATED], n, name,
                               b->data->period == NULL ? NULL : period, r.unscreened_drop, b->a,
                               err);
}

/* What one sum over the indicators ranks the areas by: values, their logarithms, or less their
 * inverses. NULL: the aggregation is no such sum. */
static const double *summed(const struct composite_aggregate *g, size_t n_level,
                            const struct composite_layer *l) {
    for (size_t k = 0; k + 1 < n_level; k++) {
        if (g->level[k].kind != g->level[0].kind || g->level[k].exponential > 0.0) return NULL;
    }
    switch (g->level[0].kind) {
    case COMPOSITE_ARITHMETIC:
        return l->value;
    case COMPOSITE_GEOMETRIC:
        return l->log;
    case COMPOSITE_HARMONIC:
        return l->inverse;
    default:
        return NULL;
    }
}

static bool any_least_share(const struct composite_aggregate *g, size_t n_level) {
    for (size_t k = 0; k + 1 < n_level; k++)
        if (g->level[k].min_share > 0.0) return true;
    return false;
}

static enum err_code make_packed(struct build *b, size_t layer, size_t agg, const double **out,
                                 struct err *err) {
    const struct choice_space *s = b->s;
    const struct composite_layer *l = &s->layer[layer];
    const struct composite_plan *p = &s->plan[layer / s->n_of[CHOICE_NORMALISE]];
    const struct composite_aggregate *g = &s->aggregate[agg];
    const double *value = summed(g, b->tree->n_level, l);
    bool left_out = s->n_of[CHOICE_DROP] > 1 || s->drop[0] != COMPOSITE_NONE;
    *out = NULL;
    if (value == NULL) return ERR_OK;
    for (size_t i = 0; i < b->tree->n_ind; i++) {
        if (l->dropped[i] != COMPOSITE_KEPT) {
            left_out = true;
            continue;
        }
        if (l->gaps[i]) return ERR_OK;
        for (size_t c = 0; c < p->n_area; c++)
            if (!isfinite(value[i * p->n_area + c])) return ERR_OK;
    }
    if (left_out && any_least_share(g, b->tree->n_level)) return ERR_OK;
    size_t n = b->tree->n_ind * product_width(s->n_column);
    double *packed = ARENA_NEW(b->a, double, n);
    if (packed == NULL) return no_memory(err);
    product_pack(value, p->n_area, s->at[layer / s->n_of[CHOICE_NORMALISE]], l->dropped,
                 b->tree->n_ind, s->n_column, packed);
    if (g->level[0].kind == COMPOSITE_HARMONIC)
        for (size_t i = 0; i < n; i++) packed[i] = -packed[i];
    *out = packed;
    return ERR_OK;
}

/* The layer's weights and sums under each weighting and aggregation. */
static enum err_code make_sums(struct build *b, size_t layer, const double **packed,
                               const double **weight, struct err *err) {
    const struct choice_space *s = b->s;
    size_t n_weights = s->n_of[CHOICE_WEIGHTS], n_agg = s->n_of[CHOICE_AGGREGATE];
    const struct composite_plan *p = &s->plan[layer / s->n_of[CHOICE_NORMALISE]];
    for (size_t g = 0; g < n_agg; g++) {
        TRY(make_packed(b, layer, g, &packed[layer * n_agg + g], err));
        for (size_t w = 0; w < n_weights; w++) {
            double *out = ARENA_NEW(b->a, double, b->tree->n_node);
            if (out == NULL) return no_memory(err);
            TRY(composite_weigh(p, &s->layer[layer], &b->weights[w], &s->aggregate[g], b->a, out,
                                NULL, err));
            weight[(layer * n_weights + w) * n_agg + g] = out;
        }
    }
    return num_run_stopped(b->run) ? err_fail(err, ERR_TIMEOUT, "stopped while preparing") : ERR_OK;
}

static enum err_code prepare(struct build *b, struct err *err) {
    struct choice_space *s = b->s;
    size_t n_plan = s->n_of[CHOICE_IMPUTE] * s->n_of[CHOICE_TREAT];
    size_t n_layer = n_plan * s->n_of[CHOICE_NORMALISE];
    size_t n_agg = s->n_of[CHOICE_AGGREGATE], n_weights = s->n_of[CHOICE_WEIGHTS];
    double cells = (double)b->tree->n_ind * (double)b->data->n_area * sizeof(double);
    TRY(num_run_afford(b->run,
                       cells * (10.0 * (double)n_plan +
                                (double)n_layer * ((b->means ? 3.0 : 1.0) + (double)n_agg)),
                       "the alternatives of the choices", err));
    struct composite_plan *plan = ARENA_NEW(b->a, struct composite_plan, n_plan);
    struct composite_layer *layer = ARENA_NEW(b->a, struct composite_layer, n_layer);
    const size_t **at = ARENA_NEW(b->a, const size_t *, n_plan);
    const double **packed = ARENA_NEW(b->a, const double *, n_layer *n_agg);
    const double **weight = ARENA_NEW(b->a, const double *, n_layer *n_weights *n_agg);
    if (plan == NULL || layer == NULL || at == NULL || packed == NULL || weight == NULL)
        return no_memory(err);
    s->plan = plan;
    s->layer = layer;
    s->at = at;
    s->packed = packed;
    s->weight = weight;
    for (size_t k = 0; k < n_plan; k++) TRY(make_plan(b, k, &plan[k], &at[k], err));
    for (size_t k = 0; k < n_layer; k++) {
        TRY(composite_layer_init(&layer[k], &plan[k / s->n_of[CHOICE_NORMALISE]],
                                 &b->normalise[k % s->n_of[CHOICE_NORMALISE]], b->means, b->a,
                                 err));
        TRY(make_sums(b, k, packed, weight, err));
        num_run_tell(b->run, "alternatives", (double)(k + 1) / (double)n_layer);
    }
    return ERR_OK;
}

static size_t at_least_one(size_t n) { return n > 0 ? n : 1; }

static bool needs_means(const struct choice_space *s, size_t n_level) {
    for (size_t g = 0; g < s->n_of[CHOICE_AGGREGATE]; g++)
        for (size_t k = 0; k + 1 < n_level; k++)
            if (s->aggregate[g].level[k].kind == COMPOSITE_GEOMETRIC ||
                s->aggregate[g].level[k].kind == COMPOSITE_HARMONIC)
                return true;
    return false;
}

enum err_code choice_space_new(const struct composite_data *data, const struct composite_tree *tree,
                               const struct composite_spec *base, const struct choices *choices,
                               const uint32_t *column, size_t n_column, const struct num_run *run,
                               struct arena *a, const struct choice_space **out, struct err *err) {
    static const uint32_t none_left_out = COMPOSITE_NONE;
    const struct choices *c = choices;
    if (column == NULL) n_column = data->n_area;
    TRY(check(data, tree, c, column, n_column, err));
    struct choice_space *s = ARENA_NEW(a, struct choice_space, 1);
    uint32_t *columns = ARENA_NEW(a, uint32_t, n_column);
    if (s == NULL || columns == NULL) return no_memory(err);
    for (size_t i = 0; i < n_column; i++) columns[i] = column == NULL ? (uint32_t)i : column[i];
    s->tree = tree;
    s->choices = c;
    s->column = columns;
    s->n_column = n_column;
    s->aggregate = c->n_aggregate > 0 ? c->aggregate : &base->aggregate;
    s->drop = c->n_drop > 0 ? c->drop : &none_left_out;
    const size_t n_of[CHOICE_KINDS] = {
        c->n_impute,    c->n_treat, c->n_normalise, c->n_weights, c->noise == CHOICE_STILL ? 1 : 2,
        c->n_aggregate, c->n_drop};
    for (size_t k = 0; k < CHOICE_KINDS; k++) {
        s->n_of[k] = at_least_one(n_of[k]);
        if (s->n_of[k] > 1) s->input[s->n_input++] = (enum choice)k;
    }
    struct build b = {.data = data, .tree = tree, .base = base, .run = run, .a = a, .s = s};
    b.impute = c->n_impute > 0 ? c->impute : &base->impute;
    b.treat = c->n_treat > 0 ? c->treat : &base->treat;
    b.normalise = c->n_normalise > 0 ? c->normalise : &base->normalise;
    b.weights = c->n_weights > 0 ? c->weights : &base->weights;
    b.means = needs_means(s, tree->n_level);
    TRY(nominal(&b, err));
    TRY(prepare(&b, err));
    *out = s;
    return ERR_OK;
}
