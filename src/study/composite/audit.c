/* What an audit works out, part by part. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "num/composite/contribution.h"
#include "num/composite/order.h"
#include "study/composite/audit_inside.h"

struct work {
    const struct index_study *s;
    const struct audit_wish *wish;
    const struct num_run *run;
    struct arena *a;
    struct audit *out;
};

static enum err_code no_memory(struct err *err) {
    return err_fail(err, ERR_NOMEM, "no memory for the audit");
}

/* ---- which areas ---- */

static enum err_code find_areas(struct work *w, struct err *err) {
    const struct index_study *s = w->s;
    const struct composite_data *d = &s->columns;
    struct audit *t = w->out;
    uint32_t last = 0;
    size_t n = d->n_area, rows = s->result.n_area[COMPOSITE_AGGREGATED];
    uint32_t *column = ARENA_NEW(w->a, uint32_t, n + 1);
    size_t *row = ARENA_NEW(w->a, size_t, n + 1), *of_column = ARENA_NEW(w->a, size_t, n + 1);
    if (column == NULL || row == NULL || of_column == NULL) return no_memory(err);
    for (size_t i = 0; d->period != NULL && i < n; i++)
        last = d->period[i] > last ? d->period[i] : last;
    for (size_t i = 0; i < n; i++) of_column[i] = SIZE_MAX;
    const uint32_t *area = s->result.area[COMPOSITE_AGGREGATED];
    for (size_t i = 0; i < rows; i++) of_column[area == NULL ? i : area[i]] = i;
    for (size_t i = 0; i < n; i++) {
        if (d->period != NULL && d->period[i] != last) continue;
        column[t->n_area] = (uint32_t)i;
        row[t->n_area++] = of_column[i];
    }
    t->column = column;
    t->row = row;
    t->time = s->spec.time;
    if (isnan(t->time) && d->time != NULL && t->n_area > 0) t->time = d->time[column[0]];
    return ERR_OK;
}

static enum err_code area_of(const struct work *w, const char *code, size_t *out, struct err *err) {
    *out = SIZE_MAX;
    if (code == NULL) return ERR_OK;
    for (size_t i = 0; i < w->out->n_area; i++)
        if (strcmp(w->s->columns.area[w->out->column[i]], code) == 0) *out = i;
    return *out != SIZE_MAX ? ERR_OK
                            : err_fail(err, ERR_NOT_FOUND, "there is no area %s to rank", code);
}

static bool is_panel(const struct composite_impute *i) {
    return i->kind == COMPOSITE_IMPUTE_PANEL_LAST || i->kind == COMPOSITE_IMPUTE_PANEL_LINEAR ||
           i->then == COMPOSITE_IMPUTE_PANEL_LAST || i->then == COMPOSITE_IMPUTE_PANEL_LINEAR;
}

static enum err_code what_was_run(struct work *w, struct err *err) {
    const struct index_study *s = w->s;
    struct audit *t = w->out;
    t->data = s->columns;
    t->spec = s->spec.spec;
    TRY(audit_move_reference(s, &t->spec.normalise, w->a, err));
    if (s->column_of == NULL || !is_panel(&t->spec.impute)) return ERR_OK;
    if (t->plan.choices.n_impute > 0)
        return err_fail(err, ERR_INVALID,
                        "audit: imputation over the years of a panel has no alternatives where one "
                        "period is told (\"time\")");
    t->data.value = s->result.stage[COMPOSITE_IMPUTED];
    t->spec.denominate = false;
    t->spec.impute = (struct composite_impute){.kind = COMPOSITE_IMPUTE_NONE};
    return ERR_OK;
}

/* ---- how it hangs together ---- */

/* Values of a node in the ranked areas. */
static void gather(const struct work *w, uint32_t node, double *to) {
    size_t rows = w->s->result.n_area[COMPOSITE_AGGREGATED];
    const double *from = w->s->result.stage[COMPOSITE_AGGREGATED] + node * rows;
    for (size_t i = 0; i < w->out->n_area; i++)
        to[i] = w->out->row[i] == SIZE_MAX ? NAN : from[w->out->row[i]];
}

