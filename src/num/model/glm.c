#include "num/model/glm.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "num/core/dist.h"
#include "num/core/linalg.h"
#include "num/core/special.h"
#include "num/model/glm_core.h"

const char *model_flag_name(unsigned flag) {
    switch (flag) {
    case MODEL_RANK_DEFICIENT:
        return "rank_deficient";
    case MODEL_SEPARATED:
        return "separated";
    case MODEL_NOT_CONVERGED:
        return "not_converged";
    case MODEL_SEPARATION_UNCHECKED:
        return "separation_unchecked";
    case MODEL_NO_OVERDISPERSION:
        return "no_overdispersion";
    case MODEL_SATURATED:
        return "saturated";
    default:
        return NULL;
    }
}

/* The covariance of the scaled columns' coefficients to that of the data's: beta = T b, T being
 * diagonal but for the row of the intercept. */
static void unscale_covariance(const struct glm_core *c, const double *inverse, double *cov) {
    size_t p = c->p, n_col = c->data->n_col, k = c->constant;
    for (size_t i = 0; i < n_col * n_col; i++) cov[i] = NAN;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            cov[c->column[i] * n_col + c->column[j]] =
                inverse[i * p + j] / (c->scale[i] * c->scale[j]);
    if (k == SIZE_MAX) return;
    /* Row k of T: (1, -center / scale ...) / scale_k. */
    double variance = inverse[k * p + k];
    for (size_t j = 0; j < p; j++) {
        if (j == k) continue;
        double with = inverse[k * p + j];
        variance -= 2 * with * c->center[j] / c->scale[j];
        for (size_t l = 0; l < p; l++) {
            if (l == k) continue;
            double t = c->center[l] / c->scale[l];
            with -= t * inverse[l * p + j];
            variance += t * inverse[l * p + j] * c->center[j] / c->scale[j];
        }
        with /= c->scale[k] * c->scale[j];
        cov[c->column[k] * n_col + c->column[j]] = cov[c->column[j] * n_col + c->column[k]] = with;
    }
    cov[c->column[k] * n_col + c->column[k]] = variance / (c->scale[k] * c->scale[k]);
}

/* The deviance of the model with the intercept alone (none: with the offset alone). */
static enum err_code find_null(const struct glm_core *c, double *deviance, struct err *err) {
    const struct model_data *d = c->data;
    struct arena *scratch = arena_new(SIZE_MAX / 2);
    if (scratch == NULL) return err_fail(err, ERR_NOMEM, "null model");
    double *ones = ARENA_NEW(scratch, double, d->n_row);
    const char *name = "(Intercept)";
    enum err_code rc = ones == NULL ? err_fail(err, ERR_NOMEM, "null model") : ERR_OK;
    struct glm_core *null = NULL;
    for (size_t i = 0; rc == ERR_OK && i < d->n_row; i++) ones[i] = 1;
    struct model_data alone = *d;
    alone.n_col = 1;
    alone.x = ones;
    alone.name = &name;
    if (rc == ERR_OK)
        rc = glm_core_new(&alone, c->family, c->theta, false, c->run, scratch, &null, err);
    if (rc == ERR_OK && c->constant != SIZE_MAX) rc = glm_core_search(null, err);
    *deviance = 0;
    for (size_t i = 0; rc == ERR_OK && i < d->n_row; i++) {
        double eta = c->constant == SIZE_MAX ? glm_offset(d, i) : null->eta[i];
        double w = glm_weight(d, i);
        if (w > 0)
            *deviance +=
                w * glm_unit_deviance(c->family, c->theta, d->y[i], eta, glm_mean(c->family, eta));
    }
    arena_free(scratch);
    return rc;
}

static double row_likelihood(const struct glm_core *c, size_t i) {
    double y = c->data->y[i], eta = c->eta[i];
    switch (c->family) {
    case MODEL_LOGISTIC:
        return y * eta - num_log1p_exp(eta);
    case MODEL_NEGATIVE_BINOMIAL:
        return num_nbinom_d(y, c->theta, c->mu[i], true);
    case MODEL_POISSON:
    case MODEL_QUASI_POISSON:
        break;
    }
    return y * eta - c->mu[i] - num_log_gamma(y + 1);
}

