/* num/composite/choices.h - what could have been chosen otherwise: the space of an index's choices,
 * and the ranks of all areas under any point of it.
 *
 * Sources: OECD/JRC 2008 Handbook, step 7; Saisana, Saltelli, Tarantola 2005, "Uncertainty and
 * sensitivity analysis techniques as tools for the quality assessment of composite indicators",
 * section 3 (one uniform number an input picks its alternative; eq. 4: mean rank shift).
 * Marsaglia & Tsang 2000 (gamma variates for Dirichlet weights).
 *
 * Pure; the same input, seed and point give the same bits on any number of threads. */
#ifndef NUM_COMPOSITE_CHOICES_H
#define NUM_COMPOSITE_CHOICES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/composite/composite.h"
#include "num/core/run.h"

enum choice {
    CHOICE_IMPUTE,
    CHOICE_TREAT,
    CHOICE_NORMALISE,
    CHOICE_WEIGHTS,
    CHOICE_NOISE, /* weights shaken */
    CHOICE_AGGREGATE,
    CHOICE_DROP, /* an indicator, or a whole node, left out; its siblings take its weight */
    CHOICE_KINDS
};
const char *choice_name(enum choice c); /* "imputation" ... */

enum choice_noise {
    CHOICE_STILL,
    CHOICE_UNIFORM,  /* each weight times 1 + amount u, u uniform on [-1, 1], amount in (0, 1] */
    CHOICE_DIRICHLET /* among siblings Dirichlet of mean w and concentration amount > 0: the sd of
                        a weight is sqrt(w (1 - w) / (amount + 1)) */
};

/* Alternatives of each choice, equally likely; none: the base's alone, and the choice is no input.
 * Borrowed. */
struct choices {
    size_t n_impute, n_treat, n_normalise, n_weights, n_aggregate, n_drop;
    const struct composite_impute *impute;
    const struct composite_treat *treat;
    const struct composite_normalise *normalise;
    const struct composite_weighting *weights;
    const struct composite_aggregate *aggregate;
    const uint32_t *drop; /* nodes below the index; COMPOSITE_NONE leaves none out */
    enum choice_noise noise;
    double noise_amount;
    uint32_t noise_levels; /* bit level - 1: weights of nodes of that level; 0: all levels */
};

/* The space with all that its draws share: treated values for each imputation and treatment, a
 * layer for each normalisation of them, weights for each weighting of each layer. In the arena;
 * immutable, shared by threads. */
struct choice_space {
    const struct composite_tree *tree;
    const struct choices *choices;
    size_t n_input;                      /* choices with more than one alternative */
    enum choice input[CHOICE_KINDS];     /* n_input */
    size_t n_of[CHOICE_KINDS];           /* alternatives of each; CHOICE_NOISE: 2 when shaken */
    size_t n_column;                     /* areas that are ranked */
    const uint32_t *column;              /* n_column of the data */
    const struct composite_plan *plan;   /* n_impute x n_treat */
    const struct composite_layer *layer; /* plans x n_normalise */
    const double *const *packed;         /* layers x n_aggregate: tiles of what is summed (value,
                                            log, inverse), NULL: no plain sum does it */
    const size_t *const *at;             /* plans: column of the plan of each, or SIZE_MAX */
    const double *const *weight;         /* layers x n_weights x n_aggregate, n_node each */
    const struct composite_aggregate *aggregate; /* n_of[CHOICE_AGGREGATE] */
    const uint32_t *drop;                        /* n_of[CHOICE_DROP] */
    const uint16_t *nominal;                     /* n_column: ranks of the base; 0 missing */
    const double *nominal_score;                 /* n_column: the base's index; NaN missing */
};

/* column: the n_column areas (columns of data) that are ranked among one another, such as those of
 * the last period; NULL: all. At most 65,534. Errors: those of composite_run for the base and each
 * imputation and treatment; ERR_INVALID (noise, a node that cannot be left out), ERR_LIMIT. */
enum err_code choice_space_new(const struct composite_data *data, const struct composite_tree *tree,
                               const struct composite_spec *base, const struct choices *choices,
                               const uint32_t *column, size_t n_column, const struct num_run *run,
                               struct arena *a, const struct choice_space **out,
                               struct err *err) NODISCARD;

/* Where a draw stands: n_input numbers in [0, 1), one an input. Called from any thread. */
struct choice_points {
    void (*point)(void *arg, size_t k, double *u);
    void *arg;
    uint64_t seed; /* of the noise: the same number of the noise input gives the same weights */
};
/* Draw k of seed: n_input uniform numbers from rng_new(seed, k). */
struct choice_random {
    uint64_t seed;
    size_t n_input;
};
void choice_random_point(void *arg, size_t k, double *u);

/* What is kept of each draw; NULL: not kept. */
struct choice_ranks {
    uint16_t *rank;      /* n_draw x n_column; 1 best, ties least, 0 missing */
    double *shift;       /* n_draw: mean of |rank - nominal| over areas that have both */
    const size_t *watch; /* n_watch columns whose ranks ... */
    size_t n_watch;
    double *watched; /* ... are kept: n_draw x n_watch */
};
/* Ranks under n_draw points. Where all levels share one of arithmetic, geometric or harmonic means
 * and no value is missing, draws are taken together as one product (n_ind n_column multiply-adds
 * a draw, product.h); otherwise each by composite_evaluate. Errors: ERR_NUMERIC (a combination of
 * alternatives that cannot be, such as geometric means of z-scores, is named), ERR_NOMEM,
 * ERR_TIMEOUT. */
enum err_code choice_space_rank(const struct choice_space *s, size_t n_draw,
                                const struct choice_points *points, const struct num_run *run,
                                const struct choice_ranks *out, struct err *err) NODISCARD;

/* Weights of a draw, n_node: for tests and for telling one draw. u as above. */
void choice_space_weights(const struct choice_space *s, const double *u, uint64_t seed,
                          double *weight);
#endif
