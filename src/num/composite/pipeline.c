#include <math.h>
#include <string.h>

#include "num/composite/stages.h"

struct running {
    const struct composite_data *data;
    const struct composite_tree *tree;
    const struct composite_spec *spec;
    const struct num_run *run;
    struct arena *a;
    struct composite_result *io;
    uint8_t *dropped; /* n_ind: too few areas */
};

static enum err_code no_memory(struct err *err) {
    return err_fail(err, ERR_NOMEM, "no memory for the stages of the index");
}

static size_t cells(const struct running *r, enum composite_stage s) {
    return r->tree->n_ind * r->io->n_area[s];
}

/* A stage that changes nothing. */
static void share(struct running *r, enum composite_stage to) {
    r->io->stage[to] = r->io->stage[to - 1];
    r->io->n_area[to] = r->io->n_area[to - 1];
    r->io->area[to] = r->io->area[to - 1];
}

/* A copy of the stage before, to be changed. */
static double *copy_before(struct running *r, enum composite_stage to) {
    share(r, to);
    double *v = ARENA_NEW(r->a, double, cells(r, to));
    if (v != NULL) memcpy(v, r->io->stage[to], cells(r, to) * sizeof *v);
    r->io->stage[to] = v;
    return v;
}

static uint32_t column_of(const struct running *r, enum composite_stage s, size_t j) {
    return r->io->area[s] == NULL ? (uint32_t)j : r->io->area[s][j];
}

/* The members of the data by area, for the columns of a stage. */
static enum err_code columns_at(const struct running *r, enum composite_stage s,
                                struct composite_data *out, struct err *err) {
    const struct composite_data *d = r->data;
    *out = *d;
    if (r->io->area[s] == NULL) return ERR_OK;
    size_t n = out->n_area = r->io->n_area[s];
    const char **area = ARENA_NEW(r->a, const char *, n);
    uint32_t *group = ARENA_NEW(r->a, uint32_t, n), *unit = ARENA_NEW(r->a, uint32_t, n);
    uint32_t *period = ARENA_NEW(r->a, uint32_t, n);
    double *time = ARENA_NEW(r->a, double, n);
    if (area == NULL || group == NULL || unit == NULL || time == NULL || period == NULL)
        return no_memory(err);
    for (size_t j = 0; j < n; j++) {
        uint32_t from = column_of(r, s, j);
        if (d->area != NULL) area[j] = d->area[from];
        if (d->group != NULL) group[j] = d->group[from];
        if (d->unit != NULL) unit[j] = d->unit[from];
        if (d->time != NULL) time[j] = d->time[from];
        if (d->period != NULL) period[j] = d->period[from];
    }
    out->area = d->area == NULL ? NULL : area;
    out->group = d->group == NULL ? NULL : group;
    out->unit = d->unit == NULL ? NULL : unit;
    out->time = d->time == NULL ? NULL : time;
    out->period = d->period == NULL ? NULL : period;
    return ERR_OK;
}

/* ---- stages ---- */

static enum err_code stage_denominated(struct running *r, struct err *err) {
    share(r, COMPOSITE_DENOMINATED);
    if (!r->spec->denominate) return ERR_OK;
    double *v = ARENA_NEW(r->a, double, cells(r, COMPOSITE_RAW));
    if (v == NULL) return no_memory(err);
    TRY(composite_denominate(r->data, r->tree, v, err));
    r->io->stage[COMPOSITE_DENOMINATED] = v;
    return ERR_OK;
}

static enum err_code stage_screened(struct running *r, enum composite_stage s, struct err *err) {
    const struct composite_screen *how = &r->spec->screen;
    size_t n = r->io->n_area[s - 1], n_kept = 0;
    share(r, s);
    if (how->before_impute != (s == COMPOSITE_SCREENED_FIRST)) return ERR_OK;
    if (how->kind != COMPOSITE_SCREEN_NONE) {
        uint32_t *kept = ARENA_NEW(r->a, uint32_t, n);
        double *v = ARENA_NEW(r->a, double, cells(r, s));
        if (kept == NULL || v == NULL) return no_memory(err);
        const double *from = r->io->stage[s];
        TRY(composite_screen_areas(how, r->tree, from, n, kept, &n_kept, err));
        for (size_t i = 0; i < r->tree->n_ind; i++) {
            for (size_t j = 0; j < n_kept; j++) v[i * n_kept + j] = from[i * n + kept[j]];
        }
        for (size_t j = 0; j < n_kept; j++) kept[j] = column_of(r, s - 1, kept[j]);
        r->io->stage[s] = v;
        r->io->n_area[s] = n_kept;
        r->io->area[s] = kept;
    }
    composite_screen_indicators(how, r->tree, r->io->stage[s], r->io->n_area[s], r->dropped);
    return ERR_OK;
}

