/* num/survey/survey.h - a sample survey with non-response: rates, weights, shares with an interval.
 * Pure; safe from any thread.
 * Sources: outcomes and rates: AAPOR, Standard Definitions, 9th ed. (2016), RR1, COOP1, CON1, REF1.
 * Raking: Deming and Stephan (1940), Annals of Mathematical Statistics 11:427. Non-response by
 * cell: Kalton and Flores-Cervantes (2003), Journal of Official Statistics 19:81. Design effect of
 * weighting: Kish (1992), Journal of Official Statistics 8:183. Variance by linearisation: Särndal,
 * Swensson and Wretman (1992), Model Assisted Survey Sampling, 5.8. Interval: Wilson (1927), JASA
 * 22:209, with the effective number of answers; Franco, Little, Louis and Slud (2019), Journal of
 * Survey Statistics and Methodology 7:334, compare it with others. */
#ifndef NUM_SURVEY_SURVEY_H
#define NUM_SURVEY_SURVEY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* What became of one drawn person or number. */
enum survey_outcome {
    SURVEY_COMPLETED,    /* I */
    SURVEY_PARTIAL,      /* P: broke off after some answers; its answers are not used */
    SURVEY_REFUSED,      /* R */
    SURVEY_NO_CONTACT,   /* NC: eligible, never reached */
    SURVEY_OTHER,        /* O: eligible, ill or another language */
    SURVEY_UNKNOWN,      /* UH, UO: nobody answered, not known whether eligible */
    SURVEY_NOT_ELIGIBLE, /* business, dead line, outside the area */
    SURVEY_N_OUTCOMES
};
const char *survey_outcome_name(enum survey_outcome o); /* "completed" ... "not_eligible" */
int survey_outcome_parse(const char *word);             /* -1 for another word */

/* Shares 0..1; NaN over nothing. The response rate counts everybody of unknown eligibility as
 * eligible, so it is the smallest of AAPOR's rates. */
struct survey_rates {
    double response, cooperation, contact, refusal;
};
struct survey_rates survey_rates_of(const size_t count[SURVEY_N_OUTCOMES]);

/* One way of cutting the population; the totals are in any unit, all > 0. */
struct survey_margin {
    size_t n;
    const double *total;
    const int32_t *of; /* by unit: category; what stands at units without answers is not read */
};
/* Neighbouring cells and categories stand next to one another: those with fewer answers than
 * `least` are joined with the next, in order. */
struct survey_sample {
    size_t n;
    const unsigned char *outcome; /* enum survey_outcome */
    const double *design;         /* > 0: how many one drawn unit stands for, up to a factor */
    const int32_t *cell;          /* where it was drawn, 0..n_cells-1 */
    size_t n_cells;
    const struct survey_margin *margin;
    size_t n_margins;
    size_t least; /* answers in a cell or category; 10 */
    double trim;  /* > 1: a weight is at most this many times the mean of its cell, and at least
                     1/trim of it */
};
struct survey_weights {
    double *weight;   /* by unit; 0 without answers; their sum is the number of answers */
    int32_t *cell;    /* by unit: the cell after joining: the stratum of the variance */
    size_t n_cells;   /* after joining */
    size_t n_joined;  /* cells and categories that were joined away */
    size_t n_trimmed; /* answers whose weight was beyond a limit after the first raking */
    size_t rounds;    /* of raking, all together */
    double off;       /* largest |weighted share / share of the margin - 1| that is left */
    double smallest, largest;
};
enum { SURVEY_MAX_UNITS = 500000, SURVEY_MAX_MARGINS = 16 };
/* Design weight, then by cell the weight of unknown eligibility to those known and of eligible
 * without answers to those with, then raking, trimming and raking again (at most ten times).
 * Arena-owned. Errors: ERR_INVALID no answers, a number that is not above 0; ERR_LIMIT; ERR_NUMERIC
 * raking does not settle. O(units x margins x rounds). */
enum err_code survey_weigh(const struct survey_sample *s, struct arena *a,
                           struct survey_weights *out, struct err *err) NODISCARD;

/* value is the Hájek share of those with answer 1 among those with 0 or 1. */
struct survey_share {
    size_t n;           /* answers */
    double value;       /* NaN: nobody */
    double se;          /* linearised, strata are the cells; NaN when a cell has one answer only */
    double effect;      /* Kish: n * sum(w^2) / sum(w)^2 */
    double n_effective; /* n / effect */
    double low, high;   /* 95 %: Wilson's interval with n_effective */
};
/* answer by unit: 1, 0, or -1: not of this domain or no answer to this question. O(units). Errors:
 * ERR_NOMEM (scratch of one number a cell). */
enum err_code survey_estimate(const struct survey_weights *w, size_t n, const int16_t *answer,
                              struct arena *a, struct survey_share *out, struct err *err) NODISCARD;
/* Wilson's score interval of a share p in n answers (n may be broken), at z. n > 0. */
void survey_wilson(double p, double n, double z, double *low, double *high);
#endif
