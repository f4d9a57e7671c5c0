/* num/composite/composite.h - composite indicators: from a table of indicators over areas to one
 * score an area, stage by stage, and the same again under another draw of choices, fast.
 *
 * Sources: OECD/JRC 2008 "Handbook on Constructing Composite Indicators" (steps 3 to 6); Becker et
 * al. 2022 "COINr" (stages, order of treatment); Saaty 1980 (pairwise comparison); Shannon 1948
 * (entropy); Cherchye et al. 2007 (benefit of the doubt); Mazziotta & Pareto 2016 (penalised mean);
 * Munda & Nardo 2009 (outranking); Dempster, Laird, Rubin 1977 and Schafer 1997 ch. 5 (EM).
 *
 * Pure: no I/O, no clock, no state, no threads of its own. Matrices are indicator-major: row i
 * (n_area doubles) is indicator i, NaN is missing. The same input gives the same bits. */
#ifndef NUM_COMPOSITE_COMPOSITE_H
#define NUM_COMPOSITE_COMPOSITE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/core/run.h"

enum { COMPOSITE_MAX_LEVELS = 8, COMPOSITE_MAX_BANDS = 16 };
#define COMPOSITE_NONE UINT32_MAX /* no parent, no denominator, no group */

/* ---- framework ---- */

/* Nodes 0 .. n_ind - 1 are the indicators, in the order of the matrix rows (level 1); the others
 * follow by rising level, so a child stands before its parent, and the index is the last node. */
struct composite_tree {
    size_t n_ind, n_node, n_level; /* n_level >= 2; level n_level is the index alone */
    const char *const *code;       /* n_node, for errors */
    const uint8_t *level;          /* n_node, 1 .. n_level */
    const uint32_t *parent;        /* n_node; COMPOSITE_NONE for the index */
    const int8_t *direction;       /* n_ind: +1 more is better, -1 less is better */
    const double *weight;          /* n_node: given weight among its siblings, >= 0 */
    const uint32_t *first;         /* n_node + 1 offsets into child; empty for indicators */
    const uint32_t *child;         /* n_node - 1, in rising order within a parent */
};
/* Builds first and child from the other members and checks the order named above. ERR_INVALID names
 * the node: a parent at or below its own level, a node without children, weights that are negative
 * or sum to 0 under a parent, a direction other than 1 and -1. */
enum err_code composite_tree_init(struct composite_tree *t, struct arena *a,
                                  struct err *err) NODISCARD;
/* The index over the indicators directly; weights are the products down the tree of weights that
 * sum to 1 under each parent. */
enum err_code composite_tree_flatten(const struct composite_tree *t, struct arena *a,
                                     struct composite_tree *out, struct err *err) NODISCARD;

/* ---- data ---- */

/* Everything is borrowed; n_ind is the tree's. */
struct composite_data {
    size_t n_area;             /* columns: areas, or areas at times of a panel */
    const double *value;       /* n_ind x n_area */
    const char *const *area;   /* n_area names, for errors */
    const uint32_t *group;     /* n_area, for group imputation; NULL: none */
    const uint32_t *unit;      /* n_area: which area a column of a panel is of; NULL: no panel */
    const double *time;        /* n_area, with unit */
    const uint32_t *period;    /* n_area: ranks are taken within a period; NULL: one for all */
    size_t n_denominator;      /* rows of denominator */
    const double *denominator; /* n_denominator x n_area */
    const uint32_t *denominator_of;  /* n_ind: row, or COMPOSITE_NONE; NULL: none */
    const double *denominator_scale; /* n_ind: value * scale / denominator; NULL: 1 */
};

/* ---- choices, one member a stage ---- */

