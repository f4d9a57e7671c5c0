/* Logistic, Poisson and negative binomial models. */
#include <math.h>
#include <string.h>

#include "num/model/negbin.h"
#include "study/risk/fit_int.h"

static void take_coefficients(const struct model_fit *m, struct risk_fitted *f) {
    for (size_t j = 0; j < f->n_coef; j++) {
        struct risk_coef *c = &f->coef[j];
        c->aliased = m->coef[j].dropped;
        c->infinite = m->coef[j].infinite;
        c->p = 1;
        if (c->aliased) continue;
        c->value = m->coef[j].value;
        c->se = m->coef[j].se;
        c->z = m->coef[j].statistic;
        c->p = m->coef[j].p;
    }
}

static void take_flags(const struct model_fit *m, struct risk_fitted *f) {
    f->converged = (m->flags & MODEL_NOT_CONVERGED) == 0;
    if (m->flags & MODEL_SEPARATION_UNCHECKED)
        risk_note_add(f, "separation_unchecked",
                      "some chances are near 0 or 1 and the table is too large to prove that the "
                      "estimates are finite");
    if (m->flags & MODEL_NO_OVERDISPERSION)
        risk_note_add(f, "no_overdispersion",
                      "counts vary no more than Poisson; theta is infinite and this is the "
                      "Poisson fit");
    if (m->flags & MODEL_SATURATED)
        risk_note_add(f, "saturated", "as many coefficients as rows: nothing is left to test");
}

static enum err_code residual_checks(struct arena *a, const struct model_data *d,
                                     const struct model_fit *m, struct risk_fitted *f,
                                     struct err *err) {
    double lr = m->null_deviance - m->deviance, df = (double)m->df_null - (double)m->df_residual;
    if (df > 0) risk_test_add(f, "null_deviance_less_deviance", lr, df, NAN);
    risk_test_add(f, "deviance", m->deviance, (double)m->df_residual, NAN);
    risk_test_add(f, "pearson", m->pearson, (double)m->df_residual, NAN);
    if (f->model != RISK_POISSON) return ERR_OK;
    struct model_overdispersion o;
    if (model_overdispersion_test(d, m, &o, err) != ERR_OK) return ERR_OK;
    risk_test_add(f, "overdispersion_linear", o.z_linear, NAN, o.p_linear);
    risk_test_add(f, "overdispersion_quadratic", o.z_quadratic, NAN, o.p_quadratic);
    if (o.p_quadratic < 0.01 || o.p_linear < 0.01)
        risk_note_add(f, "overdispersed",
                      arena_printf(a,
                                   "counts vary more than Poisson allows (dispersion %.2f): "
                                   "standard errors are too small, take negbin",
                                   m->dispersion));
    return ERR_OK;
}

/* Sums of the scores x (y - mu) w of each cluster (canonical links; negative binomial: over
 * 1 + mu / theta); columns left out of the fit stay 0. */
static void cluster_scores(const struct risk_rows *r, const struct model_fit *m,
                           const struct risk_fitted *f, double *sum) {
    size_t p = r->p;
    for (size_t i = 0; i < r->n; i++) {
        double s = (r->y[i] - m->fitted[i]) * (r->weight == NULL ? 1 : r->weight[i]);
        if (isfinite(m->theta)) s /= 1 + m->fitted[i] / m->theta;
        for (size_t j = 0; j < p; j++)
            if (!f->coef[j].aliased) sum[r->cluster[i] * p + j] += s * r->x[i * p + j];
    }
}

/* Sandwich by clusters (White 1980; Liang & Zeger 1986): V (sum over clusters of s s') V. */
static enum err_code robust(struct arena *a, const struct risk_rows *r, const struct model_fit *m,
                            struct risk_fitted *f, struct err *err) {
    size_t p = r->p, n_groups = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->cluster[i] >= n_groups) n_groups = (size_t)r->cluster[i] + 1;
    double *sum = ARENA_NEW(a, double, n_groups *p);
    if (sum == NULL) return err_fail(err, ERR_NOMEM, "%zu clusters", n_groups);
    cluster_scores(r, m, f, sum);
    f->robust = true;
    for (size_t j = 0; j < p; j++) {
        struct risk_coef *c = &f->coef[j];
        double var = 0;
        if (c->aliased || c->infinite) continue;
        for (size_t g = 0; g < n_groups; g++) {
            double u = 0;
            for (size_t k = 0; k < p; k++)
                if (!f->coef[k].aliased) u += m->covariance[j * p + k] * sum[g * p + k];
            var += u * u;
        }
        c->se = sqrt(var);
        c->z = c->se > 0 ? c->value / c->se : 0;
        c->p = erfc(fabs(c->z) / sqrt(2));
    }
    return ERR_OK;
}

enum err_code risk_fit_glm(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                           struct risk_fitted *f, struct err *err) {
    struct model_fit m;
    struct model_data d = {.n_row = r->n,
                           .n_col = r->p,
                           .x = r->x,
                           .name = r->name,
                           .y = r->y,
                           .offset = r->offset,
                           .weight = r->weight};
    size_t many = 0;
    if (f->model == RISK_LOGISTIC)
        for (size_t i = 0; i < r->n; i++) {
            many += r->y[i] > 1;
            r->y[i] = r->y[i] > 0;
        }
    if (many > 0)
        risk_note_add(
            f, "counts_as_one",
            arena_printf(a, "%zu rows have more than one event; logistic sees one each", many));
    if (f->model == RISK_NEGBIN) {
        TRY(model_negbin_fit(&d, run, a, &m, err));
        risk_extra_add(f, "theta", m.theta, m.theta_se);
        f->scale = isfinite(m.theta) ? m.theta : 0;
    } else {
        enum model_family family = f->model == RISK_LOGISTIC ? MODEL_LOGISTIC : MODEL_POISSON;
        TRY(model_glm_fit(&d, family, 0, run, a, &m, err));
    }
    f->loglik = m.log_likelihood;
    f->aic = m.aic;
    f->iterations = m.steps;
    risk_extra_add(f, "dispersion", m.dispersion, NAN);
    take_coefficients(&m, f);
    take_flags(&m, f);
    TRY(residual_checks(a, &d, &m, f, err));
    return r->cluster == NULL ? ERR_OK : robust(a, r, &m, f, err);
}
