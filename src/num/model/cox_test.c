/* The test of proportional hazards, and concordance. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/core/dist.h"
#include "num/core/linalg.h"
#include "num/model/cox_pass.h"
#include "num/model/kaplan.h"

/* 1 - Kaplan-Meier of all rows together just before each event time of the plan. */
static enum err_code km_before(struct arena *a, const struct cox_plan *c, double *g,
                               struct err *err) {
    struct model_survival d = *c->d;
    struct model_km km;
    d.stratum = d.cluster = NULL;
    TRY(model_kaplan_meier(a, &d, 0.95, &km, err));
    for (size_t k = 0; k < c->n_times; k++) {
        size_t lo = 0, hi = km.n_rows; /* rows with time < t */
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            if (km.row[mid].time < c->time[k].t)
                lo = mid + 1;
            else
                hi = mid;
        }
        g[k] = lo == 0 ? 0 : 1 - km.row[lo - 1].survival;
    }
    return ERR_OK;
}

struct ph_work {
    size_t p;
    double *u2, *info, *info_g, *info_gg; /* of the scaled columns */
    double *m, *b;                        /* 2p x 2p, 4p: the system of one test */
    const struct model_cox *fit;
};

/* Score test of x_j g(t) for the columns j with in[j], beside all columns of the model. */
static enum err_code ph_score(struct ph_work *w, const bool *in, double *chisq, double *df,
                              struct err *err) {
    size_t p = w->p, n = 0, at[1000] = {0};
    bool second[1000] = {false};
    for (size_t half = 0; half < 2; half++)
        for (size_t j = 0; j < p; j++) {
            if (w->fit->coef[j].aliased || (half == 1 && !in[j])) continue;
            at[n] = j;
            second[n++] = half == 1;
        }
    *df = 0;
    *chisq = 0;
    for (size_t r = 0; r < n; r++) {
        w->b[r] = second[r] ? w->u2[at[r]] : 0;
        *df += second[r] ? 1 : 0;
        for (size_t c = 0; c < n; c++) {
            const double *from = second[r] != second[c] ? w->info_g
                                 : second[r]            ? w->info_gg
                                                        : w->info;
            w->m[r * n + c] = from[at[r] * p + at[c]];
        }
    }
    if (*df == 0) return ERR_OK;
    memcpy(w->b + n, w->b, n * sizeof *w->b);
    if (num_solve_spd(w->m, n, w->b, 1, NULL) != ERR_OK)
        return err_fail(err, ERR_NUMERIC,
                        "the test of proportional hazards has a singular information matrix");
    for (size_t r = 0; r < n; r++) *chisq += w->b[r] * w->b[n + r];
    return ERR_OK;
}

static enum err_code schoenfeld(struct arena *a, const struct cox_plan *c, const double *g,
                                const double *x_mean, struct model_ph_test *out, struct err *err) {
    size_t p = c->p;
    out->time = ARENA_NEW(a, double, c->n_deaths);
    out->g = ARENA_NEW(a, double, c->n_deaths);
    out->schoenfeld = ARENA_NEW(a, double, c->n_deaths *p);
    if (out->time == NULL || out->g == NULL || out->schoenfeld == NULL)
        return err_fail(err, ERR_NOMEM, "%zu events", c->n_deaths);
    for (size_t s = 0; s < c->n_strata; s++)
        for (size_t k = c->first_time[s + 1]; k-- > c->first_time[s];)
            for (size_t e = c->time[k].death_from; e < c->time[k].death_to; e++) {
                size_t r = out->n_events++;
                out->time[r] = c->time[k].t;
                out->g[r] = g[k];
                for (size_t j = 0; j < p; j++)
                    out->schoenfeld[r * p + j] =
                        (c->x[c->death[e] * p + j] - x_mean[k * p + j]) * c->scale[j];
            }
    return ERR_OK;
}