enum composite_impute_kind {
    COMPOSITE_IMPUTE_NONE,
    COMPOSITE_IMPUTE_MEAN,
    COMPOSITE_IMPUTE_MEDIAN,
    COMPOSITE_IMPUTE_GROUP_MEAN,
    COMPOSITE_IMPUTE_GROUP_MEDIAN,
    COMPOSITE_IMPUTE_EM,           /* conditional mean under a multivariate normal, by parent */
    COMPOSITE_IMPUTE_PANEL_LAST,   /* last earlier value of the same unit */
    COMPOSITE_IMPUTE_PANEL_LINEAR, /* linear in time between, constant beyond */
};
struct composite_impute {
    enum composite_impute_kind kind;
    enum composite_impute_kind then; /* for what is still missing; NONE keeps it missing */
    unsigned max_iterations;         /* EM; 0: 1,000 */
    double tolerance;                /* EM: largest change of mean / sd, 0: 1e-10 */
    double max_gap;                  /* panel: longest reach in units of time; 0: no limit */
    bool em_whole;                   /* EM over all indicators at once, not parent by parent */
};

enum composite_screen_kind {
    COMPOSITE_SCREEN_NONE,
    COMPOSITE_SCREEN_MISSING,         /* share of values there below min_share */
    COMPOSITE_SCREEN_ZEROS,           /* share not 0 among those there below min_nonzero */
    COMPOSITE_SCREEN_MISSING_OR_ZEROS /* either */
};
struct composite_screen {
    enum composite_screen_kind kind;
    bool before_impute; /* otherwise after */
    double min_share, min_nonzero;
    double
        min_indicator_share; /* indicators with fewer areas than this share are dropped; 0: off */
};

enum composite_treat_kind {
    COMPOSITE_TREAT_NONE,
    COMPOSITE_TREAT_WINSORISE,
    COMPOSITE_TREAT_LOG,         /* ln x, x > 0 */
    COMPOSITE_TREAT_LOG_SHIFT,   /* ln(x - min + 1): COINr log_CT_orig */
    COMPOSITE_TREAT_LOG_CT,      /* ln(x - min + range / 100): COINr log_CT */
    COMPOSITE_TREAT_LOG_CT_PLUS, /* the same, -ln(max + range / 100 - x) when skew < 0 */
    COMPOSITE_TREAT_BOX_COX,     /* lambda given, or the one of greatest likelihood */
};
struct composite_treat {
    enum composite_treat_kind first;  /* tried first where the rule fails */
    enum composite_treat_kind second; /* on the untreated values where the first did not do */
    bool always;                      /* first everywhere, whatever the rule says */
    double max_skew, max_kurtosis;    /* fails when |skew| > and kurtosis >; 0: 2 and 3.5 */
    unsigned max_winsorised;          /* most points an indicator; 0: 5 */
    double box_cox_lambda;            /* NaN: estimated */
    /* n_ind: first of this indicator instead, or NULL; COMPOSITE_TREAT_NONE leaves it as it is. */
    const uint8_t *by_indicator;
};

enum composite_norm_kind {
    COMPOSITE_NORM_MIN_MAX,
    COMPOSITE_NORM_Z,          /* divisor n - 1; mean, sd */
    COMPOSITE_NORM_RANK,       /* ties take the least; 1 is the worst */
    COMPOSITE_NORM_PERCENTILE, /* (rank - 1) / (n - 1), brought to low .. high */
    COMPOSITE_NORM_BORDA,      /* rank - 1 */
    COMPOSITE_NORM_DIST_MAX,   /* 1 - (max - x) / (max - min) */
    COMPOSITE_NORM_DIST_REF,   /* 1 - (ref - x) / (ref - min), ref: value of an area */
    COMPOSITE_NORM_DIST_TARGET,
    COMPOSITE_NORM_FRACTION_MAX, /* x / max, for positive values */
    COMPOSITE_NORM_GOALPOSTS,    /* fixed low and high of each indicator */
    COMPOSITE_NORM_BANDS,        /* a score by class */
    COMPOSITE_NORM_EXPONENTIAL,  /* -rate ln(1 - R (1 - e^(-100 / rate))), R = rank / n */
    COMPOSITE_NORM_NONE          /* as it is, after direction */
};
/* Directions are applied first (x -> -x), so 'max' is the best value; goalposts, targets and cuts
 * are given in the indicator's own unit and sense, and read the right way round. */
