/* num/model/evaluate.h - how good a forecast of chances or risks was, on rows it was not fitted to.
 *
 * Sources: Brier 1950; Cox 1958 (calibration slope and intercept); Hosmer & Lemeshow 1980; Naeini,
 * Cooper & Hauskrecht 2015 (expected calibration error); DeLong, DeLong & Clarke-Pearson 1988, by
 * the ranks of Sun & Xu 2014; Chainey, Tompson & Uhlig 2008 (PAI); Hunt 2016 (PEI).
 * Pure; any thread. */
#ifndef NUM_MODEL_EVALUATE_H
#define NUM_MODEL_EVALUATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/model/auc.h"

enum { MODEL_BINS = 10 };
/* One of ten groups of (nearly) equal size by forecast, lowest first: the calibration curve. Equal
 * forecasts stay in the order of rows; the first n % 10 groups have one row more. */
struct model_bin {
    size_t n, positive;
    double mean_predicted, observed; /* observed: positive / n */
};

enum model_score_flag {
    MODEL_ONE_OUTCOME = 1,        /* no positive or no negative row: auc and all of calibration but
                                     the bins are NaN */
    MODEL_CERTAIN_AND_WRONG = 2,  /* a forecast of 0 or 1 that did not come true: log_loss is
                                     INFINITY, the slope NaN */
    MODEL_CONSTANT_FORECAST = 4,  /* all forecasts alike: auc 1/2, the slope is NaN */
    MODEL_SLOPE_NOT_FOUND = 8,    /* the regression of calibration is separated or did not end */
    MODEL_LESS_THAN_TEN_ROWS = 16 /* the groups say nothing: ece, hosmer_lemeshow NaN */
};
const char *model_score_flag_name(unsigned flag);

struct model_scores {
    size_t n, positive;
    unsigned flags;
    double auc;               /* ties half */
    double average_precision; /* sum of precision x growth of recall over distinct forecasts */
    double brier, log_loss;   /* means; smaller is better */
    double brier_reference;   /* of the constant forecast mean_observed */
    double mean_predicted, mean_observed;
    double slope, intercept; /* logit(outcome) = intercept + slope logit(forecast): 1 and 0 */
    double slope_se;
    double in_the_large;    /* intercept with the slope held at 1: 0; > 0: forecasts too low */
    double ece;             /* mean |mean_predicted - observed| of the groups, by size */
    double hosmer_lemeshow; /* sum (O - E)^2 / (E (1 - E/n)) */
    double hosmer_p;        /* chi-square with 10 degrees of freedom: on new rows, not with 8 */
    struct model_bin bin[MODEL_BINS];
};
/* chance: n numbers in [0, 1]; outcome: 0 or not 0. Errors: ERR_INVALID (n = 0, a chance out of
 * range), ERR_NOMEM. O(n log n). */
enum err_code model_evaluate(const double *chance, const uint8_t *outcome, size_t n,
                             struct model_scores *out, struct err *err) NODISCARD;

/* Are two forecasts of the same rows equally good by AUC? z and p two-sided of their difference
 * (DeLong). se 0 (the same ranking): z 0, p 1. ERR_NUMERIC with fewer than two positives or
 * negatives. */
struct model_auc_difference {
    double auc_a, auc_b, difference, se, z, p;
};
enum err_code model_auc_compare(const double *a, const double *b, const uint8_t *outcome, size_t n,
                                struct model_auc_difference *out, struct err *err) NODISCARD;

/* What the most endangered part catches: rows by score, highest first, ties in the order of rows.
 */
struct model_top {
    size_t n_taken;
    double size_share;  /* of the size taken */
    double events;      /* caught */
    double event_share; /* hit rate: caught / all; NaN when there is none */
    double precision;   /* rows taken with an event / rows taken; NaN when none is taken */
    double pai;         /* event_share / size_share */
    double pei;         /* caught / most that could be caught on as much size (rows by events a
                           size, longest prefix); NaN when that is 0 */
};
/* Take the first ceil(share * n) rows. size: length or area a row, > 0 (NULL: 1).
 * events: counts >= 0 (0/1 for failures). 0 < share <= 1. */
enum err_code model_top_by_count(const double *score, const double *events, const double *size,
                                 size_t n, double share, struct model_top *out,
                                 struct err *err) NODISCARD;
/* Take the longest prefix whose size is at most share of the whole. */
enum err_code model_top_by_size(const double *score, const double *events, const double *size,
                                size_t n, double share, struct model_top *out,
                                struct err *err) NODISCARD;
#endif
