/* Scores of an index: treated values, weights, means, what each node gives, and ranks. */
#include <math.h>
#include <string.h>

#include "domain/measure/index_inside.h"
#include "num/composite/contribution.h"

enum { MIN_TO_RANK = 2 };

struct forming {
    const struct index_ask *ask;
    struct arena *a;
    struct index_view *v;
    double *matrix; /* n_leaves x n: usable values, NaN else */
    struct composite_data data;
    struct err *err;
};

/* ---- what is not told */

static bool weighs(const struct index_view *v, uint32_t node, size_t area) {
    return v->weight[node] > 0 && !isnan(v->value[node * v->n + area]);
}

/* Bottom-up: a node of whose children exactly one is not told would tell it. */
static void mask_area(const struct index_view *v, size_t area, unsigned char *masked) {
    const struct composite_tree *t = &v->tree;
    size_t n = v->n, top = t->n_node - 1;
    bool any = false;
    for (size_t i = 0; i < t->n_ind; i++)
        masked[i * n + area] = v->hidden[i * n + area] != 0 && weighs(v, (uint32_t)i, area);
    for (size_t p = t->n_ind; p < t->n_node; p++) {
        size_t k = 0;
        for (uint32_t c = t->first[p]; c < t->first[p + 1]; c++) {
            uint32_t child = t->child[c];
            k += weighs(v, child, area) && masked[child * n + area] != 0;
        }
        any = any || k > 0;
        masked[p * n + area] = p < top ? k == 1 : any;
    }
}

static enum err_code mask(struct index_view *v, struct arena *a, struct err *err) {
    v->masked = NULL;
    if (v->hidden == NULL) return ERR_OK;
    unsigned char *masked = ARENA_NEW(a, unsigned char, v->def->n_nodes * v->n + 1);
    if (masked == NULL) return err_fail(err, ERR_NOMEM, "index");
    for (size_t j = 0; j < v->n; j++) mask_area(v, j, masked);
    v->masked = masked;
    return ERR_OK;
}

double index_told_value(const struct index_view *v, size_t area) {
    size_t top = (v->def->n_nodes - 1) * v->n + area;
    return v->masked != NULL && v->masked[top] != 0 ? floor(v->value[top] + 0.5) : v->value[top];
}

/* ---- scores */

static enum err_code nomem(struct err *err) { return err_fail(err, ERR_NOMEM, "index"); }

/* One that rests on too few cases counts, but its area is marked. */
static enum err_code fill_matrix(struct forming *f) {
    size_t n = f->ask->def->n_leaves * f->v->n;
    f->matrix = ARENA_NEW(f->a, double, n + 1);
    if (f->matrix == NULL) return nomem(f->err);
    bool drop = f->ask->drop_hidden && f->v->hidden != NULL;
    for (size_t i = 0; i < n; i++)
        f->matrix[i] = drop && f->v->hidden[i] != 0 ? NAN : f->v->raw[i].value;
    return ERR_OK;
}

/* An area most of whose weight has no value gets no score: what is left would speak for the rest.
 */
static enum err_code drop_thin(struct forming *f) {
    const struct index_def *d = f->ask->def;
    size_t n = f->v->n;
    double *share = ARENA_NEW(f->a, double, d->n_leaves + 1);
    if (share == NULL) return nomem(f->err);
    composite_effective_weights(&d->tree, d->tree.weight, share);
    for (size_t j = 0; j < n; j++) {
        double there = 0;
        for (size_t i = 0; i < d->n_leaves; i++)
            if (!isnan(f->matrix[i * n + j])) there += share[i];
        for (size_t i = 0; there < d->missing && i < d->n_leaves; i++) f->matrix[i * n + j] = NAN;
    }
    return ERR_OK;
}

static enum err_code mark_small(struct forming *f) {
    const struct index_def *d = f->ask->def;
    size_t n = f->v->n;
    unsigned char *small = ARENA_NEW(f->a, unsigned char, n + 1);
    double *share = ARENA_NEW(f->a, double, d->n_leaves + 1);
    if (small == NULL || share == NULL) return nomem(f->err);
    composite_effective_weights(&d->tree, d->tree.weight, share);
    for (size_t j = 0; j < n; j++) {
        double thin = 0, all = 0;
        for (size_t i = 0; i < d->n_leaves; i++) {
            enum value_state s = f->v->raw[i * n + j].state;
            all += s == VALUE_OK || s == VALUE_TOO_SMALL ? share[i] : 0;
            thin += s == VALUE_TOO_SMALL ? share[i] : 0;
        }
        small[j] = all == 0 || thin > all / 2;
    }
    f->v->too_small = small;
    return ERR_OK;
}

