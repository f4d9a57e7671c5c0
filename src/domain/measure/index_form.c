#include "domain/measure/index_form.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "domain/measure/figure_floor.h"
#include "num/composite/choices.h"
#include "num/composite/contribution.h"

enum { MIN_TO_RANK = 2, SCRATCH_ARENA = 1 << 28 };

struct forming {
    const struct index_ask *ask;
    struct arena *a;
    struct index_view *v;
    double *matrix; /* n_leaves x n: usable values, NaN else */
    struct composite_data data;
    struct err *err;
};

static enum err_code nomem(struct err *err) { return err_fail(err, ERR_NOMEM, "index"); }

enum err_code index_gather(const struct value_query *q, const struct index_def *d, struct arena *a,
                           struct index_view *out, struct err *err) {
    size_t n = q->areas->n;
    *out = (struct index_view){.def = d, .period = q->period, .areas = q->areas, .n = n};
    if (n == 0) return err_fail(err, ERR_INVALID, "the city has no area of this level");
    struct indicator_value *raw = ARENA_NEW(a, struct indicator_value, d->n_leaves * n + 1);
    if (raw == NULL) return nomem(err);
    for (size_t i = 0; i < d->n_leaves; i++) {
        /* What an indicator needs on the way goes with the size of the city: not kept. */
        struct arena *scratch = arena_new(SCRATCH_ARENA);
        if (scratch == NULL) return nomem(err);
        enum err_code rc = value_form(q, d->node[i].indicator, scratch, raw + i * n, err);
        arena_free(scratch);
        TRY(rc);
    }
    out->raw = raw;
    return ERR_OK;
}

enum err_code index_hide(const struct value_query *q, struct arena *a, struct index_view *v,
                         struct err *err) {
    unsigned char *hidden = ARENA_NEW(a, unsigned char, v->def->n_leaves * v->n + 1);
    if (hidden == NULL) return nomem(err);
    for (size_t i = 0; i < v->def->n_leaves; i++) {
        struct arena *scratch = arena_new(SCRATCH_ARENA);
        if (scratch == NULL) return nomem(err);
        enum err_code rc = figure_floor_of(q, v->def->node[i].indicator, v->raw + i * v->n, scratch,
                                           hidden + i * v->n, err);
        arena_free(scratch);
        TRY(rc);
    }
    v->hidden = hidden;
    return ERR_OK;
}

/* One that rests on too few cases counts, but its area is marked. */
static enum err_code fill_matrix(struct forming *f) {
    size_t n = f->ask->def->n_leaves * f->v->n;
    f->matrix = ARENA_NEW(f->a, double, n + 1);
    if (f->matrix == NULL) return nomem(f->err);
    for (size_t i = 0; i < n; i++) f->matrix[i] = f->v->raw[i].value;
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
    TRY(composite_run(&f->data, &d->tree, &d->spec, COMPOSITE_RAW, f->ask->run, f->a, r, f->err));
    f->v->value = r->stage[COMPOSITE_AGGREGATED];
    f->v->weight = r->weight;
    f->v->rank = r->rank;
    f->v->part = part;
    return contribution_parts(&d->tree, r->weight, &d->spec.aggregate, f->v->value, n, part,
                              f->err);
}

/* ---- ranks under doubt */

static enum err_code aggregates(const struct forming *f, const struct composite_aggregate **out,
                                size_t *n) {
    const struct index_def *d = f->ask->def;
    struct composite_aggregate *g =
        ARENA_NEW(f->a, struct composite_aggregate, d->n_doubt_means + 1);
    if (g == NULL) return nomem(f->err);
    for (size_t k = 0; k < d->n_doubt_means; k++) {
        g[k] = d->spec.aggregate;
        for (size_t i = 0; i < COMPOSITE_MAX_LEVELS; i++) g[k].level[i].kind = d->doubt_means[k];
    }
    *out = g;
    *n = d->n_doubt_means;
    return ERR_OK;
}

