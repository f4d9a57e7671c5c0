/* Residuals and tests of a fitted model. */
#include <math.h>

#include "num/core/dist.h"
#include "num/core/special.h"
#include "num/model/glm_core.h"

/* Gauss-Legendre, 8 points on [-1, 1] (Abramowitz and Stegun table 25.4). */
static const double node[4] = {0.18343464249564980494, 0.52553240991632898582,
                               0.79666647741362673959, 0.96028985649753623168};
static const double mass[4] = {0.36268378337836198297, 0.31370664587788728734,
                               0.22238103445337447054, 0.10122853629037625915};

/* Integral of V^(-1/3), V = t + t^2 / theta, from a to b; with t = v^3 it is smooth at 0. */
static double nb_integral(double a, double b, double theta) {
    double from = cbrt(a), to = cbrt(b), unit = cbrt(theta);
    int panels = (int)fmin(2000, ceil(2 * fabs(to - from) / unit) + 1);
    double half = (to - from) / (2 * panels), sum = 0;
    for (int k = 0; k < panels; k++) {
        double middle = from + (2 * k + 1) * half;
        for (int i = 0; i < 8; i++) {
            double v = middle + half * (i < 4 ? node[i] : -node[i - 4]);
            sum += mass[i % 4] * 3 * v / cbrt(1 + v * v * v / theta);
        }
    }
    return sum * half;
}

static double anscombe(enum model_family family, double theta, double y, double mu) {
    double root = pow(glm_variance(family, theta, mu), 1.0 / 6);
    switch (family) {
    case MODEL_LOGISTIC:
        return exp(num_log_beta(2.0 / 3, 2.0 / 3)) *
               (num_beta_i(y, 2.0 / 3, 2.0 / 3) - num_beta_i(mu, 2.0 / 3, 2.0 / 3)) / root;
    case MODEL_NEGATIVE_BINOMIAL:
        return nb_integral(mu, y, theta) / root;
    case MODEL_POISSON:
    case MODEL_QUASI_POISSON:
        break;
    }
    return 1.5 * (pow(y, 2.0 / 3) - pow(mu, 2.0 / 3)) / root;
}

static double residual(const struct model_fit *fit, enum model_residual kind, double y, double eta,
                       double mu) {
    double off = y - mu;
    switch (kind) {
    case MODEL_RESPONSE:
        return off;
    case MODEL_PEARSON:
        return off == 0 ? 0 : off / sqrt(glm_variance(fit->family, fit->theta, mu));
    case MODEL_DEVIANCE: {
        double d = glm_unit_deviance(fit->family, fit->theta, y, eta, mu);
        return copysign(sqrt(fmax(0, d)), off);
    }
    case MODEL_ANSCOMBE:
        break;
    }
    return off == 0 ? 0 : anscombe(fit->family, fit->theta, y, mu);
}

enum err_code model_glm_residuals(const struct model_data *data, const struct model_fit *fit,
                                  enum model_residual kind, double *out, struct err *err) {
    if (data->n_col != fit->n_col)
        return err_fail(err, ERR_INVALID, "%zu columns; the model has %zu", data->n_col,
                        fit->n_col);
    for (size_t i = 0; i < data->n_row; i++) {
        double r = residual(fit, kind, data->y[i], fit->linear[i], fit->fitted[i]);
        out[i] = kind == MODEL_RESPONSE ? r : r * sqrt(glm_weight(data, i));
    }
    return ERR_OK;
}

/* Least squares of ((y - mu)^2 - y) / mu on x through the origin (Cameron and Trivedi 1990, eq.
 * 3.3): x = 1 for the linear and mu for the quadratic alternative. */
static void regress(const struct model_data *d, const struct model_fit *fit, bool quadratic,
                    double *alpha, double *z) {
    double xx = 0, xy = 0, n = 0;
    for (size_t i = 0; i < d->n_row; i++) {
        if (glm_weight(d, i) == 0) continue;
        double mu = fit->fitted[i], off = d->y[i] - mu, x = quadratic ? mu : 1;
        xx += x * x;
        xy += x * (off * off - d->y[i]) / mu;
        n++;
    }
    *alpha = xy / xx;
    double rest = 0;
    for (size_t i = 0; i < d->n_row; i++) {
        if (glm_weight(d, i) == 0) continue;
        double mu = fit->fitted[i], off = d->y[i] - mu, x = quadratic ? mu : 1;
        double e = (off * off - d->y[i]) / mu - *alpha * x;
        rest += e * e;
    }
    *z = *alpha / sqrt(rest / (n - 1) / xx);
}

enum err_code model_overdispersion_test(const struct model_data *data, const struct model_fit *fit,
                                        struct model_overdispersion *out, struct err *err) {
    *out = (struct model_overdispersion){NAN, NAN, NAN, NAN, NAN, NAN};
    if (fit->family != MODEL_POISSON)
        return err_fail(err, ERR_INVALID, "the test of overdispersion is on a Poisson model");
    if (fit->n_used < 2) return err_fail(err, ERR_NUMERIC, "one row shows no dispersion");
    regress(data, fit, false, &out->alpha_linear, &out->z_linear);
    regress(data, fit, true, &out->alpha_quadratic, &out->z_quadratic);
    out->p_linear = num_norm_p(out->z_linear, false);
    out->p_quadratic = num_norm_p(out->z_quadratic, false);
    return ERR_OK;
}