static enum err_code families(struct work *w, struct err *err) {
    const struct composite_tree *t = &w->s->tree;
    size_t n = w->out->n_area;
    struct audit_family *f = ARENA_NEW(w->a, struct audit_family, t->n_node - t->n_ind);
    double *x = ARENA_NEW(w->a, double, n * t->n_node);
    if (f == NULL || x == NULL) return no_memory(err);
    for (uint32_t p = (uint32_t)t->n_ind; p < t->n_node; p++) {
        struct audit_family *to = &f[p - t->n_ind];
        to->node = p;
        for (uint32_t k = t->first[p]; k < t->first[p + 1]; k++) {
            if (w->s->result.weight[t->child[k]] == 0.0) continue;
            gather(w, t->child[k], x + to->n_child++ * n);
        }
        TRY(corr_alpha(x, n, to->n_child, &to->alpha, err));
        TRY(corr_pca(w->a, x, n, to->n_child, &to->pca, err));
    }
    w->out->family = f;
    w->out->n_family = t->n_node - t->n_ind;
    return ERR_OK;
}

struct effects {
    const struct work *w;
    const double *index;
    double *memory; /* a node: its values, and room */
    struct main_effect *effect;
    struct corr *with_index;
};

static void effect_of(void *arg, size_t node) {
    const struct effects *e = arg;
    size_t n = e->w->out->n_area;
    double *x = e->memory + node * (n + corr_work(n));
    if (num_run_stopped(e->w->run)) return;
    gather(e->w, (uint32_t)node, x);
    e->effect[node] = corr_main_effect(x, e->index, n, x + n);
    e->with_index[node] = corr_pair(CORR_SPEARMAN, x, e->index, n, x + n);
}

static enum err_code effects(struct work *w, struct err *err) {
    const struct composite_tree *t = &w->s->tree;
    size_t n = w->out->n_area;
    double *index = ARENA_NEW(w->a, double, n + 1), *share = ARENA_NEW(w->a, double, t->n_ind);
    struct effects e = {.w = w, .index = index};
    e.effect = ARENA_NEW(w->a, struct main_effect, t->n_node);
    e.with_index = ARENA_NEW(w->a, struct corr, t->n_node);
    if (index == NULL || share == NULL || e.effect == NULL || e.with_index == NULL)
        return no_memory(err);
    e.memory = mem_new(t->n_node * (n + corr_work(n)) + 1, sizeof(double));
    if (e.memory == NULL) return no_memory(err);
    gather(w, (uint32_t)(t->n_node - 1), index);
    num_run_each(w->run, t->n_node, effect_of, &e);
    mem_free(e.memory);
    composite_effective_weights(t, w->s->result.weight, share);
    w->out->share = share;
    w->out->effect = e.effect;
    w->out->with_index = e.with_index;
    return ERR_OK;
}

static bool by_product(const struct composite_aggregate *g, size_t n_level) {
    for (size_t k = 0; k + 1 < n_level; k++)
        if (g->level[k].kind != COMPOSITE_ARITHMETIC || g->level[k].exponential > 0.0) return false;
    return true;
}

static enum err_code parts(struct work *w, struct err *err) {
    const struct composite_tree *t = &w->s->tree;
    const struct composite_aggregate *g = &w->s->spec.spec.aggregate;
    size_t rows = w->s->result.n_area[COMPOSITE_AGGREGATED];
    if (!contribution_possible(g, t->n_level)) return ERR_OK;
    double *part = ARENA_NEW(w->a, double, t->n_node *rows);
    if (part == NULL) return no_memory(err);
    TRY(contribution_parts(t, w->s->result.weight, g, w->s->result.stage[COMPOSITE_AGGREGATED],
                           rows, part, err));
    w->out->part = part;
    w->out->part_by_product = by_product(g, t->n_level);
    return ERR_OK;
}

