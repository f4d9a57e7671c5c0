/* study/risk/evaluate.h - how good a model is on rows it was not fitted to: later years, or parts
 * left out in turn; always beside the baselines, and told in words. */
#ifndef STUDY_RISK_EVALUATE_H
#define STUDY_RISK_EVALUATE_H
#include "num/model/evaluate.h"
#include "study/risk/fit.h"

enum { RISK_N_SHARES = 3, RISK_MAX_PERIODS = 60 };
extern const double risk_share[RISK_N_SHARES]; /* 0.01, 0.05, 0.10 */

/* A baseline: chance of an event by one column alone, logistic, fitted to the same rows. */
struct risk_baseline {
    const char *name;   /* "age only", "last year's count" */
    const char *column; /* NULL: the spec names none */
    bool usable;        /* false: no column, or it has no fit */
    double intercept, slope;
};
enum { RISK_N_BASELINES = 2 };
enum err_code risk_baselines_fit(struct arena *a, const struct risk_spec *s,
                                 const struct risk_data *d, const bool *use,
                                 struct risk_baseline out[RISK_N_BASELINES],
                                 struct err *err) NODISCARD;

struct risk_standing {
    const char *name; /* "model", or the baseline's */
    bool usable;
    struct model_scores scores;
    struct model_top by_count[RISK_N_SHARES], by_length[RISK_N_SHARES];
    bool compared; /* against the model, for baselines */
    struct model_auc_difference difference;
    bool model_is_better; /* larger AUC of the model, p < 0.05 */
    const char *sentence;
};
struct risk_period {
    const char *label;
    size_t n;
    double events, expected;
    double auc; /* NaN with one kind of outcome */
};
struct risk_evaluation {
    const char *how;  /* "held_out_years", "folds" or "given_rows" */
    const char *what; /* one sentence on what was held out */
    size_t n, n_missing;
    double events, expected;
    bool by_length;
    struct risk_standing who[1 + RISK_N_BASELINES];
    bool no_better; /* than some baseline */
    const char *verdict;
    size_t n_periods;
    struct risk_period period[RISK_MAX_PERIODS];
};
/* Scores of rows against what happened in the rows with test[i]. Errors: ERR_INVALID when no
 * baseline is usable or no row can be scored, ERR_NUMERIC with one kind of outcome. */
enum err_code risk_evaluate(struct arena *a, const struct risk_data *d, const bool *test,
                            const struct risk_scores *scores,
                            const struct risk_baseline base[RISK_N_BASELINES],
                            const double *base_chance[RISK_N_BASELINES], uint64_t seed,
                            struct risk_evaluation *out, struct err *err) NODISCARD;
/* chance of each row by a baseline; NULL in *chance when it is not usable. */
enum err_code risk_baseline_score(struct arena *a, const struct risk_data *d, size_t which,
                                  const struct risk_baseline *b, const double **chance,
                                  struct err *err) NODISCARD;
#endif