static void sum_up(const struct glm_core *c, struct model_fit *out) {
    const struct model_data *d = c->data;
    double likelihood = 0;
    for (size_t i = 0; i < c->n; i++) {
        double w = glm_weight(d, i), mu = c->mu[i], off = d->y[i] - mu;
        if (w == 0) continue;
        out->deviance += w * glm_unit_deviance(c->family, c->theta, d->y[i], c->eta[i], mu);
        /* off and the variance vanish together where the chance rounds to 0 or 1. */
        if (off != 0) out->pearson += w * off * off / glm_variance(c->family, c->theta, mu);
        likelihood += w * row_likelihood(c, i);
    }
    bool quasi = c->family == MODEL_QUASI_POISSON;
    out->log_likelihood = quasi ? NAN : likelihood;
    double parameters = (double)c->p + (c->family == MODEL_NEGATIVE_BINOMIAL ? 1 : 0);
    out->aic = quasi ? NAN : 2 * (parameters - likelihood);
    out->df_residual = c->n_used - c->p;
    out->df_null = c->n_used - (c->constant == SIZE_MAX ? 0 : 1);
    if (out->df_residual == 0) out->flags |= MODEL_SATURATED;
    out->dispersion = out->df_residual == 0 ? NAN : out->pearson / (double)out->df_residual;
}

/* Something was told without error when an estimate runs off: the search then stops where the
 * likelihood is flat, with errors far beyond the spread of the column (scaled to 1 here). */
static bool looks_separated(const struct glm_core *c, const double *inverse) {
    if ((c->flags & MODEL_NOT_CONVERGED) != 0) return true;
    for (size_t j = 0; j < c->p; j++)
        if (!(inverse[j * c->p + j] < 100)) return true;
    return false;
}

static void fill_coefficients(const struct glm_core *c, const bool *infinite, const double *value,
                              double *cov, struct model_coef *coef, const struct model_fit *fit) {
    size_t n_col = c->data->n_col;
    bool quasi = c->family == MODEL_QUASI_POISSON;
    if (quasi)
        for (size_t i = 0; i < n_col * n_col; i++) cov[i] *= fit->dispersion;
    for (size_t j = 0; j < n_col; j++) {
        struct model_coef *k = &coef[j];
        *k = (struct model_coef){c->data->name[j], value[j], sqrt(cov[j * n_col + j]), NAN, NAN,
                                 !c->keep[j],      false};
        if (k->dropped) continue;
        k->statistic = k->value / k->se;
        k->p = 2 * (quasi ? num_t_p(fabs(k->statistic), (double)fit->df_residual, false)
                          : num_norm_p(fabs(k->statistic), false));
    }
    for (size_t j = 0; j < c->p; j++) coef[c->column[j]].infinite = infinite[j];
}

static void fill_leverage(const struct glm_core *c, const double *inverse, double *leverage) {
    for (size_t i = 0; i < c->n; i++) {
        const double *row = c->x + i * c->p;
        double sum = 0;
        for (size_t j = 0; j < c->p; j++) {
            double part = 0;
            for (size_t k = 0; k < c->p; k++) part += inverse[j * c->p + k] * row[k];
            sum += part * row[j];
        }
        leverage[i] = c->work[i] * sum;
    }
}

/* The inverse of the information; of a singular one (separation drove weights to 0) a flag. */
static enum err_code invert_information(struct glm_core *c, double *inverse, struct err *err) {
    TRY(num_weighted_gram(c->x, c->n, c->p, c->work, NULL, c->run, inverse, NULL, err));
    enum err_code rc = num_invert_spd(inverse, c->p, err);
    if (rc != ERR_NUMERIC) return rc;
    for (size_t i = 0; i < c->p * c->p; i++) inverse[i] = i % (c->p + 1) == 0 ? INFINITY : 0;
    c->flags |= MODEL_NOT_CONVERGED;
    return ERR_OK;
}