struct composite_norm {
    enum composite_norm_kind kind;
    double low, high;                   /* MIN_MAX, PERCENTILE: range, low < high */
    double mean, sd;                    /* Z: sd > 0 */
    uint32_t reference;                 /* DIST_REF: column of the data (spec) or plan (draw) */
    bool cap;                           /* DIST_REF, DIST_TARGET, GOALPOSTS: cut to the range */
    double rate;                        /* EXPONENTIAL: 0: 23 */
    const double *target;               /* n_ind, NaN: none */
    const double *goal_low, *goal_high; /* n_ind, goal_low < goal_high */
    const double *goal_scale;           /* n_ind, NULL: 1 */
    size_t n_band;                      /* classes, 2 .. COMPOSITE_MAX_BANDS */
    const double *cut;                  /* n_ind x (n_band - 1) rising, or NULL: by quantile */
    const double *quantile;             /* n_band - 1 rising in (0, 1) (R's type 7), without cut */
    const double *score;                /* n_band, of the worst class first */
};
struct composite_normalise {
    size_t n_norm;
    const struct composite_norm *norm; /* n_norm */
    const uint8_t *of;                 /* n_ind: which norm; NULL: the first */
};

enum composite_weight_kind {
    COMPOSITE_WEIGHT_GIVEN, /* the tree's */
    COMPOSITE_WEIGHT_EQUAL,
    COMPOSITE_WEIGHT_AHP, /* principal eigenvector, or geometric mean of rows */
    COMPOSITE_WEIGHT_ENTROPY,
    COMPOSITE_WEIGHT_PCA_LOADINGS, /* raw first loadings, as COINr: may be negative */
    COMPOSITE_WEIGHT_PCA_VARIANCE, /* squared loadings by share of variance (OECD 2008) */
    COMPOSITE_WEIGHT_OPTIMISED     /* correlations with the index near the given importances */
};
struct composite_ahp {
    uint32_t parent;      /* node */
    const double *matrix; /* n_child x n_child, in the order of tree->child */
};
struct composite_weighting {
    /* [level - 1]: how weights among the nodes of that level are got. */
    enum composite_weight_kind level[COMPOSITE_MAX_LEVELS];
    size_t n_ahp;
    const struct composite_ahp *ahp;
    bool ahp_geometric;        /* geometric means of the rows instead of the eigenvector */
    const double *importance;  /* OPTIMISED: n_node, among siblings; NULL: the tree's weights */
    double pca_min_eigenvalue; /* PCA_VARIANCE: components kept; 0: 1 */
};

enum composite_agg_kind {
    COMPOSITE_ARITHMETIC,
    COMPOSITE_GEOMETRIC, /* values > 0 */
    COMPOSITE_HARMONIC,  /* values > 0 */
    COMPOSITE_POWER,     /* (sum w y^p)^(1/p); values > 0; 0 too when p > 0; any when p = 1 */
    COMPOSITE_MPI_PLUS,  /* mean + S cv: high is bad */
    COMPOSITE_MPI_MINUS, /* mean - S cv: high is good */
    COMPOSITE_COPELAND,  /* areas beaten less areas that beat it, of the outranking matrix */
    COMPOSITE_MAJORITY,  /* as Copeland, among areas: share of the others it beats or half ties */
    COMPOSITE_BOD_SCORE  /* benefit of the doubt; weights are found, not taken */
};
struct composite_agg {
    enum composite_agg_kind kind;
    double power;       /* POWER */
    double min_share;   /* of children with a value; fewer: the parent is missing */
    bool by_weight;     /* min_share is of their weight, not of their number */
    double exponential; /* > 0: the exponential transformation at this rate after it; 0: none */
    double bod_min, bod_max; /* BOD_SCORE: least and most share of a child in it; 0, 0: free */
    /* COPELAND, MAJORITY: two areas that are exactly level are told apart as COINr 1.1.14 does, by
     * the rounding of the sum of weights and the order of the areas. Only to reproduce its results:
     * they then depend on the order of the rows. */
    bool rounded_ties;
};
struct composite_aggregate {
    struct composite_agg level[COMPOSITE_MAX_LEVELS]; /* [k]: from level k + 1 to level k + 2 */
};

struct composite_spec {
    bool denominate;
    struct composite_impute impute;
    struct composite_screen screen;
    struct composite_treat treat;
    struct composite_normalise normalise;
    struct composite_weighting weights;
    struct composite_aggregate aggregate;
};

/* ---- the pipeline ---- */

