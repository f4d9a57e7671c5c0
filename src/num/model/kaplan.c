#include "num/model/kaplan.h"

#include <math.h>
#include <string.h>

#include "num/core/dist.h"
#include "num/core/linalg.h"

/* Rows by rising stop and rising start; at_risk at t is what stops at or after t less what starts
 * at or after t. */
struct sweep {
    const struct model_survival *d;
    uint32_t *by_stop, *by_start; /* by_start is NULL without late entry */
};

static enum err_code sweep_init(struct arena *a, const struct model_survival *d, struct sweep *s,
                                struct err *err) {
    s->d = d;
    s->by_start = NULL;
    TRY(model_order(a, d->stop, d->n, &s->by_stop, err));
    return d->start == NULL ? ERR_OK : model_order(a, d->start, d->n, &s->by_start, err);
}

static double weight_of(const struct model_survival *d, size_t i) {
    return d->weight == NULL ? 1.0 : d->weight[i];
}

static void add_limits(struct model_km_row *r, double log_var, double z) {
    r->lower = r->upper = r->survival;
    if (!(r->survival > 0 && r->survival < 1)) return;
    double ls = log(r->survival), half = z * sqrt(log_var) / -ls;
    r->lower = exp(ls * exp(half));
    r->upper = exp(ls * exp(-half));
}

struct km_state {
    double z, surv, greenwood, hazard, hazard_var;
};

/* A time with events: n at risk just before it. */
static void km_step(struct km_state *k, double t, double n, double deaths, bool last_row,
                    struct model_km *out) {
    bool last = deaths >= n * (1 - 1e-12);
    k->surv = last ? 0 : k->surv * (1 - deaths / n);
    if (!last) k->greenwood += deaths / (n * (n - deaths));
    k->hazard += deaths / n;
    k->hazard_var += deaths / (n * n);
    struct model_km_row *r = &out->row[out->n_rows++];
    *r = (struct model_km_row){.time = t,
                               .at_risk = n,
                               .events = deaths,
                               .survival = k->surv,
                               .se = k->surv * sqrt(k->greenwood),
                               .hazard = k->hazard,
                               .hazard_se = sqrt(k->hazard_var)};
    add_limits(r, k->greenwood, k->z);
    if (isnan(out->median) && k->surv <= 0.5) out->median = t;
    if (last && !last_row) out->risk_set_emptied = true;
}

static void km_rows(const struct sweep *s, double z, struct model_km *out) {
    const struct model_survival *d = s->d;
    struct km_state k = {.z = z, .surv = 1};
    double left = 0, entered = 0;
    size_t e = 0; /* how many of by_start have entered: start < t */
    for (; s->by_start == NULL && e < d->n; e++) entered += weight_of(d, e);
    for (size_t i = 0; i < d->n;) {
        double t = d->stop[s->by_stop[i]], deaths = 0, gone = 0;
        size_t j = i;
        for (; j < d->n && d->stop[s->by_stop[j]] == t; j++) {
            double w = weight_of(d, s->by_stop[j]);
            gone += w;
            if (d->event[s->by_stop[j]]) deaths += w;
        }
        for (; e < d->n && d->start[s->by_start[e]] < t; e++)
            entered += weight_of(d, s->by_start[e]);
        if (deaths > 0) km_step(&k, t, entered - left, deaths, j == d->n, out);
        left += gone;
        i = j;
    }
}

enum err_code model_kaplan_meier(struct arena *a, const struct model_survival *d, double level,
                                 struct model_km *out, struct err *err) {
    memset(out, 0, sizeof *out);
    TRY(model_survival_check(d, 1, err));
    if (!(level > 0 && level < 1))
        return err_fail(err, ERR_INVALID, "confidence level %g is not between 0 and 1", level);
    struct sweep s;
    TRY(sweep_init(a, d, &s, err));
    size_t most = 0;
    for (size_t i = 0; i < d->n; i++) most += d->event[i];
    out->row = ARENA_NEW(a, struct model_km_row, most + 1);
    if (out->row == NULL) return err_fail(err, ERR_NOMEM, "%zu events", most);
    out->median = NAN;
    km_rows(&s, num_norm_q(0.5 + level / 2, true), out);
    return ERR_OK;
}

/* Observed, expected and variance of one stratum, added to o, e, v (v is n_groups squared). */
struct logrank_sums {
    size_t k;
    double *o, *e, *v, *at_risk, *deaths;
};