static enum err_code tell_neighbours(struct forming *f, const uint16_t *rank,
                                     const uint16_t *nominal) {
    size_t n = f->v->n, ordered = 0;
    uint32_t *order = ARENA_NEW(f->a, uint32_t, n + 1);
    double *by_order = ARENA_NEW(f->a, double, n + 1), *holds = ARENA_NEW(f->a, double, n + 1);
    if (order == NULL || by_order == NULL || holds == NULL) return nomem(f->err);
    TRY(rank_neighbours(rank, f->ask->n_draws, n, nominal, order, by_order, &ordered, f->err));
    for (size_t j = 0; j < n; j++) holds[j] = 1;
    for (size_t k = 0; k + 1 < ordered; k++) holds[order[k]] = by_order[k];
    f->v->holds = holds;
    return ERR_OK;
}

static enum err_code intervals(struct forming *f) {
    const struct index_def *d = f->ask->def;
    size_t n = f->v->n, draws = f->ask->n_draws;
    struct choices c = {.noise = d->doubt_weights > 0 ? CHOICE_UNIFORM : CHOICE_STILL,
                        .noise_amount = d->doubt_weights};
    const struct choice_space *s = NULL;
    TRY(aggregates(f, &c.aggregate, &c.n_aggregate));
    TRY(choice_space_new(&f->data, &d->tree, &d->spec, &c, NULL, 0, f->ask->run, f->a, &s, f->err));
    uint16_t *rank = ARENA_NEW(f->a, uint16_t, draws * n);
    struct rank_interval *iv = ARENA_NEW(f->a, struct rank_interval, n);
    if (rank == NULL || iv == NULL) return nomem(f->err);
    struct choice_random r = {f->ask->seed, s->n_input};
    struct choice_points points = {choice_random_point, &r, f->ask->seed};
    struct choice_ranks keep = {.rank = rank};
    TRY(choice_space_rank(s, draws, &points, f->ask->run, &keep, f->err));
    TRY(rank_intervals(rank, draws, n, s->nominal, 0.9, f->ask->run, iv, f->err));
    f->v->interval = iv;
    f->v->n_draws = draws;
    return tell_neighbours(f, rank, s->nominal);
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
    TRY(fill_matrix(&f));
    TRY(mark_small(&f));
    TRY(drop_thin(&f));
    TRY(score(&f));
    uint32_t *order = ARENA_NEW(a, uint32_t, v->n);
    if (order == NULL) return nomem(err);
    order_by_rank(v, order);
    v->order = order;
    if (ask->n_draws == 0 || ranked(v) < MIN_TO_RANK) return ERR_OK;
    return intervals(&f);
}

enum err_code index_form(const struct value_query *q, const struct index_ask *ask, struct arena *a,
                         struct index_view *out, struct err *err) {
    TRY(index_gather(q, ask->def, a, out, err));
    return index_score(out, ask, a, err);
}

void index_view_hash(const struct index_view *v, unsigned char out[32]) {
    const struct index_def *d = v->def;
    memcpy(out, d->hash, 32);
    for (size_t j = 0; j < v->n; j++) {
        unsigned char before[32];
        memcpy(before, out, sizeof before);
        const char *code = v->areas->area[j]->code;
        double found = v->value[(d->n_nodes - 1) * v->n + j];
        double score = isnan(found) ? NAN : found;
        uint64_t sum = 0;
        for (size_t i = 0; i < d->n_leaves; i++) {
            const struct indicator_value *x = &v->raw[i * v->n + j];
            /* One NaN for all: its bits are no part of a result. */
            double parts[3] = {isnan(x->value) ? NAN : x->value,
                               isnan(x->numerator) ? NAN : x->numerator,
                               isnan(x->denominator) ? NAN : x->denominator};
            int state = x->state;
            sum = hash_xxh64(parts, sizeof parts, sum);
            sum = hash_xxh64(&state, sizeof state, sum);
        }
        struct hash_piece pieces[] = {{before, sizeof before},
                                      {&v->period, sizeof v->period},
                                      {code, strlen(code) + 1},
                                      {&score, sizeof score},
                                      {&sum, sizeof sum}};
        hash_sha256(pieces, sizeof pieces / sizeof pieces[0], out);
    }
}