static enum err_code stage_imputed(struct running *r, struct err *err) {
    struct composite_data at;
    struct composite_imputed told;
    double *v = copy_before(r, COMPOSITE_IMPUTED);
    if (v == NULL) return no_memory(err);
    TRY(columns_at(r, COMPOSITE_IMPUTED, &at, err));
    TRY(composite_impute_gaps(&at, r->tree, &r->spec->impute, r->run, r->a, v, &told, err));
    r->io->n_imputed = told.n_imputed;
    r->io->n_still_missing = told.n_still_missing;
    r->io->em_iterations = told.em_iterations;
    return ERR_OK;
}

static enum err_code stage_treated(struct running *r, struct err *err) {
    struct composite_data at;
    double *v = copy_before(r, COMPOSITE_TREATED);
    double *work = ARENA_NEW(r->a, double, r->io->n_area[COMPOSITE_TREATED]);
    struct composite_treated *told = ARENA_NEW(r->a, struct composite_treated, r->tree->n_ind);
    if (v == NULL || told == NULL || work == NULL) return no_memory(err);
    TRY(columns_at(r, COMPOSITE_TREATED, &at, err));
    TRY(composite_treat_all(&r->spec->treat, r->tree, at.area, at.n_area, work, v, told, err));
    r->io->treated = told;
    return ERR_OK;
}

enum err_code composite_normalise_at(const struct composite_result *r, enum composite_stage stage,
                                     const struct composite_normalise *n, struct arena *a,
                                     struct composite_normalise *out, struct err *err) {
    *out = *n;
    struct composite_norm *norm = ARENA_NEW(a, struct composite_norm, n->n_norm);
    if (norm == NULL) return no_memory(err);
    for (size_t k = 0; k < n->n_norm; k++) {
        norm[k] = n->norm[k];
        if (norm[k].kind != COMPOSITE_NORM_DIST_REF || r->area[stage] == NULL) continue;
        uint32_t j = 0;
        while (j < r->n_area[stage] && r->area[stage][j] != n->norm[k].reference) j++;
        if (j == r->n_area[stage])
            return err_fail(err, ERR_INVALID, "the reference area has been screened out");
        norm[k].reference = j;
    }
    out->norm = norm;
    return ERR_OK;
}

static enum err_code stage_normalised(struct running *r, struct composite_plan *p,
                                      struct composite_layer *l, struct err *err) {
    struct composite_data at;
    struct composite_normalise n;
    share(r, COMPOSITE_NORMALISED);
    TRY(columns_at(r, COMPOSITE_NORMALISED, &at, err));
    TRY(composite_plan_init(p, r->tree, r->io->stage[COMPOSITE_TREATED], at.n_area, at.area,
                            at.period, r->io->unscreened_drop, r->a, err));
    TRY(composite_normalise_at(r->io, COMPOSITE_NORMALISED, &r->spec->normalise, r->a, &n, err));
    TRY(composite_layer_init(l, p, &n, false, r->a, err));
    r->io->stage[COMPOSITE_NORMALISED] = l->value;
    r->io->dropped = l->dropped;
    return ERR_OK;
}

/* What the last two stages need when the normalised values are given. */
static enum err_code plan_of_normalised(struct running *r, struct composite_plan *p,
                                        struct composite_layer *l, struct err *err) {
    struct composite_data at;
    size_t n = r->io->n_area[COMPOSITE_NORMALISED], m = r->tree->n_ind;
    TRY(columns_at(r, COMPOSITE_NORMALISED, &at, err));
    const double *v = r->io->stage[COMPOSITE_NORMALISED];
    TRY(composite_plan_init(p, r->tree, v, n, at.area, at.period, r->io->dropped, r->a, err));
    uint8_t *gaps = ARENA_NEW(r->a, uint8_t, m);
    if (gaps == NULL) return no_memory(err);
    for (size_t i = 0; i < m; i++) gaps[i] = p->n_there[i] < n;
    *l = (struct composite_layer){.value = v, .gaps = gaps, .dropped = p->dropped};
    r->io->dropped = p->dropped;
    return ERR_OK;
}

static enum err_code stage_weighted(struct running *r, const struct composite_plan *p,
                                    const struct composite_layer *l, struct err *err) {
    double *weight = ARENA_NEW(r->a, double, r->tree->n_node);
    struct composite_ahp_told *told =
        ARENA_NEW(r->a, struct composite_ahp_told, r->spec->weights.n_ahp);
    if (weight == NULL || told == NULL) return no_memory(err);
    TRY(composite_weigh(p, l, &r->spec->weights, &r->spec->aggregate, r->a, weight, told, err));
    size_t n_told = 0; /* comparisons of levels weighed otherwise tell nothing */
    for (size_t k = 0; k < r->spec->weights.n_ahp; k++) {
        if (told[k].lambda_max > 0) told[n_told++] = told[k];
    }
    r->io->weight = weight;
    r->io->ahp = told;
    r->io->n_ahp = n_told;
    return ERR_OK;
}

