/* Cox, life distributions, power law and LEYP. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/model/hawkes.h"
#include "num/model/kaplan.h"
#include "num/model/recurrent.h"
#include "study/risk/fit_int.h"

static enum err_code events_of(struct arena *a, const struct risk_rows *r, unsigned most,
                               unsigned char **out, struct err *err) {
    *out = ARENA_NEW(a, unsigned char, r->n + 1);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", r->n);
    for (size_t i = 0; i < r->n; i++) {
        double v = r->y[i] < most ? r->y[i] : most;
        (*out)[i] = (unsigned char)(v > 0 && v < 1 ? 1 : v);
    }
    return ERR_OK;
}

static void count_many(struct arena *a, const struct risk_rows *r, struct risk_fitted *f) {
    size_t many = 0;
    for (size_t i = 0; i < r->n; i++) many += r->y[i] > 1;
    if (many > 0)
        risk_note_add(
            f, "counts_as_one",
            arena_printf(a, "%zu rows have more than one event; the model sees one each", many));
}

/* Names of the terms for the test of proportional hazards. */
static enum err_code ph_tests(struct arena *a, const struct model_cox_spec *spec,
                              const struct model_cox *m, struct risk_fitted *f, struct err *err) {
    size_t *term = ARENA_NEW(a, size_t, f->n_coef);
    struct model_ph_test ph;
    if (term == NULL) return err_fail(err, ERR_NOMEM, "terms");
    for (size_t j = 0; j < f->n_coef; j++) term[j] = f->design.column[j].term;
    if (model_cox_ph_test(a, spec, m, term, f->design.terms.n, &ph, err) != ERR_OK) {
        risk_note_add(f, "no_ph_test", "the test of proportional hazards could not be computed");
        return ERR_OK;
    }
    bool broken = false;
    for (size_t t = 0; t <= ph.n_terms; t++) {
        const char *name = t == ph.n_terms ? "global" : f->design.terms.term[t].text;
        const char *full = arena_printf(a, "proportional_hazards %s", name);
        if (full == NULL) return err_fail(err, ERR_NOMEM, "tests");
        risk_test_add(f, full, ph.chisq[t], ph.df[t], ph.p[t]);
        broken = broken || ph.p[t] < 0.01;
    }
    if (broken)
        risk_note_add(f, "hazards_not_proportional",
                      "some effects change with age (p < 0.01): read the coefficients as averages, "
                      "or stratify by that column");
    return ERR_OK;
}

enum err_code risk_fit_cox(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                           struct risk_fitted *f, struct err *err) {
    unsigned char *event = NULL;
    struct model_cox m;
    TRY(events_of(a, r, 1, &event, err));
    count_many(a, r, f);
    struct model_survival d = {.n = r->n,
                               .start = r->start,
                               .stop = r->stop,
                               .event = event,
                               .weight = r->weight,
                               .stratum = r->stratum,
                               .cluster = r->cluster};
    bool breslow = f->spec.ties != NULL && strcmp(f->spec.ties, "breslow") == 0;
    struct model_cox_spec spec = {.data = &d,
                                  .x = r->x,
                                  .p = r->p,
                                  .offset = r->offset,
                                  .ties = breslow ? MODEL_TIES_BRESLOW : MODEL_TIES_EFRON};
    TRY(model_cox_fit(a, &spec, run, &m, err));
    for (size_t j = 0; j < r->p; j++) {
        const struct model_cox_coef *c = &m.coef[j];
        f->coef[j] = (struct risk_coef){r->name[j], c->coef,    c->robust_se, c->z,
                                        c->p,       c->aliased, c->monotone};
    }
    f->converged = m.converged || m.any_monotone;
    f->robust = m.robust;
    f->iterations = m.iterations;
    f->loglik = m.loglik;
    f->loglik_null = m.loglik_null;
    f->base = m.base;
    f->n_base = m.n_base;
    double first = INFINITY, last = 0;
    for (size_t k = 0; k < m.n_base; k++) {
        first = fmin(first, m.base[k].time);
        last = fmax(last, m.base[k].time);
    }
    f->scale = (last - first) / 20; /* scoring averages the baseline over a tenth of its span */
    double df = (double)m.rank;
    risk_test_add(f, "likelihood_ratio", m.lr_test, df, m.lr_p);
    risk_test_add(f, "wald", m.wald_test, df, m.wald_p);
    risk_test_add(f, "score", m.score_test, df, m.score_p);
    risk_extra_add(f, "concordance", m.concordance, NAN);
    risk_extra_add(f, "tied_events", (double)m.n_tied, NAN);
    if (m.n_tied * 2 > m.n_events)
        risk_note_add(f, "many_ties",
                      arena_printf(a,
                                   "%zu of %zu events share their time: efron is an "
                                   "approximation, breslow a coarser one",
                                   m.n_tied, m.n_events));
    return ph_tests(a, &spec, &m, f, err);
}

/* Cox-Snell residuals behave like censored unit exponential lives: their Nelson-Aalen hazard is the
 * straight line. The largest distance from it below 2 is told. */
