/* domain/measure/index_form.h - an index for all areas of a level in a period: scores, what each
 * indicator gives to them, ranks, and how far the ranks depend on choices. Pure over borrowed data;
 * the same input and seed give the same bits. */
#ifndef DOMAIN_MEASURE_INDEX_FORM_H
#define DOMAIN_MEASURE_INDEX_FORM_H
#include "domain/measure/index_def.h"
#include "domain/measure/value.h"
#include "num/composite/rank_interval.h"

/* Matrices are node-major: row k (n areas) is node k of the definition; the index is the last. */
struct index_view {
    const struct index_def *def;
    struct period period;
    const struct area_view *areas;
    size_t n;                          /* areas */
    const struct indicator_value *raw; /* n_leaves x n, as counted */
    const unsigned char *hidden;       /* n_leaves x n: figures that are not told; NULL: none */
    const double *value;               /* n_nodes x n: 0..100; NaN: no value */
    const double *weight;              /* n_nodes, among siblings that have a value somewhere */
    const double *part;   /* n_nodes x n: what each node gives to the index; adds up to it */
    const uint32_t *rank; /* n: 1 best, ties least, 0 without a score */
    /* Ranks over many draws of the choices in doubt; NULL when not asked for or nothing is ranked.
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
    size_t n_draws; /* 0: no intervals */
    uint64_t seed;
    const struct num_run *run;
};
/* The values of the leaves, and nothing else of the view: afterwards neither the cube nor the
 * database of the query is needed, only the grid of its areas. Errors: those of values; ERR_INVALID
 * without an area of the level. */
enum err_code index_gather(const struct value_query *q, const struct index_def *d, struct arena *a,
                           struct index_view *out, struct err *err) NODISCARD;
/* Sets v->hidden by the figure floor; with the query that the view was gathered by. */
enum err_code index_hide(const struct value_query *q, struct arena *a, struct index_view *v,
                         struct err *err) NODISCARD;
/* The rest: scores, parts, ranks, draws. Errors: those of composites. O(draws x nodes x areas). */
enum err_code index_score(struct index_view *v, const struct index_ask *ask, struct arena *a,
                          struct err *err) NODISCARD;
/* Both. */
enum err_code index_form(const struct value_query *q, const struct index_ask *ask, struct arena *a,
                         struct index_view *out, struct err *err) NODISCARD;
/* SHA-256 over what the view says: definition, period, areas, raw values and scores to the bit. */
void index_view_hash(const struct index_view *v, unsigned char out[32]);
#endif