static void logrank_time(struct logrank_sums *s) {
    double n = 0, d = 0;
    for (size_t g = 0; g < s->k; g++) n += s->at_risk[g], d += s->deaths[g];
    if (d == 0) return;
    double c = n > 1 ? d * (n - d) / (n - 1) : 0;
    for (size_t g = 0; g < s->k; g++) {
        double share = s->at_risk[g] / n;
        s->o[g] += s->deaths[g];
        s->e[g] += d * share;
        for (size_t h = 0; h < s->k; h++)
            s->v[g * s->k + h] += c * ((g == h ? share : 0) - share * s->at_risk[h] / n);
    }
}

static void logrank_stratum(const struct sweep *w, const uint32_t *stratum, uint32_t which,
                            const uint32_t *group, struct logrank_sums *s) {
    const struct model_survival *d = w->d;
    memset(s->at_risk, 0, s->k * sizeof *s->at_risk);
    size_t e = 0;
    for (; w->by_start == NULL && e < d->n; e++)
        if (stratum[e] == which) s->at_risk[group[e]] += 1;
    for (size_t i = 0; i < d->n;) {
        double t = d->stop[w->by_stop[i]];
        for (; e < d->n && d->start[w->by_start[e]] < t; e++)
            if (stratum[w->by_start[e]] == which) s->at_risk[group[w->by_start[e]]] += 1;
        memset(s->deaths, 0, s->k * sizeof *s->deaths);
        size_t j = i;
        for (; j < d->n && d->stop[w->by_stop[j]] == t; j++) {
            uint32_t r = w->by_stop[j];
            if (stratum[r] == which && d->event[r]) s->deaths[group[r]] += 1;
        }
        logrank_time(s);
        for (; i < j; i++)
            if (stratum[w->by_stop[i]] == which) s->at_risk[group[w->by_stop[i]]] -= 1;
    }
}

/* (O - E)' V^-1 (O - E) over all groups but one: V is singular by one dimension, and by one more
 * for each group that was never at risk together with another. */
static enum err_code logrank_chisq(struct arena *a, const struct logrank_sums *s,
                                   struct model_logrank *out, struct err *err) {
    size_t m = 0, k = s->k;
    size_t *kept = ARENA_NEW(a, size_t, k);
    double *v = ARENA_NEW(a, double, k *k), *b = ARENA_NEW(a, double, 2 * k);
    if (kept == NULL || v == NULL || b == NULL) return err_fail(err, ERR_NOMEM, "%zu groups", k);
    for (size_t g = 0; g < k; g++)
        if (s->v[g * k + g] > 0) kept[m++] = g;
    if (m < 2) return err_fail(err, ERR_NUMERIC, "no event happened while two groups were at risk");
    m--;
    for (size_t g = 0; g < m; g++) {
        b[g] = b[k + g] = s->o[kept[g]] - s->e[kept[g]];
        for (size_t h = 0; h < m; h++) v[g * m + h] = s->v[kept[g] * k + kept[h]];
    }
    TRY(num_solve_spd(v, m, b, 1, err));
    out->chisq = 0;
    for (size_t g = 0; g < m; g++) out->chisq += b[g] * b[k + g];
    out->df = (double)m;
    out->p = num_chisq_p(out->chisq, out->df, false);
    return ERR_OK;
}

enum err_code model_logrank_test(struct arena *a, const struct model_survival *d,
                                 const uint32_t *group, size_t n_groups, struct model_logrank *out,
                                 struct err *err) {
    memset(out, 0, sizeof *out);
    TRY(model_survival_check(d, 1, err));
    if (n_groups < 2 || n_groups > 1000)
        return err_fail(err, ERR_INVALID, "the log-rank test compares 2 to 1000 groups, not %zu",
                        n_groups);
    for (size_t i = 0; i < d->n; i++)
        if (group[i] >= n_groups)
            return err_fail(err, ERR_INVALID, "row %zu: group %u of %zu", i + 1, group[i],
                            n_groups);
    struct sweep w;
    uint32_t *stratum;
    size_t n_strata;
    TRY(sweep_init(a, d, &w, err));
    TRY(model_dense_groups(a, d->stratum, d->n, &stratum, &n_strata, err));
    struct logrank_sums s = {.k = n_groups};
    s.o = ARENA_NEW(a, double, n_groups);
    s.e = ARENA_NEW(a, double, n_groups);
    s.v = ARENA_NEW(a, double, n_groups *n_groups);
    s.at_risk = ARENA_NEW(a, double, n_groups);
    s.deaths = ARENA_NEW(a, double, n_groups);
    if (s.o == NULL || s.e == NULL || s.v == NULL || s.at_risk == NULL || s.deaths == NULL)
        return err_fail(err, ERR_NOMEM, "%zu groups", n_groups);
    for (uint32_t k = 0; k < n_strata; k++) logrank_stratum(&w, stratum, k, group, &s);
    out->observed = s.o;
    out->expected = s.e;
    return logrank_chisq(a, &s, out, err);
}