enum err_code glm_core_finish(struct glm_core *c, struct arena *a, struct model_fit *out,
                              struct err *err) {
    size_t n_col = c->data->n_col, p = c->p;
    double *inverse = ARENA_NEW(c->a, double, p *p + 1), *value = ARENA_NEW(c->a, double, n_col);
    bool *infinite = ARENA_NEW(c->a, bool, p + 1);
    double *cov = ARENA_NEW(a, double, n_col *n_col);
    struct model_coef *coef = ARENA_NEW(a, struct model_coef, n_col);
    double *linear = ARENA_NEW(a, double, c->n), *fitted = ARENA_NEW(a, double, c->n),
           *leverage = ARENA_NEW(a, double, c->n);
    if (inverse == NULL || value == NULL || infinite == NULL || cov == NULL || coef == NULL ||
        linear == NULL || fitted == NULL || leverage == NULL)
        return err_fail(err, ERR_NOMEM, "result of a model of %zu rows", c->n);
    TRY(invert_information(c, inverse, err));
    if (looks_separated(c, inverse)) {
        bool any, checked;
        TRY(glm_separation(c, infinite, &any, &checked, err));
        if (any) c->flags |= MODEL_SEPARATED;
        if (!checked) c->flags |= MODEL_SEPARATION_UNCHECKED;
    }
    *out = (struct model_fit){.family = c->family,
                              .flags = c->flags,
                              .n_used = c->n_used,
                              .n_col = n_col,
                              .rank = p,
                              .coef = coef,
                              .covariance = cov,
                              .linear = linear,
                              .fitted = fitted,
                              .leverage = leverage,
                              .theta = c->family == MODEL_NEGATIVE_BINOMIAL ? c->theta : INFINITY,
                              .theta_se = NAN,
                              .steps = c->steps,
                              .gradient_norm = c->gradient_norm};
    sum_up(c, out);
    glm_core_unscale(c, c->beta, value);
    unscale_covariance(c, inverse, cov);
    fill_coefficients(c, infinite, value, cov, coef, out);
    fill_leverage(c, inverse, leverage);
    memcpy(linear, c->eta, c->n * sizeof *linear);
    memcpy(fitted, c->mu, c->n * sizeof *fitted);
    return find_null(c, &out->null_deviance, err);
}

enum err_code model_glm_fit(const struct model_data *data, enum model_family family, double theta,
                            const struct num_run *run, struct arena *a, struct model_fit *out,
                            struct err *err) {
    *out = (struct model_fit){0};
    if (family == MODEL_NEGATIVE_BINOMIAL && !(theta > 0 && isfinite(theta)))
        return err_fail(err, ERR_INVALID, "theta is %g; expected a number above 0", theta);
    struct arena *scratch = arena_new(SIZE_MAX / 2);
    if (scratch == NULL) return err_fail(err, ERR_NOMEM, "model");
    struct glm_core *c;
    enum err_code rc = glm_core_new(data, family, theta, false, run, scratch, &c, err);
    if (rc == ERR_OK) rc = glm_core_search(c, err);
    if (rc == ERR_OK) rc = glm_core_finish(c, a, out, err);
    arena_free(scratch);
    return rc;
}

void model_glm_predict(const struct model_fit *fit, const double *x, size_t n_row,
                       const double *offset, double *linear, double *fitted) {
    for (size_t i = 0; i < n_row; i++) {
        double eta = offset == NULL ? 0 : offset[i];
        for (size_t j = 0; j < fit->n_col; j++)
            if (!fit->coef[j].dropped) eta += x[i * fit->n_col + j] * fit->coef[j].value;
        if (linear != NULL) linear[i] = eta;
        if (fitted != NULL) fitted[i] = glm_mean(fit->family, eta);
    }
}
