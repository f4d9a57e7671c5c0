#include "num/model/elastic.h"

#include <math.h>
#include <string.h>

#include "num/model/glm_core.h"

enum { MAX_STEPS = 60, MAX_SWEEPS = 20000 };

/* The scaled columns of glm_core have another spread than 1; the penalty on b of the standardised
 * column is one on beta * sd. */
struct elastic {
    struct glm_core *c;
    size_t p;
    double total, alpha, lambda; /* total: sum of weights */
    double steepest;             /* largest slope of a column when all are 0 */
    bool has_h;                  /* h holds second derivatives, maybe of an earlier beta */
    double *sd;                  /* p; 0: no penalty */
    double *beta, *next, *step, *g, *h, *moved; /* moved: h times step */
};

static double penalty(const struct elastic *e, const double *beta) {
    double one = 0, two = 0;
    for (size_t j = 0; j < e->p; j++) {
        double b = fabs(beta[j]) * e->sd[j];
        one += b;
        two += b * b;
    }
    return e->lambda * ((1 - e->alpha) / 2 * two + e->alpha * one);
}

static double value_of(const struct elastic *e, const double *beta, double *g, double *h) {
    double value = glm_core_value(e->c, beta, g, h) / e->total;
    for (size_t j = 0; g != NULL && j < e->p; j++) g[j] /= e->total;
    for (size_t j = 0; h != NULL && j < e->p * e->p; j++) h[j] /= e->total;
    return value + penalty(e, beta);
}

/* How far coordinate j is from its optimality condition when the smooth part has slope g there, in
 * units of the standardised column. */
static double violation(const struct elastic *e, size_t j, double beta, double g) {
    double sd = e->sd[j];
    if (sd == 0) return fabs(g);
    g = g / sd + e->lambda * (1 - e->alpha) * beta * sd;
    double l1 = e->lambda * e->alpha;
    if (beta != 0) return fabs(g + copysign(l1, beta));
    return fmax(0, fabs(g) - l1);
}

static double worst(const struct elastic *e, const double *beta, const double *g) {
    double most = 0;
    for (size_t j = 0; j < e->p; j++) most = fmax(most, violation(e, j, beta[j], g[j]));
    return most;
}

/* The new coordinate j of the quadratic model, the others held (Friedman et al., eq. 10). */
static double best_coordinate(const struct elastic *e, size_t j, double now, double slope,
                              double curve) {
    double sd = e->sd[j], l1 = e->lambda * e->alpha * sd, l2 = e->lambda * (1 - e->alpha) * sd * sd;
    if (!(curve + l2 > 0)) return now;
    double free = curve * now - slope;
    if (free > l1) return (free - l1) / (curve + l2);
    if (free < -l1) return (free + l1) / (curve + l2);
    return 0;
}

/* Minimum of the quadratic model by coordinate descent: whole sweeps when the active ones are done.
 */
static void descend(struct elastic *e, double tol) {
    size_t p = e->p;
    memset(e->step, 0, p * sizeof *e->step);
    memset(e->moved, 0, p * sizeof *e->moved);
    bool whole = true;
    for (unsigned sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        double most = 0;
        for (size_t j = 0; j < p; j++) {
            double now = e->beta[j] + e->step[j];
            if (!whole && now == 0) continue;
            double slope = e->g[j] + e->moved[j], curve = e->h[j * p + j];
            double off = violation(e, j, now, slope);
            most = fmax(most, off);
            if (off == 0) continue;
            double change = best_coordinate(e, j, now, slope, curve) - now;
            if (change == 0) continue;
            e->step[j] += change;
            for (size_t k = 0; k < p; k++) e->moved[k] += e->h[j * p + k] * change;
        }
        if (most <= tol && whole) return;
        whole = most <= tol || sweep % 50 == 49;
    }
}

/* Half steps until the objective does not rise; *value and g are then those of the new beta. */
static bool line_search(struct elastic *e, double *value) {
    double t = 1;
    for (int halving = 0; halving < 40; halving++) {
        /* A coordinate set to 0 is 0 and not a rounding of it. */
        for (size_t j = 0; j < e->p; j++) e->next[j] = e->beta[j] + t * e->step[j];
        double then = value_of(e, e->next, e->g, NULL);
        if (isfinite(then) && then <= *value + 1e-14 * fmax(1, fabs(*value))) {
            memcpy(e->beta, e->next, e->p * sizeof *e->beta);
            *value = then;
            return true;
        }
        t /= 2;
    }
    return false;
}