enum composite_stage {
    COMPOSITE_RAW,
    COMPOSITE_DENOMINATED,
    COMPOSITE_SCREENED_FIRST, /* the same as the one before unless screen.before_impute */
    COMPOSITE_IMPUTED,
    COMPOSITE_SCREENED,
    COMPOSITE_TREATED,
    COMPOSITE_NORMALISED,
    COMPOSITE_WEIGHTED, /* no matrix of its own: weights */
    COMPOSITE_AGGREGATED,
    COMPOSITE_N_STAGES
};
enum composite_drop {
    COMPOSITE_KEPT,
    COMPOSITE_DROPPED_CONSTANT, /* max = min: it tells nothing; its siblings take its weight */
    COMPOSITE_DROPPED_EMPTY,
    COMPOSITE_DROPPED_AVAILABILITY
};
struct composite_treated {
    enum composite_treat_kind kind; /* what was done in the end */
    bool pass_before, pass_after;
    double skew_before, kurtosis_before, skew_after, kurtosis_after; /* NaN: not defined */
    unsigned n_high, n_low;                                          /* points winsorised */
    double lambda;                                                   /* BOX_COX */
};
struct composite_ahp_told {
    uint32_t parent;
    double lambda_max, ci, cr; /* cr 0 below three children */
    bool inconsistent;         /* cr > 0.1: the judgements contradict each other */
};

/* Matrices are arena-owned; a stage that changes nothing shares its predecessor's. Rows are
 * indicators; in the aggregated one they are all nodes (n_node). */
struct composite_result {
    const double *stage[COMPOSITE_N_STAGES];
    size_t n_area[COMPOSITE_N_STAGES];        /* columns of each */
    const uint32_t *area[COMPOSITE_N_STAGES]; /* column -> column of the data; NULL: the same */
    const struct composite_treated *treated;  /* n_ind */
    const uint8_t *dropped;                   /* n_ind, enum composite_drop */
    const uint8_t *unscreened_drop;           /* n_ind: dropped before normalising (availability) */
    const double *weight;                     /* n_node: among siblings, dropped ones 0; index 1 */
    size_t n_ahp;
    const struct composite_ahp_told *ahp;
    const uint32_t *rank; /* n_area[AGGREGATED]: of the index, 1 best, ties least; 0: missing */
    unsigned em_iterations;
    size_t n_imputed, n_still_missing;
    /* OPTIMISED: largest |achieved - asked| importance (shares of the sum of correlations); 0
     * where none is asked for. Not every importance can be had. */
    double importance_miss;
    bool verified; /* every method used has been checked against a peer or independent value */
    const char *unverified; /* names of those that were not, "" when none */
};

/* Runs the stages from `from` to the end; those before are taken from *io (from = COMPOSITE_RAW:
 * nothing is). Errors: ERR_INVALID (an unfit choice), ERR_NUMERIC (a value a method cannot take, no
 * convergence; indicator and area are named), ERR_LIMIT, ERR_NOMEM, ERR_TIMEOUT. O(n_ind n_area log
 * n_area) besides EM, Copeland (O(n_area^2 n_child)) and benefit of the doubt (a linear programme
 * an area). */
enum err_code composite_run(const struct composite_data *data, const struct composite_tree *tree,
                            const struct composite_spec *spec, enum composite_stage from,
                            const struct num_run *run, struct arena *a, struct composite_result *io,
                            struct err *err) NODISCARD;

/* A normalisation whose reference area is a column of the data, for the columns of a stage of a
 * result. ERR_INVALID when screening has taken the area out. */
enum err_code composite_normalise_at(const struct composite_result *r, enum composite_stage stage,
                                     const struct composite_normalise *n, struct arena *a,
                                     struct composite_normalise *out, struct err *err) NODISCARD;

/* ---- the same under other choices, many times ---- */

/* Treated values with what every normalisation needs of them worked out once, so that a draw
 * sorts and allocates nothing. Immutable after composite_plan_init; shared by threads. */
