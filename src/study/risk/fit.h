/* study/risk/fit.h - fit the model a spec asks for and score rows by it, whatever the model. */
#ifndef STUDY_RISK_FIT_H
#define STUDY_RISK_FIT_H
#include "num/core/run.h"
#include "num/model/calibrate.h"
#include "num/model/cox.h"
#include "num/model/parametric.h"
#include "num/model/trees.h"
#include "study/risk/data.h"
#include "study/risk/design.h"

struct risk_coef {
    const char *name;
    double value, se, z, p; /* se by clusters when the fit is robust */
    bool aliased;           /* left out: depends on the columns before it */
    bool infinite;          /* no finite estimate (separation, monotone likelihood) */
};
/* Something a reader has to know: a stable word and a sentence. */
struct risk_note {
    const char *flag, *text;
};
/* A named test or residual check: a statistic (NaN: none), its degrees of freedom and p. */
struct risk_test {
    const char *name;
    double statistic, df, p;
};
enum { RISK_MAX_NOTES = 32, RISK_MAX_TESTS = RISK_MAX_TERMS + 16, RISK_MAX_EXTRA = 8 };
struct risk_extra {
    const char *name; /* theta, scale, shape, beta, alpha, dispersion */
    double value, se; /* se NaN: none */
};

struct risk_fitted {
    enum risk_model model;
    struct risk_spec spec;
    struct risk_design design;
    size_t n_rows, n_missing, n_unseen;
    double n_events;
    bool converged, robust;
    bool verified; /* false: no other program gave values to test against (docs/statistics) */
    size_t iterations;
    size_t n_coef;
    struct risk_coef *coef;
    double loglik, loglik_null, aic; /* NaN when the model has none */
    size_t n_extra;
    struct risk_extra extra[RISK_MAX_EXTRA];
    size_t n_tests;
    struct risk_test test[RISK_MAX_TESTS];
    size_t n_notes;
    struct risk_note note[RISK_MAX_NOTES];
    /* What scoring needs besides coef: */
    double scale, beta, alpha;   /* life models (cox: half window, negbin: theta); power law */
    struct risk_labels strata;   /* cox */
    struct model_cox_base *base; /* cox: stratum is the index of its label */
    size_t n_base;
    struct model_trees trees;
    bool calibrated; /* chance goes through platt (by its logit) or, when it has knots, isotonic */
    struct model_platt platt;
    struct model_isotonic isotonic;
};
/* Fit to the rows with use[i]; d is of t. Numeric trouble that leaves a result is a note; without
 * one ERR_NUMERIC. Everything is the arena's. */
enum err_code risk_fit(struct arena *a, const struct table *t, const struct risk_spec *spec,
                       enum risk_model model, const struct risk_data *d, const bool *use,
                       const struct num_run *run, struct risk_fitted *out,
                       struct err *err) NODISCARD;

struct risk_scores {
    size_t n;
    double *expected; /* events expected in the row */
    double *chance;   /* that there is at least one */
    bool *missing;    /* no score: a needed cell is empty */
    size_t n_unseen;
};
enum err_code risk_score(struct arena *a, const struct risk_fitted *f, const struct table *t,
                         const struct risk_data *d, struct risk_scores *out,
                         struct err *err) NODISCARD;
/* Learn how chances are to be mended from rows with use[i] that the model was not fitted to. */
enum err_code risk_calibrate(struct arena *a, struct risk_fitted *f, const struct table *t,
                             const struct risk_data *d, const bool *use, struct err *err) NODISCARD;
void risk_note_add(struct risk_fitted *f, const char *flag, const char *text);
#endif