/* Proximal Newton at one lambda, from beta; false when the criterion is not met. The second
 * derivatives, which cost most, are kept from step to step and from lambda to lambda as long as
 * each step brings the criterion down tenfold. */
static bool fit_lambda(struct elastic *e) {
    double tol = 1e-10 * e->steepest, before = INFINITY;
    double value = value_of(e, e->beta, e->g, NULL);
    for (int step = 0; step < MAX_STEPS && isfinite(value); step++) {
        double now = worst(e, e->beta, e->g);
        if (now <= tol) return true;
        if (!e->has_h || (step > 0 && now > 0.1 * before)) {
            value = value_of(e, e->beta, e->g, e->h);
            e->has_h = isfinite(value);
            if (!e->has_h) return false;
        }
        before = now;
        descend(e, 0.1 * tol);
        if (line_search(e, &value)) continue;
        if (step > 0) return false;
        e->has_h = false; /* the old second derivatives led astray: once more with new ones */
        value = value_of(e, e->beta, e->g, NULL);
    }
    return false;
}

static enum err_code prepare(struct glm_core *c, double alpha, struct elastic *e, struct err *err) {
    size_t p = c->p;
    if (c->constant == SIZE_MAX)
        return err_fail(err, ERR_INVALID, "a penalised model needs an intercept column");
    if (!(alpha >= 0 && alpha <= 1))
        return err_fail(err, ERR_INVALID, "alpha is %g; expected 0 to 1", alpha);
    *e = (struct elastic){.c = c, .p = p, .alpha = alpha};
    double *work = ARENA_NEW(c->a, double, (p + 6) * p);
    if (work == NULL) return err_fail(err, ERR_NOMEM, "%zu columns", p);
    e->sd = work;
    e->beta = work + p;
    e->next = work + 2 * p;
    e->step = work + 3 * p;
    e->g = work + 4 * p;
    e->moved = work + 5 * p;
    e->h = work + 6 * p;
    for (size_t i = 0; i < c->n; i++) e->total += glm_weight(c->data, i);
    for (size_t j = 0; j < p; j++) {
        double mean = 0, sum = 0;
        for (size_t i = 0; i < c->n; i++) mean += glm_weight(c->data, i) * c->x[i * p + j];
        mean /= e->total;
        for (size_t i = 0; i < c->n; i++) {
            double off = c->x[i * p + j] - mean;
            sum += glm_weight(c->data, i) * off * off;
        }
        e->sd[j] = j == c->constant ? 0 : sqrt(sum / e->total);
    }
    return ERR_OK;
}

/* The intercept alone: its slopes give the largest lambda that says anything. */
static enum err_code start(struct elastic *e, double *null_deviance, struct err *err) {
    struct glm_core *c = e->c;
    memcpy(e->beta, c->beta, e->p * sizeof *e->beta);
    e->lambda = INFINITY;
    for (int step = 0; step < 200; step++) {
        if (!isfinite(glm_core_value(c, e->beta, e->g, e->h))) break;
        size_t k = c->constant;
        double change = e->g[k] / e->h[k * e->p + k];
        if (!isfinite(change)) break;
        e->beta[k] -= fmax(-2, fmin(2, change));
        if (fabs(change) < 1e-13 * fmax(1, fabs(e->beta[k]))) break;
    }
    if (!isfinite(glm_core_value(c, e->beta, e->g, NULL)))
        return num_run_stopped(c->run)
                   ? err_fail(err, ERR_TIMEOUT, "the fit was stopped")
                   : err_fail(err, c->failed == ERR_OK ? ERR_NUMERIC : c->failed,
                              "the model with the intercept alone has no value");
    e->steepest = 0;
    for (size_t j = 0; j < e->p; j++)
        if (e->sd[j] > 0) e->steepest = fmax(e->steepest, fabs(e->g[j]) / e->sd[j] / e->total);
    *null_deviance = 0;
    for (size_t i = 0; i < c->n; i++) {
        double w = glm_weight(c->data, i);
        if (w > 0)
            *null_deviance +=
                w * glm_unit_deviance(c->family, c->theta, c->data->y[i], c->eta[i], c->mu[i]);
    }
    return ERR_OK;
}

static double deviance(const struct glm_core *c) {
    double sum = 0;
    for (size_t i = 0; i < c->n; i++) {
        double w = glm_weight(c->data, i);
        if (w > 0)
            sum += w * glm_unit_deviance(c->family, c->theta, c->data->y[i], c->eta[i], c->mu[i]);
    }
    return sum;
}