static enum err_code correlations(struct work *w, struct err *err) {
    const struct composite_tree *t = &w->s->tree;
    size_t n = w->out->n_area;
    if (!w->wish->correlations) return ERR_OK;
    double *x = ARENA_NEW(w->a, double, t->n_ind *n);
    if (x == NULL) return no_memory(err);
    for (uint32_t i = 0; i < t->n_ind; i++) gather(w, i, x + i * n);
    for (enum corr_kind k = CORR_PEARSON; k <= CORR_KENDALL; k++) {
        struct corr *c = ARENA_NEW(w->a, struct corr, t->n_ind * t->n_ind);
        if (c == NULL) return no_memory(err);
        TRY(corr_matrix(k, x, n, t->n_ind, w->run, c, err));
        w->out->correlation[k] = c;
    }
    return ERR_OK;
}

/* ---- ranks under other choices ---- */

struct points {
    struct choice_random random;
    const struct sobol_plan *plan;
};
static void planned_point(void *arg, size_t k, double *u) { sobol_plan_point(arg, k, u); }

static enum err_code sobol_indices(struct work *w, size_t watch, struct err *err) {
    struct audit *t = w->out;
    struct sobol_options opt = t->plan.sobol;
    if (opt.n == 0) return ERR_OK;
    opt.d = t->space->n_input;
    opt.seed = t->plan.seed;
    struct sobol_plan plan;
    TRY(sobol_plan_new(w->a, &opt, &plan, err));
    double *shift = ARENA_NEW(w->a, double, plan.n_runs);
    double *rank = watch == SIZE_MAX ? NULL : ARENA_NEW(w->a, double, plan.n_runs);
    if (shift == NULL || (watch != SIZE_MAX && rank == NULL)) return no_memory(err);
    struct choice_points points = {.point = planned_point, .arg = &plan, .seed = t->plan.seed};
    struct choice_ranks kept = {
        .shift = shift, .watch = &watch, .n_watch = watch == SIZE_MAX ? 0 : 1, .watched = rank};
    TRY(choice_space_rank(t->space, plan.n_runs, &points, w->run, &kept, err));
    t->sobol[0].outcome = "mean_shift";
    TRY(sobol_estimate(w->a, &opt, shift, 1, w->run, &t->sobol[0].result, err));
    t->n_sobol = 1;
    t->sobol_area = watch;
    if (rank == NULL) return ERR_OK;
    t->sobol[1].outcome = "rank";
    t->n_sobol = 2;
    return sobol_estimate(w->a, &opt, rank, 1, w->run, &t->sobol[1].result, err);
}

/* Bands, neighbours and pairs from the ranks of all draws. */
static enum err_code from_ranks(struct work *w, const uint16_t *rank, struct err *err) {
    struct audit *t = w->out;
    size_t n = t->n_area;
    struct rank_interval *band = ARENA_NEW(w->a, struct rank_interval, n);
    uint32_t *order = ARENA_NEW(w->a, uint32_t, n);
    double *holds = ARENA_NEW(w->a, double, n);
    if (band == NULL || order == NULL || holds == NULL) return no_memory(err);
    TRY(rank_intervals(rank, t->plan.draws, n, t->space->nominal, t->plan.band, w->run, band, err));
    TRY(rank_neighbours(rank, t->plan.draws, n, t->space->nominal, order, holds, &t->n_order, err));
    t->band = band;
    t->order = order;
    t->holds = holds;
    if (!w->wish->pairs && t->chosen == SIZE_MAX) return ERR_OK;
    TRY(num_run_afford(w->run, 4.0 * (double)n * (double)n, "counting all pairs", err));
    uint32_t *above = ARENA_NEW(w->a, uint32_t, n * n);
    if (above == NULL) return no_memory(err);
    TRY(rank_dominance(rank, t->plan.draws, n, w->run, above, err));
    t->above = above;
    return ERR_OK;
}

