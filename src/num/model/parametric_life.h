/* num/model/parametric_life.h - inside of the parametric survival models: the standard
 * distributions of z = (log t - x'b) / scale with their derivatives. */
#ifndef NUM_MODEL_PARAMETRIC_LIFE_H
#define NUM_MODEL_PARAMETRIC_LIFE_H
#include "num/model/parametric.h"

/* A function of z with its first two derivatives. */
struct life_part {
    double v, d1, d2;
};
struct life_part life_log_density(enum model_life life, double z);
struct life_part life_log_survival(enum model_life life, double z);
struct life_part life_log_failure(enum model_life life, double z); /* log F */
#endif