struct composite_plan {
    const struct composite_tree *tree;
    size_t n_area;
    const char *const *area;             /* names for errors; may be NULL */
    const double *directed;              /* n_ind x n_area: treated, times direction */
    const double *unit;                  /* (x - min) / (max - min) of it */
    const double *z;                     /* (x - mean) / sd */
    const double *rank;                  /* ties least, 1 worst; NaN missing */
    const double *min, *max, *mean, *sd; /* n_ind, of directed */
    const uint32_t *n_there;             /* n_ind: areas with a value */
    const uint32_t *period;              /* n_area or NULL */
    uint32_t n_period;
    const uint8_t *dropped;         /* n_ind: before normalising */
    size_t max_children, max_width; /* most children of a node; most nodes of a level above 1 */
};
enum err_code composite_plan_init(struct composite_plan *p, const struct composite_tree *tree,
                                  const double *treated, size_t n_area, const char *const *area,
                                  const uint32_t *period, const uint8_t *dropped, struct arena *a,
                                  struct err *err) NODISCARD;

/* One normalisation of a plan, worked out once for many draws. */
struct composite_layer {
    const double *value;    /* n_ind x n_area */
    const double *log;      /* ln value for geometric means (-inf where <= 0), or NULL */
    const double *inverse;  /* 1 / value for harmonic means (inf where <= 0), or NULL */
    const uint8_t *gaps;    /* n_ind: some value is missing */
    const uint8_t *dropped; /* n_ind, enum composite_drop */
};
/* means: also log and inverse (three times the memory). */
enum err_code composite_layer_init(struct composite_layer *l, const struct composite_plan *p,
                                   const struct composite_normalise *n, bool means, struct arena *a,
                                   struct err *err) NODISCARD;

struct composite_draw {
    /* Either a layer (fast), or a normalisation that is worked out in the scratch. */
    const struct composite_layer *layer;
    const struct composite_normalise *normalise;
    /* n_node, among siblings, any scale; 0 leaves a node out. Negative ones are taken as they are
     * (PCA loadings). They are scaled to sum to 1 over the children that have a value. NULL: the
     * tree's. */
    const double *weight;
    const struct composite_aggregate *aggregate;
};
/* Doubles of scratch for one thread. */
size_t composite_scratch(const struct composite_plan *p);
/* Scores of one draw.
 *   scratch  composite_scratch(p) doubles, one a thread
 *   node     (n_node - n_ind) x n_area: scores of the nodes above the indicators, the index last
 *   rank     n_area of the index, 1 best, ties least, 0 missing; NULL: not wanted
 * Allocates nothing (besides benefit of the doubt). Errors: ERR_NUMERIC names indicator or node and
 * area where a mean meets a value it cannot take. Arithmetic: n_ind x n_area multiply-adds. */
enum err_code composite_evaluate(const struct composite_plan *p, const struct composite_draw *d,
                                 double *scratch, double *node, uint32_t *rank,
                                 struct err *err) NODISCARD;

/* Ranks of n values within periods (period NULL: one; n_period <= n): 1 is the greatest, ties take
 * the least, 0 where missing. scratch: 6 * n doubles of allocated memory. O(n): a radix sort. */
void composite_ranks(const double *value, size_t n, const uint32_t *period, uint32_t n_period,
                     double *scratch, uint32_t *rank);

/* What a weighting of the spec gives on a layer: n_node weights, dropped indicators 0. Levels of
 * entropy, PCA and optimised weights are worked out upwards, so the aggregation below them is
 * needed too. told: AHP judgements (room for weights->n_ahp), or NULL. */
enum err_code composite_weigh(const struct composite_plan *p, const struct composite_layer *l,
                              const struct composite_weighting *weights,
                              const struct composite_aggregate *aggregate, struct arena *a,
                              double *weight, struct composite_ahp_told *told,
                              struct err *err) NODISCARD;
/* Pearson correlation of each node of a level with the index, divided by their sum over the level:
 * what OPTIMISED weights bring to the importances. node as composite_evaluate wrote it; out has one
 * value a node of the level in node order, NaN where a correlation is not defined. */
void composite_importances(const struct composite_plan *p, const struct composite_layer *l,
                           const double *node, size_t level, double *out);
/* Share of each indicator in the index when all means are arithmetic: products of the weights
 * (scaled to 1 among siblings) down the tree; n_ind, sums to 1. */
void composite_effective_weights(const struct composite_tree *t, const double *weight,
                                 double *effective);
#endif