static enum err_code ph_terms(struct arena *a, struct ph_work *w, const size_t *term,
                              size_t n_terms, struct model_ph_test *out, struct err *err) {
    size_t p = w->p;
    bool *in = ARENA_NEW(a, bool, p);
    out->chisq = ARENA_NEW(a, double, n_terms + 1);
    out->df = ARENA_NEW(a, double, n_terms + 1);
    out->p = ARENA_NEW(a, double, n_terms + 1);
    if (in == NULL || out->chisq == NULL || out->df == NULL || out->p == NULL)
        return err_fail(err, ERR_NOMEM, "%zu terms", n_terms);
    out->n_terms = n_terms;
    for (size_t t = 0; t <= n_terms; t++) {
        for (size_t j = 0; j < p; j++) in[j] = t == n_terms || (term == NULL ? j : term[j]) == t;
        TRY(ph_score(w, in, &out->chisq[t], &out->df[t], err));
        out->p[t] = out->df[t] > 0 ? num_chisq_p(fmax(out->chisq[t], 0), out->df[t], false) : 1;
    }
    return ERR_OK;
}

enum err_code model_cox_ph_test(struct arena *a, const struct model_cox_spec *spec,
                                const struct model_cox *fit, const size_t *term, size_t n_terms,
                                struct model_ph_test *out, struct err *err) {
    struct cox_plan c;
    struct ph_work w = {.p = spec->p, .fit = fit};
    size_t p = spec->p;
    double shift;
    memset(out, 0, sizeof *out);
    TRY(cox_plan_make(a, spec, NULL, &c, err));
    w.u2 = ARENA_NEW(a, double, 2 * p + 3 * p * p);
    w.m = ARENA_NEW(a, double, 4 * p * p + 4 * p);
    double *g = ARENA_NEW(a, double, c.n_times), *beta = ARENA_NEW(a, double, 2 * p);
    double *hazard = ARENA_NEW(a, double, c.n_times *(2 + 3 * p));
    if (w.u2 == NULL || w.m == NULL || g == NULL || beta == NULL || hazard == NULL)
        return err_fail(err, ERR_NOMEM, "%zu columns", p);
    w.info = w.u2 + p;
    w.info_g = w.info + p * p;
    w.info_gg = w.info_g + p * p;
    w.b = w.m + 4 * p * p;
    for (size_t j = 0; j < p; j++) beta[j] = fit->coef[j].coef * c.scale[j];
    TRY(km_before(a, &c, g, err));
    struct cox_out o = {.u = beta + p,
                        .info = w.info,
                        .g = g,
                        .u2 = w.u2,
                        .info_g = w.info_g,
                        .info_gg = w.info_gg,
                        .hazard = hazard,
                        .late = hazard + c.n_times,
                        .x_hazard = hazard + 2 * c.n_times,
                        .x_late = hazard + (2 + p) * c.n_times,
                        .x_mean = hazard + (2 + 2 * p) * c.n_times};
    if (!cox_pass(&c, beta, &o, &shift))
        return err_fail(err, ERR_NUMERIC, "the fitted risks overflow");
    TRY(ph_terms(a, &w, term, term == NULL ? p : n_terms, out, err));
    return schoenfeld(a, &c, g, o.x_mean, out, err);
}

/* Counts by rank in a Fenwick tree: how much weight at risk stands below a score. */
static void tree_add(double *tree, size_t n, size_t rank, double w) {
    for (size_t i = rank + 1; i <= n; i += i & (~i + 1)) tree[i] += w;
}
static double tree_below(const double *tree, size_t rank) {
    double s = 0;
    for (size_t i = rank; i > 0; i -= i & (~i + 1)) s += tree[i];
    return s;
}

struct pairs {
    const struct model_survival *d;
    const uint32_t *rank;
    size_t n_ranks;
    double *tree, total;
    double concordant, discordant, tied;
};

static void pairs_change(struct pairs *s, uint32_t i, double sign) {
    double w = sign * (s->d->weight == NULL ? 1 : s->d->weight[i]);
    tree_add(s->tree, s->n_ranks, s->rank[i], w);
    s->total += w;
}

