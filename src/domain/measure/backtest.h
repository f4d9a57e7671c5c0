/* domain/measure/backtest.h - which indicators of a month foresaw serious cases of the next month
 * in the same area, judged on later months than they were fitted on, against two baselines: the
 * number of last month, and the number of residents. A row is an area in a month; the outcome is
 * whether the indicator named as `outcome` in the index counts anything there in the month after.
 * Each predictor is a logistic regression of its own (num/model/glm.h); forecasts are compared by
 * the area under the ROC curve (DeLong, DeLong & Clarke-Pearson 1988). */
#ifndef DOMAIN_MEASURE_BACKTEST_H
#define DOMAIN_MEASURE_BACKTEST_H
#include "domain/measure/index_form.h"

enum { BACKTEST_MONTHS = 36, BACKTEST_LEAST_MONTHS = 6, BACKTEST_LEAST_ROWS = 40 };

enum backtest_kind { BACKTEST_LAST_COUNT = 1, BACKTEST_POPULATION, BACKTEST_INDICATOR };
struct backtest_row {
    enum backtest_kind kind;
    const struct index_node *node; /* of an indicator */
    bool judged;                   /* false: why says what is missing, and the rest is NaN */
    const char *why;               /* "constant", "too_few", "no_data" */
    size_t n_fit, n;               /* rows fitted to, rows judged on */
    double coefficient;            /* log odds a standard deviation */
    double auc, brier, slope;      /* on the later months; slope of calibration: 1 is right */
    double baseline_auc, p; /* of the best baseline on the same rows; DeLong's two-sided p. NaN for
                               the baselines */
    double gain, gain_p;    /* what it adds to last month's count: difference of the areas */
    bool better;            /* above the best baseline, p below 0.05 shared among the indicators */
};
struct backtest {
    const struct index_def *def;
    int level;
    size_t n_areas, n_months, n_fit_months;
    struct period first, last_fit, last; /* months of the predictors */
    size_t n_rows, n_events;             /* judged on */
    const struct backtest_row *row;      /* baselines first */
    size_t n;
    enum { BACKTEST_TOO_LITTLE = 1, BACKTEST_NONE_BETTER, BACKTEST_SOME_BETTER } verdict;
};
/* Month-major: row t * n + j is area j in month t. */
struct backtest_table {
    const struct index_def *d;
    size_t n, n_months, n_fit; /* areas, months with an outcome after them, months fitted on */
    size_t n_x;                /* predictors: last count, population, leaves */
    double *x;                 /* n_x x (n_months n); NaN: none */
    uint8_t *y;                /* n_months n: outcome of the month after; 2: not known */
    struct arena *a;
};
/* The part that judges. Pure. */
enum err_code backtest_judge(struct backtest_table *t, struct backtest *out,
                             struct err *err) NODISCARD;
const char *backtest_verdict_name(const struct backtest *b); /* "too_little" ... */
/* The query's areas; its period is the last month whose outcome is complete. Errors: ERR_INVALID
 * (the index names no outcome); those of values and models. O(months) of index_gather. */
enum err_code backtest_run(const struct value_query *q, const struct index_def *d, struct arena *a,
                           struct backtest *out, struct err *err) NODISCARD;
#endif
