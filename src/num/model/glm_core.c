#include "num/model/glm_core.h"

#include <math.h>
#include <string.h>

#include "num/core/dist.h"
#include "num/core/linalg.h"
#include "num/core/optim.h"
#include "num/core/saddle.h"
#include "num/core/special.h"

enum { BLOCK = 2048 };

double glm_weight(const struct model_data *d, size_t i) {
    return d->weight == NULL ? 1 : d->weight[i];
}

double glm_offset(const struct model_data *d, size_t i) {
    return d->offset == NULL ? 0 : d->offset[i];
}

double glm_mean(enum model_family family, double eta) {
    return family == MODEL_LOGISTIC ? 1 / (1 + exp(-eta)) : exp(eta);
}

double glm_variance(enum model_family family, double theta, double mu) {
    switch (family) {
    case MODEL_LOGISTIC:
        return mu * (1 - mu);
    case MODEL_NEGATIVE_BINOMIAL:
        return mu * (1 + mu / theta);
    case MODEL_POISSON:
    case MODEL_QUASI_POISSON:
        break;
    }
    return mu;
}

double glm_unit_deviance(enum model_family family, double theta, double y, double eta, double mu) {
    switch (family) {
    case MODEL_LOGISTIC:
        /* From eta, so that a chance that rounds to 0 or 1 keeps its logarithm. */
        if (y == 0 || y == 1) return 2 * num_log1p_exp(y == 1 ? -eta : eta);
        return 2 * (num_half_deviance(y, mu) + num_half_deviance(1 - y, 1 / (1 + exp(eta))));
    case MODEL_NEGATIVE_BINOMIAL: {
        double shrink = y > 0 ? y * log(y / mu) : 0;
        return 2 * (shrink - (y + theta) * log1p((y - mu) / (mu + theta)));
    }
    case MODEL_POISSON:
    case MODEL_QUASI_POISSON:
        break;
    }
    return 2 * num_half_deviance(y, mu);
}

static enum err_code check_row(const struct model_data *d, enum model_family family, size_t i,
                               struct err *err) {
    double y = d->y[i];
    if (!isfinite(glm_weight(d, i)) || glm_weight(d, i) < 0)
        return err_fail(err, ERR_INVALID, "row %zu: weight %g", i + 1, glm_weight(d, i));
    if (!isfinite(glm_offset(d, i)))
        return err_fail(err, ERR_INVALID, "row %zu: offset %g", i + 1, glm_offset(d, i));
    for (size_t j = 0; j < d->n_col; j++)
        if (!isfinite(d->x[i * d->n_col + j]))
            return err_fail(err, ERR_INVALID, "row %zu: %s is not a finite number", i + 1,
                            d->name[j]);
    if (glm_weight(d, i) == 0) return ERR_OK;
    if (!isfinite(y) || y < 0 || (family == MODEL_LOGISTIC && y > 1))
        return err_fail(err, ERR_INVALID, "row %zu: outcome %g; expected %s", i + 1, y,
                        family == MODEL_LOGISTIC ? "0 to 1" : "a count");
    if (family != MODEL_LOGISTIC && family != MODEL_QUASI_POISSON && y != floor(y))
        return err_fail(err, ERR_INVALID, "row %zu: outcome %g is not a whole number", i + 1, y);
    return ERR_OK;
}

/* Rows of weight > 0, one after another, for the test of rank. */
static enum err_code find_independent(struct glm_core *c, struct err *err) {
    const struct model_data *d = c->data;
    double *used = ARENA_NEW(c->a, double, c->n_used * d->n_col + 1);
    if (used == NULL) return err_fail(err, ERR_NOMEM, "table of %zu rows", c->n_used);
    size_t k = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (glm_weight(d, i) == 0) continue;
        memcpy(used + k++ * d->n_col, d->x + i * d->n_col, d->n_col * sizeof *used);
    }
    TRY(num_independent_columns(used, c->n_used, d->n_col, 1e-7, c->keep, &c->p, err));
    if (c->p < d->n_col) c->flags |= MODEL_RANK_DEFICIENT;
    size_t j = 0;
    for (size_t col = 0; col < d->n_col; col++)
        if (c->keep[col]) c->column[j++] = col;
    return ERR_OK;
}