static enum err_code ranks(struct work *w, struct err *err) {
    struct audit *t = w->out;
    const struct index_study *s = w->s;
    size_t n = t->n_area, draws = t->plan.draws, watch;
    TRY(area_of(w, t->plan.sobol_area != NULL ? t->plan.sobol_area : w->wish->area, &watch, err));
    TRY(choice_space_new(&t->data, &s->tree, &t->spec, &t->plan.choices, t->column, n, w->run, w->a,
                         &t->space, err));
    if (t->space->n_input == 0)
        return err_fail(err, ERR_INVALID,
                        "audit: none of the choices has more than one alternative");
    TRY(num_run_afford(w->run, 2.0 * (double)n * (double)draws, "the ranks of all draws", err));
    uint16_t *rank = mem_new(draws * n, sizeof *rank);
    double *shift = mem_new(draws, sizeof *shift);
    enum err_code rc = ERR_OK;
    if (rank == NULL || shift == NULL) {
        rc = no_memory(err);
    } else {
        struct choice_random random = {.seed = t->plan.seed, .n_input = t->space->n_input};
        struct choice_points points = {
            .point = choice_random_point, .arg = &random, .seed = t->plan.seed};
        struct choice_ranks kept = {.rank = rank, .shift = shift};
        rc = choice_space_rank(t->space, draws, &points, w->run, &kept, err);
        for (size_t k = 0; k < draws && rc == ERR_OK; k++)
            t->mean_shift += shift[k] / (double)draws;
        if (rc == ERR_OK) rc = from_ranks(w, rank, err);
    }
    mem_free(rank);
    mem_free(shift);
    return rc != ERR_OK ? rc : sobol_indices(w, watch, err);
}

/* ---- what if ---- */

static uint32_t node_of(const struct composite_tree *t, const char *code, size_t n) {
    for (uint32_t i = 0; i < t->n_node; i++)
        if (strlen(t->code[i]) == n && strncmp(t->code[i], code, n) == 0) return i;
    return COMPOSITE_NONE;
}

/* "CODE=WEIGHT,CODE=WEIGHT". */
static enum err_code read_wishes(struct work *w, struct what_if *out, struct err *err) {
    const struct composite_tree *t = &w->s->tree;
    const char *at = w->wish->what_if == NULL ? "" : w->wish->what_if;
    uint32_t *node = ARENA_NEW(w->a, uint32_t, strlen(at) + 1);
    double *weight = ARENA_NEW(w->a, double, strlen(at) + 1);
    if (node == NULL || weight == NULL) return no_memory(err);
    while (*at != '\0') {
        const char *equals = strchr(at, '=');
        char *end = NULL;
        if (equals == NULL)
            return err_fail(err, ERR_INVALID, "what if \"%.60s\": expected CODE=WEIGHT,...", at);
        node[out->n_weight] = node_of(t, at, (size_t)(equals - at));
        if (node[out->n_weight] == COMPOSITE_NONE)
            return err_fail(err, ERR_NOT_FOUND, "what if: there is no node %.*s",
                            (int)(equals - at < 60 ? equals - at : 60), at);
        weight[out->n_weight++] = strtod(equals + 1, &end);
        if (end == equals + 1 || (*end != ',' && *end != '\0'))
            return err_fail(err, ERR_INVALID, "what if \"%.60s\": expected a number after =", at);
        at = *end == ',' ? end + 1 : end;
    }
    out->node = node;
    out->weight = weight;
    return ERR_OK;
}

static enum err_code other_means(struct work *w, struct what_if *out, struct err *err) {
    const char *name = w->wish->what_if_mean;
    if (name == NULL) return ERR_OK;
    static const char *const names[] = {"arithmetic", "geometric", "harmonic"};
    static const enum composite_agg_kind kinds[] = {COMPOSITE_ARITHMETIC, COMPOSITE_GEOMETRIC,
                                                    COMPOSITE_HARMONIC};
    struct composite_aggregate *g = ARENA_NEW(w->a, struct composite_aggregate, 1);
    if (g == NULL) return no_memory(err);
    *g = w->s->spec.spec.aggregate;
    for (size_t k = 0; k < 3; k++) {
        if (strcmp(name, names[k]) != 0) continue;
        for (size_t l = 0; l < COMPOSITE_MAX_LEVELS; l++) g->level[l].kind = kinds[k];
        out->aggregate = g;
    }
    if (out->aggregate != NULL) return ERR_OK;
    return err_fail(err, ERR_INVALID,
                    "what if means \"%.60s\": expected arithmetic, geometric or harmonic", name);
}

