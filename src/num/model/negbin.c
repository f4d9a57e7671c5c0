#include "num/model/negbin.h"

#include <math.h>
#include <stdint.h>

#include "num/core/optim.h"
#include "num/core/special.h"
#include "num/model/glm_core.h"

/* Derivative of the log-likelihood by theta at given means (Lawless 1987, eq. 2.4). */
static double theta_score(void *arg, double log_theta) {
    const struct glm_core *c = arg;
    double theta = exp(log_theta), at_theta = num_digamma(theta), sum = 0;
    for (size_t i = 0; i < c->n; i++) {
        double w = glm_weight(c->data, i), y = c->data->y[i], mu = c->mu[i];
        if (w == 0) continue;
        /* ln theta + 1 - ln(theta + mu) - (y + theta) / (mu + theta), without cancellation for a
         * large theta. */
        double rest = (mu - y) / (mu + theta) - log1p(mu / theta);
        double step = 0;
        if (y < 50) {
            for (int k = 0; k < (int)y; k++) step += 1 / (theta + k);
        } else {
            step = num_digamma(y + theta) - at_theta;
        }
        sum += w * (step + rest);
    }
    return sum;
}

static double theta_information(const struct glm_core *c) {
    double theta = c->theta, sum = 0;
    for (size_t i = 0; i < c->n; i++) {
        double w = glm_weight(c->data, i), y = c->data->y[i], s = c->mu[i] + theta;
        if (w > 0)
            sum += w * (num_trigamma(theta) - num_trigamma(theta + y) - 1 / theta + 2 / s -
                        (y + theta) / (s * s));
    }
    return sum;
}

/* Whether the variance exceeds the mean at all: the likelihood's slope by 1/theta at 0 (Dean 1992).
 */
static bool overdispersed(const struct glm_core *c) {
    double sum = 0;
    for (size_t i = 0; i < c->n; i++) {
        double off = c->data->y[i] - c->mu[i];
        sum += glm_weight(c->data, i) * (off * off - c->data->y[i]);
    }
    return sum > 0;
}

/* The theta that is best at the present means; INFINITY when there is none below 1e9. */
static enum err_code best_theta(struct glm_core *c, double *theta, struct err *err) {
    const double low = -30, high = 20.7;
    *theta = INFINITY;
    if (theta_score(c, high) >= 0) return ERR_OK;
    if (theta_score(c, low) <= 0)
        return err_fail(err, ERR_NUMERIC, "theta goes to 0: the counts are all but 0");
    double log_theta;
    TRY(num_root(theta_score, c, low, high, 1e-13, &log_theta, err));
    *theta = exp(log_theta);
    return ERR_OK;
}

static enum err_code alternate(struct glm_core *c, struct err *err) {
    enum { MAX_ROUNDS = 200 };
    for (int round = 0; round < MAX_ROUNDS; round++) {
        double theta, old = c->theta;
        if (num_run_stopped(c->run)) return err_fail(err, ERR_TIMEOUT, "the fit was stopped");
        TRY(best_theta(c, &theta, err));
        c->theta = theta;
        if (isinf(theta)) return ERR_OK;
        if (fabs(theta - old) <= 1e-10 * theta) return ERR_OK;
        TRY(glm_core_search(c, err));
    }
    c->flags |= MODEL_NOT_CONVERGED;
    return ERR_OK;
}

static enum err_code fit_poisson_instead(const struct model_data *data, const struct num_run *run,
                                         struct arena *a, struct model_fit *out, struct err *err) {
    TRY(model_glm_fit(data, MODEL_POISSON, 0, run, a, out, err));
    out->family = MODEL_NEGATIVE_BINOMIAL;
    out->flags |= MODEL_NO_OVERDISPERSION;
    return ERR_OK;
}

static enum err_code fit_in(const struct model_data *data, const struct num_run *run,
                            struct arena *scratch, struct arena *a, struct model_fit *out,
                            struct err *err) {
    struct glm_core *c;
    /* Means of the Poisson model to start from; its checks ask for whole numbers too. */
    TRY(glm_core_new(data, MODEL_POISSON, INFINITY, false, run, scratch, &c, err));
    TRY(glm_core_search(c, err));
    if (!overdispersed(c)) return fit_poisson_instead(data, run, a, out, err);
    c->family = MODEL_NEGATIVE_BINOMIAL;
    TRY(alternate(c, err));
    if (isinf(c->theta)) return fit_poisson_instead(data, run, a, out, err);
    double information = theta_information(c);
    TRY(glm_core_finish(c, a, out, err));
    out->theta_se = information > 0 ? 1 / sqrt(information) : NAN;
    return ERR_OK;
}

enum err_code model_negbin_fit(const struct model_data *data, const struct num_run *run,
                               struct arena *a, struct model_fit *out, struct err *err) {
    *out = (struct model_fit){0};
    struct arena *scratch = arena_new(SIZE_MAX / 2);
    if (scratch == NULL) return err_fail(err, ERR_NOMEM, "model");
    enum err_code rc = fit_in(data, run, scratch, a, out, err);
    arena_free(scratch);
    return rc;
}
