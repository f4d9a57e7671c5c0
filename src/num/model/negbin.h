/* num/model/negbin.h - negative binomial regression with its dispersion estimated (NB2: variance mu
 * + mu^2 / theta). Source: Lawless 1987; Venables & Ripley 2002, 7.4. */
#ifndef NUM_MODEL_NEGBIN_H
#define NUM_MODEL_NEGBIN_H
#include "num/model/glm.h"

/* Coefficients and theta by maximum likelihood, in turn until neither moves (relative 1e-10). se of
 * coefficients: expected information at fixed theta; theta_se: observed information of theta alone.
 * Without overdispersion (the likelihood rises for ever with theta) theta is INFINITY, the flag
 * MODEL_NO_OVERDISPERSION is set and the fit is the Poisson one. Errors and cost as model_glm_fit,
 * times some 5 to 20 rounds. */
enum err_code model_negbin_fit(const struct model_data *data, const struct num_run *run,
                               struct arena *a, struct model_fit *out, struct err *err) NODISCARD;
#endif
