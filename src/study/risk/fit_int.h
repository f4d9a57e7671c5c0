/* study/risk/fit_int.h - inside of study/risk/fit.c: the rows fitted to, close together, and the
 * kinds of model. */
#ifndef STUDY_RISK_FIT_INT_H
#define STUDY_RISK_FIT_INT_H
#include "study/risk/fit.h"

struct risk_rows {
    size_t n, p;
    const char **name;                                            /* p */
    double *x;                                                    /* n x p */
    double *y, *start, *stop, *upper, *offset, *weight, *earlier; /* NULL: not given */
    uint32_t *cluster, *stratum;
};
enum err_code risk_fit_glm(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                           struct risk_fitted *f, struct err *err) NODISCARD;
enum err_code risk_fit_elastic(struct arena *a, const struct risk_rows *r,
                               const struct num_run *run, struct risk_fitted *f,
                               struct err *err) NODISCARD;
enum err_code risk_fit_trees(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                             struct risk_fitted *f, struct err *err) NODISCARD;
enum err_code risk_fit_cox(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                           struct risk_fitted *f, struct err *err) NODISCARD;
enum err_code risk_fit_life(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                            struct risk_fitted *f, struct err *err) NODISCARD;
enum err_code risk_fit_power(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                             struct risk_fitted *f, struct err *err) NODISCARD;
bool risk_is_logistic(const struct risk_fitted *f);
void risk_test_add(struct risk_fitted *f, const char *name, double statistic, double df, double p);
void risk_extra_add(struct risk_fitted *f, const char *name, double value, double se);
#endif