/* All columns that vary, and the first that does not (the intercept). */
static enum err_code keep_varying(struct glm_core *c, struct err *err) {
    const struct model_data *d = c->data;
    bool constant = false;
    for (size_t j = 0; j < d->n_col; j++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < c->n; i++) {
            if (glm_weight(d, i) == 0) continue;
            low = fmin(low, d->x[i * d->n_col + j]);
            high = fmax(high, d->x[i * d->n_col + j]);
        }
        c->keep[j] = low < high || (low != 0 && !constant);
        constant = constant || (low == high && low != 0);
        if (c->keep[j]) c->column[c->p++] = j;
    }
    if (c->p == 0) return err_fail(err, ERR_INVALID, "every column is 0");
    if (c->p < d->n_col) c->flags |= MODEL_RANK_DEFICIENT;
    return ERR_OK;
}

/* Centred and scaled columns: the sums of squares then keep their digits whatever the units. The
 * centre needs an intercept to take it up. */
static void scale_columns(struct glm_core *c) {
    const struct model_data *d = c->data;
    c->constant = SIZE_MAX;
    for (size_t j = 0; j < c->p; j++) {
        double low = INFINITY, high = -INFINITY, sum = 0;
        for (size_t i = 0; i < c->n; i++) {
            if (glm_weight(d, i) == 0) continue;
            double v = d->x[i * d->n_col + c->column[j]];
            low = fmin(low, v);
            high = fmax(high, v);
            sum += v;
        }
        c->center[j] = sum / (double)c->n_used;
        c->scale[j] = fmax(fabs(low), fabs(high));
        if (low == high && c->constant == SIZE_MAX) c->constant = j;
    }
    for (size_t j = 0; j < c->p; j++) {
        if (c->constant == SIZE_MAX || j == c->constant) {
            c->center[j] = 0;
            if (j == c->constant) c->scale[j] = d->x[c->column[j]];
            continue;
        }
        double most = 0;
        for (size_t i = 0; i < c->n; i++)
            if (glm_weight(d, i) != 0)
                most = fmax(most, fabs(d->x[i * d->n_col + c->column[j]] - c->center[j]));
        c->scale[j] = most;
    }
    for (size_t i = 0; i < c->n; i++)
        for (size_t j = 0; j < c->p; j++)
            c->x[i * c->p + j] = (d->x[i * d->n_col + c->column[j]] - c->center[j]) / c->scale[j];
}

/* The constant column's value comes from a row of weight > 0. */
static void fix_constant(struct glm_core *c) {
    if (c->constant == SIZE_MAX) return;
    size_t i = 0;
    while (glm_weight(c->data, i) == 0) i++;
    double value = c->data->x[i * c->data->n_col + c->column[c->constant]];
    c->scale[c->constant] = value;
    for (i = 0; i < c->n; i++)
        c->x[i * c->p + c->constant] =
            c->data->x[i * c->data->n_col + c->column[c->constant]] / value;
}

/* Start: everyone alike. */
static void start(struct glm_core *c) {
    const struct model_data *d = c->data;
    if (c->constant == SIZE_MAX) return;
    double y = 0, base = 0;
    for (size_t i = 0; i < c->n; i++) {
        double w = glm_weight(d, i);
        if (w == 0) continue;
        y += w * d->y[i];
        base += c->family == MODEL_LOGISTIC ? w : w * exp(fmin(300, glm_offset(d, i)));
    }
    double share = fmax(y, 0.5) / base;
    if (c->family == MODEL_LOGISTIC) {
        share = fmin(fmax(y, 0.01 * base), 0.99 * base) / base;
        c->beta[c->constant] = log(share / (1 - share));
    } else {
        c->beta[c->constant] = log(share);
    }
}