static enum err_code cox_snell(struct arena *a, const unsigned char *event, const double *residual,
                               size_t n, struct risk_fitted *f, struct err *err) {
    double *stop = ARENA_NEW(a, double, n);
    struct model_km km;
    if (stop == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    for (size_t i = 0; i < n; i++) stop[i] = residual[i];
    struct model_survival d = {.n = n, .stop = stop, .event = event};
    TRY(model_kaplan_meier(a, &d, 0.95, &km, err));
    double worst = 0;
    for (size_t k = 0; k < km.n_rows && km.row[k].time < 2; k++)
        worst = fmax(worst, fabs(km.row[k].hazard - km.row[k].time));
    risk_test_add(f, "cox_snell_distance", worst, NAN, NAN);
    return ERR_OK;
}

enum err_code risk_fit_life(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                            struct risk_fitted *f, struct err *err) {
    unsigned char *event = NULL;
    struct model_aft m;
    double *high = ARENA_NEW(a, double, r->n + 1);
    TRY(events_of(a, r, 1, &event, err));
    if (high == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", r->n);
    count_many(a, r, f);
    size_t n_interval = 0;
    for (size_t i = 0; i < r->n; i++) {
        bool between = r->upper != NULL && !isnan(r->upper[i]) && r->upper[i] > r->stop[i];
        n_interval += event[i] && between;
        high[i] = !event[i] ? INFINITY : between ? r->upper[i] : r->stop[i];
    }
    struct model_lifetimes d = {.n = r->n,
                                .low = r->stop,
                                .high = high,
                                .entry = r->start,
                                .weight = r->weight,
                                .cluster = r->cluster};
    struct model_aft_spec spec = {.data = &d,
                                  .x = r->x,
                                  .p = r->p,
                                  .life = (enum model_life)((int)f->model - (int)RISK_WEIBULL)};
    if (r->offset != NULL)
        return err_fail(err, ERR_INVALID, "%s takes no exposure or offset: the row's span is it",
                        f->spec.model);
    TRY(model_aft_fit(a, &spec, run, &m, err));
    for (size_t j = 0; j < r->p; j++) {
        const struct model_aft_coef *c = &m.coef[j];
        f->coef[j] =
            (struct risk_coef){r->name[j], c->coef, c->robust_se, c->z, c->p, c->aliased, false};
    }
    if (m.at_infinity)
        risk_note_add(f, "separated",
                      "a coefficient has no finite estimate: see the largest "
                      "standard errors");
    f->converged = m.converged;
    f->robust = m.robust;
    f->iterations = m.iterations;
    f->loglik = m.loglik;
    f->loglik_null = m.loglik_null;
    f->aic = -2 * m.loglik + 2 * ((double)m.rank + (m.log_scale_se > 0 ? 1 : 0));
    f->scale = m.scale;
    risk_extra_add(f, "scale", m.scale, m.scale * m.log_scale_se);
    risk_extra_add(f, "shape", 1 / m.scale, m.log_scale_se / m.scale);
    risk_extra_add(f, "interval_censored", (double)m.n_interval, NAN);
    risk_extra_add(f, "late_entries", (double)m.n_late, NAN);
    if (m.rank > 1) risk_test_add(f, "likelihood_ratio", m.lr_test, (double)m.rank - 1, m.lr_p);
    return n_interval > 0 ? ERR_OK : cox_snell(a, event, m.cox_snell, r->n, f, err);
}

enum err_code risk_fit_power(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                             struct risk_fitted *f, struct err *err) {
    unsigned char *event = NULL;
    struct model_power m;
    TRY(events_of(a, r, 255, &event, err));
    struct model_survival d = {.n = r->n,
                               .start = r->start,
                               .stop = r->stop,
                               .event = event,
                               .weight = r->weight,
                               .cluster = r->cluster};
    struct model_power_spec spec = {.data = &d,
                                    .x = r->x,
                                    .p = r->p,
                                    .earlier = f->model == RISK_LEYP ? r->earlier : NULL,
                                    .offset = r->offset};
    TRY(model_power_fit(a, &spec, run, &m, err));
    for (size_t j = 0; j < r->p; j++) {
        const struct model_power_coef *c = &m.coef[j];
        f->coef[j] =
            (struct risk_coef){r->name[j], c->coef, c->robust_se, c->z, c->p, c->aliased, false};
    }
    f->converged = m.converged;
    f->verified = m.verified;
    f->robust = m.robust;
    f->iterations = m.iterations;
    f->loglik = m.loglik;
    f->loglik_null = m.loglik_null;
    f->beta = m.beta;
    f->alpha = m.alpha;
    double df = (double)m.rank - 1 + (f->model == RISK_LEYP && !m.alpha_at_zero ? 1 : 0);
    f->aic = -2 * m.loglik + 2 * (df + 2);
    risk_extra_add(f, "beta", m.beta, m.beta_se);
    if (f->model == RISK_LEYP) risk_extra_add(f, "alpha", m.alpha, m.alpha_se);
    if (m.alpha_at_zero)
        risk_note_add(f, "alpha_at_zero", "earlier events add nothing: this is the power law");
    risk_test_add(f, "no_ageing", log(m.beta) / (m.beta_se / m.beta), NAN, m.beta_test_p);
    if (df > 0) risk_test_add(f, "likelihood_ratio", m.lr_test, df, m.lr_p);
    return ERR_OK;
}