/* A period in which nothing was counted yet has no scores; that is no fault. */
static enum err_code no_scores(struct forming *f) {
    const struct index_def *d = f->ask->def;
    size_t n = f->v->n;
    double *nan = ARENA_NEW(f->a, double, d->n_nodes *n + 1);
    double *weight = ARENA_NEW(f->a, double, d->n_nodes + 1);
    uint32_t *rank = ARENA_NEW(f->a, uint32_t, n + 1);
    if (nan == NULL || weight == NULL || rank == NULL) return nomem(f->err);
    for (size_t i = 0; i < d->n_nodes * n; i++) nan[i] = NAN;
    f->v->value = f->v->part = nan;
    f->v->weight = weight;
    f->v->rank = rank;
    return ERR_OK;
}

static bool has_values(const struct forming *f) {
    for (size_t i = 0; i < f->ask->def->n_leaves * f->v->n; i++)
        if (!isnan(f->matrix[i])) return true;
    return false;
}

static enum err_code score(struct forming *f) {
    if (!has_values(f)) return no_scores(f);
    const struct index_def *d = f->ask->def;
    size_t n = f->v->n;
    const char **names = ARENA_NEW(f->a, const char *, n + 1);
    struct composite_result *r = ARENA_NEW(f->a, struct composite_result, 1);
    double *part = ARENA_NEW(f->a, double, d->n_nodes *n + 1);
    if (names == NULL || r == NULL || part == NULL) return nomem(f->err);
    for (size_t j = 0; j < n; j++) names[j] = f->v->areas->area[j]->code;
    f->data = (struct composite_data){.n_area = n, .value = f->matrix, .area = names};
    TRY(index_bend_values(f->v, f->matrix, f->a, f->err));
    TRY(index_weigh_groups(f->v, &f->data, f->ask->run, f->a, f->err));
    TRY(composite_run(&f->data, &f->v->tree, &d->spec, COMPOSITE_RAW, f->ask->run, f->a, r,
                      f->err));
    f->v->value = r->stage[COMPOSITE_AGGREGATED];
    f->v->weight = r->weight;
    f->v->rank = r->rank;
    f->v->part = part;
    return contribution_parts(&f->v->tree, r->weight, &d->spec.aggregate, f->v->value, n, part,
                              f->err);
}

/* By rank, those without one last, equals by code: a counting sort, since ranks are 0..n. */
static void order_by_rank(const struct index_view *v, uint32_t *out) {
    size_t at = 0;
    for (size_t j = 0; j < v->n; j++) out[j] = UINT32_MAX;
    for (size_t j = 0; j < v->n; j++) {
        if (v->rank[j] == 0) continue;
        size_t k = v->rank[j] - 1; /* equals share a rank and take the places after it */
        while (out[k] != UINT32_MAX) k++;
        out[k] = (uint32_t)j;
        at++;
    }
    for (size_t j = 0; j < v->n; j++)
        if (v->rank[j] == 0) out[at++] = (uint32_t)j;
}

static size_t ranked(const struct index_view *v) {
    size_t k = 0;
    for (size_t j = 0; j < v->n; j++) k += v->rank[j] != 0;
    return k;
}

enum err_code index_score(struct index_view *v, const struct index_ask *ask, struct arena *a,
                          struct err *err) {
    struct forming f = {.ask = ask, .a = a, .v = v, .err = err};
    v->tree = ask->def->tree;
    TRY(fill_matrix(&f));
    TRY(mark_small(&f));
    TRY(drop_thin(&f));
    TRY(score(&f));
    TRY(mask(v, a, err));
    uint32_t *order = ARENA_NEW(a, uint32_t, v->n);
    if (order == NULL) return nomem(err);
    order_by_rank(v, order);
    v->order = order;
    if (ask->n_draws == 0 || ranked(v) < MIN_TO_RANK) return ERR_OK;
    return index_doubt(v, ask, a, err);
}