/* The base's weights in the scale a reader knows: the framework's where they are given, shares of
 * their parent where they are worked out. */
static double *known_weights(const struct work *w) {
    const struct composite_tree *t = &w->s->tree;
    double *weight = ARENA_NEW(w->a, double, t->n_node);
    for (size_t i = 0; weight != NULL && i < t->n_node; i++) {
        bool given = w->out->spec.weights.level[t->level[i] - 1] == COMPOSITE_WEIGHT_GIVEN;
        weight[i] = w->s->result.weight[i];
        if (given && weight[i] != 0.0) weight[i] = t->weight[i];
    }
    return weight;
}

/* Scores of the ranked areas into t->if_score and their ranks. */
static enum err_code what_if(struct work *w, struct err *err) {
    struct audit *t = w->out;
    const struct index_study *s = w->s;
    size_t n = t->n_area, rows = s->result.n_area[COMPOSITE_TREATED];
    struct what_if wish = {0};
    if (w->wish->what_if == NULL && w->wish->what_if_mean == NULL) return ERR_OK;
    TRY(read_wishes(w, &wish, err));
    TRY(other_means(w, &wish, err));
    struct composite_plan plan;
    struct composite_layer layer;
    TRY(composite_plan_init(&plan, &s->tree, s->result.stage[COMPOSITE_TREATED], rows, NULL, NULL,
                            s->result.unscreened_drop, w->a, err));
    TRY(composite_layer_init(&layer, &plan, &t->spec.normalise, true, w->a, err));
    double *scratch = ARENA_NEW(w->a, double, composite_scratch(&plan)), *known = known_weights(w);
    double *node = ARENA_NEW(w->a, double, s->tree.n_node *rows);
    double *score = ARENA_NEW(w->a, double, n);
    uint32_t *all = ARENA_NEW(w->a, uint32_t, rows), *rank = ARENA_NEW(w->a, uint32_t, n),
             *base = ARENA_NEW(w->a, uint32_t, n);
    uint16_t *narrow = ARENA_NEW(w->a, uint16_t, n);
    void *sort = arena_alloc(w->a, order_rank_bytes(n), 1);
    if (scratch == NULL || known == NULL || node == NULL || score == NULL || all == NULL ||
        rank == NULL || base == NULL || narrow == NULL || sort == NULL)
        return no_memory(err);
    TRY(what_if_run(&plan, &layer, known, &t->spec.aggregate, &wish, w->a, scratch, node, all,
                    err));
    const double *index = node + (s->tree.n_node - s->tree.n_ind - 1) * rows;
    for (size_t i = 0; i < n; i++) score[i] = t->row[i] == SIZE_MAX ? NAN : index[t->row[i]];
    order_rank(score, n, narrow, sort);
    for (size_t i = 0; i < n; i++) {
        rank[i] = narrow[i];
        base[i] = t->space->nominal[i];
    }
    t->asked_what_if = true;
    t->if_rank = rank;
    t->if_score = score;
    t->base_rank = base;
    t->if_shift = what_if_shift_of(base, rank, n);
    return ERR_OK;
}

enum err_code audit_run(const struct index_study *study, const struct audit_wish *wish,
                        const struct num_run *run, struct arena *a, struct audit *out,
                        struct err *err) {
    *out = (struct audit){.study = study, .chosen = SIZE_MAX, .sobol_area = SIZE_MAX};
    struct work w = {.s = study, .wish = wish, .run = run, .a = a, .out = out};
    TRY(audit_plan_read(study, study->spec.audit, a, &out->plan, err));
    if (wish->draws > 0) out->plan.draws = (size_t)wish->draws;
    if (wish->seed >= 0) out->plan.seed = (uint64_t)wish->seed;
    TRY(what_was_run(&w, err));
    TRY(find_areas(&w, err));
    TRY(area_of(&w, wish->area, &out->chosen, err));
    TRY(families(&w, err));
    TRY(effects(&w, err));
    TRY(parts(&w, err));
    TRY(correlations(&w, err));
    TRY(ranks(&w, err));
    return what_if(&w, err);
}