enum err_code glm_core_new(const struct model_data *d, enum model_family family, double theta,
                           bool dependent, const struct num_run *run, struct arena *scratch,
                           struct glm_core **out, struct err *err) {
    if (d->n_row == 0 || d->n_col == 0)
        return err_fail(err, ERR_INVALID, "a model of %zu rows and %zu columns", d->n_row,
                        d->n_col);
    TRY(num_run_afford(run, 16.0 * (double)d->n_row * (double)(d->n_col + 4), "the model's table",
                       err));
    struct glm_core *c = ARENA_NEW(scratch, struct glm_core, 1);
    if (c == NULL) return err_fail(err, ERR_NOMEM, "model");
    *c = (struct glm_core){.data = d,
                           .family = family,
                           .theta = theta,
                           .run = run,
                           .a = scratch,
                           .n = d->n_row,
                           .n_block = d->n_row / BLOCK + 1};
    for (size_t i = 0; i < c->n; i++) {
        TRY(check_row(d, family, i, err));
        c->n_used += glm_weight(d, i) > 0;
    }
    if (c->n_used == 0) return err_fail(err, ERR_INVALID, "no row has a weight above 0");
    c->keep = ARENA_NEW(scratch, bool, d->n_col);
    c->column = ARENA_NEW(scratch, size_t, d->n_col);
    c->center = ARENA_NEW(scratch, double, d->n_col);
    c->scale = ARENA_NEW(scratch, double, d->n_col);
    c->beta = ARENA_NEW(scratch, double, d->n_col);
    c->x = ARENA_NEW(scratch, double, d->n_row * d->n_col);
    c->eta = ARENA_NEW(scratch, double, c->n);
    c->mu = ARENA_NEW(scratch, double, c->n);
    c->score = ARENA_NEW(scratch, double, c->n);
    c->work = ARENA_NEW(scratch, double, c->n);
    c->part = ARENA_NEW(scratch, double, c->n_block *(d->n_col + 1));
    if (c->keep == NULL || c->column == NULL || c->center == NULL || c->scale == NULL ||
        c->beta == NULL || c->x == NULL || c->eta == NULL || c->mu == NULL || c->score == NULL ||
        c->work == NULL || c->part == NULL)
        return err_fail(err, ERR_NOMEM, "model of %zu rows, %zu columns", d->n_row, d->n_col);
    TRY(dependent ? keep_varying(c, err) : find_independent(c, err));
    scale_columns(c);
    fix_constant(c);
    start(c);
    *out = c;
    return ERR_OK;
}

/* Minus the log-likelihood of a row as far as it depends on eta; working residual and weight. */
static double row_value(struct glm_core *c, size_t i, double eta) {
    double y = c->data->y[i], w = glm_weight(c->data, i);
    /* One exponential serves mean, weight and logarithm of the logistic loss. */
    double e = exp(c->family == MODEL_LOGISTIC ? -fabs(eta) : eta), mu = e;
    if (c->family == MODEL_LOGISTIC) mu = (eta >= 0 ? 1 : e) / (1 + e);
    c->eta[i] = eta;
    c->mu[i] = mu;
    c->score[i] = c->work[i] = 0;
    if (w == 0) return 0;
    double slope = 1; /* d mu / d eta over the variance */
    double value;
    switch (c->family) {
    case MODEL_LOGISTIC:
        c->work[i] = w * e / ((1 + e) * (1 + e));
        /* Not log1p: what it would add is below the rounding of the sum. */
        value = log(1 + e) + (eta > 0 ? eta : 0) - y * eta;
        break;
    case MODEL_NEGATIVE_BINOMIAL:
        slope = 1 / (1 + mu / c->theta);
        c->work[i] = w * mu * slope;
        value = (y + c->theta) * log1p(mu / c->theta) - y * eta;
        break;
    case MODEL_POISSON:
    case MODEL_QUASI_POISSON:
    default:
        c->work[i] = w * mu;
        value = mu - y * eta;
        break;
    }
    c->score[i] = w * (y - mu) * slope;
    return w * value;
}