static enum err_code choose_lambda(const struct elastic *e,
                                   const struct model_elastic_options *options, size_t n,
                                   double *lambda, struct err *err) {
    /* Ridge never brings a coefficient to 0; glmnet's convention for where its path begins. */
    double ratio = options->ratio, largest = e->steepest / fmax(e->alpha, 1e-3);
    if (ratio == 0) ratio = e->c->n_used < e->p ? 1e-2 : 1e-4;
    if (!(ratio > 0 && ratio < 1)) return err_fail(err, ERR_INVALID, "ratio %g", ratio);
    for (size_t k = 0; k < n; k++) {
        lambda[k] = options->lambda != NULL ? options->lambda[k]
                    : n == 1                ? largest
                                            : largest * pow(ratio, (double)k / (double)(n - 1));
        if (!(lambda[k] >= 0) || isinf(lambda[k]) || (k > 0 && lambda[k] > lambda[k - 1]))
            return err_fail(err, ERR_INVALID, "penalty %zu is %g; expected falling, at least 0",
                            k + 1, lambda[k]);
    }
    return ERR_OK;
}

static enum err_code walk_path(const struct model_data *data, enum model_family family,
                               const struct model_elastic_options *options,
                               const struct num_run *run, struct arena *scratch, struct arena *a,
                               struct model_path *out, struct err *err) {
    struct glm_core *c;
    struct elastic e;
    double null_deviance = 0;
    size_t n = options->n_lambda == 0 ? 100 : options->n_lambda;
    TRY(glm_core_new(data, family, options->theta, true, run, scratch, &c, err));
    TRY(prepare(c, options->alpha, &e, err));
    TRY(start(&e, &null_deviance, err));
    double *lambda = ARENA_NEW(a, double, n), *coef = ARENA_NEW(a, double, n * data->n_col),
           *ratio = ARENA_NEW(a, double, n);
    size_t *nonzero = ARENA_NEW(a, size_t, n);
    bool *converged = ARENA_NEW(a, bool, n);
    if (lambda == NULL || coef == NULL || ratio == NULL || nonzero == NULL || converged == NULL)
        return err_fail(err, ERR_NOMEM, "path of %zu penalties", n);
    TRY(choose_lambda(&e, options, n, lambda, err));
    *out = (struct model_path){family,  data->n_col, n,         lambda,  coef,
                               nonzero, ratio,       converged, c->flags};
    for (size_t k = 0; k < n; k++) {
        e.lambda = lambda[k];
        converged[k] = fit_lambda(&e);
        if (num_run_stopped(run)) return err_fail(err, ERR_TIMEOUT, "the path was stopped");
        if (c->failed != ERR_OK) return err_fail(err, c->failed, "path of %zu columns", e.p);
        if (!converged[k]) out->flags |= MODEL_NOT_CONVERGED;
        (void)glm_core_value(c, e.beta, NULL, NULL); /* eta and mu at the end */
        glm_core_unscale(c, e.beta, coef + k * data->n_col);
        for (size_t j = 0; j < e.p; j++) nonzero[k] += j != c->constant && e.beta[j] != 0;
        ratio[k] = null_deviance > 0 ? 1 - deviance(c) / null_deviance : NAN;
        num_run_tell(run, "penalties", (double)(k + 1) / (double)n);
    }
    return ERR_OK;
}

enum err_code model_elastic_path(const struct model_data *data, enum model_family family,
                                 const struct model_elastic_options *options,
                                 const struct num_run *run, struct arena *a, struct model_path *out,
                                 struct err *err) {
    *out = (struct model_path){0};
    if (family == MODEL_NEGATIVE_BINOMIAL && !(options->theta > 0 && isfinite(options->theta)))
        return err_fail(err, ERR_INVALID, "theta is %g; expected a number above 0", options->theta);
    struct arena *scratch = arena_new(SIZE_MAX / 2);
    if (scratch == NULL) return err_fail(err, ERR_NOMEM, "path of penalties");
    enum err_code rc = walk_path(data, family, options, run, scratch, a, out, err);
    arena_free(scratch);
    return rc;
}

void model_elastic_predict(const struct model_path *path, size_t k, const double *x, size_t n_row,
                           const double *offset, double *linear, double *fitted) {
    const double *coef = path->coef + k * path->n_col;
    for (size_t i = 0; i < n_row; i++) {
        double eta = offset == NULL ? 0 : offset[i];
        for (size_t j = 0; j < path->n_col; j++)
            if (!isnan(coef[j])) eta += x[i * path->n_col + j] * coef[j];
        if (linear != NULL) linear[i] = eta;
        if (fitted != NULL) fitted[i] = glm_mean(path->family, eta);
    }
}
