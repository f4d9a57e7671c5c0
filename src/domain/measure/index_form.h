/* domain/measure/index_form.h - an index for all areas of a level in a period: scores, what each
 * indicator gives to them, ranks, and how far the ranks depend on choices. Pure over borrowed data;
 * the same input and seed give the same bits. */
#ifndef DOMAIN_MEASURE_INDEX_FORM_H
#define DOMAIN_MEASURE_INDEX_FORM_H
#include "domain/measure/index_def.h"
#include "domain/measure/value.h"
#include "num/composite/composite.h"
#include "num/composite/rank_interval.h"

/* What the values of an indicator were bent by, besides what its definition says. */
struct index_bend {
    double low, high; /* winsorised: values beyond are brought here; NaN: none */
    double lambda;    /* Box-Cox; NaN: another curve */
};
/* Whether and how chance is in a value, for ranks under doubt. */
enum index_noise {
    INDEX_NOISE_NONE,   /* means, medians, surveys, figures that are no counts */
    INDEX_NOISE_COUNT,  /* a count */
    INDEX_NOISE_SHARE,  /* of so many so many */
    INDEX_NOISE_RATE,   /* a count over a base */
    INDEX_NOISE_AGAINST /* a count over the mean of `years` counts */
};
struct index_noise_of {
    enum index_noise kind;
    int years;
};
/* Matrices are node-major: row k (n areas) is node k of the definition; the index is the last. */
struct index_view {
    const struct index_def *def;
    struct period period;
    const struct area_view *areas;
    size_t n;                           /* areas */
    const struct indicator_value *raw;  /* n_leaves x n, as counted */
    const unsigned char *hidden;        /* n_leaves x n: figures that are not told; NULL: none */
    const struct index_noise_of *noise; /* n_leaves */
    const struct index_bend *bend;      /* n_leaves; NULL: nothing is treated */
    struct composite_tree tree;         /* the definition's, with the weights of the period */
    const unsigned char *fallback; /* n_nodes: a group whose weights could not be worked out from
                                      the period's values, and are the given ones; NULL: none */
    /* n_nodes x n, with hidden: what a node scores and gives is not told, since with its goalposts
     * that would be the figure: hidden leaves, and nodes with exactly one child that is not told.
     * The index's own row: its value is told in whole points only, since something below it is not
     * told. NULL: none. */
    const unsigned char *masked;
    const double *value;  /* n_nodes x n: 0..100; NaN: no value */
    const double *weight; /* n_nodes, among siblings that have a value somewhere */
    const double *part;   /* n_nodes x n: what each node gives to the index; adds up to it */
    const uint32_t *rank; /* n: 1 best, ties least, 0 without a score */
    /* Ranks over many draws of the choices in doubt and of the chance in small counts; NULL when
     * not asked for or nothing is ranked.
     */
    const struct rank_interval *interval; /* n: 5 to 95 % */
    const double *holds; /* n: share of the draws in which the area stands above the next in rank */
    size_t n_draws;
    const uint32_t *order;          /* n: areas by rank, those without a score last */
    const unsigned char *too_small; /* n: the period is too short to tell this area from others:
                                       more than half of its weight rests on too few cases */
};
struct index_ask {
    const struct index_def *def;
    size_t n_draws;   /* 0: no intervals */
    bool drop_hidden; /* hidden figures do not count: for formulas that somebody tries out, by
                         which he could otherwise work them out */
    uint64_t seed;
    const struct num_run *run;
};
/* The values of the leaves, and nothing else of the view: afterwards neither the cube nor the
 * database of the query is needed, only the grid of its areas. Errors: those of values; ERR_INVALID
 * without an area of the level. */
enum err_code index_gather(const struct value_query *q, const struct index_def *d, struct arena *a,
                           struct index_view *out, struct err *err) NODISCARD;
/* The index's value of an area as it may be told. */
double index_told_value(const struct index_view *v, size_t area);
/* Sets v->hidden by the figure floor; with the query that the view was gathered by. */
enum err_code index_hide(const struct value_query *q, struct arena *a, struct index_view *v,
                         struct err *err) NODISCARD;
/* The rest: scores, parts, ranks, draws. Errors: those of composites. O(draws x nodes x areas). */
enum err_code index_score(struct index_view *v, const struct index_ask *ask, struct arena *a,
                          struct err *err) NODISCARD;
/* Both. */
enum err_code index_form(const struct value_query *q, const struct index_ask *ask, struct arena *a,
                         struct index_view *out, struct err *err) NODISCARD;
/* The score of a leaf, 0..100, for a value in the indicator's unit; NaN for NaN. By the view's
 * goalposts, treatment and means. */
double index_leaf_score(const struct index_view *v, size_t leaf, double x);
/* Means up the tree for n areas: rows of `value` above the leaves are filled from those below. A
 * child without a value leaves its weight to its siblings; like (n_nodes x n, or NULL): what is NaN
 * there stays NaN. */
void index_means(const struct composite_tree *t, const double *weight,
                 const struct composite_aggregate *g, const double *like, size_t n, double *value);
/* Between which values the index of an area lies in 90 % of 400 draws of what is in doubt: weights,
 * means, and the chance in small counts that are told. NaN without a value. Where the value is told
 * in whole points so are the ends, by whole steps from it. Errors: ERR_NOMEM. */
enum err_code index_value_interval(const struct index_view *v, size_t area,
                                   const struct index_ask *ask, struct arena *a, double *low,
                                   double *high, struct err *err) NODISCARD;
/* SHA-256 over what the view says: definition, period, areas, raw values and scores to the bit. */
void index_view_hash(const struct index_view *v, unsigned char out[32]);
#endif
