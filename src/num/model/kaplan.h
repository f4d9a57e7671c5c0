/* num/model/kaplan.h - survival without covariates: the Kaplan-Meier curve with Greenwood's
 * standard error and log-log limits, the Nelson-Aalen hazard, the log-rank test. Late entry is
 * taken into account. Pure, any thread; O(n log n), the test O(n log n + n strata).
 * Sources: Kaplan & Meier 1958 (product limit); Greenwood 1926; Kalbfleisch & Prentice 2002,
 * section 1.4 (log-log limits); Aalen 1978; Mantel 1966 (log-rank). */
#ifndef NUM_MODEL_KAPLAN_H
#define NUM_MODEL_KAPLAN_H
#include <stdbool.h>

#include "num/model/survdata.h"

/* One row a time at which something happened. */
struct model_km_row {
    double time;
    double at_risk, events;   /* sums of weights just before time, and at it */
    double survival, se;      /* P(T > time) and Greenwood's standard error */
    double lower, upper;      /* log-log limits; both equal survival when it is 0 or 1 */
    double hazard, hazard_se; /* Nelson-Aalen cumulative hazard, variance sum d / n^2 */
};
struct model_km {
    size_t n_rows;
    struct model_km_row *row; /* rising time */
    double median;            /* first time at which survival <= 1/2; NaN when never reached */
    bool risk_set_emptied;    /* with late entry: the curve fell to 0 while others entered later, so
                                 it tells nothing from there on (pool or condition on an age) */
};
/* The stratum is ignored. level is such as 0.95. Errors: ERR_INVALID (model_survival_check, a level
 * outside (0, 1)), ERR_NOMEM. */
enum err_code model_kaplan_meier(struct arena *a, const struct model_survival *d, double level,
                                 struct model_km *out, struct err *err) NODISCARD;

/* Whether n_groups >= 2 groups (group[i] in 0..n_groups-1) share one hazard; within strata when
 * d->stratum is given. Weights are ignored. observed and expected hold n_groups numbers. */
struct model_logrank {
    double chisq, df, p; /* df is one less than the groups that were ever at risk */
    double *observed, *expected;
};
/* Errors: as above, and ERR_NUMERIC when no event tells the groups apart. */
enum err_code model_logrank_test(struct arena *a, const struct model_survival *d,
                                 const uint32_t *group, size_t n_groups, struct model_logrank *out,
                                 struct err *err) NODISCARD;
#endif