static void evaluate_block(void *arg, size_t b) {
    struct glm_core *c = arg;
    size_t last = (b + 1) * BLOCK < c->n ? (b + 1) * BLOCK : c->n;
    double *part = c->part + b * (c->p + 1), value = 0;
    memset(part, 0, (c->p + 1) * sizeof *part);
    for (size_t i = b * BLOCK; i < last; i++) {
        const double *row = c->x + i * c->p;
        /* Two sums side by side: an addition need not wait for the one before. */
        double eta = glm_offset(c->data, i), odd = 0;
        size_t j = 0;
        for (; j + 1 < c->p; j += 2) {
            eta += row[j] * c->at[j];
            odd += row[j + 1] * c->at[j + 1];
        }
        if (j < c->p) eta += row[j] * c->at[j];
        value += row_value(c, i, eta + odd);
        for (j = 0; j < c->p; j++) part[j + 1] -= c->score[i] * row[j];
    }
    part[0] = value;
}

double glm_core_value(void *arg, const double *beta, double *gradient, double *hessian) {
    struct glm_core *c = arg;
    if (num_run_stopped(c->run)) return NAN;
    c->at = beta;
    num_run_each(c->run, c->n_block, evaluate_block, c);
    double value = 0;
    if (gradient != NULL) memset(gradient, 0, c->p * sizeof *gradient);
    for (size_t b = 0; b < c->n_block; b++) {
        const double *part = c->part + b * (c->p + 1);
        value += part[0];
        for (size_t j = 0; gradient != NULL && j < c->p; j++) gradient[j] += part[j + 1];
    }
    if (hessian != NULL)
        c->failed = num_weighted_gram(c->x, c->n, c->p, c->work, NULL, c->run, hessian, NULL, NULL);
    return c->failed == ERR_OK ? value : NAN;
}

enum err_code glm_core_search(struct glm_core *c, struct err *err) {
    struct num_found found;
    c->flags &= ~(unsigned)MODEL_NOT_CONVERGED;
    enum err_code rc = num_minimize_newton(glm_core_value, c, c->p, NULL, c->beta, &found, err);
    if (num_run_stopped(c->run)) return err_fail(err, ERR_TIMEOUT, "the fit was stopped");
    if (c->failed != ERR_OK) return err_fail(err, c->failed, "sums of %zu columns", c->p);
    if (rc != ERR_OK && rc != ERR_NUMERIC) return rc;
    if (!isfinite(found.value)) return rc == ERR_OK ? ERR_NUMERIC : rc;
    if (rc == ERR_NUMERIC) c->flags |= MODEL_NOT_CONVERGED;
    c->steps += found.steps;
    c->gradient_norm = found.gradient_norm;
    /* eta, mu and the working weights at the end, not at the last point tried. */
    if (!isfinite(glm_core_value(c, c->beta, NULL, NULL)))
        return err_fail(err, ERR_NUMERIC, "the likelihood has no value where the search ended");
    if (err != NULL) *err = (struct err){0};
    return ERR_OK;
}

void glm_core_unscale(const struct glm_core *c, const double *beta, double *value) {
    double shift = 0;
    for (size_t j = 0; j < c->data->n_col; j++) value[j] = NAN;
    for (size_t j = 0; j < c->p; j++) {
        value[c->column[j]] = beta[j] / c->scale[j];
        if (j != c->constant) shift += beta[j] * c->center[j] / c->scale[j];
    }
    if (c->constant != SIZE_MAX)
        value[c->column[c->constant]] = (beta[c->constant] - shift) / c->scale[c->constant];
}