/* Those at risk beyond t against the events at t; rows of by_stop[from, to) all stop at t. */
static void pairs_time(struct pairs *s, const uint32_t *by_stop, size_t from, size_t to) {
    for (size_t k = from; k < to; k++)
        if (!s->d->event[by_stop[k]]) pairs_change(s, by_stop[k], 1);
    for (size_t k = from; k < to; k++) {
        uint32_t i = by_stop[k];
        if (!s->d->event[i]) continue;
        double w = s->d->weight == NULL ? 1 : s->d->weight[i];
        double below = tree_below(s->tree, s->rank[i]);
        double upto = tree_below(s->tree, (size_t)s->rank[i] + 1);
        s->concordant += w * below;
        s->tied += w * (upto - below);
        s->discordant += w * (s->total - upto);
    }
    for (size_t k = from; k < to; k++)
        if (s->d->event[by_stop[k]]) pairs_change(s, by_stop[k], 1);
}

static enum err_code rank_scores(struct arena *a, const double *score, size_t n, uint32_t **rank,
                                 size_t *n_ranks, struct err *err) {
    uint32_t *order, r = 0;
    TRY(model_order(a, score, n, &order, err));
    *rank = ARENA_NEW(a, uint32_t, n);
    if (*rank == NULL) return err_fail(err, ERR_NOMEM, "%zu scores", n);
    for (size_t k = 0; k < n; k++) {
        if (k > 0 && score[order[k]] > score[order[k - 1]]) r++;
        (*rank)[order[k]] = r;
    }
    *n_ranks = (size_t)r + 1;
    return ERR_OK;
}

/* rows[0..n) of one stratum by falling stop, starts[0..n) by falling start (or NULL). */
static void pairs_stratum(struct pairs *s, const uint32_t *rows, const uint32_t *starts, size_t n) {
    size_t drop = 0;
    memset(s->tree, 0, (s->n_ranks + 1) * sizeof *s->tree);
    s->total = 0;
    for (size_t i = 0; i < n;) {
        double t = s->d->stop[rows[i]];
        size_t j = i;
        while (j < n && s->d->stop[rows[j]] == t) j++;
        for (; starts != NULL && drop < n && s->d->start[starts[drop]] >= t; drop++)
            pairs_change(s, starts[drop], -1);
        pairs_time(s, rows, i, j);
        i = j;
    }
}

enum err_code model_concordance(struct arena *a, const struct model_survival *d,
                                const double *score, double *concordance, double *pairs,
                                struct err *err) {
    uint32_t *rank, *order, *group, *rows, *starts = NULL;
    size_t n_groups;
    struct pairs s = {.d = d};
    TRY(model_survival_check(d, 1, err));
    TRY(rank_scores(a, score, d->n, &rank, &s.n_ranks, err));
    TRY(model_dense_groups(a, d->stratum, d->n, &group, &n_groups, err));
    s.rank = rank;
    s.tree = ARENA_NEW(a, double, s.n_ranks + 1);
    size_t *first = ARENA_NEW(a, size_t, 2 * n_groups + 2);
    if (s.tree == NULL || first == NULL) return err_fail(err, ERR_NOMEM, "%zu scores", d->n);
    size_t *at = first + n_groups + 1;
    for (size_t i = 0; i < d->n; i++) first[group[i] + 1]++;
    for (size_t g = 0; g < n_groups; g++) first[g + 1] += first[g];
    for (int which = 0; which < (d->start == NULL ? 1 : 2); which++) {
        TRY(model_order(a, which == 0 ? d->stop : d->start, d->n, &order, err));
        uint32_t *to = ARENA_NEW(a, uint32_t, d->n);
        if (to == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
        memcpy(at, first, n_groups * sizeof *at);
        for (size_t k = d->n; k-- > 0;) to[at[group[order[k]]]++] = order[k];
        if (which == 0)
            rows = to;
        else
            starts = to;
    }
    for (size_t g = 0; g < n_groups; g++)
        pairs_stratum(&s, rows + first[g], starts == NULL ? NULL : starts + first[g],
                      first[g + 1] - first[g]);
    double all = s.concordant + s.discordant + s.tied;
    *concordance = all > 0 ? (s.concordant + s.tied / 2) / all : 0.5;
    if (pairs != NULL) *pairs = all;
    return ERR_OK;
}