static enum err_code stage_aggregated(struct running *r, const struct composite_plan *p,
                                      const struct composite_layer *l, struct err *err) {
    const struct composite_tree *t = r->tree;
    r->io->n_area[COMPOSITE_WEIGHTED] = r->io->n_area[COMPOSITE_NORMALISED];
    r->io->area[COMPOSITE_WEIGHTED] = r->io->area[COMPOSITE_NORMALISED];
    share(r, COMPOSITE_AGGREGATED);
    double *all = ARENA_NEW(r->a, double, t->n_node * p->n_area);
    double *scratch = ARENA_NEW(r->a, double, composite_scratch(p));
    double *work = ARENA_NEW(r->a, double, 2 * t->n_node);
    uint32_t *rank = ARENA_NEW(r->a, uint32_t, p->n_area);
    if (all == NULL || scratch == NULL || rank == NULL || work == NULL) return no_memory(err);
    memcpy(all, l->value, t->n_ind * p->n_area * sizeof *all);
    double *node = all + t->n_ind * p->n_area;
    struct composite_draw draw = {
        .layer = l, .weight = r->io->weight, .aggregate = &r->spec->aggregate};
    TRY(composite_evaluate(p, &draw, scratch, node, rank, err));
    r->io->importance_miss = composite_importance_miss(p, l, &r->spec->weights, node, work);
    r->io->stage[COMPOSITE_AGGREGATED] = all;
    r->io->rank = rank;
    return ERR_OK;
}

static enum err_code begin(struct running *r, enum composite_stage from, struct err *err) {
    const struct composite_data *d = r->data;
    r->dropped = ARENA_NEW(r->a, uint8_t, r->tree->n_ind);
    if (r->dropped == NULL) return no_memory(err);
    if (from == COMPOSITE_RAW) {
        *r->io = (struct composite_result){0};
        r->io->stage[COMPOSITE_RAW] = d->value;
        r->io->n_area[COMPOSITE_RAW] = d->n_area;
    } else if (r->io->unscreened_drop != NULL) {
        memcpy(r->dropped, r->io->unscreened_drop, r->tree->n_ind);
    }
    if (from >= COMPOSITE_N_STAGES ||
        (from > COMPOSITE_RAW && r->io->stage[from - 1] == NULL && from != COMPOSITE_AGGREGATED))
        return err_fail(err, ERR_INVALID, "the stage before number %d is not given", (int)from);
    r->io->unscreened_drop = r->dropped;
    for (size_t k = 0; from == COMPOSITE_RAW && k < r->tree->n_ind * d->n_area; k++) {
        if (isinf(d->value[k]))
            return err_fail(err, ERR_INVALID, "%s, %s: the value is not finite",
                            r->tree->code[k / d->n_area],
                            d->area == NULL ? "an area" : d->area[k % d->n_area]);
    }
    return ERR_OK;
}

enum err_code composite_run(const struct composite_data *data, const struct composite_tree *tree,
                            const struct composite_spec *spec, enum composite_stage from,
                            const struct num_run *run, struct arena *a, struct composite_result *io,
                            struct err *err) {
    struct running r = {.data = data, .tree = tree, .spec = spec, .run = run, .a = a, .io = io};
    struct composite_plan plan;
    struct composite_layer layer;
    if (data->n_area == 0) return err_fail(err, ERR_INVALID, "there are no areas");
    TRY(num_run_afford(run, 12.0 * (double)tree->n_node * (double)data->n_area * sizeof(double),
                       "the stages of the index", err));
    TRY(begin(&r, from, err));
    if (from <= COMPOSITE_DENOMINATED) TRY(stage_denominated(&r, err));
    if (from <= COMPOSITE_SCREENED_FIRST) TRY(stage_screened(&r, COMPOSITE_SCREENED_FIRST, err));
    if (from <= COMPOSITE_IMPUTED) TRY(stage_imputed(&r, err));
    if (from <= COMPOSITE_SCREENED) TRY(stage_screened(&r, COMPOSITE_SCREENED, err));
    if (from <= COMPOSITE_TREATED) TRY(stage_treated(&r, err));
    if (num_run_stopped(run)) return err_fail(err, ERR_TIMEOUT, "stopped");
    if (from <= COMPOSITE_NORMALISED)
        TRY(stage_normalised(&r, &plan, &layer, err));
    else
        TRY(plan_of_normalised(&r, &plan, &layer, err));
    if (from <= COMPOSITE_WEIGHTED) TRY(stage_weighted(&r, &plan, &layer, err));
    TRY(stage_aggregated(&r, &plan, &layer, err));
    io->verified = true;
    io->unverified = "";
    return ERR_OK;
}
